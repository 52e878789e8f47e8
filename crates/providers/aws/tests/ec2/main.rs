//! The EC2 driver over HTTP: what is sent for each method, and what becomes of the answers.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod broken;
mod create;
mod driver;
mod nodes;
mod resources;

use libcloud_aws::{Ec2Driver, ec2};
use libcloud_common::{Config, ManualClock, TransportConfig, json};
use libcloud_compute::{ComputeDriver, CreateNode, NodeImage, NodeSize};
use libcloud_testkit::{Answer, Exchange, Mock, Pattern, Subject, fixture_path, matching};
use std::sync::Arc;

const SIGNED: &str = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20240501/us-east-1/ec2/aws4_request, \
    SignedHeaders=content-type;host;x-amz-date, Signature=[0-9a-f]{64}";

/// The form of an action, as it must be sent to the byte.
fn form(params: &str) -> Pattern {
    let (action, rest) = params.split_once('&').unwrap_or((params, ""));
    let and = if rest.is_empty() { "" } else { "&" };
    format!("Action={action}&Version=2016-11-15{and}{rest}").into()
}

/// A form with a token that was made up.
fn form_with_token(before: &str, after: &str) -> Pattern {
    let escaped = |text: &str| text.replace('.', "\\.").replace('+', "\\+");
    matching(&format!(
        "Action=RunInstances&Version=2016-11-15&{}&ClientToken=[0-9a-f]{{32}}{}",
        escaped(before),
        escaped(after)
    ))
}

fn fixture(name: &str) -> String {
    format!("fixtures/aws/ec2/{name}.xml")
}

fn answer(body: Pattern, status: u16, name: &str) -> Exchange {
    Exchange::post("/")
        .header("authorization", matching(SIGNED))
        // Waiting before a repetition moves the clock.
        .header("x-amz-date", matching("20240501T083[0-9]{3}Z"))
        .header("content-type", "application/x-www-form-urlencoded; charset=utf-8")
        .body(body)
        .answers(status)
        .body_file(fixture(name))
}

/// An expected request and its answer.
fn expect(server: &Mock, params: &str, name: &str) {
    server.expect(answer(form(params), 200, name));
}

fn refuse(server: &Mock, params: &str, status: u16, name: &str) {
    server.expect(answer(form(params), status, name));
}

/// For the tests that hold for every driver.
fn subject() -> Subject<dyn ComputeDriver> {
    let config = Config::new("AKIDEXAMPLE", "canary-secret");
    Subject::new(ec2(), config)
        .debug(|config| format!("{:?}", Ec2Driver::new(config)))
        .query_style()
        .sends_nothing(&["list_sizes"])
        .token("create_node", "ClientToken")
        .token("ex_create_nodes", "ClientToken")
        .args("wait_until_running", json!({"nodes": ["i-1"]}))
        .args(
            "import_key_pair_from_file",
            json!({"name": "ops", "key_file_path": fixture_path("fixtures/aws/ec2/key.pub")}),
        )
        .before("ex_find_or_import_keypair_by_key_material", |request| {
            let none = Answer::new(200).body_file(&fixture("DescribeKeyPairs.empty"));
            (request.param("Action")? == "DescribeKeyPairs").then_some(none)
        })
        .args("import_key_pair_from_string", json!({"name": "ops", "key_material": "ssh-rsa YWJj"}))
        .args("ex_find_or_import_keypair_by_key_material", json!({"pubkey": "ssh-rsa YWJj"}))
}

fn config(url: &str) -> Config {
    let mut transport = TransportConfig::default();
    transport.retries = 2;
    Config::new("AKIDEXAMPLE", "canary-secret")
        .endpoint(url.parse().unwrap())
        .clock(ManualClock::at("2024-05-01T08:30:00Z".parse().unwrap()))
        .transport(transport)
}

fn driver(server: &Mock) -> Ec2Driver {
    Ec2Driver::new(config(server.url().as_str())).unwrap()
}

fn dynamic(server: &Mock) -> Arc<dyn ComputeDriver> {
    (ec2().factory)(config(server.url().as_str())).unwrap()
}

fn small() -> CreateNode {
    CreateNode::new("web", &NodeSize::from_id("t3.micro"), &NodeImage::from_id("ami-1"))
}

const SMALL: &str = "ImageId=ami-1&InstanceType=t3.micro&MinCount=1&MaxCount=1";
const NAMED: &str = "&TagSpecification.1.ResourceType=instance&TagSpecification.1.Tag.1.Key=Name\
    &TagSpecification.1.Tag.1.Value=web";
