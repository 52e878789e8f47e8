//! How a request is authenticated: the seam between the transport and a provider.

use std::sync::Arc;

use async_trait::async_trait;
use http::HeaderMap;
use url::Url;

use crate::{Error, Request, Result, Secret, Timestamp};

/// Where a request goes and when: what a signature is made over, beside the request.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Target<'a> {
    /// The base URL; the path of the request is below its path.
    pub base: &'a Url,
    /// The time of this attempt.
    pub now: Timestamp,
}

impl<'a> Target<'a> {
    /// A target.
    pub fn new(base: &'a Url, now: Timestamp) -> Self {
        Self { base, now }
    }

    /// The value of the `Host` header: the port only where it is not the scheme's own.
    pub fn host(&self) -> String {
        let host = self.base.host_str().unwrap_or_default();
        self.base.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }

    /// The whole encoded path of the request.
    pub fn path(&self, request: &Request) -> String {
        let prefix = self.base.path().trim_end_matches('/');
        if request.path.is_empty() && prefix.is_empty() {
            return "/".to_owned();
        }
        format!("{prefix}{}", request.path)
    }
}

/// Adds credentials to a request: a header, parameters, or a signature. Called for each attempt anew.
#[async_trait]
pub trait Authenticate: Send + Sync {
    /// Authenticates one attempt. May log in first; a login is shared by all calls that wait for it.
    async fn authenticate(&self, request: &mut Request, target: Target<'_>) -> Result<()>;

    /// Where the service is, if it is the login that tells (a service catalogue). Asked before each attempt; it replaces
    /// the connection's base URL.
    async fn locate(&self) -> Result<Option<Url>> {
        Ok(None)
    }

    /// The provider answered that the credentials are not valid (any more), or not for this: the error tells which. Returns
    /// whether new ones can be had, so that the request is worth one more try.
    ///
    /// `refused` are the headers as they were sent: of many calls that were refused together, only the first finds its
    /// token still current, and gives it up.
    async fn rejected(&self, refused: &HeaderMap, error: &Error) -> Result<bool> {
        let _ = (refused, error);
        Ok(false)
    }

    /// The provider answered that what is asked for is in this other region: the error is about the resource `region`.
    /// Returns whether the next attempt goes there, so that the request is worth one more try.
    async fn elsewhere(&self, region: &str) -> Result<bool> {
        let _ = region;
        Ok(false)
    }
}

#[async_trait]
impl<T: Authenticate + ?Sized> Authenticate for Arc<T> {
    async fn authenticate(&self, request: &mut Request, target: Target<'_>) -> Result<()> {
        (**self).authenticate(request, target).await
    }

    async fn locate(&self) -> Result<Option<Url>> {
        (**self).locate().await
    }

    async fn rejected(&self, refused: &HeaderMap, error: &Error) -> Result<bool> {
        (**self).rejected(refused, error).await
    }

    async fn elsewhere(&self, region: &str) -> Result<bool> {
        (**self).elsewhere(region).await
    }
}

/// No credentials.
#[derive(Clone, Copy, Debug)]
pub struct Anonymous;

#[async_trait]
impl Authenticate for Anonymous {
    async fn authenticate(&self, _: &mut Request, _: Target<'_>) -> Result<()> {
        Ok(())
    }
}

/// User name and password in the `Authorization` header (RFC 7617).
#[derive(Clone, Debug)]
pub struct Basic {
    /// The user.
    pub user: Secret,
    /// The password.
    pub password: Secret,
}

#[async_trait]
impl Authenticate for Basic {
    async fn authenticate(&self, request: &mut Request, _: Target<'_>) -> Result<()> {
        use base64::Engine as _;
        let pair = zeroize::Zeroizing::new(format!("{}:{}", self.user.expose(), self.password.expose()));
        let value = base64::engine::general_purpose::STANDARD.encode(pair.as_bytes());
        request.set_header("authorization", &format!("Basic {value}"), true);
        Ok(())
    }
}

/// A token in the `Authorization` header (RFC 6750).
#[derive(Clone, Debug)]
pub struct Bearer(pub Secret);

#[async_trait]
impl Authenticate for Bearer {
    async fn authenticate(&self, request: &mut Request, _: Target<'_>) -> Result<()> {
        request.set_header("authorization", &format!("Bearer {}", self.0.expose()), true);
        Ok(())
    }
}

/// A key in a header of the provider's own.
#[derive(Clone, Debug)]
pub struct HeaderKey {
    /// The header.
    pub name: &'static str,
    /// Its value.
    pub value: Secret,
}

#[async_trait]
impl Authenticate for HeaderKey {
    async fn authenticate(&self, request: &mut Request, _: Target<'_>) -> Result<()> {
        request.set_header(self.name, self.value.expose(), true);
        Ok(())
    }
}
