//! Downloads of large objects: in several pieces at once, on and on where the connection breaks, and after a kill.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests may panic")]

use std::path::Path;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use libcloud_common::{
    Capabilities, Descriptor, Driver, Error, ErrorKind, Extensions, Result, Retry, digest,
};
use libcloud_storage::parts::PartPool;
use libcloud_storage::{
    DownloadObject, HashType, Object, ObjectStream, StorageDriver, StorageDriverExt as _, StreamObject,
};

/// What was asked for: the range, and whether of a certain version.
type Asked = (Option<(u64, Option<u64>)>, bool);

/// A provider with one object.
#[derive(Clone)]
struct Store {
    content: Bytes,
    etag: Arc<Mutex<&'static str>>,
    pool: Option<PartPool>,
    /// So many answers break off, each after this many bytes.
    breaks: Arc<Mutex<usize>>,
    after: usize,
    asked: Arc<Mutex<Vec<Asked>>>,
    /// Whether the digest that is told is another.
    lies: bool,
}

impl Store {
    fn new(size: usize) -> Self {
        let content: Vec<u8> = (0..size).map(|at| at.to_le_bytes()[usize::from(at % 3 == 0)]).collect();
        Self {
            content: content.into(),
            etag: Arc::new(Mutex::new("one")),
            pool: None,
            breaks: Arc::default(),
            after: 100_000,
            asked: Arc::default(),
            lies: false,
        }
    }

    fn breaking(self, times: usize) -> Self {
        *self.breaks.lock().unwrap() = times;
        self
    }

    fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

impl Extensions for Store {}

impl Driver for Store {
    fn descriptor(&self) -> Descriptor {
        Descriptor::new("store", "Store", "https://cloud.example")
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::new().features("download_object_as_stream", &["range", "if_match"])
    }
}

#[async_trait]
impl StorageDriver for Store {
    fn download_pool(&self) -> Option<PartPool> {
        self.pool.clone()
    }

    async fn download_object_as_stream_with(
        &self,
        _: &Object,
        options: StreamObject,
    ) -> Result<ObjectStream> {
        let range = options.range.map(|range| (range.start(), range.end()));
        self.asked.lock().unwrap().push((range, options.if_match.is_some()));
        let etag = *self.etag.lock().unwrap();
        if options.if_match.is_some_and(|asked| asked != etag) {
            return Err(Error::new(ErrorKind::InvalidState, "the condition does not hold"));
        }
        let content = match options.range {
            Some(range) => {
                let range = range.within(self.content.len() as u64)?;
                self.content.slice(usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap())
            }
            None => self.content.clone(),
        };
        let size = content.len() as u64;
        let mut pieces: Vec<Result<Bytes>> =
            content.chunks(50_000).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
        let mut breaks = self.breaks.lock().unwrap();
        if *breaks > 0 {
            *breaks -= 1;
            pieces.truncate(self.after / 50_000);
            let broken = Error::new(ErrorKind::Transport, "the connection broke");
            pieces.push(Err(broken.with_retry(Retry::Retryable(None))));
        }
        let stream = ObjectStream::new(stream::iter(pieces).boxed()).with_size(size).with_etag(Some(etag));
        let told = if self.lies { "0".repeat(32) } else { digest::md5_hex(&self.content) };
        Ok(if range.is_none() { stream.with_hash(HashType::Md5, told) } else { stream })
    }
}

fn object() -> Object {
    Object::from_names("box", "a.bin")
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// Downloads it into a folder of its own.
async fn downloaded(store: &Store) -> Result<()> {
    let folder = tempfile::tempdir().unwrap();
    let done = store.download_object(&object(), folder.path()).await;
    if done.is_ok() {
        assert!(std::fs::read(folder.path().join("a.bin")).unwrap() == store.content);
        assert_eq!(names(folder.path()), ["a.bin"]);
    } else {
        assert!(names(folder.path()).is_empty());
    }
    done
}

#[tokio::test]
async fn what_breaks_off_goes_on_where_it_was() {
    let store = Store::new(1_000_000).breaking(2);
    downloaded(&store).await.unwrap();
    assert_eq!(
        store.asked(),
        [(None, false), (Some((100_000, Some(1_000_000))), true), (Some((200_000, Some(1_000_000))), true)]
    );
}

#[tokio::test]
async fn what_brings_nothing_is_given_up() {
    let mut store = Store::new(1_000_000).breaking(usize::MAX);
    store.after = 0;
    let error = downloaded(&store).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport, "{error}");
    assert_eq!(store.asked().len(), 4);
}

#[tokio::test]
async fn another_version_is_never_mixed_in() {
    let store = Store::new(1_000_000).breaking(1);
    let folder = tempfile::tempdir().unwrap();
    let etag = Arc::clone(&store.etag);
    let progress = libcloud_storage::TransferProgress::new(move |_, _| *etag.lock().unwrap() = "two");
    let options = DownloadObject::new().progress(progress);
    let error = store.download_object_with(&object(), folder.path(), options).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::HashMismatch);
    assert!(error.to_string().contains("was replaced while it was downloaded"), "{error}");
    assert!(names(folder.path()).is_empty());
}

const MIB: usize = 1 << 20;

#[tokio::test]
async fn what_is_large_arrives_in_pieces_at_once() {
    let mut store = Store::new(20 * MIB + 5);
    store.pool = Some(PartPool::new(3));
    downloaded(&store).await.unwrap();
    let size = 20 * MIB as u64 + 5;
    let mib = |count: u64| count << 20;
    let mut asked = store.asked();
    asked.sort_unstable();
    assert_eq!(
        asked,
        [(None, false), (Some((mib(8), Some(mib(16)))), true), (Some((mib(16), Some(size))), true)]
    );
    // Several of them at the same time share the room, and none waits for ever.
    let all = (0..4).map(|_| downloaded(&store));
    futures_util::future::try_join_all(all).await.unwrap();
}

#[tokio::test]
async fn pieces_that_break_off_go_on_by_themselves() {
    let mut store = Store::new(20 * MIB).breaking(3);
    store.pool = Some(PartPool::default());
    downloaded(&store).await.unwrap();
    assert_eq!(store.asked().len(), 6);
}

#[tokio::test]
async fn a_range_of_a_large_object_arrives_in_pieces_too() {
    let mut store = Store::new(20 * MIB);
    store.pool = Some(PartPool::default());
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("part");
    store.download_object_range(&object(), &target, 1, Some(17 * MIB as u64 + 1)).await.unwrap();
    assert!(std::fs::read(&target).unwrap() == store.content[1..=17 * MIB]);
    let asked = store.asked();
    assert_eq!(asked[0], (Some((1, Some(17 * MIB as u64 + 1))), false));
    assert!(asked.contains(&(Some((8 * MIB as u64 + 1, Some(16 * MIB as u64 + 1))), true)), "{asked:?}");
}

#[tokio::test]
async fn all_of_it_is_compared_with_the_digest() {
    let mut store = Store::new(20 * MIB);
    store.pool = Some(PartPool::default());
    store.lies = true;
    assert_eq!(downloaded(&store).await.unwrap_err().kind(), ErrorKind::HashMismatch);
}

/// As a killed process leaves it.
fn left_behind(folder: &Path, content: &[u8], etag: &str, size: usize) {
    std::fs::write(folder.join(".a.bin.libcloud-part"), content).unwrap();
    let note = libcloud_common::json!({
        "provider": "store", "container": "box", "object": "a.bin", "etag": etag, "range": null, "size": size,
    });
    std::fs::write(folder.join(".a.bin.libcloud-part.json"), note.to_string()).unwrap();
}

#[cfg(unix)]
#[tokio::test]
async fn what_a_killed_process_left_is_made_whole() {
    let store = Store::new(1_000_000);
    for have in [0, 1, 400_000, 1_000_000] {
        let folder = tempfile::tempdir().unwrap();
        left_behind(folder.path(), &store.content[..have], "one", 1_000_000);
        store.asked.lock().unwrap().clear();
        store.download_object(&object(), folder.path()).await.unwrap();
        assert!(std::fs::read(folder.path().join("a.bin")).unwrap() == store.content);
        assert_eq!(names(folder.path()), ["a.bin"]);
        let rest = Some((have as u64, Some(1_000_000)));
        let expected = match have {
            0 | 1_000_000 => vec![(None, false)],
            _ => vec![(None, false), (rest, true)],
        };
        assert_eq!(store.asked(), expected);
    }
}

#[cfg(unix)]
#[tokio::test]
async fn what_is_left_of_something_else_is_not_used() {
    let store = Store::new(1_000_000);
    for (content, etag, size) in [
        (&store.content[..9], "two", 1_000_000),
        (&store.content[..9], "one", 5),
        (&[7; 9][..], "one", 1_000_000),
    ] {
        let folder = tempfile::tempdir().unwrap();
        left_behind(folder.path(), content, etag, size);
        let done = store.download_object(&object(), folder.path()).await;
        if content[0] == 7 {
            // It says that it is the beginning and is not: the digest finds out, and the next time begins anew.
            assert_eq!(done.unwrap_err().kind(), ErrorKind::HashMismatch);
            store.download_object(&object(), folder.path()).await.unwrap();
        } else {
            done.unwrap();
        }
        assert!(std::fs::read(folder.path().join("a.bin")).unwrap() == store.content);
        assert_eq!(names(folder.path()), ["a.bin"]);
    }
}
