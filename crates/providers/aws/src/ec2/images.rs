//! Images (AMIs).

use std::collections::BTreeMap;

use libcloud_common::{Extra, ExtraFields, Result, Timestamp, arguments};
use libcloud_compute::{ListImages, NodeImage};
use serde::{Deserialize, Serialize};

use super::{Ec2Driver, filters, one_or_more, wire};
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
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

impl ExtraFields for ImageExtra {}

/// Extension arguments of `list_images`.
#[arguments(drivers = ["ec2"])]
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
    #[serde(deserialize_with = "filters")]
    pub ex_filters: BTreeMap<String, Vec<String>>,
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
            .filters(ex.ex_filters)
            .timeout(options.timeout))
    }
}

pub(super) fn image(image: wire::Image) -> Result<NodeImage> {
    let name = image.name.or_else(|| image.image_location.clone());
    let extra = Extra::of(&ImageExtra {
        state: image.image_state,
        owner_id: image.image_owner_id,
        owner_alias: image.image_owner_alias,
        is_public: image.is_public,
        architecture: image.architecture,
        image_type: image.image_type,
        platform: image.platform,
        root_device_type: image.root_device_type,
        virtualization_type: image.virtualization_type,
        hypervisor: image.hypervisor,
        image_location: image.image_location,
        description: image.description,
        kernel_id: image.kernel_id,
        ramdisk_id: image.ramdisk_id,
        creation_date: image.creation_date,
        tags: image.tags,
    })?;
    Ok(NodeImage::new(image.image_id, name.unwrap_or_default()).with_extra(extra))
}
