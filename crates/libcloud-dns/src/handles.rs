//! Resources with their driver: `zone.list_records()` in place of `driver.list_records(&zone)`.

use std::path::Path;

use libcloud_common::{Result, handle};

use crate::driver::DnsDriver;
use crate::ext::DnsDriverExt as _;
use crate::options::{CreateRecord, UpdateRecord, UpdateZone};
use crate::resources::{Record, Zone};
use crate::types::RecordType;

handle! {
    /// A zone with its driver.
    ZoneHandle(Zone), dyn DnsDriver, zone
}
handle! {
    /// A record with its driver.
    RecordHandle(Record), dyn DnsDriver, record
}

impl ZoneHandle {
    /// Its records.
    pub async fn list_records(&self) -> Result<Vec<Record>> {
        self.driver.list_records(self).await
    }

    /// Makes a record in it. The name is within the zone, and empty for the zone's own.
    pub async fn create_record(
        &self,
        name: &str,
        type_: RecordType,
        data: &str,
        options: CreateRecord,
    ) -> Result<Record> {
        self.driver.create_record_with(name, self, type_, data, options).await
    }

    /// Changes what is given, and takes over what the provider then says.
    pub async fn update(&mut self, options: UpdateZone) -> Result<()> {
        self.resource = self.driver.update_zone_with(&self.resource, options).await?;
        Ok(())
    }

    /// Deletes it and all of its records, for good.
    pub async fn delete(&self) -> Result<()> {
        self.driver.delete_zone(self).await
    }

    /// The zone as a zone file.
    pub async fn export_to_bind_format(&self) -> Result<String> {
        self.driver.export_zone_to_bind_format(self).await
    }

    /// Writes the zone as a zone file.
    pub async fn export_to_bind_zone_file(&self, file_path: &Path) -> Result<()> {
        self.driver.export_zone_to_bind_zone_file(self, file_path).await
    }
}

impl RecordHandle {
    /// Changes what is given, and takes over what the provider then says.
    pub async fn update(&mut self, options: UpdateRecord) -> Result<()> {
        self.resource = self.driver.update_record_with(&self.resource, options).await?;
        Ok(())
    }

    /// Deletes it.
    pub async fn delete(&self) -> Result<()> {
        self.driver.delete_record(self).await
    }
}
