//! The states and kinds of compute resources.

use libcloud_common::open_enum;

open_enum! {
    /// What a node is doing.
    ///
    /// A stopped node can be started again, a terminated one cannot.
    pub enum NodeState {
        /// It runs.
        Running = "running",
        /// It is being started.
        Starting = "starting",
        /// It is being rebooted.
        Rebooting = "rebooting",
        /// It is gone for good.
        Terminated = "terminated",
        /// It is being made.
        Pending = "pending",
        /// It is being stopped.
        Stopping = "stopping",
        /// It is off and can be started.
        Stopped = "stopped",
        /// Its memory is saved and it does not run.
        Suspended = "suspended",
        /// Something went wrong at the provider.
        Error = "error",
        /// It is held, in memory.
        Paused = "paused",
        /// Its size or configuration is being changed.
        Reconfiguring = "reconfiguring",
        /// It is being moved to another host.
        Migrating = "migrating",
        /// It is well; some providers say no more.
        Normal = "normal",
        /// It is being updated.
        Updating = "updating",
    }
    else "unknown"
}

open_enum! {
    /// What a volume is doing.
    pub enum StorageVolumeState {
        /// It can be attached.
        Available = "available",
        /// Something went wrong at the provider.
        Error = "error",
        /// It is attached.
        InUse = "inuse",
        /// It is being made.
        Creating = "creating",
        /// It is being destroyed.
        Deleting = "deleting",
        /// It is gone.
        Deleted = "deleted",
        /// A backup is being made of it.
        Backup = "backup",
        /// It is being attached.
        Attaching = "attaching",
        /// It is being moved.
        Migrating = "migrating",
        /// It is being changed.
        Updating = "updating",
    }
    else "unknown"
}

open_enum! {
    /// What a snapshot is doing.
    pub enum VolumeSnapshotState {
        /// A volume can be made of it.
        Available = "available",
        /// Something went wrong at the provider.
        Error = "error",
        /// It is being made.
        Creating = "creating",
        /// It is being destroyed.
        Deleting = "deleting",
        /// A volume is being made of it.
        Restoring = "restoring",
        /// It is being changed.
        Updating = "updating",
    }
    else "unknown"
}

open_enum! {
    /// Whether an account that an image is shared with has taken it.
    pub enum NodeImageMemberState {
        /// It has.
        Accepted = "accepted",
        /// It has not answered.
        Pending = "pending",
        /// It has not, and does not want to.
        Rejected = "rejected",
    }
    else "unknown"
}

open_enum! {
    /// The architecture of an image.
    pub enum Architecture {
        /// 32-bit x86.
        I386 = "i386",
        /// 64-bit x86.
        X86_64 = "x86_64",
        /// 64-bit ARM.
        Arm64 = "arm64",
    }
    else word
}
