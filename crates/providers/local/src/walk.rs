//! Listing the objects of a container in the order of their names, with one folder of each level in memory.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use libcloud_common::{Error, Result};
use libcloud_storage::{Container, Object};

use crate::folder::{self, Entry};
use crate::names;

/// A listing in progress.
pub(crate) struct Walk {
    container: Arc<Container>,
    prefix: String,
    levels: Vec<Level>,
}

struct Level {
    path: PathBuf,
    /// What the names of its objects begin with: empty, or `a/b/`.
    name: String,
    /// The names of its files, and those of its folders with a slash.
    entries: std::vec::IntoIter<String>,
}

impl Walk {
    /// Begins at the folder that all names with this prefix are in.
    pub(crate) fn new(root: PathBuf, container: Container, prefix: String) -> Result<Self> {
        let mut walk = Self { container: Arc::new(container), levels: Vec::new(), prefix };
        let folder = match walk.prefix.rfind('/') {
            Some(end) => walk.prefix.get(..=end).unwrap_or_default().to_owned(),
            None => String::new(),
        };
        let mut path = root;
        for part in folder.split_terminator('/') {
            path.push(part);
            // No object has such a name, or there is no such folder: nothing is listed.
            if names::problem_of(part).is_some() || !matches!(folder::entry(&path), Ok(Entry::Folder(_))) {
                return Ok(walk);
            }
        }
        walk.enter(path, folder)?;
        Ok(walk)
    }

    /// The next objects, at most so many; none at the end.
    pub(crate) fn next(&mut self, count: usize) -> Result<Vec<Object>> {
        let mut objects = Vec::new();
        while objects.len() < count {
            let Some(level) = self.levels.last_mut() else {
                break;
            };
            let Some(entry) = level.entries.next() else {
                self.levels.pop();
                continue;
            };
            let name = format!("{}{entry}", level.name);
            let path = level.path.join(entry.trim_end_matches('/'));
            if entry.ends_with('/') {
                self.enter(path, name)?;
                continue;
            }
            match folder::entry(&path) {
                Ok(Entry::File(meta)) => objects.push(folder::object(&name, &self.container, &meta)),
                // It was deleted meanwhile, or something else has taken its place.
                Ok(_) => {}
                Err(error) => return Err(cannot(&path, error)),
            }
        }
        Ok(objects)
    }

    /// Goes down into a folder.
    fn enter(&mut self, path: PathBuf, name: String) -> Result<()> {
        let found = match fs::read_dir(&path) {
            Ok(found) => found,
            Err(error) if folder::is_gone(&error) => return Ok(()),
            Err(error) => return Err(cannot(&path, error)),
        };
        let mut entries = Vec::new();
        for entry in found {
            let entry = entry.map_err(|error| cannot(&path, error))?;
            let (Ok(mut part), Ok(kind)) = (entry.file_name().into_string(), entry.file_type()) else {
                continue;
            };
            if kind.is_dir() {
                // With the slash it sorts as the names of its objects do: `a-b` before `a/b`.
                part.push('/');
            } else if !kind.is_file() {
                continue;
            }
            let full = format!("{name}{part}");
            if full.starts_with(&self.prefix) || (kind.is_dir() && self.prefix.starts_with(&full)) {
                entries.push(part);
            }
        }
        entries.sort_unstable();
        self.levels.push(Level { path, name, entries: entries.into_iter() });
        Ok(())
    }
}

fn cannot(path: &Path, error: io::Error) -> Error {
    Error::io(format_args!("list {}", path.display()), error)
}
