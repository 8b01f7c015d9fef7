//! Finds out whether a commit that got no response has taken effect.
//!
//! The state of its transaction id would not tell: after a promotion, another transaction can have the same id.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::confirm::confirm;
use super::fresh::Fresh;
use super::lookup::{LOCK_FEEDS, MAKE_FEEDS, look_up};
use super::state::{EventSource, State};
use super::subjects::Subjects;
use super::{Commits, Failure};
use crate::store::moment::nanoseconds;
use crate::store::postgres::fault::store_error;
use crate::store::postgres::pool::Session;
use crate::store::postgres::row::{rev_to_sql, status_number};
use crate::store::{FanOutOutcome, Group, PublishOutcome, StoreError};

/// The first wait after a conflict or a lost connection. It doubles each time, up to a second.
pub(super) const FIRST_WAIT: Duration = Duration::from_millis(5);

/// The longest such wait.
pub(super) const MAX_WAIT: Duration = Duration::from_secs(1);

/// How long the outcome of a commit is looked for, in time limits of one connection. A transaction whose client
/// was cut off can hold its locks for one of them.
const PATIENCE: u32 = 3;

/// Counts the events and changes that the database has. Events that were deleted since count, too. Another node can
/// have got the same positions instead. Its events have other times, since each node uses its own clock, except for
/// events whose publisher has chosen the time.
const COUNT: &str = "SELECT (SELECT count(*) \
     FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bytea[], $5::bigint[]) \
     AS k (owner, id, rev, digest, at) \
     WHERE EXISTS (SELECT 1 FROM event WHERE event.owner = k.owner AND event.id = k.id \
     AND event.created_rev = k.rev AND event.digest = k.digest AND event.created_at = k.at) \
     OR EXISTS (SELECT 1 FROM tombstone WHERE tombstone.owner = k.owner AND tombstone.id = k.id \
     AND tombstone.created_rev = k.rev AND tombstone.digest = k.digest \
     AND tombstone.created_at = k.at)) \
     + (SELECT count(*) FROM unnest($6::uuid[], $7::bigint[], $8::uuid[], $9::smallint[], $10::bigint[]) \
     AS k (owner, rev, id, after, at) \
     WHERE EXISTS (SELECT 1 FROM recent_change WHERE recent_change.owner = k.owner \
     AND recent_change.rev = k.rev AND recent_change.id = k.id \
     AND recent_change.after IS NOT DISTINCT FROM k.after AND recent_change.at = k.at)) \
     + (SELECT count(*) FROM unnest($11::uuid[], $12::bigint[], $13::uuid[], $14::bigint[]) \
     AS k (owner, rev, id, at) \
     WHERE EXISTS (SELECT 1 FROM recent_update WHERE recent_update.owner = k.owner \
     AND recent_update.rev = k.rev AND recent_update.id = k.id AND recent_update.at = k.at)) \
     + (SELECT count(*) FROM unnest($15::uuid[], $16::uuid[], $17::uuid[], $18::bigint[]) \
     AS k (id, system_id, content, retracted_at) \
     WHERE EXISTS (SELECT 1 FROM audience WHERE audience.id = k.id AND audience.system_id = k.system_id \
     AND audience.content IS NOT DISTINCT FROM k.content \
     AND audience.retracted_at IS NOT DISTINCT FROM k.retracted_at)) \
     + (SELECT count(*) FROM unnest($19::uuid[], $20::uuid[]) AS k (owner, id) \
     WHERE EXISTS (SELECT 1 FROM event WHERE event.owner = k.owner AND event.id = k.id \
     AND event.shared IS NOT NULL) OR EXISTS (SELECT 1 FROM tombstone WHERE tombstone.owner = k.owner \
     AND tombstone.id = k.id))";

/// The owners, ids, positions, digests and times of events.
type EventColumns<'a> = (Vec<Uuid>, Vec<Uuid>, Vec<i64>, Vec<&'a [u8]>, Vec<i64>);

/// The owners, positions, ids, new states and times of marks and deletions.
type ChangeColumns = (Vec<Uuid>, Vec<i64>, Vec<Uuid>, Vec<Option<i16>>, Vec<i64>);

/// The owners, positions, ids and times of updates.
type UpdateColumns = (Vec<Uuid>, Vec<i64>, Vec<Uuid>, Vec<i64>);

/// The ids, publishers, contents and retractions of audiences.
type AudienceColumns = (Vec<Uuid>, Vec<Uuid>, Vec<Option<Uuid>>, Vec<Option<i64>>);

/// The effects of a transaction, all of which are in the database if it was committed.
pub(super) struct Evidence<'a> {
    owners: Vec<Uuid>,
    events: EventColumns<'a>,
    changes: ChangeColumns,
    updates: UpdateColumns,
    audiences: AudienceColumns,
    /// The owners and ids of events that became members of audiences.
    joined: (Vec<Uuid>, Vec<Uuid>),
}

impl<'a> Evidence<'a> {
    /// The effects of what `state` has written.
    pub(super) fn of(state: &'a State<'_>) -> Self {
        let mut evidence = Self {
            owners: state.owners(),
            events: Default::default(),
            changes: Default::default(),
            updates: Default::default(),
            audiences: Default::default(),
            joined: Default::default(),
        };
        for ((owner, id), event) in &state.events {
            if let EventSource::Group(_) = event.origin {
                let (owners, ids, revs, digests, times) = &mut evidence.events;
                owners.push(*owner.as_uuid());
                ids.push(*id.as_uuid());
                revs.push(rev_to_sql(event.created_rev));
                digests.push(event.digest.as_bytes());
                times.push(nanoseconds(event.created_at));
            } else if event.joins {
                let (owners, ids) = &mut evidence.joined;
                owners.push(*owner.as_uuid());
                ids.push(*id.as_uuid());
            }
        }
        // If another node has changed one since, beginning again has the same effect.
        let begun = state.audiences.iter().filter(|(_, one)| one.is_begun);
        for ((id, system), audience) in begun {
            let (ids, systems, contents, times) = &mut evidence.audiences;
            ids.push(*id.as_uuid());
            systems.push(*system.as_uuid());
            contents.push(audience.record.content);
            times.push(audience.record.retracted_at.map(nanoseconds));
        }
        for change in &state.changes {
            let (owners, revs, ids, afters, times) = &mut evidence.changes;
            owners.push(*change.owner.as_uuid());
            revs.push(rev_to_sql(change.rev));
            ids.push(*change.id.as_uuid());
            afters.push(change.after.map(status_number));
            times.push(nanoseconds(change.at));
        }
        for update in &state.updates {
            let (owners, revs, ids, times) = &mut evidence.updates;
            owners.push(*update.owner.as_uuid());
            revs.push(rev_to_sql(update.rev));
            ids.push(*update.id.as_uuid());
            times.push(nanoseconds(update.at));
        }
        evidence
    }

    /// Whether the database has all effects, durably: `None` if not. It first takes the locks of the transaction in
    /// the same way, and so waits until the server has committed the transaction or rolled it back.
    pub(super) async fn is_committed(&self, commits: &Commits) -> Result<Option<()>, StoreError> {
        let ongoing = commits.begin(commits.pool.get().await?);
        let connection = ongoing.connection();
        let (events, changes, updates) = (&self.events, &self.changes, &self.updates);
        let (audiences, joined) = (&self.audiences, &self.joined);
        let parameters: [&(dyn ToSql + Sync); 20] = [
            &events.0,
            &events.1,
            &events.2,
            &events.3,
            &events.4,
            &changes.0,
            &changes.1,
            &changes.2,
            &changes.3,
            &changes.4,
            &updates.0,
            &updates.1,
            &updates.2,
            &updates.3,
            &audiences.0,
            &audiences.1,
            &audiences.2,
            &audiences.3,
            &joined.0,
            &joined.1,
        ];
        let expected =
            events.0.len() + changes.0.len() + updates.0.len() + audiences.0.len() + joined.0.len();
        let found = async {
            connection.batch_execute("BEGIN").await?;
            connection.execute(MAKE_FEEDS, &[&self.owners]).await?;
            connection.query(LOCK_FEEDS, &[&self.owners]).await?;
            let row = connection.query_one(COUNT, &parameters).await?;
            let is_committed = i64::try_from(expected) == Ok(row.try_get(0)?);
            if is_committed {
                confirm(connection, &commits.sent, &self.owners).await?;
            } else {
                connection.batch_execute("ROLLBACK").await?;
            }
            Ok(is_committed)
        };
        let is_committed = found.await.map_err(store_error)?;
        ongoing.end();
        Ok(is_committed.then_some(()))
    }
}

impl Commits {
    /// Looks for the events of a statement that got no response, once the server can no longer execute it.
    ///
    /// This takes the locks of the feeds first. Then the session of the statement either waits for these locks or has
    /// not begun. A session that waits for the synchronous standby holds the locks, so it is never ended.
    pub(super) async fn find(
        &self,
        session: Option<&Session>,
        fresh: &Fresh<'_>,
        subjects: &Subjects,
    ) -> Result<Option<Vec<PublishOutcome>>, StoreError> {
        let ongoing = self.begin(self.pool.get().await?);
        let connection = ongoing.connection();
        let looked_up = look_up(
            connection,
            &self.sent,
            subjects,
            self.identity,
            &self.newcomers,
        );
        let state = looked_up.await.map_err(Failure::into_error)?;
        if let Some(session) = session {
            session.end(connection).await.map_err(store_error)?;
        }
        let found = fresh.found_in(&state);
        let ended = match found {
            Some(_) => confirm(connection, &self.sent, &state.owners()).await,
            None => connection.batch_execute("ROLLBACK").await,
        };
        ended.map_err(store_error)?;
        ongoing.end();
        Ok(found)
    }

    /// Finds out whether a transaction whose commit got no response was committed. `ask` returns the outcome of the
    /// transaction, or `None` if it was not committed.
    pub(super) async fn find_out<T, F: Future<Output = Result<Option<T>, StoreError>>>(
        &self,
        error: StoreError,
        ask: impl Fn() -> F,
    ) -> Result<T, Failure> {
        let deadline = Instant::now() + self.timeout * PATIENCE;
        let mut wait = FIRST_WAIT;
        loop {
            match timeout_at(deadline, ask()).await {
                Ok(Ok(Some(found))) => return Ok(found),
                Ok(Ok(None)) => return Err(Failure::Undone(error)),
                Ok(Err(StoreError::Closed)) | Err(_) => return Err(Failure::InDoubt(error)),
                Ok(Err(unknown)) => {
                    let cause: &dyn std::error::Error = &unknown;
                    tracing::warn!(
                        error = cause,
                        "could not find out whether a commit succeeded"
                    );
                }
            }
            if Instant::now() + wait >= deadline {
                return Err(Failure::InDoubt(error));
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(MAX_WAIT);
        }
    }
}

/// After a commit without a response, reports those events as repeats that another node can have stored instead of
/// this one: only the time of creation would tell the two apart, and here the publisher has chosen it. So at most one
/// node reports such an event as new.
pub(super) fn tell_apart(published: &mut [PublishOutcome], group: &Group) {
    for (outcome, request) in published.iter_mut().zip(&group.publications) {
        if let PublishOutcome::Stored(stored) = outcome {
            for (one, submission) in stored.iter_mut().zip(&request.submissions) {
                one.repeated |= submission.has_time_of_publisher();
            }
        }
    }
}

/// The same for events of several owners.
pub(super) fn tell_fan_outs_apart(outcomes: &mut [FanOutOutcome], group: &Group) {
    for (outcome, request) in outcomes.iter_mut().zip(&group.fan_outs) {
        if let FanOutOutcome::Stored(stored) = outcome
            && request.submission.has_time_of_publisher()
        {
            stored.repeated.append(&mut stored.reached);
        }
    }
}
