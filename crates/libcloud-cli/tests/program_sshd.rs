//! `libcloud deploy` on OpenSSH: `cargo xtask peers test sshd`.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "what the tests share is not marked as a test, and fails as one"
)]

use assert_cmd::Command;
use serde_json::Value;
use tempfile::TempDir;

fn told(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run `cargo xtask peers test sshd`"))
}

fn key(name: &str) -> String {
    format!("{}/{name}", told("SSH_KEYS"))
}

/// The program on a dummy cloud of its own, whose new nodes are the server.
fn libcloud(home: &TempDir) -> Command {
    let mut command = Command::cargo_bin("libcloud").unwrap();
    command.env_clear().env("HOME", home.path()).env("LIBCLOUD_PROVIDER", "dummy").env("PATH", told("PATH"));
    command.env("XDG_STATE_HOME", home.path().join("state")).current_dir(home.path());
    command
}

fn host() -> String {
    format!("{}@{}:{}", told("SSH_USER"), told("SSH_HOST"), told("SSH_PORT"))
}

#[test]
fn nodes_are_made_and_their_output_is_heard_with_their_names() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(
        home.path().join("hello.sh"),
        "#!/bin/sh\necho hello $1 from $PLACE $TOKEN\necho oops >&2\n",
    )
    .unwrap();
    let (user, port) = (told("SSH_USER"), told("SSH_PORT"));
    let mut command = libcloud(&home);
    command.args(["deploy", "create", "--name", "web", "--count", "2", "--size", "1", "--image", "1"]);
    command.args(["--ssh-user", "nobody-here", "--ssh-user", &user, "--ssh-port", &port]);
    command.args(["--script", "hello.sh", "--script-arg", "big world", "--run", "printf 'no end'"]);
    command.args(["--env", "PLACE=here", "--secret-env", "TOKEN"]).env("TOKEN", "canary");
    command.env("LIBCLOUD_SSH_PASSWORD", told("SSH_PASSWORD")).args(["--debug", "log"]);
    let assert = command.args(["--format", "json"]).assert().success();
    let shown: Value = serde_json::from_slice(&assert.get_output().stdout).unwrap();
    for (row, name) in shown.as_array().unwrap().iter().zip(["web-1", "web-2"]) {
        assert_eq!((&row["server"], &row["result"]), (&name.into(), &"done".into()), "{row}");
        assert_eq!(row["node"]["name"], name);
    }
    let heard = String::from_utf8(assert.get_output().stderr.clone()).unwrap();
    let mut lines: Vec<Value> = heard.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    lines.retain(|line| line["server"] == "web-2");
    let told_of =
        |index: usize| (lines[index]["stream"].as_str().unwrap(), lines[index]["line"].as_str().unwrap());
    let mut all: Vec<_> = (0..lines.len()).map(told_of).collect();
    all.sort_unstable();
    assert_eq!(all, [("stderr", "oops"), ("stdout", "hello big world from here •••"), ("stdout", "no end")]);
    let log = std::fs::read_to_string(home.path().join("log")).unwrap();
    assert!(log.contains("in by the password") && log.contains("TOKEN=•••"), "{log}");
    for secret in ["canary", &told("SSH_PASSWORD")] {
        assert!(!log.contains(secret) && !heard.contains(secret), "{secret} is in {log}{heard}");
    }
}

#[test]
fn the_users_own_key_and_known_hosts_are_used_for_hosts() {
    let home = tempfile::tempdir().unwrap();
    let dot_ssh = home.path().join(".ssh");
    std::fs::create_dir(&dot_ssh).unwrap();
    std::fs::copy(key("ed25519"), dot_ssh.join("id_ed25519")).unwrap();
    std::fs::write(home.path().join("hosts"), format!("# ours\n{}\n", host())).unwrap();
    let run = |extra: &[&str]| {
        let mut command = libcloud(&home);
        command.args(["deploy", "run", "--hosts-from", "hosts", "--run", "id -un"]).args(extra);
        command.assert()
    };
    // Nobody knows it yet.
    let assert = run(&[]).code(6);
    let told_of = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
    assert!(told_of.contains("is not known: it is SHA256:"), "{told_of}");
    std::fs::copy(told("SSH_KNOWN_HOSTS"), dot_ssh.join("known_hosts")).unwrap();
    let assert = run(&[]).success();
    let output = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
    assert_eq!(output, format!("[{}] {}\n", host(), told("SSH_USER")));
    let table = String::from_utf8_lossy(&assert.get_output().stdout).into_owned();
    assert!(table.contains("done"), "{table}");
    let assert = run(&["-q"]).success();
    assert_eq!(String::from_utf8_lossy(&assert.get_output().stderr), "");
}

#[test]
fn a_script_that_fails_and_a_wrong_key_have_their_statuses() {
    let home = tempfile::tempdir().unwrap();
    let (known, good, bad) = (told("SSH_KNOWN_HOSTS"), key("ed25519"), key("not_authorized"));
    let run = |args: &[&str]| {
        let mut command = libcloud(&home);
        command.args(["deploy", "run", &host(), "--known-hosts", &known]).args(args);
        command.assert()
    };
    let assert = run(&["-i", &good, "--run", "echo no >&2; exit 4"]).code(1);
    let told_of = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
    assert!(told_of.contains("ended with the exit status 4; it wrote: no"), "{told_of}");
    run(&["-i", &good, "--run", "exit 4", "--ignore-status"]).success();
    run(&["-i", &bad, "--run", "id"]).code(3);
    run(&["-i", &good, "--system-ssh", "--run", "id"]).success();
}

#[test]
fn an_interrupt_tells_which_node_exists() {
    use std::io::BufRead as _;
    use std::process::Stdio;

    let home = tempfile::tempdir().unwrap();
    let mut command = std::process::Command::new(assert_cmd::cargo::cargo_bin("libcloud"));
    command.env_clear().env("HOME", home.path()).env("XDG_STATE_HOME", home.path().join("state"));
    command.args(["--provider", "dummy", "deploy", "create", "--name", "web", "--size", "1", "--image", "1"]);
    command.args([
        "--ssh-user",
        &told("SSH_USER"),
        "--ssh-port",
        &told("SSH_PORT"),
        "--run",
        "echo begun; cat /dev/zero",
    ]);
    command.env("LIBCLOUD_SSH_PASSWORD", told("SSH_PASSWORD")).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut lines = std::io::BufReader::new(child.stderr.take().unwrap()).lines();
    let begun = lines.next().unwrap().unwrap();
    assert_eq!(begun, "[web] begun");
    let interrupt =
        std::process::Command::new("kill").arg("-INT").arg(child.id().to_string()).status().unwrap();
    assert!(interrupt.success());
    let rest: Vec<String> = lines.map(Result::unwrap).filter(|line| line.contains("exists")).collect();
    assert_eq!(rest.len(), 1, "{rest:?}");
    assert!(rest[0].contains("node 3 (web) exists: `libcloud compute nodes destroy 3`"), "{rest:?}");
    assert_eq!(child.wait().unwrap().code(), Some(130));
}
