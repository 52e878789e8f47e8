use http::HeaderMap;
use libcloud_common::{Search, Sources};

use super::*;

fn connection(config: Config, variables: &[(&str, &str)]) -> Result<BlobConnection> {
    let sources = Sources::of(variables.iter().copied(), []);
    let credentials = Credentials::find(&config, &mut Search::new(&sources))?;
    BlobConnection::new("azure_blobs", config, credentials)
}

fn place(config: Config) -> String {
    connection(config, &[]).unwrap().url("c", Some("a//../b c"))
}

#[test]
fn the_account_is_part_of_the_host_or_of_the_path() {
    let account = || Config::new("account", "cGFzc3dvcmQ=");
    assert_eq!(place(account()), "https://account.blob.core.windows.net/c/a//../b%20c");
    for (host, base) in [
        ("blob.core.usgovcloudapi.net", "https://account.blob.core.usgovcloudapi.net"),
        ("account.blob.core.chinacloudapi.cn", "https://account.blob.core.chinacloudapi.cn"),
        ("files.example.com", "https://files.example.com"),
        ("localhost", "https://localhost/account"),
        ("10.0.0.1", "https://10.0.0.1/account"),
    ] {
        let mut config = account();
        config.host = Some(host.to_owned());
        assert_eq!(place(config), format!("{base}/c/a//../b%20c"));
    }
    let emulator = account().endpoint("http://127.0.0.1:10000/account".parse().unwrap());
    assert_eq!(place(emulator), "http://127.0.0.1:10000/account/c/a//../b%20c");
}

#[test]
fn a_connection_string_says_where_it_is() {
    let name = "AZURE_STORAGE_CONNECTION_STRING";
    for (text, url) in [
        ("AccountName=a;AccountKey=a2V5", "https://a.blob.core.windows.net/c"),
        (
            "AccountName=a;AccountKey=a2V5;DefaultEndpointsProtocol=http;EndpointSuffix=core.x",
            "http://a.blob.core.x/c",
        ),
        ("AccountName=a;AccountKey=a2V5;BlobEndpoint=http://h:1/a", "http://h:1/a/c"),
        ("UseDevelopmentStorage=true", "http://127.0.0.1:10000/devstoreaccount1/c"),
    ] {
        assert_eq!(connection(Config::anonymous(), &[(name, text)]).unwrap().url("c", None), url);
    }
}

#[test]
fn what_cannot_be_an_account_or_a_version_is_refused() {
    let error = connection(Config::new("canary.evil", "a2V5"), &[]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidCredentials);
    assert!(!format!("{error:?}").contains("canary"));
    for version in ["latest", "2011-08-18", "2021-13-02", "2021-12-02x"] {
        let config = Config::new("account", "a2V5").api_version(version);
        let error = connection(config, &[]).unwrap_err();
        assert_eq!(
            (error.kind(), error.resource()),
            (ErrorKind::InvalidArgument, Some(("option", "api_version")))
        );
    }
}

fn refused(status: u16, code: &str, header: bool) -> Error {
    let mut headers = HeaderMap::new();
    let mut body = String::new();
    if header {
        headers.insert("x-ms-error-code", code.parse().unwrap());
    } else {
        body = format!(
            "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>{code}</Code>\
             <Message>It is so.\nRequestId:1\nTime:2</Message></Error>"
        );
    }
    check(&Response::new(StatusCode::from_u16(status).unwrap(), headers, body)).unwrap_err()
}

#[test]
fn codes_say_what_it_is() {
    for (status, code, kind) in [
        (404, "ContainerNotFound", ErrorKind::NotFound),
        (404, "BlobNotFound", ErrorKind::NotFound),
        (409, "ContainerAlreadyExists", ErrorKind::AlreadyExists),
        (409, "BlobAlreadyExists", ErrorKind::AlreadyExists),
        (409, "ContainerBeingDeleted", ErrorKind::InvalidState),
        (409, "LeaseAlreadyPresent", ErrorKind::InvalidState),
        (412, "ConditionNotMet", ErrorKind::InvalidState),
        (403, "AuthenticationFailed", ErrorKind::InvalidCredentials),
        (403, "AccountIsDisabled", ErrorKind::InvalidCredentials),
        (400, "InvalidAuthenticationInfo", ErrorKind::InvalidCredentials),
        (400, "InvalidResourceName", ErrorKind::InvalidName),
        (400, "Md5Mismatch", ErrorKind::HashMismatch),
        (416, "InvalidRange", ErrorKind::InvalidArgument),
        (413, "RequestBodyTooLarge", ErrorKind::InvalidArgument),
        (503, "ServerBusy", ErrorKind::RateLimited),
        (500, "OperationTimedOut", ErrorKind::Timeout),
        (500, "InternalError", ErrorKind::Provider),
        (405, "UnsupportedHttpVerb", ErrorKind::NotSupported),
    ] {
        for header in [false, true] {
            let error = refused(status, code, header);
            assert_eq!((error.kind(), error.code()), (kind, Some(code)));
            assert_eq!(error.message() == "It is so.", !header, "{error}");
        }
    }
    assert!(refused(409, "ContainerBeingDeleted", false).is_retryable());
    assert!(!refused(409, "LeaseAlreadyPresent", false).is_retryable());
    assert!(refused(503, "ServerBusy", true).is_retryable());
}

#[test]
fn what_is_on_the_way_answers_what_it_likes() {
    for body in ["", "<html><head><title>502 Bad Gateway</title></head></html>", "<Error>"] {
        let response = Response::new(StatusCode::BAD_GATEWAY, HeaderMap::new(), body.to_owned());
        let error = check(&response).unwrap_err();
        assert_eq!((error.kind(), error.code()), (ErrorKind::Provider, None));
        assert!(error.is_retryable());
    }
}

#[test]
fn some_errors_of_calls_to_blobs_are_about_the_container() {
    assert!(is_about_container(&refused(404, "ContainerNotFound", true)));
    assert!(!is_about_container(&refused(404, "BlobNotFound", true)));
}
