//! `tidings backup`: a data directory as one file.

use std::io::{self, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::ensure;

use crate::output;

/// Stands for standard output, and for standard input in a restore.
pub(crate) const STANDARD: &str = "-";

const DETAILS: &str = "\
A server can use the directory meanwhile: the backup holds all events that were committed at one moment.
An interrupted backup leaves no file behind. Only the file's owner can read it. `tidings restore` turns
a backup into a data directory.

`--to -` writes to standard output. Until it is complete, such a backup takes space in the data directory.

  tidings backup --data-dir ./tidings-data --to events-2026-08-01.backup
  tidings backup --to - | gzip > events.backup.gz";

/// Back up a data directory, even while a server uses it
#[derive(Debug, clap::Args)]
#[command(after_help = DETAILS)]
pub(crate) struct Args {
    /// Data directory to back up
    #[arg(
        long,
        value_name = "DIR",
        env = "TIDINGS_DATA_DIR",
        default_value = "./tidings-data"
    )]
    data_dir: PathBuf,
    /// File to write, which must not exist; `-` for standard output
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
}

/// Writes the backup and prints what it holds.
pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let to_stdout = args.to == Path::new(STANDARD);
    let (summary, name) = if to_stdout {
        let mut stdout = io::stdout().lock();
        ensure!(
            !stdout.is_terminal(),
            "standard output is a terminal, and a backup is binary: redirect it, or give a file with --to"
        );
        let summary = tidings::sqlite::backup_to_writer(&args.data_dir, &mut stdout)?;
        stdout.flush()?;
        (summary, "standard output".to_owned())
    } else {
        let summary = tidings::sqlite::backup(&args.data_dir, &args.to)?;
        (summary, args.to.display().to_string())
    };
    output::note(format_args!("{name}: {}", described(&summary)));
    Ok(ExitCode::SUCCESS)
}

/// A summary such as `1 event for 1 user (installation …)`.
pub(crate) fn described(summary: &tidings::sqlite::StoreSummary) -> String {
    format!(
        "{} for {} (installation {})",
        counted(summary.events, "event"),
        counted(summary.feeds, "user"),
        summary.system
    )
}

fn counted(number: u64, noun: &str) -> String {
    match number {
        1 => format!("1 {noun}"),
        _ => format!("{number} {noun}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plurals_are_right() {
        assert_eq!(counted(0, "event"), "0 events");
        assert_eq!(counted(1, "event"), "1 event");
        assert_eq!(counted(2, "event"), "2 events");
    }
}
