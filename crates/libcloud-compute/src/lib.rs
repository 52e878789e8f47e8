//! Servers and block storage of any cloud.
//!
//! Resources ([`Node`], [`NodeSize`], [`StorageVolume`] …) are plain data. A [`ComputeDriver`] is what a provider can
//! do, shared as `Arc<dyn ComputeDriver>`; [`ComputeDriverExt`] is what follows from it.
//!
//! ```
//! use std::sync::Arc;
//! use libcloud_compute::{ComputeDriver, ComputeDriverExt, CreateNode, WaitUntilRunning};
//! # use libcloud_common::Result;
//!
//! async fn web_server(driver: Arc<dyn ComputeDriver>) -> Result<Vec<String>> {
//!     let sizes = driver.list_sizes().await?;
//!     let images = driver.list_images().await?;
//!     let (Some(size), Some(image)) = (sizes.first(), images.first()) else { return Ok(vec![]) };
//!     let node = driver.create_node(CreateNode::new("web", size, image)).await?;
//!     let mut node = driver.node(node);
//!     node.wait_until_running(WaitUntilRunning::new()).await
//! }
//! ```

mod auth;
mod driver;
mod ext;
mod fingerprint;
mod handles;
mod options;
mod resources;
mod types;
mod wait;

pub use auth::{NodeAuth, NodeAuthPassword, NodeAuthSSHKey};
pub use driver::{COMPUTE_METHODS, ComputeDriver};
pub use ext::{COMPUTE_EXT_METHODS, ComputeDriverExt};
pub use fingerprint::{md5_fingerprint, sha256_fingerprint};
pub use handles::{KeyPairHandle, NodeHandle, NodeImageHandle, StorageVolumeHandle, VolumeSnapshotHandle};
pub use options::{
    AttachVolume, CreateImage, CreateNode, CreateVolume, CreateVolumeSnapshot, ListImages, ListSizes,
    SshInterface, WaitUntilRunning,
};
pub use resources::{
    KeyPair, Node, NodeImage, NodeImageMember, NodeLocation, NodeSize, StorageVolume, VolumeSnapshot, uuid,
};
pub use types::{Architecture, NodeImageMemberState, NodeState, StorageVolumeState, VolumeSnapshotState};
