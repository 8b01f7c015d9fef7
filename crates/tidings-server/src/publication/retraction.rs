//! Settles whose event a publisher retracts, and reports why it is rejected.

use axum::http::StatusCode;
use tidings::RetractError;
use tidings::wire::RetractFault;
use tidings_event::{ErrorCode, EventId, NewEvent, NewRetraction, Retraction, SystemId};

use super::EventParser;
use super::foreign_system::foreign_system;
use super::unfit::Unfit;
use crate::problem::Problem;
use crate::request::query::InvalidQuery;
use crate::store_failure::StoreFailure;

const EFFECT: &str = "nothing was changed";

/// Why an event is not retracted.
#[derive(Debug)]
pub(crate) enum RetractRejection {
    /// The owner is named in a wrong way.
    Query(InvalidQuery),
    /// The owner has no such event.
    NotFound,
    /// Another system has published the event.
    ForeignSystem { system: SystemId },
    /// The store failed.
    Store(StoreFailure),
}

impl EventParser<'_> {
    /// Determines the owner whose event is retracted, by the rules for a published event.
    pub(crate) fn settle_retraction(
        self,
        mut recipient: NewRetraction,
        id: EventId,
    ) -> Result<Retraction, RetractRejection> {
        let mut named = NewEvent::default();
        std::mem::swap(&mut named.owner, &mut recipient.owner);
        std::mem::swap(&mut named.subject, &mut recipient.subject);
        std::mem::swap(&mut named.issuer, &mut recipient.issuer);
        let invalid = |violations| RetractRejection::Query(InvalidQuery(violations));
        self.settle_owner(&mut named).map_err(|unfit| match unfit {
            Unfit::Invalid(violations) => invalid(violations),
            // A caller who retracts publishes for all.
            Unfit::Unreadable(_) | Unfit::CloudEvent | Unfit::Foreign | Unfit::ForeignSystem => {
                RetractRejection::NotFound
            }
        })?;
        recipient.owner = named.owner;
        recipient.subject = named.subject;
        recipient.issuer = named.issuer;
        recipient.into_retraction(id).map_err(invalid)
    }
}

impl From<RetractError> for RetractRejection {
    fn from(error: RetractError) -> Self {
        match RetractFault::from(error) {
            RetractFault::ForeignSystem { system } => Self::ForeignSystem { system },
            RetractFault::Store(error) => Self::Store(error.into()),
            RetractFault::Closed => Self::Store(StoreFailure::ShuttingDown),
        }
    }
}

impl RetractRejection {
    pub(crate) fn problem(&self) -> Problem {
        match self {
            Self::Query(invalid) => invalid.problem(),
            Self::NotFound => Problem::rejection(
                StatusCode::NOT_FOUND,
                ErrorCode::EventNotFound,
                "The owner has no event with this id",
            )
            .effect(EFFECT)
            .probable_cause("it was published to another owner, or never")
            .remedy("give the `owner` that the event was published to"),
            Self::ForeignSystem { system } => foreign_system(EFFECT).detail(
                format!("the event was published by the system {system}"),
                "retract it with a token of that system; `systemId` in a token names its system",
            ),
            Self::Store(failure) => failure.problem(),
        }
    }
}
