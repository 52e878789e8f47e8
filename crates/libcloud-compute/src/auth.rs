//! How one gets into a new node.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use libcloud_common::dispatch::Arg;
use libcloud_common::{Capabilities, Error, ErrorKind, Result, Secret, Value, random_bytes};

/// A public key that is put on the node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeAuthSSHKey {
    /// The key as OpenSSH writes it: `ssh-ed25519 AAAA… comment`.
    pub pubkey: String,
}

/// The password of the node's administrator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeAuthPassword {
    /// The password.
    pub password: Secret,
    /// Whether libcloud made it up, so that it stands in the new node's `extra` under `password`.
    pub generated: bool,
}

/// How one gets into a new node.
///
/// ```
/// use libcloud_compute::NodeAuth;
///
/// let auth = NodeAuth::ssh_key("ssh-ed25519 AAAAC3Nza me@example");
/// assert_eq!(auth.feature(), "ssh_key");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NodeAuth {
    /// By a public key that is put on it.
    SshKey(NodeAuthSSHKey),
    /// By a password.
    Password(NodeAuthPassword),
}

impl NodeAuthSSHKey {
    /// A public key as OpenSSH writes it.
    pub fn new(pubkey: impl Into<String>) -> Self {
        Self { pubkey: pubkey.into() }
    }
}

impl NodeAuthPassword {
    /// A password of the user's.
    pub fn new(password: impl Into<Secret>) -> Self {
        Self { password: password.into(), generated: false }
    }

    /// A random password of 192 bits.
    pub fn generate() -> Result<Self> {
        let bytes = random_bytes::<24>()?;
        Ok(Self { password: Secret::new(URL_SAFE_NO_PAD.encode(bytes)), generated: true })
    }
}

impl NodeAuth {
    /// By this public key.
    pub fn ssh_key(pubkey: impl Into<String>) -> Self {
        Self::SshKey(NodeAuthSSHKey::new(pubkey))
    }

    /// By this password.
    pub fn password(password: impl Into<Secret>) -> Self {
        Self::Password(NodeAuthPassword::new(password))
    }

    /// The feature of `create_node` that a driver needs for it.
    pub fn feature(&self) -> &'static str {
        match self {
            Self::SshKey(_) => "ssh_key",
            Self::Password(_) => "password",
        }
    }

    /// What a driver's `create_node` is to use: the given authentication if the driver can, else an error before
    /// anything is created; a generated password if none is given and the driver takes passwords.
    pub fn resolve(given: Option<Self>, can: &Capabilities) -> Result<Option<Self>> {
        match given {
            Some(auth) if can.has_feature("create_node", auth.feature()) => Ok(Some(auth)),
            // The provider makes the password up itself: asking for one of libcloud's making is met by that.
            Some(Self::Password(password))
                if password.generated && can.has_feature("create_node", "generates_password") =>
            {
                Ok(None)
            }
            Some(auth) => Err(Error::new(
                ErrorKind::NotSupported,
                format!("create_node of this provider does not take `{}` as authentication", auth.feature()),
            )
            .with_resource("argument", "auth")),
            None if can.has_feature("create_node", "password") => {
                NodeAuthPassword::generate().map(|password| Some(Self::Password(password)))
            }
            None => Ok(None),
        }
    }
}

impl fmt::Display for NodeAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.feature())
    }
}

impl Arg for NodeAuth {
    const TYPE: &'static str = "public key, {\"pubkey\": …} or {\"password\": …}";

    fn from_json(value: Value) -> Result<Self, String> {
        let field = |name: &str| value.get(name).and_then(Value::as_str);
        match (value.as_str().or_else(|| field("pubkey")), field("password")) {
            (Some(pubkey), None) => Ok(Self::ssh_key(pubkey)),
            (None, Some(password)) => Ok(Self::password(password)),
            _ => Err(format!("expected a {}", Self::TYPE)),
        }
    }
}
