//! The entries of a page, by one parser or another. Each field becomes an owned value, as in a client that keeps it.

use std::hint::black_box;

use bench_common::{die, ok};
use quick_xml::events::Event;
use serde::Deserialize;

/// The elements that stand for one entry each, in the listings of S3, EC2 and Route 53.
const ENTRIES: [&str; 3] = ["Contents", "instancesSet", "ResourceRecordSet"];

/// How many entries there are; `None` for a parser that does not look.
pub(crate) fn count(parser: &str, page: &[u8]) -> Option<u64> {
    let text = || ok(std::str::from_utf8(page));
    match parser {
        "quickxml" => Some(events(text())),
        "roxmltree" => Some(tree(text())),
        "serde" => Some(typed(text())),
        "json" => {
            let value: serde_json::Value = ok(serde_json::from_slice(page));
            value["servers"].as_array().map(|servers| servers.len() as u64)
        }
        "" | "none" | "sign" => None,
        other => die(format!("there is no parser {other}")),
    }
}

/// quick-xml's events; the leaves of each entry as pairs of name and text.
fn events(text: &str) -> u64 {
    let mut reader = quick_xml::Reader::from_str(text);
    let (mut count, mut leaf) = (0, false);
    let (mut name, mut value) = (String::new(), String::new());
    let mut fields: Vec<(String, String)> = Vec::new();
    loop {
        match ok(reader.read_event()) {
            Event::Start(tag) => {
                leaf = true;
                name.clear();
                name.push_str(tag.local_name().into_inner());
                value.clear();
            }
            Event::Text(piece) if leaf => value.push_str(&piece),
            Event::GeneralRef(piece) if leaf => value.push_str(match &*piece {
                "quot" => "\"",
                "amp" => "&",
                _ => "?",
            }),
            Event::End(tag) => {
                if std::mem::take(&mut leaf) {
                    fields.push((name.clone(), value.clone()));
                }
                if ENTRIES.contains(&tag.local_name().into_inner()) {
                    count += 1;
                    black_box(&fields);
                    fields.clear();
                }
            }
            Event::Eof => return count,
            _ => {}
        }
    }
}

fn tree(text: &str) -> u64 {
    let options = roxmltree::ParsingOptions { nodes_limit: u32::MAX, ..Default::default() };
    let document = ok(roxmltree::Document::parse_with_options(text, options));
    let entries = document.descendants().filter(|node| ENTRIES.contains(&node.tag_name().name()));
    let entries = entries.map(|entry| {
        let leaves = entry.descendants().filter(|node| node.is_element()).filter_map(|node| {
            let text = node.text().filter(|text| !text.trim().is_empty())?;
            Some((node.tag_name().name().to_owned(), text.to_owned()))
        });
        black_box(leaves.collect::<Vec<_>>());
    });
    entries.count() as u64
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Contents {
    key: String,
    last_modified: String,
    #[serde(rename = "ETag")]
    e_tag: String,
    size: u64,
    storage_class: String,
}

#[derive(Deserialize)]
struct Listing {
    #[serde(rename = "Contents", default)]
    contents: Vec<Contents>,
}

/// quick-xml's serde, for S3 alone.
fn typed(text: &str) -> u64 {
    let listing: Listing = ok(quick_xml::de::from_str(text));
    for entry in &listing.contents {
        black_box((&entry.key, &entry.last_modified, &entry.e_tag, entry.size, &entry.storage_class));
    }
    listing.contents.len() as u64
}
