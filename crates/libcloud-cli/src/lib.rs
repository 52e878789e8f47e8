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
use std::time::Duration;

use clap::Parser as _;
use libcloud::Registry;
use tracing_subscriber::EnvFilter;

mod args;
mod call;
mod check;
mod compute;
mod config;
mod context;
mod demo;
mod deploy;
mod dns;
mod exit;
mod lb;
mod manual;
mod output;
mod pricing;
mod profile;
mod progress;
mod providers;
mod storage;

use args::{Cli, Command};
use context::Context;

/// How long the program waits for what it has begun and not finished to be undone.
const PATIENCE: Duration = Duration::from_secs(30);

/// Reads a configuration as if it stood in `config.toml`. For the fuzz targets, which reach no private item.
#[doc(hidden)]
pub fn check_configuration(text: &str) -> libcloud::Result<()> {
    profile::Profiles::parse("config.toml".into(), text).map(drop)
}

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
    log(&cli.global);
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return exit::report(&libcloud::Error::io("start", error), format),
    };
    let status = runtime.block_on(async {
        tokio::select! {
            result = dispatch(registry, cli) => match result {
                Ok(status) => status,
                Err(error) => exit::report(&error, format),
            },
            // What was under way is dropped, which ends it cleanly.
            status = interrupted() => status,
        }
    });
    // What had been begun at a provider is undone, unless somebody is in more of a hurry.
    runtime.block_on(async {
        tokio::select! {
            settled = tokio::time::timeout(PATIENCE, libcloud::common::cleanup::settled()) => {
                if settled.is_err() {
                    exit::to_stderr(format_args!(
                        "not everything that was begun could be undone in {} s",
                        PATIENCE.as_secs()
                    ));
                }
            }
            _ = interrupted() => {}
        }
    });
    // A thread that waits for standard input must not keep the program.
    runtime.shutdown_background();
    status
}

/// Waits until somebody wants the program to end; gives the exit status that shells give to that.
async fn interrupted() -> ExitCode {
    #[cfg(unix)]
    if let Ok(mut terminated) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        return tokio::select! {
            _ = terminated.recv() => ExitCode::from(143),
            _ = tokio::signal::ctrl_c() => ExitCode::from(130),
        };
    }
    let _ = tokio::signal::ctrl_c().await;
    ExitCode::from(130)
}

/// Lets warnings, and with `--verbose` what is done, be heard on standard error.
fn log(global: &args::Global) {
    let filter = match (global.quiet, global.verbose) {
        (true, _) => "error",
        (false, 0) => "warn",
        (false, 1) => "warn,libcloud=info",
        (false, 2) => "info,libcloud=debug",
        (false, _) => "debug,libcloud=trace",
    };
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(filter))
        .with_writer(std::io::stderr)
        .without_time()
        .with_target(global.verbose > 0);
    // A program that embeds this one may listen already.
    let _ = subscriber.try_init();
}

async fn dispatch(registry: Registry, cli: Cli) -> libcloud::Result<ExitCode> {
    let context = Context::new(registry, cli.global);
    match cli.command {
        Command::Compute(command) => compute::run(&context, command).await,
        Command::Storage(command) => storage::run(&context, command).await,
        Command::Lb(command) => lb::run(&context, command).await,
        Command::Dns(command) => dns::run(&context, command).await,
        Command::Deploy(command) => deploy::run(&context, *command).await,
        Command::Pricing(command) => pricing::run(&context, command).await,
        Command::Call(command) => call::run(&context, command).await,
        Command::Providers(command) => providers::run(&context, command).await,
        Command::Config(command) => config::run(&context, command).await,
        Command::Demo => demo::run(&context).await,
        Command::Completions { shell } => manual::completions(shell).map(|()| ExitCode::SUCCESS),
        Command::Man(command) => manual::man(&command).map(|()| ExitCode::SUCCESS),
    }
}
