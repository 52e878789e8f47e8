//! Fingerprints of public keys.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use libcloud_common::{Error, Result, digest, encode};

/// The MD5 fingerprint of a public key, as EC2 and most providers show an imported one: `c8:f3:…`.
///
/// # Errors
/// `InvalidArgument` if it is not a public key as OpenSSH writes it.
///
/// ```
/// let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ2Vs0bXzvh4+nTeENnWOvNy+B5kh4HSHM8dQBtM7eJB me@example";
/// assert_eq!(libcloud_compute::md5_fingerprint(key)?, "6c:dc:2f:55:30:a5:ea:e5:d0:f3:9b:19:ba:53:47:81");
/// # Ok::<(), libcloud_common::Error>(())
/// ```
pub fn md5_fingerprint(public_key: &str) -> Result<String> {
    let hex = digest::md5_hex(&blob(public_key)?);
    let pairs: Vec<String> =
        hex.as_bytes().chunks(2).map(|pair| String::from_utf8_lossy(pair).into_owned()).collect();
    Ok(pairs.join(":"))
}

/// The SHA-256 fingerprint of a public key, as OpenSSH shows it: `SHA256:…`.
///
/// # Errors
/// `InvalidArgument` if it is not a public key as OpenSSH writes it.
pub fn sha256_fingerprint(public_key: &str) -> Result<String> {
    let digest = ring::digest::digest(&ring::digest::SHA256, &blob(public_key)?);
    Ok(format!("SHA256:{}", STANDARD_NO_PAD.encode(digest)))
}

fn blob(public_key: &str) -> Result<Vec<u8>> {
    let invalid = || {
        Error::invalid_argument("this is not a public key as OpenSSH writes it (`ssh-ed25519 AAAA… comment`)")
    };
    let mut words = public_key.split_whitespace();
    let kind = words.next().ok_or_else(invalid)?;
    let blob = encode::decode_base64(words.next().ok_or_else(invalid)?).map_err(|_| invalid())?;
    // The blob begins with its own kind, which must be the one that stands before it.
    let named = blob.get(..4).and_then(|length| <[u8; 4]>::try_from(length).ok()).map(u32::from_be_bytes);
    let named = named.and_then(|length| blob.get(4..4usize.checked_add(length as usize)?));
    if named == Some(kind.as_bytes()) { Ok(blob) } else { Err(invalid()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_key_is_refused() {
        for text in
            ["", "ssh-rsa", "ssh-rsa AAAA", "ssh-rsa !!!", "ssh-ed25519 AAAAB3NzaC1yc2E=", "-----BEGIN"]
        {
            assert!(md5_fingerprint(text).is_err(), "{text}");
        }
    }
}
