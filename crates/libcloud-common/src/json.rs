//! Reading the JSON of providers.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeOwned, Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::{Error, Result};

/// Reads JSON; an error names the path to the field.
///
/// ```
/// # use std::collections::HashMap;
/// let error = libcloud_common::json::decode::<HashMap<String, u32>>(br#"{"size": "big"}"#).unwrap_err();
/// assert!(error.to_string().starts_with("unexpected answer at `size`"), "{error}");
/// ```
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    // To know the path at all times costs as much again as to read: only what cannot be read is read that way.
    if let Ok(value) = serde_json::from_slice(bytes) {
        return Ok(value);
    }
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut deserializer)
        .map_err(|error| Error::malformed(&error.path().to_string(), error.inner()))?;
    deserializer.end().map_err(|error| Error::malformed("end", error))?;
    Ok(value)
}

/// An id that a provider writes as a number or as a string.
///
/// For `#[serde(deserialize_with = "libcloud_common::json::string_or_number")]`.
pub fn string_or_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::String(text) => Ok(text),
        Value::Number(number) => Ok(number.to_string()),
        other => Err(D::Error::custom(format!("expected a string or a number, found {other}"))),
    }
}

/// The entries of a map in the order in which they were written, where that order says something.
///
/// For `#[serde(deserialize_with = "libcloud_common::json::in_order")]`.
pub fn in_order<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<(String, T)>, D::Error> {
    struct Entries<T>(PhantomData<T>);

    impl<'de, T: Deserialize<'de>> Visitor<'de> for Entries<T> {
        type Value = Vec<(String, T)>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a map")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut entries = Vec::new();
            while let Some(entry) = map.next_entry()? {
                entries.push(entry);
            }
            Ok(entries)
        }
    }

    deserializer.deserialize_map(Entries(PhantomData))
}

/// The same where it may be absent or `null`.
///
/// For `#[serde(default, deserialize_with = "libcloud_common::json::opt_string_or_number")]`.
pub fn opt_string_or_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::Null => Ok(None),
        value => string_or_number(value).map(Some).map_err(D::Error::custom),
    }
}

/// Reads a part of an answer that has been read as JSON, or an XML-RPC value; an error names the path to the field.
///
/// ```
/// # use libcloud_common::json;
/// # use std::collections::HashMap;
/// let error = json::read::<HashMap<String, u32>>(serde_json::json!({"size": "big"})).unwrap_err();
/// assert!(error.to_string().starts_with("unexpected answer at `size`"), "{error}");
/// ```
pub fn read<T: DeserializeOwned>(value: Value) -> Result<T> {
    serde_path_to_error::deserialize(value)
        .map_err(|error| Error::malformed(&error.path().to_string(), error.inner()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_stay_in_their_order() {
        #[derive(Debug, Deserialize)]
        struct Server {
            #[serde(deserialize_with = "in_order")]
            addresses: Vec<(String, Vec<u32>)>,
        }
        let server: Server = decode(br#"{"addresses": {"public": [1], "lan": [2, 3]}}"#).unwrap();
        assert_eq!(server.addresses, [("public".to_owned(), vec![1]), ("lan".to_owned(), vec![2, 3])]);
        let error = decode::<Server>(br#"{"addresses": {"lan": ["x"]}}"#).unwrap_err();
        assert!(error.to_string().contains("`addresses.lan[0]`"), "{error}");
    }

    #[derive(Debug, Deserialize)]
    struct Thing {
        #[serde(deserialize_with = "string_or_number")]
        id: String,
        #[serde(default, deserialize_with = "opt_string_or_number")]
        parent: Option<String>,
    }

    #[test]
    fn ids_are_text_however_they_are_written() {
        let read = |text: &str| decode::<Thing>(text.as_bytes()).map(|thing| (thing.id, thing.parent));
        assert_eq!(read(r#"{"id": 7, "parent": "a"}"#).unwrap(), ("7".into(), Some("a".into())));
        assert_eq!(read(r#"{"id": "7", "parent": 8}"#).unwrap(), ("7".into(), Some("8".into())));
        assert_eq!(read(r#"{"id": "7", "parent": null}"#).unwrap(), ("7".into(), None));
        assert_eq!(read(r#"{"id": "7"}"#).unwrap(), ("7".into(), None));
        let error = read(r#"{"id": "7", "parent": [1]}"#).unwrap_err().to_string();
        assert!(error.contains("`parent`") && error.contains("a string or a number"), "{error}");
    }
}
