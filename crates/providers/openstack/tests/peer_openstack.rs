//! The driver against a whole OpenStack control plane, which must be running: `OS_…` and `OPENSTACK_V2_AUTH_URL` tell
//! where. Its servers are imagined; everything that is said about them is OpenStack's.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

use std::env::var;
use std::sync::Arc;
use std::time::Duration;

use libcloud_common::{Config, ErrorKind, SystemClock, encode, json, unique_token};
use libcloud_compute::{
    ComputeDriver, ComputeDriverExt as _, CreateNode, NodeHandle, NodeSize, NodeState, SshInterface,
    WaitUntilRunning,
};
use libcloud_openstack::compute;
use libcloud_testkit::suite::{Compute, Expectations};

fn config() -> Config {
    let mut config = Config::new(var("OS_USERNAME").unwrap(), var("OS_PASSWORD").unwrap())
        .region(var("OS_REGION_NAME").unwrap())
        .option("ex_tenant_name", var("OS_PROJECT_NAME").unwrap());
    config.auth_url = Some(var("OS_AUTH_URL").unwrap().parse().unwrap());
    config
}

fn driver(config: Config) -> Arc<dyn ComputeDriver> {
    (compute().factory)(config).unwrap()
}

/// An Ed25519 key as OpenSSH writes it; nobody has its private half.
fn public_key() -> String {
    let mut blob = b"\0\0\0\x0bssh-ed25519\0\0\0\x20".to_vec();
    blob.extend([7; 32]);
    format!("ssh-ed25519 {} me@home", encode::base64(blob))
}

/// Looks until the node is in this state and nothing is being done with it.
async fn until(node: &mut NodeHandle, state: NodeState) {
    for _ in 0..120 {
        node.refresh().await.unwrap();
        if node.state == state && node.extra.get("task_state").is_none() {
            return;
        }
        SystemClock::shared().sleep(Duration::from_millis(500)).await;
    }
    panic!("{node:?} is not {state}");
}

async fn life_of_a_node(driver: Arc<dyn ComputeDriver>) {
    let name = format!("libcloud + ü {}", unique_token().unwrap());
    let images = driver.list_images().await.unwrap();
    let image = images.iter().find(|image| image.name.starts_with("debian")).unwrap();
    assert_eq!(&driver.get_image(&image.id).await.unwrap(), image);
    let sizes = driver.list_sizes().await.unwrap();
    let size = sizes.iter().find(|size| size.name == "m1.tiny").unwrap();
    assert_eq!((size.ram, size.disk), (Some(512), Some(1)));
    assert_eq!(driver.call("ex_get_size", json!({"size_id": size.id})).await.unwrap()["extra"]["vcpus"], 1);
    let networks = driver.call("ex_list_networks", json!({})).await.unwrap();
    let network = networks.as_array().unwrap().iter().find(|network| network["name"] == "private").unwrap();

    let options = CreateNode::new(&name, size, image)
        .ex_arg("ex_networks", json!([network["id"]]))
        .ex_arg("ex_userdata", "#!/bin/sh\necho ü\n")
        .ex_arg("ex_metadata", json!({"stage": "test *~%"}));
    let created = driver.create_node(options).await.unwrap();
    assert_eq!(created.name, name);
    assert_eq!(created.extra["metadata"]["stage"], "test *~%");
    assert!(created.extra["password"].as_str().is_some_and(|password| !password.is_empty()));
    assert!(!format!("{created:?}").contains(created.extra["password"].as_str().unwrap()));

    let mut node = driver.node(created);
    let wait = WaitUntilRunning::new()
        .wait_period(Duration::from_millis(500))
        .ssh_interface(SshInterface::PrivateIps);
    let addresses = node.wait_until_running(wait).await.unwrap();
    assert!(addresses[0].starts_with("10.20."), "{addresses:?}");
    let listed = driver.list_nodes().await.unwrap();
    assert!(listed.iter().any(|other| other.id == node.id && other.name == name));

    node.reboot().await.unwrap();
    until(&mut node, NodeState::Running).await;
    node.stop_node().await.unwrap();
    until(&mut node, NodeState::Stopped).await;
    let error = node.stop_node().await.unwrap_err();
    assert_eq!((error.kind(), error.resource()), (ErrorKind::InvalidState, Some(("node", node.id.as_str()))));
    node.start().await.unwrap();
    until(&mut node, NodeState::Running).await;
    driver.call("ex_soft_reboot_node", json!({"node": node.id})).await.unwrap();
    until(&mut node, NodeState::Running).await;

    let changed = json!({"node": node.id, "metadata": {"a": "1", "b": "ü é"}});
    assert_eq!(driver.call("ex_set_metadata", changed).await.unwrap(), json!({"a": "1", "b": "ü é"}));
    let metadata = driver.call("ex_get_metadata", json!({"node": node.id})).await.unwrap();
    assert_eq!(metadata, json!({"a": "1", "b": "ü é"}));

    node.destroy().await.unwrap();
    for _ in 0..120 {
        match driver.get_node(&node.id).await {
            Ok(_) => SystemClock::shared().sleep(Duration::from_millis(500)).await,
            Err(error) => {
                assert_eq!(
                    (error.kind(), error.resource()),
                    (ErrorKind::NotFound, Some(("node", node.id.as_str())))
                );
                return;
            }
        }
    }
    panic!("{node:?} is still there");
}

#[tokio::test]
async fn a_node_lives_and_dies() {
    life_of_a_node(driver(config())).await;
}

#[tokio::test]
async fn a_node_lives_and_dies_with_the_old_identity_service() {
    let mut config = config().option("auth_version", "2.0_password");
    config.auth_url = Some(var("OPENSTACK_V2_AUTH_URL").unwrap().parse().unwrap());
    life_of_a_node(driver(config)).await;
}

#[tokio::test]
async fn the_environment_is_enough() {
    let nodes = driver(Config::anonymous()).list_sizes().await.unwrap();
    assert!(nodes.len() >= 4);
}

#[tokio::test]
async fn images_and_networks_come_from_either_service() {
    let driver = driver(config().option("ex_force_service_type", "compute_legacy"));
    let own = driver.list_images().await.unwrap();
    // Where the compute service is told, nothing but the compute service is known.
    let token = token().await;
    let forced =
        Config::anonymous().option("ex_force_auth_token", token.0).option("ex_force_base_url", token.1);
    let forced = (compute().factory)(forced).unwrap();
    let nova = forced.list_images().await.unwrap();
    let ids = |images: &[libcloud_compute::NodeImage]| {
        let mut ids: Vec<_> = images.iter().map(|image| (image.id.clone(), image.name.clone())).collect();
        ids.sort();
        ids
    };
    assert_eq!(ids(&own), ids(&nova));
    assert!(own[0].extra.contains_key("visibility") && nova[0].extra.contains_key("progress"));
    assert_eq!(forced.get_image(&nova[0].id).await.unwrap(), nova[0]);
    let networks = |driver: Arc<dyn ComputeDriver>| async move {
        let networks = driver.call("ex_list_networks", json!({})).await.unwrap();
        let mut names: Vec<_> = networks
            .as_array()
            .unwrap()
            .iter()
            .map(|network| network["name"].as_str().unwrap().to_owned())
            .collect();
        names.sort();
        names
    };
    assert_eq!(networks(driver).await, networks(forced).await);
}

/// A token, and where the compute service is, asked for by hand.
async fn token() -> (String, String) {
    use libcloud_common::{Connection, Response, Value};
    let url: libcloud_common::Url = var("OS_AUTH_URL").unwrap().parse().unwrap();
    let domain = json!({"name": "Default"});
    let user = json!({
        "name": var("OS_USERNAME").unwrap(), "domain": domain, "password": var("OS_PASSWORD").unwrap(),
    });
    let auth = json!({"auth": {
        "identity": {"methods": ["password"], "password": {"user": user}},
        "scope": {"project": {"name": var("OS_PROJECT_NAME").unwrap(), "domain": domain}},
    }});
    let conn = Connection::builder("test", url, &Config::anonymous()).build();
    let answer: Response = conn.post("Authenticate", ["auth", "tokens"]).json(&auth).send().await.unwrap();
    let body: Value = answer.json().unwrap();
    let compute = body["token"]["catalog"]
        .as_array()
        .unwrap()
        .iter()
        .find(|service| service["type"] == "compute")
        .unwrap();
    let url = compute["endpoints"][0]["url"].as_str().unwrap().to_owned();
    (answer.header("x-subject-token").unwrap().to_owned(), url)
}

#[tokio::test]
async fn a_token_is_exchanged_for_one_with_a_catalogue() {
    let mut config = Config::anonymous()
        .option("ex_force_auth_token", token().await.0)
        .option("ex_tenant_name", var("OS_PROJECT_NAME").unwrap());
    config.auth_url = Some(var("OS_AUTH_URL").unwrap().parse().unwrap());
    assert!(driver(config).list_sizes().await.unwrap().len() >= 4);
}

#[tokio::test]
async fn key_pairs_come_and_go() {
    let driver = driver(config());
    let name = format!("libcloud {}", unique_token().unwrap());
    let made = driver.create_key_pair(&name).await.unwrap();
    assert!(made.private_key.unwrap().expose().contains("PRIVATE KEY"));
    let error = driver.create_key_pair(&name).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.resource()),
        (ErrorKind::AlreadyExists, Some(("key pair", name.as_str()))),
        "{error}"
    );
    let found = driver.get_key_pair(&name).await.unwrap();
    assert_eq!(found.fingerprint, made.fingerprint);
    driver.key_pair(found).delete().await.unwrap();
    let error = driver.get_key_pair(&name).await.unwrap_err();
    assert_eq!((error.kind(), error.resource()), (ErrorKind::NotFound, Some(("key pair", name.as_str()))));

    let imported = driver.import_key_pair_from_string(&name, &public_key()).await.unwrap();
    assert_eq!(imported.public_key, Some(public_key()));
    let listed = driver.list_key_pairs().await.unwrap();
    assert!(listed.iter().any(|key_pair| key_pair.name == name));
    driver.delete_key_pair(&imported).await.unwrap();
    let left = driver.list_key_pairs().await.unwrap();
    assert!(left.iter().all(|key_pair| key_pair.name != name));
}

#[tokio::test]
async fn what_is_wrong_is_told() {
    let mut wrong = config();
    wrong.secret = Some("canary-wrong".into());
    let error = driver(wrong).list_nodes().await.unwrap_err();
    assert_eq!(
        (error.kind(), error.operation(), error.code()),
        (ErrorKind::InvalidCredentials, Some("Authenticate"), Some("Unauthorized")),
        "{error:#}"
    );
    assert!(!format!("{error:#?}").contains("canary"), "{error:#?}");

    let driver = driver(config().option("ex_force_microversion", "2.999"));
    let error = driver.list_nodes().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotSupported, "{error}");

    let driver = (compute().factory)(config()).unwrap();
    let error = driver.get_node("00000000-0000-0000-0000-000000000000").await.unwrap_err();
    assert_eq!(
        (error.kind(), error.resource()),
        (ErrorKind::NotFound, Some(("node", "00000000-0000-0000-0000-000000000000"))),
        "{error}"
    );
    assert!(error.request_id().is_some_and(|id| id.starts_with("req-")), "{error:#}");
    let error = driver.call("create_node", json!({"name": "x", "size": "nothing", "image": "nothing"}));
    let error = error.await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
}

#[tokio::test]
async fn a_region_that_is_not_there_is_told_with_those_that_are() {
    let error = driver(config().region("RegionTwo")).list_nodes().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    assert!(error.to_string().contains("`RegionOne`"), "{error}");
}

/// A driver has no region of its own where the cloud has one.
#[tokio::test]
async fn the_endpoint_holds_for_the_catalogue_too() {
    let nobody = NodeSize::from_id("1");
    let error = driver(config().endpoint("http://127.0.0.1:1".parse().unwrap()))
        .create_node(CreateNode::new("x", &nobody, &libcloud_compute::NodeImage::from_id("1")))
        .await
        .unwrap_err();
    // The login is where `auth_url` says, the compute service is not.
    assert_eq!((error.kind(), error.operation()), (ErrorKind::Transport, Some("CreateServer")), "{error}");
}

#[tokio::test]
async fn the_behaviour_suite_of_compute() {
    let driver = driver(config());
    let sizes = driver.list_sizes().await.unwrap();
    let size = sizes.iter().find(|size| size.name == "m1.tiny").unwrap();
    let images = driver.list_images().await.unwrap();
    let image = images.iter().find(|image| image.name.starts_with("debian")).unwrap();
    let networks = driver.call("ex_list_networks", json!({})).await.unwrap();
    let network = networks.as_array().unwrap().iter().find(|network| network["name"] == "private").unwrap();
    let mut wrong = config();
    wrong.secret = Some("wrong".into());
    let nobody = "00000000-0000-0000-0000-000000000000";
    let suite = Compute::new(Arc::clone(&driver))
        .size(&size.id)
        .image(&image.id)
        .create_node_ex("ex_networks", json!([network["id"]]))
        .private_ips()
        .unknown("node", nobody)
        .unknown("image", nobody)
        .unknown("size", "no-such-size")
        .wrong_credentials((compute().factory)(wrong).unwrap());
    let report = suite.run(Expectations::new()).await;
    let denied = [
        "images/create, get, delete, gone",
        "volumes/create, list, destroy, gone",
        "volumes/attach and detach",
        "volumes/what is not there is not found",
        "snapshots/create, list, destroy, gone",
    ];
    assert_eq!(report.denied, denied);
}
