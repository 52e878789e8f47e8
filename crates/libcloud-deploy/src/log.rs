//! What is told of a connection: to `tracing`, and to the debug log if there is one. Neither hears a secret: commands are
//! shown as [`RemoteCommand`](crate::RemoteCommand) shows them, and no content and no output is.

use std::fmt;

use libcloud_common::DebugLog;

use crate::config::SshConfig;

/// The log of one connection.
#[derive(Clone, Debug)]
pub(crate) struct SshLog {
    to: String,
    file: Option<DebugLog>,
}

impl SshLog {
    pub(crate) fn new(config: &SshConfig) -> Self {
        Self { to: config.to_string(), file: config.debug_log.clone() }
    }

    /// One line. A log that cannot be written does not end a deployment.
    pub(crate) fn line(&self, text: fmt::Arguments<'_>) {
        tracing::debug!(target: "libcloud::ssh", to = self.to, "{text}");
        if let Some(file) = &self.file
            && let Err(error) = file.note(format_args!("ssh {}: {text}", self.to))
        {
            tracing::warn!(target: "libcloud::ssh", "{error}");
        }
    }
}

/// Writes a line to the log of a connection.
macro_rules! log {
    ($log:expr, $($text:tt)*) => { $log.line(format_args!($($text)*)) };
}
pub(crate) use log;
