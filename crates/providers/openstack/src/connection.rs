//! A cloud and its services: where they are, the token that every call carries, how they refuse.
//!
//! <https://docs.openstack.org/api-ref/>

use std::sync::Arc;

use async_trait::async_trait;
use http::{HeaderMap, Method, StatusCode};
use libcloud_common::{
    Authenticate, Call, Client, Config, Connection, Error, ErrorKind, Request, Response, Result, Retry,
    Search, Target, Url, Value,
};

use crate::credentials;
use crate::identity::catalogue::Wanted;
use crate::identity::{IdentityService, TOKEN_HEADER};
use crate::{Dialect, OpenStackOptions};

/// A kind of service in one version.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Service {
    /// Its type in the catalogue.
    pub(crate) service_type: &'static str,
    /// The version that belongs at the end of its path, where some catalogues leave it out.
    version: Option<&'static str>,
}

pub(crate) const COMPUTE: Service = Service { service_type: "compute", version: None };
pub(crate) const IMAGE: Service = Service { service_type: "image", version: Some("v2") };
pub(crate) const NETWORK: Service = Service { service_type: "network", version: Some("v2.0") };

/// One cloud: one login, and the services that it opens. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Cloud {
    identity: Arc<IdentityService>,
    client: Client,
    config: Arc<Config>,
    options: Arc<OpenStackOptions>,
    dialect: Arc<Dialect>,
    /// In which region and for whom; the type is that of the compute service.
    wanted: Wanted,
}

impl Cloud {
    /// Finds the credentials. Nothing is sent.
    pub(crate) fn new(
        mut config: Config,
        options: OpenStackOptions,
        dialect: Dialect,
        search: &mut Search,
    ) -> Result<Self> {
        // Fails where an endpoint and a host are given at once.
        config.base_url("http://localhost")?;
        let provider = dialect.descriptor.id;
        let region = one_of(
            "region",
            config.region.as_ref(),
            "ex_force_service_region",
            options.ex_force_service_region.as_ref(),
        )?;
        let forced =
            options.ex_force_auth_url.as_deref().map(|text| url(text, "ex_force_auth_url")).transpose()?;
        config.auth_url = one_of("auth_url", config.auth_url.as_ref(), "ex_force_auth_url", forced.as_ref())?;
        let interface = options.interface.as_deref().map(str::parse).transpose()?;
        let mut wanted = Wanted {
            service_type: options
                .ex_force_service_type
                .clone()
                .unwrap_or_else(|| COMPUTE.service_type.to_owned()),
            name: options.ex_force_service_name.clone().or_else(|| dialect.service_name.map(str::to_owned)),
            region,
            interface: interface.unwrap_or_default(),
        };
        let found = match (&options.ex_force_auth_token, &options.ex_force_base_url) {
            // A token and where to bring it: nobody has to be asked.
            (Some(_), Some(_)) => None,
            _ => {
                Some(credentials::find(&config, &options, dialect.auth_version, dialect.environment, search)?)
            }
        };
        if let Some(found) = &found {
            wanted.region = wanted.region.or_else(|| found.region.clone());
            wanted.interface = interface.or(found.interface).unwrap_or_default();
            let transport = &mut config.transport;
            transport.ca_file = transport.ca_file.take().or_else(|| found.ca_file.clone());
            transport.verify_certificates &= found.verify_certificates;
        }
        let client = Client::new(config.transport.clone());
        let identity = match found {
            Some(found) => {
                let url = auth_url(&config, found.credentials.auth_url.as_deref().or(dialect.auth_url))?;
                IdentityService::new(provider, url, &config, &client, found.version, found.credentials)?
            }
            None => IdentityService::given(options.ex_force_auth_token.clone().unwrap_or_default(), &config),
        };
        Ok(Self {
            identity: Arc::new(identity),
            client,
            config: Arc::new(config),
            options: Arc::new(options),
            dialect: Arc::new(dialect),
            wanted,
        })
    }

    pub(crate) fn identity(&self) -> &IdentityService {
        &self.identity
    }

    pub(crate) fn dialect(&self) -> &Dialect {
        &self.dialect
    }

    pub(crate) fn wanted(&self) -> &Wanted {
        &self.wanted
    }

    /// A connection to a service: at the URL that the options force, else where the catalogue says when it is first
    /// called.
    pub(crate) fn connect(&self, service: Service) -> Result<ServiceConnection> {
        let forced = match service.service_type {
            "image" => &self.options.ex_force_image_url,
            "network" => &self.options.ex_force_network_url,
            _ => &self.options.ex_force_base_url,
        };
        let forced = forced.as_deref().map(|text| url(text, "the forced URL of a service")).transpose()?;
        let is_compute = service.service_type == COMPUTE.service_type;
        let wanted = if is_compute {
            self.wanted.clone()
        } else {
            Wanted { service_type: service.service_type.to_owned(), name: None, ..self.wanted.clone() }
        };
        let forced = forced.map(|url| self.config.relocate(&with_version(url, service.version)));
        // Not connected to: the catalogue replaces it before the first attempt.
        let base = forced.clone().unwrap_or(url("http://catalogue.invalid", "")?);
        let auth = ServiceAuth {
            identity: Arc::clone(&self.identity),
            config: Arc::clone(&self.config),
            wanted,
            version: service.version,
            forced: forced.is_some(),
        };
        let microversion = match (is_compute, &self.options.ex_force_microversion) {
            (false, _) => None,
            (true, Some(forced)) => Some(forced.clone()),
            (true, None) => self.dialect.microversion.map(str::to_owned),
        };
        Ok(ServiceConnection {
            http: Connection::builder(self.dialect.descriptor.id, base, &self.config)
                .client(&self.client)
                .service("compute")
                .header("accept", "application/json")
                .auth(auth)
                .check(check)
                .build(),
            microversion: microversion.map(|version| format!("compute {version}").into()),
        })
    }

    /// Whether a service is to be asked that some clouds do not have.
    pub(crate) async fn has(&self, service: Service) -> Result<bool> {
        let forced = match service.service_type {
            "image" => &self.options.ex_force_image_url,
            _ => &self.options.ex_force_network_url,
        };
        if forced.is_some() {
            return Ok(true);
        }
        // Without a catalogue only the compute service is known.
        if !self.dialect.own_services || self.options.ex_force_base_url.is_some() {
            return Ok(false);
        }
        Ok(self.identity.token().await?.catalogue.has(service.service_type))
    }
}

/// Two names of one setting.
fn one_of<T: Clone + PartialEq + std::fmt::Display>(
    name: &'static str,
    given: Option<&T>,
    other: &str,
    also: Option<&T>,
) -> Result<Option<T>> {
    match (given, also) {
        (Some(given), Some(also)) if given != also => Err(Error::invalid_argument(format!(
            "`{name}` is `{given}` and `{other}` is `{also}`: give one of them"
        ))
        .with_resource("option", name)),
        (given, also) => Ok(given.or(also).cloned()),
    }
}

fn url(text: &str, what: &str) -> Result<Url> {
    Url::parse(text)
        .map_err(|error| Error::invalid_argument(format!("{what} `{text}` is not a URL: {error}")))
}

/// Where to log in: as configured, else what the credentials or the provider say, under the endpoint override.
fn auth_url(config: &Config, known: Option<&str>) -> Result<Url> {
    match (&config.auth_url, known, &config.endpoint) {
        (Some(given), ..) => Ok(given.clone()),
        (None, Some(known), _) => config.auth_base(known),
        (None, None, Some(endpoint)) => Ok(endpoint.clone()),
        (None, None, None) => Err(Error::invalid_argument(
            "where the identity service is has to be told: give `auth_url` with the configuration, or set OS_AUTH_URL",
        )
        .with_resource("option", "auth_url")),
    }
}

/// Some catalogues tell the root of a service, others its version too.
fn with_version(mut url: Url, version: Option<&str>) -> Url {
    if let Some(version) = version {
        let path = url.path().trim_end_matches('/');
        let last = path.rsplit('/').next().unwrap_or_default();
        let has_one =
            last.strip_prefix('v').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
        if !has_one {
            let path = format!("{path}/{version}");
            url.set_path(&path);
        }
    }
    url
}

/// Finds a service in the catalogue, and puts the token on each attempt.
struct ServiceAuth {
    identity: Arc<IdentityService>,
    config: Arc<Config>,
    wanted: Wanted,
    version: Option<&'static str>,
    forced: bool,
}

#[async_trait]
impl Authenticate for ServiceAuth {
    async fn locate(&self) -> Result<Option<Url>> {
        if self.forced {
            return Ok(None);
        }
        let url = with_version(self.identity.token().await?.catalogue.find(&self.wanted)?, self.version);
        match self.config.endpoint {
            Some(_) => Ok(Some(self.config.relocate(&url))),
            None => self.config.base_url(url.as_str()).map(Some),
        }
    }

    async fn authenticate(&self, request: &mut Request, _: Target<'_>) -> Result<()> {
        let token = self.identity.token().await?;
        request.set_header(TOKEN_HEADER, token.secret.expose(), true);
        Ok(())
    }

    async fn rejected(&self, refused: &HeaderMap, error: &Error) -> Result<bool> {
        // Another token may do no more than this one.
        if error.status() == Some(StatusCode::FORBIDDEN) {
            return Ok(false);
        }
        self.identity.renew(refused).await
    }
}

/// A connection to one service.
#[derive(Clone, Debug)]
pub(crate) struct ServiceConnection {
    http: Connection,
    microversion: Option<Arc<str>>,
}

impl ServiceConnection {
    /// The connection below.
    pub(crate) fn http(&self) -> &Connection {
        &self.http
    }

    pub(crate) fn get<const N: usize>(&self, operation: &'static str, path: [&str; N]) -> Call {
        self.call(Method::GET, operation, path)
    }

    pub(crate) fn post<const N: usize>(&self, operation: &'static str, path: [&str; N]) -> Call {
        self.call(Method::POST, operation, path)
    }

    pub(crate) fn put<const N: usize>(&self, operation: &'static str, path: [&str; N]) -> Call {
        self.call(Method::PUT, operation, path)
    }

    pub(crate) fn delete<const N: usize>(&self, operation: &'static str, path: [&str; N]) -> Call {
        self.call(Method::DELETE, operation, path)
    }

    fn call<const N: usize>(&self, method: Method, operation: &'static str, path: [&str; N]) -> Call {
        self.http
            .call(method, operation, path)
            .header_opt("openstack-api-version", self.microversion.as_deref())
    }
}

/// Where the next page begins, by the link to it. Only the marker is taken: many a service behind a proxy writes links to
/// where it is itself, and not the caller.
pub(crate) fn marker(link: Option<&str>) -> Option<String> {
    let (_, query) = link?.split_once('?')?;
    let found = query.split('&').find_map(|pair| pair.strip_prefix("marker="))?;
    libcloud_common::encode::decode_form(found).ok()
}

/// Reads an error. Each service has a shape of its own:
///
/// - Nova, Cinder: `{"itemNotFound": {"code": 404, "message": "…"}}`, the name being the code;
/// - Keystone: `{"error": {"code": 401, "title": "Unauthorized", "message": "…"}}`;
/// - Neutron: `{"NeutronError": {"type": "NetworkNotFound", "message": "…"}}`;
/// - Glance: a page of HTML.
pub(crate) fn check(response: &Response) -> Result<()> {
    if response.status.is_success() {
        return Ok(());
    }
    // A proxy on the way answers what it likes.
    let answer: Option<Value> = response.json().ok();
    let inside = answer.as_ref().and_then(Value::as_object).and_then(|object| object.iter().next());
    let Some((name, inside)) = inside else {
        return Err(sharpened(response.error(""), "", ""));
    };
    let text = |key: &str| inside.get(key).and_then(Value::as_str);
    let code = match name.as_str() {
        "error" => text("title"),
        "NeutronError" => text("type"),
        name => Some(name),
    };
    let message = text("message").or_else(|| inside.as_str()).unwrap_or_default();
    Err(sharpened(response.error(message), code.unwrap_or_default(), message))
}

/// The error with what code and message say beyond the status.
fn sharpened(error: Error, code: &str, message: &str) -> Error {
    let status = error.status().unwrap_or_default();
    let over_quota =
        message.contains("Quota exceeded") || message.contains("quota exceeded") || code == "OverQuota";
    let kind = match status {
        _ if over_quota => ErrorKind::QuotaExceeded,
        StatusCode::PAYLOAD_TOO_LARGE | StatusCode::TOO_MANY_REQUESTS => ErrorKind::RateLimited,
        StatusCode::BAD_REQUEST => ErrorKind::InvalidArgument,
        StatusCode::NOT_ACCEPTABLE | StatusCode::NOT_IMPLEMENTED => ErrorKind::NotSupported,
        StatusCode::CONFLICT if message.contains("already exists") => ErrorKind::AlreadyExists,
        _ => error.kind(),
    };
    let error = if over_quota { error.with_retry(Retry::Permanent) } else { error };
    error.with_kind(kind).with_code(code)
}

#[cfg(test)]
mod tests;
