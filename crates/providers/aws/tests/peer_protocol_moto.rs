//! What the S3 driver has beside the base API, and its older dialect, against a moto server, which must be running:
//! `MOTO_ENDPOINT`, `MOTO_REGION`, `MOTO_ACCESS_KEY`, `MOTO_SECRET_KEY` and `MOTO_AUTH` tell where and how. With
//! `MOTO_AUTH=on` it verifies signatures of version 4 of what needs no percent encoding, without it none.

mod protocol;
mod servers;

use std::env::var;

/// What fails, and what the server does wrong.
const EXPECTED: &[(&str, &str)] = &[
    ("listing::names_of_control_characters_are_names", "it has no objects with a line feed in their names"),
    (
        "listing::a_level_begins_after_a_name",
        "it leaves out the objects before the name and not their levels",
    ),
    (
        "integrity::what_a_customers_key_encrypts_nobody_reads_without",
        "it takes a customer's key and does not encrypt with it",
    ),
    (
        "integrity::the_fastest_is_sent_by_itself",
        "it tells a checksum only where one more header names the algorithm",
    ),
    ("integrity::a_wrong_checksum_is_refused", "it keeps what it is told and does not compare"),
    ("conditions::a_presigned_url_is_for_one_method_and_time", "it does not look at the query's signature"),
];

/// Where it verifies.
const VERIFYING: &[(&str, &str)] = &[
    ("listing::the_old_dialect_is_spoken", "it breaks where a signature is of version 2"),
    ("listing::levels_are_listed_in_both_versions", WRONG),
    ("listing::many_are_deleted_at_once", WRONG),
    ("uploads::what_was_left_behind_is_found_and_thrown_away", WRONG),
    ("copies::objects_are_copied", WRONG),
    ("conditions::presigned_urls_work_for_anybody", WRONG),
];
const WRONG: &str = "it computes wrong signatures for names and queries that need percent encoding";

/// Where it does not.
const IGNORING: &[(&str, &str)] =
    &[("listing::the_old_dialect_is_spoken", "it takes a wrong signature for a right one")];

#[tokio::test]
async fn the_protocol() {
    let config = servers::config("MOTO", &var("MOTO_REGION").unwrap());
    let verifies = var("MOTO_AUTH").unwrap() == "on";
    let expected = [EXPECTED, if verifies { VERIFYING } else { IGNORING }].concat();
    protocol::held(config, &expected).await;
}
