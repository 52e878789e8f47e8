//! `libcloud compute …`

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use libcloud::catalogue::Service;
use libcloud::common::json;
use libcloud::compute::{
    ComputeDriverExt as _, ListImages, ListSizes, Node, NodeLocation, SshInterface, StorageVolume,
    WaitUntilRunning,
};
use libcloud::{Options, Result};
use serde_json::Value;

use crate::args::ExArgs;
use crate::context::{Context, create_private, seconds};
use crate::output::Columns;

const COMPUTE: Service = Service::Compute;

const NODES: Columns = &[
    ("id", "id"),
    ("name", "name"),
    ("state", "state"),
    ("public ips", "public_ips"),
    ("private ips", "private_ips"),
    ("size", "size"),
    ("image", "image"),
];
const SIZES: Columns = &[
    ("id", "id"),
    ("name", "name"),
    ("ram (MiB)", "ram"),
    ("disk (GB)", "disk"),
    ("bandwidth", "bandwidth"),
    ("price (hour)", "price"),
];
const IMAGES: Columns = &[("id", "id"), ("name", "name")];
const LOCATIONS: Columns = &[("id", "id"), ("name", "name"), ("country", "country")];
const VOLUMES: Columns = &[("id", "id"), ("name", "name"), ("size (GB)", "size"), ("state", "state")];
const SNAPSHOTS: Columns =
    &[("id", "id"), ("name", "name"), ("size (GB)", "size"), ("state", "state"), ("created", "created")];
const KEYS: Columns = &[("name", "name"), ("fingerprint", "fingerprint")];

#[derive(Debug, Args)]
pub(crate) struct ComputeCommand {
    #[command(subcommand)]
    resource: Resource,
}

#[derive(Debug, Subcommand)]
enum Resource {
    /// Servers
    #[command(subcommand, visible_alias = "node")]
    Nodes(Nodes),
    /// What a node can have of memory, disk and traffic
    #[command(subcommand)]
    Sizes(ListAt),
    /// What a node can be made from
    #[command(subcommand)]
    Images(Images),
    /// Where a node can be
    #[command(subcommand)]
    Locations(List),
    /// Disks of their own
    #[command(subcommand)]
    Volumes(Volumes),
    /// What a volume held at one time
    #[command(subcommand)]
    Snapshots(Snapshots),
    /// Key pairs
    #[command(subcommand)]
    Keys(Keys),
}

#[derive(Debug, Subcommand)]
enum List {
    /// List them all
    List,
}

#[derive(Debug, Subcommand)]
enum ListAt {
    /// List them all
    List {
        /// Only those that can be had at this place
        #[arg(long, value_name = "ID")]
        location: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
enum Nodes {
    /// List them all
    List,
    /// Show one
    Show { id: String },
    /// Make one
    Create(CreateNode),
    /// Reboot
    Reboot { id: String },
    /// Start a stopped one
    Start { id: String },
    /// Stop; it can be started again
    Stop { id: String },
    /// Destroy, with what is on it
    Destroy {
        #[arg(required = true)]
        ids: Vec<String>,
    },
    /// Wait until they run and can be connected to
    Wait {
        #[arg(required = true)]
        ids: Vec<String>,
        /// How often to look
        #[arg(long, default_value_t = 5.0, value_name = "SECONDS")]
        period: f64,
        /// How long to wait in all
        #[arg(long, default_value_t = 600.0, value_name = "SECONDS")]
        limit: f64,
        /// Look at the private addresses
        #[arg(long)]
        private: bool,
        /// Let an IPv6 address count
        #[arg(long)]
        ipv6: bool,
    },
}

#[derive(Debug, Args)]
struct CreateNode {
    #[arg(long)]
    name: String,
    /// The size, by its id
    #[arg(long, value_name = "ID")]
    size: String,
    /// The image, by its id
    #[arg(long, value_name = "ID")]
    image: String,
    /// The place, by its id
    #[arg(long, value_name = "ID")]
    location: Option<String>,
    /// A public key to put on it, as a file
    #[arg(long, value_name = "FILE")]
    ssh_key: Option<PathBuf>,
    #[command(flatten)]
    ex: ExArgs,
}

#[derive(Debug, Subcommand)]
enum Images {
    /// List them all
    List {
        /// Only those that can be used at this place
        #[arg(long, value_name = "ID")]
        location: Option<String>,
        #[command(flatten)]
        ex: ExArgs,
    },
    /// Show one
    Show { id: String },
    /// Make one of a node's disk
    Create {
        #[arg(long, value_name = "ID")]
        node: String,
        #[arg(long)]
        name: String,
        #[arg(long)]
        description: Option<String>,
        #[command(flatten)]
        ex: ExArgs,
    },
    /// Delete one
    Delete { id: String },
}

#[derive(Debug, Subcommand)]
enum Volumes {
    /// List them all
    List,
    /// Make one
    Create {
        /// In GB
        #[arg(long)]
        size: u64,
        #[arg(long)]
        name: String,
        #[arg(long, value_name = "ID")]
        location: Option<String>,
        /// The snapshot that it begins with
        #[arg(long, value_name = "ID")]
        snapshot: Option<String>,
        #[command(flatten)]
        ex: ExArgs,
    },
    /// Attach one to a node
    Attach {
        id: String,
        #[arg(long, value_name = "ID")]
        node: String,
        /// What the node is to call it
        #[arg(long)]
        device: Option<String>,
    },
    /// Detach one
    Detach { id: String },
    /// Destroy one, with what is on it
    Destroy { id: String },
}

#[derive(Debug, Subcommand)]
enum Snapshots {
    /// List those of a volume
    List {
        #[arg(long, value_name = "ID")]
        volume: String,
    },
    /// Make one of a volume
    Create {
        #[arg(long, value_name = "ID")]
        volume: String,
        #[arg(long)]
        name: Option<String>,
    },
    /// Destroy one
    Destroy { id: String },
}

#[derive(Debug, Subcommand)]
enum Keys {
    /// List them all
    List,
    /// Show one
    Show { name: String },
    /// Let the provider make one; its private key is shown in JSON, once
    Create {
        name: String,
        /// Write the private key to this file, which must not exist, for you alone
        #[arg(long, value_name = "FILE")]
        private_key_file: Option<PathBuf>,
    },
    /// Give the provider a public key
    Import { name: String, file: PathBuf },
    /// Delete one
    Delete { name: String },
}

pub(crate) async fn run(context: &Context, command: ComputeCommand) -> Result<ExitCode> {
    match command.resource {
        Resource::Nodes(command) => return nodes(context, command).await,
        Resource::Sizes(ListAt::List { location }) => {
            let mut options = ListSizes::new();
            options.location = location.map(NodeLocation::from_id);
            context.output.list(SIZES, context.compute()?.iterate_sizes_with(options)).await
        }
        Resource::Images(command) => images(context, command).await,
        Resource::Locations(List::List) => {
            context.output.list(LOCATIONS, context.compute()?.iterate_locations_with(Options::new())).await
        }
        Resource::Volumes(command) => volumes(context, command).await,
        Resource::Snapshots(command) => snapshots(context, command).await,
        Resource::Keys(command) => keys(context, command).await,
    }?;
    Ok(ExitCode::SUCCESS)
}

async fn nodes(context: &Context, command: Nodes) -> Result<ExitCode> {
    match command {
        Nodes::Destroy { ids } => return destroy_nodes(context, &ids).await,
        Nodes::List => context.output.list(NODES, context.compute()?.iterate_nodes()).await,
        Nodes::Show { id } => context.output.value(&context.compute()?.get_node(&id).await?),
        Nodes::Create(create) => {
            let mut args = json!({ "name": create.name, "size": create.size, "image": create.image });
            if let Some(map) = args.as_object_mut() {
                if let Some(location) = create.location {
                    map.insert("location".into(), location.into());
                }
                if let Some(path) = create.ssh_key {
                    let key = std::fs::read_to_string(&path).map_err(|error| {
                        libcloud::Error::io(format_args!("read the public key {}", path.display()), error)
                    })?;
                    map.insert("auth".into(), json!({ "pubkey": key.trim() }));
                }
            }
            context.make(COMPUTE, "create_node", args, Some(create.ex)).await
        }
        Nodes::Reboot { id } => {
            context.change(COMPUTE, "reboot_node", json!({ "node": id }), &format!("{id} reboots")).await
        }
        Nodes::Start { id } => {
            context.change(COMPUTE, "start_node", json!({ "node": id }), &format!("{id} starts")).await
        }
        Nodes::Stop { id } => {
            context.change(COMPUTE, "stop_node", json!({ "node": id }), &format!("{id} stops")).await
        }
        Nodes::Wait { ids, period, limit, private, ipv6 } => {
            let mut options = WaitUntilRunning::new().wait_period(seconds(period)?).timeout(seconds(limit)?);
            if private {
                options = options.ssh_interface(SshInterface::PrivateIps);
            }
            if ipv6 {
                options = options.accept_ipv6();
            }
            context.note(format_args!("waiting for {} …", ids.join(", ")));
            let nodes: Vec<Node> = ids.into_iter().map(Node::from_id).collect();
            let ready = context.compute()?.wait_until_running(&nodes, options).await?;
            let nodes = futures_util::stream::iter(ready.into_iter().map(|(node, _)| Ok(node)));
            context.output.list(NODES, nodes).await
        }
    }?;
    Ok(ExitCode::SUCCESS)
}

async fn destroy_nodes(context: &Context, ids: &[String]) -> Result<ExitCode> {
    context.confirm(&format!("destroy {}, with what is on it", ids.join(", "))).await?;
    let calls: Vec<Value> = ids.iter().map(|id| json!({ "node": id })).collect();
    if context.is_dry_each("destroy_node", &calls).await? {
        return Ok(ExitCode::SUCCESS);
    }
    let driver = context.compute()?;
    let destroy = async |id: &String| {
        driver.destroy_node(&Node::from_id(id)).await?;
        Ok(format!("{id} is destroyed"))
    };
    context.each(ids, destroy).await
}

async fn images(context: &Context, command: Images) -> Result<()> {
    match command {
        Images::List { location, ex } => {
            let mut options = ListImages::new();
            options.location = location.map(NodeLocation::from_id);
            let mut arguments = json!({});
            ex.add_to(&mut arguments);
            for (name, value) in arguments.as_object().into_iter().flatten() {
                options = options.ex_arg(name, value.clone());
            }
            context.output.list(IMAGES, context.compute()?.iterate_images_with(options)).await
        }
        Images::Show { id } => context.output.value(&context.compute()?.get_image(&id).await?),
        Images::Create { node, name, description, ex } => {
            context
                .make(
                    COMPUTE,
                    "create_image",
                    json!({ "node": node, "name": name, "description": description }),
                    Some(ex),
                )
                .await
        }
        Images::Delete { id } => {
            context.confirm(&format!("delete the image {id}")).await?;
            context
                .change(COMPUTE, "delete_image", json!({ "node_image": id }), &format!("{id} is deleted"))
                .await
        }
    }
}

async fn volumes(context: &Context, command: Volumes) -> Result<()> {
    match command {
        Volumes::List => {
            context.output.list(VOLUMES, context.compute()?.iterate_volumes_with(Options::new())).await
        }
        Volumes::Create { size, name, location, snapshot, ex } => {
            let args = json!({ "size": size, "name": name, "location": location, "snapshot": snapshot });
            context.make(COMPUTE, "create_volume", args, Some(ex)).await
        }
        Volumes::Attach { id, node, device } => {
            let done = format!("{id} is attached to {node}");
            context
                .change(
                    COMPUTE,
                    "attach_volume",
                    json!({ "node": node, "volume": id, "device": device }),
                    &done,
                )
                .await
        }
        Volumes::Detach { id } => {
            context
                .change(COMPUTE, "detach_volume", json!({ "volume": id }), &format!("{id} is detached"))
                .await
        }
        Volumes::Destroy { id } => {
            context.confirm(&format!("destroy {id}, with what is on it")).await?;
            context
                .change(COMPUTE, "destroy_volume", json!({ "volume": id }), &format!("{id} is destroyed"))
                .await
        }
    }
}

async fn snapshots(context: &Context, command: Snapshots) -> Result<()> {
    match command {
        Snapshots::List { volume } => {
            let volume = StorageVolume::from_id(volume);
            let listed = context.compute()?.iterate_volume_snapshots_with(&volume, Options::new());
            context.output.list(SNAPSHOTS, listed).await
        }
        Snapshots::Create { volume, name } => {
            context
                .make(COMPUTE, "create_volume_snapshot", json!({ "volume": volume, "name": name }), None)
                .await
        }
        Snapshots::Destroy { id } => {
            context.confirm(&format!("destroy the snapshot {id}")).await?;
            context
                .change(
                    COMPUTE,
                    "destroy_volume_snapshot",
                    json!({ "snapshot": id }),
                    &format!("{id} is destroyed"),
                )
                .await
        }
    }
}

async fn keys(context: &Context, command: Keys) -> Result<()> {
    match command {
        Keys::List => {
            context.output.list(KEYS, context.compute()?.iterate_key_pairs_with(Options::new())).await
        }
        Keys::Show { name } => context.output.value(&context.compute()?.get_key_pair(&name).await?),
        Keys::Create { name, private_key_file } => {
            let file = private_key_file.as_deref().map(create_private).transpose()?;
            let Some(mut made) = context.act(COMPUTE, "create_key_pair", json!({ "name": name })).await?
            else {
                return Ok(());
            };
            if let (Some(mut file), Some(map)) = (file, made.as_object_mut())
                && let Some(Value::String(key)) = map.remove("private_key")
            {
                use std::io::Write as _;
                file.write_all(key.as_bytes())
                    .map_err(|error| libcloud::Error::io("write the private key", error))?;
            }
            context.output.value(&made)
        }
        Keys::Import { name, file } => {
            context
                .make(
                    COMPUTE,
                    "import_key_pair_from_file",
                    json!({ "name": name, "key_file_path": file }),
                    None,
                )
                .await
        }
        Keys::Delete { name } => {
            context.confirm(&format!("delete the key pair {name}")).await?;
            context
                .change(
                    COMPUTE,
                    "delete_key_pair",
                    json!({ "key_pair": name }),
                    &format!("{name} is deleted"),
                )
                .await
        }
    }
}
