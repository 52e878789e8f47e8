//! `libcloud call …`: any method of any driver by its name.

use std::process::ExitCode;

use clap::Args;
use libcloud::catalogue::Service;
use libcloud::common::{MethodInfo, json};
use libcloud::{Error, Result};
use serde_json::Value;
use tokio::io::AsyncReadExt as _;

use crate::context::Context;
use crate::output::Columns;

const METHODS: Columns = &[("method", "name"), ("arguments", "arguments"), ("what it does", "doc")];
const ARGUMENTS: Columns =
    &[("argument", "name"), ("takes", "type"), ("required", "required"), ("what it means", "doc")];

#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub(crate) struct CallCommand {
    /// compute, storage, lb or dns
    service: Service,
    /// The method; without it all that there are
    method: Option<String>,
    /// Its arguments as a JSON object; `-` reads them from standard input
    #[arg(long, default_value = "{}", value_name = "JSON")]
    args: String,
    /// Show the method's arguments, or all methods
    #[arg(long, short)]
    help: bool,
}

pub(crate) async fn run(context: &Context, command: CallCommand) -> Result<ExitCode> {
    let methods = context.methods(command.service)?;
    let Some(method) = command.method else {
        show_methods(context, &methods).await?;
        return Ok(ExitCode::SUCCESS);
    };
    if command.help {
        let Some(known) = methods.iter().find(|known| known.name == method) else {
            // The call itself knows best what to say about a wrong name.
            context.call(command.service, &method, json!({})).await?;
            return Ok(ExitCode::SUCCESS);
        };
        context.note(format_args!("{}: {}\n", known.name, known.doc));
        let arguments = futures_util::stream::iter(known.args.clone().into_iter().map(Ok));
        context.output.list(ARGUMENTS, arguments).await?;
        return Ok(ExitCode::SUCCESS);
    }
    let text = if command.args == "-" {
        let mut text = String::new();
        let read = tokio::io::stdin().read_to_string(&mut text).await;
        read.map_err(|error| Error::io("read the arguments", error))?;
        text
    } else {
        command.args
    };
    let args: Value = serde_json::from_str(&text)
        .map_err(|error| Error::invalid_argument(format!("--args is not JSON: {error}")))?;
    let reads = ["list_", "get_", "iterate_"].iter().any(|prefix| method.starts_with(prefix));
    if reads || !context.is_dry(&method, &args)? {
        let answer = context.call(command.service, &method, args).await?;
        context.output.raw(&answer)?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn show_methods(context: &Context, methods: &[MethodInfo]) -> Result<()> {
    let rows = methods.iter().map(|method| {
        let arguments: Vec<String> = method
            .args
            .iter()
            .map(|arg| if arg.required { arg.name.to_owned() } else { format!("[{}]", arg.name) })
            .collect();
        let doc = method.doc.lines().next().unwrap_or_default();
        Ok(json!({ "name": method.name, "arguments": arguments, "doc": doc }))
    });
    context.output.list(METHODS, futures_util::stream::iter(rows)).await
}
