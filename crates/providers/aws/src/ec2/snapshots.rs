//! Snapshots of volumes, and disk images that become snapshots.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use libcloud_common::xml::Element;
use libcloud_common::{
    Error, ErrorKind, Ex, Extra, ExtraFields, Map, Poller, Progress, Result, Timestamp, Value, arguments,
    extensions, optional_arguments,
};
use libcloud_compute::{CreateVolumeSnapshot, StorageVolume, VolumeSnapshot, VolumeSnapshotState};
use serde::{Deserialize, Serialize};

use super::tags::with_name;
use super::{Ec2Driver, wire};

/// What only EC2 tells about a snapshot.
///
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Snapshot.html>
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct SnapshotExtra {
    /// The state in EC2's own word.
    pub state: Option<String>,
    /// The name, again.
    pub name: Option<String>,
    /// The volume whose content it holds.
    pub volume_id: Option<String>,
    /// The owner's words.
    pub description: Option<String>,
    /// How much of it is done: `80%`.
    pub progress: Option<String>,
    /// The account that owns it.
    pub owner_id: Option<String>,
    /// Whether its blocks are encrypted.
    pub encrypted: Option<bool>,
    /// When it was begun.
    pub start_time: Option<Timestamp>,
    /// Its tags; `Name` is the snapshot's name.
    pub tags: BTreeMap<String, String>,
}

impl ExtraFields for SnapshotExtra {}

/// Extension arguments of `create_volume_snapshot`.
#[arguments(drivers = ["ec2", "eucalyptus", "nimbus"])]
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Ec2CreateVolumeSnapshot {
    /// Tags. The snapshot's name becomes the tag `Name`.
    pub ex_metadata: BTreeMap<String, String>,
}

/// The import of a disk image.
///
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_SnapshotTaskDetail.html>
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ImportSnapshotTask {
    /// `active`, `completed`, `deleted` …
    pub status: Option<String>,
    /// What is being done, or why it failed.
    pub status_message: Option<String>,
    /// How much of it is done, in percent.
    pub progress: Option<String>,
    /// The snapshot, when it is completed.
    #[serde(rename = "snapshotId")]
    pub snapshot_id: Option<String>,
}

optional_arguments! {
    /// Arguments of `ex_import_snapshot`.
    ///
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ImportSnapshot.html>
    ImportSnapshot("ex_import_snapshot") {
        /// A sentence about it.
        description: String = "a sentence about it", description(&str) str::to_owned;
        /// Where the disk image is, under EC2's names: `{"Format": "VMDK", "UserBucket": {"S3Bucket": …, "S3Key": …}}`.
        disk_container: Value = "where the disk image is, under EC2's names", disk_container(Value) |value| value;
        /// Who uploaded it, and when, under EC2's names.
        client_data: Map<String, Value> = "who uploaded it, under EC2's names", client_data(&Map<String, Value>) Clone::clone;
        /// The token by which EC2 knows a repeated call; one is made up without.
        client_token: String = "the token by which a repeated call is known", client_token(&str) str::to_owned;
        /// The role that may read the bucket (`vmimport`).
        role_name: String = "the role that may read the bucket", role_name(&str) str::to_owned;
        /// Only ask whether it would be allowed.
        dry_run: bool = "only ask whether it would be allowed", dry_run(bool) |value| value;
    }
}

impl Ec2Driver {
    pub(super) async fn make_snapshot(
        &self,
        volume: &StorageVolume,
        options: CreateVolumeSnapshot,
    ) -> Result<VolumeSnapshot> {
        let ex: Ec2CreateVolumeSnapshot = options.ex.decode("create_volume_snapshot")?;
        let tags = with_name(ex.ex_metadata, options.name.as_deref());
        let action =
            self.conn.action("CreateSnapshot").param("VolumeId", &volume.id).opt("Description", options.name);
        self.make(action.timeout(options.timeout), "snapshot", &tags, snapshot).await
    }
}

#[extensions(SNAPSHOTS)]
impl Ec2Driver {
    /// The snapshots that the account may use: its own and those of others, whom `owner` chooses by account, `self` or
    /// `amazon`; with `snapshot` only this one.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeSnapshots.html>
    pub async fn ex_list_snapshots(
        &self,
        snapshot: Option<VolumeSnapshot>,
        owner: Option<String>,
    ) -> Result<Vec<VolumeSnapshot>> {
        // A page size and ids exclude each other.
        let page = self.page_size().filter(|_| snapshot.is_none());
        self.conn
            .action("DescribeSnapshots")
            .list("SnapshotId", snapshot.map(|snapshot| snapshot.id))
            .list("Owner", owner)
            .opt("MaxResults", page)
            .all(snapshots)
            .await
    }

    /// Changes who may use a snapshot, under EC2's names:
    /// `{"CreateVolumePermission.Add.1.UserId": "123456789012"}`.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifySnapshotAttribute.html>
    pub async fn ex_modify_snapshot_attribute(
        &self,
        snapshot: &VolumeSnapshot,
        attributes: &Map<String, Value>,
    ) -> Result<()> {
        self.conn
            .action("ModifySnapshotAttribute")
            .fields(attributes)
            .param("SnapshotId", &snapshot.id)
            .done()
            .await
    }

    /// Makes a snapshot of a disk image in a bucket and waits until it is there, for up to half an hour.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ImportSnapshot.html>
    ///
    /// # Errors
    /// `Provider` if the import failed; the message is EC2's.
    pub async fn ex_import_snapshot(&self, options: ImportSnapshot) -> Result<VolumeSnapshot> {
        options.ex.none("ex_import_snapshot")?;
        // The original takes a list of one.
        let disk = match options.disk_container.unwrap_or_default() {
            Value::Array(disks) => disks.into_iter().next().unwrap_or_default(),
            disk => disk,
        };
        let action = self
            .conn
            .action("ImportSnapshot")
            .nested("ClientData", &options.client_data.unwrap_or_default().into())
            .opt("Description", options.description)
            .nested("DiskContainer", &disk)
            .opt("DryRun", options.dry_run)
            .opt("RoleName", options.role_name)
            .timeout(options.timeout);
        let action = self.with_token(action, options.client_token)?;
        let task_id = action.read(|root| root.need_text("importTaskId")).await?;
        let poller = Poller::new(Arc::clone(self.conn.http().clock()), format!("import {task_id}"))
            .interval(Duration::from_secs(15), Duration::from_secs(15))
            .timeout(Duration::from_secs(1800));
        let snapshot_id = poller
            .run(async |_| {
                let task = self.ex_describe_import_snapshot_tasks(&task_id, None).await?;
                Ok(match (task.status.as_deref(), task.snapshot_id) {
                    (Some("completed"), Some(snapshot_id)) => Progress::Done(snapshot_id),
                    (Some("deleted" | "deleting"), _) => Progress::Failed(
                        Error::new(
                            ErrorKind::Provider,
                            task.status_message.unwrap_or_else(|| "the import failed".to_owned()),
                        )
                        .with_resource("import", &task_id)
                        .in_operation(self.dialect.descriptor.id, "ImportSnapshot"),
                    ),
                    _ => Progress::Pending(None),
                })
            })
            .await?;
        Ok(VolumeSnapshot::from_id(snapshot_id))
    }

    /// How far an import is.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeImportSnapshotTasks.html>
    pub async fn ex_describe_import_snapshot_tasks(
        &self,
        import_task_id: &str,
        dry_run: Option<bool>,
    ) -> Result<ImportSnapshotTask> {
        self.conn
            .action("DescribeImportSnapshotTasks")
            .list("ImportTaskId", [import_task_id])
            .opt("DryRun", dry_run)
            .read(|root| {
                let detail = root.need_path("importSnapshotTaskSet/item/snapshotTaskDetail")?;
                Ok(ImportSnapshotTask {
                    status: detail.opt_text("status"),
                    status_message: detail.opt_text("statusMessage"),
                    progress: detail.opt_text("progress"),
                    snapshot_id: detail.opt_text("snapshotId"),
                })
            })
            .await
    }
}

/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Snapshot.html>
fn state(name: &str) -> VolumeSnapshotState {
    match name {
        "completed" => VolumeSnapshotState::Available,
        "pending" => VolumeSnapshotState::Creating,
        "error" => VolumeSnapshotState::Error,
        other => VolumeSnapshotState::Unknown(other.to_owned()),
    }
}

/// The answer of `DescribeSnapshots`.
pub(super) fn snapshots(root: Element<'_, '_>) -> Result<Vec<VolumeSnapshot>> {
    wire::items(root, "snapshotSet", snapshot)
}

fn snapshot(item: Element<'_, '_>) -> Result<VolumeSnapshot> {
    let id = item.need_text("snapshotId")?;
    let status = item.opt_text("status");
    let tags = wire::tags(item)?;
    let mut snapshot = VolumeSnapshot::new(&id, item.parse("volumeSize")?);
    snapshot.name = Some(wire::name(&tags, &id));
    snapshot.created = item.parse("startTime")?;
    snapshot.state = state(status.as_deref().unwrap_or_default());
    snapshot.extra = Extra::of(SnapshotExtra {
        state: status,
        name: snapshot.name.clone(),
        volume_id: item.opt_text("volumeId"),
        description: item.opt_text("description"),
        progress: item.opt_text("progress"),
        owner_id: item.opt_text("ownerId"),
        encrypted: item.bool("encrypted")?,
        start_time: snapshot.created,
        tags,
    });
    Ok(snapshot)
}
