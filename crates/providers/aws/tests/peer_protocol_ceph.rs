//! What the S3 driver has beside the base API, and its older dialect, against a Ceph gateway, which must be running:
//! `CEPH_S3_ENDPOINT`, `CEPH_S3_REGION`, `CEPH_S3_ACCESS_KEY` and `CEPH_S3_SECRET_KEY` tell where. It verifies signatures of both
//! versions.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

use std::env::var;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use libcloud_aws::S3Driver;
use libcloud_aws::s3::{MultipartUpload, PartLimits, S3CopyObject, S3Dialect, S3GetObject};
use libcloud_common::{Config, Descriptor, ErrorKind, Options, unique_token};
use libcloud_storage::{
    Container, Entry, ListEntries, Object, StorageDriver as _, StorageDriverExt as _, UploadBody,
    UploadObject,
};

fn config() -> Config {
    Config::new(var("CEPH_S3_ACCESS_KEY").unwrap(), var("CEPH_S3_SECRET_KEY").unwrap())
        .region(var("CEPH_S3_REGION").unwrap())
        .endpoint(var("CEPH_S3_ENDPOINT").unwrap().parse().unwrap())
}

async fn new_container(driver: &S3Driver) -> Container {
    driver.create_container(&format!("libcloud-{}", unique_token().unwrap())).await.unwrap()
}

/// Deletes a container with all that is in it.
async fn clean(driver: &S3Driver, container: &Container) {
    let objects = driver.list_container_objects(container).await.unwrap();
    let names = objects.into_iter().map(|object| object.name).collect();
    assert_eq!(driver.ex_delete_objects(container, names).await.unwrap(), []);
    driver.delete_container(container).await.unwrap();
}

async fn put(driver: &S3Driver, container: &Container, name: &str) -> Object {
    driver.upload_object_via_stream("abc".into(), container, name).await.unwrap()
}

async fn read(driver: &S3Driver, object: &Object) -> Bytes {
    driver.download_object_as_stream(object).await.unwrap().read_all(64 << 20).await.unwrap()
}

const ODD: [&str; 9] = ["a+b c", "a//b", "./..", "%41", "~'\"", "ü", "u\u{308}", " lead", "line\nfeed"];

/// The older signature and the older listing.
#[tokio::test]
async fn the_old_dialect_is_spoken() {
    let driver = S3Driver::new(config().option("dialect", "old")).unwrap();
    let container = new_container(&driver).await;
    for name in ODD {
        put(&driver, &container, name).await;
    }
    let mut names: Vec<_> = driver
        .list_container_objects(&container)
        .await
        .unwrap()
        .into_iter()
        .map(|object| object.name)
        .collect();
    let mut expected: Vec<_> = ODD.map(str::to_owned).into();
    names.sort();
    expected.sort();
    assert_eq!(names, expected);
    for name in ODD {
        let object = driver.get_object(&container.name, name).await.unwrap();
        assert_eq!(read(&driver, &object).await, "abc", "{name}");
    }
    let mut wrong = config().option("signature_version", 2);
    wrong.secret = Some("wrong".into());
    let error = S3Driver::new(wrong).unwrap().list_containers().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidCredentials, "{error}");
    // In parts, too, whose uploads have sub-resources.
    let large = vec![7; 9 << 20];
    let object = driver.upload_object_via_stream(large.clone().into(), &container, "large").await.unwrap();
    assert!(read(&driver, &object).await == large);
    clean(&driver, &container).await;
}

#[tokio::test]
async fn levels_are_listed_in_both_versions() {
    for dialect in ["old", "compatible"] {
        let driver = S3Driver::new(config().option("dialect", dialect)).unwrap();
        let container = new_container(&driver).await;
        for name in ["a", "b c/1", "b c/2/3", "b c/2/4", "d/"] {
            put(&driver, &container, name).await;
        }
        let level = |options: ListEntries| {
            let entries = driver.iterate_container_entries_with(&container, options);
            entries.map_ok(|entry: Entry| entry.name().to_owned()).try_collect::<Vec<_>>()
        };
        let slash = || ListEntries::new().delimiter("/");
        let mut top = level(slash()).await.unwrap();
        top.sort();
        assert_eq!(top, ["a", "b c/", "d/"], "{dialect}");
        let mut below = level(slash().prefix("b c/")).await.unwrap();
        below.sort();
        assert_eq!(below, ["b c/1", "b c/2/"], "{dialect}");
        assert_eq!(level(slash().start_after("b c/3")).await.unwrap(), ["d/"], "{dialect}");
        let after = ListEntries::new().start_after("b c/2/3");
        assert_eq!(level(after).await.unwrap(), ["b c/2/4", "d/"], "{dialect}");
        clean(&driver, &container).await;
    }
}

/// A process that is killed leaves this behind.
async fn leave_an_upload(driver: &S3Driver, container: &Container, name: &str) -> Vec<MultipartUpload> {
    let beginning = stream::iter([Ok(Bytes::from(vec![7; 9 << 20]))]);
    let body = UploadBody::new(beginning.chain(stream::pending()));
    let (driver, container, name) = (driver.clone(), container.clone(), name.to_owned());
    let uploader = driver.clone();
    let target = container.clone();
    let mut upload = Box::pin(async move { uploader.upload_object_via_stream(body, &target, &name).await });
    for _ in 0..100 {
        let waited = tokio::time::timeout(Duration::from_millis(50), &mut upload).await;
        assert!(waited.is_err(), "it cannot come to an end");
        let listed = driver.ex_iterate_multipart_uploads(&container, None, None);
        let listed: Vec<_> = listed.try_collect().await.unwrap();
        if !listed.is_empty() {
            std::mem::forget(upload);
            return listed;
        }
    }
    panic!("no upload was begun");
}

#[tokio::test]
async fn uploads_that_were_left_behind_are_found_and_thrown_away() {
    let driver = S3Driver::new(config()).unwrap();
    let container = new_container(&driver).await;
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
    clean(&driver, &container).await;
}

/// Of which more than 6 MiB are too much for one request.
static SMALL: S3Dialect = S3Dialect {
    name: "small",
    parts: PartLimits { single: 6 << 20, ..S3Dialect::COMPATIBLE.parts },
    ..S3Dialect::COMPATIBLE
};

#[tokio::test]
async fn objects_are_copied() {
    let descriptor = Descriptor::new("small", "Small", "https://small.example/");
    let driver = S3Driver::with_dialect(descriptor, config(), &SMALL).unwrap();
    let (from, to) = (new_container(&driver).await, new_container(&driver).await);
    let options = UploadObject::new().content_type("text/x-test").meta_data("author", "Ada");
    let small =
        driver.upload_object_via_stream_with("abc".into(), &from, "a +%/ü", options.clone()).await.unwrap();
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
    let mut unless = S3CopyObject::default();
    unless.ex_if_none_match = small.etag.as_deref().map(str::to_owned);
    // This server does not look at the conditions of a copy. Should it begin to, `InvalidState` is right.
    driver.ex_copy_object(&small, &to, "copy", Options::new().ex(&unless)).await.unwrap();

    // In parts.
    let content = vec![7; 7 << 20];
    let large =
        driver.upload_object_via_stream_with(content.clone().into(), &from, "large", options).await.unwrap();
    driver.ex_copy_object(&large, &to, "large", Options::new()).await.unwrap();
    let found = driver.get_object(&to.name, "large").await.unwrap();
    assert!(found.etag.as_deref().unwrap().ends_with("-1"), "{found:?}");
    assert_eq!((found.content_type.as_deref(), &*found.meta_data["author"]), (Some("text/x-test"), "Ada"));
    assert!(read(&driver, &found).await == content);
    let uploads = driver.ex_iterate_multipart_uploads(&to, None, None);
    assert_eq!(uploads.try_collect::<Vec<_>>().await.unwrap(), []);
    clean(&driver, &from).await;
    clean(&driver, &to).await;
}

#[tokio::test]
async fn many_are_deleted_at_once() {
    let driver = S3Driver::new(config()).unwrap();
    let container = new_container(&driver).await;
    let names: Vec<String> =
        ODD.iter().map(|name| (*name).to_owned()).chain(["\u{1}".to_owned(), "<&>\r".to_owned()]).collect();
    for name in &names {
        put(&driver, &container, name).await;
    }
    let kept = put(&driver, &container, "kept").await;
    let missing = ["was never there".to_owned()];
    let all = names.iter().chain(&missing).cloned().collect();
    assert_eq!(driver.ex_delete_objects(&container, all).await.unwrap(), []);
    let left = driver.list_container_objects(&container).await.unwrap();
    assert_eq!(left.iter().map(|object| &*object.name).collect::<Vec<_>>(), [&*kept.name]);
    clean(&driver, &container).await;
}

#[tokio::test]
async fn who_may_do_what_is_told_and_changed() {
    let driver = S3Driver::new(config()).unwrap();
    let container = new_container(&driver).await;
    let object = put(&driver, &container, "a").await;
    let private = driver.ex_get_object_acl(&object).await.unwrap();
    assert_eq!(private.grants.len(), 1, "{private:?}");
    driver.ex_put_object_acl(&object, Some("public-read".into()), None).await.unwrap();
    let public = driver.ex_get_object_acl(&object).await.unwrap();
    assert!(public.grants.iter().any(|grant| grant.uri.is_some() && grant.permission == "READ"));
    driver.ex_put_object_acl(&object, None, Some(private.clone())).await.unwrap();
    assert_eq!(driver.ex_get_object_acl(&object).await.unwrap().grants.len(), 1);
    clean(&driver, &container).await;
}

#[tokio::test]
async fn what_has_not_changed_is_not_sent() {
    let driver = S3Driver::new(config()).unwrap();
    let container = new_container(&driver).await;
    let object = put(&driver, &container, "a").await;
    let mut unless = S3GetObject::default();
    unless.ex_if_none_match = object.etag.as_deref().map(str::to_owned);
    let error = driver.get_object_with(&container.name, "a", Options::new().ex(&unless)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidState, "{error:#}");
    clean(&driver, &container).await;
}
