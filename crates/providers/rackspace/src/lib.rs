//! Rackspace.
//!
//! | Driver | Service | API | Reference |
//! |---|---|---|---|
//! | [`compute()`] | compute, next generation | Cloud Servers API v2.0, which is OpenStack compute | <https://docs.rackspace.com/docs/cloud-servers> |
//!
//! # Authentication
//!
//! Key and secret are the name and the API key of a user; without them the environment is asked for `RAX_USERNAME` and
//! `RAX_API_KEY`. They are sent to the Identity API v2.0, which gives a token and tells where the services are; with the
//! option `auth_version` `2.0_password` the secret is the password.
//! <https://docs.rackspace.com/docs/identity-tokens-service>
//!
//! # Configuration
//!
//! - `region`: `dfw` (without), `ord`, `iad`, `lon`, `syd` or `hkg`. Accounts of the United Kingdom are in `lon` only, and
//!   have an identity service of their own.
//! - options: those of OpenStack, [`OpenStackOptions`].
//!
//! ```
//! use libcloud_common::Config;
//! use libcloud_rackspace::RackspaceNodeDriver;
//!
//! let driver = RackspaceNodeDriver::new(Config::new("me", "0123456789abcdef").region("ord"))?;
//! # Ok::<(), libcloud_common::Error>(())
//! ```
//!
//! OpenStack Flex, the newest product, is OpenStack itself: use `libcloud-openstack` with an application credential and
//! `https://keystone.api.<region>.rackspacecloud.com/v3`.

use std::sync::Arc;

use libcloud_common::{Arguments, Registration};
use libcloud_compute::ComputeDriver;
use libcloud_openstack::OpenStackOptions;

mod compute;
mod regions;

pub use compute::RackspaceNodeDriver;

/// Rackspace Cloud Servers, for a registry.
pub fn compute() -> Registration<dyn ComputeDriver> {
    Registration::new(compute::DESCRIPTOR, libcloud_openstack::compute::capabilities, |config| {
        Ok(Arc::new(RackspaceNodeDriver::new(config)?) as Arc<dyn ComputeDriver>)
    })
    .options(OpenStackOptions::FIELDS)
    .credentials(compute::find_credentials)
}
