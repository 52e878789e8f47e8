//! XML-RPC: the body of a call, and its answer as JSON.
//!
//! ```
//! use libcloud_common::xmlrpc::{self, Outcome, Value};
//!
//! let body = xmlrpc::request("domain.info", &["apikey".into(), Value::from("example.org")])?;
//! assert!(body.contains("<methodName>domain.info</methodName>"));
//!
//! let answer = "<methodResponse><params><param><value><struct><member>\
//!               <name>id</name><value><int>42</int></value>\
//!               </member></struct></value></param></params></methodResponse>";
//! let Outcome::Value(domain) = xmlrpc::parse_response(answer)? else { panic!() };
//! assert_eq!(domain["id"], 42);
//! # Ok::<(), libcloud_common::Error>(())
//! ```
//!
//! Source: [XML-RPC specification](http://xmlrpc.com/spec.md), with the common extensions `i8` and `nil`.

mod call;

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Map, Number, Value as Json};

use crate::xml::{self, Element, Quoted, Writer};
use crate::{Error, ErrorKind, Result, Secret, encode};

pub use call::check;

/// The deepest nesting of arrays and structs, in both directions.
const MAX_DEPTH: usize = 100;

/// A value to send.
///
/// `Debug` shows types, lengths and names of members, but no content: keys and passwords travel as parameters.
#[derive(Clone, PartialEq)]
pub enum Value {
    /// No value: `nil`, an extension that not every server knows.
    Nil,
    /// `boolean`
    Boolean(bool),
    /// `int`, or `i8` (an extension) if it does not fit into 32 bits.
    Integer(i64),
    /// `double`; it must be finite.
    Double(f64),
    /// `string`
    String(String),
    /// `string` that no log shows: a key, a password.
    Secret(Secret),
    /// `dateTime.iso8601`, sent as it is: usually `19980717T14:08:55`, and the time zone is whatever the server takes it for.
    DateTime(String),
    /// `base64`
    Base64(Vec<u8>),
    /// `array`
    Array(Vec<Value>),
    /// `struct`
    Struct(BTreeMap<String, Value>),
}

impl Value {
    /// A struct with these members.
    ///
    /// ```
    /// use libcloud_common::xmlrpc::Value;
    ///
    /// let domain = Value::members([("name", Value::from("example.org")), ("ttl", Value::from(300))]);
    /// assert_eq!(domain, serde_json::json!({"name": "example.org", "ttl": 300}).into());
    /// ```
    pub fn members<K: Into<String>>(members: impl IntoIterator<Item = (K, Value)>) -> Self {
        Self::Struct(members.into_iter().map(|(name, value)| (name.into(), value)).collect())
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nil => f.write_str("Nil"),
            Self::Boolean(_) => f.write_str("Boolean"),
            Self::Integer(_) => f.write_str("Integer"),
            Self::Double(_) => f.write_str("Double"),
            Self::String(text) => write!(f, "String({} bytes)", text.len()),
            Self::Secret(secret) => secret.fmt(f),
            Self::DateTime(_) => f.write_str("DateTime"),
            Self::Base64(bytes) => write!(f, "Base64({} bytes)", bytes.len()),
            Self::Array(values) => f.debug_list().entries(values).finish(),
            Self::Struct(members) => f.debug_map().entries(members).finish(),
        }
    }
}

macro_rules! from {
    ($($source:ty => $variant:ident),* $(,)?) => {
        $(impl From<$source> for Value {
            fn from(value: $source) -> Self {
                Self::$variant(value.into())
            }
        })*
    };
}

from! {
    bool => Boolean,
    i32 => Integer,
    u32 => Integer,
    i64 => Integer,
    f64 => Double,
    &str => String,
    String => String,
    Secret => Secret,
    Vec<Value> => Array,
    BTreeMap<String, Value> => Struct,
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Nil, Into::into)
    }
}

impl From<Json> for Value {
    /// `null` becomes [`Value::Nil`]; a number above `i64::MAX` becomes the nearest [`Value::Double`].
    fn from(value: Json) -> Self {
        match value {
            Json::Null => Self::Nil,
            Json::Bool(value) => Self::Boolean(value),
            Json::Number(number) => match number.as_i64() {
                Some(integer) => Self::Integer(integer),
                None => Self::Double(number.as_f64().unwrap_or(f64::NAN)),
            },
            Json::String(text) => Self::String(text),
            Json::Array(values) => Self::Array(values.into_iter().map(Into::into).collect()),
            Json::Object(members) => {
                Self::Struct(members.into_iter().map(|(name, value)| (name, value.into())).collect())
            }
        }
    }
}

/// The body of a call of `method`, with its secrets: see [`Call::xmlrpc`](crate::Call::xmlrpc) for one that can be logged.
///
/// Errors of kind [`InvalidArgument`](ErrorKind::InvalidArgument): a method name with other than letters, digits and
/// `_ . : /`, a number that is not finite, a text with a character that XML cannot hold, or nesting above 100 levels.
pub fn request(method: &str, params: &[Value]) -> Result<String> {
    document(method, params, Secret::expose)
}

/// The body of a call, with this for each secret.
fn document(method: &str, params: &[Value], show: fn(&Secret) -> &str) -> Result<String> {
    if method.is_empty() || !method.chars().all(|char| char.is_ascii_alphanumeric() || "_.:/".contains(char))
    {
        return Err(Error::invalid_argument(format!("`{method}` is no name of an XML-RPC method")));
    }
    params.iter().try_for_each(|value| validate(value, 0))?;
    let mut xml = Writer::document();
    xml.element("methodCall", |xml| {
        xml.leaf("methodName", method);
        xml.element("params", |xml| {
            for value in params {
                xml.element("param", |xml| write(xml, value, show));
            }
        });
    });
    xml.finish()
}

/// Refuses what XML-RPC cannot express.
fn validate(value: &Value, depth: usize) -> Result<()> {
    match value {
        Value::Double(number) if !number.is_finite() => {
            Err(Error::invalid_argument(format!("XML-RPC has no way to write the number {number}")))
        }
        Value::Array(_) | Value::Struct(_) if depth >= MAX_DEPTH => {
            Err(Error::invalid_argument(format!("the parameter is nested more than {MAX_DEPTH} levels deep")))
        }
        Value::Array(values) => values.iter().try_for_each(|value| validate(value, depth + 1)),
        Value::Struct(members) => members.values().try_for_each(|value| validate(value, depth + 1)),
        _ => Ok(()),
    }
}

fn write(xml: &mut Writer, value: &Value, show: fn(&Secret) -> &str) {
    xml.element("value", |xml| match value {
        Value::Nil => xml.leaf("nil", ""),
        Value::Boolean(value) => xml.leaf("boolean", if *value { "1" } else { "0" }),
        Value::Integer(value) => {
            xml.leaf(if i32::try_from(*value).is_ok() { "int" } else { "i8" }, &value.to_string());
        }
        Value::Double(value) => xml.leaf("double", &value.to_string()),
        Value::String(text) => xml.leaf("string", text),
        Value::Secret(secret) => xml.leaf("string", show(secret)),
        Value::DateTime(text) => xml.leaf("dateTime.iso8601", text),
        Value::Base64(bytes) => xml.leaf("base64", &encode::base64(bytes)),
        Value::Array(values) => xml.element("array", |xml| {
            xml.element("data", |xml| values.iter().for_each(|value| write(xml, value, show)));
        }),
        Value::Struct(members) => xml.element("struct", |xml| {
            for (name, value) in members {
                xml.element("member", |xml| {
                    xml.leaf("name", name);
                    write(xml, value, show);
                });
            }
        }),
    });
}

/// What a call came to. `Debug` does not show the value: new machines come with a password.
#[derive(Clone, PartialEq)]
pub enum Outcome {
    /// It succeeded. A method that returns nothing gives `null`.
    Value(Json),
    /// The server refused.
    Fault(Fault),
}

impl Outcome {
    /// The value, or the fault as an error. A driver that knows the provider's codes matches on the fault instead.
    pub fn into_result(self) -> Result<Json> {
        match self {
            Self::Value(value) => Ok(value),
            Self::Fault(fault) => Err(fault.into()),
        }
    }
}

impl fmt::Debug for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value(_) => f.write_str("Value(..)"),
            Self::Fault(fault) => f.debug_tuple("Fault").field(fault).finish(),
        }
    }
}

/// The server's refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// `faultCode`: a number by the specification, a name with some providers (`SoftLayer_Exception_ObjectNotFound`).
    pub code: String,
    /// `faultString`
    pub message: String,
}

impl From<Fault> for Error {
    /// An error of kind [`Provider`](ErrorKind::Provider) with code and message.
    fn from(fault: Fault) -> Self {
        let message = if fault.message.is_empty() { "the call failed".to_owned() } else { fault.message };
        Self::new(ErrorKind::Provider, message).with_code(fault.code)
    }
}

/// Reads the answer to a call.
///
/// | XML-RPC | JSON |
/// |---|---|
/// | `int`, `i4`, `i8`, `double` | number |
/// | `boolean` | `true` or `false` |
/// | `string`, and a value without type | string, white space kept |
/// | `dateTime.iso8601` | string, as the server writes it |
/// | `base64` | string of the base64 digits without white space, for [`encode::decode_base64`] |
/// | `struct`, `array` | object, array |
/// | `nil` | `null` |
///
/// Errors are of kind [`MalformedResponse`](ErrorKind::MalformedResponse) and name the place.
pub fn parse_response(text: &str) -> Result<Outcome> {
    xml::parse(text, |root| {
        if root.name() != "methodResponse" {
            return Err(root.malformed("an XML-RPC answer begins with `methodResponse`"));
        }
        if let Some(fault) = root.child("fault") {
            return fault_of(fault.need("value")?).map(Outcome::Fault);
        }
        match root.need("params")?.child("param") {
            Some(param) => read(param.need("value")?, 0).map(Outcome::Value),
            None => Ok(Outcome::Value(Json::Null)),
        }
    })
}

fn fault_of(element: Element<'_, '_>) -> Result<Fault> {
    let fault = read(element, 0)?;
    let member = |name: &str| match fault.get(name) {
        Some(Json::String(text)) => Ok(text.clone()),
        Some(Json::Number(number)) => Ok(number.to_string()),
        Some(Json::Null) => Ok(String::new()),
        Some(_) => Err(element.malformed(format_args!("`{name}` is neither text nor number"))),
        None => Err(element.malformed(format_args!("the fault has no `{name}`"))),
    };
    Ok(Fault { code: member("faultCode")?, message: member("faultString")? })
}

fn read(value: Element<'_, '_>, depth: usize) -> Result<Json> {
    let Some(typed) = value.elements().next() else {
        return Ok(Json::String(value.raw_text().into_owned()));
    };
    let text = typed.text();
    let wrong = |what: &str| typed.malformed(format_args!("{} is no {what}", Quoted(&text)));
    match typed.name() {
        "int" | "i4" | "i8" => {
            text.parse::<i64>().map(Json::from).map_err(|_| wrong("whole number of 64 bits"))
        }
        "boolean" => xml::truth(&text).map(Json::Bool).ok_or_else(|| wrong("truth value")),
        "double" => {
            let number = text.parse::<f64>().ok().and_then(Number::from_f64);
            number.map(Json::Number).ok_or_else(|| wrong("finite number"))
        }
        "string" => Ok(Json::String(typed.raw_text().into_owned())),
        "dateTime.iso8601" => Ok(Json::String(text.into_owned())),
        "base64" => match encode::decode_base64(&text) {
            Ok(_) => Ok(Json::String(text.split_ascii_whitespace().collect())),
            Err(error) => Err(typed.malformed(error)),
        },
        "nil" => Ok(Json::Null),
        "array" | "struct" if depth >= MAX_DEPTH => {
            Err(Error::malformed("/", format_args!("values are nested more than {MAX_DEPTH} levels deep")))
        }
        "array" => {
            let values = typed.need("data")?.children("value").map(|value| read(value, depth + 1));
            values.collect::<Result<Vec<_>>>().map(Json::Array)
        }
        "struct" => {
            let members = typed.children("member").map(|member| {
                let name = member.need("name")?.raw_text().into_owned();
                Ok((name, read(member.need("value")?, depth + 1)?))
            });
            members.collect::<Result<Map<_, _>>>().map(Json::Object)
        }
        other => Err(typed.malformed(format_args!("XML-RPC has no type `{other}`"))),
    }
}

#[cfg(test)]
mod tests;
