//! Resources with their driver: `node.reboot()` in place of `driver.reboot_node(&node)`.

use libcloud_common::{Result, handle};

use crate::driver::ComputeDriver;
use crate::ext::ComputeDriverExt as _;
use crate::options::{AttachVolume, WaitUntilRunning};
use crate::resources::{KeyPair, Node, NodeImage, StorageVolume, VolumeSnapshot, uuid};

handle! {
    /// A node with its driver.
    NodeHandle(Node), dyn ComputeDriver, node
}
handle! {
    /// A volume with its driver.
    StorageVolumeHandle(StorageVolume), dyn ComputeDriver, volume
}
handle! {
    /// A snapshot with its driver.
    VolumeSnapshotHandle(VolumeSnapshot), dyn ComputeDriver, snapshot
}
handle! {
    /// An image with its driver.
    NodeImageHandle(NodeImage), dyn ComputeDriver, image
}
handle! {
    /// A key pair with its driver.
    KeyPairHandle(KeyPair), dyn ComputeDriver, key_pair
}

impl NodeHandle {
    /// The seed's uuid: the same for the same node of the same driver, everywhere and always.
    pub fn uuid(&self) -> String {
        uuid(&self.id, self.driver.descriptor().type_)
    }

    /// Reboots it.
    pub async fn reboot(&self) -> Result<()> {
        self.driver.reboot_node(self).await
    }

    /// Starts it, if it is stopped.
    pub async fn start(&self) -> Result<()> {
        self.driver.start_node(self).await
    }

    /// Stops it; it can be started again.
    pub async fn stop(&self) -> Result<()> {
        self.driver.stop_node(self).await
    }

    /// The same under the seed's name.
    pub async fn stop_node(&self) -> Result<()> {
        self.driver.stop_node(self).await
    }

    /// Destroys it and what is on it, for good.
    pub async fn destroy(&self) -> Result<()> {
        self.driver.destroy_node(self).await
    }

    /// Asks the provider for it anew.
    pub async fn refresh(&mut self) -> Result<()> {
        self.resource = self.driver.get_node(&self.resource.id).await?;
        Ok(())
    }

    /// Waits until it runs and takes over what the provider then says; gives its addresses.
    pub async fn wait_until_running(&mut self, options: WaitUntilRunning) -> Result<Vec<String>> {
        let ready = self.driver.wait_until_running(std::slice::from_ref(&self.resource), options).await?;
        Ok(ready.into_iter().next().map_or_else(Vec::new, |(node, addresses)| {
            self.resource = node;
            addresses
        }))
    }
}

impl StorageVolumeHandle {
    /// The seed's uuid.
    pub fn uuid(&self) -> String {
        uuid(&self.id, self.driver.descriptor().type_)
    }

    /// Attaches it to a node, under this name or one that the provider chooses.
    pub async fn attach(&self, node: &Node, device: Option<&str>) -> Result<()> {
        let options = device.map_or_else(AttachVolume::new, |device| AttachVolume::new().device(device));
        self.driver.attach_volume_with(node, self, options).await
    }

    /// Detaches it.
    pub async fn detach(&self) -> Result<()> {
        self.driver.detach_volume(self).await
    }

    /// Its snapshots.
    pub async fn list_snapshots(&self) -> Result<Vec<VolumeSnapshot>> {
        self.driver.list_volume_snapshots(self).await
    }

    /// Makes a snapshot of it.
    pub async fn snapshot(&self, name: &str) -> Result<VolumeSnapshot> {
        self.driver.create_volume_snapshot(self, name).await
    }

    /// Destroys it and what is on it, for good.
    pub async fn destroy(&self) -> Result<()> {
        self.driver.destroy_volume(self).await
    }
}

impl VolumeSnapshotHandle {
    /// Destroys it.
    pub async fn destroy(&self) -> Result<()> {
        self.driver.destroy_volume_snapshot(self).await
    }
}

impl NodeImageHandle {
    /// The seed's uuid.
    pub fn uuid(&self) -> String {
        uuid(&self.id, self.driver.descriptor().type_)
    }

    /// Deletes it.
    pub async fn delete(&self) -> Result<()> {
        self.driver.delete_image(self).await
    }
}

impl KeyPairHandle {
    /// Deletes it.
    pub async fn delete(&self) -> Result<()> {
        self.driver.delete_key_pair(self).await
    }
}
