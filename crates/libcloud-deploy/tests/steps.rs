//! The steps against a server in memory.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

use std::collections::BTreeMap;

use async_trait::async_trait;
use libcloud_common::{Error, Result};
use libcloud_compute::Node;
use libcloud_deploy::{
    CommandOutput, Deployment, FileDeployment, MultiStepDeployment, SSHKeyDeployment, ScriptDeployment,
    ScriptFileDeployment, SshClient, WriteMode,
};

/// Files by absolute path with their permissions, and the commands that were run.
#[derive(Default)]
struct Server {
    files: BTreeMap<String, (String, Option<u32>)>,
    commands: Vec<String>,
    exit_status: i32,
    broken: bool,
}

fn absolute(path: &str) -> String {
    if path.starts_with('/') { path.to_owned() } else { format!("/home/me/{path}") }
}

#[async_trait]
impl SshClient for Server {
    async fn connect(&mut self) -> Result<()> {
        Ok(())
    }

    async fn put(
        &mut self,
        path: &str,
        contents: &[u8],
        permissions: Option<u32>,
        mode: WriteMode,
    ) -> Result<String> {
        let path = absolute(path);
        let file = self.files.entry(path.clone()).or_default();
        if mode == WriteMode::Replace {
            file.0.clear();
        }
        file.0.push_str(std::str::from_utf8(contents).expect("text"));
        file.1 = permissions;
        Ok(path)
    }

    async fn read(&mut self, path: &str) -> Result<Vec<u8>> {
        let file = self.files.get(&absolute(path)).ok_or_else(|| Error::not_found("file", path))?;
        Ok(file.0.clone().into_bytes())
    }

    async fn delete(&mut self, path: &str) -> Result<()> {
        self.files.remove(&absolute(path)).map(|_| ()).ok_or_else(|| Error::not_found("file", path))
    }

    async fn run(&mut self, command: &str) -> Result<CommandOutput> {
        if self.broken {
            return Err(Error::new(libcloud_common::ErrorKind::Transport, "the connection broke"));
        }
        self.commands.push(command.to_owned());
        Ok(CommandOutput::new("out", "err", self.exit_status))
    }

    async fn close(&mut self) -> Result<()> {
        Ok(())
    }
}

fn node() -> Node {
    Node::from_id("1")
}

#[tokio::test]
async fn a_key_is_added_once_and_on_a_line_of_its_own() {
    let mut server = Server::default();
    server.files.insert("/home/me/.ssh/authorized_keys".into(), ("ssh-rsa OLD".into(), None));
    let mut step = SSHKeyDeployment::new("ssh-ed25519 NEW me\n");
    step.run(&node(), &mut server).await.unwrap();
    step.run(&node(), &mut server).await.unwrap();
    let (text, mode) = &server.files["/home/me/.ssh/authorized_keys"];
    assert_eq!(text, "ssh-rsa OLD\nssh-ed25519 NEW me\n");
    assert_eq!(*mode, Some(0o600));
    let two = SSHKeyDeployment::new("ssh-rsa A\nssh-rsa B").run(&node(), &mut server).await.unwrap_err();
    assert!(two.to_string().contains("one line"), "{two}");
}

#[tokio::test]
async fn a_script_gets_its_arguments_unharmed_and_is_deleted() {
    let mut server = Server { exit_status: 3, ..Server::default() };
    let mut step =
        ScriptDeployment::new("#!/bin/sh\n").name("setup.sh").args(["a b", "$(id)", "it's"]).delete();
    step.run(&node(), &mut server).await.unwrap();
    assert_eq!(server.commands, [r"/home/me/setup.sh 'a b' '$(id)' 'it'\''s'"]);
    assert_eq!(step.exit_status(), Some(3));
    assert_eq!(step.output.as_ref().map(|output| output.stdout.as_str()), Some("out"));
    assert!(server.files.is_empty());
}

#[tokio::test]
async fn a_script_that_could_not_run_is_deleted_too() {
    let mut server = Server { broken: true, ..Server::default() };
    let mut step = ScriptDeployment::new("secret").name("/tmp/x.sh").delete();
    assert!(step.run(&node(), &mut server).await.is_err());
    assert!(server.files.is_empty());
    assert_eq!(step.exit_status(), None);
}

#[tokio::test]
async fn files_keep_their_permissions_and_steps_run_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config");
    std::fs::write(&file, "listen 80").unwrap();
    let script = folder.path().join("run.sh");
    std::fs::write(&script, "#!/bin/sh\ntrue\n").unwrap();
    #[cfg(unix)]
    std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o640)).unwrap();
    let mut server = Server::default();
    let mut steps = MultiStepDeployment::new()
        .add(FileDeployment::new(&file, "/etc/app.conf"))
        .add(ScriptFileDeployment::new(&script))
        .add(FileDeployment::new(folder.path().join("missing"), "/etc/x"));
    let error = steps.run(&node(), &mut server).await.unwrap_err();
    assert!(error.to_string().starts_with("step 3 of 3: cannot read "), "{error}");
    assert_eq!(server.files["/etc/app.conf"].0, "listen 80");
    #[cfg(unix)]
    assert_eq!(server.files["/etc/app.conf"].1, Some(0o640));
    let script = &server.commands[0];
    assert!(script.starts_with("/home/me/libcloud_deployment_"), "{script}");
    assert_eq!(server.files[script], ("#!/bin/sh\ntrue\n".to_owned(), Some(0o755)));
}
