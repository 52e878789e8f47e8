//! Bodies on their way: what goes out is counted, what comes in must move.

use std::pin::Pin;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::{self, BoxFuture, Either};
use futures_util::{FutureExt as _, StreamExt as _, TryFutureExt as _, TryStreamExt as _};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Empty, Full, StreamBody};
use hyper::body::{Body as HyperBody, Frame, Incoming, SizeHint};
use tokio::sync::Notify;

use crate::client::{BoxError, deepest};
use crate::request::{Body, ByteStream};
use crate::{Error, ErrorKind, Retry};

pub(crate) type SendBody = UnsyncBoxBody<Bytes, BoxError>;

/// How long a body waits for a server that does not say that it wants it (RFC 9110, section 10.1.1, leaves it open).
const PATIENCE: Duration = Duration::from_secs(1);
/// What must arrive within the idle limit. Less, and the server only keeps the connection open.
const LEAST_PROGRESS: u64 = 1024;

/// What became of a body that is sent.
#[derive(Default)]
pub(crate) struct Sent {
    /// How much has gone out, so that a slow upload is told from a dead one.
    pub(crate) bytes: AtomicU64,
    /// Why the stream gave no more: the cause of the broken connection, which hyper does not give back.
    problem: Mutex<Option<Error>>,
}

impl Sent {
    pub(crate) fn take_problem(&self) -> Option<Error> {
        self.problem.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn broken(&self, error: Error) -> BoxError {
        let message = error.to_string();
        *self.problem.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
        message.into()
    }
}

const WAITING: u8 = 0;
const OPEN: u8 = 1;
const ANSWERED: u8 = 2;
const ABANDONED: u8 = 3;

/// Holds a body back until the server asks for it. An answer that comes instead of the question shuts it for good.
#[derive(Default)]
pub(crate) struct Gate {
    state: AtomicU8,
    changed: Notify,
}

impl Gate {
    /// The server asks for the body.
    pub(crate) fn open(&self) {
        self.turn(WAITING, OPEN);
    }

    /// The server has answered without it.
    pub(crate) fn answered(&self) {
        self.turn(WAITING, ANSWERED);
    }

    /// The answer has been read, so the connection, which still waits for the body, may end.
    fn abandon(&self) {
        self.turn(ANSWERED, ABANDONED);
    }

    fn turn(&self, from: u8, to: u8) {
        if self.state.compare_exchange(from, to, Ordering::AcqRel, Ordering::Acquire).is_ok() {
            self.changed.notify_one();
        }
    }

    async fn pass(&self) -> Result<(), BoxError> {
        if tokio::time::timeout(PATIENCE, self.changed.notified()).await.is_err() {
            self.open();
        }
        loop {
            match self.state.load(Ordering::Acquire) {
                OPEN => return Ok(()),
                ABANDONED => return Err("answered before the body was sent".into()),
                _ => self.changed.notified().await,
            }
        }
    }
}

/// The body to send.
pub(crate) fn outgoing(body: Body, sent: Arc<Sent>, gate: Option<Arc<Gate>>) -> SendBody {
    let (length, stream) = match (body, &gate) {
        (Body::Empty, _) => return Empty::new().map_err(|never| match never {}).boxed_unsync(),
        (Body::Stream { length, stream }, _) => (length, stream),
        (Body::Source(source), _) => (Some(source.length()), source.open()),
        (in_memory, gate) => {
            let bytes = in_memory.to_bytes().unwrap_or_default();
            if gate.is_none() {
                return Full::new(bytes).map_err(|never| match never {}).boxed_unsync();
            }
            let length = Some(bytes.len() as u64);
            (length, futures_util::stream::once(std::future::ready(Ok(bytes))).boxed())
        }
    };
    let frames = stream.map(move |bytes| {
        let bytes = bytes.map_err(|error| sent.broken(error))?;
        sent.bytes.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        Ok(Frame::data(bytes))
    });
    match gate {
        None => Sized { length, body: StreamBody::new(frames) }.boxed_unsync(),
        Some(gate) => {
            let frames = async move { gate.pass().await.map(|()| frames) }.try_flatten_stream();
            Sized { length, body: StreamBody::new(Box::pin(frames)) }.boxed_unsync()
        }
    }
}

/// A stream that says its length, so that it is sent with `Content-Length` instead of in chunks.
struct Sized<B> {
    length: Option<u64>,
    body: B,
}

impl<B> HyperBody for Sized<B>
where
    B: HyperBody<Data = Bytes, Error = BoxError> + Unpin,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        Pin::new(&mut self.get_mut().body).poll_frame(cx)
    }

    fn size_hint(&self) -> SizeHint {
        self.length.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

/// Nothing moved, or next to nothing.
pub(crate) fn stalled(idle: Duration, doing: &str) -> Error {
    Error::new(
        ErrorKind::Timeout,
        format!("nothing moved for {} s while {doing}; what was started may exist", idle.as_secs_f64()),
    )
    .with_retry(Retry::Retryable(None))
}

/// The body of an answer; an error where it stands still or ends early.
pub(crate) fn incoming(body: Incoming, idle: Duration, gate: Option<Arc<Gate>>) -> ByteStream {
    let stream = body.into_data_stream().map_err(|error| {
        Error::new(ErrorKind::Transport, format!("the answer broke off: {}", deepest(&error)))
            .with_retry(Retry::Retryable(None))
            .with_source(error)
    });
    let arriving = Arriving { stream, idle, window: window(idle), moved: 0, _gate: Abandon(gate) };
    let timed = futures_util::stream::unfold(Some(arriving), |arriving| async move {
        let mut arriving = arriving?;
        match arriving.next().await? {
            Ok(bytes) => Some((Ok(bytes), Some(arriving))),
            Err(error) => Some((Err(error), None)),
        }
    });
    timed.boxed()
}

struct Arriving<S> {
    stream: S,
    idle: Duration,
    /// Ends when the idle limit has passed.
    window: BoxFuture<'static, ()>,
    /// What arrived within the window.
    moved: u64,
    _gate: Abandon,
}

impl<S> Arriving<S>
where
    S: futures_core::Stream<Item = Result<Bytes, Error>> + Unpin,
{
    async fn next(&mut self) -> Option<Result<Bytes, Error>> {
        // While the reader was busy nothing could arrive: that time does not count.
        if (&mut self.window).now_or_never().is_some() {
            self.restart();
        }
        loop {
            match future::select(self.stream.next(), &mut self.window).await {
                Either::Left((item, _)) => {
                    if let Some(Ok(bytes)) = &item {
                        self.moved += bytes.len() as u64;
                    }
                    return item;
                }
                Either::Right(_) if self.moved < LEAST_PROGRESS => {
                    return Some(Err(stalled(self.idle, "reading the answer")));
                }
                Either::Right(_) => self.restart(),
            }
        }
    }

    fn restart(&mut self) {
        self.window = window(self.idle);
        self.moved = 0;
    }
}

fn window(idle: Duration) -> BoxFuture<'static, ()> {
    tokio::time::timeout(idle, std::future::pending::<()>()).map(|_| ()).boxed()
}

/// Lets the connection end when the answer has been read or is no longer wanted.
struct Abandon(Option<Arc<Gate>>);

impl Drop for Abandon {
    fn drop(&mut self) {
        if let Some(gate) = &self.0 {
            gate.abandon();
        }
    }
}
