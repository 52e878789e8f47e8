//! What is true of every method: names, configuration, signatures, repetition.

use libcloud_aws::{Ec2Driver, ec2};
use libcloud_common::{Config, ErrorKind, Options, Retry, json};
use libcloud_compute::{ComputeDriverExt as _, Node};
use libcloud_testkit::{canary, capabilities};
use std::time::Duration;

use crate::*;

#[tokio::test]
async fn methods_are_called_by_name() {
    let server = Mock::start();
    let driver = dynamic(&server);
    expect(&server, "DescribeInstances&MaxResults=1000", "DescribeInstances.page3");
    let nodes = driver.call("list_nodes", json!({})).await.unwrap();
    assert_eq!(nodes[0]["state"], "terminated");

    expect(&server, "DescribeInstances&InstanceId.1=i-9", "DescribeInstances.empty");
    let nodes = driver.call("list_nodes", json!({"ex_node_ids": "i-9"})).await.unwrap();
    assert_eq!(nodes, json!([]));

    expect(&server, "RebootInstances&InstanceId.1=i-1", "RebootInstances");
    let done = driver.call("reboot_node", json!({"node": {"id": "i-1"}})).await.unwrap();
    assert_eq!(done, json!(true));

    let params = format!("RunInstances&{SMALL}&ClientToken=once&SecurityGroup.1=web{NAMED}");
    expect(&server, &params, "RunInstances");
    // The name that the argument had in the past.
    let arguments = json!({
        "name": "web", "size": "t3.micro", "image": "ami-1",
        "ex_clienttoken": "once", "ex_securitygroup": "web",
    });
    let node = driver.call("create_node", arguments).await.unwrap();
    assert_eq!(node["extra"]["instancetype"], "t3.micro");

    let counts = "ImageId=ami-1&InstanceType=t3.micro&MinCount=1&MaxCount=2";
    server.expect(answer(form_with_token(counts, NAMED), 200, "RunInstances.two"));
    let arguments = json!({"name": "web", "size": "t3.micro", "image": "ami-1", "ex_maxcount": 2});
    let nodes = driver.call("ex_create_nodes", arguments).await.unwrap();
    assert_eq!(nodes[1]["id"], "i-2");

    expect(&server, "DeleteTags&ResourceId.1=vol-1&Tag.1.Key=any", "DeleteTags");
    let arguments = json!({"resource": {"id": "vol-1"}, "tags": {"any": null}});
    assert_eq!(driver.call("ex_delete_tags", arguments).await.unwrap(), json!(true));
}

#[tokio::test]
async fn wrong_calls_by_name_say_what_is_wrong() {
    let server = Mock::start();
    let driver = dynamic(&server);
    for (method, arguments, text) in [
        ("list_node", json!({}), "did you mean `list_nodes`?"),
        ("list_nodes", json!({"ex_nodes": []}), "list_nodes has no argument `ex_nodes`"),
        ("list_nodes", json!({"ex_filters": {"a": 1}}), "a string or a list of strings"),
        ("list_sizes", json!({"ex_all": true}), "list_sizes has no argument `ex_all`"),
        ("reboot_node", json!({}), "reboot_node needs `node`"),
        ("reboot_node", json!({"node": "i-1", "ex_force": true}), "reboot_node has no argument `ex_force`"),
        ("ex_describe_tags", json!({"resource": 7}), "expected a resource or its id"),
        ("ex_create_tags", json!({"resource": "i-1", "tags": []}), "expected map of strings"),
        ("ex_start_node", json!({"nodes": "i-1"}), "did you mean `node`?"),
    ] {
        let error = driver.call(method, arguments).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
        assert!(error.to_string().contains(text), "{error}");
    }
}

#[tokio::test]
async fn capabilities_are_true() {
    assert_eq!(capabilities(&subject()).await, [""; 0]);
}

#[tokio::test]
async fn credentials_stay_inside() {
    canary(&subject()).await;
}

#[tokio::test]
async fn the_configuration_is_checked_without_a_request() {
    let make = |config: Config| Ec2Driver::new(config).map(|_| ()).unwrap_err();
    let given = || Config::new("AKIDEXAMPLE", "canary-secret");
    for (config, text) in [
        (given().region("us east"), "`us east` is not the name of a region"),
        (given().option("signature_version", "3"), "`signature_version` is `2` or `4`, not `3`"),
        (given().option("tokn", "canary"), "did you mean `token`?"),
        (given().option("token", 7), "`token` (string)"),
    ] {
        let error = make(config);
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        assert!(error.to_string().contains(text), "{error}");
        assert!(!format!("{error:?}").contains("canary"));
    }
    let names: Vec<_> = ec2().options.iter().map(|option| option.name).collect();
    assert_eq!(names, ["token", "profile", "signature_version", "path", "static_sizes"]);
}

#[tokio::test]
async fn a_token_is_sent_and_signed() {
    let server = Mock::start();
    server.expect(
        Exchange::post("/")
            .secret_header("x-amz-security-token", "canary-token")
            .header(
                "authorization",
                matching(".*SignedHeaders=content-type;host;x-amz-date;x-amz-security-token,.*"),
            )
            .body(form("DescribeKeyPairs"))
            .answers(200)
            .body_file(fixture("DescribeKeyPairs.empty")),
    );
    let driver = Ec2Driver::new(config(server.url().as_str()).option("token", "canary-token")).unwrap();
    assert!(!format!("{driver:?}").contains("canary"));
    driver.list_key_pairs().await.unwrap();
}

#[tokio::test]
async fn signature_version_2_is_sent_in_the_query() {
    let server = Mock::start();
    server.expect(
        Exchange::get("/")
            .query(matching(
                "Action=DescribeInstances&Version=2010-08-31&InstanceId\\.1=i-3&AWSAccessKeyId=AKIDEXAMPLE\
                 &SignatureVersion=2&SignatureMethod=HmacSHA256&Timestamp=2024-05-01T08%3A30%3A00Z\
                 &SecurityToken=canary-token&Signature=[A-Za-z0-9%]+",
            ))
            .no_header("authorization")
            .answers(200)
            .body_file(fixture("DescribeInstances.page3")),
    );
    let config = config(server.url().as_str())
        .api_version("2010-08-31")
        .option("session_token", "canary-token")
        .option("signature_version", 2);
    let node = Ec2Driver::new(config).unwrap().get_node("i-3").await.unwrap();
    assert_eq!(node.id, "i-3");
}

#[tokio::test]
async fn a_throttled_call_is_repeated_whatever_it_does() {
    let server = Mock::start();
    let node = Node::from_id("i-1");
    let params = "TerminateInstances&InstanceId.1=i-1";
    server.expect(answer(form(params), 503, "Error.throttled").times(3));
    let error = driver(&server).destroy_node(&node).await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::RateLimited, Retry::Exhausted));
}

#[tokio::test]
async fn a_time_limit_reaches_the_call() {
    // It accepts nothing, so that only the limit ends the call.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let driver = Ec2Driver::new(config(&url)).unwrap();
    let limit = Options::new().timeout(Duration::from_millis(20));
    let error = driver.list_nodes_with(limit).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
}
