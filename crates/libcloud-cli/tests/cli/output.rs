//! Formats, help, statuses and the rest that holds for every command.

use std::io::Read as _;
use std::process::{Command, Stdio};

use predicates::prelude::*;
use serde_json::{Value, json};

use crate::{Home, arg};

#[test]
fn each_format_writes_the_same() {
    let home = Home::new();
    let list = ["compute", "locations", "list"];
    let text = |format| home.text(&[&list[..], &["--format", format]].concat());
    assert_eq!(
        text("table"),
        "ID  NAME               COUNTRY\n1   Paul's Room        US\n2   London Loft        GB\n\
         3   Island Datacenter  FJ\n"
    );
    assert_eq!(text("csv"), "id,name,country\n1,Paul's Room,US\n2,London Loft,GB\n3,Island Datacenter,FJ\n");
    let lines: Vec<Value> = text("jsonl").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(home.json(&list), Value::from(lines));
    // The attributes have the original's names; ids are texts.
    assert_eq!(home.json(&list)[0], json!({"id": "1", "name": "Paul's Room", "country": "US", "extra": {}}));
}

#[test]
fn cells_of_csv_are_quoted() {
    let home = Home::new();
    let name = "a, \"b\"";
    home.json(&["compute", "volumes", "create", "--size", "1", "--name", name]);
    let csv = home.text(&["compute", "volumes", "list", "--format", "csv"]);
    assert!(csv.contains(r#","a, ""b""","#), "{csv}");
}

#[test]
fn failures_have_a_status_a_class_and_one_line() {
    let home = Home::new();
    let exists = ["storage", "containers", "create", "box"];
    home.libcloud(&exists).assert().success();
    for (status, args, expected) in [
        (2, &["compute", "nodes", "show"][..], "Usage"),
        (2, &["--provider", "dumy", "compute", "nodes", "list"], "dummy"),
        (3, &["--provider", "s3", "storage", "ls"], "AWS_ACCESS_KEY_ID"),
        (4, &["compute", "nodes", "show", "77"], "error: node `77` does not exist\n"),
        (5, &exists, "error: container `box` exists already\n"),
        (7, &["--provider", "digitalocean", "compute", "nodes", "list"], "digitalocean"),
    ] {
        let error = home.fails(status, args);
        assert!(error.contains(expected), "{args:?}: {error}");
    }
    let told = home.fails(4, &["compute", "nodes", "show", "77", "--format", "json"]);
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!((&told["error"]["kind"], &told["error"]["id"]), (&json!("not_found"), &json!("77")));
}

#[test]
fn providers_are_listed_shown_and_compared() {
    let home = Home::new();
    let listed = home.json(&["providers", "list", "compute"]);
    let ids: Vec<_> = listed.as_array().unwrap().iter().map(|entry| entry["id"].clone()).collect();
    assert!(ids.contains(&json!("dummy")) && ids.contains(&json!("ec2")), "{ids:?}");
    let all = home.json(&["providers", "list", "compute", "--all"]);
    assert!(all.as_array().unwrap().len() > ids.len());
    let shown = home.json(&["providers", "show", "compute", "dummy"]);
    assert_eq!(shown["options"][0]["name"], "state_file");
    let matrix = home.json(&["providers", "matrix"]);
    let services: Vec<_> = matrix.as_array().unwrap().iter().map(|entry| entry["service"].clone()).collect();
    assert_eq!(services, ["compute", "storage", "loadbalancer", "dns"]);
    let dns = home.json(&["providers", "matrix", "dns"]);
    assert_eq!(dns["drivers"]["dummy"]["create_zone"]["support"], "supported");
    assert!(home.text(&["providers", "matrix", "dns"]).contains("create_zone"));
    assert!(home.text(&["providers", "matrix", "dns", "--format", "csv"]).starts_with("dns,"));
}

#[test]
fn help_fits_and_completions_and_manuals_are_made() {
    let home = Home::new();
    let help = home.text(&["--help"]);
    for command in ["compute", "storage", "lb", "dns", "pricing", "call", "providers", "config", "demo"] {
        assert!(help.contains(&format!("\n  {command}")), "{command}: {help}");
    }
    assert!(!help.contains("completions"));
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        assert!(home.text(&["completions", shell]).contains("libcloud"), "{shell}");
    }
    let folder = home.path("man");
    home.libcloud(&["man", arg(&folder)]).assert().success().stdout("");
    for page in ["libcloud.1", "libcloud-storage-cp.1"] {
        let text = std::fs::read_to_string(folder.join(page)).unwrap();
        assert!(text.contains(".SH NAME"), "{page}");
    }
}

#[test]
fn verbose_tells_on_standard_error_and_never_elsewhere() {
    let home = Home::new();
    let args = ["--format", "json", "-vvv", "compute", "nodes", "list"];
    let assert = home.libcloud(&args).assert().success();
    assert!(serde_json::from_slice::<Value>(&assert.get_output().stdout).is_ok());
}

#[test]
fn credentials_of_the_environment_are_not_in_help() {
    let home = Home::new();
    let mut command = home.libcloud(&["--help"]);
    command.env("LIBCLOUD_SECRET", "canary").env("LIBCLOUD_KEY", "canary");
    command.assert().success().stdout(predicate::str::contains("canary").not());
}

#[cfg(unix)]
#[test]
fn a_closed_pipe_ends_the_program_quietly() {
    let home = Home::new();
    let text = "line\n".repeat(1 << 18);
    let file = home.file("big.txt", &text);
    home.libcloud(&["storage", "containers", "create", "box"]).assert().success();
    home.libcloud(&["storage", "cp", arg(&file), "box/big.txt"]).assert().success();
    let completions = ["completions", "zsh"];
    for args in [&["storage", "cat", "box/big.txt"][..], &completions, &["call", "compute"]] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_libcloud"))
            .args(args)
            .env("XDG_STATE_HOME", home.path("state"))
            .env("XDG_CONFIG_HOME", home.path("config"))
            .env("LIBCLOUD_PROVIDER", "dummy")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // Nobody reads any more, long before all is written.
        drop(child.stdout.take());
        let mut told = String::new();
        child.stderr.take().unwrap().read_to_string(&mut told).unwrap();
        assert_eq!((told.as_str(), child.wait().unwrap().code()), ("", Some(0)), "{args:?}");
    }
}

#[test]
fn the_debug_log_has_the_calls_and_not_the_secret() {
    let home = Home::new();
    let log = home.path("debug.log");
    let args =
        ["--provider", "ec2", "--key", "canary-key", "--endpoint", "http://127.0.0.1:1", "--retries", "0"];
    home.bare()
        .args(args)
        .args(["--debug", arg(&log), "compute", "nodes", "list"])
        .env("LIBCLOUD_SECRET", "canary-secret")
        .assert()
        .code(6);
    let text = std::fs::read_to_string(&log).unwrap();
    assert!(
        text.contains("curl -i --path-as-is -X POST") && text.contains("Action=DescribeInstances"),
        "{text}"
    );
    assert!(text.contains("# none: cannot connect"), "{text}");
    assert!(!text.contains("canary"), "{text}");
}
