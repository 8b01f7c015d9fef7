//! `tidings backup`: a data directory as one file.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::output;

const DETAILS: &str = "\
The server may run and take events meanwhile: the file holds what was committed at one moment. It is
whole or not there, and only its owner can read it. `tidings restore` makes a data directory of it.

  tidings backup --data-dir ./tidings-data --to events-2026-08-01.backup";

/// What is backed up, and where to.
#[derive(Debug, clap::Args)]
#[command(after_help = DETAILS)]
pub(crate) struct Args {
    /// The directory that holds the events
    #[arg(
        long,
        value_name = "DIR",
        env = "TIDINGS_DATA_DIR",
        default_value = "./tidings-data"
    )]
    data_dir: PathBuf,
    /// The file to write; there must be none of this name
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
}

/// Writes the file and says what is in it.
pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let summary = tidings::backup(&args.data_dir, &args.to)?;
    output::note(format_args!(
        "{}: {} events of {} owners, of installation {}",
        args.to.display(),
        summary.events,
        summary.feeds,
        summary.system
    ));
    Ok(ExitCode::SUCCESS)
}
