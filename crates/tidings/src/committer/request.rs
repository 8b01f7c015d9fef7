//! Requests that wait for their commit, and the ways back to their callers.

use std::sync::Arc;

use tidings_event::{OwnerId, Receipt};
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use crate::error::{ChangeError, PublishError};
use crate::store::{ChangeStep, Publication, StepOutcome, StoreError};

pub(super) type Published = Result<Vec<Receipt>, PublishError>;
pub(super) type Changed = Result<StepOutcome, ChangeError>;

/// Who asks for a step of a change. Askers take turns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Asker {
    /// The owner whose view of the events changes, or who publishes.
    Owner(OwnerId),
    /// The background task, whoever owns the events.
    Upkeep,
}

/// One request.
#[derive(Debug)]
pub(super) enum Request {
    Publish(PublishRequest),
    Change(ChangeRequest),
}

#[derive(Debug)]
pub(super) struct PublishRequest {
    pub(super) publication: Publication,
    /// The owner, if the events are published by their owner.
    pub(super) by_owner: Option<OwnerId>,
    /// About its memory.
    pub(super) bytes: usize,
    pub(super) reply: Reply<Published>,
}

#[derive(Debug)]
pub(super) struct ChangeRequest {
    pub(super) step: ChangeStep,
    pub(super) asker: Asker,
    pub(super) reply: Reply<Changed>,
}

/// The way back to the caller of a request.
#[derive(Debug)]
pub(super) struct Reply<T> {
    pub(super) caller: oneshot::Sender<T>,
    /// The request's room in the queue, given back with the reply.
    pub(super) _room: OwnedSemaphorePermit,
}

impl<T> Reply<T> {
    /// The caller may be gone. The request is committed and delivered all the same.
    pub(super) fn send(self, outcome: T) {
        let _ = self.caller.send(outcome);
    }
}

/// The replies that a group's outcomes are sent to, in the group's order.
#[derive(Debug, Default)]
pub(super) struct Replies {
    pub(super) publishers: Vec<Reply<Published>>,
    pub(super) changers: Vec<Reply<Changed>>,
}

impl Replies {
    /// How many requests are answered.
    pub(super) fn len(&self) -> usize {
        self.publishers.len() + self.changers.len()
    }

    /// Tells all callers that nothing was committed.
    pub(super) fn fail(self, error: &Arc<StoreError>) {
        for reply in self.publishers {
            reply.send(Err(PublishError::Store(Arc::clone(error))));
        }
        for reply in self.changers {
            reply.send(Err(ChangeError::Store(Arc::clone(error))));
        }
    }
}
