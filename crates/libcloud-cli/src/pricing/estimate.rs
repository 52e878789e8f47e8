//! What is running costs, and what a create would.

use std::collections::BTreeMap;

use clap::Args;
use libcloud::catalogue::Service;
use libcloud::common::json;
use libcloud::compute::{ComputeDriverExt as _, Node, NodeSize, NodeState};
use libcloud::pricing;
use libcloud::{Error, ErrorKind, Price, Result};
use serde_json::Value;

use super::prices::{self, Found, age, age_in_days};
use super::{chart, currency, is_hourly};
use crate::args::Format;
use crate::context::Context;
use crate::output::Columns;

const NODES: Columns = &[
    ("kind", "kind"),
    ("id", "id"),
    ("name", "name"),
    ("size", "size"),
    ("per hour", "per_hour"),
    ("per month", "per_month"),
    ("date", "date"),
];
const CREATES: Columns = &[
    ("size", "size"),
    ("count", "count"),
    ("per hour", "per_hour"),
    ("per month", "per_month"),
    ("date", "date"),
];

#[derive(Debug, Args)]
pub(super) struct EstimateArgs {
    /// A size that would be created; several are listed side by side, and added up
    #[arg(long = "size", value_name = "SIZE")]
    sizes: Vec<String>,
    /// How many nodes of it
    #[arg(long, value_name = "N", default_value_t = 1, requires = "sizes")]
    count: u64,
    /// How many hours they would run; a month is counted in any case
    #[arg(long, value_name = "H", requires = "sizes")]
    hours: Option<u64>,
    /// Draw the costs of a month as bars
    #[arg(long)]
    chart: bool,
}

/// A line of the bill.
struct Line {
    shown: serde_json::Map<String, Value>,
    name: String,
    per_hour: Option<Price>,
    date: Option<String>,
}

pub(super) async fn run(context: &Context, args: EstimateArgs) -> Result<()> {
    if args.sizes.is_empty() {
        let (lines, currency) = running(context).await?;
        return bill(
            context,
            &lines,
            &currency,
            &Shown { of: "running", columns: NODES, hours: None, args: &args },
        )
        .await;
    }
    let (lines, currency) = creates(context, &args).await?;
    let hours = args.hours;
    bill(context, &lines, &currency, &Shown { of: "create", columns: CREATES, hours, args: &args }).await
}

/// The prices of the provider by the hour, if there is a table of them.
fn table(provider: &str, region: Option<&str>) -> Result<Option<Found>> {
    match prices::find(Service::Compute, provider, region) {
        Ok(found) => Ok(Some(found).filter(|found| is_hourly(&found.table))),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The price of a size in the table, with its date.
fn in_table(table: Option<&Found>, size: &str) -> Result<Option<(Price, Option<String>)>> {
    let Some(table) = table else { return Ok(None) };
    match table.price(size) {
        Ok(price) => Ok(Some((price, table.table.date_of(size).map(str::to_owned)))),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// What the provider tells of its sizes.
async fn told_prices(context: &Context) -> Result<BTreeMap<String, Price>> {
    let sizes: Vec<NodeSize> = context.compute()?.list_sizes().await?;
    Ok(sizes.into_iter().filter_map(|size| Some((size.id, size.price?))).collect())
}

/// What nodes of these sizes would cost.
async fn creates(context: &Context, args: &EstimateArgs) -> Result<(Vec<Line>, String)> {
    let (provider, config) = context.config()?;
    let table = table(&provider, config.region.as_deref())?;
    let in_table = |size: &String| in_table(table.as_ref(), size);
    let found = args.sizes.iter().map(in_table).collect::<Result<Vec<_>>>()?;
    // The provider may tell its own prices: they are today's.
    let told = if found.iter().all(Option::is_some) { BTreeMap::new() } else { told_prices(context).await? };
    let mut lines = Vec::new();
    for (size, found) in args.sizes.iter().zip(found) {
        let found = found.or_else(|| told.get(size).map(|price| (*price, None)));
        let (each, date) = found.ok_or_else(|| {
            let message = format!("there is no price of the size `{size}` of `{provider}`");
            Error::new(ErrorKind::NotFound, message).with_resource("price", size.clone())
        })?;
        let per_hour = each.checked_mul(args.count).ok_or_else(too_much)?;
        let mut shown = serde_json::Map::new();
        shown.insert("size".into(), size.as_str().into());
        shown.insert("count".into(), args.count.into());
        lines.push(Line { shown, name: size.clone(), per_hour: Some(per_hour), date });
    }
    Ok((lines, table.map_or_else(|| "USD".to_owned(), |table| currency(&table.table).to_owned())))
}

/// What the running nodes cost, and the volumes if their prices are known.
async fn running(context: &Context) -> Result<(Vec<Line>, String)> {
    let (provider, config) = context.config()?;
    let driver = context.compute()?;
    let table = table(&provider, config.region.as_deref())?;
    let nodes = driver.list_nodes().await?;
    let running: Vec<Node> = nodes.into_iter().filter(|node| node.state == NodeState::Running).collect();
    let is_priced = |node: &Node| node.size.as_ref().is_some_and(|size| size.price.is_some());
    let in_no_table = |node: &Node| {
        let size = node.size.as_ref().map(|size| in_table(table.as_ref(), &size.id));
        matches!(size, Some(Ok(None)))
    };
    // One listing where nodes tell their size's id, and neither they nor a table its price.
    let told = if running.iter().any(|node| !is_priced(node) && in_no_table(node)) {
        told_prices(context).await?
    } else {
        BTreeMap::new()
    };
    let mut lines = Vec::new();
    for node in &running {
        let size = node.size.as_ref();
        let known = match size {
            Some(size) => in_table(table.as_ref(), &size.id)?,
            None => None,
        };
        let own = size.and_then(|size| size.price.or_else(|| told.get(&size.id).copied()));
        let per_hour = own.or(known.as_ref().map(|(price, _)| *price));
        // The date is that of the table only where the price is.
        let date = known.filter(|(price, _)| Some(*price) == per_hour).and_then(|(_, date)| date);
        let mut shown = serde_json::Map::new();
        shown.insert("kind".into(), "node".into());
        shown.insert("id".into(), node.id.as_str().into());
        shown.insert("name".into(), node.name.as_str().into());
        shown.insert("size".into(), size.map(|size| size.id.as_str()).into());
        lines.push(Line { shown, name: named(&node.name, &node.id), per_hour, date });
    }
    lines.extend(volumes(context, &provider).await?);
    Ok((lines, table.map_or_else(|| "USD".to_owned(), |table| currency(&table.table).to_owned())))
}

/// What the volumes cost, if there is a table `PROVIDER_volumes` with the price of a GB by type, or as `GB` of any.
async fn volumes(context: &Context, provider: &str) -> Result<Vec<Line>> {
    let table = match pricing::get_pricing(Service::Compute.as_str(), &format!("{provider}_volumes")) {
        Ok(table) => table,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut lines = Vec::new();
    for volume in context.compute()?.list_volumes().await? {
        let kinds = ["volume_type", "type"].into_iter().filter_map(|key| volume.extra.get(key)?.as_str());
        let kind = kinds.chain(["GB"]).find(|kind| table.price(kind).is_some());
        let per_hour = kind.and_then(|kind| table.price(kind)?.checked_mul(volume.size?));
        let mut shown = serde_json::Map::new();
        shown.insert("kind".into(), "volume".into());
        shown.insert("id".into(), volume.id.as_str().into());
        shown.insert("name".into(), volume.name.as_str().into());
        shown.insert("size".into(), volume.size.map(|size| format!("{size} GB")).into());
        let date = kind.and_then(|kind| table.date_of(kind)).map(str::to_owned);
        lines.push(Line { shown, name: named(&volume.name, &volume.id), per_hour, date });
    }
    Ok(lines)
}

fn named(name: &str, id: &str) -> String {
    if name.is_empty() { id.to_owned() } else { name.to_owned() }
}

fn too_much() -> Error {
    Error::invalid_argument("that is more than can be counted")
}

/// How a bill is shown.
struct Shown<'a> {
    of: &'static str,
    columns: Columns,
    hours: Option<u64>,
    args: &'a EstimateArgs,
}

/// Writes the bill. What has no price is listed without one, and not counted.
async fn bill(context: &Context, lines: &[Line], currency: &str, shown: &Shown<'_>) -> Result<()> {
    let mut total = Price::ZERO;
    for price in lines.iter().filter_map(|line| line.per_hour) {
        total = total.checked_add(price).ok_or_else(too_much)?;
    }
    let per_month = total.per_month().ok_or_else(too_much)?;
    let for_hours = shown.hours.map(|hours| total.checked_mul(hours).ok_or_else(too_much)).transpose()?;
    let unknown: Vec<&str> = lines
        .iter()
        .filter(|line| line.per_hour.is_none())
        .filter_map(|line| line.shown.get("id").and_then(Value::as_str))
        .collect();
    // The bill is as old as its oldest figure.
    let date = lines.iter().filter_map(|line| line.date.as_deref()).min();
    let rows = lines.iter().map(|line| {
        let mut row = line.shown.clone();
        row.insert("per_hour".into(), json!(line.per_hour));
        row.insert("per_month".into(), json!(line.per_hour.and_then(Price::per_month)));
        row.insert("date".into(), json!(line.date));
        row
    });
    let rows: Vec<_> = rows.collect();
    if matches!(context.global.format, Format::Json | Format::Jsonl) {
        let mut bill = json!({
            shown.of: rows, "per_hour": total, "per_month": per_month, "currency": currency, "unknown": unknown,
            "date": date, "age_days": date.and_then(age_in_days),
        });
        if let (Some(hours), Some(map)) = (for_hours, bill.as_object_mut()) {
            map.insert("hours".into(), json!(shown.hours));
            map.insert("for_hours".into(), json!(hours));
        }
        return context.output.value(&bill);
    }
    let is_table = context.global.format == Format::Table;
    if is_table && shown.args.chart {
        let months = lines.iter().filter_map(|line| Some((line.name.clone(), line.per_hour?.per_month()?)));
        context.output.done(&chart::bars(&months.collect::<Vec<_>>()))?;
    } else {
        context.output.list(shown.columns, futures_util::stream::iter(rows.into_iter().map(Ok))).await?;
    }
    if is_table {
        let mut sentence = format!("{total} {currency} an hour, {per_month} a month");
        if let (Some(hours), Some(price)) = (shown.hours, for_hours) {
            sentence = format!("{sentence}, {price} for {hours} hours");
        }
        if let Some((date, days)) = date.and_then(|date| Some((date, age_in_days(date)?))) {
            sentence = format!("{sentence}; prices of {date}, {}", age(days));
        }
        context.output.done("")?;
        context.output.done(&sentence)?;
    }
    if !unknown.is_empty() {
        context.warn(format_args!("not counted, as their price is not known: {}", unknown.join(", ")));
    }
    Ok(())
}
