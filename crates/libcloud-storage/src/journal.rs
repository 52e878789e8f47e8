//! What is under way, for the case that this process is killed.

use std::fs::{File, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use libcloud_common::{Error, Result, digest};

use crate::file::blocking;

/// A folder in which uploads in parts are written down while they are under way.
///
/// A provider keeps, and charges for, the parts of an upload that is never finished. Who uploads to the same place again
/// finds the page that a killed process has left, and throws those parts away. A lock keeps away from what another process
/// is about.
#[derive(Clone, Debug)]
pub struct UploadJournal(Arc<Path>);

impl UploadJournal {
    /// The journal in this folder, which is made when something is written.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self(folder.into().into())
    }

    /// For drivers: the page of one place, which says provider, account, container and object. None while another upload to
    /// this place is under way.
    ///
    /// # Errors
    /// `Io` if the folder cannot be written to.
    pub async fn page(&self, place: &str) -> Result<Option<JournalPage>> {
        let folder = Arc::clone(&self.0);
        let path = folder.join(digest::sha256_hex(place));
        let opened = blocking(move || {
            std::fs::create_dir_all(&folder)?;
            let mut options = File::options();
            JournalPage::locked(
                options.read(true).write(true).create(true).truncate(false).open(&path)?,
                path,
            )
        });
        opened.await.map_err(|error| self.cannot(error))
    }

    /// For drivers: the page of one place if a killed process has left one, for an upload that needs none of its own.
    ///
    /// # Errors
    /// `Io` if it cannot be read.
    pub async fn left(&self, place: &str) -> Result<Option<JournalPage>> {
        let path = self.0.join(digest::sha256_hex(place));
        let opened = blocking(move || match File::options().read(true).write(true).open(&path) {
            Ok(file) => JournalPage::locked(file, path),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        });
        opened.await.map_err(|error| self.cannot(error))
    }

    fn cannot(&self, error: io::Error) -> Error {
        Error::io(format_args!("write down an upload in {}", self.0.display()), error)
    }
}

/// The page of one place. It stays until it is cleared, whatever becomes of this process.
#[derive(Debug)]
pub struct JournalPage {
    file: File,
    path: PathBuf,
    left: String,
}

impl JournalPage {
    /// The page of this file, unless another upload has it.
    fn locked(mut file: File, path: PathBuf) -> io::Result<Option<Self>> {
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        let mut left = String::new();
        file.read_to_string(&mut left)?;
        Ok(Some(Self { file, path, left }))
    }

    /// What an earlier process has left: the id of an upload.
    pub fn left(&self) -> Option<&str> {
        Some(self.left.as_str()).filter(|left| !left.is_empty())
    }

    /// Writes down the id of an upload that has begun.
    ///
    /// # Errors
    /// `Io`.
    pub async fn note(&self, upload_id: &str) -> Result<()> {
        let (written, id) = (self.file.try_clone(), upload_id.to_owned());
        let done = blocking(move || {
            let mut file = written?;
            file.set_len(0)?;
            file.rewind()?;
            file.write_all(id.as_bytes())
        });
        done.await.map_err(|error| Error::io(format_args!("write {}", self.path.display()), error))
    }

    /// Removes the page: the upload is finished, or thrown away.
    pub fn clear(self) {
        // One that stays makes the next upload look for what is not there any more.
        let _ = std::fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_a_killed_process_wrote_down_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let journal = UploadJournal::new(folder.path().join("uploads"));
        let page = journal.page("s3:box/a").await.unwrap().unwrap();
        assert_eq!(page.left(), None);
        page.note("upload-1").await.unwrap();
        assert!(journal.left("s3:box/a").await.unwrap().is_none(), "it is under way");
        assert!(journal.page("s3:box/a").await.unwrap().is_none(), "it is under way");
        assert!(journal.page("s3:box/b").await.unwrap().is_some());
        drop(page);
        let page = journal.page("s3:box/a").await.unwrap().unwrap();
        assert_eq!(page.left(), Some("upload-1"));
        page.note("2").await.unwrap();
        drop(page);
        let page = journal.page("s3:box/a").await.unwrap().unwrap();
        assert_eq!(page.left(), Some("2"));
        drop(page);
        journal.left("s3:box/a").await.unwrap().unwrap().clear();
        assert!(journal.left("s3:box/a").await.unwrap().is_none());
        assert_eq!(journal.page("s3:box/a").await.unwrap().unwrap().left(), None);
    }

    #[tokio::test]
    async fn a_folder_that_cannot_be_is_told() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let error = UploadJournal::new(file.path().join("uploads")).page("x").await.unwrap_err();
        assert!(error.to_string().contains("write down an upload in"), "{error}");
    }
}
