//! The drivers of classic, application and network balancers against a moto server, which must be running: `MOTO_ENDPOINT`,
//! `MOTO_REGION`, `MOTO_ACCESS_KEY`, `MOTO_SECRET_KEY` and `MOTO_AUTH` tell where and how. With `MOTO_AUTH=on` it verifies
//! signatures of version 4, else those of version 2.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::env::var;

use libcloud_aws::{alb, ec2, elb};
use libcloud_common::{Config, ErrorKind, Value, json, unique_token};
use libcloud_compute::{ComputeDriverExt as _, CreateNode, Node, NodeImage, NodeLocation, NodeSize};
use libcloud_loadbalancer::{CreateBalancer, LoadBalancerDriverExt as _, Member};
use libcloud_testkit::suite::{Expectations, LoadBalancers};

fn config() -> Config {
    Config::new(var("MOTO_ACCESS_KEY").unwrap(), var("MOTO_SECRET_KEY").unwrap())
        .region(var("MOTO_REGION").unwrap())
        .endpoint(var("MOTO_ENDPOINT").unwrap().parse().unwrap())
}

fn wrong(config: Config) -> Config {
    let mut wrong = config;
    wrong.secret = Some("wrong".into());
    wrong
}

fn verifies() -> bool {
    var("MOTO_AUTH").unwrap() == "on"
}

/// Two nodes, in two zones of the default VPC.
async fn nodes() -> [Node; 2] {
    let driver = (ec2().factory)(config()).unwrap();
    let region = var("MOTO_REGION").unwrap();
    let mut nodes = Vec::new();
    for zone in ["a", "b"] {
        let options =
            CreateNode::new("libcloud", &NodeSize::from_id("m1.small"), &NodeImage::from_id("ami-12c6146b"))
                .location(&NodeLocation::from_id(format!("{region}{zone}")));
        nodes.push(driver.create_node(options).await.unwrap());
    }
    nodes.try_into().unwrap()
}

async fn gone(nodes: &[Node]) {
    let driver = (ec2().factory)(config()).unwrap();
    for node in nodes {
        driver.destroy_node(node).await.unwrap();
    }
}

fn members(nodes: &[Node; 2]) -> [Member; 2] {
    nodes.each_ref().map(|node| Member::from_id(node.id.as_str()))
}

async fn classic(config: Config, verified: bool) {
    let nodes = nodes().await;
    let driver = (elb().factory)(config.clone()).unwrap();
    let suite = LoadBalancers::new(driver).members(members(&nodes));
    let suite = if verified {
        suite.wrong_credentials((elb().factory)(wrong(config)).unwrap())
    } else {
        suite.without_credentials()
    };
    let expectations = Expectations::new()
        .fails(
            "balancers/what is not there is not found",
            "Amazon says that it destroyed what is not there, and moto follows it",
        )
        .fails("members/what is not there is not found", "moto detaches what is not attached");
    let report = suite.run(expectations).await;
    let denied: &[&str] = if verified {
        &["balancers/update"]
    } else {
        &["balancers/update", "credentials/wrong ones are refused"]
    };
    assert_eq!(report.denied, denied);
    gone(&nodes).await;
}

#[tokio::test]
async fn classic_suite() {
    classic(config(), verifies()).await;
}

#[tokio::test]
async fn classic_suite_with_signature_version_2() {
    let config = config().option("signature_version", "2");
    if verifies() {
        // Switched on, it verifies version 4 and knows no other.
        let error = (elb().factory)(config).unwrap().list_balancers().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidCredentials, "{error}");
    } else {
        classic(config, true).await;
    }
}

#[tokio::test]
async fn listeners_policies_and_health_checks_of_a_classic_balancer() {
    let driver = (elb().factory)(config()).unwrap();
    let name = format!("libcloud-{}", &unique_token().unwrap()[..16]);
    let tags = json!({"stage": "test"});
    let options = CreateBalancer::new(&name, 80, "http").ex_arg("ex_tags", tags.clone());
    let balancer = driver.create_balancer(options).await.unwrap();
    let call = async |method: &str, arguments: Value| driver.call(method, arguments).await.unwrap();

    call("ex_create_balancer_listeners", json!({"name": name, "listeners": [[81, 8081, "TCP"]]})).await;
    let policy = json!({
        "name": name, "policy_name": "proxy", "policy_type": "ProxyProtocolPolicyType",
        "policy_attributes": {"ProxyProtocol": true},
    });
    call("ex_create_balancer_policy", policy).await;
    assert_eq!(call("ex_list_balancer_policies", json!({"balancer": name})).await, json!(["proxy"]));
    call(
        "ex_set_balancer_policies_backend_server",
        json!({"name": name, "instance_port": 8081, "policies": ["proxy"]}),
    )
    .await;
    let check = json!({"name": name, "target": "TCP:8081", "timeout": 3});
    assert_eq!(call("ex_configure_health_check", check).await["target"], "TCP:8081");

    let found = call("get_balancer", json!({"balancer_id": name, "ex_fetch_tags": true})).await;
    assert_eq!((&found["port"], &found["extra"]["tags"]), (&Value::Null, &tags));
    assert_eq!(found["extra"]["listeners"][1]["instance_port"], 8081);
    assert_eq!(found["extra"]["health_check"]["timeout"], 3);

    call("ex_delete_balancer_listeners", json!({"name": name, "ports": [81]})).await;
    call("ex_delete_balancer_policy", json!({"name": name, "policy_name": "proxy"})).await;
    assert_eq!(driver.get_balancer(&name).await.unwrap().port, Some(80));
    driver.destroy_balancer(&balancer).await.unwrap();
}

#[tokio::test]
async fn application_suite() {
    let nodes = nodes().await;
    let subnets: Vec<_> = nodes.iter().map(|node| node.extra["subnet_id"].clone()).collect();
    let config = config().option("subnets", subnets);
    let suite = LoadBalancers::new((alb().factory)(config.clone()).unwrap())
        .unknown("arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/gone/0000000000000000")
        .members(members(&nodes).map(|mut member| {
            member.port = Some(8080);
            member
        }));
    let suite = if verifies() {
        suite.wrong_credentials((alb().factory)(wrong(config)).unwrap())
    } else {
        suite.without_credentials()
    };
    let expectations = Expectations::new()
        .fails(
            "balancers/what is not there is not found",
            "Amazon says that it destroyed what is not there, and moto follows it",
        )
        .fails("balancers/unicode names", "Amazon takes letters, digits and hyphens, and moto follows it");
    let report = suite.run(expectations).await;
    let denied: &[&str] = if verifies() {
        &["balancers/update"]
    } else {
        &["balancers/update", "credentials/wrong ones are refused"]
    };
    assert_eq!(report.denied, denied);
    gone(&nodes).await;
}

#[tokio::test]
async fn target_groups_listeners_and_rules() {
    let nodes = nodes().await;
    let subnets: Vec<_> = nodes.iter().map(|node| node.extra["subnet_id"].clone()).collect();
    let driver = (alb().factory)(config()).unwrap();
    let name = format!("libcloud-{}", &unique_token().unwrap()[..16]);
    let options = CreateBalancer::new(&name, 80, "http")
        .members(members(&nodes))
        .ex_arg("ex_subnets", subnets)
        .ex_arg("ex_tags", json!({"stage": "test"}));
    let balancer = driver.create_balancer(options).await.unwrap();
    assert_eq!(balancer.extra["tags"], json!({"stage": "test"}));
    let call = async |method: &str, arguments: Value| driver.call(method, arguments).await.unwrap();

    let vpc = &nodes[0].extra["vpc_id"];
    let second =
        call("ex_create_target_group", json!({"name": "second", "port": 8080, "proto": "http", "vpc": vpc}))
            .await;
    let rule = json!({
        "listener": balancer.extra["listener"], "priority": "10", "target_group": second,
        "condition_field": "path-pattern", "condition_value": "/img/*",
    });
    let rule = call("ex_create_listener_rule", rule).await;
    assert_eq!(
        call("ex_get_rule", json!({"rule_id": rule["id"]})).await["conditions"],
        json!({"path-pattern": ["/img/*"]})
    );
    let rules = call("ex_list_listener_rules", json!({"listener": balancer.extra["listener"]})).await;
    assert_eq!(rules.as_array().unwrap().len(), 2);

    let extra = json!({"balancer": balancer, "member": {"id": nodes[0].id, "port": 8080}, "ex_target_group": second["id"]});
    call("balancer_attach_member", extra).await;
    let listed = call("ex_list_target_group_members", json!({"target_group": second})).await;
    assert_eq!((listed.as_array().unwrap().len(), &listed[0]["port"]), (1, &json!(8080)));

    call("ex_delete_rule", json!({"rule": rule})).await;
    call("ex_delete_target_group", json!({"target_group": second})).await;
    let groups = call("ex_list_target_groups", json!({"balancer": balancer})).await;
    driver.destroy_balancer(&balancer).await.unwrap();
    call("ex_delete_target_group", json!({"target_group": groups[0]})).await;
    gone(&nodes).await;
}
