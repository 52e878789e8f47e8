//! Optional and provider-specific arguments: one way from typed calls, `dyn` calls, files and the program.

use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::dispatch::{Arg, ArgSpec, Args, unknown_argument};
use crate::{Error, Result};

/// A struct of named arguments: a driver's options, or its extension arguments of one method.
///
/// Written by `#[arguments]`, which also derives `Serialize` and a `Deserialize` that fills in defaults.
pub trait Arguments: Serialize + DeserializeOwned + Default {
    /// What each field is called, takes and means.
    const FIELDS: &'static [ArgSpec];
    /// Names of the past and what they are called now; they work, with a warning.
    const RENAMED: &'static [(&'static str, &'static str)] = &[];
    /// The drivers that take this struct, the one that it belongs to first. Empty: any.
    const DRIVERS: &'static [&'static str] = &[];
}

/// Reads named arguments: refuses unknown ones with the list of the known, says which one is wrong and why.
pub fn decode<T: Arguments>(what: &str, mut map: Map<String, Value>) -> Result<T> {
    for (old, new) in T::RENAMED {
        if let Some(value) = map.remove(*old) {
            tracing::warn!(argument = old, "`{old}` is now called `{new}`");
            if map.insert((*new).to_owned(), value).is_some() {
                return Err(Error::invalid_argument(format!(
                    "{what}: `{old}` is the old name of `{new}`; give one of them"
                )));
            }
        }
    }
    if let Some(unknown) = map.keys().find(|key| !T::FIELDS.iter().any(|field| field.name == *key)) {
        return Err(unknown_argument(what, unknown, T::FIELDS));
    }
    map.retain(|_, value| !value.is_null());
    serde_path_to_error::deserialize(Value::Object(map)).map_err(|error| {
        let path = error.path().to_string();
        let field = path.split(['.', '[']).next().unwrap_or_default();
        let expected = T::FIELDS.iter().find(|spec| spec.name == field).map_or("", |spec| spec.ty);
        Error::invalid_argument(format!("{what}: `{path}` ({expected}): {}", error.inner()))
            .with_resource("argument", path)
    })
}

/// Arguments that only one provider knows (`ex_…`), on their way to its driver.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ex {
    map: Map<String, Value>,
    /// Where the arguments came from, and the first problem of writing them as JSON.
    origin: Option<&'static str>,
    problem: Option<String>,
}

impl Ex {
    /// Arguments by name, for whichever driver gets them.
    pub fn from_map(map: Map<String, Value>) -> Self {
        Self { map, origin: None, problem: None }
    }

    /// The typed arguments of one driver.
    pub fn typed<T: Arguments>(arguments: &T) -> Self {
        let (map, problem) = match serde_json::to_value(arguments) {
            Ok(Value::Object(map)) => (map, None),
            Ok(other) => (Map::new(), Some(format!("expected a struct, found {other}"))),
            Err(error) => (Map::new(), Some(error.to_string())),
        };
        Self { map, origin: T::DRIVERS.first().copied(), problem }
    }

    /// Sets one argument by name.
    pub fn insert(&mut self, name: impl Into<String>, value: impl Into<Value>) {
        self.map.insert(name.into(), value.into());
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.map.is_empty() && self.problem.is_none()
    }

    /// The arguments as the driver's own struct.
    ///
    /// # Errors
    /// `InvalidArgument` for an unknown argument (the message lists the known ones), a value of the wrong type,
    /// or typed arguments that belong to another driver.
    pub fn decode<T: Arguments>(self, method: &str) -> Result<T> {
        if let Some(problem) = self.problem {
            return Err(Error::invalid_argument(format!("{method}: extension arguments: {problem}")));
        }
        if let Some(origin) = self.origin
            && !T::DRIVERS.is_empty()
            && !T::DRIVERS.contains(&origin)
        {
            return Err(Error::invalid_argument(format!(
                "{method}: these extension arguments are for the driver `{origin}`, this is `{}`",
                T::DRIVERS.first().unwrap_or(&"another")
            )));
        }
        decode(method, self.map)
    }

    /// For a method without extension arguments: refuses any.
    pub fn none(self, method: &str) -> Result<()> {
        self.decode::<NoArguments>(method).map(|_| ())
    }
}

/// No arguments at all.
#[derive(Clone, Copy, Debug, Default, Serialize, serde::Deserialize)]
pub struct NoArguments {}

impl Arguments for NoArguments {
    const FIELDS: &'static [ArgSpec] = &[];
}

/// Options of a call that the base API gives no arguments of its own: extension arguments and a time limit.
///
/// ```
/// use libcloud_common::Options;
/// use std::time::Duration;
///
/// let options = Options::new().timeout(Duration::from_secs(10)).ex_arg("ex_force", true);
/// assert!(!options.ex.is_empty());
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Options {
    /// Extension arguments.
    pub ex: Ex,
    /// The longest that the whole call may take.
    pub timeout: Option<Duration>,
}

impl Options {
    /// None.
    pub fn new() -> Self {
        Self::default()
    }

    /// Limits the time of the whole call.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// The extension arguments of one driver, typed.
    pub fn ex<T: Arguments>(mut self, arguments: &T) -> Self {
        self.ex = Ex::typed(arguments);
        self
    }

    /// One extension argument by name.
    pub fn ex_arg(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.ex.insert(name, value);
        self
    }

    /// Refuses extension arguments, for a method that has none, and gives the time limit back.
    pub fn plain(self, method: &str) -> Result<Option<Duration>> {
        self.ex.none(method)?;
        Ok(self.timeout)
    }
}

impl Arg for Options {
    const TYPE: &'static str = "extension arguments";
    const REQUIRED: bool = false;

    fn from_json(_: Value) -> Result<Self, String> {
        Ok(Self::default())
    }

    fn take(args: &mut Args, _: &'static str) -> Result<Self> {
        Ok(Self { timeout: Arg::take(args, "timeout")?, ex: Ex::from_map(args.take_prefixed("ex_")) })
    }

    fn describe(_: &'static str, _: &'static str, _: &mut Vec<ArgSpec>) {}
}

/// Gives an options struct with the fields `ex` and `timeout` the builder methods for them.
#[macro_export]
macro_rules! call_options {
    ($ty:ty) => {
        impl $ty {
            /// Limits the time of the whole call.
            pub fn timeout(mut self, timeout: ::std::time::Duration) -> Self {
                self.timeout = Some(timeout);
                self
            }

            /// The extension arguments of one driver, typed.
            pub fn ex<T: $crate::Arguments>(mut self, arguments: &T) -> Self {
                self.ex = $crate::Ex::typed(arguments);
                self
            }

            /// One extension argument by name.
            pub fn ex_arg(
                mut self,
                name: impl Into<::std::string::String>,
                value: impl Into<$crate::Value>,
            ) -> Self {
                self.ex.insert(name, value);
                self
            }
        }
    };
}

/// How an options struct with the fields `ex` and `timeout` is taken out of a call by name: each field named
/// here as an argument of its own, every `ex_…` argument as an extension argument.
#[macro_export]
macro_rules! options_arg {
    ($ty:ident, $name:literal { $($field:ident : $field_ty:ty = $doc:literal),* $(,)? }) => {
        impl $crate::dispatch::Arg for $ty {
            const TYPE: &'static str = $name;
            const REQUIRED: bool = false;

            fn from_json(_: $crate::Value) -> ::std::result::Result<Self, ::std::string::String> {
                Err(concat!("the arguments of ", $name, " are given one by one").to_owned())
            }

            fn take(args: &mut $crate::dispatch::Args, _: &'static str) -> $crate::Result<Self> {
                Ok(Self {
                    $($field: <$field_ty as $crate::dispatch::Arg>::take(args, $crate::argument_name!($field))?.into(),)*
                    timeout: $crate::dispatch::Arg::take(args, "timeout")?,
                    ex: $crate::Ex::from_map(args.take_prefixed("ex_")),
                })
            }

            fn describe(_: &'static str, _: &'static str, specs: &mut ::std::vec::Vec<$crate::dispatch::ArgSpec>) {
                $(<$field_ty as $crate::dispatch::Arg>::describe($crate::argument_name!($field), $doc, specs);)*
            }
        }
    };
}

/// The name of an argument: `type_` is `type` outside Rust.
#[doc(hidden)]
#[macro_export]
macro_rules! argument_name {
    (type_) => {
        "type"
    };
    ($field:ident) => {
        stringify!($field)
    };
}
