//! What the Blob service sends, under its own names.

use std::collections::BTreeMap;

use libcloud_common::xml::Element;
use libcloud_common::{Error, Page, Result, Timestamp, encode};
use libcloud_storage::rest::meta_data;

/// <https://learn.microsoft.com/rest/api/storageservices/list-containers2>
#[derive(Debug)]
pub(super) struct Container {
    pub(super) name: String,
    pub(super) properties: Properties,
    pub(super) metadata: BTreeMap<String, String>,
}

/// <https://learn.microsoft.com/rest/api/storageservices/list-blobs>
#[derive(Debug)]
pub(super) struct Blob {
    pub(super) name: String,
    pub(super) content_length: u64,
    pub(super) properties: Properties,
    pub(super) metadata: BTreeMap<String, String>,
}

/// What is told of containers and blobs alike; the content's are those of blobs alone.
#[derive(Debug)]
pub(super) struct Properties {
    pub(super) last_modified: Option<Timestamp>,
    pub(super) etag: Option<String>,
    pub(super) lease_status: Option<String>,
    pub(super) lease_state: Option<String>,
    pub(super) lease_duration: Option<String>,
    pub(super) content_type: Option<String>,
    pub(super) content_encoding: Option<String>,
    pub(super) content_language: Option<String>,
    pub(super) content_md5: Option<String>,
    pub(super) blob_type: Option<String>,
    pub(super) access_tier: Option<String>,
}

/// The answer of `ListContainers`: one page, the marker of the next.
pub(super) fn containers(root: Element<'_, '_>) -> Result<Page<Container, Option<String>>> {
    let items = root.items("Containers", "Container").map(|item| {
        Ok(Container {
            name: item.need_text("Name")?,
            properties: properties(item)?,
            metadata: metadata(item),
        })
    });
    page(root, items.collect::<Result<_>>()?)
}

/// The answer of `ListBlobs`: one page, the marker of the next.
pub(super) fn blobs(root: Element<'_, '_>) -> Result<Page<Blob, Option<String>>> {
    let items = root.items("Blobs", "Blob").map(|item| {
        Ok(Blob {
            name: blob_name(item)?,
            content_length: item.need_parse("Properties/Content-Length")?,
            properties: properties(item)?,
            metadata: metadata(item),
        })
    });
    page(root, items.collect::<Result<_>>()?)
}

#[expect(clippy::unnecessary_wraps, reason = "it is the end of functions that read")]
fn page<T>(root: Element<'_, '_>, items: Vec<T>) -> Result<Page<T, Option<String>>> {
    Ok(Page::new(items, root.opt_text("NextMarker").map(Some)))
}

/// Not without the white space around it, since a name may begin with a space; what XML cannot hold is encoded.
fn blob_name(item: Element<'_, '_>) -> Result<String> {
    let element = item.need("Name")?;
    let name = element.raw_text();
    let name = if element.attribute("Encoded") == Some("true") {
        // A plus is one: this is no form.
        encode::decode_form(&name.replace('+', "%2B"))?
    } else {
        name.into_owned()
    };
    if name.is_empty() {
        return Err(Error::malformed(&element.place(), "it is empty"));
    }
    Ok(name)
}

fn properties(item: Element<'_, '_>) -> Result<Properties> {
    let text = |name: &str| item.opt_text(&format!("Properties/{name}"));
    Ok(Properties {
        last_modified: item.parse("Properties/Last-Modified")?,
        etag: text("Etag"),
        lease_status: text("LeaseStatus"),
        lease_state: text("LeaseState"),
        lease_duration: text("LeaseDuration"),
        content_type: text("Content-Type"),
        content_encoding: text("Content-Encoding"),
        content_language: text("Content-Language"),
        content_md5: text("Content-MD5"),
        blob_type: text("BlobType"),
        access_tier: text("AccessTier"),
    })
}

/// With the keys in lower case, as headers tell them.
fn metadata(item: Element<'_, '_>) -> BTreeMap<String, String> {
    let entries = item.child("Metadata").into_iter().flat_map(Element::elements);
    entries.map(|entry| (entry.name().to_ascii_lowercase(), meta_data::decoded(&entry.text()))).collect()
}
