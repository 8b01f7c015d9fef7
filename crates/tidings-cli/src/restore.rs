//! `tidings restore`: a data directory from a backup.

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::backup::{STANDARD, described};
use crate::output;

const DETAILS: &str = "\
The directory must be empty or missing, so that a restore cannot lose events. Events published after the
backup are gone, so every client that reconnects with an older cursor receives `reset` and reloads its
list.

A file whose schema is not exactly that of Tidings is rejected: a trigger in it could change what it
stores. If the directory belongs to another user and this command runs as root, the restored files
belong to that user, so that the server can use them.

  tidings restore --from events-2026-08-01.backup --data-dir ./tidings-data
  gunzip < events.backup.gz | tidings restore --from -";

/// Restore a backup into an empty data directory
#[derive(Debug, clap::Args)]
#[command(after_help = DETAILS)]
pub(crate) struct Args {
    /// Backup file to read; `-` for standard input
    #[arg(long, value_name = "FILE")]
    from: PathBuf,
    /// Data directory to create; must be empty or missing
    #[arg(
        long,
        value_name = "DIR",
        env = "TIDINGS_DATA_DIR",
        default_value = "./tidings-data"
    )]
    data_dir: PathBuf,
}

/// Creates the directory and prints what it holds.
pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let summary = if args.from == Path::new(STANDARD) {
        let name = Path::new("standard input");
        tidings::sqlite::restore_from_reader(&mut io::stdin().lock(), name, &args.data_dir)?
    } else {
        tidings::sqlite::restore(&args.from, &args.data_dir)?
    };
    output::note(format_args!(
        "{}: {}",
        args.data_dir.display(),
        described(&summary)
    ));
    Ok(ExitCode::SUCCESS)
}
