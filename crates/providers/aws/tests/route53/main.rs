//! The Route 53 driver over HTTP: what is sent for each method, and what becomes of the answers.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod broken;
mod changes;
mod driver;
mod records;
mod zones;

use std::sync::Arc;

use libcloud_aws::{Route53Driver, route53};
use libcloud_common::{Config, ManualClock, TransportConfig, json};
use libcloud_dns::{DnsDriver, Record, RecordType, Zone, ZoneType};
use libcloud_testkit::{Answer, Exchange, ExpectedRequest, Mock, Subject, matching};

const SIGNED: &str = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20240501/us-east-1/route53/aws4_request, \
    SignedHeaders=(content-type;)?host;x-amz-date, Signature=[0-9a-f]{64}";
const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
const NAMESPACE: &str = "xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\"";
/// The zone of most tests.
const ID: &str = "Z111111QQQQQQQ";

fn fixture(name: &str) -> String {
    format!("fixtures/aws/route53/{name}.xml")
}

/// An answer to a signed request.
fn answered(request: ExpectedRequest, status: u16, name: &str) -> Exchange {
    request
        .header("authorization", matching(SIGNED))
        // Waiting before a repetition moves the clock.
        .header("x-amz-date", matching("20240501T083[0-9]{3}Z"))
        .answers(status)
        .body_file(fixture(name))
}

/// An expected GET below the version, and its answer.
fn get(server: &Mock, target: &str, name: &str) {
    server.expect(answered(Exchange::get(format!("/2013-04-01/{target}")), 200, name));
}

/// The body of a batch of changes.
fn batch(changes: &str) -> String {
    format!(
        "{DECLARATION}<ChangeResourceRecordSetsRequest {NAMESPACE}><ChangeBatch><Changes>{changes}</Changes>\
         </ChangeBatch></ChangeResourceRecordSetsRequest>"
    )
}

/// `<Change>` with what a set has after its type.
fn change(action: &str, name: &str, type_: &str, rest: &str) -> String {
    format!(
        "<Change><Action>{action}</Action><ResourceRecordSet><Name>{name}</Name><Type>{type_}</Type>{rest}\
         </ResourceRecordSet></Change>"
    )
}

/// What a set of plain values has after its type.
fn values(ttl: u32, values: &[&str]) -> String {
    let record = |value: &&str| format!("<ResourceRecord><Value>{value}</Value></ResourceRecord>");
    let values: String = values.iter().map(record).collect();
    format!("<TTL>{ttl}</TTL><ResourceRecords>{values}</ResourceRecords>")
}

/// An expected batch, and its answer.
fn changed(server: &Mock, changes: &str, status: u16, name: &str) {
    let post = Exchange::post(format!("/2013-04-01/hostedzone/{ID}/rrset"))
        .header("content-type", "application/xml")
        .body(batch(changes));
    server.expect(answered(post, status, name));
}

/// For the tests that hold for every driver.
fn subject() -> Subject<dyn DnsDriver> {
    Subject::new(route53(), Config::new("AKIDEXAMPLE", "canary-secret"))
        .debug(|config| format!("{:?}", Route53Driver::new(config)))
        .sends_nothing(&["list_record_types"])
        .token("create_zone", "CallerReference")
        .args("create_record", json!({"type": "A", "data": "192.0.2.1"}))
        .args("ex_create_multi_value_record", json!({"type": "A", "data": "192.0.2.1"}))
        .args("update_record", json!({"record": full("A:www"), "data": "192.0.2.9"}))
        .args("delete_record", json!({"record": full("A:www")}))
        .before("ex_delete_all_records", |request| {
            (request.method == "GET")
                .then(|| Answer::new(200).body_file(&fixture("ListResourceRecordSets.one")))
        })
}

/// A record of which everything is known.
fn full(id: &str) -> libcloud_common::Value {
    json!({
        "id": id, "name": "www", "type": "A", "data": "192.0.2.1", "ttl": 60,
        "zone": {"id": ID, "domain": "example.com."}, "extra": {},
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

fn driver(server: &Mock) -> Route53Driver {
    Route53Driver::new(config(server.url().as_str())).unwrap()
}

fn dynamic(server: &Mock) -> Arc<dyn DnsDriver> {
    (route53().factory)(config(server.url().as_str())).unwrap()
}

fn zone() -> Zone {
    Zone::new(ID, "example.com.", ZoneType::Master)
}

fn www() -> Record {
    Record::new("A:www", "www", RecordType::A, "192.0.2.1", &Arc::new(zone())).with_ttl(60)
}
