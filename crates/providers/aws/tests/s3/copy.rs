//! Objects copied within the service.

use libcloud_aws::s3::S3CopyObject;
use libcloud_common::{ErrorKind, Options, Result};

use crate::*;

const GIB: u64 = 1 << 30;

/// The copy of a cat, as it is sent.
fn copy(path: &str) -> ExpectedRequest {
    Exchange::put(path)
        .header("x-amz-copy-source", "/photos/2024/cat%20%2B.jpg")
        .header("content-length", "0")
}

fn original(size: u64) -> Object {
    Object::new("2024/cat +.jpg", size, &Arc::new(photos()))
}

async fn copied(driver: &S3Driver, size: u64, arguments: &S3CopyObject) -> Result<Object> {
    let options = Options::new().ex(arguments);
    driver.ex_copy_object(&original(size), &Container::new("backup"), "cat.jpg", options).await
}

fn head(size: u64) -> Exchange {
    Exchange::head("/photos/2024/cat%20%2B.jpg")
        .answers(200)
        .header("content-length", size.to_string())
        .header("content-type", "image/jpeg")
        .header("cache-control", "no-store")
        .header("etag", "\"0cc175b9c0f1b6a831c399e269772661-2\"")
        .header("x-amz-meta-author", "Ada")
}

#[tokio::test]
async fn an_object_is_copied_by_one_request() {
    let server = Mock::start();
    server.expect(
        copy("/backup/cat.jpg")
            .no_header("x-amz-metadata-directive")
            .no_header("content-type")
            .answers(200)
            .body_file(fixture("CopyObject")),
    );
    let object = copied(&driver(&server), 3, &S3CopyObject::default()).await.unwrap();
    insta::assert_json_snapshot!(object, @r#"
    {
      "name": "cat.jpg",
      "size": 3,
      "hash": "900150983cd24fb0d6963f7d28e17f72",
      "container": {
        "name": "backup",
        "extra": {}
      },
      "last_modified": "2024-05-01T08:30:01Z",
      "etag": "900150983cd24fb0d6963f7d28e17f72",
      "extra": {},
      "meta_data": {}
    }
    "#);
}

#[tokio::test]
async fn a_copy_can_be_another() {
    let server = Mock::start();
    server.expect(
        Exchange::put("/backup/cat.jpg")
            .header("x-amz-copy-source", "/photos/2024/cat%20%2B.jpg?versionId=v%2F1")
            .header("x-amz-copy-source-if-match", "\"tag\"")
            .header("x-amz-copy-source-if-none-match", "\"other\"")
            .header("x-amz-metadata-directive", "REPLACE")
            .header("content-type", "image/jpeg")
            .header("cache-control", "no-store")
            .header("x-amz-meta-author", "Ada")
            .header("x-amz-acl", "public-read")
            .header("x-amz-storage-class", "STANDARD_IA")
            .header("x-amz-server-side-encryption", "aws:kms")
            .header("x-amz-server-side-encryption-aws-kms-key-id", "key-1")
            .answers(200)
            .body_file(fixture("CopyObject")),
    );
    let mut arguments = S3CopyObject::default();
    arguments.ex_version_id = Some("v/1".into());
    arguments.ex_if_match = Some("\"tag\"".into());
    arguments.ex_if_none_match = Some("other".into());
    arguments.ex_meta_data = Some([("Author".to_owned(), "Ada".to_owned())].into());
    arguments.ex_headers = [("Cache-Control".to_owned(), "no-store".to_owned())].into();
    arguments.ex_acl = Some("public-read".into());
    arguments.ex_storage_class = Some("standard_ia".into());
    arguments.ex_server_side_encryption = Some("aws:kms".into());
    arguments.ex_kms_key_id = Some("key-1".into());
    copied(&driver(&server), 3, &arguments).await.unwrap();
}

#[tokio::test]
async fn the_size_is_asked_for_where_it_is_not_known() {
    let server = Mock::start();
    server.expect(head(3));
    server.expect(copy("/backup/cat.jpg").answers(200).body_file(fixture("CopyObject")));
    let arguments = json!({"obj": "photos/2024/cat +.jpg", "container": "backup", "object_name": "cat.jpg"});
    let object = dynamic(&server).call("ex_copy_object", arguments).await.unwrap();
    assert_eq!(object["size"], 3);
}

#[tokio::test]
async fn errors_with_the_status_of_success_are_found() {
    let server = Mock::start();
    let failed = || copy("/backup/cat.jpg").answers(200).body_file(fixture("CopyObject.error"));
    // It is tried again.
    server.expect(failed());
    server.expect(copy("/backup/cat.jpg").answers(200).body_file(fixture("CopyObject")));
    let driver = driver(&server);
    copied(&driver, 3, &S3CopyObject::default()).await.unwrap();
    server.expect(failed().times(3));
    let error = copied(&driver, 3, &S3CopyObject::default()).await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::Provider, Some("InternalError")));
    assert_eq!(error.operation(), Some("CopyObject"));
    server.expect(copy("/backup/cat.jpg").answers(412).body_file(fixture("Error.precondition")));
    let error = copied(&driver, 3, &S3CopyObject::default()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidState);
}

const UPLOAD: &str = "uploadId=up%2Fload%2B1";

fn begin() -> Exchange {
    Exchange::post("/backup/cat.jpg?uploads=")
        .header("content-type", "image/jpeg")
        .header("cache-control", "no-store")
        .header("x-amz-meta-author", "Ada")
        .answers(200)
        .body_file(fixture("CreateMultipartUpload"))
}

fn part(number: u32, range: &str) -> ExpectedRequest {
    copy(&format!("/backup/cat.jpg?partNumber={number}&{UPLOAD}"))
        .header("x-amz-copy-source-if-match", "\"0cc175b9c0f1b6a831c399e269772661-2\"")
        .header("x-amz-copy-source-range", range)
}

fn parts() -> Vec<ExpectedRequest> {
    vec![
        part(1, "bytes=0-1073741823"),
        part(2, "bytes=1073741824-2147483647"),
        part(3, "bytes=2147483648-3221225471"),
        part(4, "bytes=3221225472-4294967295"),
        part(5, "bytes=4294967296-5368709119"),
        part(6, "bytes=5368709120-5368709120"),
    ]
}

#[tokio::test]
async fn what_is_too_large_is_copied_in_parts_of_one_version() {
    let server = Mock::start();
    server.expect(head(5 * GIB + 1));
    server.expect(begin());
    server.expect_in_any_order(
        parts().into_iter().map(|part| part.answers(200).body_file(fixture("UploadPartCopy"))),
    );
    let part = |number: u32| {
        format!(
            "<Part><PartNumber>{number}</PartNumber><ETag>\"0cc175b9c0f1b6a831c399e269772661\"</ETag></Part>"
        )
    };
    server.expect(
        Exchange::post(format!("/backup/cat.jpg?{UPLOAD}"))
            .body(format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
                 <CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">{}\
                 </CompleteMultipartUpload>",
                (1..=6).map(part).collect::<String>()
            ))
            .answers(200)
            .body_file(fixture("CompleteMultipartUpload")),
    );
    let object = copied(&driver(&server), 6 * GIB, &S3CopyObject::default()).await.unwrap();
    assert_eq!(object.size, 5 * GIB + 1);
    assert_eq!(object.etag.as_deref(), Some("0e6c1d6a5f5b0f0c1d6a5f5b0f0c1d6a-2"));
}

#[tokio::test]
async fn a_tag_that_is_not_told_is_asked_for() {
    let server = Mock::start();
    server.expect(head(5 * GIB + 1));
    server.expect(begin());
    server.expect_in_any_order(
        parts().into_iter().map(|part| part.answers(200).body_file(fixture("UploadPartCopy"))),
    );
    server.expect(
        Exchange::post(format!("/backup/cat.jpg?{UPLOAD}"))
            .any_body()
            .answers(200)
            .body_file(fixture("CompleteMultipartUpload.no-tag")),
    );
    server.expect(Exchange::head("/backup/cat.jpg").answers(200).header("etag", "\"0e6c-6\""));
    let object = copied(&driver(&server), 6 * GIB, &S3CopyObject::default()).await.unwrap();
    assert_eq!(object.etag.as_deref(), Some("0e6c-6"));
}

#[tokio::test]
async fn parts_of_a_copy_that_failed_are_thrown_away() {
    let server = Mock::start();
    server.expect(head(5 * GIB + 1));
    server.expect(begin());
    let [one, two, three, four, five, six]: [ExpectedRequest; 6] = parts().try_into().ok().unwrap();
    server.expect_in_any_order(
        [one, two, three, four, five, six].map(|part| part.answers(200).body_file(fixture("UploadPartCopy"))),
    );
    server.expect(
        Exchange::post(format!("/backup/cat.jpg?{UPLOAD}"))
            .any_body()
            .answers(200)
            .body_file(fixture("CompleteMultipartUpload.error")),
    );
    server.expect(Exchange::delete(format!("/backup/cat.jpg?{UPLOAD}")).answers(204));
    let error = copied(&driver(&server), 6 * GIB, &S3CopyObject::default()).await.unwrap_err();
    assert_eq!((error.operation(), error.code()), (Some("CompleteMultipartUpload"), Some("InvalidPart")));
}

#[tokio::test]
async fn an_upload_that_could_not_be_thrown_away_is_named() {
    let server = Mock::start();
    server.expect(head(5 * GIB + 1));
    server.expect(begin());
    server.expect_in_any_order(
        parts().into_iter().map(|part| part.answers(200).body_file(fixture("UploadPartCopy"))),
    );
    server.expect(
        Exchange::post(format!("/backup/cat.jpg?{UPLOAD}"))
            .any_body()
            .answers(200)
            .body_file(fixture("CompleteMultipartUpload.error")),
    );
    server.expect(
        Exchange::delete(format!("/backup/cat.jpg?{UPLOAD}")).answers(403).body_file(fixture("Error.denied")),
    );
    // Once more by whatever is left of the copy.
    server.expect(Exchange::delete(format!("/backup/cat.jpg?{UPLOAD}")).answers(204));
    let error = copied(&driver(&server), 6 * GIB, &S3CopyObject::default()).await.unwrap_err();
    assert!(error.to_string().contains("could not be thrown away (upload `up/load+1`)"), "{error}");
    libcloud_common::cleanup::settled().await;
}

#[tokio::test]
async fn what_cannot_be_is_refused_first() {
    let server = Mock::start();
    let driver = driver(&server);
    let mut arguments = S3CopyObject::default();
    arguments.ex_headers = [("x-amz-copy-source".to_owned(), "/other/secret".to_owned())].into();
    let error = copied(&driver, 3, &arguments).await.unwrap_err();
    assert_about(&error, ErrorKind::InvalidArgument, "argument", "ex_headers");
    let options = Options::new().ex_arg("ex_if_matches", "x");
    let to = Container::new("backup");
    let error = driver.ex_copy_object(&original(3), &to, "cat.jpg", options).await.unwrap_err();
    assert!(error.to_string().contains("did you mean `ex_if_match`?"), "{error}");
    let error = driver.ex_copy_object(&original(3), &to, "", Options::new()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidName);
}
