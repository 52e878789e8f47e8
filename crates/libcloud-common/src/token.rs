//! Names that nobody else has.

use ring::rand::{SecureRandom as _, SystemRandom};

use crate::{Error, ErrorKind, Result, encode};

/// 128 random bits as 32 hexadecimal digits: a token by which a provider knows a repeated call, a name that is free.
///
/// ```
/// # use libcloud_common::unique_token;
/// assert_ne!(unique_token()?, unique_token()?);
/// # Ok::<(), libcloud_common::Error>(())
/// ```
pub fn unique_token() -> Result<String> {
    random_bytes::<16>().map(encode::hex)
}

/// Random bytes that nobody can guess: for a password, a nonce.
pub fn random_bytes<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| Error::new(ErrorKind::Io, "the system gives no random numbers"))?;
    Ok(bytes)
}
