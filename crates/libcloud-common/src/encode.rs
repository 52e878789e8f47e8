//! Percent-encoding, form encoding, hexadecimal and base64.
//!
//! What leaves unencoded is the unreserved set of [RFC 3986, section 2.3]: letters, digits, `-`, `.`, `_` and `~`.
//! Signatures depend on exactly this set, so nothing here follows the laxer rules of browsers.
//!
//! [RFC 3986, section 2.3]: https://www.rfc-editor.org/rfc/rfc3986#section-2.3

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::{Error, Result};

const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
const KEY: &AsciiSet = &SEGMENT.remove(b'/');

/// Encodes one segment of a path, or one name or value of a query: everything but the unreserved set, `/` included.
///
/// ```
/// use libcloud_common::encode;
///
/// assert_eq!(encode::segment("a/b c"), "a%2Fb%20c");
/// ```
pub fn segment(text: &str) -> String {
    utf8_percent_encode(text, SEGMENT).to_string()
}

/// Encodes the name of an object: as [`segment`], but `/` stays.
///
/// Nothing is normalised. `a//b`, `./a` and `../a` are names of their own in an object store, and stay what they are.
///
/// ```
/// use libcloud_common::encode;
///
/// assert_eq!(encode::key("a//../b c+d"), "a//../b%20c%2Bd");
/// ```
pub fn key(name: &str) -> String {
    utf8_percent_encode(name, KEY).to_string()
}

/// Encodes the pairs, in the given order, as a query string without `?`. A space becomes `%20`.
///
/// ```
/// use libcloud_common::encode;
///
/// assert_eq!(encode::query([("name", "a b"), ("x", "")]), "name=a%20b&x=");
/// ```
pub fn query<K: AsRef<str>, V: AsRef<str>>(pairs: impl IntoIterator<Item = (K, V)>) -> String {
    join(pairs, push_segment)
}

/// Encodes the pairs, in the given order, as the body of a form (`application/x-www-form-urlencoded`).
///
/// A space becomes `+`. Everything else is encoded as in [`query`]: browsers keep `*` and encode `~`, which makes no
/// difference to a server that decodes the form.
///
/// ```
/// use libcloud_common::encode;
///
/// assert_eq!(encode::form([("name", "a b+c")]), "name=a+b%2Bc");
/// ```
pub fn form<K: AsRef<str>, V: AsRef<str>>(pairs: impl IntoIterator<Item = (K, V)>) -> String {
    join(pairs, |out, text| {
        for (index, word) in text.split(' ').enumerate() {
            if index > 0 {
                out.push('+');
            }
            push_segment(out, word);
        }
    })
}

/// Decodes one name or value of a form: `%2B` becomes `+`, and `+` a space.
///
/// S3 encodes the names in its listings so. What is no escape stays as it is.
///
/// # Errors
/// [`MalformedResponse`](crate::ErrorKind::MalformedResponse) if the bytes are no UTF-8.
///
/// ```
/// use libcloud_common::encode;
///
/// assert_eq!(encode::decode_form("a+b%2Bc/100%")?, "a b+c/100%");
/// # Ok::<(), libcloud_common::Error>(())
/// ```
pub fn decode_form(text: &str) -> Result<String> {
    let spaced = text.replace('+', " ");
    match percent_decode_str(&spaced).decode_utf8() {
        Ok(decoded) => Ok(decoded.into_owned()),
        Err(_) => Err(Error::malformed(text, "its escapes are no UTF-8")),
    }
}

/// Encodes bytes as hexadecimal digits in lower case.
pub fn hex(bytes: impl AsRef<[u8]>) -> String {
    // Each request has several digests, and `hex::encode` gathers their digits one by one.
    let bytes = bytes.as_ref();
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        text.push(hex_digit(byte >> 4));
        text.push(hex_digit(byte & 15));
    }
    text
}

fn hex_digit(value: u8) -> char {
    char::from(if value < 10 { b'0' + value } else { b'a' + value - 10 })
}

/// The bytes that such a text stands for; nothing if it is none.
///
/// ```
/// assert_eq!(libcloud_common::encode::decode_hex("00Ff"), Some(vec![0, 255]));
/// assert_eq!(libcloud_common::encode::decode_hex("0"), None);
/// ```
pub fn decode_hex(text: &str) -> Option<Vec<u8>> {
    hex::decode(text).ok()
}

/// Encodes bytes as base64 with the standard alphabet and padding.
pub fn base64(bytes: impl AsRef<[u8]>) -> String {
    STANDARD.encode(bytes)
}

/// Decodes base64 with the standard alphabet and padding; white space between the digits is ignored.
///
/// The error says where the text is wrong and does not repeat it: it may be a password or a key.
///
/// ```
/// use libcloud_common::encode;
///
/// assert_eq!(encode::decode_base64("bGli\nY2xvdWQ=")?, b"libcloud");
/// # Ok::<(), libcloud_common::Error>(())
/// ```
pub fn decode_base64(text: &str) -> Result<Vec<u8>> {
    let digits: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    STANDARD.decode(&digits).map_err(|error| {
        let problem = match error {
            base64::DecodeError::InvalidByte(at, _)
            | base64::DecodeError::InvalidLastSymbol { offset: at, .. } => {
                format!("character {} does not belong there", at + 1)
            }
            base64::DecodeError::InvalidLength(_) => "it is cut off".to_owned(),
            base64::DecodeError::InvalidPadding => "the padding with `=` is wrong".to_owned(),
        };
        Error::invalid_argument(format!("not base64: {problem}"))
    })
}

/// Appends `text` as [`segment`] encodes it.
fn push_segment(out: &mut String, text: &str) {
    out.extend(utf8_percent_encode(text, SEGMENT));
}

fn join<K: AsRef<str>, V: AsRef<str>>(
    pairs: impl IntoIterator<Item = (K, V)>,
    push: impl Fn(&mut String, &str),
) -> String {
    let mut out = String::new();
    for (name, value) in pairs {
        if !out.is_empty() {
            out.push('&');
        }
        push(&mut out, name.as_ref());
        out.push('=');
        push(&mut out, value.as_ref());
    }
    out
}

#[cfg(test)]
mod tests {
    use percent_encoding::percent_decode_str;
    use proptest::prelude::*;

    use super::*;

    fn decode(text: &str) -> String {
        percent_decode_str(text).decode_utf8().unwrap().into_owned()
    }

    #[test]
    fn unreserved_characters_stay_and_all_others_go() {
        let all: String = (0..=0x7f_u8).map(char::from).collect();
        let kept: String = segment(&all)
            .split('%')
            .enumerate()
            .map(|(index, part)| if index == 0 { part } else { &part[2..] })
            .collect();
        assert_eq!(kept, "-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz~");
    }

    #[test]
    fn hexadecimal_digits_are_upper_case_in_percent_encoding() {
        assert_eq!(segment("ü/\u{1f600}"), "%C3%BC%2F%F0%9F%98%80");
    }

    #[test]
    fn object_names_are_not_normalised() {
        for name in ["a//b", "/a", "a/", ".", "..", "./a/../b", "//"] {
            assert_eq!(key(name), name);
        }
        assert_eq!(key("100% ~ä?#&=+"), "100%25%20~%C3%A4%3F%23%26%3D%2B");
    }

    #[test]
    fn pairs_keep_their_order_and_repetition() {
        let pairs = [("b", "1"), ("a", "x y"), ("b", ""), ("ü&=", "+")];
        assert_eq!(query(pairs), "b=1&a=x%20y&b=&%C3%BC%26%3D=%2B");
        assert_eq!(form(pairs), "b=1&a=x+y&b=&%C3%BC%26%3D=%2B");
        assert_eq!(query::<&str, &str>([]), "");
        assert_eq!(query([("", "")]), "=");
    }

    #[test]
    fn base64_errors_name_the_place_but_not_the_text() {
        let error = decode_base64("c2Vj*mV0").unwrap_err();
        assert_eq!(error.kind(), crate::ErrorKind::InvalidArgument);
        assert_eq!(error.to_string(), "not base64: character 5 does not belong there");
        for wrong in ["c", "c2VjcmV0c", "c2VjcmV0cw"] {
            let text = decode_base64(wrong).unwrap_err().to_string();
            assert!(text.starts_with("not base64: "), "{text}");
            assert!(!text.contains(wrong) || wrong.len() == 1, "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_segment_decodes_to_itself(text in any::<String>()) {
            let encoded = segment(&text);
            prop_assert!(!encoded.contains('/'));
            prop_assert_eq!(decode(&encoded), text);
        }

        #[test]
        fn a_key_decodes_to_itself_with_the_same_slashes(text in "[a-zA-Z/. ~%+ü\u{1f600}]{0,40}") {
            let encoded = key(&text);
            prop_assert_eq!(encoded.matches('/').count(), text.matches('/').count());
            prop_assert_eq!(decode(&encoded), text);
        }

        #[test]
        fn query_and_form_decode_to_the_same_pairs(pairs in prop::collection::vec(any::<(String, String)>(), 0..6)) {
            let borrowed = || pairs.iter().map(|(name, value)| (name, value));
            for encoded in [query(borrowed()), form(borrowed())] {
                let decoded: Vec<_> = url::form_urlencoded::parse(encoded.as_bytes()).into_owned().collect();
                prop_assert_eq!(&decoded, &pairs);
            }
        }

        #[test]
        fn base64_and_hex_round_trip(bytes in any::<Vec<u8>>()) {
            prop_assert_eq!(decode_base64(&base64(&bytes)).unwrap(), bytes.clone());
            prop_assert_eq!(hex(&bytes), ::hex::encode(&bytes));
            prop_assert_eq!(decode_hex(&hex(&bytes)), Some(bytes));
        }
    }
}
