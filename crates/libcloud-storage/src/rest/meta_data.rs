//! What the owner of an object writes on it: headers with a prefix, `x-amz-meta-`.
//!
//! Headers are ASCII. Other values are sent as [RFC 2047](https://www.rfc-editor.org/rfc/rfc2047) encodes them, which
//! Amazon decodes and encodes again, and which other servers keep as it is. The case of the keys is lost on the way.

use std::collections::BTreeMap;

use http::HeaderMap;
use libcloud_common::{Error, Result, encode};

/// The most bytes that an encoded word of 75 characters can carry.
const WORD: usize = 45;

/// The headers for these, with the keys as they will be told.
///
/// # Errors
/// `InvalidArgument` for a key that cannot be part of a header's name, and for two that differ by case alone.
pub fn headers(prefix: &str, meta_data: &BTreeMap<String, String>) -> Result<BTreeMap<String, String>> {
    let mut headers = BTreeMap::new();
    for (key, value) in meta_data {
        let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
        if key.is_empty() || !key.chars().all(is_token) {
            return Err(wrong(key, "it becomes part of a header's name: letters, digits and hyphens"));
        }
        let name = format!("{prefix}{}", key.to_ascii_lowercase());
        if headers.insert(name, encoded(value)).is_some() {
            return Err(wrong(key, "another key differs from it only by case, which is lost on the way"));
        }
    }
    Ok(headers)
}

/// What the headers of an answer tell, of those with this prefix.
pub fn read(prefix: &str, headers: &HeaderMap) -> BTreeMap<String, String> {
    headers
        .iter()
        .filter_map(|(name, value)| {
            let key = name.as_str().strip_prefix(prefix)?;
            // Some servers send UTF-8 as it is.
            Some((key.to_owned(), decoded(&String::from_utf8_lossy(value.as_bytes()))))
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

fn encoded(value: &str) -> String {
    let is_plain = value.chars().all(|c| matches!(c, ' '..='~'));
    if is_plain && value.trim() == value && !value.contains("=?") {
        return value.to_owned();
    }
    let mut words = Vec::new();
    let mut word = String::new();
    for c in value.chars() {
        if word.len() + c.len_utf8() > WORD {
            words.push(std::mem::take(&mut word));
        }
        word.push(c);
    }
    words.push(word);
    let words: Vec<_> = words.iter().map(|word| format!("=?UTF-8?B?{}?=", encode::base64(word))).collect();
    words.join(" ")
}

/// A value as its owner wrote it, where it is told in a body.
pub fn decoded(text: &str) -> String {
    let mut out = Vec::new();
    let mut rest = text;
    let mut after_word = false;
    while let Some((before, word, behind)) = next_word(rest) {
        // White space between two words belongs to the encoding.
        if !(after_word && before.trim().is_empty()) {
            out.extend_from_slice(before.as_bytes());
        }
        out.extend(word);
        after_word = true;
        rest = behind;
    }
    out.extend_from_slice(rest.as_bytes());
    String::from_utf8(out).unwrap_or_else(|_| text.to_owned())
}

/// The text before the next encoded word, its bytes, and the text behind it.
fn next_word(text: &str) -> Option<(&str, Vec<u8>, &str)> {
    text.match_indices("=?").find_map(|(start, mark)| {
        let before = text.get(..start)?;
        let (charset, rest) = text.get(start + mark.len()..)?.split_once('?')?;
        let (encoding, rest) = rest.split_once('?')?;
        let (data, behind) = rest.split_once("?=")?;
        if !["utf-8", "us-ascii"].contains(&charset.to_ascii_lowercase().as_str()) {
            return None;
        }
        let bytes = match encoding {
            "B" | "b" => encode::decode_base64(data).ok()?,
            "Q" | "q" => decode_q(data)?,
            _ => return None,
        };
        Some((before, bytes, behind))
    })
}

/// `=C3=BC_a`: escapes with `=`, and `_` for a space.
fn decode_q(data: &str) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let mut bytes = data.bytes();
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'_' => b' ',
            b'=' => {
                let digits = [bytes.next()?, bytes.next()?];
                u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
            }
            b' ' | b'?' => return None,
            other => other,
        });
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};
    use proptest::prelude::*;

    use super::*;

    const PREFIX: &str = "x-amz-meta-";

    fn sent_and_told(meta_data: &BTreeMap<String, String>) -> BTreeMap<String, String> {
        let mut told = HeaderMap::new();
        for (name, value) in headers(PREFIX, meta_data).unwrap() {
            // What is no valid header does not get through here.
            told.insert(name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(&value).unwrap());
        }
        read(PREFIX, &told)
    }

    #[test]
    fn ascii_is_sent_as_it_is() {
        let meta_data = [("Rabbits".to_owned(), "monkeys = 3?".to_owned())].into();
        let sent = headers(PREFIX, &meta_data).unwrap();
        assert_eq!(sent, [("x-amz-meta-rabbits".to_owned(), "monkeys = 3?".to_owned())].into());
        assert_eq!(sent_and_told(&meta_data), [("rabbits".to_owned(), "monkeys = 3?".to_owned())].into());
    }

    #[test]
    fn what_amazon_sends_is_read() {
        for (text, value) in [
            ("=?UTF-8?B?w7w=?=", "ü"),
            ("=?utf-8?q?=C3=BC_a?=", "ü a"),
            ("=?UTF-8?Q?=C3=83=C2=84?=", "Ã\u{84}"),
            ("a =?UTF-8?B?w7w=?= b", "a ü b"),
            ("=?UTF-8?B?w7w=?= =?UTF-8?B?w7w=?=", "üü"),
            // A character in two words.
            ("=?UTF-8?B?ww==?= =?UTF-8?B?vA==?=", "ü"),
            ("=?", "=?"),
            ("=?UTF-8?B?!!?=", "=?UTF-8?B?!!?="),
            ("=?UTF-8?Q?=C3?=", "=?UTF-8?Q?=C3?="),
            ("=?ISO-8859-1?Q?=FC?=", "=?ISO-8859-1?Q?=FC?="),
        ] {
            assert_eq!(decoded(text), value, "{text}");
        }
        let mut raw = HeaderMap::new();
        raw.insert("x-amz-meta-name", HeaderValue::from_bytes("ü".as_bytes()).unwrap());
        assert_eq!(read(PREFIX, &raw), [("name".to_owned(), "ü".to_owned())].into());
    }

    #[test]
    fn keys_that_cannot_be_headers_are_refused() {
        for key in ["", "a b", "ü", "a:b", "a\nb"] {
            let error = headers(PREFIX, &[(key.to_owned(), "x".to_owned())].into()).unwrap_err();
            assert!(error.to_string().contains("part of a header's name"), "{error}");
        }
        let both = ["Author", "author"].map(|key| (key.to_owned(), "x".to_owned()));
        let error = headers(PREFIX, &both.into()).unwrap_err();
        assert!(error.to_string().contains("only by case"), "{error}");
    }

    proptest! {
        #[test]
        fn any_text_survives(value in any::<String>()) {
            let meta_data: BTreeMap<_, _> = [("key".to_owned(), value)].into();
            prop_assert_eq!(sent_and_told(&meta_data), meta_data);
        }
    }
}
