//! The local driver: what it does, what it refuses, and what it keeps whole in a crowd.
#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may panic")]

mod behaviour;
mod crowd;
mod escapes;
mod suite;
mod truth;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use libcloud_common::{Config, Result};
use libcloud_local::LocalStorageDriver;
use libcloud_storage::{Container, Object, StorageDriver, StorageDriverExt as _};
use tempfile::TempDir;

fn open(base: &Path) -> Result<Arc<dyn StorageDriver>> {
    let driver = LocalStorageDriver::new(Config::with_key(base.to_str().unwrap()))?;
    Ok(Arc::new(driver))
}

/// A driver on a new folder with the container `c`.
async fn with_container() -> (TempDir, Arc<dyn StorageDriver>, Container) {
    let folder = tempfile::tempdir().unwrap();
    let driver = open(folder.path()).unwrap();
    let container = driver.create_container("c").await.unwrap();
    (folder, driver, container)
}

async fn put(driver: &Arc<dyn StorageDriver>, name: &str, content: &str) -> Result<Object> {
    driver.upload_object_via_stream(content.into(), &Container::new("c"), name).await
}

async fn read(driver: &Arc<dyn StorageDriver>, object: &Object) -> Result<String> {
    let bytes = driver.download_object_as_stream(object).await?.read_all(1 << 24).await?;
    Ok(String::from_utf8(bytes.to_vec()).unwrap())
}

async fn list(driver: &Arc<dyn StorageDriver>) -> Vec<String> {
    let objects = driver.list_container_objects(&Container::new("c")).await.unwrap();
    objects.into_iter().map(|object| object.name).collect()
}

/// The files in the making.
fn unfinished(base: &Path) -> Vec<PathBuf> {
    match std::fs::read_dir(base.join(".libcloud/tmp")) {
        Ok(entries) => entries.map(|entry| entry.unwrap().path()).collect(),
        Err(_) => Vec::new(),
    }
}
