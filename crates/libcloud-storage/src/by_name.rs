//! Downloads by name: their content as JSON. In Rust, the same names give streams
//! ([`StorageDriverExt`](crate::StorageDriverExt)).

use async_trait::async_trait;
use bytes::Bytes;
use libcloud_common::{Result, encode, extensions};
use serde::{Serialize, Serializer};

use crate::driver::StorageDriver;
use crate::options::{ByteRange, StreamObject};
use crate::resources::Object;

/// The largest content that goes into a JSON document.
const LIMIT: usize = 64 << 20;

/// A text, or `{"base64": "…"}` where it is none.
pub(crate) struct Content(Bytes);

impl Serialize for Content {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Binary {
            base64: String,
        }
        match std::str::from_utf8(&self.0) {
            Ok(text) => serializer.serialize_str(text),
            Err(_) => Binary { base64: encode::base64(&self.0) }.serialize(serializer),
        }
    }
}

#[extensions(STORAGE_STREAM_METHODS, on = StorageDriver)]
#[async_trait]
pub(crate) trait StorageStreams: StorageDriver {
    /// The content of an object: a text, or `{"base64": "…"}` where it is none. At most 64 MiB.
    #[by_name]
    async fn download_object_as_stream(&self, obj: &Object, options: StreamObject) -> Result<Content> {
        let stream = self.download_object_as_stream_with(obj, options).await?;
        Ok(Content(stream.read_all(LIMIT).await?))
    }

    /// The content of an object from `start_bytes` up to, not including, `end_bytes`, or to the object's end: a text,
    /// or `{"base64": "…"}` where it is none. At most 64 MiB.
    #[by_name]
    async fn download_object_range_as_stream(
        &self,
        obj: &Object,
        start_bytes: u64,
        end_bytes: Option<u64>,
        options: StreamObject,
    ) -> Result<Content> {
        let options = options.range(ByteRange::new(start_bytes, end_bytes)?);
        self.download_object_as_stream(obj, options).await
    }
}

impl<D: StorageDriver + ?Sized> StorageStreams for D {}
