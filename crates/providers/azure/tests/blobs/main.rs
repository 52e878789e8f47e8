//! The Azure Blobs driver over HTTP: what is sent for each method, and what becomes of the answers.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod broken;
mod containers;
mod driver;
mod objects;
mod pages;
mod transfers;

use std::sync::Arc;

use libcloud_azure::{AzureBlobsDriver, storage};
use libcloud_common::{Config, Error, ErrorKind, ManualClock, TransportConfig, Value, json};
use libcloud_storage::{Container, Object, StorageDriver};
use libcloud_testkit::{Answer, Exchange, ExpectedRequest, Mock, Subject, fixture_path, matching};

const KEY: &str = "Y2FuYXJ5LXNlY3JldA==";

fn fixture(name: &str) -> String {
    format!("fixtures/azure/storage/{name}.xml")
}

/// An expected request with signature, date and version.
fn request(method: &str, target: &str) -> ExpectedRequest {
    Exchange::new(method, target)
        .header("authorization", matching("SharedKey canaryaccount:[0-9A-Za-z+/]{43}="))
        // Waiting before a repetition moves the clock.
        .header("x-ms-date", matching("Wed, 01 May 2024 08:3[0-9]:[0-9]{2} GMT"))
        .header("x-ms-version", "2021-12-02")
}

/// An expected request without body, and its answer.
fn expect(server: &Mock, method: &str, target: &str, name: &str) {
    server.expect(request(method, target).answers(200).body_file(fixture(name)));
}

/// An expected request without body that is refused.
fn refuse(server: &Mock, method: &str, target: &str, status: u16, code: &str) {
    server.expect(request(method, target).answers(refused(status, code)));
}

fn refused(status: u16, code: &str) -> Answer {
    Answer::new(status)
        .header("x-ms-request-id", "5f1c7a3e")
        .header("x-ms-error-code", code)
        .body_file(&fixture(&format!("Error.{code}")))
}

/// For the tests that hold for every driver.
fn subject() -> Subject<dyn StorageDriver> {
    Subject::new(storage(), Config::new("canaryaccount", KEY))
        // The account is part of every host at Azure.
        .debug(|config| {
            let elsewhere = config.endpoint("http://127.0.0.1:10000".parse().unwrap());
            format!("{:?}", AzureBlobsDriver::new(elsewhere))
        })
        .sends_nothing(&["get_object_cdn_url"])
        .args("create_container", json!({"container_name": "photos"}))
        .args("upload_object", json!({"file_path": fixture_path(fixture("ListContainers"))}))
        .args("upload_object_via_stream", json!({"iterator": ["a", "bc"]}))
        .before("delete_container", |request| {
            let none = Answer::new(200).body_file(&fixture("ListBlobs.empty"));
            (request.method == "GET").then_some(none)
        })
}

fn config(url: &str) -> Config {
    let mut transport = TransportConfig::default();
    transport.retries = 2;
    Config::new("canaryaccount", KEY)
        .endpoint(url.parse().unwrap())
        .clock(ManualClock::at("2024-05-01T08:30:00Z".parse().unwrap()))
        .transport(transport)
}

fn driver(server: &Mock) -> AzureBlobsDriver {
    AzureBlobsDriver::new(config(server.url().as_str())).unwrap()
}

fn dynamic(server: &Mock) -> Arc<dyn StorageDriver> {
    (storage().factory)(config(server.url().as_str())).unwrap()
}

fn photos() -> Container {
    Container::new("photos")
}

fn cat() -> Object {
    Object::from_names("photos", "cat.jpg")
}

fn as_json(value: &impl serde::Serialize) -> Value {
    serde_json::to_value(value).unwrap()
}

fn assert_about(error: &Error, kind: ErrorKind, resource: &str, id: &str) {
    assert_eq!((error.kind(), error.resource()), (kind, Some((resource, id))), "{error:#}");
}

/// The MD5 of `abc`, in Base64 and in hexadecimal.
const MD5: &str = "kAFQmDzST7DWlj99KOF/cg==";
const MD5_HEX: &str = "900150983cd24fb0d6963f7d28e17f72";
