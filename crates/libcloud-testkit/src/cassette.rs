//! Recorded exchanges and calls: files of JSON Lines, one exchange or one call a line.
//!
//! A file `NAME.jsonl` of exchanges may have a `NAME.bodies.json` beside it: the texts that its bodies refer to.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, BufRead as _, BufReader, BufWriter, Write as _};
use std::path::Path;

use bytes::Bytes;
use libcloud_common::encode;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

/// One request and what was answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Exchange {
    /// The test in which it was recorded.
    pub test: String,
    /// Its number within the test.
    pub seq: u64,
    /// The class of the driver; none where no driver sent it.
    #[serde(default)]
    pub driver: Option<String>,
    /// The class of the connection.
    #[serde(default)]
    pub connection: Option<String>,
    /// The call during which it was sent; none for one made outside of any.
    #[serde(default)]
    pub call: Option<u64>,
    /// What was sent.
    pub request: Request,
    /// What came back; none if nothing was read.
    #[serde(default)]
    pub response: Option<Reply>,
    /// What must not be compared, such as `Signature`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unreliable: Vec<String>,
}

/// What was sent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// `http` or `https`.
    #[serde(default)]
    pub scheme: Option<String>,
    /// GET, POST …
    pub method: String,
    /// The host, without port.
    #[serde(default)]
    pub host: Option<String>,
    /// The port.
    #[serde(default)]
    pub port: Option<u16>,
    /// The path as it was sent.
    pub path: String,
    /// The query as it was sent, without `?`.
    #[serde(default)]
    pub query: Option<String>,
    /// The headers that the driver set.
    #[serde(default, deserialize_with = "texts")]
    pub headers: BTreeMap<String, String>,
    /// The body.
    #[serde(default)]
    pub body: Option<Body>,
    /// Whether the body was sent as a stream.
    #[serde(default)]
    pub streamed: bool,
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Reply {
    /// An answer.
    Answer(Answer),
    /// There was none: the recording server had no answer, or failed with this exception.
    Raised {
        /// The exception's class.
        raises: String,
    },
}

/// An answer of the provider.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The text beside it.
    #[serde(default)]
    pub reason: Option<String>,
    /// The headers.
    #[serde(default, deserialize_with = "texts")]
    pub headers: BTreeMap<String, String>,
    /// The body.
    #[serde(default)]
    pub body: Option<Body>,
}

/// A body, or what is known of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Body {
    /// Text.
    Text(String),
    /// Anything else.
    Base64 {
        /// The bytes.
        base64: String,
    },
    /// A text of the file of bodies; [`read_exchanges`] replaces it.
    Reference {
        /// Its name there.
        r#ref: String,
    },
    /// Too large to be kept.
    Digest {
        /// How many bytes.
        length: u64,
        /// Their MD5 in hexadecimal.
        md5: String,
        /// Their SHA-256 in hexadecimal.
        sha256: String,
    },
}

impl Body {
    /// The bytes, where they were kept.
    pub fn bytes(&self) -> Option<Bytes> {
        match self {
            Self::Text(text) => Some(Bytes::from(text.clone())),
            Self::Base64 { base64 } => encode::decode_base64(base64).ok().map(Bytes::from),
            Self::Reference { .. } | Self::Digest { .. } => None,
        }
    }
}

/// One call of a driver's method.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Call {
    /// The test in which it was recorded.
    pub test: String,
    /// Its number within the test.
    pub n: u64,
    /// The class of the driver.
    pub driver: String,
    /// The method; `new` is the constructor.
    pub call: String,
    /// The arguments by name.
    #[serde(default)]
    pub args: serde_json::Map<String, Value>,
    /// The exchanges that it led to.
    #[serde(default)]
    pub requests: Vec<u64>,
    /// What it gave; neither this nor [`raises`](Self::raises) where nothing was recorded.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub result: Option<Value>,
    /// What it failed with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raises: Option<Raised>,
    /// The release that was recorded; none for the oldest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<String>,
}

/// An exception.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Raised {
    /// Its class.
    #[serde(rename = "type")]
    pub class: String,
    /// The classes above it.
    #[serde(default)]
    pub bases: Vec<String>,
}

/// Reads the exchanges of a file, bodies included.
///
/// # Errors
/// Names the file, and the line that is no exchange or refers to a body that is not there.
pub fn read_exchanges(path: &Path) -> io::Result<Vec<Exchange>> {
    let mut exchanges: Vec<Exchange> = read_lines(path)?;
    let bodies = path.with_extension("bodies.json");
    let texts: BTreeMap<String, String> = if bodies.exists() {
        let text = fs::read(&bodies).map_err(|error| within(&bodies, error))?;
        serde_json::from_slice(&text).map_err(|error| within(&bodies, error))?
    } else {
        BTreeMap::new()
    };
    for (line, exchange) in (1..).zip(&mut exchanges) {
        let Some(Reply::Answer(Answer { body: Some(body), .. })) = &mut exchange.response else { continue };
        if let Body::Reference { r#ref } = body {
            let text = texts.get(r#ref).ok_or_else(|| {
                within(path, format_args!("line {line}: there is no body `{ref}` in {}", bodies.display()))
            })?;
            *body = Body::Text(text.clone());
        }
    }
    Ok(exchanges)
}

/// Reads the calls of a file.
///
/// # Errors
/// Names the file, and the line that is no call.
pub fn read_calls(path: &Path) -> io::Result<Vec<Call>> {
    read_lines(path)
}

/// Writes exchanges or calls, one a line.
///
/// # Errors
/// Names the file.
pub fn write<T: Serialize>(path: &Path, lines: &[T]) -> io::Result<()> {
    let file = fs::File::create(path).map_err(|error| within(path, error))?;
    let mut writer = BufWriter::new(file);
    for line in lines {
        serde_json::to_writer(&mut writer, line).map_err(|error| within(path, error))?;
        writer.write_all(b"\n").map_err(|error| within(path, error))?;
    }
    writer.flush().map_err(|error| within(path, error))
}

fn read_lines<T: DeserializeOwned>(path: &Path) -> io::Result<Vec<T>> {
    let file = fs::File::open(path).map_err(|error| within(path, error))?;
    let mut lines = Vec::new();
    for (number, line) in (1..).zip(BufReader::new(file).lines()) {
        let line = line.map_err(|error| within(path, error))?;
        if !line.trim().is_empty() {
            let read = serde_json::from_str(&line);
            lines.push(read.map_err(|error| within(path, format_args!("line {number}: {error}")))?);
        }
    }
    Ok(lines)
}

fn within(path: &Path, problem: impl std::fmt::Display) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("{}: {problem}", path.display()))
}

/// Header values: some recorders write numbers as such.
fn texts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, String>, D::Error> {
    let values = BTreeMap::<String, Value>::deserialize(deserializer)?;
    let text = |value| match value {
        Value::String(text) => text,
        other => other.to_string(),
    };
    Ok(values.into_iter().map(|(name, value)| (name, text(value))).collect())
}

/// A result that is there and `null` is not one that is missing.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = r#"{"test": "t", "seq": 0, "driver": "D", "connection": "C", "call": 1,
        "request": {"scheme": "https", "method": "HEAD", "host": "a.example", "port": 443, "path": "/x",
            "query": null, "params": [], "headers": {"Content-Length": 0}, "body": null, "streamed": false},
        "response": {"status": 200, "reason": "OK", "headers": {"content-length": 12}, "body": {"ref": "b1"}}}"#;

    fn file(lines: &str) -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.jsonl");
        fs::write(&path, lines).unwrap();
        (folder, path)
    }

    #[test]
    fn bodies_come_from_the_file_beside() {
        let (folder, path) = file(&LINE.replace('\n', " "));
        let problem = read_exchanges(&path).unwrap_err().to_string();
        assert!(problem.contains("line 1: there is no body `b1`"), "{problem}");

        fs::write(folder.path().join("a.bodies.json"), r#"{"b1": "<x/>"}"#).unwrap();
        let exchanges = read_exchanges(&path).unwrap();
        let Some(Reply::Answer(answer)) = &exchanges[0].response else { panic!("{exchanges:?}") };
        assert_eq!(answer.body, Some(Body::Text("<x/>".into())));
        assert_eq!(answer.headers["content-length"], "12");
        assert_eq!(exchanges[0].request.headers["Content-Length"], "0");
    }

    #[test]
    fn what_is_written_is_read_again() {
        let (folder, path) = file(&LINE.replace('\n', " "));
        fs::write(folder.path().join("a.bodies.json"), r#"{"b1": "<x/>"}"#).unwrap();
        let exchanges = read_exchanges(&path).unwrap();
        let copy = folder.path().join("copy.jsonl");
        write(&copy, &exchanges).unwrap();
        assert_eq!(read_exchanges(&copy).unwrap(), exchanges);
    }

    #[test]
    fn no_result_and_null_are_told_apart() {
        let (_folder, path) = file(concat!(
            r#"{"test": "t", "n": 0, "driver": "D", "call": "new", "args": {}, "requests": [], "result": null}"#,
            "\n",
            r#"{"test": "t", "n": 1, "driver": "D", "call": "x", "args": {}, "requests": [], "raises": {"type": "ValueError", "bases": []}}"#,
            "\n\n",
            r#"{"test": "t", "n": 2, "driver": "D", "call": "x"}"#,
        ));
        let calls = read_calls(&path).unwrap();
        assert_eq!(calls[0].result, Some(Value::Null));
        assert_eq!(calls[1].raises.as_ref().unwrap().class, "ValueError");
        assert_eq!((&calls[2].result, &calls[2].raises), (&None, &None));
    }

    #[test]
    fn a_line_that_is_none_is_named() {
        let (_folder, path) = file("{}\n");
        let problem = read_calls(&path).unwrap_err().to_string();
        assert!(problem.contains("a.jsonl: line 1"), "{problem}");
    }
}
