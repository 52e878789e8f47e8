//! For authors of drivers: content that goes to a provider in parts.
//!
//! A driver says how a part is sent, how parts become an object and how they are thrown away ([`PartUpload`]), and
//! [`upload_in_parts`] does the rest: parts go beside each other, no more than the driver's [`PartPool`] has room for,
//! whatever the number of transfers; those of a file are read where they are and never held in memory; what is not
//! finished, because it failed or because nobody waits for it any more, is thrown away, so that it costs nothing.

use std::future::Future;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use libcloud_common::cleanup::Undo;
use libcloud_common::{Body, Deadline, Error, Result, Source};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::body::{Pieces, UploadBody};
use crate::file::LocalFile;
use crate::hash::{Digest, HashType};
use crate::stream::TransferProgress;

const MIB: u64 = 1 << 20;

/// How many parts of all uploads of a driver are on their way, or in memory, at the same time. Clones share it.
#[derive(Clone, Debug)]
pub struct PartPool(Arc<Semaphore>);

impl PartPool {
    /// Room for so many parts, at least one.
    pub fn new(parts: usize) -> Self {
        Self(Arc::new(Semaphore::new(parts.clamp(1, Semaphore::MAX_PERMITS))))
    }

    pub(crate) async fn room(&self) -> Result<OwnedSemaphorePermit> {
        // It is never closed.
        Arc::clone(&self.0)
            .acquire_owned()
            .await
            .map_err(|_| Error::invalid_argument("the pool of parts is closed"))
    }
}

impl Default for PartPool {
    /// Room for four parts.
    fn default() -> Self {
        Self::new(4)
    }
}

/// How a provider wants content to be cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartSizes {
    /// The size of a part in bytes where nothing else asks for larger ones.
    pub usual: u64,
    /// The largest size of a part in bytes.
    pub largest: u64,
    /// The largest number of parts.
    pub most: u32,
}

impl PartSizes {
    /// The size of the part of this number, of content of this length.
    ///
    /// Of unknown length, parts grow as their number does, slowly enough for memory and fast enough that the most parts
    /// of the largest size are never too few.
    fn of(&self, number: u32, length: Option<u64>) -> u64 {
        let size = match length {
            Some(length) if length > self.usual.saturating_mul(self.most.into()) => {
                length.div_ceil(self.most.max(1).into()).next_multiple_of(MIB)
            }
            Some(_) => self.usual,
            None => self.usual.saturating_mul(1 << (number.saturating_sub(1) / 1000).min(20)),
        };
        size.min(self.largest)
    }

    fn check(&self, length: u64) -> Result<()> {
        if length <= self.largest.saturating_mul(self.most.into()) {
            return Ok(());
        }
        Err(self.too_large())
    }

    fn too_large(&self) -> Error {
        Error::invalid_argument(format!(
            "the content has more than {} parts of {} MiB, which is all that an object may have",
            self.most,
            self.largest / MIB
        ))
    }
}

/// One part of an object, in memory or in the file that it comes from. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Part {
    number: u32,
    content: Content,
}

#[derive(Clone, Debug)]
enum Content {
    Memory(Bytes),
    File(FilePart),
}

#[derive(Clone, Debug)]
struct FilePart {
    file: LocalFile,
    range: Range<u64>,
    meter: Option<Arc<Meter>>,
}

impl Part {
    /// All of an object as one part.
    pub fn whole(content: Bytes) -> Self {
        Self { number: 1, content: Content::Memory(content) }
    }

    /// Its number, from 1.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// How many bytes it has.
    pub fn length(&self) -> u64 {
        match &self.content {
            Content::Memory(bytes) => bytes.len() as u64,
            Content::File(part) => part.range.end - part.range.start,
        }
    }

    /// The digests of its bytes, which are read once for all of them. If there are many bytes they are made on another
    /// thread, so that nothing else waits.
    ///
    /// # Errors
    /// `Io` if the file cannot be read.
    pub async fn digests(&self, hash_types: &[HashType]) -> Result<Vec<Digest>> {
        let of_all = |types: &[HashType], bytes: &[u8]| {
            types.iter().map(|hash_type| Digest::of(*hash_type, bytes)).collect()
        };
        match &self.content {
            _ if hash_types.is_empty() => Ok(Vec::new()),
            // To change threads would take longer.
            Content::Memory(bytes) if bytes.len() <= 64 << 10 => Ok(of_all(hash_types, bytes)),
            Content::Memory(bytes) => {
                let (bytes, hash_types) = (bytes.clone(), hash_types.to_vec());
                let digests = tokio::task::spawn_blocking(move || of_all(&hash_types, &bytes));
                digests.await.map_err(|error| Error::io("make a digest", std::io::Error::other(error)))
            }
            Content::File(part) => part.file.digests(part.range.clone(), hash_types).await,
        }
    }

    /// What is sent, again if need be.
    pub fn body(&self) -> Body {
        match &self.content {
            Content::Memory(bytes) => Body::Bytes(bytes.clone()),
            Content::File(part) => {
                let part = part.clone();
                Body::Source(Source::new(self.length(), move || part.open()))
            }
        }
    }
}

impl FilePart {
    fn open(&self) -> libcloud_common::ByteStream {
        let stream = self.file.stream(self.range.clone());
        let Some(meter) = self.meter.clone() else { return stream };
        let mut heard = Heard { meter, bytes: 0 };
        let mut last = self.range.end - self.range.start;
        let counted = stream.inspect_ok(move |bytes| {
            let read = bytes.len() as u64;
            last -= read.min(last);
            heard.add(read);
            if last == 0 {
                // All of it has been handed over: what is dropped now stays counted.
                heard.bytes = 0;
            }
        });
        counted.boxed()
    }
}

/// How far the parts of a file are together.
#[derive(Debug)]
struct Meter {
    progress: TransferProgress,
    done: AtomicU64,
    total: u64,
}

/// What one attempt to send a part has counted; an attempt that breaks off takes it back.
struct Heard {
    meter: Arc<Meter>,
    bytes: u64,
}

impl Heard {
    fn add(&mut self, bytes: u64) {
        self.bytes += bytes;
        let done = self.meter.done.fetch_add(bytes, Ordering::Relaxed) + bytes;
        self.meter.progress.advanced(done, Some(self.meter.total));
    }
}

impl Drop for Heard {
    fn drop(&mut self) {
        self.meter.done.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// An upload in parts that a provider has begun.
pub trait PartUpload: Send + Sync + 'static {
    /// What the provider says of a part that it has.
    type Receipt: Send;

    /// What it says of the object in the end.
    type Done: Send;

    /// Sends one part. Parts of one upload are sent beside each other and end in any order.
    fn send(&self, part: Part) -> impl Future<Output = Result<Self::Receipt>> + Send;

    /// Makes the object of all parts, given in their order.
    fn complete(&self, parts: Vec<Self::Receipt>) -> impl Future<Output = Result<Self::Done>> + Send;

    /// Throws away what was sent.
    fn abort(&self) -> impl Future<Output = Result<()>> + Send;
}

/// Sends content in parts; gives what the provider says of the object, and how many bytes it has.
///
/// # Errors
/// What the body or the provider answers. The upload has been aborted then; where that was not possible the error says so.
/// If the future is dropped, a task of its own aborts it ([`cleanup`](libcloud_common::cleanup)).
pub async fn upload_in_parts<U: PartUpload>(
    upload: U,
    body: UploadBody,
    sizes: PartSizes,
    pool: &PartPool,
    deadline: &Deadline,
) -> Result<(U::Done, u64)> {
    let upload = Arc::new(upload);
    let abandoned = Arc::clone(&upload);
    let undo = Undo::new(async move {
        if let Err(error) = abandoned.abort().await {
            tracing::warn!(%error, "an upload was given up, and what was sent of it stays");
        }
    });
    let sent = deadline.wait(send_all(Arc::clone(&upload), body, sizes, pool.clone())).await;
    let result = match sent {
        Ok((receipts, size)) => {
            let done = deadline.wait(upload.complete(receipts)).await;
            done.map(|done| (done, size))
        }
        Err(error) => Err(error),
    };
    match result {
        Ok(done) => {
            undo.disarm();
            Ok(done)
        }
        Err(error) => {
            let aborted = upload.abort().await;
            undo.disarm();
            Err(match aborted {
                Ok(()) => error,
                Err(left) => error.context(format_args!("what was sent of it is still there ({left})")),
            })
        }
    }
}

/// Sends all parts; gives the receipts in their order, and the number of bytes.
async fn send_all<U: PartUpload>(
    upload: Arc<U>,
    body: UploadBody,
    sizes: PartSizes,
    pool: PartPool,
) -> Result<(Vec<U::Receipt>, u64)> {
    let length = body.length();
    if let Some(length) = length {
        sizes.check(length)?;
    }
    let reader = Reader::new(body, sizes, length);
    let file = reader.file();
    let parts = stream::try_unfold((reader, pool), |(mut reader, pool)| async move {
        // There is room for a part before it is read.
        let room = pool.room().await?;
        Ok(reader.next().await?.map(|part| ((part, room), (reader, pool))))
    });
    let sent = parts.map_ok(move |(part, room)| {
        let upload = Arc::clone(&upload);
        async move {
            let (number, size) = (part.number(), part.length());
            let receipt = upload.send(part).await?;
            drop(room);
            Ok::<_, Error>((number, size, receipt))
        }
    });
    // The pool decides how many there are.
    let mut receipts: Vec<(u32, u64, U::Receipt)> =
        sent.try_buffer_unordered(Semaphore::MAX_PERMITS).try_collect().await?;
    if let Some(file) = file {
        file.unchanged().await?;
    }
    receipts.sort_unstable_by_key(|(number, ..)| *number);
    let size = receipts.iter().map(|(_, size, _)| size).sum();
    Ok((receipts.into_iter().map(|(_, _, receipt)| receipt).collect(), size))
}

/// Cuts a body into parts.
struct Reader {
    pieces: Where,
    sizes: PartSizes,
    length: Option<u64>,
    number: u32,
}

enum Where {
    File { file: LocalFile, at: u64, meter: Option<Arc<Meter>> },
    Stream(crate::body::Cutter),
}

impl Reader {
    fn new(body: UploadBody, sizes: PartSizes, length: Option<u64>) -> Self {
        let pieces = match body.into_pieces() {
            Pieces::Stream(cutter) => Where::Stream(cutter),
            Pieces::File(file, progress) => {
                let total = file.length();
                let meter =
                    progress.map(|progress| Arc::new(Meter { progress, done: AtomicU64::new(0), total }));
                Where::File { file, at: 0, meter }
            }
        };
        Self { pieces, sizes, length, number: 0 }
    }

    fn file(&self) -> Option<LocalFile> {
        match &self.pieces {
            Where::File { file, .. } => Some(file.clone()),
            Where::Stream(_) => None,
        }
    }

    async fn next(&mut self) -> Result<Option<Part>> {
        let number = self.number + 1;
        let size = self.sizes.of(number, self.length);
        let content = match &mut self.pieces {
            Where::File { file, at, meter } => {
                let range = *at..(*at + size).min(file.length());
                *at = range.end;
                if range.is_empty() && number > 1 {
                    return Ok(None);
                }
                Content::File(FilePart { file: file.clone(), range, meter: meter.clone() })
            }
            Where::Stream(cutter) => {
                let size = usize::try_from(size).map_err(|_| self.sizes.too_large())?;
                match cutter.next(size).await? {
                    Some(bytes) => Content::Memory(bytes),
                    // An object of nothing has one part all the same.
                    None if number == 1 => Content::Memory(Bytes::new()),
                    None => return Ok(None),
                }
            }
        };
        if number > self.sizes.most {
            return Err(self.sizes.too_large());
        }
        self.number = number;
        Ok(Some(Part { number, content }))
    }
}

#[cfg(test)]
mod tests;
