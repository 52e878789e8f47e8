//! Virtual private clouds, security groups, addresses, and what belongs to an account.

use insta::assert_json_snapshot;
use libcloud_aws::ec2::{
    ElasticIp, Filters, GroupPair, Network, ResourceId, RouteTable, RouteTarget, RulePeers, Subnet,
};
use libcloud_common::{ErrorKind, Value, json};
use libcloud_compute::Node;

use crate::*;

/// Calls each by its name and expects to be told that it was done.
async fn sent_as_it_must_be(calls: &[(&str, Value, &str)]) {
    let server = Mock::start();
    let driver = dynamic(&server);
    for (method, arguments, params) in calls {
        done(&server, params);
        let answer = driver.call(method, arguments.clone()).await.unwrap();
        assert_eq!(answer, json!(true), "{method}");
    }
}

#[tokio::test]
async fn changes_of_nodes_volumes_and_images() {
    sent_as_it_must_be(&[
        ("destroy_volume", json!({"volume": "vol-1"}), "DeleteVolume&VolumeId=vol-1"),
        ("ex_destroy_image", json!({"image": "ami-1"}), "DeregisterImage&ImageId=ami-1"),
        (
            "ex_modify_image_attribute",
            json!({"image": "ami-1", "attributes": {"LaunchPermission.Add.1.Group": "all"}}),
            "ModifyImageAttribute&LaunchPermission.Add.1.Group=all&ImageId=ami-1",
        ),
        (
            "ex_modify_snapshot_attribute",
            json!({"snapshot": "snap-1", "attributes": {"CreateVolumePermission.Add.1.Group": "all"}}),
            "ModifySnapshotAttribute&CreateVolumePermission.Add.1.Group=all&SnapshotId=snap-1",
        ),
        (
            "ex_modify_instance_attribute",
            json!({"node": "i-1", "attributes": {"DisableApiTermination.Value": true}}),
            "ModifyInstanceAttribute&DisableApiTermination.Value=true&InstanceId=i-1",
        ),
        (
            "ex_change_node_size",
            json!({"node": "i-1", "new_size": "t3.large"}),
            "ModifyInstanceAttribute&InstanceType.Value=t3.large&InstanceId=i-1",
        ),
        ("ex_delete_keypair", json!({"keypair": "ops"}), "DeleteKeyPair&KeyName=ops"),
    ])
    .await;
}

#[tokio::test]
async fn changes_of_security_groups() {
    sent_as_it_must_be(&[
        ("ex_delete_security_group", json!({"name": "web"}), "DeleteSecurityGroup&GroupName=web"),
        (
            "ex_delete_security_group_by_name",
            json!({"group_name": "web"}),
            "DeleteSecurityGroup&GroupName=web",
        ),
        ("ex_delete_security_group_by_id", json!({"group_id": "sg-1"}), "DeleteSecurityGroup&GroupId=sg-1"),
        (
            "ex_authorize_security_group",
            json!({"name": "web", "from_port": 80, "to_port": 81, "cidr_ip": "192.0.2.0/24"}),
            "AuthorizeSecurityGroupIngress&GroupName=web&IpProtocol=tcp&FromPort=80&ToPort=81\
             &CidrIp=192.0.2.0%2F24",
        ),
        (
            "ex_authorize_security_group_ingress",
            json!({"id": "sg-1", "from_port": 443, "to_port": 443, "cidr_ips": ["192.0.2.0/24", "2001:db8::/32"],
                   "description": "office"}),
            "AuthorizeSecurityGroupIngress&GroupId=sg-1&IpPermissions.1.IpProtocol=tcp\
             &IpPermissions.1.FromPort=443&IpPermissions.1.ToPort=443\
             &IpPermissions.1.IpRanges.1.CidrIp=192.0.2.0%2F24&IpPermissions.1.IpRanges.1.Description=office\
             &IpPermissions.1.Ipv6Ranges.1.CidrIpv6=2001%3Adb8%3A%3A%2F32\
             &IpPermissions.1.Ipv6Ranges.1.Description=office",
        ),
        (
            "ex_authorize_security_group_egress",
            json!({"id": "sg-1", "from_port": 53, "to_port": 53, "protocol": "udp", "group_pairs": [
                {"group_id": "sg-2", "user_id": "123"}, "sg-3", {"group_name": "dns"}]}),
            "AuthorizeSecurityGroupEgress&GroupId=sg-1&IpPermissions.1.IpProtocol=udp\
             &IpPermissions.1.FromPort=53&IpPermissions.1.ToPort=53&IpPermissions.1.Groups.1.GroupId=sg-2\
             &IpPermissions.1.Groups.1.UserId=123&IpPermissions.1.Groups.2.GroupId=sg-3\
             &IpPermissions.1.Groups.3.GroupName=dns",
        ),
        (
            "ex_revoke_security_group_ingress",
            json!({"id": "sg-1", "from_port": -1, "to_port": -1, "protocol": "icmp", "cidr_ips": "192.0.2.0/24"}),
            "RevokeSecurityGroupIngress&GroupId=sg-1&IpPermissions.1.IpProtocol=icmp\
             &IpPermissions.1.FromPort=-1&IpPermissions.1.ToPort=-1\
             &IpPermissions.1.IpRanges.1.CidrIp=192.0.2.0%2F24",
        ),
        (
            "ex_revoke_security_group_egress",
            json!({"id": "sg-1", "from_port": 1, "to_port": 2, "group_pairs": "sg-2"}),
            "RevokeSecurityGroupEgress&GroupId=sg-1&IpPermissions.1.IpProtocol=tcp\
             &IpPermissions.1.FromPort=1&IpPermissions.1.ToPort=2&IpPermissions.1.Groups.1.GroupId=sg-2",
        ),
    ])
    .await;
}

#[tokio::test]
async fn changes_of_addresses_and_interfaces() {
    sent_as_it_must_be(&[
        ("ex_release_address", json!({"elastic_ip": "203.0.113.1"}), "ReleaseAddress&PublicIp=203.0.113.1"),
        (
            "ex_release_address",
            json!({"elastic_ip": {"ip": "203.0.113.1", "domain": "vpc", "extra": {"allocation_id": "a-1"}}}),
            "ReleaseAddress&AllocationId=a-1",
        ),
        (
            "ex_disassociate_address",
            json!({"elastic_ip": {"ip": "203.0.113.1", "extra": {"association_id": "as-1"}}, "domain": "vpc"}),
            "DisassociateAddress&AssociationId=as-1",
        ),
        (
            "ex_disassociate_address",
            json!({"elastic_ip": "203.0.113.1"}),
            "DisassociateAddress&PublicIp=203.0.113.1",
        ),
        ("ex_delete_network", json!({"vpc": "vpc-1"}), "DeleteVpc&VpcId=vpc-1"),
        (
            "ex_modify_subnet_attribute",
            json!({"subnet": "subnet-1", "value": true}),
            "ModifySubnetAttribute&SubnetId=subnet-1&MapPublicIpOnLaunch.Value=true",
        ),
        (
            "ex_modify_subnet_attribute",
            json!({"subnet": "subnet-1", "attribute": "auto_ipv6"}),
            "ModifySubnetAttribute&SubnetId=subnet-1&AssignIpv6AddressOnCreation.Value=false",
        ),
        ("ex_delete_subnet", json!({"subnet": "subnet-1"}), "DeleteSubnet&SubnetId=subnet-1"),
        (
            "ex_delete_network_interface",
            json!({"network_interface": "eni-1"}),
            "DeleteNetworkInterface&NetworkInterfaceId=eni-1",
        ),
        (
            "ex_detach_network_interface",
            json!({"attachment_id": "eni-attach-1", "force": true}),
            "DetachNetworkInterface&AttachmentId=eni-attach-1&Force=true",
        ),
    ])
    .await;
}

#[tokio::test]
async fn changes_of_gateways_and_routes() {
    sent_as_it_must_be(&[
        (
            "ex_delete_internet_gateway",
            json!({"gateway": "igw-1"}),
            "DeleteInternetGateway&InternetGatewayId=igw-1",
        ),
        (
            "ex_attach_internet_gateway",
            json!({"gateway": "igw-1", "network": "vpc-1"}),
            "AttachInternetGateway&InternetGatewayId=igw-1&VpcId=vpc-1",
        ),
        (
            "ex_detach_internet_gateway",
            json!({"gateway": "igw-1", "network": "vpc-1"}),
            "DetachInternetGateway&InternetGatewayId=igw-1&VpcId=vpc-1",
        ),
        ("ex_delete_route_table", json!({"route_table": "rtb-1"}), "DeleteRouteTable&RouteTableId=rtb-1"),
        (
            "ex_dissociate_route_table",
            json!({"subnet_association": "rtbassoc-1"}),
            "DisassociateRouteTable&AssociationId=rtbassoc-1",
        ),
        (
            "ex_create_route",
            json!({"route_table": "rtb-1", "cidr": "0.0.0.0/0", "internet_gateway": "igw-1"}),
            "CreateRoute&RouteTableId=rtb-1&DestinationCidrBlock=0.0.0.0%2F0&GatewayId=igw-1",
        ),
        (
            "ex_create_route",
            json!({"route_table": "rtb-1", "cidr": "::/0", "network_interface": "eni-1"}),
            "CreateRoute&RouteTableId=rtb-1&DestinationIpv6CidrBlock=%3A%3A%2F0&NetworkInterfaceId=eni-1",
        ),
        (
            "ex_replace_route",
            json!({"route_table": "rtb-1", "cidr": "0.0.0.0/0", "vpc_peering_connection": "pcx-1"}),
            "ReplaceRoute&RouteTableId=rtb-1&DestinationCidrBlock=0.0.0.0%2F0&VpcPeeringConnectionId=pcx-1",
        ),
        (
            "ex_delete_route",
            json!({"route_table": "rtb-1", "cidr": "0.0.0.0/0"}),
            "DeleteRoute&RouteTableId=rtb-1&DestinationCidrBlock=0.0.0.0%2F0",
        ),
        (
            "ex_create_placement_group",
            json!({"name": "close"}),
            "CreatePlacementGroup&Strategy=cluster&GroupName=close",
        ),
        ("ex_delete_placement_group", json!({"name": "close"}), "DeletePlacementGroup&GroupName=close"),
    ])
    .await;
}

#[tokio::test]
async fn wrong_arguments_are_not_sent() {
    let server = Mock::start();
    let driver = dynamic(&server);
    for (method, arguments, text) in [
        (
            "ex_change_node_size",
            json!({"node": {"id": "i-1", "extra": {"instancetype": "t3.large"}}, "new_size": "t3.large"}),
            "the node has the size t3.large already",
        ),
        (
            "ex_authorize_security_group_ingress",
            json!({"id": "sg-1", "from_port": 1, "to_port": 2}),
            "a rule needs `cidr_ips` or `group_pairs`",
        ),
        (
            "ex_authorize_security_group_ingress",
            json!({"id": "sg-1", "from_port": 1, "to_port": 2, "group_pairs": [7]}),
            "expected an id, or a map with `group_id`",
        ),
        (
            "ex_release_address",
            json!({"elastic_ip": "203.0.113.1", "domain": "vpc"}),
            "known by its `allocation_id`, which is not given",
        ),
        (
            "ex_disassociate_address",
            json!({"elastic_ip": "203.0.113.1", "domain": "moon"}),
            "`domain` is `vpc` or nothing, not `moon`",
        ),
        ("ex_modify_subnet_attribute", json!({"subnet": "subnet-1", "attribute": "colour"}), "not `colour`"),
        ("ex_create_route", json!({"route_table": "rtb-1", "cidr": "0.0.0.0/0"}), "by way of one thing"),
        (
            "ex_create_route",
            json!({"route_table": "rtb-1", "cidr": "0.0.0.0/0", "node": "i-1", "internet_gateway": "igw-1"}),
            "by way of one thing",
        ),
        ("ex_list_networks", json!({"filters": ["a"]}), "expected a map from names"),
    ] {
        let error = driver.call(method, arguments).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
        assert!(error.to_string().contains(text), "{error}");
    }
}

#[tokio::test]
async fn security_groups() {
    let server = Mock::start();
    let driver = driver(&server);
    expect(&server, "DescribeSecurityGroups&MaxResults=1000", "DescribeSecurityGroups");
    assert_eq!(driver.ex_list_security_groups().await.unwrap(), ["web"]);
    expect(
        &server,
        "DescribeSecurityGroups&GroupId.1=sg-0a1&GroupName.1=web&Filter.1.Name=vpc-id&Filter.1.Value.1=vpc-0a1",
        "DescribeSecurityGroups",
    );
    let groups = driver
        .ex_get_security_groups(
            Some(vec!["sg-0a1".into()]),
            Some(vec!["web".into()]),
            Some(Filters::new().filter("vpc-id", ["vpc-0a1"])),
        )
        .await
        .unwrap();
    assert_json_snapshot!(groups);

    expect(
        &server,
        "CreateSecurityGroup&GroupName=mail&GroupDescription=the+mail+servers&VpcId=vpc-0a1",
        "CreateSecurityGroup",
    );
    let vpc_id = Some("vpc-0a1".into());
    let group = driver.ex_create_security_group("mail", "the mail servers", vpc_id).await.unwrap();
    assert_eq!((group.id.as_str(), group.name.as_str()), ("sg-0c3", "mail"));
}

#[tokio::test]
async fn what_is_let_through_already_is_let_through() {
    let server = Mock::start();
    let driver = driver(&server);
    let ssh =
        "AuthorizeSecurityGroupIngress&GroupName=web&IpProtocol=tcp&FromPort=22&ToPort=22&CidrIp=0.0.0.0%2F0";
    refuse(&server, ssh, 400, "Error.duplicate-rule");
    driver.ex_authorize_security_group("web", 22, 22, "0.0.0.0/0", None).await.unwrap();

    let by_id = "AuthorizeSecurityGroupIngress&GroupId=sg-1&IpPermissions.1.IpProtocol=tcp\
        &IpPermissions.1.FromPort=22&IpPermissions.1.ToPort=22&IpPermissions.1.Groups.1.GroupId=sg-2";
    refuse(&server, by_id, 400, "Error.duplicate-rule");
    let peers = || RulePeers::new().group_pairs(&[GroupPair::by_id("sg-2")]);
    let group = ResourceId::from("sg-1");
    driver.ex_authorize_security_group_ingress(&group, 22, 22, peers()).await.unwrap();

    // Any other refusal is one.
    refuse(&server, by_id, 400, "Error.limit");
    let error = driver.ex_authorize_security_group_ingress(&group, 22, 22, peers()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::QuotaExceeded);

    let everything = |protocol: &str, from: &str, to: &str| {
        format!(
            "AuthorizeSecurityGroupIngress&GroupName=web&IpProtocol={protocol}&FromPort={from}&ToPort={to}\
             &CidrIp=0.0.0.0%2F0"
        )
    };
    done(&server, &everything("tcp", "0", "65535"));
    refuse(&server, &everything("udp", "0", "65535"), 400, "Error.duplicate-rule");
    done(&server, &everything("icmp", "-1", "-1"));
    driver.ex_authorize_security_group_permissive("web").await.unwrap();
}

#[tokio::test]
async fn elastic_addresses() {
    let server = Mock::start();
    let driver = driver(&server);
    expect(&server, "AllocateAddress&Domain=vpc", "AllocateAddress");
    let address = driver.ex_allocate_address(Some("vpc".into())).await.unwrap();
    assert_json_snapshot!(address);
    expect(&server, "AllocateAddress", "AllocateAddress");
    driver.ex_allocate_address(None).await.unwrap();

    expect(&server, "AssociateAddress&InstanceId=i-1&AllocationId=eipalloc-2", "AssociateAddress");
    let node = Node::from_id("i-1");
    let association = driver.ex_associate_address_with_node(&node, &address, None).await.unwrap();
    assert_eq!(association.as_deref(), Some("eipassoc-2"));
    expect(&server, "AssociateAddress&InstanceId=i-1&PublicIp=203.0.113.1", "AssociateAddress");
    driver.ex_associate_addresses(&node, &ElasticIp::from_ip("203.0.113.1"), None).await.unwrap();

    expect(&server, "DescribeAddresses", "DescribeAddresses");
    let all = driver.ex_describe_all_addresses(None).await.unwrap();
    let nodes: Vec<_> =
        all.iter().map(|address| (address.ip.as_str(), address.instance_id.as_deref())).collect();
    assert_eq!(
        nodes,
        [
            ("203.0.113.20", Some("i-1")),
            ("203.0.113.21", None),
            ("203.0.113.22", Some("i-2")),
            ("203.0.113.23", None)
        ]
    );
    expect(&server, "DescribeAddresses", "DescribeAddresses");
    assert_eq!(driver.ex_describe_all_addresses(Some(true)).await.unwrap().len(), 2);

    expect(&server, "DescribeAddresses&Filter.1.Name=instance-id&Filter.1.Value.1=i-1", "DescribeAddresses");
    assert_eq!(driver.ex_describe_addresses_for_node(&node).await.unwrap(), ["203.0.113.20"]);
    expect(&server, "DescribeAddresses", "DescribeAddresses");
    let nodes = ["i-1", "i-3"].map(Node::from_id);
    let found = driver.ex_describe_addresses(&nodes).await.unwrap();
    assert_eq!(json!(found), json!({"i-1": ["203.0.113.20"], "i-3": []}));
    // Of no nodes there are none.
    assert!(driver.ex_describe_addresses(&[]).await.unwrap().is_empty());
}

#[tokio::test]
async fn networks_and_subnets() {
    let server = Mock::start();
    let driver = driver(&server);
    expect(
        &server,
        "DescribeVpcs&VpcId.1=vpc-0a1&Filter.1.Name=state&Filter.1.Value.1=available",
        "DescribeVpcs",
    );
    let filters = Filters::new().filter("state", ["available"]);
    let networks = driver.ex_list_networks(Some(vec!["vpc-0a1".into()]), Some(filters)).await.unwrap();
    assert_json_snapshot!(networks);

    expect(
        &server,
        "CreateVpc&CidrBlock=10.0.0.0%2F16&InstanceTenancy=default&TagSpecification.1.ResourceType=vpc\
         &TagSpecification.1.Tag.1.Key=Name&TagSpecification.1.Tag.1.Value=main",
        "CreateVpc",
    );
    let network = driver.ex_create_network("10.0.0.0/16", Some("main".into()), None).await.unwrap();
    assert_eq!((network.name.as_str(), network.extra.state.as_deref()), ("main", Some("pending")));

    expect(&server, "DescribeSubnets", "DescribeSubnets");
    let subnets = driver.ex_list_subnets(None, None).await.unwrap();
    assert_json_snapshot!(subnets);
    expect(
        &server,
        "CreateSubnet&VpcId=vpc-0a1&CidrBlock=10.0.1.0%2F24&AvailabilityZone=us-east-1a",
        "CreateSubnet",
    );
    let subnet =
        driver.ex_create_subnet(&(&network).into(), "10.0.1.0/24", "us-east-1a", None).await.unwrap();
    assert_eq!(subnet, subnets[0]);
}

#[tokio::test]
async fn network_interfaces() {
    let server = Mock::start();
    let driver = driver(&server);
    expect(&server, "DescribeNetworkInterfaces&MaxResults=1000", "DescribeNetworkInterfaces");
    let interfaces = driver.ex_list_network_interfaces(None).await.unwrap();
    assert_json_snapshot!(interfaces);

    server.expect(answer(
        matching(
            "Action=CreateNetworkInterface&Version=2016-11-15&SubnetId=subnet-0a1&Description=second\
             &PrivateIpAddress=10\\.0\\.1\\.18&ClientToken=[0-9a-f]{32}\
             &TagSpecification\\.1\\.ResourceType=network-interface&TagSpecification\\.1\\.Tag\\.1\\.Key=Name\
             &TagSpecification\\.1\\.Tag\\.1\\.Value=spare",
        ),
        200,
        "CreateNetworkInterface",
    ));
    let interface = driver
        .ex_create_network_interface(
            &Subnet::from_id("subnet-0a1"),
            Some("spare".into()),
            Some("second".into()),
            Some("10.0.1.18".into()),
        )
        .await
        .unwrap();
    assert_eq!((interface.id.as_str(), interface.name.as_str()), ("eni-0b2", "spare"));

    expect(
        &server,
        "AttachNetworkInterface&NetworkInterfaceId=eni-0b2&InstanceId=i-1&DeviceIndex=1",
        "AttachNetworkInterface",
    );
    let node = Node::from_id("i-1");
    let id = driver.ex_attach_network_interface_to_node(&interface, &node, 1).await.unwrap();
    assert_eq!(id, "eni-attach-2");
}

#[tokio::test]
async fn gateways_and_routes() {
    let server = Mock::start();
    let driver = driver(&server);
    expect(&server, "DescribeInternetGateways&InternetGatewayId.1=igw-0a1", "DescribeInternetGateways");
    let gateways = driver.ex_list_internet_gateways(Some(vec!["igw-0a1".into()]), None).await.unwrap();
    assert_json_snapshot!(gateways);
    expect(
        &server,
        "CreateInternetGateway&TagSpecification.1.ResourceType=internet-gateway\
         &TagSpecification.1.Tag.1.Key=Name&TagSpecification.1.Tag.1.Value=out",
        "CreateInternetGateway",
    );
    let gateway = driver.ex_create_internet_gateway(Some("out".into())).await.unwrap();
    assert_eq!((gateway.id.as_str(), gateway.name.as_str()), ("igw-0c3", "out"));

    expect(
        &server,
        "DescribeRouteTables&RouteTableId.1=rtb-0a1&Filter.1.Name=vpc-id&Filter.1.Value.1=vpc-0a1",
        "DescribeRouteTables",
    );
    let filters = Filters::new().filter("vpc-id", ["vpc-0a1"]);
    let tables = driver.ex_list_route_tables(Some(vec!["rtb-0a1".into()]), Some(filters)).await.unwrap();
    assert_json_snapshot!(tables);
    expect(&server, "CreateRouteTable&VpcId=vpc-0a1", "CreateRouteTable");
    let table = driver.ex_create_route_table(&Network::from_id("vpc-0a1"), None).await.unwrap();
    assert_eq!((table.id.as_str(), table.name.as_str()), ("rtb-0b2", "rtb-0b2"));

    expect(&server, "AssociateRouteTable&RouteTableId=rtb-0b2&SubnetId=subnet-0a1", "AssociateRouteTable");
    let subnet = Subnet::from_id("subnet-0a1");
    assert_eq!(driver.ex_associate_route_table(&table, &subnet).await.unwrap(), "rtbassoc-3");
    expect(
        &server,
        "ReplaceRouteTableAssociation&AssociationId=rtbassoc-2&RouteTableId=rtb-0b2",
        "ReplaceRouteTableAssociation",
    );
    let association = &tables[0].subnet_associations[1];
    let id = driver.ex_replace_route_table_association(association, &table).await.unwrap();
    assert_eq!(id, "rtbassoc-4");

    done(&server, "CreateRoute&RouteTableId=rtb-1&DestinationCidrBlock=192.0.2.0%2F24&InstanceId=i-1");
    let target = RouteTarget::new().node(&Node::from_id("i-1"));
    driver.ex_create_route(&RouteTable::from_id("rtb-1"), "192.0.2.0/24", target).await.unwrap();
}

#[tokio::test]
async fn the_account() {
    let server = Mock::start();
    let driver = driver(&server);
    expect(&server, "DescribePlacementGroups&GroupName.1=close", "DescribePlacementGroups");
    assert_json_snapshot!(driver.ex_list_placement_groups(Some(vec!["close".into()])).await.unwrap());
    expect(&server, "DescribeReservedInstances", "DescribeReservedInstances");
    assert_json_snapshot!(driver.ex_list_reserved_nodes().await.unwrap());
    expect(
        &server,
        "DescribeAccountAttributes&AttributeName.1=max-instances&AttributeName.2=max-elastic-ips\
         &AttributeName.3=vpc-max-elastic-ips",
        "DescribeAccountAttributes",
    );
    let limits = driver.ex_get_limits().await.unwrap();
    assert_eq!(json!(limits), json!({"resource": {"max-instances": 20, "max-elastic-ips": 5}}));
    expect(&server, "DescribeRegions&AllRegions=true", "DescribeRegions");
    let regions = driver.ex_list_regions(Some(true)).await.unwrap();
    assert_eq!((regions[0].name.as_str(), regions.len()), ("eu-west-1", 2));
    expect(&server, "DescribeRegions", "DescribeRegions");
    driver.ex_list_regions(None).await.unwrap();
}
