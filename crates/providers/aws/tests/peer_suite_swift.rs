//! The behaviour suite against the S3 API of OpenStack Swift, which must be running: `SWIFT_S3_ENDPOINT`,
//! `SWIFT_S3_ACCESS_KEY` and `SWIFT_S3_SECRET_KEY` tell where. It verifies signatures, regions, digests and lengths.

use std::env::var;

use libcloud_aws::s3;
use libcloud_common::Config;
use libcloud_testkit::suite::{Expectations, Storage};

#[tokio::test]
async fn storage() {
    let config = Config::new(var("SWIFT_S3_ACCESS_KEY").unwrap(), var("SWIFT_S3_SECRET_KEY").unwrap())
        .region("us-east-1")
        .endpoint(var("SWIFT_S3_ENDPOINT").unwrap().parse().unwrap());
    let (mut wrong, mut unknown) = (config.clone(), config.clone());
    wrong.secret = Some("wrong".into());
    unknown.key = Some("nobody:nobody".into());
    let report = Storage::new((s3().factory)(config).unwrap())
        .wrong_credentials((s3().factory)(wrong).unwrap())
        .wrong_credentials((s3().factory)(unknown).unwrap())
        .run(Expectations::new())
        .await;
    assert_eq!(report.denied, [""; 0]);
}
