//! What follows from a load balancing driver's methods, written once for all of them.

use async_trait::async_trait;
use futures_util::TryStreamExt as _;
use libcloud_common::{BoxStream, Options, Result, extensions};
use libcloud_compute::Node;

use crate::driver::LoadBalancerDriver;
use crate::resources::{LoadBalancer, Member};

/// Short forms and helpers on every load balancing driver.
#[extensions(LOADBALANCER_EXT_METHODS, on = LoadBalancerDriver)]
#[async_trait]
pub trait LoadBalancerDriverExt: LoadBalancerDriver {
    /// The protocols that a balancer can speak: `http`, `tcp` …
    async fn list_protocols(&self) -> Result<Vec<String>> {
        self.list_protocols_with(Options::new()).await
    }

    /// The balancers, as they arrive.
    fn iterate_balancers(&self) -> BoxStream<'static, Result<LoadBalancer>> {
        self.iterate_balancers_with(Options::new())
    }

    /// All balancers.
    #[by_name]
    async fn list_balancers_with(&self, options: Options) -> Result<Vec<LoadBalancer>> {
        self.iterate_balancers_with(options).try_collect().await
    }

    /// All balancers.
    async fn list_balancers(&self) -> Result<Vec<LoadBalancer>> {
        self.list_balancers_with(Options::new()).await
    }

    /// One balancer by its id.
    async fn get_balancer(&self, balancer_id: &str) -> Result<LoadBalancer> {
        self.get_balancer_with(balancer_id, Options::new()).await
    }

    /// Destroys a balancer, for good. Its members stay.
    async fn destroy_balancer(&self, balancer: &LoadBalancer) -> Result<()> {
        self.destroy_balancer_with(balancer, Options::new()).await
    }

    /// Lets a node get requests, at the balancer's port.
    async fn balancer_attach_compute_node(&self, balancer: &LoadBalancer, node: &Node) -> Result<Member> {
        self.balancer_attach_compute_node_with(balancer, node, Options::new()).await
    }

    /// Lets a member get requests; gives it as the provider then knows it.
    async fn balancer_attach_member(&self, balancer: &LoadBalancer, member: &Member) -> Result<Member> {
        self.balancer_attach_member_with(balancer, member, Options::new()).await
    }

    /// Takes a member out: it gets no more requests.
    async fn balancer_detach_member(&self, balancer: &LoadBalancer, member: &Member) -> Result<()> {
        self.balancer_detach_member_with(balancer, member, Options::new()).await
    }

    /// The members of a balancer.
    async fn balancer_list_members(&self, balancer: &LoadBalancer) -> Result<Vec<Member>> {
        self.balancer_list_members_with(balancer, Options::new()).await
    }
}

impl<D: LoadBalancerDriver + ?Sized> LoadBalancerDriverExt for D {}
