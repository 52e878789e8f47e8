//! The steps against a server in memory.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

use std::collections::BTreeMap;

use async_trait::async_trait;
use futures_util::TryStreamExt as _;
use libcloud_common::{ByteStream, Error, Result};
use libcloud_compute::Node;
use libcloud_deploy::{
    Deployment, ExitStatus, FileDeployment, MultiStepDeployment, OutputSink, OutputStream, RemoteCommand,
    SSHKeyDeployment, ScriptDeployment, ScriptFileDeployment, SshClient, StepEvent, WriteMode, deployment_fn,
};

const KEY: &str = "AAAAC3NzaC1lZDI1NTE5AAAAIJ2Vs0bXzvh4+nTeENnWOvNy+B5kh4HSHM8dQBtM7eJB";

/// Files by absolute path with their permissions, the commands that were run as they are shown, and the steps that began.
#[derive(Default)]
struct Server {
    files: BTreeMap<String, (Vec<u8>, Option<u32>)>,
    folders: BTreeMap<String, Option<u32>>,
    commands: Vec<RemoteCommand>,
    steps: Vec<String>,
    exit_status: i32,
    broken: bool,
}

impl Server {
    fn text(&self, path: &str) -> &str {
        std::str::from_utf8(&self.files[path].0).unwrap()
    }
}

fn absolute(path: &str) -> String {
    if path.starts_with('/') { path.to_owned() } else { format!("/home/me/{path}") }
}

#[async_trait]
impl SshClient for Server {
    async fn connect(&mut self) -> Result<()> {
        Ok(())
    }

    async fn put_stream(
        &mut self,
        path: &str,
        contents: ByteStream,
        permissions: Option<u32>,
        mode: WriteMode,
    ) -> Result<String> {
        let path = absolute(path);
        let contents: Vec<_> = contents.try_collect().await?;
        let file = self.files.entry(path.clone()).or_default();
        if mode == WriteMode::Replace {
            file.0.clear();
        }
        file.0.extend(contents.concat());
        file.1 = permissions;
        Ok(path)
    }

    async fn read(&mut self, path: &str) -> Result<Vec<u8>> {
        let file = self.files.get(&absolute(path)).ok_or_else(|| Error::not_found("file", path))?;
        Ok(file.0.clone())
    }

    async fn delete(&mut self, path: &str) -> Result<()> {
        self.files.remove(&absolute(path)).map(|_| ()).ok_or_else(|| Error::not_found("file", path))
    }

    async fn make_dir(&mut self, path: &str, permissions: Option<u32>) -> Result<String> {
        let path = absolute(path);
        self.folders.insert(path.clone(), permissions);
        Ok(path)
    }

    async fn run_with(&mut self, command: &RemoteCommand, output: OutputSink<'_>) -> Result<ExitStatus> {
        if self.broken {
            return Err(Error::new(libcloud_common::ErrorKind::Transport, "the connection broke"));
        }
        self.commands.push(command.clone());
        output(OutputStream::Stdout, b"out");
        output(OutputStream::Stderr, b"got canary\nerr");
        Ok(ExitStatus::exited(self.exit_status))
    }

    fn report(&mut self, event: StepEvent<'_>) {
        self.steps.push(format!("{}/{} {}", event.number, event.count, event.name));
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
    server.files.insert("/home/me/.ssh/authorized_keys".into(), (b"ssh-rsa OLD".to_vec(), None));
    let mut step = SSHKeyDeployment::new(format!("ssh-ed25519 {KEY} me\n"));
    step.run(&node(), &mut server).await.unwrap();
    step.run(&node(), &mut server).await.unwrap();
    // The same key under another name, and behind options.
    SSHKeyDeployment::new(format!("ssh-ed25519 {KEY} you")).run(&node(), &mut server).await.unwrap();
    let mut limited = SSHKeyDeployment::new(format!("command=\"id\" ssh-ed25519 {KEY} me"));
    limited.run(&node(), &mut server).await.unwrap();
    let file = "/home/me/.ssh/authorized_keys";
    assert_eq!(server.text(file), format!("ssh-rsa OLD\nssh-ed25519 {KEY} me\n"));
    assert_eq!(server.files[file].1, Some(0o600));
    assert_eq!(server.folders["/home/me/.ssh"], Some(0o700));
}

#[tokio::test]
async fn what_is_no_public_key_is_refused() {
    for (key, problem) in [
        ("ssh-rsa A\nssh-rsa B", "one line"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----\ncanary", "private key"),
        ("hello", "not a public key"),
        ("", "one line"),
    ] {
        let mut server = Server::default();
        let mut step = SSHKeyDeployment::new(key);
        let error = step.run(&node(), &mut server).await.unwrap_err().to_string();
        assert!(error.contains(problem) && !error.contains("canary"), "{error}");
        assert_eq!(step.check().unwrap_err().to_string(), error);
        assert!(server.files.is_empty());
    }
}

#[tokio::test]
async fn a_script_gets_its_arguments_unharmed_and_is_deleted() {
    let mut server = Server { exit_status: 3, ..Server::default() };
    let mut step =
        ScriptDeployment::new("#!/bin/sh\n").name("setup.sh").args(["a b", "$(id)", "it's"]).delete();
    step.run(&node(), &mut server).await.unwrap();
    let line = server.commands[0].line();
    assert_eq!(line.expose(), r"/home/me/setup.sh 'a b' '$(id)' 'it'\''s'");
    assert_eq!(
        (step.exit_status(), step.stdout(), step.stderr()),
        (Some(3), Some("out"), Some("got canary\nerr"))
    );
    assert!(server.files.is_empty());
}

#[tokio::test]
async fn a_script_that_must_succeed_fails_without_its_secrets() {
    let mut server = Server { exit_status: 3, ..Server::default() };
    let mut step =
        ScriptDeployment::new("").secret_arg("canary").secret_env("TOKEN", "canary").must_succeed();
    let error = step.run(&node(), &mut server).await.unwrap_err();
    assert_eq!(error.kind(), libcloud_common::ErrorKind::Deployment);
    assert_eq!(error.to_string(), "the script ended with the exit status 3; it wrote: got ••• | err");
    assert_eq!(step.exit_status(), Some(3));
    let told = format!("{step:?} {:?} {error:?} {error:#}", server.commands);
    assert!(!told.contains("canary"), "{told}");
    assert!(server.commands[0].line().expose().starts_with("exec env TOKEN=canary /home/me/libcloud_"));
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
async fn output_is_heard_as_it_comes_and_its_end_is_kept() {
    let heard = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let ears = std::sync::Arc::clone(&heard);
    let mut step = ScriptDeployment::new("").keep_output(2).on_output(move |stream, bytes| {
        ears.lock().unwrap().push((stream, bytes.to_vec()));
    });
    step.run(&node(), &mut Server::default()).await.unwrap();
    assert_eq!(heard.lock().unwrap()[0], (OutputStream::Stdout, b"out".to_vec()));
    assert_eq!((step.stdout(), step.output().unwrap().dropped), (Some("ut"), 13));
}

#[tokio::test]
async fn scripts_and_keys_are_read_from_what_is_open() {
    let mut server = Server::default();
    let script: &[u8] = b"#!/bin/sh\n\xff\n";
    ScriptDeployment::from_reader(script).unwrap().name("/x").run(&node(), &mut server).await.unwrap();
    assert_eq!(server.files["/x"], (script.to_vec(), Some(0o700)));
    let line = format!("ssh-ed25519 {KEY} me\n");
    let key = SSHKeyDeployment::from_reader(line.as_bytes()).unwrap();
    assert_eq!(key, SSHKeyDeployment::new(line));
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
        .add(FileDeployment::new(folder.path().join("missing"), "/etc/x"))
        .add(deployment_fn("never", |_, _| Box::pin(async { panic!("the step before it failed") })));
    let refused = steps.check().unwrap_err().to_string();
    assert!(refused.starts_with("step 3 of 4 (copy ") && refused.contains("missing"), "{refused}");
    let error = steps.run(&node(), &mut server).await.unwrap_err();
    assert!(error.to_string().starts_with("step 3 of 4 (copy "), "{error}");
    assert_eq!(server.text("/etc/app.conf"), "listen 80");
    #[cfg(unix)]
    assert_eq!(server.files["/etc/app.conf"].1, Some(0o640));
    let script = server.commands[0].to_string();
    assert!(script.starts_with("/home/me/libcloud_deployment_"), "{script}");
    assert_eq!(server.files[&script], (b"#!/bin/sh\ntrue\n".to_vec(), Some(0o700)));
    assert_eq!(server.steps.len(), 3);
    assert!(server.steps[1].starts_with("2/4 script "), "{:?}", server.steps);
}

#[cfg(unix)]
#[tokio::test]
async fn a_folder_goes_with_all_that_is_in_it_and_a_ring_of_links_ends() {
    use std::os::unix::fs::PermissionsExt;

    let folder = tempfile::tempdir().unwrap();
    let site = folder.path().join("site");
    std::fs::create_dir_all(site.join("empty")).unwrap();
    std::fs::create_dir_all(site.join("ünicode")).unwrap();
    std::fs::write(site.join("ünicode/日本 .bin"), [0, 0xff, b'\n']).unwrap();
    std::fs::set_permissions(site.join("empty"), PermissionsExt::from_mode(0o500)).unwrap();
    let mut server = Server::default();
    FileDeployment::new(&site, "www/").run(&node(), &mut server).await.unwrap();
    assert_eq!(server.files["/home/me/www/ünicode/日本 .bin"].0, [0, 0xff, b'\n']);
    assert_eq!(server.folders["/home/me/www/empty"], Some(0o500));
    std::os::unix::fs::symlink(&site, site.join("ring")).unwrap();
    let error = FileDeployment::new(&site, "www").run(&node(), &mut server).await.unwrap_err();
    assert!(error.to_string().contains("leads back up"), "{error}");
}
