//! The S3 driver over HTTP: what is sent for each method, and what becomes of the answers.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod broken;
mod containers;
mod driver;
mod objects;
mod transfers;

use libcloud_aws::{S3Driver, s3};
use libcloud_common::{Config, Error, ErrorKind, ManualClock, TransportConfig, sign::v4::EMPTY_PAYLOAD};
use libcloud_storage::{Container, Object, StorageDriver};
use mockito::{Matcher, Mock, ServerGuard};
use std::sync::Arc;

/// The header of the signature, over these headers beside host, digest and date.
fn signed(before: &str, between: &str, after: &str) -> Matcher {
    Matcher::Regex(format!(
        "^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20240501/us-east-1/s3/aws4_request, \
         SignedHeaders={before}host;{between}x-amz-content-sha256;x-amz-date{after}, Signature=[0-9a-f]{{64}}$"
    ))
}

fn fixture(name: &str) -> String {
    format!("{}/../../../fixtures/aws/s3/{name}.xml", env!("CARGO_MANIFEST_DIR"))
}

/// An expected request without body.
fn request(server: &mut ServerGuard, method: &str, target: &str) -> Mock {
    server
        .mock(method, target)
        .match_header("authorization", signed("", "", ""))
        .match_header("x-amz-content-sha256", EMPTY_PAYLOAD)
        // Waiting before a repetition moves the clock.
        .match_header("x-amz-date", Matcher::Regex("^20240501T083[0-9]{3}Z$".into()))
        .match_body("")
        .expect(1)
}

/// An expected request without body, and its answer.
async fn expect(server: &mut ServerGuard, method: &str, target: &str, name: &str) -> Mock {
    request(server, method, target).with_body_from_file(fixture(name)).create_async().await
}

async fn refuse(server: &mut ServerGuard, method: &str, target: &str, status: usize, name: &str) -> Mock {
    let mock = request(server, method, target).with_status(status);
    mock.with_body_from_file(fixture(name)).create_async().await
}

fn config(url: &str) -> Config {
    let mut transport = TransportConfig::default();
    transport.retries = 2;
    Config::new("AKIDEXAMPLE", "canary-secret")
        .endpoint(url.parse().unwrap())
        .clock(ManualClock::at("2024-05-01T08:30:00Z".parse().unwrap()))
        .transport(transport)
}

fn driver(server: &ServerGuard) -> S3Driver {
    S3Driver::new(config(&server.url())).unwrap()
}

fn dynamic(server: &ServerGuard) -> Arc<dyn StorageDriver> {
    (s3().factory)(config(&server.url())).unwrap()
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
