//! The EC2 driver over HTTP: what is sent for each method, and what becomes of the answers.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod broken;
mod create;
mod driver;
mod nodes;
mod resources;

use libcloud_aws::{Ec2Driver, ec2};
use libcloud_common::{Config, ManualClock, TransportConfig};
use libcloud_compute::{ComputeDriver, CreateNode, NodeImage, NodeSize};
use mockito::{Matcher, Mock, ServerGuard};
use std::sync::Arc;

const SIGNED: &str = "^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20240501/us-east-1/ec2/aws4_request, \
    SignedHeaders=content-type;host;x-amz-date, Signature=[0-9a-f]{64}$";

/// The form of an action, as it must be sent to the byte.
fn form(params: &str) -> Matcher {
    let (action, rest) = params.split_once('&').unwrap_or((params, ""));
    let and = if rest.is_empty() { "" } else { "&" };
    Matcher::Exact(format!("Action={action}&Version=2016-11-15{and}{rest}"))
}

/// A form with a token that was made up.
fn form_with_token(before: &str, after: &str) -> Matcher {
    let escaped = |text: &str| text.replace('.', "\\.").replace('+', "\\+");
    Matcher::Regex(format!(
        "^Action=RunInstances&Version=2016-11-15&{}&ClientToken=[0-9a-f]{{32}}{}$",
        escaped(before),
        escaped(after)
    ))
}

fn fixture(name: &str) -> String {
    format!("{}/../../../fixtures/aws/ec2/{name}.xml", env!("CARGO_MANIFEST_DIR"))
}

fn answer(server: &mut ServerGuard, body: Matcher, status: usize, name: &str) -> Mock {
    server
        .mock("POST", "/")
        .match_header("authorization", Matcher::Regex(SIGNED.into()))
        // Waiting before a repetition moves the clock.
        .match_header("x-amz-date", Matcher::Regex("^20240501T083[0-9]{3}Z$".into()))
        .match_header("content-type", "application/x-www-form-urlencoded; charset=utf-8")
        .match_body(body)
        .with_status(status)
        .with_body_from_file(fixture(name))
        .expect(1)
}

/// An expected request and its answer.
async fn expect(server: &mut ServerGuard, params: &str, name: &str) -> Mock {
    answer(server, form(params), 200, name).create_async().await
}

async fn refuse(server: &mut ServerGuard, params: &str, status: usize, name: &str) -> Mock {
    answer(server, form(params), status, name).create_async().await
}

fn config(url: &str) -> Config {
    let mut transport = TransportConfig::default();
    transport.retries = 2;
    Config::new("AKIDEXAMPLE", "canary-secret")
        .endpoint(url.parse().unwrap())
        .clock(ManualClock::at("2024-05-01T08:30:00Z".parse().unwrap()))
        .transport(transport)
}

fn driver(server: &ServerGuard) -> Ec2Driver {
    Ec2Driver::new(config(&server.url())).unwrap()
}

fn dynamic(server: &ServerGuard) -> Arc<dyn ComputeDriver> {
    (ec2().factory)(config(&server.url())).unwrap()
}

fn small() -> CreateNode {
    CreateNode::new("web", &NodeSize::from_id("t3.micro"), &NodeImage::from_id("ami-1"))
}

const SMALL: &str = "ImageId=ami-1&InstanceType=t3.micro&MinCount=1&MaxCount=1";
const NAMED: &str = "&TagSpecification.1.ResourceType=instance&TagSpecification.1.Tag.1.Key=Name\
    &TagSpecification.1.Tag.1.Value=web";
