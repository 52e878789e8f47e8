//! Tags: names with values on any resource.

use std::collections::BTreeMap;

use libcloud_common::xml::Element;
use libcloud_common::{Extra, Result, extensions, json, unique_token};
use libcloud_compute::{Node, StorageVolume, VolumeSnapshot};

use super::{Ec2Driver, NodeExtra, ResourceId, SnapshotExtra, VolumeExtra, wire};
use crate::connection::Action;

#[extensions(TAGS)]
impl Ec2Driver {
    /// The tags of a resource.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeTags.html>
    pub async fn ex_describe_tags(&self, resource: &ResourceId) -> Result<BTreeMap<String, String>> {
        let action = self.conn.action("DescribeTags").filter("resource-id", [&resource.0]);
        let tags = action.all(|root| wire::tags(root).map(Vec::from_iter)).await?;
        Ok(tags.into_iter().collect())
    }

    /// Sets tags of a resource; others stay. Does nothing in Nimbus, which has none.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateTags.html>
    pub async fn ex_create_tags(&self, resource: &ResourceId, tags: &BTreeMap<String, String>) -> Result<()> {
        self.create_tags(&resource.0, tags).await
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

    /// The tags of a node as it came out of a listing; of one that is known by its id alone they are asked for.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeTags.html>
    pub async fn ex_get_metadata_for_node(&self, node: &Node) -> Result<BTreeMap<String, String>> {
        if let Some(tags) = node.extra.get("tags") {
            return json::read(tags.clone());
        }
        self.ex_describe_tags(&node.into()).await
    }
}

/// What can be made with tags, one of which is its name.
pub(super) trait Tagged {
    fn id(&self) -> &str;

    /// Adds the tags that it was made with, unless the answer has repeated them.
    fn know_tags(&mut self, tags: &BTreeMap<String, String>) -> Result<()>;
}

/// For the resources of EC2 alone.
macro_rules! tagged {
    ($ty:ty) => {
        impl $crate::ec2::tags::Tagged for $ty {
            fn id(&self) -> &str {
                &self.id
            }

            fn know_tags(&mut self, tags: &BTreeMap<String, String>) -> libcloud_common::Result<()> {
                if self.extra.tags.is_empty() {
                    self.name = $crate::ec2::wire::name(tags, &self.id);
                    self.extra.tags.clone_from(tags);
                }
                Ok(())
            }
        }
    };
}

pub(super) use tagged;

impl Tagged for Node {
    fn id(&self) -> &str {
        &self.id
    }

    fn know_tags(&mut self, tags: &BTreeMap<String, String>) -> Result<()> {
        let extra: NodeExtra = self.extra.read()?;
        if extra.tags.is_empty() {
            self.name = wire::name(tags, &self.id);
            self.extra = Extra::of(NodeExtra { tags: tags.clone(), ..extra });
        }
        Ok(())
    }
}

impl Tagged for StorageVolume {
    fn id(&self) -> &str {
        &self.id
    }

    fn know_tags(&mut self, tags: &BTreeMap<String, String>) -> Result<()> {
        let extra: VolumeExtra = self.extra.read()?;
        if extra.tags.is_empty() {
            self.name = wire::name(tags, &self.id);
            self.extra = Extra::of(VolumeExtra { tags: tags.clone(), ..extra });
        }
        Ok(())
    }
}

impl Tagged for VolumeSnapshot {
    fn id(&self) -> &str {
        &self.id
    }

    fn know_tags(&mut self, tags: &BTreeMap<String, String>) -> Result<()> {
        let extra: SnapshotExtra = self.extra.read()?;
        if extra.tags.is_empty() {
            let name = Some(wire::name(tags, &self.id));
            self.name.clone_from(&name);
            self.extra = Extra::of(SnapshotExtra { tags: tags.clone(), name, ..extra });
        }
        Ok(())
    }
}

impl Ec2Driver {
    /// Makes a resource of this type with these tags: in one step, or in two where the service can do no better.
    pub(super) async fn make<T: Tagged>(
        &self,
        action: Action,
        resource_type: &'static str,
        tags: &BTreeMap<String, String>,
        read: impl FnOnce(Element<'_, '_>) -> Result<T>,
    ) -> Result<T> {
        let made = self.with_tags(action, resource_type, tags).read(read).await?;
        self.tag(made, tags).await
    }

    /// An action that may be sent again, since a token tells the service what it has seen already.
    pub(super) fn with_token(&self, action: Action, token: Option<String>) -> Result<Action> {
        // An old clone would do it twice.
        if self.dialect.old {
            return Ok(action);
        }
        Ok(action.param("ClientToken", token.map_or_else(unique_token, Ok)?).repeatable())
    }

    /// The first step: an action that makes a resource of this type with these tags.
    pub(super) fn with_tags(
        &self,
        action: Action,
        resource_type: &'static str,
        tags: &BTreeMap<String, String>,
    ) -> Action {
        if tags.is_empty() || self.dialect.old {
            return action;
        }
        action
            .param("TagSpecification.1.ResourceType", resource_type)
            .tags("TagSpecification.1.Tag", tags.iter().map(|(key, value)| (key, Some(value))))
    }

    /// The second step, where it takes two.
    pub(super) async fn tag<T: Tagged>(&self, mut made: T, tags: &BTreeMap<String, String>) -> Result<T> {
        if self.dialect.old && !tags.is_empty() {
            self.create_tags(made.id(), tags).await.map_err(|error| {
                error.context(format_args!("{} is made, but its name and its tags are not set", made.id()))
            })?;
        }
        made.know_tags(tags)?;
        Ok(made)
    }

    async fn create_tags(&self, id: &str, tags: &BTreeMap<String, String>) -> Result<()> {
        if !self.dialect.tags {
            return Ok(());
        }
        self.conn
            .action("CreateTags")
            .list("ResourceId", [id])
            .tags("Tag", tags.iter().map(|(key, value)| (key, Some(value))))
            .done()
            .await
    }
}

/// The tags of what is being made: those that are asked for, and its name.
pub(super) fn with_name(mut tags: BTreeMap<String, String>, name: Option<&str>) -> BTreeMap<String, String> {
    if let Some(name) = name.filter(|name| !name.is_empty()) {
        tags.insert("Name".to_owned(), name.to_owned());
    }
    tags
}
