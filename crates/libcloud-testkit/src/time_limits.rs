//! Whether a time limit reaches every step of a call.

use std::time::Duration;

use futures_util::future::join_all;
use libcloud_common::{ErrorKind, MethodInfo, json};

use crate::breaking::{Breaking, Fault};
use crate::subject::{Service, Subject};

/// The limit of each call.
const LIMIT: Duration = Duration::from_millis(200);

/// How long a call may go on. Only a call that fails the test takes as long.
const PATIENCE: Duration = Duration::from_secs(20);

/// Calls every method of the base API, and every one that waits, with a `timeout` on a server that answers what prepares
/// the call and then never answers again: the limit must end it, whatever its number of steps. Gives the methods that it
/// ended. They wait at the same time, for a fifth of a second in all.
///
/// # Panics
/// With everything that was wrong, one a line.
pub async fn time_limits<D: Service + ?Sized>(subject: &Subject<D>) -> Vec<&'static str> {
    let methods = subject.methods();
    let base = D::base_methods();
    let is_base = |name: &str| {
        let iterated = name.strip_prefix("list_").map(|what| format!("iterate_{what}"));
        base.iter().any(|method| method.name == name || iterated.as_deref() == Some(method.name))
    };
    let waits = |method: &MethodInfo| {
        method.name.contains("wait_") && method.args.iter().any(|arg| arg.name == "timeout")
    };
    let limited = methods.iter().filter(|method| is_base(method.name) || waits(method));
    let called = limited.filter(|method| !subject.nothing_sent.contains(&method.name));
    let outcomes = join_all(called.map(|method| ends(subject, method))).await;
    let mut ended = Vec::new();
    let mut wrong = Vec::new();
    for (name, outcome) in outcomes {
        match outcome {
            Ok(true) => ended.push(name),
            Ok(false) => {}
            Err(problem) => wrong.push(format!("{} {name}: {problem}", subject.name())),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(!ended.is_empty(), "{}: no method was called", subject.name());
    ended
}

/// Whether the limit ended it; false if the driver does not have it.
async fn ends<D: Service + ?Sized>(
    subject: &Subject<D>,
    method: &MethodInfo,
) -> (&'static str, Result<bool, String>) {
    let server = Breaking::reacting(subject.answers(method.name), |_| Fault::Stall);
    let driver = subject.driver_in_time(&server.url());
    let mut arguments = subject.arguments(method);
    arguments["timeout"] = json!(LIMIT.as_secs_f64());
    let outcome = tokio::time::timeout(PATIENCE, driver.call_by_name(method.name, arguments)).await;
    let judged = match outcome {
        Err(_) => Err("it went on after its time limit".to_owned()),
        Ok(Ok(answer)) => Err(format!("nobody answered, but it gave {answer}")),
        Ok(Err(error)) => match error.kind() {
            ErrorKind::Timeout => Ok(true),
            ErrorKind::NotSupported => Ok(false),
            _ => Err(format!("it ended with {error}")),
        },
    };
    (method.name, judged)
}
