//! Instances.

use futures_util::TryStreamExt as _;
use insta::assert_json_snapshot;
use libcloud_aws::ec2::{Ec2ListNodes, NodeExtra};
use libcloud_common::{ErrorKind, Options};
use libcloud_compute::{ComputeDriverExt as _, Node, NodeState};
use mockito::Server;

use crate::*;

#[tokio::test]
async fn list_nodes() {
    let mut server = Server::new_async().await;
    let mock = expect(&mut server, "DescribeInstances&MaxResults=1000", "DescribeInstances").await;
    let nodes = driver(&server).list_nodes().await.unwrap();
    mock.assert_async().await;
    assert_json_snapshot!(nodes);
    let extra: NodeExtra = nodes[0].extra_as().unwrap();
    assert_eq!(extra.key_name.as_deref(), Some("ops"));
    assert_eq!(nodes[2].state, NodeState::Unknown("shutting-down".into()));
}

#[tokio::test]
async fn list_nodes_takes_ids_and_filters() {
    let mut server = Server::new_async().await;
    let ids = expect(
        &mut server,
        "DescribeInstances&InstanceId.1=i-1&InstanceId.2=i-2\
         &Filter.1.Name=tag%3Astage&Filter.1.Value.1=a+b&Filter.1.Value.2=c",
        "DescribeInstances.empty",
    )
    .await;
    let mut arguments = Ec2ListNodes::default();
    arguments.ex_node_ids = vec!["i-1".into(), "i-2".into()];
    arguments.ex_filters.insert("tag:stage".into(), vec!["a b".into(), "c".into()]);
    let driver = driver(&server);
    let nodes = driver.list_nodes_with(Options::new().ex(&arguments)).await.unwrap();
    ids.assert_async().await;
    assert_eq!(nodes, []);
}

#[tokio::test]
async fn a_listing_follows_all_pages() {
    let mut server = Server::new_async().await;
    let first = expect(&mut server, "DescribeInstances&MaxResults=1000", "DescribeInstances.page1").await;
    let second = expect(
        &mut server,
        "DescribeInstances&MaxResults=1000&NextToken=page%2B2%2F%3D%3D",
        "DescribeInstances.page2",
    )
    .await;
    let third =
        expect(&mut server, "DescribeInstances&MaxResults=1000&NextToken=page-3", "DescribeInstances.page3")
            .await;
    let nodes = driver(&server).list_nodes().await.unwrap();
    for mock in [first, second, third] {
        mock.assert_async().await;
    }
    let states: Vec<_> = nodes.iter().map(|node| (node.id.as_str(), &node.state)).collect();
    let expected =
        [("i-1", &NodeState::Running), ("i-2", &NodeState::Stopping), ("i-3", &NodeState::Terminated)];
    assert_eq!(states, expected);
}

#[tokio::test]
async fn a_failing_second_page_ends_a_listing() {
    let mut server = Server::new_async().await;
    expect(&mut server, "DescribeInstances&MaxResults=1000", "DescribeInstances.page1").await;
    let second = "DescribeInstances&MaxResults=1000&NextToken=page%2B2%2F%3D%3D";
    let refused = refuse(&mut server, second, 401, "Error.auth").await;
    let mut listing = driver(&server).iterate_nodes();
    assert_eq!(listing.try_next().await.unwrap().unwrap().id, "i-1");
    assert_eq!(listing.try_next().await.unwrap().unwrap().id, "i-2");
    let error = listing.try_next().await.unwrap_err();
    refused.assert_async().await;
    assert_eq!(error.kind(), ErrorKind::InvalidCredentials);
    assert!(listing.try_next().await.unwrap().is_none());
}

#[tokio::test]
async fn a_wrong_shape_leads_to_the_place() {
    let mut server = Server::new_async().await;
    expect(&mut server, "DescribeInstances&MaxResults=1000", "DescribeInstances.no-id").await;
    let error = driver(&server).list_nodes().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::MalformedResponse);
    assert_eq!(
        error.to_string(),
        "ec2 DescribeInstances: unexpected answer at `DescribeInstancesResponse/reservationSet/item/instancesSet/\
         item[2]/instanceId`: it is missing"
    );
}

#[tokio::test]
async fn get_node() {
    let mut server = Server::new_async().await;
    let found = expect(&mut server, "DescribeInstances&InstanceId.1=i-3", "DescribeInstances.page3").await;
    let driver = driver(&server);
    assert_eq!(driver.get_node("i-3").await.unwrap().state, NodeState::Terminated);
    found.assert_async().await;

    refuse(&mut server, "DescribeInstances&InstanceId.1=i-1", 400, "Error.no-instance").await;
    let error = driver.get_node("i-1").await.unwrap_err();
    assert_eq!((error.kind(), error.resource()), (ErrorKind::NotFound, Some(("node", "i-1"))));
    assert_eq!(error.request_id(), Some("ea966190-f9aa-478e-9ede-example"));

    expect(&mut server, "DescribeInstances&InstanceId.1=i-9", "DescribeInstances.empty").await;
    let error = driver.get_node("i-9").await.unwrap_err();
    assert_eq!((error.kind(), error.resource()), (ErrorKind::NotFound, Some(("node", "i-9"))));
}

#[tokio::test]
async fn reboot_node() {
    let mut server = Server::new_async().await;
    let node = Node::from_id("i-1");
    let mock = expect(&mut server, "RebootInstances&InstanceId.1=i-1", "RebootInstances").await;
    let driver = driver(&server);
    driver.reboot_node(&node).await.unwrap();
    mock.assert_async().await;
    mock.remove_async().await;

    expect(&mut server, "RebootInstances&InstanceId.1=i-1", "RebootInstances.false").await;
    let error = driver.reboot_node(&node).await.unwrap_err();
    assert_eq!(error.to_string(), "ec2 RebootInstances: the service answered `false`");
}

#[tokio::test]
async fn start_stop_and_destroy_node() {
    let mut server = Server::new_async().await;
    let node = Node::from_id("i-1");
    let driver = driver(&server);
    let start = answer(&mut server, form("StartInstances&InstanceId.1=i-1"), 200, "StartInstances")
        .expect(2)
        .create_async()
        .await;
    driver.start_node(&node).await.unwrap();
    driver.ex_start_node(&node).await.unwrap();
    let stop = answer(&mut server, form("StopInstances&InstanceId.1=i-1"), 200, "StopInstances")
        .expect(2)
        .create_async()
        .await;
    driver.stop_node(&node).await.unwrap();
    driver.ex_stop_node(&node).await.unwrap();
    let destroy = expect(&mut server, "TerminateInstances&InstanceId.1=i-1", "TerminateInstances").await;
    driver.destroy_node(&node).await.unwrap();
    for mock in [start, stop, destroy] {
        mock.assert_async().await;
        mock.remove_async().await;
    }

    refuse(&mut server, "StartInstances&InstanceId.1=i-1", 400, "Error.state").await;
    refuse(&mut server, "StopInstances&InstanceId.1=i-1", 400, "Error.no-instance").await;
    refuse(&mut server, "TerminateInstances&InstanceId.1=i-1", 400, "Error.no-instance").await;
    let error = driver.start_node(&node).await.unwrap_err();
    assert_eq!((error.kind(), error.resource()), (ErrorKind::InvalidState, Some(("node", "i-1"))));
    assert_eq!(driver.stop_node(&node).await.unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(driver.destroy_node(&node).await.unwrap_err().kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn ex_get_console_output() {
    let mut server = Server::new_async().await;
    let node = Node::from_id("i-1");
    let driver = driver(&server);
    let mock = expect(&mut server, "GetConsoleOutput&InstanceId=i-1", "GetConsoleOutput").await;
    let console = driver.ex_get_console_output(&node).await.unwrap();
    mock.assert_async().await;
    mock.remove_async().await;
    assert_eq!(console.output.as_deref(), Some("Linux version 6.1\n..."));

    expect(&mut server, "GetConsoleOutput&InstanceId=i-1", "GetConsoleOutput.garbled").await;
    let error = driver.ex_get_console_output(&node).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::MalformedResponse);
}
