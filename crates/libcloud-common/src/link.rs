//! Where an answer leads: a redirect, or the next page of a listing.

use http::{Method, StatusCode};
use url::Url;

use crate::request::{Body, Param, Request};
use crate::{Error, ErrorKind, REDACTED, Result, is_secret_name};

/// A place that an answer names. Its path is kept as it came: a URL normaliser would change the names of objects.
#[derive(Debug)]
pub(crate) struct Link {
    url: Url,
    path: String,
    query: Vec<Param>,
}

impl Link {
    /// Reads a link as it stands in an answer to this request.
    ///
    /// # Errors
    /// `MalformedResponse` for what is no URL of HTTP.
    pub(crate) fn parse(text: &str, base: &Url, request: &Request) -> Result<Self> {
        let malformed = || {
            Error::new(ErrorKind::MalformedResponse, format!("the answer leads to `{text}`, which is no URL"))
        };
        let from = base.join(&format!("{}{}", base.path().trim_end_matches('/'), request.path));
        let url = from.ok().and_then(|from| from.join(text).ok()).ok_or_else(malformed)?;
        if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
            return Err(malformed());
        }
        let text = text.split('#').next().unwrap_or_default();
        let after_scheme = text.split_once("://").map_or(text, |(_, rest)| rest);
        let (before_query, _) = after_scheme.split_once('?').unwrap_or((after_scheme, ""));
        // Relative ones are rare, and only those have to be resolved.
        let path = match before_query.find('/') {
            Some(at) if text.len() != after_scheme.len() => before_query.get(at..).unwrap_or("/"),
            Some(0) if !text.starts_with("//") => before_query,
            _ => url.path(),
        };
        let path = path.to_owned();
        let query = url.query_pairs().map(|(name, value)| {
            let secret = is_secret_name(&name) || name.to_ascii_lowercase().contains("signature");
            Param { name: name.into_owned().into(), value: value.into_owned(), secret }
        });
        let query = query.collect();
        Ok(Self { url, path, query })
    }

    pub(crate) fn url(&self) -> &Url {
        &self.url
    }

    pub(crate) fn into_url(self) -> Url {
        self.url
    }

    /// Whether it is on the same server: scheme, host and port.
    pub(crate) fn is_within(&self, base: &Url) -> bool {
        self.url.origin() == base.origin()
    }
}

impl Request {
    /// Sends it to this place from now on.
    pub(crate) fn go_to(&mut self, place: Url, link: Link) {
        self.place = Some(place);
        self.path = link.path;
        self.query = link.query;
    }

    /// Follows a redirect; "see other" is asked for, whatever the method was.
    pub(crate) fn redirect(&mut self, status: StatusCode, link: Link) {
        if status == StatusCode::SEE_OTHER && self.method != Method::HEAD {
            self.method = Method::GET;
            self.body = Body::Empty;
            self.headers.remove(http::header::CONTENT_TYPE);
        }
        let place = origin(link.url());
        self.go_to(place, link);
    }
}

/// The server alone, without a path.
pub(crate) fn origin(url: &Url) -> Url {
    let mut origin = url.clone();
    origin.set_path("");
    origin.set_query(None);
    origin.set_fragment(None);
    origin
}

/// The URL for an error message: its query may hold a signature or a token.
pub(crate) fn printable(url: &Url) -> String {
    let mut shown = url.clone();
    // An authority that cannot have credentials has none to hide.
    let _ = shown.set_username("").and_then(|()| shown.set_password(None));
    shown.set_fragment(None);
    let has_query = shown.query().is_some();
    shown.set_query(None);
    if has_query { format!("{shown}?{REDACTED}") } else { shown.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Link> {
        let base = "https://api.example/v2/".parse().unwrap();
        Link::parse(text, &base, &Request::new("List", Method::GET, ["images", "a"]))
    }

    #[test]
    fn paths_are_kept_as_they_came() {
        for (text, path) in [
            ("https://api.example/v2/a//../%2E/b?marker=1", "/v2/a//../%2E/b"),
            ("/v2/a/../b?marker=1", "/v2/a/../b"),
            ("?marker=1", "/v2/images/a"),
            ("b?marker=1", "/v2/images/b"),
            ("https://api.example?marker=1", "/"),
        ] {
            let link = parse(text).unwrap();
            assert_eq!(link.path, path, "{text}");
            assert_eq!(link.query, [Param::new("marker", "1")], "{text}");
        }
    }

    #[test]
    fn another_scheme_host_or_port_is_another_server() {
        let base = "https://api.example/v2".parse().unwrap();
        assert!(parse("https://api.example:443/x").unwrap().is_within(&base));
        assert!(parse("/x").unwrap().is_within(&base));
        for text in [
            "http://api.example/x",
            "https://api.example:8443/x",
            "https://evil.example/x",
            "//evil.example/x",
        ] {
            assert!(!parse(text).unwrap().is_within(&base), "{text}");
        }
        for text in ["ftp://api.example/x", "http://", "javascript:alert(1)"] {
            assert_eq!(parse(text).unwrap_err().kind(), ErrorKind::MalformedResponse, "{text}");
        }
    }

    #[test]
    fn what_may_be_secret_in_a_link_is_not_shown() {
        let url = "https://me:canary@other.example/x?sig=canary#canary".parse().unwrap();
        assert_eq!(printable(&url), "https://other.example/x?•••");
        let link = parse("/x?X-Amz-Signature=canary&token=canary&marker=1").unwrap();
        assert_eq!(link.query.iter().map(|param| param.secret).collect::<Vec<_>>(), [true, true, false]);
    }
}
