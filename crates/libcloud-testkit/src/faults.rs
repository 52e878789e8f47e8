//! A proxy that fails as it is told, in front of any server.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use libcloud_common::{Clock, Url};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

use crate::http::Answer;
use crate::server::Server;

/// How much of a body is passed on at once.
const PIECE: usize = 16 << 10;

/// What becomes of a request.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Door {
    /// It reaches the server, and the answer comes back.
    Pass,
    /// The same once this time has passed by this clock; with a manual one, none.
    Delay(Arc<dyn Clock>, Duration),
    /// So many bytes of its body reach the server, then both connections are reset.
    CutUp(usize),
    /// So many bytes of its body reach the server, and neither the rest nor an answer comes through, until the client goes.
    StallUp(usize),
    /// So many bytes of the answer's body come back, then the connection is reset.
    CutDown(usize),
    /// So many bytes of the answer's body come back, then the connection ends as if all were well.
    EndDown(usize),
    /// So many bytes of the answer's body come back, and nothing after them.
    StallDown(usize),
    /// It reaches the server with one byte of its body changed: the one at this place.
    CorruptUp(usize),
    /// The answer comes back with one byte of its body changed: the one at this place.
    CorruptDown(usize),
    /// It reaches the server, is done there, and the connection is reset instead of an answer.
    LoseAnswer,
    /// It reaches the server, is done there, and no answer comes, until the client goes.
    HoldAnswer,
    /// It does not reach the server, and no answer comes, until the client goes.
    Hold,
    /// It does not reach the server; this is answered.
    Answer(Answer),
    /// It does not reach the server; these bytes come, and the end.
    Raw(Vec<u8>),
    /// It does not reach the server; the connection ends without an answer.
    Close,
}

impl Door {
    /// 429, and how many seconds to wait.
    pub fn throttled(seconds: u32) -> Self {
        Self::Answer(Answer::new(429).header("retry-after", seconds.to_string()).body("slow down\n"))
    }

    /// 503, and how many seconds to wait.
    pub fn unavailable(seconds: u32) -> Self {
        Self::Answer(Answer::new(503).header("retry-after", seconds.to_string()).body("come back later\n"))
    }

    /// 500 without a word.
    pub fn failed() -> Self {
        Self::Answer(Answer::new(500))
    }

    /// The page of a proxy that says 200.
    pub fn html() -> Self {
        let page = "<!DOCTYPE html><html><title>Please log in</title><p>Please log in to the network";
        Self::Answer(Answer::new(200).header("content-type", "text/html").body(page))
    }

    /// Bytes that are no HTTP.
    pub fn garbage() -> Self {
        Self::Raw(b"\x16\x03\x01\x02garbage\r\n\r\n\0\0".to_vec())
    }
}

/// A request that came to the proxy, and whether it was let through.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Visit {
    /// The method.
    pub method: String,
    /// Path and query as they were sent.
    pub target: String,
    /// Whether [`Door::Pass`] was what became of it.
    pub passed: bool,
}

/// A proxy in front of a server, which decides what becomes of each request.
///
/// It knows as much of HTTP/1.1 as it needs to tell requests and bodies apart, and changes nothing of them but the
/// connection: one request each, so that a fault concerns no other.
///
/// ```
/// use libcloud_testkit::{Door, Exchange, FaultProxy, Mock};
/// # use libcloud_common::{Config, Connection, ManualClock};
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let server = Mock::start();
/// server.expect(Exchange::get("/nodes").answers(200).body("[]"));
/// let proxy = FaultProxy::start(server.address(), |visits| match visits {
///     0 => Door::unavailable(1),
///     _ => Door::Pass,
/// });
/// # let config = Config::anonymous().clock(ManualClock::at("2013-11-13T12:00:00Z".parse().unwrap()));
/// # let connection = Connection::builder("example", proxy.url(), &config).build();
/// connection.get("ListNodes", ["nodes"]).send().await.unwrap();
/// assert_eq!(proxy.visits().len(), 2);
/// # });
/// ```
pub struct FaultProxy {
    server: Server,
    visits: Arc<Mutex<Vec<Visit>>>,
}

impl FaultProxy {
    /// A proxy that decides by how many requests came before.
    pub fn start(upstream: SocketAddr, mut script: impl FnMut(usize) -> Door + Send + 'static) -> Self {
        Self::deciding(upstream, move |visits, _| script(visits))
    }

    /// A proxy that fails so for every `n`th request, from the first on, and lets the others pass.
    pub fn one_in(n: usize, upstream: SocketAddr, door: Door) -> Self {
        Self::start(upstream, move |visits| if visits % n == 0 { door.clone() } else { Door::Pass })
    }

    /// A proxy that decides by how many requests came before, and by what is asked: `GET /photos?list-type=2`.
    pub fn deciding(upstream: SocketAddr, script: impl FnMut(usize, &str) -> Door + Send + 'static) -> Self {
        let visits: Arc<Mutex<Vec<Visit>>> = Arc::default();
        let shared = Arc::clone(&visits);
        let script = Arc::new(Mutex::new(script));
        let server = Server::start(move |client| {
            let (visits, script) = (Arc::clone(&shared), Arc::clone(&script));
            async move {
                let decide = |method: &str, target: &str| {
                    let mut visits = lock(&visits);
                    let asked = format!("{method} {target}");
                    let door = (script.lock().unwrap_or_else(PoisonError::into_inner))(visits.len(), &asked);
                    let passed = matches!(door, Door::Pass);
                    visits.push(Visit { method: method.into(), target: target.into(), passed });
                    door
                };
                // What fails here, fails for the client, which is what a proxy is for.
                let _ = serve(client, upstream, decide).await;
            }
        });
        Self { server, visits }
    }

    /// Where it is, for `Config::endpoint`.
    pub fn url(&self) -> Url {
        self.server.url()
    }

    /// The requests so far, in their order.
    pub fn visits(&self) -> Vec<Visit> {
        lock(&self.visits).clone()
    }

    /// How many requests were not simply let through.
    pub fn faults(&self) -> usize {
        lock(&self.visits).iter().filter(|visit| !visit.passed).count()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for FaultProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("FaultProxy").field(&self.server).finish()
    }
}

/// The first line and the headers of a message, without those of the connection.
struct Head {
    first: String,
    headers: Vec<String>,
    body: Length,
    asks_first: bool,
}

#[derive(Clone, Copy)]
enum Length {
    /// So many bytes.
    Known(u64),
    /// Chunks.
    Chunked,
    /// All until the connection ends.
    Rest,
}

impl Head {
    async fn read(from: &mut BufReader<TcpStream>, without: Length) -> io::Result<Self> {
        let mut head =
            Self { first: line(from).await?, headers: Vec::new(), body: without, asks_first: false };
        loop {
            let header = line(from).await?;
            if header.is_empty() {
                return Ok(head);
            }
            let (name, value) = header.split_once(':').unwrap_or((&header, ""));
            let value = value.trim();
            match name.to_ascii_lowercase().as_str() {
                "connection" | "keep-alive" => continue,
                "expect" => {
                    head.asks_first = true;
                    continue;
                }
                "content-length" => head.body = Length::Known(value.parse().map_err(io::Error::other)?),
                "transfer-encoding" => head.body = Length::Chunked,
                _ => {}
            }
            head.headers.push(header);
        }
    }

    fn bytes(&self) -> Vec<u8> {
        let mut text = format!("{}\r\n", self.first);
        for header in &self.headers {
            text.push_str(&format!("{header}\r\n"));
        }
        text.push_str("connection: close\r\n\r\n");
        text.into_bytes()
    }
}

async fn line(from: &mut BufReader<TcpStream>) -> io::Result<String> {
    let mut bytes = Vec::new();
    from.read_until(b'\n', &mut bytes).await?;
    if bytes.pop() != Some(b'\n') {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    if bytes.last() == Some(&b'\r') {
        bytes.pop();
    }
    String::from_utf8(bytes).map_err(io::Error::other)
}

/// What happens to a body on its way.
#[derive(Clone, Copy)]
enum Way {
    Whole,
    /// Nothing after so many bytes.
    Until(usize),
    /// One byte is another.
    Changed(usize),
}

/// Passes a body on; whether all of it went.
async fn pass(
    from: &mut BufReader<TcpStream>,
    to: &mut (impl AsyncWrite + Unpin),
    length: Length,
    way: Way,
) -> io::Result<bool> {
    let mut passed = 0;
    match length {
        Length::Known(length) => {
            let length = usize::try_from(length).map_err(io::Error::other)?;
            stretch(from, to, length, way, &mut passed).await
        }
        Length::Rest => stretch(from, to, usize::MAX, way, &mut passed).await,
        Length::Chunked => loop {
            let head = line(from).await?;
            to.write_all(format!("{head}\r\n").as_bytes()).await?;
            let size = head.split(';').next().unwrap_or_default().trim();
            let size = usize::from_str_radix(size, 16).map_err(io::Error::other)?;
            if !stretch(from, to, size, way, &mut passed).await? {
                return Ok(false);
            }
            // The line's end after the chunk, or the trailers after the last one.
            loop {
                let trailer = line(from).await?;
                to.write_all(format!("{trailer}\r\n").as_bytes()).await?;
                if size > 0 || trailer.is_empty() {
                    break;
                }
            }
            if size == 0 {
                return Ok(true);
            }
        },
    }
}

/// Passes so many bytes on, or all that come.
async fn stretch(
    from: &mut BufReader<TcpStream>,
    to: &mut (impl AsyncWrite + Unpin),
    length: usize,
    way: Way,
    passed: &mut usize,
) -> io::Result<bool> {
    let mut left = length;
    let mut piece = vec![0; PIECE];
    while left > 0 {
        let mut most = left.min(PIECE);
        if let Way::Until(end) = way {
            most = most.min(end.saturating_sub(*passed));
            if most == 0 {
                return Ok(false);
            }
        }
        let read = from.read(&mut piece[..most]).await?;
        if read == 0 {
            return if length == usize::MAX { Ok(true) } else { Err(io::ErrorKind::UnexpectedEof.into()) };
        }
        if let Way::Changed(at) = way
            && let Some(byte) = at.checked_sub(*passed).and_then(|at| piece[..read].get_mut(at))
        {
            *byte ^= 0x20;
        }
        to.write_all(&piece[..read]).await?;
        *passed += read;
        left -= read;
    }
    Ok(true)
}

/// Serves one request.
async fn serve(
    client: TcpStream,
    upstream: SocketAddr,
    decide: impl Fn(&str, &str) -> Door,
) -> io::Result<()> {
    // Small pieces are to go at once, as through a real proxy.
    client.set_nodelay(true)?;
    let mut client = BufReader::new(client);
    let request = Head::read(&mut client, Length::Known(0)).await?;
    let mut words = request.first.split(' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let door = decide(method, target);
    if request.asks_first && !matches!(door, Door::Answer(_) | Door::Raw(_) | Door::Close) {
        client.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
    }
    let (up, down, end) = match door {
        Door::Pass => (Way::Whole, Way::Whole, End::Orderly),
        Door::Delay(clock, time) => {
            clock.sleep(time).await;
            (Way::Whole, Way::Whole, End::Orderly)
        }
        Door::CutUp(bytes) => (Way::Until(bytes), Way::Whole, End::Reset),
        Door::CorruptUp(at) => (Way::Changed(at), Way::Whole, End::Orderly),
        Door::StallUp(bytes) => (Way::Until(bytes), Way::Whole, End::Silence),
        Door::CutDown(bytes) => (Way::Whole, Way::Until(bytes), End::Reset),
        Door::EndDown(bytes) => (Way::Whole, Way::Until(bytes), End::Orderly),
        Door::StallDown(bytes) => (Way::Whole, Way::Until(bytes), End::Silence),
        Door::CorruptDown(at) => (Way::Whole, Way::Changed(at), End::Orderly),
        Door::LoseAnswer => (Way::Whole, Way::Whole, End::Lost),
        Door::HoldAnswer => (Way::Whole, Way::Whole, End::Held),
        Door::Hold => return gone(&mut client).await,
        Door::Answer(answer) => {
            if !request.asks_first {
                swallow(&mut client, request.body).await?;
            }
            let bytes = answer.header("connection", "close").to_bytes(method);
            client.write_all(&bytes).await?;
            return client.shutdown().await;
        }
        Door::Raw(bytes) => {
            if !request.asks_first {
                swallow(&mut client, request.body).await?;
            }
            client.write_all(&bytes).await?;
            return client.shutdown().await;
        }
        Door::Close => return Ok(()),
    };
    let mut server = BufReader::new(TcpStream::connect(upstream).await?);
    server.get_ref().set_nodelay(true)?;
    server.write_all(&request.bytes()).await?;
    if !pass(&mut client, &mut server, request.body, up).await? {
        if matches!(end, End::Silence) {
            gone(&mut client).await?;
        }
        reset(&server);
        reset(&client);
        return Ok(());
    }
    let answer = Head::read(&mut server, Length::Rest).await?;
    if matches!(end, End::Lost) {
        // What the server has answered, it has done.
        reset(&client);
        return Ok(());
    }
    if matches!(end, End::Held) {
        return gone(&mut client).await;
    }
    client.write_all(&answer.bytes()).await?;
    let status = answer.first.split(' ').nth(1).unwrap_or_default();
    let whole = method == "HEAD"
        || matches!(status, "204" | "304")
        || pass(&mut server, &mut client, answer.body, down).await?;
    match end {
        End::Reset if !whole => reset(&client),
        End::Silence if !whole => std::future::pending().await,
        _ => client.shutdown().await?,
    }
    Ok(())
}

/// How the connection to the client ends where not all of the answer has come back.
enum End {
    Orderly,
    Reset,
    Silence,
    /// Before any of it.
    Lost,
    /// When the client has had enough.
    Held,
}

/// Waits until the client is gone. What it still sends goes nowhere.
async fn gone(client: &mut BufReader<TcpStream>) -> io::Result<()> {
    tokio::io::copy(client, &mut tokio::io::sink()).await.map(drop)
}

/// Lets the connection end with a reset when it is dropped.
fn reset(stream: &BufReader<TcpStream>) {
    // A connection that is gone needs none.
    let _ = stream.get_ref().set_zero_linger();
}

/// Reads a body of a request that goes nowhere.
async fn swallow(from: &mut BufReader<TcpStream>, length: Length) -> io::Result<()> {
    let mut nowhere = tokio::io::sink();
    pass(from, &mut nowhere, length, Way::Whole).await.map(drop)
}
