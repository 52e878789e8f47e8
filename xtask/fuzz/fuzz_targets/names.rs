//! Names of containers and objects, which must not lead out of the folder that the driver was given.
#![no_main]

use std::cell::RefCell;

use libcloud::storage::{Container, StorageDriverExt as _, UploadBody};
use libcloud::{Config, local};
use libfuzzer_sys::fuzz_target;

thread_local! {
    static OUTSIDE: RefCell<Option<tempfile::TempDir>> = const { RefCell::new(None) };
}

fuzz_target!(|data: (&str, &str)| {
    let (container, object) = data;
    OUTSIDE.with_borrow_mut(|outside| {
        let outside = outside.get_or_insert_with(|| {
            let folder = tempfile::tempdir().expect("a folder");
            std::fs::create_dir(folder.path().join("inside")).expect("a folder in it");
            folder
        });
        let inside = outside.path().join("inside");
        let config = Config::with_key(inside.display().to_string());
        let driver = (local::storage().factory)(config).expect("a driver");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let _ = driver.create_container(container).await;
            let container = Container::from_id(container);
            let content = UploadBody::from("x");
            let uploaded = driver.upload_object_via_stream(content, &container, object).await;
            if let Ok(uploaded) = uploaded {
                assert_eq!(uploaded.name, object);
                driver.delete_object(&uploaded).await.expect("what was made can be deleted");
            }
            let _ = driver.delete_container(&container).await;
        });
        let names: Vec<_> = std::fs::read_dir(outside.path())
            .expect("the folder")
            .flatten()
            .map(|entry| entry.file_name())
            .collect();
        assert_eq!(names, ["inside"], "{container:?} {object:?}");
    });
});
