//! What is true of every method: names, configuration, capabilities, time limits.

use libcloud_common::{Config, ErrorKind, Options, Support, json};
use libcloud_storage::{
    HashType, STORAGE_METHODS, StorageDriver as _, StorageDriverExt as _, StreamObject, UploadBody,
    UploadObject,
};
use mockito::Server;
use std::time::Duration;

use crate::*;

#[tokio::test]
async fn methods_are_called_by_name() {
    let mut server = Server::new_async().await;
    let driver = dynamic(&server);
    assert_eq!((driver.hash_type(), driver.supports_chunked_encoding()), (Some(HashType::Md5), false));
    expect(&mut server, "GET", "/", "ListBuckets").await;
    let containers = driver.call("list_containers", json!({})).await.unwrap();
    assert_eq!(containers[0]["extra"]["creation_date"], "2023-11-13T12:00:00Z");

    let target = "/photos?list-type=2&encoding-type=url&prefix=a";
    expect(&mut server, "GET", target, "ListObjectsV2.empty").await;
    // The name that the argument had in the past.
    let arguments = json!({"container": "photos", "ex_prefix": "a"});
    assert_eq!(driver.call("list_container_objects", arguments).await.unwrap(), json!([]));

    let upload = server
        .mock("PUT", "/photos/cat.jpg")
        .match_header("x-amz-meta-some-value", "foobar")
        .match_header("x-amz-storage-class", "REDUCED_REDUNDANCY")
        .match_body("abc")
        .create_async()
        .await;
    let arguments = json!({
        "iterator": ["a", "bc"], "container": "photos", "object_name": "cat.jpg",
        "extra": {"meta_data": {"some-value": "foobar"}}, "ex_storage_class": "reduced_redundancy",
    });
    let object = driver.call("upload_object_via_stream", arguments).await.unwrap();
    upload.assert_async().await;
    assert_eq!(object["size"], 3);
}

#[tokio::test]
async fn capabilities_tell_the_truth() {
    let server = Server::new_async().await;
    let driver = dynamic(&server);
    let can = driver.capabilities();
    assert_eq!((s3().capabilities)(), can);
    let mut missing = vec![];
    for method in STORAGE_METHODS {
        let mut arguments = json!({
            "container": "photos", "container_name": "photos", "obj": "photos/a", "object_name": "a", "iterator": "x",
        });
        let specs: Vec<_> = (method.args)().iter().map(|spec| spec.name).collect();
        arguments.as_object_mut().unwrap().retain(|name, _| specs.contains(&name.as_str()));
        // Nothing is expected by the server, so what is supported fails there, or needs no request.
        let outcome = driver.call(method.name, arguments).await;
        let refused = matches!(&outcome, Err(error) if error.kind() == ErrorKind::NotSupported);
        assert_eq!(can.of(method.name) == Support::Supported, !refused, "{}: {outcome:?}", method.name);
        if refused {
            assert!(matches!(can.of(method.name), Support::ProviderCannot { .. }), "{}", method.name);
            missing.push(method.name);
        }
    }
    assert_eq!(missing, ["get_container_cdn_url", "enable_container_cdn", "enable_object_cdn"]);
}

#[tokio::test]
async fn the_configuration_is_checked_without_a_request() {
    let make = |config: Config| S3Driver::new(config).map(|_| ()).unwrap_err();
    let given = || Config::new("AKIDEXAMPLE", "canary-secret");
    for (config, kind, text) in [
        (given().region("us east"), ErrorKind::InvalidArgument, "`us east` is not the name of a region"),
        (given().option("signature_version", 2), ErrorKind::NotSupported, "signs with version 4 only"),
        (given().option("signature_version", "3"), ErrorKind::InvalidArgument, "not `3`"),
        (given().option("tokn", "canary"), ErrorKind::InvalidArgument, "did you mean `token`?"),
        (given().option("path_style", "yes"), ErrorKind::InvalidArgument, "`path_style` (boolean)"),
    ] {
        let error = make(config);
        assert_eq!(error.kind(), kind);
        assert!(error.to_string().contains(text), "{error}");
        assert!(!format!("{error:?}").contains("canary"));
    }
    let names: Vec<_> = s3().options.iter().map(|option| option.name).collect();
    assert_eq!(names, ["token", "signature_version", "path_style"]);
    let driver = S3Driver::new(given().region("eu-west-1").option("signature_version", 4)).unwrap();
    assert_eq!(driver.region(), "eu-west-1");
    assert!(!format!("{driver:?}").contains("canary"));
}

#[tokio::test]
async fn a_token_is_sent_and_signed() {
    let mut server = Server::new_async().await;
    let mock = server
        .mock("GET", "/")
        .match_header("x-amz-security-token", "canary-token")
        .match_header("authorization", signed("", "", ";x-amz-security-token"))
        .with_body_from_file(fixture("ListBuckets.empty"))
        .create_async()
        .await;
    let driver = S3Driver::new(config(&server.url()).option("session_token", "canary-token")).unwrap();
    assert!(!format!("{driver:?}").contains("canary"));
    driver.list_containers().await.unwrap();
    mock.assert_async().await;
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
