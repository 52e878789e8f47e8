//! Real servers that speak S3: where they are, and the behaviour suite on them.

#![allow(dead_code, clippy::unwrap_used, reason = "each test uses its part, and fails by panicking")]

use std::env::var;

use libcloud_aws::s3;
use libcloud_common::Config;
use libcloud_testkit::suite::{Expectations, Storage};

/// The server whose variables begin with this: `…_ENDPOINT`, `…_ACCESS_KEY` and `…_SECRET_KEY`.
pub(crate) fn config(prefix: &str, region: &str) -> Config {
    let of = |name: &str| var(format!("{prefix}_{name}")).unwrap();
    Config::new(of("ACCESS_KEY"), of("SECRET_KEY")).region(region).endpoint(of("ENDPOINT").parse().unwrap())
}

/// The behaviour suite on a server that refuses a wrong secret, and this key, which nobody has.
pub(crate) async fn suite(config: Config, unknown_key: &str, expectations: Expectations) {
    let (mut wrong, mut unknown) = (config.clone(), config.clone());
    wrong.secret = Some("wrong".into());
    unknown.key = Some(unknown_key.into());
    let report = Storage::new((s3().factory)(config).unwrap())
        .wrong_credentials((s3().factory)(wrong).unwrap())
        .wrong_credentials((s3().factory)(unknown).unwrap())
        .run(expectations)
        .await;
    assert_eq!(report.denied, [""; 0]);
}
