//! Where credentials come from when the configuration does not hold them: the provider's own variables and files.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;

use crate::{Config, Error, ErrorKind, Result, Secret};

/// The variables and files of this process, or those of a test.
#[derive(Clone)]
pub struct Sources(Arc<Kind>);

enum Kind {
    System,
    Given { variables: BTreeMap<String, String>, files: BTreeMap<PathBuf, String> },
}

impl Sources {
    /// The environment of the process and the files of the machine.
    pub fn system() -> Self {
        Self(Arc::new(Kind::System))
    }

    /// These variables and files alone, for tests. The home folder is `/home/me`.
    pub fn of<'a>(
        variables: impl IntoIterator<Item = (&'a str, &'a str)>,
        files: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Self {
        let variables = variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        let files = files.into_iter().map(|(path, text)| (path.into(), text.into())).collect();
        Self(Arc::new(Kind::Given { variables, files }))
    }

    /// The value of a variable; an empty one is none.
    pub fn variable(&self, name: &str) -> Option<String> {
        let value = match &*self.0 {
            Kind::System => std::env::var(name).ok(),
            Kind::Given { variables, .. } => variables.get(name).cloned(),
        };
        value.filter(|value| !value.is_empty())
    }

    /// The text of a file; `None` if there is no such file.
    ///
    /// # Errors
    /// `Io` if there is one that cannot be read.
    pub fn file(&self, path: &Path) -> Result<Option<String>> {
        let read = match &*self.0 {
            Kind::System => std::fs::read_to_string(path),
            Kind::Given { files, .. } => {
                files.get(path).cloned().ok_or_else(|| io::ErrorKind::NotFound.into())
            }
        };
        match read {
            Ok(text) => Ok(Some(text)),
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                Ok(None)
            }
            Err(error) => Err(Error::io(format_args!("read {}", path.display()), error)),
        }
    }

    /// The user's home folder.
    pub fn home(&self) -> Option<PathBuf> {
        match &*self.0 {
            Kind::System => std::env::home_dir(),
            Kind::Given { .. } => Some("/home/me".into()),
        }
    }
}

impl fmt::Debug for Sources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match *self.0 {
            Kind::System => "Sources(system)",
            Kind::Given { .. } => "Sources(given)",
        })
    }
}

/// One place where something was looked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Look {
    /// What was looked for: `access key`.
    pub what: String,
    /// Where: `the configuration`, `the variable AWS_ACCESS_KEY_ID`.
    pub place: String,
    /// Whether it was there. Then it is what is used: nothing is looked for further than to the first find.
    pub found: bool,
}

/// A search for credentials that remembers where it looked, for [`Error`]s and for people who wonder.
///
/// ```
/// use libcloud_common::{Config, Search, Sources};
///
/// let sources = Sources::of([("EXAMPLE_TOKEN", "t-1")], []);
/// let mut search = Search::new(&sources);
/// let token = search.first("token", None, &["EXAMPLE_API_TOKEN", "EXAMPLE_TOKEN"]).unwrap();
/// assert_eq!(token.expose(), "t-1");
/// let looks: Vec<_> = search.looks().iter().map(|look| (look.place.as_str(), look.found)).collect();
/// assert_eq!(looks, [
///     ("the configuration", false),
///     ("the variable EXAMPLE_API_TOKEN", false),
///     ("the variable EXAMPLE_TOKEN", true),
/// ]);
/// ```
#[derive(Clone, Debug)]
pub struct Search {
    sources: Sources,
    looks: Vec<Look>,
}

impl Search {
    /// A search in these sources.
    pub fn new(sources: &Sources) -> Self {
        Self { sources: sources.clone(), looks: Vec::new() }
    }

    /// The sources.
    pub fn sources(&self) -> &Sources {
        &self.sources
    }

    /// Where it has looked, in order.
    pub fn looks(&self) -> &[Look] {
        &self.looks
    }

    /// Remembers a look at a place of any kind.
    pub fn note<T>(&mut self, what: &str, place: impl Into<String>, found: Option<T>) -> Option<T> {
        self.looks.push(Look { what: what.to_owned(), place: place.into(), found: found.is_some() });
        found
    }

    /// What the configuration says; an empty value is none.
    pub fn given(&mut self, what: &str, value: Option<&Secret>) -> Option<Secret> {
        let found = value.filter(|value| !value.is_empty()).cloned();
        self.note(what, "the configuration", found)
    }

    /// The value of a variable.
    pub fn variable(&mut self, what: &str, name: &str) -> Option<Secret> {
        let found = self.sources.variable(name).map(Secret::new);
        self.note(what, format!("the variable {name}"), found)
    }

    /// What the configuration says, else the first of these variables that is set.
    pub fn first(&mut self, what: &str, given: Option<&Secret>, variables: &[&str]) -> Option<Secret> {
        self.given(what, given).or_else(|| variables.iter().find_map(|name| self.variable(what, name)))
    }

    /// The error for what was found nowhere: it names every place where it could have been.
    pub fn missing(&self, what: &str) -> Error {
        let places: Vec<&str> =
            self.looks.iter().filter(|look| look.what == what).map(|look| look.place.as_str()).collect();
        let places = match places.as_slice() {
            [first @ .., last] if !first.is_empty() => format!("{} or {last}", first.join(", ")),
            few => few.concat(),
        };
        Error::new(ErrorKind::InvalidCredentials, format!("the {what} is missing: give it in {places}"))
    }
}

/// Looks for the credentials that a driver would use with this configuration. Does no I/O but the reading of files.
pub type FindCredentials = fn(&Config, &mut Search) -> Result<()>;

/// Who the provider says that the credentials belong to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Identity {
    /// The user: a name, an ARN.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The account, project or tenant that is charged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
}

impl Identity {
    /// This user of this account.
    pub fn new(user: Option<String>, account: Option<String>) -> Self {
        Self { user, account }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_told_with_all_its_places() {
        let mut search = Search::new(&Sources::of([("A", "")], []));
        assert_eq!(search.first("token", Some(&Secret::new("")), &["A", "B"]), None);
        let error = search.missing("token");
        assert_eq!(error.kind(), ErrorKind::InvalidCredentials);
        assert_eq!(
            error.to_string(),
            "the token is missing: give it in the configuration, the variable A or the variable B"
        );
    }

    #[test]
    fn a_file_that_is_not_there_is_none_and_one_that_cannot_be_read_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let system = Sources::system();
        assert_eq!(system.file(&folder.path().join("none")).unwrap(), None);
        assert_eq!(system.file(folder.path()).unwrap_err().kind(), ErrorKind::Io);
        let given = Sources::of([], [("/home/me/.x", "text")]);
        assert_eq!(given.file(Path::new("/home/me/.x")).unwrap().as_deref(), Some("text"));
        assert_eq!(given.file(Path::new("/home/me/.y")).unwrap(), None);
    }

    #[test]
    fn no_value_is_printed() {
        let sources = Sources::of([("A", "canary")], [("/f", "canary")]);
        let mut search = Search::new(&sources);
        search.variable("token", "A");
        assert!(!format!("{sources:?} {search:?}").contains("canary"));
    }
}
