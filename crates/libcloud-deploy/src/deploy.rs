//! Making a node and running steps on it.

use std::time::Duration;

use async_trait::async_trait;
use futures_util::{StreamExt as _, stream};
use libcloud_common::{Error, ErrorKind, Result, Secret, Support};
use libcloud_compute::{
    ComputeDriver, ComputeDriverExt as _, CreateNode, Node, NodeAuth, SshInterface, WaitUntilRunning,
};

use crate::config::{SshAuth, SshConfig};
use crate::error::Attempts;
use crate::host_keys::HostKeys;
use crate::observe::{DeployEvent, DeployObserver};
use crate::steps::Deployment;
use crate::target::{DeployTo, SshImplementation, reach};

/// Arguments of [`deploy_node`](DeployExt::deploy_node).
///
/// ```
/// use libcloud_compute::{CreateNode, NodeAuth, NodeImage, NodeSize};
/// use libcloud_deploy::{DeployNode, SshAuth};
///
/// let (size, image) = (NodeSize::from_id("t3.micro"), NodeImage::from_id("ami-1"));
/// let create = CreateNode::new("web", &size, &image).auth(NodeAuth::ssh_key("ssh-ed25519 AAAAC3Nza me@example"));
/// let options = DeployNode::new(create)
///     .ssh_key(SshAuth::key_file("/home/me/.ssh/id_ed25519"))
///     .ssh_alternate_usernames(["ubuntu"]);
/// assert_eq!(options.to.ssh.port, 22);
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DeployNode {
    /// The node to make.
    pub create: CreateNode,
    /// How the steps reach it. The host name is set when it is known.
    pub to: DeployTo,
    /// Which of its addresses is connected to ([`SshInterface::PublicIps`]).
    pub ssh_interface: SshInterface,
    /// How long the node may take until it runs, and then the server until it answers (10 min and 5 min).
    pub timeout: Option<Duration>,
    /// How often to look whether it runs (5 s).
    pub wait_period: Duration,
    /// Whether an IPv6 address does not count (`true`).
    pub force_ipv4: bool,
}

impl DeployNode {
    /// A node that is made so. Its server is a new one: its host key is taken as it comes, and must stay so for the
    /// deployment ([`HostKeys::accept_new`]).
    pub fn new(create: CreateNode) -> Self {
        // The address is not known yet.
        let ssh = SshConfig::new("new-node").host_keys(HostKeys::accept_new());
        let to = DeployTo::new(ssh).auth_patience(Duration::from_secs(60));
        Self {
            create,
            to,
            ssh_interface: SshInterface::PublicIps,
            timeout: None,
            wait_period: Duration::from_secs(5),
            force_ipv4: true,
        }
    }

    /// Sets how one gets in: what [`CreateNode::auth`] sets.
    pub fn auth(mut self, auth: NodeAuth) -> Self {
        self.create = self.create.auth(auth);
        self
    }

    /// Sets the user (`root`).
    pub fn ssh_username(mut self, username: impl Into<String>) -> Self {
        self.to.ssh.username = username.into();
        self
    }

    /// Sets the users who are tried where the first is not let in.
    pub fn ssh_alternate_usernames<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.to = self.to.alternate_usernames(names);
        self
    }

    /// Sets the port (22).
    pub fn ssh_port(mut self, port: u16) -> Self {
        self.to.ssh.port = port;
        self
    }

    /// Sets the longest that one attempt to connect may take (10 s).
    pub fn ssh_timeout(mut self, timeout: Duration) -> Self {
        self.to.ssh.connect_timeout = timeout;
        self
    }

    /// Adds a private key, or another way in. Without any, and without a password, the agent and the keys of `~/.ssh` are
    /// tried.
    pub fn ssh_key(mut self, key: SshAuth) -> Self {
        self.to.ssh.auth.push(key);
        self
    }

    /// Sets what the keys are encrypted with that were given so far.
    pub fn ssh_key_password(mut self, passphrase: impl Into<Secret>) -> Self {
        let passphrase = passphrase.into();
        let keys = std::mem::take(&mut self.to.ssh.auth);
        self.to.ssh.auth = keys.into_iter().map(|key| key.with_passphrase(passphrase.clone())).collect();
        self
    }

    /// Sets how long the node may take until it runs, and then the server until it answers.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Sets how often the steps are run at most (3).
    pub fn max_tries(mut self, tries: u32) -> Self {
        self.to.max_tries = tries;
        self
    }

    /// Sets which of its addresses is connected to.
    pub fn ssh_interface(mut self, interface: SshInterface) -> Self {
        self.ssh_interface = interface;
        self
    }

    /// Sets how often to look whether it runs.
    pub fn wait_period(mut self, period: Duration) -> Self {
        self.wait_period = period;
        self
    }

    /// Lets IPv6 addresses count too.
    pub fn accept_ipv6(mut self) -> Self {
        self.force_ipv4 = false;
        self
    }

    /// Sets which host keys are accepted.
    pub fn host_keys(mut self, host_keys: HostKeys) -> Self {
        self.to.ssh.host_keys = host_keys;
        self
    }

    /// Sets the server that one has to go through.
    pub fn jump(mut self, jump: SshConfig) -> Self {
        self.to.ssh = self.to.ssh.jump(jump);
        self
    }

    /// Sets which program speaks SSH.
    pub fn implementation(mut self, implementation: SshImplementation) -> Self {
        self.to.implementation = implementation;
        self
    }

    /// Sets who hears what happens, and which node is left behind when the deployment is dropped: the seed's
    /// `at_exit_func`.
    pub fn observer(mut self, observer: DeployObserver) -> Self {
        self.to.observer = observer;
        self
    }
}

/// A node that steps were run on, or not.
#[derive(Debug)]
#[non_exhaustive]
pub struct Deployed<S> {
    /// The steps, with what came of them.
    pub steps: S,
    /// The node, or why there is none, or none that is ready.
    pub result: Result<Node>,
}

/// Deployment with any compute driver.
#[async_trait]
pub trait DeployExt: ComputeDriver {
    /// Makes a node, waits until it runs and answers, and runs the steps on it.
    ///
    /// What cannot work is refused before the node is made. When the future is dropped before its end, the
    /// [observer](DeployNode::observer) is told which node exists; without one, the log is.
    ///
    /// # Errors
    /// What `create_node` says; afterwards `Deployment`, with a [`DeploymentError`](crate::DeploymentError) as its source,
    /// which has the node and every attempt. The node is not destroyed.
    async fn deploy_node(&self, options: DeployNode, steps: &mut dyn Deployment) -> Result<Node> {
        deploy(self, options, steps).await
    }

    /// The same for many nodes, so many at once; a result for each, in their order. `steps` makes the steps of each.
    async fn deploy_nodes<S: Deployment>(
        &self,
        nodes: Vec<DeployNode>,
        concurrency: usize,
        steps: impl for<'a> Fn(&'a DeployNode) -> S + Send + Sync,
    ) -> Vec<Deployed<S>> {
        let nodes = with_keys(nodes, |options| &mut options.to).await;
        let work = nodes.into_iter().map(|options| {
            let mut steps = steps(&options);
            async move {
                let result = deploy(self, options, &mut steps).await;
                Deployed { steps, result }
            }
        });
        at_once(work, concurrency).await
    }
}

impl<D: ComputeDriver + ?Sized> DeployExt for D {}

/// Runs steps on many servers that are there, so many at once; a result for each, in their order. `steps` makes the steps of
/// each.
pub async fn deploy_to_many<S: Deployment>(
    servers: Vec<(Node, DeployTo)>,
    concurrency: usize,
    steps: impl Fn(&Node) -> S + Send + Sync,
) -> Vec<Deployed<S>> {
    let servers = with_keys(servers, |(_, to)| to).await;
    let work = servers.into_iter().map(|(node, to)| {
        let mut steps = steps(&node);
        async move {
            let result = crate::deploy_to(&node, &to, &mut steps).await.map(|()| node);
            Deployed { steps, result }
        }
    });
    at_once(work, concurrency).await
}

/// The same servers, the keys of which are read: a passphrase is meant to cost its time, but not once for each.
#[cfg(feature = "ssh")]
async fn with_keys<T>(mut servers: Vec<T>, to: impl Fn(&mut T) -> &mut DeployTo) -> Vec<T> {
    let all = servers.iter_mut().map(to);
    let native = all.filter(|to| matches!(to.implementation, SshImplementation::Native));
    crate::native::Ways::read_once(native.map(|to| &mut to.ssh)).await;
    servers
}

#[cfg(not(feature = "ssh"))]
#[expect(clippy::unused_async, reason = "reading keys takes its time")]
async fn with_keys<T>(servers: Vec<T>, _: impl Fn(&mut T) -> &mut DeployTo) -> Vec<T> {
    servers
}

async fn at_once<T>(
    work: impl Iterator<Item = impl Future<Output = T> + Send> + Send,
    concurrency: usize,
) -> Vec<T> {
    let numbered: Vec<_> =
        work.enumerate().map(|(number, work)| async move { (number, work.await) }).collect();
    // As they end, so that a slow one does not keep others from beginning.
    let mut done: Vec<(usize, T)> =
        stream::iter(numbered).buffer_unordered(concurrency.max(1)).collect().await;
    done.sort_by_key(|(number, _)| *number);
    done.into_iter().map(|(_, result)| result).collect()
}

async fn deploy<D: ComputeDriver + ?Sized>(
    driver: &D,
    options: DeployNode,
    steps: &mut dyn Deployment,
) -> Result<Node> {
    let DeployNode { create, mut to, ssh_interface, timeout, wait_period, force_ipv4 } = options;
    to.ssh.clock = driver.clock();
    to.patience = timeout.unwrap_or(Duration::from_secs(300));
    steps.check()?;
    refuse_what_cannot_work(driver, &create, &mut to).await?;

    let mut given = match &create.auth {
        Some(NodeAuth::Password(password)) if !password.password.is_empty() => {
            Some(password.password.clone())
        }
        _ => None,
    };
    let mut unfinished =
        Unfinished { what: What::Creation(create.name.clone()), observer: to.observer.clone() };
    let node = driver.create_node(create).await.inspect_err(|_| unfinished.what = What::Nothing)?;
    to.observer.tell(DeployEvent::Created(&node));
    unfinished.what = What::Node(Box::new(node.clone()));

    // Whoever made it up tells it now, or never.
    let told = || node.extra.get("password").and_then(|password| password.as_str()).map(Secret::from);
    if given.is_none() {
        given = told();
    }
    if let Some(password) = given.clone() {
        to.add_password(password);
    }
    let mut waiting = WaitUntilRunning::new().wait_period(wait_period).ssh_interface(ssh_interface);
    waiting.force_ipv4 = force_ipv4;
    if let Some(timeout) = timeout {
        waiting = waiting.timeout(timeout);
    }
    let ready = driver.wait_until_running(std::slice::from_ref(&node), waiting).await;
    let ready = ready.and_then(|ready| {
        let first = ready.into_iter().next().and_then(|(node, ips)| Some((node, ips.into_iter().next()?)));
        first.ok_or_else(|| Error::new(ErrorKind::InvalidState, "the node runs, but has no address"))
    });
    let failed = |error: Error| {
        let mut attempts = Attempts::default();
        attempts.add(None, error);
        Error::from(attempts.failed(&node))
    };
    let (mut running, address) = ready.map_err(|error| {
        unfinished.what = What::Nothing;
        failed(error)
    })?;
    if let Some(password) = given {
        running.extra.insert("password", password.expose());
    }
    to.observer.tell(DeployEvent::Running(&running));
    unfinished.what = What::Node(Box::new(running.clone()));
    to.ssh.hostname = address;
    let reached = reach(&running, &to, steps).await;
    unfinished.what = What::Nothing;
    reached?;
    Ok(running)
}

/// Finds out what would fail later, while there is no node yet.
async fn refuse_what_cannot_work<D: ComputeDriver + ?Sized>(
    driver: &D,
    create: &CreateNode,
    to: &mut DeployTo,
) -> Result<()> {
    let can = driver.capabilities();
    if can.of("create_node") != Support::Supported {
        return Err(Error::not_supported("deploy_node").in_operation(driver.descriptor().id, "deploy_node"));
    }
    NodeAuth::resolve(create.auth.clone(), &can)?;
    let makes_password =
        ["password", "generates_password"].iter().any(|one| can.has_feature("create_node", one));
    let has_password = match &create.auth {
        Some(NodeAuth::Password(_)) => true,
        Some(_) => false,
        None => makes_password,
    };
    to.prepare().await?;
    if to.ssh.auth.is_empty() {
        if has_password {
            // Not the keys of whoever runs this: the node has none of them.
            return Ok(());
        }
        if !to.has_way_in() {
            return Err(Error::invalid_argument(
                "there is no way into the node: give ssh_key, or start an agent; ~/.ssh has no key that can be used",
            ));
        }
        to.ssh.auth.push(SshAuth::Defaults);
    }
    Ok(())
}

/// Tells what is left behind, if it is dropped before its time.
struct Unfinished {
    what: What,
    observer: DeployObserver,
}

enum What {
    Nothing,
    /// A node of this name is being made.
    Creation(String),
    Node(Box<Node>),
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        // Who hears nothing finds it in the log.
        let is_heard = self.observer.is_heard();
        match &self.what {
            What::Nothing => {}
            What::Creation(name) if is_heard => self.observer.tell(DeployEvent::AbandonedCreation(name)),
            What::Node(node) if is_heard => self.observer.tell(DeployEvent::Abandoned(node)),
            What::Creation(name) => {
                tracing::warn!(target: "libcloud::deploy", name, "dropped while the node was made: it may exist");
            }
            What::Node(node) => {
                tracing::warn!(target: "libcloud::deploy", id = node.id, name = node.name, "dropped: the node exists");
            }
        }
    }
}
