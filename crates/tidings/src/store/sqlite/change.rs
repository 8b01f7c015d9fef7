//! Applies a step of a change to an owner's events, or to a user's view of the system's events.

use rusqlite::{OptionalExtension as _, Transaction, params};
use tidings_event::{Change, EventId, EventType, OwnerId, Rev, SystemId};

use super::feeds::Feeds;
use super::lists::{LISTED_COLUMN_COUNT, LISTED_COLUMNS, Listed, listed};
use super::recipients::Member;
use super::row::{STORED_BYTES, number, rev, rev_to_sql, uuid, word};
use crate::ended_overlay::EndedOverlay;
use crate::store::decide::change::{
    Effect, OwnChange, Tally, UsersChange, UsersState, own_change, users_change,
};
use crate::store::decide::foreign::is_foreign;
use crate::store::moment::nanoseconds;
use crate::store::{self, ChangeStep, Side, StepOutcome};

/// An event that the owner of a step sees.
struct VisibleEvent {
    target: Listed,
    /// The system itself has its events on its own side.
    side: Side,
}

/// A step that is being applied.
struct Applying<'a, 'c> {
    transaction: &'a Transaction<'c>,
    system: OwnerId,
    /// The keys of the owner's feed and of the system's, if they have one.
    own_feed: Option<i64>,
    system_feed: Option<i64>,
    step: &'a ChangeStep,
    tally: Tally,
}

/// Applies a step. Events that the owner does not see stay as they are.
pub(super) fn apply(
    transaction: &Transaction<'_>,
    system: SystemId,
    feeds: &mut Feeds,
    step: &ChangeStep,
) -> rusqlite::Result<StepOutcome> {
    let system = OwnerId::from(system);
    let mut applying = Applying {
        transaction,
        system,
        own_feed: feeds.key(transaction, step.owner)?,
        system_feed: feeds.key(transaction, system)?,
        step,
        tally: Tally::default(),
    };
    for named in &step.targets {
        let found = applying.find(*named)?;
        let effect = match &found {
            Some(found) if found.side == Side::Own => match applying.foreign(&found.target)? {
                Some(publisher) => Effect::Foreign(publisher),
                None => applying.change_own(feeds, &found.target)?,
            },
            // A repeated deletion must not reach the event of the system with the same id.
            Some(_) if named.side.is_none() && applying.repeats_own_deletion(named.id)? => {
                Effect::Unchanged
            }
            Some(found) => applying.change_for_user(feeds, &found.target)?,
            None => applying.change_deleted(*named)?,
        };
        applying.tally.add(*named, effect);
    }
    let tally = applying.tally;
    let head = match tally.is_empty() {
        true => Rev::ZERO,
        false => feeds.load(transaction, step.owner)?.head,
    };
    Ok(tally.finish(step, system, head))
}

impl Applying<'_, '_> {
    /// The event that is meant. An id alone means the owner's own event before the system's.
    fn find(&self, named: store::Target) -> rusqlite::Result<Option<VisibleEvent>> {
        let sql = format!(
            "SELECT {LISTED_COLUMNS}, event.feed FROM event WHERE id = ?1 AND feed IN (?2, ?3)"
        );
        let mut statement = self.transaction.prepare_cached(&sql)?;
        let id = named.id.as_uuid().as_bytes();
        let mut rows = statement.query(params![id, self.own_feed, self.system_feed])?;
        let (mut own, mut of_system) = (None, None);
        while let Some(row) = rows.next()? {
            let target = listed(row)?;
            match self.own_feed == Some(row.get(LISTED_COLUMN_COUNT)?) {
                true => own = Some(target),
                false => of_system = Some(target),
            }
        }
        let is_system = self.step.owner == self.system;
        let own = own.filter(|_| is_system || named.side != Some(Side::System));
        let of_system = of_system.filter(|_| named.side != Some(Side::Own));
        let own = own.map(|target| (target, Side::Own));
        let found = own.or(of_system.map(|target| (target, Side::System)));
        Ok(found.map(|(target, side)| VisibleEvent { target, side }))
    }

    /// The system that has published an event, if it is none of the step's.
    fn foreign(&self, target: &Listed) -> rusqlite::Result<Option<SystemId>> {
        if self.step.systems.is_none() {
            return Ok(None);
        }
        let publisher = self
            .transaction
            .prepare_cached("SELECT system_id FROM event WHERE key = ?1")?
            .query_row([target.key], |row| uuid(row, 0))?;
        let publisher = SystemId::from(publisher);
        Ok(is_foreign(self.step.systems.as_deref(), publisher).then_some(publisher))
    }

    /// Changes an event of the owner's own feed.
    fn change_own(&mut self, feeds: &mut Feeds, target: &Listed) -> rusqlite::Result<Effect> {
        let (severity, before) = (target.kind.severity(), target.kind.status());
        let owner = self.step.owner;
        match own_change(self.step, self.system, before) {
            OwnChange::Nothing => return Ok(Effect::Unchanged),
            OwnChange::Mark(status) => {
                let feed = feeds.load(self.transaction, owner)?;
                let rev = feed.advance();
                let changed = Listed {
                    changed_rev: Some(rev),
                    kind: target.kind.with_status(status),
                    updated_at: nanoseconds(self.step.at),
                    ..*target
                };
                feed.replace(target, changed)?;
                self.transaction
                    .prepare_cached(
                        "UPDATE event SET status = ?2, updated_at = ?3, changed_rev = ?4 \
                         WHERE key = ?1",
                    )?
                    .execute(params![
                        target.key,
                        status.as_str(),
                        changed.updated_at,
                        rev_to_sql(rev)?,
                    ])?;
                self.tally.count(severity, before, Some(status));
            }
            OwnChange::Bury => {
                if owner == self.system {
                    self.leave_overlays(target)?;
                }
                self.bury(feeds, target)?;
                self.tally.count(severity, before, None);
            }
        }
        Ok(Effect::Changed { of_system: false })
    }

    /// Replaces an event of the owner's own feed by a tombstone.
    fn bury(&self, feeds: &mut Feeds, target: &Listed) -> rusqlite::Result<()> {
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
        let sql = format!(
            "DELETE FROM event WHERE key = ?1 RETURNING category, action, {STORED_BYTES}, shared, id, system_id"
        );
        let (of_type, bytes, member) =
            self.transaction
                .prepare_cached(&sql)?
                .query_row([target.key], |row| {
                    let of_type = EventType {
                        category: word(row, 0, "category")?,
                        action: word(row, 1, "action")?,
                    };
                    Ok((of_type, number(row, 2)?, Member::read(row, 3)?))
                })?;
        feed.bury(target, of_type, bytes)?;
        if let Some(member) = member {
            member.leave(self.transaction)?;
        }
        self.transaction
            .prepare_cached("DELETE FROM misdated WHERE feed = ?1 AND id = ?2")?
            .execute((feed.key, target.id.as_uuid().as_bytes()))?;
        Ok(())
    }

    /// Marks a system event that is deleted, so that its overlays are removed later.
    fn leave_overlays(&mut self, target: &Listed) -> rusqlite::Result<()> {
        self.report_overlays(target)?;
        let severity = target.kind.severity();
        self.transaction
            .prepare_cached(
                "INSERT INTO ended (system_rev, severity) SELECT ?1, ?2 \
                 WHERE EXISTS (SELECT 1 FROM overlay WHERE system_rev = ?1)",
            )?
            .execute((rev_to_sql(target.created_rev)?, severity.as_str()))?;
        Ok(())
    }

    /// Reads the overlays of a system event that ends.
    fn report_overlays(&mut self, target: &Listed) -> rusqlite::Result<()> {
        let Some(room) = self.tally.room_for_ended() else {
            return Ok(());
        };
        let mut ended = Vec::new();
        let mut read = self.transaction.prepare_cached(
            "SELECT feed.owner, overlay.changed_rev, overlay.status, overlay.deleted \
             FROM overlay INDEXED BY overlay_by_event JOIN feed ON feed.key = overlay.feed \
             WHERE overlay.system_rev = ?1 LIMIT ?2",
        )?;
        let limit = i64::try_from(room + 1).unwrap_or(i64::MAX);
        let mut rows = read.query((rev_to_sql(target.created_rev)?, limit))?;
        while let Some(row) = rows.next()? {
            let status = word(row, 2, "status")?;
            let is_deleted: bool = row.get(3)?;
            ended.push(EndedOverlay {
                owner: OwnerId::from_uuid(uuid(row, 0)?),
                changed_rev: rev(row, 1)?,
                severity: target.kind.severity(),
                status: (!is_deleted).then_some(status),
            });
        }
        self.tally.end(Some(ended));
        Ok(())
    }

    /// Changes a system event for one user.
    fn change_for_user(&mut self, feeds: &mut Feeds, target: &Listed) -> rusqlite::Result<Effect> {
        let feed = feeds.load(self.transaction, self.step.owner)?;
        let overlay: Option<UsersState> = self
            .transaction
            .prepare_cached(
                "SELECT status, deleted FROM overlay WHERE feed = ?1 AND system_rev = ?2",
            )?
            .query_row((feed.key, rev_to_sql(target.created_rev)?), |row| {
                Ok(UsersState {
                    status: word(row, 0, "status")?,
                    deleted: row.get(1)?,
                })
            })
            .optional()?;
        let (before, state, read, deleted) = match users_change(self.step, overlay) {
            UsersChange::Unseen => return Ok(Effect::Unseen),
            UsersChange::Nothing => return Ok(Effect::Unchanged),
            UsersChange::To {
                before,
                state,
                read,
                deleted,
            } => (before, state, read, deleted),
        };
        let rev = feed.advance();
        let key = feed.key;
        let severity = target.kind.severity();
        feeds.overlays.add(key, severity, read, deleted);
        let after = (!state.deleted).then_some(state.status);
        self.tally.count(severity, before, after);
        self.tally.newest_system = self.tally.newest_system.max(target.created_rev);
        self.transaction
            .prepare_cached(
                "INSERT INTO overlay (feed, system_rev, changed_rev, status, deleted, updated_at) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (feed, system_rev) DO UPDATE SET \
                 changed_rev = excluded.changed_rev, status = excluded.status, \
                 deleted = excluded.deleted, updated_at = max(updated_at, excluded.updated_at)",
            )?
            .execute(params![
                key,
                rev_to_sql(target.created_rev)?,
                rev_to_sql(rev)?,
                state.status.as_str(),
                state.deleted,
                nanoseconds(self.step.at),
            ])?;
        Ok(Effect::Changed { of_system: true })
    }

    /// Whether the step deletes an event of the owner that is already deleted.
    fn repeats_own_deletion(&self, id: EventId) -> rusqlite::Result<bool> {
        match self.step.change {
            Change::Delete => self.has_tombstone(id, [self.own_feed, None]),
            Change::Status(_) => Ok(false),
        }
    }

    /// Whether one of the feeds still remembers the deletion of an event.
    fn has_tombstone(&self, id: EventId, feeds: [Option<i64>; 2]) -> rusqlite::Result<bool> {
        self.transaction
            .prepare_cached(
                "SELECT EXISTS (SELECT 1 FROM tombstone WHERE id = ?1 AND feed IN (?2, ?3))",
            )?
            .query_row(
                params![id.as_uuid().as_bytes(), feeds[0], feeds[1]],
                |row| row.get(0),
            )
    }

    /// Deleting an event again, the owner's or the system's, changes nothing and is no mistake.
    fn change_deleted(&self, named: store::Target) -> rusqlite::Result<Effect> {
        let Change::Delete = self.step.change else {
            return Ok(Effect::Unseen);
        };
        let feeds = match named.side {
            Some(Side::Own) => [self.own_feed, None],
            Some(Side::System) => [None, self.system_feed],
            None => [self.own_feed, self.system_feed],
        };
        let was_there = self.has_tombstone(named.id, feeds)?;
        Ok(match was_there {
            true => Effect::Unchanged,
            false => Effect::Unseen,
        })
    }
}

#[cfg(test)]
mod tests {
    use tidings_event::{Event, EventRef, Severity, Status, Timestamp};
    use uuid::Uuid;

    use super::{Change, ChangeStep, EventId, OwnerId, Rev};
    use crate::store::sqlite::SqliteStore;
    use crate::store::{Group, Side, Store as _, Target};
    use crate::{Config, Tidings};

    /// As it happens if the events change after they were found and before the step.
    #[tokio::test]
    async fn a_step_skips_events_that_no_longer_fit() {
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
                targets: ids.iter().map(|id| EventRef::from(*id).into()).collect(),
                change,
                only,
                systems: None,
                at: Timestamp::now(),
            };
            let group = Group {
                steps: vec![step],
                ..Group::default()
            };
            let committed = store.commit(Box::new(|| group)).await.unwrap();
            committed.changed.into_iter().next().unwrap()
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
        // Retention deletes an owner's own events only, whatever the system has under the same id.
        let own_only = Target {
            side: Some(Side::Own),
            id: ids[1],
        };
        let step = ChangeStep {
            owner,
            targets: vec![own_only],
            change: Change::Delete,
            only: None,
            systems: None,
            at: Timestamp::now(),
        };
        let group = Group {
            steps: vec![step],
            ..Group::default()
        };
        let committed = store.commit(Box::new(|| group)).await.unwrap();
        assert!(committed.changed[0].ids.is_empty());
        store.close().await;
    }
}
