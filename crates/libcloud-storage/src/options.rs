//! The optional arguments of storage methods.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use libcloud_common::dispatch::{Arg, Args};
use libcloud_common::{ArgSpec, Error, ErrorKind, Ex, Map, Result, Value, call_options, optional_arguments};

use crate::journal::UploadJournal;
use crate::stream::TransferProgress;

/// Arguments of [`iterate_container_objects_with`](crate::StorageDriver::iterate_container_objects_with).
///
/// By name, the prefix may also be given as `ex_prefix`, as it was called at first.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ListObjects {
    /// Only objects whose name begins so.
    pub prefix: Option<String>,
    /// The longest that the whole call may take.
    pub timeout: Option<Duration>,
    /// Extension arguments.
    pub ex: Ex,
}

impl ListObjects {
    /// All objects.
    pub fn new() -> Self {
        Self::default()
    }

    /// Only objects whose name begins so.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = Some(prefix.into());
        self
    }
}

call_options!(ListObjects);

impl Arg for ListObjects {
    const TYPE: &'static str = "list_container_objects";
    const REQUIRED: bool = false;

    fn from_json(_: Value) -> Result<Self, String> {
        Ok(Self::default())
    }

    fn take(args: &mut Args, _: &'static str) -> Result<Self> {
        let prefix = <Option<String> as Arg>::take(args, "prefix")?;
        let old = <Option<String> as Arg>::take(args, "ex_prefix")?;
        if prefix.is_some() && old.is_some() && prefix != old {
            return Err(Error::invalid_argument("`ex_prefix` is the old name of `prefix`; give one of them"));
        }
        Ok(Self {
            prefix: prefix.or(old),
            timeout: Arg::take(args, "timeout")?,
            ex: Ex::from_map(args.take_prefixed("ex_")),
        })
    }

    fn describe(_: &'static str, _: &'static str, specs: &mut Vec<ArgSpec>) {
        <Option<String> as Arg>::describe("prefix", "only objects whose name begins so", specs);
    }
}

/// Arguments of [`upload_object_via_stream_with`](crate::StorageDriver::upload_object_via_stream_with) and
/// [`upload_object_with`](crate::StorageDriverExt::upload_object_with).
///
/// By name, `content_type`, `meta_data` and `acl` may also be keys of a map `extra`, as in the seed.
///
/// ```
/// use libcloud_storage::UploadObject;
///
/// let options = UploadObject::new().content_type("text/html").meta_data("author", "Ada").only_if_absent();
/// assert_eq!(options.content_type_for("page"), "text/html");
/// assert_eq!(UploadObject::new().content_type_for("cat.jpg"), "image/jpeg");
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct UploadObject {
    /// The MIME type; guessed from the name without.
    pub content_type: Option<String>,
    /// What is to be written on the object.
    pub meta_data: BTreeMap<String, String>,
    /// Who may do what with it, in the provider's own words: `public-read`.
    pub acl: Option<String>,
    /// Further headers of the upload, where the provider speaks HTTP.
    pub headers: BTreeMap<String, String>,
    /// Whether to compare the checksum of what was sent with what the provider says it has, where it promises one
    /// (`true`).
    pub verify_hash: bool,
    /// Whether to fail with `AlreadyExists` if there is an object of that name (`false`: it is replaced).
    pub only_if_absent: bool,
    /// Where an upload in parts is written down while it is under way, so that one which this process leaves behind when it
    /// is killed is thrown away by the next upload to the same place.
    pub journal: Option<UploadJournal>,
    /// The longest that the whole call may take.
    pub timeout: Option<Duration>,
    /// Extension arguments.
    pub ex: Ex,
    /// What the name of the uploaded file suggests. Not `content_type`: a driver that keeps no types refuses a type
    /// that was asked for, not a guess.
    pub(crate) file_type: Option<&'static str>,
}

impl Default for UploadObject {
    fn default() -> Self {
        Self {
            content_type: None,
            meta_data: BTreeMap::new(),
            acl: None,
            headers: BTreeMap::new(),
            verify_hash: true,
            only_if_absent: false,
            journal: None,
            timeout: None,
            ex: Ex::default(),
            file_type: None,
        }
    }
}

impl UploadObject {
    /// No optional arguments.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the MIME type.
    pub fn content_type(mut self, content_type: impl Into<String>) -> Self {
        self.content_type = Some(content_type.into());
        self
    }

    /// Writes one more thing on the object.
    pub fn meta_data(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.meta_data.insert(key.into(), value.into());
        self
    }

    /// Sets who may do what with it.
    pub fn acl(mut self, acl: impl Into<String>) -> Self {
        self.acl = Some(acl.into());
        self
    }

    /// Sends one more header.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.insert(name.into(), value.into());
        self
    }

    /// Does not compare checksums.
    pub fn skip_hash(mut self) -> Self {
        self.verify_hash = false;
        self
    }

    /// Fails if there is an object of that name, in place of replacing it.
    pub fn only_if_absent(mut self) -> Self {
        self.only_if_absent = true;
        self
    }

    /// Writes down an upload in parts while it is under way.
    pub fn journal(mut self, journal: UploadJournal) -> Self {
        self.journal = Some(journal);
        self
    }

    /// The further headers, for a driver that speaks HTTP. `own` are those that it sets itself, in lower case.
    ///
    /// # Errors
    /// `InvalidArgument` for one of its own, which would make another request of it.
    pub fn further_headers(&self, own: &[&str]) -> Result<&BTreeMap<String, String>> {
        match self.headers.keys().find(|name| own.contains(&name.to_ascii_lowercase().as_str())) {
            None => Ok(&self.headers),
            Some(name) => Err(Error::invalid_argument(format!(
                "`headers`: `{name}` is set by the driver; there are arguments for the type of the content \
                 (`content_type`) and for not replacing an object (`only_if_absent`)"
            ))
            .with_resource("argument", "headers")),
        }
    }

    /// The MIME type that is given, or that objects of this name, or the uploaded file's, usually have.
    pub fn content_type_for(&self, object_name: &str) -> String {
        match &self.content_type {
            Some(content_type) => content_type.clone(),
            None => guess_content_type(object_name)
                .or(self.file_type)
                .unwrap_or("application/octet-stream")
                .to_owned(),
        }
    }
}

/// The MIME type that files of this name usually have, by its ending.
///
/// ```
/// assert_eq!(libcloud_storage::guess_content_type("a/b.html"), Some("text/html"));
/// assert_eq!(libcloud_storage::guess_content_type("README"), None);
/// ```
pub fn guess_content_type(object_name: &str) -> Option<&'static str> {
    let last = object_name.rsplit('/').next().unwrap_or(object_name);
    mime_guess::from_path(last).first_raw()
}

call_options!(UploadObject);

impl Arg for UploadObject {
    const TYPE: &'static str = "upload_object";
    const REQUIRED: bool = false;

    fn from_json(_: Value) -> Result<Self, String> {
        Ok(Self::default())
    }

    fn take(args: &mut Args, _: &'static str) -> Result<Self> {
        const IN_EXTRA: [&str; 3] = ["content_type", "meta_data", "acl"];
        let mut extra = <Option<Map<String, Value>> as Arg>::take(args, "extra")?.unwrap_or_default();
        extra.retain(|_, value| !value.is_null());
        if let Some(unknown) = extra.keys().find(|key| !IN_EXTRA.contains(&key.as_str())) {
            return Err(Error::invalid_argument(format!(
                "{}: `extra` has no key `{unknown}`; it takes `{}`",
                args.method(),
                IN_EXTRA.join("`, `")
            ))
            .with_resource("argument", unknown));
        }
        let default = Self::default();
        Ok(Self {
            content_type: either(args, &mut extra, "content_type")?,
            meta_data: either(args, &mut extra, "meta_data")?.unwrap_or_default(),
            acl: either(args, &mut extra, "acl")?,
            headers: <Option<_> as Arg>::take(args, "headers")?.unwrap_or_default(),
            verify_hash: <Option<_> as Arg>::take(args, "verify_hash")?.unwrap_or(default.verify_hash),
            only_if_absent: <Option<_> as Arg>::take(args, "only_if_absent")?
                .unwrap_or(default.only_if_absent),
            journal: None,
            timeout: Arg::take(args, "timeout")?,
            ex: Ex::from_map(args.take_prefixed("ex_")),
            file_type: None,
        })
    }

    fn describe(_: &'static str, _: &'static str, specs: &mut Vec<ArgSpec>) {
        Option::<String>::describe("content_type", "the MIME type (guessed from the name)", specs);
        Option::<BTreeMap<String, String>>::describe(
            "meta_data",
            "what is to be written on the object",
            specs,
        );
        Option::<String>::describe("acl", "who may do what with it, in the provider's words", specs);
        Option::<BTreeMap<String, String>>::describe("headers", "further headers of the upload", specs);
        Option::<bool>::describe("verify_hash", "whether to compare checksums (true)", specs);
        Option::<bool>::describe(
            "only_if_absent",
            "whether to fail if there is an object of that name (false)",
            specs,
        );
    }
}

/// An argument that is given by itself or in the map `extra`.
fn either<T: Arg>(args: &mut Args, extra: &mut Map<String, Value>, name: &'static str) -> Result<Option<T>> {
    let own = <Option<T> as Arg>::take(args, name)?;
    match (own, extra.remove(name)) {
        (Some(_), Some(_)) => Err(Error::invalid_argument(format!(
            "{}: `{name}` is given both by itself and in `extra`",
            args.method()
        ))
        .with_resource("argument", name)),
        (None, Some(value)) => T::from_json(value).map(Some).map_err(|problem| {
            Error::invalid_argument(format!("{}: `extra.{name}`: {problem}", args.method()))
                .with_resource("argument", name)
        }),
        (own, None) => Ok(own),
    }
}

/// Part of an object: from `start` up to, not including, `end`, or to the object's end. In bytes.
///
/// ```
/// use libcloud_storage::ByteRange;
///
/// let range = ByteRange::new(4, Some(6))?;
/// assert_eq!(range.header(), "bytes=4-5");
/// assert_eq!(range.within(5)?, 4..5);
/// assert!(ByteRange::new(6, Some(6)).is_err());
/// # Ok::<(), libcloud_common::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ByteRange {
    start: u64,
    end: Option<u64>,
}

impl ByteRange {
    /// From `start` up to, not including, `end`.
    ///
    /// # Errors
    /// `InvalidArgument` if there is nothing between them.
    pub fn new(start: u64, end: Option<u64>) -> Result<Self> {
        if let Some(end) = end
            && end <= start
        {
            return Err(Error::invalid_argument(format!(
                "the end of a range must be after its start: {start} to {end}"
            )));
        }
        Ok(Self { start, end })
    }

    /// The first byte.
    pub fn start(self) -> u64 {
        self.start
    }

    /// The byte after the last; `None` for the object's end.
    pub fn end(self) -> Option<u64> {
        self.end
    }

    /// The value of the header `Range`, where the last byte is included.
    pub fn header(self) -> String {
        match self.end {
            Some(end) => format!("bytes={}-{}", self.start, end - 1),
            None => format!("bytes={}-", self.start),
        }
    }

    /// The part of an object of this size: an end beyond the object's is taken for it, as HTTP does.
    ///
    /// # Errors
    /// `InvalidArgument` if it begins at or after the object's end.
    pub fn within(self, size: u64) -> Result<Range<u64>> {
        if self.start >= size {
            return Err(Error::invalid_argument(format!(
                "the range begins at byte {}, the object has {size}",
                self.start
            )));
        }
        Ok(self.start..self.end.map_or(size, |end| end.min(size)))
    }
}

/// Arguments of [`download_object_as_stream_with`](crate::StorageDriver::download_object_as_stream_with).
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct StreamObject {
    /// Only this part.
    pub range: Option<ByteRange>,
    /// How large the pieces are to be, in bytes; as they arrive without. A hint: the last is smaller, and a driver
    /// that cannot choose gives them as they arrive.
    pub chunk_size: Option<u64>,
    /// Only if this is still the entity tag of the content: else `InvalidState`.
    pub if_match: Option<String>,
    /// The longest that the whole call may take.
    pub timeout: Option<Duration>,
    /// Extension arguments.
    pub ex: Ex,
}

impl StreamObject {
    /// All of the object, as it arrives.
    pub fn new() -> Self {
        Self::default()
    }

    /// Only this part.
    pub fn range(mut self, range: ByteRange) -> Self {
        self.range = Some(range);
        self
    }

    /// Only the version of the content that has this entity tag.
    pub fn if_match(mut self, etag: impl Into<String>) -> Self {
        self.if_match = Some(etag.into());
        self
    }

    /// Pieces of this size in bytes.
    pub fn chunk_size(mut self, size: u64) -> Self {
        self.chunk_size = Some(size);
        self
    }
}

/// For drivers whose provider does not look itself: whether content with this entity tag is what
/// [`StreamObject::if_match`] asks for.
///
/// # Errors
/// `InvalidState` if it is another version.
pub fn check_version(object_name: &str, asked: Option<&str>, etag: &str) -> Result<()> {
    match asked {
        Some(asked) if asked != etag => Err(Error::new(
            ErrorKind::InvalidState,
            format!("object `{object_name}` is another version than the one of entity tag {asked}"),
        )
        .with_resource("object", object_name)),
        _ => Ok(()),
    }
}

call_options!(StreamObject);

impl Arg for StreamObject {
    const TYPE: &'static str = "download_object_as_stream";
    const REQUIRED: bool = false;

    fn from_json(_: Value) -> Result<Self, String> {
        Ok(Self::default())
    }

    fn take(args: &mut Args, _: &'static str) -> Result<Self> {
        Ok(Self {
            range: None,
            chunk_size: Arg::take(args, "chunk_size")?,
            if_match: Arg::take(args, "if_match")?,
            timeout: Arg::take(args, "timeout")?,
            ex: Ex::from_map(args.take_prefixed("ex_")),
        })
    }

    fn describe(_: &'static str, _: &'static str, specs: &mut Vec<ArgSpec>) {
        Option::<u64>::describe("chunk_size", "how large the pieces are to be, in bytes", specs);
        Option::<String>::describe("if_match", "only if this is the content's entity tag", specs);
    }
}

/// Arguments of [`download_object_with`](crate::StorageDriverExt::download_object_with) and
/// [`download_object_range_with`](crate::StorageDriverExt::download_object_range_with).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DownloadObject {
    /// Whether a file that is there already is replaced (`false`: it is an error).
    pub overwrite_existing: bool,
    /// Whether what has arrived is deleted when the download fails (`true`). Otherwise it is kept beside the
    /// destination, under its name and `.part`.
    pub delete_on_failure: bool,
    /// Hears how far it is.
    pub progress: Option<TransferProgress>,
    /// The longest that the whole call may take.
    pub timeout: Option<Duration>,
    /// Extension arguments.
    pub ex: Ex,
}

impl Default for DownloadObject {
    fn default() -> Self {
        Self {
            overwrite_existing: false,
            delete_on_failure: true,
            progress: None,
            timeout: None,
            ex: Ex::default(),
        }
    }
}

impl DownloadObject {
    /// Does not replace a file; deletes what has arrived when it fails.
    pub fn new() -> Self {
        Self::default()
    }

    /// Replaces a file that is there already.
    pub fn overwrite_existing(mut self) -> Self {
        self.overwrite_existing = true;
        self
    }

    /// Keeps what has arrived when it fails.
    pub fn keep_on_failure(mut self) -> Self {
        self.delete_on_failure = false;
        self
    }

    /// Sets what hears how far it is.
    pub fn progress(mut self, progress: TransferProgress) -> Self {
        self.progress = Some(progress);
        self
    }
}

call_options!(DownloadObject);

impl Arg for DownloadObject {
    const TYPE: &'static str = "download_object";
    const REQUIRED: bool = false;

    fn from_json(_: Value) -> Result<Self, String> {
        Ok(Self::default())
    }

    fn take(args: &mut Args, _: &'static str) -> Result<Self> {
        let default = Self::default();
        Ok(Self {
            overwrite_existing: <Option<_> as Arg>::take(args, "overwrite_existing")?
                .unwrap_or(default.overwrite_existing),
            delete_on_failure: <Option<_> as Arg>::take(args, "delete_on_failure")?
                .unwrap_or(default.delete_on_failure),
            progress: None,
            timeout: Arg::take(args, "timeout")?,
            ex: Ex::from_map(args.take_prefixed("ex_")),
        })
    }

    fn describe(_: &'static str, _: &'static str, specs: &mut Vec<ArgSpec>) {
        Option::<bool>::describe("overwrite_existing", "whether to replace a file (false)", specs);
        Option::<bool>::describe(
            "delete_on_failure",
            "whether to delete what has arrived when it fails (true)",
            specs,
        );
    }
}

optional_arguments! {
    /// Arguments of [`get_object_cdn_url_with`](crate::StorageDriver::get_object_cdn_url_with).
    GetObjectCdnUrl("get_object_cdn_url") {
        /// How long the URL is to work; the provider's own time, or for ever, without.
        expiry: Duration = "how long it is to work, in seconds", expiry(Duration) std::convert::identity;
    }
}

impl GetObjectCdnUrl {
    /// How long the URL is to work, for a driver that has the seed's argument `ex_expiry`, which counts in hours;
    /// `usual` where nothing is said.
    ///
    /// # Errors
    /// `InvalidArgument` if both are given, or if the hours are no time.
    pub fn expiry_or(&self, ex_expiry: Option<f64>, usual: Duration) -> Result<Duration> {
        match (self.expiry, ex_expiry) {
            (Some(_), Some(_)) => {
                Err(Error::invalid_argument("`expiry` and `ex_expiry` mean the same: give one of them"))
            }
            (Some(expiry), None) => Ok(expiry),
            (None, Some(hours)) => Duration::try_from_secs_f64(hours * 3600.0)
                .map_err(|error| Error::invalid_argument(format!("`ex_expiry`, {hours} hours: {error}"))),
            (None, None) => Ok(usual),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_of_the_driver_are_refused() {
        let options = UploadObject::new().header("Cache-Control", "no-store");
        assert_eq!(options.further_headers(&["host"]).unwrap().len(), 1);
        let error = options.header("Host", "evil.example").further_headers(&["host"]).unwrap_err();
        assert!(error.to_string().contains("`Host` is set by the driver"), "{error}");
    }

    #[test]
    fn an_expiry_is_said_once() {
        let day = Duration::from_secs(86400);
        let minute = GetObjectCdnUrl::new().expiry(Duration::from_secs(60));
        assert_eq!(minute.expiry_or(None, day).unwrap(), Duration::from_secs(60));
        assert_eq!(GetObjectCdnUrl::new().expiry_or(Some(1.5), day).unwrap(), Duration::from_secs(5400));
        assert_eq!(GetObjectCdnUrl::new().expiry_or(None, day).unwrap(), day);
        for error in [
            minute.expiry_or(Some(1.0), day).unwrap_err(),
            GetObjectCdnUrl::new().expiry_or(Some(-1.0), day).unwrap_err(),
        ] {
            assert_eq!(error.kind(), libcloud_common::ErrorKind::InvalidArgument);
        }
    }
}
