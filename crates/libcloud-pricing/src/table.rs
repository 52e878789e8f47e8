//! Price tables.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use libcloud_common::{Price, Result};
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, MapAccess, Visitor};
use serde::ser::SerializeMap as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::packed;

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
#[derive(Clone, Default)]
pub struct PriceTable {
    entries: Entries,
    info: Option<Arc<TableInfo>>,
}

/// Sorted by key, each key once.
pub(crate) type Sorted = Vec<(Arc<str>, Entry)>;

#[derive(Clone)]
enum Entries {
    Here(Sorted),
    Packed(Box<Row>),
}

/// The prices of one size by region, as they are compiled in until somebody looks at them: of hundreds of sizes a
/// program is interested in a few.
#[derive(Clone)]
struct Row {
    packed: &'static [u8],
    /// The names of the regions, which all rows share.
    regions: Arc<[Arc<str>]>,
    unpacked: OnceLock<Sorted>,
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
    /// The day they were taken from the source, as `2025-03-02`.
    pub date: String,
    /// Keys whose price is from an earlier day, with that day: what the newer list does not have any more.
    pub older: BTreeMap<String, String>,
    /// The file that the table was read from; none for a bundled one.
    pub file: Option<PathBuf>,
}

impl Entry {
    /// The price, which may be told with an article number: `{"price": 0.399, "sku": …}`.
    pub fn price(&self) -> Option<Price> {
        match self {
            Self::Price(price) => Some(*price),
            Self::Table(table) => match table.get("price")? {
                Self::Price(price) => Some(*price),
                Self::Table(_) | Self::Note(_) => None,
            },
            Self::Note(_) => None,
        }
    }
}

impl PriceTable {
    /// Of entries in any order; the last of those with one key is taken.
    pub(crate) fn of(mut entries: Sorted) -> Self {
        if !entries.is_sorted_by(|(one, _), (next, _)| one < next) {
            entries.sort_by(|(one, _), (next, _)| one.cmp(next));
            entries.dedup_by(|later, kept| {
                let same = later.0 == kept.0;
                if same {
                    std::mem::swap(later, kept);
                }
                same
            });
        }
        Self { entries: Entries::Here(entries), info: None }
    }

    /// Of a packed row.
    pub(crate) fn packed(packed: &'static [u8], regions: &Arc<[Arc<str>]>) -> Self {
        let row = Row { packed, regions: Arc::clone(regions), unpacked: OnceLock::new() };
        Self { entries: Entries::Packed(Box::new(row)), info: None }
    }

    fn entries(&self) -> &[(Arc<str>, Entry)] {
        match &self.entries {
            Entries::Here(entries) => entries,
            Entries::Packed(row) => row.unpacked.get_or_init(|| packed::row(row.packed, &row.regions)),
        }
    }

    /// What is under this key.
    pub fn get(&self, key: &str) -> Option<&Entry> {
        let entries = self.entries();
        let place = entries.binary_search_by(|(own, _)| (**own).cmp(key)).ok()?;
        entries.get(place).map(|(_, entry)| entry)
    }

    /// The price under this key, if there is one.
    pub fn price(&self, key: &str) -> Option<Price> {
        self.get(key)?.price()
    }

    /// The table under this key, if there is one.
    pub fn table(&self, key: &str) -> Option<&Self> {
        match self.get(key)? {
            Entry::Table(table) => Some(table),
            Entry::Price(_) | Entry::Note(_) => None,
        }
    }

    /// Puts something under this key, and gives what was there.
    pub fn insert(&mut self, key: impl AsRef<str>, entry: Entry) -> Option<Entry> {
        let key = key.as_ref();
        let info = self.info.take();
        let mut entries = std::mem::take(self).into_sorted();
        let old = match entries.binary_search_by(|(own, _)| (**own).cmp(key)) {
            Ok(place) => entries.get_mut(place).map(|(_, old)| std::mem::replace(old, entry)),
            Err(place) => {
                entries.insert(place, (key.into(), entry));
                None
            }
        };
        *self = Self { entries: Entries::Here(entries), info };
        old
    }

    /// All keys with what is under them, sorted by key.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Entry)> {
        self.entries().iter().map(|(key, entry)| (&**key, entry))
    }

    /// The number of keys.
    pub fn len(&self) -> usize {
        self.entries().len()
    }

    /// Whether there is nothing in the table.
    pub fn is_empty(&self) -> bool {
        self.entries().is_empty()
    }

    /// Origin, currency and unit. Bundled tables have them, and those of a file that tells when it was written; tables
    /// inside a table have those of the outer one.
    pub fn info(&self) -> Option<&TableInfo> {
        self.info.as_deref()
    }

    /// The day of the price under this key, as `2025-03-02`, if that is known.
    pub fn date_of(&self, key: &str) -> Option<&str> {
        let info = self.info.as_deref()?;
        Some(info.older.get(key).unwrap_or(&info.date))
    }

    fn into_sorted(self) -> Sorted {
        match self.entries {
            Entries::Here(entries) => entries,
            Entries::Packed(row) => {
                let Row { packed, regions, unpacked } = *row;
                unpacked.into_inner().unwrap_or_else(|| packed::row(packed, &regions))
            }
        }
    }

    pub(crate) fn with_info(mut self, info: Arc<TableInfo>) -> Self {
        self.info = Some(info);
        self
    }
}

impl Default for Entries {
    fn default() -> Self {
        Self::Here(Vec::new())
    }
}

impl PartialEq for PriceTable {
    fn eq(&self, other: &Self) -> bool {
        self.entries() == other.entries() && self.info == other.info
    }
}

impl Eq for PriceTable {}

impl fmt::Debug for PriceTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl IntoIterator for PriceTable {
    type Item = (String, Entry);
    type IntoIter = std::vec::IntoIter<(String, Entry)>;

    fn into_iter(self) -> Self::IntoIter {
        let entries = self.into_sorted().into_iter().map(|(key, entry)| (String::from(&*key), entry));
        entries.collect::<Vec<_>>().into_iter()
    }
}

impl<K: Into<String>> FromIterator<(K, Price)> for PriceTable {
    fn from_iter<I: IntoIterator<Item = (K, Price)>>(prices: I) -> Self {
        let entries = prices.into_iter().map(|(key, price)| (key.into().into(), Entry::Price(price)));
        Self::of(entries.collect())
    }
}

impl Serialize for PriceTable {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.len()))?;
        for (key, entry) in self.iter() {
            map.serialize_entry(key, entry)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for PriceTable {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(TableVisitor)
    }
}

pub(crate) struct TableVisitor;

impl<'de> Visitor<'de> for TableVisitor {
    type Value = PriceTable;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table of prices")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<PriceTable, A::Error> {
        let mut entries = Vec::new();
        // Newer files have null for a price that is not known, which is as good as no entry.
        while let Some((key, entry)) = map.next_entry::<String, Option<Entry>>()? {
            if let Some(entry) = entry {
                entries.push((key.into(), entry));
            }
        }
        Ok(PriceTable::of(entries))
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
