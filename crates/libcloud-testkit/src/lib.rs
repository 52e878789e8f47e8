//! What libcloud's own tests are written with. Only for tests and chores: no released crate depends on it.

pub mod cassette;
pub mod replay;
