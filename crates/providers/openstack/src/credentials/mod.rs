//! Where the credentials come from: the configuration, a file `clouds.yaml`, or the environment.

use std::path::PathBuf;

use libcloud_common::{Config, Error, ErrorKind, Result, Search, Secret};
use serde::Deserialize;

use crate::OpenStackOptions;
use crate::identity::AuthVersion;
use crate::identity::catalogue::Interface;

mod clouds_yaml;

/// What a token is to be good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Scope {
    Project,
    Domain,
    Unscoped,
}

/// Who logs in where: the section `auth` of `clouds.yaml`, whichever place it came from.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Credentials {
    pub(crate) auth_url: Option<String>,
    pub(crate) username: Option<String>,
    pub(crate) user_id: Option<String>,
    pub(crate) password: Option<Secret>,
    pub(crate) token: Option<Secret>,
    pub(crate) user_domain_id: Option<String>,
    pub(crate) user_domain_name: Option<String>,
    #[serde(alias = "tenant_id")]
    pub(crate) project_id: Option<String>,
    #[serde(alias = "tenant_name")]
    pub(crate) project_name: Option<String>,
    pub(crate) project_domain_id: Option<String>,
    pub(crate) project_domain_name: Option<String>,
    pub(crate) domain_id: Option<String>,
    pub(crate) domain_name: Option<String>,
    pub(crate) application_credential_id: Option<String>,
    pub(crate) application_credential_name: Option<String>,
    pub(crate) application_credential_secret: Option<Secret>,
    #[serde(skip)]
    pub(crate) scope: Option<Scope>,
    /// Where this was found, for messages.
    #[serde(skip)]
    pub(crate) place: String,
}

impl Credentials {
    pub(crate) fn need<'a>(&self, secret: Option<&'a Secret>, what: &str) -> Result<&'a str> {
        match secret {
            Some(secret) if !secret.is_empty() => Ok(secret.expose()),
            _ => Err(self.missing(what)),
        }
    }

    pub(crate) fn missing(&self, what: &str) -> Error {
        Error::new(ErrorKind::InvalidCredentials, format!("the {what} is missing in {}", self.place))
    }

    /// How to log in, by what there is to log in with.
    fn version(&self) -> AuthVersion {
        if self.application_credential_id.is_some() || self.application_credential_name.is_some() {
            AuthVersion::V3AppCred
        } else if self.token.is_some() && self.password.is_none() {
            AuthVersion::V3Token
        } else {
            AuthVersion::V3Password
        }
    }
}

/// All that one place tells.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) credentials: Credentials,
    pub(crate) version: AuthVersion,
    pub(crate) region: Option<String>,
    pub(crate) interface: Option<Interface>,
    pub(crate) ca_file: Option<PathBuf>,
    pub(crate) verify_certificates: bool,
}

/// What is looked for.
pub(crate) const USER: &str = "user";
pub(crate) const PASSWORD: &str = "password";
const TOKEN: &str = "token";
const APPLICATION_CREDENTIAL: &str = "application credential";
const CLOUD: &str = "cloud";

/// The credentials of the first place that has any; never a mixture of several.
///
/// A cloud that is named (option `cloud`, `OS_CLOUD`) goes before loose variables, as in OpenStack's own tools. Where
/// `environment` is false only the configuration is looked at.
pub(crate) fn find(
    config: &Config,
    options: &OpenStackOptions,
    default: AuthVersion,
    environment: bool,
    search: &mut Search,
) -> Result<Found> {
    let chosen = options.auth_version.as_deref().map(str::parse::<AuthVersion>).transpose()?;
    let key = search.given(USER, config.key.as_ref());
    let token = search.given(TOKEN, options.ex_force_auth_token.as_ref());
    let cloud = search.note(CLOUD, "the configuration", options.cloud.clone());
    let mut found = match (key, token, cloud) {
        (Some(_), None, None) => {
            search.given(PASSWORD, config.secret.as_ref());
            from_configuration(config, options, chosen.unwrap_or(default))?
        }
        (None, Some(_), None) => from_configuration(config, options, AuthVersion::V3Token)?,
        (None, None, Some(cloud)) => clouds_yaml::find(&cloud, search)?,
        (None, None, None) if environment => match search.variable(CLOUD, "OS_CLOUD") {
            Some(cloud) => clouds_yaml::find(cloud.expose(), search)?,
            None => from_environment(search)?,
        },
        (None, None, None) => return Err(search.missing(USER)),
        _ => {
            return Err(Error::invalid_argument(
                "give one of `key` with `secret`, `ex_force_auth_token`, and the `cloud` whose credentials stand in \
                 clouds.yaml",
            ));
        }
    };
    found.version = chosen.unwrap_or(found.version);
    Ok(found)
}

/// Key and secret mean what the version makes of them.
fn from_configuration(config: &Config, options: &OpenStackOptions, version: AuthVersion) -> Result<Found> {
    let text = |secret: &Option<Secret>| {
        secret.as_ref().filter(|secret| !secret.is_empty()).map(|secret| secret.expose().to_owned())
    };
    let mut credentials = Credentials {
        token: options.ex_force_auth_token.clone(),
        project_id: options.project_id.clone(),
        project_name: options.ex_tenant_name.clone(),
        project_domain_id: options.ex_tenant_domain_id.clone(),
        scope: options.ex_token_scope.as_deref().map(scope).transpose()?,
        place: "the configuration".to_owned(),
        ..Credentials::default()
    };
    if version == AuthVersion::V3AppCred {
        credentials.application_credential_id = text(&config.key);
        credentials.application_credential_secret.clone_from(&config.secret);
    } else {
        credentials.username = text(&config.key);
        credentials.password.clone_from(&config.secret);
        credentials.user_domain_name.clone_from(&options.ex_domain_name);
    }
    if credentials.scope == Some(Scope::Domain) {
        credentials.domain_name.clone_from(&options.ex_domain_name);
    }
    Ok(Found {
        credentials,
        version,
        region: None,
        interface: None,
        ca_file: None,
        verify_certificates: true,
    })
}

fn scope(word: &str) -> Result<Scope> {
    match word {
        "project" => Ok(Scope::Project),
        "domain" => Ok(Scope::Domain),
        "unscoped" => Ok(Scope::Unscoped),
        _ => Err(Error::invalid_argument(format!(
            "`{word}` is not an ex_token_scope: there are `project`, `domain` and `unscoped`"
        ))
        .with_resource("option", "ex_token_scope")),
    }
}

/// <https://docs.openstack.org/python-openstackclient/latest/cli/man/openstack.html#environment-variables>
fn from_environment(search: &mut Search) -> Result<Found> {
    let looked_for = [
        (USER, "OS_USERNAME"),
        (USER, "OS_USER_ID"),
        (PASSWORD, "OS_PASSWORD"),
        (TOKEN, "OS_TOKEN"),
        (APPLICATION_CREDENTIAL, "OS_APPLICATION_CREDENTIAL_ID"),
        (APPLICATION_CREDENTIAL, "OS_APPLICATION_CREDENTIAL_NAME"),
    ];
    for (what, name) in looked_for {
        search.variable(what, name);
    }
    let variable = |name: &str| search.sources().variable(name);
    let either = |new: &str, old: &str| variable(new).or_else(|| variable(old));
    let secret = |name: &str| variable(name).map(Secret::new);
    let credentials = Credentials {
        auth_url: variable("OS_AUTH_URL"),
        username: variable("OS_USERNAME"),
        user_id: variable("OS_USER_ID"),
        password: secret("OS_PASSWORD"),
        token: secret("OS_TOKEN"),
        user_domain_id: variable("OS_USER_DOMAIN_ID"),
        user_domain_name: variable("OS_USER_DOMAIN_NAME"),
        project_id: either("OS_PROJECT_ID", "OS_TENANT_ID"),
        project_name: either("OS_PROJECT_NAME", "OS_TENANT_NAME"),
        project_domain_id: variable("OS_PROJECT_DOMAIN_ID"),
        project_domain_name: variable("OS_PROJECT_DOMAIN_NAME"),
        domain_id: variable("OS_DOMAIN_ID"),
        domain_name: variable("OS_DOMAIN_NAME"),
        application_credential_id: variable("OS_APPLICATION_CREDENTIAL_ID"),
        application_credential_name: variable("OS_APPLICATION_CREDENTIAL_NAME"),
        application_credential_secret: secret("OS_APPLICATION_CREDENTIAL_SECRET"),
        scope: None,
        place: "the environment (OS_…)".to_owned(),
    };
    if search.looks().iter().all(|look| !look.found || look.what == PASSWORD) {
        return Err(search.missing(USER));
    }
    let version = version(&credentials, variable("OS_AUTH_TYPE"), variable("OS_IDENTITY_API_VERSION"))?;
    Ok(Found {
        version,
        credentials,
        region: variable("OS_REGION_NAME"),
        interface: either("OS_INTERFACE", "OS_ENDPOINT_TYPE").map(|word| word.parse()).transpose()?,
        ca_file: variable("OS_CACERT").map(PathBuf::from),
        verify_certificates: true,
    })
}

/// How to log in, by the words of OpenStack's own tools; by what there is, where these say nothing.
fn version(
    credentials: &Credentials,
    auth_type: Option<String>,
    api_version: Option<String>,
) -> Result<AuthVersion> {
    let old = api_version.is_some_and(|version| version.starts_with('2'));
    match auth_type.as_deref() {
        Some("v2password") => Ok(AuthVersion::V2Password),
        Some("password") | None if old => Ok(AuthVersion::V2Password),
        Some("v3password" | "password") => Ok(AuthVersion::V3Password),
        Some("token" | "v3token") => Ok(AuthVersion::V3Token),
        Some("v3applicationcredential") => Ok(AuthVersion::V3AppCred),
        None => Ok(credentials.version()),
        Some(other) => Err(Error::new(
            ErrorKind::NotSupported,
            format!(
                "this version of libcloud does not know the auth_type `{other}` of {} yet",
                credentials.place
            ),
        )),
    }
}

#[cfg(test)]
mod tests;
