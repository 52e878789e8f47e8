//! The behaviour suite against s3s-fs, which must be running: `S3S_ENDPOINT`, `S3S_REGION`, `S3S_ACCESS_KEY` and
//! `S3S_SECRET_KEY` tell where. It verifies signatures, digests and lengths, and keeps objects as files of their names.

mod servers;

use std::env::var;

use libcloud_testkit::suite::Expectations;

const NAMES: &str = "it says that names are encoded in its listings, and does not encode them";

#[tokio::test]
async fn storage() {
    let expectations = Expectations::new()
        .fails("containers/what is not there is not found", "an upload makes the bucket")
        .fails("containers/one with objects is not empty", "it deletes a bucket with all that is in it")
        .fails("objects/create, list, get, delete, gone", "its listings tell no entity tags")
        .fails("objects/odd names", "names are paths of its folder, where `a//b` is `a/b`")
        .fails("objects/no page, one and many", NAMES)
        .fails("objects/by prefix", NAMES)
        .fails("objects/only the same version", "it does not look at `If-Match`");
    servers::suite(servers::config("S3S", &var("S3S_REGION").unwrap()), "NOSUCHKEY00000000000", expectations)
        .await;
}
