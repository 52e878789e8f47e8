//! Our drivers of all four services as one.

use std::sync::Arc;

use libcloud::catalogue::Service;
use libcloud::common::{MethodInfo, Value};
use libcloud::compute::ComputeDriver;
use libcloud::dns::DnsDriver;
use libcloud::loadbalancer::LoadBalancerDriver;
use libcloud::storage::StorageDriver;
use libcloud::{Capabilities, Config, Registry, Result};

/// A driver of any service.
#[derive(Clone)]
pub(crate) enum AnyDriver {
    /// Servers.
    Compute(Arc<dyn ComputeDriver>),
    /// Object storage.
    Storage(Arc<dyn StorageDriver>),
    /// Load balancers.
    LoadBalancer(Arc<dyn LoadBalancerDriver>),
    /// DNS.
    Dns(Arc<dyn DnsDriver>),
}

macro_rules! each {
    ($self:expr, $driver:ident => $body:expr) => {
        match $self {
            AnyDriver::Compute($driver) => $body,
            AnyDriver::Storage($driver) => $body,
            AnyDriver::LoadBalancer($driver) => $body,
            AnyDriver::Dns($driver) => $body,
        }
    };
}

impl AnyDriver {
    /// Makes one by name.
    pub(crate) fn new(registry: &Registry, service: Service, name: &str, config: Config) -> Result<Self> {
        Ok(match service {
            Service::Compute => Self::Compute(registry.compute.get_driver(name, config)?),
            Service::Storage => Self::Storage(registry.storage.get_driver(name, config)?),
            Service::LoadBalancer => Self::LoadBalancer(registry.loadbalancer.get_driver(name, config)?),
            Service::Dns => Self::Dns(registry.dns.get_driver(name, config)?),
        })
    }

    /// Calls a method by its name.
    pub(crate) async fn call(&self, method: &str, args: Value) -> Result<Value> {
        each!(self, driver => driver.call(method, args).await)
    }

    /// What can be called.
    pub(crate) fn methods(&self) -> Vec<MethodInfo> {
        each!(self, driver => driver.methods())
    }

    /// What it can do.
    pub(crate) fn capabilities(&self) -> Capabilities {
        each!(self, driver => driver.capabilities())
    }
}

/// The names of the options that a driver's configuration takes; an error if there is no such driver.
pub(crate) fn options(registry: &Registry, service: Service, name: &str) -> Result<Vec<&'static str>> {
    let options = match service {
        Service::Compute => registry.compute.find(name)?.0.options,
        Service::Storage => registry.storage.find(name)?.0.options,
        Service::LoadBalancer => registry.loadbalancer.find(name)?.0.options,
        Service::Dns => registry.dns.find(name)?.0.options,
    };
    Ok(options.iter().map(|option| option.name).collect())
}
