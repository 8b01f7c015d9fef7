//! How a follower reads the changes that its windows do not hold from the store.

use tidings_event::{Deletion, ResetReason, Rev, StatusChange, StreamItem};

use super::reading::ReadKind;
use super::{Floors, FollowedFrames, Follower, Next, Phase, Step};
use crate::frame::{Frame, StreamFrame};
use crate::start::cursor_at;
use crate::store::{ReplayItem, ReplayPage, RevRange, Side, Snapshot};

impl Follower {
    /// Reads on in the first feed that is not where the snapshot saw it; after the last one, goes
    /// live.
    pub(super) fn replay(&mut self) -> Step {
        if let Phase::Replaying(snapshot) = &self.phase {
            let mut heads = cursor_at(snapshot, self.position.tag);
            for side in self.sides() {
                let up_to = *side.rev(&mut heads);
                let after = *side.rev(&mut self.position);
                if after < up_to {
                    self.seat(*side).note(after, up_to);
                    return self.read(ReadKind::Page(*side, RevRange { after, up_to }));
                }
            }
        }
        let Phase::Replaying(snapshot) = std::mem::replace(&mut self.phase, Phase::Live) else {
            return Step::Wait;
        };
        let cursor = self.position;
        let summary = snapshot.summary;
        let live = Frame::of(&StreamItem::Live { cursor, summary });
        Step::Notice(StreamFrame::new(cursor, live))
    }

    pub(super) fn take_page(&mut self, side: Side, page: ReplayPage) {
        if self.has_lost_deletions(side, page.floor) {
            self.phase = Phase::Lost;
            return;
        }
        let number = page.changes.len() as u64;
        self.source.metrics.replayed_events.inc_by(number);
        self.source.metrics.frames_encoded.inc_by(number);
        let mut end = self.position;
        let mut frames = Vec::with_capacity(page.changes.len());
        for (rev, change) in page.changes {
            *side.rev(&mut end) = rev;
            frames.push(StreamFrame::new(end, frame_of(change)));
        }
        *side.rev(&mut end) = page.reached;
        self.next = Some(Box::new(Next::Frames(FollowedFrames { frames, end })));
    }

    /// Reads on, up to where the feeds stand now; the counts are known again after that.
    pub(super) fn catch_up(&mut self, snapshot: Box<Snapshot>) {
        for (side, floor) in [
            (Side::System, snapshot.system.floor),
            (Side::Own, snapshot.own.floor),
        ] {
            if self.has_lost_deletions(side, floor) {
                self.phase = Phase::Lost;
                return;
            }
        }
        let cursor = self.position;
        let head = cursor_at(&snapshot, cursor.tag);
        self.notice(&StreamItem::Ready { cursor, head });
        self.phase = Phase::Replaying(snapshot);
    }

    /// Continues from where the feeds stand now, and tells the client.
    pub(super) fn restart(&mut self, snapshot: Box<Snapshot>) {
        let cursor = cursor_at(&snapshot, self.position.tag);
        let reason = ResetReason::TooOld;
        self.source
            .metrics
            .resets
            .get_or_create(&reason.into())
            .inc();
        self.notice(&StreamItem::Reset { cursor, reason });
        self.moved_to(cursor);
        self.floors = Floors::of(&snapshot);
        self.phase = Phase::Replaying(snapshot);
    }

    /// Whether deletions were forgotten, since it was last looked, that this client has not seen. A
    /// client at revision 0 misses none.
    fn has_lost_deletions(&mut self, side: Side, floor: Rev) -> bool {
        let position = *side.rev(&mut self.position);
        let known = self.floors.of_side(side);
        let lost = floor > *known && position > Rev::ZERO && position < floor;
        if !lost {
            *known = floor;
        }
        lost
    }
}

/// A change of a replay says nothing of the counts: those of `live` count it already.
fn frame_of(change: ReplayItem) -> Frame {
    match change {
        ReplayItem::Created(json) => Frame::created(json),
        ReplayItem::Updated(json) => Frame::updated(&json, None),
        ReplayItem::Status {
            ids,
            system_ids,
            status,
            at,
        } => Frame::status(&StatusChange::new(ids, status, at).with_system_ids(system_ids)),
        ReplayItem::Deleted { ids, system_ids } => {
            Frame::deleted(&Deletion::new(ids).with_system_ids(system_ids))
        }
    }
}
