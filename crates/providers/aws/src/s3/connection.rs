//! The REST protocol of S3: containers and objects are hosts and paths, errors are XML.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/Welcome.html>

use std::sync::Arc;
use std::time::Duration;

use http::{Method, StatusCode};
use libcloud_common::xml;
use libcloud_common::{Config, Connection, Error, ErrorKind, Request, Response, Result, Retry, Target, Url};
use libcloud_storage::rest::{StorageCall, one_segment};

use super::dialect::{Hosts, S3Dialect};
use super::places::{BucketAuth, Place, Places};
use super::{S3Options, names};
use crate::connection::{self, sharpened};
use crate::credentials::Credentials;
use crate::signer::{SignatureVersion, Signer};

/// A connection to S3, at home in one region.
#[derive(Clone, Debug)]
pub(crate) struct S3Connection {
    connection: Connection,
    places: Arc<Places>,
    dialect: &'static S3Dialect,
    version: SignatureVersion,
}

impl S3Connection {
    /// Makes the connection. Nothing is sent.
    pub(crate) fn new(
        provider: &'static str,
        config: &Config,
        credentials: Credentials,
        options: &S3Options,
        dialect: &'static S3Dialect,
    ) -> Result<Self> {
        let version = match options.signature_version.as_deref() {
            None => dialect.signature.into(),
            version => SignatureVersion::from_option(version)?,
        };
        let region = config.region.as_deref().or(credentials.region()).unwrap_or(dialect.regions.usual);
        let region = dialect.region(region)?;
        let base = base(config, dialect, &region)?;
        let signer = Signer::s3(credentials, version, &region);
        let fixed = config.endpoint.is_some() || config.host.is_some();
        let virtual_host = match options.path_style {
            Some(path_style) => !path_style,
            // Elsewhere nothing is known of names of hosts.
            None => dialect.virtual_host && dialect.is_own(&base, &region),
        };
        if virtual_host && base.domain().is_none() {
            return Err(Error::invalid_argument(
                "`path_style`: an IP address has no hosts below it, so that containers are paths",
            )
            .with_resource("option", "path_style"));
        }
        let home = Place { region, base: base.clone(), signer };
        let places = Arc::new(Places::new(home, dialect, fixed, virtual_host));
        let connection = Connection::builder(provider, base, config)
            .service("storage")
            .auth(BucketAuth { places: Arc::clone(&places), container: None })
            .check(check)
            .build();
        Ok(Self { connection, places, dialect, version })
    }

    /// The connection below.
    pub(crate) fn http(&self) -> &Connection {
        &self.connection
    }

    /// The name of the region where it is at home.
    pub(crate) fn region(&self) -> &str {
        &self.places.home.region
    }

    /// What the service does in its own way.
    pub(crate) fn dialect(&self) -> &'static S3Dialect {
        self.dialect
    }

    /// How requests are signed.
    pub(crate) fn signature_version(&self) -> SignatureVersion {
        self.version
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
        check_names(container, key)?;
        let call = self.container(method, operation, container)?;
        Ok(call.key(key).about_object(key, is_about_container))
    }

    /// A URL by which anyone can send this request to an object for a while.
    pub(crate) async fn presigned(
        &self,
        mut request: Request,
        container: &str,
        key: &str,
        expires: Duration,
    ) -> Result<String> {
        check_names(container, key)?;
        let in_host = self.places.is_host(container).then_some(container);
        let place = self.places.of(container);
        let base = self.places.base(&place, container)?;
        let signing_key = place.signer.key().await?;
        if in_host.is_none() {
            request.push_key(container);
        }
        request.push_key(key);
        let target = Target::new(&base, self.connection.clock().now());
        let query = place.signer.presign(&signing_key, &request, target, in_host, expires)?;
        Ok(format!("{}://{}{}?{query}", base.scheme(), target.host(), target.path(&request)))
    }

    /// Where a container is: at a host of its own, or at a path.
    fn at<'a>(&self, container: &'a str) -> Result<(Connection, Vec<&'a str>)> {
        let base = self.places.base(&self.places.of(container), container)?;
        let auth = BucketAuth { places: Arc::clone(&self.places), container: Some(container.to_owned()) };
        let path = if self.places.is_host(container) { Vec::new() } else { vec![container] };
        Ok((self.connection.with_auth(base, auth), path))
    }
}

/// Refuses names that no object has.
pub(super) fn check_names(container: &str, key: &str) -> Result<()> {
    one_segment(container)?;
    names::object(key)
}

/// Where the service is in a region, unless the configuration says otherwise.
fn base(config: &Config, dialect: &S3Dialect, region: &str) -> Result<Url> {
    match dialect.hosts {
        Hosts::ByRegion(host) => config.base_url(&format!("https://{}", host(region))),
        Hosts::Private => config.private_url(None, "", PRIVATE),
    }
}

/// What is said where the configuration does not say where the service is.
const PRIVATE: &str = "every installation has an address of its own: give `endpoint`, or `host`";

/// Whether an error of a call to an object is about its container.
fn is_about_container(error: &Error) -> bool {
    error.code().is_some_and(|code| code.contains("Bucket"))
}

/// Reads an error, also one that comes with the status of success.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>
fn check(response: &Response) -> Result<()> {
    let succeeded = response.status.is_success();
    if succeeded && !may_be_error(&response.body) {
        return Ok(());
    }
    let read = xml::parse(&response.text(), |root| {
        let text = |name| root.opt_text(name);
        let endpoint = text("Endpoint");
        let region = text("Region").or(endpoint.as_deref().and_then(region_of).map(str::to_owned));
        Ok((root.name() == "Error", (text("Code"), text("Message"), text("RequestId"), region)))
    });
    // The answer to HEAD has no body, and what is on the way answers what it likes.
    let (is_error, (code, message, request_id, region)) = read.unwrap_or_default();
    if succeeded && !is_error {
        return Ok(());
    }
    let code = code.unwrap_or_default();
    let region = response.header("x-amz-bucket-region").map(str::to_owned).or(region);
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
        return Err(told.with_resource("region", region).with_request_id(request_id).with_code(code));
    }
    let error = sharpened(response.error(message.unwrap_or_default()), kind(&code, response.status));
    let error = match code.as_str() {
        // Somebody else does something to the same object or container just now; the body came too slowly.
        "ConditionalRequestConflict" | "OperationAborted" | "RequestTimeout" => {
            error.with_retry(Retry::Retryable(None))
        }
        // With the status of success, the code alone says that it may be tried again.
        "InternalError" | "ServiceUnavailable" | "SlowDown" if succeeded => {
            error.with_retry(Retry::Retryable(None))
        }
        _ => error,
    };
    Err(error.with_request_id(request_id).with_code(code))
}

/// Whether a body can be an error: what takes long (a copy, the end of an upload in parts) is answered with success and white
/// space before it is known what becomes of it.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html>
fn may_be_error(body: &[u8]) -> bool {
    const LONGEST: usize = 256;
    let body = body.trim_ascii_start();
    let beginning = body.get(..LONGEST).unwrap_or(body);
    beginning.windows(b"<Error".len()).any(|window| window == b"<Error")
}

/// The region of the endpoint that an error names: `bucket.s3.eu-west-1.amazonaws.com`, or the older `s3-eu-west-1`.
fn region_of(endpoint: &str) -> Option<&str> {
    let (host, _) = endpoint.split_once(".amazonaws.com")?;
    let (_, region) = host.rsplit_once("s3")?;
    Some(region.trim_start_matches(['.', '-'])).filter(|region| !region.is_empty())
}

/// Whether the answer means that the container is in another region.
fn is_elsewhere(code: &str, status: StatusCode) -> bool {
    match code {
        "PermanentRedirect" | "TemporaryRedirect" | "AuthorizationHeaderMalformed" => true,
        "" => matches!(
            status,
            StatusCode::MOVED_PERMANENTLY | StatusCode::TEMPORARY_REDIRECT | StatusCode::BAD_REQUEST
        ),
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
        // What was asked for only if it had changed, or had not.
        "" if matches!(status, StatusCode::NOT_MODIFIED | StatusCode::PRECONDITION_FAILED) => {
            ErrorKind::InvalidState
        }
        _ => connection::kind(code, status),
    }
}

#[cfg(test)]
mod tests;
