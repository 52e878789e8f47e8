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
//! grid    1, count, regions, count, count × (letters shared with the key before, the other letters, a price a region)
//! ```
//!
//! Keys are sorted. A reader of all of it needs no copy of the file, and none of what it was not asked for.

use std::sync::Arc;

use libcloud_common::Price;

use crate::table::{Entry, PriceTable, TableInfo};

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
pub(crate) fn table(packed: &[u8]) -> Option<PriceTable> {
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

fn grid(reader: &mut Reader<'_>) -> Option<PriceTable> {
    let regions = (0..reader.count()?).map(|_| reader.text().map(Arc::from));
    let regions = regions.collect::<Option<Vec<Arc<str>>>>()?;
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
        let mut row = Vec::with_capacity(regions.len());
        for region in &regions {
            if let Some(price) = reader.number()?.checked_sub(1) {
                let digits = i64::try_from(price >> 3).ok()?;
                let places = u8::try_from(price & 7).ok()?;
                row.push((Arc::clone(region), Entry::Price(Price::from_decimal(digits, places)?)));
            }
        }
        rows.push((Arc::from(key.as_str()), Entry::Table(PriceTable::of(row))));
    }
    Some(PriceTable::of(rows))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_bytes_panic(bytes: Vec<u8>) {
            prop_assert!(directory(&bytes).count() <= bytes.len());
            let _ = table(&bytes);
        }

        #[test]
        fn damage_is_found_or_harmless(place in 0..200_usize, byte: u8) {
            let mut file = include_bytes!("../packed/gandi.bin").to_vec();
            let place = place % file.len();
            file[place] = byte;
            for (_, _, packed) in directory(&file) {
                let _ = table(packed);
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
