//! The dummy cloud's nodes, volumes, images and keys.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

use std::sync::Arc;
use std::time::Duration;

use libcloud_common::{Clock, Config, ErrorKind, ManualClock, json};
use libcloud_compute::{
    ComputeDriver, ComputeDriverExt, CreateNode, CreateVolume, NodeAuth, NodeImage, NodeSize, NodeState,
    SshInterface, StorageVolumeState, WaitUntilRunning,
};
use libcloud_dummy::{DummyCloud, DummyComputeDriver, DummyCreateNode};

fn clock() -> ManualClock {
    ManualClock::at("2013-11-13T12:00:00Z".parse().unwrap())
}

fn driver() -> Arc<dyn ComputeDriver> {
    DummyCloud::with_clock(Arc::new(clock())).compute()
}

fn small(name: &str) -> CreateNode {
    CreateNode::new(name, &NodeSize::from_id("1"), &NodeImage::from_id("1"))
        .auth(NodeAuth::ssh_key("ssh-rsa A"))
}

#[tokio::test]
async fn a_cloud_begins_as_the_seeds_does() {
    let nodes = driver().list_nodes().await.unwrap();
    assert_eq!(nodes.iter().map(|node| node.id.as_str()).collect::<Vec<_>>(), ["1", "2"]);
    assert!(nodes.iter().all(|node| node.state == NodeState::Running && node.extra["foo"] == "bar"));
    let config = Config::with_key("22");
    let many = DummyCloud::from_config(&config).unwrap().compute();
    assert_eq!(many.list_nodes().await.unwrap().len(), 22);
    assert_eq!(many.create_node(small("x")).await.unwrap().id, "23");
    let sizes = driver().list_sizes().await.unwrap();
    assert_eq!(
        serde_json::to_value(&sizes[1]).unwrap(),
        json!({
            "id": "2", "name": "Medium", "ram": 512, "disk": 16, "bandwidth": 1500, "price": 8, "extra": {},
        })
    );
    let locations = driver().list_locations().await.unwrap();
    assert_eq!(
        locations.iter().map(|location| location.country.as_str()).collect::<Vec<_>>(),
        ["US", "GB", "FJ"]
    );
}

#[tokio::test]
async fn a_node_lives_and_dies() {
    let driver = driver();
    let made = driver.create_node(small("web")).await.unwrap();
    assert_eq!((made.id.as_str(), made.public_ips.as_slice()), ("3", ["127.0.0.3".to_owned()].as_slice()));
    let node = driver.node(made);
    assert_eq!(node.uuid(), libcloud_compute::uuid("3", "dummy"));

    node.reboot().await.unwrap();
    let state = |id: &'static str| {
        let driver = driver.clone();
        async move { driver.get_node(id).await.unwrap().state }
    };
    assert_eq!(state("3").await, NodeState::Rebooting);
    driver.list_nodes().await.unwrap();
    assert_eq!(state("3").await, NodeState::Running);

    node.stop_node().await.unwrap();
    assert_eq!(state("3").await, NodeState::Stopped);
    let again = node.stop_node().await.unwrap_err();
    assert_eq!(again.kind(), ErrorKind::InvalidState);
    assert!(again.to_string().contains("node `3` is stopped"), "{again}");
    assert_eq!(node.reboot().await.unwrap_err().kind(), ErrorKind::InvalidState);
    node.start().await.unwrap();
    assert_eq!(state("3").await, NodeState::Running);

    node.destroy().await.unwrap();
    let gone = node.destroy().await.unwrap_err();
    assert_eq!((gone.kind(), gone.resource()), (ErrorKind::NotFound, Some(("node", "3"))));
    assert_eq!(driver.list_nodes().await.unwrap().len(), 2);
}

#[tokio::test]
async fn several_nodes_are_waited_for_with_one_listing_a_look() {
    let clock = clock();
    let cloud = DummyCloud::with_clock(Arc::new(clock.clone()));
    let driver = cloud.compute();
    let slow =
        |name| small(name).ex(&DummyCreateNode { ex_boot_polls: Some(3), ..DummyCreateNode::default() });
    let nodes = [driver.create_node(slow("a")).await.unwrap(), driver.create_node(slow("b")).await.unwrap()];
    assert_eq!(nodes[0].state, NodeState::Pending);
    cloud.clear_calls();

    let ready = driver.wait_until_running(&nodes, WaitUntilRunning::new()).await.unwrap();
    let found: Vec<_> = ready.iter().map(|(node, ips)| (node.name.as_str(), ips[0].as_str())).collect();
    assert_eq!(found, [("a", "127.0.0.3"), ("b", "127.0.0.4")]);
    assert_eq!(cloud.calls().len(), 4);
    assert_eq!(clock.slept(), [Duration::from_secs(5); 3]);
}

#[tokio::test]
async fn waiting_ends_with_what_is_wrong() {
    let clock = clock();
    let cloud = DummyCloud::with_clock(Arc::new(clock.clone()));
    let driver = cloud.compute();
    let node = driver.create_node(small("a")).await.unwrap();
    let private =
        WaitUntilRunning::new().ssh_interface(SshInterface::PrivateIps).timeout(Duration::from_secs(60));
    let late = driver.wait_until_running(std::slice::from_ref(&node), private).await.unwrap_err();
    assert_eq!((late.kind(), late.resource()), (ErrorKind::Timeout, Some(("job", "node 3"))));
    assert_eq!(clock.elapsed(), Duration::from_secs(60));

    let dummy = driver.downcast_ref::<DummyComputeDriver>().unwrap();
    dummy.ex_set_node_state(&node, NodeState::Error).await.unwrap();
    let failed = driver.wait_until_running(&[node], WaitUntilRunning::new()).await.unwrap_err();
    assert_eq!(failed.to_string(), "node `3` is error and will not run any more");
}

#[tokio::test]
async fn a_password_is_made_up_where_none_is_given() {
    let driver = driver();
    let mut options = small("a");
    options.auth = None;
    let node = driver.create_node(options).await.unwrap();
    let password = node.extra["password"].as_str().unwrap().to_owned();
    assert_eq!(password.len(), 32);
    assert!(!format!("{node:?}").contains(&password));
    assert!(serde_json::to_string(&node).unwrap().contains(&password));
    let given = driver.create_node(small("b").auth(NodeAuth::password("hunter2"))).await.unwrap();
    assert!(!given.extra.contains_key("password"));
}

#[tokio::test]
async fn what_does_not_exist_is_told_before_anything_is_made() {
    let driver = driver();
    let size = NodeSize::from_id("9");
    let wrong = CreateNode::new("a", &size, &NodeImage::from_id("1"));
    assert_eq!(driver.create_node(wrong).await.unwrap_err().resource(), Some(("size", "9")));
    let wrong = small("a").ex_arg("ex_bootpolls", 1);
    let error = driver.create_node(wrong).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "create_node has no argument `ex_bootpolls`; did you mean `ex_boot_polls`? it takes `ex_metadata`, `ex_boot_polls`"
    );
    let wrong = small("a").ex_arg("ex_boot_polls", "many");
    let error = driver.create_node(wrong).await.unwrap_err();
    assert!(error.to_string().starts_with("create_node: `ex_boot_polls` (integer): "), "{error}");
    assert_eq!(driver.list_nodes().await.unwrap().len(), 2);
}

#[tokio::test]
async fn volumes_and_snapshots() {
    let driver = driver();
    let volume = driver.volume(driver.create_volume(10, "data").await.unwrap());
    let node = driver.get_node("1").await.unwrap();
    volume.attach(&node, Some("/dev/sdb")).await.unwrap();
    let listed = driver.list_volumes().await.unwrap().remove(0);
    assert_eq!(listed.state, StorageVolumeState::InUse);
    assert_eq!((&listed.extra["node_id"], &listed.extra["device"]), (&json!("1"), &json!("/dev/sdb")));
    assert_eq!(volume.attach(&node, None).await.unwrap_err().kind(), ErrorKind::InvalidState);
    assert_eq!(volume.destroy().await.unwrap_err().kind(), ErrorKind::InvalidState);

    let snapshot = volume.snapshot("before").await.unwrap();
    assert_eq!((snapshot.name.as_deref(), snapshot.size), (Some("before"), Some(10)));
    assert_eq!(volume.list_snapshots().await.unwrap(), std::slice::from_ref(&snapshot));
    let copy = driver.create_volume_with(10, "copy", CreateVolume::new().snapshot(&snapshot)).await.unwrap();
    assert_eq!(copy.extra["snapshot_id"], snapshot.id.as_str());
    driver.snapshot(snapshot.clone()).destroy().await.unwrap();
    assert_eq!(driver.destroy_volume_snapshot(&snapshot).await.unwrap_err().kind(), ErrorKind::NotFound);

    driver.destroy_node(&node).await.unwrap();
    assert_eq!(driver.list_volumes().await.unwrap()[0].state, StorageVolumeState::Available);
    assert_eq!(volume.detach().await.unwrap_err().kind(), ErrorKind::InvalidState);
    volume.destroy().await.unwrap();
    assert_eq!(driver.create_volume(0, "empty").await.unwrap_err().kind(), ErrorKind::InvalidArgument);
}

#[tokio::test]
async fn images() {
    let driver = driver();
    let node = driver.get_node("1").await.unwrap();
    let image = driver.create_image(&node, "golden").await.unwrap();
    let copy = driver.copy_image("elsewhere", &image, "silver").await.unwrap();
    assert_eq!(driver.get_image(&copy.id).await.unwrap().name, "silver");
    driver.image(image.clone()).delete().await.unwrap();
    assert_eq!(driver.get_image(&image.id).await.unwrap_err().resource(), Some(("image", image.id.as_str())));
    let wrong = driver.copy_image("elsewhere", &image, "x").await.unwrap_err();
    assert_eq!(wrong.kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn key_pairs() {
    let driver = driver();
    let made = driver.create_key_pair("laptop").await.unwrap();
    let public = made.public_key.clone().unwrap();
    assert!(made.private_key.as_ref().unwrap().expose().starts_with("-----BEGIN PRIVATE KEY-----\nMF"));
    assert_eq!(made.fingerprint, Some(libcloud_compute::md5_fingerprint(&public).unwrap()));
    let kept = driver.get_key_pair("laptop").await.unwrap();
    assert_eq!((kept.private_key, kept.public_key.as_ref()), (None, Some(&public)));
    assert_eq!(driver.create_key_pair("laptop").await.unwrap_err().kind(), ErrorKind::AlreadyExists);

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key.pub");
    std::fs::write(&file, format!("{public}\n")).unwrap();
    let imported = driver.import_key_pair_from_file("desktop", &file).await.unwrap();
    assert_eq!(imported.fingerprint, made.fingerprint);
    assert!(driver.import_key_pair_from_string("x", "not a key").await.is_err());
    assert_eq!(driver.list_key_pairs().await.unwrap().len(), 2);
    driver.key_pair(made).delete().await.unwrap();
    assert_eq!(driver.get_key_pair("laptop").await.unwrap_err().resource(), Some(("key pair", "laptop")));
}

#[tokio::test]
async fn everything_is_reached_by_name() {
    let driver = driver();
    let node = driver
        .call("create_node", json!({"name": "n", "size": "2", "image": {"id": "3"}, "auth": "ssh-rsa A", "ex_metadata": {"a": "b"}}))
        .await
        .unwrap();
    assert_eq!((&node["size"]["name"], &node["extra"]["a"]), (&json!("Medium"), &json!("b")));
    assert_eq!(driver.call("reboot_node", json!({"node": "3"})).await.unwrap(), json!(true));
    let nodes = driver.call("list_nodes", json!({})).await.unwrap();
    assert_eq!(nodes[2]["state"], "rebooting");
    let state = driver.call("ex_set_node_state", json!({"node": node, "state": "paused"})).await.unwrap();
    assert_eq!(state["state"], "paused");
    let waited =
        driver.call("wait_until_running", json!({"nodes": ["1", "2"], "wait_period": 1})).await.unwrap();
    assert_eq!(waited[1][1], json!(["127.0.0.2"]));

    for (method, args, problem) in [
        ("list_node", json!({}), "this driver has no method `list_node`; did you mean `list_nodes`?"),
        ("reboot_node", json!({}), "reboot_node needs `node` (node)"),
        (
            "reboot_node",
            json!({"node": "1", "nodes": 1}),
            "reboot_node has no argument `nodes`; did you mean `node`? it takes `node`",
        ),
        ("reboot_node", json!({"node": [1]}), "reboot_node: `node`: expected a node or its id, found a list"),
        (
            "create_volume",
            json!({"name": "v", "size": "big"}),
            "create_volume: `size`: expected integer, found a string",
        ),
        ("list_nodes", json!([]), "list_nodes takes its arguments as a JSON object, not []"),
    ] {
        let error = driver.call(method, args).await.unwrap_err();
        assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::InvalidArgument, problem));
    }
}

#[tokio::test]
async fn faults_and_the_list_of_calls() {
    let cloud = DummyCloud::new();
    let driver = cloud.compute();
    cloud.fail("reboot_node", ErrorKind::QuotaExceeded, "too many reboots", 2);
    let node = driver.get_node("1").await.unwrap();
    for _ in 0..2 {
        let error = driver.reboot_node(&node).await.unwrap_err();
        assert_eq!(error.to_string(), "dummy reboot_node: too many reboots");
        assert!(!error.is_retryable());
    }
    driver.reboot_node(&node).await.unwrap();
    cloud.fail("list_nodes", ErrorKind::RateLimited, "slow down", 1);
    assert!(driver.list_nodes().await.unwrap_err().is_retryable());
    let calls = cloud.calls();
    assert_eq!(
        calls.iter().map(|call| call.method).collect::<Vec<_>>(),
        ["get_node", "reboot_node", "reboot_node", "reboot_node", "list_nodes"]
    );
    assert_eq!(calls[1].args, json!({"node": "1"}));
}

#[tokio::test]
async fn one_driver_serves_many_tasks() {
    let driver = driver();
    let tasks = (0..64).map(|n| {
        let driver = driver.clone();
        tokio::spawn(async move { driver.create_node(small(&format!("n{n}"))).await.unwrap().id })
    });
    let mut ids = Vec::new();
    for task in tasks.collect::<Vec<_>>() {
        ids.push(task.await.unwrap());
    }
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 64);
    assert_eq!(driver.list_nodes().await.unwrap().len(), 66);
}
