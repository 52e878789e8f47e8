//! Balancers: `extra`, arguments, conversions.

use std::collections::BTreeMap;

use libcloud_common::{Extra, ExtraFields, Timestamp, arguments};
use libcloud_loadbalancer::{LoadBalancer, State};
use serde::{Deserialize, Serialize};

use super::listeners::Listener;
use super::wire;

/// What only Elastic Load Balancing tells about a balancer.
///
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_LoadBalancer.html>
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct BalancerExtra {
    /// What it takes, and what becomes of it.
    pub listeners: Vec<Listener>,
    /// Of a balancer that was just made: the one that it was made with.
    pub listener: Option<Listener>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// The virtual private cloud.
    pub vpc: Option<String>,
    /// `application`, `network` or `gateway`.
    #[serde(rename = "type")]
    pub type_: Option<String>,
    /// `internet-facing` or `internal`.
    pub scheme: Option<String>,
    /// The state in Amazon's own word.
    pub status: Option<String>,
    /// Why it is in that state.
    pub reason: Option<String>,
    /// `ipv4` or `dualstack`.
    pub ip_address_type: Option<String>,
    /// The ids of its subnets.
    pub subnets: Vec<String>,
    /// The names of its zones.
    pub availability_zones: Vec<String>,
    /// The ids of its security groups.
    pub security_groups: Vec<String>,
    /// When it was made.
    pub created_time: Option<Timestamp>,
    /// The id of Route 53's zone that its name is in, for an alias.
    pub hosted_zone_id: Option<String>,
}

impl ExtraFields for BalancerExtra {}

/// Extension arguments of `create_balancer`.
///
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateLoadBalancer.html>
#[arguments(drivers = ["alb"])]
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct AlbCreateBalancer {
    /// `internet-facing`, which it is without, or `internal`.
    pub ex_scheme: Option<String>,
    /// The ids of its security groups; those of the driver's options without.
    pub ex_security_groups: Vec<String>,
    /// The ids of its subnets, in two zones at least; those of the driver's options without.
    pub ex_subnets: Vec<String>,
    /// Tags.
    pub ex_tags: BTreeMap<String, String>,
    /// The ARN of the certificate, with HTTPS and TLS.
    pub ex_ssl_cert_arn: Option<String>,
}

/// Extension arguments of attaching, detaching and listing members.
#[arguments(drivers = ["alb"])]
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct AlbMembers {
    /// The ARN of the target group, where the balancer has several.
    pub ex_target_group: Option<String>,
}

/// Those of application balancers, and those of network balancers.
pub(super) const APPLICATION: [&str; 2] = ["http", "https"];
pub(super) const NETWORK: [&str; 4] = ["tcp", "tls", "udp", "tcp_udp"];

/// Whether a balancer of this protocol is a network balancer.
pub(super) fn is_network(protocol: &str) -> bool {
    NETWORK.iter().any(|known| known.eq_ignore_ascii_case(protocol))
}

fn state(code: Option<&str>) -> State {
    match code.unwrap_or_default() {
        "active" | "active_impaired" => State::Running,
        "provisioning" => State::Pending,
        "failed" => State::Error,
        other => State::Unknown(other.to_owned()),
    }
}

pub(super) fn balancer(
    found: wire::Balancer,
    listeners: Vec<Listener>,
    tags: BTreeMap<String, String>,
    listener: Option<Listener>,
) -> LoadBalancer {
    let mut balancer = LoadBalancer::new(found.arn, found.name, state(found.state.as_deref()));
    balancer.ip = found.dns_name;
    // The original takes the first one's, too.
    balancer.port = listeners.first().and_then(|listener| listener.port);
    balancer.extra = Extra::of(BalancerExtra {
        listeners,
        listener,
        tags,
        vpc: found.vpc_id,
        type_: found.type_,
        scheme: found.scheme,
        status: found.state,
        reason: found.reason,
        ip_address_type: found.ip_address_type,
        subnets: found.subnets,
        availability_zones: found.zones,
        security_groups: found.security_groups,
        created_time: found.created_time,
        hosted_zone_id: found.hosted_zone,
    });
    balancer
}
