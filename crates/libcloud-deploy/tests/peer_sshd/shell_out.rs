//! The system's `ssh` as the client.

use libcloud_common::ErrorKind;
use libcloud_compute::Node;
use libcloud_deploy::{
    Deployment as _, HostKeys, OutputStream, RemoteCommand, ScriptDeployment, ShellOutSshClient, SshAuth,
    SshClient as _, SshConfig, WriteMode,
};

use crate::{Log, assert_no_secret, by_key, folder, key, server, told};

async fn connected(config: SshConfig) -> ShellOutSshClient {
    let mut client = ShellOutSshClient::new(config);
    client.connect().await.unwrap();
    client
}

#[tokio::test]
async fn it_does_what_the_native_one_does() {
    let log = Log::new();
    let mut client = connected(by_key().debug_log(log.log())).await;
    let output = client.run("echo grüße; echo fehler >&2; exit 3").await.unwrap();
    assert_eq!(
        (output.stdout.as_str(), output.stderr.as_str(), output.exit_status),
        ("grüße\n", "fehler\n", 3)
    );
    // A command's own status, and not a failure of ssh.
    assert_eq!(client.run("exit 255").await.unwrap().exit_status, 255);

    let name = format!("{}/deep/日本 'x'.txt", folder("shell"));
    let path = client.put(&name, b"one\n", Some(0o640), WriteMode::Replace).await.unwrap();
    assert_eq!(path, format!("{}/{name}", told("SSH_HOME")));
    client.put(&path, b"\0\xff\n", None, WriteMode::Append).await.unwrap();
    assert_eq!(client.read(&format!("~/{name}")).await.unwrap(), b"one\n\0\xff\n");
    let mode = client.run(&format!("stat -c %a {}", libcloud_deploy::quote(&path))).await.unwrap();
    assert_eq!(mode.stdout, "640\n");
    client.delete(&path).await.unwrap();
    assert_eq!(client.read(&path).await.unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(client.delete(&path).await.unwrap_err().kind(), ErrorKind::NotFound);

    let mut script = ScriptDeployment::new("#!/bin/sh\nprintf '<%s>' \"$@\" \"$TOKEN\"; cat; exit 5\n")
        .name(format!("{}/s.sh", folder("shell")))
        .args(["a b"])
        .secret_arg("canary $1")
        .secret_env("TOKEN", "canary'2")
        .delete();
    script.run(&Node::from_id("1"), &mut client).await.unwrap();
    assert_eq!((script.stdout(), script.exit_status()), (Some("<a b><canary $1><canary'2>"), Some(5)));
    assert_no_secret(&log.text());

    let dir = client.make_dir(&format!("{}/a b", folder("shell")), Some(0o750)).await.unwrap();
    let mode = client.run(&format!("stat -c %a {}", libcloud_deploy::quote(&dir))).await.unwrap();
    assert_eq!(mode.stdout, "750\n");
    client.run(&format!("rm -r {}", folder("shell"))).await.unwrap();
    client.close().await.unwrap();
}

#[tokio::test]
async fn much_output_streams() {
    let mut client = connected(by_key()).await;
    let mut heard = 0_u64;
    let command = RemoteCommand::shell("head -c 50000000 /dev/zero");
    let status = client
        .run_with(&command, &mut |stream, bytes| {
            assert_eq!(stream, OutputStream::Stdout);
            heard += bytes.len() as u64;
        })
        .await
        .unwrap();
    assert!(status.success());
    assert_eq!(heard, 50_000_000);
}

#[tokio::test]
async fn host_keys_and_keys_are_checked() {
    let unknown = by_key().host_keys(HostKeys::strict().without_files());
    let error = ShellOutSshClient::new(unknown).connect().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Tls, "{error}");
    // Accepted and remembered for as long as the value is there, and in no file of the user's.
    let keys = HostKeys::accept_new().without_files();
    connected(by_key().host_keys(keys.clone())).await;
    let elsewhere =
        server().port(told("SSH_PASSWORD_PORT").parse().unwrap()).auth(SshAuth::key_file(key("ed25519")));
    let error = ShellOutSshClient::new(elsewhere.host_keys(keys)).connect().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidCredentials, "{error}");

    let error =
        ShellOutSshClient::new(server().auth(SshAuth::key_file(key("not_authorized")))).connect().await;
    assert_eq!(error.unwrap_err().kind(), ErrorKind::InvalidCredentials);
    for auth in [
        SshAuth::password("canary"),
        SshAuth::key_material("canary"),
        SshAuth::key_file(key("ed25519_passphrase")).with_passphrase("canary"),
    ] {
        let error = ShellOutSshClient::new(server().auth(auth)).connect().await.unwrap_err();
        assert!(error.kind() == ErrorKind::NotSupported && !error.to_string().contains("canary"), "{error}");
    }
    let error = ShellOutSshClient::new(by_key()).program("/nowhere/ssh").connect().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotSupported);
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let error = ShellOutSshClient::new(by_key().port(closed)).connect().await.unwrap_err();
    assert!(error.kind() == ErrorKind::Transport && error.is_retryable(), "{error}");
}
