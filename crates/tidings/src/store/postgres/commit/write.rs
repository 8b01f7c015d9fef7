//! Writes what a group has changed and commits it, in one round trip.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::atomic::AtomicU64;

use tidings_event::{OwnerId, Rev};
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::Failure;
use super::pipeline::Pipeline;
use super::recipients::OWN_CONTENT;
use super::state::{Burial, EventSource, EventState, State, Tombstone, UpdatedContent};
use super::subjects::Key;
use crate::store::Submission;
use crate::store::moment::nanoseconds;
use crate::store::postgres::pool::Connection;
use crate::store::postgres::row::{folded, rev_to_sql, severity_number, status_number};

const INSERT_EVENTS: &str = "INSERT INTO event (owner, id, created_rev, changed_rev, severity, status, \
     created_at, updated_at, aged_from, system_id, operation_id, acted_upon, category, action, \
     description, folded, metadata, digest, expires_at, shared) SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], \
     $4::bigint[], $5::smallint[], $6::smallint[], $7::bigint[], $8::bigint[], $9::bigint[], \
     $10::uuid[], $11::uuid[], $12::uuid[], $13::text[], $14::text[], $15::text[], $16::text[], \
     $17::text[], $18::bytea[], $19::bigint[], $20::uuid[])";

/// As in the lookups, the rows are found by their keys one after the other, whatever the planner believes. The
/// lock of the feed keeps them where they are.
const MARK_EVENTS: &str = "UPDATE event SET status = k.status, updated_at = k.updated_at, \
     changed_rev = k.changed_rev FROM (SELECT k.*, found.place \
     FROM unnest($1::uuid[], $2::uuid[], $3::smallint[], $4::bigint[], $5::bigint[]) \
     AS k (owner, id, status, updated_at, changed_rev) CROSS JOIN LATERAL (SELECT ctid AS place \
     FROM event WHERE event.owner = k.owner AND event.id = k.id LIMIT 1) AS found) AS k \
     WHERE event.ctid = k.place";

const UPDATE_EVENTS: &str = "UPDATE event SET severity = k.severity, status = k.status, \
     updated_at = k.updated_at, description = k.description, folded = k.folded, metadata = k.metadata, \
     content_rev = k.content_rev, sequence = k.sequence, shared = k.shared FROM (SELECT k.*, found.place \
     FROM unnest($1::uuid[], $2::uuid[], $3::smallint[], $4::smallint[], $5::bigint[], $6::text[], \
     $7::text[], $8::text[], $9::bigint[], $10::bigint[], $11::uuid[]) \
     AS k (owner, id, severity, status, updated_at, description, folded, metadata, content_rev, sequence, shared) \
     CROSS JOIN LATERAL (SELECT ctid AS place \
     FROM event WHERE event.owner = k.owner AND event.id = k.id LIMIT 1) AS found) AS k \
     WHERE event.ctid = k.place";

/// The events that become members of an audience with their own content.
const JOIN_EVENTS: &str = "UPDATE event SET shared = k.shared FROM (SELECT k.*, found.place \
     FROM unnest($1::uuid[], $2::uuid[], $3::uuid[]) AS k (owner, id, shared) \
     CROSS JOIN LATERAL (SELECT ctid AS place \
     FROM event WHERE event.owner = k.owner AND event.id = k.id LIMIT 1) AS found) AS k \
     WHERE event.ctid = k.place";

const ADD_TEXTS: &str = "INSERT INTO shared_content (key, description, folded, metadata, rows) \
     SELECT k.*, 0 FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[]) AS k";

const COUNT_ROWS: &str = "UPDATE shared_content SET rows = rows + k.added \
     FROM unnest($1::uuid[], $2::bigint[]) AS k (key, added) WHERE shared_content.key = k.key";

const SET_AUDIENCES: &str = "UPDATE audience SET content = k.content, digest = k.digest, \
     created_at = k.created_at, severity = k.severity, sequence = k.sequence, \
     retracted_at = k.retracted_at, members = k.members \
     FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::bytea[], $5::bigint[], $6::smallint[], \
     $7::bigint[], $8::bigint[], $9::bigint[]) AS k (id, system_id, content, digest, created_at, severity, \
     sequence, retracted_at, members) WHERE audience.id = k.id AND audience.system_id = k.system_id";

/// Those that have no member any more, unless a retraction is remembered.
const DROP_AUDIENCES: &str = "DELETE FROM audience USING unnest($1::uuid[], $2::uuid[]) AS k (id, system_id) \
     WHERE audience.id = k.id AND audience.system_id = k.system_id AND audience.members = 0 \
     AND audience.retracted_at IS NULL";

/// The contents that no row has and no new owner gets.
const DROP_TEXTS: &str = "DELETE FROM shared_content USING unnest($1::uuid[]) AS k (key) \
     WHERE shared_content.key = k.key AND shared_content.rows = 0 \
     AND NOT EXISTS (SELECT FROM audience WHERE audience.content = k.key)";

const SET_BLOCKS: &str = "UPDATE search_block SET grams = k.grams \
     FROM unnest($1::uuid[], $2::bigint[], $3::bytea[]) AS k (owner, last_rev, grams) \
     WHERE search_block.owner = k.owner AND search_block.last_rev = k.last_rev";

const NOTE_UPDATES: &str = "INSERT INTO recent_update (owner, rev, id, severity_before, status_before, \
     status_after, at) SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::smallint[], \
     $5::smallint[], $6::smallint[], $7::bigint[])";

const DELETE_EVENTS: &str = "DELETE FROM event USING (SELECT k.*, found.place \
     FROM unnest($1::uuid[], $2::uuid[]) AS k (owner, id) CROSS JOIN LATERAL (SELECT ctid AS place \
     FROM event WHERE event.owner = k.owner AND event.id = k.id LIMIT 1) AS found) AS k \
     WHERE event.ctid = k.place";

const INSERT_TOMBSTONES: &str = "INSERT INTO tombstone (owner, id, created_rev, deleted_rev, digest, \
     created_at, deleted_at) SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[], \
     $5::bytea[], $6::bigint[], $7::bigint[])";

const SET_OVERLAYS: &str = "INSERT INTO overlay (owner, system_rev, changed_rev, severity, status, \
     deleted, updated_at) SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::smallint[], \
     $5::smallint[], $6::boolean[], $7::bigint[]) ON CONFLICT (owner, system_rev) DO UPDATE SET \
     changed_rev = excluded.changed_rev, status = excluded.status, deleted = excluded.deleted, \
     updated_at = excluded.updated_at";

const END_EVENTS: &str = "INSERT INTO ended (owner, system_rev, severity) \
     SELECT $1, * FROM unnest($2::bigint[], $3::smallint[])";

const NOTE_CHANGES: &str = "INSERT INTO recent_change (owner, rev, step, id, system_rev, severity, \
     before, after, updated_before, changed_before, at) SELECT * FROM unnest($1::uuid[], $2::bigint[], \
     $3::bigint[], $4::uuid[], $5::bigint[], $6::smallint[], $7::smallint[], $8::smallint[], \
     $9::bigint[], $10::bigint[], $11::bigint[])";

/// The rows are there, and locked: this finds each by its key, without a join whose order the planner could
/// choose.
const SET_FEEDS: &str = "INSERT INTO feed (owner, head, bytes, deletions, counts, overlay_read, \
     overlay_deleted) SELECT k.owner, k.head, k.bytes, k.deletions, k.counts::bigint[], \
     k.overlay_read::bigint[], k.overlay_deleted::bigint[] \
     FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $5::text[], $6::text[], \
     $7::text[]) AS k (owner, head, bytes, deletions, counts, overlay_read, overlay_deleted) \
     ON CONFLICT (owner) DO UPDATE SET head = excluded.head, bytes = excluded.bytes, \
     deletions = excluded.deletions, counts = excluded.counts, overlay_read = excluded.overlay_read, \
     overlay_deleted = excluded.overlay_deleted";

/// The values of one column, a value for each row.
type Column<'p> = Box<dyn ToSql + Sync + Send + 'p>;

/// A statement with its parameters, most of which are columns of the rows that it writes.
struct Write<'p> {
    sql: &'static str,
    columns: Vec<Column<'p>>,
}

impl<'p> Write<'p> {
    const fn new(sql: &'static str) -> Self {
        Self {
            sql,
            columns: Vec::new(),
        }
    }

    /// Adds a parameter that is the same for all rows.
    fn value(mut self, value: impl ToSql + Sync + Send + 'p) -> Self {
        self.columns.push(Box::new(value));
        self
    }

    /// Adds a column of `rows`.
    fn column<R, T: ToSql + Sync + Send + 'p>(self, rows: &[R], value: impl Fn(&R) -> T) -> Self {
        let column: Vec<T> = rows.iter().map(value).collect();
        self.value(column)
    }
}

/// Writes the changes of `state` and commits them.
pub(super) async fn write(
    connection: &Connection,
    sent: &AtomicU64,
    state: &State<'_>,
) -> Result<(), Failure> {
    let new = InsertedEvents::of(state);
    let writes = writes(state, &new);
    let mut statements = Vec::with_capacity(writes.len());
    for write in &writes {
        statements.push(connection.prepared(write.sql).await?);
    }
    let parameters: Vec<Vec<&(dyn ToSql + Sync)>> = writes
        .iter()
        .map(|write| {
            let columns = write.columns.iter();
            columns
                .map(|column| &**column as &(dyn ToSql + Sync))
                .collect()
        })
        .collect();
    let mut pipeline = Pipeline::new(connection, sent);
    for (statement, parameters) in statements.iter().zip(&parameters) {
        pipeline.send(statement, parameters).await;
    }
    // A statement that could not be sent would be missing in the transaction.
    let is_whole = !pipeline.has_failed();
    pipeline
        .send_simple(if is_whole { "COMMIT" } else { "ROLLBACK" })
        .await;
    match pipeline.finish().await {
        Ok(_) => Ok(()),
        Err(error) if is_whole => Err(Failure::of_commit(error)),
        Err(error) => Err(error.into()),
    }
}

/// The events that the group publishes and that are still there, in the order of their positions.
struct InsertedEvents<'a>(Vec<InsertedEvent<'a>>);

struct InsertedEvent<'a> {
    owner: OwnerId,
    created_rev: Rev,
    stored: &'a EventState<'a>,
    submission: &'a Submission,
    folded: Option<String>,
}

impl<'a> InsertedEvents<'a> {
    fn of(state: &'a State<'a>) -> Self {
        let events = state.events.iter();
        let new = events.filter_map(|((owner, _), stored)| match stored.origin {
            EventSource::Group(submission) => Some(InsertedEvent {
                owner: *owner,
                created_rev: stored.created_rev,
                stored,
                submission,
                folded: match shares(stored) {
                    true => None,
                    false => folded(&submission.event.description),
                },
            }),
            EventSource::Database { .. } => None,
        });
        let mut new: Vec<_> = new.collect();
        // Neighbours in the indexes.
        new.sort_unstable_by_key(|event| (event.owner, event.created_rev));
        Self(new)
    }
}

/// The statements, without those that have no rows.
fn writes<'p>(state: &'p State<'p>, new: &'p InsertedEvents<'p>) -> Vec<Write<'p>> {
    [
        delete_events(state),
        insert_events(new),
        mark_events(state),
        update_events(state),
        join_events(state),
        add_texts(state),
        count_rows(state),
        set_audiences(state),
        drop_audiences(state),
        drop_texts(state),
        set_blocks(state),
        insert_tombstones(state),
        set_overlays(state),
        end_events(state),
        note_changes(state),
        note_updates(state),
        set_feeds(state),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn delete_events<'p>(state: &'p State<'p>) -> Option<Write<'p>> {
    let rows: Vec<_> = deleted(state, Burial::OfStored).collect();
    let write = Write::new(DELETE_EVENTS)
        .column(&rows, |(owner, _, _)| *owner)
        .column(&rows, |(_, id, _)| *id);
    (!rows.is_empty()).then_some(write)
}

fn insert_events<'p>(new: &'p InsertedEvents<'p>) -> Option<Write<'p>> {
    let rows: Vec<&'p InsertedEvent<'p>> = new.0.iter().collect();
    let write = Write::new(INSERT_EVENTS)
        .column(&rows, |row| *row.owner.as_uuid())
        .column(&rows, |row| *row.submission.event.id.as_uuid())
        .column(&rows, |row| rev_to_sql(row.created_rev))
        .column(&rows, |row| row.stored.changed_rev.map(rev_to_sql))
        .column(&rows, |row| severity_number(row.stored.severity))
        .column(&rows, |row| status_number(row.stored.status))
        .column(&rows, |row| nanoseconds(row.stored.created_at))
        .column(&rows, |row| nanoseconds(row.stored.updated_at))
        .column(&rows, |row| row.submission.aged_from.map(nanoseconds))
        .column(&rows, |row| *row.submission.event.system_id.as_uuid())
        .column(&rows, |row| *row.submission.event.operation_id.as_uuid())
        .column(&rows, |row| *row.submission.event.acted_upon.as_uuid())
        .column(&rows, |row| row.submission.event.category.as_str())
        .column(&rows, |row| row.submission.event.action.as_str())
        .column(&rows, |row| match shares(row.stored) {
            true => "",
            false => row.submission.event.description.as_str(),
        })
        .column(&rows, |row| row.folded.as_deref())
        .column(&rows, |row| {
            let metadata = row.submission.metadata.as_deref();
            metadata.filter(|_| !shares(row.stored))
        })
        .column(&rows, |row| &row.stored.digest.as_bytes()[..])
        .column(&rows, |row| {
            row.submission.event.expires_at.map(nanoseconds)
        })
        .column(&rows, |row| row.stored.shared);
    (!rows.is_empty()).then_some(write)
}

fn mark_events<'p>(state: &'p State<'p>) -> Option<Write<'p>> {
    let is_marked = |event: &EventState<'_>| {
        let EventSource::Database { is_marked, .. } = event.origin else {
            return false;
        };
        is_marked
    };
    let events = state.events.iter();
    let rows: Vec<_> = events.filter(|(_, event)| is_marked(event)).collect();
    let write = Write::new(MARK_EVENTS)
        .column(&rows, |((owner, _), _)| *owner.as_uuid())
        .column(&rows, |((_, id), _)| *id.as_uuid())
        .column(&rows, |(_, event)| status_number(event.status))
        .column(&rows, |(_, event)| nanoseconds(event.updated_at))
        .column(&rows, |(_, event)| event.changed_rev.map(rev_to_sql));
    (!rows.is_empty()).then_some(write)
}

fn update_events<'p>(state: &'p State<'p>) -> Option<Write<'p>> {
    let rows: Vec<_> = updated(state).collect();
    let write = Write::new(UPDATE_EVENTS)
        .column(&rows, |((owner, _), ..)| *owner.as_uuid())
        .column(&rows, |((_, id), ..)| *id.as_uuid())
        .column(&rows, |(_, event, _)| severity_number(event.severity))
        .column(&rows, |(_, event, _)| status_number(event.status))
        .column(&rows, |(_, event, _)| nanoseconds(event.updated_at))
        .column(&rows, |(_, event, content)| match shares(event) {
            true => "",
            false => content.before.event.description.as_str(),
        })
        .column(&rows, |(_, event, content)| match shares(event) {
            true => None,
            false => folded(&content.before.event.description),
        })
        .column(&rows, |(_, event, content)| {
            let metadata = content.before.metadata.as_deref();
            metadata.filter(|_| !shares(event))
        })
        .column(&rows, |(.., content)| content.rev.map(rev_to_sql))
        .column(&rows, |(.., content)| {
            content.before.sequence.map(number_to_sql)
        })
        .column(&rows, |(_, event, _)| event.shared);
    (!rows.is_empty()).then_some(write)
}

/// Whether an event has its content with those of other owners.
fn shares(event: &EventState<'_>) -> bool {
    event.shared.is_some_and(|shared| shared != OWN_CONTENT)
}

fn join_events<'p>(state: &'p State<'p>) -> Option<Write<'p>> {
    let joins = |event: &EventState<'_>| {
        event.joins && matches!(event.origin, EventSource::Database { .. })
    };
    let events = state.events.iter();
    let rows: Vec<_> = events.filter(|(_, event)| joins(event)).collect();
    let write = Write::new(JOIN_EVENTS)
        .column(&rows, |((owner, _), _)| *owner.as_uuid())
        .column(&rows, |((_, id), _)| *id.as_uuid())
        .column(&rows, |(_, event)| event.shared);
    (!rows.is_empty()).then_some(write)
}

fn add_texts<'p>(state: &'p State<'p>) -> Option<Write<'p>> {
    let texts = state.texts.iter();
    let rows: Vec<_> = texts.filter(|(_, text)| text.is_new).collect();
    let write = Write::new(ADD_TEXTS)
        .column(&rows, |(key, _)| **key)
        .column(&rows, |(_, text)| text.description.as_str())
        .column(&rows, |(_, text)| folded(&text.description))
        .column(&rows, |(_, text)| text.metadata.as_deref());
    (!rows.is_empty()).then_some(write)
}

fn count_rows<'p>(state: &'p State<'p>) -> Option<Write<'p>> {
    let rows = state.content_rows.iter();
    let rows: Vec<_> = rows.filter(|(_, added)| **added != 0).collect();
    let write = Write::new(COUNT_ROWS)
        .column(&rows, |(key, _)| **key)
        .column(&rows, |(_, added)| **added);
    (!rows.is_empty()).then_some(write)
}

fn set_audiences<'p>(state: &'p State<'p>) -> Option<Write<'p>> {
    let audiences = state.audiences.iter();
    let rows: Vec<_> = audiences.filter(|(_, one)| one.is_changed).collect();
    let write = Write::new(SET_AUDIENCES)
        .column(&rows, |((id, _), _)| *id.as_uuid())
        .column(&rows, |((_, system), _)| *system.as_uuid())
        .column(&rows, |(_, one)| one.record.content)
        .column(&rows, |(_, one)| &one.record.digest.as_bytes()[..])
        .column(&rows, |(_, one)| nanoseconds(one.record.created_at))
        .column(&rows, |(_, one)| severity_number(one.record.severity))
        .column(&rows, |(_, one)| one.record.sequence.map(number_to_sql))
        .column(&rows, |(_, one)| one.record.retracted_at.map(nanoseconds))
        .column(&rows, |(_, one)| number_to_sql(one.record.members));
    (!rows.is_empty()).then_some(write)
}

fn drop_audiences<'p>(state: &'p State<'p>) -> Option<Write<'p>> {
    let audiences = state.audiences.iter();
    let rows: Vec<_> = audiences
        .filter(|(_, one)| one.is_changed && one.is_empty())
        .collect();
    let write = Write::new(DROP_AUDIENCES)
        .column(&rows, |((id, _), _)| *id.as_uuid())
        .column(&rows, |((_, system), _)| *system.as_uuid());
    (!rows.is_empty()).then_some(write)
}

fn drop_texts<'p>(state: &'p State<'p>) -> Option<Write<'p>> {
    let rows = state.content_rows.iter();
    let rows: Vec<_> = rows.filter(|(_, added)| **added <= 0).collect();
    let write = Write::new(DROP_TEXTS).column(&rows, |(key, _)| **key);
    (!rows.is_empty()).then_some(write)
}

/// The blocks of the search index that have new texts. Two events can be in one block, each with its own texts.
fn set_blocks<'p>(state: &'p State<'p>) -> Option<Write<'p>> {
    let mut blocks: BTreeMap<(Uuid, i64), Vec<u8>> = BTreeMap::new();
    for ((owner, _), _, content) in updated(state) {
        let Some(block) = content.block.as_ref().filter(|block| block.is_changed) else {
            continue;
        };
        let key = (*owner.as_uuid(), block.last_rev);
        match blocks.entry(key) {
            Entry::Vacant(vacant) => drop(vacant.insert(block.grams.clone())),
            Entry::Occupied(mut both) => {
                let other = both.get_mut().iter_mut();
                other
                    .zip(&block.grams)
                    .for_each(|(byte, more)| *byte |= more);
            }
        }
    }
    let rows: Vec<_> = blocks.into_iter().collect();
    let write = Write::new(SET_BLOCKS)
        .column(&rows, |((owner, _), _)| *owner)
        .column(&rows, |((_, last_rev), _)| *last_rev)
        .column(&rows, |(_, grams)| grams.clone());
    (!rows.is_empty()).then_some(write)
}

/// The events with new content.
fn updated<'p>(
    state: &'p State<'p>,
) -> impl Iterator<Item = (&'p Key, &'p EventState<'p>, &'p UpdatedContent)> {
    state.events.iter().filter_map(|(key, event)| {
        let content = event.content.as_deref().filter(|content| content.is_new)?;
        Some((key, event, content))
    })
}

fn note_updates<'p>(state: &'p State<'p>) -> Option<Write<'p>> {
    let rows = &state.updates;
    let write = Write::new(NOTE_UPDATES)
        .column(rows, |one| *one.owner.as_uuid())
        .column(rows, |one| rev_to_sql(one.rev))
        .column(rows, |one| *one.id.as_uuid())
        .column(rows, |one| severity_number(one.severity_before))
        .column(rows, |one| status_number(one.status_before))
        .column(rows, |one| status_number(one.status_after))
        .column(rows, |one| nanoseconds(one.at));
    (!rows.is_empty()).then_some(write)
}

fn insert_tombstones<'p>(state: &'p State<'p>) -> Option<Write<'p>> {
    let buried = [Burial::OfStored, Burial::OfNew].into_iter();
    let rows: Vec<_> = buried.flat_map(|burial| deleted(state, burial)).collect();
    let write = Write::new(INSERT_TOMBSTONES)
        .column(&rows, |(owner, _, _)| *owner)
        .column(&rows, |(_, id, _)| *id)
        .column(&rows, |(_, _, one)| rev_to_sql(one.remains.rev))
        .column(&rows, |(_, _, one)| rev_to_sql(one.deleted_rev))
        .column(&rows, |(_, _, one)| &one.remains.digest.as_bytes()[..])
        .column(&rows, |(_, _, one)| nanoseconds(one.remains.created_at))
        .column(&rows, |(_, _, one)| nanoseconds(one.remains.deleted_at));
    (!rows.is_empty()).then_some(write)
}

fn set_overlays<'p>(state: &'p State<'p>) -> Option<Write<'p>> {
    let overlays = state.overlays.iter();
    let rows: Vec<_> = overlays.filter(|(_, overlay)| overlay.is_changed).collect();
    let write = Write::new(SET_OVERLAYS)
        .column(&rows, |((owner, _), _)| *owner.as_uuid())
        .column(&rows, |((_, system_rev), _)| rev_to_sql(*system_rev))
        .column(&rows, |(_, overlay)| rev_to_sql(overlay.changed_rev))
        .column(&rows, |(_, overlay)| severity_number(overlay.severity))
        .column(&rows, |(_, overlay)| status_number(overlay.state.status))
        .column(&rows, |(_, overlay)| overlay.state.deleted)
        .column(&rows, |(_, overlay)| nanoseconds(overlay.updated_at));
    (!rows.is_empty()).then_some(write)
}

fn end_events<'p>(state: &'p State<'p>) -> Option<Write<'p>> {
    let rows = &state.ending.ended;
    let write = Write::new(END_EVENTS)
        .value(*state.identity.system.as_uuid())
        .column(rows, |(rev, _)| rev_to_sql(*rev))
        .column(rows, |(_, severity)| severity_number(*severity));
    (!rows.is_empty()).then_some(write)
}

fn note_changes<'p>(state: &'p State<'p>) -> Option<Write<'p>> {
    let rows = &state.changes;
    let write = Write::new(NOTE_CHANGES)
        .column(rows, |one| *one.owner.as_uuid())
        .column(rows, |one| rev_to_sql(one.rev))
        .column(rows, |one| rev_to_sql(one.step))
        .column(rows, |one| *one.id.as_uuid())
        .column(rows, |one| one.system_rev.map(rev_to_sql))
        .column(rows, |one| severity_number(one.severity))
        .column(rows, |one| status_number(one.before))
        .column(rows, |one| one.after.map(status_number))
        .column(rows, |one| nanoseconds(one.updated_before))
        .column(rows, |one| one.changed_before.map(rev_to_sql))
        .column(rows, |one| nanoseconds(one.at));
    (!rows.is_empty()).then_some(write)
}

fn set_feeds<'p>(state: &'p State<'p>) -> Option<Write<'p>> {
    let feeds = state.feeds.iter();
    let rows: Vec<_> = feeds.filter(|(_, feed)| feed.is_changed).collect();
    let write = Write::new(SET_FEEDS)
        .column(&rows, |(owner, _)| *owner.as_uuid())
        .column(&rows, |(_, feed)| rev_to_sql(feed.head))
        .column(&rows, |(_, feed)| number_to_sql(feed.bytes))
        .column(&rows, |(_, feed)| number_to_sql(feed.deletions))
        .column(&rows, |(_, feed)| array(feed.counts.by_number()))
        .column(&rows, |(_, feed)| array(&feed.overlays_read))
        .column(&rows, |(_, feed)| array(&feed.overlays_deleted));
    (!rows.is_empty()).then_some(write)
}

/// The tombstones that the group adds.
fn deleted<'p>(
    state: &'p State<'_>,
    burial: Burial,
) -> impl Iterator<Item = (Uuid, Uuid, &'p Tombstone)> {
    let tombstones = state.tombstones.iter();
    let added = tombstones.filter(move |(_, tombstone)| tombstone.burial == Some(burial));
    added.map(|((owner, id), tombstone)| (*owner.as_uuid(), *id.as_uuid(), tombstone))
}

fn number_to_sql(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// An array as PostgreSQL writes it: the element of an array cannot be an array.
fn array<T: std::fmt::Display>(numbers: &[T]) -> String {
    let numbers: Vec<String> = numbers.iter().map(ToString::to_string).collect();
    format!("{{{}}}", numbers.join(","))
}
