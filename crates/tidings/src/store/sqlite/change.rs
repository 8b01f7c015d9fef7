//! Doing a step of a change: what owners do to their events, and users to the system's.

use rusqlite::{OptionalExtension as _, Row, Transaction, params};
use tidings_event::{
    Action, Category, Change, CountDelta, EventId, OwnerId, Rev, Severity, Status, SystemId,
};

use super::counts::number;
use super::feeds::Feeds;
use super::row::{STORED_BYTES, nanoseconds, rev, rev_to_sql, word};
use crate::store::{ChangeStep, Changed, RevRange};

/// An event that is to be changed.
struct Target {
    key: i64,
    feed: i64,
    created_rev: Rev,
    severity: Severity,
    status: Status,
}

/// What became of one event.
enum Effect {
    /// It is now different.
    Changed,
    /// It is there, or was deleted before, and stays as it is.
    Unchanged,
    /// The owner does not see it.
    Unseen,
}

/// A step on its way.
struct Doing<'a, 'c> {
    transaction: &'a Transaction<'c>,
    system: OwnerId,
    step: &'a ChangeStep,
    /// The newest of the system's events among those changed.
    newest_system: Rev,
    counts: CountDelta,
}

/// Does a step; what is not there or not the owner's is passed over.
pub(super) fn apply(
    transaction: &Transaction<'_>,
    system: SystemId,
    feeds: &mut Feeds,
    step: &ChangeStep,
) -> rusqlite::Result<Changed> {
    let mut doing = Doing {
        transaction,
        system: OwnerId::from(system),
        step,
        newest_system: Rev::ZERO,
        counts: CountDelta::default(),
    };
    let own_feed = feeds.key(transaction, step.owner)?;
    let system_feed = feeds.key(transaction, doing.system)?;
    let (mut ids, mut unchanged) = (Vec::new(), 0);
    for id in &step.ids {
        let effect = match find(transaction, *id)? {
            Some(target) if own_feed == Some(target.feed) => {
                doing.change_own(feeds, &target, *id)?
            }
            Some(target) if system_feed == Some(target.feed) => {
                doing.change_for_user(feeds, &target)?
            }
            Some(_) => Effect::Unseen,
            None => doing.change_deleted([own_feed, system_feed], *id)?,
        };
        match effect {
            Effect::Changed => ids.push(*id),
            Effect::Unchanged => unchanged += 1,
            Effect::Unseen => {}
        }
    }
    // Each change took the next rev of the feed.
    let head = match ids.is_empty() {
        true => Rev::ZERO,
        false => feeds.load(transaction, step.owner)?.head,
    };
    Ok(Changed {
        owner: step.owner,
        change: step.change,
        at: step.at,
        revs: RevRange {
            after: Rev::new(head.get() - ids.len() as u64),
            up_to: head,
        },
        ids,
        unchanged,
        system: doing.newest_system,
        counts: doing.counts,
    })
}

fn find(transaction: &Transaction<'_>, id: EventId) -> rusqlite::Result<Option<Target>> {
    let read = |row: &Row<'_>| {
        Ok(Target {
            key: row.get(0)?,
            feed: row.get(1)?,
            created_rev: rev(row, 2)?,
            severity: word(row, 3, "severity")?,
            status: word(row, 4, "status")?,
        })
    };
    transaction
        .prepare_cached("SELECT key, feed, created_rev, severity, status FROM event WHERE id = ?1")?
        .query_row([id.as_uuid().as_bytes()], read)
        .optional()
}

impl Doing<'_, '_> {
    fn is_excluded(&self, status: Status) -> bool {
        self.step.only.is_some_and(|only| only != status)
    }

    /// Changes an event of the owner's own feed.
    fn change_own(
        &mut self,
        feeds: &mut Feeds,
        target: &Target,
        id: EventId,
    ) -> rusqlite::Result<Effect> {
        if self.is_excluded(target.status) {
            return Ok(Effect::Unchanged);
        }
        let owner = self.step.owner;
        match self.step.change {
            // The system reads nothing: each user does.
            Change::Status(_) if owner == self.system => return Ok(Effect::Unchanged),
            Change::Status(status) if status == target.status => return Ok(Effect::Unchanged),
            Change::Status(status) => {
                let feed = feeds.load(self.transaction, owner)?;
                let rev = feed.advance();
                feed.count(target.severity, target.status, -1);
                feed.count(target.severity, status, 1);
                self.transaction
                    .prepare_cached(
                        "UPDATE event SET status = ?2, updated_at = ?3, changed_rev = ?4 \
                         WHERE key = ?1",
                    )?
                    .execute(params![
                        target.key,
                        status.as_str(),
                        nanoseconds(self.step.at),
                        rev_to_sql(rev)?,
                    ])?;
                self.counts.add(status, target.severity, 1);
            }
            Change::Delete => {
                if owner == self.system {
                    self.leave_overlays(target)?;
                }
                self.bury(feeds, target, id)?;
            }
        }
        self.counts.add(target.status, target.severity, -1);
        Ok(Effect::Changed)
    }

    /// Puts a tombstone in the place of an event of the owner's own feed.
    fn bury(&self, feeds: &mut Feeds, target: &Target, id: EventId) -> rusqlite::Result<()> {
        feeds.note_deletion();
        let feed = feeds.load(self.transaction, self.step.owner)?;
        let rev = feed.advance();
        self.transaction
            .prepare_cached(
                "INSERT INTO tombstone \
                 (id, feed, created_rev, deleted_rev, digest, created_at, deleted_at) \
                 SELECT id, feed, created_rev, ?2, digest, created_at, ?3 \
                 FROM event WHERE key = ?1",
            )?
            .execute(params![
                target.key,
                rev_to_sql(rev)?,
                nanoseconds(self.step.at)
            ])?;
        let sql =
            format!("DELETE FROM event WHERE id = ?1 RETURNING category, action, {STORED_BYTES}");
        let (category, action, bytes): (Category, Action, u64) = self
            .transaction
            .prepare_cached(&sql)?
            .query_row([id.as_uuid().as_bytes()], |row| {
                Ok((
                    word(row, 0, "category")?,
                    word(row, 1, "action")?,
                    number(row, 2)?,
                ))
            })?;
        feed.bury(target.created_rev, bytes);
        self.transaction
            .prepare_cached("DELETE FROM misdated WHERE id = ?1")?
            .execute([id.as_uuid().as_bytes()])?;
        feed.count(target.severity, target.status, -1);
        feed.count_type(&category, &action, -1);
        Ok(())
    }

    /// Marks an event of the system, which goes, so that what users did to it goes after it.
    fn leave_overlays(&self, target: &Target) -> rusqlite::Result<()> {
        self.transaction
            .prepare_cached(
                "INSERT INTO ended (system_rev, severity) SELECT ?1, ?2 \
                 WHERE EXISTS (SELECT 1 FROM overlay WHERE system_rev = ?1)",
            )?
            .execute((rev_to_sql(target.created_rev)?, target.severity.as_str()))?;
        Ok(())
    }

    /// Changes an event of the system for the one user who asks.
    fn change_for_user(&mut self, feeds: &mut Feeds, target: &Target) -> rusqlite::Result<Effect> {
        let feed = feeds.load(self.transaction, self.step.owner)?;
        let overlay: Option<(Status, bool)> = self
            .transaction
            .prepare_cached(
                "SELECT status, deleted FROM overlay WHERE feed = ?1 AND system_rev = ?2",
            )?
            .query_row((feed.key, rev_to_sql(target.created_rev)?), |row| {
                Ok((word(row, 0, "status")?, row.get(1)?))
            })
            .optional()?;
        let before = match overlay {
            None => Status::Unread,
            Some((status, false)) => status,
            // It was deleted by this user.
            Some((_, true)) => {
                return Ok(match self.step.change {
                    Change::Delete => Effect::Unchanged,
                    Change::Status(_) => Effect::Unseen,
                });
            }
        };
        if self.is_excluded(before) || self.step.change == Change::Status(before) {
            return Ok(Effect::Unchanged);
        }
        let rev = feed.advance();
        let key = feed.key;
        let was_read = i64::from(before == Status::Read);
        let (after, deleted) = match self.step.change {
            Change::Status(status) => {
                let is_read = i64::from(status == Status::Read);
                feeds.count_overlay(key, target.severity, is_read - was_read, 0);
                self.counts.add(status, target.severity, 1);
                (status, false)
            }
            Change::Delete => {
                feeds.count_overlay(key, target.severity, -was_read, 1);
                (before, true)
            }
        };
        self.counts.add(before, target.severity, -1);
        self.newest_system = self.newest_system.max(target.created_rev);
        self.transaction
            .prepare_cached(
                "INSERT INTO overlay (feed, system_rev, changed_rev, status, deleted, updated_at) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (feed, system_rev) DO UPDATE SET \
                 changed_rev = excluded.changed_rev, status = excluded.status, \
                 deleted = excluded.deleted, updated_at = excluded.updated_at",
            )?
            .execute(params![
                key,
                rev_to_sql(target.created_rev)?,
                rev_to_sql(rev)?,
                after.as_str(),
                deleted,
                nanoseconds(self.step.at),
            ])?;
        Ok(Effect::Changed)
    }

    /// Deleting again what is deleted, one's own or the system's, is nothing new.
    fn change_deleted(&self, feeds: [Option<i64>; 2], id: EventId) -> rusqlite::Result<Effect> {
        let Change::Delete = self.step.change else {
            return Ok(Effect::Unseen);
        };
        let feed: Option<i64> = self
            .transaction
            .prepare_cached("SELECT feed FROM tombstone WHERE id = ?1")?
            .query_row([id.as_uuid().as_bytes()], |row| row.get(0))
            .optional()?;
        Ok(if feed.is_some() && feeds.contains(&feed) {
            Effect::Unchanged
        } else {
            Effect::Unseen
        })
    }
}

#[cfg(test)]
mod tests {
    use tidings_event::{Event, Timestamp};
    use uuid::Uuid;

    use super::*;
    use crate::store::sqlite::SqliteStore;
    use crate::store::{Outcome, Store as _, Work};
    use crate::{Config, Tidings};

    /// What only shows when the events change between being found and being changed.
    #[tokio::test]
    async fn a_step_changes_only_what_has_the_status_and_says_how_far_it_reaches() {
        let directory = tempfile::tempdir().unwrap();
        let owner = OwnerId::mint();
        let tidings = Tidings::open(Config::new(directory.path())).await.unwrap();
        let mut ids = Vec::new();
        for of_user in [true, false, false] {
            let builder = Event::builder()
                .acted_upon(Uuid::from_u128(1))
                .with_category("deployment")
                .with_action("apply")
                .with_severity(Severity::Success);
            let builder = match of_user {
                true => builder.from_user(*owner.as_uuid()),
                false => builder,
            };
            let receipt = tidings.publish(builder.build().unwrap()).await;
            ids.push(receipt.unwrap().id);
        }
        tidings.close().await;
        let store = SqliteStore::open(directory.path()).unwrap();
        let change = async |ids: &[EventId], change, only| {
            let step = ChangeStep {
                owner,
                ids: ids.to_vec(),
                change,
                only,
                at: Timestamp::now(),
            };
            let committed = store.commit(vec![Work::Change(step)]).await.unwrap();
            match committed.outcomes.into_iter().next() {
                Some(Outcome::Changed(changed)) => changed,
                other => panic!("{other:?}"),
            }
        };
        let read = Change::Status(Status::Read);
        let none = change(&ids, Change::Delete, Some(Status::Read)).await;
        assert_eq!((none.ids.len(), none.unchanged), (0, 3));
        assert_eq!(none.revs.after, none.revs.up_to);
        let own = change(&ids[..1], read, Some(Status::Unread)).await;
        assert_eq!((own.ids, own.system), (ids[..1].to_vec(), Rev::ZERO));
        let all = change(&ids, read, Some(Status::Unread)).await;
        assert_eq!((all.ids, all.unchanged), (ids[1..].to_vec(), 1));
        // The newest of the system's events is its second.
        assert_eq!(all.system, Rev::new(2));
        assert_eq!((all.revs.after, all.revs.up_to), (Rev::new(2), Rev::new(4)));
        store.close().await;
    }
}
