//! Page blobs.

use futures_util::stream;
use libcloud_azure::blobs::AzureUploadObject;
use libcloud_common::ErrorKind;
use libcloud_common::digest::md5_base64;
use libcloud_storage::{StorageDriver as _, UploadBody, UploadObject};

use crate::*;

fn options(size: Option<u64>) -> UploadObject {
    let mut arguments = AzureUploadObject::default();
    arguments.ex_blob_type = Some("PageBlob".into());
    arguments.ex_page_blob_size = size;
    UploadObject::new().content_type("image/x-disk").ex(&arguments)
}

fn made(size: &str) -> Exchange {
    request("PUT", "/photos/disk")
        .header("content-length", "0")
        .header("x-ms-blob-type", "PageBlob")
        .header("x-ms-blob-content-length", size)
        .header("content-type", "image/x-disk")
        .answers(Answer::new(201).header("etag", "\"0x1\""))
}

fn pages(range: &str, content: &str) -> ExpectedRequest {
    request("PUT", "/photos/disk?comp=page")
        .header("x-ms-page-write", "update")
        .header("x-ms-range", range)
        .header("content-md5", md5_base64(content))
        .body(content)
}

async fn send(server: &Mock, body: UploadBody, options: UploadObject) -> Result<Object, Error> {
    driver(server).upload_object_via_stream_with(body, &photos(), "disk", options).await
}

#[tokio::test]
async fn a_page_blob_is_made_and_then_written() {
    let server = Mock::start();
    let (first, second) = ("x".repeat(4 << 20), "y".repeat(512));
    let written = || Answer::new(201).header("etag", "\"0x2\"");
    server.expect(made("4194816"));
    server.expect(pages("bytes=0-4194303", &first).answers(written()));
    server.expect(pages("bytes=4194304-4194815", &second).answers(written()));
    let object = send(&server, [first, second].concat().into(), options(None)).await.unwrap();
    assert_eq!((object.size, object.hash.as_deref()), (4_194_816, Some("0x2")));
    assert_eq!(object.extra["blob_type"], "PageBlob");
}

#[tokio::test]
async fn a_page_blob_may_be_larger_than_its_content() {
    let server = Mock::start();
    server.expect(made("1024"));
    server.expect(pages("bytes=0-511", &"x".repeat(512)).answers(201));
    let body = UploadBody::new(stream::iter([Ok("x".repeat(512).into())]));
    assert_eq!(send(&server, body, options(Some(1024))).await.unwrap().size, 1024);
    server.expect(made("512"));
    assert_eq!(send(&server, "".into(), options(Some(512))).await.unwrap().hash.as_deref(), Some("0x1"));
}

#[tokio::test]
async fn sizes_that_cannot_be_are_refused_first() {
    let server = Mock::start();
    let unknown = UploadBody::new(stream::empty());
    for (body, size, text) in [
        ("abc".into(), None, "multiples of 512 bytes"),
        ("abc".into(), Some(512), "multiples of 512 bytes"),
        ("x".repeat(1024).into(), Some(512), "not larger"),
        ("".into(), Some(100), "multiples of 512 bytes"),
        (unknown, None, "`ex_page_blob_size`"),
    ] {
        let error = send(&server, body, options(size)).await.unwrap_err();
        assert_about(&error, ErrorKind::InvalidArgument, "argument", "ex_blob_type");
        assert!(error.to_string().contains(text), "{error}");
    }
}

#[tokio::test]
async fn half_a_page_blob_is_deleted() {
    let server = Mock::start();
    let gone = || UploadBody::new(stream::iter([Err(Error::new(ErrorKind::Io, "the disk is gone"))]));
    server.expect(made("512"));
    server.expect(request("DELETE", "/photos/disk").answers(202));
    let error = send(&server, gone(), options(Some(512))).await.unwrap_err();
    assert_eq!((error.kind(), error.message()), (ErrorKind::Io, "the disk is gone"));

    server.expect(made("512"));
    refuse(&server, "DELETE", "/photos/disk", 412, "LeaseIdMissing");
    let error = send(&server, gone(), options(Some(512))).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    assert!(error.message().starts_with("what was sent is still there"), "{error}");
}
