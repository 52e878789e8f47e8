//! Virtual machines: what the base API calls nodes.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use libcloud_common::{
    BoxStream, Driver as _, Error, Extra, ExtraFields, Map, Options, Result, Secret, Value, arguments,
    encode, extensions, once, serialize_exposed,
};
use libcloud_compute::{CreateNode, Node, NodeAuth, NodeState};
use serde::{Deserialize, Serialize};

use super::networks::{Address, IpForwardingRule, PortForwardingRule};
use super::{CloudStackDriver, first};
use crate::connection::listing;
use crate::wire;

/// What only CloudStack tells about a node.
///
/// <https://cloudstack.apache.org/api/apidocs-4.20/apis/listVirtualMachines.html>
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct NodeExtra {
    /// The name for people, where it is not the node's.
    pub displayname: Option<String>,
    /// The state in CloudStack's own word.
    pub status: Option<String>,
    /// The zone's id.
    #[serde(rename = "zoneid")]
    pub zone_id: Option<String>,
    /// The zone's name.
    pub zone_name: Option<String>,
    /// The key pair that gets in.
    #[serde(rename = "keyname")]
    pub key_name: Option<String>,
    /// The password that CloudStack made up: only in the answer that made the node.
    #[serde(serialize_with = "serialize_exposed")]
    pub password: Option<Secret>,
    /// Whether the image takes a password.
    pub password_enabled: Option<bool>,
    /// The names of its security groups.
    #[serde(rename = "securitygroup")]
    pub security_groups: Vec<String>,
    /// Its affinity groups.
    #[serde(rename = "affinity_group")]
    pub affinity_groups: Vec<AffinityGroup>,
    /// When it was made, as CloudStack writes it.
    pub created: Option<String>,
    /// Whether it is started again elsewhere when its host fails.
    pub haenable: Option<bool>,
    /// The image's id.
    pub image_id: Option<String>,
    /// The image's name.
    pub image_name: Option<String>,
    /// A sentence about the image.
    pub template_display_text: Option<String>,
    /// The size's id.
    pub size_id: Option<String>,
    /// The size's name.
    pub size_name: Option<String>,
    /// The number of the device that it boots from.
    pub root_device_id: Option<String>,
    /// The kind of the device that it boots from.
    pub root_device_type: Option<String>,
    /// The hypervisor.
    pub hypervisor: Option<String>,
    /// The project's name.
    pub project: Option<String>,
    /// The project's id.
    pub project_id: Option<String>,
    /// Its network interfaces, under CloudStack's names.
    pub nics: Vec<Map<String, Value>>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// The public addresses that lead to it. Filled by `list_nodes`, as are the two after it.
    pub ip_addresses: Vec<Address>,
    /// The rules that forward ports of addresses that stand for it.
    pub ip_forwarding_rules: Vec<IpForwardingRule>,
    /// The rules that forward ports of public addresses to it.
    pub port_forwarding_rules: Vec<PortForwardingRule>,
}

impl ExtraFields for NodeExtra {}

/// A group of nodes that are kept together, or apart.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct AffinityGroup {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// Extension arguments of `list_nodes`.
///
/// <https://cloudstack.apache.org/api/apidocs-4.20/apis/listVirtualMachines.html>
#[arguments(drivers = ["cloudstack"])]
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct CloudStackListNodes {
    /// Only the nodes of this project, by its id.
    pub ex_project: Option<String>,
    /// Only the nodes of this zone, by its id.
    pub ex_location: Option<String>,
}

/// Extension arguments of `create_node`.
///
/// <https://cloudstack.apache.org/api/apidocs-4.20/apis/deployVirtualMachine.html>
#[arguments(drivers = ["cloudstack"])]
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct CloudStackCreateNode {
    /// The name of the key pair that gets in.
    pub ex_keyname: Option<String>,
    /// What the node finds in its user data: a script, a cloud-init file. Not base64.
    pub ex_userdata: Option<String>,
    /// Names of security groups.
    pub ex_security_groups: Vec<String>,
    /// Ids of networks; the first is the default one.
    pub ex_networks: Vec<String>,
    /// The id of a project.
    pub ex_project: Option<String>,
    /// The id of the disk offering of a further disk, or of the root disk of an ISO.
    pub ex_diskoffering: Option<String>,
    /// The name for people, where it is not the node's.
    pub ex_displayname: Option<String>,
    /// An address of the default network.
    pub ex_ip_address: Option<String>,
    /// Whether it is started (`true`).
    pub ex_start_vm: Option<bool>,
    /// The size of its disk in GB, where that is not the image's.
    pub ex_rootdisksize: Option<u64>,
    /// Ids of affinity groups.
    pub ex_affinity_groups: Vec<String>,
}

/// Extension arguments of `destroy_node`.
///
/// <https://cloudstack.apache.org/api/apidocs-4.20/apis/destroyVirtualMachine.html>
#[arguments(drivers = ["cloudstack"])]
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct CloudStackDestroyNode {
    /// Whether it is gone at once, without a way back (`false`). Not every account may.
    pub ex_expunge: Option<bool>,
}

/// What leads to nodes, from the outside.
#[derive(Debug)]
struct Leading {
    addresses: Vec<Address>,
    ip_rules: Vec<IpForwardingRule>,
    port_rules: Vec<PortForwardingRule>,
}

impl CloudStackDriver {
    pub(super) fn list_virtual_machines(&self, options: Options) -> BoxStream<'static, Result<Node>> {
        let mut plain = Options::new();
        plain.timeout = options.timeout;
        let ex: CloudStackListNodes = match options.ex.decode("list_nodes") {
            Ok(ex) => ex,
            Err(error) => return once(std::future::ready(Err(error))),
        };
        let command = self
            .conn
            .command("listVirtualMachines")
            .opt("projectid", ex.ex_project)
            .opt("zoneid", ex.ex_location)
            .timeout(plain.timeout);
        let driver = self.clone();
        let leading = async move { driver.leading(plain).await.map(Arc::new) };
        let nodes = move |leading: Arc<Leading>| {
            listing(Ok(command.clone()), "virtualmachine", move |machine| Ok(node(machine, Some(&leading))))
        };
        stream::once(leading).map_ok(nodes).try_flatten().boxed()
    }

    async fn leading(&self, options: Options) -> Result<Leading> {
        let addresses = self.public_ips(options.clone()).await?;
        // What does not exist need not be asked for.
        let (mut port_rules, mut ip_rules) = (Vec::new(), Vec::new());
        if !addresses.is_empty() {
            port_rules = self.port_forwarding_rules(options.clone()).await?;
        }
        if addresses.iter().any(|address| address.is_static_nat) {
            ip_rules = self.ip_forwarding_rules(options).await?;
        }
        Ok(Leading { addresses, ip_rules, port_rules })
    }

    pub(super) async fn get_virtual_machine(&self, id: &str, timeout: Option<Duration>) -> Result<Node> {
        let command = self.conn.command("listVirtualMachines").param("id", id).timeout(timeout);
        let found = first(listing(Ok(command), "virtualmachine", |machine| Ok(node(machine, None)))).await?;
        found.ok_or_else(|| Error::not_found("node", id))
    }

    pub(super) async fn deploy_virtual_machine(&self, options: CreateNode) -> Result<Node> {
        let ex: CloudStackCreateNode = options.ex.decode("create_node")?;
        // The only password is one that CloudStack makes up.
        NodeAuth::resolve(options.auth, &self.capabilities())?;
        let mut plain = Options::new();
        plain.timeout = options.timeout;
        let zone = self.zone(options.location, plain).await?;
        let mut command = self
            .conn
            .command("deployVirtualMachine")
            .param("name", options.name)
            .param("serviceofferingid", options.size.id)
            .param("templateid", options.image.id)
            .param("zoneid", zone)
            .opt("displayname", ex.ex_displayname)
            .opt("keypair", ex.ex_keyname)
            .list("securitygroupnames", &ex.ex_security_groups)
            .list("networkids", &ex.ex_networks)
            .opt("projectid", ex.ex_project)
            .opt("diskofferingid", ex.ex_diskoffering)
            .opt("ipaddress", ex.ex_ip_address)
            .opt("startvm", ex.ex_start_vm)
            .opt("rootdisksize", ex.ex_rootdisksize)
            .list("affinitygroupids", &ex.ex_affinity_groups)
            .in_body()
            .timeout(options.timeout);
        if let Some(data) = ex.ex_userdata {
            command = command.secret("userdata", encode::base64(data));
        }
        let made: wire::VirtualMachineResult = command.job().await?;
        Ok(node(made.virtualmachine, None))
    }

    pub(super) async fn start(&self, node: &Node, timeout: Option<Duration>) -> Result<String> {
        self.act("startVirtualMachine", node, timeout).await
    }

    pub(super) async fn stop(&self, node: &Node, timeout: Option<Duration>) -> Result<String> {
        self.act("stopVirtualMachine", node, timeout).await
    }

    /// Answers the state that the node is in then.
    async fn act(&self, command: &'static str, node: &Node, timeout: Option<Duration>) -> Result<String> {
        let command = self.conn.command(command).param("id", &node.id).timeout(timeout);
        let done: wire::VirtualMachineResult = command.job().await?;
        Ok(done.virtualmachine.state)
    }
}

#[extensions(NODES)]
impl CloudStackDriver {
    /// Starts a stopped node, and answers its state in CloudStack's own word.
    /// <https://cloudstack.apache.org/api/apidocs-4.20/apis/startVirtualMachine.html>
    pub async fn ex_start(&self, node: &Node) -> Result<String> {
        self.start(node, None).await
    }

    /// Stops a node, and answers its state in CloudStack's own word.
    /// <https://cloudstack.apache.org/api/apidocs-4.20/apis/stopVirtualMachine.html>
    pub async fn ex_stop(&self, node: &Node) -> Result<String> {
        self.stop(node, None).await
    }

    /// How many of each kind of resource the account may have, by Apache Libcloud's names; -1 is no limit.
    /// <https://cloudstack.apache.org/api/apidocs-4.20/apis/listResourceLimits.html>
    pub async fn ex_limits(&self) -> Result<BTreeMap<String, i64>> {
        let command = self.conn.command("listResourceLimits");
        listing(Ok(command), "resourcelimit", |limit: wire::ResourceLimit| {
            Ok((limit_name(&limit.resourcetype).to_owned(), limit.max))
        })
        .try_collect()
        .await
    }
}

/// The numbers of `Resource.ResourceType` in CloudStack's source; a newer one keeps its number.
fn limit_name(number: &str) -> &str {
    match number {
        "0" => "max_instances",
        "1" => "max_public_ips",
        "2" => "max_volumes",
        "3" => "max_snapshots",
        "4" => "max_images",
        "5" => "max_projects",
        "6" => "max_networks",
        "7" => "max_vpc",
        "8" => "max_cpu",
        "9" => "max_memory",
        "10" => "max_primary_storage",
        "11" => "max_secondary_storage",
        other => other,
    }
}

/// `VirtualMachine.State` in CloudStack's source.
fn state(name: &str) -> NodeState {
    match name {
        "Running" => NodeState::Running,
        "Starting" => NodeState::Starting,
        "Stopping" => NodeState::Stopping,
        "Stopped" => NodeState::Stopped,
        "Destroyed" | "Expunging" => NodeState::Terminated,
        "Migrating" => NodeState::Migrating,
        "Error" => NodeState::Error,
        other => NodeState::Unknown(other.to_owned()),
    }
}

fn node(machine: wire::VirtualMachine, leading: Option<&Arc<Leading>>) -> Node {
    let ips = machine.nic.iter().filter_map(|nic| nic.get("ipaddress")?.as_str()).map(str::to_owned);
    let (private, mut public): (Vec<_>, Vec<_>) = ips.partition(|ip| is_private(ip));
    let mut extra = NodeExtra::default();
    if let Some(leading) = leading {
        let leads_here = |node: &Option<String>| node.as_ref() == Some(&machine.id);
        extra.ip_addresses = leading
            .addresses
            .iter()
            .filter(|address| leads_here(&address.virtualmachine_id))
            .cloned()
            .collect();
        extra.ip_forwarding_rules =
            leading.ip_rules.iter().filter(|rule| leads_here(&rule.node)).cloned().collect();
        extra.port_forwarding_rules =
            leading.port_rules.iter().filter(|rule| leads_here(&rule.node)).cloned().collect();
    }
    for address in &extra.ip_addresses {
        if !public.contains(&address.address) {
            public.push(address.address.clone());
        }
    }
    let mut node = Node::new(machine.id, machine.name, state(&machine.state)).with_ips(public, private);
    node.created_at = machine.created.as_deref().and_then(|created| created.parse().ok());
    let group = |group: wire::Named| AffinityGroup { id: group.id, name: group.name };
    node.extra = Extra::of(NodeExtra {
        displayname: machine.displayname,
        status: Some(machine.state),
        zone_id: machine.zoneid,
        zone_name: machine.zonename,
        key_name: machine.keypair,
        password: machine.password,
        password_enabled: machine.passwordenabled,
        security_groups: machine.securitygroup.into_iter().map(|group| group.name).collect(),
        affinity_groups: machine.affinitygroup.into_iter().map(group).collect(),
        created: machine.created,
        haenable: machine.haenable,
        image_id: machine.templateid,
        image_name: machine.templatename,
        template_display_text: machine.templatedisplaytext,
        size_id: machine.serviceofferingid,
        size_name: machine.serviceofferingname,
        root_device_id: machine.rootdeviceid,
        root_device_type: machine.rootdevicetype,
        hypervisor: machine.hypervisor,
        project: machine.project,
        project_id: machine.projectid,
        nics: machine.nic,
        tags: machine.tags.into_iter().map(|tag| (tag.key, tag.value)).collect(),
        ..extra
    });
    node
}

/// Whether no one outside can reach it (RFC 1918, RFC 4193).
fn is_private(ip: &str) -> bool {
    match ip.parse() {
        Ok(IpAddr::V4(ip)) => ip.is_private() || ip.is_loopback() || ip.is_link_local(),
        Ok(IpAddr::V6(ip)) => ip.is_unique_local() || ip.is_loopback() || ip.is_unicast_link_local(),
        Err(_) => false,
    }
}
