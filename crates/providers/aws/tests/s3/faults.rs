//! The behaviour suite on a server in memory, and what becomes of it where things fail on the way.

use std::time::Duration;

use libcloud_common::Url;
use libcloud_storage::StorageDriverExt as _;
use libcloud_testkit::suite::{Expectations, Report, Storage, Survived, storage_survives};
use libcloud_testkit::{Answer, Breaking, Door, FaultProxy};

use crate::*;

const TRANSFERS: [&str; 3] = [
    "transfers/a cancelled upload leaves nothing",
    "transfers/a broken upload leaves nothing",
    "transfers/an abandoned download harms nothing",
];

fn made(config: Config) -> Arc<dyn StorageDriver> {
    (s3().factory)(config).unwrap()
}

fn at(url: &Url) -> Arc<dyn StorageDriver> {
    made(config(url.as_str()))
}

/// A driver that does not wait long where nothing moves.
fn impatient(url: &Url) -> Arc<dyn StorageDriver> {
    let mut config = config(url.as_str());
    config.transport.idle_timeout = Duration::from_millis(500);
    made(config)
}

async fn suite(server: &Breaking, driver: Arc<dyn StorageDriver>, expectations: Expectations) -> Report {
    let mut wrong = config(server.url().as_str());
    wrong.key = Some("NOBODY".into());
    Storage::new(driver)
        .direct(at(&server.url()))
        .wrong_credentials(made(wrong))
        .many(3 * memory::PAGE)
        .run(expectations)
        .await
}

#[tokio::test]
async fn the_suite_passes() {
    let server = memory::start();
    let report = suite(&server, at(&server.url()), Expectations::new()).await;
    assert_eq!((report.denied, report.interrupted), (vec![], vec![]));
}

/// Every third request meets this. What passes is right, what is interrupted is put down to it, and nothing stays behind.
async fn the_suite_survives(door: Door) -> Report {
    let server = memory::start();
    let proxy = FaultProxy::one_in(3, server.address(), door);
    let mut patient = config(proxy.url().as_str());
    // Calls at the same time may meet it several times in a row.
    patient.transport.retries = 9;
    let report = suite(&server, made(patient), Expectations::new().tolerating_faults()).await;
    assert!(proxy.faults() > 20, "{} faults", proxy.faults());
    assert!(report.passed.len() > 3, "{report:?}");
    assert_eq!(at(&server.url()).call("list_containers", json!({})).await.unwrap(), json!([]));
    report
}

#[tokio::test]
async fn what_was_certainly_not_done_is_done_again() {
    for door in [Door::throttled(1), Door::unavailable(1)] {
        let report = the_suite_survives(door).await;
        // Bodies that can be sent only once are told to come again.
        let left = |(name, _): &&(&str, ErrorKind)| !TRANSFERS.contains(name);
        assert_eq!(report.interrupted.iter().filter(left).count(), 0, "{report:?}");
    }
}

#[tokio::test]
async fn servers_that_fail() {
    for door in [Door::failed(), Door::html(), Door::garbage(), Door::Close] {
        let report = the_suite_survives(door).await;
        assert_eq!((report.denied, report.expected), (vec![], vec![]));
    }
}

#[tokio::test]
async fn connections_that_break() {
    for door in [Door::CutUp(1), Door::CutDown(10), Door::EndDown(10), Door::LoseAnswer] {
        let report = the_suite_survives(door).await;
        assert_eq!((report.denied, report.expected), (vec![], vec![]));
    }
}

#[tokio::test]
async fn delays_change_nothing() {
    let clock = ManualClock::at("2024-05-01T08:30:00Z".parse().unwrap());
    let door = Door::Delay(Arc::new(clock.clone()), Duration::from_secs(3600));
    let report = the_suite_survives(door).await;
    assert_eq!((report.denied, report.interrupted), (vec![], vec![]));
    assert!(clock.slept().len() > 50);
}

/// Every request meets this.
async fn survives(name: &str, door: Door, kinds: &[ErrorKind]) -> (Survived, FaultProxy) {
    let server = memory::start();
    let through = if matches!(door, Door::StallDown(_)) { impatient } else { at };
    let proxy = FaultProxy::start(server.address(), move |_| door.clone());
    let survived = storage_survives(name, &through(&proxy.url()), &at(&server.url()), kinds).await;
    (survived, proxy)
}

const ALL: [&str; 7] = ["list", "download", "download to a file", "upload", "replace", "delete", "create"];

fn refused(survived: &Survived) -> Vec<&'static str> {
    survived.refused.iter().map(|(what, _)| *what).collect()
}

#[tokio::test]
async fn where_nothing_comes_through_all_is_refused_and_nothing_changed() {
    for (name, door, kinds) in [
        ("closed", Door::Close, &[ErrorKind::Transport][..]),
        ("garbage", Door::garbage(), &[ErrorKind::Transport]),
        ("throttled", Door::throttled(1), &[ErrorKind::RateLimited]),
        ("unavailable", Door::unavailable(1), &[ErrorKind::Provider, ErrorKind::RateLimited]),
        ("failed", Door::failed(), &[ErrorKind::Provider]),
        // A network that wants a login.
        ("page", Door::html(), &[ErrorKind::MalformedResponse]),
        (
            "no XML",
            Door::Answer(Answer::new(200).header("content-type", "application/xml").body("<a><b></a>")),
            &[ErrorKind::MalformedResponse],
        ),
    ] {
        let (survived, _) = survives(name, door, kinds).await;
        assert_eq!(refused(&survived), ALL, "{name}: {survived:?}");
    }
}

#[tokio::test]
async fn what_changes_something_is_sent_once_where_the_answer_is_lost() {
    let (survived, proxy) = survives("lost", Door::LoseAnswer, &[ErrorKind::Transport]).await;
    assert_eq!(refused(&survived), ALL);
    let visits = proxy.visits();
    let created =
        visits.iter().filter(|visit| visit.method == "PUT" && visit.target.matches('/').count() == 1);
    assert_eq!(created.count(), 1, "{visits:?}");
    // An upload puts the same in the same place, and may be repeated.
    let uploads = visits.iter().filter(|visit| visit.target.ends_with("/new")).count();
    assert_eq!(uploads, 3, "{visits:?}");
}

#[tokio::test]
async fn half_of_a_body_is_noticed() {
    let kinds = [ErrorKind::Transport, ErrorKind::MalformedResponse, ErrorKind::HashMismatch];
    for (name, door) in [("cut down", Door::CutDown(1000)), ("ended down", Door::EndDown(1000))] {
        let (survived, _) = survives(name, door, &kinds).await;
        assert_eq!(refused(&survived), ["download", "download to a file"], "{name}: {survived:?}");
    }
    let (survived, _) = survives("stalled", Door::StallDown(1000), &[ErrorKind::Timeout]).await;
    assert_eq!(refused(&survived), ["download", "download to a file"], "{survived:?}");
    let (survived, _) = survives("cut up", Door::CutUp(1000), &[ErrorKind::Transport]).await;
    assert_eq!(refused(&survived), ["upload", "replace"], "{survived:?}");
}

#[tokio::test]
async fn one_other_byte_is_noticed() {
    // A stream of bytes is given as it comes; a file is compared with its digest.
    let server = memory::start();
    let direct = at(&server.url());
    let proxy = FaultProxy::start(server.address(), |_| Door::CorruptDown(1000));
    let through = at(&proxy.url());
    let container = direct.create_container("photos").await.unwrap();
    let body = || vec![7; 5000].into();
    let object = direct.upload_object_via_stream(body(), &container, "down").await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let error = through.download_object(&object, folder.path()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::HashMismatch, "{error}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);

    let proxy = FaultProxy::start(server.address(), |_| Door::CorruptUp(1000));
    let error = at(&proxy.url()).upload_object_via_stream(body(), &container, "up").await.unwrap_err();
    assert_eq!(error.code(), Some("XAmzContentSHA256Mismatch"), "{error}");
    let error = direct.get_object("photos", "up").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
}

#[tokio::test]
async fn what_is_held_back_is_done_or_not() {
    for (door, done) in [(Door::Hold, false), (Door::StallUp(1000), false), (Door::HoldAnswer, true)] {
        let server = memory::start();
        let direct = at(&server.url());
        let container = direct.create_container("photos").await.unwrap();
        let name = format!("{door:?}");
        let proxy = FaultProxy::start(server.address(), move |_| door.clone());
        let sent =
            impatient(&proxy.url()).upload_object_via_stream(vec![7; 5000].into(), &container, &name).await;
        assert_eq!(sent.unwrap_err().kind(), ErrorKind::Timeout, "{name}");
        assert_eq!(direct.get_object("photos", &name).await.is_ok(), done, "{name}");
    }
}
