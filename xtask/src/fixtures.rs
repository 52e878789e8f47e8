//! Recordings of what a provider really answers, and the bodies under `fixtures/`, each of which is read by a test.
//!
//! Which are read is not found by looking for their names in the tests, which put them together from parts: the tests
//! write down what they read, each process for itself, and what nobody read is left over.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::{Result, run};

/// Runs the tests, of one family or of all crates, and fails if one fails or a file was read by none.
pub(crate) fn check(family: Option<&str>) -> Result {
    let used = std::env::temp_dir().join(format!("libcloud-fixtures-{}.txt", std::process::id()));
    let mut command = match family {
        Some(family) => run::cargo_with(["test", "--package", &format!("libcloud-{family}")]),
        None => run::cargo_with(["test", "--workspace"]),
    };
    let outcome = run::run(command.env("LIBCLOUD_FIXTURES_USED", &used));
    let read = fs::read_to_string(&used).unwrap_or_default();
    // Gone already where no test read any.
    let _ = fs::remove_file(&used);
    outcome?;
    let root = run::root();
    let mut files = BTreeSet::new();
    collect(&root.join("fixtures").join(family.unwrap_or_default()), &mut files)?;
    let read: BTreeSet<PathBuf> = read.lines().map(|line| root.join(line)).collect();
    let unused: Vec<String> = files.difference(&read).map(|path| path.display().to_string()).collect();
    if files.is_empty() {
        return Err("fixtures: there is none, so nothing was checked".into());
    }
    if unused.is_empty() {
        println!("fixtures: {} files, each is read by a test", files.len());
        Ok(())
    } else {
        Err(format!("no test reads\n  {}", unused.join("\n  ")))
    }
}

/// `--to FILE -- ARGUMENTS`: runs the program with these arguments, against whatever account they name, and keeps what
/// it sends and is answered. Nothing of a credential is in the file; where one of the environment is all the same, the
/// file is not kept.
pub(crate) fn record(words: &[&str]) -> Result {
    let ["--to", file, "--", arguments @ ..] = words else {
        return Err("fixtures record --to FILE -- ARGUMENTS OF libcloud".into());
    };
    let file = std::path::absolute(file).map_err(|error| format!("{file}: {error}"))?;
    if file.exists() {
        return Err(format!("{} exists already", file.display()));
    }
    let mut command = run::cargo_with(["run", "--quiet", "--package", "libcloud-cli", "--"]);
    let outcome = run::run(command.args(arguments).env("LIBCLOUD_RECORD", &file));
    let text = fs::read_to_string(&file)
        .map_err(|error| format!("nothing was recorded in {}: {error}", file.display()))?;
    let given = arguments
        .iter()
        .zip(arguments.iter().skip(1))
        .filter(|(name, _)| matches!(**name, "--key" | "--secret"))
        .map(|(_, value)| (*value).to_owned());
    if let Some(name) = leaked(&text, std::env::vars(), given) {
        fs::remove_file(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        return Err(format!("the recording held the value of {name} and was deleted"));
    }
    outcome?;
    println!("{} exchanges are in {}", text.lines().count(), file.display());
    Ok(())
}

/// The first credential, of the environment or the command line, that is in the text.
fn leaked(
    text: &str,
    variables: impl Iterator<Item = (String, String)>,
    given: impl Iterator<Item = String>,
) -> Option<String> {
    const PARTS: [&str; 5] = ["KEY", "SECRET", "PASSWORD", "TOKEN", "CREDENTIAL"];
    let secrets = variables.filter(|(name, _)| PARTS.iter().any(|part| name.to_uppercase().contains(part)));
    // Shorter values are found in any text.
    secrets
        .chain(given.map(|value| ("the command line".to_owned(), value)))
        .find(|(_, value)| value.len() >= 6 && text.contains(value.as_str()))
        .map(|(name, _)| name)
}

/// `FILE -- ARGUMENTS`: runs the program with the recording as its only server.
pub(crate) fn replay(words: &[&str]) -> Result {
    let arguments = ["run", "--quiet", "--package", "libcloud-parity", "--", "replay"];
    run::run(&mut run::cargo_with(arguments.iter().chain(words)))
}

fn collect(folder: &Path, files: &mut BTreeSet<PathBuf>) -> Result {
    let cannot = |error: std::io::Error| format!("{}: {error}", folder.display());
    for entry in fs::read_dir(folder).map_err(cannot)? {
        let entry = entry.map_err(cannot)?;
        if entry.file_type().map_err(cannot)?.is_dir() {
            collect(&entry.path(), files)?;
        } else {
            files.insert(entry.path());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_in_a_recording_is_found() {
        let variables =
            || [("AWS_SECRET_ACCESS_KEY".to_owned(), "canary-1".to_owned()), ("HOME".into(), "/home".into())];
        let none = || std::iter::empty();
        assert_eq!(
            leaked("… canary-1 …", variables().into_iter(), none()).as_deref(),
            Some("AWS_SECRET_ACCESS_KEY")
        );
        assert_eq!(leaked("… /home …", variables().into_iter(), none()), None);
        let given = std::iter::once("canary-2".to_owned());
        assert_eq!(leaked("canary-2", variables().into_iter(), given).as_deref(), Some("the command line"));
    }
}
