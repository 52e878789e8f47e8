//! What EC2 sends, under its own names. Absent elements are `None` or empty; empty elements are absent.
//!
//! <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Types.html>

use std::collections::BTreeMap;

use libcloud_common::xml::Element;
use libcloud_common::{Result, Secret, Timestamp};

/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Instance.html>
#[derive(Debug, Default)]
pub(crate) struct Instance {
    pub(crate) instance_id: String,
    pub(crate) image_id: Option<String>,
    pub(crate) instance_state: String,
    pub(crate) private_dns_name: Option<String>,
    pub(crate) dns_name: Option<String>,
    pub(crate) reason: Option<String>,
    pub(crate) key_name: Option<String>,
    pub(crate) ami_launch_index: Option<String>,
    pub(crate) product_codes: Vec<String>,
    pub(crate) instance_type: Option<String>,
    pub(crate) launch_time: Option<Timestamp>,
    pub(crate) availability_zone: Option<String>,
    pub(crate) tenancy: Option<String>,
    pub(crate) kernel_id: Option<String>,
    pub(crate) ramdisk_id: Option<String>,
    pub(crate) platform: Option<String>,
    pub(crate) monitoring: Option<String>,
    pub(crate) subnet_id: Option<String>,
    pub(crate) vpc_id: Option<String>,
    pub(crate) private_ip_addresses: Vec<String>,
    pub(crate) ip_addresses: Vec<String>,
    pub(crate) source_dest_check: Option<bool>,
    pub(crate) groups: Vec<Group>,
    pub(crate) architecture: Option<String>,
    pub(crate) root_device_type: Option<String>,
    pub(crate) root_device_name: Option<String>,
    pub(crate) block_device_mapping: Vec<InstanceBlockDevice>,
    pub(crate) virtualization_type: Option<String>,
    pub(crate) instance_lifecycle: Option<String>,
    pub(crate) client_token: Option<String>,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) hypervisor: Option<String>,
    pub(crate) iam_instance_profile_id: Option<String>,
    pub(crate) iam_instance_profile_arn: Option<String>,
    pub(crate) ebs_optimized: Option<bool>,
}

/// A security group as an instance names it.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) group_id: Option<String>,
    pub(crate) group_name: Option<String>,
}

/// A volume as an instance names it.
#[derive(Debug)]
pub(crate) struct InstanceBlockDevice {
    pub(crate) device_name: String,
    pub(crate) volume_id: Option<String>,
    pub(crate) status: Option<String>,
    pub(crate) attach_time: Option<Timestamp>,
    pub(crate) delete_on_termination: Option<bool>,
}

/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Image.html>
#[derive(Debug)]
pub(crate) struct Image {
    pub(crate) image_id: String,
    pub(crate) image_location: Option<String>,
    pub(crate) image_state: Option<String>,
    pub(crate) image_owner_id: Option<String>,
    pub(crate) image_owner_alias: Option<String>,
    pub(crate) is_public: Option<String>,
    pub(crate) architecture: Option<String>,
    pub(crate) image_type: Option<String>,
    pub(crate) platform: Option<String>,
    pub(crate) kernel_id: Option<String>,
    pub(crate) ramdisk_id: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) root_device_type: Option<String>,
    pub(crate) virtualization_type: Option<String>,
    pub(crate) hypervisor: Option<String>,
    pub(crate) creation_date: Option<Timestamp>,
    pub(crate) tags: BTreeMap<String, String>,
}

/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AvailabilityZone.html>
#[derive(Debug)]
pub(crate) struct AvailabilityZone {
    pub(crate) zone_name: String,
    pub(crate) zone_state: String,
    pub(crate) region_name: String,
}

/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_KeyPairInfo.html>
#[derive(Debug)]
pub(crate) struct KeyPair {
    pub(crate) key_name: String,
    pub(crate) key_fingerprint: Option<String>,
    /// Only in the answer of `CreateKeyPair`.
    pub(crate) key_material: Option<Secret>,
    pub(crate) key_pair_id: Option<String>,
    pub(crate) key_type: Option<String>,
}

/// The answer of `DescribeInstances`.
pub(crate) fn reservations(root: Element<'_, '_>) -> Result<Vec<Instance>> {
    let mut instances = Vec::new();
    for reservation in root.items("reservationSet", "item") {
        instances.extend(self::instances(reservation)?);
    }
    Ok(instances)
}

/// One reservation, which is also the answer of `RunInstances`.
pub(crate) fn instances(reservation: Element<'_, '_>) -> Result<Vec<Instance>> {
    reservation
        .items("instancesSet", "item")
        .map(|item| {
            let mut instance = instance(item)?;
            // Outside a VPC the groups belong to the reservation.
            if instance.groups.is_empty() {
                instance.groups = groups(reservation);
            }
            Ok(instance)
        })
        .collect()
}

fn instance(item: Element<'_, '_>) -> Result<Instance> {
    let (mut ip_addresses, mut private_ip_addresses) = (Vec::new(), Vec::new());
    let add = |addresses: &mut Vec<String>, address: Option<String>| {
        addresses.extend(address.filter(|address| !addresses.contains(address)));
    };
    add(&mut ip_addresses, item.opt_text("ipAddress"));
    add(&mut private_ip_addresses, item.opt_text("privateIpAddress"));
    // Where there are several interfaces or addresses, the fields above have only the first.
    for interface in item.items("networkInterfaceSet", "item") {
        for address in interface.items("privateIpAddressesSet", "item") {
            add(&mut ip_addresses, address.opt_text("association/publicIp"));
            add(&mut private_ip_addresses, address.opt_text("privateIpAddress"));
        }
    }
    Ok(Instance {
        instance_id: item.need_text("instanceId")?,
        image_id: item.opt_text("imageId"),
        instance_state: item.need_text("instanceState/name")?,
        private_dns_name: item.opt_text("privateDnsName"),
        dns_name: item.opt_text("dnsName"),
        reason: item.opt_text("reason"),
        key_name: item.opt_text("keyName"),
        ami_launch_index: item.opt_text("amiLaunchIndex"),
        product_codes: texts(item, "productCodes", "productCode"),
        instance_type: item.opt_text("instanceType"),
        launch_time: item.parse("launchTime")?,
        availability_zone: item.opt_text("placement/availabilityZone"),
        tenancy: item.opt_text("placement/tenancy"),
        kernel_id: item.opt_text("kernelId"),
        ramdisk_id: item.opt_text("ramdiskId"),
        platform: item.opt_text("platform"),
        monitoring: item.opt_text("monitoring/state"),
        subnet_id: item.opt_text("subnetId"),
        vpc_id: item.opt_text("vpcId"),
        private_ip_addresses,
        ip_addresses,
        source_dest_check: item.bool("sourceDestCheck")?,
        groups: groups(item),
        architecture: item.opt_text("architecture"),
        root_device_type: item.opt_text("rootDeviceType"),
        root_device_name: item.opt_text("rootDeviceName"),
        block_device_mapping: item
            .items("blockDeviceMapping", "item")
            .map(block_device)
            .collect::<Result<_>>()?,
        virtualization_type: item.opt_text("virtualizationType"),
        instance_lifecycle: item.opt_text("instanceLifecycle"),
        client_token: item.opt_text("clientToken"),
        tags: tags(item)?,
        hypervisor: item.opt_text("hypervisor"),
        iam_instance_profile_id: item.opt_text("iamInstanceProfile/id"),
        iam_instance_profile_arn: item.opt_text("iamInstanceProfile/arn"),
        ebs_optimized: item.bool("ebsOptimized")?,
    })
}

fn block_device(item: Element<'_, '_>) -> Result<InstanceBlockDevice> {
    Ok(InstanceBlockDevice {
        device_name: item.need_text("deviceName")?,
        volume_id: item.opt_text("ebs/volumeId"),
        status: item.opt_text("ebs/status"),
        attach_time: item.parse("ebs/attachTime")?,
        delete_on_termination: item.bool("ebs/deleteOnTermination")?,
    })
}

fn groups(parent: Element<'_, '_>) -> Vec<Group> {
    parent
        .items("groupSet", "item")
        .map(|item| Group { group_id: item.opt_text("groupId"), group_name: item.opt_text("groupName") })
        .collect()
}

/// The answer of `DescribeImages`.
pub(crate) fn images(root: Element<'_, '_>) -> Result<Vec<Image>> {
    root.items("imagesSet", "item")
        .map(|item| {
            Ok(Image {
                image_id: item.need_text("imageId")?,
                image_location: item.opt_text("imageLocation"),
                image_state: item.opt_text("imageState"),
                image_owner_id: item.opt_text("imageOwnerId"),
                image_owner_alias: item.opt_text("imageOwnerAlias"),
                is_public: item.opt_text("isPublic"),
                architecture: item.opt_text("architecture"),
                image_type: item.opt_text("imageType"),
                platform: item.opt_text("platform"),
                kernel_id: item.opt_text("kernelId"),
                ramdisk_id: item.opt_text("ramdiskId"),
                name: item.opt_text("name"),
                description: item.opt_text("description"),
                root_device_type: item.opt_text("rootDeviceType"),
                virtualization_type: item.opt_text("virtualizationType"),
                hypervisor: item.opt_text("hypervisor"),
                creation_date: item.parse("creationDate")?,
                tags: tags(item)?,
            })
        })
        .collect()
}

/// The answer of `DescribeAvailabilityZones`.
pub(crate) fn availability_zones(root: Element<'_, '_>) -> Result<Vec<AvailabilityZone>> {
    root.items("availabilityZoneInfo", "item")
        .map(|item| {
            Ok(AvailabilityZone {
                zone_name: item.need_text("zoneName")?,
                zone_state: item.need_text("zoneState")?,
                region_name: item.need_text("regionName")?,
            })
        })
        .collect()
}

/// The answer of `DescribeKeyPairs`.
pub(crate) fn key_pairs(root: Element<'_, '_>) -> Result<Vec<KeyPair>> {
    root.items("keySet", "item").map(key_pair).collect()
}

/// One key pair, which is also the answer of `CreateKeyPair` and `ImportKeyPair`.
pub(crate) fn key_pair(item: Element<'_, '_>) -> Result<KeyPair> {
    Ok(KeyPair {
        key_name: item.need_text("keyName")?,
        key_fingerprint: item.opt_text("keyFingerprint"),
        key_material: item.opt_text("keyMaterial").map(Secret::new),
        key_pair_id: item.opt_text("keyPairId"),
        key_type: item.opt_text("keyType"),
    })
}

/// The tags of a resource, and the answer of `DescribeTags`.
pub(crate) fn tags(parent: Element<'_, '_>) -> Result<BTreeMap<String, String>> {
    parent
        .items("tagSet", "item")
        .map(|item| Ok((item.need_text("key")?, item.opt_text("value").unwrap_or_default())))
        .collect()
}

fn texts(parent: Element<'_, '_>, list: &str, name: &str) -> Vec<String> {
    parent.items(list, "item").filter_map(|item| item.opt_text(name)).collect()
}
