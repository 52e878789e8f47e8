//! Keys that the customer keeps, versions, and conditions of reading.

use libcloud_aws::s3::{S3CopyObject, S3GetObject};
use libcloud_common::{ErrorKind, Options};
use libcloud_storage::{StorageDriver as _, StreamObject};

use crate::*;

/// 32 bytes, in base64, and the digest of them.
const KEY: &str = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";
const KEY_MD5: &str = "KYvwGXoFFJ42a2u2GDWhwQ==";

fn with_key(request: ExpectedRequest, prefix: &str) -> ExpectedRequest {
    request
        .header(&format!("{prefix}-algorithm"), "AES256")
        .secret_header(&format!("{prefix}-key"), KEY)
        .header(&format!("{prefix}-key-md5"), KEY_MD5)
}

const OBJECT: &str = "x-amz-server-side-encryption-customer";
const SOURCE: &str = "x-amz-copy-source-server-side-encryption-customer";

fn arguments() -> S3GetObject {
    let mut arguments = S3GetObject::default();
    arguments.ex_customer_key = Some(KEY.into());
    arguments.ex_version_id = Some("v/1".into());
    arguments.ex_if_none_match = Some("tag".into());
    arguments
}

#[tokio::test]
async fn objects_are_read_with_a_key() {
    let server = Mock::start();
    let driver = driver(&server);
    let target = "/photos/cat.jpg?versionId=v%2F1";
    for method in ["HEAD", "GET"] {
        server.expect(
            with_key(Exchange::new(method, target).header("if-none-match", "\"tag\""), OBJECT)
                .no_header("x-amz-checksum-mode")
                .answers(200)
                .header("etag", format!("\"{MD5}\""))
                .header("content-length", "3")
                .header(&format!("{OBJECT}-algorithm"), "AES256")
                .body(if method == "GET" { "abc" } else { "" }),
        );
    }
    let object = driver.get_object_with("photos", "cat.jpg", Options::new().ex(&arguments())).await.unwrap();
    let options = StreamObject::new().ex(&arguments());
    let stream = driver.download_object_as_stream_with(&object, options).await.unwrap();
    // The tag of what is encrypted so is no digest.
    assert_eq!(stream.hash, None);
    assert_eq!(stream.read_all(3).await.unwrap(), "abc");
    assert!(!format!("{:?}", arguments()).contains(KEY));
}

#[tokio::test]
async fn what_has_not_changed_is_not_sent() {
    let server = Mock::start();
    let driver = driver(&server);
    for method in ["HEAD", "GET"] {
        server
            .expect(Exchange::new(method, "/photos/cat.jpg").header("if-none-match", "\"tag\"").answers(304));
    }
    let unless = |name: &str| Options::new().ex_arg(name, "\"tag\"");
    let error = driver.get_object_with("photos", "cat.jpg", unless("ex_if_none_match")).await.unwrap_err();
    assert_about(&error, ErrorKind::InvalidState, "object", "cat.jpg");
    let options = StreamObject::new().ex_arg("ex_if_none_match", "tag");
    let error = driver.download_object_as_stream_with(&cat(), options).await.unwrap_err();
    assert_about(&error, ErrorKind::InvalidState, "object", "cat.jpg");
    let error = driver.get_object_with("photos", "cat.jpg", unless("ex_if_match")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
}

#[tokio::test]
async fn a_key_that_is_none_is_not_sent() {
    let server = Mock::start();
    let options = Options::new().ex_arg("ex_customer_key", "canary");
    let error = driver(&server).get_object_with("photos", "cat.jpg", options).await.unwrap_err();
    assert_about(&error, ErrorKind::InvalidArgument, "argument", "ex_customer_key");
    assert!(!format!("{error:#}").contains("canary"));
}

#[tokio::test]
async fn a_copy_is_read_with_one_key_and_written_with_another() {
    let server = Mock::start();
    let request = Exchange::put("/photos/copy").header("x-amz-copy-source", "/photos/cat.jpg");
    server.expect(with_key(with_key(request, SOURCE), OBJECT).answers(200).body_file(fixture("CopyObject")));
    let mut arguments = S3CopyObject::default();
    arguments.ex_customer_key = Some(KEY.into());
    arguments.ex_source_customer_key = Some(KEY.into());
    let object = Object::new("cat.jpg", 3, &Arc::new(photos()));
    let options = Options::new().ex(&arguments);
    driver(&server).ex_copy_object(&object, &photos(), "copy", options).await.unwrap();
}

#[tokio::test]
async fn checksums_are_asked_for_where_they_are_known() {
    use libcloud_storage::{DownloadObject, HashType, StorageDriverExt as _};
    let server = Mock::start();
    let driver = S3Driver::new(config(server.url().as_str()).option("dialect", "minio")).unwrap();
    let get = |checksum: &str| {
        Exchange::get("/photos/cat.jpg")
            .header("x-amz-checksum-mode", "ENABLED")
            .answers(200)
            .header("etag", "\"0cc175b9c0f1b6a831c399e269772661-2\"")
            .header("x-amz-checksum-type", "FULL_OBJECT")
            .header("x-amz-checksum-crc32c", checksum)
            .body("123456789")
    };
    server.expect(get("4waSgw=="));
    let stream = driver.download_object_as_stream(&cat()).await.unwrap();
    assert_eq!(stream.hash, Some((HashType::Crc32c, "e3069283".to_owned())));
    drop(stream);
    let folder = tempfile::tempdir().unwrap();
    server.expect(get("4waSgw=="));
    driver.download_object(&cat(), &folder.path().join("a")).await.unwrap();
    server.expect(get("4waShw=="));
    let error = driver
        .download_object_with(&cat(), &folder.path().join("b"), DownloadObject::new())
        .await
        .unwrap_err();
    assert_about(&error, ErrorKind::HashMismatch, "object", "cat.jpg");
}
