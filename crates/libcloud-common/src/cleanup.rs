//! What is put right after something was broken off.
//!
//! A future that is dropped cannot wait any more: what it has begun at a provider, and nobody is to pay for, is undone by
//! a task of its own. A program waits for such tasks before it ends ([`settled`]).

use std::future::Future;
use std::sync::LazyLock;

use futures_core::future::BoxFuture;
use tokio::sync::watch;

/// How many are under way.
static UNDER_WAY: LazyLock<watch::Sender<usize>> = LazyLock::new(|| watch::Sender::new(0));

/// Waits until everything that was broken off has been put right, as far as it can be. At once where nothing was.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// libcloud_common::cleanup::settled().await;
/// # });
/// ```
pub async fn settled() {
    // The sender is never dropped, so there is no other end than this.
    let _ = UNDER_WAY.subscribe().wait_for(|count| *count == 0).await;
}

/// Does this beside everything else. Outside of a runtime it cannot be done, which is logged.
pub fn spawn(work: impl Future<Output = ()> + Send + 'static) {
    let Ok(runtime) = tokio::runtime::Handle::try_current() else {
        tracing::warn!("a transfer was dropped outside of a runtime: what it has begun stays");
        return;
    };
    let counted = Counted::new();
    runtime.spawn(async move {
        let _counted = counted;
        work.await;
    });
}

struct Counted;

impl Counted {
    fn new() -> Self {
        UNDER_WAY.send_modify(|count| *count += 1);
        Self
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        UNDER_WAY.send_modify(|count| *count -= 1);
    }
}

/// Undoes something if it is dropped before it is told that all went well.
#[must_use = "dropping it undoes what it is about"]
pub struct Undo(Option<BoxFuture<'static, ()>>);

impl Undo {
    /// This is what undoes it.
    pub fn new(work: impl Future<Output = ()> + Send + 'static) -> Self {
        Self(Some(Box::pin(work)))
    }

    /// All went well, or it has been undone already.
    pub fn disarm(mut self) {
        self.0 = None;
    }
}

impl std::fmt::Debug for Undo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Undo").finish_non_exhaustive()
    }
}

impl Drop for Undo {
    fn drop(&mut self) {
        if let Some(work) = self.0.take() {
            spawn(work);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn what_is_dropped_is_undone_and_waited_for() {
        let undone = Arc::new(AtomicUsize::new(0));
        let undo = || {
            let undone = Arc::clone(&undone);
            Undo::new(async move {
                tokio::task::yield_now().await;
                undone.fetch_add(1, Ordering::Relaxed);
            })
        };
        drop(undo());
        undo().disarm();
        settled().await;
        assert_eq!(undone.load(Ordering::Relaxed), 1);
    }
}
