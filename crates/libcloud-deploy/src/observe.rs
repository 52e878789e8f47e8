//! What is told of a deployment while it goes on.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use libcloud_common::{ByteStream, Error, Result};
use libcloud_compute::Node;

use crate::client::{OutputSink, SshClient, WriteMode};
use crate::command::{ExitStatus, OutputStream, RemoteCommand};

/// Where a deployment of several steps is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StepEvent<'a> {
    /// Which step begins, from 1.
    pub number: usize,
    /// How many there are.
    pub count: usize,
    /// What it does.
    pub name: &'a str,
}

/// What happens in a deployment.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum DeployEvent<'a> {
    /// The node was created; it may not run yet.
    Created(&'a Node),
    /// The node runs and has an address.
    Running(&'a Node),
    /// A connection is being made: to whom, and the how many-th it is.
    Connecting {
        /// `root@192.0.2.1:22`.
        to: &'a str,
        /// From 1.
        attempt: usize,
    },
    /// An attempt failed; another may follow.
    Failed(&'a Error),
    /// The steps are done.
    Done,
    /// One of several steps begins.
    Step(StepEvent<'a>),
    /// A command wrote something.
    Output {
        /// Where to.
        stream: OutputStream,
        /// What; a piece may end in the middle of a line or of a letter.
        bytes: &'a [u8],
    },
    /// The deployment was dropped before its end. The node exists, and costs what it costs.
    Abandoned(&'a Node),
    /// The deployment was dropped while the provider was making a node of this name: it may exist.
    AbandonedCreation(&'a str),
}

/// Hears what happens in a deployment. Clones call the same function.
#[derive(Clone, Default)]
pub struct DeployObserver(Option<Arc<Hear>>);

type Hear = dyn Fn(DeployEvent<'_>) + Send + Sync;

impl DeployObserver {
    /// Calls this with everything that happens. It must return soon: nothing goes on meanwhile.
    pub fn new(hear: impl Fn(DeployEvent<'_>) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(hear)))
    }

    /// Whether anybody hears.
    pub(crate) fn is_heard(&self) -> bool {
        self.0.is_some()
    }

    pub(crate) fn tell(&self, event: DeployEvent<'_>) {
        if let Some(hear) = &self.0 {
            hear(event);
        }
    }
}

impl fmt::Debug for DeployObserver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("DeployObserver").field(&self.0.is_some()).finish()
    }
}

/// A client whose steps and output an observer hears.
pub(crate) struct Observed<'a> {
    pub(crate) client: &'a mut dyn SshClient,
    pub(crate) observer: &'a DeployObserver,
}

#[async_trait]
impl SshClient for Observed<'_> {
    async fn connect(&mut self) -> Result<()> {
        self.client.connect().await
    }

    async fn put_stream(
        &mut self,
        path: &str,
        contents: ByteStream,
        permissions: Option<u32>,
        mode: WriteMode,
    ) -> Result<String> {
        self.client.put_stream(path, contents, permissions, mode).await
    }

    async fn read(&mut self, path: &str) -> Result<Vec<u8>> {
        self.client.read(path).await
    }

    async fn delete(&mut self, path: &str) -> Result<()> {
        self.client.delete(path).await
    }

    async fn make_dir(&mut self, path: &str, permissions: Option<u32>) -> Result<String> {
        self.client.make_dir(path, permissions).await
    }

    async fn run_with(&mut self, command: &RemoteCommand, output: OutputSink<'_>) -> Result<ExitStatus> {
        let observer = self.observer;
        let mut both = |stream, bytes: &[u8]| {
            observer.tell(DeployEvent::Output { stream, bytes });
            output(stream, bytes);
        };
        self.client.run_with(command, &mut both).await
    }

    async fn close(&mut self) -> Result<()> {
        self.client.close().await
    }

    fn report(&mut self, event: StepEvent<'_>) {
        self.observer.tell(DeployEvent::Step(event));
        self.client.report(event);
    }
}
