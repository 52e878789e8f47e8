//! `libcloud config check`: where credentials are looked for, and whose they are.

use std::process::ExitCode;

use libcloud::catalogue::Service;
use libcloud::common::{FindCredentials, Identity, Search, Sources, json};
use libcloud::{Driver, Drivers, Error, ErrorKind, Result};

use crate::args::Format;
use crate::context::Context;
use crate::output::Columns;
use crate::profile;

const LOOKS: Columns = &[("what", "what"), ("looked for in", "place"), ("found", "found")];

pub(crate) async fn run(context: &Context, service: Option<Service>) -> Result<ExitCode> {
    let (provider, config) = context.config()?;
    let service = match service {
        Some(service) => service,
        None => first_service(context, &provider)?,
    };
    let mut search = Search::new(&Sources::system());
    note_own_places(context, &mut search)?;
    let found = match find_credentials(context, service, &provider)? {
        Some(find) => find(&config, &mut search),
        None => Ok(()),
    };
    let asked = match found {
        Ok(()) if context.global.dry_run => Ok(None),
        Ok(()) => ask(context, service).await.map(Some),
        Err(error) => Err(error),
    };
    if context.global.format == Format::Json || context.global.format == Format::Jsonl {
        let identity = asked.as_ref().ok().cloned().flatten();
        context.output.value(&json!({
            "provider": provider,
            "service": service.to_string(),
            "looked_for": search.looks(),
            "accepted": identity.is_some(),
            "identity": identity,
        }))?;
    } else {
        let rows = search.looks().iter().cloned().map(Ok);
        context.output.list(LOOKS, futures_util::stream::iter(rows)).await?;
    }
    if let Some(identity) = asked?
        && context.global.format == Format::Table
    {
        let who = match (identity.user, identity.account) {
            (Some(user), Some(account)) => format!("{user}, account {account}"),
            (Some(user), None) => user,
            (None, Some(account)) => format!("account {account}"),
            (None, None) => "the credentials are accepted; whose they are it does not tell".to_owned(),
        };
        context.output.done(&format!("{provider}: {who}"))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The first service that the provider has.
fn first_service(context: &Context, provider: &str) -> Result<Service> {
    let found =
        Service::ALL.into_iter().map(|service| find_credentials(context, service, provider).map(|_| service));
    let mut problem = None;
    for service in found {
        match service {
            Ok(service) => return Ok(service),
            Err(error) => problem = problem.or(Some(error)),
        }
    }
    Err(problem.unwrap_or_else(|| Error::not_supported(provider)))
}

fn find_credentials(context: &Context, service: Service, provider: &str) -> Result<Option<FindCredentials>> {
    fn of<D: Driver + ?Sized>(drivers: &Drivers<D>, provider: &str) -> Result<Option<FindCredentials>> {
        drivers.find(provider).map(|(registration, _)| registration.credentials)
    }
    let registry = &context.registry;
    match service {
        Service::Compute => of(&registry.compute, provider),
        Service::Storage => of(&registry.storage, provider),
        Service::LoadBalancer => of(&registry.loadbalancer, provider),
        Service::Dns => of(&registry.dns, provider),
    }
}

/// The places that the program itself looks at; what it finds there is the driver's configuration.
fn note_own_places(context: &Context, search: &mut Search) -> Result<()> {
    let (global, profile) = (&context.global, context.profile()?);
    let name = global.profile.as_deref().unwrap_or_default();
    let (path, _) = profile::place()?;
    let of_profile = format!("the profile {name} of {}", path.display());

    let key = search.note("key", "--key and LIBCLOUD_KEY", global.key.as_ref());
    if key.is_none()
        && let Some(profile) = profile
    {
        search.note("key", of_profile.clone(), profile.key.as_ref());
    }
    if let Some(path) = &global.secret_file {
        search.note("secret", format!("--secret-file {}", path.display()), Some(()));
        return Ok(());
    }
    let secret = search.note("secret", "--secret and LIBCLOUD_SECRET", global.secret.as_ref());
    if secret.is_none()
        && let Some(profile) = profile
    {
        match &profile.secret_file {
            Some(file) => search.note("secret", format!("{} of {of_profile}", file.display()), Some(())),
            None => search.note("secret", of_profile, profile.secret.as_ref().map(drop)),
        };
    }
    Ok(())
}

/// Asks the provider whose the credentials are; where it has no call for that, whether it takes them at all.
async fn ask(context: &Context, service: Service) -> Result<Identity> {
    let (identity, small_call) = match service {
        Service::Compute => (context.compute()?.identity().await, "list_locations"),
        Service::Storage => (context.storage()?.identity().await, "list_containers"),
        Service::LoadBalancer => (context.loadbalancer()?.identity().await, "list_balancers"),
        Service::Dns => (context.dns()?.identity().await, "list_zones"),
    };
    match identity {
        Err(error) if error.kind() == ErrorKind::NotSupported => {
            context.call(service, small_call, json!({})).await.map(|_| Identity::default())
        }
        told => told,
    }
}
