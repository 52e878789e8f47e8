//! Servers, volumes, images and keys.

use serde_json::json;

use crate::{Home, arg};

#[test]
fn a_node_is_made_listed_shown_stopped_started_rebooted_and_destroyed() {
    let home = Home::new();
    let create = ["compute", "nodes", "create", "--name", "web", "--size", "1", "--image", "1"];
    let made = home.json(&create);
    assert_eq!((&made["id"], &made["name"], &made["state"]), (&json!("3"), &json!("web"), &json!("running")));
    assert_eq!(home.nodes(), ["1", "2", "3"]);
    assert_eq!(home.json(&["compute", "nodes", "show", "3"])["size"]["name"], "Small");

    home.libcloud(&["compute", "nodes", "stop", "3"]).assert().success().stdout("3 stops\n");
    assert_eq!(home.json(&["compute", "nodes", "show", "3"])["state"], "stopped");
    home.libcloud(&["compute", "nodes", "start", "3"]).assert().success();
    assert_eq!(home.json(&["compute", "nodes", "reboot", "3"]), json!(true));
    assert_eq!(home.json(&["compute", "nodes", "destroy", "3", "--yes"]), json!(true));
    assert_eq!(home.nodes(), ["1", "2"]);
}

#[test]
fn waiting_gives_the_nodes_that_run() {
    let home = Home::new();
    let create = ["compute", "nodes", "create", "--name", "web", "--size", "1", "--image", "1"];
    assert_eq!(home.json(&[&create[..], &["--ex", "boot_polls=1"]].concat())["state"], "pending");
    let waited = home.json(&["compute", "nodes", "wait", "3", "--period", "0.01", "--limit", "10"]);
    assert_eq!((&waited[0]["id"], &waited[0]["state"]), (&json!("3"), &json!("running")));
    let error = home.fails(2, &["compute", "nodes", "wait", "3", "--period=-1"]);
    assert!(error.contains("-1 is no number of seconds"), "{error}");
}

#[test]
fn an_extension_argument_reaches_the_driver_and_an_unknown_one_is_refused() {
    let home = Home::new();
    let create = ["compute", "nodes", "create", "--name", "web", "--size", "1", "--image", "1", "--ex"];
    let made = home.json(&[&create[..], &[r#"metadata={"team":"a"}"#]].concat());
    assert_eq!(made["extra"]["team"], "a");
    let error = home.fails(2, &[&create[..], &["colour=red"]].concat());
    assert!(error.contains("ex_colour") && error.contains("ex_metadata"), "{error}");
}

#[test]
fn destroying_several_goes_on_after_a_failure_and_tells_it() {
    let home = Home::new();
    let assert = home.libcloud(&["compute", "nodes", "destroy", "1", "77", "2", "--yes"]).assert().code(8);
    let assert = assert.stdout("1 is destroyed\n2 is destroyed\n");
    assert_eq!(crate::stderr(&assert), "error: node `77` does not exist\n");
    assert!(home.nodes().is_empty());
    let assert =
        home.libcloud(&["--format", "json", "compute", "nodes", "destroy", "8", "9", "-y"]).assert().code(8);
    assert.stdout("false\n");
}

#[test]
fn destroying_needs_a_yes_where_nobody_can_be_asked() {
    let home = Home::new();
    for args in [
        &["compute", "nodes", "destroy", "1"][..],
        &["compute", "volumes", "destroy", "1"],
        &["compute", "snapshots", "destroy", "1"],
        &["compute", "images", "delete", "1"],
        &["compute", "keys", "delete", "me"],
        &["dns", "zones", "delete", "1"],
        &["dns", "records", "delete", "1", "1"],
        &["lb", "balancers", "destroy", "1"],
        &["storage", "containers", "delete", "box"],
        &["storage", "objects", "delete", "box/a"],
        &["storage", "rm", "box/a"],
    ] {
        let error = home.fails(2, args);
        assert!(error.contains("say --yes"), "{args:?}: {error}");
    }
    assert_eq!(home.nodes(), ["1", "2"]);
}

#[test]
fn a_dry_run_changes_nothing_and_shows_the_call() {
    let home = Home::new();
    let shown = home.json(&["compute", "nodes", "destroy", "1", "--dry-run"]);
    assert_eq!(shown, json!({"would_call": "destroy_node", "args": {"node": "1"}}));
    let shown = home.json(&["compute", "nodes", "destroy", "1", "2", "--dry-run"]);
    assert_eq!(shown[1]["args"], json!({"node": "2"}));
    let create = ["compute", "nodes", "create", "--name", "web", "--size", "1", "--image", "1", "--dry-run"];
    assert_eq!(home.json(&create)["would_call"], "create_node");
    assert_eq!(home.nodes(), ["1", "2"]);
}

#[test]
fn sizes_images_and_locations() {
    let home = Home::new();
    assert_eq!(home.json(&["compute", "sizes", "list"])[0]["price"], 4);
    assert_eq!(home.json(&["compute", "sizes", "list", "--location", "1"])[0]["name"], "Small");
    assert_eq!(home.json(&["compute", "locations", "list"])[1]["country"], "GB");
    assert_eq!(home.json(&["compute", "images", "list"])[0]["name"], "Ubuntu 9.10");
    let made = home.json(&["compute", "images", "create", "--node", "1", "--name", "mine"]);
    let id = made["id"].as_str().unwrap();
    assert_eq!(home.json(&["compute", "images", "show", id])["name"], "mine");
    assert_eq!(home.json(&["compute", "images", "delete", id, "--yes"]), json!(true));
    assert!(home.fails(4, &["compute", "images", "show", id]).contains(id));
}

#[test]
fn volumes_and_snapshots() {
    let home = Home::new();
    let made = home.json(&["compute", "volumes", "create", "--size", "10", "--name", "data"]);
    let id = made["id"].as_str().unwrap();
    home.libcloud(&["compute", "volumes", "attach", id, "--node", "1", "--device", "/dev/sdb"])
        .assert()
        .success()
        .stdout(format!("{id} is attached to 1\n"));
    assert_eq!(home.json(&["compute", "volumes", "list"])[0]["extra"]["device"], "/dev/sdb");
    let refused = home.fails(5, &["compute", "volumes", "destroy", id, "--yes"]);
    assert!(refused.contains("detach it first"), "{refused}");
    home.libcloud(&["compute", "volumes", "detach", id]).assert().success();

    let snapshot = home.json(&["compute", "snapshots", "create", "--volume", id, "--name", "before"]);
    assert_eq!(home.json(&["compute", "snapshots", "list", "--volume", id])[0]["name"], "before");
    let snapshot = snapshot["id"].as_str().unwrap();
    home.libcloud(&["compute", "snapshots", "destroy", snapshot, "--yes"]).assert().success();
    home.libcloud(&["compute", "volumes", "destroy", id, "-y"]).assert().success();
    assert_eq!(home.json(&["compute", "volumes", "list"]), json!([]));
}

#[test]
fn a_private_key_goes_into_a_file_for_its_owner_alone() {
    let home = Home::new();
    let file = home.path("key.pem");
    let made = home.json(&["compute", "keys", "create", "me", "--private-key-file", arg(&file)]);
    assert_eq!(made.get("private_key"), None);
    assert!(std::fs::read_to_string(&file).unwrap().contains("PRIVATE KEY"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }
    // A file that is there is never replaced, and no key is made that nobody would have.
    home.fails(5, &["compute", "keys", "create", "other", "--private-key-file", arg(&file)]);
    assert_eq!(home.json(&["compute", "keys", "list"]).as_array().unwrap().len(), 1);

    let shown = home.json(&["compute", "keys", "show", "me"]);
    let public = home.file("key.pub", shown["public_key"].as_str().unwrap());
    let imported = home.json(&["compute", "keys", "import", "again", arg(&public)]);
    assert_eq!(imported["fingerprint"], shown["fingerprint"]);
    home.libcloud(&["compute", "keys", "delete", "me", "--yes"]).assert().success();
    home.fails(4, &["compute", "keys", "show", "me"]);
}

#[test]
fn secrets_are_in_json_and_never_in_tables() {
    let home = Home::new();
    assert!(home.text(&["compute", "keys", "create", "one"]).contains("•••"));
    assert!(!home.text(&["compute", "keys", "create", "two"]).contains("PRIVATE KEY"));
    let made = home.json(&["compute", "keys", "create", "three"]);
    assert!(made["private_key"].as_str().unwrap().contains("PRIVATE KEY"));

    // Where no way in is asked for, a password is made up.
    let made = home.json(&["compute", "nodes", "create", "--name", "web", "--size", "1", "--image", "1"]);
    let password = made["extra"]["password"].as_str().unwrap();
    let id = made["id"].as_str().unwrap();
    let table = home.text(&["compute", "nodes", "show", id]);
    assert!(table.contains("•••") && !table.contains(password), "{table}");
    assert!(!home.text(&["compute", "nodes", "list"]).contains(password));
}
