//! An answer, and how it is read.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;

use crate::request::ByteStream;
use crate::{Error, ErrorKind, Result, Retry, Timestamp, json};

/// An answer that has been read into memory.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Response {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

/// An answer whose body arrives as it is read.
#[non_exhaustive]
pub struct StreamingResponse {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: ByteStream,
}

impl std::fmt::Debug for StreamingResponse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StreamingResponse").field("status", &self.status).finish_non_exhaustive()
    }
}

impl Response {
    /// An answer from its parts.
    pub fn new(status: StatusCode, headers: HeaderMap, body: impl Into<Bytes>) -> Self {
        Self { status, headers, body: body.into() }
    }

    /// The body as text; bytes that are no UTF-8 are replaced.
    pub fn text(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(&self.body)
    }

    /// A header as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// `MalformedResponse` with the path to the field that is not as documented.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T> {
        json::decode(&self.body)
    }

    /// An error for this answer: the kind that its status stands for, with this message.
    ///
    /// What every provider's error mapping starts from; it sharpens the kind by the provider's own code.
    pub fn error(&self, message: impl Into<String>) -> Error {
        let message = message.into();
        let message = if message.trim().is_empty() { self.describe() } else { message };
        let retry = match self.status.as_u16() {
            408 | 413 | 429 | 500 | 502 | 503 | 504 => Retry::Retryable(self.retry_after()),
            _ => Retry::Permanent,
        };
        Error::new(kind_of_status(self.status), message).with_status(self.status).with_retry(retry)
    }

    /// How long the provider asks to wait: in seconds, or until a time of its own clock.
    fn retry_after(&self) -> Option<Duration> {
        let value = self.header("retry-after")?.trim();
        if let Ok(seconds) = value.parse() {
            return Some(Duration::from_secs(seconds));
        }
        let (until, now): (Timestamp, Timestamp) = (value.parse().ok()?, self.header("date")?.parse().ok()?);
        Some(until.since(now))
    }

    /// The status, and the first words of a body that is not a page for a browser.
    fn describe(&self) -> String {
        let text = self.text();
        let words: String = text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(200).collect();
        if words.is_empty() || words.starts_with('<') {
            format!("answered {}", self.status)
        } else {
            format!("answered {}: {words}", self.status)
        }
    }
}

/// What a status stands for where the provider says nothing more exact.
pub fn kind_of_status(status: StatusCode) -> ErrorKind {
    match status.as_u16() {
        401 | 403 => ErrorKind::InvalidCredentials,
        404 | 410 => ErrorKind::NotFound,
        408 | 504 => ErrorKind::Timeout,
        409 => ErrorKind::InvalidState,
        429 => ErrorKind::RateLimited,
        _ => ErrorKind::Provider,
    }
}
