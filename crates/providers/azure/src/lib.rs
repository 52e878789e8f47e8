//! Microsoft Azure.
//!
//! | Driver | Service | API | Reference |
//! |---|---|---|---|
//! | [`storage()`] | storage | Blob service REST API, version `2021-12-02` | <https://learn.microsoft.com/rest/api/storageservices/blob-service-rest-api> |
//!
//! # Authentication
//!
//! Key and secret are the name of a storage account and one of its access keys, in Base64: requests are signed with
//! [Shared Key](https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key). In place of the access key
//! the secret may be a
//! [shared access signature](https://learn.microsoft.com/rest/api/storageservices/delegate-access-with-shared-access-signature),
//! `sv=…&sig=…`.
//! Without a key the environment is asked: for `AZURE_STORAGE_CONNECTION_STRING`, then for `AZURE_STORAGE_ACCOUNT` with
//! `AZURE_STORAGE_KEY` or `AZURE_STORAGE_SAS_TOKEN`.
//!
//! # Configuration
//!
//! - `api_version`: another version of the REST API, `2012-02-12` or later.
//! - `endpoint`: an emulator, whose path begins with the account: `http://127.0.0.1:10000/devstoreaccount1`.
//! - `host`: another cloud, `blob.core.chinacloudapi.cn`, or a domain of one's own.
//! - options: see [`AzureBlobsOptions`].
//!
//! ```
//! use libcloud_azure::AzureBlobsDriver;
//! use libcloud_common::Config;
//!
//! let blobs = AzureBlobsDriver::new(Config::new("myaccount", "c2VjcmV0"))?;
//! assert_eq!(blobs.account(), "myaccount");
//! # Ok::<(), libcloud_common::Error>(())
//! ```

use std::sync::Arc;

use libcloud_common::{Arguments, Registration};
use libcloud_storage::StorageDriver;

pub mod blobs;
mod credentials;
mod signer;

pub use blobs::{AzureBlobsDriver, AzureBlobsOptions};

/// Azure Blob Storage, for a registry.
pub fn storage() -> Registration<dyn StorageDriver> {
    Registration::new(blobs::DESCRIPTOR, blobs::capabilities, |config| {
        Ok(Arc::new(AzureBlobsDriver::new(config)?) as Arc<dyn StorageDriver>)
    })
    .options(AzureBlobsOptions::FIELDS)
    .credentials(blobs::find_credentials)
}
