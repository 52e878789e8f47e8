//! The files of known hosts, and what becomes of a server that is in none of them.

use std::fmt;
use std::io::Write as _;
use std::path::Path;
use std::sync::PoisonError;

use libcloud_common::{Error, ErrorKind, Result, digest, encode};
use libcloud_compute::sha256_fingerprint;

use crate::host_keys::{HostKeys, unreadable};

/// A key that was accepted because nothing was known of its server.
pub(crate) struct Learned {
    host: String,
    key: HostKey,
}

/// A public key as it stands in files: its kind and its content in base64.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct HostKey {
    kind: String,
    content: String,
}

impl HostKey {
    pub(crate) fn new(kind: impl Into<String>, content: impl Into<String>) -> Self {
        Self { kind: kind.into(), content: content.into() }
    }

    pub(crate) fn kind(&self) -> &str {
        &self.kind
    }

    /// `SHA256:…`, as OpenSSH shows it.
    pub(crate) fn fingerprint(&self) -> String {
        sha256_fingerprint(&self.to_string()).unwrap_or_else(|_| "of an unknown form".into())
    }
}

impl fmt::Display for HostKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.content)
    }
}

/// What is known of one server.
#[derive(Default)]
pub(crate) struct Known {
    /// Its keys, each with the place where it stands.
    keys: Vec<(HostKey, String)>,
    /// Keys that no server may have any more.
    revoked: Vec<(HostKey, String)>,
}

impl Known {
    /// The kinds of its keys: the server is asked for one of them first.
    pub(crate) fn kinds(&self) -> impl Iterator<Item = &str> {
        self.keys.iter().map(|(key, _)| key.kind())
    }
}

impl HostKeys {
    /// Everything that is known of this server.
    ///
    /// # Errors
    /// `Io` for a file that cannot be read.
    pub(crate) fn look_up(&self, hostname: &str, port: u16) -> Result<Known> {
        let host = host_name(hostname, port);
        let mut known = Known::default();
        for (file, must_be) in self.places() {
            match std::fs::read(&file) {
                Ok(text) => read(&file, &String::from_utf8_lossy(&text), &host, &mut known),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound && !must_be => {}
                Err(error) => {
                    return Err(unreadable(&file, error));
                }
            }
        }
        Ok(known)
    }

    /// Whether the server may have this key. One that is new is remembered, if new ones are accepted.
    ///
    /// # Errors
    /// `Tls` if it may not.
    pub(crate) fn accept(&self, known: &Known, hostname: &str, port: u16, key: &HostKey) -> Result<Verdict> {
        let host = host_name(hostname, port);
        if let Some((_, place)) = known.revoked.iter().find(|(revoked, _)| revoked == key) {
            return Err(refused(format!("the host key of {host} is revoked by {place}: {}", told(key))));
        }
        if let Some((_, place)) = known.keys.iter().find(|(one, _)| one == key) {
            return Ok(Verdict::Known(place.clone()));
        }
        let advice = format!(
            "somebody may be in between; if the address belongs to another machine now, remove the old key (ssh-keygen -R \
             '{host}')"
        );
        if let Some((_, place)) = known.keys.first() {
            return Err(refused(format!(
                "the host key of {host} has changed: it is {}, and {place} has another; {advice}",
                told(key)
            )));
        }
        let mut learned = self.learned.lock().unwrap_or_else(PoisonError::into_inner);
        match learned.iter().find(|one| one.host == host) {
            Some(one) if one.key == *key => Ok(Verdict::Remembered),
            Some(one) => Err(refused(format!(
                "the host key of {host} has changed since this deployment began: it was {}, and is {}",
                told(&one.key),
                told(key)
            ))),
            None if self.accepts_new() => {
                if let Some(path) = self.saves_to() {
                    save(path, &host, key)?;
                }
                learned.push(Learned { host, key: key.clone() });
                Ok(Verdict::New)
            }
            None => Err(refused(format!(
                "the host key of {host} is not known: it is {}; compare it with what the server's owner tells, and add it to \
                 a file of known hosts, or accept new keys",
                told(key)
            ))),
        }
    }
}

/// Why a key is accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It stands there.
    Known(String),
    /// It was accepted before.
    Remembered,
    /// Nothing was known of the server.
    New,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(place) => write!(f, "known by {place}"),
            Self::Remembered => f.write_str("the same as before"),
            Self::New => f.write_str("new, and remembered"),
        }
    }
}

fn told(key: &HostKey) -> String {
    format!("{} ({})", key.fingerprint(), key.kind)
}

fn refused(message: String) -> Error {
    Error::new(ErrorKind::Tls, message)
}

/// How files of known hosts name a server.
fn host_name(hostname: &str, port: u16) -> String {
    let hostname = hostname.to_ascii_lowercase();
    if port == 22 { hostname } else { format!("[{hostname}]:{port}") }
}

/// Collects what a file says of a server. A line that cannot be read says nothing, as with OpenSSH.
fn read(file: &Path, text: &str, host: &str, known: &mut Known) {
    for (index, line) in text.lines().enumerate() {
        let mut words = line.split_whitespace().peekable();
        let marker = words.next_if(|word| word.starts_with('@'));
        let (Some(hosts), Some(kind), Some(content)) = (words.next(), words.next(), words.next()) else {
            continue;
        };
        if hosts.starts_with('#') || !names(hosts, host) {
            continue;
        }
        let entry = (HostKey::new(kind, content), format!("{}:{}", file.display(), index + 1));
        match marker {
            None => known.keys.push(entry),
            Some("@revoked") => known.revoked.push(entry),
            Some(_) => {}
        }
    }
}

/// Whether a list of patterns, or a hashed name, means this host.
fn names(hosts: &str, host: &str) -> bool {
    if let Some(hashed) = hosts.strip_prefix("|1|") {
        let Some((salt, hash)) = hashed.split_once('|') else { return false };
        let (Ok(salt), Ok(hash)) = (encode::decode_base64(salt), encode::decode_base64(hash)) else {
            return false;
        };
        return digest::hmac_sha1(&salt, host.as_bytes()).as_slice() == hash;
    }
    let mut is_named = false;
    for pattern in hosts.split(',') {
        let pattern = pattern.to_ascii_lowercase();
        match pattern.strip_prefix('!') {
            Some(pattern) if matches(pattern.as_bytes(), host.as_bytes()) => return false,
            Some(_) => {}
            None => is_named |= matches(pattern.as_bytes(), host.as_bytes()),
        }
    }
    is_named
}

/// `*` is any text, `?` any letter.
fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(letter) if *letter == b'?' || Some(letter) == text.get(t) => {
                p += 1;
                t += 1;
            }
            // The last star takes one letter more.
            _ => match &mut star {
                Some((at, taken)) => {
                    *taken += 1;
                    (p, t) = (*at + 1, *taken);
                }
                None => return false,
            },
        }
    }
    pattern.get(p..).is_some_and(|rest| rest.iter().all(|letter| *letter == b'*'))
}

/// Adds a line to a file, which is made for its owner alone if it is not there.
fn save(path: &Path, host: &str, key: &HostKey) -> Result<()> {
    let fail = |error| Error::io(format_args!("add a host key to {}", path.display()), error);
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(fail)?;
    }
    let mut options = std::fs::OpenOptions::new();
    options.create(true).read(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).map_err(fail)?;
    let mut before = Vec::new();
    std::io::Read::read_to_end(&mut file, &mut before).map_err(fail)?;
    // A last line without its end would swallow the new one.
    let separator = if before.last().is_none_or(|byte| *byte == b'\n') { "" } else { "\n" };
    file.write_all(format!("{separator}{host} {key}\n").as_bytes()).map_err(fail)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    const ED25519: &str = "AAAAC3NzaC1lZDI1NTE5AAAAIJ2Vs0bXzvh4+nTeENnWOvNy+B5kh4HSHM8dQBtM7eJB";

    fn key() -> HostKey {
        HostKey::new("ssh-ed25519", ED25519)
    }

    fn other() -> HostKey {
        HostKey::new("ssh-ed25519", ED25519.replace("7eJB", "7eJC"))
    }

    fn verdict(keys: &HostKeys, host: &str, port: u16, key: &HostKey) -> Result<Verdict> {
        keys.accept(&keys.look_up(host, port)?, host, port, key)
    }

    fn file(lines: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("known_hosts");
        std::fs::write(&path, lines).unwrap();
        (folder, path)
    }

    #[test]
    fn a_key_of_a_file_is_known_and_another_has_changed() {
        let lines = format!("# all\n\nweb,10.0.0.7 ssh-ed25519 {ED25519} me\n[web]:2222 ssh-rsa AAAA\n");
        let (_folder, path) = file(&lines);
        for keys in [HostKeys::strict(), HostKeys::accept_new()] {
            let keys = keys.file(&path);
            let place = format!("{}:3", path.display());
            for host in ["web", "WEB", "10.0.0.7"] {
                assert_eq!(verdict(&keys, host, 22, &key()).unwrap(), Verdict::Known(place.clone()));
            }
            let error = verdict(&keys, "web", 22, &other()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Tls);
            let text = error.to_string();
            assert!(text.contains("has changed") && text.contains(&place), "{text}");
            assert!(text.contains("SHA256:") && text.contains("ssh-keygen -R 'web'"), "{text}");
            // Of another kind than the one that is known, it has changed as well.
            assert!(verdict(&keys, "web", 2222, &key()).unwrap_err().to_string().contains("[web]:2222"));
        }
    }

    #[test]
    fn a_new_server_is_refused_or_remembered() {
        let strict = HostKeys::strict().without_files();
        let error = verdict(&strict, "new", 22, &key()).unwrap_err();
        assert!(error.to_string().contains("is not known: it is SHA256:"), "{error}");

        let keys = HostKeys::accept_new().without_files();
        let clone = keys.clone();
        assert_eq!(verdict(&keys, "new", 22, &key()).unwrap(), Verdict::New);
        assert_eq!(verdict(&clone, "new", 22, &key()).unwrap(), Verdict::Remembered);
        let error = verdict(&clone, "new", 22, &other()).unwrap_err();
        assert!(error.to_string().contains("has changed since this deployment began"), "{error}");
        assert_eq!(verdict(&clone, "new", 2222, &other()).unwrap(), Verdict::New);
    }

    #[test]
    fn accepted_keys_are_saved_on_a_line_of_their_own() {
        let (_folder, path) = file("a ssh-rsa AAAA");
        let keys = HostKeys::accept_new().without_files().save_to(&path);
        assert_eq!(verdict(&keys, "new", 2222, &key()).unwrap(), Verdict::New);
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text, format!("a ssh-rsa AAAA\n[new]:2222 ssh-ed25519 {ED25519}\n"));
        // Another deployment finds it there.
        let later = HostKeys::strict().file(&path);
        assert!(matches!(verdict(&later, "new", 2222, &key()).unwrap(), Verdict::Known(_)));
    }

    #[test]
    fn patterns_hashes_and_markers_are_understood() {
        // The hash is what `ssh-keygen -H` makes of `[web]:2222`, with a salt of twenty zeros.
        let salt = encode::base64([0; 20]);
        let hash = encode::base64(digest::hmac_sha1(&[0; 20], b"[web]:2222"));
        let lines = format!(
            "*.example,!bad.example ssh-ed25519 {ED25519}\n|1|{salt}|{hash} ssh-ed25519 {ED25519}\n\
             @revoked * ssh-rsa REVOKED\n@cert-authority * ssh-rsa CA\nbroken\n"
        );
        let (_folder, path) = file(&lines);
        let keys = HostKeys::strict().file(&path);
        assert!(verdict(&keys, "a.example", 22, &key()).is_ok());
        assert!(verdict(&keys, "web", 2222, &key()).is_ok());
        for (host, port) in [("bad.example", 22), ("example", 22), ("web", 22)] {
            let error = verdict(&keys, host, port, &key()).unwrap_err();
            assert!(error.to_string().contains("is not known"), "{host}: {error}");
        }
        let revoked = HostKey::new("ssh-rsa", "REVOKED");
        let error = verdict(&HostKeys::accept_new().file(&path), "x", 22, &revoked).unwrap_err();
        assert!(error.to_string().contains("is revoked by"), "{error}");
    }

    #[test]
    fn a_file_that_was_named_must_be_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("none");
        let error = HostKeys::strict().file(&path).look_up("a", 22).map(drop).unwrap_err();
        assert!(error.kind() == ErrorKind::Io && error.to_string().contains("none"), "{error}");
        assert!(HostKeys::accept_new().file(&path).save_to(&path).look_up("a", 22).is_ok());
    }

    #[test]
    fn stars_and_question_marks() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("a*c", "abbc", true),
            ("a*c", "abb", false),
            ("*.*.x", "a.b.c.x", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("", "a", false),
        ] {
            assert_eq!(matches(pattern.as_bytes(), text.as_bytes()), expected, "{pattern} {text}");
        }
    }
}
