//! Levels of a container, and the first version of the listing.

use futures_util::TryStreamExt as _;
use libcloud_common::{ErrorKind, Result};
use libcloud_storage::{Entry, ListEntries, ListObjects, StorageDriverExt as _};
use libcloud_testkit::{Answer, Listing};

use crate::*;

async fn names(driver: &S3Driver, options: ListEntries) -> Result<Vec<String>> {
    let entries: Vec<Entry> = driver.iterate_container_entries_with(&photos(), options).try_collect().await?;
    Ok(entries.iter().map(|entry| entry.name().to_owned()).collect())
}

#[tokio::test]
async fn a_level_has_objects_and_prefixes() {
    let server = Mock::start();
    let level = "/photos?list-type=2&encoding-type=url&prefix=2024%2F&delimiter=%2F&start-after=2024%2Fa";
    expect(&server, "GET", level, "ListObjectsV2.level1");
    expect(&server, "GET", &format!("{level}&continuation-token=second"), "ListObjectsV2.level2");
    let options = ListEntries::new().prefix("2024/").delimiter("/").start_after("2024/a");
    let names = names(&driver(&server), options).await.unwrap();
    assert_eq!(names, ["2024/a b+/", "2024/cat.jpg", "2024/z/"]);
}

#[tokio::test]
async fn what_cannot_be_a_level_is_an_error() {
    let server = Mock::start();
    let driver = driver(&server);
    let error = names(&driver, ListEntries::new().ex_arg("ex_depth", 1)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    refuse(&server, "GET", "/photos?list-type=2&encoding-type=url", 404, "Error.no-bucket");
    let error = names(&driver, ListEntries::new()).await.unwrap_err();
    assert_about(&error, ErrorKind::NotFound, "container", "photos");
    // Nobody has asked for prefixes.
    expect(&server, "GET", "/photos?list-type=2&encoding-type=url", "ListObjectsV2.level2");
    let error = driver.list_container_objects(&photos()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::MalformedResponse);
}

fn old(server: &Mock) -> S3Driver {
    S3Driver::new(config(server.url().as_str()).option("dialect", "old").option("signature_version", 4))
        .unwrap()
}

#[tokio::test]
async fn the_first_version_goes_on_after_the_last_name() {
    let server = Mock::start();
    expect(&server, "GET", "/photos?encoding-type=url&prefix=2", "ListObjects.page1");
    let second = "/photos?encoding-type=url&prefix=2&marker=2024%2Fdog%20and%20cat%2B%25.jpg";
    expect(&server, "GET", second, "ListObjects.page2");
    let objects =
        old(&server).list_container_objects_with(&photos(), ListObjects::new().prefix("2")).await.unwrap();
    let names: Vec<_> = objects.iter().map(|object| object.name.as_str()).collect();
    assert_eq!(names, ["2024/cat.jpg", "2024/dog and cat+%.jpg", "2025/a"]);
}

#[tokio::test]
async fn levels_of_the_first_version_are_told_where_they_go_on() {
    let server = Mock::start();
    expect(&server, "GET", "/photos?encoding-type=url&delimiter=%2F&marker=a", "ListObjects.level");
    expect(&server, "GET", "/photos?encoding-type=url&delimiter=%2F&marker=b%20b%2F", "ListObjects.page2");
    let options = ListEntries::new().delimiter("/").start_after("a");
    assert_eq!(names(&old(&server), options).await.unwrap(), ["b b/", "2025/a"]);
    // Not the end, and nothing to go on from.
    expect(&server, "GET", "/photos?encoding-type=url", "ListObjects.empty");
    let error = names(&old(&server), ListEntries::new()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::MalformedResponse);
}

#[tokio::test]
async fn every_page_of_the_first_version_is_read() {
    let config = Config::new("AKIDEXAMPLE", "canary-secret").option("dialect", "old");
    let subject: Subject<dyn StorageDriver> = Subject::new(s3(), config);
    Listing::new(
        |driver: &dyn StorageDriver| driver.iterate_container_objects(&photos()),
        |page| {
            let object = |id: &String| format!("<Contents><Key>{id}</Key><Size>1</Size></Contents>");
            let objects: String = page.ids.iter().map(object).collect();
            let next = page.next.map(|next| format!("<NextMarker>page/{next}</NextMarker>"));
            Answer::new(200).body(format!(
                "<ListBucketResult><IsTruncated>{}</IsTruncated>{}{objects}</ListBucketResult>",
                next.is_some(),
                next.unwrap_or_default()
            ))
        },
    )
    .key("name")
    .asks(|page| format!("marker=page%2F{page}"))
    .prove(&subject)
    .await;
}
