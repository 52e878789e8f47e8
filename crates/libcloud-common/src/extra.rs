//! What a provider tells beyond the common fields of a resource.

use std::any::Any;
use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, LazyLock, OnceLock};

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
/// Each driver documents its own (`ec2::NodeExtra` …); [`Extra::of`] keeps it, [`Extra::read`] gives it back.
///
/// It serializes as a map with texts for keys, as every struct of fields does. Of one that does not, `extra` has the single key
/// `_error`, which says why: a listing shows it, and goes on.
pub trait ExtraFields: Clone + Serialize + DeserializeOwned + Send + Sync + 'static {
    /// Keys whose value is printed as `•••`, beside those that [`is_secret_name`] knows.
    const SECRETS: &'static [&'static str] = &[];
}

/// The provider's own attributes of a resource, under the names that Apache Libcloud gives them.
///
/// JSON shows everything, because a generated password must reach its owner; `Debug` shows `•••` for
/// secret keys. Reads as a [`serde_json::Map`].
///
/// Listings make one for every item, and most are never looked at: it keeps the driver's struct as it is, and becomes a map
/// when somebody reads it as one. Clones share both. It is two words, since resources are moved around.
#[derive(Clone, Default)]
pub struct Extra(Option<Arc<Kept<dyn Fields>>>);

/// A driver's struct, and the map that is made of it when it is first read as one.
struct Kept<F: ?Sized> {
    map: OnceLock<Map<String, Value>>,
    secrets: &'static [&'static str],
    fields: F,
}

/// A struct of which only this is known, or `()` where there is only a map.
trait Fields: Any + Send + Sync {
    fn to_map(&self) -> Map<String, Value>;
}

impl<T: Serialize + Any + Send + Sync> Fields for T {
    fn to_map(&self) -> Map<String, Value> {
        let problem = match serde_json::to_value(self) {
            Ok(Value::Object(mut map)) => {
                map.retain(|_, value| !value.is_null());
                return map;
            }
            Ok(_) => "the attributes are no map".to_owned(),
            Err(error) => error.to_string(),
        };
        Map::from_iter([("_error".to_owned(), problem.into())])
    }
}

impl Extra {
    /// No attributes.
    pub fn new() -> Self {
        Self::default()
    }

    /// The attributes of a driver's own struct. Those that are `None` are left out.
    pub fn of<T: ExtraFields>(fields: T) -> Self {
        Self(Some(Arc::new(Kept { map: OnceLock::new(), secrets: T::SECRETS, fields })))
    }

    /// The attributes as the driver's own struct.
    pub fn read<T: ExtraFields>(&self) -> Result<T> {
        let kept = self.0.as_ref().and_then(|kept| (&kept.fields as &dyn Any).downcast_ref::<T>());
        if let Some(fields) = kept {
            return Ok(fields.clone());
        }
        serde_path_to_error::deserialize(Value::Object((**self).clone()))
            .map_err(|error| Error::malformed(&format!("extra.{}", error.path()), error.inner()))
    }

    /// Sets one attribute.
    pub fn insert(&mut self, key: impl Into<String>, value: impl Into<Value>) -> Option<Value> {
        self.change(|map| map.insert(key.into(), value.into()))
    }

    /// The same with one more attribute.
    #[must_use]
    pub fn with(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.insert(key, value);
        self
    }

    /// Removes one attribute.
    pub fn remove(&mut self, key: &str) -> Option<Value> {
        self.change(|map| map.remove(key))
    }

    /// A copy in which secret values are `•••`, for people and logs.
    #[must_use]
    pub fn redacted(&self) -> Self {
        let (mut map, secrets) = ((**self).clone(), self.secrets());
        redact(&mut map, secrets);
        Self::of_map(map, secrets)
    }

    fn of_map(map: Map<String, Value>, secrets: &'static [&'static str]) -> Self {
        if map.is_empty() && secrets.is_empty() {
            return Self::new();
        }
        Self(Some(Arc::new(Kept { map: map.into(), secrets, fields: () })))
    }

    fn secrets(&self) -> &'static [&'static str] {
        self.0.as_ref().map_or(&[], |kept| kept.secrets)
    }

    /// Changes the map, without the struct that it was made of: that would still say what was before.
    fn change<T>(&mut self, change: impl FnOnce(&mut Map<String, Value>) -> T) -> T {
        let secrets = self.secrets();
        let mut map = match self.0.as_mut().and_then(Arc::get_mut) {
            Some(kept) => kept.map.take().unwrap_or_else(|| kept.fields.to_map()),
            None => (**self).clone(),
        };
        let changed = change(&mut map);
        *self = Self::of_map(map, secrets);
        changed
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
        static EMPTY: LazyLock<Map<String, Value>> = LazyLock::new(Map::new);
        match &self.0 {
            Some(kept) => kept.map.get_or_init(|| kept.fields.to_map()),
            None => &EMPTY,
        }
    }
}

impl fmt::Debug for Extra {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(&*self.redacted()).finish()
    }
}

impl PartialEq for Extra {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl From<Map<String, Value>> for Extra {
    fn from(map: Map<String, Value>) -> Self {
        Self::of_map(map, &[])
    }
}

impl<K: Into<String>, V: Into<Value>> FromIterator<(K, V)> for Extra {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(items: I) -> Self {
        items.into_iter().map(|(key, value)| (key.into(), value.into())).collect::<Map<_, _>>().into()
    }
}

impl Serialize for Extra {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (**self).serialize(serializer)
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

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Server {
        flavour: String,
        console: Option<String>,
    }

    impl ExtraFields for Server {
        const SECRETS: &'static [&'static str] = &["console"];
    }

    /// The same keys, but not the same struct.
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    #[serde(transparent)]
    struct Other(Server);

    impl ExtraFields for Other {}

    fn server(console: Option<&str>) -> Server {
        Server { flavour: "m1".into(), console: console.map(str::to_owned) }
    }

    #[test]
    fn debug_hides_what_json_shows() {
        let extra = Extra::of(server(Some("canary")));
        assert_eq!(format!("{extra:?}"), r#"{"console": String("•••"), "flavour": String("m1")}"#);
        let extra = extra.with("password", "canary").with("nested", json!([{"private_key": "canary"}]));
        assert!(!format!("{extra:?}").contains("canary"));
        assert_eq!(serde_json::to_string(&extra).unwrap().matches("canary").count(), 3);
        assert_eq!(extra.read::<Server>().unwrap(), server(Some("canary")));
        let mut emptied = extra;
        for key in ["password", "nested", "console", "flavour"] {
            assert!(emptied.remove(key).is_some());
        }
        // What is secret stays so.
        assert!(!format!("{:?}", emptied.with("console", "canary")).contains("canary"));
    }

    #[test]
    fn what_is_not_known_is_left_out() {
        let extra = Extra::of(server(None));
        assert_eq!(serde_json::to_string(&extra).unwrap(), r#"{"flavour":"m1"}"#);
        assert_eq!(extra.get("console"), None);
        assert_eq!(extra.read::<Server>().unwrap(), server(None));
    }

    #[test]
    fn a_struct_and_a_map_are_the_same() {
        let extra = Extra::of(server(Some("on")));
        let map: Extra = [("flavour", "m1"), ("console", "on")].into_iter().collect();
        assert_eq!(extra, map);
        assert_eq!(extra, serde_json::from_value(json!(extra)).unwrap());
        assert_eq!(map.read::<Server>().unwrap(), server(Some("on")));
        assert_eq!(extra.read::<Other>().unwrap(), Other(server(Some("on"))));
        assert_eq!(Extra::new(), Extra::of_map(Map::new(), Server::SECRETS));
        assert_ne!(extra, Extra::new());
    }

    #[test]
    fn a_change_is_in_the_struct_and_not_in_clones() {
        for is_read in [false, true] {
            let extra = Extra::of(server(Some("on")));
            if is_read {
                assert_eq!(extra["console"], "on");
            }
            let mut changed = extra.clone();
            assert_eq!(changed.insert("flavour", "m2"), Some("m1".into()));
            assert_eq!(changed.remove("console"), Some("on".into()));
            assert_eq!(changed.remove("console"), None);
            let expected = Server { flavour: "m2".into(), console: None };
            assert_eq!(changed.read::<Server>().unwrap(), expected);
            assert_eq!((extra.len(), changed.len()), (2, 1));
            assert_eq!(extra.read::<Server>().unwrap(), server(Some("on")));
        }
    }

    #[test]
    fn a_struct_that_is_no_map_says_so() {
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        struct Number(u8);
        impl ExtraFields for Number {}

        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        struct Pairs {
            pairs: std::collections::BTreeMap<(u8, u8), u8>,
        }
        impl ExtraFields for Pairs {}

        let extra = Extra::of(Number(7));
        assert_eq!(json!(extra), json!({"_error": "the attributes are no map"}));
        assert_eq!(extra.read::<Number>().unwrap(), Number(7));
        let pairs = Pairs { pairs: [((1, 2), 3)].into() };
        assert_eq!(json!(Extra::of(pairs)), json!({"_error": "key must be a string"}));
    }

    #[test]
    fn a_wrong_shape_names_the_key() {
        let extra = Extra::new().with("flavour", 7);
        let error = extra.read::<Server>().unwrap_err();
        assert!(error.to_string().contains("`extra.flavour`"), "{error}");
    }

    #[test]
    fn it_is_small_and_shared_by_tasks() {
        fn is_shared<T: Send + Sync + 'static>() {}
        is_shared::<Extra>();
        assert_eq!(size_of::<Extra>(), 2 * size_of::<usize>());
    }
}
