//! No page is left out: neither of the summary nor, if it has examples, of the tests.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::path::{Path, PathBuf};

/// The pages of a folder and of those in it, with their place under `src`.
fn pages(folder: &Path, found: &mut Vec<(String, String)>) {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut entries: Vec<PathBuf> = folder.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            pages(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "md") {
            let place = path.strip_prefix(&src).unwrap().to_str().unwrap().replace('\\', "/");
            found.push((place, std::fs::read_to_string(&path).unwrap()));
        }
    }
}

#[test]
fn every_page_is_in_the_summary_and_its_examples_are_tested() {
    let mut found = Vec::new();
    pages(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    let summary = include_str!("../src/SUMMARY.md");
    let tested = include_str!("../lib.rs");
    let mut left_out = Vec::new();
    for (place, text) in found.iter().filter(|(place, _)| place != "SUMMARY.md") {
        if !summary.contains(&format!("({place})")) {
            left_out.push(format!("{place} is not in SUMMARY.md"));
        }
        if text.contains("```rust") && !tested.contains(&format!("\"src/{place}\"")) {
            left_out.push(format!("{place} has examples and is not in docs/lib.rs"));
        }
        if text.contains("```ignore") || text.contains("rust,ignore") {
            left_out.push(format!("{place} has an example that is not compiled"));
        }
    }
    assert!(left_out.is_empty(), "{}", left_out.join("\n"));
    assert!(found.len() > 20, "{} pages", found.len());
}
