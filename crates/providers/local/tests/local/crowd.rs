//! Many tasks and processes on one folder: every read is one whole version, and nothing is lost.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use libcloud_common::{ErrorKind, Result};
use libcloud_storage::{Container, Object, StorageDriver, StorageDriverExt as _, UploadBody};

use crate::{list, open, put, read, unfinished, with_container};

/// Tells a child process on which folder to work, as whom.
const BASE: &str = "LIBCLOUD_TEST_BASE";
const WORKER: &str = "LIBCLOUD_TEST_WORKER";

/// How many objects all tasks write, read and delete.
const SHARED: usize = 6;

/// A version that shows whether it is whole: its writer, its length, then one letter of its own.
fn version(writer: &str, round: usize) -> String {
    let length = 1 + (round * 7919 + writer.len()) % 5000;
    let letter = char::from(b'a' + u8::try_from((round + writer.len()) % 26).unwrap());
    format!("{writer} {round} {length} {}", letter.to_string().repeat(length))
}

fn assert_whole(content: &str) {
    let mut words = content.split(' ');
    let (writer, round) = (words.next().unwrap(), words.next().unwrap().parse().unwrap());
    assert_eq!(content, version(writer, round));
}

/// The content in pieces, with a pause between each two in which others run.
fn pieces(content: &str) -> UploadBody {
    let pieces: Vec<Bytes> = content.as_bytes().chunks(700).map(Bytes::copy_from_slice).collect();
    UploadBody::new(stream::iter(pieces).then(|piece| async {
        tokio::task::yield_now().await;
        Ok(piece)
    }))
}

async fn write(driver: &Arc<dyn StorageDriver>, name: &str, content: &str) {
    let container = Container::new("c");
    driver.upload_object_via_stream(pieces(content), &container, name).await.unwrap();
}

fn unless_gone<T>(result: Result<T>) -> Option<T> {
    match result {
        Ok(value) => Some(value),
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
            None
        }
    }
}

/// Works on the objects that all share, and on one of its own in a folder that all share. Its own is there in the end.
async fn work(driver: Arc<dyn StorageDriver>, me: String, rounds: usize) {
    // In folders that come and go with their last object.
    let mine = Object::from_names("c", format!("own/deep/{me}"));
    for round in 0..rounds {
        let shared = Object::from_names("c", format!("shared/{0}/{0}", fastrand::usize(..SHARED)));
        match fastrand::u8(..4) {
            0 | 1 => write(&driver, &shared.name, &version(&me, round)).await,
            2 => {
                if let Some(content) = unless_gone(read(&driver, &shared).await) {
                    assert_whole(&content);
                }
            }
            _ => drop(unless_gone(driver.delete_object(&shared).await)),
        }
        let content = version(&me, round);
        write(&driver, &mine.name, &content).await;
        assert_eq!(read(&driver, &mine).await.unwrap(), content);
        if fastrand::bool() {
            driver.delete_object(&mine).await.unwrap();
            let error = driver.get_object("c", &mine.name).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NotFound);
        }
        if round % 8 == 0 {
            let names = list(&driver).await;
            assert!(names.is_sorted(), "{names:?}");
        }
    }
    write(&driver, &mine.name, &version(&me, rounds)).await;
}

/// All own objects are there in their last version, the shared ones whole, and nothing else.
async fn assert_nothing_lost(base: &Path, workers: &[String], rounds: usize) {
    let driver = open(base).unwrap();
    let names = list(&driver).await;
    for worker in workers {
        let object = Object::from_names("c", format!("own/deep/{worker}"));
        assert_eq!(read(&driver, &object).await.unwrap(), version(worker, rounds));
        assert!(names.contains(&object.name));
    }
    let shared: Vec<_> = names.iter().filter(|name| name.starts_with("shared/")).collect();
    assert_eq!(names.len(), workers.len() + shared.len());
    for name in shared {
        assert_whole(&read(&driver, &Object::from_names("c", name)).await.unwrap());
    }
    assert!(unfinished(base).is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn tasks_do_not_get_in_each_others_way() {
    const ROUNDS: usize = 24;
    let (folder, driver, _) = with_container().await;
    let workers: Vec<String> = (0..64).map(|number| format!("task{number}")).collect();
    let tasks: Vec<_> =
        workers.iter().map(|me| tokio::spawn(work(Arc::clone(&driver), me.clone(), ROUNDS))).collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_nothing_lost(folder.path(), &workers, ROUNDS).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn containers_come_and_go_under_uploads() {
    let folder = tempfile::tempdir().unwrap();
    let driver = open(folder.path()).unwrap();
    let upload = |number: usize| {
        let driver = Arc::clone(&driver);
        tokio::spawn(async move {
            for round in 0..40 {
                let name = format!("a/b/{number}");
                // The container may be gone before, while or after: then the upload says so.
                if unless_gone(put(&driver, &name, &version("task", round)).await).is_some() {
                    unless_gone(driver.delete_object(&Object::from_names("c", name)).await);
                }
            }
        })
    };
    let tasks: Vec<_> = (0..8).map(upload).collect();
    let container = Container::new("c");
    while !tasks.iter().all(tokio::task::JoinHandle::is_finished) {
        driver.create_container("c").await.unwrap();
        tokio::task::yield_now().await;
        while let Err(error) = driver.delete_container(&container).await {
            assert_eq!(error.kind(), ErrorKind::NotEmpty, "{error}");
            tokio::task::yield_now().await;
        }
    }
    for task in tasks {
        task.await.unwrap();
    }
    assert!(driver.list_containers().await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_object_and_the_folder_of_its_name_contend() {
    let (folder, driver, container) = with_container().await;
    let work = |number: usize| {
        let driver = Arc::clone(&driver);
        let object = Object::from_names("c", ["x", "x/y", "x/y/z"][number % 3]);
        tokio::spawn(async move {
            let mut made = 0;
            for round in 0..100 {
                match put(&driver, &object.name, &version("task", round)).await {
                    Ok(_) => {
                        made += 1;
                        if let Some(content) = unless_gone(read(&driver, &object).await) {
                            assert_whole(&content);
                        }
                        unless_gone(driver.delete_object(&object).await);
                    }
                    // The other kind is there.
                    Err(error) => assert_eq!(error.kind(), ErrorKind::InvalidName, "{error}"),
                }
            }
            made
        })
    };
    let tasks: Vec<_> = (0..12).map(work).collect();
    let mut made = 0;
    for task in tasks {
        made += task.await.unwrap();
    }
    assert!(made > 0);
    assert!(list(&driver).await.is_empty());
    driver.delete_container(&container).await.unwrap();
    assert!(unfinished(folder.path()).is_empty());
}

/// Starts this test program again, with only the test of this name.
fn spawn(test: &str, base: &Path, worker: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--ignored", "--nocapture"])
        .env(BASE, base)
        .env(WORKER, worker)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// The driver of a child process; none where somebody runs the ignored tests by themselves.
fn driver_of_child() -> Option<Arc<dyn StorageDriver>> {
    let base = std::env::var_os(BASE)?;
    Some(open(base.as_ref()).unwrap())
}

/// Ends with the test, also with one that fails.
struct KilledAtEnd(Child);

impl Drop for KilledAtEnd {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

const ROUNDS_OF_CHILD: usize = 40;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a child process of the test below"]
async fn child_works() {
    let Some(driver) = driver_of_child() else { return };
    let me = std::env::var(WORKER).unwrap();
    let tasks: Vec<_> = (0..4)
        .map(|number| tokio::spawn(work(Arc::clone(&driver), format!("{me}-{number}"), ROUNDS_OF_CHILD)))
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
}

#[tokio::test]
async fn processes_do_not_get_in_each_others_way() {
    let (folder, _, _) = with_container().await;
    let children: Vec<_> = (0..4)
        .map(|number| spawn("crowd::child_works", folder.path(), &format!("process{number}")))
        .collect();
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }
    let workers: Vec<_> = (0..16).map(|number| format!("process{}-{}", number / 4, number % 4)).collect();
    assert_nothing_lost(folder.path(), &workers, ROUNDS_OF_CHILD).await;
}

const WRITING: &str = "the upload is under way";

#[tokio::test]
#[ignore = "a child process of the test below"]
async fn child_uploads_without_end() {
    let Some(driver) = driver_of_child() else { return };
    let endless = stream::iter(0_u64..).map(|number| {
        if number == 100 {
            println!("\n{WRITING}");
        }
        // From then on it waits to be killed, with its file open.
        Ok(Bytes::from(vec![b'x'; 4096]))
    });
    let body = UploadBody::new(endless.take(200).chain(stream::pending()));
    let container = Container::new("c");
    driver.upload_object_via_stream(body, &container, "a/half").await.unwrap();
}

#[tokio::test]
async fn a_process_killed_in_an_upload_leaves_nothing_in_sight() {
    let (folder, driver, container) = with_container().await;
    put(&driver, "a/half", "old").await.unwrap();
    let mut child = KilledAtEnd(spawn("crowd::child_uploads_without_end", folder.path(), "endless"));
    let lines = BufReader::new(child.0.stdout.take().unwrap()).lines();
    assert!(lines.map_while(std::result::Result::ok).any(|line| line == WRITING));

    // While it lives, its file is left alone, also by a process that sweeps.
    assert_eq!(unfinished(folder.path()).len(), 1);
    put(&open(folder.path()).unwrap(), "other", "x").await.unwrap();
    assert_eq!(unfinished(folder.path()).len(), 1);

    child.0.kill().unwrap();
    child.0.wait().unwrap();
    assert_eq!(unfinished(folder.path()).len(), 1);
    assert_eq!(list(&driver).await, ["a/half", "other"]);
    let half = driver.get_object("c", "a/half").await.unwrap();
    assert_eq!(read(&driver, &half).await.unwrap(), "old");
    assert_eq!(driver.list_containers().await.unwrap().len(), 1);

    put(&open(folder.path()).unwrap(), "a/half", "new").await.unwrap();
    assert_eq!(read(&driver, &half).await.unwrap(), "new");
    assert!(unfinished(folder.path()).is_empty(), "what the dead process left is swept up");
    for object in driver.list_container_objects(&container).await.unwrap() {
        driver.delete_object(&object).await.unwrap();
    }
    driver.delete_container(&container).await.unwrap();
}
