//! The program `libcloud`.

use std::process::ExitCode;

fn main() -> ExitCode {
    libcloud_cli::run(libcloud::Registry::builtin())
}
