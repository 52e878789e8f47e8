//! Disks: what the base API calls volumes.

use std::time::Duration;

use futures_util::TryStreamExt as _;
use libcloud_common::xmlrpc::Value;
use libcloud_common::{Error, Extra, ExtraFields, Options, Result, arguments, extensions, resource};
use libcloud_compute::{CreateVolume, Node, StorageVolume, StorageVolumeState};
use serde::{Deserialize, Serialize};

use super::{DESCRIPTOR, GandiDriver, datacenter};
use crate::connection::listing;
use crate::wire;

/// What only Gandi tells about a disk.
///
/// <http://doc.rpc.gandi.net/hosting/reference.html>
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct DiskExtra {
    /// Whether a snapshot can be made of it.
    pub can_snapshot: Option<bool>,
    /// Whether a node boots from it.
    pub is_boot_disk: Option<bool>,
    /// The data centre that it is in.
    pub datacenter_id: Option<i64>,
    /// The nodes that it is attached to.
    pub vms_id: Vec<i64>,
    /// The state in Gandi's own word.
    pub status: Option<String>,
}

impl ExtraFields for DiskExtra {}

/// A disk, as Gandi has it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Disk {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The size in MB.
    pub size: Option<u64>,
    /// The state in Gandi's own word.
    pub state: String,
    /// What only Gandi tells: see [`DiskExtra`].
    pub extra: Extra,
}

impl Disk {
    /// A disk of which only the id is known.
    pub fn from_id(id: impl Into<String>) -> Self {
        Self { id: id.into(), ..Self::default() }
    }
}

resource!(Disk, "disk");

/// Extension arguments of `detach_volume`.
#[arguments(drivers = ["gandi"])]
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct GandiDetachVolume {
    /// The id of the node that it is attached to; looked up without.
    pub ex_node: Option<String>,
}

#[extensions(DISKS)]
impl GandiDriver {
    /// All disks, with sizes in MB.
    /// <http://doc.rpc.gandi.net/hosting/reference.html>
    pub async fn ex_list_disks(&self) -> Result<Vec<Disk>> {
        listing(Ok(self.conn.method("hosting.disk.list")), None, |found| Ok(disk(found))).try_collect().await
    }

    /// Attaches a disk to a node.
    /// <http://doc.rpc.gandi.net/hosting/reference.html>
    pub async fn ex_node_attach_disk(&self, node: &Node, disk: &Disk) -> Result<()> {
        self.attach_disk(&node.id, &disk.id, None).await
    }

    /// Detaches a disk from a node.
    /// <http://doc.rpc.gandi.net/hosting/reference.html>
    pub async fn ex_node_detach_disk(&self, node: &Node, disk: &Disk) -> Result<()> {
        self.detach_disk(&node.id, &disk.id, None).await
    }

    /// Makes a snapshot of a disk: another disk with what it holds now, of this name or one that Gandi chooses.
    /// <http://doc.rpc.gandi.net/hosting/reference.html>
    pub async fn ex_snapshot_disk(&self, disk: &Disk, name: Option<String>) -> Result<()> {
        let mut params = vec![("type", Value::from("snapshot"))];
        params.extend(name.map(|name| ("name", name.into())));
        let method = self.conn.method("hosting.disk.create_from").param(Value::members(params));
        method.id(&disk.id)?.done().await.map(drop)
    }

    /// Changes the size in MB, which can only grow, or the name of a disk.
    /// <http://doc.rpc.gandi.net/hosting/reference.html>
    pub async fn ex_update_disk(
        &self,
        disk: &Disk,
        new_size: Option<i64>,
        new_name: Option<String>,
    ) -> Result<()> {
        let mut params = Vec::new();
        params.extend(new_size.map(|size| ("size", size.into())));
        params.extend(new_name.map(|name| ("name", name.into())));
        if params.is_empty() {
            return Err(Error::invalid_argument("ex_update_disk needs `new_size` or `new_name`")
                .with_resource("argument", "new_size"));
        }
        let method = self.conn.method("hosting.disk.update").id(&disk.id)?;
        method.param(Value::members(params)).done().await.map(drop)
    }
}

impl GandiDriver {
    pub(super) async fn create_disk(
        &self,
        size: u64,
        name: &str,
        options: CreateVolume,
    ) -> Result<StorageVolume> {
        options.ex.none("create_volume")?;
        let megabytes = i64::try_from(size).ok().and_then(|size| size.checked_mul(1024));
        let megabytes =
            megabytes.ok_or_else(|| Error::invalid_argument(format!("{size} GB is too large a disk")))?;
        let disk = Value::members([
            ("name", name.into()),
            ("size", megabytes.into()),
            ("datacenter_id", datacenter(options.location, "create_volume")?),
        ]);
        let (name, method) = match options.snapshot {
            None => ("hosting.disk.create", self.conn.method("hosting.disk.create").param(disk)),
            Some(snapshot) => {
                const FROM: &str = "hosting.disk.create_from";
                (FROM, self.conn.method(FROM).param(disk).id(&snapshot.id)?)
            }
        };
        let operation = method.timeout(options.timeout).done().await?;
        let id = operation.disk_id.ok_or_else(|| {
            Error::malformed("disk_id", "the operation does not tell it").in_operation(DESCRIPTOR.id, name)
        })?;
        let found = self.conn.method("hosting.disk.info").id(&id)?.timeout(options.timeout).read().await?;
        Ok(volume(found))
    }

    pub(super) async fn attach_disk(&self, node: &str, disk: &str, timeout: Option<Duration>) -> Result<()> {
        let method = self.conn.method("hosting.vm.disk_attach").id(node)?.id(disk)?;
        method.timeout(timeout).done().await.map(drop)
    }

    async fn detach_disk(&self, node: &str, disk: &str, timeout: Option<Duration>) -> Result<()> {
        let method = self.conn.method("hosting.vm.disk_detach").id(node)?.id(disk)?;
        method.timeout(timeout).done().await.map(drop)
    }

    pub(super) async fn detach_from_any(&self, volume: &StorageVolume, options: Options) -> Result<()> {
        let ex: GandiDetachVolume = options.ex.decode("detach_volume")?;
        if let Some(node) = ex.ex_node {
            return self.detach_disk(&node, &volume.id, options.timeout).await;
        }
        let info = self.conn.method("hosting.disk.info").id(&volume.id)?.timeout(options.timeout);
        let disk: wire::Disk = info.read().await?;
        match disk.vms_id.as_slice() {
            [] => Err(Error::new(libcloud_common::ErrorKind::InvalidState, "the volume is attached to no node")
                .with_resource("volume", &volume.id)
                .in_operation(DESCRIPTOR.id, "hosting.vm.disk_detach")),
            [node] => self.detach_disk(&node.to_string(), &volume.id, options.timeout).await,
            several => Err(Error::invalid_argument(format!(
                "the volume is attached to the nodes {several:?}: say by `ex_node` from which it is to be detached"
            ))
            .with_resource("argument", "ex_node")),
        }
    }
}

/// <http://doc.rpc.gandi.net/hosting/reference.html>
fn state(name: &str, is_attached: bool) -> StorageVolumeState {
    match name {
        "created" if is_attached => StorageVolumeState::InUse,
        "created" => StorageVolumeState::Available,
        "being_created" => StorageVolumeState::Creating,
        "being_migrated" => StorageVolumeState::Migrating,
        "deleted" => StorageVolumeState::Deleted,
        "invalid" => StorageVolumeState::Error,
        other => StorageVolumeState::Unknown(other.to_owned()),
    }
}

fn extra(found: &wire::Disk) -> Extra {
    Extra::of(DiskExtra {
        can_snapshot: found.can_snapshot,
        is_boot_disk: found.is_boot_disk,
        datacenter_id: found.datacenter_id,
        vms_id: found.vms_id.clone(),
        status: Some(found.state.clone()),
    })
}

pub(super) fn volume(found: wire::Disk) -> StorageVolume {
    let (state, extra) = (state(&found.state, !found.vms_id.is_empty()), extra(&found));
    let volume = StorageVolume::new(found.id, found.name, found.size.map(|megabytes| megabytes / 1024));
    volume.with_state(state).with_extra(extra)
}

fn disk(found: wire::Disk) -> Disk {
    let extra = extra(&found);
    Disk { id: found.id, name: found.name, size: found.size, state: found.state, extra }
}
