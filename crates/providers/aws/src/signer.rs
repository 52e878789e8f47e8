//! Signs requests of the query services, by Signature Version 4 or 2.

use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use libcloud_common::sign::{v2, v4};
use libcloud_common::{Authenticate, Body, Error, Param, Request, Result, Target, digest};

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

/// The credentials of one service in one region.
pub(crate) struct Signer {
    pub(crate) credentials: Credentials,
    pub(crate) version: SignatureVersion,
    pub(crate) region: String,
    /// The service in the credential scope: `ec2`.
    pub(crate) service: &'static str,
    /// Derived once a day.
    pub(crate) key: Mutex<Option<v4::Key>>,
}

impl Signer {
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
        let (host, path, key) = (target.host(), target.path(request), self.key(&timestamp)?);
        let query: Vec<(&str, &str)> =
            request.query.iter().map(|param| (&*param.name, param.value.as_str())).collect();
        let mut headers = vec![("host", host.as_str())];
        for (name, value) in &request.headers {
            headers.push((name.as_str(), value.to_str().unwrap_or_default()));
        }
        let access_key = self.credentials.access_key.expose();
        let signer = v4::Signer::new(access_key, &key, &timestamp, v4::PathStyle::Normalized)?;
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
