//! `tidings restore`: a data directory from a backup.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::output;

const DETAILS: &str = "\
The directory must be empty or missing, so that no event can be lost by a restore. What was published
after the backup is gone; so every reader that comes back with a cursor from before gets a reset and
fetches its list anew.

  tidings restore --from events-2026-08-01.backup --data-dir ./tidings-data";

/// What is restored, and where to.
#[derive(Debug, clap::Args)]
#[command(after_help = DETAILS)]
pub(crate) struct Args {
    /// The file that `tidings backup` wrote
    #[arg(long, value_name = "FILE")]
    from: PathBuf,
    /// The directory to make; empty or missing
    #[arg(
        long,
        value_name = "DIR",
        env = "TIDINGS_DATA_DIR",
        default_value = "./tidings-data"
    )]
    data_dir: PathBuf,
}

/// Makes the directory and says what is in it.
pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let summary = tidings::restore(&args.from, &args.data_dir)?;
    output::note(format_args!(
        "{}: {} events of {} owners, of installation {}",
        args.data_dir.display(),
        summary.events,
        summary.feeds,
        summary.system
    ));
    Ok(ExitCode::SUCCESS)
}
