//! The steps of a deployment.

use async_trait::async_trait;
use libcloud_common::{BoxFuture, Result};
use libcloud_compute::Node;

use crate::client::SshClient;
use crate::observe::StepEvent;

mod file;
mod key;
mod script;

pub use file::FileDeployment;
pub use key::SSHKeyDeployment;
pub use script::{ScriptDeployment, ScriptFileDeployment};

/// Something that is done on a server.
///
/// A type of your own is one as soon as it has `run`; a closure is made one by [`deployment_fn`].
#[async_trait]
pub trait Deployment: Send {
    /// Does it. What a step's command wrote is kept in the step where it has a place for it. It may be called again after a
    /// failure, on a new connection.
    async fn run(&mut self, node: &Node, client: &mut dyn SshClient) -> Result<()>;

    /// Whether it can be done, as far as this machine knows: called before a node is made for it.
    ///
    /// # Errors
    /// What `run` would fail with: a file that is not there, a key that is none.
    fn check(&self) -> Result<()> {
        Ok(())
    }

    /// What it does, for logs and errors: `script setup.sh`.
    fn name(&self) -> String {
        "step".into()
    }
}

#[async_trait]
impl Deployment for Box<dyn Deployment> {
    async fn run(&mut self, node: &Node, client: &mut dyn SshClient) -> Result<()> {
        (**self).run(node, client).await
    }

    fn check(&self) -> Result<()> {
        (**self).check()
    }

    fn name(&self) -> String {
        (**self).name()
    }
}

/// A closure as a step.
///
/// ```
/// use libcloud_deploy::{MultiStepDeployment, deployment_fn};
///
/// let steps = MultiStepDeployment::new().add(deployment_fn("hello", |node, client| {
///     Box::pin(async move {
///         let output = client.run("uptime").await?;
///         println!("{}: {}", node.name, output.stdout);
///         Ok(())
///     })
/// }));
/// assert_eq!(steps.len(), 1);
/// ```
pub fn deployment_fn<F>(name: impl Into<String>, run: F) -> DeploymentFn<F>
where
    F: for<'a> FnMut(&'a Node, &'a mut dyn SshClient) -> BoxFuture<'a, Result<()>> + Send,
{
    DeploymentFn { name: name.into(), run }
}

/// What [`deployment_fn`] makes.
pub struct DeploymentFn<F> {
    name: String,
    run: F,
}

#[async_trait]
impl<F> Deployment for DeploymentFn<F>
where
    F: for<'a> FnMut(&'a Node, &'a mut dyn SshClient) -> BoxFuture<'a, Result<()>> + Send,
{
    async fn run(&mut self, node: &Node, client: &mut dyn SshClient) -> Result<()> {
        (self.run)(node, client).await
    }

    fn name(&self) -> String {
        self.name.clone()
    }
}

impl<F> std::fmt::Debug for DeploymentFn<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DeploymentFn").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Several steps, one after another; the first that fails ends it.
#[derive(Default)]
pub struct MultiStepDeployment {
    steps: Vec<Box<dyn Deployment>>,
}

impl MultiStepDeployment {
    /// No steps yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a step.
    #[expect(clippy::should_implement_trait, reason = "the seed's name; nobody adds deployments with `+`")]
    pub fn add(mut self, step: impl Deployment + 'static) -> Self {
        self.steps.push(Box::new(step));
        self
    }

    /// How many steps there are.
    pub fn len(&self) -> usize {
        self.steps.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }
}

impl From<Vec<Box<dyn Deployment>>> for MultiStepDeployment {
    fn from(steps: Vec<Box<dyn Deployment>>) -> Self {
        Self { steps }
    }
}

impl std::fmt::Debug for MultiStepDeployment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names = self.steps.iter().map(Deployment::name);
        f.debug_list().entries(names).finish()
    }
}

#[async_trait]
impl Deployment for MultiStepDeployment {
    async fn run(&mut self, node: &Node, client: &mut dyn SshClient) -> Result<()> {
        let count = self.steps.len();
        for (index, step) in self.steps.iter_mut().enumerate() {
            let (number, name) = (index + 1, step.name());
            client.report(StepEvent { number, count, name: &name });
            step.run(node, client)
                .await
                .map_err(|error| error.context(format_args!("step {number} of {count} ({name})")))?;
        }
        Ok(())
    }

    fn check(&self) -> Result<()> {
        let count = self.steps.len();
        for (index, step) in self.steps.iter().enumerate() {
            let number = index + 1;
            step.check()
                .map_err(|error| error.context(format_args!("step {number} of {count} ({})", step.name())))?;
        }
        Ok(())
    }

    fn name(&self) -> String {
        format!("{} steps", self.steps.len())
    }
}
