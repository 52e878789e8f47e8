//! Every method of every registered driver does what its capabilities say, and refuses arguments that it does not know.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

use libcloud::{Config, Registry};
use libcloud_testkit::{Subject, capabilities};

/// A configuration that every driver takes: the folder is where a driver without a server keeps what it has, and the secret
/// is Base64, as Azure's are.
fn config(folder: &std::path::Path) -> Config {
    Config::new(folder.display().to_string(), "c2VjcmV0")
}

#[tokio::test]
async fn drivers_tell_the_truth() {
    let registry = Registry::builtin();
    let folder = tempfile::tempdir().unwrap();
    let mut checked = 0;
    macro_rules! service {
        ($service:ident) => {
            for registration in registry.$service.iter() {
                let serverless = matches!(registration.descriptor.id, "dummy" | "local");
                let subject = Subject::new(registration.clone(), config(folder.path()));
                let subject = if serverless { subject.without_server() } else { subject };
                capabilities(&subject).await;
                checked += 1;
            }
        };
    }
    service!(compute);
    service!(storage);
    service!(loadbalancer);
    service!(dns);
    let registered =
        registry.compute.iter().count() + registry.storage.iter().count() + registry.dns.iter().count();
    assert!(checked > 0 || registered == 0);
}

#[tokio::test]
async fn an_unknown_option_is_refused_with_the_known_ones() {
    let registry = Registry::builtin();
    let folder = tempfile::tempdir().unwrap();
    for registration in registry.compute.iter() {
        let config = config(folder.path()).option("no_such_option", 1);
        // Straight: a closed service would be refused before.
        let Err(error) = (registration.factory)(config) else {
            panic!("{} took an option that it does not have", registration.descriptor.id);
        };
        assert!(error.to_string().contains("no_such_option"), "{error}");
        for option in registration.options {
            assert!(error.to_string().contains(option.name), "{error}");
        }
    }
}
