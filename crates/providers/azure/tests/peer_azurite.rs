//! The Azure Blobs driver against Azurite, Microsoft's own emulator, which must be running: `AZURE_BLOB_ENDPOINT`,
//! `AZURE_BLOB_ACCOUNT` and `AZURE_BLOB_KEY` tell where, `AZURE_BLOB_HOST_STYLE_ENDPOINT` where the account is part of the
//! host. It verifies Shared Key and shared access signatures, and lists of blocks.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::env::var;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use http::Method;
use libcloud_azure::blobs::{ContainerExtra, ObjectExtra};
use libcloud_azure::storage;
use libcloud_common::{Config, Error, ErrorKind, TransportConfig, digest, json, unique_token};
use libcloud_storage::{
    ByteRange, Container, GetObjectCdnUrl, HashType, ListObjects, Object, StorageDriver,
    StorageDriverExt as _, StreamObject, UploadBody, UploadObject,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

const MIB: usize = 1 << 20;

fn config() -> Config {
    let mut transport = TransportConfig::default();
    // A busy Node closes idle connections after five seconds, perhaps just when one is used again. More would hide what it
    // gets wrong.
    transport.retries = 1;
    Config::new(var("AZURE_BLOB_ACCOUNT").unwrap(), var("AZURE_BLOB_KEY").unwrap())
        .endpoint(var("AZURE_BLOB_ENDPOINT").unwrap().parse().unwrap())
        .transport(transport)
}

fn driver(config: Config) -> Arc<dyn StorageDriver> {
    (storage().factory)(config).unwrap()
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
    let extra: ContainerExtra = driver.get_container(&name).await.unwrap().extra_as().unwrap();
    assert_eq!(extra.url, Some(format!("{}/{name}", var("AZURE_BLOB_ENDPOINT").unwrap())));
    assert_eq!((extra.lease.state.as_deref(), extra.etag.is_some()), (Some("available"), true));
    let listed = driver.list_containers().await.unwrap();
    let found = listed.iter().find(|other| other.name == name).unwrap();
    assert_eq!(found.extra_as::<ContainerExtra>().unwrap().last_modified, extra.last_modified);
    let error = driver.create_container(&name).await.unwrap_err();
    assert_about(&error, ErrorKind::AlreadyExists, "container", &name);

    driver.upload_object_via_stream("abc".into(), &container, "a").await.unwrap();
    let error = driver.delete_container(&container).await.unwrap_err();
    assert_about(&error, ErrorKind::NotEmpty, "container", &name);
    assert_eq!(read(&driver, &Object::from_names(&name, "a")).await, "abc");
    driver.delete_object(&Object::from_names(&name, "a")).await.unwrap();
    driver.delete_container(&container).await.unwrap();

    let error = driver.get_container(&name).await.unwrap_err();
    assert_about(&error, ErrorKind::NotFound, "container", &name);
    let error = driver.delete_container(&container).await.unwrap_err();
    assert_about(&error, ErrorKind::NotFound, "container", &name);
    let error = driver.list_container_objects(&container).await.unwrap_err();
    assert_about(&error, ErrorKind::NotFound, "container", &name);
}

#[tokio::test]
async fn an_object_lives_and_dies() {
    let driver = driver(config());
    let container = new_container(&driver).await;
    let options =
        UploadObject::new().meta_data("Author", "Ada").header("x-ms-blob-cache-control", "no-store");
    let sent = driver
        .upload_object_via_stream_with("abc".into(), &container, "a/cat.jpg", options.clone())
        .await
        .unwrap();
    let object = driver.get_object(&container.name, "a/cat.jpg").await.unwrap();
    assert_eq!((object.size, &object.etag, &object.meta_data), (3, &sent.etag, &sent.meta_data));
    assert_eq!(object.content_type.as_deref(), Some("image/jpeg"));
    let extra: ObjectExtra = object.extra_as().unwrap();
    assert_eq!(extra.md5_hash, Some(digest::md5_hex("abc")));
    assert_eq!(extra.blob_type.as_deref(), Some("BlockBlob"));
    let listed = driver.list_container_objects(&container).await.unwrap();
    assert_eq!((listed.len(), &listed[0].meta_data), (1, &object.meta_data));
    assert_eq!(listed[0].extra_as::<ObjectExtra>().unwrap().md5_hash, extra.md5_hash);

    let meta_data = json!({"obj": format!("{}/a/cat.jpg", container.name), "meta_data": {"title": "x y"}});
    driver.call("ex_set_object_metadata", meta_data).await.unwrap();
    let object = driver.get_object(&container.name, "a/cat.jpg").await.unwrap();
    assert_eq!(object.meta_data, [("title".to_owned(), "x y".to_owned())].into());

    let again = options.only_if_absent();
    let error =
        driver.upload_object_via_stream_with("abd".into(), &container, "a/cat.jpg", again).await.unwrap_err();
    assert_about(&error, ErrorKind::AlreadyExists, "object", "a/cat.jpg");
    assert_eq!(read(&driver, &object).await, "abc");
    driver.delete_object(&object).await.unwrap();
    for error in [
        driver.delete_object(&object).await.unwrap_err(),
        driver.get_object(&container.name, "a/cat.jpg").await.unwrap_err(),
        driver.download_object_as_stream(&object).await.unwrap_err(),
    ] {
        assert_about(&error, ErrorKind::NotFound, "object", "a/cat.jpg");
    }
    driver.delete_container(&container).await.unwrap();
    let error = driver.get_object(&container.name, "a/cat.jpg").await.unwrap_err();
    assert_about(&error, ErrorKind::NotFound, "container", &container.name);
    let error = driver.upload_object_via_stream("abc".into(), &container, "a").await.unwrap_err();
    assert_about(&error, ErrorKind::NotFound, "container", &container.name);
}

#[tokio::test]
async fn every_name_survives_and_is_signed() {
    let driver = driver(config());
    let container = new_container(&driver).await;
    let names = [
        "a b",
        "a+b",
        "100%25",
        "ü/日本/😀",
        "u\u{308}",
        "&?#=;:@!$'()*,[]",
        "~-._",
        "a//b",
        "a/../b",
        "./x",
        "..x",
        " leading",
        "\"<quoted>\"",
        "a%2Fb",
    ];
    for name in names {
        let object = driver.upload_object_via_stream(name.into(), &container, name).await.unwrap();
        assert_eq!(read(&driver, &object).await, name, "{name}");
        assert_eq!(driver.get_object(&container.name, name).await.unwrap().size, name.len() as u64);
    }
    let listed = driver.list_container_objects(&container).await.unwrap();
    let mut found: Vec<_> = listed.iter().map(|object| object.name.as_str()).collect();
    found.sort_unstable();
    let mut expected = names.to_vec();
    expected.sort_unstable();
    assert_eq!(found, expected);
    clean(&driver, &container).await;
}

#[tokio::test]
async fn listings_of_small_pages_are_complete() {
    let driver = driver(config().option("page_size", 2));
    let container = new_container(&driver).await;
    for number in 0..7 {
        let name = format!("{}/{number}", if number % 2 == 0 { "even+" } else { "odd" });
        driver.upload_object_via_stream("x".into(), &container, &name).await.unwrap();
    }
    let names = |objects: Vec<Object>| objects.into_iter().map(|object| object.name).collect::<Vec<_>>();
    let all = driver.list_container_objects(&container).await.unwrap();
    assert_eq!(names(all), ["even+/0", "even+/2", "even+/4", "even+/6", "odd/1", "odd/3", "odd/5"]);
    let options = ListObjects::new().prefix("even+/");
    let even = driver.list_container_objects_with(&container, options).await.unwrap();
    assert_eq!(even.len(), 4);
    let others = [new_container(&driver).await, new_container(&driver).await];
    let containers = driver.list_containers().await.unwrap();
    for other in others.iter().chain([&container]) {
        assert_eq!(containers.iter().filter(|found| found.name == other.name).count(), 1);
        clean(&driver, other).await;
    }
}

#[tokio::test]
async fn what_is_large_is_sent_in_blocks() {
    let driver = driver(config());
    let container = new_container(&driver).await;
    let all = content(20 * MIB + 1);
    let pieces = || {
        let all = all.clone();
        stream::iter((0..all.len()).step_by(MIB).map(move |at| Ok(all.slice(at..all.len().min(at + MIB)))))
    };
    for (name, body) in [
        ("known", UploadBody::with_length(pieces(), all.len() as u64)),
        ("unknown", UploadBody::new(pieces())),
    ] {
        let options = UploadObject::new().meta_data("author", "Ada").content_type("image/x-cat");
        driver.upload_object_via_stream_with(body, &container, name, options).await.unwrap();
        let object = driver.get_object(&container.name, name).await.unwrap();
        assert_eq!((object.size, object.content_type.as_deref()), (all.len() as u64, Some("image/x-cat")));
        assert_eq!(object.meta_data["author"], "Ada");
        let found = driver.download_object_as_stream(&object).await.unwrap();
        assert_eq!(found.hash, Some((HashType::Md5, digest::md5_hex(&all))));
        assert!(found.read_all(all.len()).await.unwrap() == all);
    }
    clean(&driver, &container).await;
}

#[tokio::test]
async fn an_upload_that_breaks_leaves_what_was_there() {
    let driver = driver(config());
    let container = new_container(&driver).await;
    let old = driver.upload_object_via_stream("old".into(), &container, "a").await.unwrap();
    let broken = || {
        let gone = Err(Error::new(ErrorKind::Io, "the disk is gone"));
        UploadBody::new(stream::iter([Ok(content(9 * MIB)), gone]))
    };
    for name in ["a", "new"] {
        let error = driver.upload_object_via_stream(broken(), &container, name).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Io);
    }
    assert_eq!(read(&driver, &old).await, "old");
    assert_eq!(driver.list_container_objects(&container).await.unwrap().len(), 1);
    clean(&driver, &container).await;
}

#[tokio::test]
async fn two_uploads_to_one_name_do_not_mix() {
    let driver = driver(config());
    let container = new_container(&driver).await;
    let bodies = [Bytes::from(vec![b'a'; 9 * MIB]), Bytes::from(vec![b'b'; 9 * MIB])];
    let sent = bodies.clone().map(|body| driver.upload_object_via_stream(body.into(), &container, "x"));
    // One of them may find its blocks gone when the other has become the blob.
    let outcomes: Vec<_> = stream::iter(sent).buffered(2).collect().await;
    assert!(outcomes.iter().any(Result::is_ok));
    let found = read(&driver, &Object::from_names(&container.name, "x")).await;
    assert!(bodies.contains(&found));
    clean(&driver, &container).await;
}

#[tokio::test]
async fn what_is_replaced_is_locked_meanwhile() {
    let driver = driver(config());
    let container = new_container(&driver).await;
    for size in [3, 9 * MIB] {
        for name in ["new", "new", "old"] {
            let options = UploadObject::new().ex_arg("ex_use_lease", true);
            let body = UploadBody::from(content(size));
            let sent = driver.upload_object_via_stream_with(body, &container, name, options).await.unwrap();
            assert_eq!(read(&driver, &sent).await, content(size));
            let extra: ObjectExtra =
                driver.get_object(&container.name, name).await.unwrap().extra_as().unwrap();
            assert_eq!(extra.lease.state.as_deref(), Some("available"));
        }
    }
    clean(&driver, &container).await;
}

#[tokio::test]
async fn page_blobs() {
    let driver = driver(config());
    let container = new_container(&driver).await;
    let all = content(5 * MIB);
    let options = UploadObject::new().ex_arg("ex_blob_type", "PageBlob").ex_arg("ex_page_blob_size", 6 * MIB);
    let body = UploadBody::from(all.to_vec());
    driver.upload_object_via_stream_with(body, &container, "disk", options).await.unwrap();
    let object = driver.get_object(&container.name, "disk").await.unwrap();
    assert_eq!((object.size, &object.extra["blob_type"]), (6 * MIB as u64, &json!("PageBlob")));
    let found = read(&driver, &object).await;
    assert!(found[..all.len()] == all && found[all.len()..].iter().all(|byte| *byte == 0));
    clean(&driver, &container).await;
}

#[tokio::test]
async fn ranges() {
    let driver = driver(config());
    let container = new_container(&driver).await;
    let object = driver.upload_object_via_stream("0123456789".into(), &container, "a").await.unwrap();
    for (start, end, expected) in
        [(4, Some(6), "45"), (8, None, "89"), (8, Some(100), "89"), (0, Some(1), "0")]
    {
        let options = StreamObject::new().range(ByteRange::new(start, end).unwrap());
        let found = driver.download_object_as_stream_with(&object, options).await.unwrap();
        assert_eq!(found.size, Some(expected.len() as u64));
        assert_eq!(found.stream.try_collect::<Vec<_>>().await.unwrap().concat(), expected.as_bytes());
    }
    clean(&driver, &container).await;
}

#[tokio::test]
async fn credentials_are_verified() {
    let mut wrong = config();
    wrong.secret = Some(var("AZURE_BLOB_OTHER_KEY").unwrap().into());
    for error in [
        driver(wrong.clone()).list_containers().await.unwrap_err(),
        driver(wrong.clone()).get_container("photos").await.unwrap_err(),
        driver(wrong).create_container("photos").await.unwrap_err(),
    ] {
        assert_eq!(
            (error.kind(), error.code()),
            (ErrorKind::InvalidCredentials, Some("AuthorizationFailure"))
        );
    }
}

#[tokio::test]
async fn accounts_in_the_host_and_old_versions() {
    let container = new_container(&driver(config())).await;
    // The name of the host need not be known here.
    let url: libcloud_common::Url = var("AZURE_BLOB_HOST_STYLE_ENDPOINT").unwrap().parse().unwrap();
    let place: libcloud_common::Url = var("AZURE_BLOB_ENDPOINT").unwrap().parse().unwrap();
    let address = format!("{}:{}", place.host_str().unwrap(), place.port().unwrap());
    let mut config = config();
    config.transport = config.transport.connect_to(address.parse().unwrap());
    driver(config.clone().endpoint(url)).get_container(&container.name).await.unwrap();
    for version in ["2015-02-21", "2018-11-09", "2025-07-05"] {
        let driver = driver(config.clone().api_version(version));
        driver.upload_object_via_stream("".into(), &container, "a b").await.unwrap();
        assert_eq!(driver.list_container_objects(&container).await.unwrap().len(), 1);
    }
    clean(&driver(config), &container).await;
}

/// One request without any header of ours; status and body.
async fn plain(method: Method, url: &str, body: &str) -> (u16, String) {
    let url: libcloud_common::Url = url.parse().unwrap();
    let (host, port) = (url.host_str().unwrap(), url.port().unwrap());
    let mut stream = tokio::net::TcpStream::connect((host, port)).await.unwrap();
    let target = format!("{}?{}", url.path(), url.query().unwrap());
    let request = format!(
        "{method} {target} HTTP/1.1\r\nhost: {host}:{port}\r\nconnection: close\r\nx-ms-blob-type: BlockBlob\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

#[tokio::test]
async fn signed_urls_work_for_a_while_and_for_one_thing() {
    let driver = driver(config());
    let container = new_container(&driver).await;
    for version in ["2015-04-05", "2018-11-09", "2020-12-06", "2021-12-02"] {
        let driver = (storage().factory)(config().api_version(version)).unwrap();
        for name in ["cat.jpg", "a//b ü+%"] {
            let object = Object::from_names(&container.name, name);
            let url = |method: &str| {
                let options =
                    GetObjectCdnUrl::new().expiry(Duration::from_secs(60)).ex_arg("ex_method", method);
                driver.get_object_cdn_url_with(&object, options)
            };
            let (put, get) = (url("PUT").await.unwrap(), url("GET").await.unwrap());
            assert_eq!(plain(Method::PUT, &put, "abc").await.0, 201, "{version} {name}");
            let (status, body) = plain(Method::GET, &get, "").await;
            assert_eq!((status, body.as_str()), (200, "abc"));
            assert_eq!(plain(Method::PUT, &get, "abd").await.0, 403);
            let forged = get.replace("sp=r", "sp=w");
            assert_eq!(plain(Method::GET, &forged, "").await.0, 403);
            let delete = url("DELETE").await.unwrap();
            assert_eq!(plain(Method::DELETE, &delete, "").await.0, 202);
        }
    }
    // One whose time is over.
    let then = libcloud_common::ManualClock::at("2024-01-01T00:00:00Z".parse().unwrap());
    let past = (storage().factory)(config().clock(then)).unwrap();
    driver.upload_object_via_stream("abc".into(), &container, "a").await.unwrap();
    let object = Object::from_names(&container.name, "a");
    let url = past.get_object_cdn_url(&object).await.unwrap();
    assert_eq!(plain(Method::GET, &url, "").await.0, 403);

    // The query of such a URL is itself what another driver may be configured with.
    let url = driver.get_object_cdn_url(&object).await.unwrap();
    let token = url.split_once('?').unwrap().1.to_owned();
    let mut config = config();
    config.secret = Some(token.into());
    let guest = (storage().factory)(config).unwrap();
    assert_eq!(read(&guest, &object).await, "abc");
    let error = guest.delete_object(&object).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidCredentials);
    clean(&driver, &container).await;
}
