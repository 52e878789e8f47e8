//! Key pairs, of which Gandi keeps the public half.

use std::time::Duration;

use libcloud_common::xmlrpc::Value;
use libcloud_common::{Error, Extra, ExtraFields, Result};
use libcloud_compute::KeyPair;
use serde::{Deserialize, Serialize};

use super::{GandiDriver, first};
use crate::connection::listing;
use crate::wire;

/// What only Gandi tells about a key pair.
///
/// <http://doc.rpc.gandi.net/hosting/reference.html>
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct KeyPairExtra {
    /// Its id, by which a node is told to take it.
    pub id: Option<i64>,
}

impl ExtraFields for KeyPairExtra {}

impl GandiDriver {
    pub(super) async fn find_key_pair(&self, name: &str, timeout: Option<Duration>) -> Result<KeyPair> {
        let method = self.conn.method("hosting.ssh.list").timeout(timeout);
        let found = listing(Ok(method), [("name", Value::from(name))], |found| Ok(key_pair(found)));
        first(found).await?.ok_or_else(|| Error::not_found("key pair", name))
    }

    /// By the id that it has from Gandi; of one of which only the name is known, it is looked up.
    pub(super) async fn delete_ssh_key(&self, key_pair: &KeyPair, timeout: Option<Duration>) -> Result<()> {
        let id = if let Some(id) = key_pair.extra_as::<KeyPairExtra>()?.id {
            id
        } else {
            let found = self.find_key_pair(&key_pair.name, timeout).await?.extra_as::<KeyPairExtra>()?;
            found.id.ok_or_else(|| Error::not_found("key pair", &key_pair.name))?
        };
        self.conn
            .method("hosting.ssh.delete")
            .param(id)
            .timeout(timeout)
            .read::<libcloud_common::Value>()
            .await
            .map(drop)
    }
}

pub(super) fn key_pair(found: wire::SshKey) -> KeyPair {
    let mut key_pair = KeyPair::new(found.name);
    key_pair.fingerprint = found.fingerprint;
    key_pair.public_key = found.value;
    key_pair.extra = Extra::of(KeyPairExtra { id: Some(found.id) });
    key_pair
}
