//! Stores publish requests, each whole or not at all.

use rusqlite::{OptionalExtension as _, Transaction};
use tidings_event::wire::Digest;
use tidings_event::{EventId, OwnerId, SystemId};

use super::feeds::Feeds;
use super::row::{
    EVENT_COLUMN_COUNT, NewRow, STORED_COLUMNS, event_json, insert_events, moment, rev,
};
use crate::store::decide::publish::{Remains, There, limit_of, owner_of};
use crate::store::{Conflict, OverQuota, Publication, PublishOutcome, Stored, Submission};

/// The most events that are inserted together, unless one request has more. A savepoint keeps all pages
/// that change after it in memory, which would be many for a large group.
const TOGETHER: usize = 64;

/// Stores requests in their order.
pub(super) fn store_requests(
    transaction: &Transaction<'_>,
    system: SystemId,
    feeds: &mut Feeds,
    mut requests: &[&Publication],
) -> rusqlite::Result<Vec<PublishOutcome>> {
    let mut outcomes = Vec::with_capacity(requests.len());
    while !requests.is_empty() {
        let now = &requests[..together(requests)];
        // Requests that may not fit their owner's quota, or that may repeat an id, are looked at closely.
        let closely = match store_new(transaction, system, feeds, now)? {
            Some(stored) if stored.is_empty() => &now[..1],
            Some(stored) => {
                requests = &requests[stored.len()..];
                outcomes.extend(stored);
                continue;
            }
            None => now,
        };
        for request in closely {
            outcomes.push(store_one_by_one(transaction, system, feeds, request)?);
        }
        requests = &requests[closely.len()..];
    }
    Ok(outcomes)
}

/// How many of the requests are stored together; at least one.
fn together(requests: &[&Publication]) -> usize {
    let mut events = 0;
    let fit = requests.iter().take_while(|request| {
        events += request.submissions.len();
        events <= TOGETHER
    });
    fit.count().max(1)
}

/// Stores requests whose events are all new, as almost all are, together: those before the first that
/// does not fit its owner's quota. `None` if the owner of one has its id already, and then nothing
/// changed.
fn store_new(
    transaction: &Transaction<'_>,
    system: SystemId,
    feeds: &mut Feeds,
    requests: &[&Publication],
) -> rusqlite::Result<Option<Vec<PublishOutcome>>> {
    let all = requests.iter().flat_map(|request| &request.submissions);
    if feeds.any_deleted(transaction)? {
        for submission in all {
            let owner = owner_of(&submission.event, system);
            let feed = feeds.load(transaction, owner)?.key;
            if is_deleted(transaction, feed, submission.event.id)? {
                return Ok(None);
            }
        }
    }
    let mut rows = Vec::with_capacity(requests.iter().map(|one| one.submissions.len()).sum());
    let mut outcomes = Vec::with_capacity(requests.len());
    for request in requests {
        if !occupy(transaction, system, feeds, request)? {
            break;
        }
        let mut stored = Vec::with_capacity(request.submissions.len());
        for submission in &request.submissions {
            let owner = owner_of(&submission.event, system);
            let key = feeds.next_key(transaction)?;
            let feed = feeds.load(transaction, owner)?;
            let rev = feed.add(key, &submission.event);
            rows.push(NewRow::of_one(key, feed.key, rev, submission));
            stored.push(Stored {
                id: submission.event.id,
                owner,
                json: submission.json.clone(),
                rev,
                repeated: false,
                deleted: false,
            });
        }
        outcomes.push(PublishOutcome::Stored(stored));
    }
    if insert_all(transaction, &rows)? {
        return Ok(Some(outcomes));
    }
    for row in rows {
        let owner = owner_of(&row.submission.event, system);
        feeds.forget_newest(owner, row.submission);
    }
    Ok(None)
}

/// Adds the bytes of all events of a request to their feeds, or of none if one exceeds its owner's quota.
fn occupy(
    transaction: &Transaction<'_>,
    system: SystemId,
    feeds: &mut Feeds,
    request: &Publication,
) -> rusqlite::Result<bool> {
    for (index, submission) in request.submissions.iter().enumerate() {
        let owner = owner_of(&submission.event, system);
        let feed = feeds.load(transaction, owner)?;
        if feed.occupy(submission.stored_bytes(), limit_of(owner, system, request)) {
            continue;
        }
        for submission in &request.submissions[..index] {
            let owner = owner_of(&submission.event, system);
            let feed = feeds.load(transaction, owner)?;
            feed.vacate(submission.stored_bytes());
        }
        return Ok(false);
    }
    Ok(true)
}

/// Inserts events, or none if the feed of one has its id already.
fn insert_all(transaction: &Transaction<'_>, rows: &[NewRow<'_>]) -> rusqlite::Result<bool> {
    // A single statement is atomic.
    if rows.len() <= 1 {
        return insert_events(transaction, rows);
    }
    transaction
        .prepare_cached("SAVEPOINT request")?
        .execute([])?;
    let all = insert_events(transaction, rows)?;
    if !all {
        transaction.execute_batch("ROLLBACK TO request")?;
    }
    transaction.prepare_cached("RELEASE request")?.execute([])?;
    Ok(all)
}

/// Stores one request, or nothing of it if the owner of one of its events has its id with other content
/// or has no room for it. The events are stored one after the other, since each may be a repeat, for
/// which there is always room.
fn store_one_by_one(
    transaction: &Transaction<'_>,
    system: SystemId,
    feeds: &mut Feeds,
    request: &Publication,
) -> rusqlite::Result<PublishOutcome> {
    // Before the savepoint, since a rollback to it must not remove the row of a loaded feed.
    for submission in &request.submissions {
        feeds.load(transaction, owner_of(&submission.event, system))?;
    }
    transaction
        .prepare_cached("SAVEPOINT request")?
        .execute([])?;
    let any_deleted = feeds.any_deleted(transaction)?;
    let mut stored: Vec<Stored> = Vec::with_capacity(request.submissions.len());
    let mut rejected = None;
    for (index, submission) in request.submissions.iter().enumerate() {
        let id = submission.event.id;
        let owner = owner_of(&submission.event, system);
        let key = feeds.next_key(transaction)?;
        let feed = feeds.load(transaction, owner)?;
        let row = NewRow::of_one(key, feed.key, feed.head.next(), submission);
        let was_deleted = any_deleted && is_deleted(transaction, row.feed, id)?;
        if !was_deleted && insert_events(transaction, &[row])? {
            let (bytes, limit) = (submission.stored_bytes(), limit_of(owner, system, request));
            if feed.occupy(bytes, limit) {
                stored.push(Stored {
                    id,
                    owner,
                    json: submission.json.clone(),
                    rev: feed.add(key, &submission.event),
                    repeated: false,
                    deleted: false,
                });
                continue;
            }
            rejected = Some(Rejected::OverQuota { index, owner });
            break;
        }
        match find_repeat(transaction, owner, row)? {
            Some(repeat) => stored.push(repeat),
            None => {
                rejected = Some(Rejected::Conflict(Conflict { index, id }));
                break;
            }
        }
    }
    let Some(rejected) = rejected else {
        transaction.prepare_cached("RELEASE request")?.execute([])?;
        return Ok(PublishOutcome::Stored(stored));
    };
    let added = stored.iter().zip(&request.submissions);
    for (one, submission) in added.filter(|(one, _)| !one.repeated) {
        feeds.forget_newest(one.owner, submission);
    }
    transaction.execute_batch("ROLLBACK TO request; RELEASE request")?;
    Ok(match rejected {
        Rejected::Conflict(conflict) => PublishOutcome::Conflict(conflict),
        Rejected::OverQuota { index, owner } => PublishOutcome::OverQuota(OverQuota {
            index,
            bytes: request.submissions[index].stored_bytes(),
            used: feeds.load(transaction, owner)?.bytes(),
            limit: request.quota.unwrap_or(u64::MAX),
        }),
    })
}

/// Why nothing of a request is stored.
enum Rejected {
    Conflict(Conflict),
    OverQuota { index: usize, owner: OwnerId },
}

/// Whether the feed had an event with this id that was deleted.
fn is_deleted(transaction: &Transaction<'_>, feed: i64, id: EventId) -> rusqlite::Result<bool> {
    transaction
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM tombstone WHERE feed = ?1 AND id = ?2)")?
        .query_row((feed, id.as_uuid().as_bytes()), |row| row.get(0))
}

/// The event of the feed of `row` with the same id and content.
fn find_repeat(
    transaction: &Transaction<'_>,
    owner: OwnerId,
    NewRow {
        feed, submission, ..
    }: NewRow<'_>,
) -> rusqlite::Result<Option<Stored>> {
    let sql = format!(
        "SELECT {STORED_COLUMNS}, event.digest, event.content_rev IS NOT NULL FROM event JOIN feed ON feed.key = event.feed \
         WHERE event.feed = ?1 AND event.id = ?2"
    );
    let id = submission.event.id;
    let there = transaction
        .prepare_cached(&sql)?
        .query_row((feed, id.as_uuid().as_bytes()), |row| {
            Ok(There {
                rev: rev(row, 0)?,
                created_at: moment(row, 10)?,
                json: event_json(row)?,
                digest: Digest::from_bytes(row.get(EVENT_COLUMN_COUNT)?),
                updated: row.get(EVENT_COLUMN_COUNT + 1)?,
                deleted: false,
            })
        })
        .optional()?;
    let found = match there {
        Some(there) => Some(there),
        None => find_deleted(transaction, feed, submission)?,
    };
    Ok(found.and_then(|there| there.repeated_by(submission, owner)))
}

/// The event that the feed had under the id of `submission` and that was deleted.
fn find_deleted(
    transaction: &Transaction<'_>,
    feed: i64,
    submission: &Submission,
) -> rusqlite::Result<Option<There>> {
    transaction
        .prepare_cached(
            "SELECT created_rev, digest, created_at, deleted_at FROM tombstone \
             WHERE feed = ?1 AND id = ?2",
        )?
        .query_row((feed, submission.event.id.as_uuid().as_bytes()), |row| {
            let remains = Remains {
                rev: rev(row, 0)?,
                digest: Digest::from_bytes(row.get(1)?),
                created_at: moment(row, 2)?,
                deleted_at: moment(row, 3)?,
            };
            Ok(There::deleted(remains, submission))
        })
        .optional()
}
