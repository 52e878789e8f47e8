//! Instances.

use futures_util::TryStreamExt as _;
use insta::assert_json_snapshot;
use libcloud_aws::ec2::{Ec2ListNodes, Filters, NodeExtra};
use libcloud_common::{ErrorKind, Options};
use libcloud_compute::{ComputeDriverExt as _, Node, NodeState};
use libcloud_testkit::{Answer, Listing, ListingPage};

use crate::*;

#[tokio::test]
async fn list_nodes() {
    let server = Mock::start();
    expect(&server, "DescribeInstances&MaxResults=1000", "DescribeInstances");
    let nodes = driver(&server).list_nodes().await.unwrap();
    assert_json_snapshot!(nodes);
    let extra: NodeExtra = nodes[0].extra_as().unwrap();
    assert_eq!(extra.key_name.as_deref(), Some("ops"));
    assert_eq!(nodes[2].state, NodeState::Unknown("shutting-down".into()));
}

#[tokio::test]
async fn list_nodes_takes_ids_and_filters() {
    let server = Mock::start();
    expect(
        &server,
        "DescribeInstances&InstanceId.1=i-1&InstanceId.2=i-2\
         &Filter.1.Name=tag%3Astage&Filter.1.Value.1=a+b&Filter.1.Value.2=c",
        "DescribeInstances.empty",
    );
    let mut arguments = Ec2ListNodes::default();
    arguments.ex_node_ids = vec!["i-1".into(), "i-2".into()];
    arguments.ex_filters = Filters::new().filter("tag:stage", ["a b", "c"]);
    let driver = driver(&server);
    let nodes = driver.list_nodes_with(Options::new().ex(&arguments)).await.unwrap();
    assert_eq!(nodes, []);
}

#[tokio::test]
async fn a_listing_follows_all_pages() {
    let server = Mock::start();
    expect(&server, "DescribeInstances&MaxResults=1000", "DescribeInstances.page1");
    expect(
        &server,
        "DescribeInstances&MaxResults=1000&NextToken=page%2B2%2F%3D%3D",
        "DescribeInstances.page2",
    );
    expect(&server, "DescribeInstances&MaxResults=1000&NextToken=page-3", "DescribeInstances.page3");
    let nodes = driver(&server).list_nodes().await.unwrap();
    let states: Vec<_> = nodes.iter().map(|node| (node.id.as_str(), &node.state)).collect();
    let expected =
        [("i-1", &NodeState::Running), ("i-2", &NodeState::Stopping), ("i-3", &NodeState::Terminated)];
    assert_eq!(states, expected);
}

#[tokio::test]
async fn a_failing_second_page_ends_a_listing() {
    let server = Mock::start();
    expect(&server, "DescribeInstances&MaxResults=1000", "DescribeInstances.page1");
    let second = "DescribeInstances&MaxResults=1000&NextToken=page%2B2%2F%3D%3D";
    refuse(&server, second, 401, "Error.auth");
    let mut listing = driver(&server).iterate_nodes();
    assert_eq!(listing.try_next().await.unwrap().unwrap().id, "i-1");
    assert_eq!(listing.try_next().await.unwrap().unwrap().id, "i-2");
    let error = listing.try_next().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidCredentials);
    assert!(listing.try_next().await.unwrap().is_none());
}

#[tokio::test]
async fn a_wrong_shape_leads_to_the_place() {
    let server = Mock::start();
    expect(&server, "DescribeInstances&MaxResults=1000", "DescribeInstances.no-id");
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
    let server = Mock::start();
    expect(&server, "DescribeInstances&InstanceId.1=i-3", "DescribeInstances.page3");
    let driver = driver(&server);
    assert_eq!(driver.get_node("i-3").await.unwrap().state, NodeState::Terminated);

    refuse(&server, "DescribeInstances&InstanceId.1=i-1", 400, "Error.no-instance");
    let error = driver.get_node("i-1").await.unwrap_err();
    assert_eq!((error.kind(), error.resource()), (ErrorKind::NotFound, Some(("node", "i-1"))));
    assert_eq!(error.request_id(), Some("ea966190-f9aa-478e-9ede-example"));

    expect(&server, "DescribeInstances&InstanceId.1=i-9", "DescribeInstances.empty");
    let error = driver.get_node("i-9").await.unwrap_err();
    assert_eq!((error.kind(), error.resource()), (ErrorKind::NotFound, Some(("node", "i-9"))));
}

#[tokio::test]
async fn reboot_node() {
    let server = Mock::start();
    let node = Node::from_id("i-1");
    expect(&server, "RebootInstances&InstanceId.1=i-1", "RebootInstances");
    let driver = driver(&server);
    driver.reboot_node(&node).await.unwrap();

    expect(&server, "RebootInstances&InstanceId.1=i-1", "RebootInstances.false");
    let error = driver.reboot_node(&node).await.unwrap_err();
    assert_eq!(error.to_string(), "ec2 RebootInstances: the service answered `false`");
}

#[tokio::test]
async fn start_stop_and_destroy_node() {
    let server = Mock::start();
    let node = Node::from_id("i-1");
    let driver = driver(&server);
    server.expect(answer(form("StartInstances&InstanceId.1=i-1"), 200, "StartInstances").times(2));
    driver.start_node(&node).await.unwrap();
    driver.ex_start_node(&node).await.unwrap();
    server.expect(answer(form("StopInstances&InstanceId.1=i-1"), 200, "StopInstances").times(2));
    driver.stop_node(&node).await.unwrap();
    driver.ex_stop_node(&node).await.unwrap();
    expect(&server, "TerminateInstances&InstanceId.1=i-1", "TerminateInstances");
    driver.destroy_node(&node).await.unwrap();

    refuse(&server, "StartInstances&InstanceId.1=i-1", 400, "Error.state");
    refuse(&server, "StopInstances&InstanceId.1=i-1", 400, "Error.no-instance");
    refuse(&server, "TerminateInstances&InstanceId.1=i-1", 400, "Error.no-instance");
    let error = driver.start_node(&node).await.unwrap_err();
    assert_eq!((error.kind(), error.resource()), (ErrorKind::InvalidState, Some(("node", "i-1"))));
    assert_eq!(driver.stop_node(&node).await.unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(driver.destroy_node(&node).await.unwrap_err().kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn ex_get_console_output() {
    let server = Mock::start();
    let node = Node::from_id("i-1");
    let driver = driver(&server);
    expect(&server, "GetConsoleOutput&InstanceId=i-1", "GetConsoleOutput");
    let console = driver.ex_get_console_output(&node).await.unwrap();
    assert_eq!(console.output.as_deref(), Some("Linux version 6.1\n..."));

    expect(&server, "GetConsoleOutput&InstanceId=i-1", "GetConsoleOutput.garbled");
    let error = driver.ex_get_console_output(&node).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::MalformedResponse);
}

#[tokio::test]
async fn every_page_is_read() {
    let items = |page: &ListingPage| -> String {
        let instance = |id: &String| {
            format!(
                "<item><instancesSet><item><instanceId>{id}</instanceId><instanceState><name>running</name>\
                 </instanceState></item></instancesSet></item>"
            )
        };
        page.ids.iter().map(instance).collect()
    };
    Listing::new(
        |driver: &dyn ComputeDriver| driver.iterate_nodes(),
        move |page| {
            let next = page.next.map(|next| format!("<nextToken>page+{next}=</nextToken>"));
            Answer::new(200).body(format!(
                "<DescribeInstancesResponse><reservationSet>{}</reservationSet>{}</DescribeInstancesResponse>",
                items(page),
                next.unwrap_or_default()
            ))
        },
    )
    .asks(|page| format!("NextToken=page%2B{page}%3D"))
    .prove(&subject())
    .await;
}
