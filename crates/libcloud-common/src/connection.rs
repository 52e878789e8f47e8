//! A connection to one service of a provider: all that is true of every call, said once.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use http::{HeaderMap, HeaderValue, Method, Uri, header};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tracing::Instrument as _;
use url::Url;

use crate::auth::{Anonymous, Authenticate, Target};
use crate::client::{Client, Failure};
use crate::debug_log::REQUEST_ID;
use crate::decompress::{ACCEPTED, decompress};
use crate::request::{Body, ByteStream, Param, Repeat, Request};
use crate::response::{Response, StreamingResponse};
use crate::{Clock, Config, Error, ErrorKind, Options, Result, Retry};

/// The longest that a provider can make a call wait by itself; beyond, the caller is told.
const MAX_WAIT: Duration = Duration::from_secs(120);
/// The largest error body that is read.
const MAX_ERROR_BODY: usize = 1 << 20;

/// Tells an answer that failed from one that did not: the only place that knows a provider's status codes and
/// the shape of its errors, "200 but failed" included.
pub type Check = fn(&Response) -> Result<()>;

/// A connection to one service of a provider. Cheap to clone; clones share pool and credentials.
#[derive(Clone)]
pub struct Connection(Arc<Inner>);

#[derive(Clone)]
struct Inner {
    provider: &'static str,
    base: Url,
    client: Client,
    auth: Arc<dyn Authenticate>,
    check: Check,
    query_style: bool,
    headers: HeaderMap,
    clock: Arc<dyn Clock>,
}

/// Makes a [`Connection`].
pub struct ConnectionBuilder(Inner);

impl Connection {
    /// Begins a connection of this provider to this base URL.
    pub fn builder(provider: &'static str, base: Url, config: &Config) -> ConnectionBuilder {
        let mut headers = HeaderMap::new();
        let version = env!("CARGO_PKG_VERSION");
        let mut agent = format!("libcloud/{version} ({provider})");
        if let Some(more) = &config.transport.user_agent {
            agent = format!("{agent} {more}");
        }
        if let Ok(agent) = HeaderValue::try_from(agent) {
            headers.insert(header::USER_AGENT, agent);
        }
        ConnectionBuilder(Inner {
            provider,
            base,
            client: Client::new(config.transport.clone()),
            auth: Arc::new(Anonymous),
            check: default_check,
            query_style: false,
            headers,
            clock: Arc::clone(&config.clock),
        })
    }

    /// The base URL.
    pub fn base(&self) -> &Url {
        &self.0.base
    }

    /// The same connection to another base URL, such as the host of one bucket: it shares pool, credentials and all
    /// else.
    pub fn with_base(&self, base: Url) -> Self {
        Self(Arc::new(Inner { base, ..Inner::clone(&self.0) }))
    }

    /// The clock of the configuration.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.0.clock
    }

    /// The pool, to share with another connection of the same driver.
    pub fn client(&self) -> &Client {
        &self.0.client
    }

    /// Begins a call: the operation as the provider's reference names it, and the path as segments.
    pub fn call<S: AsRef<str>>(
        &self,
        method: Method,
        operation: impl Into<Cow<'static, str>>,
        segments: impl IntoIterator<Item = S>,
    ) -> Call {
        let mut request = Request::new(operation, method, segments);
        if self.0.query_style {
            request.repeat = Repeat::IfUnprocessed;
        }
        Call { connection: self.clone(), request }
    }

    /// Begins a GET.
    pub fn get<S: AsRef<str>>(
        &self,
        operation: impl Into<Cow<'static, str>>,
        segments: impl IntoIterator<Item = S>,
    ) -> Call {
        self.call(Method::GET, operation, segments)
    }

    /// Begins a POST.
    pub fn post<S: AsRef<str>>(
        &self,
        operation: impl Into<Cow<'static, str>>,
        segments: impl IntoIterator<Item = S>,
    ) -> Call {
        self.call(Method::POST, operation, segments)
    }

    /// Begins a PUT.
    pub fn put<S: AsRef<str>>(
        &self,
        operation: impl Into<Cow<'static, str>>,
        segments: impl IntoIterator<Item = S>,
    ) -> Call {
        self.call(Method::PUT, operation, segments)
    }

    /// Begins a DELETE.
    pub fn delete<S: AsRef<str>>(
        &self,
        operation: impl Into<Cow<'static, str>>,
        segments: impl IntoIterator<Item = S>,
    ) -> Call {
        self.call(Method::DELETE, operation, segments)
    }

    /// Begins a HEAD.
    pub fn head<S: AsRef<str>>(
        &self,
        operation: impl Into<Cow<'static, str>>,
        segments: impl IntoIterator<Item = S>,
    ) -> Call {
        self.call(Method::HEAD, operation, segments)
    }

    async fn execute(&self, mut request: Request, whole: bool) -> Result<Answer> {
        let operation = request.operation.clone();
        let limit = request.timeout.or(self.0.client.settings().total_timeout);
        let span = tracing::debug_span!("call", provider = self.0.provider, operation = %operation);
        let answer = async {
            request.take_problem()?;
            let tries = self.retrying(request, whole);
            match limit {
                Some(limit) => tokio::time::timeout(limit, tries).await.unwrap_or_else(|_| {
                    Err(Error::new(
                        ErrorKind::Timeout,
                        format!("not done within {} s; what was started may exist", limit.as_secs_f64()),
                    ))
                }),
                None => tries.await,
            }
        };
        answer.instrument(span).await.map_err(|error| error.in_operation(self.0.provider, operation))
    }

    /// Attempts until one succeeds, may not be repeated, or the retries are used up.
    async fn retrying(&self, mut request: Request, whole: bool) -> Result<Answer> {
        let retries = self.0.client.settings().retries;
        let mut renewed = false;
        let mut tries = 0;
        loop {
            let again = request.body.is_replayable();
            let limiter = self.0.client.limiter();
            limiter.wait(&*self.0.clock).await;
            let failure = match self.attempt(&mut request, whole).await {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            let Failure { error, unprocessed } = failure;
            let after = error.retry_after();
            if after.is_some_and(|after| after > MAX_WAIT) {
                return Err(error);
            }
            if let Some(after) = after.filter(|_| error.kind() == ErrorKind::RateLimited) {
                limiter.pause(&*self.0.clock, after);
            }
            if error.status() == Some(http::StatusCode::UNAUTHORIZED) && again && !renewed {
                renewed = true;
                if self.0.auth.rejected().await? {
                    continue;
                }
            }
            let may = again && error.is_retryable() && (unprocessed || request.repeat == Repeat::Always);
            if !may {
                return Err(error);
            }
            if tries >= retries {
                return Err(error.with_retry(Retry::Exhausted));
            }
            tries += 1;
            // Where the provider names a time for all calls, the limiter waits.
            let wait = match after {
                Some(_) if error.kind() == ErrorKind::RateLimited => Duration::ZERO,
                Some(after) => after,
                None => backoff(tries),
            };
            tracing::debug!(attempt = tries, ?wait, %error, "again");
            self.0.clock.sleep(wait).await;
        }
    }

    async fn attempt(&self, request: &mut Request, whole: bool) -> Result<Answer, Failure> {
        let mut attempt = Request {
            operation: request.operation.clone(),
            method: request.method.clone(),
            path: request.path.clone(),
            query: request.query.clone(),
            headers: request.headers.clone(),
            body: request.body.hand_out(),
            repeat: request.repeat,
            timeout: None,
            problem: None,
        };
        let target = Target::new(&self.0.base, self.0.clock.now());
        let log = self.0.client.settings().debug_log.as_ref().map(|log| (log, log.next_id()));
        if let Some((_, id)) = &log {
            attempt.set_header(REQUEST_ID, id, false);
        }
        self.0.auth.authenticate(&mut attempt, target).await?;
        attempt.take_problem()?;
        if let Some((log, id)) = &log {
            log.request(id, &attempt, target, &self.0.headers)?;
        }
        let (parts, body) = self.finish(attempt, target, whole)?;
        let response = match (self.0.client.send(parts, body).await, &log) {
            (Ok(response), _) => response,
            (Err(failure), None) => return Err(failure),
            (Err(failure), Some((log, id))) => {
                log.failure(id, &failure.error)?;
                return Err(failure);
            }
        };
        if whole || !response.status.is_success() {
            let cap = if response.status.is_success() {
                self.0.client.settings().max_response
            } else {
                MAX_ERROR_BODY
            };
            let status = response.status;
            let after = response.headers.contains_key(header::RETRY_AFTER);
            // The status arrived, so the provider has seen the request.
            let processed = |error: Error| Failure {
                // A provider that has a code of its own for "too many calls" says with it that it did nothing.
                unprocessed: after && matches!(status.as_u16(), 429 | 503)
                    || error.kind() == ErrorKind::RateLimited && error.code().is_some(),
                error,
            };
            let response = buffer(response, cap).await.map_err(processed)?;
            if let Some((log, id)) = &log {
                log.response(id, &response).map_err(processed)?;
            }
            (self.0.check)(&response).map_err(|error| processed(with_request_id(error, &response)))?;
            return Ok(Answer::Whole(response));
        }
        if let Some((log, id)) = &log {
            log.head(id, response.status, &response.headers)?;
        }
        Ok(Answer::Streaming(response))
    }

    /// The request as hyper takes it.
    fn finish(
        &self,
        request: Request,
        target: Target<'_>,
        whole: bool,
    ) -> Result<(http::request::Parts, Body)> {
        let mut uri = format!("{}://{}{}", self.0.base.scheme(), target.host(), target.path(&request));
        if !request.query.is_empty() {
            uri.push('?');
            uri.push_str(&request.encoded_query());
        }
        let uri: Uri = uri.parse().map_err(|error| {
            Error::invalid_argument(format!("the path `{}` does not fit in a URL: {error}", request.path))
        })?;
        let mut builder = http::Request::builder().method(request.method.clone()).uri(uri);
        if let Some(headers) = builder.headers_mut() {
            headers.clone_from(&self.0.headers);
            // The answer to a HEAD describes the resource as it is stored.
            if whole && request.method != Method::HEAD {
                headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(ACCEPTED));
            }
            headers.extend(request.headers);
            let bodyless = match &request.body {
                Body::Empty | Body::Stream { length: Some(0), .. } => true,
                Body::Bytes(bytes) => bytes.is_empty(),
                _ => false,
            };
            if bodyless && (request.method == Method::POST || request.method == Method::PUT) {
                headers.insert(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
            }
            if matches!(request.body, Body::Form(_)) && !headers.contains_key(header::CONTENT_TYPE) {
                headers.insert(
                    header::CONTENT_TYPE,
                    HeaderValue::from_static("application/x-www-form-urlencoded; charset=utf-8"),
                );
            }
        }
        let (parts, ()) = builder
            .body(())
            .map_err(|error| Error::invalid_argument(format!("the request cannot be built: {error}")))?
            .into_parts();
        Ok((parts, request.body))
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("provider", &self.0.provider)
            .field("base", &self.0.base.as_str())
            .finish_non_exhaustive()
    }
}

enum Answer {
    Whole(Response),
    Streaming(StreamingResponse),
}

/// Full jitter: between nothing and an exponentially growing limit of at most 20 s.
fn backoff(tries: u32) -> Duration {
    let limit = Duration::from_millis(500) * 2u32.saturating_pow(tries.saturating_sub(1).min(6));
    limit.min(Duration::from_secs(20)).mul_f64(fastrand::f64())
}

async fn buffer(response: StreamingResponse, cap: usize) -> Result<Response> {
    let StreamingResponse { status, mut headers, mut body } = response;
    let mut bytes = BytesMut::new();
    while let Some(chunk) = body.next().await {
        let chunk = chunk?;
        if bytes.len() + chunk.len() > cap {
            if status.is_success() {
                return Err(Error::new(
                    ErrorKind::MalformedResponse,
                    format!("the answer is larger than {cap} bytes"),
                )
                .with_status(status));
            }
            break;
        }
        bytes.extend_from_slice(&chunk);
    }
    let raw = bytes.freeze();
    let body = match decompress(&mut headers, raw.clone(), cap) {
        // What an error says must never be the thing that fails.
        Err(_) if !status.is_success() => raw,
        body => body.map_err(|error| error.with_status(status))?,
    };
    Ok(Response { status, headers, body })
}

fn with_request_id(error: Error, response: &Response) -> Error {
    let id =
        ["x-amzn-requestid", "x-amz-request-id", "x-openstack-request-id", "x-request-id", "x-ms-request-id"]
            .iter()
            .find_map(|name| response.header(name));
    error.with_request_id(id)
}

fn default_check(response: &Response) -> Result<()> {
    if response.status.is_success() { Ok(()) } else { Err(response.error("")) }
}

impl ConnectionBuilder {
    /// How requests are authenticated.
    pub fn auth(mut self, auth: impl Authenticate + 'static) -> Self {
        self.0.auth = Arc::new(auth);
        self
    }

    /// How an answer that failed is told from one that did not.
    pub fn check(mut self, check: Check) -> Self {
        self.0.check = check;
        self
    }

    /// For an API whose method says nothing (everything is a GET or a POST): no call is repeatable unless it is
    /// [marked](Call::repeatable).
    pub fn query_style(mut self) -> Self {
        self.0.query_style = true;
        self
    }

    /// Uses the pool of another connection of the same driver.
    pub fn client(mut self, client: &Client) -> Self {
        self.0.client = client.clone();
        self
    }

    /// The connection. Nothing is sent.
    pub fn build(self) -> Connection {
        Connection(Arc::new(self.0))
    }
}

impl fmt::Debug for ConnectionBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectionBuilder").field("provider", &self.0.provider).finish_non_exhaustive()
    }
}

/// A call that is being built. Nothing happens before one of its `async` methods.
#[derive(Debug)]
#[must_use = "a call is sent by one of its async methods"]
pub struct Call {
    connection: Connection,
    request: Request,
}

impl Call {
    /// A parameter of the query.
    pub fn query(mut self, name: impl Into<Cow<'static, str>>, value: impl ToString) -> Self {
        self.request.push_query(name, value);
        self
    }

    /// A parameter of the query, if there is a value.
    pub fn query_opt(self, name: impl Into<Cow<'static, str>>, value: Option<impl ToString>) -> Self {
        match value {
            Some(value) => self.query(name, value),
            None => self,
        }
    }

    /// A parameter of the query whose value is never printed.
    pub fn secret_query(mut self, name: impl Into<Cow<'static, str>>, value: impl Into<String>) -> Self {
        self.request.query.push(Param { name: name.into(), value: value.into(), secret: true });
        self
    }

    /// Names and values as a form in the body; adds to those that are there.
    pub fn form<N: Into<Cow<'static, str>>, V: ToString>(
        mut self,
        params: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        let params = params.into_iter().map(|(name, value)| Param {
            name: name.into(),
            value: value.to_string(),
            secret: false,
        });
        match &mut self.request.body {
            Body::Form(form) => form.extend(params),
            body => *body = Body::Form(params.collect()),
        }
        self
    }

    /// A field of the form whose value is never printed.
    pub fn secret_field(self, name: impl Into<Cow<'static, str>>, value: impl Into<String>) -> Self {
        let mut call = self.form([(name, value.into())]);
        if let Body::Form(form) = &mut call.request.body
            && let Some(last) = form.last_mut()
        {
            last.secret = true;
        }
        call
    }

    /// A header.
    pub fn header(mut self, name: &str, value: impl AsRef<str>) -> Self {
        self.request.set_header(name, value.as_ref(), false);
        self
    }

    /// A header, if there is a value.
    pub fn header_opt(self, name: &str, value: Option<impl AsRef<str>>) -> Self {
        match value {
            Some(value) => self.header(name, value),
            None => self,
        }
    }

    /// A header whose value is never printed.
    pub fn secret_header(mut self, name: &str, value: impl AsRef<str>) -> Self {
        self.request.set_header(name, value.as_ref(), true);
        self
    }

    /// An object's name at the end of the path; its slashes stay, nothing in it is normalised.
    pub fn key(mut self, key: &str) -> Self {
        self.request.push_key(key);
        self
    }

    /// A JSON body.
    pub fn json(mut self, body: &impl Serialize) -> Self {
        self.request.set_json(body);
        self
    }

    /// A body of this content type.
    pub fn body(self, content_type: &str, body: impl Into<Bytes>) -> Self {
        let mut call = self.header("content-type", content_type);
        call.request.body = Body::Bytes(body.into());
        call
    }

    /// A body that is streamed; without a length it is sent in chunks.
    pub fn stream(mut self, length: Option<u64>, stream: ByteStream) -> Self {
        self.request.body = Body::Stream { length, stream };
        self
    }

    /// The time limit of a method without extension arguments; refuses any of the latter.
    pub fn options(mut self, method: &str, options: Options) -> Self {
        self.request.apply(method, options);
        self
    }

    /// A time limit for the call with all of its retries.
    pub fn timeout(mut self, timeout: Option<Duration>) -> Self {
        self.request.timeout = timeout.or(self.request.timeout);
        self
    }

    /// Marks the call as one that does no harm when it is sent twice.
    pub fn repeatable(mut self) -> Self {
        self.request.repeat = Repeat::Always;
        self
    }

    /// Marks the call as one that must not be sent twice unless it was certainly not processed.
    pub fn not_repeatable(mut self) -> Self {
        self.request.repeat = Repeat::IfUnprocessed;
        self
    }

    /// The request as it was built so far, for a test or a dry run.
    pub fn request(&self) -> &Request {
        &self.request
    }

    /// Sends it and reads the whole answer.
    pub async fn send(self) -> Result<Response> {
        match self.connection.execute(self.request, true).await? {
            Answer::Whole(response) => Ok(response),
            // Asked for whole, so it is; buffered all the same, for the type's sake.
            Answer::Streaming(response) => buffer(response, usize::MAX).await,
        }
    }

    /// Sends it; the body of the answer arrives as it is read.
    pub async fn send_streaming(self) -> Result<StreamingResponse> {
        match self.connection.execute(self.request, false).await? {
            Answer::Streaming(response) => Ok(response),
            Answer::Whole(Response { status, headers, body }) => {
                let body = futures_util::stream::once(async move { Ok(body) }).boxed();
                Ok(StreamingResponse { status, headers, body })
            }
        }
    }

    /// Sends it; there is nothing to read in the answer.
    pub async fn empty(self) -> Result<()> {
        self.send().await.map(|_| ())
    }

    /// Sends it and reads the answer as JSON.
    pub async fn json_answer<T: DeserializeOwned>(self) -> Result<T> {
        self.decode(Response::json).await
    }

    /// Sends it and reads the answer in a way of the provider's own.
    pub async fn decode<T>(self, read: impl FnOnce(&Response) -> Result<T>) -> Result<T> {
        let provider = self.connection.0.provider;
        let operation = self.request.operation.clone();
        let response = self.send().await?;
        read(&response).map_err(|error| {
            with_request_id(error, &response).with_status(response.status).in_operation(provider, operation)
        })
    }
}
