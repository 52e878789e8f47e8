//! The configuration of a driver.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use url::Url;

use crate::options::decode;
use crate::{Arguments, Clock, DebugLog, Error, Extra, Proxy, Recorder, Result, Secret, SystemClock};

/// Everything that a driver is made from: credentials, where to connect, and how.
///
/// ```
/// use libcloud_common::Config;
///
/// let config = Config::new("AKIAIOSFODNN7EXAMPLE", "secret").region("eu-west-1").option("token", "t");
/// assert_eq!(config.region.as_deref(), Some("eu-west-1"));
/// assert!(!format!("{config:?}").contains("secret\""));
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// The account: access key id, user name or API key.
    pub key: Option<Secret>,
    /// Its secret key or password.
    pub secret: Option<Secret>,
    /// Whether to use TLS (`true`). Only with [`host`](Self::host): an endpoint says it by its scheme.
    pub secure: Option<bool>,
    /// Another host of the main service; the seed's argument. [`endpoint`](Self::endpoint) redirects all hosts.
    pub host: Option<String>,
    /// Another port of the main service.
    pub port: Option<u16>,
    /// The version of the provider's API to speak, where the driver knows several.
    pub api_version: Option<String>,
    /// The region or data centre.
    pub region: Option<String>,
    /// Where every host of this provider is to be found instead (an emulator, a proxy, a private installation).
    pub endpoint: Option<Url>,
    /// The authentication service, if it is apart from `endpoint`.
    pub auth_url: Option<Url>,
    /// Options that only this driver knows, by name. An unknown one is an error that lists the known.
    pub options: Extra,
    /// How connections are made and how long they may take.
    pub transport: TransportConfig,
    /// The clock that signs and waits.
    pub clock: Arc<dyn Clock>,
}

/// How connections are made and how long they may take.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct TransportConfig {
    /// The longest that making a connection may take (30 s).
    pub connect_timeout: Duration,
    /// The longest that a connection may stand still, in either direction (60 s).
    pub idle_timeout: Duration,
    /// The longest that one call may take with all of its retries (no limit).
    pub total_timeout: Option<Duration>,
    /// How often a call that may be repeated is repeated (3).
    pub retries: u32,
    /// The only file of certificate authorities to trust; without it `SSL_CERT_FILE` or the platform's.
    pub ca_file: Option<PathBuf>,
    /// A PEM file with the certificate by which this side shows who it is, for providers that ask for one.
    pub client_certificate: Option<PathBuf>,
    /// The PEM file of its private key, if that is not in the same file.
    pub client_key: Option<PathBuf>,
    /// Whether to verify certificates (`true`). Without it anyone on the way reads your credentials.
    pub verify_certificates: bool,
    /// The way that connections take (that of the environment).
    pub proxy: Proxy,
    /// Whether HTTP/2 is spoken where the server offers it (`true`).
    pub http2: bool,
    /// What to add to the user agent.
    pub user_agent: Option<String>,
    /// The largest answer that is read into memory (64 MiB).
    pub max_response: usize,
    /// The largest number of idle connections that are kept for one host (32).
    pub pool_size: usize,
    /// Where each request and its answer are written to; without it the file that `LIBCLOUD_DEBUG` names.
    pub debug_log: Option<DebugLog>,
    /// Where exchanges are recorded.
    #[doc(hidden)]
    pub recorder: Option<Recorder>,
    /// For tests: all connections go to this socket, in plain HTTP, whatever URL and host a request has.
    #[doc(hidden)]
    pub connect_to: Option<SocketAddr>,
}

impl Default for TransportConfig {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(60),
            total_timeout: None,
            retries: 3,
            ca_file: None,
            client_certificate: None,
            client_key: None,
            verify_certificates: true,
            proxy: Proxy::Environment,
            http2: true,
            user_agent: None,
            max_response: 64 << 20,
            pool_size: 32,
            debug_log: DebugLog::from_environment(),
            recorder: None,
            connect_to: None,
        }
    }
}

impl TransportConfig {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets how often a call that may be repeated is repeated.
    pub fn retries(mut self, retries: u32) -> Self {
        self.retries = retries;
        self
    }

    /// Sets the longest that a connection may stand still.
    pub fn idle_timeout(mut self, timeout: Duration) -> Self {
        self.idle_timeout = timeout;
        self
    }

    /// Sets the longest that one call may take with all of its retries.
    pub fn total_timeout(mut self, timeout: Duration) -> Self {
        self.total_timeout = Some(timeout);
        self
    }

    /// Writes each request and its answer to this log, without secrets.
    pub fn debug_log(mut self, log: DebugLog) -> Self {
        self.debug_log = Some(log);
        self
    }

    /// Sets the way that connections take.
    pub fn proxy(mut self, proxy: Proxy) -> Self {
        self.proxy = proxy;
        self
    }

    /// Adds a word to the user agent: the program that uses libcloud, and its version.
    pub fn user_agent_append(mut self, word: &str) -> Self {
        self.user_agent = Some(match self.user_agent.take() {
            Some(words) => format!("{words} {word}"),
            None => word.to_owned(),
        });
        self
    }

    /// For tests: sends everything to this socket, in plain HTTP, with URL and host as they are.
    #[doc(hidden)]
    pub fn connect_to(mut self, address: SocketAddr) -> Self {
        self.connect_to = Some(address);
        self
    }

    /// Sets the only file of certificate authorities to trust.
    pub fn ca_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.ca_file = Some(path.into());
        self
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            key: None,
            secret: None,
            secure: None,
            host: None,
            port: None,
            api_version: None,
            region: None,
            endpoint: None,
            auth_url: None,
            options: Extra::new(),
            transport: TransportConfig::default(),
            clock: SystemClock::shared(),
        }
    }
}

impl Config {
    /// The usual configuration: an account and its secret.
    pub fn new(key: impl Into<Secret>, secret: impl Into<Secret>) -> Self {
        Self { key: Some(key.into()), secret: Some(secret.into()), ..Self::default() }
    }

    /// For a provider that has one key and no secret.
    pub fn with_key(key: impl Into<Secret>) -> Self {
        Self { key: Some(key.into()), ..Self::default() }
    }

    /// For a provider that needs no credentials.
    pub fn anonymous() -> Self {
        Self::default()
    }

    /// Sets the region.
    pub fn region(mut self, region: impl Into<String>) -> Self {
        self.region = Some(region.into());
        self
    }

    /// Redirects every host of this provider.
    pub fn endpoint(mut self, endpoint: Url) -> Self {
        self.endpoint = Some(endpoint);
        self
    }

    /// Selects a version of the provider's API.
    pub fn api_version(mut self, version: impl Into<String>) -> Self {
        self.api_version = Some(version.into());
        self
    }

    /// Sets an option that only this driver knows.
    pub fn option(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.options.insert(name.into(), value.into());
        self
    }

    /// Sets how connections are made.
    pub fn transport(mut self, transport: TransportConfig) -> Self {
        self.transport = transport;
        self
    }

    /// Sets the clock, for tests.
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// The driver's own options, typed.
    ///
    /// # Errors
    /// `InvalidArgument` for an unknown option (the message lists the known ones) or one of the wrong type.
    pub fn driver_options<T: Arguments>(&self, provider: &str) -> Result<T> {
        decode(&format!("the configuration of `{provider}`"), (*self.options).clone())
    }

    /// The account, for a provider that needs one.
    pub fn need_key(&self, what: &str) -> Result<&Secret> {
        self.key.as_ref().filter(|key| !key.is_empty()).ok_or_else(|| missing_credential(what))
    }

    /// The secret, for a provider that needs one.
    pub fn need_secret(&self, what: &str) -> Result<&Secret> {
        self.secret.as_ref().filter(|secret| !secret.is_empty()).ok_or_else(|| missing_credential(what))
    }

    /// Where the main service is: the default unless `endpoint`, or `host`, `port` and `secure`, say otherwise.
    /// An endpoint replaces scheme, host and port, and the path if it has one.
    ///
    /// # Errors
    /// `InvalidArgument` if both ways of redirection are used at once.
    pub fn base_url(&self, default: &str) -> Result<Url> {
        let url = Url::parse(default)
            .map_err(|error| Error::invalid_argument(format!("`{default}` is not a URL: {error}")))?;
        let by_host = self.host.is_some() || self.port.is_some() || self.secure.is_some();
        if let Some(endpoint) = &self.endpoint {
            if by_host {
                return Err(Error::invalid_argument(
                    "give either `endpoint` or `host`, `port` and `secure`, not both",
                ));
            }
            return Ok(redirect(&url, endpoint));
        }
        self.by_host(url)
    }

    /// Where a private installation is: `endpoint`, or `host` with `port` and `secure`; below it this path, or what is usual.
    ///
    /// # Errors
    /// `InvalidArgument` if the configuration names no place (`missing` says what to give), or a path twice.
    pub fn private_url(&self, path: Option<&str>, usual_path: &str, missing: &str) -> Result<Url> {
        let given = self.endpoint.as_ref().map(Url::path).or(self.host.as_ref().map(|_| "/"));
        let Some(given) = given else {
            return Err(Error::invalid_argument(missing.to_owned()).with_resource("option", "endpoint"));
        };
        if path.is_some() && given != "/" {
            return Err(Error::invalid_argument(format!(
                "the endpoint has the path `{given}`: leave out the option `path`"
            ))
            .with_resource("option", "path"));
        }
        let path = path.unwrap_or(usual_path).trim_matches('/');
        // The host is never this one.
        self.base_url(&format!("https://private.invalid/{path}"))
    }

    /// Where the authentication service is: `auth_url`, else as [`relocate`](Self::relocate) has it.
    ///
    /// # Errors
    /// `InvalidArgument` if the default is no URL.
    pub fn auth_base(&self, default: &str) -> Result<Url> {
        match &self.auth_url {
            Some(url) => Ok(url.clone()),
            None => Url::parse(default)
                .map(|url| self.relocate(&url))
                .map_err(|error| Error::invalid_argument(format!("`{default}` is not a URL: {error}"))),
        }
    }

    /// A URL that a service catalogue or an answer names, under the `endpoint` if there is one: scheme, host and port are
    /// the endpoint's, path and query stay.
    pub fn relocate(&self, url: &Url) -> Url {
        let Some(endpoint) = &self.endpoint else { return url.clone() };
        let mut relocated = endpoint.clone();
        relocated.set_path(url.path());
        relocated.set_query(url.query());
        relocated
    }

    fn by_host(&self, mut url: Url) -> Result<Url> {
        let invalid = |what: &str| Error::invalid_argument(format!("`{what}` does not fit in a URL"));
        if let Some(secure) = self.secure {
            url.set_scheme(if secure { "https" } else { "http" }).map_err(|()| invalid("secure"))?;
        }
        if let Some(host) = &self.host {
            url.set_host(Some(host)).map_err(|_| invalid(host))?;
        }
        if let Some(port) = self.port {
            url.set_port(Some(port)).map_err(|()| invalid("port"))?;
        }
        Ok(url)
    }
}

/// The URL at another scheme, host and port; at another path too if the endpoint has one.
fn redirect(url: &Url, endpoint: &Url) -> Url {
    let mut redirected = endpoint.clone();
    if matches!(endpoint.path(), "" | "/") {
        redirected.set_path(url.path());
    }
    redirected.set_query(url.query());
    redirected
}

fn missing_credential(what: &str) -> Error {
    Error::new(
        crate::ErrorKind::InvalidCredentials,
        format!("{what} is missing: give it in the configuration, a profile or the environment"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        text.parse().unwrap()
    }

    #[test]
    fn an_endpoint_replaces_the_host_and_keeps_the_path() {
        let config = Config::default().endpoint(url("http://127.0.0.1:8773"));
        let base = config.base_url("https://ec2.us-east-1.amazonaws.com/services/Cloud").unwrap();
        assert_eq!(base.as_str(), "http://127.0.0.1:8773/services/Cloud");
        let config = Config::default().endpoint(url("http://127.0.0.1:8773/other"));
        assert_eq!(
            config.base_url("https://a.example/services").unwrap().as_str(),
            "http://127.0.0.1:8773/other"
        );
    }

    #[test]
    fn host_port_and_secure_are_the_seeds_way() {
        let mut config = Config {
            host: Some("cloud.example".into()),
            port: Some(8080),
            secure: Some(false),
            ..Config::default()
        };
        assert_eq!(config.base_url("https://a.example/v1").unwrap().as_str(), "http://cloud.example:8080/v1");
        config.endpoint = Some(url("http://127.0.0.1"));
        assert!(config.base_url("https://a.example").unwrap_err().to_string().contains("not both"));
    }

    #[test]
    fn debug_shows_no_credential() {
        let config = Config::new("canary-key", "canary-secret");
        assert!(!format!("{config:?}").contains("canary"));
    }
}
