//! One object: what is told of it, its URL, its deletion.

use std::collections::BTreeMap;
use std::time::Duration;

use libcloud_azure::blobs::ObjectExtra;
use libcloud_common::ErrorKind;
use libcloud_storage::{GetObjectCdnUrl, StorageDriver as _, StorageDriverExt as _};

use crate::*;

#[tokio::test]
async fn get_object() {
    let server = Mock::start();
    server.expect(
        request("HEAD", "/photos/cat.jpg").answers(
            Answer::new(200)
                .header("content-length", "3")
                .header("content-type", "image/jpeg")
                .header("content-md5", MD5)
                .header("etag", "\"0x8DC39D8F1A2B3C4\"")
                .header("last-modified", "Fri, 01 Mar 2024 10:20:30 GMT")
                .header("x-ms-blob-type", "BlockBlob")
                .header("x-ms-access-tier", "Hot")
                .header("x-ms-lease-status", "unlocked")
                .header("x-ms-lease-state", "available")
                .header("x-ms-meta-author", "Ada"),
        ),
    );
    let object = driver(&server).get_object("photos", "cat.jpg").await.unwrap();
    assert_eq!((object.size, object.hash.as_deref()), (3, Some("0x8DC39D8F1A2B3C4")));
    assert_eq!(object.meta_data, [("author".to_owned(), "Ada".to_owned())].into());
    let extra: ObjectExtra = object.extra_as().unwrap();
    assert_eq!(extra.url, Some(format!("{}photos/cat.jpg", server.url())));
    assert_eq!(extra.md5_hash.as_deref(), Some(MD5_HEX));
    assert_eq!((extra.blob_type.as_deref(), extra.content_language), (Some("BlockBlob"), None));
}

#[tokio::test]
async fn get_object_that_is_not_there() {
    let server = Mock::start();
    let driver = driver(&server);
    for (code, resource, id) in
        [("BlobNotFound", "object", "cat.jpg"), ("ContainerNotFound", "container", "photos")]
    {
        let missing = Answer::new(404).header("x-ms-error-code", code);
        server.expect(request("HEAD", "/photos/cat.jpg").answers(missing));
        let error = driver.get_object("photos", "cat.jpg").await.unwrap_err();
        assert_about(&error, ErrorKind::NotFound, resource, id);
        assert_eq!(error.operation(), Some("GetBlobProperties"));
    }
    for (container, name, resource) in
        [("", "a", "container"), ("a/b", "c", "container"), ("a", "", "object")]
    {
        let error = driver.get_object(container, name).await.unwrap_err();
        assert_eq!((error.kind(), error.resource().unwrap().0), (ErrorKind::InvalidName, resource));
    }
}

#[tokio::test]
async fn names_are_sent_as_they_are() {
    let server = Mock::start();
    let driver = driver(&server);
    for (name, path) in [
        ("a//b", "/photos/a//b"),
        ("../x", "/photos/../x"),
        (".", "/photos/."),
        ("100% ü?#&+", "/photos/100%25%20%C3%BC%3F%23%26%2B"),
    ] {
        server.expect(request("DELETE", path).answers(202));
        driver.delete_object(&Object::from_names("photos", name)).await.unwrap();
    }
}

#[tokio::test]
async fn delete_object() {
    let server = Mock::start();
    let driver = driver(&server);
    server.expect(request("DELETE", "/photos/cat.jpg").answers(202));
    driver.delete_object(&cat()).await.unwrap();
    refuse(&server, "DELETE", "/photos/cat.jpg", 404, "BlobNotFound");
    assert_about(&driver.delete_object(&cat()).await.unwrap_err(), ErrorKind::NotFound, "object", "cat.jpg");
    refuse(&server, "DELETE", "/photos/cat.jpg", 412, "LeaseIdMissing");
    assert_about(
        &driver.delete_object(&cat()).await.unwrap_err(),
        ErrorKind::InvalidState,
        "object",
        "cat.jpg",
    );
}

#[tokio::test]
async fn ex_set_object_metadata() {
    let server = Mock::start();
    let set = || request("PUT", "/photos/cat.jpg?comp=metadata").header("x-ms-meta-author", "Ada");
    server.expect(set().answers(200));
    let meta_data = || BTreeMap::from([("Author".to_owned(), "Ada".to_owned())]);
    driver(&server).ex_set_object_metadata(&cat(), meta_data()).await.unwrap();
    server.expect(set().answers(refused(404, "BlobNotFound")));
    let error = driver(&server).ex_set_object_metadata(&cat(), meta_data()).await.unwrap_err();
    assert_about(&error, ErrorKind::NotFound, "object", "cat.jpg");
    server.expect(set().answers(200));
    let arguments = json!({"obj": "photos/cat.jpg", "meta_data": {"author": "Ada"}});
    dynamic(&server).call("ex_set_object_metadata", arguments).await.unwrap();
}

#[tokio::test]
async fn get_object_cdn_url() {
    let server = Mock::start();
    let driver = driver(&server);
    let object = Object::from_names("photos", "a b//ü");
    let url = driver.get_object_cdn_url(&object).await.unwrap();
    let (place, query) = url.split_once('?').unwrap();
    assert_eq!(place, format!("{}photos/a%20b//%C3%BC", server.url()));
    let (query, signature) = query.split_once("&sig=").unwrap();
    assert_eq!(
        query,
        "st=2024-05-01T08%3A25%3A00Z&se=2024-05-02T08%3A30%3A00Z&sp=r&spr=https%2Chttp&sv=2021-12-02&sr=b"
    );
    assert!(signature.len() >= 44, "{signature}");

    let options = GetObjectCdnUrl::new().expiry(Duration::from_secs(60)).ex_arg("ex_method", "PUT");
    let url = driver.get_object_cdn_url_with(&object, options).await.unwrap();
    assert!(url.contains("se=2024-05-01T08%3A31%3A00Z&sp=w&"), "{url}");
    let options = GetObjectCdnUrl::new().ex_arg("ex_expiry", 1.5).ex_arg("ex_method", "DELETE");
    let url = driver.get_object_cdn_url_with(&object, options).await.unwrap();
    assert!(url.contains("se=2024-05-01T10%3A00%3A00Z&sp=d&"), "{url}");
    let options = GetObjectCdnUrl::new().ex_arg("ex_method", "HEAD");
    let error = driver.get_object_cdn_url_with(&object, options).await.unwrap_err();
    assert_about(&error, ErrorKind::InvalidArgument, "argument", "ex_method");
}
