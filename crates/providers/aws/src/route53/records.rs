//! Records. Route 53 keeps those of one name and type in a set; here each value is a record of its own.

use std::fmt;
use std::sync::Arc;

use libcloud_common::{Error, Extra, ExtraFields, Map, Result, Value, arguments, encode};
use libcloud_dns::{CreateRecord, Record, RecordType, UpdateRecord, Zone};
use serde::{Deserialize, Serialize};

use super::values::{self, Numbers, full_name, relative_name};
use super::wire::{ChangeInfo, RecordSet};

/// For how many seconds a record is kept where neither it nor its zone says so: what Amazon's console proposes.
const DEFAULT_TTL: u32 = 300;

/// In `extra`, whether the set has more values.
const SEVERAL: &str = "_multi_value";
/// In `extra`, the change by which a record came to be.
const CHANGE: &str = "change_id";
const ALIAS: &str = "AliasTarget";
const IDENTIFIER: &str = "SetIdentifier";

/// What only Route 53 tells about a record. Attributes of the set have Route 53's own names, and may be more than these.
///
/// <https://docs.aws.amazon.com/Route53/latest/APIReference/API_ResourceRecordSet.html>
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct RecordExtra {
    /// Of MX and SRV records: which server is to be tried first.
    pub priority: Option<u16>,
    /// Of SRV records: the share of this server among those of the same priority.
    pub weight: Option<u16>,
    /// Of SRV records: the port.
    pub port: Option<u16>,
    /// Whether the set has more values; not there where it has one.
    #[serde(rename = "_multi_value")]
    pub multi_value: Option<bool>,
    /// The change by which it was made or updated, for `ex_get_change`; listings do not have it.
    pub change_id: Option<String>,
    /// What tells several sets of one name and type apart.
    #[serde(rename = "SetIdentifier")]
    pub set_identifier: Option<String>,
    /// Of weighted sets: how often this one is answered, in proportion.
    #[serde(rename = "Weight")]
    pub set_weight: Option<u64>,
    /// Of sets chosen by latency: the region of the resource.
    #[serde(rename = "Region")]
    pub region: Option<String>,
    /// `PRIMARY` or `SECONDARY`.
    #[serde(rename = "Failover")]
    pub failover: Option<String>,
    /// From where the question must come: `ContinentCode`, `CountryCode`, `SubdivisionCode`.
    #[serde(rename = "GeoLocation")]
    pub geo_location: Option<Map<String, Value>>,
    /// Whether it is one of several sets that are answered together.
    #[serde(rename = "MultiValueAnswer")]
    pub multi_value_answer: Option<bool>,
    /// The health check that must pass.
    #[serde(rename = "HealthCheckId")]
    pub health_check_id: Option<String>,
    /// What this is another name of, within Amazon's services.
    #[serde(rename = "AliasTarget")]
    pub alias_target: Option<AliasTarget>,
}

impl ExtraFields for RecordExtra {}

/// What an alias record leads to.
///
/// <https://docs.aws.amazon.com/Route53/latest/APIReference/API_AliasTarget.html>
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
#[non_exhaustive]
pub struct AliasTarget {
    /// The zone that the target's name is in: that of the service, or this one.
    pub hosted_zone_id: String,
    /// The target's name.
    #[serde(rename = "DNSName")]
    pub dns_name: String,
    /// Whether the record is answered only while the target is well.
    pub evaluate_target_health: bool,
}

/// Extension arguments of `create_record` and `update_record`: how a set is chosen among those of its name and type.
///
/// <https://docs.aws.amazon.com/Route53/latest/APIReference/API_ResourceRecordSet.html>
#[arguments(drivers = ["route53"])]
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Route53Record {
    /// What tells several sets of one name and type apart.
    pub ex_set_identifier: Option<String>,
    /// How often this set is answered, in proportion to the others of its name and type.
    pub ex_weight: Option<u64>,
    /// Answer with this set where this region is the nearest.
    pub ex_region: Option<String>,
    /// `PRIMARY` or `SECONDARY`.
    pub ex_failover: Option<String>,
    /// Answer questions from there: `{"CountryCode": "DE"}`.
    #[renamed("ex_geolocation")]
    pub ex_geo_location: Option<Map<String, Value>>,
    /// The id of the health check that must pass.
    pub ex_health_check_id: Option<String>,
    /// Whether it is one of several sets that are answered together.
    pub ex_multi_value_answer: Option<bool>,
    /// Makes an alias: `{"HostedZoneId": "Z2FDTNDATAQYW2", "EvaluateTargetHealth": false}`. The target's name is the record's
    /// data, or `DNSName` here.
    pub ex_alias_target: Option<Map<String, Value>>,
}

impl Route53Record {
    /// As attributes of a set whose data is this.
    fn attributes(self, data: &str) -> Map<String, Value> {
        let alias = self.ex_alias_target.map(|mut alias| {
            alias.entry("DNSName").or_insert_with(|| data.into());
            alias.entry("EvaluateTargetHealth").or_insert(Value::Bool(false));
            alias
        });
        let all = [
            (IDENTIFIER, self.ex_set_identifier.map(Value::from)),
            ("Weight", self.ex_weight.map(Value::from)),
            ("Region", self.ex_region.map(Value::from)),
            ("Failover", self.ex_failover.map(Value::from)),
            ("GeoLocation", self.ex_geo_location.map(Value::from)),
            ("HealthCheckId", self.ex_health_check_id.map(Value::from)),
            ("MultiValueAnswer", self.ex_multi_value_answer.map(Value::from)),
            (ALIAS, alias.map(Value::from)),
        ];
        all.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
    }
}

/// Which record is meant by an id: `A:www`, with `?set=…` where there are several sets of this name and type, and `value=…`
/// where the set has several values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) type_: RecordType,
    pub(super) name: String,
    pub(super) set: Option<String>,
    pub(super) value: Option<String>,
}

impl Key {
    /// Reads an id; `None` if it cannot be one.
    pub(super) fn parse(id: &str) -> Option<Self> {
        let (type_, rest) = id.split_once(':').filter(|(type_, _)| !type_.is_empty())?;
        let (name, query) = rest.rsplit_once('?').unwrap_or((rest, ""));
        let part = |wanted: &str| {
            let mut parts = query.split('&').filter_map(|part| part.split_once('='));
            parts.find(|(name, _)| *name == wanted).and_then(|(_, value)| encode::decode_form(value).ok())
        };
        let (set, value) = (part("set"), part("value"));
        Some(Self { type_: RecordType::from(type_), name: name.to_owned(), set, value })
    }

    /// The set that this is a record of.
    pub(super) fn is_of(&self, set: &RecordSet, domain: &str) -> bool {
        self.type_ == set.type_
            && self.name.eq_ignore_ascii_case(&relative_name(&set.name, domain))
            && self.set.as_deref() == set.identifier()
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.type_, self.name)?;
        let mut before = '?';
        for (name, part) in [("set", &self.set), ("value", &self.value)] {
            if let Some(part) = part {
                write!(f, "{before}{name}={}", encode::segment(part))?;
                before = '&';
            }
        }
        // So that this one is not taken for the one before the parts.
        if before == '?' && self.name.contains('?') { f.write_str("?") } else { Ok(()) }
    }
}

impl RecordSet {
    pub(super) fn identifier(&self) -> Option<&str> {
        self.attributes.get(IDENTIFIER)?.as_str()
    }

    pub(super) fn is_alias(&self) -> bool {
        self.attributes.contains_key(ALIAS)
    }

    /// The set of a new record.
    pub(super) fn of_new(
        name: &str,
        zone: &Zone,
        type_: RecordType,
        data: &str,
        options: &CreateRecord,
        ex: Route53Record,
    ) -> Result<Self> {
        let attributes = ex.attributes(data);
        let numbers = Numbers { priority: options.priority, weight: options.weight, port: options.port };
        let ttl = options.ttl.or(zone.ttl).unwrap_or(DEFAULT_TTL);
        Self::new(full_name(name, &zone.domain), type_, data, numbers, Some(ttl), attributes)
    }

    fn new(
        name: String,
        type_: RecordType,
        data: &str,
        numbers: Numbers,
        ttl: Option<u32>,
        attributes: Map<String, Value>,
    ) -> Result<Self> {
        let mut set = Self { name, type_, ttl, values: Vec::new(), attributes };
        if set.is_alias() {
            set.ttl = None;
        } else {
            set.values.push(values::write(&set.type_, data, numbers)?);
        }
        Ok(set)
    }

    /// The set with this record's value alone, as far as the record tells it; `None` if more has to be known.
    pub(super) fn of_known(record: &Record) -> Option<Self> {
        let attributes: Map<String, Value> = attributes(&record.extra);
        let several = record.extra.get(SEVERAL).and_then(Value::as_bool).unwrap_or(false);
        // Records of Apache Libcloud have the time in `extra`.
        let ttl = record.ttl.or_else(|| record.extra.get("ttl").and_then(whole)?.try_into().ok());
        let is_told = !record.data.is_empty() && (ttl.is_some() || attributes.contains_key(ALIAS));
        if several || !is_told || record.zone.domain.is_empty() {
            return None;
        }
        let name = full_name(&record.name, &record.zone.domain);
        Self::new(name, record.type_.clone(), &record.data, numbers(record), ttl, attributes).ok()
    }

    /// The place of a record's value; `None` if the set does not have it.
    ///
    /// # Errors
    /// `InvalidArgument` if the record does not tell which of several it is.
    pub(super) fn position(&self, record: &Record) -> Result<Option<usize>> {
        if !record.data.is_empty() {
            if self.is_alias() {
                return Ok(Some(0));
            }
            let wanted = numbers(record);
            let is_it = |value: &String| {
                let (data, numbers) = values::read(&self.type_, value);
                data == record.data && wanted.or(numbers) == numbers
            };
            return Ok(self.values.iter().position(is_it));
        }
        match (Key::parse(&record.id).and_then(|key| key.value), self.values.as_slice()) {
            (Some(wanted), values) => Ok(values.iter().position(|value| *value == wanted)),
            (None, [] | [_]) => Ok(Some(0)),
            (None, values) => Err(Error::invalid_argument(format!(
                "the set `{}` has {} values; the id of one of them is as `{}?value=…`",
                record.id,
                values.len(),
                record.id
            ))
            .with_resource("record", &record.id)),
        }
    }

    /// The set without one of its values; `None` if nothing is left.
    pub(super) fn without(&self, at: usize) -> Option<Self> {
        let mut set = self.clone();
        if at < set.values.len() {
            set.values.remove(at);
        }
        (!set.values.is_empty()).then_some(set)
    }

    /// Whether it can have one value only.
    pub(super) fn is_single(&self) -> bool {
        self.is_alias() || matches!(self.type_, RecordType::Cname | RecordType::Soa)
    }

    /// The record of one of its values.
    pub(super) fn record(&self, at: usize, zone: &Arc<Zone>) -> Record {
        let name = relative_name(&self.name, &zone.domain);
        let value = self.values.get(at).map(String::as_str);
        let own_value = value.filter(|_| self.values.len() > 1);
        let id = if own_value.is_none() && self.identifier().is_none() && !name.contains('?') {
            // Zones have many of these.
            [self.type_.as_str(), ":", &name].concat()
        } else {
            let (set, value) = (self.identifier().map(str::to_owned), own_value.map(str::to_owned));
            Key { type_: self.type_.clone(), name: name.clone(), set, value }.to_string()
        };
        let mut extra = Extra::from(self.attributes.clone());
        let data = if let Some(value) = value {
            let (data, numbers) = values::read(&self.type_, value);
            let apart = [("priority", numbers.priority), ("weight", numbers.weight), ("port", numbers.port)];
            for (name, number) in apart {
                if let Some(number) = number {
                    extra.insert(name, number);
                }
            }
            data.into_owned()
        } else {
            let target = self.attributes.get(ALIAS).and_then(|alias| alias.get("DNSName"));
            target.and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        if self.values.len() > 1 {
            extra.insert(SEVERAL, true);
        }
        Record::new(id, name, self.type_.clone(), data, zone).with_ttl(self.ttl).with_extra(extra)
    }

    /// The records of all values. An alias is one record; its data is the target's name.
    pub(super) fn records(&self, zone: &Arc<Zone>) -> impl Iterator<Item = Record> {
        (0..self.values.len().max(1)).map(|at| self.record(at, zone))
    }
}

/// The record with the change that made it.
pub(super) fn made_by(mut record: Record, change: Option<&ChangeInfo>) -> Record {
    if let Some(change) = change {
        record.extra.insert(CHANGE, change.id.as_str());
    }
    record
}

/// What becomes of a set when one of its values changes.
pub(super) struct Update {
    /// The set without the old value, where others stay.
    pub(super) rest: Option<RecordSet>,
    /// The set with the new value.
    pub(super) new: RecordSet,
    /// The place of the new value.
    pub(super) at: usize,
}

/// Changes what is given of a value.
pub(super) fn update(
    set: &RecordSet,
    at: usize,
    zone: &Zone,
    options: &UpdateRecord,
    ex: Route53Record,
) -> Result<Update> {
    let type_ = options.type_.clone().unwrap_or_else(|| set.type_.clone());
    let old = set.values.get(at).map(|value| values::read(&set.type_, value));
    let (old_data, old_numbers) = old.unwrap_or_default();
    let target = set.attributes.get(ALIAS).and_then(|alias| alias.get("DNSName")).and_then(Value::as_str);
    let data = options.data.as_deref().or(target).unwrap_or(&old_data);
    let numbers = Numbers { priority: options.priority, weight: options.weight, port: options.port };
    let numbers = if type_ == set.type_ { numbers.or(old_numbers) } else { numbers };
    let name = options.name.as_ref().map_or_else(|| set.name.clone(), |name| full_name(name, &zone.domain));
    let mut attributes = set.attributes.clone();
    if let (Some(Value::Object(alias)), Some(data)) = (attributes.get_mut(ALIAS), &options.data) {
        alias.insert("DNSName".to_owned(), data.as_str().into());
    }
    attributes.extend(ex.attributes(data));
    let ttl = options.ttl.or(set.ttl).or(zone.ttl).unwrap_or(DEFAULT_TTL);
    let alone = RecordSet::new(name, type_, data, numbers, Some(ttl), attributes)?;
    let stays = alone.name == set.name && alone.type_ == set.type_ && alone.identifier() == set.identifier();
    if !stays || set.values.len() < 2 {
        return Ok(Update { rest: set.without(at), new: alone, at: 0 });
    }
    let mut new = RecordSet { values: set.values.clone(), ..alone.clone() };
    if let (Some(value), Some(changed)) = (new.values.get_mut(at), alone.values.into_iter().next()) {
        *value = changed;
    }
    Ok(Update { rest: None, new, at })
}

/// A new set of several values of one kind; `extra` has `ttl`, `priority` and attributes of the set by Route 53's names.
pub(super) fn set_of_several(
    name: &str,
    zone: &Zone,
    type_: RecordType,
    data: &[String],
    extra: Map<String, Value>,
) -> Result<RecordSet> {
    let small = |name: &str| extra.get(name).and_then(whole).and_then(|number| number.try_into().ok());
    let numbers = Numbers { priority: small("priority"), weight: small("weight"), port: small("port") };
    let ttl = extra.get("ttl").and_then(whole).and_then(|ttl| ttl.try_into().ok());
    let written = data.iter().flat_map(|data| data.lines()).map(|data| values::write(&type_, data, numbers));
    let values = written.collect::<Result<Vec<_>>>()?;
    if values.is_empty() {
        return Err(Error::invalid_argument("`data` has no value").with_resource("argument", "data"));
    }
    let ttl = Some(ttl.or(zone.ttl).unwrap_or(DEFAULT_TTL));
    let attributes = attributes(&extra);
    Ok(RecordSet { name: full_name(name, &zone.domain), type_, ttl, values, attributes })
}

/// A whole number, as such or as text.
fn whole(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.trim().parse().ok())
}

/// The attributes of a set, which have Route 53's own names, among what else `extra` has.
fn attributes(extra: &Map<String, Value>) -> Map<String, Value> {
    let is_attribute = |name: &&String| name.starts_with(|first: char| first.is_ascii_uppercase());
    extra
        .iter()
        .filter(|(name, _)| is_attribute(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

fn numbers(record: &Record) -> Numbers {
    Numbers { priority: record.priority(), weight: record.weight(), port: record.port() }
}

/// The record as a line of a zone file: what is an alias only Route 53 knows.
pub(super) fn exported(mut record: Record) -> Record {
    if record.extra.contains_key(ALIAS) {
        record.type_ = RecordType::Alias;
    }
    record
}

/// The types that version 2013-04-01 takes.
///
/// <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/ResourceRecordTypes.html>
pub(super) const TYPES: &[RecordType] = &[
    RecordType::A,
    RecordType::Aaaa,
    RecordType::Caa,
    RecordType::Cname,
    RecordType::Ds,
    RecordType::Https,
    RecordType::Mx,
    RecordType::Naptr,
    RecordType::Ns,
    RecordType::Ptr,
    RecordType::Soa,
    RecordType::Spf,
    RecordType::Srv,
    RecordType::Sshfp,
    RecordType::Svcb,
    RecordType::Tlsa,
    RecordType::Txt,
];
