//! What the extensions of EC2 take as arguments.

use std::collections::BTreeMap;

use libcloud_common::Value;
use libcloud_common::dispatch::{Arg, expected};
use libcloud_compute::{Node, NodeImage, StorageVolume, VolumeSnapshot};
use serde::{Deserialize, Deserializer, Serialize};

/// Filters of a listing: a name with the values that let a resource through, of which one is enough. A resource must pass
/// all filters. The names are told by the page of each `Describe…` action.
///
/// ```
/// use libcloud_aws::ec2::Filters;
///
/// let filters = Filters::new().filter("vpc-id", ["vpc-1"]).filter("tag:role", ["web", "mail"]);
/// assert_eq!(serde_json::to_value(&filters)?["tag:role"][1], "mail");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Filters(pub(crate) BTreeMap<String, Vec<String>>);

impl Filters {
    /// Lets everything through.
    pub fn new() -> Self {
        Self::default()
    }

    /// And only what has one of these values.
    pub fn filter(
        mut self,
        name: impl Into<String>,
        values: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        self.0.insert(name.into(), values.into_iter().map(Into::into).collect());
        self
    }
}

impl<'de> Deserialize<'de> for Filters {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let filters = BTreeMap::<String, OneOrMore>::deserialize(deserializer)?;
        Ok(Self(filters.into_iter().map(|(name, values)| (name, values.into())).collect()))
    }
}

impl Arg for Filters {
    const TYPE: &'static str = "filters";

    fn from_json(value: Value) -> Result<Self, String> {
        const WHAT: &str = "a map from names to a string or a list of strings";
        Self::deserialize(&value).map_err(|_| expected(WHAT, &value))
    }
}

/// Reads an argument that is a list of strings, or one string.
pub(super) fn one_or_more<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    OneOrMore::deserialize(deserializer).map(Into::into)
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a string or a list of strings")]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

impl From<OneOrMore> for Vec<String> {
    fn from(values: OneOrMore) -> Self {
        match values {
            OneOrMore::One(value) => vec![value],
            OneOrMore::More(values) => values,
        }
    }
}

/// The id of any resource.
///
/// ```
/// use libcloud_aws::ec2::ResourceId;
/// use libcloud_compute::Node;
///
/// assert_eq!(ResourceId::from(&Node::from_id("i-1")), ResourceId::from("i-1"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceId(pub(super) String);

impl From<&str> for ResourceId {
    fn from(id: &str) -> Self {
        Self(id.to_owned())
    }
}

impl Arg for ResourceId {
    const TYPE: &'static str = "resource";

    fn from_json(value: Value) -> Result<Self, String> {
        let id = value.as_str().or_else(|| value.get("id").and_then(Value::as_str));
        id.map(Self::from).ok_or_else(|| "expected a resource or its id".to_owned())
    }
}

macro_rules! has_id {
    ($($ty:ty),*) => { $(
        impl From<&$ty> for $crate::ec2::ResourceId {
            fn from(resource: &$ty) -> Self {
                Self::from(resource.id.as_str())
            }
        }
    )* };
}

has_id!(Node, NodeImage, StorageVolume, VolumeSnapshot);

/// What a resource of EC2 alone needs to be an argument: made of its id alone, whole or by its id in a call by name,
/// and with tags.
macro_rules! ec2_resource {
    ($ty:ident, $name:literal) => {
        impl $ty {
            #[doc = concat!("A ", $name, " of which only the id is known. Nothing is asked of the provider.")]
            pub fn from_id(id: impl Into<String>) -> Self {
                Self { id: id.into(), ..Self::default() }
            }
        }

        libcloud_common::resource!($ty, $name);
        has_id!($ty);
    };
}

pub(super) use {ec2_resource, has_id};
