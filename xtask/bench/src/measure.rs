//! One run of one program: what it took, and whether it did all of its work.

use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use wait4::Wait4 as _;

use crate::Result;
use crate::build::Places;
use crate::jobs::{Check, Job, Row};
use crate::server::Servers;

/// After this long a run is ended and counts as failed.
const LIMIT: Duration = Duration::from_secs(300);

/// What one run took; of a share of the job, scaled up.
#[derive(Clone, Copy)]
pub(crate) struct Run {
    pub(crate) wall: f64,
    pub(crate) user: f64,
    pub(crate) system: f64,
    /// The most memory that was resident, in MiB.
    pub(crate) resident: f64,
}

/// The runs of each row of a job, in the order of its rows, or why there are none.
pub(crate) struct Table(pub(crate) Vec<(&'static str, Result<Vec<Run>>)>);

impl Table {
    pub(crate) fn failures(&self, job: &str) -> Vec<String> {
        let failed = |(row, runs): &(&str, Result<Vec<Run>>)| {
            runs.as_ref().err().map(|problem| format!("{job}: {row}: {problem}"))
        };
        self.0.iter().filter_map(failed).collect()
    }
}

/// Measures the rows of a job in turn. One that fails once is not run again.
pub(crate) fn measure(
    places: &Places,
    servers: &Servers,
    job: &Job,
    rounds: usize,
    warmup: usize,
) -> Result<Table> {
    let mut table: Vec<_> = job.rows.iter().map(|row| (row.name, Ok(Vec::new()))).collect();
    for round in 0..warmup + rounds {
        for (row, (_, runs)) in job.rows.iter().zip(&mut table) {
            let Ok(known) = runs else { continue };
            match once(places, servers, job, row) {
                Ok(run) if round >= warmup => known.push(run),
                Ok(_) => {}
                Err(problem) => {
                    eprintln!("{}: {}: {problem}", job.name, row.name);
                    *runs = Err(problem);
                }
            }
        }
    }
    Ok(Table(table))
}

fn once(places: &Places, servers: &Servers, job: &Job, row: &Row) -> Result<Run> {
    let io = |error: std::io::Error| error.to_string();
    let (output, down) = (places.files.join("output"), places.files.join("down"));
    if down.is_dir() {
        fs::remove_dir_all(&down).map_err(io)?;
    } else if down.exists() {
        fs::remove_file(&down).map_err(io)?;
    }
    servers.reset()?;
    let file = File::create(&output).map_err(io)?;
    let words = places.command(row);
    let (program, arguments) = words.split_first().ok_or("there is no command")?;
    let mut command = Command::new(program);
    // A bundle that is meant for another network would change what each client loads at its start.
    command.args(arguments).envs(places.environment()).env_remove("AWS_CA_BUNDLE");
    command.stdin(Stdio::null()).stdout(file.try_clone().map_err(io)?).stderr(file);
    let begun = Instant::now();
    let mut child = command.spawn().map_err(|error| format!("{program}: {error}"))?;
    let (done, waiting) = mpsc::channel::<()>();
    let id = child.id().to_string();
    let watch = thread::spawn(move || {
        if waiting.recv_timeout(LIMIT) == Err(mpsc::RecvTimeoutError::Timeout) {
            let _ = Command::new("kill").args(["-9", &id]).status();
        }
    });
    let used = child.wait4().map_err(io)?;
    let wall = begun.elapsed().as_secs_f64();
    drop(done);
    let _ = watch.join();
    let wanted = (job.count as f64 * row.share).round() as u64;
    let checked = if used.status.success() {
        check(&row.check, wanted, &output, &down, servers)
    } else {
        Err(used.status.to_string())
    };
    checked.map_err(|problem| format!("{problem}\n{}", tail(&output)))?;
    Ok(Run {
        wall: wall / row.share,
        user: used.rusage.utime.as_secs_f64() / row.share,
        system: used.rusage.stime.as_secs_f64() / row.share,
        resident: used.rusage.maxrss as f64 / f64::from(1 << 20),
    })
}

/// Whether all of the work was done.
fn check(check: &Check, wanted: u64, output: &Path, down: &Path, servers: &Servers) -> Result {
    let did = match check {
        Check::Status => return Ok(()),
        Check::Says => {
            let said = tail(output);
            let mut words = said.lines().last().unwrap_or_default().split(' ');
            words.nth(1).and_then(|count| count.parse().ok()).ok_or("it does not say how much it did")?
        }
        Check::Lines => lines(output).map_err(|error| error.to_string())?,
        Check::Uploaded(expected) => {
            // The server also counts the list that completes an upload in parts.
            let (uploaded, most) = (servers.uploaded()?, expected + expected / 1000);
            return compare(if uploaded <= most { uploaded.min(*expected) } else { uploaded }, *expected);
        }
        Check::Downloaded => fs::metadata(down).map_err(|error| error.to_string())?.len(),
        Check::Files => fs::read_dir(down).map_err(|error| error.to_string())?.count() as u64,
    };
    compare(did, wanted)
}

fn compare(did: u64, wanted: u64) -> Result {
    if did == wanted { Ok(()) } else { Err(format!("it did {did} of {wanted}")) }
}

/// Counts them without holding them: what is resident in this process is counted as its children's, too.
fn lines(output: &Path) -> io::Result<u64> {
    let mut text = BufReader::new(File::open(output)?);
    let mut count = 0;
    loop {
        let piece = text.fill_buf()?;
        if piece.is_empty() {
            return Ok(count);
        }
        count += piece.iter().filter(|byte| **byte == b'\n').count() as u64;
        let length = piece.len();
        text.consume(length);
    }
}

/// The last words of a program.
fn tail(output: &Path) -> String {
    let end = || {
        let mut file = File::open(output)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(300)))?;
        let mut text = Vec::new();
        file.read_to_end(&mut text).map(|_| text)
    };
    String::from_utf8_lossy(&end().unwrap_or_else(|error: io::Error| error.to_string().into_bytes()))
        .into_owned()
}
