//! Plays recorded calls of Apache Libcloud against our drivers. A program of its own does it, for it needs all drivers.

use std::path::PathBuf;

use crate::{Result, run};

/// Runs the program with these options. Nothing else is printed, so that its JSON can be read.
pub(crate) fn run(options: &[&str]) -> Result {
    let arguments = ["run", "--quiet", "--package", "libcloud-parity", "--"];
    let status = run::cargo_with(arguments.iter().chain(options))
        .status()
        .map_err(|error| format!("libcloud-parity: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("libcloud-parity {}: {status}", options.join(" "))) }
}

/// Runs it with the recordings of the folder that `LIBCLOUD_PARITY` names, and with those in its folder `v3` if there is
/// one. Without the variable there is nothing to compare with.
pub(crate) fn check() -> Result {
    let Some(folder) = std::env::var_os("LIBCLOUD_PARITY").filter(|folder| !folder.is_empty()) else {
        println!("LIBCLOUD_PARITY names no folder of recordings: not run");
        return Ok(());
    };
    let folder = PathBuf::from(folder);
    let newer = folder.join("v3");
    let mut failed = Vec::new();
    // A folder without recordings is refused by the program.
    for folder in [Some(folder), newer.is_dir().then_some(newer)].into_iter().flatten() {
        if let Err(problem) = run(&["--from", &folder.display().to_string()]) {
            failed.push(problem);
        }
    }
    if failed.is_empty() { Ok(()) } else { Err(failed.join("\n")) }
}
