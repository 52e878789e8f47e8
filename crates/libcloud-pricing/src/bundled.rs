//! The tables that are compiled in, one file a provider.

use std::collections::BTreeMap;

use libcloud_common::Result;
use serde::Deserialize;

use crate::table::{PriceTable, TableInfo, parse};

/// A file of `data/` and what it has prices of, so that only the file that is asked for is parsed.
pub(crate) struct Bundle {
    file: &'static str,
    json: &'static str,
    tables: &'static [(&'static str, &'static str)],
}

static BUNDLES: [Bundle; 2] = [
    Bundle { file: "dummy.json", json: include_str!("../data/dummy.json"), tables: &[("compute", "dummy")] },
    Bundle {
        file: "ec2.json",
        json: include_str!("../data/ec2.json"),
        tables: &[
            ("compute", "ec2_ap_northeast"),
            ("compute", "ec2_ap_southeast"),
            ("compute", "ec2_ap_southeast_2"),
            ("compute", "ec2_eu_west"),
            ("compute", "ec2_sa_east"),
            ("compute", "ec2_us_east"),
            ("compute", "ec2_us_west"),
            ("compute", "ec2_us_west_oregon"),
        ],
    },
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    source: String,
    date: String,
    currency: String,
    unit: String,
    tables: BTreeMap<String, BTreeMap<String, Table>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    region: Option<String>,
    prices: PriceTable,
}

/// The bundle that has the prices of this driver.
pub(crate) fn find(driver_type: &str, driver_name: &str) -> Option<&'static Bundle> {
    BUNDLES.iter().find(|bundle| bundle.tables.contains(&(driver_type, driver_name)))
}

impl Bundle {
    /// All tables of the file with driver type and driver name, sorted by these.
    pub(crate) fn tables(&self) -> Result<Vec<(String, String, PriceTable)>> {
        let file: File = parse(&format!("the bundled price table {}", self.file), self.json.as_bytes())?;
        let mut tables = Vec::new();
        for (driver_type, drivers) in file.tables {
            for (driver_name, table) in drivers {
                let info = TableInfo {
                    currency: file.currency.clone(),
                    unit: file.unit.clone(),
                    region: table.region,
                    source: file.source.clone(),
                    date: file.date.clone(),
                };
                tables.push((driver_type.clone(), driver_name, table.prices.with_info(info)));
            }
        }
        Ok(tables)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bundle_has_the_tables_it_announces() {
        for bundle in &BUNDLES {
            let tables = bundle.tables().unwrap();
            let keys: Vec<_> = tables.iter().map(|(kind, name, _)| (kind.as_str(), name.as_str())).collect();
            assert_eq!(keys, bundle.tables, "{}", bundle.file);
            for (_, name, table) in &tables {
                assert!(!table.is_empty(), "{name}");
                for (size, _) in table.iter() {
                    assert!(table.price(size).is_some_and(|price| !price.is_zero()), "{name} {size}");
                }
                let info = table.info().unwrap();
                assert_eq!((info.currency.as_str(), info.unit.as_str()), ("USD", "hour"), "{name}");
            }
        }
    }

    #[test]
    fn no_table_is_bundled_twice() {
        let mut keys: Vec<_> = BUNDLES.iter().flat_map(|bundle| bundle.tables).collect();
        keys.sort_unstable();
        let count = keys.len();
        keys.dedup();
        assert_eq!(keys.len(), count);
    }
}
