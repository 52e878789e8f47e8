//! What a storage provider has: plain data, made by drivers or by hand from known names.

use std::collections::BTreeMap;
use std::sync::Arc;

use libcloud_common::dispatch::Arg;
use libcloud_common::{Extra, ExtraFields, Result, Timestamp, Value, resources};
use serde::{Deserialize, Serialize};

/// What objects are kept in: a bucket. Containers are not nested.
///
/// ```
/// use libcloud_storage::Container;
///
/// assert_eq!(Container::from_id("photos"), Container::new("photos"));
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Container {
    /// The name, which is also its id.
    pub name: String,
    /// What only this provider tells.
    #[serde(default)]
    pub extra: Extra,
}

/// A file or blob in a container.
///
/// Objects come by the million: they share their container, and what listings tell of each (type, time, entity tag)
/// are fields, since a map for them would need more memory than all the rest.
///
/// ```
/// use libcloud_storage::Object;
///
/// let object = Object::from_id("photos/2013/cat.jpg");
/// assert_eq!((object.container.name.as_str(), object.name.as_str()), ("photos", "2013/cat.jpg"));
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Object {
    /// The name within its container; it may have slashes.
    pub name: String,
    /// The size in bytes; 0 in an object that was made from its name alone.
    #[serde(default)]
    pub size: u64,
    /// The provider's checksum, where it tells one. Whether it is a digest of the content is another question:
    /// see [`ObjectStream::hash`](crate::ObjectStream::hash).
    #[serde(default)]
    pub hash: Option<String>,
    /// The container.
    pub container: Arc<Container>,
    /// The MIME type, where the provider tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<Box<str>>,
    /// When the content was last changed, where the provider tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_modified: Option<Timestamp>,
    /// The entity tag of this version of the content, without quotes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<Box<str>>,
    /// What only this provider tells.
    #[serde(default)]
    pub extra: Extra,
    /// What its owner has written on it.
    #[serde(default)]
    pub meta_data: BTreeMap<String, String>,
}

resources! {
    Container, "container";
}

impl Container {
    /// A container.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), extra: Extra::new() }
    }

    /// A container of which only the name is known. Nothing is asked of the provider.
    pub fn from_id(name: impl Into<String>) -> Self {
        Self::new(name)
    }
}

impl Object {
    /// An object of this size in this container.
    pub fn new(name: impl Into<String>, size: u64, container: &Arc<Container>) -> Self {
        Self {
            name: name.into(),
            size,
            hash: None,
            container: Arc::clone(container),
            content_type: None,
            last_modified: None,
            etag: None,
            extra: Extra::new(),
            meta_data: BTreeMap::new(),
        }
    }

    /// An object of which only the names are known: `container/name`, of which the first slash parts the two.
    /// Nothing is asked of the provider.
    pub fn from_id(id: impl AsRef<str>) -> Self {
        let id = id.as_ref();
        let (container, name) = id.split_once('/').unwrap_or((id, ""));
        Self::from_names(container, name)
    }

    /// An object of which only the names are known.
    pub fn from_names(container_name: impl Into<String>, object_name: impl Into<String>) -> Self {
        Self::new(object_name, 0, &Arc::new(Container::new(container_name)))
    }

    /// The same with this checksum.
    pub fn with_hash(mut self, hash: impl Into<Option<String>>) -> Self {
        self.hash = hash.into();
        self
    }

    /// The same with this MIME type.
    pub fn with_content_type(mut self, content_type: Option<impl Into<Box<str>>>) -> Self {
        self.content_type = content_type.map(Into::into);
        self
    }

    /// The same, last changed at this time.
    pub fn with_last_modified(mut self, time: impl Into<Option<Timestamp>>) -> Self {
        self.last_modified = time.into();
        self
    }

    /// The same with this entity tag; quotes around it are dropped.
    pub fn with_etag(mut self, etag: Option<impl AsRef<str>>) -> Self {
        self.etag = etag.map(|etag| etag.as_ref().trim_matches('"').into());
        self
    }

    /// The same with what its owner has written on it.
    pub fn with_meta_data(mut self, meta_data: BTreeMap<String, String>) -> Self {
        self.meta_data = meta_data;
        self
    }

    /// The same with what only this provider tells.
    pub fn with_extra(mut self, extra: Extra) -> Self {
        self.extra = extra;
        self
    }

    /// What only this provider tells, as the driver's own struct.
    pub fn extra_as<T: ExtraFields>(&self) -> Result<T> {
        self.extra.read()
    }
}

impl Arg for Object {
    const TYPE: &'static str = "object";

    fn from_json(value: Value) -> Result<Self, String> {
        match value {
            Value::String(id) => match id.split_once('/') {
                Some((container, name)) if !container.is_empty() && !name.is_empty() => {
                    Ok(Self::from_names(container, name))
                }
                _ => Err(format!("expected `container/name`, found `{id}`")),
            },
            whole => Self::deserialize(whole)
                .map_err(|error| format!("expected an object or its `container/name`: {error}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn json_has_the_seeds_names() {
        let container = Arc::new(Container::new("photos"));
        let object =
            Object::new("cat.jpg", 3, &container).with_hash("900150983cd24fb0d6963f7d28e17f72".to_owned());
        let json = serde_json::to_value(&object).unwrap();
        assert_eq!(
            json,
            json!({
                "name": "cat.jpg", "size": 3, "hash": "900150983cd24fb0d6963f7d28e17f72",
                "container": {"name": "photos", "extra": {}}, "extra": {}, "meta_data": {},
            })
        );
        assert_eq!(serde_json::from_value::<Object>(json).unwrap(), object);
    }

    #[test]
    fn an_argument_is_the_whole_object_or_both_names() {
        let object = Object::from_json(json!("photos/a/b")).unwrap();
        assert_eq!(object, Object::from_names("photos", "a/b"));
        let whole = serde_json::to_value(&object).unwrap();
        assert_eq!(Object::from_json(whole).unwrap(), object);
        for wrong in ["photos", "/a", "photos/"] {
            let problem = Object::from_json(json!(wrong)).unwrap_err();
            assert!(problem.contains("container/name"), "{problem}");
        }
    }

    #[test]
    fn a_million_objects_fit() {
        assert!(size_of::<Object>() <= 184, "{}", size_of::<Object>());
    }
}
