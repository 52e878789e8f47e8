//! Domain names of any cloud.
//!
//! A [`Zone`] holds [`Record`]s; both are plain data. A [`DnsDriver`] is what a provider can do, shared as
//! `Arc<dyn DnsDriver>`; [`DnsDriverExt`] is what follows from it. [`bind`] writes a zone as a zone file.
//!
//! ```
//! use std::path::Path;
//! use std::sync::Arc;
//! use libcloud_dns::{CreateRecord, DnsDriver, DnsDriverExt, RecordType};
//! # use libcloud_common::Result;
//!
//! async fn move_in(driver: Arc<dyn DnsDriver>) -> Result<()> {
//!     let zone = driver.create_zone("example.com").await?;
//!     let zone = driver.zone(zone);
//!     zone.create_record("www", RecordType::A, "192.0.2.1", CreateRecord::new().ttl(300)).await?;
//!     zone.create_record("", RecordType::Mx, "mx.example.com", CreateRecord::new().priority(10)).await?;
//!     zone.export_to_bind_zone_file(Path::new("example.com.zone")).await
//! }
//! ```

pub mod bind;
mod driver;
mod ext;
mod file;
mod handles;
mod options;
mod resources;
mod types;

pub use driver::{DNS_METHODS, DnsDriver};
pub use ext::{DNS_EXT_METHODS, DnsDriverExt};
pub use handles::{RecordHandle, ZoneHandle};
pub use options::{CreateRecord, CreateZone, UpdateRecord, UpdateZone};
pub use resources::{Record, Zone};
pub use types::{RecordType, ZoneType};
