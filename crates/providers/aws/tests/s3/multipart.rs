//! Uploads in parts.

use std::io::Write as _;

use bytes::Bytes;
use futures_util::stream;
use libcloud_common::{cleanup, digest};
use libcloud_storage::{
    Digest, HashType, StorageDriver as _, StorageDriverExt as _, UploadBody, UploadJournal, UploadObject,
};
use libcloud_testkit::Answer;

use crate::*;

const PART: usize = 8 << 20;
const UPLOAD: &str = "uploadId=up%2Fload%2B1";
/// That of all parts, as the fixture has it.
const WHOLE: &str = "0e6c1d6a5f5b0f0c1d6a5f5b0f0c1d6a-2";

/// One part and a little.
fn content() -> Bytes {
    Bytes::from("x".repeat(PART + 3))
}

fn parts() -> [Bytes; 2] {
    let all = content();
    [all.slice(..PART), all.slice(PART..)]
}

fn nth(number: usize) -> Bytes {
    parts().into_iter().nth(number - 1).unwrap()
}

fn tag(content: &Bytes) -> String {
    format!("\"{}\"", digest::md5_hex(content))
}

fn begins() -> Exchange {
    request_of("POST", "/photos/large", "content-type;")
        .query("uploads=")
        .header("content-type", "application/octet-stream")
        .answers(200)
        .body_file(fixture("CreateMultipartUpload"))
}

fn request_of(method: &str, path: &str, before: &str) -> ExpectedRequest {
    Exchange::new(method, path).header("authorization", signed(before, "", ""))
}

fn part(number: usize) -> ExpectedRequest {
    let content = nth(number);
    request_of("PUT", "/photos/large", "")
        .query(format!("partNumber={number}&{UPLOAD}"))
        .header("content-length", content.len().to_string())
        .header("x-amz-content-sha256", digest::sha256_hex(&content))
        .body_bytes(content)
}

fn arrives(number: usize) -> Exchange {
    part(number).answers(Answer::new(200).header("etag", tag(&nth(number))))
}

fn completes() -> ExpectedRequest {
    let [first, second] = parts().map(|part| tag(&part));
    let list = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Part><PartNumber>1</PartNumber><ETag>{first}</ETag></Part>\
         <Part><PartNumber>2</PartNumber><ETag>{second}</ETag></Part></CompleteMultipartUpload>"
    );
    Exchange::post("/photos/large").query(UPLOAD).header("content-type", "application/xml").body(list)
}

fn completed() -> Exchange {
    completes()
        .answers(200)
        .header("x-amz-version-id", "3HL4kqtJlcpXrof3")
        .body_file(fixture("CompleteMultipartUpload"))
}

fn aborts(status: u16) -> Exchange {
    request("DELETE", "/photos/large").query(UPLOAD).answers(status)
}

#[tokio::test]
async fn what_is_large_is_sent_in_parts() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(&content()).unwrap();
    let pieces = || stream::iter([Ok(content())]);
    for body in [
        UploadBody::from(content()),
        UploadBody::with_length(pieces(), content().len() as u64),
        UploadBody::new(pieces()),
        UploadBody::from_file(file.path()).await.unwrap(),
    ] {
        let server = Mock::start();
        server.expect(begins());
        server.expect_in_any_order([arrives(1), arrives(2)]);
        server.expect(completed());
        let object = driver(&server).upload_object_via_stream(body, &photos(), "large").await.unwrap();
        assert_eq!((object.size, object.etag.as_deref()), (content().len() as u64, Some(WHOLE)));
        assert_eq!(object.hash.as_deref(), Some(WHOLE));
        assert_eq!(object.extra["version_id"], "3HL4kqtJlcpXrof3");
    }
}

#[tokio::test]
async fn what_is_said_of_the_object_is_said_when_it_begins() {
    let server = Mock::start();
    server.expect(Exchange::head("/photos/large").answers(404));
    server.expect(
        Exchange::post("/photos/large")
            .query("uploads=")
            .header("content-type", "image/x-cat")
            .header("x-amz-acl", "public-read")
            .header("x-amz-meta-author", "Ada")
            .header("x-amz-storage-class", "GLACIER")
            .no_header("if-none-match")
            .answers(200)
            .body_file(fixture("CreateMultipartUpload")),
    );
    server.expect_in_any_order([arrives(1), arrives(2)]);
    server.expect(
        completes().header("if-none-match", "*").answers(200).body_file(fixture("CompleteMultipartUpload")),
    );
    let options = UploadObject::new()
        .content_type("image/x-cat")
        .acl("public-read")
        .meta_data("author", "Ada")
        .ex_arg("ex_storage_class", "glacier")
        .only_if_absent();
    let object = driver(&server)
        .upload_object_via_stream_with(content().into(), &photos(), "large", options)
        .await
        .unwrap();
    assert_eq!(object.content_type.as_deref(), Some("image/x-cat"));
}

#[tokio::test]
async fn what_is_there_already_is_found_before_it_is_sent() {
    let server = Mock::start();
    server.expect(
        Exchange::head("/photos/large").answers(200).header("etag", "\"x\"").header("content-length", "1"),
    );
    let options = UploadObject::new().only_if_absent();
    let sent =
        driver(&server).upload_object_via_stream_with(content().into(), &photos(), "large", options).await;
    assert_about(&sent.unwrap_err(), ErrorKind::AlreadyExists, "object", "large");
}

#[tokio::test]
async fn a_part_that_is_refused_ends_it_and_nothing_stays() {
    for aborted in [204, 404] {
        let server = Mock::start();
        server.expect(begins());
        server.expect_in_any_order([arrives(1), part(2).answers(403).body_file(fixture("Error.signature"))]);
        server.expect(aborts(aborted));
        let body = UploadBody::new(stream::iter([Ok(content())]));
        let sent = one_at_a_time(&server).upload_object_via_stream(body, &photos(), "large").await;
        let error = sent.unwrap_err();
        assert_eq!((error.kind(), error.operation()), (ErrorKind::InvalidCredentials, Some("UploadPart")));
    }
}

/// The test says what comes after what.
fn one_at_a_time(server: &Mock) -> S3Driver {
    S3Driver::new(config(server.url().as_str()).option("parts_in_flight", 1)).unwrap()
}

#[tokio::test]
async fn a_part_is_sent_again_by_itself() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(&content()).unwrap();
    for body in [UploadBody::from(content()), UploadBody::from_file(file.path()).await.unwrap()] {
        let server = Mock::start();
        server.expect(begins());
        server.expect(part(1).answers(503).body_file(fixture("Error.slow-down")));
        server.expect(arrives(1));
        server.expect(arrives(2));
        server.expect(completed());
        one_at_a_time(&server).upload_object_via_stream(body, &photos(), "large").await.unwrap();
    }
}

#[tokio::test]
async fn an_error_inside_of_a_success_is_an_error() {
    let server = Mock::start();
    server.expect(begins());
    server.expect_in_any_order([arrives(1), arrives(2)]);
    server.expect(completes().answers(200).body_file(fixture("CompleteMultipartUpload.error")));
    server.expect(Exchange::head("/photos/large").answers(404));
    server.expect(aborts(204));
    let sent = driver(&server).upload_object_via_stream(content().into(), &photos(), "large").await;
    let error = sent.unwrap_err();
    assert_eq!((error.code(), error.operation()), (Some("InvalidPart"), Some("CompleteMultipartUpload")));
    assert!(error.to_string().contains("its tag is another"), "{error}");
}

#[tokio::test]
async fn a_tag_that_is_not_told_is_made_of_those_of_the_parts() {
    let server = Mock::start();
    server.expect(begins());
    server.expect_in_any_order([arrives(1), arrives(2)]);
    let empty = "<CompleteMultipartUploadResult><ETag></ETag></CompleteMultipartUploadResult>";
    server.expect(completes().answers(200).body(empty));
    let object =
        driver(&server).upload_object_via_stream(content().into(), &photos(), "large").await.unwrap();
    assert_eq!(object.etag, Some(whole().into()));
}

/// What the entity tag of both parts is.
fn whole() -> String {
    let of = |part: &Bytes| libcloud_common::encode::decode_hex(&digest::md5_hex(part)).unwrap();
    let digests: Vec<u8> = parts().iter().flat_map(of).collect();
    format!("{}-2", digest::md5_hex(digests))
}

#[tokio::test]
async fn an_answer_that_was_lost_is_found_out() {
    let whole = whole();
    let server = Mock::start();
    server.expect(begins());
    server.expect_in_any_order([arrives(1), arrives(2)]);
    server.expect(completes().answers(404).body_file(fixture("Error.no-upload")));
    server.expect(
        Exchange::head("/photos/large")
            .answers(200)
            .header("etag", format!("\"{whole}\""))
            .header("content-length", content().len().to_string()),
    );
    let object =
        driver(&server).upload_object_via_stream(content().into(), &photos(), "large").await.unwrap();
    assert_eq!(object.etag.as_deref(), Some(whole.as_str()));
}

#[tokio::test]
async fn a_body_that_breaks_is_thrown_away() {
    let gone = || Err(Error::new(ErrorKind::Io, "the disk is gone"));
    for (body, kind) in [
        (UploadBody::new(stream::iter([Ok(content()), gone()])), ErrorKind::Io),
        (UploadBody::with_length(stream::iter([Ok(content())]), 1 << 30), ErrorKind::HashMismatch),
    ] {
        let server = Mock::start();
        server.expect(begins());
        server.expect(arrives(1));
        server.expect(aborts(204));
        let sent = one_at_a_time(&server).upload_object_via_stream(body, &photos(), "large").await;
        assert_eq!(sent.unwrap_err().kind(), kind);
    }
}

#[tokio::test]
async fn what_nobody_waits_for_is_thrown_away() {
    let server = Mock::start();
    server.expect(begins());
    let reached = std::sync::Arc::new(tokio::sync::Notify::new());
    let told = std::sync::Arc::clone(&reached);
    let waits = stream::once(async move {
        told.notify_one();
        std::future::pending::<Result<Bytes, Error>>().await
    });
    let beginning = stream::iter([Ok(content())]);
    let body = UploadBody::new(futures_util::StreamExt::chain(beginning, waits));
    let driver = one_at_a_time(&server);
    server.expect(arrives(1));
    {
        let photos = photos();
        let sending = std::pin::pin!(driver.upload_object_via_stream(body, &photos, "large"));
        let reached = std::pin::pin!(reached.notified());
        futures_util::future::select(sending, reached).await;
    }
    server.expect(aborts(204));
    cleanup::settled().await;
    server.verify();
}

#[tokio::test]
async fn what_a_killed_process_left_is_thrown_away_first() {
    let folder = tempfile::tempdir().unwrap();
    let journal = UploadJournal::new(folder.path());
    let server = Mock::start();
    let place = format!("s3:{}:photos/large", server.url());
    let page = journal.page(&place).await.unwrap().unwrap();
    page.note("left-behind").await.unwrap();
    drop(page);
    server.expect(request("DELETE", "/photos/large").query("uploadId=left-behind").answers(204));
    server.expect(begins());
    server.expect_in_any_order([arrives(1), arrives(2)]);
    server.expect(completed());
    let options = UploadObject::new().journal(journal);
    driver(&server)
        .upload_object_via_stream_with(content().into(), &photos(), "large", options)
        .await
        .unwrap();
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn so_it_is_if_the_object_is_small_this_time() {
    let folder = tempfile::tempdir().unwrap();
    let journal = UploadJournal::new(folder.path());
    let server = Mock::start();
    let page = journal.page(&format!("s3:{}:photos/large", server.url())).await.unwrap().unwrap();
    page.note("left-behind").await.unwrap();
    drop(page);
    server.expect(request("DELETE", "/photos/large").query("uploadId=left-behind").answers(204));
    for content in ["small", "again"] {
        let put = request_of("PUT", "/photos/large", "content-type;").body(content);
        server.expect(put.answers(Answer::new(200).header("etag", tag(&content.into()))));
    }
    for content in ["small", "again"] {
        let options = UploadObject::new().journal(journal.clone());
        let photos = photos();
        driver(&server)
            .upload_object_via_stream_with(content.into(), &photos, "large", options)
            .await
            .unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}

/// Amazon's checksums of each part and of both.
fn crc64(content: &[u8]) -> String {
    Digest::of(HashType::Crc64Nvme, content).base64()
}

fn amazon(server: &Mock) -> S3Driver {
    S3Driver::new(config(server.url().as_str()).option("dialect", "amazon").option("parts_in_flight", 1))
        .unwrap()
}

fn begins_with_checksum() -> Exchange {
    Exchange::post("/photos/large")
        .query("uploads=")
        .header("authorization", signed("content-type;", "x-amz-checksum-algorithm;x-amz-checksum-type;", ""))
        .header("x-amz-checksum-algorithm", "CRC64NVME")
        .header("x-amz-checksum-type", "FULL_OBJECT")
        .answers(200)
        .body_file(fixture("CreateMultipartUpload"))
}

fn arrives_with_checksum(number: usize) -> Exchange {
    let content = nth(number);
    Exchange::put("/photos/large")
        .query(format!("partNumber={number}&{UPLOAD}"))
        .header("authorization", signed("", "x-amz-checksum-crc64nvme;", ""))
        .header("x-amz-content-sha256", digest::sha256_hex(&content))
        .header("x-amz-checksum-crc64nvme", crc64(&content))
        .body_bytes(content.clone())
        .answers(Answer::new(200).header("etag", tag(&content)))
}

fn completes_with_checksum() -> ExpectedRequest {
    let part = |number: usize| {
        let content = nth(number);
        format!(
            "<Part><PartNumber>{number}</PartNumber><ETag>{}</ETag><ChecksumCRC64NVME>{}</ChecksumCRC64NVME></Part>",
            tag(&content),
            crc64(&content)
        )
    };
    let list = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">{}{}</CompleteMultipartUpload>",
        part(1),
        part(2)
    );
    Exchange::post("/photos/large")
        .query(UPLOAD)
        .header("x-amz-checksum-crc64nvme", crc64(&content()))
        .header("x-amz-checksum-type", "FULL_OBJECT")
        .body(list)
}

fn sent_with_checksums(server: &Mock) {
    server.expect(begins_with_checksum());
    server.expect(arrives_with_checksum(1));
    server.expect(arrives_with_checksum(2));
}

#[tokio::test]
async fn amazon_compares_the_whole_with_what_was_sent() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(&content()).unwrap();
    for body in [UploadBody::from(content()), UploadBody::from_file(file.path()).await.unwrap()] {
        let server = Mock::start();
        sent_with_checksums(&server);
        server.expect(completes_with_checksum().answers(200).body_file(fixture("CompleteMultipartUpload")));
        amazon(&server).upload_object_via_stream(body, &photos(), "large").await.unwrap();
    }
}

#[tokio::test]
async fn a_whole_that_is_another_is_no_object() {
    let server = Mock::start();
    sent_with_checksums(&server);
    server.expect(completes_with_checksum().answers(400).body_file(fixture("Error.digest")));
    server.expect(Exchange::head("/photos/large").header("x-amz-checksum-mode", "ENABLED").answers(404));
    server.expect(aborts(204));
    let sent = amazon(&server).upload_object_via_stream(content().into(), &photos(), "large").await;
    assert_eq!(sent.unwrap_err().kind(), ErrorKind::HashMismatch);
}

#[tokio::test]
async fn who_wants_no_comparison_sends_no_checksum() {
    let server = Mock::start();
    server.expect(
        request_of("POST", "/photos/large", "content-type;")
            .query("uploads=")
            .no_header("x-amz-checksum-algorithm")
            .answers(200)
            .body_file(fixture("CreateMultipartUpload")),
    );
    server.expect(arrives(1));
    server.expect(arrives(2));
    server.expect(
        completes()
            .no_header("x-amz-checksum-crc64nvme")
            .no_header("x-amz-checksum-type")
            .answers(200)
            .body_file(fixture("CompleteMultipartUpload")),
    );
    let options = UploadObject::new().skip_hash();
    amazon(&server)
        .upload_object_via_stream_with(content().into(), &photos(), "large", options)
        .await
        .unwrap();
}

/// MinIO keeps the checksum of the whole and wants those of the parts in the list.
#[tokio::test]
async fn a_checksum_beside_a_signature_that_leaves_the_content_out() {
    let server = Mock::start();
    let unsigned = |number: usize| {
        let content = nth(number);
        Exchange::put("/photos/large")
            .query(format!("partNumber={number}&{UPLOAD}"))
            .header("x-amz-content-sha256", "UNSIGNED-PAYLOAD")
            .header("x-amz-checksum-crc64nvme", crc64(&content))
            .body_bytes(content.clone())
            .answers(Answer::new(200).header("etag", tag(&content)))
    };
    server.expect(begins_with_checksum());
    server.expect(unsigned(1));
    server.expect(unsigned(2));
    let list = matching(
        "(?s).*<ChecksumCRC64NVME>[^<]+</ChecksumCRC64NVME></Part><Part>.*</ChecksumCRC64NVME></Part></.*",
    );
    server.expect(
        Exchange::post("/photos/large")
            .query(UPLOAD)
            .no_header("x-amz-checksum-crc64nvme")
            .body(list)
            .answers(200)
            .body_file(fixture("CompleteMultipartUpload")),
    );
    let config = config(server.url().as_str())
        .option("dialect", "minio")
        .option("payload_signing", false)
        .option("parts_in_flight", 1);
    let driver = S3Driver::new(config).unwrap();
    driver.upload_object_via_stream(content().into(), &photos(), "large").await.unwrap();
}

/// The tag of what is encrypted with a key of the key service tells nothing of its content.
#[tokio::test]
async fn an_answer_that_was_lost_is_found_out_by_the_checksum() {
    for (told, found) in [(crc64(&content()), true), (crc64(b"of another"), false)] {
        let server = Mock::start();
        sent_with_checksums(&server);
        server.expect(completes_with_checksum().answers(404).body_file(fixture("Error.no-upload")));
        server.expect(
            Exchange::head("/photos/large")
                .header("x-amz-checksum-mode", "ENABLED")
                .answers(200)
                .header("etag", "\"5d41402abc4b2a76b9719d911017c592-2\"")
                .header("x-amz-server-side-encryption", "aws:kms")
                .header("x-amz-checksum-crc64nvme", told)
                .header("x-amz-checksum-type", "FULL_OBJECT")
                .header("content-length", content().len().to_string()),
        );
        if !found {
            server.expect(aborts(404));
        }
        let sent = amazon(&server).upload_object_via_stream(content().into(), &photos(), "large").await;
        assert_eq!(sent.is_ok(), found);
    }
}

/// What came in parts has no digest for a tag; its checksum is compared when it comes back.
#[tokio::test]
async fn a_download_of_what_came_in_parts_is_compared() {
    for (told, kept) in [(crc64(&content()), true), (crc64(b"of another"), false)] {
        let server = Mock::start();
        server.expect(
            Exchange::get("/photos/large")
                .header("x-amz-checksum-mode", "ENABLED")
                .answers(200)
                .header("etag", format!("\"{}\"", whole()))
                .header("x-amz-checksum-crc64nvme", told)
                .header("x-amz-checksum-type", "FULL_OBJECT")
                .body(content()),
        );
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("down");
        let down = amazon(&server).download_object(&Object::from_names("photos", "large"), &target).await;
        assert_eq!(down.is_ok(), kept);
        assert_eq!(target.exists(), kept);
        if let Err(error) = down {
            assert_about(&error, ErrorKind::HashMismatch, "object", "large");
        }
    }
}
