//! The inbox that a client builds from frames alone, and the rules for each frame.

use std::collections::{HashMap, HashSet};

use tidings_event::{
    Cursor, Event, EventRef, InboxSummary, OwnerKind, Severity, Status, StreamItem, Summary,
    SystemId, Timestamp,
};

use super::counts::Counts;
use super::order::check_order;
use crate::caller::{User, owner};
use crate::history::{Feed, History, Key};

/// An event as the client knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct State {
    pub(crate) status: Status,
    pub(crate) updated_at: Timestamp,
    severity: Severity,
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
            check_order(before, &item, is_live, self.user)?;
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
            StreamItem::Created { event, .. } => self.create(&event, history)?,
            StreamItem::Status { change, .. } => {
                for event in change.events() {
                    let key = self.key(event);
                    match self.events.get_mut(&key) {
                        Some(state) => {
                            let before = std::mem::replace(&mut state.status, change.status);
                            // Of an event of the system, both its own time and that of the mark count.
                            state.updated_at = match key.feed {
                                Feed::System => state.updated_at.max(change.updated_at),
                                Feed::User(_) => change.updated_at,
                            };
                            let after = Some(change.status);
                            self.counts.change(before, after, state.severity)?;
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
                        self.counts.change(state.status, None, state.severity)?;
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

    fn create(&mut self, event: &Event, history: &History) -> Result<(), String> {
        let key = self.key_of(event)?;
        let record = history.record();
        record.check_seen(key, event.severity, &event.description)?;
        drop(record);
        if !self.created.insert(key) {
            return Err(format!("{key:?} came twice"));
        }
        let state = State {
            status: event.status,
            updated_at: event.updated_at,
            severity: event.severity,
        };
        self.events.insert(key, state);
        self.counts.add(event.status, event.severity);
        Ok(())
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
