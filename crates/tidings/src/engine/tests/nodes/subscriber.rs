//! A subscriber that counts as a client does.

use futures_util::FutureExt as _;
use tidings_event::{CountDelta, Cursor, OwnerId, Start, Status, StreamItem, Summary};

use super::super::PATIENCE;
use crate::engine::Tidings;
use crate::subscription::Subscription;

pub(super) struct Subscriber {
    tidings: Tidings,
    owner: OwnerId,
    subscription: Subscription,
    /// The counts at the cursor, from the last `live` and the frames since.
    pub(super) summary: Summary,
    /// How many frames about events it has got.
    pub(super) frames: usize,
    /// How often it went live.
    pub(super) lives: usize,
    /// Where it was with the frame before, if counts are known.
    cursor: Option<Cursor>,
}

impl Subscriber {
    /// Subscribes, and goes live.
    pub(super) async fn open(tidings: &Tidings, owner: OwnerId) -> Self {
        let mut subscriber = Self {
            tidings: tidings.clone(),
            owner,
            subscription: tidings.subscribe(owner, Start::Now).await.unwrap(),
            summary: Summary::default(),
            frames: 0,
            lives: 0,
            cursor: None,
        };
        subscriber.follow_to_live(1).await;
        subscriber
    }

    /// Follows until it went live so often.
    pub(super) async fn follow_to_live(&mut self, lives: usize) {
        while self.lives < lives {
            let next = tokio::time::timeout(PATIENCE, self.subscription.next()).await;
            self.take(next.unwrap().unwrap().unwrap());
        }
    }

    /// Follows until it has everything that is in the store.
    pub(super) async fn follow_to_head(&mut self) {
        let summary = self.tidings.summary(self.owner).await.unwrap();
        while self.cursor != Some(summary.cursor) {
            let next = tokio::time::timeout(PATIENCE, self.subscription.next()).await;
            let next = next.unwrap_or_else(|_| {
                panic!("stays at {:?} before {}", self.cursor, summary.cursor);
            });
            self.take(next.unwrap().unwrap());
        }
    }

    /// Compares the counts with those of the store, which must not change meanwhile.
    pub(super) async fn check_counts(&self) {
        let summary = self.tidings.summary(self.owner).await.unwrap();
        assert_eq!(self.summary, summary.counts, "at {}", summary.cursor);
    }

    /// Takes what needs no wait.
    pub(super) fn take_what_is_there(&mut self) {
        while let Some(item) = self.subscription.next().now_or_never() {
            self.take(item.unwrap().unwrap());
        }
    }

    fn take(&mut self, item: StreamItem) {
        let at = item.cursor();
        let counts = match item {
            StreamItem::Ready { .. } => {
                self.cursor = None;
                return;
            }
            StreamItem::Live { summary, .. } => {
                self.summary = summary;
                self.lives += 1;
                self.cursor = Some(at);
                return;
            }
            StreamItem::Created { event, .. } => {
                let mut counts = CountDelta::default();
                counts.add(Status::Unread, event.severity, 1);
                Some((counts, 1))
            }
            StreamItem::Status { change, .. } => change.counts.map(|one| (one, change.ids.len())),
            StreamItem::Deleted { deletion, .. } => {
                deletion.counts.map(|one| (one, deletion.ids.len()))
            }
            other => panic!("unexpected {other:?}"),
        };
        self.frames += 1;
        // A replay before `live` has no counts.
        let Some(before) = self.cursor else {
            return;
        };
        let (counts, ids) = counts.expect("a live frame has counts");
        let steps = (at.own.get() - before.own.get()) + (at.system.get() - before.system.get());
        assert_eq!(steps, ids as u64, "{before} to {at}");
        let summary = self.summary.changed_by(&counts);
        self.summary = summary.unwrap_or_else(|| panic!("{:?} by {counts:?}", self.summary));
        self.cursor = Some(at);
    }
}
