//! Instances: what the base API calls nodes.

use std::collections::BTreeMap;

use libcloud_common::xml::Element;
use libcloud_common::{
    Error, Extra, ExtraFields, Map, Options, Result, Timestamp, Value, arguments, encode, extensions,
};
use libcloud_compute::{ComputeDriver as _, Node, NodeSize, NodeState};
use serde::{Deserialize, Serialize};

use super::arguments::one_or_more;
use super::interfaces::{NetworkInterface, network_interface};
use super::{Ec2Driver, Filters, wire};
use crate::connection::Action;

/// What only EC2 tells about a node.
///
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Instance.html>
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct NodeExtra {
    /// The public DNS name.
    pub dns_name: Option<String>,
    /// The private DNS name.
    pub private_dns: Option<String>,
    /// The instance's id, the node's id too.
    #[serde(rename = "instanceId")]
    pub instance_id: Option<String>,
    /// The image it was made from.
    #[serde(rename = "imageId")]
    pub image_id: Option<String>,
    /// The state in EC2's own word.
    pub status: Option<String>,
    /// The key pair that gets in.
    #[serde(rename = "keyname")]
    pub key_name: Option<String>,
    /// The place among the instances of one call, from 0.
    #[serde(rename = "launchindex")]
    pub launch_index: Option<String>,
    /// What it is billed for beside itself.
    #[serde(rename = "productcode")]
    pub product_codes: Vec<String>,
    /// The size's id.
    #[serde(rename = "instancetype")]
    pub instance_type: Option<String>,
    /// When it was last started.
    #[serde(rename = "launchdatetime")]
    pub launch_time: Option<Timestamp>,
    /// The zone.
    pub availability: Option<String>,
    /// The kernel, of a paravirtual one.
    #[serde(rename = "kernelid")]
    pub kernel_id: Option<String>,
    /// The RAM disk, of a paravirtual one.
    #[serde(rename = "ramdiskid")]
    pub ramdisk_id: Option<String>,
    /// The token of the call that made it.
    #[serde(rename = "clienttoken")]
    pub client_token: Option<String>,
    /// The names of its security groups.
    pub groups: Vec<String>,
    /// The ids of its security groups.
    pub group_ids: Vec<String>,
    /// Its tags; `Name` is the node's name.
    pub tags: BTreeMap<String, String>,
    /// The id of its instance profile.
    pub iam_profile: Option<String>,
    /// The ARN of its instance profile, which has the profile's name.
    pub iam_profile_arn: Option<String>,
    /// `x86_64`, `arm64` …
    pub architecture: Option<String>,
    /// The hypervisor.
    pub hypervisor: Option<String>,
    /// `spot` or `scheduled`.
    pub instance_lifecycle: Option<String>,
    /// `default`, `dedicated` or `host`.
    pub instance_tenancy: Option<String>,
    /// Whether detailed monitoring is on: `enabled`, `disabled` …
    pub monitoring: Option<String>,
    /// `windows`, or nothing.
    pub platform: Option<String>,
    /// Why it is in its state.
    pub reason: Option<String>,
    /// `ebs` or `instance-store`.
    pub root_device_type: Option<String>,
    /// The name of the device it boots from.
    pub root_device_name: Option<String>,
    /// Whether it may only send and receive for itself.
    pub source_dest_check: Option<bool>,
    /// The subnet.
    pub subnet_id: Option<String>,
    /// The virtual private cloud.
    pub vpc_id: Option<String>,
    /// `hvm` or `paravirtual`.
    pub virtualization_type: Option<String>,
    /// Whether it has a network of its own to its volumes.
    pub ebs_optimized: Option<bool>,
    /// Its volumes.
    pub block_device_mapping: Vec<BlockDevice>,
    /// Its network interfaces.
    pub network_interfaces: Vec<NetworkInterface>,
}

impl ExtraFields for NodeExtra {}

/// A volume as its node names it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct BlockDevice {
    /// What the node calls it.
    pub device_name: String,
    /// The volume.
    pub volume_id: Option<String>,
    /// `attaching`, `attached`, `detaching` or `detached`.
    pub status: Option<String>,
    /// When it was attached.
    pub attach_time: Option<Timestamp>,
    /// Whether it is destroyed with the node.
    pub delete: Option<bool>,
}

/// What a node has written to its console.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ConsoleOutput {
    /// The node.
    pub instance_id: String,
    /// When it was last written to.
    pub timestamp: Option<Timestamp>,
    /// The last 64 KiB of it; bytes that are no UTF-8 are replaced.
    pub output: Option<String>,
}

/// Extension arguments of `list_nodes`.
#[arguments(drivers = ["ec2"])]
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Ec2ListNodes {
    /// Only these nodes.
    #[serde(deserialize_with = "one_or_more")]
    pub ex_node_ids: Vec<String>,
    /// Only the nodes that all of these filters let through:
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstances.html>
    pub ex_filters: Filters,
}

impl Ec2Driver {
    pub(super) fn describe_instances(&self, options: Options) -> Result<Action> {
        let ex: Ec2ListNodes = options.ex.decode("list_nodes")?;
        // A page size and ids exclude each other.
        let page = self.page_size().filter(|_| ex.ex_node_ids.is_empty());
        Ok(self
            .conn
            .action("DescribeInstances")
            .list("InstanceId", ex.ex_node_ids)
            .filters(ex.ex_filters.0)
            .opt("MaxResults", page)
            .timeout(options.timeout))
    }
}

#[extensions(INSTANCES)]
impl Ec2Driver {
    /// Starts a stopped node; the same as `start_node`.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_StartInstances.html>
    pub async fn ex_start_node(&self, node: &Node) -> Result<()> {
        self.start_node_with(node, Options::new()).await
    }

    /// Stops a node; the same as `stop_node`.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_StopInstances.html>
    pub async fn ex_stop_node(&self, node: &Node) -> Result<()> {
        self.stop_node_with(node, Options::new()).await
    }

    /// What a node has written to its console.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_GetConsoleOutput.html>
    pub async fn ex_get_console_output(&self, node: &Node) -> Result<ConsoleOutput> {
        self.conn
            .action("GetConsoleOutput")
            .param("InstanceId", &node.id)
            .read(|root| {
                let output = root.child("output").filter(|output| !output.text().is_empty());
                let decode = |output: Element<'_, '_>| {
                    encode::decode_base64(&output.text()).map_err(|error| output.malformed(error.message()))
                };
                let output = output.map(decode).transpose()?;
                Ok(ConsoleOutput {
                    instance_id: root.need_text("instanceId")?,
                    timestamp: root.parse("timestamp")?,
                    output: output.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
                })
            })
            .await
    }

    /// Changes attributes of a node, under EC2's names: `{"InstanceInitiatedShutdownBehavior.Value": "stop"}`. Those of the
    /// size and the user data need it to be stopped.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyInstanceAttribute.html>
    pub async fn ex_modify_instance_attribute(
        &self,
        node: &Node,
        attributes: &Map<String, Value>,
    ) -> Result<()> {
        self.conn
            .action("ModifyInstanceAttribute")
            .fields(attributes)
            .param("InstanceId", &node.id)
            .done()
            .await
    }

    /// Gives a stopped node another size.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyInstanceAttribute.html>
    ///
    /// # Errors
    /// `InvalidArgument` if the node is known to have that size already.
    pub async fn ex_change_node_size(&self, node: &Node, new_size: &NodeSize) -> Result<()> {
        let current = node.extra.get("instancetype").and_then(Value::as_str);
        if current == Some(new_size.id.as_str()) {
            return Err(Error::invalid_argument(format!("the node has the size {} already", new_size.id))
                .with_resource("argument", "new_size"));
        }
        self.conn
            .action("ModifyInstanceAttribute")
            .param("InstanceType.Value", &new_size.id)
            .param("InstanceId", &node.id)
            .done()
            .await
    }
}

/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-instance-lifecycle.html>
fn state(name: &str) -> NodeState {
    match name {
        "pending" => NodeState::Pending,
        "running" => NodeState::Running,
        "stopping" => NodeState::Stopping,
        "stopped" => NodeState::Stopped,
        "terminated" => NodeState::Terminated,
        // `shutting-down` too, as in Apache Libcloud: on its way to `terminated`, unlike `stopping`.
        other => NodeState::Unknown(other.to_owned()),
    }
}

/// The answer of `DescribeInstances`.
pub(super) fn reservations(root: Element<'_, '_>) -> Result<Vec<Node>> {
    let mut nodes = Vec::new();
    for reservation in root.items("reservationSet", "item") {
        nodes.extend(instances(reservation)?);
    }
    Ok(nodes)
}

/// One reservation, which is also the answer of `RunInstances`.
pub(super) fn instances(reservation: Element<'_, '_>) -> Result<Vec<Node>> {
    wire::items(reservation, "instancesSet", |item| {
        // Outside a VPC the groups belong to the reservation.
        let has_groups = item.items("groupSet", "item").next().is_some();
        node(item, if has_groups { item } else { reservation })
    })
}

fn node(item: Element<'_, '_>, groups: Element<'_, '_>) -> Result<Node> {
    let (instance_id, status) = (item.need_text("instanceId")?, item.need_text("instanceState/name")?);
    let tags = wire::tags(item)?;
    let launch_time = item.parse("launchTime")?;
    let mut node = Node::new(&instance_id, wire::name(&tags, &instance_id), state(&status));
    (node.public_ips, node.private_ips) = addresses(item);
    node.created_at = launch_time;
    node.extra = Extra::of(NodeExtra {
        dns_name: item.opt_text("dnsName"),
        private_dns: item.opt_text("privateDnsName"),
        instance_id: Some(instance_id),
        image_id: item.opt_text("imageId"),
        status: Some(status),
        key_name: item.opt_text("keyName"),
        launch_index: item.opt_text("amiLaunchIndex"),
        product_codes: wire::texts(item, "productCodes", "productCode"),
        instance_type: item.opt_text("instanceType"),
        launch_time,
        availability: item.opt_text("placement/availabilityZone"),
        kernel_id: item.opt_text("kernelId"),
        ramdisk_id: item.opt_text("ramdiskId"),
        client_token: item.opt_text("clientToken"),
        groups: wire::texts(groups, "groupSet", "groupName"),
        group_ids: wire::texts(groups, "groupSet", "groupId"),
        tags,
        iam_profile: item.opt_text("iamInstanceProfile/id"),
        iam_profile_arn: item.opt_text("iamInstanceProfile/arn"),
        architecture: item.opt_text("architecture"),
        hypervisor: item.opt_text("hypervisor"),
        instance_lifecycle: item.opt_text("instanceLifecycle"),
        instance_tenancy: item.opt_text("placement/tenancy"),
        monitoring: item.opt_text("monitoring/state"),
        platform: item.opt_text("platform"),
        reason: item.opt_text("reason"),
        root_device_type: item.opt_text("rootDeviceType"),
        root_device_name: item.opt_text("rootDeviceName"),
        source_dest_check: item.bool("sourceDestCheck")?,
        subnet_id: item.opt_text("subnetId"),
        vpc_id: item.opt_text("vpcId"),
        virtualization_type: item.opt_text("virtualizationType"),
        ebs_optimized: item.bool("ebsOptimized")?,
        block_device_mapping: wire::items(item, "blockDeviceMapping", block_device)?,
        network_interfaces: wire::items(item, "networkInterfaceSet", network_interface)?,
    });
    Ok(node)
}

/// The public and the private addresses of an instance.
fn addresses(item: Element<'_, '_>) -> (Vec<String>, Vec<String>) {
    let (mut public, mut private) = (Vec::new(), Vec::new());
    let add = |addresses: &mut Vec<String>, address: Option<String>| {
        addresses.extend(address.filter(|address| !addresses.contains(address)));
    };
    add(&mut public, item.opt_text("ipAddress"));
    add(&mut private, item.opt_text("privateIpAddress"));
    // Where there are several interfaces or addresses, the fields above have only the first.
    for interface in item.items("networkInterfaceSet", "item") {
        for address in interface.items("privateIpAddressesSet", "item") {
            add(&mut public, address.opt_text("association/publicIp"));
            add(&mut private, address.opt_text("privateIpAddress"));
        }
    }
    (public, private)
}

fn block_device(item: Element<'_, '_>) -> Result<BlockDevice> {
    Ok(BlockDevice {
        device_name: item.need_text("deviceName")?,
        volume_id: item.opt_text("ebs/volumeId"),
        status: item.opt_text("ebs/status"),
        attach_time: item.parse("ebs/attachTime")?,
        delete: item.bool("ebs/deleteOnTermination")?,
    })
}
