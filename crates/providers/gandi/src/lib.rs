//! Gandi.
//!
//! | Driver | Service | API | Reference |
//! |---|---|---|---|
//! | [`compute()`] | compute | Gandi hosting, XML-RPC interface 3 | <http://doc.rpc.gandi.net/hosting/index.html> |
//!
//! Gandi serves this interface without further development; its newer offer, `GandiCloud`, is an OpenStack.
//!
//! # Authentication
//!
//! The key is the API key of the account, without which the variable `GANDI_API_KEY` is asked. It is the first parameter of
//! every method, and shown by no log.
//!
//! # Operations
//!
//! Whatever changes something is an operation. A method waits until it is done, at most ten minutes or the time limit of the
//! call; the error of a wait that was too short carries the operation's id.
//!
//! ```
//! use libcloud_common::Config;
//! use libcloud_gandi::GandiDriver;
//!
//! let driver = GandiDriver::new(Config::with_key("api-key"))?;
//! # Ok::<(), libcloud_common::Error>(())
//! ```

use std::sync::Arc;

use libcloud_common::Registration;
use libcloud_compute::ComputeDriver;

pub mod compute;
mod connection;
mod wire;

pub use compute::GandiDriver;

/// Gandi hosting, for a registry.
pub fn compute() -> Registration<dyn ComputeDriver> {
    Registration::new(compute::DESCRIPTOR, compute::capabilities, |config| {
        Ok(Arc::new(GandiDriver::new(config)?) as Arc<dyn ComputeDriver>)
    })
    .credentials(connection::find_credentials)
}
