//! Signature Version 4, as little of it as a benchmark needs: no token, and paths that are encoded already.

use hyper::Request;
use ring::{digest, hmac};

/// SHA-256 of nothing.
pub(crate) const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

const DATE: &str = "20260102";
const TIME: &str = "20260102T030405Z";

pub(crate) fn hex(bytes: impl AsRef<[u8]>) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |value: u8| char::from(DIGITS[usize::from(value)]);
    bytes.as_ref().iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

fn mac(key: &[u8], data: &str) -> hmac::Tag {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), data.as_bytes())
}

/// Signs a request whose body has this hash. The key is derived each time.
pub(crate) fn sign<B>(request: &mut Request<B>, payload: &str) {
    let host = request.uri().authority().map(ToString::to_string).unwrap_or_default();
    let mut query: Vec<&str> =
        request.uri().query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty()).collect();
    query.sort_unstable();
    let canonical = format!(
        "{}\n{}\n{}\nhost:{host}\nx-amz-content-sha256:{payload}\nx-amz-date:{TIME}\n\n\
         host;x-amz-content-sha256;x-amz-date\n{payload}",
        request.method(),
        request.uri().path(),
        query.join("&"),
    );
    let scope = format!("{DATE}/us-east-1/s3/aws4_request");
    let hash = hex(digest::digest(&digest::SHA256, canonical.as_bytes()));
    let text = format!("AWS4-HMAC-SHA256\n{TIME}\n{scope}\n{hash}");
    let key = mac(b"AWS4secret", DATE);
    let key = mac(key.as_ref(), "us-east-1");
    let key = mac(key.as_ref(), "s3");
    let key = mac(key.as_ref(), "aws4_request");
    let signature = hex(mac(key.as_ref(), &text));
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential=key/{scope}, SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature={signature}"
    );
    for (name, value) in
        [("x-amz-date", TIME), ("x-amz-content-sha256", payload), ("authorization", &authorization)]
    {
        if let Ok(value) = value.parse() {
            request.headers_mut().insert(name, value);
        }
    }
}
