//! What every command needs: the drivers, the configuration that the arguments describe, the output.

use std::io::{IsTerminal as _, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use libcloud::catalogue::Service;
use libcloud::common::{MethodInfo, Secret, json};
use libcloud::compute::ComputeDriver;
use libcloud::dns::DnsDriver;
use libcloud::loadbalancer::LoadBalancerDriver;
use libcloud::storage::StorageDriver;
use libcloud::{Config, Driver, Drivers, Error, Registry, Result};
use serde_json::Value;

use crate::args::{ExArgs, Global};
use crate::output::Output;

/// What every command needs.
pub(crate) struct Context {
    pub(crate) registry: Registry,
    pub(crate) global: Global,
    pub(crate) output: Output,
}

impl Context {
    pub(crate) fn new(registry: Registry, global: Global) -> Self {
        let output = Output::new(global.format);
        Self { registry, global, output }
    }

    /// The compute driver that the arguments describe.
    pub(crate) fn compute(&self) -> Result<Arc<dyn ComputeDriver>> {
        self.driver(&self.registry.compute)
    }

    /// The storage driver that the arguments describe.
    pub(crate) fn storage(&self) -> Result<Arc<dyn StorageDriver>> {
        self.driver(&self.registry.storage)
    }

    /// The load balancer driver that the arguments describe.
    pub(crate) fn loadbalancer(&self) -> Result<Arc<dyn LoadBalancerDriver>> {
        self.driver(&self.registry.loadbalancer)
    }

    /// The DNS driver that the arguments describe.
    pub(crate) fn dns(&self) -> Result<Arc<dyn DnsDriver>> {
        self.driver(&self.registry.dns)
    }

    fn driver<D: Driver + ?Sized>(&self, drivers: &Drivers<D>) -> Result<Arc<D>> {
        let (provider, config) = self.config()?;
        drivers.get_driver(provider, config)
    }

    /// Every method that can be called by name on the driver of this service.
    pub(crate) fn methods(&self, service: Service) -> Result<Vec<MethodInfo>> {
        Ok(match service {
            Service::Compute => self.compute()?.methods(),
            Service::Storage => self.storage()?.methods(),
            Service::LoadBalancer => self.loadbalancer()?.methods(),
            Service::Dns => self.dns()?.methods(),
        })
    }

    /// Calls a method of the driver of this service by its name.
    pub(crate) async fn call(&self, service: Service, method: &str, args: Value) -> Result<Value> {
        match service {
            Service::Compute => self.compute()?.call(method, args).await,
            Service::Storage => self.storage()?.call(method, args).await,
            Service::LoadBalancer => self.loadbalancer()?.call(method, args).await,
            Service::Dns => self.dns()?.call(method, args).await,
        }
    }

    /// Calls a method that changes something, unless the run is dry.
    pub(crate) async fn act(&self, service: Service, method: &str, args: Value) -> Result<Option<Value>> {
        if self.is_dry(method, &args)? {
            return Ok(None);
        }
        self.call(service, method, args).await.map(Some)
    }

    /// The same, and shows the resource that comes of it.
    pub(crate) async fn make(
        &self,
        service: Service,
        method: &str,
        mut args: Value,
        ex: Option<ExArgs>,
    ) -> Result<()> {
        if let Some(ex) = ex {
            ex.add_to(&mut args);
        }
        match self.act(service, method, args).await? {
            Some(made) => self.output.value(&made),
            None => Ok(()),
        }
    }

    /// The same, and says that it was done.
    pub(crate) async fn change(&self, service: Service, method: &str, args: Value, done: &str) -> Result<()> {
        match self.act(service, method, args).await? {
            Some(_) => self.output.done(done),
            None => Ok(()),
        }
    }

    /// The provider and its configuration: arguments, then the profile.
    pub(crate) fn config(&self) -> Result<(String, Config)> {
        let global = &self.global;
        let mut config = Config::anonymous();
        let provider = global.provider.clone().ok_or_else(|| {
            Error::invalid_argument("which provider? give --provider, --profile or LIBCLOUD_PROVIDER")
        })?;
        config.key = global.key.as_deref().map(Secret::new).or(config.key);
        config.secret = match &global.secret_file {
            Some(path) => Some(read_secret(path)?),
            None => global.secret.as_deref().map(Secret::new).or(config.secret),
        };
        config.region = global.region.clone().or(config.region);
        config.endpoint = global.endpoint.clone().or(config.endpoint);
        config.auth_url = global.auth_url.clone().or(config.auth_url);
        config.api_version = global.api_version.clone().or(config.api_version);
        for (name, value) in &global.options {
            config.options.insert(name, value.clone());
        }
        config.transport.ca_file = global.ca_file.clone().or(config.transport.ca_file);
        if let Some(retries) = global.retries {
            config.transport.retries = retries;
        }
        if let Some(seconds) = global.timeout {
            let limit = Duration::try_from_secs_f64(seconds).map_err(|_| {
                Error::invalid_argument(format!("--timeout {seconds} is no number of seconds"))
            })?;
            config.transport.total_timeout = Some(limit);
        }
        Ok((provider, config))
    }

    /// Before something is destroyed: asks on a terminal, refuses elsewhere without `--yes`.
    #[expect(clippy::print_stderr, reason = "a question to the person at the terminal")]
    pub(crate) fn confirm(&self, what: &str) -> Result<()> {
        if self.global.yes || self.global.dry_run {
            return Ok(());
        }
        if !std::io::stdin().is_terminal() {
            return Err(Error::invalid_argument(format!("{what}: nobody to ask here; say --yes")));
        }
        eprint!("{what}? [y/N] ");
        let _ = std::io::stderr().flush();
        let mut answer = String::new();
        std::io::stdin().read_line(&mut answer).map_err(|error| Error::io("read the answer", error))?;
        if matches!(answer.trim(), "y" | "Y" | "yes") {
            Ok(())
        } else {
            Err(Error::invalid_argument("not done"))
        }
    }

    /// In a dry run: shows the call in place of making it.
    pub(crate) fn is_dry(&self, method: &str, args: &Value) -> Result<bool> {
        if self.global.dry_run {
            self.output.value(&json!({ "would_call": method, "args": args }))?;
        }
        Ok(self.global.dry_run)
    }

    /// A line for the person who waits; never where a program reads.
    #[expect(clippy::print_stderr, reason = "notes go to standard error")]
    pub(crate) fn note(&self, text: impl std::fmt::Display) {
        if !self.global.quiet && std::io::stderr().is_terminal() {
            eprintln!("{text}");
        }
    }
}

/// The first line of a file.
fn read_secret(path: &Path) -> Result<Secret> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| Error::io(format_args!("read the secret file {}", path.display()), error))?;
    Ok(Secret::new(text.lines().next().unwrap_or_default()))
}

/// A new file that only its owner can read. Made before the secret that goes into it, so that the secret is not lost
/// to a path that cannot be written.
pub(crate) fn create_private(path: &Path) -> Result<std::fs::File> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(|error| Error::io(format_args!("create {}", path.display()), error))
}
