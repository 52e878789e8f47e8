//! The S3 driver over HTTP: what is sent for each method, and what becomes of the answers.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod acl;
mod broken;
mod containers;
mod copy;
mod delete;
mod driver;
mod drivers;
mod encryption;
mod entries;
mod faults;
mod memory;
mod multipart;
mod objects;
mod places;
mod signature;
mod transfers;
mod uploads;

use libcloud_aws::{S3Driver, s3};
use libcloud_common::{
    Config, Error, ErrorKind, ManualClock, Registration, TransportConfig, json, sign::v4::EMPTY_PAYLOAD,
};
use libcloud_storage::{Container, Object, StorageDriver};
use libcloud_testkit::{Exchange, ExpectedRequest, Mock, Pattern, Subject, fixture_path, matching};
use std::sync::Arc;

/// The header of the signature, over these headers beside host, digest and date.
fn signed(before: &str, between: &str, after: &str) -> Pattern {
    matching(&format!(
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20240501/us-east-1/s3/aws4_request, \
         SignedHeaders={before}host;{between}x-amz-content-sha256;x-amz-date{after}, Signature=[0-9a-f]{{64}}"
    ))
}

fn fixture(name: &str) -> String {
    format!("fixtures/aws/s3/{name}.xml")
}

/// An expected request without body.
fn request(method: &str, target: &str) -> ExpectedRequest {
    Exchange::new(method, target)
        .header("authorization", signed("", "", ""))
        .header("x-amz-content-sha256", EMPTY_PAYLOAD)
        // Waiting before a repetition moves the clock.
        .header("x-amz-date", matching("20240501T083[0-9]{3}Z"))
}

/// An expected request without body, and its answer.
fn expect(server: &Mock, method: &str, target: &str, name: &str) {
    server.expect(answered(method, target, 200, name));
}

fn refuse(server: &Mock, method: &str, target: &str, status: u16, name: &str) {
    server.expect(answered(method, target, status, name));
}

fn answered(method: &str, target: &str, status: u16, name: &str) -> Exchange {
    request(method, target).answers(status).body_file(fixture(name))
}

/// For the tests that hold for every driver.
fn subject() -> Subject<dyn StorageDriver> {
    subject_of(s3()).debug(|config| format!("{:?}", S3Driver::new(config)))
}

/// The same for another service that speaks the protocol.
fn subject_of(registration: Registration<dyn StorageDriver>) -> Subject<dyn StorageDriver> {
    let config = Config::new("AKIDEXAMPLE", "canary-secret");
    Subject::new(registration, config)
        .sends_nothing(&["get_object_cdn_url", "ex_list_regions"])
        .args("upload_object", json!({"file_path": fixture_path("fixtures/aws/s3/ListBuckets.xml")}))
        .args("upload_object_via_stream", json!({"iterator": ["a", "bc"]}))
        .args("ex_delete_objects", json!({"container": "photos", "object_names": ["cat.jpg"]}))
        .args("ex_put_object_acl", json!({"obj": "photos/cat.jpg", "acl": "private"}))
}

fn config(url: &str) -> Config {
    let mut transport = TransportConfig::default();
    transport.retries = 2;
    Config::new("AKIDEXAMPLE", "canary-secret")
        .endpoint(url.parse().unwrap())
        .clock(ManualClock::at("2024-05-01T08:30:00Z".parse().unwrap()))
        .transport(transport)
}

fn driver(server: &Mock) -> S3Driver {
    S3Driver::new(config(server.url().as_str())).unwrap()
}

fn dynamic(server: &Mock) -> Arc<dyn StorageDriver> {
    (s3().factory)(config(server.url().as_str())).unwrap()
}

fn photos() -> Container {
    Container::new("photos")
}

fn cat() -> Object {
    Object::from_names("photos", "cat.jpg")
}

fn assert_about(error: &Error, kind: ErrorKind, resource: &str, id: &str) {
    assert_eq!((error.kind(), error.resource()), (kind, Some((resource, id))), "{error:#}");
}

/// The MD5 and SHA-256 of `abc`.
const MD5: &str = "900150983cd24fb0d6963f7d28e17f72";
const SHA256: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
