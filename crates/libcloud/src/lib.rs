//! One API for many clouds: [`compute`] with block storage, object [`storage`] with CDN, load balancers
//! ([`loadbalancer`]), [`dns`], [`pricing`] and deployment over SSH ([`deploy`]).
//!
//! ```
//! # #[cfg(feature = "dummy")]
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> libcloud::Result<()> {
//! use libcloud::compute::{self, ComputeDriverExt, Provider};
//! use libcloud::Config;
//!
//! let driver = compute::get_driver(Provider::DUMMY, Config::anonymous())?;
//! for node in driver.list_nodes().await? {
//!     println!("{} is {}", node.name, node.state);
//! }
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "dummy"))] fn main() {}
//! ```
//!
//! A driver is shared as `Arc<dyn …Driver>`: any number of tasks may use one at once. What only one provider can do is
//! an `ex_` method on its own type, reached typed (`driver.downcast_ref::<Ec2Driver>()`) or by name
//! (`driver.call("ex_…", args)`). Futures need a tokio runtime; a current-thread one is the fastest for most programs.
//!
//! # Features
//! One for each family of providers ([`aws`], [`azure`], [`cloudstack`], [`dummy`], [`gandi`], [`local`], [`openstack`],
//! [`rackspace`]), and `full` for all.
//! By default there are `dummy` and `local`, which need no account.
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod catalogue;
mod registry;

pub use libcloud_common::{
    Capabilities, Clock, Config, Descriptor, Driver, Error, ErrorKind, Extra, ManualClock, Options, Price,
    Registration, Result, Retry, Secret, Support, SystemClock, Timestamp, TransportConfig,
};
pub use registry::{Drivers, Registry};

#[cfg(feature = "aws")]
#[cfg_attr(docsrs, doc(cfg(feature = "aws")))]
pub use libcloud_aws as aws;
#[cfg(feature = "azure")]
#[cfg_attr(docsrs, doc(cfg(feature = "azure")))]
pub use libcloud_azure as azure;
#[cfg(feature = "cloudstack")]
#[cfg_attr(docsrs, doc(cfg(feature = "cloudstack")))]
pub use libcloud_cloudstack as cloudstack;
/// What drivers are written with.
pub use libcloud_common as common;
pub use libcloud_deploy as deploy;
#[cfg(feature = "dummy")]
#[cfg_attr(docsrs, doc(cfg(feature = "dummy")))]
pub use libcloud_dummy as dummy;
#[cfg(feature = "gandi")]
#[cfg_attr(docsrs, doc(cfg(feature = "gandi")))]
pub use libcloud_gandi as gandi;
#[cfg(feature = "local")]
#[cfg_attr(docsrs, doc(cfg(feature = "local")))]
pub use libcloud_local as local;
#[cfg(feature = "openstack")]
#[cfg_attr(docsrs, doc(cfg(feature = "openstack")))]
pub use libcloud_openstack as openstack;
pub use libcloud_pricing as pricing;
#[cfg(feature = "rackspace")]
#[cfg_attr(docsrs, doc(cfg(feature = "rackspace")))]
pub use libcloud_rackspace as rackspace;

/// Defines the module of a service: its types, its constants, and drivers by name.
macro_rules! service {
    ($(#[$meta:meta])* $name:ident, $crate_name:ident, $driver:ident) => {
        $(#[$meta])*
        pub mod $name {
            use std::sync::Arc;

            pub use $crate_name::*;

            pub use crate::catalogue::$name::Provider;
            use crate::{Config, Registration, Registry, Result};

            /// Makes a built-in driver. For drivers of your own see [`Registry`].
            ///
            /// # Errors
            /// As [`Drivers::get_driver`](crate::Drivers::get_driver).
            pub fn get_driver(provider: Provider, config: Config) -> Result<Arc<dyn $driver>> {
                // The constant, not its id: it may stand for a region.
                Registry::builtin().$name.get_driver(provider.entry().constant, config)
            }

            /// The built-in drivers and one of your own.
            ///
            /// # Errors
            /// `AlreadyExists` if there is a driver of this id.
            pub fn set_driver(registration: Registration<dyn $driver>) -> Result<Registry> {
                let mut registry = Registry::builtin();
                registry.$name.set_driver(registration)?;
                Ok(registry)
            }
        }
    };
}

service! {
    /// Servers and block storage.
    compute, libcloud_compute, ComputeDriver
}
service! {
    /// Object storage and CDN.
    storage, libcloud_storage, StorageDriver
}
service! {
    /// Load balancers.
    loadbalancer, libcloud_loadbalancer, LoadBalancerDriver
}
service! {
    /// Domain names.
    dns, libcloud_dns, DnsDriver
}

/// What most programs need: `use libcloud::prelude::*;`
pub mod prelude {
    pub use crate::compute::{ComputeDriver, ComputeDriverExt};
    pub use crate::dns::{DnsDriver, DnsDriverExt};
    pub use crate::loadbalancer::{LoadBalancerDriver, LoadBalancerDriverExt};
    pub use crate::storage::{StorageDriver, StorageDriverExt};
    pub use crate::{Config, Error, ErrorKind, Registry, Result};
    pub use libcloud_common::Driver as _;
}
