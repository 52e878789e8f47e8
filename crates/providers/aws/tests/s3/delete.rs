//! Many objects deleted by few calls.

use libcloud_common::{ErrorKind, digest};

use crate::*;

fn document(names: &[&str]) -> String {
    let object = |name: &&str| format!("<Object><Key>{name}</Key></Object>");
    let objects: String = names.iter().map(object).collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Quiet>true</Quiet>{objects}</Delete>"
    )
}

fn batch(names: &[&str]) -> ExpectedRequest {
    let body = document(names);
    Exchange::post("/photos?delete=")
        .header("authorization", signed("content-md5;content-type;", "", ""))
        .header("content-md5", digest::md5_base64(&body))
        .header("content-type", "application/xml")
        .body(body)
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[tokio::test]
async fn what_could_not_be_deleted_is_told() {
    let server = Mock::start();
    server.expect(batch(&["a", " b &amp; c", "u\u{308}"]).answers(200).body_file(fixture("DeleteObjects")));
    let failures =
        driver(&server).ex_delete_objects(&photos(), owned(&["a", " b & c", "u\u{308}"])).await.unwrap();
    assert_eq!(
        serde_json::to_value(failures).unwrap(),
        json!([{"object_name": " b & c", "code": "AccessDenied", "message": "Access Denied"}])
    );
    server.expect(batch(&["a"]).answers(200).body_file(fixture("DeleteObjects.all")));
    let arguments = json!({"container": "photos", "object_names": ["a"]});
    assert_eq!(dynamic(&server).call("ex_delete_objects", arguments).await.unwrap(), json!([]));
    assert!(driver(&server).ex_delete_objects(&photos(), vec![]).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_call_takes_a_thousand() {
    let server = Mock::start();
    let names: Vec<String> = (0..1001).map(|n| format!("o{n:04}")).collect();
    let first: Vec<&str> = names[..1000].iter().map(String::as_str).collect();
    server.expect(batch(&first).answers(200).body_file(fixture("DeleteObjects.all")));
    server.expect(batch(&["o1000"]).answers(200).body_file(fixture("DeleteObjects.all")));
    assert!(driver(&server).ex_delete_objects(&photos(), names).await.unwrap().is_empty());
}

#[tokio::test]
async fn names_that_xml_cannot_hold_are_deleted_one_by_one() {
    let server = Mock::start();
    server.expect(batch(&["a"]).answers(200).body_file(fixture("DeleteObjects.all")));
    server.expect(request("DELETE", "/photos/%01").answers(204));
    refuse(&server, "DELETE", "/photos/%02", 403, "Error.denied");
    let failures =
        driver(&server).ex_delete_objects(&photos(), owned(&["\u{1}", "a", "\u{2}"])).await.unwrap();
    assert_eq!((failures[0].object_name.as_str(), failures[0].code.as_str()), ("\u{2}", "AccessDenied"));
}

#[tokio::test]
async fn so_is_everything_where_there_is_no_such_call() {
    let server = Mock::start();
    server.expect(Exchange::delete("/photos/a").answers(204));
    server.expect(Exchange::delete("/photos/b").answers(404).body_file(fixture("Error.no-bucket")));
    let old = config(server.url().as_str()).option("dialect", "old");
    let error =
        S3Driver::new(old).unwrap().ex_delete_objects(&photos(), owned(&["a", "b"])).await.unwrap_err();
    assert_about(&error, ErrorKind::NotFound, "container", "photos");
}

#[tokio::test]
async fn what_is_wrong_with_all_of_it_is_an_error() {
    let server = Mock::start();
    let driver = driver(&server);
    let error = driver.ex_delete_objects(&photos(), owned(&["a", ""])).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidName);
    server.expect(batch(&["a"]).answers(404).body_file(fixture("Error.no-bucket")));
    let error = driver.ex_delete_objects(&photos(), owned(&["a"])).await.unwrap_err();
    assert_about(&error, ErrorKind::NotFound, "container", "photos");
    // An error with the status of success.
    server.expect(batch(&["a"]).answers(200).body_file(fixture("Error.internal")));
    let error = driver.ex_delete_objects(&photos(), owned(&["a"])).await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::Provider, Some("InternalError")));
    server.expect(batch(&["a"]).answers(200).body("<ListBucketResult/>"));
    let error = driver.ex_delete_objects(&photos(), owned(&["a"])).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::MalformedResponse);
}
