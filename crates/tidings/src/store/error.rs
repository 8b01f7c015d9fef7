//! Why the store could not do what it was asked.

use std::error::Error;

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
    /// It was closed.
    #[error("the event store is closed")]
    Closed,
}
