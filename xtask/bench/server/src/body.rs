//! Response bodies: one buffer, or a pattern repeated to any length without copying it.

use std::pin::Pin;
use std::task::{Context, Poll};

use bench_content::PATTERN;
use bytes::Bytes;
use hyper::body::{Frame, SizeHint};

/// As much as one frame carries: large enough for few wake-ups, small enough to stay in the cache.
const FRAME: u64 = 256 * 1024;

pub(crate) enum Body {
    Full(Option<Bytes>),
    Repeat {
        at: u64,
        left: u64,
    },
    /// Promises `size` bytes, sends `left` of them, then fails; with `pause`, waits a turn before it does, so that
    /// what was sent reaches the client.
    Cut {
        inner: Box<Body>,
        size: u64,
        left: u64,
        pause: bool,
    },
}

impl Body {
    pub(crate) fn full(b: impl Into<Bytes>) -> Self {
        Body::Full(Some(b.into()))
    }

    pub(crate) fn empty() -> Self {
        Body::Full(None)
    }

    pub(crate) fn repeat(at: u64, left: u64) -> Self {
        Body::Repeat { at, left }
    }

    pub(crate) fn broken() -> Self {
        Body::Cut { inner: Box::new(Body::empty()), size: 1, left: 0, pause: false }
    }

    pub(crate) fn truncated(self) -> Self {
        let size = self.size();
        Body::Cut { inner: Box::new(self), size, left: size / 2, pause: true }
    }

    fn size(&self) -> u64 {
        match self {
            Body::Full(b) => b.as_ref().map_or(0, |b| b.len() as u64),
            Body::Repeat { left, .. } => *left,
            Body::Cut { size, .. } => *size,
        }
    }

    fn next(&mut self) -> Option<Result<Bytes, std::io::Error>> {
        match self {
            Body::Full(b) => b.take().filter(|b| !b.is_empty()).map(Ok),
            Body::Repeat { left: 0, .. } => None,
            Body::Repeat { at, left } => {
                let from = *at % PATTERN.len() as u64;
                let n = FRAME.min(*left).min(PATTERN.len() as u64 - from);
                *at += n;
                *left -= n;
                Some(Ok(PATTERN.slice(from as usize..(from + n) as usize)))
            }
            Body::Cut { inner, left, .. } => {
                if *left == 0 {
                    return Some(Err(std::io::Error::other("injected fault")));
                }
                match inner.next() {
                    Some(Ok(mut b)) => {
                        b.truncate(*left as usize);
                        *left -= b.len() as u64;
                        Some(Ok(b))
                    }
                    other => other,
                }
            }
        }
    }
}

impl hyper::body::Body for Body {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if let Body::Cut { left: 0, pause: pause @ true, .. } = &mut *self {
            *pause = false;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(self.next().map(|r| r.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Body::Full(b) => b.as_ref().is_none_or(Bytes::is_empty),
            Body::Repeat { left, .. } => *left == 0,
            Body::Cut { .. } => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.size())
    }
}
