//! Amazon EC2: <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/>

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use libcloud_common::dispatch::Method;
use libcloud_common::{
    ArgSpec, Arguments as _, BoxFuture, BoxStream, Capabilities, Clock, Config, Descriptor, Driver, Error,
    Extensions, Identity, Options, Result, Search, Secret, Sources, arguments, once, serialize_exposed,
};
use libcloud_compute::{
    ComputeDriver, CreateNode, KeyPair, ListImages, ListSizes, Node, NodeImage, NodeLocation, NodeSize,
};
use serde::{Deserialize, Deserializer};

use crate::connection::{QueryConnection, Service, listing};
use crate::credentials::Credentials;
use crate::signer::{SignatureVersion, string_or_number};
use crate::sts::Sts;

mod images;
mod instances;
mod key_pairs;
mod regions;
mod tags;
mod wire;

pub use images::{Ec2ListImages, ImageExtra};
pub use instances::{BlockDevice, ConsoleOutput, Ec2CreateNode, Ec2ListNodes, NodeExtra};
pub use key_pairs::KeyPairExtra;
pub use regions::{AvailabilityZone, LocationExtra};
pub use tags::ResourceId;

pub(crate) const DESCRIPTOR: Descriptor =
    Descriptor::new("ec2", "Amazon EC2", "https://aws.amazon.com/ec2/").seed_value("ec2_us_east");

const SERVICE: Service = Service { provider: "ec2", kind: "compute", name: "ec2", api_version: "2016-11-15" };

/// What an [`Ec2Driver`] takes as options of its configuration.
#[arguments(drivers = ["ec2"])]
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Ec2Options {
    /// The token of temporary credentials.
    #[renamed("session_token")]
    #[serde(serialize_with = "serialize_exposed")]
    pub token: Option<Secret>,
    /// `4`, or `2` for private installations that know no other.
    #[serde(deserialize_with = "string_or_number")]
    pub signature_version: Option<String>,
}

/// Servers at Amazon EC2, in one region. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Ec2Driver {
    conn: QueryConnection,
    sts: Sts,
}

impl Ec2Driver {
    /// Makes the driver. Nothing is sent.
    ///
    /// # Errors
    /// `InvalidCredentials` if neither the configuration nor the environment has an access key; `InvalidArgument` for an
    /// unknown option, or a region that cannot be one.
    pub fn new(config: Config) -> Result<Self> {
        let options: Ec2Options = config.driver_options(DESCRIPTOR.id)?;
        let signature = SignatureVersion::from_option(options.signature_version.as_deref())?;
        let search = &mut Search::new(&Sources::system());
        let credentials = Credentials::find(&config, options.token.as_ref(), search)?;
        let sts = Sts::beside(&config, credentials.clone(), signature)?;
        Ok(Self { conn: QueryConnection::new(&SERVICE, &config, credentials, signature)?, sts })
    }

    /// The region that this driver talks to.
    pub fn region(&self) -> &str {
        self.conn.region()
    }
}

pub(crate) fn find_credentials(config: &Config, search: &mut Search) -> Result<()> {
    let options: Ec2Options = config.driver_options(DESCRIPTOR.id)?;
    Credentials::find(config, options.token.as_ref(), search).map(drop)
}

impl Extensions for Ec2Driver {
    fn tables() -> &'static [&'static [Method<Self>]] {
        &[Self::INSTANCES, Self::KEY_PAIRS, Self::TAGS, Self::ZONES]
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
            "get_image",
            "iterate_key_pairs",
            "get_key_pair",
            "create_key_pair",
            "import_key_pair_from_string",
            "delete_key_pair",
        ])
        .features("create_node", &["ssh_key"])
}

impl Driver for Ec2Driver {
    fn descriptor(&self) -> Descriptor {
        DESCRIPTOR
    }

    fn capabilities(&self) -> Capabilities {
        capabilities()
    }

    fn ex_arguments(&self, method: &str) -> &'static [ArgSpec] {
        match method {
            "iterate_nodes" | "list_nodes" => Ec2ListNodes::FIELDS,
            "iterate_images" | "list_images" => Ec2ListImages::FIELDS,
            "create_node" => Ec2CreateNode::FIELDS,
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
        let action = self.describe_instances(options);
        listing(action, wire::reservations, instances::node)
    }

    /// The sizes that the region had when the table was made; in a region that is newer than the table, all that are
    /// in it, without prices. Nothing is asked of the provider.
    fn iterate_sizes_with(&self, options: ListSizes) -> BoxStream<'static, Result<NodeSize>> {
        // What a region has, all of its zones have.
        let sizes = options.ex.none("list_sizes").and_then(|()| regions::sizes(self.region()));
        once(std::future::ready(sizes))
    }

    /// All images that the account may use, tens of thousands: choose with [`Ec2ListImages`].
    fn iterate_images_with(&self, options: ListImages) -> BoxStream<'static, Result<NodeImage>> {
        let action = self.describe_images(options);
        listing(action, wire::images, images::image)
    }

    /// The zones of the region that take new nodes.
    fn iterate_locations_with(&self, options: Options) -> BoxStream<'static, Result<NodeLocation>> {
        let action = options
            .plain("list_locations")
            .map(|timeout| self.describe_availability_zones(true).timeout(timeout));
        let region = self.region().to_owned();
        listing(action, wire::availability_zones, move |zone| {
            regions::location(zone, &regions::country(&region)?)
        })
    }

    async fn get_node_with(&self, node_id: &str, options: Options) -> Result<Node> {
        let found = self
            .conn
            .action("DescribeInstances")
            .list("InstanceId", [node_id])
            .timeout(options.plain("get_node")?)
            .read(wire::reservations)
            .await?;
        match found.into_iter().next() {
            Some(instance) => instances::node(instance),
            None => Err(Error::not_found("node", node_id)),
        }
    }

    /// Starts an instance; see [`Ec2CreateNode`] for what it takes beside the base API's arguments.
    ///
    /// A public key as `auth` is imported first, unless the account has it already. The call carries a token by which EC2
    /// knows a repetition, so that it is safe to repeat and never leaves a second instance.
    async fn create_node(&self, options: CreateNode) -> Result<Node> {
        self.run_instance(options).await
    }

    async fn reboot_node_with(&self, node: &Node, options: Options) -> Result<()> {
        self.conn
            .action("RebootInstances")
            .list("InstanceId", [&node.id])
            .timeout(options.plain("reboot_node")?)
            .done()
            .await
    }

    async fn start_node_with(&self, node: &Node, options: Options) -> Result<()> {
        self.conn
            .action("StartInstances")
            .list("InstanceId", [&node.id])
            .timeout(options.plain("start_node")?)
            .done()
            .await
    }

    async fn stop_node_with(&self, node: &Node, options: Options) -> Result<()> {
        self.conn
            .action("StopInstances")
            .list("InstanceId", [&node.id])
            .timeout(options.plain("stop_node")?)
            .done()
            .await
    }

    async fn destroy_node_with(&self, node: &Node, options: Options) -> Result<()> {
        self.conn
            .action("TerminateInstances")
            .list("InstanceId", [&node.id])
            .timeout(options.plain("destroy_node")?)
            .done()
            .await
    }

    async fn get_image_with(&self, image_id: &str, options: Options) -> Result<NodeImage> {
        let found = self
            .conn
            .action("DescribeImages")
            .list("ImageId", [image_id])
            .timeout(options.plain("get_image")?)
            .read(wire::images)
            .await?;
        match found.into_iter().next() {
            Some(found) => images::image(found),
            None => Err(Error::not_found("image", image_id)),
        }
    }

    fn iterate_key_pairs_with(&self, options: Options) -> BoxStream<'static, Result<KeyPair>> {
        let action = options
            .plain("list_key_pairs")
            .map(|timeout| self.conn.action("DescribeKeyPairs").timeout(timeout));
        listing(action, wire::key_pairs, key_pairs::key_pair)
    }

    async fn get_key_pair_with(&self, name: &str, options: Options) -> Result<KeyPair> {
        let found = self
            .conn
            .action("DescribeKeyPairs")
            .list("KeyName", [name])
            .timeout(options.plain("get_key_pair")?)
            .read(wire::key_pairs)
            .await
            .map_err(|error| key_pairs::named(error, name))?;
        match found.into_iter().next() {
            Some(found) => key_pairs::key_pair(found),
            None => Err(Error::not_found("key pair", name)),
        }
    }

    async fn create_key_pair_with(&self, name: &str, options: Options) -> Result<KeyPair> {
        self.conn
            .action("CreateKeyPair")
            .param("KeyName", name)
            .timeout(options.plain("create_key_pair")?)
            .read(wire::key_pair)
            .await
            .map_err(|error| key_pairs::named(error, name))
            .and_then(key_pairs::key_pair)
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
        self.conn
            .action("DeleteKeyPair")
            .param("KeyName", &key_pair.name)
            .timeout(options.plain("delete_key_pair")?)
            .done()
            .await
    }
}

/// Reads an argument that is a list of strings, or one string.
fn one_or_more<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Vec<String>, D::Error> {
    OneOrMore::deserialize(deserializer).map(Into::into)
}

/// Reads filters: a map from names to values, each a list of strings or one string.
fn filters<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> std::result::Result<BTreeMap<String, Vec<String>>, D::Error> {
    let filters = BTreeMap::<String, OneOrMore>::deserialize(deserializer)?;
    Ok(filters.into_iter().map(|(name, values)| (name, values.into())).collect())
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a string or a list of strings")]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

impl From<OneOrMore> for Vec<String> {
    fn from(values: OneOrMore) -> Self {
        match values {
            OneOrMore::One(value) => vec![value],
            OneOrMore::More(values) => values,
        }
    }
}
