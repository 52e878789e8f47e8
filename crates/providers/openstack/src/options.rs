//! What a driver takes as options of its configuration.

use libcloud_common::{Secret, arguments, serialize_exposed};

/// The options of a driver on OpenStack's protocols, with the names of Apache Libcloud where it has them.
#[arguments(drivers = ["openstack"])]
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct OpenStackOptions {
    /// How to log in: `3.x_password`, `3.x_appcred`, `2.0_password` or `2.0_apikey`.
    #[renamed("ex_force_auth_version")]
    pub auth_version: Option<String>,
    /// The cloud of `clouds.yaml` whose credentials to use.
    pub cloud: Option<String>,
    /// The identity service; the same as `auth_url` of the configuration.
    pub ex_force_auth_url: Option<String>,
    /// A token to use in place of a login.
    #[serde(serialize_with = "serialize_exposed")]
    pub ex_force_auth_token: Option<Secret>,
    /// Where the compute service is, whatever the catalogue says.
    pub ex_force_base_url: Option<String>,
    /// Where the image service is, whatever the catalogue says.
    pub ex_force_image_url: Option<String>,
    /// Where the network service is, whatever the catalogue says.
    pub ex_force_network_url: Option<String>,
    /// The project (tenant) by its name.
    pub ex_tenant_name: Option<String>,
    /// The project (tenant) by its id.
    pub project_id: Option<String>,
    /// The id of the domain that the project is in (`default`).
    pub ex_tenant_domain_id: Option<String>,
    /// The name of the domain that the user is in (`Default`).
    pub ex_domain_name: Option<String>,
    /// What the token is to be good for: `project`, `domain` or `unscoped`.
    pub ex_token_scope: Option<String>,
    /// The type of the compute service in the catalogue (`compute`).
    pub ex_force_service_type: Option<String>,
    /// The name of the compute service in the catalogue (any).
    pub ex_force_service_name: Option<String>,
    /// The region; the same as `region` of the configuration.
    pub ex_force_service_region: Option<String>,
    /// The microversion of the compute API (`2.1`).
    pub ex_force_microversion: Option<String>,
    /// Which endpoints of the catalogue: `public`, `internal` or `admin`.
    pub interface: Option<String>,
}
