//! Networks: of the network service (Neutron) where the cloud has one, else of the compute service.

use libcloud_common::{Call, Extra, ExtraFields, Page, Result, extensions, pages, resource};
use serde::{Deserialize, Serialize};

use super::OpenStackNodeDriver;
use crate::connection::{NETWORK, marker};
use crate::wire;

/// A network that nodes can be in.
///
/// <https://docs.openstack.org/api-ref/network/v2/#networks>
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct OpenStackNetwork {
    /// The id.
    pub id: String,
    /// The name.
    #[serde(default)]
    pub name: String,
    /// Its addresses, where the compute service tells; the network service tells the subnets in `extra`.
    #[serde(default)]
    pub cidr: Option<String>,
    /// What only OpenStack tells: [`NetworkExtra`].
    #[serde(default)]
    pub extra: Extra,
}

impl OpenStackNetwork {
    /// A network of which only the id is known.
    pub fn from_id(id: impl Into<String>) -> Self {
        Self { id: id.into(), name: String::new(), cidr: None, extra: Extra::new() }
    }
}

resource!(OpenStackNetwork, "network");

/// What the network service tells about a network.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct NetworkExtra {
    /// `ACTIVE`, `DOWN`, `BUILD` or `ERROR`.
    pub status: Option<String>,
    /// Whether it leads out of the cloud.
    pub external: Option<bool>,
    /// The ids of its subnets.
    pub subnets: Vec<String>,
}

impl ExtraFields for NetworkExtra {}

#[extensions(NETWORKS)]
impl OpenStackNodeDriver {
    /// The networks that the project may use. <https://docs.openstack.org/api-ref/network/v2/#list-networks>
    pub async fn ex_list_networks(&self) -> Result<Vec<OpenStackNetwork>> {
        let driver = self.clone();
        let listing = pages(None, move |from: Option<String>| {
            let driver = driver.clone();
            async move {
                let page: wire::Networks =
                    driver.list_networks().await?.query_opt("marker", from).json_answer().await?;
                let next = marker(wire::next(&page.networks_links)).map(Some);
                Ok(Page::new(page.networks.into_iter().map(network).collect(), next))
            }
        });
        futures_util::TryStreamExt::try_collect(listing).await
    }
}

impl OpenStackNodeDriver {
    async fn list_networks(&self) -> Result<Call> {
        if self.cloud.has(NETWORK).await? {
            Ok(self.networks.get("ListNetworks", ["networks"]))
        } else {
            Ok(self.conn.get("ListNetworks", [self.cloud.dialect().networks]))
        }
    }
}

fn network(found: wire::Network) -> OpenStackNetwork {
    let extra =
        Extra::of(NetworkExtra { status: found.status, external: found.external, subnets: found.subnets });
    OpenStackNetwork { id: found.id, name: found.name.unwrap_or_default(), cidr: found.cidr, extra }
}
