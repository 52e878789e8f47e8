//! What the objects of the benchmarks consist of, on both sides.

use std::fmt::Write as _;
use std::sync::LazyLock;

use bytes::Bytes;
use md5::{Digest as _, Md5};

/// How large the one large object is.
pub const LARGE: u64 = 1 << 30;
/// How large the many small ones are.
pub const SMALL: usize = 4096;

/// A mebibyte that does not compress; every object is this over and over.
pub static PATTERN: LazyLock<Bytes> = LazyLock::new(|| {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut bytes = Vec::with_capacity(1 << 20);
    while bytes.len() < 1 << 20 {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.into()
});

/// The MD5 of an object of this size, in hexadecimal.
pub fn md5_of(size: u64) -> String {
    let (mut digest, mut left) = (Md5::new(), size);
    while left > 0 {
        let length = left.min(PATTERN.len() as u64);
        digest.update(&PATTERN[..length as usize]);
        left -= length;
    }
    hex(&digest.finalize())
}

/// Bytes in hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
