//! The starting point of a subscription.

use tidings_event::{Cursor, CursorTag, ResetReason, Rev, Start, StreamItem};

use crate::store::{FeedBounds, Snapshot};

/// The cursor after the last change in the snapshot.
pub(crate) fn cursor_at(snapshot: &Snapshot, tag: CursorTag) -> Cursor {
    Cursor {
        own: snapshot.own.head,
        system: snapshot.system.head,
        tag,
    }
}

/// The first item of a subscription: `ready`, or `reset` if its start cannot be used.
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

/// The starting point of a subscription, or the reason why its start cannot be used.
fn accept(start: Start, snapshot: &Snapshot, tag: CursorTag) -> Result<Cursor, ResetReason> {
    let (own, system) = (snapshot.own, snapshot.system);
    match start {
        Start::Now => Ok(cursor_at(snapshot, tag)),
        // Never too old: a client without events needs no forgotten deletion.
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

/// Whether the store has forgotten deletions after this rev. A client at rev 0 has no events, so it misses
/// no deletion.
fn is_too_old(rev: Rev, feed: FeedBounds) -> bool {
    rev > Rev::ZERO && rev < feed.floor
}
