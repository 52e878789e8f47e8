//! A small SSH server for what OpenSSH does not do on demand. It keeps files in memory and answers commands by saying them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use russh::keys::ssh_key::LineEnding;
use russh::keys::{Algorithm, PrivateKey};
use russh::server::{self, Auth, ChannelOpenHandle, Msg, Response, Session};
use russh::{Channel, ChannelId, MethodKind, MethodSet};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// What the server does that others do not.
#[derive(Default)]
pub(crate) struct Behaviour {
    /// The password; any will do without one.
    pub(crate) password: Option<&'static str>,
    /// Questions, each with its answer. After the password, if that is not enough.
    pub(crate) questions: Vec<(&'static str, &'static str)>,
    /// Whether the password is only the first of two factors.
    pub(crate) wants_more: bool,
    /// How many logins are refused before one succeeds.
    pub(crate) refuses: AtomicUsize,
    /// Who is let in only to be told whom to be instead.
    pub(crate) forced: Option<&'static str>,
    /// How many connections are cut in the middle of a file …
    pub(crate) cuts_files: AtomicUsize,
    /// … or of a command.
    pub(crate) cuts_commands: AtomicUsize,
    /// Whether each connection finds another host key.
    pub(crate) changes_key: bool,
    /// Whether a command is never answered.
    pub(crate) is_mute: bool,
}

/// What was seen.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) behaviour: Behaviour,
    pub(crate) files: Mutex<BTreeMap<String, Vec<u8>>>,
    pub(crate) commands: Mutex<Vec<String>>,
    pub(crate) users: Mutex<Vec<String>>,
    open: AtomicUsize,
    pub(crate) most_open: AtomicUsize,
}

/// A server that runs until it is dropped.
pub(crate) struct Server {
    pub(crate) seen: Arc<Seen>,
    pub(crate) port: u16,
    _tasks: JoinSet<()>,
}

pub(crate) fn host_key() -> PrivateKey {
    PrivateKey::random(&mut russh::keys::key::safe_rng(), Algorithm::Ed25519).unwrap()
}

/// A private key as OpenSSH writes it.
pub(crate) fn key_text() -> String {
    host_key().to_openssh(LineEnding::LF).unwrap().to_string()
}

/// The nth address of this machine.
pub(crate) fn loopback(n: u8) -> Ipv4Addr {
    Ipv4Addr::new(127, 0, 0, n)
}

impl Server {
    /// On 127.0.0.1, at any port.
    pub(crate) async fn start(behaviour: Behaviour) -> Self {
        Self::start_at(behaviour, 1, 0).await
    }

    /// On 127.0.0.1 to 127.0.0.`count`, each with the same port.
    pub(crate) async fn start_at(behaviour: Behaviour, count: u8, port: u16) -> Self {
        let seen = Arc::new(Seen { behaviour, ..Seen::default() });
        let mut tasks = JoinSet::new();
        let mut port = port;
        for n in 1..=count {
            let listener = TcpListener::bind(SocketAddr::from((loopback(n), port))).await.unwrap();
            port = listener.local_addr().unwrap().port();
            tasks.spawn(serve(listener, Arc::clone(&seen)));
        }
        Self { seen, port, _tasks: tasks }
    }
}

async fn serve(listener: TcpListener, seen: Arc<Seen>) {
    let config = |key: PrivateKey| {
        let methods = if seen.behaviour.questions.is_empty() || seen.behaviour.wants_more {
            [MethodKind::Password, MethodKind::PublicKey].as_slice()
        } else {
            &[MethodKind::KeyboardInteractive]
        };
        Arc::new(server::Config {
            keys: vec![key],
            methods: MethodSet::from(methods),
            auth_rejection_time: std::time::Duration::ZERO,
            ..server::Config::default()
        })
    };
    let steady = config(host_key());
    let mut sessions = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let now = seen.open.fetch_add(1, Ordering::SeqCst) + 1;
        seen.most_open.fetch_max(now, Ordering::SeqCst);
        let config = if seen.behaviour.changes_key { config(host_key()) } else { Arc::clone(&steady) };
        let seen = Arc::clone(&seen);
        sessions.spawn(async move {
            let handler =
                Handler { seen: Arc::clone(&seen), user: String::new(), channels: BTreeMap::new(), asked: 0 };
            if let Ok(session) = server::run_stream(config, stream, handler).await {
                let _ = session.await;
            }
            seen.open.fetch_sub(1, Ordering::SeqCst);
        });
    }
}

struct Handler {
    seen: Arc<Seen>,
    user: String,
    /// What came on each channel of the file service that is no whole packet yet.
    channels: BTreeMap<ChannelId, BytesMut>,
    asked: usize,
}

/// Takes one of a number of times.
fn takes(times: &AtomicUsize) -> bool {
    times.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok()
}

impl server::Handler for Handler {
    type Error = russh::Error;

    async fn auth_password(&mut self, user: &str, password: &str) -> Result<Auth, russh::Error> {
        let is_right = self.seen.behaviour.password.is_none_or(|right| right == password);
        if !is_right || takes(&self.seen.behaviour.refuses) {
            return Ok(Auth::reject());
        }
        if self.seen.behaviour.wants_more {
            return Ok(Auth::Reject {
                proceed_with_methods: Some(MethodSet::from([MethodKind::KeyboardInteractive].as_slice())),
                partial_success: true,
            });
        }
        user.clone_into(&mut self.user);
        Ok(Auth::Accept)
    }

    async fn auth_keyboard_interactive<'a>(
        &'a mut self,
        user: &str,
        _: &str,
        response: Option<Response<'a>>,
    ) -> Result<Auth, russh::Error> {
        let questions = &self.seen.behaviour.questions;
        if let Some(mut response) = response {
            let answer = response.next().unwrap_or_default();
            if answer != questions[self.asked].1.as_bytes() {
                return Ok(Auth::reject());
            }
            self.asked += 1;
        } else {
            self.asked = 0;
        }
        let Some((question, _)) = questions.get(self.asked) else {
            user.clone_into(&mut self.user);
            return Ok(Auth::Accept);
        };
        Ok(Auth::Partial {
            name: Cow::Borrowed(""),
            instructions: Cow::Borrowed(""),
            prompts: Cow::Owned(vec![(Cow::Borrowed(*question), false)]),
        })
    }

    async fn channel_open_session(
        &mut self,
        _: Channel<Msg>,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), russh::Error> {
        self.seen.users.lock().unwrap().push(self.user.clone());
        reply.accept().await;
        Ok(())
    }

    async fn exec_request(
        &mut self,
        channel: ChannelId,
        command: &[u8],
        session: &mut Session,
    ) -> Result<(), russh::Error> {
        let command = String::from_utf8_lossy(command).into_owned();
        self.seen.commands.lock().unwrap().push(command.clone());
        session.channel_success(channel)?;
        session.data(channel, Bytes::from(format!("{} ran {command}\n", self.user)))?;
        if self.seen.behaviour.is_mute {
            return Ok(());
        }
        if takes(&self.seen.behaviour.cuts_commands) {
            return Err(russh::Error::Disconnect);
        }
        let status = command.strip_prefix("exit ").and_then(|status| status.parse().ok()).unwrap_or(0);
        session.exit_status_request(channel, status)?;
        session.eof(channel)?;
        session.close(channel)
    }

    async fn subsystem_request(
        &mut self,
        channel: ChannelId,
        _: &str,
        session: &mut Session,
    ) -> Result<(), russh::Error> {
        session.channel_success(channel)?;
        if self.seen.behaviour.forced == Some(self.user.as_str()) {
            session.data(channel, Bytes::from_static(b"Please login as the user \"ubuntu\".\n"))?;
            session.eof(channel)?;
            return session.close(channel);
        }
        self.channels.insert(channel, BytesMut::new());
        Ok(())
    }

    async fn data(
        &mut self,
        channel: ChannelId,
        data: &[u8],
        session: &mut Session,
    ) -> Result<(), russh::Error> {
        let Some(buffer) = self.channels.get_mut(&channel) else { return Ok(()) };
        buffer.put_slice(data);
        let mut packets = Vec::new();
        while let Some(length) = buffer.first_chunk::<4>().map(|length| u32::from_be_bytes(*length) as usize)
        {
            if buffer.len() < length + 4 {
                break;
            }
            buffer.advance(4);
            packets.push(buffer.split_to(length).freeze());
        }
        for packet in packets {
            let answer = self.answer(packet).ok_or(russh::Error::Disconnect)?;
            let mut framed = BytesMut::new();
            framed.put_u32(answer.len() as u32);
            framed.put_slice(&answer);
            session.data(channel, framed.freeze())?;
        }
        Ok(())
    }
}

impl Handler {
    /// Answers a packet of SFTP; `None` cuts the connection.
    fn answer(&self, mut packet: Bytes) -> Option<BytesMut> {
        let kind = packet.get_u8();
        let id = packet.get_u32();
        let mut answer = BytesMut::new();
        if kind == 1 {
            answer.put_u8(2);
            answer.put_u32(3);
            return Some(answer);
        }
        let string = |packet: &mut Bytes| {
            let length = packet.get_u32() as usize;
            packet.split_to(length)
        };
        let status = |code: u32| {
            let mut answer = BytesMut::new();
            answer.put_u8(101);
            answer.put_u32(id);
            answer.put_u32(code);
            Some(answer)
        };
        let mut files = self.seen.files.lock().unwrap();
        let mut start = |kind: u8| {
            answer.put_u8(kind);
            answer.put_u32(id);
        };
        match kind {
            // open: the path is the handle.
            3 => {
                let path = string(&mut packet);
                let flags = packet.get_u32();
                let name = String::from_utf8(path.to_vec()).unwrap();
                if flags & 8 == 0 && !files.contains_key(&name) {
                    return status(2);
                }
                let file = files.entry(name).or_default();
                if flags & 16 != 0 {
                    file.clear();
                }
                start(102);
                answer.put_u32(path.len() as u32);
                answer.put_slice(&path);
                Some(answer)
            }
            5 => {
                let name = String::from_utf8(string(&mut packet).to_vec()).unwrap();
                let offset = packet.get_u64() as usize;
                let file = &files[&name];
                if offset >= file.len() {
                    return status(1);
                }
                start(103);
                answer.put_u32((file.len() - offset) as u32);
                answer.put_slice(&file[offset..]);
                Some(answer)
            }
            6 => {
                let name = String::from_utf8(string(&mut packet).to_vec()).unwrap();
                let _offset = packet.get_u64();
                let content = string(&mut packet);
                files.get_mut(&name).unwrap().extend_from_slice(&content);
                if takes(&self.seen.behaviour.cuts_files) { None } else { status(0) }
            }
            8 | 17 => {
                start(105);
                answer.put_u32(4);
                answer.put_u32(0o040_755);
                Some(answer)
            }
            13 => {
                let name = String::from_utf8(string(&mut packet).to_vec()).unwrap();
                status(if files.remove(&name).is_some() { 0 } else { 2 })
            }
            16 => {
                start(104);
                answer.put_u32(1);
                answer.put_u32(8);
                answer.put_slice(b"/home/me");
                Some(answer)
            }
            _ => status(0),
        }
    }
}
