//! Time: a typed instant, and the one seam through which the library reads the clock and waits.

use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_core::future::BoxFuture;
use jiff::civil;
use jiff::fmt::rfc2822;
use jiff::tz::TimeZone;
use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Error, Result};

/// A point in time. RFC 3339 in JSON and in `Display`.
///
/// ```
/// use libcloud_common::Timestamp;
///
/// let a: Timestamp = "2013-11-13T12:00:00Z".parse()?;
/// let b: Timestamp = "Wed, 13 Nov 2013 12:00:00 GMT".parse()?;
/// assert_eq!(a, b);
/// assert_eq!(a.unix_seconds(), 1_384_344_000);
/// # Ok::<(), libcloud_common::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(jiff::Timestamp);

impl Timestamp {
    /// Seconds since 1970-01-01T00:00:00Z.
    pub fn from_unix_seconds(seconds: i64) -> Result<Self> {
        jiff::Timestamp::from_second(seconds)
            .map(Self)
            .map_err(|_| Error::invalid_argument(format!("{seconds} is no time in seconds since 1970")))
    }

    /// Seconds since 1970-01-01T00:00:00Z, rounded down.
    pub fn unix_seconds(self) -> i64 {
        self.0.as_second()
    }

    /// `20131113T120000Z`, as AWS signs it.
    pub fn iso_basic(self) -> String {
        self.0.strftime("%Y%m%dT%H%M%SZ").to_string()
    }

    /// `2013-11-13T12:00:00Z`, without fractions of a second.
    pub fn iso_seconds(self) -> String {
        self.0.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
    }

    /// `Wed, 13 Nov 2013 12:00:00 GMT`, as HTTP headers have it.
    pub fn http_date(self) -> String {
        self.0.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
    }

    /// Any text by a `strftime` pattern, in UTC.
    pub fn format(self, pattern: &str) -> String {
        self.0.strftime(pattern).to_string()
    }

    /// This much later; the end of time where that is too late.
    #[must_use]
    pub fn after(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(duration).unwrap_or(jiff::Timestamp::MAX))
    }

    /// How long after `earlier` this is; zero where it is before it.
    pub fn since(self, earlier: Self) -> Duration {
        self.0.duration_since(earlier.0).try_into().unwrap_or_default()
    }
}

impl FromStr for Timestamp {
    type Err = Error;

    /// RFC 3339, ISO 8601 without a zone (taken as UTC) or with a basic offset, RFC 2822 and HTTP dates.
    fn from_str(text: &str) -> Result<Self> {
        let text = text.trim();
        if let Ok(timestamp) = text.parse::<jiff::Timestamp>() {
            return Ok(Self(timestamp));
        }
        if let Ok(datetime) = text.parse::<civil::DateTime>()
            && let Ok(timestamp) = TimeZone::UTC.to_timestamp(datetime)
        {
            return Ok(Self(timestamp));
        }
        if let Ok(timestamp) = rfc2822::DateTimeParser::new().parse_timestamp(text) {
            return Ok(Self(timestamp));
        }
        Err(Error::invalid_argument(format!("`{text}` is not a time (such as 2013-11-13T12:00:00Z)")))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl Visitor<'_> for Text {
            type Value = Timestamp;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Timestamp, E> {
                text.parse().map_err(E::custom)
            }
        }

        deserializer.deserialize_str(Text)
    }
}

/// Reads the time and waits. Everything in libcloud that depends on time asks the clock of its configuration.
pub trait Clock: fmt::Debug + Send + Sync {
    /// The time of day.
    fn now(&self) -> Timestamp;

    /// Time since some fixed moment; never goes back.
    fn elapsed(&self) -> Duration;

    /// Waits. Dropping the future ends the wait.
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()>;
}

/// The machine's clock.
#[derive(Debug)]
pub struct SystemClock {
    start: Instant,
}

#[expect(clippy::disallowed_methods, reason = "this is the seam that everything else goes through")]
impl SystemClock {
    /// The machine's clock, to share.
    pub fn shared() -> Arc<dyn Clock> {
        Arc::new(Self { start: Instant::now() })
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the seam that everything else goes through")]
impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp(jiff::Timestamp::now())
    }

    fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(duration))
    }
}

/// A clock for tests: it stands still, except that waiting moves it on at once.
///
/// ```
/// # use libcloud_common::{Clock, ManualClock, Timestamp};
/// # use std::time::Duration;
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let clock = ManualClock::at("2013-11-13T12:00:00Z".parse()?);
/// clock.sleep(Duration::from_secs(90)).await;
/// assert_eq!(clock.now().to_string(), "2013-11-13T12:01:30Z");
/// assert_eq!(clock.slept(), [Duration::from_secs(90)]);
/// # Ok::<(), libcloud_common::Error>(()) }).unwrap();
/// ```
#[derive(Clone, Debug)]
pub struct ManualClock(Arc<Mutex<Manual>>);

#[derive(Debug)]
struct Manual {
    start: Timestamp,
    slept: Vec<Duration>,
    passed: Duration,
}

impl ManualClock {
    /// A clock that shows this time.
    pub fn at(start: Timestamp) -> Self {
        Self(Arc::new(Mutex::new(Manual { start, slept: Vec::new(), passed: Duration::ZERO })))
    }

    /// Moves the clock on.
    pub fn advance(&self, duration: Duration) {
        self.with(|manual| manual.passed += duration);
    }

    /// Every wait that was asked for, in order.
    pub fn slept(&self) -> Vec<Duration> {
        self.with(|manual| manual.slept.clone())
    }

    fn with<T>(&self, f: impl FnOnce(&mut Manual) -> T) -> T {
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        self.with(|manual| manual.start.after(manual.passed))
    }

    fn elapsed(&self) -> Duration {
        self.with(|manual| manual.passed)
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let clock = self.clone();
        Box::pin(async move {
            clock.with(|manual| {
                manual.passed += duration;
                manual.slept.push(duration);
            });
            tokio::task::yield_now().await;
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_providers_send() {
        let expected: Timestamp = "2013-01-10T16:19:23Z".parse().unwrap();
        for text in [
            "2013-01-10T16:19:23.000Z",
            "2013-01-10T17:19:23+01:00",
            "2013-01-10T16:19:23+0000",
            "2013-01-10T16:19:23",
            "2013-01-10 16:19:23",
            "Thu, 10 Jan 2013 16:19:23 GMT",
            "Thu, 10 Jan 2013 16:19:23 +0000",
        ] {
            assert_eq!(text.parse::<Timestamp>().unwrap(), expected, "{text}");
        }
        assert!("yesterday".parse::<Timestamp>().unwrap_err().to_string().contains("`yesterday`"));
    }

    #[test]
    fn writes_what_providers_want() {
        let time: Timestamp = "2013-01-10T16:19:23.5Z".parse().unwrap();
        assert_eq!(time.iso_basic(), "20130110T161923Z");
        assert_eq!(time.iso_seconds(), "2013-01-10T16:19:23Z");
        assert_eq!(time.http_date(), "Thu, 10 Jan 2013 16:19:23 GMT");
        assert_eq!(serde_json::to_string(&time).unwrap(), "\"2013-01-10T16:19:23.5Z\"");
    }
}
