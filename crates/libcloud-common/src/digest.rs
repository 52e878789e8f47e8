//! Digests and message authentication codes of bytes in memory.
//!
//! MD5 and SHA-1 are here because providers ask for them (checksums of objects, old signatures), not as a choice.

use md5::{Digest as _, Md5};
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use ring::hmac::{self, HMAC_SHA1_FOR_LEGACY_USE_ONLY, HMAC_SHA256};

use crate::encode;

/// The MD5 digest in hexadecimal, as in most `ETag`s.
pub fn md5_hex(data: impl AsRef<[u8]>) -> String {
    encode::hex(Md5::digest(data))
}

/// The MD5 digest in base64, as the header `Content-MD5` has it.
pub fn md5_base64(data: impl AsRef<[u8]>) -> String {
    encode::base64(Md5::digest(data))
}

/// The SHA-1 digest in hexadecimal.
pub fn sha1_hex(data: impl AsRef<[u8]>) -> String {
    encode::hex(digest(&SHA1_FOR_LEGACY_USE_ONLY, data.as_ref()))
}

/// The SHA-256 digest in hexadecimal.
///
/// ```
/// use libcloud_common::digest;
///
/// assert_eq!(digest::sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
/// ```
pub fn sha256_hex(data: impl AsRef<[u8]>) -> String {
    encode::hex(digest(&SHA256, data.as_ref()))
}

/// The HMAC of `data` with SHA-1.
pub fn hmac_sha1(key: &[u8], data: &[u8]) -> [u8; 20] {
    mac(HMAC_SHA1_FOR_LEGACY_USE_ONLY, key, data)
}

/// The HMAC of `data` with SHA-256.
pub fn hmac_sha256(key: &[u8], data: &[u8]) -> [u8; 32] {
    mac(HMAC_SHA256, key, data)
}

/// `N` is the length of the algorithm's tag.
fn mac<const N: usize>(algorithm: hmac::Algorithm, key: &[u8], data: &[u8]) -> [u8; N] {
    let mut out = [0; N];
    out.copy_from_slice(hmac::sign(&hmac::Key::new(algorithm, key), data).as_ref());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    // RFC 1321 (MD5), FIPS 180 (SHA), RFC 2202 and RFC 4231 (HMAC).
    #[test]
    fn published_vectors() {
        assert_eq!(md5_hex(""), "d41d8cd98f00b204e9800998ecf8427e");
        assert_eq!(md5_hex("message digest"), "f96b697d7cb7938d525a2f31aaf161d0");
        assert_eq!(md5_base64(""), "1B2M2Y8AsgTpgAmY7PhCfg==");
        assert_eq!(sha1_hex("abc"), "a9993e364706816aba3e25717850c26c9cd0d89d");
        assert_eq!(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        let question = b"what do ya want for nothing?";
        assert_eq!(encode::hex(hmac_sha1(b"Jefe", question)), "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
        assert_eq!(
            encode::hex(hmac_sha256(b"Jefe", question)),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }
}
