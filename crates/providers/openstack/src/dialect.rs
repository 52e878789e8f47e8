//! What the providers on OpenStack's protocols do differently: data, given to the driver that they wrap.

use libcloud_common::Descriptor;

use crate::identity::AuthVersion;

/// Who the provider is and what it does differently. A family that wraps
/// [`OpenStackNodeDriver`](crate::OpenStackNodeDriver) makes one of its own.
///
/// ```
/// use libcloud_common::Descriptor;
/// use libcloud_openstack::{AuthVersion, Dialect};
///
/// let provider = Descriptor::new("example", "Example Cloud", "https://cloud.example");
/// let mut dialect = Dialect::new(provider);
/// dialect.auth_url = Some("https://identity.cloud.example");
/// dialect.auth_version = AuthVersion::V2ApiKey;
/// assert_eq!(dialect.service_name, None);
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Dialect {
    /// The driver's own facts, instead of OpenStack's; its id stands in errors.
    pub descriptor: Descriptor,
    /// The identity service, where it is the same for all accounts.
    pub auth_url: Option<&'static str>,
    /// How one logs in unless the option `auth_version` says otherwise.
    pub auth_version: AuthVersion,
    /// Whether credentials are looked for in `OS_…` and `clouds.yaml`.
    pub environment: bool,
    /// The name of the compute service in the catalogue, where the type alone is not enough.
    pub service_name: Option<&'static str>,
    /// The microversion of the compute API; none for one that does not know microversions.
    pub microversion: Option<&'static str>,
    /// Whether images and networks are asked of their own services (Glance, Neutron) where the catalogue has them.
    pub own_services: bool,
    /// Where the compute API itself lists networks.
    pub networks: &'static str,
    /// The table of prices of the sizes.
    pub prices: Option<&'static str>,
}

impl Dialect {
    /// OpenStack itself, under this name.
    pub const fn new(descriptor: Descriptor) -> Self {
        Self {
            descriptor,
            auth_url: None,
            auth_version: AuthVersion::V3Password,
            environment: true,
            service_name: None,
            // The oldest that all installations of today speak; later ones drop the network calls and change answers.
            microversion: Some("2.1"),
            own_services: true,
            networks: "os-networks",
            prices: None,
        }
    }
}
