//! What is sent when the connection or the content breaks: what cannot be repeated, exactly once.

use bytes::Bytes;
use futures_util::stream;
use libcloud_common::{Error, ErrorKind, Retry};
use libcloud_storage::{StorageDriver as _, StorageDriverExt as _, UploadBody, UploadObject};
use libcloud_testkit::{Breaking, Fault, sent_once, time_limits};

use crate::*;

/// A server that reads each request whole and closes without an answer.
fn server() -> (S3Driver, Breaking) {
    let server = Breaking::start(Fault::Close);
    (S3Driver::new(config(server.url().as_str())).unwrap(), server)
}

fn assert_broken(outcome: Result<(), Error>, retry: Retry) {
    let error = outcome.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Transport, retry), "{error}");
}

fn large() -> Bytes {
    vec![b'x'; 9 << 20].into()
}

#[tokio::test]
async fn what_cannot_be_repeated_is_sent_once() {
    let (driver, server) = server();
    let once = UploadObject::new().only_if_absent();
    let of_unknown_length = UploadBody::new(stream::iter([Ok(large())]));
    for outcome in [
        driver.create_container("photos").await.map(drop),
        driver.delete_container(&photos()).await,
        driver.upload_object_via_stream_with("abc".into(), &photos(), "a", once).await.map(drop),
        driver.upload_object_via_stream(large().into(), &photos(), "a").await.map(drop),
        driver.upload_object_via_stream(of_unknown_length, &photos(), "a").await.map(drop),
    ] {
        assert_broken(outcome, Retry::Retryable(None));
    }
    assert_eq!(server.received().len(), 5);
}

#[tokio::test]
async fn what_does_no_harm_is_sent_again() {
    let (driver, server) = server();
    for outcome in [
        driver.list_containers().await.map(drop),
        driver.get_object("photos", "a").await.map(drop),
        driver.download_object_as_stream(&cat()).await.map(drop),
        driver.delete_object(&cat()).await,
        driver.upload_object_via_stream("abc".into(), &photos(), "a").await.map(drop),
    ] {
        assert_broken(outcome, Retry::Exhausted);
    }
    assert_eq!(server.received().len(), 15);
}

#[tokio::test]
async fn little_content_that_breaks_is_not_sent() {
    let (driver, server) = server();
    for pieces in [vec![], vec![Ok(Bytes::from("abc"))]] {
        let gone = Err(Error::new(ErrorKind::Io, "the disk is gone"));
        let body = UploadBody::new(stream::iter(pieces.into_iter().chain([gone])));
        let error = driver.upload_object_via_stream(body, &photos(), "a").await.unwrap_err();
        assert_eq!((error.kind(), error.operation()), (ErrorKind::Io, Some("PutObject")));
    }
    let short = UploadBody::with_length(stream::iter([Ok(Bytes::from("abc"))]), 4);
    let error = driver.upload_object_via_stream(short, &photos(), "a").await.unwrap_err();
    assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::HashMismatch, false));
    server.settled().await;
    assert_eq!((server.broken_off(), server.received().len()), (0, 0));
}

#[tokio::test]
async fn a_time_limit_ends_every_call() {
    time_limits(&subject()).await;
}

#[tokio::test]
async fn every_method_is_sent_as_often_as_it_may_be() {
    let sent = sent_once(&subject()).await;
    assert_eq!(sent.once, ["create_container", "delete_container", "ex_delete_objects"]);
}
