//! The behaviour suite.

use std::sync::Arc;

use libcloud_common::Config;
use libcloud_local::LocalStorageDriver;
use libcloud_testkit::suite::{Expectations, Storage};

#[tokio::test]
async fn it_does_what_every_storage_driver_does() {
    let folder = tempfile::tempdir().unwrap();
    let driver = LocalStorageDriver::new(Config::with_key(folder.path().to_str().unwrap())).unwrap();
    let report = Storage::new(Arc::new(driver))
        .without_credentials()
        .refuses_names(&["a//b", "a/", "//", "/leading", "./a", "../a", "a/./b", "a/../b", ".", ".."])
        .run(Expectations::new())
        .await;
    assert_eq!(report.denied, ["credentials/wrong ones are refused"]);
    assert!(crate::unfinished(folder.path()).is_empty());
}
