//! XML as providers answer it: whatever it is, reading gives a value or an error.
#![no_main]

use libcloud::common::xml::{self, Element};
use libfuzzer_sys::fuzz_target;

fn walk(element: Element<'_, '_>) -> libcloud::Result<usize> {
    let _ = (element.text(), element.raw_text(), element.place(), element.attribute("id"));
    let _ = (element.bool("enabled"), element.parse::<u64>("size"), element.need_path("a/b"));
    let children = element.elements().map(walk).sum::<libcloud::Result<usize>>()?;
    Ok(children + 1)
}

fuzz_target!(|text: &str| {
    let _ = xml::parse(text, walk);
});
