//! `libcloud storage …`

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, Subcommand};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use indicatif::HumanBytes;
use libcloud::catalogue::Service;
use libcloud::common::json;
use libcloud::storage::{
    ByteRange, DownloadObject, Entry, GetObjectCdnUrl, ListEntries, ListObjects, Object, StorageDriver,
    StorageDriverExt as _, StreamObject, UploadObject,
};
use libcloud::{Error, ErrorKind, Options, Result};
use serde_json::Value;

use crate::args::{ExArgs, Format};
use crate::context::Context;
use crate::exit;
use crate::output::Columns;
use crate::progress::Bars;

mod address;
mod content;
mod copy;
mod filter;
mod local;
mod uploads;

use address::Address;
use filter::FilterArgs;

const STORAGE: Service = Service::Storage;

const CONTAINERS: Columns = &[("name", "name")];
const OBJECTS: Columns = &[
    ("name", "name"),
    ("size", "size"),
    ("modified", "last_modified"),
    ("type", "content_type"),
    ("hash", "hash"),
];

#[derive(Debug, Args)]
#[command(
    after_help = "An ADDRESS is container/name at --provider, or provider:container/name. What stands before the \
colon is a profile, or a provider, which then takes its only profile."
)]
pub(crate) struct StorageCommand {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// What objects are in
    #[command(subcommand, visible_alias = "container")]
    Containers(Containers),
    /// Files at a provider
    #[command(subcommand, visible_alias = "object")]
    Objects(Objects),
    /// List containers, or the objects of one
    Ls {
        /// provider: or container or container/beginning-of-names
        address: Option<Address>,
        /// Only objects whose name begins so
        #[arg(long)]
        prefix: Option<String>,
        /// Show what follows the next TEXT of a name as one line, as a folder is: /
        #[arg(long, value_name = "TEXT")]
        delimiter: Option<String>,
        /// Sizes as people read them: 1.2 MiB
        #[arg(long, short = 'H')]
        human: bool,
    },
    /// Uploads in parts that were begun and not ended: nobody sees them, and they cost money
    #[command(subcommand)]
    Uploads(uploads::UploadsCommand),
    /// Copy files to objects, objects to files, or objects to another provider
    Cp(copy::CopyCommand),
    /// Write objects to standard output
    Cat {
        #[arg(required = true, value_name = "ADDRESS")]
        addresses: Vec<Address>,
    },
    /// Delete objects
    Rm {
        #[arg(required = true, value_name = "ADDRESS")]
        addresses: Vec<Address>,
        /// All objects below, as if they were folders
        #[arg(long, short)]
        recursive: bool,
        #[command(flatten)]
        filter: FilterArgs,
    },
    /// Give out a URL of an object that works for some time without an account
    Presign {
        address: Address,
        /// For how long: seconds, or a number with s, m, h or d
        #[arg(long, default_value = "1h", value_name = "TIME", value_parser = span)]
        expires: Duration,
    },
}

#[derive(Debug, Subcommand)]
enum Containers {
    /// List them all
    List,
    /// Show one
    Show { name: String },
    /// Make one
    Create {
        name: String,
        #[command(flatten)]
        ex: ExArgs,
    },
    /// Delete an empty one
    Delete { name: String },
}

#[derive(Debug, Subcommand)]
enum Objects {
    /// List those of a container
    List {
        container: String,
        /// Only those whose name begins so
        #[arg(long)]
        prefix: Option<String>,
    },
    /// Show one: size, type, checksum and what is written on it
    Show { address: Address },
    /// Write one into a file or a folder
    Get {
        address: Address,
        /// `-` is standard output
        #[arg(default_value = ".", value_name = "FILE|FOLDER|-")]
        destination: PathBuf,
        /// Replace a file that is there
        #[arg(long)]
        overwrite: bool,
        /// Only the bytes from START up to, not including, END, or to the end
        #[arg(long, value_name = "START-[END]", value_parser = range)]
        range: Option<ByteRange>,
    },
    /// Make one of a file
    Put {
        address: Address,
        /// `-` is standard input
        #[arg(value_name = "FILE|-")]
        file: PathBuf,
        #[command(flatten)]
        settings: PutSettings,
    },
    /// Delete them
    Delete {
        #[arg(required = true, value_name = "ADDRESS")]
        addresses: Vec<Address>,
    },
}

#[derive(Debug, Args)]
struct PutSettings {
    /// The MIME type; guessed from the name without
    #[arg(long, value_name = "TYPE")]
    content_type: Option<String>,
    /// What is to be written on it; may be given several times
    #[arg(long = "meta", value_name = "KEY=TEXT", value_parser = key_and_text)]
    meta_data: Vec<(String, String)>,
    /// Who may do what with it, in the provider's words: public-read
    #[arg(long)]
    acl: Option<String>,
    /// Fail if there is one of that name, in place of replacing it
    #[arg(long)]
    if_absent: bool,
    #[command(flatten)]
    ex: ExArgs,
}

pub(crate) async fn run(context: &Context, command: StorageCommand) -> Result<ExitCode> {
    match command.what {
        What::Containers(command) => containers(context, command).await,
        What::Objects(command) => return objects(context, command).await,
        What::Ls { address, prefix, delimiter, human } => {
            list(context, address, prefix, delimiter, human).await
        }
        What::Uploads(command) => return uploads::run(context, command).await,
        What::Cp(command) => return copy::run(context, command).await,
        What::Cat { addresses } => {
            for address in addresses {
                let driver = context.storage_at(address.provider.as_deref())?;
                let found = address.object()?;
                let arrives = driver.download_object_as_stream(&found).await?;
                content::write_out(content::checked(arrives, &found.name)).await?;
            }
            Ok(())
        }
        What::Rm { addresses, recursive, filter } => {
            return remove(context, addresses, recursive, &filter).await;
        }
        What::Presign { address, expires } => {
            let options = GetObjectCdnUrl::new().expiry(expires);
            let driver = context.storage_at(address.provider.as_deref())?;
            let url = driver.get_object_cdn_url_with(&address.object()?, options).await?;
            context.output.value(&url)
        }
    }?;
    Ok(ExitCode::SUCCESS)
}

async fn containers(context: &Context, command: Containers) -> Result<()> {
    match command {
        Containers::List => {
            context.output.list(CONTAINERS, context.storage()?.iterate_containers_with(Options::new())).await
        }
        Containers::Show { name } => context.output.value(&context.storage()?.get_container(&name).await?),
        Containers::Create { name, ex } => {
            context.make(STORAGE, "create_container", json!({ "container_name": name }), Some(ex)).await
        }
        Containers::Delete { name } => {
            context.confirm(&format!("delete the container {name}")).await?;
            let done = format!("{name} is deleted");
            context.change(STORAGE, "delete_container", json!({ "container": name }), &done).await
        }
    }
}

async fn list(
    context: &Context,
    address: Option<Address>,
    prefix: Option<String>,
    delimiter: Option<String>,
    human: bool,
) -> Result<()> {
    let driver = context.storage_at(address.as_ref().and_then(|address| address.provider.as_deref()))?;
    let Some(address) = address.filter(|address| !address.container.is_empty()) else {
        if prefix.is_some() || delimiter.is_some() {
            return Err(Error::invalid_argument(
                "--prefix and --delimiter are of objects: give a container, too",
            ));
        }
        return context.output.list(CONTAINERS, driver.iterate_containers_with(Options::new())).await;
    };
    if prefix.is_some() && !address.name.is_empty() {
        return Err(Error::invalid_argument(format!(
            "give the beginning of names in the address or as --prefix, not both: `{address}`"
        )));
    }
    let prefix = prefix.or(Some(address.name.clone()).filter(|name| !name.is_empty()));
    let is_table = context.global.format == Format::Table;
    if delimiter.is_none() && !(human && is_table) {
        let mut options = ListObjects::new();
        options.prefix = prefix;
        let objects = driver.iterate_container_objects_with(&address.container(), options);
        return context.output.list(OBJECTS, objects).await;
    }
    let mut options = ListEntries::new();
    (options.prefix, options.delimiter) = (prefix, delimiter);
    let entries = driver.iterate_container_entries_with(&address.container(), options);
    context.output.list(OBJECTS, entries.map_ok(move |entry| shown(entry, human && is_table))).await
}

/// An entry as a row: an object, or the beginning of names.
fn shown(entry: Entry, human: bool) -> Value {
    match entry {
        Entry::Prefix(name) => json!({ "prefix": name, "name": name }),
        Entry::Object(object) => {
            let mut row = json!(object);
            if let Some(size) = row.get_mut("size").filter(|_| human) {
                *size = HumanBytes(object.size).to_string().into();
            }
            row
        }
        other => json!({ "name": other.name() }),
    }
}

async fn objects(context: &Context, command: Objects) -> Result<ExitCode> {
    match command {
        Objects::List { container, prefix } => {
            list(context, Some(container.parse()?), prefix, None, false).await
        }
        Objects::Show { address } => {
            let driver = context.storage_at(address.provider.as_deref())?;
            let named = address.object()?;
            context.output.value(&driver.get_object(&named.container.name, &named.name).await?)
        }
        Objects::Get { address, destination, overwrite, range } => {
            get(context, &address, destination, overwrite, range).await
        }
        Objects::Put { address, file, settings } => put(context, &address, file, settings).await,
        Objects::Delete { addresses } => {
            return remove(context, addresses, false, &FilterArgs::default()).await;
        }
    }?;
    Ok(ExitCode::SUCCESS)
}

async fn get(
    context: &Context,
    address: &Address,
    destination: PathBuf,
    overwrite: bool,
    range: Option<ByteRange>,
) -> Result<()> {
    let driver = context.storage_at(address.provider.as_deref())?;
    let named = address.object()?;
    if destination.as_os_str() == "-" {
        let mut options = StreamObject::new();
        options.range = range;
        let arrives = driver.download_object_as_stream_with(&named, options).await?;
        return content::write_out(content::checked(arrives, &named.name)).await.map(|_| ());
    }
    if context.is_dry("download_object", &json!({ "obj": named, "destination_path": destination }))? {
        return Ok(());
    }
    let object = driver.get_object(&named.container.name, &named.name).await?;
    let bars = Bars::new(&context.global);
    let bar = bars.add(&object.name);
    let mut options = DownloadObject::new().progress(bar.hears());
    options.overwrite_existing = overwrite;
    match range {
        Some(range) => {
            let (start, end) = (range.start(), range.end());
            driver.download_object_range_with(&object, &destination, start, end, options).await
        }
        None => driver.download_object_with(&object, &destination, options).await,
    }
    .map_err(copy::say_how_to_replace)?;
    drop(bar);
    context.output.done(&format!("{address} is in {}", destination.display()))
}

async fn put(context: &Context, address: &Address, file: PathBuf, settings: PutSettings) -> Result<()> {
    let driver = context.storage_at(address.provider.as_deref())?;
    let address = copy::named_after(address, &file)?;
    let named = address.object()?;
    let mut options = UploadObject::new();
    options.content_type = settings.content_type;
    options.meta_data = settings.meta_data.into_iter().collect();
    options.acl = settings.acl;
    options.only_if_absent = settings.if_absent;
    let mut ex = json!({});
    settings.ex.add_to(&mut ex);
    for (name, value) in ex.as_object().into_iter().flatten() {
        options = options.ex_arg(name, value.clone());
    }
    let args = json!({ "file_path": file, "container": named.container.name, "object_name": named.name });
    if context.is_dry("upload_object", &args)? {
        return Ok(());
    }
    let made = copy::upload(driver.as_ref(), &file, &address, options, &Bars::new(&context.global)).await?;
    context.output.value(&made)
}

/// Deletes objects: those of the addresses, or all below them.
async fn remove(
    context: &Context,
    addresses: Vec<Address>,
    recursive: bool,
    filter: &FilterArgs,
) -> Result<ExitCode> {
    if !recursive && filter.is_given() {
        return Err(Error::invalid_argument(
            "--include and --exclude choose among many: give --recursive, too",
        ));
    }
    let filter = filter.filter()?;
    let mut doomed: Vec<(Arc<dyn StorageDriver>, Object)> = Vec::new();
    for address in &addresses {
        let driver = context.storage_at(address.provider.as_deref())?;
        if recursive {
            let prefix = address.folder_prefix();
            let options = ListObjects::new().prefix(prefix.as_str());
            let mut below = driver.iterate_container_objects_with(&address.container(), options);
            let before = doomed.len();
            while let Some(object) = below.try_next().await? {
                if filter.takes(object.name.strip_prefix(&prefix).unwrap_or(&object.name)) {
                    doomed.push((Arc::clone(&driver), object));
                }
            }
            if doomed.len() == before {
                return Err(Error::not_found("folder", address.to_string()));
            }
        } else {
            doomed.push((driver, address.object()?));
        }
    }
    let written = addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let what = if recursive {
        format!("delete all {} objects in {written}", doomed.len())
    } else {
        format!("delete {written}")
    };
    context.confirm(&what).await?;
    let calls: Vec<Value> = doomed.iter().map(|(_, object)| json!({ "obj": id(object) })).collect();
    if context.is_dry_each("delete_object", &calls).await? {
        return Ok(ExitCode::SUCCESS);
    }
    if let [_, _, ..] = doomed.as_slice() {
        return remove_many(context, doomed).await;
    }
    let delete = async |(driver, object): &(Arc<dyn StorageDriver>, Object)| {
        driver.delete_object(object).await?;
        Ok(format!("{} is deleted", id(object)))
    };
    context.each(&doomed, delete).await
}

/// How many objects are deleted at the same time, where each takes a call.
const AT_ONCE: usize = 16;

/// Deletes many objects: by few calls where the driver can, else by several at a time. What fails is told, and the others
/// are deleted.
async fn remove_many(context: &Context, doomed: Vec<(Arc<dyn StorageDriver>, Object)>) -> Result<ExitCode> {
    let (mut deleted, mut failed) = (0, 0);
    let mut tell = |object: &Object, outcome: Result<()>| match outcome {
        Ok(()) => deleted += 1,
        Err(error) => {
            failed += 1;
            exit::tell(&error.context(id(object)), context.global.format);
        }
    };
    let mut rest = doomed.as_slice();
    while let Some((driver, first)) = rest.first() {
        let same = |(other, object): &&(Arc<dyn StorageDriver>, Object)| {
            Arc::ptr_eq(driver, other) && object.container.name == first.container.name
        };
        let count = rest.iter().take_while(same).take(1000).count();
        let (batch, others) = rest.split_at(count);
        rest = others;
        let objects: Vec<&Object> = batch.iter().map(|(_, object)| object).collect();
        let names: Vec<&str> = objects.iter().map(|object| object.name.as_str()).collect();
        let args = json!({ "container": first.container.name, "object_names": names });
        if let Some(call) = driver.call_ex("ex_delete_objects", &args) {
            let failures = call.await?;
            for object in objects {
                tell(object, failure_of(&failures, &object.name));
            }
            continue;
        }
        let deletions = objects.into_iter().map(async |object| {
            let outcome = driver.delete_object(object).await;
            (object, outcome)
        });
        let mut outcomes = stream::iter(deletions).buffer_unordered(AT_ONCE);
        while let Some((object, outcome)) = outcomes.next().await {
            tell(object, outcome);
        }
    }
    match context.global.format {
        Format::Table => {
            let failed = if failed == 0 { String::new() } else { format!(", {failed} not") };
            context.output.done(&format!("{deleted} deleted{failed}"))?;
        }
        _ => context.output.all_done(failed == 0)?,
    }
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::from(exit::PARTIAL) })
}

/// What the answer of `ex_delete_objects`, which lists what is still there, says of one object.
fn failure_of(failures: &Value, name: &str) -> Result<()> {
    let of = |failure: &&Value| failure.get("object_name").and_then(Value::as_str) == Some(name);
    match failures.as_array().into_iter().flatten().find(of) {
        None => Ok(()),
        Some(failure) => {
            let text = |key: &str| failure.get(key).and_then(Value::as_str).unwrap_or_default();
            Err(Error::new(ErrorKind::Provider, text("message").to_owned()).with_code(text("code")))
        }
    }
}

/// An object as calls by name take it.
fn id(object: &Object) -> String {
    format!("{}/{}", object.container.name, object.name)
}

/// `90`, `90s`, `15m`, `2h`, `7d`.
fn span(text: &str) -> Result<Duration, String> {
    let (number, unit) = match text.find(|c: char| !c.is_ascii_digit()) {
        Some(at) => text.split_at(at),
        None => (text, "s"),
    };
    let unit: Option<u64> = match unit {
        "s" => Some(1),
        "m" => Some(60),
        "h" => Some(3600),
        "d" => Some(24 * 3600),
        _ => None,
    };
    let seconds = number.parse::<u64>().ok().zip(unit).and_then(|(number, unit)| number.checked_mul(unit));
    match seconds {
        Some(seconds) if seconds > 0 => Ok(Duration::from_secs(seconds)),
        _ => Err(format!("`{text}` is no time such as 90, 90s, 15m, 2h or 7d")),
    }
}

/// `0-99`, `100-`: the end is not included.
fn range(text: &str) -> Result<ByteRange, String> {
    let wrong = || format!("`{text}` is not START-END or START-");
    let (start, end) = text.split_once('-').ok_or_else(wrong)?;
    let start = start.parse().map_err(|_| wrong())?;
    let end = if end.is_empty() { None } else { Some(end.parse().map_err(|_| wrong())?) };
    ByteRange::new(start, end).map_err(|error| error.to_string())
}

fn key_and_text(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err(format!("`{text}` is not KEY=TEXT")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_units() {
        let seconds = |text| span(text).map(|span| span.as_secs());
        assert_eq!(seconds("90"), Ok(90));
        assert_eq!(seconds("15m"), Ok(900));
        assert_eq!(seconds("7d"), Ok(604_800));
        for wrong in ["", "0", "h", "1w", "-1", "99999999999999999999d", "18446744073709551615d"] {
            assert!(seconds(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn ranges_have_a_start() {
        assert_eq!(range("4-6").unwrap(), ByteRange::new(4, Some(6)).unwrap());
        assert_eq!(range("4-").unwrap(), ByteRange::new(4, None).unwrap());
        for wrong in ["4", "-6", "6-4", "a-b", "6-6"] {
            assert!(range(wrong).is_err(), "{wrong}");
        }
    }
}
