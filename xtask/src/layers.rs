//! The arrows between the crates: cli → facade → providers → services → common.

use serde_json::Value;

use crate::{Result, run};

/// The layer of a crate; it may depend on those below it.
fn layer(name: &str) -> Option<u8> {
    Some(match name {
        "libcloud-macros" => 0,
        "libcloud-common" => 1,
        "libcloud-compute" | "libcloud-storage" | "libcloud-dns" | "libcloud-pricing" => 2,
        // A balancer's member may be a node, a deployment runs on one.
        "libcloud-loadbalancer" | "libcloud-deploy" => 3,
        // Above the services, whose drivers it tests, and below the families; all use it for their tests alone.
        "libcloud-testkit" => 4,
        "libcloud" => 6,
        "libcloud-cli" | "libcloud-parity" => 7,
        other if other.starts_with("libcloud-") => 5,
        _ => return None,
    })
}

/// A family may depend on the family whose protocol it speaks: (this, on that).
const FAMILIES: &[(&str, &str)] = &[("libcloud-rackspace", "libcloud-openstack")];

/// Fails with every arrow that points the wrong way.
pub(crate) fn check() -> Result {
    let text = run::read(&mut run::cargo_with(["metadata", "--format-version=1", "--no-deps"]))?;
    let metadata: Value = serde_json::from_str(&text).map_err(|error| format!("cargo metadata: {error}"))?;
    let mut wrong = Vec::new();
    let mut arrows = 0;
    for package in list(&metadata, "packages") {
        let Some(from) = package.get("name").and_then(Value::as_str) else { continue };
        let Some(above) = layer(from) else { continue };
        for dependency in list(package, "dependencies") {
            let Some(to) = dependency.get("name").and_then(Value::as_str) else { continue };
            let is_dev = dependency.get("kind").and_then(Value::as_str) == Some("dev");
            let Some(below) = layer(to).filter(|_| !is_dev) else { continue };
            arrows += 1;
            if below >= above && !FAMILIES.contains(&(from, to)) {
                wrong.push(format!("{from} must not depend on {to}"));
            }
        }
    }
    if arrows == 0 {
        return Err("layers: no arrow was found, so nothing was checked".into());
    }
    if wrong.is_empty() {
        println!("layers: {arrows} arrows, all point down");
        Ok(())
    } else {
        Err(wrong.join("\n"))
    }
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}
