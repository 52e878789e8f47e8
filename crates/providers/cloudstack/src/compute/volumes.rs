//! Volumes, and the offerings that they are made of.

use futures_util::TryStreamExt as _;
use libcloud_common::{Error, Extra, ExtraFields, Options, Result, arguments, extensions};
use libcloud_compute::{CreateVolume, StorageVolume, StorageVolumeState};
use serde::{Deserialize, Serialize};

use super::CloudStackDriver;
use crate::connection::listing;
use crate::wire;

/// What only CloudStack tells about a volume.
///
/// <https://cloudstack.apache.org/api/apidocs-4.20/apis/listVolumes.html>
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct VolumeExtra {
    /// Its name.
    pub name: Option<String>,
    /// When it was made, as CloudStack writes it.
    pub created: Option<String>,
    /// The number of the device that it is to its node.
    pub device_id: Option<u64>,
    /// The node that it is attached to.
    pub instance_id: Option<String>,
    /// The size of the node whose root disk it is.
    pub serviceoffering_id: Option<String>,
    /// The state in CloudStack's own word.
    pub state: Option<String>,
    /// `ROOT` or `DATADISK`.
    pub volume_type: Option<String>,
    /// The zone's id.
    pub zone_id: Option<String>,
    /// The zone's name.
    pub zone_name: Option<String>,
}

impl ExtraFields for VolumeExtra {}

/// What a volume can be made of.
///
/// <https://cloudstack.apache.org/api/apidocs-4.20/apis/listDiskOfferings.html>
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct DiskOffering {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The size in GB; 0 where any can be chosen.
    pub size: u64,
    /// Whether any size can be chosen.
    pub customizable: bool,
}

/// Extension arguments of `list_volumes`.
#[arguments(drivers = ["cloudstack"])]
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct CloudStackListVolumes {
    /// Only the volumes of this node, by its id.
    pub ex_node: Option<String>,
}

/// Extension arguments of `create_volume`.
#[arguments(drivers = ["cloudstack"])]
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct CloudStackCreateVolume {
    /// The name of the disk offering.
    pub ex_volume_type: Option<String>,
}

#[extensions(VOLUMES)]
impl CloudStackDriver {
    /// What volumes can be made of.
    /// <https://cloudstack.apache.org/api/apidocs-4.20/apis/listDiskOfferings.html>
    pub async fn ex_list_disk_offerings(&self) -> Result<Vec<DiskOffering>> {
        self.disk_offerings(Options::new()).await
    }
}

impl CloudStackDriver {
    async fn disk_offerings(&self, options: Options) -> Result<Vec<DiskOffering>> {
        let command = self.conn.command("listDiskOfferings").timeout(options.timeout);
        listing(Ok(command), "diskoffering", |found| Ok(disk_offering(found))).try_collect().await
    }

    pub(super) async fn make_volume(
        &self,
        size: u64,
        name: &str,
        options: CreateVolume,
    ) -> Result<StorageVolume> {
        let ex: CloudStackCreateVolume = options.ex.decode("create_volume")?;
        let mut plain = Options::new();
        plain.timeout = options.timeout;
        let offerings = self.disk_offerings(plain.clone()).await?;
        let offering = chosen(offerings, size, ex.ex_volume_type.as_deref())?;
        let zone = self.zone(options.location, plain).await?;
        let made: wire::VolumeResult = self
            .conn
            .command("createVolume")
            .param("name", name)
            .param("diskofferingid", offering.id)
            .param("zoneid", zone)
            .opt("size", offering.customizable.then_some(size))
            .opt("snapshotid", options.snapshot.map(|snapshot| snapshot.id))
            .timeout(options.timeout)
            .job()
            .await?;
        Ok(volume(made.volume))
    }
}

/// The offering of this name; else the one of this size, else the first that takes any.
fn chosen(offerings: Vec<DiskOffering>, size: u64, name: Option<&str>) -> Result<DiskOffering> {
    let fits = |offering: &&DiskOffering| offering.customizable || offering.size == size;
    let mut candidates =
        offerings.iter().filter(|offering| name.is_none_or(|name| offering.name == name)).filter(fits);
    let exact = candidates.clone().find(|offering| !offering.customizable);
    exact.or_else(|| candidates.next()).cloned().ok_or_else(|| {
        let named = name.map(|name| format!(" of the name `{name}`")).unwrap_or_default();
        let all: Vec<String> = offerings
            .iter()
            .map(|offering| {
                if offering.customizable {
                    format!("`{}` (any size)", offering.name)
                } else {
                    format!("`{}` ({} GB)", offering.name, offering.size)
                }
            })
            .collect();
        Error::invalid_argument(format!(
            "there is no disk offering{named} for {size} GB; there are {}",
            if all.is_empty() { "none".to_owned() } else { all.join(", ") }
        ))
        .with_resource("argument", "size")
    })
}

/// CloudStack numbers devices.
pub(super) fn device_number(device: &str) -> Result<u32> {
    device.parse().map_err(|_| {
        Error::invalid_argument(format!("CloudStack numbers devices (1, 2, 4 …): `{device}` is no number"))
            .with_resource("argument", "device")
    })
}

/// `Volume.State` in CloudStack's source.
fn state(name: &str, is_attached: bool) -> StorageVolumeState {
    match name {
        "Ready" if is_attached => StorageVolumeState::InUse,
        "Ready" | "Allocated" | "Uploaded" => StorageVolumeState::Available,
        "Creating" | "UploadOp" | "UploadInProgress" => StorageVolumeState::Creating,
        "Attaching" => StorageVolumeState::Attaching,
        "Destroying" | "Expunging" => StorageVolumeState::Deleting,
        "Destroy" | "Expunged" => StorageVolumeState::Deleted,
        "Snapshotting" | "RevertSnapshotting" => StorageVolumeState::Backup,
        "Migrating" | "Copying" => StorageVolumeState::Migrating,
        "Resizing" => StorageVolumeState::Updating,
        "UploadError" | "UploadAbandoned" => StorageVolumeState::Error,
        other => StorageVolumeState::Unknown(other.to_owned()),
    }
}

pub(super) fn volume(found: wire::Volume) -> StorageVolume {
    let state = state(&found.state, found.virtualmachineid.is_some());
    let mut volume =
        StorageVolume::new(found.id, &found.name, found.size.map(|bytes| bytes >> 30)).with_state(state);
    volume.extra = Extra::of(VolumeExtra {
        name: Some(found.name),
        created: found.created,
        device_id: found.deviceid,
        instance_id: found.virtualmachineid,
        serviceoffering_id: found.serviceofferingid,
        state: Some(found.state),
        volume_type: found.volume_type,
        zone_id: found.zoneid,
        zone_name: found.zonename,
    });
    volume
}

fn disk_offering(found: wire::DiskOffering) -> DiskOffering {
    DiskOffering { id: found.id, name: found.name, size: found.disksize, customizable: found.iscustomized }
}
