//! OpenStack compute (Nova): <https://docs.openstack.org/api-ref/compute/>

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::{StreamExt as _, TryStreamExt as _};
use libcloud_common::dispatch::Method;
use libcloud_common::{
    ArgSpec, Arguments as _, BoxFuture, BoxStream, Capabilities, Clock, Config, Descriptor, Driver, Error,
    ErrorKind, Extensions, Identity, Options, Page, Result, Search, Sources, json, once, pages,
};
use libcloud_compute::{
    ComputeDriver, CreateNode, KeyPair, ListImages, ListSizes, Node, NodeImage, NodeLocation, NodeSize,
};

use crate::connection::{COMPUTE, Cloud, IMAGE, NETWORK, ServiceConnection, marker};
use crate::{Dialect, OpenStackOptions, credentials, wire};

mod flavors;
mod images;
mod key_pairs;
mod networks;
mod servers;

pub use crate::wire::Link;
pub use flavors::SizeExtra;
pub use images::{ImageExtra, OpenStackListImages};
pub use networks::{NetworkExtra, OpenStackNetwork};
pub use servers::{NodeAddress, NodeExtra, NodeFlavor, NodeVolume, OpenStackCreateNode, OpenStackListNodes};

pub(crate) const DESCRIPTOR: Descriptor =
    Descriptor::new("openstack", "OpenStack", "https://www.openstack.org/");

/// Servers of an OpenStack cloud, in one region. Cheap to clone; clones share one login.
#[derive(Clone, Debug)]
pub struct OpenStackNodeDriver {
    cloud: Cloud,
    conn: ServiceConnection,
    images: ServiceConnection,
    networks: ServiceConnection,
}

impl OpenStackNodeDriver {
    /// Makes the driver. Reads `clouds.yaml` if a cloud is named; nothing is sent.
    ///
    /// # Errors
    /// `InvalidCredentials` if none are found or something is missing in them; `InvalidArgument` for an unknown option,
    /// contradicting ones, or a `clouds.yaml` that cannot be read; `NotSupported` for a version that is not there.
    pub fn new(config: Config) -> Result<Self> {
        Self::with_dialect(config, Dialect::new(DESCRIPTOR))
    }

    /// The same for a provider that does some things differently.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn with_dialect(config: Config, dialect: Dialect) -> Result<Self> {
        let options: OpenStackOptions = config.driver_options(dialect.descriptor.id)?;
        known_version(config.api_version.as_deref())?;
        let cloud = Cloud::new(config, options, dialect, &mut Search::new(&Sources::system()))?;
        Ok(Self {
            conn: cloud.connect(COMPUTE)?,
            images: cloud.connect(IMAGE)?,
            networks: cloud.connect(NETWORK)?,
            cloud,
        })
    }

    /// One action on a server: <https://docs.openstack.org/api-ref/compute/#servers-run-an-action-servers-action>
    async fn act(
        &self,
        operation: &'static str,
        node: &Node,
        action: libcloud_common::Value,
        (method, options): (&str, Options),
    ) -> Result<()> {
        self.conn
            .post(operation, ["servers", &node.id, "action"])
            .json(&action)
            .options(method, options)
            .empty()
            .await
            .map_err(of("node", &node.id))
    }
}

/// Version 1.1 and all 2.x are one API with growing abilities.
fn known_version(version: Option<&str>) -> Result<()> {
    match version {
        None | Some("1.1" | "2" | "2.0" | "2.1" | "2.2") => Ok(()),
        Some("1.0") => Err(Error::new(
            ErrorKind::NotSupported,
            "this version of libcloud does not know the version 1.0 of the API, which is XML, yet",
        )
        .with_resource("option", "api_version")),
        Some(other) => Err(Error::invalid_argument(format!(
            "`{other}` is not a version of the API: there are `1.1` and `2.0` to `2.2`; for a microversion there is \
             `ex_force_microversion`"
        ))
        .with_resource("option", "api_version")),
    }
}

pub(crate) fn find_credentials(config: &Config, search: &mut Search) -> Result<()> {
    let options: OpenStackOptions = config.driver_options(DESCRIPTOR.id)?;
    let dialect = Dialect::new(DESCRIPTOR);
    credentials::find(config, &options, dialect.auth_version, dialect.environment, search).map(drop)
}

impl Extensions for OpenStackNodeDriver {
    fn tables() -> &'static [&'static [Method<Self>]] {
        &[Self::FLAVORS, Self::IMAGES, Self::NETWORKS, Self::SERVERS]
    }
}

/// What the driver can do, whatever the dialect.
pub fn capabilities() -> Capabilities {
    Capabilities::new()
        .supports(&[
            "iterate_nodes",
            "iterate_sizes",
            "iterate_images",
            "iterate_locations",
            "get_node",
            "create_node",
            "reboot_node",
            "start_node",
            "stop_node",
            "destroy_node",
            "get_image",
            "iterate_key_pairs",
            "get_key_pair",
            "create_key_pair",
            "import_key_pair_from_string",
            "delete_key_pair",
        ])
        .features("create_node", &["generates_password"])
}

impl Driver for OpenStackNodeDriver {
    fn descriptor(&self) -> Descriptor {
        self.cloud.dialect().descriptor
    }

    fn capabilities(&self) -> Capabilities {
        capabilities()
    }

    fn ex_arguments(&self, method: &str) -> &'static [ArgSpec] {
        match method {
            "iterate_nodes" | "list_nodes" => OpenStackListNodes::FIELDS,
            "iterate_images" | "list_images" => OpenStackListImages::FIELDS,
            "create_node" => OpenStackCreateNode::FIELDS,
            _ => &[],
        }
    }

    /// The user and the project of the token.
    fn identity(&self) -> BoxFuture<'_, Result<Identity>> {
        Box::pin(async {
            let owner = self.cloud.identity().token().await?.owner.clone();
            if owner == Identity::default() {
                // A token of the user's, which nobody has looked at yet.
                self.conn.get("ListServers", ["servers"]).query("limit", 1).empty().await?;
            }
            Ok(owner)
        })
    }

    fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(self.conn.http().clock())
    }
}

#[async_trait]
impl ComputeDriver for OpenStackNodeDriver {
    fn iterate_nodes_with(&self, options: Options) -> BoxStream<'static, Result<Node>> {
        let (driver, converter) = (self.clone(), self.clone());
        let servers = pages(None, move |marker: Option<String>| {
            let (driver, options) = (driver.clone(), options.clone());
            async move { driver.servers_page(options, marker).await }
        });
        servers.map_ok(move |server| converter.node(server, None)).boxed()
    }

    /// The flavors that the project may use.
    fn iterate_sizes_with(&self, options: ListSizes) -> BoxStream<'static, Result<NodeSize>> {
        let driver = self.clone();
        pages(None, move |marker: Option<String>| {
            let (driver, options) = (driver.clone(), options.clone());
            async move { driver.flavors_page(options, marker).await }
        })
    }

    /// The images that a node can be made from: those of the image service, or of the compute service in a cloud
    /// without one.
    fn iterate_images_with(&self, options: ListImages) -> BoxStream<'static, Result<NodeImage>> {
        let driver = self.clone();
        pages(None, move |marker: Option<String>| {
            let (driver, options) = (driver.clone(), options.clone());
            async move { driver.images_page(options, marker).await }
        })
    }

    /// The region: one driver talks to one. Nothing is asked of the provider.
    fn iterate_locations_with(&self, options: Options) -> BoxStream<'static, Result<NodeLocation>> {
        let location = options.plain("list_locations").map(|_| vec![self.location()]);
        once(std::future::ready(location))
    }

    async fn get_node_with(&self, node_id: &str, options: Options) -> Result<Node> {
        self.show_server(node_id, options.plain("get_node")?).await
    }

    /// Makes a server; see [`OpenStackCreateNode`] for what it takes beside the base API's arguments.
    ///
    /// The cloud makes up a password of its administrator, which stands in the node's `extra`. The image may not use it.
    async fn create_node(&self, options: CreateNode) -> Result<Node> {
        self.create_server(options).await
    }

    /// Without asking the operating system, as in Apache Libcloud; politely with `ex_soft_reboot_node`.
    async fn reboot_node_with(&self, node: &Node, options: Options) -> Result<()> {
        let action = json!({"reboot": {"type": "HARD"}});
        self.act("RebootServer", node, action, ("reboot_node", options)).await
    }

    async fn start_node_with(&self, node: &Node, options: Options) -> Result<()> {
        self.act("StartServer", node, json!({"os-start": null}), ("start_node", options)).await
    }

    async fn stop_node_with(&self, node: &Node, options: Options) -> Result<()> {
        self.act("StopServer", node, json!({"os-stop": null}), ("stop_node", options)).await
    }

    async fn destroy_node_with(&self, node: &Node, options: Options) -> Result<()> {
        self.conn
            .delete("DeleteServer", ["servers", &node.id])
            .options("destroy_node", options)
            .empty()
            .await
            .map_err(of("node", &node.id))
    }

    async fn get_image_with(&self, image_id: &str, options: Options) -> Result<NodeImage> {
        self.show_image(image_id, options.plain("get_image")?).await
    }

    fn iterate_key_pairs_with(&self, options: Options) -> BoxStream<'static, Result<KeyPair>> {
        let conn = self.conn.clone();
        pages(None, move |from: Option<String>| {
            let call = conn
                .get("ListKeypairs", ["os-keypairs"])
                .query_opt("marker", from)
                .options("list_key_pairs", options.clone());
            async move {
                let page: wire::Keypairs = call.json_answer().await?;
                let next = marker(wire::next(&page.keypairs_links)).map(Some);
                Ok(Page::new(page.keypairs.into_iter().map(key_pairs::key_pair).collect(), next))
            }
        })
    }

    async fn get_key_pair_with(&self, name: &str, options: Options) -> Result<KeyPair> {
        self.conn
            .get("ShowKeypair", ["os-keypairs", name])
            .options("get_key_pair", options)
            .json_answer()
            .await
            .map(key_pairs::key_pair)
            .map_err(of("key pair", name))
    }

    async fn create_key_pair_with(&self, name: &str, options: Options) -> Result<KeyPair> {
        self.conn
            .post("CreateKeypair", ["os-keypairs"])
            .json(&json!({"keypair": {"name": name}}))
            .options("create_key_pair", options)
            .json_answer()
            .await
            .map(key_pairs::key_pair)
            .map_err(of("key pair", name))
    }

    async fn import_key_pair_from_string_with(
        &self,
        name: &str,
        key_material: &str,
        options: Options,
    ) -> Result<KeyPair> {
        self.conn
            .post("ImportKeypair", ["os-keypairs"])
            .json(&json!({"keypair": {"name": name, "public_key": key_material}}))
            .options("import_key_pair_from_string", options)
            .json_answer()
            .await
            .map(key_pairs::key_pair)
            .map_err(of("key pair", name))
    }

    async fn delete_key_pair_with(&self, key_pair: &KeyPair, options: Options) -> Result<()> {
        self.conn
            .delete("DeleteKeypair", ["os-keypairs", &key_pair.name])
            .options("delete_key_pair", options)
            .empty()
            .await
            .map_err(of("key pair", &key_pair.name))
    }
}

/// Nova tells in words alone what does not exist or is not in the right state: the call knows it better.
fn of<'a>(resource: &'static str, id: &'a str) -> impl Fn(Error) -> Error + 'a {
    move |error| match error.kind() {
        ErrorKind::NotFound | ErrorKind::AlreadyExists | ErrorKind::InvalidState => {
            error.with_resource(resource, id)
        }
        _ => error,
    }
}

impl OpenStackNodeDriver {
    fn location(&self) -> NodeLocation {
        let region = self.cloud.wanted().region.as_deref().unwrap_or_default();
        NodeLocation::new("0", region, "")
    }
}
