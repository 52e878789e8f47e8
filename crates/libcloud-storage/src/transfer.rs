//! Transfers by path, for every driver.

use std::io;
use std::path::{Path, PathBuf};

use futures_util::TryStreamExt as _;
use libcloud_common::{Error, ErrorKind, Result};
use tempfile::{NamedTempFile, TempPath};
use tokio::fs::File;
use tokio::io::AsyncWriteExt as _;

use crate::driver::StorageDriver;
use crate::hash::{self, Hasher};
use crate::options::{ByteRange, DownloadObject, StreamObject, UploadObject, guess_content_type};
use crate::resources::{Container, Object};
use crate::stream::{ObjectStream, TransferProgress, UploadBody};

/// Makes an object of a file.
pub(crate) async fn upload<D: StorageDriver + ?Sized>(
    driver: &D,
    path: &Path,
    container: &Container,
    object_name: &str,
    mut options: UploadObject,
) -> Result<Object> {
    options.file_type = path.file_name().and_then(|name| guess_content_type(name.to_str()?));
    let body = UploadBody::from_file(path).await?;
    driver.upload_object_via_stream_with(body, container, object_name, options).await
}

/// Writes an object, or a range of it, into a file.
pub(crate) async fn download<D: StorageDriver + ?Sized>(
    driver: &D,
    object: &Object,
    destination: &Path,
    range: Option<ByteRange>,
    options: DownloadObject,
) -> Result<()> {
    let target = target(object, destination).await?;
    let cannot = |error| Error::io(format_args!("write {}", target.display()), error);
    match tokio::fs::symlink_metadata(&target).await {
        Ok(_) if !options.overwrite_existing => return Err(exists(&target)),
        // The rename would put a file in the place of a device or pipe.
        Ok(meta) if !meta.is_file() && !meta.is_symlink() => {
            return Err(Error::invalid_argument(format!(
                "{} is not a file: read the object as a stream and write it there",
                target.display()
            )));
        }
        _ => {}
    }
    let mut stream_options = StreamObject::new();
    stream_options.range = range;
    stream_options.timeout = options.timeout;
    stream_options.ex = options.ex;
    let content = driver.download_object_as_stream_with(object, stream_options).await?;

    let (file, path) = temporary(&target).await.map_err(cannot)?;
    if let Err(error) = receive(content, object, file, options.progress).await {
        let error = match error {
            Failure::Local(error) => cannot(error),
            Failure::Remote(error) => error,
        };
        return Err(if options.delete_on_failure { error } else { keep(path, &target, error).await });
    }
    let overwrite = options.overwrite_existing;
    let to = target.clone();
    let placed = blocking(move || {
        let placed = if overwrite { path.persist(to) } else { path.persist_noclobber(to) };
        placed.map_err(|error| error.error)
    });
    placed.await.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => exists(&target),
        _ => cannot(error),
    })
}

/// The file that is meant: the destination, or in a folder the last part of the object's name.
async fn target(object: &Object, destination: &Path) -> Result<PathBuf> {
    let is_folder = tokio::fs::metadata(destination).await.is_ok_and(|meta| meta.is_dir());
    if !is_folder {
        return Ok(destination.to_owned());
    }
    let last = object.name.rsplit('/').next().unwrap_or_default();
    // One ordinary component: what a provider names `..`, or `C:` or `a\b` on a system where that is a path, must not
    // lead out of the folder.
    let mut components = Path::new(last).components();
    let is_plain = matches!(
        (components.next(), components.next()),
        (Some(std::path::Component::Normal(name)), None) if name == last
    );
    if !is_plain || last.contains('\0') {
        return Err(Error::new(
            ErrorKind::InvalidName,
            format!(
                "object `{}` cannot be a file in {}: give a file as the destination",
                object.name.escape_debug(),
                destination.display()
            ),
        )
        .with_resource("object", &object.name));
    }
    Ok(destination.join(last))
}

fn exists(target: &Path) -> Error {
    let target = target.display().to_string();
    Error::new(
        ErrorKind::AlreadyExists,
        format!("file `{target}` exists already; set `overwrite_existing` to replace it"),
    )
    .with_resource("file", target)
}

/// What failed: this machine, or the other end.
enum Failure {
    Local(io::Error),
    Remote(Error),
}

/// Writes all that arrives, and compares it with what the provider promises.
async fn receive(
    mut content: ObjectStream,
    object: &Object,
    mut file: File,
    progress: Option<TransferProgress>,
) -> Result<(), Failure> {
    let mut hasher = content.hash.as_ref().map(|(hash_type, _)| Hasher::new(*hash_type));
    let mut done = 0;
    while let Some(bytes) = content.stream.try_next().await.map_err(Failure::Remote)? {
        file.write_all(&bytes).await.map_err(Failure::Local)?;
        if let Some(hasher) = &mut hasher {
            hasher.update(&bytes);
        }
        done += bytes.len() as u64;
        if let Some(progress) = &progress {
            progress.advanced(done, content.size);
        }
    }
    // Without this, an error of the last write would go unnoticed.
    file.flush().await.map_err(Failure::Local)?;
    if let Some(size) = content.size
        && size != done
    {
        return Err(Failure::Remote(
            Error::new(
                ErrorKind::HashMismatch,
                format!("object `{}`: {size} bytes were promised, {done} arrived", object.name),
            )
            .with_resource("object", &object.name),
        ));
    }
    match (hasher, &content.hash) {
        (Some(hasher), Some((_, told))) => {
            hash::verify(&object.name, told, &hasher.hex()).map_err(Failure::Remote)
        }
        _ => Ok(()),
    }
}

/// A new file beside the target, so that the rename stays within one file system. It goes away when it is dropped.
async fn temporary(target: &Path) -> io::Result<(File, TempPath)> {
    let folder = match target.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    };
    blocking(move || {
        let mut builder = tempfile::Builder::new();
        builder.prefix(".libcloud-").suffix(".part");
        // What the file is to have in the end, less the user's mask, and not the owner's alone.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let (file, path) = builder.tempfile_in(folder).map(NamedTempFile::into_parts)?;
        Ok((File::from_std(file), path))
    })
    .await
}

/// Keeps what has arrived beside the target, and says where.
async fn keep(path: TempPath, target: &Path, error: Error) -> Error {
    let mut part = target.as_os_str().to_owned();
    part.push(".part");
    let part = PathBuf::from(part);
    let to = part.clone();
    match blocking(move || path.persist(to).map_err(|error| error.error)).await {
        Ok(()) => error.context(format_args!("what arrived is in {}", part.display())),
        Err(_) => error,
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}
