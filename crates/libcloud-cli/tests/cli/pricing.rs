//! Prices.

use libcloud_testkit::{Answer, Exchange, Mock};
use serde_json::{Value, json};

use crate::{Home, arg};

/// A price file of the user's own.
const OWN: &str = r#"{"compute": {
    "dummy": {"1": 0.5, "2": 2}, "dummy_volumes": {"GB": 0.0001}, "ec2_eu_west": {"m1.small": 0.01}
}, "updated": 1384455373}"#;

fn with_own_prices() -> Home {
    let home = Home::new();
    home.file(".libcloud/pricing.json", OWN);
    home
}

fn create(home: &Home, name: &str, size: &str) {
    home.json(&["compute", "nodes", "create", "--name", name, "--size", size, "--image", "1"]);
}

#[test]
fn a_size_has_a_price_an_hour_and_a_month_and_an_age() {
    let home = Home::new();
    let price = home.json(&["pricing", "get", "compute", "ec2", "m1.small"]);
    assert_eq!((&price["per_hour"], &price["per_month"]), (&json!(0.044), &json!(32.12)));
    assert_eq!((&price["table"], &price["region"]), (&json!("ec2_linux"), &json!("us-east-1")));
    assert_eq!((&price["currency"], &price["date"]), (&json!("USD"), &json!("2025-03-02")));
    assert!(price["age_days"].as_u64().is_some_and(|days| days > 0), "{price}");
    assert!(price["source"].as_str().is_some_and(|source| source.contains("aws.amazon.com")), "{price}");
    // A region, by an option or by an old constant; another table by its own name.
    let ireland = home.json(&["pricing", "get", "compute", "ec2", "m1.small", "--region", "eu-west-1"]);
    assert_eq!((&ireland["per_hour"], &ireland["region"]), (&json!(0.047), &json!("eu-west-1")));
    assert_eq!(home.json(&["pricing", "get", "compute", "EC2_EU_WEST", "m1.small"]), ireland);
    let windows = ["pricing", "get", "compute", "ec2_windows", "m5.large", "--region", "us-east-1"];
    assert_eq!(home.json(&windows)["per_hour"], 0.188);
    let old = home.json(&["pricing", "get", "compute", "ec2_us_east", "cc1.4xlarge"]);
    assert_eq!((&old["per_hour"], &old["date"]), (&json!(1.3), &json!("2013-11-14")));
    // A month is what DreamHost counts in.
    let dreamhost = home.json(&["pricing", "get", "compute", "dreamhost", "low"]);
    assert_eq!((&dreamhost["price"], &dreamhost["unit"]), (&json!(50), &json!("month")));

    assert!(home.fails(4, &["pricing", "get", "compute", "ec2", "m0"]).contains("m0"));
    let nowhere = ["pricing", "get", "compute", "ec2", "m1.small", "--region", "mars-1"];
    assert!(home.fails(4, &nowhere).contains("mars-1"));
    assert!(home.fails(4, &["pricing", "list", "compute", "nobody"]).contains("nobody"));
    assert!(home.fails(2, &["pricing", "get", "dns", "dummy"]).contains("prices are of compute and storage"));
}

#[test]
fn a_table_is_listed_whole() {
    let home = Home::new();
    assert_eq!(home.json(&["pricing", "get", "compute", "dummy"]), json!({"1": 4, "2": 8, "3": 32, "4": 64}));
    let listed = home.json(&["pricing", "list", "compute", "dummy"]);
    assert_eq!((listed.as_array().unwrap().len(), &listed[3]["per_month"]), (4, &json!(46720)));
    let csv = home.text(&["pricing", "list", "compute", "dummy", "--format", "csv"]);
    assert!(csv.starts_with("size,per hour,per month,currency,date\n1,4,2920,USD,2013-11-14\n"), "{csv}");
    let lines = home.text(&["pricing", "list", "compute", "dummy", "--format", "jsonl"]);
    assert_eq!(lines.lines().count(), 4);
    let chart = home.text(&["pricing", "list", "compute", "dummy", "--chart"]);
    let bars: Vec<usize> = chart.lines().map(|line| line.matches('█').count()).collect();
    assert!(bars == [4, 9, 37, 75], "{chart}");

    // Of a table by region, those of the region.
    let ireland = home.json(&["pricing", "list", "compute", "ec2", "--region", "eu-west-1"]);
    let find = |size: &str| ireland.as_array().unwrap().iter().find(|row| row["size"] == size).cloned();
    assert_eq!(find("m5.large").unwrap()["per_hour"], 0.107);
    let nested = home.json(&["pricing", "list", "compute", "gce_disks"]);
    assert_eq!(
        (&nested[0]["unit"], nested[0]["size"].as_str().unwrap().contains(".on_demand.")),
        (&json!("GB-hour"), true)
    );
}

#[test]
fn the_tables_are_named() {
    let home = with_own_prices();
    let tables = home.json(&["pricing", "list"]);
    let tables = tables.as_array().unwrap();
    let find = |name: &str| tables.iter().find(|table| table["name"] == name).unwrap();
    assert!(tables.len() > 50);
    assert_eq!(
        (&find("ec2_us_east")["region"], &find("ec2_us_east")["date"]),
        (&json!("us-east-1"), &json!("2019-11-13"))
    );
    assert_eq!(find("gandi")["entries"], 5);
    let own = home.path(".libcloud/pricing.json");
    assert_eq!((&find("dummy")["source"], &find("dummy")["date"]), (&json!(own), &json!("2013-11-14")));
    assert_eq!(home.json(&["pricing", "list", "storage"]), json!([]));
    assert!(home.text(&["pricing", "list", "compute"]).starts_with("TYPE"));
}

#[test]
fn the_users_file_comes_first_even_under_an_old_name() {
    let home = with_own_prices();
    let price = home.json(&["pricing", "get", "compute", "ec2", "m1.small", "--region", "eu-west-1"]);
    assert_eq!((&price["per_hour"], &price["table"]), (&json!(0.01), &json!("ec2_eu_west")));
    assert_eq!(home.json(&["pricing", "get", "compute", "gandi", "small"])["per_hour"], 0.02);
    home.file(".libcloud/pricing.json", "{\n\"compute\": {\"dummy\": {\"1\": }}}");
    let told = home.fails(2, &["pricing", "get", "compute", "dummy", "1"]);
    assert!(told.contains("is damaged at `compute.dummy.1`: expected value at line 2 column 28"), "{told}");
}

#[test]
fn an_estimate_counts_what_runs_and_tells_what_it_cannot_count() {
    let home = Home::new();
    create(&home, "a", "1");
    create(&home, "b", "2");
    home.libcloud(&["compute", "nodes", "stop", "4"]).assert().success();
    let estimate = home.json(&["pricing", "estimate"]);
    // Nodes 1 and 2 have no size, and 4 does not run.
    assert_eq!(estimate["unknown"], json!(["1", "2"]));
    assert_eq!((&estimate["per_hour"], &estimate["per_month"]), (&json!(4), &json!(2920)));
    assert_eq!((&estimate["date"], &estimate["currency"]), (&json!("2013-11-14"), &json!("USD")));
    let assert = home.libcloud(&["pricing", "estimate"]).assert().success();
    let assert = assert.stderr("warning: not counted, as their price is not known: 1, 2\n");
    let table = String::from_utf8(assert.get_output().stdout.clone()).unwrap();
    let last = table.lines().last().unwrap();
    assert!(last.starts_with("4 USD an hour, 2920 a month; prices of 2013-11-14, 1"), "{table}");
    assert!(last.ends_with(" years old"), "{table}");
    let csv = home.text(&["pricing", "estimate", "--format", "csv"]);
    assert!(csv.starts_with("kind,id,name,size,per hour,per month,date\n"), "{csv}");
    assert!(csv.contains("\nnode,3,a,1,4,2920,2013-11-14\n"), "{csv}");
}

#[test]
fn volumes_are_counted_where_they_have_prices() {
    let home = with_own_prices();
    home.json(&["compute", "volumes", "create", "--name", "data", "--size", "100"]);
    let estimate = home.json(&["pricing", "estimate"]);
    let volume =
        estimate["running"].as_array().unwrap().iter().find(|line| line["kind"] == "volume").unwrap();
    assert_eq!((&volume["name"], &volume["size"]), (&json!("data"), &json!("100 GB")));
    assert_eq!((&volume["per_hour"], &volume["per_month"]), (&json!(0.01), &json!(7.3)));
    assert_eq!(estimate["per_hour"], json!(0.01));
}

#[test]
fn an_estimate_of_a_create_needs_no_account() {
    let home = Home::new();
    let estimate = |args: &[&str]| -> Value {
        let mut command = home.bare();
        command.args(["--provider", "ec2", "--format", "json", "pricing", "estimate"]).args(args);
        serde_json::from_slice(&command.assert().success().get_output().stdout).unwrap()
    };
    let three = estimate(&["--size", "m5.large", "--count", "3", "--hours", "100"]);
    assert_eq!((&three["per_hour"], &three["per_month"]), (&json!(0.288), &json!(210.24)));
    assert_eq!((&three["hours"], &three["for_hours"]), (&json!(100), &json!(28.8)));
    assert_eq!(three["date"], "2025-03-02");
    assert!(three["age_days"].is_u64(), "{three}");
    assert_eq!(three["create"][0]["count"], 3);
    let ireland = estimate(&["--size", "m5.large", "--region", "eu-west-1"]);
    assert_eq!((&ireland["per_hour"], &ireland["for_hours"]), (&json!(0.107), &Value::Null));

    let text = home.text(&["pricing", "estimate", "--size", "1", "--size", "4", "--hours", "2"]);
    assert!(
        text.contains("\n68 USD an hour, 49640 a month, 136 for 2 hours; prices of 2013-11-14, "),
        "{text}"
    );
    let chart = home.text(&["pricing", "estimate", "--size", "3", "--size", "4", "--chart"]);
    assert!(chart.starts_with("3 █") && chart.contains("\n4 █") && chart.contains("█ 46720\n"), "{chart}");
    assert!(home.fails(4, &["pricing", "estimate", "--size", "99"]).contains("`99` of `dummy`"));
    home.fails(2, &["pricing", "estimate", "--hours", "2"]);
    home.fails(2, &["pricing", "estimate", "--size", "1", "--count", "18446744073709551615"]);
}

#[test]
fn an_update_puts_the_current_prices_in_their_place() {
    let home = Home::new();
    let server = Mock::start();
    let update = |args: &[&str]| {
        let mut command = home.libcloud(&["pricing", "update", "--retries", "0", "--format", "json"]);
        command.env("LIBCLOUD_CONNECT_TO", server.address().to_string()).args(args);
        command
    };
    let request = || Exchange::get("/pricing.json").header("host", "libcloud-pricing-data.s3.amazonaws.com");
    server.expect(request().answers(Answer::new(200).body(OWN)));
    let assert = update(&[]).assert().success();
    let fetched: Value = serde_json::from_slice(&assert.get_output().stdout).unwrap();
    let path = home.path(".libcloud/pricing.json");
    assert_eq!((&fetched["path"], &fetched["tables"]), (&json!(path), &json!(3)));
    assert_eq!(fetched["updated"], "2013-11-14T18:56:13Z");
    assert_eq!(home.json(&["pricing", "get", "compute", "dummy", "1"])["per_hour"], 0.5);

    // What is no price file changes nothing.
    server.expect(request().answers(Answer::new(200).body("<html>")));
    update(&[]).assert().code(5);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), OWN);
    let to = home.path("elsewhere.json");
    let request = Exchange::get("/p.json").header("host", "prices.example");
    server.expect(request.answers(Answer::new(200).body(OWN)));
    update(&["--url", "https://prices.example/p.json", "--to", arg(&to)]).assert().success();
    assert_eq!(std::fs::read_to_string(&to).unwrap(), OWN);
    update(&["--url", "http://prices.example/p.json"]).assert().code(2);
    // A dry run asks nobody.
    let dry = home.json(&["pricing", "update", "--dry-run"]);
    assert_eq!(dry["would_call"], "download_pricing_file");
}
