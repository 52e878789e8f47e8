//! Amazon S3: <https://docs.aws.amazon.com/AmazonS3/latest/API/>
//!
//! A container is a bucket. At Amazon it is addressed by a host of its own where its name allows that, anywhere else
//! (`endpoint`, `host`), or with the option `path_style`, by a path.

use std::mem::take;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use http::Method;
use http::header::ETAG;
use libcloud_common::xml::Writer;
use libcloud_common::{
    ArgSpec, Arguments as _, BoxFuture, BoxStream, Capabilities, Clock, Config, Deadline, Descriptor, Driver,
    Error, ErrorKind, Extensions, Extra, ExtraFields, Identity, Options, Request, Result, Search, Secret,
    Sources, Timestamp, arguments, dispatch, extensions, serialize_exposed,
};
use libcloud_storage::parts::PartPool;
use libcloud_storage::rest::{headers, listing};
use libcloud_storage::{
    Container, Entry, GetObjectCdnUrl, HashType, ListEntries, ListObjects, Object, ObjectStream,
    StorageDriver, StreamObject, UploadBody, UploadObject,
};
use serde::{Deserialize, Serialize};

use crate::credentials::Credentials;
use crate::signer::{SignatureVersion, string_or_number};
use crate::sts::Sts;
use connection::S3Connection;
use upload::Seal;

mod acl;
mod connection;
mod copy;
mod delete;
pub(crate) mod dialect;
mod encryption;
mod list;
mod names;
mod objects;
mod places;
mod upload;
mod uploads;
mod wire;

pub use acl::{Acl, Grant};
pub use copy::S3CopyObject;
pub use delete::DeleteFailure;
pub use dialect::{Checksums, Hosts, ListVersion, PartLimits, RegionForm, Regions, S3Dialect, S3Signature};
pub use objects::{ObjectExtra, S3GetObject};
pub use upload::S3UploadObject;
pub use uploads::MultipartUpload;

pub(crate) const DESCRIPTOR: Descriptor = Descriptor::new("s3", "Amazon S3", "https://aws.amazon.com/s3/");

/// DigitalOcean Spaces.
pub(crate) const SPACES: Descriptor = Descriptor::new(
    "digitalocean_spaces",
    "DigitalOcean Spaces",
    "https://www.digitalocean.com/products/object-storage/",
);

/// MinIO.
pub(crate) const MINIO: Descriptor = Descriptor::new("minio", "MinIO", "https://min.io/");

/// The namespace of the documents that are sent.
const NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";

/// What the headers begin with by which the owner of an object writes on it.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html#UserMetadata>
const META: &str = "x-amz-meta-";

/// How long a URL works unless its time is given.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// What an [`S3Driver`] takes as options of its configuration.
#[arguments(drivers = ["s3", "digitalocean_spaces", "minio"])]
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct S3Options {
    /// The token of temporary credentials.
    #[renamed("session_token")]
    #[serde(serialize_with = "serialize_exposed")]
    pub token: Option<Secret>,
    /// The profile of the files that Amazon's tools share; with it the variables of an access key are not looked at.
    pub profile: Option<String>,
    /// `4`, or `2` for old installations that know no other.
    #[serde(deserialize_with = "string_or_number")]
    pub signature_version: Option<String>,
    /// Whether containers are always addressed by a path, also where they can be hosts.
    pub path_style: Option<bool>,
    /// How many parts of uploads are on their way, or in memory, at the same time; 4 without. As many pieces of downloads.
    pub parts_in_flight: Option<usize>,
    /// Whether the content of uploads is part of the signature (`true`). Without, it is sent with a checksum that costs less:
    /// CRC-64/NVME where the service knows it, else MD5. Amazon takes that over TLS only.
    pub payload_signing: Option<bool>,
    /// What the service at an `endpoint` does in its own way: `compatible`, which an unknown one is without, `old`, `minio`,
    /// `spaces` or `amazon`.
    pub dialect: Option<String>,
}

/// What only S3 tells about a container.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_Bucket.html>
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ContainerExtra {
    /// When it was made; only listings tell it.
    pub creation_date: Option<Timestamp>,
}

impl ExtraFields for ContainerExtra {}

/// Extension arguments of `get_object_cdn_url`.
#[arguments(drivers = ["s3", "digitalocean_spaces", "minio"])]
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct S3GetObjectCdnUrl {
    /// How many hours the URL is to work; `expiry` counts in seconds.
    pub ex_expiry: Option<f64>,
    /// What can be done with the URL: `GET`, which it is without, `HEAD`, `PUT` or `DELETE`.
    pub ex_method: Option<String>,
    /// The MIME type: of a `PUT`, that of the content, which whoever uses the URL must send; of a `GET`, that of the answer.
    pub ex_content_type: Option<String>,
    /// Under which name browsers save what a `GET` answers: `attachment; filename=\"cat.jpg\"`.
    pub ex_content_disposition: Option<String>,
}

/// Object storage at Amazon S3, or another service that speaks its protocol, in one region. Cheap to clone.
#[derive(Clone, Debug)]
pub struct S3Driver {
    conn: S3Connection,
    sts: Sts,
    /// Room for the parts of uploads, and for the pieces of downloads, of all clones.
    uploads: PartPool,
    downloads: PartPool,
    seal: Seal,
    descriptor: Descriptor,
}

impl S3Driver {
    /// Makes the driver. Nothing is sent.
    ///
    /// # Errors
    /// `InvalidCredentials` if neither the configuration nor the environment has an access key; `InvalidArgument` for an
    /// unknown option, or a region that cannot be one.
    pub fn new(config: Config) -> Result<Self> {
        let options: S3Options = config.driver_options(DESCRIPTOR.id)?;
        let dialect = S3Dialect::chosen(&config, options.dialect.as_deref())?;
        let credentials =
            Credentials::find(&config, options.token.as_ref(), &mut Search::new(&Sources::system()))?;
        let sts = Sts::beside(&config, credentials.clone(), SignatureVersion::V4)?;
        let conn = S3Connection::new(DESCRIPTOR.id, &config, credentials, &options, dialect)?;
        Ok(Self::on(DESCRIPTOR, conn, sts, &options))
    }

    /// Makes a driver of another service that speaks the protocol, under its own name. Nothing is sent.
    ///
    /// Its access key is the one of the configuration, or of the option `profile`: Amazon's variables and default profile
    /// belong to Amazon.
    ///
    /// # Errors
    /// As [`new`](Self::new); `InvalidArgument` if the configuration does not say where a private installation is.
    pub fn with_dialect(descriptor: Descriptor, config: Config, dialect: &'static S3Dialect) -> Result<Self> {
        let options: S3Options = config.driver_options(descriptor.id)?;
        if options.dialect.is_some() {
            return Err(Error::invalid_argument(format!(
                "`dialect` is for the driver `s3`: this one speaks `{}`",
                dialect.name
            ))
            .with_resource("option", "dialect"));
        }
        let credentials =
            Credentials::own(&config, options.token.as_ref(), &mut Search::new(&Sources::system()))?;
        let conn = S3Connection::new(descriptor.id, &config, credentials, &options, dialect)?;
        Ok(Self::on(descriptor, conn, Sts::none(), &options))
    }

    /// Makes the driver of DigitalOcean Spaces, in the region `nyc3` unless another is named. Nothing is sent.
    ///
    /// # Errors
    /// As [`with_dialect`](Self::with_dialect).
    pub fn digitalocean_spaces(config: Config) -> Result<Self> {
        Self::with_dialect(SPACES, config, &S3Dialect::SPACES)
    }

    /// Makes the driver of a MinIO server. Nothing is sent.
    ///
    /// # Errors
    /// As [`with_dialect`](Self::with_dialect).
    pub fn minio(config: Config) -> Result<Self> {
        Self::with_dialect(MINIO, config, &S3Dialect::MINIO)
    }

    fn on(descriptor: Descriptor, conn: S3Connection, sts: Sts, options: &S3Options) -> Self {
        let pool = || options.parts_in_flight.map_or_else(PartPool::default, PartPool::new);
        let seal = Seal::chosen(&conn, options.payload_signing.unwrap_or(true));
        Self { conn, sts, uploads: pool(), downloads: pool(), seal, descriptor }
    }

    /// The region that this driver talks to.
    pub fn region(&self) -> &str {
        self.conn.region()
    }
}

pub(crate) fn find_credentials(config: &Config, search: &mut Search) -> Result<()> {
    let options: S3Options = config.driver_options(DESCRIPTOR.id)?;
    Credentials::find(config, options.token.as_ref(), search).map(drop)
}

/// The same for a service that is not Amazon's.
pub(crate) fn find_own_credentials(config: &Config, search: &mut Search) -> Result<()> {
    let options: S3Options = config.driver_options(DESCRIPTOR.id)?;
    Credentials::own(config, options.token.as_ref(), search).map(drop)
}

#[extensions(REGIONS)]
impl S3Driver {
    /// The regions that were known when this version was made; those that came later work as well.
    pub fn ex_list_regions(&self) -> Result<Vec<&'static str>> {
        Ok(self.conn.dialect().regions.known.to_vec())
    }
}

impl Extensions for S3Driver {
    fn tables() -> &'static [&'static [dispatch::Method<Self>]] {
        &[Self::ACL, Self::COPY, Self::DELETE, Self::REGIONS, Self::UPLOADS]
    }
}

pub(crate) fn capabilities() -> Capabilities {
    without_distributions(
        "distributions belong to a service of their own, Amazon CloudFront",
        "https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/DownloadDistS3AndCustomOrigins.html",
    )
}

pub(crate) fn spaces_capabilities() -> Capabilities {
    without_distributions(
        "the content delivery network is switched on by the control panel or DigitalOcean's own API",
        "https://docs.digitalocean.com/products/spaces/how-to/enable-cdn/",
    )
}

pub(crate) fn minio_capabilities() -> Capabilities {
    without_distributions("a server has no content delivery network", MINIO.website)
}

/// Everything but distributions, which the protocol does not have.
fn without_distributions(reason: &'static str, link: &'static str) -> Capabilities {
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
        .cannot("get_container_cdn_url", reason, link)
        .cannot("enable_container_cdn", reason, link)
        .cannot("enable_object_cdn", reason, link)
        .features("upload_object_via_stream", &["content_type", "meta_data", "only_if_absent"])
        .features("download_object_as_stream", &["if_match", "range"])
}

impl Driver for S3Driver {
    fn descriptor(&self) -> Descriptor {
        self.descriptor
    }

    fn capabilities(&self) -> Capabilities {
        match self.descriptor.id {
            id if id == SPACES.id => spaces_capabilities(),
            id if id == MINIO.id => minio_capabilities(),
            _ => capabilities(),
        }
    }

    fn ex_arguments(&self, method: &str) -> &'static [ArgSpec] {
        match method {
            "upload_object" | "upload_object_via_stream" => S3UploadObject::FIELDS,
            "get_object_cdn_url" => S3GetObjectCdnUrl::FIELDS,
            "ex_copy_object" => S3CopyObject::FIELDS,
            "get_object"
            | "download_object"
            | "download_object_range"
            | "download_object_as_stream"
            | "download_object_range_as_stream" => S3GetObject::FIELDS,
            _ => &[],
        }
    }

    fn identity(&self) -> BoxFuture<'_, Result<Identity>> {
        Box::pin(self.sts.caller_identity())
    }

    fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(self.conn.http().clock())
    }
}

#[async_trait]
impl StorageDriver for S3Driver {
    fn hash_type(&self) -> Option<HashType> {
        Some(HashType::Md5)
    }

    fn download_pool(&self) -> Option<PartPool> {
        Some(self.downloads.clone())
    }

    fn iterate_containers_with(&self, options: Options) -> BoxStream<'static, Result<Container>> {
        let conn = self.conn.clone();
        let timeout = options.plain("list_containers");
        let page = timeout.map(|timeout| move || Ok(conn.service("ListBuckets").timeout(timeout)));
        listing(page, "continuation-token", wire::buckets, |found| {
            let extra = Extra::of(ContainerExtra { creation_date: found.creation_date });
            let mut container = Container::new(found.name);
            container.extra = extra;
            Ok(container)
        })
    }

    /// In the order of the names' bytes. The objects have neither type nor metadata, which S3 tells of one at a time.
    fn iterate_container_objects_with(
        &self,
        container: &Container,
        options: ListObjects,
    ) -> BoxStream<'static, Result<Object>> {
        let mut level = ListEntries::new();
        level.prefix = options.prefix;
        level.timeout = options.timeout;
        let container = Arc::new(container.clone());
        let shared = Arc::clone(&container);
        let convert = move |item| match item {
            wire::Item::Object(found) => Ok(objects::listed(found, &shared)),
            wire::Item::Prefix(_) => {
                Err(Error::malformed("CommonPrefixes", "nothing was to be put together"))
            }
        };
        self.list(&container, options.ex.none("list_container_objects"), level, convert)
    }

    /// The prefixes of a page come before its objects.
    fn iterate_container_entries_with(
        &self,
        container: &Container,
        mut options: ListEntries,
    ) -> BoxStream<'static, Result<Entry>> {
        let container = Arc::new(container.clone());
        let shared = Arc::clone(&container);
        let convert = move |item| match item {
            wire::Item::Object(found) => Ok(Entry::Object(objects::listed(found, &shared))),
            wire::Item::Prefix(prefix) => Ok(Entry::Prefix(prefix)),
        };
        self.list(&container, take(&mut options.ex).none("list_container_entries"), options, convert)
    }

    async fn get_container_with(&self, container_name: &str, options: Options) -> Result<Container> {
        self.conn
            .container(Method::HEAD, "HeadBucket", container_name)?
            .timeout(options.plain("get_container")?)
            .send()
            .await?;
        Ok(Container::new(container_name))
    }

    /// Where it is missing, one more request finds out whether that is the object or the container.
    async fn get_object_with(
        &self,
        container_name: &str,
        object_name: &str,
        options: Options,
    ) -> Result<Object> {
        let deadline = Deadline::new(self.clock(), options.timeout);
        let arguments: S3GetObject = options.ex.decode("get_object")?;
        let call = self.conn.object(Method::HEAD, "HeadObject", container_name, object_name)?;
        let found = arguments.apply(call)?.timeout(deadline.left()).send().await;
        match found {
            Ok(found) => objects::described(&found.headers, container_name, object_name)
                .map_err(|error| error.in_operation(self.descriptor.id, "HeadObject")),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let container = self.conn.container(Method::HEAD, "HeadBucket", container_name)?;
                match container.timeout(deadline.left()).send().await {
                    Err(missing) if missing.kind() == ErrorKind::NotFound => Err(missing),
                    _ => Err(error),
                }
            }
            Err(error) => Err(error),
        }
    }

    /// Makes a container in the driver's region. Its name is everybody's: `AlreadyExists` may be one of another account.
    async fn create_container_with(&self, container_name: &str, options: Options) -> Result<Container> {
        let timeout = options.plain("create_container")?;
        if self.conn.dialect().checked_names {
            names::new_container(container_name)?;
        }
        let mut call = self.conn.container(Method::PUT, "CreateBucket", container_name)?;
        // Of the first region, S3 does not want to hear.
        let regions = &self.conn.dialect().regions;
        if regions.constraint && self.region() != regions.usual {
            let mut xml = Writer::document();
            xml.element_with("CreateBucketConfiguration", &[("xmlns", NAMESPACE)], |xml| {
                xml.leaf("LocationConstraint", self.region());
            });
            call = call.body("application/xml", xml.finish()?);
        }
        call.once().timeout(timeout).send().await?;
        Ok(Container::new(container_name))
    }

    async fn delete_container_with(&self, container: &Container, options: Options) -> Result<()> {
        let call = self.conn.container(Method::DELETE, "DeleteBucket", &container.name)?;
        call.once().timeout(options.plain("delete_container")?).send().await.map(|_| ())
    }

    /// Succeeds where there is no such object, as S3 does.
    async fn delete_object_with(&self, obj: &Object, options: Options) -> Result<()> {
        let call = self.conn.object(Method::DELETE, "DeleteObject", &obj.container.name, &obj.name)?;
        call.timeout(options.plain("delete_object")?).send().await.map(|_| ())
    }

    /// What has more than 8 MiB is sent in parts, of which memory holds four at the most, or none where they come from a
    /// file; see [`S3UploadObject`] for what it takes beside the base API's arguments.
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
        let deadline = Deadline::new(self.clock(), options.timeout);
        let arguments: S3GetObject = options.ex.decode("download_object_as_stream")?;
        let call = self.conn.object(Method::GET, "GetObject", &obj.container.name, &obj.name)?;
        let Checksums { crc64nvme, crc32c, .. } = self.conn.dialect().checksums;
        // A checksum is told to those who ask for it.
        let mode = (crc64nvme || crc32c).then_some("ENABLED");
        let answer = arguments
            .apply(call)?
            .header_opt("x-amz-checksum-mode", mode)
            .if_match(options.if_match.as_deref())
            .timeout(deadline.left())
            .streaming(options.range)
            .await?;
        let promised = objects::promised(&answer.headers).filter(|_| options.range.is_none());
        let size = headers::content_length(&answer.headers)
            .map_err(|error| error.in_operation(self.descriptor.id, "GetObject"))?;
        let etag = headers::text(&answer.headers, ETAG.as_str());
        let stream = ObjectStream::new(deadline.stream(answer.body)).with_size(size).with_etag(etag);
        let stream = match promised {
            Some((hash_type, digest)) => stream.with_hash(hash_type, digest),
            None => stream,
        };
        Ok(stream.with_headers(answer.headers))
    }

    /// A presigned URL: it works for a day unless another time is given, and for seven days at the most. It is as good as
    /// a credential for this object. Nothing is asked of the provider, not even whether there is such an object.
    async fn get_object_cdn_url_with(&self, obj: &Object, mut options: GetObjectCdnUrl) -> Result<String> {
        let arguments: S3GetObjectCdnUrl = take(&mut options.ex).decode("get_object_cdn_url")?;
        let method = match arguments.ex_method.as_deref() {
            None | Some("GET") => Method::GET,
            Some("HEAD") => Method::HEAD,
            Some("PUT") => Method::PUT,
            Some("DELETE") => Method::DELETE,
            Some(other) => {
                return Err(Error::invalid_argument(format!(
                    "`ex_method` is `GET`, `HEAD`, `PUT` or `DELETE`, not `{other}`"
                ))
                .with_resource("argument", "ex_method"));
            }
        };
        let expires = options.expiry_or(arguments.ex_expiry, DAY)?;
        let nowhere: [&str; 0] = [];
        let mut request = Request::new("PresignedUrl", method.clone(), nowhere);
        match (arguments.ex_content_type, method == Method::PUT) {
            (Some(content_type), true) => request.set_header("content-type", &content_type, false),
            (Some(content_type), false) => request.push_query("response-content-type", content_type),
            (None, _) => {}
        }
        if let Some(disposition) = arguments.ex_content_disposition {
            request.push_query("response-content-disposition", disposition);
        }
        self.conn.presigned(request, &obj.container.name, &obj.name, expires).await
    }
}
