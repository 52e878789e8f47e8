//! Names and values of records as Route 53 writes them.
//!
//! <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DomainNameFormat.html>
//! <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/ResourceRecordTypes.html>

use std::borrow::Cow;
use std::fmt::Write as _;

use libcloud_common::{Error, Result};
use libcloud_dns::RecordType;

/// The longest string of a TXT record.
const MAX_STRING: usize = 255;

/// What the value of an MX or SRV record has before the name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Numbers {
    pub(super) priority: Option<u16>,
    pub(super) weight: Option<u16>,
    pub(super) port: Option<u16>,
}

impl Numbers {
    /// These, and the others' where there are none.
    pub(super) fn or(self, other: Self) -> Self {
        Self {
            priority: self.priority.or(other.priority),
            weight: self.weight.or(other.weight),
            port: self.port.or(other.port),
        }
    }
}

/// A value as a record's data, and the numbers that are apart there.
pub(super) fn read<'a>(type_: &RecordType, value: &'a str) -> (Cow<'a, str>, Numbers) {
    let mut numbers = Numbers::default();
    let mut rest = value;
    let read = match type_ {
        RecordType::Mx => number(&mut rest).map(|priority| numbers.priority = Some(priority)),
        RecordType::Srv => (|| {
            numbers.priority = Some(number(&mut rest)?);
            numbers.weight = Some(number(&mut rest)?);
            numbers.port = Some(number(&mut rest)?);
            Some(())
        })(),
        RecordType::Txt | RecordType::Spf => return (text(value), numbers),
        _ => return (Cow::Borrowed(value), numbers),
    };
    match read {
        Some(()) => (Cow::Borrowed(rest), numbers),
        None => (Cow::Borrowed(value), Numbers::default()),
    }
}

/// Takes a number and the blanks after it off the front.
fn number(text: &mut &str) -> Option<u16> {
    let (word, rest) = text.trim_start().split_once([' ', '\t'])?;
    *text = rest.trim_start();
    word.parse().ok()
}

/// The value of a record of this type with this data. Numbers that the data does not have come from those that are given.
pub(super) fn write(type_: &RecordType, data: &str, numbers: Numbers) -> Result<String> {
    let before: &[(&str, Option<u16>)] = match type_ {
        RecordType::Mx => &[("priority", numbers.priority)],
        RecordType::Srv => {
            &[("priority", numbers.priority), ("weight", numbers.weight), ("port", numbers.port)]
        }
        RecordType::Txt | RecordType::Spf => return Ok(quoted_text(data)),
        _ => return Ok(data.to_owned()),
    };
    let data = data.trim();
    // The name is the last word; what is before it are numbers already, of which the first may be missing.
    let missing = before.len().saturating_sub(data.split_whitespace().count().saturating_sub(1));
    let mut value = String::new();
    for (name, given) in before.iter().take(missing) {
        let given = given.ok_or_else(|| {
            Error::invalid_argument(format!("`{name}` of the {type_} record `{data}` is missing"))
                .with_resource("argument", *name)
        })?;
        // Writing to a string cannot fail.
        let _ = write!(value, "{given} ");
    }
    value.push_str(data);
    Ok(value)
}

/// The text of a TXT value. Several strings are one text where it was only cut at the longest length; others, and a text
/// that would read as quoted, stay quoted, so that writing it again gives the same strings.
fn text(value: &str) -> Cow<'_, str> {
    let Some(strings) = strings(value) else { return Cow::Borrowed(value) };
    let Some((last, before)) = strings.split_last() else { return Cow::Borrowed(value) };
    let is_cut = before.iter().all(|string| string.len() == MAX_STRING);
    if is_cut
        && (before.is_empty() || !last.is_empty())
        && last.len() <= MAX_STRING
        && let Ok(text) = String::from_utf8(strings.concat())
        && self::strings(&text).is_none()
    {
        return Cow::Owned(text);
    }
    let readable = |string: &Vec<u8>| match std::str::from_utf8(string) {
        Ok(text) => quoted(text.as_bytes(), |byte| !byte.is_ascii() || is_plain(byte)),
        Err(_) => quoted(string, is_plain),
    };
    Cow::Owned(strings.iter().map(readable).collect::<Vec<_>>().join(" "))
}

/// Text as a TXT value; what is quoted already keeps its strings.
fn quoted_text(text: &str) -> String {
    let strings = strings(text).unwrap_or_else(|| match text.as_bytes() {
        [] => vec![Vec::new()],
        bytes => bytes.chunks(MAX_STRING).map(<[u8]>::to_vec).collect(),
    });
    strings.iter().map(|string| quoted(string, is_plain)).collect::<Vec<_>>().join(" ")
}

/// Whether a byte needs no escape code.
fn is_plain(byte: u8) -> bool {
    (b' '..=b'~').contains(&byte)
}

fn quoted(bytes: &[u8], is_plain: impl Fn(u8) -> bool) -> String {
    let mut out = Vec::with_capacity(bytes.len() + 2);
    out.push(b'"');
    for &byte in bytes {
        match byte {
            b'"' | b'\\' => out.extend([b'\\', byte]),
            byte if is_plain(byte) => out.push(byte),
            byte => out.extend(format!("\\{byte:03o}").into_bytes()),
        }
    }
    out.push(b'"');
    // Either all of it is ASCII, or it was UTF-8 and only ASCII was escaped.
    String::from_utf8_lossy(&out).into_owned()
}

/// The strings of a value that is quoted: `"one" "two"`. `None` for any other.
fn strings(value: &str) -> Option<Vec<Vec<u8>>> {
    let mut rest = value.as_bytes();
    let mut strings = Vec::new();
    loop {
        rest = rest.trim_ascii_start();
        if rest.is_empty() {
            return (!strings.is_empty()).then_some(strings);
        }
        rest = rest.strip_prefix(b"\"")?;
        let mut string = Vec::new();
        loop {
            let (&byte, after) = rest.split_first()?;
            rest = after;
            match byte {
                b'"' => break,
                b'\\' => string.push(escaped(&mut rest)?),
                byte => string.push(byte),
            }
        }
        strings.push(string);
    }
}

/// Takes what follows a backslash off the front: three octal digits, or a character that stands for itself.
fn escaped(rest: &mut &[u8]) -> Option<u8> {
    if let [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', after @ ..] = rest {
        let value = ((a - b'0') << 6) | ((b - b'0') << 3) | (c - b'0');
        *rest = after;
        return Some(value);
    }
    let (&byte, after) = rest.split_first()?;
    *rest = after;
    Some(byte)
}

/// The name of a record within its zone, from the full one: `\052.example.com.` is `*`.
pub(super) fn relative_name(full: &str, domain: &str) -> String {
    let (full, domain) = (full.trim_end_matches('.'), domain.trim_end_matches('.'));
    let at = full.len().checked_sub(domain.len());
    let within = match at.and_then(|at| full.split_at_checked(at)) {
        Some((head, tail)) if tail.eq_ignore_ascii_case(domain) => {
            if head.is_empty() {
                Some("")
            } else {
                head.strip_suffix('.')
            }
        }
        _ => None,
    };
    readable(within.unwrap_or(full))
}

/// A name whose escape codes are characters where these cannot be mistaken for something else.
fn readable(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut rest = name;
    while let Some((before, after)) = rest.split_once('\\') {
        out.push_str(before);
        let code = after.get(..3).and_then(|digits| u8::from_str_radix(digits, 8).ok());
        match code {
            // Not the dot within a label, nor what means something at the place of a name.
            Some(byte @ b'!'..=b'~') if !b".\\@\"".contains(&byte) => {
                out.push(char::from(byte));
                rest = after.get(3..).unwrap_or_default();
            }
            _ => {
                out.push('\\');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

/// The full name of a record of this zone. What cannot stand in a name is written by its code.
pub(super) fn full_name(name: &str, domain: &str) -> String {
    let domain = domain.trim_end_matches('.');
    let mut out = String::with_capacity(name.len() + 1 + domain.len());
    if !name.is_empty() && name != "@" {
        for byte in name.bytes() {
            if byte.is_ascii_graphic() {
                out.push(char::from(byte));
            } else {
                let _ = write!(out, "\\{byte:03o}");
            }
        }
        out.push('.');
    }
    out.push_str(domain);
    out
}

#[cfg(test)]
mod tests;
