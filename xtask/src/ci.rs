//! Everything that a change must pass.

use std::process::Command;

use crate::{Result, api, bench, fixtures, fuzz, layers, matrix, parity, peers, pricing, run};

/// The features of the facade, one a family of providers and SSH: each must build alone.
const FEATURES: &[&str] =
    &["aws", "azure", "cloudstack", "dummy", "gandi", "local", "openstack", "rackspace", "ssh"];

/// Runs all checks: first the quick ones and the tests, then the servers' tests beside all that only compiles.
pub(crate) fn run(with_peers: bool) -> Result {
    let begun = run::Watch::start();
    // The network is idle while all else compiles.
    let installing = with_peers.then(|| std::thread::spawn(peers::install));
    step("format", || run::run(&mut run::cargo_with(["fmt", "--all", "--check"])))?;
    step("layers", layers::check)?;
    step("the bundled prices", pricing::check)?;
    step("the README's commands, and that no fixture is left over", || {
        fixtures::check(None)?;
        // As it was just built: `cargo run` would leave out what only tests switch on, and build nearly all again.
        run::run(run::program()?.arg("demo"))
    })?;
    step("the matrix in the book", matrix::check)?;
    step("recorded calls", parity::check)?;
    match installing {
        None => without_a_server()?,
        Some(installing) => {
            step("what the real servers need", || {
                installing.join().unwrap_or_else(|_| Err("the installation broke off".into()))
            })?;
            let ready = peers::build(&[])?;
            // Their tests wait more than they count, and compiling is the reverse.
            std::thread::scope(|scope| {
                let servers = scope.spawn(|| step("real servers", || ready.test()));
                let others = without_a_server();
                let servers = servers.join().unwrap_or_else(|_| Err("the servers' tests broke off".into()));
                others.and(servers)
            })?;
        }
    }
    println!("everything passed in {} s", begun.seconds());
    Ok(())
}

/// What looks at the code rather than at what it does.
fn without_a_server() -> Result {
    step("clippy", || {
        // The second is of what `--all-targets` passes over: the tests that need a server.
        for targets in [&["--all-targets"][..], &["--test=peer_*", "--test=program_*"]] {
            let mut command = run::cargo_with(["clippy", "--workspace", "--all-features"]);
            run::run(command.args(targets).args(["--", "--deny=warnings"]))?;
        }
        Ok(())
    })?;
    step("the program and each feature alone", || {
        run::run(&mut run::cargo_with(["check", "-p", "libcloud-cli"]))?;
        run::run(&mut run::cargo_with(["check", "-p", "libcloud", "--no-default-features"]))?;
        for feature in FEATURES {
            run::run(&mut run::cargo_with([
                "check",
                "-p",
                "libcloud",
                "--no-default-features",
                "--features",
                feature,
            ]))?;
        }
        Ok(())
    })?;
    step("documentation", || {
        run::run(
            run::cargo_with(["doc", "--workspace", "--no-deps", "--all-features"])
                .env("RUSTDOCFLAGS", "--deny=warnings"),
        )
    })?;
    step("the public API", api::check)?;
    step("a driver from outside", outside)?;
    step("the fuzz targets compile", fuzz::check)?;
    step("the benchmarks compile", bench::check)?;
    step("licences and sources", licences)
}

fn step(name: &str, act: impl FnOnce() -> Result) -> Result {
    println!("\n== {name}");
    let begun = run::Watch::start();
    act().map_err(|problem| format!("{name}: {problem}"))?;
    println!("== {name}: {} s", begun.seconds());
    Ok(())
}

/// Fails on a licence, source, advisory or crate that deny.toml does not allow; two crypto libraries are one too many.
fn licences() -> Result {
    let installed =
        run::cargo_with(["deny", "--version"]).output().is_ok_and(|output| output.status.success());
    if !installed {
        // It runs for seconds, and would be optimised for minutes.
        run::run(&mut run::cargo_with([
            "install",
            "cargo-deny",
            "--locked",
            "--debug",
            "--version",
            "^0.20",
        ]))?;
    }
    run::run(&mut run::cargo_with(["deny", "--workspace", "check", "bans", "licenses", "sources"]))
}

/// Builds and runs the book's example of a driver that lives outside the workspace.
fn outside() -> Result {
    let folder = run::root().join("docs/examples/third-party");
    // What the workspace has built of its dependencies serves here, too.
    let target = run::target()?;
    for arguments in
        [&["fmt", "--check"][..], &["clippy", "--all-targets", "--", "--deny=warnings"], &["test"]]
    {
        let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        run::run(command.current_dir(&folder).env("CARGO_TARGET_DIR", &target).args(arguments))?;
    }
    Ok(())
}
