//! Virtual machines: what the base API calls nodes.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use libcloud_common::xmlrpc::Value;
use libcloud_common::{
    BoxStream, Driver as _, Error, Extra, ExtraFields, Result, Secret, arguments, once, serialize_exposed,
};
use libcloud_compute::{CreateNode, Node, NodeAuth, NodeState};
use serde::{Deserialize, Serialize};

use super::{DESCRIPTOR, GandiDriver, datacenter, sizes};
use crate::connection::{listing, number};
use crate::wire;

/// What only Gandi tells about a node.
///
/// <http://doc.rpc.gandi.net/hosting/reference.html>
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct NodeExtra {
    /// Whether Gandi's agent runs on it.
    pub ai_active: Option<i64>,
    /// The data centre that it is in.
    pub datacenter_id: Option<i64>,
    /// A sentence about it.
    pub description: Option<String>,
    /// The state in Gandi's own word.
    pub status: Option<String>,
    /// The number of processors.
    pub cores: Option<i64>,
    /// Memory in MB.
    pub memory: Option<i64>,
    /// The password that was made up for it: only in the answer that made the node.
    #[serde(serialize_with = "serialize_exposed")]
    pub password: Option<Secret>,
}

impl ExtraFields for NodeExtra {}

/// Extension arguments of `create_node`.
///
/// <http://doc.rpc.gandi.net/hosting/reference.html>
#[arguments(drivers = ["gandi"])]
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct GandiCreateNode {
    /// The user that has the password (`admin`).
    pub ex_login: Option<String>,
    /// The version of IP of its address: 4 with both (the default), or 6.
    pub ex_inet_family: Option<u32>,
    /// Ids of key pairs that get in. With them no password is made up.
    pub ex_keypairs: Vec<String>,
}

impl GandiDriver {
    pub(super) fn list_vms(&self, timeout: Result<Option<Duration>>) -> BoxStream<'static, Result<Node>> {
        let timeout = match timeout {
            Ok(timeout) => timeout,
            Err(error) => return once(std::future::ready(Err(error))),
        };
        let method = self.conn.method("hosting.vm.list").timeout(timeout);
        let driver = self.clone();
        let ips = async move { driver.ips(timeout).await.map(Arc::new) };
        let nodes = move |ips: Arc<Vec<wire::Ip>>| {
            listing(Ok(method.clone()), None, move |vm: wire::Vm| {
                let mine = |ip: &&wire::Ip| ip.iface_id.is_some_and(|iface| vm.ifaces_id.contains(&iface));
                let ips = ips.iter().filter(mine).map(|ip| ip.ip.clone()).collect();
                Ok(node(vm, ips))
            })
        };
        stream::once(ips).map_ok(nodes).try_flatten().boxed()
    }

    pub(super) async fn ips(&self, timeout: Option<Duration>) -> Result<Vec<wire::Ip>> {
        listing(Ok(self.conn.method("hosting.ip.list").timeout(timeout)), None, Ok).try_collect().await
    }

    pub(super) async fn vm_info(&self, id: &str, timeout: Option<Duration>) -> Result<Node> {
        let vm: wire::Vm = self.conn.method("hosting.vm.info").id(id)?.timeout(timeout).read().await?;
        let ips = vm.ifaces.iter().flat_map(|iface| &iface.ips).map(|ip| ip.ip.clone()).collect();
        Ok(node(vm, ips))
    }

    pub(super) async fn create_vm(&self, options: CreateNode) -> Result<Node> {
        const METHOD: &str = "hosting.vm.create_from";
        let ex: GandiCreateNode = options.ex.decode("create_node")?;
        let place = datacenter(options.location, "create_node")?;
        let size = sizes::spec(&options.size)?;
        let keys = ex.ex_keypairs.iter().map(|id| number(id).map(Value::from)).collect::<Result<Vec<_>>>()?;
        let auth = match options.auth {
            None if !keys.is_empty() => None,
            auth => NodeAuth::resolve(auth, &self.capabilities())?,
        };
        let mut vm = vec![
            ("datacenter_id", place.clone()),
            ("hostname", options.name.as_str().into()),
            ("memory", amount(size.memory)),
            ("cores", amount(size.cores)),
            ("bandwidth", amount(size.bandwidth)),
            ("ip_version", ex.ex_inet_family.unwrap_or(4).into()),
        ];
        if !keys.is_empty() {
            vm.push(("keys", keys.into()));
        }
        let mut made_up = None;
        if let Some(NodeAuth::Password(password)) = auth {
            vm.push(("login", ex.ex_login.unwrap_or_else(|| "admin".to_owned()).into()));
            vm.push(("password", password.password.clone().into()));
            made_up = password.generated.then_some(password.password);
        }
        let disk = [("datacenter_id", place), ("name", format!("disk_{}", options.name).into())];
        let operations: Vec<wire::Operation> = self
            .conn
            .method(METHOD)
            .param(Value::members(vm))
            .param(Value::members(disk))
            .id(&options.image.id)?
            .timeout(options.timeout)
            .read()
            .await?;
        let made = operations.iter().find_map(|operation| {
            (operation.kind == "vm_create").then_some((operation, operation.vm_id.as_deref()?))
        });
        let Some((operation, id)) = made else {
            return Err(Error::malformed("/", "none of the operations is `vm_create` with a `vm_id`")
                .in_operation(DESCRIPTOR.id, METHOD));
        };
        self.conn.wait(METHOD, operation, options.timeout).await?;
        let mut node = self.vm_info(id, options.timeout).await?;
        if let Some(password) = made_up {
            node.extra.insert("password", password.expose());
        }
        Ok(node)
    }

    pub(super) async fn delete_vm(&self, id: &str, timeout: Option<Duration>) -> Result<()> {
        let node = self.vm_info(id, timeout).await?;
        if node.state == NodeState::Running {
            self.conn.method("hosting.vm.stop").id(id)?.timeout(timeout).done().await?;
        }
        self.conn.method("hosting.vm.delete").id(id)?.timeout(timeout).done().await.map(drop)
    }
}

fn amount(number: u64) -> Value {
    Value::Integer(i64::try_from(number).unwrap_or(i64::MAX))
}

/// What is stopped can be started, so it is not terminated.
fn state(name: &str) -> NodeState {
    match name {
        "running" => NodeState::Running,
        "halted" => NodeState::Stopped,
        "paused" => NodeState::Paused,
        "locked" | "legally_locked" => NodeState::Suspended,
        "being_created" => NodeState::Pending,
        "deleted" => NodeState::Terminated,
        "invalid" => NodeState::Error,
        other => NodeState::Unknown(other.to_owned()),
    }
}

fn node(vm: wire::Vm, ips: Vec<String>) -> Node {
    let mut node = Node::new(vm.id, vm.hostname, state(&vm.state)).with_ips(ips, Vec::new());
    node.created_at = vm.date_created.as_deref().and_then(|created| created.parse().ok());
    node.extra = Extra::of(NodeExtra {
        ai_active: vm.ai_active,
        datacenter_id: vm.datacenter_id,
        description: vm.description,
        status: Some(vm.state),
        cores: vm.cores,
        memory: vm.memory,
        password: None,
    });
    node
}
