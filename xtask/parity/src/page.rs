//! The book's page of rules is what the rules say.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use crate::rules;

const HEAD: &str = "\
# What differs from Apache Libcloud

<!-- Written by `LIBCLOUD_BLESS=1 cargo test -p libcloud-parity page`: change the rules instead. -->

`cargo xtask parity` plays recorded calls of Apache Libcloud, of its releases 0.14 and 3.9.1, against our drivers, and
compares what is sent and what comes of it: see [Contributing](contributing.md#parity). Whatever differs is a failure, unless
one of these rules says that it is meant, and why. What a rule covers is checked as exactly as it can be.
";

fn page() -> String {
    let mut page = HEAD.to_owned();
    let mut seen = BTreeSet::new();
    let mut drivers: Vec<&[&str]> = Vec::new();
    for rule in rules::all() {
        if seen.insert(rule.drivers) {
            drivers.push(rule.drivers);
        }
    }
    for of in drivers {
        let title = if of.is_empty() { "Every driver".to_owned() } else { format!("`{}`", of.join("`, `")) };
        write!(page, "\n## {title}\n\n| Rule | Why |\n|---|---|\n").unwrap();
        for rule in rules::all().filter(|rule| rule.drivers == of) {
            writeln!(page, "| `{}` | {} |", rule.id, rule.reason.replace('|', "\\|")).unwrap();
        }
    }
    page
}

#[test]
fn the_page_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/src/parity.md");
    if std::env::var_os("LIBCLOUD_BLESS").is_some() {
        std::fs::write(&path, page()).unwrap();
    }
    let there = std::fs::read_to_string(&path).unwrap();
    assert!(there == page(), "docs/src/parity.md is out of date: its first lines tell how to write it");
}

#[test]
fn each_rule_has_a_name_of_its_own() {
    let names: Vec<&str> = rules::all().map(|rule| rule.id).collect();
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "{names:?}");
}
