//! Price tables of the clouds, and how to look a price up.
//!
//! A table is found by the type of the driver (`compute`, `storage`) and its name in the tables. Some have the prices of
//! all regions (`ec2_linux`), some those of one (`ec2_us_east`). Prices are in US dollars an hour unless the table [says
//! otherwise](TableInfo), which also tells how old they are.
//!
//! ```
//! use libcloud_pricing::Pricing;
//!
//! let pricing = Pricing::bundled();
//! let hourly = pricing.get_size_price_in("compute", "ec2_linux", "m5.large", "eu-west-1")?;
//! assert_eq!(hourly.to_string(), "0.107");
//! let hourly = pricing.get_size_price("compute", "rackspacenovalon", "performance1-1")?;
//! assert_eq!(hourly.to_string(), "0.04");
//! # Ok::<(), libcloud_common::Error>(())
//! ```
//!
//! The functions of this crate work on one [`Pricing`] that the whole process shares. It reads the file that
//! the variable `LIBCLOUD_PRICING_FILE_PATH` names, else `~/.libcloud/pricing.json` if it exists. What the file in
//! the home folder lacks, and all if there is none, comes from the tables that are compiled in. Such a file is
//! a [`PriceFile`], JSON in the format of Apache Libcloud.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use libcloud_common::{Error, ErrorKind, Price, Result};

mod bundled;
mod download;
mod file;
mod image;
mod packed;
mod shared;
mod table;

pub use download::{DEFAULT_FILE_URL, DownloadPricing, Downloaded};
pub use file::PriceFile;
pub use shared::*;
pub use table::{Entry, PriceTable, TableInfo};

use file::Key;

static SHARED: LazyLock<Pricing> = LazyLock::new(Pricing::new);

/// The types of driver that Apache Libcloud has prices of.
const DRIVER_TYPES: [&str; 2] = ["compute", "storage"];

/// Looks prices up, and keeps what it has read until it is told to forget it.
///
/// All methods take `&self`; one value serves any number of threads. The first look-up may read a file; what is compiled
/// in is unpacked table by table, as it is asked for.
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
    tables: HashMap<Key, Arc<PriceTable>>,
    /// What was looked for in vain, so that a listing of a thousand sizes does not read the file a thousand times.
    missing: HashSet<Key>,
    /// Whether all tables of the source's file are among them.
    is_complete: bool,
    caching: Caching,
}

/// What is kept of a file that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Caching {
    /// The prices of the drivers that are asked for: the file of all providers is large. For each it is read once.
    #[default]
    Requested,
    /// All prices: the file is read once.
    All,
}

/// How to look up the prices of a driver.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct GetPricing {
    pricing_file_path: Option<PathBuf>,
    cache_all: bool,
}

impl GetPricing {
    /// From where they are always looked up.
    pub fn new() -> Self {
        Self::default()
    }

    /// From this file and no other, unless the driver's prices are known already.
    pub fn pricing_file_path(mut self, path: impl Into<PathBuf>) -> Self {
        self.pricing_file_path = Some(path.into());
        self
    }

    /// Keeps the prices of all drivers in the file, not only of this one.
    pub fn cache_all(mut self) -> Self {
        self.cache_all = true;
        self
    }
}

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

    /// What is kept of a file from now on; without it only what was asked for.
    pub fn set_caching(&self, caching: Caching) {
        self.write().caching = caching;
    }

    /// The file that prices are read from, or `None` if they are the bundled ones.
    pub fn get_pricing_file_path(&self) -> Option<&Path> {
        match &self.source {
            Source::Bundled => None,
            Source::File(path) => Some(path),
            Source::FileOrBundled(path) => path.is_file().then_some(path),
        }
    }

    /// The file that prices would be read from if it were there, and whether that is the usual one in the home folder.
    fn own_file(&self) -> Option<(&Path, bool)> {
        match &self.source {
            Source::Bundled => None,
            Source::File(path) => Some((path, false)),
            Source::FileOrBundled(path) => Some((path, true)),
        }
    }

    /// The prices of a driver.
    ///
    /// `NotFound` if there are none, `Io` if the file cannot be read, and `InvalidArgument` if it is damaged, with line,
    /// column and key, or if there are no prices of this type of driver at all.
    pub fn get_pricing(&self, driver_type: &str, driver_name: &str) -> Result<Arc<PriceTable>> {
        self.get_pricing_with(driver_type, driver_name, GetPricing::new())
    }

    /// The prices of a driver, from a file of one's own or keeping all that is in the file.
    ///
    /// Prices that are known already come first, wherever they are from. What is read from a file of one's own is known
    /// from then on, as the original has it; [`from_file`](Self::from_file) keeps it apart.
    pub fn get_pricing_with(
        &self,
        driver_type: &str,
        driver_name: &str,
        options: GetPricing,
    ) -> Result<Arc<PriceTable>> {
        let key = (driver_type.to_owned(), driver_name.to_owned());
        let own = options.pricing_file_path.as_deref();
        {
            let cache = self.read();
            if let Some(table) = cache.tables.get(&key) {
                return Ok(Arc::clone(table));
            }
            if own.is_none() && cache.missing.contains(&key) {
                return Err(self.no_prices(&key, own));
            }
        }
        // Those who wait for the lock find what the first one read.
        let mut cache = self.write();
        if !cache.tables.contains_key(&key) {
            self.fill(&mut cache, &key, &options)?;
        }
        if let Some(table) = cache.tables.get(&key) {
            return Ok(Arc::clone(table));
        }
        if own.is_none() {
            cache.missing.insert(key.clone());
        }
        drop(cache);
        Err(self.no_prices(&key, own))
    }

    /// Reads what may have the prices of this driver.
    fn fill(&self, cache: &mut Cache, key: &Key, options: &GetPricing) -> Result<()> {
        let all = options.cache_all || cache.caching == Caching::All;
        let own = options.pricing_file_path.as_deref();
        if let Some(path) = own.or_else(|| self.get_pricing_file_path().filter(|_| !cache.is_complete)) {
            let file = PriceFile::load(path, Some(key).filter(|_| !all))?;
            cache.add(file.into_tables());
            cache.is_complete |= all && own.is_none();
        }
        if own.is_some() || matches!(self.source, Source::File(_)) {
            return Ok(());
        }
        if all {
            for (kind, name, packed) in bundled::tables() {
                cache.add([((kind.to_owned(), name.to_owned()), bundled::unpack(name, packed)?)]);
            }
        } else if !cache.tables.contains_key(key)
            && let Some(table) = bundled::find(&key.0, &key.1)
        {
            cache.add([(key.clone(), table?)]);
        }
        Ok(())
    }

    fn no_prices(&self, (driver_type, driver_name): &Key, own: Option<&Path>) -> Error {
        let is_all = own.is_some() || matches!(self.source, Source::File(_));
        let place = match own.or_else(|| self.get_pricing_file_path()) {
            Some(path) if is_all => format!("in {}", path.display()),
            Some(path) => format!("in {} and the bundled tables", path.display()),
            None => "in the bundled tables".to_owned(),
        };
        let message = format!("there are no prices of the {driver_type} driver `{driver_name}` {place}");
        let is_type = DRIVER_TYPES.contains(&driver_type.as_str());
        let kind = if is_type { ErrorKind::NotFound } else { ErrorKind::InvalidArgument };
        let message = if is_type { message } else { format!("{message}; prices are of compute and storage") };
        Error::new(kind, message).with_resource("pricing", driver_name.clone())
    }

    /// The price of a size, by default of an hour.
    ///
    /// `NotFound` if the driver or the size has none; `InvalidArgument` if there is something else under the
    /// size's id, such as prices by region: [`get_size_price_in`](Self::get_size_price_in).
    pub fn get_size_price(&self, driver_type: &str, driver_name: &str, size_id: &str) -> Result<Price> {
        let table = self.get_pricing(driver_type, driver_name)?;
        let size = || format!("the size `{size_id}` of the {driver_type} driver `{driver_name}`");
        let entry = table.get(size_id).ok_or_else(|| no_price(&size(), size_id))?;
        match (entry.price(), entry) {
            (Some(price), _) => Ok(price),
            (None, Entry::Note(text)) => Err(Error::invalid_argument(format!(
                "the price of {} is `{text}`, which is not a number",
                size()
            ))),
            (None, Entry::Table(nested)) => {
                let keys = some_keys(nested);
                Err(Error::invalid_argument(format!(
                    "{} has several prices ({keys}); say which region",
                    size()
                )))
            }
            (None, Entry::Price(_)) => Err(no_price(&size(), size_id)),
        }
    }

    /// The price of a size in a region, which the table has by the provider's name of it.
    ///
    /// A table that is of one region or makes no difference between them gives its one price, a table of another region
    /// none. Errors are those of [`get_size_price`](Self::get_size_price).
    pub fn get_size_price_in(
        &self,
        driver_type: &str,
        driver_name: &str,
        size_id: &str,
        region: &str,
    ) -> Result<Price> {
        let table = self.get_pricing(driver_type, driver_name)?;
        let size = || format!("the size `{size_id}` of the {driver_type} driver `{driver_name}` in {region}");
        let is_elsewhere =
            table.info().and_then(|info| info.region.as_deref()).is_some_and(|own| own != region);
        match table.get(size_id) {
            Some(entry) if entry.price().is_some() && !is_elsewhere => {
                entry.price().ok_or_else(|| no_price(&size(), size_id))
            }
            Some(Entry::Table(regions)) if !is_elsewhere => regions.price(region).ok_or_else(|| {
                let message = format!("there is no price of {}, only for {}", size(), some_keys(regions));
                Error::new(ErrorKind::NotFound, message).with_resource("price", size_id.to_owned())
            }),
            Some(Entry::Note(_)) => self.get_size_price(driver_type, driver_name, size_id),
            _ => Err(no_price(&size(), size_id)),
        }
    }

    /// Sets the prices of a driver, until they are forgotten.
    pub fn set_pricing(&self, driver_type: &str, driver_name: &str, prices: PriceTable) {
        let key = (driver_type.to_owned(), driver_name.to_owned());
        let mut cache = self.write();
        cache.missing.remove(&key);
        cache.tables.insert(key, Arc::new(prices));
    }

    /// Driver type and driver name of every table there is: in the file, compiled in, or set. Sorted by these.
    pub fn list_pricing(&self) -> Result<Vec<(String, String)>> {
        let mut keys: Vec<Key> = self.read().tables.keys().cloned().collect();
        if let Some(path) = self.get_pricing_file_path() {
            keys.extend(PriceFile::load(path, None)?.into_tables().into_keys());
        }
        if !matches!(self.source, Source::File(_)) {
            keys.extend(bundled::tables().map(|(kind, name, _)| (kind.to_owned(), name.to_owned())));
        }
        keys.sort_unstable();
        keys.dedup();
        Ok(keys)
    }

    /// Reads the whole file again and forgets all else, [set](Self::set_pricing) prices too.
    ///
    /// If the file cannot be read or is damaged, that is an error and the prices known so far stay in use.
    pub fn reload(&self) -> Result<()> {
        let tables = match self.get_pricing_file_path() {
            Some(path) => PriceFile::load(path, None)?.into_tables(),
            None => BTreeMap::default(),
        };
        let mut cache = self.write();
        cache.forget();
        cache.add(tables);
        cache.is_complete = true;
        Ok(())
    }

    /// Forgets all prices; the next look-up reads them again.
    pub fn clear_pricing_data(&self) {
        self.write().forget();
    }

    /// Forgets all prices; the same as [`clear_pricing_data`](Self::clear_pricing_data).
    pub fn invalidate_pricing_cache(&self) {
        self.clear_pricing_data();
    }

    /// Forgets the prices of one driver, if there are any; the next look-up reads them again.
    pub fn invalidate_module_pricing_cache(&self, driver_type: &str, driver_name: &str) {
        let key = (driver_type.to_owned(), driver_name.to_owned());
        let mut cache = self.write();
        cache.tables.remove(&key);
        cache.missing.remove(&key);
        cache.is_complete = false;
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
    fn add(&mut self, tables: impl IntoIterator<Item = (Key, PriceTable)>) {
        for (key, table) in tables {
            self.missing.remove(&key);
            self.tables.entry(key).or_insert_with(|| Arc::new(table));
        }
    }

    fn forget(&mut self) {
        *self = Self { caching: self.caching, ..Self::default() };
    }
}

fn no_price(size: &str, id: &str) -> Error {
    Error::new(ErrorKind::NotFound, format!("there is no price of {size}"))
        .with_resource("price", id.to_owned())
}

/// The keys of a table for an error: a few of them.
fn some_keys(table: &PriceTable) -> String {
    const SHOWN: usize = 8;
    let mut keys: Vec<&str> = table.iter().map(|(key, _)| key).take(SHOWN).collect();
    if table.len() > SHOWN {
        keys.push("…");
    }
    keys.join(", ")
}

#[cfg(test)]
mod tests;
