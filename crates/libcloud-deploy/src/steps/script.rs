//! Scripts that are put on a server and run there.

use std::fmt;
use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use libcloud_common::{Error, ErrorKind, Result, Secret, unique_token};
use libcloud_compute::Node;

use super::Deployment;
use crate::client::{SshClient, WriteMode};
use crate::command::{CommandOutput, KEEP, OutputStream, RemoteCommand, Tail};

/// How much of standard error an error repeats.
const REPEATED: usize = 300;

/// Runs a script.
///
/// The script is put on the server under its name: an absolute path, or one below the user's home, where it also runs. It is
/// the user's alone. Its first line names the interpreter.
///
/// ```
/// use std::time::Duration;
/// use libcloud_deploy::ScriptDeployment;
///
/// let script = ScriptDeployment::new("#!/bin/sh\napt-get install -y \"$1\" && register \"$2\"\n")
///     .args(["nginx"])
///     .secret_arg("canary")
///     .env("DEBIAN_FRONTEND", "noninteractive")
///     .timeout(Duration::from_secs(600))
///     .must_succeed()
///     .delete();
/// assert!(!format!("{script:?}").contains("canary"));
/// ```
#[derive(Clone)]
pub struct ScriptDeployment {
    script: Arc<[u8]>,
    args: Vec<Arg>,
    env: Vec<(String, Arg)>,
    name: Option<String>,
    delete: bool,
    timeout: Option<Duration>,
    must_succeed: bool,
    keep: usize,
    hear: Option<Arc<Hear>>,
    output: Option<CommandOutput>,
}

type Hear = dyn Fn(OutputStream, &[u8]) + Send + Sync;

#[derive(Clone)]
enum Arg {
    Plain(String),
    Secret(Secret),
}

impl ScriptDeployment {
    /// A script, as text or bytes.
    pub fn new(script: impl Into<Vec<u8>>) -> Self {
        Self {
            script: script.into().into(),
            args: Vec::new(),
            env: Vec::new(),
            name: None,
            delete: false,
            timeout: None,
            must_succeed: false,
            keep: KEEP,
            hear: None,
            output: None,
        }
    }

    /// The script that can be read from there: a file that is open already.
    ///
    /// # Errors
    /// `Io` if it cannot be read.
    pub fn from_reader(mut reader: impl Read) -> Result<Self> {
        let mut script = Vec::new();
        reader.read_to_end(&mut script).map_err(|error| Error::io("read the script", error))?;
        Ok(Self::new(script))
    }

    /// Adds arguments; each reaches the script as it is, whatever characters it has.
    pub fn args<S: Into<String>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.args.extend(args.into_iter().map(|arg| Arg::Plain(arg.into())));
        self
    }

    /// Adds an argument that no log and no error shows. The server's administrator sees it while the script runs;
    /// [`secret_env`](Self::secret_env) keeps it from other users.
    pub fn secret_arg(mut self, arg: impl Into<Secret>) -> Self {
        self.args.push(Arg::Secret(arg.into()));
        self
    }

    /// Sets a variable of its environment.
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.env.push((name.into(), Arg::Plain(value.into())));
        self
    }

    /// Sets a variable of its environment that no log and no error shows.
    pub fn secret_env(mut self, name: impl Into<String>, value: impl Into<Secret>) -> Self {
        self.env.push((name.into(), Arg::Secret(value.into())));
        self
    }

    /// Sets its path on the server. Without one it is `libcloud_deployment_….sh` in the user's home, another for each run.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Deletes it when it has run, whatever came of it.
    pub fn delete(mut self) -> Self {
        self.delete = true;
        self
    }

    /// Sets how long it may run.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Makes an error of an exit status other than 0. Without this it is only to be seen in
    /// [`exit_status`](Self::exit_status), as in the seed.
    pub fn must_succeed(mut self) -> Self {
        self.must_succeed = true;
        self
    }

    /// Sets how much is kept of each stream: the last so many bytes (1 MiB).
    pub fn keep_output(mut self, bytes: usize) -> Self {
        self.keep = bytes;
        self
    }

    /// Calls this with everything that it writes, as it comes. A piece may end in the middle of a line or of a letter.
    pub fn on_output(mut self, hear: impl Fn(OutputStream, &[u8]) + Send + Sync + 'static) -> Self {
        self.hear = Some(Arc::new(hear));
        self
    }

    /// What it wrote and how it ended, once it has run.
    pub fn output(&self) -> Option<&CommandOutput> {
        self.output.as_ref()
    }

    /// The exit status of the script, once it has run.
    pub fn exit_status(&self) -> Option<i32> {
        self.output.as_ref().map(|output| output.exit_status)
    }

    /// What it wrote to standard output, once it has run.
    pub fn stdout(&self) -> Option<&str> {
        self.output.as_ref().map(|output| output.stdout.as_str())
    }

    /// What it wrote to standard error, once it has run.
    pub fn stderr(&self) -> Option<&str> {
        self.output.as_ref().map(|output| output.stderr.as_str())
    }

    fn command(&self, path: &str) -> RemoteCommand {
        let mut command = RemoteCommand::program(path);
        for arg in &self.args {
            command = match arg {
                Arg::Plain(arg) => command.arg(arg),
                Arg::Secret(arg) => command.secret_arg(arg.clone()),
            };
        }
        for (name, value) in &self.env {
            command = match value {
                Arg::Plain(value) => command.env(name, value),
                Arg::Secret(value) => command.secret_env(name, value.clone()),
            };
        }
        match self.timeout {
            Some(timeout) => command.timeout(timeout),
            None => command,
        }
    }

    /// What it is called in logs: its name, which is not made up before it runs.
    fn told(&self) -> &str {
        self.name.as_deref().unwrap_or("without a name")
    }

    async fn execute(&mut self, script: &[u8], client: &mut dyn SshClient) -> Result<()> {
        let name = match &self.name {
            Some(name) => name.clone(),
            None => format!("libcloud_deployment_{}.sh", unique_token()?),
        };
        self.output = None;
        let path = client.put(&name, script, Some(0o700), WriteMode::Replace).await?;
        let command = self.command(&path);
        let mut tail = Tail::new(self.keep);
        let hear = self.hear.clone();
        let mut sink = |stream, bytes: &[u8]| {
            if let Some(hear) = &hear {
                hear(stream, bytes);
            }
            tail.write(stream, bytes);
        };
        let ran = client.run_with(&command, &mut sink).await;
        // It may hold secrets, so it goes whether it ran or not. Why it did not run matters more than why it stays.
        let deleted = if self.delete { client.delete(&path).await } else { Ok(()) };
        let status = ran?;
        let told = status.to_string();
        let output = self.output.insert(tail.finish(status));
        deleted?;
        if self.must_succeed && output.exit_status != 0 {
            let last = command.hide(output.stderr.trim_end());
            let start = last.char_indices().rev().take(REPEATED).last().map_or(0, |(at, _)| at);
            let last = last.get(start..).unwrap_or_default().escape_debug().to_string().replace("\\n", " | ");
            let wrote = if last.is_empty() { String::new() } else { format!("; it wrote: {last}") };
            return Err(Error::new(ErrorKind::Deployment, format!("the script {told}{wrote}")));
        }
        Ok(())
    }
}

impl fmt::Debug for ScriptDeployment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScriptDeployment")
            .field("command", &self.command(self.told()))
            .field("script", &format_args!("{} bytes", self.script.len()))
            .field("delete", &self.delete)
            .field("exit_status", &self.exit_status())
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Deployment for ScriptDeployment {
    async fn run(&mut self, _: &Node, client: &mut dyn SshClient) -> Result<()> {
        let script = Arc::clone(&self.script);
        self.execute(&script, client).await
    }

    fn check(&self) -> Result<()> {
        self.command(self.told()).check()
    }

    fn name(&self) -> String {
        format!("script {}", self.told())
    }
}

/// Runs a script that is in a file of this machine. It is read when it runs.
#[derive(Clone, Debug)]
pub struct ScriptFileDeployment {
    file: PathBuf,
    script: ScriptDeployment,
}

/// The settings of a script, for one in a file.
macro_rules! as_with_a_script {
    ($($name:ident($($arg:ident: $type:ty),*);)*) => {$(
        #[doc = concat!("As [`ScriptDeployment::", stringify!($name), "`].")]
        pub fn $name(mut self, $($arg: $type),*) -> Self {
            self.script = self.script.$name($($arg),*);
            self
        }
    )*};
}

impl ScriptFileDeployment {
    /// The script in this file.
    pub fn new(file: impl Into<PathBuf>) -> Self {
        Self { file: file.into(), script: ScriptDeployment::new("") }
    }

    /// As [`ScriptDeployment::args`].
    pub fn args<S: Into<String>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.script = self.script.args(args);
        self
    }

    as_with_a_script! {
        secret_arg(arg: impl Into<Secret>);
        env(name: impl Into<String>, value: impl Into<String>);
        secret_env(name: impl Into<String>, value: impl Into<Secret>);
        name(name: impl Into<String>);
        delete();
        timeout(timeout: Duration);
        must_succeed();
        keep_output(bytes: usize);
        on_output(hear: impl Fn(OutputStream, &[u8]) + Send + Sync + 'static);
    }

    /// Runs it as that one would be run: its arguments, its environment, its limits. Its own script is left out.
    pub fn settings_of(mut self, script: ScriptDeployment) -> Self {
        self.script = script;
        self
    }

    /// How it is run, and what came of it.
    pub fn script(&self) -> &ScriptDeployment {
        &self.script
    }

    /// The exit status of the script, once it has run.
    pub fn exit_status(&self) -> Option<i32> {
        self.script.exit_status()
    }
}

#[async_trait]
impl Deployment for ScriptFileDeployment {
    async fn run(&mut self, _: &Node, client: &mut dyn SshClient) -> Result<()> {
        let script = tokio::fs::read(&self.file)
            .await
            .map_err(|error| Error::io(format_args!("read the script {}", self.file.display()), error))?;
        self.script.execute(&script, client).await
    }

    fn check(&self) -> Result<()> {
        std::fs::File::open(&self.file)
            .map_err(|error| Error::io(format_args!("read the script {}", self.file.display()), error))?;
        self.script.check()
    }

    fn name(&self) -> String {
        format!("script {}", self.file.display())
    }
}
