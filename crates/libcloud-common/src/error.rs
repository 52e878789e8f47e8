//! One error type for all of libcloud.
//!
//! An [`Error`] has a [`kind`](Error::kind) to match on and a one-line sentence to act on. Provider, operation
//! and request id are filled in by the connection, so that no driver writes its own name into a message.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use http::StatusCode;

/// The result of everything in libcloud that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A failure with everything that is known about it.
///
/// `{}` prints one line for a person; `{:#}` adds the context: HTTP status, request id and an excerpt of the
/// answer. Neither ever holds a credential.
///
/// ```
/// use libcloud_common::{Error, ErrorKind};
///
/// let error = Error::not_found("node", "i-123");
/// assert_eq!(error.kind(), ErrorKind::NotFound);
/// assert_eq!(error.to_string(), "node `i-123` does not exist");
/// ```
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    message: Cow<'static, str>,
    resource: Option<(Cow<'static, str>, String)>,
    provider: Option<Cow<'static, str>>,
    operation: Option<Cow<'static, str>>,
    status: Option<StatusCode>,
    code: Option<String>,
    request_id: Option<String>,
    retry: Retry,
    excerpt: Option<String>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// What went wrong, to match on. More kinds may come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The provider does not accept the credentials (wrong, expired, or not allowed to do this).
    InvalidCredentials,
    /// The resource does not exist.
    NotFound,
    /// A resource of that name or id exists already.
    AlreadyExists,
    /// The container or zone still holds something.
    NotEmpty,
    /// A name breaks the provider's rules.
    InvalidName,
    /// An argument, option or configuration value is wrong; nothing was sent.
    InvalidArgument,
    /// What arrived is not what was sent: a checksum or length does not match.
    HashMismatch,
    /// The resource is in a state in which this cannot be done.
    InvalidState,
    /// The resource cannot be changed in this state or at all.
    Immutable,
    /// Too many calls; [`Error::retry_after`] says how long to wait where the provider does.
    RateLimited,
    /// A limit of the account is reached.
    QuotaExceeded,
    /// A time limit passed. What the operation started may exist: the message says how to find it.
    Timeout,
    /// The answer is not what the provider documents; the message names the place.
    MalformedResponse,
    /// The provider, or this driver, cannot do this. See the driver's capabilities.
    NotSupported,
    /// The service was closed by its provider.
    Closed,
    /// The provider refused for a reason that no other kind names; see [`Error::code`].
    Provider,
    /// The connection could not be made or broke.
    Transport,
    /// The server's certificate, the TLS handshake, or an SSH server's host key was refused.
    Tls,
    /// A local file could not be read or written.
    Io,
    /// A deployment step failed.
    Deployment,
}

/// Whether the same call may succeed when it is made again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Retry {
    /// It will fail again.
    #[default]
    Permanent,
    /// It may succeed, not before this time has passed if there is one.
    Retryable(Option<Duration>),
    /// It was retryable, and has been retried as often as the configuration allows.
    Exhausted,
}

impl ErrorKind {
    /// Every kind.
    pub const ALL: &'static [Self] = &[
        Self::InvalidCredentials,
        Self::NotFound,
        Self::AlreadyExists,
        Self::NotEmpty,
        Self::InvalidName,
        Self::InvalidArgument,
        Self::HashMismatch,
        Self::InvalidState,
        Self::Immutable,
        Self::RateLimited,
        Self::QuotaExceeded,
        Self::Timeout,
        Self::MalformedResponse,
        Self::NotSupported,
        Self::Closed,
        Self::Provider,
        Self::Transport,
        Self::Tls,
        Self::Io,
        Self::Deployment,
    ];

    /// The name of the kind in JSON and in the documentation.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidCredentials => "invalid_credentials",
            Self::NotFound => "not_found",
            Self::AlreadyExists => "already_exists",
            Self::NotEmpty => "not_empty",
            Self::InvalidName => "invalid_name",
            Self::InvalidArgument => "invalid_argument",
            Self::HashMismatch => "hash_mismatch",
            Self::InvalidState => "invalid_state",
            Self::Immutable => "immutable",
            Self::RateLimited => "rate_limited",
            Self::QuotaExceeded => "quota_exceeded",
            Self::Timeout => "timeout",
            Self::MalformedResponse => "malformed_response",
            Self::NotSupported => "not_supported",
            Self::Closed => "closed",
            Self::Provider => "provider",
            Self::Transport => "transport",
            Self::Tls => "tls",
            Self::Io => "io",
            Self::Deployment => "deployment",
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Error {
    /// An error of this kind with a sentence for a person: what was wrong, where, and what to do.
    pub fn new(kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Inner {
            kind,
            message: message.into(),
            resource: None,
            provider: None,
            operation: None,
            status: None,
            code: None,
            request_id: None,
            retry: Retry::Permanent,
            excerpt: None,
            source: None,
        }))
    }

    /// The resource of this kind (`"node"`, `"container"` …) and id does not exist.
    pub fn not_found(resource: &'static str, id: impl Into<String>) -> Self {
        let id = id.into();
        Self::new(ErrorKind::NotFound, format!("{resource} `{id}` does not exist"))
            .with_resource(resource, id)
    }

    /// A resource of this kind and id or name exists already.
    pub fn already_exists(resource: &'static str, id: impl Into<String>) -> Self {
        let id = id.into();
        Self::new(ErrorKind::AlreadyExists, format!("{resource} `{id}` exists already"))
            .with_resource(resource, id)
    }

    /// An argument, option or configuration value is wrong.
    pub fn invalid_argument(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::InvalidArgument, message)
    }

    /// The answer is not what the provider documents; `place` leads to the field.
    pub fn malformed(place: &str, problem: impl fmt::Display) -> Self {
        Self::new(ErrorKind::MalformedResponse, format!("unexpected answer at `{place}`: {problem}"))
    }

    /// The provider or driver has no such method or option.
    pub fn not_supported(what: &str) -> Self {
        Self::new(ErrorKind::NotSupported, format!("{what} is not supported"))
    }

    /// A local file could not be read or written; `doing` completes "cannot …".
    pub fn io(doing: impl fmt::Display, source: std::io::Error) -> Self {
        let kind =
            if source.kind() == std::io::ErrorKind::TimedOut { ErrorKind::Timeout } else { ErrorKind::Io };
        Self::new(kind, format!("cannot {doing}: {source}")).with_source(source)
    }

    /// What went wrong.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The sentence alone, without provider and operation.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Kind and id of the resource in question.
    pub fn resource(&self) -> Option<(&str, &str)> {
        self.0.resource.as_ref().map(|(kind, id)| (kind.as_ref(), id.as_str()))
    }

    /// The provider that answered.
    pub fn provider(&self) -> Option<&str> {
        self.0.provider.as_deref()
    }

    /// The operation as the provider calls it.
    pub fn operation(&self) -> Option<&str> {
        self.0.operation.as_deref()
    }

    /// The HTTP status of the answer.
    pub fn status(&self) -> Option<StatusCode> {
        self.0.status
    }

    /// The provider's own error code (`"InvalidInstanceID.NotFound"`).
    pub fn code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    /// The provider's id of the request, for its support.
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// Whether the same call may succeed when made again.
    pub fn retry(&self) -> Retry {
        self.0.retry
    }

    /// Whether the same call may succeed when made again, and has not been retried yet.
    pub fn is_retryable(&self) -> bool {
        matches!(self.0.retry, Retry::Retryable(_))
    }

    /// How long the provider asks to wait before the next try.
    pub fn retry_after(&self) -> Option<Duration> {
        match self.0.retry {
            Retry::Retryable(after) => after,
            _ => None,
        }
    }

    /// Sharpens the kind, by what the provider's own code says.
    pub fn with_kind(mut self, kind: ErrorKind) -> Self {
        self.0.kind = kind;
        self
    }

    /// Sets the kind and id of the resource in question.
    pub fn with_resource(mut self, kind: impl Into<Cow<'static, str>>, id: impl Into<String>) -> Self {
        self.0.resource = Some((kind.into(), id.into()));
        self
    }

    /// Sets the HTTP status.
    pub fn with_status(mut self, status: StatusCode) -> Self {
        self.0.status = Some(status);
        self
    }

    /// Sets the provider's own code; an empty one is none.
    pub fn with_code(mut self, code: impl Into<String>) -> Self {
        self.0.code = Some(code.into()).filter(|code| !code.is_empty());
        self
    }

    /// Sets the provider's id of the request, unless one is known.
    pub fn with_request_id(mut self, id: Option<impl Into<String>>) -> Self {
        if self.0.request_id.is_none() {
            self.0.request_id = id.map(Into::into);
        }
        self
    }

    /// Sets whether the call may be made again.
    pub fn with_retry(mut self, retry: Retry) -> Self {
        self.0.retry = retry;
        self
    }

    /// Sets an excerpt of the answer. The caller has redacted it.
    pub fn with_excerpt(mut self, excerpt: impl Into<String>) -> Self {
        self.0.excerpt = Some(excerpt.into()).filter(|text| !text.trim().is_empty());
        self
    }

    /// Sets what caused this.
    pub fn with_source(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Names the provider and operation, unless that has been done nearer to the cause.
    pub fn in_operation(
        mut self,
        provider: impl Into<Cow<'static, str>>,
        operation: impl Into<Cow<'static, str>>,
    ) -> Self {
        if self.0.provider.is_none() {
            self.0.provider = Some(provider.into());
        }
        if self.0.operation.is_none() {
            self.0.operation = Some(operation.into());
        }
        self
    }

    /// The error with other texts where this gives some. A source that would be changed by it is left out.
    pub(crate) fn map_texts(mut self, other: impl Fn(&str) -> Option<String>) -> Self {
        let inner = &mut *self.0;
        if let Some(message) = other(&inner.message) {
            inner.message = Cow::Owned(message);
        }
        let id = inner.resource.as_mut().map(|(_, id)| id);
        let texts = [&mut inner.code, &mut inner.request_id, &mut inner.excerpt].into_iter().flatten();
        for text in texts.chain(id) {
            if let Some(changed) = other(text) {
                *text = changed;
            }
        }
        let shown = inner.source.as_ref().map(|source| format!("{source} {source:?}"));
        if shown.is_some_and(|shown| other(&shown).is_some()) {
            inner.source = None;
        }
        self
    }

    /// Puts a sentence before the message: what was being done on whose behalf.
    pub fn context(mut self, doing: impl fmt::Display) -> Self {
        self.0.message = Cow::Owned(format!("{doing}: {}", self.0.message));
        self
    }

    /// The error as JSON, as the program prints it with `--format json`.
    pub fn to_json(&self) -> serde_json::Value {
        let mut map = serde_json::Map::new();
        map.insert("kind".into(), self.kind().as_str().into());
        map.insert("message".into(), self.message().into());
        let mut put = |key: &str, value: Option<String>| {
            if let Some(value) = value {
                map.insert(key.into(), value.into());
            }
        };
        put("provider", self.provider().map(Into::into));
        put("operation", self.operation().map(Into::into));
        put("code", self.code().map(Into::into));
        put("request_id", self.request_id().map(Into::into));
        put("resource", self.resource().map(|(kind, _)| kind.into()));
        put("id", self.resource().map(|(_, id)| id.into()));
        if let Some(status) = self.status() {
            map.insert("status".into(), status.as_u16().into());
        }
        map.into()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.0;
        if let Some(provider) = &inner.provider {
            write!(f, "{provider}")?;
            if let Some(operation) = &inner.operation {
                write!(f, " {operation}")?;
            }
            f.write_str(": ")?;
        }
        f.write_str(&inner.message)?;
        if let Some(code) = &inner.code
            && !inner.message.contains(code.as_str())
        {
            write!(f, " ({code})")?;
        }
        if f.alternate() {
            write!(f, "\n  kind: {}", inner.kind)?;
            if let Some(status) = inner.status {
                write!(f, "\n  status: {status}")?;
            }
            if let Some(id) = &inner.request_id {
                write!(f, "\n  request id: {id}")?;
            }
            let mut source = std::error::Error::source(self);
            while let Some(cause) = source {
                write!(f, "\n  caused by: {cause}")?;
                source = cause.source();
            }
            if let Some(excerpt) = &inner.excerpt {
                write!(f, "\n  answer: {excerpt}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.0;
        f.debug_struct("Error")
            .field("kind", &inner.kind)
            .field("message", &inner.message)
            .field("resource", &inner.resource)
            .field("provider", &inner.provider)
            .field("operation", &inner.operation)
            .field("status", &inner.status)
            .field("code", &inner.code)
            .field("request_id", &inner.request_id)
            .field("retry", &inner.retry)
            .field("excerpt", &inner.excerpt)
            .field("source", &inner.source)
            .finish()
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.0.source {
            Some(source) => Some(&**source),
            None => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_names_provider_operation_and_code() {
        let error = Error::new(ErrorKind::NotFound, "The instance ID 'i-1' does not exist")
            .with_code("InvalidInstanceID.NotFound")
            .with_status(StatusCode::BAD_REQUEST)
            .with_request_id(Some("r-1"))
            .in_operation("ec2", "RebootInstances");
        assert_eq!(
            error.to_string(),
            "ec2 RebootInstances: The instance ID 'i-1' does not exist (InvalidInstanceID.NotFound)"
        );
        assert_eq!(
            format!("{error:#}"),
            "ec2 RebootInstances: The instance ID 'i-1' does not exist (InvalidInstanceID.NotFound)\n  \
             kind: not_found\n  status: 400 Bad Request\n  request id: r-1"
        );
    }

    #[test]
    fn the_innermost_operation_wins() {
        let error = Error::not_supported("x").in_operation("ec2", "A").in_operation("s3", "B");
        assert_eq!((error.provider(), error.operation()), (Some("ec2"), Some("A")));
    }

    #[test]
    fn a_result_is_one_word_larger_at_most() {
        assert_eq!(size_of::<Error>(), size_of::<usize>());
    }
}
