//! Bodies as a provider sends them, in files.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use bytes::Bytes;

/// Where `cargo xtask fixtures check` lets each test write down what it read.
const USED: &str = "LIBCLOUD_FIXTURES_USED";

/// The content of a file of bodies: `fixtures/aws/ec2/RunInstances.xml`, from the root of the workspace.
///
/// That the file was read is written down for `cargo xtask fixtures check`, which fails on files that no test reads.
pub fn fixture(path: impl AsRef<Path>) -> Bytes {
    let whole = fixture_path(path);
    let content = fs::read(&whole).unwrap_or_else(|error| panic!("the fixture {}: {error}", whole.display()));
    content.into()
}

/// Where such a file is, for a method that reads it itself.
pub fn fixture_path(path: impl AsRef<Path>) -> PathBuf {
    let path = path.as_ref();
    let whole = root().join(path);
    assert!(whole.is_file(), "the fixture {} is no file", whole.display());
    if let Some(used) = std::env::var_os(USED) {
        write_down(Path::new(&used), path);
    }
    whole
}

/// One line a file, in one write, so that the lines of tests that run at the same time stay whole.
fn write_down(used: &Path, path: &Path) {
    let line = format!("{}\n", path.display());
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(used)
        .and_then(|mut file| file.write_all(line.as_bytes()))
        .unwrap_or_else(|error| panic!("{USED}={}: {error}", used.display()));
}

/// The folder of the workspace that is tested: the nearest above the crate that has a `Cargo.lock`.
fn root() -> PathBuf {
    let own = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| std::env::current_dir().expect("a test has a current folder"), PathBuf::from);
    let root = own.ancestors().find(|folder| folder.join("Cargo.lock").exists());
    root.unwrap_or_else(|| panic!("there is no Cargo.lock in or above {}", own.display())).to_owned()
}
