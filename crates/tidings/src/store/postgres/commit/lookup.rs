//! Locks the feeds of a group and looks up its events, in one round trip. A second one is needed if a feed is
//! missing, or if there can be tombstones.
//!
//! All statements look rows up by their keys, one by one in the order of the parameters. `LATERAL` keeps
//! that order whatever the planner believes about the sizes of the tables, and so nodes lock in one order.

mod audiences;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tidings_event::{EventId, OwnerId, Rev, Severity};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::Failure;
use super::columns::{digest, get};
use super::pipeline::Pipeline;
use super::state::{
    EventSource, EventState, Feed, Overlay, SearchBlock, State, Tombstone, UpdatedContent,
};
use super::subjects::{Key, Subjects};
use crate::ended_overlay::EndedOverlay;
use crate::store::decide::change::{MAX_ENDED, UsersState};
use crate::store::decide::publish::Remains;
use crate::store::decide::update::BeforeUpdate;
use crate::store::kind::{Kind, KindCounts};
use crate::store::postgres::pool::Connection;
use crate::store::postgres::row::{
    description, event_json, id, metadata, moment, number, owner, rev, severity, status,
    stored_bytes, with_event,
};
use crate::store::{StoreError, StoreIdentity};

pub(super) const MAKE_FEEDS: &str = "INSERT INTO feed (owner) SELECT k.owner FROM unnest($1::uuid[]) AS k (owner) \
     ON CONFLICT DO NOTHING RETURNING owner";

/// Also returns the epoch of the database. If the statement waited for a move, the move has changed the epoch.
pub(in crate::store::postgres) const LOCK_FEEDS: &str = "SELECT feed.owner, feed.head, feed.bytes, feed.deletions, feed.counts, \
     feed.overlay_read, feed.overlay_deleted, (SELECT epoch FROM installation) \
     FROM unnest($1::uuid[]) AS k (owner) \
     CROSS JOIN LATERAL (SELECT * FROM feed WHERE feed.owner = k.owner FOR UPDATE) AS feed";

/// The system's events that the system changes. The lock comes before the deletion, in the order of the ids.
const SYSTEM_EVENTS: &str = concat!(
    "SELECT event.owner, event.id, event.created_rev, event.changed_rev, \
     event.severity, event.status, event.created_at, event.updated_at, event.digest, event.bytes, event.system_id, event.shared \
     FROM unnest($1::uuid[]) AS k (id) CROSS JOIN LATERAL (SELECT *, \
     ",
    stored_bytes!(),
    " AS bytes \
     FROM event WHERE event.owner = $2 AND event.id = k.id FOR UPDATE) AS event"
);

/// The system's events that users change, with the overlays of these users. The lock keeps the event until
/// the overlay is committed.
const SEEN_EVENTS: &str = "SELECT event.owner, event.id, event.created_rev, event.changed_rev, \
     event.severity, event.status, event.created_at, event.updated_at, event.digest, event.bytes, event.system_id, event.shared, \
     k.owner, overlay.status, overlay.deleted, overlay.changed_rev, overlay.updated_at \
     FROM unnest($1::uuid[], $2::uuid[]) AS k (id, owner) \
     CROSS JOIN LATERAL (SELECT *, 0 AS bytes \
     FROM event WHERE event.owner = $3 AND event.id = k.id FOR KEY SHARE) AS event \
     LEFT JOIN LATERAL (SELECT * FROM overlay WHERE overlay.owner = k.owner \
     AND overlay.system_rev = event.created_rev LIMIT 1) AS overlay ON true";

const OWN_EVENTS: &str = concat!(
    "SELECT event.owner, event.id, event.created_rev, event.changed_rev, \
     event.severity, event.status, event.created_at, event.updated_at, event.digest, event.bytes, event.system_id, event.shared \
     FROM unnest($1::uuid[], $2::uuid[]) AS k (owner, id) CROSS JOIN LATERAL (SELECT *, \
     ",
    stored_bytes!(),
    " AS bytes \
     FROM event WHERE event.owner = k.owner AND event.id = k.id LIMIT 1) AS event"
);

/// The events that are published again: first the columns of their JSON.
const PUBLISHED_EVENTS: &str = concat!(
    "SELECT event.created_rev, event.id, event.owner, event.system_id, \
     event.operation_id, event.acted_upon, event.category, event.action, event.severity, event.status, \
     event.created_at, event.updated_at, ",
    description!(),
    ", ",
    metadata!(),
    ", event.expires_at, event.changed_rev, \
     event.digest, event.bytes, event.content_rev, event.shared \
     FROM unnest($1::uuid[], $2::uuid[]) AS k (owner, id) CROSS JOIN LATERAL (SELECT *, \
     ",
    stored_bytes!(),
    " AS bytes \
     FROM event WHERE event.owner = k.owner AND event.id = k.id LIMIT 1) AS event"
);

/// The events that are updated: first the columns of [`PUBLISHED_EVENTS`], then the rest of their content, and the block
/// of the search index that each is in.
const UPDATED_EVENTS: &str = concat!(
    "SELECT event.created_rev, event.id, event.owner, event.system_id, \
     event.operation_id, event.acted_upon, event.category, event.action, event.severity, event.status, \
     event.created_at, event.updated_at, ",
    description!(),
    ", ",
    metadata!(),
    ", event.expires_at, event.changed_rev, \
     event.digest, event.bytes, event.content_rev, event.shared, event.sequence, block.last_rev, block.grams \
     FROM unnest($1::uuid[], $2::uuid[]) AS k (owner, id) CROSS JOIN LATERAL (SELECT *, \
     ",
    stored_bytes!(),
    " AS bytes \
     FROM event WHERE event.owner = k.owner AND event.id = k.id LIMIT 1) AS event \
     LEFT JOIN LATERAL (SELECT search_block.last_rev, search_block.grams FROM search_block \
     WHERE search_block.owner = k.owner AND search_block.last_rev >= event.created_rev \
     AND search_block.first_rev <= event.created_rev ORDER BY search_block.last_rev LIMIT 1) \
     AS block ON true"
);

const TOMBSTONES: &str = "SELECT tombstone.owner, tombstone.id, tombstone.created_rev, tombstone.digest, \
     tombstone.created_at, tombstone.deleted_at, tombstone.deleted_rev \
     FROM unnest($1::uuid[], $2::uuid[]) AS k (owner, id) CROSS JOIN LATERAL (SELECT * FROM tombstone \
     WHERE tombstone.owner = k.owner AND tombstone.id = k.id LIMIT 1) AS tombstone";

/// The overlays of the system's events that end. `$3` bounds those of all events.
const ENDING_OVERLAYS: &str = "SELECT event.created_rev, event.severity, overlay.owner, \
     overlay.changed_rev, overlay.status, overlay.deleted \
     FROM unnest($1::uuid[]) AS k (id) \
     CROSS JOIN LATERAL (SELECT created_rev, severity FROM event WHERE event.owner = $2 \
     AND event.id = k.id LIMIT 1) AS event \
     CROSS JOIN LATERAL (SELECT owner, changed_rev, status, deleted FROM overlay \
     WHERE overlay.system_rev = event.created_rev LIMIT $3) AS overlay LIMIT $3";

/// The most overlays that are read for all events that end: one more than a step reports, which shows that there
/// are too many.
const ENDING_ROWS: usize = MAX_ENDED + 1;

/// One of the statements.
#[derive(Clone, Copy, Debug)]
enum Lookup {
    MakeFeeds,
    Feeds,
    SystemEvents,
    SeenEvents,
    OwnEvents,
    PublishedEvents,
    UpdatedEvents,
    Tombstones,
    EndingOverlays,
    MakeAudiences,
    Audiences,
    Texts,
}

/// A statement with its parameters.
struct BoundLookup {
    lookup: Lookup,
    parameters: Vec<Box<dyn ToSql + Sync + Send>>,
}

impl Lookup {
    const fn sql(self) -> &'static str {
        match self {
            Self::MakeFeeds => MAKE_FEEDS,
            Self::Feeds => LOCK_FEEDS,
            Self::SystemEvents => SYSTEM_EVENTS,
            Self::SeenEvents => SEEN_EVENTS,
            Self::OwnEvents => OWN_EVENTS,
            Self::PublishedEvents => PUBLISHED_EVENTS,
            Self::UpdatedEvents => UPDATED_EVENTS,
            Self::Tombstones => TOMBSTONES,
            Self::EndingOverlays => ENDING_OVERLAYS,
            Self::MakeAudiences => audiences::MAKE,
            Self::Audiences => audiences::LOCK,
            Self::Texts => audiences::TEXTS,
        }
    }
}

impl BoundLookup {
    /// The statements for a group, in the order in which they lock. Those without subjects are left out.
    fn all(subjects: &Subjects, identity: StoreIdentity, makes_feeds: bool) -> Vec<Self> {
        let uuids_of = |owners: &BTreeSet<OwnerId>| -> Vec<Uuid> {
            owners.iter().map(|owner| *owner.as_uuid()).collect()
        };
        let system = *identity.system.as_uuid();
        let mut queries = Vec::new();
        if makes_feeds {
            queries.push(Self {
                lookup: Lookup::MakeFeeds,
                parameters: vec![Box::new(uuids_of(&subjects.made))],
            });
        }
        queries.push(Self {
            lookup: Lookup::Feeds,
            parameters: vec![Box::new(uuids_of(&subjects.owners))],
        });
        let mut add = |lookup, is_empty: bool, parameters| {
            if !is_empty {
                queries.push(Self { lookup, parameters });
            }
        };
        let fanned = &subjects.fanned_out;
        add(
            Lookup::MakeAudiences,
            fanned.is_empty(),
            audiences::parameters(fanned),
        );
        let locked = &subjects.audiences;
        add(
            Lookup::Audiences,
            locked.is_empty(),
            vec![Box::new(uuids(locked))],
        );
        let texts = &subjects.texts;
        add(
            Lookup::Texts,
            texts.is_empty(),
            vec![Box::new(uuids(texts))],
        );
        let of_system = &subjects.of_system;
        let ids = uuids(of_system);
        add(
            Lookup::SystemEvents,
            of_system.is_empty(),
            vec![Box::new(ids), Box::new(system)],
        );
        let seen = &subjects.by_users;
        let (ids, owners): (Vec<Uuid>, Vec<Uuid>) = seen
            .iter()
            .map(|(id, owner)| (*id.as_uuid(), *owner.as_uuid()))
            .unzip();
        add(
            Lookup::SeenEvents,
            seen.is_empty(),
            vec![Box::new(ids), Box::new(owners), Box::new(system)],
        );
        for (lookup, keys) in [
            (Lookup::OwnEvents, &subjects.own),
            (Lookup::PublishedEvents, &subjects.published),
            (Lookup::UpdatedEvents, &subjects.updated),
        ] {
            add(lookup, keys.is_empty(), columns(keys));
        }
        let ending = &subjects.ending;
        add(
            Lookup::EndingOverlays,
            ending.is_empty(),
            vec![
                Box::new(uuids(ending)),
                Box::new(system),
                Box::new(ENDING_ROWS as i64),
            ],
        );
        queries
    }
}

fn uuids(ids: &BTreeSet<EventId>) -> Vec<Uuid> {
    ids.iter().map(|id| *id.as_uuid()).collect()
}

fn columns<'k>(keys: impl IntoIterator<Item = &'k Key>) -> Vec<Box<dyn ToSql + Sync + Send>> {
    let keys = keys.into_iter();
    let (owners, ids): (Vec<Uuid>, Vec<Uuid>) = keys
        .map(|(owner, id)| (*owner.as_uuid(), *id.as_uuid()))
        .unzip();
    vec![Box::new(owners), Box::new(ids)]
}

/// Whether the next group is expected to have an owner without a feed, as the last ones had. A wrong guess costs a
/// round trip or a statement.
#[derive(Debug, Default)]
pub(super) struct Newcomers(AtomicBool);

impl Newcomers {
    pub(super) fn are_expected(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    pub(super) fn note(&self, there_are: bool) {
        self.0.store(there_are, Ordering::Relaxed);
    }
}

/// Begins a transaction, locks the feeds of the group and reads what it needs. Feeds that are missing are
/// made.
pub(super) async fn look_up<'a>(
    connection: &Connection,
    sent: &AtomicU64,
    subjects: &Subjects,
    identity: StoreIdentity,
    newcomers: &Newcomers,
) -> Result<State<'a>, Failure> {
    let mut makes_feeds = newcomers.are_expected();
    loop {
        let begin = match connection.takes_new_plans() {
            true => "DISCARD PLANS; BEGIN",
            false => "BEGIN",
        };
        let mut state = State::new(identity);
        let queries = BoundLookup::all(subjects, identity, makes_feeds);
        let made = ask(connection, sent, Some(begin), &queries, &mut state).await?;
        let is_missing = !subjects
            .made
            .iter()
            .all(|owner| state.feeds.contains_key(owner));
        newcomers.note(made > 0 || is_missing);
        if is_missing && !makes_feeds {
            // From the beginning, since locks are taken in the order of the owners.
            ask(connection, sent, Some("ROLLBACK"), &[], &mut state).await?;
            makes_feeds = true;
            continue;
        }
        // Another node has created a feed after the lock looked for it and before its events were read. It must not
        // change without the lock.
        let has_event = |owner: &OwnerId| state.events.keys().any(|(of, _)| of == owner);
        let is_unlocked = |owner: &&OwnerId| !state.feeds.contains_key(*owner) && has_event(owner);
        if subjects.owners.iter().any(|owner| is_unlocked(&owner)) {
            ask(connection, sent, Some("ROLLBACK"), &[], &mut state).await?;
            continue;
        }
        // The feed says whether there are any, and the lock keeps it so.
        let deleted = subjects.deleted.iter().filter(|(owner, _)| {
            let feed = state.feeds.get(owner);
            feed.is_none_or(|feed| feed.deletions > 0)
        });
        let deleted: Vec<&Key> = deleted.collect();
        if !deleted.is_empty() {
            let query = BoundLookup {
                lookup: Lookup::Tombstones,
                parameters: columns(deleted),
            };
            ask(connection, sent, None, &[query], &mut state).await?;
        }
        return Ok(state);
    }
}

/// Sends statements in one round trip, and adds what they return to the state. Returns how many feeds were made.
async fn ask(
    connection: &Connection,
    sent: &AtomicU64,
    first: Option<&'static str>,
    queries: &[BoundLookup],
    state: &mut State<'_>,
) -> Result<usize, Failure> {
    let mut statements = Vec::with_capacity(queries.len());
    for query in queries {
        statements.push(connection.prepared(query.lookup.sql()).await?);
    }
    let parameters: Vec<Vec<&(dyn ToSql + Sync)>> = queries
        .iter()
        .map(|query| {
            let values = query.parameters.iter();
            values
                .map(|value| &**value as &(dyn ToSql + Sync))
                .collect()
        })
        .collect();
    let mut pipeline = Pipeline::new(connection, sent);
    if let Some(first) = first {
        pipeline.send_simple(first).await;
    }
    for (statement, parameters) in statements.iter().zip(&parameters) {
        pipeline.send(statement, parameters).await;
    }
    let responses = pipeline.finish().await?;
    let responses = responses.iter().skip(usize::from(first.is_some()));
    let mut made = 0;
    for (query, rows) in queries.iter().zip(responses) {
        for row in rows {
            let is_feed = matches!(query.lookup, Lookup::Feeds);
            if is_feed && get::<Uuid>(row, 7)? != *state.identity.epoch.as_uuid() {
                return Err(Failure::Replaced);
            }
            read(query.lookup, row, state)?;
        }
        match query.lookup {
            Lookup::MakeFeeds => made = rows.len(),
            Lookup::EndingOverlays if rows.len() >= ENDING_ROWS => state.ending.is_cut = true,
            _ => {}
        }
    }
    Ok(made)
}

/// Adds a row to the state.
fn read(lookup: Lookup, row: &Row, state: &mut State<'_>) -> Result<(), StoreError> {
    match lookup {
        Lookup::MakeFeeds => {}
        Lookup::Feeds => {
            let counts: Vec<i64> = get(row, 4)?;
            let mut by_number = [0; Kind::NUMBER];
            for (known, count) in by_number.iter_mut().zip(counts) {
                *known = u64::try_from(count).unwrap_or_default();
            }
            let feed = Feed {
                head: rev(row, 1)?,
                bytes: number(row, 2)?,
                deletions: number(row, 3)?,
                counts: KindCounts::from(by_number),
                overlays_read: by_severity(row, 5)?,
                overlays_deleted: by_severity(row, 6)?,
                is_changed: false,
            };
            state.feeds.insert(owner(row, 0)?, feed);
        }
        Lookup::SystemEvents | Lookup::OwnEvents => {
            let (key, event) = event(row)?;
            state.events.insert(key, event);
        }
        Lookup::SeenEvents => {
            let (key, event) = event(row)?;
            if let Some(is_deleted) = get::<Option<bool>>(row, 14)? {
                let overlay = Overlay {
                    state: UsersState {
                        status: status(row, 13)?,
                        deleted: is_deleted,
                    },
                    severity: event.severity,
                    changed_rev: rev(row, 15)?,
                    updated_at: moment(row, 16)?,
                    is_changed: false,
                };
                let key = (owner(row, 12)?, event.created_rev);
                state.overlays.insert(key, overlay);
            }
            // The system's own lookup knows more of the event.
            state.events.entry(key).or_insert(event);
        }
        Lookup::PublishedEvents | Lookup::UpdatedEvents => {
            let key = (owner(row, 2)?, id(row, 1)?);
            let content = match lookup {
                Lookup::UpdatedEvents => Some(Box::new(content(row)?)),
                _ => None,
            };
            let event = EventState {
                created_rev: rev(row, 0)?,
                changed_rev: optional_rev(row, 15)?,
                system_id: get::<Uuid>(row, 3)?.into(),
                severity: severity(row, 8)?,
                status: status(row, 9)?,
                created_at: moment(row, 10)?,
                updated_at: moment(row, 11)?,
                digest: digest(row, 16)?,
                bytes: bytes(row, 17)?,
                is_updated: optional_rev(row, 18)?.is_some(),
                content,
                shared: get(row, 19)?,
                joins: false,
                origin: EventSource::Database {
                    json: Some(event_json(row)?),
                    is_marked: false,
                },
            };
            state.events.insert(key, event);
        }
        Lookup::Tombstones => {
            let key = (owner(row, 0)?, id(row, 1)?);
            let tombstone = Tombstone {
                remains: Remains {
                    rev: rev(row, 2)?,
                    digest: digest(row, 3)?,
                    created_at: moment(row, 4)?,
                    deleted_at: moment(row, 5)?,
                },
                deleted_rev: rev(row, 6)?,
                burial: None,
            };
            state.tombstones.insert(key, tombstone);
        }
        Lookup::MakeAudiences | Lookup::Audiences => audiences::read(row, state)?,
        Lookup::Texts => audiences::read_text(row, state)?,
        Lookup::EndingOverlays => {
            let event = rev(row, 0)?;
            let is_deleted: bool = get(row, 5)?;
            let status = status(row, 4)?;
            let overlay = EndedOverlay {
                owner: owner(row, 2)?,
                changed_rev: rev(row, 3)?,
                severity: severity(row, 1)?,
                status: (!is_deleted).then_some(status),
            };
            state
                .ending
                .overlays
                .entry(event)
                .or_default()
                .push(overlay);
        }
    }
    Ok(())
}

/// Reads the columns that most lookups of events begin with.
fn event(row: &Row) -> Result<(Key, EventState<'static>), StoreError> {
    let event = EventState {
        created_rev: rev(row, 2)?,
        changed_rev: optional_rev(row, 3)?,
        system_id: get::<Uuid>(row, 10)?.into(),
        severity: severity(row, 4)?,
        status: status(row, 5)?,
        created_at: moment(row, 6)?,
        updated_at: moment(row, 7)?,
        digest: digest(row, 8)?,
        bytes: bytes(row, 9)?,
        // Only a repeat needs the JSON.
        is_updated: false,
        content: None,
        shared: get(row, 11)?,
        joins: false,
        origin: EventSource::Database {
            json: None,
            is_marked: false,
        },
    };
    Ok(((owner(row, 0)?, id(row, 1)?), event))
}

/// Reads the content of an event that is updated.
fn content(row: &Row) -> Result<UpdatedContent, StoreError> {
    let (event, metadata) = with_event(row, |fields| {
        (fields.without_metadata(), fields.metadata.map(Box::from))
    })?;
    let sequence: Option<i64> = get(row, 20)?;
    let last_rev: Option<i64> = get(row, 21)?;
    let grams: Option<Vec<u8>> = get(row, 22)?;
    Ok(UpdatedContent {
        before: BeforeUpdate {
            event,
            metadata,
            sequence: sequence.map(i64::unsigned_abs),
        },
        rev: optional_rev(row, 18)?,
        block: last_rev.zip(grams).map(|(last_rev, grams)| SearchBlock {
            last_rev,
            grams,
            is_changed: false,
        }),
        is_new: false,
    })
}

fn optional_rev(row: &Row, index: usize) -> Result<Option<Rev>, StoreError> {
    match get::<Option<i64>>(row, index)? {
        Some(_) => Ok(Some(rev(row, index)?)),
        None => Ok(None),
    }
}

/// Reads a size, which PostgreSQL computes as a 32-bit number.
fn bytes(row: &Row, index: usize) -> Result<u64, StoreError> {
    Ok(u64::try_from(get::<i32>(row, index)?).unwrap_or_default())
}

fn by_severity(row: &Row, index: usize) -> Result<[i64; Severity::ALL.len()], StoreError> {
    let counts: Vec<i64> = get(row, index)?;
    let mut by_severity = [0; Severity::ALL.len()];
    for (known, count) in by_severity.iter_mut().zip(counts) {
        *known = count;
    }
    Ok(by_severity)
}
