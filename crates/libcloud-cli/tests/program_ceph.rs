//! The program on S3, against Ceph, which verifies signatures.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

use std::env::var;
use std::path::Path;

use assert_cmd::Command;
use serde_json::Value;

fn libcloud(home: &Path, secret: &str) -> Command {
    let mut command = Command::cargo_bin("libcloud").unwrap();
    command
        .env_clear()
        .env("HOME", home)
        .current_dir(home)
        .env("LIBCLOUD_PROVIDER", "s3")
        .env("LIBCLOUD_KEY", var("CEPH_S3_ACCESS_KEY").unwrap())
        .env("LIBCLOUD_SECRET", secret)
        .env("LIBCLOUD_REGION", var("CEPH_S3_REGION").unwrap())
        .env("LIBCLOUD_ENDPOINT", var("CEPH_S3_ENDPOINT").unwrap())
        .args(["--format", "json"]);
    command
}

#[test]
fn a_file_goes_up_and_comes_back() {
    let home = tempfile::tempdir().unwrap();
    let run = |args: &[&str]| -> Value {
        let secret = var("CEPH_S3_SECRET_KEY").unwrap();
        let output = libcloud(home.path(), &secret).args(args).assert().success();
        serde_json::from_slice(&output.get_output().stdout).unwrap()
    };
    let container = format!("libcloud-program-{}", std::process::id());
    let content: Vec<u8> = (0..3_000_000u32).map(|n| (n % 251) as u8).collect();
    std::fs::write(home.path().join("up.bin"), &content).unwrap();
    let object = format!("{container}/a folder/ü+%.bin");

    run(&["storage", "containers", "create", &container]);
    run(&["storage", "cp", "up.bin", &object]);
    let listed = run(&["storage", "ls", &container]);
    assert_eq!((&listed[0]["name"], &listed[0]["size"]), (&"a folder/ü+%.bin".into(), &3_000_000.into()));
    run(&["storage", "cp", &object, "down.bin"]);
    assert_eq!(std::fs::read(home.path().join("down.bin")).unwrap(), content);

    let secret = var("CEPH_S3_SECRET_KEY").unwrap();
    let cat = libcloud(home.path(), &secret).args(["storage", "cat", &object]).assert().success();
    assert_eq!(cat.get_output().stdout, content);
    let full = libcloud(home.path(), &secret)
        .args(["storage", "containers", "delete", &container, "--yes"])
        .assert();
    full.code(5);
    run(&["storage", "rm", &object, "--yes"]);
    run(&["storage", "containers", "delete", &container, "--yes"]);
    libcloud(home.path(), &secret).args(["storage", "cp", &object, "gone.bin"]).assert().code(4);
    assert!(!home.path().join("gone.bin").exists());
}

#[test]
fn a_wrong_secret_has_its_exit_status() {
    let home = tempfile::tempdir().unwrap();
    let refused = libcloud(home.path(), "wrong").args(["storage", "containers", "list"]).assert().code(3);
    assert!(refused.get_output().stdout.is_empty());
}

/// Ends the program as soon as it has been at work for a while, as a machine does that fails.
#[expect(clippy::disallowed_methods, reason = "a real process is to be killed in the middle of its work")]
fn kill_midway(home: &Path, args: &[&str], after: std::time::Duration) {
    let mut command = std::process::Command::new(assert_cmd::cargo::cargo_bin("libcloud"));
    let made = libcloud(home, &var("CEPH_S3_SECRET_KEY").unwrap());
    for (name, value) in made.get_envs() {
        command.env(name, value.unwrap());
    }
    let mut running = command.current_dir(home).args(args).spawn().unwrap();
    std::thread::sleep(after);
    // It may be done already, if this machine is fast.
    let _ = running.kill();
    running.wait().unwrap();
}

#[test]
fn what_is_killed_leaves_nothing_once_it_was_run_again() {
    let home = tempfile::tempdir().unwrap();
    let run = |args: &[&str]| -> Value {
        let secret = var("CEPH_S3_SECRET_KEY").unwrap();
        let output = libcloud(home.path(), &secret).args(args).assert().success();
        serde_json::from_slice(&output.get_output().stdout).unwrap()
    };
    let container = format!("libcloud-killed-{}", std::process::id());
    let content: Vec<u8> = (0..60_000_000u32).map(|n| (n % 251) as u8).collect();
    std::fs::write(home.path().join("up.bin"), &content).unwrap();
    let object = format!("{container}/large.bin");
    run(&["storage", "containers", "create", &container]);
    for after in [150, 400, 800, 1500] {
        let after = std::time::Duration::from_millis(after);
        kill_midway(home.path(), &["storage", "cp", "up.bin", &object], after);
        run(&["storage", "cp", "up.bin", &object]);
        let left = run(&["storage", "uploads", "list", &container]);
        assert_eq!(left, serde_json::json!([]));

        kill_midway(home.path(), &["storage", "cp", &object, "down.bin", "--overwrite"], after);
        run(&["storage", "cp", &object, "down.bin", "--overwrite"]);
        assert!(std::fs::read(home.path().join("down.bin")).unwrap() == content);
        let mut names: Vec<_> = std::fs::read_dir(home.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name != ".local" && name != ".cache" && name != ".config")
            .collect();
        names.sort();
        assert_eq!(names, ["down.bin", "up.bin"]);
    }
    run(&["storage", "rm", &object, "--yes"]);
    run(&["storage", "containers", "delete", &container, "--yes"]);
}
