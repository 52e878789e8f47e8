//! Flavors, images, key pairs, networks.

use insta::assert_json_snapshot;
use libcloud_common::{ErrorKind, json};
use libcloud_compute::{ComputeDriverExt as _, KeyPair, ListImages};
use libcloud_openstack::compute::{ImageExtra, NetworkExtra, OpenStackListImages, SizeExtra};
use libcloud_testkit::{Exchange, ExpectedRequest};

use crate::*;

fn image(path: &str) -> ExpectedRequest {
    Exchange::get(format!("/v2/{path}"))
        .secret_header("x-auth-token", TOKEN)
        .no_header("openstack-api-version")
}

/// A driver to which the compute service alone is known.
fn without_catalogue(server: &Mock) -> OpenStackNodeDriver {
    let mut config = config(server)
        .option("ex_force_auth_token", TOKEN)
        .option("ex_force_base_url", "https://compute.cloud.example/v2.1");
    (config.key, config.secret) = (None, None);
    OpenStackNodeDriver::new(config).unwrap()
}

#[tokio::test]
async fn list_sizes() {
    let (server, driver) = start();
    server.expect(answered(get("flavors/detail"), "compute/ListFlavors"));
    let sizes = driver.list_sizes().await.unwrap();
    assert_json_snapshot!(sizes);
    let extra: SizeExtra = sizes[1].extra_as().unwrap();
    assert_eq!((extra.swap, &extra.extra_specs["class"]), (Some(512), &json!("performance1")));

    server.expect(answered(get("flavors/1"), "compute/ShowFlavor"));
    assert_eq!(driver.ex_get_size("1").await.unwrap().ram, Some(512));
    server.expect(get("flavors/9").answers(404).json(&json!({"itemNotFound": {"message": "Flavor 9 ..."}})));
    let error = driver.ex_get_size("9").await.unwrap_err();
    assert_eq!((error.kind(), error.resource()), (ErrorKind::NotFound, Some(("size", "9"))));
}

#[tokio::test]
async fn list_images_of_the_image_service() {
    let (server, driver) = start();
    server.expect(answered(image("images"), "image/ListImages"));
    server.expect(answered(image("images?marker=b0"), "image/ListImages.empty"));
    let images = driver.list_images().await.unwrap();
    assert_json_snapshot!(images);

    server.expect(answered(image("images"), "image/ListImages"));
    server.expect(answered(image("images?marker=b0"), "image/ListImages.empty"));
    let mut arguments = OpenStackListImages::default();
    arguments.ex_only_active = Some(false);
    let images = driver.list_images_with(ListImages::new().ex(&arguments)).await.unwrap();
    assert_eq!(images.len(), 2);
}

#[tokio::test]
async fn get_image_of_the_image_service() {
    let (server, driver) = start();
    let id = "9494aeb0-7f3b-4cbe-9fa1-ee2e25868e8f";
    server.expect(answered(image(&format!("images/{id}")), "image/ShowImage").times(2));
    let extra: ImageExtra = driver.get_image(id).await.unwrap().extra_as().unwrap();
    assert_eq!(extra.server_id.as_deref(), Some("s-1"));
    assert_eq!(driver.ex_get_image(id).await.unwrap().name, "debian-12");
    let refused = image("images/x").answers(404).body_file("fixtures/openstack/image/Error.not-found.html");
    server.expect(refused.header("content-type", "text/html"));
    let error = driver.get_image("x").await.unwrap_err();
    assert_eq!((error.kind(), error.resource()), (ErrorKind::NotFound, Some(("image", "x"))));
    assert_eq!(error.to_string(), "openstack ShowImage: answered 404 Not Found");
}

#[tokio::test]
async fn images_and_networks_of_the_compute_service() {
    let server = Mock::start();
    let driver = without_catalogue(&server);
    server.expect(answered(get("images/detail"), "compute/ListImages"));
    let images = driver.list_images().await.unwrap();
    assert_json_snapshot!(images);
    server.expect(answered(get("images/13"), "compute/ShowImage"));
    assert_eq!(driver.get_image("13").await.unwrap().name, "debian-12");
    server.expect(answered(get("os-networks"), "compute/ListNetworks"));
    let networks = driver.ex_list_networks().await.unwrap();
    assert_eq!((networks[0].name.as_str(), networks[0].cidr.as_deref()), ("private", Some("10.20.0.0/22")));
}

#[tokio::test]
async fn networks_of_the_network_service() {
    let (server, driver) = start();
    let request = Exchange::get("/v2.0/networks").secret_header("x-auth-token", TOKEN);
    server.expect(answered(request, "network/ListNetworks"));
    let networks = driver.ex_list_networks().await.unwrap();
    let extra: NetworkExtra = networks[0].extra.read().unwrap();
    assert_eq!((networks[0].name.as_str(), extra.subnets), ("private", vec!["sub-1".to_owned()]));
    let request = Exchange::get("/v2.0/networks").answers(403);
    let error = json!({"NeutronError": {"type": "PolicyNotAuthorized", "message": "rule:list is disallowed", "detail": ""}});
    server.expect(request.json(&error));
    let error = driver.ex_list_networks().await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::InvalidCredentials, Some("PolicyNotAuthorized")));
}

#[tokio::test]
async fn key_pairs() {
    let (server, driver) = start();
    server.expect(answered(get("os-keypairs"), "compute/ListKeypairs"));
    let key_pairs = driver.list_key_pairs().await.unwrap();
    assert_json_snapshot!(key_pairs);
    server.expect(answered(get("os-keypairs/my%20ops%2F1"), "compute/ShowKeypair"));
    assert_eq!(driver.get_key_pair("my ops/1").await.unwrap().public_key.unwrap(), "ssh-ed25519 AAAA ops");

    let body = json!({"keypair": {"name": "ops"}});
    server.expect(answered(post("os-keypairs", body.clone()), "compute/CreateKeypair"));
    let made = driver.create_key_pair("ops").await.unwrap();
    assert!(!format!("{made:?}").contains("canary"));
    assert!(made.private_key.unwrap().expose().contains("canary-key"));
    server.expect(post("os-keypairs", body).answers(409).body_file(fixture("compute/Error.exists")));
    let error = driver.create_key_pair("ops").await.unwrap_err();
    assert_eq!((error.kind(), error.resource()), (ErrorKind::AlreadyExists, Some(("key pair", "ops"))));

    let body = json!({"keypair": {"name": "my ops/1", "public_key": "ssh-ed25519 AAAA ops"}});
    server.expect(answered(post("os-keypairs", body), "compute/ShowKeypair"));
    driver.import_key_pair_from_string("my ops/1", "ssh-ed25519 AAAA ops").await.unwrap();

    let request = || compute(Exchange::delete("/v2.1/os-keypairs/my%20ops%2F1"));
    server.expect(request().answers(202));
    driver.delete_key_pair(&KeyPair::from_id("my ops/1")).await.unwrap();
    server.expect(request().answers(404).json(&json!({"itemNotFound": {"message": "Keypair not found"}})));
    let error = driver.delete_key_pair(&KeyPair::from_id("my ops/1")).await.unwrap_err();
    assert_eq!((error.kind(), error.resource()), (ErrorKind::NotFound, Some(("key pair", "my ops/1"))));
}

#[tokio::test]
async fn locations_are_asked_of_nobody() {
    let server = Mock::start();
    let driver = OpenStackNodeDriver::new(config(&server)).unwrap();
    let locations = driver.list_locations().await.unwrap();
    assert_eq!(
        (locations.len(), locations[0].id.as_str(), locations[0].name.as_str()),
        (1, "0", "RegionOne")
    );
}
