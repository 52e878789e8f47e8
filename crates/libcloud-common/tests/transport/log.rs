//! The debug log.

use libcloud_common::auth::Basic;
use libcloud_common::{Config, Connection, DebugLog, ErrorKind, TransportConfig};
use mockito::{Matcher, Server};

use crate::clock;

#[tokio::test]
async fn the_debug_log_pairs_requests_with_answers_and_tells_no_secret() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("debug.log");
    let mut server = Server::new_async().await;
    let _created = server
        .mock("POST", "/v1/things")
        .match_query(Matcher::Any)
        .match_header("x-lc-request-id", Matcher::Regex("^[0-9a-f]+-0$".into()))
        .with_header("x-subject-token", "canary-5")
        .with_body(r#"{"id": "it's", "password": "canary-6"}"#)
        .create_async()
        .await;
    let _got = server.mock("GET", "/v1/things").with_body("content").create_async().await;
    let transport = TransportConfig::new().retries(0).debug_log(DebugLog::new(&path));
    let config = Config::anonymous().clock(clock()).transport(transport);
    let url = format!("{}/v1", server.url()).parse().unwrap();
    let auth = Basic { user: "canary-0".into(), password: "canary-1".into() };
    let connection = Connection::builder("example", url, &config).auth(auth).build();
    connection
        .post("CreateThing", ["things"])
        .query("name", "it's")
        .secret_query("key", "canary-2")
        .secret_header("x-key", "canary-3")
        .json(&serde_json::json!({"adminPass": "canary-4", "name": "it's"}))
        .empty()
        .await
        .unwrap();
    connection.get("GetThing", ["things"]).send_streaming().await.unwrap();
    connection
        .post("X", ["unknown"])
        .form([("a", "b c")])
        .secret_field("secret", "canary-7")
        .empty()
        .await
        .unwrap_err();

    let log = std::fs::read_to_string(&path).unwrap();
    assert!(!log.contains("canary"), "{log}");
    let request = log.lines().nth(1).unwrap();
    assert!(request.starts_with("curl -i --path-as-is -X POST -H 'user-agent: libcloud/"), "{request}");
    assert!(
        request.contains(" -H 'x-key: •••'") && request.contains(" -H 'authorization: •••'"),
        "{request}"
    );
    assert!(request.contains(r#" --data-binary '{"adminPass":"•••","name":"it'\''s"}'"#), "{request}");
    assert!(request.ends_with("/v1/things?name=it%27s&key=•••'"), "{request}");
    assert!(
        log.contains(r#"{"id":"it's","password":"•••"}"#) && log.contains("x-subject-token: •••"),
        "{log}"
    );
    assert!(
        log.contains("(streamed)") && log.contains(" --data-urlencode 'a=b c' --data-urlencode 'secret=•••'"),
        "{log}"
    );
    let begun: Vec<_> = log.lines().filter_map(|line| line.strip_prefix("# -------- begin ")).collect();
    assert_eq!(begun.len(), 6, "{log}");
    assert!(begun.chunks(2).all(|pair| pair[0].split(' ').next() == pair[1].split(' ').next()), "{begun:?}");

    let nowhere = DebugLog::new(folder.path().join("no/such/folder"));
    let config = Config::anonymous().transport(TransportConfig::new().debug_log(nowhere));
    let connection = Connection::builder("example", server.url().parse().unwrap(), &config).build();
    let error = connection.get("GetThing", ["things"]).empty().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    assert!(error.to_string().contains("cannot write the debug log"), "{error}");
}

/// What a shell makes of the commands: the words that reach `curl`, one a line.
fn words(log: &str) -> String {
    let script = format!("curl() {{ printf '%s\\n' \"$@\"; }}\n{log}");
    let output = std::process::Command::new("sh").arg("-c").arg(script).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test]
async fn the_commands_in_the_log_are_commands_of_a_shell() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("debug.log");
    let mut server = Server::new_async().await;
    let _put = server.mock("PUT", Matcher::Any).match_query(Matcher::Any).create_async().await;
    let _head = server.mock("HEAD", Matcher::Any).create_async().await;
    let transport = TransportConfig::new().debug_log(DebugLog::new(&path));
    let config = Config::anonymous().clock(clock()).transport(transport);
    let connection = Connection::builder("example", server.url().parse().unwrap(), &config).build();
    let stream = Box::pin(futures_util::stream::iter([Ok("abc".into())]));
    let name = "a/../it's $(touch x) \u{e9}";
    connection
        .put("PutObject", ["b"])
        .key(name)
        .query("a", "'b")
        .stream(Some(3), stream)
        .empty()
        .await
        .unwrap();
    connection.head("HeadObject", ["b"]).empty().await.unwrap();

    // Answers are no commands; what stands between a request's marks is.
    let log = std::fs::read_to_string(&path).unwrap();
    let commands = log.split("# -------- begin ").filter(|part| part.contains(" request ---"));
    let commands: Vec<String> = commands.map(|part| words(&format!("# {part}"))).collect();
    let base = server.url();
    let expected = format!("{base}/b/a/../it%27s%20%24%28touch%20x%29%20%C3%A9?a=%27b\n");
    assert!(commands[0].starts_with("-i\n--path-as-is\n-X\nPUT\n-H\nuser-agent: libcloud/"), "{commands:?}");
    assert!(commands[0].ends_with(&format!("--data-binary\n@-\n--compressed\n{expected}")), "{commands:?}");
    assert!(commands[1].starts_with("-i\n--path-as-is\n--head\n"), "{commands:?}");
    assert!(log.contains("# the body, on standard input, is a stream of 3 bytes\n"), "{log}");
}

#[tokio::test]
async fn a_body_that_came_in_chunks_is_shown_with_its_size() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("debug.log");
    let mut server = Server::new_async().await;
    let _chunked = server
        .mock("GET", "/x")
        .with_chunked_body(|out| out.write_all(b"0123456789abcdef"))
        .create_async()
        .await;
    let transport = TransportConfig::new().debug_log(DebugLog::new(&path));
    let config = Config::anonymous().clock(clock()).transport(transport);
    let connection = Connection::builder("example", server.url().parse().unwrap(), &config).build();
    connection.get("GetThing", ["x"]).send().await.unwrap();
    let log = std::fs::read_to_string(&path).unwrap();
    assert!(
        log.contains("transfer-encoding: chunked\n") && log.contains("\n\n10\n0123456789abcdef\n0\n"),
        "{log}"
    );
}

#[tokio::test]
async fn the_debug_log_tells_no_secret_among_the_parameters_of_xml_rpc() {
    use libcloud_common::xmlrpc::{self, Value};
    use libcloud_common::{Secret, json};

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("debug.log");
    let mut server = Server::new_async().await;
    let sent = Matcher::Regex("<string>canary-key</string>.*<string>canary-password</string>".into());
    let refused = "<methodResponse><fault><value><struct>\
        <member><name>faultCode</name><value><int>7</int></value></member>\
        <member><name>faultString</name><value>no such key: canary-key</value></member>\
        </struct></value></fault></methodResponse>";
    let _asked = server.mock("POST", "/rpc/").match_body(sent).with_body(refused).create_async().await;
    let transport = TransportConfig::new().retries(0).debug_log(DebugLog::new(&path));
    let config = Config::anonymous().clock(clock()).transport(transport);
    let url = format!("{}/rpc/", server.url()).parse().unwrap();
    let connection = Connection::builder("example", url, &config)
        .check(|response| xmlrpc::check(response, |_| ErrorKind::InvalidCredentials))
        .build();
    let password = Value::from(Secret::new("canary-password"));
    let params = [Secret::new("canary-key").into(), Value::members([("password", password)])];
    let call = connection.post("vm.create", [""]).xmlrpc("vm.create", &params);
    let error = call.xmlrpc_answer(Ok).await.unwrap_err();
    assert_eq!(
        error.to_json(),
        json!({
            "kind": "invalid_credentials", "message": "no such key: •••", "provider": "example",
            "operation": "vm.create", "status": 200, "code": "7",
        })
    );
    let log = std::fs::read_to_string(&path).unwrap();
    assert!(!log.contains("canary"), "{log}");
    assert!(
        log.contains("<methodName>vm.create</methodName><params><param><value><string>•••</string>"),
        "{log}"
    );
    assert!(log.contains("no such key: •••"), "{log}");
}
