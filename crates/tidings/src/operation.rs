//! Reports how an operation ends, also if it panics or is cancelled.

#[cfg(test)]
mod tests;

use std::error::Error;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tidings_event::{Cause, Draft, EventBuilder, Receipt, Severity};
use tokio::runtime::Handle;
use tokio::time::timeout;

use crate::engine::Tidings;
use crate::error::PublishError;

/// How long a caller waits for an event of its own work. A commit takes milliseconds, and a disk that
/// hangs must not block the work.
const PUBLISH_WAIT: Duration = Duration::from_secs(2);

impl Tidings {
    /// Builds an event and publishes it, for callers whose work is done with or without the event.
    ///
    /// It waits at most 2 seconds. If the event breaks a rule, is rejected or is not stored in that
    /// time, an error is logged and the result is `None`. An event that the engine accepted is stored
    /// even if the time is up or the future is dropped.
    pub async fn publish_or_log(&self, event: EventBuilder) -> Option<Receipt> {
        let event = self.build_or_log(event)?;
        self.publish_in_time(event).await
    }

    /// Begins an operation whose outcome a user must learn in any case.
    ///
    /// `event` holds what all events of the operation share: whom they are for, the resource, the
    /// category and the action. They share its operation id too.
    pub fn operation(&self, event: EventBuilder) -> Operation {
        Operation {
            tidings: self.clone(),
            event,
            abandoned: None,
            outcome: Outcome::Open,
        }
    }

    fn build_or_log(&self, event: EventBuilder) -> Option<Draft> {
        let built = event.build_within(self.limits());
        built
            .inspect_err(|violations| tracing::error!(%violations, "an event breaks the rules"))
            .ok()
    }

    async fn publish_in_time(&self, event: Draft) -> Option<Receipt> {
        stored_or_log(timeout(PUBLISH_WAIT, self.publish(event)).await.ok())
    }

    /// Publishes an event without waiting for its commit, also outside a runtime.
    ///
    /// The first poll puts the event into the queue of commits unless that is full, so a
    /// [`Self::close`] that follows commits it. The rest of the future only learns the outcome.
    fn publish_in_background(&self, event: Draft) {
        let tidings = self.clone();
        let mut published = Box::pin(async move { tidings.publish(event).await });
        let mut context = Context::from_waker(Waker::noop());
        match (published.as_mut().poll(&mut context), Handle::try_current()) {
            (Poll::Ready(published), _) => drop(stored_or_log(Some(published))),
            (Poll::Pending, Ok(runtime)) => {
                runtime.spawn(
                    async move { stored_or_log(timeout(PUBLISH_WAIT, published).await.ok()) },
                );
            }
            (Poll::Pending, Err(_)) => {}
        }
    }
}

fn stored_or_log(published: Option<Result<Receipt, PublishError>>) -> Option<Receipt> {
    match published {
        Some(Ok(receipt)) => return Some(receipt),
        Some(Err(error)) => {
            tracing::error!(error = &error as &dyn Error, "an event was not stored");
        }
        None => tracing::error!(waited = ?PUBLISH_WAIT, "an event was not stored in time"),
    }
    None
}

/// An operation of which a user learns how it ended, whichever way it ends; made by
/// [`Tidings::operation`].
///
/// [`succeed`](Self::succeed), [`fail`](Self::fail) and [`finish`](Self::finish) publish the outcome.
/// If the operation is dropped before, because its task panics, is aborted or returns early, an event
/// of severity error is published in the background: the operation was abandoned. If one of the three
/// is dropped while it waits, the outcome it was given is published, and stored once.
///
/// Close the engine when all operations are dropped. [`Tidings::close`] commits what they published.
///
/// ```
/// # use tidings::{Config, Event, EventBuilder, Tidings};
/// # use uuid::Uuid;
/// # async fn render() -> std::io::Result<()> { Ok(()) }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let directory = tempfile::tempdir()?;
/// # let tidings = Tidings::open(Config::new(directory.path())).await?;
/// let event = Event::builder()
///     .from_user(Uuid::now_v7())
///     .acted_upon(Uuid::now_v7())
///     .with_category("report")
///     .with_action("render");
/// let operation = tidings.operation(event);
/// operation.progress("Rendering the report").await;
/// match render().await {
///     Ok(()) => operation.succeed("Rendered the report").await,
///     Err(error) => operation.fail("Could not render the report", error).await,
/// };
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "an operation that is dropped is reported as abandoned"]
pub struct Operation {
    tidings: Tidings,
    event: EventBuilder,
    /// The event for an abandoned operation, instead of the usual one.
    abandoned: Option<EventBuilder>,
    outcome: Outcome,
}

#[derive(Debug)]
enum Outcome {
    Open,
    /// Given, and perhaps not accepted yet.
    Given(Box<Draft>),
    Published,
}

impl Operation {
    /// Sets what an abandoned operation says, instead of "The operation ended without a result".
    pub fn with_abandoned(
        mut self,
        description: impl Into<String>,
        cause: impl Into<Cause>,
    ) -> Self {
        self.abandoned = Some(self.failed(description, cause));
        self
    }

    /// A builder with what all events of the operation share, for an event with fields of its own.
    pub fn event(&self) -> EventBuilder {
        self.event.clone()
    }

    /// Publishes an event of severity informational, as [`Tidings::publish_or_log`] does.
    pub async fn progress(&self, description: impl Into<String>) -> Option<Receipt> {
        let event = self.event().with_severity(Severity::Informational);
        let event = event.with_description(description);
        self.tidings.publish_or_log(event).await
    }

    /// Ends the operation with an event of severity success.
    pub async fn succeed(self, description: impl Into<String>) -> Option<Receipt> {
        let event = self.event().with_severity(Severity::Success);
        let event = event.with_description(description);
        self.finish(event).await
    }

    /// Ends the operation with an event of severity error.
    pub async fn fail(
        self,
        description: impl Into<String>,
        cause: impl Into<Cause>,
    ) -> Option<Receipt> {
        let event = self.failed(description, cause);
        self.finish(event).await
    }

    /// Ends the operation with an event made of [`Self::event`]. It waits and logs as
    /// [`Tidings::publish_or_log`] does.
    pub async fn finish(mut self, event: EventBuilder) -> Option<Receipt> {
        self.outcome = Outcome::Published;
        let event = self.tidings.build_or_log(event)?;
        self.outcome = Outcome::Given(Box::new(event.clone()));
        let receipt = self.tidings.publish_in_time(event).await;
        self.outcome = Outcome::Published;
        receipt
    }

    fn failed(&self, description: impl Into<String>, cause: impl Into<Cause>) -> EventBuilder {
        self.event()
            .with_severity(Severity::Error)
            .with_description(description)
            .with_error(cause)
    }

    fn usual_abandoned(&self) -> EventBuilder {
        let cause = if std::thread::panicking() {
            Cause::new("the operation panicked")
                .with_code("operation_panicked")
                .with_probable_cause("the program has a fault")
        } else {
            Cause::new("the operation was cancelled before it ended")
                .with_code("operation_cancelled")
                .with_probable_cause("the request was interrupted, or the program was stopped")
        };
        let remedy = "check the state of the resource, then try again";
        self.failed(
            "The operation ended without a result",
            cause.with_suggested_remediation(remedy),
        )
    }
}

impl Drop for Operation {
    fn drop(&mut self) {
        let event = match std::mem::replace(&mut self.outcome, Outcome::Published) {
            Outcome::Published => return,
            Outcome::Given(event) => Some(*event),
            Outcome::Open => {
                let abandoned = self.abandoned.take();
                let abandoned = abandoned.unwrap_or_else(|| self.usual_abandoned());
                self.tidings.build_or_log(abandoned)
            }
        };
        if let Some(event) = event {
            self.tidings.publish_in_background(event);
        }
    }
}
