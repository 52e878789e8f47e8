//! A connection to one service of a provider: all that is true of every call, said once.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use http::{HeaderMap, HeaderValue, Method, header};
use url::Url;

use crate::auth::{Anonymous, Authenticate};
use crate::call::Call;
use crate::client::Client;
use crate::redact::Known;
use crate::request::{Repeat, Request};
use crate::response::Response;
use crate::{Clock, Config, Error, Result};

/// Tells an answer that failed from one that did not: the only place that knows a provider's status codes and
/// the shape of its errors, "200 but failed" included.
pub type Check = fn(&Response) -> Result<()>;

/// A connection to one service of a provider. Cheap to clone; clones share pool and credentials.
#[derive(Clone)]
pub struct Connection(pub(crate) Arc<Inner>);

#[derive(Clone)]
pub(crate) struct Inner {
    pub(crate) provider: &'static str,
    pub(crate) service: &'static str,
    pub(crate) base: Url,
    /// Whether the configuration sends every host of the provider elsewhere.
    pub(crate) redirected: bool,
    pub(crate) client: Client,
    pub(crate) auth: Arc<dyn Authenticate>,
    pub(crate) check: Check,
    pub(crate) query_style: bool,
    pub(crate) cache_busting: bool,
    /// What every request carries.
    pub(crate) headers: HeaderMap,
    pub(crate) clock: Arc<dyn Clock>,
    /// What must not be told, whoever says it.
    pub(crate) known: Known,
    /// What is wrong with the configuration; told by every call.
    problem: Option<String>,
}

impl Inner {
    pub(crate) fn sound(&self) -> Result<()> {
        self.problem.clone().map_or(Ok(()), |problem| Err(Error::invalid_argument(problem)))
    }
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
        let problem = match HeaderValue::try_from(&agent) {
            Ok(agent) => {
                headers.insert(header::USER_AGENT, agent);
                None
            }
            Err(_) => Some(format!(
                "`{}` cannot be part of the user agent: that is one line of ASCII",
                agent.escape_debug()
            )),
        };
        ConnectionBuilder(Inner {
            provider,
            service: "",
            base,
            redirected: config.endpoint.is_some(),
            client: Client::new(config.transport.clone()),
            auth: Arc::new(Anonymous),
            check: default_check,
            query_style: false,
            cache_busting: false,
            headers,
            clock: Arc::clone(&config.clock),
            known: Known::of(config),
            problem,
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

    /// The same connection to another base URL, with another way to authenticate, such as the key of another region.
    pub fn with_auth(&self, base: Url, auth: impl Authenticate + 'static) -> Self {
        Self(Arc::new(Inner { base, auth: Arc::new(auth), ..Inner::clone(&self.0) }))
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

    /// Begins a GET of a link that an answer holds, such as that of the next page. It is followed on the same server
    /// only; where the configuration names an endpoint, that is the server, whatever host the link has.
    pub fn follow(&self, operation: impl Into<Cow<'static, str>>, link: impl Into<String>) -> Call {
        let nothing: [&str; 0] = [];
        let mut request = Request::new(operation, Method::GET, nothing);
        request.link = Some(link.into());
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
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("provider", &self.0.provider)
            .field("base", &self.0.base.as_str())
            .finish_non_exhaustive()
    }
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

    /// The service that the calls are of (`compute`), for the spans of `tracing`.
    pub fn service(mut self, service: &'static str) -> Self {
        self.0.service = service;
        self
    }

    /// Gives each GET a parameter of a random value, for a provider whose caches answer with what is out of date.
    pub fn cache_busting(mut self) -> Self {
        self.0.cache_busting = true;
        self
    }

    /// A header of every request.
    pub fn header(mut self, name: &'static str, value: &'static str) -> Self {
        self.0.headers.insert(name, HeaderValue::from_static(value));
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
