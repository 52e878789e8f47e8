//! HTTP/1.1 as the kit's servers speak it: requests are kept as they were sent, answers written as they were given.

use std::fmt;
use std::io;

use bytes::Bytes;
use libcloud_common::{REDACTED, Value, is_secret_name};
use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use crate::fixtures::fixture;

/// A request as it was sent. `Display` and `Debug` show `•••` for headers and JSON fields of a secret's name.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Received {
    /// The method.
    pub method: String,
    /// The path, encoded as it was sent.
    pub path: String,
    /// The query, encoded as it was sent; `None` without `?`.
    pub query: Option<String>,
    /// The headers in their order; names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, put together where it was sent in chunks.
    pub body: Bytes,
}

/// What came on a connection.
#[derive(Debug)]
pub(crate) enum Incoming {
    /// A whole request.
    Whole(Received),
    /// The connection ended, or what came is no HTTP; whether there was anything of a request.
    End {
        /// Whether anything was sent before the end.
        began: bool,
    },
}

impl Received {
    /// The first header of this name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// Path and query as they were sent.
    pub fn target(&self) -> String {
        match &self.query {
            Some(query) => format!("{}?{query}", self.path),
            None => self.path.clone(),
        }
    }

    /// The first parameter of this name, decoded: of the query, or of a form in the body.
    pub fn param(&self, name: &str) -> Option<String> {
        let query = self.query.as_deref().unwrap_or_default();
        let body: &[u8] = if self.is_form() { &self.body } else { &[] };
        let both = form_urlencoded::parse(query.as_bytes()).chain(form_urlencoded::parse(body));
        both.into_iter().find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
    }

    /// The body as text; bytes that are no UTF-8 are replaced.
    pub fn text(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(&self.body)
    }

    /// The body as JSON; `Null` where it is not.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    pub(crate) fn is_form(&self) -> bool {
        self.header("content-type").is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"))
    }

    /// Reads the next request of a connection to its last byte.
    pub(crate) async fn read<S: AsyncBufRead + AsyncWrite + Unpin>(stream: &mut S) -> Incoming {
        let mut began = false;
        match read(stream, &mut began).await {
            Ok(Some(received)) => Incoming::Whole(received),
            Ok(None) | Err(_) => Incoming::End { began },
        }
    }
}

async fn line<S: AsyncBufRead + Unpin>(stream: &mut S) -> io::Result<Option<String>> {
    let mut bytes = Vec::new();
    stream.read_until(b'\n', &mut bytes).await?;
    if bytes.pop() != Some(b'\n') {
        return Ok(None);
    }
    if bytes.last() == Some(&b'\r') {
        bytes.pop();
    }
    Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
}

async fn read<S: AsyncBufRead + AsyncWrite + Unpin>(
    stream: &mut S,
    began: &mut bool,
) -> io::Result<Option<Received>> {
    *began = !stream.fill_buf().await?.is_empty();
    let Some(first) = line(stream).await? else { return Ok(None) };
    let mut words = first.split(' ');
    let (Some(method), Some(target), Some("HTTP/1.1"), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return Ok(None);
    };
    let (path, query) = match target.split_once('?') {
        Some((path, query)) => (path, Some(query.to_owned())),
        None => (target, None),
    };
    let mut received = Received {
        method: method.to_owned(),
        path: path.to_owned(),
        query,
        headers: Vec::new(),
        body: Bytes::new(),
    };
    loop {
        let Some(header) = line(stream).await? else { return Ok(None) };
        if header.is_empty() {
            break;
        }
        let Some((name, value)) = header.split_once(':') else { return Ok(None) };
        received.headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    if received.header("expect").is_some_and(|what| what.eq_ignore_ascii_case("100-continue")) {
        stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
        stream.flush().await?;
    }
    let body = if received.header("transfer-encoding").is_some_and(|how| how.eq_ignore_ascii_case("chunked"))
    {
        read_chunks(stream).await?
    } else {
        let length = received.header("content-length").map_or(Ok(0), str::parse::<usize>);
        let Ok(length) = length else { return Ok(None) };
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await?;
        Some(body)
    };
    Ok(body.map(|body| Received { body: body.into(), ..received }))
}

async fn read_chunks<S: AsyncBufRead + Unpin>(stream: &mut S) -> io::Result<Option<Vec<u8>>> {
    let mut body = Vec::new();
    loop {
        let Some(head) = line(stream).await? else { return Ok(None) };
        let digits = head.split(';').next().unwrap_or_default().trim();
        let Ok(length) = usize::from_str_radix(digits, 16) else { return Ok(None) };
        if length == 0 {
            // Trailers.
            while line(stream).await?.is_some_and(|trailer| !trailer.is_empty()) {}
            return Ok(Some(body));
        }
        let from = body.len();
        body.resize(from + length, 0);
        if let Some(chunk) = body.get_mut(from..) {
            stream.read_exact(chunk).await?;
        }
        let _ = line(stream).await?;
    }
}

impl fmt::Display for Received {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} {}", self.method, self.target())?;
        for (name, value) in &self.headers {
            writeln!(f, "{name}: {}", shown_header(name, value))?;
        }
        if self.body.is_empty() { Ok(()) } else { write!(f, "\n{}", shown_body(&self.body)) }
    }
}

impl fmt::Debug for Received {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The value of a header, for people.
pub(crate) fn shown_header<'a>(name: &str, value: &'a str) -> &'a str {
    // The name says less here than in a provider's own fields: rather one too many.
    let secret =
        is_secret_name(name) || ["auth", "cookie", "key", "signature"].iter().any(|part| name.contains(part));
    if secret { REDACTED } else { value }
}

/// A body, for people: JSON on many lines, without its secrets.
pub(crate) fn shown_body(body: &[u8]) -> String {
    if let Ok(mut value) = serde_json::from_slice::<Value>(body) {
        redact(&mut value);
        return format!("{value:#}");
    }
    match std::str::from_utf8(body) {
        Ok(text) => text.to_owned(),
        Err(_) => format!("({} bytes that are no text)", body.len()),
    }
}

fn redact(value: &mut Value) {
    match value {
        Value::Object(map) => {
            for (name, value) in map {
                if is_secret_name(name) && !value.is_null() {
                    *value = REDACTED.into();
                } else {
                    redact(value);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(redact),
        _ => {}
    }
}

/// What a server of the kit answers.
#[derive(Clone, Debug)]
pub struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Bytes,
}

impl From<u16> for Answer {
    fn from(status: u16) -> Self {
        Self::new(status)
    }
}

impl Answer {
    /// An answer of this status, without a body.
    pub fn new(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Bytes::new() }
    }

    /// Adds a header.
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_ascii_lowercase(), value.into()));
        self
    }

    /// Sets the body, byte by byte.
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    /// Sets the body to the content of a [`fixture`], and the content type by its name unless there is one.
    pub fn body_file(self, path: &str) -> Self {
        let kind = match path.rsplit('.').next() {
            Some("json") => Some("application/json"),
            Some("xml") => Some("text/xml;charset=UTF-8"),
            Some("html") => Some("text/html"),
            Some("txt") => Some("text/plain"),
            _ => None,
        };
        let typed = match kind {
            Some(kind) if !self.has("content-type") => self.header("content-type", kind),
            _ => self,
        };
        typed.body(fixture(path))
    }

    /// Sets the body to this JSON, and the content type unless there is one.
    pub fn json(self, body: &Value) -> Self {
        let typed =
            if self.has("content-type") { self } else { self.header("content-type", "application/json") };
        typed.body(body.to_string())
    }

    fn has(&self, name: &str) -> bool {
        self.headers.iter().any(|(known, _)| known == name)
    }

    /// The bytes that are sent. The answer to a HEAD has the length of its body and nothing of it.
    pub(crate) fn to_bytes(&self, method: &str) -> Vec<u8> {
        let mut head = format!("HTTP/1.1 {} {}\r\n", self.status, reason(self.status));
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        let bodyless = self.status < 200 || matches!(self.status, 204 | 304);
        if !bodyless && !self.has("content-length") && !self.has("transfer-encoding") {
            head.push_str(&format!("content-length: {}\r\n", self.body.len()));
        }
        head.push_str("\r\n");
        let mut bytes = head.into_bytes();
        if !bodyless && method != "HEAD" {
            bytes.extend_from_slice(&self.body);
        }
        bytes
    }
}

/// No program reads it, but a proxy's log does.
fn reason(status: u16) -> &'static str {
    match status {
        100..200 => "Continue",
        200..300 => "OK",
        300..400 => "Elsewhere",
        400..500 => "Refused",
        _ => "Failed",
    }
}
