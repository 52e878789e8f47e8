//! Apache CloudStack, which many providers run, each at an address of its own.
//!
//! | Driver | Service | API | Reference |
//! |---|---|---|---|
//! | [`compute()`] | compute | query API of CloudStack 4 | <https://cloudstack.apache.org/api/apidocs-4.20/> |
//!
//! # Where it is
//!
//! There is no common address, so one has to be given: `endpoint` (`https://cloud.example.org/client/api`), or `host`, `port`
//! and `secure` with the option `path`, or the variable `CLOUDSTACK_ENDPOINT`. Without a path it is `/client/api`.
//!
//! # Authentication
//!
//! Key and secret are the API key and secret key of a user. Without them the environment is asked for `CLOUDSTACK_KEY` and
//! `CLOUDSTACK_SECRET`, then the files `cloudstack.ini` and `~/.cloudstack.ini`, whose section is the `region`
//! (`[cloudstack]` without), for `key`, `secret` and `endpoint`.
//! Requests are [signed](https://docs.cloudstack.apache.org/en/latest/developersguide/dev.html#how-to-sign-an-api-call-with-python)
//! by HMAC-SHA1; with the option `signature_version` as `3` the signature expires.
//!
//! # Jobs
//!
//! Whatever changes something is a job. A method waits until it is done, at most ten minutes or the time limit of the
//! call; the error of a wait that was too short carries the job's id.
//!
//! ```
//! use libcloud_cloudstack::CloudStackDriver;
//! use libcloud_common::Config;
//!
//! let config = Config::new("key", "secret").endpoint("https://cloud.example.org/client/api".parse().unwrap());
//! let driver = CloudStackDriver::new(config)?;
//! # Ok::<(), libcloud_common::Error>(())
//! ```

use std::sync::Arc;

use libcloud_common::{Arguments as _, Registration};
use libcloud_compute::ComputeDriver;

pub mod compute;
mod connection;
mod credentials;
mod signer;
mod wire;

pub use compute::CloudStackDriver;
pub use connection::CloudStackOptions;

/// CloudStack, for a registry.
pub fn compute() -> Registration<dyn ComputeDriver> {
    Registration::new(compute::DESCRIPTOR, compute::capabilities, |config| {
        Ok(Arc::new(CloudStackDriver::new(config)?) as Arc<dyn ComputeDriver>)
    })
    .options(CloudStackOptions::FIELDS)
    .credentials(credentials::find)
}
