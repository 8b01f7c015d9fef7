//! A model of the engine, without disk, speed or concurrency.

mod audiences;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use tidings::{Change, Event, EventFilter, Metadata, Receipt, Severity, Status};
use tidings_event::{
    Cursor, EventId, EventType, EventTypes, OwnerId, OwnerKind, Rev, Sort, SortKey, SortOrder,
    Summary,
};
use uuid::Uuid;

use audiences::Audiences;

/// Names an event. An id is unique only within the feed of one owner.
pub(crate) type EventKey = (OwnerId, EventId);

/// The change of one rev.
#[derive(Clone, Debug)]
pub(crate) enum Entry {
    Created(Box<Event>),
    Status(EventKey, Status),
    Updated(EventKey, Content),
    Deleted(EventKey),
}

/// What an update makes of an event.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Content {
    pub(crate) severity: Severity,
    pub(crate) description: String,
    pub(crate) metadata: Option<Metadata>,
    /// Whether the event becomes unread.
    pub(crate) is_unread: bool,
}

/// The outcome of an update.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UpdateOutcome {
    Updated,
    Repeated,
    Outdated,
    NotFound,
    OnlyTexts,
}

/// The outcome of publishing to several owners.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum FanOutOutcome {
    Stored {
        reached: u64,
        repeated: u64,
        retracted: bool,
    },
    Conflict {
        owners: Vec<OwnerId>,
        number: usize,
    },
}

/// The outcome of an update for all owners.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SharedUpdateOutcome {
    Updated { updated: u64, unchanged: u64 },
    Outdated,
    NotFound,
}

/// The outcome of a retraction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RetractOutcome {
    Retracted,
    NotFound,
    ForeignSystem,
}

/// Every feed as a plain list of changes.
pub(crate) struct Model {
    system: OwnerId,
    feeds: HashMap<OwnerId, Vec<Entry>>,
    /// The rev at which each event was published, deleted or not.
    created: HashMap<EventKey, Rev>,
    /// The numbers of the last updates.
    sequences: HashMap<EventKey, u64>,
    pub(in crate::model) audiences: Audiences,
}

/// An owner's inbox at some moment.
pub(crate) type Inbox = BTreeMap<EventKey, Event>;

impl Model {
    pub(crate) fn new(system: OwnerId) -> Self {
        Self {
            system,
            feeds: HashMap::new(),
            created: HashMap::new(),
            sequences: HashMap::new(),
            audiences: Audiences::default(),
        }
    }

    /// Adds the events that the engine has acknowledged, and checks their receipts.
    pub(crate) fn accept(&mut self, receipts: Vec<Receipt>) {
        for receipt in receipts {
            let event = receipt.event();
            let rev = receipt.rev.expect("the engine knows the position");
            let owner = event.owner.expect("a stored event has an owner");
            let key = (owner, event.id);
            if receipt.repeated {
                let first = self.created.get(&key);
                assert_eq!(first, Some(&rev), "a repeat has its first rev");
                let published = self.published(key);
                let published = published.expect("a repeat was published before");
                assert_eq!(published.created_at, event.created_at);
                // An event that was updated since is returned as it is now.
                let there = self.inbox(owner).remove(&key);
                let now = there.as_ref().unwrap_or(published);
                assert_eq!(now.description, event.description);
                assert_eq!(event.deleted_at.is_none(), there.is_some());
            } else {
                assert_eq!(rev, self.head(owner).next(), "revs grow by exactly 1");
                let first = self.created.insert(key, rev);
                assert_eq!(
                    first, None,
                    "a new event has an id that its owner did not have"
                );
                self.push(owner, Entry::Created(Box::new(event)));
            }
        }
    }

    /// Does what the engine was asked to do to the events with these ids, and returns those that changed.
    pub(crate) fn change_ids(
        &mut self,
        owner: OwnerId,
        ids: &[EventId],
        change: Change,
    ) -> Vec<EventId> {
        let ids = ids.iter().filter(|id| {
            if change == Change::Delete && self.is_deleted(owner, **id) {
                return false;
            }
            let meant = self.meant(owner, **id);
            meant.is_some_and(|key| self.change(owner, key, change))
        });
        ids.copied().collect()
    }

    /// Whether the owner had an event of their own with this id and deleted it.
    fn is_deleted(&self, owner: OwnerId, id: EventId) -> bool {
        let key = (owner, id);
        self.created.contains_key(&key) && !self.inbox(owner).contains_key(&key)
    }

    /// The event that an id means to an owner: their own, else the system's.
    pub(crate) fn meant(&self, owner: OwnerId, id: EventId) -> Option<EventKey> {
        let inbox = self.inbox(owner);
        let keys = [(owner, id), (self.system, id)];
        keys.into_iter().find(|key| inbox.contains_key(key))
    }

    /// Does what the engine was asked to do to an event, and returns whether it changed.
    pub(crate) fn change(&mut self, owner: OwnerId, key: EventKey, change: Change) -> bool {
        let inbox = self.inbox(owner);
        let Some(event) = inbox.get(&key) else {
            return false;
        };
        let entry = match change {
            Change::Status(_) if owner == self.system => return false,
            Change::Status(status) if status == event.status => return false,
            Change::Status(status) => Entry::Status(key, status),
            Change::Delete => Entry::Deleted(key),
        };
        self.push(owner, entry);
        true
    }

    /// Does what the engine was asked to do by an update.
    pub(crate) fn update(
        &mut self,
        key: EventKey,
        mut content: Content,
        sequence: Option<u64>,
    ) -> UpdateOutcome {
        let Some(event) = self.inbox(key.0).remove(&key) else {
            return UpdateOutcome::NotFound;
        };
        if key.0 == self.system && (content.severity != event.severity || content.is_unread) {
            return UpdateOutcome::OnlyTexts;
        }
        let is_same = event.severity == content.severity
            && event.description == content.description
            && event.metadata == content.metadata;
        let last = self.sequences.get(&key).copied();
        match (sequence, last) {
            (Some(number), Some(last)) if number < last || (number == last && !is_same) => {
                return UpdateOutcome::Outdated;
            }
            (Some(number), last) if is_same && last == Some(number) => {
                return UpdateOutcome::Repeated;
            }
            (None, _) if is_same && !(content.is_unread && event.status == Status::Read) => {
                return UpdateOutcome::Repeated;
            }
            _ => {}
        }
        content.is_unread |= content.severity < event.severity;
        if let Some(number) = sequence {
            self.sequences.insert(key, number);
        }
        self.push(key.0, Entry::Updated(key, content));
        UpdateOutcome::Updated
    }

    /// Does what the engine was asked to do by a retraction.
    pub(crate) fn retract(&mut self, key: EventKey, by_other: bool) -> RetractOutcome {
        match (self.inbox(key.0).contains_key(&key), by_other) {
            (true, true) => RetractOutcome::ForeignSystem,
            (true, false) => {
                self.push(key.0, Entry::Deleted(key));
                RetractOutcome::Retracted
            }
            (false, _) if self.created.contains_key(&key) => RetractOutcome::Retracted,
            (false, _) => RetractOutcome::NotFound,
        }
    }

    fn push(&mut self, owner: OwnerId, entry: Entry) {
        self.feeds.entry(owner).or_default().push(entry);
    }

    fn feed(&self, owner: OwnerId) -> &[Entry] {
        self.feeds.get(&owner).map_or(&[], Vec::as_slice)
    }

    /// The event at `rev` of the feed of `owner`, as it was published.
    pub(crate) fn created(&self, owner: OwnerId, rev: Rev) -> Option<&Event> {
        match self.feed(owner).get(index(rev)) {
            Some(Entry::Created(event)) => Some(event),
            _ => None,
        }
    }

    /// An event as it was published, deleted or not.
    pub(crate) fn published(&self, key: EventKey) -> Option<&Event> {
        if let Some(event) = self.audiences.as_sent(key) {
            return Some(event);
        }
        self.created(key.0, *self.created.get(&key)?)
    }

    /// All events that were ever published, sorted.
    pub(crate) fn keys(&self) -> Vec<EventKey> {
        let mut keys: Vec<_> = self.created.keys().copied().collect();
        keys.sort_unstable();
        keys
    }

    /// The ids of all events that were ever published, each once, sorted.
    pub(crate) fn ids(&self) -> Vec<EventId> {
        let ids: BTreeSet<_> = self.created.keys().map(|(_, id)| *id).collect();
        ids.into_iter().collect()
    }

    /// The rev of the newest change of `owner`.
    pub(crate) fn head(&self, owner: OwnerId) -> Rev {
        Rev::new(self.feed(owner).len() as u64)
    }

    /// The inbox of `owner` at the revs `own` of the own feed and `system` of the system's.
    fn inbox_at(&self, owner: OwnerId, own: Rev, system: Rev) -> Inbox {
        let mut inbox = Inbox::new();
        let mut feeds = vec![(self.system, system)];
        if owner != self.system {
            feeds.push((owner, own));
        }
        let mut gone = HashSet::new();
        for (feed, up_to) in feeds {
            for entry in &self.feed(feed)[..index(up_to.next())] {
                match entry {
                    Entry::Created(event) => {
                        inbox.insert((feed, event.id), Event::clone(event));
                    }
                    Entry::Status(key, status) => {
                        // The system may have deleted the event since.
                        if let Some(event) = inbox.get_mut(key) {
                            event.status = *status;
                        }
                    }
                    Entry::Updated(key, content) => {
                        if let Some(event) = inbox.get_mut(key) {
                            event.severity = content.severity;
                            event.description.clone_from(&content.description);
                            event.metadata.clone_from(&content.metadata);
                            if content.is_unread {
                                event.status = Status::Unread;
                            }
                        }
                    }
                    Entry::Deleted(key) => {
                        gone.insert(*key);
                    }
                }
            }
        }
        inbox.retain(|key, _| !gone.contains(key));
        inbox
    }

    /// The inbox of `owner` now. `updated_at` stays as it was published.
    pub(crate) fn inbox(&self, owner: OwnerId) -> Inbox {
        self.inbox_at(owner, self.head(owner), self.head(self.system))
    }

    /// The counts of what `owner` sees at a cursor.
    pub(crate) fn summary_at(&self, owner: OwnerId, cursor: Cursor) -> Summary {
        let mut summary = Summary::default();
        for event in self.inbox_at(owner, cursor.own, cursor.system).values() {
            summary.add(event.status, event.severity, 1);
        }
        summary
    }

    /// How many updates between two cursors a stream may pass over: a later update of the event has its texts, and it
    /// has changed no count.
    pub(crate) fn replaced_texts(&self, owner: OwnerId, before: Cursor, after: Cursor) -> usize {
        let mut feeds = vec![(self.system, before.system, after.system)];
        if owner != self.system {
            feeds.push((owner, before.own, after.own));
        }
        let mut replaced = 0;
        for (feed, first, last) in feeds {
            let entries = self.feed(feed);
            for at in index(first.next())..index(last.next()) {
                let Entry::Updated(key, _) = &entries[at] else {
                    continue;
                };
                let counts = |at: usize| {
                    let rev = Rev::new(at as u64);
                    let of_system = if feed == self.system { rev } else { Rev::ZERO };
                    let inbox = self.inbox_at(feed, rev, of_system);
                    inbox.get(key).map(|event| (event.status, event.severity))
                };
                let is_later =
                    |entry: &Entry| matches!(entry, Entry::Updated(same, _) if same == key);
                if counts(at) == counts(at + 1) && entries[at + 1..].iter().any(is_later) {
                    replaced += 1;
                }
            }
        }
        replaced
    }

    /// The categories and actions of what `owner` sees.
    pub(crate) fn types(&self, owner: OwnerId) -> EventTypes {
        let inbox = self.inbox(owner);
        let mut types = EventTypes::new(
            inbox.values().map(|event| event.category.clone()).collect(),
            inbox.values().map(|event| event.action.clone()).collect(),
        );
        types.category.sort_unstable();
        types.category.dedup();
        types.action.sort_unstable();
        types.action.dedup();
        types
    }

    /// The pairs of a category and an action of what `owner` sees.
    pub(crate) fn type_pairs(&self, owner: OwnerId) -> Vec<EventType> {
        let inbox = self.inbox(owner);
        let pairs = inbox.values().map(|event| EventType {
            category: event.category.clone(),
            action: event.action.clone(),
        });
        let pairs: BTreeSet<_> = pairs.collect();
        pairs.into_iter().collect()
    }

    /// The events that `owner` sees and `filter` matches up to a cursor, the oldest first, in the order of a bulk change.
    pub(crate) fn matching(
        &self,
        owner: OwnerId,
        filter: &EventFilter,
        up_to: Cursor,
    ) -> Vec<EventKey> {
        let mut events: Vec<_> = self
            .inbox(owner)
            .into_iter()
            .filter(|(_, event)| lets_through(filter, event, self.system))
            .filter(|(key, _)| {
                let up_to = match key.0 == self.system {
                    true => up_to.system,
                    false => up_to.own,
                };
                self.created[key] <= up_to
            })
            .map(|(_, event)| event)
            .collect();
        sort_events(
            &mut events,
            Sort {
                key: SortKey::CreatedAt,
                order: SortOrder::Ascending,
            },
        );
        events.iter().map(key_of).collect()
    }

    /// Deletes all of a feed but the events that were stored last, in the order in which they were stored.
    pub(crate) fn keep_newest(&mut self, owner: OwnerId, number: usize) {
        let mut events: Vec<_> = self
            .inbox(owner)
            .into_keys()
            .filter(|key| key.0 == owner)
            .collect();
        events.sort_by_key(|key| self.created[key]);
        events.truncate(events.len().saturating_sub(number));
        for key in events {
            self.change(owner, key, Change::Delete);
        }
    }
}

/// Whether an event matches a filter.
pub(crate) fn lets_through(filter: &EventFilter, event: &Event, system: OwnerId) -> bool {
    fn one_of<T: PartialEq>(wanted: &[T], value: &T) -> bool {
        wanted.is_empty() || wanted.contains(value)
    }
    let kind = if event.owner == Some(system) {
        OwnerKind::System
    } else {
        OwnerKind::User
    };
    filter.status.is_none_or(|status| status == event.status)
        && one_of(&filter.category, &event.category)
        && one_of(&filter.action, &event.action)
        && one_of(&filter.severity, &event.severity)
        && one_of(&filter.acted_upon, &event.acted_upon)
        && one_of(&filter.system_id, &event.system_id)
        && filter.owner_kind.is_none_or(|wanted| wanted == kind)
        && filter
            .operation_id
            .is_none_or(|operation| operation == event.operation_id)
        && filter.from.is_none_or(|from| event.created_at >= from)
        && filter.to.is_none_or(|to| event.created_at < to)
        && filter.search.as_ref().is_none_or(|text| {
            let text = text.to_uppercase();
            event.description.to_uppercase().contains(&text)
        })
}

/// The name of a stored event.
pub(crate) fn key_of(event: &Event) -> EventKey {
    let owner = event.owner.expect("a stored event has an owner");
    (owner, event.id)
}

/// Sorts stored events as a list does.
pub(crate) fn sort_events(events: &mut [Event], sort: Sort) {
    let moment = |event: &Event| match sort.key {
        SortKey::CreatedAt => event.created_at,
        SortKey::UpdatedAt => event.updated_at,
    };
    // The tests' events name no other system than the installation.
    let is_of_system = |event: &Event| key_of(event).0.as_uuid() == event.system_id.as_uuid();
    events.sort_by_key(|event| (moment(event), event.id, is_of_system(event)));
    if sort.order == SortOrder::Descending {
        events.reverse();
    }
}

/// The index of `rev` in a feed's list.
fn index(rev: Rev) -> usize {
    usize::try_from(rev.get() - 1).expect("a test's feed fits memory")
}

/// The n-th user of a test.
pub(crate) fn user(number: u8) -> OwnerId {
    OwnerId::from(Uuid::from_u128(0xA11C_E000 + u128::from(number)))
}
