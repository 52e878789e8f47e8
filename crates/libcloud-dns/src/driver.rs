//! What a DNS provider can do.

use async_trait::async_trait;
use futures_util::TryStreamExt as _;
use libcloud_common::{
    BoxStream, Driver, Options, Result, calls_by_name, extensions, forward, forward_stream,
};

use crate::bind;
use crate::ext::DNS_EXT_METHODS;
use crate::options::{CreateRecord, CreateZone, UpdateRecord, UpdateZone};
use crate::resources::{Record, Zone};
use crate::types::RecordType;

/// A driver of one DNS provider. One value serves any number of tasks.
///
/// Each method is one operation of the provider. A method whose further arguments are all optional ends in `_with`;
/// [`DnsDriverExt`](crate::DnsDriverExt) has its short form (`delete_zone(&zone)`) and what follows from these methods
/// (`list_records`, the export to a file). A method that a driver does not have answers `NotSupported`, as its
/// capabilities say.
///
/// What is missing is `NotFound` of a `"zone"` or `"record"`, what is there already `AlreadyExists`:
/// `Error::not_found("zone", id)`.
#[extensions(DNS_METHODS)]
#[async_trait]
pub trait DnsDriver: Driver {
    /// The driver that this one wraps: what it does not override is forwarded there.
    #[by_name(skip)]
    fn inner(&self) -> Option<&dyn DnsDriver> {
        None
    }

    /// The types of records that the provider takes. Nothing is asked of it.
    fn list_record_types(&self) -> Vec<RecordType> {
        self.inner().map(DnsDriver::list_record_types).unwrap_or_default()
    }

    /// The zones, as they arrive.
    fn iterate_zones_with(&self, options: Options) -> BoxStream<'static, Result<Zone>> {
        forward_stream!(self.iterate_zones_with(options))
    }

    /// The records of a zone, as they arrive.
    fn iterate_records_with(&self, zone: &Zone, options: Options) -> BoxStream<'static, Result<Record>> {
        forward_stream!(self.iterate_records_with(zone, options))
    }

    /// One zone by its id.
    async fn get_zone_with(&self, zone_id: &str, options: Options) -> Result<Zone> {
        forward!(self.get_zone_with(zone_id, options))
    }

    /// One record by its zone's id and its own.
    async fn get_record_with(&self, zone_id: &str, record_id: &str, options: Options) -> Result<Record> {
        forward!(self.get_record_with(zone_id, record_id, options))
    }

    /// Makes a zone for this domain.
    async fn create_zone_with(&self, domain: &str, options: CreateZone) -> Result<Zone> {
        forward!(self.create_zone_with(domain, options))
    }

    /// Changes what is given of a zone; gives it as it is then.
    async fn update_zone_with(&self, zone: &Zone, options: UpdateZone) -> Result<Zone> {
        forward!(self.update_zone_with(zone, options))
    }

    /// Makes a record. The name is within the zone and empty for the zone's own: `www` in place of
    /// `www.example.com`.
    async fn create_record_with(
        &self,
        name: &str,
        zone: &Zone,
        type_: RecordType,
        data: &str,
        options: CreateRecord,
    ) -> Result<Record> {
        forward!(self.create_record_with(name, zone, type_, data, options))
    }

    /// Changes what is given of a record; gives it as it is then.
    async fn update_record_with(&self, record: &Record, options: UpdateRecord) -> Result<Record> {
        forward!(self.update_record_with(record, options))
    }

    /// Deletes a zone and all of its records, for good.
    async fn delete_zone_with(&self, zone: &Zone, options: Options) -> Result<()> {
        forward!(self.delete_zone_with(zone, options))
    }

    /// Deletes a record.
    async fn delete_record_with(&self, record: &Record, options: Options) -> Result<()> {
        forward!(self.delete_record_with(record, options))
    }

    /// The zone as a zone file, made of its records by [`bind::zone_file`]. The options are those of
    /// [`iterate_records_with`](Self::iterate_records_with). A driver whose provider exports zones may do better.
    ///
    /// # Errors
    /// `InvalidArgument` for a slave zone, and for a record that no zone file can hold.
    async fn export_zone_to_bind_format_with(&self, zone: &Zone, options: Options) -> Result<String> {
        bind::check(zone)?;
        let records: Vec<Record> = self.iterate_records_with(zone, options).try_collect().await?;
        bind::zone_file(zone, &records, self.clock().now())
    }
}

calls_by_name! { dyn DnsDriver, &[DNS_METHODS, DNS_EXT_METHODS] }
