//! Which table has the prices of a provider, and how old they are.

use std::sync::Arc;

use libcloud::catalogue::{self, Service};
use libcloud::pricing::{self, PriceTable};
use libcloud::{ErrorKind, Price, Result, SystemClock, Timestamp};

/// The prices of a provider.
pub(super) struct Found {
    service: Service,
    /// What they stand under.
    pub(super) name: String,
    /// The region that is meant.
    pub(super) region: Option<String>,
    pub(super) table: Arc<PriceTable>,
}

/// The prices of a provider, under the name that was given or one that the catalogue and the region make of it.
///
/// Today's prices go before those that stand under an old name, and those of the user's file before both.
pub(super) fn find(service: Service, name: &str, region: Option<&str>) -> Result<Found> {
    let known = catalogue::find(service, name).ok();
    let provider = known.as_ref().map_or(name, |known| known.entry.id);
    let region = region.or(known.as_ref().and_then(|known| known.region));
    let by_region = catalogue::entries(service).iter().find(|entry| {
        entry.alias_of.is_some_and(|alias| alias.id == provider && Some(alias.region) == region)
    });
    // Where prices differ by operating system, those of Linux are meant.
    let of_linux = format!("{provider}_linux");
    let of_provider = known.as_ref().map(|known| known.entry.seed_value);
    let names = [Some(name), Some(&of_linux), by_region.map(|entry| entry.seed_value), of_provider];

    let mut tables = Vec::new();
    for name in names.into_iter().flatten() {
        match pricing::get_pricing(service.as_str(), name) {
            Ok(table) => tables.push((name, table)),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    let is_own = |table: &PriceTable| table.info().is_some_and(|info| info.file.is_some());
    let chosen = tables.iter().find(|(_, table)| is_own(table)).or(tables.first());
    let Some((chosen, table)) = chosen else {
        return Err(pricing::get_pricing(service.as_str(), name)
            .err()
            .unwrap_or_else(|| libcloud::Error::not_found("pricing", name)));
    };
    // The table of the provider's first region says which that is.
    let first = || {
        let (_, table) = tables.iter().find(|(name, _)| Some(*name) == of_provider)?;
        table.info()?.region.clone()
    };
    let region = region.map(str::to_owned).or_else(first);
    Ok(Found { service, name: (*chosen).to_owned(), region, table: Arc::clone(table) })
}

impl Found {
    /// The price of a size.
    pub(super) fn price(&self, size: &str) -> Result<Price> {
        let (service, name) = (self.service.as_str(), &self.name);
        match &self.region {
            Some(region) if self.table.table(size).is_some() => {
                pricing::get_size_price_in(service, name, size, region)
            }
            _ => pricing::get_size_price(service, name, size),
        }
    }
}

/// How many days ago a day like `2025-03-02` was.
pub(super) fn age_in_days(date: &str) -> Option<u64> {
    let day: Timestamp = format!("{date}T00:00:00Z").parse().ok()?;
    Some(SystemClock::shared().now().since(day).as_secs() / (24 * 60 * 60))
}

/// An age for people.
pub(super) fn age(days: u64) -> String {
    match days {
        0 => "of today".to_owned(),
        1 => "1 day old".to_owned(),
        2..60 => format!("{days} days old"),
        60..730 => format!("{} months old", days / 30),
        _ => format!("{} years old", days / 365),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_told_in_what_people_count_in() {
        for (days, told) in [
            (0, "of today"),
            (1, "1 day old"),
            (59, "59 days old"),
            (90, "3 months old"),
            (729, "24 months old"),
            (4000, "10 years old"),
        ] {
            assert_eq!(age(days), told);
        }
        assert!(age_in_days("2013-11-14").is_some_and(|days| days > 3650));
        assert_eq!(age_in_days("2013"), None);
    }

    #[test]
    fn a_provider_leads_to_its_table() {
        let find = |name, region| find(Service::Compute, name, region).unwrap();
        for (name, region, table, meant) in [
            ("ec2", None, "ec2_linux", Some("us-east-1")),
            ("EC2", Some("eu-central-1"), "ec2_linux", Some("eu-central-1")),
            ("EC2_EU_WEST", None, "ec2_linux", Some("eu-west-1")),
            ("ec2_windows", Some("us-west-2"), "ec2_windows", Some("us-west-2")),
            ("azure", Some("northeurope"), "azure_linux", Some("northeurope")),
            ("gandi", None, "gandi", None),
        ] {
            let found = find(name, region);
            assert_eq!((found.name.as_str(), found.region.as_deref()), (table, meant), "{name}");
        }
    }
}
