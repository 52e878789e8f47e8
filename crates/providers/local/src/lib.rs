//! Object storage in a folder of this machine: no account, no network, the same API.
//!
//! The configuration's `key` is the base folder, which must be there. Its sub-folders are the containers; the files
//! in them, at any depth, are the objects, with slashes in their names. What other programs put there is seen too.
//!
//! ```
//! use std::sync::Arc;
//! use libcloud_common::Config;
//! use libcloud_local::LocalStorageDriver;
//! use libcloud_storage::{ListObjects, StorageDriver, StorageDriverExt as _, UploadObject};
//!
//! # let folder = tempfile::tempdir().unwrap();
//! # let base = folder.path().to_str().unwrap();
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! let driver: Arc<dyn StorageDriver> = Arc::new(LocalStorageDriver::new(Config::with_key(base))?);
//! let container = driver.container(driver.create_container("photos").await?);
//! container.upload_object_via_stream("meow", "2013/cat.txt", UploadObject::new()).await?;
//! assert_eq!(container.list_objects(ListObjects::new()).await?[0].name, "2013/cat.txt");
//! # Ok::<(), libcloud_common::Error>(()) }).unwrap();
//! ```
//!
//! # What holds, whatever runs beside it
//!
//! Any number of tasks and processes may use one folder. An upload is written aside, in `.libcloud/tmp` under the base
//! folder, and renamed into place in one step: a reader sees one whole version, and a process that dies leaves
//! nothing in sight. Objects therefore need no locks; only the files aside are locked by their writers, so that
//! what a dead process has left is told from what a living one still writes, and swept up at the next upload.
//! Nothing is synced to the disk: after a power failure, the newest objects may be missing.
//!
//! # What it does not do
//!
//! - Symbolic links below the base folder are neither listed nor followed, so that no name leads out of it.
//! - A folder keeps no metadata, access lists, headers or MIME types: an upload that asks for them is refused. The type
//!   of an object is guessed from its name.
//! - [`Object::hash`](libcloud_storage::Object::hash) is not set, since a listing would have to read every file; the
//!   entity tag changes with each version.
//! - Files whose names are not UTF-8 are not listed.

mod driver;
mod folder;
mod names;
mod walk;

use std::sync::Arc;

use libcloud_common::{Descriptor, Registration};
use libcloud_storage::StorageDriver;

pub use driver::LocalStorageDriver;
pub use folder::FileTimes;

const DESCRIPTOR: Descriptor =
    Descriptor::new("local", "Local Storage", "https://github.com/libcloud/libcloud");

/// The driver, for the registry.
pub fn storage() -> Registration<dyn StorageDriver> {
    Registration::new(DESCRIPTOR, driver::capabilities, |config| {
        LocalStorageDriver::new(config).map(|driver| Arc::new(driver) as Arc<dyn StorageDriver>)
    })
}
