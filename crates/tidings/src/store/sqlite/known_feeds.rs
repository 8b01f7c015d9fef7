//! The feeds of earlier transactions, so that a publish to the same owner need not read its row again.

use std::collections::HashMap;
use std::mem;

use tidings_event::OwnerId;

use super::feed::Feed;

/// The most bytes of one of the two halves, about as [`Feed::memory`] counts them.
const HALF: usize = 4 * 1024 * 1024;

/// Feeds as the database has them. Code that changes their rows in another way must forget them.
///
/// They are in two halves. When the younger one is full, the older one is dropped: it has only feeds that were not
/// used since.
#[derive(Debug, Default)]
pub(super) struct KnownFeeds {
    young: HashMap<OwnerId, Feed>,
    old: HashMap<OwnerId, Feed>,
    /// The memory of the younger half.
    bytes: usize,
}

impl KnownFeeds {
    /// The key of a feed.
    pub(super) fn key(&self, owner: OwnerId) -> Option<i64> {
        let feed = self.young.get(&owner).or_else(|| self.old.get(&owner));
        feed.map(|feed| feed.key)
    }

    /// Takes a feed out. A transaction that fails does not give it back.
    pub(super) fn take(&mut self, owner: OwnerId) -> Option<Feed> {
        match self.young.remove(&owner) {
            Some(feed) => {
                self.bytes -= feed.memory();
                Some(feed)
            }
            None => self.old.remove(&owner),
        }
    }

    /// Adds a feed that was taken out or read, as it is after the commit.
    pub(super) fn add(&mut self, owner: OwnerId, feed: Feed) {
        if self.bytes >= HALF {
            self.old = mem::take(&mut self.young);
            self.bytes = 0;
        }
        self.bytes += feed.memory();
        self.young.insert(owner, feed);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tidings_event::{Change, Event, EventId, EventRef, Severity, Status, Timestamp};
    use uuid::Uuid;

    use super::super::{SqliteStore, audit};
    use super::*;
    use crate::store::{ChangeStep, Group, Store as _};
    use crate::{Config, Tidings};

    fn owner(number: u128) -> OwnerId {
        OwnerId::from(Uuid::from_u128(number))
    }

    fn feed(key: i64) -> Feed {
        Feed::new(key)
    }

    #[test]
    fn feeds_that_are_used_stay_and_the_others_go() {
        let mut known = KnownFeeds::default();
        let most = HALF / feed(0).memory();
        for number in 0..3 * most {
            if let Some(used) = known.take(owner(0)) {
                known.add(owner(0), used);
            } else {
                known.add(owner(0), feed(0));
            }
            let key = i64::try_from(number).unwrap() + 1;
            known.add(owner(number as u128 + 1), feed(key));
            assert_eq!(known.key(owner(0)), Some(0));
            assert_eq!(known.key(owner(number as u128 + 1)), Some(key));
        }
        assert_eq!(known.key(owner(1)), None, "it was not used");
        assert!(known.young.len() + known.old.len() <= 2 * (most + 2));
        let counted: usize = known.young.values().map(Feed::memory).sum();
        assert_eq!(known.bytes, counted);
    }

    #[test]
    fn a_feed_is_in_one_place() {
        let mut known = KnownFeeds::default();
        known.add(owner(1), feed(1));
        known.old = mem::take(&mut known.young);
        known.bytes = 0;
        let taken = known.take(owner(1)).expect("it is known");
        assert_eq!(known.key(owner(1)), None);
        known.add(owner(1), taken);
        assert_eq!((known.young.len(), known.old.len()), (1, 0));
    }

    /// Deletions are forgotten in the rows of feeds, between two commits that change the same feed.
    #[tokio::test]
    async fn maintenance_that_changes_feeds_makes_them_unknown() {
        let directory = tempfile::tempdir().unwrap();
        let owner = OwnerId::mint();
        let tidings = Tidings::open(Config::new(directory.path())).await.unwrap();
        let events = (0..3).map(|_| {
            let builder = Event::builder()
                .from_user(*owner.as_uuid())
                .acted_upon(Uuid::from_u128(1))
                .with_category("deployment")
                .with_action("apply")
                .with_severity(Severity::Success);
            builder.build().unwrap()
        });
        let receipts = tidings.publish_batch(events.collect()).await.unwrap();
        tidings.close().await;
        let store = SqliteStore::open(directory.path()).unwrap();
        let apply = async |id: EventId, change| {
            let step = ChangeStep {
                owner,
                targets: vec![EventRef::from(id).into()],
                change,
                only: None,
                systems: None,
                at: Timestamp::now(),
            };
            let group = Group {
                steps: vec![step],
                ..Group::default()
            };
            let committed = store.commit(Box::new(|| group)).await.unwrap();
            assert_eq!(committed.changed[0].ids, [id]);
        };
        apply(receipts[0].id, Change::Delete).await;
        let later = Timestamp::now() + Duration::from_secs(60);
        let (forgotten, _) = store.forget_deleted(later, 0).await.unwrap();
        assert_eq!(forgotten, 1);
        apply(receipts[1].id, Change::Status(Status::Read)).await;
        store.close().await;
        let audit = audit(directory.path(), Duration::from_secs(60)).unwrap();
        assert!(audit.complete && audit.wrong.is_empty(), "{audit:?}");
    }
}
