//! The HTTP client: one pool of connections for a configuration, shared by all clones.

use std::error::Error as StdError;
use std::fmt;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Empty, Full, StreamBody};
use hyper::body::{Body as HyperBody, Frame, Incoming, SizeHint};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};

use crate::config::TransportConfig;
use crate::limiter::Limiter;
use crate::request::Body;
use crate::response::StreamingResponse;
use crate::{Error, ErrorKind, Result, Retry, tls};

type BoxError = Box<dyn StdError + Send + Sync>;
type SendBody = UnsyncBoxBody<Bytes, BoxError>;

/// The pool of connections. Clones share it.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    settings: TransportConfig,
    limiter: Limiter,
    // Made when first needed: a program that talks to `http://` or to nobody never loads certificates.
    plain: OnceLock<legacy::Client<HttpConnector, SendBody>>,
    tls: OnceLock<Result<legacy::Client<HttpsConnector<HttpConnector>, SendBody>, String>>,
}

/// A failed attempt, and whether it is certain that the provider did not act on it.
pub(crate) struct Failure {
    pub(crate) error: Error,
    pub(crate) unprocessed: bool,
}

impl From<Error> for Failure {
    /// Nothing was sent.
    fn from(error: Error) -> Self {
        Self { error, unprocessed: true }
    }
}

impl Client {
    /// A client of its own pool. Does no I/O.
    pub fn new(settings: TransportConfig) -> Self {
        Self(Arc::new(Inner {
            settings,
            limiter: Limiter::default(),
            plain: OnceLock::new(),
            tls: OnceLock::new(),
        }))
    }

    /// How connections are made.
    pub fn settings(&self) -> &TransportConfig {
        &self.0.settings
    }

    /// The pace of all calls through this pool.
    pub(crate) fn limiter(&self) -> &Limiter {
        &self.0.limiter
    }

    pub(crate) async fn send(
        &self,
        parts: http::request::Parts,
        body: Body,
    ) -> Result<StreamingResponse, Failure> {
        let idle = self.0.settings.idle_timeout;
        let secure = parts.uri.scheme() == Some(&http::uri::Scheme::HTTPS);
        let sent = Arc::new(Sent::default());
        let request = http::Request::from_parts(parts, counted(body, Arc::clone(&sent)));
        let response = if secure {
            let client = self.0.tls.get_or_init(|| self.make_tls()).as_ref().map_err(|problem| Failure {
                error: Error::new(ErrorKind::Tls, problem.clone()),
                unprocessed: true,
            })?;
            within_idle_time(idle, &sent.bytes, client.request(request)).await
        } else {
            let client = self.0.plain.get_or_init(|| self.builder().build(connector(&self.0.settings)));
            within_idle_time(idle, &sent.bytes, client.request(request)).await
        };
        let response = response.map_err(|failure| match sent.take_problem() {
            Some(error) => Failure { error, unprocessed: false },
            None => failure,
        })?;
        let (parts, body) = response.into_parts();
        Ok(StreamingResponse { status: parts.status, headers: parts.headers, body: received(body, idle) })
    }

    fn builder(&self) -> legacy::Builder {
        let mut builder = legacy::Client::builder(TokioExecutor::new());
        builder.pool_timer(TokioTimer::new()).pool_max_idle_per_host(self.0.settings.pool_size);
        // Only what was never begun to be written: the pooled connection had been closed by the server meanwhile.
        builder.retry_canceled_requests(true);
        builder
    }

    fn make_tls(&self) -> Result<legacy::Client<HttpsConnector<HttpConnector>, SendBody>, String> {
        let config = tls::client_config(&self.0.settings).map_err(|error| error.to_string())?;
        let mut http = connector(&self.0.settings);
        http.enforce_http(false);
        let https = HttpsConnectorBuilder::new()
            .with_tls_config(config)
            .https_only()
            .enable_http1()
            .wrap_connector(http);
        Ok(self.builder().build(https))
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Client").field(&self.0.settings).finish()
    }
}

fn connector(settings: &TransportConfig) -> HttpConnector {
    let mut connector = HttpConnector::new();
    connector.set_connect_timeout(Some(settings.connect_timeout));
    connector.set_nodelay(true);
    connector
}

/// Waits for the head of the answer as long as bytes of the request keep going out.
async fn within_idle_time<F>(
    idle: Duration,
    sent: &AtomicU64,
    request: F,
) -> Result<http::Response<Incoming>, Failure>
where
    F: Future<Output = Result<http::Response<Incoming>, legacy::Error>>,
{
    let mut request = std::pin::pin!(request);
    let mut seen = 0;
    loop {
        if let Ok(answer) = tokio::time::timeout(idle, &mut request).await {
            return answer.map_err(|error| failure(&error));
        }
        let now = sent.load(Ordering::Relaxed);
        if now == seen {
            return Err(Failure { error: stalled(idle, "waiting for the answer"), unprocessed: false });
        }
        seen = now;
    }
}

fn stalled(idle: Duration, doing: &str) -> Error {
    Error::new(
        ErrorKind::Timeout,
        format!("nothing moved for {} s while {doing}; what was started may exist", idle.as_secs()),
    )
    .with_retry(Retry::Retryable(None))
}

/// The body of an answer; an error where it stands still or ends early.
fn received(body: Incoming, idle: Duration) -> crate::ByteStream {
    let stream = body.into_data_stream().map_err(|error| {
        Error::new(ErrorKind::Transport, format!("the answer broke off: {}", deepest(&error)))
            .with_retry(Retry::Retryable(None))
            .with_source(error)
    });
    let timed = futures_util::stream::unfold(Some(stream), move |stream| async move {
        let mut stream = stream?;
        match tokio::time::timeout(idle, stream.next()).await {
            Ok(Some(Ok(bytes))) => Some((Ok(bytes), Some(stream))),
            Ok(Some(Err(error))) => Some((Err(error), None)),
            Ok(None) => None,
            Err(_) => Some((Err(stalled(idle, "reading the answer")), None)),
        }
    });
    timed.boxed()
}

fn failure(error: &legacy::Error) -> Failure {
    let unprocessed = error.is_connect();
    let mut source: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(cause) = source {
        if let Some(problem) = find_tls(cause) {
            let error = Error::new(ErrorKind::Tls, tls::explain(problem));
            return Failure { error, unprocessed };
        }
        source = cause.source();
    }
    let what = if unprocessed { "cannot connect" } else { "the connection broke before the answer" };
    let error = Error::new(ErrorKind::Transport, format!("{what}: {}", deepest(error)))
        .with_retry(Retry::Retryable(None));
    Failure { error, unprocessed }
}

/// A TLS error hides in an I/O error's payload, which is not in its chain of sources; that payload may be an I/O error
/// again.
fn find_tls<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a rustls::Error> {
    if let Some(found) = error.downcast_ref::<rustls::Error>() {
        return Some(found);
    }
    find_tls(error.downcast_ref::<std::io::Error>()?.get_ref()?)
}

/// The innermost cause: `Connection refused`, not `client error (Connect)`.
fn deepest(error: &(dyn StdError + 'static)) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

/// What became of a body that is sent.
#[derive(Default)]
struct Sent {
    /// How much has gone out, so that a slow upload is told from a dead one.
    bytes: AtomicU64,
    /// Why the stream gave no more: the cause of the broken connection, which hyper does not give back.
    problem: Mutex<Option<Error>>,
}

impl Sent {
    fn take_problem(&self) -> Option<Error> {
        self.problem.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn broken(&self, error: Error) -> BoxError {
        let message = error.to_string();
        *self.problem.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
        message.into()
    }
}

/// The body to send.
fn counted(body: Body, sent: Arc<Sent>) -> SendBody {
    match body {
        Body::Empty => Empty::new().map_err(|never| match never {}).boxed_unsync(),
        Body::Stream { length, stream } => {
            let frames = stream.map(move |bytes| {
                let bytes = bytes.map_err(|error| sent.broken(error))?;
                sent.bytes.fetch_add(bytes.len() as u64, Ordering::Relaxed);
                Ok(Frame::data(bytes))
            });
            Sized { length, body: StreamBody::new(frames) }.boxed_unsync()
        }
        in_memory => {
            Full::new(in_memory.to_bytes().unwrap_or_default()).map_err(|never| match never {}).boxed_unsync()
        }
    }
}

/// A stream that says its length, so that it is sent with `Content-Length` instead of in chunks.
struct Sized<B> {
    length: Option<u64>,
    body: B,
}

impl<B> HyperBody for Sized<B>
where
    B: HyperBody<Data = Bytes, Error = BoxError> + Unpin,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        Pin::new(&mut self.get_mut().body).poll_frame(cx)
    }

    fn size_hint(&self) -> SizeHint {
        self.length.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}
