//! A call of an XML-RPC method on a connection.

use serde_json::Value as Json;

use super::{Fault, Outcome, Value, document, parse_response, request};
use crate::request::{Body, Sealed};
use crate::{Call, Error, ErrorKind, REDACTED, Response, Result, Retry, Secret};

impl Call {
    /// The call of an XML-RPC method as the body. Secrets among the parameters go to the server alone: whatever prints the
    /// request shows `•••` in their place.
    pub fn xmlrpc(self, method: &str, params: &[Value]) -> Self {
        let mut call = self.header("content-type", "text/xml");
        match sealed(method, params) {
            Ok(body) => call.request.body = Body::Sealed(body),
            Err(error) => call.request.fail(error),
        }
        call
    }

    /// Sends it and reads the value of an XML-RPC answer, as with [`json::read`](crate::json::read). A connection that has [`check`]
    /// as its check turns faults into errors by the provider's codes; without it they are of kind
    /// [`Provider`](ErrorKind::Provider).
    pub async fn xmlrpc_answer<T>(self, read: impl FnOnce(Json) -> Result<T>) -> Result<T> {
        self.decode(|response| read(parse_response(&response.text())?.into_result()?)).await
    }
}

fn sealed(method: &str, params: &[Value]) -> Result<Sealed> {
    let secrets = secrets(params);
    Ok(Sealed::new(request(method, params)?, document(method, params, |_| REDACTED)?, secrets))
}

fn secrets<'a>(values: impl IntoIterator<Item = &'a Value>) -> Vec<Secret> {
    let of = |value: &'a Value| match value {
        Value::Secret(secret) => vec![secret.clone()],
        Value::Array(values) => secrets(values),
        Value::Struct(members) => secrets(members.values()),
        _ => Vec::new(),
    };
    values.into_iter().flat_map(of).collect()
}

/// For a connection's [`check`](crate::ConnectionBuilder::check): a fault, whatever the status, is an error of the kind that
/// `kind` tells for it; what is no XML-RPC answer is judged by its status.
///
/// ```
/// use libcloud_common::{ErrorKind, Response, Result, xmlrpc};
///
/// fn check(response: &Response) -> Result<()> {
///     xmlrpc::check(response, |fault| match fault.code.as_str() {
///         "404" => ErrorKind::NotFound,
///         _ => ErrorKind::Provider,
///     })
/// }
/// ```
pub fn check(response: &Response, kind: fn(&Fault) -> ErrorKind) -> Result<()> {
    let text = response.text();
    // Answers without a fault are parsed once, where they are read.
    if text.contains("<fault")
        && let Ok(Outcome::Fault(fault)) = parse_response(&text)
    {
        let kind = kind(&fault);
        let retry = match kind {
            ErrorKind::RateLimited => Retry::Retryable(None),
            _ => Retry::Permanent,
        };
        return Err(Error::from(fault).with_kind(kind).with_retry(retry).with_status(response.status));
    }
    if response.status.is_success() { Ok(()) } else { Err(response.error("")) }
}
