//! The behaviour suite against a Ceph gateway, which must be running: `CEPH_S3_ENDPOINT`, `CEPH_S3_REGION`,
//! `CEPH_S3_ACCESS_KEY` and `CEPH_S3_SECRET_KEY` tell where. It verifies signatures, digests and lengths.

use std::env::var;

use libcloud_aws::s3;
use libcloud_common::Config;
use libcloud_testkit::suite::{Expectations, Storage};

#[tokio::test]
async fn storage() {
    let config = Config::new(var("CEPH_S3_ACCESS_KEY").unwrap(), var("CEPH_S3_SECRET_KEY").unwrap())
        .region(var("CEPH_S3_REGION").unwrap())
        .endpoint(var("CEPH_S3_ENDPOINT").unwrap().parse().unwrap());
    let (mut wrong, mut unknown) = (config.clone(), config.clone());
    wrong.secret = Some("wrong".into());
    unknown.key = Some("NOSUCHKEY00000000000".into());
    let report = Storage::new((s3().factory)(config).unwrap())
        .wrong_credentials((s3().factory)(wrong).unwrap())
        .wrong_credentials((s3().factory)(unknown).unwrap())
        .run(Expectations::new().fails(
            "containers/a duplicate exists already",
            "as in Amazon's first region, one's own bucket can be made again",
        ))
        .await;
    assert_eq!(report.denied, [""; 0]);
}
