//! The REST protocol of the Blob service: containers and blobs are paths, errors are XML and a header.
//!
//! <https://learn.microsoft.com/rest/api/storageservices/blob-service-rest-api>

use std::net::IpAddr;
use std::time::Duration;

use http::{Method, StatusCode};
use libcloud_common::{
    Config, Connection, Error, ErrorKind, Request, Response, Result, Retry, Target, Url, xml,
};
use libcloud_storage::rest::{StorageCall, one_segment};

use super::names;
use crate::credentials::{Credentials, Grant, Place};
use crate::signer::Signer;

/// The version that is spoken unless the configuration names another.
const VERSION: &str = "2021-12-02";

/// A connection to the Blob service of one account.
#[derive(Clone, Debug)]
pub(super) struct BlobConnection {
    connection: Connection,
    signer: Signer,
}

impl BlobConnection {
    /// Makes the connection. Nothing is sent.
    pub(super) fn new(provider: &'static str, mut config: Config, credentials: Credentials) -> Result<Self> {
        let base = base(&config, &credentials)?;
        let version = version(config.api_version.as_deref())?;
        // Wherever they come from, no error is to repeat them.
        config.key = Some(credentials.account.clone());
        let (Grant::SharedKey(secret) | Grant::Sas(secret)) = &credentials.grant;
        config.secret = Some(secret.clone());
        let signer = Signer::new(credentials, version);
        let connection = Connection::builder(provider, base, &config)
            .service("storage")
            .auth(signer.clone())
            .check(check)
            .build();
        Ok(Self { connection, signer })
    }

    /// The connection below.
    pub(super) fn http(&self) -> &Connection {
        &self.connection
    }

    /// The account's name.
    pub(super) fn account(&self) -> &str {
        self.signer.account()
    }

    /// Begins a call to the service.
    pub(super) fn service(&self, operation: &'static str) -> StorageCall {
        // The slash belongs to the path of an emulator: what is before it is the account.
        StorageCall::new(self.connection.get(operation, [""]))
    }

    /// Begins a call to a container.
    pub(super) fn container(
        &self,
        method: Method,
        operation: &'static str,
        name: &str,
    ) -> Result<StorageCall> {
        one_segment(name)?;
        let call = self.connection.call(method, operation, [name]).query("restype", "container");
        Ok(StorageCall::new(call).about_container(name))
    }

    /// Begins a call to a blob.
    pub(super) fn blob(
        &self,
        method: Method,
        operation: &'static str,
        container: &str,
        blob: &str,
    ) -> Result<StorageCall> {
        one_segment(container)?;
        names::blob(blob)?;
        let call = self.connection.call(method, operation, [container]).key(blob);
        Ok(StorageCall::new(call).about_container(container).about_object(blob, is_about_container))
    }

    /// Where a container or blob is.
    pub(super) fn url(&self, container: &str, blob: Option<&str>) -> String {
        let mut request = Request::new("Url", Method::GET, [container]);
        if let Some(blob) = blob {
            request.push_key(blob);
        }
        let base = self.connection.base();
        let target = Target::new(base, self.connection.clock().now());
        format!("{}://{}{}", base.scheme(), target.host(), target.path(&request))
    }

    /// A URL by which anyone can do this to a blob for a while.
    pub(super) fn signed_url(
        &self,
        permission: &str,
        container: &str,
        blob: &str,
        expires: Duration,
    ) -> Result<String> {
        one_segment(container)?;
        names::blob(blob)?;
        let target = Target::new(self.connection.base(), self.connection.clock().now());
        let query = self.signer.service_sas(permission, container, blob, target, expires)?;
        Ok(format!("{}?{query}", self.url(container, Some(blob))))
    }
}

/// Where the service is.
fn base(config: &Config, credentials: &Credentials) -> Result<Url> {
    let account = credentials.account.expose();
    let of_cloud = |scheme: &str, suffix: &str| {
        let is_name = account.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
        if !is_name && config.endpoint.is_none() && config.host.is_none() {
            return Err(Error::new(
                ErrorKind::InvalidCredentials,
                "the key is not the name of a storage account, which has only lower-case letters and digits",
            ));
        }
        let account = if is_name { account } else { "account" };
        Ok(format!("{scheme}://{account}.blob.{suffix}"))
    };
    let default = match &credentials.place {
        Place::Public => of_cloud("https", "core.windows.net")?,
        Place::Cloud { suffix, secure } => of_cloud(if *secure { "https" } else { "http" }, suffix)?,
        Place::At(url) => url.to_string(),
    };
    let mut config = config.clone();
    let host = config.host.take();
    config.host = host.map(|host| {
        // That of a whole cloud.
        if host.starts_with("blob.") { format!("{account}.{host}") } else { host }
    });
    let mut base = config.base_url(&default)?;
    if config.host.as_deref().is_some_and(|host| host == "localhost" || host.parse::<IpAddr>().is_ok()) {
        // An emulator, where the account is a part of the path.
        base.set_path(account);
    }
    Ok(base)
}

/// The version of the API, by its date.
fn version(given: Option<&str>) -> Result<String> {
    let version = given.unwrap_or(VERSION);
    let is_date = format!("{version}T00:00:00Z").parse::<libcloud_common::Timestamp>().is_ok();
    if !is_date || version < "2012-02-12" {
        return Err(Error::invalid_argument(format!(
            "`api_version` is the date of a version, 2012-02-12 or later, such as {VERSION}, and not `{version}`"
        ))
        .with_resource("option", "api_version"));
    }
    Ok(version.to_owned())
}

/// Whether an error of a call to a blob is about its container.
fn is_about_container(error: &Error) -> bool {
    error.code().is_some_and(|code| code.contains("Container"))
}

/// Reads an error.
///
/// <https://learn.microsoft.com/rest/api/storageservices/status-and-error-codes2>
fn check(response: &Response) -> Result<()> {
    if response.status.is_success() {
        return Ok(());
    }
    let read = xml::parse(&response.text(), |root| Ok((root.opt_text("Code"), root.opt_text("Message"))));
    // The answer to HEAD has no body, and what is on the way answers what it likes.
    let (code, message) = read.unwrap_or_default();
    let code = code.or_else(|| response.header("x-ms-error-code").map(str::to_owned)).unwrap_or_default();
    // The lines below it repeat the id and the time.
    let message = message.as_deref().and_then(|message| message.lines().next()).unwrap_or_default();
    let error = response.error(message);
    let kind = kind(&code, response.status).unwrap_or(error.kind());
    let error = error.with_kind(kind);
    let error = match code.as_str() {
        // Done in half a minute or so.
        "ContainerBeingDeleted" => error.with_retry(Retry::Retryable(None)),
        _ => error,
    };
    Err(error.with_code(code))
}

/// What a code stands for, where that is more than its status says.
///
/// <https://learn.microsoft.com/rest/api/storageservices/blob-service-error-codes>
fn kind(code: &str, status: StatusCode) -> Option<ErrorKind> {
    Some(match code {
        "BlobNotFound" | "ContainerNotFound" | "ResourceNotFound" => ErrorKind::NotFound,
        "BlobAlreadyExists" | "ContainerAlreadyExists" | "ResourceAlreadyExists" => ErrorKind::AlreadyExists,
        "InvalidAuthenticationInfo" | "NoAuthenticationInformation" => ErrorKind::InvalidCredentials,
        "InvalidResourceName" | "InvalidUri" => ErrorKind::InvalidName,
        "Crc64Mismatch" | "InvalidMd5" | "Md5Mismatch" => ErrorKind::HashMismatch,
        "ServerBusy" => ErrorKind::RateLimited,
        "OperationTimedOut" => ErrorKind::Timeout,
        "UnsupportedHttpVerb" => ErrorKind::NotSupported,
        "BlobArchived" | "BlobImmutableDueToPolicy" => ErrorKind::Immutable,
        "BlobTypeNotSupported"
        | "BlockCountExceedsLimit"
        | "BlockListTooLong"
        | "EmptyMetadataKey"
        | "InvalidBlobOrBlock"
        | "InvalidBlobType"
        | "InvalidBlockId"
        | "InvalidBlockList"
        | "InvalidHeaderValue"
        | "InvalidInput"
        | "InvalidMetadata"
        | "InvalidPageRange"
        | "InvalidQueryParameterValue"
        | "InvalidRange"
        | "MetadataTooLarge"
        | "OutOfRangeInput"
        | "OutOfRangeQueryParameterValue"
        | "RequestBodyTooLarge"
        | "UnsupportedHeader" => ErrorKind::InvalidArgument,
        _ if status == StatusCode::RANGE_NOT_SATISFIABLE => ErrorKind::InvalidArgument,
        _ if status == StatusCode::PRECONDITION_FAILED => ErrorKind::InvalidState,
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
