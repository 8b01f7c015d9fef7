//! `tidings import`: stores the events of an export.

use std::io::{self, IsTerminal as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::delivery::{self, Purpose, Source};
use crate::output;
use crate::retry::RetryArgs;
use crate::server_url::ServerUrl;

const DETAILS: &str = "\
Reads what `tidings export` has written, one event a line, and stores each with its id, its times and
its status. An event that is there is passed over, so that an import that was cut off may be repeated;
what you have read since then stays so, and what you have deleted stays deleted. Events of the system
that were read are marked as read for you when they are stored.

A line that is no event, such as the last one of an export that was cut off, or that is refused, does
not stop the others. At the end standard error says how many were stored and what is wrong with the
others, by line number; the exit code is 1 if there are any.

Examples:
  tidings import events.jsonl
  zcat events.jsonl.gz | tidings import --url http://127.0.0.1:9081";

/// Store exported events, with their ids, times and status
#[derive(Debug, clap::Args)]
#[command(after_help = DETAILS)]
pub(crate) struct Args {
    /// The file to read, or `-` for standard input [default: standard input]
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    #[command(flatten)]
    server: ServerUrl,
    #[command(flatten)]
    retries: RetryArgs,
}

/// Stores the events and says what became of them.
pub(crate) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let client = args.server.client()?;
    let file = args.file.filter(|path| path != Path::new("-"));
    let source = match &file {
        Some(path) => Source::file(path)?,
        None => {
            if io::stdin().is_terminal() {
                output::note("reading exported events, one JSON object a line; Ctrl-D ends");
            }
            Source::stdin()
        }
    };
    delivery::run(client, args.retries, Purpose::Import, source).await
}
