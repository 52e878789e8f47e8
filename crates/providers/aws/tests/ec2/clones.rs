//! Eucalyptus and Nimbus: what they do otherwise.

use libcloud_aws::{Ec2Driver, eucalyptus, nimbus};
use libcloud_common::{Config, ErrorKind, Options, json};
use libcloud_compute::{
    ComputeDriver as _, ComputeDriverExt as _, CreateVolume, CreateVolumeSnapshot, Node, NodeLocation,
    StorageVolume,
};
use libcloud_testkit::{Exchange, Subject, canary, capabilities, sent_once};

use crate::*;

const SIGNED: &str = "&AWSAccessKeyId=AKIDEXAMPLE&SignatureVersion=2&SignatureMethod=HmacSHA256\
    &Timestamp=2024-05-01T08%3A3[0-9]%3A[0-9]{2}Z&Signature=[0-9A-Za-z%]+";

/// A GET whose parameters are these and the signature's.
fn get(path: &str, params: &str, name: &str) -> Exchange {
    let (action, rest) = params.split_once('&').unwrap_or((params, ""));
    let and = if rest.is_empty() { "" } else { "&" };
    let escaped = rest.replace('.', "\\.").replace('+', "\\+");
    Exchange::get(path)
        .query(matching(&format!("Action={action}&Version=2010-08-31{and}{escaped}{SIGNED}")))
        .answers(200)
        .body_file(fixture(name))
}

fn eucalyptus_at(server: &Mock) -> Ec2Driver {
    Ec2Driver::eucalyptus(config(server.url().as_str())).unwrap()
}

#[tokio::test]
async fn eucalyptus_has_a_path_sizes_and_two_steps_of_its_own() {
    let server = Mock::start();
    let driver = eucalyptus_at(&server);
    let path = "/services/Eucalyptus";
    server.expect(get(path, "DescribeInstanceTypes", "DescribeInstanceTypes.eucalyptus"));
    let sizes = driver.list_sizes().await.unwrap();
    assert_eq!(
        json!(sizes[0]),
        json!({
            "id": "m1.small", "name": "m1.small", "ram": 256, "disk": 5, "bandwidth": null, "price": null,
            "extra": {"cpu": 1, "architectures": []},
        })
    );

    // A name is a tag, which cannot be set at once.
    server.expect(get(path, "CreateVolume&Size=20&AvailabilityZone=one", "CreateVolume"));
    server.expect(get(path, "CreateTags&ResourceId.1=vol-0d4&Tag.1.Key=Name&Tag.1.Value=data", "CreateTags"));
    let options = CreateVolume::new().location(&NodeLocation::from_id("one"));
    let volume = driver.create_volume_with(20, "data", options).await.unwrap();
    assert_eq!(volume.name, "data");

    // Addresses are not filtered by node there.
    server.expect(get(path, "DescribeAddresses", "DescribeAddresses"));
    let addresses = driver.ex_describe_addresses_for_node(&Node::from_id("i-2")).await.unwrap();
    assert_eq!(addresses, ["203.0.113.22"]);

    server.expect(get(
        path,
        "CreateSecurityGroup&GroupName=web&GroupDescription=old",
        "CreateSecurityGroup.old",
    ));
    assert_eq!(driver.ex_create_security_group("web", "old", None).await.unwrap().id, "web");

    let error = driver.list_locations().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotSupported);
    let error = driver.list_locations_with(Options::new()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotSupported);
}

#[tokio::test]
async fn what_was_made_is_named_when_its_tags_fail() {
    let server = Mock::start();
    let driver = eucalyptus_at(&server);
    let path = "/services/Eucalyptus";
    server.expect(get(path, "CreateSnapshot&VolumeId=vol-1&Description=x", "CreateSnapshot"));
    let tags = "CreateTags&ResourceId.1=snap-0c3&Tag.1.Key=Name&Tag.1.Value=x";
    let query = format!("Action=CreateTags&Version=2010-08-31&{}{SIGNED}", tags.split_once('&').unwrap().1);
    server.expect(Exchange::get(path).query(matching(&query)).answers(400).body_file(fixture("Error.limit")));
    let options = CreateVolumeSnapshot::new().name("x");
    let volume = StorageVolume::from_id("vol-1");
    let error = driver.create_volume_snapshot_with(&volume, options).await.unwrap_err();
    assert!(error.to_string().contains("snap-0c3 is made, but its name and its tags are not set"), "{error}");
}

#[tokio::test]
async fn nimbus_has_three_sizes_and_neither_tags_nor_elastic_addresses() {
    let server = Mock::start();
    let driver = Ec2Driver::nimbus(config(server.url().as_str())).unwrap();
    let sizes = driver.list_sizes().await.unwrap();
    let ids: Vec<_> = sizes.iter().map(|size| (size.id.as_str(), size.price)).collect();
    assert_eq!(ids, [("m1.small", None), ("m1.large", None), ("m1.xlarge", None)]);

    let node = Node::from_id("i-1");
    let tags = [("a".to_owned(), "b".to_owned())].into();
    driver.ex_create_tags(&(&node).into(), &tags).await.unwrap();
    assert_eq!(driver.ex_describe_addresses_for_node(&node).await.unwrap(), [""; 0]);

    server.expect(get("/", "DescribeInstances", "DescribeInstances"));
    assert!(!driver.list_nodes().await.unwrap().is_empty());
}

#[test]
fn a_private_cloud_has_an_address() {
    let plain = || Config::new("key", "secret");
    for config in [plain(), plain().region("eu-west-1")] {
        let error = Ec2Driver::eucalyptus(config).unwrap_err();
        assert!(error.to_string().contains("every Eucalyptus has an address of its own"), "{error}");
    }
    let error = Ec2Driver::nimbus(plain()).unwrap_err();
    assert!(error.to_string().contains("give `endpoint`"), "{error}");
    let mut by_host = plain();
    (by_host.host, by_host.port) = (Some("nimbus.example.org".into()), Some(8444));
    Ec2Driver::nimbus(by_host).unwrap();
    let twice = plain().endpoint("https://cloud.example.org/a".parse().unwrap()).option("path", "b");
    let error = Ec2Driver::eucalyptus(twice).unwrap_err();
    assert!(error.to_string().contains("leave out the option `path`"), "{error}");
    let error = Ec2Driver::new(plain().option("path", "b")).unwrap_err();
    assert!(error.to_string().contains("`path` is for private installations"), "{error}");
}

#[tokio::test]
async fn clones_are_held_to_what_every_driver_is_held_to() {
    let debug = |config| format!("{:?}", Ec2Driver::eucalyptus(config));
    held(subject_of(eucalyptus(), debug)).await;
    let debug = |config| format!("{:?}", Ec2Driver::nimbus(config));
    held(subject_of(nimbus(), debug).sends_nothing(&[
        "ex_create_tags",
        "ex_describe_addresses",
        "ex_describe_addresses_for_node",
        "list_sizes",
    ]))
    .await;
}

async fn held(subject: Subject<dyn ComputeDriver>) {
    let subject = subject.token("create_node", "ClientToken").token("ex_create_nodes", "ClientToken");
    capabilities(&subject).await;
    canary(&subject).await;
    let sent = sent_once(&subject).await;
    assert!(sent.once.contains(&"create_volume"), "{sent:?}");
}
