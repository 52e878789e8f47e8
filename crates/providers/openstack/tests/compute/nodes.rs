//! Servers.

use insta::assert_json_snapshot;
use libcloud_common::{ErrorKind, Options, Retry, json};
use libcloud_compute::{
    ComputeDriver as _, ComputeDriverExt as _, CreateNode, Node, NodeAuth, NodeImage, NodeLocation, NodeSize,
    NodeState,
};
use libcloud_openstack::compute::{NodeExtra, OpenStackCreateNode, OpenStackListNodes};
use libcloud_testkit::{Exchange, ExpectedRequest};

use crate::*;

fn node() -> Node {
    Node::from_id("s-1")
}

fn small() -> CreateNode {
    CreateNode::new("web", &NodeSize::from_id("1"), &NodeImage::from_id("i-1"))
}

fn delete(path: &str) -> ExpectedRequest {
    compute(Exchange::delete(format!("/v2.1/{path}")))
}

#[tokio::test]
async fn list_nodes() {
    let (server, driver) = start();
    server.expect(answered(get("servers/detail"), "compute/ListServers"));
    let nodes = driver.list_nodes().await.unwrap();
    assert_json_snapshot!(nodes);
    let extra: NodeExtra = nodes[0].extra_as().unwrap();
    assert_eq!((extra.key_name.as_deref(), extra.flavor_id.as_deref()), (Some("ops"), Some("2")));
    let floating = &extra.addresses["private"][1];
    assert_eq!((floating.addr.as_str(), floating.version), ("203.0.113.9", Some(4)));
    assert_eq!(floating.address_type.as_deref(), Some("floating"));
    assert_eq!(floating.mac_address.as_deref(), Some("fa:16:3e:00:00:01"));
    assert_eq!(nodes[1].state, NodeState::Unknown("SHELVED".into()));
    let extra: NodeExtra = nodes[1].extra_as().unwrap();
    assert_eq!(extra.flavor_details.unwrap().rest["original_name"], "m1.small");
    for node in nodes {
        let kept: NodeExtra = node.extra_as().unwrap();
        let written: Node = libcloud_common::json::read(json!(node)).unwrap();
        assert_eq!(written.extra_as::<NodeExtra>().unwrap(), kept);
    }
}

#[tokio::test]
async fn list_nodes_of_all_projects() {
    let (server, driver) = start();
    server.expect(answered(get("servers/detail?all_tenants=1"), "compute/ListServers.empty"));
    let mut arguments = OpenStackListNodes::default();
    arguments.ex_all_tenants = true;
    let nodes = driver.list_nodes_with(Options::new().ex(&arguments)).await.unwrap();
    assert_eq!(nodes, []);
}

#[tokio::test]
async fn a_listing_follows_all_pages_whatever_host_the_links_name() {
    let (server, driver) = start();
    server.expect(answered(get("servers/detail"), "compute/ListServers.page1"));
    server.expect(answered(get("servers/detail?marker=s%201"), "compute/ListServers.page2"));
    server.expect(answered(get("servers/detail?marker=s-2"), "compute/ListServers.page3"));
    let nodes = driver.list_nodes().await.unwrap();
    let ids: Vec<_> = nodes.iter().map(|node| (node.id.as_str(), &node.state)).collect();
    assert_eq!(ids, [("s-1", &NodeState::Pending), ("s-3", &NodeState::Stopped)]);
}

#[tokio::test]
async fn a_wrong_shape_leads_to_the_place() {
    let (server, driver) = start();
    server.expect(answered(get("servers/detail"), "compute/ListServers.wrong"));
    let error = driver.list_nodes().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::MalformedResponse);
    assert!(
        error.to_string().starts_with("openstack ListServers: unexpected answer at `servers[0].status`"),
        "{error}"
    );
}

#[tokio::test]
async fn get_node() {
    let (server, driver) = start();
    server.expect(answered(get("servers/s-1"), "compute/ShowServer").times(2));
    assert_eq!(driver.get_node("s-1").await.unwrap().name, "web");
    assert_eq!(driver.ex_get_node_details("s-1").await.unwrap().state, NodeState::Pending);

    // An id is one segment, whatever is in it.
    server.expect(get("servers/..%2Fs-9").answers(404).body_file(fixture("compute/Error.not-found")));
    let error = driver.get_node("../s-9").await.unwrap_err();
    assert_eq!((error.kind(), error.resource()), (ErrorKind::NotFound, Some(("node", "../s-9"))));
    assert_eq!(error.to_string(), "openstack ShowServer: Instance s-9 could not be found. (itemNotFound)");
}

#[tokio::test]
async fn create_node() {
    let (server, driver) = start();
    let body = json!({"server": {"name": "web", "imageRef": "i-1", "flavorRef": "1", "metadata": {}}});
    server.expect(answered(post("servers", body), "compute/CreateServer"));
    server.expect(answered(get("servers/s-1"), "compute/ShowServer"));
    let node = driver.create_node(small()).await.unwrap();
    let mut shown = node.clone();
    shown.extra = node.extra.redacted();
    assert_json_snapshot!(shown);
    assert!(!format!("{node:?}").contains("canary"));
    let extra: NodeExtra = node.extra_as().unwrap();
    assert_eq!(extra.password.unwrap().expose(), "canary-password");
}

#[tokio::test]
async fn create_node_with_everything() {
    let (server, driver) = start();
    let body = json!({"server": {
        "name": "web", "imageRef": "i-1", "flavorRef": "1",
        "metadata": {"stage": "test"},
        "key_name": "ops",
        "user_data": "IyEvYmluL3NoCg==",
        "security_groups": [{"name": "default"}, {"name": "web"}],
        "networks": [{"uuid": "n-1"}, {"uuid": "n-2"}],
        "OS-DCF:diskConfig": "AUTO",
        "config_drive": true,
        "adminPass": "canary-chosen",
        "availability_zone": "nova",
    }});
    server.expect(answered(post("servers", body), "compute/CreateServer").times(1));
    server.expect(answered(get("servers/s-1"), "compute/ShowServer"));
    let mut arguments = OpenStackCreateNode::default();
    arguments.ex_keyname = Some("ops".into());
    arguments.ex_userdata = Some("#!/bin/sh\n".into());
    arguments.ex_security_groups = vec!["default".into(), "web".into()];
    arguments.ex_metadata.insert("stage".into(), "test".into());
    arguments.ex_networks = ["n-1", "n-2"].map(libcloud_openstack::compute::OpenStackNetwork::from_id).into();
    arguments.ex_disk_config = Some("AUTO".into());
    arguments.ex_config_drive = Some(true);
    arguments.ex_admin_pass = Some("canary-chosen".into());
    arguments.ex_availability_zone = Some("nova".into());
    let options = small().location(&NodeLocation::from_id("0")).ex(&arguments);
    driver.create_node(options).await.unwrap();
}

#[tokio::test]
async fn a_node_that_cannot_be_looked_at_yet_is_not_lost() {
    let (server, driver) = start();
    let body = json!({"server": {"name": "web", "imageRef": "i-1", "flavorRef": "1", "metadata": {}}});
    server.expect(answered(post("servers", body), "compute/CreateServer"));
    server.expect(get("servers/s-1").answers(500).times(3));
    let node = driver.create_node(small()).await.unwrap();
    assert_eq!((node.id.as_str(), node.name.as_str(), &node.state), ("s-1", "web", &NodeState::Pending));
    assert_eq!(node.extra["password"], "canary-password");
}

#[tokio::test]
async fn what_create_node_does_not_take_is_refused_before_anything_is_sent() {
    let server = Mock::start();
    let driver = OpenStackNodeDriver::new(config(&server)).unwrap();
    for (options, kind, text) in [
        (small().auth(NodeAuth::ssh_key("ssh-rsa YWJj")), ErrorKind::NotSupported, "`ssh_key`"),
        (small().auth(NodeAuth::password("x")), ErrorKind::NotSupported, "`password`"),
        (small().location(&NodeLocation::from_id("moon")), ErrorKind::InvalidArgument, "one region"),
        (small().ex_arg("ex_networks", json!([7.5, []])), ErrorKind::InvalidArgument, "ex_networks"),
        (small().ex_arg("ex_files", json!({})), ErrorKind::InvalidArgument, "no argument `ex_files`"),
    ] {
        let error = driver.create_node(options).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(text), "{error}");
    }
}

#[tokio::test]
async fn a_creation_is_refused_for_what_it_is() {
    let (server, driver) = start();
    let body = json!({"server": {"name": "web", "imageRef": "i-1", "flavorRef": "1", "metadata": {}}});
    let request = || post("servers", body.clone());
    server.expect(request().answers(403).body_file(fixture("compute/Error.quota")));
    let error = driver.create_node(small()).await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::QuotaExceeded, Retry::Permanent));

    server.expect(
        request().answers(400).json(&json!({"badRequest": {"code": 400, "message": "Invalid imageRef"}})),
    );
    let error = driver.create_node(small()).await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::InvalidArgument, Some("badRequest")));

    // Too many calls: nothing was done, so it is done again when the service says.
    let limited = request().answers(413).header("retry-after", "7");
    server.expect(limited.body_file(fixture("compute/Error.over-limit")));
    server.expect(answered(request(), "compute/CreateServer"));
    server.expect(answered(get("servers/s-1"), "compute/ShowServer"));
    assert_eq!(driver.create_node(small()).await.unwrap().id, "s-1");

    // A broken answer: it may exist, so it is not made again.
    server.expect(request().answers(500));
    let error = driver.create_node(small()).await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Provider, Retry::Retryable(None)));
}

#[tokio::test]
async fn actions() {
    let (server, driver) = start();
    let action = |body: Value| post("servers/s-1/action", body).answers(202);
    let node = node();
    server.expect(action(json!({"reboot": {"type": "HARD"}})).times(2));
    driver.reboot_node(&node).await.unwrap();
    driver.ex_hard_reboot_node(&node).await.unwrap();
    server.expect(action(json!({"reboot": {"type": "SOFT"}})));
    driver.ex_soft_reboot_node(&node).await.unwrap();
    server.expect(action(json!({"os-start": null})).times(2));
    driver.start_node(&node).await.unwrap();
    driver.ex_start_node(&node).await.unwrap();
    server.expect(action(json!({"os-stop": null})).times(2));
    driver.stop_node(&node).await.unwrap();
    driver.ex_stop_node(&node).await.unwrap();
    server.expect(delete("servers/s-1").answers(204));
    driver.destroy_node(&node).await.unwrap();

    let refused = post("servers/s-1/action", json!({"os-stop": null})).answers(409);
    server.expect(refused.body_file(fixture("compute/Error.state")));
    let error = driver.stop_node(&node).await.unwrap_err();
    assert_eq!((error.kind(), error.resource()), (ErrorKind::InvalidState, Some(("node", "s-1"))));
    server.expect(delete("servers/s-1").answers(404).body_file(fixture("compute/Error.not-found")));
    let error = driver.destroy_node(&node).await.unwrap_err();
    assert_eq!((error.kind(), error.resource()), (ErrorKind::NotFound, Some(("node", "s-1"))));
    // A page of a proxy on the way.
    server.expect(delete("servers/s-1").answers(502).body("<html>Bad Gateway</html>").times(3));
    let error = driver.destroy_node(&node).await.unwrap_err();
    assert_eq!(error.to_string(), "openstack DeleteServer: answered 502 Bad Gateway");
}

#[tokio::test]
async fn metadata() {
    let (server, driver) = start();
    server.expect(answered(get("servers/s-1/metadata"), "compute/ListMetadata"));
    let metadata = driver.ex_get_metadata(&node()).await.unwrap();
    assert_eq!(metadata["stage"], "test");
    let put = compute(Exchange::put("/v2.1/servers/s-1/metadata"));
    server.expect(answered(put.body_json(json!({"metadata": {"stage": "test"}})), "compute/ListMetadata"));
    assert_eq!(driver.ex_set_metadata(&node(), metadata.clone()).await.unwrap(), metadata);
    server.expect(get("servers/s-1/metadata").answers(404).body_file(fixture("compute/Error.not-found")));
    let error = driver.ex_get_metadata(&node()).await.unwrap_err();
    assert_eq!((error.kind(), error.resource()), (ErrorKind::NotFound, Some(("node", "s-1"))));
}
