//! Network interfaces and their addresses.

use std::time::Duration;

use futures_util::TryStreamExt as _;
use libcloud_common::{Extra, Result, extensions, resource};
use libcloud_compute::Node;
use serde::{Deserialize, Serialize};

use super::GandiDriver;
use crate::connection::listing;
use crate::wire;

/// A network interface.
///
/// <http://doc.rpc.gandi.net/hosting/reference.html>
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Interface {
    /// Its id.
    pub id: String,
    /// The state in Gandi's own word.
    pub state: String,
    /// The node that it is attached to.
    pub node_id: Option<String>,
    /// Its addresses.
    pub ips: Vec<IpAddress>,
    /// `bandwidth` in kbit/s.
    pub extra: Extra,
}

impl Interface {
    /// An interface of which only the id is known.
    pub fn from_id(id: impl Into<String>) -> Self {
        Self { id: id.into(), ..Self::default() }
    }
}

resource!(Interface, "interface");

/// An address of an interface.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct IpAddress {
    /// Its id.
    pub id: String,
    /// The state in Gandi's own word.
    pub state: String,
    /// The address.
    pub inet: String,
    /// 4 or 6.
    pub version: Option<i64>,
    /// `reverse`: the name that the address has.
    pub extra: Extra,
}

#[extensions(INTERFACES)]
impl GandiDriver {
    /// The network interfaces with their addresses.
    /// <http://doc.rpc.gandi.net/hosting/reference.html>
    pub async fn ex_list_interfaces(&self) -> Result<Vec<Interface>> {
        let method = self.conn.method("hosting.iface.list");
        let found: Vec<wire::Iface> = listing(Ok(method), None, Ok).try_collect().await?;
        let ips = self.ips(None).await?;
        Ok(found.into_iter().map(|iface| interface(iface, &ips)).collect())
    }

    /// Attaches a network interface to a node.
    /// <http://doc.rpc.gandi.net/hosting/reference.html>
    pub async fn ex_node_attach_interface(&self, node: &Node, iface: &Interface) -> Result<()> {
        self.with_interface("hosting.vm.iface_attach", node, iface, None).await
    }

    /// Detaches a network interface from a node.
    /// <http://doc.rpc.gandi.net/hosting/reference.html>
    pub async fn ex_node_detach_interface(&self, node: &Node, iface: &Interface) -> Result<()> {
        self.with_interface("hosting.vm.iface_detach", node, iface, None).await
    }
}

impl GandiDriver {
    async fn with_interface(
        &self,
        method: &'static str,
        node: &Node,
        iface: &Interface,
        timeout: Option<Duration>,
    ) -> Result<()> {
        let method = self.conn.method(method).id(&node.id)?.id(&iface.id)?;
        method.timeout(timeout).done().await.map(drop)
    }
}

fn interface(found: wire::Iface, ips: &[wire::Ip]) -> Interface {
    let mine = ips.iter().filter(|ip| ip.iface_id.is_some_and(|iface| iface.to_string() == found.id));
    let mut extra = Extra::new();
    if let Some(bandwidth) = found.bandwidth {
        extra.insert("bandwidth", bandwidth);
    }
    Interface {
        ips: mine.map(address).collect(),
        id: found.id,
        state: found.state,
        node_id: found.vm_id,
        extra,
    }
}

fn address(found: &wire::Ip) -> IpAddress {
    let mut extra = Extra::new();
    if let Some(reverse) = &found.reverse {
        extra.insert("reverse", reverse.as_str());
    }
    IpAddress {
        id: found.id.to_string(),
        state: found.state.clone(),
        inet: found.ip.clone(),
        version: found.version,
        extra,
    }
}
