//! The behaviour suites: the dummy cloud does what every provider does.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail by panicking")]

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt as _;
use libcloud_common::{ErrorKind, ManualClock};
use libcloud_dns::DnsDriverExt as _;
use libcloud_dummy::DummyCloud;
use libcloud_testkit::suite::{Compute, Dns, Expectations, LoadBalancers, Storage};

/// The one check that needs an account.
const NO_ACCOUNT: [&str; 1] = ["credentials/wrong ones are refused"];

fn cloud() -> DummyCloud {
    DummyCloud::with_clock(Arc::new(ManualClock::at("2013-11-13T12:00:00Z".parse().unwrap())))
}

#[tokio::test]
async fn compute() {
    let report = Compute::new(cloud().compute()).without_credentials().run(Expectations::new()).await;
    assert_eq!(report.denied, NO_ACCOUNT);
}

#[tokio::test]
async fn storage() {
    let report = Storage::new(cloud().storage()).without_credentials().run(Expectations::new()).await;
    assert_eq!(report.denied, NO_ACCOUNT);
}

#[tokio::test]
async fn loadbalancer() {
    let driver = cloud().loadbalancer();
    let report = LoadBalancers::new(driver).without_credentials().run(Expectations::new()).await;
    assert_eq!(report.denied, NO_ACCOUNT);
}

#[tokio::test]
async fn dns() {
    let report = Dns::new(cloud().dns()).without_credentials().run(Expectations::new()).await;
    assert_eq!(report.denied, NO_ACCOUNT);
}

/// What the suite fails with.
async fn failure(suite: Dns, expectations: Expectations) -> String {
    let run = AssertUnwindSafe(suite.without_credentials().run(expectations)).catch_unwind();
    *run.await.unwrap_err().downcast::<String>().unwrap()
}

#[tokio::test]
async fn every_check_that_fails_is_told_and_only_those() {
    let cloud = cloud();
    cloud.fail("update_zone", ErrorKind::Provider, "out of order", 1);
    cloud.fail("update_record", ErrorKind::Provider, "no such luck", 1);
    let told = failure(Dns::new(cloud.dns()), Expectations::new()).await;
    let lines: Vec<&str> = told.lines().filter(|line| !line.starts_with(' ')).collect();
    let [first, zones, records] = lines[..] else { panic!("{told}") };
    assert!(first.starts_with("dns dummy: 2 of "), "{told}");
    assert_eq!(zones, "zones/update: dummy update_zone: out of order");
    assert_eq!(records, "records/update: dummy update_record: no such luck");
    // What the failed checks had made is gone.
    assert_eq!(cloud.dns().list_zones().await.unwrap(), []);
}

#[tokio::test]
async fn what_is_expected_to_fail_must_fail() {
    let fails = || Expectations::new().fails("zones/update", "the moon is full");
    let told = failure(Dns::new(cloud().dns()), fails()).await;
    assert!(told.contains("zones/update: expected to fail (the moon is full), but it does not"), "{told}");
    let broken = cloud();
    broken.fail("update_zone", ErrorKind::Provider, "out of order", 1);
    let report = Dns::new(broken.dns()).without_credentials().run(fails()).await;
    assert_eq!(report.expected, ["zones/update"]);
    let slip = Expectations::new().fails("zones/updates", "a slip");
    let told = failure(Dns::new(cloud().dns()), slip).await;
    assert!(told.contains("zones/updates: expected to fail, but there is no such check"), "{told}");
}

#[tokio::test]
async fn faults_interrupt_and_wrong_answers_do_not() {
    let cloud = cloud();
    cloud.fail("update_zone", ErrorKind::Transport, "reset", 1);
    let tolerant = || Expectations::new().tolerating_faults();
    let report = Dns::new(cloud.dns()).without_credentials().run(tolerant()).await;
    assert_eq!(report.interrupted, [("zones/update", ErrorKind::Transport)]);
    cloud.fail("update_record", ErrorKind::NotFound, "lost", 1);
    let told = failure(Dns::new(cloud.dns()), tolerant()).await;
    assert!(told.contains("records/update: dummy update_record: lost"), "{told}");
}

#[tokio::test]
async fn nobody_forgets_the_credentials() {
    let suite = Dns::new(cloud().dns()).run(Expectations::new());
    let told = *AssertUnwindSafe(suite).catch_unwind().await.unwrap_err().downcast::<String>().unwrap();
    assert!(told.contains("neither wrong_credentials nor without_credentials"), "{told}");
}
