//! Time: limits, waiting, and the pace of all calls.

use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::{StreamExt as _, TryStreamExt as _};
use libcloud_common::{Connection, ErrorKind, Retry, TransportConfig};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::{OK, clock, config, connect, raw};

/// A server that does as told with each connection.
async fn server<F>(act: impl Fn(tokio::net::TcpStream) -> F + Send + 'static) -> String
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            tokio::spawn(act(socket));
        }
    });
    url
}

/// Passes a minute of the runtime's clock, which stands still but for waiting.
async fn minute() {
    let _ = tokio::time::timeout(Duration::from_secs(55), std::future::pending::<()>()).await;
}

fn once(url: &str) -> Connection {
    let config = config(&clock()).transport(TransportConfig::new().retries(0));
    Connection::builder("example", url.parse().unwrap(), &config).build()
}

#[tokio::test]
async fn a_silent_server_does_not_hold_a_call_for_ever() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let mut transport = TransportConfig::default();
    (transport.retries, transport.idle_timeout) = (0, Duration::from_millis(50));
    let config = config(&clock()).transport(transport);
    let connection = Connection::builder("example", url.parse().unwrap(), &config).build();
    let error = connection.get("GetThing", ["x"]).send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    let error =
        connection.get("GetThing", ["x"]).timeout(Some(Duration::from_millis(20))).send().await.unwrap_err();
    assert!(error.to_string().contains("not done within 0.02 s"), "{error}");
    drop(listener);
}

#[tokio::test(start_paused = true)]
async fn a_byte_a_minute_is_not_progress() {
    let url = server(|mut socket| async move {
        let _ = socket.read(&mut [0; 1024]).await;
        let _ = socket.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n").await;
        while socket.write_all(b"x").await.is_ok() {
            minute().await;
        }
    });
    let error = once(&url.await).get("GetThing", ["x"]).send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(error.to_string().contains("nothing moved for 60 s while reading the answer"), "{error}");

    // The head of an answer, too, has to come.
    let url = server(|mut socket| async move {
        let _ = socket.read(&mut [0; 1024]).await;
        while socket.write_all(b"H").await.is_ok() {
            minute().await;
        }
    });
    let error = once(&url.await).get("GetThing", ["x"]).send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_reader_may_take_its_time() {
    let url = server(|mut socket| async move {
        let _ = socket.read(&mut [0; 1024]).await;
        let _ = socket.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab").await;
        let _ = socket.write_all(b"cd").await;
    });
    let answer = once(&url.await).get("GetThing", ["x"]).send_streaming().await.unwrap();
    let mut body = answer.body;
    let mut length = 0;
    while let Some(chunk) = body.next().await {
        length += chunk.unwrap().len();
        minute().await;
        minute().await;
    }
    assert_eq!(length, 4);
}

#[tokio::test(start_paused = true)]
async fn a_handshake_that_hangs_is_no_connection() {
    let url = server(|mut socket| async move {
        let _ = socket.read(&mut [0; 1024]).await;
        std::future::pending::<()>().await;
    });
    let url = url.await.replace("http:", "https:");
    let error = once(&url).post("CreateThing", ["x"]).send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(error.to_string().ends_with(": no connection within 30 s"), "{error}");
}

#[tokio::test]
async fn dropping_a_call_ends_it_for_the_server_too() {
    let (asked, mut hears) = tokio::sync::mpsc::unbounded_channel();
    let url = server(move |mut socket| {
        let asked = asked.clone();
        async move {
            let mut buffer = [0; 1024];
            assert!(socket.read(&mut buffer).await.unwrap() > 0);
            asked.send("request").unwrap();
            assert_eq!(socket.read(&mut buffer).await.unwrap_or(0), 0);
            asked.send("closed").unwrap();
        }
    });
    let connection = once(&url.await);
    let call = tokio::spawn(connection.get("GetThing", ["x"]).send());
    assert_eq!(hears.recv().await, Some("request"));
    call.abort();
    assert_eq!(hears.recv().await, Some("closed"));
}

#[tokio::test]
async fn who_is_told_to_slow_down_slows_the_others_down() {
    let slow = b"HTTP/1.1 429 Slow down\r\nRetry-After: 5\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    let (url, requests) = raw(vec![slow, OK, OK]).await;
    let clock = clock();
    let config = config(&clock).transport(TransportConfig::new().retries(0));
    let connection = Connection::builder("example", url.parse().unwrap(), &config).build();
    let error = connection.get("X", ["x"]).send().await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::RateLimited, Retry::Exhausted));
    assert!(clock.slept().is_empty());

    connection.clone().get("X", ["x"]).send().await.unwrap();
    let slept = clock.slept();
    assert!((5.0..=5.5).contains(&slept[0].as_secs_f64()) && slept.len() == 1, "{slept:?}");
    connection.get("X", ["x"]).send().await.unwrap();
    assert_eq!((clock.slept().len(), requests.load(Ordering::SeqCst)), (1, 3));
}

#[tokio::test]
async fn a_provider_cannot_make_a_call_wait_for_an_hour() {
    let hour =
        b"HTTP/1.1 429 Slow down\r\nRetry-After: 3600\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    let (url, _) = raw(vec![hour, OK]).await;
    let clock = clock();
    let connection = connect(&url, &clock);
    let error = connection.get("X", ["x"]).send().await.unwrap_err();
    assert_eq!(error.retry_after(), Some(Duration::from_secs(3600)));
    connection.get("X", ["x"]).send().await.unwrap();
    assert!(clock.slept().is_empty());
}

#[tokio::test]
async fn the_last_call_of_a_window_lets_the_next_one_wait() {
    let last = b"HTTP/1.1 200 OK\r\nRateLimit-Remaining: 0\r\nRateLimit-Reset: 1384344030\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    let seconds = b"HTTP/1.1 200 OK\r\nX-RateLimit-Remaining: 0\r\nX-RateLimit-Reset: 7\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    let far = b"HTTP/1.1 200 OK\r\nRateLimit-Remaining: 0\r\nRateLimit-Reset: 3600\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    let (url, _) = raw(vec![last, seconds, far, OK]).await;
    let clock = clock(); // at 1384344000
    let connection = connect(&url, &clock);
    for _ in 0..4 {
        connection.get("X", ["x"]).send().await.unwrap();
    }
    let slept: Vec<f64> = clock.slept().iter().map(Duration::as_secs_f64).collect();
    assert!(
        matches!(slept[..], [a, b] if (30.0..=33.0).contains(&a) && (7.0..=7.7).contains(&b)),
        "{slept:?}"
    );
}

#[tokio::test]
async fn a_date_to_come_back_at_is_of_the_servers_clock() {
    let busy = b"HTTP/1.1 503 Busy\r\nDate: Mon, 01 Jan 2001 00:00:00 GMT\r\nRetry-After: Mon, 01 Jan 2001 00:00:09 GMT\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    let (url, _) = raw(vec![busy, OK]).await;
    let clock = clock();
    connect(&url, &clock).get("X", ["x"]).send().await.unwrap();
    assert_eq!(clock.slept(), [Duration::from_secs(9)]);
}

#[tokio::test]
async fn a_thousand_calls_of_which_one_in_ten_is_throttled() {
    let count = std::sync::Arc::new(std::sync::atomic::AtomicU32::new(0));
    let counted = std::sync::Arc::clone(&count);
    let url = server(move |mut socket| {
        let counted = std::sync::Arc::clone(&counted);
        async move {
            let mut buffer = [0; 1024];
            // Requests without a body, one read each: they are small, and the next comes after the answer.
            while socket.read(&mut buffer).await.unwrap_or(0) > 0 {
                let answer: &[u8] = if counted.fetch_add(1, Ordering::SeqCst) % 10 == 9 {
                    b"HTTP/1.1 429 Slow down\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n"
                } else {
                    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
                };
                if socket.write_all(answer).await.is_err() {
                    return;
                }
            }
        }
    })
    .await;
    let clock = clock();
    let config = config(&clock).transport(TransportConfig::new().retries(10));
    let connection = Connection::builder("example", url.parse().unwrap(), &config).build();
    // Creations: a throttled one is sent again, since it was certainly not processed.
    let calls = (0..1000).map(|_| connection.post("CreateThing", ["x"]).send());
    let answers: Vec<_> =
        futures_util::stream::iter(calls).buffer_unordered(100).try_collect().await.unwrap();
    assert_eq!(answers.len(), 1000);
    let sent = count.load(Ordering::SeqCst);
    assert_eq!(sent - sent / 10, 1000, "each succeeded once, {sent} were sent");
}
