//! Networks, public addresses, and the rules that forward to nodes.

use futures_util::TryStreamExt as _;
use libcloud_common::{Error, Extra, Map, Options, Result, Value, extensions, resource};
use libcloud_compute::NodeLocation;
use serde::{Deserialize, Serialize};

use super::CloudStackDriver;
use crate::connection::listing;
use crate::wire;

/// A public address.
///
/// <https://cloudstack.apache.org/api/apidocs-4.20/apis/listPublicIpAddresses.html>
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Address {
    /// Its id.
    pub id: String,
    /// The address.
    pub address: String,
    /// The network that it leads to.
    pub associated_network_id: Option<String>,
    /// The virtual private cloud that it belongs to.
    pub vpc_id: Option<String>,
    /// The node that it leads to.
    pub virtualmachine_id: Option<String>,
    /// Whether it stands for that node alone (static NAT).
    pub is_static_nat: bool,
}

impl Address {
    /// An address of which only the id is known.
    pub fn from_id(id: impl Into<String>) -> Self {
        Self { id: id.into(), ..Self::default() }
    }
}

resource!(Address, "address");

/// A rule that forwards ports of a public address to a node.
///
/// <https://cloudstack.apache.org/api/apidocs-4.20/apis/listPortForwardingRules.html>
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct PortForwardingRule {
    /// Its id.
    pub id: String,
    /// The public address.
    pub address: Address,
    /// The id of the node.
    pub node: Option<String>,
    /// `TCP` or `UDP`.
    pub protocol: String,
    /// The first port of the address.
    pub public_port: Option<String>,
    /// The last port of the address.
    pub public_end_port: Option<String>,
    /// The first port of the node.
    pub private_port: Option<String>,
    /// The last port of the node.
    pub private_end_port: Option<String>,
}

/// A rule that forwards ports of a public address that stands for one node (static NAT).
///
/// <https://cloudstack.apache.org/api/apidocs-4.20/apis/listIpForwardingRules.html>
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct IpForwardingRule {
    /// Its id.
    pub id: String,
    /// The public address.
    pub address: Address,
    /// The id of the node.
    pub node: Option<String>,
    /// `TCP` or `UDP`.
    pub protocol: String,
    /// The first port.
    pub start_port: Option<String>,
    /// The last port.
    pub end_port: Option<String>,
}

/// A network that nodes can be in.
///
/// <https://cloudstack.apache.org/api/apidocs-4.20/apis/listNetworks.html>
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Network {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// A sentence about it.
    pub displaytext: String,
    /// What it was made of.
    pub networkofferingid: Option<String>,
    /// The zone that it is in.
    pub zoneid: Option<String>,
    /// All else, under the names that Apache Libcloud has: `gateway`, `netmask`, `state`, `type`, `vpc_id` …
    pub extra: Extra,
}

#[extensions(NETWORKS)]
impl CloudStackDriver {
    /// The networks that nodes can be in; of a project with its id.
    /// <https://cloudstack.apache.org/api/apidocs-4.20/apis/listNetworks.html>
    pub async fn ex_list_networks(&self, project: Option<String>) -> Result<Vec<Network>> {
        let command = self.conn.command("listNetworks").opt("projectid", project);
        listing(Ok(command), "network", |found| Ok(network(found))).try_collect().await
    }

    /// The public addresses of the account.
    /// <https://cloudstack.apache.org/api/apidocs-4.20/apis/listPublicIpAddresses.html>
    pub async fn ex_list_public_ips(&self) -> Result<Vec<Address>> {
        self.public_ips(Options::new()).await
    }

    /// Takes a new public address, in the first zone without a location.
    /// <https://cloudstack.apache.org/api/apidocs-4.20/apis/associateIpAddress.html>
    pub async fn ex_allocate_public_ip(
        &self,
        vpc_id: Option<String>,
        network_id: Option<String>,
        location: Option<NodeLocation>,
    ) -> Result<Address> {
        let zone = self.zone(location, Options::new()).await?;
        let made: wire::IpAddressResult = self
            .conn
            .command("associateIpAddress")
            .param("zoneid", zone)
            .opt("vpcid", vpc_id)
            .opt("networkid", network_id)
            .job()
            .await?;
        Ok(address(made.ipaddress))
    }

    /// Gives a public address back.
    /// <https://cloudstack.apache.org/api/apidocs-4.20/apis/disassociateIpAddress.html>
    pub async fn ex_release_public_ip(&self, address: &Address) -> Result<()> {
        self.conn.command("disassociateIpAddress").param("id", &address.id).job_done().await
    }

    /// The rules that forward ports of public addresses.
    /// <https://cloudstack.apache.org/api/apidocs-4.20/apis/listPortForwardingRules.html>
    pub async fn ex_list_port_forwarding_rules(&self) -> Result<Vec<PortForwardingRule>> {
        self.port_forwarding_rules(Options::new()).await
    }

    /// The rules of the public addresses that stand for one node.
    /// <https://cloudstack.apache.org/api/apidocs-4.20/apis/listIpForwardingRules.html>
    pub async fn ex_list_ip_forwarding_rules(&self) -> Result<Vec<IpForwardingRule>> {
        self.ip_forwarding_rules(Options::new()).await
    }
}

impl CloudStackDriver {
    pub(super) async fn public_ips(&self, options: Options) -> Result<Vec<Address>> {
        let command = self.conn.command("listPublicIpAddresses").timeout(options.timeout);
        listing(Ok(command), "publicipaddress", |found| Ok(address(found))).try_collect().await
    }

    pub(super) async fn port_forwarding_rules(&self, options: Options) -> Result<Vec<PortForwardingRule>> {
        let command = self.conn.command("listPortForwardingRules").timeout(options.timeout);
        listing(Ok(command), "portforwardingrule", port_forwarding_rule).try_collect().await
    }

    pub(super) async fn ip_forwarding_rules(&self, options: Options) -> Result<Vec<IpForwardingRule>> {
        let command = self.conn.command("listIpForwardingRules").timeout(options.timeout);
        listing(Ok(command), "ipforwardingrule", ip_forwarding_rule).try_collect().await
    }
}

fn address(found: wire::IpAddress) -> Address {
    Address {
        id: found.id,
        address: found.ipaddress,
        associated_network_id: found.associatednetworkid,
        vpc_id: found.vpcid,
        virtualmachine_id: found.virtualmachineid,
        is_static_nat: found.isstaticnat,
    }
}

fn port_forwarding_rule(rule: wire::ForwardingRule) -> Result<PortForwardingRule> {
    Ok(PortForwardingRule {
        address: address_of(&rule)?,
        id: rule.id,
        node: rule.virtualmachineid,
        protocol: rule.protocol.to_uppercase(),
        public_port: rule.publicport,
        public_end_port: rule.publicendport,
        private_port: rule.privateport,
        private_end_port: rule.privateendport,
    })
}

fn ip_forwarding_rule(rule: wire::ForwardingRule) -> Result<IpForwardingRule> {
    Ok(IpForwardingRule {
        address: address_of(&rule)?,
        id: rule.id,
        node: rule.virtualmachineid,
        protocol: rule.protocol.to_uppercase(),
        start_port: rule.startport,
        end_port: rule.endport,
    })
}

fn address_of(rule: &wire::ForwardingRule) -> Result<Address> {
    let id = rule.ipaddressid.clone().ok_or_else(|| Error::malformed("ipaddressid", "it is missing"))?;
    Ok(Address { address: rule.ipaddress.clone().unwrap_or_default(), ..Address::from_id(id) })
}

/// CloudStack's names, and those of Apache Libcloud.
const NETWORK_EXTRA: &[(&str, &str)] = &[
    ("broadcastdomaintype", "broadcast_domain_type"),
    ("traffictype", "traffic_type"),
    ("zonename", "zone_name"),
    ("networkofferingname", "network_offering_name"),
    ("networkofferingdisplaytext", "network_offeringdisplay_text"),
    ("networkofferingavailability", "network_offering_availability"),
    ("issystem", "is_system"),
    ("state", "state"),
    ("dns1", "dns1"),
    ("dns2", "dns2"),
    ("type", "type"),
    ("acltype", "acl_type"),
    ("subdomainaccess", "subdomain_access"),
    ("networkdomain", "network_domain"),
    ("physicalnetworkid", "physical_network_id"),
    ("canusefordeploy", "can_use_for_deploy"),
    ("gateway", "gateway"),
    ("netmask", "netmask"),
    ("vpcid", "vpc_id"),
    ("projectid", "project_id"),
];

fn network(found: wire::Network) -> Network {
    let mut rest: Map<String, Value> = found.rest;
    let mut extra = Extra::new();
    for (theirs, ours) in NETWORK_EXTRA {
        if let Some(value) = rest.remove(*theirs) {
            extra.insert(*ours, value);
        }
    }
    let tags: Map<String, Value> = found.tags.into_iter().map(|tag| (tag.key, tag.value.into())).collect();
    extra.insert("tags", tags);
    Network {
        id: found.id,
        name: found.name,
        displaytext: found.displaytext,
        networkofferingid: found.networkofferingid,
        zoneid: found.zoneid,
        extra,
    }
}
