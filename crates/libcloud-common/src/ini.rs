//! INI files, in which the tools of several providers keep credentials.

use std::collections::BTreeMap;

use crate::{Error, Result};

/// The sections of a file by name, each with its values by key.
pub type Sections = BTreeMap<String, BTreeMap<String, String>>;

/// Reads `[section]`, `key = value` or `key: value`, and lines that begin with `#` or `;` as comments. Keys are in lower case,
/// as Python's `configparser` takes them; of two equal ones the last counts. What comes before the first section has the
/// empty name.
///
/// # Errors
/// `InvalidArgument` for a line that is none of these. It tells the number of the line, never the line: that may be a secret.
///
/// ```
/// let sections = libcloud_common::ini::parse("[cloudstack]\nkey = AbC=\n; a comment\n")?;
/// assert_eq!(sections["cloudstack"]["key"], "AbC=");
/// # Ok::<(), libcloud_common::Error>(())
/// ```
pub fn parse(text: &str) -> Result<Sections> {
    let mut sections = Sections::new();
    let mut section = String::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim_start_matches('\u{feff}').trim();
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            name.trim().clone_into(&mut section);
            sections.entry(section.clone()).or_default();
        } else if let Some((key, value)) =
            line.split_once(['=', ':']).filter(|(key, _)| !key.trim().is_empty())
        {
            let values = sections.entry(section.clone()).or_default();
            values.insert(key.trim().to_lowercase(), value.trim().to_owned());
        } else {
            return Err(Error::invalid_argument(format!(
                "line {number} is neither `[section]` nor `key = value`"
            )));
        }
    }
    Ok(sections)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sections_have_values() {
        let text = "\u{feff}top = 1\r\n[a]\r\nKey = x = y\r\n# key = no\nurl: https://cloud.example:8080/api\n[ b ]\n\n\
                    [a]\nkey=z\nempty =\n";
        let sections = parse(text).unwrap();
        assert_eq!(sections[""]["top"], "1");
        assert_eq!(sections["a"]["key"], "z");
        assert_eq!(sections["a"]["url"], "https://cloud.example:8080/api");
        assert_eq!(sections["a"]["empty"], "");
        assert!(sections["b"].is_empty());
    }

    #[test]
    fn a_line_that_is_neither_is_told_by_its_number_alone() {
        for text in ["[a]\ncanary", "[a]\n= canary", "[a]\n[canary"] {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.starts_with("line 2 ") && !error.contains("canary"), "{error}");
        }
    }

    proptest! {
        #[test]
        fn nothing_panics(text in any::<String>()) {
            let _ = parse(&text);
        }
    }
}
