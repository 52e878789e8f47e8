//! Benchmarks side by side with the peers: a workspace of its own in `xtask/bench`.

use std::process::Command;

use crate::{Result, run};

/// What must compile at all times: the runner, the server, and our client. The peers are others' code.
const CHECKED: [&str; 3] = ["bench", "bench-server", "bench-libcloud"];

/// Runs the runner with these options. It is optimised, since it counts while it measures.
pub(crate) fn run(options: &[&str]) -> Result {
    run::run(cargo()?.args(["run", "--release", "--quiet", "--package", "bench", "--"]).args(options))
}

/// They are no part of the workspace, so nothing else would notice that one no longer compiles.
pub(crate) fn check() -> Result {
    // One by one: together they would have the features of all, and nothing of the workspace would serve.
    CHECKED.iter().try_for_each(|package| run::run(cargo()?.args(["check", "--package", package])))
}

fn cargo() -> Result<Command> {
    let mut command = run::cargo();
    command.current_dir(run::root().join("xtask/bench")).env("CARGO_TARGET_DIR", run::target()?);
    Ok(command)
}
