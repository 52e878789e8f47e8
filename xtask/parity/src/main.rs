//! Plays recorded calls of Apache Libcloud against our drivers: the recording answers as a server, our drivers are called
//! by the same names with the same arguments, and what they send and give is compared. `cargo xtask parity` runs it.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for people at a terminal and for CI logs"
)]

use std::path::PathBuf;
use std::process::ExitCode;

mod arguments;
mod compare;
mod drivers;
mod names;
#[cfg(test)]
mod page;
mod player;
mod pricing;
mod recording;
mod report;
mod rules;
#[cfg(test)]
mod tests;

use player::Play;

const HELP: &str =
    "cargo xtask parity --from DIR [--driver NAME] [--as-recorded] [--format table|json] [--verbose]

  --from DIR      a folder with results/*.jsonl and transcripts/*.jsonl
  --driver NAME   one driver only: `ec2`, or `dns/dummy` where several services have one of that name
  --as-recorded   speak the recorded versions of API and signature where a driver can
  --format        table (for people) or json
  --verbose       every failure, and how often each reason and rule was used, on standard error

Its status is 1 if a call failed.
";

struct Arguments {
    play: Play,
    json: bool,
    verbose: bool,
}

fn arguments(mut words: impl Iterator<Item = String>) -> Result<Arguments, String> {
    let (mut from, mut only, mut as_recorded, mut json, mut verbose) = (None, None, false, false, false);
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| format!("{word} needs a value\n\n{HELP}"));
        match word.as_str() {
            "--from" => from = Some(PathBuf::from(value()?)),
            "--driver" => only = Some(value()?),
            "--as-recorded" => as_recorded = true,
            "--format" => match value()?.as_str() {
                "json" => json = true,
                "table" => json = false,
                other => return Err(format!("there is no format `{other}`\n\n{HELP}")),
            },
            "--verbose" => verbose = true,
            other => return Err(format!("there is no argument `{other}`\n\n{HELP}")),
        }
    }
    let from = from.ok_or_else(|| format!("--from is missing\n\n{HELP}"))?;
    Ok(Arguments { play: Play { from, only, as_recorded }, json, verbose })
}

async fn run() -> Result<bool, String> {
    if std::env::args().any(|word| word == "--help") {
        print!("{HELP}");
        return Ok(true);
    }
    let words: Vec<String> = std::env::args().skip(1).collect();
    if let Some(("replay", rest)) = words.split_first().map(|(first, rest)| (first.as_str(), rest)) {
        return recording::replay(rest).await;
    }
    let arguments = arguments(words.into_iter())?;
    let report = player::play(&arguments.play).await?;
    if report.rows().next().is_none() {
        return Err(format!("no recording is of `{}`", arguments.play.only.unwrap_or_default()));
    }
    if arguments.verbose {
        eprint!("{}", report.details());
    }
    if arguments.json {
        let rows: Vec<_> = report.rows().collect();
        println!("{}", serde_json::to_string_pretty(&rows).map_err(|error| error.to_string())?);
    } else {
        print!("{}", report.table());
    }
    Ok(report.failed() == 0)
}

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(problem) => {
            eprintln!("parity: {problem}");
            ExitCode::from(2)
        }
    }
}
