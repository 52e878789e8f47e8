//! The HTTP client: one pool of connections for a configuration, shared by all clones.

use std::error::Error as StdError;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy;
use hyper_util::rt::{TokioExecutor, TokioTimer};

use crate::body::{Gate, SendBody, Sent, incoming, outgoing, stalled};
use crate::config::TransportConfig;
use crate::connector::{Connector, Timed};
use crate::limiter::Limiter;
use crate::request::Body;
use crate::response::StreamingResponse;
use crate::{Error, ErrorKind, Result, Retry, tls};

/// What one answer, and all answers of a connection, may send ahead: the defaults of HTTP/2 hold a fast line back.
const HTTP2_STREAM_WINDOW: u32 = 2 << 20;
const HTTP2_CONNECTION_WINDOW: u32 = 8 << 20;

pub(crate) type BoxError = Box<dyn StdError + Send + Sync>;
type PlainClient = legacy::Client<Timed<Connector>, SendBody>;
type TlsClient = legacy::Client<Timed<HttpsConnector<Connector>>, SendBody>;

/// The pool of connections. Clones share it.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    settings: TransportConfig,
    limiter: Limiter,
    // Made when first needed: a program that talks to `http://` or to nobody never loads certificates.
    plain: OnceLock<(PlainClient, Connector)>,
    tls: OnceLock<Result<TlsClient, String>>,
}

/// A failed attempt, and whether it is certain that the provider did not act on it.
pub(crate) struct Failure {
    pub(crate) error: Error,
    pub(crate) unprocessed: bool,
    /// Whether other credentials can be had.
    pub(crate) renewable: bool,
}

impl From<Error> for Failure {
    /// Nothing was sent.
    fn from(error: Error) -> Self {
        Self { error, unprocessed: true, renewable: false }
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
        expect_continue: bool,
    ) -> Result<StreamingResponse, Failure> {
        let settings = &self.0.settings;
        let secure = parts.uri.scheme() == Some(&http::uri::Scheme::HTTPS) && settings.connect_to.is_none();
        let host = parts.uri.authority().map(ToString::to_string).unwrap_or_default();
        let sent = Arc::new(Sent::default());
        let gate = expect_continue.then(Arc::<Gate>::default);
        let body = outgoing(body, Arc::clone(&sent), gate.clone());
        let mut request = http::Request::from_parts(parts, body);
        if let Some(gate) = gate.clone() {
            hyper::ext::on_informational(&mut request, move |informational| {
                if informational.status() == http::StatusCode::CONTINUE {
                    gate.open();
                }
            });
        }
        let idle = settings.idle_timeout;
        let response = if secure {
            let client = self.0.tls.get_or_init(|| self.make_tls()).as_ref().map_err(|problem| Failure {
                error: Error::new(ErrorKind::Tls, problem.clone()),
                unprocessed: true,
                renewable: false,
            })?;
            within_idle_time(idle, &sent.bytes, client.request(request)).await
        } else {
            let (client, connector) = self.0.plain.get_or_init(|| self.make_plain());
            if let Some(authorization) = connector.proxy_authorization(request.uri()) {
                request.headers_mut().insert(http::header::PROXY_AUTHORIZATION, authorization);
            }
            within_idle_time(idle, &sent.bytes, client.request(request)).await
        };
        let response = response.map_err(|broken| match (sent.take_problem(), broken) {
            // Our own body gave no more: that is the cause, not what it did to the connection.
            (Some(error), _) => Failure { error, unprocessed: false, renewable: false },
            (None, Broken::Stalled) => Failure {
                error: stalled(idle, "waiting for the answer"),
                unprocessed: false,
                renewable: false,
            },
            (None, Broken::Failed(error)) => failure(&error, &host),
        })?;
        if let Some(gate) = &gate {
            gate.answered();
        }
        let (parts, body) = response.into_parts();
        Ok(StreamingResponse {
            status: parts.status,
            headers: parts.headers,
            body: incoming(body, idle, gate),
        })
    }

    fn builder(&self) -> legacy::Builder {
        let mut builder = legacy::Client::builder(TokioExecutor::new());
        builder.pool_timer(TokioTimer::new()).pool_max_idle_per_host(self.0.settings.pool_size);
        builder
            .http2_initial_stream_window_size(HTTP2_STREAM_WINDOW)
            .http2_initial_connection_window_size(HTTP2_CONNECTION_WINDOW);
        // Only what was never begun to be written: the pooled connection had been closed by the server meanwhile.
        builder.retry_canceled_requests(true);
        builder
    }

    fn make_plain(&self) -> (PlainClient, Connector) {
        let connector = Connector::new(&self.0.settings);
        let timed = Timed { connector: connector.clone(), limit: self.0.settings.connect_timeout };
        (self.builder().build(timed), connector)
    }

    fn make_tls(&self) -> Result<TlsClient, String> {
        let settings = &self.0.settings;
        let config = tls::client_config(settings).map_err(|error| error.to_string())?;
        let builder = HttpsConnectorBuilder::new().with_tls_config(config).https_only().enable_http1();
        let connector = Connector::new(settings);
        let connector = if settings.http2 {
            builder.enable_http2().wrap_connector(connector)
        } else {
            builder.wrap_connector(connector)
        };
        Ok(self.builder().build(Timed { connector, limit: settings.connect_timeout }))
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Client").field(&self.0.settings).finish()
    }
}

/// Why there is no answer.
enum Broken {
    Stalled,
    Failed(legacy::Error),
}

/// Waits for the head of the answer as long as bytes of the request keep going out.
async fn within_idle_time<F>(
    idle: Duration,
    sent: &AtomicU64,
    request: F,
) -> Result<http::Response<Incoming>, Broken>
where
    F: Future<Output = Result<http::Response<Incoming>, legacy::Error>>,
{
    let mut request = std::pin::pin!(request);
    let mut seen = 0;
    loop {
        if let Ok(answer) = tokio::time::timeout(idle, &mut request).await {
            return answer.map_err(Broken::Failed);
        }
        let now = sent.load(Ordering::Relaxed);
        if now == seen {
            return Err(Broken::Stalled);
        }
        seen = now;
    }
}

fn failure(error: &legacy::Error, host: &str) -> Failure {
    let unprocessed = error.is_connect();
    let mut timed_out = false;
    let mut source: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(cause) = source {
        if let Some(problem) = find_tls(cause) {
            let error = Error::new(ErrorKind::Tls, format!("{host}: {}", tls::explain(problem)));
            return Failure { error, unprocessed, renewable: false };
        }
        if let Some(problem) = cause.downcast_ref::<Error>() {
            let error = Error::new(problem.kind(), problem.message().to_owned());
            return Failure { error, unprocessed, renewable: false };
        }
        timed_out |= cause
            .downcast_ref::<std::io::Error>()
            .is_some_and(|error| error.kind() == std::io::ErrorKind::TimedOut);
        source = cause.source();
    }
    let kind = if unprocessed && timed_out { ErrorKind::Timeout } else { ErrorKind::Transport };
    let what = if unprocessed {
        format!("cannot connect to {host}")
    } else {
        "the connection broke before the answer".to_owned()
    };
    let error = Error::new(kind, format!("{what}: {}", deepest(error))).with_retry(Retry::Retryable(None));
    Failure { error, unprocessed, renewable: false }
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
pub(crate) fn deepest(error: &(dyn StdError + 'static)) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}
