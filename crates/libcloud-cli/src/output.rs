//! How results are written: tables for people, JSON, JSON lines and CSV for programs.

use std::io::{self, Write as _};
use std::pin::pin;

use comfy_table::{ContentArrangement, Table, presets};
use futures_util::{FutureExt as _, StreamExt as _};
use libcloud::catalogue::Service;
use libcloud::common::{Extra, Stream, json};
use libcloud::{Capabilities, Error, Result, Support};
use serde::Serialize;
use serde_json::Value;

use crate::args::Format;

/// The columns of a table: header, and where the value is in the JSON (`size.id`).
pub(crate) type Columns = &'static [(&'static str, &'static str)];

/// What the drivers of a service can do.
pub(crate) struct Matrix<'a> {
    pub(crate) service: Service,
    pub(crate) drivers: Vec<(&'a str, Capabilities)>,
    pub(crate) methods: Vec<&'a str>,
}

/// What is told first of a resource.
const FIRST: [&str; 4] = ["id", "name", "domain", "state"];

/// Writes results to standard output, and nothing else.
pub(crate) struct Output {
    format: Format,
}

impl Output {
    pub(crate) fn new(format: Format) -> Self {
        Self { format }
    }

    /// A listing: JSON lines and CSV as it arrives, a table or a JSON list when it is complete.
    pub(crate) async fn list<T: Serialize>(
        &self,
        columns: Columns,
        items: impl Stream<Item = Result<T>>,
    ) -> Result<()> {
        let mut items = pin!(items);
        let mut rows = Vec::new();
        let mut out = Gathered { out: io::stdout().lock(), waiting: Vec::new() };
        if self.format == Format::Csv {
            out.line(&csv(columns.iter().map(|(header, _)| (*header).to_owned())))?;
        }
        loop {
            // A line is written as soon as there is nothing to write with it.
            let item = if let Some(item) = items.next().now_or_never() {
                item
            } else {
                out.flush()?;
                items.next().await
            };
            let Some(item) = item else { break };
            let item = item?;
            match self.format {
                Format::Jsonl => out.json(&item)?,
                Format::Csv => {
                    let value = to_value(&item)?;
                    out.line(&csv(columns.iter().map(|(_, path)| cell(&value, path))))?;
                }
                Format::Table | Format::Json => rows.push(to_value(&item)?),
            }
        }
        out.flush()?;
        let mut out = out.out;
        match self.format {
            Format::Json => line(&mut out, &pretty(&rows)?),
            Format::Table => line(&mut out, &table(columns, &rows)),
            Format::Jsonl | Format::Csv => Ok(()),
        }
    }

    /// One resource or any other result.
    pub(crate) fn value(&self, value: &impl Serialize) -> Result<()> {
        let value = to_value(value)?;
        let mut out = io::stdout().lock();
        match self.format {
            Format::Json => line(&mut out, &pretty(&value)?),
            Format::Jsonl => line(&mut out, &value.to_string()),
            Format::Table => line(&mut out, &facts(&value)),
            Format::Csv => {
                let Value::Object(map) = &value else { return line(&mut out, &plain(&value)) };
                line(&mut out, &csv(map.keys().cloned()))?;
                line(&mut out, &csv(map.values().map(plain)))
            }
        }
    }

    /// The answer of a call by name: JSON in every format.
    pub(crate) fn raw(&self, value: &Value) -> Result<()> {
        let compact = self.format == Format::Jsonl;
        line(&mut io::stdout().lock(), &if compact { value.to_string() } else { pretty(value)? })
    }

    /// What each driver of each service can do: a column a driver, a row a method.
    pub(crate) fn matrix(&self, services: &[Matrix<'_>]) -> Result<()> {
        let mut out = io::stdout().lock();
        if matches!(self.format, Format::Json | Format::Jsonl) {
            let all = services
                .iter()
                .map(|Matrix { service, drivers, methods }| {
                    let drivers = drivers.iter().map(|(id, can)| {
                        let methods = methods
                            .iter()
                            .map(|method| Ok(((*method).to_owned(), to_value(&can.of(method))?)))
                            .collect::<Result<serde_json::Map<_, _>>>()?;
                        Ok(((*id).to_owned(), methods.into()))
                    });
                    let drivers: serde_json::Map<_, _> = drivers.collect::<Result<_>>()?;
                    Ok(json!({ "service": service, "drivers": drivers }))
                })
                .collect::<Result<Vec<_>>>()?;
            if self.format == Format::Json {
                return match all.as_slice() {
                    [one] => line(&mut out, &pretty(one)?),
                    several => line(&mut out, &pretty(&several)?),
                };
            }
            return all.iter().try_for_each(|service| line(&mut out, &service.to_string()));
        }
        for Matrix { service, drivers, methods } in services {
            let ids = drivers.iter().map(|(id, _)| (*id).to_owned());
            let header = std::iter::once(service.to_string()).chain(ids);
            let rows = methods.iter().map(|method| {
                let cells = drivers.iter().map(|(_, can)| match can.of(method) {
                    Support::Supported => "yes",
                    Support::ProviderCannot { .. } => "cannot",
                    _ => "no",
                });
                std::iter::once((*method).to_owned()).chain(cells.map(str::to_owned))
            });
            if self.format == Format::Csv {
                line(&mut out, &csv(header))?;
                rows.into_iter().try_for_each(|row| line(&mut out, &csv(row)))?;
                continue;
            }
            let mut table = Table::new();
            table.load_style(presets::NOTHING).set_header(header);
            for row in rows {
                table.add_row(row);
            }
            line(&mut out, &trimmed(&table))?;
            line(&mut out, "")?;
        }
        Ok(())
    }

    /// That it was done: `true` for programs, a sentence for people.
    pub(crate) fn done(&self, sentence: &str) -> Result<()> {
        let mut out = io::stdout().lock();
        match self.format {
            Format::Table => line(&mut out, sentence),
            Format::Json | Format::Jsonl | Format::Csv => line(&mut out, "true"),
        }
    }

    /// That one of several things was done; programs hear it when all are through.
    pub(crate) fn step(&self, sentence: &str) -> Result<()> {
        if self.format == Format::Table { self.done(sentence) } else { Ok(()) }
    }

    /// Whether all of several things were done, of which people have heard already.
    pub(crate) fn all_done(&self, all: bool) -> Result<()> {
        if self.format == Format::Table {
            return Ok(());
        }
        line(&mut io::stdout().lock(), if all { "true" } else { "false" })
    }

    /// Text as it is, whatever the format: a zone file, an object.
    pub(crate) fn text(text: &str) -> Result<()> {
        io::stdout().lock().write_all(text.as_bytes()).map_err(broken)
    }
}

/// Lines that are written together.
struct Gathered<W> {
    out: W,
    waiting: Vec<u8>,
}

impl<W: io::Write> Gathered<W> {
    fn line(&mut self, text: &str) -> Result<()> {
        self.waiting.extend_from_slice(text.as_bytes());
        self.end_of_line()
    }

    fn json(&mut self, value: &impl Serialize) -> Result<()> {
        serde_json::to_writer(&mut self.waiting, value).map_err(malformed)?;
        self.end_of_line()
    }

    fn end_of_line(&mut self) -> Result<()> {
        self.waiting.push(b'\n');
        if self.waiting.len() > 64 << 10 { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<()> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let written = self.out.write_all(&self.waiting).and_then(|()| self.out.flush());
        self.waiting.clear();
        written.map_err(broken)
    }
}

fn to_value(value: &impl Serialize) -> Result<Value> {
    serde_json::to_value(value).map_err(malformed)
}

fn malformed(error: serde_json::Error) -> Error {
    Error::malformed("result", error)
}

fn pretty(value: &impl Serialize) -> Result<String> {
    serde_json::to_string_pretty(value).map_err(malformed)
}

fn line(out: &mut impl io::Write, text: &str) -> Result<()> {
    writeln!(out, "{text}").map_err(broken)
}

fn broken(error: io::Error) -> Error {
    Error::io("write to standard output", error)
}

/// A table for people.
pub(crate) fn table(columns: Columns, rows: &[Value]) -> String {
    let mut table = fitted();
    table.set_header(columns.iter().map(|(header, _)| header.to_uppercase()));
    for row in rows {
        table.add_row(columns.iter().map(|(_, path)| harmless(&cell(row, path))));
    }
    trimmed(&table)
}

/// An empty table that keeps within the terminal. One that tells no sensible width wraps lines itself.
fn fitted() -> Table {
    const NARROW: u16 = 20;

    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    if table.width().is_some_and(|width| width >= NARROW) {
        table.set_content_arrangement(ContentArrangement::Dynamic);
    }
    table
}

fn trimmed(table: &Table) -> String {
    // Each cell has a space on both sides; the first needs none.
    let line = |line: String| line.strip_prefix(' ').unwrap_or(&line).trim_end().to_owned();
    table.lines().map(line).collect::<Vec<_>>().join("\n")
}

/// One resource, a line an attribute; secrets hidden.
fn facts(value: &Value) -> String {
    let Value::Object(map) = value else { return plain(value) };
    let hidden = Extra::from(map.clone()).redacted();
    let mut table = fitted();
    let (first, rest): (Vec<_>, Vec<_>) = hidden.iter().partition(|(name, _)| FIRST.contains(&name.as_str()));
    for (name, value) in first.into_iter().chain(rest) {
        let empty = match value {
            Value::Null => true,
            Value::Object(map) => map.is_empty(),
            Value::Array(items) => items.is_empty(),
            _ => false,
        };
        if !empty {
            table.add_row([harmless(name), harmless(&plain(value))]);
        }
    }
    trimmed(&table)
}

/// The value at a dotted path, as text.
fn cell(row: &Value, path: &str) -> String {
    path.split('.').try_fold(row, |value, name| value.get(name)).map(plain).unwrap_or_default()
}

/// A value as people write it: text without quotes, lists with commas.
fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(", "),
        Value::Object(map) => match map.get("id").or_else(|| map.get("name")) {
            Some(id) => plain(id),
            None => value.to_string(),
        },
        other => other.to_string(),
    }
}

/// A text from a provider without what a terminal would obey; its lines stay lines.
pub(crate) fn harmless(text: &str) -> String {
    let is_harmful = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
    if !text.contains(is_harmful) {
        return text.to_owned();
    }
    let shown = |c: char| if is_harmful(c) { c.escape_default().to_string() } else { c.to_string() };
    text.chars().map(shown).collect()
}

/// One line of CSV (RFC 4180).
fn csv(cells: impl Iterator<Item = String>) -> String {
    let quoted = cells.map(|cell| {
        if cell.contains([',', '"', '\n', '\r']) {
            format!("\"{}\"", cell.replace('"', "\"\""))
        } else {
            cell
        }
    });
    quoted.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_commands_no_terminal() {
        let rows = [json!({"id": "1", "name": "\u{1b}[31mred\u{7}"})];
        let table = table(&[("id", "id"), ("name", "name")], &rows);
        assert_eq!(table, "ID  NAME\n1   \\u{1b}[31mred\\u{7}");
        assert_eq!(harmless("two\nlines"), "two\nlines");
    }

    #[test]
    fn one_resource_begins_with_its_id_and_hides_its_secrets() {
        let shown = facts(&json!({"extra": {"password": "canary"}, "id": "1", "empty": [], "size": null}));
        assert_eq!(shown, "id     1\nextra  {\"password\":\"•••\"}");
    }

    #[test]
    fn cells_lie_at_the_end_of_a_path() {
        let row = json!({"size": {"id": "s", "name": "Small"}, "ips": ["a", "b"], "none": null});
        assert_eq!(cell(&row, "size"), "s");
        assert_eq!(cell(&row, "size.name"), "Small");
        assert_eq!(cell(&row, "ips"), "a, b");
        assert_eq!((cell(&row, "none"), cell(&row, "size.none.x")), (String::new(), String::new()));
    }
}
