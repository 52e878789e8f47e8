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
    assert_eq!(
        sent.once,
        [
            "create_record",
            "delete_record",
            "ex_create_multi_value_record",
            "ex_delete_all_records",
            "update_record"
        ]
    );
    // A creation may be sent again, because it has a token.
    assert_eq!(sent.with_token, ["create_zone"]);
    // Deleted twice is deleted.
    assert!(sent.again.contains(&"delete_zone"), "{sent:?}");
    assert!(sent.again.contains(&"list_records"), "{sent:?}");
}
