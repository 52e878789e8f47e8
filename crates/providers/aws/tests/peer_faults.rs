//! Each of the doors of the faults peer, which must be running in front of a real server: `FAULTS_PASS` and the others tell
//! where, and the server's own variables (`MOTO_ENDPOINT`, `CEPH_S3_ENDPOINT`, `S3S_ENDPOINT` or `SWIFT_S3_ENDPOINT`) what is
//! behind them.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod doors;

use std::sync::Arc;
use std::time::Duration;

use libcloud_aws::s3;
use libcloud_common::{Config, SystemClock};
use libcloud_storage::StorageDriver;
use libcloud_testkit::suite::{Survived, storage_survives};

use doors::{ALL, DOORS, DOWN, Expected, config, direct};

fn storage(config: Config) -> Arc<dyn StorageDriver> {
    (s3().factory)(config).unwrap()
}

#[tokio::test]
async fn each_door_gives_the_right_result_or_a_clean_error() {
    let direct = storage(direct());
    let clock = SystemClock::shared();
    let mut wrong = Vec::new();
    for expected in DOORS {
        let Expected { door, kinds, refuses, seconds } = expected;
        let started = clock.elapsed();
        let through = storage(config(door));
        let direct = Arc::clone(&direct);
        let run = tokio::spawn(async move { storage_survives(door, &through, &direct, kinds).await }).await;
        let Survived { worked, refused, .. } = match run {
            Ok(survived) => survived,
            Err(panic) => {
                wrong.push(format!("{panic}"));
                continue;
            }
        };
        let took = clock.elapsed().saturating_sub(started);
        let refused: Vec<&str> = refused.into_iter().map(|(what, _)| what).collect();
        eprintln!("{door}: {took:.1?}, refused {refused:?}");
        if took > Duration::from_secs(seconds) {
            wrong.push(format!("{door}: it took {took:?}"));
        }
        if refuses.iter().any(|what| !refused.contains(what)) || (kinds.is_empty() && worked != ALL) {
            wrong.push(format!("{door}: {refuses:?} were to be refused, and {refused:?} were"));
        }
        if refuses == DOWN && refused != DOWN {
            wrong.push(format!("{door}: all but {DOWN:?} was to work, and {refused:?} did not"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
