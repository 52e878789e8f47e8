//! Which way connections take.

use std::fmt;
use std::str::FromStr;

use hyper_util::client::proxy::matcher::Matcher;
use url::Url;

use crate::{Error, Result, link};

/// The proxy that connections go through.
///
/// ```
/// use libcloud_common::Proxy;
///
/// let proxy: Proxy = "http://me:secret@proxy.example:3128".parse()?;
/// assert!(!format!("{proxy:?}").contains("secret"));
/// assert_eq!("none".parse::<Proxy>()?, Proxy::None);
/// # Ok::<(), libcloud_common::Error>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Proxy {
    /// What `HTTPS_PROXY`, `HTTP_PROXY` and `ALL_PROXY` say, but for the hosts in `NO_PROXY`.
    #[default]
    Environment,
    /// None, whatever the environment says.
    None,
    /// This one, but for the hosts in `NO_PROXY`: `http://…`, or `socks5://…` (names are resolved here) and
    /// `socks5h://…` (by the proxy), with user and password if it asks for them.
    Url(Url),
}

/// The schemes that a proxy is spoken to by.
const SCHEMES: &[&str] = &["http", "socks5", "socks5h"];

impl Proxy {
    pub(crate) fn matcher(&self) -> Matcher {
        match self {
            Self::Environment => Matcher::from_env(),
            Self::None => Matcher::builder().build(),
            Self::Url(url) => {
                let exceptions = ["NO_PROXY", "no_proxy"].iter().find_map(|name| std::env::var(name).ok());
                Matcher::builder().all(url.as_str()).no(exceptions.unwrap_or_default()).build()
            }
        }
    }

    /// The error for a proxy that is spoken to in another way.
    pub(crate) fn unknown_scheme(scheme: &str) -> Error {
        Error::invalid_argument(format!(
            "a proxy is reached by one of `{}://`, not by `{scheme}://`",
            SCHEMES.join("://`, `")
        ))
        .with_resource("option", "proxy")
    }
}

impl FromStr for Proxy {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "" | "none" => return Ok(Self::None),
            "environment" => return Ok(Self::Environment),
            _ => {}
        }
        // As curl has it: a bare host is reached over HTTP.
        let text = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
        let url = Url::parse(&text).ok().filter(Url::has_host).ok_or_else(|| {
            Error::invalid_argument("the proxy is no URL: `http://proxy.example:3128` is one")
                .with_resource("option", "proxy")
        })?;
        if SCHEMES.contains(&url.scheme()) {
            Ok(Self::Url(url))
        } else {
            Err(Self::unknown_scheme(url.scheme()))
        }
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Environment => f.write_str("Environment"),
            Self::None => f.write_str("None"),
            Self::Url(url) => f.debug_tuple("Url").field(&link::printable(url)).finish(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_proxy_is_refused_without_showing_it() {
        for text in ["ftp://me:canary@proxy", "https://proxy", "http://", "http://me:canary@pro xy"] {
            let error = text.parse::<Proxy>().unwrap_err();
            assert_eq!(error.resource(), Some(("option", "proxy")), "{text}");
            assert!(!error.to_string().contains("canary"), "{error}");
        }
        assert_eq!(format!("{:?}", "proxy:3128".parse::<Proxy>().unwrap()), r#"Url("http://proxy:3128/")"#);
    }
}
