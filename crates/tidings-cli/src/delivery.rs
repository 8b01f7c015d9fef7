//! Sends events that come one a line, and keeps account of them: `publish --stdin` and `import`.

mod batch;
pub(crate) mod document;
mod input;
mod lines;
mod refusal;
mod report;
mod source;
mod tally;

use std::borrow::Cow;
use std::io;
use std::process::ExitCode;

use anyhow::Context as _;
use tidings_client::{Client, ClientError};
use tidings_event::{Change, EventId, Receipt, Selection, Status};
use tokio::sync::mpsc;

use crate::output::{self, Printed};
use crate::progress::Progress;
use crate::retry::{Answer, RetryArgs};
use batch::Batch;
use input::Piece;
use refusal::Split;
pub(crate) use source::Source;
use tally::{Outcome, Tally};

/// What is done with the events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// They are published as new ones.
    Publish {
        /// Whether stored events are printed.
        prints: bool,
    },
    /// They are stored with the past they had elsewhere.
    Import,
}

/// Sends batches one after the other, so that events are stored in the order of their lines. While
/// the server commits one batch, the next is read.
#[derive(Debug)]
struct Delivery {
    client: Client,
    retries: RetryArgs,
    purpose: Purpose,
    /// What is read, in words.
    source: String,
    progress: Progress,
    tally: Tally,
    /// The first and the last line of what is being sent.
    under_way: Option<(u64, u64)>,
}

/// The result of each event of a batch.
type Results = Vec<Result<Receipt, ClientError>>;

/// Why not all of the input was sent.
#[derive(Debug)]
enum Stop {
    /// No request is answered as it should be.
    Server(ClientError),
    /// The input cannot be read on, or standard output not written to.
    Failed(anyhow::Error),
    /// The user has had enough.
    Interrupted,
}

/// Sends all lines of a source and says what became of them.
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
        // Without a handler, the default is to end at once, which is all right too.
        Ok(()) = tokio::signal::ctrl_c() => Err(Stop::Interrupted),
    };
    delivery.progress.end();
    Ok(report::write(&delivery, ended))
}

impl Delivery {
    /// Sends all that comes.
    ///
    /// It may be dropped at any time. What was being sent then is `under_way`, and what had been
    /// sent is in the tally.
    async fn deliver(
        &mut self,
        pieces: &mut mpsc::Receiver<io::Result<Piece>>,
    ) -> Result<(), Stop> {
        while let Some(piece) = pieces.recv().await {
            let piece = piece.with_context(|| format!("could not read {}", self.source));
            let piece = piece.map_err(Stop::Failed)?;
            self.tally.count_refused(piece.refused);
            self.send(piece.batch).await?;
            self.progress.update(piece.position, self.tally.counts());
        }
        Ok(())
    }

    /// Sends until each event is stored or refused.
    async fn send(&mut self, batch: Batch) -> Result<(), Stop> {
        // The next is at the end.
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
                Ok(answer) => waiting.push(self.settle(batch, answer).await?),
                Err(error) => match refusal::split(batch, &error) {
                    Some(Split::Refused(refused)) => self.tally.count_refused(vec![refused]),
                    // The server accepts smaller batches than the default.
                    Some(Split::Halves(one, other)) => waiting.extend([other, one]),
                    None => return Err(Stop::Server(error)),
                },
            }
        }
        self.under_way = None;
        Ok(())
    }

    async fn store(&self, batch: &Batch) -> Result<Answer<Results>, ClientError> {
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
    async fn settle(&mut self, batch: Batch, answer: Answer<Results>) -> Result<Batch, Stop> {
        let mut rest = Batch::default();
        let mut read = Vec::new();
        let mut stop = None;
        for (entry, result) in batch.entries.into_iter().zip(answer.value) {
            match result {
                Ok(receipt) => {
                    // A repeat after a failed request was possibly stored by that request.
                    let is_repeat = receipt.repeated && entry.may_repeat;
                    let outcome = match (is_repeat, answer.retried) {
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
                    // A repeat can have been marked as unread since.
                    if outcome != Outcome::Repeated && entry.is_read_system_event() {
                        // By the id of the receipt: an id that is not a UUID became another.
                        read.push(receipt.id);
                    }
                    self.print(&receipt)?;
                }
                Err(error) if error.is_temporary() => rest.entries.push(entry),
                Err(error) => match refusal::of_event(entry.line, &error) {
                    Some(refused) => self.tally.count_refused(vec![refused]),
                    None => stop = stop.or(Some(Stop::Server(error))),
                },
            }
        }
        self.mark_as_read(read).await.map_err(Stop::Server)?;
        stop.map_or(Ok(rest), Err)
    }

    /// Events of the system are stored without a status, since each user has an own one for them.
    async fn mark_as_read(&self, ids: Vec<EventId>) -> Result<(), ClientError> {
        if ids.is_empty() || self.purpose != Purpose::Import {
            return Ok(());
        }
        let read = Change::Status(Status::Read);
        let selection = || Selection::Ids(ids.clone());
        let notice = |text: String| self.progress.note(&text);
        let request = async || self.client.change(selection(), read).await;
        self.retries.send(notice, request).await.map(drop)
    }

    fn print(&mut self, receipt: &Receipt) -> Result<(), Stop> {
        if self.purpose != (Purpose::Publish { prints: true }) {
            return Ok(());
        }
        let json = json_of(receipt);
        let printed = self.progress.print_line(&output::escaped_json(&json));
        let printed = printed.context("could not write to standard output");
        if printed.map_err(Stop::Failed)? == Printed::ReaderGone {
            self.purpose = Purpose::Publish { prints: false };
        }
        Ok(())
    }
}

/// The stored event as a line of JSON.
pub(crate) fn json_of(receipt: &Receipt) -> Cow<'_, str> {
    String::from_utf8_lossy(receipt.json())
}
