//! `libcloud dns …`

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use libcloud::catalogue::Service;
use libcloud::common::json;
use libcloud::dns::{DnsDriverExt as _, Zone};
use libcloud::{Options, Result};
use serde_json::Value;

use crate::args::ExArgs;
use crate::context::Context;
use crate::output::{Columns, Output};

const DNS: Service = Service::Dns;

const ZONES: Columns = &[("id", "id"), ("domain", "domain"), ("type", "type"), ("ttl", "ttl")];
const RECORDS: Columns = &[
    ("id", "id"),
    ("name", "name"),
    ("type", "type"),
    ("ttl", "ttl"),
    ("priority", "extra.priority"),
    ("data", "data"),
];
const TYPES: Columns = &[("type", "type")];

#[derive(Debug, Args)]
pub(crate) struct DnsCommand {
    #[command(subcommand)]
    resource: Resource,
}

#[derive(Debug, Subcommand)]
enum Resource {
    /// Domains
    #[command(subcommand, visible_alias = "zone")]
    Zones(Zones),
    /// What a zone tells
    #[command(subcommand, visible_alias = "record")]
    Records(Records),
    /// The types of records that the provider takes
    #[command(subcommand)]
    Types(Types),
}

#[derive(Debug, Subcommand)]
enum Types {
    /// List them all
    List,
}

#[derive(Debug, Subcommand)]
enum Zones {
    /// List them all
    List,
    /// Show one
    Show { id: String },
    /// Make one
    Create {
        domain: String,
        #[command(flatten)]
        settings: ZoneSettings,
    },
    /// Change one
    Update {
        id: String,
        #[arg(long)]
        domain: Option<String>,
        #[command(flatten)]
        settings: ZoneSettings,
    },
    /// Delete one, with all of its records
    Delete { id: String },
    /// Write one as a zone file, in the form that BIND reads
    Export {
        id: String,
        /// To this file instead of standard output
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
    },
}

#[derive(Debug, Args)]
struct ZoneSettings {
    /// master or slave
    #[arg(long = "type", value_name = "TYPE")]
    type_: Option<String>,
    /// For how many seconds its records may be kept
    #[arg(long, value_name = "SECONDS")]
    ttl: Option<u32>,
    #[command(flatten)]
    ex: ExArgs,
}

#[derive(Debug, Subcommand)]
enum Records {
    /// List those of a zone
    List { zone: String },
    /// Show one
    Show { zone: String, id: String },
    /// Make one: `create ZONE www A 192.0.2.1`; the name `@` is the zone's own
    Create {
        zone: String,
        name: String,
        #[arg(value_name = "TYPE")]
        type_: String,
        data: String,
        #[command(flatten)]
        settings: RecordSettings,
    },
    /// Change one
    Update {
        zone: String,
        id: String,
        #[arg(long)]
        name: Option<String>,
        #[arg(long = "type", value_name = "TYPE")]
        type_: Option<String>,
        #[arg(long)]
        data: Option<String>,
        #[command(flatten)]
        settings: RecordSettings,
    },
    /// Delete one
    Delete { zone: String, id: String },
}

#[derive(Debug, Args)]
struct RecordSettings {
    /// For how many seconds it may be kept
    #[arg(long, value_name = "SECONDS")]
    ttl: Option<u32>,
    /// Of MX and SRV records: the lowest is tried first
    #[arg(long)]
    priority: Option<u16>,
    /// Of SRV records: the share among those of the same priority
    #[arg(long)]
    weight: Option<u16>,
    /// Of SRV records
    #[arg(long)]
    port: Option<u16>,
    #[command(flatten)]
    ex: ExArgs,
}

pub(crate) async fn run(context: &Context, command: DnsCommand) -> Result<ExitCode> {
    match command.resource {
        Resource::Zones(command) => zones(context, command).await,
        Resource::Records(command) => records(context, command).await,
        Resource::Types(Types::List) => {
            let types = context.dns()?.list_record_types();
            let rows = types.into_iter().map(|type_| Ok(json!({ "type": type_ })));
            context.output.list(TYPES, futures_util::stream::iter(rows)).await
        }
    }?;
    Ok(ExitCode::SUCCESS)
}

async fn zones(context: &Context, command: Zones) -> Result<()> {
    match command {
        Zones::List => context.output.list(ZONES, context.dns()?.iterate_zones_with(Options::new())).await,
        Zones::Show { id } => context.output.value(&context.dns()?.get_zone(&id).await?),
        Zones::Create { domain, settings } => {
            let args = json!({ "domain": domain, "type": settings.type_, "ttl": settings.ttl });
            context.make(DNS, "create_zone", args, Some(settings.ex)).await
        }
        Zones::Update { id, domain, settings } => {
            let args = json!({ "zone": id, "domain": domain, "type": settings.type_, "ttl": settings.ttl });
            context.make(DNS, "update_zone", args, Some(settings.ex)).await
        }
        Zones::Delete { id } => {
            context.confirm(&format!("delete the zone {id}, with all of its records")).await?;
            context.change(DNS, "delete_zone", json!({ "zone": id }), &format!("{id} is deleted")).await
        }
        Zones::Export { id, output } => {
            let driver = context.dns()?;
            let zone = driver.get_zone(&id).await?;
            match output {
                Some(path) => driver.export_zone_to_bind_zone_file(&zone, &path).await,
                None => Output::text(&driver.export_zone_to_bind_format(&zone).await?),
            }
        }
    }
}

async fn records(context: &Context, command: Records) -> Result<()> {
    match command {
        Records::List { zone } => {
            let zone = Zone::from_id(zone);
            context.output.list(RECORDS, context.dns()?.iterate_records_with(&zone, Options::new())).await
        }
        Records::Show { zone, id } => context.output.value(&context.dns()?.get_record(&zone, &id).await?),
        Records::Create { zone, name, type_, data, settings } => {
            let mut args = json!({ "zone": zone, "name": own(&name), "type": type_, "data": data });
            let ex = settings.add_to(&mut args);
            context.make(DNS, "create_record", args, Some(ex)).await
        }
        Records::Update { zone, id, name, type_, data, settings } => {
            let record = context.dns()?.get_record(&zone, &id).await?;
            let name = name.as_deref().map(own);
            let mut args = json!({ "record": record, "name": name, "type": type_, "data": data });
            let ex = settings.add_to(&mut args);
            context.make(DNS, "update_record", args, Some(ex)).await
        }
        Records::Delete { zone, id } => {
            context.confirm(&format!("delete the record {id}")).await?;
            let record = context.dns()?.get_record(&zone, &id).await?;
            context
                .change(DNS, "delete_record", json!({ "record": record }), &format!("{id} is deleted"))
                .await
        }
    }
}

/// The name of a record: `@` is the zone's own, which is empty in the API.
fn own(name: &str) -> &str {
    if name == "@" { "" } else { name }
}

impl RecordSettings {
    /// Adds the settings to the arguments of a call and gives the extension arguments back.
    fn add_to(self, args: &mut Value) -> ExArgs {
        if let Some(map) = args.as_object_mut() {
            map.insert("ttl".into(), json!(self.ttl));
            map.insert("priority".into(), json!(self.priority));
            map.insert("weight".into(), json!(self.weight));
            map.insert("port".into(), json!(self.port));
        }
        self.ex
    }
}
