//! Load balancers of any cloud.
//!
//! A [`LoadBalancer`] shares requests among its [`Member`]s; both are plain data. A [`LoadBalancerDriver`] is what a
//! provider can do, shared as `Arc<dyn LoadBalancerDriver>`; [`LoadBalancerDriverExt`] is what follows from it.
//!
//! ```
//! use std::sync::Arc;
//! use libcloud_compute::Node;
//! use libcloud_loadbalancer::{Algorithm, CreateBalancer, LoadBalancerDriver, LoadBalancerDriverExt};
//! # use libcloud_common::Result;
//!
//! async fn share_out(driver: Arc<dyn LoadBalancerDriver>, nodes: &[Node]) -> Result<()> {
//!     let options = CreateBalancer::new("web", 80, "http").algorithm(Algorithm::RoundRobin);
//!     let balancer = driver.create_balancer(options).await?;
//!     let balancer = driver.balancer(balancer);
//!     for node in nodes {
//!         balancer.attach_compute_node(node).await?;
//!     }
//!     Ok(())
//! }
//! ```

mod driver;
mod ext;
mod handles;
mod options;
mod resources;
mod types;

pub use driver::{LOADBALANCER_METHODS, LoadBalancerDriver};
pub use ext::{LOADBALANCER_EXT_METHODS, LoadBalancerDriverExt};
pub use handles::LoadBalancerHandle;
pub use options::{CreateBalancer, UpdateBalancer};
pub use resources::{LoadBalancer, Member};
pub use types::{Algorithm, MemberCondition, State};
