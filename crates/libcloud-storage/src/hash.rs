//! The digests by which content is checked.

use std::fmt;

use crc_fast::CrcAlgorithm;
use libcloud_common::{Error, ErrorKind, Result, encode};
use md5::{Digest as _, Md5};
use ring::digest::{Context, SHA256};

/// A digest that providers tell of an object's content, or compare with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum HashType {
    /// MD5, 32 hexadecimal digits. The slowest of all: some 0.6 GB a second.
    Md5,
    /// SHA-256, 64 hexadecimal digits.
    Sha256,
    /// CRC-32 with Castagnoli's polynomial (RFC 3720), 8 hexadecimal digits.
    Crc32c,
    /// CRC-64 of the NVM Express command set, 16 hexadecimal digits. Next to nothing on today's processors.
    Crc64Nvme,
}

impl fmt::Display for HashType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Md5 => "md5",
            Self::Sha256 => "sha256",
            Self::Crc32c => "crc32c",
            Self::Crc64Nvme => "crc64nvme",
        })
    }
}

/// A digest in the making.
///
/// ```
/// use libcloud_storage::{HashType, Hasher};
///
/// let mut hasher = Hasher::new(HashType::Crc64Nvme);
/// hasher.update(b"12345");
/// hasher.update(b"6789");
/// assert_eq!(hasher.finish().hex(), "ae8b14860a799888");
/// ```
#[derive(Clone)]
pub struct Hasher(State);

#[derive(Clone)]
enum State {
    Md5(Md5),
    Sha256(Context),
    Crc(HashType, crc_fast::Digest),
}

impl Hasher {
    /// Of nothing so far.
    pub fn new(hash_type: HashType) -> Self {
        Self(match hash_type {
            HashType::Md5 => State::Md5(Md5::new()),
            HashType::Sha256 => State::Sha256(Context::new(&SHA256)),
            HashType::Crc32c => State::Crc(hash_type, crc_fast::Digest::new(CrcAlgorithm::Crc32Iscsi)),
            HashType::Crc64Nvme => State::Crc(hash_type, crc_fast::Digest::new(CrcAlgorithm::Crc64Nvme)),
        })
    }

    /// These bytes follow.
    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.0 {
            State::Md5(md5) => md5.update(bytes),
            State::Sha256(sha256) => sha256.update(bytes),
            State::Crc(_, crc) => crc.update(bytes),
        }
    }

    /// That was all.
    pub fn finish(self) -> Digest {
        Digest(match self.0 {
            State::Md5(md5) => md5.finalize().to_vec(),
            State::Sha256(sha256) => sha256.finish().as_ref().to_vec(),
            State::Crc(HashType::Crc32c, crc) => {
                // The algorithm has 32 bits, so the upper half is empty.
                crc.finalize().to_be_bytes().into_iter().skip(4).collect()
            }
            State::Crc(_, crc) => crc.finalize().to_be_bytes().to_vec(),
        })
    }
}

impl fmt::Debug for Hasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hasher").finish_non_exhaustive()
    }
}

/// A digest of some content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digest(Vec<u8>);

impl Digest {
    /// That of content in memory.
    pub fn of(hash_type: HashType, content: &[u8]) -> Self {
        let mut hasher = Hasher::new(hash_type);
        hasher.update(content);
        hasher.finish()
    }

    /// That of content of which these are the CRC-64/NVME digests and lengths of the parts, in their order. Nothing if one of
    /// them is another digest.
    ///
    /// ```
    /// use libcloud_storage::{Digest, HashType::Crc64Nvme};
    ///
    /// let parts = ["12345", "6789"].map(|part| (Digest::of(Crc64Nvme, part.as_bytes()), part.len() as u64));
    /// let whole = Digest::joined_crc64(parts.iter().map(|(digest, length)| (digest, *length)));
    /// assert_eq!(whole, Some(Digest::of(Crc64Nvme, b"123456789")));
    /// ```
    pub fn joined_crc64<'a>(parts: impl IntoIterator<Item = (&'a Self, u64)>) -> Option<Self> {
        let mut whole = crc_fast::Digest::new(CrcAlgorithm::Crc64Nvme).finalize();
        for (part, length) in parts {
            let part = u64::from_be_bytes(part.0.as_slice().try_into().ok()?);
            whole = crc_fast::checksum_combine(CrcAlgorithm::Crc64Nvme, whole, part, length);
        }
        Some(Self(whole.to_be_bytes().to_vec()))
    }

    /// In hexadecimal, in lower case.
    pub fn hex(&self) -> String {
        encode::hex(&self.0)
    }

    /// In Base64, as headers have it.
    pub fn base64(&self) -> String {
        encode::base64(&self.0)
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

#[cfg(test)]
mod tests {
    use super::*;

    // RFC 1321, FIPS 180, RFC 3720 (B.4) and the check values of the catalogue of CRC algorithms.
    #[test]
    fn published_vectors() {
        for (hash_type, content, hex) in [
            (HashType::Md5, &b"message digest"[..], "f96b697d7cb7938d525a2f31aaf161d0"),
            (HashType::Sha256, b"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (HashType::Crc32c, b"123456789", "e3069283"),
            (HashType::Crc32c, &[0; 32], "8a9136aa"),
            (HashType::Crc64Nvme, b"123456789", "ae8b14860a799888"),
            (HashType::Crc64Nvme, b"", "0000000000000000"),
        ] {
            assert_eq!(Digest::of(hash_type, content).hex(), hex, "{hash_type}");
        }
        // As S3 has it in a header.
        assert_eq!(Digest::of(HashType::Crc64Nvme, b"123456789").base64(), "rosUhgp5mIg=");
    }

    #[test]
    fn the_checksum_of_the_whole_is_made_of_those_of_its_parts() {
        let content: Vec<u8> = (0..100_000).map(|number: u32| (number % 251).to_le_bytes()[0]).collect();
        let whole = Digest::of(HashType::Crc64Nvme, &content);
        for size in [1, 777, 4096, 99_999, 100_000] {
            let parts: Vec<_> = content
                .chunks(size)
                .map(|part| (Digest::of(HashType::Crc64Nvme, part), part.len() as u64))
                .collect();
            let of = |parts: &[(Digest, u64)]| {
                Digest::joined_crc64(parts.iter().map(|(digest, length)| (digest, *length)))
            };
            assert_eq!(of(&parts), Some(whole.clone()), "{size}");
            let backwards: Vec<_> = parts.iter().rev().cloned().collect();
            assert_eq!(of(&backwards) == Some(whole.clone()), parts.len() == 1, "{size}");
        }
        assert_eq!(Digest::joined_crc64([]), Some(Digest::of(HashType::Crc64Nvme, b"")));
        assert_eq!(Digest::joined_crc64([(&Digest::of(HashType::Md5, b"a"), 1)]), None);
    }

    #[test]
    fn pieces_make_no_difference() {
        for hash_type in [HashType::Md5, HashType::Sha256, HashType::Crc32c, HashType::Crc64Nvme] {
            let content: Vec<u8> = (0..10_000).map(|number: u32| number.to_le_bytes()[0]).collect();
            let mut hasher = Hasher::new(hash_type);
            content.chunks(777).for_each(|piece| hasher.update(piece));
            assert_eq!(hasher.finish(), Digest::of(hash_type, &content), "{hash_type}");
        }
    }
}
