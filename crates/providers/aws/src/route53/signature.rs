//! The signature of the older versions: a keyed hash of the date alone, which HTTPS protects.
//!
//! <https://docs.aws.amazon.com/Route53/latest/APIReference/requests-authentication.html>

use async_trait::async_trait;
use libcloud_common::{Authenticate, Request, Result, Target, digest, encode};

use crate::credentials::Credentials;

/// Signs by AWS3-HTTPS.
#[derive(Clone, Debug)]
pub(super) struct HttpsSigner(Credentials);

impl HttpsSigner {
    pub(super) fn new(credentials: Credentials) -> Self {
        Self(credentials)
    }
}

#[async_trait]
impl Authenticate for HttpsSigner {
    async fn authenticate(&self, request: &mut Request, target: Target<'_>) -> Result<()> {
        let key = self.0.key().await?;
        let date = target.now.http_date();
        let signature = signature(key.secret_key.expose(), &date);
        let access_key = key.access_key.expose();
        request.set_header("date", &date, false);
        if let Some(token) = &key.token {
            request.set_header("x-amz-security-token", token.expose(), true);
        }
        let value =
            format!("AWS3-HTTPS AWSAccessKeyId={access_key},Signature={signature},Algorithm=HmacSHA1");
        request.set_header("x-amzn-authorization", &value, true);
        Ok(())
    }
}

fn signature(secret_key: &str, date: &str) -> String {
    encode::base64(digest::hmac_sha1(secret_key.as_bytes(), date.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_date_is_what_is_signed() {
        // Computed by OpenSSL: `printf … | openssl dgst -sha1 -hmac secret -binary | base64`.
        assert_eq!(signature("secret", "Mon, 23 Nov 2026 10:37:33 GMT"), "arx2gHN3Xj/0k+G892Ld1eqb7eQ=");
    }
}
