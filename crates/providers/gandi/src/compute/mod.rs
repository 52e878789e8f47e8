//! Servers at Gandi hosting: <http://doc.rpc.gandi.net/hosting/reference.html>

use std::sync::Arc;

use async_trait::async_trait;
use libcloud_common::dispatch::Method;
use libcloud_common::{
    ArgSpec, Arguments as _, BoxStream, Capabilities, Clock, Config, Descriptor, Driver, Error, Extensions,
    Extra, ExtraFields, Options, Result, once, xmlrpc,
};
use libcloud_compute::{
    AttachVolume, ComputeDriver, CreateNode, CreateVolume, KeyPair, ListImages, ListSizes, Node, NodeImage,
    NodeLocation, NodeSize, StorageVolume,
};
use serde::{Deserialize, Serialize};

use crate::connection::{GandiConnection, listing, number};
use crate::wire;

mod disks;
mod interfaces;
mod key_pairs;
mod nodes;
mod sizes;

pub use disks::{Disk, DiskExtra, GandiDetachVolume};
pub use interfaces::{Interface, IpAddress};
pub use key_pairs::KeyPairExtra;
pub use nodes::{GandiCreateNode, NodeExtra};
pub use sizes::SizeExtra;

pub(crate) const DESCRIPTOR: Descriptor = Descriptor::new("gandi", "Gandi", "https://www.gandi.net/");

/// Servers at Gandi hosting. Cheap to clone.
#[derive(Clone, Debug)]
pub struct GandiDriver {
    conn: GandiConnection,
}

impl GandiDriver {
    /// Makes the driver. Nothing is sent.
    ///
    /// # Errors
    /// `InvalidCredentials` if neither the configuration nor the environment has an API key; `InvalidArgument` for any option:
    /// there are none.
    pub fn new(config: Config) -> Result<Self> {
        Ok(Self { conn: GandiConnection::new(DESCRIPTOR.id, &config)? })
    }
}

/// What only Gandi tells about an image.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ImageExtra {
    /// The data centre that it is in.
    pub datacenter_id: Option<String>,
    /// `x86-32` or `x86-64`.
    pub os_arch: Option<String>,
}

impl ExtraFields for ImageExtra {}

impl Extensions for GandiDriver {
    fn tables() -> &'static [&'static [Method<Self>]] {
        &[Self::DISKS, Self::INTERFACES]
    }
}

pub(crate) fn capabilities() -> Capabilities {
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
            "iterate_volumes",
            "create_volume",
            "destroy_volume",
            "attach_volume",
            "detach_volume",
            "iterate_key_pairs",
            "get_key_pair",
            "import_key_pair_from_string",
            "delete_key_pair",
        ])
        .cannot(
            "create_key_pair",
            "Gandi takes public keys, and makes none",
            "http://doc.rpc.gandi.net/hosting/reference.html",
        )
        .features("create_node", &["password"])
}

impl Driver for GandiDriver {
    fn descriptor(&self) -> Descriptor {
        DESCRIPTOR
    }

    fn capabilities(&self) -> Capabilities {
        capabilities()
    }

    fn ex_arguments(&self, method: &str) -> &'static [ArgSpec] {
        match method {
            "create_node" => GandiCreateNode::FIELDS,
            "detach_volume" => GandiDetachVolume::FIELDS,
            _ => &[],
        }
    }

    fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(self.conn.http().clock())
    }
}

#[async_trait]
impl ComputeDriver for GandiDriver {
    /// The nodes with their addresses, which are a listing of their own.
    fn iterate_nodes_with(&self, options: Options) -> BoxStream<'static, Result<Node>> {
        self.list_vms(options.plain("list_nodes"))
    }

    /// What the account can make now: of an account that pays by use the instance types, a table in this library; of one that
    /// has shares what is left of them.
    fn iterate_sizes_with(&self, options: ListSizes) -> BoxStream<'static, Result<NodeSize>> {
        // What an account has, it has in all data centres.
        let method = options
            .ex
            .none("list_sizes")
            .map(|()| self.conn.method("hosting.account.info").timeout(options.timeout));
        once(async move { Ok(sizes::sizes(method?.read().await?)) })
    }

    /// The images, by the id of the disk that a node's disk is copied from.
    fn iterate_images_with(&self, options: ListImages) -> BoxStream<'static, Result<NodeImage>> {
        let method = options.ex.none("list_images").map(|()| self.conn.method("hosting.image.list"));
        let place = options.location.map(|location| number(&location.id)).transpose();
        let (method, filter) = match (method, place) {
            (Ok(method), Ok(place)) => (Ok(method.timeout(options.timeout)), place),
            (Err(error), _) | (_, Err(error)) => (Err(error), None),
        };
        let filter = filter.map(|id| ("datacenter_id", xmlrpc::Value::Integer(id)));
        listing(method, filter, |found| Ok(image(found)))
    }

    /// The data centres.
    fn iterate_locations_with(&self, options: Options) -> BoxStream<'static, Result<NodeLocation>> {
        let method = options
            .plain("list_locations")
            .map(|timeout| self.conn.method("hosting.datacenter.list").timeout(timeout));
        listing(method, None, |found| Ok(location(found)))
    }

    async fn get_node_with(&self, node_id: &str, options: Options) -> Result<Node> {
        let timeout = options.plain("get_node")?;
        self.vm_info(node_id, timeout).await
    }

    /// Makes a node with a disk that is a copy of the image, and waits until it is there; see [`GandiCreateNode`] for what it takes
    /// beside the base API's arguments. Needs a location. Without authentication a password is made up.
    async fn create_node(&self, options: CreateNode) -> Result<Node> {
        self.create_vm(options).await
    }

    async fn reboot_node_with(&self, node: &Node, options: Options) -> Result<()> {
        let timeout = options.plain("reboot_node")?;
        self.conn.method("hosting.vm.reboot").id(&node.id)?.timeout(timeout).done().await.map(drop)
    }

    async fn start_node_with(&self, node: &Node, options: Options) -> Result<()> {
        let timeout = options.plain("start_node")?;
        self.conn.method("hosting.vm.start").id(&node.id)?.timeout(timeout).done().await.map(drop)
    }

    async fn stop_node_with(&self, node: &Node, options: Options) -> Result<()> {
        let timeout = options.plain("stop_node")?;
        self.conn.method("hosting.vm.stop").id(&node.id)?.timeout(timeout).done().await.map(drop)
    }

    /// Stops a node if it runs, then deletes it.
    async fn destroy_node_with(&self, node: &Node, options: Options) -> Result<()> {
        let timeout = options.plain("destroy_node")?;
        self.delete_vm(&node.id, timeout).await
    }

    fn iterate_volumes_with(&self, options: Options) -> BoxStream<'static, Result<StorageVolume>> {
        let method = options
            .plain("list_volumes")
            .map(|timeout| self.conn.method("hosting.disk.list").timeout(timeout));
        listing(method, None, |found| Ok(disks::volume(found)))
    }

    /// Makes a disk, empty or with what a snapshot holds. Needs a location.
    async fn create_volume_with(
        &self,
        size: u64,
        name: &str,
        options: CreateVolume,
    ) -> Result<StorageVolume> {
        self.create_disk(size, name, options).await
    }

    async fn destroy_volume_with(&self, volume: &StorageVolume, options: Options) -> Result<()> {
        let timeout = options.plain("destroy_volume")?;
        self.conn.method("hosting.disk.delete").id(&volume.id)?.timeout(timeout).done().await.map(drop)
    }

    /// Attaches a disk. Gandi chooses the device.
    async fn attach_volume_with(
        &self,
        node: &Node,
        volume: &StorageVolume,
        options: AttachVolume,
    ) -> Result<()> {
        options.ex.none("attach_volume")?;
        if options.device.is_some() {
            return Err(
                Error::not_supported("attach_volume with `device`").with_resource("argument", "device")
            );
        }
        self.attach_disk(&node.id, &volume.id, options.timeout).await
    }

    /// Detaches a disk from its node, which is looked up unless it is [given](GandiDetachVolume).
    async fn detach_volume_with(&self, volume: &StorageVolume, options: Options) -> Result<()> {
        self.detach_from_any(volume, options).await
    }

    fn iterate_key_pairs_with(&self, options: Options) -> BoxStream<'static, Result<KeyPair>> {
        let method = options
            .plain("list_key_pairs")
            .map(|timeout| self.conn.method("hosting.ssh.list").timeout(timeout));
        listing(method, None, |found| Ok(key_pairs::key_pair(found)))
    }

    async fn get_key_pair_with(&self, name: &str, options: Options) -> Result<KeyPair> {
        let timeout = options.plain("get_key_pair")?;
        self.find_key_pair(name, timeout).await
    }

    async fn import_key_pair_from_string_with(
        &self,
        name: &str,
        key_material: &str,
        options: Options,
    ) -> Result<KeyPair> {
        let key = [("name", name.into()), ("value", key_material.into())];
        let made = self
            .conn
            .method("hosting.ssh.create")
            .param(xmlrpc::Value::members(key))
            .timeout(options.plain("import_key_pair_from_string")?)
            .read()
            .await?;
        Ok(key_pairs::key_pair(made))
    }

    async fn delete_key_pair_with(&self, key_pair: &KeyPair, options: Options) -> Result<()> {
        let timeout = options.plain("delete_key_pair")?;
        self.delete_ssh_key(key_pair, timeout).await
    }
}

/// The first of a listing.
async fn first<T>(mut items: BoxStream<'static, Result<T>>) -> Result<Option<T>> {
    use futures_util::TryStreamExt as _;
    items.try_next().await
}

/// The data centre of what is to be made.
fn datacenter(location: Option<NodeLocation>, method: &str) -> Result<xmlrpc::Value> {
    let location = location.ok_or_else(|| {
        Error::invalid_argument(format!("{method} needs `location`: Gandi has no data centre of its choice"))
            .with_resource("argument", "location")
    })?;
    number(&location.id).map(Into::into)
}

/// Under its code, as Gandi's own tools have it; the name of old ones that have none.
fn location(found: wire::Datacenter) -> NodeLocation {
    NodeLocation::new(found.id, found.dc_code.unwrap_or(found.name), found.country)
}

fn image(found: wire::Image) -> NodeImage {
    let extra = ImageExtra { datacenter_id: found.datacenter_id, os_arch: found.os_arch };
    NodeImage::new(found.disk_id, found.label).with_extra(Extra::of(extra))
}
