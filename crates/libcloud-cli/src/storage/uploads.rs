//! `libcloud storage uploads`: what was begun in parts and not ended.

use std::process::ExitCode;

use clap::Subcommand;
use libcloud::common::{BoxFuture, json};
use libcloud::{Error, ErrorKind, Result};
use serde_json::Value;

use super::address::Address;
use crate::context::Context;
use crate::output::Columns;

const UPLOADS: Columns = &[
    ("name", "key"),
    ("id", "id"),
    ("begun", "created_at"),
    ("by", "initiator"),
    ("class", "storage_class"),
];

#[derive(Debug, Subcommand)]
pub(crate) enum UploadsCommand {
    /// List those of a container, or of names that begin so
    List { address: Address },
    /// Throw one away, or all of a container, or of names that begin so
    Abort {
        address: Address,
        /// Its id, as the list has it; the address is the object's, then
        #[arg(required_unless_present = "all")]
        id: Option<String>,
        /// All of them, also those that somebody is busy with just now
        #[arg(long, conflicts_with = "id")]
        all: bool,
    },
}

pub(crate) async fn run(context: &Context, command: UploadsCommand) -> Result<ExitCode> {
    match command {
        UploadsCommand::List { address } => {
            let args = json!({ "container": address.container, "prefix": prefix(&address) });
            let found = call(context, &address, "ex_iterate_multipart_uploads", &args).await?;
            let Value::Array(found) = found else {
                return Err(Error::malformed("ex_iterate_multipart_uploads", "the answer is no list"));
            };
            context.output.list(UPLOADS, futures_util::stream::iter(found.into_iter().map(Ok))).await?;
        }
        UploadsCommand::Abort { address, id: Some(id), .. } => {
            let name = address.object()?.name;
            let args = json!({ "container": address.container, "object_name": name, "upload_id": id });
            abort(context, &address, "ex_abort_multipart_upload", &args, "the upload").await?;
        }
        UploadsCommand::Abort { address, .. } => {
            let args = json!({ "container": address.container, "prefix": prefix(&address) });
            abort(context, &address, "ex_cleanup_all_multipart_uploads", &args, "all uploads").await?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn abort(context: &Context, address: &Address, method: &str, args: &Value, what: &str) -> Result<()> {
    context.confirm(&format!("throw {what} of {address} away")).await?;
    if context.is_dry(method, args)? {
        return Ok(());
    }
    call(context, address, method, args).await?;
    context.output.done(&format!("{what} of {address}: thrown away"))
}

fn prefix(address: &Address) -> Option<&str> {
    Some(address.name.as_str()).filter(|name| !name.is_empty())
}

/// Calls an extension that not every driver has.
async fn call(context: &Context, address: &Address, method: &str, args: &Value) -> Result<Value> {
    let driver = context.storage_at(address.provider.as_deref())?;
    let answer: Option<BoxFuture<'_, Result<Value>>> = driver.call_ex(method, args);
    match answer {
        Some(answer) => answer.await,
        None => Err(Error::new(
            ErrorKind::NotSupported,
            format!("{} keeps no uploads in parts that could be left over", driver.descriptor().name),
        )),
    }
}
