//! Profiles and the file that they are in.

use predicates::prelude::*;
use serde_json::{Value, json};

use crate::{Home, arg};

#[cfg(unix)]
fn mode(path: &std::path::Path) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// A configuration that its owner alone can read.
fn configure(home: &Home, text: &str) {
    let path = home.file("config/libcloud/config.toml", text);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
    let _ = path;
}

#[test]
fn init_writes_examples_once_and_for_its_owner_alone() {
    let home = Home::new();
    let path = home.path("config/libcloud/config.toml");
    assert_eq!(home.text(&["config", "path"]), format!("{}\n", path.display()));
    assert_eq!(home.json(&["config", "path"])["exists"], false);
    home.libcloud(&["config", "init", "--dry-run"]).assert().success();
    assert!(!path.exists());
    home.libcloud(&["config", "init"]).assert().success();
    #[cfg(unix)]
    assert_eq!(mode(&path), 0o600);
    assert_eq!(home.json(&["config", "show"]), json!([]));
    std::fs::write(&path, "# mine\n").unwrap();
    assert!(home.fails(5, &["config", "init"]).contains("exists already"));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "# mine\n");
}

#[test]
fn a_profile_gives_provider_account_and_options() {
    let home = Home::new();
    let state = home.path("lab.json");
    configure(
        &home,
        &format!(
            "[profiles.lab]\nprovider = \"dummy\"\nkey = \"5\"\noptions = {{ state_file = {state:?} }}\n"
        ),
    );
    let list = ["--profile", "lab", "compute", "nodes", "list", "--format", "jsonl"];
    let five = predicate::function(|text: &str| text.lines().count() == 5);
    home.bare().args(list).assert().success().stdout(five);
    assert!(state.exists());

    // The command line goes before the environment, and both before the profile.
    let count = |command: &mut assert_cmd::Command| {
        let output = command.assert().success();
        String::from_utf8_lossy(&output.get_output().stdout).lines().count()
    };
    let other = |name: &str| format!("state_file={}", home.path(name).display());
    let by_environment =
        count(home.bare().args(list).args(["--option", &other("1")]).env("LIBCLOUD_KEY", "4"));
    let by_argument =
        count(home.bare().args(list).args(["--option", &other("2"), "--key", "3"]).env("LIBCLOUD_KEY", "4"));
    assert_eq!((by_environment, by_argument), (4, 3));
}

#[test]
fn a_wrong_profile_is_explained() {
    let home = Home::new();
    configure(&home, "[profiles.a]\nprovider = \"ec2\"\n[profiles.b]\n");
    let list = ["compute", "nodes", "list"];
    let fails = |args: &[&str], expected: &str| {
        let contains = predicate::str::contains(expected);
        home.bare().args(args).args(list).assert().code(2).stdout("").stderr(contains);
    };
    fails(&[], "--provider, --profile or LIBCLOUD_PROVIDER");
    fails(&["--profile", "c"], "has no profile `c`; there are a, b");
    fails(&["--profile", "b"], "which provider?");
    // Nothing of one provider's account goes to another.
    fails(&["--profile", "a", "--provider", "dummy"], "the profile is of `ec2`");
}

#[test]
fn a_broken_file_is_an_error_with_its_place() {
    let home = Home::new();
    for (text, place) in [
        ("[profiles.a]\nprovider = \"dummy\"\n  regoin = \"x\"\n", "config.toml:3:3: unknown field `regoin`"),
        ("[profiles.a]\nsecret = \"canary\nkey = 1\n", "config.toml:2:"),
        ("[profiles.a]\nsecret = 4711\n", "config.toml:2:10: expected a text in quotes"),
    ] {
        configure(&home, text);
        let error = home.fails(2, &["config", "show"]);
        assert!(error.contains(place), "{error}");
        assert!(!error.contains("canary") && !error.contains("4711"), "{error}");
    }
    // What does not need a profile works none the less.
    assert_eq!(home.nodes().len(), 2);
    let nowhere = home.path("nowhere.toml");
    let mut command = home.libcloud(&["config", "show"]);
    command.env("LIBCLOUD_CONFIG", &nowhere);
    command.assert().code(1).stderr(predicate::str::contains(arg(&nowhere)));
}

#[test]
fn no_format_shows_a_profiles_secrets() {
    let home = Home::new();
    configure(
        &home,
        "[profiles.a]\nprovider = \"ec2\"\nkey = \"canary\"\nsecret = \"canary\"\n\
         options = { token = \"canary\" }\n",
    );
    for format in ["table", "json", "jsonl", "csv"] {
        for args in [&["config", "show"][..], &["config", "show", "a"]] {
            let shown = home.text(&[args, &["--format", format]].concat());
            assert!(shown.contains("•••") && !shown.contains("canary"), "{format}: {shown}");
        }
    }
}

#[cfg(unix)]
#[test]
fn a_file_with_secrets_that_others_can_read_is_told() {
    use std::os::unix::fs::PermissionsExt as _;

    let home = Home::new();
    configure(&home, "[profiles.a]\nprovider = \"ec2\"\nsecret = \"x\"\n");
    let path = home.path("config/libcloud/config.toml");
    home.libcloud(&["config", "show"]).assert().success().stderr("");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    let warning = predicate::str::contains("chmod 600");
    home.libcloud(&["config", "show"]).assert().success().stderr(warning);
    for (text, is_told) in [
        ("provider = \"ec2\"\nkey = \"a\"\nsecret_file = \"x\"\n", false),
        ("provider = \"local\"\nkey = \"folder\"\n", false),
        ("provider = \"linode\"\nkey = \"a\"\n", true),
        ("provider = \"ec2\"\noptions = { session_token = \"t\" }\n", true),
    ] {
        std::fs::write(&path, format!("[profiles.a]\n{text}")).unwrap();
        let assert = home.libcloud(&["config", "show"]).assert().success();
        assert_eq!(crate::stderr(&assert).contains("chmod 600"), is_told, "{text}");
    }
}

#[test]
fn a_secret_file_is_read_beside_the_configuration_and_only_if_it_is_needed() {
    let home = Home::new();
    configure(&home, "[profiles.a]\nprovider = \"dummy\"\nsecret_file = \"a.secret\"\n");
    let list = ["--profile", "a", "compute", "nodes", "list"];
    let missing = home.path("config/libcloud/a.secret");
    home.bare().args(list).assert().code(1).stderr(predicate::str::contains(arg(&missing)));
    home.bare().args(list).env("LIBCLOUD_SECRET", "x").assert().success();
    home.file("config/libcloud/a.secret", "x\n");
    home.bare().args(list).assert().success();
}

#[test]
fn the_dummy_cloud_lasts_from_one_run_to_the_next() {
    let home = Home::new();
    home.json(&["storage", "containers", "create", "box"]);
    assert!(home.path("state/libcloud/dummy.json").exists());
    assert_eq!(home.json(&["storage", "containers", "list"])[0]["name"], "box");
}

#[test]
fn a_profile_is_good_for_all_services_of_its_provider_and_for_no_other() {
    let home = Home::new();
    configure(
        &home,
        "[profiles.work]\nprovider = \"ec2\"\nkey = \"canary\"\nsecret = \"x\"\nregion = \"eu-west-1\"\n",
    );
    for args in [
        &["--profile", "work", "storage", "presign", "s3:photos/cat.jpg"][..],
        &["--profile", "work", "--provider", "s3", "storage", "presign", "photos/cat.jpg"],
    ] {
        let url = predicate::str::contains("eu-west-1").and(predicate::str::contains("=canary%2F"));
        home.bare().args(args).assert().success().stdout(url);
    }
    // Without the profile the account is nobody's.
    home.bare().args(["storage", "presign", "s3:photos/cat.jpg"]).assert().code(3).stdout("");
    let other = ["--profile", "work", "storage", "ls", "dummy:"];
    home.bare().args(other).assert().success().stdout(predicate::str::contains("canary").not());
}

#[test]
fn check_tells_where_it_looked_and_never_what_it_found() {
    let home = Home::new();
    configure(&home, "[profiles.play]\nprovider = \"dummy\"\nkey = \"canary\"\nsecret = \"canary\"\n");
    let mut command = home.bare();
    command
        .args(["--profile", "play", "--format", "json", "config", "check"])
        .env("LIBCLOUD_SECRET", "canary");
    let output = command.assert().success().get_output().clone();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(!text.contains("canary"), "{text}");
    let told: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        (&told["provider"], &told["service"], &told["accepted"]),
        (&"dummy".into(), &"compute".into(), &true.into())
    );
    let looked: Vec<_> = told["looked_for"]
        .as_array()
        .unwrap()
        .iter()
        .map(|look| (look["what"].as_str().unwrap(), look["found"] == true))
        .collect();
    assert_eq!(looked, [("key", false), ("key", true), ("secret", true)], "{text}");
}

#[test]
fn check_without_credentials_names_every_place() {
    let home = Home::new();
    let mut command = home.bare();
    let assert = command.args(["--provider", "ec2", "config", "check"]).assert().code(3);
    let output = assert.get_output();
    let (table, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(
        table.contains("--key and LIBCLOUD_KEY") && table.contains("the variable AWS_ACCESS_KEY_ID"),
        "{table}"
    );
    let error = error.trim();
    assert!(
        error.starts_with("error: the access key is missing: give it in the configuration, the variable")
    );
    for place in ["AWS_ACCESS_KEY_ID", ".aws/credentials and /", "the metadata service of an EC2 instance"] {
        assert!(error.contains(place) && table.contains(place), "{error}\n{table}");
    }
}

#[test]
fn check_asks_nobody_in_a_dry_run() {
    let home = Home::new();
    let mut command = home.bare();
    // Nobody listens there: asking would fail.
    let arguments = ["--provider", "ec2", "--endpoint", "http://127.0.0.1:1", "--dry-run", "config", "check"];
    command.args(arguments).env("AWS_ACCESS_KEY_ID", "canary").env("AWS_SECRET_ACCESS_KEY", "canary");
    let table = String::from_utf8(command.assert().success().get_output().stdout.clone()).unwrap();
    assert!(table.contains("the variable AWS_SECRET_ACCESS_KEY") && !table.contains("canary"), "{table}");
}
