//! Behaviour suites: one a service, the same for every driver.
//!
//! A suite is a list of named checks that use the base API alone. A driver joins with what a check cannot know by itself,
//! and with [`Expectations`]: what the server that it is tested on does wrong.
//!
//! A check comes to one of five ends, and [`Report`] tells them apart:
//!
//! - it *passed*;
//! - it was *denied*: it needs a method that the driver's capabilities do not have, and which was seen to answer
//!   `NotSupported`;
//! - it *failed as expected*, because the server does something wrong, for a reason that the joiner gives;
//! - with [`Expectations::tolerating_faults`], it was *interrupted* by an error of the kinds that a fault on the way
//!   causes, and that says so;
//! - it *failed*. The suite goes on to its end, and then fails with all of them. So it does if a check that is expected to
//!   fail passes: its entry can go.

use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use libcloud_common::{BoxFuture, Driver as _, Error, ErrorKind, Result, Support, unique_token};

use crate::subject::{Service, sample};

mod compute;
mod dns;
mod loadbalancer;
mod storage;
mod survive;

pub use compute::Compute;
pub use dns::Dns;
pub use loadbalancer::LoadBalancers;
pub use storage::Storage;
pub use survive::{Survived, storage_survives};

/// The longest that one check may take. It is real time: a check that hangs is a failure, not a stuck test.
const LIMIT: Duration = Duration::from_secs(180);

/// What the tester knows of the server behind the driver.
#[derive(Clone, Debug, Default)]
pub struct Expectations {
    failures: Vec<(&'static str, &'static str)>,
    tolerant: bool,
}

impl Expectations {
    /// All checks pass.
    pub fn new() -> Self {
        Self::default()
    }

    /// This check fails, because the server does something wrong: what, the reason says. A check of this name must be there,
    /// and must fail.
    pub fn fails(mut self, check: &'static str, reason: &'static str) -> Self {
        self.failures.push((check, reason));
        self
    }

    /// There are faults on the way: an error that one of them causes ends a check without failing it. A wrong result fails
    /// it as ever.
    pub fn tolerating_faults(mut self) -> Self {
        self.tolerant = true;
        self
    }
}

/// What became of each check, by its name and in the order of the suite.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "whether the checks ran, or were denied, is in here"]
#[non_exhaustive]
pub struct Report {
    /// Those that passed.
    pub passed: Vec<&'static str>,
    /// Those that the driver's capabilities do not allow.
    pub denied: Vec<&'static str>,
    /// Those that failed as expected.
    pub expected: Vec<&'static str>,
    /// Those that an error ended that a fault on the way caused.
    pub interrupted: Vec<(&'static str, ErrorKind)>,
}

/// How a check ends that does not pass.
#[derive(Debug)]
pub(crate) enum Problem {
    /// The driver answered an error where it should not, or another than it should.
    Error(Error),
    /// The driver answered something wrong.
    Wrong(String),
    /// The driver's features, or the joiner, say that there is nothing to check.
    Denied,
}

pub(crate) type Verdict = Result<(), Problem>;

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Error(error) => write!(f, "{error:#}"),
            Self::Wrong(text) => f.write_str(text),
            Self::Denied => f.write_str("denied"),
        }
    }
}

/// One check: its name, the methods that it needs, and what it does.
pub(crate) struct Check<C> {
    pub(crate) name: &'static str,
    pub(crate) needs: &'static [&'static str],
    pub(crate) run: for<'a> fn(&'a C) -> BoxFuture<'a, Verdict>,
}

/// A list of checks: `checks![Storage; "containers/duplicate" [create_container] => duplicate_container, …]`.
macro_rules! checks {
    ($cx:ty; $($name:literal [$($need:ident)*] => $run:ident,)*) => {
        vec![$($crate::suite::Check::<$cx> {
            name: $name,
            needs: &[$(stringify!($need)),*],
            run: |cx| Box::pin($run(cx)),
        }),*]
    };
}

/// Ends a check that has found something wrong.
macro_rules! ensure {
    ($holds:expr, $($text:tt)+) => {
        if !$holds {
            return Err($crate::suite::Problem::Wrong(format!($($text)+)));
        }
    };
}

pub(crate) use {checks, ensure};

/// What the checks of a suite work with.
pub(crate) trait Context: Sync {
    type Driver: Service + ?Sized;

    fn driver(&self) -> &Arc<Self::Driver>;

    /// Deletes what a check has made, whatever became of it.
    fn clean(&self) -> BoxFuture<'_, Result<()>>;
}

/// Runs all checks, one after the other, and fails with all that went wrong.
pub(crate) async fn run<C: Context>(cx: &C, checks: &[Check<C>], expectations: &Expectations) -> Report {
    let driver = cx.driver();
    let name = format!("{} {}", <C::Driver as Service>::NAME, driver.descriptor().id);
    let mut report = Report::default();
    let mut failures = Vec::new();
    for (check, _) in &expectations.failures {
        if !checks.iter().any(|known| known.name == *check) {
            failures.push(format!("{check}: expected to fail, but there is no such check"));
        }
    }
    let can = driver.capabilities();
    for method in <C::Driver as Service>::base_methods() {
        if can.of(method.name) != Support::Supported
            && let Err(problem) = refuses(driver, &method).await
        {
            failures.push(format!("capabilities: {problem}"));
        }
    }
    for check in checks {
        let reason = expectations.failures.iter().find(|(name, _)| *name == check.name);
        let denied = check.needs.iter().any(|method| can.of(method) != Support::Supported);
        let verdict = if denied { Err(Problem::Denied) } else { once(cx, check).await };
        match (verdict, reason) {
            (Ok(()), None) => report.passed.push(check.name),
            (Ok(()) | Err(Problem::Denied), Some((_, reason))) => {
                failures.push(format!(
                    "{}: expected to fail ({reason}), but it does not: the entry can go",
                    check.name
                ));
            }
            (Err(Problem::Denied), None) => report.denied.push(check.name),
            (Err(Problem::Error(error)), None) if expectations.tolerant && is_fault(&error) => {
                report.interrupted.push((check.name, error.kind()));
            }
            (Err(_), Some(_)) => report.expected.push(check.name),
            (Err(problem), None) => failures.push(format!("{}: {problem}", check.name)),
        }
    }
    assert!(
        failures.is_empty(),
        "{name}: {} of {} checks failed\n{}",
        failures.len(),
        checks.len(),
        failures.join("\n")
    );
    report
}

/// One check and what cleans up after it.
async fn once<C: Context>(cx: &C, check: &Check<C>) -> Verdict {
    let work = AssertUnwindSafe((check.run)(cx)).catch_unwind();
    let verdict = match tokio::time::timeout(LIMIT, work).await {
        Ok(Ok(verdict)) => verdict,
        Ok(Err(panic)) => Err(Problem::Wrong(format!("it panicked: {}", text_of(&*panic)))),
        Err(_) => Err(Problem::Wrong(format!("it was not done within {} s", LIMIT.as_secs()))),
    };
    let cleaned = match tokio::time::timeout(LIMIT, cx.clean()).await {
        Ok(Ok(())) => return verdict,
        Ok(Err(error)) => format!("cleaning up: {error:#}"),
        Err(_) => format!("cleaning up was not done within {} s", LIMIT.as_secs()),
    };
    // Whatever became of the check: what it leaves behind is nobody's fault but the driver's.
    Err(Problem::Wrong(match verdict {
        Err(problem @ (Problem::Error(_) | Problem::Wrong(_))) => format!("{problem}\n    {cleaned}"),
        _ => cleaned,
    }))
}

fn text_of(panic: &(dyn std::any::Any + Send)) -> &str {
    panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref().copied()).unwrap_or("no text")
}

/// A method that capabilities deny answers `NotSupported`.
async fn refuses<D: Service + ?Sized>(
    driver: &Arc<D>,
    method: &libcloud_common::MethodInfo,
) -> Result<(), String> {
    let mut args = libcloud_common::json!({});
    for spec in method.args.iter().filter(|spec| spec.required) {
        args[spec.name] = sample(spec.ty);
    }
    match driver.call_by_name(method.name, args).await {
        Err(error) if error.kind() == ErrorKind::NotSupported => Ok(()),
        answer => Err(format!("{} is denied, and answered {answer:?}", method.name)),
    }
}

/// Whether something on the way may have caused this. It is said by a kind that tells of the way, never of the resource.
pub(crate) fn is_fault(error: &Error) -> bool {
    match error.kind() {
        ErrorKind::Transport
        | ErrorKind::Timeout
        | ErrorKind::RateLimited
        | ErrorKind::MalformedResponse
        | ErrorKind::HashMismatch => true,
        ErrorKind::Provider => error.status().is_some_and(|status| status.is_server_error()),
        _ => false,
    }
}

/// A name that nobody else has: letters, digits and hyphens, fit for a bucket.
pub(crate) fn unique_name() -> Result<String> {
    Ok(format!("libcloud-{}", unique_token()?))
}

/// Fails with both unless they are equal.
pub(crate) fn same<T: PartialEq<U> + fmt::Debug, U: fmt::Debug>(
    what: &str,
    found: T,
    expected: U,
) -> Verdict {
    ensure!(found == expected, "{what}: {found:?} instead of {expected:?}");
    Ok(())
}

/// The call was refused with an error of this kind.
pub(crate) fn refused<T: fmt::Debug>(what: &str, answer: Result<T>, kind: ErrorKind) -> Verdict {
    refused_as(what, answer, &[kind]).map(drop)
}

/// The call was refused with an error of one of these kinds.
pub(crate) fn refused_as<T: fmt::Debug>(
    what: &str,
    answer: Result<T>,
    kinds: &[ErrorKind],
) -> Result<Error, Problem> {
    match answer {
        Err(error) if kinds.contains(&error.kind()) => Ok(error),
        Err(error) => {
            let kinds: Vec<_> = kinds.iter().map(|kind| kind.as_str()).collect();
            Err(error.context(format_args!("{what}: an error, but not {}", kinds.join(" or "))).into())
        }
        Ok(answer) => Err(Problem::Wrong(format!("{what}: it was to be refused, and answered {answer:?}"))),
    }
}

/// The call was refused because this resource is not there.
pub(crate) fn missing<T: fmt::Debug>(what: &str, answer: Result<T>, resource: &str, id: &str) -> Verdict {
    about(what, answer, ErrorKind::NotFound, resource, id)
}

/// The call was refused with an error of this kind that names the resource.
pub(crate) fn about<T: fmt::Debug>(
    what: &str,
    answer: Result<T>,
    kind: ErrorKind,
    resource: &str,
    id: &str,
) -> Verdict {
    let error = refused_as(what, answer, &[kind])?;
    same(&format!("{what}: the resource of `{error}`"), error.resource(), Some((resource, id)))
}

/// For what providers agree to disagree on: done, or not found.
pub(crate) fn done_or_missing<T>(answer: Result<T>) -> Result<(), Error> {
    match answer {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
