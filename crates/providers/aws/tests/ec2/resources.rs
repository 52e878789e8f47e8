//! Sizes, images, places, key pairs and tags.

use insta::assert_json_snapshot;
use libcloud_aws::ec2::{Ec2ListImages, ResourceId};
use libcloud_common::ErrorKind;
use libcloud_compute::{ComputeDriverExt as _, KeyPair, ListImages, Node};
use mockito::Server;

use crate::*;

#[tokio::test]
async fn list_sizes_asks_nobody() {
    let server = Server::new_async().await;
    let sizes = driver(&server).list_sizes().await.unwrap();
    assert_eq!(sizes.len(), 22);
    assert_json_snapshot!(sizes[..3]);
}

#[tokio::test]
async fn list_images() {
    let mut server = Server::new_async().await;
    let all = expect(&mut server, "DescribeImages", "DescribeImages").await;
    let driver = driver(&server);
    let images = driver.list_images().await.unwrap();
    all.assert_async().await;
    assert_json_snapshot!(images);

    let chosen = expect(
        &mut server,
        "DescribeImages&ImageId.1=ami-1&Owner.1=self&ExecutableBy.1=all\
         &Filter.1.Name=architecture&Filter.1.Value.1=arm64",
        "DescribeImages.empty",
    )
    .await;
    let mut arguments = Ec2ListImages::default();
    arguments.ex_image_ids = vec!["ami-1".into()];
    arguments.ex_owner = Some("self".into());
    arguments.ex_executableby = Some("all".into());
    arguments.ex_filters.insert("architecture".into(), vec!["arm64".into()]);
    let images = driver.list_images_with(ListImages::new().ex(&arguments)).await.unwrap();
    chosen.assert_async().await;
    assert_eq!(images, []);
}

#[tokio::test]
async fn get_image() {
    let mut server = Server::new_async().await;
    let id = "ami-0c55b159cbfafe1f0";
    let found = expect(&mut server, &format!("DescribeImages&ImageId.1={id}"), "DescribeImages").await;
    let driver = driver(&server);
    assert_eq!(driver.get_image(id).await.unwrap().name, "al2023-x86_64");
    found.assert_async().await;

    refuse(&mut server, "DescribeImages&ImageId.1=ami-2", 400, "Error.no-image").await;
    let error = driver.get_image("ami-2").await.unwrap_err();
    assert_eq!((error.kind(), error.resource()), (ErrorKind::NotFound, Some(("image", "ami-2"))));

    expect(&mut server, "DescribeImages&ImageId.1=ami-3", "DescribeImages.empty").await;
    let error = driver.get_image("ami-3").await.unwrap_err();
    assert_eq!((error.kind(), error.resource()), (ErrorKind::NotFound, Some(("image", "ami-3"))));
}

#[tokio::test]
async fn list_locations() {
    let mut server = Server::new_async().await;
    let mock = expect(
        &mut server,
        "DescribeAvailabilityZones&Filter.1.Name=region-name&Filter.1.Value.1=us-east-1\
         &Filter.2.Name=state&Filter.2.Value.1=available",
        "DescribeAvailabilityZones",
    )
    .await;
    let locations = driver(&server).list_locations().await.unwrap();
    mock.assert_async().await;
    assert_json_snapshot!(locations);
}

#[tokio::test]
async fn ex_list_availability_zones() {
    let mut server = Server::new_async().await;
    let mock = expect(
        &mut server,
        "DescribeAvailabilityZones&Filter.1.Name=region-name&Filter.1.Value.1=us-east-1",
        "DescribeAvailabilityZones",
    )
    .await;
    let zones = driver(&server).ex_list_availability_zones(Some(false)).await.unwrap();
    mock.assert_async().await;
    let names: Vec<_> = zones.iter().map(|zone| zone.name.as_str()).collect();
    assert_eq!(names, ["us-east-1a", "us-east-1b"]);
}

#[tokio::test]
async fn list_and_get_key_pairs() {
    let mut server = Server::new_async().await;
    let driver = driver(&server);
    let list = expect(&mut server, "DescribeKeyPairs", "DescribeKeyPairs").await;
    let key_pairs = driver.list_key_pairs().await.unwrap();
    list.assert_async().await;
    assert_json_snapshot!(key_pairs);

    expect(&mut server, "DescribeKeyPairs&KeyName.1=ops", "DescribeKeyPairs").await;
    assert_eq!(driver.get_key_pair("ops").await.unwrap(), key_pairs[0]);
    refuse(&mut server, "DescribeKeyPairs&KeyName.1=nobody", 400, "Error.no-key-pair").await;
    expect(&mut server, "DescribeKeyPairs&KeyName.1=none", "DescribeKeyPairs.empty").await;
    for name in ["nobody", "none"] {
        let error = driver.get_key_pair(name).await.unwrap_err();
        assert_eq!((error.kind(), error.resource()), (ErrorKind::NotFound, Some(("key pair", name))));
    }
}

#[tokio::test]
async fn create_import_and_delete_key_pair() {
    let mut server = Server::new_async().await;
    let driver = driver(&server);
    let create = expect(&mut server, "CreateKeyPair&KeyName=ops", "CreateKeyPair").await;
    let key_pair = driver.create_key_pair("ops").await.unwrap();
    create.assert_async().await;
    create.remove_async().await;
    let private = key_pair.private_key.clone().unwrap();
    assert!(private.expose().starts_with("-----BEGIN TEST KEY-----\n"));
    assert!(!format!("{key_pair:?}").contains("BEGIN"));

    refuse(&mut server, "CreateKeyPair&KeyName=ops", 400, "Error.duplicate-key-pair").await;
    let error = driver.create_key_pair("ops").await.unwrap_err();
    assert_eq!((error.kind(), error.resource()), (ErrorKind::AlreadyExists, Some(("key pair", "ops"))));

    let import = expect(
        &mut server,
        "ImportKeyPair&KeyName=new&PublicKeyMaterial=c3NoLXJzYSBZV0pqCg%3D%3D",
        "ImportKeyPair",
    )
    .await;
    let imported = driver.import_key_pair_from_string("new", "ssh-rsa YWJj\n").await.unwrap();
    import.assert_async().await;
    assert_eq!((imported.name.as_str(), imported.private_key), ("new", None));

    let delete = expect(&mut server, "DeleteKeyPair&KeyName=new", "DeleteKeyPair").await;
    driver.delete_key_pair(&KeyPair::from_id("new")).await.unwrap();
    delete.assert_async().await;
}

#[tokio::test]
async fn tags() {
    let mut server = Server::new_async().await;
    let driver = driver(&server);
    let describe =
        expect(&mut server, "DescribeTags&Filter.1.Name=resource-id&Filter.1.Value.1=i-1", "DescribeTags")
            .await;
    let node = ResourceId::from(&Node::from_id("i-1"));
    let tags = driver.ex_describe_tags(&node).await.unwrap();
    describe.assert_async().await;
    let expected = [("empty", ""), ("owner", "ops")].map(|(key, value)| (key.to_owned(), value.to_owned()));
    assert_eq!(tags, expected.into());

    let create = expect(
        &mut server,
        "CreateTags&ResourceId.1=i-1&Tag.1.Key=empty&Tag.1.Value=&Tag.2.Key=owner&Tag.2.Value=ops",
        "CreateTags",
    )
    .await;
    driver.ex_create_tags(&node, &tags).await.unwrap();
    create.assert_async().await;

    let delete = expect(
        &mut server,
        "DeleteTags&ResourceId.1=i-1&Tag.1.Key=any&Tag.2.Key=owner&Tag.2.Value=ops",
        "DeleteTags",
    )
    .await;
    let tags = [("any".to_owned(), None), ("owner".to_owned(), Some("ops".to_owned()))];
    driver.ex_delete_tags(&node, &tags.into()).await.unwrap();
    delete.assert_async().await;
}
