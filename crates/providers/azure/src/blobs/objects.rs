//! Containers and blobs as the answers describe them.

use std::collections::BTreeMap;
use std::sync::Arc;

use http::HeaderMap;
use libcloud_common::{Extra, ExtraFields, Result, Timestamp, encode};
use libcloud_storage::rest::headers::{last_modified, need_content_length, text, unquoted};
use libcloud_storage::rest::meta_data;
use libcloud_storage::{Container, Object};
use serde::{Deserialize, Serialize};

use super::wire;

/// The lock on a container or blob.
///
/// <https://learn.microsoft.com/rest/api/storageservices/lease-blob>
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Lease {
    /// `locked` or `unlocked`.
    pub status: Option<String>,
    /// `available`, `leased`, `expired`, `breaking` or `broken`.
    pub state: Option<String>,
    /// `infinite` or `fixed`, of one that is leased.
    pub duration: Option<String>,
}

/// What only Azure tells about a container.
///
/// <https://learn.microsoft.com/rest/api/storageservices/get-container-properties>
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ContainerExtra {
    /// Where it is.
    pub url: Option<String>,
    /// When it, its properties or its metadata were last changed; blobs do not count.
    pub last_modified: Option<Timestamp>,
    /// The entity tag, without quotes.
    pub etag: Option<String>,
    /// The lock on it.
    pub lease: Lease,
    /// What its owner has written on it; the keys are in lower case.
    pub meta_data: BTreeMap<String, String>,
}

impl ExtraFields for ContainerExtra {}

/// What only Azure tells about a blob.
///
/// <https://learn.microsoft.com/rest/api/storageservices/get-blob-properties>
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ObjectExtra {
    /// Where it is. Without a signature that is only of use where the public may read.
    pub url: Option<String>,
    /// The entity tag, without quotes. It is no digest.
    pub etag: Option<String>,
    /// The MD5 of the content in hexadecimal, where whoever sent it told it, or sent it in one request.
    pub md5_hash: Option<String>,
    /// The MIME type.
    pub content_type: Option<String>,
    /// How the content is compressed: `gzip`.
    pub content_encoding: Option<String>,
    /// The language of the content.
    pub content_language: Option<String>,
    /// When it was last changed, its properties and metadata included.
    pub last_modified: Option<Timestamp>,
    /// The lock on it.
    pub lease: Lease,
    /// `BlockBlob`, `PageBlob` or `AppendBlob`.
    pub blob_type: Option<String>,
    /// `Hot`, `Cool`, `Cold`, `Archive`, or one of the premium accounts.
    pub access_tier: Option<String>,
}

impl ExtraFields for ObjectExtra {}

/// What the headers with metadata begin with.
pub(super) const META: &str = "x-ms-meta-";

/// A container of a listing.
pub(super) fn listed_container(found: wire::Container, url: String) -> Container {
    let properties = found.properties;
    let extra = ContainerExtra {
        url: Some(url),
        last_modified: properties.last_modified,
        etag: properties.etag.as_deref().map(unquoted),
        lease: Lease {
            status: properties.lease_status,
            state: properties.lease_state,
            duration: properties.lease_duration,
        },
        meta_data: found.metadata,
    };
    Container::new(found.name).with_extra(Extra::of(extra))
}

/// A container as the headers of an answer describe it.
pub(super) fn container(headers: &HeaderMap, name: &str, url: String) -> Result<Container> {
    let extra = ContainerExtra {
        url: Some(url),
        last_modified: last_modified(headers)?,
        etag: text(headers, "etag").as_deref().map(unquoted),
        lease: lease(headers),
        meta_data: meta_data::read(META, headers),
    };
    Ok(Container::new(name).with_extra(Extra::of(extra)))
}

/// A blob of a listing.
pub(super) fn listed_blob(found: wire::Blob, container: &Arc<Container>, url: String) -> Object {
    let properties = found.properties;
    let extra = ObjectExtra {
        url: Some(url),
        etag: properties.etag.as_deref().map(unquoted),
        md5_hash: properties.content_md5.as_deref().and_then(hexadecimal),
        content_type: properties.content_type,
        content_encoding: properties.content_encoding,
        content_language: properties.content_language,
        last_modified: properties.last_modified,
        lease: Lease {
            status: properties.lease_status,
            state: properties.lease_state,
            duration: properties.lease_duration,
        },
        blob_type: properties.blob_type,
        access_tier: properties.access_tier,
    };
    object(Object::new(found.name, found.content_length, container), found.metadata, extra)
}

/// A blob as the headers of an answer describe it.
pub(super) fn blob(headers: &HeaderMap, container: &str, name: &str, url: String) -> Result<Object> {
    let size = need_content_length(headers)?;
    let container = Arc::new(Container::new(container));
    let extra = blob_extra(headers, url)?;
    Ok(object(Object::new(name, size, &container), meta_data::read(META, headers), extra))
}

/// What the headers tell of a blob beside its size and metadata.
pub(super) fn blob_extra(headers: &HeaderMap, url: String) -> Result<ObjectExtra> {
    Ok(ObjectExtra {
        url: Some(url),
        etag: text(headers, "etag").as_deref().map(unquoted),
        md5_hash: md5(headers),
        content_type: text(headers, "content-type"),
        content_encoding: text(headers, "content-encoding"),
        content_language: text(headers, "content-language"),
        last_modified: last_modified(headers)?,
        lease: lease(headers),
        blob_type: text(headers, "x-ms-blob-type"),
        access_tier: text(headers, "x-ms-access-tier"),
    })
}

/// The object with what is also told in `extra`.
pub(super) fn object(object: Object, meta_data: BTreeMap<String, String>, extra: ObjectExtra) -> Object {
    object
        .with_hash(extra.etag.clone())
        .with_etag(extra.etag.as_deref())
        .with_content_type(extra.content_type.as_deref())
        .with_last_modified(extra.last_modified)
        .with_meta_data(meta_data)
        .with_extra(Extra::of(extra))
}

/// The MD5 of the content of the answer, in hexadecimal.
pub(super) fn md5(headers: &HeaderMap) -> Option<String> {
    hexadecimal(&text(headers, "content-md5")?)
}

/// A digest that is told in Base64; `None` for what cannot be an MD5.
fn hexadecimal(digest: &str) -> Option<String> {
    encode::decode_base64(digest).ok().filter(|bytes| bytes.len() == 16).map(encode::hex)
}

fn lease(headers: &HeaderMap) -> Lease {
    Lease {
        status: text(headers, "x-ms-lease-status"),
        state: text(headers, "x-ms-lease-state"),
        duration: text(headers, "x-ms-lease-duration"),
    }
}
