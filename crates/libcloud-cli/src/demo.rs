//! `libcloud demo`: the main job on providers that need no account and no network.

use std::fmt::Display;
use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;
use std::time::Duration;

use futures_util::TryStreamExt as _;
use libcloud::common::json;
use libcloud::compute::{
    ComputeDriver, ComputeDriverExt as _, CreateNode, Node, NodeState, StorageVolumeState, WaitUntilRunning,
};
use libcloud::dns::{CreateRecord, CreateZone, DnsDriverExt as _, RecordType};
use libcloud::loadbalancer::{CreateBalancer, LoadBalancerDriverExt as _};
use libcloud::storage::StorageDriverExt as _;
use libcloud::{Config, Error, ErrorKind, Result, pricing};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::args::Format;
use crate::context::Context;
use crate::output::{self, Columns};

/// The provider of the object storage. Its key is a folder of this machine.
const STORAGE: &str = "local";

/// How many looks a new server is pending for.
const BOOT_POLLS: u32 = 2;
const WAIT: Duration = Duration::from_millis(50);

const NODES: Columns = &[
    ("id", "id"),
    ("name", "name"),
    ("state", "state"),
    ("address", "public_ips"),
    ("size", "size.name"),
    ("image", "image.name"),
];
const OBJECTS: Columns = &[("object", "name"), ("bytes", "size"), ("type", "content_type")];
const MEMBERS: Columns = &[("member", "id"), ("address", "ip"), ("port", "port")];

/// The records of the zone: name, type, data, priority.
const RECORDS: &[(&str, RecordType, &str, Option<u16>)] = &[
    ("", RecordType::Soa, "ns1.example.com. hostmaster.example.com. 2013010100 3600 900 1209600 3600", None),
    ("", RecordType::Ns, "ns1.example.com.", None),
    ("", RecordType::A, "192.0.2.10", None),
    ("", RecordType::Aaaa, "2001:db8::10", None),
    ("", RecordType::Mx, "mail.example.com.", Some(10)),
    ("", RecordType::Txt, "v=spf1 mx -all", None),
    ("www", RecordType::Cname, "example.com.", None),
];

/// Tells what happens, to people only.
struct Stage {
    is_told: bool,
    is_terminal: bool,
}

impl Stage {
    fn new(format: Format) -> Self {
        let is_plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self { is_told: format == Format::Table, is_terminal: std::io::stdout().is_terminal() && !is_plain }
    }

    fn line(&self, text: impl Display) -> Result<()> {
        if !self.is_told {
            return Ok(());
        }
        writeln!(std::io::stdout().lock(), "{text}")
            .map_err(|error| Error::io("write to standard output", error))
    }

    fn heading(&self, text: &str) -> Result<()> {
        self.line(if self.is_terminal { format!("\n\x1b[1m{text}\x1b[0m") } else { format!("\n{text}") })
    }

    fn tick(&self, text: impl Display) -> Result<()> {
        let mark = if self.is_terminal { "\x1b[32m✓\x1b[0m" } else { "ok" };
        self.line(format_args!("  {mark} {text}"))
    }

    fn table(&self, columns: Columns, rows: &[impl Serialize]) -> Result<()> {
        let rows: Vec<Value> = rows
            .iter()
            .map(|row| serde_json::to_value(row).map_err(|error| Error::malformed("result", error)))
            .collect::<Result<_>>()?;
        self.indented(&output::table(columns, &rows))
    }

    fn indented(&self, text: &str) -> Result<()> {
        text.lines().try_for_each(|line| self.line(format_args!("    {line}")))
    }
}

pub(crate) async fn run(context: &Context) -> Result<ExitCode> {
    let format = context.global.format;
    let stage = Stage::new(format);
    stage.line("libcloud: one API for many clouds, here on a cloud in memory: no account, no network")?;
    let mut summary = Map::new();

    let config = Config::anonymous().option("boot_polls", BOOT_POLLS);
    let cloud = context.registry.compute.get_driver("dummy", config)?;
    let nodes = servers(&stage, cloud.as_ref(), &mut summary).await?;
    volumes(&stage, cloud.as_ref(), &nodes, &mut summary).await?;
    storage(context, &stage, &mut summary).await?;
    zone(context, &stage, &mut summary).await?;
    balancer(context, &stage, &nodes, &mut summary).await?;
    prices(&stage, &mut summary)?;

    stage.heading("Cleaning up")?;
    for node in &nodes {
        cloud.destroy_node(node).await?;
    }
    let left = cloud.list_nodes().await?;
    expect(nodes.iter().all(|node| left.iter().all(|other| other.id != node.id)), "a node is left over")?;
    stage.tick(format_args!("{} servers are destroyed; nothing is left", nodes.len()))?;
    summary.insert("cleaned_up".into(), true.into());
    stage.line("\nNow with an account of yours: libcloud config init, libcloud providers list")?;
    if format != Format::Table {
        context.output.value(&summary)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// What a demonstration shows has to be true.
fn expect(is_so: bool, otherwise: &'static str) -> Result<()> {
    if is_so { Ok(()) } else { Err(Error::new(ErrorKind::MalformedResponse, otherwise)) }
}

async fn servers(
    stage: &Stage,
    cloud: &dyn ComputeDriver,
    summary: &mut Map<String, Value>,
) -> Result<Vec<Node>> {
    stage.heading("Servers")?;
    let missing = || Error::new(ErrorKind::NotFound, "the cloud has no sizes or images");
    let size = cloud.list_sizes().await?.into_iter().next().ok_or_else(missing)?;
    let image = cloud.list_images().await?.into_iter().next().ok_or_else(missing)?;
    let mut made = Vec::new();
    for name in ["web-1", "web-2", "db-1"] {
        made.push(cloud.create_node(CreateNode::new(name, &size, &image)).await?);
    }
    expect(made.iter().all(|node| node.state == NodeState::Pending), "a node runs before it has booted")?;
    stage.tick(format_args!(
        "{} servers are being made, of size {} and {}",
        made.len(),
        size.name,
        image.name
    ))?;
    let options = WaitUntilRunning::new().wait_period(WAIT).timeout(Duration::from_secs(10));
    let ready = cloud.wait_until_running(&made, options).await?;
    let nodes: Vec<Node> = ready.into_iter().map(|(node, _)| node).collect();
    expect(nodes.len() == made.len(), "a node has gone")?;
    stage.tick("all of them run and have addresses")?;
    stage.table(NODES, &nodes)?;
    summary.insert("nodes".into(), nodes.iter().map(|node| Value::from(node.name.as_str())).collect());
    Ok(nodes)
}

async fn volumes(
    stage: &Stage,
    cloud: &dyn ComputeDriver,
    nodes: &[Node],
    summary: &mut Map<String, Value>,
) -> Result<()> {
    stage.heading("Volumes")?;
    let Some(node) = nodes.last() else { return expect(false, "there is no node") };
    let volume = cloud.create_volume(10, "data").await?;
    cloud.attach_volume(node, &volume).await?;
    let listed = cloud.list_volumes().await?;
    let attached = listed.iter().find(|known| known.id == volume.id);
    expect(
        attached.is_some_and(|volume| volume.state == StorageVolumeState::InUse),
        "no volume is attached",
    )?;
    stage.tick(format_args!("{}, 10 GB, is made and attached to {}", volume.name, node.name))?;
    cloud.detach_volume(&volume).await?;
    cloud.destroy_volume(&volume).await?;
    expect(cloud.list_volumes().await?.is_empty(), "a volume is left over")?;
    stage.tick("detached and destroyed again")?;
    summary.insert("volume".into(), json!({ "name": volume.name, "size": volume.size }));
    Ok(())
}

async fn storage(context: &Context, stage: &Stage, summary: &mut Map<String, Value>) -> Result<()> {
    stage.heading("Object storage")?;
    let folder = tempfile::tempdir().map_err(|error| Error::io("make a temporary folder", error))?;
    let (cloud, here) = (folder.path().join("cloud"), folder.path().join("here"));
    for path in [&cloud, &here] {
        std::fs::create_dir(path).map_err(|error| Error::io("make a temporary folder", error))?;
    }
    let driver =
        context.registry.storage.get_driver(STORAGE, Config::with_key(cloud.to_string_lossy().as_ref()))?;
    let container = driver.create_container("photos").await?;
    // Larger than what is sent at once, so that it goes in pieces.
    let picture: Vec<u8> = (0..=u8::MAX).cycle().take(1 << 20).collect();
    let from = here.join("cat.jpg");
    std::fs::write(&from, &picture).map_err(|error| Error::io("write a temporary file", error))?;
    driver.upload_object(&from, &container, "2013/cat.jpg").await?;
    driver.upload_object_via_stream("Hello, clouds!\n".into(), &container, "hello.txt").await?;
    stage.tick("a file and a text are uploaded")?;
    let objects = driver.list_container_objects(&container).await?;
    expect(objects.len() == 2, "an object is missing")?;
    stage.table(OBJECTS, &objects)?;

    let to = here.join("copy.jpg");
    let object = driver.get_object("photos", "2013/cat.jpg").await?;
    driver.download_object(&object, &to).await?;
    let arrived = std::fs::read(&to).map_err(|error| Error::io("read a temporary file", error))?;
    expect(arrived == picture, "the file is not what was uploaded")?;
    let text = driver.get_object("photos", "hello.txt").await?;
    let part = driver.download_object_range_as_stream(&text, 7, Some(13)).await?;
    let part: Vec<_> = part.try_collect().await?;
    expect(part.concat() == b"clouds", "the range is not what was asked for")?;
    stage
        .tick(format_args!("downloaded, {} bytes, each as it was; and a range of the text", arrived.len()))?;
    for object in &objects {
        driver.delete_object(object).await?;
    }
    driver.delete_container(&container).await?;
    expect(driver.list_containers().await?.is_empty(), "a container is left over")?;
    stage.tick("deleted again")?;
    summary.insert("storage".into(), json!({ "objects": objects.len(), "bytes_verified": arrived.len() }));
    folder.close().map_err(|error| Error::io("remove the temporary folder", error))
}

async fn zone(context: &Context, stage: &Stage, summary: &mut Map<String, Value>) -> Result<()> {
    stage.heading("DNS")?;
    let driver = context.registry.dns.get_driver("dummy", Config::anonymous())?;
    let zone = driver.create_zone_with("example.com", CreateZone::new().ttl(3600)).await?;
    for (name, type_, data, priority) in RECORDS {
        let mut options = CreateRecord::new();
        options.priority = *priority;
        driver.create_record_with(name, &zone, type_.clone(), data, options).await?;
    }
    stage.tick(format_args!("{} with {} records, as a zone file for BIND:", zone.domain, RECORDS.len()))?;
    let file = driver.export_zone_to_bind_format(&zone).await?;
    for (_, type_, ..) in RECORDS {
        expect(file.contains(&format!("\tIN\t{type_}\t")), "a record is missing in the zone file")?;
    }
    stage.indented(&file)?;
    driver.delete_zone(&zone).await?;
    expect(driver.list_zones().await?.is_empty(), "a zone is left over")?;
    summary.insert("zone".into(), json!({ "domain": zone.domain, "records": RECORDS.len(), "file": file }));
    Ok(())
}

async fn balancer(
    context: &Context,
    stage: &Stage,
    nodes: &[Node],
    summary: &mut Map<String, Value>,
) -> Result<()> {
    stage.heading("Load balancing")?;
    let driver = context.registry.loadbalancer.get_driver("dummy", Config::anonymous())?;
    let balancer = driver.create_balancer(CreateBalancer::new("web", 80, "http")).await?;
    for node in nodes.iter().filter(|node| node.name.starts_with("web")) {
        driver.balancer_attach_compute_node(&balancer, node).await?;
    }
    let members = driver.balancer_list_members(&balancer).await?;
    expect(members.len() == 2, "a member is missing")?;
    let address = balancer.ip.as_deref().unwrap_or_default();
    stage.tick(format_args!("{}, http://{address}, shares its requests between", balancer.name))?;
    stage.table(MEMBERS, &members)?;
    driver.destroy_balancer(&balancer).await?;
    expect(driver.list_balancers().await?.is_empty(), "a balancer is left over")?;
    summary.insert("balancer".into(), json!({ "name": balancer.name, "members": members.len() }));
    Ok(())
}

fn prices(stage: &Stage, summary: &mut Map<String, Value>) -> Result<()> {
    stage.heading("Prices")?;
    let mut listed = Vec::new();
    for (provider, size) in [("dummy", "1"), ("ec2_us_east", "m1.small")] {
        let price = pricing::Pricing::bundled().get_size_price("compute", provider, size)?;
        let month = price.per_month();
        let month_text = month.map(|month| month.to_string()).unwrap_or_default();
        stage.tick(format_args!("{provider} {size}: ${price} an hour, ${month_text} a month"))?;
        listed.push(json!({ "provider": provider, "size": size, "per_hour": price, "per_month": month }));
    }
    summary.insert("prices".into(), listed.into());
    Ok(())
}
