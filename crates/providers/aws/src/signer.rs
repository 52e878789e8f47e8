//! Signs requests, by Signature Version 4 or 2.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use http::HeaderMap;
use libcloud_common::sign::{rest, v2, v4};
use libcloud_common::{Authenticate, Body, Error, Param, Request, Result, Secret, Target, digest, json};
use serde::Deserializer;

use crate::credentials::{Credentials, Key};

/// What a temporary key is sent with.
const SECURITY_TOKEN: &str = "x-amz-security-token";

/// Which of the signatures a service takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SignatureVersion {
    /// Over query and headers, sent as parameters: private installations.
    V2,
    /// Over the whole request, sent as a header: everything of today.
    V4,
    /// None: for the few actions that say themselves who asks.
    None,
}

impl SignatureVersion {
    /// The value of the option `signature_version`.
    pub(crate) fn from_option(value: Option<&str>) -> Result<Self> {
        match value {
            None | Some("4") => Ok(Self::V4),
            Some("2") => Ok(Self::V2),
            Some(other) => {
                Err(Error::invalid_argument(format!("`signature_version` is `2` or `4`, not `{other}`"))
                    .with_resource("option", "signature_version"))
            }
        }
    }
}

/// Reads an argument whose value looks like a number.
pub(crate) fn string_or_number<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> std::result::Result<Option<String>, D::Error> {
    json::string_or_number(deserializer).map(Some)
}

/// The credentials of one service in one region. Clones share the derived key.
#[derive(Clone, Debug)]
pub(crate) struct Signer {
    credentials: Credentials,
    version: SignatureVersion,
    region: String,
    /// The service in the credential scope: `ec2`.
    service: &'static str,
    path: v4::PathStyle,
    derived: Arc<Mutex<Option<Derived>>>,
}

/// What is derived from a key once a day.
#[derive(Clone, Debug)]
struct Derived {
    access_key: Secret,
    key: v4::Key,
}

impl Signer {
    /// For a service that speaks the query protocol.
    pub(crate) fn query(
        credentials: Credentials,
        version: SignatureVersion,
        region: &str,
        service: &'static str,
    ) -> Self {
        let path = v4::PathStyle::Normalized;
        Self { credentials, version, region: region.to_owned(), service, path, derived: Arc::default() }
    }

    /// For S3, where paths are signed as they are sent, and a header tells the digest of the body.
    pub(crate) fn s3(credentials: Credentials, version: SignatureVersion, region: &str) -> Self {
        let path = v4::PathStyle::S3;
        Self { credentials, version, region: region.to_owned(), service: "s3", path, derived: Arc::default() }
    }

    /// The same for another region.
    pub(crate) fn in_region(&self, region: &str) -> Self {
        Self { region: region.to_owned(), derived: Arc::default(), ..self.clone() }
    }

    /// The key that signs, fetched if need be.
    pub(crate) async fn key(&self) -> Result<Arc<Key>> {
        self.credentials.key().await
    }

    /// Signs a request to S3. `in_host` is the container that is part of the host.
    pub(crate) async fn sign_s3(
        &self,
        request: &mut Request,
        target: Target<'_>,
        in_host: Option<&str>,
    ) -> Result<()> {
        match self.version {
            SignatureVersion::V4 => self.sign_v4(&*self.key().await?, request, target),
            SignatureVersion::V2 => {
                Self::sign_rest(&*self.key().await?, request, target, in_host);
                Ok(())
            }
            SignatureVersion::None => Ok(()),
        }
    }

    /// The query by which anyone can send this request to S3 for a while. Beside the host, the request's headers are signed
    /// with it.
    pub(crate) fn presign(
        &self,
        key: &Key,
        request: &Request,
        target: Target<'_>,
        in_host: Option<&str>,
        expires: Duration,
    ) -> Result<String> {
        let query = pairs(request);
        if self.version == SignatureVersion::V2 {
            let mut headers = headers(request);
            headers.extend(key.token.as_ref().map(|token| (SECURITY_TOKEN, token.expose())));
            let resource = resource(request, target, in_host);
            let method = request.method.as_str();
            let request = rest::Request { method, resource: &resource, query: &query, headers: &headers };
            let expires = target.now.after(expires).unix_seconds();
            return Ok(rest_signer(key).presign(&request, expires));
        }
        let timestamp = target.now.iso_basic();
        let (host, path, derived) = (target.host(), target.path(request), self.derive(key, &timestamp)?);
        let signer = v4::Signer::new(key.access_key.expose(), &derived, &timestamp, self.path)?;
        let mut headers = headers(request);
        headers.push(("host", &host));
        let request = v4::Request {
            method: request.method.as_str(),
            path: &path,
            query: &query,
            headers: &headers,
            payload_hash: v4::UNSIGNED_PAYLOAD,
        };
        signer.presign(&request, expires, key.token.as_ref().map(Secret::expose))
    }

    fn derive(&self, key: &Key, timestamp: &str) -> Result<v4::Key> {
        let mut known = self.derived.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = |known: &&Derived| known.access_key == key.access_key && known.key.covers(timestamp);
        if let Some(known) = known.as_ref().filter(fits) {
            return Ok(known.key.clone());
        }
        let derived = v4::Key::derive(key.secret_key.expose(), timestamp, &self.region, self.service)?;
        let access_key = key.access_key.clone();
        Ok(known.insert(Derived { access_key, key: derived }).key.clone())
    }

    fn sign_v4(&self, key: &Key, request: &mut Request, target: Target<'_>) -> Result<()> {
        let timestamp = target.now.iso_basic();
        request.set_header("x-amz-date", &timestamp, false);
        if let Some(token) = &key.token {
            request.set_header(SECURITY_TOKEN, token.expose(), true);
        }
        if matches!(request.body, Body::Form(_)) {
            let form = "application/x-www-form-urlencoded; charset=utf-8";
            request.set_header("content-type", form, false);
        }
        // What is not in memory was digested before, by whoever can read it twice.
        let told = request.headers.get(v4::CONTENT_SHA256).and_then(|value| value.to_str().ok());
        let payload_hash = match (told, request.body.to_bytes()) {
            (Some(told), _) => told.to_owned(),
            (None, Some(bytes)) => digest::sha256_hex(bytes),
            (None, None) => v4::UNSIGNED_PAYLOAD.to_owned(),
        };
        if self.path == v4::PathStyle::S3 {
            request.set_header(v4::CONTENT_SHA256, &payload_hash, false);
        }
        let (host, path, derived) = (target.host(), target.path(request), self.derive(key, &timestamp)?);
        let query = pairs(request);
        let mut headers = headers(request);
        headers.push(("host", &host));
        let signer = v4::Signer::new(key.access_key.expose(), &derived, &timestamp, self.path)?;
        let authorization = signer.authorization(&v4::Request {
            method: request.method.as_str(),
            path: &path,
            query: &query,
            headers: &headers,
            payload_hash: &payload_hash,
        })?;
        request.set_header("authorization", &authorization, true);
        Ok(())
    }

    fn sign_rest(key: &Key, request: &mut Request, target: Target<'_>, in_host: Option<&str>) {
        let date = target.now.http_date();
        request.set_header("date", &date, false);
        if let Some(token) = &key.token {
            request.set_header(SECURITY_TOKEN, token.expose(), true);
        }
        let resource = resource(request, target, in_host);
        let authorization = rest_signer(key).authorization(
            &rest::Request {
                method: request.method.as_str(),
                resource: &resource,
                query: &pairs(request),
                headers: &headers(request),
            },
            &date,
        );
        request.set_header("authorization", &authorization, true);
    }

    fn sign_v2(key: &Key, request: &mut Request, target: Target<'_>) {
        let signer = v2::Signer {
            access_key: key.access_key.expose(),
            secret_key: key.secret_key.expose(),
            token: key.token.as_ref().map(Secret::expose),
            algorithm: v2::Algorithm::HmacSha256,
        };
        let mut params: Vec<(String, String)> =
            request.query.iter().map(|param| (param.name.to_string(), param.value.clone())).collect();
        let path = target.path(request);
        signer.sign(request.method.as_str(), &target.host(), &path, &target.now.iso_seconds(), &mut params);
        // What was there stays, secret or not; what the signature adds comes behind it.
        for (name, value) in params.into_iter().skip(request.query.len()) {
            request.query.push(Param::new(name, value).secret());
        }
    }
}

/// The parameters of a request's query.
fn pairs(request: &Request) -> Vec<(&str, &str)> {
    request.query.iter().map(|param| (&*param.name, param.value.as_str())).collect()
}

/// The headers of a request.
fn headers(request: &Request) -> Vec<(&str, &str)> {
    let headers = request.headers.iter();
    headers.map(|(name, value)| (name.as_str(), value.to_str().unwrap_or_default())).collect()
}

/// What a request is about: the path, with the container at its beginning also where that is part of the host.
fn resource(request: &Request, target: Target<'_>, in_host: Option<&str>) -> String {
    let path = target.path(request);
    match in_host {
        Some(container) => format!("/{container}{path}"),
        None => path,
    }
}

fn rest_signer(key: &Key) -> rest::Signer<'_> {
    rest::Signer {
        access_key: key.access_key.expose(),
        secret_key: key.secret_key.expose(),
        scheme: rest::Scheme::AWS,
    }
}

#[async_trait]
impl Authenticate for Signer {
    async fn authenticate(&self, request: &mut Request, target: Target<'_>) -> Result<()> {
        match self.version {
            SignatureVersion::V4 => self.sign_v4(&*self.key().await?, request, target),
            SignatureVersion::V2 => {
                Self::sign_v2(&*self.key().await?, request, target);
                Ok(())
            }
            SignatureVersion::None => Ok(()),
        }
    }

    async fn rejected(&self, refused: &HeaderMap, error: &Error) -> Result<bool> {
        // A key that may not do this will not be allowed to under another name.
        let expired = error.code().is_some_and(|code| code.starts_with("Expired"));
        match refused.get(SECURITY_TOKEN).and_then(|token| token.to_str().ok()) {
            Some(token) if expired => Ok(self.credentials.refused(token).await),
            _ => Ok(false),
        }
    }
}
