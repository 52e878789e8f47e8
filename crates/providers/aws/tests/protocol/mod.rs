//! What the S3 driver has beside the base API, and its older dialect, on real servers: the same checks for each, and for
//! each a list of those that its server makes fail, which must fail.

#![expect(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod conditions;
mod copies;
mod integrity;
mod listing;
mod uploads;

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use libcloud_aws::S3Driver;
use libcloud_common::{BoxFuture, Config, ErrorKind, unique_token};
use libcloud_storage::{Container, Object, StorageDriverExt as _};

/// A server, and what a check has made there.
#[derive(Clone)]
pub(crate) struct Peer {
    config: Config,
    made: Arc<Mutex<Vec<Container>>>,
}

type Check = (&'static str, fn(Peer) -> BoxFuture<'static, ()>);

macro_rules! checks {
    ($($module:ident::$check:ident,)*) => {
        &[$((concat!(stringify!($module), "::", stringify!($check)), |peer| Box::pin($module::$check(peer)))),*]
    };
}

const CHECKS: &[Check] = checks![
    listing::the_old_dialect_is_spoken,
    listing::levels_are_listed_in_both_versions,
    listing::a_level_begins_after_a_name,
    listing::many_are_deleted_at_once,
    listing::names_of_control_characters_are_names,
    uploads::what_was_left_behind_is_found_and_thrown_away,
    uploads::a_body_that_breaks_leaves_nothing,
    copies::objects_are_copied,
    copies::large_ones_are_copied_in_parts,
    copies::a_copy_that_was_to_be_of_something_new_is_refused,
    conditions::what_has_not_changed_is_not_sent,
    conditions::what_is_there_is_not_replaced,
    conditions::what_comes_between_is_not_replaced,
    conditions::who_may_do_what_is_told_and_changed,
    conditions::presigned_urls_work_for_anybody,
    conditions::a_presigned_url_is_for_one_method_and_time,
    integrity::encryption_is_asked_for_and_told,
    integrity::what_a_customers_key_encrypts_nobody_reads_without,
    integrity::checksums_that_were_sent_are_told,
    integrity::the_fastest_is_sent_by_itself,
    integrity::a_wrong_checksum_is_refused,
    integrity::the_checksum_of_the_whole_is_told_of_what_came_in_parts,
];

/// Runs all checks; those of this list fail, each for its reason.
pub(crate) async fn held(config: Config, expected: &[(&str, &str)]) {
    let peer = Peer { config, made: Arc::default() };
    let mut wrong = Vec::new();
    for (name, _) in expected {
        if !CHECKS.iter().any(|(known, _)| known == name) {
            wrong.push(format!("{name}: there is no such check"));
        }
    }
    for (name, check) in CHECKS {
        let verdict = tokio::spawn(check(peer.clone())).await.map_err(|panic| panic.to_string());
        let cleaned = tokio::spawn(clean(peer.clone())).await.map_err(|panic| panic.to_string());
        let reason = expected.iter().find(|(known, _)| known == name).map(|(_, reason)| reason);
        match (verdict, reason) {
            (Ok(()), Some(reason)) => wrong.push(format!("{name}: it was to fail ({reason}), and passed")),
            (Err(problem), None) => wrong.push(format!("{name}: {problem}")),
            _ => {}
        }
        if let Err(problem) = cleaned {
            wrong.push(format!("{name}: cleaning up: {problem}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {} checks are wrong:\n{}", wrong.len(), CHECKS.len(), wrong.join("\n"));
}

/// Deletes what a check has made.
async fn clean(peer: Peer) {
    let driver = peer.driver();
    let made = std::mem::take(&mut *peer.made.lock().unwrap());
    for container in made {
        driver.ex_cleanup_all_multipart_uploads(&container, None).await.unwrap();
        for object in driver.list_container_objects(&container).await.unwrap() {
            driver.delete_object(&object).await.unwrap();
        }
        driver.delete_container(&container).await.unwrap();
    }
}

impl Peer {
    fn driver(&self) -> S3Driver {
        S3Driver::new(self.config.clone()).unwrap()
    }

    fn speaking(&self, dialect: &str) -> S3Driver {
        S3Driver::new(self.config.clone().option("dialect", dialect)).unwrap()
    }

    async fn container(&self) -> Container {
        let name = format!("libcloud-{}", unique_token().unwrap());
        let container = self.driver().create_container(&name).await.unwrap();
        self.made.lock().unwrap().push(container.clone());
        container
    }
}

async fn put(driver: &S3Driver, container: &Container, name: &str) -> Object {
    driver.upload_object_via_stream("abc".into(), container, name).await.unwrap()
}

async fn read(driver: &S3Driver, object: &Object) -> Bytes {
    driver.download_object_as_stream(object).await.unwrap().read_all(64 << 20).await.unwrap()
}

/// Nothing that nobody sees.
async fn no_uploads(driver: &S3Driver, container: &Container) {
    use futures_util::TryStreamExt as _;
    let uploads = driver.ex_iterate_multipart_uploads(container, None, None);
    assert_eq!(uploads.try_collect::<Vec<_>>().await.unwrap(), []);
}

fn refused<T: std::fmt::Debug>(answer: Result<T, libcloud_common::Error>, kind: ErrorKind) {
    let error = answer.unwrap_err();
    assert_eq!(error.kind(), kind, "{error:#}");
}
