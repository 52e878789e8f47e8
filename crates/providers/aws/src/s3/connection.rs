//! The REST protocol of S3: containers and objects are hosts and paths, errors are XML.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/Welcome.html>

use std::time::Duration;

use http::{Method, StatusCode};
use libcloud_common::xml;
use libcloud_common::{Config, Connection, Error, ErrorKind, Request, Response, Result, Retry, Target};
use libcloud_storage::rest::{StorageCall, one_segment};

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
        let region = region(config, &credentials)?;
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
    pub(crate) fn service(&self, operation: &'static str) -> StorageCall {
        let path: [&str; 0] = [];
        StorageCall::new(self.connection.get(operation, path))
    }

    /// Begins a call to a container.
    pub(crate) fn container(
        &self,
        method: Method,
        operation: &'static str,
        name: &str,
    ) -> Result<StorageCall> {
        one_segment(name)?;
        let (connection, path) = self.at(name)?;
        let call = connection.call(method, operation, path);
        Ok(StorageCall::new(call).about_container(name))
    }

    /// Begins a call to an object.
    pub(crate) fn object(
        &self,
        method: Method,
        operation: &'static str,
        container: &str,
        key: &str,
    ) -> Result<StorageCall> {
        names::object(key)?;
        let call = self.container(method, operation, container)?;
        Ok(call.key(key).about_object(key, is_about_container))
    }

    /// A URL by which anyone can do this to an object for a while.
    pub(crate) async fn presigned(
        &self,
        method: Method,
        container: &str,
        key: &str,
        expires: Duration,
    ) -> Result<String> {
        one_segment(container)?;
        names::object(key)?;
        let (connection, path) = self.at(container)?;
        let signing_key = self.signer.key().await?;
        let mut request = Request::new("PresignedUrl", method, path);
        request.push_key(key);
        let base = connection.base();
        let target = Target::new(base, connection.clock().now());
        let query = self.signer.presign(&signing_key, &request, target, expires)?;
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
