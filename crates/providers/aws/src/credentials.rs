//! Where the access key comes from.

use libcloud_common::{Config, Error, ErrorKind, Result, Secret};

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
    pub(crate) fn find(
        config: &Config,
        token: Option<Secret>,
        env: impl Fn(&str) -> Option<String>,
    ) -> Result<Self> {
        let given = |secret: &Option<Secret>| secret.clone().filter(|secret| !secret.is_empty());
        let variable = |name: &str| env(name).filter(|value| !value.is_empty()).map(Secret::new);
        let (access_key, secret_key, token) = match given(&config.key) {
            Some(key) => (Some(key), given(&config.secret), token),
            None => (
                variable("AWS_ACCESS_KEY_ID"),
                variable("AWS_SECRET_ACCESS_KEY"),
                token.or_else(|| variable("AWS_SESSION_TOKEN")),
            ),
        };
        match (access_key, secret_key) {
            (Some(access_key), Some(secret_key)) => Ok(Self { access_key, secret_key, token }),
            (None, _) => Err(missing("access key", "key", "AWS_ACCESS_KEY_ID")),
            (Some(_), None) => Err(missing("secret key", "secret", "AWS_SECRET_ACCESS_KEY")),
        }
    }
}

fn missing(what: &str, field: &str, variable: &str) -> Error {
    Error::new(
        ErrorKind::InvalidCredentials,
        format!("the {what} is missing: give `{field}` with the configuration, or set {variable}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(name: &str) -> Option<String> {
        match name {
            "AWS_ACCESS_KEY_ID" => Some("env-key".into()),
            "AWS_SECRET_ACCESS_KEY" => Some("env-secret".into()),
            "AWS_SESSION_TOKEN" => Some("env-token".into()),
            _ => None,
        }
    }

    #[test]
    fn the_configuration_wins_and_is_not_mixed_with_the_environment() {
        let found = Credentials::find(&Config::new("key", "secret"), None, environment).unwrap();
        assert_eq!(found.access_key.expose(), "key");
        assert_eq!(found.secret_key.expose(), "secret");
        assert_eq!(found.token, None);

        let error = Credentials::find(&Config::with_key("key"), None, environment).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidCredentials);
        assert!(error.to_string().contains("`secret`"), "{error}");
    }

    #[test]
    fn the_environment_is_asked_when_there_is_no_key() {
        let found = Credentials::find(&Config::anonymous(), None, environment).unwrap();
        assert_eq!(found.access_key.expose(), "env-key");
        assert_eq!(found.secret_key.expose(), "env-secret");
        assert_eq!(found.token.unwrap().expose(), "env-token");
    }

    #[test]
    fn without_any_the_error_says_where_to_put_it() {
        let error = Credentials::find(&Config::anonymous(), None, |_| None).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the access key is missing: give `key` with the configuration, or set AWS_ACCESS_KEY_ID"
        );
    }
}
