//! Servers: `https://cloud.example/api/servers`

use std::sync::Arc;

use libcloud_common::{
    BoxStream, Capabilities, Clock, Config, Connection, Descriptor, Driver, Extensions, Extra, ExtraFields,
    Method, NoArguments, Options, Page, Result, arguments, async_trait, extensions, pages,
};
use libcloud_compute::{ComputeDriver, CreateNode, Node, NodeAuth, NodeImage, NodeSize, NodeState};
use serde::{Deserialize, Serialize};

use crate::{DESCRIPTOR, connection, wire};

/// The largest page that the API gives.
const PER_PAGE: u32 = 100;

/// Servers at Example Cloud. Cheap to clone.
#[derive(Clone, Debug)]
pub struct ExampleCloudDriver {
    conn: Connection,
}

impl ExampleCloudDriver {
    /// Makes the driver. Nothing is sent.
    ///
    /// # Errors
    /// `InvalidCredentials` without a `key`; `InvalidArgument` for any option.
    pub fn new(config: Config) -> Result<Self> {
        config.driver_options::<NoArguments>(DESCRIPTOR.id)?;
        Ok(Self { conn: connection::connect(&config)? })
    }
}

/// What only Example Cloud tells about a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NodeExtra {
    /// Whether it is backed up every night.
    pub backups: bool,
}

impl ExtraFields for NodeExtra {}

/// Extension arguments of `create_node`.
#[arguments(drivers = ["examplecloud"])]
#[derive(Clone, Debug, Default)]
pub struct ExampleCreateNode {
    /// Whether it is to be backed up every night (no).
    pub ex_backups: Option<bool>,
}

#[extensions(SERVERS)]
impl ExampleCloudDriver {
    /// Gives a node another name; gives the node as it is then. <https://cloud.example/api/servers#rename>
    pub async fn ex_rename_node(&self, node: &Node, name: &str) -> Result<Node> {
        let call = self.conn.put("RenameServer", ["servers", &node.id, "name"]);
        let wire::OneServer { server } = call.json(&wire::Rename { name }).json_answer().await?;
        Ok(self::node(server))
    }
}

impl Extensions for ExampleCloudDriver {
    fn tables() -> &'static [&'static [Method<Self>]] {
        &[Self::SERVERS]
    }
}

pub(crate) fn capabilities() -> Capabilities {
    Capabilities::new()
        .supports(&["iterate_nodes", "get_node", "create_node", "destroy_node"])
        .features("create_node", &["ssh_key"])
        .cannot("create_volume", "servers have one disk, which is theirs", "https://cloud.example/api/disks")
}

impl Driver for ExampleCloudDriver {
    fn descriptor(&self) -> Descriptor {
        DESCRIPTOR
    }

    fn capabilities(&self) -> Capabilities {
        capabilities()
    }

    fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(self.conn.clock())
    }
}

#[async_trait]
impl ComputeDriver for ExampleCloudDriver {
    fn iterate_nodes_with(&self, options: Options) -> BoxStream<'static, Result<Node>> {
        let conn = self.conn.clone();
        pages(1, move |page: u32| {
            let call = conn.get("ListServers", ["servers"]).query("page", page).query("per_page", PER_PAGE);
            let call = call.options("list_nodes", options.clone());
            async move {
                let answer: wire::Servers = call.json_answer().await?;
                let nodes = answer.servers.into_iter().map(node).collect();
                Ok(Page::new(nodes, answer.next_page))
            }
        })
    }

    async fn get_node_with(&self, node_id: &str, options: Options) -> Result<Node> {
        let call = self.conn.get("GetServer", ["servers", node_id]).options("get_node", options);
        let answer: wire::OneServer = call.json_answer().await?;
        Ok(node(answer.server))
    }

    /// Takes [`ExampleCreateNode`]. A POST is sent again only where it was certainly not processed, so that there is
    /// never a second server.
    async fn create_node(&self, options: CreateNode) -> Result<Node> {
        let ex: ExampleCreateNode = options.ex.decode("create_node")?;
        let auth = NodeAuth::resolve(options.auth, &capabilities())?;
        let body = wire::NewServer {
            name: &options.name,
            plan: &options.size.id,
            image: &options.image.id,
            region: options.location.as_ref().map(|location| location.id.as_str()),
            ssh_key: match &auth {
                Some(NodeAuth::SshKey(key)) => Some(&key.pubkey),
                _ => None,
            },
            backups: ex.ex_backups,
        };
        let call = self.conn.post("CreateServer", ["servers"]).json(&body).timeout(options.timeout);
        let answer: wire::OneServer = call.json_answer().await?;
        Ok(node(answer.server))
    }

    async fn destroy_node_with(&self, node: &Node, options: Options) -> Result<()> {
        self.conn.delete("DeleteServer", ["servers", &node.id]).options("destroy_node", options).empty().await
    }
}

fn node(server: wire::Server) -> Node {
    let (public, private): (Vec<_>, Vec<_>) =
        server.addresses.into_iter().partition(|address| address.public);
    let texts =
        |addresses: Vec<wire::Address>| addresses.into_iter().map(|address| address.address).collect();
    let mut node = Node::new(server.id.to_string(), server.name, state(&server.status))
        .with_ips(texts(public), texts(private))
        .with_extra(Extra::of(NodeExtra { backups: server.backups }));
    node.size = Some(NodeSize::from_id(server.plan));
    node.image = server.image.map(NodeImage::from_id);
    node
}

/// A status that the API adds later does not break a listing.
fn state(status: &str) -> NodeState {
    match status {
        "on" => NodeState::Running,
        "off" => NodeState::Stopped,
        "building" => NodeState::Pending,
        other => NodeState::Unknown(other.to_owned()),
    }
}
