//! The driver over HTTP: what is sent for each method, and what becomes of the answers.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::time::Duration;

use libcloud_common::xmlrpc::{self, Value};
use libcloud_common::{Config, ErrorKind, ManualClock, Options, TransportConfig, json};
use libcloud_compute::{
    AttachVolume, ComputeDriver, ComputeDriverExt as _, CreateNode, CreateVolume, KeyPair, ListImages, Node,
    NodeAuth, NodeImage, NodeLocation, NodeSize, NodeState, StorageVolume, StorageVolumeState,
    VolumeSnapshot,
};
use libcloud_gandi::compute::NodeExtra;
use libcloud_gandi::{GandiDriver, compute};
use libcloud_testkit::{
    Answer, Exchange, Listing, Mock, Subject, canary, capabilities, fixture_path, matching, sent_once,
    time_limits,
};

fn fixture(name: &str) -> String {
    format!("fixtures/gandi/compute/{name}.xml")
}

/// The call of a method with these parameters behind the key, as it must be sent to the byte.
fn call(method: &str, params: &[libcloud_common::Value]) -> String {
    let params = params.iter().cloned().map(Value::from);
    let params: Vec<Value> = std::iter::once("canary-apikey".into()).chain(params).collect();
    xmlrpc::request(method, &params).unwrap()
}

fn answer(method: &str, params: &[libcloud_common::Value], name: &str) -> Exchange {
    Exchange::post("/xmlrpc/")
        .header("content-type", "text/xml")
        .body(call(method, params))
        .answers(200)
        .body_file(fixture(name))
}

fn expect(server: &Mock, method: &str, params: &[libcloud_common::Value], name: &str) {
    server.expect(answer(method, params, name));
}

/// The first page of a listing, which is the last.
fn expect_list(server: &Mock, method: &str, name: &str) {
    expect(server, method, &[json!({"items_per_page": 100, "page": 0})], name);
}

/// A method that starts an operation, and the operation's end.
fn expect_operation(server: &Mock, method: &str, params: &[libcloud_common::Value]) {
    expect(server, method, params, "Operation");
    expect(server, "operation.info", &[json!(10)], "operation.info.done");
}

fn config(server: &Mock) -> Config {
    Config::with_key("canary-apikey")
        .endpoint(server.url())
        .clock(ManualClock::at("2024-05-01T08:30:00Z".parse().unwrap()))
        .transport(TransportConfig::new().retries(0))
}

fn driver(server: &Mock) -> GandiDriver {
    GandiDriver::new(config(server)).unwrap()
}

fn subject() -> Subject<dyn ComputeDriver> {
    let one = || json!({"node": "1", "volume": "2", "disk": "2", "iface": "3"});
    let only = |names: &[&str]| {
        let mut args = one();
        args.as_object_mut().unwrap().retain(|name, _| names.contains(&name.as_str()));
        args
    };
    let mut subject = Subject::new(compute(), Config::with_key("canary-apikey"))
        .debug(|config| format!("{:?}", GandiDriver::new(config)))
        .query_style()
        .args("get_node", json!({"node_id": "1"}))
        .args("wait_until_running", json!({"nodes": ["1"]}))
        .args("create_node", json!({"name": "web", "size": "small", "image": "34198", "location": "1"}))
        .args("create_volume", json!({"size": 10, "name": "data", "location": "1"}))
        .args("delete_key_pair", json!({"key_pair": {"name": "ops", "extra": {"id": 10}}}))
        .args("detach_volume", json!({"volume": "2", "ex_node": "1"}))
        .args("ex_update_disk", json!({"disk": "2", "new_name": "other"}))
        .before("destroy_node", |request| {
            let info = Answer::new(200).body_file(&fixture("hosting.vm.info"));
            request.text().contains("hosting.vm.info").then_some(info)
        })
        .args("import_key_pair_from_string", json!({"name": "ops", "key_material": "ssh-rsa YWJj"}))
        .args(
            "import_key_pair_from_file",
            json!({"name": "ops", "key_file_path": fixture_path("fixtures/aws/ec2/key.pub")}),
        );
    for method in ["reboot_node", "start_node", "stop_node", "destroy_node"] {
        subject = subject.args(method, only(&["node"]));
    }
    subject
        .args("destroy_volume", only(&["volume"]))
        .args("attach_volume", only(&["node", "volume"]))
        .args("ex_node_attach_disk", only(&["node", "disk"]))
        .args("ex_node_detach_disk", only(&["node", "disk"]))
        .args("ex_snapshot_disk", only(&["disk"]))
        .args("ex_node_attach_interface", only(&["node", "iface"]))
        .args("ex_node_detach_interface", only(&["node", "iface"]))
}

#[tokio::test]
async fn capabilities_are_true() {
    let refused = capabilities(&subject()).await;
    assert!(refused.contains(&"create_key_pair") && refused.contains(&"create_image"), "{refused:?}");
}

#[tokio::test]
async fn a_time_limit_ends_every_call() {
    time_limits(&subject()).await;
}

#[tokio::test]
async fn what_changes_something_is_sent_once() {
    let sent = sent_once(&subject()).await;
    for method in ["create_node", "destroy_node", "create_volume", "delete_key_pair", "ex_update_disk"] {
        assert!(sent.once.contains(&method), "{method}: {sent:?}");
    }
    assert!(sent.again.contains(&"list_nodes") && sent.again.contains(&"list_sizes"), "{sent:?}");
}

#[tokio::test]
async fn the_key_stays_inside() {
    canary(&subject()).await;
}

#[tokio::test]
async fn every_page_of_disks_is_read() {
    let listing = Listing::new(
        |driver: &dyn ComputeDriver| driver.iterate_volumes_with(Options::new()),
        |page| {
            let id = |id: &String| id.replace('-', "0");
            let disk = |one: &String| {
                format!(
                    "<value><struct><member><name>id</name><value><int>{}</int></value></member><member><name>name</name>\
                     <value>{one}</value></member></struct></value>",
                    id(one)
                )
            };
            let disks: String = page.ids.iter().map(disk).collect();
            Answer::new(200).body(format!(
                "<methodResponse><params><param><value><array><data>{disks}</data></array></value></param></params>\
                 </methodResponse>"
            ))
        },
    );
    let asks = |number: u32| format!("<name>page</name><value><int>{}</int></value>", number - 1);
    listing.key("name").per_page(100).ends_when_empty().asks(asks).prove(&subject()).await;
}

#[tokio::test]
async fn nodes_have_their_addresses() {
    let server = Mock::start();
    expect_list(&server, "hosting.ip.list", "hosting.ip.list");
    expect_list(&server, "hosting.vm.list", "hosting.vm.list");
    let nodes = driver(&server).list_nodes().await.unwrap();
    assert_eq!(
        (nodes[0].id.as_str(), nodes[0].name.as_str(), &nodes[0].state),
        ("250133", "web", &NodeState::Running)
    );
    assert_eq!(nodes[0].public_ips, ["203.0.113.5", "2001:db8::5"]);
    assert_eq!(nodes[0].extra_as::<NodeExtra>().unwrap().datacenter_id, Some(1));
    assert_eq!((&nodes[1].state, nodes[1].public_ips.len()), (&NodeState::Stopped, 0));

    expect(&server, "hosting.vm.info", &[json!(250_133)], "hosting.vm.info");
    let node = driver(&server).get_node("250133").await.unwrap();
    assert_eq!(node.public_ips, ["203.0.113.5", "2001:db8::5"]);
    expect(&server, "hosting.vm.info", &[json!(250_133)], "Fault.gone");
    let error = driver(&server).get_node("250133").await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::NotFound, Some("505042")));
    let error = driver(&server).get_node("i-1").await.unwrap_err();
    assert_eq!(error.to_string(), "`i-1` is not an id of Gandi's: those are numbers");
    expect_list(&server, "hosting.ip.list", "Fault.key");
    let error = driver(&server).list_nodes().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidCredentials);
}

#[tokio::test]
async fn sizes_images_and_data_centres_are_listed() {
    let server = Mock::start();
    let driver = driver(&server);
    expect(&server, "hosting.account.info", &[], "hosting.account.info");
    let sizes = driver.list_sizes().await.unwrap();
    assert_eq!(
        sizes.iter().map(|size| (size.ram, size.disk)).collect::<Vec<_>>(),
        [(Some(256), Some(8)), (Some(512), Some(16))]
    );
    expect(&server, "hosting.account.info", &[], "hosting.account.info.rating");
    assert_eq!(driver.list_sizes().await.unwrap()[3].id, "x-large");
    let page = json!({"datacenter_id": 1, "items_per_page": 100, "page": 0});
    expect(&server, "hosting.image.list", &[page], "hosting.image.list");
    let images =
        driver.list_images_with(ListImages::new().location(&NodeLocation::from_id("1"))).await.unwrap();
    assert_eq!((images[0].id.as_str(), images[0].name.as_str()), ("34198", "Debian 12"));
    expect_list(&server, "hosting.datacenter.list", "hosting.datacenter.list");
    let places = driver.list_locations().await.unwrap();
    assert_eq!((places[0].name.as_str(), places[1].name.as_str()), ("FR-SD2", "Elsewhere"));
}

fn web() -> CreateNode {
    CreateNode::new("web", &NodeSize::from_id("small"), &NodeImage::from_id("34198"))
        .location(&NodeLocation::from_id("1"))
}

fn spec(more: libcloud_common::Value) -> Vec<libcloud_common::Value> {
    let mut vm = json!({"datacenter_id": 1, "hostname": "web", "memory": 256, "cores": 1, "bandwidth": 10240, "ip_version": 4});
    vm.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    vec![vm, json!({"datacenter_id": 1, "name": "disk_web"}), json!(34_198)]
}

#[tokio::test]
async fn a_node_is_made_by_an_operation() {
    let server = Mock::start();
    let driver = driver(&server);
    let params = spec(json!({"login": "me", "password": "canary-mine", "keys": [10]}));
    expect(&server, "hosting.vm.create_from", &params, "hosting.vm.create_from");
    server.expect(answer("operation.info", &[json!(3)], "operation.info.run").times(2));
    expect(&server, "operation.info", &[json!(3)], "operation.info.done");
    expect(&server, "hosting.vm.info", &[json!(250_133)], "hosting.vm.info");
    let options = web()
        .auth(NodeAuth::password("canary-mine"))
        .ex_arg("ex_login", "me")
        .ex_arg("ex_keypairs", vec!["10"]);
    let node = driver.create_node(options).await.unwrap();
    assert_eq!((node.id.as_str(), node.extra.get("password")), ("250133", None));

    // Without authentication there is a password of our making, which its owner gets.
    server.expect(
        Exchange::post("/xmlrpc/")
            .body(matching(".*<name>login</name><value><string>admin</string>.*<name>password</name><value><string>[A-Za-z0-9_-]{32}</string>.*"))
            .answers(200)
            .body_file(fixture("hosting.vm.create_from")),
    );
    expect(&server, "operation.info", &[json!(3)], "operation.info.done");
    expect(&server, "hosting.vm.info", &[json!(250_133)], "hosting.vm.info");
    let node = driver.create_node(web()).await.unwrap();
    assert_eq!(node.extra["password"].as_str().unwrap().len(), 32);
    assert!(format!("{node:?}").contains("•••"));

    let mut nowhere = web();
    nowhere.location = None;
    let error = driver.create_node(nowhere).await.unwrap_err();
    assert!(error.to_string().starts_with("create_node needs `location`"), "{error}");
}

#[tokio::test]
async fn an_operation_that_fails_tells_why_and_one_that_lasts_its_id() {
    let server = Mock::start();
    let driver = driver(&server);
    let keys = || web().ex_arg("ex_keypairs", vec!["10"]);
    let params = spec(json!({"keys": [10]}));
    expect(&server, "hosting.vm.create_from", &params, "hosting.vm.create_from");
    expect(&server, "operation.info", &[json!(3)], "operation.info.error");
    let error = driver.create_node(keys()).await.unwrap_err();
    assert_eq!(error.to_string(), "gandi hosting.vm.create_from: no host has room for it (ERROR)");
    assert_eq!(error.resource(), Some(("operation", "3")));

    expect(&server, "hosting.vm.create_from", &params, "hosting.vm.create_from");
    expect(&server, "operation.info", &[json!(3)], "operation.info.run");
    let error = driver.create_node(keys().timeout(Duration::from_millis(500))).await.unwrap_err();
    assert_eq!((error.kind(), error.resource()), (ErrorKind::Timeout, Some(("job", "operation 3"))));

    expect(&server, "hosting.vm.create_from", &params, "hosting.vm.create_from.odd");
    assert_eq!(driver.create_node(keys()).await.unwrap_err().kind(), ErrorKind::MalformedResponse);
}

#[tokio::test]
async fn nodes_are_rebooted_started_stopped_and_destroyed() {
    let server = Mock::start();
    let driver = driver(&server);
    let (node, id) = (Node::from_id("250133"), [json!(250_133)]);
    expect_operation(&server, "hosting.vm.reboot", &id);
    driver.reboot_node(&node).await.unwrap();
    expect_operation(&server, "hosting.vm.start", &id);
    driver.start_node(&node).await.unwrap();
    expect_operation(&server, "hosting.vm.stop", &id);
    driver.stop_node(&node).await.unwrap();
    expect(&server, "hosting.vm.info", &id, "hosting.vm.info");
    expect_operation(&server, "hosting.vm.stop", &id);
    expect_operation(&server, "hosting.vm.delete", &id);
    driver.destroy_node(&node).await.unwrap();
    expect(&server, "hosting.vm.info", &id, "hosting.vm.info.halted");
    expect_operation(&server, "hosting.vm.delete", &id);
    driver.destroy_node(&node).await.unwrap();
    expect(&server, "hosting.vm.info", &id, "Fault.gone");
    assert_eq!(driver.destroy_node(&node).await.unwrap_err().kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn volumes_are_made_attached_detached_and_destroyed() {
    let server = Mock::start();
    let driver = driver(&server);
    let (node, volume, both) =
        (Node::from_id("250133"), StorageVolume::from_id("34951"), [json!(250_133), json!(34_951)]);
    expect_list(&server, "hosting.disk.list", "hosting.disk.list");
    let volumes = driver.list_volumes().await.unwrap();
    assert_eq!((volumes[0].size, &volumes[0].state), (Some(10), &StorageVolumeState::InUse));
    assert_eq!(
        (volumes[1].extra.get("can_snapshot"), &volumes[1].state),
        (None, &StorageVolumeState::Available)
    );

    let disk = json!({"name": "data", "size": 10240, "datacenter_id": 1});
    let place = CreateVolume::new().location(&NodeLocation::from_id("1"));
    expect(&server, "hosting.disk.create", std::slice::from_ref(&disk), "Operation.disk");
    expect(&server, "operation.info", &[json!(10)], "operation.info.done");
    expect(&server, "hosting.disk.info", &[json!(34_951)], "hosting.disk.info");
    assert_eq!(driver.create_volume_with(10, "data", place.clone()).await.unwrap().id, "34951");
    expect(&server, "hosting.disk.create_from", &[disk, json!(7)], "Operation.disk");
    expect(&server, "operation.info", &[json!(10)], "operation.info.done");
    expect(&server, "hosting.disk.info", &[json!(34_951)], "hosting.disk.info");
    driver.create_volume_with(10, "data", place.snapshot(&VolumeSnapshot::from_id("7"))).await.unwrap();

    expect_operation(&server, "hosting.vm.disk_attach", &both);
    driver.attach_volume(&node, &volume).await.unwrap();
    let error =
        driver.attach_volume_with(&node, &volume, AttachVolume::new().device("sdb")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotSupported);
    expect(&server, "hosting.disk.info", &[json!(34_951)], "hosting.disk.info");
    expect_operation(&server, "hosting.vm.disk_detach", &both);
    driver.detach_volume(&volume).await.unwrap();
    expect(&server, "hosting.disk.info", &[json!(34_951)], "hosting.disk.info.free");
    assert_eq!(driver.detach_volume(&volume).await.unwrap_err().kind(), ErrorKind::InvalidState);
    expect_operation(&server, "hosting.vm.disk_detach", &both);
    driver.detach_volume_with(&volume, Options::new().ex_arg("ex_node", "250133")).await.unwrap();
    expect_operation(&server, "hosting.disk.delete", &[json!(34_951)]);
    driver.destroy_volume(&volume).await.unwrap();
}

#[tokio::test]
async fn key_pairs_are_listed_imported_and_deleted() {
    let server = Mock::start();
    let driver = driver(&server);
    let named = |name: &str| [json!({"name": name, "items_per_page": 100, "page": 0})];
    expect_list(&server, "hosting.ssh.list", "hosting.ssh.list");
    assert_eq!(driver.list_key_pairs().await.unwrap()[0].extra["id"], 10);
    expect(&server, "hosting.ssh.list", &named("ops"), "hosting.ssh.list");
    assert_eq!(driver.get_key_pair("ops").await.unwrap().fingerprint.as_deref(), Some("a6:1f:b8"));
    expect(&server, "hosting.ssh.list", &named("no"), "hosting.ssh.list.empty");
    assert_eq!(driver.get_key_pair("no").await.unwrap_err().resource(), Some(("key pair", "no")));
    let key = json!({"name": "ops", "value": "ssh-rsa YWJj me"});
    expect(&server, "hosting.ssh.create", &[key], "hosting.ssh.create");
    let made = driver.import_key_pair_from_string("ops", "ssh-rsa YWJj me").await.unwrap();
    assert_eq!(made.public_key.as_deref(), Some("ssh-rsa YWJj me"));
    expect(&server, "hosting.ssh.delete", &[json!(10)], "hosting.ssh.delete");
    driver.delete_key_pair(&made).await.unwrap();
    expect(&server, "hosting.ssh.list", &named("ops"), "hosting.ssh.list");
    expect(&server, "hosting.ssh.delete", &[json!(10)], "hosting.ssh.delete");
    driver.delete_key_pair(&KeyPair::from_id("ops")).await.unwrap();
}

#[tokio::test]
async fn disks_and_interfaces_are_reached_by_name() {
    let server = Mock::start();
    let driver: Arc<dyn ComputeDriver> = (compute().factory)(config(&server)).unwrap();
    expect_list(&server, "hosting.iface.list", "hosting.iface.list");
    expect_list(&server, "hosting.ip.list", "hosting.ip.list");
    let interfaces = driver.call("ex_list_interfaces", json!({})).await.unwrap();
    assert_eq!(
        (&interfaces[0]["node_id"], &interfaces[0]["ips"][1]["inet"]),
        (&json!("250133"), &json!("2001:db8::5"))
    );
    expect_list(&server, "hosting.disk.list", "hosting.disk.list");
    assert_eq!(driver.call("ex_list_disks", json!({})).await.unwrap()[0]["size"], 10240);
    for (method, call, args, params) in [
        (
            "ex_node_attach_disk",
            "hosting.vm.disk_attach",
            json!({"node": "1", "disk": "2"}),
            vec![json!(1), json!(2)],
        ),
        (
            "ex_node_detach_disk",
            "hosting.vm.disk_detach",
            json!({"node": "1", "disk": "2"}),
            vec![json!(1), json!(2)],
        ),
        (
            "ex_node_attach_interface",
            "hosting.vm.iface_attach",
            json!({"node": "1", "iface": "3"}),
            vec![json!(1), json!(3)],
        ),
        (
            "ex_node_detach_interface",
            "hosting.vm.iface_detach",
            json!({"node": "1", "iface": "3"}),
            vec![json!(1), json!(3)],
        ),
        (
            "ex_snapshot_disk",
            "hosting.disk.create_from",
            json!({"disk": "2", "name": "s"}),
            vec![json!({"type": "snapshot", "name": "s"}), json!(2)],
        ),
        (
            "ex_update_disk",
            "hosting.disk.update",
            json!({"disk": "2", "new_size": 20480}),
            vec![json!(2), json!({"size": 20480})],
        ),
    ] {
        expect_operation(&server, call, &params);
        assert_eq!(driver.call(method, args).await.unwrap(), json!(true), "{method}");
    }
    let error = driver.call("ex_update_disk", json!({"disk": "2"})).await.unwrap_err();
    assert!(error.to_string().contains("needs `new_size` or `new_name`"), "{error}");
}
