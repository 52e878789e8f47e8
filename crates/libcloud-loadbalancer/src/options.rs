//! The arguments of load balancing methods.

use std::time::Duration;

use libcloud_common::{Ex, call_options, optional_arguments, options_arg};

use crate::resources::Member;
use crate::types::Algorithm;

/// Arguments of [`create_balancer`](crate::LoadBalancerDriver::create_balancer).
///
/// ```
/// use libcloud_loadbalancer::{Algorithm, CreateBalancer, Member};
///
/// let options = CreateBalancer::new("web", 80, "http")
///     .algorithm(Algorithm::LeastConnections)
///     .members([Member::at("10.0.0.5", 8080), Member::at("10.0.0.6", 8080)]);
/// assert_eq!(options.members.len(), 2);
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CreateBalancer {
    /// The name.
    pub name: String,
    /// The port that clients connect to.
    pub port: u16,
    /// The protocol: one of [`list_protocols`](crate::LoadBalancerDriverExt::list_protocols).
    pub protocol: String,
    /// How the next member is chosen; the provider's default without.
    pub algorithm: Option<Algorithm>,
    /// The members that it begins with.
    pub members: Vec<Member>,
    /// The longest that the whole call may take.
    pub timeout: Option<Duration>,
    /// Extension arguments.
    pub ex: Ex,
}

impl CreateBalancer {
    /// A balancer of this name, port and protocol, without members.
    pub fn new(name: impl Into<String>, port: u16, protocol: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            port,
            protocol: protocol.into(),
            algorithm: None,
            members: Vec::new(),
            timeout: None,
            ex: Ex::default(),
        }
    }

    /// Sets how the next member is chosen.
    pub fn algorithm(mut self, algorithm: Algorithm) -> Self {
        self.algorithm = Some(algorithm);
        self
    }

    /// Sets the members that it begins with.
    pub fn members(mut self, members: impl IntoIterator<Item = Member>) -> Self {
        self.members = members.into_iter().collect();
        self
    }
}

call_options!(CreateBalancer);
options_arg!(CreateBalancer, "create_balancer" {
    name: String = "the balancer's name",
    port: u16 = "the port that clients connect to",
    protocol: String = "the protocol, one of list_protocols",
    algorithm: Option<Algorithm> = "how the next member is chosen",
    members: Members = "the members that it begins with",
});

/// The members of a call by name, where none is an answer too.
struct Members(Vec<Member>);

impl libcloud_common::dispatch::Arg for Members {
    const TYPE: &'static str = <Vec<Member> as libcloud_common::dispatch::Arg>::TYPE;
    const REQUIRED: bool = false;

    fn from_json(value: libcloud_common::Value) -> Result<Self, String> {
        let members: Option<Vec<Member>> = libcloud_common::dispatch::Arg::from_json(value)?;
        Ok(Self(members.unwrap_or_default()))
    }
}

impl From<Members> for Vec<Member> {
    fn from(members: Members) -> Self {
        members.0
    }
}

optional_arguments! {
    /// Arguments of [`update_balancer_with`](crate::LoadBalancerDriver::update_balancer_with). What is not given stays
    /// as it is.
    UpdateBalancer("update_balancer") {
        /// The new name.
        name: String = "the new name", name(&str) str::to_owned;
        /// How the next member is chosen.
        algorithm: Algorithm = "how the next member is chosen", algorithm(Algorithm) std::convert::identity;
        /// The protocol.
        protocol: String = "the protocol, one of list_protocols", protocol(&str) str::to_owned;
        /// The port that clients connect to.
        port: u16 = "the port that clients connect to", port(u16) std::convert::identity;
    }
}
