//! Balancers and their members: `extra`, arguments, conversions.

use std::collections::BTreeMap;
use std::sync::Arc;

use libcloud_common::{Error, ErrorKind, Extra, ExtraFields, Result, Timestamp, arguments};
use libcloud_loadbalancer::{Algorithm, CreateBalancer, LoadBalancer, Member, State};
use serde::{Deserialize, Serialize};

use super::wire::{HealthCheck, InstanceState, ListenerDescription, LoadBalancerDescription};
use crate::connection::Action;

/// What only Elastic Load Balancing tells about a classic balancer.
///
/// <https://docs.aws.amazon.com/elasticloadbalancing/2012-06-01/APIReference/API_LoadBalancerDescription.html>
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct BalancerExtra {
    /// What it takes, and what becomes of it.
    pub listeners: Vec<ListenerDescription>,
    /// The ids of the nodes that are its members.
    pub instances: Vec<String>,
    /// How it finds out which of them are well.
    pub health_check: Option<HealthCheck>,
    /// The zones that it is in.
    pub availability_zones: Vec<String>,
    /// The subnets that it is in.
    pub subnets: Vec<String>,
    /// The ids of its security groups.
    pub security_groups: Vec<String>,
    /// The virtual private cloud.
    pub vpc_id: Option<String>,
    /// `internet-facing` or `internal`.
    pub scheme: Option<String>,
    /// When it was made.
    pub created_time: Option<Timestamp>,
    /// The id of Route 53's zone that its name is in, for an alias.
    pub hosted_zone_id: Option<String>,
    /// Its tags, where they were asked for with `ex_fetch_tags`.
    pub tags: Option<BTreeMap<String, String>>,
}

impl ExtraFields for BalancerExtra {}

/// What only Elastic Load Balancing tells about a member.
///
/// <https://docs.aws.amazon.com/elasticloadbalancing/2012-06-01/APIReference/API_InstanceState.html>
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct MemberExtra {
    /// `InService`, `OutOfService` or `Unknown`.
    pub state: Option<String>,
    /// Whose fault it is: `ELB` or `Instance`.
    pub reason_code: Option<String>,
    /// Why it is so.
    pub description: Option<String>,
}

impl ExtraFields for MemberExtra {}

/// Extension arguments of `list_balancers` and `get_balancer`.
#[arguments(drivers = ["elb"])]
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ElbListBalancers {
    /// Whether the tags are asked for, too.
    pub ex_fetch_tags: Option<bool>,
}

/// Extension arguments of `create_balancer`.
///
/// <https://docs.aws.amazon.com/elasticloadbalancing/2012-06-01/APIReference/API_CreateLoadBalancer.html>
#[arguments(drivers = ["elb"])]
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ElbCreateBalancer {
    /// The zones that it is in; the region's first without, unless subnets are given.
    pub ex_members_availability_zones: Vec<String>,
    /// The ids of the subnets that it is in.
    pub ex_subnets: Vec<String>,
    /// The ids of its security groups.
    pub ex_security_groups: Vec<String>,
    /// `internal` for one that only its VPC can reach.
    pub ex_scheme: Option<String>,
    /// The protocol that is spoken with the members; that of the clients without.
    pub ex_instance_protocol: Option<String>,
    /// The ARN of the certificate, with HTTPS and SSL.
    pub ex_ssl_certificate_id: Option<String>,
    /// Tags.
    pub ex_tags: BTreeMap<String, String>,
}

/// What clients can speak.
pub(super) const PROTOCOLS: [&str; 4] = ["tcp", "ssl", "http", "https"];

/// The parameters of the call that makes a balancer in this region.
pub(super) fn create(
    action: Action,
    region: &str,
    options: &CreateBalancer,
    ex: &ElbCreateBalancer,
) -> Result<Action> {
    check(options)?;
    let protocol = options.protocol.to_ascii_uppercase();
    let instance_protocol =
        ex.ex_instance_protocol.as_ref().map_or_else(|| protocol.clone(), |own| own.to_ascii_uppercase());
    let zones = match ex.ex_members_availability_zones.as_slice() {
        [] if ex.ex_subnets.is_empty() => vec![format!("{region}a")],
        zones => zones.to_vec(),
    };
    let listener = "Listeners.member.1";
    Ok(action
        .param("LoadBalancerName", &options.name)
        .param(format!("{listener}.InstancePort"), instance_port(options)?)
        .param(format!("{listener}.InstanceProtocol"), instance_protocol)
        .param(format!("{listener}.LoadBalancerPort"), options.port)
        .param(format!("{listener}.Protocol"), protocol)
        .opt(format!("{listener}.SSLCertificateId"), ex.ex_ssl_certificate_id.as_ref())
        .list("AvailabilityZones.member", zones)
        .list("Subnets.member", &ex.ex_subnets)
        .list("SecurityGroups.member", &ex.ex_security_groups)
        .opt("Scheme", ex.ex_scheme.as_ref())
        .tags("Tags.member", ex.ex_tags.iter().map(|(name, value)| (name, Some(value)))))
}

fn check(options: &CreateBalancer) -> Result<()> {
    if !PROTOCOLS.iter().any(|known| known.eq_ignore_ascii_case(&options.protocol)) {
        return Err(unknown_protocol(&options.protocol, &PROTOCOLS));
    }
    if let Some(other) = options.algorithm.as_ref().filter(|algorithm| **algorithm != Algorithm::RoundRobin) {
        return Err(Error::new(
            ErrorKind::NotSupported,
            format!("classic balancers choose by `round_robin`, or by requests under way: not by `{other}`"),
        )
        .with_resource("argument", "algorithm"));
    }
    options.members.iter().try_for_each(|member| instance(member).map(drop))
}

pub(crate) fn unknown_protocol(protocol: &str, known: &[&str]) -> Error {
    Error::invalid_argument(format!("`{protocol}` is none of the protocols `{}`", known.join("`, `")))
        .with_resource("argument", "protocol")
}

/// The port of the members, which is one for all of them; the balancer's without.
fn instance_port(options: &CreateBalancer) -> Result<u16> {
    let mut ports: Vec<u16> = options.members.iter().filter_map(|member| member.port).collect();
    ports.sort_unstable();
    ports.dedup();
    match ports.as_slice() {
        [] => Ok(options.port),
        [port] => Ok(*port),
        _ => Err(Error::invalid_argument(
            "the members of a classic balancer listen on one port, and these are on several",
        )
        .with_resource("argument", "members")),
    }
}

/// The node that a member is.
pub(super) fn instance(member: &Member) -> Result<&str> {
    if member.id.is_empty() {
        return Err(Error::invalid_argument(
            "the members of a classic balancer are nodes: one is known by its node's id, not by its address",
        )
        .with_resource("argument", "member"));
    }
    Ok(&member.id)
}

/// A balancer that was just made: its name may not be known everywhere yet.
pub(super) fn made(options: &CreateBalancer, dns_name: String) -> LoadBalancer {
    LoadBalancer::new(options.name.as_str(), options.name.as_str(), State::Pending)
        .with_address(dns_name, options.port)
}

/// A classic balancer has no state: one that is there runs.
pub(super) fn balancer(
    found: LoadBalancerDescription,
    tags: Option<BTreeMap<String, String>>,
) -> LoadBalancer {
    let port = match found.listeners.as_slice() {
        [listener] => Some(listener.port),
        _ => None,
    };
    let name = found.load_balancer_name;
    let mut balancer = LoadBalancer::new(name.clone(), name, State::Running);
    balancer.ip = found.dns_name;
    balancer.port = port;
    balancer.extra = Extra::of(BalancerExtra {
        listeners: found.listeners,
        instances: found.instances,
        health_check: found.health_check,
        availability_zones: found.availability_zones,
        subnets: found.subnets,
        security_groups: found.security_groups,
        vpc_id: found.vpc_id,
        scheme: found.scheme,
        created_time: found.created_time,
        hosted_zone_id: found.hosted_zone,
        tags,
    });
    balancer
}

pub(super) fn member(found: InstanceState, balancer: &Arc<LoadBalancer>) -> Member {
    // The original's `N/A` for nothing.
    let told = |text: Option<String>| text.filter(|text| text != "N/A");
    let extra = MemberExtra {
        state: found.state,
        reason_code: told(found.reason_code),
        description: told(found.description),
    };
    Member::from_id(found.instance_id).with_balancer(balancer).with_extra(Extra::of(extra))
}
