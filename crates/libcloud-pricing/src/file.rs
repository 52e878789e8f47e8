//! Price files in the format of Apache Libcloud.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io::{Read, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bzip2::read::MultiBzDecoder;
use libcloud_common::{Error, ErrorKind, Result, Timestamp, Value};
use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};

use crate::table::{Entry, PriceTable, TableInfo, TableVisitor};

/// The largest price file that is read. The original's is 5 MB.
pub(crate) const MAX_FILE: usize = 64 << 20;
/// The most that is unpacked of an archive in search of the file. The original's releases have 30 MB.
const MAX_ARCHIVE: u64 = 512 << 20;
/// Where the file is in a release of the original.
const IN_ARCHIVE: &str = "data/pricing.json";

/// By driver type and driver name.
pub(crate) type Key = (String, String);

/// A file of prices as Apache Libcloud reads and writes it.
///
/// ```json
/// {"compute": {"ec2_us_east": {"m1.small": 0.065}}, "storage": {}, "updated": 1384455373}
/// ```
///
/// A release of Apache Libcloud, `apache-libcloud-3.8.0.tar.bz2`, is read as well: the file is in it.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct PriceFile {
    tables: BTreeMap<Key, PriceTable>,
    updated: Option<Timestamp>,
}

impl PriceFile {
    /// A file without prices.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads a file, or the one in an archive.
    ///
    /// `Io` if it cannot be read, `InvalidArgument` if it is damaged, with line, column and key.
    pub fn read(path: impl AsRef<Path>) -> Result<Self> {
        Self::load(path.as_ref(), None)
    }

    /// Reads the text of a file, or an archive. `what` names it in errors.
    pub fn parse(what: &str, content: &[u8]) -> Result<Self> {
        Self::decode(what, &unpacked(what, content)?, None)
    }

    /// Reads all, or the prices of one driver; those of the others are not looked into then.
    pub(crate) fn load(path: &Path, only: Option<&Key>) -> Result<Self> {
        let what = format!("the price file {}", path.display());
        let opened = fs::File::open(path).and_then(|file| read_at_most(file, MAX_FILE));
        let content = opened.map_err(|error| Error::io(format_args!("read {what}"), error))?;
        let mut file = Self::decode(&what, &unpacked(&what, &content)?, only)?;
        file.tell_origin(path);
        Ok(file)
    }

    pub(crate) fn decode(what: &str, json: &[u8], only: Option<&Key>) -> Result<Self> {
        let mut track = serde_path_to_error::Track::new();
        let mut reader = serde_json::Deserializer::from_slice(json);
        let read =
            FileVisitor { only }.deserialize(serde_path_to_error::Deserializer::new(&mut reader, &mut track));
        let file = read.and_then(|file| reader.end().map(|()| file));
        file.map_err(|problem| {
            // `?` stands for a key or value that has not been read; `.` is the document.
            let path = track.path().to_string();
            let path = path.trim_end_matches('?').trim_end_matches('.');
            let place = if path.is_empty() { String::new() } else { format!(" at `{path}`") };
            // The problem itself ends with line and column.
            Error::invalid_argument(format!("{what} is damaged{place}: {problem}"))
        })
    }

    /// Lets every table know the file, if that says how old it is.
    fn tell_origin(&mut self, path: &Path) {
        let Some(updated) = self.updated else { return };
        let info = Arc::new(TableInfo {
            currency: "USD".to_owned(),
            unit: "hour".to_owned(),
            region: None,
            source: path.display().to_string(),
            date: updated.format("%Y-%m-%d"),
            older: BTreeMap::new(),
            file: Some(path.to_owned()),
        });
        for table in self.tables.values_mut() {
            *table = std::mem::take(table).with_info(Arc::clone(&info));
        }
    }

    /// The prices of a driver.
    pub fn get(&self, driver_type: &str, driver_name: &str) -> Option<&PriceTable> {
        self.tables.get(&(driver_type.to_owned(), driver_name.to_owned()))
    }

    /// Puts in the prices of a driver, and gives those that were there.
    pub fn insert(&mut self, driver_type: &str, driver_name: &str, prices: PriceTable) -> Option<PriceTable> {
        self.tables.insert((driver_type.to_owned(), driver_name.to_owned()), prices)
    }

    /// Driver type, driver name and prices of each driver, sorted by these.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str, &PriceTable)> {
        self.tables.iter().map(|((kind, name), table)| (kind.as_str(), name.as_str(), table))
    }

    /// When the prices were put together.
    pub fn updated(&self) -> Option<Timestamp> {
        self.updated
    }

    /// Says when the prices were put together. The original's own download refuses a file that does not say it.
    pub fn set_updated(&mut self, updated: Timestamp) {
        self.updated = Some(updated);
    }

    /// Writes the file, or leaves the one that is there as it is.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let json = serde_json::to_vec_pretty(self).map_err(|error| Error::malformed("prices", error))?;
        replace(path, &json)
    }

    pub(crate) fn into_tables(self) -> BTreeMap<Key, PriceTable> {
        self.tables
    }
}

impl Serialize for PriceFile {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // The original wants both, if only to find them empty.
        let mut services = BTreeMap::from([("compute", BTreeMap::new()), ("storage", BTreeMap::new())]);
        for (kind, name, table) in self.iter() {
            services.entry(kind).or_default().insert(name, table);
        }
        let mut map = serializer.serialize_map(None)?;
        for (kind, drivers) in &services {
            map.serialize_entry(kind, drivers)?;
        }
        if let Some(updated) = self.updated {
            map.serialize_entry("updated", &updated.unix_seconds())?;
        }
        map.end()
    }
}

/// Writes a file beside its place and moves it there when it is whole.
pub(crate) fn replace(path: &Path, content: &[u8]) -> Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut builder = tempfile::Builder::new();
    builder.prefix(".pricing");
    // Nothing in it is secret: others may read it as any file.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let written = builder.tempfile_in(folder).and_then(|mut file| {
        file.write_all(content)?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|error| error.error)
    });
    written.map(drop).map_err(|error| Error::io(format_args!("write {}", path.display()), error))
}

fn read_at_most(reader: impl Read, limit: usize) -> std::io::Result<Vec<u8>> {
    let mut content = Vec::new();
    reader.take(limit as u64 + 1).read_to_end(&mut content)?;
    if content.len() > limit {
        let message = format!("it is larger than {limit} bytes");
        return Err(std::io::Error::new(std::io::ErrorKind::FileTooLarge, message));
    }
    Ok(content)
}

/// The text of a price file, which may be in an archive.
pub(crate) fn unpacked<'a>(what: &str, content: &'a [u8]) -> Result<Cow<'a, [u8]>> {
    unpacked_within(MAX_FILE, what, content)
}

fn unpacked_within<'a>(limit: usize, what: &str, content: &'a [u8]) -> Result<Cow<'a, [u8]>> {
    if !content.starts_with(b"BZh") {
        return Ok(content.into());
    }
    let damaged =
        |problem: &dyn fmt::Display| Error::invalid_argument(format!("{what} is damaged: {problem}"));
    let mut archive = tar::Archive::new(MultiBzDecoder::new(content).take(MAX_ARCHIVE));
    for entry in archive.entries().map_err(|error| damaged(&error))? {
        let entry = entry.map_err(|error| damaged(&error))?;
        let path: PathBuf = entry.path().map_err(|error| damaged(&error))?.into_owned();
        if entry.header().entry_type().is_file()
            && (path.ends_with(IN_ARCHIVE) || path == Path::new("pricing.json"))
        {
            return read_at_most(entry, limit).map(Into::into).map_err(|error| damaged(&error));
        }
    }
    Err(Error::new(ErrorKind::NotFound, format!("{what} is an archive without {IN_ARCHIVE}")))
}

struct FileVisitor<'a> {
    only: Option<&'a Key>,
}

impl<'de> DeserializeSeed<'de> for FileVisitor<'_> {
    type Value = PriceFile;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<PriceFile, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for FileVisitor<'_> {
    type Value = PriceFile;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<PriceFile, A::Error> {
        let mut file = PriceFile::default();
        while let Some(driver_type) = map.next_key::<String>()? {
            if driver_type == "updated" {
                let seconds = map.next_value::<Value>()?;
                let seconds = seconds.as_i64().or_else(|| seconds.as_str()?.parse().ok());
                // Zero is what the original takes for nothing, too.
                file.updated = seconds
                    .filter(|seconds| *seconds != 0)
                    .and_then(|seconds| Timestamp::from_unix_seconds(seconds).ok());
                continue;
            }
            let only = self.only.map(|(kind, name)| (kind == &driver_type, name.as_str()));
            for (driver_name, table) in map.next_value_seed(ServiceVisitor { only })? {
                file.tables.insert((driver_type.clone(), driver_name), table);
            }
        }
        Ok(file)
    }
}

/// The drivers of a service. Beside the services there are remarks, which are no maps.
struct ServiceVisitor<'a> {
    /// Whether the driver that is asked for is of this service, and its name.
    only: Option<(bool, &'a str)>,
}

impl<'de> DeserializeSeed<'de> for ServiceVisitor<'_> {
    type Value = Vec<(String, PriceTable)>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ServiceVisitor<'_> {
    type Value = Vec<(String, PriceTable)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the prices of drivers")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut drivers = Vec::new();
        while let Some(name) = map.next_key::<String>()? {
            if self.only.is_some_and(|(is_here, only)| !is_here || name != only) {
                map.next_value::<IgnoredAny>()?;
            } else {
                let table = map.next_value_seed(TableSeed)?;
                drivers.push((name, table));
            }
        }
        Ok(drivers)
    }

    fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
        Ok(Vec::new())
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Vec::new())
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<Self::Value, E> {
        Ok(Vec::new())
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<Self::Value, E> {
        Ok(Vec::new())
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Vec::new())
    }

    fn visit_str<E: de::Error>(self, _: &str) -> Result<Self::Value, E> {
        Ok(Vec::new())
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Vec::new())
    }
}

struct TableSeed;

impl<'de> DeserializeSeed<'de> for TableSeed {
    type Value = PriceTable;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<PriceTable, D::Error> {
        deserializer.deserialize_map(TableVisitor)
    }
}

/// What is wrong with prices that can be read: there have to be some, and none below zero.
pub(crate) fn implausible(file: &PriceFile) -> Option<String> {
    fn count(table: &PriceTable, below: &mut Option<String>) -> usize {
        let mut prices = 0;
        for (key, entry) in table.iter() {
            match entry {
                Entry::Price(price) => {
                    prices += 1;
                    if *price < libcloud_common::Price::ZERO {
                        *below = Some(format!("the price of `{key}` is {price}"));
                    }
                }
                Entry::Table(inner) => prices += count(inner, below),
                Entry::Note(_) => {}
            }
        }
        prices
    }
    let mut below = None;
    let prices: usize = file.iter().map(|(_, _, table)| count(table, &mut below)).sum();
    match (prices, file.updated()) {
        (0, _) => Some("there are no prices in it".to_owned()),
        (_, None) => Some("it does not say when it was `updated`".to_owned()),
        _ => below,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_blows_up_when_it_is_unpacked_is_refused() {
        let content = [b' '; 10_000];
        let mut archive = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_ustar();
        header.set_size(content.len() as u64);
        archive.append_data(&mut header, "libcloud/data/pricing.json", &content[..]).unwrap();
        let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::best());
        encoder.write_all(&archive.into_inner().unwrap()).unwrap();
        let packed = encoder.finish().unwrap();
        assert!(packed.len() < 1000);
        assert_eq!(unpacked_within(content.len(), "it", &packed).unwrap(), &content[..]);
        let error = unpacked_within(content.len() - 1, "it", &packed).unwrap_err();
        assert_eq!(error.message(), "it is damaged: it is larger than 9999 bytes");
    }
}
