//! Domain names as zone files write them.

use std::borrow::Cow;

use super::text::{push_byte, take_byte, unescaped};

/// The longest label and name, in bytes ([RFC 1035, section 2.3.4](https://www.rfc-editor.org/rfc/rfc1035#section-2.3.4)).
const MAX_LABEL: usize = 63;
const MAX_NAME: usize = 255;

/// What means something in a name, or at its place in a line.
const SPECIAL: &[u8] = b"\"$().;@\\ ";

/// A full name, with or without a dot at its end, as it is written.
pub(super) fn absolute(name: &str) -> Result<String, Cow<'static, str>> {
    write(&labels(name)?)
}

/// The name of a record of this zone, as it is written.
pub(super) fn owner(name: &str, origin: &str) -> Result<String, Cow<'static, str>> {
    let name = name.trim_ascii();
    if name.is_empty() || name == "@" {
        return Ok(origin.to_owned());
    }
    let written = absolute(name)?;
    if is_within(&written, origin) {
        return Ok(written);
    }
    if ends_in_dot(name) {
        return Err(format!("`{name}` is not within {origin}").into());
    }
    let mut all = labels(name)?;
    all.extend(labels(origin)?);
    write(&all)
}

/// A name in the data of a record, as it is written: `@` is the zone itself.
pub(super) fn target(name: &str, origin: &str) -> Result<String, Cow<'static, str>> {
    if name == "@" {
        return Ok(origin.to_owned());
    }
    absolute(name)
}

/// A mailbox in the data of a record; one that is written `me@example.com` loses its `@`.
pub(super) fn mailbox(name: &str, origin: &str) -> Result<String, Cow<'static, str>> {
    match name.rsplit_once('@') {
        Some((local, domain)) if !local.is_empty() && !local.ends_with('\\') => {
            let mut all = vec![unescaped(local)?];
            all.extend(labels(domain)?);
            write(&all)
        }
        _ => target(name, origin),
    }
}

/// Whether a dot at the end is one that separates: the backslashes before it do not escape it.
fn ends_in_dot(name: &str) -> bool {
    name.strip_suffix('.').is_some_and(|rest| {
        let backslashes = rest.len() - rest.trim_end_matches('\\').len();
        backslashes % 2 == 0
    })
}

/// Whether a written name is the zone's or within it.
fn is_within(name: &str, origin: &str) -> bool {
    if origin == "." {
        return true;
    }
    let Some((head, tail)) = name.len().checked_sub(origin.len()).and_then(|at| name.split_at_checked(at))
    else {
        return false;
    };
    tail.eq_ignore_ascii_case(origin) && (head.is_empty() || ends_in_dot(head))
}

/// The labels of a name, as bytes. The root has none.
fn labels(name: &str) -> Result<Vec<Vec<u8>>, Cow<'static, str>> {
    if name == "." {
        return Ok(Vec::new());
    }
    let mut rest = name.as_bytes();
    let mut labels = Vec::new();
    let mut label = Vec::new();
    // A label in which bytes beyond ASCII are escaped is meant as these bytes.
    let mut is_text = false;
    while let Some((byte, escaped)) = take_byte(&mut rest)? {
        if byte == b'.' && !escaped {
            labels.push(finish(name, &mut label, &mut is_text)?);
        } else if escaped || byte.is_ascii_graphic() || !byte.is_ascii() {
            is_text |= !escaped && !byte.is_ascii();
            label.push(byte);
        } else {
            return Err(format!("the name {name:?} has a blank or a control character").into());
        }
    }
    if !label.is_empty() || labels.is_empty() {
        labels.push(finish(name, &mut label, &mut is_text)?);
    }
    Ok(labels)
}

/// Ends a label: one in another script becomes what IDNA has for it.
fn finish(name: &str, label: &mut Vec<u8>, is_text: &mut bool) -> Result<Vec<u8>, Cow<'static, str>> {
    let label = std::mem::take(label);
    if !std::mem::take(is_text) {
        return Ok(label);
    }
    match idna::domain_to_ascii_cow(&label, idna::AsciiDenyList::EMPTY) {
        Ok(ascii) if !ascii.contains('.') => Ok(ascii.into_owned().into_bytes()),
        _ => {
            let label = String::from_utf8_lossy(&label);
            Err(format!("`{label}` in the name `{name}` is no internationalised label").into())
        }
    }
}

fn write(labels: &[Vec<u8>]) -> Result<String, Cow<'static, str>> {
    if labels.is_empty() {
        return Ok(".".to_owned());
    }
    let mut out = String::new();
    for label in labels {
        if label.is_empty() {
            return Err("a name has an empty label (two dots, or one at its beginning)".into());
        }
        if label.len() > MAX_LABEL {
            return Err(format!("a label of {} bytes is longer than {MAX_LABEL}", label.len()).into());
        }
        for &byte in label {
            push_byte(&mut out, byte, SPECIAL);
        }
        out.push('.');
    }
    let length = labels.iter().map(|label| label.len() + 1).sum::<usize>() + 1;
    if length > MAX_NAME {
        return Err(format!("a name of {length} bytes is longer than {MAX_NAME}").into());
    }
    Ok(out)
}
