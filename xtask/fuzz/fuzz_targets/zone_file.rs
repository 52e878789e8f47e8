//! The export of a zone: what a record holds never becomes a line of its own.
#![no_main]

use std::sync::Arc;

use libcloud::dns::{Record, RecordType, Zone, ZoneType, bind};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: (&str, &str, &str, &str, Option<u32>)| {
    let (domain, name, kind, content, ttl) = data;
    let zone = Arc::new(Zone::new("1", domain, ZoneType::Master));
    let Ok(kind) = kind.parse::<RecordType>();
    let record = Record::new("1", name, kind, content, &zone).with_ttl(ttl);
    let at = "2024-05-01T08:30:00Z".parse().expect("a time");
    let Ok(empty) = bind::zone_file(&zone, &[], at) else { return };
    let Ok(text) = bind::zone_file(&zone, &[record], at) else { return };
    assert_eq!(text.lines().count(), empty.lines().count() + 1, "{text:?}");
    assert!(!text.contains('\0'), "{text:?}");
});
