//! Load balancers.

use serde_json::json;

use crate::Home;

#[test]
fn a_balancer_is_made_changed_shown_and_destroyed() {
    let home = Home::new();
    let create = ["lb", "balancers", "create", "--name", "web", "--port", "80", "--protocol"];
    let made = home.json(&[&create[..], &["http", "--algorithm", "random"]].concat());
    let id = made["id"].as_str().unwrap();
    assert_eq!(made["extra"]["algorithm"], "random");
    assert_eq!(home.json(&["lb", "balancers", "update", id, "--port", "8080"])["port"], 8080);
    assert_eq!(home.json(&["lb", "balancers", "show", id])["port"], 8080);
    let error = home.fails(2, &[&create[..], &["gopher"]].concat());
    assert!(error.contains("gopher"), "{error}");
    assert_eq!(home.json(&["lb", "balancers", "list"]).as_array().unwrap().len(), 1);
    home.libcloud(&["lb", "balancers", "destroy", id, "--yes"]).assert().success();
    home.fails(4, &["lb", "balancers", "show", id]);
}

#[test]
fn members_are_nodes_or_addresses() {
    let home = Home::new();
    let create = ["lb", "balancers", "create", "--name", "web", "--port", "80", "--protocol", "http"];
    let made = home.json(&[&create[..], &["--member", "10.0.0.1:8080"]].concat());
    let id = made["id"].as_str().unwrap();
    let attach = ["lb", "members", "attach", id];
    let node = home.json(&[&attach[..], &["--node", "1"]].concat());
    assert_eq!((&node["id"], &node["port"]), (&json!("1"), &json!(80)));
    home.json(&[&attach[..], &["--at", "[2001:db8::1]:81"]].concat());
    let members = home.json(&["lb", "members", "list", id]);
    let ips: Vec<_> = members.as_array().unwrap().iter().map(|member| member["ip"].clone()).collect();
    assert_eq!(ips, [json!("10.0.0.1"), node["ip"].clone(), json!("2001:db8::1")]);

    home.libcloud(&["lb", "members", "detach", id, "10.0.0.1:8080"]).assert().success();
    home.libcloud(&["lb", "members", "detach", id, "2001:db8::1"]).assert().success();
    assert!(home.fails(4, &["lb", "members", "detach", id, "10.0.0.1"]).contains("member `10.0.0.1`"));
    assert_eq!(home.json(&["lb", "members", "list", id]).as_array().unwrap().len(), 1);
    home.fails(4, &[&attach[..], &["--node", "99"]].concat());
    home.fails(2, &attach);
    home.fails(2, &[&attach[..], &["--at", "10.0.0.1"]].concat());
}

#[test]
fn protocols_and_algorithms_are_listed() {
    let home = Home::new();
    assert!(home.text(&["lb", "protocols", "list"]).contains("http"));
    assert!(home.text(&["loadbalancer", "algorithms", "list"]).contains("round_robin"));
}
