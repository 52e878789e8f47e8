//! The debug log: each request as a `curl` command and the answer to it, with ids that pair them.
//!
//! Secrets are `•••`: what was marked as one where it entered, and headers, JSON fields and XML elements of such a name. A
//! command from the log runs when the credentials are put back.

use std::fmt::{self, Write as _};
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde_json::Value;

use crate::auth::Target;
use crate::extra::redact_value;
use crate::request::{Body, Request, Sealed};
use crate::secret::REDACTED;
use crate::text::quote;
use crate::{Error, Response, Result, is_secret_name};

/// How much of a body is written.
const MAX_BODY: usize = 64 << 10;

/// The header that carries the id of a request while there is a log.
pub(crate) const REQUEST_ID: &str = "x-lc-request-id";

/// A file that all requests and answers are written to. Clones write to the same file.
///
/// It is opened when the first request is written; `/dev/stderr` works too.
#[derive(Clone)]
pub struct DebugLog(Arc<Inner>);

struct Inner {
    file: LogFile,
    requests: AtomicU64,
}

/// A file that is opened when it is first written to, and only added to.
#[derive(Debug)]
pub(crate) struct LogFile {
    path: PathBuf,
    file: Mutex<Option<File>>,
}

impl LogFile {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path, file: Mutex::new(None) }
    }

    pub(crate) fn write(&self, text: &str) -> Result<()> {
        let cannot = |error| Error::io(format_args!("write the debug log {}", self.path.display()), error);
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let file = match &mut *file {
            Some(file) => file,
            none => {
                none.insert(OpenOptions::new().create(true).append(true).open(&self.path).map_err(cannot)?)
            }
        };
        file.write_all(text.as_bytes()).map_err(cannot)
    }
}

impl DebugLog {
    /// A log in this file, which is added to.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(Arc::new(Inner { file: LogFile::new(path.into()), requests: AtomicU64::new(0) }))
    }

    /// The log that the variable `LIBCLOUD_DEBUG` names; one for the whole process.
    pub fn from_environment() -> Option<Self> {
        static LOG: OnceLock<Option<DebugLog>> = OnceLock::new();
        let make = || std::env::var_os("LIBCLOUD_DEBUG").filter(|path| !path.is_empty()).map(Self::new);
        LOG.get_or_init(make).clone()
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.0.file.path
    }

    /// The id of the next request: unlike those of other processes that write to the same file.
    pub(crate) fn next_id(&self) -> String {
        format!("{:x}-{:x}", std::process::id(), self.0.requests.fetch_add(1, Ordering::Relaxed))
    }

    /// Writes what is done on a connection that is not HTTP, as comments. The caller has left out every secret.
    ///
    /// # Errors
    /// `Io` if the file cannot be written.
    pub fn note(&self, text: impl fmt::Display) -> Result<()> {
        let text = text.to_string();
        let lines = text.lines().fold(String::new(), |lines, line| lines + "# " + line + "\n");
        self.0.file.write(&lines)
    }

    /// Writes a request as it is sent.
    pub(crate) fn request(
        &self,
        id: &str,
        request: &Request,
        target: Target<'_>,
        defaults: &HeaderMap,
    ) -> Result<()> {
        let mut text = format!("# -------- begin {id} request ----------\n");
        if request.body.is_streamed() {
            let length = request.body.length();
            let length =
                length.map_or_else(|| "unknown length".to_owned(), |length| format!("{length} bytes"));
            let _ = writeln!(text, "# the body, on standard input, is a stream of {length}");
        }
        // `-X HEAD` would wait for a body that does not come; dots in an object's name are to stay.
        match request.method {
            Method::HEAD => text.push_str("curl -i --path-as-is --head"),
            _ => {
                let _ = write!(text, "curl -i --path-as-is -X {}", request.method);
            }
        }
        for (name, value) in defaults.iter().chain(&request.headers) {
            let _ = write!(text, " -H {}", quote(&format!("{name}: {}", printable(name, value))));
        }
        match &request.body {
            Body::Empty => {}
            Body::Source(_) | Body::Stream { .. } => text.push_str(" --data-binary @-"),
            Body::Form(params) => {
                for param in params {
                    let pair = format!("{}={}", param.name, param.printable());
                    let _ = write!(text, " --data-urlencode {}", quote(&pair));
                }
            }
            Body::Bytes(bytes) | Body::Sealed(Sealed { shown: bytes, .. }) => {
                let _ = write!(text, " --data-binary {}", quote(&shown(bytes)));
            }
        }
        let base = format!(
            "{}://{}{}",
            target.base.scheme(),
            target.host(),
            target.base.path().trim_end_matches('/')
        );
        let _ = writeln!(text, " --compressed {}", quote(&format!("{base}{}", request.printable_target())));
        self.0.file.write(&text)
    }

    /// Writes an answer that was read whole, its body without what this hides.
    pub(crate) fn response(
        &self,
        id: &str,
        response: &Response,
        hide: impl FnOnce(&str) -> String,
    ) -> Result<()> {
        let body = hide(&shown(&response.body));
        let is_chunked = response.header("transfer-encoding") == Some("chunked");
        // As it travelled, in one piece: its length comes first, and nothing after the last.
        let body = if is_chunked { format!("{:x}\n{body}\n0", response.body.len()) } else { body };
        self.answer(id, response.status, &response.headers, &body)
    }

    /// Writes the head of an answer whose body is streamed.
    pub(crate) fn head(&self, id: &str, status: http::StatusCode, headers: &HeaderMap) -> Result<()> {
        self.answer(id, status, headers, "(streamed)")
    }

    /// Writes that there was no answer.
    pub(crate) fn failure(&self, id: &str, error: &Error) -> Result<()> {
        self.0.file.write(&format!(
            "# -------- begin {id} response ----------\n# none: {error}\n# -------- end {id} response ----------\n"
        ))
    }

    fn answer(&self, id: &str, status: http::StatusCode, headers: &HeaderMap, body: &str) -> Result<()> {
        let mut text = format!("# -------- begin {id} response ----------\nHTTP {status}\n");
        for (name, value) in headers {
            let _ = writeln!(text, "{name}: {}", printable(name, value));
        }
        let _ = write!(text, "\n{body}\n# -------- end {id} response ----------\n");
        self.0.file.write(&text)
    }
}

impl fmt::Debug for DebugLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("DebugLog").field(&self.path()).finish()
    }
}

impl PartialEq for DebugLog {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

pub(crate) fn printable<'a>(name: &HeaderName, value: &'a HeaderValue) -> &'a str {
    let secret = value.is_sensitive()
        || is_secret_name(name.as_str())
        || matches!(name.as_str(), "authorization" | "cookie" | "set-cookie");
    if secret { REDACTED } else { value.to_str().unwrap_or("(binary)") }
}

/// A body as it may be read, and of what is long the beginning.
fn shown(body: &[u8]) -> String {
    let Ok(text) = std::str::from_utf8(body) else { return format!("({} bytes)", body.len()) };
    let mut text = without_secrets(text);
    if text.len() > MAX_BODY {
        let end = (0..=MAX_BODY).rev().find(|end| text.is_char_boundary(*end)).unwrap_or_default();
        text.truncate(end);
        text.push_str(" … (cut)");
    }
    text
}

/// JSON and XML without their secrets, other text as it is.
pub(crate) fn without_secrets(text: &str) -> String {
    match serde_json::from_str::<Value>(text) {
        Ok(mut value @ (Value::Object(_) | Value::Array(_))) => {
            redact_value(&mut value);
            value.to_string()
        }
        _ if text.trim_start().starts_with('<') => redact_elements(text),
        _ => text.to_owned(),
    }
}

/// XML with `•••` for the text of elements of a secret's name. The text need not be well-formed.
fn redact_elements(text: &str) -> String {
    let mut redacted = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, tag)) = rest.split_once('<') {
        redacted.push_str(before);
        redacted.push('<');
        rest = tag;
        let Some((inside, after)) = tag.split_once('>') else { continue };
        let name = inside.split([' ', '\t', '\n', '\r', '/']).next().unwrap_or_default();
        let local = name.rsplit(':').next().unwrap_or_default();
        if is_secret_name(local) && !inside.ends_with('/') {
            redacted.push_str(inside);
            redacted.push('>');
            redacted.push_str(REDACTED);
            let end = format!("</{name}>");
            // Without an end, all of the rest may be the secret.
            rest = after.find(&end).and_then(|at| after.get(at..)).unwrap_or_default();
        }
    }
    redacted.push_str(rest);
    redacted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_a_comment_whatever_lines_it_has() {
        let folder = tempfile::tempdir().unwrap();
        let log = DebugLog::new(folder.path().join("log"));
        log.note("one\ntwo").unwrap();
        assert_eq!(std::fs::read_to_string(log.path()).unwrap(), "# one\n# two\n");
    }

    #[test]
    fn bodies_are_shown_without_their_secrets() {
        for (body, expected) in [
            (r#"{"user": "me", "password": "canary"}"#, r#"{"password":"•••","user":"me"}"#),
            (r#"[{"auth": {"apiToken": "canary"}}]"#, r#"[{"auth":{"apiToken":"•••"}}]"#),
            (
                "<r><keyMaterial>canary\n</keyMaterial><a:secretKey x='1'>canary</a:secretKey><name>n</name></r>",
                "<r><keyMaterial>•••</keyMaterial><a:secretKey x='1'>•••</a:secretKey><name>n</name></r>",
            ),
            ("<r><password/><token>canary", "<r><password/><token>•••"),
            ("plain", "plain"),
        ] {
            assert_eq!(shown(body.as_bytes()), expected);
        }
        assert_eq!(shown(&[0xff, 0]), "(2 bytes)");
        assert!(shown("ü".repeat(40_000).as_bytes()).ends_with("ü … (cut)"));
    }
}
