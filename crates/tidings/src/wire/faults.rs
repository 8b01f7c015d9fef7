//! The engine's errors for a server, which has a response to each of them.
//!
//! The errors of [`Tidings`](crate::Tidings) can grow, so that other programs need a response to the unknown.
//! These enums are exhaustive: a server that does not respond to a new error does not compile.

use std::sync::Arc;
use std::time::Duration;

use tidings_event::{EventId, OwnerId, ResetReason, Severity, SystemId, Violations};

use crate::error::{ChangeError, PublishError, RetractError, UpdateError};
use crate::store::StoreError;

/// The variants of [`PublishError`], exhaustively.
#[derive(Clone, Debug)]
pub enum PublishFault {
    /// [`PublishError::Invalid`]
    Invalid(Violations),
    /// [`PublishError::Conflict`]
    Conflict {
        /// The position of the event in the request.
        index: usize,
        /// The id of both events.
        id: EventId,
    },
    /// [`PublishError::TooLarge`]
    TooLarge {
        /// The position of the event in the request.
        index: usize,
        /// The size of its JSON.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// [`PublishError::TooManyEvents`]
    TooManyEvents {
        /// The number of events.
        events: usize,
        /// The limit.
        limit: usize,
    },
    /// [`PublishError::BatchTooLarge`]
    BatchTooLarge {
        /// The size of their JSON.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// [`PublishError::QuotaExceeded`]
    QuotaExceeded {
        /// The position of the event in the request.
        index: usize,
        /// The bytes that the event needs.
        bytes: u64,
        /// The bytes of the owner's events without those of the request.
        used: u64,
        /// The limit for this publisher.
        limit: u64,
    },
    /// [`PublishError::OwnersConflict`]
    OwnersConflict {
        /// Some of the owners.
        owners: Vec<OwnerId>,
        /// How many there are.
        number: usize,
    },
    /// [`PublishError::OwnerQuotaExceeded`]
    OwnerQuotaExceeded {
        /// The owner.
        owner: OwnerId,
        /// The bytes that the event needs.
        bytes: u64,
        /// The bytes of the owner's events.
        used: u64,
        /// The limit for this publisher.
        limit: u64,
    },
    /// [`PublishError::Store`]
    Store(Arc<StoreError>),
    /// [`PublishError::Closed`]
    Closed,
}

/// The variants of [`UpdateError`], exhaustively.
#[derive(Clone, Debug)]
pub enum UpdateFault {
    /// [`UpdateError::Invalid`]
    Invalid(Violations),
    /// [`UpdateError::NotFound`]
    NotFound,
    /// [`UpdateError::ForeignSystem`]
    ForeignSystem {
        /// The system that published the event.
        system: SystemId,
    },
    /// [`UpdateError::OnlyTexts`]
    OnlyTexts {
        /// The severity of the event.
        severity: Severity,
    },
    /// [`UpdateError::TooLarge`]
    TooLarge {
        /// The size of its JSON.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// [`UpdateError::QuotaExceeded`]
    QuotaExceeded {
        /// The bytes that the event would take.
        bytes: u64,
        /// The bytes that the owner's events take now.
        used: u64,
        /// The limit for this publisher.
        limit: u64,
    },
    /// [`UpdateError::Store`]
    Store(Arc<StoreError>),
    /// [`UpdateError::Closed`]
    Closed,
}

/// The variants of [`RetractError`], exhaustively.
#[derive(Clone, Debug)]
pub enum RetractFault {
    /// [`RetractError::ForeignSystem`]
    ForeignSystem {
        /// The system that published the event.
        system: SystemId,
    },
    /// [`RetractError::Store`]
    Store(Arc<StoreError>),
    /// [`RetractError::Closed`]
    Closed,
}

/// The variants of [`ChangeError`], exhaustively.
#[derive(Clone, Debug)]
pub enum ChangeFault {
    /// [`ChangeError::EmptyFilter`]
    EmptyFilter,
    /// [`ChangeError::UpTo`]
    UpTo(ResetReason),
    /// [`ChangeError::TooManyIds`]
    TooManyIds {
        /// The number of ids.
        ids: usize,
        /// The limit.
        limit: usize,
    },
    /// [`ChangeError::TooManyWaiting`]
    TooManyWaiting {
        /// The limit.
        limit: usize,
    },
    /// [`ChangeError::Overloaded`]
    Overloaded,
    /// [`ChangeError::Stopped`]
    Stopped,
    /// [`ChangeError::Store`]
    Store(Arc<StoreError>),
    /// [`ChangeError::Closed`]
    Closed,
}

/// The variants of [`StoreError`] without their sources, exhaustively.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreFault {
    /// [`StoreError::Full`]
    Full,
    /// [`StoreError::Unavailable`]
    Unavailable,
    /// [`StoreError::Corrupt`]
    Corrupt,
    /// [`StoreError::Internal`]
    Internal,
    /// [`StoreError::TookTooLong`]
    TookTooLong {
        /// The limit.
        limit: Duration,
    },
    /// [`StoreError::TooManyReads`]
    TooManyReads {
        /// The limit.
        limit: usize,
    },
    /// [`StoreError::Overloaded`]
    Overloaded,
    /// [`StoreError::Ended`]
    Ended {
        /// The task or thread.
        worker: &'static str,
    },
    /// [`StoreError::Closed`]
    Closed,
}

impl From<PublishError> for PublishFault {
    fn from(error: PublishError) -> Self {
        match error {
            PublishError::Invalid(violations) => Self::Invalid(violations),
            PublishError::Conflict { index, id } => Self::Conflict { index, id },
            PublishError::TooLarge {
                index,
                bytes,
                limit,
            } => Self::TooLarge {
                index,
                bytes,
                limit,
            },
            PublishError::TooManyEvents { events, limit } => Self::TooManyEvents { events, limit },
            PublishError::BatchTooLarge { bytes, limit } => Self::BatchTooLarge { bytes, limit },
            PublishError::QuotaExceeded {
                index,
                bytes,
                used,
                limit,
            } => Self::QuotaExceeded {
                index,
                bytes,
                used,
                limit,
            },
            PublishError::OwnersConflict { owners, number } => {
                Self::OwnersConflict { owners, number }
            }
            PublishError::OwnerQuotaExceeded {
                owner,
                bytes,
                used,
                limit,
            } => Self::OwnerQuotaExceeded {
                owner,
                bytes,
                used,
                limit,
            },
            PublishError::Store(error) => Self::Store(error),
            PublishError::Closed => Self::Closed,
        }
    }
}

impl From<UpdateError> for UpdateFault {
    fn from(error: UpdateError) -> Self {
        match error {
            UpdateError::Invalid(violations) => Self::Invalid(violations),
            UpdateError::NotFound => Self::NotFound,
            UpdateError::ForeignSystem { system } => Self::ForeignSystem { system },
            UpdateError::OnlyTexts { severity } => Self::OnlyTexts { severity },
            UpdateError::TooLarge { bytes, limit } => Self::TooLarge { bytes, limit },
            UpdateError::QuotaExceeded { bytes, used, limit } => {
                Self::QuotaExceeded { bytes, used, limit }
            }
            UpdateError::Store(error) => Self::Store(error),
            UpdateError::Closed => Self::Closed,
        }
    }
}

impl From<RetractError> for RetractFault {
    fn from(error: RetractError) -> Self {
        match error {
            RetractError::ForeignSystem { system } => Self::ForeignSystem { system },
            RetractError::Store(error) => Self::Store(error),
            RetractError::Closed => Self::Closed,
        }
    }
}

impl From<ChangeError> for ChangeFault {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::EmptyFilter => Self::EmptyFilter,
            ChangeError::UpTo(reason) => Self::UpTo(reason),
            ChangeError::TooManyIds { ids, limit } => Self::TooManyIds { ids, limit },
            ChangeError::TooManyWaiting { limit } => Self::TooManyWaiting { limit },
            ChangeError::Overloaded => Self::Overloaded,
            ChangeError::Stopped => Self::Stopped,
            ChangeError::Store(error) => Self::Store(error),
            ChangeError::Closed => Self::Closed,
        }
    }
}

impl From<&StoreError> for StoreFault {
    fn from(error: &StoreError) -> Self {
        match error {
            StoreError::Full(_) => Self::Full,
            StoreError::Unavailable(_) => Self::Unavailable,
            StoreError::Corrupt(_) => Self::Corrupt,
            StoreError::Internal(_) => Self::Internal,
            StoreError::TookTooLong { limit } => Self::TookTooLong { limit: *limit },
            StoreError::TooManyReads { limit } => Self::TooManyReads { limit: *limit },
            StoreError::Overloaded => Self::Overloaded,
            StoreError::Ended { worker } => Self::Ended { worker },
            StoreError::Closed => Self::Closed,
        }
    }
}
