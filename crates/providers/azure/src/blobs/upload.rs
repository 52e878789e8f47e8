//! Content on its way to Azure.
//!
//! What has no more than a block is sent in one request. More is sent in blocks, which become the blob's content all at
//! once, when their list is sent; until then there is nothing, or the blob that was there before. Azure forgets blocks
//! that are in no list after a week. Each request carries the MD5 of what it has, which Azure compares; that of the
//! whole content is kept with the blob, so that downloads are compared with it.

use std::collections::BTreeMap;
use std::mem::take;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use http::{HeaderMap, Method};
use libcloud_common::xml::Writer;
use libcloud_common::{
    ByteStream, Deadline, Error, ErrorKind, Result, arguments, digest, encode, random_bytes,
};
use libcloud_storage::rest::{StorageCall, headers, meta_data};
use libcloud_storage::{Container, HashType, Object, PassingHash, UploadBody, UploadObject};

use super::{AzureBlobsDriver, DESCRIPTOR, objects};

mod lease;
mod pages;

const MIB: u64 = 1 << 20;

/// What is sent in one request, and how large a block is.
const BLOCK: u64 = 4 * MIB;

/// The most blocks that a blob may have.
const MOST_BLOCKS: u64 = 50_000;

/// How many blocks are on their way at the same time.
const AT_ONCE: usize = 4;

/// The headers that are set by other arguments, or by signing.
const OWN_HEADERS: [&str; 17] = [
    "authorization",
    "connection",
    "content-length",
    "content-md5",
    "content-type",
    "host",
    "if-none-match",
    "range",
    "transfer-encoding",
    "x-ms-blob-content-md5",
    "x-ms-blob-content-length",
    "x-ms-blob-content-type",
    "x-ms-blob-type",
    "x-ms-date",
    "x-ms-lease-id",
    "x-ms-range",
    "x-ms-version",
];

/// Extension arguments of `upload_object` and `upload_object_via_stream`.
///
/// ```
/// use libcloud_azure::blobs::AzureUploadObject;
/// use libcloud_storage::UploadObject;
///
/// let mut arguments = AzureUploadObject::default();
/// arguments.ex_blob_type = Some("PageBlob".into());
/// let options = UploadObject::new().ex(&arguments);
/// ```
#[arguments(drivers = ["azure_blobs"])]
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct AzureUploadObject {
    /// What it is to be: `BlockBlob`, which it is without, or `PageBlob`, of which any part can be written again. The
    /// size of a page blob is a multiple of 512 bytes.
    pub ex_blob_type: Option<String>,
    /// How large a page blob is to be, in bytes; as large as its content without. The rest is zeros.
    pub ex_page_blob_size: Option<u64>,
    /// Whether to lock the blob that is replaced, so that nobody else changes it meanwhile.
    pub ex_use_lease: Option<bool>,
}

/// What becomes of a content.
#[derive(Clone, Copy)]
enum Kind {
    Block,
    Page { size: Option<u64> },
}

/// An upload: where to, and what is true of each of its requests.
#[derive(Clone)]
struct Upload {
    driver: AzureBlobsDriver,
    container: Arc<Container>,
    name: String,
    content_type: String,
    /// Further headers and metadata, of the request that makes the blob.
    headers: BTreeMap<String, String>,
    only_if_absent: bool,
    verify: bool,
    /// The lock that is held.
    lease: Option<String>,
    deadline: Deadline,
}

impl AzureBlobsDriver {
    pub(super) async fn upload(
        &self,
        body: UploadBody,
        container: &Container,
        object_name: &str,
        mut options: UploadObject,
    ) -> Result<Object> {
        let arguments: AzureUploadObject = take(&mut options.ex).decode("upload_object_via_stream")?;
        let kind = kind(&arguments)?;
        if options.acl.is_some() {
            return Err(Error::invalid_argument(
                "`acl`: a blob has none; who may read is set on the container, or given by a signed URL",
            )
            .with_resource("argument", "acl"));
        }
        let mut headers = options.further_headers(&OWN_HEADERS)?.clone();
        headers.extend(meta_data::headers(objects::META, &options.meta_data)?);
        let mut upload = Upload {
            driver: self.clone(),
            container: Arc::new(container.clone()),
            name: object_name.to_owned(),
            content_type: options.content_type_for(object_name),
            headers,
            only_if_absent: options.only_if_absent,
            verify: options.verify_hash,
            lease: None,
            deadline: Deadline::new(self.conn.http().clock().clone(), options.timeout),
        };
        if arguments.ex_use_lease == Some(true) {
            upload.lock().await?;
        }
        let sent = match kind {
            Kind::Block => upload.put_block_blob(body).await,
            Kind::Page { size } => upload.put_page_blob(body, size).await,
        };
        let unlocked = upload.unlock().await;
        let (headers, size) = sent.map_err(|error| error.in_operation(DESCRIPTOR.id, "PutBlob"))?;
        unlocked?;

        let mut extra = objects::blob_extra(&headers, self.conn.url(&container.name, Some(object_name)))?;
        extra.content_type = Some(upload.content_type.clone());
        extra.blob_type = Some(kind.name().to_owned());
        let meta_data = options.meta_data.into_iter().map(|(key, value)| (key.to_ascii_lowercase(), value));
        Ok(objects::object(Object::new(object_name, size, &upload.container), meta_data.collect(), extra))
    }
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Block => "BlockBlob",
            Self::Page { .. } => "PageBlob",
        }
    }
}

fn kind(arguments: &AzureUploadObject) -> Result<Kind> {
    let wrong = |name: &'static str, problem: String| {
        Err(Error::invalid_argument(problem).with_resource("argument", name))
    };
    match (arguments.ex_blob_type.as_deref(), arguments.ex_page_blob_size) {
        (None | Some("BlockBlob"), None) => Ok(Kind::Block),
        (Some("PageBlob"), size) => Ok(Kind::Page { size }),
        (None | Some("BlockBlob"), Some(_)) => {
            wrong("ex_page_blob_size", "`ex_page_blob_size` goes with `ex_blob_type` `PageBlob`".to_owned())
        }
        (Some(other), _) => {
            wrong("ex_blob_type", format!("`ex_blob_type` is `BlockBlob` or `PageBlob`, not `{other}`"))
        }
    }
}

impl Upload {
    fn call(&self, operation: &'static str) -> Result<StorageCall> {
        let call = self.driver.conn.blob(Method::PUT, operation, &self.container.name, &self.name)?;
        Ok(call.header_opt("x-ms-lease-id", self.lease.as_deref()).timeout(self.deadline.left()))
    }

    /// The call that makes the blob.
    fn making(&self, operation: &'static str) -> Result<StorageCall> {
        let call = self.call(operation)?.headers(&self.headers);
        Ok(if self.only_if_absent { call.only_if_absent() } else { call })
    }

    async fn put_block_blob(&self, body: UploadBody) -> Result<(HeaderMap, u64)> {
        // Names are refused before anything is read.
        drop(self.call("PutBlob")?);
        let length = body.length();
        let (body, digest) = self.hashing(body);
        let mut parts = body.into_parts(block_size(length)?);
        // What is at its end here fits in one request.
        let first = self.next(&mut parts).await?.unwrap_or_default();
        let second = match length {
            Some(length) if length > first.len() as u64 => None,
            _ => match self.next(&mut parts).await? {
                None => return self.put_blob(first).await,
                second => second,
            },
        };
        let beginning = [Some(first), second].into_iter().flatten().map(Ok);
        self.put_blocks(stream::iter(beginning).chain(parts).boxed(), digest).await
    }

    fn hashing(&self, body: UploadBody) -> (UploadBody, Option<PassingHash>) {
        if !self.verify {
            return (body, None);
        }
        let (body, digest) = body.hashing(HashType::Md5);
        (body, Some(digest))
    }

    async fn next(&self, parts: &mut ByteStream) -> Result<Option<Bytes>> {
        self.deadline.wait(parts.try_next()).await
    }

    /// The MD5 for a request with this content.
    fn md5(&self, content: &Bytes) -> Option<String> {
        self.verify.then(|| digest::md5_base64(content))
    }

    /// <https://learn.microsoft.com/rest/api/storageservices/put-blob>
    async fn put_blob(&self, content: Bytes) -> Result<(HeaderMap, u64)> {
        let (size, md5) = (content.len() as u64, self.md5(&content));
        let answer = self
            .making("PutBlob")?
            .header("x-ms-blob-type", Kind::Block.name())
            .header_opt("content-md5", md5.as_deref())
            .body(&self.content_type, content)
            .send()
            .await?;
        self.verify(&answer.headers, md5.as_deref())?;
        Ok((answer.headers, size))
    }

    /// Compares with what Azure tells of what it got.
    fn verify(&self, headers: &HeaderMap, sent: Option<&str>) -> Result<()> {
        match (sent, headers::text(headers, "content-md5")) {
            (Some(sent), Some(told)) if sent != told => Err(Error::new(
                ErrorKind::HashMismatch,
                format!("object `{}`: Azure tells the MD5 {told}, {sent} was sent", self.name),
            )
            .with_resource("object", &self.name)),
            _ => Ok(()),
        }
    }

    /// <https://learn.microsoft.com/rest/api/storageservices/put-block>
    async fn put_block(self, id: String, content: Bytes) -> Result<(String, u64)> {
        self.renew().await?;
        let (size, md5) = (content.len() as u64, self.md5(&content));
        let answer = self
            .call("PutBlock")?
            .query("comp", "block")
            .query("blockid", &id)
            .header_opt("content-md5", md5.as_deref())
            .body("application/octet-stream", content)
            .send()
            .await?;
        self.verify(&answer.headers, md5.as_deref())?;
        Ok((id, size))
    }

    async fn put_blocks(&self, parts: ByteStream, digest: Option<PassingHash>) -> Result<(HeaderMap, u64)> {
        // Another upload to the same name must not put its blocks among these.
        let ours = encode::hex(random_bytes::<8>()?);
        let blocks = parts.enumerate().map(|(number, part)| {
            let (upload, id) = (self.clone(), encode::base64(format!("{ours}-{number:05}")));
            async move {
                if number as u64 >= MOST_BLOCKS {
                    return Err(too_large());
                }
                upload.put_block(id, part?).await
            }
        });
        let blocks: Vec<(String, u64)> = self.deadline.wait(blocks.buffered(AT_ONCE).try_collect()).await?;
        let size = blocks.iter().map(|(_, size)| size).sum();
        self.put_block_list(blocks.iter().map(|(id, _)| id.as_str()), digest)
            .await
            .map(|headers| (headers, size))
    }

    /// `Latest` finds the blocks when it is sent again, too, when they are no longer uncommitted.
    ///
    /// <https://learn.microsoft.com/rest/api/storageservices/put-block-list>
    async fn put_block_list<'a>(
        &self,
        ids: impl Iterator<Item = &'a str>,
        digest: Option<PassingHash>,
    ) -> Result<HeaderMap> {
        self.renew().await?;
        let mut xml = Writer::document();
        xml.element("BlockList", |xml| ids.for_each(|id| xml.leaf("Latest", id)));
        let answer = self
            .making("PutBlockList")?
            .query("comp", "blocklist")
            .header("x-ms-blob-content-type", &self.content_type)
            .header_opt("x-ms-blob-content-md5", digest.map(|digest| digest.base64()))
            .body("application/xml", xml.finish()?)
            .send()
            .await?;
        let mut headers = answer.headers;
        // That of the list.
        headers.remove("content-md5");
        Ok(headers)
    }
}

/// How large the blocks of a content of this length are.
fn block_size(length: Option<u64>) -> Result<usize> {
    let size = match length {
        Some(length) => length.div_ceil(MOST_BLOCKS).next_multiple_of(MIB).max(BLOCK),
        None => BLOCK,
    };
    usize::try_from(size).map_err(|_| too_large())
}

fn too_large() -> Error {
    Error::invalid_argument(format!(
        "the content has more than {MOST_BLOCKS} blocks of {} MiB: tell its length, so that they can be larger",
        BLOCK / MIB
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_as_large_as_they_must_be() {
        let size = |length| block_size(length).unwrap() as u64 / MIB;
        assert_eq!(size(None), 4);
        assert_eq!(size(Some(0)), 4);
        assert_eq!(size(Some(BLOCK * MOST_BLOCKS)), 4);
        assert_eq!(size(Some(BLOCK * MOST_BLOCKS + 1)), 5);
        assert_eq!(size(Some(4000 * MIB * MOST_BLOCKS)), 4000);
    }
}
