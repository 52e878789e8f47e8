//! Request signatures as pure functions: no clock, no connection.
//!
//! - [`rest`]: the older signature of S3's REST API, and of services that copied it.
//! - [`v2`]: AWS Signature Version 2 for query APIs, still spoken by EC2-compatible clouds.
//! - [`v4`]: AWS Signature Version 4, for AWS and everything that is compatible with S3.

pub mod rest;
pub mod v2;
pub mod v4;
