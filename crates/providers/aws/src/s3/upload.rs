//! Content on its way to S3.
//!
//! What is no more than a part is sent in one request, all else in parts that become the object all at once. Each request
//! carries a digest of what it has, which S3 compares, and is sent again when the connection breaks.

use std::collections::BTreeMap;
use std::mem::take;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Method};
use libcloud_common::sign::v4;
use libcloud_common::{Deadline, Error, Extra, Result, Secret, arguments, serialize_exposed, text};
use libcloud_storage::parts::Part;
use libcloud_storage::rest::{StorageCall, headers::unquoted, meta_data};
use libcloud_storage::{Container, Digest, Gathered, HashType, Object, UploadBody, UploadObject};

use super::connection::{S3Connection, check_names};
use super::encryption::Encryption;
use super::{META, S3Driver, objects};
use crate::signer::SignatureVersion;

mod parts;

/// The header of the checksum that costs least.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html>
const CRC64: &str = "x-amz-checksum-crc64nvme";

/// What is sent in one request, and how large a part is.
const PART: u64 = 8 << 20;

/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-class-intro.html>
const STORAGE_CLASSES: [&str; 9] = [
    "STANDARD",
    "REDUCED_REDUNDANCY",
    "STANDARD_IA",
    "ONEZONE_IA",
    "INTELLIGENT_TIERING",
    "GLACIER",
    "GLACIER_IR",
    "DEEP_ARCHIVE",
    "EXPRESS_ONEZONE",
];

/// The headers that are set by other arguments, or by signing.
const OWN_HEADERS: [&str; 12] = [
    "authorization",
    "connection",
    "content-length",
    "content-md5",
    "content-type",
    "host",
    "if-none-match",
    "transfer-encoding",
    "x-amz-checksum-crc64nvme",
    "x-amz-content-sha256",
    "x-amz-date",
    "x-amz-security-token",
];

/// Extension arguments of `upload_object` and `upload_object_via_stream`.
///
/// ```
/// use libcloud_aws::s3::S3UploadObject;
/// use libcloud_storage::UploadObject;
///
/// let mut arguments = S3UploadObject::default();
/// arguments.ex_storage_class = Some("standard_ia".into());
/// let options = UploadObject::new().ex(&arguments);
/// ```
#[arguments(drivers = ["s3"])]
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct S3UploadObject {
    /// How it is to be kept: `standard` (which it is without), `standard_ia`, `glacier` …, in any case of letters. Other
    /// installations have other classes: give those as the header `x-amz-storage-class`.
    pub ex_storage_class: Option<String>,
    /// How it is to be encrypted: `AES256`, `aws:kms` or `aws:kms:dsse`; as the container says without.
    pub ex_server_side_encryption: Option<String>,
    /// The key of the key service.
    pub ex_kms_key_id: Option<String>,
    /// A key that only the customer keeps: 256 bits in base64. Nobody can read the object without it.
    #[serde(serialize_with = "serialize_exposed")]
    pub ex_customer_key: Option<Secret>,
}

/// By which digest S3 knows that what arrives is what was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seal {
    /// The SHA-256 in the signature, by version 4.
    Signature,
    /// A header, beside a signature that leaves the content out.
    Crc64Nvme,
    /// The oldest header, which everybody knows.
    Md5,
}

impl Seal {
    pub(super) fn chosen(conn: &S3Connection, payload_signing: bool) -> Self {
        match conn.signature_version() {
            SignatureVersion::V4 if payload_signing => Self::Signature,
            SignatureVersion::V4 if conn.dialect().checksums.crc64nvme => Self::Crc64Nvme,
            _ => Self::Md5,
        }
    }
}

/// Where an upload goes, and what is true of each of its requests.
#[derive(Clone, Debug)]
struct Upload {
    driver: S3Driver,
    container: Arc<Container>,
    name: String,
    content_type: String,
    /// Further headers and metadata, of the request that begins the object.
    headers: BTreeMap<String, String>,
    encryption: Encryption,
    only_if_absent: bool,
    /// Whether what arrives is to be compared with what was sent, where the signature does not see to it.
    verify: bool,
    deadline: Deadline,
}

/// By what S3 compares a content.
struct Digests {
    /// What the seal of the driver needs.
    seal: Option<Digest>,
    crc64: Option<Digest>,
}

impl S3Driver {
    pub(super) async fn upload(
        &self,
        body: UploadBody,
        container: &Container,
        object_name: &str,
        mut options: UploadObject,
    ) -> Result<Object> {
        let arguments: S3UploadObject = take(&mut options.ex).decode("upload_object_via_stream")?;
        let mut headers = options.further_headers(&OWN_HEADERS)?.clone();
        headers.extend(meta_data::headers(META, &options.meta_data)?);
        let named = [
            ("x-amz-acl", options.acl.take()),
            ("x-amz-storage-class", storage_class(arguments.ex_storage_class)?),
        ];
        headers.extend(named.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
        let upload = Upload {
            driver: self.clone(),
            container: Arc::new(container.clone()),
            name: object_name.to_owned(),
            content_type: options.content_type_for(object_name),
            headers,
            encryption: Encryption::new(
                arguments.ex_server_side_encryption.as_deref(),
                arguments.ex_kms_key_id,
                arguments.ex_customer_key.as_ref(),
            )?,
            only_if_absent: options.only_if_absent,
            verify: options.verify_hash,
            deadline: Deadline::new(self.conn.http().clock().clone(), options.timeout),
        };
        // Names are refused before anything is read.
        check_names(&container.name, object_name)?;
        let in_operation = |error: Error| error.in_operation(self.descriptor.id, "PutObject");
        let gathered = upload.deadline.wait(body.gather(PART)).await.map_err(in_operation)?;
        let (headers, size) = match gathered {
            Gathered::Whole(bytes) => {
                if let Some(journal) = &options.journal {
                    upload.clean_up(journal).await?;
                }
                upload.put_object(bytes).await?
            }
            Gathered::More(body) => Box::pin(upload.put_parts(body, options.journal.as_ref())).await?,
        };
        upload.object(&headers, size, options.meta_data)
    }
}

impl Upload {
    fn call(&self, method: Method, operation: &'static str) -> Result<StorageCall> {
        let call = self.driver.conn.object(method, operation, &self.container.name, &self.name)?;
        Ok(call.timeout(self.deadline.left()))
    }

    /// The call that begins the object.
    fn making(&self, method: Method, operation: &'static str) -> Result<StorageCall> {
        let call = self.call(method, operation)?.headers(&self.headers);
        Ok(self.encryption.making(call).header("content-type", &self.content_type))
    }

    /// Whether the digest beside a signature that leaves the content out is the checksum that costs least.
    fn sends_crc64(&self) -> bool {
        self.verify && self.driver.seal == Seal::Crc64Nvme
    }

    /// By what S3 compares a content; its CRC-64 if that is wanted.
    async fn digests(&self, content: &Part, crc64: bool) -> Result<Digests> {
        let seal = match self.driver.seal {
            Seal::Signature => Some(HashType::Sha256),
            Seal::Md5 if self.verify => Some(HashType::Md5),
            Seal::Crc64Nvme | Seal::Md5 => None,
        };
        let crc64 = crc64.then_some(HashType::Crc64Nvme);
        let wanted: Vec<HashType> = seal.into_iter().chain(crc64).collect();
        let mut made = content.digests(&wanted).await?.into_iter();
        Ok(Digests { seal: seal.and_then(|_| made.next()), crc64: crc64.and_then(|_| made.next()) })
    }

    /// The same call with this content, and what S3 compares with it.
    fn sealed(&self, call: StorageCall, content: &Part, digests: &Digests) -> StorageCall {
        let call = call.header_opt(CRC64, digests.crc64.as_ref().map(Digest::base64));
        let call = match (self.driver.seal, &digests.seal) {
            (Seal::Signature, Some(sha256)) => call.header(v4::CONTENT_SHA256, sha256.hex()),
            (seal, digest) => {
                let call = match self.driver.conn.signature_version() {
                    SignatureVersion::V4 => call.header(v4::CONTENT_SHA256, v4::UNSIGNED_PAYLOAD),
                    _ => call,
                };
                let md5 = digest.as_ref().filter(|_| seal == Seal::Md5);
                call.header_opt("content-md5", md5.map(Digest::base64))
            }
        };
        call.content(content.body())
    }

    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html>
    async fn put_object(&self, content: Bytes) -> Result<(HeaderMap, u64)> {
        let size = content.len() as u64;
        let call = self.making(Method::PUT, "PutObject")?;
        let call = if self.only_if_absent { call.only_if_absent() } else { call };
        let content = Part::whole(content);
        let digests = self.digests(&content, self.sends_crc64()).await?;
        let answer = self.sealed(call, &content, &digests).send().await?;
        objects::tagged(&answer.headers)
            .map_err(|error| error.in_operation(self.driver.descriptor.id, "PutObject"))?;
        Ok((answer.headers, size))
    }

    /// The object that was made.
    fn object(&self, headers: &HeaderMap, size: u64, meta_data: BTreeMap<String, String>) -> Result<Object> {
        let mut extra = objects::extra(headers)?;
        // That of the answer is the answer's own.
        extra.content_type = Some(self.content_type.clone());
        let meta_data = meta_data.into_iter().map(|(key, value)| (key.to_ascii_lowercase(), value));
        Ok(Object::new(&*self.name, size, &self.container)
            .with_hash(extra.etag.as_deref().map(unquoted))
            .with_etag(extra.etag.as_deref())
            .with_content_type(extra.content_type.as_deref())
            .with_meta_data(meta_data.collect())
            .with_extra(Extra::of(extra)))
    }
}

fn storage_class(asked: Option<String>) -> Result<Option<String>> {
    let Some(asked) = asked else {
        return Ok(None);
    };
    let class = asked.to_ascii_uppercase();
    if STORAGE_CLASSES.contains(&class.as_str()) {
        return Ok(Some(class));
    }
    let meant = text::near(&class, &STORAGE_CLASSES).map(|near| format!("; did you mean `{near}`?"));
    Err(Error::invalid_argument(format!(
        "`ex_storage_class`: there is no class `{asked}`{}, only `{}`",
        meant.unwrap_or_default(),
        STORAGE_CLASSES.join("`, `")
    ))
    .with_resource("argument", "ex_storage_class"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_storage_class_is_refused_with_the_right_ones() {
        assert_eq!(storage_class(Some("standard_ia".into())).unwrap().as_deref(), Some("STANDARD_IA"));
        let error = storage_class(Some("glacer".into())).unwrap_err();
        assert!(error.to_string().contains("did you mean `GLACIER`?"), "{error}");
        assert!(error.to_string().contains("`REDUCED_REDUNDANCY`"), "{error}");
    }
}
