//! The program with this driver in it.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::process::{Command, Output};

use libcloud_common::Value;
use mockito::Server;

/// Runs the program without anything of the user's: neither variables nor a configuration file.
fn run(arguments: &[&str]) -> Output {
    let home = env!("CARGO_TARGET_TMPDIR");
    Command::new(env!("CARGO_BIN_EXE_examplecloud"))
        .args(arguments)
        .env_clear()
        .env("HOME", home)
        .env("LIBCLOUD_KEY", "canary-token")
        .output()
        .unwrap()
}

fn json(output: &Output) -> Value {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    libcloud_common::json::decode(&output.stdout).unwrap()
}

#[test]
fn nodes_are_listed() {
    let mut server = Server::new();
    let mock = server
        .mock("GET", "/v1/servers?page=1&per_page=100")
        .match_header("authorization", "Bearer canary-token")
        .with_body(
            r#"{"servers": [{"id": 7, "name": "web", "status": "on", "plan": "small", "addresses": []}],
                "next_page": null}"#,
        )
        .expect(1)
        .create();
    let url = server.url();
    let output = run(&[
        "--provider",
        "examplecloud",
        "--endpoint",
        &url,
        "compute",
        "nodes",
        "list",
        "--format",
        "json",
    ]);
    mock.assert();
    let nodes = json(&output);
    assert_eq!((&nodes[0]["id"], &nodes[0]["state"]), (&"7".into(), &"running".into()));
    assert_eq!(nodes[0]["size"]["id"], "small");
}

#[test]
fn an_extension_is_called_by_name() {
    let mut server = Server::new();
    let body = r#"{"server": {"id": 7, "name": "db", "status": "on", "plan": "small", "addresses": []}}"#;
    let mock = server.mock("PUT", "/v1/servers/7/name").with_body(body).expect(1).create();
    let url = server.url();
    let arguments = r#"{"node": 7, "name": "db"}"#;
    let output = run(&[
        "--provider",
        "examplecloud",
        "--endpoint",
        &url,
        "call",
        "compute",
        "ex_rename_node",
        "--args",
        arguments,
    ]);
    mock.assert();
    assert_eq!(json(&output)["name"], "db");
}

#[test]
fn a_node_that_is_not_there_is_told_by_the_exit_status() {
    let mut server = Server::new();
    let body = r#"{"error": {"code": "no_server", "message": "there is no server 9"}}"#;
    let mock = server.mock("GET", "/v1/servers/9").with_status(404).with_body(body).expect(1).create();
    let url = server.url();
    let output = run(&["--provider", "examplecloud", "--endpoint", &url, "compute", "nodes", "show", "9"]);
    mock.assert();
    assert_eq!(output.status.code(), Some(4));
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(told, "error: examplecloud GetServer: there is no server 9 (no_server)\n");
}

#[test]
fn the_driver_stands_among_the_others() {
    let providers = json(&run(&["--format", "json", "providers", "list", "compute"]));
    let ours =
        providers.as_array().unwrap().iter().find(|provider| provider["id"] == "examplecloud").unwrap();
    assert_eq!((&ours["name"], &ours["compiled_in"]), (&"Example Cloud".into(), &true.into()));
    assert!(providers.as_array().unwrap().iter().any(|provider| provider["id"] == "dummy"));
}

/// A name that libcloud uses one day would take the place of this one.
#[test]
fn the_id_is_not_in_the_catalogue() {
    for service in libcloud::catalogue::Service::ALL {
        assert!(libcloud::catalogue::find(service, "examplecloud").is_err(), "{service}");
    }
}
