//! A driver that wraps another: what is forwarded, what is overridden, and whose arguments are taken.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]
#![allow(clippy::unused_async, clippy::unused_self, reason = "these extensions ask nobody")]

use std::ops::Deref;
use std::sync::Arc;

use async_trait::async_trait;
use libcloud_common::{
    BoxStream, Capabilities, Descriptor, Dispatch, Driver, ErrorKind, Extensions, Method, Options, Result,
    Support, arguments, extensions, json, once,
};
use libcloud_compute::{ComputeDriver, ComputeDriverExt, CreateNode, Node, NodeImage, NodeSize, NodeState};

#[derive(Clone)]
struct Inner;

/// Extension arguments of the inner driver, which the outer one takes too.
#[arguments(drivers = ["inner", "outer"])]
#[derive(Clone, Debug, Default, PartialEq)]
struct InnerCreateNode {
    /// The network.
    #[renamed("ex_net")]
    ex_network: Option<String>,
    /// Open ports.
    ex_ports: Vec<u16>,
}

/// Extension arguments of somebody else.
#[arguments(drivers = ["stranger"])]
#[derive(Clone, Debug, Default)]
struct StrangerCreateNode {
    /// A colour.
    ex_colour: Option<String>,
}

#[extensions(ADDRESSES)]
impl Inner {
    /// Releases an address.
    pub(crate) async fn ex_release(&self, address: &str, force: Option<bool>) -> Result<String> {
        Ok(format!("{address} {force:?}"))
    }

    /// The addresses, as they arrive.
    pub(crate) fn ex_iterate_addresses(&self, nodes: &[Node]) -> BoxStream<'static, Result<String>> {
        let ids = nodes.iter().map(|node| node.id.clone()).collect();
        once(async move { Ok(ids) })
    }
}

impl Extensions for Inner {
    fn tables() -> &'static [&'static [Method<Self>]] {
        &[Self::ADDRESSES]
    }
}

impl Driver for Inner {
    fn descriptor(&self) -> Descriptor {
        Descriptor::new("inner", "Inner", "https://inner.example")
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::new().supports(&["iterate_nodes", "create_node", "reboot_node"])
    }
}

#[async_trait]
impl ComputeDriver for Inner {
    fn iterate_nodes_with(&self, options: Options) -> BoxStream<'static, Result<Node>> {
        once(async move {
            options.plain("list_nodes")?;
            Ok(vec![Node::new("1", "one", NodeState::Running), Node::new("2", "two", NodeState::Stopped)])
        })
    }

    async fn create_node(&self, options: CreateNode) -> Result<Node> {
        let ex: InnerCreateNode = options.ex.decode("create_node")?;
        let mut node = Node::new("3", options.name, NodeState::Pending);
        node.extra.insert("network", ex.ex_network);
        node.extra.insert("ports", ex.ex_ports);
        Ok(node)
    }

    async fn reboot_node_with(&self, _: &Node, options: Options) -> Result<()> {
        options.plain("reboot_node").map(|_| ())
    }
}

struct Outer(Inner);

impl Deref for Outer {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

#[extensions(OWN)]
impl Outer {
    /// Only here.
    pub(crate) async fn ex_own(&self, number: u64) -> Result<u64> {
        Ok(number + 1)
    }
}

impl Extensions for Outer {
    fn tables() -> &'static [&'static [Method<Self>]] {
        &[Self::OWN]
    }

    fn parent(&self) -> Option<&dyn Dispatch> {
        Some(&self.0)
    }
}

impl Driver for Outer {
    fn descriptor(&self) -> Descriptor {
        Descriptor::new("outer", "Outer", "https://outer.example")
    }

    fn capabilities(&self) -> Capabilities {
        self.0.capabilities().cannot("reboot_node", "nobody may", "https://outer.example/reboot")
    }
}

#[async_trait]
impl ComputeDriver for Outer {
    fn inner(&self) -> Option<&dyn ComputeDriver> {
        Some(&self.0)
    }

    async fn reboot_node_with(&self, _: &Node, _: Options) -> Result<()> {
        Err(libcloud_common::Error::not_supported("reboot_node"))
    }
}

fn outer() -> Arc<dyn ComputeDriver> {
    Arc::new(Outer(Inner))
}

fn small() -> CreateNode {
    CreateNode::new("n", &NodeSize::from_id("s"), &NodeImage::from_id("i"))
}

#[tokio::test]
async fn what_is_not_overridden_is_forwarded() {
    let driver = outer();
    assert_eq!(driver.list_nodes().await.unwrap().len(), 2);
    assert_eq!(driver.reboot_node(&Node::from_id("1")).await.unwrap_err().kind(), ErrorKind::NotSupported);
    assert_eq!(driver.list_volumes().await.unwrap_err().to_string(), "iterate_volumes is not supported");
    assert!(matches!(
        driver.capabilities().of("reboot_node"),
        Support::ProviderCannot { reason: "nobody may", .. }
    ));
    assert_eq!(driver.capabilities().of("list_nodes"), Support::Supported);
    assert_eq!(driver.node(Node::from_id("1")).uuid(), libcloud_compute::uuid("1", "outer"));
}

#[tokio::test]
async fn extensions_of_both_are_there_typed_and_by_name() {
    let driver = outer();
    assert_eq!(driver.call("ex_own", json!({"number": 1})).await.unwrap(), 2);
    assert_eq!(
        driver.call("ex_release", json!({"address": "a", "force": true})).await.unwrap(),
        "a Some(true)"
    );
    let listed = driver.call("ex_iterate_addresses", json!({"nodes": ["1", {"id": "2"}]})).await.unwrap();
    assert_eq!(listed, json!(["1", "2"]));

    let typed = driver.downcast_ref::<Outer>().unwrap();
    assert_eq!(typed.ex_release("a", None).await.unwrap(), "a None");
    assert!(driver.downcast_ref::<Inner>().is_none());

    let known: Vec<_> =
        driver.methods().into_iter().filter(|method| method.name.starts_with("ex_")).collect();
    assert_eq!(
        known.iter().map(|method| method.name).collect::<Vec<_>>(),
        ["ex_iterate_addresses", "ex_own", "ex_release"]
    );
    assert_eq!(known[2].doc, "Releases an address.");
    let arguments: Vec<_> = known[2].args.iter().map(|arg| (arg.name, arg.ty, arg.required)).collect();
    assert_eq!(arguments, [("address", "string", true), ("force", "boolean", false)]);
}

#[tokio::test]
async fn extension_arguments_are_decoded_in_one_place() {
    let driver = outer();
    let typed = InnerCreateNode { ex_network: Some("lan".into()), ex_ports: vec![80] };
    let by_type = driver.create_node(small().ex(&typed)).await.unwrap();
    let by_name =
        driver.create_node(small().ex_arg("ex_net", "lan").ex_arg("ex_ports", vec![80])).await.unwrap();
    let by_json = json!({"name": "n", "size": "s", "image": "i", "ex_network": "lan", "ex_ports": [80]});
    let by_json = driver.call("create_node", by_json).await.unwrap();
    assert_eq!(by_type, by_name);
    assert_eq!(serde_json::to_value(&by_type).unwrap(), by_json);

    for (options, problem) in [
        (
            small().ex(&StrangerCreateNode { ex_colour: Some("red".into()) }),
            "create_node: these extension arguments are for the driver `stranger`, this is `inner`",
        ),
        (
            small().ex_arg("ex_colour", "red"),
            "create_node has no argument `ex_colour`; it takes `ex_network`, `ex_ports`",
        ),
        (
            small().ex_arg("ex_net", "a").ex_arg("ex_network", "b"),
            "create_node: `ex_net` is the old name of `ex_network`; give one of them",
        ),
        (
            small().ex_arg("ex_ports", vec![80, 70_000]),
            "create_node: `ex_ports[1]` (list of integer): invalid value: integer `70000`, expected u16",
        ),
    ] {
        let error = driver.create_node(options).await.unwrap_err();
        assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::InvalidArgument, problem));
    }
    let refused = driver.list_nodes_with(Options::new().ex_arg("ex_filter", 1)).await.unwrap_err();
    assert_eq!(refused.to_string(), "list_nodes has no argument `ex_filter`; it takes no arguments");
}

#[tokio::test]
async fn a_listing_outlives_the_driver_and_moves_between_tasks() {
    let listing = { outer().iterate_nodes() };
    let count = tokio::spawn(async move { futures_util::StreamExt::count(listing).await });
    assert_eq!(count.await.unwrap(), 2);
}
