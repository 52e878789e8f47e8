//! Dummy load balancers.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use libcloud_common::{
    BoxStream, Capabilities, Clock, Descriptor, Driver, Error, Extensions, Options, Result, json, once,
};
use libcloud_loadbalancer::{
    Algorithm, CreateBalancer, LOADBALANCER_METHODS, LoadBalancer, LoadBalancerDriver, Member,
    State as BalancerState, UpdateBalancer,
};
use serde::{Deserialize, Serialize};

use crate::cloud::{DummyCloud, State as Cloud, arg};

const PROTOCOLS: [&str; 4] = ["http", "https", "tcp", "udp"];

/// What the load balancer service holds: balancers by id, each with its members.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct State {
    balancers: BTreeMap<String, (LoadBalancer, Vec<Member>)>,
    made: u64,
}

impl State {
    fn balancer(&mut self, id: &str) -> Result<&mut (LoadBalancer, Vec<Member>)> {
        self.balancers.get_mut(id).ok_or_else(|| Error::not_found("balancer", id))
    }
}

/// A member as it is kept: with an id, and the balancer named by those who list it.
fn attached(mut member: Member, known: &[Member]) -> Result<Member> {
    if member.ip.as_deref().unwrap_or_default().is_empty() && member.id.is_empty() {
        return Err(Error::invalid_argument("a member needs an address or the id of a node"));
    }
    if member.id.is_empty() {
        let ip = member.ip.as_deref().unwrap_or_default();
        member.id = member.port.map_or_else(|| ip.to_owned(), |port| format!("{ip}:{port}"));
    }
    if known.iter().any(|other| other.id == member.id) {
        return Err(Error::already_exists("member", member.id));
    }
    member.balancer = None;
    Ok(member)
}

fn check_protocol(protocol: &str) -> Result<()> {
    if PROTOCOLS.contains(&protocol) {
        return Ok(());
    }
    Err(Error::invalid_argument(format!("`protocol` is `{protocol}`; there are {}", PROTOCOLS.join(", "))))
}

/// The dummy cloud's load balancer driver.
#[derive(Clone, Debug)]
pub struct DummyLoadBalancerDriver {
    cloud: DummyCloud,
}

impl DummyLoadBalancerDriver {
    /// A driver of this cloud.
    pub fn new(cloud: DummyCloud) -> Self {
        Self { cloud }
    }
}

impl Extensions for DummyLoadBalancerDriver {}

pub(crate) fn capabilities() -> Capabilities {
    let all: Vec<&'static str> = LOADBALANCER_METHODS.iter().map(|method| method.name).collect();
    Capabilities::new().supports(&all)
}

impl Driver for DummyLoadBalancerDriver {
    fn descriptor(&self) -> Descriptor {
        crate::DESCRIPTOR
    }

    fn capabilities(&self) -> Capabilities {
        capabilities()
    }

    fn clock(&self) -> Arc<dyn Clock> {
        self.cloud.clock()
    }
}

#[async_trait]
impl LoadBalancerDriver for DummyLoadBalancerDriver {
    async fn list_protocols_with(&self, options: Options) -> Result<Vec<String>> {
        options.plain("list_protocols")?;
        let list = |_: &mut Cloud| Ok(PROTOCOLS.map(str::to_owned).to_vec());
        self.cloud.act("list_protocols", json!({}), list).await
    }

    fn list_supported_algorithms(&self) -> Vec<Algorithm> {
        vec![Algorithm::Random, Algorithm::RoundRobin, Algorithm::LeastConnections]
    }

    fn iterate_balancers_with(&self, options: Options) -> BoxStream<'static, Result<LoadBalancer>> {
        let cloud = self.cloud.clone();
        once(async move {
            options.plain("list_balancers")?;
            let list = |cloud: &mut Cloud| {
                Ok(cloud.loadbalancer.balancers.values().map(|(balancer, _)| balancer.clone()).collect())
            };
            cloud.act("list_balancers", json!({}), list).await
        })
    }

    async fn get_balancer_with(&self, balancer_id: &str, options: Options) -> Result<LoadBalancer> {
        options.plain("get_balancer")?;
        let id = balancer_id.to_owned();
        let get = move |cloud: &mut Cloud| Ok(cloud.loadbalancer.balancer(&id)?.0.clone());
        self.cloud.act("get_balancer", arg("balancer_id", balancer_id), get).await
    }

    async fn create_balancer(&self, options: CreateBalancer) -> Result<LoadBalancer> {
        options.ex.none("create_balancer")?;
        check_protocol(&options.protocol)?;
        let algorithm = options.algorithm.unwrap_or(Algorithm::RoundRobin);
        if !self.list_supported_algorithms().contains(&algorithm) {
            return Err(Error::invalid_argument(format!(
                "`algorithm` is `{algorithm}`, which the dummy cloud has not"
            )));
        }
        let args = json!({"name": options.name, "port": options.port, "protocol": options.protocol});
        let create = move |cloud: &mut Cloud| {
            let mut members = Vec::new();
            for member in options.members {
                members.push(attached(member, &members)?);
            }
            cloud.loadbalancer.made += 1;
            let n = cloud.loadbalancer.made;
            let mut balancer = LoadBalancer::new(format!("lb-{n}"), options.name, BalancerState::Running)
                .with_address(format!("127.1.0.{}", n % 256), options.port);
            balancer.extra.insert("protocol", options.protocol);
            balancer.extra.insert("algorithm", algorithm.as_str());
            cloud.loadbalancer.balancers.insert(balancer.id.clone(), (balancer.clone(), members));
            Ok(balancer)
        };
        self.cloud.act("create_balancer", args, create).await
    }

    async fn destroy_balancer_with(&self, balancer: &LoadBalancer, options: Options) -> Result<()> {
        options.plain("destroy_balancer")?;
        let id = balancer.id.clone();
        let destroy = move |cloud: &mut Cloud| {
            let removed = cloud.loadbalancer.balancers.remove(&id);
            removed.map(|_| ()).ok_or_else(|| Error::not_found("balancer", id))
        };
        self.cloud.act("destroy_balancer", arg("balancer", &balancer.id), destroy).await
    }

    async fn update_balancer_with(
        &self,
        balancer: &LoadBalancer,
        options: UpdateBalancer,
    ) -> Result<LoadBalancer> {
        options.ex.none("update_balancer")?;
        if let Some(protocol) = &options.protocol {
            check_protocol(protocol)?;
        }
        let id = balancer.id.clone();
        let update = move |cloud: &mut Cloud| {
            let (balancer, _) = cloud.loadbalancer.balancer(&id)?;
            if let Some(name) = options.name {
                balancer.name = name;
            }
            if let Some(protocol) = options.protocol {
                balancer.extra.insert("protocol", protocol);
            }
            if let Some(algorithm) = options.algorithm {
                balancer.extra.insert("algorithm", algorithm.as_str());
            }
            balancer.port = options.port.or(balancer.port);
            Ok(balancer.clone())
        };
        self.cloud.act("update_balancer", arg("balancer", &balancer.id), update).await
    }

    async fn balancer_attach_member_with(
        &self,
        balancer: &LoadBalancer,
        member: &Member,
        options: Options,
    ) -> Result<Member> {
        options.plain("balancer_attach_member")?;
        let args = json!({"balancer": balancer.id, "member": member});
        let (id, member) = (balancer.id.clone(), member.clone());
        let attach = move |cloud: &mut Cloud| {
            let (balancer, members) = cloud.loadbalancer.balancer(&id)?;
            let member = attached(member, members)?;
            members.push(member.clone());
            Ok(member.with_balancer(&Arc::new(balancer.clone())))
        };
        self.cloud.act("balancer_attach_member", args, attach).await
    }

    async fn balancer_detach_member_with(
        &self,
        balancer: &LoadBalancer,
        member: &Member,
        options: Options,
    ) -> Result<()> {
        options.plain("balancer_detach_member")?;
        let args = json!({"balancer": balancer.id, "member": member.id});
        let (id, member) = (balancer.id.clone(), member.id.clone());
        let detach = move |cloud: &mut Cloud| {
            let (_, members) = cloud.loadbalancer.balancer(&id)?;
            let before = members.len();
            members.retain(|known| known.id != member);
            if members.len() == before { Err(Error::not_found("member", member)) } else { Ok(()) }
        };
        self.cloud.act("balancer_detach_member", args, detach).await
    }

    async fn balancer_list_members_with(
        &self,
        balancer: &LoadBalancer,
        options: Options,
    ) -> Result<Vec<Member>> {
        options.plain("balancer_list_members")?;
        let id = balancer.id.clone();
        let list = move |cloud: &mut Cloud| {
            let (balancer, members) = cloud.loadbalancer.balancer(&id)?;
            let balancer = Arc::new(balancer.clone());
            Ok(members.iter().map(|member| member.clone().with_balancer(&balancer)).collect())
        };
        self.cloud.act("balancer_list_members", arg("balancer", &balancer.id), list).await
    }
}
