//! What distributions ship with the program: completions and manual pages.

use std::io::Write as _;
use std::path::PathBuf;

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;
use libcloud::{Error, Result};

use crate::args::Cli;

#[derive(Debug, Args)]
pub(crate) struct ManCommand {
    /// The folder; one page a command is written into it
    folder: PathBuf,
}

pub(crate) fn completions(shell: Shell) -> Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "libcloud", &mut script);
    std::io::stdout().lock().write_all(&script).map_err(|error| Error::io("write to standard output", error))
}

pub(crate) fn man(command: &ManCommand) -> Result<()> {
    let folder = &command.folder;
    let cannot = |error| Error::io(format_args!("write manual pages into {}", folder.display()), error);
    std::fs::create_dir_all(folder).map_err(cannot)?;
    clap_mangen::generate_to(Cli::command(), folder).map_err(cannot)
}
