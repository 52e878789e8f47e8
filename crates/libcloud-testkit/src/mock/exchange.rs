//! One request that is expected, and its answer.

use std::fmt;

use bytes::Bytes;
use libcloud_common::{REDACTED, Value};

use super::diff::Diff;
use crate::http::{Answer, Received};
use crate::pattern::Pattern;

/// What a request must be like. Becomes an [`Exchange`] by what it is answered.
#[derive(Clone, Debug)]
#[must_use = "nothing is expected before `Mock::expect`"]
pub struct ExpectedRequest {
    method: String,
    path: Pattern,
    query: Option<Pattern>,
    headers: Vec<(String, Header)>,
    body: Body,
}

#[derive(Clone)]
enum Header {
    Is(Pattern),
    /// Compared and never shown.
    Secret(String),
    Absent,
}

impl fmt::Debug for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Is(pattern) => pattern.fmt(f),
            Self::Secret(_) => f.write_str(REDACTED),
            Self::Absent => f.write_str("absent"),
        }
    }
}

#[derive(Clone, Debug)]
enum Body {
    Text(Pattern),
    Bytes(Bytes),
    Json(Value),
    Form(Vec<(String, Pattern)>),
    Any,
}

/// One request that is expected, and its answer. Begun by [`get`](Self::get) and its like.
#[derive(Clone, Debug)]
#[must_use = "nothing is expected before `Mock::expect`"]
pub struct Exchange {
    request: ExpectedRequest,
    answer: Answer,
    left: u32,
}

impl Exchange {
    /// A request of this method to this path, which may have a query behind it; both as they are sent, encoded.
    #[expect(clippy::new_ret_no_self, reason = "an exchange is whole when its answer is said")]
    pub fn new(method: &str, target: impl Into<String>) -> ExpectedRequest {
        let target = target.into();
        let (path, query) = match target.split_once('?') {
            Some((path, query)) => (path.into(), Some(query.into())),
            None => (target.into(), None),
        };
        ExpectedRequest {
            method: method.to_owned(),
            path,
            query,
            headers: Vec::new(),
            body: Body::Text("".into()),
        }
    }

    /// A GET.
    pub fn get(target: impl Into<String>) -> ExpectedRequest {
        Self::new("GET", target)
    }

    /// A POST.
    pub fn post(target: impl Into<String>) -> ExpectedRequest {
        Self::new("POST", target)
    }

    /// A PUT.
    pub fn put(target: impl Into<String>) -> ExpectedRequest {
        Self::new("PUT", target)
    }

    /// A PATCH.
    pub fn patch(target: impl Into<String>) -> ExpectedRequest {
        Self::new("PATCH", target)
    }

    /// A DELETE.
    pub fn delete(target: impl Into<String>) -> ExpectedRequest {
        Self::new("DELETE", target)
    }

    /// A HEAD.
    pub fn head(target: impl Into<String>) -> ExpectedRequest {
        Self::new("HEAD", target)
    }

    /// Adds a header to the answer.
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.answer = self.answer.header(name, value);
        self
    }

    /// Sets the body of the answer, byte by byte.
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.answer = self.answer.body(body);
        self
    }

    /// Sets the body of the answer to a file's content: `fixtures/aws/ec2/RunInstances.xml`.
    pub fn body_file(mut self, path: impl AsRef<str>) -> Self {
        self.answer = self.answer.body_file(path.as_ref());
        self
    }

    /// Sets the body of the answer to this JSON.
    pub fn json(mut self, body: &Value) -> Self {
        self.answer = self.answer.json(body);
        self
    }

    /// Expects the request so often in a row, each time with the same answer.
    pub fn times(mut self, times: u32) -> Self {
        self.left = times;
        self
    }

    /// How the request differs; `None` where it is as expected.
    pub(super) fn difference(&self, received: &Received) -> Option<String> {
        self.request.difference(received)
    }

    pub(super) fn use_once(&mut self) -> Answer {
        self.left = self.left.saturating_sub(1);
        self.answer.clone()
    }

    pub(super) fn is_used_up(&self) -> bool {
        self.left == 0
    }

    pub(super) fn summary(&self) -> String {
        let ExpectedRequest { method, path, query, body, .. } = &self.request;
        let query = query.as_ref().map(|query| format!("?{query}")).unwrap_or_default();
        let times = if self.left > 1 { format!(" ({} times)", self.left) } else { String::new() };
        // The body tells the operations of a query API apart.
        let body = match body {
            Body::Text(text) => text.to_string(),
            Body::Form(pairs) => pairs.iter().map(|(name, value)| format!("{name}={value}&")).collect(),
            Body::Json(value) => value.to_string(),
            Body::Bytes(_) | Body::Any => String::new(),
        };
        let cut: String = body.chars().take(80).collect();
        format!("{method} {path}{query}{times} {cut}").trim_end().to_owned()
    }
}

impl ExpectedRequest {
    /// The query as it is sent, encoded, without `?`.
    pub fn query(mut self, query: impl Into<Pattern>) -> Self {
        self.query = Some(query.into());
        self
    }

    /// The path by a form instead of a text.
    pub fn path(mut self, path: impl Into<Pattern>) -> Self {
        self.path = path.into();
        self
    }

    /// A header that must be there once, with this value.
    pub fn header(mut self, name: &str, value: impl Into<Pattern>) -> Self {
        self.headers.push((name.to_ascii_lowercase(), Header::Is(value.into())));
        self
    }

    /// The same with a value that is compared and never shown.
    pub fn secret_header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_ascii_lowercase(), Header::Secret(value.into())));
        self
    }

    /// A header that must not be there.
    pub fn no_header(mut self, name: &str) -> Self {
        self.headers.push((name.to_ascii_lowercase(), Header::Absent));
        self
    }

    /// The body, as text.
    pub fn body(mut self, body: impl Into<Pattern>) -> Self {
        self.body = Body::Text(body.into());
        self
    }

    /// The body, byte by byte.
    pub fn body_bytes(mut self, body: impl Into<Bytes>) -> Self {
        self.body = Body::Bytes(body.into());
        self
    }

    /// The body as JSON, whatever the order of its fields; the content type must say that it is JSON unless the
    /// expectation names the header itself.
    pub fn body_json(mut self, body: Value) -> Self {
        self.body = Body::Json(body);
        self
    }

    /// The body as a form: these names and values in this order, decoded. The content type must say that it is a form
    /// unless the expectation names the header itself.
    pub fn form<N: Into<String>, V: Into<Pattern>>(
        mut self,
        pairs: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        self.body = Body::Form(pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect());
        self
    }

    /// Says nothing about the body: for one that another test asserts.
    pub fn any_body(mut self) -> Self {
        self.body = Body::Any;
        self
    }

    /// What is answered: a status, or an [`Answer`].
    pub fn answers(self, answer: impl Into<Answer>) -> Exchange {
        Exchange { request: self, answer: answer.into(), left: 1 }
    }

    fn difference(&self, received: &Received) -> Option<String> {
        let mut diff = Diff::default();
        diff.text("", &Pattern::from(self.method.as_str()), &received.method);
        diff.text("", &self.path, &received.path);
        self.compare_query(received, &mut diff);
        for (name, expected) in &self.headers {
            compare_header(name, expected, received, &mut diff);
        }
        self.compare_body(received, &mut diff);
        diff.finish()
    }

    fn compare_query(&self, received: &Received, diff: &mut Diff) {
        match (&self.query, &received.query) {
            (None, None) => {}
            (None, Some(query)) => diff.unexpected(&format!("?{query}")),
            (Some(pattern), None) => diff.missing(&format!("?{pattern}")),
            (Some(pattern), Some(query)) => match pattern.exact() {
                Some(exact) => diff.lines(exact == query, &parameters(exact), &parameters(query)),
                None => diff.text("?", pattern, query),
            },
        }
    }

    fn compare_body(&self, received: &Received, diff: &mut Diff) {
        let kind = received.header("content-type").unwrap_or_default();
        let names_kind = self.headers.iter().any(|(name, _)| name == "content-type");
        match &self.body {
            Body::Any => {}
            Body::Bytes(bytes) => {
                let same = bytes.iter().zip(&received.body).take_while(|(a, b)| a == b).count();
                let shown = |bytes: &[u8]| {
                    std::str::from_utf8(bytes).map_or_else(
                        |_| format!("({} bytes; they are the same up to byte {same})", bytes.len()),
                        str::to_owned,
                    )
                };
                diff.lines(bytes == &received.body, &shown(bytes), &shown(&received.body));
            }
            Body::Text(pattern) => match pattern.exact() {
                Some(exact) => diff.lines(
                    exact.as_bytes() == received.body,
                    &broken_up(exact, received),
                    &broken_up(&received.text(), received),
                ),
                None => diff.text("", pattern, &received.text()),
            },
            Body::Json(value) => {
                if !names_kind && !kind.contains("json") {
                    diff.lines(false, "content-type: (of JSON)", &format!("content-type: {kind}"));
                }
                match serde_json::from_slice::<Value>(&received.body) {
                    Ok(found) => diff.lines(&found == value, &format!("{value:#}"), &format!("{found:#}")),
                    Err(_) => diff.lines(false, &format!("{value:#}"), &received.text()),
                }
            }
            Body::Form(pairs) => {
                if !names_kind && !received.is_form() {
                    diff.lines(false, "content-type: (of a form)", &format!("content-type: {kind}"));
                }
                diff.pairs(pairs, &form_urlencoded::parse(&received.body).into_owned().collect::<Vec<_>>());
            }
        }
    }
}

fn compare_header(name: &str, expected: &Header, received: &Received, diff: &mut Diff) {
    let of_name = received.headers.iter().filter(|(known, _)| known == name);
    let values: Vec<&str> = of_name.map(|(_, value)| value.as_str()).collect();
    match (expected, values.as_slice()) {
        (Header::Absent, []) => {}
        (Header::Absent, values) => diff.unexpected(&format!("{name}: {}", values.join(", "))),
        (Header::Is(pattern), []) => diff.missing(&format!("{name}: {pattern}")),
        (Header::Is(pattern), [value]) => diff.text(&format!("{name}: "), pattern, value),
        (Header::Secret(secret), [value]) if secret == value => diff.same(&format!("{name}: {REDACTED}")),
        (Header::Secret(_), []) => diff.missing(&format!("{name}: {REDACTED}")),
        (Header::Secret(_), _) => {
            diff.missing(&format!("{name}: {REDACTED}"));
            diff.unexpected(&format!("{name}: {REDACTED} (another value)"));
        }
        (Header::Is(pattern), several) => {
            diff.missing(&format!("{name}: {pattern}"));
            for value in several {
                diff.unexpected(&format!("{name}: {value}"));
            }
        }
    }
}

/// One parameter a line.
fn parameters(query: &str) -> String {
    format!("?{}", query.replace('&', "\n&"))
}

/// A form is read one parameter a line, anything else as it is.
fn broken_up(body: &str, received: &Received) -> String {
    if received.is_form() { body.replace('&', "\n&") } else { body.to_owned() }
}
