//! Resources with their driver: `balancer.list_members()` in place of `driver.balancer_list_members(&balancer)`.

use libcloud_common::{Result, handle};
use libcloud_compute::Node;

use crate::driver::LoadBalancerDriver;
use crate::ext::LoadBalancerDriverExt as _;
use crate::options::UpdateBalancer;
use crate::resources::{LoadBalancer, Member};

handle! {
    /// A balancer with its driver.
    LoadBalancerHandle(LoadBalancer), dyn LoadBalancerDriver, balancer
}

impl LoadBalancerHandle {
    /// Lets a node get requests, at the balancer's port.
    pub async fn attach_compute_node(&self, node: &Node) -> Result<Member> {
        self.driver.balancer_attach_compute_node(self, node).await
    }

    /// Lets a member get requests; gives it as the provider then knows it.
    pub async fn attach_member(&self, member: &Member) -> Result<Member> {
        self.driver.balancer_attach_member(self, member).await
    }

    /// Takes a member out: it gets no more requests.
    pub async fn detach_member(&self, member: &Member) -> Result<()> {
        self.driver.balancer_detach_member(self, member).await
    }

    /// Its members.
    pub async fn list_members(&self) -> Result<Vec<Member>> {
        self.driver.balancer_list_members(self).await
    }

    /// Changes what is given, and takes over what the provider then says.
    pub async fn update(&mut self, options: UpdateBalancer) -> Result<()> {
        self.resource = self.driver.update_balancer_with(&self.resource, options).await?;
        Ok(())
    }

    /// Destroys it, for good. Its members stay.
    pub async fn destroy(&self) -> Result<()> {
        self.driver.destroy_balancer(self).await
    }
}
