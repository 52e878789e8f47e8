//! Objects copied within the service, so that nothing comes here and goes back.
//!
//! What one request can copy is copied by one, all else in parts that become the object all at once.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use http::Method;
use libcloud_common::cleanup::Undo;
use libcloud_common::xml::Element;
use libcloud_common::{Deadline, Error, Options, Result, Secret, Timestamp, arguments, encode, extensions};
use libcloud_storage::rest::headers::unquoted;
use libcloud_storage::rest::{StorageCall, meta_data};
use libcloud_storage::{Container, Object, guess_content_type};

use super::encryption::{CustomerKey, Encryption};
use super::uploads::list_of_parts;
use super::{META, ObjectExtra, S3Driver};

/// How large a part of a copy is at least: it costs the service no memory, and fewer parts fewer requests.
const PART: u64 = 1 << 30;

/// How many parts are copied at the same time.
const AT_ONCE: usize = 4;

/// Extension arguments of `ex_copy_object`.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html>
#[arguments(drivers = ["s3", "digitalocean_spaces", "minio"])]
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct S3CopyObject {
    /// The version that is copied, where the container keeps several.
    pub ex_version_id: Option<String>,
    /// Only if this is the entity tag of what is copied.
    pub ex_if_match: Option<String>,
    /// Only if this is not the entity tag of what is copied.
    pub ex_if_none_match: Option<String>,
    /// What is written on the copy; with it, with `ex_content_type` or `ex_headers`, nothing of the original's is.
    pub ex_meta_data: Option<BTreeMap<String, String>>,
    /// The MIME type of the copy.
    pub ex_content_type: Option<String>,
    /// `Cache-Control`, `Content-Disposition`, `Content-Encoding`, `Content-Language` and `Expires` of the copy.
    pub ex_headers: BTreeMap<String, String>,
    /// Who may do what with the copy, which otherwise is the owner's alone: `public-read`.
    pub ex_acl: Option<String>,
    /// How the copy is to be kept: `standard` (which it is without), `standard_ia` …, in any case of letters.
    pub ex_storage_class: Option<String>,
    /// How the copy is to be encrypted: `AES256`, `aws:kms` or `aws:kms:dsse`.
    pub ex_server_side_encryption: Option<String>,
    /// The key of the key service.
    pub ex_kms_key_id: Option<String>,
    /// A key of one's own for the copy, 256 bits in base64.
    #[serde(serialize_with = "libcloud_common::serialize_exposed")]
    pub ex_customer_key: Option<Secret>,
    /// The key with which the original was encrypted.
    #[serde(serialize_with = "libcloud_common::serialize_exposed")]
    pub ex_source_customer_key: Option<Secret>,
}

/// The headers of content that a copy can be given.
const CONTENT_HEADERS: [&str; 5] =
    ["cache-control", "content-disposition", "content-encoding", "content-language", "expires"];

/// What a copy is told to be.
#[derive(Clone, Debug)]
struct Copy {
    driver: S3Driver,
    /// As the header names it.
    source: String,
    container: Arc<Container>,
    name: String,
    /// Those of the object that it becomes.
    headers: BTreeMap<String, String>,
    /// Whether metadata and headers of content are among them.
    replaces: bool,
    /// On what it depends.
    conditions: Vec<(&'static str, String)>,
    encryption: Encryption,
    source_key: Option<CustomerKey>,
    deadline: Deadline,
}

/// What S3 says of a copy, or of a part of one.
struct Copied {
    etag: String,
    last_modified: Option<Timestamp>,
}

#[extensions(COPY)]
impl S3Driver {
    /// Copies an object into a container, both at this service; see [`S3CopyObject`] for what else there is.
    ///
    /// The copy has the metadata and the type of the original, unless others are given, and is its owner's alone. What one
    /// request cannot copy is copied in parts, of one and the same version. Of an object of unknown size (0), the size is
    /// asked for first.
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html>
    pub async fn ex_copy_object(
        &self,
        obj: &Object,
        container: &Container,
        object_name: &str,
        options: Options,
    ) -> Result<Object> {
        let arguments: S3CopyObject = options.ex.decode("ex_copy_object")?;
        let version_id = arguments.ex_version_id.clone();
        let deadline = Deadline::new(self.conn.http().clock().clone(), options.timeout);
        let mut copy = Copy::new(self, obj, container, object_name, arguments, deadline)?;
        let single = self.conn.dialect().parts.single;
        if obj.size > 0 && obj.size <= single {
            return copy.at_once(obj.size).await;
        }
        let original = copy.original(obj, version_id).await?;
        if original.size <= single {
            copy.at_once(original.size).await
        } else {
            copy.in_parts(original).await
        }
    }
}

impl Copy {
    fn new(
        driver: &S3Driver,
        obj: &Object,
        container: &Container,
        object_name: &str,
        arguments: S3CopyObject,
        deadline: Deadline,
    ) -> Result<Self> {
        let mut source = format!("/{}/{}", encode::segment(&obj.container.name), encode::key(&obj.name));
        if let Some(version) = &arguments.ex_version_id {
            source = format!("{source}?versionId={}", encode::segment(version));
        }
        let replaces = arguments.ex_meta_data.is_some()
            || arguments.ex_content_type.is_some()
            || !arguments.ex_headers.is_empty();
        let mut headers = content_headers(arguments.ex_headers)?;
        headers.extend(meta_data::headers(META, &arguments.ex_meta_data.unwrap_or_default())?);
        if replaces {
            let usual = || guess_content_type(object_name).unwrap_or("application/octet-stream").to_owned();
            let content_type = arguments.ex_content_type.unwrap_or_else(usual);
            headers.insert("content-type".to_owned(), content_type);
        }
        let named = [
            ("x-amz-acl", arguments.ex_acl),
            ("x-amz-storage-class", arguments.ex_storage_class.map(|class| class.to_ascii_uppercase())),
        ];
        headers.extend(named.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
        let conditions = [
            ("x-amz-copy-source-if-match", arguments.ex_if_match),
            ("x-amz-copy-source-if-none-match", arguments.ex_if_none_match),
        ];
        let quoted = |etag: String| format!("\"{}\"", etag.trim_matches('"'));
        let conditions =
            conditions.into_iter().filter_map(|(name, etag)| Some((name, quoted(etag?)))).collect();
        let source_key = arguments.ex_source_customer_key.as_ref();
        Ok(Self {
            driver: driver.clone(),
            source,
            container: Arc::new(container.clone()),
            name: object_name.to_owned(),
            headers,
            replaces,
            conditions,
            encryption: Encryption::new(
                arguments.ex_server_side_encryption.as_deref(),
                arguments.ex_kms_key_id,
                arguments.ex_customer_key.as_ref(),
            )?,
            source_key: source_key.map(|key| CustomerKey::new("ex_source_customer_key", key)).transpose()?,
            deadline,
        })
    }

    fn call(&self, method: Method, operation: &'static str) -> Result<StorageCall> {
        let call = self.driver.conn.object(method, operation, &self.container.name, &self.name)?;
        Ok(call.timeout(self.deadline.left()))
    }

    /// The same for a call that copies something.
    fn copying(&self, operation: &'static str) -> Result<StorageCall> {
        let call = self.call(Method::PUT, operation)?.header("x-amz-copy-source", &self.source);
        let call = self.conditions.iter().fold(call, |call, (name, etag)| call.header(name, etag));
        Ok(match &self.source_key {
            Some(key) => key.of_source(call),
            None => call,
        })
    }

    async fn at_once(&self, size: u64) -> Result<Object> {
        let call = self.copying("CopyObject")?.headers(&self.headers);
        let call = if self.replaces { call.header("x-amz-metadata-directive", "REPLACE") } else { call };
        let copied = self.encryption.making(call).read(copied).await?;
        Ok(self.object(size, copied))
    }

    fn object(&self, size: u64, copied: Copied) -> Object {
        Object::new(&*self.name, size, &self.container)
            .with_hash(unquoted(&copied.etag))
            .with_etag(Some(&copied.etag))
            .with_last_modified(copied.last_modified)
    }

    /// What is copied. A copy in parts has nothing of it unless it is given to it.
    async fn original(&mut self, obj: &Object, version_id: Option<String>) -> Result<Object> {
        let call = self.driver.conn.object(Method::HEAD, "HeadObject", &obj.container.name, &obj.name)?;
        let call = call.query_opt("versionId", version_id).timeout(self.deadline.left());
        let call = match &self.source_key {
            Some(key) => key.of_object(call),
            None => call,
        };
        let found = call.send().await?;
        super::objects::described(&found.headers, &obj.container.name, &obj.name)
            .map_err(|error| error.in_operation(self.driver.descriptor.id, "HeadObject"))
    }

    async fn in_parts(&mut self, original: Object) -> Result<Object> {
        if !self.replaces {
            let extra: ObjectExtra = original.extra_as()?;
            let told = [
                ("cache-control", extra.cache_control),
                ("content-disposition", extra.content_disposition),
                ("content-encoding", extra.content_encoding),
                ("content-language", extra.content_language),
                ("content-type", extra.content_type),
                ("expires", extra.expires),
            ];
            let told = told.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
            self.headers.extend(told);
            self.headers.extend(meta_data::headers(META, &original.meta_data)?);
        }
        if let Some(etag) = &original.etag {
            // All parts are of one version.
            self.conditions.retain(|(name, _)| *name != "x-amz-copy-source-if-match");
            self.conditions.push(("x-amz-copy-source-if-match", format!("\"{etag}\"")));
        }
        let begin = self.call(Method::POST, "CreateMultipartUpload")?.query("uploads", "");
        let begin = self.encryption.making(begin.headers(&self.headers));
        let id = begin.read(|root| root.need_text("UploadId")).await?;
        let undo = {
            let (copy, id) = (self.clone(), id.clone());
            Undo::new(async move {
                if let Err(error) = copy.abort(&id).await {
                    tracing::warn!(%error, "a copy in parts that was broken off could not be thrown away");
                }
            })
        };
        let copied = match self.all_parts(&id, original.size).await {
            Ok(etags) => self.put_together(&id, &etags).await,
            Err(error) => Err(error),
        };
        match copied {
            Ok(copied) => {
                undo.disarm();
                Ok(self.object(original.size, copied))
            }
            Err(error) => {
                self.abort(&id).await.map_err(|abort| error_of_both(&error, &abort, &id))?;
                undo.disarm();
                Err(error)
            }
        }
    }

    async fn all_parts(&self, id: &str, size: u64) -> Result<Vec<String>> {
        let parts =
            stream::iter((1_u32..).zip(ranges(size, u64::from(self.driver.conn.dialect().parts.most))));
        parts.map(|(number, range)| self.part(id, number, range)).buffered(AT_ONCE).try_collect().await
    }

    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPartCopy.html>
    async fn part(&self, id: &str, number: u32, range: Range<u64>) -> Result<String> {
        let call = self
            .copying("UploadPartCopy")?
            .query("partNumber", number)
            .query("uploadId", id)
            .header("x-amz-copy-source-range", format!("bytes={}-{}", range.start, range.end - 1));
        Ok(self.encryption.touching(call).read(copied).await?.etag)
    }

    async fn put_together(&self, id: &str, etags: &[String]) -> Result<Copied> {
        let list = list_of_parts((1..).zip(etags).map(|(number, etag)| (number, etag.as_str(), None)))?;
        let call = self.call(Method::POST, "CompleteMultipartUpload")?.query("uploadId", id);
        let call = self.encryption.touching(call).body("application/xml", list);
        let etag = call
            .read(|root| {
                // Ceph leaves it empty.
                root.need("ETag")?;
                Ok(root.opt_text("ETag"))
            })
            .await?;
        if let Some(etag) = etag {
            return Ok(Copied { etag, last_modified: None });
        }
        let call = self.encryption.touching(self.call(Method::HEAD, "HeadObject")?);
        let found = super::objects::extra(&call.send().await?.headers)?;
        let etag = found.etag.ok_or_else(|| Error::malformed("etag", "it is missing"))?;
        Ok(Copied { etag, last_modified: found.last_modified })
    }

    async fn abort(&self, id: &str) -> Result<()> {
        self.driver.ex_abort_multipart_upload(&self.container, &self.name, id).await
    }
}

/// The error of a copy whose parts could not be thrown away either.
fn error_of_both(error: &Error, abort: &Error, id: &str) -> Error {
    Error::new(error.kind(), format!("{error}; its parts could not be thrown away (upload `{id}`): {abort}"))
}

fn content_headers(given: BTreeMap<String, String>) -> Result<BTreeMap<String, String>> {
    let lower: BTreeMap<_, _> =
        given.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value)).collect();
    match lower.keys().find(|name| !CONTENT_HEADERS.contains(&name.as_str())) {
        None => Ok(lower),
        Some(name) => Err(Error::invalid_argument(format!(
            "`ex_headers`: a copy cannot be given `{name}`, only `{}`",
            CONTENT_HEADERS.join("`, `")
        ))
        .with_resource("argument", "ex_headers")),
    }
}

/// The parts of a size: as few as can be, and all of one length but the last.
fn ranges(size: u64, most: u64) -> impl Iterator<Item = Range<u64>> {
    let length = PART.max(size.div_ceil(most));
    (0..size.div_ceil(length)).map(move |n| n * length..size.min((n + 1) * length))
}

/// `CopyObjectResult` or `CopyPartResult`.
fn copied(root: Element<'_, '_>) -> Result<Copied> {
    Ok(Copied { etag: root.need_text("ETag")?, last_modified: root.parse("LastModified")? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_few_and_cover_everything() {
        const GIB: u64 = 1 << 30;
        let of = |size, most| ranges(size, most).collect::<Vec<_>>();
        assert_eq!(of(GIB, 10_000).first(), Some(&(0..GIB)));
        assert_eq!(of(2 * GIB + 1, 10_000), [0..GIB, GIB..2 * GIB, 2 * GIB..2 * GIB + 1]);
        // No more parts than there may be.
        let many = of(48_800 * GIB, 10_000);
        assert_eq!(many.len(), 10_000);
        assert_eq!(many.last().unwrap().end, 48_800 * GIB);
    }

    #[test]
    fn only_headers_of_content_can_be_given() {
        let headers = |name: &str| content_headers([(name.to_owned(), "x".to_owned())].into());
        assert!(headers("Cache-Control").unwrap().contains_key("cache-control"));
        let error = headers("x-amz-copy-source").unwrap_err();
        assert_eq!(error.resource(), Some(("argument", "ex_headers")));
    }
}
