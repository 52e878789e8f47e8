//! What the drivers of libcloud are tested with.
//!
//! - [`Mock`]: a server that expects exactly these requests, in this order, and fails the test with a diff otherwise.
//! - [`cassette`] and [`replay`]: recorded exchanges, read, written, and played as a server.
//! - [`Fixture`s](fixture): bodies as the provider sends them, from `fixtures/` at the root of the workspace.
//!
//! Everything here fails by panicking: it is for tests, and is never published.

#![allow(
    clippy::panic,
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "a test fails by panicking; what it fails on is what the item is for"
)]
#![allow(
    clippy::format_push_string,
    clippy::format_collect,
    reason = "the texts are for people and written once, when a test has failed"
)]

pub mod cassette;
mod fixtures;
mod http;
mod mock;
mod pattern;
pub mod replay;
mod server;

pub use fixtures::fixture;
pub use http::{Answer, Received};
pub use mock::{Exchange, ExpectedRequest, Mock};
pub use pattern::{Pattern, matching};
