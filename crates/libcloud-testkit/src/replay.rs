//! A server that answers with recorded answers, and keeps what it was asked.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::cassette::{Answer, Body, Exchange, Reply};

/// The status of what has no recorded answer.
pub const NO_ANSWER: u16 = 599;

/// A request as it arrived.
#[derive(Clone, Debug)]
pub struct Received {
    /// GET, POST …
    pub method: String,
    /// The path as it was sent.
    pub path: String,
    /// The query as it was sent, without `?`.
    pub query: Option<String>,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
    /// Which of the expected exchanges it was answered with.
    pub answered_with: Option<usize>,
}

impl Received {
    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

/// Which of the exchanges that are left (with their numbers) answers a request.
pub type Choose = fn(&Received, &[(usize, &Exchange)]) -> Option<usize>;

/// The server. It ends when this is dropped.
#[derive(Debug)]
pub struct Replay {
    address: SocketAddr,
    tape: Arc<Mutex<Tape>>,
    task: JoinHandle<()>,
}

#[derive(Debug)]
struct Tape {
    exchanges: Vec<Exchange>,
    used: Vec<bool>,
    received: Vec<Received>,
    choose: Choose,
}

/// The next exchange, in the order of the recording, whatever is asked.
pub fn in_order(_: &Received, left: &[(usize, &Exchange)]) -> Option<usize> {
    left.first().map(|(number, _)| *number)
}

impl Replay {
    /// Starts a server on a free port of this machine.
    ///
    /// # Errors
    /// If there is no port.
    pub async fn start(choose: Choose) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let tape = Arc::new(Mutex::new(Tape {
            exchanges: Vec::new(),
            used: Vec::new(),
            received: Vec::new(),
            choose,
        }));
        let served = Arc::clone(&tape);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let tape = Arc::clone(&served);
                tokio::spawn(async move {
                    let service = service_fn(move |request| answer(Arc::clone(&tape), request));
                    // A client that goes away in the middle is the client's affair.
                    let _ = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
        });
        Ok(Self { address, tape, task })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Puts in what is to be answered from now on; forgets what was there.
    pub fn load(&self, exchanges: Vec<Exchange>) {
        let mut tape = self.tape.lock().unwrap_or_else(PoisonError::into_inner);
        tape.used = vec![false; exchanges.len()];
        tape.exchanges = exchanges;
        tape.received.clear();
    }

    /// Takes out what has arrived since [`load`](Self::load).
    pub fn take(&self) -> Vec<Received> {
        std::mem::take(&mut self.tape.lock().unwrap_or_else(PoisonError::into_inner).received)
    }
}

impl Drop for Replay {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(
    tape: Arc<Mutex<Tape>>,
    request: http::Request<Incoming>,
) -> Result<Response<Full<Bytes>>, hyper::Error> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let mut received = Received {
        method: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().map(str::to_owned),
        headers: parts.headers,
        body,
        answered_with: None,
    };
    let mut tape = tape.lock().unwrap_or_else(PoisonError::into_inner);
    let tape = &mut *tape;
    let left: Vec<(usize, &Exchange)> = tape
        .exchanges
        .iter()
        .enumerate()
        .filter(|(number, _)| !tape.used.get(*number).copied().unwrap_or(true))
        .collect();
    received.answered_with = (tape.choose)(&received, &left);
    let chosen = received.answered_with.and_then(|number| tape.exchanges.get(number));
    let response = response(&parts.method, chosen.and_then(|exchange| exchange.response.as_ref()));
    if let Some(used) = received.answered_with.and_then(|number| tape.used.get_mut(number)) {
        *used = true;
    }
    tape.received.push(received);
    Ok(response)
}

fn response(method: &Method, reply: Option<&Reply>) -> Response<Full<Bytes>> {
    let no_answer = |why: &str| {
        let mut response = Response::new(Full::from(why.to_owned()));
        *response.status_mut() = StatusCode::from_u16(NO_ANSWER).unwrap_or(StatusCode::NOT_IMPLEMENTED);
        response
    };
    let Some(Reply::Answer(answer)) = reply else {
        return no_answer("no answer was recorded for this");
    };
    let Some(body) = answer.body.as_ref().map_or(Some(Bytes::new()), Body::bytes) else {
        return no_answer("the recorded body was not kept");
    };
    let is_head = method == Method::HEAD;
    let mut response = Response::new(Full::from(if is_head { Bytes::new() } else { body.clone() }));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::NOT_IMPLEMENTED);
    *response.headers_mut() = headers(answer, is_head);
    response
}

/// The recorded headers, but for those that tell how the bytes went over that connection.
fn headers(answer: &Answer, is_head: bool) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in &answer.headers {
        let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) else {
            continue;
        };
        let of_connection =
            [header::CONNECTION, header::TRANSFER_ENCODING, header::CONTENT_ENCODING].contains(&name);
        // The answer to a HEAD tells of a body that does not come.
        if !of_connection && (is_head || name != header::CONTENT_LENGTH) {
            headers.append(name, value);
        }
    }
    headers
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpStream;

    use super::*;

    fn exchange(path: &str, response: serde_json::Value) -> Exchange {
        serde_json::from_value(json!({
            "test": "t", "seq": 0, "driver": "D", "request": {"method": "GET", "path": path}, "response": response
        }))
        .unwrap()
    }

    async fn send(replay: &Replay, request: &str) -> String {
        let mut stream = TcpStream::connect(replay.address()).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    #[tokio::test]
    async fn answers_in_order_and_keeps_what_it_was_asked() {
        let replay = Replay::start(in_order).await.unwrap();
        replay.load(vec![
            exchange(
                "/a",
                json!({"status": 404, "headers": {"X-A": "1", "Content-Length": "99"}, "body": "none"}),
            ),
            exchange("/b", json!({"status": 200, "headers": {"Content-Length": "12"}})),
        ]);
        let post = "POST /a?b=%20 HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi";
        let answer = send(&replay, post).await;
        assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
        assert!(answer.contains("x-a: 1") && answer.ends_with("none"), "{answer}");
        let answer = send(&replay, "HEAD /b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
        assert!(answer.contains("content-length: 12"), "{answer}");
        let answer = send(&replay, "GET /c HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
        assert!(answer.starts_with("HTTP/1.1 599"), "{answer}");

        let received = replay.take();
        let seen: Vec<_> = received.iter().map(|one| (one.path.as_str(), one.answered_with)).collect();
        assert_eq!(seen, [("/a", Some(0)), ("/b", Some(1)), ("/c", None)]);
        assert_eq!((received[0].query.as_deref(), &received[0].body[..]), (Some("b=%20"), &b"hi"[..]));
        assert_eq!(received[0].header("host"), Some("x"));
        assert!(replay.take().is_empty());
    }

    #[tokio::test]
    async fn another_choice_is_possible() {
        let by_path: Choose =
            |received, left| left.iter().find(|(_, e)| e.request.path == received.path).map(|(n, _)| *n);
        let replay = Replay::start(by_path).await.unwrap();
        replay.load(vec![
            exchange("/a", json!({"raises": "KeyError"})),
            exchange("/b", json!({"status": 204, "headers": {}, "body": ""})),
        ]);
        for (path, status) in [("/b", "204"), ("/a", "599"), ("/b", "599")] {
            let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
            let answer = send(&replay, &request).await;
            assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{path}: {answer}");
        }
        let chosen: Vec<_> = replay.take().iter().map(|received| received.answered_with).collect();
        assert_eq!(chosen, [Some(1), Some(0), None]);
    }
}
