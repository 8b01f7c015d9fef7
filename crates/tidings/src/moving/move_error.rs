//! Why a store was not moved.

use std::io;

use tidings_event::OwnerId;

use crate::error::OpenError;
use crate::store::StoreError;
use crate::store::audit::WrongCount;

/// Why a store was not moved. The old store is unchanged.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MoveError {
    /// There is no store to be moved.
    #[error("there is no event store to move")]
    NoStore,
    /// The old store cannot be used.
    #[error("could not open the store to move")]
    Source(#[source] OpenError),
    /// The new store cannot be used.
    #[error("could not open the store to move to")]
    Target(#[source] OpenError),
    /// The new store has events.
    #[error("the store to move to has events already; give an empty directory or database")]
    NotEmpty,
    /// The new store has a part of another one.
    #[error(
        "the store to move to has a part of another store; continue that move, or give an empty directory \
         or database"
    )]
    OtherSource,
    /// The old store was used after the move had begun.
    #[error(
        "the store was used since the move began; empty the directory or database to move to, and move again"
    )]
    SourceChanged,
    /// The old store cannot be read.
    #[error("could not read the store to move")]
    Read(#[source] StoreError),
    /// The new store cannot be written. Moving again continues.
    #[error("could not write the new store; move again to continue")]
    Write(#[source] StoreError),
    /// The revoked tokens of the old store have no place.
    #[error("could not keep the revoked tokens")]
    RevokedTokens(#[source] io::Error),
    /// The stores differ after all was copied.
    #[error(
        "the {what} of {owner} differ between the stores; empty the new one, and report this as a bug"
    )]
    Differs {
        /// The difference.
        what: &'static str,
        /// Whose.
        owner: OwnerId,
    },
    /// A counter of the new store does not agree with its rows.
    #[error(
        "{} has {} {} and not {}: repair the counts of the old store (tidings doctor), empty the new one, and \
         move again", .0.owner, .0.found, .0.what, .0.kept
    )]
    WrongCount(WrongCount),
}
