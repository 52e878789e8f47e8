//! The driver over HTTP: what is sent for each method, and what becomes of the answers.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod broken;
mod catalogue;
mod driver;
mod login;
mod nodes;
mod resources;

use libcloud_common::{Config, ManualClock, TransportConfig, Value, json};
use libcloud_openstack::OpenStackNodeDriver;
use libcloud_testkit::{Exchange, ExpectedRequest, Mock};

const TOKEN: &str = "canary-token-1";

fn fixture(name: &str) -> String {
    format!("fixtures/openstack/{name}.json")
}

/// The driver of a cloud whose every host is this server.
fn config(server: &Mock) -> Config {
    let mut transport = TransportConfig::default();
    transport.retries = 2;
    Config::new("demo", "canary-secret")
        .region("RegionOne")
        .option("ex_tenant_name", "demo")
        .endpoint(server.url())
        .clock(ManualClock::at("2024-05-01T08:30:00Z".parse().unwrap()))
        .transport(transport)
}

/// What is sent to log in with user, password and project.
fn password() -> Value {
    json!({"auth": {
        "identity": {
            "methods": ["password"],
            "password": {"user": {"name": "demo", "domain": {"name": "Default"}, "password": "canary-secret"}},
        },
        "scope": {"project": {"name": "demo", "domain": {"id": "default"}}},
    }})
}

fn login(body: Value, token: &str) -> Exchange {
    Exchange::post("/v3/auth/tokens")
        .header("accept", "application/json")
        .no_header("x-auth-token")
        .body_json(body)
        .answers(201)
        .header("x-subject-token", token)
        .body_file(fixture("identity/Authenticate"))
}

/// A driver, and the server that expects its login.
fn start() -> (Mock, OpenStackNodeDriver) {
    let server = Mock::start();
    server.expect(login(password(), TOKEN));
    let driver = OpenStackNodeDriver::new(config(&server)).unwrap();
    (server, driver)
}

/// What every call of the compute service has.
fn compute(request: ExpectedRequest) -> ExpectedRequest {
    request
        .header("accept", "application/json")
        .header("openstack-api-version", "compute 2.1")
        .secret_header("x-auth-token", TOKEN)
}

fn get(path: &str) -> ExpectedRequest {
    compute(Exchange::get(format!("/v2.1/{path}")))
}

fn post(path: &str, body: Value) -> ExpectedRequest {
    compute(Exchange::post(format!("/v2.1/{path}"))).body_json(body)
}

/// A request and the file that it is answered with.
fn answered(request: ExpectedRequest, name: &str) -> Exchange {
    request.answers(200).body_file(fixture(name))
}
