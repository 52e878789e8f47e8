//! What follows from a compute driver's methods, written once for all of them.

use std::path::Path;

use async_trait::async_trait;
use futures_util::TryStreamExt as _;
use libcloud_common::{BoxStream, Error, Options, Result, extensions};

use crate::driver::ComputeDriver;
use crate::options::{
    AttachVolume, CreateImage, CreateVolume, CreateVolumeSnapshot, ListImages, ListSizes, WaitUntilRunning,
};
use crate::resources::{KeyPair, Node, NodeImage, NodeLocation, NodeSize, StorageVolume, VolumeSnapshot};
use crate::wait;

/// Short forms and helpers on every compute driver.
#[extensions(COMPUTE_EXT_METHODS, on = ComputeDriver)]
#[async_trait]
pub trait ComputeDriverExt: ComputeDriver {
    /// The nodes, as they arrive.
    fn iterate_nodes(&self) -> BoxStream<'static, Result<Node>> {
        self.iterate_nodes_with(Options::new())
    }

    /// All nodes.
    #[by_name]
    async fn list_nodes_with(&self, options: Options) -> Result<Vec<Node>> {
        self.iterate_nodes_with(options).try_collect().await
    }

    /// All nodes.
    async fn list_nodes(&self) -> Result<Vec<Node>> {
        self.list_nodes_with(Options::new()).await
    }

    /// All sizes.
    #[by_name]
    async fn list_sizes_with(&self, options: ListSizes) -> Result<Vec<NodeSize>> {
        self.iterate_sizes_with(options).try_collect().await
    }

    /// All sizes.
    async fn list_sizes(&self) -> Result<Vec<NodeSize>> {
        self.list_sizes_with(ListSizes::new()).await
    }

    /// The images, as they arrive.
    fn iterate_images(&self) -> BoxStream<'static, Result<NodeImage>> {
        self.iterate_images_with(ListImages::new())
    }

    /// All images.
    #[by_name]
    async fn list_images_with(&self, options: ListImages) -> Result<Vec<NodeImage>> {
        self.iterate_images_with(options).try_collect().await
    }

    /// All images.
    async fn list_images(&self) -> Result<Vec<NodeImage>> {
        self.list_images_with(ListImages::new()).await
    }

    /// All places.
    #[by_name]
    async fn list_locations_with(&self, options: Options) -> Result<Vec<NodeLocation>> {
        self.iterate_locations_with(options).try_collect().await
    }

    /// All places.
    async fn list_locations(&self) -> Result<Vec<NodeLocation>> {
        self.list_locations_with(Options::new()).await
    }

    /// One node by its id.
    async fn get_node(&self, node_id: &str) -> Result<Node> {
        self.get_node_with(node_id, Options::new()).await
    }

    /// Reboots a node.
    async fn reboot_node(&self, node: &Node) -> Result<()> {
        self.reboot_node_with(node, Options::new()).await
    }

    /// Starts a stopped node.
    async fn start_node(&self, node: &Node) -> Result<()> {
        self.start_node_with(node, Options::new()).await
    }

    /// Stops a node; it can be started again.
    async fn stop_node(&self, node: &Node) -> Result<()> {
        self.stop_node_with(node, Options::new()).await
    }

    /// Destroys a node and what is on it, for good.
    async fn destroy_node(&self, node: &Node) -> Result<()> {
        self.destroy_node_with(node, Options::new()).await
    }

    /// All volumes.
    #[by_name]
    async fn list_volumes_with(&self, options: Options) -> Result<Vec<StorageVolume>> {
        self.iterate_volumes_with(options).try_collect().await
    }

    /// All volumes.
    async fn list_volumes(&self) -> Result<Vec<StorageVolume>> {
        self.list_volumes_with(Options::new()).await
    }

    /// Makes a volume of this size in GB.
    async fn create_volume(&self, size: u64, name: &str) -> Result<StorageVolume> {
        self.create_volume_with(size, name, CreateVolume::new()).await
    }

    /// Destroys a volume and what is on it, for good.
    async fn destroy_volume(&self, volume: &StorageVolume) -> Result<()> {
        self.destroy_volume_with(volume, Options::new()).await
    }

    /// Attaches a volume to a node, under a name that the provider chooses.
    async fn attach_volume(&self, node: &Node, volume: &StorageVolume) -> Result<()> {
        self.attach_volume_with(node, volume, AttachVolume::new()).await
    }

    /// Detaches a volume from the node that it is attached to.
    async fn detach_volume(&self, volume: &StorageVolume) -> Result<()> {
        self.detach_volume_with(volume, Options::new()).await
    }

    /// All snapshots of a volume.
    #[by_name]
    async fn list_volume_snapshots_with(
        &self,
        volume: &StorageVolume,
        options: Options,
    ) -> Result<Vec<VolumeSnapshot>> {
        self.iterate_volume_snapshots_with(volume, options).try_collect().await
    }

    /// All snapshots of a volume.
    async fn list_volume_snapshots(&self, volume: &StorageVolume) -> Result<Vec<VolumeSnapshot>> {
        self.list_volume_snapshots_with(volume, Options::new()).await
    }

    /// Makes a snapshot of a volume.
    async fn create_volume_snapshot(&self, volume: &StorageVolume, name: &str) -> Result<VolumeSnapshot> {
        self.create_volume_snapshot_with(volume, CreateVolumeSnapshot::new().name(name)).await
    }

    /// Destroys a snapshot.
    async fn destroy_volume_snapshot(&self, snapshot: &VolumeSnapshot) -> Result<()> {
        self.destroy_volume_snapshot_with(snapshot, Options::new()).await
    }

    /// One image by its id.
    async fn get_image(&self, image_id: &str) -> Result<NodeImage> {
        self.get_image_with(image_id, Options::new()).await
    }

    /// Makes an image of a node's disk.
    async fn create_image(&self, node: &Node, name: &str) -> Result<NodeImage> {
        self.create_image_with(node, name, CreateImage::new()).await
    }

    /// Copies an image from another region to this one.
    async fn copy_image(&self, source_region: &str, node_image: &NodeImage, name: &str) -> Result<NodeImage> {
        self.copy_image_with(source_region, node_image, name, CreateImage::new()).await
    }

    /// Deletes an image.
    async fn delete_image(&self, node_image: &NodeImage) -> Result<()> {
        self.delete_image_with(node_image, Options::new()).await
    }

    /// All key pairs.
    #[by_name]
    async fn list_key_pairs_with(&self, options: Options) -> Result<Vec<KeyPair>> {
        self.iterate_key_pairs_with(options).try_collect().await
    }

    /// All key pairs.
    async fn list_key_pairs(&self) -> Result<Vec<KeyPair>> {
        self.list_key_pairs_with(Options::new()).await
    }

    /// One key pair by its name.
    async fn get_key_pair(&self, name: &str) -> Result<KeyPair> {
        self.get_key_pair_with(name, Options::new()).await
    }

    /// Lets the provider make a key pair; the private key is in this answer alone.
    async fn create_key_pair(&self, name: &str) -> Result<KeyPair> {
        self.create_key_pair_with(name, Options::new()).await
    }

    /// Gives the provider a public key, as OpenSSH writes it.
    async fn import_key_pair_from_string(&self, name: &str, key_material: &str) -> Result<KeyPair> {
        self.import_key_pair_from_string_with(name, key_material, Options::new()).await
    }

    /// Gives the provider the public key in this file.
    #[by_name]
    async fn import_key_pair_from_file_with(
        &self,
        name: &str,
        key_file_path: &Path,
        options: Options,
    ) -> Result<KeyPair> {
        let key = tokio::fs::read_to_string(key_file_path)
            .await
            .map_err(|error| Error::io(format_args!("read the key {}", key_file_path.display()), error))?;
        self.import_key_pair_from_string_with(name, key.trim(), options).await
    }

    /// Gives the provider the public key in this file.
    async fn import_key_pair_from_file(&self, name: &str, key_file_path: &Path) -> Result<KeyPair> {
        self.import_key_pair_from_file_with(name, key_file_path, Options::new()).await
    }

    /// Deletes a key pair.
    async fn delete_key_pair(&self, key_pair: &KeyPair) -> Result<()> {
        self.delete_key_pair_with(key_pair, Options::new()).await
    }

    /// Waits until these nodes run and have an address that one can connect to; gives each with its addresses, in
    /// the order of `nodes`.
    ///
    /// # Errors
    /// `Timeout` with the ids of those that do not run yet; `InvalidState` at once for one that is in an error state
    /// or gone.
    #[by_name]
    async fn wait_until_running(
        &self,
        nodes: &[Node],
        options: WaitUntilRunning,
    ) -> Result<Vec<(Node, Vec<String>)>> {
        wait::wait_until_running(self, nodes, options).await
    }
}

impl<D: ComputeDriver + ?Sized> ComputeDriverExt for D {}
