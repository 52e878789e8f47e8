//! Transfers of the program that are killed, against Ceph. Between the two stands a proxy that holds a request back: when it
//! has come to it, the transfer is at this stage and cannot go on, and is killed. Once the same command has run again, there is
//! neither a half object nor a half file, nothing that was begun and not ended, and no trace in the home folder.

#![expect(clippy::panic, clippy::unwrap_used, reason = "tests fail by panicking")]

mod ceph;

use std::env::var;
use std::process::Stdio;
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use ceph::{Home, content};
use libcloud_testkit::{Door, FaultProxy};
use serde_json::{Value, json};

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// Of which requests one is held back, and how.
type Stage = Box<dyn FnMut(&str) -> Option<Door> + Send>;

/// The way from the program to the server.
struct Way {
    proxy: FaultProxy,
    stage: Arc<Mutex<Option<Stage>>>,
    held: mpsc::Receiver<()>,
}

impl Way {
    fn new() -> Self {
        let endpoint = var("CEPH_S3_ENDPOINT").unwrap();
        let address = endpoint.strip_prefix("http://").unwrap().trim_end_matches('/').parse().unwrap();
        let stage: Arc<Mutex<Option<Stage>>> = Arc::default();
        let (holds, held) = mpsc::channel();
        let shared = Arc::clone(&stage);
        let proxy = FaultProxy::deciding(address, move |_, asked| {
            let mut stage = shared.lock().unwrap();
            let Some(door) = stage.as_mut().and_then(|stage| stage(asked)) else { return Door::Pass };
            // All others pass.
            *stage = None;
            holds.send(()).unwrap();
            door
        });
        Self { proxy, stage, held }
    }

    /// Runs the program to its end; what it says.
    fn run(&self, home: &Home, args: &[&str]) -> Value {
        let url = self.proxy.url();
        let output = home.program().env("LIBCLOUD_ENDPOINT", url.as_str()).args(args).assert().success();
        serde_json::from_slice(&output.get_output().stdout).unwrap()
    }

    /// Runs it until the request of this stage is held and the server shows what it is to show then, and kills it.
    fn kill(&self, home: &Home, args: &[&str], stage: Stage, mut shows: impl FnMut() -> bool) {
        *self.stage.lock().unwrap() = Some(stage);
        let made = home.program();
        let mut command = std::process::Command::new(assert_cmd::cargo::cargo_bin("libcloud"));
        command
            .env_clear()
            .current_dir(home.folder())
            .args(args)
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        command.envs(made.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let mut running = command.env("LIBCLOUD_ENDPOINT", self.proxy.url().as_str()).spawn().unwrap();
        if self.held.recv_timeout(PATIENCE).is_err() {
            running.kill().unwrap();
            let output = running.wait_with_output().unwrap();
            panic!("it did not come so far: {}", String::from_utf8_lossy(&output.stderr));
        }
        // Asking takes its time.
        assert!((0..200).any(|_| shows()), "the server does not show it");
        assert_eq!(running.try_wait().unwrap(), None, "it was not held");
        running.kill().unwrap();
        running.wait().unwrap();
    }
}

/// Holds the first request whose method, path and query this takes.
fn first(holds: impl Fn(&str) -> bool + Send + 'static, door: Door) -> Stage {
    nth(1, holds, door)
}

fn nth(number: usize, holds: impl Fn(&str) -> bool + Send + 'static, door: Door) -> Stage {
    let mut count = 0;
    Box::new(move |asked| {
        count += usize::from(holds(asked));
        (count == number).then(|| door.clone())
    })
}

/// How many uploads in parts the server knows of that were begun and not ended.
fn uploads(home: &Home, container: &str) -> usize {
    home.run(&["storage", "uploads", "list", container]).as_array().unwrap().len()
}

fn names(home: &Home, container: &str) -> Vec<String> {
    let listed = home.run(&["storage", "ls", container]);
    listed.as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect()
}

/// What is in the home folder, whatever its name.
fn left(home: &Home) -> Vec<String> {
    home.files("").into_iter().map(|(name, _)| name).collect()
}

#[test]
fn an_upload_in_parts() {
    let home = Home::new();
    let way = Way::new();
    // Three parts.
    let content = content(20 << 20);
    home.write("up.bin", &content);
    let container = home.container("kill-parts");
    let (object, name) = (format!("{container}/large.bin"), "large.bin");
    let copy = ["storage", "cp", "up.bin", object.as_str()];
    let begins = |asked: &str| asked.starts_with("POST") && asked.contains("?uploads");
    let sends = |asked: &str| asked.starts_with("PUT") && asked.contains("partNumber=");
    let completes = |asked: &str| asked.starts_with("POST") && asked.contains("uploadId=");
    let stages: [(&str, Stage, usize); 8] = [
        ("before it begins", first(begins, Door::Hold), 0),
        // Nobody but the server knows the upload's id.
        ("it has begun", first(begins, Door::HoldAnswer), 1),
        ("before its first part", first(sends, Door::Hold), 1),
        ("within a part", nth(2, sends, Door::StallUp(1 << 20)), 1),
        ("with a part", nth(2, sends, Door::HoldAnswer), 1),
        ("within the last part", nth(3, sends, Door::StallUp(100_000)), 1),
        ("before its end", first(completes, Door::Hold), 1),
        ("at its end", first(completes, Door::HoldAnswer), 0),
    ];
    for (what, stage, begun) in stages {
        let done = what == "at its end";
        way.kill(&home, &copy, stage, || {
            uploads(&home, &container) == begun && names(&home, &container).is_empty() != done
        });
        way.run(&home, &copy);
        assert_eq!(uploads(&home, &container), 0, "{what}");
        assert_eq!(names(&home, &container), [name], "{what}");
        let read = home.program().args(["storage", "cat", &object]).assert().success();
        assert!(read.get_output().stdout == content, "{what}: other bytes");
        assert_eq!(left(&home), ["up.bin"], "{what}");
        home.run(&["storage", "rm", &object, "--yes"]);
    }

    // The run that is to clean up is killed, too.
    way.kill(&home, &copy, nth(2, sends, Door::Hold), || uploads(&home, &container) == 1);
    let aborts = |asked: &str| asked.starts_with("DELETE") && asked.contains("uploadId=");
    way.kill(&home, &copy, first(aborts, Door::Hold), || uploads(&home, &container) == 1);
    way.kill(&home, &copy, first(aborts, Door::HoldAnswer), || uploads(&home, &container) == 0);
    way.run(&home, &copy);
    assert_eq!((uploads(&home, &container), names(&home, &container)), (0, vec![name.to_owned()]));
    assert_eq!(left(&home), ["up.bin"]);
    home.delete(&container);
}

#[test]
fn an_upload_in_one_request() {
    let home = Home::new();
    let way = Way::new();
    let (old, new) = (content(100), content(5 << 20));
    home.write("old.bin", &old);
    home.write("new.bin", &new);
    let container = home.container("kill-one");
    let object = format!("{container}/one.bin");
    let read =
        || home.program().args(["storage", "cat", &object]).assert().success().get_output().stdout.clone();
    home.run(&["storage", "cp", "old.bin", &object]);
    let copy = ["storage", "cp", "new.bin", object.as_str()];
    let sends = |asked: &str| asked.starts_with("PUT");
    way.kill(&home, &copy, first(sends, Door::Hold), || true);
    assert!(read() == old);
    way.kill(&home, &copy, first(sends, Door::StallUp(1 << 20)), || true);
    assert!(read() == old, "it was replaced by a half");
    way.kill(&home, &copy, first(sends, Door::HoldAnswer), || read() == new);
    way.run(&home, &copy);
    assert!(read() == new);
    assert_eq!(left(&home), ["new.bin", "old.bin"]);
    home.delete(&container);
}

#[test]
fn a_download() {
    let home = Home::new();
    let way = Way::new();
    // Pieces that come beside each other.
    let content = content(20 << 20);
    let container = home.container("kill-down");
    let object = format!("{container}/large.bin");
    home.program().args(["storage", "cp", "-", &object]).write_stdin(content.clone()).assert().success();
    let copy = ["storage", "cp", object.as_str(), "down.bin"];
    let asks = |asked: &str| asked.starts_with("HEAD");
    let gets = |asked: &str| asked.starts_with("GET");
    let stages: [(&str, Stage); 5] = [
        ("before it is known", first(asks, Door::Hold)),
        ("before it comes", first(gets, Door::Hold)),
        ("at its beginning", first(gets, Door::StallDown(100_000))),
        ("in its first piece", first(gets, Door::StallDown(3 << 20))),
        ("in a later piece", nth(2, gets, Door::StallDown(3 << 20))),
    ];
    for (what, stage) in stages {
        way.kill(&home, &copy, stage, || true);
        assert!(!home.path("down.bin").exists(), "{what}: half a file");
        way.run(&home, &copy);
        assert_eq!(left(&home), ["down.bin"], "{what}");
        assert!(std::fs::read(home.path("down.bin")).unwrap() == content, "{what}: other bytes");
        std::fs::remove_file(home.path("down.bin")).unwrap();
    }

    // A file that is there stays what it is until it is replaced.
    home.write("down.bin", "old");
    let replace = [&copy[..], &["--overwrite"]].concat();
    way.kill(&home, &replace, first(gets, Door::StallDown(3 << 20)), || true);
    assert_eq!(std::fs::read(home.path("down.bin")).unwrap(), b"old");
    way.run(&home, &replace);
    assert!(std::fs::read(home.path("down.bin")).unwrap() == content);
    assert_eq!(left(&home), ["down.bin"]);
    home.delete(&container);
}

#[test]
fn a_folder_up_and_down() {
    let home = Home::new();
    let way = Way::new();
    for number in 0..12 {
        home.write(&format!("up/{}/{number}", number % 3), content(number * 10_000));
    }
    home.write("up/large.bin", content(9 << 20));
    let container = home.container("kill-folder");
    let there = format!(":{container}/");
    let up = ["storage", "cp", "-r", "up", there.as_str(), "--jobs", "2"];
    let down = ["storage", "cp", "-r", there.as_str(), "down", "--jobs", "2", "--overwrite"];
    let puts = |asked: &str| asked.starts_with("PUT");
    for (number, door) in [(5, Door::Hold), (9, Door::StallUp(20_000)), (14, Door::StallUp(1 << 20))] {
        way.kill(&home, &up, nth(number, puts, door), || true);
        for (name, content) in home.files("up") {
            // What is there is whole.
            let found =
                home.program().args(["storage", "cat", &format!("{container}/{name}")]).output().unwrap();
            assert!(!found.status.success() || found.stdout == content, "{name}");
        }
        way.run(&home, &up);
        assert_eq!(uploads(&home, &container), 0);
    }
    let gets = |asked: &str| asked.starts_with("GET") && !asked.contains("list-type");
    for (number, door) in [(1, Door::Hold), (6, Door::StallDown(20_000)), (13, Door::StallDown(100_000))] {
        way.kill(&home, &down, nth(number, gets, door), || true);
        way.run(&home, &down);
        assert!(home.files("down") == home.files("up"), "another tree came back");
    }
    let copied = way.run(&home, &["storage", "uploads", "list", &container]);
    assert_eq!(copied, json!([]));
    assert_eq!(left(&home).len(), 2 * home.files("up").len());
    home.delete(&container);
}
