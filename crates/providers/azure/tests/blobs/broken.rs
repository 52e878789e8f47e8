//! What is sent when the connection or the content breaks: what cannot be repeated, exactly once.

use bytes::Bytes;
use futures_util::stream;
use libcloud_common::Retry;
use libcloud_storage::{StorageDriver as _, StorageDriverExt as _, UploadBody, UploadObject};
use libcloud_testkit::{Breaking, Fault, sent_once, time_limits};

use crate::*;

/// A server that reads each request whole and closes without an answer.
fn server() -> (AzureBlobsDriver, Breaking) {
    let server = Breaking::start(Fault::Close);
    (AzureBlobsDriver::new(config(server.url().as_str())).unwrap(), server)
}

fn large() -> Bytes {
    vec![b'x'; 9 << 20].into()
}

#[tokio::test]
async fn a_block_is_sent_again_and_a_blob_that_must_be_new_is_not() {
    let (driver, server) = server();
    let once = UploadObject::new().only_if_absent();
    let error = driver.upload_object_via_stream_with("abc".into(), &photos(), "a", once).await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Transport, Retry::Retryable(None)));
    assert_eq!(server.take_received().len(), 1);
    let error = driver.upload_object_via_stream("abc".into(), &photos(), "a").await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Transport, Retry::Exhausted));
    assert_eq!(server.take_received().len(), 3);
    let error = driver.upload_object_via_stream(large().into(), &photos(), "a").await.unwrap_err();
    assert_eq!((error.kind(), error.operation()), (ErrorKind::Transport, Some("PutBlock")));
    assert!(server.take_received().iter().all(|request| request.target().contains("?comp=block&")));
}

#[tokio::test]
async fn content_that_breaks_leaves_no_blob() {
    let server = Mock::start();
    let driver = driver(&server);
    let gone = || Err(Error::new(ErrorKind::Io, "the disk is gone"));
    // Less than a block is not sent at all.
    let body = UploadBody::new(stream::iter([Ok(Bytes::from("abc")), gone()]));
    let error = driver.upload_object_via_stream(body, &photos(), "a").await.unwrap_err();
    assert_eq!((error.kind(), error.message()), (ErrorKind::Io, "the disk is gone"));
    assert_eq!(error.operation(), Some("PutBlob"));

    // Blocks are, and no list of them: the mock would not take one.
    let blocks = Breaking::reacting(
        |request| request.target().contains("?comp=block&").then(|| Answer::new(201)),
        |_| Fault::Close,
    );
    let driver = AzureBlobsDriver::new(config(blocks.url().as_str())).unwrap();
    let broken = UploadBody::new(stream::iter([Ok(large()), gone()]));
    let short = UploadBody::with_length(stream::iter([Ok(large())]), 18 << 20);
    for (body, kind) in [(broken, ErrorKind::Io), (short, ErrorKind::HashMismatch)] {
        let error = driver.upload_object_via_stream(body, &photos(), "a").await.unwrap_err();
        assert_eq!((error.kind(), error.is_retryable()), (kind, false), "{error}");
    }
    assert!(blocks.received().is_empty(), "a list was sent");
}

#[tokio::test]
async fn a_time_limit_ends_every_call() {
    time_limits(&subject()).await;
}

#[tokio::test]
async fn every_method_is_sent_as_often_as_it_may_be() {
    let sent = sent_once(&subject()).await;
    assert_eq!(sent.once, ["create_container", "delete_container", "delete_object"]);
    assert!(sent.again.contains(&"ex_set_object_metadata"));
}
