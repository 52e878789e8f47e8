//! Real servers that nobody here wrote, and the tests that need them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::{Result, run};

/// A server, how it is started, and the tests that need it.
struct Peer {
    name: &'static str,
    /// The folder of its scripts.
    folder: &'static str,
    /// What it is started with.
    settings: &'static [(&'static str, &'static str)],
    /// The server that it stands in front of.
    upstream: Option<Upstream>,
    /// Crate and test target, which cargo runs only where it is named.
    tests: &'static [(&'static str, &'static str)],
}

/// A server that another needs: it gets one of its own, whatever else runs.
struct Upstream {
    /// Which one; it must not need another itself.
    peer: &'static str,
    /// The setting by which the one in front is told where it is …
    setting: &'static str,
    /// … and the one of its addresses that is meant.
    export: &'static str,
}

/// Those whose tests take longest come first, so that none is alone at the end.
const PEERS: &[Peer] = &[
    Peer {
        name: "faults-moto",
        folder: "faults",
        settings: &[],
        upstream: Some(Upstream { peer: "moto", setting: "FAULTS_UPSTREAM", export: "MOTO_ENDPOINT" }),
        tests: &[
            ("libcloud-aws", "peer_faults"),
            ("libcloud-aws", "peer_faults_large"),
            ("libcloud-aws", "peer_faults_compute"),
        ],
    },
    Peer {
        name: "faults-ceph",
        folder: "faults",
        settings: &[],
        upstream: Some(Upstream { peer: "ceph", setting: "FAULTS_UPSTREAM", export: "CEPH_S3_ENDPOINT" }),
        tests: &[("libcloud-aws", "peer_faults"), ("libcloud-aws", "peer_faults_large")],
    },
    Peer {
        name: "faults-swift",
        folder: "faults",
        settings: &[],
        upstream: Some(Upstream { peer: "swift", setting: "FAULTS_UPSTREAM", export: "SWIFT_S3_ENDPOINT" }),
        tests: &[("libcloud-aws", "peer_faults"), ("libcloud-aws", "peer_faults_large")],
    },
    Peer {
        name: "faults-s3s",
        folder: "faults",
        settings: &[],
        upstream: Some(Upstream { peer: "s3s", setting: "FAULTS_UPSTREAM", export: "S3S_ENDPOINT" }),
        // It does not list uploads in parts, so that nobody can tell whether one was left.
        tests: &[("libcloud-aws", "peer_faults")],
    },
    Peer {
        name: "bind",
        folder: "bind",
        settings: &[],
        upstream: None,
        tests: &[("libcloud-dns", "peer_bind")],
    },
    Peer {
        name: "moto",
        folder: "moto",
        settings: &[],
        upstream: None,
        tests: &[
            ("libcloud-aws", "peer_moto"),
            ("libcloud-aws", "peer_protocol_moto"),
            ("libcloud-aws", "peer_suite_moto"),
            ("libcloud-aws", "peer_route53"),
            ("libcloud-aws", "peer_elb"),
        ],
    },
    Peer {
        name: "moto-auth",
        folder: "moto",
        settings: &[("MOTO_AUTH", "on")],
        upstream: None,
        tests: &[
            ("libcloud-aws", "peer_moto"),
            ("libcloud-aws", "peer_protocol_moto"),
            ("libcloud-aws", "peer_suite_moto"),
            ("libcloud-aws", "peer_elb"),
            ("libcloud-cli", "program_moto"),
        ],
    },
    Peer {
        name: "ceph",
        folder: "ceph",
        settings: &[],
        upstream: None,
        tests: &[
            ("libcloud-aws", "peer_ceph"),
            ("libcloud-aws", "peer_protocol_ceph"),
            ("libcloud-aws", "peer_suite_ceph"),
            ("libcloud-cli", "program_ceph"),
            ("libcloud-cli", "program_kills"),
            ("libcloud-cli", "program_many"),
        ],
    },
    Peer {
        name: "tls",
        folder: "tls",
        settings: &[],
        upstream: None,
        tests: &[("libcloud-common", "peer_tls")],
    },
    Peer {
        name: "swift",
        folder: "swift",
        settings: &[],
        upstream: None,
        tests: &[("libcloud-aws", "peer_protocol_swift"), ("libcloud-aws", "peer_suite_swift")],
    },
    Peer {
        name: "s3s",
        folder: "s3s-fs",
        settings: &[],
        upstream: None,
        tests: &[("libcloud-aws", "peer_suite_s3s")],
    },
    Peer {
        name: "azurite",
        folder: "azurite",
        settings: &[],
        upstream: None,
        tests: &[("libcloud-azure", "peer_azurite"), ("libcloud-azure", "peer_suite_azurite")],
    },
    Peer {
        name: "openstack",
        folder: "openstack",
        settings: &[],
        upstream: None,
        tests: &[("libcloud-openstack", "peer_openstack")],
    },
    Peer {
        name: "sshd",
        folder: "sshd",
        settings: &[],
        upstream: None,
        tests: &[("libcloud-deploy", "peer_sshd"), ("libcloud-cli", "program_sshd")],
    },
];

/// Shows them.
pub(crate) fn list() {
    for peer in PEERS {
        let tests: Vec<String> =
            peer.tests.iter().map(|(package, test)| format!("{package}/{test}")).collect();
        let tests = if tests.is_empty() { "(no tests yet)".into() } else { tests.join(", ") };
        println!("{:<12} {tests}", peer.name);
    }
}

/// Installs what the servers with tests need, each in turn, and starts none.
pub(crate) fn install() -> Result {
    let mut folders: Vec<&str> = Vec::new();
    for peer in PEERS.iter().filter(|peer| !peer.tests.is_empty()) {
        let upstream = peer.upstream()?;
        for peer in upstream.into_iter().chain([peer]) {
            if !folders.contains(&peer.folder) {
                folders.push(peer.folder);
                run::read(peer.script("start", &peer.state()).env("PEERS_INSTALL_ONLY", "1"))?;
            }
        }
    }
    Ok(())
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

/// How many servers run, each with its tests, at a time: most of the time a server starts, or a test waits for it.
const LANES: usize = 3;

/// The tests of some servers, built.
pub(crate) struct Ready {
    peers: Vec<&'static Peer>,
    programs: BTreeMap<String, Program>,
}

/// A test target, built.
struct Program {
    path: PathBuf,
    /// Where cargo runs it: the folder of its crate.
    folder: PathBuf,
}

/// Starts each, runs the tests that need it and stops it.
pub(crate) fn test(names: &[&str]) -> Result {
    build(names)?.test()
}

/// Builds the tests of these servers, or of all, before a server waits for them. One that is named and has no tests is a
/// failure.
pub(crate) fn build(names: &[&str]) -> Result<Ready> {
    let peers: Vec<&'static Peer> = if names.is_empty() {
        PEERS.iter().filter(|peer| !peer.tests.is_empty()).collect()
    } else {
        names.iter().map(|name| find(name)).collect::<Result<_>>()?
    };
    if let Some(peer) = peers.iter().find(|peer| peer.tests.is_empty()) {
        return Err(format!("{}: it has no tests yet", peer.name));
    }
    let mut command = cargo_test(peers.iter().flat_map(|peer| peer.tests));
    let told = run::read(command.args(["--no-run", "--message-format=json-render-diagnostics"]))?;
    let programs = told.lines().filter_map(program).collect();
    Ok(Ready { peers, programs })
}

/// The name of the test that this line of cargo tells to be built, and where it is.
fn program(line: &str) -> Option<(String, Program)> {
    let message: serde_json::Value = serde_json::from_str(line).ok()?;
    let target = message.get("target")?;
    let is_test = target.get("kind")?.as_array()?.iter().any(|kind| kind == "test");
    let path = PathBuf::from(message.get("executable")?.as_str()?);
    let folder = Path::new(message.get("manifest_path")?.as_str()?).parent()?.to_owned();
    is_test.then_some((target.get("name")?.as_str()?.to_owned(), Program { path, folder }))
}

impl Ready {
    /// Starts each server, runs the tests that need it and stops it. A server that does not start is a failure. Cargo has
    /// no part in it, so that it can build something else meanwhile.
    pub(crate) fn test(&self) -> Result {
        let waiting = Mutex::new(self.peers.iter());
        let starting = Mutex::new(());
        let failed = Mutex::new(Vec::new());
        let next = || locked(&waiting).next();
        std::thread::scope(|scope| {
            for _ in 0..LANES {
                scope.spawn(|| {
                    while let Some(peer) = next() {
                        peer.test(&self.programs, &starting, &mut |problem| {
                            locked(&failed).push(format!("{}: {problem}", peer.name));
                        });
                    }
                });
            }
        });
        let failed = locked(&failed);
        if failed.is_empty() { Ok(()) } else { Err(failed.join("\n")) }
    }
}

/// What a lane that panicked leaves behind is as good as before.
fn locked<T>(value: &Mutex<T>) -> MutexGuard<'_, T> {
    value.lock().unwrap_or_else(PoisonError::into_inner)
}

/// `cargo test` of these targets. The whole workspace decides which features its dependencies get, as it does for the
/// tests without a server, so that nothing is built again for each crate by itself.
fn cargo_test<'a>(tests: impl Iterator<Item = &'a (&'static str, &'static str)> + Clone) -> Command {
    let mut command = run::cargo_with(["test", "--workspace"]);
    for (_, test) in tests {
        command.args(["--test", test]);
    }
    command
}

fn find(name: &str) -> Result<&'static Peer> {
    let names = || PEERS.iter().map(|peer| peer.name).collect::<Vec<_>>().join(", ");
    PEERS
        .iter()
        .find(|peer| peer.name == name)
        .ok_or_else(|| format!("there is no peer {name}; there are {}", names()))
}

impl Program {
    fn run(&self, exports: &[(String, String)]) -> Result {
        let mut command = Command::new(&self.path);
        run::run_quietly(command.current_dir(&self.folder).envs(exports.iter().cloned()))
    }
}

impl Peer {
    fn script(&self, script: &str, state: &Path) -> Command {
        let mut command = Command::new("bash");
        command.arg(run::root().join("xtask/peers").join(self.folder).join(script)).arg(state);
        command.envs(self.settings.iter().copied());
        command
    }

    /// The folder of everything that the server writes.
    fn state(&self) -> PathBuf {
        std::env::temp_dir().join("libcloud-peers").join(self.name)
    }

    /// The server behind this one.
    fn upstream(&self) -> Result<Option<&'static Peer>> {
        self.upstream.as_ref().map(|upstream| find(upstream.peer)).transpose()
    }

    /// Its folder, apart from that of one that was started for itself.
    fn upstream_state(&self) -> PathBuf {
        self.state().join("upstream")
    }

    /// Starts it, and first what it stands in front of; the addresses of both.
    fn start(&self) -> Result<Vec<(String, String)>> {
        let mut command = self.script("start", &self.state());
        let mut exports = Vec::new();
        if let (Some(upstream), Some(peer)) = (&self.upstream, self.upstream()?) {
            exports = exports_of(peer.name, &mut peer.script("start", &self.upstream_state()))?;
            let address = exports.iter().find(|(name, _)| name == upstream.export);
            let (_, address) =
                address.ok_or_else(|| format!("{} does not tell its {}", peer.name, upstream.export))?;
            command.env(upstream.setting, address);
        }
        match exports_of(self.name, &mut command) {
            Ok(own) => {
                exports.extend(own);
                Ok(exports)
            }
            Err(problem) => {
                // Nothing stays behind of what could not be used.
                self.stop()?;
                Err(problem)
            }
        }
    }

    /// Starts it, runs its tests and stops it; what goes wrong is told to `failed`. One server starts at a time, since
    /// each looks for ports that nobody has.
    fn test(
        &self,
        programs: &BTreeMap<String, Program>,
        starting: &Mutex<()>,
        failed: &mut dyn FnMut(String),
    ) {
        let exports = {
            let _one_at_a_time = locked(starting);
            self.start()
        };
        let exports = match exports {
            Ok(exports) => exports,
            Err(problem) => return failed(problem),
        };
        for (package, test) in self.tests {
            let begun = run::Watch::start();
            let outcome = match programs.get(*test) {
                Some(program) => program.run(&exports),
                None => Err(format!("cargo built no {test} of {package}")),
            };
            let seconds = begun.seconds();
            println!(
                "{:<13} {test} {} {seconds} s",
                self.name,
                if outcome.is_ok() { "passed" } else { "FAILED" }
            );
            if let Err(problem) = outcome {
                failed(problem);
            }
        }
        if let Err(problem) = self.stop() {
            failed(problem);
        }
    }

    fn stop(&self) -> Result {
        run::read(&mut self.script("stop", &self.state()))?;
        if let Some(peer) = self.upstream()? {
            run::read(&mut peer.script("stop", &self.upstream_state()))?;
        }
        Ok(())
    }
}

/// Starts a server and reads what it tells: `export NAME=value` lines.
fn exports_of(name: &str, command: &mut Command) -> Result<Vec<(String, String)>> {
    let text = run::read(command)?;
    let exports: Vec<(String, String)> = text
        .lines()
        .filter_map(|line| line.strip_prefix("export ")?.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.trim_matches(['\'', '"']).to_owned()))
        .collect();
    if exports.is_empty() { Err(format!("{name} started without saying where")) } else { Ok(exports) }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_peer_has_its_scripts_and_its_tests_are_there() {
        for (index, peer) in PEERS.iter().enumerate() {
            assert!(
                PEERS[..index].iter().all(|other| other.name != peer.name),
                "{} is there twice",
                peer.name
            );
            for script in ["start", "stop"] {
                let path = run::root().join("xtask/peers").join(peer.folder).join(script);
                assert!(path.exists(), "{}: there is no {}", peer.name, path.display());
            }
            if let Some(behind) = peer.upstream().unwrap() {
                assert!(behind.upstream.is_none(), "{}: a chain of servers", peer.name);
            }
            for (package, test) in peer.tests {
                let own = run::root().join("crates").join(package);
                let family = package.trim_start_matches("libcloud-");
                let folder =
                    if own.exists() { own } else { run::root().join("crates/providers").join(family) };
                assert!(folder.join(format!("tests/{test}.rs")).exists(), "{package} has no test {test}");
                let manifest = std::fs::read_to_string(folder.join("Cargo.toml")).unwrap();
                let entry = format!("name = \"{test}\"\ntest = false");
                assert!(manifest.contains(&entry), "{package}: {test} runs without a server");
            }
        }
    }

    #[test]
    fn a_test_is_found_by_its_name_alone() {
        let tests: BTreeSet<_> = PEERS.iter().flat_map(|peer| peer.tests).collect();
        let names: BTreeSet<_> = tests.iter().map(|(_, test)| test).collect();
        assert_eq!(tests.len(), names.len(), "two crates have a test of the same name: {tests:?}");
    }

    #[test]
    fn every_folder_is_some_peers() {
        for entry in std::fs::read_dir(run::root().join("xtask/peers")).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            assert!(!path.is_dir() || PEERS.iter().any(|peer| peer.folder == name), "{name} is nobody's");
        }
    }
}
