//! The EC2 driver against a moto server, which must be running: `MOTO_ENDPOINT`, `MOTO_REGION`, `MOTO_ACCESS_KEY` and
//! `MOTO_SECRET_KEY` tell where. With `MOTO_AUTH=on` it verifies the signatures.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::env::var;
use std::sync::Arc;
use std::time::Duration;

use libcloud_aws::ec2;
use libcloud_common::{Config, ErrorKind, Options, TransportConfig, encode, json, unique_token};
use libcloud_compute::{
    ComputeDriver, ComputeDriverExt as _, CreateNode, NodeAuth, NodeImage, NodeSize, NodeState,
    WaitUntilRunning,
};

fn config() -> Config {
    let mut transport = TransportConfig::default();
    transport.retries = 0;
    Config::new(var("MOTO_ACCESS_KEY").unwrap(), var("MOTO_SECRET_KEY").unwrap())
        .region(var("MOTO_REGION").unwrap())
        .endpoint(var("MOTO_ENDPOINT").unwrap().parse().unwrap())
        .transport(transport)
}

fn driver(config: Config) -> Arc<dyn ComputeDriver> {
    (ec2().factory)(config).unwrap()
}

/// An Ed25519 key as OpenSSH writes it; nobody has its private half.
fn public_key(comment: &str) -> String {
    let mut blob = b"\0\0\0\x0bssh-ed25519\0\0\0\x20".to_vec();
    blob.extend([7; 32]);
    format!("ssh-ed25519 {} {comment}", encode::base64(blob))
}

/// From nothing to nothing: this peer takes signature version 2 as well, and verifies it.
async fn life_of_a_node(driver: Arc<dyn ComputeDriver>) {
    let name = format!("libcloud + ü {}", unique_token().unwrap());
    let image = NodeImage::from_id("ami-12c6146b");
    let key = public_key(&unique_token().unwrap());
    let options = CreateNode::new(&name, &NodeSize::from_id("m1.small"), &image)
        .auth(NodeAuth::ssh_key(key))
        .ex_arg("ex_userdata", "#!/bin/sh\necho a=1&b=2\n")
        .ex_arg("ex_metadata", json!({"stage": "test *~%"}));
    let created = driver.create_node(options).await.unwrap();
    assert_eq!(created.name, name);
    assert_eq!(created.extra["tags"]["stage"], "test *~%");
    let mut node = driver.node(created);
    let wait = WaitUntilRunning::new().wait_period(Duration::from_millis(100));
    let addresses = node.wait_until_running(wait).await.unwrap();
    assert!(!addresses.is_empty());
    let listed = driver.list_nodes().await.unwrap();
    assert!(listed.iter().any(|other| other.id == node.id && other.name == name));
    let filter = Options::new().ex_arg("ex_filters", json!({"tag:Name": name}));
    assert_eq!(driver.list_nodes_with(filter).await.unwrap().len(), 1);

    node.reboot().await.unwrap();
    node.stop_node().await.unwrap();
    node.refresh().await.unwrap();
    assert_eq!(node.state, NodeState::Stopped);
    node.start().await.unwrap();
    node.wait_until_running(wait).await.unwrap();
    let tags = json!({"resource": node.id, "tags": {"stage": null}});
    driver.call("ex_delete_tags", tags).await.unwrap();
    let tags = driver.call("ex_describe_tags", json!({"resource": node.id})).await.unwrap();
    assert_eq!(tags, json!({"Name": name}));

    node.destroy().await.unwrap();
    node.refresh().await.unwrap();
    assert_eq!(node.state, NodeState::Terminated);
    let key_pair = node.extra["keyname"].as_str().unwrap().to_owned();
    driver.call("delete_key_pair", json!({"key_pair": key_pair})).await.unwrap();
    let error = driver.get_key_pair(&key_pair).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
}

#[tokio::test]
async fn a_node_lives_and_dies() {
    life_of_a_node(driver(config())).await;
}

#[tokio::test]
async fn signature_version_2_is_accepted() {
    let driver = driver(config().option("signature_version", "2"));
    if var("MOTO_AUTH").unwrap() == "off" {
        life_of_a_node(driver).await;
    } else {
        // Switched on, it verifies version 4 and knows no other.
        let error = driver.list_nodes().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidCredentials, "{error}");
    }
}

#[tokio::test]
async fn what_is_there_is_listed() {
    let driver = driver(config());
    let locations = driver.list_locations().await.unwrap();
    assert!(locations.iter().any(|location| location.id == "us-east-1a"), "{locations:?}");
    let images = driver.list_images().await.unwrap();
    assert!(images.len() > 100, "{}", images.len());
    let image = driver.get_image(&images[0].id).await.unwrap();
    assert_eq!(image, images[0]);
    let error = driver.get_node("i-00000000000000000").await.unwrap_err();
    assert_eq!(
        (error.kind(), error.resource()),
        (ErrorKind::NotFound, Some(("node", "i-00000000000000000")))
    );
}

#[tokio::test]
async fn key_pairs_come_and_go() {
    let driver = driver(config());
    let name = format!("libcloud-{}", unique_token().unwrap());
    let made = driver.create_key_pair(&name).await.unwrap();
    assert!(made.private_key.unwrap().expose().contains("PRIVATE KEY"));
    let error = driver.create_key_pair(&name).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyExists, "{error}");
    let found = driver.get_key_pair(&name).await.unwrap();
    assert_eq!(found.fingerprint, made.fingerprint);
    driver.key_pair(found).delete().await.unwrap();
    let left = driver.list_key_pairs().await.unwrap();
    assert!(left.iter().all(|key_pair| key_pair.name != name));
}

#[tokio::test]
async fn wrong_secrets_are_refused() {
    let mut wrong = config();
    wrong.secret = Some("wrong".into());
    let signatures: &[&str] = match var("MOTO_AUTH").unwrap().as_str() {
        "on" => &["4"],
        // Switched off, it still verifies version 2.
        _ => &["2"],
    };
    for version in signatures {
        let driver = driver(wrong.clone().option("signature_version", *version));
        let error = driver.list_nodes().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidCredentials, "{error}");
        assert!(!format!("{error:#?}").contains("wrong"), "{error:#?}");
    }
}
