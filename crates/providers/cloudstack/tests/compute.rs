//! The driver over HTTP: what is sent for each method, and what becomes of the answers.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::time::Duration;

use libcloud_cloudstack::compute::{CloudStackCreateNode, CloudStackDestroyNode, NodeExtra, VolumeExtra};
use libcloud_cloudstack::{CloudStackDriver, compute};
use libcloud_common::{Config, ErrorKind, ManualClock, Options, Secret, TransportConfig, json};
use libcloud_compute::{
    AttachVolume, ComputeDriver, ComputeDriverExt as _, CreateNode, CreateVolume, KeyPair, Node, NodeAuth,
    NodeImage, NodeLocation, NodeSize, NodeState, StorageVolume, StorageVolumeState,
};
use libcloud_testkit::{
    Answer, Exchange, Listing, Mock, Subject, canary, capabilities, fixture_path, matching, sent_once,
    time_limits,
};

const SIGNED: &str = "&apiKey=canary-key&response=json&signature=[A-Za-z0-9%]+";

fn fixture(name: &str) -> String {
    format!("fixtures/cloudstack/compute/{name}.json")
}

fn escaped(params: &str) -> String {
    params.replace('.', "\\.").replace('+', "\\+")
}

fn get(params: &str, status: u16, name: &str) -> Exchange {
    Exchange::get("/client/api")
        .query(matching(&format!("command={}{SIGNED}", escaped(params))))
        .answers(status)
        .body_file(fixture(name))
}

/// An expected GET and its answer.
fn expect(server: &Mock, params: &str, name: &str) {
    server.expect(get(params, 200, name));
}

/// The first page of a listing, which is the last.
fn expect_list(server: &Mock, params: &str, name: &str) {
    server.expect(get(&format!("{params}&page=1&pagesize=500"), 200, name));
}

fn expect_post(server: &Mock, params: &str, name: &str) {
    server.expect(
        Exchange::post("/client/api")
            .body(matching(&format!("command={}{SIGNED}", escaped(params))))
            .answers(200)
            .body_file(fixture(name)),
    );
}

/// A command that starts a job, and the job's end.
fn expect_job(server: &Mock, params: &str, result: &str) {
    expect(server, params, "Job.started");
    expect(server, "queryAsyncJobResult&jobid=4711", &format!("queryAsyncJobResult.{result}"));
}

fn clock() -> ManualClock {
    ManualClock::at("2024-05-01T08:30:00Z".parse().unwrap())
}

fn config(server: &Mock) -> Config {
    Config::new("canary-key", "canary-secret")
        .endpoint(server.url())
        .clock(clock())
        .transport(TransportConfig::new().retries(0))
}

fn driver(server: &Mock) -> CloudStackDriver {
    CloudStackDriver::new(config(server)).unwrap()
}

fn subject() -> Subject<dyn ComputeDriver> {
    let zones = |request: &libcloud_testkit::Received| {
        let zones = Answer::new(200).body_file(&fixture("listZones"));
        (request.param("command")? == "listZones").then_some(zones)
    };
    let offerings = move |request: &libcloud_testkit::Received| match request.param("command")?.as_str() {
        "listDiskOfferings" => Some(Answer::new(200).body_file(&fixture("listDiskOfferings"))),
        _ => zones(request),
    };
    Subject::new(compute(), Config::new("canary-key", "canary-secret"))
        .debug(|config| format!("{:?}", CloudStackDriver::new(config)))
        .query_style()
        .reads(&["ex_limits"])
        .before("create_node", zones)
        .before("ex_allocate_public_ip", zones)
        .before("create_volume", offerings)
        .args("wait_until_running", json!({"nodes": ["vm-1"]}))
        .args("attach_volume", json!({"device": "1"}))
        .args("import_key_pair_from_string", json!({"name": "ops", "key_material": "ssh-rsa YWJj"}))
        .args(
            "import_key_pair_from_file",
            json!({"name": "ops", "key_file_path": fixture_path("fixtures/aws/ec2/key.pub")}),
        )
}

#[tokio::test]
async fn capabilities_are_true() {
    let refused = capabilities(&subject()).await;
    assert!(refused.contains(&"create_image") && refused.contains(&"create_volume_snapshot"), "{refused:?}");
}

#[tokio::test]
async fn a_time_limit_ends_every_call() {
    time_limits(&subject()).await;
}

#[tokio::test]
async fn what_changes_something_is_sent_once() {
    let sent = sent_once(&subject()).await;
    for method in ["create_node", "destroy_node", "create_volume", "ex_allocate_public_ip", "delete_key_pair"]
    {
        assert!(sent.once.contains(&method), "{method}: {sent:?}");
    }
    assert!(sent.again.contains(&"list_nodes") && sent.again.contains(&"get_key_pair"), "{sent:?}");
}

#[tokio::test]
async fn credentials_stay_inside() {
    canary(&subject()).await;
}

fn page(key: &str, page: &libcloud_testkit::ListingPage) -> Answer {
    let items: Vec<_> = page.ids.iter().map(|id| json!({"id": id, "name": id})).collect();
    Answer::new(200).json(&json!({"xresponse": {"count": page.of * 2, key: items}}))
}

#[tokio::test]
async fn every_page_is_read() {
    let nodes = subject().prelude(|request| {
        let none = Answer::new(200).body_file(&fixture("listPublicIpAddresses.empty"));
        (request.param("command")? == "listPublicIpAddresses").then_some(none)
    });
    let listing =
        Listing::new(|driver: &dyn ComputeDriver| driver.iterate_nodes(), |of| page("virtualmachine", of));
    let listing = listing.asks(|number| format!("page={number}&pagesize=500")).counts_itself();
    let volumes = Listing::new(
        |driver: &dyn ComputeDriver| driver.iterate_volumes_with(Options::new()),
        |of| page("volume", of),
    );
    let volumes = volumes.asks(|number| format!("page={number}&pagesize=500")).counts_itself();
    listing.prove(&nodes).await;
    volumes.prove(&subject()).await;
}

#[tokio::test]
async fn nodes_come_with_what_leads_to_them() {
    let server = Mock::start();
    expect_list(&server, "listPublicIpAddresses", "listPublicIpAddresses");
    expect_list(&server, "listPortForwardingRules", "listPortForwardingRules");
    expect_list(&server, "listIpForwardingRules", "listIpForwardingRules");
    expect_list(&server, "listVirtualMachines&projectid=p-1", "listVirtualMachines");
    let options = Options::new().ex_arg("ex_project", "p-1");
    let nodes = driver(&server).list_nodes_with(options).await.unwrap();
    let [web, old] = nodes.as_slice() else { panic!("{nodes:?}") };
    assert_eq!((web.id.as_str(), web.name.as_str(), &web.state), ("7d1a-vm1", "web", &NodeState::Running));
    assert_eq!(
        (&*web.public_ips, &*web.private_ips),
        (&["198.51.100.7".to_owned()][..], &["10.1.0.5".to_owned()][..])
    );
    assert_eq!(web.created_at.unwrap().to_string(), "2024-05-01T08:00:00Z");
    let extra = web.extra_as::<NodeExtra>().unwrap();
    assert_eq!((extra.zone_name.as_deref(), extra.size_id.as_deref()), (Some("north"), Some("s-1")));
    assert_eq!(
        (extra.security_groups, extra.affinity_groups[0].name.as_str()),
        (vec!["default".to_owned()], "apart")
    );
    assert_eq!(
        (extra.port_forwarding_rules[0].protocol.as_str(), extra.ip_addresses[0].id.as_str()),
        ("TCP", "ip-1")
    );
    assert_eq!(extra.ip_forwarding_rules[0].start_port.as_deref(), Some("53"));
    assert_eq!(
        (web.extra["keyname"].as_str(), web.extra["tags"]["role"].as_str()),
        (Some("ops"), Some("web"))
    );
    assert_eq!((old.id.as_str(), &old.state), ("2601", &NodeState::Terminated));
    assert_eq!(old.public_ips, ["203.0.113.9"]);
}

#[tokio::test]
async fn sizes_images_and_zones_are_listed() {
    let server = Mock::start();
    let driver = driver(&server);
    expect_list(&server, "listServiceOfferings", "listServiceOfferings");
    let sizes = driver.list_sizes().await.unwrap();
    assert_eq!((sizes[0].ram, sizes[0].disk, sizes[0].extra["cpu"].as_u64()), (Some(2048), None, Some(2)));
    expect_list(&server, "listTemplates&templatefilter=featured&zoneid=z-1", "listTemplates");
    let options = libcloud_compute::ListImages::new()
        .location(&NodeLocation::from_id("z-1"))
        .ex_arg("ex_template_filter", "featured");
    let images = driver.list_images_with(options).await.unwrap();
    assert_eq!((images[0].id.as_str(), images[0].extra["format"].as_str()), ("t-1", Some("QCOW2")));
    expect_list(&server, "listTemplates&templatefilter=executable", "listTemplates");
    assert_eq!(driver.list_images().await.unwrap().len(), 1);
    expect_list(&server, "listZones", "listZones");
    let zones = driver.list_locations().await.unwrap();
    assert_eq!((zones[1].id.as_str(), zones[1].name.as_str()), ("z-2", "south"));
}

#[tokio::test]
async fn one_node_is_asked_for() {
    let server = Mock::start();
    expect_list(&server, "listVirtualMachines&id=7d1a-vm1", "listVirtualMachines");
    assert_eq!(driver(&server).get_node("7d1a-vm1").await.unwrap().name, "web");
    expect_list(&server, "listVirtualMachines&id=gone", "listVirtualMachines.empty");
    let error = driver(&server).get_node("gone").await.unwrap_err();
    assert_eq!(error.resource(), Some(("node", "gone")));
    server.expect(get("listVirtualMachines&id=odd&page=1&pagesize=500", 431, "Error"));
    let error = driver(&server).get_node("odd").await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::NotFound, Some("431, 4350")));
    assert_eq!(
        error.to_string(),
        "cloudstack listVirtualMachines: Unable to find virtual machine (431, 4350)"
    );
}

fn web() -> CreateNode {
    CreateNode::new("web", &NodeSize::from_id("s-1"), &NodeImage::from_id("t-1"))
}

#[tokio::test]
async fn a_node_is_made_by_a_job() {
    let server = Mock::start();
    expect_list(&server, "listZones", "listZones");
    expect_post(
        &server,
        "deployVirtualMachine&name=web&serviceofferingid=s-1&templateid=t-1&zoneid=z-1",
        "deployVirtualMachine",
    );
    server.expect(get("queryAsyncJobResult&jobid=job-1", 200, "queryAsyncJobResult.pending").times(2));
    expect(&server, "queryAsyncJobResult&jobid=job-1", "queryAsyncJobResult.node");
    let clock = clock();
    let driver = CloudStackDriver::new(config(&server).clock(clock.clone())).unwrap();
    let node = driver
        .create_node(web().auth(NodeAuth::Password(libcloud_compute::NodeAuthPassword::generate().unwrap())));
    let node = node.await.unwrap();
    assert_eq!(clock.slept().len(), 2);
    assert_eq!(node.extra_as::<NodeExtra>().unwrap().password, Some(Secret::new("canary-made")));
    assert!(!format!("{node:?}").contains("canary"));
}

#[tokio::test]
async fn a_node_is_made_with_all_arguments() {
    let server = Mock::start();
    expect_post(
        &server,
        "deployVirtualMachine&name=web&serviceofferingid=s-1&templateid=t-1&zoneid=z-2&displayname=Web&keypair=ops\
         &securitygroupnames=a%2Cb&networkids=n1%2Cn2&projectid=p&diskofferingid=d&ipaddress=10.1.0.5&startvm=false\
         &rootdisksize=50&affinitygroupids=ag-1&userdata=IyEvYmluL3No",
        "deployVirtualMachine",
    );
    expect(&server, "queryAsyncJobResult&jobid=job-1", "queryAsyncJobResult.node");
    let mut ex = CloudStackCreateNode::default();
    ex.ex_displayname = Some("Web".into());
    ex.ex_keyname = Some("ops".into());
    ex.ex_security_groups = vec!["a".into(), "b".into()];
    ex.ex_networks = vec!["n1".into(), "n2".into()];
    ex.ex_project = Some("p".into());
    ex.ex_diskoffering = Some("d".into());
    ex.ex_ip_address = Some("10.1.0.5".into());
    ex.ex_start_vm = Some(false);
    ex.ex_rootdisksize = Some(50);
    ex.ex_affinity_groups = vec!["ag-1".into()];
    ex.ex_userdata = Some("#!/bin/sh".into());
    let options = web().location(&NodeLocation::from_id("z-2")).ex(&ex);
    driver(&server).create_node(options).await.unwrap();

    let error = driver(&server).create_node(web().auth(NodeAuth::password("mine"))).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotSupported);
}

#[tokio::test]
async fn a_job_that_fails_tells_why_and_one_that_lasts_its_id() {
    let server = Mock::start();
    let there = web().location(&NodeLocation::from_id("z-1"));
    let deploy = "deployVirtualMachine&name=web&serviceofferingid=s-1&templateid=t-1&zoneid=z-1";
    expect_post(&server, deploy, "deployVirtualMachine");
    expect(&server, "queryAsyncJobResult&jobid=job-1", "queryAsyncJobResult.failed");
    let error = driver(&server).create_node(there.clone()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "cloudstack deployVirtualMachine: Unable to create a deployment for VM web (533)"
    );
    assert_eq!(error.resource(), Some(("job", "job-1")));

    expect_post(&server, deploy, "deployVirtualMachine");
    server.expect(get("queryAsyncJobResult&jobid=job-1", 200, "queryAsyncJobResult.pending").times(1));
    let error = driver(&server).create_node(there.timeout(Duration::from_millis(500))).await.unwrap_err();
    assert_eq!((error.kind(), error.operation()), (ErrorKind::Timeout, Some("deployVirtualMachine")));
    assert_eq!(error.resource(), Some(("job", "job job-1")));
}

#[tokio::test]
async fn nodes_are_rebooted_started_stopped_and_destroyed() {
    let server = Mock::start();
    let driver = driver(&server);
    let node = Node::from_id("vm-1");
    expect_job(&server, "rebootVirtualMachine&id=vm-1", "node");
    driver.reboot_node(&node).await.unwrap();
    expect_job(&server, "startVirtualMachine&id=vm-1", "node");
    driver.start_node(&node).await.unwrap();
    expect_job(&server, "stopVirtualMachine&id=vm-1", "node");
    driver.stop_node(&node).await.unwrap();
    expect_job(&server, "startVirtualMachine&id=vm-1", "node");
    assert_eq!(driver.ex_start(&node).await.unwrap(), "Running");
    expect_job(&server, "stopVirtualMachine&id=vm-1", "node");
    assert_eq!(driver.ex_stop(&node).await.unwrap(), "Running");
    expect_job(&server, "destroyVirtualMachine&id=vm-1", "node");
    driver.destroy_node(&node).await.unwrap();
    let mut ex = CloudStackDestroyNode::default();
    ex.ex_expunge = Some(true);
    expect_job(&server, "destroyVirtualMachine&id=vm-1&expunge=true", "success");
    driver.destroy_node_with(&node, Options::new().ex(&ex)).await.unwrap();
    server.expect(get("destroyVirtualMachine&id=vm-1", 431, "Error"));
    assert_eq!(driver.destroy_node(&node).await.unwrap_err().kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn volumes_are_made_of_offerings_attached_and_destroyed() {
    let server = Mock::start();
    let driver = driver(&server);
    let (node, volume) = (Node::from_id("vm-1"), StorageVolume::from_id("v-1"));
    expect_list(&server, "listVolumes&virtualmachineid=vm-1", "listVolumes");
    let volumes = driver.list_volumes_with(Options::new().ex_arg("ex_node", "vm-1")).await.unwrap();
    assert_eq!((volumes[0].size, &volumes[0].state), (Some(10), &StorageVolumeState::InUse));
    assert_eq!(volumes[0].extra_as::<VolumeExtra>().unwrap().device_id, Some(1));

    // The offering of that size comes before the one of any.
    expect_list(&server, "listDiskOfferings", "listDiskOfferings");
    expect_list(&server, "listZones", "listZones");
    expect_job(&server, "createVolume&name=data&diskofferingid=d-10&zoneid=z-1", "volume");
    let made = driver.create_volume(10, "data").await.unwrap();
    assert_eq!((made.id.as_str(), &made.state), ("v-1", &StorageVolumeState::Available));

    expect_list(&server, "listDiskOfferings", "listDiskOfferings");
    expect_job(
        &server,
        "createVolume&name=data&diskofferingid=d-any&zoneid=z-2&size=15&snapshotid=sn-1",
        "volume",
    );
    let options = CreateVolume::new()
        .location(&NodeLocation::from_id("z-2"))
        .snapshot(&libcloud_compute::VolumeSnapshot::from_id("sn-1"));
    driver.create_volume_with(15, "data", options).await.unwrap();

    expect_list(&server, "listDiskOfferings", "listDiskOfferings");
    let options = CreateVolume::new().ex_arg("ex_volume_type", "Twenty");
    let error = driver.create_volume_with(15, "data", options).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "there is no disk offering of the name `Twenty` for 15 GB; there are `Custom` (any size), `Ten` (10 GB), `Twenty` (20 GB)"
    );

    expect_job(&server, "attachVolume&id=v-1&virtualmachineid=vm-1&deviceid=2", "volume");
    driver.attach_volume_with(&node, &volume, AttachVolume::new().device("2")).await.unwrap();
    let error =
        driver.attach_volume_with(&node, &volume, AttachVolume::new().device("/dev/vdb")).await.unwrap_err();
    assert!(error.to_string().contains("`/dev/vdb` is no number"), "{error}");
    expect_job(&server, "detachVolume&id=v-1", "volume");
    driver.detach_volume(&volume).await.unwrap();
    expect(&server, "deleteVolume&id=v-1", "deleteVolume");
    driver.destroy_volume(&volume).await.unwrap();
    expect(&server, "deleteVolume&id=v-1", "deleteVolume.false");
    assert_eq!(driver.destroy_volume(&volume).await.unwrap_err().message(), "the volume is attached");
    expect_list(&server, "listDiskOfferings", "listDiskOfferings");
    assert!(driver.ex_list_disk_offerings().await.unwrap()[0].customizable);
}

#[tokio::test]
async fn key_pairs_are_listed_made_imported_and_deleted() {
    let server = Mock::start();
    let driver = driver(&server);
    expect_list(&server, "listSSHKeyPairs", "listSSHKeyPairs");
    assert_eq!(driver.list_key_pairs().await.unwrap()[0].fingerprint.as_deref(), Some("6c:dc:2f:55"));
    expect_list(&server, "listSSHKeyPairs&name=ops", "listSSHKeyPairs");
    assert_eq!(driver.get_key_pair("ops").await.unwrap().name, "ops");
    expect_list(&server, "listSSHKeyPairs&name=no", "listSSHKeyPairs.empty");
    assert_eq!(driver.get_key_pair("no").await.unwrap_err().resource(), Some(("key pair", "no")));
    expect(&server, "createSSHKeyPair&name=ops", "createSSHKeyPair");
    let made = driver.create_key_pair("ops").await.unwrap();
    assert_eq!(made.private_key, Some(Secret::new("canary-private")));
    expect_post(&server, "registerSSHKeyPair&name=ops&publickey=ssh-rsa+YWJj", "registerSSHKeyPair");
    driver.import_key_pair_from_string("ops", "ssh-rsa YWJj").await.unwrap();
    expect(&server, "deleteSSHKeyPair&name=ops", "deleteSSHKeyPair");
    driver.delete_key_pair(&KeyPair::from_id("ops")).await.unwrap();
}

#[tokio::test]
async fn networks_addresses_and_limits_are_reached_by_name() {
    let server = Mock::start();
    let driver: Arc<dyn ComputeDriver> = (compute().factory)(config(&server)).unwrap();
    expect_list(&server, "listNetworks&projectid=p-1", "listNetworks");
    let networks = driver.call("ex_list_networks", json!({"project": "p-1"})).await.unwrap();
    assert_eq!(
        networks[0]["extra"],
        json!({"gateway": "10.1.0.1", "netmask": "255.255.255.0", "state": "Implemented", "tags": {"a": "b"}})
    );
    expect_list(&server, "listPublicIpAddresses", "listPublicIpAddresses");
    let ips = driver.call("ex_list_public_ips", json!({})).await.unwrap();
    assert_eq!((&ips[0]["address"], &ips[1]["vpc_id"]), (&json!("198.51.100.7"), &json!("vpc-1")));
    expect_job(&server, "associateIpAddress&zoneid=z-2&networkid=net-1", "address");
    let args = json!({"location": "z-2", "network_id": "net-1"});
    assert_eq!(driver.call("ex_allocate_public_ip", args).await.unwrap()["id"], "ip-3");
    expect_job(&server, "disassociateIpAddress&id=ip-3", "success");
    assert_eq!(driver.call("ex_release_public_ip", json!({"address": "ip-3"})).await.unwrap(), json!(true));
    expect_list(&server, "listPortForwardingRules", "listPortForwardingRules");
    let rules = driver.call("ex_list_port_forwarding_rules", json!({})).await.unwrap();
    assert_eq!((&rules[0]["public_port"], &rules[0]["node"]), (&json!("2222"), &json!("7d1a-vm1")));
    expect_list(&server, "listIpForwardingRules", "listIpForwardingRules");
    let rules = driver.call("ex_list_ip_forwarding_rules", json!({})).await.unwrap();
    assert_eq!(rules[0]["protocol"], "UDP");
    expect_list(&server, "listResourceLimits", "listResourceLimits");
    let limits = driver.call("ex_limits", json!({})).await.unwrap();
    assert_eq!(limits, json!({"max_instances": 20, "max_cpu": -1}));
}

#[tokio::test]
async fn signatures_are_those_that_the_service_computes() {
    let server = Mock::start();
    // HMAC-SHA1 of `apikey=canary-key&command=listzones&page=1&pagesize=500&response=json`, by another implementation.
    let signature = "XIbs8Xnm1aDMZCGh2b%2BYGVG4EOI%3D";
    server.expect(
        Exchange::get("/client/api")
            .query(format!(
                "command=listZones&page=1&pagesize=500&apiKey=canary-key&response=json&signature={signature}"
            ))
            .answers(401)
            .body_file(fixture("Error.credentials")),
    );
    let error = driver(&server).list_locations().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidCredentials);
    assert!(error.to_string().contains("unable to verify user credentials"), "{error}");

    let signature = "fyoLd%2FHzRCIKVqHaOeaooKn80TY%3D";
    server.expect(
        Exchange::get("/client/api")
            .query(format!(
                "command=listZones&page=1&pagesize=500&apiKey=canary-key&response=json&signatureVersion=3\
                 &expires=2024-05-01T08%3A31%3A00%2B0000&signature={signature}"
            ))
            .answers(200)
            .body_file(fixture("listZones")),
    );
    let config = config(&server).option("signature_version", 3).option("expires", 60);
    CloudStackDriver::new(config).unwrap().list_locations().await.unwrap();
}
