//! Where a server is, how one gets in, and how long all of it may take.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use libcloud_common::{Clock, DebugLog, Error, Result, Secret, SystemClock};

use crate::host_keys::HostKeys;

/// A way into a server.
///
/// ```
/// use libcloud_deploy::SshAuth;
///
/// let auth = SshAuth::password("canary");
/// assert_eq!(format!("{auth:?}"), "Password(•••)");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SshAuth {
    /// A password. Where the server asks questions instead (keyboard-interactive), it is the answer to each.
    Password(Secret),
    /// Answers to the server's questions, in their order (keyboard-interactive).
    KeyboardInteractive(Vec<Secret>),
    /// A private key in a file.
    KeyFile {
        /// The file: OpenSSH, PEM (PKCS#1, PKCS#8, SEC1) or `PuTTY`.
        path: PathBuf,
        /// What it is encrypted with, if it is.
        passphrase: Option<Secret>,
    },
    /// A private key in memory, in one of the same formats.
    KeyMaterial {
        /// The text of the file that it would be in.
        key: Secret,
        /// What it is encrypted with, if it is.
        passphrase: Option<Secret>,
    },
    /// Every key of the agent at `SSH_AUTH_SOCK`.
    Agent,
    /// Every key of the agent at this socket.
    AgentAt(PathBuf),
    /// The agent, if there is one, and `id_ed25519`, `id_ecdsa` and `id_rsa` of `~/.ssh`, as far as they are there and not
    /// encrypted.
    Defaults,
}

impl SshAuth {
    /// By this password.
    pub fn password(password: impl Into<Secret>) -> Self {
        Self::Password(password.into())
    }

    /// By the private key in this file.
    pub fn key_file(path: impl Into<PathBuf>) -> Self {
        Self::KeyFile { path: path.into(), passphrase: None }
    }

    /// By this private key.
    pub fn key_material(key: impl Into<Secret>) -> Self {
        Self::KeyMaterial { key: key.into(), passphrase: None }
    }

    /// Sets what the key is encrypted with. For another way than a key this does nothing.
    pub fn with_passphrase(mut self, secret: impl Into<Secret>) -> Self {
        if let Self::KeyFile { passphrase, .. } | Self::KeyMaterial { passphrase, .. } = &mut self {
            *passphrase = Some(secret.into());
        }
        self
    }
}

/// A server to connect to.
///
/// ```
/// use std::time::Duration;
/// use libcloud_deploy::{HostKeys, SshAuth, SshConfig};
///
/// let bastion = SshConfig::new("bastion.example").username("ops");
/// let config = SshConfig::new("10.0.0.7")
///     .username("ubuntu")
///     .auth(SshAuth::key_file("/home/me/.ssh/id_ed25519"))
///     .host_keys(HostKeys::strict())
///     .command_timeout(Duration::from_secs(600))
///     .jump(bastion);
/// assert_eq!(config.to_string(), "ubuntu@10.0.0.7:22");
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct SshConfig {
    /// Its name or address.
    pub hostname: String,
    /// Its port (22).
    pub port: u16,
    /// The user (`root`).
    pub username: String,
    /// The ways in, in the order in which they are tried ([`SshAuth::Defaults`] if there are none).
    pub auth: Vec<SshAuth>,
    /// Which keys the server may have ([`HostKeys::strict`]).
    pub host_keys: HostKeys,
    /// The longest that connecting may take, to the end of the handshake (10 s).
    pub connect_timeout: Duration,
    /// The longest that authentication may take (30 s).
    pub auth_timeout: Duration,
    /// The longest that a command may run that has no limit of its own (none).
    pub command_timeout: Option<Duration>,
    /// After which silence the server is asked whether it is still there (15 s).
    pub keep_alive: Option<Duration>,
    /// How often it may leave that unanswered before the connection is taken for broken (3).
    pub keep_alive_max: u32,
    /// The server that one has to go through.
    pub jump: Option<Box<SshConfig>>,
    /// The clock of the time limits. That of keep-alive is the machine's.
    pub clock: Arc<dyn Clock>,
    /// Where what happens is written to (the file that `LIBCLOUD_DEBUG` names).
    pub debug_log: Option<DebugLog>,
    /// The ways in, once their keys are read: clones of it do not read them again.
    #[cfg(feature = "ssh")]
    pub(crate) loaded: Option<crate::native::Ways>,
}

impl SshConfig {
    /// The server with this name or address.
    pub fn new(hostname: impl Into<String>) -> Self {
        Self {
            hostname: hostname.into(),
            port: 22,
            username: "root".into(),
            auth: Vec::new(),
            host_keys: HostKeys::strict(),
            connect_timeout: Duration::from_secs(10),
            auth_timeout: Duration::from_secs(30),
            command_timeout: None,
            keep_alive: Some(Duration::from_secs(15)),
            keep_alive_max: 3,
            jump: None,
            clock: SystemClock::shared(),
            debug_log: DebugLog::from_environment(),
            #[cfg(feature = "ssh")]
            loaded: None,
        }
    }

    /// Sets the port.
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// Sets the user.
    pub fn username(mut self, username: impl Into<String>) -> Self {
        self.username = username.into();
        self
    }

    /// Adds a way in, after those that are there.
    pub fn auth(mut self, auth: SshAuth) -> Self {
        self.auth.push(auth);
        self
    }

    /// Sets which keys the server may have.
    pub fn host_keys(mut self, host_keys: HostKeys) -> Self {
        self.host_keys = host_keys;
        self
    }

    /// Sets the longest that connecting may take.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Sets the longest that authentication may take.
    pub fn auth_timeout(mut self, timeout: Duration) -> Self {
        self.auth_timeout = timeout;
        self
    }

    /// Sets the longest that a command may run that has no limit of its own.
    pub fn command_timeout(mut self, timeout: Duration) -> Self {
        self.command_timeout = Some(timeout);
        self
    }

    /// Sets after which silence the server is asked whether it is still there; never with `None`.
    pub fn keep_alive(mut self, interval: Option<Duration>) -> Self {
        self.keep_alive = interval;
        self
    }

    /// Sets the server that one has to go through. It may have one itself.
    pub fn jump(mut self, jump: SshConfig) -> Self {
        self.jump = Some(Box::new(jump));
        self
    }

    /// Sets the clock, for tests.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Writes what happens to this log, without secrets.
    pub fn debug_log(mut self, log: DebugLog) -> Self {
        self.debug_log = Some(log);
        self
    }

    /// The ways in that are tried.
    #[cfg(feature = "ssh")]
    pub(crate) fn ways(&self) -> Vec<SshAuth> {
        if self.auth.is_empty() { vec![SshAuth::Defaults] } else { self.auth.clone() }
    }

    /// Whether one could try to connect.
    pub(crate) fn check(&self) -> Result<()> {
        let harmful =
            |text: &str| text.is_empty() || text.starts_with('-') || text.contains(char::is_control);
        if harmful(&self.hostname) || self.hostname.contains(char::is_whitespace) {
            return Err(Error::invalid_argument(format!("`{}` is no host", self.hostname.escape_debug())));
        }
        if harmful(&self.username) {
            return Err(Error::invalid_argument(format!(
                "`{}` is no name of a user",
                self.username.escape_debug()
            )));
        }
        if self.port == 0 {
            return Err(Error::invalid_argument("there is no port 0"));
        }
        self.jump.as_deref().map_or(Ok(()), Self::check)
    }
}

impl fmt::Display for SshConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@", self.username)?;
        if self.hostname.contains(':') {
            write!(f, "[{}]:{}", self.hostname, self.port)
        } else {
            write!(f, "{}:{}", self.hostname, self.port)
        }
    }
}

impl fmt::Debug for SshConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SshConfig")
            .field("to", &self.to_string())
            .field("auth", &self.auth)
            .field("host_keys", &self.host_keys)
            .field("jump", &self.jump)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_secret_is_shown() {
        let config = SshConfig::new("::1")
            .auth(SshAuth::password("canary-1"))
            .auth(SshAuth::KeyboardInteractive(vec!["canary-2".into()]))
            .auth(SshAuth::key_material("canary-3").with_passphrase("canary-4"))
            .auth(SshAuth::key_file("/k").with_passphrase("canary-5"))
            .jump(SshConfig::new("b").auth(SshAuth::password("canary-6")));
        let shown = format!("{config:?} {config}");
        assert!(!shown.contains("canary") && shown.contains("root@[::1]:22"), "{shown}");
    }

    #[test]
    fn what_could_be_an_option_of_ssh_is_refused() {
        for config in [
            SshConfig::new("-oProxyCommand=id"),
            SshConfig::new("a b"),
            SshConfig::new(""),
            SshConfig::new("a").username("-l"),
            SshConfig::new("a").port(0),
            SshConfig::new("a").jump(SshConfig::new("")),
        ] {
            assert!(config.check().is_err(), "{config:?}");
        }
        SshConfig::new("a").check().unwrap();
    }
}
