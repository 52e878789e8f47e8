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

/// The answer of `ListObjectsV2`: one page, the token of the next.
pub(crate) fn objects(root: Element<'_, '_>) -> Result<Page<Object, Option<String>>> {
    // A server that does not know the parameter sends the names as they are.
    let encoded = root.opt_text("EncodingType").as_deref() == Some("url");
    let items = root.children("Contents").map(|item| object(item, encoded)).collect::<Result<_>>()?;
    let next = match root.bool("IsTruncated")? {
        Some(true) => Some(Some(root.need_text("NextContinuationToken")?)),
        _ => None,
    };
    Ok(Page::new(items, next))
}

fn object(item: Element<'_, '_>, encoded: bool) -> Result<Object> {
    // Not without the white space around it: a name may begin with a space.
    let key = item.need("Key")?.raw_text();
    let key = if encoded { encode::decode_form(&key) } else { Ok(Cow::into_owned(key)) }?;
    if key.is_empty() {
        return Err(Error::malformed(&format!("{}/Key", item.place()), "it is empty"));
    }
    Ok(Object {
        key,
        size: item.need_parse("Size")?,
        e_tag: item.opt_text("ETag"),
        last_modified: item.parse("LastModified")?,
    })
}
