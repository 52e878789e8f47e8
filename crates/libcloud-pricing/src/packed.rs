//! The form in which the tables are compiled in. `cargo xtask pricing build` writes it from the files of `data`.
//!
//! A number is in base 128, least significant digit first, 128 added to all digits but the last. A text is its length and
//! its UTF-8. A price is `1 + 8 × digits + decimal places`; 0 is none.
//!
//! ```text
//! file    count, count × (driver type, driver name, length of the table), tables
//! table   currency, unit, region, source, date
//!         count, count × (key, day of its price)
//!         prices, or grid
//! prices  0, count, count × (key, 0, sign, digits, decimal places | 1, prices | 2, text)
//! grid    1, count, regions, count, count × (letters shared with the key before, the other letters, row)
//! row     its length, a price a region
//! ```
//!
//! Keys are sorted. Of a table that is asked for the keys are read; a row stays as it is until somebody looks at it.

use std::sync::Arc;

use libcloud_common::Price;

use crate::table::{Entry, PriceTable, Sorted, TableInfo};

/// What is left to read. Every method gives `None` where that is not what it should be.
#[derive(Clone, Copy)]
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn number(&mut self) -> Option<u64> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7F) << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    fn count(&mut self) -> Option<usize> {
        let count = usize::try_from(self.number()?).ok()?;
        // Nothing takes less than a byte, so that a wrong count reserves no memory.
        (count <= self.0.len()).then_some(count)
    }

    fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = self.count()?;
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes)
    }

    fn text(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.bytes()?).ok()
    }
}

/// What a file announces: driver type, driver name, and the packed table.
pub(crate) fn directory(file: &[u8]) -> impl Iterator<Item = (&str, &str, &[u8])> {
    let mut head = Reader(file);
    let count = head.count().unwrap_or(0);
    let mut tables = head;
    for _ in 0..count {
        let _ = (tables.text(), tables.text(), tables.number());
    }
    (0..count).map_while(move |_| {
        let (driver_type, driver_name) = (head.text()?, head.text()?);
        let length = usize::try_from(head.number()?).ok()?;
        let (table, rest) = tables.0.split_at_checked(length)?;
        tables.0 = rest;
        Some((driver_type, driver_name, table))
    })
}

/// A packed table; nothing if it is damaged.
pub(crate) fn table(packed: &'static [u8]) -> Option<PriceTable> {
    let mut reader = Reader(packed);
    let info = info(&mut reader)?;
    let table = match reader.byte()? {
        0 => prices(&mut reader)?,
        1 => grid(&mut reader)?,
        _ => return None,
    };
    reader.0.is_empty().then(|| table.with_info(Arc::new(info)))
}

fn info(reader: &mut Reader<'_>) -> Option<TableInfo> {
    let mut text = || reader.text().map(str::to_owned);
    let (currency, unit, region, source, date) = (text()?, text()?, text()?, text()?, text()?);
    let older = (0..reader.count()?).map(|_| Some((reader.text()?.to_owned(), reader.text()?.to_owned())));
    let older = older.collect::<Option<_>>()?;
    let region = Some(region).filter(|region| !region.is_empty());
    Some(TableInfo { currency, unit, region, source, date, older, file: None })
}

fn prices(reader: &mut Reader<'_>) -> Option<PriceTable> {
    let count = reader.count()?;
    let mut entries = Vec::with_capacity(count);
    for _ in 0..count {
        let key = reader.text()?.into();
        let entry = match reader.byte()? {
            0 => {
                let is_negative = reader.byte()? == 1;
                let digits = i64::try_from(reader.number()?).ok()?;
                let digits = if is_negative { -digits } else { digits };
                Entry::Price(Price::from_decimal(digits, reader.byte()?)?)
            }
            1 => Entry::Table(prices(reader)?),
            2 => Entry::Note(reader.text()?.to_owned()),
            _ => return None,
        };
        entries.push((key, entry));
    }
    Some(PriceTable::of(entries))
}

fn grid(reader: &mut Reader<'static>) -> Option<PriceTable> {
    let regions = (0..reader.count()?).map(|_| reader.text().map(Arc::from));
    let regions = regions.collect::<Option<Arc<[Arc<str>]>>>()?;
    let count = reader.count()?;
    let mut rows = Vec::with_capacity(count);
    let mut key = String::new();
    for _ in 0..count {
        let shared = usize::try_from(reader.number()?).ok()?;
        if !key.is_char_boundary(shared) {
            return None;
        }
        key.truncate(shared);
        key.push_str(reader.text()?);
        let row = PriceTable::packed(reader.bytes()?, &regions);
        rows.push((Arc::from(key.as_str()), Entry::Table(row)));
    }
    Some(PriceTable::of(rows))
}

/// The prices of a row; it ends where it is damaged.
pub(crate) fn row(packed: &[u8], regions: &[Arc<str>]) -> Sorted {
    let mut reader = Reader(packed);
    let mut prices = Vec::with_capacity(regions.len());
    for region in regions {
        let Some(number) = reader.number() else { break };
        let Some(price) = number.checked_sub(1) else { continue };
        let (digits, places) = (i64::try_from(price >> 3), u8::try_from(price & 7));
        let (Ok(digits), Ok(places)) = (digits, places) else { break };
        if let Some(price) = Price::from_decimal(digits, places) {
            prices.push((Arc::clone(region), Entry::Price(price)));
        }
    }
    prices
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A file of one table by region.
    const GRID: &[u8] =
        b"\x01\x07compute\x01p\x39\x03USD\x04hour\x00\x01s\x0a2025-03-02\x00\x01\x02\x02eu\x02us\x02\
        \x00\x08m1.large\x02\x2a\x00\x03\x05small\x03\x00\xa1\x01";

    fn look(table: Option<PriceTable>) {
        for (_, entry) in table.iter().flat_map(PriceTable::iter) {
            if let Entry::Table(row) = entry {
                let _ = row.len();
            }
        }
    }

    #[test]
    fn a_grid_is_read_row_by_row() {
        let (_, _, packed) = directory(GRID).next().unwrap();
        let table = table(packed).unwrap();
        let json = serde_json::to_string(&table).unwrap();
        assert_eq!(json, r#"{"m1.large":{"eu":0.5},"m1.small":{"us":20}}"#);
    }

    #[test]
    fn a_row_can_be_added_to() {
        let (_, _, packed) = directory(GRID).next().unwrap();
        let mut table = table(packed).unwrap();
        let Some(Entry::Table(mut row)) = table.get("m1.large").cloned() else { panic!("no row") };
        assert_eq!(row.insert("ap", Entry::Price(Price::from_cents(1))), None);
        table.insert("m1.large", Entry::Table(row));
        assert!(table.info().is_some());
        assert_eq!(
            serde_json::to_string(&table).unwrap(),
            r#"{"m1.large":{"ap":0.01,"eu":0.5},"m1.small":{"us":20}}"#
        );
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes: Vec<u8>) {
            prop_assert!(directory(&bytes).count() <= bytes.len());
            look(table(bytes.leak()));
        }

        #[test]
        fn damage_is_found_or_harmless(place in 0..200_usize, byte: u8) {
            for file in [&include_bytes!("../packed/gandi.bin")[..], GRID] {
                let mut file = file.to_vec();
                let place = place % file.len();
                file[place] = byte;
                for (_, _, packed) in directory(file.leak()) {
                    look(table(packed));
                }
            }
        }
    }

    #[test]
    fn a_number_ends() {
        assert_eq!(Reader(&[0x96, 0x01, 7]).number(), Some(150));
        assert_eq!(Reader(&[0xFF; 20]).number(), None);
        assert_eq!(Reader(&[0x80]).number(), None);
    }
}
