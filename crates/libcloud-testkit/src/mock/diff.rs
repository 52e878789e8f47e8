//! What was expected beside what came.

use similar::{ChangeTag, TextDiff};

use crate::pattern::Pattern;

/// The lines of an expected request and of a received one; those that are the same only once.
#[derive(Default)]
pub(super) struct Diff {
    lines: Vec<String>,
    differs: bool,
}

impl Diff {
    pub(super) fn same(&mut self, line: &str) {
        self.lines.push(format!("  {line}"));
    }

    pub(super) fn missing(&mut self, line: &str) {
        self.lines.push(format!("- {line}"));
        self.differs = true;
    }

    pub(super) fn unexpected(&mut self, line: &str) {
        self.lines.push(format!("+ {line}"));
        self.differs = true;
    }

    /// A line that must be of this form.
    pub(super) fn text(&mut self, label: &str, expected: &Pattern, received: &str) {
        if expected.matches(received) {
            self.same(&format!("{label}{received}"));
        } else {
            self.missing(&format!("{label}{expected}"));
            self.unexpected(&format!("{label}{received}"));
        }
    }

    /// Several lines, compared one by one for people; whether they are equal is said.
    pub(super) fn lines(&mut self, equal: bool, expected: &str, received: &str) {
        if equal {
            received.lines().for_each(|line| self.same(line));
            return;
        }
        let (wanted, found): (Vec<_>, Vec<_>) = (expected.lines().collect(), received.lines().collect());
        if wanted == found {
            // Only the ends of the lines differ.
            self.missing(&format!("{expected:?}"));
            self.unexpected(&format!("{received:?}"));
            return;
        }
        for change in TextDiff::from_slices(&wanted, &found).iter_all_changes() {
            match change.tag() {
                ChangeTag::Equal => self.same(change.value()),
                ChangeTag::Delete => self.missing(change.value()),
                ChangeTag::Insert => self.unexpected(change.value()),
            }
        }
    }

    /// Names and values in their order.
    pub(super) fn pairs(&mut self, expected: &[(String, Pattern)], received: &[(String, String)]) {
        let matches = |((name, pattern), (known, value)): (&(String, Pattern), &(String, String))| {
            name == known && pattern.matches(value)
        };
        let equal = expected.len() == received.len() && expected.iter().zip(received).all(matches);
        // A value that is as it must be is shown as it came, so that it is no difference.
        let wanted: Vec<String> = expected
            .iter()
            .map(|(name, pattern)| {
                let found = received.iter().find(|(known, value)| known == name && pattern.matches(value));
                found.map_or_else(|| format!("{name}={pattern}"), |(_, value)| format!("{name}={value}"))
            })
            .collect();
        let found: Vec<String> = received.iter().map(|(name, value)| format!("{name}={value}")).collect();
        self.lines(equal, &wanted.join("\n"), &found.join("\n"));
    }

    pub(super) fn finish(self) -> Option<String> {
        self.differs.then(|| self.lines.join("\n") + "\n")
    }
}
