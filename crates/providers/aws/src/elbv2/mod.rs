//! Elastic Load Balancing version 2, application and network balancers:
//! <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/>

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::{StreamExt as _, TryStreamExt as _};
use libcloud_common::dispatch::Method;
use libcloud_common::{
    ArgSpec, Arguments as _, BoxFuture, BoxStream, Capabilities, Clock, Config, Deadline, Descriptor, Driver,
    Error, ErrorKind, Extensions, Identity, Options, Result, Search, Secret, Sources, arguments, extensions,
    serialize_exposed,
};
use libcloud_loadbalancer::{Algorithm, CreateBalancer, LoadBalancer, LoadBalancerDriver, Member};

use crate::connection::{QueryConnection, Service, listing_by};
use crate::credentials::Credentials;
use crate::elb::unknown_protocol;
use crate::signer::SignatureVersion;
use crate::sts::Sts;

mod balancers;
mod listeners;
mod targets;
mod wire;

pub use balancers::{AlbCreateBalancer, AlbMembers, BalancerExtra};
pub use listeners::{Listener, Rule};
pub use targets::{MemberExtra, TargetGroup};

use balancers::{APPLICATION, NETWORK, is_network};

pub(crate) const DESCRIPTOR: Descriptor = Descriptor::new(
    "alb",
    "Elastic Load Balancing, application and network",
    "https://aws.amazon.com/elasticloadbalancing/",
);

const SERVICE: Service = Service {
    provider: "alb",
    kind: "loadbalancer",
    name: "elasticloadbalancing",
    api_version: "2015-12-01",
};

/// The longest name of a target group.
const MAX_NAME: usize = 32;

/// What an [`AlbDriver`] takes as options of its configuration.
#[arguments(drivers = ["alb"])]
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct AlbOptions {
    /// The token of temporary credentials.
    #[renamed("session_token")]
    #[serde(serialize_with = "serialize_exposed")]
    pub token: Option<Secret>,
    /// The profile of the files that Amazon's tools share; with it the variables of an access key are not looked at.
    pub profile: Option<String>,
    /// The ids of the subnets of new balancers, unless a call names others.
    pub subnets: Vec<String>,
    /// The ids of the security groups of new balancers, unless a call names others.
    pub security_groups: Vec<String>,
}

/// Application and network load balancers, in one region. Cheap to clone.
#[derive(Clone, Debug)]
pub struct AlbDriver {
    conn: QueryConnection,
    sts: Sts,
    subnets: Vec<String>,
    security_groups: Vec<String>,
}

impl AlbDriver {
    /// Makes the driver. Nothing is sent.
    ///
    /// # Errors
    /// `InvalidCredentials` if no access key is found; `InvalidArgument` for an unknown option, or a region that cannot be
    /// one.
    pub fn new(config: Config) -> Result<Self> {
        let options: AlbOptions = config.driver_options(DESCRIPTOR.id)?;
        let search = &mut Search::new(&Sources::system());
        let credentials = Credentials::find(&config, options.token.as_ref(), search)?;
        let sts = Sts::beside(&config, credentials.clone(), SignatureVersion::V4)?;
        let conn = QueryConnection::new(&SERVICE, &config, credentials, SignatureVersion::V4)?;
        Ok(Self { conn, sts, subnets: options.subnets, security_groups: options.security_groups })
    }

    /// The region that this driver talks to.
    pub fn region(&self) -> &str {
        self.conn.region()
    }

    async fn listeners(&self, balancer: &str, timeout: Option<Duration>) -> Result<Vec<Listener>> {
        let action =
            self.conn.action("DescribeListeners").param("LoadBalancerArn", balancer).timeout(timeout);
        let found = listing_by(wire::LISTENERS, Ok(action), wire::listeners).try_collect().await;
        found.map_err(|error| about(error, "balancer", balancer))
    }

    /// A balancer with its listeners and tags, which only calls of their own tell.
    async fn whole(
        &self,
        found: wire::Balancer,
        listener: Option<Listener>,
        timeout: Option<Duration>,
    ) -> Result<LoadBalancer> {
        let listeners = self.listeners(&found.arn, timeout).await?;
        let action = self.conn.action("DescribeTags").list("ResourceArns.member", [&found.arn]);
        let tags = action
            .timeout(timeout)
            .read(wire::tags)
            .await
            .map_err(|error| about(error, "balancer", &found.arn))?;
        Ok(balancers::balancer(found, listeners, tags, listener))
    }

    /// Makes a balancer without listeners.
    async fn create(&self, new: NewBalancer<'_>) -> Result<wire::Balancer> {
        let or_own =
            |given: &[String], own: &[String]| if given.is_empty() { own.to_vec() } else { given.to_vec() };
        self.conn
            .action("CreateLoadBalancer")
            .param("Name", new.name)
            .opt("Type", new.is_network.then_some("network"))
            .list("Subnets.member", or_own(new.subnets, &self.subnets))
            .param("IpAddressType", new.addr_type.unwrap_or("ipv4"))
            .param("Scheme", new.scheme.unwrap_or("internet-facing"))
            .list("SecurityGroups.member", or_own(new.security_groups, &self.security_groups))
            .tags("Tags.member", new.tags.iter().map(|(name, value)| (name, Some(value))))
            .timeout(new.timeout)
            .read(wire::created_balancer)
            .await
            .map_err(|error| about(error, "balancer", new.name))
    }

    /// Gives a new balancer its target group, members and listener.
    async fn furnish(
        &self,
        made: &wire::Balancer,
        options: &CreateBalancer,
        certificate: Option<&str>,
        group: &mut Option<TargetGroup>,
    ) -> Result<Listener> {
        let vpc = made.vpc_id.as_deref().ok_or_else(|| {
            Error::malformed(
                "CreateLoadBalancerResponse/CreateLoadBalancerResult/LoadBalancers/member/VpcId",
                "it is missing",
            )
        })?;
        let health = (!is_network(&options.protocol)).then_some(options.protocol.as_str());
        let made_group = self
            .ex_create_target_group(
                &group_name(&options.name),
                options.port,
                &options.protocol,
                vpc,
                None,
                None,
                None,
                health,
                None,
                None,
                None,
                None,
            )
            .await?;
        let target_group = group.insert(made_group);
        if options.algorithm == Some(Algorithm::LeastConnections) {
            self.conn
                .action("ModifyTargetGroupAttributes")
                .param("TargetGroupArn", &target_group.id)
                .param("Attributes.member.1.Key", "load_balancing.algorithm.type")
                .param("Attributes.member.1.Value", "least_outstanding_requests")
                .done()
                .await?;
        }
        if !options.members.is_empty() {
            self.ex_register_targets(target_group, Some(options.members.clone())).await?;
        }
        let balancer = LoadBalancer::from_id(made.arn.as_str());
        self.ex_create_listener(
            &balancer,
            options.port,
            &options.protocol,
            target_group,
            None,
            certificate,
            None,
        )
        .await
    }

    /// Deletes a balancer that could not be finished; the error why, and what is left if there is something.
    async fn undo(&self, arn: &str, group: Option<&TargetGroup>, error: Error) -> Error {
        let balancer = LoadBalancer::from_id(arn);
        let mut left = Vec::new();
        if let Err(error) = self.destroy_balancer_with(&balancer, Options::new()).await {
            left.push(format!("the balancer {arn} is still there ({error})"));
        }
        if let Some(group) = group
            && let Err(error) = self.ex_delete_target_group(group).await
        {
            left.push(format!("the target group {} is still there ({error})", group.id));
        }
        if left.is_empty() { error } else { error.context(left.join(", ")) }
    }

    /// The end of a call that has several steps.
    fn deadline(&self, timeout: Option<Duration>) -> Deadline {
        Deadline::new(self.clock(), timeout)
    }

    /// The target group that is meant: the one of the balancer, or the one that is named.
    async fn target_group(&self, balancer: &LoadBalancer, ex: AlbMembers) -> Result<TargetGroup> {
        if let Some(id) = ex.ex_target_group {
            return Ok(TargetGroup::from_id(id));
        }
        let mut groups = self.ex_list_target_groups(Some(balancer)).await?;
        match (groups.pop(), groups.is_empty()) {
            (Some(group), true) => Ok(group),
            (None, _) => Err(Error::new(
                ErrorKind::InvalidState,
                format!("the balancer `{}` forwards to no target group yet", balancer.id),
            )
            .with_resource("balancer", &balancer.id)),
            (Some(_), false) => Err(Error::invalid_argument(format!(
                "the balancer `{}` forwards to several target groups: name one as `ex_target_group`",
                balancer.id
            ))
            .with_resource("argument", "ex_target_group")),
        }
    }
}

struct NewBalancer<'a> {
    name: &'a str,
    is_network: bool,
    addr_type: Option<&'a str>,
    scheme: Option<&'a str>,
    security_groups: &'a [String],
    subnets: &'a [String],
    tags: &'a BTreeMap<String, String>,
    timeout: Option<Duration>,
}

/// The name of the target group of a new balancer.
fn group_name(balancer: &str) -> String {
    const SUFFIX: &str = "-tg";
    let name: String = balancer.chars().take(MAX_NAME - SUFFIX.len()).collect();
    format!("{}{SUFFIX}", name.trim_end_matches('-'))
}

/// The error about this resource, if it is about one of its kind.
fn about(error: Error, kind: &'static str, id: &str) -> Error {
    let prefix = match kind {
        "balancer" => "LoadBalancer",
        "target group" => "TargetGroup",
        "listener" => "Listener",
        _ => "Rule",
    };
    let is_about = error.code().is_some_and(|code| code.trim_start_matches("Duplicate").starts_with(prefix));
    if is_about { error.with_resource(kind, id) } else { error }
}

pub(crate) fn find_credentials(config: &Config, search: &mut Search) -> Result<()> {
    let options: AlbOptions = config.driver_options(DESCRIPTOR.id)?;
    Credentials::find(config, options.token.as_ref(), search).map(drop)
}

impl Extensions for AlbDriver {
    fn tables() -> &'static [&'static [Method<Self>]] {
        &[Self::BALANCERS, Self::TARGETS, Self::LISTENERS]
    }
}

#[extensions(BALANCERS)]
impl AlbDriver {
    /// Makes an application balancer without listeners.
    /// <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateLoadBalancer.html>
    pub async fn ex_create_balancer(
        &self,
        name: &str,
        addr_type: Option<&str>,
        scheme: Option<&str>,
        security_groups: Option<Vec<String>>,
        subnets: Option<Vec<String>>,
        tags: Option<BTreeMap<String, String>>,
    ) -> Result<LoadBalancer> {
        let new = NewBalancer {
            name,
            is_network: false,
            addr_type,
            scheme,
            security_groups: &security_groups.unwrap_or_default(),
            subnets: &subnets.unwrap_or_default(),
            tags: &tags.unwrap_or_default(),
            timeout: None,
        };
        let made = self.create(new).await?;
        self.whole(made, None, None).await
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
            "the name stays, and all else is of listeners and target groups, of which there may be several",
            "https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_Operations.html",
        )
}

impl Driver for AlbDriver {
    fn descriptor(&self) -> Descriptor {
        DESCRIPTOR
    }

    fn capabilities(&self) -> Capabilities {
        capabilities()
    }

    fn ex_arguments(&self, method: &str) -> &'static [ArgSpec] {
        match method {
            "create_balancer" => AlbCreateBalancer::FIELDS,
            "balancer_attach_compute_node"
            | "balancer_attach_member"
            | "balancer_detach_member"
            | "balancer_list_members" => AlbMembers::FIELDS,
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
impl LoadBalancerDriver for AlbDriver {
    /// Those of application and of network balancers. Nothing is asked of the provider.
    async fn list_protocols_with(&self, options: Options) -> Result<Vec<String>> {
        options.plain("list_protocols")?;
        Ok(APPLICATION.into_iter().chain(NETWORK).map(str::to_owned).collect())
    }

    fn list_supported_algorithms(&self) -> Vec<Algorithm> {
        vec![Algorithm::RoundRobin, Algorithm::LeastConnections]
    }

    /// Each balancer costs two calls more, for its listeners and its tags.
    fn iterate_balancers_with(&self, options: Options) -> BoxStream<'static, Result<LoadBalancer>> {
        let timeout = options.timeout;
        let action = options
            .plain("list_balancers")
            .map(|timeout| self.conn.action("DescribeLoadBalancers").timeout(timeout));
        let driver = self.clone();
        listing_by(wire::BALANCERS, action, wire::balancers)
            .and_then(move |found| {
                let driver = driver.clone();
                async move { driver.whole(found, None, timeout).await }
            })
            .boxed()
    }

    /// The id is the balancer's ARN; its name will do.
    async fn get_balancer_with(&self, balancer_id: &str, options: Options) -> Result<LoadBalancer> {
        let timeout = options.plain("get_balancer")?;
        let by = if balancer_id.starts_with("arn:") { "LoadBalancerArns.member" } else { "Names.member" };
        let found = self
            .conn
            .action("DescribeLoadBalancers")
            .list(by, [balancer_id])
            .timeout(timeout)
            .read(wire::balancers)
            .await
            .map_err(|error| about(error, "balancer", balancer_id))?;
        let found = found.into_iter().next().ok_or_else(|| Error::not_found("balancer", balancer_id))?;
        self.whole(found, None, timeout).await
    }

    /// Makes a balancer with a target group and a listener that forwards to it: an application balancer, or for TCP, TLS and
    /// UDP a network balancer. It needs subnets, of this call or of the driver's options. If a step fails, what was made before
    /// is deleted.
    async fn create_balancer(&self, options: CreateBalancer) -> Result<LoadBalancer> {
        let ex: AlbCreateBalancer = options.ex.clone().decode("create_balancer")?;
        let is_network = is_network(&options.protocol);
        let known: Vec<&str> = APPLICATION.into_iter().chain(NETWORK).collect();
        if !known.iter().any(|known| known.eq_ignore_ascii_case(&options.protocol)) {
            return Err(unknown_protocol(&options.protocol, &known));
        }
        let algorithms = self.list_supported_algorithms();
        if let Some(other) = options.algorithm.as_ref().filter(|other| {
            !algorithms.contains(other) || is_network && **other == Algorithm::LeastConnections
        }) {
            return Err(Error::new(
                ErrorKind::NotSupported,
                format!("a balancer of {} does not choose by `{other}`", options.protocol),
            )
            .with_resource("argument", "algorithm"));
        }
        let new = NewBalancer {
            name: &options.name,
            is_network,
            addr_type: None,
            scheme: ex.ex_scheme.as_deref(),
            security_groups: &ex.ex_security_groups,
            subnets: &ex.ex_subnets,
            tags: &ex.ex_tags,
            timeout: options.timeout,
        };
        let deadline = self.deadline(options.timeout);
        let made = self.create(new).await?;
        let mut group = None;
        let furnished = self.furnish(&made, &options, ex.ex_ssl_cert_arn.as_deref(), &mut group);
        match deadline.wait(furnished).await {
            Ok(listener) => self.whole(made, Some(listener), deadline.left()).await.map_err(|error| {
                error.context(format_args!("the balancer `{}` was made, but not read", options.name))
            }),
            Err(error) => Err(self.undo(&made.arn, group.as_ref(), error).await),
        }
    }

    /// Its target groups stay. Succeeds where there is no such balancer, as Amazon does.
    async fn destroy_balancer_with(&self, balancer: &LoadBalancer, options: Options) -> Result<()> {
        self.conn
            .action("DeleteLoadBalancer")
            .param("LoadBalancerArn", &balancer.id)
            .timeout(options.plain("destroy_balancer")?)
            .done()
            .await
            .map_err(|error| about(error, "balancer", &balancer.id))
    }

    /// The member's id is that of a node, or an address, as the target group has it; without a port it listens on the group's.
    async fn balancer_attach_member_with(
        &self,
        balancer: &LoadBalancer,
        member: &Member,
        options: Options,
    ) -> Result<Member> {
        let deadline = self.deadline(options.timeout);
        let ex = options.ex.decode("balancer_attach_member")?;
        let register = async {
            let group = self.target_group(balancer, ex).await?;
            self.ex_register_targets(&group, Some(vec![member.clone()])).await?;
            Ok(group)
        };
        let group = deadline.wait(register).await?;
        let mut member = member.clone().with_balancer(&Arc::new(balancer.clone()));
        member.port = member.port.or(group.port);
        Ok(member)
    }

    async fn balancer_detach_member_with(
        &self,
        balancer: &LoadBalancer,
        member: &Member,
        options: Options,
    ) -> Result<()> {
        let deadline = self.deadline(options.timeout);
        let ex = options.ex.decode("balancer_detach_member")?;
        let deregister = async {
            let group = self.target_group(balancer, ex).await?;
            self.ex_deregister_targets(&group, std::slice::from_ref(member)).await
        };
        deadline.wait(deregister).await.map_err(|error| {
            if error.code() == Some("InvalidTarget") {
                error.with_resource("member", &member.id)
            } else {
                error
            }
        })
    }

    /// Those of all target groups of the balancer, with their health.
    async fn balancer_list_members_with(
        &self,
        balancer: &LoadBalancer,
        options: Options,
    ) -> Result<Vec<Member>> {
        let deadline = self.deadline(options.timeout);
        let ex: AlbMembers = options.ex.decode("balancer_list_members")?;
        let members = async {
            let groups = match ex.ex_target_group {
                Some(id) => vec![TargetGroup::from_id(id)],
                None => self.ex_list_target_groups(Some(balancer)).await?,
            };
            let balancer = Arc::new(balancer.clone());
            let mut all = Vec::new();
            for group in groups {
                let members = self.ex_list_target_group_members(&group).await?;
                all.extend(members.into_iter().map(|member| member.with_balancer(&balancer)));
            }
            Ok(all)
        };
        deadline.wait(members).await
    }
}
