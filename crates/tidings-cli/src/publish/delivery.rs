//! Sends what is read, and keeps account of it.

use std::io;

use anyhow::Context as _;
use tidings_client::{BatchReceipt, Client, ClientError};
use tokio::sync::mpsc;

use super::batch::Batch;
use super::input::Piece;
use super::progress::Progress;
use super::refusal::{about_events, take_apart};
use super::tally::{Outcome, Tally};
use crate::output::{self, Printed};
use crate::retry::{Answer, RetryArgs};

/// Sends batches one after the other, so that events are stored in the order of their lines. While
/// the server commits one batch, the next is read.
#[derive(Debug)]
pub(super) struct Delivery {
    pub(super) client: Client,
    pub(super) retries: RetryArgs,
    /// Whether stored events are printed, until the reader of standard output has gone.
    pub(super) prints: bool,
    pub(super) progress: Progress,
    pub(super) tally: Tally,
    /// The first and the last line of what is being sent.
    pub(super) under_way: Option<(u64, u64)>,
}

/// Why not all of the input was sent.
#[derive(Debug)]
pub(super) enum Stop {
    /// No request is answered as it should be.
    Server(ClientError),
    /// The input cannot be read on, or standard output not written to.
    Failed(anyhow::Error),
    /// The user has had enough.
    Interrupted,
}

impl Delivery {
    /// Sends all that comes.
    ///
    /// It may be dropped at any time. What was being sent then is `under_way`, and what had been
    /// sent is in the tally.
    pub(super) async fn deliver(
        &mut self,
        pieces: &mut mpsc::Receiver<io::Result<Piece>>,
    ) -> Result<(), Stop> {
        while let Some(piece) = pieces.recv().await {
            let piece = piece.context("could not read standard input");
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
            let notice = |text: String| self.progress.note(&text);
            let request = async || self.client.publish_batch(&batch.events).await;
            match self.retries.send(notice, request).await {
                Ok(answer) => self.stored(&batch, &answer)?,
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

    fn stored(&mut self, batch: &Batch, answer: &Answer<BatchReceipt>) -> Result<(), Stop> {
        let outcome = match (batch.may_repeat, answer.value.repeated) {
            // If they were there, it was an attempt of ours that stored them.
            (false, _) => Outcome::New,
            (true, true) if !answer.retried => Outcome::Repeated,
            (true, _) => Outcome::Mixed,
        };
        self.tally.count_stored(batch.len(), outcome);
        for event in answer.value.events.iter().filter(|_| self.prints) {
            let json = serde_json::to_string(event).context("could not write the event");
            let printed = json.and_then(|json| {
                let printed = self.progress.print_line(&output::escaped_json(&json));
                printed.context("could not write to standard output")
            });
            if printed.map_err(Stop::Failed)? == Printed::ReaderGone {
                self.prints = false;
                break;
            }
        }
        Ok(())
    }
}
