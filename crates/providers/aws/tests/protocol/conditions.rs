//! Who may do what, and when.

use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use libcloud_aws::s3::S3GetObject;
use libcloud_common::{ErrorKind, Options};
use libcloud_storage::{
    GetObjectCdnUrl, Object, StorageDriver as _, StorageDriverExt as _, UploadBody, UploadObject,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::{Peer, no_uploads, put, read, refused};

pub(super) async fn what_has_not_changed_is_not_sent(peer: Peer) {
    let driver = peer.driver();
    let container = peer.container().await;
    let object = put(&driver, &container, "a").await;
    let mut unless = S3GetObject::default();
    unless.ex_if_none_match = object.etag.as_deref().map(str::to_owned);
    let asked = driver.get_object_with(&container.name, "a", Options::new().ex(&unless)).await;
    refused(asked, ErrorKind::InvalidState);
}

pub(super) async fn what_is_there_is_not_replaced(peer: Peer) {
    let driver = peer.driver();
    let container = peer.container().await;
    let kept = put(&driver, &container, "kept").await;
    for content in [vec![7; 3], vec![7; 9 << 20]] {
        let once = || UploadObject::new().only_if_absent();
        let again = driver.upload_object_via_stream_with(content.clone().into(), &container, "kept", once());
        refused(again.await, ErrorKind::AlreadyExists);
        assert_eq!(read(&driver, &kept).await, "abc");
        let new = format!("new-{}", content.len());
        let body = content.clone().into();
        let made = driver.upload_object_via_stream_with(body, &container, &new, once()).await.unwrap();
        assert!(read(&driver, &made).await == content);
    }
    no_uploads(&driver, &container).await;
}

/// Somebody else makes the object while its parts are sent.
pub(super) async fn what_comes_between_is_not_replaced(peer: Peer) {
    let driver = peer.driver();
    let container = peer.container().await;
    let (other, target) = (driver.clone(), container.clone());
    let between = stream::once(async move {
        put(&other, &target, "a").await;
        Ok(Bytes::from_static(b"the end"))
    });
    let body = UploadBody::new(stream::iter([Ok(Bytes::from(vec![7; 9 << 20]))]).chain(between));
    let once = UploadObject::new().only_if_absent();
    let sent = driver.upload_object_via_stream_with(body, &container, "a", once).await;
    refused(sent, ErrorKind::AlreadyExists);
    assert_eq!(read(&driver, &Object::from_names(&*container.name, "a")).await, "abc");
    no_uploads(&driver, &container).await;
}

pub(super) async fn who_may_do_what_is_told_and_changed(peer: Peer) {
    let driver = peer.driver();
    let container = peer.container().await;
    let object = put(&driver, &container, "a").await;
    let private = driver.ex_get_object_acl(&object).await.unwrap();
    assert_eq!(private.grants.len(), 1, "{private:?}");
    driver.ex_put_object_acl(&object, Some("public-read".into()), None).await.unwrap();
    let public = driver.ex_get_object_acl(&object).await.unwrap();
    assert!(public.grants.iter().any(|grant| grant.uri.is_some() && grant.permission == "READ"));
    driver.ex_put_object_acl(&object, None, Some(private.clone())).await.unwrap();
    assert_eq!(driver.ex_get_object_acl(&object).await.unwrap().grants.len(), 1);
}

/// The status of an answer to a request of somebody without credentials, and its body.
async fn fetch(method: &str, url: &str, body: &str) -> (u16, String) {
    let rest = url.strip_prefix("http://").unwrap();
    let (host, path) = rest.split_once('/').unwrap();
    let mut socket = tokio::net::TcpStream::connect(host).await.unwrap();
    let request = format!(
        "{method} /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

fn for_put() -> GetObjectCdnUrl {
    GetObjectCdnUrl::new().expiry(Duration::from_secs(60)).ex_arg("ex_method", "PUT")
}

pub(super) async fn presigned_urls_work_for_anybody(peer: Peer) {
    let driver = peer.driver();
    let container = peer.container().await;
    let object = driver.upload_object_via_stream("abc".into(), &container, "a//b + %2F ü~").await.unwrap();
    let url = driver.get_object_cdn_url(&object).await.unwrap();
    assert_eq!(fetch("GET", &url, "").await, (200, "abc".to_owned()));
    let url = driver.get_object_cdn_url_with(&object, for_put()).await.unwrap();
    assert_eq!(fetch("PUT", &url, "xyz").await.0, 200);
    assert_eq!(read(&driver, &object).await, "xyz");
}

pub(super) async fn a_presigned_url_is_for_one_method_and_time(peer: Peer) {
    let driver = peer.driver();
    let container = peer.container().await;
    let object = put(&driver, &container, "a").await;
    let url = driver.get_object_cdn_url(&object).await.unwrap();
    assert_eq!(fetch("PUT", &url, "xyz").await.0, 403);
    assert_eq!(fetch("GET", &url.replace("Expires=86400", "Expires=86401"), "").await.0, 403);
    let url = driver.get_object_cdn_url_with(&object, for_put()).await.unwrap();
    assert_eq!(fetch("DELETE", &url, "").await.0, 403);
    assert_eq!(read(&driver, &object).await, "abc");
}
