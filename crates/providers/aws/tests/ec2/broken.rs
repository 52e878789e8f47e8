//! What is sent when the connection breaks after the request: a call that changes something, exactly once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use libcloud_aws::Ec2Driver;
use libcloud_common::{Error, ErrorKind, Retry};
use libcloud_compute::{
    ComputeDriver as _, ComputeDriverExt as _, CreateNode, KeyPair, Node, NodeImage, NodeSize,
};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpListener;

use crate::config;

/// A server that reads each request whole and closes without an answer.
async fn server() -> (Ec2Driver, Arc<AtomicU32>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let requests = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&requests);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut seen = Vec::new();
            while !is_whole(&seen) {
                if stream.read_buf(&mut seen).await.unwrap_or(0) == 0 {
                    break;
                }
            }
            if is_whole(&seen) {
                count.fetch_add(1, Ordering::SeqCst);
            }
        }
    });
    (Ec2Driver::new(config(&url)).unwrap(), requests)
}

fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request).to_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next());
    body.len() >= length.map_or(0, |length| length.parse().unwrap())
}

fn assert_broken(outcome: Result<(), Error>, retry: Retry) {
    let error = outcome.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport, "{error}");
    assert_eq!(error.retry(), retry, "{error}");
}

#[tokio::test]
async fn what_changes_something_is_sent_once() {
    let node = Node::from_id("i-1");
    let tags = [("owner".to_owned(), "ops".to_owned())];
    let deleted = [("owner".to_owned(), None)];
    let (driver, requests) = server().await;
    for outcome in [
        driver.reboot_node(&node).await,
        driver.start_node(&node).await,
        driver.stop_node(&node).await,
        driver.destroy_node(&node).await,
        driver.create_key_pair("ops").await.map(drop),
        driver.import_key_pair_from_string("ops", "ssh-rsa YWJj").await.map(drop),
        driver.delete_key_pair(&KeyPair::from_id("ops")).await,
        driver.ex_create_tags(&"i-1".into(), &tags.into()).await,
        driver.ex_delete_tags(&"i-1".into(), &deleted.into()).await,
    ] {
        assert_broken(outcome, Retry::Retryable(None));
    }
    assert_eq!(requests.load(Ordering::SeqCst), 9);
}

#[tokio::test]
async fn what_only_reads_is_sent_again() {
    let (driver, requests) = server().await;
    assert_broken(driver.list_nodes().await.map(drop), Retry::Exhausted);
    assert_eq!(requests.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn a_creation_is_sent_again_because_it_has_a_token() {
    let (driver, requests) = server().await;
    let create = CreateNode::new("web", &NodeSize::from_id("t3.micro"), &NodeImage::from_id("ami-1"));
    assert_broken(driver.create_node(create).await.map(drop), Retry::Exhausted);
    assert_eq!(requests.load(Ordering::SeqCst), 3);
}
