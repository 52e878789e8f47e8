//! What all benchmark clients share: the command line, the runtime, and the line by which the runner knows what was done.

use std::fmt::Display;
use std::fs::File;
use std::future::Future;
use std::io::Write as _;
use std::time::Instant;

use futures_util::{StreamExt as _, stream};

pub use bench_content::{LARGE, SMALL};

/// `PROGRAM JOB [--endpoint URL] [--conc N] [--n N] [--file PATH] [--out PATH] [--threads N] [--part BYTES] [--ca PATH]
/// [--extra WORDS]`
#[derive(Clone, Debug)]
pub struct Args {
    pub job: String,
    pub endpoint: String,
    /// How many calls are under way at a time.
    pub conc: usize,
    pub n: usize,
    pub file: String,
    pub out: Option<String>,
    /// Threads of the runtime; 1 is a current-thread runtime.
    pub threads: usize,
    pub part: usize,
    pub ca: Option<String>,
    /// What only one client knows.
    pub extra: String,
}

impl Args {
    pub fn parse() -> Self {
        let mut words = std::env::args().skip(1);
        let mut args = Self {
            job: words.next().unwrap_or_else(|| die("which job?")),
            endpoint: "http://127.0.0.1:9900".into(),
            conc: 1,
            n: 0,
            file: String::new(),
            out: None,
            threads: 2,
            part: 8 << 20,
            ca: None,
            extra: String::new(),
        };
        while let Some(flag) = words.next() {
            let value = words.next().unwrap_or_else(|| die(format!("{flag} needs a value")));
            let number = || value.parse().unwrap_or_else(|_| die(format!("{flag}: `{value}` is no number")));
            match flag.as_str() {
                "--conc" => args.conc = number(),
                "--n" => args.n = number(),
                "--threads" => args.threads = number(),
                "--part" => args.part = number(),
                "--endpoint" => args.endpoint = value,
                "--file" => args.file = value,
                "--out" => args.out = Some(value),
                "--ca" => args.ca = Some(value),
                "--extra" => args.extra = value,
                _ => die(format!("there is no option {flag}")),
            }
        }
        args
    }

    /// The job is not one of this client's.
    pub fn unknown_job(&self) -> ! {
        die(format!("this client has no job {}", self.job))
    }
}

/// Ends the program: a benchmark that failed has no figures.
pub fn die(problem: impl Display) -> ! {
    eprintln!("{problem}");
    std::process::exit(2)
}

/// The value; an error ends the program.
pub fn ok<T, E: std::fmt::Debug>(result: Result<T, E>) -> T {
    result.unwrap_or_else(|error| die(format!("{error:?}")))
}

/// Runs the job and prints how much it did, so that a run which did a part of the work cannot pass for a fast one.
pub fn run<F: Future<Output = u64>>(args: &Args, job: F) {
    let runtime = if args.threads <= 1 {
        tokio::runtime::Builder::new_current_thread().enable_all().build()
    } else {
        tokio::runtime::Builder::new_multi_thread().worker_threads(args.threads).enable_all().build()
    };
    let begun = Instant::now();
    let count = ok(runtime).block_on(job);
    println!("{} {count} {:.4}s", args.job, begun.elapsed().as_secs_f64());
}

/// Makes a call for each number below this one, so many at a time, and sums up what they did.
pub async fn together<F: Future<Output = u64>>(
    count: usize,
    conc: usize,
    call: impl FnMut(usize) -> F,
) -> u64 {
    let calls = stream::iter(0..count).map(call);
    calls.buffer_unordered(conc).fold(0, |sum, done| async move { sum + done }).await
}

/// The numbers of the parts of the large object.
pub fn parts(args: &Args) -> usize {
    LARGE.div_ceil(args.part as u64) as usize
}

/// The first byte of a part, and the first after it.
pub fn part(args: &Args, number: usize) -> (u64, u64) {
    let (number, size) = (number as u64, args.part as u64);
    (number * size, ((number + 1) * size).min(LARGE))
}

/// What becomes of a download: nothing, or a file.
pub struct Sink {
    file: Option<File>,
    length: u64,
}

impl Sink {
    pub fn new(args: &Args) -> Self {
        Self { file: args.out.as_ref().map(|path| ok(File::create(path))), length: 0 }
    }

    pub fn write(&mut self, bytes: &[u8]) {
        self.length += bytes.len() as u64;
        if let Some(file) = &mut self.file {
            // Into the page cache: blocking, and cheaper than a hop to another thread.
            ok(file.write_all(bytes));
        }
    }

    /// How much it was.
    pub fn length(&self) -> u64 {
        self.length
    }
}
