//! The steps of a deployment.

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use libcloud_common::text::quote;
use libcloud_common::{Error, Result, unique_token};
use libcloud_compute::Node;

use crate::client::{CommandOutput, SshClient, WriteMode};

/// Something that is done on a server.
#[async_trait]
pub trait Deployment: Send + Sync {
    /// Does it. What a step's command wrote is kept in the step where it has a place for it.
    async fn run(&mut self, node: &Node, client: &mut dyn SshClient) -> Result<()>;
}

/// Lets somebody in: adds a public key to the user's `authorized_keys`, once.
#[derive(Clone, Debug)]
pub struct SSHKeyDeployment {
    key: String,
}

impl SSHKeyDeployment {
    /// A public key as OpenSSH writes it.
    pub fn new(key: impl Into<String>) -> Self {
        Self { key: key.into().trim().to_owned() }
    }
}

#[async_trait]
impl Deployment for SSHKeyDeployment {
    async fn run(&mut self, _: &Node, client: &mut dyn SshClient) -> Result<()> {
        const FILE: &str = ".ssh/authorized_keys";
        if self.key.lines().count() != 1 {
            return Err(Error::invalid_argument("a public key is one line, as in a .pub file"));
        }
        let known = client.read(FILE).await.unwrap_or_default();
        let known = String::from_utf8_lossy(&known);
        if known.lines().any(|line| line.trim() == self.key) {
            return Ok(());
        }
        // A last line without its end would swallow the new one.
        let separator = if known.is_empty() || known.ends_with('\n') { "" } else { "\n" };
        let line = format!("{separator}{}\n", self.key);
        client.put(FILE, line.as_bytes(), Some(0o600), WriteMode::Append).await?;
        Ok(())
    }
}

/// Copies a file, with its permissions.
#[derive(Clone, Debug)]
pub struct FileDeployment {
    source: PathBuf,
    target: String,
}

impl FileDeployment {
    /// From this file of this machine to that path on the server.
    pub fn new(source: impl Into<PathBuf>, target: impl Into<String>) -> Self {
        Self { source: source.into(), target: target.into() }
    }
}

#[async_trait]
impl Deployment for FileDeployment {
    async fn run(&mut self, _: &Node, client: &mut dyn SshClient) -> Result<()> {
        let contents = read(&self.source).await?;
        let permissions = permissions(&self.source).await?;
        client.put(&self.target, &contents, permissions, WriteMode::Replace).await?;
        Ok(())
    }
}

/// Runs a script.
///
/// The script is put on the server under its name: a path below the user's home, or an absolute one.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ScriptDeployment {
    /// The script; its first line names the interpreter.
    pub script: String,
    /// Its arguments; each reaches it as it is, whatever characters it has.
    pub args: Vec<String>,
    /// Its path on the server; a random name in the user's home without.
    pub name: Option<String>,
    /// Whether it is deleted when it has run.
    pub delete: bool,
    /// What it wrote and how it ended, once it has run.
    pub output: Option<CommandOutput>,
}

impl ScriptDeployment {
    /// A script.
    pub fn new(script: impl Into<String>) -> Self {
        Self { script: script.into(), args: Vec::new(), name: None, delete: false, output: None }
    }

    /// Adds arguments.
    pub fn args<S: Into<String>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Sets its path on the server.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Deletes it when it has run.
    pub fn delete(mut self) -> Self {
        self.delete = true;
        self
    }

    /// The exit status of the script, once it has run.
    pub fn exit_status(&self) -> Option<i32> {
        self.output.as_ref().map(|output| output.exit_status)
    }
}

#[async_trait]
impl Deployment for ScriptDeployment {
    async fn run(&mut self, _: &Node, client: &mut dyn SshClient) -> Result<()> {
        let name = match &self.name {
            Some(name) => name.clone(),
            None => format!("libcloud_deployment_{}.sh", unique_token()?),
        };
        let path = client.put(&name, self.script.as_bytes(), Some(0o755), WriteMode::Replace).await?;
        let mut command = quote(&path);
        for arg in &self.args {
            command.push(' ');
            command.push_str(&quote(arg));
        }
        let output = client.run(&command).await;
        // The script may hold secrets, so it goes whether it ran or not.
        if self.delete {
            client.delete(&path).await?;
        }
        self.output = Some(output?);
        Ok(())
    }
}

/// Runs a script that is in a file of this machine.
#[derive(Clone, Debug)]
pub struct ScriptFileDeployment {
    file: PathBuf,
    /// How the script is run, and what came of it. The script itself is read when it runs.
    pub script: ScriptDeployment,
}

impl ScriptFileDeployment {
    /// The script in this file.
    pub fn new(file: impl Into<PathBuf>) -> Self {
        Self { file: file.into(), script: ScriptDeployment::new("") }
    }
}

#[async_trait]
impl Deployment for ScriptFileDeployment {
    async fn run(&mut self, node: &Node, client: &mut dyn SshClient) -> Result<()> {
        let contents = read(&self.file).await?;
        self.script.script = String::from_utf8(contents).map_err(|_| {
            Error::invalid_argument(format!("the script {} is not text in UTF-8", self.file.display()))
        })?;
        self.script.run(node, client).await
    }
}

/// Several steps, one after another; the first that fails ends it.
#[derive(Default)]
pub struct MultiStepDeployment {
    steps: Vec<Box<dyn Deployment>>,
}

impl MultiStepDeployment {
    /// No steps yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a step.
    #[expect(clippy::should_implement_trait, reason = "the seed's name; nobody adds deployments with `+`")]
    pub fn add(mut self, step: impl Deployment + 'static) -> Self {
        self.steps.push(Box::new(step));
        self
    }

    /// How many steps there are.
    pub fn len(&self) -> usize {
        self.steps.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }
}

impl std::fmt::Debug for MultiStepDeployment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MultiStepDeployment").field("steps", &self.steps.len()).finish()
    }
}

#[async_trait]
impl Deployment for MultiStepDeployment {
    async fn run(&mut self, node: &Node, client: &mut dyn SshClient) -> Result<()> {
        let count = self.steps.len();
        for (index, step) in self.steps.iter_mut().enumerate() {
            step.run(node, client)
                .await
                .map_err(|error| error.context(format_args!("step {} of {count}", index + 1)))?;
        }
        Ok(())
    }
}

async fn read(path: &Path) -> Result<Vec<u8>> {
    tokio::fs::read(path).await.map_err(|error| Error::io(format_args!("read {}", path.display()), error))
}

async fn permissions(path: &Path) -> Result<Option<u32>> {
    let metadata = tokio::fs::metadata(path)
        .await
        .map_err(|error| Error::io(format_args!("read the permissions of {}", path.display()), error))?;
    #[cfg(unix)]
    let mode = Some(std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o7777);
    #[cfg(not(unix))]
    let mode = if metadata.permissions().readonly() { Some(0o444) } else { None };
    Ok(mode)
}
