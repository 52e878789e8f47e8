//! One call to a provider, as data: built without I/O, compared in tests without a socket.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_core::stream::BoxStream;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde::Serialize;
use url::Url;

use crate::secret::REDACTED;
use crate::{Error, ErrorKind, Options, Result, Secret, encode};

/// The bytes of a stream, as they are sent or arrive.
pub type ByteStream = BoxStream<'static, Result<Bytes>>;

/// One name and value of a query or form.
#[derive(Clone, PartialEq, Eq)]
pub struct Param {
    /// The name, not encoded.
    pub name: Cow<'static, str>,
    /// The value, not encoded.
    pub value: String,
    /// Whether the value is a secret and never printed.
    pub secret: bool,
}

impl fmt::Debug for Param {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.name, self.printable())
    }
}

impl Param {
    /// A name and value.
    pub fn new(name: impl Into<Cow<'static, str>>, value: impl Into<String>) -> Self {
        Self { name: name.into(), value: value.into(), secret: false }
    }

    /// The same with a value that is never printed.
    #[must_use]
    pub fn secret(mut self) -> Self {
        self.secret = true;
        self
    }

    /// The value, or `•••`.
    pub fn printable(&self) -> &str {
        if self.secret { REDACTED } else { &self.value }
    }
}

/// What is sent after the headers.
#[derive(Default)]
#[non_exhaustive]
pub enum Body {
    /// Nothing.
    #[default]
    Empty,
    /// Bytes in memory; can be sent again.
    Bytes(Bytes),
    /// Bytes that hold secrets, and what is shown in their place; can be sent again.
    Sealed(Sealed),
    /// Names and values, form-encoded.
    Form(Vec<Param>),
    /// Bytes that are read from where they are, a file for one; can be sent again.
    Source(Source),
    /// A stream that can be sent once.
    Stream {
        /// The length, where it is known; without it the body is sent in chunks.
        length: Option<u64>,
        /// The bytes.
        stream: ByteStream,
    },
}

/// A body that is not in memory and can be read any number of times.
#[derive(Clone)]
pub struct Source {
    length: u64,
    open: Arc<dyn Fn() -> ByteStream + Send + Sync>,
}

impl Source {
    /// So many bytes, which each stream that `open` gives begins anew.
    pub fn new(length: u64, open: impl Fn() -> ByteStream + Send + Sync + 'static) -> Self {
        Self { length, open: Arc::new(open) }
    }

    /// How many bytes it has.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// The bytes, from the first.
    pub fn open(&self) -> ByteStream {
        (self.open)()
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Source({})", self.length)
    }
}

/// A body with secrets in it: what is sent, and what may be printed.
#[derive(Clone)]
pub struct Sealed {
    pub(crate) bytes: Bytes,
    pub(crate) shown: Bytes,
    pub(crate) secrets: Vec<Secret>,
}

impl Sealed {
    /// These bytes. Logs and tests are shown the second in their place; the secrets are those that it leaves out, to be
    /// hidden where an answer repeats them.
    pub fn new(bytes: impl Into<Bytes>, shown: impl Into<Bytes>, secrets: Vec<Secret>) -> Self {
        Self { bytes: bytes.into(), shown: shown.into(), secrets }
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealed({})", self.bytes.len())
    }
}

impl Body {
    /// Whether the body can be sent a second time.
    pub fn is_replayable(&self) -> bool {
        !matches!(self, Self::Stream { .. })
    }

    /// The bytes that are sent, for a signature over them; `None` where they are not in memory.
    pub fn to_bytes(&self) -> Option<Bytes> {
        match self {
            Self::Empty => Some(Bytes::new()),
            Self::Bytes(bytes) => Some(bytes.clone()),
            Self::Sealed(sealed) => Some(sealed.bytes.clone()),
            Self::Form(params) => {
                let pairs = params.iter().map(|param| (&*param.name, param.value.as_str()));
                Some(encode::form(pairs).into())
            }
            Self::Source(_) | Self::Stream { .. } => None,
        }
    }

    /// How many bytes it has, where that is known.
    pub fn length(&self) -> Option<u64> {
        match self {
            Self::Source(source) => Some(source.length()),
            Self::Stream { length, .. } => *length,
            in_memory => in_memory.to_bytes().map(|bytes| bytes.len() as u64),
        }
    }

    /// Whether its bytes are read while they are sent.
    pub(crate) fn is_streamed(&self) -> bool {
        matches!(self, Self::Source(_) | Self::Stream { .. })
    }

    /// The values in it that must not be told.
    pub(crate) fn secrets(&self) -> Vec<&str> {
        match self {
            Self::Sealed(sealed) => sealed.secrets.iter().map(Secret::expose).collect(),
            Self::Form(params) => {
                params.iter().filter(|param| param.secret).map(|param| param.value.as_str()).collect()
            }
            Self::Empty | Self::Bytes(_) | Self::Source(_) | Self::Stream { .. } => Vec::new(),
        }
    }

    /// Gives the body away: a copy where it can be sent again.
    pub(crate) fn hand_out(&mut self) -> Self {
        match self {
            Self::Empty => Self::Empty,
            Self::Bytes(bytes) => Self::Bytes(bytes.clone()),
            Self::Sealed(sealed) => Self::Sealed(sealed.clone()),
            Self::Form(params) => Self::Form(params.clone()),
            Self::Source(source) => Self::Source(source.clone()),
            Self::Stream { .. } => std::mem::take(self),
        }
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("Empty"),
            Self::Bytes(bytes) => write!(f, "Bytes({})", bytes.len()),
            Self::Sealed(sealed) => sealed.fmt(f),
            Self::Form(params) => f.debug_tuple("Form").field(params).finish(),
            Self::Source(source) => source.fmt(f),
            Self::Stream { length, .. } => {
                f.debug_struct("Stream").field("length", length).finish_non_exhaustive()
            }
        }
    }
}

/// Whether a call may be sent again when it is not known what became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// Sending it twice does no harm.
    Always,
    /// Only where it was certainly not processed.
    IfUnprocessed,
}

/// One call to a provider.
///
/// Values are kept as they were given; encoding happens once, when the request is signed and sent.
#[derive(Debug)]
#[non_exhaustive]
pub struct Request {
    /// The operation as the provider's reference calls it; names errors, spans and log lines.
    pub operation: Cow<'static, str>,
    /// The HTTP method.
    pub method: Method,
    /// The path below the base URL, percent-encoded.
    pub path: String,
    /// The query, in order.
    pub query: Vec<Param>,
    /// The headers. Secret values are marked sensitive.
    pub headers: HeaderMap,
    /// The body.
    pub body: Body,
    /// Whether it may be sent again.
    pub repeat: Repeat,
    /// The longest that the call may take with all of its retries.
    pub timeout: Option<Duration>,
    /// Whether the body waits until the server says that it wants it.
    pub(crate) expect_continue: bool,
    /// A link out of an answer, which says path and query when the request is sent.
    pub(crate) link: Option<String>,
    /// The server that a link or a redirect leads to, instead of the connection's base.
    pub(crate) place: Option<Url>,
    /// The first thing that was wrong while it was built; reported when it is sent.
    pub(crate) problem: Option<Error>,
}

impl Request {
    /// A request of this operation and method; each segment of the path is percent-encoded.
    pub fn new<S: AsRef<str>>(
        operation: impl Into<Cow<'static, str>>,
        method: Method,
        segments: impl IntoIterator<Item = S>,
    ) -> Self {
        let repeat = match method {
            Method::GET | Method::HEAD | Method::OPTIONS | Method::PUT | Method::DELETE => Repeat::Always,
            _ => Repeat::IfUnprocessed,
        };
        let mut path = String::new();
        for segment in segments {
            path.push('/');
            path.push_str(&encode::segment(segment.as_ref()));
        }
        Self {
            operation: operation.into(),
            method,
            path,
            query: Vec::new(),
            headers: HeaderMap::new(),
            body: Body::Empty,
            repeat,
            timeout: None,
            expect_continue: false,
            link: None,
            place: None,
            problem: None,
        }
    }

    /// The request of one attempt, with the body: a copy of it where it can be sent again.
    pub(crate) fn hand_out(&mut self) -> Self {
        Self {
            operation: self.operation.clone(),
            method: self.method.clone(),
            path: self.path.clone(),
            query: self.query.clone(),
            headers: self.headers.clone(),
            body: self.body.hand_out(),
            repeat: self.repeat,
            timeout: None,
            expect_continue: self.expect_continue,
            link: None,
            place: None,
            problem: None,
        }
    }

    /// Adds an object's name to the path. Its slashes stay, and nothing in it is normalised.
    pub fn push_key(&mut self, key: &str) {
        self.path.push('/');
        self.path.push_str(&encode::key(key));
    }

    /// Adds a parameter to the query.
    pub fn push_query(&mut self, name: impl Into<Cow<'static, str>>, value: impl ToString) {
        self.query.push(Param { name: name.into(), value: value.to_string(), secret: false });
    }

    /// Sets a header; a value that does not fit in one is reported when the request is sent.
    pub fn set_header(&mut self, name: &str, value: &str, secret: bool) {
        match (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value)) {
            (Ok(name), Ok(mut value)) => {
                value.set_sensitive(secret);
                self.headers.insert(name, value);
            }
            _ => self.fail(Error::invalid_argument(format!(
                "the header `{name}` cannot carry this value: header values are visible ASCII text on one line"
            ))),
        }
    }

    /// The first parameter of this name, in the query or the form.
    pub fn param(&self, name: &str) -> Option<&str> {
        let form = match &self.body {
            Body::Form(params) => params.as_slice(),
            _ => &[],
        };
        self.query.iter().chain(form).find(|param| param.name == name).map(|param| param.value.as_str())
    }

    /// The query as it is sent.
    pub fn encoded_query(&self) -> String {
        encode::query(self.query.iter().map(|param| (&*param.name, param.value.as_str())))
    }

    /// Path and query for people: secret values are `•••`.
    pub fn printable_target(&self) -> String {
        if self.query.is_empty() {
            return self.path.clone();
        }
        let query: Vec<String> = self
            .query
            .iter()
            .map(|param| {
                let value = if param.secret { REDACTED.to_owned() } else { encode::segment(&param.value) };
                format!("{}={value}", encode::segment(&param.name))
            })
            .collect();
        format!("{}?{}", self.path, query.join("&"))
    }

    pub(crate) fn fail(&mut self, error: Error) {
        self.problem.get_or_insert(error);
    }

    pub(crate) fn take_problem(&mut self) -> Result<()> {
        match self.problem.take() {
            Some(problem) => Err(problem),
            None => Ok(()),
        }
    }

    pub(crate) fn apply(&mut self, method: &str, options: Options) {
        match options.plain(method) {
            Ok(timeout) => self.timeout = timeout.or(self.timeout),
            Err(error) => self.fail(error),
        }
    }

    pub(crate) fn set_json(&mut self, body: &impl Serialize) {
        match serde_json::to_vec(body) {
            Ok(bytes) => {
                self.set_header("content-type", "application/json", false);
                self.body = Body::Bytes(bytes.into());
            }
            Err(error) => self.fail(
                Error::new(
                    ErrorKind::InvalidArgument,
                    format!("the request body cannot be written: {error}"),
                )
                .with_source(error),
            ),
        }
    }
}

/// The whole request for a test or a dry run: one line a header, secrets as `•••`.
impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} {}", self.method, self.printable_target())?;
        for (name, value) in &self.headers {
            let value = if value.is_sensitive() { REDACTED } else { value.to_str().unwrap_or("(binary)") };
            writeln!(f, "{name}: {value}")?;
        }
        match &self.body {
            Body::Empty => Ok(()),
            Body::Bytes(bytes) | Body::Sealed(Sealed { shown: bytes, .. }) => {
                match std::str::from_utf8(bytes) {
                    Ok(text) => write!(f, "\n{text}"),
                    Err(_) => write!(f, "\n({} bytes)", bytes.len()),
                }
            }
            Body::Form(params) => {
                writeln!(f)?;
                params.iter().try_for_each(|param| writeln!(f, "{}={}", param.name, param.printable()))
            }
            Body::Source(Source { length, .. }) | Body::Stream { length: Some(length), .. } => {
                write!(f, "\n(stream of {length} bytes)")
            }
            Body::Stream { length: None, .. } => f.write_str("\n(stream)"),
        }
    }
}
