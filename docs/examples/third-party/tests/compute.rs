//! What is sent for each method, and what becomes of the answers.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use libcloud_common::{Config, ErrorKind, ManualClock, Method, Options, Support, TransportConfig, json};
use libcloud_compute::{
    ComputeDriver, ComputeDriverExt as _, CreateNode, Node, NodeAuth, NodeImage, NodeSize, NodeState,
};
use libcloud_examplecloud::{ExampleCloudDriver, ExampleCreateNode, NodeExtra};
use mockito::{Matcher, Mock, Server, ServerGuard};

const WEB: &str = r#"{"id": 7, "name": "web", "status": "on", "plan": "small", "image": "debian-12", "backups": true,
    "addresses": [{"address": "192.0.2.7", "public": true}, {"address": "10.0.0.7", "public": false}]}"#;
const DB: &str = r#"{"id": 8, "name": "db", "status": "hibernating", "plan": "large", "addresses": []}"#;

fn driver(server: &ServerGuard) -> Arc<dyn ComputeDriver> {
    let config = Config::with_key("canary-token")
        .endpoint(server.url().parse().unwrap())
        .clock(ManualClock::at("2024-05-01T08:30:00Z".parse().unwrap()));
    (libcloud_examplecloud::compute().factory)(config).unwrap()
}

/// An expected request; its answer is set by the test.
fn expect(server: &mut ServerGuard, method: &str, path: &str) -> Mock {
    server.mock(method, path).match_header("authorization", "Bearer canary-token").expect(1)
}

fn page(number: u32) -> String {
    format!("/v1/servers?page={number}&per_page=100")
}

#[tokio::test]
async fn all_pages_of_nodes_are_listed() {
    let mut server = Server::new_async().await;
    let answer = |node: &str, next: &str| format!(r#"{{"servers": [{node}], "next_page": {next}}}"#);
    let first = expect(&mut server, "GET", &page(1)).with_body(answer(WEB, "2")).create_async().await;
    let second = expect(&mut server, "GET", &page(2)).with_body(answer("", "3")).create_async().await;
    let third = expect(&mut server, "GET", &page(3)).with_body(answer(DB, "null")).create_async().await;

    let nodes = driver(&server).list_nodes().await.unwrap();
    for mock in [first, second, third] {
        mock.assert_async().await;
    }
    assert_eq!(nodes.iter().map(|node| node.id.as_str()).collect::<Vec<_>>(), ["7", "8"]);
    assert_eq!(
        (&nodes[0].public_ips[..], &nodes[0].private_ips[..]),
        (&["192.0.2.7".into()][..], &["10.0.0.7".into()][..])
    );
    assert_eq!(nodes[0].image, Some(NodeImage::from_id("debian-12")));
    assert!(nodes[0].extra_as::<NodeExtra>().unwrap().backups);
    assert_eq!(nodes[1].state, NodeState::Unknown("hibernating".into()));
}

#[tokio::test]
async fn a_failing_page_is_repeated_and_then_told() {
    let mut server = Server::new_async().await;
    let mock = expect(&mut server, "GET", &page(1)).with_status(503).expect(3).create_async().await;
    let mut transport = TransportConfig::default();
    transport.retries = 2;
    let config = Config::with_key("canary-token")
        .endpoint(server.url().parse().unwrap())
        .clock(ManualClock::at("2024-05-01T08:30:00Z".parse().unwrap()))
        .transport(transport);
    let error = ExampleCloudDriver::new(config).unwrap().list_nodes().await.unwrap_err();
    mock.assert_async().await;
    assert_eq!(error.to_string(), "examplecloud ListServers: answered 503 Service Unavailable");
}

#[tokio::test]
async fn a_node_is_created_with_what_was_asked_for() {
    let mut server = Server::new_async().await;
    let mock = expect(&mut server, "POST", "/v1/servers")
        .match_body(Matcher::Json(json!({
            "name": "web", "plan": "small", "image": "debian-12", "ssh_key": "ssh-ed25519 A", "backups": true,
        })))
        .with_status(201)
        .with_body(format!(r#"{{"server": {WEB}}}"#))
        .create_async()
        .await;
    let options = CreateNode::new("web", &NodeSize::from_id("small"), &NodeImage::from_id("debian-12"))
        .auth(NodeAuth::ssh_key("ssh-ed25519 A"))
        .ex(&ExampleCreateNode { ex_backups: Some(true) });
    let node = driver(&server).create_node(options).await.unwrap();
    mock.assert_async().await;
    assert_eq!((node.id.as_str(), node.state), ("7", NodeState::Running));
}

#[tokio::test]
async fn what_it_does_not_know_is_refused_before_anything_is_sent() {
    let mut server = Server::new_async().await;
    let nothing = server.mock("POST", Matcher::Any).expect(0).create_async().await;
    let driver = driver(&server);
    let small = || CreateNode::new("web", &NodeSize::from_id("small"), &NodeImage::from_id("debian-12"));

    let error = driver.create_node(small().ex_arg("ex_backup", true)).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "create_node has no argument `ex_backup`; did you mean `ex_backups`? it takes `ex_backups`"
    );
    let error = driver.create_node(small().auth(NodeAuth::password("hunter2"))).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotSupported);
    let error = driver
        .destroy_node_with(&Node::from_id("7"), Options::new().ex_arg("ex_force", true))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    nothing.assert_async().await;
}

#[tokio::test]
async fn failures_have_their_kind_the_providers_code_and_no_token() {
    for (status, code, kind) in [
        (401, "bad_token", ErrorKind::InvalidCredentials),
        (404, "no_server", ErrorKind::NotFound),
        (409, "server_busy", ErrorKind::InvalidState),
        (422, "quota_reached", ErrorKind::QuotaExceeded),
        (422, "something_new", ErrorKind::Provider),
    ] {
        let mut server = Server::new_async().await;
        let body = format!(r#"{{"error": {{"code": "{code}", "message": "no"}}}}"#);
        let mock = expect(&mut server, "DELETE", "/v1/servers/7")
            .with_status(status)
            .with_body(body)
            .create_async()
            .await;
        let error = driver(&server).destroy_node(&Node::from_id("7")).await.unwrap_err();
        mock.assert_async().await;
        assert_eq!((error.kind(), error.code()), (kind, Some(code)));
        assert_eq!(error.to_string(), format!("examplecloud DeleteServer: no ({code})"));
        assert!(!format!("{error:#} {error:?}").contains("canary"));
    }
}

#[tokio::test]
async fn an_answer_that_is_not_as_documented_names_the_field() {
    let mut server = Server::new_async().await;
    let body = r#"{"server": {"id": "seven", "name": "web"}}"#;
    let mock = expect(&mut server, "GET", "/v1/servers/7").with_body(body).create_async().await;
    let error = driver(&server).get_node("7").await.unwrap_err();
    mock.assert_async().await;
    assert_eq!(error.kind(), ErrorKind::MalformedResponse);
    assert!(error.to_string().contains("server.id"), "{error}");
}

#[tokio::test]
async fn the_extension_is_reached_typed_and_by_name() {
    let mut server = Server::new_async().await;
    let mock = expect(&mut server, "PUT", "/v1/servers/7/name")
        .match_body(Matcher::Json(json!({"name": "web"})))
        .with_body(format!(r#"{{"server": {WEB}}}"#))
        .expect(2)
        .create_async()
        .await;
    let driver = driver(&server);
    let typed: &ExampleCloudDriver = driver.downcast_ref().unwrap();
    assert_eq!(typed.ex_rename_node(&Node::from_id("7"), "web").await.unwrap().name, "web");
    let answer = driver.call("ex_rename_node", json!({"node": "7", "name": "web"})).await.unwrap();
    assert_eq!(answer["state"], "running");
    mock.assert_async().await;
}

#[tokio::test]
async fn the_capabilities_are_true() {
    let server = Server::new_async().await;
    let driver = driver(&server);
    for method in libcloud_compute::COMPUTE_METHODS.iter().map(Method::info) {
        let args = method
            .args
            .iter()
            .filter(|arg| arg.required)
            .map(|arg| (arg.name.to_owned(), if arg.ty == "integer" { json!(1) } else { json!("7") }));
        let answer = driver.call(method.name, json!(args.collect::<libcloud_common::Map<_, _>>())).await;
        let refused = answer.is_err_and(|error| error.kind() == ErrorKind::NotSupported);
        assert_eq!(refused, driver.capabilities().of(method.name) != Support::Supported, "{}", method.name);
    }
}

#[test]
fn a_token_is_needed_and_options_are_refused() {
    let error = ExampleCloudDriver::new(Config::anonymous()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidCredentials);
    let error = ExampleCloudDriver::new(Config::with_key("t").option("speed", "high")).unwrap_err();
    assert!(error.to_string().contains("`speed`"), "{error}");
}
