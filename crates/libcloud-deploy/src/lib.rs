//! What is done on a server of any cloud: keys, files and scripts, over SSH.
//!
//! A [`Deployment`] is one step, or several in order ([`MultiStepDeployment`]). [`DeployExt::deploy_node`] makes a node with
//! any [compute driver](libcloud_compute::ComputeDriver) and runs the steps on it; [`deploy_to`] runs them on a server that is
//! there already. Both go over an [`SshClient`]: [`NativeSshClient`], which needs nothing but the feature `ssh`, or
//! [`ShellOutSshClient`], which runs the system's `ssh`.
//!
//! ```
//! use libcloud_deploy::{MultiStepDeployment, SSHKeyDeployment, ScriptDeployment};
//!
//! let steps = MultiStepDeployment::new()
//!     .add(SSHKeyDeployment::new("ssh-ed25519 AAAAC3Nza me@example"))
//!     .add(ScriptDeployment::new("#!/bin/sh\napt-get install -y nginx\n"));
//! assert_eq!(steps.len(), 2);
//! ```

#![cfg_attr(docsrs, feature(doc_cfg))]

mod client;
mod command;
mod config;
mod deploy;
mod error;
mod host_keys;
mod log;
#[cfg(feature = "ssh")]
mod native;
mod observe;
mod shell_out;
mod steps;
mod target;

pub use client::{OutputSink, SshClient, WriteMode};
pub use command::{CommandOutput, ExitStatus, OutputStream, RemoteCommand};
pub use config::{SshAuth, SshConfig};
pub use deploy::{DeployExt, DeployNode, Deployed, deploy_to_many};
pub use error::{DeploymentAttempt, DeploymentError};
pub use host_keys::HostKeys;
/// For commands of your own.
pub use libcloud_common::text::quote;
#[cfg(feature = "ssh")]
#[cfg_attr(docsrs, doc(cfg(feature = "ssh")))]
pub use native::NativeSshClient;
pub use observe::{DeployEvent, DeployObserver, StepEvent};
pub use shell_out::ShellOutSshClient;
pub use steps::{
    Deployment, DeploymentFn, FileDeployment, MultiStepDeployment, SSHKeyDeployment, ScriptDeployment,
    ScriptFileDeployment, deployment_fn,
};
pub use target::{DeployTo, SshImplementation, deploy_to};
