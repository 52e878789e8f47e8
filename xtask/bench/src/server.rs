//! The servers while they run, and what is on the disk for them.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use bench_content::{LARGE, PATTERN, SMALL, md5_of};

use crate::Result;
use crate::build::Places;

pub(crate) const KEY: &str = "key";
pub(crate) const SECRET: &str = "secret";
pub(crate) const REGION: &str = "us-east-1";
/// How many small objects there are, and files to make them of.
pub(crate) const SMALL_OBJECTS: usize = 10_000;

/// The fast server, which has one core as far as the scheduler allows, and the slow one.
pub(crate) struct Servers {
    children: Vec<Child>,
    http: u16,
}

impl Servers {
    pub(crate) fn start(places: &Places) -> Result<Self> {
        files(&places.large(), &places.files)
            .map_err(|error| format!("{}: {error}", places.files.display()))?;
        let program = places.built("bench-server");
        let core = thread::available_parallelism().map_or(0, |cores| cores.get() - 1).to_string();
        let mut fast = Command::new("taskset");
        fast.args(["--cpu-list", &core]).arg(&program).args(["--workers", "1", "--nova-page", "10000"]);
        fast.args(["--http", &format!("127.0.0.1:{}", places.http)]);
        fast.args(["--https", &format!("127.0.0.1:{}", places.https)]).arg("--ca-out").arg(places.ca());
        fast.args(["--known-md5", &format!("{LARGE}={}", md5_of(LARGE))]);
        let mut slow = Command::new(&program);
        slow.args(["--workers", "1", "--latency-ms", "20", "--http", &format!("127.0.0.1:{}", places.slow)]);
        let mut servers = Self { children: Vec::new(), http: places.http };
        for command in [&mut fast, &mut slow] {
            let child = command.stdin(Stdio::null()).stderr(Stdio::null()).spawn();
            servers.children.push(child.map_err(|error| format!("{command:?}: {error}"))?);
        }
        for port in [places.http, places.slow] {
            let listens = (0..100).any(|_| {
                let listens = TcpStream::connect(("127.0.0.1", port)).is_ok();
                if !listens {
                    thread::sleep(Duration::from_millis(50));
                }
                listens
            });
            if !listens {
                return Err(format!("the server does not listen on port {port}"));
            }
        }
        // What is built once is built before anything is timed.
        for path in [&format!("/bench/size-{LARGE}"), "/?Action=DescribeInstances", "/v2.1/servers/detail"] {
            servers.get(path)?;
        }
        Ok(servers)
    }

    /// Forgets what was counted.
    pub(crate) fn reset(&self) -> Result {
        self.get("/_bench/reset").map(drop)
    }

    /// The bytes that have been uploaded.
    pub(crate) fn uploaded(&self) -> Result<u64> {
        let text = String::from_utf8_lossy(&self.get("/_bench/stats")?).into_owned();
        let stats: serde_json::Value = text
            .split_once("\r\n\r\n")
            .and_then(|(_, body)| serde_json::from_str(body.trim()).ok())
            .ok_or_else(|| format!("the server's counts are no JSON: {text}"))?;
        Ok(stats["bytes_in"].as_u64().unwrap_or_default())
    }

    fn get(&self, path: &str) -> Result<Vec<u8>> {
        let get = || -> io::Result<Vec<u8>> {
            let mut stream = TcpStream::connect(("127.0.0.1", self.http))?;
            write!(stream, "GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")?;
            let (mut head, mut chunk) = (Vec::new(), vec![0; 1 << 20]);
            loop {
                let read = stream.read(&mut chunk)?;
                if read == 0 {
                    return Ok(head);
                }
                // All is read, and only the beginning is looked at.
                if head.len() < 1 << 16 {
                    head.extend_from_slice(&chunk[..read]);
                }
            }
        };
        get().map_err(|error| format!("GET {path}: {error}"))
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        for child in &mut self.children {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// The large file and the folder of small ones, made of what the server's objects are made of.
fn files(large: &Path, folder: &Path) -> io::Result<()> {
    if fs::metadata(large).is_ok_and(|meta| meta.len() == LARGE) && folder.join("small").is_dir() {
        return Ok(());
    }
    let mut file = fs::File::create(large)?;
    for _ in 0..LARGE / PATTERN.len() as u64 {
        file.write_all(&PATTERN)?;
    }
    let small = folder.join("small");
    fs::create_dir_all(&small)?;
    for n in 0..SMALL_OBJECTS {
        fs::write(small.join(format!("{n:06}.bin")), &PATTERN[n..n + SMALL])?;
    }
    Ok(())
}
