//! Where a subscription begins.

use tidings_event::{Cursor, CursorTag, ResetReason, Rev, Start, StreamItem};

use crate::store::{FeedBounds, Snapshot};

/// The cursor of a reader who has seen all that the snapshot saw.
pub(crate) fn cursor_at(snapshot: &Snapshot, tag: CursorTag) -> Cursor {
    Cursor {
        own: snapshot.own.head,
        system: snapshot.system.head,
        tag,
    }
}

/// What a subscription begins with: `ready`, or `reset` if it has to begin elsewhere.
pub(crate) fn first_item(start: Start, snapshot: &Snapshot, tag: CursorTag) -> StreamItem {
    let head = cursor_at(snapshot, tag);
    match accept(start, snapshot, tag) {
        Ok(cursor) => StreamItem::Ready { cursor, head },
        Err(reason) => StreamItem::Reset {
            cursor: head,
            reason,
        },
    }
}

/// Where a subscription begins, or why its start cannot be used.
fn accept(start: Start, snapshot: &Snapshot, tag: CursorTag) -> Result<Cursor, ResetReason> {
    let (own, system) = (snapshot.own, snapshot.system);
    match start {
        Start::Now => Ok(cursor_at(snapshot, tag)),
        // It gets all events that are there, whatever was forgotten before.
        Start::Earliest => Ok(Cursor {
            own: Rev::ZERO,
            system: Rev::ZERO,
            tag,
        }),
        Start::Malformed => Err(ResetReason::Malformed),
        Start::After(cursor) if cursor.tag != tag => Err(ResetReason::Foreign),
        Start::After(cursor) if cursor.own > own.head || cursor.system > system.head => {
            Err(ResetReason::TooNew)
        }
        Start::After(cursor)
            if is_too_old(cursor.own, own) || is_too_old(cursor.system, system) =>
        {
            Err(ResetReason::TooOld)
        }
        Start::After(cursor) => Ok(cursor),
    }
}

/// Whether deletions that the reader has not seen are forgotten. A reader at rev 0 has seen no event, and
/// misses no deletion.
fn is_too_old(rev: Rev, feed: FeedBounds) -> bool {
    rev > Rev::ZERO && rev < feed.floor
}
