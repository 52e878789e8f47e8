//! Prices.

use serde_json::json;

use crate::Home;

#[test]
fn a_size_has_a_price_an_hour_and_a_month() {
    let home = Home::new();
    let price = home.json(&["pricing", "get", "compute", "ec2", "m1.small"]);
    let expected = json!({"size": "m1.small", "per_hour": 0.065, "per_month": 47.45, "currency": "USD"});
    assert_eq!(price, expected);
    // The same table by its own name; another by the region.
    assert_eq!(home.json(&["pricing", "get", "compute", "ec2_us_east", "m1.small"]), expected);
    let ireland = home.json(&["pricing", "get", "compute", "ec2", "m1.small", "--region", "eu-west-1"]);
    assert_ne!(ireland["per_hour"], price["per_hour"]);
    assert!(home.fails(4, &["pricing", "get", "compute", "ec2", "m0"]).contains("m0"));
    assert!(home.fails(4, &["pricing", "list", "compute", "nobody"]).contains("nobody"));
}

#[test]
fn a_table_is_listed_whole() {
    let home = Home::new();
    assert_eq!(home.json(&["pricing", "get", "compute", "dummy"]), json!({"1": 4, "2": 8, "3": 32, "4": 64}));
    let listed = home.json(&["pricing", "list", "compute", "dummy"]);
    assert_eq!((listed.as_array().unwrap().len(), &listed[3]["per_month"]), (4, &json!(46720)));
    let csv = home.text(&["pricing", "list", "compute", "dummy", "--format", "csv"]);
    assert!(csv.starts_with("size,per hour,per month,currency\n1,4,2920,USD\n"), "{csv}");
}

#[test]
fn an_estimate_counts_what_runs_and_tells_what_it_cannot_count() {
    let home = Home::new();
    for (name, size) in [("a", "1"), ("b", "2")] {
        home.json(&["compute", "nodes", "create", "--name", name, "--size", size, "--image", "1"]);
    }
    home.libcloud(&["compute", "nodes", "stop", "4"]).assert().success();
    let estimate = home.json(&["pricing", "estimate"]);
    // Nodes 1 and 2 have no size, and 4 does not run.
    assert_eq!(estimate["unknown"], json!(["1", "2"]));
    assert_eq!((&estimate["per_hour"], &estimate["per_month"]), (&json!(4), &json!(2920)));
    let assert = home.libcloud(&["pricing", "estimate"]).assert().success();
    let assert = assert.stderr("warning: not counted, as their price is not known: 1, 2\n");
    let table = String::from_utf8(assert.get_output().stdout.clone()).unwrap();
    assert!(table.ends_with("\n4 an hour, 2920 a month\n"), "{table}");
}
