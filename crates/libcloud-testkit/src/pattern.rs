//! What a text must be: this one, or one of this form.

use std::fmt;

use regex::Regex;

/// What a header, query or body must be. A `&str` or `String` stands for exactly this text; see [`matching`].
#[derive(Clone)]
pub struct Pattern(Kind);

#[derive(Clone)]
enum Kind {
    Exact(String),
    Regex(Regex),
}

/// A text that this regular expression matches from its beginning to its end.
///
/// ```
/// use libcloud_testkit::matching;
///
/// assert!(matching("[0-9a-f]{4}").matches("00ff"));
/// assert!(!matching("[0-9a-f]{4}").matches("00ff0"));
/// ```
pub fn matching(regex: &str) -> Pattern {
    let whole = format!("^(?s:{regex})$");
    Pattern(Kind::Regex(Regex::new(&whole).unwrap_or_else(|error| panic!("{error}"))))
}

impl Pattern {
    /// Whether the text is as it must be.
    pub fn matches(&self, text: &str) -> bool {
        match &self.0 {
            Kind::Exact(exact) => exact == text,
            Kind::Regex(regex) => regex.is_match(text),
        }
    }

    /// The text, where there is only one that matches.
    pub(crate) fn exact(&self) -> Option<&str> {
        match &self.0 {
            Kind::Exact(exact) => Some(exact),
            Kind::Regex(_) => None,
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Exact(exact) => f.write_str(exact),
            Kind::Regex(regex) => write!(f, "(matching {regex})"),
        }
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pattern({self})")
    }
}

impl From<&str> for Pattern {
    fn from(text: &str) -> Self {
        Self(Kind::Exact(text.to_owned()))
    }
}

impl From<String> for Pattern {
    fn from(text: String) -> Self {
        Self(Kind::Exact(text))
    }
}

impl From<&String> for Pattern {
    fn from(text: &String) -> Self {
        Self(Kind::Exact(text.clone()))
    }
}
