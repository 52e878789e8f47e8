//! Objects as the answers describe them.

use std::sync::Arc;

use http::{HeaderMap, header};
use libcloud_common::{Error, Extra, ExtraFields, Result, Timestamp};
use libcloud_storage::rest::headers::{last_modified, need_content_length, text, unquoted};
use libcloud_storage::rest::meta_data;
use libcloud_storage::{Container, Object};
use serde::{Deserialize, Serialize};

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
}

impl ExtraFields for ObjectExtra {}

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
        .with_extra(Extra::of(&extra)?))
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
    })
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
