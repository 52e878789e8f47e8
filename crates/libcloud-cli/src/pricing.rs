//! `libcloud pricing …`

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, Subcommand};
use libcloud::catalogue::{self, Service};
use libcloud::common::json;
use libcloud::compute::{ComputeDriverExt as _, Node, NodeSize, NodeState};
use libcloud::pricing::{self, Entry, PriceTable};
use libcloud::{ErrorKind, Price, Result};
use serde_json::Value;

use crate::args::Format;
use crate::context::Context;
use crate::output::Columns;

const PRICES: Columns = &[
    ("size", "size"),
    ("per hour", "per_hour"),
    ("per month", "per_month"),
    ("price", "price"),
    ("currency", "currency"),
];
const HOURLY: Columns =
    &[("size", "size"), ("per hour", "per_hour"), ("per month", "per_month"), ("currency", "currency")];
const BILL: Columns =
    &[("id", "id"), ("name", "name"), ("size", "size"), ("per hour", "per_hour"), ("per month", "per_month")];

#[derive(Debug, Args)]
pub(crate) struct PricingCommand {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// The price of a size, or all prices of a provider as they stand in the table
    Get {
        #[command(flatten)]
        table: TableName,
        /// The size, by its id; the whole table without
        size: Option<String>,
    },
    /// The price table of a provider: per hour and per month
    List(TableName),
    /// What the running servers of --provider cost
    Estimate,
}

#[derive(Debug, Args)]
struct TableName {
    /// compute, storage, lb or dns
    service: Service,
    /// A provider, or a name in the price tables such as `ec2_us_east`; --region chooses among those of a provider
    #[arg(value_name = "PROVIDER")]
    name: String,
}

pub(crate) async fn run(context: &Context, command: PricingCommand) -> Result<ExitCode> {
    match command.what {
        What::Get { table, size: None } => context.output.value(&*find(context, &table)?.1)?,
        What::Get { table, size: Some(size) } => {
            let (name, prices) = find(context, &table)?;
            let price = pricing::get_size_price(table.service.as_str(), &name, &size)?;
            context.output.value(&row(&size, price, &prices))?;
        }
        What::List(table) => {
            let (_, prices) = find(context, &table)?;
            let mut rows = Vec::new();
            flatten("", &prices, &mut |size, price| rows.push(Ok(row(size, price, &prices))));
            let columns = if is_hourly(&prices) { HOURLY } else { PRICES };
            context.output.list(columns, futures_util::stream::iter(rows)).await?;
        }
        What::Estimate => estimate(context).await?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The prices of a provider, and the name that they stand under: what was given, or what the catalogue and the region
/// make of it.
fn find(context: &Context, table: &TableName) -> Result<(String, Arc<PriceTable>)> {
    let service = table.service;
    let by_region = context.global.region.as_deref().and_then(|region| {
        let provider = catalogue::find(service, &table.name).ok()?.entry.id;
        let of_region = |entry: &&catalogue::Entry| {
            entry.alias_of.is_some_and(|alias| alias.id == provider && alias.region == region)
        };
        Some(catalogue::entries(service).iter().find(of_region)?.seed_value)
    });
    let name = by_region.unwrap_or(&table.name);
    let found = pricing::get_pricing(service.as_str(), name);
    match found {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let Ok(found) = catalogue::find(service, name) else { return Err(error) };
            let seed_value = found.entry.seed_value;
            pricing::get_pricing(service.as_str(), seed_value)
                .map(|prices| (seed_value.to_owned(), prices))
                .map_err(|_| error)
        }
        found => Ok((name.to_owned(), found?)),
    }
}

/// Where nothing is said, prices are of an hour.
fn is_hourly(prices: &PriceTable) -> bool {
    prices.info().is_none_or(|info| info.unit == "hour")
}

fn row(size: &str, price: Price, prices: &PriceTable) -> Value {
    let currency = prices.info().map_or("USD", |info| info.currency.as_str());
    if is_hourly(prices) {
        json!({ "size": size, "per_hour": price, "per_month": price.per_month(), "currency": currency })
    } else {
        let unit = prices.info().map(|info| info.unit.as_str());
        json!({ "size": size, "price": price, "unit": unit, "currency": currency })
    }
}

/// Every price of a table and of the tables in it, whose keys are joined by dots.
fn flatten(path: &str, prices: &PriceTable, each: &mut impl FnMut(&str, Price)) {
    for (key, entry) in prices.iter() {
        let path = if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
        match entry {
            Entry::Price(price) => each(&path, *price),
            Entry::Table(inner) => flatten(&path, inner, each),
            _ => {}
        }
    }
}

/// What the running nodes cost. Those whose price is not known are listed without one.
async fn estimate(context: &Context) -> Result<()> {
    let driver = context.compute()?;
    let nodes = driver.list_nodes().await?;
    let running: Vec<Node> = nodes.into_iter().filter(|node| node.state == NodeState::Running).collect();
    let by_id = |sizes: Vec<NodeSize>| -> BTreeMap<String, Price> {
        sizes.into_iter().filter_map(|size| Some((size.id, size.price?))).collect()
    };
    let is_priced = |node: &Node| node.size.as_ref().is_some_and(|size| size.price.is_some());
    // One listing where nodes tell their size's id and not its price.
    let prices = if running.iter().any(|node| node.size.is_some() && !is_priced(node)) {
        by_id(driver.list_sizes().await?)
    } else {
        BTreeMap::new()
    };
    let price = |node: &Node| {
        let size = node.size.as_ref()?;
        size.price.or_else(|| prices.get(&size.id).copied())
    };

    let (mut rows, mut unknown, mut total) = (Vec::new(), Vec::new(), Some(Price::ZERO));
    for node in &running {
        let hourly = price(node);
        match hourly {
            Some(hourly) => total = total.and_then(|total| total.checked_add(hourly)),
            None => unknown.push(node.id.as_str()),
        }
        rows.push(json!({
            "id": node.id, "name": node.name, "size": node.size.as_ref().map(|size| &size.id),
            "per_hour": hourly, "per_month": hourly.and_then(Price::per_month),
        }));
    }
    let per_month = total.and_then(Price::per_month);
    if matches!(context.global.format, Format::Json | Format::Jsonl) {
        return context.output.value(&json!({
            "nodes": rows, "per_hour": total, "per_month": per_month, "unknown": unknown,
        }));
    }
    context.output.list(BILL, futures_util::stream::iter(rows.into_iter().map(Ok))).await?;
    if context.global.format == Format::Table {
        let written =
            |price: Option<Price>| price.map_or_else(|| "too much to count".into(), |p| p.to_string());
        context.output.done("")?;
        context.output.done(&format!("{} an hour, {} a month", written(total), written(per_month)))?;
    }
    if !unknown.is_empty() {
        context.warn(format_args!("not counted, as their price is not known: {}", unknown.join(", ")));
    }
    Ok(())
}
