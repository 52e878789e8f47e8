//! Deployment: what can be seen without a server. With one: `tests/program_sshd.rs`.

use serde_json::json;

use crate::{Home, arg};

const CREATE: [&str; 8] = ["deploy", "create", "--name", "web", "--size", "1", "--image", "1"];

#[test]
fn a_dry_run_shows_servers_and_steps_in_their_order_and_makes_nothing() {
    let home = Home::new();
    let key = home
        .file("id.pub", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ2Vs0bXzvh4+nTeENnWOvNy+B5kh4HSHM8dQBtM7eJB");
    let script = home.file("setup.sh", "#!/bin/sh\n");
    let steps = ["--run", "id", "--script", arg(&script), "--script-arg", "-x", "--script-arg", "a b"];
    let more = [
        "--copy",
        &format!("{}:/etc/app", arg(&script)),
        "--install-key",
        arg(&key),
        "--count",
        "2",
        "--dry-run",
    ];
    let shown = home.json(&[&CREATE[..], &steps, &more].concat());
    assert_eq!(
        shown[1],
        json!({
            "would_deploy_to": "web-2",
            "steps": [
                "run id",
                format!("script {} -x a b", arg(&script)),
                format!("copy {} to /etc/app", arg(&script)),
                format!("install the key {}", arg(&key)),
            ],
        })
    );
    let shown = home.json(&["deploy", "run", "me@a:2222", "b", "--node", "1", "--run", "id", "--dry-run"]);
    assert_eq!(shown.as_array().unwrap().len(), 3);
    assert_eq!(home.nodes(), ["1", "2"]);
}

#[test]
fn what_is_wrong_is_told_before_a_node_is_made() {
    let home = Home::new();
    let missing = home.path("missing");
    for (status, args, problem) in [
        (2, &[][..], "there is nothing to do"),
        (1, &["--script", arg(&missing)], "missing"),
        (1, &["--copy", &format!("{}:/x", arg(&missing))], "missing"),
        (2, &["--copy", "x"], "FROM:TO"),
        (2, &["--script-arg", "x"], "follows the --script"),
        (2, &["--run", "id", "--env", "A"], "NAME=VALUE"),
        (2, &["--run", "id", "--env", "1A=x"], "no name for a variable"),
        (2, &["--run", "id", "--secret-env", "NOT_THERE"], "NOT_THERE"),
        (1, &["--run", "id", "-i", arg(&missing)], "missing"),
        (1, &["--run", "id", "--known-hosts", arg(&missing)], "known hosts"),
        (2, &["--run", "id", "--tries", "0"], "max_tries"),
    ] {
        let assert = home.libcloud(&[&CREATE[..], args].concat()).assert().code(status);
        let (told, shown) =
            (crate::stderr(&assert), String::from_utf8_lossy(&assert.get_output().stdout).into_owned());
        assert!(told.contains(problem), "{args:?}: {told}{shown}");
    }
    let told = home.fails(2, &["deploy", "run", "--run", "id"]);
    assert!(told.contains("on which servers?"), "{told}");
    assert_eq!(home.nodes(), ["1", "2"]);
}

#[test]
fn a_host_that_does_not_answer_is_told_with_its_status() {
    let home = Home::new();
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let host = format!("127.0.0.1:{closed}");
    let assert = home.libcloud(&["deploy", "run", &host, "--run", "id", "--format", "json"]).assert().code(6);
    let shown: serde_json::Value = serde_json::from_slice(&assert.get_output().stdout).unwrap();
    assert_eq!((&shown[0]["server"], &shown[0]["result"]), (&json!(host), &json!("failed")));
    assert!(shown[0]["error"]["message"].as_str().unwrap().contains("refused"), "{shown}");
    home.libcloud(&["deploy", "run", &host, &host, "--run", "id"]).assert().code(8);
}
