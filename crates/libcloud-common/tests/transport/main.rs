//! Calls over real sockets: what is sent, what is repeated, what is told when it goes wrong.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

mod authorities;
mod bodies;
mod garbage;
mod limits;
mod log;
mod places;
mod proxies;
mod spans;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::{StreamExt as _, TryStreamExt as _};
use http::{HeaderMap, Method};
use libcloud_common::auth::{Basic, Bearer};
use libcloud_common::{
    Authenticate, Config, Connection, Error, ErrorKind, ManualClock, Request, Result, Retry, Secret, Target,
    TransportConfig,
};
use mockito::{Matcher, Server};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

fn clock() -> ManualClock {
    ManualClock::at("2013-11-13T12:00:00Z".parse().unwrap())
}

fn config(clock: &ManualClock) -> Config {
    Config::anonymous().clock(clock.clone())
}

fn connect(url: &str, clock: &ManualClock) -> Connection {
    Connection::builder("example", url.parse().unwrap(), &config(clock)).build()
}

/// A server that answers each connection in turn with these bytes, and counts the requests that it read. A
/// connection without an answer is closed after the request.
async fn raw(answers: Vec<&'static [u8]>) -> (String, Arc<AtomicU32>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let requests = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&requests);
    tokio::spawn(async move {
        for answer in answers {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut seen = Vec::new();
            while !seen.windows(4).any(|window| window == b"\r\n\r\n") {
                let mut buffer = [0; 1024];
                match socket.read(&mut buffer).await {
                    Ok(0) | Err(_) => break,
                    Ok(length) => seen.extend_from_slice(&buffer[..length]),
                }
            }
            count.fetch_add(1, Ordering::SeqCst);
            socket.write_all(answer).await.unwrap();
        }
    });
    (url, requests)
}

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";

#[tokio::test]
async fn a_request_is_what_was_built() {
    let mut server = Server::new_async().await;
    let url = format!("{}/v2/", server.url()).parse().unwrap();
    let auth = Basic { user: "me".into(), password: "hunter2".into() };
    let connection = Connection::builder("example", url, &config(&clock())).auth(auth).build();
    let call = connection
        .post("CreateThing", ["a/b", "objects"])
        .key("/x/../ü")
        .query("q", "a b")
        .query("q", "&")
        .query_opt("absent", None::<String>)
        .secret_query("secret", "s/1")
        .secret_header("x-secret", "canary")
        .json(&serde_json::json!({"name": "n"}));
    let shown = call.request().to_string();
    assert_eq!(
        shown,
        "POST /a%2Fb/objects//x/../%C3%BC?q=a%20b&q=%26&secret=•••\nx-secret: •••\ncontent-type: application/json\n\n{\"name\":\"n\"}"
    );
    assert!(!format!("{call:?}").contains("canary") && !format!("{call:?}").contains("s/1"));
    let mock = server
        .mock("POST", "/v2/a%2Fb/objects//x/../%C3%BC")
        .match_query(Matcher::Exact("q=a%20b&q=%26&secret=s%2F1".into()))
        .match_header("authorization", "Basic bWU6aHVudGVyMg==")
        .match_header("user-agent", Matcher::Regex(r"^libcloud/\d+\.\d+\.\d+ \(example\)$".into()))
        .match_header("x-secret", "canary")
        .match_body(r#"{"name":"n"}"#)
        .with_body("{}")
        .create_async()
        .await;
    call.empty().await.unwrap();
    mock.assert_async().await;
}

#[tokio::test]
async fn lengths_are_sent_where_there_is_a_body_and_nowhere_else() {
    let mut server = Server::new_async().await;
    let connection = connect(&server.url(), &clock());
    for (method, length) in [
        (Method::GET, Matcher::Missing),
        (Method::DELETE, Matcher::Missing),
        (Method::HEAD, Matcher::Missing),
        (Method::POST, Matcher::Exact("0".into())),
        (Method::PUT, Matcher::Exact("0".into())),
    ] {
        let mock =
            server.mock(method.as_str(), "/x").match_header("content-length", length).create_async().await;
        connection.call(method, "X", ["x"]).empty().await.unwrap();
        mock.assert_async().await;
    }
    let chunks = || futures_util::stream::iter([Ok("ab".into()), Ok("c".into())]).boxed();
    let sized = server
        .mock("PUT", "/sized")
        .match_header("content-length", "3")
        .match_header("transfer-encoding", Matcher::Missing)
        .match_body("abc")
        .create_async()
        .await;
    connection.put("X", ["sized"]).stream(Some(3), chunks()).empty().await.unwrap();
    sized.assert_async().await;
    let chunked = server
        .mock("PUT", "/chunked")
        .match_header("content-length", Matcher::Missing)
        .match_header("transfer-encoding", "chunked")
        .match_body("abc")
        .create_async()
        .await;
    connection.put("X", ["chunked"]).stream(None, chunks()).empty().await.unwrap();
    chunked.assert_async().await;
}

#[tokio::test]
async fn what_may_be_repeated_is_repeated_after_a_wait() {
    let busy = b"HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    let (url, requests) = raw(vec![busy, b"", OK]).await;
    let clock = clock();
    let answer = connect(&url, &clock).get("GetThing", ["x"]).send().await.unwrap();
    assert_eq!((&answer.body[..], requests.load(Ordering::SeqCst)), (&b"ok"[..], 3));
    let slept = clock.slept();
    assert_eq!(slept[0], Duration::from_secs(7));
    assert!(slept[1] <= Duration::from_secs(1), "{slept:?}");
}

#[tokio::test]
async fn what_changes_something_is_sent_once() {
    let (url, requests) = raw(vec![b"", OK]).await;
    let error = connect(&url, &clock()).post("CreateThing", ["x"]).empty().await.unwrap_err();
    assert_eq!((error.kind(), requests.load(Ordering::SeqCst)), (ErrorKind::Transport, 1));
    assert!(
        error.to_string().starts_with("example CreateThing: the connection broke before the answer: "),
        "{error}"
    );

    // Certainly not processed: turned away with the time to come back.
    let busy = b"HTTP/1.1 429 Slow down\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    let (url, requests) = raw(vec![busy, OK]).await;
    connect(&url, &clock()).post("CreateThing", ["x"]).empty().await.unwrap();
    assert_eq!(requests.load(Ordering::SeqCst), 2);

    // A query API says nothing by its method: only what is marked is repeated.
    let (url, requests) = raw(vec![b"", b"", OK]).await;
    let connection =
        Connection::builder("example", url.parse().unwrap(), &config(&clock())).query_style().build();
    assert!(connection.get("RunInstances", ["x"]).empty().await.is_err());
    assert_eq!(requests.load(Ordering::SeqCst), 1);
    connection.get("DescribeInstances", ["x"]).repeatable().empty().await.unwrap();
    assert_eq!(requests.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn retries_end() {
    let mut server = Server::new_async().await;
    let mock = server
        .mock("GET", "/x")
        .with_status(500)
        .with_body("<html>oops</html>")
        .expect(4)
        .create_async()
        .await;
    let error = connect(&server.url(), &clock()).get("GetThing", ["x"]).send().await.unwrap_err();
    mock.assert_async().await;
    assert_eq!(error.retry(), Retry::Exhausted);
    assert_eq!(error.to_string(), "example GetThing: answered 500 Internal Server Error");
}

#[tokio::test]
async fn an_unreachable_host_is_told_at_once() {
    let clock = clock();
    let mut transport = TransportConfig::default();
    transport.retries = 0;
    let config = config(&clock).transport(transport);
    let connection = Connection::builder("example", "http://127.0.0.1:1".parse().unwrap(), &config).build();
    let error = connection.get("GetThing", ["x"]).send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport);
    assert!(error.to_string().contains("cannot connect to 127.0.0.1:1: Connection refused"), "{error}");
}

#[tokio::test]
async fn json_that_is_not_as_documented_names_the_field() {
    #[derive(Debug, serde::Deserialize)]
    struct Things {
        #[allow(dead_code, reason = "only read")]
        things: Vec<Thing>,
    }
    #[derive(Debug, serde::Deserialize)]
    struct Thing {
        #[allow(dead_code, reason = "only read")]
        size: u32,
    }
    let mut server = Server::new_async().await;
    let body = r#"{"things": [{"size": 1}, {"size": "big"}]}"#;
    let _mock =
        server.mock("GET", "/x").with_header("x-request-id", "r-7").with_body(body).create_async().await;
    let error =
        connect(&server.url(), &clock()).get("ListThings", ["x"]).json_answer::<Things>().await.unwrap_err();
    assert_eq!((error.kind(), error.request_id()), (ErrorKind::MalformedResponse, Some("r-7")));
    assert!(
        error.to_string().starts_with("example ListThings: unexpected answer at `things[1].size`: "),
        "{error}"
    );
}

#[tokio::test]
async fn a_header_cannot_be_broken_out_of() {
    let mut server = Server::new_async().await;
    let never = server.mock("GET", "/x").expect(0).create_async().await;
    let call = connect(&server.url(), &clock()).get("X", ["x"]).header("x-name", "a\r\nx-evil: 1");
    let error = call.empty().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    assert!(error.to_string().contains("`x-name`"), "{error}");
    never.assert_async().await;
}

/// A token that the server refuses until it is renewed.
struct Renewing(AtomicU32);

#[async_trait]
impl Authenticate for Renewing {
    async fn authenticate(&self, request: &mut Request, target: Target<'_>) -> Result<()> {
        let token = Secret::new(format!("token-{}", self.0.load(Ordering::SeqCst)));
        Bearer(token).authenticate(request, target).await
    }

    async fn rejected(&self, _: &HeaderMap, _: &Error) -> Result<bool> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Ok(true)
    }
}

#[tokio::test]
async fn a_refused_token_is_renewed_once() {
    let mut server = Server::new_async().await;
    let old = server
        .mock("POST", "/x")
        .match_header("authorization", "Bearer token-0")
        .with_status(401)
        .expect(1)
        .create_async()
        .await;
    let new = server
        .mock("POST", "/x")
        .match_header("authorization", "Bearer token-1")
        .with_body("ok")
        .expect(1)
        .create_async()
        .await;
    let url = server.url().parse().unwrap();
    let connection =
        Connection::builder("example", url, &config(&clock())).auth(Renewing(AtomicU32::new(0))).build();
    connection.post("X", ["x"]).empty().await.unwrap();
    old.assert_async().await;
    new.assert_async().await;

    let refused = server.mock("GET", "/y").with_status(401).expect(2).create_async().await;
    let error = connection.get("Y", ["y"]).empty().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidCredentials);
    refused.assert_async().await;
}

#[tokio::test]
async fn one_connection_serves_a_thousand_calls_at_once() {
    let mut server = Server::new_async().await;
    let mock = server.mock("GET", "/x").with_body("ok").expect(1000).create_async().await;
    let connection = connect(&server.url(), &clock());
    let calls = (0..1000).map(|_| connection.get("X", ["x"]).send());
    let done: Vec<_> = futures_util::stream::iter(calls).buffer_unordered(100).collect().await;
    assert!(done.iter().all(Result::is_ok));
    mock.assert_async().await;
}

#[tokio::test]
async fn answers_that_are_read_whole_may_be_compressed_and_streams_are_as_they_were_stored() {
    use std::io::Write as _;

    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(b"[1, 2]").unwrap();
    let packed = encoder.finish().unwrap();
    let mut server = Server::new_async().await;
    let whole = server
        .mock("GET", "/whole")
        .match_header("accept-encoding", "gzip,deflate")
        .with_header("content-encoding", "gzip")
        .with_body(packed.clone())
        .create_async()
        .await;
    let streamed = server
        .mock("GET", "/streamed")
        .match_header("accept-encoding", Matcher::Missing)
        .with_header("content-encoding", "gzip")
        .with_body(packed.clone())
        .create_async()
        .await;
    let connection = connect(&server.url(), &clock());
    assert_eq!(connection.get("X", ["whole"]).json_answer::<Vec<u32>>().await.unwrap(), [1, 2]);
    let stream = connection.get("X", ["streamed"]).send_streaming().await.unwrap();
    let content: Vec<_> = stream.body.try_collect().await.unwrap();
    assert_eq!(content.concat(), packed);
    whole.assert_async().await;
    streamed.assert_async().await;
}
