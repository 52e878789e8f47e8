//! The driver of application and network balancers over HTTP: what is sent for each method, and what becomes of the answers.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod balancers;
mod driver;
mod listeners;
mod targets;

use std::sync::Arc;

use libcloud_aws::elbv2::{Listener, TargetGroup};
use libcloud_aws::{AlbDriver, alb};
use libcloud_common::{Config, ManualClock, TransportConfig, json};
use libcloud_loadbalancer::{LoadBalancer, LoadBalancerDriver};
use libcloud_testkit::{Answer, Exchange, Mock, Subject, matching};

const SIGNED: &str = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20240501/us-east-1/elasticloadbalancing/aws4_request, \
    SignedHeaders=content-type;host;x-amz-date, Signature=[0-9a-f]{64}";

const BASE: &str = "arn:aws:elasticloadbalancing:us-east-1:123456789012";

fn balancer_arn() -> String {
    format!("{BASE}:loadbalancer/app/web/50dc6c495c0c9188")
}

fn listener_arn() -> String {
    format!("{BASE}:listener/app/web/50dc6c495c0c9188/f2f7dc8efc522ab2")
}

fn group_arn() -> String {
    format!("{BASE}:targetgroup/web-tg/73e2d6bc24d8a067")
}

fn rule_arn() -> String {
    format!("{BASE}:listener-rule/app/web/50dc6c495c0c9188/f2f7dc8efc522ab2/9683b2d02a6cabee")
}

/// An ARN as it is in a form.
fn sent(arn: &str) -> String {
    arn.replace(':', "%3A").replace('/', "%2F")
}

/// An expected action, as it must be sent to the byte, and its answer.
fn answer(server: &Mock, params: &str, status: u16, name: &str) {
    let (action, rest) = params.split_once('&').unwrap_or((params, ""));
    let and = if rest.is_empty() { "" } else { "&" };
    server.expect(
        Exchange::post("/")
            .header("authorization", matching(SIGNED))
            .header("content-type", "application/x-www-form-urlencoded; charset=utf-8")
            .body(format!("Action={action}&Version=2015-12-01{and}{rest}"))
            .answers(status)
            .body_file(format!("fixtures/aws/alb/{name}.xml")),
    );
}

fn expect(server: &Mock, params: &str) {
    let (action, _) = params.split_once('&').unwrap_or((params, ""));
    answer(server, params, 200, action);
}

fn refuse(server: &Mock, params: &str, name: &str) {
    answer(server, params, 400, &format!("Error.{name}"));
}

/// What is asked of each balancer besides.
fn details(server: &Mock) {
    let arn = sent(&balancer_arn());
    expect(server, &format!("DescribeListeners&LoadBalancerArn={arn}"));
    expect(server, &format!("DescribeTags&ResourceArns.member.1={arn}"));
}

/// For the tests that hold for every driver.
fn subject() -> Subject<dyn LoadBalancerDriver> {
    let group = json!({"ex_target_group": "tg"});
    Subject::new(alb(), Config::new("AKIDEXAMPLE", "canary-secret"))
        .debug(|config| format!("{:?}", AlbDriver::new(config)))
        .query_style()
        .sends_nothing(&["list_protocols", "list_supported_algorithms"])
        .reads(&["balancer_list_members"])
        .args("create_balancer", json!({"protocol": "http"}))
        .args("balancer_attach_compute_node", group.clone())
        .args("balancer_attach_member", group.clone())
        .args("balancer_detach_member", group)
}

fn config(url: &str) -> Config {
    let mut transport = TransportConfig::default();
    transport.retries = 2;
    Config::new("AKIDEXAMPLE", "canary-secret")
        .endpoint(url.parse().unwrap())
        .clock(ManualClock::at("2024-05-01T08:30:00Z".parse().unwrap()))
        .transport(transport)
}

fn driver(server: &Mock) -> AlbDriver {
    AlbDriver::new(config(server.url().as_str())).unwrap()
}

fn web() -> LoadBalancer {
    LoadBalancer::from_id(balancer_arn())
}
