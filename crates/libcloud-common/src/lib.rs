//! What every libcloud driver stands on.

mod error;

pub use error::{Error, ErrorKind, Result, Retry};
