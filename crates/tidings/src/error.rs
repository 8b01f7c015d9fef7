//! Why the engine rejects.

use std::error::Error;
use std::sync::Arc;

use tidings_event::{EventId, OwnerId, ResetReason, Severity, SystemId, Violations};

use crate::bus::BusError;
use crate::store::StoreError;
#[cfg(feature = "postgres")]
use crate::store::postgres::OpenFault;
use crate::store::sqlite::{DirectoryError, OpenStoreError};

/// Why an engine could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The data directory cannot be used, or another process uses it.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// The store cannot be used: it cannot be reached, or its data cannot be used.
    #[error("could not open the event store")]
    Store(#[source] Box<dyn Error + Send + Sync>),
    /// The bus between nodes cannot be used as it is configured. It need not be reachable.
    #[error("could not open the bus between nodes")]
    Bus(#[source] BusError),
}

impl From<OpenStoreError> for OpenError {
    fn from(error: OpenStoreError) -> Self {
        match error {
            OpenStoreError::Directory(error) => Self::Directory(error),
            OpenStoreError::Database(fault) => Self::Store(fault.into()),
        }
    }
}

#[cfg(feature = "postgres")]
impl From<OpenFault> for OpenError {
    fn from(fault: OpenFault) -> Self {
        Self::Store(fault.into())
    }
}

/// Why nothing of a publish request was stored.
///
/// One exception: after [`PublishError::Closed`] or a store error the events can have been stored. Repeat the
/// request; no event is stored twice.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PublishError {
    /// An event breaks the rules. In a batch the fields carry the event's index: `[3].category`.
    #[error("invalid event: {0}")]
    Invalid(Violations),
    /// The owner of an event has an event with the same id and other content. Ids are compared within
    /// the feed of one owner: the same event can be published to many.
    #[error("event {index} of the request has the id {id} of another event of its owner")]
    Conflict {
        /// The position of the event in the request.
        index: usize,
        /// Their id.
        id: EventId,
    },
    /// An event is larger than [`Limits::event_bytes`](tidings_event::Limits::event_bytes).
    #[error("event {index} of the request has {bytes} bytes, more than the {limit} allowed")]
    TooLarge {
        /// Which event of the request.
        index: usize,
        /// The size of its JSON.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// There are more events than [`Limits::batch_events`](tidings_event::Limits::batch_events).
    #[error("the batch has {events} events, more than the {limit} allowed")]
    TooManyEvents {
        /// How many there are.
        events: usize,
        /// The limit.
        limit: usize,
    },
    /// The events together are larger than
    /// [`Limits::batch_bytes`](tidings_event::Limits::batch_bytes).
    #[error("the batch has {bytes} bytes, more than the {limit} allowed")]
    BatchTooLarge {
        /// The size of their JSON.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// The events of an owner take as many bytes as they may
    /// ([`Config::owner_bytes`](crate::Config::owner_bytes)). There is room again when some are deleted.
    #[error(
        "event {index} of the request needs {bytes} bytes, and the events of its owner take {used} of \
         the {limit} allowed"
    )]
    QuotaExceeded {
        /// Which event of the request.
        index: usize,
        /// The bytes that the event needs.
        bytes: u64,
        /// The bytes of the owner's events without those of the request.
        used: u64,
        /// The limit that holds for this publisher.
        limit: u64,
    },
    /// The event was to go to several owners, and some of them have an event with the same id and other content. If
    /// `number` is 0, other owners have: the id was published to several owners before, with other content.
    #[error("{number} of the owners have another event with this id")]
    OwnersConflict {
        /// Some of the owners.
        owners: Vec<OwnerId>,
        /// How many there are.
        number: usize,
    },
    /// The event was to go to several owners, and the events of one of them take as many bytes as they may.
    #[error(
        "the event needs {bytes} bytes, and the events of the owner {owner} take {used} of the {limit} allowed"
    )]
    OwnerQuotaExceeded {
        /// The owner.
        owner: OwnerId,
        /// The bytes that the event needs.
        bytes: u64,
        /// The bytes of the owner's events.
        used: u64,
        /// The limit that holds for this publisher.
        limit: u64,
    },
    /// The store could not commit. Shared by all requests of the same commit.
    #[error("could not store the event")]
    Store(#[source] Arc<StoreError>),
    /// The engine was closed before it took the request.
    #[error("the engine is closed")]
    Closed,
}

/// Why an event was not updated.
///
/// One exception: after [`UpdateError::Closed`] or a store error the event can have been updated. Repeat the update; with
/// a [sequence](tidings_event::UpdateBuilder::with_sequence) it never undoes a later one.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UpdateError {
    /// The update breaks the rules.
    #[error("invalid update: {0}")]
    Invalid(Violations),
    /// The owner has no event with this id: it was never published, or deleted since.
    #[error("the owner has no event with this id")]
    NotFound,
    /// The event was published by another system than those that the publisher speaks for.
    #[error("the event was published by the system {system}")]
    ForeignSystem {
        /// The system.
        system: SystemId,
    },
    /// Of an event of the system, only description and metadata can be updated: each user has marked it for themselves.
    #[error(
        "the severity and status of a system event cannot be updated; its severity is {severity}"
    )]
    OnlyTexts {
        /// The severity of the event.
        severity: Severity,
    },
    /// The event would be larger than [`Limits::event_bytes`](tidings_event::Limits::event_bytes).
    #[error("the event would have {bytes} bytes, more than the {limit} allowed")]
    TooLarge {
        /// The size of its JSON.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// The events of the owner would take more bytes than they may
    /// ([`Config::owner_bytes`](crate::Config::owner_bytes)).
    #[error(
        "the event would take {bytes} bytes, and the events of its owner take {used} of the {limit} allowed"
    )]
    QuotaExceeded {
        /// The bytes that the event would take.
        bytes: u64,
        /// The bytes that the owner's events take now.
        used: u64,
        /// The limit that holds for this publisher.
        limit: u64,
    },
    /// The store could not commit.
    #[error("could not update the event")]
    Store(#[source] Arc<StoreError>),
    /// The engine was closed before it took the request.
    #[error("the engine is closed")]
    Closed,
}

/// Why an event was not retracted.
///
/// One exception: after [`RetractError::Closed`] or a store error the event can have been retracted. Repeat the retraction; it has no further effect.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RetractError {
    /// Another system has published the event, for which this publisher does not speak.
    #[error("the event was published by the system {system}")]
    ForeignSystem {
        /// The system.
        system: SystemId,
    },
    /// The store could not commit.
    #[error("could not retract the event")]
    Store(#[source] Arc<StoreError>),
    /// The engine was closed.
    #[error("the engine is closed")]
    Closed,
}

/// Why a step of a change was not committed.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum StepError {
    /// The store could not commit.
    #[error("could not change the events")]
    Store(#[source] Arc<StoreError>),
    /// The engine was closed before it took the step.
    #[error("the engine is closed")]
    Closed,
}

impl From<StepError> for RetractError {
    fn from(error: StepError) -> Self {
        match error {
            StepError::Store(error) => Self::Store(error),
            StepError::Closed => Self::Closed,
        }
    }
}

impl From<StepError> for ChangeError {
    fn from(error: StepError) -> Self {
        match error {
            StepError::Store(error) => Self::Store(error),
            StepError::Closed => Self::Closed,
        }
    }
}

/// Why nothing, or not everything, of a change was done. To repeat it is safe.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChangeError {
    /// The filter lets every event through; [`Selection::All`](tidings_event::Selection::All) says
    /// that this is meant.
    #[error("the filter is empty")]
    EmptyFilter,
    /// The cursor up to which events are meant is not one of this owner and this store.
    #[error("the upper cursor cannot be used ({0})")]
    UpTo(ResetReason),
    /// There are more ids than [`Limits::change_ids`](tidings_event::Limits::change_ids).
    #[error("the change names {ids} events, more than the {limit} allowed")]
    TooManyIds {
        /// How many there are.
        ids: usize,
        /// The limit.
        limit: usize,
    },
    /// This owner has the most bulk changes that can wait for their turn; nothing was changed.
    #[error("{limit} changes of this owner are already waiting; try again later")]
    TooManyWaiting {
        /// The limit.
        limit: usize,
    },
    /// The most bulk changes of all owners are waiting; nothing was changed.
    #[error("too many changes are waiting; try again later")]
    Overloaded,
    /// The change was stopped between two steps. The steps before it stay applied.
    #[error("the change was stopped")]
    Stopped,
    /// The store failed. The steps before the failure stay applied.
    #[error("could not change the events")]
    Store(#[source] Arc<StoreError>),
    /// The engine was closed.
    #[error("the engine is closed")]
    Closed,
}
