//! What an account has beside its resources: placement groups, reservations, limits.

use std::collections::BTreeMap;

use libcloud_common::xml::Element;
use libcloud_common::{Price, Result, extensions};
use serde::{Deserialize, Serialize};

use super::{Ec2Driver, wire};

/// Nodes that are placed close to each other, or far from each other.
///
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_PlacementGroup.html>
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PlacementGroup {
    /// The name.
    pub name: String,
    /// `pending`, `available`, `deleting` or `deleted`.
    pub state: Option<String>,
    /// `cluster`, `spread` or `partition`.
    pub strategy: Option<String>,
}

/// Instances that were paid for in advance.
///
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ReservedInstances.html>
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ReservedNode {
    /// The id.
    pub id: String,
    /// `payment-pending`, `active`, `retired` …
    pub state: Option<String>,
    /// What else there is.
    pub extra: ReservedNodeExtra,
}

/// What else a reservation has.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ReservedNodeExtra {
    /// The id of the size.
    pub instance_type: Option<String>,
    /// The zone.
    pub availability: Option<String>,
    /// When it begins.
    pub start: Option<String>,
    /// When it ends.
    pub end: Option<String>,
    /// Seconds
    pub duration: Option<u64>,
    /// What an hour costs.
    pub usage_price: Option<Price>,
    /// What the reservation cost.
    pub fixed_price: Option<Price>,
    /// How many instances it is for.
    pub instance_count: Option<u64>,
    /// `Linux/UNIX`, `Windows` …
    pub description: Option<String>,
    /// `default` or `dedicated`.
    pub instance_tenancy: Option<String>,
    /// The currency of the prices.
    pub currency_code: Option<String>,
    /// How it is paid.
    pub offering_type: Option<String>,
}

/// What the account may have.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Limits {
    /// By name: `max-instances`, `max-elastic-ips`, `vpc-max-elastic-ips`.
    pub resource: BTreeMap<String, u64>,
}

#[extensions(ACCOUNT)]
impl Ec2Driver {
    /// The placement groups: all, or only those of these names.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribePlacementGroups.html>
    pub async fn ex_list_placement_groups(&self, names: Option<Vec<String>>) -> Result<Vec<PlacementGroup>> {
        self.conn
            .action("DescribePlacementGroups")
            .list("GroupName", names.unwrap_or_default())
            .all(|root| wire::items(root, "placementGroupSet", placement_group))
            .await
    }

    /// Makes a placement group whose nodes are close to each other, or with another `strategy`: `spread` or `partition`.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreatePlacementGroup.html>
    pub async fn ex_create_placement_group(&self, name: &str, strategy: Option<String>) -> Result<()> {
        self.conn
            .action("CreatePlacementGroup")
            .param("Strategy", strategy.as_deref().unwrap_or("cluster"))
            .param("GroupName", name)
            .done()
            .await
    }

    /// Deletes a placement group; no node may be in it.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeletePlacementGroup.html>
    pub async fn ex_delete_placement_group(&self, name: &str) -> Result<()> {
        self.conn.action("DeletePlacementGroup").param("GroupName", name).done().await
    }

    /// The instances that were paid for in advance.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeReservedInstances.html>
    pub async fn ex_list_reserved_nodes(&self) -> Result<Vec<ReservedNode>> {
        self.conn
            .action("DescribeReservedInstances")
            .all(|root| wire::items(root, "reservedInstancesSet", reserved_node))
            .await
    }

    /// How many instances and elastic addresses the account may have in this region.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeAccountAttributes.html>
    pub async fn ex_get_limits(&self) -> Result<Limits> {
        self.conn
            .action("DescribeAccountAttributes")
            .list("AttributeName", ["max-instances", "max-elastic-ips", "vpc-max-elastic-ips"])
            .read(|root| {
                let limits = wire::items(root, "accountAttributeSet", |item| {
                    let value = item.need_parse("attributeValueSet/item/attributeValue")?;
                    Ok((item.need_text("attributeName")?, value))
                })?;
                Ok(Limits { resource: limits.into_iter().collect() })
            })
            .await
    }
}

fn placement_group(item: Element<'_, '_>) -> Result<PlacementGroup> {
    Ok(PlacementGroup {
        name: item.need_text("groupName")?,
        state: item.opt_text("state"),
        strategy: item.opt_text("strategy"),
    })
}

fn reserved_node(item: Element<'_, '_>) -> Result<ReservedNode> {
    Ok(ReservedNode {
        id: item.need_text("reservedInstancesId")?,
        state: item.opt_text("state"),
        extra: ReservedNodeExtra {
            instance_type: item.opt_text("instanceType"),
            availability: item.opt_text("availabilityZone"),
            start: item.opt_text("start"),
            end: item.opt_text("end"),
            duration: item.parse("duration")?,
            usage_price: item.parse("usagePrice")?,
            fixed_price: item.parse("fixedPrice")?,
            instance_count: item.parse("instanceCount")?,
            description: item.opt_text("productDescription"),
            instance_tenancy: item.opt_text("instanceTenancy"),
            currency_code: item.opt_text("currencyCode"),
            offering_type: item.opt_text("offeringType"),
        },
    })
}
