//! What Elastic Load Balancing sends, under its own names.

use std::collections::BTreeMap;

use libcloud_common::xml::Element;
use libcloud_common::{Result, Timestamp};
use serde::{Deserialize, Serialize};

/// The members of a list: `<Name><member>…</member></Name>`.
pub(crate) fn members<'a, 'i: 'a>(
    parent: Element<'a, 'i>,
    list: &'static str,
) -> impl Iterator<Item = Element<'a, 'i>> {
    parent.items(list, "member")
}

/// The texts of a list.
pub(crate) fn texts(parent: Element<'_, '_>, list: &'static str) -> Vec<String> {
    members(parent, list).map(|member| member.text().into_owned()).collect()
}

/// The tags of several resources, by the resource.
pub(crate) fn tags(
    root: Element<'_, '_>,
    resource: &'static str,
) -> Result<BTreeMap<String, BTreeMap<String, String>>> {
    let found = root.need("DescribeTagsResult")?;
    let of_one = |one: Element<'_, '_>| {
        let tags = members(one, "Tags")
            .map(|tag| Ok((tag.need_text("Key")?, tag.opt_text("Value").unwrap_or_default())))
            .collect::<Result<_>>()?;
        Ok((one.need_text(resource)?, tags))
    };
    members(found, "TagDescriptions").map(of_one).collect()
}

/// <https://docs.aws.amazon.com/elasticloadbalancing/2012-06-01/APIReference/API_LoadBalancerDescription.html>
#[derive(Debug)]
pub(super) struct LoadBalancerDescription {
    pub(super) load_balancer_name: String,
    pub(super) dns_name: Option<String>,
    pub(super) created_time: Option<Timestamp>,
    pub(super) listeners: Vec<ListenerDescription>,
    pub(super) instances: Vec<String>,
    pub(super) availability_zones: Vec<String>,
    pub(super) subnets: Vec<String>,
    pub(super) security_groups: Vec<String>,
    pub(super) vpc_id: Option<String>,
    pub(super) scheme: Option<String>,
    pub(super) hosted_zone: Option<String>,
    pub(super) health_check: Option<HealthCheck>,
}

/// A listener of a classic balancer: what it takes, and what becomes of it.
///
/// <https://docs.aws.amazon.com/elasticloadbalancing/2012-06-01/APIReference/API_Listener.html>
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ListenerDescription {
    /// The port that clients connect to.
    pub port: u16,
    /// The protocol that they speak, in capitals.
    pub protocol: String,
    /// The port of the members.
    pub instance_port: u16,
    /// The protocol that is spoken with them.
    pub instance_protocol: Option<String>,
    /// The ARN of the certificate, with HTTPS and SSL.
    pub ssl_certificate_id: Option<String>,
    /// The names of its policies.
    pub policies: Vec<String>,
}

/// How a classic balancer finds out which of its members are well.
///
/// <https://docs.aws.amazon.com/elasticloadbalancing/2012-06-01/APIReference/API_HealthCheck.html>
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct HealthCheck {
    /// What is asked: `HTTP:80/ping`, `TCP:22`.
    pub target: String,
    /// How many seconds are between two questions.
    pub interval: u32,
    /// How many seconds an answer may take.
    pub timeout: u32,
    /// After how many failures in a row a member gets no more requests.
    pub unhealthy_threshold: u32,
    /// After how many successes in a row it gets them again.
    pub healthy_threshold: u32,
}

pub(super) fn load_balancers(root: Element<'_, '_>) -> Result<Vec<LoadBalancerDescription>> {
    let found = root.need("DescribeLoadBalancersResult")?;
    members(found, "LoadBalancerDescriptions").map(load_balancer).collect()
}

fn load_balancer(one: Element<'_, '_>) -> Result<LoadBalancerDescription> {
    Ok(LoadBalancerDescription {
        load_balancer_name: one.need_text("LoadBalancerName")?,
        dns_name: one.opt_text("DNSName"),
        created_time: one.parse("CreatedTime")?,
        listeners: members(one, "ListenerDescriptions").map(listener).collect::<Result<_>>()?,
        instances: members(one, "Instances")
            .map(|instance| instance.need_text("InstanceId"))
            .collect::<Result<_>>()?,
        availability_zones: texts(one, "AvailabilityZones"),
        subnets: texts(one, "Subnets"),
        security_groups: texts(one, "SecurityGroups"),
        vpc_id: one.opt_text("VPCId"),
        scheme: one.opt_text("Scheme"),
        hosted_zone: one.opt_text("CanonicalHostedZoneNameID"),
        health_check: one.child("HealthCheck").map(health_check).transpose()?,
    })
}

fn listener(one: Element<'_, '_>) -> Result<ListenerDescription> {
    let listener = one.need("Listener")?;
    Ok(ListenerDescription {
        port: listener.need_parse("LoadBalancerPort")?,
        protocol: listener.need_text("Protocol")?,
        instance_port: listener.need_parse("InstancePort")?,
        instance_protocol: listener.opt_text("InstanceProtocol"),
        ssl_certificate_id: listener.opt_text("SSLCertificateId"),
        policies: texts(one, "PolicyNames"),
    })
}

fn health_check(one: Element<'_, '_>) -> Result<HealthCheck> {
    Ok(HealthCheck {
        target: one.need_text("Target")?,
        interval: one.need_parse("Interval")?,
        timeout: one.need_parse("Timeout")?,
        unhealthy_threshold: one.need_parse("UnhealthyThreshold")?,
        healthy_threshold: one.need_parse("HealthyThreshold")?,
    })
}

pub(super) fn configured_health_check(root: Element<'_, '_>) -> Result<HealthCheck> {
    health_check(root.need_path("ConfigureHealthCheckResult/HealthCheck")?)
}

/// The name that clients connect to.
pub(super) fn created(root: Element<'_, '_>) -> Result<String> {
    // Some answer without the envelope.
    root.child("CreateLoadBalancerResult").unwrap_or(root).need_text("DNSName")
}

/// <https://docs.aws.amazon.com/elasticloadbalancing/2012-06-01/APIReference/API_InstanceState.html>
#[derive(Debug)]
pub(super) struct InstanceState {
    pub(super) instance_id: String,
    pub(super) state: Option<String>,
    pub(super) reason_code: Option<String>,
    pub(super) description: Option<String>,
}

pub(super) fn instance_health(root: Element<'_, '_>) -> Result<Vec<InstanceState>> {
    let state = |one: Element<'_, '_>| {
        Ok(InstanceState {
            instance_id: one.need_text("InstanceId")?,
            state: one.opt_text("State"),
            reason_code: one.opt_text("ReasonCode"),
            description: one.opt_text("Description"),
        })
    };
    members(root.need("DescribeInstanceHealthResult")?, "InstanceStates").map(state).collect()
}

/// The names of policies.
pub(super) fn policies(root: Element<'_, '_>) -> Result<Vec<String>> {
    let found = root.need("DescribeLoadBalancerPoliciesResult")?;
    members(found, "PolicyDescriptions").map(|policy| policy.need_text("PolicyName")).collect()
}

/// The names of the kinds of policies.
pub(super) fn policy_types(root: Element<'_, '_>) -> Result<Vec<String>> {
    let found = root.need("DescribeLoadBalancerPolicyTypesResult")?;
    members(found, "PolicyTypeDescriptions").map(|kind| kind.need_text("PolicyTypeName")).collect()
}
