//! Sends events that come one a line, and keeps account of them: `publish --stdin` and `import`.

mod batch;
pub(crate) mod document;
mod input;
mod lines;
mod refusal;
mod report;
mod source;
mod tally;

use std::io;
use std::process::ExitCode;

use anyhow::Context as _;
use tidings_client::{BatchReceipt, Client, ClientError};
use tidings_event::{EventId, NewEvent, Selection, Status};
use tokio::sync::mpsc;

use crate::output::{self, Printed};
use crate::progress::Progress;
use crate::retry::{Answer, RetryArgs};
use batch::Batch;
use input::Piece;
use refusal::{about_events, take_apart};
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
        let Some((_, last)) = batch.line_range() else {
            return Ok(());
        };
        // The next is at the end.
        let mut waiting = vec![batch];
        while let Some(batch) = waiting.pop() {
            let Some((first, _)) = batch.line_range() else {
                continue;
            };
            self.under_way = Some((first, last));
            match self.store(&batch).await {
                Ok(answer) => self.stored(&batch, &answer).await?,
                Err(error) => match about_events(&error) {
                    Some(body) => {
                        let parts = take_apart(batch, body);
                        self.tally.count_refused(parts.refused);
                        waiting.extend(parts.rest.into_iter().rev());
                    }
                    None => return Err(Stop::Server(error)),
                },
            }
        }
        self.under_way = None;
        Ok(())
    }

    async fn store(&self, batch: &Batch) -> Result<Answer<BatchReceipt>, ClientError> {
        let notice = |text: String| self.progress.note(&text);
        match self.purpose {
            Purpose::Publish { .. } => {
                let events: Vec<&NewEvent> =
                    batch.events.iter().map(|event| &event.event).collect();
                let request = async || self.client.publish_batch(&events).await;
                self.retries.send(notice, request).await
            }
            Purpose::Import => {
                let request = async || self.client.import_batch(&batch.events).await;
                self.retries.send(notice, request).await
            }
        }
    }

    async fn stored(&mut self, batch: &Batch, answer: &Answer<BatchReceipt>) -> Result<(), Stop> {
        let outcome = match (batch.may_repeat, answer.value.repeated) {
            // If they were there, it was an attempt of ours that stored them.
            (false, _) => Outcome::New,
            (true, true) if !answer.retried => Outcome::Repeated,
            (true, _) => Outcome::Mixed,
        };
        let of_server = answer.value.warnings.iter();
        for ((line, sent), of_server) in batch.lines.iter().zip(&batch.events).zip(of_server) {
            let warnings = sent.event.warnings.iter().chain(of_server);
            self.tally.count_warnings(*line, warnings);
        }
        let events = &answer.value.events;
        let deleted = events.iter().filter(|event| event.deleted_at.is_some());
        let deleted = deleted.count();
        self.tally.count_deleted(deleted);
        self.tally
            .count_stored(batch.len().saturating_sub(deleted), outcome);
        match self.purpose {
            Purpose::Publish { prints: true } => self.print(&answer.value),
            Purpose::Publish { prints: false } => Ok(()),
            // What was there may have been marked as unread since.
            Purpose::Import if outcome == Outcome::Repeated => Ok(()),
            Purpose::Import => {
                // By the ids under which they are stored: one that is no UUID became another.
                let read = batch.read_system_events();
                let ids: Vec<_> = read
                    .filter_map(|place| Some(events.get(place)?.id))
                    .collect();
                self.mark_as_read(ids).await.map_err(Stop::Server)
            }
        }
    }

    /// Events of the system are stored without a status, since each user has an own one for them.
    async fn mark_as_read(&self, ids: Vec<EventId>) -> Result<(), ClientError> {
        if ids.is_empty() {
            return Ok(());
        }
        let selection = Selection::Ids(ids);
        let notice = |text: String| self.progress.note(&text);
        let request = async || self.client.set_status_of(&selection, Status::Read).await;
        self.retries.send(notice, request).await.map(drop)
    }

    fn print(&mut self, receipt: &BatchReceipt) -> Result<(), Stop> {
        for event in &receipt.events {
            let json = serde_json::to_string(event).context("could not write the event");
            let printed = json.and_then(|json| {
                let printed = self.progress.print_line(&output::escaped_json(&json));
                printed.context("could not write to standard output")
            });
            if printed.map_err(Stop::Failed)? == Printed::ReaderGone {
                self.purpose = Purpose::Publish { prints: false };
                break;
            }
        }
        Ok(())
    }
}
