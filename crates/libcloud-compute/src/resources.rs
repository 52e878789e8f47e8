//! What a compute provider has: plain data, made by drivers or by hand from a known id.

use libcloud_common::{Extra, Price, Secret, Timestamp, digest, resources};
use serde::{Deserialize, Serialize};

use crate::types::{NodeImageMemberState, NodeState, StorageVolumeState, VolumeSnapshotState};

/// A server.
///
/// ```
/// use libcloud_compute::{Node, NodeState};
///
/// let node = Node::new("i-1", "web", NodeState::Running);
/// assert_eq!(serde_json::to_value(&node)?["state"], "running");
/// assert_eq!(Node::from_id("i-1").id, node.id);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Node {
    /// The provider's id.
    pub id: String,
    /// The name.
    #[serde(default)]
    pub name: String,
    /// What it is doing.
    #[serde(default = "unknown_node")]
    pub state: NodeState,
    /// The addresses that the Internet reaches it by.
    #[serde(default)]
    pub public_ips: Vec<String>,
    /// The addresses that it has within the provider's networks.
    #[serde(default)]
    pub private_ips: Vec<String>,
    /// Its size, where the provider tells.
    #[serde(default)]
    pub size: Option<NodeSize>,
    /// The image it was made from, where the provider tells.
    #[serde(default)]
    pub image: Option<NodeImage>,
    /// When it was made, where the provider tells.
    #[serde(default)]
    pub created_at: Option<Timestamp>,
    /// What only this provider tells.
    #[serde(default)]
    pub extra: Extra,
}

/// Memory, disk, traffic and price of a node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NodeSize {
    /// The provider's id.
    pub id: String,
    /// The name.
    #[serde(default)]
    pub name: String,
    /// Memory in MiB.
    #[serde(default)]
    pub ram: Option<u64>,
    /// Disk in GB.
    #[serde(default)]
    pub disk: Option<u64>,
    /// Traffic or bandwidth in the provider's unit.
    #[serde(default)]
    pub bandwidth: Option<u64>,
    /// What an hour costs, in US dollars unless the provider's page says otherwise.
    #[serde(default)]
    pub price: Option<Price>,
    /// What only this provider tells.
    #[serde(default)]
    pub extra: Extra,
}

/// What a node's disk begins with: an operating system.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NodeImage {
    /// The provider's id.
    pub id: String,
    /// The name.
    #[serde(default)]
    pub name: String,
    /// What only this provider tells.
    #[serde(default)]
    pub extra: Extra,
}

/// An account that an image is shared with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NodeImageMember {
    /// The account's id.
    pub id: String,
    /// The image.
    #[serde(default)]
    pub image_id: String,
    /// Whether the account has taken it.
    #[serde(default = "unknown_member")]
    pub state: NodeImageMemberState,
    /// When it was shared.
    #[serde(default)]
    pub created: Option<Timestamp>,
    /// What only this provider tells.
    #[serde(default)]
    pub extra: Extra,
}

/// A physical place: a data centre, a zone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NodeLocation {
    /// The provider's id.
    pub id: String,
    /// The name.
    #[serde(default)]
    pub name: String,
    /// The country, as the provider writes it.
    #[serde(default)]
    pub country: String,
    /// What only this provider tells.
    #[serde(default)]
    pub extra: Extra,
}

/// A disk of its own, to attach to a node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct StorageVolume {
    /// The provider's id.
    pub id: String,
    /// The name.
    #[serde(default)]
    pub name: String,
    /// The size in GB.
    #[serde(default)]
    pub size: Option<u64>,
    /// What it is doing.
    #[serde(default = "unknown_volume")]
    pub state: StorageVolumeState,
    /// What only this provider tells.
    #[serde(default)]
    pub extra: Extra,
}

/// What a volume held at one time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct VolumeSnapshot {
    /// The provider's id.
    pub id: String,
    /// The name, where snapshots have one.
    #[serde(default)]
    pub name: Option<String>,
    /// The size in GB.
    #[serde(default)]
    pub size: Option<u64>,
    /// When it was made.
    #[serde(default)]
    pub created: Option<Timestamp>,
    /// What it is doing.
    #[serde(default = "unknown_snapshot")]
    pub state: VolumeSnapshotState,
    /// What only this provider tells.
    #[serde(default)]
    pub extra: Extra,
}

/// A key pair that the provider keeps the public half of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct KeyPair {
    /// The name, which is also its id.
    pub name: String,
    /// The fingerprint, as this provider computes it.
    #[serde(default)]
    pub fingerprint: Option<String>,
    /// The public key, where the provider tells.
    #[serde(default)]
    pub public_key: Option<String>,
    /// The private key: only in the answer that made the pair. Shown in JSON, since its owner has it from there
    /// alone; never in `Debug`.
    #[serde(default, serialize_with = "libcloud_common::serialize_exposed")]
    pub private_key: Option<Secret>,
    /// What only this provider tells.
    #[serde(default)]
    pub extra: Extra,
}

fn unknown_node() -> NodeState {
    NodeState::Unknown(String::new())
}

fn unknown_member() -> NodeImageMemberState {
    NodeImageMemberState::Unknown(String::new())
}

fn unknown_volume() -> StorageVolumeState {
    StorageVolumeState::Unknown(String::new())
}

fn unknown_snapshot() -> VolumeSnapshotState {
    VolumeSnapshotState::Unknown(String::new())
}

resources! {
    Node, "node";
    NodeSize, "size";
    NodeImage, "image";
    NodeImageMember, "image member";
    NodeLocation, "location";
    StorageVolume, "volume";
    VolumeSnapshot, "snapshot";
    KeyPair, "key pair";
}

impl Node {
    /// A node with what every provider tells.
    pub fn new(id: impl Into<String>, name: impl Into<String>, state: NodeState) -> Self {
        Self {
            id: id.into(),
            name: name.into(),
            state,
            public_ips: Vec::new(),
            private_ips: Vec::new(),
            size: None,
            image: None,
            created_at: None,
            extra: Extra::new(),
        }
    }

    /// A node of which only the id is known. Nothing is asked of the provider.
    pub fn from_id(id: impl Into<String>) -> Self {
        Self::new(id, "", unknown_node())
    }

    /// The same with these addresses.
    pub fn with_ips(mut self, public: Vec<String>, private: Vec<String>) -> Self {
        self.public_ips = public;
        self.private_ips = private;
        self
    }
}

impl NodeSize {
    /// A size of this memory in MiB.
    pub fn new(id: impl Into<String>, name: impl Into<String>, ram: impl Into<Option<u64>>) -> Self {
        Self {
            id: id.into(),
            name: name.into(),
            ram: ram.into(),
            disk: None,
            bandwidth: None,
            price: None,
            extra: Extra::new(),
        }
    }

    /// A size of which only the id is known.
    pub fn from_id(id: impl Into<String>) -> Self {
        Self::new(id, "", None)
    }

    /// The same with this disk in GB and this bandwidth.
    pub fn with_disk(mut self, disk: impl Into<Option<u64>>, bandwidth: impl Into<Option<u64>>) -> Self {
        self.disk = disk.into();
        self.bandwidth = bandwidth.into();
        self
    }

    /// The same at this price an hour.
    pub fn with_price(mut self, price: impl Into<Option<Price>>) -> Self {
        self.price = price.into();
        self
    }
}

impl NodeImage {
    /// An image.
    pub fn new(id: impl Into<String>, name: impl Into<String>) -> Self {
        Self { id: id.into(), name: name.into(), extra: Extra::new() }
    }

    /// An image of which only the id is known.
    pub fn from_id(id: impl Into<String>) -> Self {
        Self::new(id, "")
    }
}

impl NodeImageMember {
    /// An account that an image is shared with.
    pub fn new(id: impl Into<String>, image_id: impl Into<String>, state: NodeImageMemberState) -> Self {
        Self { id: id.into(), image_id: image_id.into(), state, created: None, extra: Extra::new() }
    }

    /// A member of which only the id is known.
    pub fn from_id(id: impl Into<String>) -> Self {
        Self::new(id, "", unknown_member())
    }
}

impl NodeLocation {
    /// A place.
    pub fn new(id: impl Into<String>, name: impl Into<String>, country: impl Into<String>) -> Self {
        Self { id: id.into(), name: name.into(), country: country.into(), extra: Extra::new() }
    }

    /// A place of which only the id is known.
    pub fn from_id(id: impl Into<String>) -> Self {
        Self::new(id, "", "")
    }
}

impl StorageVolume {
    /// A volume of this size in GB.
    pub fn new(id: impl Into<String>, name: impl Into<String>, size: impl Into<Option<u64>>) -> Self {
        Self {
            id: id.into(),
            name: name.into(),
            size: size.into(),
            state: unknown_volume(),
            extra: Extra::new(),
        }
    }

    /// A volume of which only the id is known.
    pub fn from_id(id: impl Into<String>) -> Self {
        Self::new(id, "", None)
    }

    /// The same in this state.
    pub fn with_state(mut self, state: StorageVolumeState) -> Self {
        self.state = state;
        self
    }
}

impl VolumeSnapshot {
    /// A snapshot of this size in GB.
    pub fn new(id: impl Into<String>, size: impl Into<Option<u64>>) -> Self {
        Self {
            id: id.into(),
            name: None,
            size: size.into(),
            created: None,
            state: unknown_snapshot(),
            extra: Extra::new(),
        }
    }

    /// A snapshot of which only the id is known.
    pub fn from_id(id: impl Into<String>) -> Self {
        Self::new(id, None)
    }
}

impl KeyPair {
    /// A key pair.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            fingerprint: None,
            public_key: None,
            private_key: None,
            extra: Extra::new(),
        }
    }

    /// A key pair of which only the name is known.
    pub fn from_id(name: impl Into<String>) -> Self {
        Self::new(name)
    }
}

/// The seed's uuid of a node, size, image or volume: SHA-1 of its id and the value of the driver's constant.
///
/// ```
/// assert_eq!(libcloud_compute::uuid("1", "dummy"), "2c183c20f71eb5732512d6cfe1f75ebc9d9bb4dd");
/// ```
pub fn uuid(id: &str, driver_type: &str) -> String {
    digest::sha1_hex(format!("{id}:{driver_type}").as_bytes())
}
