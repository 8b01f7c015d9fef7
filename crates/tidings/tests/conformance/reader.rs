//! A subscriber that checks what it is shown.

use std::time::Duration;

use tidings::{Event, Start, StreamItem, Subscription, Tidings};
use tidings_event::{Cursor, OwnerId, Rev, Summary};

use crate::model::Model;

/// Far beyond what any step takes: passing it means that something is stuck.
pub(crate) const STUCK: Duration = Duration::from_secs(30);

/// Follows an owner through any number of subscriptions.
pub(crate) struct Reader {
    owner: OwnerId,
    system: OwnerId,
    /// How far it has got; none before the first `ready`.
    pub(crate) cursor: Option<Cursor>,
    subscription: Option<Subscription>,
    live: bool,
}

impl Reader {
    pub(crate) fn new(owner: OwnerId, tidings: &Tidings) -> Self {
        Self {
            owner,
            system: OwnerId::from(*tidings.system_id().as_uuid()),
            cursor: None,
            subscription: None,
            live: false,
        }
    }

    /// Breaks off, as a browser does that loses its network.
    pub(crate) fn cut(&mut self) {
        self.subscription = None;
    }

    /// Comes back where it was; the first time at the beginning.
    pub(crate) async fn come_back(&mut self, tidings: &Tidings) {
        let start = self.cursor.map_or(Start::Earliest, Start::After);
        let opened = tidings.subscribe(self.owner, start).await;
        let mut subscription = opened.expect("the store can be read");
        match next(&mut subscription).await {
            StreamItem::Ready { cursor, .. } => {
                if let Some(before) = self.cursor {
                    assert_eq!(cursor, before, "it goes on where it was");
                } else {
                    assert_eq!((cursor.own, cursor.system), (Rev::ZERO, Rev::ZERO));
                }
                self.cursor = Some(cursor);
            }
            other => panic!("expected ready, got {other:?}"),
        }
        self.subscription = Some(subscription);
        self.live = false;
    }

    /// Takes one item, checking that a created event moves exactly one of the two revs, by
    /// exactly 1, and that nothing else does.
    pub(crate) async fn step(&mut self) -> Shown {
        let subscription = self.subscription.as_mut().expect("the reader is there");
        let before = self.cursor.expect("the reader has begun");
        let item = next(subscription).await;
        let cursor = item.cursor();
        assert_eq!(cursor.tag, before.tag);
        self.cursor = Some(cursor);
        match item {
            StreamItem::Created { event, .. } => {
                let (own, system) = (before.own.next(), before.system.next());
                let (owner, rev) = if (cursor.own, cursor.system) == (own, before.system) {
                    (self.owner, own)
                } else {
                    assert_eq!((cursor.own, cursor.system), (before.own, system));
                    (self.system, system)
                };
                assert_eq!(
                    event.owner,
                    Some(owner),
                    "an event stands in its owner's feed"
                );
                Shown::Created { owner, rev, event }
            }
            StreamItem::Live { summary, .. } => {
                assert_eq!(cursor, before);
                assert!(!self.live, "live is said once");
                self.live = true;
                Shown::Live { cursor, summary }
            }
            other => panic!("unexpected {other:?}"),
        }
    }

    /// Takes one item and compares it with the model.
    pub(crate) async fn checked_step(&mut self, model: &Model) {
        match self.step().await {
            Shown::Created { owner, rev, event } => {
                assert_eq!(
                    Some(&*event),
                    model.event(owner, rev),
                    "what stands at {rev}"
                );
            }
            Shown::Live { cursor, summary } => {
                let own = (self.owner, cursor.own);
                let system = (self.system, cursor.system);
                assert_eq!(
                    summary,
                    model.summary_at(own, system),
                    "the counts at {cursor}"
                );
            }
        }
    }

    /// Whether it is live and has seen all that the model holds for it.
    pub(crate) fn has_seen_all(&self, model: &Model) -> bool {
        let heads = (model.head(self.owner), model.head(self.system));
        self.live
            && self
                .cursor
                .is_some_and(|cursor| (cursor.own, cursor.system) == heads)
    }

    /// Whether it is following and not broken off.
    pub(crate) fn is_there(&self) -> bool {
        self.subscription.is_some()
    }
}

/// What a reader was shown.
pub(crate) enum Shown {
    /// An event at a place.
    Created {
        /// Whose feed.
        owner: OwnerId,
        /// Where in it.
        rev: Rev,
        /// The event.
        event: Box<Event>,
    },
    /// Replay is over.
    Live {
        /// Where the reader is.
        cursor: Cursor,
        /// The counts there.
        summary: Summary,
    },
}

/// The next item of a subscription that has not ended.
pub(crate) async fn next(subscription: &mut Subscription) -> StreamItem {
    tokio::time::timeout(STUCK, subscription.next())
        .await
        .expect("the next item comes")
        .expect("the store can be read")
        .expect("the engine is open")
}
