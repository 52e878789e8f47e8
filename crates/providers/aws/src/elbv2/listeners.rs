//! Listeners, and the rules by which they forward.

use std::collections::BTreeMap;

use futures_util::TryStreamExt as _;
use libcloud_common::{Error, Result, extensions, resource};
use libcloud_loadbalancer::LoadBalancer;
use serde::{Deserialize, Serialize};

use super::targets::TargetGroup;
use super::{AlbDriver, about, wire};
use crate::connection::listing_by;

/// What a balancer takes on one port, and what becomes of it.
///
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_Listener.html>
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Listener {
    /// The ARN.
    pub id: String,
    /// The ARN of the balancer.
    pub balancer: Option<String>,
    /// The port that clients connect to.
    pub port: Option<u16>,
    /// The protocol that they speak, in capitals.
    pub protocol: Option<String>,
    /// Which ciphers and versions of TLS it takes.
    pub ssl_policy: Option<String>,
    /// The ARN of the certificate.
    pub ssl_certificate: Option<String>,
    /// What becomes of requests that no rule is for: `forward` …
    pub action: Option<String>,
    /// The ARN of the target group that these are forwarded to.
    pub target_group: Option<String>,
}

/// What becomes of some of the requests of a listener.
///
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_Rule.html>
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Rule {
    /// The ARN.
    pub id: String,
    /// Whether it is for the requests that no other rule is for.
    pub is_default: bool,
    /// Its place among the rules; the lowest number is tried first. `default` of the default rule.
    pub priority: Option<String>,
    /// Which requests it is for: the values of each field (`path-pattern`, `host-header` …).
    pub conditions: BTreeMap<String, Vec<String>>,
    /// What becomes of them.
    pub action: Option<String>,
    /// The ARN of the target group that they are forwarded to.
    pub target_group: Option<String>,
}

macro_rules! by_arn {
    ($($ty:ident, $name:literal;)*) => { $(
        impl $ty {
            /// One of which only the ARN is known. Nothing is asked of the provider.
            pub fn from_id(id: impl Into<String>) -> Self {
                Self { id: id.into(), ..Self::default() }
            }
        }

        resource!($ty, $name);
    )* };
}

by_arn! {
    Listener, "listener";
    Rule, "rule";
}

#[extensions(LISTENERS)]
impl AlbDriver {
    /// Makes a listener of a balancer, which forwards to a target group.
    /// <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateListener.html>
    #[expect(clippy::too_many_arguments, reason = "those of the original")]
    pub async fn ex_create_listener(
        &self,
        balancer: &LoadBalancer,
        port: u16,
        proto: &str,
        target_group: &TargetGroup,
        action: Option<&str>,
        ssl_cert_arn: Option<&str>,
        ssl_policy: Option<&str>,
    ) -> Result<Listener> {
        self.conn
            .action("CreateListener")
            .param("LoadBalancerArn", &balancer.id)
            .param("Protocol", proto.to_ascii_uppercase())
            .param("Port", port)
            .param("DefaultActions.member.1.Type", action.unwrap_or("forward"))
            .param("DefaultActions.member.1.TargetGroupArn", &target_group.id)
            .opt("Certificates.member.1.CertificateArn", ssl_cert_arn)
            .opt("SslPolicy", ssl_policy)
            .read(wire::created_listener)
            .await
            .map_err(|error| about(error, "balancer", &balancer.id))
    }

    /// One listener by its ARN.
    /// <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeListeners.html>
    pub async fn ex_get_listener(&self, listener_id: &str) -> Result<Listener> {
        let found = self
            .conn
            .action("DescribeListeners")
            .list("ListenerArns.member", [listener_id])
            .read(wire::listeners)
            .await
            .map_err(|error| about(error, "listener", listener_id))?;
        found.into_iter().next().ok_or_else(|| Error::not_found("listener", listener_id))
    }

    /// The listeners of a balancer.
    /// <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeListeners.html>
    pub async fn ex_list_listeners(&self, balancer: &LoadBalancer) -> Result<Vec<Listener>> {
        self.listeners(&balancer.id, None).await
    }

    /// Deletes a listener with its rules.
    /// <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DeleteListener.html>
    pub async fn ex_delete_listener(&self, listener: &Listener) -> Result<()> {
        let action = self.conn.action("DeleteListener").param("ListenerArn", &listener.id);
        action.done().await.map_err(|error| about(error, "listener", &listener.id))
    }

    /// Makes a rule of a listener: requests whose field (`path-pattern`, `host-header`) is as the value go to the target group.
    /// <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateRule.html>
    pub async fn ex_create_listener_rule(
        &self,
        listener: &Listener,
        priority: &str,
        target_group: &TargetGroup,
        action: Option<&str>,
        condition_field: Option<&str>,
        condition_value: Option<Vec<String>>,
    ) -> Result<Rule> {
        let mut call = self
            .conn
            .action("CreateRule")
            .param("ListenerArn", &listener.id)
            .param("Priority", priority)
            .param("Actions.member.1.Type", action.unwrap_or("forward"))
            .param("Actions.member.1.TargetGroupArn", &target_group.id);
        if let Some(field) = condition_field {
            call = call
                .param("Conditions.member.1.Field", field)
                .list("Conditions.member.1.Values.member", condition_value.unwrap_or_default());
        }
        call.read(wire::created_rule).await.map_err(|error| about(error, "listener", &listener.id))
    }

    /// One rule by its ARN.
    /// <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeRules.html>
    pub async fn ex_get_rule(&self, rule_id: &str) -> Result<Rule> {
        let found = self
            .conn
            .action("DescribeRules")
            .list("RuleArns.member", [rule_id])
            .read(wire::rules)
            .await
            .map_err(|error| about(error, "rule", rule_id))?;
        found.into_iter().next().ok_or_else(|| Error::not_found("rule", rule_id))
    }

    /// The rules of a listener.
    /// <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeRules.html>
    pub async fn ex_list_listener_rules(&self, listener: &Listener) -> Result<Vec<Rule>> {
        let action = self.conn.action("DescribeRules").param("ListenerArn", &listener.id);
        let found = listing_by(wire::RULES, Ok(action), wire::rules).try_collect().await;
        found.map_err(|error| about(error, "listener", &listener.id))
    }

    /// Deletes a rule.
    /// <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DeleteRule.html>
    pub async fn ex_delete_rule(&self, rule: &Rule) -> Result<()> {
        let action = self.conn.action("DeleteRule").param("RuleArn", &rule.id);
        action.done().await.map_err(|error| about(error, "rule", &rule.id))
    }
}
