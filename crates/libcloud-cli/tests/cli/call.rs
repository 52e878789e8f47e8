//! Any method by its name.

use serde_json::json;

use crate::Home;

#[test]
fn a_method_is_called_by_name() {
    let home = Home::new();
    assert_eq!(home.json(&["call", "compute", "list_nodes"])[0]["id"], "1");
    let args = r#"{"node": "1", "state": "error"}"#;
    assert_eq!(home.json(&["call", "compute", "ex_set_node_state", "--args", args])["state"], "error");
    let output = home
        .libcloud(&["call", "compute", "get_node", "--args", "-"])
        .write_stdin(r#"{"node_id": "2"}"#)
        .assert()
        .success();
    assert!(String::from_utf8_lossy(&output.get_output().stdout).contains("\"dummy-2\""));
}

#[test]
fn wrong_calls_are_explained() {
    let home = Home::new();
    for (args, expected) in [
        (&["call", "compute", "list_node"][..], "list_nodes"),
        (&["call", "compute", "list_node", "--help"], "list_nodes"),
        (&["call", "compute", "get_node"], "node_id"),
        (&["call", "compute", "get_node", "--args", r#"{"node_id": "1", "colour": 1}"#], "colour"),
        (&["call", "compute", "get_node", "--args", r#"{"node_id": []}"#], "node_id"),
        (&["call", "compute", "get_node", "--args", "{"], "--args is not JSON"),
        (&["call", "cpu", "list_nodes"], "cpu"),
    ] {
        let error = home.fails(2, args);
        assert!(error.contains(expected), "{args:?}: {error}");
    }
}

#[test]
fn methods_and_their_arguments_are_told() {
    let home = Home::new();
    let help = home.text(&["call", "compute", "create_volume", "--help"]);
    assert!(help.contains("size") && help.contains("snapshot"), "{help}");
    let methods = home.json(&["call", "lb"]);
    let names: Vec<_> = methods.as_array().unwrap().iter().map(|method| method["name"].clone()).collect();
    assert!(names.contains(&json!("balancer_attach_member")), "{names:?}");
}

#[test]
fn a_dry_run_reads_and_changes_nothing() {
    let home = Home::new();
    let dry = |method, args| home.json(&["call", "compute", method, "--args", args, "--dry-run"]);
    assert_eq!(dry("destroy_node", r#"{"node": "1"}"#)["would_call"], "destroy_node");
    assert_eq!(dry("get_node", r#"{"node_id": "1"}"#)["id"], "1");
}
