//! Dummy DNS.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use libcloud_common::{
    BoxStream, Capabilities, Clock, Descriptor, Driver, Error, Extensions, Options, Result, json, once,
};
use libcloud_dns::{
    CreateRecord, CreateZone, DNS_METHODS, DnsDriver, Record, RecordType, UpdateRecord, UpdateZone, Zone,
    ZoneType,
};
use serde::{Deserialize, Serialize};

use crate::cloud::{DummyCloud, State as Cloud, arg};

/// What the DNS service holds: zones by their id, each with its records.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct State {
    zones: BTreeMap<String, ZoneState>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct ZoneState {
    zone: Zone,
    records: Vec<Record>,
}

impl State {
    fn zone(&mut self, id: &str) -> Result<&mut ZoneState> {
        self.zones.get_mut(id).ok_or_else(|| Error::not_found("zone", id))
    }
}

impl ZoneState {
    fn position(&self, id: &str) -> Result<usize> {
        let at = self.records.iter().position(|record| record.id == id);
        at.ok_or_else(|| Error::not_found("record", id))
    }

    /// The seed's id of a record is `id-` and its name; further ones of that name are numbered.
    fn new_id(&self, name: &str) -> String {
        let taken = |id: &str| self.records.iter().any(|record| record.id == id);
        let first = format!("id-{name}");
        if !taken(&first) {
            return first;
        }
        (2..=self.records.len() + 2).map(|n| format!("{first}-{n}")).find(|id| !taken(id)).unwrap_or(first)
    }
}

/// The dummy cloud's DNS driver.
#[derive(Clone, Debug)]
pub struct DummyDnsDriver {
    cloud: DummyCloud,
}

impl DummyDnsDriver {
    /// A driver of this cloud.
    pub fn new(cloud: DummyCloud) -> Self {
        Self { cloud }
    }
}

impl Extensions for DummyDnsDriver {}

pub(crate) fn capabilities() -> Capabilities {
    let all: Vec<&'static str> = DNS_METHODS.iter().map(|method| method.name).collect();
    Capabilities::new().supports(&all)
}

impl Driver for DummyDnsDriver {
    fn descriptor(&self) -> Descriptor {
        crate::DESCRIPTOR
    }

    fn capabilities(&self) -> Capabilities {
        capabilities()
    }

    fn clock(&self) -> Arc<dyn Clock> {
        self.cloud.clock()
    }
}

#[async_trait]
impl DnsDriver for DummyDnsDriver {
    fn list_record_types(&self) -> Vec<RecordType> {
        RecordType::ALL.to_vec()
    }

    fn iterate_zones_with(&self, options: Options) -> BoxStream<'static, Result<Zone>> {
        let cloud = self.cloud.clone();
        once(async move {
            options.plain("list_zones")?;
            let list =
                |cloud: &mut Cloud| Ok(cloud.dns.zones.values().map(|state| state.zone.clone()).collect());
            cloud.act("list_zones", json!({}), list).await
        })
    }

    fn iterate_records_with(&self, zone: &Zone, options: Options) -> BoxStream<'static, Result<Record>> {
        let (cloud, id) = (self.cloud.clone(), zone.id.clone());
        once(async move {
            options.plain("list_records")?;
            let args = arg("zone", &id);
            cloud.act("list_records", args, move |cloud| Ok(cloud.dns.zone(&id)?.records.clone())).await
        })
    }

    async fn get_zone_with(&self, zone_id: &str, options: Options) -> Result<Zone> {
        options.plain("get_zone")?;
        let id = zone_id.to_owned();
        self.cloud
            .act("get_zone", arg("zone_id", zone_id), move |cloud| Ok(cloud.dns.zone(&id)?.zone.clone()))
            .await
    }

    async fn get_record_with(&self, zone_id: &str, record_id: &str, options: Options) -> Result<Record> {
        options.plain("get_record")?;
        let args = json!({"zone_id": zone_id, "record_id": record_id});
        let (zone_id, record_id) = (zone_id.to_owned(), record_id.to_owned());
        let get = move |cloud: &mut Cloud| {
            let records = &cloud.dns.zone(&zone_id)?.records;
            let found = records.iter().find(|record| record.id == record_id).cloned();
            found.ok_or_else(|| Error::not_found("record", record_id))
        };
        self.cloud.act("get_record", args, get).await
    }

    async fn create_zone_with(&self, domain: &str, options: CreateZone) -> Result<Zone> {
        options.ex.none("create_zone")?;
        let domain = domain.to_owned();
        let args = arg("domain", &domain);
        let create = move |cloud: &mut Cloud| {
            let id = format!("id-{domain}");
            if cloud.dns.zones.contains_key(&id) {
                return Err(Error::already_exists("zone", domain));
            }
            let zone = Zone::new(id.clone(), domain, options.type_.unwrap_or(ZoneType::Master))
                .with_ttl(options.ttl);
            cloud.dns.zones.insert(id, ZoneState { zone: zone.clone(), records: Vec::new() });
            Ok(zone)
        };
        self.cloud.act("create_zone", args, create).await
    }

    async fn update_zone_with(&self, zone: &Zone, options: UpdateZone) -> Result<Zone> {
        options.ex.none("update_zone")?;
        let id = zone.id.clone();
        let update = move |cloud: &mut Cloud| {
            let state = cloud.dns.zone(&id)?;
            if let Some(domain) = options.domain {
                state.zone.domain = domain;
            }
            if let Some(type_) = options.type_ {
                state.zone.type_ = type_;
            }
            state.zone.ttl = options.ttl.or(state.zone.ttl);
            let zone = Arc::new(state.zone.clone());
            for record in &mut state.records {
                record.zone = Arc::clone(&zone);
            }
            Ok(state.zone.clone())
        };
        self.cloud.act("update_zone", arg("zone", &zone.id), update).await
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
        let args = json!({"name": name, "zone": zone.id, "type": type_, "data": data});
        let (zone_id, name, data) = (zone.id.clone(), name.to_owned(), data.to_owned());
        let create = move |cloud: &mut Cloud| {
            let state = cloud.dns.zone(&zone_id)?;
            if state
                .records
                .iter()
                .any(|known| known.name == name && known.type_ == type_ && known.data == data)
            {
                return Err(Error::already_exists("record", format!("{name} {type_} {data}")));
            }
            let id = state.new_id(&name);
            let mut record =
                Record::new(id, name, type_, data, &Arc::new(state.zone.clone())).with_ttl(options.ttl);
            let numbers =
                [("priority", options.priority), ("weight", options.weight), ("port", options.port)];
            for (key, value) in numbers {
                if let Some(value) = value {
                    record.extra.insert(key, value);
                }
            }
            state.records.push(record.clone());
            Ok(record)
        };
        self.cloud.act("create_record", args, create).await
    }

    async fn update_record_with(&self, record: &Record, options: UpdateRecord) -> Result<Record> {
        options.ex.none("update_record")?;
        let (zone_id, id) = (record.zone.id.clone(), record.id.clone());
        let update = move |cloud: &mut Cloud| {
            let state = cloud.dns.zone(&zone_id)?;
            let at = state.position(&id)?;
            let Some(record) = state.records.get_mut(at) else { return Err(Error::not_found("record", id)) };
            if let Some(name) = options.name {
                record.name = name;
            }
            if let Some(type_) = options.type_ {
                record.type_ = type_;
            }
            if let Some(data) = options.data {
                record.data = data;
            }
            record.ttl = options.ttl.or(record.ttl);
            let numbers =
                [("priority", options.priority), ("weight", options.weight), ("port", options.port)];
            for (key, value) in numbers {
                if let Some(value) = value {
                    record.extra.insert(key, value);
                }
            }
            Ok(record.clone())
        };
        self.cloud.act("update_record", arg("record", &record.id), update).await
    }

    async fn delete_zone_with(&self, zone: &Zone, options: Options) -> Result<()> {
        options.plain("delete_zone")?;
        let id = zone.id.clone();
        let delete = move |cloud: &mut Cloud| {
            cloud.dns.zones.remove(&id).map(|_| ()).ok_or_else(|| Error::not_found("zone", id))
        };
        self.cloud.act("delete_zone", arg("zone", &zone.id), delete).await
    }

    async fn delete_record_with(&self, record: &Record, options: Options) -> Result<()> {
        options.plain("delete_record")?;
        let (zone_id, id) = (record.zone.id.clone(), record.id.clone());
        let delete = move |cloud: &mut Cloud| {
            let state = cloud.dns.zone(&zone_id)?;
            let at = state.position(&id)?;
            state.records.remove(at);
            Ok(())
        };
        self.cloud.act("delete_record", arg("record", &record.id), delete).await
    }
}
