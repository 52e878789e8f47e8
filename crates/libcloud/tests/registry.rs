//! Drivers by name.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]
#![cfg(feature = "dummy")]

use std::sync::Arc;

use libcloud::common::Registration;
use libcloud::compute::{ComputeDriver, ComputeDriverExt as _, Provider};
use libcloud::dummy::DummyCloud;
use libcloud::{Capabilities, Config, Descriptor, Error, ErrorKind, Registry};

fn refused(name: &str, config: Config) -> Error {
    match Registry::builtin().compute.get_driver(name, config) {
        Ok(_) => panic!("{name} was made"),
        Err(error) => error,
    }
}

#[tokio::test]
async fn by_id_constant_or_value() {
    let registry = Registry::builtin();
    for name in ["dummy", "DUMMY", "Dummy"] {
        let driver = registry.compute.get_driver(name, Config::anonymous()).unwrap();
        assert_eq!(driver.list_nodes().await.unwrap().len(), 2);
    }
    let driver = libcloud::compute::get_driver(Provider::DUMMY, Config::anonymous()).unwrap();
    assert_eq!(driver.descriptor().id, "dummy");
}

#[test]
fn what_cannot_be_made_says_why() {
    for (name, kind, message) in [
        ("dumy", ErrorKind::InvalidArgument, "`dumy` is not a compute provider; did you mean `dummy`?"),
        (
            "linode",
            ErrorKind::NotSupported,
            "this version of libcloud has no compute driver for `linode` yet",
        ),
        ("s3", ErrorKind::InvalidArgument, "`s3` is not a compute provider; it is one of storage"),
    ] {
        let error = refused(name, Config::anonymous());
        assert_eq!((error.kind(), error.to_string().as_str()), (kind, message));
    }
    let removed = refused("RACKSPACE_NOVA_LON", Config::anonymous());
    assert_eq!(removed.kind(), ErrorKind::InvalidArgument);
    assert!(removed.to_string().contains("rackspace"), "{removed}");
}

#[cfg(not(feature = "aws"))]
#[test]
fn what_is_not_compiled_in_names_the_feature() {
    let error = refused("ec2", Config::anonymous());
    assert_eq!(
        error.to_string(),
        "`ec2` is not compiled in: enable the feature `aws` of the crate `libcloud`"
    );
}

#[cfg(feature = "aws")]
#[test]
fn a_constant_of_the_past_stands_for_a_region() {
    use libcloud::aws::Ec2Driver;

    let config = || Config::new("key", "secret");
    let driver = libcloud::compute::get_driver(Provider::EC2_EU_WEST, config()).unwrap();
    assert_eq!(driver.downcast_ref::<Ec2Driver>().unwrap().region(), "eu-west-1");
    let same = libcloud::compute::get_driver(Provider::EC2_EU_WEST, config().region("eu-west-1"));
    assert!(same.is_ok());
    let error = refused("EC2_EU_WEST", config().region("us-east-1"));
    assert_eq!(
        error.to_string(),
        "`EC2_EU_WEST` stands for the region eu-west-1, and the configuration says us-east-1: use `ec2` with a region"
    );
}

fn mine(id: &'static str) -> Registration<dyn ComputeDriver> {
    let cloud = DummyCloud::new();
    let descriptor = Descriptor::new(id, "Mine", "https://mine.example");
    Registration::new(descriptor, Capabilities::new, move |_| Ok(cloud.compute()))
}

#[tokio::test]
async fn a_driver_of_ones_own_is_as_good_as_a_built_in_one() {
    let mut registry = Registry::builtin();
    registry.compute.set_driver(mine("mycloud")).unwrap();
    let driver = registry.compute.get_driver("mycloud", Config::anonymous()).unwrap();
    assert_eq!(driver.list_nodes().await.unwrap().len(), 2);
    assert!(registry.compute.iter().any(|driver| driver.descriptor.id == "mycloud"));

    let taken = registry.compute.set_driver(mine("dummy")).unwrap_err();
    assert_eq!((taken.kind(), taken.resource()), (ErrorKind::AlreadyExists, Some(("driver", "dummy"))));
    assert!(Registry::empty().compute.get_driver("dummy", Config::anonymous()).is_err());
}

#[test]
fn a_closed_service_is_refused_before_anything_is_sent_unless_an_endpoint_is_given() {
    let mut registry = Registry::empty();
    registry.compute.set_driver(mine("slicehost")).unwrap();
    let Err(error) = registry.compute.get_driver("slicehost", Config::anonymous()) else {
        panic!("a closed service was called");
    };
    assert_eq!(error.kind(), ErrorKind::Closed);
    assert!(error.to_string().contains("use `rackspace`"), "{error}");
    let config = Config::anonymous().endpoint("http://127.0.0.1:1".parse().unwrap());
    assert!(registry.compute.get_driver("slicehost", config).is_ok());
}

#[test]
fn what_is_shared_between_threads_can_be() {
    fn shared<T: Send + Sync + 'static>() {}
    shared::<Registry>();
    shared::<Arc<dyn ComputeDriver>>();
    shared::<Arc<dyn libcloud::storage::StorageDriver>>();
    shared::<Arc<dyn libcloud::dns::DnsDriver>>();
    shared::<Arc<dyn libcloud::loadbalancer::LoadBalancerDriver>>();
    shared::<Error>();
}
