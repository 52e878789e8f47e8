//! Containers, objects and transfers.

use serde_json::json;

use crate::{Home, arg, stderr};

/// A home whose dummy cloud has the container `box`.
fn with_box() -> Home {
    let home = Home::new();
    home.libcloud(&["storage", "containers", "create", "box"]).assert().success();
    home
}

fn names(home: &Home, address: &str) -> Vec<String> {
    let listed = home.json(&["storage", "ls", address]);
    listed.as_array().unwrap().iter().map(|object| object["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn containers_are_made_listed_shown_and_deleted() {
    let home = with_box();
    assert_eq!(home.json(&["storage", "containers", "list"])[0]["name"], "box");
    assert_eq!(home.json(&["storage", "ls"])[0]["name"], "box");
    assert_eq!(home.json(&["storage", "containers", "show", "box"])["name"], "box");
    home.libcloud(&["storage", "cp", "-", ":box/a"]).write_stdin("x").assert().success();
    assert!(home.fails(5, &["storage", "containers", "delete", "box", "-y"]).contains("holds objects"));
    assert_eq!(home.json(&["storage", "rm", "box/a", "-y"]), json!(true));
    assert_eq!(home.json(&["storage", "containers", "delete", "box", "-y"]), json!(true));
    assert_eq!(home.json(&["storage", "ls"]), json!([]));
}

#[test]
fn an_object_is_put_shown_got_and_deleted() {
    let home = with_box();
    let file = home.file("cat.txt", "0123456789");
    let put = ["storage", "objects", "put", "box/pets/", arg(&file)];
    let made = home.json(&[&put[..], &["--meta", "author=Ada", "--content-type", "text/x-cat"]].concat());
    assert_eq!((&made["name"], &made["size"]), (&json!("pets/cat.txt"), &json!(10)));
    let shown = home.json(&["storage", "objects", "show", "box/pets/cat.txt"]);
    assert_eq!(
        (&shown["meta_data"]["author"], &shown["content_type"]),
        (&json!("Ada"), &json!("text/x-cat"))
    );
    assert!(home.fails(5, &[&put[..], &["--if-absent"]].concat()).contains("exists already"));

    let get = ["storage", "objects", "get", "box/pets/cat.txt"];
    let out = home.path("out.txt");
    home.libcloud(&[&get[..], &[arg(&out)]].concat()).assert().success();
    assert_eq!(std::fs::read(&out).unwrap(), b"0123456789");
    assert!(home.fails(5, &[&get[..], &[arg(&out)]].concat()).contains("--overwrite"));
    home.libcloud(&[&get[..], &[arg(&out), "--overwrite", "--range", "2-4"]].concat()).assert().success();
    assert_eq!(std::fs::read(&out).unwrap(), b"23");
    assert_eq!(home.text(&[&get[..], &["-", "--range", "8-"]].concat()), "89");

    let listed = home.json(&["storage", "objects", "list", "box", "--prefix", "pets/"]);
    assert_eq!(listed[0]["hash"], shown["hash"]);
    home.libcloud(&["storage", "objects", "delete", "box/pets/cat.txt", "-y"]).assert().success();
    assert!(home.fails(4, &["storage", "objects", "show", "box/pets/cat.txt"]).contains("pets/cat.txt"));
}

#[test]
fn listings_have_a_beginning() {
    let home = with_box();
    for name in ["a/1", "a/2", "b"] {
        home.libcloud(&["storage", "cp", "-", &format!("box/{name}")]).write_stdin("x").assert().success();
    }
    assert_eq!(names(&home, "box"), ["a/1", "a/2", "b"]);
    assert_eq!(names(&home, "dummy:box/a/"), ["a/1", "a/2"]);
    assert_eq!(home.json(&["storage", "ls", "box", "--prefix", "b"])[0]["name"], "b");
    home.fails(2, &["storage", "ls", "box/a", "--prefix", "b"]);
    home.fails(4, &["storage", "ls", "none"]);
}

#[test]
fn pipes_are_copied_both_ways() {
    let home = with_box();
    let bytes: Vec<u8> = (0..=255).cycle().take(700_000).collect();
    home.libcloud(&["storage", "cp", "-", "dummy:box/bytes"])
        .write_stdin(bytes.clone())
        .assert()
        .success()
        .stdout("- is copied to dummy:box/bytes, 683.59 KiB\n");
    for args in [&["storage", "cat", "box/bytes"][..], &["storage", "cp", "box/bytes", "-"]] {
        let assert = home.libcloud(args).assert().success().stderr("");
        assert!(assert.get_output().stdout == bytes, "{args:?}");
    }
}

#[test]
fn a_file_is_copied_both_ways() {
    let home = with_box();
    home.file("cat.html", "meow");
    let done = home.json(&["storage", "cp", "cat.html", "dummy:box/page"]);
    assert_eq!(done, json!({"from": "cat.html", "to": "dummy:box/page", "size": 4}));
    // Guessed from the file, as the object's name has no ending.
    assert_eq!(home.json(&["storage", "objects", "show", "box/page"])["content_type"], "text/html");
    std::fs::create_dir(home.path("down")).unwrap();
    home.libcloud(&["storage", "cp", "dummy:box/page", "down"]).assert().success();
    assert_eq!(std::fs::read(home.path("down/page")).unwrap(), b"meow");
    assert!(home.fails(5, &["storage", "cp", "dummy:box/page", "down"]).contains("--overwrite"));
    home.libcloud(&["storage", "cp", "dummy:box/page", "down", "--overwrite"]).assert().success();
    assert!(home.fails(4, &["storage", "cp", "dummy:box/none", "x"]).contains("none"));
    assert!(!home.path("x").exists());
    assert!(home.fails(1, &["storage", "cp", "none", "dummy:box/none"]).contains("none"));
    assert!(home.fails(2, &["storage", "cp", "down", "dummy:box"]).contains("--recursive"));
}

#[test]
fn a_folder_is_copied_up_across_and_down() {
    let home = with_box();
    for (name, text) in [("site/index.html", "i"), ("site/css/a.css", "aa"), ("site/ä b.txt", "ccc")] {
        home.file(name, text);
    }
    let done = home.json(&["storage", "cp", "-r", "site", "dummy:box/web"]);
    assert_eq!(done.as_array().unwrap().len(), 3);
    assert_eq!(names(&home, "box"), ["web/css/a.css", "web/index.html", "web/ä b.txt"]);
    home.libcloud(&["storage", "containers", "create", "old"]).assert().success();
    home.libcloud(&["storage", "cp", "-r", "dummy:box/web", "dummy:old"])
        .assert()
        .success()
        .stdout("3 copied, 6 B\n");
    let types = home.json(&["storage", "ls", "old"]);
    assert_eq!(types[0]["content_type"], "text/css");
    home.libcloud(&["storage", "cp", "-r", "dummy:old", "down/here"]).assert().success();
    assert_eq!(std::fs::read(home.path("down/here/css/a.css")).unwrap(), b"aa");
    assert_eq!(std::fs::read(home.path("down/here/ä b.txt")).unwrap(), b"ccc");

    home.libcloud(&["storage", "rm", "-r", "-y", "box/web", "old"]).assert().success();
    assert!(names(&home, "box").is_empty() && names(&home, "old").is_empty());
    home.fails(4, &["storage", "rm", "-r", "-y", "box/web"]);
}

#[test]
fn a_listing_shows_folders_and_sizes_for_people() {
    let home = with_box();
    for (name, size) in [("a.txt", 1), ("2024/b.txt", 2000), ("2024/c.txt", 1)] {
        home.file(&format!("up/{name}"), "x".repeat(size));
    }
    home.libcloud(&["storage", "cp", "-r", "up", "dummy:box"]).assert().success();
    let level = home.json(&["storage", "ls", "box", "--delimiter", "/"]);
    assert_eq!((&level[0]["prefix"], &level[0].get("size")), (&"2024/".into(), &None));
    assert_eq!((&level[1]["name"], &level[1]["size"]), (&"a.txt".into(), &1.into()));
    let below = home.json(&["storage", "ls", "box/2024/", "--delimiter", "/"]);
    assert_eq!(below.as_array().unwrap().len(), 2);
    let table = home.libcloud(&["storage", "ls", "box/2024/b", "--human"]).assert().success();
    let table = String::from_utf8(table.get_output().stdout.clone()).unwrap();
    assert!(table.contains("1.95 KiB"), "{table}");
    // A program gets the number.
    assert_eq!(home.json(&["storage", "ls", "box/2024/b", "--human"])[0]["size"], 2000);
    assert!(home.fails(2, &["storage", "ls", "--delimiter", "/"]).contains("--delimiter"));
}

#[test]
fn uploads_in_parts_are_not_everywhere() {
    let home = with_box();
    assert!(home.fails(7, &["storage", "uploads", "list", "box"]).contains("keeps no uploads"));
    assert!(
        home.fails(7, &["storage", "uploads", "abort", "box/a", "id", "-y"]).contains("keeps no uploads")
    );
    home.fails(2, &["storage", "uploads", "abort", "box/a", "-y"]);
}

#[test]
fn patterns_choose_what_is_copied_and_deleted() {
    let home = with_box();
    for name in ["a.jpg", "a.txt", "2024/b.jpg", "2024/b.tmp"] {
        home.file(&format!("up/{name}"), name);
    }
    home.libcloud(&["storage", "cp", "-r", "up", "dummy:box", "--exclude", "*.tmp"]).assert().success();
    assert_eq!(names(&home, "box"), ["2024/b.jpg", "a.jpg", "a.txt"]);
    home.libcloud(&["storage", "cp", "-r", "dummy:box", "down", "--include", "2024/**"]).assert().success();
    assert!(home.path("down/2024/b.jpg").exists() && !home.path("down/a.jpg").exists());
    home.libcloud(&["storage", "rm", "-r", "-y", "box", "--include", "*.jpg"]).assert().success();
    assert_eq!(names(&home, "box"), ["a.txt"]);
    assert!(home.fails(2, &["storage", "rm", "-y", "box/a.txt", "--include", "*"]).contains("--recursive"));
    assert!(home.fails(2, &["storage", "rm", "-r", "-y", "box", "--include", "[a"]).contains("--include"));
}

#[test]
fn what_fails_of_several_is_told_and_the_rest_is_done() {
    let home = with_box();
    home.file("up/a", "a");
    home.file("up/b", "b");
    home.libcloud(&["storage", "cp", "-r", "up", "dummy:box"]).assert().success();
    home.file("down/a", "mine");
    let assert = home.libcloud(&["storage", "cp", "-r", "dummy:box", "down"]).assert().code(8);
    let assert = assert.stdout("1 copied, 1 B, 1 failed\n");
    let told = stderr(&assert);
    assert!(told.starts_with("error: dummy:box/a to down/a:") && told.lines().count() == 1, "{told}");
    assert_eq!(std::fs::read(home.path("down/a")).unwrap(), b"mine");
    assert_eq!(std::fs::read(home.path("down/b")).unwrap(), b"b");

    let assert = home.libcloud(&["storage", "rm", "-y", "box/none", "box/a"]).assert().code(8);
    assert!(stderr(&assert).contains("none"));
    assert_eq!(names(&home, "box"), ["b"]);
}

#[test]
fn no_name_leads_out_of_the_destination() {
    let home = with_box();
    for name in ["../up", "/abs", "a/../../b", "x//y", "good"] {
        let address = format!("dummy:box/{name}");
        home.libcloud(&["storage", "cp", "-", &address]).write_stdin("x").assert().success();
    }
    let assert = home.libcloud(&["storage", "cp", "-r", "dummy:box", "in/down"]).assert().code(8);
    assert_eq!(stderr(&assert).lines().count(), 4);
    let mut found: Vec<_> = std::fs::read_dir(home.path("in"))
        .unwrap()
        .chain(std::fs::read_dir(home.path("in/down")).unwrap())
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    found.sort();
    assert_eq!(found, ["down", "good"]);
    // A single one into a folder, too.
    home.libcloud(&["storage", "cp", "dummy:box/../up", "in/down"]).assert().success();
    assert!(home.path("in/down/up").exists() && !home.path("in/up").exists());
}

#[test]
fn dry_copies_change_nothing() {
    let home = with_box();
    home.file("up/a", "a");
    let shown = home.json(&["storage", "cp", "-r", "up", "dummy:box", "--dry-run"]);
    assert_eq!(shown, json!([{"would_call": "copy", "from": "up/a", "to": "dummy:box/a"}]));
    home.json(&["storage", "cp", "up/a", "dummy:box", "--dry-run"]);
    home.json(&["storage", "objects", "put", "box/a", "up/a", "--dry-run"]);
    assert!(names(&home, "box").is_empty());
    home.libcloud(&["storage", "cp", "up/a", "dummy:box"]).assert().success();
    home.json(&["storage", "rm", "box/a", "--dry-run"]);
    home.json(&["storage", "objects", "get", "box/a", "x", "--dry-run"]);
    home.json(&["storage", "cp", "-r", "dummy:box", "y", "--dry-run"]);
    assert_eq!(names(&home, "box"), ["a"]);
    assert!(!home.path("x").exists() && !home.path("y").exists());
}

#[test]
fn an_address_may_name_a_profile_with_a_cloud_of_its_own() {
    let home = with_box();
    let config = home.file(
        "config/libcloud/config.toml",
        "[profiles.other]\nprovider = \"dummy\"\noptions = { state_file = \"other.json\" }\n",
    );
    assert!(config.exists());
    home.libcloud(&["--profile", "other", "storage", "containers", "create", "there"]).assert().success();
    home.libcloud(&["storage", "cp", "-", "box/a"]).write_stdin("across").assert().success();
    let done = home.json(&["storage", "cp", "box/a", "other:there/b"]);
    assert_eq!(done["size"], 6);
    assert_eq!(home.text(&["storage", "cat", "other:there/b"]), "across");
    assert_eq!(names(&home, "other:there"), ["b"]);
    home.fails(4, &["storage", "cat", "box/b"]);

    // Without --provider nobody knows whose they are.
    let mut command = home.bare();
    command.args(["storage", "cp", "dummy:box/a", "other:there/c", "--key", "canary"]);
    let assert = command.assert().code(2);
    assert!(stderr(&assert).contains("whose are the credentials"), "{}", stderr(&assert));
}

#[test]
fn folders_go_from_one_provider_to_another_and_back() {
    let home = with_box();
    std::fs::create_dir(home.path("disk")).unwrap();
    home.file("config/libcloud/config.toml", "[profiles.disk]\nprovider = \"local\"\nkey = \"disk\"\n");
    home.file("up/a/1.txt", "one");
    home.file("up/2.bin", [0, 255, 10]);
    let silent = |args: &[&str]| {
        home.libcloud(&[&["storage"], args].concat()).assert().success().stderr("");
    };
    // `local` is the provider of one profile alone, which is then taken.
    home.libcloud(&[
        "--quiet",
        "--provider",
        "local",
        "--key",
        "disk",
        "storage",
        "containers",
        "create",
        "box",
    ])
    .assert()
    .success();
    silent(&["cp", "-r", "up", "dummy:box"]);
    silent(&["cp", "-r", "dummy:box", "local:box/copy"]);
    assert_eq!(std::fs::read(home.path("disk/box/copy/a/1.txt")).unwrap(), b"one");
    silent(&["cp", "-r", "disk:box/copy", "dummy:box/back"]);
    assert_eq!(names(&home, "box/back/"), ["back/2.bin", "back/a/1.txt"]);
    home.libcloud(&["storage", "cat", "disk:box/copy/2.bin"]).assert().stdout(vec![0, 255, 10]);
}

#[test]
fn copies_that_make_no_sense_are_explained() {
    let home = with_box();
    home.libcloud(&["storage", "cp", "-", "box/a"]).write_stdin("x").assert().success();
    for (args, expected) in [
        (&["cp", "dummy:box/a", "dummy:box"][..], "the same object"),
        (&["cp", "-r", "dummy:box", "dummy:box/copy"], "is within"),
        (&["cp", "-r", "-", "dummy:box/copy"], "--recursive copies a folder"),
        (&["cp", "-", "dummy:box"], "names no object"),
        (&["cp", "dummy:box", "x"], "names no object"),
        (&["cat", "box"], "names no object"),
        (&["cat", "/box"], "names no container"),
    ] {
        let error = home.fails(2, &[&["storage"], args].concat());
        assert!(error.contains(expected), "{args:?}: {error}");
    }
    let mut command = home.bare();
    let assert = command.args(["storage", "cp", "a", "b"]).assert().code(2);
    assert!(stderr(&assert).contains("write provider:container/name"));
    assert!(home.fails(4, &["storage", "cp", "-r", "dummy:box/none", "x"]).contains("none"));
}

#[test]
fn urls_are_given_out() {
    let home = with_box();
    home.libcloud(&["storage", "cp", "-", "box/a b"]).write_stdin("x").assert().success();
    let url = home.text(&["storage", "presign", "box/a b", "--expires", "15m"]);
    assert_eq!(url, "https://cdn.example.com/box/a%20b\n");
    assert_eq!(home.json(&["storage", "presign", "box/a b"]), json!("https://cdn.example.com/box/a%20b"));
    home.fails(2, &["storage", "presign", "box/a b", "--expires", "soon"]);
}
