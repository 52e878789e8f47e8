//! Servers at CloudStack: <https://cloudstack.apache.org/api/apidocs-4.20/>

use std::sync::Arc;

use async_trait::async_trait;
use libcloud_common::dispatch::Method;
use libcloud_common::{
    ArgSpec, Arguments as _, BoxStream, Capabilities, Clock, Config, Descriptor, Driver, Error, Extensions,
    Extra, ExtraFields, Options, Result, arguments,
};
use libcloud_compute::{
    AttachVolume, ComputeDriver, CreateNode, CreateVolume, KeyPair, ListImages, ListSizes, Node, NodeImage,
    NodeLocation, NodeSize, StorageVolume,
};
use serde::{Deserialize, Serialize};

use crate::connection::{CloudStackConnection, listing};
use crate::wire;

mod key_pairs;
mod networks;
mod nodes;
mod volumes;

pub use networks::{Address, IpForwardingRule, Network, PortForwardingRule};
pub use nodes::{AffinityGroup, CloudStackCreateNode, CloudStackDestroyNode, CloudStackListNodes, NodeExtra};
pub use volumes::{CloudStackCreateVolume, CloudStackListVolumes, DiskOffering, VolumeExtra};

pub(crate) const DESCRIPTOR: Descriptor =
    Descriptor::new("cloudstack", "Apache CloudStack", "https://cloudstack.apache.org/");

/// Servers of one CloudStack. Cheap to clone.
#[derive(Clone, Debug)]
pub struct CloudStackDriver {
    conn: CloudStackConnection,
}

impl CloudStackDriver {
    /// Makes the driver. Nothing is sent.
    ///
    /// # Errors
    /// `InvalidCredentials` if no key is found; `InvalidArgument` for an unknown option, and where nothing says which
    /// installation is meant.
    pub fn new(config: Config) -> Result<Self> {
        Ok(Self { conn: CloudStackConnection::new(DESCRIPTOR.id, &config)? })
    }
}

/// What only CloudStack tells about a size.
///
/// <https://cloudstack.apache.org/api/apidocs-4.20/apis/listServiceOfferings.html>
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct SizeExtra {
    /// The number of processors.
    pub cpu: Option<u64>,
}

impl ExtraFields for SizeExtra {}

/// What only CloudStack tells about an image.
///
/// <https://cloudstack.apache.org/api/apidocs-4.20/apis/listTemplates.html>
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ImageExtra {
    /// The hypervisor that it is for.
    pub hypervisor: Option<String>,
    /// The format of its disk: `QCOW2`, `VHD`, `OVA` …
    pub format: Option<String>,
    /// The operating system.
    pub os: Option<String>,
    /// A sentence about it.
    pub displaytext: Option<String>,
    /// The size of its disk in bytes.
    pub size: Option<u64>,
}

impl ExtraFields for ImageExtra {}

/// Extension arguments of `list_images`.
///
/// <https://cloudstack.apache.org/api/apidocs-4.20/apis/listTemplates.html>
#[arguments(drivers = ["cloudstack"])]
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct CloudStackListImages {
    /// Which templates: `executable` (all from which the account can make a node), `featured`, `self`, `selfexecutable`,
    /// `sharedexecutable`, `community` or `all` (`executable`).
    pub ex_template_filter: Option<String>,
}

impl Extensions for CloudStackDriver {
    fn tables() -> &'static [&'static [Method<Self>]] {
        &[Self::NODES, Self::NETWORKS, Self::VOLUMES]
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
            "create_key_pair",
            "import_key_pair_from_string",
            "delete_key_pair",
        ])
        .features("create_node", &["generates_password"])
}

impl Driver for CloudStackDriver {
    fn descriptor(&self) -> Descriptor {
        DESCRIPTOR
    }

    fn capabilities(&self) -> Capabilities {
        capabilities()
    }

    fn ex_arguments(&self, method: &str) -> &'static [ArgSpec] {
        match method {
            "iterate_nodes" | "list_nodes" => CloudStackListNodes::FIELDS,
            "iterate_images" | "list_images" => CloudStackListImages::FIELDS,
            "create_node" => CloudStackCreateNode::FIELDS,
            "destroy_node" => CloudStackDestroyNode::FIELDS,
            "iterate_volumes" | "list_volumes" => CloudStackListVolumes::FIELDS,
            "create_volume" => CloudStackCreateVolume::FIELDS,
            _ => &[],
        }
    }

    fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(self.conn.http().clock())
    }
}

#[async_trait]
impl ComputeDriver for CloudStackDriver {
    /// The nodes with their public addresses and forwarding rules, which are up to three listings beside that of the nodes.
    fn iterate_nodes_with(&self, options: Options) -> BoxStream<'static, Result<Node>> {
        self.list_virtual_machines(options)
    }

    /// The service offerings. What a node costs, and how large its disk is, they do not tell.
    fn iterate_sizes_with(&self, options: ListSizes) -> BoxStream<'static, Result<NodeSize>> {
        let command = options.ex.none("list_sizes").map(|()| {
            let zone = options.location.map(|location| location.id);
            self.conn.command("listServiceOfferings").opt("zoneid", zone).timeout(options.timeout)
        });
        listing(command, "serviceoffering", |found| Ok(size(found)))
    }

    /// The templates from which the account can make a node, or others: [`CloudStackListImages`]. One that is in several zones is
    /// told once for each, unless a location is given.
    fn iterate_images_with(&self, options: ListImages) -> BoxStream<'static, Result<NodeImage>> {
        let command = options.ex.decode("list_images").map(|ex: CloudStackListImages| {
            self.conn
                .command("listTemplates")
                .param("templatefilter", ex.ex_template_filter.as_deref().unwrap_or("executable"))
                .opt("zoneid", options.location.map(|location| location.id))
                .timeout(options.timeout)
        });
        listing(command, "template", |found| Ok(image(found)))
    }

    /// The zones.
    fn iterate_locations_with(&self, options: Options) -> BoxStream<'static, Result<NodeLocation>> {
        let command =
            options.plain("list_locations").map(|timeout| self.conn.command("listZones").timeout(timeout));
        listing(command, "zone", |zone| Ok(location(zone)))
    }

    /// One node, without the addresses and forwarding rules that `list_nodes` adds.
    async fn get_node_with(&self, node_id: &str, options: Options) -> Result<Node> {
        self.get_virtual_machine(node_id, options.plain("get_node")?).await
    }

    /// Makes a node and waits until it is there; see [`CloudStackCreateNode`] for what it takes beside the base API's
    /// arguments. Without a location it is the first zone. The password of an image that is made for one stands in `extra`.
    async fn create_node(&self, options: CreateNode) -> Result<Node> {
        self.deploy_virtual_machine(options).await
    }

    async fn reboot_node_with(&self, node: &Node, options: Options) -> Result<()> {
        self.conn
            .command("rebootVirtualMachine")
            .param("id", &node.id)
            .timeout(options.plain("reboot_node")?)
            .job_done()
            .await
    }

    async fn start_node_with(&self, node: &Node, options: Options) -> Result<()> {
        self.start(node, options.plain("start_node")?).await.map(drop)
    }

    async fn stop_node_with(&self, node: &Node, options: Options) -> Result<()> {
        self.stop(node, options.plain("stop_node")?).await.map(drop)
    }

    /// Destroys a node. It can be recovered for a time that the installation sets, unless it is
    /// [expunged](CloudStackDestroyNode).
    async fn destroy_node_with(&self, node: &Node, options: Options) -> Result<()> {
        let ex: CloudStackDestroyNode = options.ex.decode("destroy_node")?;
        self.conn
            .command("destroyVirtualMachine")
            .param("id", &node.id)
            .opt("expunge", ex.ex_expunge)
            .timeout(options.timeout)
            .job_done()
            .await
    }

    fn iterate_volumes_with(&self, options: Options) -> BoxStream<'static, Result<StorageVolume>> {
        let command = options.ex.decode("list_volumes").map(|ex: CloudStackListVolumes| {
            self.conn.command("listVolumes").opt("virtualmachineid", ex.ex_node).timeout(options.timeout)
        });
        listing(command, "volume", |found| Ok(volumes::volume(found)))
    }

    /// Makes a volume of the disk offering that has this size, else of one that has any; see [`CloudStackCreateVolume`].
    /// Without a location it is in the first zone.
    async fn create_volume_with(
        &self,
        size: u64,
        name: &str,
        options: CreateVolume,
    ) -> Result<StorageVolume> {
        self.make_volume(size, name, options).await
    }

    async fn destroy_volume_with(&self, volume: &StorageVolume, options: Options) -> Result<()> {
        self.conn
            .command("deleteVolume")
            .param("id", &volume.id)
            .timeout(options.plain("destroy_volume")?)
            .done()
            .await
    }

    /// Attaches a volume. The device is its number, as CloudStack counts them: 1, 2, 4 …
    async fn attach_volume_with(
        &self,
        node: &Node,
        volume: &StorageVolume,
        options: AttachVolume,
    ) -> Result<()> {
        options.ex.none("attach_volume")?;
        let device = options.device.as_deref().map(volumes::device_number).transpose()?;
        self.conn
            .command("attachVolume")
            .param("id", &volume.id)
            .param("virtualmachineid", &node.id)
            .opt("deviceid", device)
            .timeout(options.timeout)
            .job_done()
            .await
    }

    async fn detach_volume_with(&self, volume: &StorageVolume, options: Options) -> Result<()> {
        self.conn
            .command("detachVolume")
            .param("id", &volume.id)
            .timeout(options.plain("detach_volume")?)
            .job_done()
            .await
    }

    fn iterate_key_pairs_with(&self, options: Options) -> BoxStream<'static, Result<KeyPair>> {
        let command = options
            .plain("list_key_pairs")
            .map(|timeout| self.conn.command("listSSHKeyPairs").timeout(timeout));
        listing(command, "sshkeypair", |found| Ok(key_pairs::key_pair(found)))
    }

    async fn get_key_pair_with(&self, name: &str, options: Options) -> Result<KeyPair> {
        let timeout = options.plain("get_key_pair")?;
        let command = self.conn.command("listSSHKeyPairs").param("name", name).timeout(timeout);
        first(listing(Ok(command), "sshkeypair", |found| Ok(key_pairs::key_pair(found))))
            .await?
            .ok_or_else(|| Error::not_found("key pair", name))
    }

    async fn create_key_pair_with(&self, name: &str, options: Options) -> Result<KeyPair> {
        let timeout = options.plain("create_key_pair")?;
        let command = self.conn.command("createSSHKeyPair").param("name", name).timeout(timeout);
        let made: wire::SshKeyPairResult = command.read().await?;
        Ok(key_pairs::key_pair(made.keypair))
    }

    async fn import_key_pair_from_string_with(
        &self,
        name: &str,
        key_material: &str,
        options: Options,
    ) -> Result<KeyPair> {
        let command = self
            .conn
            .command("registerSSHKeyPair")
            .param("name", name)
            .param("publickey", key_material)
            .in_body()
            .timeout(options.plain("import_key_pair_from_string")?);
        let made: wire::SshKeyPairResult = command.read().await?;
        Ok(key_pairs::key_pair(made.keypair))
    }

    async fn delete_key_pair_with(&self, key_pair: &KeyPair, options: Options) -> Result<()> {
        self.conn
            .command("deleteSSHKeyPair")
            .param("name", &key_pair.name)
            .timeout(options.plain("delete_key_pair")?)
            .done()
            .await
    }
}

/// The first item of a listing.
async fn first<T>(items: BoxStream<'static, Result<T>>) -> Result<Option<T>> {
    use futures_util::TryStreamExt as _;
    let mut items = items;
    items.try_next().await
}

impl CloudStackDriver {
    /// The zone of what is to be made: the given one, else the first.
    async fn zone(&self, given: Option<NodeLocation>, options: Options) -> Result<String> {
        if let Some(location) = given {
            return Ok(location.id);
        }
        let zone = first(self.iterate_locations_with(options)).await?;
        zone.map(|zone| zone.id).ok_or_else(|| Error::not_found("location", "any"))
    }
}

fn size(offering: wire::ServiceOffering) -> NodeSize {
    let mut size = NodeSize::new(offering.id, offering.name, offering.memory);
    size.extra = Extra::of(SizeExtra { cpu: offering.cpunumber });
    size
}

fn image(template: wire::Template) -> NodeImage {
    let mut image = NodeImage::new(template.id, template.name);
    image.extra = Extra::of(ImageExtra {
        hypervisor: template.hypervisor,
        format: template.format,
        os: template.ostypename,
        displaytext: template.displaytext,
        size: template.size,
    });
    image
}

/// Where in the world a zone is, CloudStack does not tell.
fn location(zone: wire::Named) -> NodeLocation {
    NodeLocation::new(zone.id, zone.name, "")
}
