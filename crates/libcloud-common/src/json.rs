//! Reading the JSON of providers.

use serde::de::{DeserializeOwned, Error as _};
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
