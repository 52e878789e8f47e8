//! What is sent when the connection or the content breaks: what cannot be repeated, exactly once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use bytes::Bytes;
use futures_util::stream;
use libcloud_common::{Error, ErrorKind, Retry};
use libcloud_storage::{StorageDriver as _, StorageDriverExt as _, UploadBody, UploadObject};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpListener;

use crate::*;

/// A server that reads each request until nothing more comes, or until it is whole, and closes without an answer.
async fn server() -> (S3Driver, Arc<AtomicU32>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let requests = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&requests);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut seen = Vec::new();
            while !is_whole(&seen) {
                if stream.read_buf(&mut seen).await.unwrap_or(0) == 0 {
                    break;
                }
            }
            if !seen.is_empty() {
                count.fetch_add(1, Ordering::SeqCst);
            }
        }
    });
    (S3Driver::new(config(&url)).unwrap(), requests)
}

fn is_whole(request: &[u8]) -> bool {
    let Some(end) = request.windows(4).position(|four| four == b"\r\n\r\n") else {
        return false;
    };
    let head = String::from_utf8_lossy(&request[..end]).to_lowercase();
    let length = head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next());
    request.len() - end - 4 >= length.map_or(0, |length| length.parse().unwrap())
}

fn assert_broken(outcome: Result<(), Error>, retry: Retry) {
    let error = outcome.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Transport, retry), "{error}");
}

const LARGE: u64 = 9 << 20;

fn large() -> Bytes {
    vec![b'x'; 9 << 20].into()
}

#[tokio::test]
async fn what_cannot_be_repeated_is_sent_once() {
    let (driver, requests) = server().await;
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
    assert_eq!(requests.load(Ordering::SeqCst), 5);
}

#[tokio::test]
async fn what_does_no_harm_is_sent_again() {
    let (driver, requests) = server().await;
    for outcome in [
        driver.list_containers().await.map(drop),
        driver.get_object("photos", "a").await.map(drop),
        driver.download_object_as_stream(&cat()).await.map(drop),
        driver.delete_object(&cat()).await,
        driver.upload_object_via_stream("abc".into(), &photos(), "a").await.map(drop),
    ] {
        assert_broken(outcome, Retry::Exhausted);
    }
    assert_eq!(requests.load(Ordering::SeqCst), 15);
}

#[tokio::test]
async fn content_that_breaks_is_sent_once_and_not_to_its_end() {
    let (driver, requests) = server().await;
    let broken = stream::iter([Ok(large()), Err(Error::new(ErrorKind::Io, "the disk is gone"))]);
    let body = UploadBody::with_length(broken, 2 * LARGE);
    let error = driver.upload_object_via_stream(body, &photos(), "a").await.unwrap_err();
    assert_eq!((error.kind(), error.message()), (ErrorKind::Io, "the disk is gone"));
    assert_eq!(error.operation(), Some("PutObject"));
    let short = UploadBody::with_length(stream::iter([Ok(large())]), 2 * LARGE);
    let error = driver.upload_object_via_stream(short, &photos(), "a").await.unwrap_err();
    assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::HashMismatch, false));
    // The server takes one connection after the other: when it has this one, it has seen the others.
    assert_broken(driver.delete_container(&photos()).await, Retry::Retryable(None));
    assert_eq!(requests.load(Ordering::SeqCst), 2 + 1);
}

#[tokio::test]
async fn content_that_breaks_before_its_length_is_known_is_not_sent() {
    let (driver, requests) = server().await;
    let gone = || Err(Error::new(ErrorKind::Io, "the disk is gone"));
    for pieces in [vec![gone()], vec![Ok(large()), gone()]] {
        let body = UploadBody::new(stream::iter(pieces));
        let error = driver.upload_object_via_stream(body, &photos(), "a").await.unwrap_err();
        assert_eq!((error.kind(), error.operation()), (ErrorKind::Io, Some("PutObject")));
    }
    assert_eq!(requests.load(Ordering::SeqCst), 0);
}
