//! A subscriber that checks every item and keeps an inbox.

use std::time::Duration;

use tidings::{Start, Status, StreamItem, Subscription, Tidings};
use tidings_event::{CountDelta, Cursor, EventId, OwnerId, ResetReason, Rev, Severity, Summary};

use crate::model::{EventKey, Inbox, Model, key_of};

/// Far longer than any step takes. If it passes, something is stuck.
pub(crate) const STUCK: Duration = Duration::from_secs(10);

/// Follows an owner through any number of subscriptions.
pub(crate) struct Reader {
    owner: OwnerId,
    system: OwnerId,
    /// Its position; `None` before the first `ready`.
    pub(crate) cursor: Option<Cursor>,
    subscription: Option<Subscription>,
    /// The events that it has seen, with their changes.
    pub(crate) inbox: Inbox,
    /// The counts, if the stream has told them.
    pub(crate) counts: Option<Summary>,
    /// The reason of the last reset.
    pub(crate) reset: Option<ResetReason>,
}

impl Reader {
    pub(crate) fn new(owner: OwnerId, tidings: &Tidings) -> Self {
        Self {
            owner,
            system: OwnerId::from(*tidings.system_id().as_uuid()),
            cursor: None,
            subscription: None,
            inbox: Inbox::new(),
            counts: None,
            reset: None,
        }
    }

    pub(crate) fn owner(&self) -> OwnerId {
        self.owner
    }

    /// Disconnects, like a browser that loses its network.
    pub(crate) fn cut(&mut self) {
        self.subscription = None;
        self.counts = None;
    }

    /// Connects at its position, or at the beginning the first time.
    pub(crate) async fn reconnect(&mut self, tidings: &Tidings) {
        let start = self.cursor.map_or(Start::Earliest, Start::After);
        let opened = tidings.subscribe(self.owner, start).await;
        let mut subscription = opened.expect("the store can be read");
        match next(&mut subscription).await {
            StreamItem::Ready { cursor, .. } => {
                if let Some(before) = self.cursor {
                    assert_eq!(cursor, before, "it continues where it was");
                } else {
                    assert_eq!((cursor.own, cursor.system), (Rev::ZERO, Rev::ZERO));
                }
                self.cursor = Some(cursor);
            }
            StreamItem::Reset { cursor, reason } => self.start_over(tidings, cursor, reason).await,
            other => panic!("expected ready or reset, got {other:?}"),
        }
        self.subscription = Some(subscription);
        self.counts = None;
    }

    /// After a reset: drops its inbox and reads the list.
    async fn start_over(&mut self, tidings: &Tidings, cursor: Cursor, reason: ResetReason) {
        self.reset = Some(reason);
        self.cursor = Some(cursor);
        self.inbox.clear();
        for event in crate::listed::all(tidings, self.owner).await {
            self.inbox.insert(key_of(&event), event);
        }
    }

    /// Reads, checks and applies one item.
    pub(crate) async fn step(&mut self) {
        let passed_over = self.apply_next().await;
        assert_eq!(passed_over, 0, "no rev is passed over");
    }

    /// Reads and applies one item. Returns how many revs the stream has passed over to get there.
    async fn apply_next(&mut self) -> usize {
        let mut passed_over = 0;
        let subscription = self.subscription.as_mut().expect("the reader is there");
        let before = self.cursor.expect("the reader has begun");
        let item = next(subscription).await;
        let cursor = item.cursor();
        assert_eq!(cursor.tag, before.tag);
        self.cursor = Some(cursor);
        match item {
            StreamItem::Ready { .. } => {
                assert_eq!(cursor, before, "it continues where it is");
                self.counts = None;
            }
            StreamItem::Live { summary, .. } => {
                self.advanced(before, cursor);
                assert_eq!(
                    self.counts, None,
                    "live comes when the counts are not known"
                );
                self.counts = Some(summary);
            }
            StreamItem::Created { event, .. } => {
                let of_system = event.owner == Some(self.system);
                assert!(of_system || event.owner == Some(self.owner));
                let grown = match of_system {
                    true => cursor.system > before.system,
                    false => cursor.own > before.own,
                };
                assert!(grown, "an event stands in its owner's feed");
                passed_over = self.moved(before, cursor, 1);
                self.count(event.status, event.severity);
                let seen = self.inbox.insert(key_of(&event), *event);
                assert_eq!(seen, None, "no event is shown twice");
            }
            StreamItem::Status { change, .. } => {
                passed_over = self.moved(before, cursor, change.ids.len());
                self.recount(change.counts.as_ref());
                for key in self.meant(change.ids, change.system_ids) {
                    // The replay leaves out an event that was deleted since it began, but not its changes.
                    if let Some(event) = self.inbox.get_mut(&key) {
                        event.status = change.status;
                        // The frames of the two feeds have no order.
                        event.updated_at = match key.0 == self.system {
                            true => event.updated_at.max(change.updated_at),
                            false => change.updated_at,
                        };
                    }
                }
            }
            StreamItem::Deleted { deletion, .. } => {
                passed_over = self.moved(before, cursor, deletion.ids.len());
                self.recount(deletion.counts.as_ref());
                for key in self.meant(deletion.ids, deletion.system_ids) {
                    self.inbox.remove(&key);
                }
            }
            StreamItem::Updated { change, .. } => {
                passed_over = self.moved(before, cursor, 1);
                self.recount(change.counts.as_ref());
                let of_system = change.event.owner == Some(self.system);
                // An event that the reader has deleted does not come back.
                if let Some(known) = self.inbox.get_mut(&key_of(&change.event)) {
                    let mut event = *change.event;
                    if of_system {
                        event.status = known.status;
                        event.updated_at = event.updated_at.max(known.updated_at);
                    }
                    *known = event;
                }
            }
            other => panic!("unexpected {other:?}"),
        }
        passed_over
    }

    /// The events that a frame is about. If the frame does not tell, an id means the reader's own event if
    /// there is one, else the system's.
    fn meant(&self, ids: Vec<EventId>, system_ids: Option<Vec<EventId>>) -> Vec<EventKey> {
        let Some(mut system_ids) = system_ids else {
            let own = |id| self.inbox.contains_key(&(self.owner, id));
            let owner = |id| if own(id) { self.owner } else { self.system };
            return ids.into_iter().map(|id| (owner(id), id)).collect();
        };
        let key = |id| match system_ids.iter().position(|one| *one == id) {
            // An id that is there twice names both events.
            Some(index) => (self.system, system_ids.swap_remove(index)),
            None => (self.owner, id),
        };
        ids.into_iter().map(key).collect()
    }

    /// Checks that the revs only grow. If the counts are known, one rev grows by at least the number of changes, and
    /// the rest is passed over. A replay skips changes that were overwritten since.
    fn moved(&self, before: Cursor, cursor: Cursor, changes: usize) -> usize {
        self.advanced(before, cursor);
        if self.counts.is_some() {
            assert!(
                (cursor.own > before.own) != (cursor.system > before.system),
                "{before} to {cursor}"
            );
            let grown =
                (cursor.own.get() - before.own.get()) + (cursor.system.get() - before.system.get());
            let passed_over = usize::try_from(grown).expect("few").checked_sub(changes);
            return passed_over.unwrap_or_else(|| panic!("{before} to {cursor}"));
        }
        0
    }

    fn advanced(&self, before: Cursor, cursor: Cursor) {
        assert!(
            cursor.own >= before.own && cursor.system >= before.system,
            "{before} to {cursor}"
        );
    }

    fn count(&mut self, status: Status, severity: Severity) {
        if let Some(counts) = &mut self.counts {
            counts.add(status, severity, 1);
        }
    }

    fn recount(&mut self, delta: Option<&CountDelta>) {
        self.counts = match (self.counts.take(), delta) {
            (Some(counts), Some(delta)) => {
                let changed = counts.changed_by(delta);
                Some(changed.expect("no count goes below zero"))
            }
            _ => None,
        };
    }

    /// Reads one item, and compares the counts with the model if they are known.
    pub(crate) async fn checked_step(&mut self, model: &Model) {
        let before = self.cursor.expect("the reader has begun");
        let passed_over = self.apply_next().await;
        let cursor = self.cursor.expect("the reader has begun");
        if passed_over > 0 {
            let replaced = model.replaced_texts(self.owner, before, cursor);
            assert!(
                passed_over <= replaced,
                "{passed_over} revs between {before} and {cursor} were passed over, and {replaced} can be"
            );
        }
        if let Some(counts) = &self.counts {
            assert_eq!(
                *counts,
                model.summary_at(self.owner, cursor),
                "the counts at {cursor}"
            );
        }
    }

    /// Whether it knows the counts and has seen all changes of the model.
    pub(crate) fn has_seen_all(&self, model: &Model) -> bool {
        let own = match self.owner == self.system {
            true => Rev::ZERO,
            false => model.head(self.owner),
        };
        let heads = (own, model.head(self.system));
        self.counts.is_some()
            && self
                .cursor
                .is_some_and(|cursor| (cursor.own, cursor.system) == heads)
    }

    /// Whether it knows the counts and has reached a cursor.
    pub(crate) fn has_reached(&self, cursor: Cursor) -> bool {
        self.counts.is_some() && self.cursor == Some(cursor)
    }

    /// Whether it is connected.
    pub(crate) fn is_there(&self) -> bool {
        self.subscription.is_some()
    }
}

/// The next item of a subscription that has not ended.
pub(crate) async fn next(subscription: &mut Subscription) -> StreamItem {
    tokio::time::timeout(STUCK, subscription.next())
        .await
        .expect("the next item comes")
        .expect("the store can be read")
        .expect("the engine is open")
}
