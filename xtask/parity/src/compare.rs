//! Tells two requests, or two results, apart.

use std::collections::BTreeMap;
use std::fmt;

use libcloud::Timestamp;
use libcloud::common::digest;
use libcloud::common::xml::{self, Element};
use libcloud_testkit::cassette::{Body, Exchange, Request};
use libcloud_testkit::replay::Received;
use percent_encoding::percent_decode_str;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::names;

/// Where two things differ.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) enum Place {
    /// A recorded request was not sent.
    Missing,
    /// A request was sent that is not in the recording.
    Extra,
    /// GET, POST …
    Method,
    /// The host and port.
    Host,
    /// The path.
    Path,
    /// A parameter of query or form.
    Param(String),
    /// A header.
    Header(String),
    /// The body; the path within it.
    Body(String),
    /// Whether it worked, and the kind of error.
    Outcome,
    /// The result; the path within it.
    Result(String),
    /// A key of the result that is spelled another way here.
    Spelling(String),
    /// The order of a list whose items are the same.
    Order(String),
    /// An argument that the original does not need.
    Argument(String),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("request not sent"),
            Self::Extra => f.write_str("request too many"),
            Self::Method => f.write_str("method"),
            Self::Host => f.write_str("host"),
            Self::Path => f.write_str("path"),
            Self::Param(name) => write!(f, "parameter {name}"),
            Self::Header(name) => write!(f, "header {name}"),
            Self::Body(path) => write!(f, "body{path}"),
            Self::Outcome => f.write_str("outcome"),
            Self::Result(path) => write!(f, "result{path}"),
            Self::Spelling(path) => write!(f, "spelling of result{path}"),
            Self::Order(path) => write!(f, "order of result{path}"),
            Self::Argument(name) => write!(f, "argument {name}"),
        }
    }
}

/// One difference. What is not there is `None`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Difference {
    /// Where.
    pub(crate) place: Place,
    /// Which of the recorded requests it is about.
    pub(crate) request: Option<usize>,
    /// What was recorded.
    pub(crate) recorded: Option<Value>,
    /// What we have.
    pub(crate) ours: Option<Value>,
}

impl Difference {
    /// The last key of the path within a result or body.
    pub(crate) fn key(&self) -> Option<&str> {
        match &self.place {
            Place::Result(path) | Place::Body(path) => path.rsplit('.').next(),
            _ => None,
        }
    }

    /// What was recorded, if it is a text; nothing otherwise.
    pub(crate) fn recorded_text(&self) -> &str {
        self.recorded.as_ref().and_then(Value::as_str).unwrap_or_default()
    }

    /// What we have, if it is a text; nothing otherwise.
    pub(crate) fn our_text(&self) -> &str {
        self.ours.as_ref().and_then(Value::as_str).unwrap_or_default()
    }

    /// What was recorded, if it is a number.
    pub(crate) fn recorded_number(&self) -> Option<f64> {
        self.recorded.as_ref().and_then(Value::as_f64)
    }

    /// What we have, if it is a number.
    pub(crate) fn our_number(&self) -> Option<f64> {
        self.ours.as_ref().and_then(Value::as_f64)
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |value: &Option<Value>| {
            let text = value.as_ref().map_or_else(|| "nothing".to_owned(), Value::to_string);
            let cut: String = text.chars().take(160).collect();
            if cut.len() < text.len() { format!("{cut}…") } else { cut }
        };
        if let Some(number) = self.request {
            write!(f, "request {number}: ")?;
        }
        write!(f, "{}: recorded {}, ours {}", self.place, shown(&self.recorded), shown(&self.ours))
    }
}

/// Headers that belong to the connection or name the program; what they say is no part of a call.
const NOT_OF_THE_CALL: &[&str] =
    &["user-agent", "accept-encoding", "connection", "content-length", "transfer-encoding", "host", "expect"];

/// Everything in which a request differs from the recorded one.
pub(crate) fn requests(number: usize, recorded: &Exchange, received: &Received) -> Vec<Difference> {
    let request = &recorded.request;
    let mut found = Found { request: Some(number), differences: Vec::new() };
    found.compare(Place::Method, Some(request.method.clone()), Some(received.method.clone()));
    found.compare(Place::Host, host(request), received.header("host").map(str::to_lowercase));
    found.compare(Place::Path, Some(decoded(&request.path)), Some(decoded(&received.path)));
    let (their_params, their_form) = recorded_params(request);
    let (our_params, our_form) = received_params(received);
    found.params(their_params, our_params);
    found.headers(request, received);
    match (their_form, our_form) {
        (true, true) => {}
        (true, false) => found.body(None, &received.body, ""),
        (false, true) => found.body(request.body.as_ref(), b"", ""),
        (false, false) => {
            found.body(request.body.as_ref(), &received.body, received.header("content-type").unwrap_or(""));
        }
    }
    found.differences
}

/// How much speaks for the request being this one; nothing if it cannot be.
pub(crate) fn likeness(received: &Received, exchange: &Exchange) -> Option<usize> {
    let (theirs, _) = recorded_params(&exchange.request);
    let (ours, _) = received_params(received);
    let get = |params: &[(String, String)], name: &str| {
        params.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone())
    };
    let mut score = 0;
    let mut by_operation = false;
    for operation in ["Action", "command", "api_action", "method"] {
        match (get(&theirs, operation), get(&ours, operation)) {
            (Some(their), Some(our)) if their == our => by_operation = true,
            (Some(_), Some(_)) => return None,
            _ => {}
        }
    }
    let recorded_body = exchange.request.body.as_ref().and_then(Body::bytes).unwrap_or_default();
    let method = |body: &[u8]| {
        let called = xml_rpc(&String::from_utf8_lossy(body))?;
        called.get("method").cloned()
    };
    if method(&recorded_body) != method(&received.body) {
        return None;
    }
    // A part of an upload is not the whole of one.
    if get(&theirs, "uploadId").is_some() != get(&ours, "uploadId").is_some() {
        return None;
    }
    let trimmed = |path: &str| unversioned(decoded(path).trim_end_matches('/')).to_owned();
    let same_path = trimmed(&exchange.request.path) == trimmed(&received.path);
    if !same_path && !by_operation {
        return None;
    }
    if exchange.request.method == received.method {
        score += 100;
    } else if !by_operation {
        return None;
    }
    score += usize::from(same_path) * 50;
    Some(score + ours.iter().filter(|param| theirs.contains(param)).count())
}

/// The path below a version that is a date, which Amazon's have.
fn unversioned(path: &str) -> &str {
    let is_date = |version: &str| {
        version.len() == 10 && version.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-')
    };
    match path.strip_prefix('/').map(|rest| rest.split_at_checked(10).unwrap_or((rest, ""))) {
        Some((version, below)) if is_date(version) => below,
        _ => path,
    }
}

struct Found {
    request: Option<usize>,
    differences: Vec<Difference>,
}

impl Found {
    fn add(&mut self, place: Place, recorded: Option<Value>, ours: Option<Value>) {
        self.differences.push(Difference { place, request: self.request, recorded, ours });
    }

    fn compare(&mut self, place: Place, recorded: Option<String>, ours: Option<String>) {
        if recorded != ours {
            self.add(place, recorded.map(Value::String), ours.map(Value::String));
        }
    }

    /// As sets: the order of parameters means nothing, how often one is there does.
    fn params(&mut self, theirs: Vec<(String, String)>, ours: Vec<(String, String)>) {
        let mut names: BTreeMap<String, (Vec<String>, Vec<String>)> = BTreeMap::new();
        for (name, value) in theirs {
            names.entry(name).or_default().0.push(value);
        }
        for (name, value) in ours {
            names.entry(name).or_default().1.push(value);
        }
        for (name, (mut theirs, mut ours)) in names {
            theirs.sort_unstable();
            ours.sort_unstable();
            if theirs != ours {
                let joined = |values: Vec<String>| (!values.is_empty()).then(|| values.join(", "));
                self.compare(Place::Param(name), joined(theirs), joined(ours));
            }
        }
    }

    fn headers(&mut self, request: &Request, received: &Received) {
        let theirs: BTreeMap<String, String> = request
            .headers
            .iter()
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let ours: BTreeMap<String, String> = received
            .headers
            .iter()
            .map(|(name, value)| {
                (name.to_string(), String::from_utf8_lossy(value.as_bytes()).trim().to_owned())
            })
            .collect();
        for (name, value) in &theirs {
            if NOT_OF_THE_CALL.contains(&name.as_str()) || name == "accept" && value == "*/*" {
                continue;
            }
            if name == "content-type" && same_media_type(value, ours.get(name)) {
                continue;
            }
            self.compare(Place::Header(name.clone()), Some(value.clone()), ours.get(name).cloned());
        }
        for (name, value) in ours {
            let is_form = name == "content-type" && is_form_type(&value);
            if !NOT_OF_THE_CALL.contains(&name.as_str()) && !theirs.contains_key(&name) && !is_form {
                self.compare(Place::Header(name), None, Some(value));
            }
        }
    }

    fn body(&mut self, recorded: Option<&Body>, ours: &[u8], content_type: &str) {
        let our_text = String::from_utf8_lossy(ours).into_owned();
        let theirs = match recorded {
            None => String::new(),
            Some(Body::Text(text)) if text == "<stream>" => return,
            Some(Body::Text(text)) => text.clone(),
            Some(Body::Digest { length, md5, .. }) => {
                if *length != ours.len() as u64 || *md5 != digest::md5_hex(ours) {
                    let told = format!("{} bytes, md5 {}", ours.len(), digest::md5_hex(ours));
                    self.compare(
                        Place::Body(String::new()),
                        Some(format!("{length} bytes, md5 {md5}")),
                        Some(told),
                    );
                }
                return;
            }
            Some(body) => match body.bytes() {
                Some(bytes) if bytes == ours => return,
                Some(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
                None => return,
            },
        };
        if theirs == our_text {
            return;
        }
        if let (Ok(theirs), Ok(ours)) = (serde_json::from_str(&theirs), serde_json::from_str(&our_text)) {
            self.json(&theirs, &ours, "");
            return;
        }
        if let (Some(their_call), Some(our_call)) = (xml_rpc(&theirs), xml_rpc(&our_text)) {
            self.json(&their_call, &our_call, "");
            return;
        }
        let is_xml = content_type.contains("xml") || theirs.trim_start().starts_with('<');
        if let (true, Some(their_tree), Some(our_tree)) = (is_xml, xml(&theirs), xml(&our_text)) {
            self.json(&their_tree, &our_tree, "");
            return;
        }
        self.compare(
            Place::Body(String::new()),
            (!theirs.is_empty()).then_some(theirs),
            (!our_text.is_empty()).then_some(our_text),
        );
    }

    fn result(&mut self, recorded: &Value, ours: &Value, path: &str, around: Option<&Map<String, Value>>) {
        match (recorded, ours) {
            (Value::Object(their_map), Value::Object(our_map)) => {
                for (key, their) in their_map.iter().filter(|(key, _)| !key.starts_with('_')) {
                    let within = format!("{path}.{key}");
                    if let Some(our) = lookup(our_map, around, key) {
                        self.result(their, our, &within, (key == "extra").then_some(our_map));
                    } else if let Some((spelled, our)) = respelled(our_map, key) {
                        self.add(
                            Place::Spelling(within.clone()),
                            Some(key.as_str().into()),
                            Some(spelled.as_str().into()),
                        );
                        self.result(their, our, &within, None);
                    } else {
                        self.add(Place::Result(within), Some(their.clone()), None);
                    }
                }
            }
            (Value::Array(their_items), Value::Array(our_items)) => {
                let told: Vec<Value> = their_items.iter().filter(|item| !item.is_null()).cloned().collect();
                if told.len() != our_items.len() {
                    let path = Place::Result(format!("{path}.length"));
                    self.add(path, Some(their_items.len().into()), Some(our_items.len().into()));
                    return;
                }
                if told.len() != their_items.len() {
                    self.add(Place::Result(format!("{path}[]")), Some(Value::Null), None);
                }
                let in_order = match reordered(&told, our_items) {
                    Some(items) => {
                        let names = |items: &[Value]| items.iter().filter_map(identity).cloned().collect();
                        self.add(Place::Order(path.to_owned()), Some(names(&told)), Some(names(our_items)));
                        items
                    }
                    None => our_items.iter().collect(),
                };
                for (index, (their, our)) in told.iter().zip(in_order).enumerate() {
                    self.result(their, our, &format!("{path}[{index}]"), None);
                }
            }
            (theirs, ours) if theirs == ours || same_number(theirs, ours) => {}
            // A time is a time however it is written.
            (theirs, Value::String(our)) if same_time(time_text(theirs), our) => {}
            (theirs, ours) => {
                self.add(Place::Result(path.to_owned()), Some(theirs.clone()), Some(ours.clone()));
            }
        }
    }

    /// In a body both sides count: one key too many is a difference.
    fn json(&mut self, theirs: &Value, ours: &Value, path: &str) {
        match (theirs, ours) {
            (Value::Object(their_map), Value::Object(our_map)) => {
                for (key, their) in their_map {
                    match our_map.get(key) {
                        Some(our) => self.json(their, our, &format!("{path}.{key}")),
                        None => self.add(Place::Body(format!("{path}.{key}")), Some(their.clone()), None),
                    }
                }
                for (key, our) in our_map.iter().filter(|(key, _)| !their_map.contains_key(*key)) {
                    self.add(Place::Body(format!("{path}.{key}")), None, Some(our.clone()));
                }
            }
            (Value::Array(their_items), Value::Array(our_items)) if their_items.len() == our_items.len() => {
                for (index, (their, our)) in their_items.iter().zip(our_items).enumerate() {
                    self.json(their, our, &format!("{path}[{index}]"));
                }
            }
            (theirs, ours) if theirs == ours => {}
            (theirs, ours) => {
                self.add(Place::Body(path.to_owned()), Some(theirs.clone()), Some(ours.clone()));
            }
        }
    }
}

/// Everything in which our result falls short of the recorded one. What ours has besides is no difference: later
/// attributes, keys of `extra` that the original does not read.
pub(crate) fn results(recorded: &Value, ours: &Value) -> Vec<Difference> {
    let mut found = Found { request: None, differences: Vec::new() };
    found.result(recorded, ours, "", None);
    found.differences
}

/// A list of which only the number of items is known.
pub(crate) fn length(recorded: &Value, ours: usize) -> Vec<Difference> {
    let ours = Value::from(ours);
    let mut found = Found { request: None, differences: Vec::new() };
    if *recorded != ours {
        found.add(Place::Result(".length".into()), Some(recorded.clone()), Some(ours));
    }
    found.differences
}

/// The value of a key; where it is not among the keys, that of the same name among those of the map around it (times and
/// types of objects are fields here, keys of `extra` there) or of the map `extra` within it.
fn lookup<'a>(
    map: &'a Map<String, Value>,
    around: Option<&'a Map<String, Value>>,
    key: &str,
) -> Option<&'a Value> {
    let within = map.get("extra").and_then(Value::as_object);
    map.get(key).or_else(|| around?.get(key)).or_else(|| within?.get(key))
}

/// A key that is the same but for case, underscores and hyphens.
fn respelled<'a>(map: &'a Map<String, Value>, key: &str) -> Option<(&'a String, &'a Value)> {
    // Some keys of the original's have a stray colon.
    let letters = |key: &str| key.replace(['_', '-', ':'], "").to_ascii_lowercase();
    let wanted = letters(names::earlier_key(key));
    map.iter().find(|(ours, _)| letters(ours) == wanted)
}

/// What tells the items of a list apart.
fn identity(item: &Value) -> Option<&Value> {
    item.get("id").or_else(|| item.get("name")).filter(|id| !id.is_null())
}

/// Our items in the order of theirs, if they are the same items in another order.
fn reordered<'a>(theirs: &[Value], ours: &'a [Value]) -> Option<Vec<&'a Value>> {
    let names: Vec<&Value> = theirs.iter().map(identity).collect::<Option<_>>()?;
    let ours_names: Vec<&Value> = ours.iter().map(identity).collect::<Option<_>>()?;
    if names == ours_names {
        return None;
    }
    names.iter().map(|name| ours.iter().find(|item| identity(item) == Some(*name))).collect()
}

fn same_number(theirs: &Value, ours: &Value) -> bool {
    matches!((theirs.as_f64(), ours.as_f64()), (Some(their), Some(our)) if (their - our).abs() < f64::EPSILON)
}

/// The text of a recorded time: `{"_type": "datetime", "iso": …}`.
fn time_text(value: &Value) -> Option<&str> {
    (value.get("_type")?.as_str()? == "datetime").then(|| value.get("iso")?.as_str()).flatten()
}

/// Whether both are the same moment.
pub(crate) fn same_time(theirs: Option<&str>, ours: &str) -> bool {
    let parse = |text: &str| text.parse::<Timestamp>().ok();
    theirs.and_then(parse).is_some_and(|time| parse(ours) == Some(time))
}

fn host(request: &Request) -> Option<String> {
    let host = request.host.as_ref()?.to_lowercase();
    let usual = if request.scheme.as_deref() == Some("http") { 80 } else { 443 };
    Some(match request.port {
        Some(port) if port != usual => format!("{host}:{port}"),
        _ => host,
    })
}

fn decoded(path: &str) -> String {
    percent_decode_str(path).decode_utf8_lossy().into_owned()
}

fn parse_params(text: &str) -> impl Iterator<Item = (String, String)> {
    form_urlencoded::parse(text.as_bytes()).map(|(name, value)| (name.into_owned(), value.into_owned()))
}

fn is_form_type(content_type: &str) -> bool {
    content_type.to_ascii_lowercase().starts_with("application/x-www-form-urlencoded")
}

/// The same type and subtype: `text/xml; charset=UTF-8` is `text/xml`.
fn same_media_type(theirs: &str, ours: Option<&String>) -> bool {
    let essence = |text: &str| text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    ours.is_some_and(|ours| essence(ours) == essence(theirs))
}

/// Query and form of a recorded request, and whether it had a form.
pub(crate) fn recorded_params(request: &Request) -> (Vec<(String, String)>, bool) {
    let mut params: Vec<_> = parse_params(request.query.as_deref().unwrap_or_default()).collect();
    let content_type = request.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    if let (Some(Body::Text(body)), Some((_, content_type))) = (&request.body, content_type)
        && is_form_type(content_type)
        && !body.trim_start().starts_with(['{', '[', '<'])
    {
        params.extend(parse_params(body));
        return (params, true);
    }
    (params, false)
}

/// Query and form of our request, and whether it had a form.
pub(crate) fn received_params(received: &Received) -> (Vec<(String, String)>, bool) {
    let mut params: Vec<_> = parse_params(received.query.as_deref().unwrap_or_default()).collect();
    if received.header("content-type").is_some_and(is_form_type) {
        params.extend(parse_params(&String::from_utf8_lossy(&received.body)));
        return (params, true);
    }
    (params, false)
}

/// A call of an XML-RPC method as JSON: the order of a struct's members does not count, nor how a number is written.
fn xml_rpc(text: &str) -> Option<Value> {
    fn value(element: Element<'_, '_>) -> Option<Value> {
        let Some(typed) = element.elements().next() else {
            return Some(element.raw_text().into());
        };
        let text = typed.raw_text();
        Some(match typed.name() {
            "int" | "i4" | "i8" => text.trim().parse::<i64>().ok()?.into(),
            "double" => text.trim().parse::<f64>().ok()?.into(),
            "boolean" => (text.trim() == "1").into(),
            "nil" => Value::Null,
            "array" => {
                let values = typed.child("data")?.children("value");
                values.map(value).collect::<Option<Vec<_>>>()?.into()
            }
            "struct" => {
                let members = typed.children("member").map(|member| {
                    Some((member.child("name")?.raw_text().into_owned(), value(member.child("value")?)?))
                });
                members.collect::<Option<Map<String, Value>>>()?.into()
            }
            _ => text.into(),
        })
    }
    if !text.contains("<methodCall") {
        return None;
    }
    let read = |root: Element<'_, '_>| {
        let method = root.opt_text("methodName")?;
        let values = root.items("params", "param").map(|param| value(param.child("value")?));
        Some(serde_json::json!({"method": method, "params": values.collect::<Option<Vec<_>>>()?}))
    };
    xml::parse(text, |root| Ok(read(root))).ok()?
}

/// An element as JSON: local name, attributes, text, children in order. Declarations and white space do not count.
fn xml(text: &str) -> Option<Value> {
    fn value(element: Element<'_, '_>) -> Value {
        let attributes: Map<String, Value> =
            element.attributes().map(|(name, value)| (name.to_owned(), value.into())).collect();
        let children: Vec<Value> = element.elements().map(value).collect();
        let text = element.raw_text();
        let mut map = Map::new();
        map.insert("name".into(), element.name().into());
        if !attributes.is_empty() {
            map.insert("attributes".into(), attributes.into());
        }
        if !text.trim().is_empty() {
            map.insert("text".into(), text.trim().into());
        }
        if !children.is_empty() {
            map.insert("children".into(), children.into());
        }
        map.into()
    }
    xml::parse(text, |root| Ok(value(root))).ok()
}
