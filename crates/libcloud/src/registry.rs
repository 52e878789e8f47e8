//! Drivers by name: what is compiled in, what a program adds, and how one is made.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use libcloud_common::{Config, Driver, Error, ErrorKind, Registration, Result};
use libcloud_compute::ComputeDriver;
use libcloud_dns::DnsDriver;
use libcloud_loadbalancer::LoadBalancerDriver;
use libcloud_storage::StorageDriver;

use crate::catalogue::{self, Service};

/// The families of drivers that this version has, and whether they are compiled in.
const FAMILIES: &[(&str, bool)] = &[
    ("aws", cfg!(feature = "aws")),
    ("azure", cfg!(feature = "azure")),
    ("cloudstack", cfg!(feature = "cloudstack")),
    ("dummy", cfg!(feature = "dummy")),
    ("gandi", cfg!(feature = "gandi")),
    ("local", cfg!(feature = "local")),
    ("openstack", cfg!(feature = "openstack")),
    ("rackspace", cfg!(feature = "rackspace")),
];

/// The drivers of one service by their id.
pub struct Drivers<D: ?Sized> {
    service: Service,
    table: BTreeMap<&'static str, Registration<D>>,
}

impl<D: ?Sized> Clone for Drivers<D> {
    fn clone(&self) -> Self {
        Self { service: self.service, table: self.table.clone() }
    }
}

impl<D: ?Sized> fmt::Debug for Drivers<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.table.keys()).finish()
    }
}

impl<D: Driver + ?Sized> Drivers<D> {
    fn new(service: Service) -> Self {
        Self { service, table: BTreeMap::new() }
    }

    /// Adds a driver: yours is then as good as a built-in one, by name, in configuration files and in the program.
    ///
    /// # Errors
    /// `AlreadyExists` if there is a driver of this id.
    pub fn set_driver(&mut self, registration: Registration<D>) -> Result<()> {
        let id = registration.descriptor.id;
        if self.table.contains_key(id) {
            return Err(Error::already_exists("driver", id));
        }
        self.table.insert(id, registration);
        Ok(())
    }

    /// Makes a driver. `provider` is its id (`ec2`), the seed's constant or the constant's value; an old constant
    /// that stands for a region (`EC2_EU_WEST`) sets it. Does no I/O.
    ///
    /// # Errors
    /// `InvalidArgument` for an unknown or removed name (the message says what was meant or what to use) and for a
    /// configuration that the driver refuses; `Closed` for a service that has ended, unless an endpoint is given;
    /// `NotSupported` for a provider that is not compiled in.
    pub fn get_driver(&self, provider: impl AsRef<str>, mut config: Config) -> Result<Arc<D>> {
        let (registration, region) = self.find(provider.as_ref())?;
        if let Some(region) = region {
            if config.region.as_deref().is_some_and(|given| given != region) {
                return Err(Error::invalid_argument(format!(
                    "`{}` stands for the region {region}, and the configuration says {}: use `{}` with a region",
                    provider.as_ref(),
                    config.region.unwrap_or_default(),
                    registration.descriptor.id,
                )));
            }
            config.region = Some(region.to_owned());
        }
        if let Ok(found) = catalogue::find(self.service, registration.descriptor.id)
            && let Some(closed) = found.entry.closed()
            && config.endpoint.is_none()
            && config.host.is_none()
        {
            return Err(closed.in_operation(registration.descriptor.id, "get_driver"));
        }
        (registration.factory)(config)
    }

    /// The registration of a driver, for its facts and options, and the region that the name stands for.
    ///
    /// # Errors
    /// As [`get_driver`](Self::get_driver), but for the configuration.
    pub fn find(&self, provider: &str) -> Result<(&Registration<D>, Option<&'static str>)> {
        if let Some(registration) = self.table.get(provider) {
            return Ok((registration, None));
        }
        let found = catalogue::find(self.service, provider)?;
        if let Some(registration) = self.table.get(found.entry.id) {
            return Ok((registration, found.region));
        }
        let (id, feature) = (found.entry.id, found.entry.feature);
        let message = match FAMILIES.iter().find(|(family, _)| *family == feature) {
            Some((_, false)) => {
                format!("`{id}` is not compiled in: enable the feature `{feature}` of the crate `libcloud`")
            }
            Some((_, true)) | None => {
                format!("this version of libcloud has no {} driver for `{id}` yet", self.service)
            }
        };
        Err(Error::new(ErrorKind::NotSupported, message).with_resource("provider", id))
    }

    /// Every driver, by its id.
    pub fn iter(&self) -> impl Iterator<Item = &Registration<D>> {
        self.table.values()
    }
}

/// The drivers of the four services.
///
/// ```
/// # #[cfg(feature = "dummy")] {
/// use libcloud::{Config, Registry};
///
/// let registry = Registry::builtin();
/// let driver = registry.compute.get_driver("dummy", Config::anonymous())?;
/// assert_eq!(driver.descriptor().name, "Dummy");
/// # }
/// # Ok::<(), libcloud::Error>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Registry {
    /// The compute drivers.
    pub compute: Drivers<dyn ComputeDriver>,
    /// The storage drivers.
    pub storage: Drivers<dyn StorageDriver>,
    /// The load balancer drivers.
    pub loadbalancer: Drivers<dyn LoadBalancerDriver>,
    /// The DNS drivers.
    pub dns: Drivers<dyn DnsDriver>,
}

impl Registry {
    /// No drivers.
    pub fn empty() -> Self {
        Self {
            compute: Drivers::new(Service::Compute),
            storage: Drivers::new(Service::Storage),
            loadbalancer: Drivers::new(Service::LoadBalancer),
            dns: Drivers::new(Service::Dns),
        }
    }

    /// What the features of this crate have compiled in.
    pub fn builtin() -> Self {
        #[allow(unused_mut, reason = "without any provider there is nothing to add")]
        let mut registry = Self::empty();
        #[cfg(feature = "aws")]
        {
            registry.compute.add(libcloud_aws::ec2());
            registry.compute.add(libcloud_aws::eucalyptus());
            registry.compute.add(libcloud_aws::nimbus());
            registry.storage.add(libcloud_aws::s3());
            registry.storage.add(libcloud_aws::digitalocean_spaces());
            registry.storage.add(libcloud_aws::minio());
            registry.loadbalancer.add(libcloud_aws::elb());
            registry.loadbalancer.add(libcloud_aws::alb());
            registry.dns.add(libcloud_aws::route53());
        }
        #[cfg(feature = "azure")]
        registry.storage.add(libcloud_azure::storage());
        #[cfg(feature = "cloudstack")]
        registry.compute.add(libcloud_cloudstack::compute());
        #[cfg(feature = "dummy")]
        {
            registry.compute.add(libcloud_dummy::compute());
            registry.storage.add(libcloud_dummy::storage());
            registry.loadbalancer.add(libcloud_dummy::loadbalancer());
            registry.dns.add(libcloud_dummy::dns());
        }
        #[cfg(feature = "gandi")]
        registry.compute.add(libcloud_gandi::compute());
        #[cfg(feature = "local")]
        registry.storage.add(libcloud_local::storage());
        #[cfg(feature = "openstack")]
        registry.compute.add(libcloud_openstack::compute());
        #[cfg(feature = "rackspace")]
        registry.compute.add(libcloud_rackspace::compute());
        registry
    }
}

impl<D: ?Sized> Drivers<D> {
    /// Adds a driver of our own, whose ids a test keeps apart.
    #[allow(dead_code, reason = "without any provider there is nothing to add")]
    fn add(&mut self, registration: Registration<D>) {
        self.table.insert(registration.descriptor.id, registration);
    }
}

impl Default for Registry {
    fn default() -> Self {
        Self::builtin()
    }
}
