//! Bodies that wait until the server wants them, and what every request carries.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use futures_util::StreamExt as _;
use libcloud_common::{ByteStream, Connection, ErrorKind, TransportConfig};
use mockito::{Matcher, Server};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::{clock, config, connect};

/// A body that tells whether it was begun.
fn body() -> (ByteStream, Arc<AtomicBool>) {
    let begun = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&begun);
    let chunks = futures_util::stream::iter(["content", "s"]).map(move |chunk| {
        flag.store(true, Ordering::SeqCst);
        Ok(Bytes::from(chunk))
    });
    (chunks.boxed(), begun)
}

async fn until(socket: &mut TcpStream, end: &str) -> String {
    let mut seen = Vec::new();
    while !seen.ends_with(end.as_bytes()) {
        assert!(
            socket.read_buf(&mut seen).await.unwrap() > 0,
            "closed after {}",
            String::from_utf8_lossy(&seen)
        );
    }
    String::from_utf8(seen).unwrap()
}

async fn listen() -> (TcpListener, Connection) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    (listener, connect(&url, &clock()))
}

#[tokio::test]
async fn the_body_comes_when_the_server_asks_for_it() {
    let (listener, connection) = listen().await;
    let (stream, begun) = body();
    let call = connection.put("PutObject", ["x"]).expect_continue().stream(Some(8), stream).empty();
    let server = async {
        let (mut socket, _) = listener.accept().await.unwrap();
        let head = until(&mut socket, "\r\n\r\n").await;
        assert!(
            head.contains("expect: 100-continue\r\n") && head.contains("content-length: 8\r\n"),
            "{head}"
        );
        assert!(!begun.load(Ordering::SeqCst));
        socket.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await.unwrap();
        until(&mut socket, "contents").await;
        socket.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await.unwrap();
    };
    let (outcome, ()) = tokio::join!(call, server);
    outcome.unwrap();
}

#[tokio::test]
async fn what_is_refused_before_the_body_is_never_sent() {
    let (listener, connection) = listen().await;
    let (stream, begun) = body();
    let call = connection.put("PutObject", ["x"]).expect_continue().stream(Some(8), stream).empty();
    let server = async {
        let (mut socket, _) = listener.accept().await.unwrap();
        until(&mut socket, "\r\n\r\n").await;
        socket.write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno").await.unwrap();
        // The connection ends: there will be no body on it.
        assert_eq!(socket.read(&mut [0; 16]).await.unwrap_or(0), 0);
    };
    let (outcome, ()) = tokio::join!(call, server);
    assert_eq!(outcome.unwrap_err().kind(), ErrorKind::InvalidCredentials);
    assert!(!begun.load(Ordering::SeqCst));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_does_not_ask_gets_the_body_all_the_same() {
    let (listener, connection) = listen().await;
    let (stream, _) = body();
    let call = connection.put("PutObject", ["x"]).expect_continue().stream(None, stream).empty();
    let server = async {
        let (mut socket, _) = listener.accept().await.unwrap();
        let head = until(&mut socket, "0\r\n\r\n").await;
        assert!(head.contains("transfer-encoding: chunked\r\n"), "{head}");
        socket.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await.unwrap();
    };
    let (outcome, ()) = tokio::join!(call, server);
    outcome.unwrap();
}

#[tokio::test]
async fn a_body_in_memory_may_wait_too_and_none_does_not() {
    let mut server = Server::new_async().await;
    let sent = server
        .mock("PUT", "/x")
        .match_header("expect", "100-continue")
        .match_body("abc")
        .create_async()
        .await;
    let empty = server.mock("PUT", "/y").match_header("expect", Matcher::Missing).create_async().await;
    let connection = connect(&server.url(), &clock());
    connection.put("PutObject", ["x"]).expect_continue().body("text/plain", "abc").empty().await.unwrap();
    connection.put("PutObject", ["y"]).expect_continue().empty().await.unwrap();
    sent.assert_async().await;
    empty.assert_async().await;
}

#[tokio::test]
async fn the_user_agent_names_the_program_too() {
    let mut server = Server::new_async().await;
    let mock = server
        .mock("GET", "/x")
        .match_header(
            "user-agent",
            Matcher::Regex(r"^libcloud/[0-9.]+ \(example\) backup/1.0 nightly$".into()),
        )
        .create_async()
        .await;
    let transport = TransportConfig::new().user_agent_append("backup/1.0").user_agent_append("nightly");
    let url: libcloud_common::Url = server.url().parse().unwrap();
    let config = config(&clock()).transport(transport);
    Connection::builder("example", url.clone(), &config).build().get("X", ["x"]).empty().await.unwrap();
    mock.assert_async().await;

    let config = config.transport(TransportConfig::new().user_agent_append("a\r\nx-evil: 1"));
    let error =
        Connection::builder("example", url, &config).build().get("X", ["x"]).empty().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    assert!(error.to_string().contains("cannot be part of the user agent"), "{error}");
}

#[tokio::test]
async fn caches_are_passed_by_where_they_lie() {
    let mut server = Server::new_async().await;
    let get = server
        .mock("GET", "/x")
        .match_query(Matcher::Regex("^a=1&cache-busting=[0-9a-f]{16}$".into()))
        .create_async()
        .await;
    let post = server.mock("POST", "/x").match_query(Matcher::Missing).create_async().await;
    let url = server.url().parse().unwrap();
    let connection = Connection::builder("example", url, &config(&clock())).cache_busting().build();
    connection.get("X", ["x"]).query("a", 1).empty().await.unwrap();
    connection.post("X", ["x"]).empty().await.unwrap();
    get.assert_async().await;
    post.assert_async().await;
}
