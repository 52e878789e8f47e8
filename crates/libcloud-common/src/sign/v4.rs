//! AWS Signature Version 4: an `Authorization` header, or a presigned query.
//!
//! A [`Key`] is derived once for a day, region and service, and then signs any number of requests through a cheap
//! [`Signer`]. Sources: [Create a signed AWS API
//! request](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html) and [Authenticating
//! requests to S3](https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-authenticating-requests.html).

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use ring::hmac;

use crate::{Error, Result, digest, encode};

/// The name of the algorithm in the header and the query.
pub const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// The payload hash that leaves the body out of the signature. S3 takes it over TLS and in presigned requests.
pub const UNSIGNED_PAYLOAD: &str = "UNSIGNED-PAYLOAD";

/// The header in which S3 wants the payload hash.
pub const CONTENT_SHA256: &str = "x-amz-content-sha256";

/// The payload hash of an empty body.
pub const EMPTY_PAYLOAD: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// The longest life of a presigned request: seven days.
pub const MAX_EXPIRES: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// How the path enters the canonical request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum PathStyle {
    /// Every service but S3: `.`, `..` and empty segments are resolved, and what is sent is encoded once more.
    #[default]
    Normalized,
    /// S3: exactly the path that is sent, since `a//../b` is the name of an object.
    S3,
}

/// A signing key for one day, region and service. `Debug` shows only these.
///
/// Deriving it takes four HMACs, so a connection keeps it as long as it [covers](Self::covers) the timestamp.
#[derive(Clone)]
pub struct Key {
    /// `20150830/us-east-1/iam/aws4_request`
    scope: String,
    key: hmac::Key,
}

impl Key {
    /// Derives the key for `date` (`20150830`, in UTC), `region` and `service`.
    ///
    /// Any longer timestamp that begins with such a date is taken as well. Anything else is an error of kind
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument).
    ///
    /// ```
    /// use libcloud_common::sign::v4::Key;
    ///
    /// let key = Key::derive("secret", "20150830", "us-east-1", "iam")?;
    /// assert!(key.covers("20150830T123600Z"));
    /// assert_eq!(key.scope(), "20150830/us-east-1/iam/aws4_request");
    /// # Ok::<(), libcloud_common::Error>(())
    /// ```
    pub fn derive(secret_key: &str, date: &str, region: &str, service: &str) -> Result<Self> {
        let Some(day) = date.get(..8).filter(|day| day.bytes().all(|byte| byte.is_ascii_digit())) else {
            return Err(Error::invalid_argument(format!("`{date}` is no date like 20150830")));
        };
        let bytes = derive(secret_key, day, region, service);
        Ok(Self {
            scope: format!("{day}/{region}/{service}/aws4_request"),
            key: hmac::Key::new(hmac::HMAC_SHA256, &bytes),
        })
    }

    /// Whether the key signs on the day of this timestamp (`20150830T123600Z`).
    pub fn covers(&self, timestamp: &str) -> bool {
        timestamp.get(..8).is_some_and(|day| self.scope.starts_with(day))
    }

    /// The credential scope: date, region, service and `aws4_request`, separated by `/`.
    pub fn scope(&self) -> &str {
        &self.scope
    }

    /// The signature of this text, in hexadecimal.
    pub fn sign(&self, string_to_sign: &str) -> String {
        encode::hex(hmac::sign(&self.key, string_to_sign.as_bytes()))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").field("scope", &self.scope).finish_non_exhaustive()
    }
}

fn derive(secret_key: &str, day: &str, region: &str, service: &str) -> [u8; 32] {
    let mut seed = zeroize::Zeroizing::new(String::with_capacity(4 + secret_key.len()));
    seed.push_str("AWS4");
    seed.push_str(secret_key);
    let key = digest::hmac_sha256(seed.as_bytes(), day.as_bytes());
    let key = digest::hmac_sha256(&key, region.as_bytes());
    let key = digest::hmac_sha256(&key, service.as_bytes());
    digest::hmac_sha256(&key, b"aws4_request")
}

/// The parts of a request that are signed. `Debug` shows names, but no value of a header or parameter.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// The method in upper case.
    pub method: &'a str,
    /// The path as it is sent, so percent-encoded. An empty one is `/`.
    pub path: &'a str,
    /// The parameters of the query, decoded, in any order. They are sent as [`encode::query`] encodes them.
    pub query: &'a [(&'a str, &'a str)],
    /// The headers to sign, in any order; every one given is signed.
    ///
    /// `host` must be among them, and so should `content-type` and all that begin with `x-amz-` (the token of temporary
    /// credentials is `x-amz-security-token`). Leave out what a proxy may change.
    pub headers: &'a [(&'a str, &'a str)],
    /// SHA-256 of the body in hexadecimal, [`EMPTY_PAYLOAD`] or [`UNSIGNED_PAYLOAD`]. S3 wants the same value in the
    /// header `x-amz-content-sha256`.
    pub payload_hash: &'a str,
}

impl fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = |pairs: &[(&'_ str, &'_ str)]| {
            pairs.iter().map(|(name, _)| (*name).to_owned()).collect::<Vec<_>>()
        };
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("path", &self.path)
            .field("query", &names(self.query))
            .field("headers", &names(self.headers))
            .finish_non_exhaustive()
    }
}

/// Signs requests of one moment. `Debug` shows no credential.
///
/// ```
/// use libcloud_common::sign::v4::{EMPTY_PAYLOAD, Key, PathStyle, Request, Signer};
///
/// let timestamp = "20130524T000000Z";
/// let key = Key::derive("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", timestamp, "us-east-1", "s3")?;
/// let signer = Signer::new("AKIAIOSFODNN7EXAMPLE", &key, timestamp, PathStyle::S3)?;
/// let authorization = signer.authorization(&Request {
///     method: "GET",
///     path: "/test.txt",
///     query: &[],
///     headers: &[
///         ("Host", "examplebucket.s3.amazonaws.com"),
///         ("Range", "bytes=0-9"),
///         ("x-amz-content-sha256", EMPTY_PAYLOAD),
///         ("x-amz-date", timestamp),
///     ],
///     payload_hash: EMPTY_PAYLOAD,
/// })?;
/// assert!(authorization.ends_with("f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"));
/// # Ok::<(), libcloud_common::Error>(())
/// ```
#[derive(Clone, Copy)]
pub struct Signer<'a> {
    access_key: &'a str,
    key: &'a Key,
    timestamp: &'a str,
    path: PathStyle,
}

impl fmt::Debug for Signer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer")
            .field("key", self.key)
            .field("timestamp", &self.timestamp)
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

impl<'a> Signer<'a> {
    /// A signer for `timestamp` (`20150830T123600Z`), the same that the request has in `x-amz-date`.
    ///
    /// A timestamp of another form, or of a day for which the key was not derived, is an error of kind
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument).
    pub fn new(access_key: &'a str, key: &'a Key, timestamp: &'a str, path: PathStyle) -> Result<Self> {
        let well_formed = timestamp.len() == 16
            && timestamp.bytes().enumerate().all(|(index, byte)| match index {
                8 => byte == b'T',
                15 => byte == b'Z',
                _ => byte.is_ascii_digit(),
            });
        if !well_formed {
            return Err(Error::invalid_argument(format!(
                "`{timestamp}` is no timestamp like 20150830T123600Z"
            )));
        }
        if !key.covers(timestamp) {
            let scope = key.scope();
            return Err(Error::invalid_argument(format!(
                "the signing key for `{scope}` cannot sign a request of {timestamp}: derive one for that day"
            )));
        }
        Ok(Self { access_key, key, timestamp, path })
    }

    /// The canonical request: method, path, query, headers, names of the headers and payload hash.
    pub fn canonical_request(&self, request: &Request<'_>) -> String {
        self.canonical(request, &canonical_query(request.query), &Headers::of(request))
    }

    /// The string to sign for a canonical request.
    pub fn string_to_sign(&self, canonical_request: &str) -> String {
        let (timestamp, scope) = (self.timestamp, self.key.scope());
        format!("{ALGORITHM}\n{timestamp}\n{scope}\n{}", digest::sha256_hex(canonical_request))
    }

    /// The signature of the request in hexadecimal.
    pub fn signature(&self, request: &Request<'_>) -> String {
        self.key.sign(&self.string_to_sign(&self.canonical_request(request)))
    }

    /// The value of the header `Authorization`.
    ///
    /// A request without the header `host` is an error of kind
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument): no service would accept it.
    pub fn authorization(&self, request: &Request<'_>) -> Result<String> {
        let headers = Headers::of(request).with_host()?;
        let canonical = self.canonical(request, &canonical_query(request.query), &headers);
        let signature = self.key.sign(&self.string_to_sign(&canonical));
        let (access_key, scope, names) = (self.access_key, self.key.scope(), &headers.names);
        Ok(format!(
            "{ALGORITHM} Credential={access_key}/{scope}, SignedHeaders={names}, Signature={signature}"
        ))
    }

    /// The query, without `?`, that makes the URL usable by anyone for the time of `expires`.
    ///
    /// It holds the request's own parameters too. `token` is the token of temporary credentials. Whoever uses the URL
    /// sends the signed headers with the signed values, so there are as few as possible: `host`. For S3 the payload hash
    /// is [`UNSIGNED_PAYLOAD`]. The result is as good as a credential: keep it out of logs.
    ///
    /// Errors of kind [`InvalidArgument`](crate::ErrorKind::InvalidArgument): no header `host`, or a time below one second
    /// or above [`MAX_EXPIRES`].
    pub fn presign(&self, request: &Request<'_>, expires: Duration, token: Option<&str>) -> Result<String> {
        if expires < Duration::from_secs(1) || expires > MAX_EXPIRES {
            return Err(Error::invalid_argument(format!(
                "a presigned URL cannot be valid for {expires:?}: choose between 1 second and 7 days"
            )));
        }
        let headers = Headers::of(request).with_host()?;
        let credential = format!("{}/{}", self.access_key, self.key.scope());
        let seconds = expires.as_secs().to_string();
        let mut pairs = request.query.to_vec();
        pairs.extend([
            ("X-Amz-Algorithm", ALGORITHM),
            ("X-Amz-Credential", credential.as_str()),
            ("X-Amz-Date", self.timestamp),
            ("X-Amz-Expires", seconds.as_str()),
            ("X-Amz-SignedHeaders", headers.names.as_str()),
        ]);
        pairs.extend(token.map(|token| ("X-Amz-Security-Token", token)));
        let mut query = canonical_query(&pairs);
        let signature = self.key.sign(&self.string_to_sign(&self.canonical(request, &query, &headers)));
        query.push_str("&X-Amz-Signature=");
        query.push_str(&signature);
        Ok(query)
    }

    fn canonical(&self, request: &Request<'_>, query: &str, headers: &Headers) -> String {
        let path = canonical_path(request.path, self.path);
        let (method, lines, names, hash) =
            (request.method, &headers.lines, &headers.names, request.payload_hash);
        format!("{method}\n{path}\n{query}\n{lines}\n{names}\n{hash}")
    }
}

/// Headers in canonical form: a line each, and their names.
struct Headers {
    lines: String,
    names: String,
    has_host: bool,
}

impl Headers {
    fn of(request: &Request<'_>) -> Self {
        let mut headers: Vec<(String, &str)> =
            request.headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), *value)).collect();
        // Stable: the values of a repeated header stay in the order in which they are sent.
        headers.sort_by(|(a, _), (b, _)| a.cmp(b));
        let mut out = Self { lines: String::new(), names: String::new(), has_host: false };
        for same in headers.chunk_by(|(a, _), (b, _)| a == b) {
            for (index, (name, value)) in same.iter().enumerate() {
                if index == 0 {
                    out.has_host |= name == "host";
                    if !out.names.is_empty() {
                        out.names.push(';');
                    }
                    out.names.push_str(name);
                    out.lines.push_str(name);
                }
                out.lines.push(if index == 0 { ':' } else { ',' });
                for (index, word) in value.split_ascii_whitespace().enumerate() {
                    if index > 0 {
                        out.lines.push(' ');
                    }
                    out.lines.push_str(word);
                }
            }
            out.lines.push('\n');
        }
        out
    }

    fn with_host(self) -> Result<Self> {
        if self.has_host {
            Ok(self)
        } else {
            Err(Error::invalid_argument("the header `host` must be among the signed headers"))
        }
    }
}

/// Encodes the pairs and sorts them by their encoded names, then values.
fn canonical_query(pairs: &[(&str, &str)]) -> String {
    let mut encoded: Vec<(String, String)> =
        pairs.iter().map(|(name, value)| (encode::segment(name), encode::segment(value))).collect();
    encoded.sort();
    let mut out = String::new();
    for (name, value) in &encoded {
        if !out.is_empty() {
            out.push('&');
        }
        out.push_str(name);
        out.push('=');
        out.push_str(value);
    }
    out
}

fn canonical_path(path: &str, style: PathStyle) -> Cow<'_, str> {
    if path.is_empty() {
        return Cow::Borrowed("/");
    }
    match style {
        PathStyle::S3 => Cow::Borrowed(path),
        PathStyle::Normalized => Cow::Owned(encode::key(&normalize(path))),
    }
}

/// Removes empty and dot segments as [RFC 3986, section 5.2.4](https://www.rfc-editor.org/rfc/rfc3986#section-5.2.4) does.
fn normalize(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut ends_in_slash = false;
    for segment in path.split('/') {
        ends_in_slash = matches!(segment, "" | "." | "..");
        match segment {
            "" | "." => {}
            ".." => {
                kept.pop();
            }
            _ => kept.push(segment),
        }
    }
    let mut out = String::with_capacity(path.len() + 1);
    for segment in &kept {
        out.push('/');
        out.push_str(segment);
    }
    if ends_in_slash || kept.is_empty() {
        out.push('/');
    }
    out
}

#[cfg(test)]
mod tests;
