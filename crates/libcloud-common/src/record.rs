//! Recordings: each request and its answer as one line of JSON, without secrets, for `cargo xtask fixtures`.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use http::HeaderMap;
use serde_json::{Map, Value, json};

use crate::auth::Target;
use crate::debug_log::{LogFile, printable, without_secrets};
use crate::redact::Known;
use crate::request::{Body, Request};
use crate::{Response, Result, encode};

/// A file that exchanges are added to, in the format of the project's recordings. Clones write to the same file.
#[derive(Clone, Debug)]
pub struct Recorder(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    file: LogFile,
    exchanges: AtomicU64,
}

impl Recorder {
    /// A recording in this file, which is added to.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(Arc::new(Inner { file: LogFile::new(path.into()), exchanges: AtomicU64::new(0) }))
    }

    /// Writes an exchange; without an answer none was read, or it was a stream.
    pub(crate) fn exchange(
        &self,
        provider: &str,
        request: &Value,
        response: Option<&Response>,
        hide: impl Fn(&str) -> String,
    ) -> Result<()> {
        let response = response.map(|response| {
            json!({
                "status": response.status.as_u16(),
                "reason": response.status.canonical_reason(),
                "headers": headers(&response.headers),
                "body": body(&response.body, &hide),
            })
        });
        let line = json!({
            "test": "recorded",
            "seq": self.0.exchanges.fetch_add(1, Ordering::Relaxed),
            "driver": provider,
            "request": request,
            "response": response,
        });
        self.0.file.write(&format!("{line}\n"))
    }
}

impl PartialEq for Recorder {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// The request of an attempt, before its body is given away.
pub(crate) fn request(request: &Request, target: Target<'_>, defaults: &HeaderMap, known: &Known) -> Value {
    let mut all = defaults.clone();
    all.extend(request.headers.clone());
    let hide = |text: &str| known.hide(Some(request), text).into_owned();
    let (path, query) = match request.printable_target().split_once('?') {
        Some((_, query)) => (target.path(request), Some(query.to_owned())),
        None => (target.path(request), None),
    };
    json!({
        "scheme": target.base.scheme(),
        "method": request.method.as_str(),
        "host": target.base.host_str(),
        "port": target.base.port_or_known_default(),
        "path": path,
        "query": query,
        "headers": headers(&all),
        "body": match &request.body {
            Body::Form(params) => {
                let pairs = params.iter().map(|param| (&*param.name, param.printable()));
                Some(Value::from(encode::form(pairs)))
            }
            Body::Sealed(sealed) => body(&sealed.shown, &hide),
            other => other.to_bytes().and_then(|bytes| body(&bytes, &hide)),
        },
        "streamed": request.body.is_streamed(),
    })
}

fn headers(headers: &HeaderMap) -> Map<String, Value> {
    headers.iter().map(|(name, value)| (name.to_string(), printable(name, value).into())).collect()
}

/// Text without secrets; what is no text, which none of them reads, as it is.
fn body(bytes: &[u8], hide: &impl Fn(&str) -> String) -> Option<Value> {
    if bytes.is_empty() {
        return None;
    }
    Some(match std::str::from_utf8(bytes) {
        Ok(text) => hide(&without_secrets(text)).into(),
        Err(_) => json!({ "base64": encode::base64(bytes) }),
    })
}
