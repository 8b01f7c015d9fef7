//! Storing a publish request, whole or not at all.

use bytes::Bytes;
use rusqlite::{OptionalExtension as _, Transaction};
use tidings_event::{Digest, Event, EventId, OwnerId, SystemId};

use super::feeds::Feeds;
use super::row::{EVENT_COLUMN_COUNT, STORED_COLUMNS, insert_event, moment, read_event, rev};
use crate::store::{Conflict, Outcome, Stored, Submission};

/// Stores one request, or nothing of it if one of its ids is taken by other content.
pub(super) fn store_request(
    transaction: &Transaction<'_>,
    system: SystemId,
    feeds: &mut Feeds,
    request: &[Submission],
) -> rusqlite::Result<Outcome> {
    // Before the savepoint: a rollback to it must not take away a feed that we remember.
    for submission in request {
        feeds.load(transaction, owner_of(&submission.event, system))?;
    }
    let many = request.len() > 1;
    if many {
        transaction
            .prepare_cached("SAVEPOINT request")?
            .execute([])?;
    }
    let any_deleted = feeds.any_deleted(transaction)?;
    let mut stored: Vec<Stored> = Vec::with_capacity(request.len());
    for (index, submission) in request.iter().enumerate() {
        let id = submission.event.id;
        let owner = owner_of(&submission.event, system);
        let feed = feeds.load(transaction, owner)?;
        let was_deleted = any_deleted && is_deleted(transaction, id)?;
        if !was_deleted && insert_event(transaction, feed.key, feed.head.next(), submission)? {
            stored.push(Stored {
                id,
                owner,
                json: submission.json.clone(),
                rev: feed.add(&submission.event),
                repeated: false,
            });
            continue;
        }
        match find_repeat(transaction, owner, submission)? {
            Some(repeat) => stored.push(repeat),
            None => {
                let added = stored.iter().zip(request).filter(|(one, _)| !one.repeated);
                for (one, submission) in added {
                    feeds.forget_newest(one.owner, &submission.event);
                }
                if many {
                    transaction.execute_batch("ROLLBACK TO request; RELEASE request")?;
                }
                return Ok(Outcome::Conflict(Conflict { index, id }));
            }
        }
    }
    if many {
        transaction.prepare_cached("RELEASE request")?.execute([])?;
    }
    Ok(Outcome::Stored(stored))
}

/// The engine settles the owner of every event; without one it is the system's.
fn owner_of(event: &Event, system: SystemId) -> OwnerId {
    event.owner.unwrap_or_else(|| system.into())
}

fn is_deleted(transaction: &Transaction<'_>, id: EventId) -> rusqlite::Result<bool> {
    transaction
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM tombstone WHERE id = ?1)")?
        .query_row([id.as_uuid().as_bytes()], |row| row.get(0))
}

/// What is stored under the id of `submission`, if it has the same content.
fn find_repeat(
    transaction: &Transaction<'_>,
    owner: OwnerId,
    submission: &Submission,
) -> rusqlite::Result<Option<Stored>> {
    let sql = format!(
        "SELECT {STORED_COLUMNS}, event.digest FROM event JOIN feed ON feed.key = event.feed \
         WHERE event.id = ?1"
    );
    let id = submission.event.id;
    let there = transaction
        .prepare_cached(&sql)?
        .query_row([id.as_uuid().as_bytes()], |row| {
            let (rev, event) = read_event(row)?;
            Ok((rev, event, row.get(EVENT_COLUMN_COUNT)?))
        })
        .optional()?;
    let found = match there {
        Some((rev, event, digest)) => Some((rev, event, digest)),
        None => find_deleted(transaction, submission)?,
    };
    let Some((rev, event, digest)) = found else {
        return Ok(None);
    };
    if !is_repeat(submission, Digest::from_bytes(digest), &event) {
        return Ok(None);
    }
    let json = serde_json::to_vec(&event)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
    Ok(Some(Stored {
        id,
        owner,
        json: Bytes::from(json),
        rev,
        repeated: true,
    }))
}

/// A deleted event has no content any more; if this is a repeat, it is what was sent.
fn find_deleted(
    transaction: &Transaction<'_>,
    submission: &Submission,
) -> rusqlite::Result<Option<(tidings_event::Rev, Event, [u8; 32])>> {
    transaction
        .prepare_cached(
            "SELECT created_rev, digest, created_at, deleted_at FROM tombstone WHERE id = ?1",
        )?
        .query_row([submission.event.id.as_uuid().as_bytes()], |row| {
            let metadata = submission.metadata.as_deref().map(serde_json::from_str);
            let deleted_at = moment(row, 3)?;
            let event = Event {
                metadata: metadata
                    .transpose()
                    .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?,
                created_at: moment(row, 2)?,
                updated_at: deleted_at,
                deleted_at: Some(deleted_at),
                ..submission.event.clone()
            };
            Ok((rev(row, 0)?, event, row.get(1)?))
        })
        .optional()
}

/// Whether `submission` is the event that was stored with `digest`: as it was sent then, or, where
/// the time of creation was filled in then, as it is listed since.
fn is_repeat(submission: &Submission, digest: Digest, stored: &Event) -> bool {
    let digests = &submission.digests;
    digests.of_content == digest
        || (digests.without_time == Some(digest)
            && submission.event.created_at == stored.created_at)
}
