//! The program on S3, against Ceph, which verifies signatures.

mod ceph;

use ceph::{Home, content};

#[test]
fn a_file_goes_up_and_comes_back() {
    let home = Home::new();
    let content = content(3_000_000);
    home.write("up.bin", &content);
    let container = home.container("program");
    let object = format!("{container}/a folder/ü+%.bin");

    home.run(&["storage", "cp", "up.bin", &object]);
    let listed = home.run(&["storage", "ls", &container]);
    assert_eq!((&listed[0]["name"], &listed[0]["size"]), (&"a folder/ü+%.bin".into(), &3_000_000.into()));
    home.run(&["storage", "cp", &object, "down.bin"]);
    assert_eq!(std::fs::read(home.path("down.bin")).unwrap(), content);

    let cat = home.program().args(["storage", "cat", &object]).assert().success();
    assert_eq!(cat.get_output().stdout, content);
    let full = home.program().args(["storage", "containers", "delete", &container, "--yes"]).assert();
    full.code(5);
    home.run(&["storage", "rm", &object, "--yes"]);
    home.run(&["storage", "containers", "delete", &container, "--yes"]);
    home.program().args(["storage", "cp", &object, "gone.bin"]).assert().code(4);
    assert!(!home.path("gone.bin").exists());
}

#[test]
fn a_wrong_secret_has_its_exit_status() {
    let home = Home::new();
    let refused = home
        .program()
        .env("LIBCLOUD_SECRET", "wrong")
        .args(["storage", "containers", "list"])
        .assert()
        .code(3);
    assert!(refused.get_output().stdout.is_empty());
}
