//! The inbox that a client builds from frames alone, and the rules for each frame.

use std::collections::{HashMap, HashSet};

use tidings_event::{
    Cursor, Event, EventRef, InboxSummary, OwnerKind, Severity, Status, StreamItem, Summary,
    SystemId, Timestamp,
};

use super::counts::Counts;
use super::order::Revs;
use crate::caller::{User, owner};
use crate::history::{Feed, History, Key};

/// An event as the client knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct State {
    pub(crate) status: Status,
    pub(crate) updated_at: Timestamp,
    pub(crate) severity: Severity,
    /// The number of the last update of the event.
    pub(crate) update: u64,
}

impl State {
    pub(crate) fn of(event: &Event, update: u64) -> Self {
        Self {
            status: event.status,
            updated_at: event.updated_at,
            severity: event.severity,
            update,
        }
    }

    const fn kind(self) -> (Status, Severity) {
        (self.status, self.severity)
    }
}

/// A client's events and counts, which survive its connections.
#[derive(Debug)]
pub(crate) struct Inbox {
    user: User,
    pub(crate) events: HashMap<Key, State>,
    /// Events that were ever sent to this client.
    created: HashSet<Key>,
    counts: Counts,
    pub(crate) cursor: Option<Cursor>,
    /// The revs of updates that live frames have told or passed over.
    updates: Revs,
    /// Whether this connection has begun.
    has_begun: bool,
    pub(crate) frames: u64,
}

impl Inbox {
    pub(crate) fn of(user: User) -> Self {
        Self {
            user,
            events: HashMap::new(),
            created: HashSet::new(),
            counts: Counts::of_nothing(),
            cursor: None,
            updates: Revs::default(),
            has_begun: false,
            frames: 0,
        }
    }

    /// The value of `Last-Event-ID`.
    pub(crate) fn start(&self) -> String {
        self.cursor
            .map_or_else(|| "earliest".to_owned(), |cursor| cursor.to_string())
    }

    pub(crate) fn connects(&mut self) {
        self.counts.begin();
        self.has_begun = false;
    }

    /// The counts that the server told, once the stream is live.
    pub(crate) const fn counts(&self) -> Option<&Summary> {
        self.counts.told()
    }

    /// Whether a summary is wanted, so that the counts can be compared from its cursor on.
    pub(crate) fn wants_summary(&self) -> bool {
        self.counts.wants_summary()
    }

    /// Takes the counts of some cursor, asked for after the last `live`.
    pub(crate) fn take_summary(&mut self, summary: InboxSummary) -> Result<(), String> {
        if !self.wants_summary() {
            return Ok(());
        }
        self.counts.take_summary(summary)?;
        self.compare()
    }

    /// Applies the next item of a connection.
    pub(crate) fn take(&mut self, item: StreamItem, history: &History) -> Result<(), String> {
        self.frames += 1;
        let is_live = self.counts().is_some();
        let cursor = item.cursor();
        if !self.has_begun && !matches!(item, StreamItem::Ready { .. } | StreamItem::Reset { .. }) {
            return Err(format!("a connection begins with {item:?}"));
        }
        if let Some(before) = self.cursor {
            let updates = Revs::of_updates(before, &item, is_live, self.user)?;
            self.updates.add(updates);
            self.check_updates(history)?;
        }
        self.cursor = Some(cursor);
        match item {
            StreamItem::Ready { head, .. } => {
                if head.own < cursor.own || head.system < cursor.system {
                    return Err(format!("ready at {cursor} is beyond its head {head}"));
                }
                self.has_begun = true;
                self.counts.replay();
            }
            StreamItem::Live { summary, .. } => self.counts.go_live(summary),
            StreamItem::Created { event, .. } => self.create(&event, is_live, history)?,
            StreamItem::Updated { change, .. } => {
                self.update(&change.event, history)?;
                self.counts.apply(change.counts.as_ref())?;
            }
            StreamItem::Status { change, .. } => {
                for event in change.events() {
                    let key = self.key(event);
                    match self.events.get_mut(&key) {
                        Some(state) => {
                            let before = state.kind();
                            state.status = change.status;
                            // Of an event of the system, both its own time and that of the mark count.
                            state.updated_at = match key.feed {
                                Feed::System => state.updated_at.max(change.updated_at),
                                Feed::User(_) => change.updated_at,
                            };
                            self.counts.change(before, Some(state.kind()))?;
                        }
                        None if self.counts.are_exact() => {
                            return Err(format!("a mark of {key:?}, which is not in the list"));
                        }
                        // It was deleted before the replay reached it.
                        None => {}
                    }
                }
                self.counts.apply(change.counts.as_ref())?;
            }
            StreamItem::Deleted { deletion, .. } => {
                for event in deletion.events() {
                    let key = self.key(event);
                    if let Some(state) = self.events.remove(&key) {
                        self.counts.change(state.kind(), None)?;
                    }
                }
                self.counts.apply(deletion.counts.as_ref())?;
            }
            StreamItem::Reset { reason, .. } => {
                return Err(format!("reset: {reason} after {:?}", self.start()));
            }
            other => return Err(format!("unexpected {other:?}")),
        }
        self.compare()
    }

    fn create(&mut self, event: &Event, is_live: bool, history: &History) -> Result<(), String> {
        let key = self.key_of(event)?;
        let record = history.record();
        let update = record.check_seen(key, event.severity, &event.description)?;
        drop(record);
        if is_live && update > 0 {
            return Err(format!("{key:?} is new and has the update {update}"));
        }
        if !self.created.insert(key) {
            return Err(format!("{key:?} came twice"));
        }
        self.events.insert(key, State::of(event, update));
        self.counts.add(event.status, event.severity);
        Ok(())
    }

    fn update(&mut self, event: &Event, history: &History) -> Result<(), String> {
        let key = self.key_of(event)?;
        let record = history.record();
        let update = record.check_seen(key, event.severity, &event.description)?;
        let can_be_deleted = record.can_be_deleted(self.user, key);
        drop(record);
        if update == 0 {
            return Err(format!("an update of {key:?} has its first content"));
        }
        let Some(state) = self.events.get_mut(&key) else {
            // The user can have deleted an event of the system, whose updates come nevertheless.
            let can_be_absent = key.feed == Feed::System && can_be_deleted;
            return match self.counts.are_exact() && !can_be_absent {
                true => Err(format!("an update of {key:?}, which is not in the list")),
                false => Ok(()),
            };
        };
        // A replay can have sent an event in a state that is ahead.
        if self.counts.are_exact() && update <= state.update {
            return Err(format!(
                "{key:?} gets the update {update} after {}",
                state.update
            ));
        }
        let before = std::mem::replace(state, State::of(event, update));
        if key.feed == Feed::System {
            // Each user has a status of their own.
            state.status = before.status;
            state.updated_at = before.updated_at.max(event.updated_at);
        }
        self.counts.change(before.kind(), Some(state.kind()))
    }

    /// Checks that live frames have told or passed over no more updates than were sent.
    fn check_updates(&self, history: &History) -> Result<(), String> {
        let record = history.record();
        let sent = Revs {
            own: record.updates_of(Feed::User(self.user)),
            system: record.updates_of(Feed::System),
        };
        match self.updates.own <= sent.own && self.updates.system <= sent.system {
            true => Ok(()),
            false => Err(format!(
                "the frames told or passed over {:?} updates, and {sent:?} were sent",
                self.updates
            )),
        }
    }

    /// The event that a frame names.
    fn key(&self, event: EventRef) -> Key {
        let id = *event.id.as_uuid();
        let own = Key {
            feed: Feed::User(self.user),
            id,
        };
        let is_own = match event.owner_kind {
            Some(kind) => kind == OwnerKind::User,
            None => self.created.contains(&own),
        };
        match is_own {
            true => own,
            false => Key {
                feed: Feed::System,
                id,
            },
        }
    }

    /// An event of this user, or of the system.
    fn key_of(&self, event: &Event) -> Result<Key, String> {
        key_of(self.user, event)
    }

    fn compare(&mut self) -> Result<(), String> {
        self.cursor
            .map_or(Ok(()), |cursor| self.counts.compare(cursor))
    }
}

/// The event of a user or of the system, whose events have their installation as the owner.
pub(crate) fn key_of(user: User, event: &Event) -> Result<Key, String> {
    let id = *event.id.as_uuid();
    let event_owner = event.owner.ok_or_else(|| format!("{id} has no owner"))?;
    let is_of_system = *event_owner.as_uuid() == *SystemId::as_uuid(&event.system_id);
    if event_owner == owner(user) {
        let feed = Feed::User(user);
        Ok(Key { feed, id })
    } else if is_of_system {
        let feed = Feed::System;
        Ok(Key { feed, id })
    } else {
        Err(format!("user {user} sees {id} of {event_owner}"))
    }
}
