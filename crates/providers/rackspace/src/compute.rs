//! Cloud Servers, next generation: <https://docs.rackspace.com/docs/cloud-servers>
//!
//! OpenStack's compute service with another login. All that differs is data, in the [`Dialect`] that the inner driver
//! gets; every method and extension is the inner driver's.

use std::ops::Deref;
use std::sync::Arc;

use async_trait::async_trait;
use libcloud_common::{
    ArgSpec, BoxFuture, Capabilities, Clock, Config, Descriptor, Dispatch, Driver, Extensions, Identity,
    Result, Search, Secret, Sources,
};
use libcloud_compute::ComputeDriver;
use libcloud_openstack::{AuthVersion, Dialect, OpenStackNodeDriver};

use crate::regions;

pub(crate) const DESCRIPTOR: Descriptor =
    Descriptor::new("rackspace", "Rackspace Cloud", "https://www.rackspace.com/");

/// What is looked for.
const USER: &str = "user";
const API_KEY: &str = "API key";

/// Servers at Rackspace, in one region. Cheap to clone; clones share one login.
///
/// Reads as an [`OpenStackNodeDriver`], whose `ex_` methods and extension arguments it has.
#[derive(Clone, Debug)]
pub struct RackspaceNodeDriver(OpenStackNodeDriver);

impl RackspaceNodeDriver {
    /// Makes the driver. Nothing is sent.
    ///
    /// # Errors
    /// `InvalidCredentials` if neither the configuration nor the environment has a user and an API key;
    /// `InvalidArgument` for an unknown option or region.
    pub fn new(config: Config) -> Result<Self> {
        Self::make(config, &mut Search::new(&Sources::system()))
    }

    fn make(mut config: Config, search: &mut Search) -> Result<Self> {
        let region = regions::find(config.region.as_deref())?;
        config.region = Some(region.name.to_owned());
        if let Some((user, api_key)) = credentials(&config, search)? {
            (config.key, config.secret) = (Some(user), Some(api_key));
        }
        OpenStackNodeDriver::with_dialect(config, dialect(region)).map(Self)
    }
}

/// User and API key of the configuration, else of the environment; never a mixture of both. None where the options name
/// others.
fn credentials(config: &Config, search: &mut Search) -> Result<Option<(Secret, Secret)>> {
    let names_others = |name: &&str| config.options.get(*name).is_some_and(|value| !value.is_null());
    if ["cloud", "ex_force_auth_token"].iter().any(names_others) {
        return Ok(None);
    }
    let (user, api_key) = match search.given(USER, config.key.as_ref()) {
        Some(user) => (user, search.given(API_KEY, config.secret.as_ref())),
        None => (
            search.variable(USER, "RAX_USERNAME").ok_or_else(|| search.missing(USER))?,
            search.variable(API_KEY, "RAX_API_KEY"),
        ),
    };
    let api_key = api_key.ok_or_else(|| search.missing(API_KEY))?;
    Ok(Some((user, api_key)))
}

pub(crate) fn find_credentials(config: &Config, search: &mut Search) -> Result<()> {
    credentials(config, search).map(drop)
}

fn dialect(region: &regions::Region) -> Dialect {
    let mut dialect = Dialect::new(DESCRIPTOR);
    dialect.auth_url = Some(region.auth_url);
    dialect.auth_version = AuthVersion::V2ApiKey;
    dialect.environment = false;
    // `cloudServers`, of the same type, is the first generation.
    dialect.service_name = Some("cloudServersOpenStack");
    dialect.microversion = None;
    dialect.own_services = false;
    dialect.networks = "os-networksv2";
    dialect.prices = Some(region.prices);
    dialect
}

impl Deref for RackspaceNodeDriver {
    type Target = OpenStackNodeDriver;

    fn deref(&self) -> &OpenStackNodeDriver {
        &self.0
    }
}

impl Extensions for RackspaceNodeDriver {
    fn parent(&self) -> Option<&dyn Dispatch> {
        Some(&self.0)
    }
}

impl Driver for RackspaceNodeDriver {
    fn descriptor(&self) -> Descriptor {
        DESCRIPTOR
    }

    fn capabilities(&self) -> Capabilities {
        self.0.capabilities()
    }

    fn ex_arguments(&self, method: &str) -> &'static [ArgSpec] {
        self.0.ex_arguments(method)
    }

    fn identity(&self) -> BoxFuture<'_, Result<Identity>> {
        self.0.identity()
    }

    fn clock(&self) -> Arc<dyn Clock> {
        self.0.clock()
    }
}

#[async_trait]
impl ComputeDriver for RackspaceNodeDriver {
    fn inner(&self) -> Option<&dyn ComputeDriver> {
        Some(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_is_asked_where_there_is_no_key() {
        let sources = Sources::of([("RAX_USERNAME", "me"), ("RAX_API_KEY", "canary")], []);
        let make = |config, sources: &Sources| RackspaceNodeDriver::make(config, &mut Search::new(sources));
        let driver = make(Config::anonymous(), &sources).unwrap();
        assert!(!format!("{driver:?}").contains("canary"));
        let error = make(Config::anonymous(), &Sources::of([], [])).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the user is missing: give it in the configuration or the variable RAX_USERNAME"
        );
        // Half of it from one place and half from another is nothing.
        let error = make(Config::with_key("me"), &sources).unwrap_err();
        assert_eq!(error.to_string(), "the API key is missing: give it in the configuration");
    }
}
