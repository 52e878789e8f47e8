//! Objects that become files.

use std::io;
use std::path::{Path, PathBuf};

use bytes::{Bytes, BytesMut};
use futures_util::TryStreamExt as _;
use libcloud_common::{BoxStream, Deadline, Error, ErrorKind, Result, Value, json};

use tokio::sync::mpsc;

use super::arrival::{Arrival, Arrived};
use super::landing::Landing;
use crate::driver::StorageDriver;
use crate::file::{CHUNK, blocking};
use crate::hash::{self, Digest, HashType, Hasher};
use crate::options::{ByteRange, DownloadObject, StreamObject};
use crate::resources::Object;
use crate::stream::{ObjectStream, TransferProgress};

/// How many pieces may wait to be written. Large ones take room of the driver's pool until they are.
const WAITING: usize = 16;

/// Writes an object, or a range of it, into a file.
pub(crate) async fn download<D: StorageDriver + ?Sized>(
    driver: &D,
    object: &Object,
    destination: &Path,
    range: Option<ByteRange>,
    options: DownloadObject,
) -> Result<()> {
    let target = target(object, destination, options.overwrite_existing).await?;
    let deadline = Deadline::new(driver.clock(), options.timeout);
    let mut first = StreamObject::new();
    first.range = range;
    first.timeout = deadline.left();
    first.ex = options.ex.clone();
    let content = driver.download_object_as_stream_with(object, first).await?;
    let promise = Promise { name: object.name.clone(), size: content.size, hash: content.hash.clone() };
    match content.size {
        Some(size) if size <= CHUNK && options.delete_on_failure => {
            let bytes = deadline.wait(gather(content, &promise, options.progress.as_ref())).await?;
            let (to, overwrite) = (target.clone(), options.overwrite_existing);
            let written = blocking(move || {
                let landing = Landing::open(&to, None)?;
                io::Write::write_all(&mut landing.file(), &bytes)?;
                landing.place(&to, overwrite)
            });
            written.await.map_err(|error| not_placed(&target, error))
        }
        _ => {
            let arrival = Arrival::new(driver, object, &content, range, options.ex.clone());
            let version = arrival.version().map(|etag| version(driver, object, etag, range, content.size));
            stream_into(content, arrival, version, promise, target, options, deadline).await
        }
    }
}

/// By what a file that another run has left is known to be the beginning of this content.
fn version<D: StorageDriver + ?Sized>(
    driver: &D,
    object: &Object,
    etag: &str,
    range: Option<ByteRange>,
    size: Option<u64>,
) -> Value {
    json!({
        "provider": driver.descriptor().id,
        "container": object.container.name,
        "object": object.name,
        "etag": etag,
        "range": range.map(ByteRange::header),
        "size": size,
    })
}

/// What the provider says of the content.
struct Promise {
    name: String,
    size: Option<u64>,
    hash: Option<(HashType, String)>,
}

impl Promise {
    fn hasher(&self) -> Option<Hasher> {
        self.hash.as_ref().map(|(hash_type, _)| Hasher::new(*hash_type))
    }

    /// Compares with what has arrived.
    fn kept(&self, arrived: u64, digest: Option<Digest>) -> Result<()> {
        if let Some(size) = self.size
            && size != arrived
        {
            return Err(Error::new(
                ErrorKind::HashMismatch,
                format!("object `{}`: {size} bytes were promised, {arrived} arrived", self.name),
            )
            .with_resource("object", &self.name));
        }
        match (digest, &self.hash) {
            (Some(digest), Some((_, told))) => hash::verify(&self.name, told, &digest.hex()),
            _ => Ok(()),
        }
    }
}

/// All of what is little, compared with what the provider promises.
async fn gather(
    content: ObjectStream,
    promise: &Promise,
    progress: Option<&TransferProgress>,
) -> Result<Bytes> {
    let mut hasher = promise.hasher();
    let mut all = BytesMut::new();
    let mut stream = content.stream;
    while let Some(bytes) = stream.try_next().await? {
        if let Some(hasher) = &mut hasher {
            hasher.update(&bytes);
        }
        all.extend_from_slice(&bytes);
        if let Some(progress) = progress {
            progress.advanced(all.len() as u64, promise.size);
        }
    }
    promise.kept(all.len() as u64, hasher.map(Hasher::finish))?;
    Ok(all.freeze())
}

/// Writes all that arrives into a file beside the target, compares it, and lets it take the target's place.
async fn stream_into<D: StorageDriver + ?Sized>(
    content: ObjectStream,
    arrival: Arrival<'_, D>,
    version: Option<Value>,
    promise: Promise,
    target: PathBuf,
    options: DownloadObject,
    deadline: Deadline,
) -> Result<()> {
    let cannot = |error| Error::io(format_args!("write {}", target.display()), error);
    let to = target.clone();
    let landing = blocking(move || Landing::open(&to, version.as_ref())).await.map_err(cannot)?;
    let have = landing.have().min(promise.size.unwrap_or_default());
    let mut sink = Sink::start(&landing, have, promise.hasher()).map_err(cannot)?;
    let mut done = have;
    let received = async {
        let mut stream: BoxStream<'_, Result<Arrived>> = arrival.rest(content, have);
        while let Some(arrived) = stream.try_next().await? {
            done += arrived.bytes.len() as u64;
            if !sink.write(arrived).await {
                break;
            }
            if let Some(progress) = &options.progress {
                progress.advanced(done, promise.size);
            }
        }
        Ok(())
    };
    let received = deadline.wait(received).await;
    // Nothing is placed or kept while it is still written to.
    let written = sink.finish().await.map_err(cannot);
    let result = received.and(written).and_then(|digest| promise.kept(done, digest));
    match result {
        Ok(()) => {
            let (to, overwrite) = (target.clone(), options.overwrite_existing);
            blocking(move || landing.place(&to, overwrite)).await.map_err(|error| not_placed(&target, error))
        }
        Err(error) if options.delete_on_failure => Err(error),
        Err(error) => {
            let mut part = target.into_os_string();
            part.push(".part");
            let part = PathBuf::from(part);
            let to = part.clone();
            Err(match blocking(move || landing.place(&to, true)).await {
                Ok(()) => error.context(format_args!("what arrived is in {}", part.display())),
                Err(_) => error,
            })
        }
    }
}

/// Writes and digests on a thread of its own, so that the network does not wait for either.
struct Sink {
    pieces: Option<mpsc::Sender<Arrived>>,
    task: tokio::task::JoinHandle<io::Result<Option<Digest>>>,
}

impl Sink {
    /// Writes behind the first `have` bytes, which are digested, too.
    fn start(landing: &Landing, have: u64, mut hasher: Option<Hasher>) -> io::Result<Self> {
        let mut file = landing.file().try_clone()?;
        let (pieces, mut waiting) = mpsc::channel::<Arrived>(WAITING);
        let task = tokio::task::spawn_blocking(move || {
            file.set_len(have)?;
            io::Seek::seek(&mut file, io::SeekFrom::Start(0))?;
            if let Some(hasher) = &mut hasher {
                let mut buffer = vec![0; 256 << 10];
                let mut left = io::Read::take(&mut file, have);
                loop {
                    let count = io::Read::read(&mut left, &mut buffer)?;
                    if count == 0 {
                        break;
                    }
                    hasher.update(buffer.get(..count).unwrap_or_default());
                }
            }
            io::Seek::seek(&mut file, io::SeekFrom::Start(have))?;
            while let Some(piece) = waiting.blocking_recv() {
                io::Write::write_all(&mut file, &piece.bytes)?;
                if let Some(hasher) = &mut hasher {
                    hasher.update(&piece.bytes);
                }
            }
            Ok(hasher.map(Hasher::finish))
        });
        Ok(Self { pieces: Some(pieces), task })
    }

    /// Whether it still takes pieces; it has failed if not.
    async fn write(&mut self, piece: Arrived) -> bool {
        match &self.pieces {
            Some(pieces) => pieces.send(piece).await.is_ok(),
            None => false,
        }
    }

    async fn finish(mut self) -> io::Result<Option<Digest>> {
        self.pieces = None;
        self.task.await.map_err(io::Error::other)?
    }
}

/// The file that is meant: the destination, or in a folder the last part of the object's name.
async fn target(object: &Object, destination: &Path, overwrite: bool) -> Result<PathBuf> {
    let within = plain_name(object);
    let (path, name) = (destination.to_owned(), within.clone());
    // Whether it is meant as a folder, what is there, and whether it may be replaced.
    let found = blocking(move || {
        let folder = std::fs::metadata(&path).is_ok_and(|meta| meta.is_dir());
        let target = match (folder, name) {
            (false, _) => path,
            (true, Some(name)) => path.join(name),
            (true, None) => return Ok(None),
        };
        let meta = std::fs::symlink_metadata(&target).ok();
        Ok(Some((target, meta)))
    });
    let found =
        found.await.map_err(|error| Error::io(format_args!("look for {}", destination.display()), error))?;
    match found {
        None => Err(Error::new(
            ErrorKind::InvalidName,
            format!(
                "object `{}` cannot be a file in {}: give a file as the destination",
                object.name.escape_debug(),
                destination.display()
            ),
        )
        .with_resource("object", &object.name)),
        Some((target, Some(_))) if !overwrite => Err(exists(&target)),
        // The rename would put a file in the place of a device or pipe.
        Some((target, Some(meta))) if !meta.is_file() && !meta.is_symlink() => Err(Error::invalid_argument(
            format!("{} is not a file: read the object as a stream and write it there", target.display()),
        )),
        Some((target, _)) => Ok(target),
    }
}

/// The last part of the object's name, if it is one ordinary component: what a provider names `..`, or `C:` or `a\b` on a
/// system where that is a path, must not lead out of the folder.
fn plain_name(object: &Object) -> Option<String> {
    let last = object.name.rsplit('/').next().unwrap_or_default();
    let mut components = Path::new(last).components();
    let is_plain = matches!(
        (components.next(), components.next()),
        (Some(std::path::Component::Normal(name)), None) if name == last
    );
    (is_plain && !last.contains('\0')).then(|| last.to_owned())
}

fn not_placed(target: &Path, error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::AlreadyExists => exists(target),
        _ => Error::io(format_args!("write {}", target.display()), error),
    }
}

fn exists(target: &Path) -> Error {
    let target = target.display().to_string();
    Error::new(
        ErrorKind::AlreadyExists,
        format!("file `{target}` exists already; set `overwrite_existing` to replace it"),
    )
    .with_resource("file", target)
}
