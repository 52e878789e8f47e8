//! A time limit that spans several steps.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{Either, select};
use futures_util::{StreamExt as _, stream};

use crate::{ByteStream, Clock, Error, ErrorKind, Result};

/// When a call must end that has more than one step: something is read, sent, and read again.
///
/// ```
/// # use libcloud_common::{Deadline, ErrorKind, ManualClock, Result};
/// # use std::sync::Arc;
/// # use std::time::Duration;
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let clock = Arc::new(ManualClock::at("2013-11-13T12:00:00Z".parse()?));
/// let deadline = Deadline::new(clock, Some(Duration::from_secs(5)));
/// assert_eq!(deadline.left(), Some(Duration::from_secs(5)));
/// let error = deadline.wait(std::future::pending::<Result<()>>()).await.unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Timeout);
/// # Ok::<(), libcloud_common::Error>(()) }).unwrap();
/// ```
#[derive(Clone, Debug)]
pub struct Deadline {
    clock: Arc<dyn Clock>,
    end: Option<Duration>,
}

impl Deadline {
    /// This long from now; never without a limit.
    pub fn new(clock: Arc<dyn Clock>, limit: Option<Duration>) -> Self {
        let end = limit.map(|limit| clock.elapsed().saturating_add(limit));
        Self { clock, end }
    }

    /// What is left of the limit, if there is one.
    pub fn left(&self) -> Option<Duration> {
        self.end.map(|end| end.saturating_sub(self.clock.elapsed()))
    }

    /// Waits for one step, no longer than the whole may take.
    ///
    /// # Errors
    /// `Timeout` if the time passed first; otherwise what the step answers.
    pub async fn wait<T>(&self, step: impl Future<Output = Result<T>>) -> Result<T> {
        let Some(left) = self.left() else {
            return step.await;
        };
        match select(std::pin::pin!(step), self.clock.sleep(left)).await {
            Either::Left((result, _)) => result,
            Either::Right(_) => Err(Error::new(
                ErrorKind::Timeout,
                "the time limit passed; what was started may still be done",
            )),
        }
    }

    /// The same stream; if it is not at its end in time, it ends with an error.
    pub fn stream(self, bytes: ByteStream) -> ByteStream {
        if self.end.is_none() {
            return bytes;
        }
        stream::unfold(Some(bytes), move |bytes| {
            let deadline = self.clone();
            async move {
                let mut bytes = bytes?;
                match deadline.wait(async { bytes.next().await.transpose() }).await {
                    Ok(Some(piece)) => Some((Ok(piece), Some(bytes))),
                    Ok(None) => None,
                    Err(error) => Some((Err(error), None)),
                }
            }
        })
        .boxed()
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use futures_util::TryStreamExt as _;

    use super::*;
    use crate::ManualClock;

    fn clock() -> ManualClock {
        ManualClock::at("2024-05-01T08:30:00Z".parse().unwrap())
    }

    fn deadline(clock: &ManualClock, seconds: Option<u64>) -> Deadline {
        Deadline::new(Arc::new(clock.clone()), seconds.map(Duration::from_secs))
    }

    #[tokio::test]
    async fn steps_share_the_time() {
        let clock = clock();
        let deadline = deadline(&clock, Some(10));
        assert_eq!(deadline.wait(async { Ok(1) }).await.unwrap(), 1);
        clock.advance(Duration::from_secs(7));
        assert_eq!(deadline.left(), Some(Duration::from_secs(3)));
        let error = deadline.wait(std::future::pending::<Result<()>>()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout);
        assert_eq!(clock.slept(), [Duration::from_secs(3)]);
    }

    #[tokio::test]
    async fn without_a_limit_nothing_is_waited_for() {
        let clock = clock();
        let deadline = deadline(&clock, None);
        assert_eq!((deadline.left(), deadline.wait(async { Ok(1) }).await.unwrap()), (None, 1));
        assert!(clock.slept().is_empty());
    }

    #[tokio::test]
    async fn a_stream_that_stands_still_ends_with_an_error() {
        let pieces = stream::iter([Ok(Bytes::from("a"))]).chain(stream::pending()).boxed();
        let mut bytes = deadline(&clock(), Some(10)).stream(pieces);
        assert_eq!(bytes.try_next().await.unwrap().unwrap(), "a");
        assert_eq!(bytes.try_next().await.unwrap_err().kind(), ErrorKind::Timeout);
        assert_eq!(bytes.try_next().await.unwrap(), None);
    }
}
