//! What every DNS driver gets for nothing, on a driver that keeps its zones in memory.

#![cfg(test)]

use std::path::Path;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use libcloud_common::{BoxStream, Error, ErrorKind, Options, Result, json, once};
use libcloud_dns::{
    CreateRecord, CreateZone, DNS_METHODS, DnsDriver, DnsDriverExt, Record, RecordType, UpdateRecord,
    UpdateZone, Zone, ZoneType,
};
use libcloud_testkit::{bare_driver, wrapping_driver};

#[derive(Clone, Default)]
struct Memory {
    zones: Arc<Mutex<Vec<Zone>>>,
    records: Arc<Mutex<Vec<Record>>>,
}

bare_driver!(Memory, "memory");

#[async_trait]
impl DnsDriver for Memory {
    fn list_record_types(&self) -> Vec<RecordType> {
        vec![RecordType::A, RecordType::Mx]
    }

    fn iterate_zones_with(&self, options: Options) -> BoxStream<'static, Result<Zone>> {
        let driver = self.clone();
        once(async move {
            options.plain("list_zones")?;
            Ok(driver.zones.lock().unwrap().clone())
        })
    }

    fn iterate_records_with(&self, zone: &Zone, options: Options) -> BoxStream<'static, Result<Record>> {
        let (driver, id) = (self.clone(), zone.id.clone());
        once(async move {
            options.plain("list_records")?;
            let records = driver.records.lock().unwrap();
            Ok(records.iter().filter(|record| record.zone.id == id).cloned().collect())
        })
    }

    async fn get_zone_with(&self, zone_id: &str, options: Options) -> Result<Zone> {
        options.plain("get_zone")?;
        let zones = self.zones.lock().unwrap();
        let zone = zones.iter().find(|zone| zone.id == zone_id);
        zone.cloned().ok_or_else(|| Error::not_found("zone", zone_id))
    }

    async fn create_zone_with(&self, domain: &str, options: CreateZone) -> Result<Zone> {
        options.ex.none("create_zone")?;
        let zone = Zone::new("1", domain, options.type_.unwrap_or(ZoneType::Master)).with_ttl(options.ttl);
        self.zones.lock().unwrap().push(zone.clone());
        Ok(zone)
    }

    async fn update_zone_with(&self, zone: &Zone, options: UpdateZone) -> Result<Zone> {
        let mut zone = zone.clone();
        zone.domain = options.domain.unwrap_or(zone.domain);
        zone.ttl = options.ttl.or(zone.ttl);
        Ok(zone)
    }

    async fn create_record_with(
        &self,
        name: &str,
        zone: &Zone,
        type_: RecordType,
        data: &str,
        options: CreateRecord,
    ) -> Result<Record> {
        options.ex.none("create_record")?;
        let mut record = Record::new("7", name, type_, data, &Arc::new(zone.clone())).with_ttl(options.ttl);
        if let Some(priority) = options.priority {
            record = record.with_priority(priority);
        }
        self.records.lock().unwrap().push(record.clone());
        Ok(record)
    }

    async fn update_record_with(&self, record: &Record, options: UpdateRecord) -> Result<Record> {
        let mut record = record.clone();
        record.data = options.data.unwrap_or(record.data);
        Ok(record)
    }

    async fn delete_record_with(&self, record: &Record, options: Options) -> Result<()> {
        options.plain("delete_record")?;
        let mut records = self.records.lock().unwrap();
        let before = records.len();
        records.retain(|other| other.id != record.id || other.zone.id != record.zone.id);
        if records.len() == before {
            return Err(Error::not_found("record", &record.id));
        }
        Ok(())
    }
}

wrapping_driver!(Wrapper(Memory), DnsDriver);

fn driver() -> Arc<dyn DnsDriver> {
    Arc::new(Wrapper(Memory::default()))
}

#[tokio::test]
async fn handles_do_what_the_driver_does() {
    let driver = driver();
    let zone = driver.create_zone_with("example.com", CreateZone::new().ttl(900)).await.unwrap();
    let mut zone = driver.zone(zone);
    let record = zone
        .create_record("", RecordType::Mx, "mx.example.com", CreateRecord::new().priority(10).ttl(60))
        .await
        .unwrap();
    assert_eq!((record.priority(), record.ttl), (Some(10), Some(60)));
    assert_eq!(zone.list_records().await.unwrap(), std::slice::from_ref(&record));

    let mut record = driver.record(record);
    record.update(UpdateRecord::new().data("mx2.example.com")).await.unwrap();
    assert_eq!(record.data, "mx2.example.com");
    record.delete().await.unwrap();
    let error = record.delete().await.unwrap_err();
    assert_eq!((error.kind(), error.resource()), (ErrorKind::NotFound, Some(("record", "7"))));

    zone.update(UpdateZone::new().domain("example.net")).await.unwrap();
    assert_eq!((zone.domain.as_str(), zone.ttl), ("example.net", Some(900)));
    assert_eq!(zone.delete().await.unwrap_err().kind(), ErrorKind::NotSupported);
}

#[tokio::test]
async fn a_wrapper_forwards_and_the_innermost_refuses() {
    let driver = driver();
    assert_eq!(driver.list_record_types(), [RecordType::A, RecordType::Mx]);
    let error = driver.get_record("1", "7").await.unwrap_err();
    assert_eq!(error.to_string(), "get_record is not supported");
    let error = driver.get_zone("1").await.unwrap_err();
    assert_eq!((error.kind(), error.resource()), (ErrorKind::NotFound, Some(("zone", "1"))));
}

#[tokio::test]
async fn every_method_is_reached_by_its_name() {
    let driver = driver();
    let zone = json!({"id": "1", "domain": "example.com", "type": "master", "ttl": 900, "extra": {}});
    let args = json!({"domain": "example.com", "type": "master", "ttl": 900});
    assert_eq!(driver.call("create_zone", args).await.unwrap(), zone);
    assert_eq!(driver.call("list_zones", json!({})).await.unwrap(), json!([zone]));
    assert_eq!(driver.call("list_record_types", json!({})).await.unwrap(), json!(["A", "MX"]));

    let args = json!({"name": "www", "zone": zone, "type": "a", "data": "192.0.2.1", "ttl": 60});
    let record = driver.call("create_record", args).await.unwrap();
    let expected = json!({
        "id": "7", "name": "www", "type": "A", "data": "192.0.2.1", "zone": zone, "ttl": 60, "extra": {},
    });
    assert_eq!(record, expected);
    assert_eq!(driver.call("list_records", json!({"zone": "1"})).await.unwrap(), json!([record]));
    let file = driver.call("export_zone_to_bind_format", json!({"zone": zone})).await.unwrap();
    assert!(file.as_str().unwrap().ends_with("www.example.com.\t60\tIN\tA\t192.0.2.1\n"), "{file}");
    let by_ids = json!({"record": {"id": "7", "zone": "1"}});
    assert_eq!(driver.call("delete_record", by_ids).await.unwrap(), true);

    let names: Vec<&str> = DNS_METHODS.iter().map(|method| method.name).collect();
    assert!(names.contains(&"update_record") && !names.contains(&"inner"), "{names:?}");
}

#[tokio::test]
async fn wrong_arguments_say_what_is_right() {
    let driver = driver();
    for (method, args, message) in [
        ("delete_record", json!({"record": "7"}), "expected a record, or its id and its zone's"),
        ("delete_record", json!({"record": {"id": "7"}}), "missing field `zone`"),
        ("create_zone", json!({"domain": "a.b", "tt": 1}), "did you mean `ttl`?"),
        ("create_zone", json!({"domain": "a.b", "ttl": "soon"}), "expected integer"),
        ("create_zone", json!({"domain": "a.b", "ex_x": 1}), "create_zone has no argument `ex_x`"),
        ("list_records", json!({"zone": "1", "ex_x": 1}), "list_records has no argument `ex_x`"),
    ] {
        let error = driver.call(method, args).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        assert!(error.to_string().contains(message), "{error}");
    }
}

/// The lines that the seed writes for the same zone, its first and a line feed at the end apart.
#[tokio::test]
async fn the_export_has_the_seeds_lines() {
    let driver = driver();
    let zone = driver.create_zone_with("example.com", CreateZone::new().ttl(900)).await.unwrap();
    let zone = driver.zone(zone);
    for (name, type_, data, options) in [
        ("www", "A", "127.0.0.1", CreateRecord::new()),
        ("www", "AAAA", "2a01:4f8:121:3121::2", CreateRecord::new()),
        ("www", "A", "127.0.0.1", CreateRecord::new().ttl(123)),
        ("", "A", "127.0.0.1", CreateRecord::new()),
        ("test1", "TXT", "test foo bar", CreateRecord::new()),
        ("test2", "TXT", r#"test "foo" "bar""#, CreateRecord::new()),
        ("", "MX", "mx.example.com", CreateRecord::new().priority(10)),
        ("", "SRV", "10 3333 example.com", CreateRecord::new().priority(20)),
    ] {
        zone.create_record(name, type_.into(), data, options).await.unwrap();
    }
    let file = zone.export_to_bind_format().await.unwrap();
    assert_eq!(
        file.split_once('\n').unwrap().1,
        "$ORIGIN example.com.\n$TTL 900\n\n\
         www.example.com.\t900\tIN\tA\t127.0.0.1\n\
         www.example.com.\t900\tIN\tAAAA\t2a01:4f8:121:3121::2\n\
         www.example.com.\t123\tIN\tA\t127.0.0.1\n\
         example.com.\t900\tIN\tA\t127.0.0.1\n\
         test1.example.com.\t900\tIN\tTXT\t\"test foo bar\"\n\
         test2.example.com.\t900\tIN\tTXT\t\"test \\\"foo\\\" \\\"bar\\\"\"\n\
         example.com.\t900\tIN\tMX\t10\tmx.example.com.\n\
         example.com.\t900\tIN\tSRV\t20\t10 3333 example.com.\n"
    );
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[tokio::test]
async fn a_zone_file_is_replaced_as_a_whole() {
    let driver = driver();
    let zone = driver.create_zone("example.com").await.unwrap();
    let zone = driver.zone(zone);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("example.com.zone");
    for _ in 0..2 {
        zone.export_to_bind_zone_file(&path).await.unwrap();
        let file = std::fs::read_to_string(&path).unwrap();
        assert_eq!(file, zone.export_to_bind_format().await.unwrap());
    }
    assert_eq!(names(folder.path()), ["example.com.zone"]);

    let before = std::fs::read_to_string(&path).unwrap();
    zone.create_record("", RecordType::A, "nowhere", CreateRecord::new()).await.unwrap();
    let error = zone.export_to_bind_zone_file(&path).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), before);
}

#[cfg(unix)]
#[tokio::test]
async fn a_link_and_permissions_survive() {
    use std::os::unix::fs::PermissionsExt;

    let driver = driver();
    let zone = driver.create_zone("example.com").await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (file, link) = (folder.path().join("file"), folder.path().join("link"));
    std::fs::write(&file, "old").unwrap();
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o640)).unwrap();
    std::os::unix::fs::symlink(&file, &link).unwrap();
    driver.export_zone_to_bind_zone_file(&zone, &link).await.unwrap();
    assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
    assert!(std::fs::read_to_string(&file).unwrap().starts_with("; Generated"));
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
}

#[tokio::test]
async fn a_folder_that_is_not_there_is_named() {
    let driver = driver();
    let zone = driver.create_zone("example.com").await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("missing/zone");
    let error = driver.export_zone_to_bind_zone_file(&zone, &path).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    assert!(error.to_string().contains("missing/zone"), "{error}");
}

#[test]
fn json_has_the_seeds_attributes_and_reads_what_providers_leave_out() {
    let zone: Zone = serde_json::from_value(json!({"id": "1"})).unwrap();
    assert_eq!(zone, Zone::from_id("1"));
    let record = json!({"id": "7", "name": null, "type": "NEW", "data": "x", "zone": {"id": "1"}});
    let record: Record = serde_json::from_value(record).unwrap();
    assert_eq!((record.name.as_str(), record.type_.as_str()), ("", "NEW"));
    let written = serde_json::to_value(&record).unwrap();
    let mut keys: Vec<&String> = written.as_object().unwrap().keys().collect();
    keys.sort();
    assert_eq!(keys, ["data", "extra", "id", "name", "ttl", "type", "zone"]);
    assert_eq!(serde_json::from_value::<Record>(written).unwrap(), record);
    assert!(serde_json::from_value::<Record>(json!({"id": "7", "zone": "1", "type": 1})).is_err());
}

#[test]
fn a_record_is_small() {
    // Zones with a million records are listed at once.
    assert!(size_of::<Record>() <= 160, "{}", size_of::<Record>());
}
