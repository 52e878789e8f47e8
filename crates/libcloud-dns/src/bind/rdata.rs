//! The data of each type of record, field by field.

use std::borrow::Cow;

use super::{name, text};
use crate::resources::Record;

/// One field of the data.
#[derive(Clone, Copy, Debug)]
pub(super) enum Field {
    /// An IPv4 address.
    Ipv4,
    /// An IPv6 address.
    Ipv6,
    /// A number of 16 bits.
    Number,
    /// A word that is passed on.
    Word,
    /// A domain name.
    Name,
    /// A mailbox as a domain name.
    Mailbox,
    /// One string, quoted or not.
    Text,
    /// The rest: one string, quoted or not.
    Value,
    /// The rest: any number of strings, quoted, or else one text.
    Texts,
    /// The rest: words that are passed on.
    Rest,
}

use Field::{Ipv4, Ipv6, Mailbox, Name, Number, Rest, Text, Texts, Value, Word};

/// The fields of a type; `None` for those that are no type of the DNS.
pub(super) fn fields(type_: &str) -> Option<&'static [Field]> {
    Some(match type_ {
        "A" => &[Ipv4],
        "AAAA" => &[Ipv6],
        "NS" | "CNAME" | "PTR" | "DNAME" => &[Name],
        "MX" | "AFSDB" | "KX" | "LP" => &[Number, Name],
        "SRV" => &[Number, Number, Number, Name],
        "SOA" => &[Name, Mailbox, Word, Word, Word, Word, Word],
        "RP" => &[Mailbox, Name],
        "TXT" | "SPF" => &[Texts],
        "HINFO" => &[Text, Text],
        "NAPTR" => &[Number, Number, Text, Text, Text, Name],
        "CAA" => &[Number, Word, Value],
        "URI" => &[Number, Number, Value],
        "HTTPS" | "SVCB" => &[Number, Name, Rest],
        "NSEC" => &[Name, Word, Rest],
        "RRSIG" => &[Word, Word, Word, Word, Word, Word, Word, Name, Word, Rest],
        "APL" => &[Rest],
        "CDNSKEY" | "CDS" | "CERT" | "CSYNC" | "DHCID" | "DNSKEY" | "DS" | "EUI48" | "EUI64" | "KEY"
        | "L32" | "L64" | "LOC" | "NID" | "NSEC3" | "NSEC3PARAM" | "OPENPGPKEY" | "SMIMEA" | "SSHFP"
        | "TLSA" | "WKS" | "ZONEMD" => &[Word, Rest],
        other if is_numbered(other) => &[Word, Rest],
        _ => return None,
    })
}

/// `TYPE65280`: a type without a name ([RFC 3597](https://www.rfc-editor.org/rfc/rfc3597)).
fn is_numbered(type_: &str) -> bool {
    type_.strip_prefix("TYPE").is_some_and(|number| {
        number.bytes().all(|digit| digit.is_ascii_digit()) && number.parse::<u16>().is_ok()
    })
}

/// Writes the data. Priority, weight and port that are not in it come from the record.
pub(super) fn write(fields: &[Field], record: &Record, origin: &str) -> Result<String, Cow<'static, str>> {
    let mut data = match fields {
        // Blanks around a text belong to it.
        [Texts] => record.data.as_str(),
        _ => record.data.trim_ascii(),
    };
    let mut parts = numbers_apart(record, fields.len())?;
    let fields = fields.get(parts.len()..).unwrap_or_default();
    for (position, field) in fields.iter().enumerate() {
        match field {
            Texts => parts.push(text::strings(std::mem::take(&mut data))),
            Rest => {
                while let Some(word) = text::take_word(&mut data)? {
                    parts.push(text::plain(word)?.to_owned());
                }
            }
            _ if data.trim_ascii().is_empty() => {
                return Err(format!("its data has {position} of at least {} parts", least(fields)).into());
            }
            Value => parts.push(text::value(std::mem::take(&mut data).trim_ascii())),
            field => {
                let word = text::take_word(&mut data)?.unwrap_or_default();
                parts.push(one_word(*field, word, origin)?);
            }
        }
    }
    if let Some(word) = text::take_word(&mut data)? {
        return Err(format!("its data has more than {} parts: {word:?}", fields.len()).into());
    }
    // The seed sets the priority apart by a tab.
    Ok(match (record.type_.as_str(), parts.split_first()) {
        ("MX" | "SRV", Some((priority, rest))) => format!("{priority}\t{}", rest.join(" ")),
        _ => parts.join(" "),
    })
}

fn least(fields: &[Field]) -> usize {
    fields.iter().filter(|field| !matches!(field, Rest)).count()
}

fn one_word(field: Field, word: &str, origin: &str) -> Result<String, Cow<'static, str>> {
    match field {
        Ipv4 => match word.parse::<std::net::Ipv4Addr>() {
            Ok(_) => Ok(word.to_owned()),
            Err(_) => Err(format!("{word:?} is no IPv4 address").into()),
        },
        Ipv6 => match word.parse::<std::net::Ipv6Addr>() {
            Ok(_) => Ok(word.to_owned()),
            Err(_) => Err(format!("{word:?} is no IPv6 address").into()),
        },
        Number => match word.parse::<u16>() {
            Ok(number) => Ok(number.to_string()),
            Err(_) => Err(format!("{word:?} is no number up to 65535").into()),
        },
        Name => name::target(word, origin),
        Mailbox => name::mailbox(word, origin),
        Text => text::string(word),
        Word | Value | Texts | Rest => text::plain(word).map(str::to_owned),
    }
}

/// The numbers of an MX or SRV record that are not in its data. Data of one part lacks all, of three parts the first.
fn numbers_apart(record: &Record, fields: usize) -> Result<Vec<String>, Cow<'static, str>> {
    let needed: &[(&str, Option<u16>)] = match record.type_.as_str() {
        "MX" => &[("priority", record.priority())],
        "SRV" => &[("priority", record.priority()), ("weight", record.weight()), ("port", record.port())],
        _ => return Ok(Vec::new()),
    };
    let parts = record.data.split_ascii_whitespace().count();
    let missing = fields.saturating_sub(parts.max(1));
    needed
        .iter()
        .take(missing)
        .map(|(what, number)| match number {
            Some(number) => Ok(number.to_string()),
            None => Err(format!("it has no {what}").into()),
        })
        .collect()
}
