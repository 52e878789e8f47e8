//! What every storage driver does.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, future, stream};
use libcloud_common::{BoxFuture, Error, ErrorKind, Result, digest};
use libcloud_storage::{
    ByteRange, Container, DownloadObject, HashType, ListObjects, Object, StorageDriver,
    StorageDriverExt as _, StreamObject, UploadBody, UploadObject,
};

use super::{
    Check, Context, Expectations, Problem, Report, Verdict, about, checks, done_or_missing, ensure, is_fault,
    missing, refused, refused_as, same, unique_name,
};

const MIB: usize = 1 << 20;

/// The most that a check reads into memory.
const MOST: usize = 32 * MIB;

/// A storage driver that joins the suite.
///
/// ```no_run
/// use libcloud_testkit::suite::{Expectations, Storage};
/// # use std::sync::Arc;
/// # use libcloud_storage::StorageDriver;
/// # async fn join(driver: Arc<dyn StorageDriver>, wrong: Arc<dyn StorageDriver>) {
///
/// let report = Storage::new(driver).wrong_credentials(wrong).run(Expectations::new()).await;
/// assert!(report.denied.is_empty());
/// # }
/// ```
pub struct Storage {
    driver: Arc<dyn StorageDriver>,
    direct: Arc<dyn StorageDriver>,
    wrong: Option<Vec<Arc<dyn StorageDriver>>>,
    many: usize,
    refused_names: &'static [&'static str],
    made: Mutex<Vec<String>>,
}

impl Storage {
    /// This driver joins.
    pub fn new(driver: Arc<dyn StorageDriver>) -> Self {
        Self {
            direct: Arc::clone(&driver),
            driver,
            wrong: None,
            many: 1100,
            refused_names: &[],
            made: Mutex::default(),
        }
    }

    /// The same driver with credentials that the server must refuse. May be given again.
    pub fn wrong_credentials(mut self, driver: Arc<dyn StorageDriver>) -> Self {
        self.wrong.get_or_insert_default().push(driver);
        self
    }

    /// The driver has no credentials that could be wrong.
    pub fn without_credentials(mut self) -> Self {
        self.wrong = Some(Vec::new());
        self
    }

    /// How many objects are more than one page (1,100); fewer for slow servers whose pages are smaller.
    pub fn many(mut self, objects: usize) -> Self {
        self.many = objects;
        self
    }

    /// Which of [`Storage::ODD_NAMES`] no object can have: an upload must answer `InvalidName`.
    pub fn refuses_names(mut self, names: &'static [&'static str]) -> Self {
        self.refused_names = names;
        self
    }

    /// The way around what stands between: by this the suite cleans up.
    pub fn direct(mut self, driver: Arc<dyn StorageDriver>) -> Self {
        self.direct = driver;
        self
    }

    /// Names that suffer where paths are normalised or encoded by halves. Two more of 1,024 bytes come with them.
    pub const ODD_NAMES: &'static [&'static str] = &[
        "a//b",
        "a/",
        "//",
        "/leading",
        "./a",
        "../a",
        "a/./b",
        "a/../b",
        ".",
        "..",
        "...",
        "a+b",
        "a b",
        " a ",
        "a%20b",
        "a%2Fb",
        "%",
        "%zz",
        "~tilde~",
        "'quotes'\"",
        "`",
        "a?b#c&d=e;f,g:h@i!j$k*l(m)n[o]p{q}",
        "back\\slash",
        "<&>",
        "=?UTF-8?B?w7w=?=",
    ];

    /// Runs the suite.
    ///
    /// # Panics
    /// With every check that failed, and every one that was expected to and did not.
    pub async fn run(self, expectations: Expectations) -> Report {
        super::run(&self, &checks(), &expectations).await
    }

    async fn container(&self) -> Result<Container> {
        let name = self.note()?;
        self.driver.create_container(&name).await
    }

    /// The name of a container to be, which is cleaned up in the end.
    fn note(&self) -> Result<String> {
        let name = unique_name()?;
        self.made.lock().unwrap_or_else(PoisonError::into_inner).push(name.clone());
        Ok(name)
    }

    async fn put(&self, container: &Container, name: &str, body: impl Into<UploadBody>) -> Result<Object> {
        self.driver.upload_object_via_stream(body.into(), container, name).await
    }

    async fn read(&self, object: &Object) -> Result<Bytes> {
        self.driver.download_object_as_stream(object).await?.read_all(MOST).await
    }

    async fn names(&self, container: &Container) -> Result<Vec<String>> {
        let mut names: Vec<String> = self
            .driver
            .iterate_container_objects(container)
            .map_ok(|object| object.name)
            .try_collect()
            .await?;
        names.sort_unstable();
        Ok(names)
    }

    fn has(&self, method: &str, feature: &str) -> bool {
        self.driver.capabilities().has_feature(method, feature)
    }
}

impl std::fmt::Debug for Storage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Storage").field("driver", &self.driver.descriptor().id).finish_non_exhaustive()
    }
}

impl Context for Storage {
    type Driver = dyn StorageDriver;

    fn driver(&self) -> &Arc<dyn StorageDriver> {
        &self.driver
    }

    fn clean(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            let made = std::mem::take(&mut *self.made.lock().unwrap_or_else(PoisonError::into_inner));
            for container in made.into_iter().map(Container::new) {
                let objects = match self.direct.list_container_objects(&container).await {
                    Err(error) if error.kind() == ErrorKind::NotFound => continue,
                    objects => objects?,
                };
                let deleted = objects
                    .into_iter()
                    .map(|object| async move { done_or_missing(self.direct.delete_object(&object).await) });
                stream::iter(deleted).buffer_unordered(8).try_collect::<()>().await?;
                done_or_missing(self.direct.delete_container(&container).await)?;
            }
            Ok(())
        })
    }
}

fn checks() -> Vec<Check<Storage>> {
    checks![Storage;
        "containers/create, list, get, delete, gone"
            [create_container list_containers get_container delete_container] => containers,
        "containers/what is not there is not found"
            [get_container delete_container list_container_objects] => no_container,
        "containers/a duplicate exists already" [create_container] => duplicate_container,
        "containers/one with objects is not empty"
            [create_container upload_object_via_stream delete_container] => not_empty,
        "containers/names that lead elsewhere are refused" [create_container get_container] => container_names,
        "objects/create, list, get, delete, gone"
            [create_container upload_object_via_stream list_container_objects get_object delete_object] => objects,
        "objects/what is not there is not found"
            [create_container get_object download_object_as_stream] => no_object,
        "objects/nothing, one byte and 5 MiB and a byte"
            [create_container upload_object_via_stream download_object_as_stream] => content,
        "objects/streams of unknown length"
            [create_container upload_object_via_stream download_object_as_stream] => unknown_length,
        "objects/the later one replaces the earlier"
            [create_container upload_object_via_stream download_object_as_stream] => overwrite,
        "objects/only if absent" [create_container upload_object_via_stream] => only_if_absent,
        "objects/metadata" [create_container upload_object_via_stream get_object] => meta_data,
        "objects/content type" [create_container upload_object_via_stream get_object] => content_type,
        "objects/unicode names"
            [create_container upload_object_via_stream list_container_objects get_object delete_object] => unicode,
        "objects/odd names"
            [create_container upload_object_via_stream list_container_objects get_object delete_object] => odd_names,
        "objects/no page, one and many"
            [create_container upload_object_via_stream list_container_objects] => pages,
        "objects/by prefix" [create_container upload_object_via_stream list_container_objects] => prefixes,
        "objects/ranges" [create_container upload_object_via_stream download_object_as_stream] => ranges,
        "objects/only the same version"
            [create_container upload_object_via_stream download_object_as_stream] => same_version,
        "objects/many at once"
            [create_container upload_object_via_stream download_object_as_stream] => many_at_once,
        "objects/a URL" [create_container upload_object_via_stream get_object_cdn_url] => url,
        "files/up and down" [create_container upload_object_via_stream download_object_as_stream] => files,
        "files/large ones, up and down and again"
            [create_container upload_object_via_stream download_object_as_stream] => large_files,
        "transfers/a cancelled upload leaves nothing"
            [create_container upload_object_via_stream list_container_objects] => cancelled,
        "transfers/a broken upload leaves nothing"
            [create_container upload_object_via_stream list_container_objects] => broken,
        "transfers/an abandoned download harms nothing"
            [create_container upload_object_via_stream download_object_as_stream] => abandoned,
        "credentials/wrong ones are refused" [list_containers] => credentials,
    ]
}

async fn containers(cx: &Storage) -> Verdict {
    let made = cx.container().await?;
    let driver = &cx.driver;
    let name = made.name.as_str();
    same("get_container", driver.get_container(name).await?.name.as_str(), name)?;
    let listed = driver.list_containers().await?;
    same("times listed", listed.iter().filter(|other| other.name == name).count(), 1)?;
    same("objects of a new container", cx.names(&made).await?, Vec::<String>::new())?;
    driver.delete_container(&made).await?;
    let listed = driver.list_containers().await?;
    ensure!(listed.iter().all(|other| other.name != name), "{name} is deleted, and still listed");
    missing("get_container of a deleted one", driver.get_container(name).await, "container", name)
}

async fn no_container(cx: &Storage) -> Verdict {
    let name = unique_name()?;
    let (driver, gone) = (&cx.driver, Container::new(name.as_str()));
    missing("get_container", driver.get_container(&name).await, "container", &name)?;
    missing("delete_container", driver.delete_container(&gone).await, "container", &name)?;
    missing("list_container_objects", driver.list_container_objects(&gone).await, "container", &name)?;
    missing("get_object", driver.get_object(&name, "a").await, "container", &name)?;
    missing("upload", cx.put(&gone, "a", "x").await, "container", &name)
}

async fn duplicate_container(cx: &Storage) -> Verdict {
    let made = cx.container().await?;
    let again = cx.driver.create_container(&made.name).await;
    about("create_container again", again, ErrorKind::AlreadyExists, "container", &made.name)
}

async fn not_empty(cx: &Storage) -> Verdict {
    let made = cx.container().await?;
    let object = cx.put(&made, "a", "x").await?;
    let refused = cx.driver.delete_container(&made).await;
    about("delete_container", refused, ErrorKind::NotEmpty, "container", &made.name)?;
    same("the object", cx.read(&object).await?, "x")?;
    cx.driver.delete_object(&object).await?;
    Ok(cx.driver.delete_container(&made).await?)
}

async fn container_names(cx: &Storage) -> Verdict {
    for name in ["", "a/b"] {
        refused(
            &format!("create_container {name:?}"),
            cx.driver.create_container(name).await,
            ErrorKind::InvalidName,
        )?;
        refused_as(
            &format!("get_container {name:?}"),
            cx.driver.get_container(name).await,
            &[ErrorKind::InvalidName, ErrorKind::NotFound],
        )?;
    }
    let made = cx.container().await?;
    refused("an object without a name", cx.put(&made, "", "x").await, ErrorKind::InvalidName)
}

async fn objects(cx: &Storage) -> Verdict {
    let made = cx.container().await?;
    let name = "2013/cat.txt";
    let object = cx.put(&made, name, "abc").await?;
    same("the uploaded object", (object.name.as_str(), object.size), (name, 3))?;
    same("its container", &object.container.name, &made.name)?;
    let found = cx.driver.get_object(&made.name, name).await?;
    same("get_object", (found.name.as_str(), found.size, &found.hash), (name, 3, &object.hash))?;
    if cx.driver.hash_type() == Some(HashType::Md5) {
        same("the hash", found.hash.as_deref(), Some("900150983cd24fb0d6963f7d28e17f72"))?;
    }
    let listed = cx.driver.list_container_objects(&made).await?;
    let listed: Vec<_> =
        listed.iter().map(|object| (object.name.as_str(), object.size, &object.hash)).collect();
    same("list_container_objects", listed, vec![(name, 3, &object.hash)])?;
    same("the content", cx.read(&found).await?, "abc")?;
    same("the content, by names alone", cx.read(&Object::from_names(&made.name, name)).await?, "abc")?;
    cx.driver.delete_object(&found).await?;
    same("what is left", cx.names(&made).await?, Vec::<String>::new())?;
    missing("get_object of a deleted one", cx.driver.get_object(&made.name, name).await, "object", name)?;
    // Some answer that it is gone, some that it is not there.
    Ok(done_or_missing(cx.driver.delete_object(&found).await)?)
}

async fn no_object(cx: &Storage) -> Verdict {
    let made = cx.container().await?;
    let gone = Object::from_names(&made.name, "no/such object");
    missing("get_object", cx.driver.get_object(&made.name, &gone.name).await, "object", &gone.name)?;
    let stream = cx.driver.download_object_as_stream(&gone).await;
    missing("download_object_as_stream", stream, "object", &gone.name)?;
    Ok(done_or_missing(cx.driver.delete_object(&gone).await)?)
}

/// Bytes of which no two stretches are alike.
fn bytes(size: usize) -> Bytes {
    let mut bytes = Vec::with_capacity(size + 4);
    for word in (0_u32..).take(size.div_ceil(4)) {
        bytes.extend_from_slice(&word.to_le_bytes());
    }
    bytes.truncate(size);
    bytes.into()
}

/// Uploaded is what is downloaded, in size, digest and bytes.
async fn compare(cx: &Storage, what: &str, object: &Object, content: &Bytes) -> Verdict {
    same(&format!("{what}: size"), object.size, content.len() as u64)?;
    let found = cx.driver.get_object(&object.container.name, &object.name).await?;
    same(&format!("{what}: size found"), found.size, content.len() as u64)?;
    let stream = cx.driver.download_object_as_stream(&found).await?;
    if let Some(size) = stream.size {
        same(&format!("{what}: size told"), size, content.len() as u64)?;
    }
    if let Some((HashType::Md5, hash)) = &stream.hash {
        same(&format!("{what}: digest told"), hash.as_str(), digest::md5_hex(content))?;
    }
    let read = stream.read_all(MOST).await?;
    ensure!(read == *content, "{what}: {} other bytes came back", read.len());
    Ok(())
}

async fn content(cx: &Storage) -> Verdict {
    let made = cx.container().await?;
    for size in [0, 1, 5 * MIB + 1] {
        let content = bytes(size);
        let object = cx.put(&made, &format!("{size} bytes"), content.clone()).await?;
        compare(cx, &format!("{size} bytes"), &object, &content).await?;
    }
    Ok(())
}

async fn unknown_length(cx: &Storage) -> Verdict {
    let made = cx.container().await?;
    for size in [0, 1, 9 * MIB + 1] {
        let content = bytes(size);
        let pieces: Vec<_> = content.chunks(MIB - 1).map(Bytes::copy_from_slice).map(Ok).collect();
        let body = UploadBody::new(stream::iter(pieces));
        let object = cx.put(&made, &format!("{size} bytes"), body).await?;
        compare(cx, &format!("{size} bytes"), &object, &content).await?;
    }
    Ok(())
}

async fn overwrite(cx: &Storage) -> Verdict {
    let made = cx.container().await?;
    for text in ["a longer text", "short", ""] {
        let object = cx.put(&made, "a", text).await?;
        compare(cx, text, &object, &Bytes::from_static(text.as_bytes())).await?;
    }
    same("the objects", cx.names(&made).await?, vec!["a"])
}

async fn only_if_absent(cx: &Storage) -> Verdict {
    let made = cx.container().await?;
    let upload = |text: &'static str| {
        let options = UploadObject::new().only_if_absent();
        cx.driver.upload_object_via_stream_with(text.into(), &made, "a", options)
    };
    if !cx.has("upload_object_via_stream", "only_if_absent") {
        let kinds = [ErrorKind::NotSupported, ErrorKind::InvalidArgument];
        refused_as("only_if_absent, which is not among the features", upload("x").await, &kinds)?;
        return same("what is left", cx.names(&made).await?, Vec::<String>::new());
    }
    let object = upload("first").await?;
    about("a second upload", upload("second").await, ErrorKind::AlreadyExists, "object", "a")?;
    same("the content", cx.read(&object).await?, "first")
}

async fn meta_data(cx: &Storage) -> Verdict {
    let made = cx.container().await?;
    let options =
        UploadObject::new().meta_data("author", "Ada Lovelace").meta_data("title", "Über „alles“ 🦀");
    let written = options.meta_data.clone();
    let upload = cx.driver.upload_object_via_stream_with("x".into(), &made, "a", options).await;
    if !cx.has("upload_object_via_stream", "meta_data") {
        let kinds = [ErrorKind::NotSupported, ErrorKind::InvalidArgument];
        refused_as("metadata, which is not among the features", upload, &kinds)?;
        return same("what is left", cx.names(&made).await?, Vec::<String>::new());
    }
    same("the metadata of the upload", &upload?.meta_data, &written)?;
    same("the metadata", &cx.driver.get_object(&made.name, "a").await?.meta_data, &written)?;
    cx.put(&made, "a", "y").await?;
    same("the metadata of the next", cx.driver.get_object(&made.name, "a").await?.meta_data.len(), 0)
}

async fn content_type(cx: &Storage) -> Verdict {
    let made = cx.container().await?;
    cx.put(&made, "a.html", "x").await?;
    let guessed = cx.driver.get_object(&made.name, "a.html").await?;
    same("the guessed type", guessed.content_type.as_deref(), Some("text/html"))?;
    let options = UploadObject::new().content_type("text/x-test");
    let upload = cx.driver.upload_object_via_stream_with("x".into(), &made, "b.html", options).await;
    if !cx.has("upload_object_via_stream", "content_type") {
        let kinds = [ErrorKind::NotSupported, ErrorKind::InvalidArgument];
        refused_as("a content type, which is not among the features", upload, &kinds)?;
        return same("what is left", cx.names(&made).await?, vec!["a.html"]);
    }
    upload?;
    let given = cx.driver.get_object(&made.name, "b.html").await?;
    same("the given type", given.content_type.as_deref(), Some("text/x-test"))
}

async fn unicode(cx: &Storage) -> Verdict {
    // Composed and decomposed, these look the same and are two names.
    exact(cx, vec!["ü".into(), "u\u{308}".into(), "日本語/🦀".into(), "\u{a0}".into(), "Ελλάδα.txt".into()])
        .await
}

async fn odd_names(cx: &Storage) -> Verdict {
    let mut names: Vec<String> = Storage::ODD_NAMES.iter().map(|name| (*name).to_owned()).collect();
    names.push(
        ["x".repeat(204), "y".repeat(204), "z".repeat(204), "ü".repeat(102), "a".repeat(204)].join("/"),
    );
    let known = |name: &&&str| !Storage::ODD_NAMES.contains(*name);
    let strange: Vec<_> = cx.refused_names.iter().filter(known).collect();
    ensure!(
        strange.is_empty(),
        "these names are not tried, so that nobody knows whether they are refused: {strange:?}"
    );
    exact(cx, names).await
}

/// Each of these names comes back as it was given, of an object of its own.
async fn exact(cx: &Storage, names: Vec<String>) -> Verdict {
    let made = cx.container().await?;
    let mut wrong = Vec::new();
    let mut kept = Vec::new();
    for name in names {
        let upload = cx.put(&made, &name, name.clone()).await;
        let refuses = cx.refused_names.contains(&name.as_str());
        match upload {
            Ok(_) if refuses => wrong.push(format!("{name:?} is said to be refused, and is not")),
            Ok(object) if object.name != name => wrong.push(format!("{name:?} became {:?}", object.name)),
            Ok(_) => kept.push(name),
            Err(error) if refuses && error.kind() == ErrorKind::InvalidName => {}
            Err(error) if is_fault(&error) => return Err(error.into()),
            Err(error) => wrong.push(format!("{name:?}: {error}")),
        }
    }
    kept.sort_unstable();
    let listed = cx.names(&made).await?;
    let (more, less): (Vec<_>, Vec<_>) = (
        listed.iter().filter(|name| !kept.contains(name)).collect(),
        kept.iter().filter(|name| !listed.contains(name)).collect(),
    );
    if listed != kept {
        wrong.push(format!("listed and never uploaded: {more:?}; uploaded and not listed: {less:?}"));
    }
    for name in &kept {
        let found = match cx.driver.get_object(&made.name, name).await {
            Ok(found) => cx.read(&found).await,
            Err(error) => Err(error),
        };
        match found {
            Ok(content) if content == *name => {}
            Err(error) if is_fault(&error) => return Err(error.into()),
            other => wrong.push(format!("{name:?} holds {other:?}")),
        }
    }
    for name in &kept {
        if let Err(error) = cx.driver.delete_object(&Object::from_names(&made.name, name)).await {
            if is_fault(&error) {
                return Err(error.into());
            }
            wrong.push(format!("{name:?} cannot be deleted: {error}"));
        }
    }
    let left = cx.names(&made).await?;
    if !left.is_empty() {
        wrong.push(format!("deleted and still there: {left:?}"));
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("\n    "));
    Ok(())
}

async fn pages(cx: &Storage) -> Verdict {
    let made = cx.container().await?;
    same("no object", cx.names(&made).await?, Vec::<String>::new())?;
    let names: Vec<String> = (0..cx.many).map(|n| format!("{n:06}+ ü")).collect();
    let [first, others @ ..] = names.as_slice() else {
        return Err(Problem::Wrong("many is none".into()));
    };
    cx.put(&made, first, "x").await?;
    same("one object", cx.names(&made).await?, vec![first.as_str()])?;
    for others in others.chunks(16) {
        future::try_join_all(others.iter().map(|name| cx.put(&made, name, "x"))).await?;
    }
    let listed = cx.names(&made).await?;
    ensure!(listed == names, "{} names were listed, not these {}", listed.len(), names.len());
    // Who wants only the first need not fetch the rest.
    let some: Vec<Object> = cx.driver.iterate_container_objects(&made).take(3).try_collect().await?;
    same("the first three", some.len(), 3)
}

async fn prefixes(cx: &Storage) -> Verdict {
    let made = cx.container().await?;
    let names = ["a+b", "a/1", "a/2", "ab", "b", "ü/1"];
    for name in names {
        cx.put(&made, name, "x").await?;
    }
    for prefix in ["a", "a/", "a+", "ü", "c", ""] {
        let options = ListObjects::new().prefix(prefix);
        let mut listed: Vec<String> = cx
            .driver
            .iterate_container_objects_with(&made, options)
            .map_ok(|object| object.name)
            .try_collect()
            .await?;
        listed.sort_unstable();
        let expected: Vec<_> = names.into_iter().filter(|name| name.starts_with(prefix)).collect();
        same(&format!("prefix {prefix:?}"), listed, expected)?;
    }
    Ok(())
}

async fn ranges(cx: &Storage) -> Verdict {
    let made = cx.container().await?;
    let object = cx.put(&made, "digits", "0123456789").await?;
    if !cx.has("download_object_as_stream", "range") {
        let kinds = [ErrorKind::NotSupported, ErrorKind::InvalidArgument];
        let part = cx.driver.download_object_range_as_stream(&object, 0, Some(1)).await;
        return refused_as("a range, which is not among the features", part, &kinds).map(drop);
    }
    for (start, end, expected) in [
        (0, Some(1), "0"),
        (4, Some(7), "456"),
        (7, None, "789"),
        (8, Some(99), "89"),
        (0, None, "0123456789"),
    ] {
        let what = format!("{start} to {end:?}");
        let stream = cx.driver.download_object_range_as_stream(&object, start, end).await?;
        if let Some(size) = stream.size {
            same(&format!("{what}: size"), size, expected.len() as u64)?;
        }
        same(&what, stream.read_all(MOST).await?, expected)?;
    }
    let beyond = cx.driver.download_object_range_as_stream(&object, 10, None).await;
    refused("from beyond the end", beyond, ErrorKind::InvalidArgument)
}

async fn same_version(cx: &Storage) -> Verdict {
    let made = cx.container().await?;
    let object = cx.put(&made, "a.txt", "one").await?;
    let asking = |etag: &str| StreamObject::new().if_match(etag);
    if !cx.has("download_object_as_stream", "if_match") {
        let kinds = [ErrorKind::NotSupported, ErrorKind::InvalidArgument];
        let any = cx.driver.download_object_as_stream_with(&object, asking("x")).await;
        return refused_as("an entity tag, which is not among the features", any, &kinds).map(drop);
    }
    let stream = cx.driver.download_object_as_stream(&object).await?;
    let etag = stream.etag.clone().unwrap_or_default();
    ensure!(!etag.is_empty(), "the content of an object has no entity tag");
    drop(stream);
    let stream = cx.driver.download_object_as_stream_with(&object, asking(&etag)).await?;
    same("of the same version", stream.read_all(MOST).await?, "one")?;
    let object = cx.put(&made, "a.txt", "other").await?;
    let range = ByteRange::new(0, Some(1))?;
    for options in [asking(&etag), asking(&etag).range(range)] {
        let other = cx.driver.download_object_as_stream_with(&object, options).await;
        refused("another version", other, ErrorKind::InvalidState)?;
    }
    Ok(())
}

async fn many_at_once(cx: &Storage) -> Verdict {
    let made = cx.container().await?;
    let names: Vec<String> = (0..32).map(|n| format!("at-once-{n:02}")).collect();
    let uploads = names.iter().map(|name| cx.put(&made, name, name.clone()));
    // All of them, though one fails: one that is dropped may still arrive, after the container was cleared.
    let objects = future::join_all(uploads).await.into_iter().collect::<Result<Vec<_>, _>>()?;
    let contents = future::try_join_all(objects.iter().map(|object| cx.read(object))).await?;
    same("the contents", contents, names.iter().map(String::as_bytes).collect::<Vec<_>>())
}

async fn url(cx: &Storage) -> Verdict {
    let made = cx.container().await?;
    let object = cx.put(&made, "a.txt", "x").await?;
    let url = cx.driver.get_object_cdn_url(&object).await?;
    ensure!(url.contains(made.name.as_str()), "{url} has nothing of the container's name, {}", made.name);
    Ok(())
}

async fn files(cx: &Storage) -> Verdict {
    let folder = tempfile::tempdir().map_err(|error| Error::io("make a folder", error))?;
    let io = |error| Problem::Error(Error::io("use a file of the test", error));
    let (up, down) = (folder.path().join("up.bin"), folder.path().join("down.bin"));
    let content = bytes(MIB + 7);
    std::fs::write(&up, &content).map_err(io)?;
    let made = cx.container().await?;
    let object = cx.driver.upload_object(&up, &made, "file.bin").await?;
    same("the size", object.size, content.len() as u64)?;
    cx.driver.download_object(&object, &down).await?;
    ensure!(std::fs::read(&down).map_err(io)? == content, "another file came back");
    refused(
        "a file that is there",
        cx.driver.download_object(&object, &down).await,
        ErrorKind::AlreadyExists,
    )?;
    cx.put(&made, "file.bin", "short").await?;
    let object = cx.driver.get_object(&made.name, "file.bin").await?;
    let replace = DownloadObject::new().overwrite_existing();
    cx.driver.download_object_with(&object, &down, replace).await?;
    ensure!(std::fs::read(&down).map_err(io)? == b"short", "the file was not replaced");
    let gone = Object::from_names(&made.name, "gone.bin");
    missing("a download", cx.driver.download_object(&gone, folder.path()).await, "object", "gone.bin")?;
    let entries = std::fs::read_dir(folder.path()).map_err(io)?.count();
    same("files beside the two", entries, 2)
}

/// More than is sent, or comes, in one piece.
async fn large_files(cx: &Storage) -> Verdict {
    let folder = tempfile::tempdir().map_err(|error| Error::io("make a folder", error))?;
    let io = |error| Problem::Error(Error::io("use a file of the test", error));
    let (up, down) = (folder.path().join("up.bin"), folder.path().join("down.bin"));
    let content = bytes(17 * MIB + 3);
    std::fs::write(&up, &content).map_err(io)?;
    let made = cx.container().await?;
    for round in ["first", "second"] {
        let object = cx.driver.upload_object(&up, &made, "large.bin").await?;
        same("the size", object.size, content.len() as u64)?;
        let replace = DownloadObject::new().overwrite_existing();
        cx.driver.download_object_with(&object, &down, replace).await?;
        ensure!(std::fs::read(&down).map_err(io)? == content, "another file came back the {round} time");
    }
    let entries = std::fs::read_dir(folder.path()).map_err(io)?.count();
    same("files beside the two", entries, 2)
}

/// A body that gives so many bytes and then says so, and nothing after that.
fn stuck(content: Bytes) -> (UploadBody, tokio::sync::oneshot::Receiver<()>) {
    let (said, stuck) = tokio::sync::oneshot::channel();
    let length = content.len() as u64 + 1;
    let never = async move {
        // The receiver may have had enough.
        let _ = said.send(());
        future::pending::<Result<Bytes>>().await
    };
    let pieces: Vec<_> = content.chunks(MIB).map(Bytes::copy_from_slice).map(Ok).collect();
    (UploadBody::with_length(stream::iter(pieces).chain(stream::once(never)), length), stuck)
}

async fn cancelled(cx: &Storage) -> Verdict {
    let made = cx.container().await?;
    let kept = cx.put(&made, "kept", "before").await?;
    for name in ["kept", "new"] {
        // More than any buffer on the way holds, so that the server has some of it.
        let (body, stuck) = stuck(bytes(12 * MIB));
        tokio::select! {
            done = cx.put(&made, name, body) => {
                let object = done?;
                return Err(Problem::Wrong(format!("{} bytes were uploaded of a body without an end", object.size)));
            }
            _ = stuck => {}
        }
    }
    same("the objects", cx.names(&made).await?, vec!["kept"])?;
    same("the content", cx.read(&kept).await?, "before")?;
    missing("the new one", cx.driver.get_object(&made.name, "new").await, "object", "new")?;
    let object = cx.put(&made, "new", "after").await?;
    same("the next upload", cx.read(&object).await?, "after")
}

async fn broken(cx: &Storage) -> Verdict {
    let made = cx.container().await?;
    let kept = cx.put(&made, "kept", "before").await?;
    for name in ["kept", "new"] {
        for length in [None, Some(12 * MIB as u64)] {
            let failing =
                stream::iter([Ok(bytes(6 * MIB)), Err(Error::new(ErrorKind::Io, "the disk is gone"))]);
            let body = match length {
                Some(length) => UploadBody::with_length(failing, length),
                None => UploadBody::new(failing),
            };
            let error = refused_as("a body that fails", cx.put(&made, name, body).await, &[ErrorKind::Io])?;
            ensure!(error.to_string().contains("the disk is gone"), "the cause is lost: {error}");
        }
        for found in [6 * MIB, 6 * MIB + 2] {
            let body = UploadBody::with_length(stream::iter([Ok(bytes(found))]), 6 * MIB as u64 + 1);
            refused("a body of another length", cx.put(&made, name, body).await, ErrorKind::HashMismatch)?;
        }
    }
    same("the objects", cx.names(&made).await?, vec!["kept"])?;
    same("the content", cx.read(&kept).await?, "before")
}

async fn abandoned(cx: &Storage) -> Verdict {
    let made = cx.container().await?;
    let content = bytes(6 * MIB);
    let object = cx.put(&made, "a", content.clone()).await?;
    let mut stream = cx.driver.download_object_as_stream(&object).await?;
    let first = stream.try_next().await?.unwrap_or_default();
    ensure!(
        !first.is_empty() && content.starts_with(&first),
        "a download began with {} other bytes",
        first.len()
    );
    drop(stream);
    compare(cx, "after an abandoned download", &object, &content).await
}

async fn credentials(cx: &Storage) -> Verdict {
    let Some(wrong) = &cx.wrong else {
        return Err(Problem::Wrong("neither wrong_credentials nor without_credentials was said".into()));
    };
    if wrong.is_empty() {
        return Err(Problem::Denied);
    }
    let made = cx.container().await?;
    for wrong in wrong {
        let kind = ErrorKind::InvalidCredentials;
        refused("list_containers", wrong.list_containers().await, kind)?;
        refused("create_container", wrong.create_container(&unique_name()?).await, kind)?;
        refused("get_container", wrong.get_container(&made.name).await, kind)?;
        let upload = wrong.upload_object_via_stream("x".into(), &made, "a").await;
        refused("upload_object_via_stream", upload, kind)?;
    }
    same("the objects", cx.names(&made).await?, Vec::<String>::new())
}
