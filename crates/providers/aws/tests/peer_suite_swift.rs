//! The behaviour suite against the S3 API of OpenStack Swift, which must be running: `SWIFT_S3_ENDPOINT`,
//! `SWIFT_S3_ACCESS_KEY` and `SWIFT_S3_SECRET_KEY` tell where. It verifies signatures, regions, digests and lengths.

mod servers;

use libcloud_testkit::suite::Expectations;

#[tokio::test]
async fn storage() {
    let expectations = Expectations::new();
    servers::suite(servers::config("SWIFT_S3", "us-east-1"), "nobody:nobody", expectations).await;
}
