//! What is known about a driver before it is made, and how it is made by name.

use std::fmt;
use std::sync::Arc;

use crate::dispatch::{ArgSpec, Dispatch};
use crate::{BoxFuture, Capabilities, Clock, Config, Error, FindCredentials, Identity, Result, SystemClock};

/// The fixed facts about one driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Descriptor {
    /// Our id: `"ec2"`, `"local"`.
    pub id: &'static str,
    /// The value of the seed's constant, of which node uuids are made: `"ec2_us_east"`.
    pub type_: &'static str,
    /// The name for people: `"Amazon EC2"`.
    pub name: &'static str,
    /// The provider's page.
    pub website: &'static str,
}

impl Descriptor {
    /// A driver whose seed value is its id.
    pub const fn new(id: &'static str, name: &'static str, website: &'static str) -> Self {
        Self { id, type_: id, name, website }
    }

    /// Sets the value of the seed's constant where it is not the id.
    pub const fn seed_value(mut self, value: &'static str) -> Self {
        self.type_ = value;
        self
    }
}

/// What every driver of every service has.
pub trait Driver: Dispatch {
    /// The fixed facts about it.
    fn descriptor(&self) -> Descriptor;

    /// What it can do.
    fn capabilities(&self) -> Capabilities;

    /// The extension arguments that it takes in a method of the base API, by the method's name.
    fn ex_arguments(&self, _method: &str) -> &'static [ArgSpec] {
        &[]
    }

    /// Who the provider says that the credentials belong to. Asks by a call that changes nothing.
    ///
    /// # Errors
    /// `NotSupported` where the provider has no such call.
    fn identity(&self) -> BoxFuture<'_, Result<Identity>> {
        Box::pin(std::future::ready(Err(Error::not_supported("identity"))))
    }

    /// The clock by which it waits: that of its configuration.
    fn clock(&self) -> Arc<dyn Clock> {
        SystemClock::shared()
    }
}

/// Makes a driver from a configuration. Does no I/O.
pub type Factory<D> = Arc<dyn Fn(Config) -> Result<Arc<D>> + Send + Sync>;

/// A driver that can be made by name: what a provider crate hands to the registry.
pub struct Registration<D: ?Sized> {
    /// The fixed facts.
    pub descriptor: Descriptor,
    /// What it can do, told without making one.
    pub capabilities: fn() -> Capabilities,
    /// The options that its configuration takes by name.
    pub options: &'static [ArgSpec],
    /// Looks for its credentials where the provider's own tools keep them, if it does.
    pub credentials: Option<FindCredentials>,
    /// Makes one.
    pub factory: Factory<D>,
}

impl<D: ?Sized> Registration<D> {
    /// A driver without options of its own.
    pub fn new(
        descriptor: Descriptor,
        capabilities: fn() -> Capabilities,
        factory: impl Fn(Config) -> Result<Arc<D>> + Send + Sync + 'static,
    ) -> Self {
        Self { descriptor, capabilities, options: &[], credentials: None, factory: Arc::new(factory) }
    }

    /// Lists the options that the driver's configuration takes by name.
    pub fn options(mut self, options: &'static [ArgSpec]) -> Self {
        self.options = options;
        self
    }

    /// Says how the driver looks for credentials.
    pub fn credentials(mut self, find: FindCredentials) -> Self {
        self.credentials = Some(find);
        self
    }
}

impl<D: ?Sized> Clone for Registration<D> {
    fn clone(&self) -> Self {
        Self {
            descriptor: self.descriptor,
            capabilities: self.capabilities,
            options: self.options,
            credentials: self.credentials,
            factory: Arc::clone(&self.factory),
        }
    }
}

impl<D: ?Sized> fmt::Debug for Registration<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registration")
            .field("descriptor", &self.descriptor)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}
