//! The program `libcloud` with one driver more.

use std::process::ExitCode;

fn main() -> libcloud::Result<ExitCode> {
    let registry = libcloud::compute::set_driver(libcloud_examplecloud::compute())?;
    Ok(libcloud_cli::run(registry))
}
