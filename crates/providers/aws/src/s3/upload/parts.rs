//! Uploads in parts.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html>

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::TryStreamExt as _;

use http::{HeaderMap, HeaderValue, Method, header};
use libcloud_common::xml;
use libcloud_common::{Error, ErrorKind, Response, Result, Timestamp, digest, encode};
use libcloud_storage::parts::{Part, PartSizes, PartUpload, upload_in_parts};
use libcloud_storage::rest::headers;
use libcloud_storage::{Digest, HashType, JournalPage, UploadBody, UploadJournal};

use super::{CRC64, PART, Upload};
use crate::s3::objects;
use crate::s3::uploads::list_of_parts;

/// What is written down before S3 has given an upload an id, in front of the time.
const BEGINNING: &str = "since ";
/// How far S3's clock may be from ours, and how long it may take until S3 has heard of it.
const BEGINS_WITHIN: Duration = Duration::from_secs(15 * 60);

/// An upload that S3 has given an id.
#[derive(Debug)]
struct Multipart {
    upload: Upload,
    id: String,
    /// Where it is written down.
    page: Mutex<Option<JournalPage>>,
}

/// What S3 says of a part.
struct Receipt {
    number: u32,
    /// As it was told, with quotes.
    etag: String,
    length: u64,
    /// What was told S3 of it.
    crc64: Option<Digest>,
}

impl Upload {
    /// Sends content in parts; what it answers is as if it had been sent in one request.
    pub(super) async fn put_parts(
        &self,
        body: UploadBody,
        journal: Option<&UploadJournal>,
    ) -> Result<(HeaderMap, u64)> {
        if self.only_if_absent {
            self.refuse_if_there().await?;
        }
        let page = match journal {
            Some(journal) => journal.page(&self.place()).await?,
            None => None,
        };
        if let Some(page) = &page {
            self.throw_away_what_is_left(page).await?;
            // From now on there may be an upload of which nobody knows the id.
            page.note(&format!("{BEGINNING}{}", self.driver.conn.http().clock().now())).await?;
        }
        let id = self.begin().await?;
        let multipart = Multipart { upload: self.clone(), id, page: Mutex::new(None) };
        if let Some(page) = page {
            if let Err(error) = page.note(&multipart.id).await {
                self.abort(&multipart.id).await?;
                return Err(error);
            }
            multipart.write_down(page);
        }
        let limits = &self.driver.conn.dialect().parts;
        let sizes =
            PartSizes { usual: PART.max(limits.smallest), largest: limits.largest, most: limits.most };
        upload_in_parts(multipart, body, sizes, &self.driver.uploads, &self.deadline)
            .await
            .map_err(|error| error.in_operation(self.driver.descriptor.id, "UploadPart"))
    }

    /// That there is such an object is found out before all of it was sent for nothing.
    async fn refuse_if_there(&self) -> Result<()> {
        match self.call(Method::HEAD, "HeadObject")?.send().await {
            Ok(_) => Err(Error::already_exists("object", &self.name)
                .in_operation(self.driver.descriptor.id, "HeadObject")),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// What only this object has, of all that a journal may be used for.
    fn place(&self) -> String {
        let base = self.driver.conn.http().base();
        format!("{}:{base}:{}/{}", self.driver.descriptor.id, self.container.name, self.name)
    }

    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateMultipartUpload.html>
    async fn begin(&self) -> Result<String> {
        let call = self.making(Method::POST, "CreateMultipartUpload")?.query("uploads", "");
        let call = if self.tells_crc64() {
            call.header("x-amz-checksum-algorithm", "CRC64NVME").header("x-amz-checksum-type", "FULL_OBJECT")
        } else {
            call
        };
        call.read(|root| root.need_text("UploadId")).await
    }

    /// Whether S3 is told the checksum of each part, so that it keeps one of the whole.
    fn tells_crc64(&self) -> bool {
        self.sends_crc64() || self.compares_whole()
    }

    /// Whether S3 compares a checksum of the whole in the end: parts that are right and in a wrong order are not.
    fn compares_whole(&self) -> bool {
        self.verify && self.driver.conn.dialect().checksums.whole
    }

    /// Throws away what an earlier process has left of a larger object of this name.
    pub(super) async fn clean_up(&self, journal: &UploadJournal) -> Result<()> {
        if let Some(page) = journal.left(&self.place()).await? {
            self.throw_away_what_is_left(&page).await?;
            page.clear();
        }
        Ok(())
    }

    /// Throws away what an earlier process has begun and not ended.
    async fn throw_away_what_is_left(&self, page: &JournalPage) -> Result<()> {
        let Some(left) = page.left() else { return Ok(()) };
        let Some(begun) = left.strip_prefix(BEGINNING) else { return self.abort(left).await };
        // Its id is known to S3 alone: it is the one that was begun then.
        let begun: Timestamp = begun.parse()?;
        let name = Some(self.name.clone());
        let mut uploads = self.driver.ex_iterate_multipart_uploads(&self.container, name, None);
        while let Some(upload) = uploads.try_next().await? {
            let then = upload
                .created_at
                .is_some_and(|time| time.since(begun) <= BEGINS_WITHIN && begun.since(time) <= BEGINS_WITHIN);
            if upload.key == self.name && then {
                self.abort(&upload.id).await?;
            }
        }
        Ok(())
    }

    /// The time for the upload may be over; this is done all the same.
    async fn abort(&self, id: &str) -> Result<()> {
        self.driver.ex_abort_multipart_upload(&self.container, &self.name, id).await
    }
}

impl Multipart {
    fn write_down(&self, page: JournalPage) {
        *self.page.lock().unwrap_or_else(PoisonError::into_inner) = Some(page);
    }

    /// There is nothing more to be thrown away.
    fn cross_out(&self) {
        if let Some(page) = self.page.lock().unwrap_or_else(PoisonError::into_inner).take() {
            page.clear();
        }
    }

    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html>
    async fn put_together(&self, parts: &[Receipt]) -> Result<HeaderMap> {
        let told = |part: &Receipt| part.crc64.as_ref().map(Digest::base64);
        let list = list_of_parts(parts.iter().map(|part| (part.number, part.etag.as_str(), told(part))))?;
        let call = self.upload.call(Method::POST, "CompleteMultipartUpload")?.query("uploadId", &self.id);
        let call = match whole(parts).filter(|_| self.upload.compares_whole()) {
            Some(whole) => call.header(CRC64, whole.base64()).header("x-amz-checksum-type", "FULL_OBJECT"),
            None => call,
        };
        // S3 answers the same to the same list.
        let call = if self.upload.only_if_absent { call.only_if_absent() } else { call.repeatable() };
        let answer = call.body("application/xml", list).send().await?;
        completed(answer, parts)
            .map_err(|error| error.in_operation(self.upload.driver.descriptor.id, "CompleteMultipartUpload"))
    }

    /// The headers of the object, if it is the one of these parts.
    async fn is_there(&self, parts: &[Receipt]) -> Option<HeaderMap> {
        let call = self.upload.call(Method::HEAD, "HeadObject").ok()?;
        let call = self.upload.encryption.touching(call);
        let whole = whole(parts).filter(|_| self.upload.compares_whole());
        let call = call.header_opt("x-amz-checksum-mode", whole.as_ref().map(|_| "ENABLED"));
        let found = call.send().await.ok()?.headers;
        let etag = headers::text(&found, header::ETAG.as_str())?;
        // Of what is encrypted with a key of the key service, the tag tells nothing.
        let same = composite(parts).is_some_and(|composite| headers::unquoted(&etag) == composite)
            || whole
                .is_some_and(|whole| objects::promised(&found) == Some((HashType::Crc64Nvme, whole.hex())));
        same.then_some(found)
    }
}

impl PartUpload for Multipart {
    type Receipt = Receipt;
    type Done = HeaderMap;

    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPart.html>
    async fn send(&self, part: Part) -> Result<Receipt> {
        let number = part.number();
        let call = self
            .upload
            .call(Method::PUT, "UploadPart")?
            .query("partNumber", number)
            .query("uploadId", &self.id);
        let call = self.upload.encryption.touching(call);
        let digests = self.upload.digests(&part, self.upload.tells_crc64()).await?;
        let answer = self.upload.sealed(call, &part, &digests).send().await?;
        let etag = headers::text(&answer.headers, header::ETAG.as_str()).ok_or_else(|| {
            Error::malformed("etag", "it is missing, so that this is no answer of S3")
                .in_operation(self.upload.driver.descriptor.id, "UploadPart")
        })?;
        Ok(Receipt { number, etag, length: part.length(), crc64: digests.crc64 })
    }

    async fn complete(&self, parts: Vec<Receipt>) -> Result<HeaderMap> {
        let done = match self.put_together(&parts).await {
            Ok(done) => done,
            // The answer may have been lost, and to the second request there is no such upload any more.
            Err(error) => match self.is_there(&parts).await {
                Some(found) => found,
                None => return Err(error),
            },
        };
        self.cross_out();
        Ok(done)
    }

    async fn abort(&self) -> Result<()> {
        self.upload.abort(&self.id).await?;
        self.cross_out();
        Ok(())
    }
}

/// The headers of an answer, with the entity tag of the object, which its document tells. Some services leave it empty.
fn completed(answer: Response, parts: &[Receipt]) -> Result<HeaderMap> {
    let told = xml::parse(&answer.text(), |root| Ok(root.opt_text("ETag")))?;
    let told = told.filter(|told| !told.trim_matches('"').is_empty());
    let quoted = || composite(parts).map(|etag| format!("\"{etag}\""));
    let etag = told.or_else(quoted).ok_or_else(|| Error::malformed("ETag", "it is missing"))?;
    let mut headers = answer.headers;
    let value =
        HeaderValue::from_str(&etag).map_err(|_| Error::malformed("ETag", "it is no value of a header"))?;
    headers.insert(header::ETAG, value);
    Ok(headers)
}

/// The checksum of the object that these parts are to be, if theirs are known.
fn whole(parts: &[Receipt]) -> Option<Digest> {
    let known: Option<Vec<_>> =
        parts.iter().map(|part| part.crc64.as_ref().map(|crc64| (crc64, part.length))).collect();
    Digest::joined_crc64(known?)
}

/// The entity tag that an object of these parts has, where theirs are MD5.
fn composite(parts: &[Receipt]) -> Option<String> {
    let mut digests = Vec::new();
    for part in parts {
        digests.extend(encode::decode_hex(part.etag.trim_matches('"'))?);
    }
    Some(format!("{}-{}", digest::md5_hex(digests), parts.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tag_of_parts_is_made_of_theirs() {
        let receipt = |number, etag: &str| Receipt { number, etag: etag.to_owned(), length: 1, crc64: None };
        // The MD5 of "a" and of "b", and that of both digests.
        let parts = [
            receipt(1, "\"0cc175b9c0f1b6a831c399e269772661\""),
            receipt(2, "\"92eb5ffee6ae2fec3ad71c777531578f\""),
        ];
        let both = [
            encode::decode_hex("0cc175b9c0f1b6a831c399e269772661").unwrap(),
            encode::decode_hex("92eb5ffee6ae2fec3ad71c777531578f").unwrap(),
        ];
        assert_eq!(composite(&parts).unwrap(), format!("{}-2", digest::md5_hex(both.concat())));
        assert_eq!(composite(&[receipt(1, "\"opaque\"")]), None);
    }
}
