//! Identity API v3: <https://docs.openstack.org/api-ref/identity/v3/#authentication-and-token-management>

use libcloud_common::{Error, Identity, Map, Response, Result, Secret, Timestamp, Value, json};
use serde::Deserialize;

use super::catalogue::{Catalogue, Endpoint, Service};
use super::{AuthVersion, Token};
use crate::credentials::{Credentials, Scope};

/// The body that asks for a token.
pub(super) fn request(version: AuthVersion, credentials: &Credentials) -> Result<Value> {
    let (method, content) = match version {
        AuthVersion::V3AppCred => ("application_credential", application_credential(credentials)?),
        AuthVersion::V3Token => {
            ("token", json!({"id": credentials.need(credentials.token.as_ref(), "token")?}))
        }
        _ => {
            let mut user = user(credentials)?;
            let password = credentials.need(credentials.password.as_ref(), "password")?;
            user.insert("password".to_owned(), password.into());
            ("password", json!({"user": user}))
        }
    };
    let identity = json!({"methods": [method], method: content});
    // An application credential has its project in itself.
    let scope = if version == AuthVersion::V3AppCred { None } else { scope(credentials)? };
    Ok(match scope {
        Some(scope) => json!({"auth": {"identity": identity, "scope": scope}}),
        None => json!({"auth": {"identity": identity}}),
    })
}

fn application_credential(credentials: &Credentials) -> Result<Value> {
    let what = "secret of the application credential";
    let secret = credentials.need(credentials.application_credential_secret.as_ref(), what)?;
    match (&credentials.application_credential_id, &credentials.application_credential_name) {
        (Some(id), _) => Ok(json!({"id": id, "secret": secret})),
        // A name belongs to its user.
        (None, Some(name)) => Ok(json!({"name": name, "secret": secret, "user": user(credentials)?})),
        (None, None) => Err(credentials.missing("id of the application credential")),
    }
}

fn user(credentials: &Credentials) -> Result<Map<String, Value>> {
    let mut user = Map::new();
    match (&credentials.user_id, &credentials.username) {
        (Some(id), _) => {
            user.insert("id".to_owned(), json!(id));
        }
        (None, Some(name)) => {
            let domain = domain(credentials.user_domain_id.as_ref(), credentials.user_domain_name.as_ref());
            user.insert("name".to_owned(), json!(name));
            user.insert("domain".to_owned(), domain.unwrap_or_else(|| json!({"name": "Default"})));
        }
        (None, None) => return Err(credentials.missing("user")),
    }
    Ok(user)
}

fn domain(id: Option<&String>, name: Option<&String>) -> Option<Value> {
    match (id, name) {
        (Some(id), _) => Some(json!({"id": id})),
        (None, Some(name)) => Some(json!({"name": name})),
        (None, None) => None,
    }
}

/// What the token is to be good for. Without any of it the service takes the user's default project.
fn scope(credentials: &Credentials) -> Result<Option<Value>> {
    let project = match (&credentials.project_id, &credentials.project_name) {
        (Some(id), _) => Some(json!({"id": id})),
        (None, Some(name)) => {
            let domain =
                domain(credentials.project_domain_id.as_ref(), credentials.project_domain_name.as_ref());
            Some(json!({"name": name, "domain": domain.unwrap_or_else(|| json!({"id": "default"}))}))
        }
        (None, None) => None,
    };
    let whole_domain = domain(credentials.domain_id.as_ref(), credentials.domain_name.as_ref());
    match credentials.scope {
        Some(Scope::Unscoped) => Ok(Some(json!("unscoped"))),
        Some(Scope::Domain) => match whole_domain {
            Some(domain) => Ok(Some(json!({"domain": domain}))),
            None => Err(credentials.missing("domain")),
        },
        Some(Scope::Project) if project.is_none() => Err(credentials.missing("project")),
        Some(Scope::Project) | None => Ok(match (project, whole_domain) {
            (Some(project), _) => Some(json!({"project": project})),
            (None, Some(domain)) => Some(json!({"domain": domain})),
            (None, None) => None,
        }),
    }
}

#[derive(Deserialize)]
struct Answer {
    token: AnswerToken,
}

#[derive(Deserialize)]
struct AnswerToken {
    expires_at: Option<Timestamp>,
    user: Option<Named>,
    project: Option<Named>,
    domain: Option<Named>,
    #[serde(default)]
    catalog: Vec<CatalogService>,
}

#[derive(Deserialize)]
struct Named {
    name: Option<String>,
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
    interface: String,
    region: Option<String>,
    region_id: Option<String>,
    url: String,
}

/// Reads the answer: the token is in a header, everything else in the body.
pub(super) fn token(response: &Response) -> Result<Token> {
    let Some(secret) = response.header("x-subject-token") else {
        return Err(Error::malformed("X-Subject-Token", "the header is missing"));
    };
    let Answer { token } = response.json()?;
    let services = token.catalog.into_iter().map(|service| Service {
        service_type: service.service_type,
        name: service.name,
        endpoints: service.endpoints.into_iter().filter_map(endpoint).collect(),
    });
    Ok(Token {
        secret: Secret::new(secret),
        expires: token.expires_at,
        catalogue: Catalogue { services: services.collect() },
        owner: Identity::new(
            token.user.and_then(|user| user.name),
            token.project.or(token.domain).and_then(|scope| scope.name),
        ),
    })
}

/// None for an interface that nobody asks for.
fn endpoint(endpoint: CatalogEndpoint) -> Option<Endpoint> {
    Some(Endpoint {
        interface: endpoint.interface.parse().ok()?,
        region: endpoint.region.or(endpoint.region_id),
        url: endpoint.url,
    })
}
