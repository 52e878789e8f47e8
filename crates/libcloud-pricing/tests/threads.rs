//! Many threads on one value, and any order of calls.
#![expect(clippy::unwrap_used, reason = "what the tests share is not marked as a test, and fails as one")]

use std::collections::HashMap;
use std::fs;
use std::sync::Barrier;
use std::thread;

use libcloud_common::{ErrorKind, Price};
use libcloud_pricing::{PriceTable, Pricing};
use proptest::prelude::*;
use tempfile::NamedTempFile;

/// The drivers of the file; each has this many sizes of one price.
const DRIVERS: [&str; 4] = ["a", "b", "c", "d"];
const SIZES: usize = 20;

/// A table whose prices are all the same, so that half of one and half of another is seen.
fn table(cents: i64) -> PriceTable {
    (0..SIZES).map(|size| (format!("size {size}"), Price::from_cents(cents))).collect()
}

fn file() -> NamedTempFile {
    let file = NamedTempFile::new().unwrap();
    let drivers: HashMap<&str, PriceTable> =
        (0..).zip(DRIVERS).map(|(cents, name)| (name, table(cents))).collect();
    fs::write(file.path(), serde_json::to_string(&serde_json::json!({"compute": drivers})).unwrap()).unwrap();
    file
}

/// The one price of a driver.
fn seen(pricing: &Pricing, driver: &str) -> Price {
    let table = pricing.get_pricing("compute", driver).unwrap();
    assert_eq!(table.len(), SIZES);
    let mut prices = table.iter().map(|(_, entry)| entry.price().unwrap());
    let first = prices.next().unwrap();
    assert!(prices.all(|price| price == first), "a table in pieces");
    first
}

#[test]
fn threads_see_whole_tables_that_somebody_made() {
    let file = file();
    let pricing = Pricing::from_file(file.path());
    let start = Barrier::new(8);
    thread::scope(|scope| {
        for number in 0..8_i64 {
            let (pricing, start) = (&pricing, &start);
            scope.spawn(move || {
                start.wait();
                for round in 0..200 {
                    let turn = usize::try_from(number).unwrap() + round;
                    let driver = DRIVERS[turn % DRIVERS.len()];
                    match turn % 7 {
                        0 => pricing.set_pricing("compute", driver, table(100 + number)),
                        1 => pricing.clear_pricing_data(),
                        2 => pricing.invalidate_module_pricing_cache("compute", driver),
                        3 => pricing.reload().unwrap(),
                        4 => {
                            let error = pricing.get_pricing("compute", "nobody").unwrap_err();
                            assert_eq!(error.kind(), ErrorKind::NotFound);
                        }
                        _ => {
                            let own = i64::try_from(turn % DRIVERS.len()).unwrap();
                            let price = seen(pricing, driver);
                            let set = (100..108).map(Price::from_cents).any(|set| set == price);
                            assert!(price == Price::from_cents(own) || set, "{driver}: {price}");
                        }
                    }
                }
            });
        }
    });
    pricing.clear_pricing_data();
    for (cents, driver) in (0..).zip(DRIVERS) {
        assert_eq!(seen(&pricing, driver), Price::from_cents(cents));
    }
}

#[test]
fn what_a_thread_has_set_it_finds() {
    let pricing = Pricing::bundled();
    thread::scope(|scope| {
        for number in 0..8 {
            let pricing = &pricing;
            scope.spawn(move || {
                let driver = format!("driver {number}");
                for cents in 0..200 {
                    pricing.set_pricing("compute", &driver, table(cents));
                    assert_eq!(seen(pricing, &driver), Price::from_cents(cents));
                    pricing.invalidate_module_pricing_cache("compute", &driver);
                    assert!(pricing.get_pricing("compute", &driver).is_err());
                }
            });
        }
    });
}

#[derive(Clone, Debug)]
enum Step {
    Get(usize),
    GetUnknown,
    Set(usize, i64),
    Invalidate(usize),
    Clear,
    Reload,
}

fn step() -> impl Strategy<Value = Step> {
    let driver = 0..DRIVERS.len();
    prop_oneof![
        driver.clone().prop_map(Step::Get),
        Just(Step::GetUnknown),
        (driver.clone(), 100..200_i64).prop_map(|(driver, cents)| Step::Set(driver, cents)),
        driver.prop_map(Step::Invalidate),
        Just(Step::Clear),
        Just(Step::Reload),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn a_look_up_gives_what_was_set_last_or_the_file(steps in prop::collection::vec(step(), 0..40)) {
        let file = file();
        let pricing = Pricing::from_file(file.path());
        let mut set: HashMap<usize, i64> = HashMap::new();
        for step in steps {
            match step {
                Step::Get(driver) => {
                    let cents = set.get(&driver).copied().unwrap_or(i64::try_from(driver).unwrap());
                    prop_assert_eq!(seen(&pricing, DRIVERS[driver]), Price::from_cents(cents));
                }
                Step::GetUnknown => prop_assert!(pricing.get_pricing("compute", "nobody").is_err()),
                Step::Set(driver, cents) => {
                    pricing.set_pricing("compute", DRIVERS[driver], table(cents));
                    set.insert(driver, cents);
                }
                Step::Invalidate(driver) => {
                    pricing.invalidate_module_pricing_cache("compute", DRIVERS[driver]);
                    set.remove(&driver);
                }
                Step::Clear => {
                    pricing.clear_pricing_data();
                    set.clear();
                }
                Step::Reload => {
                    pricing.reload().unwrap();
                    set.clear();
                }
            }
        }
    }
}
