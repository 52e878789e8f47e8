//! The driver: names and options are checked here, and everything that blocks goes to threads of its own.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use libcloud_common::{
    BoxStream, Capabilities, Clock, Config, Deadline, Descriptor, Driver, Error, ErrorKind, Extensions,
    NoArguments, Options, Result, Stream, once,
};
use libcloud_storage::{
    Container, GetObjectCdnUrl, ListObjects, Object, ObjectStream, StorageDriver, StreamObject, UploadBody,
    UploadObject, check_version,
};
use tokio::fs::File;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _, AsyncWriteExt as _};

use crate::DESCRIPTOR;
use crate::folder::{self, Folder};
use crate::walk::Walk;

/// How many objects of a listing are looked at in one go.
const BATCH: usize = 256;

/// The size of the pieces of a download, and the largest that one can ask for.
const CHUNK: u64 = 256 << 10;
const LARGEST_CHUNK: u64 = 8 << 20;

/// Object storage in a folder. See [the crate](crate).
#[derive(Clone, Debug)]
pub struct LocalStorageDriver {
    folder: Arc<Folder>,
    clock: Arc<dyn Clock>,
}

impl LocalStorageDriver {
    /// A driver for the folder that is the configuration's `key`. It looks whether the folder is there.
    ///
    /// # Errors
    /// `InvalidArgument` if the folder is not there or not a folder, and for any option; `InvalidCredentials` without
    /// a `key`.
    pub fn new(config: Config) -> Result<Self> {
        let base = config.need_key("`key`, the base folder,")?;
        config.driver_options::<NoArguments>("local")?;
        Ok(Self { folder: Arc::new(Folder::open(base.expose())?), clock: config.clock })
    }

    fn task(&self, method: &'static str, timeout: Option<Duration>) -> Task {
        Task {
            folder: Arc::clone(&self.folder),
            deadline: Deadline::new(Arc::clone(&self.clock), timeout),
            method,
        }
    }
}

/// One call: its name for errors, and when it must end.
#[derive(Clone)]
struct Task {
    folder: Arc<Folder>,
    deadline: Deadline,
    method: &'static str,
}

impl Task {
    /// Waits for a part of the call, no longer than the whole may take.
    async fn wait<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        self.deadline.wait(work).await.map_err(|error| error.in_operation(DESCRIPTOR.id, self.method))
    }

    /// Does what blocks, on a thread for that.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Folder) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let folder = Arc::clone(&self.folder);
        self.wait(async move {
            tokio::task::spawn_blocking(move || work(&folder))
                .await
                .unwrap_or_else(|error| Err(Error::io("finish", std::io::Error::other(error))))
        })
        .await
    }
}

impl Extensions for LocalStorageDriver {}

pub(crate) fn capabilities() -> Capabilities {
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
            "get_container_cdn_url",
            "get_object_cdn_url",
            "enable_container_cdn",
            "enable_object_cdn",
        ])
        .features("upload_object_via_stream", &["only_if_absent"])
        .features("download_object_as_stream", &["if_match", "range"])
}

impl Driver for LocalStorageDriver {
    fn descriptor(&self) -> Descriptor {
        DESCRIPTOR
    }

    fn capabilities(&self) -> Capabilities {
        capabilities()
    }

    fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.clock)
    }
}

#[async_trait]
impl StorageDriver for LocalStorageDriver {
    fn supports_chunked_encoding(&self) -> bool {
        true
    }

    fn iterate_containers_with(&self, options: Options) -> BoxStream<'static, Result<Container>> {
        let driver = self.clone();
        once(async move {
            let timeout = options.plain("iterate_containers")?;
            driver.task("iterate_containers", timeout).run(Folder::containers).await
        })
    }

    fn iterate_container_objects_with(
        &self,
        container: &Container,
        options: ListObjects,
    ) -> BoxStream<'static, Result<Object>> {
        let driver = self.clone();
        let container = container.name.clone();
        stream::once(async move {
            options.ex.none("iterate_container_objects")?;
            let task = driver.task("iterate_container_objects", options.timeout);
            let prefix = options.prefix.unwrap_or_default();
            let walk = task
                .run(move |folder| {
                    let (root, container) = folder.container(&container)?;
                    Walk::new(root, container, prefix)
                })
                .await?;
            let batches = stream::try_unfold((task, walk), |(task, mut walk)| async move {
                let (batch, walk) = task.run(move |_| Ok((walk.next(BATCH)?, walk))).await?;
                let batch = (!batch.is_empty()).then_some(batch);
                Ok::<_, Error>(batch.map(|batch| (stream::iter(batch.into_iter().map(Ok)), (task, walk))))
            });
            Ok::<_, Error>(batches.try_flatten())
        })
        .try_flatten()
        .boxed()
    }

    async fn get_container_with(&self, container_name: &str, options: Options) -> Result<Container> {
        let task = self.task("get_container", options.plain("get_container")?);
        let name = container_name.to_owned();
        task.run(move |folder| folder.container(&name).map(|(_, container)| container)).await
    }

    async fn get_object_with(
        &self,
        container_name: &str,
        object_name: &str,
        options: Options,
    ) -> Result<Object> {
        let task = self.task("get_object", options.plain("get_object")?);
        let (container, name) = (container_name.to_owned(), object_name.to_owned());
        task.run(move |folder| folder.object(&container, &name)).await
    }

    async fn create_container_with(&self, container_name: &str, options: Options) -> Result<Container> {
        let task = self.task("create_container", options.plain("create_container")?);
        let name = container_name.to_owned();
        task.run(move |folder| folder.create_container(&name)).await
    }

    async fn delete_container_with(&self, container: &Container, options: Options) -> Result<()> {
        let task = self.task("delete_container", options.plain("delete_container")?);
        let name = container.name.clone();
        task.run(move |folder| folder.delete_container(&name)).await
    }

    async fn delete_object_with(&self, obj: &Object, options: Options) -> Result<()> {
        let task = self.task("delete_object", options.plain("delete_object")?);
        let (container, name) = (obj.container.name.clone(), obj.name.clone());
        task.run(move |folder| folder.delete_object(&container, &name)).await
    }

    async fn upload_object_via_stream_with(
        &self,
        iterator: UploadBody,
        container: &Container,
        object_name: &str,
        options: UploadObject,
    ) -> Result<Object> {
        check(object_name, &options)?;
        options.ex.none("upload_object_via_stream")?;
        let task = self.task("upload_object_via_stream", options.timeout);
        let (container, name) = (container.name.clone(), object_name.to_owned());
        let (to, object) = (container.clone(), name.clone());
        let upload = task
            .run(move |folder| {
                crate::names::object(&object)?;
                folder.container(&to)?;
                folder.upload()
            })
            .await?;
        let file = upload.file.try_clone().map_err(|error| Error::io("write an upload", error))?;
        task.wait(write(iterator, File::from_std(file))).await?;
        let only_if_absent = options.only_if_absent;
        task.run(move |folder| folder.place(upload, &container, &name, only_if_absent)).await
    }

    async fn download_object_as_stream_with(
        &self,
        obj: &Object,
        options: StreamObject,
    ) -> Result<ObjectStream> {
        options.ex.none("download_object_as_stream")?;
        let chunk = options.chunk_size.unwrap_or(CHUNK).min(LARGEST_CHUNK);
        if chunk == 0 {
            return Err(Error::invalid_argument("`chunk_size` must be at least 1 byte"));
        }
        let task = self.task("download_object_as_stream", options.timeout);
        let (container, name) = (obj.container.name.clone(), obj.name.clone());
        let (file, meta) = task.run(move |folder| folder.read(&container, &name)).await?;
        let (size, etag) = (meta.len(), folder::etag(&meta));
        check_version(&obj.name, options.if_match.as_deref(), &etag)?;
        let part = match options.range {
            Some(range) => range.within(size)?,
            None => 0..size,
        };
        let mut file = File::from_std(file);
        file.seek(std::io::SeekFrom::Start(part.start)).await.map_err(cannot_read)?;
        let size = part.end - part.start;
        Ok(ObjectStream::new(read(task, file, size, chunk)).with_size(size).with_etag(Some(etag)))
    }

    async fn get_container_cdn_url_with(&self, container: &Container, options: Options) -> Result<String> {
        let task = self.task("get_container_cdn_url", options.plain("get_container_cdn_url")?);
        let name = container.name.clone();
        task.run(move |folder| {
            let (path, _) = folder.container(&name)?;
            Ok(path.to_string_lossy().into_owned())
        })
        .await
    }

    async fn get_object_cdn_url_with(&self, obj: &Object, options: GetObjectCdnUrl) -> Result<String> {
        options.ex.none("get_object_cdn_url")?;
        if options.expiry.is_some() {
            return Err(Error::invalid_argument(
                "`expiry`: the path of a file works as long as the file is there",
            ));
        }
        let task = self.task("get_object_cdn_url", options.timeout);
        let (container, name) = (obj.container.name.clone(), obj.name.clone());
        task.run(move |folder| {
            folder.object(&container, &name)?;
            let (path, _) = folder.container(&container)?;
            Ok(path.join(name).to_string_lossy().into_owned())
        })
        .await
    }

    async fn enable_container_cdn_with(&self, container: &Container, options: Options) -> Result<()> {
        let task = self.task("enable_container_cdn", options.plain("enable_container_cdn")?);
        let name = container.name.clone();
        task.run(move |folder| folder.container(&name).map(|_| ())).await
    }

    async fn enable_object_cdn_with(&self, obj: &Object, options: Options) -> Result<()> {
        let task = self.task("enable_object_cdn", options.plain("enable_object_cdn")?);
        let (container, name) = (obj.container.name.clone(), obj.name.clone());
        task.run(move |folder| folder.object(&container, &name).map(|_| ())).await
    }
}

/// Refuses what a folder cannot keep.
fn check(object_name: &str, options: &UploadObject) -> Result<()> {
    let lost = if !options.meta_data.is_empty() {
        "meta_data"
    } else if options.acl.is_some() {
        "acl"
    } else if !options.headers.is_empty() {
        "headers"
    } else {
        return match &options.content_type {
            Some(asked) if *asked != UploadObject::new().content_type_for(object_name) => {
                Err(Error::invalid_argument(format!(
                    "`content_type`: a folder keeps no types, and `{}` is taken for `{}` by its name, not `{asked}`",
                    object_name.escape_debug(),
                    UploadObject::new().content_type_for(object_name),
                ))
                .with_resource("argument", "content_type"))
            }
            _ => Ok(()),
        };
    };
    Err(Error::invalid_argument(format!("`{lost}`: a folder keeps nothing of an object but its content"))
        .with_resource("argument", lost))
}

async fn write(body: UploadBody, mut file: File) -> Result<()> {
    let cannot = |error| Error::io("write an upload", error);
    let mut content = body.into_stream();
    while let Some(bytes) = content.try_next().await? {
        file.write_all(&bytes).await.map_err(cannot)?;
    }
    // Without this, an error of the last write would go unnoticed.
    file.flush().await.map_err(cannot)
}

/// So many bytes of a file, piece by piece.
fn read(task: Task, file: File, size: u64, chunk: u64) -> impl Stream<Item = Result<Bytes>> {
    stream::try_unfold((task, file, size), move |(task, mut file, left)| async move {
        if left == 0 {
            return Ok(None);
        }
        let wanted = usize::try_from(left.min(chunk)).unwrap_or(usize::MAX);
        let bytes = task
            .wait(async {
                let mut piece = BytesMut::with_capacity(wanted);
                let mut part = (&mut file).take(wanted as u64);
                while piece.len() < wanted {
                    if part.read_buf(&mut piece).await.map_err(cannot_read)? == 0 {
                        return Err(Error::new(
                            ErrorKind::HashMismatch,
                            "another program has shortened the file while it was read",
                        ));
                    }
                }
                Ok(piece.freeze())
            })
            .await?;
        let left = left - bytes.len() as u64;
        Ok(Some((bytes, (task, file, left))))
    })
}

fn cannot_read(error: std::io::Error) -> Error {
    Error::io("read an object", error)
}
