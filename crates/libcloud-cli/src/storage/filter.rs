//! Which of many names are meant.

use clap::Args;
use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use libcloud::{Error, Result};

/// The arguments by which names are chosen.
#[derive(Debug, Default, Args)]
pub(crate) struct FilterArgs {
    /// Only names like this (*.jpg, 2024/**); may be given several times
    #[arg(long, value_name = "PATTERN")]
    include: Vec<String>,
    /// No names like this; counts more than --include
    #[arg(long, value_name = "PATTERN")]
    exclude: Vec<String>,
}

/// What the arguments choose.
#[derive(Clone, Debug)]
pub(crate) struct Filter {
    /// None: every name.
    include: Option<GlobSet>,
    exclude: GlobSet,
}

impl FilterArgs {
    /// # Errors
    /// `InvalidArgument` for what is no pattern.
    pub(crate) fn filter(&self) -> Result<Filter> {
        let include = if self.include.is_empty() { None } else { Some(set("include", &self.include)?) };
        Ok(Filter { include, exclude: set("exclude", &self.exclude)? })
    }

    pub(crate) fn is_given(&self) -> bool {
        !self.include.is_empty() || !self.exclude.is_empty()
    }
}

impl Filter {
    /// Whether a name, below the folder or prefix that is worked on, is chosen.
    pub(crate) fn takes(&self, name: &str) -> bool {
        self.include.as_ref().is_none_or(|include| include.is_match(name)) && !self.exclude.is_match(name)
    }
}

/// A pattern without a slash is compared with the last part of a name, one with a slash with all of it.
fn set(argument: &'static str, patterns: &[String]) -> Result<GlobSet> {
    let wrong = |error: &globset::Error| {
        Error::invalid_argument(format!("--{argument}: {error}")).with_resource("argument", argument)
    };
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        let anywhere = if pattern.contains('/') { pattern.clone() } else { format!("**/{pattern}") };
        let glob =
            GlobBuilder::new(&anywhere).literal_separator(true).build().map_err(|error| wrong(&error))?;
        set.add(glob);
    }
    set.build().map_err(|error| wrong(&error))
}

#[cfg(test)]
mod tests {
    use libcloud::ErrorKind;

    use super::*;

    fn chosen(include: &[&str], exclude: &[&str]) -> Vec<&'static str> {
        let texts = |patterns: &[&str]| patterns.iter().map(|pattern| (*pattern).to_owned()).collect();
        let filter = FilterArgs { include: texts(include), exclude: texts(exclude) }.filter().unwrap();
        ["a.jpg", "a.txt", "2024/a.jpg", "2024/01/b.jpg", "2024/01/.hidden"]
            .into_iter()
            .filter(|name| filter.takes(name))
            .collect()
    }

    #[test]
    fn patterns_choose_names() {
        assert_eq!(chosen(&[], &[]).len(), 5);
        assert_eq!(chosen(&["*.jpg"], &[]), ["a.jpg", "2024/a.jpg", "2024/01/b.jpg"]);
        assert_eq!(chosen(&["2024/*.jpg"], &[]), ["2024/a.jpg"]);
        assert_eq!(chosen(&["2024/**"], &["*.jpg"]), ["2024/01/.hidden"]);
        assert_eq!(chosen(&["a.{jpg,txt}"], &["2024/**"]), ["a.jpg", "a.txt"]);
        assert_eq!(chosen(&[], &["**"]), Vec::<&str>::new());
    }

    #[test]
    fn what_is_no_pattern_is_told() {
        let wrong = FilterArgs { include: vec!["[a".into()], exclude: vec![] }.filter().unwrap_err();
        assert_eq!(wrong.kind(), ErrorKind::InvalidArgument);
        assert!(wrong.to_string().contains("--include"), "{wrong}");
    }
}
