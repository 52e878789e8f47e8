//! Containers, and the listings of their objects.

use libcloud_common::{ErrorKind, Retry};
use libcloud_storage::{ListObjects, StorageDriverExt as _};
use libcloud_testkit::Listing;

use crate::*;

const CONTAINERS: &str = "/?comp=list&include=metadata";
const BLOBS: &str = "/photos?restype=container&comp=list&include=metadata";
const FIRST: &str = "/photos?restype=container&comp=list&include=metadata&maxresults=1";
const PHOTOS: &str = "/photos?restype=container";

fn described() -> Answer {
    Answer::new(200)
        .header("etag", "\"0x8DC39D8F1A2B3C4\"")
        .header("last-modified", "Fri, 01 Mar 2024 10:20:30 GMT")
        .header("x-ms-lease-status", "unlocked")
        .header("x-ms-lease-state", "available")
        .header("x-ms-meta-owner", "Ada")
}

#[tokio::test]
async fn list_containers() {
    let server = Mock::start();
    expect(&server, "GET", CONTAINERS, "ListContainers");
    let mut containers = driver(&server).list_containers().await.unwrap();
    for container in &mut containers {
        let url = container.extra.remove("url").unwrap();
        assert_eq!(url.as_str().unwrap(), format!("{}{}", server.url(), container.name.replace('$', "%24")));
    }
    assert_eq!(
        as_json(&containers),
        json!([
          {
            "name": "photos",
            "extra": {
              "last_modified": "2024-03-01T10:20:30Z",
              "etag": "0x8DC39D8F1A2B3C4",
              "lease": {
                "status": "locked",
                "state": "leased",
                "duration": "infinite"
              },
              "meta_data": {
                "owner": "Ada"
              }
            }
          },
          {
            "name": "$web",
            "extra": {
              "last_modified": "2024-01-31T08:15:30Z",
              "etag": "0x8DC2238F1A2B3C5",
              "lease": {
                "status": "unlocked",
                "state": "available",
                "duration": null
              },
              "meta_data": {}
            }
          }
        ])
    );
}

#[tokio::test]
async fn list_containers_of_no_and_of_several_pages() {
    let server = Mock::start();
    expect(&server, "GET", CONTAINERS, "ListContainers.page1");
    expect(&server, "GET", &format!("{CONTAINERS}&marker=%2Faccount%2Fphotos%2B1"), "ListContainers");
    let driver = driver(&server);
    assert_eq!(driver.list_containers().await.unwrap().len(), 3);
    expect(&server, "GET", CONTAINERS, "ListContainers.empty");
    assert_eq!(driver.list_containers().await.unwrap(), []);
    refuse(&server, "GET", CONTAINERS, 403, "AuthenticationFailed");
    let error = driver.list_containers().await.unwrap_err();
    assert_eq!((error.kind(), error.request_id()), (ErrorKind::InvalidCredentials, Some("5f1c7a3e")));
}

#[tokio::test]
async fn list_container_objects() {
    let server = Mock::start();
    expect(&server, "GET", BLOBS, "ListBlobs.page1");
    // Empty, and not the last.
    expect(&server, "GET", &format!("{BLOBS}&marker=2%2176%21page%2F2%2B%3D"), "ListBlobs.page2");
    expect(&server, "GET", &format!("{BLOBS}&marker=third"), "ListBlobs.page3");
    let mut objects = driver(&server).list_container_objects(&photos()).await.unwrap();
    let names: Vec<_> = objects.iter().map(|object| object.name.as_str()).collect();
    assert_eq!(names, ["2024/cat.jpg", " //../a+b%20", "bell\u{7}+ü"]);
    let urls: Vec<_> =
        objects.iter_mut().map(|object| object.extra.remove("url").unwrap().to_string()).collect();
    assert!(urls[1].ends_with("/photos/%20//../a%2Bb%2520\""), "{urls:?}");
    assert_eq!(
        as_json(&objects[0]),
        json!({
          "name": "2024/cat.jpg",
          "size": 3,
          "hash": "0x8DC39D8F1A2B3C4",
          "container": {
            "name": "photos",
            "extra": {}
          },
          "content_type": "image/jpeg",
          "last_modified": "2024-03-01T10:20:30Z",
          "etag": "0x8DC39D8F1A2B3C4",
          "extra": {
            "etag": "0x8DC39D8F1A2B3C4",
            "md5_hash": "900150983cd24fb0d6963f7d28e17f72",
            "content_type": "image/jpeg",
            "last_modified": "2024-03-01T10:20:30Z",
            "lease": {
              "status": "unlocked",
              "state": "available",
              "duration": null
            },
            "blob_type": "BlockBlob",
            "access_tier": "Hot"
          },
          "meta_data": {
            "author": "Ada"
          }
        })
    );
}

#[tokio::test]
async fn list_container_objects_with_a_prefix_and_small_pages() {
    let server = Mock::start();
    expect(&server, "GET", &format!("{BLOBS}&maxresults=2&prefix=a%2B%2F%20%25"), "ListBlobs.empty");
    let driver = AzureBlobsDriver::new(config(server.url().as_str()).option("page_size", 2)).unwrap();
    let options = ListObjects::new().prefix("a+/ %");
    assert_eq!(driver.list_container_objects_with(&photos(), options).await.unwrap(), []);
}

#[tokio::test]
async fn a_listing_that_fails_or_is_not_as_documented_is_an_error() {
    let server = Mock::start();
    let driver = driver(&server);
    expect(&server, "GET", BLOBS, "ListBlobs.page1");
    let second = format!("{BLOBS}&marker=2%2176%21page%2F2%2B%3D");
    server.expect(request("GET", &second).answers(refused(500, "InternalError")).times(3));
    let error = driver.list_container_objects(&photos()).await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Provider, Retry::Exhausted));
    assert_eq!(error.operation(), Some("ListBlobs"));

    expect(&server, "GET", BLOBS, "ListBlobs.no-length");
    let error = driver.list_container_objects(&photos()).await.unwrap_err();
    let place = "`EnumerationResults/Blobs/Blob/Properties/Content-Length`: it is missing";
    assert_eq!(error.kind(), ErrorKind::MalformedResponse);
    assert!(error.to_string().contains(place), "{error}");

    refuse(&server, "GET", BLOBS, 404, "ContainerNotFound");
    let error = driver.list_container_objects(&photos()).await.unwrap_err();
    assert_about(&error, ErrorKind::NotFound, "container", "photos");
}

#[tokio::test]
async fn get_container() {
    let server = Mock::start();
    server.expect(request("HEAD", PHOTOS).answers(described()));
    let driver = driver(&server);
    let container = driver.get_container("photos").await.unwrap();
    let extra: libcloud_azure::blobs::ContainerExtra = container.extra_as().unwrap();
    assert_eq!(extra.url, Some(format!("{}photos", server.url())));
    assert_eq!(extra.etag.as_deref(), Some("0x8DC39D8F1A2B3C4"));
    assert_eq!(extra.last_modified, Some("2024-03-01T10:20:30Z".parse().unwrap()));
    assert_eq!(extra.lease.state.as_deref(), Some("available"));
    assert_eq!(extra.meta_data["owner"], "Ada");

    // The answer to HEAD has no body.
    let missing = || Answer::new(404).header("x-ms-error-code", "ContainerNotFound");
    server.expect(request("HEAD", PHOTOS).answers(missing()));
    let error = driver.get_container("photos").await.unwrap_err();
    assert_about(&error, ErrorKind::NotFound, "container", "photos");
    assert_eq!(
        error.to_string(),
        "azure_blobs GetContainerProperties: container `photos` does not exist (ContainerNotFound)"
    );
    let wrong = Answer::new(200).header("last-modified", "yesterday");
    server.expect(request("HEAD", PHOTOS).answers(wrong));
    let error = driver.get_container("photos").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::MalformedResponse, "{error}");
    assert_eq!(error.operation(), Some("GetContainerProperties"));
}

#[tokio::test]
async fn create_container() {
    let server = Mock::start();
    server.expect(
        request("PUT", PHOTOS).header("content-length", "0").answers(
            Answer::new(201)
                .header("etag", "\"0x8DC39D8F1A2B3C4\"")
                .header("last-modified", "Fri, 01 Mar 2024 10:20:30 GMT"),
        ),
    );
    let driver = driver(&server);
    let container = driver.create_container("photos").await.unwrap();
    assert_eq!((container.name.as_str(), &container.extra["etag"]), ("photos", &json!("0x8DC39D8F1A2B3C4")));

    refuse(&server, "PUT", PHOTOS, 409, "ContainerAlreadyExists");
    let error = driver.create_container("photos").await.unwrap_err();
    assert_about(&error, ErrorKind::AlreadyExists, "container", "photos");
    // Whether to wait is the caller's choice: it takes half a minute and more.
    refuse(&server, "PUT", PHOTOS, 409, "ContainerBeingDeleted");
    let error = driver.create_container("photos").await.unwrap_err();
    assert_about(&error, ErrorKind::InvalidState, "container", "photos");
    assert_eq!(error.retry(), Retry::Retryable(None));
    let error = driver.create_container("New_Container").await.unwrap_err();
    assert_about(&error, ErrorKind::InvalidName, "container", "New_Container");
}

#[tokio::test]
async fn delete_container() {
    let server = Mock::start();
    let driver = driver(&server);
    expect(&server, "GET", FIRST, "ListBlobs.empty");
    server.expect(request("DELETE", PHOTOS).answers(202));
    driver.delete_container(&photos()).await.unwrap();

    // Azure would delete what is in it.
    expect(&server, "GET", FIRST, "ListBlobs.page1");
    let error = driver.delete_container(&photos()).await.unwrap_err();
    assert_about(&error, ErrorKind::NotEmpty, "container", "photos");

    // An empty page may not be the last.
    expect(&server, "GET", FIRST, "ListBlobs.page2");
    expect(&server, "GET", &format!("{FIRST}&marker=third"), "ListBlobs.page3");
    let error = driver.delete_container(&photos()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotEmpty);

    refuse(&server, "GET", FIRST, 404, "ContainerNotFound");
    let error = driver.delete_container(&photos()).await.unwrap_err();
    assert_about(&error, ErrorKind::NotFound, "container", "photos");
}

#[tokio::test]
async fn every_page_of_containers_is_read() {
    let listing = Listing::new(
        |driver: &dyn StorageDriver| driver.iterate_containers(),
        |page| {
            let item = |id: &String| format!("<Container><Name>{id}</Name></Container>");
            let items: String = page.ids.iter().map(item).collect();
            let next = page.next.map(|next| format!("page/{next}")).unwrap_or_default();
            Answer::new(200).body(format!(
                "<EnumerationResults><Containers>{items}</Containers><NextMarker>{next}</NextMarker></EnumerationResults>"
            ))
        },
    );
    listing.key("name").asks(|page| format!("marker=page%2F{page}")).prove(&subject()).await;
}

#[tokio::test]
async fn every_page_of_objects_is_read() {
    let listing = Listing::new(
        |driver: &dyn StorageDriver| driver.iterate_container_objects(&photos()),
        |page| {
            let item = |id: &String| {
                format!(
                    "<Blob><Name>{id}</Name><Properties><Content-Length>1</Content-Length></Properties></Blob>"
                )
            };
            let items: String = page.ids.iter().map(item).collect();
            let next = page.next.map(|next| format!("page/{next}")).unwrap_or_default();
            Answer::new(200).body(format!(
                "<EnumerationResults><Blobs>{items}</Blobs><NextMarker>{next}</NextMarker></EnumerationResults>"
            ))
        },
    );
    listing.key("name").asks(|page| format!("marker=page%2F{page}")).prove(&subject()).await;
}
