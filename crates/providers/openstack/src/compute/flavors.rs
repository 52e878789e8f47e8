//! Flavors: what the base API calls sizes.

use std::collections::BTreeMap;

use libcloud_common::{ErrorKind, Extra, ExtraFields, Page, Result, Value, extensions};
use libcloud_compute::{ListSizes, NodeSize};
use serde::{Deserialize, Serialize};

use super::{OpenStackNodeDriver, of};
use crate::connection::marker;
use crate::wire;

/// What only OpenStack tells about a size.
///
/// <https://docs.openstack.org/api-ref/compute/#show-flavor-details>
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct SizeExtra {
    /// The number of virtual processors.
    pub vcpus: Option<u64>,
    /// The disk that is lost with the node, in GB.
    pub ephemeral_disk: Option<u64>,
    /// The swap space in MiB.
    pub swap: Option<u64>,
    /// Whether no new nodes can have it.
    pub disabled: Option<bool>,
    /// Whether all projects may use it.
    pub is_public: Option<bool>,
    /// What the cloud adds: at Rackspace `class`, `disk_io_index`, `number_of_data_disks` and more.
    #[serde(flatten)]
    pub extra_specs: BTreeMap<String, Value>,
}

impl ExtraFields for SizeExtra {}

#[extensions(FLAVORS)]
impl OpenStackNodeDriver {
    /// One size by its id. <https://docs.openstack.org/api-ref/compute/#show-flavor-details>
    pub async fn ex_get_size(&self, size_id: &str) -> Result<NodeSize> {
        let found: wire::OneFlavor = self
            .conn
            .get("ShowFlavor", ["flavors", size_id])
            .json_answer()
            .await
            .map_err(of("size", size_id))?;
        self.size(found.flavor)
    }
}

impl OpenStackNodeDriver {
    pub(super) async fn flavors_page(
        &self,
        options: ListSizes,
        from: Option<String>,
    ) -> Result<Page<NodeSize, Option<String>>> {
        // A flavor can be had in the whole region, so the location leaves none out.
        options.ex.none("list_sizes")?;
        let page: wire::Flavors = self
            .conn
            .get("ListFlavors", ["flavors", "detail"])
            .query_opt("marker", from)
            .timeout(options.timeout)
            .json_answer()
            .await?;
        let next = marker(wire::next(&page.flavors_links)).map(Some);
        let sizes = page.flavors.into_iter().map(|flavor| self.size(flavor)).collect::<Result<_>>()?;
        Ok(Page::new(sizes, next))
    }

    fn size(&self, flavor: wire::Flavor) -> Result<NodeSize> {
        let price = match self.cloud.dialect().prices {
            Some(table) => match libcloud_pricing::get_size_price("compute", table, &flavor.id) {
                Err(error) if error.kind() == ErrorKind::NotFound => None,
                price => Some(price?),
            },
            None => None,
        };
        let extra = Extra::of(SizeExtra {
            vcpus: flavor.vcpus,
            ephemeral_disk: flavor.ephemeral,
            swap: flavor.swap,
            disabled: flavor.disabled,
            is_public: flavor.is_public,
            extra_specs: flavor.extra_specs,
        });
        Ok(NodeSize::new(flavor.id, flavor.name, flavor.ram)
            .with_disk(flavor.disk, None)
            .with_price(price)
            .with_extra(extra))
    }
}
