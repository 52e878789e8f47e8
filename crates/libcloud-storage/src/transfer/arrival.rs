//! Content that arrives in order, however often the connection breaks, and in several pieces at once where it is large.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use libcloud_common::{BoxStream, ByteStream, Error, ErrorKind, Ex, Result, Stream};

use tokio::sync::OwnedSemaphorePermit;

use crate::driver::StorageDriver;
use crate::options::{ByteRange, StreamObject};
use crate::resources::Object;
use crate::stream::ObjectStream;

/// How large a piece is that is fetched beside others.
const PIECE: u64 = 8 << 20;
/// How many pieces one object is fetched in at a time, where there is room.
const AT_ONCE: usize = 4;
/// How often content may break off in a row …
const PATIENCE: u32 = 3;
/// … without so much having arrived in between.
const PROGRESS: u64 = 64 << 10;

/// Some bytes of an object, and the room that they take until they are written.
pub(super) struct Arrived {
    pub(super) bytes: Bytes,
    _room: Option<OwnedSemaphorePermit>,
}

impl From<Bytes> for Arrived {
    fn from(bytes: Bytes) -> Self {
        Self { bytes, _room: None }
    }
}

/// An object on its way, and how more of it is asked for.
pub(super) struct Arrival<'a, D: ?Sized> {
    driver: &'a D,
    object: &'a Object,
    /// Where the content begins in the object.
    offset: u64,
    size: Option<u64>,
    /// With it, the rest of the same version can be asked for.
    etag: Option<String>,
    ex: Ex,
}

impl<'a, D: StorageDriver + ?Sized> Arrival<'a, D> {
    /// `content` is the answer, to `range`, that tells size and version.
    pub(super) fn new(
        driver: &'a D,
        object: &'a Object,
        content: &ObjectStream,
        range: Option<ByteRange>,
        ex: Ex,
    ) -> Self {
        let can = |feature| driver.capabilities().has_feature("download_object_as_stream", feature);
        let etag = content.etag.clone().filter(|_| can("range") && can("if_match"));
        let offset = range.map_or(0, ByteRange::start);
        Self { driver, object, offset, size: content.size, etag, ex }
    }

    /// The entity tag, if the rest can be asked for at all.
    pub(super) fn version(&self) -> Option<&str> {
        self.etag.as_deref().filter(|_| self.size.is_some())
    }

    /// All but the first `have` bytes.
    pub(super) fn rest(self, content: ObjectStream, have: u64) -> BoxStream<'a, Result<Arrived>> {
        let (Some(size), Some(_)) = (self.size, &self.etag) else {
            return content.stream.map_ok(Arrived::from).boxed();
        };
        let pool = self.driver.download_pool().filter(|_| size.saturating_sub(have) >= 2 * PIECE);
        let arrival = Arc::new(self);
        let mut first = Some(content).filter(|_| have == 0);
        let Some(pool) = pool else {
            return arrival.piece(first, have, size).map_ok(Arrived::from).boxed();
        };
        let pieces = stream::iter((have..size).step_by(usize::try_from(PIECE).unwrap_or(usize::MAX)));
        let fetched = pieces.map(move |start| {
            let (arrival, pool, first) = (Arc::clone(&arrival), pool.clone(), first.take());
            async move {
                // There is room in the order of the pieces, so the first of those that wait is never behind another.
                let room = pool.room().await?;
                let end = (start + PIECE).min(size);
                let mut all = BytesMut::with_capacity(usize::try_from(end - start).unwrap_or_default());
                let mut piece = std::pin::pin!(arrival.piece(first, start, end));
                while let Some(bytes) = piece.try_next().await? {
                    all.extend_from_slice(&bytes);
                }
                Ok(Arrived { bytes: all.freeze(), _room: Some(room) })
            }
        });
        fetched.buffered(AT_ONCE).boxed()
    }

    /// The bytes from `start` to `end`, of this answer, which begins there, or one that is asked for.
    fn piece(
        self: Arc<Self>,
        first: Option<ObjectStream>,
        start: u64,
        end: u64,
    ) -> impl Stream<Item = Result<Bytes>> + Send + use<'a, D> {
        let state = (self, first.map(|content| content.stream), start, Breaks { count: 0, last: start });
        stream::try_unfold(state, move |(arrival, mut stream, mut at, mut breaks)| async move {
            loop {
                if at >= end {
                    return Ok(None);
                }
                let mut open = match stream.take() {
                    Some(open) => open,
                    None => arrival.ask(at, end).await?,
                };
                match open.try_next().await {
                    Ok(Some(mut bytes)) => {
                        // The answer to a call for all of it goes on beyond this piece.
                        bytes.truncate(usize::try_from(end - at).unwrap_or(usize::MAX));
                        at += bytes.len() as u64;
                        return Ok(Some((bytes, (arrival, Some(open), at, breaks))));
                    }
                    // What is missing is noticed by who counts.
                    Ok(None) => return Ok(None),
                    Err(error) if error.is_retryable() && breaks.bear(at) => {
                        tracing::debug!(%error, at, "the content broke off and is asked for again");
                    }
                    Err(error) => return Err(error),
                }
            }
        })
    }

    /// Asks for the bytes from `at` to `end` of the same version.
    async fn ask(&self, at: u64, end: u64) -> Result<ByteStream> {
        let range = ByteRange::new(self.offset + at, Some(self.offset + end))?;
        let mut options = StreamObject::new().range(range);
        options.if_match.clone_from(&self.etag);
        options.ex = self.ex.clone();
        let content = self.driver.download_object_as_stream_with(self.object, options).await;
        content.map(|content| content.stream).map_err(|error| {
            if error.kind() == ErrorKind::InvalidState { changed(self.object, &error) } else { error }
        })
    }
}

/// How often content has broken off, and where at last.
struct Breaks {
    count: u32,
    last: u64,
}

impl Breaks {
    /// Whether one more is to be borne.
    fn bear(&mut self, at: u64) -> bool {
        if at - self.last >= PROGRESS {
            self.count = 0;
        }
        (self.count, self.last) = (self.count + 1, at);
        self.count <= PATIENCE
    }
}

fn changed(object: &Object, error: &Error) -> Error {
    Error::new(
        ErrorKind::HashMismatch,
        format!("object `{}` was replaced while it was downloaded: download it again ({error})", object.name),
    )
    .with_resource("object", &object.name)
}
