//! The catalogue of all providers, compiled in or not.
//!
//! It knows each provider by libcloud's own id (`ec2`), by the name of its constant in Apache Libcloud
//! (`EC2`, `DIGITAL_OCEAN`) and by that constant's value (`ec2_us_east`), which node uuids are made from. Old
//! constants that stand for a region lead to the provider and that region:
//!
//! ```
//! use libcloud::catalogue::{self, Service};
//!
//! let found = catalogue::find(Service::Compute, "EC2_EU_WEST")?;
//! assert_eq!((found.entry.id, found.region), ("ec2", Some("eu-west-1")));
//! # Ok::<(), libcloud_common::Error>(())
//! ```

use std::fmt;
use std::str::FromStr;

use libcloud_common::text::distance;
use libcloud_common::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};

mod table;

pub use table::{compute, dns, loadbalancer, storage};

/// Suggestions may differ from what was typed by this many letters.
const MAX_DISTANCE: usize = 3;

/// The kinds of service that providers offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Service {
    /// Virtual machines and their volumes.
    Compute,
    /// Object storage.
    Storage,
    /// Load balancers; `lb` for short.
    #[serde(alias = "lb")]
    LoadBalancer,
    /// Domain names.
    Dns,
}

impl Service {
    /// All services, in the order of the documentation.
    pub const ALL: [Self; 4] = [Self::Compute, Self::Storage, Self::LoadBalancer, Self::Dns];

    /// The name in configuration, JSON and on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Compute => "compute",
            Self::Storage => "storage",
            Self::LoadBalancer => "loadbalancer",
            Self::Dns => "dns",
        }
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Service {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        match name {
            "compute" => Ok(Self::Compute),
            "storage" => Ok(Self::Storage),
            "loadbalancer" | "lb" => Ok(Self::LoadBalancer),
            "dns" => Ok(Self::Dns),
            _ => Err(Error::invalid_argument(format!(
                "`{name}` is not a service; there are compute, storage, loadbalancer (or lb) and dns"
            ))),
        }
    }
}

/// Whether a provider's service can be used today.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "status", rename_all = "lowercase")]
#[non_exhaustive]
pub enum Status {
    /// There is a service at a known address, or none is needed.
    Active,
    /// The software runs in installations of its users; the caller says at which address.
    Private,
    /// The service has ended. With an explicit endpoint (an emulator, a private installation) the driver works.
    Closed {
        /// What happened, as a sentence without its full stop.
        what: &'static str,
        /// The id of the provider to turn to, of the same service.
        instead: Option<&'static str>,
    },
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Active => "active",
            Self::Private => "private",
            Self::Closed { .. } => "closed",
        })
    }
}

/// What a name that is not a provider of its own stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Alias {
    /// The id of the provider.
    pub id: &'static str,
    /// Its region, as the provider writes it.
    pub region: &'static str,
    /// Whether the name should no longer be used.
    pub deprecated: bool,
}

/// One line of the catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Entry {
    /// The service.
    pub service: Service,
    /// The name of the constant, such as `EC2_EU_WEST`.
    pub constant: &'static str,
    /// Our id, as it is typed: lower case with underscores. Unique within the service.
    pub id: &'static str,
    /// The value of the constant in Apache Libcloud: `ec2_us_east` for `EC2`. Node uuids contain it.
    pub seed_value: &'static str,
    /// The name for people.
    pub name: &'static str,
    /// The provider's website. Closed services have none: their domains may belong to someone else now.
    pub website: Option<&'static str>,
    /// Whether the service can be used today.
    #[serde(flatten)]
    pub status: Status,
    /// The cargo feature that compiles the driver in; it is the name of the provider's family of drivers.
    pub feature: &'static str,
    /// Set where the name stands for a region of another entry.
    pub alias_of: Option<Alias>,
    /// Set where the name is no longer accepted: what to use now.
    pub removed: Option<&'static str>,
}

impl Entry {
    /// Why the service cannot be called without an explicit endpoint, if it is closed.
    pub fn closed(&self) -> Option<Error> {
        let Status::Closed { what, instead } = self.status else {
            return None;
        };
        let advice = match instead {
            Some(id) => format!("use `{id}` instead"),
            None => "there is no successor".to_owned(),
        };
        Some(Error::new(
            ErrorKind::Closed,
            format!("{what}; {advice}, or set `endpoint` to an installation that still runs"),
        ))
    }

    fn answers_to(&self, name: &str) -> bool {
        [self.id, self.constant, self.seed_value].iter().any(|own| same_name(own, name))
    }

    fn resolve(&'static self) -> Result<Found> {
        if let Some(advice) = self.removed {
            return Err(Error::invalid_argument(format!(
                "the {} provider `{}` has been removed; {advice}",
                self.service, self.id
            )));
        }
        let Some(alias) = self.alias_of else {
            return Ok(Found { entry: self, region: None, deprecated: false });
        };
        let target = find(self.service, alias.id)?;
        Ok(Found { entry: target.entry, region: Some(alias.region), deprecated: alias.deprecated })
    }
}

/// What a name leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Found {
    /// The provider; never an alias or a removed name.
    pub entry: &'static Entry,
    /// The region that the name stands for.
    pub region: Option<&'static str>,
    /// Whether the name should be replaced by the entry's id and the region.
    pub deprecated: bool,
}

/// All entries of a service, with the old names, in a fixed order.
pub fn entries(service: Service) -> &'static [Entry] {
    match service {
        Service::Compute => compute::ENTRIES,
        Service::Storage => storage::ENTRIES,
        Service::LoadBalancer => loadbalancer::ENTRIES,
        Service::Dns => dns::ENTRIES,
    }
}

/// Looks a provider up by its id, its constant or the constant's value.
///
/// Case does not matter, nor whether words are joined by a dash or an underscore. A name that was removed and
/// one that is unknown are `InvalidArgument`; the message says what to use, or what names are near.
pub fn find(service: Service, name: &str) -> Result<Found> {
    // A name of its own comes first: `ec2_us_east` is the value of EC2 and the name of the old EC2_US_EAST.
    let entries = entries(service);
    let by_name = entries.iter().find(|entry| same_name(entry.id, name) || same_name(entry.constant, name));
    match by_name.or_else(|| entries.iter().find(|entry| entry.answers_to(name))) {
        Some(entry) => entry.resolve(),
        None => Err(unknown(service, name)),
    }
}

fn unknown(service: Service, name: &str) -> Error {
    let near = near_ids(service, name);
    let elsewhere =
        Service::ALL.into_iter().filter(|other| entries(*other).iter().any(|e| e.answers_to(name)));
    let elsewhere: Vec<_> = elsewhere.map(Service::as_str).collect();
    let hint = if !elsewhere.is_empty() {
        format!("it is one of {}", elsewhere.join(" and "))
    } else if !near.is_empty() {
        format!("did you mean `{}`?", near.join("` or `"))
    } else {
        let own = entries(service).iter().filter(|entry| entry.alias_of.is_none() && entry.removed.is_none());
        format!("there are {}", own.map(|entry| entry.id).collect::<Vec<_>>().join(", "))
    };
    Error::invalid_argument(format!("`{name}` is not a {service} provider; {hint}"))
}

/// The ids that the name may have been meant for, nearest first.
fn near_ids(service: Service, name: &str) -> Vec<&'static str> {
    let name = canonical(name);
    // Of a short name at least half has to be right, or every short id would be near.
    let limit = MAX_DISTANCE.min(name.chars().count() / 2);
    let mut near: Vec<_> = entries(service)
        .iter()
        .filter(|entry| entry.removed.is_none())
        .filter_map(|entry| {
            let letters = distance(&name, entry.id).min(distance(&name, &canonical(entry.constant)));
            let is_start = !name.is_empty() && entry.id.starts_with(&name);
            (is_start || letters <= limit).then_some((letters, entry.id))
        })
        .collect();
    near.sort_unstable();
    near.truncate(5);
    near.into_iter().map(|(_, id)| id).collect()
}

fn canonical(name: &str) -> String {
    name.to_ascii_lowercase().replace('-', "_")
}

fn same_name(one: &str, other: &str) -> bool {
    let byte = |byte: u8| {
        if byte == b'-' { b'_' } else { byte.to_ascii_lowercase() }
    };
    one.bytes().map(byte).eq(other.bytes().map(byte))
}

#[cfg(test)]
mod tests;
