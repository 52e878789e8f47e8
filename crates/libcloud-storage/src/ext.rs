//! What follows from a storage driver's methods, written once for all of them.

use std::path::Path;

use async_trait::async_trait;
use futures_util::TryStreamExt as _;
use libcloud_common::{BoxStream, Options, Result, extensions};

use crate::body::UploadBody;
use crate::driver::StorageDriver;
use crate::options::{ByteRange, DownloadObject, GetObjectCdnUrl, ListObjects, StreamObject, UploadObject};
use crate::resources::{Container, Object};
use crate::stream::ObjectStream;
use crate::transfer;

/// Short forms and helpers on every storage driver.
#[extensions(STORAGE_EXT_METHODS, on = StorageDriver)]
#[async_trait]
pub trait StorageDriverExt: StorageDriver {
    /// The containers, as they arrive.
    fn iterate_containers(&self) -> BoxStream<'static, Result<Container>> {
        self.iterate_containers_with(Options::new())
    }

    /// All containers.
    #[by_name]
    async fn list_containers_with(&self, options: Options) -> Result<Vec<Container>> {
        self.iterate_containers_with(options).try_collect().await
    }

    /// All containers.
    async fn list_containers(&self) -> Result<Vec<Container>> {
        self.list_containers_with(Options::new()).await
    }

    /// The objects of a container, as they arrive.
    fn iterate_container_objects(&self, container: &Container) -> BoxStream<'static, Result<Object>> {
        self.iterate_container_objects_with(container, ListObjects::new())
    }

    /// All objects of a container. It may hold millions: see
    /// [`iterate_container_objects`](Self::iterate_container_objects).
    #[by_name]
    async fn list_container_objects_with(
        &self,
        container: &Container,
        options: ListObjects,
    ) -> Result<Vec<Object>> {
        self.iterate_container_objects_with(container, options).try_collect().await
    }

    /// All objects of a container.
    async fn list_container_objects(&self, container: &Container) -> Result<Vec<Object>> {
        self.list_container_objects_with(container, ListObjects::new()).await
    }

    /// One container by its name.
    async fn get_container(&self, container_name: &str) -> Result<Container> {
        self.get_container_with(container_name, Options::new()).await
    }

    /// One object by its name.
    async fn get_object(&self, container_name: &str, object_name: &str) -> Result<Object> {
        self.get_object_with(container_name, object_name, Options::new()).await
    }

    /// Makes a container.
    async fn create_container(&self, container_name: &str) -> Result<Container> {
        self.create_container_with(container_name, Options::new()).await
    }

    /// Deletes an empty container.
    async fn delete_container(&self, container: &Container) -> Result<()> {
        self.delete_container_with(container, Options::new()).await
    }

    /// Deletes an object.
    async fn delete_object(&self, obj: &Object) -> Result<()> {
        self.delete_object_with(obj, Options::new()).await
    }

    /// Makes an object of a file, or replaces it. The MIME type is guessed from the object's name, then from the
    /// file's, unless it is given.
    ///
    /// To hear how far it is, use [`UploadBody::from_file`] and
    /// [`upload_object_via_stream_with`](StorageDriver::upload_object_via_stream_with).
    #[by_name]
    async fn upload_object_with(
        &self,
        file_path: &Path,
        container: &Container,
        object_name: &str,
        options: UploadObject,
    ) -> Result<Object> {
        transfer::upload(self, file_path, container, object_name, options).await
    }

    /// Makes an object of a file, or replaces it.
    async fn upload_object(
        &self,
        file_path: &Path,
        container: &Container,
        object_name: &str,
    ) -> Result<Object> {
        self.upload_object_with(file_path, container, object_name, UploadObject::new()).await
    }

    /// Makes an object of a stream, or replaces it.
    async fn upload_object_via_stream(
        &self,
        body: UploadBody,
        container: &Container,
        object_name: &str,
    ) -> Result<Object> {
        self.upload_object_via_stream_with(body, container, object_name, UploadObject::new()).await
    }

    /// Writes an object into a file. If the destination is a folder, the file gets the last part of the object's name.
    ///
    /// The content goes to a temporary file beside the destination, is compared with the size and checksum that the
    /// provider promises, and then takes the destination's place at once.
    ///
    /// # Errors
    /// `AlreadyExists` if the file is there and is not to be replaced; `HashMismatch` if what arrived is not what the
    /// provider has; `InvalidName` for an object whose name cannot be a file's in that folder.
    #[by_name]
    async fn download_object_with(
        &self,
        obj: &Object,
        destination_path: &Path,
        options: DownloadObject,
    ) -> Result<()> {
        transfer::download(self, obj, destination_path, None, options).await
    }

    /// Writes an object into a file that is not there yet, or into a folder.
    async fn download_object(&self, obj: &Object, destination_path: &Path) -> Result<()> {
        self.download_object_with(obj, destination_path, DownloadObject::new()).await
    }

    /// Writes the part of an object from `start_bytes` up to, not including, `end_bytes`, or to the object's end,
    /// into a file.
    #[by_name]
    async fn download_object_range_with(
        &self,
        obj: &Object,
        destination_path: &Path,
        start_bytes: u64,
        end_bytes: Option<u64>,
        options: DownloadObject,
    ) -> Result<()> {
        let range = ByteRange::new(start_bytes, end_bytes)?;
        transfer::download(self, obj, destination_path, Some(range), options).await
    }

    /// Writes part of an object into a file that is not there yet, or into a folder.
    async fn download_object_range(
        &self,
        obj: &Object,
        destination_path: &Path,
        start_bytes: u64,
        end_bytes: Option<u64>,
    ) -> Result<()> {
        let options = DownloadObject::new();
        self.download_object_range_with(obj, destination_path, start_bytes, end_bytes, options).await
    }

    /// The content of an object as it arrives.
    async fn download_object_as_stream(&self, obj: &Object) -> Result<ObjectStream> {
        self.download_object_as_stream_with(obj, StreamObject::new()).await
    }

    /// The content of an object from `start_bytes` up to, not including, `end_bytes`, or to the object's end, as it
    /// arrives.
    async fn download_object_range_as_stream(
        &self,
        obj: &Object,
        start_bytes: u64,
        end_bytes: Option<u64>,
    ) -> Result<ObjectStream> {
        let options = StreamObject::new().range(ByteRange::new(start_bytes, end_bytes)?);
        self.download_object_as_stream_with(obj, options).await
    }

    /// Where browsers find the container.
    async fn get_container_cdn_url(&self, container: &Container) -> Result<String> {
        self.get_container_cdn_url_with(container, Options::new()).await
    }

    /// Where browsers find the object.
    async fn get_object_cdn_url(&self, obj: &Object) -> Result<String> {
        self.get_object_cdn_url_with(obj, GetObjectCdnUrl::new()).await
    }

    /// Lets browsers find the container.
    async fn enable_container_cdn(&self, container: &Container) -> Result<()> {
        self.enable_container_cdn_with(container, Options::new()).await
    }

    /// Lets browsers find the object.
    async fn enable_object_cdn(&self, obj: &Object) -> Result<()> {
        self.enable_object_cdn_with(obj, Options::new()).await
    }
}

impl<D: StorageDriver + ?Sized> StorageDriverExt for D {}
