//! Volumes (EBS) and the changes that are made to them.

use std::collections::BTreeMap;

use libcloud_common::xml::Element;
use libcloud_common::{
    Error, Extra, ExtraFields, Map, Options, Result, Timestamp, Value, arguments, extensions,
};
use libcloud_compute::{
    AttachVolume, ComputeDriverExt as _, CreateVolume, Node, StorageVolume, StorageVolumeState,
};
use serde::{Deserialize, Serialize};

use super::tags::with_name;
use super::{Ec2Driver, Filters, NodeExtra, wire};
use crate::connection::Action;

/// What only EC2 tells about a volume.
///
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Volume.html>
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct VolumeExtra {
    /// The state in EC2's own word.
    pub state: Option<String>,
    /// The zone, in which its node must be.
    pub zone: Option<String>,
    /// The snapshot it began with.
    pub snapshot_id: Option<String>,
    /// `gp3`, `io2`, `st1` …
    pub volume_type: Option<String>,
    /// Operations in a second.
    pub iops: Option<u64>,
    /// MiB in a second.
    pub throughput: Option<u64>,
    /// Whether its blocks are encrypted.
    pub encrypted: Option<bool>,
    /// The key that encrypts it.
    pub kms_key_id: Option<String>,
    /// When it was made.
    #[serde(rename = "create-time")]
    pub create_time: Option<Timestamp>,
    /// The node that it is attached to; the first, where there are several.
    pub instance_id: Option<String>,
    /// What that node calls it.
    pub device: Option<String>,
    /// `attaching`, `attached`, `detaching` …
    pub attachment_status: Option<String>,
    /// When it was attached.
    pub attach_time: Option<Timestamp>,
    /// Whether it is destroyed with the node.
    pub delete: Option<bool>,
    /// Its tags; `Name` is the volume's name.
    pub tags: BTreeMap<String, String>,
}

impl ExtraFields for VolumeExtra {}

/// Extension arguments of `list_volumes`.
#[arguments(drivers = ["ec2", "eucalyptus", "nimbus"])]
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Ec2ListVolumes {
    /// Only the volumes of this node, by its id.
    pub ex_node: Option<String>,
    /// Only the volumes that all of these filters let through:
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeVolumes.html>
    pub ex_filters: Filters,
}

/// Extension arguments of `create_volume`.
///
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateVolume.html>
#[arguments(drivers = ["ec2", "eucalyptus", "nimbus"])]
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Ec2CreateVolume {
    /// `gp3`, `io2`, `st1` …; what the account has as its default without.
    pub ex_volume_type: Option<String>,
    /// Operations in a second, for the types that sell them.
    pub ex_iops: Option<u64>,
    /// MiB in a second, of `gp3`.
    pub ex_throughput: Option<u64>,
    /// Encrypt its blocks.
    pub ex_encrypted: Option<bool>,
    /// The key to encrypt them with; the account's default without.
    pub ex_kms_key_id: Option<String>,
    /// Tags. The volume's name becomes the tag `Name`.
    pub ex_metadata: BTreeMap<String, String>,
}

/// Extension arguments of `detach_volume`.
#[arguments(drivers = ["ec2", "eucalyptus", "nimbus"])]
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Ec2DetachVolume {
    /// Do not wait for the node to let it go, which may cost data.
    pub ex_force: bool,
    /// From this node, by its id: for a volume that several nodes have.
    pub ex_node: Option<String>,
}

/// A change of a volume's size, type or speed, which goes on while it is in use.
///
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_VolumeModification.html>
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct VolumeModification {
    /// The volume.
    pub volume_id: String,
    /// `modifying`, `optimizing`, `completed` or `failed`.
    pub modification_state: Option<String>,
    /// How much of it is done, in percent.
    pub progress: Option<u64>,
    /// Why it failed.
    pub status_message: Option<String>,
    /// When it began.
    pub start_time: Option<Timestamp>,
    /// When it ended.
    pub end_time: Option<Timestamp>,
    /// The size before, in GiB.
    pub original_size: Option<u64>,
    /// The operations in a second before.
    pub original_iops: Option<u64>,
    /// The type before.
    pub original_volume_type: Option<String>,
    /// The size to come, in GiB.
    pub target_size: Option<u64>,
    /// The operations in a second to come.
    pub target_iops: Option<u64>,
    /// The type to come.
    pub target_volume_type: Option<String>,
}

impl Ec2Driver {
    pub(super) fn describe_volumes(&self, options: Options) -> Result<Action> {
        let ex: Ec2ListVolumes = options.ex.decode("list_volumes")?;
        let action = self.conn.action("DescribeVolumes").filters(ex.ex_filters.0);
        let action = match ex.ex_node {
            Some(node_id) => action.filter("attachment.instance-id", [node_id]),
            None => action,
        };
        Ok(action.opt("MaxResults", self.page_size()).timeout(options.timeout))
    }

    pub(super) async fn make_volume(
        &self,
        size: u64,
        name: &str,
        options: CreateVolume,
    ) -> Result<StorageVolume> {
        let ex: Ec2CreateVolume = options.ex.decode("create_volume")?;
        let tags = with_name(ex.ex_metadata, Some(name));
        let zone = match options.location {
            Some(location) => location.id,
            None => self.any_zone().await?,
        };
        let action = self
            .conn
            .action("CreateVolume")
            .param("Size", size)
            .param("AvailabilityZone", zone)
            .opt("SnapshotId", options.snapshot.map(|snapshot| snapshot.id))
            .opt("VolumeType", ex.ex_volume_type)
            .opt("Iops", ex.ex_iops)
            .opt("Throughput", ex.ex_throughput)
            .opt("Encrypted", ex.ex_encrypted)
            .opt("KmsKeyId", ex.ex_kms_key_id)
            .timeout(options.timeout);
        self.make(self.with_token(action, None)?, "volume", &tags, volume).await
    }

    pub(super) async fn attach(
        &self,
        node: &Node,
        volume: &StorageVolume,
        options: AttachVolume,
    ) -> Result<()> {
        options.ex.none("attach_volume")?;
        let device = match options.device {
            Some(device) => device,
            None => self.free_device(node).await?,
        };
        self.conn
            .action("AttachVolume")
            .param("VolumeId", &volume.id)
            .param("InstanceId", &node.id)
            .param("Device", device)
            .timeout(options.timeout)
            .read(|_| Ok(()))
            .await
    }

    /// The first name of those that EC2 recommends for data which no volume of the node has.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/device_naming.html>
    async fn free_device(&self, node: &Node) -> Result<String> {
        let node = self.get_node(&node.id).await?;
        let extra: NodeExtra = node.extra_as()?;
        let is_free =
            |device: &String| !extra.block_device_mapping.iter().any(|taken| taken.device_name == *device);
        ('f'..='p').map(|letter| format!("/dev/sd{letter}")).find(is_free).ok_or_else(|| {
            Error::invalid_argument(format!(
                "the node {} has a volume at each of /dev/sdf to /dev/sdp: give another `device`",
                node.id
            ))
            .with_resource("argument", "device")
        })
    }

    pub(super) async fn detach(&self, volume: &StorageVolume, options: Options) -> Result<()> {
        let ex: Ec2DetachVolume = options.ex.decode("detach_volume")?;
        self.conn
            .action("DetachVolume")
            .param("VolumeId", &volume.id)
            .opt("InstanceId", ex.ex_node)
            .opt("Force", ex.ex_force.then_some(true))
            .timeout(options.timeout)
            .read(|_| Ok(()))
            .await
    }
}

#[extensions(VOLUMES)]
impl Ec2Driver {
    /// Changes size, type or speed of a volume, under EC2's names: `{"Size": 20, "VolumeType": "gp3"}`.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyVolume.html>
    pub async fn ex_modify_volume(
        &self,
        volume: &StorageVolume,
        parameters: &Map<String, Value>,
    ) -> Result<VolumeModification> {
        self.conn
            .action("ModifyVolume")
            .fields(parameters)
            .param("VolumeId", &volume.id)
            .read(|root| modification(root.need("volumeModification")?))
            .await
    }

    /// The changes that were made to volumes, or to these.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeVolumesModifications.html>
    pub async fn ex_describe_volumes_modifications(
        &self,
        volume_ids: Option<Vec<String>>,
        filters: Option<Filters>,
    ) -> Result<Vec<VolumeModification>> {
        self.conn
            .action("DescribeVolumesModifications")
            .list("VolumeId", volume_ids.unwrap_or_default())
            .filters(filters.unwrap_or_default().0)
            .all(|root| wire::items(root, "volumeModificationSet", modification))
            .await
    }
}

/// <https://docs.aws.amazon.com/ebs/latest/userguide/ebs-describing-volumes.html>
fn state(name: &str) -> StorageVolumeState {
    match name {
        "available" => StorageVolumeState::Available,
        "in-use" => StorageVolumeState::InUse,
        "creating" => StorageVolumeState::Creating,
        "deleting" => StorageVolumeState::Deleting,
        "deleted" => StorageVolumeState::Deleted,
        "error" => StorageVolumeState::Error,
        other => StorageVolumeState::Unknown(other.to_owned()),
    }
}

pub(super) fn volumes(root: Element<'_, '_>) -> Result<Vec<StorageVolume>> {
    wire::items(root, "volumeSet", volume)
}

fn volume(item: Element<'_, '_>) -> Result<StorageVolume> {
    let id = item.need_text("volumeId")?;
    let status = item.opt_text("status");
    let tags = wire::tags(item)?;
    let attachment = item.path("attachmentSet/item");
    let attached = |name: &str| attachment.and_then(|attachment| attachment.opt_text(name));
    let volume = StorageVolume::new(&id, wire::name(&tags, &id), item.parse("size")?)
        .with_state(state(status.as_deref().unwrap_or_default()));
    Ok(volume.with_extra(Extra::of(VolumeExtra {
        state: status,
        zone: item.opt_text("availabilityZone"),
        snapshot_id: item.opt_text("snapshotId"),
        volume_type: item.opt_text("volumeType"),
        iops: item.parse("iops")?,
        throughput: item.parse("throughput")?,
        encrypted: item.bool("encrypted")?,
        kms_key_id: item.opt_text("kmsKeyId"),
        create_time: item.parse("createTime")?,
        instance_id: attached("instanceId"),
        device: attached("device"),
        attachment_status: attached("status"),
        attach_time: attachment.map(|attachment| attachment.parse("attachTime")).transpose()?.flatten(),
        delete: attachment.map(|attachment| attachment.bool("deleteOnTermination")).transpose()?.flatten(),
        tags,
    })))
}

fn modification(item: Element<'_, '_>) -> Result<VolumeModification> {
    Ok(VolumeModification {
        volume_id: item.need_text("volumeId")?,
        modification_state: item.opt_text("modificationState"),
        progress: item.parse("progress")?,
        status_message: item.opt_text("statusMessage"),
        start_time: item.parse("startTime")?,
        end_time: item.parse("endTime")?,
        original_size: item.parse("originalSize")?,
        original_iops: item.parse("originalIops")?,
        original_volume_type: item.opt_text("originalVolumeType"),
        target_size: item.parse("targetSize")?,
        target_iops: item.parse("targetIops")?,
        target_volume_type: item.opt_text("targetVolumeType"),
    })
}
