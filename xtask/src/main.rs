//! The project's chores. `cargo xtask help` lists them.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for people at a terminal and for CI logs"
)]

use std::process::ExitCode;

mod api;
mod bench;
mod ci;
mod fixtures;
mod fuzz;
mod layers;
mod matrix;
mod parity;
mod peers;
mod pricing;
mod release;
mod run;

/// What went wrong, for a person.
type Result<T = ()> = std::result::Result<T, String>;

const HELP: &str = "cargo xtask <chore>

  ci [--no-peers]        everything that a change must pass, in the order of its cost
  fixtures record --to FILE -- ARGUMENTS
                         run the program and record, without secrets, what it sends and is answered
  fixtures replay FILE -- ARGUMENTS
                         run the program on a recording as its only server
  fixtures check [NAME]  run the tests, of one family or of all crates, and fail on a file of fixtures/ that none reads
  layers                 check that the arrows between the crates point one way
  api                    check that public signatures show no foreign type that is not on the list
  matrix [--check]       write docs/src/providers/matrix.md from the drivers' capabilities, or check that it is up to date
  bench [JOB …]          measure our client beside the limit and the peers; `bench --help`
  fuzz [--seconds N] [TARGET …]
                         run fuzz targets, 60 s each or as long as told; `fuzz list` names them
  parity --from DIR …    play recorded calls of Apache Libcloud against our drivers; `parity --help`
  peers install          install what the real servers with tests need
  peers list             the real servers that the drivers are tested against
  peers start|stop NAME  start or stop one; start prints its addresses and test credentials
  peers test [NAME …]    start them, run the tests that need them, stop them
  pricing build          pack the files of crates/libcloud-pricing/data into what is compiled in
  pricing check          check these files, and that they are what is packed
  release --dry-run [--key ID]
                         check versions and changelog, pack the crates, make archives, checksums and signatures
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match words.as_slice() {
        ["ci"] => ci::run(true),
        ["ci", "--no-peers"] => ci::run(false),
        ["api"] => api::check(),
        ["bench", options @ ..] => bench::run(options),
        ["fuzz", "list"] => fuzz::list(),
        ["fuzz", options @ ..] => fuzz::run(options),
        ["fixtures", "record", words @ ..] => fixtures::record(words),
        ["fixtures", "replay", words @ ..] => fixtures::replay(words),
        ["fixtures", "check"] => fixtures::check(None),
        ["fixtures", "check", family] => fixtures::check(Some(family)),
        ["layers"] => layers::check(),
        ["matrix"] => matrix::write(),
        ["matrix", "--check"] => matrix::check(),
        ["parity", options @ ..] => parity::run(options),
        ["peers", "install"] => peers::install(),
        ["peers", "list"] => {
            peers::list();
            Ok(())
        }
        ["peers", "start", name] => peers::start(name),
        ["peers", "stop", name] => peers::stop(name),
        ["peers", "test", names @ ..] => peers::test(names),
        ["pricing", "build"] => pricing::build(),
        ["pricing", "check"] => pricing::check(),
        ["release", "--dry-run", options @ ..] => release::dry_run(options),
        ["release", ..] => {
            Err("only `release --dry-run` is done by a machine; docs/src/releasing.md has the rest".into())
        }
        ["help" | "--help"] | [] => {
            print!("{HELP}");
            Ok(())
        }
        _ => Err(format!("there is no such chore: {}\n\n{HELP}", words.join(" "))),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("xtask: {problem}");
            ExitCode::FAILURE
        }
    }
}
