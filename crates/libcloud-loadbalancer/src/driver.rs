//! What a load balancing provider can do.

use async_trait::async_trait;
use libcloud_common::{
    BoxStream, Driver, Options, Result, calls_by_name, extensions, forward, forward_stream,
};
use libcloud_compute::Node;

use crate::ext::LOADBALANCER_EXT_METHODS;
use crate::options::{CreateBalancer, UpdateBalancer};
use crate::resources::{LoadBalancer, Member};
use crate::types::Algorithm;

/// A driver of one provider of load balancers. One value serves any number of tasks.
///
/// Each method is one operation of the provider. A method whose further arguments are all optional ends in `_with`;
/// [`LoadBalancerDriverExt`](crate::LoadBalancerDriverExt) has its short form (`destroy_balancer(&balancer)`) and what
/// follows from these methods (`list_balancers`). A method that a driver does not have answers `NotSupported`, as its
/// capabilities say.
#[extensions(LOADBALANCER_METHODS)]
#[async_trait]
pub trait LoadBalancerDriver: Driver {
    /// The driver that this one wraps: what it does not override is forwarded there.
    #[by_name(skip)]
    fn inner(&self) -> Option<&dyn LoadBalancerDriver> {
        None
    }

    /// The protocols that a balancer can speak: `http`, `tcp` …
    async fn list_protocols_with(&self, options: Options) -> Result<Vec<String>> {
        forward!(self.list_protocols_with(options))
    }

    /// How the provider can share out requests. Nothing is asked of it.
    fn list_supported_algorithms(&self) -> Vec<Algorithm> {
        self.inner().map(LoadBalancerDriver::list_supported_algorithms).unwrap_or_default()
    }

    /// The balancers, as they arrive.
    fn iterate_balancers_with(&self, options: Options) -> BoxStream<'static, Result<LoadBalancer>> {
        forward_stream!(self.iterate_balancers_with(options))
    }

    /// One balancer by its id.
    async fn get_balancer_with(&self, balancer_id: &str, options: Options) -> Result<LoadBalancer> {
        forward!(self.get_balancer_with(balancer_id, options))
    }

    /// Makes a balancer. It may not take requests yet.
    async fn create_balancer(&self, options: CreateBalancer) -> Result<LoadBalancer> {
        forward!(self.create_balancer(options))
    }

    /// Destroys a balancer, for good. Its members stay.
    async fn destroy_balancer_with(&self, balancer: &LoadBalancer, options: Options) -> Result<()> {
        forward!(self.destroy_balancer_with(balancer, options))
    }

    /// Changes what is given of a balancer; gives it as it is then.
    async fn update_balancer_with(
        &self,
        balancer: &LoadBalancer,
        options: UpdateBalancer,
    ) -> Result<LoadBalancer> {
        forward!(self.update_balancer_with(balancer, options))
    }

    /// Lets a node get requests: attaches [`Member::of_node`] at the balancer's port. The options are those of
    /// [`balancer_attach_member_with`](Self::balancer_attach_member_with).
    async fn balancer_attach_compute_node_with(
        &self,
        balancer: &LoadBalancer,
        node: &Node,
        options: Options,
    ) -> Result<Member> {
        if let Some(inner) = self.inner() {
            return inner.balancer_attach_compute_node_with(balancer, node, options).await;
        }
        let member = Member::of_node(node, balancer.port);
        self.balancer_attach_member_with(balancer, &member, options).await
    }

    /// Lets a member get requests; gives it as the provider then knows it.
    async fn balancer_attach_member_with(
        &self,
        balancer: &LoadBalancer,
        member: &Member,
        options: Options,
    ) -> Result<Member> {
        forward!(self.balancer_attach_member_with(balancer, member, options))
    }

    /// Takes a member out: it gets no more requests.
    async fn balancer_detach_member_with(
        &self,
        balancer: &LoadBalancer,
        member: &Member,
        options: Options,
    ) -> Result<()> {
        forward!(self.balancer_detach_member_with(balancer, member, options))
    }

    /// The members of a balancer.
    async fn balancer_list_members_with(
        &self,
        balancer: &LoadBalancer,
        options: Options,
    ) -> Result<Vec<Member>> {
        forward!(self.balancer_list_members_with(balancer, options))
    }
}

calls_by_name! { dyn LoadBalancerDriver, &[LOADBALANCER_METHODS, LOADBALANCER_EXT_METHODS] }
