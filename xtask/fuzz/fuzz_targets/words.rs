//! Small texts from outside: times, proxies, states and types.
#![no_main]

use libcloud::common::Proxy;
use libcloud::{Timestamp, compute, dns};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(time) = text.parse::<Timestamp>() {
        assert_eq!(time.to_string().parse::<Timestamp>().expect("what was written can be read"), time);
        let _ = (time.http_date(), time.iso_basic(), time.iso_seconds(), time.unix_seconds());
    }
    if let Ok(proxy) = text.parse::<Proxy>() {
        let _ = format!("{proxy:?}");
    }
    let _ = text.parse::<compute::NodeState>().map(|state| state.to_string());
    let _ = text.parse::<dns::RecordType>().map(|kind| kind.to_string());
    let _ = libcloud::catalogue::find(libcloud::catalogue::Service::Compute, text);
});
