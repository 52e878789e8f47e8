//! The query protocol: `Action=…` with flat parameters out, XML in. EC2 and most older services speak it.
//!
//! <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/Query-Requests.html>

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::TryStreamExt as _;
use http::StatusCode;
use libcloud_common::xml::{self, Element};
use libcloud_common::{
    BoxStream, Call, Config, Connection, Error, ErrorKind, Map, Page, Param, Response, Result, Retry, Url,
    Value, once, pages,
};

use crate::credentials::Credentials;
use crate::signer::{SignatureVersion, Signer};

/// One of the services that speak the query protocol.
#[derive(Debug)]
pub(crate) struct Service {
    /// The driver's id.
    pub(crate) provider: &'static str,
    /// What its spans call it: `compute`.
    pub(crate) kind: &'static str,
    /// The first label of the host, and the service in the signature.
    pub(crate) name: &'static str,
    /// The version of the API that is spoken unless the configuration names another.
    pub(crate) api_version: &'static str,
}

/// A connection to one service in one region.
#[derive(Clone, Debug)]
pub(crate) struct QueryConnection {
    connection: Connection,
    region: String,
    api_version: String,
    /// Signature version 2 is sent as the original does: everything in the query of a GET.
    signature: SignatureVersion,
}

impl QueryConnection {
    /// Makes the connection. Nothing is sent.
    pub(crate) fn new(
        service: &Service,
        config: &Config,
        credentials: Credentials,
        signature: SignatureVersion,
    ) -> Result<Self> {
        let region = region(config, &credentials)?;
        let base = base(config, service.name, &region)?;
        Ok(Self::at(base, region, service, config, credentials, signature))
    }

    /// Makes the connection to this place. Nothing is sent.
    pub(crate) fn at(
        base: Url,
        region: String,
        service: &Service,
        config: &Config,
        credentials: Credentials,
        signature: SignatureVersion,
    ) -> Self {
        let signer = Signer::query(credentials, signature, &region, service.name);
        let connection = Connection::builder(service.provider, base, config)
            .service(service.kind)
            .query_style()
            .auth(signer)
            .check(check)
            .build();
        let api_version = config.api_version.as_deref().unwrap_or(service.api_version);
        Self { connection, region, api_version: api_version.to_owned(), signature }
    }

    /// The connection below.
    pub(crate) fn http(&self) -> &Connection {
        &self.connection
    }

    /// The region's name.
    pub(crate) fn region(&self) -> &str {
        &self.region
    }

    /// Begins a call of this action. What only reads may be sent again.
    pub(crate) fn action(&self, name: &'static str) -> Action {
        Action {
            connection: self.clone(),
            name,
            params: Vec::new(),
            timeout: None,
            repeatable: name.starts_with("Describe") || name.starts_with("Get"),
        }
    }
}

/// How a service leads from page to page.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cursor {
    /// The parameter that asks for a later page.
    pub(crate) param: &'static str,
    /// Where an answer tells its value.
    pub(crate) next: &'static str,
}

/// The items of a listing: all pages that `nextToken` leads to. The time limit is one for each page.
pub(crate) fn listing<T: Send + 'static>(
    action: Result<Action>,
    read: impl Fn(Element<'_, '_>) -> Result<Vec<T>> + Clone + Send + 'static,
) -> BoxStream<'static, Result<T>> {
    listing_by(Cursor { param: "NextToken", next: "nextToken" }, action, read)
}

/// The same for a service that has a way of its own.
pub(crate) fn listing_by<T: Send + 'static>(
    cursor: Cursor,
    action: Result<Action>,
    read: impl Fn(Element<'_, '_>) -> Result<Vec<T>> + Clone + Send + 'static,
) -> BoxStream<'static, Result<T>> {
    let action = match action {
        Ok(action) => action,
        Err(error) => return once(std::future::ready(Err(error))),
    };
    pages(None, move |token: Option<String>| {
        let page = action.clone().opt(cursor.param, token);
        let read = read.clone();
        page.read(move |root| Ok(Page::new(read(root)?, root.opt_text(cursor.next).map(Some))))
    })
}

/// Where a service is in a region, unless the configuration says otherwise.
pub(crate) fn base(config: &Config, service: &str, region: &str) -> Result<Url> {
    let domain = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
    config.base_url(&format!("https://{service}.{region}.{domain}"))
}

/// `us-east-1`, `cn-north-1`, or one that does not exist yet: anything that can be part of a host name. Without one in the
/// configuration it is that of the place where the key comes from.
pub(crate) fn region(config: &Config, credentials: &Credentials) -> Result<String> {
    let region = config.region.as_deref().or(credentials.region()).unwrap_or("us-east-1");
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if !region.is_empty() && region.chars().all(allowed) {
        return Ok(region.to_owned());
    }
    Err(Error::invalid_argument(format!(
        "`{region}` is not the name of a region: those have lower-case letters, digits and hyphens, as in `us-east-1`"
    ))
    .with_resource("option", "region"))
}

/// A call that is being built.
#[derive(Clone, Debug)]
#[must_use = "an action is sent by `read` or `done`"]
pub(crate) struct Action {
    connection: QueryConnection,
    name: &'static str,
    params: Vec<Param>,
    timeout: Option<Duration>,
    repeatable: bool,
}

impl Action {
    /// `name=value`
    pub(crate) fn param(mut self, name: impl Into<Cow<'static, str>>, value: impl ToString) -> Self {
        self.params.push(Param::new(name, value.to_string()));
        self
    }

    /// `name=value`, if there is one.
    pub(crate) fn opt(self, name: impl Into<Cow<'static, str>>, value: Option<impl ToString>) -> Self {
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

    /// `name.1=a&name.2=b`
    pub(crate) fn list(self, name: &str, values: impl IntoIterator<Item = impl ToString>) -> Self {
        let numbered = (1..).zip(values);
        numbered.fold(self, |action, (n, value)| action.param(format!("{name}.{n}"), value))
    }

    /// `Filter.1.Name=name&Filter.1.Value.1=a&Filter.1.Value.2=b`, and the next filter `Filter.2`.
    pub(crate) fn filter(self, name: &str, values: impl IntoIterator<Item = impl ToString>) -> Self {
        let is_filter = |param: &&Param| param.name.starts_with("Filter.") && param.name.ends_with(".Name");
        let n = self.params.iter().filter(is_filter).count() + 1;
        self.param(format!("Filter.{n}.Name"), name).list(&format!("Filter.{n}.Value"), values)
    }

    /// Each of these as a [`filter`](Self::filter).
    pub(crate) fn filters(self, filters: BTreeMap<String, Vec<String>>) -> Self {
        filters.into_iter().fold(self, |action, (name, values)| action.filter(&name, values))
    }

    /// `prefix.1.Key=name&prefix.1.Value=value`, and so on; a tag without value has no `Value`.
    pub(crate) fn tags<'a>(
        self,
        prefix: &str,
        tags: impl IntoIterator<Item = (&'a String, Option<&'a String>)>,
    ) -> Self {
        (1..).zip(tags).fold(self, |action, (n, (key, value))| {
            action.param(format!("{prefix}.{n}.Key"), key).opt(format!("{prefix}.{n}.Value"), value)
        })
    }

    /// Each of these under its own name; see [`nested`](Self::nested).
    pub(crate) fn fields(self, fields: &Map<String, Value>) -> Self {
        fields.iter().fold(self, |action, (name, value)| action.nested(name, value))
    }

    /// A structure: `{"Ebs": {"VolumeSize": 8}}` becomes `prefix.Ebs.VolumeSize=8`, items of lists count from 1.
    pub(crate) fn nested(self, prefix: &str, value: &Value) -> Self {
        match value {
            Value::Null => self,
            Value::Object(fields) => fields
                .iter()
                .fold(self, |action, (name, value)| action.nested(&format!("{prefix}.{name}"), value)),
            Value::Array(items) => {
                (1..).zip(items).fold(self, |action, (n, item)| action.nested(&format!("{prefix}.{n}"), item))
            }
            Value::String(text) => self.param(prefix.to_owned(), text),
            number_or_bool => self.param(prefix.to_owned(), number_or_bool),
        }
    }

    /// The time limit of the call with all of its retries.
    pub(crate) fn timeout(mut self, timeout: Option<Duration>) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sending it twice does no harm.
    pub(crate) fn repeatable(mut self) -> Self {
        self.repeatable = true;
        self
    }

    fn call(self) -> Call {
        let QueryConnection { connection, api_version, signature, .. } = self.connection;
        let path: [&str; 0] = [];
        let mut params = vec![Param::new("Action", self.name), Param::new("Version", api_version)];
        params.extend(self.params);
        let call = match signature {
            SignatureVersion::V4 | SignatureVersion::None => {
                params.into_iter().fold(connection.post(self.name, path), |call, param| {
                    if param.secret {
                        call.secret_field(param.name, param.value)
                    } else {
                        call.form([(param.name, param.value)])
                    }
                })
            }
            SignatureVersion::V2 => {
                params.into_iter().fold(connection.get(self.name, path), |call, param| {
                    if param.secret {
                        call.secret_query(param.name, param.value)
                    } else {
                        call.query(param.name, param.value)
                    }
                })
            }
        }
        .timeout(self.timeout);
        if self.repeatable { call.repeatable() } else { call }
    }

    /// Sends it and reads the answer.
    pub(crate) async fn read<T>(self, read: impl FnOnce(Element<'_, '_>) -> Result<T>) -> Result<T> {
        self.call().decode(|response| xml::parse(&response.text(), read)).await
    }

    /// Sends it and reads all pages of the answer.
    pub(crate) async fn all<T: Send + 'static>(
        self,
        read: impl Fn(Element<'_, '_>) -> Result<Vec<T>> + Clone + Send + 'static,
    ) -> Result<Vec<T>> {
        listing(Ok(self), read).try_collect().await
    }

    /// Sends it; the answer tells nothing but that it was done, and may be empty.
    pub(crate) async fn done(self) -> Result<()> {
        self.call()
            .decode(|response| {
                if response.body.trim_ascii().is_empty() {
                    return Ok(());
                }
                xml::parse(&response.text(), |root| match root.bool("return")? {
                    Some(false) => Err(Error::new(ErrorKind::Provider, "the service answered `false`")),
                    _ => Ok(()),
                })
            })
            .await
    }
}

/// Reads an error: `Response/Errors/Error` of EC2, `ErrorResponse/Error` of the others.
///
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html>
fn check(response: &Response) -> Result<()> {
    if response.status.is_success() {
        return Ok(());
    }
    let read = xml::parse(&response.text(), |root| {
        let error = root.path("Errors/Error").or_else(|| root.child("Error"));
        let text = |name| error.and_then(|error| error.opt_text(name)).unwrap_or_default();
        let request_id = root.opt_text("RequestID").or_else(|| root.opt_text("RequestId"));
        Ok((text("Code"), text("Message"), request_id))
    });
    // A proxy or a load balancer on the way answers what it likes.
    let Ok((code, message, request_id)) = read else {
        return Err(response.error(""));
    };
    let message = if message.is_empty() { &code } else { &message };
    let kind = kind(&code, response.status);
    let error = sharpened(response.error(message), kind).with_request_id(request_id);
    let error = match (kind, message.split('\'').nth(1)) {
        (ErrorKind::NotFound | ErrorKind::AlreadyExists | ErrorKind::InvalidState, Some(id)) => {
            error.with_resource(resource(&code), id.trim_matches(['[', ']']))
        }
        _ => error,
    };
    Err(error.with_code(code))
}

/// The error with the kind that a code stands for, and whether such a call may succeed when it is made again.
pub(crate) fn sharpened(error: Error, kind: ErrorKind) -> Error {
    let retry = match (kind, error.retry()) {
        // Throttling has the status 503 in EC2, 400 elsewhere.
        (ErrorKind::RateLimited, Retry::Permanent) => Retry::Retryable(None),
        // Whatever their status, these stay.
        (ErrorKind::InvalidCredentials | ErrorKind::NotFound | ErrorKind::QuotaExceeded, _) => {
            Retry::Permanent
        }
        (_, retry) => retry,
    };
    error.with_kind(kind).with_retry(retry)
}

/// What a code stands for; the status where it says nothing.
///
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html#CommonErrors>
pub(crate) fn kind(code: &str, status: StatusCode) -> ErrorKind {
    match code {
        "AuthFailure"
        | "Blocked"
        | "InvalidAccessKeyId"
        | "InvalidClientTokenId"
        | "MissingAuthenticationToken"
        | "OptInRequired"
        | "PendingVerification"
        | "RequestExpired"
        | "SignatureDoesNotMatch"
        | "UnauthorizedOperation"
        | "AccessDenied"
        | "IncompleteSignature"
        | "ExpiredToken" => ErrorKind::InvalidCredentials,
        "RequestLimitExceeded"
        | "Throttling"
        | "ThrottlingException"
        | "RequestThrottled"
        | "Client.RequestLimitExceeded"
        | "EC2ThrottledException" => ErrorKind::RateLimited,
        "IncorrectState" | "IncorrectInstanceState" | "DependencyViolation" | "VolumeInUse" => {
            ErrorKind::InvalidState
        }
        // Elastic Load Balancing says so of arguments that it does not take.
        "InvalidConfigurationRequest" | "ValidationError" => ErrorKind::InvalidArgument,
        "OperationNotPermitted" | "ResourceInUse" => ErrorKind::InvalidState,
        "InvalidInstance" | "InvalidTarget" => ErrorKind::NotFound,
        "PriorityInUse" => ErrorKind::AlreadyExists,
        _ if code.ends_with("LimitExceeded")
            || code.ends_with("QuotaExceeded")
            || code.starts_with("TooMany") && !code.starts_with("TooManyRequests") =>
        {
            ErrorKind::QuotaExceeded
        }
        // An id of a wrong form is the id of nothing.
        _ if code.ends_with("NotFound") || code.ends_with(".Malformed") || code.ends_with(".Unavailable") => {
            ErrorKind::NotFound
        }
        _ if code.ends_with(".Duplicate")
            || code.ends_with("AlreadyExists")
            || code.starts_with("Duplicate") =>
        {
            ErrorKind::AlreadyExists
        }
        _ if code.ends_with(".InUse") || code.starts_with("Incorrect") => ErrorKind::InvalidState,
        _ => libcloud_common::kind_of_status(status),
    }
}

/// What kind of resource a code speaks of.
fn resource(code: &str) -> &'static str {
    match code.split('.').next().unwrap_or_default() {
        "InvalidInstanceID" | "IncorrectInstanceState" => "node",
        "InvalidAMIID" => "image",
        "InvalidKeyPair" => "key pair",
        "InvalidVolume" => "volume",
        "InvalidSnapshot" => "snapshot",
        "InvalidGroup" => "security group",
        _ => "resource",
    }
}

#[cfg(test)]
mod tests;
