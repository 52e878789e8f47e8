//! Containers, and the listings of their objects.

use insta::assert_json_snapshot;
use libcloud_common::{ErrorKind, Retry};
use libcloud_storage::{ListObjects, StorageDriverExt as _};
use mockito::{Matcher, Server};

use crate::*;

const OBJECTS: &str = "/photos?list-type=2&encoding-type=url";
const SECOND: &str = "/photos?list-type=2&encoding-type=url\
    &continuation-token=1ueGcxLPRx1Tr%2FXYExHnhbYLgveDs2J%2Bwm36Hy4vbOwM%3D";
const THIRD: &str = "/photos?list-type=2&encoding-type=url&continuation-token=second";

#[tokio::test]
async fn list_containers() {
    let mut server = Server::new_async().await;
    let mock = expect(&mut server, "GET", "/", "ListBuckets").await;
    let containers = driver(&server).list_containers().await.unwrap();
    mock.assert_async().await;
    assert_json_snapshot!(containers, @r#"
    [
      {
        "name": "photos",
        "extra": {
          "creation_date": "2023-11-13T12:00:00Z"
        }
      },
      {
        "name": "backups.example",
        "extra": {
          "creation_date": "2024-01-31T08:15:30Z"
        }
      }
    ]
    "#);
}

#[tokio::test]
async fn list_containers_of_no_and_of_several_pages() {
    let mut server = Server::new_async().await;
    let first = expect(&mut server, "GET", "/", "ListBuckets.page1").await;
    let second = expect(&mut server, "GET", "/?continuation-token=next%2F1%3D", "ListBuckets").await;
    let driver = driver(&server);
    assert_eq!(driver.list_containers().await.unwrap().len(), 3);
    first.assert_async().await;
    second.assert_async().await;
    first.remove_async().await;
    expect(&mut server, "GET", "/", "ListBuckets.empty").await;
    assert_eq!(driver.list_containers().await.unwrap(), []);
}

#[tokio::test]
async fn list_container_objects() {
    let mut server = Server::new_async().await;
    let first = expect(&mut server, "GET", OBJECTS, "ListObjectsV2.page1").await;
    // Empty, and not the last.
    let second = expect(&mut server, "GET", SECOND, "ListObjectsV2.page2").await;
    let third = expect(&mut server, "GET", THIRD, "ListObjectsV2.page3").await;
    let objects = driver(&server).list_container_objects(&photos()).await.unwrap();
    for page in [first, second, third] {
        page.assert_async().await;
    }
    let names: Vec<_> = objects.iter().map(|object| object.name.as_str()).collect();
    assert_eq!(names, ["2024/cat.jpg", "2024/dog and cat+%.jpg", "//../\n", "u\u{308}&ü"]);
    assert_json_snapshot!(objects[1], @r#"
    {
      "name": "2024/dog and cat+%.jpg",
      "size": 10485761,
      "hash": "0cc175b9c0f1b6a831c399e269772661-2",
      "container": {
        "name": "photos",
        "extra": {}
      },
      "last_modified": "2024-03-01T10:20:30Z",
      "etag": "0cc175b9c0f1b6a831c399e269772661-2",
      "extra": {},
      "meta_data": {}
    }
    "#);
}

#[tokio::test]
async fn list_container_objects_with_a_prefix() {
    let mut server = Server::new_async().await;
    let target = format!("{OBJECTS}&prefix=a%2B%2F%20%25");
    let mock = expect(&mut server, "GET", &target, "ListObjectsV2.empty").await;
    let options = ListObjects::new().prefix("a+/ %");
    let objects = driver(&server).list_container_objects_with(&photos(), options).await.unwrap();
    mock.assert_async().await;
    assert_eq!(objects, []);
}

#[tokio::test]
async fn names_that_are_not_encoded_are_taken_as_they_are() {
    let mut server = Server::new_async().await;
    expect(&mut server, "GET", OBJECTS, "ListObjectsV2.plain").await;
    let objects = driver(&server).list_container_objects(&photos()).await.unwrap();
    assert_eq!((objects[0].name.as_str(), &objects[0].hash), (" a+b%20 ", &None));
}

#[tokio::test]
async fn a_listing_that_fails_in_the_middle_is_an_error() {
    let mut server = Server::new_async().await;
    expect(&mut server, "GET", OBJECTS, "ListObjectsV2.page1").await;
    let second = refuse(&mut server, "GET", SECOND, 500, "Error.internal").await.expect(3);
    let error = driver(&server).list_container_objects(&photos()).await.unwrap_err();
    second.assert_async().await;
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Provider, Retry::Exhausted));
    assert_eq!(error.operation(), Some("ListObjectsV2"));
}

#[tokio::test]
async fn a_listing_that_is_not_as_documented_is_an_error() {
    for (name, place) in [
        ("ListObjectsV2.no-token", "`ListBucketResult/NextContinuationToken`: it is missing"),
        ("ListObjectsV2.no-size", "`ListBucketResult/Contents/Size`: it is missing"),
    ] {
        let mut server = Server::new_async().await;
        expect(&mut server, "GET", OBJECTS, name).await;
        let error = driver(&server).list_container_objects(&photos()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::MalformedResponse);
        assert!(error.to_string().contains(place), "{error}");
    }
    let mut server = Server::new_async().await;
    refuse(&mut server, "GET", OBJECTS, 404, "Error.no-bucket").await;
    let error = driver(&server).list_container_objects(&photos()).await.unwrap_err();
    assert_about(&error, ErrorKind::NotFound, "container", "photos");
}

#[tokio::test]
async fn get_container() {
    let mut server = Server::new_async().await;
    let found = request(&mut server, "HEAD", "/photos").create_async().await;
    let driver = driver(&server);
    assert_eq!(driver.get_container("photos").await.unwrap(), photos());
    found.assert_async().await;

    let missing = request(&mut server, "HEAD", "/photos").with_status(404).create_async().await;
    let error = driver.get_container("photos").await.unwrap_err();
    assert_about(&error, ErrorKind::NotFound, "container", "photos");
    assert_eq!(error.to_string(), "s3 HeadBucket: container `photos` does not exist");
    missing.remove_async().await;

    request(&mut server, "HEAD", "/photos").with_status(403).create_async().await;
    let error = driver.get_container("photos").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidCredentials);
}

#[tokio::test]
async fn create_container() {
    let mut server = Server::new_async().await;
    let plain = request(&mut server, "PUT", "/photos").match_header("content-length", "0");
    let plain = plain.create_async().await;
    assert_eq!(driver(&server).create_container("photos").await.unwrap(), photos());
    plain.assert_async().await;

    let mut elsewhere = Server::new_async().await;
    let placed = elsewhere
        .mock("PUT", "/photos")
        .match_header("authorization", Matcher::Regex("/eu-west-1/s3/aws4_request, ".into()))
        .match_header("content-type", "application/xml")
        .match_body(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
             <CreateBucketConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
             <LocationConstraint>eu-west-1</LocationConstraint></CreateBucketConfiguration>",
        )
        .create_async()
        .await;
    let config = config(&elsewhere.url()).region("eu-west-1");
    S3Driver::new(config).unwrap().create_container("photos").await.unwrap();
    placed.assert_async().await;
}

#[tokio::test]
async fn create_container_that_cannot_be() {
    let mut server = Server::new_async().await;
    refuse(&mut server, "PUT", "/photos", 409, "Error.owned").await;
    let error = driver(&server).create_container("photos").await.unwrap_err();
    assert_about(&error, ErrorKind::AlreadyExists, "container", "photos");

    // At Amazon nothing is sent; elsewhere the server knows its rules.
    let amazon = S3Driver::new(Config::new("AKIDEXAMPLE", "canary-secret")).unwrap();
    let error = amazon.create_container("New_Container").await.unwrap_err();
    assert_about(&error, ErrorKind::InvalidName, "container", "New_Container");
    let other = request(&mut server, "PUT", "/New_Container").create_async().await;
    driver(&server).create_container("New_Container").await.unwrap();
    other.assert_async().await;
}

#[tokio::test]
async fn delete_container() {
    let mut server = Server::new_async().await;
    let done = request(&mut server, "DELETE", "/photos").with_status(204).create_async().await;
    let driver = driver(&server);
    driver.delete_container(&photos()).await.unwrap();
    done.assert_async().await;
    done.remove_async().await;
    for (status, name, kind) in
        [(409, "Error.not-empty", ErrorKind::NotEmpty), (404, "Error.no-bucket", ErrorKind::NotFound)]
    {
        let mock = refuse(&mut server, "DELETE", "/photos", status, name).await;
        let error = driver.delete_container(&photos()).await.unwrap_err();
        assert_about(&error, kind, "container", "photos");
        mock.remove_async().await;
    }
}
