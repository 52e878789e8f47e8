//! `libcloud storage cp`: files to objects, objects to files, objects to another provider.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use clap::Args;
use futures_util::{StreamExt as _, stream};
use indicatif::HumanBytes;
use libcloud::common::{BoxFuture, BoxStream, json};
use libcloud::storage::{
    DownloadObject, ListObjects, Object, StorageDriver, StorageDriverExt as _, UploadBody, UploadJournal,
    UploadObject, guess_content_type,
};
use libcloud::{Error, ErrorKind, Result};
use serde_json::Value;

use super::address::Address;
use super::content::{checked, place, standard_input, transferred, write_out};
use super::filter::FilterArgs;
use super::local::{Destination, files};
use crate::args::Format;
use crate::context::Context;
use crate::exit;
use crate::output::Columns;
use crate::profile;
use crate::progress::Bars;

const COPIES: Columns = &[("from", "from"), ("to", "to"), ("size (bytes)", "size")];

/// What is copied.
#[derive(Debug, Args)]
#[command(after_help = "\
A path with a colon is an address: provider:container/name, or :container/name at --provider. Without a colon and with
--provider, what is not a file of this machine is an address, too. `-` is standard input or output.

  cp cat.jpg s3:photos/             a file into a container, under its own name
  cp s3:photos/cat.jpg .            an object into a folder
  cp -r site s3:web/2013            all files of a folder, to web/2013/…
  cp -r s3:web/2013 local:old/web   all objects below, from one provider to another
  tar c . | cp - s3:backups/all.tar")]
pub(crate) struct CopyCommand {
    /// A file, an object, `-`; with --recursive a folder or the beginning of names
    from: String,
    /// A file, an object, `-`; a folder or container, where it gets the same name
    to: String,
    /// A folder, with all that is in it
    #[arg(long, short)]
    recursive: bool,
    /// Replace files that are there; objects always are
    #[arg(long)]
    overwrite: bool,
    #[command(flatten)]
    filter: FilterArgs,
    /// How many transfers at once
    #[arg(long, short, default_value_t = 4, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    jobs: u16,
}

/// One end of a copy.
#[derive(Clone, Debug, PartialEq)]
enum End {
    /// Standard input or output.
    Pipe,
    Path(PathBuf),
    Address(Address),
}

impl End {
    fn provider(&self) -> Option<&str> {
        match self {
            Self::Address(address) => address.provider.as_deref(),
            _ => None,
        }
    }
}

/// One transfer.
enum Job {
    Up { driver: Driver, file: PathBuf, to: Address },
    Down { driver: Driver, object: Object, into: Destination, name: String, overwrite: bool },
    Across { driver: Driver, object: Object, to_driver: Driver, to: Address, same: bool },
}

type Driver = Arc<dyn StorageDriver>;

pub(crate) async fn run(context: &Context, command: CopyCommand) -> Result<ExitCode> {
    let has_provider = context.global.provider.is_some() || context.global.profile.is_some();
    let (from, to) = ends(&command.from, &command.to, has_provider)?;
    if let (Some(one), Some(other)) = (from.provider(), to.provider())
        && one != other
        && !has_provider
        && context.global.names_account()
    {
        return Err(Error::invalid_argument(format!(
            "whose are the credentials, region or endpoint: `{one}` or `{other}`? say it with --provider, or put them into profiles"
        )));
    }
    if !command.recursive && command.filter.is_given() {
        return Err(Error::invalid_argument(
            "--include and --exclude choose among many: give --recursive, too",
        ));
    }
    if command.recursive {
        return all(context, &command, from, to).await;
    }
    if context.is_dry("copy", &json!({ "from": command.from, "to": command.to }))? {
        return Ok(ExitCode::SUCCESS);
    }
    let bars = Bars::new(&context.global);
    let done = one(context, from, to.clone(), command.overwrite, &bars).await?;
    match context.global.format {
        // Standard output is the content's.
        _ if to == End::Pipe => {}
        Format::Table => context.output.done(&sentence(&done))?,
        Format::Json | Format::Jsonl | Format::Csv => context.output.value(&done)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// What the two arguments are.
fn ends(from: &str, to: &str, has_provider: bool) -> Result<(End, End)> {
    let sure = |text: &str| match text {
        "-" => Some(End::Pipe),
        text => Address::with_colon(text).map(End::Address),
    };
    let path = |text: &str| End::Path(text.into());
    let address = |text: &str| text.parse().map(End::Address);
    Ok(match (sure(from), sure(to)) {
        (Some(End::Pipe), None) if has_provider => (End::Pipe, address(to)?),
        (None, Some(End::Pipe)) if has_provider => (address(from)?, End::Pipe),
        (Some(from @ End::Address(_)), None) => (from, path(to)),
        (None, Some(to @ End::Address(_))) if has_provider && may_be_address(from) => (address(from)?, to),
        (None, Some(to @ End::Address(_))) => (path(from), to),
        (Some(from), Some(to)) if from != End::Pipe || to != End::Pipe => (from, to),
        (None, None) if has_provider && may_be_address(from) => (address(from)?, path(to)),
        (None, None) if has_provider => (path(from), address(to)?),
        _ => {
            return Err(Error::invalid_argument(format!(
                "neither `{from}` nor `{to}` is an object: write provider:container/name, or give --provider"
            )));
        }
    })
}

/// Whether what has no colon is to be looked for at the provider: it is no file, and could be container/name.
fn may_be_address(text: &str) -> bool {
    let is_path = ["/", "./", "../", "~"].iter().any(|start| text.starts_with(start));
    text.contains('/') && !is_path && !Path::new(text).exists()
}

/// A single transfer.
async fn one(context: &Context, from: End, to: End, overwrite: bool, bars: &Bars) -> Result<Value> {
    match (from, to) {
        (End::Address(from), End::Pipe) => {
            let driver = context.storage_at(from.provider.as_deref())?;
            let object = from.object()?;
            let arrives = driver.download_object_as_stream(&object).await?;
            let size = write_out(checked(arrives, &object.name)).await?;
            Ok(transferred(&from.to_string(), "-", size))
        }
        (End::Pipe, End::Address(to)) => {
            let driver = context.storage_at(to.provider.as_deref())?;
            to.object()?;
            let bar = bars.add(&to.name);
            let body = standard_input().on_progress(bar.hears());
            let made = driver
                .upload_object_via_stream_with(
                    body,
                    &to.container(),
                    &to.name,
                    journaled(UploadObject::new()),
                )
                .await?;
            Ok(transferred("-", &to.to_string(), made.size))
        }
        (End::Path(file), End::Address(to)) => {
            let driver = context.storage_at(to.provider.as_deref())?;
            if file.is_dir() {
                return Err(Error::invalid_argument(format!(
                    "{} is a folder; copy it with --recursive",
                    file.display()
                )));
            }
            let to = named_after(&to, &file)?;
            let made = upload(driver.as_ref(), &file, &to, UploadObject::new(), bars).await?;
            Ok(transferred(&file.display().to_string(), &to.to_string(), made.size))
        }
        (End::Address(from), End::Path(file)) => {
            let driver = context.storage_at(from.provider.as_deref())?;
            let named = from.object()?;
            let object = driver.get_object(&named.container.name, &named.name).await?;
            download(driver.as_ref(), &object, &file, overwrite, bars).await?;
            Ok(transferred(&from.to_string(), &file.display().to_string(), object.size))
        }
        (End::Address(from), End::Address(to)) => {
            let driver = context.storage_at(from.provider.as_deref())?;
            let to_driver = context.storage_at(to.provider.as_deref())?;
            let named = from.object()?;
            let to = named_after(&to, Path::new(&named.name))?;
            if from == to {
                return Err(Error::invalid_argument(format!("`{from}` and `{to}` are the same object")));
            }
            let object = driver.get_object(&named.container.name, &named.name).await?;
            let size = if from.provider == to.provider
                && let Some(copy) = within(&driver, &object, &to)
            {
                copy.await?
            } else {
                across(driver.as_ref(), &object, to_driver.as_ref(), &to, bars).await?
            };
            Ok(transferred(&from.to_string(), &to.to_string(), size))
        }
        (End::Pipe | End::Path(_), End::Pipe | End::Path(_)) => {
            Err(Error::invalid_argument("one end of a copy is an object"))
        }
    }
}

/// Many transfers, some at once. What fails is told, and the others go on.
async fn all(context: &Context, command: &CopyCommand, from: End, to: End) -> Result<ExitCode> {
    let jobs = jobs(context, from, to, command)?;
    let bars = &Bars::new(&context.global);
    let format = context.global.format;
    let (copied, bytes, failed) = &(AtomicUsize::new(0), AtomicU64::new(0), AtomicUsize::new(0));
    let is_dry = context.global.dry_run;
    let results = jobs.map(async |job| {
        // A listing that breaks off ends it all: nobody knows what is missing.
        let job = job?;
        let (from, to) = job.ends();
        if is_dry {
            return Ok(Some(json!({ "would_call": "copy", "from": from, "to": to })));
        }
        match job.run(bars).await {
            Ok(size) => {
                copied.fetch_add(1, Ordering::Relaxed);
                bytes.fetch_add(size, Ordering::Relaxed);
                Ok(Some(transferred(&from, &to, size)))
            }
            Err(error) => {
                failed.fetch_add(1, Ordering::Relaxed);
                exit::tell(&error.context(format_args!("{from} to {to}")), format);
                Ok(None)
            }
        }
    });
    let mut results = std::pin::pin!(results.buffer_unordered(command.jobs.into()));
    if format == Format::Table && !is_dry {
        while let Some(result) = results.next().await {
            result?;
        }
    } else {
        let rows = results.filter_map(async |result| result.transpose());
        context.output.list(COPIES, rows).await?;
    }
    let (copied, failed) = (copied.load(Ordering::Relaxed), failed.load(Ordering::Relaxed));
    if copied + failed == 0 && !is_dry {
        return Err(Error::not_found("folder", &command.from));
    }
    if format == Format::Table && !is_dry {
        let bytes = HumanBytes(bytes.load(Ordering::Relaxed));
        let failed = if failed == 0 { String::new() } else { format!(", {failed} failed") };
        context.output.done(&format!("{copied} copied, {bytes}{failed}"))?;
    }
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::from(exit::PARTIAL) })
}

/// The transfers that a folder needs, as they are found.
fn jobs(
    context: &Context,
    from: End,
    to: End,
    command: &CopyCommand,
) -> Result<BoxStream<'static, Result<Job>>> {
    let overwrite = command.overwrite;
    let filter = command.filter.filter()?;
    let listed = |address: &Address| -> Result<_> {
        if address.container.is_empty() {
            return Err(Error::invalid_argument(format!("`{address}` names no container")));
        }
        let driver = context.storage_at(address.provider.as_deref())?;
        let prefix = address.folder_prefix();
        let options = ListObjects::new().prefix(prefix.as_str());
        let objects = driver.iterate_container_objects_with(&address.container(), options);
        let (filter, below_prefix) = (filter.clone(), prefix.clone());
        let objects = objects.filter(move |object| {
            let wanted = object.as_ref().is_ok_and(|object| {
                // Some providers show a folder as an empty object of its name.
                let is_folder = object.name.ends_with('/') && object.size == 0;
                !is_folder && filter.takes(&below(object, &below_prefix))
            });
            std::future::ready(wanted || object.is_err())
        });
        Ok((driver, prefix, objects))
    };
    match (from, to) {
        (End::Path(folder), End::Address(to)) => {
            if to.container.is_empty() {
                return Err(Error::invalid_argument(format!("`{to}` names no container")));
            }
            let driver = context.storage_at(to.provider.as_deref())?;
            let skipped =
                |path: &Path| context.warn(format_args!("{} is no file and is skipped", path.display()));
            let mut found = files(&folder, skipped)?;
            found.retain(|(_, name)| filter.takes(name));
            let prefix = to.folder_prefix();
            Ok(stream::iter(found)
                .map(move |(file, name)| {
                    let to = to.with_name(format!("{prefix}{name}"));
                    Ok(Job::Up { driver: Arc::clone(&driver), file, to })
                })
                .boxed())
        }
        (End::Address(from), End::Path(folder)) => {
            let (driver, prefix, objects) = listed(&from)?;
            let into = Destination::new(folder);
            Ok(objects
                .map(move |object| {
                    let object = object?;
                    let name = below(&object, &prefix);
                    let (driver, into) = (Arc::clone(&driver), into.clone());
                    Ok(Job::Down { driver, object, into, name, overwrite })
                })
                .boxed())
        }
        (End::Address(from), End::Address(to)) => {
            let (driver, prefix, objects) = listed(&from)?;
            if to.container.is_empty() {
                return Err(Error::invalid_argument(format!("`{to}` names no container")));
            }
            let to_prefix = to.folder_prefix();
            if (&from.provider, &from.container) == (&to.provider, &to.container)
                && to_prefix.starts_with(&prefix)
            {
                // The listing would find its own copies.
                return Err(Error::invalid_argument(format!("`{to}` is within `{from}`")));
            }
            let to_driver = context.storage_at(to.provider.as_deref())?;
            let same = from.provider == to.provider;
            Ok(objects
                .map(move |object| {
                    let object = object?;
                    let to = to.with_name(format!("{to_prefix}{}", below(&object, &prefix)));
                    let (driver, to_driver) = (Arc::clone(&driver), Arc::clone(&to_driver));
                    Ok(Job::Across { driver, object, to_driver, to, same })
                })
                .boxed())
        }
        _ => Err(Error::invalid_argument("--recursive copies a folder: to objects, or of objects")),
    }
}

/// The name of an object as if its prefix were a folder.
fn below(object: &Object, prefix: &str) -> String {
    object.name.strip_prefix(prefix).unwrap_or(&object.name).to_owned()
}

impl Job {
    fn ends(&self) -> (String, String) {
        let of =
            |driver: &Driver, object: &Object| place(driver.as_ref(), &object.container.name, &object.name);
        let at = |driver: &Driver, to: &Address| place(driver.as_ref(), &to.container, &to.name);
        match self {
            Self::Up { driver, file, to } => (file.display().to_string(), at(driver, to)),
            Self::Down { driver, object, into, name, .. } => (of(driver, object), into.shown(name)),
            Self::Across { driver, object, to_driver, to, .. } => (of(driver, object), at(to_driver, to)),
        }
    }

    /// Does it; gives the number of bytes.
    async fn run(self, bars: &Bars) -> Result<u64> {
        match self {
            Self::Up { driver, file, to } => {
                upload(driver.as_ref(), &file, &to, UploadObject::new(), bars).await.map(|made| made.size)
            }
            Self::Down { driver, object, into, name, overwrite } => {
                let file = into.prepare(&name)?;
                download(driver.as_ref(), &object, &file, overwrite, bars).await?;
                Ok(object.size)
            }
            Self::Across { driver, object, to_driver, to, same } => {
                if same && let Some(copy) = within(&driver, &object, &to) {
                    return copy.await;
                }
                // The listing may not tell what is written on it.
                let object = driver.get_object(&object.container.name, &object.name).await?;
                across(driver.as_ref(), &object, to_driver.as_ref(), &to, bars).await
            }
        }
    }
}

/// The address with the file's name, if it names a container or ends with a slash.
pub(crate) fn named_after(to: &Address, file: &Path) -> Result<Address> {
    if to.container.is_empty() {
        return Err(Error::invalid_argument(format!("`{to}` names no container")));
    }
    if !to.name.is_empty() && !to.name.ends_with('/') {
        return Ok(to.clone());
    }
    match file.file_name().and_then(|name| name.to_str()).filter(|name| *name != "-") {
        Some(name) => Ok(to.with_name(format!("{}{name}", to.name))),
        None => Err(Error::new(
            ErrorKind::InvalidName,
            format!("{} gives the object no name: write container/name", file.display()),
        )),
    }
}

/// Makes an object of a file; `-` is standard input.
pub(crate) async fn upload(
    driver: &dyn StorageDriver,
    file: &Path,
    to: &Address,
    mut options: UploadObject,
    bars: &Bars,
) -> Result<Object> {
    let bar = bars.add(&to.name);
    let body = if file.as_os_str() == "-" { standard_input() } else { UploadBody::from_file(file).await? };
    // The file may have an ending where the object's name has none.
    if options.content_type.is_none() && guess_content_type(&to.name).is_none() {
        let name = file.file_name().and_then(|name| name.to_str());
        options.content_type = name.and_then(guess_content_type).map(str::to_owned);
    }
    let body = body.on_progress(bar.hears());
    driver.upload_object_via_stream_with(body, &to.container(), &to.name, journaled(options)).await
}

async fn download(
    driver: &dyn StorageDriver,
    object: &Object,
    file: &Path,
    overwrite: bool,
    bars: &Bars,
) -> Result<()> {
    let bar = bars.add(&object.name);
    let mut options = DownloadObject::new().progress(bar.hears());
    options.overwrite_existing = overwrite;
    driver.download_object_with(object, file, options).await.map_err(say_how_to_replace)
}

/// The library speaks of its option; here it is an argument.
pub(crate) fn say_how_to_replace(error: Error) -> Error {
    match error.resource() {
        Some(("file", path)) if error.kind() == ErrorKind::AlreadyExists => Error::new(
            ErrorKind::AlreadyExists,
            format!("there is a file {path} already; --overwrite replaces it"),
        ),
        _ => error,
    }
}

/// The same, written down while it is under way: what this process leaves behind when it is killed, the next run throws away.
fn journaled(options: UploadObject) -> UploadObject {
    match profile::uploads() {
        Ok(folder) => options.journal(UploadJournal::new(folder)),
        // Without a home folder there is no next run that would find it.
        Err(_) => options,
    }
}

/// Copies an object within its service, if the driver can; gives the number of bytes.
fn within<'a>(driver: &'a Driver, object: &Object, to: &Address) -> Option<BoxFuture<'a, Result<u64>>> {
    let (size, args) =
        (object.size, json!({ "obj": object, "container": to.container, "object_name": to.name }));
    let copied = driver.call_ex("ex_copy_object", &args)?;
    Some(Box::pin(async move { copied.await.map(|_| size) }))
}

/// Copies an object through this machine, a piece at a time.
async fn across(
    driver: &dyn StorageDriver,
    object: &Object,
    to_driver: &dyn StorageDriver,
    to: &Address,
    bars: &Bars,
) -> Result<u64> {
    let bar = bars.add(&object.name);
    let content = driver.download_object_as_stream(object).await?;
    let mut options = UploadObject::new();
    options.content_type = object.content_type.as_deref().map(str::to_owned);
    options.meta_data.clone_from(&object.meta_data);
    let body = checked(content, &object.name).on_progress(bar.hears());
    let made =
        to_driver.upload_object_via_stream_with(body, &to.container(), &to.name, journaled(options)).await?;
    Ok(made.size)
}

/// A transfer for people.
fn sentence(done: &Value) -> String {
    let text = |key: &str| done.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let size = done.get("size").and_then(Value::as_u64).unwrap_or_default();
    format!("{} is copied to {}, {}", text("from"), text("to"), HumanBytes(size))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn which_end_is_an_object() {
        let kinds = |from: &str, to: &str, has_provider: bool| {
            let kind = |end: End| match end {
                End::Pipe => "pipe",
                End::Path(_) => "path",
                End::Address(_) => "address",
            };
            ends(from, to, has_provider)
                .map(|(from, to)| (kind(from), kind(to)))
                .map_err(|error| error.kind())
        };
        assert_eq!(kinds("x", "s3:box/x", false), Ok(("path", "address")));
        assert_eq!(kinds("s3:box/x", "x", false), Ok(("address", "path")));
        assert_eq!(kinds("s3:box/x", "local:box/x", false), Ok(("address", "address")));
        assert_eq!(kinds("-", "s3:box/x", false), Ok(("pipe", "address")));
        assert_eq!(kinds("s3:box/x", "-", false), Ok(("address", "pipe")));
        assert_eq!(kinds("-", "box/x", true), Ok(("pipe", "address")));
        assert_eq!(kinds("box/x", "-", true), Ok(("address", "pipe")));
        // Cargo.toml is a file of this machine where the tests run; box/x is not.
        assert_eq!(kinds("Cargo.toml", "box/x", true), Ok(("path", "address")));
        assert_eq!(kinds("box/x", "x", true), Ok(("address", "path")));
        assert_eq!(kinds("box/x", "s3:box/x", true), Ok(("address", "address")));
        for path in ["none", "./box/x", "/box/x", "~/x"] {
            assert_eq!(kinds(path, "s3:box/x", true), Ok(("path", "address")), "{path}");
        }
        for (from, to) in [("a", "b"), ("-", "-"), ("-", "b"), ("a", "-")] {
            assert_eq!(kinds(from, to, false), Err(ErrorKind::InvalidArgument), "{from} {to}");
        }
    }

    #[test]
    fn a_container_or_folder_takes_the_files_name() {
        let name = |to: &str, file: &str| {
            named_after(&to.parse().unwrap(), Path::new(file)).map(|address| address.to_string())
        };
        assert_eq!(name("s3:box", "/a/cat.jpg").unwrap(), "s3:box/cat.jpg");
        assert_eq!(name("box/pets/", "cat.jpg").unwrap(), "box/pets/cat.jpg");
        assert_eq!(name("box/dog.jpg", "cat.jpg").unwrap(), "box/dog.jpg");
        assert_eq!(name("box/", "-").unwrap_err().kind(), ErrorKind::InvalidName);
        assert_eq!(name("s3:", "cat.jpg").unwrap_err().kind(), ErrorKind::InvalidArgument);
    }
}
