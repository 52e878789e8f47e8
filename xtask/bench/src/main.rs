//! Runs the jobs of the README through the limit, our client and the peers, in turn (A B C, A B C, …), and prints medians and
//! ratios to the limit. What a row needs is built, or installed, before anything is measured.

use std::path::PathBuf;
use std::process::ExitCode;

use regex::Regex;

mod build;
mod jobs;
mod measure;
mod report;
mod server;

use jobs::{Job, Tier};

/// What went wrong, for a person.
type Result<T = ()> = std::result::Result<T, String>;

const HELP: &str = "cargo xtask bench [JOB …] [OPTION …]

  --rounds N             how often each row is measured; 3
  --warmup N             how often before that; 1
  --peers none|usual|all which peers: none, those that build in a minute, or all that there are
  --peer REGEX           only the limit and the rows whose name matches
  --skip REGEX           without the rows whose name matches
  --json FILE            also write every figure there
  --list                 only show the jobs with their commands
";

struct Options {
    jobs: Vec<String>,
    rounds: usize,
    warmup: usize,
    tier: Tier,
    peer: Option<Regex>,
    skip: Option<Regex>,
    json: Option<PathBuf>,
    list: bool,
}

impl Options {
    fn parse(mut words: impl Iterator<Item = String>) -> Result<Option<Self>> {
        let mut options = Self {
            jobs: Vec::new(),
            rounds: 3,
            warmup: 1,
            tier: Tier::Usual,
            peer: None,
            skip: None,
            json: None,
            list: false,
        };
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("{word} needs a value"));
            let number =
                |value: String| value.parse::<usize>().map_err(|_| format!("`{value}` is no number"));
            let regex = |value: String| Regex::new(&value).map_err(|error| error.to_string());
            match word.as_str() {
                "--rounds" => options.rounds = number(value()?)?.max(1),
                "--warmup" => options.warmup = number(value()?)?,
                "--peer" => options.peer = Some(regex(value()?)?),
                "--skip" => options.skip = Some(regex(value()?)?),
                "--json" => options.json = Some(value()?.into()),
                "--list" => options.list = true,
                "--peers" => {
                    options.tier = match value()?.as_str() {
                        "none" => Tier::Ours,
                        "usual" => Tier::Usual,
                        "all" => Tier::All,
                        other => return Err(format!("--peers is none, usual or all, not `{other}`")),
                    }
                }
                "--help" => return Ok(None),
                _ if word.starts_with('-') => return Err(format!("there is no option {word}\n\n{HELP}")),
                _ => options.jobs.push(word),
            }
        }
        Ok(Some(options))
    }

    /// The jobs that were asked for, with the rows that were asked for. The first row stays: ratios are to it.
    fn choose(&self, mut jobs: Vec<Job>) -> Result<Vec<Job>> {
        if let Some(unknown) = self.jobs.iter().find(|name| jobs.iter().all(|job| job.name != **name)) {
            let names: Vec<&str> = jobs.iter().map(|job| job.name).collect();
            return Err(format!("there is no job {unknown}; there are {}", names.join(", ")));
        }
        jobs.retain(|job| self.jobs.is_empty() || self.jobs.iter().any(|name| job.name == *name));
        for job in &mut jobs {
            let mut first = true;
            job.rows.retain(|row| {
                let chosen = self.peer.as_ref().is_none_or(|peer| peer.is_match(row.name))
                    && !self.skip.as_ref().is_some_and(|skip| skip.is_match(row.name));
                row.tier <= self.tier && (std::mem::take(&mut first) || chosen)
            });
        }
        Ok(jobs)
    }
}

fn run() -> Result {
    let Some(options) = Options::parse(std::env::args().skip(1))? else {
        print!("{HELP}");
        return Ok(());
    };
    let places = build::Places::find()?;
    let mut jobs = options.choose(jobs::jobs(&places))?;
    if options.list {
        for job in &jobs {
            println!("{}: {} {}", job.name, job.count, job.unit);
            job.rows.iter().for_each(|row| println!("    {} | {}", row.name, places.command(row).join(" ")));
        }
        return Ok(());
    }
    // A thousand connections at a time are two thousand descriptors.
    rlimit::increase_nofile_limit(u64::MAX).map_err(|error| format!("the limit of open files: {error}"))?;
    build::build(&places, &mut jobs)?;
    let servers = server::Servers::start(&places)?;
    let mut tables = Vec::new();
    for job in &jobs {
        let table = measure::measure(&places, &servers, job, options.rounds, options.warmup)?;
        report::print(job, &table, options.rounds);
        tables.push((job.name, table));
    }
    if let Some(path) = &options.json {
        let text = report::json(&tables).to_string();
        std::fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    let failed: Vec<String> = tables.iter().flat_map(|(job, table)| table.failures(job)).collect();
    if failed.is_empty() { Ok(()) } else { Err(failed.join("\n")) }
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("bench: {problem}");
            ExitCode::FAILURE
        }
    }
}
