//! Fuzz targets: every parser of what comes from outside, each for a while.

use std::path::PathBuf;

use crate::{Result, run};

/// How long each target runs unless told otherwise.
const SECONDS: &str = "60";
/// The longest input; what libFuzzer would begin with is too short for an answer.
const LONGEST: &str = "16384";

/// `[--seconds N] [TARGET …]`: runs these targets, or all. What crashes one is kept under `xtask/fuzz/artifacts`.
pub(crate) fn run(options: &[&str]) -> Result {
    let (seconds, names) = match options {
        ["--seconds", seconds, names @ ..] => (*seconds, names),
        names => (SECONDS, names),
    };
    if seconds.parse::<u32>().is_err() {
        return Err(format!("--seconds takes a number, not `{seconds}`"));
    }
    let all = targets()?;
    if let Some(unknown) = names.iter().find(|name| !all.iter().any(|target| target == *name)) {
        return Err(format!("there is no fuzz target {unknown}; there are {}", all.join(", ")));
    }
    install()?;
    let chosen = all.iter().filter(|target| names.is_empty() || names.contains(&target.as_str()));
    let mut failed = Vec::new();
    for target in chosen {
        let time = format!("-max_total_time={seconds}");
        let length = format!("-max_len={LONGEST}");
        let arguments = ["fuzz", "run", target, "--", &time, &length, "-timeout=20", "-print_final_stats=1"];
        let mut command = run::cargo_with(arguments);
        // Coverage needs options of the compiler that stable keeps to itself; a nightly toolchain takes them as it is.
        command.current_dir(folder()).env("RUSTC_BOOTSTRAP", "1");
        if let Err(problem) = run::run(&mut command) {
            failed.push(format!("{target}: {problem}"));
        }
    }
    if failed.is_empty() { Ok(()) } else { Err(failed.join("\n")) }
}

/// They are no part of the workspace, so nothing else would notice that one no longer compiles.
pub(crate) fn check() -> Result {
    let mut command = run::cargo_with(["check", "--bins"]);
    run::run(command.current_dir(folder()).env("CARGO_TARGET_DIR", run::target()?))
}

/// Shows them.
pub(crate) fn list() -> Result {
    targets()?.iter().for_each(|target| println!("{target}"));
    Ok(())
}

fn folder() -> PathBuf {
    run::root().join("xtask/fuzz")
}

/// The names of the files.
fn targets() -> Result<Vec<String>> {
    let folder = folder().join("fuzz_targets");
    let files = std::fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut names: Vec<String> =
        files.flatten().filter_map(|file| Some(file.path().file_stem()?.to_str()?.to_owned())).collect();
    names.sort();
    Ok(names)
}

fn install() -> Result {
    let installed =
        run::cargo_with(["fuzz", "--version"]).output().is_ok_and(|output| output.status.success());
    if installed { Ok(()) } else { run::run(&mut run::cargo_with(["install", "cargo-fuzz", "--locked"])) }
}
