//! Parses the update of an event, and reports why it is rejected.

use axum::http::StatusCode;
use tidings::UpdateError;
use tidings::wire::UpdateFault;
use tidings_event::wire::Policy;
use tidings_event::{
    ErrorCode, EventId, NewEvent, NewUpdate, Severity, SystemId, Update, Violation, Violations,
};

use super::EventParser;
use super::foreign_system::foreign_system;
use super::recipients::{Named, names_all};
use super::unfit::Unfit;
use crate::problem::Problem;
use crate::request::body::too_large;
use crate::request::json::{self, InvalidJson};
use crate::store_failure::StoreFailure;

/// Why an event is not updated.
#[derive(Debug)]
pub(crate) enum UpdateRejection {
    /// The body is not a JSON object.
    Json(InvalidJson),
    /// The update breaks rules.
    Invalid(Violations),
    /// The owner has no such event.
    NotFound,
    /// Another system has published the event.
    ForeignSystem { system: SystemId },
    /// It is an event of the system, and the update changes more than its texts.
    OnlyTexts { severity: Severity },
    /// The event would be too large.
    TooLarge { bytes: usize, limit: usize },
    /// The event would not fit into the quota of its owner.
    QuotaExceeded { bytes: u64, used: u64, limit: u64 },
    /// The store failed.
    Store(StoreFailure),
}

impl EventParser<'_> {
    /// Reads the update of an event, and whose event it names.
    pub(crate) fn read_update(
        self,
        text: &str,
        id: EventId,
    ) -> Result<(Update, Named), UpdateRejection> {
        let invalid = |fault| UpdateRejection::Json(InvalidJson::from(fault));
        let mut update = NewUpdate::read(text, self.limits)
            .map_err(|error| invalid(json::fault_of::<NewEvent>(&error, text, text, "")))?;
        let names_one = !update.owner.is_absent() || !update.subject.is_absent();
        let named_owners = match (names_one, names_all(text).map_err(invalid)?) {
            (true, true) => {
                let fault =
                    Violation::new("owners", "stands beside an owner", "leave one of them out");
                return Err(invalid(fault));
            }
            (true, false) => Named::One,
            (false, true) => Named::All,
            (false, false) => Named::Nobody,
        };
        let mut named = NewEvent::default();
        std::mem::swap(&mut named.owner, &mut update.owner);
        std::mem::swap(&mut named.subject, &mut update.subject);
        std::mem::swap(&mut named.issuer, &mut update.issuer);
        self.settle_owner(&mut named).map_err(|unfit| match unfit {
            Unfit::Unreadable(violation) => invalid(violation),
            Unfit::Invalid(violations) => UpdateRejection::Invalid(violations),
            // A caller who updates publishes for all.
            Unfit::CloudEvent | Unfit::Foreign | Unfit::ForeignSystem => UpdateRejection::NotFound,
        })?;
        update.owner = named.owner;
        update.subject = named.subject;
        update.issuer = named.issuer;
        update
            .into_update(id, self.limits, Policy::Repair)
            .map(|update| (update, named_owners))
            .map_err(UpdateRejection::Invalid)
    }
}

impl From<UpdateError> for UpdateRejection {
    fn from(error: UpdateError) -> Self {
        match UpdateFault::from(error) {
            UpdateFault::Invalid(violations) => Self::Invalid(violations),
            UpdateFault::NotFound => Self::NotFound,
            UpdateFault::ForeignSystem { system } => Self::ForeignSystem { system },
            UpdateFault::OnlyTexts { severity } => Self::OnlyTexts { severity },
            UpdateFault::TooLarge { bytes, limit } => Self::TooLarge { bytes, limit },
            UpdateFault::QuotaExceeded { bytes, used, limit } => {
                Self::QuotaExceeded { bytes, used, limit }
            }
            UpdateFault::Store(error) => Self::Store(error.into()),
            UpdateFault::Closed => Self::Store(StoreFailure::ShuttingDown),
        }
    }
}

impl UpdateRejection {
    pub(crate) fn problem(&self) -> Problem {
        const EFFECT: &str = "nothing was changed";
        let invalid = || {
            Problem::rejection(
                StatusCode::BAD_REQUEST,
                ErrorCode::InvalidEvent,
                "The update is invalid",
            )
            .effect(EFFECT)
        };
        match self {
            Self::Json(invalid) => invalid.problem(),
            Self::Invalid(violations) => invalid().violations(violations),
            Self::NotFound => Problem::rejection(
                StatusCode::NOT_FOUND,
                ErrorCode::EventNotFound,
                "The owner has no event with this id",
            )
            .effect(EFFECT)
            .probable_cause("it was deleted, or it was published to another owner")
            .remedy("give the `owner` that the event was published to; publish it again if it was deleted"),
            Self::ForeignSystem { system } => foreign_system(EFFECT).detail(
                format!("the event was published by the system {system}"),
                "update it with a token of that system; `systemId` in a token names its system",
            ),
            Self::OnlyTexts { severity } => invalid().detail(
                format!(
                    "each user has marked the system event for themselves, so its severity stays {severity} \
                     and `renotify` has no effect"
                ),
                "send the severity that the event has, without `renotify`, or publish another event",
            ),
            Self::TooLarge { bytes, limit } => too_large(
                format!("the event would have {bytes} bytes of JSON, more than the {limit} allowed"),
                "store the large part elsewhere and link to it",
            ),
            Self::QuotaExceeded { bytes, used, limit } => Problem::rejection(
                StatusCode::FORBIDDEN,
                ErrorCode::QuotaExceeded,
                "The quota of the event's owner is used up",
            )
            .effect(EFFECT)
            .detail(
                format!(
                    "the event would take {bytes} bytes, and the owner's events take {used} of the {limit} \
                     bytes allowed"
                ),
                "send a smaller update, or delete events that are no longer needed; an operator sets the \
                 limit with --max-owner-bytes",
            ),
            Self::Store(failure) => failure.problem(),
        }
    }
}
