//! The program on EC2, against a moto server that verifies signatures.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

use std::env::var;

use assert_cmd::Command;
use serde_json::Value;

fn libcloud(secret: &str) -> Command {
    let mut command = Command::cargo_bin("libcloud").unwrap();
    let home = std::env::temp_dir();
    command
        .env_clear()
        .env("HOME", &home)
        .env("LIBCLOUD_PROVIDER", "ec2")
        .env("LIBCLOUD_KEY", var("MOTO_ACCESS_KEY").unwrap())
        .env("LIBCLOUD_SECRET", secret)
        .env("LIBCLOUD_REGION", var("MOTO_REGION").unwrap())
        .env("LIBCLOUD_ENDPOINT", var("MOTO_ENDPOINT").unwrap())
        .args(["--format", "json"]);
    command
}

fn json(args: &[&str]) -> Value {
    let output = libcloud(&var("MOTO_SECRET_KEY").unwrap()).args(args).assert().success();
    serde_json::from_slice(&output.get_output().stdout).unwrap()
}

#[test]
fn a_node_from_nothing_to_nothing() {
    let zone = json(&["compute", "locations", "list"])[0]["id"].as_str().unwrap().to_owned();
    assert!(
        json(&["compute", "sizes", "list"]).as_array().unwrap().iter().any(|size| size["id"] == "m1.small")
    );
    let image = json(&["compute", "images", "list"])[0]["id"].as_str().unwrap().to_owned();

    let command =
        ["compute", "nodes", "create", "--name", "from the program", "--size", "m1.small", "--image", &image];
    let made = json(&[&command[..], &["--location", &zone, "--ex", r#"metadata={"team":"web"}"#]].concat());
    let id = made["id"].as_str().unwrap();
    assert_eq!((&made["name"], &made["extra"]["tags"]["team"]), (&"from the program".into(), &"web".into()));

    let ready = json(&["compute", "nodes", "wait", id, "--period", "0.1", "--limit", "60"]);
    assert_eq!((&ready[0]["id"], &ready[0]["state"]), (&made["id"], &"running".into()));
    assert_eq!(json(&["compute", "nodes", "reboot", id]), true);
    let by_name =
        json(&["call", "compute", "list_nodes", "--args", &format!(r#"{{"ex_node_ids": ["{id}"]}}"#)]);
    assert_eq!(by_name.as_array().unwrap().len(), 1);
    assert_eq!(
        json(&[
            "call",
            "compute",
            "ex_create_tags",
            "--args",
            &format!(r#"{{"resource": "{id}", "tags": {{"a": "b"}}}}"#)
        ]),
        true
    );
    let shown = json(&["compute", "nodes", "show", id]);
    assert_eq!(shown["extra"]["tags"]["a"], "b");

    assert_eq!(json(&["compute", "nodes", "destroy", id, "--yes"]), true);
    let state = json(&["compute", "nodes", "show", id])["state"].clone();
    assert!(state == "terminated" || state == "unknown", "{state}");
}

#[test]
fn wrong_credentials_and_missing_nodes_have_their_exit_status() {
    let refused = libcloud("wrong").args(["compute", "nodes", "list"]).assert();
    if var("MOTO_AUTH").as_deref() == Ok("on") {
        let refused = refused.code(3);
        let error = String::from_utf8_lossy(&refused.get_output().stderr).into_owned();
        assert!(error.contains(r#""kind":"invalid_credentials""#), "{error}");
        assert!(refused.get_output().stdout.is_empty());
    }
    let secret = var("MOTO_SECRET_KEY").unwrap();
    libcloud(&secret).args(["compute", "nodes", "reboot", "i-00000000000000000"]).assert().code(4);
}
