//! The digests by which content is checked.

use std::fmt;

use libcloud_common::{Error, ErrorKind, Result};
use md5::{Digest as _, Md5};

/// A digest that providers tell of an object's content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HashType {
    /// MD5, 32 hexadecimal digits.
    Md5,
}

impl fmt::Display for HashType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Md5 => f.write_str("md5"),
        }
    }
}

/// A digest in the making.
#[derive(Clone, Debug)]
pub(crate) enum Hasher {
    Md5(Md5),
}

impl Hasher {
    pub(crate) fn new(hash_type: HashType) -> Self {
        match hash_type {
            HashType::Md5 => Self::Md5(Md5::new()),
        }
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Md5(md5) => md5.update(bytes),
        }
    }

    pub(crate) fn hex(self) -> String {
        match self {
            Self::Md5(md5) => hex::encode(md5.finalize()),
        }
    }
}

/// Compares two digests of an object's content.
pub(crate) fn verify(object_name: &str, told: &str, computed: &str) -> Result<()> {
    let told = told.trim_matches('"');
    if told.eq_ignore_ascii_case(computed) {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::HashMismatch,
        format!("object `{object_name}`: the provider tells the checksum {told}, the content has {computed}"),
    )
    .with_resource("object", object_name))
}
