//! Content on its way between this machine and a provider, or two of them.

use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use libcloud::common::{BoxStream, json};
use libcloud::storage::{ObjectStream, StorageDriver, UploadBody};
use libcloud::{Error, Result};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// How much of standard input is read at once.
const CHUNK: usize = 256 << 10;

/// Standard input, to its end.
pub(crate) fn standard_input() -> UploadBody {
    UploadBody::new(stream::try_unfold(tokio::io::stdin(), async |mut input| {
        let mut buffer = BytesMut::with_capacity(CHUNK);
        match input.read_buf(&mut buffer).await {
            Ok(0) => Ok(None),
            Ok(_) => Ok(Some((buffer.freeze(), input))),
            Err(error) => Err(Error::io("read standard input", error)),
        }
    }))
}

/// The content as a body: in place of its end it gives an error if it is not what the provider promised, so that
/// nobody keeps a broken copy.
pub(crate) fn checked(content: ObjectStream, name: &str) -> UploadBody {
    let (size, hash, name) = (content.size, content.hash, name.to_owned());
    let stream = match hash {
        None => content.stream,
        Some((hash_type, told)) => {
            let (body, digest) = UploadBody::new(content.stream).hashing(hash_type);
            let verdict = stream::once(async move { digest.verify(&name, &told).map(|()| Bytes::new()) });
            let verified = body.into_stream().chain(verdict);
            verified.try_filter(|bytes| std::future::ready(!bytes.is_empty())).boxed()
        }
    };
    match size {
        Some(size) => UploadBody::with_length(stream, size),
        None => UploadBody::new(stream),
    }
}

/// Writes content to standard output as it arrives; gives the number of bytes.
pub(crate) async fn write_out(body: UploadBody) -> Result<u64> {
    let cannot = |error| Error::io("write to standard output", error);
    let (mut stream, mut out, mut done): (BoxStream<'_, _>, _, _) =
        (body.into_stream(), tokio::io::stdout(), 0);
    while let Some(bytes) = stream.try_next().await? {
        out.write_all(&bytes).await.map_err(cannot)?;
        done += bytes.len() as u64;
    }
    out.flush().await.map_err(cannot)?;
    Ok(done)
}

/// Where an object is, as a result shows it.
pub(crate) fn place(driver: &dyn StorageDriver, container: &str, name: &str) -> String {
    format!("{}:{container}/{name}", driver.descriptor().id)
}

/// One transfer as a result.
pub(crate) fn transferred(from: &str, to: &str, size: u64) -> Value {
    json!({ "from": from, "to": to, "size": size })
}

#[cfg(test)]
mod tests {
    use libcloud::ErrorKind;
    use libcloud::storage::HashType;

    use super::*;

    const ABC: &str = "900150983cd24fb0d6963f7d28e17f72";

    async fn read(content: ObjectStream) -> Result<Vec<Bytes>> {
        checked(content, "a.txt").into_stream().try_collect().await
    }

    fn content(text: &'static str) -> ObjectStream {
        ObjectStream::new(stream::iter([Ok(Bytes::from(text))]))
    }

    #[tokio::test]
    async fn content_that_is_not_what_was_promised_fails_at_its_end() {
        assert_eq!(read(content("abc").with_size(3).with_hash(HashType::Md5, ABC)).await.unwrap(), ["abc"]);
        assert_eq!(read(content("abc")).await.unwrap(), ["abc"]);
        for broken in [content("abd").with_hash(HashType::Md5, ABC), content("ab").with_size(3)] {
            assert_eq!(read(broken).await.unwrap_err().kind(), ErrorKind::HashMismatch);
        }
    }
}
