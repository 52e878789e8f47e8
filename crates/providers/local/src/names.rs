//! Which names containers and objects can have: those that lead to one place below the base folder.

use libcloud_common::{Error, ErrorKind, Result};

/// Where the driver keeps what is not an object.
pub(crate) const HIDDEN: &str = ".libcloud";

/// The longest name of a file on the systems that we know.
const LONGEST: usize = 255;

/// Checks a container's name: one part of a path.
pub(crate) fn container(name: &str) -> Result<()> {
    let problem = if name.contains('/') {
        Some("has a slash")
    } else if name == HIDDEN {
        Some("is the driver's own")
    } else {
        problem_of(name)
    };
    problem.map_or(Ok(()), |problem| Err(invalid("container", name, problem)))
}

/// Checks an object's name: parts of a path with single slashes between them.
pub(crate) fn object(name: &str) -> Result<()> {
    match name.split('/').find_map(problem_of) {
        Some(problem) => Err(invalid("object", name, problem)),
        None => Ok(()),
    }
}

/// What keeps this from being one part of a path.
pub(crate) fn problem_of(part: &str) -> Option<&'static str> {
    if part.is_empty() {
        Some("is empty, or has an empty part: at its start, its end or between two slashes")
    } else if part == "." || part == ".." {
        Some("has a part `.` or `..`")
    } else if part.contains('\0') {
        Some("has a null byte")
    } else if part.len() > LONGEST {
        Some("has a part of more than 255 bytes")
    } else if cfg!(windows) && part.contains(['\\', ':']) {
        Some("has a backslash or colon")
    } else {
        None
    }
}

/// The error for a name that cannot be used.
pub(crate) fn invalid(resource: &'static str, name: &str, problem: &str) -> Error {
    Error::new(ErrorKind::InvalidName, format!("{resource} name `{}` {problem}", name.escape_debug()))
        .with_resource(resource, name)
}

#[cfg(test)]
mod tests {
    use std::path::{Component, Path, PathBuf};

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ordinary_and_odd_names_pass() {
        for name in ["a", ".a", "..a", "a b", "grüße", "a\nb", "-", "~", "%2e%2e", "a:b"] {
            assert!(container(name).is_ok(), "{name}");
            assert!(object(&format!("x/{name}")).is_ok(), "{name}");
        }
        assert!(object(".libcloud/tmp").is_ok());
    }

    #[test]
    fn what_leads_elsewhere_does_not() {
        for name in ["", "/", "a/", "/a", "a//b", "..", "a/..", "../a", "./a", "a/./b", "a\0b"] {
            assert_eq!(object(name).unwrap_err().kind(), ErrorKind::InvalidName, "{name}");
            assert_eq!(container(name).unwrap_err().kind(), ErrorKind::InvalidName, "{name}");
        }
        let long = "x".repeat(256);
        assert!(object(&long).is_err() && container(&long).is_err());
        assert!(container("a/b").unwrap_err().to_string().contains("slash"));
        assert!(container(HIDDEN).is_err());
    }

    proptest! {
        #[test]
        fn what_passes_stays_below_the_base(name in "[./a\\\\\0é~-]{0,12}") {
            if object(&name).is_ok() {
                let parts: Vec<_> = Path::new(&name).components().collect();
                prop_assert!(parts.iter().all(|part| matches!(part, Component::Normal(_))));
                // And no two names are the same file.
                let path: PathBuf = parts.iter().collect();
                prop_assert_eq!(path.to_str(), Some(name.as_str()));
            }
        }
    }
}
