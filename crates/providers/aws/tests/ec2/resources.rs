//! Sizes, images, places, key pairs and tags.

use insta::assert_json_snapshot;
use libcloud_aws::ec2::{Ec2ListImages, Filters, ResourceId};
use libcloud_common::ErrorKind;
use libcloud_compute::{ComputeDriverExt as _, KeyPair, ListImages, Node};

use crate::*;

#[tokio::test]
async fn list_sizes() {
    let server = Mock::start();
    expect(&server, "DescribeInstanceTypes&MaxResults=100", "DescribeInstanceTypes.page1");
    expect(&server, "DescribeInstanceTypes&MaxResults=100&NextToken=more", "DescribeInstanceTypes.page2");
    assert_json_snapshot!(driver(&server).list_sizes().await.unwrap());
}

#[tokio::test]
async fn list_sizes_of_the_table_asks_nobody() {
    let server = Mock::start();
    let driver = Ec2Driver::new(config(server.url().as_str()).option("static_sizes", true)).unwrap();
    let sizes = driver.list_sizes().await.unwrap();
    assert_eq!(sizes.len(), 22);
    assert_json_snapshot!(sizes[..3]);
}

#[tokio::test]
async fn list_images() {
    let server = Mock::start();
    expect(&server, "DescribeImages", "DescribeImages");
    let driver = driver(&server);
    let images = driver.list_images().await.unwrap();
    assert_json_snapshot!(images);

    expect(
        &server,
        "DescribeImages&ImageId.1=ami-1&Owner.1=self&ExecutableBy.1=all\
         &Filter.1.Name=architecture&Filter.1.Value.1=arm64",
        "DescribeImages.empty",
    );
    let mut arguments = Ec2ListImages::default();
    arguments.ex_image_ids = vec!["ami-1".into()];
    arguments.ex_owner = Some("self".into());
    arguments.ex_executableby = Some("all".into());
    arguments.ex_filters = Filters::new().filter("architecture", ["arm64"]);
    let images = driver.list_images_with(ListImages::new().ex(&arguments)).await.unwrap();
    assert_eq!(images, []);
}

#[tokio::test]
async fn get_image() {
    let server = Mock::start();
    let id = "ami-0c55b159cbfafe1f0";
    expect(&server, &format!("DescribeImages&ImageId.1={id}"), "DescribeImages");
    let driver = driver(&server);
    assert_eq!(driver.get_image(id).await.unwrap().name, "al2023-x86_64");

    refuse(&server, "DescribeImages&ImageId.1=ami-2", 400, "Error.no-image");
    let error = driver.get_image("ami-2").await.unwrap_err();
    assert_eq!((error.kind(), error.resource()), (ErrorKind::NotFound, Some(("image", "ami-2"))));

    expect(&server, "DescribeImages&ImageId.1=ami-3", "DescribeImages.empty");
    let error = driver.get_image("ami-3").await.unwrap_err();
    assert_eq!((error.kind(), error.resource()), (ErrorKind::NotFound, Some(("image", "ami-3"))));
}

#[tokio::test]
async fn list_locations() {
    let server = Mock::start();
    expect(
        &server,
        "DescribeAvailabilityZones&Filter.1.Name=region-name&Filter.1.Value.1=us-east-1\
         &Filter.2.Name=state&Filter.2.Value.1=available",
        "DescribeAvailabilityZones",
    );
    let locations = driver(&server).list_locations().await.unwrap();
    assert_json_snapshot!(locations);
}

#[tokio::test]
async fn ex_list_availability_zones() {
    let server = Mock::start();
    expect(
        &server,
        "DescribeAvailabilityZones&Filter.1.Name=region-name&Filter.1.Value.1=us-east-1",
        "DescribeAvailabilityZones",
    );
    let zones = driver(&server).ex_list_availability_zones(Some(false)).await.unwrap();
    let names: Vec<_> = zones.iter().map(|zone| zone.name.as_str()).collect();
    assert_eq!(names, ["us-east-1a", "us-east-1b"]);
}

#[tokio::test]
async fn list_and_get_key_pairs() {
    let server = Mock::start();
    let driver = driver(&server);
    expect(&server, "DescribeKeyPairs", "DescribeKeyPairs");
    let key_pairs = driver.list_key_pairs().await.unwrap();
    assert_json_snapshot!(key_pairs);

    expect(&server, "DescribeKeyPairs&KeyName.1=ops", "DescribeKeyPairs");
    assert_eq!(driver.get_key_pair("ops").await.unwrap(), key_pairs[0]);
    refuse(&server, "DescribeKeyPairs&KeyName.1=nobody", 400, "Error.no-key-pair");
    expect(&server, "DescribeKeyPairs&KeyName.1=none", "DescribeKeyPairs.empty");
    for name in ["nobody", "none"] {
        let error = driver.get_key_pair(name).await.unwrap_err();
        assert_eq!((error.kind(), error.resource()), (ErrorKind::NotFound, Some(("key pair", name))));
    }
}

#[tokio::test]
async fn an_error_names_the_key_pair_that_was_asked_for_whatever_its_text_quotes() {
    let server = Mock::start();
    let driver = driver(&server);
    refuse(&server, "DescribeKeyPairs&KeyName.1=other", 400, "Error.no-key-pair");
    let error = driver.get_key_pair("other").await.unwrap_err();
    assert_eq!((error.kind(), error.resource()), (ErrorKind::NotFound, Some(("key pair", "other"))));
    for (params, imports) in [
        ("CreateKeyPair&KeyName=other", false),
        ("ImportKeyPair&KeyName=other&PublicKeyMaterial=YQ%3D%3D", true),
    ] {
        refuse(&server, params, 400, "Error.duplicate-key-pair");
        let made = if imports {
            driver.import_key_pair_from_string("other", "a").await
        } else {
            driver.create_key_pair("other").await
        };
        let error = made.unwrap_err();
        assert_eq!((error.kind(), error.resource()), (ErrorKind::AlreadyExists, Some(("key pair", "other"))));
    }
}

#[tokio::test]
async fn create_import_and_delete_key_pair() {
    let server = Mock::start();
    let driver = driver(&server);
    expect(&server, "CreateKeyPair&KeyName=ops", "CreateKeyPair");
    let key_pair = driver.create_key_pair("ops").await.unwrap();
    let private = key_pair.private_key.clone().unwrap();
    assert!(private.expose().starts_with("-----BEGIN TEST KEY-----\n"));
    assert!(!format!("{key_pair:?}").contains("BEGIN"));

    refuse(&server, "CreateKeyPair&KeyName=ops", 400, "Error.duplicate-key-pair");
    let error = driver.create_key_pair("ops").await.unwrap_err();
    assert_eq!((error.kind(), error.resource()), (ErrorKind::AlreadyExists, Some(("key pair", "ops"))));

    expect(&server, "ImportKeyPair&KeyName=new&PublicKeyMaterial=c3NoLXJzYSBZV0pqCg%3D%3D", "ImportKeyPair");
    let imported = driver.import_key_pair_from_string("new", "ssh-rsa YWJj\n").await.unwrap();
    assert_eq!((imported.name.as_str(), imported.private_key), ("new", None));

    expect(&server, "DeleteKeyPair&KeyName=new", "DeleteKeyPair");
    driver.delete_key_pair(&KeyPair::from_id("new")).await.unwrap();
}

#[tokio::test]
async fn tags() {
    let server = Mock::start();
    let driver = driver(&server);
    expect(&server, "DescribeTags&Filter.1.Name=resource-id&Filter.1.Value.1=i-1", "DescribeTags");
    let node = ResourceId::from(&Node::from_id("i-1"));
    let tags = driver.ex_describe_tags(&node).await.unwrap();
    let expected = [("empty", ""), ("owner", "ops")].map(|(key, value)| (key.to_owned(), value.to_owned()));
    assert_eq!(tags, expected.into());

    expect(
        &server,
        "CreateTags&ResourceId.1=i-1&Tag.1.Key=empty&Tag.1.Value=&Tag.2.Key=owner&Tag.2.Value=ops",
        "CreateTags",
    );
    driver.ex_create_tags(&node, &tags).await.unwrap();

    expect(
        &server,
        "DeleteTags&ResourceId.1=i-1&Tag.1.Key=any&Tag.2.Key=owner&Tag.2.Value=ops",
        "DeleteTags",
    );
    let tags = [("any".to_owned(), None), ("owner".to_owned(), Some("ops".to_owned()))];
    driver.ex_delete_tags(&node, &tags.into()).await.unwrap();
}
