//! Resources with their driver: `object.delete()` in place of `driver.delete_object(&object)`.

use std::path::Path;

use libcloud_common::{BoxStream, Options, Result, handle};

use crate::body::UploadBody;
use crate::driver::StorageDriver;
use crate::ext::StorageDriverExt as _;
use crate::options::{ByteRange, DownloadObject, ListObjects, StreamObject, UploadObject};
use crate::resources::{Container, Object};
use crate::stream::ObjectStream;

handle! {
    /// A container with its driver.
    ContainerHandle(Container), dyn StorageDriver, container
}
handle! {
    /// An object with its driver.
    ObjectHandle(Object), dyn StorageDriver, object
}

impl ContainerHandle {
    /// Its objects, as they arrive.
    pub fn iterate_objects(&self, options: ListObjects) -> BoxStream<'static, Result<Object>> {
        self.driver.iterate_container_objects_with(self, options)
    }

    /// All of its objects.
    pub async fn list_objects(&self, options: ListObjects) -> Result<Vec<Object>> {
        self.driver.list_container_objects_with(self, options).await
    }

    /// Where browsers find it.
    pub async fn get_cdn_url(&self) -> Result<String> {
        self.driver.get_container_cdn_url(self).await
    }

    /// Lets browsers find it.
    pub async fn enable_cdn(&self, options: Options) -> Result<()> {
        self.driver.enable_container_cdn_with(self, options).await
    }

    /// One of its objects by its name.
    pub async fn get_object(&self, object_name: &str) -> Result<Object> {
        self.driver.get_object(&self.name, object_name).await
    }

    /// Makes an object of a file, or replaces it.
    pub async fn upload_object(
        &self,
        file_path: impl AsRef<Path>,
        object_name: &str,
        options: UploadObject,
    ) -> Result<Object> {
        let path = file_path.as_ref();
        self.driver.upload_object_with(path, self, object_name, options).await
    }

    /// Makes an object of a stream, or replaces it.
    pub async fn upload_object_via_stream(
        &self,
        body: impl Into<UploadBody>,
        object_name: &str,
        options: UploadObject,
    ) -> Result<Object> {
        let body = body.into();
        self.driver.upload_object_via_stream_with(body, self, object_name, options).await
    }

    /// Writes one of its objects into a file.
    pub async fn download_object(
        &self,
        obj: &Object,
        destination_path: impl AsRef<Path>,
        options: DownloadObject,
    ) -> Result<()> {
        let path = destination_path.as_ref();
        self.driver.download_object_with(obj, path, options).await
    }

    /// The content of one of its objects as it arrives.
    pub async fn download_object_as_stream(
        &self,
        obj: &Object,
        options: StreamObject,
    ) -> Result<ObjectStream> {
        self.driver.download_object_as_stream_with(obj, options).await
    }

    /// Writes part of one of its objects into a file.
    pub async fn download_object_range(
        &self,
        obj: &Object,
        destination_path: impl AsRef<Path>,
        start_bytes: u64,
        end_bytes: Option<u64>,
        options: DownloadObject,
    ) -> Result<()> {
        let path = destination_path.as_ref();
        self.driver.download_object_range_with(obj, path, start_bytes, end_bytes, options).await
    }

    /// Part of the content of one of its objects as it arrives.
    pub async fn download_object_range_as_stream(
        &self,
        obj: &Object,
        start_bytes: u64,
        end_bytes: Option<u64>,
        options: StreamObject,
    ) -> Result<ObjectStream> {
        let options = options.range(ByteRange::new(start_bytes, end_bytes)?);
        self.driver.download_object_as_stream_with(obj, options).await
    }

    /// Deletes one of its objects.
    pub async fn delete_object(&self, obj: &Object) -> Result<()> {
        self.driver.delete_object(obj).await
    }

    /// Deletes it, if it is empty.
    pub async fn delete(&self) -> Result<()> {
        self.driver.delete_container(self).await
    }
}

impl ObjectHandle {
    /// Where browsers find it.
    pub async fn get_cdn_url(&self) -> Result<String> {
        self.driver.get_object_cdn_url(self).await
    }

    /// Lets browsers find it.
    pub async fn enable_cdn(&self, options: Options) -> Result<()> {
        self.driver.enable_object_cdn_with(self, options).await
    }

    /// Writes it into a file.
    pub async fn download(&self, destination_path: impl AsRef<Path>, options: DownloadObject) -> Result<()> {
        let path = destination_path.as_ref();
        self.driver.download_object_with(self, path, options).await
    }

    /// Its content as it arrives.
    pub async fn as_stream(&self, options: StreamObject) -> Result<ObjectStream> {
        self.driver.download_object_as_stream_with(self, options).await
    }

    /// Writes part of it into a file.
    pub async fn download_range(
        &self,
        destination_path: impl AsRef<Path>,
        start_bytes: u64,
        end_bytes: Option<u64>,
        options: DownloadObject,
    ) -> Result<()> {
        let path = destination_path.as_ref();
        self.driver.download_object_range_with(self, path, start_bytes, end_bytes, options).await
    }

    /// Part of its content as it arrives.
    pub async fn range_as_stream(
        &self,
        start_bytes: u64,
        end_bytes: Option<u64>,
        options: StreamObject,
    ) -> Result<ObjectStream> {
        let options = options.range(ByteRange::new(start_bytes, end_bytes)?);
        self.driver.download_object_as_stream_with(self, options).await
    }

    /// Deletes it.
    pub async fn delete(&self) -> Result<()> {
        self.driver.delete_object(self).await
    }
}
