//! Copies within the service.

use libcloud_aws::S3Driver;
use libcloud_aws::s3::{PartLimits, S3CopyObject, S3Dialect};
use libcloud_common::{Descriptor, ErrorKind, Options};
use libcloud_storage::{StorageDriver as _, StorageDriverExt as _, UploadObject};

use super::{Peer, no_uploads, put, read, refused};

fn described() -> UploadObject {
    UploadObject::new().content_type("text/x-test").meta_data("author", "Ada")
}

pub(super) async fn objects_are_copied(peer: Peer) {
    let driver = peer.driver();
    let (from, to) = (peer.container().await, peer.container().await);
    let small =
        driver.upload_object_via_stream_with("abc".into(), &from, "a +%/ü", described()).await.unwrap();
    let copy = driver.ex_copy_object(&small, &to, "copy", Options::new()).await.unwrap();
    assert_eq!((copy.size, copy.etag.as_deref()), (3, small.etag.as_deref()));
    let found = driver.get_object(&to.name, "copy").await.unwrap();
    assert_eq!((found.content_type.as_deref(), &*found.meta_data["author"]), (Some("text/x-test"), "Ada"));

    let mut other = S3CopyObject::default();
    other.ex_content_type = Some("text/plain".into());
    other.ex_meta_data = Some([("title".to_owned(), "ü".to_owned())].into());
    driver.ex_copy_object(&small, &to, "copy", Options::new().ex(&other)).await.unwrap();
    let found = driver.get_object(&to.name, "copy").await.unwrap();
    assert_eq!((found.content_type.as_deref(), &*found.meta_data["title"]), (Some("text/plain"), "ü"));
}

/// Of which more than 6 MiB are too much for one request.
static SMALL: S3Dialect = S3Dialect {
    name: "small",
    parts: PartLimits { single: 6 << 20, ..S3Dialect::COMPATIBLE.parts },
    ..S3Dialect::COMPATIBLE
};

pub(super) async fn large_ones_are_copied_in_parts(peer: Peer) {
    let descriptor = Descriptor::new("small", "Small", "https://small.example/");
    let driver = S3Driver::with_dialect(descriptor, peer.config.clone(), &SMALL).unwrap();
    let (from, to) = (peer.container().await, peer.container().await);
    let content = vec![7; 7 << 20];
    let large = driver
        .upload_object_via_stream_with(content.clone().into(), &from, "large", described())
        .await
        .unwrap();
    driver.ex_copy_object(&large, &to, "large", Options::new()).await.unwrap();
    let found = driver.get_object(&to.name, "large").await.unwrap();
    assert!(found.etag.as_deref().unwrap().ends_with("-1"), "{found:?}");
    assert_eq!((found.content_type.as_deref(), &*found.meta_data["author"]), (Some("text/x-test"), "Ada"));
    assert!(read(&driver, &found).await == content);
    no_uploads(&driver, &to).await;
}

pub(super) async fn a_copy_that_was_to_be_of_something_new_is_refused(peer: Peer) {
    let driver = peer.driver();
    let container = peer.container().await;
    let object = put(&driver, &container, "a").await;
    let mut unless = S3CopyObject::default();
    unless.ex_if_none_match = object.etag.as_deref().map(str::to_owned);
    let copied = driver.ex_copy_object(&object, &container, "copy", Options::new().ex(&unless)).await;
    refused(copied, ErrorKind::InvalidState);
}
