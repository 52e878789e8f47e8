//! What is true of every method: names, configuration, capabilities, time limits.

use libcloud_common::{Config, ErrorKind, Options, Support, json};
use libcloud_storage::{
    HashType, StorageDriver as _, StorageDriverExt as _, StreamObject, UploadBody, UploadObject,
};
use libcloud_testkit::{canary, capabilities};
use std::time::Duration;

use crate::*;

#[tokio::test]
async fn methods_are_called_by_name() {
    let server = Mock::start();
    let driver = dynamic(&server);
    assert_eq!((driver.hash_type(), driver.supports_chunked_encoding()), (Some(HashType::Md5), false));
    expect(&server, "GET", "/", "ListBuckets");
    let containers = driver.call("list_containers", json!({})).await.unwrap();
    assert_eq!(containers[0]["extra"]["creation_date"], "2023-11-13T12:00:00Z");

    let target = "/photos?list-type=2&encoding-type=url&prefix=a";
    expect(&server, "GET", target, "ListObjectsV2.empty");
    // The name that the argument had in the past.
    let arguments = json!({"container": "photos", "ex_prefix": "a"});
    assert_eq!(driver.call("list_container_objects", arguments).await.unwrap(), json!([]));

    server.expect(
        Exchange::put("/photos/cat.jpg")
            .header("x-amz-meta-some-value", "foobar")
            .header("x-amz-storage-class", "REDUCED_REDUNDANCY")
            .body("abc")
            .answers(200)
            .header("etag", format!("\"{MD5}\"")),
    );
    let arguments = json!({
        "iterator": ["a", "bc"], "container": "photos", "object_name": "cat.jpg",
        "extra": {"meta_data": {"some-value": "foobar"}}, "ex_storage_class": "reduced_redundancy",
    });
    let object = driver.call("upload_object_via_stream", arguments).await.unwrap();
    assert_eq!(object["size"], 3);
}

#[tokio::test]
async fn capabilities_tell_the_truth() {
    let missing = capabilities(&subject()).await;
    assert_eq!(missing, ["get_container_cdn_url", "enable_container_cdn", "enable_object_cdn"]);
    let can = (s3().capabilities)();
    for method in missing {
        assert!(matches!(can.of(method), Support::ProviderCannot { .. }), "{method}");
    }
}

#[tokio::test]
async fn credentials_stay_inside() {
    canary(&subject()).await;
}

#[tokio::test]
async fn the_configuration_is_checked_without_a_request() {
    let make = |config: Config| S3Driver::new(config).map(|_| ()).unwrap_err();
    let given = || Config::new("AKIDEXAMPLE", "canary-secret");
    for (config, kind, text) in [
        (given().region("us east"), ErrorKind::InvalidArgument, "`us east` is not the name of a region"),
        (given().option("signature_version", "3"), ErrorKind::InvalidArgument, "not `3`"),
        (given().option("tokn", "canary"), ErrorKind::InvalidArgument, "did you mean `token`?"),
        (given().option("dialect", "mino"), ErrorKind::InvalidArgument, "did you mean `minio`?"),
        (given().option("dialect", "minio"), ErrorKind::InvalidArgument, "give `endpoint`, or `host`"),
        (
            given().option("path_style", false).endpoint("http://127.0.0.1:9000".parse().unwrap()),
            ErrorKind::InvalidArgument,
            "an IP address has no hosts below it",
        ),
        (given().option("path_style", "yes"), ErrorKind::InvalidArgument, "`path_style` (boolean)"),
    ] {
        let error = make(config);
        assert_eq!(error.kind(), kind);
        assert!(error.to_string().contains(text), "{error}");
        assert!(!format!("{error:?}").contains("canary"));
    }
    let names: Vec<_> = s3().options.iter().map(|option| option.name).collect();
    assert_eq!(
        names,
        [
            "token",
            "profile",
            "signature_version",
            "path_style",
            "parts_in_flight",
            "payload_signing",
            "dialect"
        ]
    );
    let driver = S3Driver::new(given().region("eu-west-1").option("signature_version", 4)).unwrap();
    assert_eq!(driver.region(), "eu-west-1");
    assert!(!format!("{driver:?}").contains("canary"));
}

#[tokio::test]
async fn a_token_is_sent_and_signed() {
    let server = Mock::start();
    server.expect(
        Exchange::get("/")
            .secret_header("x-amz-security-token", "canary-token")
            .header("authorization", signed("", "", ";x-amz-security-token"))
            .answers(200)
            .body_file(fixture("ListBuckets.empty")),
    );
    let driver =
        S3Driver::new(config(server.url().as_str()).option("session_token", "canary-token")).unwrap();
    assert!(!format!("{driver:?}").contains("canary"));
    driver.list_containers().await.unwrap();
}

#[tokio::test]
async fn a_time_limit_reaches_every_step() {
    // It accepts nothing, so that only the limit ends the call.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let driver = S3Driver::new(config(&url)).unwrap();
    let limit = Duration::from_millis(20);
    let options = Options::new().timeout(limit);
    let never = UploadBody::new(futures_util::stream::pending());
    let photos = photos();
    let upload = |body| {
        let options = UploadObject::new().timeout(limit);
        driver.upload_object_via_stream_with(body, &photos, "cat.jpg", options)
    };
    for error in [
        driver.list_containers_with(options.clone()).await.unwrap_err(),
        driver.get_object_with("photos", "cat.jpg", options).await.unwrap_err(),
        upload("abc".into()).await.unwrap_err(),
        upload(never).await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
    }
    let options = StreamObject::new().timeout(limit);
    let error = driver.download_object_as_stream_with(&cat(), options).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
}
