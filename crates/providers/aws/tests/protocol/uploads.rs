//! Uploads in parts that do not come to their end.

use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use libcloud_aws::S3Driver;
use libcloud_aws::s3::MultipartUpload;
use libcloud_common::{Error, ErrorKind};
use libcloud_storage::{Container, StorageDriverExt as _, UploadBody};

use super::{Peer, no_uploads, refused};

/// A process that is killed leaves this behind.
async fn leave_an_upload(driver: &S3Driver, container: &Container, name: &str) -> Vec<MultipartUpload> {
    let beginning = stream::iter([Ok(Bytes::from(vec![7; 9 << 20]))]);
    let body = UploadBody::new(beginning.chain(stream::pending()));
    let (uploader, target, name) = (driver.clone(), container.clone(), name.to_owned());
    let mut upload = Box::pin(async move { uploader.upload_object_via_stream(body, &target, &name).await });
    for _ in 0..100 {
        let waited = tokio::time::timeout(Duration::from_millis(50), &mut upload).await;
        assert!(waited.is_err(), "it cannot come to an end: {waited:?}");
        let listed = driver.ex_iterate_multipart_uploads(container, None, None);
        let listed: Vec<_> = listed.try_collect().await.unwrap();
        if !listed.is_empty() {
            std::mem::forget(upload);
            return listed;
        }
    }
    panic!("no upload was begun");
}

pub(super) async fn what_was_left_behind_is_found_and_thrown_away(peer: Peer) {
    let driver = peer.driver();
    let container = peer.container().await;
    let left = leave_an_upload(&driver, &container, "a/large +").await;
    assert_eq!(left[0].key, "a/large +");
    assert!(left[0].created_at.is_some());
    let list = |prefix: &str| {
        let uploads = driver.ex_iterate_multipart_uploads(&container, Some(prefix.to_owned()), None);
        uploads.map_ok(|upload| upload.id).try_collect::<Vec<_>>()
    };
    assert_eq!(list("b/").await.unwrap(), [""; 0]);
    assert_eq!(list("a/").await.unwrap(), [left[0].id.clone()]);
    driver.ex_cleanup_all_multipart_uploads(&container, Some("b/".into())).await.unwrap();
    assert_eq!(list("").await.unwrap().len(), 1);
    driver.ex_cleanup_all_multipart_uploads(&container, None).await.unwrap();
    assert_eq!(list("").await.unwrap(), [""; 0]);
    driver.ex_abort_multipart_upload(&container, "a/large +", &left[0].id).await.unwrap();
}

pub(super) async fn a_body_that_breaks_leaves_nothing(peer: Peer) {
    let driver = peer.driver();
    let container = peer.container().await;
    let beginning = || Ok(Bytes::from(vec![7; 9 << 20]));
    let gone = || Err(Error::new(ErrorKind::Io, "the disk is gone"));
    for (body, kind) in [
        (UploadBody::new(stream::iter([beginning(), gone()])), ErrorKind::Io),
        (UploadBody::with_length(stream::iter([beginning()]), 20 << 20), ErrorKind::HashMismatch),
    ] {
        refused(driver.upload_object_via_stream(body, &container, "large").await, kind);
        no_uploads(&driver, &container).await;
        assert_eq!(driver.list_container_objects(&container).await.unwrap(), []);
    }
}
