//! The files of this machine that transfers read and write.

use std::io;
use std::path::{Component, Path, PathBuf};

use libcloud::{Error, ErrorKind, Result};

/// Every file below a folder with its name relative to it, the parts joined by slashes, in the order of names.
///
/// Links to files are followed. Links to folders are not, as they may lead in circles; nor are sockets and the like
/// read. `skipped` hears of these.
pub(crate) fn files(root: &Path, mut skipped: impl FnMut(&Path)) -> Result<Vec<(PathBuf, String)>> {
    let cannot = |path: &Path, error| Error::io(format_args!("read {}", path.display()), error);
    let mut found = Vec::new();
    let mut folders = vec![(root.to_owned(), String::new())];
    while let Some((folder, prefix)) = folders.pop() {
        for entry in std::fs::read_dir(&folder).map_err(|error| cannot(&folder, error))? {
            let entry = entry.map_err(|error| cannot(&folder, error))?;
            let path = entry.path();
            let Ok(name) = entry.file_name().into_string() else {
                return Err(Error::new(
                    ErrorKind::InvalidName,
                    format!("{} cannot be the name of an object: it is no Unicode text", path.display()),
                ));
            };
            let relative = format!("{prefix}{name}");
            let kind = entry.file_type().map_err(|error| cannot(&path, error))?;
            if kind.is_dir() {
                folders.push((path, format!("{relative}/")));
            } else if std::fs::metadata(&path).is_ok_and(|meta| meta.is_file()) {
                found.push((path, relative));
            } else {
                skipped(&path);
            }
        }
    }
    found.sort_by(|(_, one), (_, other)| one.cmp(other));
    Ok(found)
}

/// A folder that downloads go into, and out of which no name leads.
#[derive(Clone, Debug)]
pub(crate) struct Destination {
    root: PathBuf,
}

impl Destination {
    /// The folder. It is made when the first file goes into it.
    pub(crate) fn new(root: PathBuf) -> Self {
        Self { root }
    }

    /// Where an object of this name goes, or would go if it could.
    pub(crate) fn shown(&self, name: &str) -> String {
        format!("{}/{name}", self.root.display().to_string().trim_end_matches('/'))
    }

    /// The file for an object of this name, with the folders that it is in.
    ///
    /// # Errors
    /// `InvalidName` if the name, or a link in the folder, leads out of it; `AlreadyExists` if a folder is there.
    pub(crate) fn prepare(&self, name: &str) -> Result<PathBuf> {
        let refuse = |why: &str| {
            Error::new(
                ErrorKind::InvalidName,
                format!(
                    "object `{}` is not written into {}: {why}",
                    name.escape_debug(),
                    self.root.display()
                ),
            )
            .with_resource("object", name)
        };
        let target = self.root.join(relative(name).ok_or_else(|| refuse("its name is no path in a folder"))?);
        let cannot = |error| Error::io(format_args!("write {}", target.display()), error);
        std::fs::create_dir_all(&self.root).map_err(cannot)?;
        let real_root = self.root.canonicalize().map_err(cannot)?;
        let folder = target.parent().unwrap_or(&self.root);
        // The nearest folder that is there decides where new ones are made.
        for above in folder.ancestors() {
            match above.canonicalize() {
                Ok(real) if real.starts_with(&real_root) => break,
                Ok(_) => return Err(refuse("a link leads out of the folder")),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(cannot(error)),
            }
        }
        std::fs::create_dir_all(folder).map_err(cannot)?;
        // A link to a folder counts, too: what is written to it would land in that folder.
        if target.is_dir() {
            let message = format!("there is a folder {} where a file is to be", target.display());
            return Err(Error::new(ErrorKind::AlreadyExists, message));
        }
        Ok(target)
    }
}

/// The name of an object as a path: one ordinary component a part, on this system.
fn relative(name: &str) -> Option<PathBuf> {
    let is_plain = |part: &str| {
        let mut components = Path::new(part).components();
        let first = matches!(components.next(), Some(Component::Normal(whole)) if whole == part);
        // On Windows a colon parts a file from its alternate stream.
        first && components.next().is_none() && !part.contains('\0') && !(cfg!(windows) && part.contains(':'))
    };
    name.split('/').all(is_plain).then(|| name.split('/').collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_below() {
        assert_eq!(relative("a/b c/d").as_deref(), Some(Path::new("a/b c/d")));
        for wrong in ["", "..", "a/../b", "a/..", "/etc/passwd", "a//b", "a/", "./a", "a\0b"] {
            assert_eq!(relative(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn files_are_found_below_and_in_order() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("b/c")).unwrap();
        for name in ["z", "b/2", "b/c/1", "a"] {
            std::fs::write(folder.path().join(name), name).unwrap();
        }
        let found = files(folder.path(), |path| panic!("skipped {}", path.display())).unwrap();
        let names: Vec<_> = found.iter().map(|(_, name)| name.as_str()).collect();
        assert_eq!(names, ["a", "b/2", "b/c/1", "z"]);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_does_not_lead_out() {
        let (inside, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        std::os::unix::fs::symlink(outside.path(), inside.path().join("way")).unwrap();
        std::os::unix::fs::symlink("gone", inside.path().join("dangling")).unwrap();
        let destination = Destination::new(inside.path().to_owned());
        assert_eq!(destination.prepare("way/x").unwrap_err().kind(), ErrorKind::InvalidName);
        assert_eq!(destination.prepare("way/new/x").unwrap_err().kind(), ErrorKind::InvalidName);
        assert_eq!(destination.prepare("way").unwrap_err().kind(), ErrorKind::AlreadyExists);
        assert!(destination.prepare("dangling/x").is_err());
        assert_eq!(std::fs::read_dir(outside.path()).unwrap().count(), 0);
        assert_eq!(destination.prepare("new/x").unwrap(), inside.path().join("new/x"));
        assert!(inside.path().join("new").is_dir());
    }
}
