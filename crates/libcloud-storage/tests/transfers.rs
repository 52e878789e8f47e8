//! Transfers, calls by name and handles, on a driver that keeps its objects in memory and can be told to misbehave.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests may panic")]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use libcloud_common::{
    BoxStream, Capabilities, Descriptor, Driver, Error, ErrorKind, Extensions, Options, Result, json,
};
use libcloud_storage::{
    Container, DownloadObject, HashType, ListObjects, Object, ObjectStream, StorageDriver,
    StorageDriverExt as _, StreamObject, TransferProgress, UploadBody, UploadObject,
};

const ABC_MD5: &str = "900150983cd24fb0d6963f7d28e17f72";

/// What the provider does wrong.
#[derive(Clone, Copy, Default, PartialEq)]
enum Fault {
    #[default]
    None,
    CutsShort,
    Corrupts,
    BreaksOff,
}

#[derive(Clone, Default)]
struct Memory {
    objects: Arc<Mutex<BTreeMap<String, (Bytes, UploadObject)>>>,
    fault: Fault,
}

impl Extensions for Memory {}

impl Driver for Memory {
    fn descriptor(&self) -> Descriptor {
        Descriptor::new("memory", "Memory", "https://cloud.example")
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::new()
    }
}

#[async_trait]
impl StorageDriver for Memory {
    fn hash_type(&self) -> Option<HashType> {
        Some(HashType::Md5)
    }

    fn iterate_container_objects_with(
        &self,
        container: &Container,
        options: ListObjects,
    ) -> BoxStream<'static, Result<Object>> {
        let container = Arc::new(container.clone());
        let prefix = options.prefix.unwrap_or_default();
        let objects = self.objects.lock().unwrap();
        let found: Vec<_> = objects
            .iter()
            .filter(|(name, _)| name.starts_with(&prefix))
            .map(|(name, (bytes, _))| Ok(Object::new(name, bytes.len() as u64, &container)))
            .collect();
        stream::iter(found).boxed()
    }

    async fn upload_object_via_stream_with(
        &self,
        iterator: UploadBody,
        container: &Container,
        object_name: &str,
        options: UploadObject,
    ) -> Result<Object> {
        let (body, digest) = iterator.hashing(HashType::Md5);
        let content = ObjectStream::new(body.into_stream()).read_all(1 << 20).await?;
        if options.verify_hash {
            let told = if self.fault == Fault::Corrupts { ABC_MD5.to_owned() } else { digest.hex() };
            digest.verify(object_name, &told)?;
        }
        let object = Object::new(object_name, content.len() as u64, &Arc::new(container.clone()))
            .with_hash(digest.hex())
            .with_content_type(Some(options.content_type_for(object_name)));
        self.objects.lock().unwrap().insert(object_name.to_owned(), (content, options));
        Ok(object)
    }

    async fn download_object_as_stream_with(
        &self,
        obj: &Object,
        options: StreamObject,
    ) -> Result<ObjectStream> {
        let found = self.objects.lock().unwrap().get(&obj.name).map(|(bytes, _)| bytes.clone());
        let content = found.ok_or_else(|| Error::not_found("object", &obj.name))?;
        let hash = libcloud_common::digest::md5_hex(&content);
        let part = match options.range {
            Some(range) => {
                let range = range.within(content.len() as u64)?;
                content.slice(usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap())
            }
            None => content,
        };
        let size = part.len() as u64;
        let chunk = usize::try_from(options.chunk_size.unwrap_or(2)).unwrap();
        let mut pieces: Vec<Result<Bytes>> =
            part.chunks(chunk).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
        match self.fault {
            Fault::None => {}
            Fault::CutsShort => drop(pieces.pop()),
            Fault::Corrupts => pieces[0] = Ok(Bytes::from(vec![b'!'; pieces[0].as_ref().unwrap().len()])),
            Fault::BreaksOff => {
                pieces.pop();
                pieces.push(Err(Error::new(ErrorKind::Transport, "the connection broke")));
            }
        }
        let content = ObjectStream::new(stream::iter(pieces)).with_size(size);
        Ok(match options.range {
            Some(_) => content,
            None => content.with_hash(HashType::Md5, hash),
        })
    }

    async fn delete_object_with(&self, obj: &Object, options: Options) -> Result<()> {
        options.plain("delete_object")?;
        match self.objects.lock().unwrap().remove(&obj.name) {
            Some(_) => Ok(()),
            None => Err(Error::not_found("object", &obj.name)),
        }
    }
}

/// A driver that overrides nothing.
struct Wrapper(Memory);

impl Extensions for Wrapper {}

impl Driver for Wrapper {
    fn descriptor(&self) -> Descriptor {
        Descriptor::new("wrapper", "Wrapper", "https://cloud.example")
    }

    fn capabilities(&self) -> Capabilities {
        self.0.capabilities()
    }
}

impl StorageDriver for Wrapper {
    fn inner(&self) -> Option<&dyn StorageDriver> {
        Some(&self.0)
    }
}

async fn with_abc(fault: Fault) -> (Arc<dyn StorageDriver>, Object) {
    let healthy = Memory::default();
    let object =
        healthy.upload_object_via_stream("abc".into(), &Container::new("c"), "a/b.txt").await.unwrap();
    (Arc::new(Memory { fault, ..healthy }), object)
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_file_goes_up_with_its_type_and_comes_down_again() {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("page.html");
    std::fs::write(&source, "abc").unwrap();
    let driver: Arc<dyn StorageDriver> = Arc::new(Memory::default());
    let container = driver.container(Container::new("c"));
    let object = container.upload_object(&source, "x/page", UploadObject::new()).await.unwrap();
    assert_eq!(object.content_type.as_deref(), Some("text/html"));
    assert_eq!((object.size, object.hash.as_deref()), (3, Some(ABC_MD5)));

    let object = driver.object(object);
    object.download(folder.path(), DownloadObject::new()).await.unwrap();
    assert_eq!(std::fs::read(folder.path().join("page")).unwrap(), b"abc");
    assert_eq!(names(folder.path()), ["page", "page.html"]);
    object.delete().await.unwrap();
    assert_eq!(object.delete().await.unwrap_err().kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn a_file_is_replaced_only_on_demand() {
    let folder = tempfile::tempdir().unwrap();
    let (driver, object) = with_abc(Fault::None).await;
    let target = folder.path().join("t");
    std::fs::write(&target, "old").unwrap();
    let error = driver.download_object(&object, &target).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    assert!(error.to_string().contains("overwrite_existing"), "{error}");
    assert_eq!(std::fs::read(&target).unwrap(), b"old");
    let options = DownloadObject::new().overwrite_existing();
    driver.download_object_with(&object, &target, options).await.unwrap();
    assert_eq!(std::fs::read(&target).unwrap(), b"abc");
}

#[tokio::test]
async fn a_device_is_not_replaced() {
    let (driver, object) = with_abc(Fault::None).await;
    let options = DownloadObject::new().overwrite_existing();
    let error = driver.download_object_with(&object, Path::new("/dev/null"), options).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
}

#[tokio::test]
async fn what_arrives_wrong_is_an_error_and_leaves_the_old_file() {
    for (fault, kind) in [
        (Fault::CutsShort, ErrorKind::HashMismatch),
        (Fault::Corrupts, ErrorKind::HashMismatch),
        (Fault::BreaksOff, ErrorKind::Transport),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let (driver, object) = with_abc(fault).await;
        let target = folder.path().join("t");
        std::fs::write(&target, "old").unwrap();
        let options = DownloadObject::new().overwrite_existing();
        let error = driver.download_object_with(&object, &target, options).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert_eq!(std::fs::read(&target).unwrap(), b"old");
        assert_eq!(names(folder.path()), ["t"]);
    }
}

#[tokio::test]
async fn what_has_arrived_can_be_kept() {
    let folder = tempfile::tempdir().unwrap();
    let (driver, object) = with_abc(Fault::BreaksOff).await;
    let options = DownloadObject::new().keep_on_failure();
    let error = driver.download_object_with(&object, &folder.path().join("t"), options).await.unwrap_err();
    assert!(error.to_string().contains("t.part"), "{error}");
    assert_eq!(names(folder.path()), ["t.part"]);
    assert_eq!(std::fs::read(folder.path().join("t.part")).unwrap(), b"ab");
}

#[tokio::test]
async fn a_name_never_leads_out_of_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let inside = folder.path().join("inside");
    std::fs::create_dir(&inside).unwrap();
    let driver: Arc<dyn StorageDriver> = Arc::new(Memory::default());
    for name in ["a/..", "..", ".", "a/", "a/.", "nul\0"] {
        let object = driver.upload_object_via_stream("abc".into(), &Container::new("c"), name).await.unwrap();
        let error = driver.download_object(&object, &inside).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidName, "{name:?}");
    }
    assert_eq!(names(folder.path()), ["inside"]);
    assert!(names(&inside).is_empty());
}

#[tokio::test]
async fn ranges_begin_at_the_first_byte_and_end_before_the_last() {
    let folder = tempfile::tempdir().unwrap();
    let (driver, object) = with_abc(Fault::None).await;
    for (start, end, expected) in [(0, Some(2), "ab"), (1, None, "bc"), (2, Some(9), "c")] {
        let target = folder.path().join(format!("{start}"));
        driver.download_object_range(&object, &target, start, end).await.unwrap();
        assert_eq!(std::fs::read_to_string(&target).unwrap(), expected);
        let content = driver.download_object_range_as_stream(&object, start, end).await.unwrap();
        assert_eq!(content.read_all(9).await.unwrap(), expected);
    }
    for (start, end) in [(1, Some(1)), (2, Some(1)), (3, None)] {
        let error =
            driver.download_object_range(&object, &folder.path().join("x"), start, end).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    }
}

#[tokio::test]
async fn progress_is_heard_in_both_directions() {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let ear = || {
        let heard = Arc::clone(&heard);
        TransferProgress::new(move |done, total| heard.lock().unwrap().push((done, total)))
    };
    let folder = tempfile::tempdir().unwrap();
    let (driver, object) = with_abc(Fault::None).await;
    let options = DownloadObject::new().progress(ear());
    let target = folder.path().join("t");
    driver.download_object_with(&object, &target, options).await.unwrap();
    assert_eq!(*heard.lock().unwrap(), [(2, Some(3)), (3, Some(3))]);

    heard.lock().unwrap().clear();
    let body = UploadBody::from_file(&target).await.unwrap().on_progress(ear());
    driver.upload_object_via_stream(body, &object.container, "again").await.unwrap();
    assert_eq!(*heard.lock().unwrap(), [(3, Some(3))]);
}

#[tokio::test]
async fn an_upload_is_compared_unless_it_is_not_to_be() {
    let driver = Memory { fault: Fault::Corrupts, ..Memory::default() };
    let container = Container::new("c");
    let error = driver.upload_object_via_stream("xyz".into(), &container, "o").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::HashMismatch);
    assert_eq!(error.resource(), Some(("object", "o")));
    let options = UploadObject::new().skip_hash();
    driver.upload_object_via_stream_with("xyz".into(), &container, "o", options).await.unwrap();
}

#[tokio::test]
async fn a_body_of_another_length_fails() {
    for length in [2, 4] {
        let body = UploadBody::with_length(stream::iter([Ok(Bytes::from("abc"))]), length);
        let error = body.into_stream().try_collect::<Vec<_>>().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::HashMismatch);
    }
    let error = UploadBody::from_file("/").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
}

#[tokio::test]
async fn content_goes_by_name_as_text_or_base64() {
    let driver: Arc<dyn StorageDriver> = Arc::new(Memory::default());
    for (name, content, expected) in [
        ("text", json!("grüße"), json!("grüße")),
        ("list", json!(["a", "b"]), json!("ab")),
        ("bytes", json!({"base64": "/wA="}), json!({"base64": "/wA="})),
    ] {
        let args = json!({
            "iterator": content, "container": "c", "object_name": name,
            "extra": {"content_type": "text/plain", "meta_data": {"k": "v"}},
        });
        let object = driver.call("upload_object_via_stream", args).await.unwrap();
        assert_eq!(object["content_type"], "text/plain");
        let args = json!({"obj": object, "chunk_size": 1});
        assert_eq!(driver.call("download_object_as_stream", args).await.unwrap(), expected);
    }
    let args = json!({"obj": "c/list", "start_bytes": 1, "end_bytes": 2});
    assert_eq!(driver.call("download_object_range_as_stream", args).await.unwrap(), "b");
    let listed =
        driver.call("list_container_objects", json!({"container": "c", "ex_prefix": "te"})).await.unwrap();
    assert_eq!(listed[0]["name"], "text");
    assert_eq!(listed.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn files_go_by_name_too() {
    let folder = tempfile::tempdir().unwrap();
    let (driver, _) = with_abc(Fault::None).await;
    let target = folder.path().join("t");
    let args = json!({"obj": "c/a/b.txt", "destination_path": target.to_str()});
    assert_eq!(driver.call("download_object", args.clone()).await.unwrap(), json!(true));
    assert_eq!(std::fs::read(&target).unwrap(), b"abc");
    let error = driver.call("download_object", args).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    let args = json!({"file_path": target.to_str(), "container": "c", "object_name": "up"});
    assert_eq!(driver.call("upload_object", args).await.unwrap()["hash"], ABC_MD5);
}

#[tokio::test]
async fn wrong_arguments_are_named() {
    let (driver, _) = with_abc(Fault::None).await;
    let upload = |more: (&str, libcloud_common::Value)| {
        let mut args = json!({"iterator": "x", "container": "c", "object_name": "o"});
        args[more.0] = more.1;
        driver.call("upload_object_via_stream", args)
    };
    for (argument, place) in [
        (("extra", json!({"colour": 1})), "`extra` has no key `colour`"),
        (("extra", json!({"meta_data": 1})), "`extra.meta_data`"),
        (("iterator", json!({"base64": "%"})), "`iterator`"),
        (("overwrite", json!(true)), "has no argument `overwrite`"),
    ] {
        let error = upload(argument).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        assert!(error.to_string().contains(place), "{error}");
    }
    let args = json!({"obj": "c/a/b.txt", "destination_path": "/tmp", "start_bytes": -1});
    let error = driver.call("download_object_range", args).await.unwrap_err();
    assert!(error.to_string().contains("`start_bytes`"), "{error}");
}

#[tokio::test]
async fn a_wrapped_driver_answers_what_is_not_overridden() {
    let wrapper: Arc<dyn StorageDriver> = Arc::new(Wrapper(Memory::default()));
    assert_eq!(wrapper.hash_type(), Some(HashType::Md5));
    let container = wrapper.container(Container::new("c"));
    container.upload_object_via_stream("abc", "o", UploadObject::new()).await.unwrap();
    assert_eq!(container.list_objects(ListObjects::new()).await.unwrap().len(), 1);
    let error = wrapper.create_container("new").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotSupported);
    assert!(error.to_string().contains("create_container"), "{error}");
}
