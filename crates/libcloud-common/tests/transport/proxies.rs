//! The way that connections take.

use libcloud_common::{Connection, ErrorKind, Proxy, TransportConfig};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use crate::{clock, config};

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";

async fn head(socket: &mut TcpStream) -> String {
    let mut seen = Vec::new();
    while !seen.ends_with(b"\r\n\r\n") {
        if socket.read_buf(&mut seen).await.unwrap() == 0 {
            break;
        }
    }
    String::from_utf8_lossy(&seen).into_owned()
}

/// A proxy that tells what it is asked for, and answers with this.
async fn proxy(answer: &'static [u8]) -> (String, mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (tell, told) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            tell.send(head(&mut socket).await).unwrap();
            socket.write_all(answer).await.unwrap();
        }
    });
    (address, told)
}

fn through(proxy: &str, base: &str) -> Connection {
    let transport = TransportConfig::new().retries(0).proxy(proxy.parse().unwrap());
    Connection::builder("example", base.parse().unwrap(), &config(&clock()).transport(transport)).build()
}

#[tokio::test]
async fn plain_requests_are_handed_to_the_proxy() {
    let (address, mut told) = proxy(OK).await;
    let connection = through(&format!("http://me:hunter2@{address}"), "http://api.example/v1");
    assert!(!format!("{:?}", connection.client()).contains("hunter2"));
    let answer = connection.get("GetThing", ["things"]).query("a", 1).send().await.unwrap();
    assert_eq!(&answer.body[..], b"ok");
    let request = told.recv().await.unwrap();
    assert!(request.starts_with("GET http://api.example/v1/things?a=1 HTTP/1.1\r\n"), "{request}");
    assert!(request.contains("proxy-authorization: Basic bWU6aHVudGVyMg==\r\n"), "{request}");
}

#[tokio::test]
async fn tls_goes_through_a_tunnel_and_the_proxy_sees_nothing_of_it() {
    let (address, mut told) = proxy(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n").await;
    let connection = through(&format!("http://me:hunter2@{address}"), "https://api.example/v1");
    let error =
        connection.post("CreateThing", ["things"]).secret_header("x-key", "canary").send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport);
    assert!(error.to_string().contains("cannot connect to api.example: "), "{error}");
    assert!(error.to_string().contains("proxy authorization required"), "{error}");
    let request = told.recv().await.unwrap();
    assert!(request.starts_with("CONNECT api.example:443 HTTP/1.1\r\n"), "{request}");
    assert!(request.to_lowercase().contains("proxy-authorization: basic bwu6ahvudgvymg==\r\n"), "{request}");
    assert!(!request.contains("canary"), "{request}");
}

#[tokio::test]
async fn a_socks_proxy_is_told_the_name() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let served = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut greeting = [0; 3];
        socket.read_exact(&mut greeting).await.unwrap();
        assert_eq!(greeting, [5, 1, 0]);
        socket.write_all(&[5, 0]).await.unwrap();
        let mut request = vec![0; 5 + "api.example".len() + 2];
        socket.read_exact(&mut request).await.unwrap();
        socket.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).await.unwrap();
        let head = head(&mut socket).await;
        socket.write_all(OK).await.unwrap();
        (request, head)
    });
    let connection = through(&format!("socks5h://{address}"), "http://api.example:8080");
    connection.get("GetThing", ["things"]).empty().await.unwrap();
    let (request, head) = served.await.unwrap();
    assert_eq!(request, [&[5, 1, 0, 3, 11][..], b"api.example", &8080u16.to_be_bytes()].concat());
    assert!(head.starts_with("GET /things HTTP/1.1\r\n"), "{head}");
}

#[tokio::test]
async fn a_socket_can_stand_in_for_every_host() {
    let (address, mut told) = proxy(OK).await;
    let transport = TransportConfig::new()
        .proxy("http://127.0.0.1:1".parse().unwrap())
        .connect_to(address.parse().unwrap());
    let config = config(&clock()).transport(transport);
    let connection =
        Connection::builder("example", "https://api.example/v1".parse().unwrap(), &config).build();
    connection.get("GetThing", ["things"]).empty().await.unwrap();
    let request = told.recv().await.unwrap();
    assert!(
        request.starts_with("GET /v1/things HTTP/1.1\r\n") && request.contains("host: api.example\r\n"),
        "{request}"
    );
}

/// The environment is that of a process, so this asks one of its own.
#[test]
fn the_environment_names_the_proxy_and_its_exceptions() {
    let own = std::env::current_exe().unwrap();
    let ask = |variables: &[(&str, &str)]| {
        let mut command = std::process::Command::new(&own);
        for name in ["ALL_PROXY", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"] {
            command.env_remove(name).env_remove(name.to_lowercase());
        }
        let arguments = ["--ignored", "--exact", "proxies::says_how_it_cannot_connect", "--nocapture"];
        let output = command.args(arguments).envs(variables.iter().copied()).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(ask(&[]).contains("cannot connect to 127.0.0.2:1: Connection refused"));
    assert!(ask(&[("HTTP_PROXY", "https://proxy.example")]).contains("a proxy is reached by one of"));
    let except = [("HTTP_PROXY", "https://proxy.example"), ("NO_PROXY", "127.0.0.0/8")];
    assert!(ask(&except).contains("cannot connect to 127.0.0.2:1: Connection refused"));
}

/// The child of the test above.
#[test]
#[ignore = "a part of another test, which starts it"]
fn says_how_it_cannot_connect() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let transport = TransportConfig::new().retries(0);
    let config = config(&clock()).transport(transport);
    let connection = Connection::builder("example", "http://127.0.0.2:1".parse().unwrap(), &config).build();
    let error = runtime.block_on(connection.get("GetThing", ["x"]).send()).unwrap_err();
    println!("{error}");
}

#[test]
fn none_is_none() {
    assert_eq!("".parse::<Proxy>().unwrap(), Proxy::None);
    assert_eq!(TransportConfig::new().proxy, Proxy::Environment);
}
