//! Changes of record sets: each request is one batch, of which either all or nothing happens.
//!
//! A set is changed by deleting it as it is known and making it anew in the same batch. Route 53 deletes only what is exactly
//! as it is told, so that nothing which changed in between is lost.

use std::time::Duration;

use futures_util::TryStreamExt as _;
use libcloud_common::xml::{self, Writer};
use libcloud_common::{Map, Poller, Progress, Result, Value, extensions};
use libcloud_dns::{Record, RecordType, Zone};

use super::records::{made_by, set_of_several};
use super::values::relative_name;
use super::wire::{self, ChangeInfo, RecordSet, last_part};
use super::{Route53Driver, about_zone};

/// What is to be done with a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Create,
    Delete,
}

impl Action {
    fn as_str(self) -> &'static str {
        match self {
            Self::Create => "CREATE",
            Self::Delete => "DELETE",
        }
    }
}

/// The most values, and characters of values, that a batch may have.
///
/// <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DNSLimitations.html#limits-api-requests-changeresourcerecordsets>
const MAX_VALUES: usize = 1000;
const MAX_CHARACTERS: usize = 32_000;

/// The elements of a set in the order in which Route 53 takes them, those within structures included.
const ORDER: &[&str] = &[
    "SetIdentifier",
    "Weight",
    "Region",
    "GeoLocation",
    "ContinentCode",
    "CountryCode",
    "SubdivisionCode",
    "Failover",
    "MultiValueAnswer",
    TTL,
    "AliasTarget",
    "HostedZoneId",
    "DNSName",
    "EvaluateTargetHealth",
    "HealthCheckId",
    "TrafficPolicyInstanceId",
    "CidrRoutingConfig",
    "CollectionId",
    "LocationName",
    "GeoProximityLocation",
    "AWSRegion",
    "LocalZoneGroup",
    "Coordinates",
    "Latitude",
    "Longitude",
    "Bias",
];
const TTL: &str = "TTL";

fn place(name: &str) -> usize {
    ORDER.iter().position(|known| *known == name).unwrap_or(ORDER.len())
}

#[extensions(CHANGES)]
impl Route53Driver {
    /// Makes a set of several values at once; gives a record for each. `data` is a list, or has a value on each line; `extra`
    /// may have `ttl`, `priority`, and attributes of the set by Route 53's names.
    /// <https://docs.aws.amazon.com/Route53/latest/APIReference/API_ChangeResourceRecordSets.html>
    pub async fn ex_create_multi_value_record(
        &self,
        name: &str,
        zone: &Zone,
        type_: RecordType,
        data: &[String],
        extra: Option<Map<String, Value>>,
    ) -> Result<Vec<Record>> {
        let zone = self.whole(zone, None).await?;
        let set = set_of_several(name, &zone, type_, data, extra.unwrap_or_default())?;
        let change = self.change(&zone.id, &[(Action::Create, &set)], None).await?;
        Ok(set.records(&zone).map(|record| made_by(record, change.as_ref())).collect())
    }

    /// Deletes all records of a zone but those that Route 53 itself makes: its own NS and SOA. Each request deletes as many as
    /// one can; a zone with more than a thousand is not emptied at once.
    /// <https://docs.aws.amazon.com/Route53/latest/APIReference/API_ChangeResourceRecordSets.html>
    pub async fn ex_delete_all_records(&self, zone: &Zone) -> Result<()> {
        self.delete_all_records(zone, None).await
    }

    /// How far a change has come, by the `change_id` of a record's extra.
    /// <https://docs.aws.amazon.com/Route53/latest/APIReference/API_GetChange.html>
    pub async fn ex_get_change(&self, change_id: &str) -> Result<ChangeInfo> {
        self.change_info(change_id, None).await
    }

    /// Waits until all name servers know of a change, mostly less than a minute.
    /// <https://docs.aws.amazon.com/Route53/latest/APIReference/API_GetChange.html>
    pub async fn ex_wait_for_change(&self, change_id: &str, timeout: Option<Duration>) -> Result<ChangeInfo> {
        let mut poller = Poller::new(self.conn.http().clock().clone(), format!("change {change_id}"))
            .interval(Duration::from_secs(2), Duration::from_secs(10));
        if let Some(timeout) = timeout {
            poller = poller.timeout(timeout);
        }
        let look = async |left| {
            let change = self.change_info(change_id, Some(left)).await?;
            Ok(if change.is_in_sync() { Progress::Done(change) } else { Progress::Pending(None) })
        };
        poller.run(look).await
    }
}

impl Route53Driver {
    async fn change_info(&self, change_id: &str, timeout: Option<Duration>) -> Result<ChangeInfo> {
        let call = self.conn.get("GetChange", &["change", last_part(change_id)]).timeout(timeout);
        call.decode(|response| xml::parse(&response.text(), wire::change_info)).await
    }

    /// Makes one batch of changes.
    pub(super) async fn change(
        &self,
        zone_id: &str,
        changes: &[(Action, &RecordSet)],
        timeout: Option<Duration>,
    ) -> Result<Option<ChangeInfo>> {
        let content = |xml: &mut Writer| {
            xml.element("ChangeBatch", |xml| {
                xml.element("Changes", |xml| {
                    for (action, set) in changes {
                        xml.element("Change", |xml| {
                            xml.leaf("Action", action.as_str());
                            xml.element("ResourceRecordSet", |xml| write_set(xml, set));
                        });
                    }
                });
            });
        };
        let path = ["hostedzone", last_part(zone_id), "rrset"];
        self.conn
            .post("ChangeResourceRecordSets", &path, content)?
            .timeout(timeout)
            .decode(|response| xml::parse(&response.text(), wire::changed))
            .await
            .map_err(|error| about_zone(error, zone_id))
    }

    pub(super) async fn delete_all_records(&self, zone: &Zone, timeout: Option<Duration>) -> Result<()> {
        let zone = self.whole(zone, timeout).await?;
        let is_own = |set: &RecordSet| {
            matches!(set.type_, RecordType::Ns | RecordType::Soa)
                && relative_name(&set.name, &zone.domain).is_empty()
        };
        let mut sets = self.record_sets(&zone.id, timeout);
        let mut batch: Vec<RecordSet> = Vec::new();
        let (mut values, mut characters) = (0, 0);
        while let Some(set) = sets.try_next().await? {
            if is_own(&set) {
                continue;
            }
            let length: usize = set.values.iter().map(String::len).sum();
            let count = set.values.len().max(1);
            if values + count > MAX_VALUES || characters + length > MAX_CHARACTERS {
                self.delete_sets(&zone.id, &batch, timeout).await?;
                batch.clear();
                (values, characters) = (0, 0);
            }
            values += count;
            characters += length;
            batch.push(set);
        }
        self.delete_sets(&zone.id, &batch, timeout).await
    }

    async fn delete_sets(&self, zone_id: &str, sets: &[RecordSet], timeout: Option<Duration>) -> Result<()> {
        if sets.is_empty() {
            return Ok(());
        }
        let changes: Vec<_> = sets.iter().map(|set| (Action::Delete, set)).collect();
        self.change(zone_id, &changes, timeout).await.map(drop)
    }
}

fn write_set(xml: &mut Writer, set: &RecordSet) {
    xml.leaf("Name", &set.name);
    xml.leaf("Type", set.type_.as_str());
    let is_before = |name: &str| place(name) < place(TTL);
    write_fields(xml, &set.attributes, &is_before);
    if let Some(ttl) = set.ttl {
        xml.leaf(TTL, &ttl.to_string());
    }
    if !set.values.is_empty() {
        xml.element("ResourceRecords", |xml| {
            for value in &set.values {
                xml.element("ResourceRecord", |xml| xml.leaf("Value", value));
            }
        });
    }
    write_fields(xml, &set.attributes, &|name| !is_before(name));
}

fn write_fields(xml: &mut Writer, fields: &Map<String, Value>, wanted: &dyn Fn(&str) -> bool) {
    let mut fields: Vec<_> = fields.iter().filter(|(name, _)| wanted(name)).collect();
    fields.sort_by_key(|(name, _)| place(name));
    for (name, value) in fields {
        match value {
            Value::Null => {}
            Value::Object(fields) => xml.element(name, |xml| write_fields(xml, fields, &|_| true)),
            Value::String(text) => xml.leaf(name, text),
            other => xml.leaf(name, &other.to_string()),
        }
    }
}
