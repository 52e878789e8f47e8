//! Authorizes requests by Shared Key or a shared access signature, and makes such signatures.
//!
//! - <https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key>
//! - <https://learn.microsoft.com/rest/api/storageservices/create-service-sas>

use std::fmt::Write as _;
use std::time::Duration;

use async_trait::async_trait;
use http::Method;
use libcloud_common::{
    Authenticate, Error, ErrorKind, Param, Request, Result, Secret, Target, digest, encode,
};

use crate::credentials::{Credentials, Grant};

/// From this version on, no content has an empty length in the string to sign, and not `0`.
const EMPTY_LENGTH: &str = "2015-02-21";

/// Clocks may be this much behind when a URL is used at once.
const SKEW: Duration = Duration::from_secs(300);

/// Authorizes the requests of one account.
#[derive(Clone, Debug)]
pub(crate) struct Signer {
    account: Secret,
    version: String,
    grant: Grant,
}

impl Signer {
    pub(crate) fn new(credentials: Credentials, version: String) -> Self {
        Self { account: credentials.account, version, grant: credentials.grant }
    }

    /// The account's name.
    pub(crate) fn account(&self) -> &str {
        self.account.expose()
    }

    fn shared_key(&self, request: &Request, target: Target<'_>, key: &Secret) -> Result<String> {
        let signature = mac(key, &self.string_to_sign(request, target))?;
        Ok(format!("SharedKey {}:{signature}", self.account()))
    }

    fn string_to_sign(&self, request: &Request, target: Target<'_>) -> String {
        let header = |name: &str| request.headers.get(name).and_then(|value| value.to_str().ok());
        let mut text = format!("{}\n", request.method);
        for name in ["content-encoding", "content-language"] {
            text += header(name).unwrap_or_default();
            text += "\n";
        }
        text += &self.content_length(request);
        for name in [
            "content-md5",
            "content-type",
            "date",
            "if-modified-since",
            "if-match",
            "if-none-match",
            "if-unmodified-since",
            "range",
        ] {
            text += "\n";
            text += header(name).unwrap_or_default();
        }
        text += "\n";
        let mut names: Vec<&str> = request
            .headers
            .keys()
            .map(http::HeaderName::as_str)
            .filter(|name| name.starts_with("x-ms-"))
            .collect();
        names.sort_unstable();
        for name in names {
            let value =
                header(name).unwrap_or_default().split_ascii_whitespace().collect::<Vec<_>>().join(" ");
            let _ = writeln!(text, "{name}:{value}");
        }
        text += "/";
        text += self.account();
        text += &target.path(request);
        let mut params: Vec<(String, &str)> =
            request.query.iter().map(|param| (param.name.to_lowercase(), param.value.as_str())).collect();
        params.sort_unstable();
        let mut last = "";
        for (name, value) in &params {
            if name == last {
                let _ = write!(text, ",{value}");
            } else {
                let _ = write!(text, "\n{name}:{value}");
            }
            last = name;
        }
        text
    }

    /// What the header says that is set when the request is sent.
    fn content_length(&self, request: &Request) -> String {
        let length = request.body.length();
        let has_content = request.method == Method::PUT || request.method == Method::POST;
        match length {
            Some(0) if has_content && self.version.as_str() < EMPTY_LENGTH => "0".to_owned(),
            Some(0) | None => String::new(),
            Some(length) => length.to_string(),
        }
    }

    /// The query by which anyone can do this to a blob for a while: a service SAS, which only an access key makes.
    pub(crate) fn service_sas(
        &self,
        permission: &str,
        container: &str,
        blob: &str,
        target: Target<'_>,
        expires: Duration,
    ) -> Result<String> {
        let Grant::SharedKey(key) = &self.grant else {
            return Err(Error::new(
                ErrorKind::NotSupported,
                "a URL for others is signed with the access key of the account: configure the driver with it",
            ));
        };
        let start = before(target.now, SKEW)?.iso_seconds();
        let end = target.now.after(expires).iso_seconds();
        let protocol = if target.base.scheme() == "https" { "https" } else { "https,http" };
        let mut lines = vec![
            permission.to_owned(),
            start.clone(),
            end.clone(),
            format!("/blob/{}/{container}/{blob}", self.account()),
            // No stored policy, any address.
            String::new(),
            String::new(),
            protocol.to_owned(),
            self.version.clone(),
        ];
        let version = self.version.as_str();
        if version >= "2018-11-09" {
            // A blob, and not a snapshot of it.
            lines.extend(["b".to_owned(), String::new()]);
        }
        if version >= "2020-12-06" {
            // No scope of encryption.
            lines.push(String::new());
        }
        // The headers of the answer are the blob's own.
        lines.extend(std::iter::repeat_n(String::new(), 5));
        let signature = mac(key, &lines.join("\n"))?;
        Ok(encode::query([
            ("st", start.as_str()),
            ("se", &end),
            ("sp", permission),
            ("spr", protocol),
            ("sv", version),
            ("sr", "b"),
            ("sig", &signature),
        ]))
    }
}

#[async_trait]
impl Authenticate for Signer {
    async fn authenticate(&self, request: &mut Request, target: Target<'_>) -> Result<()> {
        request.set_header("x-ms-version", &self.version, false);
        match &self.grant {
            Grant::SharedKey(key) => {
                request.set_header("x-ms-date", &target.now.http_date(), false);
                let authorization = self.shared_key(request, target, key)?;
                request.set_header("authorization", &authorization, true);
            }
            Grant::Sas(token) => request.query.extend(sas_params(token)?),
        }
        Ok(())
    }
}

/// The parameters of a shared access signature. Only the signature is a secret.
fn sas_params(token: &Secret) -> Result<Vec<Param>> {
    // A plus in it is one: tokens are not forms.
    let decoded = |text: &str| encode::decode_form(&text.replace('+', "%2B"));
    let token = token.expose().trim_start_matches('?').split('&').filter(|pair| !pair.is_empty());
    token
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let param = Param::new(decoded(name)?, decoded(value)?);
            Ok(if name == "sig" { param.secret() } else { param })
        })
        .collect()
}

fn mac(key: &Secret, text: &str) -> Result<String> {
    let key = encode::decode_base64(key.expose())?;
    Ok(encode::base64(digest::hmac_sha256(&key, text.as_bytes())))
}

fn before(time: libcloud_common::Timestamp, by: Duration) -> Result<libcloud_common::Timestamp> {
    let by = i64::try_from(by.as_secs()).unwrap_or(i64::MAX);
    libcloud_common::Timestamp::from_unix_seconds(time.unix_seconds().saturating_sub(by))
}

#[cfg(test)]
mod tests;
