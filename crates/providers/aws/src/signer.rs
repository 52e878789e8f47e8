//! Signs requests, by Signature Version 4 or 2.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use libcloud_common::sign::{v2, v4};
use libcloud_common::{Authenticate, Body, Error, Param, Request, Result, Target, digest, json};
use serde::Deserializer;

use crate::credentials::Credentials;

/// Which of the signatures a service takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SignatureVersion {
    /// Over query and headers, sent as parameters: private installations.
    V2,
    /// Over the whole request, sent as a header: everything of today.
    V4,
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
    /// Derived once a day.
    key: Arc<Mutex<Option<v4::Key>>>,
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
        Self { credentials, version, region: region.to_owned(), service, path, key: Arc::default() }
    }

    /// For S3, where paths are signed as they are sent, and a header tells the digest of the body.
    pub(crate) fn s3(credentials: Credentials, region: &str) -> Self {
        let (version, path) = (SignatureVersion::V4, v4::PathStyle::S3);
        Self { credentials, version, region: region.to_owned(), service: "s3", path, key: Arc::default() }
    }

    /// The query by which anyone can send this request for a while. Only the host is signed with it.
    pub(crate) fn presign(&self, request: &Request, target: Target<'_>, expires: Duration) -> Result<String> {
        let timestamp = target.now.iso_basic();
        let (host, path, key) = (target.host(), target.path(request), self.key(&timestamp)?);
        let signer = v4::Signer::new(self.credentials.access_key.expose(), &key, &timestamp, self.path)?;
        let token = self.credentials.token.as_ref().map(libcloud_common::Secret::expose);
        let request = v4::Request {
            method: request.method.as_str(),
            path: &path,
            query: &[],
            headers: &[("host", &host)],
            payload_hash: v4::UNSIGNED_PAYLOAD,
        };
        signer.presign(&request, expires, token)
    }

    fn key(&self, timestamp: &str) -> Result<v4::Key> {
        let mut key = self.key.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(key) = key.as_ref().filter(|key| key.covers(timestamp)) {
            return Ok(key.clone());
        }
        let secret = self.credentials.secret_key.expose();
        let derived = v4::Key::derive(secret, timestamp, &self.region, self.service)?;
        Ok(key.insert(derived).clone())
    }

    fn sign_v4(&self, request: &mut Request, target: Target<'_>) -> Result<()> {
        let timestamp = target.now.iso_basic();
        request.set_header("x-amz-date", &timestamp, false);
        if let Some(token) = &self.credentials.token {
            request.set_header("x-amz-security-token", token.expose(), true);
        }
        if matches!(request.body, Body::Form(_)) {
            let form = "application/x-www-form-urlencoded; charset=utf-8";
            request.set_header("content-type", form, false);
        }
        let payload_hash = match request.body.to_bytes() {
            Some(bytes) => digest::sha256_hex(bytes),
            None => v4::UNSIGNED_PAYLOAD.to_owned(),
        };
        if self.path == v4::PathStyle::S3 {
            request.set_header("x-amz-content-sha256", &payload_hash, false);
        }
        let (host, path, key) = (target.host(), target.path(request), self.key(&timestamp)?);
        let query: Vec<(&str, &str)> =
            request.query.iter().map(|param| (&*param.name, param.value.as_str())).collect();
        let mut headers = vec![("host", host.as_str())];
        for (name, value) in &request.headers {
            headers.push((name.as_str(), value.to_str().unwrap_or_default()));
        }
        let access_key = self.credentials.access_key.expose();
        let signer = v4::Signer::new(access_key, &key, &timestamp, self.path)?;
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

    fn sign_v2(&self, request: &mut Request, target: Target<'_>) {
        let signer = v2::Signer {
            access_key: self.credentials.access_key.expose(),
            secret_key: self.credentials.secret_key.expose(),
            token: self.credentials.token.as_ref().map(libcloud_common::Secret::expose),
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

#[async_trait]
impl Authenticate for Signer {
    async fn authenticate(&self, request: &mut Request, target: Target<'_>) -> Result<()> {
        match self.version {
            SignatureVersion::V4 => self.sign_v4(request, target),
            SignatureVersion::V2 => {
                self.sign_v2(request, target);
                Ok(())
            }
        }
    }
}
