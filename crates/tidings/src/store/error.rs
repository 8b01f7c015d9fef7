//! Why a call to the store failed.

use std::error::Error;
use std::time::Duration;

/// A failure of the store, of any backend. The backend's own error is its source.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The disk is full. The store continues by itself once there is space.
    #[error("the disk that holds the events is full")]
    Full(#[source] Box<dyn Error + Send + Sync>),
    /// The store cannot be read or written for now.
    #[error("the event store is unavailable")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
    /// The database is damaged.
    #[error("the event store is damaged")]
    Corrupt(#[source] Box<dyn Error + Send + Sync>),
    /// A bug of Tidings.
    #[error("the event store failed")]
    Internal(#[source] Box<dyn Error + Send + Sync>),
    /// A read took longer than the limit. A read without a total, or with a narrower filter, takes less time.
    #[error("the read took longer than {limit:?}")]
    TookTooLong {
        /// The limit.
        limit: Duration,
    },
    /// Too many reads of this owner wait for their turn.
    #[error("too many reads of this owner wait for their turn; the limit is {limit}")]
    TooManyReads {
        /// The limit.
        limit: usize,
    },
    /// Too many reads of all owners wait for their turn.
    #[error("too many reads wait for their turn")]
    Overloaded,
    /// A task or thread that the engine needs has ended by a fault, which the log describes. Only opening
    /// the engine again brings it back.
    #[error("{worker} has ended")]
    Ended {
        /// The task or thread.
        worker: &'static str,
    },
    /// The store was closed.
    #[error("the event store is closed")]
    Closed,
}
