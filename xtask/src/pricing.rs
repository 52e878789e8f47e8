//! The bundled price tables: from the readable files of `crates/libcloud-pricing/data` to what is compiled in.
//!
//! The packed form is described in `crates/libcloud-pricing/src/packed.rs`, which reads it; a test there compares both.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use crate::{Result, run};

const CRATE: &str = "crates/libcloud-pricing";

/// Writes the packed files.
pub(crate) fn build() -> Result {
    let packed = packed_folder();
    std::fs::create_dir_all(&packed).map_err(|error| format!("{}: {error}", packed.display()))?;
    let files = files()?;
    for leftover in leftovers(&files)? {
        std::fs::remove_file(&leftover).map_err(|error| format!("{}: {error}", leftover.display()))?;
    }
    let mut size = 0;
    for (name, bytes) in &files {
        let path = packed.join(name).with_extension("bin");
        std::fs::write(&path, bytes).map_err(|error| format!("{}: {error}", path.display()))?;
        size += bytes.len();
    }
    println!("pricing: {} files, {size} bytes packed", files.len());
    Ok(())
}

/// Fails if a file of `data` is not as it should be, or is not what is packed and compiled in.
pub(crate) fn check() -> Result {
    let packed = packed_folder();
    let bundled = run::root().join(CRATE).join("src/bundled.rs");
    let code =
        std::fs::read_to_string(&bundled).map_err(|error| format!("{}: {error}", bundled.display()))?;
    let files = files()?;
    let mut problems = Vec::new();
    for (name, bytes) in &files {
        let path = packed.join(name).with_extension("bin");
        if std::fs::read(&path).ok().as_ref() != Some(bytes) {
            problems.push(format!("{} is out of date: run `cargo xtask pricing build`", path.display()));
        }
        if !code.contains(&format!("include_bytes!(\"../packed/{name}.bin\")")) {
            problems.push(format!("{} does not compile {name}.bin in", bundled.display()));
        }
    }
    problems.extend(leftovers(&files)?.iter().map(|path| format!("{} is of no file", path.display())));
    if problems.is_empty() {
        println!("pricing: {} files, all packed as they are", files.len());
        Ok(())
    } else {
        Err(problems.join("\n"))
    }
}

fn packed_folder() -> PathBuf {
    run::root().join(CRATE).join("packed")
}

/// The name of every file of `data`, with what it is packed to.
fn files() -> Result<Vec<(String, Vec<u8>)>> {
    let mut files = Vec::new();
    let mut tables = BTreeSet::new();
    for path in entries(&run::root().join(CRATE).join("data"))? {
        let text = std::fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let packed = serde_json::from_slice(&text)
            .map_err(|error| error.to_string())
            .and_then(|file| pack(&file, &mut tables))
            .map_err(|problem| format!("{}: {problem}", path.display()))?;
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        files.push((name, packed));
    }
    if files.is_empty() { Err("pricing: there are no files".into()) } else { Ok(files) }
}

/// What lies in the folder of packed files and belongs to none of these.
fn leftovers(files: &[(String, Vec<u8>)]) -> Result<Vec<PathBuf>> {
    let mut paths = entries(&packed_folder())?;
    let is_of_a_file = |path: &Path| {
        path.extension().is_some_and(|extension| extension == "bin")
            && path.file_stem().is_some_and(|stem| files.iter().any(|(name, _)| stem == name.as_str()))
    };
    paths.retain(|path| !is_of_a_file(path));
    Ok(paths)
}

/// The paths in a folder, sorted.
fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let wrong = |error: std::io::Error| format!("{}: {error}", folder.display());
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(wrong)? {
        paths.push(entry.map_err(wrong)?.path());
    }
    paths.sort();
    Ok(paths)
}

/// Packs one file. `known` has the tables of the files before it.
fn pack(file: &Value, known: &mut BTreeSet<(String, String)>) -> Result<Vec<u8>> {
    let file = object(file, "the file")?;
    only(file, &["provider", "source", "currency", "unit", "tables"])?;
    text(file, "provider")?;
    let (mut head, mut body) = (Packer::default(), Vec::new());
    let mut count = 0;
    for (driver_type, drivers) in object(file.get("tables").unwrap_or(&Value::Null), "tables")? {
        for (driver_name, table) in object(drivers, driver_type)? {
            let packed = pack_table(file, table).map_err(|problem| format!("{driver_name}: {problem}"))?;
            if !known.insert((driver_type.clone(), driver_name.clone())) {
                return Err(format!("{driver_name} is in two files"));
            }
            head.text(driver_type);
            head.text(driver_name);
            head.number(packed.len());
            body.extend(packed);
            count += 1;
        }
    }
    if count == 0 {
        return Err("there are no tables".into());
    }
    let mut packed = Packer::default();
    packed.number(count);
    packed.0.extend(head.0);
    packed.0.extend(body);
    Ok(packed.0)
}

fn pack_table(file: &Map<String, Value>, table: &Value) -> Result<Vec<u8>> {
    let table = object(table, "the table")?;
    only(table, &["date", "region", "unit", "regions", "prices", "older"])?;
    let currency = text(file, "currency")?;
    if currency.len() != 3 || !currency.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Err(format!("`{currency}` is no currency of ISO 4217"));
    }
    let date = text(table, "date")?;
    is_date(date)?;
    let mut packed = Packer::default();
    packed.text(currency);
    packed.text(text(if table.contains_key("unit") { table } else { file }, "unit")?);
    packed.text(if table.contains_key("region") { text(table, "region")? } else { "" });
    packed.text(text(file, "source")?);
    packed.text(date);

    let mut prices = object(table.get("prices").unwrap_or(&Value::Null), "prices")?.clone();
    let mut older = Vec::new();
    if let Some(lists) = table.get("older") {
        for (earlier, list) in object(lists, "older")? {
            is_date(earlier)?;
            if earlier.as_str() >= date {
                return Err(format!("{earlier} is not older than {date}"));
            }
            for (key, price) in object(list, earlier)? {
                older.push((key.clone(), earlier));
                if prices.insert(key.clone(), price.clone()).is_some() {
                    return Err(format!("`{key}` is older and newer"));
                }
            }
        }
    }
    packed.number(older.len());
    for (key, earlier) in &older {
        packed.text(key);
        packed.text(earlier);
    }
    match table.get("regions") {
        Some(_) if !older.is_empty() => return Err("a table by region has no older prices".into()),
        Some(regions) => pack_grid(&mut packed, regions, &prices)?,
        None => {
            packed.0.push(0);
            pack_prices(&mut packed, &prices)?;
        }
    }
    Ok(packed.0)
}

fn pack_prices(packed: &mut Packer, prices: &Map<String, Value>) -> Result {
    if prices.is_empty() {
        return Err("a table is empty".into());
    }
    packed.number(prices.len());
    for (key, entry) in prices {
        packed.text(key);
        match entry {
            Value::Number(number) => {
                let (digits, places) = decimal(&number.to_string()).map_err(|why| format!("{key}: {why}"))?;
                packed.0.extend([0, 0]);
                packed.number(digits);
                packed.0.push(places);
            }
            Value::Object(inner) => {
                packed.0.push(1);
                pack_prices(packed, inner).map_err(|problem| format!("{key}: {problem}"))?;
            }
            Value::String(note) => {
                packed.0.push(2);
                packed.text(note);
            }
            other => return Err(format!("{key}: `{other}` is no price")),
        }
    }
    Ok(())
}

fn pack_grid(packed: &mut Packer, regions: &Value, rows: &Map<String, Value>) -> Result {
    let regions: Vec<&str> = regions.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    if regions.is_empty() || !regions.is_sorted_by(|one, next| one < next) {
        return Err("regions are a sorted list of names".into());
    }
    packed.0.push(1);
    packed.number(regions.len());
    for region in &regions {
        packed.text(region);
    }
    packed.number(rows.len());
    let mut before = "";
    for (key, cells) in rows {
        let cells = cells.as_array().filter(|cells| cells.len() == regions.len());
        let cells =
            cells.ok_or_else(|| format!("{key}: not one price for each of {} regions", regions.len()))?;
        if cells.iter().all(Value::is_null) {
            return Err(format!("{key}: no price in any region"));
        }
        let mut shared = before.bytes().zip(key.bytes()).take_while(|(one, other)| one == other).count();
        while !key.is_char_boundary(shared) {
            shared -= 1;
        }
        packed.number(shared);
        packed.text(key.get(shared..).unwrap_or_default());
        let mut row = Packer::default();
        for cell in cells {
            match cell {
                Value::Null => row.number(0),
                Value::Number(number) => {
                    let (digits, places) =
                        decimal(&number.to_string()).map_err(|why| format!("{key}: {why}"))?;
                    if places > 7 {
                        return Err(format!("{key}: {number} has more than 7 decimal places"));
                    }
                    row.number(1 + 8 * digits + usize::from(places));
                }
                other => return Err(format!("{key}: `{other}` is no price")),
            }
        }
        packed.number(row.0.len());
        packed.0.extend(row.0);
        before = key;
    }
    Ok(())
}

/// The digits of a decimal number without its point, and how many of them are behind it.
fn decimal(number: &str) -> Result<(usize, u8)> {
    let wrong = || format!("{number} is no price");
    let (number, exponent) = number.split_once('e').unwrap_or((number, "0"));
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let fraction = fraction.trim_end_matches('0');
    let mut digits: usize = format!("{whole}{fraction}").parse().map_err(|_| wrong())?;
    let exponent: i64 = exponent.parse().map_err(|_| wrong())?;
    let mut places = i64::try_from(fraction.len()).map_err(|_| wrong())? - exponent;
    while places < 0 {
        digits = digits.checked_mul(10).ok_or_else(wrong)?;
        places += 1;
    }
    let places = if digits == 0 { 0 } else { u8::try_from(places).map_err(|_| wrong())? };
    if places > 18 { Err(wrong()) } else { Ok((digits, places)) }
}

fn is_date(text: &str) -> Result {
    let parts: Vec<_> = text.split('-').map(|part| (part.len(), part.parse::<u16>().ok())).collect();
    match parts.as_slice() {
        [(4, Some(2000..)), (2, Some(1..=12)), (2, Some(1..=31))] => Ok(()),
        _ => Err(format!("`{text}` is no day like 2025-03-02")),
    }
}

fn object<'a>(value: &'a Value, what: &str) -> Result<&'a Map<String, Value>> {
    value.as_object().ok_or_else(|| format!("{what} is no object"))
}

fn text<'a>(map: &'a Map<String, Value>, key: &str) -> Result<&'a str> {
    let text = map.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    text.ok_or_else(|| format!("`{key}` is missing"))
}

fn only(map: &Map<String, Value>, known: &[&str]) -> Result {
    match map.keys().find(|key| !known.contains(&key.as_str())) {
        Some(key) => Err(format!("`{key}` is none of {}", known.join(", "))),
        None => Ok(()),
    }
}

#[derive(Default)]
struct Packer(Vec<u8>);

impl Packer {
    fn number(&mut self, mut number: usize) {
        loop {
            let [low, ..] = number.to_le_bytes();
            number >>= 7;
            if number == 0 {
                self.0.push(low);
                return;
            }
            self.0.push(low | 0x80);
        }
    }

    fn text(&mut self, text: &str) {
        self.number(text.len());
        self.0.extend(text.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn file(table: Value) -> Value {
        json!({
            "provider": "P", "source": "s", "currency": "USD", "unit": "hour",
            "tables": {"compute": {"p": table}}
        })
    }

    fn problem(file: &Value) -> String {
        pack(file, &mut BTreeSet::new()).unwrap_err()
    }

    #[test]
    fn a_flat_table_is_packed_as_described() {
        let table = json!({"date": "2025-03-02", "prices": {"a": 0.115, "b": {"n": "x"}}});
        let packed = pack(&file(table), &mut BTreeSet::new()).unwrap();
        let table = b"\x03USD\x04hour\x00\x01s\x0a2025-03-02\x00\x00\x02\x01a\x00\x00\x73\x03\x01b\x01\x01\x01n\x02\x01x";
        let head = b"\x01\x07compute\x01p";
        assert_eq!(packed, [&head[..], &[u8::try_from(table.len()).unwrap()], table].concat());
    }

    #[test]
    fn a_grid_shares_what_keys_have_in_common() {
        let rows = json!({"m1.large": [0.5, null], "m1.small": [null, 20]});
        let mut packed = Packer::default();
        pack_grid(&mut packed, &json!(["eu", "us"]), rows.as_object().unwrap()).unwrap();
        assert_eq!(
            packed.0,
            b"\x01\x02\x02eu\x02us\x02\x00\x08m1.large\x02\x2a\x00\x03\x05small\x03\x00\xa1\x01"
        );
    }

    #[test]
    fn a_wrong_file_is_told() {
        let day = "2025-03-02";
        for (table, told) in [
            (json!({"date": day, "prices": {"a": -1}}), "p: a: -1 is no price"),
            (json!({"date": day, "prices": {"a": null}}), "p: a: `null` is no price"),
            (json!({"date": day, "prices": {}}), "p: a table is empty"),
            (json!({"date": "2025", "prices": {"a": 1}}), "p: `2025` is no day"),
            (json!({"date": "2025-13-02", "prices": {"a": 1}}), "is no day"),
            (json!({"date": day, "price": {"a": 1}}), "p: `price` is none of"),
            (
                json!({"date": day, "regions": ["eu"], "prices": {"a": [1, 2]}}),
                "not one price for each of 1 regions",
            ),
            (json!({"date": day, "regions": ["us", "eu"], "prices": {"a": [1, 2]}}), "sorted list"),
            (json!({"date": day, "regions": ["eu"], "prices": {"a": [null]}}), "no price in any region"),
            (json!({"date": day, "regions": ["eu"], "prices": {"a": [0.123_456_78]}}), "more than 7"),
            (json!({"date": day, "prices": {"a": 1}, "older": {day: {"b": 1}}}), "is not older"),
            (json!({"date": day, "prices": {"a": 1}, "older": {"2013-11-14": {"a": 1}}}), "older and newer"),
        ] {
            let problem = problem(&file(table));
            assert!(problem.contains(told), "{problem}");
        }
        let mut other = file(json!({"date": day, "prices": {"a": 1}}));
        let mut known = BTreeSet::from([("compute".to_owned(), "p".to_owned())]);
        assert_eq!(pack(&other, &mut known).unwrap_err(), "p is in two files");
        other["currency"] = json!("dollar");
        assert!(problem(&other).contains("no currency"));
        other["tables"] = json!({});
        assert_eq!(problem(&other), "there are no tables");
    }

    #[test]
    fn decimals_are_exact() {
        for (number, digits) in [
            ("0.115", (115, 3)),
            ("20", (20, 0)),
            ("1e-7", (1, 7)),
            ("2.50", (25, 1)),
            ("2e2", (200, 0)),
            ("0.0", (0, 0)),
        ] {
            assert_eq!(decimal(number).unwrap(), digits, "{number}");
        }
        for number in ["-1", "1e-19", "1e99", "x"] {
            assert!(decimal(number).is_err(), "{number}");
        }
    }
}
