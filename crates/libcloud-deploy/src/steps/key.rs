//! A public key that lets somebody in.

use std::io::Read;

use async_trait::async_trait;
use libcloud_common::{Error, ErrorKind, Result};
use libcloud_compute::{Node, sha256_fingerprint};

use super::Deployment;
use crate::client::{SshClient, WriteMode};

/// Lets somebody in: adds a public key to the user's `authorized_keys`, once, and gives folder and file the permissions that
/// servers insist on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SSHKeyDeployment {
    key: String,
}

impl SSHKeyDeployment {
    /// A public key as OpenSSH writes it, with options before it if there are any.
    pub fn new(key: impl Into<String>) -> Self {
        Self { key: key.into().trim().to_owned() }
    }

    /// The public key that can be read from there: a file that is open already.
    ///
    /// # Errors
    /// `Io` if it cannot be read.
    pub fn from_reader(mut reader: impl Read) -> Result<Self> {
        let mut key = String::new();
        reader.read_to_string(&mut key).map_err(|error| Error::io("read the public key", error))?;
        Ok(Self::new(key))
    }

    /// The part that tells one key from all others.
    fn content(&self) -> Result<&str> {
        if self.key.contains("PRIVATE KEY") {
            return Err(Error::invalid_argument(
                "this is a private key; what goes to a server is the public one, in the file with `.pub`",
            ));
        }
        if self.key.lines().count() != 1 {
            return Err(Error::invalid_argument("a public key is one line, as in a .pub file"));
        }
        content_of(&self.key).ok_or_else(|| {
            Error::invalid_argument(
                "this is not a public key as OpenSSH writes it (`ssh-ed25519 AAAA… comment`)",
            )
        })
    }
}

/// The base64 of the key in a line of `authorized_keys`, which may begin with options.
fn content_of(line: &str) -> Option<&str> {
    let line = line.trim();
    if line.starts_with('#') {
        return None;
    }
    let words: Vec<&str> = line.split_whitespace().collect();
    let mut pairs = words.windows(2);
    pairs.find_map(|pair| match pair {
        [kind, content] if sha256_fingerprint(&format!("{kind} {content}")).is_ok() => Some(*content),
        _ => None,
    })
}

#[async_trait]
impl Deployment for SSHKeyDeployment {
    async fn run(&mut self, _: &Node, client: &mut dyn SshClient) -> Result<()> {
        const FOLDER: &str = ".ssh";
        const FILE: &str = ".ssh/authorized_keys";
        let content = self.content()?;
        client.make_dir(FOLDER, Some(0o700)).await?;
        let known = match client.read(FILE).await {
            Ok(known) => known,
            Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(error),
        };
        let known = String::from_utf8_lossy(&known);
        let line = if known.lines().any(|line| content_of(line) == Some(content)) {
            String::new()
        } else {
            // A last line without its end would swallow the new one.
            let separator = if known.is_empty() || known.ends_with('\n') { "" } else { "\n" };
            format!("{separator}{}\n", self.key)
        };
        // Nothing new sets the permissions all the same.
        client.put(FILE, line.as_bytes(), Some(0o600), WriteMode::Append).await?;
        Ok(())
    }

    fn check(&self) -> Result<()> {
        self.content().map(drop)
    }

    fn name(&self) -> String {
        "public key".into()
    }
}
