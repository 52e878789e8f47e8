//! Answers that are not what they should be.

use futures_util::TryStreamExt as _;
use libcloud_common::{Connection, ErrorKind, TransportConfig, xml};
use mockito::Server;

use crate::{clock, config, connect, raw};

#[tokio::test]
async fn broken_and_endless_answers_are_errors() {
    let cut = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\nConnection: close\r\n\r\nhalf";
    let (url, _) = raw(vec![cut, cut, cut, cut]).await;
    let error = connect(&url, &clock()).get("GetThing", ["x"]).send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport);

    let mut server = Server::new_async().await;
    let _mock = server.mock("GET", "/x").with_body("x".repeat(1000)).create_async().await;
    let mut transport = TransportConfig::default();
    transport.max_response = 999;
    let config = config(&clock()).transport(transport);
    let connection = Connection::builder("example", server.url().parse().unwrap(), &config).build();
    let error = connection.get("GetThing", ["x"]).send().await.unwrap_err();
    assert_eq!(error.to_string(), "example GetThing: the answer is larger than 999 bytes");
    // Streamed, there is no limit.
    let streamed = connection.get("GetThing", ["x"]).send_streaming().await.unwrap();
    let length: usize = streamed
        .body
        .map_ok(|chunk| chunk.len())
        .try_fold(0, |sum, n| async move { Ok(sum + n) })
        .await
        .unwrap();
    assert_eq!(length, 1000);
}

#[tokio::test]
async fn a_page_for_a_browser_is_not_quoted() {
    let mut server = Server::new_async().await;
    let page = "<html><body><h1>502 Bad Gateway</h1>nginx</body></html>";
    let _bad = server.mock("POST", "/x").with_status(502).with_body(page).create_async().await;
    let error = connect(&server.url(), &clock()).post("CreateThing", ["x"]).empty().await.unwrap_err();
    assert_eq!(error.to_string(), "example CreateThing: answered 502 Bad Gateway");

    // With the status of success it is no JSON and no XML, and says so.
    let _login = server.mock("GET", "/x").with_body("<html><p>Please log in<br></html>").create_async().await;
    let connection = connect(&server.url(), &clock());
    let error = connection.get("GetThing", ["x"]).json_answer::<serde_json::Value>().await.unwrap_err();
    assert_eq!(
        (error.kind(), error.status().unwrap().as_u16()),
        (ErrorKind::MalformedResponse, 200),
        "{error}"
    );
    let read = connection
        .get("GetThing", ["x"])
        .decode(|response| xml::parse(&response.text(), |root| Ok(root.opt_text("a"))));
    assert_eq!(read.await.unwrap_err().kind(), ErrorKind::MalformedResponse);
}

#[tokio::test]
async fn a_hundred_megabytes_are_not_read_into_memory() {
    let mut server = Server::new_async().await;
    let chunk = vec![b'x'; 1 << 20];
    let body = move |out: &mut dyn std::io::Write| (0..100).try_for_each(|_| out.write_all(&chunk));
    let _mock = server.mock("GET", "/x").with_chunked_body(body).create_async().await;
    let error = connect(&server.url(), &clock()).get("GetThing", ["x"]).send().await.unwrap_err();
    assert_eq!(error.to_string(), "example GetThing: the answer is larger than 67108864 bytes");
    // Of an error as much is read as helps.
    let chunk = vec![b'x'; 1 << 20];
    let body = move |out: &mut dyn std::io::Write| (0..100).try_for_each(|_| out.write_all(&chunk));
    let _mock = server.mock("POST", "/x").with_status(400).with_chunked_body(body).create_async().await;
    let error = connect(&server.url(), &clock()).post("CreateThing", ["x"]).send().await.unwrap_err();
    assert_eq!(error.status().unwrap().as_u16(), 400);
    assert!(error.to_string().len() < 400, "{}", error.to_string().len());
}

#[tokio::test]
async fn a_little_that_unpacks_to_a_lot_is_refused() {
    use std::io::Write as _;

    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(&vec![0; 100 << 20]).unwrap();
    let mut server = Server::new_async().await;
    let _mock = server
        .mock("GET", "/x")
        .with_header("content-encoding", "gzip")
        .with_body(encoder.finish().unwrap())
        .create_async()
        .await;
    let error = connect(&server.url(), &clock()).get("GetThing", ["x"]).send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::MalformedResponse, "{error}");
}

#[tokio::test]
async fn what_is_no_http_is_an_error() {
    for answer in
        [&b"SSH-2.0-OpenSSH_9.2\r\n"[..], b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", b"\0\0\0"]
    {
        let (url, _) = raw(vec![answer]).await;
        let error = connect(&url, &clock()).post("CreateThing", ["x"]).send().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Transport, "{error}");
    }
}

#[tokio::test]
async fn a_refusal_that_breaks_off_is_still_a_refusal() {
    let cut = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 100\r\nConnection: close\r\n\r\nno entry";
    let (url, _) = raw(vec![cut]).await;
    let error = connect(&url, &clock()).get("GetThing", ["x"]).send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidCredentials);
    assert_eq!(error.to_string(), "example GetThing: answered 403 Forbidden: no entry");
}

#[tokio::test]
async fn a_name_cannot_add_headers_or_lines_to_a_request() {
    let mut server = Server::new_async().await;
    let name = "a\r\nx-evil: 1\r\n\r\nGET /other HTTP/1.1";
    let mock = server
        .mock(
            "PUT",
            "/b%0D%0Ax-evil%3A%201/a%0D%0Ax-evil%3A%201%0D%0A%0D%0AGET%20/other%20HTTP/1.1?q=a%0D%0Ab",
        )
        .match_header("x-evil", mockito::Matcher::Missing)
        .create_async()
        .await;
    let call =
        connect(&server.url(), &clock()).put("PutObject", ["b\r\nx-evil: 1"]).key(name).query("q", "a\r\nb");
    let sent = call.request().printable_target();
    call.empty().await.unwrap_or_else(|error| panic!("{sent}: {error}"));
    mock.assert_async().await;
}
