//! Which names are sent: what would make another request of it never is.

use libcloud_common::Result;
use libcloud_storage::rest::invalid_name;

/// The longest name of an object, in bytes of UTF-8.
const LONGEST_KEY: usize = 1024;

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
    Err(invalid_name("container", name, problem))
}

/// Checks an object's name: any text that is not empty and not too long.
pub(crate) fn object(name: &str) -> Result<()> {
    if name.is_empty() {
        return Err(invalid_name("object", name, "is empty"));
    }
    if name.len() > LONGEST_KEY {
        return Err(invalid_name("object", name, "has more than 1024 bytes"));
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

#[cfg(test)]
mod tests {
    use libcloud_common::ErrorKind;

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
