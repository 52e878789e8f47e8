//! The demonstration.

use std::time::Duration;

use serde_json::json;

use crate::Home;

#[test]
fn it_shows_every_service_and_leaves_nothing() {
    let home = Home::new();
    // A tenth of this is enough where nothing else runs.
    let assert = home.libcloud(&["demo"]).timeout(Duration::from_secs(20)).assert().success().stderr("");
    let shown = String::from_utf8(assert.get_output().stdout.clone()).unwrap();
    for heading in ["Servers", "Volumes", "Object storage", "DNS", "Load balancing", "Prices", "Cleaning up"]
    {
        assert!(shown.contains(&format!("\n{heading}\n")), "{heading}: {shown}");
    }
    // Nobody sees colours here.
    assert!(!shown.contains('\x1b'));
    assert!(shown.contains("\tIN\tMX\t10\tmail.example.com.\n"), "{shown}");
    assert!(!home.path("state").exists());
}

#[test]
fn programs_get_a_summary() {
    let summary = Home::new().json(&["demo"]);
    assert_eq!(summary["nodes"], json!(["web-1", "web-2", "db-1"]));
    assert_eq!(summary["storage"]["bytes_verified"], 1 << 20);
    assert_eq!(summary["zone"]["records"], 7);
    assert_eq!(summary["prices"][1]["per_hour"], 0.044);
    assert_eq!(summary["cleaned_up"], true);
}
