//! `libcloud deploy …`

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};
use libcloud::common::{Secret, json};
use libcloud::compute::{
    ComputeDriverExt as _, CreateNode, Node, NodeAuth, NodeImage, NodeLocation, NodeSize, SshInterface,
};
use libcloud::deploy::{
    DeployExt as _, DeployNode, DeployTo, Deployed, DeploymentError, HostKeys, MultiStepDeployment, SshAuth,
    SshConfig, SshImplementation, deploy_to_many,
};
use libcloud::{Error, ErrorKind, Result};
use serde_json::Value;

use crate::args::ExArgs;
use crate::context::{Context, read_secret, seconds};
use crate::exit;
use crate::output::Columns;

mod live;
mod steps;

use live::Live;
use steps::{ScriptSettings, StepArgs};

const RESULTS: Columns = &[
    ("server", "server"),
    ("id", "id"),
    ("address", "address"),
    ("result", "result"),
    ("why", "error.message"),
];
const DRY: Columns = &[("would deploy to", "would_deploy_to"), ("steps", "steps")];

#[derive(Debug, Args)]
pub(crate) struct DeployCommand {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Make nodes, wait until they answer, and run the steps on them
    Create(Create),
    /// Run the steps on nodes and hosts that are there
    Run(Run),
}

#[derive(Debug, Args)]
struct Create {
    /// The name; with --count, a number follows it
    #[arg(long)]
    name: String,
    /// How many
    #[arg(long, default_value_t = 1, value_name = "N")]
    count: usize,
    /// The size, by its id
    #[arg(long, value_name = "ID")]
    size: String,
    /// The image, by its id
    #[arg(long, value_name = "ID")]
    image: String,
    /// The place, by its id
    #[arg(long, value_name = "ID")]
    location: Option<String>,
    /// A public key to put on it, as a file
    #[arg(long, value_name = "FILE")]
    public_key: Option<PathBuf>,
    /// How long a node may take until it runs, and then until it answers
    #[arg(long, value_name = "SECONDS")]
    limit: Option<f64>,
    #[command(flatten)]
    ex: ExArgs,
    #[command(flatten)]
    ssh: Ssh,
    #[command(flatten)]
    scripts: Scripts,
    #[command(flatten)]
    steps: StepArgs,
}

#[derive(Debug, Args)]
struct Run {
    /// Hosts: `[USER@]HOST[:PORT]`
    hosts: Vec<String>,
    /// A file with a host a line
    #[arg(long, value_name = "FILE")]
    hosts_from: Option<PathBuf>,
    /// A node of --provider, by its id
    #[arg(long = "node", value_name = "ID")]
    nodes: Vec<String>,
    /// How long a host that does not answer is tried
    #[arg(long, default_value_t = 0.0, value_name = "SECONDS")]
    limit: f64,
    #[command(flatten)]
    ssh: Ssh,
    #[command(flatten)]
    scripts: Scripts,
    #[command(flatten)]
    steps: StepArgs,
}

/// How a server is reached.
#[derive(Debug, Args)]
#[command(next_help_heading = "SSH")]
struct Ssh {
    /// The user; several: each is tried where the one before is not let in
    #[arg(long = "ssh-user", value_name = "NAME", default_value = "root")]
    users: Vec<String>,
    /// The port
    #[arg(long, default_value_t = 22, value_name = "PORT")]
    ssh_port: u16,
    /// A private key; without any, the agent and the keys of ~/.ssh
    #[arg(long = "identity", short = 'i', value_name = "FILE")]
    identities: Vec<PathBuf>,
    /// The password; the variable or a file keep it out of the list of processes
    #[arg(long, env = "LIBCLOUD_SSH_PASSWORD", hide_env_values = true, value_name = "P")]
    ssh_password: Option<String>,
    /// A file whose first line is the password
    #[arg(long, value_name = "FILE")]
    ssh_password_file: Option<PathBuf>,
    /// What the private keys are encrypted with
    #[arg(long, env = "LIBCLOUD_SSH_PASSPHRASE", hide_env_values = true, value_name = "P")]
    ssh_passphrase: Option<String>,
    /// Whether a server must be known: `strict`, or `accept-new`, as a new node is without this
    #[arg(long, value_enum, value_name = "POLICY")]
    host_keys: Option<Policy>,
    /// A file of known hosts, in place of the usual ones
    #[arg(long, value_name = "FILE")]
    known_hosts: Vec<PathBuf>,
    /// Know no host beforehand: for addresses that another machine had
    #[arg(long, conflicts_with = "known_hosts")]
    no_known_hosts: bool,
    /// Add new keys to this file
    #[arg(long, value_name = "FILE")]
    save_host_keys: Option<PathBuf>,
    /// The host to go through
    #[arg(long, value_name = "[USER@]HOST[:PORT]")]
    jump: Option<String>,
    /// Use the system's ssh
    #[arg(long)]
    system_ssh: bool,
    /// The longest that one attempt to connect may take
    #[arg(long, default_value_t = 10.0, value_name = "SECONDS")]
    connect_timeout: f64,
    /// How often the steps are run where the connection breaks
    #[arg(long, default_value_t = 3, value_name = "N")]
    tries: u32,
    /// Connect to the private addresses of nodes
    #[arg(long)]
    private: bool,
    /// How many servers at once
    #[arg(long, default_value_t = 10, value_name = "N")]
    parallel: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Policy {
    Strict,
    AcceptNew,
}

/// What is true of every script.
#[derive(Debug, Args)]
#[command(next_help_heading = "Scripts and commands")]
struct Scripts {
    /// A variable of their environment
    #[arg(long = "env", value_name = "NAME=VALUE")]
    env: Vec<String>,
    /// A variable that they get from the environment of this program; its value is told nowhere
    #[arg(long = "secret-env", value_name = "NAME")]
    secret_env: Vec<String>,
    /// The longest that each may run
    #[arg(long, value_name = "SECONDS")]
    script_timeout: Option<f64>,
    /// Go on after an exit status other than 0
    #[arg(long)]
    ignore_status: bool,
}

pub(crate) async fn run(context: &Context, command: DeployCommand) -> Result<ExitCode> {
    match command.what {
        What::Create(create) => create_nodes(context, create).await,
        What::Run(run) => run_on(context, run).await,
    }
}

async fn create_nodes(context: &Context, create: Create) -> Result<ExitCode> {
    let settings = create.scripts.settings()?;
    // Whatever is wrong with them is told before anything is made.
    create.steps.deployment(&settings)?;
    let ssh = create.ssh.config(context, "new-node", HostKeys::accept_new())?;
    let live = Live::new(&context.global, settings.secrets());
    let mut node = CreateNode::new("", &NodeSize::from_id(&create.size), &NodeImage::from_id(&create.image));
    node.location = create.location.as_ref().map(NodeLocation::from_id);
    if let Some(path) = &create.public_key {
        let key = std::fs::read_to_string(path)
            .map_err(|error| Error::io(format_args!("read the public key {}", path.display()), error))?;
        node = node.auth(NodeAuth::ssh_key(key.trim()));
    } else if let Some(password) = create.ssh.password()? {
        node = node.auth(NodeAuth::password(password));
    }
    let mut ex = json!({});
    create.ex.add_to(&mut ex);
    for (name, value) in ex.as_object().into_iter().flatten() {
        node = node.ex_arg(name, value.clone());
    }
    let names: Vec<String> = match create.count {
        1 => vec![create.name.clone()],
        count => (1..=count).map(|number| format!("{}-{number}", create.name)).collect(),
    };
    if context.global.dry_run {
        return dry(context, &names, &create.steps).await;
    }
    let nodes = names.iter().map(|name| {
        let mut node = node.clone();
        node.name.clone_from(name);
        let mut options = DeployNode::new(node).observer(live.of(name.clone())).max_tries(create.ssh.tries);
        let (observer, host_keys) = (options.to.observer.clone(), ssh.host_keys.clone());
        options.to.ssh = ssh.clone();
        options.to = create.ssh.reach(options.to);
        options = options.observer(observer).host_keys(host_keys);
        if create.ssh.private {
            options = options.ssh_interface(SshInterface::PrivateIps);
        }
        if let Some(limit) = create.limit {
            options = options.timeout(seconds(limit)?);
        }
        Ok(options)
    });
    let nodes: Vec<DeployNode> = nodes.collect::<Result<_>>()?;
    // They were read once without a problem; a file that changes meanwhile is told by its step.
    let steps = |_: &DeployNode| create.steps.deployment(&settings).unwrap_or_default();
    let done = context.compute()?.deploy_nodes(nodes, create.ssh.parallel, steps).await;
    let done = names.into_iter().zip(done).map(|(name, one)| (name, None, one)).collect();
    tell(context, done).await
}

async fn run_on(context: &Context, run: Run) -> Result<ExitCode> {
    let settings = run.scripts.settings()?;
    run.steps.deployment(&settings)?;
    let live = Live::new(&context.global, settings.secrets());
    let mut hosts = run.hosts.clone();
    if let Some(path) = &run.hosts_from {
        let text = std::fs::read_to_string(path)
            .map_err(|error| Error::io(format_args!("read the hosts in {}", path.display()), error))?;
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        hosts.extend(lines.map(str::to_owned));
    }
    if hosts.is_empty() && run.nodes.is_empty() {
        return Err(Error::invalid_argument("on which servers? give hosts, --hosts-from or --node"));
    }
    if context.global.dry_run {
        hosts.extend(run.nodes.iter().map(|id| format!("node {id}")));
        return dry(context, &hosts, &run.steps).await;
    }
    let mut servers: Vec<(String, Node, SshConfig)> = Vec::new();
    let strict = HostKeys::strict();
    for host in hosts {
        let ssh = run.ssh.config(context, &host, strict.clone())?;
        servers.push((host.clone(), Node::from_id(host), ssh));
    }
    for id in &run.nodes {
        let node = context.compute()?.get_node(id).await?;
        let ips = if run.ssh.private { &node.private_ips } else { &node.public_ips };
        let address = ips.first().ok_or_else(|| {
            Error::new(
                ErrorKind::InvalidState,
                format!("node `{id}` has no address that it can be reached by"),
            )
        })?;
        let ssh = run.ssh.config(context, address, strict.clone())?;
        let name = if node.name.is_empty() { id.clone() } else { node.name.clone() };
        servers.push((name, node, ssh));
    }
    let patience = seconds(run.limit)?;
    let addresses: Vec<String> = servers.iter().map(|(_, _, ssh)| ssh.hostname.clone()).collect();
    let names: Vec<String> = servers.iter().map(|(name, ..)| name.clone()).collect();
    let servers = servers.into_iter().map(|(name, node, ssh)| {
        let to = run.ssh.reach(DeployTo::new(ssh)).patience(patience).observer(live.of(name));
        (node, to)
    });
    let steps = |_: &Node| run.steps.deployment(&settings).unwrap_or_default();
    let done = deploy_to_many(servers.collect(), run.ssh.parallel, steps).await;
    let done = names.into_iter().zip(addresses).zip(done);
    tell(context, done.map(|((name, address), one)| (name, Some(address), one)).collect()).await
}

async fn dry(context: &Context, servers: &[String], steps: &StepArgs) -> Result<ExitCode> {
    let rows: Vec<Result<Value>> = servers
        .iter()
        .map(|server| Ok(json!({ "would_deploy_to": server, "steps": steps.told() })))
        .collect();
    context.output.list(DRY, futures_util::stream::iter(rows)).await?;
    Ok(ExitCode::SUCCESS)
}

/// The summary, the errors, and the exit status.
async fn tell(
    context: &Context,
    done: Vec<(String, Option<String>, Deployed<MultiStepDeployment>)>,
) -> Result<ExitCode> {
    let mut failures = Vec::new();
    let count = done.len();
    let mut rows = Vec::new();
    for (server, address, one) in done {
        let (node, error) = match one.result {
            Ok(node) => (Some(node), None),
            Err(error) => (DeploymentError::of(&error).map(|failed| failed.node.clone()), Some(error)),
        };
        let address = address.or_else(|| {
            let node = node.as_ref()?;
            node.public_ips.iter().chain(&node.private_ips).next().cloned()
        });
        rows.push(Ok(json!({
            "server": server,
            "id": node.as_ref().map(|node| &node.id),
            "address": address,
            "result": if error.is_none() { "done" } else { "failed" },
            "error": error.as_ref().map(Error::to_json),
            "node": node,
        })));
        failures.extend(error);
    }
    context.output.list(RESULTS, futures_util::stream::iter(rows)).await?;
    for error in &failures {
        exit::tell(error, context.global.format);
    }
    Ok(match failures.as_slice() {
        [] => ExitCode::SUCCESS,
        // What kept the one server from being ready.
        [error] if count == 1 => {
            let cause = DeploymentError::of(error).and_then(DeploymentError::cause).unwrap_or(error);
            ExitCode::from(exit::status(cause.kind()))
        }
        _ => ExitCode::from(exit::PARTIAL),
    })
}

impl Ssh {
    fn password(&self) -> Result<Option<Secret>> {
        match (&self.ssh_password_file, &self.ssh_password) {
            (Some(path), _) => read_secret(path).map(Some),
            (None, password) => Ok(password.as_deref().map(Secret::from)),
        }
    }

    /// The server of this name, `[USER@]HOST[:PORT]`.
    fn config(&self, context: &Context, host: &str, host_keys: HostKeys) -> Result<SshConfig> {
        let (user, hostname, port) = host_of(host)?;
        let user = user.or(self.users.first().map(String::as_str)).unwrap_or("root");
        let mut config = SshConfig::new(hostname)
            .port(port.unwrap_or(self.ssh_port))
            .username(user)
            .connect_timeout(seconds(self.connect_timeout)?)
            .host_keys(self.host_keys(host_keys));
        for path in &self.identities {
            config = config.auth(self.identity(path));
        }
        if let Some(password) = self.password()? {
            config = config.auth(SshAuth::password(password));
        }
        if let Some(jump) = &self.jump {
            let (user, hostname, port) = host_of(jump)?;
            let mut jump = SshConfig::new(hostname)
                .port(port.unwrap_or(22))
                .username(user.unwrap_or("root"))
                .connect_timeout(config.connect_timeout)
                .host_keys(self.host_keys(HostKeys::strict()));
            for path in &self.identities {
                jump = jump.auth(self.identity(path));
            }
            config = config.jump(jump);
        }
        if let Some(log) = context.debug_log() {
            config.jump = config.jump.map(|jump| Box::new(jump.debug_log(log.clone())));
            config = config.debug_log(log.clone());
        }
        Ok(config)
    }

    fn identity(&self, path: &Path) -> SshAuth {
        match &self.ssh_passphrase {
            Some(passphrase) => SshAuth::key_file(path).with_passphrase(passphrase.as_str()),
            None => SshAuth::key_file(path),
        }
    }

    fn host_keys(&self, default: HostKeys) -> HostKeys {
        let mut keys = match self.host_keys {
            Some(Policy::Strict) => HostKeys::strict(),
            Some(Policy::AcceptNew) => HostKeys::accept_new(),
            None => default,
        };
        if self.no_known_hosts {
            keys = keys.without_files();
        }
        for path in &self.known_hosts {
            keys = keys.file(path);
        }
        match &self.save_host_keys {
            Some(path) => keys.save_to(path),
            None => keys,
        }
    }

    fn reach(&self, mut to: DeployTo) -> DeployTo {
        let others: Vec<String> =
            self.users.iter().skip(1).filter(|user| **user != to.ssh.username).cloned().collect();
        to = to.alternate_usernames(others).max_tries(self.tries);
        if self.system_ssh { to.implementation(SshImplementation::System) } else { to }
    }
}

impl Scripts {
    fn settings(&self) -> Result<ScriptSettings> {
        let env = self.env.iter().map(|pair| {
            let (name, value) = pair
                .split_once('=')
                .ok_or_else(|| Error::invalid_argument(format!("--env {pair}: it is NAME=VALUE")))?;
            Ok((name.to_owned(), value.to_owned()))
        });
        let secret_env = self.secret_env.iter().map(|name| {
            let value = std::env::var(name).map_err(|_| {
                Error::invalid_argument(format!(
                    "--secret-env {name}: there is no such variable, or it is not text"
                ))
            })?;
            Ok((name.clone(), Secret::new(value)))
        });
        Ok(ScriptSettings {
            env: env.collect::<Result<_>>()?,
            secret_env: secret_env.collect::<Result<_>>()?,
            timeout: self.script_timeout.map(seconds).transpose()?,
            ignore_status: self.ignore_status,
        })
    }
}

impl ScriptSettings {
    fn secrets(&self) -> Vec<Secret> {
        self.secret_env.iter().map(|(_, value)| value.clone()).collect()
    }
}

/// The parts of `[USER@]HOST[:PORT]`; an IPv6 address with a port stands in brackets.
fn host_of(text: &str) -> Result<(Option<&str>, &str, Option<u16>)> {
    let (user, host) = match text.rsplit_once('@') {
        Some((user, host)) => (Some(user), host),
        None => (None, text),
    };
    let (hostname, port) = match host.strip_prefix('[').and_then(|host| host.split_once(']')) {
        Some((hostname, port)) => (hostname, port.strip_prefix(':')),
        None if host.matches(':').count() == 1 => {
            host.split_once(':').map_or((host, None), |(host, port)| (host, Some(port)))
        }
        None => (host, None),
    };
    let port = port.map(str::parse).transpose();
    let port = port.map_err(|_| Error::invalid_argument(format!("`{text}` is not [USER@]HOST[:PORT]")))?;
    Ok((user, hostname, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_have_users_and_ports() {
        for (text, expected) in [
            ("web", (None, "web", None)),
            ("me@web:2222", (Some("me"), "web", Some(2222))),
            ("::1", (None, "::1", None)),
            ("me@[::1]:22", (Some("me"), "::1", Some(22))),
        ] {
            assert_eq!(host_of(text).unwrap(), expected);
        }
        assert!(host_of("web:ssh").is_err());
    }
}
