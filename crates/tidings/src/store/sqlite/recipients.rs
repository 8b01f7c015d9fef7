//! Stores events for several owners: a row for each of them, and one content.

mod change;
mod member;

use rusqlite::{OptionalExtension as _, Row, Transaction, params};
use tidings_event::wire::Digest;
use tidings_event::{EventId, OwnerId, Rev, SystemId};
use uuid::Uuid;

use super::feeds::Feeds;
use super::read_connection::ReadConnection;
use super::row::{NewRow, insert_events, moment, number, number_to_sql, rev, uuid, word};
use crate::shared_json::SharedJson;
use crate::store::decide::audience::is_repeat;
use crate::store::moment::nanoseconds;
use crate::store::{
    Audience, FanOut, FanOutOutcome, FannedOut, NAMED_OWNERS, Recipient, Submission,
};
pub(super) use change::{begin, forget_retractions};
pub(super) use member::Member;

/// The column `shared` of an event that went to several owners and has its own content.
pub(super) const OWN_CONTENT: &[u8] = &[];

/// What a feed has under an id.
struct There {
    rev: Rev,
    digest: Digest,
    created_at: tidings_event::Timestamp,
    /// The key of its row, if it is an event that is in no audience.
    alone: Option<i64>,
}

/// Stores an event for all its owners, or for none.
pub(super) fn store(
    transaction: &Transaction<'_>,
    system: SystemId,
    feeds: &mut Feeds,
    request: &FanOut,
) -> rusqlite::Result<FanOutOutcome> {
    let event = &request.submission.event;
    let audience = find(transaction, event.id, event.system_id)?;
    if let Some(audience) = &audience
        && !is_repeat(
            &request.submission.digests,
            event.created_at,
            audience.digest,
            audience.created_at,
        )
    {
        return Ok(conflict(&[]));
    }
    let retracted = audience
        .as_ref()
        .is_some_and(|audience| audience.retracted_at.is_some());
    let (mut new, mut repeated) = (Vec::new(), Vec::new());
    let (mut alone, mut conflicting) = (Vec::new(), Vec::new());
    let is_known = is_known(transaction, event.id)?;
    for recipient in &request.recipients {
        let there = match is_known {
            true => there(transaction, feeds, recipient.owner, event.id)?,
            false => None,
        };
        let Some(there) = there else {
            new.push(recipient.owner);
            continue;
        };
        let Recipient { owner, digests } = recipient;
        if !is_repeat(digests, event.created_at, there.digest, there.created_at) {
            conflicting.push(*owner);
            continue;
        }
        repeated.push((*owner, there.rev));
        alone.extend(there.alone);
    }
    if !conflicting.is_empty() {
        return Ok(conflict(&conflicting));
    }
    let as_it_is = match &audience {
        Some(audience) => as_it_is(transaction, &request.submission, audience)?,
        None => None,
    };
    let submission = as_it_is.as_ref().unwrap_or(&request.submission);
    let json = match &as_it_is {
        Some(event) => SharedJson::of(&event.event, event.metadata.as_deref()),
        None => request.json.clone(),
    };
    if retracted {
        new.clear();
    }
    let bytes = submission.stored_bytes();
    for (number, owner) in new.iter().enumerate() {
        // Retention bounds the system's.
        let limit = request.quota.filter(|_| *owner != OwnerId::from(system));
        let feed = feeds.load(transaction, *owner)?;
        if feed.occupy(bytes, limit) {
            continue;
        }
        let used = feed.bytes();
        for earlier in &new[..number] {
            feeds.load(transaction, *earlier)?.vacate(bytes);
        }
        return Ok(FanOutOutcome::OverQuota {
            owner: *owner,
            bytes,
            used,
            limit: limit.unwrap_or(u64::MAX),
        });
    }
    let joins = if retracted { &[][..] } else { &alone };
    let added = (new.len() + joins.len()) as u64;
    let content = match audience.as_ref().and_then(|audience| audience.content) {
        Some(content) => content,
        None => request.content,
    };
    if added > 0 {
        enter(transaction, request, audience.as_ref(), content, added)?;
        let rows = i64::try_from(new.len()).unwrap_or(i64::MAX);
        count_rows(transaction, content, rows)?;
    }
    for key in joins {
        transaction
            .prepare_cached("UPDATE event SET shared = ?2 WHERE key = ?1")?
            .execute((key, OWN_CONTENT))?;
    }
    let reached = insert(transaction, feeds, submission, content, (request, &new))?;
    Ok(FanOutOutcome::Stored(FannedOut {
        json,
        reached,
        repeated,
        retracted,
    }))
}

fn conflict(owners: &[OwnerId]) -> FanOutOutcome {
    FanOutOutcome::Conflict {
        owners: owners[..owners.len().min(NAMED_OWNERS)].to_vec(),
        number: owners.len(),
    }
}

/// Inserts a row for each owner.
fn insert(
    transaction: &Transaction<'_>,
    feeds: &mut Feeds,
    submission: &Submission,
    content: Uuid,
    (request, owners): (&FanOut, &[OwnerId]),
) -> rusqlite::Result<Vec<(OwnerId, Rev)>> {
    let mut reached = Vec::with_capacity(owners.len());
    let mut rows = Vec::with_capacity(owners.len());
    let mut recipients = request.recipients.iter();
    for owner in owners {
        // Both are sorted by owner.
        let recipient = recipients
            .find(|recipient| recipient.owner == *owner)
            .expect("a new owner is a recipient");
        let key = feeds.next_key(transaction)?;
        let feed = feeds.load(transaction, *owner)?;
        let rev = feed.add(key, &submission.event);
        rows.push(NewRow {
            key,
            feed: feed.key,
            rev,
            submission,
            digest: &recipient.digests.of_content,
            shared: Some(content.as_bytes()),
        });
        reached.push((*owner, rev));
    }
    match insert_events(transaction, &rows)? {
        true => Ok(reached),
        // All feeds were looked at before.
        false => Err(rusqlite::Error::QueryReturnedMoreThanOneRow),
    }
}

/// Whether there can be an event or a tombstone with this id.
fn is_known(transaction: &Transaction<'_>, id: EventId) -> rusqlite::Result<bool> {
    transaction
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM event WHERE id = ?1) \
             OR EXISTS (SELECT 1 FROM tombstone WHERE id = ?1)",
        )?
        .query_row([id.as_uuid().as_bytes()], |row| row.get(0))
}

fn there(
    transaction: &Transaction<'_>,
    feeds: &Feeds,
    owner: OwnerId,
    id: EventId,
) -> rusqlite::Result<Option<There>> {
    let Some(feed) = feeds.key(transaction, owner)? else {
        return Ok(None);
    };
    let read = |row: &Row<'_>| {
        Ok(There {
            rev: rev(row, 0)?,
            digest: Digest::from_bytes(row.get(1)?),
            created_at: moment(row, 2)?,
            alone: row.get(3)?,
        })
    };
    let id = id.as_uuid().as_bytes();
    let event = transaction
        .prepare_cached(
            "SELECT created_rev, digest, created_at, CASE WHEN shared IS NULL THEN key END \
             FROM event WHERE id = ?1 AND feed = ?2",
        )?
        .query_row((id, feed), read)
        .optional()?;
    if event.is_some() {
        return Ok(event);
    }
    transaction
        .prepare_cached(
            "SELECT created_rev, digest, created_at, NULL FROM tombstone WHERE feed = ?2 AND id = ?1",
        )?
        .query_row((id, feed), read)
        .optional()
}

/// The event as new owners get it, if an update has replaced its content.
fn as_it_is(
    transaction: &Transaction<'_>,
    submission: &Submission,
    audience: &Audience,
) -> rusqlite::Result<Option<Submission>> {
    let Some(content) = audience.content else {
        return Ok(None);
    };
    let (description, metadata) = text(transaction, content)?;
    let event = &submission.event;
    if event.severity == audience.severity
        && event.description == description
        && submission.metadata.as_deref() == metadata.as_deref()
    {
        return Ok(None);
    }
    let mut event = event.clone();
    event.severity = audience.severity;
    event.description = description;
    Ok(Some(Submission {
        event,
        metadata: metadata.map(String::into_boxed_str),
        digests: submission.digests,
        json: bytes::Bytes::new(),
        aged_from: submission.aged_from,
    }))
}

fn text(
    transaction: &Transaction<'_>,
    content: Uuid,
) -> rusqlite::Result<(String, Option<String>)> {
    transaction
        .prepare_cached("SELECT description, metadata FROM shared_content WHERE key = ?1")?
        .query_row([content.as_bytes()], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// The audience of an event.
fn find(
    transaction: &Transaction<'_>,
    id: EventId,
    system: SystemId,
) -> rusqlite::Result<Option<Audience>> {
    transaction
        .prepare_cached(
            "SELECT content, digest, created_at, severity, sequence, retracted_at, members \
             FROM audience WHERE id = ?1 AND system_id = ?2",
        )?
        .query_row(
            (id.as_uuid().as_bytes(), system.as_uuid().as_bytes()),
            |row| {
                let content: Option<[u8; 16]> = row.get(0)?;
                let sequence: Option<i64> = row.get(4)?;
                Ok(Audience {
                    content: content.map(Uuid::from_bytes),
                    digest: Digest::from_bytes(row.get(1)?),
                    created_at: moment(row, 2)?,
                    severity: word(row, 3, "severity")?,
                    sequence: sequence.map(i64::unsigned_abs),
                    retracted_at: match row.get_ref(5)?.as_i64_or_null()? {
                        Some(_) => Some(moment(row, 5)?),
                        None => None,
                    },
                    members: number(row, 6)?,
                })
            },
        )
        .optional()
}

/// Adds members to the audience of an event, which is made if there is none.
fn enter(
    transaction: &Transaction<'_>,
    request: &FanOut,
    audience: Option<&Audience>,
    content: Uuid,
    added: u64,
) -> rusqlite::Result<()> {
    let Submission {
        event, metadata, ..
    } = &request.submission;
    let key = (
        event.id.as_uuid().as_bytes(),
        event.system_id.as_uuid().as_bytes(),
    );
    if audience.is_some() {
        transaction
            .prepare_cached(
                "UPDATE audience SET members = members + ?3 WHERE id = ?1 AND system_id = ?2",
            )?
            .execute((key.0, key.1, number_to_sql(added)))?;
        return Ok(());
    }
    add_content(
        transaction,
        content,
        &event.description,
        metadata.as_deref(),
    )?;
    transaction
        .prepare_cached(
            "INSERT INTO audience (key, id, system_id, content, digest, created_at, severity, members) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute(params![
            // The first content of an audience names it, too.
            content.as_bytes(),
            key.0,
            key.1,
            content.as_bytes(),
            request.submission.digests.of_content.as_bytes(),
            nanoseconds(event.created_at),
            event.severity.as_str(),
            number_to_sql(added),
        ])?;
    Ok(())
}

fn add_content(
    transaction: &Transaction<'_>,
    key: Uuid,
    description: &str,
    metadata: Option<&str>,
) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(
            "INSERT INTO shared_content (key, description, metadata, rows) VALUES (?1, ?2, ?3, 0)",
        )?
        .execute((key.as_bytes(), description, metadata))?;
    Ok(())
}

/// Counts rows that have a content.
fn count_rows(transaction: &Transaction<'_>, content: Uuid, by: i64) -> rusqlite::Result<()> {
    transaction
        .prepare_cached("UPDATE shared_content SET rows = rows + ?2 WHERE key = ?1")?
        .execute((content.as_bytes(), by))?;
    Ok(())
}

impl ReadConnection {
    /// The next owners of an event that went to several.
    pub(crate) fn audience(
        &self,
        id: EventId,
        system: SystemId,
        after: Option<OwnerId>,
        limit: usize,
    ) -> rusqlite::Result<Vec<OwnerId>> {
        self.connection
            .prepare_cached(
                "SELECT feed.owner FROM event CROSS JOIN feed ON feed.key = event.feed \
                 WHERE event.id = ?1 AND event.feed > \
                 coalesce((SELECT key FROM feed WHERE owner = ?2), 0) \
                 AND event.system_id = ?3 AND event.shared IS NOT NULL \
                 ORDER BY event.feed LIMIT ?4",
            )?
            .query_map(
                params![
                    id.as_uuid().as_bytes(),
                    after.map(|owner| *owner.as_uuid().as_bytes()),
                    system.as_uuid().as_bytes(),
                    i64::try_from(limit).unwrap_or(i64::MAX),
                ],
                |row| Ok(OwnerId::from(uuid(row, 0)?)),
            )?
            .collect()
    }
}
