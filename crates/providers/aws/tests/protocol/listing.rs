//! Names, one by one and level by level, and many at once.

use futures_util::TryStreamExt as _;
use libcloud_common::ErrorKind;
use libcloud_storage::{Container, Entry, ListEntries, StorageDriver as _, StorageDriverExt as _};

use super::{Peer, put, read, refused};
use libcloud_aws::S3Driver;

const ODD: [&str; 9] = ["a+b c", "a//b", "./..", "%41", "~'\"", "ü", "u\u{308}", " lead", "<&>"];

/// The older signature and the older listing.
pub(super) async fn the_old_dialect_is_spoken(peer: Peer) {
    let driver = peer.speaking("old");
    let container = peer.container().await;
    for name in ODD {
        put(&driver, &container, name).await;
    }
    let listed = driver.list_container_objects(&container).await.unwrap();
    let mut names: Vec<_> = listed.into_iter().map(|object| object.name).collect();
    let mut expected: Vec<_> = ODD.map(str::to_owned).into();
    names.sort();
    expected.sort();
    assert_eq!(names, expected);
    for name in ODD {
        let object = driver.get_object(&container.name, name).await.unwrap();
        assert_eq!(read(&driver, &object).await, "abc", "{name}");
    }
    let mut wrong = peer.config.clone().option("signature_version", 2);
    wrong.secret = Some("wrong".into());
    refused(S3Driver::new(wrong).unwrap().list_containers().await, ErrorKind::InvalidCredentials);
    // In parts, too, whose uploads have sub-resources.
    let large = vec![7; 9 << 20];
    let object = driver.upload_object_via_stream(large.clone().into(), &container, "large").await.unwrap();
    assert!(read(&driver, &object).await == large);
}

/// Signed alike, so that only the listings differ.
fn both_versions(peer: &Peer) -> [S3Driver; 2] {
    let old = peer.config.clone().option("dialect", "old").option("signature_version", 4);
    [S3Driver::new(old).unwrap(), peer.speaking("compatible")]
}

async fn level(driver: &S3Driver, container: &Container, options: ListEntries) -> Vec<String> {
    let entries = driver.iterate_container_entries_with(container, options);
    let mut names: Vec<_> =
        entries.map_ok(|entry: Entry| entry.name().to_owned()).try_collect().await.unwrap();
    names.sort();
    names
}

pub(super) async fn levels_are_listed_in_both_versions(peer: Peer) {
    for driver in both_versions(&peer) {
        let container = peer.container().await;
        for name in ["a", "b c/1", "b c/2/3", "b c/2/4", "d/"] {
            put(&driver, &container, name).await;
        }
        let slash = || ListEntries::new().delimiter("/");
        assert_eq!(level(&driver, &container, slash()).await, ["a", "b c/", "d/"]);
        assert_eq!(level(&driver, &container, slash().prefix("b c/")).await, ["b c/1", "b c/2/"]);
        let after = ListEntries::new().start_after("b c/2/3");
        assert_eq!(level(&driver, &container, after).await, ["b c/2/4", "d/"]);
    }
}

pub(super) async fn a_level_begins_after_a_name(peer: Peer) {
    for driver in both_versions(&peer) {
        let container = peer.container().await;
        for name in ["b/1", "b/2", "d/"] {
            put(&driver, &container, name).await;
        }
        let after = ListEntries::new().delimiter("/").start_after("b/3");
        assert_eq!(level(&driver, &container, after).await, ["d/"]);
    }
}

pub(super) async fn many_are_deleted_at_once(peer: Peer) {
    let driver = peer.driver();
    let container = peer.container().await;
    for name in ODD {
        put(&driver, &container, name).await;
    }
    let kept = put(&driver, &container, "kept").await;
    let all = ODD.iter().chain(&["was never there"]).map(|name| (*name).to_owned()).collect();
    assert_eq!(driver.ex_delete_objects(&container, all).await.unwrap(), []);
    let left = driver.list_container_objects(&container).await.unwrap();
    assert_eq!(left.iter().map(|object| &*object.name).collect::<Vec<_>>(), [&*kept.name]);
}

pub(super) async fn names_of_control_characters_are_names(peer: Peer) {
    let container = peer.container().await;
    for driver in [peer.driver(), peer.speaking("old")] {
        let mut names = ["line\nfeed", "\u{1}", "return\r"].map(str::to_owned);
        for name in &names {
            put(&driver, &container, name).await;
        }
        let listed = driver.list_container_objects(&container).await.unwrap();
        names.sort();
        assert_eq!(listed.into_iter().map(|object| object.name).collect::<Vec<_>>(), names);
        // Not all of them can be said in XML.
        assert_eq!(peer.driver().ex_delete_objects(&container, names.into()).await.unwrap(), []);
        assert_eq!(driver.list_container_objects(&container).await.unwrap(), []);
    }
}
