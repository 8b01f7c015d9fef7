//! Requests to the committer, and the replies to their callers.

use std::sync::Arc;

use tidings_event::{OwnerId, Receipt};
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use crate::error::{PublishError, StepError, UpdateError};
use crate::store::{
    AudienceOutcome, AudienceRequest, ChangeStep, ContentUpdate, FanOut, FannedOut, Publication,
    StepOutcome, StoreError, UpdateOutcome,
};

pub(super) type PublishResult = Result<Vec<Receipt>, PublishError>;
pub(super) type StepResult = Result<StepOutcome, StepError>;
pub(super) type FanOutResult = Result<FannedOut, PublishError>;
pub(super) type AudienceResult = Result<AudienceOutcome, UpdateError>;
pub(super) type UpdateResult = Result<UpdateOutcome, UpdateError>;

/// The source of a step or of a large request. Askers take turns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Asker {
    /// The owner whose events change, or the owner as publisher.
    Owner(OwnerId),
    /// A publisher, for events of any owner. All publishers are one asker.
    Publisher,
    /// The background task, for events of any owner.
    Upkeep,
}

/// A request to the committer.
#[derive(Debug)]
pub(super) enum Request {
    Publish(PublishRequest),
    FanOut(Box<FanOutRequest>),
    Audience(AudienceStart),
    Update(UpdateRequest),
    Change(ChangeRequest),
}

#[derive(Debug)]
pub(super) struct PublishRequest {
    pub(super) publication: Publication,
    /// The owner, if the owner is the publisher.
    pub(super) by_owner: Option<OwnerId>,
    /// The approximate memory of the request.
    pub(super) bytes: usize,
    pub(super) reply: Reply<PublishResult>,
}

/// An event for several owners.
#[derive(Debug)]
pub(super) struct FanOutRequest {
    pub(super) fan_out: FanOut,
    /// The approximate memory of the request.
    pub(super) bytes: usize,
    pub(super) reply: Reply<FanOutResult>,
}

/// The beginning of a change for an audience.
#[derive(Debug)]
pub(super) struct AudienceStart {
    pub(super) request: AudienceRequest,
    pub(super) reply: Reply<AudienceResult>,
}

#[derive(Debug)]
pub(super) struct UpdateRequest {
    pub(super) update: ContentUpdate,
    pub(super) reply: Reply<UpdateResult>,
}

#[derive(Debug)]
pub(super) struct ChangeRequest {
    pub(super) step: ChangeStep,
    pub(super) asker: Asker,
    pub(super) reply: Reply<StepResult>,
}

/// Sends the outcome of a request to its caller.
#[derive(Debug)]
pub(super) struct Reply<T> {
    pub(super) caller: oneshot::Sender<T>,
    /// The request's room in the queue, released with the reply.
    pub(super) _room: OwnedSemaphorePermit,
}

impl<T> Reply<T> {
    /// Sends the outcome. Ignores a caller that has dropped its future.
    pub(super) fn send(self, outcome: T) {
        let _ = self.caller.send(outcome);
    }
}

/// The replies for a group, in the order of the group's outcomes.
#[derive(Debug, Default)]
pub(super) struct Replies {
    pub(super) publishers: Vec<Reply<PublishResult>>,
    pub(super) fan_outs: Vec<Reply<FanOutResult>>,
    pub(super) audiences: Vec<Reply<AudienceResult>>,
    pub(super) updaters: Vec<Reply<UpdateResult>>,
    pub(super) changers: Vec<Reply<StepResult>>,
}

impl Replies {
    /// The number of requests in the group.
    pub(super) fn len(&self) -> usize {
        self.publishers.len()
            + self.fan_outs.len()
            + self.audiences.len()
            + self.updaters.len()
            + self.changers.len()
    }

    /// Reports to all callers that the commit failed.
    pub(super) fn fail(self, error: &Arc<StoreError>) {
        for reply in self.publishers {
            reply.send(Err(PublishError::Store(Arc::clone(error))));
        }
        for reply in self.fan_outs {
            reply.send(Err(PublishError::Store(Arc::clone(error))));
        }
        for reply in self.audiences {
            reply.send(Err(UpdateError::Store(Arc::clone(error))));
        }
        for reply in self.updaters {
            reply.send(Err(UpdateError::Store(Arc::clone(error))));
        }
        for reply in self.changers {
            reply.send(Err(StepError::Store(Arc::clone(error))));
        }
    }
}
