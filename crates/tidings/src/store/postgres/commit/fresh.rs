//! Commits a group of new events in one statement, without a transaction around it.
//!
//! The statement writes nothing if the group needs a decision: a feed is missing, an event is already stored or was
//! deleted, or an owner may exceed a quota. The group then takes the usual way.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Write as _;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tidings_event::wire::Epoch;
use tidings_event::{OwnerId, Rev};
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::Failure;
use super::pipeline::Pipeline;
use super::state::State;
use crate::store::decide::publish::{limit_of, owner_of};
use crate::store::kind::{Kind, KindCounts};
use crate::store::moment::nanoseconds;
use crate::store::postgres::pool::Connection;
use crate::store::postgres::row::{folded, severity_number, status_number};
use crate::store::{Group, PublishOutcome, StoreIdentity, Stored, Submission};

/// Locks the feeds in the order of their owners, and writes if all events are new. Returns how many feeds there are,
/// their heads if it has written, and whether the database still has the epoch that the node knows, which a move
/// changes.
///
/// A statement that has waited for a lock does not see commits that came meanwhile, except in the row of the feed. If
/// the feed has deletions, its head shows such a commit. If it has none, an event that was committed meanwhile
/// violates the primary key.
///
/// The rows of feeds are written by `ON CONFLICT`, because an `UPDATE` could choose the order of the rows.
static PUBLISH: LazyLock<String> = LazyLock::new(|| {
    let mut counts = String::new();
    for number in 1..=Kind::NUMBER {
        let comma = if number > 1 { ", " } else { "" };
        let before = Kind::NUMBER - number;
        let size = Kind::NUMBER;
        let _ = write!(
            counts,
            "{comma}feeds.before[{number}] + ($5::bigint[])[{size} * feeds.place - {before}]"
        );
    }
    format!(
        "WITH feeds AS MATERIALIZED (SELECT k.*, feed.head, feed.bytes AS used, feed.deletions, \
         feed.counts AS before \
         FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[]) WITH ORDINALITY \
         AS k (owner, added, bytes, most, place) \
         CROSS JOIN LATERAL (SELECT * FROM feed WHERE feed.owner = k.owner FOR UPDATE) AS feed), \
         found AS MATERIALIZED (SELECT array_agg(head ORDER BY place) AS heads, count(*) AS feeds, \
         $23 = (SELECT epoch FROM installation) AS is_same, \
         count(*) = cardinality($1::uuid[]) AND $23 = (SELECT epoch FROM installation) \
         AND bool_and(used + bytes <= most AND (deletions = 0 OR head = \
         (SELECT seen.head FROM feed AS seen WHERE seen.owner = feeds.owner))) \
         AND NOT EXISTS (SELECT FROM unnest($6::bigint[], $8::uuid[]) AS k (place, id) \
         CROSS JOIN LATERAL (SELECT FROM event WHERE event.owner = ($1::uuid[])[k.place] \
         AND event.id = k.id LIMIT 1) AS event) \
         AND NOT (bool_or(deletions > 0) \
         AND EXISTS (SELECT FROM unnest($6::bigint[], $8::uuid[]) AS k (place, id) \
         CROSS JOIN LATERAL (SELECT FROM tombstone WHERE tombstone.owner = ($1::uuid[])[k.place] \
         AND tombstone.id = k.id LIMIT 1) AS tombstone)) AS all_new FROM feeds), \
         events AS (INSERT INTO event (owner, id, created_rev, severity, status, created_at, \
         updated_at, aged_from, system_id, operation_id, acted_upon, category, action, description, \
         folded, metadata, digest, expires_at) SELECT ($1::uuid[])[k.place], k.id, found.heads[k.place] + k.nth, \
         k.severity, k.status, k.created_at, k.updated_at, k.aged_from, k.system_id, k.operation_id, \
         k.acted_upon, k.category, k.action, k.description, k.folded, k.metadata, k.digest, \
         k.expires_at \
         FROM found CROSS JOIN unnest($6::bigint[], $7::bigint[], $8::uuid[], $9::smallint[], \
         $10::smallint[], $11::bigint[], $12::bigint[], $13::bigint[], $14::uuid[], $15::uuid[], \
         $16::uuid[], $17::text[], $18::text[], $19::text[], $20::text[], $21::text[], $22::bytea[], \
         $24::bigint[]) \
         AS k (place, nth, id, severity, status, created_at, updated_at, aged_from, system_id, \
         operation_id, acted_upon, category, action, description, folded, metadata, digest, expires_at) \
         WHERE found.all_new), \
         written AS (INSERT INTO feed (owner, head, bytes, counts) SELECT feeds.owner, \
         feeds.head + feeds.added, feeds.used + feeds.bytes, ARRAY[{counts}] \
         FROM found CROSS JOIN feeds WHERE found.all_new \
         ON CONFLICT (owner) DO UPDATE SET head = excluded.head, bytes = excluded.bytes, \
         counts = excluded.counts) \
         SELECT feeds, CASE WHEN all_new THEN heads END, is_same FROM found"
    )
});

/// The outcome of the statement.
#[derive(Debug)]
pub(super) enum Tried {
    /// The events are stored.
    Committed(Vec<PublishOutcome>),
    /// Nothing was written, because a feed is missing.
    LacksFeeds,
    /// Nothing was written, for another reason.
    NotNew,
}

/// Whether the next group is expected to be new, as the last one was. A wrong guess costs a statement, or the time that
/// the statement saves.
#[derive(Debug)]
pub(super) struct Expectation(AtomicBool);

impl Default for Expectation {
    fn default() -> Self {
        Self(AtomicBool::new(true))
    }
}

impl Expectation {
    pub(super) fn is_new(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Notes whether a group was new.
    pub(super) fn note(&self, is_new: bool) {
        self.0.store(is_new, Ordering::Relaxed);
    }
}

/// The additions of a group to a feed.
#[derive(Debug)]
struct Addition {
    events: i64,
    bytes: u64,
    /// The least of the quotas of its requests.
    most: u64,
    counts: KindCounts,
}

/// A group whose events are all new, as far as this can be known without the database.
#[derive(Debug)]
pub(super) struct Fresh<'g> {
    group: &'g Group,
    epoch: Epoch,
    /// Sorted, so that all nodes lock them in the same order.
    feeds: BTreeMap<OwnerId, Addition>,
    /// In the order of the group, each with its number among those of the feed.
    events: Vec<(OwnerId, i64, &'g Submission)>,
}

impl<'g> Fresh<'g> {
    /// The events of a group that publishes each of them once and does nothing else.
    pub(super) fn of(group: &'g Group, identity: StoreIdentity) -> Option<Self> {
        if !group.updates.is_empty()
            || !group.steps.is_empty()
            || !group.fan_outs.is_empty()
            || !group.audiences.is_empty()
        {
            return None;
        }
        let system = identity.system;
        let mut fresh = Self {
            group,
            epoch: identity.epoch,
            feeds: BTreeMap::new(),
            events: Vec::new(),
        };
        let mut keys = HashSet::new();
        for request in &group.publications {
            for submission in &request.submissions {
                let event = &submission.event;
                let owner = owner_of(event, system);
                if !keys.insert((owner, event.id)) {
                    return None;
                }
                let feed = fresh.feeds.entry(owner).or_insert_with(|| Addition {
                    events: 0,
                    bytes: 0,
                    most: u64::MAX,
                    counts: KindCounts::default(),
                });
                feed.events += 1;
                feed.bytes += submission.stored_bytes();
                if let Some(limit) = limit_of(owner, system, request) {
                    feed.most = feed.most.min(limit);
                }
                feed.counts.add(Kind::of(event.severity, event.status));
                fresh.events.push((owner, feed.events, submission));
            }
        }
        Some(fresh)
    }

    pub(super) const fn group(&self) -> &'g Group {
        self.group
    }

    /// Tries to commit the group.
    pub(super) async fn commit(
        &self,
        connection: &Connection,
        sent: &AtomicU64,
    ) -> Result<Tried, Failure> {
        let statement = connection.prepared(&PUBLISH).await?;
        let parameters = self.parameters();
        let parameters: Vec<&(dyn ToSql + Sync)> = parameters
            .iter()
            .map(|column| &**column as &(dyn ToSql + Sync))
            .collect();
        let mut pipeline = Pipeline::new(connection, sent);
        if connection.takes_new_plans() {
            pipeline.send_simple("DISCARD PLANS").await;
        }
        pipeline.send(&statement, &parameters).await;
        let answers = match pipeline.finish().await {
            // Another node has just published one of the events.
            Err(error) if error.code() == Some(&SqlState::UNIQUE_VIOLATION) => {
                return Ok(Tried::NotNew);
            }
            answers => answers.map_err(Failure::of_commit)?,
        };
        let row = answers.iter().flatten().next();
        let row = row.ok_or(Failure::Silence)?;
        if !row.try_get::<_, bool>(2)? {
            return Err(Failure::Replaced);
        }
        match row.try_get::<_, Option<Vec<i64>>>(1)? {
            Some(heads) => Ok(Tried::Committed(self.outcomes(&heads))),
            None if row.try_get::<_, i64>(0)? < to_sql(self.feeds.len() as u64) => {
                Ok(Tried::LacksFeeds)
            }
            None => Ok(Tried::NotNew),
        }
    }

    /// The outcomes, if `state` has all events as this group publishes them.
    pub(super) fn found_in(&self, state: &State<'_>) -> Option<Vec<PublishOutcome>> {
        let requests = self.group.publications.iter();
        let found = requests.map(|request| {
            let stored = request.submissions.iter().map(|submission| {
                let owner = owner_of(&submission.event, state.identity.system);
                state.stored_as(owner, submission)
            });
            stored.collect::<Option<_>>().map(PublishOutcome::Stored)
        });
        found.collect()
    }

    fn parameters(&self) -> Vec<Box<dyn ToSql + Sync + Send + '_>> {
        let places: BTreeMap<OwnerId, i64> = self.feeds.keys().copied().zip(1..).collect();
        let mut rows: Vec<_> = self
            .events
            .iter()
            .map(|(owner, nth, submission)| (places[owner], *nth, *submission))
            .collect();
        // Neighbours in the indexes.
        rows.sort_unstable_by_key(|(place, nth, _)| (*place, *nth));
        let feeds = self.feeds.values();
        let counts = feeds.clone().flat_map(|feed| feed.counts.by_number());
        let owners: Vec<Uuid> = self.feeds.keys().map(|owner| *owner.as_uuid()).collect();
        vec![
            Box::new(owners),
            list(feeds.clone(), |feed| feed.events),
            list(feeds.clone(), |feed| to_sql(feed.bytes)),
            list(feeds, |feed| to_sql(feed.most)),
            list(counts, |count| to_sql(*count)),
            list(&rows, |row| row.0),
            list(&rows, |row| row.1),
            list(&rows, |row| *row.2.event.id.as_uuid()),
            list(&rows, |row| severity_number(row.2.event.severity)),
            list(&rows, |row| status_number(row.2.event.status)),
            list(&rows, |row| nanoseconds(row.2.event.created_at)),
            list(&rows, |row| nanoseconds(row.2.event.updated_at)),
            list(&rows, |row| row.2.aged_from.map(nanoseconds)),
            list(&rows, |row| *row.2.event.system_id.as_uuid()),
            list(&rows, |row| *row.2.event.operation_id.as_uuid()),
            list(&rows, |row| *row.2.event.acted_upon.as_uuid()),
            list(&rows, |row| row.2.event.category.as_str()),
            list(&rows, |row| row.2.event.action.as_str()),
            list(&rows, |row| row.2.event.description.as_str()),
            list(&rows, |row| folded(&row.2.event.description)),
            list(&rows, |row| row.2.metadata.as_deref()),
            list(&rows, |row| &row.2.digests.of_content.as_bytes()[..]),
            Box::new(*self.epoch.as_uuid()),
            list(&rows, |row| row.2.event.expires_at.map(nanoseconds)),
        ]
    }

    /// The outcomes, with the heads of the feeds before.
    fn outcomes(&self, heads: &[i64]) -> Vec<PublishOutcome> {
        let heads: BTreeMap<OwnerId, i64> = self
            .feeds
            .keys()
            .copied()
            .zip(heads.iter().copied())
            .collect();
        let mut events = self.events.iter();
        let outcome = |submissions: &Vec<Submission>| {
            let stored = events.by_ref().take(submissions.len());
            let stored = stored.map(|(owner, nth, submission)| Stored {
                id: submission.event.id,
                owner: *owner,
                json: submission.json.clone(),
                rev: Rev::new(u64::try_from(heads[owner] + nth).unwrap_or_default()),
                repeated: false,
                deleted: false,
            });
            PublishOutcome::Stored(stored.collect())
        };
        let requests = self.group.publications.iter();
        requests
            .map(|request| &request.submissions)
            .map(outcome)
            .collect()
    }
}

/// A parameter that is an array.
fn list<'p, R, T: ToSql + Sync + Send + 'p>(
    rows: impl IntoIterator<Item = R>,
    value: impl Fn(R) -> T,
) -> Box<dyn ToSql + Sync + Send + 'p> {
    Box::new(rows.into_iter().map(value).collect::<Vec<T>>())
}

fn to_sql(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
