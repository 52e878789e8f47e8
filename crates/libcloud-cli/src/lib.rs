//! The program `libcloud` as a library: a third party builds it with drivers of its own.
//!
//! ```no_run
//! use std::process::ExitCode;
//!
//! fn main() -> ExitCode {
//!     let registry = libcloud::Registry::builtin();
//!     // registry.compute.set_driver(my_cloud::compute())
//!     libcloud_cli::run(registry)
//! }
//! ```

use std::process::ExitCode;

use clap::Parser as _;
use libcloud::Registry;

mod args;
mod call;
mod compute;
mod context;
mod dns;
mod exit;
mod output;
mod providers;

use args::{Cli, Command};
use context::Context;

/// Runs the program with these drivers on the arguments of the process, and tells its exit status.
pub fn run(registry: Registry) -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // clap's own statuses: 0 for help and version, 2 for wrong usage.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    let format = cli.global.format;
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return exit::report(&libcloud::Error::io("start", error), format),
    };
    runtime.block_on(async {
        tokio::select! {
            result = dispatch(registry, cli) => match result {
                Ok(status) => status,
                Err(error) => exit::report(&error, format),
            },
            // What was under way is dropped, which ends it cleanly.
            _ = tokio::signal::ctrl_c() => ExitCode::from(130),
        }
    })
}

async fn dispatch(registry: Registry, cli: Cli) -> libcloud::Result<ExitCode> {
    let context = Context::new(registry, cli.global);
    match cli.command {
        Command::Compute(command) => compute::run(&context, command).await,
        Command::Dns(command) => dns::run(&context, command).await,
        Command::Call(command) => call::run(&context, command).await,
        Command::Providers(command) => providers::run(&context, command).await,
    }
}
