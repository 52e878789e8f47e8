//! OpenStack, and what is built on it.
//!
//! | Driver | Service | API | Reference |
//! |---|---|---|---|
//! | [`compute()`] | compute | Nova v2.1 (microversion 2.1), images by Glance v2 | <https://docs.openstack.org/api-ref/compute/> |
//!
//! # Authentication
//!
//! The identity service (Keystone) gives a token, and with it the catalogue that tells where the other services are.
//! Both are asked for when first needed, once for all calls of a driver, and again before the token expires or when it
//! is refused. Key and secret are user and password; the option `auth_version` gives them another meaning:
//!
//! | `auth_version` | `key` | `secret` |
//! |---|---|---|
//! | `3.x_password` (default) | user | password |
//! | `3.x_appcred` | id of an application credential | its secret |
//! | `2.0_password` | user | password |
//! | `2.0_apikey`, `2.0` | user | API key |
//!
//! A token of one's own is the option `ex_force_auth_token`: with `ex_force_base_url` it is sent as it is, without it is
//! exchanged for one with a catalogue. Without any of these the credentials come from `clouds.yaml` if a cloud is named
//! (option `cloud`, variable `OS_CLOUD`), else from the variables `OS_…`.
//!
//! # Configuration
//!
//! - `auth_url`: the identity service, with or without its version in the path.
//! - `region`: needed where the cloud has several.
//! - `endpoint`: redirects every service of the cloud, whatever the catalogue says.
//! - options: see [`OpenStackOptions`].
//!
//! ```
//! use libcloud_common::Config;
//! use libcloud_openstack::OpenStackNodeDriver;
//!
//! let config = Config::new("demo", "secret")
//!     .region("RegionOne")
//!     .option("ex_force_auth_url", "https://cloud.example:5000/v3")
//!     .option("ex_tenant_name", "demo");
//! let driver = OpenStackNodeDriver::new(config)?;
//! # Ok::<(), libcloud_common::Error>(())
//! ```
//!
//! # Other providers
//!
//! A provider on OpenStack's protocols gives [`OpenStackNodeDriver::with_dialect`] a [`Dialect`] and wraps what it gets;
//! `libcloud-rackspace` is the example.

use std::sync::Arc;

use libcloud_common::{Arguments, Registration};
use libcloud_compute::ComputeDriver;

pub mod compute;
mod connection;
mod credentials;
mod dialect;
mod identity;
mod options;
mod wire;

pub use compute::OpenStackNodeDriver;
pub use dialect::Dialect;
pub use identity::AuthVersion;
pub use options::OpenStackOptions;

/// OpenStack compute, for a registry.
pub fn compute() -> Registration<dyn ComputeDriver> {
    Registration::new(compute::DESCRIPTOR, compute::capabilities, |config| {
        Ok(Arc::new(OpenStackNodeDriver::new(config)?) as Arc<dyn ComputeDriver>)
    })
    .options(OpenStackOptions::FIELDS)
    .credentials(compute::find_credentials)
}
