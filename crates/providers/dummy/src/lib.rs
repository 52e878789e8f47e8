//! The dummy provider: a whole cloud in memory, or in a file. It needs no account and no network.
//!
//! It is made for three things: to try libcloud out (`libcloud demo`), to show how a driver is written, and to stand in
//! for a real provider in the tests of your own program, with faults on demand (see [`DummyCloud`]).
//!
//! Options of the configuration: [`DummyOptions`]. The `key`, as a number, says how many nodes there are to begin
//! with, as in the seed.

mod cloud;
mod compute;
mod dns;
mod loadbalancer;
mod storage;

use std::sync::Arc;

use libcloud_common::{Arguments, Descriptor, Registration, arguments};
use libcloud_compute::ComputeDriver;
use libcloud_dns::DnsDriver;
use libcloud_loadbalancer::LoadBalancerDriver;
use libcloud_storage::StorageDriver;

pub use cloud::{Call, DummyCloud};
pub use compute::{DummyComputeDriver, DummyCreateNode};
pub use dns::DummyDnsDriver;
pub use loadbalancer::DummyLoadBalancerDriver;
pub use storage::{DummyStorageDriver, StorageMetaData};

/// Options of the dummy drivers' configuration.
#[arguments]
#[derive(Clone, Debug, Default)]
pub struct DummyOptions {
    /// The file that the cloud is kept in; without it the cloud ends with the driver.
    pub state_file: Option<String>,
    /// How many listings a new node is pending for before it runs (0).
    pub boot_polls: Option<u32>,
}

const DESCRIPTOR: Descriptor = Descriptor::new("dummy", "Dummy", "https://github.com/libcloud/libcloud");

impl DummyCloud {
    /// A compute driver of this cloud.
    pub fn compute(&self) -> Arc<dyn ComputeDriver> {
        Arc::new(DummyComputeDriver::new(self.clone()))
    }

    /// A storage driver of this cloud.
    pub fn storage(&self) -> Arc<dyn StorageDriver> {
        Arc::new(DummyStorageDriver::new(self.clone()))
    }

    /// A load balancer driver of this cloud.
    pub fn loadbalancer(&self) -> Arc<dyn LoadBalancerDriver> {
        Arc::new(DummyLoadBalancerDriver::new(self.clone()))
    }

    /// A DNS driver of this cloud.
    pub fn dns(&self) -> Arc<dyn DnsDriver> {
        Arc::new(DummyDnsDriver::new(self.clone()))
    }
}

/// The compute driver, to register.
pub fn compute() -> Registration<dyn ComputeDriver> {
    Registration::new(DESCRIPTOR, compute::capabilities, |config| {
        DummyCloud::from_config(&config).map(|cloud| cloud.compute())
    })
    .options(DummyOptions::FIELDS)
}

/// The DNS driver, to register.
pub fn dns() -> Registration<dyn DnsDriver> {
    Registration::new(DESCRIPTOR, dns::capabilities, |config| {
        DummyCloud::from_config(&config).map(|cloud| cloud.dns())
    })
    .options(DummyOptions::FIELDS)
}

/// The storage driver, to register.
pub fn storage() -> Registration<dyn StorageDriver> {
    Registration::new(DESCRIPTOR, storage::capabilities, |config| {
        DummyCloud::from_config(&config).map(|cloud| cloud.storage())
    })
    .options(DummyOptions::FIELDS)
}

/// The load balancer driver, to register.
pub fn loadbalancer() -> Registration<dyn LoadBalancerDriver> {
    Registration::new(DESCRIPTOR, loadbalancer::capabilities, |config| {
        DummyCloud::from_config(&config).map(|cloud| cloud.loadbalancer())
    })
    .options(DummyOptions::FIELDS)
}
