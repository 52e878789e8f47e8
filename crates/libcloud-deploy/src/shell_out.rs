//! An SSH client that runs the system's `ssh`.

use std::fmt;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt as _, TryFutureExt as _, future, stream};
use libcloud_common::text::quote;
use libcloud_common::{ByteStream, Deadline, Error, ErrorKind, Result, Retry};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, Command};

use crate::client::{OutputSink, SshClient, WriteMode, without_tilde};
use crate::command::{CommandOutput, ExitStatus, KEEP, OutputStream, RemoteCommand, Tail};
use crate::config::{SshAuth, SshConfig};
use crate::log::{SshLog, log};

/// The status by which `ssh` says that it failed itself.
const SSH_FAILED: i32 = 255;
/// The status by which the commands here say that a file is not there.
const MISSING: i32 = 44;

/// An SSH client that runs the system's `ssh` for each operation: with its configuration, its agent, its smart cards.
///
/// It takes key files, the agent and the default keys; passwords, passphrases and keys in memory have no safe way into another
/// program and are refused. Files go through `cat`, so the server needs a POSIX shell and no SFTP.
///
/// ```no_run
/// use libcloud_deploy::{ShellOutSshClient, SshAuth, SshClient, SshConfig};
///
/// # async fn example() -> libcloud_common::Result<()> {
/// let mut client = ShellOutSshClient::new(SshConfig::new("web.example").auth(SshAuth::Agent));
/// client.connect().await?;
/// assert_eq!(client.run("true").await?.exit_status, 0);
/// # Ok(())
/// # }
/// ```
pub struct ShellOutSshClient {
    config: SshConfig,
    program: PathBuf,
    log: SshLog,
    home: Option<String>,
}

impl ShellOutSshClient {
    /// A client for this server, by the `ssh` on the search path.
    pub fn new(config: SshConfig) -> Self {
        let log = SshLog::new(&config);
        Self { config, program: "ssh".into(), log, home: None }
    }

    /// Runs this program in place of `ssh`.
    pub fn program(mut self, program: impl Into<PathBuf>) -> Self {
        self.program = program.into();
        self
    }

    /// The absolute path that this one means.
    fn absolute(&self, path: &str) -> Result<String> {
        let home = self.home.as_deref().ok_or_else(|| {
            Error::new(ErrorKind::InvalidState, "the SSH client is not connected: call connect first")
        })?;
        Ok(match without_tilde(path) {
            path if path.starts_with('/') => path.to_owned(),
            "." => home.to_owned(),
            path => format!("{}/{path}", home.trim_end_matches('/')),
        })
    }

    fn spawn(&self, line: &str) -> Result<Child> {
        let mut command = Command::new(&self.program);
        command.args(arguments(&self.config)?).arg("--").arg(&self.config.hostname).arg(line);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        command.spawn().map_err(|error| {
            Error::new(ErrorKind::NotSupported, format!("cannot run {}: {error}", self.program.display()))
                .with_source(error)
        })
    }

    /// Runs a line with this on its standard input.
    async fn execute(&self, line: &str, mut input: ByteStream, output: OutputSink<'_>) -> Result<ExitStatus> {
        let mut child = self.spawn(line)?;
        let broke = |error| Error::io(format_args!("talk to {}", self.program.display()), error);
        let mut stdin = child.stdin.take();
        let feed = async {
            if let Some(stdin) = &mut stdin {
                while let Some(piece) = input.next().await {
                    // A command that reads no further says why by its status.
                    if stdin.write_all(&piece?).await.is_err() {
                        break;
                    }
                }
            }
            stdin = None;
            Ok(())
        };
        let shared = Mutex::new((output, Tail::new(4096)));
        let hear = |stream, bytes: &[u8]| {
            let mut shared = shared.lock().unwrap_or_else(PoisonError::into_inner);
            (shared.0)(stream, bytes);
            shared.1.write(stream, bytes);
        };
        let (out, err) = (child.stdout.take(), child.stderr.take());
        let stdout = pump(out, |bytes| hear(OutputStream::Stdout, bytes));
        let stderr = pump(err, |bytes| hear(OutputStream::Stderr, bytes));
        let (stdout, stderr) = (stdout.map_err(broke), stderr.map_err(broke));
        future::try_join3(feed, stdout, stderr).await?;
        let ended = child.wait().await.map_err(broke)?;
        let status = status(ended);
        let (_, tail) = shared.into_inner().unwrap_or_else(PoisonError::into_inner);
        match tail.finish(status.clone()).stderr {
            stderr if status.code == SSH_FAILED && is_of_ssh(&stderr) => Err(self.failed(&stderr)),
            _ => Ok(status),
        }
    }

    /// The error of an `ssh` that failed itself, by what it wrote.
    fn failed(&self, stderr: &str) -> Error {
        let last = stderr.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or("it says nothing");
        let text = stderr.to_ascii_lowercase();
        let (kind, retry) = if text.contains("host key verification failed")
            || text.contains("remote host identification has changed")
        {
            (ErrorKind::Tls, Retry::Permanent)
        } else if text.contains("permission denied") || text.contains("too many authentication failures") {
            (ErrorKind::InvalidCredentials, Retry::Permanent)
        } else if text.contains("timed out") {
            (ErrorKind::Timeout, Retry::Retryable(None))
        } else {
            (ErrorKind::Transport, Retry::Retryable(None))
        };
        Error::new(kind, format!("ssh {}: {}", self.config, last.escape_debug())).with_retry(retry)
    }

    /// Runs a command of libcloud's own.
    async fn own(&self, line: &str, input: ByteStream) -> Result<CommandOutput> {
        let mut tail = Tail::new(KEEP);
        let status = self.execute(line, input, &mut |stream, bytes| tail.write(stream, bytes)).await?;
        Ok(tail.finish(status))
    }

    async fn file(&self, doing: &str, path: &str, line: &str, input: ByteStream) -> Result<CommandOutput> {
        let output = self.own(line, input).await?;
        let shown = path.escape_debug();
        match output.exit_status {
            0 => Ok(output),
            MISSING => Err(Error::new(
                ErrorKind::NotFound,
                format!("cannot {doing} `{shown}` on the server: it does not exist"),
            )
            .with_resource("file", path)),
            _ => Err(Error::new(
                ErrorKind::Provider,
                format!("cannot {doing} `{shown}` on the server: {}", output.stderr.trim().escape_debug()),
            )
            .with_resource("file", path)),
        }
    }
}

/// Whether `ssh` wrote this. A command may end with the same status.
fn is_of_ssh(stderr: &str) -> bool {
    const WORDS: [&str; 10] = [
        "ssh: ",
        "Host key verification failed",
        "Permission denied (",
        "Too many authentication failures",
        "Connection ",
        "Timeout, server ",
        "kex_exchange_identification",
        "client_loop: ",
        "Bad configuration option",
        "Load key ",
    ];
    stderr.lines().any(|line| WORDS.iter().any(|word| line.contains(word)))
}

/// What can be found out before anything is run.
pub(crate) fn check(config: &SshConfig) -> Result<()> {
    arguments(config)?;
    for auth in &config.auth {
        if let SshAuth::KeyFile { path, .. } = auth {
            std::fs::File::open(path)
                .map_err(|error| Error::io(format_args!("read the private key {}", path.display()), error))?;
        }
    }
    Ok(())
}

/// The options of `ssh` for a configuration.
fn arguments(config: &SshConfig) -> Result<Vec<String>> {
    config.check()?;
    let mut arguments: Vec<String> = Vec::new();
    let mut option = |text: String| arguments.extend(["-o".to_owned(), text]);
    // It must never ask, and never hold on to the terminal.
    option("BatchMode=yes".into());
    option(format!("ConnectTimeout={}", config.connect_timeout.as_secs().max(1)));
    if let Some(interval) = config.keep_alive {
        option(format!("ServerAliveInterval={}", interval.as_secs().max(1)));
        option(format!("ServerAliveCountMax={}", config.keep_alive_max));
    }
    let keys = &config.host_keys;
    let policy = if keys.accepts_new() { "accept-new" } else { "yes" };
    option(format!("StrictHostKeyChecking={policy}"));
    let memory = if keys.accepts_new() && keys.saves_to().is_none() { Some(keys.memory()?) } else { None };
    // New keys are written to the first.
    let mut files = Vec::new();
    for file in keys.saves_to().map(PathBuf::from).into_iter().chain(memory).chain(keys.files()) {
        if !files.contains(&file) {
            files.push(file);
        }
    }
    let files: Vec<String> = files.iter().map(|file| format!("\"{}\"", file.display())).collect();
    option(format!("UserKnownHostsFile={}", if files.is_empty() { "none".into() } else { files.join(" ") }));
    option("GlobalKnownHostsFile=none".into());
    option("HashKnownHosts=no".into());
    let mut has_keys = false;
    let mut has_agent = config.auth.is_empty();
    for auth in &config.auth {
        match auth {
            SshAuth::KeyFile { path, passphrase: None } => {
                option(format!("IdentityFile=\"{}\"", path.display()));
                has_keys = true;
            }
            SshAuth::Agent | SshAuth::Defaults => has_agent = true,
            SshAuth::AgentAt(path) => {
                option(format!("IdentityAgent=\"{}\"", path.display()));
                has_agent = true;
            }
            SshAuth::KeyFile { .. }
            | SshAuth::Password(_)
            | SshAuth::KeyboardInteractive(_)
            | SshAuth::KeyMaterial { .. } => {
                return Err(Error::new(
                    ErrorKind::NotSupported,
                    "the system's ssh takes key files without a passphrase, the agent and the default keys; for passwords, \
                     passphrases and keys in memory use libcloud's own client",
                ));
            }
        }
    }
    if has_keys && !has_agent {
        option("IdentitiesOnly=yes".into());
        option("IdentityAgent=none".into());
    }
    if let Some(jump) = config.jump.as_deref() {
        if jump.jump.is_some()
            || !jump.auth.iter().all(|auth| matches!(auth, SshAuth::Agent | SshAuth::Defaults))
        {
            return Err(Error::new(
                ErrorKind::NotSupported,
                "the system's ssh goes through one other server, with the agent and the default keys; for more use \
                 libcloud's own client",
            ));
        }
        option(format!("ProxyJump={}@{}:{}", jump.username, bracketed(&jump.hostname), jump.port));
    }
    arguments.extend([
        "-T".into(),
        "-p".into(),
        config.port.to_string(),
        "-l".into(),
        config.username.clone(),
    ]);
    Ok(arguments)
}

fn bracketed(hostname: &str) -> String {
    if hostname.contains(':') { format!("[{hostname}]") } else { hostname.to_owned() }
}

async fn pump(source: Option<impl AsyncRead + Unpin>, mut hear: impl FnMut(&[u8])) -> std::io::Result<()> {
    let Some(mut source) = source else { return Ok(()) };
    let mut buffer = vec![0; 32 << 10];
    loop {
        let length = source.read(&mut buffer).await?;
        match buffer.get(..length) {
            Some(piece) if length > 0 => hear(piece),
            _ => return Ok(()),
        }
    }
}

fn status(ended: std::process::ExitStatus) -> ExitStatus {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&ended) {
        return ExitStatus::exited(128 + signal);
    }
    ExitStatus::exited(ended.code().unwrap_or(SSH_FAILED))
}

fn nothing() -> ByteStream {
    stream::empty().boxed()
}

#[async_trait]
impl SshClient for ShellOutSshClient {
    async fn connect(&mut self) -> Result<()> {
        log!(self.log, "connecting by {}", self.program.display());
        let limit = self.config.connect_timeout + self.config.auth_timeout;
        let deadline = Deadline::new(Arc::clone(&self.config.clock), Some(limit));
        let asked = deadline.wait(self.own("pwd", nothing())).await;
        let output = asked.map_err(|error| match error.kind() {
            ErrorKind::Timeout => {
                Error::new(ErrorKind::Timeout, format!("ssh {}: no answer in time", self.config))
                    .with_retry(Retry::Retryable(None))
            }
            _ => error,
        });
        let output = output.inspect_err(|error| log!(self.log, "not connected: {error}"))?;
        match output.stdout.trim_end_matches('\n') {
            home if output.exit_status == 0 && home.starts_with('/') => self.home = Some(home.to_owned()),
            other => {
                return Err(Error::new(
                    ErrorKind::InvalidCredentials,
                    format!(
                        "ssh {}: the server answers in place of a shell: {}",
                        self.config,
                        other.chars().take(200).collect::<String>().escape_debug()
                    ),
                ));
            }
        }
        Ok(())
    }

    async fn put_stream(
        &mut self,
        path: &str,
        contents: ByteStream,
        permissions: Option<u32>,
        mode: WriteMode,
    ) -> Result<String> {
        let path = self.absolute(path)?;
        log!(self.log, "put {} ({mode:?})", path.escape_debug());
        let word = quote(&path);
        let folder = match path.rsplit_once('/') {
            Some((folder, _)) if !folder.is_empty() => format!("mkdir -p -- {} && ", quote(folder)),
            _ => String::new(),
        };
        // Its permissions before its content; but what nobody may write, we could not either.
        let (before, after) = match permissions {
            Some(permissions) => (
                format!("(umask 077; : >> {word}) && chmod {:04o} -- {word} && ", permissions | 0o200),
                format!(" && chmod {permissions:04o} -- {word}"),
            ),
            None => (String::new(), String::new()),
        };
        let write = if mode == WriteMode::Append { ">>" } else { ">" };
        let line = format!("{folder}{before}cat {write} {word}{after}");
        self.file("write", &path, &line, contents).await?;
        Ok(path)
    }

    async fn read(&mut self, path: &str) -> Result<Vec<u8>> {
        let path = self.absolute(path)?;
        log!(self.log, "read {}", path.escape_debug());
        let word = quote(&path);
        let line = format!("test -e {word} || exit {MISSING}; cat -- {word}");
        let mut contents = Vec::new();
        let mut wrote = Tail::new(KEEP);
        let mut hear = |stream, bytes: &[u8]| match stream {
            OutputStream::Stdout => contents.extend_from_slice(bytes),
            OutputStream::Stderr => wrote.write(stream, bytes),
        };
        let status = self.execute(&line, nothing(), &mut hear).await?;
        match status.code {
            0 => Ok(contents),
            MISSING => Err(Error::not_found("file", path)),
            _ => Err(Error::new(
                ErrorKind::Provider,
                format!(
                    "cannot read `{path}` on the server: {}",
                    wrote.finish(status).stderr.trim().escape_debug()
                ),
            )),
        }
    }

    async fn delete(&mut self, path: &str) -> Result<()> {
        let path = self.absolute(path)?;
        log!(self.log, "delete {}", path.escape_debug());
        let word = quote(&path);
        let line = format!("test -e {word} || exit {MISSING}; rm -f -- {word}");
        self.file("delete", &path, &line, nothing()).await.map(drop)
    }

    async fn make_dir(&mut self, path: &str, permissions: Option<u32>) -> Result<String> {
        let path = self.absolute(path)?;
        log!(self.log, "make the folder {}", path.escape_debug());
        let word = quote(&path);
        let permissions = permissions.map(|permissions| format!(" && chmod {permissions:04o} -- {word}"));
        let line = format!("mkdir -p -- {word}{}", permissions.unwrap_or_default());
        self.file("make the folder", &path, &line, nothing()).await?;
        Ok(path)
    }

    async fn run_with(&mut self, command: &RemoteCommand, output: OutputSink<'_>) -> Result<ExitStatus> {
        command.check()?;
        self.absolute("~")?;
        log!(self.log, "run {command}");
        let limit = command.time_limit().or(self.config.command_timeout);
        let deadline = Deadline::new(Arc::clone(&self.config.clock), limit);
        let line = command.line();
        // What stands in the command of a process here can be seen by all users of this machine.
        let (line, input) = if command.has_secrets() {
            let typed = Bytes::from(format!("{} </dev/null\n", line.expose()));
            ("sh -s", stream::iter([Ok(typed)]).boxed())
        } else {
            (line.expose(), nothing())
        };
        match deadline.wait(self.execute(line, input, output)).await {
            Ok(status) => {
                log!(self.log, "`{command}` {status}");
                Ok(status)
            }
            Err(error) if error.kind() == ErrorKind::Timeout && !error.is_retryable() => Err(Error::new(
                ErrorKind::Timeout,
                format!(
                    "`{command}` did not end within {} s; the connection was ended, and it may still run",
                    limit.unwrap_or_default().as_secs_f64()
                ),
            )),
            Err(error) => Err(error),
        }
    }

    async fn close(&mut self) -> Result<()> {
        self.home = None;
        Ok(())
    }
}

impl fmt::Debug for ShellOutSshClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ShellOutSshClient")
            .field("config", &self.config)
            .field("program", &self.program)
            .finish_non_exhaustive()
    }
}
