//! Azure Blob Storage: <https://learn.microsoft.com/rest/api/storageservices/blob-service-rest-api>
//!
//! An object is a blob. It is uploaded as a block blob unless a page blob is asked for.

use std::collections::BTreeMap;
use std::mem::take;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::TryStreamExt as _;
use http::Method;
use http::header::ETAG;
use libcloud_common::{
    BoxStream, Capabilities, Clock, Config, Deadline, Descriptor, Driver, Error, Extensions, Options, Result,
    Search, Sources, arguments, extensions,
};
use libcloud_storage::rest::{headers, listing, meta_data, not_empty};
use libcloud_storage::{
    Container, GetObjectCdnUrl, HashType, ListObjects, Object, ObjectStream, StorageDriver, StreamObject,
    UploadBody, UploadObject,
};

use crate::credentials::Credentials;
use connection::BlobConnection;

mod connection;
mod names;
mod objects;
mod upload;
mod wire;

pub use objects::{ContainerExtra, Lease, ObjectExtra};
pub use upload::AzureUploadObject;

pub(crate) const DESCRIPTOR: Descriptor = Descriptor::new(
    "azure_blobs",
    "Azure Blob Storage",
    "https://azure.microsoft.com/products/storage/blobs",
);

/// How long a URL works unless its time is given.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// What an [`AzureBlobsDriver`] takes as options of its configuration.
#[arguments(drivers = ["azure_blobs"])]
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct AzureBlobsOptions {
    /// How many containers or objects one page of a listing has at the most; 5000 without.
    pub page_size: Option<u32>,
}

/// Extension arguments of `get_object_cdn_url`.
#[arguments(drivers = ["azure_blobs"])]
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct AzureGetObjectCdnUrl {
    /// How many hours the URL is to work; `expiry` counts in seconds.
    pub ex_expiry: Option<f64>,
    /// What can be done with the URL: `GET`, which it is without, `PUT` or `DELETE`.
    pub ex_method: Option<String>,
}

/// The blobs of one storage account. Cheap to clone.
#[derive(Clone, Debug)]
pub struct AzureBlobsDriver {
    conn: BlobConnection,
    page_size: Option<u32>,
}

impl AzureBlobsDriver {
    /// Makes the driver. Nothing is sent.
    ///
    /// # Errors
    /// `InvalidCredentials` if neither the configuration nor the environment has an account and what authorizes its
    /// use, or if those cannot be any; `InvalidArgument` for an unknown option or a version that cannot be one.
    pub fn new(config: Config) -> Result<Self> {
        let options: AzureBlobsOptions = config.driver_options(DESCRIPTOR.id)?;
        let search = &mut Search::new(&Sources::system());
        let credentials = Credentials::find(&config, search)?;
        let conn = BlobConnection::new(DESCRIPTOR.id, config, credentials)?;
        Ok(Self { conn, page_size: options.page_size })
    }

    /// The name of the storage account.
    pub fn account(&self) -> &str {
        self.conn.account()
    }

    /// <https://learn.microsoft.com/rest/api/storageservices/list-blobs>
    fn list_blobs(
        &self,
        container: &Container,
        prefix: Option<String>,
        page_size: Option<u32>,
        timeout: Result<Option<Duration>>,
    ) -> BoxStream<'static, Result<Object>> {
        let (conn, name) = (self.conn.clone(), container.name.clone());
        let page = timeout.map(|timeout| {
            move || {
                Ok(conn
                    .container(Method::GET, "ListBlobs", &name)?
                    .query("comp", "list")
                    .query("include", "metadata")
                    .query_opt("maxresults", page_size)
                    .query_opt("prefix", prefix.as_deref())
                    .timeout(timeout))
            }
        });
        let (conn, container) = (self.conn.clone(), Arc::new(container.clone()));
        listing(page, "marker", wire::blobs, move |found| {
            let url = conn.url(&container.name, Some(&found.name));
            Ok(objects::listed_blob(found, &container, url))
        })
    }
}

#[extensions(METADATA)]
impl AzureBlobsDriver {
    /// Replaces what is written on an object; the content stays.
    /// <https://learn.microsoft.com/rest/api/storageservices/set-blob-metadata>
    pub async fn ex_set_object_metadata(
        &self,
        obj: &Object,
        meta_data: BTreeMap<String, String>,
    ) -> Result<()> {
        let call = self.conn.blob(Method::PUT, "SetBlobMetadata", &obj.container.name, &obj.name)?;
        let headers = meta_data::headers(objects::META, &meta_data)?;
        call.query("comp", "metadata").headers(&headers).send().await.map(drop)
    }
}

impl Extensions for AzureBlobsDriver {
    fn tables() -> &'static [&'static [libcloud_common::Method<Self>]] {
        &[Self::METADATA]
    }
}

pub(crate) fn find_credentials(config: &Config, search: &mut Search) -> Result<()> {
    Credentials::find(config, search).map(drop)
}

pub(crate) fn capabilities() -> Capabilities {
    const REASON: &str = "endpoints belong to services of their own, Azure Front Door and Azure CDN";
    const LINK: &str = "https://learn.microsoft.com/azure/storage/blobs/storage-blob-static-website";
    Capabilities::new()
        .supports(&[
            "iterate_containers",
            "iterate_container_objects",
            "get_container",
            "get_object",
            "create_container",
            "delete_container",
            "delete_object",
            "upload_object_via_stream",
            "download_object_as_stream",
            "get_object_cdn_url",
        ])
        .cannot("get_container_cdn_url", REASON, LINK)
        .cannot("enable_container_cdn", REASON, LINK)
        .cannot("enable_object_cdn", REASON, LINK)
        .features("upload_object_via_stream", &["content_type", "meta_data", "only_if_absent"])
        .features("download_object_as_stream", &["if_match", "range"])
}

impl Driver for AzureBlobsDriver {
    fn descriptor(&self) -> Descriptor {
        DESCRIPTOR
    }

    fn capabilities(&self) -> Capabilities {
        capabilities()
    }

    fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(self.conn.http().clock())
    }
}

#[async_trait]
impl StorageDriver for AzureBlobsDriver {
    fn iterate_containers_with(&self, options: Options) -> BoxStream<'static, Result<Container>> {
        let (conn, page_size) = (self.conn.clone(), self.page_size);
        let timeout = options.plain("list_containers");
        let page = timeout.map(|timeout| {
            move || {
                Ok(conn
                    .service("ListContainers")
                    .query("comp", "list")
                    .query("include", "metadata")
                    .query_opt("maxresults", page_size)
                    .timeout(timeout))
            }
        });
        let conn = self.conn.clone();
        listing(page, "marker", wire::containers, move |found| {
            let url = conn.url(&found.name, None);
            Ok(objects::listed_container(found, url))
        })
    }

    /// In the order of the names.
    fn iterate_container_objects_with(
        &self,
        container: &Container,
        options: ListObjects,
    ) -> BoxStream<'static, Result<Object>> {
        let timeout = options.ex.none("list_container_objects").map(|()| options.timeout);
        self.list_blobs(container, options.prefix, self.page_size, timeout)
    }

    async fn get_container_with(&self, container_name: &str, options: Options) -> Result<Container> {
        let found = self
            .conn
            .container(Method::HEAD, "GetContainerProperties", container_name)?
            .timeout(options.plain("get_container")?)
            .send()
            .await?;
        objects::container(&found.headers, container_name, self.conn.url(container_name, None))
            .map_err(|error| error.in_operation(DESCRIPTOR.id, "GetContainerProperties"))
    }

    async fn get_object_with(
        &self,
        container_name: &str,
        object_name: &str,
        options: Options,
    ) -> Result<Object> {
        let found = self
            .conn
            .blob(Method::HEAD, "GetBlobProperties", container_name, object_name)?
            .timeout(options.plain("get_object")?)
            .send()
            .await?;
        let url = self.conn.url(container_name, Some(object_name));
        objects::blob(&found.headers, container_name, object_name, url)
            .map_err(|error| error.in_operation(DESCRIPTOR.id, "GetBlobProperties"))
    }

    async fn create_container_with(&self, container_name: &str, options: Options) -> Result<Container> {
        let timeout = options.plain("create_container")?;
        names::new_container(container_name)?;
        let call = self.conn.container(Method::PUT, "CreateContainer", container_name)?;
        let made = call.once().timeout(timeout).send().await?;
        objects::container(&made.headers, container_name, self.conn.url(container_name, None))
            .map_err(|error| error.in_operation(DESCRIPTOR.id, "CreateContainer"))
    }

    /// Azure deletes a container with all that is in it, so one more request finds out whether that is nothing. What
    /// is uploaded between the two is lost. The name is free again after half a minute or more.
    async fn delete_container_with(&self, container: &Container, options: Options) -> Result<()> {
        let deadline = Deadline::new(self.clock(), options.plain("delete_container")?);
        let mut first = self.list_blobs(container, None, Some(1), Ok(deadline.left()));
        if first.try_next().await?.is_some() {
            return Err(not_empty(&container.name).in_operation(DESCRIPTOR.id, "ListBlobs"));
        }
        let call = self.conn.container(Method::DELETE, "DeleteContainer", &container.name)?;
        call.once().timeout(deadline.left()).send().await.map(drop)
    }

    async fn delete_object_with(&self, obj: &Object, options: Options) -> Result<()> {
        let call = self.conn.blob(Method::DELETE, "DeleteBlob", &obj.container.name, &obj.name)?;
        call.once().timeout(options.plain("delete_object")?).send().await.map(drop)
    }

    /// What has no more than 4 MiB is sent in one request; more in blocks, some of them at a time, which become a blob
    /// only when all are there. A stream of unknown length needs no more memory than that.
    ///
    /// See [`AzureUploadObject`] for what it takes beside the base API's arguments.
    async fn upload_object_via_stream_with(
        &self,
        iterator: UploadBody,
        container: &Container,
        object_name: &str,
        options: UploadObject,
    ) -> Result<Object> {
        self.upload(iterator, container, object_name, options).await
    }

    async fn download_object_as_stream_with(
        &self,
        obj: &Object,
        options: StreamObject,
    ) -> Result<ObjectStream> {
        options.ex.none("download_object_as_stream")?;
        let deadline = Deadline::new(self.clock(), options.timeout);
        let answer = self
            .conn
            .blob(Method::GET, "GetBlob", &obj.container.name, &obj.name)?
            .if_match(options.if_match.as_deref())
            .timeout(deadline.left())
            .streaming(options.range)
            .await?;
        let md5 = objects::md5(&answer.headers).filter(|_| options.range.is_none());
        let size = headers::content_length(&answer.headers)
            .map_err(|error| error.in_operation(DESCRIPTOR.id, "GetBlob"))?;
        let etag = headers::text(&answer.headers, ETAG.as_str());
        let stream = ObjectStream::new(deadline.stream(answer.body)).with_size(size).with_etag(etag);
        let stream = match md5 {
            Some(md5) => stream.with_hash(HashType::Md5, md5),
            None => stream,
        };
        Ok(stream.with_headers(answer.headers))
    }

    /// A URL with a shared access signature: it works for a day unless another time is given. It is as good as a
    /// credential for this object. Nothing is asked of the provider, not even whether there is such an object.
    async fn get_object_cdn_url_with(&self, obj: &Object, mut options: GetObjectCdnUrl) -> Result<String> {
        let arguments: AzureGetObjectCdnUrl = take(&mut options.ex).decode("get_object_cdn_url")?;
        let permission = match arguments.ex_method.as_deref() {
            None | Some("GET") => "r",
            Some("PUT") => "w",
            Some("DELETE") => "d",
            Some(other) => {
                return Err(Error::invalid_argument(format!(
                    "`ex_method` is `GET`, `PUT` or `DELETE`, not `{other}`"
                ))
                .with_resource("argument", "ex_method"));
            }
        };
        let expires = options.expiry_or(arguments.ex_expiry, DAY)?;
        self.conn.signed_url(permission, &obj.container.name, &obj.name, expires)
    }
}
