//! libcloud's own SSH client, and deployments over it, against a small server inside the tests.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "tests fail by panicking"
)]

#[path = "native/connect.rs"]
mod connect;
#[path = "native/deploy.rs"]
mod deploy;
#[path = "native/many.rs"]
mod many;
mod server;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use libcloud_common::{BoxFuture, Clock, Timestamp};
use libcloud_deploy::{HostKeys, SshAuth, SshConfig};

use crate::server::Server;

/// The server, with the one password that it takes.
pub(crate) fn config(server: &Server) -> SshConfig {
    SshConfig::new("127.0.0.1")
        .port(server.port)
        .auth(SshAuth::password("canary-password"))
        .host_keys(HostKeys::accept_new().without_files())
}

/// Pauses of a second or two pass at once, and are counted; time limits never do. Thus a deployment waits without taking its
/// time, and its connections are not hurried.
#[derive(Clone, Debug, Default)]
pub(crate) struct PausesClock {
    passed: Arc<Mutex<Duration>>,
}

impl PausesClock {
    pub(crate) fn passed(&self) -> Duration {
        *self.passed.lock().unwrap()
    }
}

impl Clock for PausesClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_seconds(1_700_000_000).unwrap().after(self.passed())
    }

    fn elapsed(&self) -> Duration {
        self.passed()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let passed = Arc::clone(&self.passed);
        Box::pin(async move {
            if duration > Duration::from_secs(5) {
                std::future::pending::<()>().await;
            }
            *passed.lock().unwrap() += duration;
            tokio::task::yield_now().await;
        })
    }
}
