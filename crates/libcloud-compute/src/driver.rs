//! What a compute provider can do.

use async_trait::async_trait;
use libcloud_common::{
    BoxStream, Driver, Options, Result, calls_by_name, extensions, forward, forward_stream,
};

use crate::ext::COMPUTE_EXT_METHODS;
use crate::options::{
    AttachVolume, CreateImage, CreateNode, CreateVolume, CreateVolumeSnapshot, ListImages, ListSizes,
};
use crate::resources::{KeyPair, Node, NodeImage, NodeLocation, NodeSize, StorageVolume, VolumeSnapshot};

/// A driver of one compute provider. One value serves any number of tasks.
///
/// Each method is one operation of the provider. A method whose further arguments are all optional ends in `_with`;
/// [`ComputeDriverExt`](crate::ComputeDriverExt) has its short form (`reboot_node(&node)`) and what follows from these
/// methods (`list_nodes`, `wait_until_running`). A method that a driver does not have answers `NotSupported`, as its
/// capabilities say.
#[extensions(COMPUTE_METHODS)]
#[async_trait]
pub trait ComputeDriver: Driver {
    /// The driver that this one wraps: what it does not override is forwarded there.
    #[by_name(skip)]
    fn inner(&self) -> Option<&dyn ComputeDriver> {
        None
    }

    /// The nodes, as they arrive.
    fn iterate_nodes_with(&self, options: Options) -> BoxStream<'static, Result<Node>> {
        forward_stream!(self.iterate_nodes_with(options))
    }

    /// The sizes that a node can have.
    fn iterate_sizes_with(&self, options: ListSizes) -> BoxStream<'static, Result<NodeSize>> {
        forward_stream!(self.iterate_sizes_with(options))
    }

    /// The images that a node can be made from.
    fn iterate_images_with(&self, options: ListImages) -> BoxStream<'static, Result<NodeImage>> {
        forward_stream!(self.iterate_images_with(options))
    }

    /// The places where a node can be.
    fn iterate_locations_with(&self, options: Options) -> BoxStream<'static, Result<NodeLocation>> {
        forward_stream!(self.iterate_locations_with(options))
    }

    /// One node by its id.
    async fn get_node_with(&self, node_id: &str, options: Options) -> Result<Node> {
        forward!(self.get_node_with(node_id, options))
    }

    /// Makes a node. It may not run yet: see
    /// [`wait_until_running`](crate::ComputeDriverExt::wait_until_running).
    async fn create_node(&self, options: CreateNode) -> Result<Node> {
        forward!(self.create_node(options))
    }

    /// Reboots a node.
    async fn reboot_node_with(&self, node: &Node, options: Options) -> Result<()> {
        forward!(self.reboot_node_with(node, options))
    }

    /// Starts a stopped node.
    async fn start_node_with(&self, node: &Node, options: Options) -> Result<()> {
        forward!(self.start_node_with(node, options))
    }

    /// Stops a node; it can be started again.
    async fn stop_node_with(&self, node: &Node, options: Options) -> Result<()> {
        forward!(self.stop_node_with(node, options))
    }

    /// Destroys a node and what is on it, for good.
    async fn destroy_node_with(&self, node: &Node, options: Options) -> Result<()> {
        forward!(self.destroy_node_with(node, options))
    }

    /// The volumes, as they arrive.
    fn iterate_volumes_with(&self, options: Options) -> BoxStream<'static, Result<StorageVolume>> {
        forward_stream!(self.iterate_volumes_with(options))
    }

    /// Makes a volume of this size in GB.
    async fn create_volume_with(
        &self,
        size: u64,
        name: &str,
        options: CreateVolume,
    ) -> Result<StorageVolume> {
        forward!(self.create_volume_with(size, name, options))
    }

    /// Destroys a volume and what is on it, for good.
    async fn destroy_volume_with(&self, volume: &StorageVolume, options: Options) -> Result<()> {
        forward!(self.destroy_volume_with(volume, options))
    }

    /// Attaches a volume to a node.
    async fn attach_volume_with(
        &self,
        node: &Node,
        volume: &StorageVolume,
        options: AttachVolume,
    ) -> Result<()> {
        forward!(self.attach_volume_with(node, volume, options))
    }

    /// Detaches a volume from the node that it is attached to.
    async fn detach_volume_with(&self, volume: &StorageVolume, options: Options) -> Result<()> {
        forward!(self.detach_volume_with(volume, options))
    }

    /// The snapshots of a volume.
    fn iterate_volume_snapshots_with(
        &self,
        volume: &StorageVolume,
        options: Options,
    ) -> BoxStream<'static, Result<VolumeSnapshot>> {
        forward_stream!(self.iterate_volume_snapshots_with(volume, options))
    }

    /// Makes a snapshot of a volume.
    async fn create_volume_snapshot_with(
        &self,
        volume: &StorageVolume,
        options: CreateVolumeSnapshot,
    ) -> Result<VolumeSnapshot> {
        forward!(self.create_volume_snapshot_with(volume, options))
    }

    /// Destroys a snapshot.
    async fn destroy_volume_snapshot_with(&self, snapshot: &VolumeSnapshot, options: Options) -> Result<()> {
        forward!(self.destroy_volume_snapshot_with(snapshot, options))
    }

    /// One image by its id.
    async fn get_image_with(&self, image_id: &str, options: Options) -> Result<NodeImage> {
        forward!(self.get_image_with(image_id, options))
    }

    /// Makes an image of a node's disk.
    async fn create_image_with(&self, node: &Node, name: &str, options: CreateImage) -> Result<NodeImage> {
        forward!(self.create_image_with(node, name, options))
    }

    /// Copies an image from another region to this one.
    async fn copy_image_with(
        &self,
        source_region: &str,
        node_image: &NodeImage,
        name: &str,
        options: CreateImage,
    ) -> Result<NodeImage> {
        forward!(self.copy_image_with(source_region, node_image, name, options))
    }

    /// Deletes an image.
    async fn delete_image_with(&self, node_image: &NodeImage, options: Options) -> Result<()> {
        forward!(self.delete_image_with(node_image, options))
    }

    /// The key pairs, as they arrive.
    fn iterate_key_pairs_with(&self, options: Options) -> BoxStream<'static, Result<KeyPair>> {
        forward_stream!(self.iterate_key_pairs_with(options))
    }

    /// One key pair by its name.
    async fn get_key_pair_with(&self, name: &str, options: Options) -> Result<KeyPair> {
        forward!(self.get_key_pair_with(name, options))
    }

    /// Lets the provider make a key pair; the private key is in this answer alone.
    async fn create_key_pair_with(&self, name: &str, options: Options) -> Result<KeyPair> {
        forward!(self.create_key_pair_with(name, options))
    }

    /// Gives the provider a public key, as OpenSSH writes it.
    async fn import_key_pair_from_string_with(
        &self,
        name: &str,
        key_material: &str,
        options: Options,
    ) -> Result<KeyPair> {
        forward!(self.import_key_pair_from_string_with(name, key_material, options))
    }

    /// Deletes a key pair.
    async fn delete_key_pair_with(&self, key_pair: &KeyPair, options: Options) -> Result<()> {
        forward!(self.delete_key_pair_with(key_pair, options))
    }
}

calls_by_name! { dyn ComputeDriver, &[COMPUTE_METHODS, COMPUTE_EXT_METHODS] }
