//! Files that are filled beside their place and take it when they are whole.
//!
//! What is being filled has a name that follows from the file's (`.photo.jpg.libcloud-part`), so that whoever runs the same
//! command again after this process was killed finds it: to go on where it ended, if it is known to be the beginning of the
//! same content, or to begin anew in it. A lock keeps two processes apart; the second takes a name of its own.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use libcloud_common::Value;
use tempfile::{NamedTempFile, TempPath};

/// The file. It goes away when this is dropped, unless it was placed.
#[derive(Debug)]
pub(super) struct Landing {
    file: File,
    path: TempPath,
    /// How much of it an earlier run has filled.
    have: u64,
    /// What tells of which content it is.
    note: Option<TempPath>,
}

impl Landing {
    /// Opens the file for this target. `version` is what only the same content has.
    pub(super) fn open(target: &Path, version: Option<&Value>) -> io::Result<Self> {
        match named(target, version) {
            Ok(Some(landing)) => Ok(landing),
            // A folder that is not there, or is not ours, is told by the other way, too.
            Ok(None) | Err(_) => temporary(target),
        }
    }

    pub(super) fn file(&self) -> &File {
        &self.file
    }

    /// How many of its bytes are there already.
    pub(super) fn have(&self) -> u64 {
        self.have
    }

    /// Lets it take the target's place.
    pub(super) fn place(self, target: &Path, overwrite: bool) -> io::Result<()> {
        // First, so that the note of a file that is placed never stays.
        drop(self.note);
        let placed = if overwrite { self.path.persist(target) } else { self.path.persist_noclobber(target) };
        placed.map_err(|error| error.error)
    }
}

fn folder(target: &Path) -> &Path {
    match target.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// A new file beside the target, so that the rename stays within one file system.
fn temporary(target: &Path) -> io::Result<Landing> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".libcloud-").suffix(".part");
    // What the file is to have in the end, less the user's mask, and not the owner's alone.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let (file, path) = builder.tempfile_in(folder(target)).map(NamedTempFile::into_parts)?;
    Ok(Landing { file, path, have: 0, note: None })
}

/// The file whose name follows from the target's; nothing if somebody else has it, or it may be a trap.
#[cfg(unix)]
fn named(target: &Path, version: Option<&Value>) -> io::Result<Option<Landing>> {
    let Some(part) = part_name(target) else { return Ok(None) };
    let Some(file) = own(&part)? else { return Ok(None) };
    let path = TempPath::try_from_path(&part)?;
    let note_path = {
        let mut name = part.into_os_string();
        name.push(".json");
        PathBuf::from(name)
    };
    let told = std::fs::read(&note_path).ok();
    let same = version.is_some_and(|version| {
        told.as_deref().and_then(|told| serde_json::from_slice::<Value>(told).ok()).as_ref() == Some(version)
    });
    let have = if same { file.metadata()?.len() } else { 0 };
    if !same {
        file.set_len(0)?;
        if told.is_some() {
            std::fs::remove_file(&note_path)?;
        }
    }
    let note = match version {
        Some(version) if !same => {
            // After the old content is gone and before the new one comes.
            let mut note = open_own(&note_path)?;
            note.set_len(0)?;
            io::Write::write_all(&mut note, version.to_string().as_bytes())?;
            Some(TempPath::try_from_path(note_path)?)
        }
        Some(_) => Some(TempPath::try_from_path(note_path)?),
        None => None,
    };
    Ok(Some(Landing { file, path, have, note }))
}

#[cfg(not(unix))]
fn named(_: &Path, _: Option<&Value>) -> io::Result<Option<Landing>> {
    Ok(None)
}

/// `.photo.jpg.libcloud-part`; none where a name would be too long.
#[cfg(unix)]
fn part_name(target: &Path) -> Option<PathBuf> {
    const LONGEST: usize = 255 - ".".len() - ".libcloud-part.json".len();
    let name = target.file_name().filter(|name| name.len() <= LONGEST)?;
    let mut part = std::ffi::OsString::from(".");
    part.push(name);
    part.push(".libcloud-part");
    Some(folder(target).join(part))
}

/// Opens the file and locks it. Nothing where another process has it locked.
#[cfg(unix)]
fn own(path: &Path) -> io::Result<Option<File>> {
    use std::os::unix::fs::MetadataExt as _;
    // Who had it locked may have placed or removed it meanwhile: then what is locked here is not what is there.
    for _ in 0..3 {
        let file = open_own(path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(std::fs::TryLockError::WouldBlock) => return Ok(None),
            Err(std::fs::TryLockError::Error(error)) => return Err(error),
        }
        let (locked, there) = (file.metadata()?, std::fs::symlink_metadata(path));
        if there.is_ok_and(|there| (there.dev(), there.ino()) == (locked.dev(), locked.ino())) {
            return Ok(Some(file));
        }
    }
    Ok(None)
}

/// Opens a file that may be there. In a folder that many may write to, somebody could have put a link there, or a file of
/// his own in which he reads what is written: such is refused.
#[cfg(unix)]
fn open_own(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
    let no_links = i32::try_from(rustix::fs::OFlags::NOFOLLOW.bits()).unwrap_or_default();
    let file = std::fs::OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o666)
        .custom_flags(no_links)
        .open(path)?;
    let meta = file.metadata()?;
    if !meta.is_file() || meta.nlink() != 1 || meta.uid() != rustix::process::geteuid().as_raw() {
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    Ok(file)
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::io::{Read as _, Write as _};

    use libcloud_common::json;

    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// As if the process had been killed.
    fn kill(landing: Landing) {
        let Landing { path, note, .. } = landing;
        path.keep().unwrap();
        if let Some(note) = note {
            note.keep().unwrap();
        }
    }

    #[test]
    fn what_was_killed_goes_on_if_it_is_the_same_content() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("a.txt");
        let (first, other) = (json!({ "etag": "1" }), json!({ "etag": "2" }));
        let mut killed = Landing::open(&target, Some(&first)).unwrap();
        killed.file.write_all(b"abc").unwrap();
        kill(killed);
        assert_eq!(names(folder.path()), [".a.txt.libcloud-part", ".a.txt.libcloud-part.json"]);

        let again = Landing::open(&target, Some(&first)).unwrap();
        assert_eq!(again.have(), 3);
        kill(again);
        for version in [Some(&other), None, Some(&first)] {
            let anew = Landing::open(&target, version).unwrap();
            assert_eq!((anew.have(), anew.file.metadata().unwrap().len()), (0, 0), "{version:?}");
            anew.file().write_all(b"abcd").unwrap();
            kill(anew);
        }
        let mut whole = Landing::open(&target, Some(&first)).unwrap();
        let mut text = String::new();
        whole.file.read_to_string(&mut text).unwrap();
        assert_eq!(text, "abcd");
        whole.place(&target, false).unwrap();
        assert_eq!(names(folder.path()), ["a.txt"]);
    }

    #[test]
    fn what_is_dropped_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        drop(Landing::open(&folder.path().join("a.txt"), Some(&json!({}))).unwrap());
        assert!(names(folder.path()).is_empty());
    }

    #[test]
    fn two_at_once_do_not_meet() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("a.txt");
        let one = Landing::open(&target, None).unwrap();
        let other = Landing::open(&target, None).unwrap();
        one.file().write_all(b"one").unwrap();
        other.file().write_all(b"other").unwrap();
        other.place(&target, false).unwrap();
        let error = one.place(&target, false).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(std::fs::read(&target).unwrap(), b"other");
        assert_eq!(names(folder.path()), ["a.txt"]);
    }

    #[test]
    fn a_trap_is_not_stepped_into() {
        let folder = tempfile::tempdir().unwrap();
        let (target, precious) = (folder.path().join("a.txt"), folder.path().join("precious"));
        std::fs::write(&precious, "precious").unwrap();
        let part = folder.path().join(".a.txt.libcloud-part");
        for set in [
            (|precious, part| std::os::unix::fs::symlink(precious, part))
                as fn(&Path, &Path) -> io::Result<()>,
            |precious, part| std::fs::hard_link(precious, part),
        ] {
            set(&precious, &part).unwrap();
            let landing = Landing::open(&target, None).unwrap();
            landing.file().write_all(b"abc").unwrap();
            landing.place(&target, true).unwrap();
            assert_eq!(std::fs::read(&precious).unwrap(), b"precious");
            assert_eq!(std::fs::read(&target).unwrap(), b"abc");
            std::fs::remove_file(&part).unwrap();
        }
    }

    #[test]
    fn names_that_are_long_already_are_no_problem() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("x".repeat(250));
        Landing::open(&target, None).unwrap().place(&target, false).unwrap();
        assert!(target.exists());
        assert!(Landing::open(Path::new("/nowhere/at/all"), None).is_err());
    }
}
