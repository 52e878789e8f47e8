//! What becomes of a call when it is sent: attempts, repetitions, redirects.

use std::borrow::Cow;
use std::time::Duration;

use bytes::BytesMut;
use futures_util::StreamExt as _;
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use tracing::Instrument as _;
use url::Url;

use crate::auth::Target;
use crate::client::Failure;
use crate::connection::Connection;
use crate::decompress::{ACCEPTED, decompress};
use crate::link::{self, Link};
use crate::request::{Body, Repeat, Request};
use crate::response::{Response, StreamingResponse};
use crate::witness::Witness;
use crate::{Error, ErrorKind, Result, Retry, encode};

/// The longest that a provider can make a call wait by itself; beyond, the caller is told.
pub(crate) const MAX_WAIT: Duration = Duration::from_secs(120);
/// The largest error body that is read.
const MAX_ERROR_BODY: usize = 1 << 20;
/// The most memory that is set aside for an answer on its word.
const MAX_RESERVED: usize = 64 << 20;
/// How many redirects one call follows.
const MAX_REDIRECTS: u32 = 5;

pub(crate) enum Answer {
    Whole(Response),
    Streaming(StreamingResponse),
}

/// What one attempt came to.
enum Outcome {
    Answer(Answer),
    /// The same service says that it is elsewhere at the same place.
    Moved(StatusCode, Link),
}

impl Connection {
    pub(crate) async fn execute(&self, mut request: Request, whole: bool) -> Result<Answer> {
        let operation = request.operation.clone();
        let limit = request.timeout.or(self.0.client.settings().total_timeout);
        let span = tracing::debug_span!(
            "call",
            provider = self.0.provider,
            service = self.0.service,
            operation = %operation
        );
        let answer = async {
            self.0.sound()?;
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
        let limiter = self.0.client.limiter();
        let (mut renewed, mut tries, mut redirects) = (false, 0, 0);
        loop {
            let again = request.body.is_replayable();
            limiter.wait(&*self.0.clock).await;
            let failure = match self.attempt(&mut request, whole, tries).await {
                Ok(Outcome::Answer(answer)) => return Ok(answer),
                Ok(Outcome::Moved(status, link)) => {
                    redirects += 1;
                    if redirects > MAX_REDIRECTS {
                        return Err(Error::new(
                            ErrorKind::MalformedResponse,
                            format!("redirected more than {MAX_REDIRECTS} times, at last to {}", link.url()),
                        )
                        .with_status(status));
                    }
                    request.redirect(status, link);
                    continue;
                }
                Err(failure) => failure,
            };
            let Failure { error, unprocessed, renewable } = failure;
            let after = error.retry_after();
            if after.is_some_and(|after| after > MAX_WAIT) {
                return Err(error);
            }
            if let Some(after) = after.filter(|_| error.kind() == ErrorKind::RateLimited) {
                limiter.pause(&*self.0.clock, after);
            }
            if renewable && again && !renewed {
                renewed = true;
                continue;
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

    async fn attempt(&self, request: &mut Request, whole: bool, tries: u32) -> Result<Outcome, Failure> {
        let base = self.place(request).await?;
        let mut attempt = request.hand_out();
        let target = Target::new(&base, self.0.clock.now());
        let mut witness = Witness::new(self, &mut attempt);
        if self.0.cache_busting && attempt.method == Method::GET {
            attempt.push_query("cache-busting", encode::hex(crate::random_bytes::<8>()?));
        }
        self.0.auth.authenticate(&mut attempt, target).await?;
        attempt.take_problem()?;
        witness.request(&attempt, target)?;
        // What can be sent again stays, too: its secrets are hidden where the answer repeats them.
        let body = attempt.body.hand_out();
        let parts = self.finish(&attempt, &body, target, whole)?;
        let started = self.0.clock.elapsed();
        let response = match self.0.client.send(parts, body, attempt.expect_continue).await {
            Ok(response) => response,
            Err(failure) => {
                witness.failure(&failure)?;
                return Err(failure);
            }
        };
        let status = response.status;
        let latency = self.0.clock.elapsed().saturating_sub(started);
        tracing::debug!(attempt = tries + 1, status = status.as_u16(), ?latency, "answered");
        self.0.client.limiter().observe(&*self.0.clock, &response.headers);
        if !whole && status.is_success() {
            witness.head(&response)?;
            return Ok(Outcome::Answer(Answer::Streaming(response)));
        }
        let cap = if status.is_success() { self.0.client.settings().max_response } else { MAX_ERROR_BODY };
        let after = response.headers.contains_key(header::RETRY_AFTER);
        // The status arrived, so the provider has seen the request.
        let processed = |error: Error| Failure {
            // A provider that has a code of its own for "too many calls" says with it that it did nothing.
            unprocessed: after && matches!(status.as_u16(), 429 | 503)
                || error.kind() == ErrorKind::RateLimited && error.code().is_some(),
            renewable: false,
            error,
        };
        let response = buffer(response, cap).await.map_err(processed)?;
        witness.response(&attempt, &response).map_err(processed)?;
        let moved = match moved(&response, &base, request) {
            Moved::Here(link) => return Ok(Outcome::Moved(status, link)),
            Moved::Away(url) => Some(url),
            Moved::Not => None,
        };
        let Err(error) = (self.0.check)(&response) else {
            return Ok(Outcome::Answer(Answer::Whole(response)));
        };
        let error = self.0.known.hide_in(Some(&attempt), with_request_id(error, &response));
        let mut failure = processed(match moved {
            // A provider that says why is not talked over.
            Some(url) if error.code().is_none() => {
                error.context(format_args!("not followed to {}, another server", link::printable(&url)))
            }
            _ => error,
        });
        if failure.error.kind() == ErrorKind::InvalidCredentials {
            failure.renewable = self.0.auth.rejected(&attempt.headers, &failure.error).await?;
        } else if let Some(("region", region)) = failure.error.resource() {
            let goes_there = self.0.auth.elsewhere(region).await?;
            failure.renewable = goes_there;
        }
        Err(failure)
    }

    /// Where this attempt goes. A link that was taken out of an answer is read here, where it is known what it must not
    /// lead away from.
    async fn place(&self, request: &mut Request) -> Result<Cow<'_, Url>> {
        if let Some(place) = &request.place {
            return Ok(Cow::Owned(place.clone()));
        }
        let base = match self.0.auth.locate().await? {
            Some(located) => Cow::Owned(located),
            None => Cow::Borrowed(&self.0.base),
        };
        let Some(text) = request.link.take() else { return Ok(base) };
        let link = Link::parse(&text, &base, request)?;
        if !link.is_within(&base) && !self.0.redirected {
            return Err(Error::new(
                ErrorKind::MalformedResponse,
                format!("the answer leads to {}, another server: not followed", link::printable(link.url())),
            ));
        }
        // An emulator, or a service behind a proxy, may not know under which name it is reached.
        let place = link::origin(&base);
        request.go_to(place.clone(), link);
        Ok(Cow::Owned(place))
    }

    /// The request as hyper takes it.
    fn finish(
        &self,
        request: &Request,
        body: &Body,
        target: Target<'_>,
        whole: bool,
    ) -> Result<http::request::Parts> {
        let mut uri = format!("{}://{}{}", target.base.scheme(), target.host(), target.path(request));
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
            headers.extend(request.headers.clone());
            set_body_headers(headers, request, body);
        }
        let (parts, ()) = builder
            .body(())
            .map_err(|error| Error::invalid_argument(format!("the request cannot be built: {error}")))?
            .into_parts();
        Ok(parts)
    }
}

fn set_body_headers(headers: &mut HeaderMap, request: &Request, body: &Body) {
    let bodyless = match body {
        Body::Empty | Body::Stream { length: Some(0), .. } => true,
        Body::Bytes(bytes) => bytes.is_empty(),
        Body::Source(source) => source.length() == 0,
        _ => false,
    };
    if bodyless && (request.method == Method::POST || request.method == Method::PUT) {
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
    }
    if !bodyless && request.expect_continue {
        headers.insert(header::EXPECT, HeaderValue::from_static("100-continue"));
    }
    if matches!(body, Body::Form(_)) && !headers.contains_key(header::CONTENT_TYPE) {
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/x-www-form-urlencoded; charset=utf-8"),
        );
    }
}

enum Moved {
    /// To another place of the same server.
    Here(Link),
    /// To another server, or with a request that must not be sent there again.
    Away(Url),
    Not,
}

/// Whether the answer is a redirect, and whether it may be followed: within the server, with the same request or as a GET.
fn moved(response: &Response, base: &Url, request: &Request) -> Moved {
    let reads = request.method == Method::GET || request.method == Method::HEAD;
    let follows = match response.status.as_u16() {
        301 | 302 => reads,
        303 => true,
        307 | 308 => reads || request.body.is_replayable(),
        _ => return Moved::Not,
    };
    let Some(location) = response.header("location") else { return Moved::Not };
    match Link::parse(location, base, request) {
        Ok(link) if follows && link.is_within(base) => Moved::Here(link),
        Ok(link) => Moved::Away(link.into_url()),
        Err(_) => Moved::Not,
    }
}

/// Full jitter: between nothing and an exponentially growing limit of at most 20 s.
fn backoff(tries: u32) -> Duration {
    let limit = Duration::from_millis(500) * 2u32.saturating_pow(tries.saturating_sub(1).min(6));
    limit.min(Duration::from_secs(20)).mul_f64(fastrand::f64())
}

pub(crate) async fn buffer(response: StreamingResponse, cap: usize) -> Result<Response> {
    let StreamingResponse { status, mut headers, mut body } = response;
    let mut bytes = BytesMut::new();
    while let Some(chunk) = body.next().await {
        let chunk = match chunk {
            Ok(chunk) => chunk,
            // Refused is refused, whether or not the reasons arrived whole.
            Err(_) if !status.is_success() => break,
            Err(error) => return Err(error),
        };
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
        if bytes.is_empty() {
            // An answer that says how long it is is not moved as it grows.
            let length =
                headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
            bytes.reserve(length.unwrap_or(0).min(cap).min(MAX_RESERVED));
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

pub(crate) fn with_request_id(error: Error, response: &Response) -> Error {
    let id =
        ["x-amzn-requestid", "x-amz-request-id", "x-openstack-request-id", "x-request-id", "x-ms-request-id"]
            .iter()
            .find_map(|name| response.header(name));
    error.with_request_id(id)
}
