//! The query API: `command=…` with flat parameters, signed; JSON in an envelope; jobs that are asked for until they are
//! done.
//!
//! <https://docs.cloudstack.apache.org/en/latest/developersguide/dev.html>

use std::time::Duration;

use libcloud_common::{
    BoxStream, Call, Config, Connection, Deadline, Error, ErrorKind, Map, Page, Param, Poller, Progress,
    Response, Result, Search, Sources, Url, Value, arguments, json, kind_of_status, once, pages,
};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::credentials::Credentials;
use crate::signer::Signer;

/// The largest page that a service with the default settings gives.
const PAGE: usize = 500;
/// How long a job is waited for without a time limit.
const PATIENCE: Duration = Duration::from_secs(600);
/// How long a signature of version 3 is good for.
const EXPIRES: u64 = 600;

/// What a driver for CloudStack takes as options of its configuration.
#[arguments(drivers = ["cloudstack"])]
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct CloudStackOptions {
    /// The path of the API (`/client/api`), with `host` or an endpoint that has none.
    pub path: Option<String>,
    /// `2`, or `3` for signatures that expire.
    #[serde(deserialize_with = "json::opt_string_or_number")]
    pub signature_version: Option<String>,
    /// For how many seconds a signature of version 3 is good (600).
    pub expires: Option<u64>,
}

/// A connection to one installation. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct CloudStackConnection {
    connection: Connection,
    provider: &'static str,
}

impl CloudStackConnection {
    /// Makes the connection. Nothing is sent.
    pub(crate) fn new(provider: &'static str, config: &Config) -> Result<Self> {
        let options: CloudStackOptions = config.driver_options(provider)?;
        let found = Credentials::find(config, &mut Search::new(&Sources::system()))?;
        let signer = Signer { key: found.key, secret: found.secret, expires: expiry(&options)? };
        let base = base(config, options.path.as_deref(), found.endpoint)?;
        let connection = Connection::builder(provider, base, config)
            .service("compute")
            .query_style()
            .auth(signer)
            .check(check);
        Ok(Self { connection: connection.build(), provider })
    }

    /// The connection below.
    pub(crate) fn http(&self) -> &Connection {
        &self.connection
    }

    /// Begins a command. What only reads may be sent again.
    pub(crate) fn command(&self, name: &'static str) -> Command {
        let repeatable = ["list", "query", "get"].iter().any(|prefix| name.starts_with(prefix));
        Command {
            connection: self.clone(),
            name,
            params: Vec::new(),
            timeout: None,
            repeatable,
            in_body: false,
        }
    }
}

/// Where the API is: what the configuration says, else what was found beside the key.
fn base(config: &Config, path: Option<&str>, found: Option<Url>) -> Result<Url> {
    let mut config = config.clone();
    if config.endpoint.is_none() && config.host.is_none() {
        config.endpoint = found;
    }
    config.private_url(
        path,
        "client/api",
        "every CloudStack has an address of its own: give `endpoint` (https://cloud.example.org/client/api), or `host` and \
         the option `path`, or set CLOUDSTACK_ENDPOINT",
    )
}

fn expiry(options: &CloudStackOptions) -> Result<Option<Duration>> {
    match (options.signature_version.as_deref(), options.expires) {
        (None | Some("2"), None) => Ok(None),
        (Some("3"), seconds) => Ok(Some(Duration::from_secs(seconds.unwrap_or(EXPIRES)))),
        (None | Some("2"), Some(_)) => Err(Error::invalid_argument(
            "only signatures of version 3 expire: set the option `signature_version` to 3, too",
        )
        .with_resource("option", "expires")),
        (Some(other), _) => {
            Err(Error::invalid_argument(format!("`signature_version` is `2` or `3`, not `{other}`"))
                .with_resource("option", "signature_version"))
        }
    }
}

/// A command that is being built.
#[derive(Clone, Debug)]
#[must_use = "a command is sent by one of its async methods"]
pub(crate) struct Command {
    connection: CloudStackConnection,
    name: &'static str,
    params: Vec<Param>,
    timeout: Option<Duration>,
    repeatable: bool,
    in_body: bool,
}

/// What a command that starts a job answers.
#[derive(Debug, Deserialize)]
struct Started {
    #[serde(deserialize_with = "json::string_or_number")]
    jobid: String,
}

/// <https://cloudstack.apache.org/api/apidocs-4.20/apis/queryAsyncJobResult.html>
#[derive(Debug, Deserialize)]
struct Job {
    jobstatus: u8,
    #[serde(default)]
    jobresult: Value,
}

impl Command {
    /// `name=value`
    pub(crate) fn param(mut self, name: &'static str, value: impl ToString) -> Self {
        self.params.push(Param::new(name, value.to_string()));
        self
    }

    /// `name=value`, if there is one.
    pub(crate) fn opt(self, name: &'static str, value: Option<impl ToString>) -> Self {
        match value {
            Some(value) => self.param(name, value),
            None => self,
        }
    }

    /// `name=value`, the value never printed.
    pub(crate) fn secret(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.params.push(Param::new(name, value).secret());
        self
    }

    /// `name=a,b`, if there are any.
    pub(crate) fn list(self, name: &'static str, values: &[String]) -> Self {
        if values.is_empty() { self } else { self.param(name, values.join(",")) }
    }

    /// Sends the parameters in the body, where they have no limit of length.
    pub(crate) fn in_body(mut self) -> Self {
        self.in_body = true;
        self
    }

    /// The time limit of the call with all of its retries, and of the wait for its job.
    pub(crate) fn timeout(mut self, timeout: Option<Duration>) -> Self {
        self.timeout = timeout;
        self
    }

    fn call(self) -> Call {
        let connection = &self.connection.connection;
        let path: [&str; 0] = [];
        let params = std::iter::once(Param::new("command", self.name)).chain(self.params);
        let call = if self.in_body {
            params.fold(connection.post(self.name, path), |call, param| {
                if param.secret {
                    call.secret_field(param.name, param.value)
                } else {
                    call.form([(param.name, param.value)])
                }
            })
        } else {
            params.fold(connection.get(self.name, path), |call, param| {
                if param.secret {
                    call.secret_query(param.name, param.value)
                } else {
                    call.query(param.name, param.value)
                }
            })
        };
        let call = call.timeout(self.timeout);
        if self.repeatable { call.repeatable() } else { call }
    }

    /// Sends it and reads what is in the envelope.
    pub(crate) async fn read<T: DeserializeOwned>(self) -> Result<T> {
        self.read_as(json::read).await
    }

    /// The same, read in another way.
    pub(crate) async fn read_as<T>(self, read: impl FnOnce(Value) -> Result<T>) -> Result<T> {
        self.call().decode(|response| read(opened(response.json()?)?)).await
    }

    /// Sends it; the answer tells nothing but that it was done.
    pub(crate) async fn done(self) -> Result<()> {
        let answer: Value = self.read().await?;
        succeeded(&answer)
    }

    /// Sends it, and waits until the job that it starts is done. Reads the job's result.
    ///
    /// # Errors
    /// The job's own; `Timeout` with the job's id, when it was not done in time.
    pub(crate) async fn job<T: DeserializeOwned>(self) -> Result<T> {
        let Self { connection, name, timeout, .. } = self.clone();
        let clock = connection.http().clock();
        let deadline = Deadline::new(clock.clone(), timeout);
        let started: Started = self.read().await?;
        let poller = Poller::new(clock.clone(), format!("job {}", started.jobid))
            .timeout(deadline.left().unwrap_or(PATIENCE));
        let looks = poller.run(async |left| {
            let look =
                connection.command("queryAsyncJobResult").param("jobid", &started.jobid).timeout(Some(left));
            let job: Job = look.read().await?;
            Ok(match job.jobstatus {
                0 => Progress::Pending(None),
                1 => Progress::Done(job.jobresult),
                _ => Progress::Failed(job_error(&job.jobresult).with_resource("job", &started.jobid)),
            })
        });
        looks.await.and_then(json::read).map_err(|error| error.in_operation(connection.provider, name))
    }

    /// The same for a job that has no result.
    pub(crate) async fn job_done(self) -> Result<()> {
        let result: Value = self.job().await?;
        succeeded(&result)
    }
}

/// `{"success": false}`, in old versions as text, is the only sign of some failures.
fn succeeded(answer: &Value) -> Result<()> {
    match answer.get("success") {
        Some(Value::Bool(false)) => Err(refused(answer)),
        Some(Value::String(text)) if text == "false" => Err(refused(answer)),
        _ => Ok(()),
    }
}

fn refused(answer: &Value) -> Error {
    let text = answer.get("displaytext").and_then(Value::as_str).unwrap_or("the service answered `false`");
    Error::new(ErrorKind::Provider, text.to_owned())
}

/// What is in `{"listzonesresponse": …}`.
fn opened(answer: Map<String, Value>) -> Result<Value> {
    let mut members = answer.into_iter();
    match (members.next(), members.next()) {
        (Some((name, value)), None) if name.ends_with("response") => Ok(value),
        _ => Err(Error::malformed("/", "it is not one member whose name ends with `response`")),
    }
}

#[derive(Deserialize)]
struct List {
    /// How many there are on all pages; older versions do not tell where there are none.
    count: Option<usize>,
    #[serde(flatten)]
    items: Map<String, Value>,
}

/// The items of a listing, which the answer has under this key: all pages. The time limit is one for each page.
pub(crate) fn listing<W: DeserializeOwned + 'static, T: Send + 'static>(
    command: Result<Command>,
    key: &'static str,
    convert: impl Fn(W) -> Result<T> + Clone + Send + 'static,
) -> BoxStream<'static, Result<T>> {
    let command = match command {
        Ok(command) => command,
        Err(error) => return once(std::future::ready(Err(error))),
    };
    let first = Place { page: 1, so_far: 0, after_nothing: false };
    pages(first, move |place: Place| {
        let command = command.clone().param("page", place.page).param("pagesize", PAGE);
        let convert = convert.clone();
        command.read_as(move |answer| {
            let mut list: List = json::read(answer)?;
            let items = list.items.remove(key).unwrap_or_else(|| Value::Array(Vec::new()));
            let found: Vec<W> = json::read(items).map_err(|error| error.context(key))?;
            let so_far = place.so_far + found.len();
            let more = match list.count {
                // Some versions count what the account may not see: twice nothing is the end.
                Some(count) => so_far < count && !(found.is_empty() && place.after_nothing),
                None => found.len() >= PAGE,
            };
            let next = Place { page: place.page + 1, so_far, after_nothing: found.is_empty() };
            let items = found.into_iter().map(convert).collect::<Result<_>>()?;
            Ok(Page::new(items, more.then_some(next)))
        })
    })
}

/// Where a listing goes on.
#[derive(Clone, Debug, PartialEq)]
struct Place {
    page: u32,
    so_far: usize,
    after_nothing: bool,
}

/// `{"…response": {"errorcode": 431, "cserrorcode": 4350, "errortext": "…"}}`, with the code as status or with 200.
fn check(response: &Response) -> Result<()> {
    let is_success = response.status.is_success();
    if is_success && !response.text().contains("\"errorcode\"") {
        return Ok(());
    }
    let answer: Option<Map<String, Value>> = response.json().ok();
    let inside = answer.as_ref().and_then(|answer| answer.values().next());
    let Some(code) = inside.and_then(|inside| inside.get("errorcode")).and_then(Value::as_u64) else {
        return if is_success { Ok(()) } else { Err(response.error("")) };
    };
    let field = |name: &str| inside.and_then(|inside| inside.get(name));
    let text = field("errortext").and_then(Value::as_str).unwrap_or_default();
    let error = response.error(text);
    // What a gateway answers in CloudStack's place has no code of CloudStack's.
    let status = error.kind();
    let exact = field("cserrorcode").and_then(Value::as_u64).filter(|exact| *exact != 9999);
    let code_text = exact.map_or_else(|| code.to_string(), |exact| format!("{code}, {exact}"));
    Err(error.with_kind(kind(code, text).unwrap_or(status)).with_code(code_text))
}

/// `{"errorcode": 530, "errortext": "…"}` of a job that failed. Some have no result at all.
fn job_error(result: &Value) -> Error {
    let code = result.get("errorcode").and_then(Value::as_u64);
    let text = result.get("errortext").and_then(Value::as_str).filter(|text| !text.is_empty());
    let kind = code.and_then(|code| kind(code, text.unwrap_or_default())).unwrap_or(ErrorKind::Provider);
    let error =
        Error::new(kind, text.unwrap_or("the job failed, and the service does not say why").to_owned());
    match code {
        Some(code) => error.with_code(code.to_string()),
        None => error,
    }
}

/// What a code stands for: those of `ApiErrorCode` in CloudStack's source. A wrong id is a wrong parameter there, which only
/// the text tells.
fn kind(code: u64, text: &str) -> Option<ErrorKind> {
    let text = text.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|words| text.contains(words));
    Some(match code {
        401 | 531 => ErrorKind::InvalidCredentials,
        429 => ErrorKind::RateLimited,
        430 | 431 if says(&["unable to find", "does not exist", "doesn't exist", "entity does not"]) => {
            ErrorKind::NotFound
        }
        431 | 537 if says(&["already exists", "already in use"]) => ErrorKind::AlreadyExists,
        430 | 431 => ErrorKind::InvalidArgument,
        432 => ErrorKind::NotSupported,
        532 | 535 => ErrorKind::QuotaExceeded,
        534 | 536 | 537 => ErrorKind::InvalidState,
        530 | 533 => ErrorKind::Provider,
        _ => kind_of_status(u16::try_from(code).ok()?.try_into().ok()?),
    })
}

#[cfg(test)]
mod tests;
