//! An answer, and how it is read.

use std::borrow::Cow;
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
    pub fn text(&self) -> Cow<'_, str> {
        // Nearly always it is, and that is found out much faster than what would have to be replaced.
        match std::str::from_utf8(&self.body) {
            Ok(text) => Cow::Borrowed(text),
            Err(_) => String::from_utf8_lossy(&self.body),
        }
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

    /// The status, and the first words of the body; of a page for a browser only its title.
    fn describe(&self) -> String {
        let text = self.text();
        let told = if text.trim_start().starts_with('<') { title(&text).unwrap_or_default() } else { &text };
        let words: String = told.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(200).collect();
        // Such titles begin with the status, and often say no more.
        let words = words.strip_prefix(self.status.as_str()).unwrap_or(&words).trim_start();
        if words.is_empty() || self.status.canonical_reason() == Some(words) {
            format!("answered {}", self.status)
        } else {
            format!("answered {}: {words}", self.status)
        }
    }
}

/// The title of a page for a browser: proxies and web servers say there what went wrong.
fn title(page: &str) -> Option<&str> {
    let from = page.find("<title>")? + "<title>".len();
    let rest = page.get(from..)?;
    rest.get(..rest.find('<')?)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn message(status: u16, body: &str) -> String {
        let status = StatusCode::from_u16(status).unwrap();
        Response { status, headers: HeaderMap::new(), body: Bytes::from(body.to_owned()) }
            .error("")
            .to_string()
    }

    #[test]
    fn an_error_without_a_message_tells_the_body_s_words() {
        assert_eq!(message(418, "no  coffee\n here"), "answered 418 I'm a teapot: no coffee here");
        assert_eq!(message(503, ""), "answered 503 Service Unavailable");
        assert_eq!(message(503, "<a><b>x</b></a>"), "answered 503 Service Unavailable");
        let page = "<html>\n<head><title>400 No required SSL certificate was sent</title></head><body>…</body></html>";
        assert_eq!(message(400, page), "answered 400 Bad Request: No required SSL certificate was sent");
        let page = "<html><head><title>502 Bad Gateway</title></head></html>";
        assert_eq!(message(502, page), "answered 502 Bad Gateway");
    }
}
