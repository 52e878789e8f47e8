//! Containers of another region: followed once, remembered, and never to another server.

use libcloud_common::ErrorKind;
use libcloud_storage::StorageDriverExt as _;
use libcloud_testkit::Answer;

use crate::*;

fn signed_for(region: &str) -> Pattern {
    matching(&format!("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20240501/{region}/s3/aws4_request, .*"))
}

fn head(target: &str, region: &str, answer: impl Into<Answer>) -> Exchange {
    Exchange::new("HEAD", target).header("authorization", signed_for(region)).answers(answer)
}

fn found() -> Answer {
    Answer::new(200).header("content-length", "3").header("etag", format!("\"{MD5}\""))
}

#[tokio::test]
async fn a_hint_is_followed_once_and_remembered_by_all_clones() {
    let server = Mock::start();
    let driver = driver(&server);
    let hint = Answer::new(301).header("x-amz-bucket-region", "eu-west-1");
    server.expect(head("/photos/cat.jpg", "us-east-1", hint));
    server.expect(head("/photos/cat.jpg", "eu-west-1", found()).times(2));
    let clone = driver.clone();
    driver.get_object("photos", "cat.jpg").await.unwrap();
    clone.get_object("photos", "cat.jpg").await.unwrap();
    // A URL is signed for it, too.
    let url = clone.get_object_cdn_url(&cat()).await.unwrap();
    assert!(url.contains("%2Feu-west-1%2Fs3%2F"), "{url}");
    // Of other containers, nothing is known.
    server.expect(head("/other/cat.jpg", "us-east-1", found()));
    driver.get_object("other", "cat.jpg").await.unwrap();
    assert_eq!(driver.region(), "us-east-1");
}

#[tokio::test]
async fn every_form_of_the_hint_is_understood() {
    let error = |code: &str, more: &str| {
        format!("<Error><Code>{code}</Code><Message>Elsewhere.</Message>{more}</Error>")
    };
    for (status, body) in [
        (400, error("AuthorizationHeaderMalformed", "<Region>eu-west-1</Region>")),
        (301, error("PermanentRedirect", "<Endpoint>photos.s3.eu-west-1.amazonaws.com</Endpoint>")),
        (307, error("TemporaryRedirect", "<Endpoint>photos.s3-eu-west-1.amazonaws.com</Endpoint>")),
    ] {
        let server = Mock::start();
        let delete = |region: &str| Exchange::delete("/photos").header("authorization", signed_for(region));
        server.expect(delete("us-east-1").answers(status).body(body));
        server.expect(delete("eu-west-1").answers(204));
        driver(&server).delete_container(&photos()).await.unwrap();
    }
    // The answer to HEAD has no body; this may as well be a token that has expired.
    let server = Mock::start();
    let hint = Answer::new(400).header("x-amz-bucket-region", "eu-west-1");
    server.expect(head("/photos", "us-east-1", hint.clone()));
    server.expect(head("/photos", "eu-west-1", hint));
    let error = driver(&server).get_container("photos").await.unwrap_err();
    assert!(error.to_string().contains("is the driver configured with it?"), "{error}");
}

#[tokio::test]
async fn what_leads_nowhere_is_an_error() {
    let server = Mock::start();
    let driver = driver(&server);
    let to = |region: &str| Answer::new(301).header("x-amz-bucket-region", region);
    // To and fro.
    server.expect(head("/photos", "us-east-1", to("eu-west-1")));
    server.expect(head("/photos", "eu-west-1", to("us-east-1")));
    let error = driver.get_container("photos").await.unwrap_err();
    assert_about(&error, ErrorKind::InvalidArgument, "region", "us-east-1");
    assert!(error.to_string().contains("in the region us-east-1: configure the driver with it"), "{error}");
    // What is no region.
    server.expect(head("/other", "us-east-1", to("evil.example/")));
    driver.get_container("other").await.unwrap_err();
    // A place without one.
    let global = "<Error><Code>TemporaryRedirect</Code><Message>Wait a while.</Message>\
                  <Endpoint>s3.amazonaws.com</Endpoint></Error>";
    server.expect(Exchange::get("/other?list-type=2&encoding-type=url").answers(307).body(global));
    let error = driver.list_container_objects(&Container::new("other")).await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::Provider, Some("TemporaryRedirect")));
}

#[tokio::test]
async fn another_server_is_not_followed() {
    let other = Mock::start();
    let server = Mock::start();
    let away = Answer::new(307)
        .header("location", other.url().join("/photos/cat.jpg").unwrap().as_str())
        .body("<Error><Code>TemporaryRedirect</Code><Message>There.</Message></Error>");
    server.expect(Exchange::get("/photos/cat.jpg").answers(away));
    let error = driver(&server).download_object_as_stream(&cat()).await.unwrap_err();
    assert_eq!(error.code(), Some("TemporaryRedirect"));
}

#[tokio::test]
async fn parts_go_where_the_upload_begins() {
    let server = Mock::start();
    let driver = S3Driver::new(config(server.url().as_str()).option("parts_in_flight", 1)).unwrap();
    let to = |method: &str, region: &str| {
        Exchange::new(method, "/photos/large").header("authorization", signed_for(region)).any_body()
    };
    server.expect(
        to("POST", "us-east-1").query("uploads=").answers(301).header("x-amz-bucket-region", "eu-west-1"),
    );
    server.expect(
        to("POST", "eu-west-1").query("uploads=").answers(200).body_file(fixture("CreateMultipartUpload")),
    );
    for number in [1, 2] {
        let query = format!("partNumber={number}&uploadId=up%2Fload%2B1");
        server.expect(to("PUT", "eu-west-1").query(query).answers(200).header("etag", "\"x\""));
    }
    server.expect(
        to("POST", "eu-west-1")
            .query("uploadId=up%2Fload%2B1")
            .answers(200)
            .body_file(fixture("CompleteMultipartUpload")),
    );
    let body = bytes::Bytes::from(vec![b'x'; 9 << 20]);
    driver.upload_object_via_stream(body.into(), &photos(), "large").await.unwrap();
}
