//! Which names are sent: what would make another request of it never is.

use libcloud_common::{Error, ErrorKind, Result};

/// The longest name of an object, in bytes of UTF-8.
const LONGEST_KEY: usize = 1024;

/// Checks that a container's name stays one part of a path. Without it, `DELETE` of an object in a container without a name would
/// be that of a container.
pub(crate) fn container(name: &str) -> Result<()> {
    let problem = match name {
        "" => "is empty",
        "." | ".." => "is a part of a path that leads elsewhere",
        _ if name.contains('/') => "has a slash",
        _ if name.contains(char::is_control) => "has a control character",
        _ => return Ok(()),
    };
    Err(invalid("container", name, problem))
}

/// Checks the name of a container that is to be made at Amazon.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html>
pub(crate) fn new_container(name: &str) -> Result<()> {
    const PREFIXES: [&str; 3] = ["xn--", "sthree-", "amzn-s3-demo-"];
    const SUFFIXES: [&str; 5] = ["-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"];
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.');
    let edge = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let problem = if !(3..=63).contains(&name.len()) {
        "must have 3 to 63 characters"
    } else if !name.chars().all(inner) {
        "must have only lower-case letters, digits, hyphens and dots"
    } else if !name.starts_with(edge) || !name.ends_with(edge) {
        "must begin and end with a letter or digit"
    } else if name.contains("..") {
        "must not have two dots in a row"
    } else if name.parse::<std::net::Ipv4Addr>().is_ok() {
        "must not look like an IP address"
    } else if PREFIXES.iter().any(|prefix| name.starts_with(prefix))
        || SUFFIXES.iter().any(|suffix| name.ends_with(suffix))
    {
        "begins or ends with what Amazon keeps for itself"
    } else {
        return Ok(());
    };
    Err(invalid("container", name, problem))
}

/// Checks an object's name: any text that is not empty and not too long.
pub(crate) fn object(name: &str) -> Result<()> {
    if name.is_empty() {
        return Err(invalid("object", name, "is empty"));
    }
    if name.len() > LONGEST_KEY {
        return Err(invalid("object", name, "has more than 1024 bytes"));
    }
    Ok(())
}

/// Whether a container can be part of a host name that the certificate of Amazon covers: one label, without dots.
pub(crate) fn is_label(name: &str) -> bool {
    let edge = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    (3..=63).contains(&name.len())
        && name.chars().all(|c| edge(c) || c == '-')
        && name.starts_with(edge)
        && name.ends_with(edge)
}

fn invalid(resource: &'static str, name: &str, problem: &str) -> Error {
    Error::new(ErrorKind::InvalidName, format!("{resource} name `{}` {problem}", name.escape_debug()))
        .with_resource(resource, name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_containers_follow_amazons_rules() {
        for name in ["abc", "a.b", "my-bucket-1", "1.2.3", &"x".repeat(63)] {
            assert!(new_container(name).is_ok(), "{name}");
        }
        for (name, problem) in [
            ("ab", "3 to 63"),
            (&*"x".repeat(64), "3 to 63"),
            ("new_container", "only lower-case"),
            ("Photos", "only lower-case"),
            ("fünf", "only lower-case"),
            ("-abc", "begin and end"),
            ("abc.", "begin and end"),
            ("a..b", "two dots"),
            ("192.168.5.4", "IP address"),
            ("xn--abc", "keeps for itself"),
            ("abc--ol-s3", "keeps for itself"),
        ] {
            let error = new_container(name).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidName);
            assert!(error.to_string().contains(problem), "{error}");
        }
    }

    #[test]
    fn what_would_be_another_request_is_refused() {
        for name in ["", ".", "..", "a/b", "a\nb"] {
            assert_eq!(container(name).unwrap_err().kind(), ErrorKind::InvalidName, "{name}");
        }
        // Old ones at Amazon, and those of other installations.
        for name in ["New_Container", "ab", "a..b", "grüße"] {
            assert!(container(name).is_ok(), "{name}");
        }
        assert_eq!(object("").unwrap_err().kind(), ErrorKind::InvalidName);
        assert_eq!(object(&"ü".repeat(513)).unwrap_err().kind(), ErrorKind::InvalidName);
        for name in ["/", "..", "a//b", "\0", &"ü".repeat(512)] {
            assert!(object(name).is_ok(), "{name}");
        }
    }

    #[test]
    fn only_labels_become_hosts() {
        assert!(is_label("photos-2013"));
        for name in ["a.b", "New_Container", "ab", "-ab", "ab-", "a/b", "a@b", &"x".repeat(64)] {
            assert!(!is_label(name), "{name}");
        }
    }
}
