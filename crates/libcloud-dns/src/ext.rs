//! What follows from a DNS driver's methods, written once for all of them.

use std::path::Path;

use async_trait::async_trait;
use futures_util::TryStreamExt as _;
use libcloud_common::{BoxStream, Options, Result, extensions};

use crate::driver::DnsDriver;
use crate::file;
use crate::options::{CreateRecord, CreateZone};
use crate::resources::{Record, Zone};
use crate::types::RecordType;

/// Short forms and helpers on every DNS driver.
#[extensions(DNS_EXT_METHODS, on = DnsDriver)]
#[async_trait]
pub trait DnsDriverExt: DnsDriver {
    /// The zones, as they arrive.
    fn iterate_zones(&self) -> BoxStream<'static, Result<Zone>> {
        self.iterate_zones_with(Options::new())
    }

    /// All zones.
    #[by_name]
    async fn list_zones_with(&self, options: Options) -> Result<Vec<Zone>> {
        self.iterate_zones_with(options).try_collect().await
    }

    /// All zones.
    async fn list_zones(&self) -> Result<Vec<Zone>> {
        self.list_zones_with(Options::new()).await
    }

    /// The records of a zone, as they arrive.
    fn iterate_records(&self, zone: &Zone) -> BoxStream<'static, Result<Record>> {
        self.iterate_records_with(zone, Options::new())
    }

    /// All records of a zone.
    #[by_name]
    async fn list_records_with(&self, zone: &Zone, options: Options) -> Result<Vec<Record>> {
        self.iterate_records_with(zone, options).try_collect().await
    }

    /// All records of a zone.
    async fn list_records(&self, zone: &Zone) -> Result<Vec<Record>> {
        self.list_records_with(zone, Options::new()).await
    }

    /// One zone by its id.
    async fn get_zone(&self, zone_id: &str) -> Result<Zone> {
        self.get_zone_with(zone_id, Options::new()).await
    }

    /// One record by its zone's id and its own.
    async fn get_record(&self, zone_id: &str, record_id: &str) -> Result<Record> {
        self.get_record_with(zone_id, record_id, Options::new()).await
    }

    /// Makes a master zone for this domain.
    async fn create_zone(&self, domain: &str) -> Result<Zone> {
        self.create_zone_with(domain, CreateZone::new()).await
    }

    /// Makes a record with the zone's or the provider's time to live.
    async fn create_record(&self, name: &str, zone: &Zone, type_: RecordType, data: &str) -> Result<Record> {
        self.create_record_with(name, zone, type_, data, CreateRecord::new()).await
    }

    /// Deletes a zone and all of its records, for good.
    async fn delete_zone(&self, zone: &Zone) -> Result<()> {
        self.delete_zone_with(zone, Options::new()).await
    }

    /// Deletes a record.
    async fn delete_record(&self, record: &Record) -> Result<()> {
        self.delete_record_with(record, Options::new()).await
    }

    /// The zone as a zone file.
    async fn export_zone_to_bind_format(&self, zone: &Zone) -> Result<String> {
        self.export_zone_to_bind_format_with(zone, Options::new()).await
    }

    /// Writes the zone as a zone file. A file of that name is replaced as a whole or, if anything fails, not at all.
    #[by_name]
    async fn export_zone_to_bind_zone_file_with(
        &self,
        zone: &Zone,
        file_path: &Path,
        options: Options,
    ) -> Result<()> {
        let text = self.export_zone_to_bind_format_with(zone, options).await?;
        file::replace(file_path, text.into_bytes()).await
    }

    /// Writes the zone as a zone file. A file of that name is replaced as a whole or, if anything fails, not at all.
    async fn export_zone_to_bind_zone_file(&self, zone: &Zone, file_path: &Path) -> Result<()> {
        self.export_zone_to_bind_zone_file_with(zone, file_path, Options::new()).await
    }
}

impl<D: DnsDriver + ?Sized> DnsDriverExt for D {}
