//! What is sent when the connection breaks after the request: a call that changes something, exactly once.

use libcloud_testkit::sent_once;

use crate::subject;

#[tokio::test]
async fn what_changes_something_is_sent_once() {
    let sent = sent_once(&subject()).await;
    assert_eq!(
        sent.once,
        [
            "create_key_pair",
            "delete_key_pair",
            "destroy_node",
            "ex_create_tags",
            "ex_delete_tags",
            "ex_find_or_import_keypair_by_key_material",
            "ex_start_node",
            "ex_stop_node",
            "import_key_pair_from_file",
            "import_key_pair_from_string",
            "reboot_node",
            "start_node",
            "stop_node",
        ]
    );
    // A creation may be sent again, because it has a token.
    assert_eq!(sent.with_token, ["create_node", "ex_create_nodes"]);
    assert!(sent.again.contains(&"list_nodes"), "{sent:?}");
}
