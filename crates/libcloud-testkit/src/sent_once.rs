//! How often a call is sent when the connection breaks after the request.

use libcloud_common::{Error, ErrorKind, Result, Retry, Value};

use crate::breaking::{Breaking, Fault};
use crate::http::Received;
use crate::subject::{RETRIES, Service, Subject};

/// How each method of a driver was sent. Methods that the driver does not have are in none of the lists.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SentOnce {
    /// Sent once: a repetition might do it twice.
    pub once: Vec<&'static str>,
    /// Sent until the retries were used up: it reads, or a repetition does no harm.
    pub again: Vec<&'static str>,
    /// Sent again with the same token.
    pub with_token: Vec<&'static str>,
    /// Nothing was sent.
    pub nothing: Vec<&'static str>,
}

/// Calls every method of a driver, extensions included, on a server that closes the connection after each request.
///
/// What changes something must be sent exactly once, and its error must not claim that it was repeated; a GET, HEAD, PUT
/// or DELETE of a REST API may be sent again, and so may what has a token (see [`Subject::token`]), if the token stays the
/// same. What only reads must be sent again. A method that sends nothing must be
/// [named](Subject::sends_nothing), so that none passes because it failed earlier.
///
/// # Panics
/// With everything that was wrong, one a line.
pub async fn sent_once<D: Service + ?Sized>(subject: &Subject<D>) -> SentOnce {
    let mut sent = SentOnce::default();
    let mut wrong = Vec::new();
    for method in subject.methods() {
        // A server and a driver of its own for each: what one has found out does not help the next.
        let server = Breaking::reacting(subject.answers(method.name), |_| Fault::Close);
        let driver = subject.driver(&server.url());
        let outcome = driver.call_by_name(method.name, subject.arguments(&method)).await;
        let requests = server.take_received();
        let refused = outcome.as_ref().is_err_and(|error| error.kind() == ErrorKind::NotSupported);
        if requests.is_empty() && refused {
            continue;
        }
        match judge(subject, method.name, &requests, outcome) {
            Ok(how) => how.list(&mut sent).push(method.name),
            Err(problem) => wrong.push(format!("{} {}: {problem}", subject.name(), method.name)),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_ne!(sent, SentOnce::default(), "{}: no method was called", subject.name());
    sent
}

enum How {
    Once,
    Again,
    WithToken,
    Nothing,
}

impl How {
    fn list(self, sent: &mut SentOnce) -> &mut Vec<&'static str> {
        match self {
            Self::Once => &mut sent.once,
            Self::Again => &mut sent.again,
            Self::WithToken => &mut sent.with_token,
            Self::Nothing => &mut sent.nothing,
        }
    }
}

fn judge<D: Service + ?Sized>(
    subject: &Subject<D>,
    method: &str,
    requests: &[Received],
    outcome: Result<Value>,
) -> Result<How, String> {
    let named = subject.nothing_sent.contains(&method);
    let Some(first) = requests.first() else {
        return if named {
            Ok(How::Nothing)
        } else {
            let what = match outcome {
                Ok(answer) => format!("answered {:.80}", answer.to_string()),
                Err(error) => format!("failed: {error}"),
            };
            Err(format!("nothing was sent, and it {what}; give it arguments, or name it in `sends_nothing`"))
        };
    };
    let what = format!("{} {}", first.method, first.target());
    if named {
        return Err(format!("`sends_nothing` names it, but it sent {what}"));
    }
    let error = match outcome {
        Ok(answer) => return Err(format!("the connection broke, but it answered {answer}")),
        Err(error) => error,
    };
    let times = requests.len();
    if times == 1 {
        if is_read(subject, method) {
            return Err(format!("it only reads, but {what} was sent once"));
        }
        return claims(&error, Retry::Retryable(None)).map(|()| How::Once);
    }
    let other = requests.iter().find(|request| request.method != first.method || request.path != first.path);
    if let Some(other) = other {
        let other = format!("{} {}", other.method, other.target());
        return Err(format!("{what} broke, and after it {other} was sent"));
    }
    if times != RETRIES as usize + 1 {
        return Err(format!(
            "{what} was sent {times} times: neither once nor until the retries were used up"
        ));
    }
    claims(&error, Retry::Exhausted)?;
    if let Some(token) = subject.tokens.get(method) {
        return same_token(token, requests).map(|()| How::WithToken);
    }
    let harmless = matches!(first.method.as_str(), "GET" | "HEAD" | "OPTIONS" | "PUT" | "DELETE");
    if is_read(subject, method) || harmless && !subject.query_style {
        return Ok(How::Again);
    }
    Err(format!(
        "{what} was sent {times} times, and may have been done each time; it needs a token, or to be no repeatable call. \
         If it only reads, name it in `reads`; if it looks something up first, answer that in `before`"
    ))
}

fn claims(error: &Error, retry: Retry) -> Result<(), String> {
    if error.kind() == ErrorKind::Transport && error.retry() == retry {
        return Ok(());
    }
    Err(format!(
        "the error is {:?} and says {:?}, not Transport and {retry:?}: {error}",
        error.kind(),
        error.retry()
    ))
}

fn same_token(name: &str, requests: &[Received]) -> Result<(), String> {
    let tokens: Vec<_> = requests.iter().map(|request| token(name, request)).collect();
    match tokens.first() {
        Some(Some(first))
            if !first.is_empty() && tokens.iter().all(|token| token.as_ref() == Some(first)) =>
        {
            Ok(())
        }
        _ => Err(format!("the repetitions do not have the same `{name}`: {tokens:?}")),
    }
}

fn token(name: &str, request: &Received) -> Option<String> {
    let of_json = || request.json().get(name).and_then(Value::as_str).map(str::to_owned);
    let of_xml = || {
        let body = request.text();
        let (_, rest) = body.split_once(&format!("<{name}>"))?;
        rest.split_once(&format!("</{name}>")).map(|(token, _)| token.to_owned())
    };
    request.param(name).or_else(of_json).or_else(of_xml).or_else(|| request.header(name).map(str::to_owned))
}

fn is_read<D: Service + ?Sized>(subject: &Subject<D>, method: &str) -> bool {
    const READS: [&str; 7] = ["list_", "get_", "iterate_", "describe_", "download_", "export_", "wait_"];
    let name = method.strip_prefix("ex_").unwrap_or(method);
    READS.iter().any(|prefix| name.starts_with(prefix)) || subject.reads.contains(&method)
}
