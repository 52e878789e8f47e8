//! What is sent when the connection breaks after the request: a call that changes something, exactly once.

use libcloud_testkit::{sent_once, time_limits};

use crate::subject;

#[tokio::test]
async fn a_time_limit_ends_every_call() {
    time_limits(&subject()).await;
}

#[tokio::test]
async fn what_changes_something_is_sent_once() {
    let sent = sent_once(&subject()).await;
    // What has a token may be sent again.
    insta::assert_json_snapshot!(
        libcloud_common::json!({"once": sent.once, "with a token": sent.with_token})
    );
    assert!(sent.again.contains(&"list_nodes"), "{sent:?}");
}
