//! Why a read failed.

use std::fmt;

use tokio_postgres::error::SqlState;

use super::fault::{UnreadableColumn, store_error};
use crate::store::StoreError;

/// A failure of one attempt to read.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReadFault {
    /// PostgreSQL or the connection to it failed.
    #[error(transparent)]
    Postgres(#[from] tokio_postgres::Error),
    /// A value in the database that no version of Tidings has written.
    #[error(transparent)]
    Unreadable(#[from] UnreadableColumn),
    /// The database has another epoch or installation than at the start of this node.
    #[error("the database was restored or moved since this node started; restart the node")]
    Restored,
}

impl ReadFault {
    /// Whether the server ended the statement because it took too long.
    pub(super) fn is_time_out(&self) -> bool {
        matches!(self, Self::Postgres(error) if error.code() == Some(&SqlState::QUERY_CANCELED))
    }

    /// Whether the connection has ended.
    pub(super) fn is_of_connection(&self) -> bool {
        let Self::Postgres(error) = self else {
            return false;
        };
        let source = std::error::Error::source(error);
        error.is_closed()
            || source.is_some_and(|source| source.is::<std::io::Error>())
            || error
                .code()
                .is_some_and(|code| code.code().starts_with("57P"))
    }

    pub(super) fn unreadable(column: &'static str, value: impl fmt::Display) -> Self {
        let value = format!("{value}").chars().take(40).collect();
        Self::Unreadable(UnreadableColumn { column, value })
    }
}

impl From<ReadFault> for StoreError {
    fn from(fault: ReadFault) -> Self {
        match fault {
            ReadFault::Postgres(error) => store_error(error),
            ReadFault::Unreadable(error) => error.into(),
            ReadFault::Restored => Self::Unavailable(fault.into()),
        }
    }
}
