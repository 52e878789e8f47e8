//! The bodies under `fixtures/`: each is read by a test.
//!
//! Not by looking for their names in the tests, which put them together from parts: the tests write down what they read,
//! each process for itself, and what nobody read is left over.

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
