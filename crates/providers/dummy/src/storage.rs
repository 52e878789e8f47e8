//! Dummy storage.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::{StreamExt as _, stream};
use libcloud_common::{
    BoxStream, Capabilities, Clock, Descriptor, Driver, Error, ErrorKind, Extensions, Method, Options,
    Result, Timestamp, encode, extensions, json, once,
};
use libcloud_storage::{
    Container, GetObjectCdnUrl, HashType, ListObjects, Object, ObjectStream, STORAGE_METHODS, StorageDriver,
    StreamObject, UploadBody, UploadObject, check_version,
};
use serde::{Deserialize, Serialize};

use crate::cloud::{DummyCloud, State as Cloud, arg};

/// How much a dummy object may hold: it lives in memory.
const MAX_OBJECT: usize = 256 << 20;

/// What the storage service holds: containers by name, objects by name in each.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct State {
    containers: BTreeMap<String, BTreeMap<String, Stored>>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Stored {
    #[serde(with = "content")]
    content: Arc<[u8]>,
    hash: String,
    content_type: String,
    meta_data: BTreeMap<String, String>,
    modified: Timestamp,
}

/// Content as Base64 in the state file.
mod content {
    use std::sync::Arc;

    use libcloud_common::encode;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(content: &Arc<[u8]>, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&encode::base64(content))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Arc<[u8]>, D::Error> {
        let text = String::deserialize(deserializer)?;
        encode::decode_base64(&text).map(Into::into).map_err(serde::de::Error::custom)
    }
}

impl State {
    fn container(&mut self, name: &str) -> Result<&mut BTreeMap<String, Stored>> {
        self.containers.get_mut(name).ok_or_else(|| Error::not_found("container", name))
    }

    fn stored(&mut self, container: &str, name: &str) -> Result<&Stored> {
        self.container(container)?.get(name).ok_or_else(|| Error::not_found("object", name))
    }

    fn described(&mut self, name: &str) -> Result<Container> {
        let count = self.container(name)?.len();
        let mut container = Container::new(name);
        container.extra.insert("object_count", count);
        Ok(container)
    }
}

impl Stored {
    fn object(&self, name: &str, container: &Arc<Container>) -> Object {
        Object::new(name, self.content.len() as u64, container)
            .with_hash(self.hash.clone())
            .with_content_type(Some(self.content_type.as_str()))
            .with_last_modified(self.modified)
            .with_meta_data(self.meta_data.clone())
    }
}

/// The dummy cloud's storage driver.
#[derive(Clone, Debug)]
pub struct DummyStorageDriver {
    cloud: DummyCloud,
}

impl DummyStorageDriver {
    /// A driver of this cloud.
    pub fn new(cloud: DummyCloud) -> Self {
        Self { cloud }
    }
}

/// How much the dummy cloud holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StorageMetaData {
    /// The number of containers.
    pub container_count: usize,
    /// The number of objects in them.
    pub object_count: usize,
    /// The size of the objects in bytes.
    pub bytes_used: usize,
}

#[extensions(TESTING)]
impl DummyStorageDriver {
    /// How much there is.
    pub async fn ex_get_meta_data(&self) -> Result<StorageMetaData> {
        let count = |cloud: &mut Cloud| {
            let objects = || cloud.storage.containers.values().flat_map(BTreeMap::values);
            Ok(StorageMetaData {
                container_count: cloud.storage.containers.len(),
                object_count: objects().count(),
                bytes_used: objects().map(|object| object.content.len()).sum(),
            })
        };
        self.cloud.act("ex_get_meta_data", json!({}), count).await
    }
}

impl Extensions for DummyStorageDriver {
    fn tables() -> &'static [&'static [Method<Self>]] {
        &[Self::TESTING]
    }
}

pub(crate) fn capabilities() -> Capabilities {
    let all: Vec<&'static str> = STORAGE_METHODS.iter().map(|method| method.name).collect();
    Capabilities::new()
        .supports(&all)
        .supports(&["download_object_as_stream"])
        .features("upload_object_via_stream", &["content_type", "meta_data", "only_if_absent"])
        .features("download_object_as_stream", &["if_match", "range"])
}

impl Driver for DummyStorageDriver {
    fn descriptor(&self) -> Descriptor {
        crate::DESCRIPTOR
    }

    fn capabilities(&self) -> Capabilities {
        capabilities()
    }

    fn clock(&self) -> Arc<dyn Clock> {
        self.cloud.clock()
    }
}

#[async_trait]
impl StorageDriver for DummyStorageDriver {
    fn hash_type(&self) -> Option<HashType> {
        Some(HashType::Md5)
    }

    fn supports_chunked_encoding(&self) -> bool {
        true
    }

    fn iterate_containers_with(&self, options: Options) -> BoxStream<'static, Result<Container>> {
        let cloud = self.cloud.clone();
        once(async move {
            options.plain("list_containers")?;
            let list = |cloud: &mut Cloud| {
                let names: Vec<String> = cloud.storage.containers.keys().cloned().collect();
                names.iter().map(|name| cloud.storage.described(name)).collect()
            };
            cloud.act("list_containers", json!({}), list).await
        })
    }

    fn iterate_container_objects_with(
        &self,
        container: &Container,
        options: ListObjects,
    ) -> BoxStream<'static, Result<Object>> {
        let (cloud, container) = (self.cloud.clone(), Arc::new(Container::new(container.name.as_str())));
        once(async move {
            options.ex.none("list_container_objects")?;
            let prefix = options.prefix.unwrap_or_default();
            let list = move |cloud: &mut Cloud| {
                let objects = cloud.storage.container(&container.name)?;
                let wanted = objects.iter().filter(|(name, _)| name.starts_with(&prefix));
                Ok(wanted.map(|(name, stored)| stored.object(name, &container)).collect())
            };
            cloud.act("list_container_objects", json!({}), list).await
        })
    }

    async fn get_container_with(&self, container_name: &str, options: Options) -> Result<Container> {
        options.plain("get_container")?;
        let name = container_name.to_owned();
        let args = arg("container_name", container_name);
        self.cloud.act("get_container", args, move |cloud| cloud.storage.described(&name)).await
    }

    async fn get_object_with(
        &self,
        container_name: &str,
        object_name: &str,
        options: Options,
    ) -> Result<Object> {
        options.plain("get_object")?;
        let args = json!({"container_name": container_name, "object_name": object_name});
        let (container, name) = (Arc::new(Container::new(container_name)), object_name.to_owned());
        let get = move |cloud: &mut Cloud| {
            Ok(cloud.storage.stored(&container.name, &name)?.object(&name, &container))
        };
        self.cloud.act("get_object", args, get).await
    }

    async fn create_container_with(&self, container_name: &str, options: Options) -> Result<Container> {
        options.plain("create_container")?;
        check_name("container", container_name)?;
        let name = container_name.to_owned();
        let create = move |cloud: &mut Cloud| {
            if cloud.storage.containers.contains_key(&name) {
                return Err(Error::already_exists("container", name));
            }
            cloud.storage.containers.insert(name.clone(), BTreeMap::new());
            cloud.storage.described(&name)
        };
        self.cloud.act("create_container", arg("container_name", container_name), create).await
    }

    async fn delete_container_with(&self, container: &Container, options: Options) -> Result<()> {
        options.plain("delete_container")?;
        let name = container.name.clone();
        let delete = move |cloud: &mut Cloud| {
            if !cloud.storage.container(&name)?.is_empty() {
                return Err(Error::new(ErrorKind::NotEmpty, format!("container `{name}` holds objects"))
                    .with_resource("container", name));
            }
            cloud.storage.containers.remove(&name);
            Ok(())
        };
        self.cloud.act("delete_container", arg("container", &container.name), delete).await
    }

    async fn delete_object_with(&self, obj: &Object, options: Options) -> Result<()> {
        options.plain("delete_object")?;
        let (container, name) = (obj.container.name.clone(), obj.name.clone());
        let delete = move |cloud: &mut Cloud| {
            let removed = cloud.storage.container(&container)?.remove(&name);
            removed.map(|_| ()).ok_or_else(|| Error::not_found("object", name))
        };
        self.cloud.act("delete_object", arg("obj", &obj.name), delete).await
    }

    async fn upload_object_via_stream_with(
        &self,
        iterator: UploadBody,
        container: &Container,
        object_name: &str,
        options: UploadObject,
    ) -> Result<Object> {
        let content_type = options.content_type_for(object_name);
        options.ex.none("upload_object_via_stream")?;
        if !options.headers.is_empty() || options.acl.is_some() {
            return Err(Error::invalid_argument(
                "upload_object_via_stream: the dummy cloud has no headers and no ACL",
            ));
        }
        check_name("object", object_name)?;
        let args = json!({"container": container.name, "object_name": object_name});
        let (iterator, digest) = iterator.hashing(HashType::Md5);
        // Read before the cloud is touched: an upload that breaks leaves nothing.
        let content = ObjectStream::new(iterator.into_stream()).read_all(MAX_OBJECT).await?;
        let stored = Stored {
            hash: digest.hex(),
            content: content.to_vec().into(),
            content_type,
            meta_data: options.meta_data,
            modified: self.cloud.clock().now(),
        };
        let (container, name) = (Arc::new(Container::new(container.name.as_str())), object_name.to_owned());
        let upload = move |cloud: &mut Cloud| {
            let objects = cloud.storage.container(&container.name)?;
            if options.only_if_absent && objects.contains_key(&name) {
                return Err(Error::already_exists("object", name));
            }
            let object = stored.object(&name, &container);
            objects.insert(name, stored);
            Ok(object)
        };
        self.cloud.act("upload_object_via_stream", args, upload).await
    }

    async fn download_object_as_stream_with(
        &self,
        obj: &Object,
        options: StreamObject,
    ) -> Result<ObjectStream> {
        options.ex.none("download_object_as_stream")?;
        let (container, name) = (obj.container.name.clone(), obj.name.clone());
        let get = move |cloud: &mut Cloud| Ok(cloud.storage.stored(&container, &name)?.clone());
        let stored = self.cloud.act("download_object_as_stream", arg("obj", &obj.name), get).await?;
        // Content that is the same is the same version here.
        check_version(&obj.name, options.if_match.as_deref(), &stored.hash)?;
        let size = stored.content.len() as u64;
        let range = options.range.map(|range| range.within(size)).transpose()?;
        let whole = range.is_none();
        let range = range.unwrap_or(0..size);
        // In memory, so both fit.
        let (start, end) = (usize::try_from(range.start), usize::try_from(range.end));
        let part = start
            .ok()
            .zip(end.ok())
            .and_then(|(start, end)| stored.content.get(start..end))
            .unwrap_or_default();
        let piece = options.chunk_size.and_then(|size| usize::try_from(size).ok()).unwrap_or(64 << 10).max(1);
        let pieces: Vec<_> = part.chunks(piece).map(|piece| Ok(piece.to_vec().into())).collect();
        let content = ObjectStream::new(stream::iter(pieces).boxed()).with_size(range.end - range.start);
        let content = content.with_etag(Some(&stored.hash));
        Ok(if whole { content.with_hash(HashType::Md5, stored.hash) } else { content })
    }

    async fn get_container_cdn_url_with(&self, container: &Container, options: Options) -> Result<String> {
        options.plain("get_container_cdn_url")?;
        let name = container.name.clone();
        let get = move |cloud: &mut Cloud| {
            cloud.storage.container(&name)?;
            Ok(cdn_url(&[&name]))
        };
        self.cloud.act("get_container_cdn_url", arg("container", &container.name), get).await
    }

    async fn get_object_cdn_url_with(&self, obj: &Object, options: GetObjectCdnUrl) -> Result<String> {
        options.ex.none("get_object_cdn_url")?;
        let (container, name) = (obj.container.name.clone(), obj.name.clone());
        let get = move |cloud: &mut Cloud| {
            cloud.storage.stored(&container, &name)?;
            Ok(cdn_url(&[&container, &name]))
        };
        self.cloud.act("get_object_cdn_url", arg("obj", &obj.name), get).await
    }

    async fn enable_container_cdn_with(&self, container: &Container, options: Options) -> Result<()> {
        options.plain("enable_container_cdn")?;
        let name = container.name.clone();
        let enable = move |cloud: &mut Cloud| cloud.storage.container(&name).map(|_| ());
        self.cloud.act("enable_container_cdn", arg("container", &container.name), enable).await
    }

    async fn enable_object_cdn_with(&self, obj: &Object, options: Options) -> Result<()> {
        options.plain("enable_object_cdn")?;
        let (container, name) = (obj.container.name.clone(), obj.name.clone());
        let enable = move |cloud: &mut Cloud| cloud.storage.stored(&container, &name).map(|_| ());
        self.cloud.act("enable_object_cdn", arg("obj", &obj.name), enable).await
    }
}

fn check_name(kind: &'static str, name: &str) -> Result<()> {
    if name.is_empty() {
        return Err(Error::new(ErrorKind::InvalidName, format!("the name of a {kind} must not be empty")));
    }
    // `container/object` would name another object then.
    if kind == "container" && name.contains('/') {
        return Err(Error::new(ErrorKind::InvalidName, format!("container name `{name}` has a slash"))
            .with_resource("container", name));
    }
    Ok(())
}

fn cdn_url(names: &[&str]) -> String {
    let path: Vec<String> = names.iter().map(|name| encode::key(name)).collect();
    format!("https://cdn.example.com/{}", path.join("/"))
}
