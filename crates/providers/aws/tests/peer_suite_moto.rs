//! The behaviour suites against a moto server, which must be running: `MOTO_ENDPOINT`, `MOTO_REGION`, `MOTO_ACCESS_KEY`,
//! `MOTO_SECRET_KEY` and `MOTO_AUTH` tell where and how. With `MOTO_AUTH=on` it verifies signatures of version 4.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::env::var;

use libcloud_aws::{ec2, s3};
use libcloud_common::{Config, ErrorKind};
use libcloud_compute::ComputeDriverExt as _;
use libcloud_testkit::suite::{Compute, Expectations, Storage};

fn config() -> Config {
    Config::new(var("MOTO_ACCESS_KEY").unwrap(), var("MOTO_SECRET_KEY").unwrap())
        .region(var("MOTO_REGION").unwrap())
        .endpoint(var("MOTO_ENDPOINT").unwrap().parse().unwrap())
}

fn wrong() -> Config {
    let mut wrong = config();
    wrong.secret = Some("wrong".into());
    wrong
}

fn verifies() -> bool {
    var("MOTO_AUTH").unwrap() == "on"
}

#[tokio::test]
async fn compute() {
    // Switched off, it still verifies version 2.
    let wrong = if verifies() { wrong() } else { wrong().option("signature_version", "2") };
    held(config(), wrong).await;
}

#[tokio::test]
async fn compute_with_the_old_signature() {
    let old = |config: Config| config.option("signature_version", "2");
    if verifies() {
        // Switched on, it knows version 4 and no other.
        let error = (ec2().factory)(old(config())).unwrap().list_nodes().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidCredentials, "{error}");
    } else {
        held(old(config()), old(wrong())).await;
    }
}

async fn held(right: Config, wrong: Config) {
    let suite = Compute::new((ec2().factory)(right).unwrap())
        .size("m1.small")
        .unknown("node", "i-00000000000000000")
        .unknown("image", "ami-00000000")
        .unknown("size", "m0.none")
        .wrong_credentials((ec2().factory)(wrong).unwrap());
    let expectations = Expectations::new()
        .fails("nodes/an unknown image is refused", "moto makes nodes of images that are not there")
        .fails("nodes/an unknown size is refused", "moto makes nodes of sizes that are not there")
        .fails("volumes/attach and detach", "moto breaks where it is not told from which node");
    let report = suite.run(expectations).await;
    assert_eq!(report.denied, [""; 0]);
}

#[tokio::test]
async fn storage() {
    let suite =
        Storage::new((s3().factory)(config()).unwrap()).wrong_credentials((s3().factory)(wrong()).unwrap());
    let mut expectations = Expectations::new().fails(
        "containers/a duplicate exists already",
        "as in Amazon's first region, one's own bucket can be made again",
    );
    if verifies() {
        const WRONG: &str = "moto computes wrong signatures for names that need percent encoding";
        for check in [
            "objects/unicode names",
            "objects/odd names",
            "objects/no page, one and many",
            "objects/by prefix",
        ] {
            expectations = expectations.fails(check, WRONG);
        }
    } else {
        expectations =
            expectations.fails("credentials/wrong ones are refused", "switched off, it verifies none");
    }
    let report = suite.run(expectations).await;
    assert_eq!(report.denied, [""; 0]);
}
