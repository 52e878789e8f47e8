//! Key pairs.

use std::time::Duration;

use futures_util::TryStreamExt as _;
use libcloud_common::{Error, ErrorKind, Extra, ExtraFields, Options, Result, digest, encode, extensions};
use libcloud_compute::{ComputeDriver as _, KeyPair};
use serde::{Deserialize, Serialize};

use super::{Ec2Driver, wire};

/// What only EC2 tells about a key pair.
///
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_KeyPairInfo.html>
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct KeyPairExtra {
    /// The id; the name works as well everywhere.
    pub key_pair_id: Option<String>,
    /// `rsa` or `ed25519`.
    pub key_type: Option<String>,
}

impl ExtraFields for KeyPairExtra {}

#[extensions(KEY_PAIRS)]
impl Ec2Driver {
    /// The key pair of this public key, imported if the account does not have it. Its name is the key's comment and MD5
    /// fingerprint, by which it is found again.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ImportKeyPair.html>
    pub async fn ex_find_or_import_keypair_by_key_material(&self, pubkey: &str) -> Result<KeyPair> {
        self.find_or_import_key_pair(pubkey, None).await
    }
}

impl Ec2Driver {
    pub(super) async fn import_key_pair(
        &self,
        name: &str,
        key_material: &str,
        timeout: Option<Duration>,
    ) -> Result<KeyPair> {
        self.conn
            .action("ImportKeyPair")
            .param("KeyName", name)
            .param("PublicKeyMaterial", encode::base64(key_material))
            .timeout(timeout)
            .read(wire::key_pair)
            .await
            .map_err(|error| named(error, name))
            .and_then(key_pair)
    }

    pub(super) async fn find_or_import_key_pair(
        &self,
        pubkey: &str,
        timeout: Option<Duration>,
    ) -> Result<KeyPair> {
        let name = imported_name(pubkey)?;
        let mut options = Options::new();
        options.timeout = timeout;
        let known = self
            .iterate_key_pairs_with(options)
            .try_filter(|key_pair| std::future::ready(key_pair.name == name))
            .try_next()
            .await?;
        match known {
            Some(key_pair) => Ok(key_pair),
            None => self.import_key_pair(&name, pubkey, timeout).await,
        }
    }
}

/// `me@example-aa:bb:…`: the comment and the fingerprint that `ssh-keygen -l -E md5` shows.
fn imported_name(pubkey: &str) -> Result<String> {
    let wrong = |problem: &str| {
        Error::invalid_argument(format!(
            "the public key is not as OpenSSH writes it (`ssh-ed25519 AAAA… comment`): {problem}"
        ))
    };
    let mut words = pubkey.trim().splitn(3, char::is_whitespace);
    let _type = words.next();
    let blob = words.next().ok_or_else(|| wrong("it is one word"))?;
    let blob = encode::decode_base64(blob).map_err(|error| wrong(error.message()))?;
    let comment = words.next().map(str::trim).filter(|comment| !comment.is_empty());
    let mut name = comment.unwrap_or("unnamed").to_owned();
    for (n, digit) in digest::md5_hex(blob).chars().enumerate() {
        if n % 2 == 0 {
            name.push(if n == 0 { '-' } else { ':' });
        }
        name.push(digit);
    }
    Ok(name)
}

/// The error about the key pair of this name, if it is about one: the name is not taken out of the message, since it may
/// have quotes in it as well as around it.
pub(super) fn named(error: Error, name: &str) -> Error {
    match error.kind() {
        ErrorKind::NotFound | ErrorKind::AlreadyExists => error.with_resource("key pair", name),
        _ => error,
    }
}

pub(super) fn key_pair(found: wire::KeyPair) -> Result<KeyPair> {
    let mut key_pair = KeyPair::new(found.key_name);
    key_pair.fingerprint = found.key_fingerprint;
    key_pair.private_key = found.key_material;
    key_pair.extra = Extra::of(&KeyPairExtra { key_pair_id: found.key_pair_id, key_type: found.key_type })?;
    Ok(key_pair)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_has_comment_and_fingerprint() {
        let name = imported_name("ssh-rsa YWJj me at home\n").unwrap();
        assert_eq!(name, "me at home-90:01:50:98:3c:d2:4f:b0:d6:96:3f:7d:28:e1:7f:72");
        let name = imported_name("ssh-rsa YWJj").unwrap();
        assert!(name.starts_with("unnamed-90:01"), "{name}");
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for text in ["", "ssh-rsa", "ssh-rsa !!! me", "-----BEGIN OPENSSH PRIVATE KEY-----\ncanary"] {
            let error = imported_name(text).unwrap_err();
            assert!(error.to_string().contains("not as OpenSSH writes it"), "{error}");
            assert!(!error.to_string().contains("canary"), "{error}");
        }
    }
}
