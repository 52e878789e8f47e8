//! Files that are replaced as a whole or not at all.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use libcloud_common::{Error, Result};

/// Writes a file beside the target and renames it. A link is followed; the permissions of a file that is replaced stay.
pub(crate) async fn replace(path: &Path, contents: Vec<u8>) -> Result<()> {
    let target = path.to_owned();
    tokio::task::spawn_blocking(move || replace_now(&target, &contents))
        .await
        .map_err(io::Error::other)
        .flatten()
        .map_err(|error| Error::io(format_args!("write {}", path.display()), error))
}

fn replace_now(path: &Path, contents: &[u8]) -> io::Result<()> {
    let path = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    };
    let mut builder = tempfile::Builder::new();
    // Readable by the name server, as far as the user's mask allows; a temporary file would be private.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = builder.prefix(".zone-").tempfile_in(folder)?;
    if let Ok(existing) = std::fs::metadata(&path) {
        file.as_file().set_permissions(existing.permissions())?;
    }
    file.write_all(contents)?;
    file.as_file().sync_all()?;
    file.persist(&path)?;
    Ok(())
}
