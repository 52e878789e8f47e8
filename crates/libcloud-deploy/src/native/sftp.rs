//! The part of SFTP (version 3) that a deployment needs: write, read, delete, folders, permissions. The protocol is that of
//! `draft-ietf-secsh-filexfer-02`, which every server speaks.

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use futures_util::{FutureExt as _, StreamExt as _};
use libcloud_common::{ByteStream, Error, ErrorKind, Result};
use russh::client::Msg;
use russh::{Channel, ChannelMsg};

use super::session::broken;
use crate::client::WriteMode;

/// How much goes into one packet; more than this no server has to take.
const PIECE: usize = 32 << 10;
/// How many packets may be under way at once.
const UNDER_WAY: usize = 32;
/// No answer that is asked for is longer.
const LONGEST: usize = 1 << 20;
/// The largest file that is read into memory.
const LARGEST: usize = 64 << 20;

mod kind {
    pub(super) const INIT: u8 = 1;
    pub(super) const VERSION: u8 = 2;
    pub(super) const OPEN: u8 = 3;
    pub(super) const CLOSE: u8 = 4;
    pub(super) const READ: u8 = 5;
    pub(super) const WRITE: u8 = 6;
    pub(super) const FSTAT: u8 = 8;
    pub(super) const SETSTAT: u8 = 9;
    pub(super) const FSETSTAT: u8 = 10;
    pub(super) const REMOVE: u8 = 13;
    pub(super) const MKDIR: u8 = 14;
    pub(super) const REALPATH: u8 = 16;
    pub(super) const STAT: u8 = 17;
    pub(super) const STATUS: u8 = 101;
    pub(super) const HANDLE: u8 = 102;
    pub(super) const DATA: u8 = 103;
    pub(super) const NAME: u8 = 104;
    pub(super) const ATTRS: u8 = 105;
}

const READ: u32 = 1;
const WRITE: u32 = 2;
const APPEND: u32 = 4;
const CREATE: u32 = 8;
const TRUNCATE: u32 = 16;

const HAS_SIZE: u32 = 1;
const HAS_OWNER: u32 = 2;
const HAS_PERMISSIONS: u32 = 4;
const IS_FOLDER: u32 = 0o040_000;
const TYPE: u32 = 0o170_000;

/// An answer: its kind, and what follows the id.
struct Answer {
    kind: u8,
    body: Bytes,
}

/// What a server tells of a file.
#[derive(Default)]
struct Attributes {
    size: u64,
    permissions: Option<u32>,
}

/// The file service of a connection. Once it failed half-way it is not used again.
pub(super) struct Sftp {
    channel: Channel<Msg>,
    received: BytesMut,
    last_id: u32,
    home: String,
    is_broken: bool,
}

impl Sftp {
    /// Opens it on a fresh channel.
    ///
    /// # Errors
    /// `InvalidCredentials` if something else answers: a user who is not to log in gets a sentence that says so.
    pub(super) async fn open(channel: Channel<Msg>) -> Result<Self> {
        channel.request_subsystem(true, "sftp").await.map_err(|error| lost(&error.to_string()))?;
        let mut sftp =
            Self { channel, received: BytesMut::new(), last_id: 0, home: String::new(), is_broken: false };
        let mut packet = BytesMut::new();
        packet.put_u32(5);
        packet.put_u8(kind::INIT);
        packet.put_u32(3);
        sftp.send(packet).await?;
        let answer = sftp.packet().await?;
        if answer.first() != Some(&kind::VERSION) {
            return Err(Error::malformed("SFTP", "the server does not begin with its version"));
        }
        sftp.home = sftp.real_path(".").await?;
        Ok(sftp)
    }

    /// Whether it can be used further.
    pub(super) fn is_usable(&self) -> bool {
        !self.is_broken
    }

    /// The absolute path that this one means.
    pub(super) fn absolute(&self, path: &str) -> String {
        match path {
            path if path.starts_with('/') => path.to_owned(),
            "." => self.home.clone(),
            path => format!("{}/{path}", self.home.trim_end_matches('/')),
        }
    }

    /// Writes a file. Several pieces are under way at once; no more of the content is in memory.
    pub(super) async fn write(
        &mut self,
        path: &str,
        mut contents: ByteStream,
        permissions: Option<u32>,
        mode: WriteMode,
    ) -> Result<()> {
        if let Some((folder, _)) = path.rsplit_once('/').filter(|(folder, _)| !folder.is_empty()) {
            self.make_dir(folder, None).await?;
        }
        let flags = WRITE
            | CREATE
            | match mode {
                WriteMode::Replace => TRUNCATE,
                WriteMode::Append => APPEND,
            };
        let handle = self.open_file(path, flags, permissions).await?;
        if let Some(permissions) = permissions {
            // Before there is anything to read in it. What the open says, the server's umask has a word in.
            let mut body = string(&handle);
            attributes(&mut body, Some(permissions));
            self.done(kind::FSETSTAT, body, path, "set the permissions of").await?;
        }
        let mut offset = match mode {
            WriteMode::Replace => 0,
            WriteMode::Append => self.size(&handle, path).await?,
        };
        let mut under_way = 0_usize;
        // A failure in here leaves answers under way.
        self.is_broken = true;
        while let Some(piece) = contents.next().await {
            let mut piece = piece?;
            while !piece.is_empty() {
                let part = piece.split_to(piece.len().min(PIECE));
                let mut body = string(&handle);
                body.put_u64(offset);
                body.put_u32(length(part.len()));
                body.put_slice(&part);
                offset += part.len() as u64;
                self.request(kind::WRITE, &body).await?;
                under_way += 1;
                if under_way == UNDER_WAY {
                    self.written(path).await?;
                    under_way -= 1;
                }
            }
        }
        for _ in 0..under_way {
            self.written(path).await?;
        }
        self.is_broken = false;
        self.close_file(&handle, path).await
    }

    async fn written(&mut self, path: &str) -> Result<()> {
        let answer = self.any_answer().await?;
        status(&answer).and_then(|status| status.into_result(path, "write"))
    }

    /// Reads a file that fits in memory.
    pub(super) async fn read(&mut self, path: &str) -> Result<Vec<u8>> {
        let handle = self.open_file(path, READ, None).await?;
        let mut contents = Vec::new();
        loop {
            let mut body = string(&handle);
            body.put_u64(contents.len() as u64);
            body.put_u32(length(PIECE));
            let mut answer = self.answer(kind::READ, body).await?;
            if answer.kind == kind::DATA {
                let piece = take_string(&mut answer.body)?;
                if piece.is_empty() {
                    break;
                }
                contents.extend_from_slice(&piece);
                if contents.len() > LARGEST {
                    let _ = self.close_file(&handle, path).await;
                    return Err(Error::invalid_argument(format!(
                        "`{path}` has more than {} MiB, which is too much to read into memory",
                        LARGEST >> 20
                    )));
                }
            } else {
                let status = status(&answer)?;
                if status.code == Status::END {
                    break;
                }
                return Err(status.error(path, "read"));
            }
        }
        self.close_file(&handle, path).await?;
        Ok(contents)
    }

    pub(super) async fn delete(&mut self, path: &str) -> Result<()> {
        self.done(kind::REMOVE, string(path.as_bytes()), path, "delete").await
    }

    /// Makes a folder with those above it that are missing.
    pub(super) async fn make_dir(&mut self, path: &str, permissions: Option<u32>) -> Result<()> {
        self.make_dirs(path).await?;
        if let Some(permissions) = permissions {
            let mut body = string(path.as_bytes());
            attributes(&mut body, Some(permissions));
            self.done(kind::SETSTAT, body, path, "set the permissions of").await?;
        }
        Ok(())
    }

    fn make_dirs<'a>(&'a mut self, path: &'a str) -> libcloud_common::BoxFuture<'a, Result<()>> {
        async move {
            let mut answer = self.answer(kind::STAT, string(path.as_bytes())).await?;
            if answer.kind == kind::ATTRS {
                return match take_attributes(&mut answer.body)?.permissions {
                    Some(permissions) if permissions & TYPE != IS_FOLDER => Err(Error::new(
                        ErrorKind::InvalidState,
                        format!("`{path}` on the server is no folder"),
                    )),
                    _ => Ok(()),
                };
            }
            if let Some((above, _)) =
                path.trim_end_matches('/').rsplit_once('/').filter(|(a, _)| !a.is_empty())
            {
                self.make_dirs(above).await?;
            }
            let mut body = string(path.as_bytes());
            attributes(&mut body, None);
            self.done(kind::MKDIR, body, path, "make the folder").await
        }
        .boxed()
    }

    async fn real_path(&mut self, path: &str) -> Result<String> {
        let mut answer = self.answer(kind::REALPATH, string(path.as_bytes())).await?;
        if answer.kind != kind::NAME {
            return Err(status(&answer)?.error(path, "find"));
        }
        let _count = take_u32(&mut answer.body)?;
        let name = take_string(&mut answer.body)?;
        String::from_utf8(name.to_vec()).map_err(|_| Error::malformed("SFTP", "a path that is not UTF-8"))
    }

    async fn open_file(&mut self, path: &str, flags: u32, permissions: Option<u32>) -> Result<Bytes> {
        let mut body = string(path.as_bytes());
        body.put_u32(flags);
        attributes(&mut body, permissions);
        let mut answer = self.answer(kind::OPEN, body).await?;
        match answer.kind {
            kind::HANDLE => take_string(&mut answer.body),
            _ => Err(status(&answer)?.error(path, "open")),
        }
    }

    async fn close_file(&mut self, handle: &[u8], path: &str) -> Result<()> {
        self.done(kind::CLOSE, string(handle), path, "close").await
    }

    async fn size(&mut self, handle: &[u8], path: &str) -> Result<u64> {
        let mut answer = self.answer(kind::FSTAT, string(handle)).await?;
        match answer.kind {
            kind::ATTRS => Ok(take_attributes(&mut answer.body)?.size),
            _ => Err(status(&answer)?.error(path, "look at")),
        }
    }

    /// A request that is answered by a status.
    async fn done(&mut self, kind: u8, body: BytesMut, path: &str, doing: &str) -> Result<()> {
        let answer = self.answer(kind, body).await?;
        status(&answer)?.into_result(path, doing)
    }

    async fn answer(&mut self, kind: u8, body: BytesMut) -> Result<Answer> {
        // Dropped in the middle, its answer would be taken for that of the next.
        let was_broken = std::mem::replace(&mut self.is_broken, true);
        self.request(kind, &body).await?;
        let answer = self.any_answer().await?;
        self.is_broken = was_broken;
        Ok(answer)
    }

    async fn request(&mut self, kind: u8, body: &[u8]) -> Result<()> {
        self.last_id = self.last_id.wrapping_add(1);
        let mut packet = BytesMut::with_capacity(body.len() + 9);
        packet.put_u32(length(body.len() + 5));
        packet.put_u8(kind);
        packet.put_u32(self.last_id);
        packet.put_slice(body);
        self.send(packet).await
    }

    async fn any_answer(&mut self) -> Result<Answer> {
        let mut packet = self.packet().await?;
        let kind = take_u8(&mut packet)?;
        let _id = take_u32(&mut packet)?;
        Ok(Answer { kind, body: packet })
    }

    async fn send(&mut self, packet: BytesMut) -> Result<()> {
        self.channel.data_bytes(packet.freeze()).await.map_err(|error| lost(&error.to_string()))
    }

    /// The next packet, without its length.
    async fn packet(&mut self) -> Result<Bytes> {
        loop {
            if let Some(announced) = self.received.first_chunk::<4>() {
                let length = usize::try_from(u32::from_be_bytes(*announced)).unwrap_or(usize::MAX);
                if length == 0 || length > LONGEST {
                    return Err(self.something_else());
                }
                if self.received.len() >= length + 4 {
                    self.received.advance(4);
                    return Ok(self.received.split_to(length).freeze());
                }
            }
            match self.channel.wait().await {
                Some(ChannelMsg::Data { data }) => self.received.extend_from_slice(&data),
                Some(ChannelMsg::Failure) => {
                    return Err(Error::not_supported("SFTP on this server (its `Subsystem sftp` is off)"));
                }
                Some(ChannelMsg::Eof | ChannelMsg::Close) | None if !self.received.is_empty() => {
                    return Err(self.something_else());
                }
                Some(ChannelMsg::Eof | ChannelMsg::Close) | None => {
                    return Err(lost("the server closed the file service"));
                }
                Some(_) => {}
            }
        }
    }

    /// What came instead of SFTP: the sentence of a user who is not to log in, or of a shell's start-up file.
    fn something_else(&self) -> Error {
        let text = String::from_utf8_lossy(&self.received);
        let text: String = text.trim().chars().take(200).collect();
        Error::new(
            ErrorKind::InvalidCredentials,
            format!("the server answers in place of SFTP: {}", text.escape_debug()),
        )
    }
}

/// What a server says of a request.
struct Status {
    code: u32,
    message: String,
}

impl Status {
    const OK: u32 = 0;
    const END: u32 = 1;
    const NO_SUCH_FILE: u32 = 2;
    const PERMISSION_DENIED: u32 = 3;

    fn into_result(self, path: &str, doing: &str) -> Result<()> {
        if self.code == Self::OK { Ok(()) } else { Err(self.error(path, doing)) }
    }

    fn error(&self, path: &str, doing: &str) -> Error {
        let path = path.escape_debug().to_string();
        match self.code {
            Self::NO_SUCH_FILE => Error::new(
                ErrorKind::NotFound,
                format!("cannot {doing} `{path}` on the server: it does not exist"),
            )
            .with_resource("file", path),
            Self::PERMISSION_DENIED => Error::new(
                ErrorKind::InvalidState,
                format!("cannot {doing} `{path}` on the server: the user may not"),
            )
            .with_resource("file", path),
            _ => Error::new(
                ErrorKind::Provider,
                format!("cannot {doing} `{path}` on the server: {}", self.message.escape_debug()),
            )
            .with_resource("file", path),
        }
    }
}

fn status(answer: &Answer) -> Result<Status> {
    if answer.kind != kind::STATUS {
        return Err(Error::malformed("SFTP", format_args!("an answer of the kind {}", answer.kind)));
    }
    let mut body = answer.body.clone();
    let code = take_u32(&mut body)?;
    // Old servers leave the sentence out.
    let message = take_string(&mut body).unwrap_or_default();
    Ok(Status { code, message: String::from_utf8_lossy(&message).into_owned() })
}

fn lost(why: &str) -> Error {
    broken(format!("the connection broke while a file was under way: {why}"))
}

fn length(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

fn string(bytes: &[u8]) -> BytesMut {
    let mut body = BytesMut::with_capacity(bytes.len() + 4);
    body.put_u32(length(bytes.len()));
    body.put_slice(bytes);
    body
}

fn attributes(body: &mut BytesMut, permissions: Option<u32>) {
    match permissions {
        Some(permissions) => {
            body.put_u32(HAS_PERMISSIONS);
            body.put_u32(permissions);
        }
        None => body.put_u32(0),
    }
}

fn short() -> Error {
    Error::malformed("SFTP", "an answer that is too short")
}

fn take_u8(bytes: &mut Bytes) -> Result<u8> {
    bytes.try_get_u8().map_err(|_| short())
}

fn take_u32(bytes: &mut Bytes) -> Result<u32> {
    bytes.try_get_u32().map_err(|_| short())
}

fn take_string(bytes: &mut Bytes) -> Result<Bytes> {
    let length = usize::try_from(take_u32(bytes)?).unwrap_or(usize::MAX);
    if length > bytes.len() {
        return Err(short());
    }
    Ok(bytes.split_to(length))
}

fn take_attributes(bytes: &mut Bytes) -> Result<Attributes> {
    let flags = take_u32(bytes)?;
    let mut attributes = Attributes::default();
    if flags & HAS_SIZE != 0 {
        attributes.size = bytes.try_get_u64().map_err(|_| short())?;
    }
    if flags & HAS_OWNER != 0 {
        take_u32(bytes)?;
        take_u32(bytes)?;
    }
    if flags & HAS_PERMISSIONS != 0 {
        attributes.permissions = Some(take_u32(bytes)?);
    }
    Ok(attributes)
}
