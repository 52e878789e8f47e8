//! What goes up in parts and comes down in pieces, through each of the doors of the faults peer, which must be running in
//! front of a real server; see `peer_faults.rs`. After each transfer the server itself is asked what it holds, and for
//! uploads that nobody ends.

#![expect(
    clippy::panic,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a test fails by panicking, and says how each door went"
)]

mod doors;

use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use libcloud_aws::S3Driver;
use libcloud_common::{Error, ErrorKind, Result, SystemClock, unique_token};
use libcloud_storage::{Container, Object, StorageDriverExt as _, UploadBody};

use doors::{ALL, DOORS, DOWN, Expected, config, direct};

const MIB: usize = 1 << 20;
/// Two parts, and not two whole ones.
const UP_SIZE: usize = 9 * MIB + 3;
/// Pieces enough to be fetched beside each other.
const DOWN_SIZE: usize = 17 * MIB + 3;

/// A few bytes of answers a second: what is large would never be there.
const SLOW: [&str; 2] = ["SLOW", "DRIP"];

/// Bytes of which no two stretches are alike.
fn content(seed: u32, size: usize) -> Bytes {
    (0_u32..).flat_map(|word| (word * 8 + seed).to_le_bytes()).take(size).collect()
}

/// One door, and how the transfers through it ended.
struct Run<'a> {
    expected: &'a Expected,
    up: S3Driver,
    down: S3Driver,
    direct: S3Driver,
    container: Container,
    refused: Vec<&'static str>,
    wrong: Vec<String>,
}

/// How many doors are gone through at a time: most of them wait.
const AT_ONCE: usize = 4;

#[tokio::test]
async fn each_door_gives_the_whole_or_a_clean_error_and_leaves_nothing() {
    let mut doors: Vec<&Expected> = DOORS.iter().collect();
    // The slowest first.
    doors.sort_by_key(|expected| expected.door != "STALL_DOWN");
    let wrong: Vec<_> = stream::iter(doors).map(through).buffer_unordered(AT_ONCE).collect().await;
    let wrong = wrong.concat();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Goes through one door; what was wrong.
async fn through(expected: &Expected) -> Vec<String> {
    let mut config = config(expected.door);
    if expected.door != "SILENT" {
        // A server that several doors keep busy may take a while.
        config.transport.idle_timeout = Duration::from_secs(5);
    }
    let mut impatient = config.clone();
    if expected.door == "STALL_DOWN" {
        // It waits many times.
        impatient.transport.idle_timeout = Duration::from_millis(800);
    }
    let down = S3Driver::new(impatient).unwrap();
    let direct = S3Driver::new(direct()).unwrap();
    let name = format!("libcloud-{}", unique_token().unwrap());
    let container = direct.create_container(&name).await.unwrap();
    let up = S3Driver::new(config).unwrap();
    let mut run = Run { expected, up, down, direct, container, refused: Vec::new(), wrong: Vec::new() };
    let clock = SystemClock::shared();
    let started = clock.elapsed();
    run.all().await;
    let took = clock.elapsed().saturating_sub(started);
    if took > Duration::from_secs(expected.seconds * 4) {
        run.wrong.push(format!("it took {took:?}"));
    }
    run.as_expected();
    run.clean().await;
    eprintln!("{}: {took:.1?}, refused {:?}", expected.door, run.refused);
    run.wrong.iter().map(|problem| format!("{}: {problem}", expected.door)).collect()
}

impl Run<'_> {
    async fn all(&mut self) {
        let folder = tempfile::tempdir().unwrap();
        let up = folder.path().join("up");
        let new = content(1, UP_SIZE);
        std::fs::write(&up, &new).unwrap();

        let sent = self.up.upload_object(&up, &self.container, "by path").await;
        self.uploaded("upload", "by path", sent, &new, None).await;
        let pieces: Vec<_> = new.chunks(MIB).map(|piece| Ok(new.slice_ref(piece))).collect();
        let body = UploadBody::new(stream::iter(pieces));
        let sent = self.up.upload_object_via_stream(body, &self.container, "by stream").await;
        self.uploaded("upload", "by stream", sent, &new, None).await;
        let old = content(2, 100);
        self.put("replaced", &old).await;
        let sent = self.up.upload_object(&up, &self.container, "replaced").await;
        self.uploaded("replace", "replaced", sent, &new, Some(&old)).await;

        if SLOW.contains(&self.expected.door) {
            return;
        }
        // Each stall is waited for, and there is one in every 100,000 bytes.
        let size = if self.expected.door == "STALL_DOWN" { 2 * MIB } else { DOWN_SIZE };
        let large = content(3, size);
        self.put("large", &large).await;
        let object = Object::from_names(&*self.container.name, "large");
        self.downloaded_to_a_file(&object, &large, folder.path()).await;
        let read = match self.down.download_object_as_stream(&object).await {
            Ok(stream) => stream.read_all(2 * DOWN_SIZE).await,
            Err(error) => Err(error),
        };
        if let Some(read) = self.note("download", read)
            && read != large
        {
            self.wrong.push(format!("download: {} other bytes", read.len()));
        }
    }

    async fn put(&self, name: &str, content: &Bytes) {
        self.direct.upload_object_via_stream(content.clone().into(), &self.container, name).await.unwrap();
    }

    /// The answer, if there is one; else whether the error is one that is expected here.
    fn note<T>(&mut self, what: &'static str, answer: Result<T>) -> Option<T> {
        match answer {
            Ok(answer) => Some(answer),
            Err(error) => {
                self.refused.push(what);
                if !self.expected.kinds.contains(&error.kind()) || error.to_string().lines().count() != 1 {
                    self.wrong.push(format!("{what}: {error:#}"));
                }
                None
            }
        }
    }

    /// All of the new is there, or all of what was there before and an error; and no upload that nobody ends.
    async fn uploaded(
        &mut self,
        what: &'static str,
        name: &str,
        sent: Result<Object>,
        new: &Bytes,
        old: Option<&Bytes>,
    ) {
        // Where the way back is bad, too, or an answer is lost, something may stay; then it must be told.
        let told = sent.as_ref().is_err_and(|error: &Error| {
            let text = error.to_string();
            text.contains("still there") || text.contains("may exist")
        });
        let done = self.note(what, sent).is_some();
        let found = match self
            .direct
            .download_object_as_stream(&Object::from_names(&*self.container.name, name))
            .await
        {
            Ok(stream) => Some(stream.read_all(2 * DOWN_SIZE).await.unwrap()),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => panic!("{error:#}"),
        };
        let whole = found.as_ref() == Some(new);
        if !whole && (done || found.as_ref() != old) {
            let length = found.map(|found| found.len());
            self.wrong.push(format!("{what} {name}: done: {done}, and the server holds {length:?} bytes"));
        }
        let uploads = self.direct.ex_iterate_multipart_uploads(&self.container, None, None);
        let uploads: Vec<_> = uploads.try_collect().await.unwrap();
        if !uploads.is_empty() && !told {
            self.wrong.push(format!("{what} {name}: nobody ends {uploads:?}"));
        }
        self.direct.ex_cleanup_all_multipart_uploads(&self.container, None).await.unwrap();
    }

    /// All of it, or no file.
    async fn downloaded_to_a_file(&mut self, object: &Object, large: &Bytes, folder: &Path) {
        let folder = folder.join("down");
        std::fs::create_dir(&folder).unwrap();
        let down = self.down.download_object(object, &folder.join("file")).await;
        let done = self.note("download to a file", down).is_some();
        let files = std::fs::read_dir(&folder).unwrap().count();
        if files != usize::from(done) || (done && std::fs::read(folder.join("file")).unwrap() != *large) {
            self.wrong.push(format!("download to a file: done: {done}, files: {files}"));
        }
    }

    /// What this door refuses always was refused, and what does not suffer from it was not.
    fn as_expected(&mut self) {
        let Expected { kinds, refuses, .. } = *self.expected;
        let small = ["list", "delete", "create"];
        let missing = |what: &&&str| !small.contains(*what) && !self.refused.contains(*what);
        let skipped = SLOW.contains(&self.expected.door);
        let lenient: Vec<_> = refuses.iter().filter(missing).collect();
        if !lenient.is_empty() && !skipped {
            self.wrong.push(format!("{lenient:?} were to be refused"));
        }
        let certain = kinds.is_empty() || refuses == DOWN || (!refuses.is_empty() && refuses != ALL);
        if certain && self.refused.iter().any(|what| !refuses.contains(what)) {
            self.wrong.push(format!("only {refuses:?} were to be refused, and {:?} were", self.refused));
        }
    }

    async fn clean(&self) {
        for object in self.direct.list_container_objects(&self.container).await.unwrap() {
            self.direct.delete_object(&object).await.unwrap();
        }
        self.direct.delete_container(&self.container).await.unwrap();
    }
}
