//! Bytes, strings and words as zone files write them.

use std::borrow::Cow;
use std::fmt::Write as _;

/// The longest character string ([RFC 1035, section 3.3](https://www.rfc-editor.org/rfc/rfc1035#section-3.3)).
const MAX_STRING: usize = 255;

/// Writes a byte, with a backslash before those that mean something here.
pub(super) fn push_byte(out: &mut String, byte: u8, special: &[u8]) {
    match byte {
        b' '..=b'~' => {
            if special.contains(&byte) {
                out.push('\\');
            }
            out.push(char::from(byte));
        }
        // Writing to a string cannot fail.
        other => drop(write!(out, "\\{other:03}")),
    }
}

/// Takes the byte off the front that is written here, an escape (`\"`, `\042`) or a character of its own.
pub(super) fn take_byte(bytes: &mut &[u8]) -> Result<Option<(u8, bool)>, Cow<'static, str>> {
    let Some((&first, rest)) = bytes.split_first() else {
        return Ok(None);
    };
    *bytes = rest;
    if first != b'\\' {
        return Ok(Some((first, false)));
    }
    match *rest {
        [a @ b'0'..=b'9', ref tail @ ..] => {
            let [b @ b'0'..=b'9', c @ b'0'..=b'9', tail @ ..] = tail else {
                return Err("a backslash before a digit needs three of them".into());
            };
            let value = [a, *b, *c].iter().fold(0u16, |value, digit| value * 10 + u16::from(digit - b'0'));
            *bytes = tail;
            let value = u8::try_from(value).map_err(|_| format!("\\{value} is more than \\255"))?;
            Ok(Some((value, true)))
        }
        [escaped, ref tail @ ..] => {
            *bytes = tail;
            Ok(Some((escaped, true)))
        }
        [] => Err("it ends in a lone backslash".into()),
    }
}

/// All of the bytes that are written here.
pub(super) fn unescaped(text: &str) -> Result<Vec<u8>, Cow<'static, str>> {
    let (mut rest, mut bytes) = (text.as_bytes(), Vec::new());
    while let Some((byte, _)) = take_byte(&mut rest)? {
        bytes.push(byte);
    }
    Ok(bytes)
}

/// A quoted string.
pub(super) fn quoted(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() + 2);
    out.push('"');
    for &byte in bytes {
        push_byte(&mut out, byte, b"\"\\");
    }
    out.push('"');
    out
}

/// Bytes as quoted strings of a length that is allowed.
fn pieces(bytes: &[u8], out: &mut Vec<String>) {
    if bytes.is_empty() {
        out.push(quoted(bytes));
    }
    out.extend(bytes.chunks(MAX_STRING).map(quoted));
}

/// The strings of data that is quoted already: `"one" "two"`. `None` for any other.
fn read_quoted(data: &str) -> Option<Vec<Vec<u8>>> {
    let mut rest = data.as_bytes();
    let mut strings = Vec::new();
    loop {
        rest = rest.trim_ascii_start();
        if rest.is_empty() {
            return (!strings.is_empty()).then_some(strings);
        }
        rest = rest.strip_prefix(b"\"")?;
        let mut string = Vec::new();
        loop {
            match take_byte(&mut rest).ok()?? {
                (b'"', false) => break,
                (byte, _) => string.push(byte),
            }
        }
        strings.push(string);
    }
}

/// The data of a TXT record: quoted already, or a text.
pub(super) fn strings(data: &str) -> String {
    let mut out = Vec::new();
    match read_quoted(data) {
        Some(strings) => strings.iter().for_each(|string| pieces(string, &mut out)),
        None => pieces(data.as_bytes(), &mut out),
    }
    out.join(" ")
}

/// One string of any length, quoted already or not.
pub(super) fn value(data: &str) -> String {
    match read_quoted(data) {
        Some(strings) => quoted(&strings.concat()),
        None => quoted(data.as_bytes()),
    }
}

/// One string of at most 255 bytes, quoted or with escapes.
pub(super) fn string(word: &str) -> Result<String, Cow<'static, str>> {
    let bytes = match read_quoted(word) {
        Some(strings) => strings.concat(),
        None => unescaped(word)?,
    };
    if bytes.len() > MAX_STRING {
        return Err(format!("a string of {} bytes is longer than {MAX_STRING}", bytes.len()).into());
    }
    Ok(quoted(&bytes))
}

/// Takes the next word off the front; one in quotes may hold blanks.
pub(super) fn take_word<'a>(data: &mut &'a str) -> Result<Option<&'a str>, Cow<'static, str>> {
    let text = data.trim_start_matches([' ', '\t']);
    if text.is_empty() {
        *data = text;
        return Ok(None);
    }
    let (mut in_quotes, mut escaped) = (false, false);
    let mut end = text.len();
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => in_quotes = !in_quotes,
            ' ' | '\t' if !in_quotes => {
                end = at;
                break;
            }
            _ => {}
        }
    }
    if in_quotes || escaped {
        return Err(format!("{} is never closed", if in_quotes { "a quote" } else { "a backslash" }).into());
    }
    let (word, rest) = text.split_at_checked(end).unwrap_or((text, ""));
    *data = rest;
    Ok(Some(word))
}

/// A word to be written as it is: refuses what would end the line, begin a comment or leave the field.
pub(super) fn plain(word: &str) -> Result<&str, Cow<'static, str>> {
    let (mut in_quotes, mut escaped) = (false, false);
    for c in word.chars() {
        match c {
            c if !matches!(c, ' '..='~') => return Err(format!("{c:?} cannot be written there").into()),
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => in_quotes = !in_quotes,
            ';' | '(' | ')' if !in_quotes => {
                return Err(format!("`{c}` must be in quotes or have a backslash before it").into());
            }
            _ => {}
        }
    }
    Ok(word)
}

/// Text for a comment: what would end the line is escaped.
pub(super) fn comment(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        push_byte(&mut out, byte, b"\\");
    }
    out
}
