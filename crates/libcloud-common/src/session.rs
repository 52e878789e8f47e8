//! What a driver must know before its first call: fetched once, however many calls wait for it.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;

use crate::{Clock, Result, Timestamp};

/// A token, a service catalogue, an organisation: fetched when first needed, kept until shortly before it
/// expires, fetched anew after the provider refused it. Any number of calls share one fetch.
pub struct Session<T> {
    current: Mutex<Option<Current<T>>>,
    clock: Arc<dyn Clock>,
    margin: Duration,
}

struct Current<T> {
    value: Arc<T>,
    expires: Option<Timestamp>,
}

impl<T> Session<T> {
    /// Nothing fetched yet. What expires is renewed this long before (60 s is usual).
    pub fn new(clock: Arc<dyn Clock>, margin: Duration) -> Self {
        Self { current: Mutex::new(None), clock, margin }
    }

    /// The value, fetched if there is none or it is about to expire. A failed fetch is not kept: the next call
    /// tries again, and what has not expired yet serves in the meantime.
    pub async fn get<F, Fut>(&self, fetch: F) -> Result<Arc<T>>
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<(T, Option<Timestamp>)>>,
    {
        // Held while fetching: that is what makes all who wait share the one fetch.
        let mut current = self.current.lock().await;
        let lasts = |known: &Current<T>, time: Timestamp| known.expires.is_none_or(|at| time < at);
        if let Some(known) = &*current
            && lasts(known, self.clock.now().after(self.margin))
        {
            return Ok(Arc::clone(&known.value));
        }
        let (value, expires) = match (fetch().await, &*current) {
            (Ok(fetched), _) => fetched,
            (Err(error), Some(known)) if lasts(known, self.clock.now()) => {
                tracing::warn!(%error, "not renewed yet");
                return Ok(Arc::clone(&known.value));
            }
            (Err(error), _) => return Err(error),
        };
        let value = Arc::new(value);
        *current = Some(Current { value: Arc::clone(&value), expires });
        Ok(value)
    }

    /// Forgets this value after the provider refused it, unless another call has replaced it already.
    pub async fn forget(&self, refused: &Arc<T>) {
        self.forget_if(|known| Arc::ptr_eq(known, refused)).await;
    }

    /// Forgets the value if it is the refused one: of many calls that were refused together, the first gives it up and
    /// the others find a newer one.
    pub async fn forget_if(&self, is_refused: impl FnOnce(&Arc<T>) -> bool) {
        let mut current = self.current.lock().await;
        if current.as_ref().is_some_and(|known| is_refused(&known.value)) {
            *current = None;
        }
    }
}

impl<T> std::fmt::Debug for Session<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use crate::ManualClock;

    #[tokio::test]
    async fn one_fetch_serves_all_and_expiry_renews() {
        let clock = ManualClock::at("2013-11-13T12:00:00Z".parse().unwrap());
        let session = Session::new(Arc::new(clock.clone()), Duration::from_secs(60));
        let fetches = AtomicU32::new(0);
        let fetch = || async {
            tokio::task::yield_now().await;
            let count = fetches.fetch_add(1, Ordering::Relaxed);
            Ok((count, Some(clock.now().after(Duration::from_secs(600)))))
        };
        let (a, b, c) = tokio::join!(session.get(fetch), session.get(fetch), session.get(fetch));
        assert_eq!((*a.unwrap(), *b.unwrap(), *c.unwrap()), (0, 0, 0));
        clock.advance(Duration::from_secs(541));
        let renewed = session.get(fetch).await.unwrap();
        assert_eq!(*renewed, 1);
        session.forget(&renewed).await;
        assert_eq!(*session.get(fetch).await.unwrap(), 2);
        session.forget(&renewed).await;
        assert_eq!(*session.get(fetch).await.unwrap(), 2);
    }

    #[tokio::test]
    async fn what_has_not_expired_serves_when_it_cannot_be_renewed() {
        let clock = ManualClock::at("2013-11-13T12:00:00Z".parse().unwrap());
        let session = Session::new(Arc::new(clock.clone()), Duration::from_secs(60));
        let expires = clock.now().after(Duration::from_secs(600));
        session.get(async || Ok((1, Some(expires)))).await.unwrap();
        let fails = async || Err(crate::Error::new(crate::ErrorKind::Transport, "down"));
        clock.advance(Duration::from_secs(599));
        assert_eq!(*session.get(fails).await.unwrap(), 1);
        clock.advance(Duration::from_secs(1));
        assert_eq!(session.get(fails).await.unwrap_err().message(), "down");
    }
}
