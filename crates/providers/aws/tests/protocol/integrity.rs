//! Checksums and encryption.

use libcloud_aws::S3Driver;
use libcloud_aws::s3::{ObjectExtra, S3GetObject, S3UploadObject};
use libcloud_common::{ErrorKind, Options, encode};
use libcloud_storage::{
    Digest, HashType, StorageDriver as _, StorageDriverExt as _, StreamObject, UploadObject,
};

use super::{Peer, put, read, refused};

pub(super) async fn encryption_is_asked_for_and_told(peer: Peer) {
    let driver = peer.driver();
    let container = peer.container().await;
    for (name, content) in [("small", vec![7; 3]), ("large", vec![7; 9 << 20])] {
        let mut arguments = S3UploadObject::default();
        arguments.ex_server_side_encryption = Some("AES256".into());
        let options = UploadObject::new().ex(&arguments);
        driver
            .upload_object_via_stream_with(content.clone().into(), &container, name, options)
            .await
            .unwrap();
        let found = driver.get_object(&container.name, name).await.unwrap();
        let extra: ObjectExtra = found.extra_as().unwrap();
        assert_eq!(extra.server_side_encryption.as_deref(), Some("AES256"), "{name}");
        assert!(read(&driver, &found).await == content, "{name}");
    }
}

pub(super) async fn what_a_customers_key_encrypts_nobody_reads_without(peer: Peer) {
    let driver = peer.driver();
    let container = peer.container().await;
    let key = encode::base64([7; 32]);
    let mut arguments = S3UploadObject::default();
    arguments.ex_customer_key = Some(key.as_str().into());
    let options = UploadObject::new().ex(&arguments);
    let object = driver.upload_object_via_stream_with("abc".into(), &container, "a", options).await.unwrap();
    let mut with_key = S3GetObject::default();
    with_key.ex_customer_key = Some(key.as_str().into());
    let options = StreamObject::new().ex(&with_key);
    let stream = driver.download_object_as_stream_with(&object, options).await.unwrap();
    // The tag of what a customer's key encrypts is no digest.
    assert_eq!(stream.hash, None);
    assert_eq!(stream.read_all(3).await.unwrap(), "abc");
    driver.get_object_with(&container.name, "a", Options::new().ex(&with_key)).await.unwrap();
    let without = driver.download_object_as_stream(&object).await.map(|stream| stream.size);
    assert!(without.is_err(), "{without:?}");
}

fn checksums(content: &[u8]) -> [(&'static str, HashType, Digest); 2] {
    [("x-amz-checksum-crc32c", HashType::Crc32c), ("x-amz-checksum-sha256", HashType::Sha256)]
        .map(|(header, hash_type)| (header, hash_type, Digest::of(hash_type, content)))
}

/// By whom checksums are asked for.
fn asking(peer: &Peer) -> S3Driver {
    peer.speaking("amazon")
}

pub(super) async fn checksums_that_were_sent_are_told(peer: Peer) {
    let driver = asking(&peer);
    let container = peer.container().await;
    for (header, hash_type, digest) in checksums(b"abc") {
        let algorithm = hash_type.to_string().to_uppercase();
        let options = UploadObject::new()
            .header(header, digest.base64())
            .header("x-amz-sdk-checksum-algorithm", algorithm);
        let object =
            driver.upload_object_via_stream_with("abc".into(), &container, header, options).await.unwrap();
        let stream = driver.download_object_as_stream(&object).await.unwrap();
        assert_eq!(stream.hash, Some((hash_type, digest.hex())));
        assert_eq!(stream.read_all(3).await.unwrap(), "abc");
    }
}

pub(super) async fn the_fastest_is_sent_by_itself(peer: Peer) {
    let container = peer.container().await;
    let config = peer.config.clone().option("dialect", "amazon").option("payload_signing", false);
    let driver = S3Driver::new(config).unwrap();
    let object = put(&driver, &container, "crc64").await;
    let stream = driver.download_object_as_stream(&object).await.unwrap();
    assert_eq!(stream.hash, Some((HashType::Crc64Nvme, Digest::of(HashType::Crc64Nvme, b"abc").hex())));
    assert_eq!(stream.read_all(3).await.unwrap(), "abc");
}

pub(super) async fn a_wrong_checksum_is_refused(peer: Peer) {
    let driver = asking(&peer);
    let container = peer.container().await;
    for (header, _, digest) in checksums(b"of something else") {
        let options = UploadObject::new().header(header, digest.base64());
        let sent = driver.upload_object_via_stream_with("abc".into(), &container, "a", options).await;
        refused(sent, ErrorKind::HashMismatch);
    }
    assert_eq!(driver.list_container_objects(&container).await.unwrap(), []);
}

pub(super) async fn the_checksum_of_the_whole_is_told_of_what_came_in_parts(peer: Peer) {
    let driver = asking(&peer);
    let container = peer.container().await;
    let content: Vec<u8> = (0..9_u32 << 18).flat_map(u32::to_le_bytes).collect();
    let object = driver.upload_object_via_stream(content.clone().into(), &container, "large").await.unwrap();
    let stream = driver.download_object_as_stream(&object).await.unwrap();
    let whole = Digest::of(HashType::Crc64Nvme, &content);
    assert_eq!(stream.hash, Some((HashType::Crc64Nvme, whole.hex())));
    assert!(stream.read_all(64 << 20).await.unwrap() == content);
}
