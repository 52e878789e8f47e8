//! Files of this machine, read at any place by any number of readers.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use libcloud_common::{ByteStream, Error, ErrorKind, Result};

use crate::buffers::Buffers;
use crate::hash::{Digest, HashType, Hasher};

/// How much is read at once.
pub(crate) const CHUNK: u64 = 256 << 10;

/// A file that is open, and how it was then.
#[derive(Clone, Debug)]
pub(crate) struct LocalFile {
    file: Arc<File>,
    path: Arc<Path>,
    length: u64,
    modified: Option<SystemTime>,
    buffers: Buffers,
}

/// What is behind a path.
pub(crate) enum Opened {
    /// All of a file that is read at once.
    Whole(Bytes),
    /// A file that has a length.
    File(LocalFile),
    /// A pipe or device, of which nobody knows how much it gives.
    Pipe(File, PathBuf),
}

/// Opens what is there, and reads it if there is little.
pub(crate) async fn open(path: &Path) -> Result<Opened> {
    let path = path.to_owned();
    let named = path.clone();
    blocking(move || {
        let file = File::open(&path)?;
        let meta = file.metadata()?;
        if meta.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        // A length of nothing may be one that nobody knows, as under /proc.
        if !meta.is_file() || meta.len() == 0 {
            return Ok(Opened::Pipe(file, path));
        }
        let found = LocalFile {
            file: Arc::new(file),
            path: path.into(),
            length: meta.len(),
            modified: meta.modified().ok(),
            buffers: Buffers::default(),
        };
        if found.length > CHUNK {
            return Ok(Opened::File(found));
        }
        let read = found.read_at(0, found.length);
        // Of one that is being written whoever reads it hears.
        if found.is_unchanged()? { read.map(Opened::Whole) } else { Ok(Opened::File(found)) }
    })
    .await
    .map_err(|error| cannot_read(&named, error))
}

impl LocalFile {
    /// How many bytes it has.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// All of it. The last bytes come once it is known to be the file that it was: one that was changed ends in an error
    /// before a provider could take what it has for all.
    pub(crate) fn whole(&self) -> ByteStream {
        let (file, mut left) = (self.clone(), self.length);
        let pieces = self.stream(0..self.length).and_then(move |bytes| {
            left -= left.min(bytes.len() as u64);
            let last = (left == 0).then(|| file.clone());
            async move {
                if let Some(file) = last {
                    file.unchanged().await?;
                }
                Ok(bytes)
            }
        });
        pieces.boxed()
    }

    /// All of it at once.
    pub(crate) async fn read_whole(&self) -> Result<Bytes> {
        let bytes = self.read(0, self.length).await?;
        self.unchanged().await?;
        Ok(bytes)
    }

    /// These bytes, as they are read.
    pub(crate) fn stream(&self, range: Range<u64>) -> ByteStream {
        let start = (self.clone(), range);
        stream::try_unfold(start, |(file, range)| async move {
            if range.is_empty() {
                return Ok(None);
            }
            let size = (range.end - range.start).min(CHUNK);
            let bytes = file.read(range.start, size).await?;
            Ok(Some((bytes, (file, range.start + size..range.end))))
        })
        .boxed()
    }

    /// So many bytes from there on, in a buffer that serves again.
    async fn read(&self, start: u64, size: u64) -> Result<Bytes> {
        let cannot = |error| cannot_read(&self.path, error);
        let mut lent = self.buffers.lend();
        lent.bytes.resize(to_usize(size).map_err(cannot)?, 0);
        let done = read_cached(&self.file, &mut lent.bytes, start);
        if done == lent.bytes.len() {
            return Ok(Bytes::from_owner(lent));
        }
        let file = Arc::clone(&self.file);
        let read = blocking(move || {
            fill(&file, lent.bytes.get_mut(done..).unwrap_or_default(), start + done as u64)?;
            Ok(Bytes::from_owner(lent))
        });
        read.await.map_err(cannot)
    }

    /// The digests of these bytes.
    pub(crate) async fn digests(&self, range: Range<u64>, hash_types: &[HashType]) -> Result<Vec<Digest>> {
        let file = self.clone();
        let mut hashers: Vec<Hasher> = hash_types.iter().copied().map(Hasher::new).collect();
        let digests = blocking(move || {
            let mut buffer = vec![0; to_usize(CHUNK)?];
            let mut at = range.start;
            while at < range.end {
                let size = to_usize((range.end - at).min(CHUNK))?;
                let piece = buffer.get_mut(..size).ok_or(io::ErrorKind::InvalidInput)?;
                fill(&file.file, piece, at)?;
                for hasher in &mut hashers {
                    hasher.update(piece);
                }
                at += size as u64;
            }
            Ok(hashers.into_iter().map(Hasher::finish).collect())
        });
        digests.await.map_err(|error| cannot_read(&self.path, error))
    }

    /// Fails if it is not the file any more that it was when it was opened: what was read of it may be of both.
    pub(crate) async fn unchanged(&self) -> Result<()> {
        let file = self.clone();
        if blocking(move || file.is_unchanged()).await.map_err(|error| cannot_read(&self.path, error))? {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::HashMismatch,
            format!("{} was changed while it was read: upload it again", self.path.display()),
        )
        .with_resource("file", self.path.display().to_string()))
    }

    fn is_unchanged(&self) -> io::Result<bool> {
        let meta = self.file.metadata()?;
        Ok(meta.len() == self.length && meta.modified().ok() == self.modified)
    }

    fn read_at(&self, start: u64, size: u64) -> io::Result<Bytes> {
        let mut buffer = vec![0; to_usize(size)?];
        fill(&self.file, &mut buffer, start)?;
        Ok(buffer.into())
    }
}

fn to_usize(size: u64) -> io::Result<usize> {
    usize::try_from(size).map_err(|_| io::ErrorKind::FileTooLarge.into())
}

/// Reads exactly so many bytes as fit.
fn fill(file: &File, mut buffer: &mut [u8], mut start: u64) -> io::Result<()> {
    while !buffer.is_empty() {
        match read_some(file, buffer, start) {
            Ok(0) => {
                return Err(io::Error::new(
                    io::ErrorKind::UnexpectedEof,
                    "it became shorter while it was read",
                ));
            }
            Ok(count) => {
                buffer = buffer.get_mut(count..).unwrap_or_default();
                start += count as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Reads what is in memory already, as that is which was just read for its digests: another thread would cost more. How much
/// that was, of the beginning; nothing where the system or the file system cannot tell.
#[cfg(target_os = "linux")]
fn read_cached(file: &File, buffer: &mut [u8], start: u64) -> usize {
    use rustix::io::{Errno, ReadWriteFlags, preadv2};

    let mut done = 0;
    while let Some(rest) = buffer.get_mut(done..).filter(|rest| !rest.is_empty()) {
        let pieces = &mut [io::IoSliceMut::new(rest)];
        match preadv2(file, pieces, start + done as u64, ReadWriteFlags::NOWAIT) {
            Ok(count) if count > 0 => done += count,
            Err(Errno::INTR) => {}
            // Whatever it is, who waits for the rest hears of it.
            _ => break,
        }
    }
    done
}

#[cfg(not(target_os = "linux"))]
fn read_cached(_file: &File, _buffer: &mut [u8], _start: u64) -> usize {
    0
}

#[cfg(unix)]
fn read_some(file: &File, buffer: &mut [u8], start: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buffer, start)
}

#[cfg(windows)]
fn read_some(file: &File, buffer: &mut [u8], start: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, buffer, start)
}

/// Does what waits for a disk where it holds nobody up.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}

pub(crate) fn cannot_read(path: &Path, error: io::Error) -> Error {
    Error::io(format_args!("read {}", path.display()), error)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    async fn file(content: &[u8]) -> (tempfile::NamedTempFile, LocalFile) {
        let mut made = tempfile::NamedTempFile::new().unwrap();
        made.write_all(content).unwrap();
        let Opened::File(file) = open(made.path()).await.unwrap() else { panic!("it is small") };
        (made, file)
    }

    #[tokio::test]
    async fn what_is_small_is_read_at_once() {
        let mut made = tempfile::NamedTempFile::new().unwrap();
        made.write_all(b"abc").unwrap();
        assert!(matches!(open(made.path()).await.unwrap(), Opened::Whole(bytes) if bytes == "abc"));
        let error = open(&std::env::temp_dir()).await.err().unwrap();
        assert_eq!(error.kind(), ErrorKind::Io);
        assert!(
            open(Path::new("/nowhere/at/all")).await.err().unwrap().to_string().contains("/nowhere/at/all")
        );
    }

    #[tokio::test]
    async fn any_part_is_read_and_digested() {
        let content: Vec<u8> = (0..CHUNK * 2 + 5).map(|number| number.to_le_bytes()[0]).collect();
        let (_made, file) = file(&content).await;
        for range in [0..content.len(), 1..7, content.len() - 3..content.len(), 5..5] {
            let part = range.start as u64..range.end as u64;
            let read: Vec<Bytes> = file.stream(part.clone()).try_collect().await.unwrap();
            assert!(read.concat() == content[range.clone()], "{range:?}");
            let types = [HashType::Sha256, HashType::Crc64Nvme];
            let digests = file.digests(part, &types).await.unwrap();
            assert_eq!(digests, types.map(|hash_type| Digest::of(hash_type, &content[range.clone()])));
        }
    }

    #[test]
    fn what_is_in_memory_is_read_where_it_is_asked_for() {
        let content: Vec<u8> = (0..CHUNK + 5).map(|number| (number % 251).to_le_bytes()[0]).collect();
        let mut made = tempfile::NamedTempFile::new().unwrap();
        made.write_all(&content).unwrap();
        for start in [0, 3, content.len() - 3, content.len()] {
            let mut buffer = vec![0; content.len()];
            // How much the system has in memory is its own affair; what it gives is right.
            let done = read_cached(made.as_file(), &mut buffer, start as u64);
            assert!(done <= content.len() - start, "{done}");
            assert!(buffer[..done] == content[start..start + done]);
            assert!(buffer[done..].iter().all(|byte| *byte == 0));
        }
    }

    #[tokio::test]
    async fn buffers_serve_again_when_nobody_has_their_bytes() {
        let content: Vec<u8> = (0..CHUNK * 3 + 5).map(|number| (number / CHUNK).to_le_bytes()[0]).collect();
        let (_made, file) = file(&content).await;
        let mut stream = file.stream(0..content.len() as u64);
        let kept = stream.try_next().await.unwrap().unwrap();
        let mut at = kept.len();
        while let Some(bytes) = stream.try_next().await.unwrap() {
            assert!(bytes == content[at..at + bytes.len()], "at {at}");
            at += bytes.len();
        }
        assert_eq!(at, content.len());
        assert!(kept == content[..kept.len()]);
        assert_eq!(file.buffers.idle(), 1);
        drop(kept);
        assert_eq!(file.buffers.idle(), 2);
    }

    #[tokio::test]
    async fn a_file_that_changes_is_noticed() {
        let (mut made, file) = file(&vec![7; 300_000]).await;
        file.unchanged().await.unwrap();
        made.write_all(b"more").unwrap();
        let error = file.unchanged().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::HashMismatch);
        made.as_file().set_len(10).unwrap();
        let error = file.stream(0..300_000).try_collect::<Vec<_>>().await.unwrap_err();
        assert!(error.to_string().contains("shorter"), "{error}");
    }

    #[tokio::test]
    async fn one_that_changes_never_gives_its_last_bytes() {
        for change in [
            |file: &File| file.set_len(800_000),
            |file: &File| file.set_len(500_000),
            // As long as it was.
            |file: &File| file.set_modified(SystemTime::UNIX_EPOCH),
        ] as [fn(&File) -> io::Result<()>; 3]
        {
            let (made, file) = file(&vec![7; 600_000]).await;
            let mut stream = file.whole();
            let first = stream.try_next().await.unwrap().unwrap();
            change(made.as_file()).unwrap();
            let mut given = first.len();
            let error = loop {
                match stream.try_next().await {
                    Ok(Some(bytes)) => given += bytes.len(),
                    Ok(None) => panic!("it ended as if all were well"),
                    Err(error) => break error,
                }
            };
            assert!(given < 600_000, "{given}");
            assert!(matches!(error.kind(), ErrorKind::HashMismatch | ErrorKind::Io), "{error}");
            assert!(file.read_whole().await.is_err());
        }
    }

    #[tokio::test]
    async fn one_that_stays_gives_all() {
        let content: Vec<u8> = (0..CHUNK * 2 + 5).map(|number| number.to_le_bytes()[0]).collect();
        let (_made, file) = file(&content).await;
        assert!(file.whole().try_collect::<Vec<_>>().await.unwrap().concat() == content);
        assert!(file.read_whole().await.unwrap() == content);
    }
}
