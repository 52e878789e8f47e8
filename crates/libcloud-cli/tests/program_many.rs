//! Many small objects, and objects of odd names, through the program, against Ceph.

#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

mod ceph;

use std::env::var;
use std::path::{Component, Path};

use ceph::{Home, content};
use libcloud_testkit::suite::Storage;

/// How many small files there are: more than a page of a listing. `LIBCLOUD_TEST_FILES` says another number.
fn how_many() -> usize {
    var("LIBCLOUD_TEST_FILES").map_or(2_000, |number| number.parse().unwrap())
}

#[test]
fn many_small_files_go_up_and_come_back() {
    let home = Home::new();
    let count = how_many();
    let all = content(4096 + count);
    for number in 0..count {
        // Of different sizes and contents, some of them empty.
        let size = number * 7 % 4097;
        home.write(&format!("up/{:02}/file {number:04}.bin", number / 100), &all[number..number + size]);
    }
    let container = home.container("many");
    let there = format!(":{container}/");
    let copied = home.run(&["storage", "cp", "-r", "up", &there, "--jobs", "32"]);
    assert_eq!(copied.as_array().unwrap().len(), count);
    home.run(&["storage", "cp", "-r", &there, "down", "--jobs", "32"]);
    let (up, down) = (home.files("up"), home.files("down"));
    assert_eq!(up.len(), count);
    assert!(down == up, "another tree came back");
    home.delete(&container);
}

/// Names that are no paths, or lead elsewhere, or suffer where they are encoded by halves.
fn odd_names() -> Vec<String> {
    let more = [
        "../../outside",
        "/etc/passwd",
        "s3:x",
        "-",
        "--help",
        "\u{fc}",
        "u\u{308}",
        "日本語/🦀",
        "\u{a0}",
        "line\nfeed",
    ];
    let mut names: Vec<String> =
        Storage::ODD_NAMES.iter().chain(&more).map(|name| (*name).to_owned()).collect();
    names.push(
        ["x".repeat(204), "y".repeat(204), "z".repeat(204), "ü".repeat(102), "a".repeat(204)].join("/"),
    );
    assert_eq!(names.last().unwrap().len(), 1024);
    names
}

/// Whether a file can have this name in a folder.
fn is_path(name: &str) -> bool {
    let plain = |part: &str| Path::new(part).components().eq([Component::Normal(part.as_ref())]);
    name.split('/').all(|part| !part.is_empty() && plain(part))
}

#[test]
fn odd_names_come_back_and_never_leave_the_folder() {
    let home = Home::new();
    let container = home.container("odd");
    let mut names = odd_names();
    for name in &names {
        let to = format!("{container}/{name}");
        home.program().args(["storage", "cp", "-", &to]).write_stdin(name.as_bytes()).assert().success();
    }
    names.sort();
    let listed = home.run(&["storage", "ls", &container]);
    let listed: Vec<_> = listed.as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap()).collect();
    assert_eq!(listed, names);
    for name in &names {
        let from = format!("{container}/{name}");
        let read = home.program().args(["storage", "cat", &from]).assert().success();
        assert_eq!(read.get_output().stdout, name.as_bytes(), "{name:?}");
        home.run(&["storage", "cp", &from, "one"]);
        assert_eq!(std::fs::read(home.path("one")).unwrap(), name.as_bytes(), "{name:?}");
        std::fs::remove_file(home.path("one")).unwrap();
    }

    // What is no path in the folder is refused, and told; all else comes.
    let down =
        home.program().args(["storage", "cp", "-r", &format!(":{container}/"), "in/side/down"]).assert();
    let told = String::from_utf8(down.code(8).get_output().stderr.clone()).unwrap();
    let refused: Vec<_> = names.iter().filter(|name| !is_path(name)).collect();
    assert_eq!(told.lines().count(), refused.len(), "{told}");
    assert_eq!(told.matches("is not written into in/side/down").count(), refused.len(), "{told}");
    let files = home.files("in/side/down");
    let mut came: Vec<(String, Vec<u8>)> =
        names.iter().filter(|name| is_path(name)).map(|name| (name.clone(), name.clone().into())).collect();
    came.sort();
    assert_eq!(files, came);
    // Nothing beside it: the names would have led to all of these places.
    assert_eq!(home.files("in").len(), came.len());
    assert_eq!(std::fs::read_dir(home.path("in")).unwrap().count(), 1);

    // As a folder they go up again under the same names.
    let again = format!("{container}-again");
    home.run(&["storage", "containers", "create", &again]);
    home.run(&["storage", "cp", "-r", "in/side/down", &format!(":{again}/")]);
    let listed = home.run(&["storage", "ls", &again]);
    let listed: Vec<_> = listed.as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap()).collect();
    assert_eq!(listed, came.iter().map(|(name, _)| name).collect::<Vec<_>>());
    home.delete(&again);

    for name in &names {
        home.run(&["storage", "rm", &format!("{container}/{name}"), "--yes"]);
    }
    home.run(&["storage", "containers", "delete", &container, "--yes"]);
}
