//! Example Cloud, a provider that does not exist: servers over a JSON API.
//!
//! The API: version 1 at `https://api.cloud.example/v1`. Authentication: an API token, the configuration's `key`, sent
//! as a bearer token. Options of the configuration: none.
//!
//! ```
//! use libcloud_common::Config;
//!
//! let registry = libcloud::compute::set_driver(libcloud_examplecloud::compute())?;
//! let driver = registry.compute.get_driver("examplecloud", Config::with_key("token"))?;
//! assert_eq!(driver.descriptor().name, "Example Cloud");
//! # Ok::<(), libcloud_common::Error>(())
//! ```

use std::sync::Arc;

use libcloud_common::{Descriptor, Registration};
use libcloud_compute::ComputeDriver;

mod compute;
mod connection;
mod wire;

pub use compute::{ExampleCloudDriver, ExampleCreateNode, NodeExtra};

const DESCRIPTOR: Descriptor = Descriptor::new("examplecloud", "Example Cloud", "https://cloud.example/");

/// The compute driver, for a registry.
pub fn compute() -> Registration<dyn ComputeDriver> {
    Registration::new(DESCRIPTOR, compute::capabilities, |config| {
        ExampleCloudDriver::new(config).map(|driver| Arc::new(driver) as Arc<dyn ComputeDriver>)
    })
}
