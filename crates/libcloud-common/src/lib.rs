//! What every libcloud driver stands on.

mod error;
mod price;

pub use error::{Error, ErrorKind, Result, Retry};
pub use price::Price;
