//! `tidings backup`: a data directory as one file.

use std::io::{self, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{bail, ensure};

use crate::output;
use crate::store::{Location, NamedStore};

/// Stands for standard output, and for standard input in a restore.
pub(crate) const STANDARD: &str = "-";

const DETAILS: &str = "\
A server can use the directory meanwhile: the backup holds all events that were committed at one moment.
An interrupted backup leaves no file behind. Only the file's owner can read it. `tidings restore` turns
a backup into a data directory.

A store in PostgreSQL is backed up by PostgreSQL: `pg_dump --format=custom`, or a base backup with its log.

`--to -` writes to standard output. Until it is complete, such a backup takes space in the data directory.

Examples:
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
    /// The store, instead of --data-dir: a directory, since PostgreSQL makes the backups of its databases
    #[arg(
        long,
        value_name = "STORE",
        env = "TIDINGS_STORE",
        hide_env_values = true,
        conflicts_with = "data_dir"
    )]
    store: Option<Location>,
    /// File to write, which must not exist; `-` for standard output
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
}

/// Writes the backup and prints what it holds.
pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let data_dir = match args
        .store
        .as_ref()
        .map(|store| store.place("--store", None))
    {
        None => args.data_dir.clone(),
        Some(place) => match place? {
            NamedStore::Directory(path) => path,
            NamedStore::Postgres(database) => bail!(
                "{} is a database, whose backups PostgreSQL makes: use `pg_dump --format=custom`, or a base \
                 backup with its log",
                database.name
            ),
        },
    };
    let to_stdout = args.to == Path::new(STANDARD);
    let (summary, name) = if to_stdout {
        let mut stdout = io::stdout().lock();
        ensure!(
            !stdout.is_terminal(),
            "standard output is a terminal, and a backup is binary: redirect it, or give a file with --to"
        );
        let summary = tidings::sqlite::backup_to_writer(&data_dir, &mut stdout)?;
        stdout.flush()?;
        (summary, "standard output".to_owned())
    } else {
        let summary = tidings::sqlite::backup(&data_dir, &args.to)?;
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

/// A number with its noun.
pub(crate) fn counted(number: u64, noun: &str) -> String {
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
