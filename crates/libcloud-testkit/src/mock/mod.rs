//! A server that expects exactly these requests.
//!
//! Written here instead of with mockito, which the older tests use: mockito answers a request that it does not know with
//! 501 and keeps silent about it, has no order among its mocks, and ignores a query or body that nothing was said
//! about. A driver that sends one request too many would pass.

mod diff;
mod exchange;

use std::collections::VecDeque;
use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use libcloud_common::Url;
use tokio::io::{AsyncWriteExt as _, BufStream};

pub use exchange::{Exchange, ExpectedRequest};

use crate::http::{Answer, Incoming, Received};
use crate::server::Server;

/// The status of the answer to a request that was not expected: no driver repeats it, and no provider sends it.
const UNEXPECTED: u16 = 418;

/// A server that expects exactly these requests, in this order.
///
/// The test fails, with what was expected beside what came, on a request that differs in method, path, query, body or a
/// header that was named; on one too many; and when the mock goes out of scope, on one that never came. A query or body
/// about which nothing was said must not be there.
///
/// ```
/// use libcloud_testkit::{Exchange, Mock};
/// # use libcloud_common::{Config, Connection, json};
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let server = Mock::start();
/// server.expect(
///     Exchange::get("/v2/images?page=1")
///         .header("accept-encoding", "gzip,deflate")
///         .no_header("authorization")
///         .answers(200)
///         .json(&json!({"images": []})),
/// );
/// # let base = server.url().join("/v2").unwrap();
/// # let connection = Connection::builder("example", base, &Config::anonymous()).build();
/// # connection.get("ListImages", ["images"]).query("page", 1).empty().await.unwrap();
/// # });
/// ```
pub struct Mock {
    server: Server,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// What is still to come: each step is one exchange, or several in any order.
    steps: VecDeque<Vec<Exchange>>,
    received: Vec<Received>,
    problem: Option<String>,
    /// Requests after the first that was not expected.
    later: Vec<String>,
}

impl Mock {
    /// Starts a server that expects nothing yet.
    pub fn start() -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let shared = Arc::clone(&state);
        let server = Server::start(move |stream| {
            let state = Arc::clone(&shared);
            async move {
                let mut stream = BufStream::new(stream);
                while let Incoming::Whole(request) = Received::read(&mut stream).await {
                    let method = request.method.clone();
                    let answer = lock(&state).answer(request).to_bytes(&method);
                    if stream.write_all(&answer).await.is_err() || stream.flush().await.is_err() {
                        break;
                    }
                }
            }
        });
        Self { server, state }
    }

    /// Where it is: `http://127.0.0.1:…`, for `Config::endpoint`.
    pub fn url(&self) -> Url {
        self.server.url()
    }

    /// Its socket.
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Expects this request after those that are expected already.
    pub fn expect(&self, exchange: Exchange) {
        self.expect_in_any_order([exchange]);
    }

    /// Expects these requests after those that are expected already, in any order among each other: for calls that run
    /// at the same time.
    pub fn expect_in_any_order(&self, exchanges: impl IntoIterator<Item = Exchange>) {
        lock(&self.state).steps.push_back(exchanges.into_iter().collect());
    }

    /// Every request that came so far.
    pub fn received(&self) -> Vec<Received> {
        lock(&self.state).received.clone()
    }

    /// Fails unless everything that is expected so far has come and nothing else. Happens by itself when the mock goes
    /// out of scope.
    #[track_caller]
    pub fn verify(&self) {
        if let Some(report) = self.report() {
            panic!("{report}");
        }
    }

    fn report(&self) -> Option<String> {
        let mut state = lock(&self.state);
        let mut report = Vec::new();
        if let Some(problem) = state.problem.take() {
            report.push(problem);
            report.extend(state.later.drain(..).map(|request| format!("after it came: {request}")));
        }
        let missing: Vec<String> =
            state.steps.drain(..).flatten().map(|exchange| exchange.summary()).collect();
        if !missing.is_empty() {
            report.push(format!("expected and never sent:\n  {}", missing.join("\n  ")));
        }
        (!report.is_empty()).then(|| report.join("\n"))
    }
}

impl State {
    fn answer(&mut self, request: Received) -> Answer {
        self.received.push(request.clone());
        if self.problem.is_some() {
            self.later.push(format!("{} {}", request.method, request.target()));
            return refusal("a request before this one was not expected");
        }
        while self.steps.front().is_some_and(Vec::is_empty) {
            self.steps.pop_front();
        }
        let due = self.steps.front_mut().map_or(&mut [][..], Vec::as_mut_slice);
        if let Some(at) = due.iter().position(|exchange| exchange.difference(&request).is_none()) {
            return self.take(at);
        }
        let problem = self.explain(&request);
        let answer = refusal(&problem);
        self.problem = Some(problem);
        answer
    }

    /// Uses up one of the exchanges that are due.
    fn take(&mut self, at: usize) -> Answer {
        let Some(due) = self.steps.front_mut() else { return refusal("nothing is due") };
        let Some(exchange) = due.get_mut(at) else { return refusal("nothing is due") };
        let answer = exchange.use_once();
        if exchange.is_used_up() {
            drop(due.remove(at));
        }
        answer
    }

    fn explain(&self, request: &Received) -> String {
        let number = self.received.len();
        let mut text =
            format!("request {number} was not expected: {} {}\n", request.method, request.target());
        let Some(due) = self.steps.front() else {
            return format!("{text}nothing more was expected; it was\n{}", indented(&request.to_string()));
        };
        let later =
            self.steps.iter().skip(1).flatten().find(|exchange| exchange.difference(request).is_none());
        if later.is_some() {
            text.push_str("it is expected later: the order is wrong. Due is\n");
            for exchange in due {
                text.push_str(&format!("  {}\n", exchange.summary()));
            }
            return text;
        }
        text.push_str("(- expected, + received)\n");
        for exchange in due {
            text.push_str(&exchange.difference(request).unwrap_or_default());
        }
        text
    }
}

fn refusal(why: &str) -> Answer {
    Answer::new(UNEXPECTED).header("content-type", "text/plain").body(format!("the strict mock: {why}"))
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}\n")).collect()
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Drop for Mock {
    #[expect(
        clippy::print_stderr,
        reason = "a second panic would end the whole test program and say nothing"
    )]
    fn drop(&mut self) {
        let Some(report) = self.report() else { return };
        if std::thread::panicking() {
            eprintln!("{report}");
        } else {
            panic!("{report}");
        }
    }
}

impl fmt::Debug for Mock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Mock").field(&self.server).finish()
    }
}
