//! One after the other: each method, and its errors.

use std::time::Duration;

use bytes::Bytes;
use futures_util::{FutureExt as _, StreamExt as _, TryStreamExt as _, stream};
use libcloud_common::{Config, Error, ErrorKind, ManualClock, Options};
use libcloud_local::{FileTimes, LocalStorageDriver};
use libcloud_storage::{
    Container, DownloadObject, GetObjectCdnUrl, ListObjects, Object, StorageDriver as _,
    StorageDriverExt as _, StreamObject, TransferProgress, UploadBody, UploadObject,
};

use crate::{list, open, put, read, unfinished, with_container};

#[tokio::test]
async fn from_create_to_gone() {
    let (folder, driver, container) = with_container().await;
    assert_eq!(driver.list_containers().await.unwrap(), [driver.get_container("c").await.unwrap()]);
    let times = container.extra_as::<FileTimes>().unwrap();
    assert!(times.modify_time > 1.6e9 && times.creation_time > 1.6e9 && times.access_time > 1.6e9);

    let made = put(&driver, "a/b.html", "one").await.unwrap();
    assert_eq!((made.size, made.content_type.as_deref()), (3, Some("text/html")));
    assert_eq!((made.hash.as_ref(), made.meta_data.len()), (None, 0));
    assert!(made.last_modified.unwrap().to_string().starts_with("20"));
    assert!(made.extra_as::<FileTimes>().unwrap().modify_time > 1.6e9);
    let got = driver.get_object("c", "a/b.html").await.unwrap();
    assert_eq!((&got.name, got.size, &got.etag), (&made.name, made.size, &made.etag));
    assert_eq!(list(&driver).await, ["a/b.html"]);

    let changed = put(&driver, "a/b.html", "other").await.unwrap();
    assert_ne!(changed.etag, made.etag);
    assert_eq!(read(&driver, &made).await.unwrap(), "other");

    let error = driver.delete_container(&container).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotEmpty);
    driver.delete_object(&made).await.unwrap();
    assert!(!folder.path().join("c/a").exists(), "empty folders go with their last object");
    assert!(list(&driver).await.is_empty());
    driver.delete_container(&container).await.unwrap();
    assert!(driver.list_containers().await.unwrap().is_empty());
    assert!(unfinished(folder.path()).is_empty());
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let (_folder, driver, container) = with_container().await;
    let missing = Object::from_names("c", "a/b");
    let elsewhere = Object::from_names("nowhere", "a");
    let target = std::path::Path::new("/nonexistent/target");
    for (resource, error) in [
        ("container", driver.get_container("nowhere").await.unwrap_err()),
        ("container", driver.delete_container(&Container::new("nowhere")).await.unwrap_err()),
        ("container", driver.list_container_objects(&Container::new("nowhere")).await.unwrap_err()),
        ("container", driver.get_object("nowhere", "a").await.unwrap_err()),
        ("container", driver.delete_object(&elsewhere).await.unwrap_err()),
        (
            "container",
            driver.upload_object_via_stream("x".into(), &elsewhere.container, "a").await.unwrap_err(),
        ),
        ("object", driver.get_object("c", "a").await.unwrap_err()),
        ("object", driver.delete_object(&missing).await.unwrap_err()),
        ("object", driver.download_object(&missing, target).await.unwrap_err()),
        ("object", driver.get_object_cdn_url(&missing).await.unwrap_err()),
    ] {
        assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
        assert_eq!(error.resource().unwrap().0, resource, "{error}");
        assert_eq!(error.provider(), Some("local"));
    }
    let error = driver.create_container("c").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    // A folder is no object, nor does an object have anything under it.
    put(&driver, "a/b", "x").await.unwrap();
    assert_eq!(driver.get_object("c", "a").await.unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(driver.get_object("c", "a/b/c").await.unwrap_err().kind(), ErrorKind::NotFound);
    for name in ["a", "a/b/c"] {
        assert_eq!(put(&driver, name, "x").await.unwrap_err().kind(), ErrorKind::InvalidName);
    }
    assert_eq!(container.name, "c");
}

#[tokio::test]
async fn odd_names_come_back_as_they_were() {
    let (folder, driver, _) = with_container().await;
    let mut names: Vec<String> = [
        "grüße/日本語/😀.txt",
        " leading and trailing ",
        "a+b%20c?d=e&f#g",
        "..almost",
        ".hidden",
        ".libcloud/tmp/upload-x",
        "new\nline\ttab",
        "quote\"'`$(x)",
        "back\\slash",
        "a-b",
        "a/b",
        "a.b",
        "-rf",
    ]
    .map(str::to_owned)
    .to_vec();
    names.push("x".repeat(255));
    for name in &names {
        put(&driver, name, name).await.unwrap();
    }
    names.sort();
    assert_eq!(list(&driver).await, names, "in the order of their bytes, as object stores have it");
    for name in &names {
        let object = driver.get_object("c", name).await.unwrap();
        assert_eq!(read(&driver, &object).await.unwrap(), *name);
        driver.delete_object(&object).await.unwrap();
    }
    assert_eq!(std::fs::read_dir(folder.path().join("c")).unwrap().count(), 0);
    for name in ["ünïcödé", " ", "..."] {
        let container = driver.create_container(name).await.unwrap();
        assert_eq!(driver.get_container(name).await.unwrap().name, name);
        driver.delete_container(&container).await.unwrap();
    }
}

#[tokio::test]
async fn a_prefix_selects() {
    let (_folder, driver, container) = with_container().await;
    for name in ["path/to/a", "path/to/b", "path/tool", "pathology", "z/1/2"] {
        put(&driver, name, "x").await.unwrap();
    }
    for (prefix, expected) in [
        ("", vec!["path/to/a", "path/to/b", "path/tool", "pathology", "z/1/2"]),
        ("path", vec!["path/to/a", "path/to/b", "path/tool", "pathology"]),
        ("path/", vec!["path/to/a", "path/to/b", "path/tool"]),
        ("path/to", vec!["path/to/a", "path/to/b", "path/tool"]),
        ("path/to/", vec!["path/to/a", "path/to/b"]),
        ("path/to/b", vec!["path/to/b"]),
        ("z/1/2", vec!["z/1/2"]),
        ("path/invalid", vec![]),
        ("no/such/folder", vec![]),
        ("pathology/x", vec![]),
        ("../c/path", vec![]),
        ("path//", vec![]),
        ("/", vec![]),
    ] {
        let options = ListObjects::new().prefix(prefix);
        let found = driver.list_container_objects_with(&container, options).await.unwrap();
        let found: Vec<_> = found.iter().map(|object| object.name.as_str()).collect();
        assert_eq!(found, expected, "{prefix}");
    }
}

#[tokio::test]
async fn a_listing_longer_than_a_batch_is_complete() {
    let (folder, driver, container) = with_container().await;
    let mut expected = Vec::new();
    for number in 0..700 {
        let name = format!("{:02}/{number:04}", number % 30);
        let path = folder.path().join("c").join(&name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, "").unwrap();
        expected.push(name);
    }
    expected.sort();
    assert_eq!(list(&driver).await, expected);
    // What is deleted behind the listing's back is left out; the listing goes on.
    let mut objects = driver.iterate_container_objects(&container);
    let first = objects.try_next().await.unwrap().unwrap();
    std::fs::remove_dir_all(folder.path().join("c/29")).unwrap();
    let rest: Vec<_> = objects.map_ok(|object| object.name).try_collect().await.unwrap();
    assert_eq!(first.name, expected[0]);
    assert!(rest.contains(&"28/0028".to_owned()) && !rest.iter().any(|name| name.starts_with("29/")));
}

#[tokio::test]
async fn parts_and_pieces() {
    let (_folder, driver, _) = with_container().await;
    let object = put(&driver, "o", "0123456789").await.unwrap();
    for (start, end, expected) in
        [(0, Some(1), "0"), (4, Some(6), "45"), (4, None, "456789"), (9, Some(99), "9")]
    {
        let part = driver.download_object_range_as_stream(&object, start, end).await.unwrap();
        assert_eq!(part.size, Some(expected.len() as u64));
        assert_eq!(part.read_all(99).await.unwrap(), expected);
    }
    let error = driver.download_object_range_as_stream(&object, 10, None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    let options = StreamObject::new().chunk_size(4);
    let pieces: Vec<Bytes> =
        driver.download_object_as_stream_with(&object, options).await.unwrap().try_collect().await.unwrap();
    assert_eq!(pieces, ["0123", "4567", "89"]);
    let options = StreamObject::new().chunk_size(0);
    let error = driver.download_object_as_stream_with(&object, options).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);

    let empty = put(&driver, "empty", "").await.unwrap();
    assert_eq!((empty.size, read(&driver, &empty).await.unwrap().as_str()), (0, ""));
}

#[tokio::test]
async fn files_up_and_down() {
    let (_folder, driver, container) = with_container().await;
    let other = tempfile::tempdir().unwrap();
    let (source, target) = (other.path().join("source.html"), other.path().join("target"));
    // More than one piece in each direction.
    let content = "0123456789abcdef".repeat(100_000);
    std::fs::write(&source, &content).unwrap();
    let object = driver.upload_object(&source, &container, "big").await.unwrap();
    assert_eq!(object.size, 1_600_000);
    driver.download_object(&object, &target).await.unwrap();
    assert_eq!(std::fs::read_to_string(&target).unwrap(), content);
    let error = driver.download_object(&object, &target).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    let options = DownloadObject::new().overwrite_existing();
    driver.download_object_range_with(&object, &target, 16, Some(20), options).await.unwrap();
    assert_eq!(std::fs::read(&target).unwrap(), b"0123");
}

#[tokio::test]
async fn only_if_absent_replaces_nothing() {
    let (folder, driver, container) = with_container().await;
    let upload = |content: &'static str| {
        let options = UploadObject::new().only_if_absent();
        driver.upload_object_via_stream_with(content.into(), &container, "a/o", options)
    };
    let object = upload("one").await.unwrap();
    let error = upload("two").await.unwrap_err();
    assert_eq!((error.kind(), error.resource()), (ErrorKind::AlreadyExists, Some(("object", "a/o"))));
    assert_eq!(read(&driver, &object).await.unwrap(), "one");
    assert!(unfinished(folder.path()).is_empty());
}

#[tokio::test]
async fn a_broken_upload_leaves_what_was_there() {
    let (folder, driver, container) = with_container().await;
    let object = put(&driver, "o", "old").await.unwrap();
    let broken = stream::iter([Ok(Bytes::from("half")), Err(Error::new(ErrorKind::Transport, "broke"))]);
    let error = driver.upload_object_via_stream(UploadBody::new(broken), &container, "o").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport);
    let short = UploadBody::with_length(stream::iter([Ok(Bytes::from("abc"))]), 4);
    let error = driver.upload_object_via_stream(short, &container, "o").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::HashMismatch);
    assert_eq!(read(&driver, &object).await.unwrap(), "old");
    assert!(unfinished(folder.path()).is_empty());
}

/// A file system call that is under way when an upload is dropped ends first, in a thread of its own.
async fn cleaned_up(folder: &std::path::Path) {
    for _ in 0..100_000 {
        if unfinished(folder).is_empty() {
            return;
        }
        tokio::task::spawn_blocking(std::thread::yield_now).await.unwrap();
    }
    panic!("left behind: {:?}", unfinished(folder));
}

#[tokio::test]
async fn a_cancelled_or_late_upload_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let clock = ManualClock::at("2013-11-13T12:00:00Z".parse().unwrap());
    let config = Config::with_key(folder.path().to_str().unwrap()).clock(clock);
    let driver = LocalStorageDriver::new(config).unwrap();
    let container = driver.create_container("c").await.unwrap();
    let endless = || UploadBody::new(stream::iter([Ok(Bytes::from("half"))]).chain(stream::pending()));
    let options = UploadObject::new().timeout(Duration::from_secs(60));
    let error =
        driver.upload_object_via_stream_with(endless(), &container, "late", options).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    cleaned_up(folder.path()).await;

    let mut upload = driver.upload_object_via_stream(endless(), &container, "cancelled");
    while unfinished(folder.path()).is_empty() {
        assert!((&mut upload).now_or_never().is_none());
        tokio::task::yield_now().await;
    }
    drop(upload);
    cleaned_up(folder.path()).await;
    assert!(driver.list_container_objects(&container).await.unwrap().is_empty());
}

#[tokio::test]
async fn what_a_folder_cannot_keep_is_refused() {
    let (_folder, driver, container) = with_container().await;
    for (argument, options) in [
        ("meta_data", UploadObject::new().meta_data("k", "v")),
        ("acl", UploadObject::new().acl("public-read")),
        ("headers", UploadObject::new().header("x", "y")),
        ("content_type", UploadObject::new().content_type("image/png")),
        ("ex_storage_class", UploadObject::new().ex_arg("ex_storage_class", "cold")),
    ] {
        let error =
            driver.upload_object_via_stream_with("x".into(), &container, "a.txt", options).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        assert!(error.to_string().contains(argument), "{error}");
    }
    let options = UploadObject::new().content_type("text/plain");
    driver.upload_object_via_stream_with("x".into(), &container, "a.txt", options).await.unwrap();
    let error = driver.list_containers_with(Options::new().ex_arg("ex_all", true)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
}

#[tokio::test]
async fn urls_are_paths() {
    let (folder, driver, container) = with_container().await;
    let object = put(&driver, "a/b", "x").await.unwrap();
    let base = folder.path().to_str().unwrap();
    assert_eq!(driver.get_container_cdn_url(&container).await.unwrap(), format!("{base}/c"));
    assert_eq!(driver.get_object_cdn_url(&object).await.unwrap(), format!("{base}/c/a/b"));
    driver.enable_container_cdn(&container).await.unwrap();
    driver.enable_object_cdn(&object).await.unwrap();
    let options = GetObjectCdnUrl::new().expiry(Duration::from_secs(60));
    let error = driver.get_object_cdn_url_with(&object, options).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
}

#[tokio::test]
async fn the_base_must_be_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    for wrong in [file, folder.path().join("missing")] {
        let error = open(&wrong).err().unwrap();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        assert!(error.to_string().contains(wrong.to_str().unwrap()), "{error}");
    }
    let error = LocalStorageDriver::new(Config::anonymous()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidCredentials);
    let config = Config::with_key(folder.path().to_str().unwrap()).option("colour", "red");
    assert!(LocalStorageDriver::new(config).unwrap_err().to_string().contains("`colour`"));
    let registered = (libcloud_local::storage().factory)(Config::with_key(folder.path().to_str().unwrap()));
    assert_eq!(registered.unwrap().descriptor().id, "local");
}

#[tokio::test]
async fn a_file_that_changes_while_it_is_sent_is_no_object() {
    let (folder, driver, container) = with_container().await;
    put(&driver, "kept", "before").await.unwrap();
    let source = tempfile::NamedTempFile::new().unwrap();
    for (what, size) in [("grows", 800_000), ("shrinks", 400_000), ("is rewritten", 600_000)] {
        std::fs::write(source.path(), vec![7; 600_000]).unwrap();
        let path = source.path().to_owned();
        // Some of it has gone, and not yet all.
        let change = TransferProgress::new(move |done, _| {
            if done < 600_000 {
                let file = std::fs::File::options().write(true).open(&path).unwrap();
                file.set_len(size).unwrap();
                file.set_modified(std::time::UNIX_EPOCH).unwrap();
            }
        });
        for name in ["kept", "new"] {
            let body = UploadBody::from_file(source.path()).await.unwrap().on_progress(change.clone());
            let sent = driver.upload_object_via_stream(body, &container, name).await;
            let error = sent.unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::HashMismatch | ErrorKind::Io), "{what}: {error:#}");
            assert!(error.to_string().contains(source.path().to_str().unwrap()), "{what}: {error}");
            std::fs::write(source.path(), vec![7; 600_000]).unwrap();
        }
    }
    assert_eq!(list(&driver).await, ["kept"]);
    assert_eq!(read(&driver, &Object::from_names("c", "kept")).await.unwrap(), "before");
    assert!(unfinished(folder.path()).is_empty());
}
