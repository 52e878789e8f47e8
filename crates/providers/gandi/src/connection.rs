//! XML-RPC: the API key is the first parameter of each method, what changes something is an operation that is asked for
//! until it is done, and a refusal is a fault whose code says of what kind it is.
//!
//! <http://doc.rpc.gandi.net/overview.html>

use std::time::Duration;

use libcloud_common::xmlrpc::{self, Fault, Value};
use libcloud_common::{
    BoxStream, Config, Connection, Error, ErrorKind, NoArguments, Page, Poller, Progress, Response, Result,
    Search, Secret, Sources, json, once, pages,
};
use serde::de::DeserializeOwned;

use crate::wire;

/// How many items Gandi gives without being asked for more or fewer.
const PAGE: u32 = 100;
/// How long an operation is waited for without a time limit.
const PATIENCE: Duration = Duration::from_secs(600);

/// A connection with one API key. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct GandiConnection {
    connection: Connection,
    provider: &'static str,
    key: Secret,
}

impl GandiConnection {
    /// Makes the connection. Nothing is sent.
    pub(crate) fn new(provider: &'static str, config: &Config) -> Result<Self> {
        let NoArguments {} = config.driver_options(provider)?;
        let key = find(config, &mut Search::new(&Sources::system()))?;
        let base = config.base_url("https://rpc.gandi.net/xmlrpc")?;
        let connection =
            Connection::builder(provider, base, config).service("compute").query_style().check(check);
        Ok(Self { connection: connection.build(), provider, key })
    }

    /// The connection below.
    pub(crate) fn http(&self) -> &Connection {
        &self.connection
    }

    /// Begins a call of this method. What only reads may be sent again.
    pub(crate) fn method(&self, name: &'static str) -> Method {
        Method { connection: self.clone(), name, params: vec![self.key.clone().into()], timeout: None }
    }
}

/// For the registration.
pub(crate) fn find_credentials(config: &Config, search: &mut Search) -> Result<()> {
    find(config, search).map(drop)
}

fn find(config: &Config, search: &mut Search) -> Result<Secret> {
    const KEY: &str = "API key";
    search.first(KEY, config.key.as_ref(), &["GANDI_API_KEY"]).ok_or_else(|| search.missing(KEY))
}

/// A call that is being built.
#[derive(Clone, Debug)]
#[must_use = "a method is called by one of the async methods"]
pub(crate) struct Method {
    connection: GandiConnection,
    name: &'static str,
    params: Vec<Value>,
    timeout: Option<Duration>,
}

impl Method {
    /// One more parameter.
    pub(crate) fn param(mut self, value: impl Into<Value>) -> Self {
        self.params.push(value.into());
        self
    }

    /// One more parameter: the id of something that is there.
    pub(crate) fn id(self, id: &str) -> Result<Self> {
        Ok(self.param(number(id)?))
    }

    /// The time limit of the call with all of its retries, and of the wait for its operation.
    pub(crate) fn timeout(mut self, timeout: Option<Duration>) -> Self {
        self.timeout = timeout;
        self
    }

    /// Calls it and reads its value.
    pub(crate) async fn read<T: DeserializeOwned>(self) -> Result<T> {
        let call = self.connection.connection.post(self.name, [""]).xmlrpc(self.name, &self.params);
        let call = call.timeout(self.timeout);
        let reads = [".list", ".info"].iter().any(|suffix| self.name.ends_with(suffix));
        let call = if reads { call.repeatable() } else { call };
        call.xmlrpc_answer(json::read).await
    }

    /// Calls it, and waits until the operation that it starts is done.
    ///
    /// # Errors
    /// The operation's own; `Timeout` with the operation's id, when it was not done in time.
    pub(crate) async fn done(self) -> Result<wire::Operation> {
        let Self { connection, name, timeout, .. } = self.clone();
        let operation: wire::Operation = self.read().await?;
        connection.wait(name, &operation, timeout).await?;
        Ok(operation)
    }
}

impl GandiConnection {
    /// Waits until an operation is done that this method has started.
    ///
    /// <http://doc.rpc.gandi.net/operation/reference.html>
    pub(crate) async fn wait(
        &self,
        method: &'static str,
        operation: &wire::Operation,
        timeout: Option<Duration>,
    ) -> Result<()> {
        let poller = Poller::new(self.connection.clock().clone(), format!("operation {}", operation.id))
            .timeout(timeout.unwrap_or(PATIENCE));
        let looks = poller.run(async |left| {
            let look = self.method("operation.info").id(&operation.id)?.timeout(Some(left));
            let look: wire::Operation = look.read().await?;
            Ok(match look.step.as_str() {
                "DONE" => Progress::Done(()),
                "ERROR" | "CANCEL" => {
                    Progress::Failed(failure(&look).with_resource("operation", &operation.id))
                }
                _ => Progress::Pending(None),
            })
        });
        looks.await.map_err(|error| error.in_operation(self.provider, method))
    }
}

fn failure(operation: &wire::Operation) -> Error {
    let text = operation.last_error.as_deref().filter(|text| !text.is_empty());
    let text = text.unwrap_or("the operation failed, and the service does not say why");
    Error::new(ErrorKind::Provider, text.to_owned()).with_code(operation.step.clone())
}

/// The items of a listing: all pages. The time limit is one for each page.
pub(crate) fn listing<W: DeserializeOwned + Send + 'static, T: Send + 'static>(
    method: Result<Method>,
    filter: impl IntoIterator<Item = (&'static str, Value)>,
    convert: impl Fn(W) -> Result<T> + Clone + Send + 'static,
) -> BoxStream<'static, Result<T>> {
    let method = match method {
        Ok(method) => method,
        Err(error) => return once(std::future::ready(Err(error))),
    };
    let filter: Vec<_> = filter.into_iter().collect();
    pages(0_u32, move |page| {
        let options = [("page", page.into()), ("items_per_page", PAGE.into())];
        let method = method.clone().param(Value::members(filter.clone().into_iter().chain(options)));
        let convert = convert.clone();
        async move {
            let found: Vec<W> = method.read().await?;
            let next = (found.len() >= PAGE as usize).then_some(page + 1);
            Ok(Page::new(found.into_iter().map(convert).collect::<Result<_>>()?, next))
        }
    })
}

/// Gandi's ids are numbers.
pub(crate) fn number(id: &str) -> Result<i64> {
    id.parse()
        .map_err(|_| Error::invalid_argument(format!("`{id}` is not an id of Gandi's: those are numbers")))
}

fn check(response: &Response) -> Result<()> {
    xmlrpc::check(response, kind)
}

/// A code has six digits: 5 for what was wrong with the request, three for the object, two for the cause. The tens of the cause
/// are its kind: type, syntax, value, existence, privileges, state.
///
/// <http://doc.rpc.gandi.net/errors/index.html>
fn kind(fault: &Fault) -> ErrorKind {
    match fault.code.as_bytes() {
        [b'5', _, _, _, b'4', _] => ErrorKind::NotFound,
        [b'5', _, _, _, b'5', _] => ErrorKind::InvalidCredentials,
        // The last is CAUSE_BADPARAMETER.
        [b'5', _, _, _, b'1' | b'2' | b'3', _] | [b'5', _, _, _, b'6', b'5'] => ErrorKind::InvalidArgument,
        [b'5', _, _, _, b'6', _] => ErrorKind::InvalidState,
        _ => ErrorKind::Provider,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_kinds() {
        for (code, expected) in [
            ("510150", ErrorKind::InvalidCredentials),
            ("581042", ErrorKind::NotFound),
            ("500065", ErrorKind::InvalidArgument),
            ("500130", ErrorKind::InvalidArgument),
            ("505160", ErrorKind::InvalidState),
            ("150000", ErrorKind::Provider),
            ("1", ErrorKind::Provider),
            ("", ErrorKind::Provider),
        ] {
            assert_eq!(kind(&Fault { code: code.into(), message: String::new() }), expected, "{code}");
        }
    }

    #[test]
    fn the_key_is_looked_for() {
        let mut search = Search::new(&Sources::of([("GANDI_API_KEY", "env-key")], []));
        assert_eq!(find(&Config::with_key("k"), &mut search).unwrap().expose(), "k");
        assert_eq!(find(&Config::anonymous(), &mut search).unwrap().expose(), "env-key");
        let error = find(&Config::anonymous(), &mut Search::new(&Sources::of([], []))).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the API key is missing: give it in the configuration or the variable GANDI_API_KEY"
        );
    }

    #[test]
    fn an_id_is_a_number() {
        assert_eq!(number("250133").unwrap(), 250_133);
        assert_eq!(
            number("i-1").unwrap_err().to_string(),
            "`i-1` is not an id of Gandi's: those are numbers"
        );
    }
}
