//! The service catalogue: what a token tells about where the services of a cloud are.
//!
//! <https://docs.openstack.org/keystone/latest/contributor/service-catalog.html>

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use libcloud_common::{Error, ErrorKind, Result, Url};

/// The name of the compute service in nearly every catalogue.
const USUAL_NAME: &str = "nova";
/// The region of a cloud that has several and of which none was chosen.
const DEFAULT_REGION: &str = "RegionOne";

/// For whom an endpoint is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Interface {
    /// Everybody.
    #[default]
    Public,
    /// Machines within the cloud's own network.
    Internal,
    /// The cloud's administrators.
    Admin,
}

impl fmt::Display for Interface {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Public => "public",
            Self::Internal => "internal",
            Self::Admin => "admin",
        })
    }
}

impl FromStr for Interface {
    type Err = Error;

    /// Also as version 2.0 writes it: `publicURL`.
    fn from_str(word: &str) -> Result<Self> {
        match word.strip_suffix("URL").unwrap_or(word) {
            "public" => Ok(Self::Public),
            "internal" => Ok(Self::Internal),
            "admin" => Ok(Self::Admin),
            _ => Err(Error::invalid_argument(format!(
                "`{word}` is not an interface: there are `public`, `internal` and `admin`"
            ))
            .with_resource("option", "interface")),
        }
    }
}

/// Which endpoint of the catalogue.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted {
    /// The type of the service: `compute`.
    pub(crate) service_type: String,
    /// Its name, where several services are of one type.
    pub(crate) name: Option<String>,
    /// The region; not needed where there is one.
    pub(crate) region: Option<String>,
    pub(crate) interface: Interface,
}

/// The services of a cloud, as far as the account may use them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Catalogue {
    pub(crate) services: Vec<Service>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Service {
    pub(crate) service_type: String,
    pub(crate) name: Option<String>,
    pub(crate) endpoints: Vec<Endpoint>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Endpoint {
    pub(crate) interface: Interface,
    /// None for a service that is the same in all regions.
    pub(crate) region: Option<String>,
    pub(crate) url: String,
}

impl Catalogue {
    /// Whether there is a service of this type.
    pub(crate) fn has(&self, service_type: &str) -> bool {
        self.services.iter().any(|service| service.service_type == service_type)
    }

    /// Where a service is: in the region that is wanted, else the only one, else `RegionOne`.
    ///
    /// # Errors
    /// `NotSupported` if the cloud has no service of this type; `InvalidArgument`, with what there is, if none is of
    /// this name, in this region or for this interface, or if a region has to be chosen.
    pub(crate) fn find(&self, wanted: &Wanted) -> Result<Url> {
        let Wanted { service_type, name, region, interface } = wanted;
        if self.services.is_empty() {
            return Err(Error::invalid_argument(
                "the token came without a service catalogue: give the project (`ex_tenant_name`), or where the service is \
                 (`ex_force_base_url`)",
            ));
        }
        let services: Vec<_> =
            self.services.iter().filter(|service| service.service_type == *service_type).collect();
        if services.is_empty() {
            return Err(Error::new(
                ErrorKind::NotSupported,
                format!("this cloud has no service of the type `{service_type}`; it has {}", self.types()),
            ));
        }
        // Of several compute services `nova` is meant: others are of old versions.
        let has_usual = services.iter().any(|service| service.name.as_deref() == Some(USUAL_NAME));
        let name = name.as_deref().or(has_usual.then_some(USUAL_NAME));
        let called = |service: &&Service| name.is_none() || name == service.name.as_deref();
        let endpoints: Vec<_> = services
            .iter()
            .copied()
            .filter(called)
            .flat_map(|service| &service.endpoints)
            .filter(|endpoint| endpoint.interface == *interface)
            .collect();
        let regions: BTreeSet<&str> =
            endpoints.iter().filter_map(|endpoint| endpoint.region.as_deref()).collect();
        // The original's default, and what most clouds of one region call it.
        let usual = regions.len() > 1 && regions.contains(DEFAULT_REGION);
        let found = match region.as_deref().or(usual.then_some(DEFAULT_REGION)) {
            Some(region) => endpoints.iter().find(|endpoint| {
                endpoint.region.as_deref().is_none_or(|known| known.eq_ignore_ascii_case(region))
            }),
            None if regions.len() > 1 => {
                return Err(Error::invalid_argument(format!(
                    "the service `{service_type}` is in several regions: choose one of {} as `region`",
                    listed(regions)
                ))
                .with_resource("option", "region"));
            }
            None => endpoints.first(),
        };
        let Some(endpoint) = found else {
            let names = services.iter().filter_map(|service| service.name.as_deref());
            let names = listed(names.collect());
            return Err(Error::invalid_argument(format!(
                "the service catalogue has no {interface} endpoint of the type `{service_type}`{}{}; of that type it has \
                 {names}, with the regions {}",
                name.map(|name| format!(" and the name `{name}`")).unwrap_or_default(),
                region.as_deref().map(|region| format!(" in the region `{region}`")).unwrap_or_default(),
                listed(regions)
            )));
        };
        Url::parse(&endpoint.url).map_err(|error| {
            Error::malformed(&format!("catalog/{service_type}"), format_args!("`{}`: {error}", endpoint.url))
        })
    }

    fn types(&self) -> String {
        listed(self.services.iter().map(|service| service.service_type.as_str()).collect())
    }
}

fn listed(names: BTreeSet<&str>) -> String {
    if names.is_empty() {
        return "none".to_owned();
    }
    let names: Vec<_> = names.into_iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(interface: Interface, region: Option<&str>, url: &str) -> Endpoint {
        Endpoint { interface, region: region.map(str::to_owned), url: url.to_owned() }
    }

    fn catalogue() -> Catalogue {
        let service = |service_type: &str, name: &str, endpoints| Service {
            service_type: service_type.to_owned(),
            name: Some(name.to_owned()),
            endpoints,
        };
        Catalogue {
            services: vec![
                service(
                    "compute",
                    "old",
                    vec![endpoint(Interface::Public, Some("ORD"), "https://old.example/v1")],
                ),
                service(
                    "compute",
                    "nova",
                    vec![
                        endpoint(Interface::Public, Some("ORD"), "https://ord.example/v2.1"),
                        endpoint(Interface::Internal, Some("ORD"), "http://ord.internal/v2.1"),
                        endpoint(Interface::Public, Some("DFW"), "https://dfw.example/v2.1"),
                    ],
                ),
                service("dns", "designate", vec![endpoint(Interface::Public, None, "https://dns.example")]),
                service("image", "glance", vec![endpoint(Interface::Public, Some("ORD"), "nonsense")]),
            ],
        }
    }

    fn wanted(service_type: &str, name: Option<&str>, region: Option<&str>) -> Wanted {
        Wanted {
            service_type: service_type.to_owned(),
            name: name.map(str::to_owned),
            region: region.map(str::to_owned),
            interface: Interface::Public,
        }
    }

    #[test]
    fn type_name_region_and_interface_lead_to_an_endpoint() {
        let catalogue = catalogue();
        for (wanted, url) in [
            (wanted("compute", Some("nova"), Some("ord")), "https://ord.example/v2.1"),
            (wanted("compute", Some("nova"), Some("DFW")), "https://dfw.example/v2.1"),
            (wanted("compute", Some("old"), None), "https://old.example/v1"),
            // Of several, the one that is called as everywhere.
            (wanted("compute", None, Some("ORD")), "https://ord.example/v2.1"),
            // The same in all regions.
            (wanted("dns", None, Some("DFW")), "https://dns.example/"),
            (
                Wanted { interface: Interface::Internal, ..wanted("compute", Some("nova"), None) },
                "http://ord.internal/v2.1",
            ),
        ] {
            assert_eq!(catalogue.find(&wanted).unwrap().as_str(), url, "{wanted:?}");
        }
        assert!(catalogue.has("image") && !catalogue.has("network"));
    }

    #[test]
    fn what_is_not_there_is_told_with_what_is() {
        let catalogue = catalogue();
        for (wanted, kind, text) in [
            (wanted("network", None, None), ErrorKind::NotSupported, "it has `compute`, `dns`, `image`"),
            (
                wanted("compute", Some("nova"), None),
                ErrorKind::InvalidArgument,
                "choose one of `DFW`, `ORD` as `region`",
            ),
            (
                wanted("compute", Some("nova"), Some("LON")),
                ErrorKind::InvalidArgument,
                "no public endpoint of the type `compute` and the name `nova` in the region `LON`; of that type it has \
                 `nova`, `old`, with the regions `DFW`, `ORD`",
            ),
            (wanted("compute", Some("new"), None), ErrorKind::InvalidArgument, "the name `new`;"),
            (wanted("image", None, None), ErrorKind::MalformedResponse, "`nonsense`"),
        ] {
            let error = catalogue.find(&wanted).unwrap_err();
            assert_eq!(error.kind(), kind, "{error}");
            assert!(error.to_string().contains(text), "{error}");
        }
        let error = Catalogue::default().find(&wanted("compute", None, None)).unwrap_err();
        assert!(error.to_string().contains("without a service catalogue"), "{error}");
    }

    #[test]
    fn interfaces_are_read_in_both_spellings() {
        assert_eq!("internalURL".parse::<Interface>().unwrap(), Interface::Internal);
        assert_eq!("admin".parse::<Interface>().unwrap(), Interface::Admin);
        assert!("private".parse::<Interface>().unwrap_err().to_string().contains("`public`"));
    }
}
