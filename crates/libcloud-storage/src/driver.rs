//! What a storage provider can do.

use async_trait::async_trait;
use libcloud_common::{
    BoxStream, Driver, Options, Result, calls_by_name, extensions, forward, forward_stream,
};

use crate::body::UploadBody;
use crate::by_name::STORAGE_STREAM_METHODS;
use crate::entries::{Entry, ListEntries, level};
use crate::ext::STORAGE_EXT_METHODS;
use crate::hash::HashType;
use crate::options::{GetObjectCdnUrl, ListObjects, StreamObject, UploadObject};
use crate::parts::PartPool;
use crate::resources::{Container, Object};
use crate::stream::ObjectStream;

/// A driver of one storage provider. One value serves any number of tasks.
///
/// Each method is one operation of the provider. A method whose further arguments are all optional ends in `_with`;
/// [`StorageDriverExt`](crate::StorageDriverExt) has its short form (`delete_object(&obj)`) and what follows from
/// these methods (`list_containers`, transfers by path). A method that a driver does not have answers `NotSupported`,
/// as its capabilities say.
///
/// Errors have the same kinds everywhere: `NotFound` of a `container` or `object`, `AlreadyExists` of either,
/// `NotEmpty` for a container with objects, `InvalidName`, `HashMismatch`.
#[extensions(STORAGE_METHODS)]
#[async_trait]
pub trait StorageDriver: Driver {
    /// The driver that this one wraps: what it does not override is forwarded there.
    #[by_name(skip)]
    fn inner(&self) -> Option<&dyn StorageDriver> {
        None
    }

    /// The digest that [`Object::hash`] usually is; `None` if it is not one of the content, or there is none.
    #[by_name(skip)]
    fn hash_type(&self) -> Option<HashType> {
        self.inner().and_then(StorageDriver::hash_type)
    }

    /// Whether a body of unknown length goes to the provider as it comes. Otherwise it is sent in parts, or held back
    /// until its length is known.
    #[by_name(skip)]
    fn supports_chunked_encoding(&self) -> bool {
        self.inner().is_some_and(StorageDriver::supports_chunked_encoding)
    }

    /// Room for the pieces of downloads, where large objects arrive faster in several pieces at once. A driver that has one
    /// takes `range` and `if_match` of [`StreamObject`], and its streams tell their entity tag.
    #[by_name(skip)]
    fn download_pool(&self) -> Option<PartPool> {
        self.inner().and_then(StorageDriver::download_pool)
    }

    /// The containers, as they arrive.
    fn iterate_containers_with(&self, options: Options) -> BoxStream<'static, Result<Container>> {
        forward_stream!(self.iterate_containers_with(options))
    }

    /// The objects of a container, as they arrive.
    fn iterate_container_objects_with(
        &self,
        container: &Container,
        options: ListObjects,
    ) -> BoxStream<'static, Result<Object>> {
        forward_stream!(self.iterate_container_objects_with(container, options))
    }

    /// One level of a container, as it arrives: objects, and what the names of others begin with, as a folder has files and
    /// folders. Where the provider knows no levels, all objects below the prefix are read for it.
    #[by_name(skip)]
    fn iterate_container_entries_with(
        &self,
        container: &Container,
        options: ListEntries,
    ) -> BoxStream<'static, Result<Entry>> {
        match self.inner() {
            Some(inner) => inner.iterate_container_entries_with(container, options),
            None => level(self.iterate_container_objects_with(container, options.flat()), options),
        }
    }

    /// One container by its name.
    async fn get_container_with(&self, container_name: &str, options: Options) -> Result<Container> {
        forward!(self.get_container_with(container_name, options))
    }

    /// One object by its name.
    async fn get_object_with(
        &self,
        container_name: &str,
        object_name: &str,
        options: Options,
    ) -> Result<Object> {
        forward!(self.get_object_with(container_name, object_name, options))
    }

    /// Makes a container.
    async fn create_container_with(&self, container_name: &str, options: Options) -> Result<Container> {
        forward!(self.create_container_with(container_name, options))
    }

    /// Deletes an empty container.
    async fn delete_container_with(&self, container: &Container, options: Options) -> Result<()> {
        forward!(self.delete_container_with(container, options))
    }

    /// Deletes an object.
    async fn delete_object_with(&self, obj: &Object, options: Options) -> Result<()> {
        forward!(self.delete_object_with(obj, options))
    }

    /// Makes an object of a stream, or replaces it. Nobody sees it before all of it is there.
    ///
    /// Where the provider promises a checksum, and unless `verify_hash` is off, the driver compares it
    /// ([`UploadBody::hashing`]).
    async fn upload_object_via_stream_with(
        &self,
        iterator: UploadBody,
        container: &Container,
        object_name: &str,
        options: UploadObject,
    ) -> Result<Object> {
        forward!(self.upload_object_via_stream_with(iterator, container, object_name, options))
    }

    /// The content of an object, or a range of it, as it arrives. A driver whose capabilities do not name `range` or
    /// `if_match` refuses them.
    #[by_name(skip)]
    async fn download_object_as_stream_with(
        &self,
        obj: &Object,
        options: StreamObject,
    ) -> Result<ObjectStream> {
        forward!(self.download_object_as_stream_with(obj, options))
    }

    /// Where browsers find the container.
    async fn get_container_cdn_url_with(&self, container: &Container, options: Options) -> Result<String> {
        forward!(self.get_container_cdn_url_with(container, options))
    }

    /// Where browsers find the object, for some time or for ever.
    async fn get_object_cdn_url_with(&self, obj: &Object, options: GetObjectCdnUrl) -> Result<String> {
        forward!(self.get_object_cdn_url_with(obj, options))
    }

    /// Lets browsers find the container.
    async fn enable_container_cdn_with(&self, container: &Container, options: Options) -> Result<()> {
        forward!(self.enable_container_cdn_with(container, options))
    }

    /// Lets browsers find the object.
    async fn enable_object_cdn_with(&self, obj: &Object, options: Options) -> Result<()> {
        forward!(self.enable_object_cdn_with(obj, options))
    }
}

calls_by_name! {
    /// The content of an object is a text in JSON, or `{"base64": "…"}` where it is none: see
    /// `download_object_as_stream`, and [`UploadBody`] for the other way.
    ///
    dyn StorageDriver, &[STORAGE_METHODS, STORAGE_EXT_METHODS, STORAGE_STREAM_METHODS]
}
