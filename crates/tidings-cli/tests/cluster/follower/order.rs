//! The order of the items of a stream.

use tidings_event::{Cursor, StreamItem};

use crate::caller::{User, owner};

/// Checks that an item continues where the last one ended. Live frames leave out no rev and repeat none.
pub(super) fn check_order(
    before: Cursor,
    item: &StreamItem,
    is_live: bool,
    user: User,
) -> Result<(), String> {
    let now = item.cursor();
    let (own, system) = (
        now.own.get().checked_sub(before.own.get()),
        now.system.get().checked_sub(before.system.get()),
    );
    let (Some(own), Some(system)) = (own, system) else {
        return Err(format!("{item:?} goes back from {before}"));
    };
    let ids = match item {
        StreamItem::Created { event, .. } => {
            // A replay leaves out events that were deleted since, also at the end of the other feed.
            let (of_event, of_other) = match event.owner == Some(owner(user)) {
                true => (own, system),
                false => (system, own),
            };
            let follows = match is_live {
                true => (of_event, of_other) == (1, 0),
                false => of_event > 0,
            };
            return match follows {
                true => Ok(()),
                false => Err(format!("after {before} comes {item:?}")),
            };
        }
        StreamItem::Status { change, .. } => change.ids.len() as u64,
        StreamItem::Deleted { deletion, .. } => deletion.ids.len() as u64,
        // The end of a replay can lie behind events that were deleted since.
        StreamItem::Live { .. } => return Ok(()),
        _ => {
            return match own + system {
                0 => Ok(()),
                _ => Err(format!("{item:?} moves from {before}")),
            };
        }
    };
    let follows = match is_live {
        true => (own, system) == (ids, 0) || (own, system) == (0, ids),
        false => own + system > 0,
    };
    match follows {
        true => Ok(()),
        false => Err(format!("after {before} comes {item:?}")),
    }
}
