use std::fs;

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
        ("ec2_us_east", "m1.small", "0.044"),
        ("ec2_us_east", "cc1.4xlarge", "1.3"),
        ("ec2_eu_west", "c3.large", "0.12"),
        ("ec2_ap_northeast", "m1.small", "0.061"),
        ("rackspacenovasyd", "2", "0.026"),
        ("dreamhost", "low", "50"),
        ("gogrid", "24GB", "4.56"),
        ("nimbus", "m1.small", "0"),
        ("vps_net", "1", "0.416"),
        ("osc_sas_eu_west_1", "m1.small", "0.09"),
        ("dummy", "4", "64"),
    ] {
        assert_eq!(
            pricing.get_size_price("compute", driver, size).unwrap(),
            price(amount),
            "{driver} {size}"
        );
    }
    for (driver, size, region, amount) in [
        ("ec2_linux", "m5.large", "us-east-1", "0.096"),
        ("ec2_linux", "m5.large", "eu-west-1", "0.107"),
        ("ec2_windows", "m5.large", "us-east-1", "0.188"),
        ("azure_linux", "basica0", "brazilsouth", "0.022"),
        ("ec2_eu_west", "c3.large", "eu-west-1", "0.12"),
        ("dummy", "4", "anywhere", "64"),
    ] {
        let found = pricing.get_size_price_in("compute", driver, size, region).unwrap();
        assert_eq!(found, price(amount), "{driver} {size} {region}");
    }
    assert_eq!(pricing.get_pricing_file_path(), None);
}

#[test]
fn a_bundled_table_tells_where_it_is_from_and_how_old_it_is() {
    let pricing = Pricing::bundled();
    let table = pricing.get_pricing("compute", "ec2_us_east").unwrap();
    let info = table.info().unwrap();
    assert_eq!((info.currency.as_str(), info.unit.as_str()), ("USD", "hour"));
    assert_eq!((info.region.as_deref(), info.date.as_str()), (Some("us-east-1"), "2019-11-13"));
    assert!(info.source.contains("https://aws.amazon.com/ec2/pricing/on-demand/"), "{}", info.source);
    // What later lists do not have is from an earlier one.
    assert_eq!(table.date_of("cc1.4xlarge"), Some("2013-11-14"));
    assert_eq!(table.date_of("m1.small"), Some("2019-11-13"));
    assert_eq!(pricing.get_pricing("compute", "dreamhost").unwrap().info().unwrap().unit, "month");
    let machines = pricing.get_pricing("compute", "gce_instances").unwrap();
    let cores = machines.table("n1").and_then(|n1| n1.table("cpu")).and_then(|cpu| cpu.table("on_demand"));
    assert!(cores.unwrap().price("us-central1").is_some());
}

#[test]
fn every_table_is_listed() {
    let listed = Pricing::bundled().list_pricing().unwrap();
    // What 0.14 has figures of.
    for driver in [
        "bluebox",
        "cloudsigma_zrh",
        "dreamhost",
        "ec2_ap_northeast",
        "ec2_ap_southeast",
        "ec2_ap_southeast_2",
        "ec2_eu_west",
        "ec2_sa_east",
        "ec2_us_east",
        "ec2_us_west",
        "ec2_us_west_oregon",
        "elastichosts",
        "gandi",
        "gogrid",
        "nephoscale",
        "nimbus",
        "rackspace",
        "rackspacenovalon",
        "rackspacenovasyd",
        "rackspacenovaus",
        "serverlove",
        "skalicloud",
        "vps_net",
    ] {
        assert!(listed.contains(&("compute".into(), driver.into())), "{driver}");
    }
    assert!(listed.is_sorted() && listed.len() > 50);

    let home = home(PRICES);
    let pricing = at_home(&home);
    pricing.set_pricing("compute", "set", PriceTable::default());
    let listed = pricing.list_pricing().unwrap();
    for (kind, name) in [("compute", "foo"), ("storage", "bar"), ("compute", "set"), ("compute", "gandi")] {
        assert!(listed.contains(&(kind.into(), name.into())), "{name}");
    }
    let file = file(PRICES);
    let own = Pricing::from_file(file.path()).list_pricing().unwrap();
    assert_eq!(own.iter().map(|(_, name)| name.as_str()).collect::<Vec<_>>(), ["foo", "nested", "bar"]);
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
    // 1384000000 is a moment of that day.
    let info = nested.info().unwrap();
    assert_eq!((info.date.as_str(), info.file.as_deref()), ("2013-11-09", Some(file.path())));
    assert_eq!((info.currency.as_str(), info.unit.as_str()), ("USD", "hour"));
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
    let error = Pricing::bundled().get_pricing("dns", "dummy").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    assert!(error.message().ends_with("; prices are of compute and storage"), "{error}");
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
    assert_eq!(pricing.get_size_price("compute", "ec2_us_east", "m1.small").unwrap(), price("0.044"));

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
        (
            "{\"compute\": {\"foo\": 5}}",
            " at `compute.foo`",
            "invalid type: integer `5`, expected a table of prices at line 1 column 21",
        ),
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
    assert_eq!(pricing.get_size_price("compute", "ec2_us_west", "m1.small").unwrap(), price("0.047"));
    assert_eq!(size().unwrap(), price("9"));
    pricing.invalidate_module_pricing_cache("compute", "ec2_us_east");
    assert_eq!(size().unwrap(), price("0.044"));
}

#[test]
fn a_region_has_its_price() {
    let file = file(
        r#"{"compute": {"d": {"s": {"eu": 0.2, "us": {"price": 0.1, "sku": "x"}}, "flat": 3, "note": "on request"}}}"#,
    );
    let pricing = Pricing::from_file(file.path());
    let of = |size: &str, region: &str| pricing.get_size_price_in("compute", "d", size, region);
    assert_eq!(of("s", "eu").unwrap(), price("0.2"));
    assert_eq!(of("s", "us").unwrap(), price("0.1"), "with an article number beside it");
    assert_eq!(of("flat", "eu").unwrap(), price("3"), "the same everywhere");
    let error = of("s", "ap").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_eq!(
        error.message(),
        "there is no price of the size `s` of the compute driver `d` in ap, only for eu, us"
    );
    assert_eq!(of("note", "eu").unwrap_err().kind(), ErrorKind::InvalidArgument);
    assert_eq!(of("none", "eu").unwrap_err().kind(), ErrorKind::NotFound);
    let elsewhere = Pricing::bundled().get_size_price_in("compute", "ec2_eu_west", "m1.small", "us-east-1");
    assert_eq!(elsewhere.unwrap_err().kind(), ErrorKind::NotFound);
    // More regions than fit in a line.
    let error = Pricing::bundled().get_size_price("compute", "ec2_linux", "m5.large").unwrap_err();
    assert!(error.message().ends_with(", …); say which region"), "{error}");
}

#[test]
fn a_file_of_ones_own_comes_first_and_is_known_from_then_on() {
    let own = file(r#"{"compute": {"dummy": {"1": 0.5}, "other": {"1": 7}}}"#);
    let from_own = || GetPricing::new().pricing_file_path(own.path());
    let pricing = Pricing::bundled();
    let table = pricing.get_pricing_with("compute", "dummy", from_own()).unwrap();
    assert_eq!(table.price("1"), Some(price("0.5")));
    assert_eq!(pricing.get_size_price("compute", "dummy", "1").unwrap(), price("0.5"));
    // Only what was asked for is kept.
    assert_eq!(pricing.get_pricing("compute", "other").unwrap_err().kind(), ErrorKind::NotFound);
    pricing.get_pricing_with("compute", "other", from_own()).unwrap();
    assert_eq!(pricing.get_size_price("compute", "other", "1").unwrap(), price("7"));

    let error = pricing.get_pricing_with("compute", "gandi", from_own()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.message().ends_with(&format!("in {}", own.path().display())), "{error}");
    assert_eq!(pricing.get_size_price("compute", "gandi", "small").unwrap(), price("0.02"));
    let missing = GetPricing::new().pricing_file_path("/nowhere/pricing.json");
    assert_eq!(pricing.get_pricing_with("compute", "x", missing).unwrap_err().kind(), ErrorKind::Io);
}

#[test]
fn what_is_kept_of_a_file_is_what_was_asked_for_or_all() {
    let old = r#"{"compute": {"foo": {"1": 1}, "bar": {"1": 1}}}"#;
    let new = r#"{"compute": {"foo": {"1": 2}, "bar": {"1": 2}}}"#;
    let after_change = |prepare: &dyn Fn(&Pricing)| {
        let file = file(old);
        let pricing = Pricing::from_file(file.path());
        prepare(&pricing);
        fs::write(file.path(), new).unwrap();
        ["foo", "bar"].map(|driver| pricing.get_size_price("compute", driver, "1").unwrap())
    };
    let look = |pricing: &Pricing| drop(pricing.get_pricing("compute", "foo").unwrap());
    assert_eq!(after_change(&look), ["1", "2"].map(price));
    let with = |pricing: &Pricing| {
        let all = GetPricing::new().cache_all();
        drop(pricing.get_pricing_with("compute", "foo", all).unwrap());
    };
    assert_eq!(after_change(&with), ["1", "1"].map(price));
    let set = |pricing: &Pricing| {
        pricing.set_caching(Caching::All);
        look(pricing);
        // The setting outlives what is forgotten.
        pricing.clear_pricing_data();
        look(pricing);
    };
    assert_eq!(after_change(&set), ["1", "1"].map(price));
    assert_eq!(after_change(&|pricing| pricing.reload().unwrap()), ["1", "1"].map(price));

    let pricing = Pricing::bundled();
    pricing.set_caching(Caching::All);
    assert_eq!(pricing.get_size_price("compute", "dummy", "1").unwrap(), price("4"));
    assert_eq!(pricing.get_size_price("compute", "gandi", "small").unwrap(), price("0.02"));
}

#[test]
fn what_is_missing_is_looked_for_once() {
    let home = home(r#"{"compute": {"foo": {"1": 1}}}"#);
    let pricing = at_home(&home);
    assert_eq!(pricing.get_pricing("compute", "bar").unwrap_err().kind(), ErrorKind::NotFound);
    fs::write(home.path().join(".libcloud/pricing.json"), r#"{"compute": {"bar": {"1": 2}}}"#).unwrap();
    assert_eq!(pricing.get_pricing("compute", "bar").unwrap_err().kind(), ErrorKind::NotFound);
    pricing.invalidate_module_pricing_cache("compute", "bar");
    assert_eq!(pricing.get_size_price("compute", "bar", "1").unwrap(), price("2"));
    pricing.clear_pricing_data();
    assert_eq!(pricing.get_pricing("compute", "foo").unwrap_err().kind(), ErrorKind::NotFound);
    pricing.set_pricing("compute", "foo", [("1", price("3"))].into_iter().collect());
    assert_eq!(pricing.get_size_price("compute", "foo", "1").unwrap(), price("3"));
}

#[test]
fn the_functions_share_one_value() {
    // No other test uses this driver name, since the tests run in parallel.
    let driver = "shared by the functions";
    set_pricing("compute", driver, [("1", price("5"))].into_iter().collect());
    assert_eq!(get_size_price("compute", driver, "1").unwrap(), price("5"));
    assert_eq!(get_size_price_in("compute", driver, "1", "eu").unwrap(), price("5"));
    assert_eq!(get_pricing("compute", driver).unwrap(), shared().get_pricing("compute", driver).unwrap());
    assert_eq!(get_image_price(driver, "windows", None, 1).unwrap(), Price::ZERO);
    invalidate_module_pricing_cache("compute", driver);
    assert_eq!(get_pricing("compute", driver).unwrap_err().kind(), ErrorKind::NotFound);
}
