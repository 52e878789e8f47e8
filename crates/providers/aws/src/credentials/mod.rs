//! Where access keys come from: the order of Amazon's own tools.
//!
//! <https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html>

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use libcloud_common::{Config, Error, Result, Search, Secret, Session};

mod fetch;
mod metadata;
mod profiles;

use fetch::Way;

/// How long before it expires a key is renewed.
const MARGIN: Duration = Duration::from_secs(300);

const ACCESS_KEY: &str = "access key";
const SECRET_KEY: &str = "secret key";
const TOKEN: &str = "session token";

/// An access key, permanent or temporary.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    pub(crate) access_key: Secret,
    pub(crate) secret_key: Secret,
    /// Only with a temporary key.
    pub(crate) token: Option<Secret>,
}

/// An access key, or the way to one. Clones share what was fetched.
#[derive(Clone, Debug)]
pub(crate) struct Credentials {
    source: Source,
    region: Option<String>,
}

#[derive(Clone)]
enum Source {
    Given(Arc<Key>),
    Fetched(Arc<Fetched>),
}

struct Fetched {
    way: Way,
    session: Session<Key>,
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Given(key) => key.fmt(f),
            Self::Fetched(fetched) => fetched.way.fmt(f),
        }
    }
}

impl Credentials {
    /// The key of the configuration, else what the environment, the shared files, a container or the instance has: the first
    /// that is there, never a mixture. Nothing is sent.
    pub(crate) fn find(config: &Config, token: Option<&Secret>, search: &mut Search) -> Result<Self> {
        if let Some(access_key) = search.given(ACCESS_KEY, config.key.as_ref()) {
            let secret_key = search.given(SECRET_KEY, config.secret.as_ref());
            let secret_key = secret_key.ok_or_else(|| search.missing(SECRET_KEY))?;
            let token = search.given(TOKEN, token);
            return Ok(Self::given(Key { access_key, secret_key, token }));
        }
        let variables_region = ["AWS_REGION", "AWS_DEFAULT_REGION"];
        let region = variables_region.iter().find_map(|name| search.sources().variable(name));
        // A profile that is asked for by name goes before the variables.
        if let Some(profile) = config.options.get("profile").and_then(serde_json::Value::as_str) {
            let found = profiles::find(config, search, Some(profile))?;
            let found = found.ok_or_else(|| search.missing(ACCESS_KEY))?;
            return Ok(Self { region: region.or(found.region), ..found });
        }
        let found = match environment(search)? {
            Some(key) => Some(Self::given(key)),
            None => match fetch::web_identity(config, search)? {
                Some(way) => Some(Self::fetched(config, way)),
                None => match profiles::find(config, search, None)? {
                    Some(found) => Some(found),
                    None => metadata::find(config, search)?.map(|way| Self::fetched(config, way)),
                },
            },
        };
        let found = found.ok_or_else(|| search.missing(ACCESS_KEY))?;
        Ok(Self { region: region.or(found.region), ..found })
    }

    /// The key of the configuration, or of the profile that it names: for a service that is not Amazon's, and must not be
    /// shown Amazon's keys.
    pub(crate) fn own(config: &Config, token: Option<&Secret>, search: &mut Search) -> Result<Self> {
        let is_given = config.key.as_ref().is_some_and(|key| !key.is_empty());
        if is_given || config.options.contains_key("profile") {
            return Self::find(config, token, search);
        }
        // Told as a place that was looked at.
        search.given(ACCESS_KEY, config.key.as_ref());
        Err(search.missing(ACCESS_KEY))
    }

    /// No key, for what is not signed.
    fn none() -> Self {
        let nothing = || Secret::new("");
        Self::given(Key { access_key: nothing(), secret_key: nothing(), token: None })
    }

    fn given(key: Key) -> Self {
        Self { source: Source::Given(Arc::new(key)), region: None }
    }

    fn fetched(config: &Config, way: Way) -> Self {
        let session = Session::new(Arc::clone(&config.clock), MARGIN);
        Self { source: Source::Fetched(Arc::new(Fetched { way, session })), region: None }
    }

    /// The region that goes with the key, where the key is not the configuration's own.
    pub(crate) fn region(&self) -> Option<&str> {
        self.region.as_deref()
    }

    /// The key, fetched or renewed if need be: once for all who wait for it.
    pub(crate) async fn key(&self) -> Result<Arc<Key>> {
        match &self.source {
            Source::Given(key) => Ok(Arc::clone(key)),
            Source::Fetched(fetched) => fetched.session.get(|| fetched.way.fetch()).await,
        }
    }

    /// Gives up the key that has this token, after the provider refused it. Returns whether another can be had.
    pub(crate) async fn refused(&self, token: &str) -> bool {
        match &self.source {
            Source::Given(_) => false,
            Source::Fetched(fetched) => {
                let is_refused =
                    |key: &Arc<Key>| key.token.as_ref().is_some_and(|known| known.expose() == token);
                fetched.session.forget_if(is_refused).await;
                true
            }
        }
    }
}

/// The key of the environment.
fn environment(search: &mut Search) -> Result<Option<Key>> {
    let Some(access_key) = search.variable(ACCESS_KEY, "AWS_ACCESS_KEY_ID") else {
        return Ok(None);
    };
    let secret_key = search.variable(SECRET_KEY, "AWS_SECRET_ACCESS_KEY");
    let secret_key = secret_key.ok_or_else(|| search.missing(SECRET_KEY))?;
    let token = search.variable(TOKEN, "AWS_SESSION_TOKEN");
    Ok(Some(Key { access_key, secret_key, token }))
}

/// What a place of credentials has that is not as it must be.
fn wrong(place: impl fmt::Display, problem: impl fmt::Display) -> Error {
    Error::new(libcloud_common::ErrorKind::InvalidCredentials, format!("{place}: {problem}"))
}

#[cfg(test)]
mod tests;
