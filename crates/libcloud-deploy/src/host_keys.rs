//! Which key a server may have: the policy, for both clients.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use libcloud_common::{Error, Result};
use tempfile::TempPath;

/// Which host keys are accepted.
///
/// A key other than a known one, and one that is revoked, is an error in every case. What is known stands in files in the
/// format of OpenSSH: `~/.ssh/known_hosts` and `/etc/ssh/ssh_known_hosts`, unless others are given.
///
/// ```
/// use libcloud_deploy::HostKeys;
///
/// // A server that was made a moment ago: nobody can know its key yet. It is remembered from the first connection on,
/// // by this value and all its clones.
/// let of_new_nodes = HostKeys::accept_new();
/// // Servers that are known.
/// let of_old_ones = HostKeys::strict().file("/etc/team/known_hosts");
/// assert_ne!(of_new_nodes, of_old_ones);
/// ```
///
/// Authorities that sign host keys (`@cert-authority`) are not looked at: a server that shows a certificate alone cannot be
/// connected to.
#[derive(Clone)]
pub struct HostKeys {
    policy: Policy,
    /// `None`: the usual ones.
    files: Option<Vec<PathBuf>>,
    save_to: Option<PathBuf>,
    /// What was accepted because nothing was known of its server.
    #[cfg(feature = "ssh")]
    pub(crate) learned: Arc<Mutex<Vec<crate::native::Learned>>>,
    /// The same for the system's `ssh`, which remembers in a file.
    memory: Arc<Mutex<Option<TempPath>>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Policy {
    Strict,
    AcceptNew,
}

impl HostKeys {
    /// A server must be known.
    pub fn strict() -> Self {
        Self {
            policy: Policy::Strict,
            files: None,
            save_to: None,
            #[cfg(feature = "ssh")]
            learned: Arc::default(),
            memory: Arc::default(),
        }
    }

    /// A server of which nothing is known is accepted, and its key remembered by this value and its clones.
    pub fn accept_new() -> Self {
        Self { policy: Policy::AcceptNew, ..Self::strict() }
    }

    /// Looks into this file in place of the usual ones; into several, if it is called so often. It must be there, unless new
    /// keys are saved to it.
    pub fn file(mut self, path: impl Into<PathBuf>) -> Self {
        self.files.get_or_insert_default().push(path.into());
        self
    }

    /// Looks into no file at all: for addresses that another machine may have had before.
    pub fn without_files(mut self) -> Self {
        self.files = Some(Vec::new());
        self
    }

    /// Adds each accepted key to this file, and looks into it too.
    pub fn save_to(mut self, path: impl Into<PathBuf>) -> Self {
        self.save_to = Some(path.into());
        self
    }

    /// The files that are looked into, and whether each must be there.
    pub(crate) fn places(&self) -> Vec<(PathBuf, bool)> {
        let mut places: Vec<(PathBuf, bool)> = if let Some(files) = &self.files {
            files.iter().map(|file| (file.clone(), Some(file) != self.save_to.as_ref())).collect()
        } else {
            let home = std::env::home_dir().map(|home| home.join(".ssh/known_hosts"));
            let usual = home.into_iter().chain([PathBuf::from("/etc/ssh/ssh_known_hosts")]);
            usual.map(|file| (file, false)).collect()
        };
        if let Some(file) = &self.save_to
            && !places.iter().any(|(place, _)| place == file)
        {
            places.push((file.clone(), false));
        }
        places
    }

    /// The files for the system's `ssh`.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        self.places().into_iter().map(|(file, _)| file).collect()
    }

    pub(crate) fn accepts_new(&self) -> bool {
        self.policy == Policy::AcceptNew
    }

    /// The file that accepted keys are to be added to.
    pub(crate) fn saves_to(&self) -> Option<&Path> {
        self.save_to.as_deref()
    }

    /// The file that the system's `ssh` remembers new keys in, as long as this value or a clone is there.
    pub(crate) fn memory(&self) -> Result<PathBuf> {
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(path) = &*memory {
            return Ok(path.to_path_buf());
        }
        let made = tempfile::Builder::new().prefix("libcloud-known-hosts-").tempfile();
        let made = made.map_err(|error| Error::io("make a file for host keys", error))?;
        Ok(memory.insert(made.into_temp_path()).to_path_buf())
    }

    /// Whether the files that must be there can be read.
    ///
    /// # Errors
    /// `Io` for one that cannot.
    pub(crate) fn check(&self) -> Result<()> {
        for (file, must_be) in self.places() {
            if must_be {
                std::fs::File::open(&file).map_err(|error| unreadable(&file, error))?;
            }
        }
        Ok(())
    }
}

pub(crate) fn unreadable(file: &Path, error: std::io::Error) -> Error {
    Error::io(format_args!("read the known hosts in {}", file.display()), error)
}

impl fmt::Debug for HostKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HostKeys")
            .field("policy", &self.policy)
            .field("files", &self.files)
            .field("save_to", &self.save_to)
            .finish_non_exhaustive()
    }
}

impl PartialEq for HostKeys {
    fn eq(&self, other: &Self) -> bool {
        (self.policy, &self.files, &self.save_to) == (other.policy, &other.files, &other.save_to)
            && Arc::ptr_eq(&self.memory, &other.memory)
    }
}
