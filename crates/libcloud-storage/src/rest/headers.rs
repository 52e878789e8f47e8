//! What headers tell of an object.

use std::collections::BTreeMap;

use http::{HeaderMap, header};
use libcloud_common::{Error, Result, Timestamp};

/// A header as text; an empty one is none.
pub fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    let text = headers.get(name)?.to_str().ok()?;
    (!text.is_empty()).then(|| text.to_owned())
}

/// The length of the content, where it is told.
///
/// # Errors
/// `MalformedResponse` if that is no number.
pub fn content_length(headers: &HeaderMap) -> Result<Option<u64>> {
    text(headers, header::CONTENT_LENGTH.as_str())
        .map(|size| size.parse().map_err(|error| Error::malformed("content-length", error)))
        .transpose()
}

/// The length of the content, which the answer to HEAD of an object must tell.
///
/// # Errors
/// `MalformedResponse` if it does not.
pub fn need_content_length(headers: &HeaderMap) -> Result<u64> {
    content_length(headers)?.ok_or_else(|| Error::malformed("content-length", "it is missing"))
}

/// When the content was last changed, where it is told.
///
/// # Errors
/// `MalformedResponse` if that is no time.
pub fn last_modified(headers: &HeaderMap) -> Result<Option<Timestamp>> {
    text(headers, header::LAST_MODIFIED.as_str())
        .map(|time| time.parse().map_err(|error| Error::malformed("last-modified", error)))
        .transpose()
}

/// The entity tag without its quotes.
pub fn unquoted(etag: &str) -> String {
    etag.trim_matches('"').to_owned()
}

/// The headers for what the owner writes on an object: `prefix` (`x-amz-meta-`) and the key in lower case, as it will be
/// told, since the case of header names is lost on the way. `encode` makes a header's value of it.
///
/// # Errors
/// `InvalidArgument` for a key that cannot be part of a header's name, and for two that differ by case alone.
pub fn of_meta_data(
    prefix: &str,
    meta_data: &BTreeMap<String, String>,
    encode: impl Fn(&str, &str) -> Result<String>,
) -> Result<BTreeMap<String, String>> {
    let mut headers = BTreeMap::new();
    for (key, value) in meta_data {
        let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
        if key.is_empty() || !key.chars().all(is_token) {
            return Err(wrong(key, "it becomes part of a header's name: letters, digits and hyphens"));
        }
        let name = format!("{prefix}{}", key.to_ascii_lowercase());
        if headers.insert(name, encode(key, value)?).is_some() {
            return Err(wrong(key, "another key differs from it only by case, which is lost on the way"));
        }
    }
    Ok(headers)
}

/// What the headers with this prefix tell.
pub fn meta_data(
    prefix: &str,
    headers: &HeaderMap,
    decode: impl Fn(&str) -> String,
) -> BTreeMap<String, String> {
    headers
        .iter()
        .filter_map(|(name, value)| {
            let key = name.as_str().strip_prefix(prefix)?;
            // Some servers send UTF-8 as it is.
            Some((key.to_owned(), decode(&String::from_utf8_lossy(value.as_bytes()))))
        })
        .collect()
}

fn wrong(key: &str, problem: &str) -> Error {
    Error::invalid_argument(format!(
        "`meta_data`: the key `{}` cannot be sent: {problem}",
        key.escape_debug()
    ))
    .with_resource("argument", "meta_data")
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn what_is_told_is_read_and_what_is_not_as_documented_is_named() {
        let told = headers(&[
            ("content-length", "3"),
            ("last-modified", "Fri, 01 Mar 2024 10:20:30 GMT"),
            ("x-empty", ""),
        ]);
        assert_eq!((content_length(&told).unwrap(), text(&told, "x-empty")), (Some(3), None));
        assert_eq!(last_modified(&told).unwrap().unwrap().to_string(), "2024-03-01T10:20:30Z");
        assert_eq!(
            (content_length(&headers(&[])).unwrap(), last_modified(&headers(&[])).unwrap()),
            (None, None)
        );
        for (error, place) in [
            (need_content_length(&headers(&[])).unwrap_err(), "`content-length`: it is missing"),
            (content_length(&headers(&[("content-length", "many")])).unwrap_err(), "`content-length`"),
            (last_modified(&headers(&[("last-modified", "yesterday")])).unwrap_err(), "`last-modified`"),
        ] {
            assert!(error.to_string().contains(place), "{error}");
        }
    }

    #[test]
    fn meta_data_are_headers_with_a_prefix() {
        let upper = |_: &str, value: &str| Ok(value.to_uppercase());
        let sent = of_meta_data("x-meta-", &[("Author".into(), "ada".into())].into(), upper).unwrap();
        assert_eq!(sent, [("x-meta-author".to_owned(), "ADA".to_owned())].into());
        let told: HeaderMap = sent
            .iter()
            .map(|(name, value)| (name.parse::<HeaderName>().unwrap(), value.parse::<HeaderValue>().unwrap()))
            .chain([(header::DATE, HeaderValue::from_static("now"))])
            .collect();
        let read = meta_data("x-meta-", &told, str::to_lowercase);
        assert_eq!(read, [("author".to_owned(), "ada".to_owned())].into());
    }

    #[test]
    fn keys_that_cannot_be_headers_are_refused() {
        let plain = |_: &str, value: &str| Ok(value.to_owned());
        for key in ["", "a b", "ü", "a:b", "a\nb"] {
            let error = of_meta_data("x-", &[(key.to_owned(), "x".to_owned())].into(), plain).unwrap_err();
            assert!(error.to_string().contains("part of a header's name"), "{error}");
        }
        let both = ["Author", "author"].map(|key| (key.to_owned(), "x".to_owned()));
        let error = of_meta_data("x-", &both.into(), plain).unwrap_err();
        assert!(error.to_string().contains("only by case"), "{error}");
    }
}
