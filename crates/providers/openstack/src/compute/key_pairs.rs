//! Key pairs.

use libcloud_compute::KeyPair;

use crate::wire;

pub(super) fn key_pair(found: wire::OneKeypair) -> KeyPair {
    let found = found.keypair;
    let mut key_pair = KeyPair::new(found.name);
    key_pair.fingerprint = found.fingerprint;
    key_pair.public_key = found.public_key;
    key_pair.private_key = found.private_key;
    key_pair
}
