//! How long it takes to load the bundled prices of one driver:
//! `cargo run --release -p libcloud-pricing --example load`
#![expect(clippy::print_stdout, reason = "an example for people at a terminal")]

use std::time::Duration;

use libcloud_common::{Result, SystemClock};
use libcloud_pricing::Pricing;

fn main() -> Result<()> {
    const ROUNDS: usize = 51;
    let clock = SystemClock::shared();
    for driver in ["ec2_linux", "azure_windows", "gce_instances", "ec2_us_east", "gandi"] {
        let mut times: Vec<Duration> = Vec::new();
        let mut sizes = 0;
        for _ in 0..ROUNDS {
            // Nothing is known yet, so that the table is found and unpacked.
            let pricing = Pricing::bundled();
            let start = clock.elapsed();
            sizes = pricing.get_pricing("compute", driver)?.len();
            times.push(clock.elapsed().saturating_sub(start));
        }
        let first = times.first().copied().unwrap_or_default();
        times.sort_unstable();
        let median = times.get(ROUNDS / 2).copied().unwrap_or_default();
        println!("{driver:14} {sizes:4} keys: first {first:?}, median of {ROUNDS} {median:?}");
    }
    Ok(())
}
