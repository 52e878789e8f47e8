//! Key pairs. CloudStack keeps the public half, and does not give it back.

use libcloud_compute::KeyPair;

use crate::wire;

pub(super) fn key_pair(found: wire::SshKeyPair) -> KeyPair {
    let mut key_pair = KeyPair::new(found.name);
    key_pair.fingerprint = found.fingerprint;
    key_pair.private_key = found.privatekey;
    key_pair
}
