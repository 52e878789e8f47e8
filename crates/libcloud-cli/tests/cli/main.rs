//! The program as its users see it: arguments in, standard output, standard error and exit status out. Each test has
//! a cloud, a configuration and a folder of its own.
#![expect(clippy::unwrap_used, reason = "what the tests share is not marked as a test, and fails as one")]

mod call;
mod compute;
mod config;
mod demo;
mod deploy;
mod dns;
mod lb;
mod output;
mod pricing;
mod storage;

use std::path::{Path, PathBuf};

use assert_cmd::Command;
use assert_cmd::assert::Assert;
use serde_json::Value;
use tempfile::TempDir;

/// A home of its own for the program.
pub(crate) struct Home(TempDir);

impl Home {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A file with this content.
    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path
    }

    /// The program, with no provider chosen.
    pub(crate) fn bare(&self) -> Command {
        let mut command = Command::cargo_bin("libcloud").unwrap();
        command.env_clear().env("HOME", self.0.path()).current_dir(self.0.path());
        command
            .env("XDG_CONFIG_HOME", self.path("config"))
            .env("XDG_STATE_HOME", self.path("state"))
            .env("XDG_DATA_HOME", self.path("data"))
            .env("XDG_CACHE_HOME", self.path("cache"));
        command
    }

    /// The program on the dummy cloud.
    pub(crate) fn libcloud(&self, args: &[&str]) -> Command {
        let mut command = self.bare();
        command.env("LIBCLOUD_PROVIDER", "dummy").args(args);
        command
    }

    /// What it writes when it succeeds.
    pub(crate) fn text(&self, args: &[&str]) -> String {
        let assert = self.libcloud(args).assert().success();
        String::from_utf8(assert.get_output().stdout.clone()).unwrap()
    }

    /// The one document that it writes with `--format json`, and that it writes nothing else.
    pub(crate) fn json(&self, args: &[&str]) -> Value {
        let assert = self.libcloud(args).args(["--format", "json"]).assert().success();
        assert_eq!(String::from_utf8_lossy(&assert.get_output().stderr), "", "{args:?}");
        serde_json::from_slice(&assert.get_output().stdout).unwrap()
    }

    /// What it says when it fails with this status. Nothing is on standard output.
    pub(crate) fn fails(&self, status: i32, args: &[&str]) -> String {
        let assert = self.libcloud(args).assert().code(status).stdout("");
        stderr(&assert)
    }

    /// The ids of all nodes.
    pub(crate) fn nodes(&self) -> Vec<String> {
        let nodes = self.json(&["compute", "nodes", "list"]);
        nodes.as_array().unwrap().iter().map(|node| node["id"].as_str().unwrap().to_owned()).collect()
    }
}

pub(crate) fn stderr(assert: &Assert) -> String {
    String::from_utf8(assert.get_output().stderr.clone()).unwrap()
}

pub(crate) fn arg(path: &Path) -> &str {
    path.to_str().unwrap()
}
