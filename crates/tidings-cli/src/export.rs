//! `tidings export`: writes events to a file or standard output.

mod owners;
mod target;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::error::ErrorKind;
use serde::Serialize;
use tidings_client::{Client, ClientError};
use tidings_event::{
    Event, EventFilter, OwnerName, PageRequest, Paging, Sort, SortKey, SortOrder, Timestamp, Total,
};

use crate::filter::ListFilterArgs;
use crate::output::{self, Printed};
use crate::progress::Progress;
use crate::retry::RetryArgs;
use crate::server_url::ServerUrl;
use owners::Owners;
use target::Target;

const DETAILS: &str = "\
Writes one JSON event per line, oldest first, for `tidings import`: with its id, times and status, and
with \"system\" as the owner of a system event. The export ends with the newest event at its start. Only
the file's owner can read it.

After an interruption, --resume continues after the file's last complete line. It also adds events that
were published since a complete export, except for those whose time is more than a minute before the
latest one in the file. Each status is that at the time of writing. Give the same filters again. To
continue an export to standard output, give --from the createdAt of its last line; an event that is
written twice is imported once.

Examples:
  tidings export events.jsonl
  tidings export events.jsonl --resume
  tidings export --status unread | gzip > unread.jsonl.gz";

/// Write events to a file, with their ids, times and status
#[derive(Debug, clap::Args)]
#[command(after_help = DETAILS)]
pub(crate) struct Args {
    /// File to write, which must not exist unless --resume is given; `-` for standard output [default:
    /// standard output]
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// Continue after the last complete line of the file, if it exists
    #[arg(long, requires = "file")]
    resume: bool,
    #[command(flatten)]
    server: ServerUrl,
    #[command(flatten)]
    retries: RetryArgs,
    #[command(flatten)]
    filter: ListFilterArgs,
}

/// Writes all events and reports how many.
pub(crate) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let client = args.server.client()?;
    let file = args.file.filter(|path| path != Path::new("-"));
    let target = match &file {
        None if args.resume => return Err(resumed_stdout().into()),
        None => Target::stdout(),
        Some(path) if args.resume => Target::resume(path)?,
        Some(path) => Target::create(path)?,
    };
    let mut export = Export {
        owners: Owners::new(client.clone()),
        client,
        retries: args.retries,
        filter: args.filter.into(),
        target,
        written: 0,
    };
    let ended = tokio::select! {
        ended = export.write() => ended,
        Ok(()) = tokio::signal::ctrl_c() => Ok(Ended::Interrupted),
    };
    // Runs also after a failure, so that --resume can continue.
    let finished = export.target.finish();
    let written = export.written;
    let code = match ended? {
        Ended::Complete => ExitCode::SUCCESS,
        Ended::Failed(error) => {
            output::report(&error);
            ExitCode::FAILURE
        }
        Ended::Interrupted => {
            output::note("interrupted");
            ExitCode::FAILURE
        }
    };
    finished?;
    let noun = if written == 1 { "event" } else { "events" };
    output::note(format_args!("{written} {noun} written"));
    if code == ExitCode::FAILURE && file.is_some() {
        output::note("  try: add --resume to continue from here");
    }
    Ok(code)
}

fn resumed_stdout() -> clap::Error {
    clap::Error::raw(
        ErrorKind::ArgumentConflict,
        "--resume needs a file, not standard output\n",
    )
}

/// A running export.
#[derive(Debug)]
struct Export {
    client: Client,
    retries: RetryArgs,
    filter: EventFilter,
    owners: Owners,
    target: Target,
    written: u64,
}

/// How an export ended.
#[derive(Debug)]
enum Ended {
    /// All events are written, or standard output is closed.
    Complete,
    /// A request failed.
    Failed(ClientError),
    /// The user pressed Ctrl-C.
    Interrupted,
}

impl Export {
    async fn write(&mut self) -> anyhow::Result<Ended> {
        let newest = match self.newest().await {
            Ok(Some(newest)) => newest,
            Ok(None) => return Ok(Ended::Complete),
            Err(error) => return Ok(Ended::Failed(error)),
        };
        // The overlap includes events that appeared late because their commit took longer than that of
        // a newer event.
        self.filter.from = self.filter.from.max(self.target.resumes_from());
        // Small pages, because the server never shortens a page with a count, however large its events
        // are. Sorted by creation, because such a page stays stable while events change.
        let order = Sort {
            key: SortKey::CreatedAt,
            order: SortOrder::Ascending,
        };
        let mut request = PageRequest::default()
            .with_size(PageRequest::DEFAULT_SIZE)
            .with_sort(order);
        let mut progress: Option<Progress> = None;
        let mut position = 0;
        loop {
            let notice = |text: String| match &progress {
                Some(progress) => progress.note(&text),
                None => output::note(text),
            };
            let ask = async || self.client.list(self.filter.clone(), request).await;
            let page = match self.retries.send(notice, ask).await {
                Ok(response) => response.value,
                Err(error) => return Ok(Ended::Failed(error)),
            };
            let progress = progress
                .get_or_insert_with(|| Progress::of_events(page.total_count.unwrap_or_default()));
            for event in page.events {
                position += 1;
                if event.created_at > newest {
                    progress.end();
                    return Ok(Ended::Complete);
                }
                if self.target.has(&event) {
                    continue;
                }
                let owner = match self.owners.name_of(&event, self.retries).await {
                    Ok(owner) => owner,
                    Err(error) => return Ok(Ended::Failed(error)),
                };
                let line = line(event, owner)?;
                if self.target.write(&line, progress)? == Printed::ReaderGone {
                    return Ok(Ended::Complete);
                }
                self.written += 1;
            }
            self.target.flush()?;
            progress.update(position, String::new());
            match page.next {
                Some(token) => request.paging = Paging::After(token),
                None => {
                    progress.end();
                    return Ok(Ended::Complete);
                }
            }
            request.total = Total::Left;
            request.size = PageRequest::MAX_SIZE;
        }
    }
}

impl Export {
    /// The creation time of the newest event at the start. Without this bound, an export would follow
    /// busy publishers forever.
    async fn newest(&self) -> Result<Option<Timestamp>, ClientError> {
        let page = PageRequest::default().with_size(1).with_total(Total::Left);
        let all = EventFilter::default();
        let ask = async || self.client.list(all.clone(), page).await;
        let page = self.retries.send(output::note, ask).await?.value;
        Ok(page.events.first().map(|event| event.created_at))
    }
}

/// An event in the form that the export writes.
#[derive(Serialize)]
struct Exported {
    #[serde(serialize_with = "as_text")]
    owner: OwnerName,
    /// The event without its owner.
    #[serde(flatten)]
    event: Event,
}

fn as_text<S: serde::Serializer>(owner: &OwnerName, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(owner)
}

fn line(mut event: Event, owner: OwnerName) -> anyhow::Result<String> {
    event.owner = None;
    serde_json::to_string(&Exported { owner, event }).context("could not write an event")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::sample;

    #[test]
    fn writes_every_field_with_the_owner_by_name() {
        let event = sample::event(&json!({"number": 1.1e-7}));
        let mut expected = serde_json::to_value(&event).unwrap();
        for owner in [OwnerName::System, OwnerName::User(event.owner.unwrap())] {
            let line = line(event.clone(), owner).unwrap();
            assert!(!line.contains('\n'));
            expected["owner"] = json!(owner.to_string());
            let written: Value = serde_json::from_str(&line).unwrap();
            assert_eq!(written, expected);
            assert_eq!(line.matches("\"owner\"").count(), 1);
        }
    }
}
