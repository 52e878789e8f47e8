//! The program on EC2, against a moto server that verifies signatures.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

use std::env::var;

use assert_cmd::Command;
use serde_json::{Value, json};

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

/// Calls a method by its name.
fn call(method: &str, arguments: Value) -> Value {
    json(&["call", "compute", method, "--args", &arguments.to_string()])
}

fn id(resource: &Value) -> &str {
    resource["id"].as_str().unwrap()
}

#[test]
fn everything_that_a_node_stands_on_is_made_and_undone() {
    let zone = json(&["compute", "locations", "list"])[0]["id"].as_str().unwrap().to_owned();
    let image = json(&["compute", "images", "list"])[0]["id"].as_str().unwrap().to_owned();
    let key_pair = call("create_key_pair", json!({"name": "script"}));
    assert!(key_pair["private_key"].as_str().unwrap().contains("PRIVATE KEY"), "the key is told once");

    let group = call("ex_create_security_group", json!({"name": "script", "description": "of a script"}));
    let ssh = json!({"id": id(&group), "from_port": 22, "to_port": 22, "cidr_ips": ["192.0.2.0/24"]});
    for _ in 0..2 {
        // What is let through already is let through.
        assert_eq!(call("ex_authorize_security_group_ingress", ssh.clone()), true);
    }
    let rules = call("ex_get_security_groups", json!({"group_ids": id(&group)}));
    assert_eq!(rules[0]["ingress_rules"][0]["cidr_ips"], json!(["192.0.2.0/24"]));
    assert_eq!(call("ex_revoke_security_group_ingress", ssh), true);

    let disks = r#"blockdevicemappings=[{"DeviceName": "/dev/sdb", "Ebs": {"VolumeSize": 8}}]"#;
    let groups = format!("security_group_ids={}", id(&group));
    let create = ["compute", "nodes", "create", "--name", "script", "--size", "m1.small", "--image", &image];
    let placed = ["--location", &zone, "--ex", "keyname=script", "--ex", "userdata=#!/bin/sh"];
    let more = ["--ex", disks, "--ex", &groups, "--ex", r#"metadata={"team": "web"}"#];
    let made = json(&[&create[..], &placed, &more].concat());
    let node = id(&made);
    json(&["compute", "nodes", "wait", node, "--period", "0.1", "--limit", "60"]);
    let shown = json(&["compute", "nodes", "show", node]);
    assert_eq!(
        (&shown["extra"]["keyname"], &shown["extra"]["tags"]["team"]),
        (&"script".into(), &"web".into())
    );
    assert_eq!(shown["extra"]["group_ids"], json!([id(&group)]));
    let devices = shown["extra"]["block_device_mapping"].as_array().unwrap();
    assert!(devices.iter().any(|device| device["device_name"] == "/dev/sdb"), "{devices:?}");

    let volume =
        json(&["compute", "volumes", "create", "--name", "script", "--size", "20", "--location", &zone]);
    assert_eq!(json(&["compute", "volumes", "attach", id(&volume), "--node", node]), true);
    let attached = call("list_volumes", json!({"ex_node": node}));
    let attached: Vec<_> =
        attached.as_array().unwrap().iter().filter(|found| id(found) == id(&volume)).collect();
    assert_eq!(
        (&attached[0]["state"], &attached[0]["extra"]["device"]),
        (&"inuse".into(), &"/dev/sdf".into())
    );
    let snapshot = json(&["compute", "snapshots", "create", "--volume", id(&volume), "--name", "script"]);
    assert_eq!(json(&["compute", "snapshots", "list", "--volume", id(&volume)])[0]["id"], snapshot["id"]);

    let address = call("ex_allocate_address", json!({"domain": "vpc"}));
    let association = call("ex_associate_address_with_node", json!({"node": node, "elastic_ip": address}));
    assert!(association.as_str().unwrap().starts_with("eipassoc-"), "{association}");
    let shown = json(&["compute", "nodes", "show", node]);
    assert!(shown["public_ips"].as_array().unwrap().contains(&address["ip"]), "{shown}");
    let addresses = call("ex_describe_all_addresses", json!({"only_associated": true}));
    let of_node = addresses.as_array().unwrap().iter().find(|found| found["instance_id"] == node).unwrap();
    assert_eq!(call("ex_disassociate_address", json!({"elastic_ip": of_node})), true);
    assert_eq!(call("ex_release_address", json!({"elastic_ip": of_node})), true);

    assert_eq!(json(&["compute", "nodes", "stop", node]), true);
    assert_eq!(call("ex_change_node_size", json!({"node": node, "new_size": "m1.large"})), true);
    assert_eq!(json(&["compute", "nodes", "show", node])["extra"]["instancetype"], "m1.large");
    assert_eq!(json(&["compute", "nodes", "start", node]), true);

    let golden = json(&["compute", "images", "create", "--node", node, "--name", "script"]);
    assert_eq!(json(&["compute", "images", "show", id(&golden)])["name"], "script");
    assert_eq!(json(&["compute", "images", "delete", id(&golden), "--yes"]), true);

    assert_eq!(call("detach_volume", json!({"volume": id(&volume), "ex_node": node})), true);
    assert_eq!(json(&["compute", "snapshots", "destroy", id(&snapshot), "--yes"]), true);
    assert_eq!(json(&["compute", "volumes", "destroy", id(&volume), "--yes"]), true);
    assert_eq!(json(&["compute", "nodes", "destroy", node, "--yes"]), true);
    assert_eq!(call("ex_delete_security_group_by_id", json!({"group_id": id(&group)})), true);
    assert_eq!(call("delete_key_pair", json!({"key_pair": "script"})), true);
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
