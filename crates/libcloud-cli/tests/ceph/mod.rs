//! The program on a Ceph gateway, which must be running: `CEPH_S3_ENDPOINT` and the others tell where.

#![allow(dead_code, clippy::unwrap_used, reason = "each test uses its part, and fails by panicking")]

use std::env::var;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use serde_json::Value;

/// A home folder of its own, in which the program runs.
pub(crate) struct Home(tempfile::TempDir);

impl Home {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn folder(&self) -> &Path {
        self.0.path()
    }

    /// The program and whose account it uses; it says its results in JSON.
    pub(crate) fn program(&self) -> Command {
        let mut command = Command::cargo_bin("libcloud").unwrap();
        command
            .env_clear()
            .env("HOME", self.folder())
            .current_dir(self.folder())
            .env("LIBCLOUD_PROVIDER", "s3")
            .env("LIBCLOUD_KEY", var("CEPH_S3_ACCESS_KEY").unwrap())
            .env("LIBCLOUD_SECRET", var("CEPH_S3_SECRET_KEY").unwrap())
            .env("LIBCLOUD_REGION", var("CEPH_S3_REGION").unwrap())
            .env("LIBCLOUD_ENDPOINT", var("CEPH_S3_ENDPOINT").unwrap())
            .args(["--format", "json"]);
        command
    }

    /// What a command that succeeds says.
    pub(crate) fn run(&self, args: &[&str]) -> Value {
        let output = self.program().args(args).assert().success();
        serde_json::from_slice(&output.get_output().stdout).unwrap()
    }

    /// Makes a container of a name that nobody else has.
    pub(crate) fn container(&self, of: &str) -> String {
        let name = format!("libcloud-{of}-{}", std::process::id());
        self.run(&["storage", "containers", "create", &name]);
        name
    }

    /// Deletes it with all that is in it.
    pub(crate) fn delete(&self, container: &str) {
        self.run(&["storage", "rm", "--recursive", &format!("{container}/"), "--yes"]);
        self.run(&["storage", "containers", "delete", container, "--yes"]);
    }

    /// All files in a folder of it and below, with their content.
    pub(crate) fn files(&self, folder: &str) -> Vec<(String, Vec<u8>)> {
        let mut found = Vec::new();
        let root = self.path(folder);
        let mut folders = vec![root.clone()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let name = path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
                    found.push((name, std::fs::read(path).unwrap()));
                }
            }
        }
        found.sort();
        found
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }
}

/// Bytes of which no two stretches are alike.
pub(crate) fn content(size: usize) -> Vec<u8> {
    (0_u32..).flat_map(u32::to_le_bytes).take(size).collect()
}
