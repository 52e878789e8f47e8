//! Amazon EC2: <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/>, and the clones that speak its protocol.

use std::sync::Arc;

use async_trait::async_trait;
use libcloud_common::dispatch::Method;
use libcloud_common::{
    ArgSpec, Arguments as _, BoxFuture, BoxStream, Capabilities, Clock, Config, Descriptor, Driver, Error,
    Extensions, Identity, Options, Result, Search, Secret, Sources, arguments, once, serialize_exposed,
};
use libcloud_compute::{
    AttachVolume, ComputeDriver, CreateImage, CreateNode, CreateVolume, CreateVolumeSnapshot, KeyPair,
    ListImages, ListSizes, Node, NodeImage, NodeLocation, NodeSize, StorageVolume, VolumeSnapshot,
};

use crate::connection::{QueryConnection, Service, listing};
use crate::credentials::Credentials;
use crate::signer::{SignatureVersion, string_or_number};
use crate::sts::Sts;

mod account;
mod addresses;
mod arguments;
mod create;
pub(crate) mod dialect;
mod images;
mod instances;
mod interfaces;
mod key_pairs;
mod networks;
mod regions;
mod routes;
mod security_groups;
mod snapshots;
mod tags;
mod volumes;
mod wire;

use dialect::{Dialect, Sizes};

pub use account::{Limits, PlacementGroup, ReservedNode, ReservedNodeExtra};
pub use addresses::{ElasticIp, ElasticIpExtra};
pub use arguments::{Filters, ResourceId};
pub use create::Ec2CreateNode;
pub use images::{EbsDisk, Ec2CreateImage, Ec2ListImages, ImageDisk, ImageExtra, RegisterImage};
pub use instances::{BlockDevice, ConsoleOutput, Ec2ListNodes, NodeExtra};
pub use interfaces::{
    InterfaceAttachment, InterfaceGroup, NetworkInterface, NetworkInterfaceExtra, PrivateIp,
};
pub use key_pairs::KeyPairExtra;
pub use networks::{Network, NetworkExtra, Subnet, SubnetExtra};
pub use regions::{AvailabilityZone, LocationExtra, Region, SizeExtra};
pub use routes::{InternetGateway, Route, RouteExtra, RouteTable, RouteTarget, SubnetAssociation};
pub use security_groups::{GroupPair, RulePeers, SecurityGroup, SecurityGroupExtra, SecurityGroupRule};
pub use snapshots::{Ec2CreateVolumeSnapshot, ImportSnapshot, ImportSnapshotTask, SnapshotExtra};
pub use volumes::{Ec2CreateVolume, Ec2DetachVolume, Ec2ListVolumes, VolumeExtra, VolumeModification};

pub(crate) const DESCRIPTOR: Descriptor =
    Descriptor::new("ec2", "Amazon EC2", "https://aws.amazon.com/ec2/").seed_value("ec2_us_east");

const SERVICE: Service = Service { provider: "ec2", kind: "compute", name: "ec2", api_version: "2016-11-15" };

/// What an [`Ec2Driver`] takes as options of its configuration.
#[arguments(drivers = ["ec2", "eucalyptus", "nimbus"])]
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Ec2Options {
    /// The token of temporary credentials.
    #[renamed("session_token")]
    #[serde(serialize_with = "serialize_exposed")]
    pub token: Option<Secret>,
    /// The profile of the files that Amazon's tools share; with it the variables of an access key are not looked at.
    pub profile: Option<String>,
    /// `4`, or `2` for private installations that know no other.
    #[serde(deserialize_with = "string_or_number")]
    pub signature_version: Option<String>,
    /// The path below the host of a private installation.
    pub path: Option<String>,
    /// Take the sizes from libcloud's own table, for a private installation that cannot tell which it has.
    pub static_sizes: bool,
}

/// Servers at Amazon EC2, in one region, or at a clone of it. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Ec2Driver {
    conn: QueryConnection,
    sts: Sts,
    dialect: &'static Dialect,
    sizes: Sizes,
}

impl Ec2Driver {
    /// Makes the driver of Amazon's service. Nothing is sent.
    ///
    /// # Errors
    /// `InvalidCredentials` if neither the configuration nor the environment has an access key; `InvalidArgument` for an
    /// unknown option, or a region that cannot be one.
    pub fn new(config: Config) -> Result<Self> {
        Self::with_dialect(config, &dialect::AMAZON)
    }

    /// Makes the driver of a Eucalyptus cloud. Nothing is sent.
    ///
    /// # Errors
    /// As [`new`](Self::new); `InvalidArgument` if the configuration does not say where the cloud is.
    pub fn eucalyptus(config: Config) -> Result<Self> {
        Self::with_dialect(config, &dialect::EUCALYPTUS)
    }

    /// Makes the driver of a Nimbus cloud. Nothing is sent.
    ///
    /// # Errors
    /// As [`new`](Self::new); `InvalidArgument` if the configuration does not say where the cloud is.
    pub fn nimbus(config: Config) -> Result<Self> {
        Self::with_dialect(config, &dialect::NIMBUS)
    }

    fn with_dialect(config: Config, dialect: &'static Dialect) -> Result<Self> {
        let options: Ec2Options = config.driver_options(dialect.descriptor.id)?;
        let signature = match options.signature_version.as_deref() {
            None if dialect.old => SignatureVersion::V2,
            version => SignatureVersion::from_option(version)?,
        };
        let search = &mut Search::new(&Sources::system());
        let credentials = Credentials::find(&config, options.token.as_ref(), search)?;
        let sizes = if options.static_sizes { Sizes::Table } else { dialect.sizes };
        let service = &dialect.service;
        if !dialect.old {
            if options.path.is_some() {
                return Err(Error::invalid_argument(
                    "`path` is for private installations: give an `endpoint`",
                )
                .with_resource("option", "path"));
            }
            let sts = Sts::beside(&config, credentials.clone(), signature)?;
            let conn = QueryConnection::new(service, &config, credentials, signature)?;
            return Ok(Self { conn, sts, dialect, sizes });
        }
        let missing = format!(
            "every {} has an address of its own: give `endpoint`, or `host` and the option `path`",
            dialect.descriptor.name
        );
        let base = config.private_url(options.path.as_deref(), dialect.path, &missing)?;
        let region = config.region.clone().unwrap_or_else(|| dialect.region.to_owned());
        let conn = QueryConnection::at(base, region, service, &config, credentials, signature);
        Ok(Self { conn, sts: Sts::none(), dialect, sizes })
    }

    /// The region that this driver talks to.
    pub fn region(&self) -> &str {
        self.conn.region()
    }

    /// How many items a page of a listing has, where that can be said.
    fn page_size(&self) -> Option<u32> {
        (!self.dialect.old).then_some(1000)
    }
}

pub(crate) fn find_credentials(config: &Config, search: &mut Search) -> Result<()> {
    let options: Ec2Options = config.driver_options(DESCRIPTOR.id)?;
    Credentials::find(config, options.token.as_ref(), search).map(drop)
}

impl Extensions for Ec2Driver {
    fn tables() -> &'static [&'static [Method<Self>]] {
        &[
            Self::ACCOUNT,
            Self::ADDRESSES,
            Self::CREATE,
            Self::IMAGES,
            Self::INSTANCES,
            Self::INTERFACES,
            Self::KEY_PAIRS,
            Self::NETWORKS,
            Self::REGIONS,
            Self::ROUTES,
            Self::SECURITY_GROUPS,
            Self::SNAPSHOTS,
            Self::TAGS,
            Self::VOLUMES,
        ]
    }
}

/// Everything that the base API has; of a clone without what it lacks.
fn capabilities_of(dialect: &Dialect) -> Capabilities {
    const METHODS: &[&str] = &[
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
        "iterate_volume_snapshots",
        "create_volume_snapshot",
        "destroy_volume_snapshot",
        "get_image",
        "create_image",
        "copy_image",
        "delete_image",
        "iterate_key_pairs",
        "get_key_pair",
        "create_key_pair",
        "import_key_pair_from_string",
        "delete_key_pair",
    ];
    let all = Capabilities::new().supports(METHODS).features("create_node", &["ssh_key"]);
    dialect.lacks.iter().fold(all, |capabilities, lack| {
        capabilities.cannot(lack.method, lack.reason, dialect.descriptor.website)
    })
}

pub(crate) fn capabilities() -> Capabilities {
    capabilities_of(&dialect::AMAZON)
}

pub(crate) fn eucalyptus_capabilities() -> Capabilities {
    capabilities_of(&dialect::EUCALYPTUS)
}

pub(crate) fn nimbus_capabilities() -> Capabilities {
    capabilities_of(&dialect::NIMBUS)
}

impl Driver for Ec2Driver {
    fn descriptor(&self) -> Descriptor {
        self.dialect.descriptor
    }

    fn capabilities(&self) -> Capabilities {
        capabilities_of(self.dialect)
    }

    fn ex_arguments(&self, method: &str) -> &'static [ArgSpec] {
        match method {
            "iterate_nodes" | "list_nodes" => Ec2ListNodes::FIELDS,
            "iterate_images" | "list_images" => Ec2ListImages::FIELDS,
            "iterate_volumes" | "list_volumes" => Ec2ListVolumes::FIELDS,
            "create_node" => Ec2CreateNode::FIELDS,
            "create_volume" => Ec2CreateVolume::FIELDS,
            "detach_volume" => Ec2DetachVolume::FIELDS,
            "create_volume_snapshot" => Ec2CreateVolumeSnapshot::FIELDS,
            "create_image" => Ec2CreateImage::FIELDS,
            _ => &[],
        }
    }

    fn identity(&self) -> BoxFuture<'_, Result<Identity>> {
        Box::pin(self.sts.caller_identity())
    }

    fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(self.conn.http().clock())
    }
}

#[async_trait]
impl ComputeDriver for Ec2Driver {
    fn iterate_nodes_with(&self, options: Options) -> BoxStream<'static, Result<Node>> {
        listing(self.describe_instances(options), instances::reservations)
    }

    /// The sizes that can be had in the region, at the price of an hour where the bundled table knows it.
    fn iterate_sizes_with(&self, options: ListSizes) -> BoxStream<'static, Result<NodeSize>> {
        // What a region has, nearly all of its zones have.
        if let Err(error) = options.ex.none("list_sizes") {
            return once(std::future::ready(Err(error)));
        }
        let action = self.conn.action("DescribeInstanceTypes").timeout(options.timeout);
        let region = self.region().to_owned();
        match self.sizes {
            Sizes::Table => once(std::future::ready(regions::sizes(&region))),
            Sizes::Listed(ids) => once(std::future::ready(regions::listed_sizes(ids))),
            Sizes::Eucalyptus => listing(Ok(action), regions::eucalyptus_types),
            // No page has more.
            Sizes::Described => listing(Ok(action.param("MaxResults", 100)), move |root| {
                regions::instance_types(root, &region)
            }),
        }
    }

    /// All images that the account may use, tens of thousands: choose with [`Ec2ListImages`].
    fn iterate_images_with(&self, options: ListImages) -> BoxStream<'static, Result<NodeImage>> {
        listing(self.describe_images(options), images::images)
    }

    /// The zones of the region that take new nodes.
    fn iterate_locations_with(&self, options: Options) -> BoxStream<'static, Result<NodeLocation>> {
        let action = self
            .dialect
            .has("iterate_locations")
            .and_then(|()| options.plain("list_locations"))
            .map(|timeout| self.describe_availability_zones(true).timeout(timeout));
        let region = self.region().to_owned();
        listing(action, move |root| regions::locations(root, &region))
    }

    async fn get_node_with(&self, node_id: &str, options: Options) -> Result<Node> {
        let action = self
            .conn
            .action("DescribeInstances")
            .list("InstanceId", [node_id])
            .timeout(options.plain("get_node")?);
        let found = action.read(instances::reservations).await?;
        found.into_iter().next().ok_or_else(|| Error::not_found("node", node_id))
    }

    /// Starts an instance; see [`Ec2CreateNode`] for what it takes beside the base API's arguments.
    ///
    /// A public key as `auth` is imported first, unless the account has it already. The call carries a token by which EC2
    /// knows a repetition, so that it is safe to repeat and never leaves a second instance.
    async fn create_node(&self, options: CreateNode) -> Result<Node> {
        self.run_instance(options).await
    }

    async fn reboot_node_with(&self, node: &Node, options: Options) -> Result<()> {
        let timeout = options.plain("reboot_node")?;
        self.conn.action("RebootInstances").list("InstanceId", [&node.id]).timeout(timeout).done().await
    }

    async fn start_node_with(&self, node: &Node, options: Options) -> Result<()> {
        let timeout = options.plain("start_node")?;
        self.conn.action("StartInstances").list("InstanceId", [&node.id]).timeout(timeout).done().await
    }

    async fn stop_node_with(&self, node: &Node, options: Options) -> Result<()> {
        let timeout = options.plain("stop_node")?;
        self.conn.action("StopInstances").list("InstanceId", [&node.id]).timeout(timeout).done().await
    }

    async fn destroy_node_with(&self, node: &Node, options: Options) -> Result<()> {
        let timeout = options.plain("destroy_node")?;
        self.conn.action("TerminateInstances").list("InstanceId", [&node.id]).timeout(timeout).done().await
    }

    fn iterate_volumes_with(&self, options: Options) -> BoxStream<'static, Result<StorageVolume>> {
        listing(self.describe_volumes(options), volumes::volumes)
    }

    /// Makes a volume, in a zone that EC2 names first if there is no location; see [`Ec2CreateVolume`].
    async fn create_volume_with(
        &self,
        size: u64,
        name: &str,
        options: CreateVolume,
    ) -> Result<StorageVolume> {
        self.make_volume(size, name, options).await
    }

    async fn destroy_volume_with(&self, volume: &StorageVolume, options: Options) -> Result<()> {
        let timeout = options.plain("destroy_volume")?;
        self.conn.action("DeleteVolume").param("VolumeId", &volume.id).timeout(timeout).done().await
    }

    /// Attaches a volume, without `device` under the first free name from `/dev/sdf` on.
    async fn attach_volume_with(
        &self,
        node: &Node,
        volume: &StorageVolume,
        options: AttachVolume,
    ) -> Result<()> {
        self.attach(node, volume, options).await
    }

    async fn detach_volume_with(&self, volume: &StorageVolume, options: Options) -> Result<()> {
        self.detach(volume, options).await
    }

    fn iterate_volume_snapshots_with(
        &self,
        volume: &StorageVolume,
        options: Options,
    ) -> BoxStream<'static, Result<VolumeSnapshot>> {
        let action = options.plain("list_volume_snapshots").map(|timeout| {
            self.conn
                .action("DescribeSnapshots")
                .filter("volume-id", [&volume.id])
                .opt("MaxResults", self.page_size())
                .timeout(timeout)
        });
        listing(action, snapshots::snapshots)
    }

    /// Makes a snapshot; its name is its description, too.
    async fn create_volume_snapshot_with(
        &self,
        volume: &StorageVolume,
        options: CreateVolumeSnapshot,
    ) -> Result<VolumeSnapshot> {
        self.make_snapshot(volume, options).await
    }

    async fn destroy_volume_snapshot_with(&self, snapshot: &VolumeSnapshot, options: Options) -> Result<()> {
        let timeout = options.plain("destroy_volume_snapshot")?;
        self.conn.action("DeleteSnapshot").param("SnapshotId", &snapshot.id).timeout(timeout).done().await
    }

    async fn get_image_with(&self, image_id: &str, options: Options) -> Result<NodeImage> {
        let action = self
            .conn
            .action("DescribeImages")
            .list("ImageId", [image_id])
            .timeout(options.plain("get_image")?);
        let found = action.read(images::images).await?;
        found.into_iter().next().ok_or_else(|| Error::not_found("image", image_id))
    }

    /// Makes an image of a node's volumes without rebooting it, unless [`Ec2CreateImage`] says so.
    async fn create_image_with(&self, node: &Node, name: &str, options: CreateImage) -> Result<NodeImage> {
        self.make_image(node, name, options).await
    }

    async fn copy_image_with(
        &self,
        source_region: &str,
        node_image: &NodeImage,
        name: &str,
        options: CreateImage,
    ) -> Result<NodeImage> {
        self.copy(source_region, node_image, name, options).await
    }

    /// Deletes an image. The snapshots that it was made of stay.
    async fn delete_image_with(&self, node_image: &NodeImage, options: Options) -> Result<()> {
        let timeout = options.plain("delete_image")?;
        self.conn.action("DeregisterImage").param("ImageId", &node_image.id).timeout(timeout).done().await
    }

    fn iterate_key_pairs_with(&self, options: Options) -> BoxStream<'static, Result<KeyPair>> {
        let action = options
            .plain("list_key_pairs")
            .map(|timeout| self.conn.action("DescribeKeyPairs").timeout(timeout));
        listing(action, key_pairs::key_pairs)
    }

    async fn get_key_pair_with(&self, name: &str, options: Options) -> Result<KeyPair> {
        let action = self
            .conn
            .action("DescribeKeyPairs")
            .list("KeyName", [name])
            .timeout(options.plain("get_key_pair")?);
        let found = action.read(key_pairs::key_pairs).await.map_err(|error| key_pairs::named(error, name))?;
        found.into_iter().next().ok_or_else(|| Error::not_found("key pair", name))
    }

    async fn create_key_pair_with(&self, name: &str, options: Options) -> Result<KeyPair> {
        let action = self
            .conn
            .action("CreateKeyPair")
            .param("KeyName", name)
            .timeout(options.plain("create_key_pair")?);
        action.read(key_pairs::key_pair).await.map_err(|error| key_pairs::named(error, name))
    }

    async fn import_key_pair_from_string_with(
        &self,
        name: &str,
        key_material: &str,
        options: Options,
    ) -> Result<KeyPair> {
        let timeout = options.plain("import_key_pair_from_string")?;
        self.import_key_pair(name, key_material, timeout).await
    }

    /// Succeeds where there is no such key pair, as EC2 does.
    async fn delete_key_pair_with(&self, key_pair: &KeyPair, options: Options) -> Result<()> {
        let timeout = options.plain("delete_key_pair")?;
        self.conn.action("DeleteKeyPair").param("KeyName", &key_pair.name).timeout(timeout).done().await
    }
}
