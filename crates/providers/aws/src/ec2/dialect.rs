//! What the clones of EC2 do differently, as data.

use libcloud_common::{Descriptor, Error, Result};

use super::{DESCRIPTOR, SERVICE};
use crate::connection::Service;

/// Which of the services that speak EC2's protocol a driver talks to.
#[derive(Debug)]
pub(crate) struct Dialect {
    /// What the driver is called.
    pub(crate) descriptor: Descriptor,
    /// What the connection needs to know.
    pub(crate) service: Service,
    /// The path below the host; only where one must be named by the configuration.
    pub(crate) path: &'static str,
    /// Whether it is a private cloud with the API of 2010: it has no host of its own, takes signatures of version 2, knows
    /// no page sizes and no filter of addresses, and only nodes are made with a token. Tags are set in a second step.
    pub(crate) old: bool,
    /// What its one region is called, unless the configuration knows better.
    pub(crate) region: &'static str,
    /// Whether resources have tags.
    pub(crate) tags: bool,
    /// Whether there are elastic addresses.
    pub(crate) elastic_addresses: bool,
    /// Where the sizes are told.
    pub(crate) sizes: Sizes,
    /// Methods that EC2 has and this one does not.
    pub(crate) lacks: &'static [Lack],
}

/// A method that a clone does not have, and why.
#[derive(Debug)]
pub(crate) struct Lack {
    pub(crate) method: &'static str,
    pub(crate) reason: &'static str,
}

impl Dialect {
    /// Refuses a method that this one does not have.
    pub(crate) fn has(&self, method: &'static str) -> Result<()> {
        match self.lacks.iter().find(|lack| lack.method == method) {
            Some(lack) => Err(Error::not_supported(lack.method)),
            None => Ok(()),
        }
    }
}

/// Where the sizes are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sizes {
    /// By `DescribeInstanceTypes`, as Amazon answers.
    Described,
    /// By `DescribeInstanceTypes`, as Eucalyptus answers.
    Eucalyptus,
    /// In the table of the region.
    Table,
    /// In the table, but only these, and without prices.
    Listed(&'static [&'static str]),
}

/// Amazon's own.
pub(crate) const AMAZON: Dialect = Dialect {
    descriptor: DESCRIPTOR,
    service: SERVICE,
    path: "",
    old: false,
    region: "us-east-1",
    tags: true,
    elastic_addresses: true,
    sizes: Sizes::Described,
    lacks: &[],
};

/// Eucalyptus: <https://docs.eucalyptus.cloud/>
pub(crate) const EUCALYPTUS: Dialect = Dialect {
    descriptor: Descriptor::new("eucalyptus", "Eucalyptus", "https://docs.eucalyptus.cloud/"),
    service: Service { provider: "eucalyptus", kind: "compute", name: "ec2", api_version: "2010-08-31" },
    path: "services/Eucalyptus",
    old: true,
    region: "us-east-1",
    tags: true,
    elastic_addresses: true,
    sizes: Sizes::Eucalyptus,
    lacks: &[Lack { method: "iterate_locations", reason: "a cloud is one place" }],
};

/// Nimbus: <https://www.nimbusproject.org/>
pub(crate) const NIMBUS: Dialect = Dialect {
    descriptor: Descriptor::new("nimbus", "Nimbus", "https://www.nimbusproject.org/"),
    service: Service { provider: "nimbus", kind: "compute", name: "ec2", api_version: "2010-08-31" },
    path: "",
    old: true,
    region: "nimbus",
    tags: false,
    elastic_addresses: false,
    sizes: Sizes::Listed(&["m1.small", "m1.large", "m1.xlarge"]),
    lacks: &[],
};
