//! `clouds.yaml`, and `secure.yaml` for what is not to stand in it.
//!
//! <https://docs.openstack.org/openstacksdk/latest/user/config/configuration.html>

use std::collections::BTreeMap;
use std::path::PathBuf;

use libcloud_common::text::near;
use libcloud_common::{Error, Result, Search, Sources};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{CLOUD, Credentials, Found, version};

#[derive(Default, Deserialize)]
#[serde(default)]
struct File {
    clouds: BTreeMap<String, Cloud>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Cloud {
    auth: Credentials,
    auth_type: Option<String>,
    identity_api_version: Option<String>,
    region_name: Option<String>,
    #[serde(alias = "endpoint_type")]
    interface: Option<String>,
    cacert: Option<PathBuf>,
    verify: Option<bool>,
    profile: Option<String>,
}

/// The cloud of this name.
pub(super) fn find(name: &str, search: &mut Search) -> Result<Found> {
    let sources = search.sources().clone();
    let Some((path, mut file)) = read::<File>("clouds", "OS_CLIENT_CONFIG_FILE", &sources)? else {
        return Err(Error::invalid_argument(format!(
            "the cloud `{name}` is to be looked up in clouds.yaml, and there is none in {}",
            places(&sources, "clouds").map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
        )));
    };
    let path = path.display();
    let Some(cloud) = search.note(CLOUD, format!("the file {path}"), file.clouds.remove(name)) else {
        let known: Vec<_> = file.clouds.keys().map(String::as_str).collect();
        let hint = match near(name, &known) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("it has {}", known.join(", ")),
        };
        return Err(Error::invalid_argument(format!("{path} has no cloud `{name}`; {hint}")));
    };
    if let Some(profile) = cloud.profile {
        return Err(Error::invalid_argument(format!(
            "the cloud `{name}` in {path} is of the profile `{profile}`: profiles are not known here; write auth_url and \
             region_name into it"
        )));
    }
    let secret = read::<File>("secure", "OS_CLIENT_SECURE_FILE", &sources)?
        .and_then(|(_, mut file)| file.clouds.remove(name))
        .unwrap_or_default();
    let mut credentials = secret.auth.over(cloud.auth);
    credentials.place = format!("the cloud `{name}` in {path}");
    let version = version(&credentials, cloud.auth_type, cloud.identity_api_version)?;
    Ok(Found {
        version,
        credentials,
        region: cloud.region_name,
        interface: cloud.interface.map(|word| word.parse()).transpose()?,
        ca_file: cloud.cacert,
        verify_certificates: cloud.verify.unwrap_or(true),
    })
}

/// The first of these files that there is.
fn read<T: DeserializeOwned>(stem: &str, variable: &str, sources: &Sources) -> Result<Option<(PathBuf, T)>> {
    let named = sources.variable(variable).map(PathBuf::from);
    for path in named.into_iter().chain(places(sources, stem)) {
        if let Some(text) = sources.file(&path)? {
            let options = serde_saphyr::options! { with_snippet: false };
            let file = serde_saphyr::from_str_with_options(&text, options).map_err(|error| {
                // The words of the parser may repeat what stands there, and that may be a password.
                let place = error.location().map(|at| format!(" in line {}", at.line())).unwrap_or_default();
                Error::invalid_argument(format!("{} is not as it should be{place}", path.display()))
            })?;
            return Ok(Some((path, file)));
        }
    }
    Ok(None)
}

/// Where the files are looked for, in order.
fn places<'a>(sources: &Sources, stem: &'a str) -> impl Iterator<Item = PathBuf> + use<'a> {
    let home = sources.variable("XDG_CONFIG_HOME").map(PathBuf::from);
    let home = home.or_else(|| sources.home().map(|home| home.join(".config")));
    [Some(PathBuf::new()), home.map(|home| home.join("openstack")), Some(PathBuf::from("/etc/openstack"))]
        .into_iter()
        .flatten()
        .flat_map(move |folder| ["yaml", "yml"].map(|ending| folder.join(format!("{stem}.{ending}"))))
}

impl Credentials {
    /// These, and where they say nothing the others.
    fn over(self, other: Self) -> Self {
        Self {
            auth_url: self.auth_url.or(other.auth_url),
            username: self.username.or(other.username),
            user_id: self.user_id.or(other.user_id),
            password: self.password.or(other.password),
            token: self.token.or(other.token),
            user_domain_id: self.user_domain_id.or(other.user_domain_id),
            user_domain_name: self.user_domain_name.or(other.user_domain_name),
            project_id: self.project_id.or(other.project_id),
            project_name: self.project_name.or(other.project_name),
            project_domain_id: self.project_domain_id.or(other.project_domain_id),
            project_domain_name: self.project_domain_name.or(other.project_domain_name),
            domain_id: self.domain_id.or(other.domain_id),
            domain_name: self.domain_name.or(other.domain_name),
            application_credential_id: self.application_credential_id.or(other.application_credential_id),
            application_credential_name: self
                .application_credential_name
                .or(other.application_credential_name),
            application_credential_secret: self
                .application_credential_secret
                .or(other.application_credential_secret),
            scope: self.scope.or(other.scope),
            place: other.place,
        }
    }
}
