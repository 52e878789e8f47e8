//! One connection: transport, handshake, host key.

use std::borrow::Cow;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use futures_util::FutureExt as _;
use libcloud_common::{BoxFuture, Deadline, Error, ErrorKind, Result, Retry};
use russh::client::{self, DisconnectReason, Handle};
use russh::keys::{Algorithm, HashAlg, PublicKeyOrCertificate};
use russh::{Disconnect, Preferred};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::oneshot;

use super::auth;
use super::known_hosts::{HostKey, Known};
use super::sftp::Sftp;
use crate::config::SshConfig;
use crate::host_keys::HostKeys;
use crate::log::{SshLog, log};

/// A connection that is authenticated.
pub(super) struct Session {
    pub(super) handle: Handle<Handler>,
    pub(super) seen: Seen,
    /// Opened when the first file is touched.
    pub(super) sftp: Option<Sftp>,
    /// The connection that this one goes through.
    jump: Option<Box<Session>>,
    /// Ends the connection when it goes.
    _cut: Cut,
}

/// What the connection's own task saw.
#[derive(Clone, Default)]
pub(super) struct Seen(Arc<Mutex<What>>);

#[derive(Default)]
struct What {
    refused: Option<Error>,
    end: Option<String>,
}

impl Seen {
    fn with<T>(&self, f: impl FnOnce(&mut What) -> T) -> T {
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Why the connection ended, if that is known.
    pub(super) fn end(&self) -> Option<String> {
        self.with(|what| what.end.clone())
    }

    /// The error of a connection that broke.
    pub(super) fn broken(&self, doing: &str, error: &russh::Error) -> Error {
        let why = self.end().unwrap_or_else(|| error.to_string());
        broken(format!("the connection broke while {doing}: {why}"))
    }
}

/// What may pass when it is tried again.
pub(super) fn broken(message: String) -> Error {
    Error::new(ErrorKind::Transport, message).with_retry(Retry::Retryable(None))
}

/// Answers the server, on the connection's own task.
pub(super) struct Handler {
    host_keys: HostKeys,
    known: Known,
    hostname: String,
    port: u16,
    log: SshLog,
    seen: Seen,
}

impl client::Handler for Handler {
    type Error = russh::Error;

    async fn check_server_key(&mut self, key: &PublicKeyOrCertificate) -> Result<bool, russh::Error> {
        let text = key.public_key().to_openssh()?;
        let mut words = text.split_whitespace();
        let key = HostKey::new(words.next().unwrap_or_default(), words.next().unwrap_or_default());
        match self.host_keys.accept(&self.known, &self.hostname, self.port, &key) {
            Ok(verdict) => {
                log!(self.log, "host key {} {}: {verdict}", key.kind(), key.fingerprint());
                Ok(true)
            }
            Err(error) => {
                log!(self.log, "{error}");
                self.seen.with(|what| what.refused = Some(error));
                Ok(false)
            }
        }
    }

    async fn auth_banner(&mut self, banner: &str, _: &mut client::Session) -> Result<(), russh::Error> {
        log!(self.log, "banner: {}", banner.trim().escape_debug());
        Ok(())
    }

    async fn disconnected(&mut self, reason: DisconnectReason<russh::Error>) -> Result<(), russh::Error> {
        let (end, result) = match reason {
            DisconnectReason::ReceivedDisconnect(info) => {
                (format!("the server ended it: {}", info.message.escape_debug()), Ok(()))
            }
            DisconnectReason::Error(error) => (error.to_string(), Err(error)),
        };
        log!(self.log, "disconnected: {end}");
        self.seen.with(|what| what.end = Some(end));
        result
    }
}

impl Session {
    /// Connects and authenticates, through as many servers as it takes.
    pub(super) fn open<'a>(config: &'a SshConfig, log: &'a SshLog) -> BoxFuture<'a, Result<Self>> {
        async move {
            let ways = super::keys::Ways::of(config, log).await?;
            let known = config.host_keys.look_up(&config.hostname, config.port)?;
            let jump = match config.jump.as_deref() {
                Some(jump) => {
                    let opened = Self::open(jump, &SshLog::new(jump)).await;
                    Some(Box::new(opened.map_err(|error| error.context(format_args!("at {jump}")))?))
                }
                None => None,
            };
            let deadline = Deadline::new(Arc::clone(&config.clock), Some(config.connect_timeout));
            let handshake = handshake(config, log, jump.as_deref(), known);
            let (mut handle, seen, cut) =
                deadline.wait(handshake).await.map_err(|error| in_time(error, "connecting"))?;
            let deadline = Deadline::new(Arc::clone(&config.clock), Some(config.auth_timeout));
            let authenticated = auth::authenticate(&mut handle, config, &ways, log, &seen);
            deadline.wait(authenticated).await.map_err(|error| in_time(error, "authentication"))?;
            Ok(Self { handle, seen, sftp: None, jump, _cut: cut })
        }
        .boxed()
    }

    /// Says goodbye. What cannot be said is not waited for.
    pub(super) fn close(self, config: &SshConfig) -> BoxFuture<'_, ()> {
        async move {
            let deadline = Deadline::new(Arc::clone(&config.clock), Some(config.connect_timeout));
            let Self { handle, sftp, jump, _cut, .. } = self;
            drop(sftp);
            let goodbye = async {
                if handle.disconnect(Disconnect::ByApplication, "", "").await.is_ok() {
                    let _ = handle.await;
                }
                Ok(())
            };
            let _ = deadline.wait(goodbye).await;
            if let (Some(jump), Some(config)) = (jump, config.jump.as_deref()) {
                jump.close(config).await;
            }
        }
        .boxed()
    }
}

/// Says what a time limit was one of.
fn in_time(error: Error, what: &str) -> Error {
    if error.kind() == ErrorKind::Timeout && error.retry() == Retry::Permanent {
        Error::new(ErrorKind::Timeout, format!("the server did not answer in time: {what}"))
            .with_retry(Retry::Retryable(None))
    } else {
        error
    }
}

async fn handshake(
    config: &SshConfig,
    log: &SshLog,
    jump: Option<&Session>,
    known: Known,
) -> Result<(Handle<Handler>, Seen, Cut)> {
    let (hostname, port) = (config.hostname.as_str(), config.port);
    log!(log, "connecting{}", if jump.is_some() { " through another server" } else { "" });
    let settings = Arc::new(settings(config, &known));
    let seen = Seen::default();
    let handler = Handler {
        host_keys: config.host_keys.clone(),
        known,
        hostname: hostname.to_owned(),
        port,
        log: log.clone(),
        seen: seen.clone(),
    };
    let (cut, connected) = if let Some(jump) = jump {
        let channel = jump.handle.channel_open_direct_tcpip(hostname, port.into(), "127.0.0.1", 0).await;
        let channel =
            channel.map_err(|error| jump.seen.broken("connecting to the server behind it", &error))?;
        let (stream, cut) = Severable::new(channel.into_stream());
        (cut, client::connect_stream(settings, stream, handler).await)
    } else {
        let stream = TcpStream::connect((hostname, port)).await.map_err(|error| {
            Error::new(ErrorKind::Transport, format!("cannot connect: {error}"))
                .with_retry(Retry::Retryable(None))
                .with_source(error)
        })?;
        // Small packets that wait for an answer each.
        let _ = stream.set_nodelay(true);
        let (stream, cut) = Severable::new(stream);
        (cut, client::connect_stream(settings, stream, handler).await)
    };
    let handle = connected.map_err(|error| match seen.with(|what| what.refused.take()) {
        Some(refused) => refused,
        None => broken(format!("the handshake failed: {}", seen.end().unwrap_or_else(|| error.to_string()))),
    })?;
    Ok((handle, seen, cut))
}

fn settings(config: &SshConfig, known: &Known) -> client::Config {
    // Signatures with SHA-1 are not accepted.
    let mut algorithms: Vec<Algorithm> = Preferred::DEFAULT.key.to_vec();
    algorithms.retain(|algorithm| *algorithm != Algorithm::Rsa { hash: None });
    let kinds: Vec<&str> = known.kinds().collect();
    let plain = |algorithm: &Algorithm| match algorithm {
        Algorithm::Rsa { .. } => "ssh-rsa".to_owned(),
        other => other.as_str().to_owned(),
    };
    // A server may have keys of several kinds: it is asked for one that is known.
    algorithms.sort_by_key(|algorithm| !kinds.contains(&plain(algorithm).as_str()));
    client::Config {
        client_id: russh::SshId::Standard(Cow::Borrowed(concat!(
            "SSH-2.0-libcloud_",
            env!("CARGO_PKG_VERSION")
        ))),
        preferred: Preferred { key: Cow::Owned(algorithms), ..Preferred::DEFAULT },
        keepalive_interval: config.keep_alive,
        keepalive_max: usize::try_from(config.keep_alive_max).unwrap_or(usize::MAX),
        ..client::Config::default()
    }
}

/// The hash that an RSA key signs with, by what the server says it takes.
pub(super) async fn rsa_hash(
    handle: &Handle<Handler>,
    algorithm: &Algorithm,
) -> Result<Option<HashAlg>, russh::Error> {
    if !matches!(algorithm, Algorithm::Rsa { .. }) {
        return Ok(None);
    }
    let told = handle.best_supported_rsa_hash().await?;
    // Without a word of it, what every server of the last ten years takes.
    Ok(told.flatten().or(Some(HashAlg::Sha256)))
}

/// A stream that ends when its [`Cut`] goes, so that no task of a connection outlives it.
struct Severable<S> {
    stream: S,
    cut: oneshot::Receiver<()>,
}

/// The end of a [`Severable`].
pub(super) struct Cut(#[expect(dead_code, reason = "it acts by being dropped")] oneshot::Sender<()>);

impl<S> Severable<S> {
    fn new(stream: S) -> (Self, Cut) {
        let (keep, cut) = oneshot::channel();
        (Self { stream, cut }, Cut(keep))
    }

    fn is_cut(&mut self, context: &mut Context<'_>) -> bool {
        Pin::new(&mut self.cut).poll(context).is_ready()
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Severable<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.is_cut(context) {
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Severable<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.is_cut(context) {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
