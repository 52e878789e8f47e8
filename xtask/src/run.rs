//! Running other programs.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::Result;

/// Tells how long something took.
pub(crate) struct Watch(Instant);

impl Watch {
    #[expect(clippy::disallowed_methods, reason = "no test depends on it, and there is no clock to set")]
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn seconds(&self) -> u64 {
        self.0.elapsed().as_secs()
    }
}

/// The folder of the repository.
pub(crate) fn root() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own).to_owned()
}

/// The folder that cargo builds in.
pub(crate) fn target() -> Result<PathBuf> {
    let text = read(&mut cargo_with(["metadata", "--format-version=1", "--no-deps"]))?;
    let metadata: serde_json::Value =
        serde_json::from_str(&text).map_err(|error| format!("cargo metadata: {error}"))?;
    let folder = metadata.get("target_directory").and_then(serde_json::Value::as_str);
    folder.map(PathBuf::from).ok_or_else(|| "cargo metadata tells no target_directory".into())
}

/// The program `libcloud`, as it was built last.
pub(crate) fn program() -> Result<Command> {
    Ok(Command::new(target()?.join("debug").join(format!("libcloud{}", std::env::consts::EXE_SUFFIX))))
}

/// The cargo that runs this.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    command
}

/// A command of cargo.
pub(crate) fn cargo_with<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Command {
    let mut command = cargo();
    command.args(arguments);
    command
}

/// Shows the command, runs it, and fails if it does.
pub(crate) fn run(command: &mut Command) -> Result {
    println!("$ {}", shown(command));
    let status =
        command.stdin(Stdio::null()).status().map_err(|error| format!("{}: {error}", shown(command)))?;
    if status.success() { Ok(()) } else { Err(format!("{}: {status}", shown(command))) }
}

/// Runs the command and shows what it wrote, in one piece, only if it fails.
pub(crate) fn run_quietly(command: &mut Command) -> Result {
    let output =
        command.stdin(Stdio::null()).output().map_err(|error| format!("{}: {error}", shown(command)))?;
    if output.status.success() {
        return Ok(());
    }
    let text = [output.stdout, output.stderr].concat();
    println!("$ {}\n{}", shown(command), String::from_utf8_lossy(&text));
    Err(format!("{}: {}", shown(command), output.status))
}

/// Runs the command and gives what it writes to standard output.
pub(crate) fn read(command: &mut Command) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("{}: {error}", shown(command)))?;
    if !output.status.success() {
        return Err(format!("{}: {}", shown(command), output.status));
    }
    String::from_utf8(output.stdout).map_err(|_| format!("{}: its output is not text", shown(command)))
}

fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    std::iter::once(program)
        .chain(command.get_args())
        .map(OsStr::to_string_lossy)
        .collect::<Vec<_>>()
        .join(" ")
}
