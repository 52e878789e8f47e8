//! A release, up to the point where it becomes public.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::{Result, run};

/// What is made of the sources.
const ARCHIVES: &[&str] = &["tar.gz", "tar.bz2", "zip"];

/// Checks versions and changelog, packs every crate as the registry takes it, and writes the archives of the sources with
/// their checksums, and with a signature each where a key is given. Nothing is published, tagged or pushed.
pub(crate) fn dry_run(options: &[&str]) -> Result {
    let key = match options {
        [] => None,
        ["--key", key] => Some(*key),
        _ => return Err("release --dry-run takes `--key ID` and nothing else".into()),
    };
    let (version, names) = crates()?;
    let notes = notes(
        &fs::read_to_string(run::root().join("CHANGELOG.md")).map_err(|error| error.to_string())?,
        &version,
    )?;
    println!("libcloud {version}\n\n{notes}\n");
    let packages = names.iter().flat_map(|name| ["--package", name]);
    run::run(run::cargo_with(["package", "--locked", "--no-verify", "--allow-dirty"]).args(packages))?;
    let folder = run::target()?.join("releases").join(&version);
    // What an earlier run left behind is not this release.
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let names = archives(&folder, &format!("libcloud-{version}"))?;
    for algorithm in ["sha256", "sha512"] {
        checksums(&folder, algorithm, &names)?;
    }
    if let Some(key) = key {
        names.iter().try_for_each(|name| sign(&folder, name, key))?;
    }
    println!("\n{} is ready in {}; nothing was published", version, folder.display());
    if key.is_none() {
        println!("the archives are not signed: name a key with --key");
    }
    Ok(())
}

/// The one version that all crates have and ask for of each other, and the crates that are published.
fn crates() -> Result<(String, Vec<String>)> {
    let text = run::read(&mut run::cargo_with(["metadata", "--format-version=1", "--no-deps", "--locked"]))?;
    let metadata: Value = serde_json::from_str(&text).map_err(|error| format!("cargo metadata: {error}"))?;
    let packages = metadata.get("packages").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let public: Vec<&Value> =
        packages.iter().filter(|package| package.get("publish").is_none_or(Value::is_null)).collect();
    let text =
        |value: &Value, key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let version = public
        .iter()
        .find(|package| text(package, "name") == "libcloud")
        .map(|package| text(package, "version"));
    let version = version.ok_or("there is no crate `libcloud`")?;
    let mut wrong = Vec::new();
    for package in &public {
        let name = text(package, "name");
        if text(package, "version") != version {
            wrong.push(format!("{name} has version {}, not {version}", text(package, "version")));
        }
        if text(package, "description").is_empty() || text(package, "license").is_empty() {
            wrong.push(format!("{name} has no description, or no licence"));
        }
        let dependencies =
            package.get("dependencies").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        for dependency in dependencies.iter().filter(|dependency| dependency.get("path").is_some()) {
            let is_dev = text(dependency, "kind") == "dev";
            if !is_dev && text(dependency, "req") != format!("^{version}") {
                wrong.push(format!(
                    "{name} asks for {} of {}",
                    text(dependency, "req"),
                    text(dependency, "name")
                ));
            }
        }
    }
    let names = public.iter().map(|package| text(package, "name")).collect();
    if wrong.is_empty() { Ok((version, names)) } else { Err(wrong.join("\n")) }
}

/// What the changelog says of this version; before its day has come, what it says of the unreleased one.
fn notes(changelog: &str, version: &str) -> Result<String> {
    let section = |title: &str| {
        let mut lines = changelog.lines().skip_while(|line| {
            line.strip_prefix("## ").is_none_or(|heading| heading.split_whitespace().next() != Some(title))
        });
        lines.next()?;
        let text: Vec<&str> = lines.take_while(|line| !line.starts_with("## ")).collect();
        Some(text.join("\n").trim().to_owned()).filter(|text| !text.is_empty())
    };
    section(version)
        .or_else(|| section("Unreleased"))
        .ok_or_else(|| format!("CHANGELOG.md says nothing of {version}, nor of what is unreleased"))
}

/// The archives of the last commit, all of the same files.
fn archives(folder: &Path, stem: &str) -> Result<Vec<String>> {
    let prefix = format!("--prefix={stem}/");
    for ending in ["tar", "tar.gz", "zip"] {
        // git tells the format by the name.
        let path = folder.join(format!("{stem}.{ending}"));
        let mut command = Command::new("git");
        run::run(command.current_dir(run::root()).args(["archive", &prefix, "-o"]).arg(path).arg("HEAD"))?;
    }
    // Takes the place of the `.tar`.
    run::run(Command::new("bzip2").arg("--best").arg(folder.join(format!("{stem}.tar"))))?;
    let names: Vec<String> = ARCHIVES.iter().map(|ending| format!("{stem}.{ending}")).collect();
    for name in &names {
        let path = folder.join(name);
        let length = fs::metadata(&path).map_err(|error| format!("{}: {error}", path.display()))?.len();
        println!("{length:>10}  {name}");
    }
    same_files(folder, &names)?;
    Ok(names)
}

/// Fails if one archive holds what another does not.
fn same_files(folder: &Path, names: &[String]) -> Result {
    let mut lists = Vec::new();
    for name in names {
        let path = folder.join(name);
        // Python, which every machine of this project has, reads all three.
        let script = "import sys, tarfile, zipfile\n\
                      path = sys.argv[1]\n\
                      names = zipfile.ZipFile(path).namelist() if path.endswith('.zip') else [m.name + '/' * m.isdir() for m in tarfile.open(path)]\n\
                      print('\\n'.join(sorted(names)))";
        lists.push(run::read(Command::new("python3").args(["-c", script]).arg(&path))?);
    }
    let [first, others @ ..] = lists.as_slice() else { return Err("no archive was made".into()) };
    if first.lines().count() < 2 || others.iter().any(|list| list != first) {
        return Err("the archives do not hold the same files".into());
    }
    Ok(())
}

/// Writes `SHA256SUMS`, and reads it back with the tool that users check with.
fn checksums(folder: &Path, algorithm: &str, names: &[String]) -> Result {
    let program = format!("{algorithm}sum");
    let sums = run::read(Command::new(&program).current_dir(folder).args(names))?;
    let file = format!("{}SUMS", algorithm.to_uppercase());
    fs::write(folder.join(&file), &sums).map_err(|error| format!("{file}: {error}"))?;
    run::run(Command::new(&program).current_dir(folder).args(["--check", "--strict", &file]))
}

/// Writes a detached signature beside the archive, and verifies it.
fn sign(folder: &Path, name: &str, key: &str) -> Result {
    let signature = format!("{name}.asc");
    let gpg = || {
        let mut command = Command::new("gpg");
        command.current_dir(folder).stdin(Stdio::null());
        command
    };
    run::run(gpg().args([
        "--batch",
        "--armor",
        "--local-user",
        key,
        "--output",
        &signature,
        "--detach-sign",
        name,
    ]))?;
    run::run(gpg().args(["--batch", "--verify", &signature, name]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_notes_are_those_of_the_version() {
        let changelog =
            "# Changelog\n\n## Unreleased\n\nnew\n\n## 1.0.0 - 2026-01-01\n\n### The library\n\nold\n";
        assert_eq!(notes(changelog, "1.0.0").unwrap(), "### The library\n\nold");
        assert_eq!(notes(changelog, "1.1.0").unwrap(), "new");
        assert!(notes("# Changelog\n\n## Unreleased\n\n## 0.9\n\nx", "1.0.0").unwrap_err().contains("1.0.0"));
    }
}
