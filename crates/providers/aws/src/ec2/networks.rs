//! Virtual private clouds and their subnets.

use std::collections::BTreeMap;

use libcloud_common::xml::Element;
use libcloud_common::{Error, Result, extensions};
use serde::{Deserialize, Serialize};

use super::arguments::{ec2_resource, has_id};
use super::tags::{tagged, with_name};
use super::{Ec2Driver, Filters, ResourceId, wire};

/// A virtual private cloud.
///
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Vpc.html>
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Network {
    /// The id.
    pub id: String,
    /// The tag `Name`, or the id.
    pub name: String,
    /// Its addresses.
    pub cidr_block: Option<String>,
    /// What else there is.
    pub extra: NetworkExtra,
}

ec2_resource!(Network, "network");
tagged!(Network);

/// What else a virtual private cloud has.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct NetworkExtra {
    /// `pending` or `available`.
    pub state: Option<String>,
    /// What its nodes are told by DHCP.
    pub dhcp_options_id: Option<String>,
    /// `default`, `dedicated` or `host`.
    pub instance_tenancy: Option<String>,
    /// Whether it is where nodes go that are made without a subnet.
    pub is_default: Option<bool>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

/// A part of a virtual private cloud, in one zone.
///
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Subnet.html>
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Subnet {
    /// The id.
    pub id: String,
    /// The tag `Name`, or the id.
    pub name: String,
    /// `pending` or `available`.
    pub state: Option<String>,
    /// What else there is.
    pub extra: SubnetExtra,
}

ec2_resource!(Subnet, "subnet");
tagged!(Subnet);

/// What else a subnet has.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct SubnetExtra {
    /// Its addresses.
    pub cidr_block: Option<String>,
    /// How many of them are free.
    pub available_ips: Option<u64>,
    /// The zone.
    pub zone: Option<String>,
    /// The virtual private cloud.
    pub vpc_id: Option<String>,
    /// Whether its nodes get a public address when they are made.
    pub auto_public_ip: Option<bool>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

#[extensions(NETWORKS)]
impl Ec2Driver {
    /// The virtual private clouds: all, or only those that are asked for.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeVpcs.html>
    pub async fn ex_list_networks(
        &self,
        network_ids: Option<Vec<String>>,
        filters: Option<Filters>,
    ) -> Result<Vec<Network>> {
        self.conn
            .action("DescribeVpcs")
            .list("VpcId", network_ids.unwrap_or_default())
            .filters(filters.unwrap_or_default().0)
            .all(|root| wire::items(root, "vpcSet", network))
            .await
    }

    /// Makes a virtual private cloud of these addresses (`10.0.0.0/16`).
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateVpc.html>
    pub async fn ex_create_network(
        &self,
        cidr_block: &str,
        name: Option<String>,
        instance_tenancy: Option<String>,
    ) -> Result<Network> {
        let tags = with_name(BTreeMap::new(), name.as_deref());
        let action = self
            .conn
            .action("CreateVpc")
            .param("CidrBlock", cidr_block)
            .param("InstanceTenancy", instance_tenancy.as_deref().unwrap_or("default"));
        self.make(action, "vpc", &tags, |root| network(root.need("vpc")?)).await
    }

    /// Deletes a virtual private cloud; it must be empty.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteVpc.html>
    pub async fn ex_delete_network(&self, vpc: &Network) -> Result<()> {
        self.conn.action("DeleteVpc").param("VpcId", &vpc.id).done().await
    }

    /// The subnets: all, or only those that are asked for.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeSubnets.html>
    pub async fn ex_list_subnets(
        &self,
        subnet_ids: Option<Vec<String>>,
        filters: Option<Filters>,
    ) -> Result<Vec<Subnet>> {
        self.conn
            .action("DescribeSubnets")
            .list("SubnetId", subnet_ids.unwrap_or_default())
            .filters(filters.unwrap_or_default().0)
            .all(|root| wire::items(root, "subnetSet", subnet))
            .await
    }

    /// Makes a subnet of these addresses in a zone of a virtual private cloud.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSubnet.html>
    pub async fn ex_create_subnet(
        &self,
        vpc_id: &ResourceId,
        cidr_block: &str,
        availability_zone: &str,
        name: Option<String>,
    ) -> Result<Subnet> {
        let tags = with_name(BTreeMap::new(), name.as_deref());
        let action = self
            .conn
            .action("CreateSubnet")
            .param("VpcId", &vpc_id.0)
            .param("CidrBlock", cidr_block)
            .param("AvailabilityZone", availability_zone);
        self.make(action, "subnet", &tags, |root| subnet(root.need("subnet")?)).await
    }

    /// Turns `auto_public_ip` (without `attribute`) or `auto_ipv6` of a subnet on or off: whether its nodes get such an
    /// address when they are made.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifySubnetAttribute.html>
    pub async fn ex_modify_subnet_attribute(
        &self,
        subnet: &Subnet,
        attribute: Option<String>,
        value: Option<bool>,
    ) -> Result<()> {
        let name = match attribute.as_deref() {
            None | Some("auto_public_ip") => "MapPublicIpOnLaunch.Value",
            Some("auto_ipv6") => "AssignIpv6AddressOnCreation.Value",
            Some(other) => {
                return Err(Error::invalid_argument(format!(
                    "`attribute` is `auto_public_ip` or `auto_ipv6`, not `{other}`"
                ))
                .with_resource("argument", "attribute"));
            }
        };
        self.conn
            .action("ModifySubnetAttribute")
            .param("SubnetId", &subnet.id)
            .param(name, value.unwrap_or_default())
            .done()
            .await
    }

    /// Deletes a subnet; it must be empty.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteSubnet.html>
    pub async fn ex_delete_subnet(&self, subnet: &Subnet) -> Result<()> {
        self.conn.action("DeleteSubnet").param("SubnetId", &subnet.id).done().await
    }
}

fn network(item: Element<'_, '_>) -> Result<Network> {
    let id = item.need_text("vpcId")?;
    let tags = wire::tags(item)?;
    Ok(Network {
        name: wire::name(&tags, &id),
        id,
        cidr_block: item.opt_text("cidrBlock"),
        extra: NetworkExtra {
            state: item.opt_text("state"),
            dhcp_options_id: item.opt_text("dhcpOptionsId"),
            instance_tenancy: item.opt_text("instanceTenancy"),
            is_default: item.bool("isDefault")?,
            tags,
        },
    })
}

fn subnet(item: Element<'_, '_>) -> Result<Subnet> {
    let id = item.need_text("subnetId")?;
    let tags = wire::tags(item)?;
    Ok(Subnet {
        name: wire::name(&tags, &id),
        id,
        state: item.opt_text("state"),
        extra: SubnetExtra {
            cidr_block: item.opt_text("cidrBlock"),
            available_ips: item.parse("availableIpAddressCount")?,
            zone: item.opt_text("availabilityZone"),
            vpc_id: item.opt_text("vpcId"),
            auto_public_ip: item.bool("mapPublicIpOnLaunch")?,
            tags,
        },
    })
}
