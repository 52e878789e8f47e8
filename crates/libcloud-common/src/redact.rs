//! Secrets that come back in an answer: a provider may repeat in a sentence what it was told.

use std::borrow::Cow;
use std::sync::Arc;

use crate::request::Request;
use crate::secret::REDACTED;
use crate::{Config, Error, Secret, is_secret_name};

/// A shorter text is part of ordinary words, and would make them unreadable.
const SHORTEST: usize = 6;

/// The credentials of a configuration, to be looked for in what a provider answers.
#[derive(Clone, Default)]
pub(crate) struct Known(Arc<[Secret]>);

impl Known {
    /// Key, secret, and the options of a secret's name.
    pub(crate) fn of(config: &Config) -> Self {
        let options = config.options.iter().filter(|(name, _)| is_secret_name(name));
        let options = options.filter_map(|(_, value)| value.as_str().map(Secret::from));
        let all = [&config.secret, &config.key].into_iter().flatten().cloned().chain(options);
        Self(all.filter(|secret| secret.expose().len() >= SHORTEST).collect())
    }

    /// The text with `•••` for each of them, and for what this request carried as a secret: a token of a login.
    pub(crate) fn hide<'a>(&self, request: Option<&Request>, text: &'a str) -> Cow<'a, str> {
        let headers = request.into_iter().flat_map(|request| request.headers.values());
        let headers = headers.filter(|value| value.is_sensitive()).filter_map(|value| value.to_str().ok());
        let params = request.into_iter().flat_map(|request| &request.query);
        let params = params.filter(|param| param.secret).map(|param| param.value.as_str());
        let bodies = request.into_iter().flat_map(|request| request.body.secrets());
        let sent = headers.chain(params).chain(bodies).filter(|value| value.len() >= SHORTEST);
        let mut hidden = Cow::Borrowed(text);
        for secret in self.0.iter().map(Secret::expose).chain(sent) {
            if hidden.contains(secret) {
                hidden = Cow::Owned(hidden.replace(secret, REDACTED));
            }
        }
        hidden
    }

    /// The error, its texts without them.
    pub(crate) fn hide_in(&self, request: Option<&Request>, error: Error) -> Error {
        error.map_texts(|text| match self.hide(request, text) {
            Cow::Borrowed(_) => None,
            Cow::Owned(hidden) => Some(hidden),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    #[test]
    fn what_a_provider_repeats_is_hidden() {
        let config =
            Config::new("admin", "canary-secret").option("token", "canary-token").option("size", "largest");
        let known = Known::of(&config);
        let mut request = Request::new("A", http::Method::GET, ["x"]);
        request.set_header("x-session", "canary-session", true);
        request.set_header("x-region", "eu-west-1", false);
        let text = "admin, canary-secret, canary-token, canary-session, eu-west-1, largest";
        let hidden = "admin, •••, •••, •••, eu-west-1, largest";
        assert_eq!(known.hide(Some(&request), text), hidden);
        assert!(matches!(known.hide(None, "nothing of it"), Cow::Borrowed(_)));

        let error = Error::new(ErrorKind::Provider, text)
            .with_code("canary-secret")
            .with_source(std::io::Error::other("canary-token"));
        let error = known.hide_in(Some(&request), error);
        assert_eq!((error.message(), error.code()), (hidden, Some("•••")));
        assert!(!format!("{error:#} {error:?}").contains("canary"), "{error:#} {error:?}");
    }
}
