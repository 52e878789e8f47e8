//! Every way in that OpenSSH has here, and what keeps one out.

use libcloud_common::ErrorKind;
use libcloud_deploy::{NativeSshClient, SshAuth, SshClient as _, SshConfig};

use crate::{Log, assert_no_secret, by_key, connected, key, password_server, server, told};

async fn who(config: SshConfig) -> String {
    let mut client = connected(config).await;
    let output = client.run("id -un").await.unwrap();
    client.close().await.unwrap();
    assert_eq!(output.exit_status, 0, "{output:?}");
    output.stdout.trim().to_owned()
}

#[tokio::test]
async fn every_kind_of_key_lets_one_in() {
    for name in ["ed25519", "ecdsa", "rsa", "rsa_pkcs1"] {
        assert_eq!(who(server().auth(SshAuth::key_file(key(name)))).await, told("SSH_USER"), "{name}");
        let text = std::fs::read_to_string(key(name)).unwrap();
        assert_eq!(who(server().auth(SshAuth::key_material(text))).await, told("SSH_USER"), "{name}");
    }
}

#[tokio::test]
async fn encrypted_keys_need_their_passphrase() {
    let log = Log::new();
    for name in ["ed25519_passphrase", "rsa_pkcs8_passphrase"] {
        let auth = SshAuth::key_file(key(name));
        let config =
            server().auth(auth.clone().with_passphrase(told("SSH_KEY_PASSPHRASE"))).debug_log(log.log());
        assert_eq!(who(config).await, told("SSH_USER"), "{name}");

        for (auth, problem) in [
            (auth.clone(), "is encrypted: give its passphrase"),
            (auth.with_passphrase("canary"), "the passphrase is wrong"),
        ] {
            let mut client = NativeSshClient::new(server().auth(auth).debug_log(log.log()));
            let error = client.connect().await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidCredentials, "{error}");
            assert!(error.to_string().contains(problem), "{error}");
            assert_no_secret(&format!("{error:#} {error:?} {client:?}"));
        }
    }
    assert!(log.text().contains("in by the private key"), "{}", log.text());
    assert_no_secret(&log.text());
}

#[tokio::test]
async fn a_password_lets_one_in_and_is_told_nowhere() {
    let log = Log::new();
    assert_eq!(who(password_server().debug_log(log.log())).await, told("SSH_USER"));
    assert!(log.text().contains("in by the password"), "{}", log.text());
    assert_no_secret(&log.text());
}

#[tokio::test]
async fn a_wrong_password_an_unknown_user_and_a_foreign_key_are_refused() {
    let log = Log::new();
    for (config, tried) in [
        (server().auth(SshAuth::password("canary")), "tried the password"),
        (server().username("nobody-here").auth(SshAuth::password("canary")), "nobody-here is not let in"),
        (server().auth(SshAuth::key_file(key("not_authorized"))), "not_authorized (ssh-ed25519, SHA256:"),
        // No key is shown to a server that takes none.
        (
            server().port(told("SSH_PASSWORD_PORT").parse().unwrap()).auth(SshAuth::key_file(key("ed25519"))),
            "tried nothing that it takes; the server takes password",
        ),
    ] {
        let mut client = NativeSshClient::new(config.debug_log(log.log()));
        let error = client.connect().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidCredentials, "{error}");
        assert!(!error.is_retryable() && error.to_string().contains(tried), "{error}");
        assert_no_secret(&format!("{error:#} {error:?}"));
    }
    assert_no_secret(&log.text());
}

/// An agent of its own with this key.
struct Agent {
    process: std::process::Child,
    folder: tempfile::TempDir,
}

impl Agent {
    fn with(name: &str) -> Self {
        use std::process::Command;

        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("agent");
        let mut agent = Command::new("ssh-agent");
        agent.arg("-D").arg("-a").arg(&socket).stdout(std::process::Stdio::null());
        let process = agent.spawn().unwrap();
        let add = || {
            Command::new("ssh-add").arg("-q").arg(key(name)).env("SSH_AUTH_SOCK", &socket).status().unwrap()
        };
        // It has its socket a moment after its start; to ask takes that moment.
        let added = (0..500).any(|_| add().success());
        assert!(added, "the agent does not answer");
        Self { process, folder }
    }

    fn socket(&self) -> std::path::PathBuf {
        self.folder.path().join("agent")
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[tokio::test]
async fn the_keys_of_an_agent_let_one_in() {
    for name in ["ed25519", "rsa", "ecdsa"] {
        let agent = Agent::with(name);
        let log = Log::new();
        let config = server().auth(SshAuth::AgentAt(agent.socket())).debug_log(log.log());
        assert_eq!(who(config).await, told("SSH_USER"), "{name}");
        assert!(log.text().contains("in by the agent's key SHA256:"), "{}", log.text());
        let config = server().auth(SshAuth::AgentAt(agent.socket()));
        let mut client = libcloud_deploy::ShellOutSshClient::new(config);
        client.connect().await.unwrap();
    }
    let error =
        NativeSshClient::new(server().auth(SshAuth::AgentAt("/nowhere/agent".into()))).connect().await;
    assert!(error.unwrap_err().to_string().contains("tried the agent ("));
}

#[tokio::test]
async fn several_keys_are_tried_in_their_order() {
    let log = Log::new();
    let config = server()
        .auth(SshAuth::key_file(key("not_authorized")))
        .auth(SshAuth::key_file(key("rsa")))
        .auth(SshAuth::password("canary"))
        .debug_log(log.log());
    assert_eq!(who(config).await, told("SSH_USER"));
    let text = log.text();
    let (first, second) = (text.find("not_authorized").unwrap(), text.find("in by the private key").unwrap());
    assert!(first < second && !text.contains("the password"), "{text}");
}

#[tokio::test]
async fn a_server_that_had_enough_of_wrong_keys_is_told_as_such() {
    let mut config = server();
    for _ in 0..8 {
        config = config.auth(SshAuth::key_file(key("not_authorized")));
    }
    let error = NativeSshClient::new(config).connect().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidCredentials, "{error}");
    assert!(error.to_string().contains("Too many authentication failures"), "{error}");
}

#[tokio::test]
async fn one_server_is_reached_through_another() {
    let jump = by_key();
    assert_eq!(who(password_server().jump(jump.clone())).await, told("SSH_USER"));
    // The host key of each is checked.
    let inner = password_server().jump(jump.username("nobody-here"));
    let error = NativeSshClient::new(inner).connect().await.unwrap_err();
    assert!(error.to_string().contains("at nobody-here@"), "{error}");
}
