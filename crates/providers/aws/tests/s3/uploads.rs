//! Uploads in parts that were begun and not ended.

use futures_util::TryStreamExt as _;
use insta::assert_json_snapshot;
use libcloud_aws::s3::MultipartUpload;
use libcloud_common::{ErrorKind, Result, Retry};

use crate::*;

/// One whose listings of uploads are encoded.
fn driver(server: &Mock) -> S3Driver {
    S3Driver::new(config(server.url().as_str()).option("dialect", "amazon")).unwrap()
}

const FIRST: &str = "/photos?uploads=&encoding-type=url";
const SECOND: &str =
    "/photos?uploads=&encoding-type=url&key-marker=2024%2Fb%20%2B%25&upload-id-marker=id%2F2%2B";

async fn list(
    driver: &S3Driver,
    prefix: Option<&str>,
    delimiter: Option<&str>,
) -> Result<Vec<MultipartUpload>> {
    let (prefix, delimiter) = (prefix.map(str::to_owned), delimiter.map(str::to_owned));
    driver.ex_iterate_multipart_uploads(&photos(), prefix, delimiter).try_collect().await
}

#[tokio::test]
async fn all_pages_are_listed() {
    let server = Mock::start();
    expect(&server, "GET", FIRST, "ListMultipartUploads.page1");
    expect(&server, "GET", SECOND, "ListMultipartUploads.page2");
    let uploads = list(&driver(&server), None, None).await.unwrap();
    assert_json_snapshot!(uploads, @r#"
    [
      {
        "key": "2024/a",
        "id": "id/1",
        "created_at": "2024-03-01T10:20:30Z",
        "initiator": "ops",
        "owner": "75aa57f09aa0c8caeab4f8c24e99d10f8e7faeebf76c078efc7c6caea54ba06a",
        "storage_class": "STANDARD"
      },
      {
        "key": "2024/b +%",
        "id": "id/2+",
        "created_at": "2024-03-02T10:20:30Z",
        "initiator": null,
        "owner": null,
        "storage_class": "GLACIER"
      },
      {
        "key": "2024/b +%",
        "id": "id/3",
        "created_at": "2024-03-03T10:20:30Z",
        "initiator": null,
        "owner": null,
        "storage_class": null
      }
    ]
    "#);
}

#[tokio::test]
async fn a_level_is_listed() {
    let server = Mock::start();
    let target = format!("{FIRST}&prefix=2024%2F&delimiter=%2F");
    expect(&server, "GET", &target, "ListMultipartUploads.empty");
    assert_eq!(list(&driver(&server), Some("2024/"), Some("/")).await.unwrap(), []);
    // Elsewhere names are as XML has them.
    let plain = target.replace("&encoding-type=url", "");
    expect(&server, "GET", &plain, "ListMultipartUploads.empty");
    let arguments = json!({"container": "photos", "prefix": "2024/", "delimiter": "/"});
    let listed = dynamic(&server).call("ex_iterate_multipart_uploads", arguments).await.unwrap();
    assert_eq!(listed, json!([]));
}

#[tokio::test]
async fn a_listing_that_fails_is_an_error() {
    let server = Mock::start();
    expect(&server, "GET", FIRST, "ListMultipartUploads.page1");
    server.expect(answered("GET", SECOND, 500, "Error.internal").times(3));
    let error = list(&driver(&server), None, None).await.unwrap_err();
    assert_eq!((error.operation(), error.retry()), (Some("ListMultipartUploads"), Retry::Exhausted));
    refuse(&server, "GET", FIRST, 404, "Error.no-bucket");
    let error = list(&driver(&server), None, None).await.unwrap_err();
    assert_about(&error, ErrorKind::NotFound, "container", "photos");
}

#[tokio::test]
async fn one_is_thrown_away() {
    let server = Mock::start();
    let driver = driver(&server);
    let target = "/photos/large?uploadId=up%2Fload%2B1";
    server.expect(request("DELETE", target).answers(204));
    driver.ex_abort_multipart_upload(&photos(), "large", "up/load+1").await.unwrap();
    // Somebody else was faster.
    refuse(&server, "DELETE", target, 404, "Error.no-upload");
    driver.ex_abort_multipart_upload(&photos(), "large", "up/load+1").await.unwrap();
    refuse(&server, "DELETE", target, 404, "Error.no-bucket");
    let error = driver.ex_abort_multipart_upload(&photos(), "large", "up/load+1").await.unwrap_err();
    assert_about(&error, ErrorKind::NotFound, "container", "photos");
}

#[tokio::test]
async fn all_are_thrown_away() {
    let server = Mock::start();
    let with_prefix = |target: &str| target.replace("=url", "=url&prefix=2024%2F");
    expect(&server, "GET", &with_prefix(FIRST), "ListMultipartUploads.page1");
    server.expect(request("DELETE", "/photos/2024/a?uploadId=id%2F1").answers(204));
    server.expect(request("DELETE", "/photos/2024/b%20%2B%25?uploadId=id%2F2%2B").answers(204));
    expect(&server, "GET", &with_prefix(SECOND), "ListMultipartUploads.page2");
    refuse(&server, "DELETE", "/photos/2024/b%20%2B%25?uploadId=id%2F3", 404, "Error.no-upload");
    driver(&server).ex_cleanup_all_multipart_uploads(&photos(), Some("2024/".into())).await.unwrap();
}

#[tokio::test]
async fn what_cannot_be_thrown_away_is_an_error() {
    let server = Mock::start();
    expect(&server, "GET", FIRST, "ListMultipartUploads.page1");
    refuse(&server, "DELETE", "/photos/2024/a?uploadId=id%2F1", 403, "Error.signature");
    let error = driver(&server).ex_cleanup_all_multipart_uploads(&photos(), None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidCredentials);
}
