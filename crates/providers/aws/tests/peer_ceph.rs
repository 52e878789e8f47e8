//! The S3 driver against a Ceph gateway, which must be running: `CEPH_S3_ENDPOINT`, `CEPH_S3_REGION`,
//! `CEPH_S3_ACCESS_KEY` and `CEPH_S3_SECRET_KEY` tell where. It verifies signatures, digests and lengths.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod servers;

use std::collections::BTreeMap;
use std::env::var;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream;
use libcloud_aws::s3;
use libcloud_common::{Config, Error, ErrorKind, TransportConfig, json, unique_token};
use libcloud_storage::{
    Container, DownloadObject, HashType, ListObjects, Object, StorageDriver, StorageDriverExt as _,
    UploadBody, UploadObject,
};
use libcloud_testkit::suite::Storage;

const MIB: usize = 1 << 20;

fn config() -> Config {
    let mut transport = TransportConfig::default();
    transport.retries = 0;
    servers::config("CEPH_S3", &var("CEPH_S3_REGION").unwrap()).transport(transport)
}

fn driver(config: Config) -> Arc<dyn StorageDriver> {
    (s3().factory)(config).unwrap()
}

async fn new_container(driver: &Arc<dyn StorageDriver>) -> Container {
    driver.create_container(&format!("libcloud-{}", unique_token().unwrap())).await.unwrap()
}

/// Deletes a container with all that is in it.
async fn clean(driver: &Arc<dyn StorageDriver>, container: &Container) {
    for object in driver.list_container_objects(container).await.unwrap() {
        driver.delete_object(&object).await.unwrap();
    }
    driver.delete_container(container).await.unwrap();
}

async fn read(driver: &Arc<dyn StorageDriver>, object: &Object) -> Bytes {
    driver.download_object_as_stream(object).await.unwrap().read_all(64 * MIB).await.unwrap()
}

fn assert_about(error: &Error, kind: ErrorKind, resource: &str, id: &str) {
    assert_eq!((error.kind(), error.resource()), (kind, Some((resource, id))), "{error:#}");
}

/// Bytes of which no two stretches are alike.
fn content(size: usize) -> Bytes {
    (0_u32..).flat_map(u32::to_le_bytes).take(size).collect()
}

#[tokio::test]
async fn a_container_lives_and_dies() {
    let driver = driver(config());
    let container = new_container(&driver).await;
    let name = container.name.clone();
    assert_eq!(driver.get_container(&name).await.unwrap().name, name);
    let listed = driver.list_containers().await.unwrap();
    let found = listed.iter().find(|other| other.name == name).unwrap();
    assert!(found.extra_as::<s3::ContainerExtra>().unwrap().creation_date.is_some());

    driver.upload_object_via_stream("abc".into(), &container, "a").await.unwrap();
    let error = driver.delete_container(&container).await.unwrap_err();
    assert_about(&error, ErrorKind::NotEmpty, "container", &name);
    driver.delete_object(&Object::from_names(&name, "a")).await.unwrap();
    driver.delete_container(&container).await.unwrap();

    let error = driver.get_container(&name).await.unwrap_err();
    assert_about(&error, ErrorKind::NotFound, "container", &name);
    let error = driver.delete_container(&container).await.unwrap_err();
    assert_about(&error, ErrorKind::NotFound, "container", &name);
    let error = driver.list_container_objects(&container).await.unwrap_err();
    assert_about(&error, ErrorKind::NotFound, "container", &name);
    let error = driver.upload_object_via_stream("abc".into(), &container, "a").await.unwrap_err();
    assert_about(&error, ErrorKind::NotFound, "container", &name);
    // This server's own rules.
    let error = driver.create_container("ab").await.unwrap_err();
    assert_about(&error, ErrorKind::InvalidName, "container", "ab");
}

#[tokio::test]
async fn a_container_of_somebody_else_exists_already() {
    let mine = driver(config());
    let container = new_container(&mine).await;
    let mut other = config();
    other.key = Some(var("CEPH_S3_OTHER_ACCESS_KEY").unwrap().into());
    other.secret = Some(var("CEPH_S3_OTHER_SECRET_KEY").unwrap().into());
    let other = driver(other);
    let error = other.create_container(&container.name).await.unwrap_err();
    assert_about(&error, ErrorKind::AlreadyExists, "container", &container.name);
    for error in [
        other.get_container(&container.name).await.unwrap_err(),
        other.get_object(&container.name, "a").await.unwrap_err(),
        other.list_container_objects(&container).await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::InvalidCredentials, "{error:#}");
    }
    mine.delete_container(&container).await.unwrap();
}

#[tokio::test]
async fn an_object_lives_and_dies() {
    let driver = driver(config());
    let container = new_container(&driver).await;
    let options = UploadObject::new()
        .content_type("text/x-test")
        .acl("public-read")
        .header("cache-control", "no-store")
        .meta_data("Author", "Ada Lovelace")
        .meta_data("title", "Über  „alles“\n🦀 ")
        .meta_data("raw", "=?UTF-8?Q?x?=");
    let written: BTreeMap<String, String> =
        [("author", "Ada Lovelace"), ("raw", "=?UTF-8?Q?x?="), ("title", "Über  „alles“\n🦀 ")]
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into();
    let made =
        driver.upload_object_via_stream_with("abc".into(), &container, "a.txt", options).await.unwrap();
    assert_eq!(made.hash.as_deref(), Some("900150983cd24fb0d6963f7d28e17f72"));
    assert_eq!(made.meta_data, written);

    let found = driver.get_object(&container.name, "a.txt").await.unwrap();
    assert_eq!((found.size, &found.hash, &found.meta_data), (3, &made.hash, &written));
    assert_eq!(found.content_type.as_deref(), Some("text/x-test"));
    assert!(found.last_modified.is_some());
    let stream = driver.download_object_as_stream(&found).await.unwrap();
    assert_eq!(stream.hash, Some((HashType::Md5, made.hash.clone().unwrap())));
    assert_eq!(stream.headers["cache-control"], "no-store");
    assert_eq!(stream.read_all(3).await.unwrap(), "abc");

    let once = UploadObject::new().only_if_absent();
    let error = driver
        .upload_object_via_stream_with("xyz".into(), &container, "a.txt", once.clone())
        .await
        .unwrap_err();
    assert_about(&error, ErrorKind::AlreadyExists, "object", "a.txt");
    assert_eq!(read(&driver, &found).await, "abc");
    driver.upload_object_via_stream_with("xyz".into(), &container, "b.txt", once).await.unwrap();
    driver.upload_object_via_stream("".into(), &container, "a.txt").await.unwrap();
    let replaced = driver.get_object(&container.name, "a.txt").await.unwrap();
    assert_eq!((replaced.size, replaced.meta_data.len()), (0, 0));
    assert_eq!(read(&driver, &replaced).await, "");

    driver.delete_object(&found).await.unwrap();
    let error = driver.get_object(&container.name, "a.txt").await.unwrap_err();
    assert_about(&error, ErrorKind::NotFound, "object", "a.txt");
    let error = driver.download_object_as_stream(&found).await.unwrap_err();
    assert_about(&error, ErrorKind::NotFound, "object", "a.txt");
    let error = driver.get_object("libcloud-no-such-container", "a").await.unwrap_err();
    assert_about(&error, ErrorKind::NotFound, "container", "libcloud-no-such-container");
    // As Amazon does.
    driver.delete_object(&found).await.unwrap();
    clean(&driver, &container).await;
}

#[tokio::test]
async fn odd_names_stay_what_they_are() {
    let driver = driver(config());
    let container = new_container(&driver).await;
    let long = "ü".repeat(512);
    let mut names = Storage::ODD_NAMES.to_vec();
    names.extend(["ü", "u\u{308}", "日本語/🦀", "line\nfeed", "tab\ttab", "\u{1}\u{7f}", "\u{a0}", &long]);
    for name in &names {
        let body = UploadBody::from(*name);
        let made = driver.upload_object_via_stream(body, &container, name).await;
        made.unwrap_or_else(|error| panic!("{name:?}: {error:#}"));
    }
    names.sort_unstable();
    let listed = driver.list_container_objects(&container).await.unwrap();
    let listed_names: Vec<_> = listed.iter().map(|object| object.name.as_str()).collect();
    assert_eq!(listed_names, names);
    for object in &listed {
        assert_eq!(read(&driver, object).await, object.name, "{:?}", object.name);
        let found = driver.get_object(&container.name, &object.name).await.unwrap();
        assert_eq!((found.size, &found.hash), (object.size, &object.hash), "{:?}", object.name);
    }
    for prefix in ["a/", "a+", "a%", "ü", "/", "\n"] {
        let found =
            driver.list_container_objects_with(&container, ListObjects::new().prefix(prefix)).await.unwrap();
        let found: Vec<_> = found.iter().map(|object| object.name.as_str()).collect();
        let expected: Vec<_> = names.iter().filter(|name| name.starts_with(prefix)).copied().collect();
        assert_eq!(found, expected, "{prefix:?}");
    }
    for object in &listed {
        driver.delete_object(object).await.unwrap();
    }
    assert_eq!(driver.list_container_objects(&container).await.unwrap(), []);
    let error = driver.upload_object_via_stream("".into(), &container, &"x".repeat(1025)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidName);
    clean(&driver, &container).await;
}

#[tokio::test]
async fn a_listing_of_several_pages_is_complete() {
    let driver = driver(config());
    let container = new_container(&driver).await;
    let names: Vec<String> = (0..1010).map(|n| format!("{n:04}+ ü")).collect();
    for chunk in names.chunks(32) {
        let uploads = chunk.iter().map(|name| driver.upload_object_via_stream("x".into(), &container, name));
        futures_util::future::try_join_all(uploads).await.unwrap();
    }
    let listed = driver.list_container_objects(&container).await.unwrap();
    assert_eq!(listed.into_iter().map(|object| object.name).collect::<Vec<_>>(), names);
    clean(&driver, &container).await;
}

#[tokio::test]
async fn ranges() {
    let driver = driver(config());
    let container = new_container(&driver).await;
    let object = driver.upload_object_via_stream("0123456789".into(), &container, "digits").await.unwrap();
    for (start, end, part) in [(0, Some(1), "0"), (4, Some(7), "456"), (7, None, "789"), (8, Some(99), "89")]
    {
        let stream = driver.download_object_range_as_stream(&object, start, end).await.unwrap();
        assert_eq!((stream.size, &stream.hash), (Some(part.len() as u64), &None));
        assert_eq!(stream.read_all(10).await.unwrap(), part);
    }
    let error = driver.download_object_range_as_stream(&object, 10, None).await.unwrap_err();
    assert_about(&error, ErrorKind::InvalidArgument, "object", "digits");
    clean(&driver, &container).await;
}

#[tokio::test]
async fn large_files_go_up_and_come_down() {
    let driver = driver(config());
    let container = new_container(&driver).await;
    let folder = tempfile::tempdir().unwrap();
    let (up, down) = (folder.path().join("up.bin"), folder.path().join("down.bin"));
    let all = content(20 * MIB + 7);
    std::fs::write(&up, &all).unwrap();
    let object = driver.upload_object(&up, &container, "large").await.unwrap();
    // Of three parts, which no digest of the whole is.
    assert_eq!((object.size, &object.hash.clone().unwrap()[32..]), (all.len() as u64, "-3"));
    driver.download_object(&object, &down).await.unwrap();
    assert!(std::fs::read(&down).unwrap() == all);

    // Of unknown length, in one request and in parts.
    for size in [5 * MIB, 20 * MIB] {
        let pieces: Vec<_> = all.slice(..size).chunks(MIB).map(Bytes::copy_from_slice).map(Ok).collect();
        let body = UploadBody::new(stream::iter(pieces));
        let object = driver.upload_object_via_stream(body, &container, "stream").await.unwrap();
        assert_eq!(object.size, size as u64);
        let overwrite = DownloadObject::new().overwrite_existing();
        driver.download_object_with(&object, &down, overwrite).await.unwrap();
        assert!(std::fs::read(&down).unwrap() == all[..size]);
    }

    // What breaks on its way replaces nothing.
    let broken = stream::iter([Ok(all.slice(..9 * MIB)), Err(Error::new(ErrorKind::Io, "the disk is gone"))]);
    let body = UploadBody::with_length(broken, all.len() as u64);
    let error = driver.upload_object_via_stream(body, &container, "stream").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io, "{error:#}");
    let body = UploadBody::with_length(stream::iter([Ok(all.slice(..9 * MIB))]), all.len() as u64);
    let error = driver.upload_object_via_stream(body, &container, "new").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::HashMismatch, "{error:#}");
    let left = driver.list_container_objects(&container).await.unwrap();
    let left: Vec<_> = left.iter().map(|object| (object.name.as_str(), object.size)).collect();
    assert_eq!(left, [("large", all.len() as u64), ("stream", 20 * MIB as u64)]);
    let uploads = driver.call_ex("ex_iterate_multipart_uploads", &json!({ "container": container.name }));
    assert_eq!(uploads.unwrap().await.unwrap(), json!([]));
    clean(&driver, &container).await;
}

#[tokio::test]
async fn wrong_secrets_are_refused() {
    let mut wrong = config();
    wrong.secret = Some("canary".into());
    let wrong = driver(wrong);
    let mut unknown = config();
    unknown.key = Some("NOSUCHKEY00000000000".into());
    let unknown = driver(unknown);
    for error in [
        wrong.list_containers().await.unwrap_err(),
        unknown.list_containers().await.unwrap_err(),
        wrong.get_container("libcloud-any").await.unwrap_err(),
        wrong.create_container("libcloud-any").await.unwrap_err(),
        wrong.get_object("libcloud-any", "a").await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::InvalidCredentials, "{error:#}");
        assert!(!format!("{error:#?}").contains("canary"));
    }
}

#[tokio::test]
async fn methods_are_called_by_name() {
    let driver = driver(config());
    let name = format!("libcloud-{}", unique_token().unwrap());
    driver.call("create_container", json!({"container_name": name})).await.unwrap();
    let upload =
        json!({"iterator": "abc", "container": name, "object_name": "a", "ex_storage_class": "standard"});
    let object = driver.call("upload_object_via_stream", upload).await.unwrap();
    assert_eq!(object["hash"], "900150983cd24fb0d6963f7d28e17f72");
    let text = driver.call("download_object_as_stream", json!({"obj": format!("{name}/a")})).await.unwrap();
    assert_eq!(text, "abc");
    driver.call("delete_object", json!({"obj": format!("{name}/a")})).await.unwrap();
    driver.call("delete_container", json!({"container": name})).await.unwrap();
}
