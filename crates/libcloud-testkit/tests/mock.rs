//! The strict mock: what it accepts, and how it says what it does not.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::panic::{AssertUnwindSafe, catch_unwind};

use libcloud_common::{Call, Config, Connection, Error, json};
use libcloud_testkit::{Answer, Exchange, Mock, matching};

fn connect(server: &Mock) -> Connection {
    Connection::builder("example", server.url(), &Config::anonymous()).build()
}

/// What `verify` says.
fn report(server: &Mock) -> String {
    let panic = catch_unwind(AssertUnwindSafe(|| server.verify())).expect_err("the mock is content");
    panic.downcast_ref::<String>().unwrap().clone()
}

/// What the mock says of this call, where it expects this.
async fn said(expected: Exchange, call: impl FnOnce(Connection) -> Call) -> String {
    let server = Mock::start();
    server.expect(expected);
    let error = call(connect(&server)).empty().await.unwrap_err();
    assert_eq!((error.status().unwrap().as_u16(), error.is_retryable()), (418, false), "{error}");
    report(&server)
}

#[tokio::test]
async fn what_is_as_expected_is_answered_in_order() {
    let server = Mock::start();
    server.expect(Exchange::get("/a%2Fb//..?q=a%20b&q=%26").answers(200).json(&json!({"n": 1})));
    server.expect(
        Exchange::post("/form")
            .form([("name", matching("w.b")), ("tag", "a+b &".into())])
            .header("content-type", matching("application/x-www-form-urlencoded.*"))
            .answers(201),
    );
    server.expect(Exchange::put("/json").body_json(json!({"b": 2, "a": 1})).answers(Answer::new(204)));
    server.expect(Exchange::put("/stream").header("transfer-encoding", "chunked").body("abc").answers(200));
    server.expect(
        Exchange::get("/x").secret_header("x-key", "canary").no_header("cookie").answers(404).body("no"),
    );
    server.expect(Exchange::head("/x").answers(200).header("content-length", "10"));
    server.expect(Exchange::delete("/x").path(matching("/[a-z]")).answers(200).times(2));

    let connection = connect(&server);
    let call = connection.get("A", ["a/b"]).key("/..").query("q", "a b").query("q", "&");
    assert_eq!(call.json_answer::<libcloud_common::Value>().await.unwrap(), json!({"n": 1}));
    connection.post("B", ["form"]).form([("name", "web"), ("tag", "a+b &")]).empty().await.unwrap();
    connection.put("C", ["json"]).json(&json!({"a": 1, "b": 2})).empty().await.unwrap();
    let chunks = futures_util::stream::iter([Ok("ab".into()), Ok("c".into())]);
    connection.put("D", ["stream"]).stream(None, Box::pin(chunks)).empty().await.unwrap();
    let error = connection.get("E", ["x"]).secret_header("x-key", "canary").empty().await.unwrap_err();
    assert_eq!(error.to_string(), "example E: answered 404 Not Found: no");
    let head = connection.head("F", ["x"]).send().await.unwrap();
    assert_eq!((head.header("content-length"), head.body.len()), (Some("10"), 0));
    connection.delete("G", ["x"]).empty().await.unwrap();
    connection.delete("G", ["x"]).empty().await.unwrap();
    server.verify();
    let received = server.received();
    assert_eq!(received.len(), 8);
    assert_eq!(received[1].param("tag").as_deref(), Some("a+b &"));
    assert!(!format!("{received:?}").contains("canary-nothing"));
}

#[tokio::test]
async fn a_difference_is_told_line_by_line() {
    let expected = Exchange::post("/v1/nodes?page=1")
        .header("x-region", "eu")
        .secret_header("x-key", "canary-1")
        .no_header("x-old")
        .body_json(json!({"name": "web", "size": 1}))
        .answers(200);
    let text = said(expected, |connection| {
        connection
            .put("A", ["v1", "nodes"])
            .query("page", 2)
            .header("x-region", "us")
            .header("x-old", "1")
            .secret_header("x-key", "canary-2")
            .json(&json!({"name": "db", "size": 1}))
    })
    .await;
    let expected = r#"request 1 was not expected: PUT /v1/nodes?page=2
(- expected, + received)
- POST
+ PUT
  /v1/nodes
- ?page=1
+ ?page=2
- x-region: eu
+ x-region: us
- x-key: •••
+ x-key: ••• (another value)
+ x-old: 1
  {
-   "name": "web",
+   "name": "db",
    "size": 1
  }
"#;
    let (head, missing) = text.split_once("\nexpected and never sent:\n").unwrap();
    assert_eq!(head, expected);
    assert_eq!(missing, r#"  POST /v1/nodes?page=1 {"name":"web","size":1}"#);
}

#[tokio::test]
async fn what_was_not_said_must_not_be_there() {
    let text =
        said(Exchange::get("/x").answers(200), |connection| connection.get("A", ["x"]).query("a", 1)).await;
    assert!(text.contains("  GET\n  /x\n+ ?a=1\n"), "{text}");
    let text = said(Exchange::put("/x").answers(200), |connection| {
        connection.put("A", ["x"]).body("text/plain", "b")
    });
    let text = text.await;
    assert!(text.contains("  /x\n+ b\n"), "{text}");
    let wanted = Exchange::put("/x").header("x-a", "1").body("b").answers(200);
    let text = said(wanted, |connection| connection.put("A", ["x"])).await;
    assert!(text.contains("- x-a: 1\n- b\n"), "{text}");
    let form = Exchange::post("/x").form([("a", "1"), ("b", "2")]).answers(200);
    let text = said(form, |connection| connection.post("A", ["x"]).form([("b", "2"), ("a", "1")])).await;
    assert!(text.contains("+ b=2\n  a=1\n- b=2\n"), "{text}");
    let bytes = Exchange::put("/x").body_bytes(&[0xff, 0, 1][..]).answers(200);
    let text = said(bytes, |connection| connection.put("A", ["x"]).body("a/b", &[0xff, 0, 2, 3][..])).await;
    assert!(text.contains("- (3 bytes; they are the same up to byte 2)\n+ (4 bytes;"), "{text}");
    let line = Exchange::put("/x").body("a\n").answers(200);
    let text = said(line, |connection| connection.put("A", ["x"]).body("text/plain", "a")).await;
    assert!(text.contains("- \"a\\n\"\n+ \"a\"\n"), "{text}");
    // Text that only looks like JSON or a form is not taken for it.
    let wanted = Exchange::post("/x").body_json(json!({})).answers(200);
    let text = said(wanted, |connection| connection.post("A", ["x"]).body("text/plain", "{}")).await;
    assert!(text.contains("- content-type: (of JSON)\n+ content-type: text/plain\n  {}\n"), "{text}");
}

#[tokio::test]
async fn order_and_number_count() {
    let server = Mock::start();
    server.expect(Exchange::get("/a").answers(200));
    server.expect(Exchange::get("/b").answers(200));
    let connection = connect(&server);
    connection.get("B", ["b"]).empty().await.unwrap_err();
    connection.get("A", ["a"]).empty().await.unwrap_err();
    let text = report(&server);
    assert_eq!(
        text,
        "request 1 was not expected: GET /b\nit is expected later: the order is wrong. Due is\n  GET /a\n\n\
         after it came: GET /a\nexpected and never sent:\n  GET /a\n  GET /b"
    );

    let server = Mock::start();
    let connection = connect(&server);
    server.expect_in_any_order([Exchange::get("/a").answers(200), Exchange::get("/b").answers(200)]);
    connection.get("B", ["b"]).empty().await.unwrap();
    connection.get("A", ["a"]).empty().await.unwrap();
    connection.get("A", ["a"]).empty().await.unwrap_err();
    let text = report(&server);
    assert!(
        text.starts_with("request 3 was not expected: GET /a\nnothing more was expected; it was\n"),
        "{text}"
    );
    // What was reported is not reported again.
    server.verify();
}

#[tokio::test]
async fn what_never_came_fails_the_test_when_the_mock_goes() {
    let server = Mock::start();
    server.expect(Exchange::get("/a").answers(200).times(2));
    connect(&server).get("A", ["a"]).empty().await.unwrap();
    let panic = catch_unwind(AssertUnwindSafe(move || drop(server))).unwrap_err();
    assert_eq!(panic.downcast_ref::<String>().unwrap(), "expected and never sent:\n  GET /a");
    // A test that panics already is not ended by a second panic.
    let server = Mock::start();
    server.expect(Exchange::get("/a").answers(200));
    let panic = catch_unwind(AssertUnwindSafe(move || {
        let _server = server;
        panic!("the first");
    }));
    assert_eq!(panic.unwrap_err().downcast_ref::<&str>(), Some(&"the first"));
}

#[tokio::test]
async fn bodies_come_from_files() {
    let server = Mock::start();
    server.expect(Exchange::get("/").answers(200).body_file("fixtures/aws/ec2/RebootInstances.xml"));
    let none: [&str; 0] = [];
    let answer = connect(&server).get("A", none).send().await.unwrap();
    assert_eq!(answer.header("content-type"), Some("text/xml;charset=UTF-8"));
    assert!(answer.text().contains("<return>true</return>"), "{}", answer.text());
    let missing = catch_unwind(|| libcloud_testkit::fixture("fixtures/none.xml")).unwrap_err();
    assert!(missing.downcast_ref::<String>().unwrap().contains("fixtures/none.xml"));
}

#[test]
fn it_serves_without_a_runtime_of_the_test() {
    use std::io::{Read as _, Write as _};
    let server = Mock::start();
    server.expect(Exchange::post("/x").body("ab").answers(200).body("ok"));
    let mut stream = std::net::TcpStream::connect(server.address()).unwrap();
    stream.write_all(b"POST /x HTTP/1.1\r\nhost: h\r\ncontent-length: 2\r\n\r\nab").unwrap();
    let mut answer = [0; 40];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
}

#[test]
fn secrets_of_a_received_request_are_not_shown() {
    let server = Mock::start();
    server.expect(Exchange::post("/x").any_body().answers(200));
    let body = json!({"auth": {"password": "canary"}, "name": "n"});
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let call = connect(&server).post("A", ["x"]).json(&body).secret_header("authorization", "canary");
    runtime.block_on(call.empty()).map_err(|error: Error| error.to_string()).unwrap();
    let shown = format!("{:?}", server.received());
    assert!(
        !shown.contains("canary") && shown.contains("•••") && shown.contains("\"name\": \"n\""),
        "{shown}"
    );
}
