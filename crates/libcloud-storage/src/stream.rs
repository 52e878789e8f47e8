//! The content of objects as it arrives, and who hears how far it is.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt as _, TryStreamExt as _};
use http::HeaderMap;
use libcloud_common::{ByteStream, Error, Result, Stream};

use crate::hash::HashType;

/// Hears how far a transfer is: the bytes so far, and all of them where that is known.
///
/// ```
/// use libcloud_storage::{DownloadObject, TransferProgress};
///
/// let options = DownloadObject::new().progress(TransferProgress::new(|done, total| {
///     eprintln!("{done} of {total:?}");
/// }));
/// ```
#[derive(Clone)]
pub struct TransferProgress(Arc<dyn Fn(u64, Option<u64>) + Send + Sync>);

impl TransferProgress {
    /// Calls this with each piece. It is called between two pieces, so it should not take long.
    pub fn new(hear: impl Fn(u64, Option<u64>) + Send + Sync + 'static) -> Self {
        Self(Arc::new(hear))
    }

    /// Says how far it is.
    pub fn advanced(&self, done: u64, total: Option<u64>) {
        (self.0)(done, total);
    }
}

impl fmt::Debug for TransferProgress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TransferProgress")
    }
}

/// The content of an object as it arrives. A [`Stream`] of its bytes.
#[non_exhaustive]
pub struct ObjectStream {
    /// The bytes.
    pub stream: ByteStream,
    /// How many bytes the stream has, where that is known: of a range, those of the range.
    pub size: Option<u64>,
    /// The digest, in hexadecimal, of exactly the bytes of this stream, where the provider promises one: not an entity
    /// tag that may be something else, and not that of the whole object when this is a range of it.
    pub hash: Option<(HashType, String)>,
    /// The entity tag of this version of the content, without quotes, where the provider tells one: with it, a range of
    /// the same version can be asked for ([`StreamObject::if_match`](crate::StreamObject::if_match)).
    pub etag: Option<String>,
    /// The headers of the answer, where the provider speaks HTTP.
    pub headers: HeaderMap,
}

impl ObjectStream {
    /// A stream of which nothing else is known.
    pub fn new(stream: impl Stream<Item = Result<Bytes>> + Send + 'static) -> Self {
        Self { stream: stream.boxed(), size: None, hash: None, etag: None, headers: HeaderMap::new() }
    }

    /// The same with this number of bytes.
    pub fn with_size(mut self, size: impl Into<Option<u64>>) -> Self {
        self.size = size.into();
        self
    }

    /// The same with the digest that the provider promises.
    pub fn with_hash(mut self, hash_type: HashType, hash: impl Into<String>) -> Self {
        self.hash = Some((hash_type, hash.into()));
        self
    }

    /// The same with this entity tag; quotes around it are dropped.
    pub fn with_etag(mut self, etag: Option<impl AsRef<str>>) -> Self {
        self.etag = etag.map(|etag| etag.as_ref().trim_matches('"').to_owned());
        self
    }

    /// The same with the headers of the answer.
    pub fn with_headers(mut self, headers: HeaderMap) -> Self {
        self.headers = headers;
        self
    }

    /// All bytes, in memory.
    ///
    /// # Errors
    /// `InvalidArgument` if there are more than `limit`; otherwise what the stream answers.
    pub async fn read_all(mut self, limit: usize) -> Result<Bytes> {
        let too_large = || {
            Error::invalid_argument(format!(
                "the content has more than {limit} bytes: download it into a file or read it piece by piece"
            ))
        };
        if self.size.is_some_and(|size| size > limit as u64) {
            return Err(too_large());
        }
        let mut all = BytesMut::new();
        while let Some(bytes) = self.stream.try_next().await? {
            if all.len() + bytes.len() > limit {
                return Err(too_large());
            }
            all.extend_from_slice(&bytes);
        }
        Ok(all.freeze())
    }
}

impl Stream for ObjectStream {
    type Item = Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.stream.poll_next_unpin(cx)
    }
}

impl fmt::Debug for ObjectStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ObjectStream")
            .field("size", &self.size)
            .field("hash", &self.hash)
            .finish_non_exhaustive()
    }
}
