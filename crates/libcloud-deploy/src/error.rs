//! A deployment that failed on a node that exists.

use std::fmt;

use libcloud_common::{Error, ErrorKind};
use libcloud_compute::Node;

/// One attempt of a deployment, or several in a row that failed for the same reason.
#[derive(Debug)]
#[non_exhaustive]
pub struct DeploymentAttempt {
    /// The user as whom it was made; none while the node was waited for.
    pub username: Option<String>,
    /// Why it failed.
    pub error: Error,
    /// How many times in a row.
    pub times: usize,
}

/// A deployment that failed. The node exists, and costs what it costs: it is not destroyed.
///
/// [`deploy_node`](crate::DeployExt::deploy_node) answers it as the source of an [`Error`]:
///
/// ```
/// # use libcloud_common::Error;
/// use libcloud_deploy::DeploymentError;
///
/// fn left_behind(error: &Error) -> Option<&str> {
///     DeploymentError::of(error).map(|failed| failed.node.id.as_str())
/// }
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct DeploymentError {
    /// The node as it was last seen.
    pub node: Node,
    /// Every attempt with its cause, in order; there is at least one.
    pub attempts: Vec<DeploymentAttempt>,
}

impl DeploymentError {
    /// The failed deployment behind an error, if there is one.
    pub fn of(error: &Error) -> Option<&Self> {
        std::error::Error::source(error).and_then(|source| source.downcast_ref())
    }

    /// Why the last attempt failed.
    pub fn cause(&self) -> Option<&Error> {
        self.attempts.last().map(|attempt| &attempt.error)
    }
}

impl fmt::Display for DeploymentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the deployment on node `{}`", self.node.id)?;
        if !self.node.name.is_empty() {
            write!(f, " ({})", self.node.name)?;
        }
        let tries: usize = self.attempts.iter().map(|attempt| attempt.times).sum();
        match self.attempts.last() {
            Some(last) if tries > 1 => write!(f, " failed after {tries} tries: {}", last.error),
            Some(last) => write!(f, " failed: {}", last.error),
            None => f.write_str(" failed"),
        }
    }
}

impl std::error::Error for DeploymentError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.cause().map(|cause| cause as &(dyn std::error::Error + 'static))
    }
}

impl From<DeploymentError> for Error {
    fn from(error: DeploymentError) -> Self {
        let id = error.node.id.clone();
        Self::new(ErrorKind::Deployment, error.to_string()).with_resource("node", id).with_source(error)
    }
}

/// Every attempt so far. What fails again for the same reason is counted.
#[derive(Default)]
pub(crate) struct Attempts(Vec<DeploymentAttempt>);

impl Attempts {
    pub(crate) fn add(&mut self, username: Option<&str>, error: Error) {
        match self.0.iter_mut().rev().find(|one| one.username.as_deref() == username) {
            Some(last) if last.error.to_string() == error.to_string() => {
                last.times += 1;
                last.error = error;
            }
            _ => self.0.push(DeploymentAttempt { username: username.map(Into::into), error, times: 1 }),
        }
    }

    pub(crate) fn failed(self, node: &Node) -> DeploymentError {
        DeploymentError { node: node.clone(), attempts: self.0 }
    }
}
