//! Decides steps of changes.

use tidings_event::{Change, OwnerId, Rev, Severity, Status, Timestamp};

use super::state::{Burial, EventSource, EventState, Overlay, RecentChange, State, Tombstone};
use super::subjects::Key;
use crate::ended_overlay::EndedOverlay;
use crate::store::decide::change::{
    Effect, OwnChange, Tally, UsersChange, own_change, users_change,
};
use crate::store::decide::foreign::is_foreign;
use crate::store::decide::publish::Remains;
use crate::store::kind::Kind;
use crate::store::{ChangeStep, Side, StepOutcome, Target};

impl State<'_> {
    /// Applies a step. Events that the owner does not see stay as they are.
    pub(super) fn apply(&mut self, step: &ChangeStep) -> StepOutcome {
        let system = OwnerId::from(self.identity.system);
        // Only feeds that change are written back.
        let first = self
            .feeds
            .get(&step.owner)
            .map_or(Rev::ZERO, |feed| feed.head);
        let mut applying = Applying {
            first: first.next(),
            state: self,
            system,
            step,
            tally: Tally::default(),
        };
        for named in &step.targets {
            let effect = applying.change(*named);
            applying.tally.add(*named, effect);
        }
        let tally = applying.tally;
        let head = self
            .feeds
            .get(&step.owner)
            .map_or(Rev::ZERO, |feed| feed.head);
        tally.finish(step, system, head)
    }
}

/// A step that is being applied.
struct Applying<'s, 'a, 'g> {
    state: &'s mut State<'a>,
    system: OwnerId,
    step: &'g ChangeStep,
    /// The first rev of the step.
    first: Rev,
    tally: Tally,
}

/// An event before a change, as the owner of the step saw it.
#[derive(Clone, Copy)]
struct Before {
    severity: Severity,
    status: Status,
    updated_at: Timestamp,
    changed_rev: Option<Rev>,
}

impl Applying<'_, '_, '_> {
    fn change(&mut self, named: Target) -> Effect {
        let is_system = self.step.owner == self.system;
        let has = |owner: OwnerId| self.state.events.contains_key(&(owner, named.id));
        // An id alone means the owner's own event before the system's.
        let side = match named.side {
            Some(Side::System) if !is_system => Side::System,
            _ if has(self.step.owner) => Side::Own,
            Some(Side::Own) => return self.change_deleted(named),
            Some(Side::System) | None => Side::System,
        };
        match side {
            Side::Own => self.change_own(named),
            Side::System if is_system || !has(self.system) => self.change_deleted(named),
            // A repeated deletion must not reach the event of the system with the same id.
            Side::System if named.side.is_none() && self.repeats_own_deletion(named) => {
                Effect::Unchanged
            }
            Side::System => self.change_for_user(named),
        }
    }

    /// The mark or deletion of an event that takes the next rev of the owner's feed.
    fn note(&mut self, named: Target, before: Before, system_rev: Option<Rev>) -> Rev {
        let rev = self.state.feed(self.step.owner).advance();
        self.state.changes.push(RecentChange {
            owner: self.step.owner,
            rev,
            step: self.first,
            id: named.id,
            system_rev,
            severity: before.severity,
            before: before.status,
            after: match self.step.change {
                Change::Status(status) => Some(status),
                Change::Delete => None,
            },
            updated_before: before.updated_at,
            changed_before: before.changed_rev,
            at: self.step.at,
        });
        rev
    }

    /// Changes an event of the owner's own feed.
    fn change_own(&mut self, named: Target) -> Effect {
        let key = (self.step.owner, named.id);
        let event = self.state.events[&key].clone();
        if is_foreign(self.step.systems.as_deref(), event.system_id) {
            return Effect::Foreign(event.system_id);
        }
        let change = own_change(self.step, self.system, event.status);
        let severity = event.severity;
        let before = Before {
            severity,
            status: event.status,
            updated_at: event.updated_at,
            changed_rev: event.changed_rev,
        };
        match change {
            OwnChange::Nothing => return Effect::Unchanged,
            OwnChange::Mark(status) => {
                let rev = self.note(named, before, None);
                let feed = self.state.feed(self.step.owner);
                feed.counts.subtract(Kind::of(severity, event.status));
                feed.counts.add(Kind::of(severity, status));
                self.tally.count(severity, event.status, Some(status));
                let mut changed = EventState {
                    changed_rev: Some(rev),
                    status,
                    updated_at: self.step.at,
                    ..event
                };
                if let EventSource::Database { is_marked, .. } = &mut changed.origin {
                    *is_marked = true;
                }
                self.state.events.insert(key, changed);
            }
            OwnChange::Bury => {
                let is_system = self.step.owner == self.system;
                if is_system {
                    self.end_overlays(&event);
                }
                let system_rev = is_system.then_some(event.created_rev);
                let rev = self.note(named, before, system_rev);
                self.bury(key, &event, rev);
                self.tally.count(severity, event.status, None);
            }
        }
        Effect::Changed { of_system: false }
    }

    /// Replaces an event of the owner's own feed by a tombstone.
    fn bury(&mut self, key: Key, event: &EventState<'_>, deleted_rev: Rev) {
        let feed = self.state.feed(self.step.owner);
        feed.counts.subtract(Kind::of(event.severity, event.status));
        feed.bytes = feed.bytes.saturating_sub(event.bytes);
        feed.deletions += 1;
        self.state.events.remove(&key);
        self.state.leave(key.1, event);
        let tombstone = Tombstone {
            remains: Remains {
                rev: event.created_rev,
                digest: event.digest,
                created_at: event.created_at,
                deleted_at: self.step.at,
            },
            deleted_rev,
            burial: Some(match event.origin {
                EventSource::Database { .. } => Burial::OfStored,
                EventSource::Group(_) => Burial::OfNew,
            }),
        };
        self.state.tombstones.insert(key, tombstone);
    }

    /// Reports the overlays of a system event that ends, and leaves them to be removed later.
    fn end_overlays(&mut self, event: &EventState<'_>) {
        let rev = event.created_rev;
        let overlays = match self.state.ending.is_cut {
            true => None,
            false => {
                let read = self.state.ending.overlays.remove(&rev);
                let mut overlays = read.unwrap_or_default();
                // Those that this group has changed are other than in the database.
                let changed = self.state.overlays.iter();
                let changed = changed.filter(|((_, of), overlay)| *of == rev && overlay.is_changed);
                for ((owner, _), overlay) in changed {
                    overlays.retain(|one| one.owner != *owner);
                    overlays.push(EndedOverlay {
                        owner: *owner,
                        changed_rev: overlay.changed_rev,
                        severity: event.severity,
                        status: (!overlay.state.deleted).then_some(overlay.state.status),
                    });
                }
                Some(overlays)
            }
        };
        self.tally.end(overlays);
        self.state.ending.ended.push((rev, event.severity));
    }

    /// Changes a system event for one user.
    fn change_for_user(&mut self, named: Target) -> Effect {
        let event = self.state.events[&(self.system, named.id)].clone();
        let (owner, severity) = (self.step.owner, event.severity);
        let key = (owner, event.created_rev);
        let overlay = self.state.overlays.get(&key).copied();
        let change = users_change(self.step, overlay.map(|overlay| overlay.state));
        let UsersChange::To {
            before,
            state,
            read,
            deleted,
        } = change
        else {
            return match change {
                UsersChange::Unseen => Effect::Unseen,
                UsersChange::Nothing | UsersChange::To { .. } => Effect::Unchanged,
            };
        };
        let was = Before {
            severity,
            status: before,
            updated_at: overlay.map_or(event.updated_at, |overlay| overlay.updated_at),
            changed_rev: overlay.map(|overlay| overlay.changed_rev),
        };
        let changed_rev = self.note(named, was, Some(event.created_rev));
        self.state
            .feed(owner)
            .count_overlay(severity, read, deleted);
        let after = (!state.deleted).then_some(state.status);
        self.tally.count(severity, before, after);
        self.tally.newest_system = self.tally.newest_system.max(event.created_rev);
        let changed = Overlay {
            state,
            severity,
            changed_rev,
            // As of an updated event of the system, the time never goes back.
            updated_at: overlay
                .map_or(self.step.at, |overlay| overlay.updated_at.max(self.step.at)),
            is_changed: true,
        };
        self.state.overlays.insert(key, changed);
        Effect::Changed { of_system: true }
    }

    /// Whether the step deletes an event of the owner that is already deleted.
    fn repeats_own_deletion(&self, named: Target) -> bool {
        let key = (self.step.owner, named.id);
        self.step.change == Change::Delete && self.state.tombstones.contains_key(&key)
    }

    /// Deleting an event again, the owner's or the system's, changes nothing and is no mistake.
    fn change_deleted(&self, named: Target) -> Effect {
        let has = |owner: OwnerId| self.state.tombstones.contains_key(&(owner, named.id));
        let was_there = match named.side {
            Some(Side::Own) => has(self.step.owner),
            Some(Side::System) => has(self.system),
            None => has(self.step.owner) || has(self.system),
        };
        match self.step.change {
            Change::Delete if was_there => Effect::Unchanged,
            Change::Delete | Change::Status(_) => Effect::Unseen,
        }
    }
}
