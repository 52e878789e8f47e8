//! No name, and no link, leads out of the base folder.

use std::fs;

use libcloud_common::ErrorKind;
use libcloud_storage::{Container, Object, StorageDriverExt as _};

use crate::{list, open, put, read, with_container};

const NAMES: [&str; 12] = [
    "..",
    "../secret",
    "a/../../secret",
    "a/..",
    "./a",
    "a/.",
    "/etc/passwd",
    "//x",
    "a//b",
    "a/",
    "",
    "a\0b",
];

#[tokio::test]
async fn names_that_lead_elsewhere_are_refused() {
    let outer = tempfile::tempdir().unwrap();
    let base = outer.path().join("base");
    fs::create_dir_all(base.join("c")).unwrap();
    fs::write(outer.path().join("secret"), "secret").unwrap();
    fs::write(base.join("secret"), "secret").unwrap();
    let driver = open(&base).unwrap();
    for name in NAMES {
        let object = Object::from_names("c", name);
        for error in [
            put(&driver, name, "x").await.unwrap_err(),
            read(&driver, &object).await.unwrap_err(),
            driver.get_object("c", name).await.unwrap_err(),
            driver.delete_object(&object).await.unwrap_err(),
            driver.get_object_cdn_url(&object).await.unwrap_err(),
            driver.create_container(name).await.unwrap_err(),
            driver.get_container(name).await.unwrap_err(),
            driver.delete_container(&Container::new(name)).await.unwrap_err(),
            driver.list_container_objects(&Container::new(name)).await.unwrap_err(),
            driver.get_object(name, "secret").await.unwrap_err(),
        ] {
            assert_eq!(error.kind(), ErrorKind::InvalidName, "{name:?}: {error}");
        }
    }
    for name in ["a/b", ".libcloud"] {
        let error = driver.create_container(name).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidName);
    }
    assert_eq!(fs::read(outer.path().join("secret")).unwrap(), b"secret");
    assert_eq!(fs::read(base.join("secret")).unwrap(), b"secret");
    // A file beside the containers is none.
    assert_eq!(driver.list_containers().await.unwrap().len(), 1);
    assert_eq!(driver.get_container("secret").await.unwrap_err().kind(), ErrorKind::NotFound);
}

#[cfg(unix)]
#[tokio::test]
async fn links_are_neither_listed_nor_followed() {
    use std::os::unix::fs::symlink;

    let (folder, driver, container) = with_container().await;
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("secret"), "secret").unwrap();
    put(&driver, "real", "x").await.unwrap();
    let c = folder.path().join("c");
    symlink(outside.path().join("secret"), c.join("file")).unwrap();
    symlink(outside.path(), c.join("folder")).unwrap();
    symlink(&c, c.join("loop")).unwrap();
    symlink(c.join("nothing"), c.join("dangling")).unwrap();
    symlink(outside.path(), folder.path().join("linked")).unwrap();

    assert_eq!(list(&driver).await, ["real"]);
    assert_eq!(driver.list_containers().await.unwrap().len(), 1);
    for name in ["file", "folder/secret", "folder/new", "loop/real", "dangling"] {
        let object = Object::from_names("c", name);
        for error in [
            put(&driver, name, "changed").await.unwrap_err(),
            read(&driver, &object).await.unwrap_err(),
            driver.get_object("c", name).await.unwrap_err(),
            driver.delete_object(&object).await.unwrap_err(),
        ] {
            assert_eq!(error.kind(), ErrorKind::InvalidName, "{name}: {error}");
            assert!(error.to_string().contains("symbolic link"), "{error}");
        }
    }
    for error in [
        driver.get_container("linked").await.unwrap_err(),
        driver.get_object("linked", "secret").await.unwrap_err(),
        driver.delete_container(&Container::new("linked")).await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::InvalidName, "{error}");
    }
    let through = libcloud_storage::ListObjects::new().prefix("folder/");
    assert!(driver.list_container_objects_with(&container, through).await.unwrap().is_empty());
    // Deleting what there is deletes nothing behind the links.
    driver.delete_object(&Object::from_names("c", "real")).await.unwrap();
    let error = driver.delete_container(&container).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotEmpty);
    assert_eq!(fs::read(outside.path().join("secret")).unwrap(), b"secret");
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 1);
}
