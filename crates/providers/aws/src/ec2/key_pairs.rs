//! Key pairs.

use std::path::Path;
use std::time::Duration;

use futures_util::TryStreamExt as _;
use libcloud_common::xml::Element;
use libcloud_common::{
    Error, ErrorKind, Extra, ExtraFields, Options, Result, Secret, digest, encode, extensions,
};
use libcloud_compute::{ComputeDriver as _, ComputeDriverExt as _, KeyPair};
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

    /// The names of all key pairs.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeKeyPairs.html>
    pub async fn ex_describe_all_keypairs(&self) -> Result<Vec<String>> {
        self.conn
            .action("DescribeKeyPairs")
            .all(|root| wire::items(root, "keySet", |item| item.need_text("keyName")))
            .await
    }

    /// All key pairs; the same as `list_key_pairs`.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeKeyPairs.html>
    pub async fn ex_list_keypairs(&self) -> Result<Vec<KeyPair>> {
        self.iterate_key_pairs_with(Options::new()).try_collect().await
    }

    /// One key pair by its name; the same as `get_key_pair`.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeKeyPairs.html>
    pub async fn ex_describe_keypair(&self, name: &str) -> Result<KeyPair> {
        self.get_key_pair_with(name, Options::new()).await
    }

    /// One key pair by its name; the same as `get_key_pair`.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeKeyPairs.html>
    pub async fn ex_describe_keypairs(&self, name: &str) -> Result<KeyPair> {
        self.get_key_pair_with(name, Options::new()).await
    }

    /// Lets EC2 make a key pair; the same as `create_key_pair`.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateKeyPair.html>
    pub async fn ex_create_keypair(&self, name: &str) -> Result<KeyPair> {
        self.create_key_pair_with(name, Options::new()).await
    }

    /// Deletes a key pair; the same as `delete_key_pair`.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteKeyPair.html>
    pub async fn ex_delete_keypair(&self, keypair: &KeyPair) -> Result<()> {
        self.delete_key_pair_with(keypair, Options::new()).await
    }

    /// Gives EC2 a public key; the same as `import_key_pair_from_string`.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ImportKeyPair.html>
    pub async fn ex_import_keypair_from_string(&self, name: &str, key_material: &str) -> Result<KeyPair> {
        self.import_key_pair(name, key_material, None).await
    }

    /// Gives EC2 a public key out of a file; the same as `import_key_pair_from_file`.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ImportKeyPair.html>
    pub async fn ex_import_keypair(&self, name: &str, keyfile: &Path) -> Result<KeyPair> {
        self.import_key_pair_from_file(name, keyfile).await
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
            .read(key_pair)
            .await
            .map_err(|error| named(error, name))
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

/// The answer of `DescribeKeyPairs`.
pub(super) fn key_pairs(root: Element<'_, '_>) -> Result<Vec<KeyPair>> {
    wire::items(root, "keySet", key_pair)
}

/// One key pair, which is also the answer of `CreateKeyPair`, alone with the private key, and of `ImportKeyPair`.
pub(super) fn key_pair(item: Element<'_, '_>) -> Result<KeyPair> {
    let mut key_pair = KeyPair::new(item.need_text("keyName")?);
    key_pair.fingerprint = item.opt_text("keyFingerprint");
    key_pair.private_key = item.opt_text("keyMaterial").map(Secret::new);
    key_pair.extra = Extra::of(KeyPairExtra {
        key_pair_id: item.opt_text("keyPairId"),
        key_type: item.opt_text("keyType"),
    });
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
