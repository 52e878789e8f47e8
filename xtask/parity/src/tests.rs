//! Small recordings of our own: what is the same passes, what is not does not.

use std::fs;

use libcloud_testkit::cassette::{Body, Exchange, Request};
use libcloud_testkit::replay::Received;
use serde_json::{Value, json};

use crate::compare::{self, Place};
use crate::player::{self, Play};
use crate::report::{Report, Row};

/// A recording of one test of EC2: the constructor, and this call with this exchange.
struct Recording {
    call: Value,
    request: Value,
    response: Value,
    more: Vec<Value>,
}

impl Recording {
    /// `reboot_node` as it was, but for the version of API and signature.
    fn reboot() -> Self {
        Self {
            call: json!({"test": "t", "n": 1, "driver": "EC2NodeDriver", "call": "reboot_node",
                "args": {"node": {"_type": "Node", "id": "i-1", "name": null, "extra": {}}},
                "requests": [0], "result": true}),
            request: json!({"scheme": "https", "method": "GET", "host": "ec2.us-east-1.amazonaws.com", "port": 443,
                "path": "/", "headers": {"User-Agent": "another"}, "body": null,
                "query": "Action=RebootInstances&InstanceId.1=i-1&Version=2010-08-31&SignatureVersion=2\
                    &SignatureMethod=HmacSHA256&AWSAccessKeyId=key&Timestamp=2013-11-13T12%3A00%3A00Z&Signature=s"}),
            response: json!({"status": 200, "headers": {},
                "body": "<RebootInstancesResponse><return>true</return></RebootInstancesResponse>"}),
            more: Vec::new(),
        }
    }

    async fn play(self) -> (Row, Report) {
        let constructor = json!({"test": "t", "n": 0, "driver": "EC2NodeDriver", "call": "new",
            "args": {"key": "key", "secret": "secret"}, "requests": [], "result": {}});
        let exchange = json!({"test": "t", "seq": 0, "driver": "EC2NodeDriver", "call": 1,
            "request": self.request, "response": self.response});
        let mut exchanges = vec![exchange];
        exchanges.extend(self.more);
        let report = play("compute-ec2", &[constructor, self.call], &exchanges).await;
        let row = report.rows().next().unwrap().clone();
        assert_eq!((row.driver.as_str(), row.calls, row.constructors), ("ec2", 2, 1));
        (row, report)
    }

    /// Plays it, and tells in what it failed.
    async fn failure(self) -> String {
        let (row, report) = self.play().await;
        assert_eq!(row.failed, 1, "{}", report.details());
        report.details()
    }
}

async fn play(name: &str, calls: &[Value], exchanges: &[Value]) -> Report {
    let folder = tempfile::tempdir().unwrap();
    let lines = |values: &[Value]| values.iter().map(Value::to_string).collect::<Vec<_>>().join("\n");
    for (kind, values) in [("results", calls), ("transcripts", exchanges)] {
        fs::create_dir_all(folder.path().join(kind)).unwrap();
        fs::write(folder.path().join(kind).join(format!("{name}.jsonl")), lines(values)).unwrap();
    }
    player::play(&Play { from: folder.path().to_owned(), only: None, as_recorded: false }).await.unwrap()
}

#[tokio::test]
async fn what_differs_by_rules_alone_is_explained_and_each_rule_is_told() {
    let (row, report) = Recording::reboot().play().await;
    assert_eq!((row.passed, row.explained, row.failed), (1, 1, 0), "{}", report.details());
    for rule in ["aws-signature-version", "aws-query-post", "ec2-api-version"] {
        assert!(report.details().contains(&format!("1 explained: {rule}\n")), "{}", report.details());
        assert!(report.details().contains(&format!("rule {rule}: ")), "{}", report.details());
    }
}

#[tokio::test]
async fn a_changed_parameter_fails() {
    let mut recording = Recording::reboot();
    let query = recording.request["query"].as_str().unwrap().replace("i-1", "i-2");
    recording.request["query"] = query.into();
    let told = recording.failure().await;
    assert!(told.contains(r#"request 0: parameter InstanceId.1: recorded "i-2", ours "i-1""#), "{told}");
}

#[tokio::test]
async fn a_parameter_too_few_and_one_too_many_fail() {
    let mut recording = Recording::reboot();
    let query =
        recording.request["query"].as_str().unwrap().replace("InstanceId.1", "Force=true&InstanceId.2");
    recording.request["query"] = query.into();
    let told = recording.failure().await;
    assert!(told.contains(r#"parameter Force: recorded "true", ours nothing"#), "{told}");
}

#[tokio::test]
async fn another_version_than_the_rule_is_of_fails() {
    let mut recording = Recording::reboot();
    let query = recording.request["query"].as_str().unwrap().replace("2010-08-31", "2011-01-01");
    recording.request["query"] = query.into();
    let told = recording.failure().await;
    assert!(told.contains(r#"parameter Version: recorded "2011-01-01", ours "2016-11-15""#), "{told}");
}

#[tokio::test]
async fn a_missing_header_fails() {
    let mut recording = Recording::reboot();
    recording.request["headers"]["X-Wanted"] = "yes".into();
    let told = recording.failure().await;
    assert!(told.contains(r#"header x-wanted: recorded "yes", ours nothing"#), "{told}");
}

#[tokio::test]
async fn another_host_fails() {
    let mut recording = Recording::reboot();
    recording.request["host"] = "ec2.eu-west-1.amazonaws.com".into();
    let told = recording.failure().await;
    assert!(told.contains(r#"host: recorded "ec2.eu-west-1.amazonaws.com", ours "ec2.us-east-1"#), "{told}");
}

#[tokio::test]
async fn a_request_that_is_not_sent_fails() {
    let mut recording = Recording::reboot();
    recording.call["requests"] = json!([0, 1]);
    recording.more.push(json!({"test": "t", "seq": 1, "driver": "EC2NodeDriver", "call": 1,
        "request": {"method": "GET", "path": "/", "query": "Action=DescribeVolumes", "headers": {}, "body": null},
        "response": {"status": 200, "headers": {}, "body": ""}}));
    let told = recording.failure().await;
    assert!(
        told.contains("request 1: request not sent: recorded \"GET /?Action=DescribeVolumes\""),
        "{told}"
    );
}

#[tokio::test]
async fn a_request_too_many_fails() {
    let mut recording = Recording::reboot();
    recording.call["requests"] = json!([]);
    let told = recording.failure().await;
    assert!(
        told.contains("request too many: recorded nothing, ours \"POST / Action=RebootInstances"),
        "{told}"
    );
}

#[tokio::test]
async fn a_wrong_result_fails() {
    let mut recording = Recording::reboot();
    recording.call["call"] = "list_key_pairs".into();
    recording.call["args"] = json!({});
    recording.call["result"] =
        json!([{"_type": "KeyPair", "name": "mine", "fingerprint": "00:01", "extra": {}}]);
    let query = recording.request["query"]
        .as_str()
        .unwrap()
        .replace("RebootInstances&InstanceId.1=i-1", "DescribeKeyPairs");
    recording.request["query"] = query.into();
    let body = "<DescribeKeyPairsResponse><keySet><item><keyName>mine</keyName><keyFingerprint>00:02</keyFingerprint>\
                </item></keySet></DescribeKeyPairsResponse>";
    recording.response["body"] = body.into();
    let told = recording.failure().await;
    assert!(told.contains(r#"result[0].fingerprint: recorded "00:01", ours "00:02""#), "{told}");
}

#[tokio::test]
async fn an_error_of_another_kind_and_none_at_all_fail() {
    let mut recording = Recording::reboot();
    recording.call.as_object_mut().unwrap().remove("result");
    recording.call["raises"] = json!({"type": "InvalidCredsError", "bases": ["Exception"]});
    let told = recording.failure().await;
    assert!(told.contains(r#"outcome: recorded "InvalidCredsError", ours "true""#), "{told}");

    let mut recording = Recording::reboot();
    recording.call["raises"] = json!({"type": "InvalidCredsError", "bases": ["Exception"]});
    recording.response = json!({"status": 400, "headers": {}, "body": "<Response><Errors><Error>\
        <Code>InvalidInstanceID.NotFound</Code><Message>no 'i-1'</Message></Error></Errors></Response>"});
    let told = recording.failure().await;
    assert!(told.contains(r#"recorded "InvalidCredsError", ours "not_found: "#), "{told}");
}

#[tokio::test]
async fn the_dummy_s_calls_pass_and_a_wrong_one_does_not() {
    let call = |n: u64, name: &str, args: Value, result: Value| {
        json!({"test": "t", "n": n, "driver": "DummyDNSDriver", "call": name, "args": args, "requests": [],
            "result": result})
    };
    let zone = json!({"_type": "Zone", "domain": "example.org", "id": "id-example.org", "ttl": 100, "type": "master"});
    let mut wrong = zone.clone();
    wrong["ttl"] = 200.into();
    let calls = [
        call(0, "new", json!({"api_key": "key", "api_secret": "secret"}), json!({})),
        call(1, "create_zone", json!({"domain": "example.org", "type": "master", "ttl": 100}), zone),
        call(2, "list_zones", json!({}), json!([wrong])),
    ];
    let report = play("dns-dummy", &calls, &[]).await;
    let row = report.rows().next().unwrap();
    assert_eq!((row.passed, row.failed), (2, 1), "{}", report.details());
    assert!(report.details().contains("result[0].ttl: recorded 200, ours 100"), "{}", report.details());
}

#[tokio::test]
async fn every_call_is_counted_whatever_became_of_it() {
    let call = |test: &str, n: u64, driver: &str, name: &str| json!({"test": test, "n": n, "driver": driver, "call": name, "args": {}, "requests": [], "result": null});
    let calls = [
        call("a", 0, "DigitalOceanNodeDriver", "list_nodes"),
        call("b", 0, "VPSNetNodeDriver", "list_nodes"),
        call("c", 0, "SomethingNodeDriver", "list_nodes"),
        call("d", 0, "EC2NodeDriver", "list_nodes"),
        call("e", 0, "DummyNodeDriver", "new"),
        call("e", 1, "DummyNodeDriver", "ex_not_there"),
    ];
    let report = play("compute-mixed", &calls, &[]).await;
    let rows: Vec<_> = report
        .rows()
        .map(|row| (row.driver.as_str(), row.calls, row.passed, row.superseded, row.skipped))
        .collect();
    let expected = [
        ("SomethingNodeDriver", 1, 0, 0, 1),
        ("digitalocean", 1, 0, 1, 0),
        ("dummy", 2, 1, 0, 1),
        ("ec2", 1, 0, 0, 1),
        ("vpsnet", 1, 0, 0, 1),
    ];
    assert_eq!(rows, expected, "{}", report.details());
    assert!(report.details().contains("the driver does not have `ex_not_there` yet"), "{}", report.details());
}

fn exchange(request: Value) -> Exchange {
    let request: Request = serde_json::from_value(request).unwrap();
    serde_json::from_value(json!({"test": "t", "seq": 0, "request": request})).unwrap()
}

fn received(method: &str, path: &str, content_type: &str, body: &str) -> Received {
    let mut headers = http::HeaderMap::new();
    headers.insert("content-type", content_type.parse().unwrap());
    headers.insert("host", "a.example".parse().unwrap());
    Received {
        method: method.into(),
        path: path.into(),
        query: None,
        headers,
        body: body.to_owned().into(),
        answered_with: Some(0),
    }
}

fn places(recorded: &Value, content_type: &str, body: &str) -> Vec<Place> {
    let mut recorded = recorded.clone();
    recorded["host"] = "a.example".into();
    let ours = received("POST", "/x", content_type, body);
    compare::requests(0, &exchange(recorded), &ours).into_iter().map(|difference| difference.place).collect()
}

#[test]
fn json_is_compared_as_json() {
    let recorded = json!({"method": "POST", "path": "/x", "headers": {"Content-Type": "application/json"},
        "body": r#"{"a": 1, "b": {"c": [1, 2]}}"#});
    let same = r#"{"b":{"c":[1,2]},"a":1}"#;
    assert_eq!(places(&recorded, "application/json; charset=utf-8", same), []);
    let other = r#"{"b":{"c":[1,3]},"a":1,"d":null}"#;
    assert_eq!(
        places(&recorded, "application/json", other),
        [Place::Body(".b.c[1]".into()), Place::Body(".d".into())]
    );
    assert_eq!(places(&recorded, "text/plain", same), [Place::Header("content-type".into())]);
}

#[test]
fn xml_is_compared_as_xml() {
    let recorded = json!({"method": "POST", "path": "/x", "headers": {"Content-Type": "text/xml"},
        "body": "<?xml version=\"1.0\"?>\n<a xmlns=\"urn:x\" k=\"1\" j=\"2\">\n  <b>t</b></a>"});
    assert_eq!(places(&recorded, "text/xml", "<y:a xmlns:y=\"urn:x\" j='2' k='1'><y:b> t </y:b></y:a>"), []);
    assert_eq!(
        places(&recorded, "text/xml", "<a k='1' j='2'><b>u</b></a>"),
        [Place::Body(".children[0].text".into())]
    );
}

#[test]
fn a_form_and_a_query_are_one_set() {
    let recorded = json!({"method": "POST", "path": "/x", "headers": {}, "query": "b=2&a=1", "body": null});
    let form = "application/x-www-form-urlencoded";
    assert_eq!(places(&recorded, form, "a=1&b=2"), []);
    assert_eq!(places(&recorded, form, "a=1&b=2&b=2"), [Place::Param("b".into())]);
}

#[test]
fn a_body_that_was_not_kept_is_compared_by_its_digest() {
    let md5 = libcloud::common::digest::md5_hex("hello");
    let body = Body::Digest { length: 5, md5, sha256: String::new() };
    let recorded =
        json!({"method": "POST", "path": "/x", "headers": {"Content-Type": "text/plain"}, "body": body});
    assert_eq!(places(&recorded, "text/plain", "hello"), []);
    assert_eq!(places(&recorded, "text/plain", "hellO"), [Place::Body(String::new())]);
}

#[test]
fn results_may_have_more_but_not_less() {
    let places = |recorded: Value, ours: Value| -> Vec<String> {
        compare::results(&recorded, &ours).iter().map(|difference| difference.place.to_string()).collect()
    };
    let none: [&str; 0] = [];
    assert_eq!(places(json!({"id": "1", "_type": "Node"}), json!({"id": "1", "more": true})), none);
    assert_eq!(places(json!({"id": "1", "size": 2}), json!({"id": "1"})), ["result.size"]);
    assert_eq!(places(json!([1, 2]), json!([1])), ["result.length"]);
    assert_eq!(
        places(json!([{"id": "1"}, {"id": "2"}]), json!([{"id": "2"}, {"id": "1"}])),
        ["order of result"]
    );
    assert_eq!(places(json!({"extra": {"etag": "x"}}), json!({"extra": {}, "etag": "x"})), none);
    assert_eq!(
        places(json!({"extra": {"etag": "x"}}), json!({"extra": {}, "etag": "y"})),
        ["result.extra.etag"]
    );
    let time = json!({"at": {"_type": "datetime", "iso": "2013-12-02T11:58:11+00:00"}});
    assert_eq!(places(time.clone(), json!({"at": "2013-12-02T11:58:11Z"})), none);
    assert_eq!(places(time, json!({"at": "2013-12-02T11:58:12Z"})), ["result.at"]);
}
