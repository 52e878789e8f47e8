//! The older signature of S3's REST API: `Authorization: AWS key:signature`, or a URL with `Signature`.
//!
//! Amazon has moved to [`v4`](super::v4); old installations, and some services that copied the protocol under a [`Scheme`]
//! of their own, still ask for this one. Source: [Signing and authenticating REST
//! requests](https://docs.aws.amazon.com/AmazonS3/latest/API/RESTAuthentication.html).

use std::fmt;

use crate::{digest, encode};

/// What a service calls the parts of the signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scheme {
    /// The first word of the header `Authorization`.
    pub name: &'static str,
    /// What the headers begin with that are signed all together, in lower case.
    pub headers: &'static str,
    /// The parameter of a URL that names the access key.
    pub access_key: &'static str,
}

impl Scheme {
    /// Amazon S3.
    pub const AWS: Self = Self { name: "AWS", headers: "x-amz-", access_key: "AWSAccessKeyId" };

    /// Google Cloud Storage: <https://cloud.google.com/storage/docs/authentication/signatures-v2>
    pub const GOOG1: Self = Self { name: "GOOG1", headers: "x-goog-", access_key: "GoogleAccessId" };
}

/// The parameters of a query that are part of what is asked for, and so of what is signed.
const SUB_RESOURCES: [&str; 41] = [
    "accelerate",
    "acl",
    "analytics",
    "compose",
    "cors",
    "delete",
    "encryption",
    "intelligent-tiering",
    "inventory",
    "legal-hold",
    "lifecycle",
    "location",
    "logging",
    "metrics",
    "notification",
    "object-lock",
    "partNumber",
    "policy",
    "policyStatus",
    "publicAccessBlock",
    "replication",
    "requestPayment",
    "response-cache-control",
    "response-content-disposition",
    "response-content-encoding",
    "response-content-language",
    "response-content-type",
    "response-expires",
    "restore",
    "retention",
    "select",
    "select-type",
    "storageClass",
    "tagging",
    "torrent",
    "uploadId",
    "uploads",
    "versionId",
    "versioning",
    "versions",
    "website",
];

/// The parts of a request that are signed. `Debug` shows no value of a header or parameter.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// The method in upper case.
    pub method: &'a str,
    /// The path as it is sent, so percent-encoded, with the bucket at its beginning: also where the bucket is part of the host.
    pub resource: &'a str,
    /// The parameters of the query, decoded, in any order. Only those that name a sub-resource are signed.
    pub query: &'a [(&'a str, &'a str)],
    /// All headers, in any order; of them `content-md5`, `content-type` and those of the scheme are signed.
    pub headers: &'a [(&'a str, &'a str)],
}

impl fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("resource", &self.resource)
            .finish_non_exhaustive()
    }
}

/// Who signs, and how. `Debug` shows no credential.
///
/// ```
/// use libcloud_common::sign::rest::{Request, Scheme, Signer};
///
/// let signer = Signer {
///     access_key: "AKIAIOSFODNN7EXAMPLE",
///     secret_key: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
///     scheme: Scheme::AWS,
/// };
/// let request =
///     Request { method: "GET", resource: "/johnsmith/photos/puppy.jpg", query: &[], headers: &[] };
/// assert_eq!(
///     signer.authorization(&request, "Tue, 27 Mar 2007 19:36:42 +0000"),
///     "AWS AKIAIOSFODNN7EXAMPLE:bWq2s1WEIj+Ydj0vQ697zp+IXMU="
/// );
/// ```
#[derive(Clone, Copy)]
pub struct Signer<'a> {
    /// The id of the access key.
    pub access_key: &'a str,
    /// The secret key.
    pub secret_key: &'a str,
    /// What the service calls the parts of the signature.
    pub scheme: Scheme,
}

impl fmt::Debug for Signer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").field("scheme", &self.scheme).finish_non_exhaustive()
    }
}

impl Signer<'_> {
    /// The value of the header `Authorization`, for a request that is sent with this header `Date`.
    ///
    /// The token of temporary credentials is the header `x-amz-security-token`, one of those that are signed.
    pub fn authorization(&self, request: &Request<'_>, date: &str) -> String {
        format!("{} {}:{}", self.scheme.name, self.access_key, self.signature(request, date))
    }

    /// The query, without `?`, that makes the URL usable by anyone until this time, in seconds since 1970.
    ///
    /// It holds the request's own parameters too. Whoever uses the URL sends the headers that are signed, but for those of
    /// the scheme: they become parameters. The result is as good as a credential: keep it out of logs.
    pub fn presign(&self, request: &Request<'_>, expires: i64) -> String {
        let expires = expires.to_string();
        let signature = self.signature(request, &expires);
        let own = request.headers.iter().filter(|(name, _)| self.is_own(name));
        let names: Vec<(String, &str)> = request
            .query
            .iter()
            .map(|(name, value)| ((*name).to_owned(), *value))
            .chain(own.map(|(name, value)| (name.to_ascii_lowercase(), *value)))
            .chain([
                (self.scheme.access_key.to_owned(), self.access_key),
                ("Expires".to_owned(), expires.as_str()),
                ("Signature".to_owned(), signature.as_str()),
            ])
            .collect();
        encode::query(names)
    }

    /// The text that is signed. `date` is the header `Date`, or the time at which a URL expires.
    pub fn string_to_sign(&self, request: &Request<'_>, date: &str) -> String {
        let header = |wanted: &str| {
            let found = request.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
            found.map_or("", |(_, value)| value.trim())
        };
        let mut text =
            format!("{}\n{}\n{}\n{date}\n", request.method, header("content-md5"), header("content-type"));
        self.push_headers(&mut text, request.headers);
        push_resource(&mut text, request);
        text
    }

    fn signature(&self, request: &Request<'_>, date: &str) -> String {
        let text = self.string_to_sign(request, date);
        encode::base64(digest::hmac_sha1(self.secret_key.as_bytes(), text.as_bytes()))
    }

    fn is_own(&self, header: &str) -> bool {
        header.to_ascii_lowercase().starts_with(self.scheme.headers)
    }

    /// The headers of the scheme by their names, a line each.
    fn push_headers(&self, text: &mut String, headers: &[(&str, &str)]) {
        let mut own: Vec<(String, &str)> = headers
            .iter()
            .filter(|(name, _)| self.is_own(name))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim()))
            .collect();
        // Stable: the values of a repeated header stay in the order in which they are sent.
        own.sort_by(|(a, _), (b, _)| a.cmp(b));
        for same in own.chunk_by(|(a, _), (b, _)| a == b) {
            for (index, (name, value)) in same.iter().enumerate() {
                if index == 0 {
                    text.push_str(name);
                }
                text.push(if index == 0 { ':' } else { ',' });
                text.push_str(value);
            }
            text.push('\n');
        }
    }
}

/// Path and sub-resources, whose values are signed as they are.
fn push_resource(text: &mut String, request: &Request<'_>) {
    text.push_str(if request.resource.is_empty() { "/" } else { request.resource });
    let mut subs: Vec<_> = request.query.iter().filter(|(name, _)| SUB_RESOURCES.contains(name)).collect();
    subs.sort();
    for (index, (name, value)) in subs.into_iter().enumerate() {
        text.push(if index == 0 { '?' } else { '&' });
        text.push_str(name);
        if !value.is_empty() {
            text.push('=');
            text.push_str(value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIGNER: Signer<'static> = Signer {
        access_key: "AKIAIOSFODNN7EXAMPLE",
        secret_key: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        scheme: Scheme::AWS,
    };

    /// The examples of the documentation.
    #[test]
    fn documented_signatures() {
        let upload: &[(&str, &str)] = &[
            ("User-Agent", "curl/7.15.5"),
            ("x-amz-acl", "public-read"),
            ("Content-Type", "application/x-download"),
            ("Content-MD5", "4gJE4saaMU4BqNR0kLY+lw=="),
            ("X-Amz-Meta-ReviewedBy", "joe@johnsmith.net"),
            ("X-Amz-Meta-ReviewedBy", "jane@johnsmith.net"),
            ("X-Amz-Meta-FileChecksum", "0x02661779"),
            ("X-Amz-Meta-ChecksumAlgorithm", "crc32"),
            ("Content-Disposition", "attachment; filename=database.dat"),
            ("Content-Length", "5913339"),
        ];
        let list: &[(&str, &str)] = &[("prefix", "photos"), ("max-keys", "50"), ("marker", "puppy")];
        let jpeg: &[(&str, &str)] = &[("Content-Type", "image/jpeg"), ("Content-Length", "94328")];
        for (method, resource, query, headers, date, signature) in [
            (
                "GET",
                "/johnsmith/photos/puppy.jpg",
                &[][..],
                &[][..],
                "Tue, 27 Mar 2007 19:36:42 +0000",
                "bWq2s1WEIj+Ydj0vQ697zp+IXMU=",
            ),
            (
                "PUT",
                "/johnsmith/photos/puppy.jpg",
                &[],
                jpeg,
                "Tue, 27 Mar 2007 21:15:45 +0000",
                "MyyxeRY7whkBe+bq8fHCL/2kKUg=",
            ),
            (
                "GET",
                "/johnsmith/",
                list,
                &[],
                "Tue, 27 Mar 2007 19:42:41 +0000",
                "htDYFYduRNen8P9ZfE/s9SuKy0U=",
            ),
            (
                "GET",
                "/johnsmith/",
                &[("acl", "")],
                &[],
                "Tue, 27 Mar 2007 19:44:46 +0000",
                "c2WLPFtWHVgbEmeEG93a4cG37dM=",
            ),
            (
                "DELETE",
                "/johnsmith/photos/puppy.jpg",
                &[],
                &[],
                "Tue, 27 Mar 2007 21:20:26 +0000",
                "lx3byBScXR6KzyMaifNkardMwNk=",
            ),
            (
                "PUT",
                "/static.johnsmith.net/db-backup.dat.gz",
                &[],
                upload,
                "Tue, 27 Mar 2007 21:06:08 +0000",
                "ilyl83RwaSoYIEdixDQcA4OnAnc=",
            ),
            ("GET", "/", &[], &[], "Wed, 28 Mar 2007 01:29:59 +0000", "qGdzdERIC03wnaRNKh6OqZehG9s="),
            (
                "GET",
                "/dictionary/fran%C3%A7ais/pr%c3%a9f%c3%a8re",
                &[],
                &[],
                "Wed, 28 Mar 2007 01:49:49 +0000",
                "DNEZGsoieTZ92F3bUfSPQcbGmlM=",
            ),
        ] {
            let request = Request { method, resource, query, headers };
            assert_eq!(
                SIGNER.authorization(&request, date),
                format!("AWS AKIAIOSFODNN7EXAMPLE:{signature}"),
                "{request:?}"
            );
        }
    }

    #[test]
    fn documented_url() {
        let request =
            Request { method: "GET", resource: "/johnsmith/photos/puppy.jpg", query: &[], headers: &[] };
        assert_eq!(
            SIGNER.presign(&request, 1_175_139_620),
            "AWSAccessKeyId=AKIAIOSFODNN7EXAMPLE&Expires=1175139620&Signature=NpgCjnDzrM%2BWFzoENXmpNDUsSn8%3D"
        );
    }

    #[test]
    fn a_token_is_signed_as_a_header_and_sent_as_a_parameter() {
        let request = Request {
            method: "GET",
            resource: "/b/k",
            query: &[("response-content-type", "a/b c"), ("versionId", "7")],
            headers: &[("x-amz-security-token", "to/ken"), ("range", "bytes=0-1")],
        };
        assert_eq!(
            SIGNER.string_to_sign(&request, "60"),
            "GET\n\n\n60\nx-amz-security-token:to/ken\n/b/k?response-content-type=a/b c&versionId=7"
        );
        let query = SIGNER.presign(&request, 60);
        assert!(
            query.starts_with(
                "response-content-type=a%2Fb%20c&versionId=7&x-amz-security-token=to%2Fken&AWSAccessKeyId="
            ),
            "{query}"
        );
    }

    #[test]
    fn another_scheme_has_names_of_its_own() {
        let signer = Signer { scheme: Scheme::GOOG1, ..SIGNER };
        let request = Request {
            method: "PUT",
            resource: "",
            query: &[("website", ""), ("list-type", "2"), ("uploads", "")],
            headers: &[("x-goog-acl", " private "), ("x-amz-acl", "private")],
        };
        assert_eq!(signer.string_to_sign(&request, "d"), "PUT\n\n\nd\nx-goog-acl:private\n/?uploads&website");
        assert!(signer.authorization(&request, "d").starts_with("GOOG1 AKIAIOSFODNN7EXAMPLE:"));
        assert!(signer.presign(&request, 1).contains("&GoogleAccessId=AKIAIOSFODNN7EXAMPLE&"));
    }

    #[test]
    fn debug_shows_no_credential() {
        assert_eq!(
            format!("{:?}", Signer { secret_key: "canary", ..SIGNER }),
            "Signer { scheme: Scheme { name: \"AWS\", headers: \"x-amz-\", access_key: \"AWSAccessKeyId\" }, .. }"
        );
    }
}
