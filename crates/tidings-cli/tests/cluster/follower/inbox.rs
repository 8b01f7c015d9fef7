//! The inbox that a client builds from frames alone, and what must hold of each frame.

use std::collections::{HashMap, HashSet, VecDeque};

use tidings_event::{
    CountDelta, Cursor, Event, EventRef, InboxSummary, OwnerKind, Severity, Status, StreamItem,
    Summary, SystemId, Timestamp,
};

use crate::caller::{User, owner};
use crate::history::{Feed, History, Key};

/// The cursors whose counts are remembered, to compare them with a summary that comes later.
const REMEMBERED: usize = 256;

/// An event as the client knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct State {
    pub(crate) status: Status,
    pub(crate) updated_at: Timestamp,
    severity: Severity,
}

/// How far the counts can be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Counting {
    /// Between `ready` and `live`, when counts are unknown.
    Off,
    /// The replay can have sent events in a state that is ahead of the counts, up to a cursor that is not known
    /// yet.
    Ahead,
    /// The same, up to this cursor.
    Until(Cursor),
    /// The counts equal a recount of the events after each frame.
    Exact,
}

/// A client's events and counts, which survive its connections.
#[derive(Debug)]
pub(crate) struct Inbox {
    user: User,
    pub(crate) events: HashMap<Key, State>,
    /// Events that were ever sent to this client.
    created: HashSet<Key>,
    /// The counts of `events`.
    recount: Summary,
    /// The counts that the server told.
    pub(crate) counts: Option<Summary>,
    counting: Counting,
    pub(crate) cursor: Option<Cursor>,
    /// Whether this connection has begun.
    has_begun: bool,
    told: VecDeque<(Cursor, Summary)>,
    /// Counts of a cursor that is not reached yet.
    expected: Option<InboxSummary>,
    pub(crate) frames: u64,
}

impl Inbox {
    pub(crate) fn of(user: User) -> Self {
        Self {
            user,
            events: HashMap::new(),
            created: HashSet::new(),
            recount: Summary::default(),
            counts: None,
            counting: Counting::Off,
            cursor: None,
            has_begun: false,
            told: VecDeque::new(),
            expected: None,
            frames: 0,
        }
    }

    /// The value of `Last-Event-ID`.
    pub(crate) fn start(&self) -> String {
        self.cursor
            .map_or_else(|| "earliest".to_owned(), |cursor| cursor.to_string())
    }

    pub(crate) fn connects(&mut self) {
        self.counts = None;
        self.counting = Counting::Off;
        self.has_begun = false;
        self.told.clear();
        self.expected = None;
    }

    /// Whether a summary is wanted, so that the counts can be compared from its cursor on.
    pub(crate) fn wants_summary(&self) -> bool {
        self.counting == Counting::Ahead
    }

    /// Takes the counts of some cursor, asked for after the last `live`. Whatever the replay sent ahead has happened
    /// by then.
    pub(crate) fn take_summary(&mut self, summary: InboxSummary) -> Result<(), String> {
        if self.counting != Counting::Ahead {
            return Ok(());
        }
        self.counting = Counting::Until(summary.cursor);
        let told = self
            .told
            .iter()
            .find(|(cursor, _)| *cursor == summary.cursor);
        if let Some((cursor, counts)) = told {
            must_be_equal(cursor, counts, &summary.counts)?;
        } else {
            self.expected = Some(summary);
        }
        self.compare()
    }

    /// Applies the next item of a connection.
    pub(crate) fn take(&mut self, item: StreamItem, history: &History) -> Result<(), String> {
        self.frames += 1;
        let is_live = self.counts.is_some();
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
                self.counts = None;
                self.counting = Counting::Off;
            }
            StreamItem::Live { summary, .. } => {
                self.counts = Some(summary);
                self.counting = Counting::Ahead;
            }
            StreamItem::Created { event, .. } => self.create(&event, history)?,
            StreamItem::Status { change, .. } => {
                for event in change.events() {
                    let key = self.key(event);
                    match self.events.get_mut(&key) {
                        Some(state) => {
                            let delta = moved(state, change.status);
                            state.status = change.status;
                            state.updated_at = change.updated_at;
                            self.recount = changed(&self.recount, &delta)?;
                        }
                        None if self.counting == Counting::Exact => {
                            return Err(format!("a mark of {key:?}, which is not in the list"));
                        }
                        // It was deleted before the replay reached it.
                        None => {}
                    }
                }
                self.count(change.counts.as_ref())?;
            }
            StreamItem::Deleted { deletion, .. } => {
                for event in deletion.events() {
                    let key = self.key(event);
                    if let Some(state) = self.events.remove(&key) {
                        let mut delta = CountDelta::default();
                        delta.add(state.status, state.severity, -1);
                        self.recount = changed(&self.recount, &delta)?;
                    }
                }
                self.count(deletion.counts.as_ref())?;
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
        self.recount.add(event.status, event.severity, 1);
        if let Some(counts) = &mut self.counts {
            counts.add(event.status, event.severity, 1);
        }
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

    fn count(&mut self, delta: Option<&CountDelta>) -> Result<(), String> {
        match (&self.counts, delta) {
            (Some(counts), Some(delta)) => self.counts = Some(changed(counts, delta)?),
            (None, None) => {}
            (counts, delta) => return Err(format!("{delta:?} while the counts are {counts:?}")),
        }
        Ok(())
    }

    /// Compares the counts with a recount and with the summary.
    fn compare(&mut self) -> Result<(), String> {
        let (Some(cursor), Some(counts)) = (self.cursor, &self.counts) else {
            return Ok(());
        };
        self.told.push_back((cursor, counts.clone()));
        if self.told.len() > REMEMBERED {
            self.told.pop_front();
        }
        if let Some(expected) = self.expected.take_if(|summary| summary.cursor == cursor) {
            must_be_equal(&cursor, counts, &expected.counts)?;
        }
        if let Counting::Until(end) = self.counting
            && cursor.own >= end.own
            && cursor.system >= end.system
        {
            self.counting = Counting::Exact;
        }
        if self.counting == Counting::Exact && *counts != self.recount {
            return Err(format!(
                "at {cursor} the frames count {counts:?}, and the events are {:?}",
                self.recount
            ));
        }
        Ok(())
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

fn must_be_equal(cursor: &Cursor, told: &Summary, asked: &Summary) -> Result<(), String> {
    match told == asked {
        true => Ok(()),
        false => Err(format!(
            "at {cursor} the frames count {told:?}, and the summary {asked:?}"
        )),
    }
}

fn changed(counts: &Summary, delta: &CountDelta) -> Result<Summary, String> {
    let changed = counts.changed_by(delta);
    changed.ok_or_else(|| format!("{counts:?} fall below zero by {delta:?}"))
}

/// What a mark does to the counts.
fn moved(state: &State, to: Status) -> CountDelta {
    let mut delta = CountDelta::default();
    delta.add(state.status, state.severity, -1);
    delta.add(to, state.severity, 1);
    delta
}

/// Checks that an item continues where the last one ended. Live frames leave out no rev and repeat none.
fn check_order(before: Cursor, item: &StreamItem, is_live: bool, user: User) -> Result<(), String> {
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
