//! The engine as it should be, without disk, speed or concurrency.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use tidings::{Change, Event, EventFilter, Receipt, Status};
use tidings_event::{
    Cursor, EventId, EventType, EventTypes, OwnerId, OwnerKind, Rev, Sort, SortKey, SortOrder,
    Summary,
};
use uuid::Uuid;

/// What a rev of a feed stands for.
#[derive(Clone, Debug)]
pub(crate) enum Entry {
    Created(Box<Event>),
    Status(EventId, Status),
    Deleted(EventId),
}

/// Every feed as a plain list of what happened in it.
pub(crate) struct Model {
    system: OwnerId,
    feeds: HashMap<OwnerId, Vec<Entry>>,
    /// Where each event was published, deleted or not.
    places: HashMap<EventId, (OwnerId, Rev)>,
}

/// What an owner sees at some moment, with the place of each event.
type Inbox = BTreeMap<EventId, Event>;

impl Model {
    pub(crate) fn new(system: OwnerId) -> Self {
        Self {
            system,
            feeds: HashMap::new(),
            places: HashMap::new(),
        }
    }

    /// Takes over what the engine has acknowledged, checking each receipt against what the feeds
    /// hold so far.
    pub(crate) fn accept(&mut self, receipts: Vec<Receipt>) {
        for receipt in receipts {
            let event = receipt.event();
            let owner = event.owner.expect("a stored event has an owner");
            if receipt.repeated {
                let place = self.places.get(&event.id);
                assert_eq!(
                    place,
                    Some(&(owner, receipt.rev)),
                    "a repeat has its first place"
                );
                let published = self.published(event.id);
                let published = published.expect("a repeat was published before");
                assert_eq!(published.description, event.description);
                assert_eq!(published.created_at, event.created_at);
                let there = self.inbox(owner).contains_key(&event.id);
                assert_eq!(event.deleted_at.is_none(), there);
            } else {
                assert_eq!(
                    receipt.rev,
                    self.head(owner).next(),
                    "revs grow by exactly 1"
                );
                let place = self.places.insert(event.id, (owner, receipt.rev));
                assert_eq!(place, None, "a new event has a new id");
                self.push(owner, Entry::Created(Box::new(event)));
            }
        }
    }

    /// Does what the engine was asked to do to these events; which of them changed.
    pub(crate) fn change(
        &mut self,
        owner: OwnerId,
        ids: &[EventId],
        change: Change,
    ) -> Vec<EventId> {
        let mut changed = Vec::new();
        for id in ids {
            let inbox = self.inbox(owner);
            let Some(event) = inbox.get(id) else { continue };
            let entry = match change {
                Change::Status(_) if owner == self.system => continue,
                Change::Status(status) if status == event.status => continue,
                Change::Status(status) => Entry::Status(*id, status),
                Change::Delete => Entry::Deleted(*id),
            };
            self.push(owner, entry);
            changed.push(*id);
        }
        changed
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
    pub(crate) fn published(&self, id: EventId) -> Option<&Event> {
        let (owner, rev) = self.places.get(&id)?;
        self.created(*owner, *rev)
    }

    /// The ids of all events that were ever published, sorted.
    pub(crate) fn ids(&self) -> Vec<EventId> {
        let mut ids: Vec<_> = self.places.keys().copied().collect();
        ids.sort_unstable();
        ids
    }

    /// The rev of the newest change of `owner`.
    pub(crate) fn head(&self, owner: OwnerId) -> Rev {
        Rev::new(self.feed(owner).len() as u64)
    }

    /// What `owner` sees when it has got to `own` in its feed and to `system` in the system's.
    fn inbox_at(&self, owner: OwnerId, own: Rev, system: Rev) -> Inbox {
        let mut inbox = Inbox::new();
        let mut feeds = vec![(self.system, system)];
        if owner != self.system {
            feeds.push((owner, own));
        }
        let mut gone = Vec::new();
        for (feed, up_to) in feeds {
            for entry in &self.feed(feed)[..index(up_to.next())] {
                match entry {
                    Entry::Created(event) => {
                        inbox.insert(event.id, Event::clone(event));
                    }
                    Entry::Status(id, status) => {
                        // The system may have deleted the event since.
                        if let Some(event) = inbox.get_mut(id) {
                            event.status = *status;
                        }
                    }
                    Entry::Deleted(id) => gone.push(*id),
                }
            }
        }
        inbox.retain(|id, _| !gone.contains(id));
        inbox
    }

    /// What `owner` sees now; `updated_at` is left as it was published.
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

    /// The categories and actions of what `owner` sees.
    pub(crate) fn types(&self, owner: OwnerId) -> EventTypes {
        let inbox = self.inbox(owner);
        let mut types = EventTypes {
            category: inbox.values().map(|event| event.category.clone()).collect(),
            action: inbox.values().map(|event| event.action.clone()).collect(),
        };
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

    /// The ids of what `owner` sees and `filter` lets through up to a cursor, the oldest first, as a
    /// bulk change takes them.
    pub(crate) fn matching(
        &self,
        owner: OwnerId,
        filter: &EventFilter,
        up_to: Cursor,
    ) -> Vec<EventId> {
        let mut events: Vec<_> = self
            .inbox(owner)
            .into_values()
            .filter(|event| lets_through(filter, event, self.system))
            .filter(|event| {
                let (owner, rev) = self.places[&event.id];
                let up_to = if owner == self.system {
                    up_to.system
                } else {
                    up_to.own
                };
                rev <= up_to
            })
            .collect();
        sort_events(
            &mut events,
            Sort {
                key: SortKey::CreatedAt,
                order: SortOrder::Ascending,
            },
        );
        events.into_iter().map(|event| event.id).collect()
    }

    /// Deletes all of a feed but what was stored last, in the order in which it was stored.
    pub(crate) fn keep_newest(&mut self, owner: OwnerId, number: usize) {
        let mut events: Vec<_> = self
            .inbox(owner)
            .into_values()
            .filter(|event| event.owner == Some(owner))
            .map(|event| event.id)
            .collect();
        events.sort_by_key(|id| self.places[id].1);
        events.truncate(events.len().saturating_sub(number));
        self.change(owner, &events, Change::Delete);
    }
}

/// Whether a filter lets an event through.
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

/// Sorts events as a list does.
pub(crate) fn sort_events(events: &mut [Event], sort: Sort) {
    let moment = |event: &Event| match sort.key {
        SortKey::CreatedAt => event.created_at,
        SortKey::UpdatedAt => event.updated_at,
    };
    events.sort_by_key(|event| (moment(event), event.id));
    if sort.order == SortOrder::Descending {
        events.reverse();
    }
}

/// The place of `rev` in a feed's list.
fn index(rev: Rev) -> usize {
    usize::try_from(rev.get() - 1).expect("a test's feed fits memory")
}

/// The n-th user of a test.
pub(crate) fn user(number: u8) -> OwnerId {
    OwnerId::from(Uuid::from_u128(0xA11C_E000 + u128::from(number)))
}
