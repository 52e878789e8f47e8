//! How failures are told, and the exit status of each class.

use std::process::ExitCode;

use libcloud::{Error, ErrorKind};

use crate::args::Format;

/// Some of several things failed.
pub(crate) const PARTIAL: u8 = 8;

/// The exit status of an error.
pub(crate) fn status(kind: ErrorKind) -> u8 {
    match kind {
        ErrorKind::InvalidArgument | ErrorKind::InvalidName => 2,
        ErrorKind::InvalidCredentials => 3,
        ErrorKind::NotFound => 4,
        ErrorKind::AlreadyExists
        | ErrorKind::NotEmpty
        | ErrorKind::InvalidState
        | ErrorKind::Immutable
        | ErrorKind::RateLimited
        | ErrorKind::QuotaExceeded
        | ErrorKind::MalformedResponse
        | ErrorKind::Provider => 5,
        ErrorKind::Timeout | ErrorKind::Transport | ErrorKind::Tls | ErrorKind::HashMismatch => 6,
        ErrorKind::NotSupported | ErrorKind::Closed => 7,
        _ => 1,
    }
}

/// Writes the error to standard error, as JSON if results are, and gives its exit status.
#[expect(clippy::print_stderr, reason = "this is where the program tells its failures")]
pub(crate) fn report(error: &Error, format: Format) -> ExitCode {
    match format {
        Format::Json | Format::Jsonl => eprintln!("{}", serde_json::json!({ "error": error.to_json() })),
        Format::Table | Format::Csv => eprintln!("error: {error}"),
    }
    ExitCode::from(status(error.kind()))
}
