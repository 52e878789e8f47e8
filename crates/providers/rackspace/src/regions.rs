//! The regions: <https://docs.rackspace.com/docs/about-regions>

use libcloud_common::{Error, Result};

/// A region, and what is not the same in all of them.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Region {
    /// As the service catalogue writes it.
    pub(crate) name: &'static str,
    /// The identity service of the accounts that are there.
    pub(crate) auth_url: &'static str,
    /// The table of prices.
    pub(crate) prices: &'static str,
}

const US: &str = "https://identity.api.rackspacecloud.com";
const UK: &str = "https://lon.identity.api.rackspacecloud.com";

const REGIONS: [Region; 6] = [
    Region { name: "DFW", auth_url: US, prices: "rackspacenovaus" },
    Region { name: "ORD", auth_url: US, prices: "rackspacenovaus" },
    Region { name: "IAD", auth_url: US, prices: "rackspacenovaus" },
    Region { name: "LON", auth_url: UK, prices: "rackspacenovalon" },
    Region { name: "SYD", auth_url: US, prices: "rackspacenovasyd" },
    Region { name: "HKG", auth_url: US, prices: "rackspacenovaus" },
];

/// The region of this name; Dallas without.
pub(crate) fn find(name: Option<&str>) -> Result<&'static Region> {
    let name = name.unwrap_or("dfw");
    REGIONS.iter().find(|region| region.name.eq_ignore_ascii_case(name)).ok_or_else(|| {
        let known: Vec<_> = REGIONS.iter().map(|region| region.name.to_lowercase()).collect();
        Error::invalid_argument(format!(
            "`{name}` is not a region of Rackspace: there are `{}`",
            known.join("`, `")
        ))
        .with_resource("option", "region")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_are_found_however_they_are_written() {
        assert_eq!(find(None).unwrap().name, "DFW");
        assert_eq!(find(Some("LON")).unwrap(), find(Some("lon")).unwrap());
        let error = find(Some("ams")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "`ams` is not a region of Rackspace: there are `dfw`, `ord`, `iad`, `lon`, `syd`, `hkg`"
        );
    }
}
