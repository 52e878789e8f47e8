//! What Route 53 sends, under its own names.

use libcloud_common::xml::Element;
use libcloud_common::{Error, Map, Result, Timestamp, Value};
use libcloud_dns::RecordType;
use serde::{Deserialize, Serialize};

/// <https://docs.aws.amazon.com/Route53/latest/APIReference/API_HostedZone.html>
#[derive(Debug)]
pub(super) struct HostedZone {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) caller_reference: Option<String>,
    pub(super) comment: Option<String>,
    pub(super) private_zone: Option<bool>,
    pub(super) resource_record_set_count: Option<u64>,
    pub(super) name_servers: Vec<String>,
}

/// A page of zones, and the marker of the next.
pub(super) fn hosted_zones(root: Element<'_, '_>) -> Result<(Vec<HostedZone>, Option<String>)> {
    let zones = root
        .items("HostedZones", "HostedZone")
        .map(|zone| hosted_zone_of(zone, root))
        .collect::<Result<_>>()?;
    let next = if is_truncated(root)? { Some(root.need_text("NextMarker")?) } else { None };
    Ok((zones, next))
}

/// A page of zones by their names, of which the first is enough.
pub(super) fn hosted_zones_by_name(root: Element<'_, '_>) -> Result<Vec<HostedZone>> {
    root.items("HostedZones", "HostedZone").map(|zone| hosted_zone_of(zone, root)).collect()
}

/// One zone with its name servers.
pub(super) fn hosted_zone(root: Element<'_, '_>) -> Result<HostedZone> {
    hosted_zone_of(root.need("HostedZone")?, root)
}

fn hosted_zone_of(zone: Element<'_, '_>, root: Element<'_, '_>) -> Result<HostedZone> {
    let id = zone.need_text("Id")?;
    let servers =
        root.path("DelegationSet/NameServers").into_iter().flat_map(|list| list.children("NameServer"));
    Ok(HostedZone {
        id: last_part(&id).to_owned(),
        name: zone.need_text("Name")?,
        caller_reference: zone.opt_text("CallerReference"),
        comment: zone.opt_text("Config/Comment"),
        private_zone: zone.bool("Config/PrivateZone")?,
        resource_record_set_count: zone.parse("ResourceRecordSetCount")?,
        name_servers: servers.map(|server| server.text().into_owned()).collect(),
    })
}

/// `/hostedzone/Z1` is `Z1`, which every call takes.
pub(super) fn last_part(id: &str) -> &str {
    id.rsplit('/').next().unwrap_or(id)
}

/// The values of one name and type that are answered together, and how one of several sets is chosen.
///
/// <https://docs.aws.amazon.com/Route53/latest/APIReference/API_ResourceRecordSet.html>
#[derive(Clone, Debug, PartialEq)]
pub(super) struct RecordSet {
    pub(super) name: String,
    pub(super) type_: RecordType,
    pub(super) ttl: Option<u32>,
    pub(super) values: Vec<String>,
    /// Everything else, whatever there may come to be.
    pub(super) attributes: Map<String, Value>,
}

/// Where a page of record sets begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Start {
    pub(super) name: String,
    pub(super) type_: String,
    pub(super) identifier: Option<String>,
}

/// A page of record sets, and where the next begins.
pub(super) fn record_sets(root: Element<'_, '_>) -> Result<(Vec<RecordSet>, Option<Start>)> {
    let sets =
        root.items("ResourceRecordSets", "ResourceRecordSet").map(record_set).collect::<Result<_>>()?;
    let next = if is_truncated(root)? {
        Some(Start {
            name: root.need_text("NextRecordName")?,
            type_: root.need_text("NextRecordType")?,
            identifier: root.opt_text("NextRecordIdentifier"),
        })
    } else {
        None
    };
    Ok((sets, next))
}

fn is_truncated(root: Element<'_, '_>) -> Result<bool> {
    Ok(root.bool("IsTruncated")?.unwrap_or(false))
}

fn record_set(set: Element<'_, '_>) -> Result<RecordSet> {
    let mut found = RecordSet {
        name: String::new(),
        type_: RecordType::Unknown(String::new()),
        ttl: None,
        values: Vec::new(),
        attributes: Map::new(),
    };
    let mut is_typed = false;
    for element in set.elements() {
        match element.name() {
            "Name" => found.name = element.text().into_owned(),
            "Type" => {
                found.type_ = RecordType::from(&*element.text());
                is_typed = true;
            }
            "TTL" => found.ttl = set.parse("TTL")?,
            "ResourceRecords" => {
                for record in element.children("ResourceRecord") {
                    found.values.push(record.need("Value")?.text().into_owned());
                }
            }
            name => {
                let value = attribute(element);
                if value != "" {
                    found.attributes.insert(name.to_owned(), value);
                }
            }
        }
    }
    for (name, is_there) in [("Name", !found.name.is_empty()), ("Type", is_typed)] {
        if !is_there {
            return Err(Error::malformed(&format!("{}/{name}", set.place()), "it is missing"));
        }
    }
    Ok(found)
}

/// An element as JSON: numbers and truth values by their names, structures as maps.
fn attribute(element: Element<'_, '_>) -> Value {
    let mut fields = element.elements().peekable();
    if fields.peek().is_some() {
        return fields.map(|field| (field.name().to_owned(), attribute(field))).collect::<Map<_, _>>().into();
    }
    let text = element.text();
    let typed = match element.name() {
        "Weight" => text.parse::<u64>().ok().map(Value::from),
        "EvaluateTargetHealth" | "MultiValueAnswer" => text.parse::<bool>().ok().map(Value::from),
        _ => None,
    };
    typed.unwrap_or_else(|| text.into_owned().into())
}

/// How far a change has come.
///
/// <https://docs.aws.amazon.com/Route53/latest/APIReference/API_ChangeInfo.html>
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ChangeInfo {
    /// The change's id.
    pub id: String,
    /// `PENDING`, or `INSYNC` once all name servers know it.
    pub status: String,
    /// When it was asked for.
    pub submitted_at: Option<Timestamp>,
    /// What was said of it.
    pub comment: Option<String>,
}

impl ChangeInfo {
    /// Whether all name servers know it.
    pub fn is_in_sync(&self) -> bool {
        self.status == "INSYNC"
    }
}

/// What became of a batch: it was taken, whether or not the answer says by which change.
pub(super) fn changed(root: Element<'_, '_>) -> Result<Option<ChangeInfo>> {
    if !root.name().ends_with("Response") {
        return Err(root.malformed("it is no answer of Route 53's"));
    }
    root.child("ChangeInfo").map(|_| change_info(root)).transpose()
}

pub(super) fn change_info(root: Element<'_, '_>) -> Result<ChangeInfo> {
    let info = root.need("ChangeInfo")?;
    Ok(ChangeInfo {
        id: last_part(&info.need_text("Id")?).to_owned(),
        status: info.need_text("Status")?,
        submitted_at: info.parse("SubmittedAt")?,
        comment: info.opt_text("Comment"),
    })
}
