//! Uploads in parts that were begun and not ended: they cost money, and nobody sees them.

use futures_util::TryStreamExt as _;
use http::Method;
use libcloud_common::xml::{Element, Writer};
use libcloud_common::{BoxStream, Page, Result, Timestamp, extensions, pages};
use libcloud_storage::Container;
use serde::{Deserialize, Serialize};

use super::{S3Driver, wire};

/// An upload in parts that was begun and not ended.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_MultipartUpload.html>
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct MultipartUpload {
    /// The name of the object that it would become.
    pub key: String,
    /// Its id.
    pub id: String,
    /// When it was begun.
    pub created_at: Option<Timestamp>,
    /// Who has begun it.
    pub initiator: Option<String>,
    /// Whose object it would be.
    pub owner: Option<String>,
    /// `STANDARD` …
    pub storage_class: Option<String>,
}

/// Where the next page begins: after this upload.
#[derive(Clone, Debug, PartialEq)]
struct Marker {
    key: String,
    id: String,
}

#[extensions(UPLOADS)]
impl S3Driver {
    /// The uploads in parts that were begun and not ended, as they arrive; only those whose names begin with `prefix`, and
    /// with `delimiter` only those in whose names it does not follow.
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListMultipartUploads.html>
    pub fn ex_iterate_multipart_uploads(
        &self,
        container: &Container,
        prefix: Option<String>,
        delimiter: Option<String>,
    ) -> BoxStream<'static, Result<MultipartUpload>> {
        let (conn, name) = (self.conn.clone(), container.name.clone());
        pages(None, move |marker: Option<Marker>| {
            let call = conn.container(Method::GET, "ListMultipartUploads", &name).map(|call| {
                let (key, id) = marker.map(|marker| (marker.key, marker.id)).unzip();
                call.query("uploads", "")
                    // XML cannot hold every name.
                    .query_opt("encoding-type", conn.dialect().encoded_uploads.then_some("url"))
                    .query_opt("prefix", prefix.as_deref())
                    .query_opt("delimiter", delimiter.as_deref())
                    .query_opt("key-marker", key)
                    .query_opt("upload-id-marker", id)
            });
            async move { call?.read(uploads).await }
        })
    }

    /// Throws an upload in parts away, with all parts that have arrived. One that is not there any more is no error.
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_AbortMultipartUpload.html>
    pub async fn ex_abort_multipart_upload(
        &self,
        container: &Container,
        object_name: &str,
        upload_id: &str,
    ) -> Result<()> {
        let call = self.conn.object(Method::DELETE, "AbortMultipartUpload", &container.name, object_name)?;
        match call.query("uploadId", upload_id).send().await {
            Err(error) if error.code() == Some("NoSuchUpload") => Ok(()),
            answer => answer.map(|_| ()),
        }
    }

    /// Throws all uploads in parts away that were begun and not ended, also those that somebody is busy with just now; only
    /// those whose names begin with `prefix`.
    pub async fn ex_cleanup_all_multipart_uploads(
        &self,
        container: &Container,
        prefix: Option<String>,
    ) -> Result<()> {
        self.ex_iterate_multipart_uploads(container, prefix, None)
            .try_for_each(|upload| async move {
                self.ex_abort_multipart_upload(container, &upload.key, &upload.id).await
            })
            .await
    }
}

/// The list of which parts an object is to be, by their numbers, entity tags and, where they were told, checksums in base64.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompletedMultipartUpload.html>
pub(super) fn list_of_parts<'a>(
    parts: impl IntoIterator<Item = (u32, &'a str, Option<String>)>,
) -> Result<String> {
    let mut xml = Writer::document();
    xml.element_with("CompleteMultipartUpload", &[("xmlns", super::NAMESPACE)], |xml| {
        for (number, etag, crc64) in parts {
            xml.element("Part", |xml| {
                xml.leaf("PartNumber", &number.to_string());
                xml.leaf("ETag", etag);
                if let Some(crc64) = crc64 {
                    xml.leaf("ChecksumCRC64NVME", &crc64);
                }
            });
        }
    });
    xml.finish()
}

fn uploads(root: Element<'_, '_>) -> Result<Page<MultipartUpload, Option<Marker>>> {
    let encoded = wire::is_encoded(root);
    let items = root
        .children("Upload")
        .map(|item| {
            Ok(MultipartUpload {
                key: wire::key(item, "Key", encoded)?,
                id: item.need_text("UploadId")?,
                created_at: item.parse("Initiated")?,
                initiator: item.opt_text("Initiator/DisplayName").or_else(|| item.opt_text("Initiator/ID")),
                owner: item.opt_text("Owner/DisplayName").or_else(|| item.opt_text("Owner/ID")),
                storage_class: item.opt_text("StorageClass"),
            })
        })
        .collect::<Result<_>>()?;
    let next = match root.bool("IsTruncated")? {
        Some(true) => Some(Some(Marker {
            key: wire::key(root, "NextKeyMarker", encoded)?,
            id: root.need_text("NextUploadIdMarker")?,
        })),
        _ => None,
    };
    Ok(Page::new(items, next))
}
