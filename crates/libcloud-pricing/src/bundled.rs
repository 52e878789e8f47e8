//! The tables that are compiled in.

use libcloud_common::{Error, ErrorKind, Result};

use crate::packed;
use crate::table::PriceTable;

/// One file a provider. `cargo xtask pricing check` finds one that is left out.
static FILES: [&[u8]; 19] = [
    include_bytes!("../packed/azure.bin"),
    include_bytes!("../packed/bluebox.bin"),
    include_bytes!("../packed/cloudsigma.bin"),
    include_bytes!("../packed/dreamhost.bin"),
    include_bytes!("../packed/dummy.bin"),
    include_bytes!("../packed/ec2.bin"),
    include_bytes!("../packed/elastichosts.bin"),
    include_bytes!("../packed/gandi.bin"),
    include_bytes!("../packed/gce.bin"),
    include_bytes!("../packed/gogrid.bin"),
    include_bytes!("../packed/nephoscale.bin"),
    include_bytes!("../packed/nimbus.bin"),
    include_bytes!("../packed/outscale.bin"),
    include_bytes!("../packed/packet.bin"),
    include_bytes!("../packed/rackspace.bin"),
    include_bytes!("../packed/serverlove.bin"),
    include_bytes!("../packed/skalicloud.bin"),
    include_bytes!("../packed/softlayer.bin"),
    include_bytes!("../packed/vps_net.bin"),
];

/// Driver type and driver name of every table, with the table as it is packed.
pub(crate) fn tables() -> impl Iterator<Item = (&'static str, &'static str, &'static [u8])> {
    FILES.iter().flat_map(|file| packed::directory(file))
}

/// The table of this driver. No other is looked into.
pub(crate) fn find(driver_type: &str, driver_name: &str) -> Option<Result<PriceTable>> {
    let (_, _, table) = tables().find(|(kind, name, _)| (*kind, *name) == (driver_type, driver_name))?;
    Some(unpack(driver_name, table))
}

pub(crate) fn unpack(driver_name: &str, table: &'static [u8]) -> Result<PriceTable> {
    packed::table(table).ok_or_else(|| {
        let message =
            format!("the bundled prices of `{driver_name}` are damaged: run `cargo xtask pricing build`");
        Error::new(ErrorKind::MalformedResponse, message)
    })
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::path::Path;

    use serde::Deserialize;

    use super::*;
    use crate::table::Entry;

    /// A file of `data`, read without any of the code that packs or unpacks.
    #[derive(Deserialize)]
    struct File {
        source: String,
        currency: String,
        unit: String,
        tables: BTreeMap<String, BTreeMap<String, Table>>,
    }

    #[derive(Deserialize)]
    struct Table {
        date: String,
        region: Option<String>,
        unit: Option<String>,
        regions: Option<Vec<String>>,
        prices: serde_json::Value,
        #[serde(default)]
        older: BTreeMap<String, PriceTable>,
    }

    impl Table {
        fn prices(&self) -> PriceTable {
            let Some(regions) = &self.regions else {
                let mut prices: PriceTable = serde_json::from_value(self.prices.clone()).unwrap();
                for (key, entry) in self.older.values().flat_map(PriceTable::iter) {
                    assert_eq!(prices.insert(key, entry.clone()), None, "{key} is older and newer");
                }
                return prices;
            };
            let rows: BTreeMap<String, Vec<Option<libcloud_common::Price>>> =
                serde_json::from_value(self.prices.clone()).unwrap();
            let row = |(size, cells): (String, Vec<_>)| {
                let cells = regions.iter().cloned().zip(cells);
                let priced = cells.filter_map(|(region, price)| Some((region, price?)));
                (size.into(), Entry::Table(priced.collect()))
            };
            PriceTable::of(rows.into_iter().map(row).collect())
        }
    }

    #[test]
    fn what_is_packed_is_what_the_files_say() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("data");
        let mut packed: BTreeSet<(String, String)> =
            tables().map(|(kind, name, _)| (kind.to_owned(), name.to_owned())).collect();
        assert_eq!(packed.len(), tables().count(), "a table is bundled twice");
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let file: File = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
            for (kind, drivers) in &file.tables {
                for (name, table) in drivers {
                    assert!(packed.remove(&(kind.clone(), name.clone())), "{name} is not packed");
                    let unpacked = find(kind, name).unwrap().unwrap();
                    assert!(!unpacked.is_empty(), "{name}");
                    let info = unpacked.info().unwrap();
                    assert_eq!((&info.source, &info.currency), (&file.source, &file.currency), "{name}");
                    assert_eq!(&info.unit, table.unit.as_ref().unwrap_or(&file.unit), "{name}");
                    assert_eq!((&info.date, &info.region), (&table.date, &table.region), "{name}");
                    for (date, prices) in &table.older {
                        for (key, _) in prices.iter() {
                            assert_eq!(unpacked.date_of(key), Some(date.as_str()), "{name} {key}");
                        }
                    }
                    assert!(unpacked.iter().eq(table.prices().iter()), "{name}: other prices");
                }
            }
        }
        assert!(packed.is_empty(), "no file has {packed:?}");
    }
}
