//! What is done on a new server: keys, files and scripts, over SSH.
//!
//! A [`Deployment`] is one step, or several in order ([`MultiStepDeployment`]); it runs over any [`SshClient`].
//!
//! ```
//! use libcloud_deploy::{MultiStepDeployment, SSHKeyDeployment, ScriptDeployment};
//!
//! let steps = MultiStepDeployment::new()
//!     .add(SSHKeyDeployment::new("ssh-ed25519 AAAAC3Nza me@example"))
//!     .add(ScriptDeployment::new("#!/bin/sh\napt-get install -y nginx\n"));
//! assert_eq!(steps.len(), 2);
//! ```

mod client;
mod steps;

pub use client::{CommandOutput, SshClient, WriteMode};
/// For commands of your own.
pub use libcloud_common::text::quote;
pub use steps::{
    Deployment, FileDeployment, MultiStepDeployment, SSHKeyDeployment, ScriptDeployment, ScriptFileDeployment,
};
