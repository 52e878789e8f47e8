//! Methods by name: how a program, a configuration file or a recorded call reaches any method of any driver.
//!
//! `#[extensions(TABLE)]` writes a `const TABLE: &[Method<Driver>]` beside an impl block or trait; a driver
//! lists its tables in [`Extensions::tables`]; [`Dispatch`] is there for every driver without being written.

use std::any::Any;

use futures_core::future::BoxFuture;
use futures_core::stream::BoxStream;
use futures_util::TryStreamExt as _;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::text::near;
use crate::{Driver, Error, ErrorKind, Result};

/// What one argument of a method is called and takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ArgSpec {
    /// The argument's name.
    pub name: &'static str,
    /// What it takes, in words: `string`, `integer`, `node` …
    #[serde(rename = "type")]
    pub ty: &'static str,
    /// Whether the call fails without it.
    pub required: bool,
    /// What it means.
    pub doc: &'static str,
}

/// One method that can be called by name on a driver of type `D`.
pub struct Method<D: ?Sized + 'static> {
    /// The method's name, as the seed has it (`reboot_node`, `ex_release_address`).
    pub name: &'static str,
    /// Its documentation.
    pub doc: &'static str,
    /// Its arguments.
    pub args: fn() -> Vec<ArgSpec>,
    /// Decodes the arguments and makes the call.
    pub call: for<'a> fn(&'a D, Args) -> BoxFuture<'a, Result<Value>>,
}

impl<D: ?Sized> std::fmt::Debug for Method<D> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Method")
            .field("name", &self.name)
            .field("args", &(self.args)())
            .finish_non_exhaustive()
    }
}

/// What can be said of a method without calling it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MethodInfo {
    /// The method's name.
    pub name: &'static str,
    /// Its documentation.
    pub doc: &'static str,
    /// Its arguments.
    pub args: Vec<ArgSpec>,
}

impl<D: ?Sized> Method<D> {
    /// Name, documentation and arguments.
    pub fn info(&self) -> MethodInfo {
        MethodInfo { name: self.name, doc: self.doc, args: (self.args)() }
    }
}

/// The arguments of one call, taken out one by one.
#[derive(Debug)]
pub struct Args {
    map: Map<String, Value>,
    method: &'static str,
    specs: fn() -> Vec<ArgSpec>,
}

impl Args {
    /// Takes one argument out. `null` counts as not given.
    pub fn take(&mut self, name: &str) -> Option<Value> {
        self.map.remove(name).filter(|value| !value.is_null())
    }

    /// Takes out all arguments whose name begins so.
    pub fn take_prefixed(&mut self, prefix: &str) -> Map<String, Value> {
        let (taken, rest) =
            std::mem::take(&mut self.map).into_iter().partition(|(name, _)| name.starts_with(prefix));
        self.map = rest;
        taken
    }

    /// The error for an argument that is not there; one of a name that is nearly right was probably meant for it.
    fn missing(&self, name: &'static str, ty: &str) -> Error {
        let given: Vec<&str> = self.map.keys().map(String::as_str).collect();
        if let Some(mistyped) = near(name, &given) {
            return unknown_argument(self.method, mistyped, &(self.specs)());
        }
        Error::invalid_argument(format!("{} needs `{name}` ({ty})", self.method))
            .with_resource("argument", name)
    }

    /// The method that is called.
    pub fn method(&self) -> &'static str {
        self.method
    }

    /// Refuses what is left over.
    pub fn finish(self) -> Result<()> {
        let Some(unknown) = self.map.keys().next() else {
            return Ok(());
        };
        Err(unknown_argument(self.method, unknown, &(self.specs)()))
    }
}

/// The error for an argument that a method does not have; lists those that it has.
pub(crate) fn unknown_argument(method: &str, unknown: &str, specs: &[ArgSpec]) -> Error {
    let names: Vec<&str> = specs.iter().map(|spec| spec.name).collect();
    let hint = match near(unknown, &names) {
        Some(name) => format!("did you mean `{name}`? "),
        None => String::new(),
    };
    let known = if names.is_empty() { "no arguments".into() } else { format!("`{}`", names.join("`, `")) };
    Error::invalid_argument(format!("{method} has no argument `{unknown}`; {hint}it takes {known}"))
        .with_resource("argument", unknown)
}

/// What an argument of a method called by name may be.
///
/// There is no blanket over `Deserialize`: a resource says itself (with [`resource!`](crate::resource)) that
/// its id alone will do, and a builder takes its own fields out of the call.
pub trait Arg: Sized {
    /// What it takes, in words.
    const TYPE: &'static str;
    /// Whether the call fails without it.
    const REQUIRED: bool = true;

    /// Reads the value; the error is completed with the argument's name.
    fn from_json(value: Value) -> Result<Self, String>;

    /// Takes the argument out of the call.
    fn take(args: &mut Args, name: &'static str) -> Result<Self> {
        let method = args.method;
        let value = match args.take(name) {
            Some(value) => value,
            None if Self::REQUIRED => return Err(args.missing(name, Self::TYPE)),
            None => Value::Null,
        };
        Self::from_json(value).map_err(|problem| {
            Error::invalid_argument(format!("{method}: `{name}`: {problem}")).with_resource("argument", name)
        })
    }

    /// Adds what it takes to the list of a method's arguments.
    fn describe(name: &'static str, doc: &'static str, specs: &mut Vec<ArgSpec>) {
        specs.push(ArgSpec { name, ty: Self::TYPE, required: Self::REQUIRED, doc });
    }
}

/// `expected a string, found 7`, without the position that serde adds.
pub fn expected(what: &str, found: &Value) -> String {
    let found = match found {
        Value::Null => "nothing".into(),
        Value::String(_) => "a string".into(),
        Value::Array(_) => "a list".into(),
        Value::Object(_) => "a map".into(),
        number_or_bool => number_or_bool.to_string(),
    };
    format!("expected {what}, found {found}")
}

macro_rules! plain {
    ($($ty:ty = $name:literal),* $(,)?) => { $(
        impl Arg for $ty {
            const TYPE: &'static str = $name;
            fn from_json(value: Value) -> Result<Self, String> {
                Self::deserialize_from(&value).ok_or_else(|| expected($name, &value))
            }
        }
    )* };
}

/// Reads a plain value and drops serde's text, which speaks of Rust types.
trait DeserializeFrom: Sized {
    fn deserialize_from(value: &Value) -> Option<Self>;
}

impl<T: serde::de::DeserializeOwned> DeserializeFrom for T {
    fn deserialize_from(value: &Value) -> Option<Self> {
        T::deserialize(value).ok()
    }
}

plain!(
    bool = "boolean",
    u16 = "integer",
    u32 = "integer",
    u64 = "integer",
    i64 = "integer",
    f64 = "number",
    Map<String, Value> = "map",
    std::collections::BTreeMap<String, String> = "map of strings",
    std::collections::BTreeMap<String, Option<String>> = "map of strings or nulls",
    crate::Timestamp = "time",
);

impl Arg for String {
    const TYPE: &'static str = "string";

    /// A number is taken as its digits: ids are strings everywhere, and a shell does not quote.
    fn from_json(value: Value) -> Result<Self, String> {
        match value {
            Value::String(text) => Ok(text),
            Value::Number(number) => Ok(number.to_string()),
            other => Err(expected(Self::TYPE, &other)),
        }
    }
}

impl Arg for std::path::PathBuf {
    const TYPE: &'static str = "path";

    fn from_json(value: Value) -> Result<Self, String> {
        String::from_json(value).map(Into::into)
    }
}

impl Arg for std::time::Duration {
    const TYPE: &'static str = "seconds";

    fn from_json(value: Value) -> Result<Self, String> {
        value
            .as_f64()
            .and_then(|seconds| Self::try_from_secs_f64(seconds).ok())
            .ok_or_else(|| expected("a number of seconds", &value))
    }
}

impl Arg for Value {
    const TYPE: &'static str = "any";

    fn from_json(value: Value) -> Result<Self, String> {
        Ok(value)
    }
}

impl<T: Arg> Arg for Option<T> {
    const TYPE: &'static str = T::TYPE;
    const REQUIRED: bool = false;

    fn from_json(value: Value) -> Result<Self, String> {
        if value.is_null() { Ok(None) } else { T::from_json(value).map(Some) }
    }
}

impl<T: Arg> Arg for Vec<T> {
    const TYPE: &'static str = "list";

    /// One item is taken for a list of one.
    fn from_json(value: Value) -> Result<Self, String> {
        match value {
            Value::Array(items) => items.into_iter().map(T::from_json).collect(),
            item => T::from_json(item).map(|item| vec![item]),
        }
    }
}

/// `resource!(Node, "node")`: an argument of this type is the whole resource or only its id.
///
/// The type needs `from_id(String)` and `Deserialize`.
#[macro_export]
macro_rules! resource {
    ($ty:ty, $name:literal) => {
        impl $crate::dispatch::Arg for $ty {
            const TYPE: &'static str = $name;

            fn from_json(value: $crate::Value) -> ::std::result::Result<Self, ::std::string::String> {
                match value {
                    $crate::Value::String(id) => Ok(<$ty>::from_id(id)),
                    $crate::Value::Number(id) => Ok(<$ty>::from_id(id.to_string())),
                    whole @ $crate::Value::Object(_) => {
                        <$ty as $crate::serde::Deserialize>::deserialize(whole)
                            .map_err(|error| format!(concat!("this is no ", $name, ": {}"), error))
                    }
                    other => Err($crate::dispatch::expected(concat!("a ", $name, " or its id"), &other)),
                }
            }
        }
    };
}

/// What a driver author writes: one line that lists the tables of `ex_` methods. A table that is not listed is
/// dead code, and so a compiler warning.
pub trait Extensions: Any + Send + Sync {
    /// The tables that `#[extensions(TABLE)]` wrote on this driver's impl blocks.
    fn tables() -> &'static [&'static [Method<Self>]]
    where
        Self: Sized,
    {
        &[]
    }

    /// The driver that this one wraps; its extensions are this one's too.
    fn parent(&self) -> Option<&dyn Dispatch> {
        None
    }
}

/// Extensions by name, on any driver. Object-safe, and blanket over [`Extensions`].
pub trait Dispatch: Any + Send + Sync {
    /// Every extension of this driver and of those that it wraps.
    fn ex_methods(&self) -> Vec<MethodInfo>;

    /// Calls an extension; `None` if there is none of that name.
    fn call_ex<'a>(&'a self, name: &str, args: &Value) -> Option<BoxFuture<'a, Result<Value>>>;
}

impl<D: Extensions> Dispatch for D {
    fn ex_methods(&self) -> Vec<MethodInfo> {
        let mut methods: Vec<_> =
            D::tables().iter().flat_map(|table| table.iter()).map(Method::info).collect();
        let inherited = self.parent().map(Dispatch::ex_methods).unwrap_or_default();
        for method in inherited {
            if !methods.iter().any(|own| own.name == method.name) {
                methods.push(method);
            }
        }
        methods
    }

    fn call_ex<'a>(&'a self, name: &str, args: &Value) -> Option<BoxFuture<'a, Result<Value>>> {
        match D::tables().iter().flat_map(|table| table.iter()).find(|method| method.name == name) {
            Some(method) => Some(invoke(method, self, args.clone())),
            None => self.parent()?.call_ex(name, args),
        }
    }
}

fn invoke<'a, D: ?Sized>(
    method: &'static Method<D>,
    driver: &'a D,
    args: Value,
) -> BoxFuture<'a, Result<Value>> {
    match args {
        Value::Object(map) => (method.call)(driver, Args { map, method: method.name, specs: method.args }),
        Value::Null => {
            (method.call)(driver, Args { map: Map::new(), method: method.name, specs: method.args })
        }
        other => failed(Error::invalid_argument(format!(
            "{} takes its arguments as a JSON object, not {other}",
            method.name
        ))),
    }
}

/// Calls a method of a driver by name: an extension, or one of the service's own tables.
pub async fn call<D: ?Sized + Driver>(
    driver: &D,
    tables: &[&'static [Method<D>]],
    name: &str,
    args: Value,
) -> Result<Value> {
    if let Some(answer) = driver.call_ex(name, &args) {
        return answer.await;
    }
    match tables.iter().flat_map(|table| table.iter()).find(|method| method.name == name) {
        Some(method) => invoke(method, driver, args).await,
        None => Err(no_method(name, &methods(driver, tables))),
    }
}

/// Every method that [`call`] reaches: the service's own, with the extension arguments that the driver takes in them,
/// and the driver's extensions; sorted by name.
pub fn methods<D: ?Sized + Driver>(driver: &D, tables: &[&'static [Method<D>]]) -> Vec<MethodInfo> {
    let mut methods: Vec<_> = tables.iter().flat_map(|table| table.iter()).map(Method::info).collect();
    for method in &mut methods {
        method.args.extend(driver.ex_arguments(method.name));
    }
    methods.extend(driver.ex_methods());
    methods.sort_by_key(|method| method.name);
    methods
}

fn no_method(name: &str, methods: &[MethodInfo]) -> Error {
    let names: Vec<&str> = methods.iter().map(|method| method.name).collect();
    let hint = match near(name, &names) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("there are {}", names.join(", ")),
    };
    Error::new(ErrorKind::InvalidArgument, format!("this driver has no method `{name}`; {hint}"))
        .with_resource("method", name)
}

/// The result of a call as JSON.
pub fn to_json<T: Serialize>(result: T) -> Result<Value> {
    match serde_json::to_value(result) {
        // What the seed answers with True is `()` here.
        Ok(Value::Null) if size_of::<T>() == 0 => Ok(Value::Bool(true)),
        Ok(value) => Ok(value),
        Err(error) => Err(Error::malformed("result", error)),
    }
}

/// All of a listing as JSON.
pub async fn collect<T: Serialize>(items: BoxStream<'_, Result<T>>) -> Result<Value> {
    to_json(items.try_collect::<Vec<T>>().await?)
}

/// A call that has failed before it began.
pub fn failed<'a>(error: Error) -> BoxFuture<'a, Result<Value>> {
    Box::pin(std::future::ready(Err(error)))
}
