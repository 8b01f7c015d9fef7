//! Sends events from lines, and counts the results: `publish --stdin` and `import`.

mod batch;
pub(crate) mod document;
mod input;
mod lines;
mod rejection;
mod report;
mod source;
mod tally;

use std::borrow::Cow;
use std::io;
use std::process::ExitCode;

use anyhow::Context as _;
use tidings_client::{Client, ClientError};
use tidings_event::{Change, EventId, EventRef, OwnerKind, Receipt, Selection, Status};
use tokio::sync::mpsc;

use crate::output::{self, Printed};
use crate::progress::Progress;
use crate::retry::{Attempted, RetryArgs};
use batch::Batch;
use input::Piece;
use rejection::Split;
pub(crate) use source::Source;
use tally::{Outcome, Tally};

/// The purpose of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Publish them as new events.
    Publish {
        /// Whether to print stored events.
        prints: bool,
    },
    /// Store them with their times and status.
    Import,
}

/// Sends batches one after the other, so that events are stored in the order of their lines. While the
/// server commits one batch, the next one is read.
#[derive(Debug)]
struct Delivery {
    client: Client,
    retries: RetryArgs,
    purpose: Purpose,
    /// The name of the input, for messages.
    source: String,
    progress: Progress,
    tally: Tally,
    /// The first and last line of the batch that is being sent.
    under_way: Option<(u64, u64)>,
}

/// The result of each event of a batch.
type Results = Vec<Result<Receipt, ClientError>>;

/// Why a delivery stopped early.
#[derive(Debug)]
enum StopReason {
    /// A request failed.
    Server(ClientError),
    /// The input cannot be read, or standard output cannot be written.
    Failed(anyhow::Error),
    /// The user pressed Ctrl-C.
    Interrupted,
}

/// Sends all lines of a source and reports the results.
pub(crate) async fn run(
    client: Client,
    retries: RetryArgs,
    purpose: Purpose,
    source: Source,
) -> anyhow::Result<ExitCode> {
    let mut delivery = Delivery {
        client,
        retries,
        purpose,
        progress: Progress::of_bytes(source.length),
        source: source.name,
        tally: Tally::default(),
        under_way: None,
    };
    let pieces = input::pieces(source.reader, purpose);
    let mut pieces = pieces.with_context(|| format!("could not read {}", delivery.source))?;
    let ended = tokio::select! {
        ended = delivery.deliver(&mut pieces) => ended,
        // Without a handler, Ctrl-C ends the process at once, which is fine too.
        Ok(()) = tokio::signal::ctrl_c() => Err(StopReason::Interrupted),
    };
    delivery.progress.end();
    Ok(report::write(&delivery, ended))
}

impl Delivery {
    /// Sends all pieces.
    ///
    /// It can be dropped at any time: `under_way` then names the batch that was being sent, and the tally
    /// holds all earlier ones.
    async fn deliver(
        &mut self,
        pieces: &mut mpsc::Receiver<io::Result<Piece>>,
    ) -> Result<(), StopReason> {
        while let Some(piece) = pieces.recv().await {
            let piece = piece.with_context(|| format!("could not read {}", self.source));
            let piece = piece.map_err(StopReason::Failed)?;
            self.tally.count_rejected(piece.rejected);
            self.send(piece.batch).await?;
            self.progress.update(piece.position, self.tally.counts());
        }
        Ok(())
    }

    /// Sends a batch until each event is stored or rejected.
    async fn send(&mut self, batch: Batch) -> Result<(), StopReason> {
        // A stack: the next batch is the last element.
        let mut waiting = vec![batch];
        while let Some(batch) = waiting.pop() {
            let Some((first, last)) = batch.line_range() else {
                continue;
            };
            let last = waiting
                .first()
                .and_then(Batch::line_range)
                .map_or(last, |(_, last)| last);
            self.under_way = Some((first, last));
            match self.store(&batch).await {
                Ok(response) => waiting.push(self.settle(batch, response).await?),
                Err(error) => match rejection::split(batch, &error) {
                    Some(Split::Rejected(rejected)) => self.tally.count_rejected(vec![rejected]),
                    // The server accepts smaller batches than the default.
                    Some(Split::Halves(one, other)) => waiting.extend([other, one]),
                    None => return Err(StopReason::Server(error)),
                },
            }
        }
        self.under_way = None;
        Ok(())
    }

    async fn store(&self, batch: &Batch) -> Result<Attempted<Results>, ClientError> {
        let notice = |text: String| self.progress.note(&text);
        match self.purpose {
            Purpose::Publish { .. } => {
                let events = || batch.entries.iter().map(|entry| entry.event.event.clone());
                let request = async || self.client.publish_partial(events()).await;
                self.retries.send(notice, request).await
            }
            Purpose::Import => {
                let events = || batch.entries.iter().map(|entry| entry.event.clone());
                let request = async || self.client.import_partial(events()).await;
                self.retries.send(notice, request).await
            }
        }
    }

    /// Counts the results of a batch. Returns the events that the server could not store now.
    async fn settle(
        &mut self,
        batch: Batch,
        response: Attempted<Results>,
    ) -> Result<Batch, StopReason> {
        let mut rest = Batch::default();
        let mut read = Vec::new();
        let mut stop = None;
        for (entry, result) in batch.entries.into_iter().zip(response.value) {
            match result {
                Ok(receipt) => {
                    // After a failed attempt, that attempt can have stored a repeat.
                    let is_repeat = receipt.repeated && entry.may_repeat;
                    let outcome = match (is_repeat, response.retried) {
                        (false, _) => Outcome::New,
                        (true, false) => Outcome::Repeated,
                        (true, true) => Outcome::Unknown,
                    };
                    let warnings = entry.event.event.warnings.iter().chain(&receipt.warnings);
                    self.tally.count_warnings(entry.line, warnings);
                    if receipt.deleted {
                        self.tally.count_deleted();
                    } else {
                        self.tally.count_stored(outcome);
                    }
                    // The user can have marked repeated events as unread since.
                    if outcome != Outcome::Repeated && entry.is_read_system_event() {
                        // By the stored id, since an id that is not a UUID is replaced.
                        read.push(receipt.id);
                    }
                    self.print(&receipt)?;
                }
                Err(error) if error.is_temporary() => rest.entries.push(entry),
                Err(error) => match rejection::of_event(entry.line, &error) {
                    Some(rejected) => self.tally.count_rejected(vec![rejected]),
                    None => stop = stop.or(Some(StopReason::Server(error))),
                },
            }
        }
        self.mark_as_read(read).await.map_err(StopReason::Server)?;
        stop.map_or(Ok(rest), Err)
    }

    /// System events are stored without a status, since each user has their own.
    async fn mark_as_read(&self, ids: Vec<EventId>) -> Result<(), ClientError> {
        if ids.is_empty() || self.purpose != Purpose::Import {
            return Ok(());
        }
        let read = Change::Status(Status::Read);
        let of_system = |id: &EventId| EventRef::of(OwnerKind::System, *id);
        let selection = || Selection::ids(ids.iter().map(of_system));
        let notice = |text: String| self.progress.note(&text);
        let request = async || self.client.change(selection(), read).await;
        self.retries.send(notice, request).await.map(drop)
    }

    fn print(&mut self, receipt: &Receipt) -> Result<(), StopReason> {
        if self.purpose != (Purpose::Publish { prints: true }) {
            return Ok(());
        }
        let json = json_of(receipt);
        let printed = self.progress.print_line(&output::escaped_json(&json));
        let printed = printed.context("could not write to standard output");
        if printed.map_err(StopReason::Failed)? == Printed::ReaderGone {
            self.purpose = Purpose::Publish { prints: false };
        }
        Ok(())
    }
}

/// The stored event as a line of JSON.
pub(crate) fn json_of(receipt: &Receipt) -> Cow<'_, str> {
    String::from_utf8_lossy(receipt.json())
}
