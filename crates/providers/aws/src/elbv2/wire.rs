//! What Elastic Load Balancing version 2 sends, under its own names.

use std::collections::BTreeMap;

use libcloud_common::xml::Element;
use libcloud_common::{Result, Timestamp};

use super::listeners::{Listener, Rule};
use super::targets::TargetGroup;
use crate::connection::Cursor;
use crate::elb::wire::{members, texts};

pub(super) const BALANCERS: Cursor =
    Cursor { param: "Marker", next: "DescribeLoadBalancersResult/NextMarker" };
pub(super) const LISTENERS: Cursor = Cursor { param: "Marker", next: "DescribeListenersResult/NextMarker" };
pub(super) const RULES: Cursor = Cursor { param: "Marker", next: "DescribeRulesResult/NextMarker" };
pub(super) const TARGET_GROUPS: Cursor =
    Cursor { param: "Marker", next: "DescribeTargetGroupsResult/NextMarker" };

/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_LoadBalancer.html>
#[derive(Clone, Debug)]
pub(super) struct Balancer {
    pub(super) arn: String,
    pub(super) name: String,
    pub(super) dns_name: Option<String>,
    pub(super) state: Option<String>,
    pub(super) reason: Option<String>,
    pub(super) type_: Option<String>,
    pub(super) scheme: Option<String>,
    pub(super) vpc_id: Option<String>,
    pub(super) ip_address_type: Option<String>,
    pub(super) hosted_zone: Option<String>,
    pub(super) created_time: Option<Timestamp>,
    pub(super) subnets: Vec<String>,
    pub(super) zones: Vec<String>,
    pub(super) security_groups: Vec<String>,
}

/// Those of a listing.
pub(super) fn balancers(root: Element<'_, '_>) -> Result<Vec<Balancer>> {
    balancers_in(root.need("DescribeLoadBalancersResult")?)
}

/// The one that was made.
pub(super) fn created_balancer(root: Element<'_, '_>) -> Result<Balancer> {
    first(root, "CreateLoadBalancerResult", "LoadBalancers", balancers_in)
}

fn balancers_in(result: Element<'_, '_>) -> Result<Vec<Balancer>> {
    members(result, "LoadBalancers").map(balancer).collect()
}

fn balancer(one: Element<'_, '_>) -> Result<Balancer> {
    let zones: Vec<_> = members(one, "AvailabilityZones").collect();
    Ok(Balancer {
        arn: one.need_text("LoadBalancerArn")?,
        name: one.need_text("LoadBalancerName")?,
        dns_name: one.opt_text("DNSName"),
        state: one.opt_text("State/Code"),
        reason: one.opt_text("State/Reason"),
        type_: one.opt_text("Type"),
        scheme: one.opt_text("Scheme"),
        vpc_id: one.opt_text("VpcId"),
        ip_address_type: one.opt_text("IpAddressType"),
        hosted_zone: one.opt_text("CanonicalHostedZoneId"),
        created_time: one.parse("CreatedTime")?,
        subnets: zones.iter().filter_map(|zone| zone.opt_text("SubnetId")).collect(),
        zones: zones.iter().filter_map(|zone| zone.opt_text("ZoneName")).collect(),
        security_groups: texts(one, "SecurityGroups"),
    })
}

/// The tags of the one resource that was asked for.
pub(super) fn tags(root: Element<'_, '_>) -> Result<BTreeMap<String, String>> {
    let found = crate::elb::wire::tags(root, "ResourceArn")?;
    Ok(found.into_values().next().unwrap_or_default())
}

pub(super) fn listeners(root: Element<'_, '_>) -> Result<Vec<Listener>> {
    listeners_in(root.need("DescribeListenersResult")?)
}

pub(super) fn created_listener(root: Element<'_, '_>) -> Result<Listener> {
    first(root, "CreateListenerResult", "Listeners", listeners_in)
}

fn listeners_in(result: Element<'_, '_>) -> Result<Vec<Listener>> {
    let listener = |one: Element<'_, '_>| {
        Ok(Listener {
            id: one.need_text("ListenerArn")?,
            balancer: one.opt_text("LoadBalancerArn"),
            port: one.parse("Port")?,
            protocol: one.opt_text("Protocol"),
            ssl_policy: one.opt_text("SslPolicy"),
            ssl_certificate: one.opt_text("Certificates/member/CertificateArn"),
            action: one.opt_text("DefaultActions/member/Type"),
            target_group: one.opt_text("DefaultActions/member/TargetGroupArn"),
        })
    };
    members(result, "Listeners").map(listener).collect()
}

pub(super) fn rules(root: Element<'_, '_>) -> Result<Vec<Rule>> {
    rules_in(root.need("DescribeRulesResult")?)
}

pub(super) fn created_rule(root: Element<'_, '_>) -> Result<Rule> {
    first(root, "CreateRuleResult", "Rules", rules_in)
}

fn rules_in(result: Element<'_, '_>) -> Result<Vec<Rule>> {
    let condition = |one: Element<'_, '_>| {
        // Newer kinds have their values in a structure of their own.
        let mut values = texts(one, "Values");
        values.extend(one.elements().flat_map(|config| texts(config, "Values")));
        Ok((one.need_text("Field")?, values))
    };
    let rule = |one: Element<'_, '_>| {
        Ok(Rule {
            id: one.need_text("RuleArn")?,
            is_default: one.bool("IsDefault")?.unwrap_or(false),
            priority: one.opt_text("Priority"),
            conditions: members(one, "Conditions").map(condition).collect::<Result<_>>()?,
            action: one.opt_text("Actions/member/Type"),
            target_group: one.opt_text("Actions/member/TargetGroupArn"),
        })
    };
    members(result, "Rules").map(rule).collect()
}

pub(super) fn target_groups(root: Element<'_, '_>) -> Result<Vec<TargetGroup>> {
    target_groups_in(root.need("DescribeTargetGroupsResult")?)
}

pub(super) fn created_target_group(root: Element<'_, '_>) -> Result<TargetGroup> {
    first(root, "CreateTargetGroupResult", "TargetGroups", target_groups_in)
}

fn target_groups_in(result: Element<'_, '_>) -> Result<Vec<TargetGroup>> {
    let group = |one: Element<'_, '_>| {
        Ok(TargetGroup {
            id: one.need_text("TargetGroupArn")?,
            name: one.opt_text("TargetGroupName").unwrap_or_default(),
            protocol: one.opt_text("Protocol"),
            port: one.parse("Port")?,
            vpc: one.opt_text("VpcId"),
            target_type: one.opt_text("TargetType"),
            health_check_interval: one.parse("HealthCheckIntervalSeconds")?,
            health_check_path: one.opt_text("HealthCheckPath"),
            health_check_port: one.opt_text("HealthCheckPort"),
            health_check_proto: one.opt_text("HealthCheckProtocol"),
            health_check_timeout: one.parse("HealthCheckTimeoutSeconds")?,
            health_check_matcher: one.opt_text("Matcher/HttpCode"),
            healthy_threshold: one.parse("HealthyThresholdCount")?,
            unhealthy_threshold: one.parse("UnhealthyThresholdCount")?,
            balancers: texts(one, "LoadBalancerArns"),
        })
    };
    members(result, "TargetGroups").map(group).collect()
}

/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetHealthDescription.html>
#[derive(Debug)]
pub(super) struct TargetHealth {
    pub(super) id: String,
    pub(super) port: Option<u16>,
    pub(super) state: Option<String>,
    pub(super) reason: Option<String>,
    pub(super) description: Option<String>,
}

pub(super) fn target_health(root: Element<'_, '_>) -> Result<Vec<TargetHealth>> {
    let target = |one: Element<'_, '_>| {
        Ok(TargetHealth {
            id: one.need_text("Target/Id")?,
            port: one.parse("Target/Port")?,
            state: one.opt_text("TargetHealth/State"),
            reason: one.opt_text("TargetHealth/Reason"),
            description: one.opt_text("TargetHealth/Description"),
        })
    };
    members(root.need("DescribeTargetHealthResult")?, "TargetHealthDescriptions").map(target).collect()
}

/// The first of the list in a result, which has one.
fn first<T>(
    root: Element<'_, '_>,
    result: &str,
    list: &str,
    read: fn(Element<'_, '_>) -> Result<Vec<T>>,
) -> Result<T> {
    let result = root.need(result)?;
    let found = read(result)?.into_iter().next();
    found.ok_or_else(|| result.malformed(format_args!("`{list}` is empty")))
}
