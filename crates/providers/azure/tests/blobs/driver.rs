//! What is true of every method: names, configuration, capabilities, time limits.

use std::time::Duration;

use libcloud_common::{Options, Support};
use libcloud_storage::{StorageDriver as _, StorageDriverExt as _, StreamObject, UploadBody, UploadObject};
use libcloud_testkit::{canary, capabilities};

use crate::*;

#[tokio::test]
async fn methods_are_called_by_name() {
    let server = Mock::start();
    let driver = dynamic(&server);
    assert_eq!((driver.hash_type(), driver.supports_chunked_encoding()), (None, false));
    expect(&server, "GET", "/?comp=list&include=metadata", "ListContainers");
    let containers = driver.call("list_containers", json!({})).await.unwrap();
    assert_eq!(containers[0]["extra"]["lease"]["status"], "locked");

    server.expect(
        request("PUT", "/photos/cat.jpg")
            .header("x-ms-meta-some-value", "foobar")
            .header("x-ms-blob-type", "BlockBlob")
            .body("abc")
            .answers(201),
    );
    let arguments = json!({
        "iterator": ["a", "bc"], "container": "photos", "object_name": "cat.jpg",
        "extra": {"meta_data": {"some-value": "foobar"}}, "ex_blob_type": "BlockBlob",
    });
    let object = driver.call("upload_object_via_stream", arguments).await.unwrap();
    assert_eq!(object["size"], 3);
}

#[tokio::test]
async fn capabilities_tell_the_truth() {
    let missing = capabilities(&subject()).await;
    assert_eq!(missing, ["get_container_cdn_url", "enable_container_cdn", "enable_object_cdn"]);
    let can = (storage().capabilities)();
    for method in missing {
        assert!(matches!(can.of(method), Support::ProviderCannot { .. }), "{method}");
    }
}

#[tokio::test]
async fn credentials_stay_inside() {
    canary(&subject()).await;
}

#[tokio::test]
async fn a_shared_access_signature_stays_inside() {
    let config = Config::new("canaryaccount", "sv=2021-12-02&sig=canary-signature%3D");
    let subject = Subject::new(storage(), config)
        .sends_nothing(&["get_object_cdn_url"])
        .args("create_container", json!({"container_name": "photos"}));
    canary(&subject).await;
}

#[tokio::test]
async fn a_shared_access_signature_in_place_of_the_key() {
    let server = Mock::start();
    server.expect(
        Exchange::get("/?comp=list&include=metadata&sv=2021-12-02&sig=a%3D")
            .no_header("authorization")
            .header("x-ms-version", "2021-12-02")
            .answers(200)
            .body_file(fixture("ListContainers.empty")),
    );
    let mut config = config(server.url().as_str());
    config.secret = Some("?sv=2021-12-02&sig=a%3D".into());
    let driver = AzureBlobsDriver::new(config).unwrap();
    driver.list_containers().await.unwrap();
    let error = driver.get_object_cdn_url(&cat()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotSupported);
}

#[tokio::test]
async fn the_configuration_is_checked_without_a_request() {
    let make = |config: Config| AzureBlobsDriver::new(config).map(|_| ()).unwrap_err();
    let given = || Config::new("canaryaccount", KEY);
    for (config, kind, text) in [
        (
            Config::new("canaryaccount", "canary!"),
            ErrorKind::InvalidCredentials,
            "nor an access key: not base64: character 7",
        ),
        (
            Config::with_key("canaryaccount"),
            ErrorKind::InvalidCredentials,
            "the access key is missing: give it in the configuration",
        ),
        (given().option("page_siz", 5), ErrorKind::InvalidArgument, "did you mean `page_size`?"),
        (given().api_version("newest"), ErrorKind::InvalidArgument, "such as 2021-12-02, and not `newest`"),
    ] {
        let error = make(config);
        assert_eq!(error.kind(), kind);
        assert!(error.to_string().contains(text), "{error}");
        assert!(!format!("{error:?}").contains("canary"), "{error:?}");
    }
    let names: Vec<_> = storage().options.iter().map(|option| option.name).collect();
    assert_eq!(names, ["page_size"]);
    let server = Mock::start();
    server.expect(
        Exchange::head("/photos?restype=container").header("x-ms-version", "2018-11-09").answers(200),
    );
    let old = config(server.url().as_str()).api_version("2018-11-09");
    AzureBlobsDriver::new(old).unwrap().get_container("photos").await.unwrap();
}

#[tokio::test]
async fn a_time_limit_reaches_every_step() {
    // It accepts nothing, so that only the limit ends the call.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let driver = AzureBlobsDriver::new(config(&url)).unwrap();
    let limit = Duration::from_millis(20);
    let options = Options::new().timeout(limit);
    let photos = photos();
    let upload = |body| {
        let options = UploadObject::new().timeout(limit);
        driver.upload_object_via_stream_with(body, &photos, "cat.jpg", options)
    };
    for error in [
        driver.list_containers_with(options.clone()).await.unwrap_err(),
        driver.get_object_with("photos", "cat.jpg", options.clone()).await.unwrap_err(),
        driver.delete_container_with(&photos, options).await.unwrap_err(),
        upload("abc".into()).await.unwrap_err(),
        upload(UploadBody::new(futures_util::stream::pending())).await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
        assert_eq!(error.provider(), Some("azure_blobs"));
    }
    let options = StreamObject::new().timeout(limit);
    let error = driver.download_object_as_stream_with(&cat(), options).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
}
