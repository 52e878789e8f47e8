//! Content on its way to S3.
//!
//! What fits in memory is sent from there: its digest is signed, and it is sent again when the connection breaks. More
//! of it is sent once, as it comes, and left out of the signature (over TLS as S3 wants it; without TLS most servers
//! take it as well). S3 takes no content of unknown length, so such a stream goes through a temporary file first. In
//! every case the entity tag tells in the end whether S3 has what was sent.

use std::io;
use std::mem::take;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures_util::TryStreamExt as _;
use http::Method;
use libcloud_common::{ByteStream, Deadline, Error, Extra, Result, arguments, text};
use libcloud_storage::rest::{headers::unquoted, meta_data};
use libcloud_storage::{Container, HashType, Object, UploadBody, UploadObject};
use tempfile::{NamedTempFile, TempPath};
use tokio::fs::File;
use tokio::io::AsyncWriteExt as _;

use super::{DESCRIPTOR, META, S3Driver, objects};

/// What is kept in memory.
const IN_MEMORY: u64 = 8 << 20;

/// The most that one request may carry.
const LARGEST: u64 = 5 << 30;

/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-class-intro.html>
const STORAGE_CLASSES: [&str; 9] = [
    "STANDARD",
    "REDUCED_REDUNDANCY",
    "STANDARD_IA",
    "ONEZONE_IA",
    "INTELLIGENT_TIERING",
    "GLACIER",
    "GLACIER_IR",
    "DEEP_ARCHIVE",
    "EXPRESS_ONEZONE",
];

/// The headers that are set by other arguments, or by signing.
const OWN_HEADERS: [&str; 10] = [
    "authorization",
    "connection",
    "content-length",
    "content-type",
    "host",
    "if-none-match",
    "transfer-encoding",
    "x-amz-content-sha256",
    "x-amz-date",
    "x-amz-security-token",
];

/// Extension arguments of `upload_object` and `upload_object_via_stream`.
///
/// ```
/// use libcloud_aws::s3::S3UploadObject;
/// use libcloud_storage::UploadObject;
///
/// let mut arguments = S3UploadObject::default();
/// arguments.ex_storage_class = Some("standard_ia".into());
/// let options = UploadObject::new().ex(&arguments);
/// ```
#[arguments(drivers = ["s3"])]
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct S3UploadObject {
    /// How it is to be kept: `standard` (which it is without), `standard_ia`, `glacier` …, in any case of letters. Other
    /// installations have other classes: give those as the header `x-amz-storage-class`.
    pub ex_storage_class: Option<String>,
}

/// What is sent.
enum Content {
    Memory(Bytes),
    Stream {
        length: u64,
        stream: ByteStream,
        /// The file that it comes from, until it is sent.
        file: Option<TempPath>,
    },
}

impl S3Driver {
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html>
    pub(super) async fn put_object(
        &self,
        body: UploadBody,
        container: &Container,
        object_name: &str,
        mut options: UploadObject,
    ) -> Result<Object> {
        let content_type = options.content_type_for(object_name);
        let arguments: S3UploadObject = take(&mut options.ex).decode("upload_object_via_stream")?;
        let deadline = Deadline::new(self.conn.http().clock().clone(), options.timeout);
        let mut call = self.conn.object(Method::PUT, "PutObject", &container.name, object_name)?;
        call = call
            .headers(options.further_headers(&OWN_HEADERS)?)
            .headers(&meta_data::headers(META, &options.meta_data)?)
            .header_opt("x-amz-acl", options.acl)
            .header_opt("x-amz-storage-class", storage_class(arguments.ex_storage_class)?);
        if options.only_if_absent {
            call = call.only_if_absent();
        }

        let (body, digest) = if options.verify_hash {
            let (body, digest) = body.hashing(HashType::Md5);
            (body, Some(digest))
        } else {
            (body, None)
        };
        let in_operation = |error: Error| error.in_operation(DESCRIPTOR.id, "PutObject");
        let content = deadline.wait(content(body)).await.map_err(in_operation)?;
        let (call, size, file) = match content {
            Content::Memory(bytes) => {
                let size = bytes.len() as u64;
                (call.body(&content_type, bytes), size, None)
            }
            Content::Stream { length, stream, file } => {
                (call.stream(&content_type, length, stream), length, file)
            }
        };
        let response = call.timeout(deadline.left()).send().await?;
        drop(file);
        objects::tagged(&response.headers).map_err(in_operation)?;
        if let (Some(digest), Some(told)) = (digest, objects::md5(&response.headers)) {
            digest.verify(object_name, &told).map_err(in_operation)?;
        }

        let mut extra = objects::extra(&response.headers)?;
        // That of the answer is the answer's own.
        extra.content_type = Some(content_type);
        let meta_data = options.meta_data.into_iter().map(|(key, value)| (key.to_ascii_lowercase(), value));
        Ok(Object::new(object_name, size, &Arc::new(container.clone()))
            .with_hash(extra.etag.as_deref().map(unquoted))
            .with_etag(extra.etag.as_deref())
            .with_content_type(extra.content_type.as_deref())
            .with_meta_data(meta_data.collect())
            .with_extra(Extra::of(&extra)?))
    }
}

fn storage_class(asked: Option<String>) -> Result<Option<String>> {
    let Some(asked) = asked else {
        return Ok(None);
    };
    let class = asked.to_ascii_uppercase();
    if STORAGE_CLASSES.contains(&class.as_str()) {
        return Ok(Some(class));
    }
    let meant = text::near(&class, &STORAGE_CLASSES).map(|near| format!("; did you mean `{near}`?"));
    Err(Error::invalid_argument(format!(
        "`ex_storage_class`: there is no class `{asked}`{}, only `{}`",
        meant.unwrap_or_default(),
        STORAGE_CLASSES.join("`, `")
    ))
    .with_resource("argument", "ex_storage_class"))
}

/// Reads what has to be read before anything is sent.
async fn content(body: UploadBody) -> Result<Content> {
    if let Some(length) = body.length() {
        refuse_too_large(length)?;
        if length > IN_MEMORY {
            return Ok(Content::Stream { length, stream: body.into_stream(), file: None });
        }
    }
    let mut stream = body.into_stream();
    let mut bytes = BytesMut::new();
    while let Some(piece) = stream.try_next().await? {
        bytes.extend_from_slice(&piece);
        if bytes.len() as u64 > IN_MEMORY {
            return spooled(bytes.freeze(), stream).await;
        }
    }
    Ok(Content::Memory(bytes.freeze()))
}

/// Writes a stream of unknown length, of which this was the beginning, into a temporary file.
async fn spooled(beginning: Bytes, mut rest: ByteStream) -> Result<Content> {
    let cannot = |error| Error::io("keep an upload in a temporary file until its length is known", error);
    let made = tokio::task::spawn_blocking(NamedTempFile::new).await.map_err(io::Error::other);
    let (file, path) = made.and_then(|file| file).map_err(cannot)?.into_parts();
    let mut file = File::from_std(file);
    file.write_all(&beginning).await.map_err(cannot)?;
    let mut length = beginning.len() as u64;
    drop(beginning);
    while let Some(piece) = rest.try_next().await? {
        length += piece.len() as u64;
        refuse_too_large(length)?;
        file.write_all(&piece).await.map_err(cannot)?;
    }
    // Without this, an error of the last write would go unnoticed.
    file.flush().await.map_err(cannot)?;
    let stream = UploadBody::from_file(&path).await?.into_stream();
    Ok(Content::Stream { length, stream, file: Some(path) })
}

fn refuse_too_large(length: u64) -> Result<()> {
    if length <= LARGEST {
        return Ok(());
    }
    Err(Error::invalid_argument(
        "the content has more than 5 GiB, which S3 takes only in parts, and this driver sends it in one",
    ))
}

#[cfg(test)]
mod tests {
    use futures_util::{StreamExt as _, stream};
    use libcloud_common::ErrorKind;

    use super::*;

    const MIB: usize = 1 << 20;

    fn pieces(count: usize) -> UploadBody {
        UploadBody::new(stream::iter((0..count).map(|_| Ok(Bytes::from(vec![7; MIB])))))
    }

    #[tokio::test]
    async fn what_is_small_is_kept_in_memory() {
        for body in [pieces(8), UploadBody::from(vec![7; 8 * MIB])] {
            let Content::Memory(bytes) = content(body).await.unwrap() else { panic!() };
            assert_eq!(bytes.len(), 8 * MIB);
        }
        let Content::Memory(bytes) = content(UploadBody::from("")).await.unwrap() else { panic!() };
        assert!(bytes.is_empty());
    }

    #[tokio::test]
    async fn what_is_large_and_of_known_length_is_not_touched() {
        let never = stream::once(std::future::pending());
        let body = UploadBody::with_length(never, 8 * (MIB as u64) + 1);
        let Content::Stream { length, file, .. } = content(body).await.unwrap() else { panic!() };
        assert_eq!(length, 8 * (MIB as u64) + 1);
        assert!(file.is_none());
    }

    #[tokio::test]
    async fn what_is_large_and_of_unknown_length_goes_through_a_file() {
        let Content::Stream { length, stream, file } = content(pieces(10)).await.unwrap() else { panic!() };
        assert_eq!(length, 10 * MIB as u64);
        let path = file.as_ref().unwrap().to_path_buf();
        let sent: Vec<Bytes> = stream.try_collect().await.unwrap();
        assert!(sent.concat() == vec![7; 10 * MIB]);
        drop(file);
        assert!(!path.exists());
    }

    #[tokio::test]
    async fn a_stream_that_breaks_is_its_own_error() {
        let broken = || stream::iter([Err(Error::new(ErrorKind::Io, "the disk is gone"))]);
        let beginning = stream::iter((0..9).map(|_| Ok(Bytes::from(vec![7; MIB]))));
        for body in [UploadBody::new(broken()), UploadBody::new(beginning.chain(broken()))] {
            let error = content(body).await.err().unwrap();
            assert_eq!(error.kind(), ErrorKind::Io, "{error}");
        }
    }

    #[tokio::test]
    async fn more_than_one_request_can_carry_is_refused_at_once() {
        let body = UploadBody::with_length(stream::pending(), LARGEST + 1);
        let error = content(body).await.err().unwrap();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        assert!(error.to_string().contains("5 GiB"), "{error}");
    }

    #[test]
    fn a_wrong_storage_class_is_refused_with_the_right_ones() {
        assert_eq!(storage_class(Some("standard_ia".into())).unwrap().as_deref(), Some("STANDARD_IA"));
        let error = storage_class(Some("glacer".into())).unwrap_err();
        assert!(error.to_string().contains("did you mean `GLACIER`?"), "{error}");
        assert!(error.to_string().contains("`REDUCED_REDUNDANCY`"), "{error}");
    }
}
