//! Price tables of the clouds, and how to look a price up.
//!
//! A table is found by the type of the driver (`compute`, `storage`) and its name in the tables, which for
//! EC2 contains the region. Prices are in US dollars an hour unless the table [says otherwise](TableInfo).
//!
//! ```
//! let hourly = libcloud_pricing::Pricing::bundled().get_size_price("compute", "ec2_us_east", "m1.small")?;
//! assert_eq!(hourly.to_string(), "0.065");
//! # Ok::<(), libcloud_common::Error>(())
//! ```
//!
//! The functions of this crate work on one [`Pricing`] that the whole process shares. It reads the file that
//! the variable `LIBCLOUD_PRICING_FILE_PATH` names, else `~/.libcloud/pricing.json` if it exists. What the file in
//! the home folder lacks, and all if there is none, comes from the tables that are compiled in. Such a file is
//! JSON in the format of Apache Libcloud, `{"compute": {"ec2_us_east": {"m1.small": 0.065}}, "storage": {}}`.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use libcloud_common::{Error, ErrorKind, Price, Result};

mod bundled;
mod table;

pub use table::{Entry, PriceTable, TableInfo};

static SHARED: LazyLock<Pricing> = LazyLock::new(Pricing::new);

/// Looks prices up, and keeps what it has read until it is told to forget it.
///
/// All methods take `&self`; one value serves any number of threads. The first look-up may read a file.
#[derive(Debug)]
pub struct Pricing {
    source: Source,
    cache: RwLock<Cache>,
}

#[derive(Debug)]
enum Source {
    Bundled,
    /// This file and nothing else.
    File(PathBuf),
    /// This file if it exists, and the bundled tables.
    FileOrBundled(PathBuf),
}

#[derive(Debug, Default)]
struct Cache {
    tables: Tables,
    /// Whether the file's tables are among them, so that it is not read again for a driver that it lacks.
    file_is_read: bool,
}

/// By driver type and driver name.
type Tables = HashMap<(String, String), Arc<PriceTable>>;

impl Default for Pricing {
    fn default() -> Self {
        Self::new()
    }
}

impl Pricing {
    /// Prices from the user's file, else from the bundled tables; see the [crate] for the places.
    ///
    /// The places are settled here; nothing is read before the first look-up.
    pub fn new() -> Self {
        Self::found(std::env::var_os("LIBCLOUD_PRICING_FILE_PATH"), std::env::home_dir())
    }

    /// Prices from the bundled tables alone.
    pub fn bundled() -> Self {
        Self::from_source(Source::Bundled)
    }

    /// Prices from this file alone. It is read at the first look-up.
    pub fn from_file(path: impl Into<PathBuf>) -> Self {
        Self::from_source(Source::File(path.into()))
    }

    fn found(named: Option<OsString>, home: Option<PathBuf>) -> Self {
        let named = named.filter(|path| !path.is_empty()).map(|path| Source::File(path.into()));
        let at_home = || home.map(|home| Source::FileOrBundled(home.join(".libcloud").join("pricing.json")));
        Self::from_source(named.or_else(at_home).unwrap_or(Source::Bundled))
    }

    fn from_source(source: Source) -> Self {
        Self { source, cache: RwLock::default() }
    }

    /// The file that prices are read from, or `None` if they are the bundled ones.
    pub fn get_pricing_file_path(&self) -> Option<&Path> {
        match &self.source {
            Source::Bundled => None,
            Source::File(path) => Some(path),
            Source::FileOrBundled(path) => path.exists().then_some(path),
        }
    }

    /// The prices of a driver.
    ///
    /// `NotFound` if there are none, `Io` if the file cannot be read, and `InvalidArgument` if it is damaged,
    /// with line, column and key.
    pub fn get_pricing(&self, driver_type: &str, driver_name: &str) -> Result<Arc<PriceTable>> {
        let key = (driver_type.to_owned(), driver_name.to_owned());
        if let Some(table) = self.read().tables.get(&key) {
            return Ok(Arc::clone(table));
        }
        let mut cache = self.write();
        if !cache.file_is_read {
            if let Some(path) = self.get_pricing_file_path() {
                cache.add(read_file(path)?);
            }
            cache.file_is_read = true;
        }
        if !cache.tables.contains_key(&key)
            && !matches!(self.source, Source::File(_))
            && let Some(bundle) = bundled::find(driver_type, driver_name)
        {
            cache.add(by_driver(bundle.tables()?));
        }
        cache.tables.get(&key).cloned().ok_or_else(|| {
            let place = match (&self.source, self.get_pricing_file_path()) {
                (Source::File(path), _) => format!("in {}", path.display()),
                (_, Some(path)) => format!("in {} and the bundled tables", path.display()),
                (_, None) => "in the bundled tables".to_owned(),
            };
            Error::new(
                ErrorKind::NotFound,
                format!("there are no prices of the {driver_type} driver `{driver_name}` {place}"),
            )
            .with_resource("pricing", driver_name.to_owned())
        })
    }

    /// The price of a size, by default of an hour.
    ///
    /// `NotFound` if the driver or the size has none; `InvalidArgument` if there is something else under the
    /// size's id, such as a nested table.
    pub fn get_size_price(&self, driver_type: &str, driver_name: &str, size_id: &str) -> Result<Price> {
        let table = self.get_pricing(driver_type, driver_name)?;
        let size = format!("the size `{size_id}` of the {driver_type} driver `{driver_name}`");
        match table.get(size_id) {
            Some(Entry::Price(price)) => Ok(*price),
            Some(Entry::Table(nested)) => {
                let keys: Vec<_> = nested.iter().map(|(key, _)| key).collect();
                Err(Error::invalid_argument(format!(
                    "{size} has several prices ({}); choose one from the table that `get_pricing` gives",
                    keys.join(", ")
                )))
            }
            Some(Entry::Note(text)) => Err(Error::invalid_argument(format!(
                "the price of {size} is `{text}`, which is not a number"
            ))),
            None => Err(Error::new(ErrorKind::NotFound, format!("there is no price of {size}"))
                .with_resource("price", size_id.to_owned())),
        }
    }

    /// Sets the prices of a driver, until they are forgotten.
    pub fn set_pricing(&self, driver_type: &str, driver_name: &str, prices: PriceTable) {
        let key = (driver_type.to_owned(), driver_name.to_owned());
        self.write().tables.insert(key, Arc::new(prices));
    }

    /// Reads the file again and forgets all else, [set](Self::set_pricing) prices too.
    ///
    /// If the file cannot be read or is damaged, that is an error and the prices known so far stay in use.
    pub fn reload(&self) -> Result<()> {
        let tables = match self.get_pricing_file_path() {
            Some(path) => read_file(path)?,
            None => Tables::default(),
        };
        *self.write() = Cache { tables, file_is_read: true };
        Ok(())
    }

    /// Forgets all prices; the next look-up reads them again.
    pub fn clear_pricing_data(&self) {
        *self.write() = Cache::default();
    }

    /// Forgets all prices; the same as [`clear_pricing_data`](Self::clear_pricing_data).
    pub fn invalidate_pricing_cache(&self) {
        self.clear_pricing_data();
    }

    /// Forgets the prices of one driver, if there are any; the next look-up reads them again.
    pub fn invalidate_module_pricing_cache(&self, driver_type: &str, driver_name: &str) {
        let mut cache = self.write();
        cache.tables.remove(&(driver_type.to_owned(), driver_name.to_owned()));
        cache.file_is_read = false;
    }

    // Each change of the cache is a single step, so that a panic elsewhere leaves nothing half-done.
    fn read(&self) -> RwLockReadGuard<'_, Cache> {
        self.cache.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Cache> {
        self.cache.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Cache {
    /// Adds what is not known yet: prices that were set, or read before, stay.
    fn add(&mut self, tables: Tables) {
        for (key, table) in tables {
            self.tables.entry(key).or_insert(table);
        }
    }
}

fn read_file(path: &Path) -> Result<Tables> {
    let what = format!("the price file {}", path.display());
    let json = fs::read(path).map_err(|error| Error::io(format_args!("read {what}"), error))?;
    let file: PriceTable = table::parse(&what, &json)?;
    let mut tables = Vec::new();
    for (driver_type, drivers) in file {
        // Beside the services there are a time stamp and remarks.
        let Entry::Table(drivers) = drivers else { continue };
        for (driver_name, prices) in drivers {
            let Entry::Table(prices) = prices else {
                return Err(Error::invalid_argument(format!(
                    "{what} is damaged at `{driver_type}.{driver_name}`: expected a table of prices"
                )));
            };
            tables.push((driver_type.clone(), driver_name, prices));
        }
    }
    Ok(by_driver(tables))
}

fn by_driver(tables: Vec<(String, String, PriceTable)>) -> Tables {
    tables.into_iter().map(|(kind, name, table)| ((kind, name), Arc::new(table))).collect()
}

/// The prices that the functions of this crate work on.
pub fn shared() -> &'static Pricing {
    &SHARED
}

/// The file that prices are read from; see [`Pricing::get_pricing_file_path`].
pub fn get_pricing_file_path() -> Option<&'static Path> {
    SHARED.get_pricing_file_path()
}

/// The prices of a driver; see [`Pricing::get_pricing`].
pub fn get_pricing(driver_type: &str, driver_name: &str) -> Result<Arc<PriceTable>> {
    SHARED.get_pricing(driver_type, driver_name)
}

/// The price of a size; see [`Pricing::get_size_price`].
pub fn get_size_price(driver_type: &str, driver_name: &str, size_id: &str) -> Result<Price> {
    SHARED.get_size_price(driver_type, driver_name, size_id)
}

/// Sets the prices of a driver for the whole process; see [`Pricing::set_pricing`].
pub fn set_pricing(driver_type: &str, driver_name: &str, prices: PriceTable) {
    SHARED.set_pricing(driver_type, driver_name, prices);
}

/// Forgets all prices; see [`Pricing::clear_pricing_data`].
pub fn clear_pricing_data() {
    SHARED.clear_pricing_data();
}

/// Forgets all prices; see [`Pricing::invalidate_pricing_cache`].
pub fn invalidate_pricing_cache() {
    SHARED.invalidate_pricing_cache();
}

/// Forgets the prices of one driver; see [`Pricing::invalidate_module_pricing_cache`].
pub fn invalidate_module_pricing_cache(driver_type: &str, driver_name: &str) {
    SHARED.invalidate_module_pricing_cache(driver_type, driver_name);
}

#[cfg(test)]
mod tests;
