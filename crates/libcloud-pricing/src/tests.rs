use std::thread;

use tempfile::{NamedTempFile, TempDir};

use super::*;

const PRICES: &str = r#"{
    "comment": "ours",
    "compute": {
        "foo": {"1": 1.0, "2": "2.50", "3": 0.115, "gone": null},
        "nested": {"small": {"eu": 0.1, "us": 0.2}, "big": "on request"}
    },
    "storage": {"bar": {"gigabyte": 0.085}},
    "updated": 1384000000
}"#;

fn file(json: &str) -> NamedTempFile {
    let file = NamedTempFile::new().unwrap();
    fs::write(file.path(), json).unwrap();
    file
}

fn home(json: &str) -> TempDir {
    let home = TempDir::new().unwrap();
    fs::create_dir(home.path().join(".libcloud")).unwrap();
    fs::write(home.path().join(".libcloud").join("pricing.json"), json).unwrap();
    home
}

fn at_home(home: &TempDir) -> Pricing {
    Pricing::found(None, Some(home.path().to_owned()))
}

fn price(text: &str) -> Price {
    text.parse().unwrap()
}

#[test]
fn bundled_prices_are_found_by_region() {
    let pricing = Pricing::bundled();
    for (driver, size, amount) in [
        ("ec2_us_east", "t1.micro", "0.02"),
        ("ec2_us_east", "hs1.8xlarge", "4.6"),
        ("ec2_us_west", "m1.small", "0.095"),
        ("ec2_us_west_oregon", "cc2.8xlarge", "2.4"),
        ("ec2_eu_west", "c3.large", "0.171"),
        ("ec2_ap_southeast", "hs1.8xlarge", "5.57"),
        ("ec2_ap_southeast_2", "m2.xlarge", "0.506"),
        ("ec2_ap_northeast", "m2.4xlarge", "2.39"),
        ("ec2_sa_east", "m1.small", "0.115"),
        ("dummy", "4", "64"),
    ] {
        assert_eq!(
            pricing.get_size_price("compute", driver, size).unwrap(),
            price(amount),
            "{driver} {size}"
        );
    }
    let table = pricing.get_pricing("compute", "ec2_eu_west").unwrap();
    assert_eq!(table.len(), 18);
    let info = table.info().unwrap();
    assert_eq!((info.region.as_deref(), info.date.as_str()), (Some("eu-west-1"), "2013"));
    assert_eq!(pricing.get_pricing_file_path(), None);
}

#[test]
fn prices_of_a_file_are_exact() {
    let file = file(PRICES);
    let pricing = Pricing::from_file(file.path());
    assert_eq!(pricing.get_pricing_file_path(), Some(file.path()));
    for (kind, driver, size, amount) in [
        ("compute", "foo", "1", "1"),
        ("compute", "foo", "2", "2.5"),
        ("compute", "foo", "3", "0.115"),
        ("storage", "bar", "gigabyte", "0.085"),
    ] {
        assert_eq!(pricing.get_size_price(kind, driver, size).unwrap(), price(amount), "{driver} {size}");
    }
    let nested = pricing.get_pricing("compute", "nested").unwrap();
    assert_eq!(nested.table("small").and_then(|small| small.price("us")), Some(price("0.2")));
    assert_eq!(nested.get("big"), Some(&Entry::Note("on request".into())));
    assert_eq!(nested.info(), None);
    assert_eq!(
        serde_json::to_string(&*nested).unwrap(),
        r#"{"big":"on request","small":{"eu":0.1,"us":0.2}}"#
    );
}

#[test]
fn what_is_not_there_is_named() {
    let file = file(PRICES);
    let pricing = Pricing::from_file(file.path());
    let path = file.path().display();

    let error = pricing.get_pricing("compute", "ec2_us_east").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_eq!(
        error.message(),
        format!("there are no prices of the compute driver `ec2_us_east` in {path}"),
        "a file that was named is all there is"
    );

    for size in ["4", "gone"] {
        let error = pricing.get_size_price("compute", "foo", size).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert_eq!(
            error.message(),
            format!("there is no price of the size `{size}` of the compute driver `foo`")
        );
    }

    let error = pricing.get_size_price("compute", "nested", "small").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    assert!(error.message().contains("has several prices (eu, us)"), "{error}");
    let error = pricing.get_size_price("compute", "nested", "big").unwrap_err();
    assert!(error.message().contains("is `on request`, which is not a number"), "{error}");

    let error = Pricing::bundled().get_pricing("storage", "dummy").unwrap_err();
    assert_eq!(error.message(), "there are no prices of the storage driver `dummy` in the bundled tables");
}

#[test]
fn a_missing_file_is_an_error_only_if_it_was_named() {
    let folder = TempDir::new().unwrap();
    let missing = folder.path().join("none.json");
    for pricing in [
        Pricing::from_file(&missing),
        Pricing::found(Some(missing.clone().into()), Some(folder.path().to_owned())),
    ] {
        let error = pricing.get_pricing("compute", "dummy").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Io);
        assert!(error.message().contains(&missing.display().to_string()), "{error}");
    }
    for pricing in [at_home(&folder), Pricing::found(None, None), Pricing::found(Some("".into()), None)] {
        assert_eq!(pricing.get_pricing_file_path(), None);
        assert_eq!(pricing.get_size_price("compute", "dummy", "1").unwrap(), price("4"));
    }
}

#[test]
fn the_file_at_home_comes_before_the_bundled_tables() {
    let home = home(r#"{"compute": {"dummy": {"1": 0.01}}}"#);
    let pricing = at_home(&home);
    assert!(pricing.get_pricing_file_path().unwrap().starts_with(home.path()));
    assert_eq!(pricing.get_size_price("compute", "dummy", "1").unwrap(), price("0.01"));
    assert_eq!(pricing.get_size_price("compute", "ec2_us_east", "m1.small").unwrap(), price("0.065"));

    let error = pricing.get_pricing("compute", "nowhere").unwrap_err();
    let path = home.path().join(".libcloud").join("pricing.json");
    assert!(error.message().ends_with(&format!("in {} and the bundled tables", path.display())), "{error}");

    let named = file(r#"{"compute": {"dummy": {"1": 0.02}}}"#);
    let pricing = Pricing::found(Some(named.path().into()), Some(home.path().to_owned()));
    assert_eq!(pricing.get_size_price("compute", "dummy", "1").unwrap(), price("0.02"));
}

#[test]
fn damage_is_reported_with_its_place() {
    for (json, place, problem) in [
        ("{\n  \"compute\": {\n", " at `compute`", "EOF while parsing an object at line 3 column 0"),
        ("", "", "EOF while parsing a value at line 1 column 0"),
        ("[]", "", "invalid type: sequence, expected a map at line 1 column 0"),
        ("{} x", "", "trailing characters at line 1 column 4"),
        (
            "{\"compute\": {\n\"foo\": {\"s\": true}}}",
            " at `compute.foo.s`",
            "invalid type: boolean `true`, expected a price or a table of prices at line 2 column 17",
        ),
        ("{\"compute\": {\"foo\": {\"s\": 1e99}}}", " at `compute.foo.s`", "is not a price"),
        ("{\"compute\": {\"foo\": 5}}", " at `compute.foo`", "expected a table of prices"),
    ] {
        let file = file(json);
        let error = Pricing::from_file(file.path()).get_pricing("compute", "foo").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        let start = format!("the price file {} is damaged{place}: ", file.path().display());
        assert!(error.message().starts_with(&start), "{error}");
        assert!(error.message().contains(problem), "{error}");
    }
}

#[test]
fn old_prices_stay_in_use_when_a_new_file_is_damaged() {
    let file = file(PRICES);
    let pricing = Pricing::from_file(file.path());
    let size = || pricing.get_size_price("compute", "foo", "1");
    assert_eq!(size().unwrap(), price("1"));

    fs::write(file.path(), r#"{"compute": {"foo": {"1": 7"#).unwrap();
    assert_eq!(pricing.reload().unwrap_err().kind(), ErrorKind::InvalidArgument);
    assert_eq!(size().unwrap(), price("1"));

    fs::write(file.path(), r#"{"compute": {"foo": {"1": 7}}}"#).unwrap();
    assert_eq!(size().unwrap(), price("1"), "a file is read once");
    pricing.reload().unwrap();
    assert_eq!(size().unwrap(), price("7"));
}

#[test]
fn forgetting_reads_the_file_again() {
    let file = file(r#"{"compute": {"foo": {"1": 1}, "bar": {"1": 1}}}"#);
    let pricing = Pricing::from_file(file.path());
    let sizes = || ["foo", "bar"].map(|driver| pricing.get_size_price("compute", driver, "1").unwrap());
    assert_eq!(sizes(), ["1", "1"].map(price));

    fs::write(file.path(), r#"{"compute": {"foo": {"1": 2}, "bar": {"1": 2}}}"#).unwrap();
    pricing.invalidate_module_pricing_cache("compute", "unknown");
    assert_eq!(sizes(), ["1", "1"].map(price));
    pricing.invalidate_module_pricing_cache("compute", "foo");
    assert_eq!(sizes(), ["2", "1"].map(price), "of one driver only");
    pricing.invalidate_pricing_cache();
    assert_eq!(sizes(), ["2", "2"].map(price));

    fs::write(file.path(), r#"{"compute": {"foo": {"1": 3}, "bar": {"1": 3}}}"#).unwrap();
    pricing.clear_pricing_data();
    assert_eq!(sizes(), ["3", "3"].map(price));
}

#[test]
fn set_prices_win_until_they_are_forgotten() {
    let pricing = Pricing::bundled();
    let size = || pricing.get_size_price("compute", "ec2_us_east", "m1.small");
    pricing.set_pricing("compute", "ec2_us_east", [("m1.small", price("9"))].into_iter().collect());
    assert_eq!(size().unwrap(), price("9"));
    // Another region is in the same bundled file.
    assert_eq!(pricing.get_size_price("compute", "ec2_us_west", "m1.small").unwrap(), price("0.095"));
    assert_eq!(size().unwrap(), price("9"));
    pricing.invalidate_module_pricing_cache("compute", "ec2_us_east");
    assert_eq!(size().unwrap(), price("0.065"));
}

#[test]
fn the_functions_share_one_value() {
    // No other test uses this driver name, since the tests run in parallel.
    let driver = "shared by the functions";
    set_pricing("compute", driver, [("1", price("5"))].into_iter().collect());
    assert_eq!(get_size_price("compute", driver, "1").unwrap(), price("5"));
    assert_eq!(get_pricing("compute", driver).unwrap(), shared().get_pricing("compute", driver).unwrap());
    invalidate_module_pricing_cache("compute", driver);
    assert_eq!(get_pricing("compute", driver).unwrap_err().kind(), ErrorKind::NotFound);
}

#[test]
fn threads_look_up_together() {
    let file = file(PRICES);
    let pricing = Pricing::from_file(file.path());
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..50 {
                    assert_eq!(pricing.get_size_price("compute", "foo", "3").unwrap(), price("0.115"));
                    pricing.invalidate_pricing_cache();
                }
            });
        }
    });
}
