//! Whose types stand in the public signatures: our own, the standard library's, and a short list. A dependency that
//! leaks into them cannot be exchanged, or updated, without breaking users.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::{Result, run};

/// The crates whose API users and authors of drivers see.
const CRATES: &[&str] = &[
    "libcloud-common",
    "libcloud-compute",
    "libcloud-storage",
    "libcloud-loadbalancer",
    "libcloud-dns",
    "libcloud-pricing",
    "libcloud-deploy",
    "libcloud-dummy",
    "libcloud-local",
    "libcloud-aws",
    "libcloud-azure",
    "libcloud-cloudstack",
    "libcloud-gandi",
    "libcloud-openstack",
    "libcloud-rackspace",
    "libcloud",
];

/// The foreign types that are allowed.
const ALLOWED: &[&str] = &[
    "bytes::bytes::Bytes",
    // Names of the standard library's boxes around a future and a `futures_core::Stream`.
    "futures_core::future::BoxFuture",
    "futures_core::stream::BoxStream",
    "http::method::Method",
    "http::header::map::HeaderMap",
    "http::status::StatusCode",
    "url::Url",
    "serde_json::value::Value",
    "serde_json::map::Map",
];

/// Fails with every public item that shows a type of somebody else's.
pub(crate) fn check() -> Result {
    let mut leaks = BTreeSet::new();
    let mut items = 0;
    // Of the whole workspace, as for the book of the API: a choice of crates has other features, and is checked again.
    let mut command =
        run::cargo_with(["doc", "--quiet", "--workspace", "--no-deps", "--lib", "--all-features"]);
    // JSON of rustdoc is unstable; this lets the stable toolchain write it.
    let flags = "-Zunstable-options --output-format=json --cap-lints=allow";
    run::run(command.env("RUSTC_BOOTSTRAP", "1").env("RUSTDOCFLAGS", flags))?;
    for package in CRATES {
        let path = run::target()?.join("doc").join(format!("{}.json", package.replace('-', "_")));
        let text = std::fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let described: Value =
            serde_json::from_slice(&text).map_err(|error| format!("{}: {error}", path.display()))?;
        items += leaks_of(package, &described, &mut leaks);
    }
    if items == 0 {
        return Err("api: no public item was found, so nothing was checked".into());
    }
    if leaks.is_empty() {
        println!("api: {items} public items, no foreign type that is not on the list");
        Ok(())
    } else {
        Err(leaks.into_iter().collect::<Vec<_>>().join("\n"))
    }
}

/// Adds the leaks of one crate and gives the number of items that were looked at.
fn leaks_of(package: &str, described: &Value, leaks: &mut BTreeSet<String>) -> usize {
    let mut items = 0;
    let index = described.get("index").and_then(Value::as_object);
    for item in index.into_iter().flat_map(|index| index.values()) {
        let own = item.get("crate_id").and_then(Value::as_u64) == Some(0);
        let public = item.get("visibility").and_then(Value::as_str) == Some("public");
        let Some(inner) = item.get("inner").and_then(Value::as_object).filter(|_| own && public) else {
            continue;
        };
        // What is shown of these: signatures, fields, what an alias stands for.
        let shown = ["function", "struct_field", "type_alias", "constant", "assoc_const"];
        let Some((_, signature)) = inner.iter().find(|(kind, _)| shown.contains(&kind.as_str())) else {
            continue;
        };
        items += 1;
        let mut ids = Vec::new();
        types(signature, &mut ids);
        for id in ids {
            if let Some(path) = foreign(described, id)
                && !ALLOWED.contains(&path.as_str())
            {
                let name = item.get("name").and_then(Value::as_str).unwrap_or_default();
                let file = item.pointer("/span/filename").and_then(Value::as_str).unwrap_or_default();
                leaks.insert(format!("{package}: `{name}` in {file} shows {path}"));
            }
        }
    }
    items
}

/// The ids of all types that are named in a signature.
fn types(signature: &Value, ids: &mut Vec<u64>) {
    match signature {
        Value::Object(map) => {
            if let Some(id) = map.get("resolved_path").and_then(|path| path.get("id")?.as_u64()) {
                ids.push(id);
            }
            map.values().for_each(|value| types(value, ids));
        }
        Value::Array(items) => items.iter().for_each(|value| types(value, ids)),
        _ => {}
    }
}

/// The path of a type, if it is neither ours nor the standard library's.
fn foreign(described: &Value, id: u64) -> Option<String> {
    let path = described.get("paths")?.get(id.to_string())?;
    let parts: Vec<&str> = path.get("path")?.as_array()?.iter().filter_map(Value::as_str).collect();
    let origin = *parts.first()?;
    let ours = origin.starts_with("libcloud");
    let standard = ["std", "core", "alloc"].contains(&origin);
    (!ours && !standard).then(|| parts.join("::"))
}
