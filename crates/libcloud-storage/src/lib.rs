//! Object storage and CDN of any cloud: containers, objects, the driver trait and transfers by path.
//!
//! Resources ([`Container`], [`Object`]) are plain data. A [`StorageDriver`] is what a provider can do, shared as
//! `Arc<dyn StorageDriver>`; [`StorageDriverExt`] is what follows from it. Content is streamed both ways
//! ([`UploadBody`], [`ObjectStream`]): memory does not grow with the size of an object.
//!
//! ```
//! use std::path::Path;
//! use std::sync::Arc;
//! use libcloud_storage::{DownloadObject, StorageDriver, StorageDriverExt, UploadObject};
//! # use libcloud_common::Result;
//!
//! async fn backup(driver: Arc<dyn StorageDriver>) -> Result<()> {
//!     let container = driver.container(driver.create_container("backups").await?);
//!     let object = container.upload_object("site.tar.gz", "2013/site.tar.gz", UploadObject::new()).await?;
//!     driver.download_object(&object, Path::new("/tmp")).await?;
//!     driver.object(object).delete().await?;
//!     container.delete().await
//! }
//! ```

mod body;
mod buffers;
mod by_name;
mod driver;
mod entries;
mod ext;
mod file;
mod handles;
mod hash;
mod journal;
mod options;
pub mod parts;
mod resources;
pub mod rest;
mod stream;
mod transfer;

pub use body::{Gathered, PassingHash, UploadBody};
pub use driver::{STORAGE_METHODS, StorageDriver};
pub use entries::{Entry, ListEntries};
pub use ext::{STORAGE_EXT_METHODS, StorageDriverExt};
pub use handles::{ContainerHandle, ObjectHandle};
pub use hash::{Digest, HashType, Hasher};
pub use journal::{JournalPage, UploadJournal};
pub use options::{
    ByteRange, DownloadObject, GetObjectCdnUrl, ListObjects, StreamObject, UploadObject, check_version,
    guess_content_type,
};
pub use resources::{Container, Object};
pub use stream::{ObjectStream, TransferProgress};
