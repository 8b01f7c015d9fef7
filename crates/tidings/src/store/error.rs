//! Why the store could not do what it was asked.

use std::error::Error;
use std::time::Duration;

/// A failure of the store, whichever backend it is. The backend's own error is its source.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// No room is left. It goes on by itself once there is some.
    #[error("the disk that holds the events is full")]
    Full(#[source] Box<dyn Error + Send + Sync>),
    /// It does not answer, or refuses to write, for now.
    #[error("the event store is unavailable")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
    /// What it holds is not what was written.
    #[error("the event store is damaged")]
    Corrupt(#[source] Box<dyn Error + Send + Sync>),
    /// A fault of Tidings.
    #[error("the event store failed")]
    Internal(#[source] Box<dyn Error + Send + Sync>),
    /// A read took longer than reads may take. One without a total, or of a narrower filter, takes less.
    #[error("the read took longer than {limit:?}")]
    TookTooLong {
        /// The longest that a read may take.
        limit: Duration,
    },
    /// As many reads of this owner wait for their turn as may wait.
    #[error("{limit} reads of this owner wait for their turn, as many as may wait")]
    TooManyReads {
        /// How many may wait.
        limit: usize,
    },
    /// As many reads of all owners wait as may wait.
    #[error("as many reads wait for their turn as may wait")]
    Overloaded,
    /// A task or thread that the engine needs has ended by a fault, which the log describes. Only opening
    /// the engine again brings it back.
    #[error("{worker} has ended")]
    Ended {
        /// The task or thread.
        worker: &'static str,
    },
    /// It was closed.
    #[error("the event store is closed")]
    Closed,
}
