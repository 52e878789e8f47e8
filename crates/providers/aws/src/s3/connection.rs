//! The REST protocol of S3: containers and objects are hosts and paths, errors are XML.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/Welcome.html>

use std::time::Duration;

use http::{Method, StatusCode, header};
use libcloud_common::xml::{self, Element};
use libcloud_common::{
    BoxStream, ByteStream, Call, Config, Connection, Error, ErrorKind, Page, Request, Response, Result,
    Retry, StreamingResponse, Target, once, pages,
};
use libcloud_storage::ByteRange;

use super::names;
use crate::connection::{self, region, sharpened};
use crate::credentials::Credentials;
use crate::signer::Signer;

/// A connection to S3 in one region.
#[derive(Clone, Debug)]
pub(crate) struct S3Connection {
    connection: Connection,
    signer: Signer,
    region: String,
    /// Whether that is Amazon itself.
    amazon: bool,
    /// Whether a container whose name can be part of a host is one.
    virtual_host: bool,
}

impl S3Connection {
    /// Makes the connection. Nothing is sent.
    pub(crate) fn new(
        provider: &'static str,
        config: &Config,
        credentials: Credentials,
        path_style: Option<bool>,
    ) -> Result<Self> {
        let region = region(config)?;
        let base = connection::base(config, "s3", &region)?;
        let signer = Signer::s3(credentials, &region);
        let amazon = config.endpoint.is_none() && config.host.is_none();
        // Elsewhere nothing is known of names of hosts.
        let virtual_host = amazon && !path_style.unwrap_or(false);
        let connection = Connection::builder(provider, base, config)
            .service("storage")
            .auth(signer.clone())
            .check(check)
            .build();
        Ok(Self { connection, signer, region, amazon, virtual_host })
    }

    /// The connection below.
    pub(crate) fn http(&self) -> &Connection {
        &self.connection
    }

    /// The region's name.
    pub(crate) fn region(&self) -> &str {
        &self.region
    }

    /// Whether this is Amazon itself, and not another service that speaks the protocol.
    pub(crate) fn is_amazon(&self) -> bool {
        self.amazon
    }

    /// Begins a call to the service.
    pub(crate) fn service(&self, operation: &'static str) -> S3Call {
        let path: [&str; 0] = [];
        let call = self.connection.get(operation, path);
        S3Call { call, container: None, key: None, only_if_absent: false }
    }

    /// Begins a call to a container.
    pub(crate) fn container(&self, method: Method, operation: &'static str, name: &str) -> Result<S3Call> {
        names::container(name)?;
        let (connection, path) = self.at(name)?;
        let call = connection.call(method, operation, path);
        Ok(S3Call { call, container: Some(name.to_owned()), key: None, only_if_absent: false })
    }

    /// Begins a call to an object.
    pub(crate) fn object(
        &self,
        method: Method,
        operation: &'static str,
        container: &str,
        key: &str,
    ) -> Result<S3Call> {
        names::object(key)?;
        let call = self.container(method, operation, container)?;
        Ok(S3Call { call: call.call.key(key), key: Some(key.to_owned()), ..call })
    }

    /// A URL by which anyone can do this to an object for a while.
    pub(crate) fn presigned(
        &self,
        method: Method,
        container: &str,
        key: &str,
        expires: Duration,
    ) -> Result<String> {
        names::container(container)?;
        names::object(key)?;
        let (connection, path) = self.at(container)?;
        let mut request = Request::new("PresignedUrl", method, path);
        request.push_key(key);
        let base = connection.base();
        let target = Target::new(base, connection.clock().now());
        let query = self.signer.presign(&request, target, expires)?;
        Ok(format!("{}://{}{}?{query}", base.scheme(), target.host(), target.path(&request)))
    }

    /// Where a container is: at a host of its own, or at a path.
    fn at<'a>(&self, container: &'a str) -> Result<(Connection, Vec<&'a str>)> {
        if !self.virtual_host || !names::is_label(container) {
            return Ok((self.connection.clone(), vec![container]));
        }
        let mut base = self.connection.base().clone();
        let host = format!("{container}.{}", base.host_str().unwrap_or_default());
        base.set_host(Some(&host)).map_err(|error| {
            Error::new(ErrorKind::InvalidName, format!("container name `{container}`: {error}"))
        })?;
        Ok((self.connection.with_base(base), Vec::new()))
    }
}

/// The items of a listing: all pages that the token of this name leads to. The time limit is one for each page.
pub(crate) fn listing<W: 'static, T: Send + 'static>(
    page: Result<impl Fn() -> Result<S3Call> + Send + 'static>,
    token_name: &'static str,
    read: fn(Element<'_, '_>) -> Result<Page<W, Option<String>>>,
    convert: impl Fn(W) -> Result<T> + Clone + Send + 'static,
) -> BoxStream<'static, Result<T>> {
    let page = match page {
        Ok(page) => page,
        Err(error) => return once(std::future::ready(Err(error))),
    };
    pages(None, move |token: Option<String>| {
        let call = page().map(|call| call.query_opt(token_name, token.as_deref()));
        let convert = convert.clone();
        async move {
            call?
                .read(move |root| {
                    let Page { items, next } = read(root)?;
                    Ok(Page::new(items.into_iter().map(convert).collect::<Result<_>>()?, next))
                })
                .await
        }
    })
}

/// A call that is being built. Its errors name the container or object.
#[derive(Debug)]
#[must_use = "a call is sent by one of its async methods"]
pub(crate) struct S3Call {
    call: Call,
    container: Option<String>,
    key: Option<String>,
    only_if_absent: bool,
}

impl S3Call {
    /// A parameter of the query.
    pub(crate) fn query(mut self, name: &'static str, value: &str) -> Self {
        self.call = self.call.query(name, value);
        self
    }

    /// A parameter of the query, if there is a value.
    pub(crate) fn query_opt(mut self, name: &'static str, value: Option<&str>) -> Self {
        self.call = self.call.query_opt(name, value);
        self
    }

    /// A header.
    pub(crate) fn header(mut self, name: &str, value: impl AsRef<str>) -> Self {
        self.call = self.call.header(name, value);
        self
    }

    /// A header, if there is a value.
    pub(crate) fn header_opt(mut self, name: &str, value: Option<impl AsRef<str>>) -> Self {
        self.call = self.call.header_opt(name, value);
        self
    }

    /// A body in memory: its digest is signed, and it can be sent again.
    pub(crate) fn body(mut self, content_type: &str, body: impl Into<bytes::Bytes>) -> Self {
        self.call = self.call.body(content_type, body);
        self
    }

    /// A body that is sent as it comes.
    pub(crate) fn stream(mut self, content_type: &str, length: u64, stream: ByteStream) -> Self {
        self.call = self.call.header("content-type", content_type).stream(Some(length), stream);
        self
    }

    /// Only if there is no such object. It is not sent twice: the second time there is one.
    ///
    /// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html>
    pub(crate) fn only_if_absent(mut self) -> Self {
        self.only_if_absent = true;
        self.header("if-none-match", "*").once()
    }

    /// Sending it twice does harm, or the second answer would hide the first.
    pub(crate) fn once(mut self) -> Self {
        self.call = self.call.not_repeatable();
        self
    }

    /// The time limit of the call with all of its retries.
    pub(crate) fn timeout(mut self, timeout: Option<Duration>) -> Self {
        self.call = self.call.timeout(timeout);
        self
    }

    /// Sends it; the headers are the answer.
    pub(crate) async fn send(self) -> Result<Response> {
        let (call, subject) = self.split();
        let answer = call.send().await.and_then(|answer| {
            genuine(&answer)?;
            Ok(answer)
        });
        answer.map_err(|error| subject.name(error))
    }

    /// Sends it and reads the answer.
    pub(crate) async fn read<T>(self, read: impl FnOnce(Element<'_, '_>) -> Result<T>) -> Result<T> {
        let (call, subject) = self.split();
        let answer = call.decode(|response| xml::parse(&response.text(), read)).await;
        answer.map_err(|error| subject.name(error))
    }

    /// Sends it; the content, or this range of it, arrives as it is read.
    pub(crate) async fn streaming(self, range: Option<ByteRange>) -> Result<StreamingResponse> {
        let (call, subject) = self.header_opt("range", range.map(ByteRange::header)).split();
        let answer = call.send_streaming().await.map_err(|error| subject.name(error))?;
        if range.is_some() && answer.status != StatusCode::PARTIAL_CONTENT {
            let error = Error::malformed("content-range", "all of the object arrives, not the range of it");
            return Err(subject.name(error.with_status(answer.status)));
        }
        Ok(answer)
    }

    fn split(self) -> (Call, Subject) {
        let Self { call, container, key, only_if_absent } = self;
        (call, Subject { container, key, only_if_absent })
    }
}

/// Refuses what is no answer of S3: a network that wants a login, or a proxy, says 200 to whatever is asked, and a change
/// would seem to be done. S3 answers with nothing or with XML; an object, which may be anything, has an entity tag.
fn genuine(answer: &Response) -> Result<()> {
    let of = |name| answer.headers.get(name).and_then(|value| value.to_str().ok());
    let page = of(header::CONTENT_TYPE).is_some_and(|kind| kind.trim_start().starts_with("text/html"))
        && !matches!(of(header::CONTENT_LENGTH), None | Some("0"));
    let empty = answer.body.is_empty();
    if answer.headers.contains_key(header::ETAG) || (empty && !page) {
        return Ok(());
    }
    // Of the answer to a HEAD, only the headers arrive.
    let read = if empty {
        Err(Error::malformed("content-type", "a web page"))
    } else {
        xml::parse(&answer.text(), |_| Ok(()))
    };
    read.map_err(|error| {
        error.context("this is no answer of S3 (is there a login to the network?)").with_status(answer.status)
    })
}

/// What a call is about.
struct Subject {
    container: Option<String>,
    key: Option<String>,
    only_if_absent: bool,
}

impl Subject {
    /// The error with the container or object that it is about. What answers to HEAD and some servers leave out is
    /// said.
    fn name(&self, error: Error) -> Error {
        let (resource, id) = match (&self.container, &self.key) {
            (Some(_), Some(key)) if !is_about_container(&error) => ("object", key),
            (Some(container), _) => ("container", container),
            _ => return error,
        };
        let told = if self.only_if_absent && error.status() == Some(StatusCode::PRECONDITION_FAILED) {
            Error::already_exists(resource, id)
        } else {
            match error.kind() {
                ErrorKind::NotFound => Error::not_found(resource, id),
                ErrorKind::AlreadyExists => Error::already_exists(resource, id),
                ErrorKind::NotEmpty => {
                    Error::new(ErrorKind::NotEmpty, format!("{resource} `{id}` still holds objects"))
                        .with_resource(resource, id)
                }
                // Of the credentials and of the connection, not of the resource.
                ErrorKind::InvalidCredentials | ErrorKind::Transport | ErrorKind::Tls => return error,
                _ if error.resource().is_some() => return error,
                _ => return error.with_resource(resource, id),
            }
        };
        let told = match error.status() {
            Some(status) => told.with_status(status),
            None => told,
        };
        let told = told
            .with_code(error.code().unwrap_or_default())
            .with_request_id(error.request_id())
            .with_retry(error.retry());
        match (error.provider(), error.operation()) {
            (Some(provider), Some(operation)) => told.in_operation(provider.to_owned(), operation.to_owned()),
            _ => told,
        }
    }
}

/// Whether an error of a call to an object is about its container.
fn is_about_container(error: &Error) -> bool {
    error.code().is_some_and(|code| code.contains("Bucket"))
}

/// Reads an error.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>
fn check(response: &Response) -> Result<()> {
    if response.status.is_success() {
        return Ok(());
    }
    let read = xml::parse(&response.text(), |root| {
        let text = |name| root.opt_text(name);
        Ok((text("Code"), text("Message"), text("RequestId"), text("Region")))
    });
    // The answer to HEAD has no body, and what is on the way answers what it likes.
    let (code, message, request_id, region) = read.unwrap_or_default();
    let code = code.unwrap_or_default();
    let region = region.or_else(|| response.header("x-amz-bucket-region").map(str::to_owned));
    if let Some(region) = region.filter(|_| is_elsewhere(&code, response.status)) {
        // To HEAD this may as well be the answer about a token that has expired.
        let told = if code.is_empty() && response.status == StatusCode::BAD_REQUEST {
            response.error(format!(
                "refused without a reason; this is in the region {region}: is the driver configured with it?"
            ))
        } else {
            response
                .error(format!("this is in the region {region}: configure the driver with it"))
                .with_kind(ErrorKind::InvalidArgument)
        };
        return Err(told.with_resource("option", "region").with_request_id(request_id).with_code(code));
    }
    let error = sharpened(response.error(message.unwrap_or_default()), kind(&code, response.status));
    let error = match code.as_str() {
        // Somebody else does something to the same object or container just now; the body came too slowly.
        "ConditionalRequestConflict" | "OperationAborted" | "RequestTimeout" => {
            error.with_retry(Retry::Retryable(None))
        }
        _ => error,
    };
    Err(error.with_request_id(request_id).with_code(code))
}

/// Whether the answer means that the container is in another region.
fn is_elsewhere(code: &str, status: StatusCode) -> bool {
    match code {
        "PermanentRedirect" | "AuthorizationHeaderMalformed" => true,
        "" => matches!(status, StatusCode::MOVED_PERMANENTLY | StatusCode::BAD_REQUEST),
        _ => false,
    }
}

/// What a code stands for. The last are those of all of Amazon's services.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html#ErrorCodeList>
fn kind(code: &str, status: StatusCode) -> ErrorKind {
    match code {
        "NoSuchBucket" | "NoSuchKey" | "NoSuchUpload" | "NoSuchVersion" => ErrorKind::NotFound,
        "BucketAlreadyExists" | "BucketAlreadyOwnedByYou" => ErrorKind::AlreadyExists,
        "BucketNotEmpty" => ErrorKind::NotEmpty,
        "InvalidBucketName" | "InvalidURI" | "KeyTooLongError" => ErrorKind::InvalidName,
        "BadDigest" | "IncompleteBody" | "InvalidDigest" | "XAmzContentSHA256Mismatch" => {
            ErrorKind::HashMismatch
        }
        "EntityTooLarge" | "InvalidRange" | "InvalidStorageClass" | "MetadataTooLarge" => {
            ErrorKind::InvalidArgument
        }
        "InvalidObjectState" | "OperationAborted" | "PreconditionFailed" => ErrorKind::InvalidState,
        "MethodNotAllowed" | "NotImplemented" => ErrorKind::NotSupported,
        "AccountProblem" | "AllAccessDisabled" | "InvalidToken" | "NotSignedUp" | "RequestTimeTooSkewed" => {
            ErrorKind::InvalidCredentials
        }
        "RequestTimeout" => ErrorKind::Timeout,
        "SlowDown" => ErrorKind::RateLimited,
        "TooManyBuckets" => ErrorKind::QuotaExceeded,
        "" if status == StatusCode::RANGE_NOT_SATISFIABLE => ErrorKind::InvalidArgument,
        _ => connection::kind(code, status),
    }
}

#[cfg(test)]
mod tests;
