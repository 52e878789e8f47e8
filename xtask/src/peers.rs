//! Real servers that nobody here wrote, and the tests that need them.

use std::path::PathBuf;
use std::process::Command;

use crate::{Result, run};

/// A server, how it is started, and the tests that need it.
struct Peer {
    name: &'static str,
    /// The folder of its scripts.
    folder: &'static str,
    /// What it is started with.
    settings: &'static [(&'static str, &'static str)],
    /// Crate and test target; the feature `peers` is switched on.
    tests: &'static [(&'static str, &'static str)],
}

const PEERS: &[Peer] = &[
    Peer { name: "bind", folder: "bind", settings: &[], tests: &[("libcloud-dns", "peer_bind")] },
    Peer { name: "moto", folder: "moto", settings: &[], tests: &[("libcloud-aws", "peer_moto")] },
    Peer {
        name: "moto-auth",
        folder: "moto",
        settings: &[("MOTO_AUTH", "on")],
        tests: &[("libcloud-aws", "peer_moto"), ("libcloud-cli", "peer_moto")],
    },
    Peer {
        name: "ceph",
        folder: "ceph",
        settings: &[],
        tests: &[("libcloud-aws", "peer_ceph"), ("libcloud-cli", "peer_ceph")],
    },
];

/// Shows them.
pub(crate) fn list() {
    for peer in PEERS {
        let tests: Vec<String> =
            peer.tests.iter().map(|(package, test)| format!("{package}/{test}")).collect();
        println!("{:<12} {}", peer.name, tests.join(", "));
    }
}

/// Starts one and shows its addresses.
pub(crate) fn start(name: &str) -> Result {
    let exports = find(name)?.start()?;
    for (name, value) in exports {
        println!("export {name}={value}");
    }
    Ok(())
}

/// Stops one.
pub(crate) fn stop(name: &str) -> Result {
    find(name)?.stop()
}

/// Starts each, runs the tests that need it and stops it. A server that does not start is a failure.
pub(crate) fn test(names: &[&str]) -> Result {
    let peers: Vec<&Peer> = if names.is_empty() {
        PEERS.iter().collect()
    } else {
        names.iter().map(|name| find(name)).collect::<Result<_>>()?
    };
    let mut failed = Vec::new();
    for peer in peers {
        let exports = peer.start()?;
        for (package, test) in peer.tests {
            let arguments = ["test", "--package", package, "--features", "peers", "--test", test];
            if let Err(problem) = run::run(run::cargo_with(arguments).envs(exports.iter().cloned())) {
                failed.push(format!("{}: {problem}", peer.name));
            }
        }
        peer.stop()?;
    }
    if failed.is_empty() { Ok(()) } else { Err(failed.join("\n")) }
}

fn find(name: &str) -> Result<&'static Peer> {
    let names = || PEERS.iter().map(|peer| peer.name).collect::<Vec<_>>().join(", ");
    PEERS
        .iter()
        .find(|peer| peer.name == name)
        .ok_or_else(|| format!("there is no peer {name}; there are {}", names()))
}

impl Peer {
    fn script(&self, script: &str) -> Command {
        let mut command = Command::new("bash");
        command.arg(run::root().join("xtask/peers").join(self.folder).join(script)).arg(self.state());
        command.envs(self.settings.iter().copied());
        command
    }

    /// The folder of everything that the server writes.
    fn state(&self) -> PathBuf {
        std::env::temp_dir().join("libcloud-peers").join(self.name)
    }

    fn start(&self) -> Result<Vec<(String, String)>> {
        let text = run::read(&mut self.script("start"))?;
        let exports: Vec<(String, String)> = text
            .lines()
            .filter_map(|line| line.strip_prefix("export ")?.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.trim_matches(['\'', '"']).to_owned()))
            .collect();
        if exports.is_empty() {
            Err(format!("{} started without saying where", self.name))
        } else {
            Ok(exports)
        }
    }

    fn stop(&self) -> Result {
        run::read(&mut self.script("stop")).map(|_| ())
    }
}
