//! Where the access key comes from.

use libcloud_common::{Config, Result, Search, Secret};

/// An access key, permanent or temporary.
#[derive(Clone, Debug)]
pub(crate) struct Credentials {
    pub(crate) access_key: Secret,
    pub(crate) secret_key: Secret,
    /// Only with a temporary key.
    pub(crate) token: Option<Secret>,
}

impl Credentials {
    /// The key of the configuration, else that of the environment; never a mixture of both.
    pub(crate) fn find(config: &Config, token: Option<&Secret>, search: &mut Search) -> Result<Self> {
        let (access_key, secret_key, token) = match search.given(ACCESS_KEY, config.key.as_ref()) {
            Some(access_key) => {
                (access_key, search.given(SECRET_KEY, config.secret.as_ref()), search.given(TOKEN, token))
            }
            None => (
                search.variable(ACCESS_KEY, "AWS_ACCESS_KEY_ID").ok_or_else(|| search.missing(ACCESS_KEY))?,
                search.variable(SECRET_KEY, "AWS_SECRET_ACCESS_KEY"),
                search.first(TOKEN, token, &["AWS_SESSION_TOKEN"]),
            ),
        };
        let secret_key = secret_key.ok_or_else(|| search.missing(SECRET_KEY))?;
        Ok(Self { access_key, secret_key, token })
    }
}

const ACCESS_KEY: &str = "access key";
const SECRET_KEY: &str = "secret key";
const TOKEN: &str = "session token";

#[cfg(test)]
mod tests {
    use libcloud_common::{ErrorKind, Sources};

    use super::*;

    fn environment() -> Search {
        Search::new(&Sources::of(
            [
                ("AWS_ACCESS_KEY_ID", "env-key"),
                ("AWS_SECRET_ACCESS_KEY", "env-secret"),
                ("AWS_SESSION_TOKEN", "env-token"),
            ],
            [],
        ))
    }

    #[test]
    fn the_configuration_wins_and_is_not_mixed_with_the_environment() {
        let found = Credentials::find(&Config::new("key", "secret"), None, &mut environment()).unwrap();
        assert_eq!(found.access_key.expose(), "key");
        assert_eq!(found.secret_key.expose(), "secret");
        assert_eq!(found.token, None);

        let error = Credentials::find(&Config::with_key("key"), None, &mut environment()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidCredentials);
        assert_eq!(error.to_string(), "the secret key is missing: give it in the configuration");
    }

    #[test]
    fn the_environment_is_asked_when_there_is_no_key() {
        let mut search = environment();
        let found = Credentials::find(&Config::anonymous(), None, &mut search).unwrap();
        assert_eq!(found.access_key.expose(), "env-key");
        assert_eq!(found.secret_key.expose(), "env-secret");
        assert_eq!(found.token.unwrap().expose(), "env-token");
        let found: Vec<_> =
            search.looks().iter().filter(|look| look.found).map(|look| look.place.as_str()).collect();
        assert_eq!(
            found,
            [
                "the variable AWS_ACCESS_KEY_ID",
                "the variable AWS_SECRET_ACCESS_KEY",
                "the variable AWS_SESSION_TOKEN",
            ]
        );
    }

    #[test]
    fn without_any_the_error_says_where_it_was_looked_for() {
        let mut search = Search::new(&Sources::of([], []));
        let error = Credentials::find(&Config::anonymous(), None, &mut search).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the access key is missing: give it in the configuration or the variable AWS_ACCESS_KEY_ID"
        );
    }
}
