//! The behaviour suite against a Ceph gateway, which must be running: `CEPH_S3_ENDPOINT`, `CEPH_S3_REGION`,
//! `CEPH_S3_ACCESS_KEY` and `CEPH_S3_SECRET_KEY` tell where. It verifies signatures, digests and lengths.

mod servers;

use std::env::var;

use libcloud_testkit::suite::Expectations;

#[tokio::test]
async fn storage() {
    let expectations = Expectations::new().fails(
        "containers/a duplicate exists already",
        "as in Amazon's first region, one's own bucket can be made again",
    );
    servers::suite(
        servers::config("CEPH_S3", &var("CEPH_S3_REGION").unwrap()),
        "NOSUCHKEY00000000000",
        expectations,
    )
    .await;
}
