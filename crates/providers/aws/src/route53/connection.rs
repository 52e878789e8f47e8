//! The REST protocol of Route 53: resources are paths below the version, bodies are XML, and one host serves all regions.
//!
//! <https://docs.aws.amazon.com/Route53/latest/APIReference/requests-rest.html>

use std::borrow::Cow;

use http::{Method, StatusCode};
use libcloud_common::xml::{self, Writer};
use libcloud_common::{Call, Config, Connection, ErrorKind, Response, Result};

use super::signature::HttpsSigner;
use super::{DESCRIPTOR, Route53Options};
use crate::connection::{self, sharpened};
use crate::credentials::Credentials;
use crate::signer::{SignatureVersion, Signer};

/// The version that is spoken unless the configuration names another.
const API_VERSION: &str = "2013-04-01";

/// A connection to Route 53.
#[derive(Clone, Debug)]
pub(super) struct Route53Connection {
    connection: Connection,
    api_version: String,
}

impl Route53Connection {
    /// Makes the connection. Nothing is sent.
    pub(super) fn new(config: &Config, options: &Route53Options, credentials: Credentials) -> Result<Self> {
        let (host, region) = partition(config.region.as_deref().or(credentials.region()).unwrap_or_default());
        let base = config.base_url(host)?;
        let api_version = config.api_version.as_deref().unwrap_or(API_VERSION).to_owned();
        let builder = Connection::builder(DESCRIPTOR.id, base, config).service("dns").check(check);
        let connection = if options.signs_by_date(&api_version)? {
            builder.auth(HttpsSigner::new(credentials))
        } else {
            builder.auth(Signer::query(credentials, SignatureVersion::V4, region, "route53"))
        };
        Ok(Self { connection: connection.build(), api_version })
    }

    /// The connection below.
    pub(super) fn http(&self) -> &Connection {
        &self.connection
    }

    /// Begins a call to a path below the version.
    pub(super) fn call(&self, method: Method, operation: &'static str, path: &[&str]) -> Call {
        let segments = std::iter::once(self.api_version.as_str()).chain(path.iter().copied());
        self.connection.call(method, operation, segments)
    }

    /// Begins a GET.
    pub(super) fn get(&self, operation: &'static str, path: &[&str]) -> Call {
        self.call(Method::GET, operation, path)
    }

    /// Begins a POST of the element that is called as the operation, with what is written in it.
    pub(super) fn post(
        &self,
        operation: &'static str,
        path: &[&str],
        content: impl FnOnce(&mut Writer),
    ) -> Result<Call> {
        let mut xml = Writer::document();
        let namespace = format!("https://route53.amazonaws.com/doc/{}/", self.api_version);
        xml.element_with(&format!("{operation}Request"), &[("xmlns", &namespace)], content);
        Ok(self.call(Method::POST, operation, path).body("application/xml", xml.finish()?))
    }
}

/// Where Route 53 is, and in which region its requests are signed: one each for Amazon's public regions, those of China and
/// those of the United States' government.
///
/// <https://docs.aws.amazon.com/general/latest/gr/r53.html>
fn partition(region: &str) -> (&'static str, &'static str) {
    if region.starts_with("cn-") {
        ("https://route53.amazonaws.com.cn", "cn-northwest-1")
    } else if region.starts_with("us-gov-") {
        ("https://route53.us-gov.amazonaws.com", "us-gov-west-1")
    } else {
        ("https://route53.amazonaws.com", "us-east-1")
    }
}

/// Reads an error: `ErrorResponse/Error`, or what a batch of changes suffers from, sentence by sentence.
///
/// <https://docs.aws.amazon.com/Route53/latest/APIReference/requests-rest-responses.html>
fn check(response: &Response) -> Result<()> {
    if response.status.is_success() {
        return Ok(());
    }
    let read = xml::parse(&response.text(), |root| {
        let request_id = root.opt_text("RequestId");
        let messages: Vec<Cow<'_, str>> = root
            .items("Messages", "Message")
            .map(xml::Element::text)
            .filter(|text| !text.is_empty())
            .collect();
        Ok(match root.child("Error") {
            Some(error) => (
                error.opt_text("Code").unwrap_or_default(),
                error.opt_text("Message").unwrap_or_default(),
                request_id,
            ),
            None if root.name() == BATCH => (BATCH.to_owned(), messages.join("; "), request_id),
            None => (String::new(), String::new(), request_id),
        })
    });
    // What is on the way answers what it likes.
    let (code, message, request_id) = read.unwrap_or_default();
    let kind = kind(&code, &message, response.status);
    let message = if message.is_empty() { &code } else { &message };
    Err(sharpened(response.error(message), kind).with_request_id(request_id).with_code(code))
}

/// The code of a batch of changes that cannot be made.
const BATCH: &str = "InvalidChangeBatch";

/// What a code stands for. The last are those of all of Amazon's services.
///
/// <https://docs.aws.amazon.com/Route53/latest/APIReference/API_ChangeResourceRecordSets.html#API_ChangeResourceRecordSets_Errors>
fn kind(code: &str, message: &str, status: StatusCode) -> ErrorKind {
    match code {
        // Only the sentence tells what is wrong.
        BATCH => match message {
            _ if message.contains("but it already exists") => ErrorKind::AlreadyExists,
            _ if message.contains("but it was not found") => ErrorKind::NotFound,
            _ if message.contains("do not match the current values")
                || message.contains("conflicting RRSet") =>
            {
                ErrorKind::InvalidState
            }
            _ if message.contains("is not permitted in zone") => ErrorKind::InvalidName,
            _ => ErrorKind::Provider,
        },
        "ConflictingDomainExists" => ErrorKind::AlreadyExists,
        "HostedZoneNotEmpty" => ErrorKind::NotEmpty,
        "InvalidDomainName" => ErrorKind::InvalidName,
        "InvalidArgument" | "InvalidInput" | "InvalidVPCId" => ErrorKind::InvalidArgument,
        // Another change of the same zone is not through yet: nothing was done.
        "PriorRequestNotComplete" => ErrorKind::RateLimited,
        "InvalidSignatureException" | "NotAuthorizedException" => ErrorKind::InvalidCredentials,
        "LimitsExceeded" => ErrorKind::QuotaExceeded,
        _ if code.starts_with("NoSuch") => ErrorKind::NotFound,
        _ if code.starts_with("TooMany") => ErrorKind::QuotaExceeded,
        _ => connection::kind(code, status),
    }
}
