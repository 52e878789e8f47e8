//! Sizes: instance types, or what shares are left.

use libcloud_common::{Error, Extra, ExtraFields, Price, Result};
use libcloud_compute::NodeSize;
use serde::{Deserialize, Serialize};

use crate::wire;

/// What only Gandi tells about a size.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct SizeExtra {
    /// The number of processors.
    pub cores: Option<u64>,
}

impl ExtraFields for SizeExtra {}

/// An instance type of accounts that pay by use, as they were when Apache Libcloud's table was made; the price is of an hour, as
/// that table has it.
struct InstanceType {
    id: &'static str,
    name: &'static str,
    cores: u64,
    memory: u64,
    disk: u64,
    price: &'static str,
}

const INSTANCE_TYPES: &[InstanceType] = &[
    InstanceType { id: "small", name: "Small instance", cores: 1, memory: 256, disk: 3, price: "0.02" },
    InstanceType { id: "medium", name: "Medium instance", cores: 1, memory: 1024, disk: 20, price: "0.03" },
    InstanceType { id: "large", name: "Large instance", cores: 2, memory: 2048, disk: 50, price: "0.06" },
    InstanceType {
        id: "x-large",
        name: "Extra Large instance",
        cores: 4,
        memory: 4096,
        disk: 100,
        price: "0.12",
    },
];

/// In kbit/s.
const BANDWIDTH: u64 = 10_240;
/// What a core of an account with shares costs an hour.
const CORE_PRICE: &str = "0.02";

/// What a node of this size is made with.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Spec {
    pub(super) cores: u64,
    /// In MB.
    pub(super) memory: u64,
    /// In kbit/s.
    pub(super) bandwidth: u64,
}

/// Of an instance type the id is enough; of what shares are left, the whole size is needed.
pub(super) fn spec(size: &NodeSize) -> Result<Spec> {
    if let Some(known) = INSTANCE_TYPES.iter().find(|known| known.id == size.id) {
        return Ok(Spec { cores: known.cores, memory: known.memory, bandwidth: BANDWIDTH });
    }
    if let (Ok(cores), Some(memory), Some(bandwidth)) = (size.id.parse(), size.ram, size.bandwidth) {
        return Ok(Spec { cores, memory, bandwidth });
    }
    let names: Vec<&str> = INSTANCE_TYPES.iter().map(|known| known.id).collect();
    Err(Error::invalid_argument(format!(
        "the size `{}` is neither one that list_sizes gave nor one of {}",
        size.id,
        names.join(", ")
    ))
    .with_resource("size", &size.id))
}

pub(super) fn sizes(account: wire::Account) -> Vec<NodeSize> {
    if account.rating_enabled {
        return INSTANCE_TYPES.iter().map(instance_type).collect();
    }
    let (Some(share), Some(available)) = (account.share_definition, account.resources.available) else {
        return Vec::new();
    };
    if available.shares < 1.0 || available.servers < 1.0 {
        return Vec::new();
    }
    let fits = |cores: u32| {
        let within = |share: u64, left: u64| share.saturating_mul(cores.into()) <= left;
        // A server comes with three quarters of a core.
        f64::from(cores) <= available.cores + 0.75
            && within(share.memory, available.memory)
            && within(share.disk, available.disk)
            && within(share.bandwidth, available.bandwidth)
    };
    (1..=u32::MAX).take_while(|cores| fits(*cores)).map(|cores| of_shares(cores, &share)).collect()
}

fn instance_type(known: &InstanceType) -> NodeSize {
    let size = NodeSize::new(known.id, known.name, known.memory)
        .with_disk(known.disk, BANDWIDTH)
        .with_price(known.price.parse::<Price>().ok());
    size.with_extra(Extra::of(SizeExtra { cores: Some(known.cores) }))
}

fn of_shares(cores: u32, share: &wire::Share) -> NodeSize {
    let count = u64::from(cores);
    let times = |amount: u64| amount.saturating_mul(count);
    let size = NodeSize::new(cores.to_string(), format!("{cores} cores"), times(share.memory))
        .with_disk(times(share.disk) / 1024, times(share.bandwidth))
        .with_price(CORE_PRICE.parse::<Price>().ok().and_then(|price| price.checked_mul(count)));
    size.with_extra(Extra::of(SizeExtra { cores: Some(count) }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(shares: f64, cores: f64, memory: u64) -> wire::Account {
        wire::Account {
            rating_enabled: false,
            share_definition: Some(wire::Share { memory: 256, disk: 8192, bandwidth: 5120 }),
            resources: wire::Resources {
                available: Some(wire::Available {
                    shares,
                    servers: 2.0,
                    cores,
                    memory,
                    disk: 1_000_000,
                    bandwidth: 1_000_000,
                }),
            },
        }
    }

    fn ids(account: wire::Account) -> Vec<String> {
        sizes(account).into_iter().map(|size| size.id).collect()
    }

    #[test]
    fn shares_are_as_many_sizes_as_are_left() {
        assert_eq!(ids(account(12.0, 3.0, 2560)), ["1", "2", "3"]);
        assert_eq!(ids(account(12.0, 1.25, 2560)), ["1", "2"]);
        assert_eq!(ids(account(12.0, 8.0, 600)), ["1", "2"]);
        assert!(ids(account(0.0, 8.0, 600)).is_empty());
        let size = sizes(account(12.0, 2.0, 2560)).remove(1);
        assert_eq!((size.ram, size.disk, size.bandwidth), (Some(512), Some(16), Some(10_240)));
        assert_eq!(size.price.unwrap().to_string(), "0.04");
        assert_eq!(spec(&size).unwrap(), Spec { cores: 2, memory: 512, bandwidth: 10_240 });
    }

    #[test]
    fn an_instance_type_is_known_by_its_id() {
        assert_eq!(
            spec(&NodeSize::from_id("x-large")).unwrap(),
            Spec { cores: 4, memory: 4096, bandwidth: BANDWIDTH }
        );
        for known in INSTANCE_TYPES {
            assert!(instance_type(known).price.is_some());
        }
        for unknown in ["2", "huge"] {
            let error = spec(&NodeSize::from_id(unknown)).unwrap_err().to_string();
            assert!(error.ends_with("nor one of small, medium, large, x-large"), "{error}");
        }
    }
}
