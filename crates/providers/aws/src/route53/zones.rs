//! Hosted zones: what the base API calls zones.

use libcloud_common::xml::Writer;
use libcloud_common::{Error, ErrorKind, Extra, ExtraFields, Result, arguments};
use libcloud_dns::{CreateZone, Zone, ZoneType};
use serde::{Deserialize, Serialize};

use super::wire::HostedZone;

/// What only Route 53 tells about a zone, under its own names.
///
/// <https://docs.aws.amazon.com/Route53/latest/APIReference/API_HostedZone.html>
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
#[non_exhaustive]
pub struct ZoneExtra {
    /// What was written on it.
    pub comment: Option<String>,
    /// How many sets of records it has.
    pub resource_record_set_count: Option<u64>,
    /// Whether only the VPCs that it is associated with see it.
    pub private_zone: Option<bool>,
    /// The token of the call that made it.
    pub caller_reference: Option<String>,
    /// Its name servers, to be given to the registrar of the domain; listings do not have them.
    pub name_servers: Option<Vec<String>>,
}

impl ExtraFields for ZoneExtra {}

/// Extension arguments of `create_zone`.
///
/// <https://docs.aws.amazon.com/Route53/latest/APIReference/API_CreateHostedZone.html>
#[arguments(drivers = ["route53"])]
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Route53CreateZone {
    /// What to write on it.
    pub ex_comment: Option<String>,
    /// The token by which Route 53 knows a repeated call; one is made up without.
    pub ex_caller_reference: Option<String>,
    /// The id of a reusable delegation set, whose name servers it gets.
    pub ex_delegation_set_id: Option<String>,
    /// The VPC that is to see it: this makes it a private zone. Needs `ex_vpc_region`.
    pub ex_vpc_id: Option<String>,
    /// The region of that VPC.
    pub ex_vpc_region: Option<String>,
}

/// Extension arguments of `delete_zone`.
#[arguments(drivers = ["route53"])]
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Route53DeleteZone {
    /// `true` deletes the records first; `false` refuses a zone that has any. Without, they are deleted if Route 53 refuses.
    pub ex_delete_records: Option<bool>,
}

/// The body of the call that makes a zone.
pub(super) fn create(xml: &mut Writer, domain: &str, token: &str, ex: &Route53CreateZone) {
    xml.leaf("Name", domain);
    if ex.ex_vpc_id.is_some() || ex.ex_vpc_region.is_some() {
        xml.element("VPC", |xml| {
            for (name, value) in [("VPCRegion", &ex.ex_vpc_region), ("VPCId", &ex.ex_vpc_id)] {
                if let Some(value) = value {
                    xml.leaf(name, value);
                }
            }
        });
    }
    xml.leaf("CallerReference", token);
    if ex.ex_comment.is_some() || ex.ex_vpc_id.is_some() {
        xml.element("HostedZoneConfig", |xml| {
            if let Some(comment) = &ex.ex_comment {
                xml.leaf("Comment", comment);
            }
            if ex.ex_vpc_id.is_some() {
                xml.leaf("PrivateZone", "true");
            }
        });
    }
    if let Some(id) = &ex.ex_delegation_set_id {
        xml.leaf("DelegationSetId", id);
    }
}

/// Refuses what Route 53 does not have.
pub(super) fn check(options: &CreateZone) -> Result<()> {
    match &options.type_ {
        None | Some(ZoneType::Master) => Ok(()),
        Some(other) => Err(Error::new(
            ErrorKind::NotSupported,
            format!("Route 53 copies no zones from elsewhere: `{other}` cannot be the type of one"),
        )
        .with_resource("argument", "type")),
    }
}

pub(super) fn zone(zone: HostedZone) -> Zone {
    let extra = ZoneExtra {
        comment: zone.comment,
        resource_record_set_count: zone.resource_record_set_count,
        private_zone: zone.private_zone,
        caller_reference: zone.caller_reference,
        name_servers: (!zone.name_servers.is_empty()).then_some(zone.name_servers),
    };
    Zone::new(zone.id, zone.name, ZoneType::Master).with_extra(Extra::of(extra))
}
