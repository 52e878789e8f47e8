//! Listeners, policies and health checks of classic balancers.

use libcloud_common::dispatch::{Arg, expected};
use libcloud_common::{Map, Result, Value, extensions};
use libcloud_loadbalancer::LoadBalancer;
use serde::{Deserialize, Serialize};

use super::wire::{self, HealthCheck};
use super::{ElbDriver, about};
use crate::connection::Action;

/// A listener to be made. By name it is a map of these fields, or as the original has it: `[80, 8080, "HTTP"]`, with the ARN
/// of the certificate for HTTPS and SSL.
///
/// ```
/// use libcloud_aws::elb::NewListener;
///
/// let listener = NewListener::new(443, 8080, "HTTPS").certificate("arn:aws:iam::123456789012:server-certificate/web");
/// assert_eq!(listener.instance_port, 8080);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct NewListener {
    /// The port that clients connect to.
    pub port: u16,
    /// The port of the members.
    pub instance_port: u16,
    /// The protocol that clients speak.
    pub protocol: String,
    /// The protocol that is spoken with the members; Amazon chooses it without.
    #[serde(default)]
    pub instance_protocol: Option<String>,
    /// The ARN of the certificate, with HTTPS and SSL.
    #[serde(default)]
    pub ssl_certificate_id: Option<String>,
}

impl NewListener {
    /// From this port to that of the members.
    pub fn new(port: u16, instance_port: u16, protocol: impl Into<String>) -> Self {
        let protocol = protocol.into();
        Self { port, instance_port, protocol, instance_protocol: None, ssl_certificate_id: None }
    }

    /// The same with this certificate.
    #[must_use]
    pub fn certificate(mut self, arn: impl Into<String>) -> Self {
        self.ssl_certificate_id = Some(arn.into());
        self
    }
}

impl Arg for NewListener {
    const TYPE: &'static str = "listener";

    fn from_json(value: Value) -> std::result::Result<Self, String> {
        let wrong = || expected("a listener, as [80, 8080, \"HTTP\"]", &value);
        match &value {
            Value::Array(parts) => {
                let port = |at: usize| {
                    let part = parts.get(at)?;
                    part.as_u64().or_else(|| part.as_str()?.parse().ok())?.try_into().ok()
                };
                let text = |at: usize| parts.get(at).and_then(Value::as_str);
                let (Some(from), Some(to), Some(protocol)) = (port(0), port(1), text(2)) else {
                    return Err(wrong());
                };
                let mut listener = Self::new(from, to, protocol);
                listener.ssl_certificate_id = text(3).map(str::to_owned);
                Ok(listener)
            }
            Value::Object(_) => Self::deserialize(&value).map_err(|error| error.to_string()),
            _ => Err(wrong()),
        }
    }
}

#[extensions(POLICIES)]
impl ElbDriver {
    /// The names of a balancer's policies.
    /// <https://docs.aws.amazon.com/elasticloadbalancing/2012-06-01/APIReference/API_DescribeLoadBalancerPolicies.html>
    pub async fn ex_list_balancer_policies(&self, balancer: &LoadBalancer) -> Result<Vec<String>> {
        let action = self.of("DescribeLoadBalancerPolicies", &balancer.id);
        action.read(wire::policies).await.map_err(|error| about(error, &balancer.id))
    }

    /// The names of the kinds of policies that there are.
    /// <https://docs.aws.amazon.com/elasticloadbalancing/2012-06-01/APIReference/API_DescribeLoadBalancerPolicyTypes.html>
    pub async fn ex_list_balancer_policy_types(&self) -> Result<Vec<String>> {
        self.conn.action("DescribeLoadBalancerPolicyTypes").read(wire::policy_types).await
    }

    /// Makes a policy of a balancer; the attributes are those of its kind, by name.
    /// <https://docs.aws.amazon.com/elasticloadbalancing/2012-06-01/APIReference/API_CreateLoadBalancerPolicy.html>
    pub async fn ex_create_balancer_policy(
        &self,
        name: &str,
        policy_name: &str,
        policy_type: &str,
        policy_attributes: Option<Map<String, Value>>,
    ) -> Result<()> {
        let action = self
            .of("CreateLoadBalancerPolicy", name)
            .param("PolicyName", policy_name)
            .param("PolicyTypeName", policy_type);
        let attributes = policy_attributes.unwrap_or_default();
        let with_attribute = |action: Action, (n, (name, value)): (usize, (&String, &Value))| {
            let prefix = format!("PolicyAttributes.member.{n}");
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            action
                .param(format!("{prefix}.AttributeName"), name)
                .param(format!("{prefix}.AttributeValue"), value)
        };
        let action = (1..).zip(&attributes).fold(action, with_attribute);
        action.done().await.map_err(|error| about(error, name))
    }

    /// Deletes a policy, which no listener may use.
    /// <https://docs.aws.amazon.com/elasticloadbalancing/2012-06-01/APIReference/API_DeleteLoadBalancerPolicy.html>
    pub async fn ex_delete_balancer_policy(&self, name: &str, policy_name: &str) -> Result<()> {
        let action = self.of("DeleteLoadBalancerPolicy", name).param("PolicyName", policy_name);
        action.done().await.map_err(|error| about(error, name))
    }

    /// Sets which policies hold for the listener of this port; none takes all of them away.
    /// <https://docs.aws.amazon.com/elasticloadbalancing/2012-06-01/APIReference/API_SetLoadBalancerPoliciesOfListener.html>
    pub async fn ex_set_balancer_policies_listener(
        &self,
        name: &str,
        port: u16,
        policies: &[String],
    ) -> Result<()> {
        let action = self.of("SetLoadBalancerPoliciesOfListener", name).param("LoadBalancerPort", port);
        with_policies(action, policies).done().await.map_err(|error| about(error, name))
    }

    /// Sets which policies hold for this port of the members; none takes all of them away.
    /// <https://docs.aws.amazon.com/elasticloadbalancing/2012-06-01/APIReference/API_SetLoadBalancerPoliciesForBackendServer.html>
    pub async fn ex_set_balancer_policies_backend_server(
        &self,
        name: &str,
        instance_port: u16,
        policies: &[String],
    ) -> Result<()> {
        let action =
            self.of("SetLoadBalancerPoliciesForBackendServer", name).param("InstancePort", instance_port);
        with_policies(action, policies).done().await.map_err(|error| about(error, name))
    }

    /// Makes listeners of a balancer.
    /// <https://docs.aws.amazon.com/elasticloadbalancing/2012-06-01/APIReference/API_CreateLoadBalancerListeners.html>
    pub async fn ex_create_balancer_listeners(&self, name: &str, listeners: &[NewListener]) -> Result<()> {
        let action = self.of("CreateLoadBalancerListeners", name);
        let with_listener = |action: Action, (n, listener): (usize, &NewListener)| {
            let prefix = format!("Listeners.member.{n}");
            action
                .param(format!("{prefix}.LoadBalancerPort"), listener.port)
                .param(format!("{prefix}.InstancePort"), listener.instance_port)
                .param(format!("{prefix}.Protocol"), &listener.protocol)
                .opt(format!("{prefix}.InstanceProtocol"), listener.instance_protocol.as_ref())
                .opt(format!("{prefix}.SSLCertificateId"), listener.ssl_certificate_id.as_ref())
        };
        let action = (1..).zip(listeners).fold(action, with_listener);
        action.done().await.map_err(|error| about(error, name))
    }

    /// Deletes the listeners of these ports.
    /// <https://docs.aws.amazon.com/elasticloadbalancing/2012-06-01/APIReference/API_DeleteLoadBalancerListeners.html>
    pub async fn ex_delete_balancer_listeners(&self, name: &str, ports: &[u16]) -> Result<()> {
        let action = self.of("DeleteLoadBalancerListeners", name).list("LoadBalancerPorts.member", ports);
        action.done().await.map_err(|error| about(error, name))
    }

    /// Sets how the balancer finds out which of its members are well; gives it as it is then. Times are in seconds.
    /// <https://docs.aws.amazon.com/elasticloadbalancing/2012-06-01/APIReference/API_ConfigureHealthCheck.html>
    pub async fn ex_configure_health_check(
        &self,
        name: &str,
        target: &str,
        interval: Option<u32>,
        timeout: Option<u32>,
        unhealthy_threshold: Option<u32>,
        healthy_threshold: Option<u32>,
    ) -> Result<HealthCheck> {
        let action = self
            .of("ConfigureHealthCheck", name)
            .param("HealthCheck.Target", target)
            .param("HealthCheck.Interval", interval.unwrap_or(30))
            .param("HealthCheck.Timeout", timeout.unwrap_or(5))
            .param("HealthCheck.UnhealthyThreshold", unhealthy_threshold.unwrap_or(2))
            .param("HealthCheck.HealthyThreshold", healthy_threshold.unwrap_or(10));
        action.read(wire::configured_health_check).await.map_err(|error| about(error, name))
    }
}

/// The list of policies, which must be there when it is empty.
fn with_policies(action: Action, policies: &[String]) -> Action {
    if policies.is_empty() {
        action.param("PolicyNames", "")
    } else {
        action.list("PolicyNames.member", policies)
    }
}
