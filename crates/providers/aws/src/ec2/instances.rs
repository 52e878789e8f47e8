//! Instances: what the base API calls nodes.

use std::collections::BTreeMap;

use libcloud_common::xml::Element;
use libcloud_common::{
    Driver as _, Error, Extra, ExtraFields, Map, Options, Result, Timestamp, Value, arguments, encode,
    extensions, unique_token,
};
use libcloud_compute::{ComputeDriver as _, CreateNode, Node, NodeAuth, NodeState};
use serde::{Deserialize, Serialize};

use super::{DESCRIPTOR, Ec2Driver, filters, one_or_more, wire};
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
    #[serde(deserialize_with = "filters")]
    pub ex_filters: BTreeMap<String, Vec<String>>,
}

/// Extension arguments of `create_node`.
///
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RunInstances.html>
#[arguments(drivers = ["ec2"])]
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Ec2CreateNode {
    /// The name of the key pair that gets in.
    pub ex_keyname: Option<String>,
    /// Names of security groups, of the default VPC.
    #[renamed("ex_securitygroup")]
    #[serde(deserialize_with = "one_or_more")]
    pub ex_security_groups: Vec<String>,
    /// Ids of security groups.
    #[serde(deserialize_with = "one_or_more")]
    pub ex_security_group_ids: Vec<String>,
    /// What the node finds in its user data: a script, a cloud-init file. Not base64.
    pub ex_userdata: Option<String>,
    /// The token by which EC2 knows a repeated call; one is made up without.
    pub ex_clienttoken: Option<String>,
    /// Make fewer nodes rather than none, but not less than this (1); with `ex_create_nodes`.
    pub ex_mincount: Option<u32>,
    /// Make so many nodes (1); with `ex_create_nodes`.
    pub ex_maxcount: Option<u32>,
    /// The name or ARN of an IAM instance profile.
    pub ex_iamprofile: Option<String>,
    /// Volumes, as EC2 names their fields: `[{"DeviceName": "/dev/sdb", "Ebs": {"VolumeSize": 8}}]`.
    pub ex_blockdevicemappings: Vec<Map<String, Value>>,
    /// The subnet.
    #[renamed("ex_subnet")]
    pub ex_subnet_id: Option<String>,
    /// Tags. The node's name becomes the tag `Name`.
    pub ex_metadata: BTreeMap<String, String>,
}

impl Ec2Driver {
    pub(super) fn describe_instances(&self, options: Options) -> Result<Action> {
        let ex: Ec2ListNodes = options.ex.decode("list_nodes")?;
        // A page size and ids exclude each other.
        let page = ex.ex_node_ids.is_empty().then_some(1000);
        Ok(self
            .conn
            .action("DescribeInstances")
            .list("InstanceId", ex.ex_node_ids)
            .filters(ex.ex_filters)
            .opt("MaxResults", page)
            .timeout(options.timeout))
    }

    pub(super) async fn run_instance(&self, options: CreateNode) -> Result<Node> {
        let ex: Ec2CreateNode = options.ex.clone().decode("create_node")?;
        if (ex.ex_mincount.unwrap_or(1), ex.ex_maxcount.unwrap_or(1)) != (1, 1) {
            return Err(Error::invalid_argument(
                "create_node makes one node and gives it back: for `ex_mincount` and `ex_maxcount` use `ex_create_nodes`",
            )
            .with_resource("argument", "ex_maxcount"));
        }
        let nodes = self.run_instances(options, ex).await?;
        nodes.into_iter().next().ok_or_else(|| {
            Error::malformed("RunInstancesResponse/instancesSet", "it has no instance")
                .in_operation(DESCRIPTOR.id, "RunInstances")
        })
    }

    async fn run_instances(&self, options: CreateNode, ex: Ec2CreateNode) -> Result<Vec<Node>> {
        let key_name = match (NodeAuth::resolve(options.auth, &self.capabilities())?, ex.ex_keyname) {
            (Some(_), Some(_)) => {
                return Err(Error::invalid_argument(
                    "create_node: give either `auth` or `ex_keyname`: an instance has one key pair",
                )
                .with_resource("argument", "ex_keyname"));
            }
            (Some(NodeAuth::SshKey(key)), None) => {
                let key_pair = self.find_or_import_key_pair(&key.pubkey, options.timeout).await?;
                Some(key_pair.name)
            }
            (_, name) => name,
        };
        let (arn, profile) = match ex.ex_iamprofile {
            Some(arn) if arn.starts_with("arn:") => (Some(arn), None),
            name => (None, name),
        };
        let token = ex.ex_clienttoken.map_or_else(unique_token, Ok)?;
        let mut tags = ex.ex_metadata;
        if !options.name.is_empty() {
            tags.insert("Name".to_owned(), options.name);
        }
        let mut action = self
            .conn
            .action("RunInstances")
            .param("ImageId", options.image.id)
            .param("InstanceType", options.size.id)
            .param("MinCount", ex.ex_mincount.unwrap_or(1))
            .param("MaxCount", ex.ex_maxcount.or(ex.ex_mincount).unwrap_or(1))
            .param("ClientToken", token)
            .opt("KeyName", key_name)
            .opt("Placement.AvailabilityZone", options.location.map(|location| location.id))
            .opt("SubnetId", ex.ex_subnet_id)
            .list("SecurityGroup", ex.ex_security_groups)
            .list("SecurityGroupId", ex.ex_security_group_ids)
            .opt("IamInstanceProfile.Arn", arn)
            .opt("IamInstanceProfile.Name", profile)
            .nested("BlockDeviceMapping", &ex.ex_blockdevicemappings.into());
        if !tags.is_empty() {
            action = action
                .param("TagSpecification.1.ResourceType", "instance")
                .tags("TagSpecification.1.Tag", tags.iter().map(|(key, value)| (key, Some(value))));
        }
        if let Some(data) = ex.ex_userdata {
            action = action.secret("UserData", encode::base64(data));
        }
        // The token makes it safe.
        let instances = action.repeatable().timeout(options.timeout).read(wire::instances).await?;
        let tagged = instances.into_iter().map(|mut instance| {
            // Older versions of the API do not repeat them.
            if instance.tags.is_empty() {
                instance.tags.clone_from(&tags);
            }
            node(instance)
        });
        tagged.collect()
    }
}

#[extensions(INSTANCES)]
impl Ec2Driver {
    /// Makes several nodes at once: `create_node` with `ex_mincount` and `ex_maxcount`. All have the same name.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RunInstances.html>
    pub async fn ex_create_nodes(&self, options: CreateNode) -> Result<Vec<Node>> {
        let ex = options.ex.clone().decode("ex_create_nodes")?;
        self.run_instances(options, ex).await
    }

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

pub(super) fn node(instance: wire::Instance) -> Result<Node> {
    let name = instance.tags.get("Name").unwrap_or(&instance.instance_id);
    let mut node = Node::new(&instance.instance_id, name, state(&instance.instance_state));
    node.public_ips = instance.ip_addresses;
    node.private_ips = instance.private_ip_addresses;
    node.created_at = instance.launch_time;
    let (groups, group_ids): (Vec<_>, Vec<_>) =
        instance.groups.into_iter().map(|group| (group.group_name, group.group_id)).unzip();
    node.extra = Extra::of(&NodeExtra {
        dns_name: instance.dns_name,
        private_dns: instance.private_dns_name,
        instance_id: Some(instance.instance_id),
        image_id: instance.image_id,
        status: Some(instance.instance_state),
        key_name: instance.key_name,
        launch_index: instance.ami_launch_index,
        product_codes: instance.product_codes,
        instance_type: instance.instance_type,
        launch_time: instance.launch_time,
        availability: instance.availability_zone,
        kernel_id: instance.kernel_id,
        ramdisk_id: instance.ramdisk_id,
        client_token: instance.client_token,
        groups: groups.into_iter().flatten().collect(),
        group_ids: group_ids.into_iter().flatten().collect(),
        tags: instance.tags,
        iam_profile: instance.iam_instance_profile_id,
        iam_profile_arn: instance.iam_instance_profile_arn,
        architecture: instance.architecture,
        hypervisor: instance.hypervisor,
        instance_lifecycle: instance.instance_lifecycle,
        instance_tenancy: instance.tenancy,
        monitoring: instance.monitoring,
        platform: instance.platform,
        reason: instance.reason,
        root_device_type: instance.root_device_type,
        root_device_name: instance.root_device_name,
        source_dest_check: instance.source_dest_check,
        subnet_id: instance.subnet_id,
        vpc_id: instance.vpc_id,
        virtualization_type: instance.virtualization_type,
        ebs_optimized: instance.ebs_optimized,
        block_device_mapping: instance.block_device_mapping.into_iter().map(block_device).collect(),
    })?;
    Ok(node)
}

fn block_device(device: wire::InstanceBlockDevice) -> BlockDevice {
    BlockDevice {
        device_name: device.device_name,
        volume_id: device.volume_id,
        status: device.status,
        attach_time: device.attach_time,
        delete: device.delete_on_termination,
    }
}
