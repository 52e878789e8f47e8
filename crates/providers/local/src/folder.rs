//! The base folder: everything that touches the file system and blocks.

use std::fs::{self, File, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use libcloud_common::{Error, ErrorKind, Extra, ExtraFields, Result, Timestamp};
use libcloud_storage::{Container, Object, guess_content_type};
use serde::{Deserialize, Serialize};
use tempfile::{NamedTempFile, TempPath};

use crate::names::{self, HIDDEN};

/// How often a step is tried again that another task or process has crossed. Each crossing is progress of theirs, so
/// that only a file system that contradicts itself comes to the end.
const TRIES: usize = 1000;

/// The names of files in the making.
const UPLOAD: &str = "upload-";

/// `extra` of containers and objects: the times of the folder or file, in seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FileTimes {
    /// When its entry was last changed: the nearest to a creation that Unix keeps.
    pub creation_time: f64,
    /// When it was last read, as far as the file system keeps that.
    pub access_time: f64,
    /// When its content was last changed.
    pub modify_time: f64,
}

impl ExtraFields for FileTimes {}

/// The base folder.
#[derive(Debug)]
pub(crate) struct Folder {
    base: PathBuf,
    swept: AtomicBool,
}

/// A file in the making: open and locked, and gone when it is dropped before it is placed.
pub(crate) struct Upload {
    pub(crate) file: File,
    path: TempPath,
}

impl Folder {
    /// The base folder of this path.
    ///
    /// # Errors
    /// `InvalidArgument` if it is not there or not a folder.
    pub(crate) fn open(base: &str) -> Result<Self> {
        let invalid = |problem: &dyn std::fmt::Display| {
            Error::invalid_argument(format!("`key` is the base folder, and `{base}` is none: {problem}"))
                .with_resource("argument", "key")
        };
        match fs::metadata(base) {
            Ok(meta) if meta.is_dir() => Ok(Self { base: base.into(), swept: AtomicBool::new(false) }),
            Ok(_) => Err(invalid(&"not a directory")),
            Err(error) => Err(invalid(&error)),
        }
    }

    /// All containers, by name.
    pub(crate) fn containers(&self) -> Result<Vec<Container>> {
        let cannot = |error| Error::io(format_args!("list {}", self.base.display()), error);
        let mut containers = Vec::new();
        for entry in fs::read_dir(&self.base).map_err(cannot)? {
            let entry = entry.map_err(cannot)?;
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            if names::container(&name).is_err() {
                continue;
            }
            // One that is deleted meanwhile is none.
            if let Ok((_, container)) = self.container(&name) {
                containers.push(container);
            }
        }
        containers.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(containers)
    }

    /// One container and its path.
    pub(crate) fn container(&self, name: &str) -> Result<(PathBuf, Container)> {
        names::container(name)?;
        let path = self.base.join(name);
        match entry(&path).map_err(|error| Error::io(format_args!("look at {}", path.display()), error))? {
            Entry::Folder(meta) => {
                let container = Container::new(name).with_extra(times(&meta));
                Ok((path, container))
            }
            Entry::Link => Err(names::invalid("container", name, "leads through a symbolic link")),
            Entry::File(_) | Entry::Other | Entry::Nothing => Err(Error::not_found("container", name)),
        }
    }

    /// Makes a container.
    pub(crate) fn create_container(&self, name: &str) -> Result<Container> {
        names::container(name)?;
        let path = self.base.join(name);
        match fs::create_dir(&path) {
            Ok(()) => self.container(name).map(|(_, container)| container),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Err(Error::already_exists("container", name))
            }
            Err(error) => Err(Error::io(format_args!("create {}", path.display()), error)),
        }
    }

    /// Deletes a container without objects.
    pub(crate) fn delete_container(&self, name: &str) -> Result<()> {
        let (path, _) = self.container(name)?;
        remove_empty(&path).map_err(|error| match error.kind() {
            io::ErrorKind::DirectoryNotEmpty => {
                Error::new(ErrorKind::NotEmpty, format!("container `{name}` is not empty"))
                    .with_resource("container", name)
            }
            io::ErrorKind::NotFound => Error::not_found("container", name),
            _ => Error::io(format_args!("delete {}", path.display()), error),
        })
    }

    /// One object.
    pub(crate) fn object(&self, container_name: &str, object_name: &str) -> Result<Object> {
        let (root, container) = self.container(container_name)?;
        let (_, meta) = find(&root, object_name)?;
        Ok(object(object_name, &Arc::new(container), &meta))
    }

    /// The content of an object, and its size.
    pub(crate) fn read(&self, container_name: &str, object_name: &str) -> Result<(File, Metadata)> {
        let (root, _) = self.container(container_name)?;
        for _ in 0..TRIES {
            let (path, expected) = find(&root, object_name)?;
            match File::open(&path).and_then(|file| file.metadata().map(|meta| (file, meta))) {
                // A link that has taken the file's place since would be another file.
                Ok((file, meta)) if identity(&meta) == identity(&expected) => return Ok((file, meta)),
                Ok(_) => {}
                Err(error) if is_gone(&error) => {}
                Err(error) => return Err(Error::io(format_args!("read {}", path.display()), error)),
            }
        }
        Err(crossed(object_name))
    }

    /// Deletes an object and the folders that it leaves empty.
    pub(crate) fn delete_object(&self, container_name: &str, object_name: &str) -> Result<()> {
        let (root, _) = self.container(container_name)?;
        let (path, _) = find(&root, object_name)?;
        fs::remove_file(&path).map_err(|error| {
            // A folder has taken its place: the object is gone.
            if is_gone(&error) || error.kind() == io::ErrorKind::IsADirectory {
                Error::not_found("object", object_name)
            } else {
                Error::io(format_args!("delete {}", path.display()), error)
            }
        })?;
        // Not the container itself. A folder that has got another object meanwhile stays, with those above it.
        for parent in path.ancestors().skip(1).take_while(|parent| *parent != root) {
            if fs::remove_dir(parent).is_err() {
                break;
            }
        }
        Ok(())
    }

    /// A file in the making.
    pub(crate) fn upload(&self) -> Result<Upload> {
        let folder = self.base.join(HIDDEN).join("tmp");
        let cannot = |error| Error::io(format_args!("write in {}", folder.display()), error);
        fs::create_dir_all(&folder).map_err(cannot)?;
        if !self.swept.swap(true, Ordering::Relaxed) {
            sweep(&folder);
        }
        let mut builder = tempfile::Builder::new();
        builder.prefix(UPLOAD);
        // What the object is to have, less the user's mask: others may read the folder too.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        for _ in 0..TRIES {
            let (file, path) = builder.tempfile_in(&folder).map(NamedTempFile::into_parts).map_err(cannot)?;
            // Between its making and its locking, another process may have taken it for one that was left behind.
            // Where the file system has no locks, nobody can take it.
            let taken = matches!(file.try_lock(), Err(fs::TryLockError::WouldBlock));
            let mine = file.metadata().map_err(cannot)?;
            if !taken && fs::symlink_metadata(&path).is_ok_and(|meta| identity(&meta) == identity(&mine)) {
                return Ok(Upload { file, path });
            }
        }
        Err(crossed("a file in the making"))
    }

    /// Makes a finished file an object, in one step.
    pub(crate) fn place(
        &self,
        upload: Upload,
        container_name: &str,
        object_name: &str,
        only_if_absent: bool,
    ) -> Result<Object> {
        let Upload { file, mut path } = upload;
        for _ in 0..TRIES {
            // Another task may delete the folders between their making and the rename: each round begins anew.
            let (root, container) = self.container(container_name)?;
            let Some(target) = make_way(&root, object_name)? else {
                continue;
            };
            let placed = if only_if_absent { path.persist_noclobber(&target) } else { path.persist(&target) };
            let error = match placed {
                Ok(()) => {
                    let meta = file
                        .metadata()
                        .map_err(|error| Error::io(format_args!("look at {}", target.display()), error))?;
                    return Ok(object(object_name, &Arc::new(container), &meta));
                }
                Err(error) => error,
            };
            path = error.path;
            match error.error.kind() {
                _ if is_gone(&error.error) => {}
                io::ErrorKind::IsADirectory => {}
                io::ErrorKind::AlreadyExists if !only_if_absent => {}
                io::ErrorKind::AlreadyExists => return Err(Error::already_exists("object", object_name)),
                _ => return Err(Error::io(format_args!("write {}", target.display()), error.error)),
            }
        }
        Err(crossed(object_name))
    }
}

/// What is at a path, links not followed.
pub(crate) enum Entry {
    Nothing,
    File(Metadata),
    Folder(Metadata),
    Link,
    Other,
}

pub(crate) fn entry(path: &Path) -> io::Result<Entry> {
    match fs::symlink_metadata(path) {
        Ok(meta) if meta.is_dir() => Ok(Entry::Folder(meta)),
        Ok(meta) if meta.is_file() => Ok(Entry::File(meta)),
        Ok(meta) if meta.is_symlink() => Ok(Entry::Link),
        Ok(_) => Ok(Entry::Other),
        Err(error) if is_gone(&error) => Ok(Entry::Nothing),
        Err(error) => Err(error),
    }
}

/// Whether there is nothing of that path, or no folder where one was.
pub(crate) fn is_gone(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// The file of an object, and what the file system says of it.
fn find(root: &Path, name: &str) -> Result<(PathBuf, Metadata)> {
    names::object(name)?;
    let mut path = root.to_owned();
    let mut parts = name.split('/').peekable();
    while let Some(part) = parts.next() {
        path.push(part);
        let found =
            entry(&path).map_err(|error| Error::io(format_args!("look at {}", path.display()), error))?;
        match found {
            Entry::Folder(_) if parts.peek().is_some() => {}
            Entry::File(meta) if parts.peek().is_none() => return Ok((path, meta)),
            Entry::Link => return Err(names::invalid("object", name, "leads through a symbolic link")),
            _ => break,
        }
    }
    Err(Error::not_found("object", name))
}

/// Makes the folders above an object and gives its path; `None` if another task has crossed that.
fn make_way(root: &Path, name: &str) -> Result<Option<PathBuf>> {
    names::object(name)?;
    let in_the_way = |problem: &str| Err(names::invalid("object", name, problem));
    let mut path = root.to_owned();
    let mut parts = name.split('/').peekable();
    while let Some(part) = parts.next() {
        path.push(part);
        let is_last = parts.peek().is_none();
        let cannot = |error| Error::io(format_args!("write {}", path.display()), error);
        match entry(&path).map_err(cannot)? {
            Entry::Folder(_) if is_last => {
                // What objects that are gone have left makes room; another task may have been faster.
                match remove_empty(&path) {
                    Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => {
                        return in_the_way("is the folder of other objects here");
                    }
                    Err(error) if !is_gone(&error) => return Err(cannot(error)),
                    _ => {}
                }
            }
            Entry::Folder(_) => {}
            Entry::File(_) | Entry::Nothing if is_last => {}
            Entry::Nothing => match fs::create_dir(&path) {
                Ok(()) => {}
                Err(error) if is_gone(&error) || error.kind() == io::ErrorKind::AlreadyExists => {
                    return Ok(None);
                }
                Err(error) => return Err(cannot(error)),
            },
            Entry::File(_) => return in_the_way("goes through another object, which is a file here"),
            Entry::Link => return in_the_way("leads through a symbolic link"),
            Entry::Other => return in_the_way("is neither a file nor a folder here"),
        }
    }
    Ok(Some(path))
}

/// Deletes a folder that holds nothing but folders, from within. What holds anything else stays, and the system says
/// so.
fn remove_empty(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        // Not a link to a folder: the type is that of the entry itself.
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            match remove_empty(&entry.path()) {
                Err(error) if !is_gone(&error) => return Err(error),
                _ => {}
            }
        }
    }
    fs::remove_dir(folder)
}

/// Deletes what processes have left that died while they wrote: nobody holds its lock any more.
fn sweep(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let ours = entry.file_name().to_str().is_some_and(|name| name.starts_with(UPLOAD))
            && entry.file_type().is_ok_and(|kind| kind.is_file());
        if !ours {
            continue;
        }
        // Held until the file is gone: let go earlier, its writer could lock it between the two and then lose it.
        let Ok(file) = File::open(entry.path()) else { continue };
        if file.try_lock().is_ok() {
            // Another process may have been faster.
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// An object of this file.
pub(crate) fn object(name: &str, container: &Arc<Container>, meta: &Metadata) -> Object {
    let modified = since_1970(meta.modified());
    let last_modified = i64::try_from(modified.as_secs())
        .ok()
        .and_then(|seconds| Timestamp::from_unix_seconds(seconds).ok())
        .map(|time| time.after(std::time::Duration::from_nanos(modified.subsec_nanos().into())));
    Object::new(name, meta.len(), container)
        .with_content_type(guess_content_type(name))
        .with_last_modified(last_modified)
        .with_etag(Some(etag(meta)))
        .with_extra(times(meta))
}

/// What only this version of a file has.
pub(crate) fn etag(meta: &Metadata) -> String {
    let ((device, node), modified) = (identity(meta), since_1970(meta.modified()));
    format!("{device:x}-{node:x}-{:x}-{:x}", modified.as_nanos(), meta.len())
}

fn times(meta: &Metadata) -> Extra {
    Extra::of(FileTimes {
        creation_time: changed(meta),
        access_time: since_1970(meta.accessed()).as_secs_f64(),
        modify_time: since_1970(meta.modified()).as_secs_f64(),
    })
}

/// Zero for what the file system does not keep, and for times before.
fn since_1970(time: io::Result<SystemTime>) -> std::time::Duration {
    time.ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok()).unwrap_or_default()
}

#[cfg(unix)]
#[expect(clippy::cast_precision_loss, reason = "times as the seed has them: floating-point seconds")]
fn changed(meta: &Metadata) -> f64 {
    use std::os::unix::fs::MetadataExt as _;
    meta.ctime() as f64 + meta.ctime_nsec() as f64 / 1e9
}

#[cfg(not(unix))]
fn changed(meta: &Metadata) -> f64 {
    since_1970(meta.created()).as_secs_f64()
}

/// What tells one file from another: the device and the number on it.
#[cfg(unix)]
fn identity(meta: &Metadata) -> (u64, u64) {
    use std::os::unix::fs::MetadataExt as _;
    (meta.dev(), meta.ino())
}

#[cfg(not(unix))]
fn identity(meta: &Metadata) -> (u64, u64) {
    (0, since_1970(meta.created()).as_secs())
}

fn crossed(name: &str) -> Error {
    Error::new(
        ErrorKind::InvalidState,
        format!("other tasks have crossed the work on `{name}` {TRIES} times; try again"),
    )
    .with_retry(libcloud_common::Retry::Retryable(None))
}
