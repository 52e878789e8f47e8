//! `libcloud lb …`

use std::process::ExitCode;

use clap::{Args, Subcommand};
use libcloud::catalogue::Service;
use libcloud::common::json;
use libcloud::compute::{ComputeDriverExt as _, Node};
use libcloud::loadbalancer::{LoadBalancer, LoadBalancerDriverExt as _, Member};
use libcloud::{Error, ErrorKind, Options, Result};

use crate::args::ExArgs;
use crate::context::Context;
use crate::output::Columns;

const LB: Service = Service::LoadBalancer;

const BALANCERS: Columns =
    &[("id", "id"), ("name", "name"), ("state", "state"), ("address", "ip"), ("port", "port")];
const MEMBERS: Columns = &[("id", "id"), ("address", "ip"), ("port", "port"), ("balancer", "balancer")];
const PROTOCOLS: Columns = &[("protocol", "protocol")];
const ALGORITHMS: Columns = &[("algorithm", "algorithm")];

#[derive(Debug, Args)]
pub(crate) struct LbCommand {
    #[command(subcommand)]
    resource: Resource,
}

#[derive(Debug, Subcommand)]
enum Resource {
    /// Addresses that share their requests among members
    #[command(subcommand, visible_alias = "balancer")]
    Balancers(Balancers),
    /// Where a balancer sends requests
    #[command(subcommand, visible_alias = "member")]
    Members(Members),
    /// What balancers can speak
    #[command(subcommand)]
    Protocols(List),
    /// How balancers can choose a member
    #[command(subcommand)]
    Algorithms(List),
}

#[derive(Debug, Subcommand)]
enum List {
    /// List them all
    List,
}

#[derive(Debug, Subcommand)]
enum Balancers {
    /// List them all
    List,
    /// Show one
    Show { id: String },
    /// Make one
    Create {
        #[arg(long)]
        name: String,
        /// The port that clients connect to
        #[arg(long)]
        port: u16,
        /// One of `lb protocols list`
        #[arg(long)]
        protocol: String,
        /// One of `lb algorithms list`; the provider's default without
        #[arg(long)]
        algorithm: Option<String>,
        /// A member to begin with; may be given several times
        #[arg(long = "member", value_name = "ADDRESS:PORT", value_parser = address_and_port)]
        members: Vec<(String, u16)>,
        #[command(flatten)]
        ex: ExArgs,
    },
    /// Change what is given of one
    Update {
        id: String,
        #[arg(long)]
        name: Option<String>,
        /// The port that clients connect to
        #[arg(long)]
        port: Option<u16>,
        /// One of `lb protocols list`
        #[arg(long)]
        protocol: Option<String>,
        /// One of `lb algorithms list`
        #[arg(long)]
        algorithm: Option<String>,
        #[command(flatten)]
        ex: ExArgs,
    },
    /// Destroy one; its members stay
    Destroy { id: String },
}

#[derive(Debug, Subcommand)]
enum Members {
    /// List those of a balancer
    List { balancer: String },
    /// Let one get requests
    Attach {
        balancer: String,
        #[command(flatten)]
        who: Who,
    },
    /// Take one out: it gets no more requests
    Detach {
        balancer: String,
        /// Its id, its address, or both address and port as `ADDRESS:PORT`
        member: String,
    },
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Who {
    /// A node of the same provider, at the balancer's port
    #[arg(long, value_name = "ID")]
    node: Option<String>,
    /// Any machine
    #[arg(long, value_name = "ADDRESS:PORT", value_parser = address_and_port)]
    at: Option<(String, u16)>,
}

pub(crate) async fn run(context: &Context, command: LbCommand) -> Result<ExitCode> {
    match command.resource {
        Resource::Balancers(command) => balancers(context, command).await,
        Resource::Members(command) => members(context, command).await,
        Resource::Protocols(List::List) => {
            let protocols = context.loadbalancer()?.list_protocols().await?;
            let rows = protocols.into_iter().map(|protocol| Ok(json!({ "protocol": protocol })));
            context.output.list(PROTOCOLS, futures_util::stream::iter(rows)).await
        }
        Resource::Algorithms(List::List) => {
            let algorithms = context.loadbalancer()?.list_supported_algorithms();
            let rows = algorithms.into_iter().map(|algorithm| Ok(json!({ "algorithm": algorithm })));
            context.output.list(ALGORITHMS, futures_util::stream::iter(rows)).await
        }
    }?;
    Ok(ExitCode::SUCCESS)
}

async fn balancers(context: &Context, command: Balancers) -> Result<()> {
    match command {
        Balancers::List => {
            let listed = context.loadbalancer()?.iterate_balancers_with(Options::new());
            context.output.list(BALANCERS, listed).await
        }
        Balancers::Show { id } => context.output.value(&context.loadbalancer()?.get_balancer(&id).await?),
        Balancers::Create { name, port, protocol, algorithm, members, ex } => {
            let members: Vec<Member> = members.into_iter().map(|(ip, port)| Member::at(ip, port)).collect();
            let args = json!({
                "name": name, "port": port, "protocol": protocol, "algorithm": algorithm, "members": members,
            });
            context.make(LB, "create_balancer", args, Some(ex)).await
        }
        Balancers::Update { id, name, port, protocol, algorithm, ex } => {
            let args = json!({
                "balancer": id, "name": name, "port": port, "protocol": protocol, "algorithm": algorithm,
            });
            context.make(LB, "update_balancer", args, Some(ex)).await
        }
        Balancers::Destroy { id } => {
            context.confirm(&format!("destroy the balancer {id}")).await?;
            context
                .change(LB, "destroy_balancer", json!({ "balancer": id }), &format!("{id} is destroyed"))
                .await
        }
    }
}

async fn members(context: &Context, command: Members) -> Result<()> {
    match command {
        Members::List { balancer } => {
            let balancer = LoadBalancer::from_id(balancer);
            let members = context.loadbalancer()?.balancer_list_members(&balancer).await?;
            let rows = futures_util::stream::iter(members.into_iter().map(Ok));
            context.output.list(MEMBERS, rows).await
        }
        Members::Attach { balancer, who: Who { node: Some(id), .. } } => {
            // Its port is that of the balancer, and its address may be what the provider wants.
            let balancer = context.loadbalancer()?.get_balancer(&balancer).await?;
            let node = node(context, &id).await?;
            let args = json!({ "balancer": balancer, "node": node });
            context.make(LB, "balancer_attach_compute_node", args, None).await
        }
        Members::Attach { balancer, who: Who { at, .. } } => {
            let Some((ip, port)) = at else {
                return Err(Error::invalid_argument("say who is to be attached: --node or --at"));
            };
            let args = json!({ "balancer": balancer, "member": Member::at(ip, port) });
            context.make(LB, "balancer_attach_member", args, None).await
        }
        Members::Detach { balancer, member } => {
            let known =
                context.loadbalancer()?.balancer_list_members(&LoadBalancer::from_id(&balancer)).await?;
            let found = known.into_iter().find(|known| answers_to(known, &member));
            let found = found.ok_or_else(|| Error::not_found("member", &member))?;
            let done = format!("{member} is detached from {balancer}");
            let args = json!({ "balancer": balancer, "member": found });
            context.change(LB, "balancer_detach_member", args, &done).await
        }
    }
}

/// A node of the provider. One that has no compute service takes the id alone.
async fn node(context: &Context, id: &str) -> Result<Node> {
    let found = match context.compute() {
        Ok(driver) => driver.get_node(id).await,
        Err(error) => Err(error),
    };
    match found {
        Err(error) if error.kind() == ErrorKind::NotSupported => Ok(Node::from_id(id)),
        found => found,
    }
}

fn answers_to(member: &Member, name: &str) -> bool {
    let ip = member.ip.as_deref().unwrap_or_default();
    let at = member.port.map(|port| join(ip, port));
    member.id == name || ip == name || at.as_deref() == Some(name)
}

fn join(ip: &str, port: u16) -> String {
    if ip.contains(':') { format!("[{ip}]:{port}") } else { format!("{ip}:{port}") }
}

/// `192.0.2.1:80`, `[2001:db8::1]:80`, `www.example.com:80`.
fn address_and_port(text: &str) -> Result<(String, u16), String> {
    let wrong = || format!("`{text}` is not ADDRESS:PORT");
    let (address, port) = text.rsplit_once(':').ok_or_else(wrong)?;
    let bare = address.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    if bare.is_none() && (address.is_empty() || address.contains(':')) {
        return Err(format!("{}; an IPv6 address goes into brackets", wrong()));
    }
    let port = port.parse().map_err(|_| wrong())?;
    Ok((bare.unwrap_or(address).to_owned(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_with_ports() {
        let read = |text: &str| address_and_port(text).unwrap();
        assert_eq!(read("192.0.2.1:80"), ("192.0.2.1".into(), 80));
        assert_eq!(read("[2001:db8::1]:80"), ("2001:db8::1".into(), 80));
        for wrong in ["192.0.2.1", ":80", "2001:db8::1:80", "a:b", "a:65536"] {
            let problem = address_and_port(wrong).unwrap_err();
            assert!(problem.contains(wrong), "{problem}");
        }
    }

    #[test]
    fn a_member_is_known_by_id_address_or_both() {
        let member = Member::new("m-1", "2001:db8::1", 80);
        for name in ["m-1", "2001:db8::1", "[2001:db8::1]:80"] {
            assert!(answers_to(&member, name), "{name}");
        }
        assert!(!answers_to(&member, "80"));
    }
}
