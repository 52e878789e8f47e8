//! Plays one recording of our own to the program, which is to send what it sent when it was recorded.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::Path;

use libcloud_testkit::cassette::{self, Exchange};
use libcloud_testkit::replay::{Received, Replay};
use tokio::process::Command;

/// `replay FILE -- ARGUMENTS OF libcloud`: whether each recorded request came, and no other.
pub(crate) async fn replay(words: &[String]) -> Result<bool, String> {
    let [file, separator, arguments @ ..] = words else { return Err("replay FILE -- ARGUMENTS".into()) };
    if separator != "--" || arguments.is_empty() {
        return Err("replay FILE -- ARGUMENTS".into());
    }
    let exchanges = cassette::read_exchanges(Path::new(file)).map_err(|error| error.to_string())?;
    let replay = Replay::start(same_place).await.map_err(|error| error.to_string())?;
    replay.load(exchanges.clone());
    let status = program(replay.address(), arguments).await?;
    let problems = differences(&exchanges, &replay.take());
    for problem in &problems {
        eprintln!("{problem}");
    }
    if !status {
        eprintln!("the program failed");
    }
    Ok(status && problems.is_empty())
}

/// Runs the program with all of its connections led to this socket.
async fn program(address: SocketAddr, arguments: &[String]) -> Result<bool, String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["run", "--quiet", "--package", "libcloud-cli", "--"]).args(arguments);
    command.env("LIBCLOUD_CONNECT_TO", address.to_string()).env_remove("LIBCLOUD_RECORD");
    let status = command.status().await.map_err(|error| format!("cargo: {error}"))?;
    Ok(status.success())
}

/// The first that is left of this method and path and of these parameters.
fn same_place(received: &Received, left: &[(usize, &Exchange)]) -> Option<usize> {
    let body = std::str::from_utf8(&received.body).ok();
    let is_same = |Exchange { request, .. }: &Exchange| {
        let recorded = match &request.body {
            Some(cassette::Body::Text(text)) => Some(text.as_str()),
            _ => None,
        };
        request.method == received.method
            && request.path == received.path
            && parameters(request.query.as_deref(), recorded) == parameters(received.query.as_deref(), body)
    };
    left.iter().find(|(_, exchange)| is_same(exchange)).map(|(number, _)| *number)
}

/// The parameters of query and form that are the same each time the program runs.
fn parameters(query: Option<&str>, body: Option<&str>) -> BTreeSet<(String, String)> {
    // Times, signatures, what is made up anew, and what the recording hides.
    const CHANGING: [&str; 8] =
        ["signature", "timestamp", "date", "expires", "credential", "key", "token", "cache-busting"];
    let is_form = |text: &&str| !text.starts_with(['{', '[', '<']) && text.contains('=');
    let forms = query.into_iter().chain(body.filter(is_form));
    let pairs = forms.flat_map(|text| form_urlencoded::parse(text.as_bytes()).into_owned());
    pairs
        .filter(|(name, _)| {
            let name = name.to_lowercase();
            !CHANGING.iter().any(|part| name.ends_with(part))
        })
        .collect()
}

fn differences(exchanges: &[Exchange], received: &[Received]) -> Vec<String> {
    let mut problems = Vec::new();
    for request in received.iter().filter(|request| request.answered_with.is_none()) {
        problems.push(format!("{} {} is not in the recording", request.method, request.path));
    }
    for (number, exchange) in exchanges.iter().enumerate() {
        if !received.iter().any(|request| request.answered_with == Some(number)) {
            problems.push(format!("{} {} was not sent", exchange.request.method, exchange.request.path));
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exchange(path: &str) -> Exchange {
        let line = format!(r#"{{"test": "t", "seq": 0, "request": {{"method": "GET", "path": "{path}"}}}}"#);
        serde_json::from_str(&line).unwrap()
    }

    fn received(path: &str, answered_with: Option<usize>) -> Received {
        Received {
            method: "GET".into(),
            path: path.into(),
            query: None,
            headers: http::HeaderMap::new(),
            body: Vec::new().into(),
            answered_with,
        }
    }

    #[test]
    fn what_is_sent_too_much_or_too_little_is_told() {
        let exchanges = [exchange("/a"), exchange("/b")];
        let left: Vec<_> = exchanges.iter().enumerate().collect();
        assert_eq!(same_place(&received("/b", None), &left), Some(1));
        assert_eq!(same_place(&received("/c", None), &left), None);
        let mut other = received("/b", None);
        other.query = Some("Timestamp=now".into());
        assert_eq!(same_place(&other, &left), Some(1), "a time is another each time");
        other.query = Some("Action=DescribeImages".into());
        assert_eq!(same_place(&other, &left), None);
        assert_eq!(
            differences(&exchanges, &[received("/a", Some(0)), received("/c", None)]),
            ["GET /c is not in the recording", "GET /b was not sent"]
        );
        assert!(differences(&exchanges, &[received("/a", Some(0)), received("/b", Some(1))]).is_empty());
    }
}
