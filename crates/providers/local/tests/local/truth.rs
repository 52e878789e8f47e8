//! The capabilities tell the truth about every method, called by name.

use std::collections::BTreeSet;

use libcloud_common::{ErrorKind, Support, Value, json};
use libcloud_storage::STORAGE_METHODS;

use crate::{put, with_container};

fn arguments(method: &str) -> Value {
    match method {
        "iterate_containers" => json!({}),
        "create_container" => json!({"container_name": "new"}),
        "delete_container" => json!({"container": "empty"}),
        "get_container" => json!({"container_name": "c"}),
        "get_object" => json!({"container_name": "c", "object_name": "kept"}),
        "delete_object" => json!({"obj": "c/deleted"}),
        "upload_object_via_stream" => json!({"iterator": "x", "container": "c", "object_name": "new"}),
        "iterate_container_objects" | "get_container_cdn_url" | "enable_container_cdn" => {
            json!({"container": "c"})
        }
        _ => json!({"obj": "c/kept"}),
    }
}

#[tokio::test]
async fn each_method_does_what_the_capabilities_say() {
    let (folder, driver, _) = with_container().await;
    std::fs::create_dir(folder.path().join("empty")).unwrap();
    put(&driver, "kept", "x").await.unwrap();
    put(&driver, "deleted", "x").await.unwrap();
    let capabilities = driver.capabilities();
    let by_name = ["download_object_as_stream"];
    let names: BTreeSet<_> = STORAGE_METHODS.iter().map(|method| method.name).chain(by_name).collect();
    for name in &names {
        let answer = driver.call(name, arguments(name)).await;
        match capabilities.of(name) {
            Support::Supported => drop(answer.unwrap()),
            _ => assert_eq!(answer.unwrap_err().kind(), ErrorKind::NotSupported, "{name}"),
        }
        let mut unknown = arguments(name);
        unknown["ex_unknown"] = json!(1);
        let error = driver.call(name, unknown).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{name}: {error}");
    }
    let told: BTreeSet<_> = capabilities.methods().map(|(name, _)| name).collect();
    assert_eq!(told, names);
}
