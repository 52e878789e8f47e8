//! Deployment against OpenSSH: `cargo xtask peers test sshd`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

#[path = "peer_sshd/auth.rs"]
mod auth;
#[path = "peer_sshd/commands.rs"]
mod commands;
#[path = "peer_sshd/deploy.rs"]
mod deploy;
#[path = "peer_sshd/files.rs"]
mod files;
#[path = "peer_sshd/host_keys.rs"]
mod host_keys;
#[path = "peer_sshd/shell_out.rs"]
mod shell_out;

use std::path::PathBuf;

use libcloud_common::DebugLog;
use libcloud_deploy::{HostKeys, NativeSshClient, SshAuth, SshClient as _, SshConfig};

/// What the peer tells of itself.
pub(crate) fn told(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run `cargo xtask peers test sshd`"))
}

pub(crate) fn key(name: &str) -> PathBuf {
    PathBuf::from(told("SSH_KEYS")).join(name)
}

/// The server that takes keys and the password; no way in is chosen yet.
pub(crate) fn server() -> SshConfig {
    SshConfig::new(told("SSH_HOST"))
        .port(told("SSH_PORT").parse().unwrap())
        .username(told("SSH_USER"))
        .host_keys(HostKeys::strict().file(told("SSH_KNOWN_HOSTS")))
}

/// The one with another host key, which takes the password alone.
pub(crate) fn password_server() -> SshConfig {
    server().port(told("SSH_PASSWORD_PORT").parse().unwrap()).auth(SshAuth::password(told("SSH_PASSWORD")))
}

pub(crate) fn by_key() -> SshConfig {
    server().auth(SshAuth::key_file(key("ed25519")))
}

pub(crate) async fn connected(config: SshConfig) -> NativeSshClient {
    let mut client = NativeSshClient::new(config);
    client.connect().await.unwrap();
    client
}

/// A folder of its own in the user's home, for one test.
pub(crate) fn folder(test: &str) -> String {
    format!("libcloud-{test}-{}", std::process::id())
}

/// Everything secret that the tests hand over must not be in what is told.
pub(crate) fn assert_no_secret(told_of: &str) {
    let password = told("SSH_PASSWORD");
    let passphrase = told("SSH_KEY_PASSPHRASE");
    for secret in [password.as_str(), &passphrase, "canary"] {
        assert!(!told_of.contains(secret), "{secret} is in: {told_of}");
    }
    for name in ["ed25519", "rsa", "ecdsa", "rsa_pkcs1"] {
        let text = std::fs::read_to_string(key(name)).unwrap();
        let line = text.lines().nth(2).unwrap();
        assert!(!told_of.contains(line), "a line of the key {name} is in: {told_of}");
    }
}

/// A debug log in a folder of its own.
pub(crate) struct Log {
    folder: tempfile::TempDir,
}

impl Log {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn log(&self) -> DebugLog {
        DebugLog::new(self.folder.path().join("log"))
    }

    pub(crate) fn text(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

/// Held by the tests that change `.ssh` in the user's home, of which there is one.
pub(crate) static DOT_SSH: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
