//! What a driver does where things fail on its way.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::TryStreamExt as _;
use libcloud_common::{Error, ErrorKind, Result};
use libcloud_storage::{Container, Object, StorageDriver, StorageDriverExt as _};

use super::{done_or_missing, unique_name};

/// Larger than what faults begin after.
const SIZE: usize = 300 << 10;

/// What worked through the faults, and what was refused and how.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "whether all, some or none worked is in here"]
#[non_exhaustive]
pub struct Survived {
    /// The operations that gave the right result.
    pub worked: Vec<&'static str>,
    /// The operations that gave a clean error, and its kind.
    pub refused: Vec<(&'static str, ErrorKind)>,
}

/// Lists, downloads, uploads, replaces, creates and deletes through a driver on whose way things fail, and compares with
/// what the server holds by a driver that goes there directly.
///
/// # Panics
/// Unless each gives the right result, or an error of one of these kinds and then leaves all of the old or all of the
/// new: nothing is lost, nothing is there by half, nothing is done twice.
pub async fn storage_survives(
    name: &str,
    through: &Arc<dyn StorageDriver>,
    direct: &Arc<dyn StorageDriver>,
    kinds: &[ErrorKind],
) -> Survived {
    let mut run = Run { name, kinds, survived: Survived::default(), wrong: Vec::new() };
    let containers = [new_name(), new_name()];
    if let Err(error) = run.all(through, direct, &containers).await {
        run.wrong.push(format!("the server itself: {error:#}"));
    }
    for container in containers.map(Container::new) {
        if let Err(error) = clean(direct, &container).await {
            run.wrong.push(format!("cleaning up: {error:#}"));
        }
    }
    assert!(run.wrong.is_empty(), "{name}:\n{}", run.wrong.join("\n"));
    run.survived
}

struct Run<'a> {
    name: &'a str,
    kinds: &'a [ErrorKind],
    survived: Survived,
    wrong: Vec<String>,
}

impl Run<'_> {
    /// Notes how it ended; the answer if there is one.
    fn note<T>(&mut self, what: &'static str, answer: Result<T>) -> Option<T> {
        match answer {
            Ok(answer) => {
                self.survived.worked.push(what);
                Some(answer)
            }
            Err(error) => {
                if !self.kinds.contains(&error.kind()) {
                    let kinds: Vec<_> = self.kinds.iter().map(|kind| kind.as_str()).collect();
                    self.wrong.push(format!("{what}: not {}: {error:#}", kinds.join(" or ")));
                }
                if error.to_string().lines().count() != 1 {
                    self.wrong.push(format!("{what}: not one line for a person: {error}"));
                }
                self.survived.refused.push((what, error.kind()));
                None
            }
        }
    }

    fn hold(&mut self, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.wrong.push(what());
        }
    }

    async fn all(
        &mut self,
        through: &Arc<dyn StorageDriver>,
        direct: &Arc<dyn StorageDriver>,
        [first, second]: &[String; 2],
    ) -> Result<()> {
        let container = direct.create_container(first).await?;
        let big = content(1);
        for name in ["a", "b", "big"] {
            direct.upload_object_via_stream(big.clone().into(), &container, name).await?;
        }
        let listed = through.iterate_container_objects(&container).map_ok(|object| object.name).try_collect();
        if let Some(mut names) = self.note::<Vec<String>>("list", listed.await) {
            names.sort_unstable();
            self.hold(names == ["a", "b", "big"], || format!("list: {names:?}"));
        }
        let object = Object::from_names(first, "big");
        let stream = through.download_object_as_stream(&object).await;
        let read = match stream {
            Ok(stream) => stream.read_all(2 * SIZE).await,
            Err(error) => Err(error),
        };
        if let Some(read) = self.note("download", read) {
            self.hold(read == big, || format!("download: {} other bytes", read.len()));
        }
        self.file(through, &object, &big).await?;

        let new = content(2);
        let made = through.upload_object_via_stream(new.clone().into(), &container, "new").await;
        let made = self.note("upload", made).is_some();
        let there = found(direct, first, "new").await?;
        self.hold(there.as_ref().map_or(!made, |there| *there == new), || {
            format!(
                "upload: done: {made}, and the server holds {:?} bytes of it",
                there.map(|there| there.len())
            )
        });
        let replaced = through.upload_object_via_stream(new.clone().into(), &container, "a").await;
        let replaced = self.note("replace", replaced).is_some();
        let there = found(direct, first, "a").await?.unwrap_or_default();
        self.hold(there == new || (there == big && !replaced), || {
            format!("replace: done: {replaced}, and the server holds {} other bytes", there.len())
        });
        let deleted =
            self.note("delete", through.delete_object(&Object::from_names(first, "b")).await).is_some();
        let there = found(direct, first, "b").await?;
        self.hold(there.as_ref().is_none_or(|there| *there == big && !deleted), || {
            format!("delete: done: {deleted}, and it is still there")
        });
        let made = self.note("create", through.create_container(second).await).is_some();
        let there = match direct.get_container(second).await {
            Ok(_) => true,
            Err(error) if error.kind() == ErrorKind::NotFound => false,
            Err(error) => return Err(error),
        };
        self.hold(there || !made, || "create: done, and it is not there".to_owned());
        let left = found(direct, first, "big").await?;
        self.hold(left == Some(big), || "what nobody touched has changed".to_owned());
        Ok(())
    }

    /// A download into a file: all of it, or no file.
    async fn file(&mut self, through: &Arc<dyn StorageDriver>, object: &Object, big: &Bytes) -> Result<()> {
        let cannot = |error| Error::io("use a folder of the test", error);
        let folder = tempfile::tempdir().map_err(cannot)?;
        let target = folder.path().join("down");
        let down = self.note("download to a file", through.download_object(object, &target).await).is_some();
        let files = std::fs::read_dir(folder.path()).map_err(cannot)?.count();
        let right = if down { std::fs::read(&target).map_err(cannot)? == *big } else { true };
        let name = self.name;
        self.hold(right && files == usize::from(down), || {
            format!("{name}: download to a file: done: {down}, files: {files}, right: {right}")
        });
        Ok(())
    }
}

fn new_name() -> String {
    unique_name().unwrap_or_else(|error| panic!("{error}"))
}

/// Bytes that differ from place to place and from seed to seed.
fn content(seed: u32) -> Bytes {
    (0_u32..).flat_map(|word| (word * 8 + seed).to_le_bytes()).take(SIZE).collect()
}

async fn found(direct: &Arc<dyn StorageDriver>, container: &str, name: &str) -> Result<Option<Bytes>> {
    match direct.download_object_as_stream(&Object::from_names(container, name)).await {
        Ok(stream) => stream.read_all(2 * SIZE).await.map(Some),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

async fn clean(direct: &Arc<dyn StorageDriver>, container: &Container) -> Result<()> {
    let objects = match direct.list_container_objects(container).await {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        objects => objects?,
    };
    for object in &objects {
        done_or_missing(direct.delete_object(object).await)?;
    }
    done_or_missing(direct.delete_container(container).await)
}
