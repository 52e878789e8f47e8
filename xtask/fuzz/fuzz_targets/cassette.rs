//! Recorded exchanges and calls.
#![no_main]

use libcloud_testkit::cassette::{Call, Exchange};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(exchange) = serde_json::from_str::<Exchange>(text) {
        let written = serde_json::to_string(&exchange).expect("what was read can be written");
        let again: Exchange = serde_json::from_str(&written).expect("what was written can be read");
        assert_eq!(again, exchange);
    }
    let _ = serde_json::from_str::<Call>(text);
});
