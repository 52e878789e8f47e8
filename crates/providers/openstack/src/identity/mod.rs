//! The identity service (Keystone): a token, and with it the catalogue of all other services.
//!
//! <https://docs.openstack.org/api-ref/identity/>

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;
use libcloud_common::{
    Client, Config, Connection, Error, ErrorKind, Identity, Result, Secret, Session, Timestamp, Url,
};

use crate::connection::check;
use crate::credentials::Credentials;

pub(crate) mod catalogue;
mod v2;
mod v3;

use catalogue::Catalogue;

/// The header that carries the token of a call.
pub(crate) const TOKEN_HEADER: &str = "x-auth-token";

/// How long before its end a token is replaced.
const MARGIN: Duration = Duration::from_secs(60);

/// How one logs in: the version of the identity API, and what with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuthVersion {
    /// `3.x_password`: user and password.
    V3Password,
    /// `3.x_appcred`: id and secret of an application credential.
    V3AppCred,
    /// `3.x_token`: a token, for one with a catalogue.
    V3Token,
    /// `2.0_password`: user and password.
    V2Password,
    /// `2.0_apikey`: user and API key, as at Rackspace.
    V2ApiKey,
}

impl FromStr for AuthVersion {
    type Err = Error;

    /// The names of Apache Libcloud: `3.0` and `3.x` are with a password, `2.0` is with an API key.
    fn from_str(name: &str) -> Result<Self> {
        Ok(match name {
            "3.x_password" | "3.x" | "3.0" | "3" => Self::V3Password,
            "3.x_appcred" => Self::V3AppCred,
            "3.x_token" => Self::V3Token,
            "2.0_password" => Self::V2Password,
            "2.0_apikey" | "2.0" => Self::V2ApiKey,
            "1.0" | "1.1" | "2.0_voms" | "3.x_oidc_access_token" => {
                return Err(Error::new(
                    ErrorKind::NotSupported,
                    format!("this version of libcloud does not know the auth_version `{name}` yet"),
                )
                .with_resource("option", "auth_version"));
            }
            _ => {
                return Err(Error::invalid_argument(format!(
                    "`{name}` is not an auth_version: there are `3.x_password`, `3.x_appcred`, `3.x_token`, \
                     `2.0_password` and `2.0_apikey`"
                ))
                .with_resource("option", "auth_version"));
            }
        })
    }
}

impl AuthVersion {
    fn is_v2(self) -> bool {
        matches!(self, Self::V2Password | Self::V2ApiKey)
    }
}

/// What a login gives.
#[derive(Debug)]
pub(crate) struct Token {
    pub(crate) secret: Secret,
    pub(crate) expires: Option<Timestamp>,
    pub(crate) catalogue: Catalogue,
    /// Whose it is, and what it is good for; not known of a given one.
    pub(crate) owner: Identity,
}

/// The one login of a driver: all of its calls and clones share it.
pub(crate) struct IdentityService {
    source: Source,
    session: Session<Token>,
}

enum Source {
    Login {
        conn: Connection,
        version: AuthVersion,
        credentials: Box<Credentials>,
    },
    /// A token of the user's. It comes without a catalogue and cannot be renewed.
    Given(Secret),
}

impl IdentityService {
    /// Logs in when first needed, at this URL, with or without the version in its path.
    ///
    /// # Errors
    /// `InvalidCredentials` if something that this version needs is not there. Nothing is sent.
    pub(crate) fn new(
        provider: &'static str,
        url: Url,
        config: &Config,
        client: &Client,
        version: AuthVersion,
        credentials: Credentials,
    ) -> Result<Self> {
        // Written for its errors, so that they come before the first call.
        request(version, &credentials)?;
        let conn = Connection::builder(provider, without_version(url), config)
            .client(client)
            .service("identity")
            .header("accept", "application/json")
            .check(check)
            .build();
        let source = Source::Login { conn, version, credentials: Box::new(credentials) };
        Ok(Self { source, session: Session::new(Arc::clone(&config.clock), MARGIN) })
    }

    /// A token that is used as it is.
    pub(crate) fn given(token: Secret, config: &Config) -> Self {
        Self { source: Source::Given(token), session: Session::new(Arc::clone(&config.clock), MARGIN) }
    }

    /// The token, asked for if there is none or it is about to expire.
    pub(crate) async fn token(&self) -> Result<Arc<Token>> {
        self.session
            .get(|| async {
                let token = self.log_in().await?;
                let expires = token.expires;
                Ok((token, expires))
            })
            .await
    }

    /// The service refused a call with the token that it carries. Gets another one, unless that has been done since.
    /// Returns whether there is one.
    pub(crate) async fn renew(&self, refused: &HeaderMap) -> Result<bool> {
        let Some(sent) = refused.get(TOKEN_HEADER).filter(|_| self.can_renew()) else {
            // It was the login that was refused.
            return Ok(false);
        };
        let current = self.token().await?;
        if current.secret.expose().as_bytes() == sent.as_bytes() {
            self.session.forget(&current).await;
        }
        Ok(true)
    }

    fn can_renew(&self) -> bool {
        matches!(self.source, Source::Login { .. })
    }

    async fn log_in(&self) -> Result<Token> {
        let (conn, version, credentials) = match &self.source {
            Source::Login { conn, version, credentials } => (conn, *version, credentials),
            Source::Given(token) => {
                return Ok(Token {
                    secret: token.clone(),
                    expires: None,
                    catalogue: Catalogue::default(),
                    owner: Identity::default(),
                });
            }
        };
        let body = request(version, credentials)?;
        // A second token does no harm.
        if version.is_v2() {
            conn.post("Authenticate", ["v2.0", "tokens"]).json(&body).repeatable().decode(v2::token).await
        } else {
            conn.post("Authenticate", ["v3", "auth", "tokens"])
                .json(&body)
                .repeatable()
                .decode(v3::token)
                .await
        }
    }
}

fn request(version: AuthVersion, credentials: &Credentials) -> Result<libcloud_common::Value> {
    if version.is_v2() { v2::request(version, credentials) } else { v3::request(version, credentials) }
}

impl fmt::Debug for IdentityService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IdentityService").finish_non_exhaustive()
    }
}

/// People give this URL with and without the version in its path, and mean the same.
fn without_version(mut url: Url) -> Url {
    let path = url.path().trim_end_matches('/');
    let (parent, last) = path.rsplit_once('/').unwrap_or_default();
    let path = if matches!(last, "v3" | "v2.0") { parent } else { path }.to_owned();
    url.set_path(&path);
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_url_may_have_a_version_or_not() {
        for (given, base) in [
            ("http://a.example:5000", "http://a.example:5000/"),
            ("http://a.example:5000/v3", "http://a.example:5000/"),
            ("http://a.example:5000/v2.0/", "http://a.example:5000/"),
            ("https://a.example/identity/v3/", "https://a.example/identity"),
            ("https://a.example/foo/bar", "https://a.example/foo/bar"),
        ] {
            assert_eq!(without_version(given.parse().unwrap()).as_str(), base, "{given}");
        }
    }

    #[test]
    fn versions_have_the_names_of_apache_libcloud() {
        assert_eq!("2.0".parse::<AuthVersion>().unwrap(), AuthVersion::V2ApiKey);
        assert_eq!("3.0".parse::<AuthVersion>().unwrap(), AuthVersion::V3Password);
        for (name, kind) in [("1.1", ErrorKind::NotSupported), ("4", ErrorKind::InvalidArgument)] {
            let error = name.parse::<AuthVersion>().unwrap_err();
            assert_eq!(error.kind(), kind);
            assert_eq!(error.resource(), Some(("option", "auth_version")));
        }
    }
}
