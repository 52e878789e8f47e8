//! What a DNS provider has: plain data, made by drivers or by hand from a known id.

use std::sync::Arc;

use libcloud_common::dispatch::Arg;
use libcloud_common::{Extra, ExtraFields, Result, Value, resources};
use serde::{Deserialize, Deserializer, Serialize};

use crate::types::{RecordType, ZoneType};

/// A domain and the records in it.
///
/// ```
/// use libcloud_dns::{Zone, ZoneType};
///
/// let zone = Zone::new("1", "example.com", ZoneType::Master).with_ttl(900);
/// assert_eq!(serde_json::to_value(&zone)?["type"], "master");
/// assert_eq!(Zone::from_id("1").id, zone.id);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Zone {
    /// The provider's id.
    pub id: String,
    /// The domain: `example.com`. Some providers end it with a dot.
    #[serde(default)]
    pub domain: String,
    /// Whether it is edited here or copied from another server.
    #[serde(rename = "type", default = "master")]
    pub type_: ZoneType,
    /// For how many seconds its records may be kept by resolvers, where they do not say so themselves.
    #[serde(default)]
    pub ttl: Option<u32>,
    /// What only this provider tells.
    #[serde(default)]
    pub extra: Extra,
}

/// One record of a zone.
///
/// Zones with a million records exist: what is asked of every record is a field, and all share their zone.
/// Priority, weight and port are in `extra`, as those few records have them that need them.
///
/// ```
/// use std::sync::Arc;
/// use libcloud_dns::{Record, RecordType, Zone, ZoneType};
///
/// let zone = Arc::new(Zone::new("1", "example.com", ZoneType::Master));
/// let record = Record::new("7", "", RecordType::Mx, "mx.example.com", &zone).with_priority(10);
/// assert_eq!(record.priority(), Some(10));
/// assert_eq!(serde_json::to_value(&record)?["extra"]["priority"], 10);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Record {
    /// The provider's id.
    pub id: String,
    /// The name within the zone: `www`, `*.dev`. Empty for the zone's own.
    #[serde(default, deserialize_with = "null_is_default")]
    pub name: String,
    /// What it tells.
    #[serde(rename = "type", default = "unknown_record")]
    pub type_: RecordType,
    /// The data, as the provider writes it.
    #[serde(default)]
    pub data: String,
    /// The zone that it is in.
    #[serde(deserialize_with = "zone_or_id")]
    pub zone: Arc<Zone>,
    /// For how many seconds resolvers may keep it; the zone's where there is none.
    #[serde(default)]
    pub ttl: Option<u32>,
    /// What only this provider tells.
    #[serde(default)]
    pub extra: Extra,
}

fn master() -> ZoneType {
    ZoneType::Master
}

fn unknown_record() -> RecordType {
    RecordType::Unknown(String::new())
}

fn null_is_default<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// A record's zone: all of it, or its id alone.
fn zone_or_id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Arc<Zone>, D::Error> {
    let value = Value::deserialize(deserializer)?;
    Zone::from_json(value).map(Arc::new).map_err(serde::de::Error::custom)
}

resources! {
    Zone, "zone";
}

impl Zone {
    /// A zone with what every provider tells.
    pub fn new(id: impl Into<String>, domain: impl Into<String>, type_: ZoneType) -> Self {
        Self { id: id.into(), domain: domain.into(), type_, ttl: None, extra: Extra::new() }
    }

    /// A zone of which only the id is known. Nothing is asked of the provider.
    pub fn from_id(id: impl Into<String>) -> Self {
        Self::new(id, "", ZoneType::Master)
    }

    /// The same with this time in seconds.
    pub fn with_ttl(mut self, ttl: impl Into<Option<u32>>) -> Self {
        self.ttl = ttl.into();
        self
    }
}

impl Record {
    /// A record with what every provider tells.
    pub fn new(
        id: impl Into<String>,
        name: impl Into<String>,
        type_: RecordType,
        data: impl Into<String>,
        zone: &Arc<Zone>,
    ) -> Self {
        Self {
            id: id.into(),
            name: name.into(),
            type_,
            data: data.into(),
            zone: Arc::clone(zone),
            ttl: None,
            extra: Extra::new(),
        }
    }

    /// A record of which only its id and that of its zone are known. Nothing is asked of the provider.
    pub fn from_id(zone_id: impl Into<String>, record_id: impl Into<String>) -> Self {
        let zone = Arc::new(Zone::from_id(zone_id));
        Self::new(record_id, "", unknown_record(), "", &zone)
    }

    /// The same with this time in seconds.
    pub fn with_ttl(mut self, ttl: impl Into<Option<u32>>) -> Self {
        self.ttl = ttl.into();
        self
    }

    /// The same with this priority.
    pub fn with_priority(mut self, priority: u16) -> Self {
        self.extra.insert("priority", priority);
        self
    }

    /// The same with this extra.
    pub fn with_extra(mut self, extra: Extra) -> Self {
        self.extra = extra;
        self
    }

    /// Of MX and SRV records: which server is to be tried first; the lowest. From `extra`.
    pub fn priority(&self) -> Option<u16> {
        self.number("priority")
    }

    /// Of SRV records: the share of this server among those of the same priority. From `extra`.
    pub fn weight(&self) -> Option<u16> {
        self.number("weight")
    }

    /// Of SRV records: the port. From `extra`.
    pub fn port(&self) -> Option<u16> {
        self.number("port")
    }

    /// What only this provider tells, as the driver's own struct.
    pub fn extra_as<T: ExtraFields>(&self) -> Result<T> {
        self.extra.read()
    }

    /// A small number of `extra`; some providers write it as text.
    fn number(&self, key: &str) -> Option<u16> {
        match self.extra.get(key)? {
            Value::String(text) => text.trim().parse().ok(),
            number => number.as_u64()?.try_into().ok(),
        }
    }
}

impl Arg for Record {
    const TYPE: &'static str = "record";

    /// A record's id alone leads nowhere at most providers, so that its zone is asked for too.
    fn from_json(value: Value) -> Result<Self, String> {
        if !value.is_object() {
            return Err(format!(
                "expected a record, or its id and its zone's as {{\"id\": \"7\", \"zone\": \"example.com\"}}, found {value}"
            ));
        }
        Self::deserialize(value).map_err(|error| format!("expected a record: {error}"))
    }
}
