//! The book's page of constants is what the catalogue says.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::fmt::Write as _;
use std::path::Path;

use libcloud::catalogue::{self, Entry, Service, Status};

const HEAD: &str = "\
# The constants of Apache Libcloud

<!-- Written by `LIBCLOUD_BLESS=1 cargo test -p libcloud --test constants_page`: change the catalogue instead. -->

Every constant of Apache Libcloud 0.14 (`ATMOS`, and `ALB` and `DUMMY` of the load balancers are not of that version), and what it is
now. Each can be used as it is (`Provider::EC2_EU_WEST`, `--provider ec2_eu_west`), unless it was removed. A provider of
this table may have no driver in this version yet: see [what each driver can do](matrix.md). What the statuses mean is
on [Providers and their status](../providers.md).
";

fn title(service: Service) -> &'static str {
    match service {
        Service::Compute => "Compute",
        Service::Storage => "Storage",
        Service::LoadBalancer => "Load balancers",
        Service::Dns => "DNS",
    }
}

fn page() -> String {
    let mut page = HEAD.to_owned();
    for service in Service::ALL {
        let entries = catalogue::entries(service);
        let is_old = |entry: &&Entry| entry.alias_of.is_some() || entry.removed.is_some();
        write!(page, "\n## {}\n\n| Constant | Id | Name | Status |\n|---|---|---|---|\n", title(service))
            .unwrap();
        for entry in entries.iter().filter(|entry| !is_old(entry)) {
            let name = match entry.website {
                Some(website) => format!("[{}]({website})", entry.name),
                None => entry.name.to_owned(),
            };
            writeln!(page, "| `{}` | `{}` | {name} | {} |", entry.constant, entry.id, status(entry)).unwrap();
        }
        if !entries.iter().any(|entry| is_old(&entry)) {
            continue;
        }
        page.push_str("\nNames for a region, and names of the past:\n\n| Constant | Use now |\n|---|---|\n");
        for entry in entries.iter().filter(is_old) {
            writeln!(page, "| `{}` | {} |", entry.constant, instead(entry)).unwrap();
        }
    }
    page
}

fn status(entry: &Entry) -> String {
    match entry.status {
        Status::Closed { what, instead: Some(id) } => format!("closed: {what}; use `{id}`"),
        Status::Closed { what, instead: None } => format!("closed: {what}"),
        other => other.to_string(),
    }
}

fn instead(entry: &Entry) -> String {
    match (entry.removed, entry.alias_of) {
        (Some(advice), _) => format!("removed: {advice}"),
        (None, Some(alias)) if alias.deprecated => {
            format!("`{}` with the region `{}`", alias.id, alias.region)
        }
        (None, Some(alias)) => format!("good as it is: `{}` with the region `{}`", alias.id, alias.region),
        (None, None) => unreachable!("only old names come here"),
    }
}

#[test]
fn the_page_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/src/providers/constants.md");
    if std::env::var_os("LIBCLOUD_BLESS").is_some() {
        std::fs::write(&path, page()).unwrap();
    }
    let there = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        there == page(),
        "docs/src/providers/constants.md is not what the catalogue says; write it anew with \
         `LIBCLOUD_BLESS=1 cargo test -p libcloud --test constants_page`"
    );
}

#[test]
fn every_constant_is_on_the_page() {
    let page = page();
    for entry in Service::ALL.into_iter().flat_map(catalogue::entries) {
        assert!(page.contains(&format!("| `{}` |", entry.constant)), "{}", entry.constant);
    }
}
