//! Where an object is: `provider:container/name`.

use std::fmt;
use std::str::FromStr;

use libcloud::storage::{Container, Object};
use libcloud::{Error, Result};

/// The place of an object, or of those whose names begin alike.
///
/// `container/name` is at --provider; `provider:container/name` at the provider, or of the profile, of that name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    /// A profile or a provider; that of the arguments without.
    pub(crate) provider: Option<String>,
    pub(crate) container: String,
    /// The object's name, which may be empty.
    pub(crate) name: String,
}

impl Address {
    /// The address, if the text has a colon that makes it one: `C:\` and `./a:b` are paths.
    pub(crate) fn with_colon(text: &str) -> Option<Self> {
        let (provider, rest) = text.split_once(':')?;
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let is_drive = provider.len() == 1 && cfg!(windows);
        if !provider.chars().all(is_name) || provider.starts_with('.') || is_drive {
            return None;
        }
        let (container, name) = rest.split_once('/').unwrap_or((rest, ""));
        let provider = (!provider.is_empty()).then(|| provider.to_owned());
        Some(Self { provider, container: container.to_owned(), name: name.to_owned() })
    }

    pub(crate) fn container(&self) -> Container {
        Container::from_id(self.container.as_str())
    }

    /// The object, of which only the names are known.
    pub(crate) fn object(&self) -> Result<Object> {
        if self.container.is_empty() || self.name.is_empty() {
            return Err(Error::invalid_argument(format!("`{self}` names no object; give container/name")));
        }
        Ok(Object::from_names(self.container.as_str(), self.name.as_str()))
    }

    /// The names of all that is in it as if it were a folder begin so.
    pub(crate) fn folder_prefix(&self) -> String {
        if self.name.is_empty() || self.name.ends_with('/') {
            self.name.clone()
        } else {
            format!("{}/", self.name)
        }
    }

    /// The same place and this name.
    pub(crate) fn with_name(&self, name: impl Into<String>) -> Self {
        Self { name: name.into(), ..self.clone() }
    }
}

impl FromStr for Address {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let address = Self::with_colon(text).unwrap_or_else(|| {
            let (container, name) = text.split_once('/').unwrap_or((text, ""));
            Self { provider: None, container: container.to_owned(), name: name.to_owned() }
        });
        if address.container.is_empty() && !address.name.is_empty() {
            return Err(Error::invalid_argument(format!(
                "`{text}` names no container; an address is container/name or provider:container/name"
            )));
        }
        Ok(address)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(provider) = &self.provider {
            write!(f, "{provider}:")?;
        }
        write!(f, "{}", self.container)?;
        if self.name.is_empty() { Ok(()) } else { write!(f, "/{}", self.name) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> (Option<String>, String, String) {
        let address: Address = text.parse().unwrap();
        (address.provider, address.container, address.name)
    }

    #[test]
    fn the_parts_of_an_address() {
        let expect = |provider: &str, container: &str, name: &str| {
            (Some(provider.to_owned()).filter(|name| !name.is_empty()), container.to_owned(), name.to_owned())
        };
        assert_eq!(parts("s3:box/a/b"), expect("s3", "box", "a/b"));
        assert_eq!(parts("box/a:b"), expect("", "box", "a:b"));
        assert_eq!(parts(":box/a"), expect("", "box", "a"));
        assert_eq!(parts("box"), expect("", "box", ""));
        assert_eq!(parts("s3:"), expect("s3", "", ""));
        assert_eq!(parts("s3:box//a/"), expect("s3", "box", "/a/"));
        assert!("/a".parse::<Address>().is_err());
        assert!("s3:/a".parse::<Address>().is_err());
    }

    #[test]
    fn paths_are_no_addresses() {
        for path in ["./s3:box", "/tmp/a:b", "plain", "..:a"] {
            assert_eq!(Address::with_colon(path), None, "{path}");
        }
    }

    #[test]
    fn it_is_written_as_it_is_read() {
        for text in ["s3:box/a/b", "box/a", "box", "s3:box//a/"] {
            assert_eq!(text.parse::<Address>().unwrap().to_string(), text);
        }
    }
}
