//! The content of objects on its way: what is uploaded and what arrives.

use std::fmt;
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use http::HeaderMap;
use libcloud_common::dispatch::Arg;
use libcloud_common::{ByteStream, Error, ErrorKind, Result, Stream, Value, encode};
use tokio::io::AsyncReadExt as _;

use crate::hash::{HashType, Hasher};

/// How much of a file is read at once.
const CHUNK: usize = 256 << 10;

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
    stream: ByteStream,
}

impl UploadBody {
    /// A stream of unknown length.
    pub fn new(stream: impl Stream<Item = Result<Bytes>> + Send + 'static) -> Self {
        Self { length: None, stream: stream.boxed() }
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
        Self { length: Some(length), stream: counted.boxed() }
    }

    /// The content of a file of this machine.
    ///
    /// # Errors
    /// `Io` if it cannot be opened or is a folder.
    pub async fn from_file(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref().to_owned();
        let cannot = |path: &Path, error| Error::io(format_args!("read {}", path.display()), error);
        let file = tokio::fs::File::open(&path).await.map_err(|error| cannot(&path, error))?;
        let meta = file.metadata().await.map_err(|error| cannot(&path, error))?;
        if meta.is_dir() {
            return Err(cannot(&path, std::io::ErrorKind::IsADirectory.into()));
        }
        let length = meta.is_file().then_some(meta.len());
        let chunks = stream::try_unfold((file, path), move |(mut file, path)| async move {
            let mut buffer = BytesMut::with_capacity(CHUNK);
            match file.read_buf(&mut buffer).await {
                Ok(0) => Ok(None),
                Ok(_) => Ok(Some((buffer.freeze(), (file, path)))),
                Err(error) => Err(cannot(&path, error)),
            }
        });
        Ok(match length {
            Some(length) => Self::with_length(chunks, length),
            None => Self::new(chunks),
        })
    }

    /// The length in bytes, where it is known.
    pub fn length(&self) -> Option<u64> {
        self.length
    }

    /// The bytes.
    pub fn into_stream(self) -> ByteStream {
        self.stream
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
        let start = Some((self.stream, Bytes::new(), true));
        stream::try_unfold(start, move |state| async move {
            let Some((mut stream, mut rest, first)) = state else { return Ok(None) };
            let mut part = BytesMut::new();
            loop {
                let wanted = size.max(1) - part.len();
                if part.is_empty() && rest.len() >= wanted {
                    // What comes in one piece is not copied.
                    let part = rest.split_to(wanted);
                    return Ok(Some((part, Some((stream, rest, false)))));
                }
                part.extend_from_slice(&rest.split_to(wanted.min(rest.len())));
                if part.len() == size.max(1) {
                    return Ok(Some((part.freeze(), Some((stream, rest, false)))));
                }
                match stream.try_next().await? {
                    Some(bytes) => rest = bytes,
                    None if part.is_empty() && !first => return Ok(None),
                    None => return Ok(Some((part.freeze(), None))),
                }
            }
        })
        .boxed()
    }

    /// The same, and `progress` hears how far it is.
    pub fn on_progress(self, progress: TransferProgress) -> Self {
        let (length, mut done) = (self.length, 0);
        self.inspect(move |bytes| {
            done += bytes.len() as u64;
            progress.advanced(done, length);
        })
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
        let body = self.inspect(move |bytes| {
            hasher.lock().unwrap_or_else(PoisonError::into_inner).update(bytes);
        });
        (body, digest)
    }

    fn inspect(self, mut look: impl FnMut(&Bytes) + Send + 'static) -> Self {
        Self { length: self.length, stream: self.stream.inspect_ok(move |bytes| look(bytes)).boxed() }
    }
}

fn wrong_length(found: impl fmt::Display, expected: u64) -> Error {
    Error::new(ErrorKind::HashMismatch, format!("the content was to have {expected} bytes and has {found}"))
}

impl From<Bytes> for UploadBody {
    fn from(bytes: Bytes) -> Self {
        Self {
            length: Some(bytes.len() as u64),
            stream: stream::iter((!bytes.is_empty()).then_some(Ok(bytes))).boxed(),
        }
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
    /// The digest in hexadecimal.
    pub fn hex(&self) -> String {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone().hex()
    }

    /// The digest in Base64, as headers have it.
    pub fn base64(&self) -> String {
        encode::base64(hex::decode(self.hex()).unwrap_or_default())
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
    /// The headers of the answer, where the provider speaks HTTP.
    pub headers: HeaderMap,
}

impl ObjectStream {
    /// A stream of which nothing else is known.
    pub fn new(stream: impl Stream<Item = Result<Bytes>> + Send + 'static) -> Self {
        Self { stream: stream.boxed(), size: None, hash: None, headers: HeaderMap::new() }
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
    async fn a_body_that_breaks_gives_no_smaller_part() {
        let gone = Error::new(ErrorKind::Io, "the disk is gone");
        let body = UploadBody::new(stream::iter([Ok(Bytes::from("abcd")), Err(gone)]));
        let mut parts = body.into_parts(3);
        assert_eq!(parts.try_next().await.unwrap().unwrap(), "abc");
        assert_eq!(parts.try_next().await.unwrap_err().kind(), ErrorKind::Io);
        assert!(parts.try_next().await.unwrap().is_none());
    }
}
