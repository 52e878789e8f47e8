//! Elastic addresses: public addresses that the account keeps and gives to its nodes.

use std::collections::BTreeMap;

use libcloud_common::dispatch::{Arg, expected};
use libcloud_common::xml::Element;
use libcloud_common::{Error, Result, Value, extensions};
use libcloud_compute::Node;
use serde::{Deserialize, Serialize};

use super::{Ec2Driver, wire};
use crate::connection::Action;

/// An elastic address.
///
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Address.html>
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ElasticIp {
    /// The address.
    pub ip: String,
    /// `vpc`, or `standard` outside of one.
    pub domain: Option<String>,
    /// The node that it is associated with.
    pub instance_id: Option<String>,
    /// What else there is.
    pub extra: ElasticIpExtra,
}

/// What else an elastic address has.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ElasticIpExtra {
    /// By which it is known in a VPC.
    pub allocation_id: Option<String>,
    /// By which the association is known in a VPC.
    pub association_id: Option<String>,
    /// The network interface.
    pub interface_id: Option<String>,
    /// The account of the network interface.
    pub owner_id: Option<String>,
    /// The private address that it stands for.
    pub private_ip: Option<String>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

impl ElasticIp {
    /// The elastic address of which only this is known.
    pub fn from_ip(ip: impl Into<String>) -> Self {
        Self { ip: ip.into(), ..Self::default() }
    }
}

impl Arg for ElasticIp {
    const TYPE: &'static str = "elastic address";

    fn from_json(value: Value) -> std::result::Result<Self, String> {
        match value {
            Value::String(ip) => Ok(Self::from_ip(ip)),
            whole @ Value::Object(_) => {
                Self::deserialize(whole).map_err(|error| format!("this is no elastic address: {error}"))
            }
            other => Err(expected("an elastic address, whole or its IP address", &other)),
        }
    }
}

#[extensions(ADDRESSES)]
impl Ec2Driver {
    /// Takes a public address. With `domain` `vpc` it is one for the nodes of a VPC.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AllocateAddress.html>
    pub async fn ex_allocate_address(&self, domain: Option<String>) -> Result<ElasticIp> {
        // `standard` is the default outside a VPC, and refused in accounts that have only VPCs.
        let domain = domain.filter(|domain| domain != "standard");
        self.conn.action("AllocateAddress").opt("Domain", domain).read(elastic_ip).await
    }

    /// Gives a public address back.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ReleaseAddress.html>
    pub async fn ex_release_address(&self, elastic_ip: &ElasticIp, domain: Option<String>) -> Result<()> {
        known_by(self.conn.action("ReleaseAddress"), elastic_ip, domain.as_deref(), Vpc::Allocation)?
            .done()
            .await
    }

    /// All elastic addresses, or only those that are associated with a node.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeAddresses.html>
    pub async fn ex_describe_all_addresses(&self, only_associated: Option<bool>) -> Result<Vec<ElasticIp>> {
        let mut addresses = self.conn.action("DescribeAddresses").all(elastic_ips).await?;
        if only_associated.unwrap_or_default() {
            addresses.retain(|address| address.instance_id.is_some());
        }
        Ok(addresses)
    }

    /// Associates an elastic address with a node; gives the id of the association, which there is in a VPC.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AssociateAddress.html>
    pub async fn ex_associate_address_with_node(
        &self,
        node: &Node,
        elastic_ip: &ElasticIp,
        domain: Option<String>,
    ) -> Result<Option<String>> {
        let action = self.conn.action("AssociateAddress").param("InstanceId", &node.id);
        known_by(action, elastic_ip, domain.as_deref(), Vpc::Allocation)?
            .read(|root| Ok(root.opt_text("associationId")))
            .await
    }

    /// The old name of `ex_associate_address_with_node`.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AssociateAddress.html>
    pub async fn ex_associate_addresses(
        &self,
        node: &Node,
        elastic_ip: &ElasticIp,
        domain: Option<String>,
    ) -> Result<Option<String>> {
        self.ex_associate_address_with_node(node, elastic_ip, domain).await
    }

    /// Ends the association of an elastic address with its node.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DisassociateAddress.html>
    pub async fn ex_disassociate_address(
        &self,
        elastic_ip: &ElasticIp,
        domain: Option<String>,
    ) -> Result<()> {
        let action = self.conn.action("DisassociateAddress");
        known_by(action, elastic_ip, domain.as_deref(), Vpc::Association)?.done().await
    }

    /// The elastic addresses of these nodes, by the node's id.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeAddresses.html>
    pub async fn ex_describe_addresses(&self, nodes: &[Node]) -> Result<BTreeMap<String, Vec<String>>> {
        let mut found: BTreeMap<_, _> = nodes.iter().map(|node| (node.id.clone(), Vec::new())).collect();
        if found.is_empty() || !self.dialect.elastic_addresses {
            return Ok(found);
        }
        let action = self.conn.action("DescribeAddresses");
        let action = match nodes {
            [node] if !self.dialect.old => action.filter("instance-id", [&node.id]),
            _ => action,
        };
        for address in action.all(elastic_ips).await? {
            let of_node = address.instance_id.and_then(|id| found.get_mut(&id));
            if let Some(addresses) = of_node {
                addresses.push(address.ip);
            }
        }
        Ok(found)
    }

    /// The elastic addresses of a node.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeAddresses.html>
    pub async fn ex_describe_addresses_for_node(&self, node: &Node) -> Result<Vec<String>> {
        let found = self.ex_describe_addresses(std::slice::from_ref(node)).await?;
        Ok(found.into_values().flatten().collect())
    }
}

/// By which id an address is known in a VPC.
#[derive(Clone, Copy)]
enum Vpc {
    Allocation,
    Association,
}

/// The address, as this action wants to know it: by itself, or in a VPC by an id. The address knows itself where it is, if
/// it came out of a listing.
fn known_by(action: Action, elastic_ip: &ElasticIp, domain: Option<&str>, vpc: Vpc) -> Result<Action> {
    match domain.or(elastic_ip.domain.as_deref()) {
        None | Some("standard") => return Ok(action.param("PublicIp", &elastic_ip.ip)),
        Some("vpc") => {}
        Some(other) => {
            return Err(Error::invalid_argument(format!("`domain` is `vpc` or nothing, not `{other}`"))
                .with_resource("argument", "domain"));
        }
    }
    let (name, field, id) = match vpc {
        Vpc::Allocation => ("AllocationId", "allocation_id", &elastic_ip.extra.allocation_id),
        Vpc::Association => ("AssociationId", "association_id", &elastic_ip.extra.association_id),
    };
    let id = id.as_ref().ok_or_else(|| {
        Error::invalid_argument(format!(
            "in a VPC the address {} is known by its `{field}`, which is not given: take it from \
             `ex_describe_all_addresses`",
            elastic_ip.ip
        ))
        .with_resource("argument", "elastic_ip")
    })?;
    Ok(action.param(name, id))
}

fn elastic_ips(root: Element<'_, '_>) -> Result<Vec<ElasticIp>> {
    wire::items(root, "addressesSet", elastic_ip)
}

fn elastic_ip(item: Element<'_, '_>) -> Result<ElasticIp> {
    Ok(ElasticIp {
        ip: item.need_text("publicIp")?,
        domain: item.opt_text("domain"),
        // Eucalyptus writes words here that are no ids: `nobody`, `i-1 (arn:…)`.
        instance_id: item
            .opt_text("instanceId")
            .and_then(|text| text.split(' ').next().filter(|id| id.starts_with("i-")).map(str::to_owned)),
        extra: ElasticIpExtra {
            allocation_id: item.opt_text("allocationId"),
            association_id: item.opt_text("associationId"),
            interface_id: item.opt_text("networkInterfaceId"),
            owner_id: item.opt_text("networkInterfaceOwnerId"),
            private_ip: item.opt_text("privateIpAddress"),
            tags: wire::tags(item)?,
        },
    })
}
