//! `tidings move`: a store from SQLite to PostgreSQL, or back.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use tidings::StoreConfig;
use tidings::moving::{self, MoveError, MoveProgress, MovedTokens};
use tidings::wire::RevokedToken;
use tidings_server::RevokedFile;

use crate::backup::counted;
use crate::output;
use crate::store::Location;

const DETAILS: &str = "\
Everything is kept: ids, revisions, times, read state, remembered deletions, and the cursors of clients, which
notice nothing but a reconnect. Stop all servers of both stores first; the move refuses to run beside one. At
the end it compares a digest of each user's events in both stores, and counts the new store again.

An interrupted move continues when it is run again with the same --from and --to. Until it has finished, no
server starts with the new store. The old store keeps its events: keep it until the new one has proved itself,
but start no server with it, since the two would then differ. No server starts with a database that was moved,
or commits to it, until `tidings restore --store ADDRESS --renew-epoch`.

A database has the tokens that its servers have revoked. A data directory does not: its server has them in the file of
--revoked-tokens. Give that file here, too.

Passwords go into files, or into the addresses in the variables TIDINGS_MOVE_FROM and TIDINGS_MOVE_TO.

Examples:
  tidings move --from ./tidings-data --to 'postgres://tidings@db1,db2/tidings' --to-password-file db-password
  tidings move --from 'postgres://tidings@db1/tidings' --from-password-file db-password --to ./tidings-data";

/// Move a store from a data directory to PostgreSQL, or back
#[derive(Debug, clap::Args)]
#[command(after_help = DETAILS)]
pub(crate) struct Args {
    /// Store to move: a data directory, or `postgres://USER@HOST/DATABASE`
    #[arg(
        long,
        value_name = "STORE",
        env = "TIDINGS_MOVE_FROM",
        hide_env_values = true
    )]
    from: Location,
    /// File with the password of the PostgreSQL user of --from
    #[arg(long, value_name = "FILE")]
    from_password_file: Option<PathBuf>,
    /// Store to create: an empty or missing data directory, or an empty database
    #[arg(
        long,
        value_name = "STORE",
        env = "TIDINGS_MOVE_TO",
        hide_env_values = true
    )]
    to: Location,
    /// File with the password of the PostgreSQL user of --to
    #[arg(long, value_name = "FILE")]
    to_password_file: Option<PathBuf>,
    /// File of revoked tokens, as in `tidings serve`: a database gets its tokens, and those of a database are added to it
    #[arg(long, value_name = "FILE")]
    revoked_tokens: Option<PathBuf>,
}

/// Moves the store and prints what it holds.
pub(crate) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let from = args
        .from
        .place("--from", args.from_password_file.as_ref())?;
    let to = args.to.place("--to", args.to_password_file.as_ref())?;
    let mut reporter = Reporter::default();
    let (old, new) = (from.to_string(), to.to_string());
    let (from, to) = (from.into_config(), to.into_config());
    let file = args.revoked_tokens.map(RevokedFile::new);
    let listed = match (&file, &to) {
        (Some(file), StoreConfig::Postgres(_)) => file
            .tokens()
            .context("could not read the file of --revoked-tokens")?,
        _ => Vec::new(),
    };
    let mut keep = |tokens: Vec<RevokedToken>| keep(file.as_ref(), &tokens);
    let tokens = MovedTokens::new(listed, &mut keep);
    let moved = moving::move_store(&from, &to, tokens, |progress| reporter.report(progress)).await;
    let moved = match moved {
        Ok(moved) => moved,
        Err(error @ (MoveError::NoStore | MoveError::Source(_) | MoveError::Read(_))) => {
            return Err(anyhow::Error::new(error).context(old));
        }
        Err(error) => return Err(anyhow::Error::new(error).context(new)),
    };
    output::note(format_args!(
        "{new}: {} for {} (installation {})",
        counted(moved.events, "event"),
        counted(moved.feeds, "user"),
        moved.system
    ));
    Ok(ExitCode::SUCCESS)
}

/// Adds the revoked tokens of a database to a file.
fn keep(file: Option<&RevokedFile>, tokens: &[RevokedToken]) -> io::Result<()> {
    if let Some(file) = file {
        return file.add(tokens).map(drop);
    }
    match tokens
        .iter()
        .filter(|token| RevokedFile::is_needed(token))
        .count()
    {
        0 => Ok(()),
        number => Err(io::Error::other(format!(
            "the database has {}, which would be accepted again; give --revoked-tokens FILE, here and to \
             tidings serve",
            counted(number as u64, "revoked token")
        ))),
    }
}

/// How often standard error gets a line.
const REPORT_INTERVAL: Duration = Duration::from_secs(1);

/// Prints how far a move is: the beginning of each step at once, and then a line a second.
#[derive(Debug, Default)]
struct Reporter {
    step: Option<&'static str>,
    last: Option<Instant>,
}

impl Reporter {
    fn report(&mut self, progress: MoveProgress) {
        let (step, line) = match progress {
            MoveProgress::Continuing => (
                "continuing",
                "continuing a move that was interrupted".to_owned(),
            ),
            MoveProgress::Copied { what, rows, of } => (
                what,
                match of {
                    Some(of) => format!("copied {rows} of {of} {what}"),
                    None => format!("copied {rows} {what}"),
                },
            ),
            MoveProgress::Settling => ("settling", "making the lists of the new store".to_owned()),
            MoveProgress::Compared { feeds, of } => (
                "comparing",
                format!("compared {feeds} of {} in both stores", counted(of, "user")),
            ),
            MoveProgress::Counting => (
                "counting",
                "counting the events of the new store again".to_owned(),
            ),
            // A newer engine can have more steps.
            _ => return,
        };
        let is_due = self
            .last
            .is_none_or(|last| last.elapsed() >= REPORT_INTERVAL);
        if self.step == Some(step) && !is_due {
            return;
        }
        self.step = Some(step);
        self.last = Some(Instant::now());
        output::note(line);
    }
}
