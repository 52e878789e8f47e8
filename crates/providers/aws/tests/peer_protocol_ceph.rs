//! What the S3 driver has beside the base API, and its older dialect, against a Ceph gateway, which must be running:
//! `CEPH_S3_ENDPOINT`, `CEPH_S3_REGION`, `CEPH_S3_ACCESS_KEY` and `CEPH_S3_SECRET_KEY` tell where. It verifies signatures of both
//! versions.

mod protocol;
mod servers;

use std::env::var;

const NO_CHECKSUMS: &str = "it keeps no checksums beside MD5";
const NO_ENCRYPTION: &str = "it has no keys to encrypt with, and takes those of customers over TLS alone";

/// What fails, and what the server does wrong.
const EXPECTED: &[(&str, &str)] = &[
    (
        "copies::a_copy_that_was_to_be_of_something_new_is_refused",
        "it does not look at the conditions of a copy",
    ),
    (
        "conditions::what_comes_between_is_not_replaced",
        "it does not look at the conditions of an upload in parts",
    ),
    ("integrity::encryption_is_asked_for_and_told", NO_ENCRYPTION),
    ("integrity::what_a_customers_key_encrypts_nobody_reads_without", NO_ENCRYPTION),
    ("integrity::checksums_that_were_sent_are_told", NO_CHECKSUMS),
    ("integrity::the_fastest_is_sent_by_itself", NO_CHECKSUMS),
    ("integrity::a_wrong_checksum_is_refused", NO_CHECKSUMS),
    ("integrity::the_checksum_of_the_whole_is_told_of_what_came_in_parts", NO_CHECKSUMS),
];

#[tokio::test]
async fn the_protocol() {
    let config = servers::config("CEPH_S3", &var("CEPH_S3_REGION").unwrap());
    protocol::held(config, EXPECTED).await;
}
