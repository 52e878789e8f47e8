//! What came of it, counted.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use libcloud_testkit::cassette::Call;
use serde::Serialize;
use serde_json::Value;

use crate::compare::{Difference, Place};
use crate::rules::{self, Context};

/// What came of one call.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// No difference.
    Passed,
    /// Every difference is meant, by these rules.
    Explained(Vec<&'static str>),
    /// These differences are not.
    Failed(Vec<Difference>),
    /// The API is shut down and replaced.
    Superseded(&'static str),
    /// It could not be played; why.
    Skipped(String),
}

impl Verdict {
    /// Judges the differences of a call.
    pub(crate) fn of(context: &Context<'_>) -> Self {
        let mut explained = Vec::new();
        let mut failed = Vec::new();
        for difference in context.differences {
            match rules::explain(context, difference) {
                Some(rule) => explained.push(rule.id),
                None => failed.push(difference.clone()),
            }
        }
        explained.sort_unstable();
        explained.dedup();
        match (failed.is_empty(), explained.is_empty()) {
            (false, _) => Self::Failed(failed),
            (true, true) => Self::Passed,
            (true, false) => Self::Explained(explained),
        }
    }

    /// A failure by one difference.
    pub(crate) fn failed(place: Place, recorded: Option<&str>, ours: Option<String>) -> Self {
        Self::Failed(vec![Difference {
            place,
            request: None,
            recorded: recorded.map(Value::from),
            ours: ours.map(Value::from),
        }])
    }
}

/// One line of the table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Row {
    /// compute, storage …
    pub(crate) api: String,
    /// Our driver's id, or the original's class where we have none.
    pub(crate) driver: String,
    /// All recorded calls, constructors included: the sum of the other five.
    pub(crate) calls: usize,
    /// Without a difference.
    pub(crate) passed: usize,
    /// With differences that rules cover.
    pub(crate) explained: usize,
    /// With others.
    pub(crate) failed: usize,
    /// Of an API that is shut down and replaced.
    pub(crate) superseded: usize,
    /// That could not be played.
    pub(crate) skipped: usize,
    /// How many of the calls are constructors.
    pub(crate) constructors: usize,
}

/// The table, and what is behind it.
#[derive(Debug, Default)]
pub(crate) struct Report {
    rows: BTreeMap<(String, String), Row>,
    /// Why calls were skipped or superseded, and which rules explained: how often, by row.
    reasons: BTreeMap<(String, String, String), usize>,
    failures: Vec<String>,
}

impl Report {
    /// Counts a call.
    pub(crate) fn add(&mut self, api: &str, driver: &str, call: &Call, verdict: Verdict) {
        let row = self.rows.entry((api.to_owned(), driver.to_owned())).or_default();
        api.clone_into(&mut row.api);
        driver.clone_into(&mut row.driver);
        row.calls += 1;
        row.constructors += usize::from(call.call == "new");
        let mut reasons = Vec::new();
        match verdict {
            Verdict::Passed => row.passed += 1,
            Verdict::Explained(rules) => {
                row.explained += 1;
                reasons.extend(rules.into_iter().map(|rule| format!("explained: {rule}")));
            }
            Verdict::Superseded(why) => {
                row.superseded += 1;
                reasons.push(format!("superseded: {why}"));
            }
            Verdict::Skipped(why) => {
                row.skipped += 1;
                reasons.push(format!("skipped: {why}"));
            }
            Verdict::Failed(differences) => {
                row.failed += 1;
                let mut text = format!("{api}/{driver} {} #{} {}", call.test, call.n, call.call);
                for difference in differences {
                    let _ = write!(text, "\n    {difference}");
                }
                self.failures.push(text);
            }
        }
        for reason in reasons {
            *self.reasons.entry((api.to_owned(), driver.to_owned(), reason)).or_default() += 1;
        }
    }

    /// The lines of the table.
    pub(crate) fn rows(&self) -> impl Iterator<Item = &Row> {
        self.rows.values()
    }

    /// How many calls failed.
    pub(crate) fn failed(&self) -> usize {
        self.rows().map(|row| row.failed).sum()
    }

    /// The table for people, with its sum.
    pub(crate) fn table(&self) -> String {
        let mut table = format!(
            "{:<14}{:<22}{:>7}{:>8}{:>11}{:>8}{:>12}{:>9}\n",
            "api", "driver", "calls", "passed", "explained", "failed", "superseded", "skipped"
        );
        let mut sum = Row { api: "all".into(), ..Row::default() };
        for row in self.rows() {
            sum.calls += row.calls;
            sum.passed += row.passed;
            sum.explained += row.explained;
            sum.failed += row.failed;
            sum.superseded += row.superseded;
            sum.skipped += row.skipped;
            sum.constructors += row.constructors;
        }
        for row in self.rows().chain([&sum]) {
            let _ = writeln!(
                table,
                "{:<14}{:<22}{:>7}{:>8}{:>11}{:>8}{:>12}{:>9}",
                row.api,
                row.driver,
                row.calls,
                row.passed,
                row.explained,
                row.failed,
                row.superseded,
                row.skipped
            );
        }
        let _ = writeln!(table, "{} of the calls are constructors", sum.constructors);
        table
    }

    /// Every failure with its differences, and how often each reason and rule was used.
    pub(crate) fn details(&self) -> String {
        let mut text = String::new();
        for failure in &self.failures {
            let _ = writeln!(text, "failed: {failure}");
        }
        for ((api, driver, reason), count) in &self.reasons {
            let _ = writeln!(text, "{api}/{driver}: {count} {reason}");
        }
        for rule in rules::all() {
            if self.reasons.keys().any(|(_, _, reason)| reason == &format!("explained: {}", rule.id)) {
                let _ = writeln!(text, "rule {}: {}", rule.id, rule.reason);
            }
        }
        text
    }
}
