//! Private keys: read, decrypted, and known by their fingerprint alone.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use libcloud_common::{Error, ErrorKind, Result, Secret};
use russh::keys::{HashAlg, PrivateKey, decode_secret_key};

use crate::config::{SshAuth, SshConfig};
use crate::log::{SshLog, log};

/// The keys of `~/.ssh` that are tried where none is given.
const DEFAULTS: [&str; 3] = ["id_ed25519", "id_ecdsa", "id_rsa"];

/// A private key that is ready for use.
#[derive(Clone)]
pub(crate) struct Key {
    pub(super) key: Arc<PrivateKey>,
    /// How it is told of: its file, its kind and its fingerprint.
    pub(super) told: String,
}

/// What a way in needs, read from the disk.
#[derive(Clone)]
pub(crate) enum Way {
    Password(Secret),
    Answers(Vec<Secret>),
    Key(Key),
    /// At its socket, which is not there where no agent is.
    Agent(Option<PathBuf>),
}

/// The ways into a server, their keys read and decrypted once for all connections.
#[derive(Clone)]
pub(crate) struct Ways {
    of: Vec<SshAuth>,
    pub(super) ways: Arc<[Way]>,
}

impl Ways {
    /// Reads what a configuration names. Takes its time: a passphrase is meant to cost some.
    ///
    /// # Errors
    /// `Io` for a key that cannot be read, `InvalidArgument` for what is no key, `InvalidCredentials` for a wrong passphrase.
    pub(crate) fn read(auth: Vec<SshAuth>, log: &SshLog) -> Result<Self> {
        let mut ways = Vec::new();
        for auth in &auth {
            match auth {
                SshAuth::Password(password) => ways.push(Way::Password(password.clone())),
                SshAuth::KeyboardInteractive(answers) => ways.push(Way::Answers(answers.clone())),
                SshAuth::KeyFile { path, passphrase } => {
                    ways.push(Way::Key(read_file(path, passphrase.as_ref())?));
                }
                SshAuth::KeyMaterial { key, passphrase } => {
                    ways.push(Way::Key(decode(key, passphrase.as_ref(), "the key that was given")?));
                }
                SshAuth::Agent => ways.push(Way::Agent(agent())),
                SshAuth::AgentAt(path) => ways.push(Way::Agent(Some(path.clone()))),
                SshAuth::Defaults => {
                    ways.extend(agent().map(|socket| Way::Agent(Some(socket))));
                    ways.extend(default_keys(log).into_iter().map(Way::Key));
                }
            }
        }
        Ok(Self { of: auth, ways: ways.into() })
    }

    /// Reads the keys of many servers, each once for all of those that have it. What cannot be read is told when its server
    /// has its turn.
    pub(crate) async fn read_once(servers: impl Iterator<Item = &mut SshConfig>) {
        let mut read: Vec<Self> = Vec::new();
        for ssh in servers {
            let auth = ssh.ways();
            let known = read.iter().find(|ways| ways.of == auth).cloned();
            ssh.loaded = match known {
                Some(ways) => Some(ways),
                None => Self::of(ssh, &SshLog::new(ssh)).await.ok().inspect(|ways| read.push(ways.clone())),
            };
        }
    }

    /// Those that were read for this configuration before, or else newly read ones, off the task that does the I/O.
    pub(crate) async fn of(config: &SshConfig, log: &SshLog) -> Result<Self> {
        let auth = config.ways();
        if let Some(ways) = config.loaded.as_ref().filter(|ways| ways.of == auth) {
            return Ok(ways.clone());
        }
        let log = log.clone();
        tokio::task::spawn_blocking(move || Self::read(auth, &log)).await.map_err(|error| {
            Error::new(ErrorKind::Io, format!("reading the keys was interrupted: {error}"))
        })?
    }

    /// The same with a password after them, which was not known when they were read. `auth` is what they were read for;
    /// where that is nothing, the password is the one way in.
    pub(crate) fn with_password(self, auth: &[SshAuth], password: Secret) -> Self {
        let ways = if auth.is_empty() { &[][..] } else { &self.ways };
        let ways = ways.iter().cloned().chain([Way::Password(password.clone())]).collect();
        Self { of: auth.iter().cloned().chain([SshAuth::Password(password)]).collect(), ways }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.ways.is_empty()
    }
}

impl std::fmt::Debug for Ways {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Ways").field(&self.ways.len()).finish()
    }
}

/// The socket of the user's agent.
fn agent() -> Option<PathBuf> {
    std::env::var_os("SSH_AUTH_SOCK").filter(|path| !path.is_empty()).map(PathBuf::from)
}

/// What is there of the usual keys. One that cannot be used is passed over: nobody asked for it by name.
fn default_keys(log: &SshLog) -> Vec<Key> {
    let Some(folder) = std::env::home_dir().map(|home| home.join(".ssh")) else { return Vec::new() };
    let mut keys = Vec::new();
    for name in DEFAULTS {
        let path = folder.join(name);
        if path.exists() {
            match read_file(&path, None) {
                Ok(key) => keys.push(key),
                Err(error) => log!(log, "passed over: {error}"),
            }
        }
    }
    keys
}

fn read_file(path: &Path, passphrase: Option<&Secret>) -> Result<Key> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| Error::io(format_args!("read the private key {}", path.display()), error))?;
    decode(&Secret::new(text), passphrase, &format!("the private key {}", path.display()))
}

fn decode(text: &Secret, passphrase: Option<&Secret>, what: &str) -> Result<Key> {
    let text = text.expose();
    let key = decode_secret_key(text, passphrase.map(Secret::expose)).map_err(|error| {
        // What the decoder says of a wrong passphrase differs from format to format, so it is not what decides.
        let is_encrypted = text.contains("ENCRYPTED") || matches!(error, russh::keys::Error::KeyIsEncrypted);
        let is_public = text.starts_with("ssh-") || text.starts_with("ecdsa-") || text.contains("PUBLIC KEY");
        if is_public {
            Error::invalid_argument(format!("{what} is a public key: give the private one beside it"))
        } else if is_encrypted && text.contains("DEK-Info:") && !text.contains("DEK-Info: AES-128-CBC") {
            Error::invalid_argument(format!(
                "{what} is encrypted in an old way; write it anew with `ssh-keygen -p -o -f FILE`"
            ))
        } else if is_encrypted && passphrase.is_none() {
            Error::new(ErrorKind::InvalidCredentials, format!("{what} is encrypted: give its passphrase"))
        } else if passphrase.is_some() {
            Error::new(
                ErrorKind::InvalidCredentials,
                format!(
                    "{what} cannot be decrypted: the passphrase is wrong, or the file is broken ({error})"
                ),
            )
        } else {
            Error::invalid_argument(format!("{what} is no private key in a form that is known ({error})"))
        }
    })?;
    let fingerprint = key.public_key().fingerprint(HashAlg::Sha256);
    let told = format!("{what} ({}, {fingerprint})", key.algorithm().as_str());
    Ok(Key { key: Arc::new(key), told })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str, passphrase: Option<&str>) -> String {
        let error = decode(&text.into(), passphrase.map(Secret::from).as_ref(), "the key").map(drop);
        error.unwrap_err().to_string()
    }

    #[tokio::test]
    async fn servers_with_the_same_ways_in_share_what_was_read() {
        let server = |password: &str| SshConfig::new("a").auth(SshAuth::password(password));
        let mut servers = [server("a"), server("b"), server("a")];
        Ways::read_once(servers.iter_mut()).await;
        let ways = servers.map(|server| server.loaded.unwrap().ways);
        assert!(Arc::ptr_eq(&ways[0], &ways[2]) && !Arc::ptr_eq(&ways[0], &ways[1]));
    }

    #[test]
    fn what_is_no_key_is_told_apart_and_not_repeated() {
        assert!(told("ssh-ed25519 AAAA canary", None).contains("is a public key"));
        assert!(told("canary", None).contains("is no private key"));
        let old =
            "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: DES-EDE3-CBC,00\n\nAAAA\n";
        assert!(told(old, Some("canary")).contains("ssh-keygen -p"));
        for text in ["canary", "ssh-rsa canary", old] {
            assert!(!told(text, Some("canary")).contains("canary"), "{text}");
        }
    }
}
