//! Connecting to a server, as often as it takes, and running the steps on it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use libcloud_common::{Error, ErrorKind, Result, Retry, Secret};
use libcloud_compute::Node;

use crate::client::SshClient;
use crate::config::{SshAuth, SshConfig};
use crate::error::{Attempts, DeploymentError};
use crate::observe::{DeployEvent, DeployObserver, Observed};
use crate::steps::Deployment;

/// Which program speaks SSH.
#[derive(Clone, Default)]
#[non_exhaustive]
pub enum SshImplementation {
    /// libcloud's own, [`NativeSshClient`](crate::NativeSshClient): the feature `ssh`.
    #[default]
    Native,
    /// The system's `ssh`, by [`ShellOutSshClient`](crate::ShellOutSshClient).
    System,
    /// Another one: this makes it.
    Custom(Arc<dyn Fn(SshConfig) -> Box<dyn SshClient> + Send + Sync>),
}

impl SshImplementation {
    /// Makes a client.
    ///
    /// # Errors
    /// `NotSupported` for one that is not compiled in.
    pub fn client(&self, config: SshConfig) -> Result<Box<dyn SshClient>> {
        match self {
            #[cfg(feature = "ssh")]
            Self::Native => Ok(Box::new(crate::NativeSshClient::new(config))),
            #[cfg(not(feature = "ssh"))]
            Self::Native => Err(Error::new(
                ErrorKind::NotSupported,
                "libcloud's own SSH client is not compiled in: enable the feature `ssh`, or use SshImplementation::System",
            )),
            Self::System => Ok(Box::new(crate::ShellOutSshClient::new(config))),
            Self::Custom(make) => Ok(make(config)),
        }
    }
}

impl fmt::Debug for SshImplementation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Native => "Native",
            Self::System => "System",
            Self::Custom(_) => "Custom",
        })
    }
}

/// How the steps reach a server: as whom, how often, how long.
///
/// ```
/// use std::time::Duration;
/// use libcloud_deploy::{DeployTo, SshAuth, SshConfig};
///
/// let ssh = SshConfig::new("web.example").username("admin").auth(SshAuth::Agent);
/// let to = DeployTo::new(ssh).alternate_usernames(["ubuntu"]).patience(Duration::from_secs(60));
/// assert_eq!(to.max_tries, 3);
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DeployTo {
    /// The server and the ways into it.
    pub ssh: SshConfig,
    /// Users who are tried where the first is not let in.
    pub alternate_usernames: Vec<String>,
    /// How often the steps are run, if the connection breaks or a step fails for a reason that may pass (3).
    pub max_tries: u32,
    /// How long a server that cannot be connected to is tried (not at all: one attempt).
    pub patience: Duration,
    /// How long a server that lets nobody in is tried: a new one may not have its keys yet (not at all: one attempt).
    pub auth_patience: Duration,
    /// The pause between two attempts (1.5 s).
    pub wait: Duration,
    /// Which program speaks SSH.
    pub implementation: SshImplementation,
    /// Who hears what happens.
    pub observer: DeployObserver,
}

impl DeployTo {
    /// To this server.
    pub fn new(ssh: SshConfig) -> Self {
        Self {
            ssh,
            alternate_usernames: Vec::new(),
            max_tries: 3,
            patience: Duration::ZERO,
            auth_patience: Duration::ZERO,
            wait: Duration::from_millis(1500),
            implementation: SshImplementation::Native,
            observer: DeployObserver::default(),
        }
    }

    /// Sets the users who are tried where the first is not let in.
    pub fn alternate_usernames<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.alternate_usernames = names.into_iter().map(Into::into).collect();
        self
    }

    /// Sets how often the steps are run at most.
    pub fn max_tries(mut self, tries: u32) -> Self {
        self.max_tries = tries;
        self
    }

    /// Sets how long a server that cannot be connected to is tried.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Sets how long a server that lets nobody in is tried.
    pub fn auth_patience(mut self, patience: Duration) -> Self {
        self.auth_patience = patience;
        self
    }

    /// Sets which program speaks SSH.
    pub fn implementation(mut self, implementation: SshImplementation) -> Self {
        self.implementation = implementation;
        self
    }

    /// Sets who hears what happens.
    pub fn observer(mut self, observer: DeployObserver) -> Self {
        self.observer = observer;
        self
    }

    /// Finds out what can be found out without a connection, and reads the keys: once, for however many clones.
    ///
    /// # Errors
    /// What `deploy_to` would fail with later: a key that is none, a wrong passphrase, a file of known hosts that is not
    /// there, an SSH client that is not compiled in, an argument that makes no sense.
    #[cfg_attr(not(feature = "ssh"), expect(clippy::unused_async, reason = "reading keys takes its time"))]
    pub async fn prepare(&mut self) -> Result<()> {
        if self.max_tries == 0 {
            return Err(Error::invalid_argument("max_tries is 0; a deployment takes one try at least"));
        }
        let mut config = self.ssh.clone();
        for username in std::iter::once(&self.ssh.username).chain(&self.alternate_usernames) {
            config.username.clone_from(username);
            config.check()?;
        }
        // Whether there is such a client at all.
        self.implementation.client(config)?;
        self.ssh.host_keys.check()?;
        if let SshImplementation::System = self.implementation {
            return crate::shell_out::check(&self.ssh);
        }
        #[cfg(feature = "ssh")]
        {
            let mut next = Some(&mut self.ssh);
            while let Some(ssh) = next {
                ssh.loaded = Some(crate::native::Ways::of(ssh, &crate::log::SshLog::new(ssh)).await?);
                next = ssh.jump.as_deref_mut();
            }
        }
        Ok(())
    }

    /// Whether there is any way in, as far as this machine knows.
    #[cfg_attr(
        not(feature = "ssh"),
        expect(clippy::unused_self, reason = "the system's ssh knows what it has")
    )]
    pub(crate) fn has_way_in(&self) -> bool {
        #[cfg(feature = "ssh")]
        if let Some(ways) = &self.ssh.loaded {
            return !ways.is_empty();
        }
        true
    }

    /// Adds a way in that was not known before, without reading the keys anew.
    pub(crate) fn add_password(&mut self, password: Secret) {
        #[cfg(feature = "ssh")]
        if let Some(ways) = self.ssh.loaded.take() {
            self.ssh.loaded = Some(ways.with_password(&self.ssh.auth, password.clone()));
        }
        self.ssh.auth.push(SshAuth::Password(password));
    }

    fn config(&self, username: &str) -> SshConfig {
        self.ssh.clone().username(username)
    }
}

/// Runs steps on a server that is there. `node` is what the steps are told; [`Node::from_id`] will do.
///
/// # Errors
/// `Deployment` with a [`DeploymentError`] as its source, which has every attempt; what
/// [`prepare`](DeployTo::prepare) finds, before anything is sent.
pub async fn deploy_to(node: &Node, to: &DeployTo, steps: &mut dyn Deployment) -> Result<()> {
    let mut to = to.clone();
    to.prepare().await?;
    steps.check()?;
    reach(node, &to, steps).await.map_err(Error::from)
}

/// What became of one round of users.
enum Round {
    /// Nobody was let in.
    Denied,
    /// The server could not be connected to.
    Unreachable,
    /// The steps failed, and may be run again as this user.
    Again(String),
}

/// Connects and runs the steps, until they are done or there is no hope.
pub(crate) async fn reach(
    node: &Node,
    to: &DeployTo,
    steps: &mut dyn Deployment,
) -> Result<(), DeploymentError> {
    let clock = Arc::clone(&to.ssh.clock);
    let mut users: Vec<String> =
        std::iter::once(&to.ssh.username).chain(&to.alternate_usernames).cloned().collect();
    let mut state = State { node, to, attempts: Attempts::default(), connections: 0, tries: 0 };
    let mut since = clock.elapsed();
    let mut denied_since = None;
    loop {
        let limit = match state.round(&users, steps).await {
            Ok(None) => return Ok(()),
            Ok(Some(Round::Again(user))) => {
                // The server is there and lets this one in; it may take its time to come back.
                users = vec![user];
                since = clock.elapsed();
                denied_since = None;
                None
            }
            Ok(Some(Round::Unreachable)) => {
                denied_since = None;
                Some((since, to.patience))
            }
            Ok(Some(Round::Denied)) => {
                Some((*denied_since.get_or_insert_with(|| clock.elapsed()), to.auth_patience))
            }
            Err(Hopeless) => return Err(state.attempts.failed(node)),
        };
        if limit.is_some_and(|(since, patience)| clock.elapsed().saturating_sub(since) + to.wait > patience) {
            return Err(state.attempts.failed(node));
        }
        clock.sleep(to.wait).await;
    }
}

/// Trying again would change nothing; the reason is in the attempts.
struct Hopeless;

struct State<'a> {
    node: &'a Node,
    to: &'a DeployTo,
    attempts: Attempts,
    connections: usize,
    tries: u32,
}

impl State<'_> {
    /// Tries each user; `None`: the steps are done.
    async fn round(
        &mut self,
        users: &[String],
        steps: &mut dyn Deployment,
    ) -> Result<Option<Round>, Hopeless> {
        for user in users {
            let mut client = match self.connect(user, users.len() > 1).await {
                Ok(client) => client,
                Err(error) => {
                    let kind = error.kind();
                    let is_passing = error.is_retryable();
                    self.note(user, error);
                    match kind {
                        ErrorKind::InvalidCredentials => continue,
                        _ if is_passing => return Ok(Some(Round::Unreachable)),
                        _ => return Err(Hopeless),
                    }
                }
            };
            self.tries += 1;
            let mut observed = Observed { client: &mut *client, observer: &self.to.observer };
            let done = steps.run(self.node, &mut observed).await;
            // What the steps say matters more than how the connection ends.
            let _ = client.close().await;
            let Err(error) = done else {
                self.to.observer.tell(DeployEvent::Done);
                return Ok(None);
            };
            let again = self.tries < self.to.max_tries && may_be_repeated(&error);
            self.note(user, error);
            return if again { Ok(Some(Round::Again(user.clone()))) } else { Err(Hopeless) };
        }
        Ok(Some(Round::Denied))
    }

    async fn connect(&mut self, user: &str, is_one_of_several: bool) -> Result<Box<dyn SshClient>> {
        let config = self.to.config(user);
        self.connections += 1;
        let to = config.to_string();
        self.to.observer.tell(DeployEvent::Connecting { to: &to, attempt: self.connections });
        let mut client = self.to.implementation.client(config)?;
        client.connect().await?;
        if is_one_of_several {
            // Images let root in only to tell whom one should be instead.
            client.make_dir("~", None).await?;
        }
        Ok(client)
    }

    fn note(&mut self, user: &str, error: Error) {
        self.to.observer.tell(DeployEvent::Failed(&error));
        self.attempts.add(Some(user), error);
    }
}

/// Whether steps that failed so may succeed when they are run again. A script that said no is not asked twice, and one whose
/// time passed may still run.
fn may_be_repeated(error: &Error) -> bool {
    match error.kind() {
        ErrorKind::InvalidArgument
        | ErrorKind::InvalidName
        | ErrorKind::InvalidCredentials
        | ErrorKind::NotSupported
        | ErrorKind::Io
        | ErrorKind::Tls => false,
        ErrorKind::Deployment | ErrorKind::Timeout => matches!(error.retry(), Retry::Retryable(_)),
        _ => true,
    }
}
