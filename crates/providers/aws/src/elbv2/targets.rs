//! Target groups and what is in them.

use std::sync::Arc;

use futures_util::TryStreamExt as _;
use libcloud_common::{Error, Extra, ExtraFields, Result, extensions, resource};
use libcloud_loadbalancer::{LoadBalancer, Member};
use serde::{Deserialize, Serialize};

use super::{AlbDriver, about, balancers, wire};
use crate::connection::{Action, listing_by};

/// The targets that share requests, and how it is found out which of them are well.
///
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetGroup.html>
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct TargetGroup {
    /// The ARN.
    pub id: String,
    /// The name.
    pub name: String,
    /// The protocol that is spoken with the targets, in capitals.
    pub protocol: Option<String>,
    /// The port of targets that have none of their own.
    pub port: Option<u16>,
    /// The virtual private cloud.
    pub vpc: Option<String>,
    /// `instance`, `ip`, `lambda` or `alb`.
    pub target_type: Option<String>,
    /// How many seconds are between two questions.
    pub health_check_interval: Option<u32>,
    /// What is asked for.
    pub health_check_path: Option<String>,
    /// The port that is asked; `traffic-port` is that of the target.
    pub health_check_port: Option<String>,
    /// The protocol of the question.
    pub health_check_proto: Option<String>,
    /// How many seconds an answer may take.
    pub health_check_timeout: Option<u32>,
    /// Which statuses are success: `200`, `200-299`.
    pub health_check_matcher: Option<String>,
    /// After how many successes in a row a target gets requests again.
    pub healthy_threshold: Option<u32>,
    /// After how many failures in a row it gets no more.
    pub unhealthy_threshold: Option<u32>,
    /// The ARNs of the balancers that use it.
    pub balancers: Vec<String>,
}

impl TargetGroup {
    /// A group of which only the ARN is known. Nothing is asked of the provider.
    pub fn from_id(id: impl Into<String>) -> Self {
        Self { id: id.into(), ..Self::default() }
    }
}

resource!(TargetGroup, "target group");

/// What only Elastic Load Balancing tells about a member.
///
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetHealth.html>
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct MemberExtra {
    /// The ARN of the target group.
    pub target_group: Option<String>,
    /// `healthy`, `unhealthy`, `initial`, `draining`, `unused` …
    pub state: Option<String>,
    /// Why it is not healthy, in one word.
    pub reason: Option<String>,
    /// Why it is not healthy.
    pub description: Option<String>,
}

impl ExtraFields for MemberExtra {}

#[extensions(TARGETS)]
impl AlbDriver {
    /// Makes a target group in a VPC. The health check, with times in seconds, asks `/` by HTTP every 30 unless told otherwise.
    /// <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateTargetGroup.html>
    #[expect(clippy::too_many_arguments, reason = "those of the original")]
    pub async fn ex_create_target_group(
        &self,
        name: &str,
        port: u16,
        proto: &str,
        vpc: &str,
        health_check_interval: Option<u32>,
        health_check_path: Option<&str>,
        health_check_port: Option<&str>,
        health_check_proto: Option<&str>,
        health_check_timeout: Option<u32>,
        health_check_matcher: Option<&str>,
        healthy_threshold: Option<u32>,
        unhealthy_threshold: Option<u32>,
    ) -> Result<TargetGroup> {
        let protocol = proto.to_ascii_uppercase();
        let fallback = if balancers::is_network(proto) { "TCP" } else { "HTTP" };
        let health = health_check_proto.unwrap_or(fallback).to_ascii_uppercase();
        // Only these have paths and statuses.
        let by_http = health == "HTTP" || health == "HTTPS";
        let only_http = |given: Option<&str>, usual: &'static str| {
            given.map(str::to_owned).or_else(|| by_http.then(|| usual.to_owned()))
        };
        self.conn
            .action("CreateTargetGroup")
            .param("Name", name)
            .param("Protocol", protocol)
            .param("Port", port)
            .param("VpcId", vpc)
            .param("HealthCheckProtocol", health)
            .opt("HealthCheckPath", only_http(health_check_path, "/"))
            .param("HealthCheckPort", health_check_port.unwrap_or("traffic-port"))
            .param("HealthCheckIntervalSeconds", health_check_interval.unwrap_or(30))
            .param("HealthCheckTimeoutSeconds", health_check_timeout.unwrap_or(5))
            .param("HealthyThresholdCount", healthy_threshold.unwrap_or(5))
            .param("UnhealthyThresholdCount", unhealthy_threshold.unwrap_or(2))
            .opt("Matcher.HttpCode", only_http(health_check_matcher, "200"))
            .read(wire::created_target_group)
            .await
            .map_err(|error| about(error, "target group", name))
    }

    /// One target group by its ARN.
    /// <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeTargetGroups.html>
    pub async fn ex_get_target_group(&self, target_group_id: &str) -> Result<TargetGroup> {
        let found = self
            .conn
            .action("DescribeTargetGroups")
            .list("TargetGroupArns.member", [target_group_id])
            .read(wire::target_groups)
            .await
            .map_err(|error| about(error, "target group", target_group_id))?;
        found.into_iter().next().ok_or_else(|| Error::not_found("target group", target_group_id))
    }

    /// The target groups of a balancer; all without one.
    /// <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeTargetGroups.html>
    pub async fn ex_list_target_groups(&self, balancer: Option<&LoadBalancer>) -> Result<Vec<TargetGroup>> {
        let id = balancer.map(|balancer| balancer.id.as_str());
        let action = self.conn.action("DescribeTargetGroups").opt("LoadBalancerArn", id);
        let found = listing_by(wire::TARGET_GROUPS, Ok(action), wire::target_groups).try_collect().await;
        found.map_err(|error| about(error, "balancer", id.unwrap_or_default()))
    }

    /// Deletes a target group that no listener uses.
    /// <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DeleteTargetGroup.html>
    pub async fn ex_delete_target_group(&self, target_group: &TargetGroup) -> Result<()> {
        let action = self.conn.action("DeleteTargetGroup").param("TargetGroupArn", &target_group.id);
        action.done().await.map_err(|error| about(error, "target group", &target_group.id))
    }

    /// Lets members get requests of a target group. Their ids are those of nodes, or addresses, as the group has it.
    /// <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_RegisterTargets.html>
    pub async fn ex_register_targets(
        &self,
        target_group: &TargetGroup,
        members: Option<Vec<Member>>,
    ) -> Result<()> {
        let action = self.conn.action("RegisterTargets").param("TargetGroupArn", &target_group.id);
        let action = with_targets(action, members.as_deref().unwrap_or_default())?;
        action.done().await.map_err(|error| about(error, "target group", &target_group.id))
    }

    /// Takes members out of a target group.
    /// <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DeregisterTargets.html>
    pub async fn ex_deregister_targets(&self, target_group: &TargetGroup, members: &[Member]) -> Result<()> {
        let action = self.conn.action("DeregisterTargets").param("TargetGroupArn", &target_group.id);
        let done = with_targets(action, members)?.done().await;
        done.map_err(|error| about(error, "target group", &target_group.id))
    }

    /// The members of a target group, with their health.
    /// <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeTargetHealth.html>
    pub async fn ex_list_target_group_members(&self, target_group: &TargetGroup) -> Result<Vec<Member>> {
        let found = self
            .conn
            .action("DescribeTargetHealth")
            .param("TargetGroupArn", &target_group.id)
            .read(wire::target_health)
            .await
            .map_err(|error| about(error, "target group", &target_group.id))?;
        Ok(found.into_iter().map(|found| member(found, &target_group.id, None)).collect())
    }
}

/// The targets of a call: each with its port, where it has one.
pub(super) fn with_targets(action: Action, members: &[Member]) -> Result<Action> {
    (1..).zip(members).try_fold(action, |action, (n, member)| {
        let id = target(member)?;
        let prefix = format!("Targets.member.{n}");
        Ok(action.param(format!("{prefix}.Id"), id).opt(format!("{prefix}.Port"), member.port))
    })
}

/// The id of a target: a node's, else an address.
fn target(member: &Member) -> Result<&str> {
    let id = Some(member.id.as_str()).filter(|id| !id.is_empty()).or(member.ip.as_deref());
    id.filter(|id| !id.is_empty()).ok_or_else(|| {
        Error::invalid_argument("a member is known by its node's id or its address, and this has neither")
            .with_resource("argument", "member")
    })
}

pub(super) fn member(
    found: wire::TargetHealth,
    target_group: &str,
    balancer: Option<&Arc<LoadBalancer>>,
) -> Member {
    let extra = MemberExtra {
        target_group: Some(target_group.to_owned()),
        state: found.state,
        reason: found.reason,
        description: found.description,
    };
    let mut member = Member::from_id(found.id).with_extra(Extra::of(extra));
    member.port = found.port;
    member.balancer = balancer.cloned();
    member
}
