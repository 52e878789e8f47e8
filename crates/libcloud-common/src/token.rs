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
    let mut bytes = [0; 16];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| Error::new(ErrorKind::Io, "the system gives no random numbers"))?;
    Ok(encode::hex(bytes))
}
