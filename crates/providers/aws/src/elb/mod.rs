//! Elastic Load Balancing, classic balancers: <https://docs.aws.amazon.com/elasticloadbalancing/2012-06-01/APIReference/>

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use libcloud_common::dispatch::Method;
use libcloud_common::{
    ArgSpec, Arguments as _, BoxFuture, BoxStream, Capabilities, Clock, Config, Descriptor, Driver, Error,
    ErrorKind, Extensions, Identity, Options, Page, Result, Search, Secret, Sources, arguments, once, pages,
    serialize_exposed,
};
use libcloud_compute::Node;
use libcloud_loadbalancer::{Algorithm, CreateBalancer, LoadBalancer, LoadBalancerDriver, Member};

use crate::connection::{Action, QueryConnection, Service};
use crate::credentials::Credentials;
use crate::signer::{SignatureVersion, string_or_number};
use crate::sts::Sts;

mod balancers;
mod policies;
pub(crate) mod wire;

pub use balancers::{BalancerExtra, ElbCreateBalancer, ElbListBalancers, MemberExtra};
pub use policies::NewListener;
pub use wire::{HealthCheck, ListenerDescription};

pub(crate) use balancers::unknown_protocol;

pub(crate) const DESCRIPTOR: Descriptor =
    Descriptor::new("elb", "Elastic Load Balancing", "https://aws.amazon.com/elasticloadbalancing/");

const SERVICE: Service = Service {
    provider: "elb",
    kind: "loadbalancer",
    name: "elasticloadbalancing",
    api_version: "2012-06-01",
};

/// The most balancers whose tags one call tells.
pub(crate) const TAGS_AT_ONCE: usize = 20;

/// What an [`ElbDriver`] takes as options of its configuration.
#[arguments(drivers = ["elb"])]
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ElbOptions {
    /// The token of temporary credentials.
    #[renamed("session_token")]
    #[serde(serialize_with = "serialize_exposed")]
    pub token: Option<Secret>,
    /// The profile of the files that Amazon's tools share; with it the variables of an access key are not looked at.
    pub profile: Option<String>,
    /// `4`, or `2` for private installations that know no other.
    #[serde(deserialize_with = "string_or_number")]
    pub signature_version: Option<String>,
}

/// Classic load balancers, in one region. Cheap to clone.
#[derive(Clone, Debug)]
pub struct ElbDriver {
    conn: QueryConnection,
    sts: Sts,
}

impl ElbDriver {
    /// Makes the driver. Nothing is sent.
    ///
    /// # Errors
    /// `InvalidCredentials` if no access key is found; `InvalidArgument` for an unknown option, or a region that cannot be
    /// one.
    pub fn new(config: Config) -> Result<Self> {
        let options: ElbOptions = config.driver_options(DESCRIPTOR.id)?;
        let signature = SignatureVersion::from_option(options.signature_version.as_deref())?;
        let search = &mut Search::new(&Sources::system());
        let credentials = Credentials::find(&config, options.token.as_ref(), search)?;
        let sts = Sts::beside(&config, credentials.clone(), signature)?;
        Ok(Self { conn: QueryConnection::new(&SERVICE, &config, credentials, signature)?, sts })
    }

    /// The region that this driver talks to.
    pub fn region(&self) -> &str {
        self.conn.region()
    }

    /// Begins a call about a balancer.
    fn of(&self, action: &'static str, balancer: &str) -> Action {
        self.conn.action(action).param("LoadBalancerName", balancer)
    }

    async fn tags(
        &self,
        names: &[&str],
        timeout: Option<Duration>,
    ) -> Result<BTreeMap<String, BTreeMap<String, String>>> {
        let mut all = BTreeMap::new();
        for names in names.chunks(TAGS_AT_ONCE) {
            let action = self.conn.action("DescribeTags").list("LoadBalancerNames.member", names);
            all.extend(action.timeout(timeout).read(|root| wire::tags(root, "LoadBalancerName")).await?);
        }
        Ok(all)
    }

    /// A page of balancers, with their tags if they are wanted.
    async fn balancers(
        &self,
        action: Action,
        with_tags: bool,
        timeout: Option<Duration>,
    ) -> Result<Page<LoadBalancer, Option<String>>> {
        let (found, next) = action
            .timeout(timeout)
            .read(|root| {
                let next = root.opt_text("DescribeLoadBalancersResult/NextMarker");
                Ok((wire::load_balancers(root)?, next))
            })
            .await?;
        let mut tags = BTreeMap::new();
        if with_tags {
            let names: Vec<&str> = found.iter().map(|found| found.load_balancer_name.as_str()).collect();
            tags = self.tags(&names, timeout).await?;
        }
        let convert = |found: wire::LoadBalancerDescription| {
            let own = tags.remove(&found.load_balancer_name).unwrap_or_default();
            balancers::balancer(found, with_tags.then_some(own))
        };
        Ok(Page::new(found.into_iter().map(convert).collect(), next.map(Some)))
    }

    async fn register(
        &self,
        balancer: &str,
        instances: impl IntoIterator<Item = &str>,
        timeout: Option<Duration>,
    ) -> Result<()> {
        let instances = (1..).zip(instances);
        let action = self.of("RegisterInstancesWithLoadBalancer", balancer).timeout(timeout);
        let action = instances
            .fold(action, |action, (n, id)| action.param(format!("Instances.member.{n}.InstanceId"), id));
        action.done().await.map_err(|error| about(error, balancer))
    }
}

/// The error about the balancer of this name, if it is about one.
fn about(error: Error, balancer: &str) -> Error {
    match error.code() {
        Some("DuplicateLoadBalancerName" | "LoadBalancerNotFound") => {
            error.with_resource("balancer", balancer)
        }
        _ => error,
    }
}

pub(crate) fn find_credentials(config: &Config, search: &mut Search) -> Result<()> {
    let options: ElbOptions = config.driver_options(DESCRIPTOR.id)?;
    Credentials::find(config, options.token.as_ref(), search).map(drop)
}

impl Extensions for ElbDriver {
    fn tables() -> &'static [&'static [Method<Self>]] {
        &[Self::POLICIES]
    }
}

pub(crate) fn capabilities() -> Capabilities {
    Capabilities::new()
        .supports(&[
            "list_protocols",
            "list_supported_algorithms",
            "iterate_balancers",
            "get_balancer",
            "create_balancer",
            "destroy_balancer",
            "balancer_attach_compute_node",
            "balancer_attach_member",
            "balancer_detach_member",
            "balancer_list_members",
        ])
        .cannot(
            "update_balancer",
            "the name stays, and ports and protocols are those of listeners, which come and go",
            "https://docs.aws.amazon.com/elasticloadbalancing/2012-06-01/APIReference/API_Operations.html",
        )
}

impl Driver for ElbDriver {
    fn descriptor(&self) -> Descriptor {
        DESCRIPTOR
    }

    fn capabilities(&self) -> Capabilities {
        capabilities()
    }

    fn ex_arguments(&self, method: &str) -> &'static [ArgSpec] {
        match method {
            "iterate_balancers" | "list_balancers" | "get_balancer" => ElbListBalancers::FIELDS,
            "create_balancer" => ElbCreateBalancer::FIELDS,
            _ => &[],
        }
    }

    fn identity(&self) -> BoxFuture<'_, Result<Identity>> {
        Box::pin(self.sts.caller_identity())
    }

    fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(self.conn.http().clock())
    }
}

#[async_trait]
impl LoadBalancerDriver for ElbDriver {
    /// Nothing is asked of the provider.
    async fn list_protocols_with(&self, options: Options) -> Result<Vec<String>> {
        options.plain("list_protocols")?;
        Ok(balancers::PROTOCOLS.map(str::to_owned).to_vec())
    }

    fn list_supported_algorithms(&self) -> Vec<Algorithm> {
        vec![Algorithm::RoundRobin]
    }

    fn iterate_balancers_with(&self, options: Options) -> BoxStream<'static, Result<LoadBalancer>> {
        let timeout = options.timeout;
        let ex: ElbListBalancers = match options.ex.decode("list_balancers") {
            Ok(ex) => ex,
            Err(error) => return once(std::future::ready(Err(error))),
        };
        let (driver, with_tags) = (self.clone(), ex.ex_fetch_tags == Some(true));
        pages(None, move |marker: Option<String>| {
            let driver = driver.clone();
            async move {
                let action = driver.conn.action("DescribeLoadBalancers").opt("Marker", marker);
                driver.balancers(action, with_tags, timeout).await
            }
        })
    }

    /// The id is the balancer's name.
    async fn get_balancer_with(&self, balancer_id: &str, options: Options) -> Result<LoadBalancer> {
        let timeout = options.timeout;
        let ex: ElbListBalancers = options.ex.decode("get_balancer")?;
        let action =
            self.conn.action("DescribeLoadBalancers").list("LoadBalancerNames.member", [balancer_id]);
        let found = self.balancers(action, ex.ex_fetch_tags == Some(true), timeout).await;
        let found = found.map_err(|error| about(error, balancer_id))?;
        found.items.into_iter().next().ok_or_else(|| Error::not_found("balancer", balancer_id))
    }

    /// Makes a balancer with one listener, then registers its members, which are nodes and share one port; see
    /// [`ElbCreateBalancer`] for what it takes beside the base API's arguments. Should the members be refused, the error
    /// says that the balancer is there.
    async fn create_balancer(&self, options: CreateBalancer) -> Result<LoadBalancer> {
        let ex: ElbCreateBalancer = options.ex.clone().decode("create_balancer")?;
        let action = self.conn.action("CreateLoadBalancer").timeout(options.timeout);
        let dns_name = balancers::create(action, self.region(), &options, &ex)?
            .read(wire::created)
            .await
            .map_err(|error| about(error, &options.name))?;
        if !options.members.is_empty() {
            let instances = options.members.iter().map(|member| member.id.as_str());
            self.register(&options.name, instances, options.timeout).await.map_err(|error| {
                error.context(format_args!("the balancer `{}` was made, its members were not", options.name))
            })?;
        }
        Ok(balancers::made(&options, dns_name))
    }

    /// Succeeds where there is no such balancer, as Amazon does.
    async fn destroy_balancer_with(&self, balancer: &LoadBalancer, options: Options) -> Result<()> {
        self.of("DeleteLoadBalancer", &balancer.id)
            .timeout(options.plain("destroy_balancer")?)
            .done()
            .await
            .map_err(|error| about(error, &balancer.id))
    }

    /// The node listens on the port that the balancer's listeners name.
    async fn balancer_attach_compute_node_with(
        &self,
        balancer: &LoadBalancer,
        node: &Node,
        options: Options,
    ) -> Result<Member> {
        let timeout = options.plain("balancer_attach_compute_node")?;
        self.register(&balancer.id, [node.id.as_str()], timeout).await?;
        Ok(Member::from_id(node.id.as_str()).with_balancer(&Arc::new(balancer.clone())))
    }

    /// The member's id is that of a node.
    async fn balancer_attach_member_with(
        &self,
        balancer: &LoadBalancer,
        member: &Member,
        options: Options,
    ) -> Result<Member> {
        let timeout = options.plain("balancer_attach_member")?;
        self.register(&balancer.id, [balancers::instance(member)?], timeout).await?;
        Ok(member.clone().with_balancer(&Arc::new(balancer.clone())))
    }

    async fn balancer_detach_member_with(
        &self,
        balancer: &LoadBalancer,
        member: &Member,
        options: Options,
    ) -> Result<()> {
        self.of("DeregisterInstancesFromLoadBalancer", &balancer.id)
            .param("Instances.member.1.InstanceId", balancers::instance(member)?)
            .timeout(options.plain("balancer_detach_member")?)
            .done()
            .await
            .map_err(|error| match error.kind() {
                ErrorKind::NotFound if error.code() == Some("InvalidInstance") => {
                    error.with_resource("member", &member.id)
                }
                _ => about(error, &balancer.id),
            })
    }

    /// The members with their health.
    async fn balancer_list_members_with(
        &self,
        balancer: &LoadBalancer,
        options: Options,
    ) -> Result<Vec<Member>> {
        let found = self
            .of("DescribeInstanceHealth", &balancer.id)
            .timeout(options.plain("balancer_list_members")?)
            .read(wire::instance_health)
            .await
            .map_err(|error| about(error, &balancer.id))?;
        let balancer = Arc::new(balancer.clone());
        Ok(found.into_iter().map(|found| balancers::member(found, &balancer)).collect())
    }
}
