//! `tidings import`: stores exported events.

use std::io::{self, IsTerminal as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::delivery::{self, Purpose, Source};
use crate::output;
use crate::retry::RetryArgs;
use crate::server_url::ServerUrl;

const DETAILS: &str = "\
Reads the output of `tidings export`, one event per line, and stores each event with its id, times and
status. Events that are already present are skipped, so an interrupted import can be repeated; read
events stay read and deleted events stay deleted. System events that were read are marked as read for
this user.

A rejected line, such as the incomplete last line of an export, does not stop the others. At the end,
standard error reports how many events were stored, and the faults of the others by line number; the
exit code is 1 if a line was rejected.

Examples:
  tidings import events.jsonl
  zcat events.jsonl.gz | tidings import --url http://127.0.0.1:9081";

/// Store exported events, with their ids, times and status
#[derive(Debug, clap::Args)]
#[command(after_help = DETAILS)]
pub(crate) struct Args {
    /// File to read, or `-` for standard input [default: standard input]
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    #[command(flatten)]
    server: ServerUrl,
    #[command(flatten)]
    retries: RetryArgs,
}

/// Stores the events and reports the result.
pub(crate) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let client = args.server.client()?;
    let file = args.file.filter(|path| path != Path::new("-"));
    let source = match &file {
        Some(path) => Source::file(path)?,
        None => {
            if io::stdin().is_terminal() {
                output::note(
                    "reading exported events, one JSON object per line; Ctrl-D ends the input",
                );
            }
            Source::stdin()
        }
    };
    delivery::run(client, args.retries, Purpose::Import, source).await
}
