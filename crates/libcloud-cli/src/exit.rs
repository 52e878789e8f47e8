//! How failures are told, and the exit status of each class.

use std::error::Error as _;
use std::io::{self, Write as _};
use std::process::ExitCode;

use libcloud::common::json;
use libcloud::{Error, ErrorKind};

use crate::args::Format;
use crate::output::harmless;

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

/// Tells what ended the program, and gives its exit status.
pub(crate) fn report(error: &Error, format: Format) -> ExitCode {
    if is_closed_pipe(error) {
        // `libcloud … | head` has seen enough.
        return ExitCode::SUCCESS;
    }
    tell(error, format);
    ExitCode::from(status(error.kind()))
}

/// Writes an error to standard error, as JSON if results are; one line in any case.
pub(crate) fn tell(error: &Error, format: Format) {
    match format {
        Format::Json | Format::Jsonl => to_stderr(json!({ "error": error.to_json() })),
        Format::Table | Format::Csv => {
            let line = error.to_string().replace(['\n', '\r'], " ");
            to_stderr(format_args!("error: {}", harmless(&line)));
        }
    }
}

/// Writes a line to standard error. Where that is closed, nobody can be told.
pub(crate) fn to_stderr(line: impl std::fmt::Display) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// Whether nobody reads standard output any more.
fn is_closed_pipe(error: &Error) -> bool {
    let source = error.source().and_then(|source| source.downcast_ref::<io::Error>());
    error.kind() == ErrorKind::Io && source.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_class_has_its_status() {
        let classes: [(u8, &[ErrorKind]); 7] = [
            (1, &[ErrorKind::Io, ErrorKind::Deployment]),
            (2, &[ErrorKind::InvalidArgument, ErrorKind::InvalidName]),
            (3, &[ErrorKind::InvalidCredentials]),
            (4, &[ErrorKind::NotFound]),
            (
                5,
                &[
                    ErrorKind::AlreadyExists,
                    ErrorKind::NotEmpty,
                    ErrorKind::InvalidState,
                    ErrorKind::QuotaExceeded,
                    ErrorKind::RateLimited,
                    ErrorKind::Provider,
                ],
            ),
            (6, &[ErrorKind::Timeout, ErrorKind::Transport, ErrorKind::Tls, ErrorKind::HashMismatch]),
            (7, &[ErrorKind::NotSupported, ErrorKind::Closed]),
        ];
        for (expected, kinds) in classes {
            for kind in kinds {
                assert_eq!(status(*kind), expected, "{kind}");
            }
        }
    }

    #[test]
    fn only_a_closed_pipe_of_ours_is_quiet() {
        let broken = || io::Error::from(io::ErrorKind::BrokenPipe);
        assert!(is_closed_pipe(&Error::io("write to standard output", broken())));
        assert!(!is_closed_pipe(&Error::io("read x", io::ErrorKind::NotFound.into())));
        let remote = Error::new(ErrorKind::Transport, "the connection broke").with_source(broken());
        assert!(!is_closed_pipe(&remote));
    }
}
