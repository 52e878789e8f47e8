//! `libcloud providers …`

use std::collections::BTreeMap;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use libcloud::catalogue::{self, Service};
use libcloud::common::{ArgSpec, json};
use libcloud::compute::COMPUTE_METHODS;
use libcloud::dns::DNS_METHODS;
use libcloud::loadbalancer::LOADBALANCER_METHODS;
use libcloud::storage::STORAGE_METHODS;
use libcloud::{Capabilities, Driver, Drivers, Error, Result, Support};
use serde_json::Value;

use crate::context::Context;
use crate::output::{Columns, Matrix};

const PROVIDERS: Columns = &[
    ("service", "service"),
    ("id", "id"),
    ("name", "name"),
    ("status", "status"),
    ("compiled in", "compiled_in"),
    ("old name of", "alias_of"),
];

#[derive(Debug, Args)]
pub(crate) struct ProvidersCommand {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// List them: all services, or one
    List {
        /// compute, storage, lb or dns
        service: Option<Service>,
        /// With the constants of the past
        #[arg(long)]
        all: bool,
    },
    /// Show one: status, options, what it can do
    Show {
        /// compute, storage, lb or dns
        service: Service,
        id: String,
    },
    /// What each driver can do
    Matrix {
        /// compute, storage, lb or dns
        service: Option<Service>,
    },
}

/// Hands the drivers of a service to something that does not care which service it is.
macro_rules! with_drivers {
    ($context:expr, $service:expr, $f:expr) => {
        match $service {
            Service::Compute => $f(&$context.registry.compute),
            Service::Storage => $f(&$context.registry.storage),
            Service::LoadBalancer => $f(&$context.registry.loadbalancer),
            Service::Dns => $f(&$context.registry.dns),
        }
    };
}

pub(crate) async fn run(context: &Context, command: ProvidersCommand) -> Result<ExitCode> {
    match command.what {
        What::List { service, all } => {
            let mut rows = Vec::new();
            for service in services(service) {
                let compiled = compiled(context, service);
                let mut third_party = compiled.clone();
                for entry in catalogue::entries(service) {
                    third_party.remove(entry.id);
                    if !all && (entry.alias_of.is_some() || entry.removed.is_some()) {
                        continue;
                    }
                    let status =
                        if entry.removed.is_some() { "removed".into() } else { entry.status.to_string() };
                    rows.push(json!({
                        "service": service, "id": entry.id, "constant": entry.constant, "name": entry.name,
                        "status": status, "website": entry.website, "feature": entry.feature,
                        "compiled_in": compiled.contains_key(entry.id),
                        "alias_of": entry.alias_of.map(|alias| format!("{} ({})", alias.id, alias.region)),
                    }));
                }
                for (id, name) in third_party {
                    rows.push(json!({
                        "service": service, "id": id, "name": name, "status": "active", "compiled_in": true,
                    }));
                }
            }
            let rows = futures_util::stream::iter(rows.into_iter().map(Ok));
            context.output.list(PROVIDERS, rows).await?;
        }
        What::Show { service, id } => {
            let shown = show(context, service, &id)?;
            context.output.value(&shown)?;
        }
        What::Matrix { service } => {
            let services = services(service).into_iter();
            let rows: Vec<_> = services
                .map(|service| Matrix {
                    service,
                    drivers: capabilities(context, service),
                    methods: methods(service),
                })
                .collect();
            context.output.matrix(&rows)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn services(one: Option<Service>) -> Vec<Service> {
    one.map_or_else(|| Service::ALL.to_vec(), |service| vec![service])
}

/// Id and name of every driver of a service that is compiled in.
fn compiled(context: &Context, service: Service) -> BTreeMap<&'static str, &'static str> {
    fn of<D: Driver + ?Sized>(drivers: &Drivers<D>) -> BTreeMap<&'static str, &'static str> {
        drivers.iter().map(|driver| (driver.descriptor.id, driver.descriptor.name)).collect()
    }
    with_drivers!(context, service, of)
}

/// What every driver of a service can do.
fn capabilities(context: &Context, service: Service) -> Vec<(&'static str, Capabilities)> {
    fn of<D: Driver + ?Sized>(drivers: &Drivers<D>) -> Vec<(&'static str, Capabilities)> {
        drivers.iter().map(|driver| (driver.descriptor.id, (driver.capabilities)())).collect()
    }
    with_drivers!(context, service, of)
}

/// The methods of a service's drivers.
fn methods(service: Service) -> Vec<&'static str> {
    match service {
        Service::Compute => COMPUTE_METHODS.iter().map(|method| method.name).collect(),
        Service::Storage => STORAGE_METHODS.iter().map(|method| method.name).collect(),
        Service::LoadBalancer => LOADBALANCER_METHODS.iter().map(|method| method.name).collect(),
        Service::Dns => DNS_METHODS.iter().map(|method| method.name).collect(),
    }
}

fn show(context: &Context, service: Service, id: &str) -> Result<Value> {
    fn of<D: Driver + ?Sized>(drivers: &Drivers<D>, id: &str) -> Option<(&'static [ArgSpec], Capabilities)> {
        drivers.find(id).ok().map(|(driver, _)| (driver.options, (driver.capabilities)()))
    }
    let found = catalogue::find(service, id);
    let id = found.as_ref().map_or(id, |found| found.entry.id);
    let driver = with_drivers!(context, service, |drivers| of(drivers, id));
    let entry = match (&driver, found) {
        (_, Ok(found)) => {
            serde_json::to_value(found.entry).map_err(|error| Error::malformed("catalogue", error))?
        }
        (Some(_), Err(_)) => json!({ "service": service, "id": id }),
        (None, Err(error)) => return Err(error),
    };
    let mut shown = entry;
    if let (Some(map), Some((options, can))) = (shown.as_object_mut(), driver) {
        let support = |wanted: fn(Support) -> bool| -> Vec<&str> {
            methods(service).into_iter().filter(|method| wanted(can.of(method))).collect()
        };
        map.insert("options".into(), json!(options));
        map.insert("can".into(), json!(support(|support| support == Support::Supported)));
        map.insert("cannot".into(), json!(support(|support| support != Support::Supported)));
    }
    Ok(shown)
}
