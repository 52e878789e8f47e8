//! What every libcloud driver stands on.

pub mod digest;
pub mod encode;
mod error;
pub mod sign;
pub mod xml;
pub mod xmlrpc;

pub use error::{Error, ErrorKind, Result, Retry};
