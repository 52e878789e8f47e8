//! What headers tell of an object.

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

#[cfg(test)]
mod tests {
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
}
