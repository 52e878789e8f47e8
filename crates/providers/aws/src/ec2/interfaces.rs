//! Network interfaces: what a node is in a subnet with.

use std::collections::BTreeMap;

use libcloud_common::xml::Element;
use libcloud_common::{Result, Timestamp, extensions};
use libcloud_compute::Node;
use serde::{Deserialize, Serialize};

use super::arguments::{ec2_resource, has_id};
use super::tags::{tagged, with_name};
use super::{Ec2Driver, Filters, Subnet, wire};

/// A network interface.
///
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_NetworkInterface.html>
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct NetworkInterface {
    /// The id.
    pub id: String,
    /// The tag `Name`, or the id.
    pub name: String,
    /// `available`, `in-use` …
    pub state: Option<String>,
    /// What else there is.
    pub extra: NetworkInterfaceExtra,
}

ec2_resource!(NetworkInterface, "network interface");
tagged!(NetworkInterface);

/// What else a network interface has.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct NetworkInterfaceExtra {
    /// The subnet.
    pub subnet_id: Option<String>,
    /// The virtual private cloud.
    pub vpc_id: Option<String>,
    /// The zone.
    pub zone: Option<String>,
    /// The owner's words.
    pub description: Option<String>,
    /// The account.
    pub owner_id: Option<String>,
    /// The address of the hardware.
    pub mac_address: Option<String>,
    /// Its private name.
    pub private_dns_name: Option<String>,
    /// Whether it may only send and receive for itself.
    pub source_dest_check: Option<bool>,
    /// Its private addresses.
    pub private_ips: Vec<PrivateIp>,
    /// Its node.
    pub attachment: InterfaceAttachment,
    /// Its security groups.
    pub groups: Vec<InterfaceGroup>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

/// A private address of a network interface.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct PrivateIp {
    /// The address.
    pub private_ip: Option<String>,
    /// Its name.
    pub private_dns: Option<String>,
    /// Whether it is the first.
    pub primary: Option<bool>,
}

/// How a network interface belongs to a node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct InterfaceAttachment {
    /// By which the attachment is known.
    pub attachment_id: Option<String>,
    /// The node.
    pub instance_id: Option<String>,
    /// The node's account.
    pub owner_id: Option<String>,
    /// The place among the node's interfaces, from 0.
    pub device_index: Option<u32>,
    /// `attaching`, `attached`, `detaching` or `detached`.
    pub status: Option<String>,
    /// When it was attached.
    pub attach_time: Option<Timestamp>,
    /// Whether it is deleted with the node.
    pub delete: Option<bool>,
}

/// A security group as an interface names it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct InterfaceGroup {
    /// The id.
    pub group_id: Option<String>,
    /// The name.
    pub group_name: Option<String>,
}

#[extensions(INTERFACES)]
impl Ec2Driver {
    /// The network interfaces, or only those that these filters let through.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeNetworkInterfaces.html>
    pub async fn ex_list_network_interfaces(
        &self,
        filters: Option<Filters>,
    ) -> Result<Vec<NetworkInterface>> {
        self.conn
            .action("DescribeNetworkInterfaces")
            .filters(filters.unwrap_or_default().0)
            .opt("MaxResults", self.page_size())
            .all(|root| wire::items(root, "networkInterfaceSet", network_interface))
            .await
    }

    /// Makes a network interface in a subnet.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateNetworkInterface.html>
    pub async fn ex_create_network_interface(
        &self,
        subnet: &Subnet,
        name: Option<String>,
        description: Option<String>,
        private_ip_address: Option<String>,
    ) -> Result<NetworkInterface> {
        let tags = with_name(BTreeMap::new(), name.as_deref());
        let action = self
            .conn
            .action("CreateNetworkInterface")
            .param("SubnetId", &subnet.id)
            .opt("Description", description)
            .opt("PrivateIpAddress", private_ip_address);
        let action = self.with_token(action, None)?;
        let read = |root: Element<'_, '_>| network_interface(root.need("networkInterface")?);
        self.make(action, "network-interface", &tags, read).await
    }

    /// Deletes a network interface; it must be detached.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteNetworkInterface.html>
    pub async fn ex_delete_network_interface(&self, network_interface: &NetworkInterface) -> Result<()> {
        self.conn
            .action("DeleteNetworkInterface")
            .param("NetworkInterfaceId", &network_interface.id)
            .done()
            .await
    }

    /// Attaches a network interface to a node, at a place from 1; gives the id of the attachment.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AttachNetworkInterface.html>
    pub async fn ex_attach_network_interface_to_node(
        &self,
        network_interface: &NetworkInterface,
        node: &Node,
        device_index: u32,
    ) -> Result<String> {
        self.conn
            .action("AttachNetworkInterface")
            .param("NetworkInterfaceId", &network_interface.id)
            .param("InstanceId", &node.id)
            .param("DeviceIndex", device_index)
            .read(|root| root.need_text("attachmentId"))
            .await
    }

    /// Detaches a network interface; with `force` without waiting for the node.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DetachNetworkInterface.html>
    pub async fn ex_detach_network_interface(&self, attachment_id: &str, force: Option<bool>) -> Result<()> {
        self.conn
            .action("DetachNetworkInterface")
            .param("AttachmentId", attachment_id)
            .opt("Force", force.filter(|force| *force))
            .done()
            .await
    }
}

/// A network interface, alone or as an instance names it.
pub(super) fn network_interface(item: Element<'_, '_>) -> Result<NetworkInterface> {
    let id = item.need_text("networkInterfaceId")?;
    let tags = wire::tags(item)?;
    let attachment = item.child("attachment").map(attachment).transpose()?;
    Ok(NetworkInterface {
        name: wire::name(&tags, &id),
        id,
        state: item.opt_text("status"),
        extra: NetworkInterfaceExtra {
            subnet_id: item.opt_text("subnetId"),
            vpc_id: item.opt_text("vpcId"),
            zone: item.opt_text("availabilityZone"),
            description: item.opt_text("description"),
            owner_id: item.opt_text("ownerId"),
            mac_address: item.opt_text("macAddress"),
            private_dns_name: item.opt_text("privateDnsName"),
            source_dest_check: item.bool("sourceDestCheck")?,
            private_ips: wire::items(item, "privateIpAddressesSet", |item| {
                Ok(PrivateIp {
                    private_ip: item.opt_text("privateIpAddress"),
                    private_dns: item.opt_text("privateDnsName"),
                    primary: item.bool("primary")?,
                })
            })?,
            attachment: attachment.unwrap_or_default(),
            groups: wire::items(item, "groupSet", |item| {
                Ok(InterfaceGroup {
                    group_id: item.opt_text("groupId"),
                    group_name: item.opt_text("groupName"),
                })
            })?,
            tags,
        },
    })
}

fn attachment(item: Element<'_, '_>) -> Result<InterfaceAttachment> {
    Ok(InterfaceAttachment {
        attachment_id: item.opt_text("attachmentId"),
        instance_id: item.opt_text("instanceId"),
        owner_id: item.opt_text("instanceOwnerId"),
        device_index: item.parse("deviceIndex")?,
        status: item.opt_text("status"),
        attach_time: item.parse("attachTime")?,
        delete: item.bool("deleteOnTermination")?,
    })
}
