//! What every command needs: the drivers, the configuration that the arguments describe, the output.

use std::io::{IsTerminal as _, Write as _};
use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use libcloud::catalogue::{self, Service};
use libcloud::common::{DebugLog, MethodInfo, Recorder, Secret, json};
use libcloud::compute::ComputeDriver;
use libcloud::dns::DnsDriver;
use libcloud::loadbalancer::LoadBalancerDriver;
use libcloud::storage::StorageDriver;
use libcloud::{Config, Driver, Drivers, Error, ErrorKind, Registry, Result, TransportConfig};
use serde_json::Value;

use crate::args::{ExArgs, Format, Global};
use crate::exit;
use crate::output::{Columns, Output};
use crate::profile::{self, Profile, Profiles};

const DRY: Columns = &[("would call", "would_call"), ("with", "args")];

/// What every command needs.
pub(crate) struct Context {
    pub(crate) registry: Registry,
    pub(crate) global: Global,
    pub(crate) output: Output,
    profiles: OnceLock<Profiles>,
    /// One for all drivers of the process, so that the ids in it are unlike.
    debug_log: Option<DebugLog>,
    recorder: Option<Recorder>,
}

impl Context {
    pub(crate) fn new(registry: Registry, global: Global) -> Self {
        let output = Output::new(global.format);
        let debug_log = global.debug.clone().map(DebugLog::new);
        let recorder = std::env::var_os("LIBCLOUD_RECORD").map(Recorder::new);
        Self { registry, global, output, profiles: OnceLock::new(), debug_log, recorder }
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

    /// Does the same to several things: what fails is told, and the others go on. `act` says what it did.
    pub(crate) async fn each<T>(
        &self,
        things: &[T],
        act: impl AsyncFn(&T) -> Result<String>,
    ) -> Result<ExitCode> {
        if let [thing] = things {
            self.output.done(&act(thing).await?)?;
            return Ok(ExitCode::SUCCESS);
        }
        let mut all_done = true;
        for thing in things {
            match act(thing).await {
                Ok(sentence) => self.output.step(&sentence)?,
                Err(error) => {
                    all_done = false;
                    exit::tell(&error, self.global.format);
                }
            }
        }
        self.output.all_done(all_done)?;
        Ok(if all_done { ExitCode::SUCCESS } else { ExitCode::from(exit::PARTIAL) })
    }

    /// The profiles of the configuration file, which is read when it is first asked for.
    pub(crate) fn profiles(&self) -> Result<&Profiles> {
        if let Some(profiles) = self.profiles.get() {
            return Ok(profiles);
        }
        let loaded = Profiles::load()?;
        if let Some(exposure) = loaded.exposure() {
            self.warn(exposure);
        }
        Ok(self.profiles.get_or_init(|| loaded))
    }

    /// The profile that the arguments name.
    pub(crate) fn profile(&self) -> Result<Option<&Profile>> {
        self.global.profile.as_deref().map(|name| self.profiles()?.get(name)).transpose()
    }

    /// The provider and its configuration: arguments and environment, then the profile.
    pub(crate) fn config(&self) -> Result<(String, Config)> {
        let profile = self.profile()?;
        let provider = match (&self.global.provider, profile.and_then(|profile| profile.provider.as_ref())) {
            (Some(given), Some(of_profile)) if !are_of_one_account(given, of_profile) => {
                // Not to send the credentials of one to the other.
                return Err(Error::invalid_argument(format!(
                    "the profile is of `{of_profile}`, and --provider or LIBCLOUD_PROVIDER says `{given}`"
                )));
            }
            (Some(provider), _) | (None, Some(provider)) => provider.clone(),
            (None, None) => {
                return Err(Error::invalid_argument(
                    "which provider? give --provider, --profile or LIBCLOUD_PROVIDER",
                ));
            }
        };
        let config = self.configure(&provider, profile, true)?;
        Ok((provider, config))
    }

    /// The storage driver that an address names by a profile or a provider, or the one that the arguments describe.
    ///
    /// Credentials on the command line belong to --provider, and to the address only if nothing else claims them.
    pub(crate) fn storage_at(&self, name: Option<&str>) -> Result<Arc<dyn StorageDriver>> {
        let Some(name) = name else { return self.storage() };
        let own = self.profile()?;
        let given = self.global.provider.as_deref();
        let provider = given.or(own.and_then(|profile| profile.provider.as_deref()));
        if provider == Some(name) || self.global.profile.as_deref() == Some(name) {
            return self.storage();
        }
        let named = self.profiles()?.for_address(name)?;
        let is_own = provider.is_some_and(|provider| are_of_one_account(provider, name));
        let (provider, config) = match named {
            // `s3:` with a profile or --provider that is EC2's: the account is the same.
            None if is_own => (name, self.configure(name, own, true)?),
            named => {
                let is_unclaimed = given.is_none() && own.is_none();
                let provider = named.and_then(|profile| profile.provider.as_deref()).unwrap_or(name);
                (provider, self.configure(provider, named, is_unclaimed)?)
            }
        };
        self.registry.storage.get_driver(provider, config)
    }

    fn configure(&self, provider: &str, profile: Option<&Profile>, with_account: bool) -> Result<Config> {
        let mut config = Config::anonymous();
        if let Some(profile) = profile {
            config.key.clone_from(&profile.key);
            config.secret = match &profile.secret_file {
                // Not read in vain: the file may not be there where the secret comes from the environment.
                Some(path) if !(with_account && self.global.has_secret()) => Some(read_secret(path)?),
                _ => profile.secret.clone(),
            };
            config.region.clone_from(&profile.region);
            config.endpoint.clone_from(&profile.endpoint);
            config.auth_url.clone_from(&profile.auth_url);
            config.api_version.clone_from(&profile.api_version);
            config.options = profile.options.clone().into();
        }
        if with_account {
            self.add_account(&mut config)?;
        }
        if provider.eq_ignore_ascii_case("dummy") && !config.options.contains_key("state_file") {
            // So that two runs of the program see the same cloud.
            config.options.insert("state_file", profile::dummy_state()?.to_string_lossy());
        }
        config.transport = self.transport(profile)?;
        Ok(config)
    }

    /// A configuration for what needs no account.
    pub(crate) fn anonymous(&self) -> Result<Config> {
        Ok(Config::anonymous().transport(self.transport(self.profile()?)?))
    }

    /// How connections are made.
    fn transport(&self, profile: Option<&Profile>) -> Result<TransportConfig> {
        let (global, mut transport) = (&self.global, TransportConfig::new());
        transport.debug_log = self.debug_log.clone().or(transport.debug_log.take());
        // For the recordings of `cargo xtask fixtures`.
        transport.recorder.clone_from(&self.recorder);
        transport.connect_to = recorded_server()?;
        transport.ca_file = global.ca_file.clone().or(profile.and_then(|profile| profile.ca_file.clone()));
        transport.proxy =
            global.proxy.clone().or(profile.and_then(|profile| profile.proxy.clone())).unwrap_or_default();
        transport.user_agent = Some(concat!("libcloud-cli/", env!("CARGO_PKG_VERSION")).to_owned());
        if let Some(retries) = global.retries.or(profile.and_then(|profile| profile.retries)) {
            transport.retries = retries;
        }
        if let Some(limit) = global.timeout.or(profile.and_then(|profile| profile.timeout)) {
            transport.total_timeout = Some(seconds(limit)?);
        }
        Ok(transport)
    }

    /// What the command line and the environment say of the account.
    fn add_account(&self, config: &mut Config) -> Result<()> {
        let global = &self.global;
        if let Some(key) = &global.key {
            config.key = Some(Secret::new(key));
        }
        if let Some(path) = &global.secret_file {
            config.secret = Some(read_secret(path)?);
        } else if let Some(secret) = &global.secret {
            config.secret = Some(Secret::new(secret));
        }
        config.region = global.region.clone().or(config.region.take());
        config.endpoint = global.endpoint.clone().or(config.endpoint.take());
        config.auth_url = global.auth_url.clone().or(config.auth_url.take());
        config.api_version = global.api_version.clone().or(config.api_version.take());
        for (name, value) in &global.options {
            config.options.insert(name, value.clone());
        }
        Ok(())
    }

    /// The log of `--debug`, for what is not HTTP.
    pub(crate) fn debug_log(&self) -> Option<&DebugLog> {
        self.debug_log.as_ref()
    }

    /// Before something is destroyed: asks on a terminal, refuses elsewhere without `--yes`.
    pub(crate) async fn confirm(&self, what: &str) -> Result<()> {
        if self.global.yes || self.global.dry_run {
            return Ok(());
        }
        if !std::io::stdin().is_terminal() {
            return Err(Error::invalid_argument(format!("{what}: nobody to ask here; say --yes")));
        }
        let _ = write!(std::io::stderr(), "{what}? [y/N] ");
        let read = tokio::task::spawn_blocking(|| {
            let mut answer = String::new();
            std::io::stdin().read_line(&mut answer).map(|_| answer)
        });
        let answer = read.await.map_err(std::io::Error::other).flatten();
        let answer = answer.map_err(|error| Error::io("read the answer", error))?;
        if matches!(answer.trim(), "y" | "Y" | "yes") {
            Ok(())
        } else {
            Err(Error::invalid_argument("not done"))
        }
    }

    /// The same for several calls at once.
    pub(crate) async fn is_dry_each(&self, method: &str, calls: &[Value]) -> Result<bool> {
        if let [args] = calls {
            return self.is_dry(method, args);
        }
        if self.global.dry_run {
            let rows: Vec<_> =
                calls.iter().map(|args| Ok(json!({ "would_call": method, "args": args }))).collect();
            self.output.list(DRY, futures_util::stream::iter(rows)).await?;
        }
        Ok(self.global.dry_run)
    }

    /// In a dry run: shows the call in place of making it.
    pub(crate) fn is_dry(&self, method: &str, args: &Value) -> Result<bool> {
        if self.global.dry_run {
            self.output.value(&json!({ "would_call": method, "args": args }))?;
        }
        Ok(self.global.dry_run)
    }

    /// A line for the person who waits; never where a program reads.
    pub(crate) fn note(&self, text: impl std::fmt::Display) {
        if !self.global.quiet && std::io::stderr().is_terminal() {
            exit::to_stderr(text);
        }
    }

    /// What the person should know even where standard error is a file.
    pub(crate) fn warn(&self, text: impl std::fmt::Display) {
        if self.global.quiet {
            return;
        }
        match self.global.format {
            Format::Json | Format::Jsonl => exit::to_stderr(json!({ "warning": text.to_string() })),
            Format::Table | Format::Csv => exit::to_stderr(format_args!("warning: {text}")),
        }
    }
}

/// The server that stands in for all hosts, when a recording is played.
fn recorded_server() -> Result<Option<SocketAddr>> {
    let Ok(address) = std::env::var("LIBCLOUD_CONNECT_TO") else { return Ok(None) };
    address.parse().map(Some).map_err(|_| {
        Error::invalid_argument(format!("LIBCLOUD_CONNECT_TO is an address and a port, not `{address}`"))
    })
}

/// Whether the credentials of one provider are those of the other, as with EC2 and S3.
fn are_of_one_account(one: &str, other: &str) -> bool {
    let family = |name: &str| {
        let mut found = Service::ALL.into_iter().filter_map(|service| catalogue::find(service, name).ok());
        found.next().map(|found| found.entry.feature)
    };
    one == other || family(one).is_some_and(|own| family(other) == Some(own))
}

/// A number of seconds as people write it.
pub(crate) fn seconds(number: f64) -> Result<Duration> {
    Duration::try_from_secs_f64(number)
        .map_err(|_| Error::invalid_argument(format!("{number} is no number of seconds")))
}

/// The first line of a file.
pub(crate) fn read_secret(path: &Path) -> Result<Secret> {
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
    options.open(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => {
            let path = path.display().to_string();
            Error::new(ErrorKind::AlreadyExists, format!("{path} exists already and is left as it is"))
                .with_resource("file", path)
        }
        _ => Error::io(format_args!("create {}", path.display()), error),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_of_one_provider_share_an_account() {
        assert!(are_of_one_account("ec2", "s3"));
        assert!(are_of_one_account("mine", "mine"));
        for (one, other) in [("ec2", "dummy"), ("mine", "yours"), ("mine", "s3")] {
            assert!(!are_of_one_account(one, other), "{one} {other}");
        }
    }
}
