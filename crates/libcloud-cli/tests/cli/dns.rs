//! Zones and records.

use serde_json::json;

use crate::{Home, arg};

#[test]
fn a_zone_with_records_is_made_changed_exported_and_deleted() {
    let home = Home::new();
    let zone = home.json(&["dns", "zones", "create", "example.com", "--ttl", "900"]);
    let zone = zone["id"].as_str().unwrap();
    assert_eq!(home.json(&["dns", "zones", "show", zone])["type"], "master");
    assert_eq!(home.json(&["dns", "zones", "update", zone, "--ttl", "600"])["ttl"], 600);
    assert_eq!(home.json(&["dns", "zones", "list"])[0]["domain"], "example.com");

    let create = |args: &[&str]| home.json(&[&["dns", "records", "create", zone], args].concat());
    let www = create(&["www", "A", "192.0.2.1"]);
    assert_eq!(create(&["@", "MX", "mx.example.com.", "--priority", "10"])["extra"]["priority"], 10);
    let www = www["id"].as_str().unwrap();
    assert_eq!(home.json(&["dns", "records", "show", zone, www])["data"], "192.0.2.1");
    let changed = home.json(&["dns", "records", "update", zone, www, "--data", "192.0.2.2"]);
    assert_eq!((&changed["name"], &changed["data"]), (&json!("www"), &json!("192.0.2.2")));

    let exported = home.text(&["dns", "zones", "export", zone]);
    assert!(exported.contains("www.example.com.\t600\tIN\tA\t192.0.2.2\n"), "{exported}");
    let file = home.path("zone");
    home.libcloud(&["dns", "zones", "export", zone, "-o", arg(&file)]).assert().success().stdout("");
    assert!(std::fs::read_to_string(&file).unwrap().contains("\tMX\t10\tmx.example.com.\n"));

    home.libcloud(&["dns", "records", "delete", zone, www, "--yes"]).assert().success();
    assert_eq!(home.json(&["dns", "records", "list", zone]).as_array().unwrap().len(), 1);
    home.libcloud(&["dns", "zones", "delete", zone, "--yes"]).assert().success();
    assert!(home.fails(4, &["dns", "records", "list", zone]).contains(zone));
}

#[test]
fn types_of_records_are_listed() {
    let types = Home::new().json(&["dns", "types", "list"]);
    assert!(types.as_array().unwrap().contains(&json!({"type": "AAAA"})), "{types}");
}
