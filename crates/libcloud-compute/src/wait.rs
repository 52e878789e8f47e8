//! Waiting for new nodes.

use std::net::IpAddr;

use futures_util::TryStreamExt as _;
use libcloud_common::{Error, ErrorKind, Options, Poller, Progress, Result};

use crate::driver::ComputeDriver;
use crate::options::{SshInterface, WaitUntilRunning};
use crate::resources::Node;
use crate::types::NodeState;

/// One listing a look, however many nodes are waited for.
pub(crate) async fn wait_until_running<D: ComputeDriver + ?Sized>(
    driver: &D,
    nodes: &[Node],
    options: WaitUntilRunning,
) -> Result<Vec<(Node, Vec<String>)>> {
    let ids: Vec<&str> = nodes.iter().map(|node| node.id.as_str()).collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let name = format!("node {}", ids.join(", "));
    let poller = Poller::new(driver.clock(), name).timeout(options.timeout);
    let look = async |left| {
        let listed: Vec<Node> = driver
            .iterate_nodes_with(Options::new().timeout(left))
            .try_filter(|node| std::future::ready(ids.contains(&node.id.as_str())))
            .try_collect()
            .await?;
        let mut ready = Vec::with_capacity(ids.len());
        for id in &ids {
            // A provider may list a new node only after some seconds.
            let Some(node) = listed.iter().find(|node| node.id == *id) else {
                continue;
            };
            if matches!(node.state, NodeState::Error | NodeState::Terminated) {
                return Ok(Progress::Failed(
                    Error::new(
                        ErrorKind::InvalidState,
                        format!("node `{id}` is {} and will not run any more", node.state),
                    )
                    .with_resource("node", *id),
                ));
            }
            let addresses = addresses(node, options);
            if node.state == NodeState::Running && !addresses.is_empty() {
                ready.push((node.clone(), addresses));
            }
        }
        if ready.len() == ids.len() {
            Ok(Progress::Done(ready))
        } else {
            Ok(Progress::Pending(Some(options.wait_period)))
        }
    };
    poller.run(look).await
}

fn addresses(node: &Node, options: WaitUntilRunning) -> Vec<String> {
    let all = match options.ssh_interface {
        SshInterface::PublicIps => &node.public_ips,
        SshInterface::PrivateIps => &node.private_ips,
    };
    let is_v6 = |address: &str| matches!(address.parse(), Ok(IpAddr::V6(_)));
    all.iter().filter(|address| !(options.force_ipv4 && is_v6(address))).cloned().collect()
}
