//! The changes of a replay, as stores read them one by one and readers get them joined.

use bytes::Bytes;
use tidings_event::{EventId, Rev, Status, StreamItem, Timestamp};

use super::{ReplayItem, ReplayPage, Side};

/// A piece of a replay ends with the event that exceeds this size.
pub(super) const REPLAY_PAGE_BYTES: usize = 64 * 1024;

/// The most changes of status, and the most deletions, in a piece of a replay.
pub(super) const REPLAY_PAGE_CHANGES: u32 = 1024;

/// One change of one event.
pub(super) enum ReplayRow {
    /// The event's JSON.
    Created(Bytes),
    /// The JSON of an event whose content was replaced.
    Updated(Bytes),
    Status(ReplayedEvent, Status, Timestamp),
    Deleted(ReplayedEvent),
}

/// The event of a change.
pub(super) struct ReplayedEvent {
    pub(super) id: EventId,
    pub(super) side: Side,
    /// Whether the other feed that the viewer sees has, or had, an event with the same id.
    pub(super) has_twin: bool,
}

/// The events of neighbouring changes that say the same.
#[derive(Default)]
struct Run {
    ids: Vec<EventId>,
    system_ids: Vec<EventId>,
    has_twins: bool,
}

impl Run {
    fn of(event: &ReplayedEvent) -> Self {
        let mut run = Self::default();
        run.push(event);
        run
    }

    fn push(&mut self, event: &ReplayedEvent) {
        self.ids.push(event.id);
        if event.side == Side::System {
            self.system_ids.push(event.id);
        }
        self.has_twins |= event.has_twin;
    }

    fn is_full(&self) -> bool {
        self.ids.len() >= StreamItem::MAX_IDS
    }

    /// The ids, and which of them are the system's if that has to be told.
    fn into_ids(self) -> (Vec<EventId>, Option<Vec<EventId>>) {
        (self.ids, self.has_twins.then_some(self.system_ids))
    }
}

/// Rows that become one frame.
enum JoinedRows {
    Created(Bytes),
    Updated(Bytes),
    Status(Run, Status, Timestamp),
    Deleted(Run),
}

/// The piece of a replay with the changes up to the rev `reached`, which are in any order.
pub(super) fn page(mut changes: Vec<(Rev, ReplayRow)>, reached: Rev, floor: Rev) -> ReplayPage {
    changes.retain(|(rev, _)| *rev <= reached);
    changes.sort_unstable_by_key(|(rev, _)| *rev);
    ReplayPage {
        changes: join(changes),
        reached,
        floor,
    }
}

/// Joins neighbours that say the same about different events.
fn join(changes: Vec<(Rev, ReplayRow)>) -> Vec<(Rev, ReplayItem)> {
    let mut joined: Vec<(Rev, JoinedRows)> = Vec::with_capacity(changes.len());
    for (rev, change) in changes {
        let next = match (joined.last_mut(), change) {
            (
                Some((last, JoinedRows::Status(run, status, at))),
                ReplayRow::Status(event, same, since),
            ) if *status == same && *at == since && !run.is_full() => {
                run.push(&event);
                *last = rev;
                continue;
            }
            (Some((last, JoinedRows::Deleted(run))), ReplayRow::Deleted(event))
                if !run.is_full() =>
            {
                run.push(&event);
                *last = rev;
                continue;
            }
            (_, ReplayRow::Created(json)) => JoinedRows::Created(json),
            (_, ReplayRow::Updated(json)) => JoinedRows::Updated(json),
            (_, ReplayRow::Status(event, status, at)) => {
                JoinedRows::Status(Run::of(&event), status, at)
            }
            (_, ReplayRow::Deleted(event)) => JoinedRows::Deleted(Run::of(&event)),
        };
        joined.push((rev, next));
    }
    let replayed = joined.into_iter().map(|(rev, joined)| (rev, joined.into()));
    replayed.collect()
}

impl From<JoinedRows> for ReplayItem {
    fn from(joined: JoinedRows) -> Self {
        match joined {
            JoinedRows::Created(json) => Self::Created(json),
            JoinedRows::Updated(json) => Self::Updated(json),
            JoinedRows::Status(run, status, at) => {
                let (ids, system_ids) = run.into_ids();
                Self::Status {
                    ids,
                    system_ids,
                    status,
                    at,
                }
            }
            JoinedRows::Deleted(run) => {
                let (ids, system_ids) = run.into_ids();
                Self::Deleted { ids, system_ids }
            }
        }
    }
}
