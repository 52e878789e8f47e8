//! Images (AMIs).

use std::collections::BTreeMap;
use std::time::Duration;

use libcloud_common::xml::Element;
use libcloud_common::{
    Ex, Extra, ExtraFields, Map, Options, Result, Timestamp, Value, arguments, extensions, optional_arguments,
};
use libcloud_compute::{ComputeDriver as _, CreateImage, ListImages, Node, NodeImage};
use serde::{Deserialize, Serialize};

use super::arguments::one_or_more;
use super::{Ec2Driver, Filters, wire};
use crate::connection::Action;

/// What only EC2 tells about an image.
///
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Image.html>
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ImageExtra {
    /// `available`, `pending`, `failed` …
    pub state: Option<String>,
    /// The account that owns it.
    #[serde(rename = "ownerid")]
    pub owner_id: Option<String>,
    /// `amazon`, `aws-marketplace` or `self`.
    #[serde(rename = "owneralias")]
    pub owner_alias: Option<String>,
    /// `true` if everyone may use it.
    #[serde(rename = "ispublic")]
    pub is_public: Option<String>,
    /// `x86_64`, `arm64` …
    pub architecture: Option<String>,
    /// `machine`, `kernel` or `ramdisk`.
    #[serde(rename = "imagetype")]
    pub image_type: Option<String>,
    /// `windows`, or nothing.
    pub platform: Option<String>,
    /// `ebs` or `instance-store`.
    #[serde(rename = "rootdevicetype")]
    pub root_device_type: Option<String>,
    /// `hvm` or `paravirtual`.
    #[serde(rename = "virtualizationtype")]
    pub virtualization_type: Option<String>,
    /// The hypervisor.
    pub hypervisor: Option<String>,
    /// Owner and name as one.
    pub image_location: Option<String>,
    /// The owner's words.
    pub description: Option<String>,
    /// The kernel, of a paravirtual one.
    pub kernel_id: Option<String>,
    /// The RAM disk, of a paravirtual one.
    pub ramdisk_id: Option<String>,
    /// When it was made.
    pub creation_date: Option<Timestamp>,
    /// Whether its driver of the network is the enhanced one.
    pub ena_support: Option<String>,
    /// `simple`, where its driver of the network is that of virtual functions.
    pub sriov_net_support: Option<String>,
    /// Its disks.
    pub block_device_mapping: Vec<ImageDisk>,
    /// What it is billed for beside the instance.
    pub billing_products: Vec<String>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

impl ExtraFields for ImageExtra {}

/// A disk that an instance of an image begins with.
///
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_BlockDeviceMapping.html>
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ImageDisk {
    /// What the instance calls it.
    pub device_name: Option<String>,
    /// `ephemeral0` …: a disk of the host.
    pub virtual_name: Option<String>,
    /// The volume that is made of a snapshot, where it is one.
    pub ebs: EbsDisk,
}

/// The volume that a disk of an image becomes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct EbsDisk {
    /// The snapshot that it begins with.
    pub snapshot_id: Option<String>,
    /// The volume.
    pub volume_id: Option<String>,
    /// GiB
    pub volume_size: Option<u64>,
    /// `gp3`, `io2` …
    pub volume_type: Option<String>,
    /// Operations in a second.
    pub iops: Option<u64>,
    /// Whether it is destroyed with the instance.
    pub delete: Option<bool>,
}

/// Extension arguments of `list_images`.
#[arguments(drivers = ["ec2", "eucalyptus", "nimbus"])]
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Ec2ListImages {
    /// Only these images.
    #[serde(deserialize_with = "one_or_more")]
    pub ex_image_ids: Vec<String>,
    /// Only the images of this account, or of `self`, `amazon` or `aws-marketplace`.
    pub ex_owner: Option<String>,
    /// Only the images that this account may use, or `self`, or `all`.
    pub ex_executableby: Option<String>,
    /// Only the images that all of these filters let through:
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeImages.html>
    pub ex_filters: Filters,
}

/// Extension arguments of `create_image`.
///
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateImage.html>
#[arguments(drivers = ["ec2", "eucalyptus", "nimbus"])]
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Ec2CreateImage {
    /// Reboot the node, so that what it has not written yet is in the image, too.
    pub ex_reboot: bool,
    /// Disks, as EC2 names their fields: `[{"DeviceName": "/dev/sdb", "Ebs": {"VolumeSize": 8}}]`.
    pub ex_block_device_mapping: Vec<Map<String, Value>>,
    /// Tags.
    pub ex_metadata: BTreeMap<String, String>,
}

optional_arguments! {
    /// Arguments of `ex_register_image`.
    ///
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RegisterImage.html>
    RegisterImage("ex_register_image") {
        /// A sentence about it.
        description: String = "a sentence about it", description(&str) str::to_owned;
        /// `x86_64`, `arm64` …
        architecture: String = "`x86_64`, `arm64` …", architecture(&str) str::to_owned;
        /// The manifest in S3, of an image without volumes.
        image_location: String = "the manifest in S3", image_location(&str) str::to_owned;
        /// The name of the device it boots from.
        root_device_name: String = "the name of the device it boots from", root_device_name(&str) str::to_owned;
        /// Disks, as EC2 names their fields.
        block_device_mapping: Vec<Map<String, Value>> = "disks, as EC2 names their fields",
            block_device_mapping(&[Map<String, Value>]) <[_]>::to_vec;
        /// The kernel, of a paravirtual one.
        kernel_id: String = "the kernel, of a paravirtual one", kernel_id(&str) str::to_owned;
        /// The RAM disk, of a paravirtual one.
        ramdisk_id: String = "the RAM disk, of a paravirtual one", ramdisk_id(&str) str::to_owned;
        /// `hvm` or `paravirtual`.
        virtualization_type: String = "`hvm` or `paravirtual`", virtualization_type(&str) str::to_owned;
        /// Whether its driver of the network is the enhanced one.
        ena_support: bool = "whether it has the enhanced driver of the network", ena_support(bool) |value| value;
        /// What it is billed for beside the instance.
        billing_products: Vec<String> = "what it is billed for beside the instance", billing_products(&[String]) <[_]>::to_vec;
        /// `simple`, where its driver of the network is that of virtual functions.
        sriov_net_support: String = "`simple`: it has a driver of virtual functions", sriov_net_support(&str) str::to_owned;
        /// `legacy-bios`, `uefi` or `uefi-preferred`.
        boot_mode: String = "`legacy-bios`, `uefi` or `uefi-preferred`", boot_mode(&str) str::to_owned;
        /// `v2.0`
        tpm_support: String = "`v2.0`", tpm_support(&str) str::to_owned;
        /// The non-volatile store of UEFI, in base64.
        uefi_data: String = "the non-volatile store of UEFI, in base64", uefi_data(&str) str::to_owned;
        /// `v2.0`: its instances get at their metadata with a token only.
        imds_support: String = "`v2.0`: metadata with a token only", imds_support(&str) str::to_owned;
    }
}

impl Ec2Driver {
    pub(super) fn describe_images(&self, options: ListImages) -> Result<Action> {
        // An image can be used in all zones of its region, so the location leaves none out.
        let ex: Ec2ListImages = options.ex.decode("list_images")?;
        Ok(self
            .conn
            .action("DescribeImages")
            .list("ImageId", ex.ex_image_ids)
            .list("Owner", ex.ex_owner)
            .list("ExecutableBy", ex.ex_executableby)
            .filters(ex.ex_filters.0)
            .timeout(options.timeout))
    }

    pub(super) async fn make_image(
        &self,
        node: &Node,
        name: &str,
        options: CreateImage,
    ) -> Result<NodeImage> {
        let ex: Ec2CreateImage = options.ex.decode("create_image")?;
        let action = self
            .conn
            .action("CreateImage")
            .param("InstanceId", &node.id)
            .param("Name", name)
            .param("NoReboot", !ex.ex_reboot)
            .opt("Description", options.description)
            .nested("BlockDeviceMapping", &ex.ex_block_device_mapping.into());
        let action = self.with_tags(action, "image", &ex.ex_metadata);
        self.image_made(action, name, ex.ex_metadata, options.timeout).await
    }

    pub(super) async fn copy(
        &self,
        source_region: &str,
        image: &NodeImage,
        name: &str,
        options: CreateImage,
    ) -> Result<NodeImage> {
        options.ex.none("copy_image")?;
        let action = self
            .conn
            .action("CopyImage")
            .param("SourceRegion", source_region)
            .param("SourceImageId", &image.id)
            .param("Name", name)
            .opt("Description", options.description);
        self.image_made(self.with_token(action, None)?, name, BTreeMap::new(), options.timeout).await
    }

    /// The answer has the id alone.
    async fn image_made(
        &self,
        action: Action,
        name: &str,
        tags: BTreeMap<String, String>,
        timeout: Option<Duration>,
    ) -> Result<NodeImage> {
        let id = action.timeout(timeout).read(|root| root.need_text("imageId")).await?;
        let extra = Extra::of(ImageExtra { tags, ..ImageExtra::default() });
        Ok(NodeImage::new(id, name).with_extra(extra))
    }
}

#[extensions(IMAGES)]
impl Ec2Driver {
    /// Makes an image of snapshots, or of a manifest in S3.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RegisterImage.html>
    pub async fn ex_register_image(&self, name: &str, options: RegisterImage) -> Result<NodeImage> {
        options.ex.none("ex_register_image")?;
        let action = self
            .conn
            .action("RegisterImage")
            .param("Name", name)
            .opt("Description", options.description)
            .opt("Architecture", options.architecture)
            .opt("ImageLocation", options.image_location)
            .opt("RootDeviceName", options.root_device_name)
            .nested("BlockDeviceMapping", &options.block_device_mapping.unwrap_or_default().into())
            .opt("KernelId", options.kernel_id)
            .opt("RamdiskId", options.ramdisk_id)
            .opt("VirtualizationType", options.virtualization_type)
            .opt("EnaSupport", options.ena_support)
            .list("BillingProduct", options.billing_products.unwrap_or_default())
            .opt("SriovNetSupport", options.sriov_net_support)
            .opt("BootMode", options.boot_mode)
            .opt("TpmSupport", options.tpm_support)
            .opt("UefiData", options.uefi_data)
            .opt("ImdsSupport", options.imds_support);
        self.image_made(action, name, BTreeMap::new(), options.timeout).await
    }

    /// Deletes an image; the same as `delete_image`.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeregisterImage.html>
    pub async fn ex_destroy_image(&self, image: &NodeImage) -> Result<()> {
        self.delete_image_with(image, Options::new()).await
    }

    /// Changes who may use an image, and its description, under EC2's names:
    /// `{"LaunchPermission.Add.1.Group": "all"}`.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyImageAttribute.html>
    pub async fn ex_modify_image_attribute(
        &self,
        image: &NodeImage,
        attributes: &Map<String, Value>,
    ) -> Result<()> {
        self.conn.action("ModifyImageAttribute").fields(attributes).param("ImageId", &image.id).done().await
    }
}

/// The answer of `DescribeImages`.
pub(super) fn images(root: Element<'_, '_>) -> Result<Vec<NodeImage>> {
    wire::items(root, "imagesSet", image)
}

fn image(item: Element<'_, '_>) -> Result<NodeImage> {
    let (id, image_location) = (item.need_text("imageId")?, item.opt_text("imageLocation"));
    let name = item.opt_text("name").or_else(|| image_location.clone()).unwrap_or_default();
    Ok(NodeImage::new(id, name).with_extra(Extra::of(ImageExtra {
        state: item.opt_text("imageState"),
        owner_id: item.opt_text("imageOwnerId"),
        owner_alias: item.opt_text("imageOwnerAlias"),
        is_public: item.opt_text("isPublic"),
        architecture: item.opt_text("architecture"),
        image_type: item.opt_text("imageType"),
        platform: item.opt_text("platform"),
        root_device_type: item.opt_text("rootDeviceType"),
        virtualization_type: item.opt_text("virtualizationType"),
        hypervisor: item.opt_text("hypervisor"),
        image_location,
        description: item.opt_text("description"),
        kernel_id: item.opt_text("kernelId"),
        ramdisk_id: item.opt_text("ramdiskId"),
        creation_date: item.parse("creationDate")?,
        ena_support: item.opt_text("enaSupport"),
        sriov_net_support: item.opt_text("sriovNetSupport"),
        block_device_mapping: wire::items(item, "blockDeviceMapping", disk)?,
        billing_products: wire::texts(item, "billingProducts", "billingProduct"),
        tags: wire::tags(item)?,
    })))
}

fn disk(item: Element<'_, '_>) -> Result<ImageDisk> {
    Ok(ImageDisk {
        device_name: item.opt_text("deviceName"),
        virtual_name: item.opt_text("virtualName"),
        ebs: EbsDisk {
            snapshot_id: item.opt_text("ebs/snapshotId"),
            volume_id: item.opt_text("ebs/volumeId"),
            volume_size: item.parse("ebs/volumeSize")?,
            volume_type: item.opt_text("ebs/volumeType"),
            iops: item.parse("ebs/iops")?,
            delete: item.bool("ebs/deleteOnTermination")?,
        },
    })
}
