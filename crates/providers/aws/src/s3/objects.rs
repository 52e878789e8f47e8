//! Objects as the answers describe them.

use std::sync::Arc;

use http::{HeaderMap, header};
use libcloud_common::{Error, Extra, ExtraFields, Result, Secret, Timestamp, arguments, encode};
use libcloud_storage::rest::headers::{last_modified, need_content_length, text, unquoted};
use libcloud_storage::rest::{StorageCall, meta_data};
use libcloud_storage::{Container, HashType, Object};
use serde::{Deserialize, Serialize};

use super::encryption::CustomerKey;
use super::{META, wire};

/// What only S3 tells about an object that was asked for by its name. Listings tell none of this.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html>
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ObjectExtra {
    /// The MIME type.
    pub content_type: Option<String>,
    /// The entity tag as it is told, with quotes.
    pub etag: Option<String>,
    /// When the content was last changed.
    pub last_modified: Option<Timestamp>,
    /// `GLACIER` …; nothing for `STANDARD`.
    pub storage_class: Option<String>,
    /// The version, in a container that keeps them.
    pub version_id: Option<String>,
    /// `AES256`, `aws:kms` …
    pub server_side_encryption: Option<String>,
    /// The key of the key service that it is encrypted with.
    pub kms_key_id: Option<String>,
    /// How long it may be kept on the way to its readers.
    pub cache_control: Option<String>,
    /// Under which name browsers save it.
    pub content_disposition: Option<String>,
    /// `gzip` …, if it is kept compressed.
    pub content_encoding: Option<String>,
    /// The language of the content.
    pub content_language: Option<String>,
    /// Until when it may be kept on the way to its readers, as its owner wrote it.
    pub expires: Option<String>,
}

impl ExtraFields for ObjectExtra {}

/// Extension arguments of `get_object` and of downloads.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html>
#[arguments(drivers = ["s3", "digitalocean_spaces", "minio"])]
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct S3GetObject {
    /// The version, where the container keeps several.
    pub ex_version_id: Option<String>,
    /// Only if this is not the entity tag any more: else `InvalidState`.
    pub ex_if_none_match: Option<String>,
    /// The key with which it was encrypted, 256 bits in base64.
    #[serde(serialize_with = "libcloud_common::serialize_exposed")]
    pub ex_customer_key: Option<Secret>,
}

impl S3GetObject {
    /// A call that reads the object.
    pub(super) fn apply(&self, call: StorageCall) -> Result<StorageCall> {
        let unless = self.ex_if_none_match.as_deref().map(|etag| format!("\"{}\"", etag.trim_matches('"')));
        let call =
            call.query_opt("versionId", self.ex_version_id.as_deref()).header_opt("if-none-match", unless);
        Ok(match &self.ex_customer_key {
            Some(key) => CustomerKey::new("ex_customer_key", key)?.of_object(call),
            None => call,
        })
    }
}

/// An object of a listing.
pub(super) fn listed(found: wire::Object, container: &Arc<Container>) -> Object {
    let etag = found.e_tag;
    Object::new(found.key, found.size, container)
        .with_hash(etag.as_deref().map(unquoted))
        .with_etag(etag)
        .with_last_modified(found.last_modified)
}

/// An object that was asked for by its name.
pub(super) fn described(headers: &HeaderMap, container_name: &str, object_name: &str) -> Result<Object> {
    tagged(headers)?;
    let size = need_content_length(headers)?;
    let container = Arc::new(Container::new(container_name));
    let extra = extra(headers)?;
    Ok(Object::new(object_name, size, &container)
        .with_hash(extra.etag.as_deref().map(unquoted))
        .with_etag(extra.etag.as_deref())
        .with_content_type(extra.content_type.as_deref())
        .with_last_modified(extra.last_modified)
        .with_meta_data(meta_data::read(META, headers))
        .with_extra(Extra::of(extra)))
}

/// Every object has an entity tag: without one, whoever answered is not S3, and has neither the object nor kept it.
pub(super) fn tagged(headers: &HeaderMap) -> Result<()> {
    if headers.contains_key(header::ETAG) {
        return Ok(());
    }
    Err(Error::malformed("etag", "it is missing, so that this is no answer of S3"))
}

pub(super) fn extra(headers: &HeaderMap) -> Result<ObjectExtra> {
    Ok(ObjectExtra {
        content_type: text(headers, header::CONTENT_TYPE.as_str()),
        etag: text(headers, header::ETAG.as_str()),
        last_modified: last_modified(headers)?,
        storage_class: text(headers, "x-amz-storage-class"),
        version_id: text(headers, "x-amz-version-id"),
        server_side_encryption: text(headers, "x-amz-server-side-encryption"),
        kms_key_id: text(headers, "x-amz-server-side-encryption-aws-kms-key-id"),
        cache_control: text(headers, header::CACHE_CONTROL.as_str()),
        content_disposition: text(headers, header::CONTENT_DISPOSITION.as_str()),
        content_encoding: text(headers, header::CONTENT_ENCODING.as_str()),
        content_language: text(headers, header::CONTENT_LANGUAGE.as_str()),
        expires: text(headers, header::EXPIRES.as_str()),
    })
}

/// The checksums by their headers, the fastest first, and how many bytes they have.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html>
const CHECKSUMS: [(&str, HashType, usize); 3] = [
    ("x-amz-checksum-crc64nvme", HashType::Crc64Nvme, 8),
    ("x-amz-checksum-crc32c", HashType::Crc32c, 4),
    ("x-amz-checksum-sha256", HashType::Sha256, 32),
];

/// The digest that an answer promises of the whole content, in hexadecimal. One that is made of those of parts promises
/// nothing of the whole.
pub(super) fn promised(headers: &HeaderMap) -> Option<(HashType, String)> {
    let of_parts = text(headers, "x-amz-checksum-type").is_some_and(|kind| kind != "FULL_OBJECT");
    let told = CHECKSUMS.iter().filter(|_| !of_parts).find_map(|(name, hash_type, length)| {
        // That of an older object says of parts by itself, behind a hyphen.
        let bytes = encode::decode_base64(&text(headers, name)?).ok()?;
        (bytes.len() == *length).then(|| (*hash_type, encode::hex(bytes)))
    });
    told.or_else(|| md5(headers).map(|md5| (HashType::Md5, md5)))
}

/// The MD5 of the content. The entity tag is none of an object that was sent in parts, or that is encrypted with a key
/// of the customer or of the key service.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html>
pub(super) fn md5(headers: &HeaderMap) -> Option<String> {
    let encryption = text(headers, "x-amz-server-side-encryption");
    if encryption.is_some_and(|encryption| encryption.starts_with("aws:kms"))
        || headers.contains_key("x-amz-server-side-encryption-customer-algorithm")
    {
        return None;
    }
    let etag = unquoted(&text(headers, header::ETAG.as_str())?);
    (etag.len() == 32 && etag.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(etag)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MD5: (&str, &str) = ("etag", "\"900150983CD24FB0D6963F7D28E17F72\"");

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn an_entity_tag_is_not_always_a_digest() {
        assert_eq!(md5(&headers(&[MD5])).unwrap(), "900150983CD24FB0D6963F7D28E17F72");
        let aes = ("x-amz-server-side-encryption", "AES256");
        assert!(md5(&headers(&[MD5, aes])).is_some());
        for other in [
            &[("etag", "\"900150983cd24fb0d6963f7d28e17f72-2\"")][..],
            &[("etag", "\"900150983cd24fb0d6963f7d28e17f7x\"")],
            &[("etag", "")],
            &[],
            &[MD5, ("x-amz-server-side-encryption", "aws:kms")],
            &[MD5, ("x-amz-server-side-encryption", "aws:kms:dsse")],
            &[MD5, ("x-amz-server-side-encryption-customer-algorithm", "AES256")],
        ] {
            assert_eq!(md5(&headers(other)), None, "{other:?}");
        }
    }

    #[test]
    fn what_is_promised_is_of_the_whole() {
        // The check values of the algorithms, of "123456789" each.
        let crc64 = ("x-amz-checksum-crc64nvme", "rosUhgp5mIg=");
        let crc32c = ("x-amz-checksum-crc32c", "4waSgw==");
        let sha256 = ("x-amz-checksum-sha256", "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=");
        let whole = ("x-amz-checksum-type", "FULL_OBJECT");
        let of_parts = ("x-amz-checksum-type", "COMPOSITE");
        let sha1 = ("x-amz-checksum-sha1", "98PDrb6pvvoMRp2vFgo4VNZwLcY=");
        for (pairs, hash_type, digest) in [
            (&[MD5, sha256, crc32c, crc64, whole][..], HashType::Crc64Nvme, "ae8b14860a799888"),
            (&[MD5, sha256, crc32c, whole], HashType::Crc32c, "e3069283"),
            (&[sha256], HashType::Sha256, "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225"),
            (&[MD5, sha1, whole], HashType::Md5, "900150983CD24FB0D6963F7D28E17F72"),
            (&[MD5, crc32c, of_parts], HashType::Md5, "900150983CD24FB0D6963F7D28E17F72"),
            (
                &[MD5, ("x-amz-checksum-crc32c", "4waSgw==-2")],
                HashType::Md5,
                "900150983CD24FB0D6963F7D28E17F72",
            ),
            (
                &[MD5, ("x-amz-checksum-crc64nvme", "4waSgw==")],
                HashType::Md5,
                "900150983CD24FB0D6963F7D28E17F72",
            ),
        ] {
            assert_eq!(promised(&headers(pairs)), Some((hash_type, digest.to_owned())), "{pairs:?}");
        }
        let tag = ("etag", "\"900150983cd24fb0d6963f7d28e17f72-2\"");
        assert_eq!(promised(&headers(&[tag, crc32c, of_parts])), None);
    }

    #[test]
    fn what_is_not_as_documented_is_named() {
        for (pairs, text) in [
            (&[("content-length", "1")][..], "`etag`: it is missing"),
            (&[MD5], "`content-length`: it is missing"),
            (&[MD5, ("content-length", "many")], "`content-length`: invalid digit"),
            (&[MD5, ("content-length", "1"), ("last-modified", "yesterday")], "`last-modified`"),
        ] {
            let error = described(&headers(pairs), "photos", "cat.jpg").unwrap_err();
            assert!(error.to_string().contains(text), "{error}");
        }
    }
}
