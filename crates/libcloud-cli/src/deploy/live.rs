//! What is told while a deployment goes on: a line each, with the name of the server before it, on standard error.

use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::sync::{Arc, Mutex, PoisonError};

use libcloud::common::{REDACTED, Secret, json};
use libcloud::deploy::{DeployEvent, DeployObserver, OutputStream};

use crate::args::{Format, Global};
use crate::exit::to_stderr;
use crate::output::harmless;

/// A longer line is told in pieces.
const LONGEST: usize = 4096;

/// Tells of all servers.
#[derive(Clone)]
pub(crate) struct Live {
    format: Format,
    quiet: bool,
    /// Whether somebody looks who wants to know where it is.
    notes: bool,
    secrets: Arc<[Secret]>,
}

impl Live {
    pub(crate) fn new(global: &Global, secrets: Vec<Secret>) -> Self {
        let notes = !global.quiet && (global.verbose > 0 || std::io::stderr().is_terminal());
        Self { format: global.format, quiet: global.quiet, notes, secrets: secrets.into() }
    }

    /// Tells of one server.
    pub(crate) fn of(&self, name: String) -> DeployObserver {
        let live = self.clone();
        let lines = Mutex::new(BTreeMap::<bool, Vec<u8>>::new());
        DeployObserver::new(move |event| match event {
            DeployEvent::Output { stream, bytes } => {
                let mut lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
                let begun = lines.entry(stream == OutputStream::Stderr).or_default();
                begun.extend_from_slice(bytes);
                let mut told = 0;
                while let Some(rest) = begun.get(told..)
                    && let Some(line) = end_of_line(rest).and_then(|end| rest.get(..end))
                {
                    live.line(&name, stream, line);
                    told += line.len();
                }
                begun.drain(..told);
            }
            other => {
                // What came without an end of its line.
                let mut lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
                for (is_error, line) in std::mem::take(&mut *lines) {
                    if !line.is_empty() {
                        let stream = if is_error { OutputStream::Stderr } else { OutputStream::Stdout };
                        live.line(&name, stream, &line);
                    }
                }
                live.event(&name, other);
            }
        })
    }

    fn line(&self, name: &str, stream: OutputStream, line: &[u8]) {
        if self.quiet {
            return;
        }
        let text = String::from_utf8_lossy(line);
        let text = text.trim_end_matches(['\n', '\r']);
        let secrets = self.secrets.iter().map(Secret::expose).filter(|secret| !secret.is_empty());
        let text = secrets.fold(text.to_owned(), |text, secret| text.replace(secret, REDACTED));
        match self.format {
            Format::Json | Format::Jsonl => {
                let stream = if stream == OutputStream::Stdout { "stdout" } else { "stderr" };
                to_stderr(json!({ "server": name, "stream": stream, "line": text }));
            }
            Format::Table | Format::Csv => {
                to_stderr(format_args!("[{}] {}", harmless(name), harmless(&text)));
            }
        }
    }

    fn event(&self, name: &str, event: DeployEvent<'_>) {
        let left = match event {
            DeployEvent::Abandoned(node) => Some(format!(
                "the deployment was ended, and node {} ({}) exists: `libcloud compute nodes destroy {}` destroys it",
                node.id, node.name, node.id
            )),
            DeployEvent::AbandonedCreation(name) => Some(format!(
                "the deployment was ended while {name} was made: it may exist, see `libcloud compute nodes list`"
            )),
            _ => None,
        };
        if let Some(left) = left {
            // Somebody pays for it, so this is told to everybody.
            match self.format {
                Format::Json | Format::Jsonl => to_stderr(json!({ "warning": left })),
                Format::Table | Format::Csv => to_stderr(format_args!("warning: {}", harmless(&left))),
            }
            return;
        }
        if !self.notes || matches!(self.format, Format::Json | Format::Jsonl) {
            return;
        }
        let note = match event {
            DeployEvent::Created(node) => format!("created, with the id {}", node.id),
            DeployEvent::Running(_) => "runs".to_owned(),
            DeployEvent::Connecting { to, attempt: 1 } => format!("connecting to {to}"),
            DeployEvent::Connecting { to, attempt } => format!("connecting to {to}, attempt {attempt}"),
            DeployEvent::Failed(error) => error.to_string(),
            DeployEvent::Done => "done".to_owned(),
            DeployEvent::Step(step) => format!("step {} of {}: {}", step.number, step.count, step.name),
            _ => return,
        };
        to_stderr(format_args!("[{}] -- {}", harmless(name), harmless(&note).replace('\n', " ")));
    }
}

/// Where the first line ends, its end included, if it does.
fn end_of_line(bytes: &[u8]) -> Option<usize> {
    match bytes.iter().position(|byte| *byte == b'\n') {
        Some(at) => Some(at + 1),
        None => (bytes.len() >= LONGEST).then_some(bytes.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_ends_at_its_end_or_where_it_is_too_long() {
        assert_eq!((end_of_line(b"ab\nc"), end_of_line(b"ab")), (Some(3), None));
        assert_eq!(end_of_line(&[b'x'; LONGEST + 1]), Some(LONGEST + 1));
    }
}
