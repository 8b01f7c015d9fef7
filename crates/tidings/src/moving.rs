//! Moves a store from SQLite to PostgreSQL, or back.
//!
//! Everything is kept: ids, revisions, epoch, read state and remembered deletions. Clients notice nothing but a
//! reconnect. The rows are copied in small transactions that record how far they are, so that a move continues
//! after it was interrupted. Until the move is complete, the new store cannot be opened.

mod exclusive_store;
mod feed_digests;
mod move_error;
mod move_progress;

use std::io;

use tidings_event::{OwnerId, SystemId};

use crate::config::StoreConfig;
use crate::store::RevokedToken;
use crate::store::records::{Part, RecordPosition, StoreHead, TargetState};
use exclusive_store::ExclusiveStore;
use feed_digests::FeedDigests;

pub use move_error::MoveError;
pub use move_progress::MoveProgress;

/// The revoked tokens beside a store in SQLite, which its servers have in a file.
#[expect(missing_debug_implementations, reason = "a function has none")]
#[non_exhaustive]
pub struct MovedTokens<'a> {
    /// Those that a new store in PostgreSQL gets.
    pub listed: Vec<RevokedToken>,
    /// Keeps those of a store in PostgreSQL that is moved to SQLite. Its error ends the move.
    pub keep: &'a mut (dyn FnMut(Vec<RevokedToken>) -> io::Result<()> + Send),
}

impl<'a> MovedTokens<'a> {
    /// The tokens of the file, and a function that adds those of a database to it.
    pub fn new(
        listed: Vec<RevokedToken>,
        keep: &'a mut (dyn FnMut(Vec<RevokedToken>) -> io::Result<()> + Send),
    ) -> Self {
        Self { listed, keep }
    }
}

/// A finished move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Moved {
    /// The installation.
    pub system: SystemId,
    /// How many events the store has.
    pub events: u64,
    /// How many owners have a feed, the system among them.
    pub feeds: u64,
}

impl Moved {
    const fn of(head: &StoreHead) -> Self {
        Self {
            system: head.identity.system,
            events: head.events,
            feeds: head.state.feeds.unsigned_abs(),
        }
    }
}

/// Moves the store `from` into the empty directory or database `to`, and tells `report` how far it is. No engine may
/// use either. A call after an interrupted one continues it. The old store keeps its rows; do not use it any more. If it
/// is in PostgreSQL, no engine can commit to it from then on, until
/// [`renew_epoch`](crate::postgres::renew_epoch).
///
/// A store in PostgreSQL has the revoked tokens of its servers. A new one gets those of the old one and those that
/// `tokens` lists. If the new store is in SQLite, those of the old one go to `tokens` instead.
///
/// # Errors
///
/// [`MoveError`].
pub async fn move_store(
    from: &StoreConfig,
    to: &StoreConfig,
    tokens: MovedTokens<'_>,
    mut report: impl FnMut(MoveProgress),
) -> Result<Moved, MoveError> {
    let mut source = ExclusiveStore::source(from)
        .await
        .map_err(MoveError::Source)?
        .ok_or(MoveError::NoStore)?;
    let head = source.head().await.map_err(MoveError::Read)?;
    let (mut target, state) = ExclusiveStore::target(to)
        .await
        .map_err(MoveError::Target)?;
    let moved = run(
        (&mut source, &head),
        (&mut target, state),
        tokens,
        &mut report,
    )
    .await;
    // So that a server can start at once.
    target.release().await;
    source.release().await;
    moved
}

/// Moves the rows of an open store into another.
async fn run(
    (source, head): (&mut ExclusiveStore, &StoreHead),
    (target, state): (&mut ExclusiveStore, TargetState),
    tokens: MovedTokens<'_>,
    report: &mut impl FnMut(MoveProgress),
) -> Result<Moved, MoveError> {
    let (part, place) = match state {
        TargetState::New => {
            target.create(head).await.map_err(MoveError::Target)?;
            (0, RecordPosition::BEGINNING)
        }
        // Perhaps by this move, which was interrupted at its very end.
        TargetState::Used => {
            let is_moved = target.head().await.is_ok_and(|found| found.is_like(head));
            return if is_moved {
                Ok(Moved::of(head))
            } else {
                Err(MoveError::NotEmpty)
            };
        }
        TargetState::Unfinished {
            identity,
            state,
            part,
            place,
        } => {
            if identity != head.identity {
                return Err(MoveError::OtherSource);
            }
            if state != head.state {
                return Err(MoveError::SourceChanged);
            }
            report(MoveProgress::Continuing);
            (part, place)
        }
    };
    move_tokens(source, target, tokens).await?;
    copy(source, target, head, (part, place), report).await?;
    report(MoveProgress::Settling);
    target.settle().await.map_err(MoveError::Target)?;
    compare(source, target, head, report).await?;
    report(MoveProgress::Counting);
    let audit = target.audit().await.map_err(MoveError::Write)?;
    if let Some(wrong) = audit.wrong.into_iter().next() {
        return Err(MoveError::WrongCount(wrong));
    }
    target.finish(head).await.map_err(MoveError::Write)?;
    Ok(Moved::of(head))
}

/// Moves the revoked tokens. To do so again changes nothing.
async fn move_tokens(
    source: &ExclusiveStore,
    target: &mut ExclusiveStore,
    tokens: MovedTokens<'_>,
) -> Result<(), MoveError> {
    let mut of_store = source.revoked().await.map_err(MoveError::Read)?;
    let number = of_store.len();
    of_store.extend(tokens.listed);
    if target.revoke(&of_store).await.map_err(MoveError::Write)? {
        return Ok(());
    }
    of_store.truncate(number);
    (tokens.keep)(of_store).map_err(MoveError::RevokedTokens)
}

/// Copies the rows from a position on.
async fn copy(
    source: &mut ExclusiveStore,
    target: &mut ExclusiveStore,
    head: &StoreHead,
    (first, mut place): (i16, RecordPosition),
    report: &mut impl FnMut(MoveProgress),
) -> Result<(), MoveError> {
    for part in Part::ALL {
        if part.number() < first {
            continue;
        }
        let mut rows = 0;
        loop {
            let records = source.page(part, place).await.map_err(MoveError::Read)?;
            let next = match records.last() {
                Some(last) => (part.number(), last.position()),
                None => (part.number() + 1, RecordPosition::BEGINNING),
            };
            rows += records.len() as u64;
            let is_last = records.is_empty();
            target
                .write(records, next.0, next.1)
                .await
                .map_err(MoveError::Write)?;
            place = next.1;
            if is_last {
                break;
            }
            report(MoveProgress::Copied {
                what: part.name(),
                rows,
                of: match part {
                    Part::Feeds => Some(head.state.feeds.unsigned_abs()),
                    Part::Events => Some(head.events),
                    Part::Tombstones => Some(head.state.deletions.unsigned_abs()),
                    Part::Overlays | Part::Ended | Part::Contents | Part::Audiences => None,
                },
            });
        }
    }
    Ok(())
}

/// Compares a digest of each feed of both stores.
async fn compare(
    source: &mut ExclusiveStore,
    target: &mut ExclusiveStore,
    head: &StoreHead,
    report: &mut impl FnMut(MoveProgress),
) -> Result<(), MoveError> {
    for part in Part::ALL {
        let (mut ours, mut theirs) = (FeedDigests::of(part), FeedDigests::of(part));
        let mut feeds = 0;
        loop {
            let old = ours.next(source).await.map_err(MoveError::Read)?;
            let new = theirs.next(target).await.map_err(MoveError::Write)?;
            if old != new {
                let owners = [old, new].into_iter().flatten();
                let owner = owners.map(|feed| feed.owner).min().unwrap_or_default();
                return Err(MoveError::Differs {
                    what: part.name(),
                    owner: OwnerId::from_uuid(owner),
                });
            }
            if old.is_none() {
                break;
            }
            feeds += 1;
            if part == Part::Events {
                report(MoveProgress::Compared {
                    feeds,
                    of: head.state.feeds.unsigned_abs(),
                });
            }
        }
    }
    Ok(())
}
