//! Which names there can be.
//!
//! <https://learn.microsoft.com/rest/api/storageservices/naming-and-referencing-containers--blobs--and-metadata>

use libcloud_common::Result;
use libcloud_storage::rest::invalid_name;

/// The longest name of a blob, in characters.
const LONGEST_BLOB: usize = 1024;

/// Containers that Azure gives a meaning.
const SPECIAL: [&str; 3] = ["$root", "$web", "$logs"];

/// Checks the name of a container that is to be made.
pub(super) fn new_container(name: &str) -> Result<()> {
    let edge = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let problem = if SPECIAL.contains(&name) {
        return Ok(());
    } else if !(3..=63).contains(&name.len()) {
        "must have 3 to 63 characters"
    } else if !name.chars().all(|c| edge(c) || c == '-') {
        "must have only lower-case letters, digits and hyphens"
    } else if !name.starts_with(edge) || !name.ends_with(edge) {
        "must begin and end with a letter or digit"
    } else if name.contains("--") {
        "must not have two hyphens in a row"
    } else {
        return Ok(());
    };
    Err(invalid_name("container", name, problem))
}

/// Checks a blob's name: any text that is not empty and not too long, and that Azure keeps as it is. Of a backslash it
/// makes a slash, without a word, so that this would be another blob.
pub(super) fn blob(name: &str) -> Result<()> {
    if name.is_empty() {
        return Err(invalid_name("object", name, "is empty"));
    }
    if name.chars().count() > LONGEST_BLOB {
        return Err(invalid_name("object", name, "has more than 1024 characters"));
    }
    if name.contains('\\') {
        return Err(invalid_name("object", name, "has a backslash, of which Azure makes a slash"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use libcloud_common::ErrorKind;

    use super::*;

    #[test]
    fn new_containers_follow_azures_rules() {
        for name in ["abc", "my-photos-1", "1-2", "$root", "$web", &"x".repeat(63)] {
            assert!(new_container(name).is_ok(), "{name}");
        }
        for (name, problem) in [
            ("", "3 to 63"),
            ("ab", "3 to 63"),
            (&*"x".repeat(64), "3 to 63"),
            ("new_container", "only lower-case"),
            ("Photos", "only lower-case"),
            ("a.b", "only lower-case"),
            ("$logs2", "only lower-case"),
            ("-abc", "begin and end"),
            ("abc-", "begin and end"),
            ("a--b", "two hyphens"),
        ] {
            let error = new_container(name).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidName);
            assert!(error.to_string().contains(problem), "{error}");
        }
    }

    #[test]
    fn blobs_have_any_name_that_is_not_too_long() {
        for name in ["/", "..", "a//b", "\0", &"ü".repeat(1024)] {
            assert!(blob(name).is_ok(), "{name}");
        }
        for name in ["", "a\\b", &"ü".repeat(1025)] {
            assert_eq!(blob(name).unwrap_err().kind(), ErrorKind::InvalidName);
        }
    }
}
