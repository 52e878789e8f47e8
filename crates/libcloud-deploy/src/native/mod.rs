//! The SSH client of libcloud's own: pure Rust, with ring for what the connection is encrypted by.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use libcloud_common::{ByteStream, Deadline, Error, ErrorKind, Result};
use russh::{ChannelMsg, Sig};

use crate::client::{OutputSink, SshClient, WriteMode, without_tilde};
use crate::command::{ExitStatus, OutputStream, RemoteCommand};
use crate::config::SshConfig;
use crate::log::{SshLog, log};

mod auth;
mod keys;
mod known_hosts;
mod session;
mod sftp;

pub(crate) use keys::Ways;
pub(crate) use known_hosts::Learned;
use session::{Session, broken};
use sftp::Sftp;

/// What a server writes to standard error has this number in the protocol.
const STDERR: u32 = 1;

/// The SSH client of libcloud's own; files go by SFTP.
///
/// ```no_run
/// use libcloud_deploy::{NativeSshClient, SshAuth, SshClient, SshConfig};
///
/// # async fn example() -> libcloud_common::Result<()> {
/// let config = SshConfig::new("web.example").auth(SshAuth::key_file("/home/me/.ssh/id_ed25519"));
/// let mut client = NativeSshClient::new(config);
/// client.connect().await?;
/// let output = client.run("uname -a").await?;
/// println!("{} {}", output.exit_status, output.stdout);
/// client.close().await
/// # }
/// ```
///
/// When it is dropped, the connection ends, and the server ends what runs on it as it does when a line breaks.
pub struct NativeSshClient {
    config: SshConfig,
    log: SshLog,
    session: Option<Session>,
}

impl NativeSshClient {
    /// A client for this server. Nothing is sent before [`connect`](SshClient::connect).
    pub fn new(config: SshConfig) -> Self {
        let log = SshLog::new(&config);
        Self { config, log, session: None }
    }

    fn session(&mut self) -> Result<&mut Session> {
        self.session.as_mut().ok_or_else(|| {
            Error::new(ErrorKind::InvalidState, "the SSH client is not connected: call connect first")
        })
    }

    /// The file service; opened anew where the last one ended half-way.
    async fn sftp(&mut self) -> Result<&mut Sftp> {
        let session = self.session()?;
        if !session.sftp.as_ref().is_some_and(Sftp::is_usable) {
            session.sftp = None;
            let channel = session.handle.channel_open_session().await;
            let channel = channel.map_err(|error| session.seen.broken("opening the file service", &error))?;
            let opened = Sftp::open(channel).await?;
            return Ok(session.sftp.insert(opened));
        }
        session.sftp.as_mut().ok_or_else(|| Error::new(ErrorKind::InvalidState, "the file service is gone"))
    }
}

#[async_trait]
impl SshClient for NativeSshClient {
    async fn connect(&mut self) -> Result<()> {
        self.config.check()?;
        self.session = None;
        let opened = Session::open(&self.config, &self.log).await;
        self.session = Some(opened.map_err(|error| {
            log!(self.log, "not connected: {error}");
            error.context(format_args!("ssh {}", self.config))
        })?);
        Ok(())
    }

    async fn put_stream(
        &mut self,
        path: &str,
        contents: ByteStream,
        permissions: Option<u32>,
        mode: WriteMode,
    ) -> Result<String> {
        log!(self.log, "put {} ({mode:?}{})", path.escape_debug(), told(permissions));
        let sftp = self.sftp().await?;
        let path = sftp.absolute(without_tilde(path));
        sftp.write(&path, contents, permissions, mode).await?;
        Ok(path)
    }

    async fn read(&mut self, path: &str) -> Result<Vec<u8>> {
        log!(self.log, "read {}", path.escape_debug());
        let sftp = self.sftp().await?;
        let path = sftp.absolute(without_tilde(path));
        sftp.read(&path).await
    }

    async fn delete(&mut self, path: &str) -> Result<()> {
        log!(self.log, "delete {}", path.escape_debug());
        let sftp = self.sftp().await?;
        let path = sftp.absolute(without_tilde(path));
        sftp.delete(&path).await
    }

    async fn make_dir(&mut self, path: &str, permissions: Option<u32>) -> Result<String> {
        log!(self.log, "make the folder {}{}", path.escape_debug(), told(permissions));
        let sftp = self.sftp().await?;
        let path = sftp.absolute(without_tilde(path));
        sftp.make_dir(&path, permissions).await?;
        Ok(path)
    }

    async fn run_with(&mut self, command: &RemoteCommand, output: OutputSink<'_>) -> Result<ExitStatus> {
        command.check()?;
        log!(self.log, "run {command}");
        let limit = command.time_limit().or(self.config.command_timeout);
        let deadline = Deadline::new(Arc::clone(&self.config.clock), limit);
        let log = self.log.clone();
        let session = self.session()?;
        let opened = deadline.wait(async { Ok(session.handle.channel_open_session().await) }).await;
        let opened = opened.map_err(|_| {
            Error::new(
                ErrorKind::Timeout,
                format!("`{command}` did not begin in time: the server does not answer"),
            )
        })?;
        let mut channel = opened.map_err(|error| session.seen.broken("a command was to begin", &error))?;
        let running = async {
            let sent = async {
                channel.exec(true, command.line().expose().as_bytes()).await?;
                channel.eof().await
            };
            sent.await.map_err(|error| session.seen.broken("a command was to begin", &error))?;
            let mut status = None;
            while let Some(message) = channel.wait().await {
                match message {
                    ChannelMsg::Data { data } => output(OutputStream::Stdout, &data),
                    ChannelMsg::ExtendedData { data, ext: STDERR } => output(OutputStream::Stderr, &data),
                    ChannelMsg::ExitStatus { exit_status } => {
                        status = Some(ExitStatus::exited(i32::try_from(exit_status).unwrap_or(i32::MAX)));
                    }
                    ChannelMsg::ExitSignal { signal_name, .. } => {
                        status = Some(ExitStatus::signaled(signal(&signal_name)));
                    }
                    ChannelMsg::Failure => {
                        return Err(Error::not_supported("running commands on this server"));
                    }
                    _ => {}
                }
            }
            status.ok_or_else(|| {
                let why = session.seen.end().unwrap_or_else(|| "it was closed".into());
                broken(format!(
                    "the connection broke while `{command}` ran, and nobody knows how it ended: {why}"
                ))
            })
        };
        match deadline.wait(running).await {
            Ok(status) => {
                log!(log, "`{command}` {status}");
                Ok(status)
            }
            Err(error) if error.kind() == ErrorKind::Timeout => {
                // Servers older than OpenSSH 7.9 do not hear it.
                let _ = channel.signal(Sig::TERM).await;
                let _ = channel.close().await;
                let limit = limit.unwrap_or_default().as_secs_f64();
                log!(log, "`{command}` did not end within {limit} s");
                Err(Error::new(
                    ErrorKind::Timeout,
                    format!("`{command}` did not end within {limit} s; it was told to, and may still run"),
                ))
            }
            Err(error) => Err(error),
        }
    }

    async fn close(&mut self) -> Result<()> {
        if let Some(session) = self.session.take() {
            session.close(&self.config).await;
        }
        Ok(())
    }
}

impl fmt::Debug for NativeSshClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NativeSshClient")
            .field("config", &self.config)
            .field("connected", &self.session.is_some())
            .finish_non_exhaustive()
    }
}

/// The name of a signal, without `SIG`.
fn signal(signal: &Sig) -> String {
    match signal {
        Sig::Custom(name) => name.clone(),
        known => format!("{known:?}"),
    }
}

fn told(permissions: Option<u32>) -> String {
    permissions.map(|permissions| format!(", permissions {permissions:04o}")).unwrap_or_default()
}
