//! What the drivers of libcloud are tested with.
//!
//! - [`Mock`]: a server that expects exactly these requests, in this order, and fails the test with a diff otherwise.
//! - [`cassette`] and [`replay`]: recorded exchanges, read, written, and played as a server.
//! - [`fixture`]: bodies as the provider sends them, from `fixtures/` at the root of the workspace.
//! - [`Breaking`]: a server that reads a request and then closes, resets, stalls, or answers nonsense.
//! - [`FaultProxy`]: a proxy in front of any server that delays, cuts, corrupts, or answers instead of it.
//! - [`suite`]: what every driver of a service does, on a real server or without one.
//! - Tests that hold for every driver. A driver joins with a [`Subject`] that says what they cannot know by themselves:
//!   [`capabilities`], [`sent_once`], [`time_limits`], [`canary`], and for each listing [`Listing::prove`].
//!
//! Everything here fails by panicking: it is for tests, and is never published.

#![allow(
    clippy::panic,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "a test fails by panicking; what it fails on is what the item is for"
)]
#![allow(
    clippy::format_push_string,
    clippy::format_collect,
    reason = "the texts are for people and written once, when a test has failed"
)]

mod breaking;
mod canary;
mod capabilities;
pub mod cassette;
mod faults;
mod fixtures;
mod http;
mod mock;
mod pages;
mod pattern;
mod recorder;
pub mod replay;
mod scaffold;
mod sent_once;
mod server;
mod subject;
pub mod suite;
mod time_limits;

pub use breaking::{Breaking, Fault};
pub use canary::canary;
pub use capabilities::capabilities;
pub use faults::{Door, FaultProxy, Visit};
pub use fixtures::{fixture, fixture_path};
pub use http::{Answer, Received};
pub use mock::{Exchange, ExpectedRequest, Mock};
pub use pages::{Listing, ListingPage};
pub use pattern::{Pattern, matching};
pub use recorder::Recorder;
pub use sent_once::{SentOnce, sent_once};
pub use subject::{Service, Subject, sample};
pub use time_limits::time_limits;
