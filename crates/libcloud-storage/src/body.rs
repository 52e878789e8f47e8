//! The content of objects to be.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use libcloud_common::dispatch::Arg;
use libcloud_common::{ByteStream, Error, ErrorKind, Result, Stream, Value, encode};
use tokio::fs::File;
use tokio::io::AsyncReadExt as _;

use crate::buffers::Buffers;
use crate::file::{self, LocalFile, Opened};
use crate::hash::{Digest, HashType, Hasher};
use crate::stream::TransferProgress;

/// The content of an object to be: a stream of bytes, and its length where that is known.
///
/// By name it is a text, a list of texts, or `{"base64": "…"}`.
///
/// ```
/// use libcloud_storage::UploadBody;
///
/// assert_eq!(UploadBody::from("hello").length(), Some(5));
/// ```
pub struct UploadBody {
    length: Option<u64>,
    source: Source,
    progress: Option<TransferProgress>,
}

/// Where the bytes are.
enum Source {
    Memory(Bytes),
    File(LocalFile),
    Stream(ByteStream),
}

/// What [`UploadBody::gather`] found.
#[derive(Debug)]
pub enum Gathered {
    /// All of the content.
    Whole(Bytes),
    /// There is more of it than was to be gathered.
    More(UploadBody),
}

impl UploadBody {
    /// A stream of unknown length.
    pub fn new(stream: impl Stream<Item = Result<Bytes>> + Send + 'static) -> Self {
        Self::of(None, Source::Stream(stream.boxed()))
    }

    fn of(length: Option<u64>, source: Source) -> Self {
        Self { length, source, progress: None }
    }

    /// A stream of this length in bytes. One that turns out longer or shorter fails, so that no provider keeps
    /// half an object.
    pub fn with_length(stream: impl Stream<Item = Result<Bytes>> + Send + 'static, length: u64) -> Self {
        let counted = stream::try_unfold(
            (stream.boxed(), 0),
            move |(mut stream, done): (ByteStream, u64)| async move {
                match stream.try_next().await? {
                    Some(bytes) if done + bytes.len() as u64 <= length => {
                        let done = done + bytes.len() as u64;
                        Ok(Some((bytes, (stream, done))))
                    }
                    Some(_) => Err(wrong_length(format_args!("more than {length}"), length)),
                    None if done == length => Ok(None),
                    None => Err(wrong_length(done, length)),
                }
            },
        );
        Self::of(Some(length), Source::Stream(counted.boxed()))
    }

    /// The content of a file of this machine. A driver that sends it in parts reads them where they are, so that memory
    /// holds none of them; what has no more than 256 KiB is read at once.
    ///
    /// A file that grows, shrinks or is rewritten while it is read is an error of the upload (`HashMismatch`, or `Io` where
    /// bytes are missing), and no object is made of it.
    ///
    /// # Errors
    /// `Io` if it cannot be opened or is a folder.
    pub async fn from_file(path: impl AsRef<Path>) -> Result<Self> {
        Ok(match file::open(path.as_ref()).await? {
            Opened::Whole(bytes) => bytes.into(),
            Opened::File(file) => Self::of(Some(file.length()), Source::File(file)),
            Opened::Pipe(pipe, path) => Self::new(piped(File::from_std(pipe), path)),
        })
    }

    /// The length in bytes, where it is known.
    pub fn length(&self) -> Option<u64> {
        self.length
    }

    /// The bytes.
    pub fn into_stream(self) -> ByteStream {
        let (length, progress) = (self.length, self.progress);
        let stream = match self.source {
            Source::Memory(bytes) => {
                let piece = (!bytes.is_empty()).then_some(Ok(bytes));
                stream::iter(piece).boxed()
            }
            Source::File(file) => file.whole(),
            Source::Stream(stream) => stream,
        };
        let Some(progress) = progress else { return stream };
        let mut done = 0;
        let heard = stream.inspect_ok(move |bytes| {
            done += bytes.len() as u64;
            progress.advanced(done, length);
        });
        heard.boxed()
    }

    /// All of it in memory, if there is no more than `limit`; else a body that has everything still before it. For a
    /// driver that sends little in one request.
    ///
    /// # Errors
    /// What the body answers.
    pub async fn gather(mut self, limit: u64) -> Result<Gathered> {
        if self.length.is_some_and(|length| length > limit) {
            return Ok(Gathered::More(self));
        }
        match (&self.source, &self.progress) {
            (Source::Memory(bytes), None) => return Ok(Gathered::Whole(bytes.clone())),
            (Source::File(file), None) => return file.read_whole().await.map(Gathered::Whole),
            _ => {}
        }
        let length = self.length;
        let known = length.and_then(|length| usize::try_from(length).ok());
        let mut gathered = BytesMut::with_capacity(known.unwrap_or_default());
        let mut stream = self.into_stream();
        while let Some(piece) = stream.try_next().await? {
            if gathered.is_empty() && known == Some(piece.len()) {
                // What comes in one piece is not copied; the next call sees the end, or that there is too much.
                if stream.try_next().await?.is_none() {
                    return Ok(Gathered::Whole(piece));
                }
            }
            gathered.extend_from_slice(&piece);
            if gathered.len() as u64 > limit {
                let beginning = stream::once(std::future::ready(Ok(gathered.freeze())));
                self = Self::of(length, Source::Stream(beginning.chain(stream).boxed()));
                return Ok(Gathered::More(self));
            }
        }
        Ok(Gathered::Whole(gathered.freeze()))
    }

    /// The bytes in parts of this size, of which the last may be smaller: for a provider that takes an object in parts.
    /// Memory holds one part. There is at least one; that of an empty body is empty.
    ///
    /// ```
    /// # use libcloud_storage::UploadBody;
    /// # use futures_util::TryStreamExt as _;
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let parts: Vec<_> = UploadBody::from("abcde").into_parts(2).try_collect().await?;
    /// assert_eq!(parts, ["ab", "cd", "e"]);
    /// # Ok::<(), libcloud_common::Error>(()) }).unwrap();
    /// ```
    pub fn into_parts(self, size: usize) -> ByteStream {
        let start = Some((Cutter::new(self.into_stream()), true));
        stream::try_unfold(start, move |state| async move {
            let Some((mut cutter, first)) = state else { return Ok(None) };
            let part = cutter.next(size.max(1)).await?;
            Ok(match part {
                Some(part) => Some((part, Some((cutter, false)))),
                None => first.then(|| (Bytes::new(), None)),
            })
        })
        .boxed()
    }

    /// The file that it is, if it is one of which any part can be read.
    pub(crate) fn into_pieces(self) -> Pieces {
        match self {
            Self { source: Source::File(file), progress, .. } => Pieces::File(file, progress),
            other => Pieces::Stream(Cutter::new(other.into_stream())),
        }
    }

    /// The same, and `progress` hears how far it is.
    pub fn on_progress(mut self, progress: TransferProgress) -> Self {
        // Who listens already goes on to listen.
        if self.progress.is_some() {
            self = Self::of(self.length, Source::Stream(self.into_stream()));
        }
        self.progress = Some(progress);
        self
    }

    /// The same, and the digest of all that has passed: for drivers, to compare with what the provider answers.
    ///
    /// ```
    /// # use libcloud_storage::{HashType, UploadBody};
    /// # use futures_util::TryStreamExt as _;
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let (body, digest) = UploadBody::from("abc").hashing(HashType::Md5);
    /// body.into_stream().try_collect::<Vec<_>>().await?;
    /// assert_eq!(digest.hex(), "900150983cd24fb0d6963f7d28e17f72");
    /// digest.verify("a.txt", "\"900150983CD24FB0D6963F7D28E17F72\"")?;
    /// # Ok::<(), libcloud_common::Error>(()) }).unwrap();
    /// ```
    pub fn hashing(self, hash_type: HashType) -> (Self, PassingHash) {
        let digest = PassingHash(Arc::new(Mutex::new(Hasher::new(hash_type))));
        let hasher = Arc::clone(&digest.0);
        let length = self.length;
        let stream = self.into_stream().inspect_ok(move |bytes| {
            hasher.lock().unwrap_or_else(PoisonError::into_inner).update(bytes);
        });
        (Self::of(length, Source::Stream(stream.boxed())), digest)
    }
}

/// What a pipe or device gives, to its end.
fn piped(pipe: File, path: PathBuf) -> impl Stream<Item = Result<Bytes>> + Send + 'static {
    stream::try_unfold((pipe, path), async |(mut pipe, path)| {
        let mut buffer = BytesMut::with_capacity(256 << 10);
        match pipe.read_buf(&mut buffer).await {
            Ok(0) => Ok(None),
            Ok(_) => Ok(Some((buffer.freeze(), (pipe, path)))),
            Err(error) => Err(file::cannot_read(&path, error)),
        }
    })
}

/// A body that is taken piece by piece.
pub(crate) enum Pieces {
    File(LocalFile, Option<TransferProgress>),
    Stream(Cutter),
}

/// Cuts a stream into pieces of given sizes.
pub(crate) struct Cutter {
    stream: ByteStream,
    /// What has come and belongs to the next piece.
    rest: Bytes,
    /// Whether a whole piece has been cut: then the next will probably be one, too.
    full: bool,
    buffers: Buffers,
}

impl Cutter {
    fn new(stream: ByteStream) -> Self {
        Self { stream, rest: Bytes::new(), full: false, buffers: Buffers::default() }
    }

    /// The next piece, of this size unless it is the last; none after that.
    pub(crate) async fn next(&mut self, size: usize) -> Result<Option<Bytes>> {
        while self.rest.is_empty() {
            match self.stream.try_next().await? {
                Some(bytes) => self.rest = bytes,
                None => return Ok(None),
            }
        }
        if self.rest.len() >= size {
            // What comes in one piece is not copied.
            self.full = true;
            return Ok(Some(self.rest.split_to(size)));
        }
        let mut piece = self.buffers.lend();
        piece.bytes.clear();
        if self.full {
            piece.bytes.reserve_exact(size);
        }
        loop {
            let wanted = size - piece.bytes.len();
            piece.bytes.extend_from_slice(&self.rest.split_to(wanted.min(self.rest.len())));
            if piece.bytes.len() == size {
                self.full = true;
                break;
            }
            match self.stream.try_next().await? {
                Some(bytes) => self.rest = bytes,
                None => break,
            }
        }
        Ok(Some(Bytes::from_owner(piece)))
    }
}

fn wrong_length(found: impl fmt::Display, expected: u64) -> Error {
    Error::new(ErrorKind::HashMismatch, format!("the content was to have {expected} bytes and has {found}"))
}

impl From<Bytes> for UploadBody {
    fn from(bytes: Bytes) -> Self {
        Self::of(Some(bytes.len() as u64), Source::Memory(bytes))
    }
}

impl From<Vec<u8>> for UploadBody {
    fn from(bytes: Vec<u8>) -> Self {
        Bytes::from(bytes).into()
    }
}

impl From<String> for UploadBody {
    fn from(text: String) -> Self {
        Bytes::from(text).into()
    }
}

impl From<&str> for UploadBody {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl fmt::Debug for UploadBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UploadBody").field("length", &self.length).finish_non_exhaustive()
    }
}

impl Arg for UploadBody {
    const TYPE: &'static str = "text, list of texts or {\"base64\": …}";

    fn from_json(value: Value) -> Result<Self, String> {
        match value {
            Value::String(text) => Ok(text.into()),
            Value::Array(texts) => texts
                .iter()
                .map(Value::as_str)
                .collect::<Option<String>>()
                .map(Self::from)
                .ok_or_else(|| format!("expected {}", Self::TYPE)),
            Value::Object(map) if map.len() == 1 => match map.get("base64") {
                Some(Value::String(text)) => {
                    encode::decode_base64(text).map(Self::from).map_err(|error| error.to_string())
                }
                _ => Err(format!("expected {}", Self::TYPE)),
            },
            _ => Err(format!("expected {}", Self::TYPE)),
        }
    }
}

/// The digest of what has passed through a body so far.
#[derive(Clone, Debug)]
pub struct PassingHash(Arc<Mutex<Hasher>>);

impl PassingHash {
    /// The digest of what has passed so far.
    pub fn digest(&self) -> Digest {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone().finish()
    }

    /// The digest in hexadecimal.
    pub fn hex(&self) -> String {
        self.digest().hex()
    }

    /// The digest in Base64, as headers have it.
    pub fn base64(&self) -> String {
        self.digest().base64()
    }

    /// Compares with the digest that the provider tells, in hexadecimal, of an object of this name. Quotes around it
    /// and the case of its letters do not count.
    ///
    /// # Errors
    /// `HashMismatch`.
    pub fn verify(&self, object_name: &str, told: &str) -> Result<()> {
        crate::hash::verify(object_name, told, &self.hex())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn parts(pieces: &[&'static str], size: usize) -> Result<Vec<Bytes>> {
        let pieces: Vec<_> = pieces.iter().map(|piece| Ok(Bytes::from(*piece))).collect();
        UploadBody::new(stream::iter(pieces)).into_parts(size).try_collect().await
    }

    #[tokio::test]
    async fn parts_have_their_size_whatever_the_pieces() {
        for (pieces, expected) in [
            (&[][..], &[""][..]),
            (&[""], &[""]),
            (&["abc"], &["abc"]),
            (&["a", "", "b", "c"], &["abc"]),
            (&["abcdef"], &["abc", "def"]),
            (&["ab", "cdefg", "h"], &["abc", "def", "gh"]),
        ] {
            assert_eq!(parts(pieces, 3).await.unwrap(), expected, "{pieces:?}");
        }
        assert_eq!(parts(&["ab"], 0).await.unwrap(), ["a", "b"]);
    }

    #[tokio::test]
    async fn buffers_serve_again_when_nobody_has_their_bytes() {
        let pieces: Vec<_> = (0..30_u8).map(|number| Ok(Bytes::from(vec![number; 4]))).collect();
        let mut cutter = Cutter::new(stream::iter(pieces).boxed());
        let kept = cutter.next(10).await.unwrap().unwrap();
        let mut content = kept.to_vec();
        while let Some(piece) = cutter.next(10).await.unwrap() {
            content.extend_from_slice(&piece);
        }
        assert_eq!(content, (0..30_u8).flat_map(|number| [number; 4]).collect::<Vec<_>>());
        assert_eq!(kept, content[..10]);
        assert_eq!(cutter.buffers.idle(), 1);
        drop(kept);
        assert_eq!(cutter.buffers.idle(), 2);
    }

    #[tokio::test]
    async fn a_body_that_breaks_gives_no_smaller_part() {
        let gone = Error::new(ErrorKind::Io, "the disk is gone");
        let body = UploadBody::new(stream::iter([Ok(Bytes::from("abcd")), Err(gone)]));
        let mut parts = body.into_parts(3);
        assert_eq!(parts.try_next().await.unwrap().unwrap(), "abc");
        assert_eq!(parts.try_next().await.unwrap_err().kind(), ErrorKind::Io);
        assert!(parts.try_next().await.unwrap().is_none());
    }

    #[tokio::test]
    async fn what_is_little_is_gathered_and_what_is_more_keeps_its_beginning() {
        let pieces = || stream::iter(["ab", "cd"].map(|piece| Ok(Bytes::from(piece))));
        for body in [UploadBody::new(pieces()), UploadBody::with_length(pieces(), 4), "abcd".into()] {
            assert!(matches!(body.gather(4).await.unwrap(), Gathered::Whole(bytes) if bytes == "abcd"));
        }
        for body in [UploadBody::new(pieces()), UploadBody::with_length(pieces(), 4), "abcd".into()] {
            let length = body.length();
            let Gathered::More(body) = body.gather(3).await.unwrap() else { panic!("it is more") };
            assert_eq!(body.length(), length);
            let all: Vec<Bytes> = body.into_stream().try_collect().await.unwrap();
            assert_eq!(all.concat(), b"abcd");
        }
        // Of a known length nothing is read.
        let body = UploadBody::with_length(stream::pending(), 4);
        assert!(matches!(body.gather(3).await.unwrap(), Gathered::More(_)));
        let longer = UploadBody::with_length(pieces(), 2);
        assert_eq!(longer.gather(9).await.unwrap_err().kind(), ErrorKind::HashMismatch);
    }

    #[tokio::test]
    async fn all_who_listen_hear() {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let listener = |name: char| {
            let heard = Arc::clone(&heard);
            TransferProgress::new(move |done, total| heard.lock().unwrap().push((name, done, total)))
        };
        let body = UploadBody::from("abc").on_progress(listener('a')).on_progress(listener('b'));
        assert!(matches!(body.gather(9).await.unwrap(), Gathered::Whole(bytes) if bytes == "abc"));
        assert_eq!(*heard.lock().unwrap(), [('a', 3, Some(3)), ('b', 3, Some(3))]);
    }
}
