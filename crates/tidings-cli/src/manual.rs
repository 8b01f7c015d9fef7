//! `tidings manual`: writes manual pages.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;

/// Write manual pages for `man`, one for each command
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  tidings manual ~/.local/share/man/man1 && man tidings-serve")]
pub(crate) struct Args {
    /// Directory to write them to; created if missing
    #[arg(value_name = "DIR")]
    directory: PathBuf,
}

/// Writes the pages of `command` and its subcommands.
pub(crate) fn run(args: &Args, command: clap::Command) -> anyhow::Result<ExitCode> {
    let directory = args.directory.display();
    fs::create_dir_all(&args.directory).with_context(|| format!("could not create {directory}"))?;
    clap_mangen::generate_to(command, &args.directory)
        .with_context(|| format!("could not write to {directory}"))?;
    Ok(ExitCode::SUCCESS)
}
