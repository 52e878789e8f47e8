//! Waiting for what a provider does in its own time.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use crate::{Clock, Error, ErrorKind, Result};

/// What one look at a job found.
#[derive(Debug)]
pub enum Progress<T> {
    /// Not yet; the provider may say when to look again.
    Pending(Option<Duration>),
    /// Done, with this result.
    Done(T),
    /// It failed, and will not succeed any more.
    Failed(Error),
}

/// Looks until a job is done: with a growing, jittered interval, to a deadline, by the injected clock.
///
/// Dropping the future ends the wait. A time-out names what was waited for, so that one can go on later.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Poller {
    /// The first interval (1 s).
    pub interval: Duration,
    /// What the interval grows to (15 s).
    pub max_interval: Duration,
    /// How long to wait in all (10 min).
    pub timeout: Duration,
    /// How many looks in a row may fail for a passing reason (5).
    pub max_failures: u32,
    clock: Arc<dyn Clock>,
    job: String,
}

impl Poller {
    /// A poller for this job, named in its errors (`"job 123"`, `"node i-1"`).
    pub fn new(clock: Arc<dyn Clock>, job: impl Into<String>) -> Self {
        Self {
            interval: Duration::from_secs(1),
            max_interval: Duration::from_secs(15),
            timeout: Duration::from_secs(600),
            max_failures: 5,
            clock,
            job: job.into(),
        }
    }

    /// Sets the first interval; a fixed one if it is also the largest.
    pub fn interval(mut self, first: Duration, max: Duration) -> Self {
        self.interval = first;
        self.max_interval = max.max(first);
        self
    }

    /// Sets how long to wait in all.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Looks until it is done. Each look is told what is left of the time, so that a server which does not answer cannot
    /// take longer.
    ///
    /// # Errors
    /// What `look` calls failed; a permanent error of `look`; `Timeout` with the job's name as resource.
    pub async fn run<T, F, Fut>(&self, mut look: F) -> Result<T>
    where
        F: FnMut(Duration) -> Fut,
        Fut: Future<Output = Result<Progress<T>>>,
    {
        let start = self.clock.elapsed();
        let mut interval = self.interval;
        let mut failures = 0;
        loop {
            let left = self.timeout.saturating_sub(self.clock.elapsed().saturating_sub(start));
            let hint = match look(left).await {
                Ok(Progress::Done(result)) => return Ok(result),
                Ok(Progress::Failed(error)) => return Err(error),
                Ok(Progress::Pending(hint)) => {
                    failures = 0;
                    hint
                }
                Err(error) if error.is_retryable() && failures < self.max_failures => {
                    failures += 1;
                    error.retry_after()
                }
                Err(error) => return Err(error.context(format!("while waiting for {}", self.job))),
            };
            // Between three quarters and all of the interval, so that many waiters do not look at once.
            let wait = hint.unwrap_or_else(|| interval.mul_f64(1.0 - 0.25 * fastrand::f64()));
            let passed = self.clock.elapsed().saturating_sub(start);
            if passed + wait > self.timeout {
                return Err(Error::new(
                    ErrorKind::Timeout,
                    format!(
                        "{} was not done within {} s; it may still become so",
                        self.job,
                        self.timeout.as_secs()
                    ),
                )
                .with_resource("job", &self.job));
            }
            self.clock.sleep(wait).await;
            interval = (interval * 2).min(self.max_interval);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ManualClock, Retry};

    fn clock() -> ManualClock {
        ManualClock::at("2013-11-13T12:00:00Z".parse().unwrap())
    }

    #[tokio::test]
    async fn waits_longer_each_time_and_heeds_the_providers_hint() {
        let clock = clock();
        let mut looks = 0;
        let poller = Poller::new(Arc::new(clock.clone()), "job 1");
        let result = poller
            .run(|_| {
                looks += 1;
                let look = looks;
                async move {
                    Ok(match look {
                        1 | 2 => Progress::Pending(None),
                        3 => Progress::Pending(Some(Duration::from_secs(7))),
                        _ => Progress::Done(look),
                    })
                }
            })
            .await
            .unwrap();
        assert_eq!(result, 4);
        let slept = clock.slept();
        assert!((750..=1000).contains(&slept[0].as_millis()), "{slept:?}");
        assert!((1500..=2000).contains(&slept[1].as_millis()), "{slept:?}");
        assert_eq!(slept[2], Duration::from_secs(7));
    }

    #[tokio::test]
    async fn a_look_is_told_what_is_left() {
        let clock = clock();
        let poller = Poller::new(Arc::new(clock.clone()), "job 1").timeout(Duration::from_secs(30));
        let mut told = Vec::new();
        let look = |left: Duration| {
            told.push(left.as_secs());
            clock.advance(Duration::from_secs(3));
            let hint = Some(Duration::from_secs(7));
            async move { Ok(if left.as_secs() > 10 { Progress::Pending(hint) } else { Progress::Done(()) }) }
        };
        poller.run(look).await.unwrap();
        assert_eq!(told, [30, 20, 10]);
    }

    #[tokio::test]
    async fn a_time_out_names_the_job() {
        let poller = Poller::new(Arc::new(clock()), "job 1").timeout(Duration::from_secs(30));
        let error = poller.run(|_| async { Ok(Progress::<()>::Pending(None)) }).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout);
        assert_eq!(error.resource(), Some(("job", "job 1")));
    }

    #[tokio::test]
    async fn passing_failures_are_counted_apart() {
        let transient = || Error::new(ErrorKind::Transport, "reset").with_retry(Retry::Retryable(None));
        let mut looks = 0;
        let poller = Poller::new(Arc::new(clock()), "job 1");
        let done = poller.run(|_| {
            looks += 1;
            let look = looks;
            async move { if look < 4 { Err(transient()) } else { Ok(Progress::Done(())) } }
        });
        done.await.unwrap();
        let error = poller.run(|_| async { Err::<Progress<()>, _>(transient()) }).await.unwrap_err();
        assert_eq!(error.to_string(), "while waiting for job 1: reset");
    }
}
