//! The EC2 driver over HTTP: what is sent for each method, and what becomes of the answers.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod broken;
mod clones;
mod create;
mod driver;
mod networks;
mod nodes;
mod resources;
mod volumes;

use libcloud_aws::{Ec2Driver, ec2};
use libcloud_common::{Config, ManualClock, Registration, TransportConfig, json};
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

/// An expected request that is answered by nothing but that it was done.
fn done(server: &Mock, params: &str) {
    server.expect(answer(form(params), 200, "Done"));
}

fn refuse(server: &Mock, params: &str, status: u16, name: &str) {
    server.expect(answer(form(params), status, name));
}

/// For the tests that hold for every driver.
fn subject() -> Subject<dyn ComputeDriver> {
    subject_of(ec2(), |config| format!("{:?}", Ec2Driver::new(config)))
        .token("copy_image", "ClientToken")
        .token("create_node", "ClientToken")
        .token("create_volume", "ClientToken")
        .token("ex_create_network_interface", "ClientToken")
        .token("ex_create_nodes", "ClientToken")
        .token("ex_import_snapshot", "ClientToken")
}

/// The same of a clone.
fn subject_of(
    registration: Registration<dyn ComputeDriver>,
    debug: impl Fn(Config) -> String + Send + Sync + 'static,
) -> Subject<dyn ComputeDriver> {
    let key = fixture_path("fixtures/aws/ec2/key.pub");
    let rule = json!({"id": "sg-1", "from_port": 22, "to_port": 22, "cidr_ips": "192.0.2.0/24"});
    let route = json!({"route_table": "rtb-1", "cidr": "192.0.2.0/24", "node": "i-1"});
    Subject::new(registration, Config::new("AKIDEXAMPLE", "canary-secret"))
        .debug(debug)
        .query_style()
        .args("attach_volume", json!({"node": "i-1", "volume": "vol-1", "device": "/dev/sdf"}))
        .args("create_volume", json!({"size": 1, "name": "data", "location": "us-east-1a"}))
        .args("ex_associate_address_with_node", json!({"node": "i-1", "elastic_ip": "192.0.2.1"}))
        .args("ex_associate_addresses", json!({"node": "i-1", "elastic_ip": "192.0.2.1"}))
        .args("ex_authorize_security_group_egress", rule.clone())
        .args("ex_authorize_security_group_ingress", rule.clone())
        .args("ex_create_route", route.clone())
        .args("ex_describe_addresses", json!({"nodes": ["i-1"]}))
        .args("ex_disassociate_address", json!({"elastic_ip": "192.0.2.1"}))
        .args("ex_find_or_import_keypair_by_key_material", json!({"pubkey": "ssh-rsa YWJj"}))
        .args("ex_import_keypair", json!({"name": "ops", "keyfile": key}))
        .args("ex_import_keypair_from_string", json!({"name": "ops", "key_material": "ssh-rsa YWJj"}))
        .args("ex_modify_subnet_attribute", json!({"subnet": "subnet-1"}))
        .args("ex_release_address", json!({"elastic_ip": "192.0.2.1"}))
        .args("ex_replace_route", route)
        .args("ex_revoke_security_group_egress", rule.clone())
        .args("ex_revoke_security_group_ingress", rule)
        .args("import_key_pair_from_file", json!({"name": "ops", "key_file_path": key}))
        .args("import_key_pair_from_string", json!({"name": "ops", "key_material": "ssh-rsa YWJj"}))
        .args("wait_until_running", json!({"nodes": ["i-1"]}))
        .before("ex_find_or_import_keypair_by_key_material", |request| {
            let none = Answer::new(200).body_file(&fixture("DescribeKeyPairs.empty"));
            (request.param("Action")? == "DescribeKeyPairs").then_some(none)
        })
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
