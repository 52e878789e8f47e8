//! Every method of every registered driver does what its capabilities say, and refuses arguments that it does not know.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

use std::future::Future;

use libcloud::common::{MethodInfo, Value, json};
use libcloud::{Capabilities, Config, ErrorKind, Registry, Result, Support, TransportConfig};

/// Something that an argument of this type takes.
fn sample(ty: &str) -> Value {
    match ty {
        "integer" => json!(1),
        "number" | "seconds" => json!(1.0),
        "boolean" => json!(false),
        "list" => json!([]),
        "map" | "map of strings" => json!({}),
        "object" => json!("container/object"),
        "zone" => json!({"id": "z", "domain": "example.com"}),
        "record" => json!({"id": "r", "zone": "z"}),
        "path" => json!("/nonexistent/libcloud-test"),
        _ => json!("sample"),
    }
}

/// A configuration that every driver takes and that reaches nobody.
fn config(folder: &std::path::Path) -> Config {
    let mut transport = TransportConfig::default();
    transport.retries = 0;
    Config::new(folder.display().to_string(), "secret").transport(transport)
}

/// Calls each method, plainly and with an argument that nobody knows; gives what was wrong.
async fn check<F>(
    driver: &str,
    can: Capabilities,
    table: &[MethodInfo],
    call: impl Fn(String, Value) -> F,
) -> Vec<String>
where
    F: Future<Output = Result<Value>>,
{
    let mut lies = Vec::new();
    for method in table {
        let mut args = json!({});
        for spec in method.args.iter().filter(|spec| spec.required) {
            args[spec.name] = sample(spec.ty);
        }
        let answer = call(method.name.to_owned(), args.clone()).await;
        let refused = answer.as_ref().is_err_and(|error| error.kind() == ErrorKind::NotSupported);
        let supported = can.of(method.name) == Support::Supported;
        if refused == supported {
            lies.push(format!(
                "{driver} {}: said {:?}, answered {answer:?}",
                method.name,
                can.of(method.name)
            ));
        }
        if !supported {
            continue;
        }
        args["ex_nobody_knows_this"] = json!(1);
        match call(method.name.to_owned(), args).await {
            Err(error)
                if error.kind() == ErrorKind::InvalidArgument
                    && error.to_string().contains("ex_nobody_knows_this") => {}
            other => lies.push(format!("{driver} {}: an unknown argument gave {other:?}", method.name)),
        }
    }
    lies
}

#[tokio::test]
async fn drivers_tell_the_truth() {
    let registry = Registry::builtin();
    let folder = tempfile::tempdir().unwrap();
    let endpoint: libcloud::common::Url = "http://127.0.0.1:1".parse().unwrap();
    let mut checked = 0;
    let mut lies = Vec::new();
    macro_rules! service {
        ($service:ident, $methods:expr) => {
            for registration in registry.$service.iter() {
                let id = registration.descriptor.id;
                let mut config = config(folder.path());
                if !matches!(id, "dummy" | "local") {
                    config = config.endpoint(endpoint.clone());
                }
                let driver = registry.$service.get_driver(id, config).unwrap();
                let table: Vec<MethodInfo> = $methods.iter().map(|method| method.info()).collect();
                assert_eq!((registration.capabilities)(), driver.capabilities(), "{id}");
                let call = |name: String, args: Value| {
                    let driver = driver.clone();
                    async move { driver.call(&name, args).await }
                };
                lies.extend(
                    check(&format!("{} {id}", stringify!($service)), driver.capabilities(), &table, call)
                        .await,
                );
                checked += table.len();
            }
        };
    }
    service!(compute, libcloud::compute::COMPUTE_METHODS);
    service!(storage, libcloud::storage::STORAGE_METHODS);
    service!(loadbalancer, libcloud::loadbalancer::LOADBALANCER_METHODS);
    service!(dns, libcloud::dns::DNS_METHODS);
    assert!(checked > 0 || cfg!(not(any(feature = "dummy", feature = "local", feature = "aws"))));
    assert!(lies.is_empty(), "{}", lies.join("\n"));
}

#[tokio::test]
async fn an_unknown_option_is_refused_with_the_known_ones() {
    let registry = Registry::builtin();
    let folder = tempfile::tempdir().unwrap();
    for registration in registry.compute.iter() {
        let config = config(folder.path()).option("no_such_option", 1);
        let Err(error) = registry.compute.get_driver(registration.descriptor.id, config) else {
            panic!("{} took an option that it does not have", registration.descriptor.id);
        };
        assert!(error.to_string().contains("no_such_option"), "{error}");
        for option in registration.options {
            assert!(error.to_string().contains(option.name), "{error}");
        }
    }
}
