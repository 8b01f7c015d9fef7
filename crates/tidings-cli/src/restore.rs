//! `tidings restore`: a data directory from a backup.

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::bail;
use tidings::sqlite::StoreSummary;

use crate::backup::{STANDARD, described};
use crate::output;
use crate::store::{Location, NamedStore};

const DETAILS: &str = "\
The directory must be empty or missing, so that a restore cannot lose events. Events published after the
backup are gone, so every client that reconnects with an older cursor receives `reset` and reloads its
list.

A file whose schema is not exactly that of Tidings is rejected: a trigger in it could change what it
stores. If the directory belongs to another user and this command runs as root, the restored files
belong to that user, so that the server can use them.

A store in PostgreSQL is restored by PostgreSQL. If events that clients have seen are missing then, stop all
servers and run `tidings restore --store ADDRESS --renew-epoch`, so that the clients reload their lists. The
same command lets servers use a database that was moved.

Examples:
  tidings restore --from events-2026-08-01.backup --data-dir ./tidings-data
  gunzip < events.backup.gz | tidings restore --from -";

/// Restore a backup into an empty data directory
#[derive(Debug, clap::Args)]
#[command(after_help = DETAILS)]
pub(crate) struct Args {
    /// Backup file to read; `-` for standard input
    #[arg(
        long,
        value_name = "FILE",
        required_unless_present = "renew_epoch",
        conflicts_with = "renew_epoch"
    )]
    from: Option<PathBuf>,
    /// Data directory to create; must be empty or missing
    #[arg(
        long,
        value_name = "DIR",
        env = "TIDINGS_DATA_DIR",
        default_value = "./tidings-data"
    )]
    data_dir: PathBuf,
    /// The store, instead of --data-dir: a directory, or the database of --renew-epoch
    #[arg(
        long,
        value_name = "STORE",
        env = "TIDINGS_STORE",
        hide_env_values = true,
        conflicts_with = "data_dir"
    )]
    store: Option<Location>,
    /// File with the password of the PostgreSQL user
    #[arg(
        long,
        value_name = "FILE",
        env = "TIDINGS_STORE_PASSWORD_FILE",
        requires = "store"
    )]
    store_password_file: Option<PathBuf>,
    /// After PostgreSQL has restored the database of --store from a backup, or to use one again that was moved: make all
    /// clients reload their lists
    #[arg(long, requires = "store")]
    renew_epoch: bool,
}

/// Creates the directory and prints what it holds, or renews the epoch of a database.
pub(crate) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let place = match &args.store {
        Some(store) => store.place("--store", args.store_password_file.as_ref())?,
        None => NamedStore::Directory(args.data_dir.clone()),
    };
    match (place, args.from) {
        (NamedStore::Directory(path), Some(from)) => {
            let summary = restore(&from, &path)?;
            output::note(format_args!("{}: {}", path.display(), described(&summary)));
        }
        (NamedStore::Directory(_), None) => {
            bail!("a restored data directory has a new epoch already: leave out --renew-epoch")
        }
        (NamedStore::Postgres(database), Some(_)) => bail!(
            "{} is a database, which PostgreSQL restores from its own backups: use `pg_restore`, and then \
             `tidings restore --store ADDRESS --renew-epoch`",
            database.name
        ),
        (NamedStore::Postgres(database), None) => {
            tidings::postgres::renew_epoch(&database.config).await?;
            output::note(format_args!(
                "{}: clients that reconnect reload their lists",
                database.name
            ));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn restore(from: &Path, data_dir: &Path) -> anyhow::Result<StoreSummary> {
    Ok(if from == Path::new(STANDARD) {
        let name = Path::new("standard input");
        tidings::sqlite::restore_from_reader(&mut io::stdin().lock(), name, data_dir)?
    } else {
        tidings::sqlite::restore(from, data_dir)?
    })
}
