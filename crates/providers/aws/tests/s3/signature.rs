//! The older signature, and the dialect of those who ask for it.

use libcloud_storage::{GetObjectCdnUrl, StorageDriver as _, StorageDriverExt as _, UploadObject};
use std::time::Duration;

use crate::*;

/// Signed by SHA-1, at this time, and with nothing of the newer signature.
fn old(method: &str, target: &str) -> ExpectedRequest {
    Exchange::new(method, target)
        .header("date", "Wed, 01 May 2024 08:30:00 GMT")
        .no_header("x-amz-date")
        .no_header("x-amz-content-sha256")
}

fn old_driver(server: &Mock) -> S3Driver {
    S3Driver::new(config(server.url().as_str()).option("signature_version", 2)).unwrap()
}

#[tokio::test]
async fn requests_are_signed() {
    let server = Mock::start();
    let driver = old_driver(&server);
    // The values are what `openssl dgst -sha1 -hmac canary-secret -binary | base64` makes of the documented texts.
    server.expect(
        old("GET", "/")
            .header("authorization", "AWS AKIDEXAMPLE:0grcibKP+4s/CluSvZulE1WS11s=")
            .answers(200)
            .body_file(fixture("ListBuckets.empty")),
    );
    driver.list_containers().await.unwrap();
    server.expect(
        old("DELETE", "/photos/a%20b")
            .header("authorization", "AWS AKIDEXAMPLE:b2pBb8MCUJxP7PGQe0muB9xu8PA=")
            .answers(204),
    );
    driver.delete_object(&Object::from_names("photos", "a b")).await.unwrap();
    server.expect(
        old("PUT", "/photos/cat.jpg")
            .header("authorization", "AWS AKIDEXAMPLE:gWjZyUarGMPPC4Q/6UVikUwYGx8=")
            // This signature says nothing of the content.
            .header("content-md5", "kAFQmDzST7DWlj99KOF/cg==")
            .header("content-type", "image/jpeg")
            .body("abc")
            .answers(200)
            .header("etag", format!("\"{MD5}\"")),
    );
    driver.upload_object_via_stream("abc".into(), &photos(), "cat.jpg").await.unwrap();
    assert!(!format!("{driver:?}").contains("canary"));
}

#[tokio::test]
async fn a_token_is_a_header() {
    let server = Mock::start();
    server.expect(
        old("HEAD", "/photos")
            .secret_header("x-amz-security-token", "canary-token")
            .header("authorization", "AWS AKIDEXAMPLE:zh0lqnRRWJFmeA2UK4BuVK7QCRs=")
            .answers(200),
    );
    let config = config(server.url().as_str()).option("signature_version", 2).option("token", "canary-token");
    S3Driver::new(config).unwrap().get_container("photos").await.unwrap();
}

#[tokio::test]
async fn a_container_in_the_host_is_part_of_what_is_signed() {
    let config = || {
        Config::new("AKIDEXAMPLE", "canary-secret")
            .option("signature_version", "2")
            .clock(ManualClock::at("2024-05-01T08:30:00Z".parse().unwrap()))
    };
    let url = |config: Config| async {
        let driver = S3Driver::new(config).unwrap();
        let options = GetObjectCdnUrl::new().expiry(Duration::from_secs(60));
        driver.get_object_cdn_url_with(&cat(), options).await.unwrap()
    };
    let query = "?AWSAccessKeyId=AKIDEXAMPLE&Expires=1714552260&Signature=NZ%2FrQFKR4y99zYnW5FKVHqmj%2BvY%3D";
    assert_eq!(url(config()).await, format!("https://photos.s3.us-east-1.amazonaws.com/cat.jpg{query}"));
    assert_eq!(
        url(config().option("path_style", true)).await,
        format!("https://s3.us-east-1.amazonaws.com/photos/cat.jpg{query}")
    );
}

#[tokio::test]
async fn content_that_is_not_signed_has_a_checksum() {
    let unsigned = |dialect: &str| {
        let server = Mock::start();
        let config =
            config(server.url().as_str()).option("payload_signing", false).option("dialect", dialect);
        (S3Driver::new(config).unwrap(), server)
    };
    let put = || {
        Exchange::put("/photos/cat.jpg").header("x-amz-content-sha256", "UNSIGNED-PAYLOAD").body("123456789")
    };
    let stored = |request: ExpectedRequest| request.answers(200).header("etag", format!("\"{MD5}\""));
    for (dialect, header, other, digest) in [
        ("minio", "x-amz-checksum-crc64nvme", "content-md5", "rosUhgp5mIg="),
        ("compatible", "content-md5", "x-amz-checksum-crc64nvme", "JfnnlDI7RTiF9RgfG2JNCw=="),
    ] {
        let (driver, server) = unsigned(dialect);
        server.expect(stored(put().header(header, digest).no_header(other)));
        driver.upload_object_via_stream("123456789".into(), &photos(), "cat.jpg").await.unwrap();
        server.expect(stored(put().no_header(header).no_header(other)));
        let options = UploadObject::new().skip_hash();
        driver
            .upload_object_via_stream_with("123456789".into(), &photos(), "cat.jpg", options)
            .await
            .unwrap();
    }
}
