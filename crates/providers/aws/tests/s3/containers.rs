//! Containers, and the listings of their objects.

use insta::assert_json_snapshot;
use libcloud_common::{ErrorKind, Retry};
use libcloud_storage::{ListObjects, StorageDriverExt as _};
use libcloud_testkit::{Answer, Listing};

use crate::*;

const OBJECTS: &str = "/photos?list-type=2&encoding-type=url";
const SECOND: &str = "/photos?list-type=2&encoding-type=url\
    &continuation-token=1ueGcxLPRx1Tr%2FXYExHnhbYLgveDs2J%2Bwm36Hy4vbOwM%3D";
const THIRD: &str = "/photos?list-type=2&encoding-type=url&continuation-token=second";

#[tokio::test]
async fn list_containers() {
    let server = Mock::start();
    expect(&server, "GET", "/", "ListBuckets");
    let containers = driver(&server).list_containers().await.unwrap();
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
    let server = Mock::start();
    expect(&server, "GET", "/", "ListBuckets.page1");
    expect(&server, "GET", "/?continuation-token=next%2F1%3D", "ListBuckets");
    let driver = driver(&server);
    assert_eq!(driver.list_containers().await.unwrap().len(), 3);
    expect(&server, "GET", "/", "ListBuckets.empty");
    assert_eq!(driver.list_containers().await.unwrap(), []);
}

#[tokio::test]
async fn list_container_objects() {
    let server = Mock::start();
    expect(&server, "GET", OBJECTS, "ListObjectsV2.page1");
    // Empty, and not the last.
    expect(&server, "GET", SECOND, "ListObjectsV2.page2");
    expect(&server, "GET", THIRD, "ListObjectsV2.page3");
    let objects = driver(&server).list_container_objects(&photos()).await.unwrap();
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
    let server = Mock::start();
    let target = format!("{OBJECTS}&prefix=a%2B%2F%20%25");
    expect(&server, "GET", &target, "ListObjectsV2.empty");
    let options = ListObjects::new().prefix("a+/ %");
    let objects = driver(&server).list_container_objects_with(&photos(), options).await.unwrap();
    assert_eq!(objects, []);
}

#[tokio::test]
async fn names_that_are_not_encoded_are_taken_as_they_are() {
    let server = Mock::start();
    expect(&server, "GET", OBJECTS, "ListObjectsV2.plain");
    let objects = driver(&server).list_container_objects(&photos()).await.unwrap();
    assert_eq!((objects[0].name.as_str(), &objects[0].hash), (" a+b%20 ", &None));
}

#[tokio::test]
async fn a_listing_that_fails_in_the_middle_is_an_error() {
    let server = Mock::start();
    expect(&server, "GET", OBJECTS, "ListObjectsV2.page1");
    server.expect(answered("GET", SECOND, 500, "Error.internal").times(3));
    let error = driver(&server).list_container_objects(&photos()).await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Provider, Retry::Exhausted));
    assert_eq!(error.operation(), Some("ListObjectsV2"));
}

#[tokio::test]
async fn a_listing_that_is_not_as_documented_is_an_error() {
    for (name, place) in [
        ("ListObjectsV2.no-token", "`ListBucketResult/NextContinuationToken`: it is missing"),
        ("ListObjectsV2.no-size", "`ListBucketResult/Contents/Size`: it is missing"),
    ] {
        let server = Mock::start();
        expect(&server, "GET", OBJECTS, name);
        let error = driver(&server).list_container_objects(&photos()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::MalformedResponse);
        assert!(error.to_string().contains(place), "{error}");
    }
    let server = Mock::start();
    refuse(&server, "GET", OBJECTS, 404, "Error.no-bucket");
    let error = driver(&server).list_container_objects(&photos()).await.unwrap_err();
    assert_about(&error, ErrorKind::NotFound, "container", "photos");
}

#[tokio::test]
async fn get_container() {
    let server = Mock::start();
    server.expect(request("HEAD", "/photos").answers(200));
    let driver = driver(&server);
    assert_eq!(driver.get_container("photos").await.unwrap(), photos());

    server.expect(request("HEAD", "/photos").answers(404));
    let error = driver.get_container("photos").await.unwrap_err();
    assert_about(&error, ErrorKind::NotFound, "container", "photos");
    assert_eq!(error.to_string(), "s3 HeadBucket: container `photos` does not exist");

    server.expect(request("HEAD", "/photos").answers(403));
    let error = driver.get_container("photos").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidCredentials);
}

#[tokio::test]
async fn create_container() {
    let server = Mock::start();
    server.expect(request("PUT", "/photos").header("content-length", "0").answers(200));
    assert_eq!(driver(&server).create_container("photos").await.unwrap(), photos());

    let elsewhere = Mock::start();
    elsewhere.expect(
        Exchange::put("/photos")
            .header("authorization", matching(".*/eu-west-1/s3/aws4_request, .*"))
            .header("content-type", "application/xml")
            .body(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
                 <CreateBucketConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
                 <LocationConstraint>eu-west-1</LocationConstraint></CreateBucketConfiguration>",
            )
            .answers(200),
    );
    let config = config(elsewhere.url().as_str()).region("eu-west-1");
    S3Driver::new(config).unwrap().create_container("photos").await.unwrap();
}

#[tokio::test]
async fn create_container_that_cannot_be() {
    let server = Mock::start();
    refuse(&server, "PUT", "/photos", 409, "Error.owned");
    let error = driver(&server).create_container("photos").await.unwrap_err();
    assert_about(&error, ErrorKind::AlreadyExists, "container", "photos");

    // At Amazon nothing is sent; elsewhere the server knows its rules.
    let amazon = S3Driver::new(Config::new("AKIDEXAMPLE", "canary-secret")).unwrap();
    let error = amazon.create_container("New_Container").await.unwrap_err();
    assert_about(&error, ErrorKind::InvalidName, "container", "New_Container");
    server.expect(request("PUT", "/New_Container").answers(200));
    driver(&server).create_container("New_Container").await.unwrap();
}

#[tokio::test]
async fn delete_container() {
    let server = Mock::start();
    server.expect(request("DELETE", "/photos").answers(204));
    let driver = driver(&server);
    driver.delete_container(&photos()).await.unwrap();
    for (status, name, kind) in
        [(409, "Error.not-empty", ErrorKind::NotEmpty), (404, "Error.no-bucket", ErrorKind::NotFound)]
    {
        refuse(&server, "DELETE", "/photos", status, name);
        let error = driver.delete_container(&photos()).await.unwrap_err();
        assert_about(&error, kind, "container", "photos");
    }
}

#[tokio::test]
async fn every_page_of_objects_is_read() {
    Listing::new(
        |driver: &dyn StorageDriver| driver.iterate_container_objects(&photos()),
        |page| {
            let object = |id: &String| {
                format!(
                    "<Contents><Key>{id}</Key><LastModified>2024-03-01T10:20:30.000Z</LastModified>\
                     <ETag>\"0cc175b9c0f1b6a831c399e269772661\"</ETag><Size>1</Size></Contents>"
                )
            };
            let objects: String = page.ids.iter().map(object).collect();
            let next =
                page.next.map(|next| format!("<NextContinuationToken>page/{next}</NextContinuationToken>"));
            Answer::new(200).body(format!(
                "<ListBucketResult><Name>photos</Name><EncodingType>url</EncodingType>\
                 <IsTruncated>{}</IsTruncated>{objects}{}</ListBucketResult>",
                next.is_some(),
                next.unwrap_or_default()
            ))
        },
    )
    .key("name")
    .asks(|page| format!("continuation-token=page%2F{page}"))
    .prove(&subject())
    .await;
}
