//! One object: what is known of it, its deletion, its URL.

use insta::assert_json_snapshot;
use libcloud_common::{ErrorKind, Options};
use libcloud_storage::{GetObjectCdnUrl, StorageDriver as _, StorageDriverExt as _};
use std::time::Duration;

use crate::*;

#[tokio::test]
async fn get_object() {
    let server = Mock::start();
    server.expect(
        request("HEAD", "/photos/2024/cat.jpg")
            .answers(200)
            .header("content-length", "3")
            .header("content-type", "image/jpeg")
            .header("etag", format!("\"{MD5}\""))
            .header("last-modified", "Fri, 01 Mar 2024 10:20:30 GMT")
            .header("x-amz-meta-author", "=?UTF-8?Q?J=C3=BCrgen?=")
            .header("x-amz-meta-rabbits", "monkeys")
            .header("x-amz-storage-class", "STANDARD_IA")
            .header("x-amz-version-id", "3HL4kqtJlcpXrof3"),
    );
    let object = driver(&server).get_object("photos", "2024/cat.jpg").await.unwrap();
    assert_json_snapshot!(object, @r#"
    {
      "name": "2024/cat.jpg",
      "size": 3,
      "hash": "900150983cd24fb0d6963f7d28e17f72",
      "container": {
        "name": "photos",
        "extra": {}
      },
      "content_type": "image/jpeg",
      "last_modified": "2024-03-01T10:20:30Z",
      "etag": "900150983cd24fb0d6963f7d28e17f72",
      "extra": {
        "content_type": "image/jpeg",
        "etag": "\"900150983cd24fb0d6963f7d28e17f72\"",
        "last_modified": "2024-03-01T10:20:30Z",
        "storage_class": "STANDARD_IA",
        "version_id": "3HL4kqtJlcpXrof3"
      },
      "meta_data": {
        "author": "Jürgen",
        "rabbits": "monkeys"
      }
    }
    "#);
}

#[tokio::test]
async fn get_object_that_is_missing() {
    let server = Mock::start();
    let driver = driver(&server);
    for (status, resource, id) in
        [(200, "object", "cat.jpg"), (403, "object", "cat.jpg"), (404, "container", "photos")]
    {
        server.expect(request("HEAD", "/photos/cat.jpg").answers(404));
        server.expect(request("HEAD", "/photos").answers(status));
        let error = driver.get_object("photos", "cat.jpg").await.unwrap_err();
        assert_about(&error, ErrorKind::NotFound, resource, id);
    }
}

#[tokio::test]
async fn delete_object() {
    let server = Mock::start();
    server.expect(request("DELETE", "/photos/cat.jpg").answers(204));
    driver(&server).delete_object(&cat()).await.unwrap();
    refuse(&server, "DELETE", "/photos/cat.jpg", 404, "Error.no-bucket");
    let error = driver(&server).delete_object(&cat()).await.unwrap_err();
    assert_about(&error, ErrorKind::NotFound, "container", "photos");
}

#[tokio::test]
async fn names_that_would_be_another_request_are_refused() {
    let server = Mock::start();
    let driver = driver(&server);
    // The deletion of the container, and of one in the list of them.
    for object in
        [Object::from_names("photos", ""), Object::from_names("", "photos"), Object::from_names("..", "a")]
    {
        for error in [
            driver.delete_object(&object).await.unwrap_err(),
            driver.get_object_cdn_url(&object).await.unwrap_err(),
            driver.get_object(&object.container.name, &object.name).await.unwrap_err(),
            driver.upload_object_via_stream("abc".into(), &object.container, &object.name).await.unwrap_err(),
        ] {
            assert_eq!(error.kind(), ErrorKind::InvalidName, "{error}");
        }
    }
    for name in ["", "a/b", "."] {
        let error = driver.delete_container(&Container::new(name)).await.unwrap_err();
        assert_about(&error, ErrorKind::InvalidName, "container", name);
    }
}

#[tokio::test]
async fn odd_names_reach_the_server_as_they_are() {
    let server = Mock::start();
    let driver = driver(&server);
    for (name, path) in [
        ("a//b/", "/photos/a//b/"),
        ("/a", "/photos//a"),
        ("./../a", "/photos/./../a"),
        ("a+b%20c d", "/photos/a%2Bb%2520c%20d"),
        ("~'\"?#&=", "/photos/~%27%22%3F%23%26%3D"),
        ("u\u{308}/ü", "/photos/u%CC%88/%C3%BC"),
        ("\n\0", "/photos/%0A%00"),
    ] {
        server.expect(request("DELETE", path).answers(204));
        driver.delete_object(&Object::from_names("photos", name)).await.unwrap();
    }
}

#[tokio::test]
async fn get_object_cdn_url() {
    let driver = S3Driver::new(
        Config::new("AKIDEXAMPLE", "canary-secret")
            .region("eu-west-1")
            .option("token", "to/ken")
            .clock(ManualClock::at("2024-05-01T08:30:00Z".parse().unwrap())),
    )
    .unwrap();
    let url = driver.get_object_cdn_url(&cat()).await.unwrap();
    let (before, signature) = url.split_once("&X-Amz-Signature=").unwrap();
    assert_eq!(
        before,
        "https://photos.s3.eu-west-1.amazonaws.com/cat.jpg?X-Amz-Algorithm=AWS4-HMAC-SHA256\
         &X-Amz-Credential=AKIDEXAMPLE%2F20240501%2Feu-west-1%2Fs3%2Faws4_request&X-Amz-Date=20240501T083000Z\
         &X-Amz-Expires=86400&X-Amz-Security-Token=to%2Fken&X-Amz-SignedHeaders=host"
    );
    assert_eq!(signature.len(), 64);

    let expires = |options: GetObjectCdnUrl| async {
        let url = driver.get_object_cdn_url_with(&cat(), options).await?;
        let expires = url.split("X-Amz-Expires=").nth(1).unwrap().split('&').next().unwrap();
        Ok::<_, Error>((expires.to_owned(), url.split("Signature=").nth(1).unwrap().to_owned()))
    };
    let (seconds, get) = expires(GetObjectCdnUrl::new().expiry(Duration::from_secs(60))).await.unwrap();
    assert_eq!(seconds, "60");
    assert_eq!(expires(GetObjectCdnUrl::new().ex_arg("ex_expiry", 0.5)).await.unwrap().0, "1800");
    let put = GetObjectCdnUrl::new().expiry(Duration::from_secs(60)).ex_arg("ex_method", "PUT");
    assert_ne!(expires(put).await.unwrap().1, get);
    for (options, text) in [
        (GetObjectCdnUrl::new().expiry(Duration::from_secs(604_801)), "between 1 second and 7 days"),
        (GetObjectCdnUrl::new().ex_arg("ex_expiry", -1), "`ex_expiry`, -1 hours"),
        (GetObjectCdnUrl::new().ex_arg("ex_expiry", 1).expiry(Duration::from_secs(60)), "give one of them"),
        (GetObjectCdnUrl::new().ex_arg("ex_method", "POST"), "`ex_method` is `GET`"),
    ] {
        let error = expires(options).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        assert!(error.to_string().contains(text), "{error}");
    }
}

#[tokio::test]
async fn credentials_and_regions_are_told_apart_from_missing_objects() {
    let server = Mock::start();
    let driver = driver(&server);
    server.expect(request("HEAD", "/photos/cat.jpg").answers(403));
    let error = driver.get_object_with("photos", "cat.jpg", Options::new()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidCredentials);
}
