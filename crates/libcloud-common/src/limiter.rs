//! One pace for all calls of an account: who is told to slow down slows the others down too.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::Clock;

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

    /// The provider has said that nothing is to be sent for so long.
    pub(crate) fn pause(&self, clock: &dyn Clock, time: Duration) {
        let mut open_at = self.open_at.lock().unwrap_or_else(PoisonError::into_inner);
        *open_at = (*open_at).max(clock.elapsed().saturating_add(time));
    }
}
