//! Regions, their zones, and what can be had there.

use std::collections::BTreeMap;

use libcloud_common::{ErrorKind, Extra, ExtraFields, Result, extensions, json};
use libcloud_compute::{NodeLocation, NodeSize};
use serde::{Deserialize, Serialize};

use super::{Ec2Driver, wire};
use crate::connection::Action;

/// A zone of a region.
///
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AvailabilityZone.html>
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AvailabilityZone {
    /// The name: `us-east-1a`.
    pub name: String,
    /// `available`, `impaired`, `unavailable` …
    pub zone_state: String,
    /// The region.
    pub region_name: String,
}

/// What only EC2 tells about a place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LocationExtra {
    /// The zone.
    pub availability_zone: AvailabilityZone,
}

impl ExtraFields for LocationExtra {}

/// `data/ec2.json`
#[derive(Deserialize)]
struct Table {
    types: BTreeMap<String, InstanceType>,
    regions: BTreeMap<String, Region>,
}

#[derive(Deserialize)]
struct InstanceType {
    name: String,
    /// MiB
    ram: u64,
    /// GB
    disk: Option<u64>,
}

#[derive(Deserialize)]
struct Region {
    /// The name of its price table.
    prices: String,
    country: String,
    types: Vec<String>,
}

fn table() -> Result<Table> {
    json::decode(include_bytes!("../../data/ec2.json"))
}

/// The country of this region; empty where the table does not know it.
pub(super) fn country(region: &str) -> Result<String> {
    let region = table()?.regions.remove(region);
    Ok(region.map(|region| region.country).unwrap_or_default())
}

/// The sizes of this region.
pub(super) fn sizes(region: &str) -> Result<Vec<NodeSize>> {
    let Table { types, regions } = table()?;
    let Some(region) = regions.get(region) else {
        return Ok(types.iter().map(|(id, ty)| size(id, ty)).collect());
    };
    let mut sizes = Vec::with_capacity(region.types.len());
    for id in &region.types {
        if let Some(ty) = types.get(id) {
            let price = match libcloud_pricing::get_size_price("compute", &region.prices, id) {
                Err(error) if error.kind() == ErrorKind::NotFound => None,
                price => Some(price?),
            };
            sizes.push(size(id, ty).with_price(price));
        }
    }
    Ok(sizes)
}

fn size(id: &str, ty: &InstanceType) -> NodeSize {
    NodeSize::new(id, &ty.name, ty.ram).with_disk(ty.disk, None)
}

impl Ec2Driver {
    pub(super) fn describe_availability_zones(&self, only_available: bool) -> Action {
        let action = self.conn.action("DescribeAvailabilityZones").filter("region-name", [self.region()]);
        if only_available { action.filter("state", ["available"]) } else { action }
    }
}

#[extensions(ZONES)]
impl Ec2Driver {
    /// The zones of the region; with `only_available` (the default) only those that take new nodes.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeAvailabilityZones.html>
    pub async fn ex_list_availability_zones(
        &self,
        only_available: Option<bool>,
    ) -> Result<Vec<AvailabilityZone>> {
        let zones = self
            .describe_availability_zones(only_available.unwrap_or(true))
            .read(wire::availability_zones)
            .await?;
        Ok(zones.into_iter().map(availability_zone).collect())
    }
}

fn availability_zone(zone: wire::AvailabilityZone) -> AvailabilityZone {
    AvailabilityZone { name: zone.zone_name, zone_state: zone.zone_state, region_name: zone.region_name }
}

/// The zone's name is its id too: that is what EC2 calls it everywhere.
pub(super) fn location(zone: wire::AvailabilityZone, country: &str) -> Result<NodeLocation> {
    let availability_zone = availability_zone(zone);
    let name = availability_zone.name.clone();
    let extra = Extra::of(&LocationExtra { availability_zone })?;
    Ok(NodeLocation::new(&name, &name, country).with_extra(extra))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_region_has_known_types_with_a_price() {
        let Table { types, regions } = table().unwrap();
        assert_eq!((types.len(), regions.len()), (22, 8));
        for (name, region) in &regions {
            let sizes = sizes(name).unwrap();
            assert_eq!(sizes.len(), region.types.len(), "{name}");
            assert!(!region.country.is_empty());
            for size in &sizes {
                assert!(size.price.is_some(), "{name} {}", size.id);
                assert!(size.ram.is_some_and(|ram| ram > 500), "{name} {}", size.id);
            }
        }
    }

    #[test]
    fn prices_belong_to_the_region() {
        let price = |region: &str| {
            let sizes = sizes(region).unwrap();
            sizes.iter().find(|size| size.id == "m1.small").unwrap().price.unwrap().to_string()
        };
        assert_eq!(price("us-east-1"), "0.065");
        assert_eq!(price("ap-northeast-1"), "0.1");
    }

    #[test]
    fn a_region_that_the_table_does_not_know_has_no_prices() {
        let sizes = sizes("mars-north-7").unwrap();
        assert_eq!(sizes.len(), 22);
        assert!(sizes.iter().all(|size| size.price.is_none()));
    }
}
