//! The doors of the faults peer, and what is to be expected of each.

#![allow(dead_code, clippy::unwrap_used, reason = "each test uses its part, and fails by panicking")]

use std::env::var;
use std::time::Duration;

use libcloud_common::{Config, ErrorKind};

/// What a door may give in place of the right result, what it always refuses, and how long all of it may take, in
/// seconds.
pub(crate) struct Expected {
    pub(crate) door: &'static str,
    pub(crate) kinds: &'static [ErrorKind],
    pub(crate) refuses: &'static [&'static str],
    pub(crate) seconds: u64,
}

pub(crate) const ALL: &[&str] =
    &["list", "download", "download to a file", "upload", "replace", "delete", "create"];
/// What becomes of a stream is its reader's. A file is asked for from where it broke off, as often as there is progress.
pub(crate) const DOWN: &[&str] = &["download"];
const UP: &[&str] = &["upload", "replace"];

pub(crate) const DOORS: [Expected; 16] = {
    use ErrorKind::{HashMismatch, MalformedResponse, Provider, RateLimited, Timeout, Transport};
    const fn door(
        door: &'static str,
        kinds: &'static [ErrorKind],
        refuses: &'static [&'static str],
        seconds: u64,
    ) -> Expected {
        Expected { door, kinds, refuses, seconds }
    }
    [
        door("PASS", &[], &[], 20),
        door("THROTTLED", &[RateLimited], ALL, 40),
        door("RATE_LIMITED", &[RateLimited], &[], 40),
        door("SOME_503", &[Provider, RateLimited], &[], 20),
        door("SOME_CLOSED", &[Transport], &[], 40),
        door("CLOSED", &[Transport], ALL, 40),
        door("SLOW", &[], &[], 60),
        door("HTML_502", &[Provider], ALL, 40),
        // 200, and broken XML.
        door("NOT_XML", &[MalformedResponse], ALL, 20),
        door("CUT_DOWN", &[Transport], DOWN, 20),
        door("END_DOWN", &[Transport, HashMismatch, MalformedResponse], DOWN, 20),
        door("STALL_DOWN", &[Timeout], DOWN, 30),
        door("CUT_UP", &[Transport], UP, 40),
        door("SILENT", &[Timeout], ALL, 90),
        door("DRIP", &[Timeout], &[], 60),
        door("REFUSED", &[Transport], ALL, 40),
    ]
};

/// Who is behind the doors: the prefix of its variables, and its region.
fn server() -> (&'static str, String) {
    if let Ok(region) = var("MOTO_REGION") {
        ("MOTO", region)
    } else if let Ok(region) = var("CEPH_S3_REGION") {
        ("CEPH_S3", region)
    } else if let Ok(region) = var("S3S_REGION") {
        ("S3S", region)
    } else {
        ("SWIFT_S3", "us-east-1".to_owned())
    }
}

/// What goes through a door: it does not wait long.
pub(crate) fn config(door: &str) -> Config {
    let mut config = at(&format!("FAULTS_{door}"));
    config.transport.retries = 2;
    config.transport.connect_timeout = Duration::from_secs(2);
    config.transport.idle_timeout = Duration::from_secs(2);
    // Drops come often enough never to be idle: only this ends a call that they would take for ever.
    config.transport.total_timeout = Some(Duration::from_secs(10));
    config
}

/// What goes around the doors, to the server itself.
pub(crate) fn direct() -> Config {
    at(&format!("{}_ENDPOINT", server().0))
}

fn at(endpoint: &str) -> Config {
    let (prefix, region) = server();
    let of = |name: &str| var(format!("{prefix}_{name}")).unwrap();
    let mut config = Config::new(of("ACCESS_KEY"), of("SECRET_KEY"));
    config.region = Some(region);
    config.endpoint = Some(var(endpoint).unwrap().parse().unwrap());
    config
}
