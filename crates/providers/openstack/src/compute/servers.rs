//! Servers: what the base API calls nodes.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use libcloud_common::{
    Driver as _, Error, Extra, ExtraFields, Map, Options, Page, Result, Secret, Timestamp, Value, arguments,
    encode, extensions, json, serialize_exposed,
};
use libcloud_compute::{ComputeDriver as _, CreateNode, Node, NodeAuth, NodeState};
use serde::{Deserialize, Deserializer, Serialize};

use super::networks::OpenStackNetwork;
use super::{OpenStackNodeDriver, of};
use crate::connection::marker;
use crate::wire::{self, Link};

/// What only OpenStack tells about a node.
///
/// <https://docs.openstack.org/api-ref/compute/#show-server-details>
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct NodeExtra {
    /// The addresses in each network, as the service tells them.
    pub addresses: BTreeMap<String, Vec<NodeAddress>>,
    /// A name of the host, which differs from project to project.
    #[serde(rename = "hostId")]
    pub host_id: Option<String>,
    /// The IPv4 address that it should be reached by.
    pub access_ip: Option<String>,
    /// The IPv6 address that it should be reached by.
    pub access_ipv6: Option<String>,
    /// The project.
    #[serde(rename = "tenantId")]
    pub tenant_id: Option<String>,
    /// The user who made it.
    #[serde(rename = "userId")]
    pub user_id: Option<String>,
    /// The image it was made from; none if that was a volume.
    #[serde(rename = "imageId")]
    pub image_id: Option<String>,
    /// The size, where the service tells its id.
    #[serde(rename = "flavorId")]
    pub flavor_id: Option<String>,
    /// The size as the service tells it.
    pub flavor_details: Option<NodeFlavor>,
    /// Its own URL.
    pub uri: Option<String>,
    /// The name of the service.
    pub service_name: Option<String>,
    /// Its metadata.
    pub metadata: BTreeMap<String, String>,
    /// The password of its administrator: only in the answer that made it.
    #[serde(serialize_with = "serialize_exposed")]
    pub password: Option<Secret>,
    /// When it was made.
    pub created: Option<Timestamp>,
    /// When it was last changed.
    pub updated: Option<Timestamp>,
    /// The key pair that gets in.
    pub key_name: Option<String>,
    /// `AUTO` or `MANUAL`.
    pub disk_config: Option<String>,
    /// Whether it has a drive with its configuration: `"True"` or an empty text.
    pub config_drive: Option<Value>,
    /// The availability zone.
    pub availability_zone: Option<String>,
    /// The volumes that are attached.
    pub volumes_attached: Option<Vec<NodeVolume>>,
    /// What is being done with it: `spawning`, `rebooting` …
    pub task_state: Option<String>,
    /// The state apart from that: `active`, `stopped` …
    pub vm_state: Option<String>,
    /// The hypervisor's word for the state, as a number.
    pub power_state: Option<i64>,
    /// How much of it is done, in percent.
    pub progress: Option<u64>,
    /// What went wrong with it.
    pub fault: Option<Map<String, Value>>,
    /// The host. For administrators.
    pub hypervisor_hostname: Option<String>,
}

impl ExtraFields for NodeExtra {}

/// An address of a node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NodeAddress {
    /// The address.
    pub addr: String,
    /// 4 or 6.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<u8>,
    /// `fixed` or `floating`.
    #[serde(rename = "OS-EXT-IPS:type", skip_serializing_if = "Option::is_none")]
    pub address_type: Option<String>,
    /// The hardware address of the interface.
    #[serde(rename = "OS-EXT-IPS-MAC:mac_addr", skip_serializing_if = "Option::is_none")]
    pub mac_address: Option<String>,
    /// What else the service tells of it.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// The size of a node: its id, or from microversion 2.47 on what it was when the node was made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NodeFlavor {
    /// The id of the size.
    #[serde(
        default,
        deserialize_with = "json::opt_string_or_number",
        skip_serializing_if = "Option::is_none"
    )]
    pub id: Option<String>,
    /// Where the service tells of the size.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub links: Option<Vec<Link>>,
    /// What else the service tells of it: `vcpus`, `ram`, `disk` …
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// A volume as its node names it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NodeVolume {
    /// The id of the volume.
    #[serde(deserialize_with = "json::string_or_number")]
    pub id: String,
    /// Whether it is destroyed with the node. From microversion 2.3 on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delete_on_termination: Option<bool>,
    /// What else the service tells of it.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// Extension arguments of `list_nodes`.
#[arguments(drivers = ["openstack"])]
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct OpenStackListNodes {
    /// Those of all projects. For administrators.
    pub ex_all_tenants: bool,
}

/// Extension arguments of `create_node`.
///
/// <https://docs.openstack.org/api-ref/compute/#create-server>
#[arguments(drivers = ["openstack"])]
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct OpenStackCreateNode {
    /// The name of the key pair that gets in.
    pub ex_keyname: Option<String>,
    /// What the node finds in its user data: a script, a cloud-init file. Not base64.
    pub ex_userdata: Option<String>,
    /// Names of security groups.
    pub ex_security_groups: Vec<String>,
    /// Metadata.
    pub ex_metadata: BTreeMap<String, String>,
    /// The networks, each whole or by its id; the service chooses without.
    #[renamed("networks")]
    #[serde(deserialize_with = "networks")]
    pub ex_networks: Vec<OpenStackNetwork>,
    /// `AUTO`: one partition of the size of the disk; `MANUAL`: as the image has them.
    pub ex_disk_config: Option<String>,
    /// Whether it gets a drive with its configuration.
    pub ex_config_drive: Option<bool>,
    /// The password of its administrator; the service makes one up without.
    #[serde(serialize_with = "serialize_exposed")]
    pub ex_admin_pass: Option<Secret>,
    /// The availability zone.
    pub ex_availability_zone: Option<String>,
}

#[extensions(SERVERS)]
impl OpenStackNodeDriver {
    /// One node by its id; the same as `get_node`.
    /// <https://docs.openstack.org/api-ref/compute/#show-server-details>
    pub async fn ex_get_node_details(&self, node_id: &str) -> Result<Node> {
        self.show_server(node_id, None).await
    }

    /// The metadata of a node. <https://docs.openstack.org/api-ref/compute/#list-all-metadata>
    pub async fn ex_get_metadata(&self, node: &Node) -> Result<BTreeMap<String, String>> {
        let call = self.conn.get("ListMetadata", ["servers", &node.id, "metadata"]);
        let answer: wire::Metadata = call.json_answer().await.map_err(of("node", &node.id))?;
        Ok(answer.metadata)
    }

    /// Replaces the metadata of a node: what is not in `metadata` is deleted. Gives what it has then.
    /// <https://docs.openstack.org/api-ref/compute/#replace-metadata-items>
    pub async fn ex_set_metadata(
        &self,
        node: &Node,
        metadata: BTreeMap<String, String>,
    ) -> Result<BTreeMap<String, String>> {
        let call = self.conn.put("ReplaceMetadata", ["servers", &node.id, "metadata"]);
        let answer: wire::Metadata =
            call.json(&json!({"metadata": metadata})).json_answer().await.map_err(of("node", &node.id))?;
        Ok(answer.metadata)
    }

    /// Asks the operating system of a node to reboot.
    /// <https://docs.openstack.org/api-ref/compute/#reboot-server-reboot-action>
    pub async fn ex_soft_reboot_node(&self, node: &Node) -> Result<()> {
        let action = json!({"reboot": {"type": "SOFT"}});
        self.act("RebootServer", node, action, ("ex_soft_reboot_node", Options::new())).await
    }

    /// Takes the power from a node and gives it back; the same as `reboot_node`.
    /// <https://docs.openstack.org/api-ref/compute/#reboot-server-reboot-action>
    pub async fn ex_hard_reboot_node(&self, node: &Node) -> Result<()> {
        self.reboot_node_with(node, Options::new()).await
    }

    /// Starts a stopped node; the same as `start_node`.
    /// <https://docs.openstack.org/api-ref/compute/#start-server-os-start-action>
    pub async fn ex_start_node(&self, node: &Node) -> Result<()> {
        self.start_node_with(node, Options::new()).await
    }

    /// Stops a node; the same as `stop_node`.
    /// <https://docs.openstack.org/api-ref/compute/#stop-server-os-stop-action>
    pub async fn ex_stop_node(&self, node: &Node) -> Result<()> {
        self.stop_node_with(node, Options::new()).await
    }
}

impl OpenStackNodeDriver {
    /// A page of servers as the service tells them: each becomes a node when its turn comes, so that memory does not hold
    /// all of them in both forms.
    pub(super) async fn servers_page(
        &self,
        options: Options,
        from: Option<String>,
    ) -> Result<Page<wire::Server, Option<String>>> {
        let ex: OpenStackListNodes = options.ex.decode("list_nodes")?;
        let page: wire::Servers = self
            .conn
            .get("ListServers", ["servers", "detail"])
            .query_opt("all_tenants", ex.ex_all_tenants.then_some(1))
            .query_opt("marker", from)
            .timeout(options.timeout)
            .json_answer()
            .await?;
        let next = marker(wire::next(&page.servers_links)).map(Some);
        Ok(Page::new(page.servers, next))
    }

    pub(super) async fn show_server(&self, node_id: &str, timeout: Option<Duration>) -> Result<Node> {
        let call = self.conn.get("ShowServer", ["servers", node_id]).timeout(timeout);
        let found: wire::OneServer<wire::Server> = call.json_answer().await.map_err(of("node", node_id))?;
        Ok(self.node(found.server, None))
    }

    pub(super) async fn create_server(&self, options: CreateNode) -> Result<Node> {
        let ex: OpenStackCreateNode = options.ex.decode("create_node")?;
        NodeAuth::resolve(options.auth, &self.capabilities())?;
        if options.location.is_some_and(|location| location.id != self.location().id) {
            return Err(Error::invalid_argument(
                "one driver talks to one region: choose it in the configuration; a zone of it is `ex_availability_zone`",
            )
            .with_resource("argument", "location"));
        }
        let data = ex.ex_userdata.map(encode::base64);
        let server = wire::NewServer {
            name: &options.name,
            image_ref: &options.image.id,
            flavor_ref: &options.size.id,
            metadata: &ex.ex_metadata,
            key_name: ex.ex_keyname.as_deref(),
            user_data: data.as_deref(),
            security_groups: ex.ex_security_groups.iter().map(|name| json!({"name": name})).collect(),
            networks: ex.ex_networks.iter().map(|network| json!({"uuid": network.id})).collect(),
            disk_config: ex.ex_disk_config.as_deref(),
            config_drive: ex.ex_config_drive,
            admin_pass: ex.ex_admin_pass.as_ref().map(Secret::expose),
            availability_zone: ex.ex_availability_zone.as_deref(),
        };
        let created: wire::OneServer<wire::CreatedServer> = self
            .conn
            .post("CreateServer", ["servers"])
            .json(&wire::OneServer { server })
            .timeout(options.timeout)
            .json_answer()
            .await?;
        let wire::CreatedServer { id, admin_pass } = created.server;
        // The answer has little more than the id.
        let call = self.conn.get("ShowServer", ["servers", &id]).timeout(options.timeout);
        if let Ok(found) = call.json_answer::<wire::OneServer<wire::Server>>().await {
            return Ok(self.node(found.server, admin_pass));
        }
        // It is there and has to be paid for: what is known of it must not be lost.
        let extra = Extra::of(NodeExtra { password: admin_pass, ..NodeExtra::default() });
        Ok(Node::new(id, options.name, NodeState::Pending).with_extra(extra))
    }

    pub(super) fn node(&self, server: wire::Server, password: Option<Secret>) -> Node {
        let mut node = Node::new(&server.id, server.name.unwrap_or_default(), state(&server.status));
        for (network, addresses) in &server.addresses {
            for address in addresses {
                let known =
                    if is_public(network, address) { &mut node.public_ips } else { &mut node.private_ips };
                known.push(address.addr.clone());
            }
        }
        node.created_at = server.created;
        let service_name = self.cloud.wanted().name.clone().unwrap_or_else(|| "nova".to_owned());
        node.extra = Extra::of(NodeExtra {
            addresses: server.addresses.into_iter().collect(),
            host_id: server.host_id,
            access_ip: server.access_ipv4,
            access_ipv6: server.access_ipv6,
            tenant_id: server.tenant_id,
            user_id: server.user_id,
            image_id: server.image_id,
            flavor_id: server.flavor.as_ref().and_then(|flavor| flavor.id.clone()),
            flavor_details: server.flavor,
            uri: server.uri,
            service_name: Some(service_name),
            metadata: server.metadata.into_iter().collect(),
            password,
            created: server.created,
            updated: server.updated,
            key_name: server.key_name,
            disk_config: server.disk_config,
            config_drive: server.config_drive,
            availability_zone: server.availability_zone,
            volumes_attached: server.volumes_attached,
            task_state: server.task_state,
            vm_state: server.vm_state,
            power_state: server.power_state,
            progress: server.progress,
            fault: server.fault,
            hypervisor_hostname: server.hypervisor_hostname,
        });
        node
    }
}

/// Reads networks, each whole or by its id.
fn networks<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> std::result::Result<Vec<OpenStackNetwork>, D::Error> {
    use libcloud_common::dispatch::Arg as _;
    let networks = Vec::<Value>::deserialize(deserializer)?;
    let networks = networks.into_iter().map(OpenStackNetwork::from_json);
    networks.collect::<std::result::Result<_, _>>().map_err(serde::de::Error::custom)
}

/// <https://docs.openstack.org/api-guide/compute/server_concepts.html#server-status>
fn state(status: &str) -> NodeState {
    match status {
        "BUILD" | "REBUILD" | "QUEUE_RESIZE" | "PREP_RESIZE" | "PASSWORD" | "RESCUE" | "SHARE_IP"
        | "SHARE_IP_NO_CONFIG" | "DELETE_IP" => NodeState::Pending,
        "ACTIVE" | "VERIFY_RESIZE" => NodeState::Running,
        "REBOOT" | "HARD_REBOOT" => NodeState::Rebooting,
        "RESIZE" => NodeState::Reconfiguring,
        "MIGRATING" => NodeState::Migrating,
        "SHUTOFF" => NodeState::Stopped,
        "PAUSED" => NodeState::Paused,
        "SUSPENDED" => NodeState::Suspended,
        "DELETED" => NodeState::Terminated,
        "ERROR" => NodeState::Error,
        other => NodeState::Unknown(other.to_owned()),
    }
}

/// Whether the Internet reaches this address, as the newest Apache Libcloud decides it: an IPv4 address by itself, an
/// IPv6 address by the name of the network, or by being a floating one.
fn is_public(network: &str, address: &NodeAddress) -> bool {
    match address.addr.parse() {
        Ok(IpAddr::V4(address)) => !address.is_private(),
        _ => matches!(network, "public" | "internet") || address.address_type.as_deref() == Some("floating"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_apart() {
        for (network, addr, kind, public) in [
            ("public", "50.57.94.35", None, true),
            ("lan", "203.0.113.7", Some("fixed"), true),
            ("public", "10.0.0.7", None, false),
            ("lan", "192.168.3.3", Some("floating"), false),
            ("public", "2001:db8::1", None, true),
            ("internet", "2001:db8::1", Some("fixed"), true),
            ("lan", "2001:db8::1", Some("floating"), true),
            ("lan", "2001:db8::1", Some("fixed"), false),
        ] {
            let address = NodeAddress {
                addr: addr.to_owned(),
                version: None,
                address_type: kind.map(str::to_owned),
                mac_address: None,
                rest: Map::new(),
            };
            assert_eq!(is_public(network, &address), public, "{network} {addr} {kind:?}");
        }
    }

    #[test]
    fn a_state_that_is_not_known_is_kept() {
        assert_eq!(state("SHELVED_OFFLOADED"), NodeState::Unknown("SHELVED_OFFLOADED".to_owned()));
        assert_eq!(state("PAUSED"), NodeState::Paused);
    }
}
