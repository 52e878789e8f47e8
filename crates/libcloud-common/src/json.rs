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
}
