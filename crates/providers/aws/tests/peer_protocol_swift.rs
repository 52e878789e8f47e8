//! What the S3 driver has beside the base API, and its older dialect, against the S3 API of OpenStack Swift, which must be
//! running: `SWIFT_S3_ENDPOINT`, `SWIFT_S3_ACCESS_KEY` and `SWIFT_S3_SECRET_KEY` tell where. It verifies signatures of both
//! versions, regions and checksums.

mod protocol;
mod servers;

const TELLS_NONE: &str = "it compares checksums and tells none of them";

/// What fails, and what the server does wrong.
const EXPECTED: &[(&str, &str)] = &[
    ("conditions::who_may_do_what_is_told_and_changed", "its access control lists are those of Swift"),
    ("integrity::encryption_is_asked_for_and_told", "it does not encrypt what one asks it to"),
    (
        "integrity::what_a_customers_key_encrypts_nobody_reads_without",
        "it takes a customer's key and does not encrypt with it",
    ),
    ("integrity::checksums_that_were_sent_are_told", TELLS_NONE),
    ("integrity::the_fastest_is_sent_by_itself", TELLS_NONE),
    ("integrity::the_checksum_of_the_whole_is_told_of_what_came_in_parts", TELLS_NONE),
];

#[tokio::test]
async fn the_protocol() {
    let config = servers::config("SWIFT_S3", "us-east-1");
    protocol::held(config, EXPECTED).await;
}
