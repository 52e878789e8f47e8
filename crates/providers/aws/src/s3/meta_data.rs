//! What the owner of an object writes on it: headers `x-amz-meta-…`.
//!
//! Headers are ASCII. Other values are sent as [RFC 2047](https://www.rfc-editor.org/rfc/rfc2047) encodes them, which
//! Amazon decodes and encodes again, and which other servers keep as it is. The case of the keys is lost on the way.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html#UserMetadata>

use std::collections::BTreeMap;

use http::HeaderMap;
use libcloud_common::{Result, encode};
use libcloud_storage::rest::headers;

const PREFIX: &str = "x-amz-meta-";

/// The most bytes that an encoded word of 75 characters can carry.
const WORD: usize = 45;

/// The headers for these, with the keys as they will be told.
pub(super) fn headers(meta_data: &BTreeMap<String, String>) -> Result<BTreeMap<String, String>> {
    headers::of_meta_data(PREFIX, meta_data, |_, value| Ok(encoded(value)))
}

/// What the headers of an answer tell.
pub(super) fn read(headers: &HeaderMap) -> BTreeMap<String, String> {
    headers::meta_data(PREFIX, headers, decoded)
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

fn decoded(text: &str) -> String {
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

    fn sent_and_told(meta_data: &BTreeMap<String, String>) -> BTreeMap<String, String> {
        let mut told = HeaderMap::new();
        for (name, value) in headers(meta_data).unwrap() {
            // What is no valid header does not get through here.
            told.insert(name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(&value).unwrap());
        }
        read(&told)
    }

    #[test]
    fn ascii_is_sent_as_it_is() {
        let meta_data = [("Rabbits".to_owned(), "monkeys = 3?".to_owned())].into();
        let sent = headers(&meta_data).unwrap();
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
        assert_eq!(read(&raw), [("name".to_owned(), "ü".to_owned())].into());
    }

    proptest! {
        #[test]
        fn any_text_survives(value in any::<String>()) {
            let meta_data: BTreeMap<_, _> = [("key".to_owned(), value)].into();
            prop_assert_eq!(sent_and_told(&meta_data), meta_data);
        }
    }
}
