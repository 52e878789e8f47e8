//! Content: up and down.

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use libcloud_aws::s3::S3UploadObject;
use libcloud_common::{ErrorKind, Retry, digest, sign::v4::UNSIGNED_PAYLOAD};
use libcloud_storage::{
    DownloadObject, HashType, StorageDriver as _, StorageDriverExt as _, UploadBody, UploadObject,
};
use mockito::{Matcher, Server};

use crate::*;

/// An expected upload; its answer tells the digest.
fn upload(server: &mut ServerGuard, path: &str, body: &str) -> Mock {
    upload_with_etag(server, path, body, &digest::md5_hex(body))
}

fn upload_with_etag(server: &mut ServerGuard, path: &str, body: &str, etag: &str) -> Mock {
    server
        .mock("PUT", path)
        .match_header("content-length", body.len().to_string().as_str())
        .match_header("x-amz-content-sha256", digest::sha256_hex(body).as_str())
        .match_body(body)
        .with_header("etag", &format!("\"{etag}\""))
        .expect(1)
}

#[tokio::test]
async fn upload_object_via_stream() {
    let mut server = Server::new_async().await;
    let mock = upload(&mut server, "/photos/2024/cat.jpg", "abc")
        .match_header("authorization", signed("content-type;", "", ""))
        .match_header("content-type", "image/jpeg")
        .match_header("x-amz-acl", Matcher::Missing)
        .match_header("x-amz-storage-class", Matcher::Missing)
        .match_header("if-none-match", Matcher::Missing)
        .match_header("transfer-encoding", Matcher::Missing)
        .with_header("content-type", "application/xml")
        .with_header("x-amz-version-id", "3HL4kqtJlcpXrof3")
        .create_async()
        .await;
    let object =
        driver(&server).upload_object_via_stream("abc".into(), &photos(), "2024/cat.jpg").await.unwrap();
    mock.assert_async().await;
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
    let mut server = Server::new_async().await;
    let mock = upload(&mut server, "/photos/cat.jpg", "abc")
        .match_header(
            "authorization",
            signed(
                "cache-control;content-type;",
                "if-none-match;x-amz-acl;",
                ";x-amz-meta-author;x-amz-meta-title;x-amz-storage-class",
            ),
        )
        .match_header("cache-control", "no-store")
        .match_header("content-type", "image/x-cat")
        .match_header("if-none-match", "*")
        .match_header("x-amz-acl", "public-read")
        .match_header("x-amz-meta-author", "Ada")
        .match_header("x-amz-meta-title", "=?UTF-8?B?w7w=?=")
        .match_header("x-amz-storage-class", "STANDARD_IA")
        .create_async()
        .await;
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
    mock.assert_async().await;
    assert_eq!(object.meta_data["author"], "Ada");
    assert_eq!(object.content_type.as_deref(), Some("image/x-cat"));
}

#[tokio::test]
async fn an_empty_object_has_a_length() {
    let mut server = Server::new_async().await;
    let mock = upload(&mut server, "/photos/empty", "").expect(2).create_async().await;
    for body in [UploadBody::from(""), UploadBody::new(stream::empty())] {
        let object = driver(&server).upload_object_via_stream(body, &photos(), "empty").await.unwrap();
        assert_eq!(object.size, 0);
    }
    mock.assert_async().await;
}

#[tokio::test]
async fn what_is_large_is_sent_as_it_comes() {
    let mut server = Server::new_async().await;
    let piece = Bytes::from(vec![b'x'; 1 << 20]);
    let all = "x".repeat(9 << 20);
    let mock = server
        .mock("PUT", "/photos/large")
        .match_header("authorization", signed("content-type;", "", ""))
        .match_header("content-length", all.len().to_string().as_str())
        .match_header("x-amz-content-sha256", UNSIGNED_PAYLOAD)
        .match_body(all.as_str())
        .with_header("etag", &format!("\"{}\"", digest::md5_hex(&all)))
        .expect(2)
        .create_async()
        .await;
    let pieces = || stream::iter(vec![piece.clone(); 9]).map(Ok);
    for body in [UploadBody::with_length(pieces(), all.len() as u64), UploadBody::new(pieces())] {
        let object = driver(&server).upload_object_via_stream(body, &photos(), "large").await.unwrap();
        assert_eq!(object.size, all.len() as u64);
    }
    mock.assert_async().await;
}

#[tokio::test]
async fn an_upload_is_compared_with_the_entity_tag() {
    let mut server = Server::new_async().await;
    let other = digest::md5_hex("abd");
    let mock = upload_with_etag(&mut server, "/photos/cat.jpg", "abc", &other).expect(2);
    let mock = mock.create_async().await;
    let driver = driver(&server);
    let error = driver.upload_object_via_stream("abc".into(), &photos(), "cat.jpg").await.unwrap_err();
    assert_about(&error, ErrorKind::HashMismatch, "object", "cat.jpg");
    assert_eq!(error.operation(), Some("PutObject"));
    let options = UploadObject::new().skip_hash();
    let upload_anyway =
        driver.upload_object_via_stream_with("abc".into(), &photos(), "cat.jpg", options).await;
    assert_eq!(upload_anyway.unwrap().hash.as_ref(), Some(&other));
    mock.assert_async().await;
    mock.remove_async().await;

    // That of an object under a key of the key service is no digest.
    upload_with_etag(&mut server, "/photos/cat.jpg", "abc", &other)
        .with_header("x-amz-server-side-encryption", "aws:kms")
        .create_async()
        .await;
    driver.upload_object_via_stream("abc".into(), &photos(), "cat.jpg").await.unwrap();
}

#[tokio::test]
async fn an_upload_that_is_refused() {
    let mut server = Server::new_async().await;
    let driver = driver(&server);
    let put = |mock: Mock, status, name: &str| mock.with_status(status).with_body_from_file(fixture(name));
    let mock = upload(&mut server, "/photos/cat.jpg", "abc");
    let mock = put(mock, 412, "Error.precondition").create_async().await;
    let options = UploadObject::new().only_if_absent();
    let error =
        driver.upload_object_via_stream_with("abc".into(), &photos(), "cat.jpg", options).await.unwrap_err();
    assert_about(&error, ErrorKind::AlreadyExists, "object", "cat.jpg");
    mock.remove_async().await;

    let mock = upload(&mut server, "/photos/cat.jpg", "abc").expect(3);
    let mock = put(mock, 503, "Error.slow-down").create_async().await;
    let error = driver.upload_object_via_stream("abc".into(), &photos(), "cat.jpg").await.unwrap_err();
    mock.assert_async().await;
    assert_eq!((error.kind(), error.retry()), (ErrorKind::RateLimited, Retry::Exhausted));
    mock.remove_async().await;

    let mock = upload(&mut server, "/photos/cat.jpg", "abc");
    put(mock, 403, "Error.signature").create_async().await;
    let error = driver.upload_object_via_stream("abc".into(), &photos(), "cat.jpg").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidCredentials);
}

#[tokio::test]
async fn arguments_that_cannot_be_sent_are_refused_first() {
    let server = Server::new_async().await;
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

fn content(server: &mut ServerGuard, status: usize, body: &str) -> Mock {
    request(server, "GET", "/photos/cat.jpg")
        .match_header("range", Matcher::Missing)
        .with_status(status)
        .with_header("etag", &format!("\"{MD5}\""))
        .with_body(body)
}

#[tokio::test]
async fn download_object_as_stream() {
    let mut server = Server::new_async().await;
    let mock = content(&mut server, 200, "abc").create_async().await;
    let stream = driver(&server).download_object_as_stream(&cat()).await.unwrap();
    mock.assert_async().await;
    assert_eq!(stream.size, Some(3));
    assert_eq!(stream.hash, Some((HashType::Md5, MD5.to_owned())));
    assert_eq!(stream.headers["etag"], format!("\"{MD5}\""));
    assert_eq!(stream.read_all(3).await.unwrap(), "abc");
}

#[tokio::test]
async fn download_object_is_compared_with_the_entity_tag() {
    let mut server = Server::new_async().await;
    content(&mut server, 200, "abd").create_async().await;
    let folder = tempfile::tempdir().unwrap();
    let error =
        driver(&server).download_object_with(&cat(), folder.path(), DownloadObject::new()).await.unwrap_err();
    assert_about(&error, ErrorKind::HashMismatch, "object", "cat.jpg");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn ranges() {
    let mut server = Server::new_async().await;
    let driver = driver(&server);
    let range = |server: &mut ServerGuard, header: &str, status, body: &str| {
        server
            .mock("GET", "/photos/cat.jpg")
            .match_header("authorization", signed("", "range;", ""))
            .match_header("range", header)
            .with_status(status)
            .with_header("etag", &format!("\"{MD5}\""))
            .with_body(body)
    };
    range(&mut server, "bytes=1-1", 206, "b").create_async().await;
    let stream = driver.download_object_range_as_stream(&cat(), 1, Some(2)).await.unwrap();
    assert_eq!((stream.size, &stream.hash), (Some(1), &None));
    assert_eq!(stream.read_all(3).await.unwrap(), "b");

    range(&mut server, "bytes=9-", 416, "").with_body_from_file(fixture("Error.range")).create_async().await;
    let error = driver.download_object_range_as_stream(&cat(), 9, None).await.unwrap_err();
    assert_about(&error, ErrorKind::InvalidArgument, "object", "cat.jpg");

    range(&mut server, "bytes=2-", 200, "abc").create_async().await;
    let error = driver.download_object_range_as_stream(&cat(), 2, None).await.unwrap_err();
    assert_about(&error, ErrorKind::MalformedResponse, "object", "cat.jpg");
}

#[tokio::test]
async fn download_object_that_is_missing() {
    for (name, resource, id) in
        [("Error.no-key", "object", "cat.jpg"), ("Error.no-bucket", "container", "photos")]
    {
        let mut server = Server::new_async().await;
        refuse(&mut server, "GET", "/photos/cat.jpg", 404, name).await;
        let error = driver(&server).download_object_as_stream(&cat()).await.unwrap_err();
        assert_about(&error, ErrorKind::NotFound, resource, id);
        assert_eq!(error.request_id(), Some("4442587FB7D0A2F9"));
    }
}
