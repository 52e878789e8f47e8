//! `libcloud pricing …`

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use libcloud::catalogue::Service;
use libcloud::common::{Url, json};
use libcloud::pricing::{self, DEFAULT_FILE_URL, DownloadPricing, Entry, PriceTable};
use libcloud::{Price, Result};
use serde_json::{Map, Value};

use crate::args::Format;
use crate::context::Context;
use crate::output::Columns;

mod chart;
mod estimate;
mod prices;

use prices::{Found, age_in_days};

const TABLES: Columns = &[
    ("type", "type"),
    ("name", "name"),
    ("prices of", "entries"),
    ("region", "region"),
    ("currency", "currency"),
    ("unit", "unit"),
    ("date", "date"),
];
const PRICES: Columns =
    &[("size", "size"), ("price", "price"), ("unit", "unit"), ("currency", "currency"), ("date", "date")];
const HOURLY: Columns = &[
    ("size", "size"),
    ("per hour", "per_hour"),
    ("per month", "per_month"),
    ("currency", "currency"),
    ("date", "date"),
];

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
    /// The price table of a provider, or which tables there are
    List {
        /// compute or storage; without, all tables are named
        service: Option<Service>,
        /// A provider or a name in the price tables
        #[arg(value_name = "PROVIDER", requires = "service")]
        name: Option<String>,
        /// Draw the prices as bars
        #[arg(long)]
        chart: bool,
    },
    /// Fetch the current prices of all providers into ~/.libcloud/pricing.json
    Update {
        /// Where from: a price file, or a release of Apache Libcloud as .tar.bz2
        #[arg(long, value_name = "URL", default_value = DEFAULT_FILE_URL)]
        url: Url,
        /// Another file to write
        #[arg(long, value_name = "FILE")]
        to: Option<PathBuf>,
    },
    /// What runs at --provider costs, or with --size what a create would cost
    Estimate(estimate::EstimateArgs),
}

#[derive(Debug, Args)]
struct TableName {
    /// compute or storage
    service: Service,
    /// A provider, or a name in the price tables such as `ec2_us_east`; --region chooses among its regions
    #[arg(value_name = "PROVIDER")]
    name: String,
}

pub(crate) async fn run(context: &Context, command: PricingCommand) -> Result<ExitCode> {
    match command.what {
        What::Get { table, size: None } => {
            let found = prices::find(table.service, &table.name, context.global.region.as_deref())?;
            context.output.value(&*found.table)?;
        }
        What::Get { table, size: Some(size) } => {
            let found = prices::find(table.service, &table.name, context.global.region.as_deref())?;
            let mut row = row(&size, found.price(&size)?, &found.table);
            add_origin(&mut row, &size, &found);
            context.output.value(&row)?;
        }
        What::List { service: Some(service), name: Some(name), chart } => {
            list(context, service, &name, chart).await?;
        }
        What::List { service, .. } => tables(context, service).await?,
        What::Update { url, to } => update(context, url, to).await?,
        What::Estimate(args) => estimate::run(context, args).await?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The prices of a provider, in the region that was named if the table has several.
async fn list(context: &Context, service: Service, name: &str, chart: bool) -> Result<()> {
    let found = prices::find(service, name, context.global.region.as_deref())?;
    let listed = listed(&found.table, found.region.as_deref());
    if chart && context.global.format == Format::Table {
        return context.output.done(&chart::bars(&listed));
    }
    let rows = listed.iter().map(|(size, price)| {
        let mut row = row(size, *price, &found.table);
        row.insert("date".into(), found.table.date_of(size).into());
        Ok(row)
    });
    let rows: Vec<_> = rows.collect();
    let columns = if is_hourly(&found.table) { HOURLY } else { PRICES };
    context.output.list(columns, futures_util::stream::iter(rows)).await
}

/// Which tables there are.
async fn tables(context: &Context, service: Option<Service>) -> Result<()> {
    let mut rows = Vec::new();
    for (kind, name) in pricing::shared().list_pricing()? {
        if service.is_some_and(|service| service.as_str() != kind) {
            continue;
        }
        let table = pricing::get_pricing(&kind, &name)?;
        let info = table.info();
        rows.push(Ok(json!({
            "type": kind, "name": name, "entries": table.len(),
            "region": info.and_then(|info| info.region.as_ref()), "currency": info.map(|info| &info.currency),
            "unit": info.map(|info| &info.unit), "date": info.map(|info| &info.date),
            "source": info.map(|info| &info.source),
        })));
    }
    context.output.list(TABLES, futures_util::stream::iter(rows)).await
}

async fn update(context: &Context, url: Url, to: Option<PathBuf>) -> Result<()> {
    if context.is_dry("download_pricing_file", &json!({ "file_url": url.as_str(), "file_path": to }))? {
        return Ok(());
    }
    let mut options = DownloadPricing::new().file_url(url).config(context.anonymous()?);
    if let Some(path) = to {
        options = options.file_path(path);
    }
    context.note("fetching …");
    let fetched = pricing::download_pricing_file(options).await?;
    context.output.value(&json!({
        "path": fetched.path, "url": fetched.url.as_str(), "updated": fetched.updated, "tables": fetched.tables,
    }))
}

/// Where nothing is said, prices are of an hour.
fn is_hourly(prices: &PriceTable) -> bool {
    prices.info().is_none_or(|info| info.unit == "hour")
}

fn currency(prices: &PriceTable) -> &str {
    prices.info().map_or("USD", |info| info.currency.as_str())
}

fn row(size: &str, price: Price, prices: &PriceTable) -> Map<String, Value> {
    let mut row = Map::new();
    row.insert("size".into(), size.into());
    row.insert("currency".into(), currency(prices).into());
    if is_hourly(prices) {
        row.insert("per_hour".into(), json!(price));
        row.insert("per_month".into(), json!(price.per_month()));
    } else {
        row.insert("price".into(), json!(price));
        row.insert("unit".into(), json!(prices.info().map(|info| &info.unit)));
    }
    row
}

/// Where a price is from and how old it is.
fn add_origin(row: &mut Map<String, Value>, size: &str, found: &Found) {
    row.insert("table".into(), found.name.as_str().into());
    row.insert("region".into(), json!(found.region));
    let date = found.table.date_of(size);
    row.insert("date".into(), date.into());
    row.insert("age_days".into(), date.and_then(age_in_days).into());
    row.insert("source".into(), json!(found.table.info().map(|info| &info.source)));
}

/// The prices of a table: of one by region those in the region that is meant, else every price in it.
fn listed(prices: &PriceTable, region: Option<&str>) -> Vec<(String, Price)> {
    let in_region = |entry: &Entry| match entry {
        Entry::Table(regions) => regions.price(region?),
        _ => None,
    };
    let own = prices.iter().filter_map(|(size, entry)| Some((size.to_owned(), in_region(entry)?)));
    let mut listed: Vec<_> = own.collect();
    if listed.is_empty() {
        flatten("", prices, &mut |path, price| listed.push((path.to_owned(), price)));
    }
    listed
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
