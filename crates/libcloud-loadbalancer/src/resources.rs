//! What a load balancing provider has: plain data, made by drivers or by hand from a known id.

use std::sync::Arc;

use libcloud_common::{Extra, resources};
use libcloud_compute::Node;
use serde::{Deserialize, Deserializer, Serialize};

use crate::types::State;

/// An address that shares the requests it gets among its members.
///
/// ```
/// use libcloud_loadbalancer::{LoadBalancer, State};
///
/// let balancer = LoadBalancer::new("1", "web", State::Running).with_address("192.0.2.1", 80);
/// assert_eq!(serde_json::to_value(&balancer)?["state"], "running");
/// assert_eq!(LoadBalancer::from_id("1").id, balancer.id);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LoadBalancer {
    /// The provider's id.
    pub id: String,
    /// The name.
    #[serde(default, deserialize_with = "null_is_default")]
    pub name: String,
    /// What it is doing.
    #[serde(default = "unknown", deserialize_with = "null_is_unknown")]
    pub state: State,
    /// The address, or the name, that clients connect to, once it is known.
    #[serde(default)]
    pub ip: Option<String>,
    /// The port that clients connect to; `None` where there are several or it is not known.
    #[serde(default)]
    pub port: Option<u16>,
    /// What only this provider tells.
    #[serde(default)]
    pub extra: Extra,
}

/// A machine that a balancer sends requests to.
///
/// ```
/// use libcloud_compute::Node;
/// use libcloud_loadbalancer::Member;
///
/// let member = Member::at("10.0.0.5", 8080);
/// assert_eq!((member.id.as_str(), member.port), ("", Some(8080)));
/// assert_eq!(Member::of_node(&Node::from_id("i-1"), 80).id, "i-1");
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Member {
    /// The provider's id; empty before it is attached, where the provider gives one then.
    #[serde(default, deserialize_with = "null_is_default")]
    pub id: String,
    /// The address that it is reached by. Providers that know members by their node's id do not tell.
    #[serde(default)]
    pub ip: Option<String>,
    /// The port that it listens on.
    #[serde(default)]
    pub port: Option<u16>,
    /// The balancer that it is attached to.
    #[serde(default)]
    pub balancer: Option<Arc<LoadBalancer>>,
    /// What only this provider tells.
    #[serde(default)]
    pub extra: Extra,
}

fn unknown() -> State {
    State::Unknown(String::new())
}

fn null_is_unknown<'de, D: Deserializer<'de>>(deserializer: D) -> Result<State, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_else(unknown))
}

fn null_is_default<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

resources! {
    LoadBalancer, "balancer";
    Member, "member";
}

impl LoadBalancer {
    /// A balancer with what every provider tells.
    pub fn new(id: impl Into<String>, name: impl Into<String>, state: State) -> Self {
        Self { id: id.into(), name: name.into(), state, ip: None, port: None, extra: Extra::new() }
    }

    /// A balancer of which only the id is known. Nothing is asked of the provider.
    pub fn from_id(id: impl Into<String>) -> Self {
        Self::new(id, "", unknown())
    }

    /// The same at this address and port.
    pub fn with_address(mut self, ip: impl Into<String>, port: impl Into<Option<u16>>) -> Self {
        self.ip = Some(ip.into());
        self.port = port.into();
        self
    }
}

impl Member {
    /// A member that the provider has this id for.
    pub fn new(id: impl Into<String>, ip: impl Into<String>, port: impl Into<Option<u16>>) -> Self {
        Self { id: id.into(), ip: Some(ip.into()), port: port.into(), balancer: None, extra: Extra::new() }
    }

    /// A member of which only the id is known: the node's at providers that balance among nodes. Nothing is asked of
    /// the provider.
    pub fn from_id(id: impl Into<String>) -> Self {
        Self { ip: None, ..Self::new(id, "", None) }
    }

    /// A member to be attached, at this address and port.
    pub fn at(ip: impl Into<String>, port: u16) -> Self {
        Self::new("", ip, port)
    }

    /// A node as a member: its id, and the first of its public addresses, else of its private ones.
    pub fn of_node(node: &Node, port: impl Into<Option<u16>>) -> Self {
        Self {
            ip: node.public_ips.first().or(node.private_ips.first()).cloned(),
            ..Self::new(node.id.as_str(), "", port)
        }
    }

    /// The same attached to this balancer.
    pub fn with_balancer(mut self, balancer: &Arc<LoadBalancer>) -> Self {
        self.balancer = Some(Arc::clone(balancer));
        self
    }
}
