//! Ways in, and servers that do not behave.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use libcloud_common::{ErrorKind, ManualClock, Retry};
use libcloud_deploy::{HostKeys, NativeSshClient, SshAuth, SshClient as _, SshConfig, WriteMode};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

use crate::server::{Behaviour, Server, key_text};
use crate::{PausesClock, config};

fn questions() -> Vec<(&'static str, &'static str)> {
    vec![("Password: ", "canary-password"), ("Code: ", "canary-code")]
}

#[tokio::test]
async fn questions_are_answered_in_their_order() {
    let server = Server::start(Behaviour { questions: questions(), ..Behaviour::default() }).await;
    let answers = SshAuth::KeyboardInteractive(vec!["canary-password".into(), "canary-code".into()]);
    let mut way_in = config(&server);
    way_in.auth = vec![answers];
    let mut client = NativeSshClient::new(way_in);
    client.connect().await.unwrap();
    assert_eq!(client.run("hello").await.unwrap().stdout, "root ran hello\n");
}

#[tokio::test]
async fn a_password_answers_a_server_that_asks_for_it() {
    let behaviour = Behaviour { questions: vec![("Password: ", "canary-password")], ..Behaviour::default() };
    let server = Server::start(behaviour).await;
    NativeSshClient::new(config(&server)).connect().await.unwrap();
    let mut wrong = config(&server);
    wrong.auth = vec![SshAuth::password("canary-wrong")];
    let error = NativeSshClient::new(wrong).connect().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidCredentials);
    assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
}

#[tokio::test]
async fn two_factors_are_given_one_after_the_other() {
    let behaviour = Behaviour {
        password: Some("canary-password"),
        questions: vec![("Code: ", "canary-code")],
        wants_more: true,
        ..Behaviour::default()
    };
    let server = Server::start(behaviour).await;
    // In whatever order they stand.
    let mut both = config(&server);
    both.auth.insert(0, SshAuth::KeyboardInteractive(vec!["canary-code".into()]));
    NativeSshClient::new(both).connect().await.unwrap();
    let error = NativeSshClient::new(config(&server)).connect().await.unwrap_err();
    assert!(error.to_string().contains("the server takes"), "{error}");
}

/// A server that accepts and then says no more than this.
async fn silent(says: &'static [u8]) -> (u16, tokio::task::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let ended = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(says).await.unwrap();
        let mut sink = Vec::new();
        // Returns when the client is gone.
        let _ = stream.read_to_end(&mut sink).await;
    });
    (port, ended)
}

/// A clock by which every time limit has passed after some turns of the runtime.
#[derive(Debug)]
struct SoonClock(ManualClock);

impl libcloud_common::Clock for SoonClock {
    fn now(&self) -> libcloud_common::Timestamp {
        self.0.now()
    }

    fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }

    fn sleep(&self, duration: Duration) -> libcloud_common::BoxFuture<'static, ()> {
        let clock = self.0.clone();
        Box::pin(async move {
            for _ in 0..500 {
                tokio::task::yield_now().await;
            }
            clock.advance(duration);
        })
    }
}

#[tokio::test]
async fn a_server_that_never_answers_is_given_up_and_let_go() {
    for says in [&b""[..], b"SSH-2.0-silent\r\n"] {
        let (port, ended) = silent(says).await;
        let clock = ManualClock::at("2024-05-01T08:30:00Z".parse().unwrap());
        let config = SshConfig::new("127.0.0.1")
            .port(port)
            .auth(SshAuth::password("canary"))
            .host_keys(HostKeys::strict().without_files())
            .connect_timeout(Duration::from_secs(7))
            .clock(Arc::new(SoonClock(clock.clone())));
        let mut client = NativeSshClient::new(config);
        let error = client.connect().await.unwrap_err();
        assert_eq!((error.kind(), error.retry()), (ErrorKind::Timeout, Retry::Retryable(None)), "{error}");
        assert_eq!(clock.elapsed_seconds(), 7);
        drop(client);
        // Nothing of the connection is left.
        ended.await.unwrap();
    }
}

trait Elapsed {
    fn elapsed_seconds(&self) -> u64;
}

impl Elapsed for ManualClock {
    fn elapsed_seconds(&self) -> u64 {
        libcloud_common::Clock::elapsed(self).as_secs()
    }
}

#[tokio::test]
async fn what_is_no_ssh_server_and_a_closed_port_are_told() {
    let (port, _ended) = silent(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
    let clock = ManualClock::at("2024-05-01T08:30:00Z".parse().unwrap());
    let config = |port| {
        SshConfig::new("127.0.0.1")
            .port(port)
            .auth(SshAuth::password("canary"))
            .clock(Arc::new(SoonClock(clock.clone())))
    };
    let error = NativeSshClient::new(config(port)).connect().await.unwrap_err();
    assert!(error.is_retryable(), "{error}");

    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let error = NativeSshClient::new(config(closed)).connect().await.unwrap_err();
    assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Transport, true));
    assert!(error.to_string().contains("refused"), "{error}");
}

#[tokio::test]
async fn a_connection_that_breaks_in_a_file_or_a_command_is_an_error() {
    let behaviour = Behaviour { cuts_files: 1.into(), cuts_commands: 1.into(), ..Behaviour::default() };
    let server = Server::start(behaviour).await;
    let mut client = NativeSshClient::new(config(&server));
    client.connect().await.unwrap();
    let error = client.put("a", &vec![7; 1 << 20], None, WriteMode::Replace).await.unwrap_err();
    assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Transport, true), "{error}");
    assert!(error.to_string().contains("while a file was under way"), "{error}");
    // What is gone stays gone, and the same client can be connected again.
    assert!(client.run("x").await.is_err());
    client.connect().await.unwrap();
    let error = client.run("half").await.unwrap_err();
    assert!(error.to_string().contains("while `half` ran, and nobody knows how it ended"), "{error}");
    client.connect().await.unwrap();
    client.put("a", b"whole", None, WriteMode::Replace).await.unwrap();
    assert_eq!(client.read("a").await.unwrap(), b"whole");
    client.close().await.unwrap();
    assert_eq!(server.seen.files.lock().unwrap()["/home/me/a"], b"whole");
}

/// Stands before a server, until it is told to pass nothing more.
async fn door(to: u16, shut: Arc<Notify>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (mut client, _) = listener.accept().await.unwrap();
        let mut server = TcpStream::connect(("127.0.0.1", to)).await.unwrap();
        let passing = std::pin::pin!(tokio::io::copy_bidirectional(&mut client, &mut server));
        let _ = futures_util::future::select(passing, std::pin::pin!(shut.notified())).await;
        // Both sides are still there, and hear nothing.
        std::future::pending::<()>().await;
    });
    port
}

#[tokio::test]
async fn a_server_that_falls_silent_is_noticed() {
    let server = Server::start(Behaviour { is_mute: true, ..Behaviour::default() }).await;
    let shut = Arc::new(Notify::new());
    let mut config = config(&server).clock(Arc::new(PausesClock::default()));
    config.port = door(server.port, Arc::clone(&shut)).await;
    let mut client = NativeSshClient::new(config);
    client.connect().await.unwrap();
    let command = libcloud_deploy::RemoteCommand::shell("long");
    let error = client
        .run_with(&command, &mut |_, _| {
            // It runs. From now on time passes as fast as everybody waits.
            shut.notify_one();
            tokio::time::pause();
        })
        .await
        .unwrap_err();
    assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Transport, true), "{error}");
    assert!(error.to_string().contains("Keepalive timeout"), "{error}");
}

#[tokio::test]
async fn the_library_below_logs_no_secret() {
    static LINES: std::sync::Mutex<String> = std::sync::Mutex::new(String::new());
    struct Ears;
    impl log::Log for Ears {
        fn enabled(&self, _: &log::Metadata<'_>) -> bool {
            true
        }
        fn log(&self, record: &log::Record<'_>) {
            let mut lines = LINES.lock().unwrap();
            writeln!(lines, "{} {}", record.target(), record.args()).unwrap();
        }
        fn flush(&self) {}
    }
    log::set_logger(&Ears).unwrap();
    log::set_max_level(log::LevelFilter::Debug);

    let key = key_text();
    let server = Server::start(Behaviour { questions: questions(), ..Behaviour::default() }).await;
    let mut way_in = config(&server).auth(SshAuth::key_material(key.clone()));
    way_in.auth.push(SshAuth::KeyboardInteractive(vec!["canary-password".into(), "canary-code".into()]));
    let mut client = NativeSshClient::new(way_in);
    client.connect().await.unwrap();
    let command = libcloud_deploy::RemoteCommand::program("x").secret_arg("canary-argument");
    client.run_with(&command, &mut |_, _| {}).await.unwrap();
    client.put("secret", b"canary-content", None, WriteMode::Replace).await.unwrap();
    client.close().await.unwrap();

    let lines = LINES.lock().unwrap();
    assert!(lines.contains("russh"), "nothing was logged: {lines}");
    let bytes = format!("{:?}", b"canary");
    let bytes = bytes.trim_matches(['[', ']']);
    for secret in ["canary", bytes, key.lines().nth(2).unwrap()] {
        let line = lines.lines().find(|line| line.contains(secret));
        assert_eq!(line, None, "of {}", server.seen.most_open.load(Ordering::SeqCst));
    }
}
