//! Dummy compute.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use libcloud_common::{
    ArgSpec, Arguments as _, BoxStream, Capabilities, Clock, Descriptor, Driver, Error, ErrorKind,
    Extensions, Method, Options, Result, arguments, extensions, json, once,
};
use libcloud_compute::{
    AttachVolume, COMPUTE_METHODS, ComputeDriver, CreateImage, CreateNode, CreateVolume,
    CreateVolumeSnapshot, KeyPair, ListImages, ListSizes, Node, NodeAuth, NodeImage, NodeLocation, NodeSize,
    NodeState, StorageVolume, StorageVolumeState, VolumeSnapshot, VolumeSnapshotState, md5_fingerprint,
};

use crate::cloud::{DummyCloud, arg};

mod state;

pub(crate) use state::State;
use state::{detach, generate_key, locations, new_image, running, sizes};

/// The dummy cloud's compute driver.
#[derive(Clone, Debug)]
pub struct DummyComputeDriver {
    cloud: DummyCloud,
}

impl DummyComputeDriver {
    /// A driver of this cloud.
    pub fn new(cloud: DummyCloud) -> Self {
        Self { cloud }
    }
}

/// Extension arguments of `create_node`.
#[arguments(drivers = ["dummy"])]
#[derive(Clone, Debug, Default)]
pub struct DummyCreateNode {
    /// What to add to the node's `extra`.
    pub ex_metadata: Option<BTreeMap<String, String>>,
    /// How many listings the node is pending for.
    pub ex_boot_polls: Option<u32>,
}

#[extensions(TESTING)]
impl DummyComputeDriver {
    /// Puts a node into a state, to see how a program takes it.
    pub async fn ex_set_node_state(&self, node: &Node, state: NodeState) -> Result<Node> {
        let id = node.id.clone();
        let change = move |cloud: &mut crate::cloud::State| {
            cloud.compute.booting.remove(&id);
            let node = cloud.compute.node(&id)?;
            node.state = state;
            Ok(node.clone())
        };
        self.cloud.act("ex_set_node_state", arg("node", &node.id), change).await
    }
}

impl Extensions for DummyComputeDriver {
    fn tables() -> &'static [&'static [Method<Self>]] {
        &[Self::TESTING]
    }
}

pub(crate) fn capabilities() -> Capabilities {
    let all: Vec<&'static str> = COMPUTE_METHODS.iter().map(|method| method.name).collect();
    Capabilities::new().supports(&all).features("create_node", &["ssh_key", "password"])
}

impl Driver for DummyComputeDriver {
    fn descriptor(&self) -> Descriptor {
        crate::DESCRIPTOR
    }

    fn capabilities(&self) -> Capabilities {
        capabilities()
    }

    fn ex_arguments(&self, method: &str) -> &'static [ArgSpec] {
        if method == "create_node" { DummyCreateNode::FIELDS } else { &[] }
    }

    fn clock(&self) -> Arc<dyn Clock> {
        self.cloud.clock()
    }
}

impl DummyComputeDriver {
    /// Changes the state of a node, if it is in one of these.
    async fn change_state(
        &self,
        method: &'static str,
        node: &Node,
        options: Options,
        from: &'static [NodeState],
        to: NodeState,
    ) -> Result<()> {
        options.plain(method)?;
        let id = node.id.clone();
        let change = move |cloud: &mut crate::cloud::State| {
            let node = cloud.compute.node(&id)?;
            if !from.contains(&node.state) {
                return Err(Error::new(
                    ErrorKind::InvalidState,
                    format!(
                        "node `{id}` is {}; {method} needs one that is {}",
                        node.state,
                        from.iter().map(NodeState::as_str).collect::<Vec<_>>().join(" or ")
                    ),
                )
                .with_resource("node", &id));
            }
            let rebooting = to == NodeState::Rebooting;
            node.state = to;
            if rebooting {
                cloud.compute.booting.insert(id, 1);
            }
            Ok(())
        };
        self.cloud.act(method, arg("node", &node.id), change).await
    }
}

#[async_trait]
impl ComputeDriver for DummyComputeDriver {
    fn iterate_nodes_with(&self, options: Options) -> BoxStream<'static, Result<Node>> {
        let cloud = self.cloud.clone();
        once(async move {
            options.plain("list_nodes")?;
            cloud.act("list_nodes", json!({}), |cloud| Ok(cloud.compute.list())).await
        })
    }

    fn iterate_sizes_with(&self, options: ListSizes) -> BoxStream<'static, Result<NodeSize>> {
        let cloud = self.cloud.clone();
        once(async move {
            options.ex.none("list_sizes")?;
            cloud.act("list_sizes", json!({}), |_| Ok(sizes())).await
        })
    }

    fn iterate_images_with(&self, options: ListImages) -> BoxStream<'static, Result<NodeImage>> {
        let cloud = self.cloud.clone();
        once(async move {
            options.ex.none("list_images")?;
            cloud.act("list_images", json!({}), |cloud| Ok(cloud.compute.images.clone())).await
        })
    }

    fn iterate_locations_with(&self, options: Options) -> BoxStream<'static, Result<NodeLocation>> {
        let cloud = self.cloud.clone();
        once(async move {
            options.plain("list_locations")?;
            cloud.act("list_locations", json!({}), |_| Ok(locations())).await
        })
    }

    async fn get_node_with(&self, node_id: &str, options: Options) -> Result<Node> {
        options.plain("get_node")?;
        let id = node_id.to_owned();
        self.cloud
            .act("get_node", arg("node_id", node_id), move |cloud| cloud.compute.node(&id).cloned())
            .await
    }

    async fn create_node(&self, options: CreateNode) -> Result<Node> {
        let ex: DummyCreateNode = options.ex.decode("create_node")?;
        let auth = NodeAuth::resolve(options.auth, &capabilities())?;
        let boot_polls = ex.ex_boot_polls.unwrap_or_else(|| self.cloud.boot_polls());
        let args = json!({"name": options.name, "size": options.size.id, "image": options.image.id});
        let create = move |cloud: &mut crate::cloud::State| {
            let size = sizes().into_iter().find(|size| size.id == options.size.id);
            let size = size.ok_or_else(|| Error::not_found("size", &options.size.id))?;
            let image = cloud.compute.image(&options.image.id)?.clone();
            if let Some(wanted) = &options.location
                && !locations().iter().any(|location| location.id == wanted.id)
            {
                return Err(Error::not_found("location", &wanted.id));
            }
            let n = cloud.compute.next_id();
            let mut node = running(n, &options.name);
            node.size = Some(size);
            node.image = Some(image);
            for (key, value) in ex.ex_metadata.unwrap_or_default() {
                node.extra.insert(key, value);
            }
            if let Some(NodeAuth::Password(password)) = &auth
                && password.generated
            {
                node.extra.insert("password", password.password.expose());
            }
            if boot_polls > 0 {
                node.state = NodeState::Pending;
                cloud.compute.booting.insert(node.id.clone(), boot_polls);
            }
            cloud.compute.nodes.push(node.clone());
            Ok(node)
        };
        self.cloud.act("create_node", args, create).await
    }

    async fn reboot_node_with(&self, node: &Node, options: Options) -> Result<()> {
        let from = &[NodeState::Running, NodeState::Rebooting];
        self.change_state("reboot_node", node, options, from, NodeState::Rebooting).await
    }

    async fn start_node_with(&self, node: &Node, options: Options) -> Result<()> {
        self.change_state("start_node", node, options, &[NodeState::Stopped], NodeState::Running).await
    }

    async fn stop_node_with(&self, node: &Node, options: Options) -> Result<()> {
        let from = &[NodeState::Running, NodeState::Rebooting, NodeState::Pending];
        self.change_state("stop_node", node, options, from, NodeState::Stopped).await
    }

    async fn destroy_node_with(&self, node: &Node, options: Options) -> Result<()> {
        options.plain("destroy_node")?;
        let id = node.id.clone();
        let destroy = move |cloud: &mut crate::cloud::State| {
            cloud.compute.node(&id)?;
            cloud.compute.nodes.retain(|node| node.id != id);
            cloud.compute.booting.remove(&id);
            for volume in &mut cloud.compute.volumes {
                if volume.extra.get("node_id").and_then(|node| node.as_str()) == Some(&id) {
                    detach(volume);
                }
            }
            Ok(())
        };
        self.cloud.act("destroy_node", arg("node", &node.id), destroy).await
    }

    fn iterate_volumes_with(&self, options: Options) -> BoxStream<'static, Result<StorageVolume>> {
        let cloud = self.cloud.clone();
        once(async move {
            options.plain("list_volumes")?;
            cloud.act("list_volumes", json!({}), |cloud| Ok(cloud.compute.volumes.clone())).await
        })
    }

    async fn create_volume_with(
        &self,
        size: u64,
        name: &str,
        options: CreateVolume,
    ) -> Result<StorageVolume> {
        options.ex.none("create_volume")?;
        if size == 0 {
            return Err(Error::invalid_argument("create_volume: `size` is 0; a volume has at least 1 GB"));
        }
        let args = json!({"size": size, "name": name});
        let name = name.to_owned();
        let create = move |cloud: &mut crate::cloud::State| {
            let snapshot = options.snapshot.map(|snapshot| snapshot.id);
            if let Some(id) = &snapshot
                && !cloud.compute.snapshots.iter().any(|(_, known)| known.id == *id)
            {
                return Err(Error::not_found("snapshot", id));
            }
            let id = format!("vol-{}", cloud.compute.next_id());
            let mut volume = StorageVolume::new(id, name, size).with_state(StorageVolumeState::Available);
            if let Some(id) = snapshot {
                volume.extra.insert("snapshot_id", id);
            }
            cloud.compute.volumes.push(volume.clone());
            Ok(volume)
        };
        self.cloud.act("create_volume", args, create).await
    }

    async fn destroy_volume_with(&self, volume: &StorageVolume, options: Options) -> Result<()> {
        options.plain("destroy_volume")?;
        let id = volume.id.clone();
        let destroy = move |cloud: &mut crate::cloud::State| {
            if cloud.compute.volume(&id)?.state == StorageVolumeState::InUse {
                return Err(Error::new(
                    ErrorKind::InvalidState,
                    format!("volume `{id}` is attached; detach it first"),
                )
                .with_resource("volume", &id));
            }
            cloud.compute.volumes.retain(|volume| volume.id != id);
            Ok(())
        };
        self.cloud.act("destroy_volume", arg("volume", &volume.id), destroy).await
    }

    async fn attach_volume_with(
        &self,
        node: &Node,
        volume: &StorageVolume,
        options: AttachVolume,
    ) -> Result<()> {
        options.ex.none("attach_volume")?;
        let args = json!({"node": node.id, "volume": volume.id});
        let (node_id, id) = (node.id.clone(), volume.id.clone());
        let attach = move |cloud: &mut crate::cloud::State| {
            cloud.compute.node(&node_id)?;
            let volume = cloud.compute.volume(&id)?;
            if volume.state == StorageVolumeState::InUse {
                return Err(Error::new(
                    ErrorKind::InvalidState,
                    format!("volume `{id}` is attached already"),
                )
                .with_resource("volume", &id));
            }
            volume.state = StorageVolumeState::InUse;
            volume.extra.insert("node_id", node_id);
            volume.extra.insert("device", options.device.unwrap_or_else(|| "/dev/vdb".into()));
            Ok(())
        };
        self.cloud.act("attach_volume", args, attach).await
    }

    async fn detach_volume_with(&self, volume: &StorageVolume, options: Options) -> Result<()> {
        options.plain("detach_volume")?;
        let id = volume.id.clone();
        let change = move |cloud: &mut crate::cloud::State| {
            let volume = cloud.compute.volume(&id)?;
            if volume.state != StorageVolumeState::InUse {
                return Err(Error::new(ErrorKind::InvalidState, format!("volume `{id}` is not attached"))
                    .with_resource("volume", &id));
            }
            detach(volume);
            Ok(())
        };
        self.cloud.act("detach_volume", arg("volume", &volume.id), change).await
    }

    fn iterate_volume_snapshots_with(
        &self,
        volume: &StorageVolume,
        options: Options,
    ) -> BoxStream<'static, Result<VolumeSnapshot>> {
        let (cloud, id) = (self.cloud.clone(), volume.id.clone());
        once(async move {
            options.plain("list_volume_snapshots")?;
            let list = move |cloud: &mut crate::cloud::State| {
                let of_volume = cloud.compute.snapshots.iter().filter(|(volume, _)| *volume == id);
                Ok(of_volume.map(|(_, snapshot)| snapshot.clone()).collect())
            };
            cloud.act("list_volume_snapshots", json!({}), list).await
        })
    }

    async fn create_volume_snapshot_with(
        &self,
        volume: &StorageVolume,
        options: CreateVolumeSnapshot,
    ) -> Result<VolumeSnapshot> {
        options.ex.none("create_volume_snapshot")?;
        let id = volume.id.clone();
        let create = move |cloud: &mut crate::cloud::State| {
            let size = cloud.compute.volume(&id)?.size;
            let mut snapshot = VolumeSnapshot::new(format!("snap-{}", cloud.compute.next_id()), size);
            snapshot.name = options.name;
            snapshot.state = VolumeSnapshotState::Available;
            snapshot.extra.insert("volume_id", id.as_str());
            cloud.compute.snapshots.push((id, snapshot.clone()));
            Ok(snapshot)
        };
        self.cloud.act("create_volume_snapshot", arg("volume", &volume.id), create).await
    }

    async fn destroy_volume_snapshot_with(&self, snapshot: &VolumeSnapshot, options: Options) -> Result<()> {
        options.plain("destroy_volume_snapshot")?;
        let id = snapshot.id.clone();
        let destroy = move |cloud: &mut crate::cloud::State| {
            let before = cloud.compute.snapshots.len();
            cloud.compute.snapshots.retain(|(_, snapshot)| snapshot.id != id);
            if cloud.compute.snapshots.len() == before {
                Err(Error::not_found("snapshot", id))
            } else {
                Ok(())
            }
        };
        self.cloud.act("destroy_volume_snapshot", arg("snapshot", &snapshot.id), destroy).await
    }

    async fn get_image_with(&self, image_id: &str, options: Options) -> Result<NodeImage> {
        options.plain("get_image")?;
        let id = image_id.to_owned();
        self.cloud
            .act("get_image", arg("image_id", image_id), move |cloud| cloud.compute.image(&id).cloned())
            .await
    }

    async fn create_image_with(&self, node: &Node, name: &str, options: CreateImage) -> Result<NodeImage> {
        options.ex.none("create_image")?;
        let args = json!({"node": node.id, "name": name});
        let (id, name) = (node.id.clone(), name.to_owned());
        let create = move |cloud: &mut crate::cloud::State| {
            cloud.compute.node(&id)?;
            Ok(new_image(&mut cloud.compute, name, options.description))
        };
        self.cloud.act("create_image", args, create).await
    }

    async fn copy_image_with(
        &self,
        source_region: &str,
        node_image: &NodeImage,
        name: &str,
        options: CreateImage,
    ) -> Result<NodeImage> {
        options.ex.none("copy_image")?;
        let args = json!({"source_region": source_region, "node_image": node_image.id, "name": name});
        let (id, name) = (node_image.id.clone(), name.to_owned());
        let copy = move |cloud: &mut crate::cloud::State| {
            cloud.compute.image(&id)?;
            Ok(new_image(&mut cloud.compute, name, options.description))
        };
        self.cloud.act("copy_image", args, copy).await
    }

    async fn delete_image_with(&self, node_image: &NodeImage, options: Options) -> Result<()> {
        options.plain("delete_image")?;
        let id = node_image.id.clone();
        let delete = move |cloud: &mut crate::cloud::State| {
            cloud.compute.image(&id)?;
            cloud.compute.images.retain(|image| image.id != id);
            Ok(())
        };
        self.cloud.act("delete_image", arg("node_image", &node_image.id), delete).await
    }

    fn iterate_key_pairs_with(&self, options: Options) -> BoxStream<'static, Result<KeyPair>> {
        let cloud = self.cloud.clone();
        once(async move {
            options.plain("list_key_pairs")?;
            cloud.act("list_key_pairs", json!({}), |cloud| Ok(cloud.compute.key_pairs.clone())).await
        })
    }

    async fn get_key_pair_with(&self, name: &str, options: Options) -> Result<KeyPair> {
        options.plain("get_key_pair")?;
        let wanted = name.to_owned();
        let get = move |cloud: &mut crate::cloud::State| {
            let found = cloud.compute.key_pairs.iter().find(|pair| pair.name == wanted).cloned();
            found.ok_or_else(|| Error::not_found("key pair", wanted))
        };
        self.cloud.act("get_key_pair", arg("name", name), get).await
    }

    async fn create_key_pair_with(&self, name: &str, options: Options) -> Result<KeyPair> {
        options.plain("create_key_pair")?;
        let (public_key, private_key) = generate_key(name)?;
        let mut made = self.keep_key_pair("create_key_pair", name, public_key).await?;
        made.private_key = Some(private_key);
        Ok(made)
    }

    async fn import_key_pair_from_string_with(
        &self,
        name: &str,
        key_material: &str,
        options: Options,
    ) -> Result<KeyPair> {
        options.plain("import_key_pair_from_string")?;
        self.keep_key_pair("import_key_pair_from_string", name, key_material.trim().to_owned()).await
    }

    async fn delete_key_pair_with(&self, key_pair: &KeyPair, options: Options) -> Result<()> {
        options.plain("delete_key_pair")?;
        let name = key_pair.name.clone();
        let delete = move |cloud: &mut crate::cloud::State| {
            let before = cloud.compute.key_pairs.len();
            cloud.compute.key_pairs.retain(|pair| pair.name != name);
            if cloud.compute.key_pairs.len() == before {
                Err(Error::not_found("key pair", name))
            } else {
                Ok(())
            }
        };
        self.cloud.act("delete_key_pair", arg("key_pair", &key_pair.name), delete).await
    }
}

impl DummyComputeDriver {
    async fn keep_key_pair(&self, method: &'static str, name: &str, public_key: String) -> Result<KeyPair> {
        let mut pair = KeyPair::new(name);
        pair.fingerprint = Some(md5_fingerprint(&public_key)?);
        pair.public_key = Some(public_key);
        let keep = move |cloud: &mut crate::cloud::State| {
            if cloud.compute.key_pairs.iter().any(|known| known.name == pair.name) {
                return Err(Error::already_exists("key pair", pair.name));
            }
            cloud.compute.key_pairs.push(pair.clone());
            Ok(pair)
        };
        self.cloud.act(method, arg("name", name), keep).await
    }
}
