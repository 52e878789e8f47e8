//! The lock on a blob while it is replaced.
//!
//! <https://learn.microsoft.com/rest/api/storageservices/lease-blob>

use libcloud_common::{ErrorKind, Result};
use libcloud_storage::rest::{StorageCall, headers};

use super::Upload;

/// How long a lock lasts that is not renewed, in seconds: the longest that is not for ever.
const DURATION: &str = "60";

impl Upload {
    /// Locks the blob. Where there is none yet, there is nothing to lock.
    pub(super) async fn lock(&mut self) -> Result<()> {
        let call = self.lease_call("acquire")?.header("x-ms-lease-duration", DURATION);
        match call.once().send().await {
            Ok(answer) => self.lease = headers::text(&answer.headers, "x-ms-lease-id"),
            Err(error)
                if error.kind() == ErrorKind::NotFound
                    && error.resource().is_some_and(|(what, _)| what == "object") => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Lets the lock last as long again.
    pub(super) async fn renew(&self) -> Result<()> {
        if self.lease.is_none() {
            return Ok(());
        }
        self.lease_call("renew")?.send().await.map(drop)
    }

    /// Unlocks it. Otherwise it ends by itself, within a minute.
    pub(super) async fn unlock(&self) -> Result<()> {
        if self.lease.is_none() {
            return Ok(());
        }
        self.lease_call("release")?.once().send().await.map(drop)
    }

    fn lease_call(&self, action: &str) -> Result<StorageCall> {
        Ok(self.call("LeaseBlob")?.query("comp", "lease").header("x-ms-lease-action", action))
    }
}
