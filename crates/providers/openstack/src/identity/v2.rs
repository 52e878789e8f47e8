//! Identity API v2.0, which lives on in old installations and, with API keys, at Rackspace:
//! <https://docs.rackspace.com/docs/identity-tokens-service>

use libcloud_common::{Identity, Response, Result, Secret, Timestamp, Value, json};
use serde::Deserialize;

use super::catalogue::{Catalogue, Endpoint, Interface, Service};
use super::{AuthVersion, Token};
use crate::credentials::Credentials;

/// The body that asks for a token.
pub(super) fn request(version: AuthVersion, credentials: &Credentials) -> Result<Value> {
    let Some(username) = &credentials.username else {
        return Err(credentials.missing("user"));
    };
    let secret = |what| credentials.need(credentials.password.as_ref(), what);
    let (method, content) = if version == AuthVersion::V2ApiKey {
        ("RAX-KSKEY:apiKeyCredentials", json!({"username": username, "apiKey": secret("API key")?}))
    } else {
        ("passwordCredentials", json!({"username": username, "password": secret("password")?}))
    };
    let tenant = [("tenantName", &credentials.project_name), ("tenantId", &credentials.project_id)];
    let tenant = tenant.into_iter().filter_map(|(name, value)| Some((name, json!(value.as_ref()?))));
    let auth: Value = tenant.chain([(method, content)]).collect();
    Ok(json!({"auth": auth}))
}

#[derive(Deserialize)]
struct Answer {
    access: Access,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Access {
    token: AccessToken,
    #[serde(default)]
    service_catalog: Vec<CatalogService>,
    user: Option<Named>,
}

#[derive(Deserialize)]
struct Named {
    name: Option<String>,
}

#[derive(Deserialize)]
struct AccessToken {
    id: Secret,
    expires: Option<Timestamp>,
    tenant: Option<Named>,
}

#[derive(Deserialize)]
struct CatalogService {
    #[serde(rename = "type")]
    service_type: String,
    name: Option<String>,
    #[serde(default)]
    endpoints: Vec<CatalogEndpoint>,
}

#[derive(Deserialize)]
struct CatalogEndpoint {
    region: Option<String>,
    #[serde(rename = "publicURL")]
    public_url: Option<String>,
    #[serde(rename = "internalURL")]
    internal_url: Option<String>,
    #[serde(rename = "adminURL")]
    admin_url: Option<String>,
}

/// Reads the answer.
pub(super) fn token(response: &Response) -> Result<Token> {
    let Answer { access } = response.json()?;
    let services = access.service_catalog.into_iter().map(|service| Service {
        service_type: service.service_type,
        name: service.name,
        endpoints: service.endpoints.into_iter().flat_map(endpoints).collect(),
    });
    Ok(Token {
        secret: access.token.id,
        expires: access.token.expires,
        catalogue: Catalogue { services: services.collect() },
        owner: Identity::new(
            access.user.and_then(|user| user.name),
            access.token.tenant.and_then(|tenant| tenant.name),
        ),
    })
}

fn endpoints(endpoint: CatalogEndpoint) -> impl Iterator<Item = Endpoint> {
    let region = endpoint.region;
    [
        (Interface::Public, endpoint.public_url),
        (Interface::Internal, endpoint.internal_url),
        (Interface::Admin, endpoint.admin_url),
    ]
    .into_iter()
    .filter_map(move |(interface, url)| Some(Endpoint { interface, region: region.clone(), url: url? }))
}
