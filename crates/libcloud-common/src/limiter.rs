//! One pace for all calls of an account: who is told to slow down slows the others down too.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use http::HeaderMap;

use crate::execute::MAX_WAIT;
use crate::{Clock, Timestamp};

/// When the next call may be sent. Shared by all clones of a connection and all of their tasks.
#[derive(Debug, Default)]
pub(crate) struct Limiter {
    /// By the clock's `elapsed`.
    open_at: Mutex<Duration>,
}

impl Limiter {
    /// Waits until calls may be sent again.
    pub(crate) async fn wait(&self, clock: &dyn Clock) {
        loop {
            let open_at = *self.open_at.lock().unwrap_or_else(PoisonError::into_inner);
            let left = open_at.saturating_sub(clock.elapsed());
            if left.is_zero() {
                return;
            }
            // Those who wait do not all come back in the same moment.
            clock.sleep(left + left.mul_f64(0.1 * fastrand::f64())).await;
        }
    }

    /// Heeds the headers by which many providers tell that this was the last call for a while.
    pub(crate) fn observe(&self, clock: &dyn Clock, headers: &HeaderMap) {
        // What is longer than a call may wait is left to the refusal that the next call will get.
        if let Some(time) = exhausted(clock.now(), headers).filter(|time| *time <= MAX_WAIT) {
            self.pause(clock, time);
        }
    }

    /// The provider has said that nothing is to be sent for so long.
    pub(crate) fn pause(&self, clock: &dyn Clock, time: Duration) {
        let mut open_at = self.open_at.lock().unwrap_or_else(PoisonError::into_inner);
        *open_at = (*open_at).max(clock.elapsed().saturating_add(time));
    }
}

/// How long there will be no more calls, if this was the last one: `RateLimit-Remaining: 0` with the time of
/// `RateLimit-Reset`, in seconds from now or since 1970; with or without `X-`.
///
/// <https://docs.digitalocean.com/reference/api/intro/#rate-limit>,
/// <https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/>
fn exhausted(now: Timestamp, headers: &HeaderMap) -> Option<Duration> {
    let number = |names: [&str; 2]| -> Option<u64> {
        let value = names.iter().find_map(|name| headers.get(*name))?;
        value.to_str().ok()?.trim().parse().ok()
    };
    if number(["ratelimit-remaining", "x-ratelimit-remaining"])? > 0 {
        return None;
    }
    let reset = number(["ratelimit-reset", "x-ratelimit-reset"])?;
    // No window is thirty years long, and no clock is set to 1970.
    let since_1970 = 1_000_000_000;
    let seconds =
        if reset < since_1970 { reset } else { reset.saturating_sub(now.unix_seconds().try_into().ok()?) };
    Some(Duration::from_secs(seconds))
}
