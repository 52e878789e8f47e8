//! Price tables and how they are read.

use std::collections::BTreeMap;
use std::collections::btree_map;
use std::fmt;

use libcloud_common::{Error, ErrorKind, Price, Result};
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, DeserializeOwned, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Prices by size id, or by whatever else the provider charges for.
///
/// Most tables are flat. Some are nested, by region or licence for example; then an [`Entry`] is a table again.
///
/// ```
/// use libcloud_common::Price;
/// use libcloud_pricing::PriceTable;
///
/// let table: PriceTable = [("small", Price::from_cents(5)), ("large", Price::from_cents(20))].into_iter().collect();
/// assert_eq!(table.price("small"), Some(Price::from_cents(5)));
/// assert_eq!(table.price("huge"), None);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct PriceTable {
    entries: BTreeMap<String, Entry>,
    info: Option<TableInfo>,
}

/// What a price table has under one key.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Entry {
    /// A price, in the currency and per the unit of the table.
    Price(Price),
    /// A table inside the table.
    Table(PriceTable),
    /// A text that is not a price: a description or an article number.
    Note(String),
}

/// Where a table of prices comes from and what it counts in.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TableInfo {
    /// The currency by its ISO 4217 code.
    pub currency: String,
    /// What the price is for, such as `hour`.
    pub unit: String,
    /// The provider's region that the prices hold for, if they differ by region.
    pub region: Option<String>,
    /// Who published the prices.
    pub source: String,
    /// When they were in force: a year, or year, month and day.
    pub date: String,
}

impl PriceTable {
    /// What is under this key.
    pub fn get(&self, key: &str) -> Option<&Entry> {
        self.entries.get(key)
    }

    /// The price under this key, if there is one.
    pub fn price(&self, key: &str) -> Option<Price> {
        match self.get(key)? {
            Entry::Price(price) => Some(*price),
            Entry::Table(_) | Entry::Note(_) => None,
        }
    }

    /// The table under this key, if there is one.
    pub fn table(&self, key: &str) -> Option<&Self> {
        match self.get(key)? {
            Entry::Table(table) => Some(table),
            Entry::Price(_) | Entry::Note(_) => None,
        }
    }

    /// All keys with what is under them, sorted by key.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Entry)> {
        self.entries.iter().map(|(key, entry)| (key.as_str(), entry))
    }

    /// The number of keys.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is nothing in the table.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Origin, currency and unit. Only bundled tables have them: the format of price files has no place for them.
    pub fn info(&self) -> Option<&TableInfo> {
        self.info.as_ref()
    }

    pub(crate) fn with_info(mut self, info: TableInfo) -> Self {
        self.info = Some(info);
        self
    }
}

impl IntoIterator for PriceTable {
    type Item = (String, Entry);
    type IntoIter = btree_map::IntoIter<String, Entry>;

    fn into_iter(self) -> Self::IntoIter {
        self.entries.into_iter()
    }
}

impl<K: Into<String>> FromIterator<(K, Price)> for PriceTable {
    fn from_iter<I: IntoIterator<Item = (K, Price)>>(prices: I) -> Self {
        let entries = prices.into_iter().map(|(key, price)| (key.into(), Entry::Price(price))).collect();
        Self { entries, info: None }
    }
}

impl Serialize for PriceTable {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.entries.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for PriceTable {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Newer files have null for a price that is not known, which is as good as no entry.
        let entries: BTreeMap<String, Option<Entry>> = Deserialize::deserialize(deserializer)?;
        let entries = entries.into_iter().filter_map(|(key, entry)| Some((key, entry?))).collect();
        Ok(Self { entries, info: None })
    }
}

impl Serialize for Entry {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Price(price) => price.serialize(serializer),
            Self::Table(table) => table.serialize(serializer),
            Self::Note(text) => text.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Entry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Not an untagged enum, which would lose the place and the reason of an error.
        deserializer.deserialize_any(EntryVisitor)
    }
}

struct EntryVisitor;

impl<'de> Visitor<'de> for EntryVisitor {
    type Value = Entry;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a price or a table of prices")
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Entry, E> {
        self.visit_price(de::value::I64Deserializer::new(value))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Entry, E> {
        self.visit_price(de::value::U64Deserializer::new(value))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Entry, E> {
        self.visit_price(de::value::F64Deserializer::new(value))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Entry, E> {
        Ok(text.parse().map_or_else(|_| Entry::Note(text.to_owned()), Entry::Price))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Entry, A::Error> {
        PriceTable::deserialize(MapAccessDeserializer::new(map)).map(Entry::Table)
    }
}

impl EntryVisitor {
    #[expect(clippy::unused_self, reason = "reads as one of the visitor's methods")]
    fn visit_price<'de, D: Deserializer<'de>>(self, number: D) -> Result<Entry, D::Error> {
        Price::deserialize(number).map(Entry::Price)
    }
}

/// Reads JSON; an error says where in the text and at which key. `what` names the text.
pub(crate) fn parse<T: DeserializeOwned>(what: &str, json: &[u8]) -> Result<T> {
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    let damaged = |path: &str, problem: serde_json::Error| {
        // `?` stands for a key or value that has not been read; `.` is the document.
        let path = path.trim_end_matches('?').trim_end_matches('.');
        let place = if path.is_empty() { String::new() } else { format!(" at `{path}`") };
        // The problem itself ends with line and column.
        Error::new(ErrorKind::InvalidArgument, format!("{what} is damaged{place}: {problem}"))
    };
    let value = serde_path_to_error::deserialize(&mut deserializer)
        .map_err(|error| damaged(&error.path().to_string(), error.into_inner()))?;
    deserializer.end().map_err(|error| damaged(".", error))?;
    Ok(value)
}
