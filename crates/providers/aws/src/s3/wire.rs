//! What S3 sends, under its own names.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_Types_Amazon_Simple_Storage_Service.html>

use std::borrow::Cow;

use libcloud_common::xml::Element;
use libcloud_common::{Error, Page, Result, Timestamp, encode};

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_Bucket.html>
#[derive(Debug)]
pub(crate) struct Bucket {
    pub(crate) name: String,
    pub(crate) creation_date: Option<Timestamp>,
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html>
#[derive(Debug)]
pub(crate) struct Object {
    pub(crate) key: String,
    pub(crate) size: u64,
    pub(crate) e_tag: Option<String>,
    pub(crate) last_modified: Option<Timestamp>,
}

/// The answer of `ListBuckets`: one page, the token of the next.
pub(crate) fn buckets(root: Element<'_, '_>) -> Result<Page<Bucket, Option<String>>> {
    let items = root
        .items("Buckets", "Bucket")
        .map(|item| Ok(Bucket { name: item.need_text("Name")?, creation_date: item.parse("CreationDate")? }))
        .collect::<Result<_>>()?;
    Ok(Page::new(items, root.opt_text("ContinuationToken").map(Some)))
}

/// One item of a listing: an object, or what the names of several begin with.
#[derive(Debug)]
pub(crate) enum Item {
    Object(Object),
    Prefix(String),
}

/// The answer of `ListObjectsV2`: one page, the token of the next.
pub(crate) fn list_v2(root: Element<'_, '_>) -> Result<Page<Item, Option<String>>> {
    let items = items(root)?;
    let next = match root.bool("IsTruncated")? {
        Some(true) => Some(Some(root.need_text("NextContinuationToken")?)),
        _ => None,
    };
    Ok(Page::new(items, next))
}

/// The answer of `ListObjects`: one page, the last name on it.
pub(crate) fn list_v1(root: Element<'_, '_>) -> Result<Page<Item, Option<String>>> {
    let items = items(root)?;
    let next = match root.bool("IsTruncated")? {
        // Only where names are put together does the answer say where the next page begins.
        Some(true) if root.child("NextMarker").is_some() => {
            Some(Some(key(root, "NextMarker", is_encoded(root))?))
        }
        Some(true) => {
            let last = items.iter().map(Item::name).max();
            let last = last.ok_or_else(|| root.malformed("it has no end and no object"))?;
            Some(Some(last.to_owned()))
        }
        _ => None,
    };
    Ok(Page::new(items, next))
}

impl Item {
    fn name(&self) -> &str {
        match self {
            Self::Object(object) => &object.key,
            Self::Prefix(prefix) => prefix,
        }
    }
}

fn items(root: Element<'_, '_>) -> Result<Vec<Item>> {
    let encoded = is_encoded(root);
    let prefixes =
        root.children("CommonPrefixes").map(|item| Ok(Item::Prefix(key(item, "Prefix", encoded)?)));
    let objects = root.children("Contents").map(|item| Ok(Item::Object(object(item, encoded)?)));
    prefixes.chain(objects).collect()
}

/// Whether names are encoded. A server that does not know the parameter sends them as they are.
pub(crate) fn is_encoded(root: Element<'_, '_>) -> bool {
    root.opt_text("EncodingType").as_deref() == Some("url")
}

/// A name.
pub(crate) fn key(item: Element<'_, '_>, field: &str, encoded: bool) -> Result<String> {
    // Not without the white space around it: a name may begin with a space.
    let key = item.need(field)?.raw_text();
    let key = if encoded { encode::decode_form(&key) } else { Ok(Cow::into_owned(key)) }?;
    if key.is_empty() {
        return Err(Error::malformed(&format!("{}/{field}", item.place()), "it is empty"));
    }
    Ok(key)
}

fn object(item: Element<'_, '_>, encoded: bool) -> Result<Object> {
    Ok(Object {
        key: key(item, "Key", encoded)?,
        size: item.need_parse("Size")?,
        e_tag: item.opt_text("ETag"),
        last_modified: item.parse("LastModified")?,
    })
}
