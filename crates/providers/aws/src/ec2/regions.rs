//! Regions, their zones, and which sizes can be had there.

use std::collections::BTreeMap;

use libcloud_common::xml::Element;
use libcloud_common::{Error, ErrorKind, Extra, ExtraFields, Price, Result, extensions, json};
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

/// A region.
///
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Region.html>
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Region {
    /// The name: `eu-west-1`.
    pub name: String,
    /// The host of the service there.
    pub endpoint: Option<String>,
    /// Whether the account may use it: `opt-in-not-required`, `opted-in` or `not-opted-in`.
    pub opt_in_status: Option<String>,
}

/// What only EC2 tells about a size.
///
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_InstanceTypeInfo.html>
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct SizeExtra {
    /// Processors, as the operating system counts them.
    pub cpu: Option<u64>,
    /// `x86_64`, `arm64` …
    pub architectures: Vec<String>,
    /// Whether it is not an old one.
    pub current_generation: Option<bool>,
    /// Whether an account may try it for nothing.
    pub free_tier_eligible: Option<bool>,
    /// Whether there is no hypervisor.
    pub bare_metal: Option<bool>,
    /// `nitro` or `xen`.
    pub hypervisor: Option<String>,
    /// Whether it has a share of a processor, and saves up for more.
    pub burstable: Option<bool>,
    /// `Up to 10 Gigabit`, in Amazon's words.
    pub network_performance: Option<String>,
}

impl ExtraFields for SizeExtra {}

/// `data/ec2.json`
#[derive(Deserialize)]
struct Table {
    types: BTreeMap<String, InstanceType>,
    regions: BTreeMap<String, TableRegion>,
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
struct TableRegion {
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

/// The sizes of this region by the table, for clones that cannot tell.
pub(super) fn sizes(region: &str) -> Result<Vec<NodeSize>> {
    let Table { types, regions } = table()?;
    let Some(region) = regions.get(region) else {
        return Ok(types.iter().map(|(id, ty)| size(id, ty)).collect());
    };
    let mut sizes = Vec::with_capacity(region.types.len());
    for id in &region.types {
        if let Some(ty) = types.get(id) {
            sizes.push(size(id, ty).with_price(old_price(&region.prices, id)?));
        }
    }
    Ok(sizes)
}

/// These sizes by the table; they cost nothing that is known.
pub(super) fn listed_sizes(ids: &[&str]) -> Result<Vec<NodeSize>> {
    let types = table()?.types;
    Ok(ids.iter().filter_map(|id| types.get(*id).map(|ty| size(id, ty))).collect())
}

fn size(id: &str, ty: &InstanceType) -> NodeSize {
    NodeSize::new(id, &ty.name, ty.ram).with_disk(ty.disk, None)
}

/// What an hour of a size with Linux costs in a region.
fn price(region: &str, old: Option<&str>, size_id: &str) -> Result<Option<Price>> {
    let found = libcloud_pricing::get_size_price_in("compute", "ec2_linux", size_id, region);
    match (known(found)?, old) {
        (None, Some(table)) => old_price(table, size_id),
        (price, _) => Ok(price),
    }
}

/// The same in a table that is of one region, as the original had them before 3.0, and as a file of the user's may have.
fn old_price(table: &str, size_id: &str) -> Result<Option<Price>> {
    known(libcloud_pricing::get_size_price("compute", table, size_id))
}

fn known(price: Result<Price>) -> Result<Option<Price>> {
    match price {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        price => price.map(Some),
    }
}

/// The answer of `DescribeInstanceTypes`, with the prices of this region.
pub(super) fn instance_types(root: Element<'_, '_>, region: &str) -> Result<Vec<NodeSize>> {
    let old = table()?.regions.remove(region).map(|region| region.prices);
    wire::items(root, "instanceTypeSet", |item| {
        let id = item.need_text("instanceType")?;
        let price = price(region, old.as_deref(), &id)?;
        let disk: Option<u64> = item.parse("instanceStorageInfo/totalSizeInGB")?;
        let size = NodeSize::new(&id, &id, item.parse("memoryInfo/sizeInMiB")?)
            .with_disk(disk, None)
            .with_price(price);
        Ok(size.with_extra(Extra::of(SizeExtra {
            cpu: item.parse("vCpuInfo/defaultVCpus")?,
            architectures: item
                .child("processorInfo")
                .map(|info| wire::words(info, "supportedArchitectures"))
                .unwrap_or_default(),
            current_generation: item.bool("currentGeneration")?,
            free_tier_eligible: item.bool("freeTierEligible")?,
            bare_metal: item.bool("bareMetal")?,
            hypervisor: item.opt_text("hypervisor"),
            burstable: item.bool("burstablePerformanceSupported")?,
            network_performance: item.opt_text("networkInfo/networkPerformance"),
        })))
    })
}

/// The same of Eucalyptus, which has its own form of it.
/// <https://docs.eucalyptus.cloud/eucalyptus/5/user_guide/>
pub(super) fn eucalyptus_types(root: Element<'_, '_>) -> Result<Vec<NodeSize>> {
    wire::items(root, "instanceTypeDetails", |item| {
        let id = item.need_text("name")?;
        let disk: Option<u64> = item.parse("disk")?;
        let size = NodeSize::new(&id, &id, item.parse("memory")?).with_disk(disk, None);
        Ok(size.with_extra(Extra::of(SizeExtra { cpu: item.parse("cpu")?, ..SizeExtra::default() })))
    })
}

impl Ec2Driver {
    pub(super) fn describe_availability_zones(&self, only_available: bool) -> Action {
        let action = self.conn.action("DescribeAvailabilityZones").filter("region-name", [self.region()]);
        if only_available { action.filter("state", ["available"]) } else { action }
    }

    /// A zone for what must be in one, when the user does not care.
    pub(super) async fn any_zone(&self) -> Result<String> {
        let zones = self.describe_availability_zones(true).read(availability_zones).await?;
        let first = zones.into_iter().next().map(|zone| zone.name);
        first.ok_or_else(|| {
            Error::new(ErrorKind::NotFound, "no zone of the region takes anything new: name another region")
                .in_operation(self.dialect.descriptor.id, "DescribeAvailabilityZones")
        })
    }
}

#[extensions(REGIONS)]
impl Ec2Driver {
    /// The zones of the region; with `only_available` (the default) only those that take new nodes.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeAvailabilityZones.html>
    pub async fn ex_list_availability_zones(
        &self,
        only_available: Option<bool>,
    ) -> Result<Vec<AvailabilityZone>> {
        self.describe_availability_zones(only_available.unwrap_or(true)).read(availability_zones).await
    }

    /// The regions that the account may use; with `all_regions` also those that it would have to ask for first.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeRegions.html>
    pub async fn ex_list_regions(&self, all_regions: Option<bool>) -> Result<Vec<Region>> {
        self.conn
            .action("DescribeRegions")
            .opt("AllRegions", all_regions.filter(|all| *all))
            .read(|root| {
                wire::items(root, "regionInfo", |item| {
                    Ok(Region {
                        name: item.need_text("regionName")?,
                        endpoint: item.opt_text("regionEndpoint"),
                        opt_in_status: item.opt_text("optInStatus"),
                    })
                })
            })
            .await
    }
}

/// The answer of `DescribeAvailabilityZones`.
fn availability_zones(root: Element<'_, '_>) -> Result<Vec<AvailabilityZone>> {
    wire::items(root, "availabilityZoneInfo", |item| {
        Ok(AvailabilityZone {
            name: item.need_text("zoneName")?,
            zone_state: item.need_text("zoneState")?,
            region_name: item.need_text("regionName")?,
        })
    })
}

/// The same as locations. A zone's name is its id too: that is what EC2 calls it everywhere.
pub(super) fn locations(root: Element<'_, '_>, region: &str) -> Result<Vec<NodeLocation>> {
    let country = country(region)?;
    let location = |zone: AvailabilityZone| {
        let name = zone.name.clone();
        let extra = Extra::of(LocationExtra { availability_zone: zone });
        Ok(NodeLocation::new(&name, &name, &country).with_extra(extra))
    };
    availability_zones(root)?.into_iter().map(location).collect()
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
        assert_eq!(price("us-east-1"), "0.044");
        assert_eq!(price("ap-northeast-1"), "0.061");
    }

    #[test]
    fn a_region_that_the_table_does_not_know_has_no_prices() {
        let sizes = sizes("mars-north-7").unwrap();
        assert_eq!(sizes.len(), 22);
        assert!(sizes.iter().all(|size| size.price.is_none()));
    }
}
