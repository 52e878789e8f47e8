//! What the compute service of the dummy cloud holds, and what it offers.

use std::collections::BTreeMap;

use libcloud_common::{Error, ErrorKind, Extra, Price, Result, Secret, encode};
use libcloud_compute::{
    KeyPair, Node, NodeImage, NodeLocation, NodeSize, NodeState, StorageVolume, StorageVolumeState,
    VolumeSnapshot,
};
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde::{Deserialize, Serialize};

/// What the compute service holds.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct State {
    pub(super) nodes: Vec<Node>,
    /// Nodes that are pending or rebooting, and for how many listings more.
    pub(super) booting: BTreeMap<String, u32>,
    pub(super) volumes: Vec<StorageVolume>,
    pub(super) snapshots: Vec<(String, VolumeSnapshot)>,
    pub(super) images: Vec<NodeImage>,
    pub(super) key_pairs: Vec<KeyPair>,
    made: u64,
}

impl Default for State {
    fn default() -> Self {
        Self::new(0)
    }
}

impl State {
    /// This many running nodes; none asked for gives two, as in the seed.
    pub(crate) fn new(nodes: u64) -> Self {
        let nodes: Vec<Node> =
            (1..=if nodes == 0 { 2 } else { nodes }).map(|n| running(n, &format!("dummy-{n}"))).collect();
        let images = [("1", "Ubuntu 9.10"), ("2", "Ubuntu 9.04"), ("3", "Slackware 4")];
        Self {
            made: nodes.len() as u64,
            nodes,
            booting: BTreeMap::new(),
            volumes: Vec::new(),
            snapshots: Vec::new(),
            images: images.iter().map(|(id, name)| NodeImage::new(*id, *name)).collect(),
            key_pairs: Vec::new(),
        }
    }

    pub(super) fn next_id(&mut self) -> u64 {
        self.made += 1;
        self.made
    }

    pub(super) fn node(&mut self, id: &str) -> Result<&mut Node> {
        self.nodes.iter_mut().find(|node| node.id == id).ok_or_else(|| Error::not_found("node", id))
    }

    pub(super) fn volume(&mut self, id: &str) -> Result<&mut StorageVolume> {
        self.volumes.iter_mut().find(|volume| volume.id == id).ok_or_else(|| Error::not_found("volume", id))
    }

    pub(super) fn image(&self, id: &str) -> Result<&NodeImage> {
        self.images.iter().find(|image| image.id == id).ok_or_else(|| Error::not_found("image", id))
    }

    /// What a listing shows, and one step on for the nodes that are on their way up.
    pub(super) fn list(&mut self) -> Vec<Node> {
        let listed = self.nodes.clone();
        let nodes = &mut self.nodes;
        self.booting.retain(|id, listings| {
            *listings = listings.saturating_sub(1);
            if *listings > 0 {
                return true;
            }
            if let Some(node) = nodes.iter_mut().find(|node| node.id == *id) {
                node.state = NodeState::Running;
            }
            false
        });
        listed
    }
}

pub(super) fn running(n: u64, name: &str) -> Node {
    // 127/8 is a network of 16 million addresses, all of them this machine.
    let [_, a, b, c] = u32::try_from(n).unwrap_or(1).to_be_bytes();
    Node::new(n.to_string(), name, NodeState::Running)
        .with_ips(vec![format!("127.{a}.{b}.{c}")], vec![])
        .with_extra(Extra::new().with("foo", "bar"))
}

pub(super) fn detach(volume: &mut StorageVolume) {
    volume.state = StorageVolumeState::Available;
    volume.extra.remove("node_id");
    volume.extra.remove("device");
}

pub(super) fn new_image(state: &mut State, name: String, description: Option<String>) -> NodeImage {
    let mut image = NodeImage::new(format!("img-{}", state.next_id()), name);
    if let Some(description) = description {
        image.extra.insert("description", description);
    }
    state.images.push(image.clone());
    image
}

pub(super) fn sizes() -> Vec<NodeSize> {
    [
        ("1", "Small", 128, 4, 500, 4),
        ("2", "Medium", 512, 16, 1500, 8),
        ("3", "Big", 4096, 32, 2500, 32),
        ("4", "XXL Big", 8192, 128, 7500, 64),
    ]
    .into_iter()
    .map(|(id, name, ram, disk, bandwidth, dollars)| {
        NodeSize::new(id, name, ram).with_disk(disk, bandwidth).with_price(Price::from_cents(dollars * 100))
    })
    .collect()
}

pub(super) fn locations() -> Vec<NodeLocation> {
    [("1", "Paul's Room", "US"), ("2", "London Loft", "GB"), ("3", "Island Datacenter", "FJ")]
        .into_iter()
        .map(|(id, name, country)| NodeLocation::new(id, name, country))
        .collect()
}

/// A real Ed25519 pair: the public key as OpenSSH writes it, the private one as PKCS#8.
pub(super) fn generate_key(name: &str) -> Result<(String, Secret)> {
    let fail = || Error::new(ErrorKind::Io, "the system gives no random numbers for a key");
    let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).map_err(|_| fail())?;
    let pair = Ed25519KeyPair::from_pkcs8(document.as_ref()).map_err(|_| fail())?;
    let mut blob = Vec::new();
    for part in [b"ssh-ed25519".as_slice(), pair.public_key().as_ref()] {
        blob.extend(u32::try_from(part.len()).unwrap_or(0).to_be_bytes());
        blob.extend(part);
    }
    let public = format!("ssh-ed25519 {} {name}", encode::base64(blob));
    let private =
        format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", encode::base64(document));
    Ok((public, Secret::new(private)))
}
