//! Content on its way, in both directions.

use bytes::Bytes;
use futures_util::{TryStreamExt as _, stream};
use libcloud_common::digest::md5_base64;
use libcloud_common::{ErrorKind, Retry};
use libcloud_storage::{
    ByteRange, HashType, StorageDriver as _, StorageDriverExt as _, StreamObject, UploadBody, UploadObject,
};

use crate::*;

const MIB: usize = 1 << 20;

fn upload(content: &str) -> ExpectedRequest {
    request("PUT", "/photos/cat.jpg")
        .header("content-length", content.len().to_string())
        .header("content-md5", md5_base64(content))
        .header("x-ms-blob-type", "BlockBlob")
        .body(content)
}

fn stored(content: &str) -> Answer {
    Answer::new(201)
        .header("content-md5", md5_base64(content))
        .header("etag", "\"0x8DC39D8F1A2B3C4\"")
        .header("last-modified", "Fri, 01 Mar 2024 10:20:30 GMT")
}

#[tokio::test]
async fn what_is_small_is_sent_in_one_request() {
    let server = Mock::start();
    server.expect(upload("abc").header("content-type", "image/jpeg").answers(stored("abc")));
    let mut object =
        driver(&server).upload_object_via_stream("abc".into(), &photos(), "cat.jpg").await.unwrap();
    object.extra.remove("url").unwrap();
    assert_eq!(
        as_json(&object),
        json!({
          "name": "cat.jpg",
          "size": 3,
          "hash": "0x8DC39D8F1A2B3C4",
          "container": {
            "name": "photos",
            "extra": {}
          },
          "content_type": "image/jpeg",
          "last_modified": "2024-03-01T10:20:30Z",
          "etag": "0x8DC39D8F1A2B3C4",
          "extra": {
            "etag": "0x8DC39D8F1A2B3C4",
            "md5_hash": "900150983cd24fb0d6963f7d28e17f72",
            "content_type": "image/jpeg",
            "last_modified": "2024-03-01T10:20:30Z",
            "lease": {
              "status": null,
              "state": null,
              "duration": null
            },
            "blob_type": "BlockBlob"
          },
          "meta_data": {}
        })
    );
}

#[tokio::test]
async fn upload_with_everything() {
    let server = Mock::start();
    server.expect(
        upload("abc")
            .header("content-type", "image/x-cat")
            .header("if-none-match", "*")
            .header("x-ms-access-tier", "Cool")
            .header("x-ms-meta-author", "Ada")
            .header("x-ms-meta-title", "=?UTF-8?B?w7w=?=")
            .answers(stored("abc")),
    );
    let options = UploadObject::new()
        .content_type("image/x-cat")
        .header("x-ms-access-tier", "Cool")
        .meta_data("Author", "Ada")
        .meta_data("title", "ü")
        .only_if_absent();
    let driver = driver(&server);
    let body = UploadBody::new(stream::iter([Ok(Bytes::from("a")), Ok(Bytes::from("bc"))]));
    let object = driver.upload_object_via_stream_with(body, &photos(), "cat.jpg", options).await.unwrap();
    assert_eq!((object.size, object.meta_data["author"].as_str()), (3, "Ada"));

    server.expect(upload("").answers(stored("")).times(2));
    for body in [UploadBody::from(""), UploadBody::new(stream::empty())] {
        assert_eq!(driver.upload_object_via_stream(body, &photos(), "cat.jpg").await.unwrap().size, 0);
    }
    // Nothing is compared, so nothing is computed.
    let plain = request("PUT", "/photos/cat.jpg").no_header("content-md5").body("abc");
    server.expect(plain.answers(stored("other")));
    let options = UploadObject::new().skip_hash();
    driver.upload_object_via_stream_with("abc".into(), &photos(), "cat.jpg", options).await.unwrap();
}

/// The ids of blocks are random; the same on each of a test's requests.
const ID: &str = "[0-9A-Za-z%]+";

fn block(content: &str) -> Exchange {
    Exchange::new("PUT", "/photos/cat.jpg")
        .query(matching(&format!("comp=block&blockid={ID}")))
        .header("content-md5", md5_base64(content))
        .header("content-length", content.len().to_string())
        .no_header("x-ms-blob-type")
        .body(content)
        .answers(Answer::new(201).header("content-md5", md5_base64(content)))
}

fn block_list(blocks: usize, all: &str) -> ExpectedRequest {
    let leaf = "<Latest>[0-9A-Za-z+/=]{32}</Latest>";
    request("PUT", "/photos/cat.jpg?comp=blocklist")
        .header("content-type", "application/xml")
        .header("x-ms-blob-content-type", "image/jpeg")
        .header("x-ms-blob-content-md5", md5_base64(all))
        .header("x-ms-meta-author", "Ada")
        .body(matching(&format!("<\\?xml [^>]*\\?>\n<BlockList>({leaf}){{{blocks}}}</BlockList>")))
}

#[tokio::test]
async fn what_is_large_is_sent_in_blocks() {
    let server = Mock::start();
    let parts = ["x".repeat(4 * MIB), "y".repeat(4 * MIB), "z".to_owned()];
    let all = parts.concat();
    let pieces = || {
        let all = Bytes::from(all.clone());
        // Pieces of another size than the blocks.
        stream::iter(
            (0..all.len()).step_by(3 * MIB).map(move |at| Ok(all.slice(at..all.len().min(at + 3 * MIB)))),
        )
    };
    for body in [UploadBody::with_length(pieces(), all.len() as u64), UploadBody::new(pieces())] {
        // They are on their way at the same time.
        server.expect_in_any_order(parts.iter().map(|part| block(part)));
        server.expect(block_list(3, &all).answers(
            Answer::new(201).header("etag", "\"0x8DC39D8F1A2B3C4\"").header("content-md5", "of+the+list"),
        ));
        let options = UploadObject::new().meta_data("author", "Ada");
        let object =
            driver(&server).upload_object_via_stream_with(body, &photos(), "cat.jpg", options).await.unwrap();
        assert_eq!((object.size, object.hash.as_deref()), (all.len() as u64, Some("0x8DC39D8F1A2B3C4")));
        assert!(!object.extra.contains_key("md5_hash"));
    }
}

fn leased(action: &str) -> ExpectedRequest {
    request("PUT", "/photos/cat.jpg?comp=lease")
        .header("x-ms-lease-action", action)
        .header("content-length", "0")
}

#[tokio::test]
async fn the_blob_that_is_replaced_is_locked() {
    let server = Mock::start();
    let driver = driver(&server);
    let send = |body: UploadBody| {
        let options = UploadObject::new().meta_data("author", "Ada").ex_arg("ex_use_lease", true);
        let driver = driver.clone();
        async move { driver.upload_object_via_stream_with(body, &photos(), "cat.jpg", options).await }
    };
    let acquired = || {
        let answer = Answer::new(201).header("x-ms-lease-id", "lease-1");
        leased("acquire").header("x-ms-lease-duration", "60").no_header("x-ms-lease-id").answers(answer)
    };
    let released = || leased("release").header("x-ms-lease-id", "lease-1").answers(200);
    server.expect(acquired());
    server.expect(upload("abc").header("x-ms-lease-id", "lease-1").answers(stored("abc")));
    server.expect(released());
    send("abc".into()).await.unwrap();

    // Each block lets it last as long again.
    let all = "x".repeat(4 * MIB + 1);
    server.expect(acquired());
    let renewed = || leased("renew").header("x-ms-lease-id", "lease-1").answers(200);
    server.expect_in_any_order([renewed(), renewed(), block(&all[1..]), block("x")]);
    server.expect(renewed());
    server.expect(block_list(2, &all).header("x-ms-lease-id", "lease-1").answers(201));
    server.expect(released());
    send(all.into()).await.unwrap();

    // What fails is unlocked, too.
    server.expect(acquired());
    server.expect(upload("abc").answers(refused(404, "ContainerNotFound")));
    server.expect(released());
    assert_about(&send("abc".into()).await.unwrap_err(), ErrorKind::NotFound, "container", "photos");

    // Where there is no blob, there is nothing to lock; where somebody else has, nothing is sent.
    server.expect(leased("acquire").answers(refused(404, "BlobNotFound")));
    server.expect(upload("abc").no_header("x-ms-lease-id").answers(stored("abc")));
    send("abc".into()).await.unwrap();
    server.expect(leased("acquire").answers(refused(409, "LeaseAlreadyPresent")));
    let error = send("abc".into()).await.unwrap_err();
    assert_about(&error, ErrorKind::InvalidState, "object", "cat.jpg");
    assert_eq!(error.operation(), Some("LeaseBlob"));
}

#[tokio::test]
async fn what_has_exactly_one_block_is_sent_in_one_request() {
    let server = Mock::start();
    let all = "x".repeat(4 * MIB);
    server.expect(upload(&all).answers(stored(&all)).times(2));
    for body in [UploadBody::from(all.clone()), UploadBody::new(stream::iter([Ok(Bytes::from(all.clone()))]))]
    {
        driver(&server).upload_object_via_stream(body, &photos(), "cat.jpg").await.unwrap();
    }
}

#[tokio::test]
async fn a_list_of_blocks_that_is_refused_names_the_object() {
    let server = Mock::start();
    let all = "x".repeat(4 * MIB + 1);
    for (status, code, kind) in [
        (400, "InvalidBlockList", ErrorKind::InvalidArgument),
        (409, "BlobAlreadyExists", ErrorKind::AlreadyExists),
    ] {
        server.expect_in_any_order([block(&all[1..]), block("x")]);
        server.expect(block_list(2, &all).header("if-none-match", "*").answers(refused(status, code)));
        let options = UploadObject::new().meta_data("author", "Ada").only_if_absent();
        let body = all.clone().into();
        let sent = driver(&server).upload_object_via_stream_with(body, &photos(), "cat.jpg", options).await;
        let error = sent.unwrap_err();
        assert_about(&error, kind, "object", "cat.jpg");
        assert_eq!(error.operation(), Some("PutBlockList"));
    }
}

#[tokio::test]
async fn an_upload_is_compared_with_what_arrived() {
    let server = Mock::start();
    server.expect(upload("abc").answers(stored("abd")));
    let driver = driver(&server);
    let error = driver.upload_object_via_stream("abc".into(), &photos(), "cat.jpg").await.unwrap_err();
    assert_about(&error, ErrorKind::HashMismatch, "object", "cat.jpg");
    server.expect(upload("abc").answers(refused(400, "Md5Mismatch")));
    let error = driver.upload_object_via_stream("abc".into(), &photos(), "cat.jpg").await.unwrap_err();
    assert_about(&error, ErrorKind::HashMismatch, "object", "cat.jpg");
}

#[tokio::test]
async fn an_upload_that_is_refused() {
    let server = Mock::start();
    let driver = driver(&server);
    server.expect(upload("abc").answers(refused(409, "BlobAlreadyExists")));
    let options = UploadObject::new().only_if_absent();
    let error =
        driver.upload_object_via_stream_with("abc".into(), &photos(), "cat.jpg", options).await.unwrap_err();
    assert_about(&error, ErrorKind::AlreadyExists, "object", "cat.jpg");

    server.expect(upload("abc").answers(refused(503, "ServerBusy")).times(3));
    let error = driver.upload_object_via_stream("abc".into(), &photos(), "cat.jpg").await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::RateLimited, Retry::Exhausted));

    server.expect(upload("abc").answers(refused(404, "ContainerNotFound")));
    let error = driver.upload_object_via_stream("abc".into(), &photos(), "cat.jpg").await.unwrap_err();
    assert_about(&error, ErrorKind::NotFound, "container", "photos");
}

#[tokio::test]
async fn arguments_that_cannot_be_sent_are_refused_first() {
    let server = Mock::start();
    let (driver, photos) = (driver(&server), photos());
    for (options, text) in [
        (UploadObject::new().header("x-ms-Date", "now"), "`x-ms-Date` is set by the driver"),
        (UploadObject::new().header("a b", "c"), "the header `a b` cannot carry"),
        (UploadObject::new().acl("public-read"), "`acl`: a blob has none"),
        (UploadObject::new().meta_data("a b", "c"), "the key `a b` cannot be sent"),
        (UploadObject::new().ex_arg("ex_blob_type", "invalid-blob"), "not `invalid-blob`"),
        (UploadObject::new().ex_arg("ex_page_blob_size", 512), "goes with `ex_blob_type`"),
        (UploadObject::new().ex_arg("ex_storage_class", "hot"), "ex_storage_class"),
    ] {
        let sent = driver.upload_object_via_stream_with("abc".into(), &photos, "cat.jpg", options);
        let error = sent.await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
        assert!(error.to_string().contains(text), "{error}");
    }
}

fn content(status: u16, body: &'static str) -> Exchange {
    let answer = Answer::new(status).header("content-md5", MD5).body(body);
    request("GET", "/photos/cat.jpg").no_header("range").answers(answer)
}

#[tokio::test]
async fn download_object_as_stream() {
    let server = Mock::start();
    server.expect(content(200, "abc"));
    let content = driver(&server).download_object_as_stream(&cat()).await.unwrap();
    assert_eq!((content.size, &content.hash), (Some(3), &Some((HashType::Md5, MD5_HEX.to_owned()))));
    assert_eq!(content.read_all(3).await.unwrap(), "abc");
}

#[tokio::test]
async fn a_range_is_signed_and_must_be_one() {
    let server = Mock::start();
    let driver = driver(&server);
    let options = || StreamObject::new().range(ByteRange::new(4, Some(6)).unwrap());
    let range = || request("GET", "/photos/cat.jpg").header("range", "bytes=4-5");
    server.expect(range().answers(Answer::new(206).header("content-md5", MD5).body("45")));
    let content = driver.download_object_as_stream_with(&cat(), options()).await.unwrap();
    assert_eq!((content.size, &content.hash), (Some(2), &None));
    assert_eq!(content.stream.try_collect::<Vec<_>>().await.unwrap().concat(), b"45");

    server.expect(range().answers(200).body("0123456789"));
    let error = driver.download_object_as_stream_with(&cat(), options()).await.unwrap_err();
    assert_about(&error, ErrorKind::MalformedResponse, "object", "cat.jpg");
    server.expect(range().answers(refused(416, "InvalidRange")));
    let error = driver.download_object_as_stream_with(&cat(), options()).await.unwrap_err();
    assert_about(&error, ErrorKind::InvalidArgument, "object", "cat.jpg");
}

#[tokio::test]
async fn a_download_is_compared_with_its_digest() {
    let server = Mock::start();
    server.expect(content(200, "abd"));
    let folder = std::env::temp_dir().join(format!("libcloud-azure-{}", std::process::id()));
    let error = driver(&server).download_object(&cat(), &folder).await.unwrap_err();
    assert_about(&error, ErrorKind::HashMismatch, "object", "cat.jpg");
    assert!(!folder.exists());
}
