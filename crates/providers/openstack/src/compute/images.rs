//! Images: of the image service (Glance) where the cloud has one, else of the compute service.

use std::collections::BTreeMap;
use std::time::Duration;

use libcloud_common::{Extra, ExtraFields, Options, Page, Result, Timestamp, arguments, extensions};
use libcloud_compute::{ComputeDriver as _, ListImages, NodeImage};
use serde::{Deserialize, Serialize};

use super::{OpenStackNodeDriver, of};
use crate::connection::{IMAGE, marker};
use crate::wire;

/// What only OpenStack tells about an image.
///
/// <https://docs.openstack.org/api-ref/image/v2/#show-image>
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ImageExtra {
    /// `public`, `community`, `shared` or `private`. From the image service.
    pub visibility: Option<String>,
    /// When it was last changed.
    pub updated: Option<Timestamp>,
    /// When it was made.
    pub created: Option<Timestamp>,
    /// `active`, `queued`, `saving` …; in capitals from the compute service.
    pub status: Option<String>,
    /// How much of it is there, in percent. From the compute service.
    pub progress: Option<u64>,
    /// Its metadata. From the compute service.
    pub metadata: Option<BTreeMap<String, String>>,
    /// `linux` or `windows`. From the image service.
    pub os_type: Option<String>,
    /// The distribution. From the image service.
    pub os_distro: Option<String>,
    /// The version of the distribution. From the image service.
    pub os_version: Option<String>,
    /// The node whose disk it was made from.
    #[serde(rename = "serverId")]
    pub server_id: Option<String>,
    /// The smallest disk that it fits on, in GB.
    #[serde(rename = "minDisk")]
    pub min_disk: Option<u64>,
    /// The least memory that it needs, in MiB.
    #[serde(rename = "minRam")]
    pub min_ram: Option<u64>,
}

impl ExtraFields for ImageExtra {}

/// Extension arguments of `list_images`.
#[arguments(drivers = ["openstack"])]
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct OpenStackListImages {
    /// Whether to leave out those that no node can be made from (yet) (`true`).
    pub ex_only_active: Option<bool>,
}

#[extensions(IMAGES)]
impl OpenStackNodeDriver {
    /// One image by its id; the same as `get_image`.
    /// <https://docs.openstack.org/api-ref/image/v2/#show-image>
    pub async fn ex_get_image(&self, image_id: &str) -> Result<NodeImage> {
        self.get_image_with(image_id, Options::new()).await
    }
}

impl OpenStackNodeDriver {
    pub(super) async fn images_page(
        &self,
        options: ListImages,
        from: Option<String>,
    ) -> Result<Page<NodeImage, Option<String>>> {
        // An image can be used in the whole region, so the location leaves none out.
        let ex: OpenStackListImages = options.ex.decode("list_images")?;
        let wanted = |status: &Option<String>| {
            let active = status.as_deref().is_some_and(|status| status.eq_ignore_ascii_case("active"));
            active || ex.ex_only_active == Some(false)
        };
        if self.cloud.has(IMAGE).await? {
            let page: wire::Images = self
                .images
                .get("ListImages", ["images"])
                .query_opt("marker", from)
                .timeout(options.timeout)
                .json_answer()
                .await?;
            let next = marker(page.next.as_deref()).map(Some);
            let images = page.images.into_iter().filter(|found| wanted(&found.status)).map(image);
            Ok(Page::new(images.collect(), next))
        } else {
            let page: wire::NovaImages = self
                .conn
                .get("ListImages", ["images", "detail"])
                .query_opt("marker", from)
                .timeout(options.timeout)
                .json_answer()
                .await?;
            let next = marker(wire::next(&page.images_links)).map(Some);
            let images = page.images.into_iter().filter(|found| wanted(&found.status)).map(nova_image);
            Ok(Page::new(images.collect(), next))
        }
    }

    pub(super) async fn show_image(&self, image_id: &str, timeout: Option<Duration>) -> Result<NodeImage> {
        if self.cloud.has(IMAGE).await? {
            let call = self.images.get("ShowImage", ["images", image_id]).timeout(timeout);
            call.json_answer().await.map(image)
        } else {
            let call = self.conn.get("ShowImage", ["images", image_id]).timeout(timeout);
            call.json_answer().await.map(|found: wire::OneNovaImage| nova_image(found.image))
        }
        .map_err(of("image", image_id))
    }
}

fn image(found: wire::Image) -> NodeImage {
    let extra = Extra::of(ImageExtra {
        visibility: found.visibility,
        updated: found.updated_at,
        created: found.created_at,
        status: found.status,
        os_type: found.os_type,
        os_distro: found.os_distro,
        os_version: found.os_version,
        server_id: found.instance_uuid,
        min_disk: found.min_disk,
        min_ram: found.min_ram,
        ..ImageExtra::default()
    });
    NodeImage::new(found.id, found.name.unwrap_or_default()).with_extra(extra)
}

fn nova_image(found: wire::NovaImage) -> NodeImage {
    let extra = Extra::of(ImageExtra {
        updated: found.updated,
        created: found.created,
        status: found.status,
        progress: found.progress,
        metadata: found.metadata,
        server_id: found.server.map(|server| server.id),
        min_disk: found.min_disk,
        min_ram: found.min_ram,
        ..ImageExtra::default()
    });
    NodeImage::new(found.id, found.name.unwrap_or_default()).with_extra(extra)
}
