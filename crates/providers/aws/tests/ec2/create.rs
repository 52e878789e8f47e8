//! Making nodes.

use insta::assert_json_snapshot;
use libcloud_aws::ec2::{Ec2CreateNode, Ec2ListNodes};
use libcloud_common::{ErrorKind, Retry, json};
use libcloud_compute::{ComputeDriver as _, NodeAuth, NodeLocation};

use crate::*;

#[tokio::test]
async fn create_node() {
    let server = Mock::start();
    server.expect(answer(form_with_token(SMALL, NAMED), 200, "RunInstances"));
    let node = driver(&server).create_node(small()).await.unwrap();
    assert_json_snapshot!(node);
}

#[tokio::test]
async fn a_new_node_has_the_name_that_it_was_given_where_the_answer_does_not_repeat_it() {
    let server = Mock::start();
    server.expect(answer(form_with_token(SMALL, NAMED), 200, "RunInstances.untagged"));
    let node = driver(&server).create_node(small()).await.unwrap();
    assert_eq!((node.name.as_str(), &node.extra["tags"]), ("web", &json!({"Name": "web"})));
}

#[tokio::test]
async fn create_node_with_everything() {
    let server = Mock::start();
    expect(
        &server,
        &format!(
            "RunInstances&{SMALL}&ClientToken=once&KeyName=ops&Placement.AvailabilityZone=us-east-1b\
             &SubnetId=subnet-1&SecurityGroup.1=web&SecurityGroup.2=db&SecurityGroupId.1=sg-1\
             &IamInstanceProfile.Arn=arn%3Aaws%3Aiam%3A%3A1%3Ainstance-profile%2Fweb\
             &BlockDeviceMapping.1.DeviceName=%2Fdev%2Fsdb&BlockDeviceMapping.1.Ebs.DeleteOnTermination=false\
             &BlockDeviceMapping.1.Ebs.VolumeSize=8\
             &BlockDeviceMapping.2.DeviceName=%2Fdev%2Fsdc&BlockDeviceMapping.2.VirtualName=ephemeral0\
             {NAMED}&TagSpecification.1.Tag.2.Key=stage&TagSpecification.1.Tag.2.Value=test\
             &UserData=IyEvYmluL3NoCg%3D%3D"
        ),
        "RunInstances",
    );
    let mut arguments = Ec2CreateNode::default();
    arguments.ex_keyname = Some("ops".into());
    arguments.ex_security_groups = vec!["web".into(), "db".into()];
    arguments.ex_security_group_ids = vec!["sg-1".into()];
    arguments.ex_userdata = Some("#!/bin/sh\n".into());
    arguments.ex_clienttoken = Some("once".into());
    arguments.ex_iamprofile = Some("arn:aws:iam::1:instance-profile/web".into());
    arguments.ex_subnet_id = Some("subnet-1".into());
    arguments.ex_metadata.insert("stage".into(), "test".into());
    for mapping in [
        json!({"DeviceName": "/dev/sdb", "Ebs": {"VolumeSize": 8, "DeleteOnTermination": false}}),
        json!({"DeviceName": "/dev/sdc", "VirtualName": "ephemeral0"}),
    ] {
        arguments.ex_blockdevicemappings.push(mapping.as_object().unwrap().clone());
    }
    let options = small().location(&NodeLocation::from_id("us-east-1b")).ex(&arguments);
    driver(&server).create_node(options).await.unwrap();
}

#[tokio::test]
async fn a_public_key_is_imported_once() {
    let server = Mock::start();
    let known = "me%40home-90%3A01%3A50%3A98%3A3c%3Ad2%3A4f%3Ab0%3Ad6%3A96%3A3f%3A7d%3A28%3Ae1%3A7f%3A72";
    expect(&server, "DescribeKeyPairs", "DescribeKeyPairs");
    let after = format!("&KeyName={known}{NAMED}");
    server.expect(answer(form_with_token(SMALL, &after), 200, "RunInstances"));
    let driver = driver(&server);
    let options = small().auth(NodeAuth::ssh_key("ssh-rsa YWJj me@home"));
    driver.create_node(options).await.unwrap();

    expect(&server, "DescribeKeyPairs", "DescribeKeyPairs.empty");
    expect(
        &server,
        &format!("ImportKeyPair&KeyName={known}&PublicKeyMaterial=c3NoLXJzYSBZV0pqIG1lQGhvbWU%3D"),
        "ImportKeyPair",
    );
    let key_pair = driver.ex_find_or_import_keypair_by_key_material("ssh-rsa YWJj me@home");
    assert_eq!(key_pair.await.unwrap().name, "new");
}

#[tokio::test]
async fn create_node_refuses_what_it_cannot_do() {
    let server = Mock::start();
    let driver = driver(&server);
    for (options, kind, text) in [
        (small().auth(NodeAuth::password("canary")), ErrorKind::NotSupported, "`password`"),
        (
            small().auth(NodeAuth::ssh_key("ssh-rsa YWJj")).ex_arg("ex_keyname", "ops"),
            ErrorKind::InvalidArgument,
            "either `auth` or `ex_keyname`",
        ),
        (small().auth(NodeAuth::ssh_key("no")), ErrorKind::InvalidArgument, "not as OpenSSH writes it"),
        (small().ex_arg("ex_maxcount", 2), ErrorKind::InvalidArgument, "ex_create_nodes"),
        (small().ex_arg("ex_key_name", "ops"), ErrorKind::InvalidArgument, "did you mean `ex_keyname`?"),
        (
            small().ex_arg("ex_security_groups", 7),
            ErrorKind::InvalidArgument,
            "a string or a list of strings",
        ),
        (
            small().ex(&Ec2ListNodes::default()).ex_arg("ex_node_ids", "i-1"),
            ErrorKind::InvalidArgument,
            "create_node has no argument `ex_",
        ),
    ] {
        let error = driver.create_node(options).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(text), "{error}");
        assert!(!format!("{error:?}").contains("canary"), "{error:?}");
    }
}

#[tokio::test]
async fn create_node_reports_limits_and_odd_answers() {
    let server = Mock::start();
    let options = || small().ex_arg("ex_clienttoken", "once");
    let params = format!("RunInstances&{SMALL}&ClientToken=once{NAMED}");
    refuse(&server, &params, 400, "Error.limit");
    let driver = driver(&server);
    let error = driver.create_node(options()).await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::QuotaExceeded, Retry::Permanent));

    expect(&server, &params, "RunInstances.none");
    let error = driver.create_node(options()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::MalformedResponse);
}

#[tokio::test]
async fn ex_create_nodes() {
    let server = Mock::start();
    let counts = "ImageId=ami-1&InstanceType=t3.micro&MinCount=2&MaxCount=2";
    server.expect(answer(form_with_token(counts, NAMED), 200, "RunInstances.two"));
    let nodes = driver(&server).ex_create_nodes(small().ex_arg("ex_mincount", 2)).await.unwrap();
    let ids: Vec<_> = nodes.iter().map(|node| node.id.as_str()).collect();
    assert_eq!(ids, ["i-1", "i-2"]);
}
