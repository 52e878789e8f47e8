//! Whose key is accepted.

use std::path::PathBuf;

use libcloud_common::ErrorKind;
use libcloud_deploy::{HostKeys, NativeSshClient, SshClient as _};

use crate::{by_key, connected, told};

/// The known hosts of the peer, changed.
fn file(change: impl Fn(&str) -> Option<String>) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("known_hosts");
    let text = std::fs::read_to_string(told("SSH_KNOWN_HOSTS")).unwrap();
    let lines: String = text.lines().filter_map(change).map(|line| line + "\n").collect();
    std::fs::write(&path, lines).unwrap();
    (folder, path)
}

#[tokio::test]
async fn each_kind_of_known_key_is_asked_for() {
    for kind in ["ssh-ed25519", "ssh-rsa", "ecdsa-sha2-nistp256"] {
        let (_folder, path) = file(|line| line.contains(kind).then(|| line.to_owned()));
        let mut client = connected(by_key().host_keys(HostKeys::strict().file(path))).await;
        assert_eq!(client.run("exit 7").await.unwrap().exit_status, 7, "{kind}");
    }
}

#[tokio::test]
async fn a_changed_key_is_an_error_whatever_the_policy() {
    let port = told("SSH_PORT");
    let other_port = told("SSH_PASSWORD_PORT");
    // The two servers have changed places.
    let (_folder, path) = file(|line| {
        let moved = line.replacen(&format!("]:{other_port} "), "]:other ", 1);
        let moved = moved.replacen(&format!("]:{port} "), &format!("]:{other_port} "), 1);
        Some(moved.replacen("]:other ", &format!("]:{port} "), 1))
    });
    for keys in [HostKeys::strict(), HostKeys::accept_new()] {
        let error = NativeSshClient::new(by_key().host_keys(keys.file(&path))).connect().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Tls, "{error}");
        assert!(!error.is_retryable() && error.to_string().contains("has changed"), "{error}");
    }
}

#[tokio::test]
async fn an_unknown_server_is_refused_or_remembered() {
    let strict = by_key().host_keys(HostKeys::strict().without_files());
    let error = NativeSshClient::new(strict).connect().await.unwrap_err();
    assert!(error.kind() == ErrorKind::Tls && error.to_string().contains("is not known"), "{error}");

    let folder = tempfile::tempdir().unwrap();
    let saved = folder.path().join("new");
    let keys = HostKeys::accept_new().without_files().save_to(&saved);
    connected(by_key().host_keys(keys.clone())).await;
    connected(by_key().host_keys(keys)).await;
    assert_eq!(std::fs::read_to_string(&saved).unwrap().lines().count(), 1);
    connected(by_key().host_keys(HostKeys::strict().file(&saved))).await;
}
