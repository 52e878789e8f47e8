use http::HeaderMap;
use libcloud_common::{ManualClock, Search, Sources};

use super::*;

fn connection(config: Config, path_style: Option<bool>) -> S3Connection {
    let credentials = Credentials::find(&config, None, &mut Search::new(&Sources::of([], []))).unwrap();
    let options = S3Options { path_style, ..S3Options::default() };
    let dialect = S3Dialect::chosen(&config, None).unwrap();
    S3Connection::new("s3", &config, credentials, &options, dialect).unwrap()
}

fn config() -> Config {
    Config::new("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
        .clock(ManualClock::at("2013-05-24T00:00:00Z".parse().unwrap()))
}

/// Where an object is, without the query of the signature.
async fn place(connection: &S3Connection, container: &str, key: &str) -> String {
    let request = Request::new("PresignedUrl", Method::GET, [""; 0]);
    let url = connection.presigned(request, container, key, Duration::from_secs(1)).await.unwrap();
    url.split('?').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_container_is_a_host_where_it_can_be_one() {
    let amazon = connection(config().region("eu-west-1"), None);
    assert_eq!(place(&amazon, "photos", "a/b").await, "https://photos.s3.eu-west-1.amazonaws.com/a/b");
    for name in ["photos.example", "Photos", "new_container"] {
        let place = place(&amazon, name, "a").await;
        assert_eq!(place, format!("https://s3.eu-west-1.amazonaws.com/{name}/a"));
    }
    let china = connection(config().region("cn-north-1"), None);
    assert_eq!(place(&china, "photos", "a").await, "https://photos.s3.cn-north-1.amazonaws.com.cn/a");
    let path_style = connection(config(), Some(true));
    assert_eq!(place(&path_style, "photos", "a").await, "https://s3.us-east-1.amazonaws.com/photos/a");
}

#[tokio::test]
async fn elsewhere_a_container_is_a_path() {
    let other = connection(config().endpoint("http://127.0.0.1:9000/base".parse().unwrap()), None);
    assert_eq!(place(&other, "photos", "a").await, "http://127.0.0.1:9000/base/photos/a");
    let mut by_host = config();
    by_host.host = Some("objects.example".into());
    assert_eq!(place(&connection(by_host, None), "photos", "a").await, "https://objects.example/photos/a");
}

#[tokio::test]
async fn a_host_of_the_service_and_one_that_is_said_to_be_one_have_hosts_below() {
    let dualstack = config().endpoint("https://s3.dualstack.eu-west-1.amazonaws.com".parse().unwrap());
    let at = place(&connection(dualstack, None), "photos", "a").await;
    assert_eq!(at, "https://photos.s3.dualstack.eu-west-1.amazonaws.com/a");
    let other = config().endpoint("https://objects.example".parse().unwrap());
    assert_eq!(
        place(&connection(other, Some(false)), "photos", "a").await,
        "https://photos.objects.example/a"
    );
}

#[tokio::test]
async fn names_of_objects_are_encoded_and_not_normalised() {
    let amazon = connection(config(), None);
    for (key, path) in [
        ("a//b/", "/a//b/"),
        ("/a", "//a"),
        ("../.", "/../."),
        ("a+b%20c d", "/a%2Bb%2520c%20d"),
        ("~'\"?#&=", "/~%27%22%3F%23%26%3D"),
        ("u\u{308}/ü", "/u%CC%88/%C3%BC"),
        ("\n\0", "/%0A%00"),
    ] {
        let place = place(&amazon, "photos", key).await;
        assert_eq!(place, format!("https://photos.s3.us-east-1.amazonaws.com{path}"));
    }
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html>, but for the name of the host, which
/// has a region today.
#[tokio::test]
async fn presigned_urls_are_those_of_the_reference() {
    let mut config = config();
    config.host = Some("examplebucket.s3.amazonaws.com".into());
    let connection = connection(config, None);
    let request = {
        let mut request = Request::new("PresignedUrl", Method::GET, [""; 0]);
        request.push_key("test.txt");
        request
    };
    let signer = &connection.places.home.signer;
    let key = signer.key().await.unwrap();
    let target = Target::new(connection.http().base(), connection.http().clock().now());
    let query = signer.presign(&key, &request, target, None, Duration::from_secs(86400)).unwrap();
    assert_eq!(
        query,
        "X-Amz-Algorithm=AWS4-HMAC-SHA256\
         &X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request\
         &X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host\
         &X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
    );
}

fn answer(status: u16, headers: &[(&'static str, &'static str)], body: &str) -> Error {
    let headers: HeaderMap =
        headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
    let status = StatusCode::from_u16(status).unwrap();
    check(&Response::new(status, headers, body.to_owned())).unwrap_err()
}

fn refused(status: u16, code: &str) -> Error {
    let body = format!("<Error><Code>{code}</Code><Message>no</Message><RequestId>req-1</RequestId></Error>");
    answer(status, &[], &body)
}

#[test]
fn codes_decide_the_kind() {
    use ErrorKind::{
        AlreadyExists, HashMismatch, InvalidArgument, InvalidCredentials, InvalidName, InvalidState,
        NotEmpty, NotFound, NotSupported, Provider, QuotaExceeded, RateLimited, Timeout,
    };
    for (status, code, kind, retryable) in [
        (404, "NoSuchBucket", NotFound, false),
        (404, "NoSuchKey", NotFound, false),
        (409, "BucketAlreadyExists", AlreadyExists, false),
        (409, "BucketAlreadyOwnedByYou", AlreadyExists, false),
        (409, "BucketNotEmpty", NotEmpty, false),
        (400, "InvalidBucketName", InvalidName, false),
        (400, "KeyTooLongError", InvalidName, false),
        (400, "BadDigest", HashMismatch, false),
        (400, "XAmzContentSHA256Mismatch", HashMismatch, false),
        (416, "InvalidRange", InvalidArgument, false),
        (400, "EntityTooLarge", InvalidArgument, false),
        (412, "PreconditionFailed", InvalidState, false),
        (409, "ConditionalRequestConflict", InvalidState, true),
        (409, "OperationAborted", InvalidState, true),
        (403, "InvalidObjectState", InvalidState, false),
        (403, "AccessDenied", InvalidCredentials, false),
        (403, "SignatureDoesNotMatch", InvalidCredentials, false),
        (403, "InvalidAccessKeyId", InvalidCredentials, false),
        (403, "RequestTimeTooSkewed", InvalidCredentials, false),
        (400, "ExpiredToken", InvalidCredentials, false),
        (400, "TooManyBuckets", QuotaExceeded, false),
        (400, "RequestTimeout", Timeout, true),
        (503, "SlowDown", RateLimited, true),
        (503, "ServiceUnavailable", Provider, true),
        (500, "InternalError", Provider, true),
        (405, "MethodNotAllowed", NotSupported, false),
        (501, "NotImplemented", NotSupported, false),
        (400, "InvalidArgument", Provider, false),
    ] {
        let error = refused(status, code);
        assert_eq!((error.kind(), error.is_retryable()), (kind, retryable), "{code}");
        assert_eq!((error.code(), error.request_id()), (Some(code), Some("req-1")));
    }
}

#[test]
fn an_answer_without_body_is_told_by_its_status() {
    for (status, kind) in [
        (403, ErrorKind::InvalidCredentials),
        (404, ErrorKind::NotFound),
        (416, ErrorKind::InvalidArgument),
        (400, ErrorKind::Provider),
        (503, ErrorKind::Provider),
    ] {
        let error = answer(status, &[], "");
        assert_eq!((error.kind(), error.code()), (kind, None), "{status}");
    }
    let page = answer(502, &[], "<html><p>Bad gateway</html>");
    assert!(page.is_retryable());
}

#[test]
fn the_right_region_is_named() {
    let header = ("x-amz-bucket-region", "eu-west-1");
    let malformed = "<Error><Code>AuthorizationHeaderMalformed</Code><Message>the region 'us-east-1' is wrong; expecting \
                     'eu-west-1'</Message><Region>eu-west-1</Region></Error>";
    let redirect =
        "<Error><Code>PermanentRedirect</Code><Endpoint>b.s3.eu-west-1.amazonaws.com</Endpoint></Error>";
    for error in [answer(301, &[header], ""), answer(301, &[header], redirect), answer(400, &[], malformed)] {
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        assert!(error.to_string().starts_with("this is in the region eu-west-1:"), "{error}");
        assert_eq!(error.resource(), Some(("region", "eu-west-1")));
    }
    // A token that has expired is answered so as well.
    let unsure = answer(400, &[header], "");
    assert_eq!(unsure.kind(), ErrorKind::Provider);
    assert!(unsure.to_string().contains("in the region eu-west-1: is the driver"), "{unsure}");
    // All answers have the header, whatever was wrong.
    assert_eq!(answer(404, &[header], "").kind(), ErrorKind::NotFound);
    assert_eq!(answer(403, &[header], "").kind(), ErrorKind::InvalidCredentials);
}

#[test]
fn errors_with_the_status_of_success_are_found() {
    let error = |code: &str| {
        let declaration = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>";
        format!("   \n \r\n{declaration}\n <Error><Code>{code}</Code><Message>no</Message></Error>")
    };
    for (code, kind, retryable) in [
        ("InternalError", ErrorKind::Provider, true),
        ("SlowDown", ErrorKind::RateLimited, true),
        ("NoSuchUpload", ErrorKind::NotFound, false),
        ("AccessDenied", ErrorKind::InvalidCredentials, false),
    ] {
        let told = answer(200, &[], &error(code));
        assert_eq!((told.kind(), told.code(), told.is_retryable()), (kind, Some(code), retryable), "{told}");
    }
    // A result that has errors in it, or speaks of one, is none.
    for body in ["", "<DeleteResult><Error><Key>a</Key></Error></DeleteResult>", "<Errors/>", "<Error", "{}"]
    {
        let response = Response::new(StatusCode::OK, HeaderMap::new(), body.to_owned());
        assert!(check(&response).is_ok(), "{body}");
    }
}

#[test]
fn some_errors_of_calls_to_objects_are_about_the_container() {
    assert!(is_about_container(&refused(404, "NoSuchBucket")));
    assert!(!is_about_container(&refused(404, "NoSuchKey")));
}
