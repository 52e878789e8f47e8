//! Page blobs: made of zeros, then written page by page.

use http::HeaderMap;
use libcloud_common::{Error, Result};
use libcloud_storage::UploadBody;

use super::{BLOCK, Kind, Upload, block_size};

/// Sizes and places are multiples of this.
const PAGE: u64 = 512;

impl Upload {
    /// A page blob is there as soon as it is made. If it cannot be written whole, it is deleted.
    ///
    /// <https://learn.microsoft.com/rest/api/storageservices/put-page>
    pub(super) async fn put_page_blob(
        &self,
        body: UploadBody,
        size: Option<u64>,
    ) -> Result<(HeaderMap, u64)> {
        let size = size.or(body.length()).ok_or_else(|| {
            wrong("a page blob is made before its content is sent: tell its size, `ex_page_blob_size`")
        })?;
        if !size.is_multiple_of(PAGE)
            || body.length().is_some_and(|length| !length.is_multiple_of(PAGE) || length > size)
        {
            return Err(wrong(
                "a page blob and its content are multiples of 512 bytes, the latter not larger",
            ));
        }
        let made = self
            .making("PutBlob")?
            .header("x-ms-blob-type", Kind::Page { size: None }.name())
            .header("content-type", &self.content_type)
            .header("x-ms-blob-content-length", size.to_string())
            .send()
            .await?;
        match self.deadline.wait(self.put_pages(body, size)).await {
            Ok(last) => Ok((last.unwrap_or(made.headers), size)),
            Err(error) => {
                let conn = &self.driver.conn;
                let call = conn.blob(http::Method::DELETE, "DeleteBlob", &self.container.name, &self.name)?;
                match call.header_opt("x-ms-lease-id", self.lease.as_deref()).once().send().await {
                    Ok(_) => Err(error),
                    Err(left) => Err(error.context(format_args!("what was sent is still there ({left})"))),
                }
            }
        }
    }

    async fn put_pages(&self, body: UploadBody, size: u64) -> Result<Option<HeaderMap>> {
        let mut parts = body.into_parts(block_size(Some(BLOCK))?);
        let (mut start, mut last) = (0, None);
        while let Some(part) = self.next(&mut parts).await?.filter(|part| !part.is_empty()) {
            let end = start + part.len() as u64;
            if !end.is_multiple_of(PAGE) || end > size {
                return Err(wrong(
                    "the content of a page blob is a multiple of 512 bytes and no larger than the blob",
                ));
            }
            self.renew().await?;
            let md5 = self.md5(&part);
            let answer = self
                .call("PutPage")?
                .query("comp", "page")
                .header("x-ms-page-write", "update")
                .header("x-ms-range", format!("bytes={start}-{}", end - 1))
                .header_opt("content-md5", md5.as_deref())
                .body("application/octet-stream", part)
                .send()
                .await?;
            self.verify(&answer.headers, md5.as_deref())?;
            let mut headers = answer.headers;
            // That of the pages.
            headers.remove("content-md5");
            (start, last) = (end, Some(headers));
        }
        Ok(last)
    }
}

fn wrong(problem: &'static str) -> Error {
    Error::invalid_argument(problem).with_resource("argument", "ex_blob_type")
}
