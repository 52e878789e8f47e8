//! Tags: names with values on any resource.

use std::collections::BTreeMap;

use libcloud_common::dispatch::Arg;
use libcloud_common::{Result, Value, extensions};
use libcloud_compute::{Node, NodeImage, StorageVolume, VolumeSnapshot};

use super::{Ec2Driver, wire};

/// The id of any resource that can have tags.
///
/// ```
/// use libcloud_aws::ec2::ResourceId;
/// use libcloud_compute::Node;
///
/// assert_eq!(ResourceId::from(&Node::from_id("i-1")), ResourceId::from("i-1"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceId(String);

macro_rules! taggable {
    ($($ty:ident),*) => { $(
        impl From<&$ty> for ResourceId {
            fn from(resource: &$ty) -> Self {
                Self(resource.id.clone())
            }
        }
    )* };
}

taggable!(Node, NodeImage, StorageVolume, VolumeSnapshot);

impl From<&str> for ResourceId {
    fn from(id: &str) -> Self {
        Self(id.to_owned())
    }
}

impl Arg for ResourceId {
    const TYPE: &'static str = "resource";

    fn from_json(value: Value) -> std::result::Result<Self, String> {
        let id = value.as_str().or_else(|| value.get("id").and_then(Value::as_str));
        id.map(Self::from).ok_or_else(|| "expected a resource or its id".to_owned())
    }
}

#[extensions(TAGS)]
impl Ec2Driver {
    /// The tags of a resource.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeTags.html>
    pub async fn ex_describe_tags(&self, resource: &ResourceId) -> Result<BTreeMap<String, String>> {
        self.conn.action("DescribeTags").filter("resource-id", [&resource.0]).read(wire::tags).await
    }

    /// Sets tags of a resource; others stay.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateTags.html>
    pub async fn ex_create_tags(&self, resource: &ResourceId, tags: &BTreeMap<String, String>) -> Result<()> {
        self.conn
            .action("CreateTags")
            .list("ResourceId", [&resource.0])
            .tags("Tag", tags.iter().map(|(key, value)| (key, Some(value))))
            .done()
            .await
    }

    /// Deletes tags of a resource: those of these names, and where there is a value only with this value.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteTags.html>
    pub async fn ex_delete_tags(
        &self,
        resource: &ResourceId,
        tags: &BTreeMap<String, Option<String>>,
    ) -> Result<()> {
        self.conn
            .action("DeleteTags")
            .list("ResourceId", [&resource.0])
            .tags("Tag", tags.iter().map(|(key, value)| (key, value.as_ref())))
            .done()
            .await
    }
}
