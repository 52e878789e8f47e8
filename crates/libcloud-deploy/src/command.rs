//! A command for a server, and what is known of how it ended.

use std::fmt;
use std::time::Duration;

use libcloud_common::text::quote;
use libcloud_common::{Error, REDACTED, Result, Secret};

/// A command for the user's shell on a server: with its environment, its time limit, and the secrets in it marked.
///
/// ```
/// use libcloud_deploy::RemoteCommand;
///
/// let command = RemoteCommand::program("/opt/setup.sh").arg("a b").secret_arg("canary").env("LANG", "C");
/// assert_eq!(command.to_string(), "exec env LANG=C /opt/setup.sh 'a b' •••");
/// assert_eq!(command.line().expose(), "exec env LANG=C /opt/setup.sh 'a b' canary");
/// ```
///
/// `Display` and `Debug` show it without its secrets. The server's administrator can see arguments while the command runs;
/// the environment is seen by the user and the administrator alone.
#[derive(Clone)]
pub struct RemoteCommand {
    words: Vec<Word>,
    env: Vec<(String, Word)>,
    timeout: Option<Duration>,
}

#[derive(Clone)]
enum Word {
    /// Shell text as the user wrote it, or a word that is quoted already.
    Plain(String),
    /// The value itself, not yet quoted.
    Hidden(Secret),
}

impl Word {
    fn push_to(&self, line: &mut String) {
        match self {
            Self::Plain(text) => line.push_str(text),
            Self::Hidden(secret) => line.push_str(&quote(secret.expose())),
        }
    }
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain(text) => f.write_str(text),
            Self::Hidden(_) => f.write_str(REDACTED),
        }
    }
}

impl RemoteCommand {
    /// A line for the shell, as one types it: `uname -a | tee log`.
    pub fn shell(line: impl Into<String>) -> Self {
        Self { words: vec![Word::Plain(line.into())], env: Vec::new(), timeout: None }
    }

    /// A program by its path or name, whatever characters that has.
    pub fn program(path: &str) -> Self {
        Self::shell(quote(path))
    }

    /// Adds an argument; it arrives as it is, whatever characters it has.
    pub fn arg(mut self, arg: impl AsRef<str>) -> Self {
        self.words.push(Word::Plain(quote(arg.as_ref())));
        self
    }

    /// Adds an argument that no log and no error shows.
    pub fn secret_arg(mut self, arg: impl Into<Secret>) -> Self {
        self.words.push(Word::Hidden(arg.into()));
        self
    }

    /// Sets a variable for the command. Of a line with several commands, the first has it.
    pub fn env(mut self, name: impl Into<String>, value: impl AsRef<str>) -> Self {
        self.env.push((name.into(), Word::Plain(quote(value.as_ref()))));
        self
    }

    /// Sets a variable whose value no log and no error shows.
    pub fn secret_env(mut self, name: impl Into<String>, value: impl Into<Secret>) -> Self {
        self.env.push((name.into(), Word::Hidden(value.into())));
        self
    }

    /// Sets how long it may run; without one, as long as the connection's configuration says.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// How long it may run, where that was said.
    pub fn time_limit(&self) -> Option<Duration> {
        self.timeout
    }

    /// Whether it can be run.
    ///
    /// # Errors
    /// `InvalidArgument` for a variable that no shell would take.
    pub fn check(&self) -> Result<()> {
        for (name, _) in &self.env {
            let mut letters = name.chars();
            let is_first = letters.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
            if !(is_first && letters.all(|c| c.is_ascii_alphanumeric() || c == '_')) {
                return Err(Error::invalid_argument(format!(
                    "`{}` is no name for a variable of the environment",
                    name.escape_debug()
                )));
            }
        }
        Ok(())
    }

    /// The line that the shell gets. Never for printing.
    pub fn line(&self) -> Secret {
        let mut line = String::new();
        self.write(&mut line, Word::push_to);
        Secret::new(line)
    }

    /// Whether any of it is not to be shown.
    pub(crate) fn has_secrets(&self) -> bool {
        let mut words = self.words.iter().chain(self.env.iter().map(|(_, word)| word));
        words.any(|word| matches!(word, Word::Hidden(_)))
    }

    /// A text that the command wrote, without the secrets that it was given.
    pub fn hide(&self, text: &str) -> String {
        let secrets = self.words.iter().chain(self.env.iter().map(|(_, word)| word));
        let secrets = secrets.filter_map(|word| match word {
            Word::Hidden(secret) if !secret.is_empty() => Some(secret.expose()),
            _ => None,
        });
        secrets.fold(text.to_owned(), |text, secret| text.replace(secret, REDACTED))
    }

    fn write(&self, line: &mut String, push: impl Fn(&Word, &mut String)) {
        if !self.env.is_empty() {
            // Every shell knows both words, and neither stays in the list of processes with the values.
            line.push_str("exec env");
            for (name, value) in &self.env {
                line.push(' ');
                line.push_str(name);
                line.push('=');
                push(value, line);
            }
            line.push(' ');
        }
        for (index, word) in self.words.iter().enumerate() {
            if index > 0 {
                line.push(' ');
            }
            push(word, line);
        }
    }
}

impl From<&str> for RemoteCommand {
    fn from(line: &str) -> Self {
        Self::shell(line)
    }
}

impl fmt::Display for RemoteCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = String::new();
        self.write(&mut line, |word, line| line.push_str(&word.to_string()));
        f.write_str(&line)
    }
}

impl fmt::Debug for RemoteCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteCommand")
            .field("line", &self.to_string())
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

/// How a command ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExitStatus {
    /// Its status; 0 is success. For one that a signal ended, 128 and more, as shells have it.
    pub code: i32,
    /// The signal that ended it, without `SIG`: `KILL`.
    pub signal: Option<String>,
}

impl ExitStatus {
    /// It ended by itself.
    pub fn exited(code: i32) -> Self {
        Self { code, signal: None }
    }

    /// A signal ended it, by its name without `SIG`.
    pub fn signaled(signal: impl Into<String>) -> Self {
        let signal = signal.into();
        let number = match signal.as_str() {
            "HUP" => 1,
            "INT" => 2,
            "QUIT" => 3,
            "ILL" => 4,
            "ABRT" => 6,
            "FPE" => 8,
            "KILL" => 9,
            "SEGV" => 11,
            "PIPE" => 13,
            "ALRM" => 14,
            "TERM" => 15,
            _ => 127,
        };
        Self { code: 128 + number, signal: Some(signal) }
    }

    /// Whether it succeeded.
    pub fn success(&self) -> bool {
        self.code == 0
    }
}

impl fmt::Display for ExitStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.signal {
            Some(signal) => write!(f, "ended by the signal {}", signal.escape_debug()),
            None => write!(f, "ended with the exit status {}", self.code),
        }
    }
}

/// Where a command wrote to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OutputStream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// What a command wrote and how it ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CommandOutput {
    /// What it wrote to standard output; of very much, the end. What is not UTF-8 is `�`.
    pub stdout: String,
    /// What it wrote to standard error; of very much, the end.
    pub stderr: String,
    /// Its exit status; 0 is success.
    pub exit_status: i32,
    /// The signal that ended it, without `SIG`.
    pub signal: Option<String>,
    /// How many bytes it wrote that are not kept here.
    pub dropped: u64,
}

impl CommandOutput {
    /// The output of a command that ended so.
    pub fn new(stdout: impl Into<String>, stderr: impl Into<String>, exit_status: i32) -> Self {
        Self { stdout: stdout.into(), stderr: stderr.into(), exit_status, ..Self::default() }
    }
}

/// Keeps the end of what a command writes: no more of each stream than was said, however much comes.
#[derive(Debug)]
pub(crate) struct Tail {
    limit: usize,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
    dropped: u64,
}

/// How much of each stream is kept, unless something else is said.
pub(crate) const KEEP: usize = 1 << 20;

impl Tail {
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, stdout: Vec::new(), stderr: Vec::new(), dropped: 0 }
    }

    pub(crate) fn write(&mut self, stream: OutputStream, bytes: &[u8]) {
        let kept = match stream {
            OutputStream::Stdout => &mut self.stdout,
            OutputStream::Stderr => &mut self.stderr,
        };
        kept.extend_from_slice(bytes);
        // Twice the limit, so that the end is not moved for each piece.
        if kept.len() > self.limit.saturating_mul(2) {
            self.dropped += drop_front(kept, self.limit);
        }
    }

    pub(crate) fn finish(mut self, status: ExitStatus) -> CommandOutput {
        self.dropped += drop_front(&mut self.stdout, self.limit) + drop_front(&mut self.stderr, self.limit);
        CommandOutput {
            stdout: String::from_utf8_lossy(&self.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&self.stderr).into_owned(),
            exit_status: status.code,
            signal: status.signal,
            dropped: self.dropped,
        }
    }
}

fn drop_front(bytes: &mut Vec<u8>, keep: usize) -> u64 {
    let excess = bytes.len().saturating_sub(keep);
    bytes.drain(..excess);
    u64::try_from(excess).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_arrive_as_they_are_and_secrets_are_not_shown() {
        let command = RemoteCommand::program("/home/me/a b.sh")
            .arg("$(id)")
            .arg("it's")
            .arg("")
            .secret_arg("canary 1")
            .env("A", "x y")
            .secret_env("B", "canary-2");
        let line = r"exec env A='x y' B=canary-2 '/home/me/a b.sh' '$(id)' 'it'\''s' '' 'canary 1'";
        assert_eq!(command.line().expose(), line);
        assert!(!format!("{command} {command:?}").contains("canary"), "{command:?}");
        assert_eq!(command.hide("got canary 1 and canary-2"), "got ••• and •••");
    }

    #[test]
    fn names_of_variables_are_checked() {
        RemoteCommand::shell("x").env("_A1", "").check().unwrap();
        for name in ["", "1A", "A B", "A;id", "Ä"] {
            let error = RemoteCommand::shell("x").env(name, "").check().unwrap_err();
            assert_eq!(error.kind(), libcloud_common::ErrorKind::InvalidArgument, "{name}");
        }
    }

    #[test]
    fn of_much_output_the_end_is_kept() {
        let mut tail = Tail::new(4);
        for byte in b"0123456789" {
            tail.write(OutputStream::Stdout, &[*byte]);
        }
        tail.write(OutputStream::Stderr, "ü".as_bytes());
        let output = tail.finish(ExitStatus::signaled("KILL"));
        assert_eq!((output.stdout.as_str(), output.stderr.as_str(), output.dropped), ("6789", "ü", 6));
        assert_eq!((output.exit_status, output.signal.as_deref()), (137, Some("KILL")));
    }
}
