//! What a provider tells beyond the common fields of a resource.

use std::fmt;
use std::ops::Deref;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use crate::secret::REDACTED;
use crate::{Error, Result};

/// Whether a key of this name holds a secret, whoever fills it in: `password`, `session_token`, `privateKey` …
pub fn is_secret_name(name: &str) -> bool {
    const PARTS: [&str; 8] =
        ["password", "adminpass", "passphrase", "privatekey", "keymaterial", "secret", "token", "credential"];
    // Tokens that only tell where a listing goes on, or that a call is a repetition.
    const HARMLESS: [&str; 5] = ["nexttoken", "continuationtoken", "pagetoken", "clienttoken", "starttoken"];
    let name: String =
        name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    PARTS.iter().any(|part| name.contains(part)) && !HARMLESS.iter().any(|harmless| name.ends_with(harmless))
}

/// A struct that owns the keys of a driver's `extra` for one kind of resource.
///
/// Each driver documents its own (`ec2::NodeExtra` …); [`Extra::of`] writes it, [`Extra::read`] gives it back.
pub trait ExtraFields: Serialize + DeserializeOwned {
    /// Keys whose value is printed as `•••`, beside those that [`is_secret_name`] knows.
    const SECRETS: &'static [&'static str] = &[];
}

/// The provider's own attributes of a resource, under the names that Apache Libcloud gives them.
///
/// JSON shows everything, because a generated password must reach its owner; `Debug` shows `•••` for
/// secret keys. Reads as a [`serde_json::Map`].
#[derive(Clone, Default)]
pub struct Extra {
    map: Map<String, Value>,
    secrets: &'static [&'static str],
}

impl Extra {
    /// No attributes.
    pub fn new() -> Self {
        Self::default()
    }

    /// The attributes of a driver's own struct. Those that are `None` are left out.
    pub fn of<T: ExtraFields>(fields: &T) -> Result<Self> {
        match serde_json::to_value(fields) {
            Ok(Value::Object(mut map)) => {
                map.retain(|_, value| !value.is_null());
                Ok(Self { map, secrets: T::SECRETS })
            }
            Ok(other) => Err(Error::malformed("extra", format!("expected a map, found {other}"))),
            Err(error) => Err(Error::malformed("extra", error)),
        }
    }

    /// The attributes as the driver's own struct.
    pub fn read<T: ExtraFields>(&self) -> Result<T> {
        serde_path_to_error::deserialize(Value::Object(self.map.clone()))
            .map_err(|error| Error::malformed(&format!("extra.{}", error.path()), error.inner()))
    }

    /// Sets one attribute.
    pub fn insert(&mut self, key: impl Into<String>, value: impl Into<Value>) -> Option<Value> {
        self.map.insert(key.into(), value.into())
    }

    /// The same with one more attribute.
    #[must_use]
    pub fn with(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.insert(key, value);
        self
    }

    /// Removes one attribute.
    pub fn remove(&mut self, key: &str) -> Option<Value> {
        self.map.remove(key)
    }

    /// A copy in which secret values are `•••`, for people and logs.
    #[must_use]
    pub fn redacted(&self) -> Self {
        let mut map = self.map.clone();
        redact(&mut map, self.secrets);
        Self { map, secrets: self.secrets }
    }
}

/// Puts `•••` for the values of all keys that [`is_secret_name`] knows, at any depth.
pub(crate) fn redact_value(value: &mut Value) {
    match value {
        Value::Object(map) => redact(map, &[]),
        Value::Array(items) => items.iter_mut().for_each(redact_value),
        _ => {}
    }
}

/// Puts `•••` for the values of secret keys, at any depth.
fn redact(map: &mut Map<String, Value>, secrets: &[&str]) {
    for (key, value) in map {
        let secret = secrets.contains(&key.as_str()) || is_secret_name(key);
        match value {
            Value::Null => {}
            _ if secret => *value = REDACTED.into(),
            Value::Object(inner) => redact(inner, secrets),
            Value::Array(items) => {
                for item in items {
                    if let Value::Object(inner) = item {
                        redact(inner, secrets);
                    }
                }
            }
            _ => {}
        }
    }
}

impl Deref for Extra {
    type Target = Map<String, Value>;

    fn deref(&self) -> &Self::Target {
        &self.map
    }
}

impl fmt::Debug for Extra {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(&self.redacted().map).finish()
    }
}

impl PartialEq for Extra {
    fn eq(&self, other: &Self) -> bool {
        self.map == other.map
    }
}

impl From<Map<String, Value>> for Extra {
    fn from(map: Map<String, Value>) -> Self {
        Self { map, secrets: &[] }
    }
}

impl<K: Into<String>, V: Into<Value>> FromIterator<(K, V)> for Extra {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(items: I) -> Self {
        items.into_iter().map(|(key, value)| (key.into(), value.into())).collect::<Map<_, _>>().into()
    }
}

impl Serialize for Extra {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.map.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Extra {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Map::deserialize(deserializer).map(Self::from)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Fields {
        flavour: String,
        console: Option<String>,
    }

    impl ExtraFields for Fields {
        const SECRETS: &'static [&'static str] = &["console"];
    }

    #[test]
    fn debug_hides_what_json_shows() {
        let fields = Fields { flavour: "m1".into(), console: Some("canary".into()) };
        let extra = Extra::of(&fields)
            .unwrap()
            .with("password", "canary")
            .with("nested", json!([{"private_key": "canary"}]));
        assert!(!format!("{extra:?}").contains("canary"));
        assert_eq!(serde_json::to_string(&extra).unwrap().matches("canary").count(), 3);
        assert_eq!(extra.read::<Fields>().unwrap(), fields);
    }

    #[test]
    fn what_is_not_known_is_left_out() {
        let fields = Fields { flavour: "m1".into(), console: None };
        let extra = Extra::of(&fields).unwrap();
        assert_eq!(serde_json::to_string(&extra).unwrap(), r#"{"flavour":"m1"}"#);
        assert_eq!(extra.read::<Fields>().unwrap(), fields);
    }

    #[test]
    fn a_wrong_shape_names_the_key() {
        let extra = Extra::new().with("flavour", 7);
        let error = extra.read::<Fields>().unwrap_err();
        assert!(error.to_string().contains("`extra.flavour`"), "{error}");
    }
}
