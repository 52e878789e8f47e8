//! A server on which things go wrong after it has read a request.

use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use libcloud_common::Url;
use tokio::io::{AsyncWriteExt as _, BufStream};
use tokio::net::TcpStream;
use tokio::sync::watch;

use crate::http::{Answer, Incoming, Received};
use crate::server::Server;

/// What becomes of a request that was read to its last byte.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Fault {
    /// The connection is closed without an answer.
    Close,
    /// The connection is reset without an answer.
    Reset,
    /// Nothing comes, for as long as the client waits.
    Stall,
    /// These bytes come, then the connection is closed.
    Raw(Vec<u8>),
    /// The answer comes byte by byte, with this pause before each. The pause is real: keep it at milliseconds.
    Drip(Answer, Duration),
    /// An answer after all, and the connection stays.
    Answer(Answer),
}

impl Fault {
    /// Bytes that are no HTTP.
    pub fn garbage() -> Self {
        Self::Raw(b"\x16\x03\x01\x00\xffgarbage\r\n\r\n".to_vec())
    }

    /// The page of a proxy that says 200.
    pub fn html() -> Self {
        let page = Answer::new(200).header("content-type", "text/html");
        Self::Answer(
            page.body("<!DOCTYPE html><html><title>Please log in</title><p>Please log in to the network"),
        )
    }

    /// An answer of which the second half is missing.
    pub fn truncated() -> Self {
        Self::Raw(
            b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{\"half\": ["
                .to_vec(),
        )
    }
}

impl From<Answer> for Fault {
    fn from(answer: Answer) -> Self {
        Self::Answer(answer)
    }
}

/// A server on which things go wrong after it has read a request; counts and keeps what it read.
///
/// ```
/// use libcloud_testkit::{Breaking, Fault};
/// # use libcloud_common::{Config, Connection};
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let server = Breaking::start(Fault::Close);
/// # let connection = Connection::builder("example", server.url(), &Config::anonymous()).build();
/// connection.post("CreateNode", ["nodes"]).empty().await.unwrap_err();
/// assert_eq!(server.received().len(), 1);
/// # });
/// ```
pub struct Breaking {
    server: Server,
    state: Arc<Mutex<State>>,
    connections: watch::Receiver<Connections>,
}

type Prelude = dyn Fn(&Received) -> Option<Answer> + Send + Sync;

#[derive(Default)]
struct Connections {
    open: usize,
    /// Where those that were accepted came from.
    from: Vec<SocketAddr>,
}

#[derive(Default)]
struct State {
    received: Vec<Received>,
    broken_off: usize,
}

impl Breaking {
    /// A server that does this with every request.
    pub fn start(fault: Fault) -> Self {
        Self::reacting(|_| None, move |_| fault.clone())
    }

    /// A server that decides what it does with each request. What the prelude answers (a login, a look-up) is neither
    /// counted nor kept.
    pub fn reacting(
        prelude: impl Fn(&Received) -> Option<Answer> + Send + Sync + 'static,
        react: impl FnMut(&Received) -> Fault + Send + 'static,
    ) -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let shared = Arc::clone(&state);
        let prelude: Arc<Prelude> = Arc::new(prelude);
        let react = Arc::new(Mutex::new(react));
        let (changed, connections) = watch::channel(Connections::default());
        let server = Server::start(move |stream| {
            let (state, prelude, react) = (Arc::clone(&shared), Arc::clone(&prelude), Arc::clone(&react));
            changed.send_modify(|connections| {
                connections.open += 1;
                connections.from.extend(stream.peer_addr());
            });
            let closed = Closed(changed.clone());
            async move {
                let decide = |request: Received| {
                    if let Some(answer) = prelude(&request) {
                        return Fault::Answer(answer);
                    }
                    let fault = (react.lock().unwrap_or_else(PoisonError::into_inner))(&request);
                    lock(&state).received.push(request);
                    fault
                };
                if serve(stream, decide).await {
                    lock(&state).broken_off += 1;
                }
                drop(closed);
            }
        });
        Self { server, state, connections }
    }

    /// Where it is, for `Config::endpoint`.
    pub fn url(&self) -> Url {
        self.server.url()
    }

    /// Its socket.
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// The requests that came whole, in their order, without those that the prelude answered.
    pub fn received(&self) -> Vec<Received> {
        lock(&self.state).received.clone()
    }

    /// The requests that came since this was last asked.
    pub fn take_received(&self) -> Vec<Received> {
        std::mem::take(&mut lock(&self.state).received)
    }

    /// How many requests the client began and did not finish.
    pub fn broken_off(&self) -> usize {
        lock(&self.state).broken_off
    }

    /// Waits until every connection that was made has ended, so that what the client broke off is counted.
    pub async fn settled(&self) {
        // Connections are accepted in their order: when this one is, those before it are.
        let probe = TcpStream::connect(self.address()).await.expect("the server takes connections");
        let own = probe.local_addr().expect("a connection has an address");
        drop(probe);
        let ended = |now: &Connections| now.open == 0 && now.from.contains(&own);
        // The server, which has the other end of the channel, lives as long as this value.
        let _ = self.connections.clone().wait_for(ended).await;
    }
}

struct Closed(watch::Sender<Connections>);

impl Drop for Closed {
    fn drop(&mut self) {
        self.0.send_modify(|connections| connections.open -= 1);
    }
}

/// Serves one connection; whether the client broke a request off.
async fn serve(stream: TcpStream, decide: impl Fn(Received) -> Fault) -> bool {
    let mut stream = BufStream::new(stream);
    loop {
        let request = match Received::read(&mut stream).await {
            Incoming::Whole(request) => request,
            Incoming::End { began } => return began,
        };
        let method = request.method.clone();
        let sent = match decide(request) {
            Fault::Close => return false,
            Fault::Reset => {
                // Without this the connection ends as if all were well.
                let _ = stream.get_ref().set_zero_linger();
                return false;
            }
            Fault::Stall => std::future::pending().await,
            Fault::Raw(bytes) => {
                let _ = stream.write_all(&bytes).await;
                let _ = stream.shutdown().await;
                return false;
            }
            Fault::Drip(answer, pause) => drip(&mut stream, &answer.to_bytes(&method), pause).await,
            Fault::Answer(answer) => match stream.write_all(&answer.to_bytes(&method)).await {
                Ok(()) => stream.flush().await,
                error => error,
            },
        };
        if sent.is_err() {
            return false;
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a server is slow by its own clock, not by that of the driver")]
async fn drip(stream: &mut BufStream<TcpStream>, bytes: &[u8], pause: Duration) -> std::io::Result<()> {
    for byte in bytes {
        tokio::time::sleep(pause).await;
        stream.write_all(&[*byte]).await?;
        stream.flush().await?;
    }
    Ok(())
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Breaking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Breaking").field(&self.server).finish()
    }
}
