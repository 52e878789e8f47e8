//! Content: up and down.

use futures_util::stream;
use libcloud_aws::s3::S3UploadObject;
use libcloud_common::{ErrorKind, Retry, digest};
use libcloud_storage::{
    DownloadObject, HashType, StorageDriver as _, StorageDriverExt as _, UploadBody, UploadObject,
};
use libcloud_testkit::Answer;

use crate::*;

/// An expected upload.
fn upload(path: &str, body: &str) -> ExpectedRequest {
    Exchange::put(path)
        .header("content-length", body.len().to_string())
        .header("x-amz-content-sha256", digest::sha256_hex(body))
        .body(body)
}

/// The answer to one: the digest of this.
fn stored(body: &str) -> Answer {
    Answer::new(200).header("etag", format!("\"{}\"", digest::md5_hex(body)))
}

#[tokio::test]
async fn upload_object_via_stream() {
    let server = Mock::start();
    server.expect(
        upload("/photos/2024/cat.jpg", "abc")
            .header("authorization", signed("content-type;", "", ""))
            .header("content-type", "image/jpeg")
            .no_header("x-amz-acl")
            .no_header("x-amz-storage-class")
            .no_header("if-none-match")
            .no_header("transfer-encoding")
            .answers(stored("abc"))
            .header("content-type", "application/xml")
            .header("x-amz-version-id", "3HL4kqtJlcpXrof3"),
    );
    let object =
        driver(&server).upload_object_via_stream("abc".into(), &photos(), "2024/cat.jpg").await.unwrap();
    insta::assert_json_snapshot!(object, @r#"
    {
      "name": "2024/cat.jpg",
      "size": 3,
      "hash": "900150983cd24fb0d6963f7d28e17f72",
      "container": {
        "name": "photos",
        "extra": {}
      },
      "content_type": "image/jpeg",
      "etag": "900150983cd24fb0d6963f7d28e17f72",
      "extra": {
        "content_type": "image/jpeg",
        "etag": "\"900150983cd24fb0d6963f7d28e17f72\"",
        "version_id": "3HL4kqtJlcpXrof3"
      },
      "meta_data": {}
    }
    "#);
    assert_eq!(digest::sha256_hex("abc"), SHA256);
}

#[tokio::test]
async fn upload_with_everything() {
    let server = Mock::start();
    server.expect(
        upload("/photos/cat.jpg", "abc")
            .header(
                "authorization",
                signed(
                    "cache-control;content-type;",
                    "if-none-match;x-amz-acl;",
                    ";x-amz-meta-author;x-amz-meta-title;x-amz-storage-class",
                ),
            )
            .header("cache-control", "no-store")
            .header("content-type", "image/x-cat")
            .header("if-none-match", "*")
            .header("x-amz-acl", "public-read")
            .header("x-amz-meta-author", "Ada")
            .header("x-amz-meta-title", "=?UTF-8?B?w7w=?=")
            .header("x-amz-storage-class", "STANDARD_IA")
            .answers(stored("abc")),
    );
    let mut arguments = S3UploadObject::default();
    arguments.ex_storage_class = Some("standard_ia".into());
    let options = UploadObject::new()
        .content_type("image/x-cat")
        .acl("public-read")
        .header("Cache-Control", "no-store")
        .meta_data("Author", "Ada")
        .meta_data("title", "ü")
        .only_if_absent()
        .ex(&arguments);
    let object = driver(&server)
        .upload_object_via_stream_with("abc".into(), &photos(), "cat.jpg", options)
        .await
        .unwrap();
    assert_eq!(object.meta_data["author"], "Ada");
    assert_eq!(object.content_type.as_deref(), Some("image/x-cat"));
}

#[tokio::test]
async fn an_empty_object_has_a_length() {
    let server = Mock::start();
    server.expect(upload("/photos/empty", "").answers(stored("")).times(2));
    for body in [UploadBody::from(""), UploadBody::new(stream::empty())] {
        let object = driver(&server).upload_object_via_stream(body, &photos(), "empty").await.unwrap();
        assert_eq!(object.size, 0);
    }
}

#[tokio::test]
async fn an_upload_that_arrives_wrong() {
    let server = Mock::start();
    server.expect(upload("/photos/cat.jpg", "abc").answers(400).body_file(fixture("Error.digest")));
    let error =
        driver(&server).upload_object_via_stream("abc".into(), &photos(), "cat.jpg").await.unwrap_err();
    assert_about(&error, ErrorKind::HashMismatch, "object", "cat.jpg");
    assert_eq!(error.operation(), Some("PutObject"));
}

#[tokio::test]
async fn an_upload_that_is_refused() {
    let server = Mock::start();
    let driver = driver(&server);
    let put =
        |status: u16, name: &str| upload("/photos/cat.jpg", "abc").answers(status).body_file(fixture(name));
    server.expect(put(412, "Error.precondition"));
    let options = UploadObject::new().only_if_absent();
    let error =
        driver.upload_object_via_stream_with("abc".into(), &photos(), "cat.jpg", options).await.unwrap_err();
    assert_about(&error, ErrorKind::AlreadyExists, "object", "cat.jpg");

    server.expect(put(503, "Error.slow-down").times(3));
    let error = driver.upload_object_via_stream("abc".into(), &photos(), "cat.jpg").await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::RateLimited, Retry::Exhausted));

    server.expect(put(403, "Error.signature"));
    let error = driver.upload_object_via_stream("abc".into(), &photos(), "cat.jpg").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidCredentials);
}

#[tokio::test]
async fn arguments_that_cannot_be_sent_are_refused_first() {
    let server = Mock::start();
    let (driver, photos) = (driver(&server), photos());
    for (options, text) in [
        (UploadObject::new().header("Host", "evil.example"), "`Host` is set by the driver"),
        (UploadObject::new().header("content-type", "a/b"), "(`content_type`)"),
        (UploadObject::new().header("a b", "c"), "the header `a b` cannot carry"),
        (UploadObject::new().acl("a\nb"), "the header `x-amz-acl` cannot carry"),
        (UploadObject::new().meta_data("a b", "c"), "the key `a b` cannot be sent"),
        (UploadObject::new().ex_arg("ex_storage_class", "glacer"), "did you mean `GLACIER`?"),
        (UploadObject::new().ex_arg("ex_storage", "glacier"), "it takes `ex_storage_class`"),
    ] {
        let sent = driver.upload_object_via_stream_with("abc".into(), &photos, "cat.jpg", options);
        let error = sent.await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
        assert!(error.to_string().contains(text), "{error}");
    }
}

fn content(status: u16, body: &'static str) -> Exchange {
    let answer = Answer::new(status).header("etag", format!("\"{MD5}\"")).body(body);
    request("GET", "/photos/cat.jpg").no_header("range").answers(answer)
}

#[tokio::test]
async fn download_object_as_stream() {
    let server = Mock::start();
    server.expect(content(200, "abc"));
    let stream = driver(&server).download_object_as_stream(&cat()).await.unwrap();
    assert_eq!(stream.size, Some(3));
    assert_eq!(stream.hash, Some((HashType::Md5, MD5.to_owned())));
    assert_eq!(stream.headers["etag"], format!("\"{MD5}\""));
    assert_eq!(stream.read_all(3).await.unwrap(), "abc");
}

#[tokio::test]
async fn download_object_is_compared_with_the_entity_tag() {
    let server = Mock::start();
    server.expect(content(200, "abd"));
    let folder = tempfile::tempdir().unwrap();
    let error =
        driver(&server).download_object_with(&cat(), folder.path(), DownloadObject::new()).await.unwrap_err();
    assert_about(&error, ErrorKind::HashMismatch, "object", "cat.jpg");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn ranges() {
    let server = Mock::start();
    let driver = driver(&server);
    let range = |header: &str, status: u16, body: &'static str| {
        Exchange::get("/photos/cat.jpg")
            .header("authorization", signed("", "range;", ""))
            .header("range", header)
            .answers(status)
            .header("etag", format!("\"{MD5}\""))
            .body(body)
    };
    server.expect(range("bytes=1-1", 206, "b"));
    let stream = driver.download_object_range_as_stream(&cat(), 1, Some(2)).await.unwrap();
    assert_eq!((stream.size, &stream.hash), (Some(1), &None));
    assert_eq!(stream.read_all(3).await.unwrap(), "b");

    server.expect(range("bytes=9-", 416, "").body_file(fixture("Error.range")));
    let error = driver.download_object_range_as_stream(&cat(), 9, None).await.unwrap_err();
    assert_about(&error, ErrorKind::InvalidArgument, "object", "cat.jpg");

    server.expect(range("bytes=2-", 200, "abc"));
    let error = driver.download_object_range_as_stream(&cat(), 2, None).await.unwrap_err();
    assert_about(&error, ErrorKind::MalformedResponse, "object", "cat.jpg");
}

#[tokio::test]
async fn download_object_that_is_missing() {
    for (name, resource, id) in
        [("Error.no-key", "object", "cat.jpg"), ("Error.no-bucket", "container", "photos")]
    {
        let server = Mock::start();
        refuse(&server, "GET", "/photos/cat.jpg", 404, name);
        let error = driver(&server).download_object_as_stream(&cat()).await.unwrap_err();
        assert_about(&error, ErrorKind::NotFound, resource, id);
        assert_eq!(error.request_id(), Some("4442587FB7D0A2F9"));
    }
}

/// What goes in one request is read first, so that S3 hears nothing of it.
#[tokio::test]
async fn a_file_that_changes_before_it_is_sent_is_not_sent() {
    let file = tempfile::NamedTempFile::new().unwrap();
    for size in [400_000, 800_000] {
        file.as_file().set_len(600_000).unwrap();
        let body = UploadBody::from_file(file.path()).await.unwrap();
        file.as_file().set_len(size).unwrap();
        let server = Mock::start();
        let sent = driver(&server).upload_object_via_stream(body, &photos(), "a").await;
        let error = sent.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::HashMismatch | ErrorKind::Io), "{error:#}");
    }
}
