//! The driver of classic load balancers over HTTP: what is sent for each method, and what becomes of the answers.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod balancers;
mod driver;
mod policies;

use std::sync::Arc;

use libcloud_aws::{ElbDriver, elb};
use libcloud_common::{Config, ManualClock, TransportConfig, json};
use libcloud_loadbalancer::{LoadBalancer, LoadBalancerDriver};
use libcloud_testkit::{Answer, Exchange, Mock, Subject, matching};

const SIGNED: &str = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20240501/us-east-1/elasticloadbalancing/aws4_request, \
    SignedHeaders=content-type;host;x-amz-date, Signature=[0-9a-f]{64}";

/// An expected action, as it must be sent to the byte, and its answer.
fn answer(server: &Mock, params: &str, status: u16, name: &str) {
    let (action, rest) = params.split_once('&').unwrap_or((params, ""));
    let and = if rest.is_empty() { "" } else { "&" };
    server.expect(
        Exchange::post("/")
            .header("authorization", matching(SIGNED))
            .header("content-type", "application/x-www-form-urlencoded; charset=utf-8")
            .body(format!("Action={action}&Version=2012-06-01{and}{rest}"))
            .answers(status)
            .body_file(format!("fixtures/aws/elb/{name}.xml")),
    );
}

fn expect(server: &Mock, params: &str) {
    let (action, _) = params.split_once('&').unwrap_or((params, ""));
    answer(server, params, 200, action);
}

fn refuse(server: &Mock, params: &str, status: u16, name: &str) {
    answer(server, params, status, &format!("Error.{name}"));
}

/// For the tests that hold for every driver.
fn subject() -> Subject<dyn LoadBalancerDriver> {
    Subject::new(elb(), Config::new("AKIDEXAMPLE", "canary-secret"))
        .debug(|config| format!("{:?}", ElbDriver::new(config)))
        .query_style()
        .sends_nothing(&["list_protocols", "list_supported_algorithms"])
        .reads(&["balancer_list_members"])
        .args("create_balancer", json!({"protocol": "http"}))
}

fn config(url: &str) -> Config {
    let mut transport = TransportConfig::default();
    transport.retries = 2;
    Config::new("AKIDEXAMPLE", "canary-secret")
        .endpoint(url.parse().unwrap())
        .clock(ManualClock::at("2024-05-01T08:30:00Z".parse().unwrap()))
        .transport(transport)
}

fn driver(server: &Mock) -> ElbDriver {
    ElbDriver::new(config(server.url().as_str())).unwrap()
}

fn dynamic(server: &Mock) -> Arc<dyn LoadBalancerDriver> {
    (elb().factory)(config(server.url().as_str())).unwrap()
}

fn web() -> LoadBalancer {
    LoadBalancer::from_id("web")
}
